//! What is wrong with the data, series by series: what was found, where first, how often, and what cleaning did about
//! it. Auditing changes nothing.

use polars::prelude::*;

use super::{Panel, Role};
use crate::error::Result;
use crate::show::{Block, Show, Table, number};

/// What is wrong with a panel's data, and what [`Panel::clean`] did about it.
///
/// ```
/// use tradewind::prelude::*;
/// let sales = Panel::read(
///     "data/walmart_sales_weekly.csv",
///     Columns::new(["Store", "Dept"], "Date", "Weekly_Sales").known(["MarkDown1"]),
/// )?;
/// let audit = sales.audit()?;
/// assert_eq!(audit.count("holes"), 7 * 92);
/// # Ok::<(), tradewind::Error>(())
/// ```
#[derive(Clone)]
pub struct Audit {
    panel: Panel,
    found: Vec<Found>,
}

/// How much a finding matters: an `Error` keeps models from being fitted, a `Warning` distorts them, a `Note` is worth
/// knowing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Severity {
    Error,
    Warning,
    Note,
}

#[derive(Clone)]
struct Found {
    severity: Severity,
    kind: &'static str,
    series: Option<usize>,
    stamp: Option<String>,
    value: Option<String>,
    count: usize,
    action: Option<String>,
}

/// A change that cleaning made, kept with the panel.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) kind: &'static str,
    pub(crate) series: usize,
    pub(crate) position: i64,
    /// The target before and after; NaN where there was or is none.
    pub(crate) target: (f64, f64),
    pub(crate) stamp: String,
    pub(crate) value: String,
    pub(crate) action: String,
}

/// Every kind of finding: its name, its severity, and what it means.
const KINDS: [(&str, Severity, &str); 12] = [
    ("duplicates", Severity::Error, "several rows for one stamp of a series"),
    ("off calendar", Severity::Error, "a stamp that is not on the calendar"),
    ("infinite", Severity::Error, "a target that is not finite"),
    ("gaps", Severity::Warning, "stamps between first and last without a row"),
    ("missing", Severity::Warning, "rows without a target"),
    ("negative", Severity::Warning, "a target below zero: returns, or an error"),
    ("holes", Severity::Warning, "rows without a value of a covariate"),
    ("all zero", Severity::Warning, "a series that never sells"),
    ("constant", Severity::Note, "a series with one value throughout"),
    ("short", Severity::Note, "fewer values than two seasons"),
    ("ends early", Severity::Note, "a series that stops before the panel's last stamp"),
    ("unsorted", Severity::Note, "rows out of order in the input, sorted when reading"),
];

fn severity(kind: &str) -> Severity {
    KINDS.iter().find(|(name, ..)| *name == kind).map_or(Severity::Note, |(_, severity, _)| *severity)
}

