//! Which covariates come from other files? Weather by date and region, prices by store, sizes of stores.
//!
//! Rows are matched by the columns that both have: the time, keys, and columns with one value per series. Where the
//! file is finer than the panel, its rows within a period are combined: the mean of numbers, whether any boolean is
//! true, the first text. A file of days applies to all hours of each day. A row without a match is a missing value,
//! which the audit reports; two rows for the same series and timestamp are an error.
//!
//! Rows after the end of the history are kept with the panel: the future takes the known columns from them, and the
//! observed ones (a weather forecast) under the scenario `given`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use polars::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::calendar::{DAY, Frequency, StampKind};
use super::columns::{check_present, halves};
use super::covariates::is_number;
use super::features::{Data, Made, plain, series_texts};
use super::frame::{numbers, stamps};
use super::{Columns, Panel, Provenance, Role, meaning, source};
use crate::error::{Error, Result, suggestion};

/// Which columns of a file join the panel, and by what its rows are matched.
///
/// ```
/// use tradewind::prelude::*;
/// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales");
/// let sales = Panel::read("data/walmart_sales_weekly.csv", columns)?;
/// let folder = tempfile::tempdir().unwrap();
/// let file = folder.path().join("weather.csv");
/// std::fs::write(&file, "Store,Date,Rain\n1,2012-10-19,0.4\n1,2012-10-26,1.1\n").unwrap();
/// let joined = sales.join(&file, &Join::parse("on=[Date, Store], observed=[Rain]")?)?;
/// assert_eq!(joined.audit()?.count("missing covariates"), 1001 - 2 * 7);
/// # Ok::<(), tradewind::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Join {
    /// Columns of the panel by which rows are matched: its time, keys, columns with one value per series; all of those
    /// that the file has, if not stated. Without the time, only fixed columns can be joined.
    pub on: Vec<String>,
    /// The file's time column, if it has another name than the panel's.
    pub time: Option<String>,
    /// Columns to take that are known in the future.
    pub known: Vec<String>,
    /// Columns to take that are known only in the past: weather.
    pub observed: Vec<String>,
    /// Columns to take that have one value per series.
    pub fixed: Vec<String>,
}

impl Join {
    /// Reads options as people write them: `on=[Date, State], observed=[Temperature]`.
    ///
    /// # Errors
    /// When an option or its value is unknown; the nearest one is suggested.
    pub fn parse(text: &str) -> Result<Self> {
        crate::options::read("join", crate::options::parse(text)?)
    }
}

/// Rows of a joined file after the end of the history.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Rows {
    /// The columns of the panel by which rows are matched, besides the time.
    on: Vec<String>,
    /// Is a slot a day rather than a position?
    by_day: bool,
    /// The values of `on`, and the slot, of each row.
    places: Vec<(Vec<String>, i64)>,
    columns: Vec<(String, Cells)>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Cells {
    Numbers(Vec<Option<f64>>),
    Booleans(Vec<Option<bool>>),
    Texts(Vec<Option<String>>),
}

impl Cells {
    /// The cells of the file in groups of rows, one cell per group.
    fn merged(column: &Column, groups: &[Vec<u32>]) -> Result<Self> {
        let dtype = column.dtype();
        if dtype.is_bool() {
            let cells: Vec<Option<bool>> = column.bool()?.iter().collect();
            let any = |rows: &Vec<u32>| rows.iter().filter_map(|row| cells[*row as usize]).reduce(|a, b| a || b);
            return Ok(Self::Booleans(groups.iter().map(any).collect()));
        }
        if is_number(dtype) {
            let cells = numbers(column)?;
            let mean = |rows: &Vec<u32>| {
                let present = || rows.iter().map(|row| cells[*row as usize]).filter(|v| !v.is_nan());
                let count = present().count();
                (count > 0).then(|| present().sum::<f64>() / count as f64)
            };
            return Ok(Self::Numbers(groups.iter().map(mean).collect()));
        }
        let texts = column.cast(&DataType::String)?;
        let texts = texts.str()?.rechunk();
        let first = |rows: &Vec<u32>| rows.iter().find_map(|row| texts.get(*row as usize)).map(String::from);
        Ok(Self::Texts(groups.iter().map(first).collect()))
    }

