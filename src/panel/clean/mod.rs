//! How are the data cleaned? By stated policies only: the defaults change nothing, and every change is a row of the
//! [`Audit`](super::Audit) of the cleaned panel.
//!
//! First series are merged whose keys differ in spelling only, rows are put on the calendar, and several rows for one
//! timestamp are combined; then rows before the first sale are removed and absent ones added; then values are cleaned. A
//! row whose timestamp is not on the calendar stays unchanged unless `off_calendar` moves it: of the other policies,
//! `negatives` alone looks at it.
//! The recorded values are kept with the cleaned ones (see `recorded`): backtests clean each training set by itself
//! and score against the recorded values.
//!
//! | file | question |
//! |---|---|
//! | `keys` | which series are one? |
//! | `rows` | which rows are there: copies, contradictions, launches, ends? |
//! | `values` | what becomes of stock-outs, returns, outliers, missing values? |

mod keys;
mod rows;
mod values;

use std::sync::Arc;

use polars::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::audit::Change;
use super::frame::{assemble, stamp_column, stamps};
use super::recorded::Recorded;
use super::{Normalise, Panel, Role};
use crate::error::{Error, Result};
use crate::options::choice;
use crate::show::number;
use values::fill_covariates;

/// The covariate that records returns.
const RETURNS: &str = "returns";

/// Cleaning policies. The defaults change nothing, and duplicates are an error.
///
/// ```
/// use tradewind::prelude::*;
/// let sales = Panel::read(
///     "data/walmart_sales_weekly.csv",
///     Columns::new(["Store", "Dept"], "Date", "Weekly_Sales").known(["MarkDown1"]),
/// )?;
/// let cleaned = sales.clean(&Clean::parse("covariates=zero")?)?;
/// assert_eq!(cleaned.audit()?.changes(), 7 * 92);
/// # Ok::<(), tradewind::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Clean {
    /// Series that are the sum of others at every timestamp: leave, or drop (the series are left out).
    pub totals: Totals,
    /// Keys that differ in spelling only (case, blanks, dashes, composed letters, leading zeros): leave, or merge (their
    /// rows become one series under the commonest spelling). Keys that differ by an accent stay apart.
    pub keys: Keys,
    /// Timestamps off the calendar: leave (models then refuse the data), nearest, previous or next (moved to that
    /// timestamp of the calendar), period (moved to the timestamp of the week, month … that holds it), or drop (the
    /// row is removed).
    pub off_calendar: OffCalendar,
    /// Several rows for one timestamp: error, identical (copies, rows that agree in every column, are dropped, and rows that
    /// contradict are an error), sum, mean, last (of all rows, copies among them), or identical-sum, identical-mean,
    /// identical-last (copies are dropped first).
    pub duplicates: Duplicates,
    /// The beginning of a series: leave, or sale (zeros before its first sale are removed: it was not offered yet).
    pub starts: Starts,
    /// Timestamps without a row between the first and the last of a series: leave, or fill (a row is added, its target
    /// missing).
    pub gaps: Gaps,
    /// The end of a series, with gaps=fill: leave (it ends with its last row), or panel (rows are added up to the last
    /// timestamp of the panel, their target missing).
    pub ends: Ends,
    /// Rows without a target: leave, linear (interpolation), seasonal (interpolation of the seasonally adjusted
    /// series), zero or last (carried forward).
    pub missing: Missing,
    /// Targets below zero: keep, clip (to zero), or apart (clipped, and recorded in a covariate `returns`).
    pub negatives: Negatives,
    /// Stock-outs: keep, missing (suspected ones, runs of zeros that the series' own rate of zeros does not explain,
    /// are taken as missing), censored (where the column `available` is below 1, demand is unknown and at least the
    /// sales), or estimated (there the expected demand takes the place of the sales, from the steps before and after,
    /// from siblings and from what was sold).
    pub stockouts: Stockouts,
    /// Outliers, targets far from trend and season: keep, clip (to the threshold), or interpolate.
    pub outliers: Outliers,
    /// Missing values of covariates: leave, zero or last (carried forward).
    pub covariates: Covariates,
    /// The transformation of the target that models see, undone in their forecasts: none, standard, min-max, log1p or
    /// box-cox.
    pub normalise: Normalise,
}

choice!(/// What to do with series that are sums of others.
    Totals { Leave, Drop });
choice!(/// What to do with timestamps that lie off the calendar.
    OffCalendar { Leave, Nearest, Previous, Next, Period, Drop });
choice!(/// What to do with keys that differ in spelling only.
    Keys { Leave, Merge });
choice!(/// What to do with the zeros before the first sale of a series.
    Starts { Leave, Sale });
choice!(/// What to do with timestamps that have no row.
    Gaps { Leave, Fill });
