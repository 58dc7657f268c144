//! Several rows for one timestamp of a series: which are copies, which contradict each other, and why are they there?
//!
//! A row whose declared cells all equal those of another one is a *copy*: exports overlap, or a file was appended twice.
//! Other rows of one timestamp contradict: they are parts of one figure (tills, orders), the second corrects the first,
//! or a column that belongs to the key was not named, which the columns of the source that were not read show. The hour
//! that the clock shows twice has two rows by right, equal or not.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use polars::prelude::*;

use super::clocks::Clocks;
use super::{Duplicates, Panel, source};
use crate::error::{Error, Result};
use crate::show::number;
use crate::show::words::counted;

/// The most rows of a source that is read again in search of a forgotten key column.
const MOST_ROWS: usize = 5_000_000;
/// The most rows whose cells are compared in that search.
const MOST_COMPARED: usize = 200_000;
/// The pairs of overlapping files that are named.
const MOST_OVERLAPS: usize = 3;
/// A key column that leaves fewer rows to a series on average numbers the rows.
const LEAST_ROWS: usize = 3;

/// The rows of one timestamp of a series, where there are several.
pub(super) struct Group {
    pub(super) series: usize,
    pub(super) position: i64,
    /// The panel's rows, in the order of the source.
    pub(super) rows: Vec<usize>,
    /// For each of them the one that it is a copy of, by its place among them.
    pub(super) copy_of: Vec<Option<usize>>,
    /// Does the clock show this hour twice?
    pub(super) clock: bool,
}

impl Group {
    /// The places of the rows that are no copies.
    pub(super) fn distinct(&self) -> impl Iterator<Item = usize> {
        (0..self.rows.len()).filter(|at| self.copy_of[*at].is_none())
    }

    pub(super) fn copies(&self) -> usize {
        self.copy_of.iter().flatten().count()
    }

    /// How many rows are too many besides the copies.
    pub(super) fn contradictions(&self) -> usize {
        self.rows.len() - self.copies() - 1
    }
}

/// All rows of a panel that share their timestamp with another one.
pub(super) struct Doubled {
    pub(super) groups: Vec<Group>,
}

impl Doubled {
    /// Which rows of groups, each of a series and position, are copies?
    pub(super) fn of(panel: &Panel, groups: Vec<(usize, i64, Vec<usize>)>) -> Result<Self> {
        if groups.is_empty() {
            return Ok(Self { groups: Vec::new() });
        }
        let all: Vec<usize> = groups.iter().flat_map(|(.., rows)| rows.iter().copied()).collect();
        let identities = identities(panel, &all)?;
        let clocks = Clocks::of(panel);
        let mut at = 0;
        let mut found: Vec<Group> = Vec::with_capacity(groups.len());
        for (series, position, rows) in groups {
            let own = &identities[at..at + rows.len()];
            at += rows.len();
            let mut first: HashMap<u32, usize> = HashMap::new();
            let copy_of = own
                .iter()
                .enumerate()
                .map(|(place, identity)| Some(*first.entry(*identity).or_insert(place)).filter(|first| *first != place))
                .collect();
            found.push(Group {
                series,
                position,
                rows,
                copy_of,
                clock: clocks.twice(panel.frequency().stamp(position)),
            });
        }
        // Two equal rows of the hour that comes twice are both hours, unless the hours around it are copied as well.
        let copied: HashSet<(usize, i64)> = found
            .iter()
            .filter(|group| !group.clock && group.copies() > 0)
            .map(|group| (group.series, group.position))
            .collect();
        // Where the zone is not known, some zone excuses each of several hours in a row.
        let excused: HashSet<(usize, i64)> =
            found.iter().filter(|group| group.clock).map(|group| (group.series, group.position)).collect();
        for group in found.iter_mut().filter(|group| group.clock && group.rows.len() == 2) {
            let around = |step: i64| {
                let mut steps = (1..).map(|k| (group.series, group.position + k * step));
                steps.find(|place| !excused.contains(place)).is_some_and(|place| copied.contains(&place))
            };
            if !around(-1) && !around(1) {
                group.copy_of = vec![None; 2];
            }
        }
        Ok(Self { groups: found })
    }

    pub(super) fn of_series(&self, series: usize) -> &[Group] {
        let from = self.groups.partition_point(|group| group.series < series);
        let to = self.groups.partition_point(|group| group.series <= series);
        &self.groups[from..to]
    }

