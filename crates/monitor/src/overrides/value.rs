//! Who improves the forecast, and by how much?
//!
//! The ladder naive → statistical → planned → released: each rung is compared with the one below it on the same rows,
//! and what it adds is the error that it takes away, in units and in money (forecast value added: Gilliland 2010;
//! Fildes & Goodwin 2007; Fildes, Goodwin, Lawrence & Nikolopoulos 2009). By planner, by class of products, by
//! direction and size of the override. Small overrides tend to cost time and add nothing, and large ones upward tend to
//! be wishes.
//!
//! Errors are absolute, so a forecast that aims at the median has an advantage over one that aims at the mean; money
//! (what a unit too many and a unit too few cost) says what matters. How sure it is: see [`Options::level`].

use std::collections::BTreeMap;

use chrono::NaiveDateTime;
use serde::{Deserialize, Serialize};

use super::interval::interval;
use crate::error::{Error, Result};

/// One series at one date: its four forecasts and what happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Who is responsible, whether or not the forecast was changed.
    pub planner: String,
    /// The class of the product.
    pub class: String,
    pub series: i64,
    pub date: NaiveDateTime,
    /// Forecasts in units: the naive one, the model's, what the planner made of it, and what was released.
    pub naive: f64,
    pub statistical: f64,
    pub planned: f64,
    pub released: f64,
    pub actual: f64,
    /// What a unit costs that was forecast and not sold, and one that was sold and not forecast.
    pub over: f64,
    pub under: f64,
    /// What errors of the series are divided by for MASE: the mean absolute error of the naive forecast in training.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<f64>,
}

impl Row {
    fn cost(&self, forecast: f64) -> f64 {
        let error = forecast - self.actual;
        if error > 0.0 { self.over * error } else { -self.under * error }
    }
}

/// How value added is judged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// The probability with which an interval holds the value added that the same planners would have over many such
    /// histories.
    pub level: f64,
    /// Shares of the statistical forecast up to which an override is small, and up to which it is medium.
    pub bands: (f64, f64),
}

impl Default for Options {
    fn default() -> Self {
        Self { level: 0.9, bands: (0.1, 0.3) }
    }
}

/// Which way an override goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    Down,
    Up,
}

/// How large an override is beside the statistical forecast.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Band {
    Small,
    Medium,
    Large,
}

/// The direction and size of an override; none where nothing was changed.
pub(super) fn shape(statistical: f64, planned: f64, bands: (f64, f64)) -> Option<(Direction, Band)> {
    let change = planned - statistical;
    if change == 0.0 {
        return None;
    }
    let direction = if change > 0.0 { Direction::Up } else { Direction::Down };
    // With nothing forecast, any change is a large one.
    let size = change.abs();
    let band = if size <= bands.0 * statistical {
        Band::Small
    } else if size <= bands.1 * statistical {
        Band::Medium
    } else {
        Band::Large
    };
    Some((direction, band))
}

/// How good a forecast is over some rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Accuracy {
    /// The sum of absolute errors, and of errors (forecast − actual), over that of absolute actuals, %.
    pub wape: Option<f64>,
    pub bias: Option<f64>,
    /// The mean absolute error over the scale, of rows with one.
    pub mase: Option<f64>,
    /// What its errors cost, in money.
    pub cost: f64,
}

/// What a rung adds to the one below it: error taken away; below 0 where it made things worse.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Gain {
    /// Rows at which the two differ.
    pub changed: usize,
    /// Over all rows.
    pub total: f64,
    /// Where the total would lie over many such histories; none with fewer than two dates.
    pub interval: Option<(f64, f64)>,
}

impl Gain {
    /// Is it above or below zero beyond doubt, at the level of the interval?
    pub fn is_sure(&self) -> bool {
        self.interval.is_some_and(|(low, high)| low > 0.0 || high < 0.0)
    }
}

/// What each rung adds to the one below it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Added {
    /// The model, to the naive forecast.
    pub statistical: Gain,
    /// The planners, to the model.
    pub planned: Gain,
    /// The release, to the planners.
    pub released: Gain,
}

/// The ladder over some rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Ladder {
    pub rows: usize,
    pub naive: Accuracy,
    pub statistical: Accuracy,
    pub planned: Accuracy,
    pub released: Accuracy,
    /// Absolute errors taken away.
    pub units: Added,
    /// Money saved.
    pub money: Added,
}

/// The ladder over all rows and by group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Value {
    pub all: Ladder,
    pub planners: BTreeMap<String, Ladder>,
    pub classes: BTreeMap<String, Ladder>,
    /// Of rows that a planner changed.
    pub sizes: Vec<((Direction, Band), Ladder)>,
}

