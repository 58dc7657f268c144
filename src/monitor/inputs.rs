//! Have the inputs of the forecasts changed? The target and every covariate, before a date against from it on, judged by how far they
//! moved: the measures and their limits are those of [`tradewind_monitor::drift`].
//!
//! The rows of all series are compared together, in the unit of the column. It fails to see what changes in a few series among many, and
//! a column with a season differs between two parts of a year without anything having changed: the newest data of a store of forecasts
//! are therefore compared with the same weeks of former years, where there are any.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::collections::hash_map::{Entry, HashMap};

use polars::prelude::{Column, DataFrame, DataType};
use tradewind_monitor::drift::cost::{MixCost, mix_cost};
use tradewind_monitor::drift::{BINS, Drift, Grid, Verdict, compare, compare_labels};
use tradewind_monitor::monitor::Input;
use tradewind_monitor::store::{Past, Store};

use super::enabled::Dates;
use crate::error::{Error, Result};
use crate::panel::{Panel, Role};
use crate::show::words::counted;
use crate::show::{Finding, Table};

/// Periods before the forecasts that the newest data are compared with.
const REFERENCE: i64 = 104;
/// Periods of new data below which nothing is compared.
const ENOUGH: i64 = 4;
/// Dates with scores from which the cost of a drift is estimated.
const SCORED: usize = 26;
/// Scores below which it is not.
const SCORES: usize = 100;
/// How much larger the share of missing values has become where a column without a value has drifted a little, and much.
const GAPS: (f64, f64) = (0.05, 0.2);

/// On which side of the date a row is.
#[derive(Clone, Copy, PartialEq)]
enum Side {
    Before,
    Now,
}

/// The cells of a column, row by row.
pub(super) enum Cells {
    /// NaN where there is none.
    Numbers(Vec<f64>),
    Labels(Column),
}

/// The columns of a panel that can be compared, the target first.
pub(super) struct Columns {
    /// Names, roles, and what is in them.
    pub(super) compared: Vec<(String, &'static str, Cells)>,
    /// The names of those that hold dates, which move on by themselves.
    dates: Vec<String>,
}

impl Columns {
    pub(super) fn of(panel: &Panel) -> Result<Self> {
        let described = panel.columns();
        let target = (0..panel.len()).flat_map(|i| panel.target(i).iter().copied()).collect();
        let mut compared = vec![(described.target().to_string(), "target", Cells::Numbers(target))];
        let mut dates = Vec::new();
        for role in [Role::Known, Role::Observed, Role::Fixed] {
            for name in described.with_role(role) {
                let column = panel.inner().frame.column(name)?;
                let dtype = column.dtype();
                if dtype.is_temporal() {
                    dates.push(name.to_string());
                    continue;
                }
                let cells = if dtype.is_primitive_numeric() || dtype.is_decimal() || dtype.is_bool() {
                    let numbers = column.cast(&DataType::Float64)?;
                    Cells::Numbers(numbers.f64()?.iter().map(|value| value.unwrap_or(f64::NAN)).collect())
                } else {
                    Cells::Labels(column.cast(&DataType::String)?)
                };
                compared.push((name.to_string(), role.word(), cells));
            }
        }
        Ok(Self { compared, dates })
    }
}

/// The side of each row, by its position.
fn sides(panel: &Panel, side: impl Fn(i64) -> Option<Side>) -> Vec<Option<Side>> {
    (0..panel.len()).flat_map(|i| panel.positions(i)).map(|position| side(*position)).collect()
}

impl Cells {
    /// The sides of the rows that count: of a column that is the same for all series on every date, such as a holiday, one row of each
    /// date. Thousands of series would otherwise make one hot week significant.
    fn counted(&self, panel: &Panel, sides: &[Option<Side>]) -> Result<Vec<Option<Side>>> {
        let texts = match self {
            Self::Numbers(_) => None,
            Self::Labels(column) => Some(column.str()?),
        };
        let is_same = |a: usize, b: usize| match (self, texts) {
            (Self::Numbers(values), _) => values[a] == values[b] || values[a].is_nan() && values[b].is_nan(),
            (_, Some(texts)) => texts.get(a) == texts.get(b),
            (Self::Labels(_), None) => false,
        };
        let mut first: HashMap<i64, usize> = HashMap::new();
        let mut counted = sides.to_vec();
        let positions = (0..panel.len()).flat_map(|i| panel.positions(i));
        for (row, position) in positions.enumerate().filter(|(row, _)| sides[*row].is_some()) {
            match first.entry(*position) {
                Entry::Vacant(place) => {
                    place.insert(row);
                }
                Entry::Occupied(place) if is_same(*place.get(), row) => counted[row] = None,
                Entry::Occupied(_) => return Ok(sides.to_vec()),
            }
        }
        Ok(counted)
    }