    pub(super) fn copies(&self) -> usize {
        self.groups.iter().map(Group::copies).sum()
    }

    pub(super) fn contradictions(&self) -> usize {
        self.groups.iter().map(Group::contradictions).sum()
    }

    /// Do rows contradict each other in hours only that the clock shows twice?
    pub(super) fn by_clock(&self) -> bool {
        let mut contradicting = self.groups.iter().filter(|group| group.contradictions() > 0).peekable();
        contradicting.peek().is_some() && contradicting.all(|group| group.clock)
    }

    /// Where copies are: `31 rows of march.csv again in april.csv`, the most first; nothing for a single file.
    pub(super) fn overlaps(&self, panel: &Panel) -> Vec<String> {
        let mut pairs: HashMap<(usize, usize), usize> = HashMap::new();
        for group in &self.groups {
            for (place, first) in group.copy_of.iter().enumerate() {
                let Some(first) = first else { continue };
                let part = |place: usize| panel.part_of(group.rows[place]);
                if let (Some(first), Some(second)) = (part(*first), part(place)) {
                    *pairs.entry((first, second)).or_default() += 1;
                }
            }
        }
        let mut pairs: Vec<_> = pairs.into_iter().collect();
        pairs.sort_by_key(|(pair, count)| (std::cmp::Reverse(*count), *pair));
        let named = |((first, second), count): &((usize, usize), usize)| {
            let rows = counted(*count, "row", "rows");
            match first == second {
                true => format!("{rows} of {} in it again", panel.part_name(*first)),
                false => format!("{rows} of {} again in {}", panel.part_name(*first), panel.part_name(*second)),
            }
        };
        pairs.iter().map(named).collect()
    }

    /// What the columns of the source say that were not read.
    fn judged(&self, panel: &Panel) -> Judged {
        let plain = Judged { copies: self.copies(), contradictions: self.contradictions(), ..Judged::default() };
        self.judged_by_unread(panel).unwrap_or(plain)
    }

    /// The same; none where the source has no such columns, or cannot be read again as it was.
    fn judged_by_unread(&self, panel: &Panel) -> Option<Judged> {
        let origin = &panel.inner().origin;
        let rows = origin.rows.iter().max().map_or(0, |last| *last as usize + 1);
        if self.groups.is_empty() || origin.unread.is_empty() || origin.reading.per.is_some() || rows > MOST_ROWS {
            return None;
        }
        let columns = panel.columns();
        let (frame, _) =
            source::read_more(Path::new(&origin.source), &columns, &origin.unread, &origin.reading).ok()?;
        if frame.height() < rows {
            return None;
        }
        let unread: Vec<(&str, Column)> =
            origin.unread.iter().filter_map(|name| Some((name.as_str(), frame.column(name).ok()?.clone()))).collect();
        let texts: Vec<(&str, bool, StringChunked)> = unread
            .iter()
            .filter_map(|(name, column)| {
                // What is measured is no key.
                let may_be_key = !column.dtype().is_float() && column.null_count() == 0;
                let texts = column.cast(&DataType::String).ok()?;
                Some((*name, may_be_key, texts.str().ok()?.rechunk().into_owned()))
            })
            .collect();
        let at = |group: &Group, place: usize| origin.rows[group.rows[place]] as usize;
        let mut judged = Judged { contradictions: self.contradictions(), ..Judged::default() };
        // Rows that agree in all columns that were read, and not in the others, are copies between files alone: a file
        // that numbers its rows numbers the same row differently in two exports.
        for group in &self.groups {
            for (place, first) in group.copy_of.iter().enumerate() {
                let Some(first) = *first else { continue };
                let within = panel.part_of(group.rows[place]) == panel.part_of(group.rows[first]);
                let (copy, first) = (at(group, place), at(group, first));
                let other = texts.iter().find(|(.., texts)| texts.get(copy) != texts.get(first));
                match other.filter(|_| within) {
                    Some((name, ..)) => {
                        judged.alike += 1;
                        judged.by.get_or_insert_with(|| name.to_string());
                    }
                    None => judged.copies += 1,
                }
            }
        }
        if judged.alike == 0 && judged.contradictions == 0 {
            return Some(judged);
        }
        let mut compared = 0;
        let compared: Vec<&Group> = self
            .groups
            .iter()
            .filter(|group| !group.clock)
            .take_while(|group| {
                compared += group.rows.len();
                compared <= MOST_COMPARED
            })
            .collect();
        let own: Vec<usize> = (0..panel.len()).flat_map(|i| std::iter::repeat_n(i, panel.positions(i).len())).collect();
        let mut fewest = usize::MAX;
        for (name, _, texts) in texts.iter().filter(|(_, may_be_key, _)| *may_be_key) {
            let apart = |group: &&Group| {
                let mut seen = HashSet::with_capacity(group.rows.len());
                (0..group.rows.len()).all(|place| {
                    let text = texts.get(at(group, place));
                    let again = group.copy_of[place].is_some_and(|first| texts.get(at(group, first)) == text);
                    again || seen.insert(text)
                })
            };
            if compared.is_empty() || !compared.iter().all(apart) {
                continue;
            }
            let series: HashSet<(usize, Option<&str>)> =
                own.iter().zip(&origin.rows).map(|(i, row)| (*i, texts.get(*row as usize))).collect();
            if series.len() * LEAST_ROWS <= own.len() && series.len() < fewest {
                (fewest, judged.key) = (series.len(), Some((*name).to_string()));
            }
        }
        Some(judged)
    }
}

