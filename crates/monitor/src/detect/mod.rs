//! Have the forecast errors of a portfolio changed: since when, by how much, which way, and whose?
//!
//! A [`Watch`] takes one step of all series at a time, and keeps less than 500 bytes a series. It looks at three
//! levels: the portfolio, groups, series, and a series' alarm is about what the levels above it do not explain, so that
//! a holiday is one alarm and not three thousand.
//!
//! **The error.** `ln(actual + 0.1 L) − ln(forecast + 0.1 L)`, `L` the series' usual size: shifts are shares of the
//! level on it, so that one question serves all series, and a week without sales is a number. From it the common
//! movement is taken off; what remains is standardised with the series' own centre, autocorrelation and scale (that of
//! a t distribution with three degrees of freedom), all from a reference of at least 26 steps, and with how noisy the
//! step was for all. No chart sees a missing value, and no state is ever not a number.
//!
//! **The charts.** On what remains run a likelihood ratio for a shift of 30 % within the last four steps, a CUSUM, a
//! Page–Hinkley test of the size of errors, a likelihood ratio for missed intervals, and an exponentially weighted mean
//! of signed errors: [`Chart`].
//!
//! **The rate of false alarms is that of the portfolio.** [`Settings::false_alarms`] a [`Settings::period`], all
//! series, levels and charts together. Thresholds follow from the reference: every chart runs over it with what is
//! usual found in the other three quarters of it, the highest evidence of each track in each period is pooled over all
//! series, and the threshold is where as many of them lie as are allowed, by a Pareto tail (Hill) beyond the highest
//! few. They are never below what independent normal errors need (Siegmund), nor so low that one step alone is enough.
//! A twentieth of the allowed alarms is for the portfolio, two fifths for groups, the rest for series. The rate is kept
//! on average where the time to come is as the reference was; a reference with changes in it makes thresholds high.
//! **Intervals must not have been fitted to the reference itself**: they are then missed more often afterwards, and
//! that is what the chart of coverage will say of hundreds of series.
//!
//! **What it can find.** A single series among 3,000 at one false alarm a quarter: a shift of 30 % within four weeks in
//! nine cases of ten where the scale of the errors that nothing explains is up to 2 % ([`Watch::noise`]), downwards up
//! to 3 %; in half of them at 4 %, hardly ever above 7 %. `benches/portfolio.rs` has the table by noise. Independent
//! normal errors would allow it up to a standard deviation of 9 %; real ones depend on each other, have wild weeks, and
//! shifts of their own that last a few weeks.
//! Where the forecast itself follows the new level the error vanishes, and so does the alarm. A group that is a large
//! part of the portfolio moves the portfolio's median, and shows in the others as a small bias the other way.
//!
//! Lorden (1971), *Procedures for reacting to a change in distribution*; Lai (1995), *Sequential changepoint detection
//! in quality control and dynamical systems*; Tukey (1977), *Exploratory Data Analysis* (median polish).

mod calibrate;
mod charts;
mod common;
mod track;
mod watch;

pub use charts::{Bias, Coverage, Cusum, PageHinkley, Shift, WINDOW, siegmund, siegmund_threshold};
pub use common::{FEWEST, Grouping};
pub use watch::{Update, Watch};

use serde::{Deserialize, Serialize};

/// One series in one step; NaN where a value is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// What happened.
    pub actual: f64,
    /// What was forecast for it.
    pub forecast: f64,
    /// The lower end of the interval that was forecast.
    pub lower: f64,
    /// The upper end.
    pub upper: f64,
}

impl Observation {
    /// A forecast without an interval.
    pub fn point(actual: f64, forecast: f64) -> Self {
        Self { actual, forecast, lower: f64::NAN, upper: f64::NAN }
    }

    /// Does the interval miss this value? 1 if so, 0 if not, NaN if one of them is unknown.
    fn missed(&self, actual: f64) -> f64 {
        if actual.is_finite() && !self.lower.is_nan() && !self.upper.is_nan() {
            f64::from(u8::from(actual < self.lower || actual > self.upper))
        } else {
            f64::NAN
        }
    }
}

/// What is asked of a [`Watch`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// How many false alarms a period are accepted, over all series, levels and charts.
    pub false_alarms: f64,
    /// The steps of that period: 13 weeks are a quarter.
    pub period: usize,
    /// The shift of the level that matters, as a share: 0.3 is 30 % up or down.
    pub shift: f64,
}

impl Default for Settings {
    /// One false alarm in 13 steps, shifts of 30 %.
    fn default() -> Self {
        Self { false_alarms: 1.0, period: 13, shift: 0.3 }
    }
}

/// What an alarm is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// All series together.
    Portfolio,
    /// A group, by the place of its grouping and its number in that.
    Group(usize, usize),
    /// A series, by its place.
    Series(usize),
}

/// Which chart has raised an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Chart {
    /// The level has moved by what matters, in the last steps.
    Shift,
    /// The level has moved, perhaps little and slowly.
    Cusum,
    /// Errors have become larger.
    PageHinkley,
    /// Intervals are missed more often.
    Coverage,
    /// Errors have been one-sided for long.
    Bias,
}

impl Chart {
    /// All charts, in the order of their evidence.
    pub const ALL: [Self; track::CHARTS] = [Self::Shift, Self::Cusum, Self::PageHinkley, Self::Coverage, Self::Bias];
}

/// Which way something has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// More is sold than was forecast.
    Up,
    /// Less is sold than was forecast.
    Down,
    /// Errors are larger, or intervals missed more often.
    Worse,
}

/// A change that has been noticed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// What has changed.
    pub level: Level,
    /// Which chart says so: the first one that was sure enough.
    pub chart: Chart,
    /// Which way.
    pub direction: Direction,
    /// The step in which the change began, as estimated; the first step after the reference is 0, and a step is
    /// missing from the count of a series that had no value in it.
    pub since: u64,
    /// The step in which it was noticed.
    pub raised: u64,
    /// How large it is: in % of the level for a shift, a CUSUM and a bias (signed), the growth of the mean absolute
    /// error in % for Page–Hinkley, the lost points of coverage for that.
    pub size: f64,
}