    /// How the two sides differ.
    ///
    /// # Errors
    /// When the reference has no value.
    fn drift(&self, name: &str, sides: &[Option<Side>]) -> Result<Drift> {
        let (empty, all, compared) = match self {
            Self::Numbers(values) => {
                let of =
                    |side| values.iter().zip(sides).filter(move |(_, of)| **of == Some(side)).map(|(value, _)| *value);
                let (before, now): (Vec<f64>, Vec<f64>) = (of(Side::Before).collect(), of(Side::Now).collect());
                let empty = |values: &[f64]| values.iter().filter(|value| !value.is_finite()).count();
                ((empty(&before), empty(&now)), (before.len(), now.len()), compare(name, &before, &now))
            }
            Self::Labels(column) => {
                let texts = column.str()?;
                let of = |side| texts.iter().zip(sides).filter(move |(_, of)| **of == Some(side)).map(|(text, _)| text);
                let empty = |side| of(side).filter(Option::is_none).count();
                let all = |side| of(side).count();
                let compared = compare_labels(name, of(Side::Before), of(Side::Now));
                ((empty(Side::Before), empty(Side::Now)), (all(Side::Before), all(Side::Now)), compared)
            }
        };
        match compared {
            Ok(drift) => Ok(drift),
            // A column that nobody fills any more cannot be compared, and is the worst that can become of it.
            Err(_) if empty.0 < all.0 && all.1 > 0 && empty.1 == all.1 => Ok(vanished(name, empty.0, all)),
            Err(error) => Err(error.into()),
        }
    }

    /// The bin of each row, in which errors are taken to be alike; `None` where the row is not compared.
    fn bins(&self, sides: &[Option<Side>]) -> Result<Vec<usize>> {
        Ok(match self {
            Self::Numbers(values) => {
                let before = values.iter().zip(sides).filter(|(_, side)| **side == Some(Side::Before));
                let grid = Grid::of(&before.map(|(value, _)| *value).collect::<Vec<f64>>(), BINS)?;
                values.iter().map(|value| grid.bin(*value).unwrap_or(grid.bins())).collect()
            }
            Self::Labels(column) => {
                let mut known: HashMap<Option<&str>, usize> = HashMap::new();
                let mut bin = |text| {
                    let next = known.len();
                    *known.entry(text).or_insert(next)
                };
                column.str()?.iter().map(&mut bin).collect()
            }
        })
    }
}

/// A column that had values, of which there are none now; `empty` of the rows `all` before and now had none before.
fn vanished(name: &str, empty: usize, all: (usize, usize)) -> Drift {
    let missing_before = empty as f64 / all.0 as f64;
    let verdict = match 1.0 - missing_before {
        change if change >= GAPS.1 => Verdict::Large,
        change if change >= GAPS.0 => Verdict::Small,
        _ => Verdict::None,
    };
    Drift {
        column: name.to_string(),
        psi: 0.0,
        ks: None,
        wasserstein: None,
        p: 1.0,
        rows_before: (all.0 - empty) as u64,
        rows_now: 0,
        missing_before,
        missing_now: 1.0,
        new_categories: Vec::new(),
        new_category_rate: 0.0,
        bins: Vec::new(),
        verdict,
        sentence: format!("`{name}` has no value any more: missing 100 % after {:.0} %.", 100.0 * missing_before),
    }
}

/// A verdict as tables have it.
fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::None => "none",
        Verdict::Small => "small",
        Verdict::Large => "large",
    }
}