/// What rows of one timestamp are, seen with the columns that were not read.
#[derive(Default)]
struct Judged {
    copies: usize,
    contradictions: usize,
    /// Rows that agree in every column that was read, and are no copies: they differ in another one.
    alike: usize,
    /// The first column in which they differ.
    by: Option<String>,
    /// The column that tells all rows apart, if it is named among the keys.
    key: Option<String>,
}

/// What to do about rows of one timestamp.
#[derive(Clone, Default)]
pub(crate) struct Remedy {
    /// The policy that makes one row of them: an error, where there is nothing to be made.
    pub(crate) policy: Duplicates,
    /// The column that tells those apart which contradict, if it is named among the keys.
    pub(crate) key: Option<String>,
    /// Both in words, with the reason.
    pub(crate) said: Vec<String>,
}

impl Doubled {
    pub(super) fn remedy(&self, panel: &Panel) -> Remedy {
        let mut remedy = Remedy::default();
        if self.groups.is_empty() {
            return remedy;
        }
        let Judged { copies, contradictions, alike, by, key } = self.judged(panel);
        if copies > 0 {
            remedy.policy = Duplicates::Identical;
            let overlaps = self.overlaps(panel);
            let overlaps = match overlaps.len() {
                0 => String::new(),
                n if n <= MOST_OVERLAPS => format!(" ({})", overlaps.join(", ")),
                n => {
                    format!(" ({} and {} more pairs of files)", overlaps[..MOST_OVERLAPS].join(", "), n - MOST_OVERLAPS)
                }
            };
            let are = match copies {
                1 => "1 row is a copy of another".into(),
                n => format!("{} rows are copies of others", number(n as f64)),
            };
            remedy
                .said
                .push(format!("{are}{overlaps}: duplicates=identical drops them and changes no sum that is right."));
        }
        if contradictions + alike == 0 {
            return remedy;
        }
        let (combined, last) = match copies {
            0 => (Duplicates::Sum, Duplicates::Last),
            _ => (Duplicates::IdenticalSum, Duplicates::IdenticalLast),
        };
        let rows = match (contradictions, by) {
            (_, Some(by)) => {
                let rows = counted(contradictions + alike, "row has", "rows have");
                format!(
                    "{rows} the timestamp of another one and {} no copies: they differ in `{by}`",
                    if contradictions + alike == 1 { "is" } else { "are" }
                )
            }
            (n, None) => {
                counted(n, "row contradicts another one of its timestamp", "rows contradict others of their timestamp")
            }
        };
        if self.by_clock() && alike == 0 {
            remedy.policy = combined;
            let hours = "in hours that the clock shows twice, at the end of daylight saving";
            remedy
                .said
                .push(format!("{rows} {hours}: both are right, and duplicates={} adds them up.", combined.word()));
            return remedy;
        }
        if let Some(key) = &key {
            remedy.said.push(format!("{rows}; with `{key}` as a key too the rows are unique."));
        } else if alike > 0 && (copies > 0 || contradictions == 0) {
            // Whether they are sales of their own, nobody can tell from the data.
            remedy.policy = Duplicates::Error;
            remedy.said.push(format!(
                "{rows}; if each is a sale of its own, duplicates=sum adds them up; if they were recorded twice, \
                 duplicates=identical drops them."
            ));
        } else {
            remedy.policy = combined;
            remedy.said.push(format!(
                "{rows}; if they are parts of one figure, such as tills or orders, duplicates={} adds them up; if a later \
                 row corrects an earlier one, use duplicates={}.",
                combined.word(),
                last.word()
            ));
        }
        remedy.key = key;
        remedy
    }
}

