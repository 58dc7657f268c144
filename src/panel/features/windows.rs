//! What was sold before? Lags, rolling and expanding windows of the target, or of another column.
//!
//! A window with lag k at step t ends at t − k, k ≥ 1: it uses no value of step t or later, and none after the cut-off
//! of a backtest. In the future the columns are known for k steps; a model that needs more fails with an error. Missing
//! values are left out of a window; a window without any value is missing. Statistics are those of pandas: the standard
//! deviation divides by n − 1.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Data, Derive, Derived, Kind, Places};
use crate::error::{Error, Result, suggestion};
use crate::panel::Role;
use crate::panel::frame::numbers;

/// A statistic of the values in a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Stat {
    #[default]
    Mean,
    Median,
    Std,
    Min,
    Max,
    Sum,
}

impl Stat {
    fn word(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Median => "median",
            Self::Std => "std",
            Self::Min => "min",
            Self::Max => "max",
            Self::Sum => "sum",
        }
    }

    /// Over the values that are there; NaN for none.
    fn of(self, window: &[f64], sorted: &mut Vec<f64>) -> f64 {
        let values = || window.iter().copied().filter(|v| !v.is_nan());
        let count = values().count();
        if count == 0 {
            return f64::NAN;
        }
        match self {
            Self::Sum => values().sum(),
            Self::Mean => values().sum::<f64>() / count as f64,
            Self::Min => values().fold(f64::INFINITY, f64::min),
            Self::Max => values().fold(f64::NEG_INFINITY, f64::max),
            Self::Std if count == 1 => f64::NAN,
            Self::Std => {
                let mean = values().sum::<f64>() / count as f64;
                (values().map(|v| (v - mean).powi(2)).sum::<f64>() / (count - 1) as f64).sqrt()
            }
            Self::Median => {
                sorted.clear();
                sorted.extend(values());
                let (below, middle, _) = sorted.select_nth_unstable_by(count / 2, f64::total_cmp);
                match count % 2 {
                    1 => *middle,
                    _ => (below.iter().copied().fold(f64::NEG_INFINITY, f64::max) + *middle) / 2.0,
                }
            }
        }
    }
}

/// Options of `lags`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Lags {
    /// How many steps back, each a column.
    steps: Vec<usize>,
    /// Of this column instead of the target.
    of: Option<String>,
}

impl Default for Lags {
    fn default() -> Self {
        Self { steps: vec![1], of: None }
    }
}

/// Options of `rolling`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Rolling {
    /// Steps in the window.
    window: usize,
    /// How many steps back it ends.
    lag: usize,
    /// mean, median, std, min, max or sum.
    stat: Stat,
    /// Of this column instead of the target.
    of: Option<String>,
}

impl Default for Rolling {
    fn default() -> Self {
        Self { window: 7, lag: 1, stat: Stat::Mean, of: None }
    }
}

/// Options of `expanding`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Expanding {
    /// How many steps back the window ends, which starts with the series.
    lag: usize,
    /// mean, median, std, min, max or sum.
    stat: Stat,
    /// Of this column instead of the target.
    of: Option<String>,
}

impl Default for Expanding {
    fn default() -> Self {
        Self { lag: 1, stat: Stat::Mean, of: None }
    }
}

/// Further back than any history.
const LONGEST: usize = 1_000_000;

fn check_steps(what: &str, steps: usize) -> Result<()> {
    match steps {
        0 => Err(Error::usage(format!("{what} is at least 1: at 0 it would see what it is to explain"))),
        1..=LONGEST => Ok(()),
        _ => Err(Error::usage(format!("{what} of {steps} steps is beyond any series"))),
    }
}

/// A column computed from the regular past of each series: `at` gives the value for the index at which a window ends.
fn looking_back<S: Send>(
    places: &Places,
    of: Option<&String>,
    lag: usize,
    name: String,
    prepare: impl Fn(&[f64]) -> S + Sync,
    at: impl Fn(&[f64], &mut S, usize) -> f64 + Sync,
) -> Result<Derived> {
    let panel = places.panel;
    panel.check_calendar()?;
    places.bounded()?;
    let inner = panel.inner();
    let source = match of.filter(|name| **name != inner.columns.target) {
        None => None,
        Some(column) => {
            let known: Vec<&str> = inner.columns.covariates.iter().map(|(name, _)| name.as_str()).collect();
            if !known.contains(&column.as_str()) {
                let nearest = suggestion(column, known);
                return Err(Error::usage(format!("there is no covariate `{column}` to look back at{nearest}")));
            }
            let cells = inner.frame.column(column)?;
            if !super::super::covariates::is_number(cells.dtype()) {
                return Err(Error::usage(format!("`{column}` holds {}, not numbers", cells.dtype())));
            }
            Some(numbers(cells)?)
        }
    };
    let values = places.each(|series, positions, cells| {
        let past = match &source {
            None => panel.regular(series),
            Some(column) => panel.regular_column(series, column),
        };
        let Some(first) = panel.positions(series).first() else { return };
        let mut state = prepare(&past);
        for (position, cell) in positions.iter().zip(cells) {
            let end = position.saturating_sub(*first).saturating_sub(lag as i64);
            if (0..past.len() as i64).contains(&end) {
                *cell = at(&past, &mut state, end as usize);
            }
        }
    });
    Ok(Derived { name, role: Role::Observed, reach: Some(lag), kind: Kind::Number, values })
}