    /// A column of the panel: for each row its group, if it has one.
    fn spread(&self, name: &str, rows: &[u32]) -> Column {
        let name = name.into();
        let at = |row: &u32| (*row != NONE).then_some(*row as usize);
        match self {
            Self::Numbers(cells) => {
                Column::new(name, rows.iter().map(|row| at(row).and_then(|at| cells[at])).collect::<Float64Chunked>())
            }
            Self::Booleans(cells) => {
                Column::new(name, rows.iter().map(|row| at(row).and_then(|at| cells[at])).collect::<BooleanChunked>())
            }
            Self::Texts(cells) => {
                let texts = rows.iter().map(|row| at(row).and_then(|at| cells[at].as_deref()));
                Column::new(name, texts.collect::<StringChunked>())
            }
        }
    }

    fn taken(&self, places: &[usize]) -> Self {
        match self {
            Self::Numbers(cells) => Self::Numbers(places.iter().map(|at| cells[*at]).collect()),
            Self::Booleans(cells) => Self::Booleans(places.iter().map(|at| cells[*at]).collect()),
            Self::Texts(cells) => Self::Texts(places.iter().map(|at| cells[*at].clone()).collect()),
        }
    }

    /// A number or boolean as a matrix column holds it.
    fn number(&self, at: usize) -> f64 {
        match self {
            Self::Numbers(cells) => cells[at].unwrap_or(f64::NAN),
            Self::Booleans(cells) => cells[at].map_or(f64::NAN, |is| f64::from(u8::from(is))),
            Self::Texts(_) => f64::NAN,
        }
    }
}

const NONE: u32 = u32::MAX;

impl Panel {
    /// The panel with columns of another CSV or Parquet file, each with its stated role.
    ///
    /// # Errors
    /// When the file cannot be read or lacks a column, a column exists already, no row of the file matches, or two of
    /// its rows have the same series and timestamp.
    pub fn join(&self, path: impl AsRef<Path>, join: &Join) -> Result<Panel> {
        let path = path.as_ref();
        let wanted: Vec<(&str, Role)> =
            [(&join.known, Role::Known), (&join.observed, Role::Observed), (&join.fixed, Role::Fixed)]
                .into_iter()
                .flat_map(|(names, role)| names.iter().map(move |name| (name.as_str(), role)))
                .collect();
        if wanted.is_empty() {
            return Err(Error::usage(
                "join needs the columns to take: observed=[Temperature], known=[Price], fixed=[Size]",
            ));
        }
        let columns = self.columns();
        let matching: Vec<&str> =
            columns.keys.iter().map(String::as_str).chain(columns.with_role(Role::Fixed)).collect();
        let file_time = join.time.as_deref().unwrap_or(&columns.time);
        let keys: Vec<&str> =
            matching.iter().copied().chain(join.on.iter().map(String::as_str)).chain([file_time]).collect();
        let mut sheet = Sheet::read(path, &keys, self.inner().origin.decimal)?;
        sheet.frame = self.spelled_alike(sheet.frame)?;
        let present: Vec<&str> = sheet.frame.get_column_names().into_iter().map(PlSmallStr::as_str).collect();
        let names: Vec<&str> = wanted.iter().map(|(name, _)| *name).collect();
        check_present(&names, &present, sheet.source())?;
        let has_time = present.contains(&file_time) || halves(file_time, '+', &present).is_some();
        let on: Vec<&str> = if !(join.on.is_empty()) {
            join.on.iter().map(String::as_str).collect()
        } else {
            matching
                .iter()
                .copied()
                .filter(|name| present.contains(name) && !names.contains(name))
                .chain(has_time.then_some(columns.time.as_str()))
                .collect()
        };
        let timed = on.contains(&columns.time.as_str());
        let on: Vec<&str> = on.into_iter().filter(|name| *name != columns.time).collect();
        if on.is_empty() && !timed {
            return Err(Error::usage(format!(
                "the rows of {} cannot be matched: state on=[…] with the time, a key, or a column with one value \
                 per series",
                sheet.source()
            )));
        }
        if let Some((name, role)) = wanted.iter().find(|(_, role)| timed == (*role == Role::Fixed)) {
            return Err(Error::usage(match role {
                Role::Fixed => format!("`{name}` is declared fixed but matched by time; leave the time out of on=[…]"),
                _ => {
                    format!("`{name}` is matched without the time, so it has one value per series: use fixed=[{name}]")
                }
            }));
        }
        check_present(&on, &present, sheet.source())?;
        let matched = Matched::of(self, &sheet, &on, timed.then_some(file_time))?;
        let cells: Vec<(String, Cells)> = names
            .iter()
            .map(|name| Ok(((*name).to_string(), Cells::merged(sheet.frame.column(name)?, &matched.groups)?)))
            .collect::<Result<_>>()?;
        let rows = matched.rows_of(self)?;
        if rows.iter().all(|row| *row == NONE) {
            return Err(Error::data(format!(
                "no row of {} matches a series and timestamp of the panel by {}; compare their values",
                sheet.source(),
                on.iter().copied().chain(timed.then_some(columns.time.as_str())).collect::<Vec<_>>().join(", ")
            )));
        }
        let made: Vec<(Column, Role)> =
            cells.iter().zip(&wanted).map(|((name, cells), (_, role))| (cells.spread(name, &rows), *role)).collect();
        let after = matched.after(self, on.iter().map(|name| (*name).to_string()).collect(), cells);
        self.with_made(
            made,
            Made {
                label: format!("join({})", path.display()),
                columns: names.iter().map(|name| (*name).to_string()).collect(),
                reach: vec![None; names.len()],
                data: Data::Rows(after),
            },
        )
    }
}