/// What was added by whom.
///
/// # Errors
/// A number is not finite, a cost is below zero, or the options are out of range.
pub fn value(rows: &[Row], options: &Options) -> Result<Value> {
    if !(options.level > 0.0 && options.level < 1.0) {
        return Err(Error::usage("the level of the intervals must lie between 0 and 1, such as 0.9"));
    }
    if !(options.bands.0 > 0.0 && options.bands.1 > options.bands.0) {
        return Err(Error::usage(
            "the limits of small and of medium overrides must ascend from above 0, such as 0.1 and 0.3",
        ));
    }
    for row in rows {
        let numbers = [row.naive, row.statistical, row.planned, row.released, row.actual, row.over, row.under];
        if numbers.iter().any(|number| !number.is_finite()) {
            return Err(Error::data(format!(
                "series {} at {} has a forecast, an actual or a cost that is no finite number; leave such rows out",
                row.series, row.date
            )));
        }
        if row.over < 0.0 || row.under < 0.0 {
            return Err(Error::data(format!(
                "series {} at {} has a unit cost below 0; state costs as numbers of at least 0",
                row.series, row.date
            )));
        }
    }
    let all: Vec<&Row> = rows.iter().collect();
    let mut planners: BTreeMap<String, Vec<&Row>> = BTreeMap::new();
    let mut classes: BTreeMap<String, Vec<&Row>> = BTreeMap::new();
    let mut sizes: BTreeMap<(Direction, Band), Vec<&Row>> = BTreeMap::new();
    for row in rows {
        planners.entry(row.planner.clone()).or_default().push(row);
        classes.entry(row.class.clone()).or_default().push(row);
        if let Some(shape) = shape(row.statistical, row.planned, options.bands) {
            sizes.entry(shape).or_default().push(row);
        }
    }
    let ladders = |groups: BTreeMap<String, Vec<&Row>>| {
        groups.into_iter().map(|(name, rows)| (name, ladder(&rows, options.level))).collect()
    };
    Ok(Value {
        all: ladder(&all, options.level),
        planners: ladders(planners),
        classes: ladders(classes),
        sizes: sizes.into_iter().map(|(shape, rows)| (shape, ladder(&rows, options.level))).collect(),
    })
}

type Rung = fn(&Row) -> f64;

fn ladder(rows: &[&Row], level: f64) -> Ladder {
    let naive: Rung = |row| row.naive;
    let statistical: Rung = |row| row.statistical;
    let planned: Rung = |row| row.planned;
    let released: Rung = |row| row.released;
    let added = |loss: fn(&Row, f64) -> f64| Added {
        statistical: gain(rows, naive, statistical, loss, level),
        planned: gain(rows, statistical, planned, loss, level),
        released: gain(rows, planned, released, loss, level),
    };
    Ladder {
        rows: rows.len(),
        naive: accuracy(rows, naive),
        statistical: accuracy(rows, statistical),
        planned: accuracy(rows, planned),
        released: accuracy(rows, released),
        units: added(|row, forecast| (forecast - row.actual).abs()),
        money: added(Row::cost),
    }
}

fn accuracy(rows: &[&Row], rung: Rung) -> Accuracy {
    let ratio = |over: f64, under: f64| (under > 0.0).then(|| over / under);
    let (mut error, mut absolute, mut actual, mut scaled, mut with_scale, mut cost) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
    for row in rows {
        let off = rung(row) - row.actual;
        error += off;
        absolute += off.abs();
        actual += row.actual.abs();
        cost += row.cost(rung(row));
        if let Some(scale) = row.scale.filter(|scale| *scale > 0.0) {
            scaled += off.abs() / scale;
            with_scale += 1.0;
        }
    }
    Accuracy {
        wape: ratio(100.0 * absolute, actual),
        bias: ratio(100.0 * error, actual),
        mase: ratio(scaled, with_scale),
        cost,
    }
}

fn gain(rows: &[&Row], below: Rung, above: Rung, loss: fn(&Row, f64) -> f64, level: f64) -> Gain {
    let changed: Vec<&Row> = rows.iter().copied().filter(|row| below(row) != above(row)).collect();
    let values: Vec<f64> = changed.iter().map(|row| loss(row, below(row)) - loss(row, above(row))).collect();
    let dates: Vec<NaiveDateTime> = changed.iter().map(|row| row.date).collect();
    let series: Vec<i64> = changed.iter().map(|row| row.series).collect();
    Gain { changed: changed.len(), total: values.iter().sum(), interval: interval(&values, &dates, &series, level) }
}
