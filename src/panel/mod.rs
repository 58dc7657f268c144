//! Many series on one calendar: keys, time, target and covariates, each with a declared role.
//!
//! | file | question |
//! |---|---|
//! | `columns` | which role does each column have? |
//! | `guess` | which role has each column of a file, where nobody has stated it? |
//! | `source/` | how does any file become a frame? |
//! | `frame` | how does a frame become a panel, and back? |
//! | `calendar` | when does the next value come? |
//! | `features/` | which covariates can be computed from the calendar, from events, from the past? |
//! | `normalise` | which transformation of the target do models see? |
//! | `audit` | what is wrong with the data? |
//! | `availability` | when could the item be sold? |
//! | `called` | what is a sum of others called? |
//! | `clean/` | how are the data cleaned? |
//! | `spelling` | which keys do people take for one? |
//! | `meaning` | which of the known words does a cell mean, however it is typed? |
//! | `doubled` | which rows of one timestamp are copies, which contradict? |
//! | `recorded` | which values were recorded before cleaning? |
//! | `climatology` | what is the average of a covariate at that time of the year? |
//! | `clocks` | which times of day did the clock never show, which twice? |
//! | `dictionary` | what does each column mean, and how was it made? |
//! | `covariates` | which numbers do models see for the covariates? |
//! | `future` | which covariates are known in the future? |
//! | `join` | which covariates come from other files? |
//! | `fingerprint` | which data is this? |
//! | `folds` | where is time cut? |
//! | `groups` | which series belong together? |
//! | `order` | in which order are series processed, independent of their names? |
//! | `aggregate` | what are the sales per week, per month, per store? |
//! | `hierarchy` | which series are sums of others? |

mod aggregate;
mod assumed;
mod audit;
mod availability;
pub(crate) mod calendar;
mod called;
mod clean;
mod climatology;
mod clocks;
mod columns;
mod covariates;
mod dictionary;
mod doubled;
mod features;
mod fingerprint;
mod folds;
mod frame;
mod future;
mod given;
mod groups;
mod guess;
mod hierarchy;
mod join;
pub(crate) mod meaning;
pub(crate) mod normalise;
pub(crate) mod order;
mod recorded;
mod source;
mod spelling;
mod unsold;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock};

use polars::prelude::*;

pub use aggregate::{Aggregate, Booleans, Numbers, Partial, Target};
pub use assumed::Assumptions;
pub use audit::Audit;
use audit::totals::{Total, totals};
pub(crate) use audit::{Change, median};
pub use calendar::Frequency;
pub(crate) use calendar::{DAY, day_of};
pub use clean::{
    Clean, Covariates as CovariatePolicy, Duplicates, Ends, Gaps, Keys, Missing, Negatives, OffCalendar, Starts, Totals,
};
pub(crate) use columns::available_column;
pub use columns::{Columns, Role, Stamps};
pub(crate) use covariates::Matrix;
pub(crate) use doubled::Remedy;
pub use features::{Deriving, FEATURES, Feature, Features, public_holidays};
pub(crate) use features::{candidate_holidays, checked, files_of};
pub(crate) use folds::Cut;
pub use folds::{Fold, Folds};
pub(crate) use frame::{labels_of, spans, stamp_column};
pub use future::{Future, Scenario};
pub(crate) use groups::Groups;
pub use guess::{Guess, Stated};
pub(crate) use hierarchy::{Nodes, TOTAL};
pub use join::Join;
pub(crate) use join::Sheet;
pub use normalise::Normalise;
#[cfg(feature = "serve")]
pub(crate) use source::unpacks_within;
pub use source::{Reading, Stray};
pub(crate) use source::{Rows, folders, parse_stamp};

use crate::error::{Error, Result, find};
use crate::show::{Block, Show, Table};
use crate::statistics::Session;
use calendar::Calendar;
use recorded::Recorded;