/// A row for each column, those that moved most first.
fn table(rows: &mut [(&str, Drift)]) -> Result<Table> {
    rows.sort_by_key(|(_, drift)| Reverse(drift.verdict));
    let numbers = |of: &dyn Fn(&Drift) -> Option<f64>| rows.iter().map(|(_, drift)| of(drift)).collect::<Vec<_>>();
    let texts = |of: &dyn Fn(&Drift) -> String| rows.iter().map(|(_, drift)| of(drift)).collect::<Vec<_>>();
    let mut columns = vec![Column::new("column".into(), texts(&|drift| drift.column.clone()))];
    if rows.iter().any(|(role, _)| !role.is_empty()) {
        columns.push(Column::new("role".into(), rows.iter().map(|(role, _)| *role).collect::<Vec<_>>()));
    }
    columns.extend([
        Column::new("drift".into(), texts(&|drift| word(drift.verdict).to_string())),
        // Without values on one side there is no index.
        Column::new("psi".into(), numbers(&|drift| (drift.rows_now > 0).then_some(drift.psi))),
        Column::new("ks".into(), numbers(&|drift| drift.ks)),
        Column::new("wasserstein".into(), numbers(&|drift| drift.wasserstein)),
        Column::new("missing before".into(), numbers(&|drift| Some(drift.missing_before))),
        Column::new("missing now".into(), numbers(&|drift| Some(drift.missing_now))),
        Column::new("new categories".into(), texts(&|drift| drift.new_categories.join(", "))),
        Column::new("what".into(), texts(&|drift| drift.sentence.clone())),
    ]);
    Ok(Table::new(DataFrame::new(rows.len(), columns)?))
}