/// The rows of a file, grouped by series and period.
struct Matched {
    /// The values of the matching columns, and the place of each combination.
    combinations: HashMap<Vec<String>, usize>,
    /// The combination that each series has, if the file knows it.
    of_series: Vec<Option<usize>>,
    by_day: bool,
    timed: bool,
    /// For each group its combination and slot, ascending, and its rows.
    places: Vec<(usize, i64)>,
    groups: Vec<Vec<u32>>,
}

impl Matched {
    fn of(panel: &Panel, sheet: &Sheet, on: &[&str], time: Option<&str>) -> Result<Self> {
        let inner = panel.inner();
        let height = sheet.frame.height();
        let texts: Vec<Column> =
            on.iter().map(|name| Ok(sheet.frame.column(name)?.cast(&DataType::String)?)).collect::<Result<_>>()?;
        let texts: Vec<StringChunked> =
            texts.iter().map(|text| Ok(text.str()?.rechunk().into_owned())).collect::<Result<_>>()?;
        let mut combinations: HashMap<Vec<String>, usize> = HashMap::new();
        let mut names: Vec<Vec<String>> = Vec::new();
        let mut of_row = Vec::with_capacity(height);
        for row in 0..height {
            let missing = || {
                Error::data(format!(
                    "{}, {}, has no {}; fill it in, or remove the row",
                    sheet.source(),
                    sheet.row_text(row),
                    on.join(" and ")
                ))
            };
            let key: Vec<String> =
                texts.iter().map(|text| text.get(row).map(plain)).collect::<Option<_>>().ok_or_else(missing)?;
            let next = combinations.len();
            of_row.push(*combinations.entry(key).or_insert_with_key(|key| {
                names.push(key.clone());
                next
            }));
        }
        let stamps = match time {
            Some(time) => sheet.times(time, panel)?,
            None => vec![0; height],
        };
        let clock = inner.calendar.kind() == StampKind::Clock;
        let days_only = clock && stamps.iter().all(|stamp| stamp.rem_euclid(DAY) == 0);
        let by_day = time.is_some() && days_only && panel.frequency().length() < DAY;
        let frequency = inner.calendar.frequency;
        let slot = |stamp: i64| match time {
            None => Some(0),
            Some(_) if by_day => Some(stamp.div_euclid(DAY)),
            // What happens while the shop is shut has no step.
            Some(_) if clock && !frequency.has_holes() => Some(inner.calendar.holding(stamp, inner.columns.stamps)),
            Some(_) => Some(inner.calendar.frequency.position(stamp)).filter(|(_, exact)| *exact).map(|(p, _)| p),
        };
        let mut rows: Vec<(usize, i64, i64, u32)> =
            (0..height).filter_map(|row| Some((of_row[row], slot(stamps[row])?, stamps[row], row as u32))).collect();
        rows.sort_unstable();
        if let Some(pair) = rows.windows(2).find(|pair| pair[0].0 == pair[1].0 && pair[0].2 == pair[1].2) {
            let which: Vec<String> =
                on.iter().zip(&names[pair[0].0]).map(|(name, value)| format!("{name}={value}")).collect();
            let when = match time {
                Some(_) => vec![super::calendar::stamp_label(inner.calendar.kind(), pair[0].2)],
                None => Vec::new(),
            };
            return Err(Error::data(format!(
                "{} has several rows for {} ({} and {}); keep one, or match by more columns",
                sheet.source(),
                which.into_iter().chain(when).collect::<Vec<_>>().join(", "),
                sheet.row_text(pair[0].3 as usize),
                sheet.row_text(pair[1].3 as usize),
            )));
        }
        let (mut places, mut groups): (Vec<(usize, i64)>, Vec<Vec<u32>>) = (Vec::new(), Vec::new());
        for group in rows.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
            places.push((group[0].0, group[0].1));
            groups.push(group.iter().map(|row| row.3).collect());
        }
        let keys: Vec<Vec<Option<String>>> = on.iter().map(|name| series_texts(panel, name)).collect::<Result<_>>()?;
        let of_series = |series: usize| keys.iter().map(|texts| texts[series].clone()).collect::<Option<Vec<String>>>();
        let keys: Vec<Option<Vec<String>>> = (0..panel.len()).map(of_series).collect();
        typed_as_in_the_panel(&mut combinations, keys.iter().flatten(), on, sheet.source())?;
        let of_series = keys.iter().map(|key| key.as_ref().and_then(|key| combinations.get(key).copied())).collect();
        Ok(Self { combinations, of_series, by_day, timed: time.is_some(), places, groups })
    }

    /// The group of each row of the panel.
    fn rows_of(&self, panel: &Panel) -> Result<Vec<u32>> {
        let mut rows = vec![NONE; panel.rows()];
        let frequency = panel.frequency();
        for series in 0..panel.len() {
            let Some(combination) = self.of_series[series] else { continue };
            let (from, to) = (
                self.places.partition_point(|place| place.0 < combination),
                self.places.partition_point(|place| place.0 <= combination),
            );
            // Both run upwards in time, so one walk serves.
            let mut at = from;
            let span = panel.inner().spans[series].clone();
            for (row, position) in span.zip(panel.positions(series)) {
                let slot = if !self.timed {
                    0
                } else if self.by_day {
                    frequency.stamp(*position).div_euclid(DAY)
                } else {
                    *position
                };
                while at < to && self.places[at].1 < slot {
                    at += 1;
                }
                if at < to && self.places[at].1 == slot {
                    rows[row] = at as u32;
                }
            }
        }
        Ok(rows)
    }

    /// What the file holds after the first end of a series.
    fn after(&self, panel: &Panel, on: Vec<String>, cells: Vec<(String, Cells)>) -> Rows {
        let end =
            (0..panel.len()).filter_map(|series| panel.positions(series).last().copied()).min().unwrap_or(i64::MAX);
        let end = if self.by_day { panel.frequency().stamp(end).div_euclid(DAY) } else { end };
        let mut names: Vec<&Vec<String>> = vec![&EMPTY; self.combinations.len()];
        for (name, at) in &self.combinations {
            names[*at] = name;
        }
        let kept: Vec<usize> = if self.timed {
            (0..self.places.len()).filter(|at| self.places[*at].1 >= end).collect()
        } else {
            Vec::new()
        };
        Rows {
            on,
            by_day: self.by_day,
            places: kept.iter().map(|at| (names[self.places[*at].0].clone(), self.places[*at].1)).collect(),
            columns: cells.into_iter().map(|(name, cells)| (name, cells.taken(&kept))).collect(),
        }
    }
}