/// Many series on one calendar: keys, time, target and covariates with declared roles.
///
/// Rows are sorted by key and time; nothing else is changed by reading. A panel is immutable and cheap to clone.
///
/// ```
/// use tradewind::prelude::*;
/// let sales = Panel::read(
///     "data/walmart_sales_weekly.csv",
///     Columns::new(["Store", "Dept"], "Date", "Weekly_Sales").known(["IsHoliday"]).observed(["Temperature"]),
/// )?;
/// assert_eq!((sales.len(), sales.rows()), (7, 1001));
/// assert_eq!(sales.frequency().to_string(), "weekly (Fridays)");
/// # Ok::<(), tradewind::Error>(())
/// ```
#[derive(Clone)]
pub struct Panel(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) columns: Columns,
    pub(crate) calendar: Calendar,
    season: usize,
    /// The declared columns, in their input types, sorted by key and time.
    pub(crate) frame: DataFrame,
    /// The key columns, one row per series.
    pub(crate) keys: DataFrame,
    labels: Arc<[String]>,
    /// The series in the order of their labels, for binary search.
    by_label: Arc<OnceLock<Vec<u32>>>,
    spans: Vec<Range<usize>>,
    positions: Vec<i64>,
    /// NaN where the target is missing or not finite.
    target: Vec<f64>,
    pub(crate) origin: Provenance,
    /// What was recorded, where cleaning has cleaned it.
    recorded: Option<Recorded>,
    /// How its sums were made, where it is a hierarchy.
    hierarchy: Option<Arc<hierarchy::Hierarchy>>,
    matrix: OnceLock<Matrix>,
}

/// Where the data come from, and what reading and cleaning found, for the audit.
#[derive(Clone, Default)]
pub(crate) struct Provenance {
    /// The file, folder or database, or `the frame`.
    pub(crate) source: String,
    /// The files that it consists of, each with its first row.
    pub(crate) parts: Vec<(String, usize)>,
    /// The line of each input row in its file; 0 or absent where rows are counted.
    pub(crate) lines: Vec<u32>,
    /// What was detected in the format of the source and is not obvious.
    pub(crate) found: Vec<String>,
    /// Columns and sheets of the source that were not read.
    pub(crate) left_out: Vec<String>,
    /// The columns among them.
    pub(crate) unread: Arc<[String]>,
    /// How the source was to be read.
    pub(crate) reading: Reading,
    /// Input rows whose key was spelled otherwise before keys were merged, each with its former series.
    pub(crate) respelled: Arc<BTreeMap<u32, u32>>,
    /// The decimal mark of its text, if it is known.
    pub(crate) decimal: Option<char>,
    /// The time zone of the timestamps, if known.
    pub(crate) zone: Option<String>,
    /// Target cells that are not numbers, by input row; their targets are missing.
    pub(crate) unreadable: Arc<BTreeMap<u32, String>>,
    /// What was asked of these data.
    pub(crate) session: Arc<Mutex<Session>>,
    /// For each sorted row, its row in the source.
    pub(crate) rows: Vec<u32>,
    /// Rows, after sorting, whose timestamp is not on the calendar.
    pub(crate) off_calendar: Vec<usize>,
    /// The changes that cleaning made.
    pub(crate) changes: Arc<Vec<audit::Change>>,
    /// Series that cleaning left out, with what they were.
    pub(crate) removed: Arc<Vec<String>>,
    /// Incomplete periods of aggregated data, by series label and position: their totals are too small.
    pub(crate) partial: Arc<Vec<(String, i64)>>,
}

impl Panel {
    /// Number of series.
    pub fn len(&self) -> usize {
        self.0.spans.len()
    }

    /// Is there no series at all?
    pub fn is_empty(&self) -> bool {
        self.0.spans.is_empty()
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.0.target.len()
    }

    /// The step between timestamps.
    pub fn frequency(&self) -> Frequency {
        self.0.calendar.frequency
    }

    /// Steps in a season: as declared, else the default of the frequency.
    pub fn season(&self) -> usize {
        self.0.season
    }

    /// The declared columns and their roles.
    pub fn columns(&self) -> Columns {
        self.0.columns.clone()
    }

    /// The names of the series in order: `Store=1, Dept=3`.
    pub fn keys(&self) -> Vec<String> {
        self.0.labels.to_vec()
    }

    /// The first and last timestamp, as text.
    pub fn span(&self) -> (String, String) {
        let first = self.0.positions.iter().min().copied().unwrap_or(0);
        let last = self.0.positions.iter().max().copied().unwrap_or(0);
        (self.0.calendar.label(first), self.0.calendar.label(last))
    }