impl Panel {
    /// Has the target or a covariate changed? Compares the rows before a date with those from it on, column by column: the population
    /// stability index `psi` over ten bins, the Kolmogorov–Smirnov distance `ks` (0 to 1), the Wasserstein distance in units of the
    /// reference's spread, the shares of missing values, and categories that are new. The verdict `drift` (none, small, large) rests on
    /// the size of the change, never on its significance alone: with many rows every difference is significant.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales").observed(["Temperature", "MarkDown1"]);
    /// let sales = Panel::read("data/walmart_sales_weekly.csv", columns)?;
    /// let drift = sales.drift("2011-12-02")?;
    /// // Markdowns were recorded from November 2011 on.
    /// assert_eq!(drift.table().get(0, "column")?.to_string(), "MarkDown1");
    /// assert_eq!(drift.table().get(0, "drift")?.to_string(), "large");
    /// assert!(drift.sentence().starts_with("1 of 3 columns has drifted since 2011-12-02"), "{}", drift.sentence());
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// When `from` is not a timestamp of this panel's kind, or there are no rows before it or from it on. A column that cannot be compared
    /// is named in the caveats.
    pub fn drift(&self, from: &str) -> Result<Finding> {
        let first = self.position_of(from)?;
        let sides = sides(self, |position| Some(if position < first { Side::Before } else { Side::Now }));
        let count = |side| sides.iter().filter(|of| **of == Some(side)).count();
        let (before, now) = (count(Side::Before), count(Side::Now));
        let (start, end) = self.span();
        if before == 0 {
            return Err(Error::usage(format!("there are no rows before {from} to compare with: the first is {start}")));
        }
        if now == 0 {
            return Err(Error::usage(format!("there are no rows from {from} on: the last is {end}")));
        }
        let Columns { compared, dates } = Columns::of(self)?;
        let (mut rows, mut left_out) = (Vec::new(), Vec::new());
        for (name, role, cells) in &compared {
            match cells.drift(name, &cells.counted(self, &sides)?) {
                Ok(drift) => rows.push((*role, drift)),
                Err(error) => left_out.push(error.to_string()),
            }
        }
        let table = table(&mut rows)?;
        // Readers have the numbers of a column in a row, and the sentences would say them again.
        let has_new = rows.iter().any(|(_, drift)| !drift.new_categories.is_empty());
        let hidden = ["role", "what"].into_iter().chain((!has_new).then_some("new categories"));
        let shown = Table::new(table.frame().drop_many(hidden)).titled(format!("Drift since {from}"));
        let named = |verdict, how: &str| -> Option<String> {
            let names = rows.iter().filter(|(_, drift)| drift.verdict == verdict);
            let names: Vec<&str> = names.map(|(_, drift)| drift.column.as_str()).collect();
            (!names.is_empty()).then(|| format!("{how}: {}", names.join(", ")))
        };
        let moved = rows.iter().filter(|(_, drift)| drift.verdict != Verdict::None).count();
        let which = [named(Verdict::Large, "much"), named(Verdict::Small, "a little")];
        let which: Vec<String> = which.into_iter().flatten().collect();
        let all = counted(rows.len(), "column", "columns");
        let sentence = match moved {
            0 => format!("None of {all} has drifted since {from}."),
            1 => format!("1 of {all} has drifted since {from}; {}.", which.join("; ")),
            _ => format!("{moved} of {all} have drifted since {from}; {}.", which.join("; ")),
        };
        let finding = Finding::new(format!("Drift since {from}"), sentence, table).shown_as(shown);
        let mut finding = finding.sure_by(format!(
            "{} before {from} against {} from it on, {start} to {end}.",
            counted(before, "row", "rows"),
            counted(now, "row", "rows")
        ));
        let year = self.steps_in_a_year();
        let is_part_of_a_year = self.extent().is_some_and(|(_, last)| ((last - first + 1) as f64) < year);
        if moved > 0 && !self.frequency().is_whole() && is_part_of_a_year {
            finding = finding.but("Less than a year is compared: a column with a season differs by its season alone.");
        }
        if !dates.is_empty() {
            finding = finding.but(format!("Not compared, because they hold dates: {}.", dates.join(", ")));
        }
        Ok(left_out.into_iter().fold(finding, Finding::but))
    }
}

/// What the store last found of the inputs, as a table.
pub(super) fn kept(inputs: Vec<Input>) -> Result<Table> {
    let mut rows: Vec<(&str, Drift)> = inputs
        .into_iter()
        .map(|input| {
            let cost = input.cost.map(|cost| format!(" {}", cost.sentence)).unwrap_or_default();
            let sentence = format!("{}{cost}", input.drift.sentence);
            ("", Drift { sentence, ..input.drift })
        })
        .collect();
    Ok(table(&mut rows)?.titled("Drift of the inputs"))
}