impl Panel {
    /// Looks for duplicate stamps, gaps, missing and infinite targets, negative sales, holes in covariates, constant,
    /// all-zero and short series, series that end early, rows out of order and stamps off the calendar.
    ///
    /// # Errors
    /// When a covariate can be read neither as numbers nor as categories.
    pub fn audit(&self) -> Result<Audit> {
        let inner = self.inner();
        let calendar = &inner.calendar;
        let mut found = Vec::new();
        let mut add = |kind, series, stamp: Option<String>, value: Option<String>, count| {
            if count > 0 {
                found.push(Found { severity: severity(kind), kind, series, stamp, value, count, action: None });
            }
        };
        let unsorted = inner.origin.rows.windows(2).filter(|pair| pair[0] > pair[1]).count();
        // A file that lists one series after the other is sorted, whatever the order of its series.
        let within = (0..self.len())
            .map(|i| inner.spans[i].clone())
            .flat_map(|span| inner.origin.rows[span].windows(2).filter(|pair| pair[0] > pair[1]).collect::<Vec<_>>());
        add("unsorted", None, None, None, if unsorted > 0 { within.count() } else { 0 });
        for chunk in inner.origin.off_calendar.chunk_by(|a, b| self.series_of(*a) == self.series_of(*b)) {
            let row = chunk[0];
            add("off calendar", Some(self.series_of(row)), Some(self.stamp_text(row)), None, chunk.len());
        }
        let raw = inner.frame.column(&inner.columns.target)?.f64()?.rechunk();
        let panel_end = inner.positions.iter().max().copied().unwrap_or(0);
        let matrix = self.matrix()?;
        for i in 0..self.len() {
            let (positions, target) = (self.positions(i), self.target(i));
            let start = inner.spans[i].start;
            let label = |row: usize| Some(calendar.label(positions[row]));
            let duplicates: Vec<usize> = (1..positions.len()).filter(|r| positions[*r] == positions[r - 1]).collect();
            if let Some(&first) = duplicates.first() {
                add("duplicates", Some(i), label(first), Some(number(target[first])), duplicates.len());
            }
            let gaps = positions.windows(2).map(|pair| (pair[1] - pair[0] - 1).max(0) as usize);
            if let Some(row) = positions.windows(2).position(|pair| pair[1] > pair[0] + 1) {
                add("gaps", Some(i), Some(calendar.label(positions[row] + 1)), None, gaps.sum());
            }
            let mut each = |kind, is: &dyn Fn(usize, f64) -> bool, show: bool| {
                let rows: Vec<usize> = (0..target.len()).filter(|row| is(*row, target[*row])).collect();
                if let Some(&first) = rows.first() {
                    let value = show.then(|| number(raw.get(start + first).unwrap_or(f64::NAN)));
                    add(kind, Some(i), label(first), value, rows.len());
                }
            };
            let infinite = |row: usize| raw.get(start + row).is_some_and(f64::is_infinite);
            each("infinite", &|row, _| infinite(row), false);
            each("missing", &|row, y| y.is_nan() && !infinite(row), false);
            each("negative", &|_, y| y < 0.0, true);
            let observed: Vec<f64> = target.iter().copied().filter(|y| !y.is_nan()).collect();
            let same = observed.windows(2).all(|pair| pair[0] == pair[1]);
            if observed.len() > 1 && same {
                let kind = if observed[0] == 0.0 { "all zero" } else { "constant" };
                add(kind, Some(i), label(0), Some(number(observed[0])), observed.len());
            }
            if observed.len() < 2 * self.season() {
                add("short", Some(i), label(0), None, observed.len().max(1));
            }
            if let Some(last) = positions.last().filter(|last| **last < panel_end) {
                add("ends early", Some(i), Some(calendar.label(*last)), None, (panel_end - last) as usize);
            }
        }
        // Indicators of one category share their holes: the first column of a source speaks for it.
        for (c, (source, role)) in matrix.sources.iter().enumerate() {
            if c > 0 && matrix.sources[c - 1].0 == *source {
                continue;
            }
            for i in 0..self.len() {
                let holes: Vec<usize> = self
                    .column_of(i, &matrix.columns[c])
                    .iter()
                    .enumerate()
                    .filter(|(_, v)| v.is_nan())
                    .map(|(r, _)| r)
                    .collect();
                if let Some(&first) = holes.first() {
                    let role = match role {
                        Role::Known => "known",
                        Role::Observed => "observed",
                        Role::Fixed => "fixed",
                    };
                    let stamp = calendar.label(self.positions(i)[first]);
                    add("holes", Some(i), Some(stamp), Some(format!("{source} ({role})")), holes.len());
                }
            }
        }
        found.extend(inner.origin.changes.iter().map(|change| Found {
            severity: Severity::Note,
            kind: change.kind,
            series: Some(change.series),
            stamp: Some(change.stamp.clone()),
            value: Some(change.value.clone()),
            count: 1,
            action: Some(change.action.clone()),
        }));
        found.sort_by_key(|finding| {
            (finding.action.is_some(), finding.severity, KINDS.iter().position(|k| k.0 == finding.kind), finding.series)
        });
        Ok(Audit { panel: self.clone(), found })
    }
}