choice!(/// What to do with rows without a target.
    Missing { Leave, Linear, Seasonal, Zero, Last });
choice!(/// What to do with targets below zero.
    Negatives { Keep, Clip, Apart });
choice!(/// What to do with stock-outs.
    Stockouts { Keep, Missing, Censored, Estimated });
choice!(/// What to do with outliers.
    Outliers { Keep, Clip, Interpolate });
choice!(/// What to do with empty cells of covariates.
    Covariates { Leave, Zero, Last });

/// What to do with several rows for one timestamp of a series.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum Duplicates {
    #[default]
    Error,
    Identical,
    Sum,
    Mean,
    Last,
    IdenticalSum,
    IdenticalMean,
    IdenticalLast,
}

/// What to do with series that end before the panel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Ends {
    #[default]
    Leave,
    #[serde(alias = "fill")]
    Panel,
}

impl Clean {
    /// Reads policies as people write them: `duplicates=sum, gaps=fill, missing=linear`.
    ///
    /// # Errors
    /// When a policy or its value is unknown; the nearest one is suggested.
    pub fn parse(text: &str) -> Result<Self> {
        let policy: Self = crate::options::read("clean", crate::options::parse(text)?)?;
        policy.check()?;
        Ok(policy)
    }

    fn check(&self) -> Result<()> {
        match (self.ends, self.gaps) {
            (Ends::Panel, Gaps::Leave) => Err(Error::usage(
                "ends = \"panel\" adds rows as gaps = \"fill\" does: state both, gaps=fill, ends=panel",
            )),
            _ => Ok(()),
        }
    }

    /// Does the treatment of a row depend on later rows?
    pub(super) fn looks_around(&self) -> bool {
        self.gaps != Gaps::Leave
            || self.starts != Starts::Leave
            || matches!(self.missing, Missing::Linear | Missing::Seasonal)
            || matches!(self.stockouts, Stockouts::Missing | Stockouts::Estimated)
            || self.outliers != Outliers::Keep
    }
}

impl Panel {
    /// Cleans the panel by the stated policies; every change is listed in the result's [`audit`](Panel::audit).
    ///
    /// A backtest of the result cleans each training set again from the values recorded until then, and scores
    /// forecasts by the recorded values: outliers as recorded, filled values not at all, unless `missing=zero` says
    /// that nothing was sold. The same holds for a part of the panel before some date. A panel opened from a file has
    /// its cleaned values only.
    ///
    /// # Errors
    /// When there are duplicates and no policy for them, or dropping rows would leave a series empty.
    pub fn clean(&self, policy: &Clean) -> Result<Panel> {
        policy.check()?;
        if policy.negatives == Negatives::Apart && self.columns().names().contains(&RETURNS) {
            return Err(Error::usage(format!(
                "negatives = \"apart\" makes a column `{RETURNS}`, which exists already; rename it"
            )));
        }
        let by_column = match policy.stockouts {
            Stockouts::Censored => Some("censored"),
            Stockouts::Estimated => Some("estimated"),
            Stockouts::Keep | Stockouts::Missing => None,
        };
        if let (Some(policy), None) = (by_column, &self.inner().columns.available) {
            return Err(Error::usage(format!(
                "stockouts = \"{policy}\" needs the column that tells when the item could be sold: state it as `available`"
            )));
        }
        if let Some(made) = self.inner().columns.made.iter().find(|made| made.computed()) {
            return Err(Error::usage(format!(
                "{} was computed from the data as they are and would not follow the changes; clean before making features",
                made.label
            )));
        }
        let mut before = self.occupied()?;
        // Once for all: what is a total does not depend on where a backtest cuts.
        let drop = policy.totals == Totals::Drop;
        let policy = &Clean { totals: Totals::Leave, ..policy.clone() };
        if policy.keys == Keys::Merge {
            before = before.with_keys_merged()?;
        }
        if drop {
            before = before.without_totals()?;
        }
        let (panel, decided) = before.cleaned(policy)?;
        let actual = panel.actuals().to_vec();
        let recorded = Recorded::cleaned(&before, decided, policy, actual);
        // Where nothing was cleaned, what happened is the target.
        let same = recorded.is_target(&panel.inner().target);
        Ok(panel.with_recorded((!same).then_some(recorded)))
    }

