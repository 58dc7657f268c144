//! How are the data cleaned? By stated policies only: the defaults change nothing, and every change is a row of the
//! [`Audit`](super::Audit) of the cleaned panel.
//!
//! First rows are put on the calendar, and several rows for one timestamp are combined; then values are cleaned. A row
//! whose timestamp is not on the calendar stays unchanged unless `off_calendar` moves it: all other policies skip it.
//! The recorded values are kept with the cleaned ones (see `recorded`): backtests clean each training set by itself
//! and score against the recorded values.

use std::sync::Arc;

use polars::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::audit::Change;
use super::audit::unusual::{Parts, outliers, stock_outs};
use super::covariates::is_number;
use super::frame::{assemble, stamp_column, stamps};
use super::recorded::Recorded;
use super::unsold::Shelf;
use super::{Normalise, Panel, Provenance, Role};
use crate::error::{Error, Result};
use crate::options::choice;
use crate::show::number;
use crate::show::words::about;

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
    /// Timestamps off the calendar: leave (models then refuse the data), nearest, previous or next (moved to that
    /// timestamp of the calendar), period (moved to the timestamp of the week, month … that holds it), or drop (the
    /// row is removed).
    pub off_calendar: OffCalendar,
    /// Several rows for one timestamp: error, sum, mean or last.
    pub duplicates: Duplicates,
    /// Timestamps without a row: leave, or fill (a row is added, its target missing).
    pub gaps: Gaps,
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

choice!(/// What to do with timestamps that lie off the calendar.
    OffCalendar { Leave, Nearest, Previous, Next, Period, Drop });
choice!(/// What to do with several rows for one timestamp of a series.
    Duplicates { Error, Sum, Mean, Last });
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

impl Clean {
    /// Reads policies as people write them: `duplicates=sum, gaps=fill, missing=linear`.
    ///
    /// # Errors
    /// When a policy or its value is unknown; the nearest one is suggested.
    pub fn parse(text: &str) -> Result<Self> {
        crate::options::read("clean", crate::options::parse(text)?)
    }

    /// Does the treatment of a row depend on later rows?
    pub(super) fn looks_around(&self) -> bool {
        self.gaps != Gaps::Leave
            || matches!(self.missing, Missing::Linear | Missing::Seasonal)
            || matches!(self.stockouts, Stockouts::Missing | Stockouts::Estimated)
            || self.outliers != Outliers::Keep
    }
}