    /// The first and the last position of any series; none without rows.
    pub(crate) fn extent(&self) -> Option<(i64, i64)> {
        Some((*self.0.positions.iter().min()?, *self.0.positions.iter().max()?))
    }

    /// How the source was read: the format that was detected, and which columns and sheets were not read.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let panel = Panel::read("data/walmart_sales_weekly.csv", Columns::new(["Store", "Dept"], "Date", "Weekly_Sales"))?;
    /// assert!(panel.remarks()[0].starts_with("columns not read: "));
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    pub fn remarks(&self) -> Vec<String> {
        let origin = &self.0.origin;
        origin.found.iter().chain(&origin.left_out).cloned().collect()
    }

    /// One row per series: keys, first and last timestamp, number of values, mean, standard deviation.
    ///
    /// # Errors
    /// Only if the table cannot be assembled.
    pub fn summary(&self) -> Result<Table> {
        let n = self.len();
        let (mut first, mut last) = (Vec::with_capacity(n), Vec::with_capacity(n));
        let (mut values, mut missing) = (Vec::with_capacity(n), Vec::with_capacity(n));
        let (mut mean, mut sd) = (Vec::with_capacity(n), Vec::with_capacity(n));
        for i in 0..n {
            let span = self.0.spans[i].clone();
            let positions = &self.0.positions[span.clone()];
            let observed: Vec<f64> = self.0.target[span.clone()].iter().copied().filter(|y| y.is_finite()).collect();
            let m = observed.iter().sum::<f64>() / observed.len() as f64;
            let v = observed.iter().map(|y| (y - m).powi(2)).sum::<f64>() / (observed.len() as f64 - 1.0);
            first.push(positions.first().map(|p| self.0.calendar.label(*p)));
            last.push(positions.last().map(|p| self.0.calendar.label(*p)));
            values.push(observed.len() as u64);
            missing.push((span.len() - observed.len()) as u64);
            mean.push(m);
            sd.push(v.sqrt());
        }
        let mut columns = self.0.keys.columns().to_vec();
        columns.extend([
            Column::new("first".into(), first),
            Column::new("last".into(), last),
            Column::new("values".into(), values),
            Column::new("missing".into(), missing),
            Column::new("mean".into(), mean),
            Column::new("sd".into(), sd),
        ]);
        Ok(Table::new(DataFrame::new(n, columns)?))
    }

    /// One row per declared column: its role, what its cells are, how many different ones there are and how many are
    /// empty.
    ///
    /// # Errors
    /// Only if the table cannot be assembled.
    pub fn described_columns(&self) -> Result<Table> {
        let columns = &self.0.columns;
        let (roles, names) = (columns.roles(), columns.names());
        let cells = |name: &&str| Ok(self.0.frame.column(name)?.as_materialized_series().clone());
        let cells: Vec<Series> = names.iter().map(cells).collect::<Result<_>>()?;
        let kind = |series: &Series| match series.dtype() {
            DataType::Boolean => "yes or no",
            DataType::Date => "dates",
            DataType::Datetime(..) => "times",
            dtype if dtype.is_integer() => "whole numbers",
            dtype if dtype.is_float() => "numbers",
            _ => "text",
        };
        let distinct: Vec<u64> =
            cells.iter().map(|series| Ok(series.drop_nulls().n_unique()? as u64)).collect::<Result<_>>()?;
        let made: Vec<String> =
            names.iter().map(|name| columns.maker(name).map_or_else(String::new, |made| made.label.clone())).collect();
        let mut table = vec![
            Column::new("column".into(), &names),
            Column::new("role".into(), roles),
            Column::new("cells".into(), cells.iter().map(kind).collect::<Vec<_>>()),
            Column::new("different".into(), distinct),
            Column::new("empty".into(), cells.iter().map(|series| series.null_count() as u64).collect::<Vec<_>>()),
        ];
        if made.iter().any(|label| !label.is_empty()) {
            table.push(Column::new("made by".into(), made));
        }
        Ok(Table::new(DataFrame::new(names.len(), table)?).titled("Columns"))
    }

    /// The periods that aggregating could not fill whole, by series and position: less was sold in them for that reason
    /// alone.
    pub(crate) fn partial_periods(&self) -> Vec<(usize, i64)> {
        let inner = &*self.0;
        let places = inner.origin.partial.iter();
        let places = places.filter_map(|(label, position)| Some((self.place_of(label)?, *position)));
        places.filter(|(i, position)| self.positions(*i).binary_search(position).is_ok()).collect()
    }