impl Panel {
    /// The rows that share their timestamp with another one. A timestamp off the calendar stands for the nearest one:
    /// its row is no duplicate.
    pub(super) fn doubled(&self) -> Result<Doubled> {
        let inner = self.inner();
        let off = &inner.origin.off_calendar;
        let mut groups: Vec<(usize, i64, Vec<usize>)> = Vec::new();
        for i in 0..self.len() {
            let (start, positions) = (inner.spans[i].start, self.positions(i));
            if !positions.windows(2).any(|pair| pair[0] == pair[1]) {
                continue;
            }
            let rows: Vec<usize> =
                (0..positions.len()).filter(|row| off.binary_search(&(start + row)).is_err()).collect();
            for group in rows.chunk_by(|a, b| positions[*a] == positions[*b]).filter(|group| group.len() > 1) {
                groups.push((i, positions[group[0]], group.iter().map(|row| start + row).collect()));
            }
        }
        Doubled::of(self, groups)
    }

    /// The file of a row, by its place among the files of the source, if there are several.
    fn part_of(&self, row: usize) -> Option<usize> {
        let origin = &self.inner().origin;
        let input = *origin.rows.get(row)? as usize;
        origin.parts.partition_point(|(_, first)| *first <= input).checked_sub(1).filter(|_| origin.parts.len() > 1)
    }

    /// The name of a file of the source, without its folder.
    fn part_name(&self, part: usize) -> &str {
        let name = &self.inner().origin.parts[part].0;
        Path::new(name).file_name().and_then(|name| name.to_str()).unwrap_or(name)
    }

    /// Where a row that is a copy comes from: `line 12 of a.csv`.
    pub(super) fn place_of_row(&self, row: usize) -> Option<String> {
        let origin = &self.inner().origin;
        origin.rows.get(row).map(|input| origin.row_text(*input as usize))
    }

    /// Several rows for one timestamp, and no policy that says what becomes of them; `copies_dropped` if copies are to be
    /// dropped and others are there.
    pub(super) fn duplicates_error(&self, doubled: &Doubled, copies_dropped: bool) -> Error {
        let left = |group: &&Group| !copies_dropped || group.contradictions() > 0;
        let (copies, others) = (doubled.copies(), doubled.contradictions());
        let all = if copies_dropped { others } else { copies + others };
        let rows = format!("{} duplicate {} in all", number(all as f64), if all == 1 { "row" } else { "rows" });
        let which = if copies_dropped { " that are no copies" } else { "" };
        let said = doubled.remedy(self).said;
        // Who drops copies need not be told to, which comes first.
        let told = usize::from(copies_dropped && said.len() > 1);
        let advice = said[told..].join(" ");
        let place = doubled.groups.iter().find(left).map_or_else(String::new, |first| {
            format!(
                "series {} has several rows for {}",
                self.label(first.series),
                self.inner().calendar.label(first.position)
            )
        });
        Error::data(format!("{place} ({rows}{which}); {}", advice.trim_end_matches('.')))
    }
}

/// A number for each row; equal for rows whose declared cells are all equal, as they were before keys were merged.
fn identities(panel: &Panel, rows: &[usize]) -> Result<Vec<u32>> {
    let inner = panel.inner();
    let places = IdxCa::from_vec("".into(), rows.iter().map(|row| *row as IdxSize).collect());
    let mut identities = vec![0_u32; rows.len()];
    let mut refine = |cells: &mut dyn Iterator<Item = Option<String>>| {
        let mut seen: HashMap<(u32, Option<String>), u32> = HashMap::new();
        for (identity, cell) in identities.iter_mut().zip(cells) {
            let next = seen.len() as u32;
            *identity = *seen.entry((*identity, cell)).or_insert(next);
        }
    };
    for column in inner.frame.columns() {
        let texts = column.take(&places)?.cast(&DataType::String)?;
        refine(&mut texts.str()?.iter().map(|text| text.map(String::from)));
    }
    let input = |row: &usize| inner.origin.rows.get(*row);
    refine(&mut rows.iter().map(|row| inner.origin.unreadable.get(input(row)?).cloned()));
    refine(&mut rows.iter().map(|row| inner.origin.respelled.get(input(row)?).map(u32::to_string)));
    Ok(identities)
}