/// The inputs since the newest forecast that has been out for long enough, against those before it: for rules on drift, and as likely
/// causes of other alerts. None where no forecast is old enough.
pub(super) fn since_issue(
    sales: &Panel,
    columns: &Columns,
    dates: &Dates,
    keys: &[Vec<String>],
    store: &mut Store,
) -> Result<Vec<Input>> {
    let sold = |i: usize| {
        let rows = sales.positions(i).iter().zip(sales.target(i));
        rows.rev().find(|(_, value)| value.is_finite()).map(|(position, _)| *position)
    };
    let (Some((start, _)), Some(last)) = (sales.extent(), (0..sales.len()).filter_map(sold).max()) else {
        return Ok(Vec::new());
    };
    let mut newest: Option<(i64, Past)> = None;
    for past in store.issues()? {
        let Some(first) = past.issue.dates.first().map(|at| dates.position(*at)) else { continue };
        if last - first + 1 >= ENOUGH && newest.as_ref().is_none_or(|(known, _)| first >= *known) {
            newest = Some((first, past));
        }
    }
    let Some((first, issue)) = newest else { return Ok(Vec::new()) };
    let start = start.max(first - REFERENCE);
    let year = sales.steps_in_a_year().round() as i64;
    // Of weeks the same weeks of other years; of days not even a year is looked back on. Neighbouring weeks would not do: a column that
    // rises steeply in spring would differ from them.
    let is_same_season = |position: i64| (position - first).rem_euclid(year.max(1)) <= last - first;
    let has_years = first - start >= year;
    let sides = sides(sales, |position| match position {
        _ if position > last || position < start => None,
        _ if position >= first => Some(Side::Now),
        _ if has_years && !is_same_season(position) => None,
        _ => Some(Side::Before),
    });
    let at = dates.at(last)?;
    let mut errors: Option<Vec<f64>> = None;
    let mut inputs = Vec::new();
    for (name, _, cells) in &columns.compared {
        // A column that was empty before cannot have drifted.
        let counted = cells.counted(sales, &sides)?;
        let Ok(drift) = cells.drift(name, &counted) else { continue };
        let cost = if drift.verdict == Verdict::None {
            None
        } else {
            let errors = match &errors {
                Some(errors) => errors,
                None => errors.insert(scaled_errors(sales, dates, keys, store, &issue, first)?),
            };
            cost(cells, &counted, errors)?
        };
        inputs.push(Input { at, drift, cost });
    }
    Ok(inputs)
}

/// What the change of a column's mix explains of the errors; none where too few rows before have one.
fn cost(cells: &Cells, sides: &[Option<Side>], errors: &[f64]) -> Result<Option<MixCost>> {
    if errors.iter().filter(|error| error.is_finite()).count() < SCORES {
        return Ok(None);
    }
    let bins = cells.bins(sides)?;
    let before = bins.iter().zip(errors).map(|(bin, error)| (*bin, *error));
    let now = bins.iter().zip(sides).filter(|(_, side)| **side == Some(Side::Now)).map(|(bin, _)| *bin);
    // Rows that have nothing in common say nothing of a cost.
    Ok(mix_cost(before, now).ok())
}

/// The absolute scaled error of each row, of the first step that was forecast by the model of an issue, over the newest scored dates
/// before `first`; NaN elsewhere.
fn scaled_errors(
    sales: &Panel,
    dates: &Dates,
    keys: &[Vec<String>],
    store: &mut Store,
    issue: &Past,
    first: i64,
) -> Result<Vec<f64>> {
    let places: HashMap<&[String], usize> = keys.iter().enumerate().map(|(i, key)| (key.as_slice(), i)).collect();
    let mut place_of: HashMap<i64, usize> = HashMap::new();
    store.series(|series, key| {
        place_of.extend(places.get(key.as_slice()).map(|i| (series, *i)));
        Ok(())
    })?;
    let mut starts = Vec::with_capacity(sales.len());
    let mut rows = 0;
    for i in 0..sales.len() {
        starts.push(rows);
        rows += sales.positions(i).len();
    }
    let mut errors = vec![f64::NAN; rows];
    let mut scored = Vec::new();
    for at in store.calendar(issue.track)? {
        let position = dates.position(at);
        if position < first && scored.len() < SCORED {
            scored.push((at, position));
        }
    }
    for (at, position) in scored {
        let mut of_series: BTreeMap<i64, f64> = BTreeMap::new();
        // The steps of a series come in order: the first counts.
        store.scores(issue.track, at, |series, _, score| {
            of_series.entry(series).or_insert(f64::from(score.scaled));
        })?;
        for (series, error) in of_series {
            let Some(i) = place_of.get(&series) else { continue };
            if let Ok(row) = sales.positions(*i).binary_search(&position) {
                errors[starts[*i] + row] = error;
            }
        }
    }
    Ok(errors)
}