    /// The series whose key column `column` has the value `value`, compared as text.
    ///
    /// # Errors
    /// When there is no such key column, or no series with that value.
    pub fn only(&self, column: &str, value: &str) -> Result<Panel> {
        let keys = &self.0.keys;
        let names: Vec<&str> = self.0.columns.keys.iter().map(String::as_str).collect();
        if !names.contains(&column) {
            let nearest = crate::error::suggestion(column, names);
            return Err(Error::usage(format!("`{column}` is not a key column{nearest}")));
        }
        let texts = keys.column(column)?.cast(&DataType::String)?;
        let texts = texts.str()?;
        let kept: Vec<bool> = texts.iter().map(|text| text == Some(value)).collect();
        if !kept.contains(&true) {
            let known: Vec<&str> = texts.iter().flatten().collect();
            let nearest = crate::error::suggestion(value, known);
            return Err(Error::data(format!("no series has {column}={value}{nearest}")));
        }
        self.with_series(&kept)
    }

    /// The value of a key column or a fixed covariate for each series, as text; none where there is no such column.
    pub(crate) fn attribute(&self, column: &str) -> Result<Option<Vec<String>>> {
        if !self.0.columns.attributes().any(|name| name == column) {
            return Ok(None);
        }
        let missing = || "(missing)".to_string();
        let texts = |frame: &DataFrame| frame.column(column)?.cast(&DataType::String);
        if self.0.columns.keys.iter().any(|key| key == column) {
            let texts = texts(&self.0.keys)?;
            return Ok(Some(texts.str()?.iter().map(|text| text.map_or_else(missing, String::from)).collect()));
        }
        let texts = texts(&self.0.frame)?;
        let texts = texts.str()?;
        let first = |span: &Range<usize>| span.clone().find_map(|row| texts.get(row)).map(String::from);
        Ok(Some(self.0.spans.iter().map(|span| first(span).unwrap_or_else(missing)).collect()))
    }

    /// One series of the panel, by its name in [`keys`](Self::keys): `Store=1, Dept=3`.
    ///
    /// # Errors
    /// When there is no series of that name; the nearest is suggested.
    pub fn series(&self, key: &str) -> Result<Panel> {
        self.nth(self.place(key)?)
    }

    /// The series at a place of [`keys`](Self::keys), counted from 0.
    ///
    /// # Errors
    /// When there are fewer series.
    pub fn nth(&self, place: usize) -> Result<Panel> {
        if place >= self.len() {
            return Err(Error::usage(format!(
                "there is no series {place}: the panel has {}, counted from 0",
                self.len()
            )));
        }
        let mut kept = vec![false; self.len()];
        kept[place] = true;
        self.with_series(&kept)
    }

    /// The series that are kept, in their order.
    pub(crate) fn with_series(&self, kept: &[bool]) -> Result<Panel> {
        let mut mask = vec![false; self.rows()];
        for (span, keep) in self.0.spans.iter().zip(kept) {
            mask[span.clone()].fill(*keep);
        }
        let frame = self.0.frame.filter(&BooleanChunked::from_slice("".into(), &mask))?;
        // A series without rows has no place among those that are kept.
        let mut place = 0;
        let places: Vec<Option<usize>> = (self.0.spans.iter().zip(kept))
            .map(|(span, keep)| {
                let stays = *keep && !span.is_empty();
                place += usize::from(stays);
                stays.then(|| place - 1)
            })
            .collect();
        let origin = self.0.origin.kept(&mask, |change| places.get(change.series).copied().flatten());
        let panel = frame::assemble(frame, &self.0.columns, self.0.calendar.clone(), self.0.season, origin)?;
        let recorded = self.0.recorded.as_ref().map(|recorded| recorded.with_series(&mask, &places)).transpose()?;
        Ok(panel.with_recorded(recorded))
    }