    /// The cleaned panel, of one without empty series, with what happened; and the one whose rows are decided on, one
    /// for each timestamp.
    pub(super) fn cleaned(&self, policy: &Clean) -> Result<(Panel, Panel)> {
        let laid_out =
            policy.outliers != Outliers::Keep || matches!(policy.stockouts, Stockouts::Missing | Stockouts::Estimated);
        if laid_out || policy.missing != Missing::Leave {
            self.check_length()?;
        }
        let mut work = Work::of(self);
        work.no_number()?;
        work.off_calendar(policy.off_calendar)?;
        work.duplicates(policy.duplicates)?;
        let before = self.inner().origin.changes.len();
        let decided = if policy.looks_around() && work.changes.len() > before {
            work.clone().assembled(&Clean::default())?
        } else {
            self.clone()
        };
        if policy.starts == Starts::Sale {
            work.starts();
        }
        if policy.gaps == Gaps::Fill {
            work.gaps()?;
        }
        if policy.ends == Ends::Panel {
            work.ends()?;
        }
        work.targets(policy)?;
        let mut panel = work.assembled(policy)?;
        let recorded = panel.recorded().cloned();
        if policy.covariates != Covariates::Leave {
            panel = fill_covariates(&panel, policy.covariates)?;
        }
        if policy.normalise != panel.inner().columns.normalise {
            panel = panel.normalised(policy.normalise)?;
        }
        Ok((panel.with_recorded(recorded), decided))
    }
}

/// The cleaned rows in the making: where each comes from, at which position, with which target.
#[derive(Clone)]
struct Work<'a> {
    panel: &'a Panel,
    rows: Vec<Row>,
    changes: Vec<Change>,
}

#[derive(Clone, Copy)]
struct Row {
    series: usize,
    position: i64,
    /// The panel's row; for an added one the row of the same series from which it takes key and fixed covariates.
    row: usize,
    added: bool,
    /// Its timestamp lies off the calendar, and stays there.
    off: bool,
    /// Was its timestamp off the calendar, and moved?
    moved: bool,
    target: f64,
    /// The recorded value that forecasts are scored against; NaN where it is unknown.
    actual: f64,
    /// Is it a suspected or a recorded stock-out?
    sold_out: bool,
    /// Returns, if they are recorded in a column of their own.
    returned: f64,
}

impl Row {
    /// A row of the same series that the data do not have.
    fn added_at(self, position: i64) -> Self {
        let (target, actual) = (f64::NAN, f64::NAN);
        Self { position, added: true, off: false, moved: false, target, actual, returned: 0.0, sold_out: false, ..self }
    }
}

impl<'a> Work<'a> {
    fn of(panel: &'a Panel) -> Self {
        let mut rows: Vec<Row> = (0..panel.len())
            .flat_map(|series| {
                let start = panel.inner().spans[series].start;
                let cells = panel.positions(series).iter().zip(panel.target(series)).zip(panel.actual(series));
                cells.enumerate().map(move |(i, ((position, target), actual))| Row {
                    series,
                    position: *position,
                    row: start + i,
                    added: false,
                    off: false,
                    moved: false,
                    target: *target,
                    actual: *actual,
                    sold_out: false,
                    returned: 0.0,
                })
            })
            .collect();
        panel.inner().origin.off_calendar.iter().for_each(|row| rows[*row].off = true);
        Self { panel, rows, changes: panel.inner().origin.changes.to_vec() }
    }

    fn note(&mut self, kind: &'static str, row: Row, after: f64, value: String, action: String) {
        let stamp = self.panel.inner().calendar.label(row.position);
        let target = (row.target, after);
        self.changes.push(Change { kind, series: row.series, position: row.position, target, stamp, value, action });
    }

    /// A target that is infinite or not a number counts as missing; the policy `missing` decides what follows.
    fn no_number(&mut self) -> Result<()> {
        let inner = self.panel.inner();
        let raw = inner.frame.column(&inner.columns.target)?.f64()?.clone();
        for at in 0..self.rows.len() {
            let row = self.rows[at];
            let input = inner.origin.rows.get(row.row);
            if raw.get(row.row).is_some_and(f64::is_infinite) {
                self.note("infinite", row, f64::NAN, "infinite".into(), "taken as missing".into());
            } else if let Some(text) = input.and_then(|input| inner.origin.unreadable.get(input)) {
                self.note("not a number", row, f64::NAN, text.clone(), "taken as missing".into());
            }
        }
        Ok(())
    }