static EMPTY: Vec<String> = Vec::new();

/// Keys of a file that are typed otherwise than those of the panel (`01` for 1) become those that they mean, where that leaves no
/// doubt.
fn typed_as_in_the_panel<'a>(
    combinations: &mut HashMap<Vec<String>, usize>,
    keys: impl Iterator<Item = &'a Vec<String>>,
    on: &[&str],
    source: &str,
) -> Result<()> {
    let keys: BTreeSet<&Vec<String>> = keys.collect();
    let simple = |key: &[String]| key.iter().map(|part| meaning::simple(part)).collect::<Vec<String>>();
    let shown = |key: &[String]| {
        let parts: Vec<String> = on.iter().zip(key).map(|(name, value)| format!("{name}={value}")).collect();
        parts.join(", ")
    };
    #[derive(Default)]
    struct Alike<'a> {
        ours: Vec<&'a Vec<String>>,
        others: Vec<Vec<String>>,
    }
    let mut alike: BTreeMap<Vec<String>, Alike> = BTreeMap::new();
    for key in keys.iter().filter(|key| !combinations.contains_key(**key)) {
        alike.entry(simple(key)).or_default().ours.push(key);
    }
    if alike.is_empty() {
        return Ok(());
    }
    for key in combinations.keys().filter(|key| !keys.contains(key)) {
        if let Some(alike) = alike.get_mut(&simple(key)) {
            alike.others.push(key.clone());
        }
    }
    let mut said = Vec::new();
    for Alike { ours, mut others } in alike.into_values() {
        others.sort_unstable();
        match (&ours[..], &others[..]) {
            (_, []) => {}
            ([one], [other]) => {
                let at = combinations.remove(other);
                combinations.extend(at.map(|at| ((*one).clone(), at)));
                said.push(format!("{} is taken for {}", shown(other), shown(one)));
            }
            _ => {
                let listed = |keys: Vec<String>| keys.join(" or ");
                return Err(Error::data(format!(
                    "the rows of {source} for {} could be those of {}; write the keys as the panel does",
                    listed(others.iter().map(|key| shown(key)).collect()),
                    listed(ours.iter().map(|key| shown(key)).collect())
                )));
            }
        }
    }
    if let Some(first) = said.first() {
        let others = match said.len() - 1 {
            0 => String::new(),
            n => format!(", and {} more alike", crate::show::number(n as f64)),
        };
        crate::progress::say_once(&format!("{source}: {first}{others}"));
    }
    Ok(())
}