    /// The panel without the series that are sums of others, which its audit lists.
    fn without_totals(&self) -> Result<Panel> {
        let totals: Vec<Total> = totals(self)?.into_iter().filter(|total| total.sum).collect();
        if totals.is_empty() {
            return Ok(self.clone());
        }
        let mut kept = vec![true; self.len()];
        totals.iter().for_each(|total| kept[total.series] = false);
        let mut panel = self.with_series(&kept)?;
        let mut removed = self.0.origin.removed.to_vec();
        removed.extend(totals.iter().map(|total| format!("{}: {}", self.label(total.series), total.said)));
        // It was assembled a moment ago and is nobody else's yet.
        if let Some(inner) = Arc::get_mut(&mut panel.0) {
            inner.origin.removed = Arc::new(removed);
            inner.origin.found.retain(|remark| !remark.ends_with(WITHOUT_TOTALS));
        }
        Ok(panel)
    }

    /// What is to be said of series that are sums of others.
    fn said_of_totals(&self) -> Result<Option<String>> {
        let totals: Vec<Total> = totals(self)?.into_iter().filter(|total| total.sum).collect();
        Ok(totals.first().map(|first| {
            let label = self.label(first.series);
            match totals.len() {
                1 => format!("{label} is {}; {WITHOUT_TOTALS}", first.said),
                n => format!("{n} series are sums of others (first: {label}, {}); {WITHOUT_TOTALS}", first.said),
            }
        }))
    }

    /// The series that have rows: a cut-off may have emptied some.
    pub(crate) fn occupied(&self) -> Result<Panel> {
        let kept: Vec<bool> = self.0.spans.iter().map(|span| !span.is_empty()).collect();
        if kept.contains(&false) { self.with_series(&kept) } else { Ok(self.clone()) }
    }

    /// Everything before `stamp` (exclusive), as it was known on that day. A cleaned panel is cleaned again, by the
    /// same policies, from the values recorded until then.
    ///
    /// # Errors
    /// When `stamp` is not a timestamp of this panel's kind.
    pub fn before(&self, stamp: &str) -> Result<Panel> {
        self.until(&vec![self.position_of(stamp)?; self.len()])
    }

    /// The position of a timestamp on the calendar; of one between two steps that of the later.
    pub(crate) fn position_of(&self, stamp: &str) -> Result<i64> {
        let raw = source::parse_stamp(stamp, self.0.calendar.kind())?;
        let (position, exact) = self.0.calendar.frequency.position(raw);
        Ok(if exact { position } else { position + 1 })
    }

    /// Everything after `stamp` (exclusive), the counterpart of [`before`](Self::before): `sales.before(day)`, the rows
    /// of that day and `sales.after(day)` make up the panel. Series that end before then are left out. A cleaned panel
    /// stays as it is.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales");
    /// let sales = Panel::read("data/walmart_sales_weekly.csv", columns)?;
    /// let late = sales.after("2012-10-05")?;
    /// assert_eq!(late.span(), ("2012-10-12".to_string(), "2012-10-26".to_string()));
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// When `stamp` is not a timestamp of this panel's kind, or no row lies after it.
    pub fn after(&self, stamp: &str) -> Result<Panel> {
        let raw = source::parse_stamp(stamp, self.0.calendar.kind())?;
        let (last, _) = self.0.calendar.frequency.position(raw);
        let rest = self.within(&|_, position| position > last)?;
        match rest.rows() {
            0 => Err(Error::usage(format!("there are no rows after {stamp}: the last is {}", self.span().1))),
            _ => rest.occupied(),
        }
    }

    /// The same rows with other values of the target, row by row.
    pub(crate) fn with_target(&self, target: Vec<f64>) -> Result<Panel> {
        let inner = &*self.0;
        let mut frame = inner.frame.clone();
        frame.with_column(Column::new(inner.columns.target().into(), target))?;
        frame::assemble(frame, &inner.columns, inner.calendar.clone(), inner.season, inner.origin.clone())
    }

    /// The rows of each series before its own end position, cleaned without the later ones. A series may become empty
    /// but keeps its place.
    pub(crate) fn until(&self, ends: &[i64]) -> Result<Panel> {
        if let Some(part) = self.hierarchy_until(ends)? {
            return Ok(part);
        }
        match self.recipe() {
            Some(recipe) => recipe.until(self, ends),
            None => self.within(&|i, position| position < ends[i]),
        }
    }