    /// Moves rows to the calendar or removes them. Rows moved to a timestamp that has a row already become duplicates,
    /// which are handled next.
    fn off_calendar(&mut self, policy: OffCalendar) -> Result<()> {
        let inner = self.panel.inner();
        if policy == OffCalendar::Leave || inner.origin.off_calendar.is_empty() {
            return Ok(());
        }
        let (calendar, given) = (&inner.calendar, stamps(inner.frame.column(&inner.columns.time)?)?);
        let mut rows = Vec::with_capacity(self.rows.len());
        for row in std::mem::take(&mut self.rows) {
            if !row.off {
                rows.push(row);
                continue;
            }
            let (before, _) = calendar.frequency.position(given[row.row]);
            let position = match policy {
                OffCalendar::Previous => Some(before),
                OffCalendar::Next => Some(before + 1),
                OffCalendar::Period => Some(calendar.holding(given[row.row], inner.columns.stamps)),
                OffCalendar::Nearest | OffCalendar::Leave => Some(row.position),
                OffCalendar::Drop => None,
            };
            let place = inner.origin.rows.get(row.row).map(|input| inner.origin.row_text(*input as usize));
            let (target, action) = match position {
                Some(position) => ((f64::NAN, f64::NAN), format!("moved to {}", calendar.label(position))),
                None => ((row.target, f64::NAN), format!("the row removed, its target {}", number(row.target))),
            };
            self.changes.push(Change {
                kind: "off calendar",
                series: row.series,
                position: position.unwrap_or(row.position),
                target,
                stamp: self.panel.stamp_text(row.row),
                value: place.unwrap_or_default(),
                action,
            });
            rows.extend(position.map(|position| Row { position, off: false, moved: true, ..row }));
        }
        let mut left = vec![false; self.panel.len()];
        rows.iter().for_each(|row| left[row.series] = true);
        if let Some(series) = (0..left.len()).find(|i| !left[*i] && !self.panel.positions(*i).is_empty()) {
            return Err(Error::data(format!(
                "no timestamp of series {} is on the calendar, which is {}, so dropping these rows would leave none; move them with \
                 off_calendar = \"nearest\", \"previous\", \"next\" or \"period\", or leave the series out",
                self.panel.label(series),
                calendar.frequency
            )));
        }
        // Rows of one timestamp stay in the order of the timestamps that they had.
        rows.sort_by_key(|row| (row.series, row.position));
        self.rows = rows;
        Ok(())
    }

    fn gaps(&mut self) -> Result<()> {
        // A panel of daily data with one timestamp in the year 9999 must not become three million rows unasked.
        let steps: i64 =
            self.rows.windows(2).filter(|p| p[0].series == p[1].series).map(|p| p[1].position - p[0].position).sum();
        if steps > 20 * self.rows.len() as i64 + 1_000_000 {
            return Err(Error::data(format!(
                "filling the gaps would turn {} rows into more than {}; check the timestamps, or state another frequency",
                number(self.rows.len() as f64),
                number(steps as f64)
            )));
        }
        let rows = std::mem::take(&mut self.rows);
        for (i, row) in rows.iter().enumerate() {
            if let Some(before) = i.checked_sub(1).map(|b| rows[b]).filter(|before| before.series == row.series) {
                for position in before.position + 1..row.position {
                    let added = before.added_at(position);
                    self.note("gaps", added, f64::NAN, "no row".into(), "a row added, its target missing".into());
                    self.rows.push(added);
                }
            }
            self.rows.push(*row);
        }
        Ok(())
    }

    fn assembled(self, policy: &Clean) -> Result<Panel> {
        let inner = self.panel.inner();
        let mut columns = inner.columns.clone();
        let own: IdxCa = self.rows.iter().map(|row| (!row.added).then_some(row.row as IdxSize)).collect_ca("".into());
        let lender: IdxCa = self.rows.iter().map(|row| Some(row.row as IdxSize)).collect_ca("".into());
        let mut frame = inner.frame.take(&own)?;
        let lent: Vec<&str> = columns.keys.iter().map(String::as_str).chain(columns.with_role(Role::Fixed)).collect();
        for name in lent {
            frame.with_column(inner.frame.column(name)?.take(&lender)?)?;
        }
        let written: BooleanChunked = self.rows.iter().map(|row| Some(row.added || row.moved)).collect_ca("".into());
        if written.any() {
            let positions = self.rows.iter().map(|row| row.position);
            let stamps = stamp_column(&inner.calendar, &columns.time, positions)?;
            frame.with_column(stamps.zip_with(&written, frame.column(&columns.time)?)?)?;
        }
        let target: Vec<Option<f64>> =
            self.rows.iter().map(|row| (!row.target.is_nan()).then_some(row.target)).collect();
        frame.with_column(Column::new(columns.target.as_str().into(), target))?;
        if policy.negatives == Negatives::Apart {
            let returned: Vec<f64> = self.rows.iter().map(|row| row.returned).collect();
            frame.with_column(Column::new(RETURNS.into(), returned))?;
            columns = columns.observed([RETURNS]);
        }
        let mut origin = inner.origin.clone();
        origin.unreadable = Arc::default();
        origin.rows = self.rows.iter().map(|row| inner.origin.rows.get(row.row).copied().unwrap_or(0)).collect();
        origin.changes = Arc::new(self.changes);
        let actual: Vec<f64> = self.rows.iter().map(|row| row.actual).collect();
        let panel = assemble(frame, &columns, inner.calendar.clone(), self.panel.season(), origin)?;
        Ok(panel.with_recorded(Some(Recorded::plain(actual))))
    }
}