impl Rows {
    /// The row of the file for each series and step of a future.
    pub(super) fn at(&self, panel: &Panel, starts: &[i64], horizon: usize) -> Result<Vec<Option<usize>>> {
        let keys: Vec<Vec<Option<String>>> =
            self.on.iter().map(|name| series_texts(panel, name)).collect::<Result<_>>()?;
        let known: HashMap<(&[String], i64), usize> =
            self.places.iter().enumerate().map(|(at, (key, slot))| ((key.as_slice(), *slot), at)).collect();
        let mut rows = vec![None; starts.len() * horizon];
        for (series, start) in starts.iter().enumerate() {
            let key: Option<Vec<String>> = keys.iter().map(|texts| texts[series].clone()).collect();
            let Some(key) = key else { continue };
            for step in 0..horizon {
                let position = start.saturating_add(step as i64);
                let slot = if self.by_day { panel.frequency().stamp(position).div_euclid(DAY) } else { position };
                rows[series * horizon + step] = known.get(&(key.as_slice(), slot)).copied();
            }
        }
        Ok(rows)
    }

    /// The cell of a column of numbers or booleans.
    pub(super) fn number(&self, column: &str, row: usize) -> f64 {
        self.cells(column).map_or(f64::NAN, |cells| cells.number(row))
    }

    /// The cell of a column of categories.
    pub(super) fn text(&self, column: &str, row: usize) -> Option<&str> {
        match self.cells(column) {
            Some(Cells::Texts(cells)) => cells[row].as_deref(),
            _ => None,
        }
    }

    fn cells(&self, column: &str) -> Option<&Cells> {
        self.columns.iter().find(|(name, _)| name == column).map(|(_, cells)| cells)
    }
}

/// A table that was read from a file, with the place of its rows in it.
pub(crate) struct Sheet {
    frame: DataFrame,
    origin: Provenance,
}