    /// The rows whose position satisfies `keep`, as they are; every series keeps its place.
    pub(crate) fn within(&self, keep: &dyn Fn(usize, i64) -> bool) -> Result<Panel> {
        let inner = &*self.0;
        let mut mask = vec![false; self.rows()];
        let mut spans = Vec::with_capacity(self.len());
        let mut kept = 0;
        for (i, span) in inner.spans.iter().enumerate() {
            let start = kept;
            for row in span.clone() {
                mask[row] = keep(i, inner.positions[row]);
                kept += usize::from(mask[row]);
            }
            spans.push(start..kept);
        }
        let pick = |values: &[f64]| values.iter().zip(&mask).filter(|(_, k)| **k).map(|(v, _)| *v).collect();
        Ok(Panel(Arc::new(Inner {
            columns: inner.columns.clone(),
            calendar: inner.calendar.clone(),
            season: inner.season,
            frame: inner.frame.filter(&BooleanChunked::from_slice("".into(), &mask))?,
            keys: inner.keys.clone(),
            labels: inner.labels.clone(),
            by_label: inner.by_label.clone(),
            spans,
            positions: inner.positions.iter().zip(&mask).filter(|(_, k)| **k).map(|(p, _)| *p).collect(),
            target: pick(&inner.target),
            origin: inner.origin.kept(&mask, |change| keep(change.series, change.position).then_some(change.series)),
            recorded: inner.recorded.as_ref().map(|recorded| recorded.within(&mask, keep)).transpose()?,
            hierarchy: inner.hierarchy.clone(),
            matrix: OnceLock::new(),
        })))
    }

    /// The same rows with another season.
    pub(crate) fn with_season(&self, season: usize) -> Panel {
        let inner = &*self.0;
        let mut panel = self.with_covariates(inner.frame.clone(), inner.columns.clone());
        if let Some(inner) = Arc::get_mut(&mut panel.0) {
            inner.season = season;
        }
        panel
    }

    /// The same rows with other covariates: `frame` has the rows of this panel in their order.
    pub(crate) fn with_covariates(&self, frame: DataFrame, columns: Columns) -> Panel {
        let inner = &*self.0;
        Panel(Arc::new(Inner {
            columns,
            calendar: inner.calendar.clone(),
            season: inner.season,
            frame,
            keys: inner.keys.clone(),
            labels: inner.labels.clone(),
            by_label: inner.by_label.clone(),
            spans: inner.spans.clone(),
            positions: inner.positions.clone(),
            target: inner.target.clone(),
            origin: inner.origin.clone(),
            recorded: inner.recorded.clone(),
            hierarchy: inner.hierarchy.clone(),
            matrix: OnceLock::new(),
        }))
    }