/// `lag_7`, `Temperature_lag_7`, `rolling_mean_28_lag_8`.
fn named(of: Option<&String>, name: String, lag: usize) -> String {
    let of = of.map_or_else(String::new, |of| format!("{of}_"));
    let lag = if lag > 1 { format!("_lag_{lag}") } else { String::new() };
    format!("{of}{name}{lag}")
}

impl Derive for Lags {
    const NAME: &str = "lags";
    const SUMMARY: &str = "Lagged values";
    const EXAMPLE: &str = "lags(steps=[8, 52])";
    const ALSO: &str = "lag, lagged, shift";
    const SIMILAR: &[(&str, &str)] =
        &[("diff, difference, differences", "values of earlier steps; models difference by themselves")];

    fn check(&self) -> Result<()> {
        if self.steps.is_empty() {
            return Err(Error::usage("lags needs steps=[…], such as steps=[1, 7]"));
        }
        self.steps.iter().try_for_each(|steps| check_steps("a lag", *steps))
    }

    fn columns(&self, places: &Places, _: &Data) -> Result<Vec<Derived>> {
        let of = self.of.as_ref();
        let lag = |steps: &usize| {
            let name = format!("{}lag_{steps}", of.map_or_else(String::new, |of| format!("{of}_")));
            looking_back(places, of, *steps, name, |_| (), |past, (), end| past[end])
        };
        self.steps.iter().map(lag).collect()
    }
}

impl Derive for Rolling {
    const NAME: &str = "rolling";
    const SUMMARY: &str = "Mean, median, standard deviation … of a moving window";
    const EXAMPLE: &str = "rolling(window=13, lag=8, stat=median)";
    const ALSO: &str = "rolling window, moving window, window, windows";
    const SIMILAR: &[(&str, &str)] = &[(
        "rolling mean, moving average, rolling std, ewm, ewma, exponential moving average",
        "rolling(window=13, stat=mean), and other statistics",
    )];

    fn check(&self) -> Result<()> {
        check_steps("a window", self.window)?;
        check_steps("the lag of a window", self.lag)
    }

    fn columns(&self, places: &Places, _: &Data) -> Result<Vec<Derived>> {
        let (of, stat) = (self.of.as_ref(), self.stat);
        let name = named(of, format!("rolling_{}_{}", stat.word(), self.window), self.lag);
        let column = looking_back(
            places,
            of,
            self.lag,
            name,
            |_| Vec::new(),
            |past, sorted, end| stat.of(&past[(end + 1).saturating_sub(self.window)..=end], sorted),
        )?;
        Ok(vec![column])
    }
}

impl Derive for Expanding {
    const NAME: &str = "expanding";
    const SUMMARY: &str = "Mean, median, standard deviation … of all earlier values";
    const EXAMPLE: &str = "expanding(lag=8)";
    const ALSO: &str = "expanding window, cumulative";

    fn check(&self) -> Result<()> {
        check_steps("the lag of a window", self.lag)
    }

    fn columns(&self, places: &Places, _: &Data) -> Result<Vec<Derived>> {
        let (of, stat) = (self.of.as_ref(), self.stat);
        let name = named(of, format!("expanding_{}", stat.word()), self.lag);
        let so_far = |past: &[f64]| expanding(past, stat);
        Ok(vec![looking_back(places, of, self.lag, name, so_far, |_, so_far, end| so_far[end])?])
    }
}

/// The statistic over each beginning of the values.
fn expanding(values: &[f64], stat: Stat) -> Vec<f64> {
    let (mut count, mut sum, mut mean, mut squares) = (0_usize, 0.0, 0.0, 0.0);
    let (mut least, mut greatest) = (f64::INFINITY, f64::NEG_INFINITY);
    let mut halves = Halves::default();
    let so_far = values.iter().map(|value| {
        if !value.is_nan() {
            count += 1;
            sum += value;
            // Welford's recurrence: no difference of large squares.
            let gap = value - mean;
            mean += gap / count as f64;
            squares += gap * (value - mean);
            (least, greatest) = (least.min(*value), greatest.max(*value));
            if stat == Stat::Median {
                halves.add(*value);
            }
        }
        match stat {
            _ if count == 0 => f64::NAN,
            Stat::Sum => sum,
            Stat::Mean => sum / count as f64,
            Stat::Min => least,
            Stat::Max => greatest,
            Stat::Std if count == 1 => f64::NAN,
            Stat::Std => (squares / (count - 1) as f64).sqrt(),
            Stat::Median => halves.median(),
        }
    });
    so_far.collect()
}

/// The lower and the upper half of the values so far, the lower one never smaller.
#[derive(Default)]
struct Halves {
    lower: BinaryHeap<Ordered>,
    upper: BinaryHeap<Reverse<Ordered>>,
}

impl Halves {
    fn add(&mut self, value: f64) {
        self.lower.push(Ordered(value));
        self.upper.extend(self.lower.pop().map(Reverse));
        if self.upper.len() > self.lower.len() {
            self.lower.extend(self.upper.pop().map(|Reverse(value)| value));
        }
    }

    fn median(&self) -> f64 {
        match (self.lower.peek(), self.upper.peek()) {
            (Some(low), Some(Reverse(high))) if self.lower.len() == self.upper.len() => (low.0 + high.0) / 2.0,
            (Some(low), _) => low.0,
            _ => f64::NAN,
        }
    }
}

/// A number with the total order that a heap needs.
#[derive(PartialEq)]
struct Ordered(f64);

impl Eq for Ordered {}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}