impl Audit {
    /// How many rows or stamps of one kind were found and not mended: `duplicates`, `off calendar`, `infinite`, `gaps`,
    /// `missing`, `negative`, `holes`, `all zero`, `constant`, `short`, `ends early`, `unsorted`.
    pub fn count(&self, kind: &str) -> usize {
        self.open().filter(|found| found.kind == kind).map(|found| found.count).sum()
    }

    /// How many changes cleaning made.
    pub fn changes(&self) -> usize {
        self.found.iter().filter(|found| found.action.is_some()).count()
    }

    /// Can models be fitted to these data as they are?
    pub fn is_usable(&self) -> bool {
        !self.open().any(|found| matches!(found.kind, "duplicates" | "off calendar" | "infinite"))
    }

    /// What was found in one sentence.
    pub fn sentence(&self) -> String {
        let kinds: Vec<String> = KINDS
            .iter()
            .map(|(kind, ..)| (kind, self.count(kind)))
            .filter(|(_, count)| *count > 0)
            .map(|(kind, count)| format!("{kind} {}", number(count as f64)))
            .collect();
        let found = match kinds.is_empty() {
            true if self.changes() > 0 => "nothing is left to mend".to_string(),
            true => "nothing to mend was found".to_string(),
            false => format!("found: {}", kinds.join(", ")),
        };
        let changes = match self.changes() {
            0 => String::new(),
            1 => "; cleaning changed 1 value".into(),
            n => format!("; cleaning changed {} values", number(n as f64)),
        };
        format!(
            "{} rows in {} series: {found}{changes}.",
            number(self.panel.rows() as f64),
            number(self.panel.len() as f64)
        )
    }

    /// One row per kind: severity, how many series and rows, the first place, what it means.
    ///
    /// # Errors
    /// Only if the table cannot be assembled.
    pub fn overview(&self) -> Result<Table> {
        let mut rows: Vec<[String; 4]> = Vec::new();
        let (mut series, mut counts) = (Vec::new(), Vec::new());
        for (kind, severity, meaning) in KINDS {
            let of: Vec<&Found> = self.open().filter(|found| found.kind == kind).collect();
            let Some(first) = of.first() else { continue };
            let place =
                [first.series.map(|i| self.panel.label(i).to_string()), first.stamp.clone(), first.value.clone()];
            rows.push([
                severity.word().into(),
                kind.into(),
                meaning.into(),
                place.into_iter().flatten().collect::<Vec<_>>().join(", "),
            ]);
            series.push(of.iter().filter(|found| found.series.is_some()).count() as u64);
            counts.push(of.iter().map(|found| found.count as u64).sum::<u64>());
        }
        let column = |name: &str, at: usize| {
            Column::new(name.into(), rows.iter().map(|row| row[at].as_str()).collect::<Vec<_>>())
        };
        let frame = DataFrame::new(
            rows.len(),
            vec![
                column("severity", 0),
                column("finding", 1),
                Column::new("series".into(), series),
                Column::new("count".into(), counts),
                column("first", 3),
                column("meaning", 2),
            ],
        )?;
        Ok(Table::new(frame))
    }