    /// The same panel, known to be a hierarchy.
    fn of_hierarchy(mut self, hierarchy: hierarchy::Hierarchy) -> Panel {
        // It was assembled a moment ago and is nobody else's yet.
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.hierarchy = Some(Arc::new(hierarchy));
        }
        self
    }

    /// Steps in a year; seasons of integer steps count as years.
    pub(crate) fn steps_in_a_year(&self) -> f64 {
        self.frequency().a_year().unwrap_or(self.season() as f64)
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    pub(crate) fn label(&self, series: usize) -> &str {
        &self.0.labels[series]
    }

    pub(crate) fn labels(&self) -> Arc<[String]> {
        self.0.labels.clone()
    }

    /// The place of a series, by its label; none where there is no such series.
    pub(crate) fn place_of(&self, label: &str) -> Option<usize> {
        let labels = &self.0.labels;
        let by_label = self.0.by_label.get_or_init(|| {
            let mut order: Vec<u32> = (0..labels.len() as u32).collect();
            order.sort_by(|a, b| labels[*a as usize].cmp(&labels[*b as usize]));
            order
        });
        let first = by_label.partition_point(|i| labels[*i as usize].as_str() < label);
        by_label.get(first).map(|i| *i as usize).filter(|i| labels[*i] == label)
    }

    /// The place of a series, by its label.
    ///
    /// # Errors
    /// When there is no series of that name; the nearest is suggested.
    pub(crate) fn place(&self, label: &str) -> Result<usize> {
        self.place_of(label).map_or_else(|| find(label, &self.0.labels, "series"), Ok)
    }

    /// The positions of a series' rows, ascending; equal neighbours are duplicates.
    pub(crate) fn positions(&self, series: usize) -> &[i64] {
        &self.0.positions[self.0.spans[series].clone()]
    }

    pub(crate) fn target(&self, series: usize) -> &[f64] {
        &self.0.target[self.0.spans[series].clone()]
    }

    /// The covariates as numbers, row by row beside the target.
    pub(crate) fn matrix(&self) -> Result<&Matrix> {
        if let Some(matrix) = self.0.matrix.get() {
            return Ok(matrix);
        }
        let matrix = Matrix::of(&self.0.frame, &self.0.columns)?;
        Ok(self.0.matrix.get_or_init(|| matrix))
    }

    /// Duplicates, timestamps off the calendar and infinite targets leave it open what was sold: models refuse such
    /// data.
    pub(crate) fn check_calendar(&self) -> Result<()> {
        let inner = &*self.0;
        if let Some(&row) = inner.origin.off_calendar.first() {
            let i = self.series_of(row);
            return Err(Error::data(format!(
                "{} is not on the calendar, which is {} (series {}; {} such rows); \
                 state another frequency, or clean with off_calendar = \"nearest\", \"previous\", \"next\", \"period\" or \
                 \"drop\"",
                self.stamp_text(row),
                inner.calendar.frequency,
                self.label(i),
                inner.origin.off_calendar.len(),
            )));
        }
        self.check_length()?;
        let raw = inner.frame.column(&inner.columns.target)?.f64()?;
        if let Some(row) = raw.iter().position(|y| y.is_some_and(f64::is_infinite)) {
            return Err(Error::data(format!(
                "the target of series {} is infinite ({}); correct it, or clean, which treats it as missing",
                self.label(self.series_of(row)),
                self.stamp_text(row),
            )));
        }
        if let Some((row, text)) = inner.origin.unreadable_rows().next() {
            return Err(Error::data(format!(
                "the target of series {} on {} is `{text}` ({}), not a number ({} such {}); \
                 correct it, or clean, which treats it as missing",
                self.label(self.series_of(row)),
                self.stamp_text(row),
                inner.origin.row_text(inner.origin.rows[row] as usize),
                inner.origin.unreadable.len(),
                if inner.origin.unreadable.len() == 1 { "cell" } else { "cells" },
            )));
        }
        self.check_duplicates()
    }

    /// A series with one value per step must fit in memory; one wrong timestamp can make it too long.
    pub(crate) fn check_length(&self) -> Result<()> {
        let inner = &*self.0;
        let steps = |i: usize| self.positions(i).last().map_or(0, |last| last.saturating_sub(self.positions(i)[0]));
        if let Some(i) = (0..self.len()).find(|i| steps(*i) > LONGEST) {
            return Err(Error::data(format!(
                "series {} runs from {} to {}, more than {LONGEST} steps that are {}; correct the timestamps, or state another \
                 frequency",
                self.label(i),
                inner.calendar.label(self.positions(i)[0]),
                inner.calendar.label(self.positions(i).last().copied().unwrap_or(0)),
                inner.calendar.frequency,
            )));
        }
        Ok(())
    }

    fn check_duplicates(&self) -> Result<()> {
        let twice = |i: usize| self.positions(i).windows(2).any(|pair| pair[0] == pair[1]);
        if !(0..self.len()).any(twice) {
            return Ok(());
        }
        Err(self.duplicates_error(&self.doubled()?, false))
    }

    /// The key columns of these series, row by row; none for a panel without keys.
    pub(crate) fn key_columns(&self, series: impl IntoIterator<Item = usize>) -> Result<Vec<Column>> {
        if self.0.keys.width() == 0 {
            return Ok(Vec::new());
        }
        let rows: Vec<IdxSize> = series.into_iter().map(|i| i as IdxSize).collect();
        Ok(self.0.keys.take(&IdxCa::from_vec("".into(), rows))?.columns().to_vec())
    }

    pub(crate) fn series_of(&self, row: usize) -> usize {
        self.0.spans.partition_point(|span| span.end <= row)
    }

    /// The timestamp of a row as the data have it, also when it is not on the calendar.
    pub(crate) fn stamp_text(&self, row: usize) -> String {
        frame::raw_stamp(&self.0.frame, &self.0.columns.time, row)
            .map(|stamp| calendar::stamp_label(self.0.calendar.kind(), stamp))
            .unwrap_or_else(|| "a missing timestamp".into())
    }

    /// A series on its full calendar: one value per step from its first to its last timestamp, NaN where none is given.
    pub(crate) fn regular(&self, series: usize) -> Cow<'_, [f64]> {
        spread(self.positions(series), self.target(series))
    }

    /// The cells of a matrix column that belong to a series, row by row.
    pub(crate) fn column_of<'a>(&self, series: usize, column: &'a [f64]) -> &'a [f64] {
        &column[self.0.spans[series].clone()]
    }

    /// A covariate column of a series on the same calendar as [`regular`](Self::regular).
    pub(crate) fn regular_column<'a>(&self, series: usize, column: &'a [f64]) -> Cow<'a, [f64]> {
        let span = self.0.spans[series].clone();
        spread(&self.0.positions[span.clone()], &column[span])
    }
}