impl Panel {
    /// Cleans the panel by the stated policies. Keys stay; every change is listed in the result's
    /// [`audit`](Panel::audit).
    ///
    /// A backtest of the result cleans each training set again from the values recorded until then, and scores
    /// forecasts by the recorded values: outliers as recorded, filled values not at all, unless `missing=zero` says
    /// that nothing was sold. The same holds for a part of the panel before some date. A panel opened from a file has
    /// its cleaned values only.
    ///
    /// # Errors
    /// When there are duplicates and no policy for them, or dropping rows would leave a series empty.
    pub fn clean(&self, policy: &Clean) -> Result<Panel> {
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
        let before = self.occupied()?;
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
        if policy.gaps == Gaps::Fill {
            work.gaps()?;
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

    fn duplicates(&mut self, policy: Duplicates) -> Result<()> {
        // A timestamp off the calendar stands for the nearest one: its row is no duplicate.
        let same = |a: &Row, b: &Row| a.series == b.series && a.position == b.position && !a.off && !b.off;
        if policy == Duplicates::Error {
            let count = self.rows.windows(2).filter(|pair| same(&pair[0], &pair[1])).count();
            return match self.rows.windows(2).find(|pair| same(&pair[0], &pair[1])) {
                Some(pair) => Err(self.panel.duplicates_error(pair[0].series, pair[0].position, count)),
                None => Ok(()),
            };
        }
        let rows = std::mem::take(&mut self.rows);
        for group in rows.chunk_by(same) {
            let last = group[group.len() - 1];
            if group.len() == 1 {
                self.rows.push(last);
                continue;
            }
            let one = |value: fn(&Row) -> f64| {
                let observed: Vec<f64> = group.iter().map(value).filter(|y| !y.is_nan()).collect();
                let sum: f64 = observed.iter().sum();
                match policy {
                    _ if observed.is_empty() => (f64::NAN, "missing"),
                    Duplicates::Sum => (sum, "their sum"),
                    Duplicates::Mean => (sum / observed.len() as f64, "their mean"),
                    Duplicates::Last | Duplicates::Error => (value(&last), "the last"),
                }
            };
            let ((target, word), (actual, _)) = (one(|row| row.target), one(|row| row.actual));
            let values: Vec<String> = group.iter().map(|row| number(row.target)).collect();
            self.note(
                "duplicates",
                last,
                target,
                values.join(" and "),
                format!("one row with {word}, {}", number(target)),
            );
            self.rows.push(Row { target, actual, ..last });
        }
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
                    let (target, actual) = (f64::NAN, f64::NAN);
                    let added = Row {
                        position,
                        added: true,
                        off: false,
                        moved: false,
                        target,
                        actual,
                        returned: 0.0,
                        ..before
                    };
                    self.note("gaps", added, f64::NAN, "no row".into(), "a row added, its target missing".into());
                    self.rows.push(added);
                }
            }
            self.rows.push(*row);
        }
        Ok(())
    }

    /// Where the item could not be sold all the time, demand is unknown: at least what was sold.
    fn censored(&mut self) -> Result<()> {
        let Some(available) = self.panel.available_rows()? else { return Ok(()) };
        let mut rows = std::mem::take(&mut self.rows);
        for row in rows.iter_mut().filter(|row| !row.added && !row.off && available[row.row] < 1.0) {
            if !row.target.is_nan() {
                let action = format!("taken as missing: demand was at least {}", number(row.target));
                self.note("censored", *row, f64::NAN, number(row.target), action);
            }
            (row.target, row.actual, row.sold_out) = (f64::NAN, f64::NAN, true);
        }
        self.rows = rows;
        Ok(())
    }

    /// Where the item could not be sold all the time, its expected demand takes the place of the sales; where nothing
    /// is known of it, demand is unknown.
    fn estimated(&mut self) -> Result<()> {
        let Some(available) = self.panel.available_rows()? else { return Ok(()) };
        let mut rows = std::mem::take(&mut self.rows);
        let empty = || Shelf { first: 0, sold: Vec::new(), shares: Vec::new() };
        let mut shelves: Vec<Shelf> = (0..self.panel.len()).map(|_| empty()).collect();
        for series in rows.chunk_by(|a, b| a.series == b.series) {
            let (first, sold) = regular(series);
            let mut shares = vec![1.0; sold.len()];
            for row in series.iter().filter(|row| !row.added && !row.off) {
                shares[(row.position - first) as usize] = available[row.row];
            }
            shelves[series[0].series] = Shelf { first, sold, shares };
        }
        let unsold = self.panel.unsold_of(&shelves)?;
        for row in rows.iter_mut().filter(|row| !row.added && !row.off && available[row.row] < 1.0) {
            let steps = &unsold.estimates.steps[row.series];
            let step = (row.position - shelves[row.series].first) as usize;
            let found = steps.binary_search_by_key(&step, |one| one.step).ok().map(|at| steps[at]);
            let sold = if row.target.is_nan() { "missing".to_string() } else { number(row.target) };
            match found {
                Some(one) => {
                    let demand = one.sold + one.lost;
                    let action = format!("the expected demand, {}, with those who found none", about(demand));
                    self.note("censored", *row, demand, sold, action);
                    row.target = demand;
                }
                None => {
                    if !row.target.is_nan() {
                        let action = "taken as missing: the item was not yet or no longer sold".to_string();
                        self.note("censored", *row, f64::NAN, sold, action);
                    }
                    row.target = f64::NAN;
                }
            }
            (row.actual, row.sold_out) = (f64::NAN, true);
        }
        self.rows = rows;
        Ok(())
    }

    fn targets(&mut self, policy: &Clean) -> Result<()> {
        match policy.stockouts {
            Stockouts::Censored => self.censored()?,
            Stockouts::Estimated => self.estimated()?,
            Stockouts::Keep | Stockouts::Missing => {}
        }
        let season = self.panel.season();
        let judged = policy.stockouts == Stockouts::Missing || policy.outliers != Outliers::Keep;
        let open = if judged { self.panel.open_rows()? } else { None };
        let mut rows = std::mem::take(&mut self.rows);
        for series in rows.chunk_by_mut(|a, b| a.series == b.series) {
            crate::progress::check()?;
            // Before returns become zeros, which are no empty shelves.
            if policy.stockouts == Stockouts::Missing {
                let (first, y) = regular(series);
                let closed = closed_steps(series, y.len(), open.as_deref());
                let out: Vec<usize> = stock_outs(&y, season, |t| !closed[t]).into_iter().flatten().collect();
                for row in on(series).filter(|row| row.target == 0.0) {
                    let step = (row.position - first) as usize;
                    if out.binary_search(&step).is_ok() && !closed[step] {
                        self.note("stock-outs", *row, f64::NAN, number(row.target), "taken as missing".into());
                        (row.target, row.actual, row.sold_out) = (f64::NAN, f64::NAN, true);
                    }
                }
            }
            if policy.negatives != Negatives::Keep {
                for row in on(series).filter(|row| row.target < 0.0) {
                    let apart = policy.negatives == Negatives::Apart;
                    let action = if apart { "0, the rest moved to returns" } else { "clipped to 0" };
                    self.note("negative", *row, 0.0, number(row.target), action.into());
                    if apart {
                        (row.returned, row.actual) = (-row.target, 0.0);
                    }
                    row.target = 0.0;
                }
            }
            if policy.outliers != Outliers::Keep {
                self.outliers(series, policy.outliers, season, open.as_deref());
            }
            if policy.missing != Missing::Leave {
                self.missing(series, policy.missing, season);
            }
        }
        self.rows = rows;
        Ok(())
    }

    fn outliers(&mut self, series: &mut [Row], policy: Outliers, season: usize, open: Option<&[f64]>) {
        let (first, mut y) = regular(series);
        let closed = closed_steps(series, y.len(), open);
        (0..y.len()).filter(|t| closed[*t]).for_each(|t| y[t] = f64::NAN);
        let found = outliers(&y, season);
        let mut without = y.clone();
        found.iter().for_each(|(t, ..)| without[*t] = f64::NAN);
        let between = Between::of(&without, season, true);
        for row in on(series) {
            let t = (row.position - first) as usize;
            let Some((_, expected, limit)) = found.iter().find(|(at, ..)| *at == t) else { continue };
            let (value, word) = match policy {
                // Before the first and after the last other value there is nothing to go between.
                Outliers::Interpolate => (between.at(t).filter(|v| *v >= 0.0).unwrap_or(*expected), "interpolated"),
                _ => (*limit, "clipped"),
            };
            self.note("outliers", *row, value, number(row.target), format!("{word} to {}", number(value)));
            row.target = value;
        }
    }

    fn missing(&mut self, series: &mut [Row], policy: Missing, season: usize) {
        let (first, y) = regular(series);
        let between = Between::of(&y, season, policy == Missing::Seasonal);
        let mut last = f64::NAN;
        for row in on(series) {
            if !row.target.is_nan() {
                last = row.target;
                continue;
            }
            let filled = match policy {
                Missing::Zero => 0.0,
                Missing::Last => last,
                _ => between.at((row.position - first) as usize).unwrap_or(f64::NAN),
            };
            // Before the first and after the last value there is nothing to go between.
            if filled.is_nan() {
                continue;
            }
            let how =
                if policy == Missing::Seasonal && !between.seasonal { " (linear: under two seasons)" } else { "" };
            self.note("missing", *row, filled, "missing".into(), format!("filled with {}{how}", number(filled)));
            row.target = filled;
            // Zero says that nothing was sold; every other filling is a guess.
            if policy == Missing::Zero && !row.sold_out {
                row.actual = 0.0;
            }
        }
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

/// The rows on the calendar.
fn on(series: &mut [Row]) -> impl Iterator<Item = &mut Row> {
    series.iter_mut().filter(|row| !row.off)
}

/// A series on its full calendar, and its first position.
fn regular(series: &[Row]) -> (i64, Vec<f64>) {
    let rows = || series.iter().filter(|row| !row.off);
    let positions: Vec<i64> = rows().map(|row| row.position).collect();
    let targets: Vec<f64> = rows().map(|row| row.target).collect();
    (positions.first().copied().unwrap_or(0), super::spread(&positions, &targets).into_owned())
}

/// The steps of a series, of which there are so many, in which the item could not always be sold.
fn closed_steps(series: &[Row], steps: usize, open: Option<&[f64]>) -> Vec<bool> {
    let mut closed = vec![false; steps];
    let (Some(open), Some(first)) = (open, series.iter().find(|row| !row.off)) else { return closed };
    for row in series.iter().filter(|row| !row.added && !row.off) {
        closed[(row.position - first.position) as usize] = open[row.row] < 1.0;
    }
    closed
}

/// Values between their neighbours, on a line or on the line that their season is laid on.
struct Between {
    season: Vec<f64>,
    observed: Vec<(usize, f64)>,
    seasonal: bool,
}

impl Between {
    fn of(y: &[f64], m: usize, seasonal: bool) -> Self {
        let seasonal = seasonal && m > 1 && y.len() >= 2 * m;
        let season = if seasonal { Parts::of(y, m).season } else { vec![0.0; y.len()] };
        let observed = y.iter().zip(&season).enumerate().filter(|(_, (y, _))| !y.is_nan());
        Self { observed: observed.map(|(t, (y, s))| (t, y - s)).collect(), season, seasonal }
    }

    fn at(&self, t: usize) -> Option<f64> {
        let after = self.observed.partition_point(|(other, _)| *other < t);
        let (p, y) = self.observed[after.checked_sub(1)?];
        let (q, z) = *self.observed.get(after)?;
        Some(y + (z - y) * (t - p) as f64 / (q - p) as f64 + self.season[t])
    }
}

fn fill_covariates(panel: &Panel, policy: Covariates) -> Result<Panel> {
    let inner = panel.inner();
    let mut frame = inner.frame.clone();
    let mut changes = inner.origin.changes.to_vec();
    for (name, _) in &inner.columns.covariates {
        let column = inner.frame.column(name)?;
        if column.null_count() == 0 || !is_number(column.dtype()) {
            continue;
        }
        let mut values = super::frame::numbers(column)?;
        for i in 0..panel.len() {
            let span = inner.spans[i].clone();
            let mut last = f64::NAN;
            for (row, position) in span.zip(panel.positions(i)) {
                if inner.origin.off_calendar.binary_search(&row).is_ok() {
                    continue;
                }
                if values[row].is_nan() {
                    let filled = if policy == Covariates::Zero { 0.0 } else { last };
                    if filled.is_nan() {
                        continue;
                    }
                    changes.push(Change {
                        kind: super::audit::MISSING_COVARIATES,
                        series: i,
                        position: *position,
                        target: (f64::NAN, f64::NAN),
                        stamp: inner.calendar.label(*position),
                        value: name.clone(),
                        action: format!("filled with {}", number(filled)),
                    });
                    values[row] = filled;
                }
                last = values[row];
            }
        }
        let values: Vec<Option<f64>> = values.into_iter().map(|v| (!v.is_nan()).then_some(v)).collect();
        frame.with_column(Column::new(name.as_str().into(), values))?;
    }
    let origin = Provenance { changes: Arc::new(changes), ..inner.origin.clone() };
    assemble(frame, &inner.columns, inner.calendar.clone(), panel.season(), origin)
}