impl Sheet {
    /// All columns of a CSV or Parquet file; those in `keys`, of which it must have one, keep their text unless it is
    /// that of a whole number.
    /// `decimal` is the history's decimal mark, if it is known.
    pub(crate) fn read(path: &Path, keys: &[&str], decimal: Option<char>) -> Result<Self> {
        let (frame, origin) = source::read_table(path, keys, decimal)?;
        let names: Vec<&str> = frame.get_column_names().into_iter().map(PlSmallStr::as_str).collect();
        if !names.iter().any(|name| keys.contains(name)) {
            return Err(Error::data(format!(
                "{} has none of the columns that its rows could be matched by{}",
                path.display(),
                suggestion("", names.iter().copied())
            )));
        }
        Ok(Self { frame, origin })
    }

    /// All columns of a file beside a panel; those in `keys` keep their text unless it is that of a whole number.
    pub(crate) fn read_all(path: &Path, keys: &[&str], panel: &Panel) -> Result<Self> {
        let (frame, origin) = source::read_table(path, keys, panel.inner().origin.decimal)?;
        Ok(Self { frame, origin })
    }

    pub(crate) fn frame(&self) -> &DataFrame {
        &self.frame
    }

    pub(super) fn source(&self) -> &str {
        &self.origin.source
    }

    /// `line 3` of a text file, `row 2` of anything else.
    pub(crate) fn row_text(&self, row: usize) -> String {
        self.origin.row_text(row)
    }

    /// A column as timestamps, `None` where it is empty; `frequency` resolves periods that are written alike.
    pub(crate) fn stamps(&self, name: &str, frequency: Option<Frequency>) -> Result<Vec<Option<i64>>> {
        let column = self.frame.column(name)?;
        if let DataType::Date | DataType::Datetime(..) = column.dtype() {
            let missing = column.is_null();
            let missing = missing.iter().map(|null| null == Some(true));
            return Ok(stamps(column)?
                .into_iter()
                .zip(missing)
                .map(|(stamp, missing)| (!missing).then_some(stamp))
                .collect());
        }
        let texts = column.cast(&DataType::String)?;
        let texts: Vec<Option<String>> =
            texts.str()?.iter().map(|text| text.map(plain).filter(|text| !text.is_empty())).collect();
        // An empty cell lends the text of another, so that the rest can be read by one format.
        let Some(any) = texts.iter().flatten().next().cloned() else { return Ok(vec![None; texts.len()]) };
        let filled: Vec<&str> = texts.iter().map(|text| text.as_deref().unwrap_or(&any)).collect();
        let filled = Column::new(name.into(), filled);
        let columns = Columns { frequency, ..Columns::new([""; 0], name, "") };
        let parsed = source::parse_time(&filled, &columns, None, &mut self.origin.clone())?;
        Ok(stamps(&parsed)?.into_iter().zip(&texts).map(|(stamp, text)| text.is_some().then_some(stamp)).collect())
    }

    /// A column as timestamps of a panel's kind, none of them missing.
    fn times(&self, name: &str, panel: &Panel) -> Result<Vec<i64>> {
        let present: Vec<&str> = self.frame.get_column_names().into_iter().map(PlSmallStr::as_str).collect();
        if let Some((date, clock)) = halves(name, '+', &present) {
            let joint = source::joint(name, self.frame.column(date)?, self.frame.column(clock)?)?;
            let frame = self.frame.clone().with_column(joint)?.clone();
            return Self { frame, origin: self.origin.clone() }.times(name, panel);
        }
        check_present(&[name], &present, self.source())?;
        let column = self.frame.column(name)?;
        let missing = |row: usize| Error::data(format!("{}, {}, has no `{name}`", self.source(), self.row_text(row)));
        if panel.inner().calendar.kind() == StampKind::Whole {
            let whole = column.strict_cast(&DataType::Int64).map_err(|_| {
                Error::data(format!(
                    "column `{name}` of {} does not hold the whole numbers that the panel has",
                    self.source()
                ))
            })?;
            return whole.i64()?.iter().enumerate().map(|(row, cell)| cell.ok_or_else(|| missing(row))).collect();
        }
        self.stamps(name, Some(panel.frequency()))?
            .into_iter()
            .enumerate()
            .map(|(row, stamp)| stamp.ok_or_else(|| missing(row)))
            .collect()
    }
}