/// How people are told to leave out what is a sum of other series.
const WITHOUT_TOTALS: &str = "leave out such totals: totals = \"drop\" (on the command line: --policy totals=drop)";

/// More steps than this from a series' first to its last timestamp are a mistake in the timestamps.
pub(crate) const LONGEST: i64 = 20_000_000;

/// Puts values on consecutive positions, NaN in the gaps; borrowed when there is none.
fn spread<'a>(positions: &[i64], values: &'a [f64]) -> Cow<'a, [f64]> {
    let (Some(first), Some(last)) = (positions.first(), positions.last()) else { return Cow::Borrowed(&[]) };
    let steps = (last - first + 1) as usize;
    if steps == values.len() {
        return Cow::Borrowed(values);
    }
    let mut regular = vec![f64::NAN; steps];
    for (position, value) in positions.iter().zip(values) {
        regular[(position - first) as usize] = *value;
    }
    Cow::Owned(regular)
}

impl Provenance {
    /// The sorted rows whose target is not a number, with the text of the cell.
    pub(crate) fn unreadable_rows(&self) -> impl Iterator<Item = (usize, &str)> {
        let none = self.unreadable.is_empty();
        let rows = self.rows.iter().enumerate().filter(move |_| !none);
        rows.filter_map(|(row, input)| Some((row, self.unreadable.get(input)?.as_str())))
    }

    /// The same origin for the rows that `mask` keeps, and the changes that have a series among them.
    fn kept(&self, mask: &[bool], series: impl Fn(&audit::Change) -> Option<usize>) -> Self {
        let mut places = vec![usize::MAX; mask.len()];
        let mut kept = 0;
        for (place, keep) in places.iter_mut().zip(mask) {
            if *keep {
                *place = kept;
                kept += 1;
            }
        }
        Self {
            rows: self.rows.iter().zip(mask).filter(|(_, keep)| **keep).map(|(row, _)| *row).collect(),
            off_calendar: self.off_calendar.iter().map(|row| places[*row]).filter(|row| *row != usize::MAX).collect(),
            changes: if self.changes.is_empty() {
                self.changes.clone()
            } else {
                let change = |c: &audit::Change| Some(audit::Change { series: series(c)?, ..c.clone() });
                Arc::new(self.changes.iter().filter_map(change).collect())
            },
            ..self.clone()
        }
    }
}

impl Show for Panel {
    fn block(&self) -> Block {
        let (first, last) = self.span();
        let count =
            |n: usize, word: &str| format!("{} {word}{}", crate::show::number(n as f64), if n == 1 { "" } else { "s" });
        let found = &self.0.origin.found;
        let found = if found.is_empty() { String::new() } else { format!("; {}", found.join("; ")) };
        let normalise = match self.0.columns.normalise {
            Normalise::None => String::new(),
            kind => format!("; models see the target normalised ({})", kind.name()),
        };
        let text = format!(
            "{} in {}, {}, {first} to {last}; season {} ({}){found}{normalise}",
            count(self.rows(), "row"),
            if self.len() == 1 {
                "1 series".into()
            } else {
                format!("{} series", crate::show::number(self.len() as f64))
            },
            self.frequency(),
            count(self.season(), self.frequency().noun()),
            if self.0.columns.season.is_some() { "as stated" } else { "the frequency's default" },
        );
        let mut blocks = vec![Block::Text(text)];
        blocks.extend(self.summary().ok().map(Block::Table));
        Block::Group(blocks)
    }
}

crate::show::noun!(Panel);