    /// One row per kind of change that cleaning made: what was found, what was done, how often, where first.
    ///
    /// # Errors
    /// Only if the table cannot be assembled.
    pub fn changed(&self) -> Result<Table> {
        // What was done, without the number of the single case: `filled with 2.5` is one kind with `filled with 3`.
        let kind = |found: &Found| {
            let action = found.action.as_deref().unwrap_or_default();
            let words = action.split(|c: char| c.is_ascii_digit()).next().unwrap_or_default();
            (found.kind, words.trim_end_matches([' ', ',', '-']).to_string())
        };
        let mut groups: Vec<((&str, String), Vec<&Found>)> = Vec::new();
        for found in self.found.iter().filter(|found| found.action.is_some()) {
            let key = kind(found);
            match groups.iter_mut().find(|(other, _)| *other == key) {
                Some((_, members)) => members.push(found),
                None => groups.push((key, vec![found])),
            }
        }
        let first = |members: &[&Found]| {
            let found = members[0];
            let series = found.series.map(|i| self.panel.label(i).to_string());
            let place = [series, found.stamp.clone(), found.value.clone(), found.action.clone()];
            place.into_iter().flatten().collect::<Vec<_>>().join(", ")
        };
        let series = |members: &[&Found]| {
            members.iter().filter_map(|found| found.series).collect::<std::collections::HashSet<_>>().len() as u64
        };
        let columns = vec![
            Column::new("finding".into(), groups.iter().map(|((kind, _), _)| *kind).collect::<Vec<_>>()),
            Column::new("series".into(), groups.iter().map(|(_, members)| series(members)).collect::<Vec<_>>()),
            Column::new("changes".into(), groups.iter().map(|(_, members)| members.len() as u64).collect::<Vec<_>>()),
            Column::new("first".into(), groups.iter().map(|(_, members)| first(members)).collect::<Vec<_>>()),
        ];
        Ok(Table::new(DataFrame::new(groups.len(), columns)?).titled("What cleaning changed"))
    }

    /// Every finding: severity, kind, keys, first stamp, value, count, and what was done about it.
    ///
    /// # Errors
    /// Only if the table cannot be assembled.
    pub fn table(&self) -> Result<Table> {
        let text = |pick: &dyn Fn(&Found) -> Option<String>, name: &str| {
            Column::new(name.into(), self.found.iter().map(pick).collect::<Vec<_>>())
        };
        let mut columns = vec![
            text(&|found| Some(found.severity.word().into()), "severity"),
            text(&|found| Some(found.kind.into()), "finding"),
        ];
        let rows: IdxCa = self.found.iter().map(|found| found.series.map(|i| i as IdxSize)).collect_ca("".into());
        if self.panel.inner().keys.width() > 0 {
            columns.extend(self.panel.inner().keys.take(&rows)?.columns().iter().cloned());
        }
        columns.push(text(&|found| found.stamp.clone(), "stamp"));
        columns.push(text(&|found| found.value.clone(), "value"));
        columns
            .push(Column::new("count".into(), self.found.iter().map(|found| found.count as u64).collect::<Vec<_>>()));
        columns.push(text(&|found| found.action.clone(), "done"));
        Ok(Table::new(DataFrame::new(self.found.len(), columns)?))
    }

    /// Writes [`table`](Self::table) as CSV, Parquet or JSON, by the path's extension.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: impl AsRef<std::path::Path>) -> Result<()> {
        self.table()?.save(path)
    }

    fn open(&self) -> impl Iterator<Item = &Found> {
        self.found.iter().filter(|found| found.action.is_none())
    }
}

/// What the data-quality page needs to know of an audit.
impl Audit {
    /// The panel that was audited.
    pub fn panel(&self) -> Panel {
        self.panel.clone()
    }

    /// What was found and not mended: kind, series and count.
    pub(crate) fn cases(&self) -> impl Iterator<Item = (&'static str, Option<usize>, usize)> {
        self.open().map(|found| (found.kind, found.series, found.count))
    }
}

impl Severity {
    fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

impl Show for Audit {
    fn block(&self) -> Block {
        let mut blocks = vec![Block::Text(self.sentence())];
        let tables = [self.overview(), self.changed()].into_iter().flatten();
        blocks.extend(tables.filter(|table| table.rows() > 0).map(Block::Table));
        Block::Group(blocks)
    }
}

crate::show::noun!(Audit);
