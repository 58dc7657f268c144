//! How good is a forecast? One function per metric over a named case, one row per metric in [`METRICS`].
//!
//! A case is one model on one series in one window. A metric is a ratio: an error measure over what makes it comparable.
//! Where the denominator is zero the ratio is undefined and left out of the means, never infinite; but for pooled metrics,
//! whose sums are taken before dividing:
//!
//! * MAPE leaves out steps with an actual of zero (Hyndman & Koehler 2006), sMAPE counts 0 for a step where forecast
//!   and actual are both zero (Makridakis et al. 2020);
//! * MASE and RMSSE scale by the in-sample error of the seasonal naive method (Hyndman & Koehler 2006; Makridakis et al.
//!   2022), of the naive one on series not longer than a season; a constant history has no such scale;
//! * WAPE and bias are pooled: the sums are taken over all cases before dividing. What was forecast where nothing was sold
//!   counts in full; only where nothing was sold in any case are they undefined.

use crate::registry::{Registry, Row};

/// One model on one series in one window.
pub struct Case<'a> {
    /// What was sold, NaN where it is missing; such steps are not scored.
    pub actual: &'a [f64],
    /// The forecast means.
    pub mean: &'a [f64],
    /// The probabilities of the forecast quantiles, ascending.
    pub probabilities: &'a [f64],
    /// The forecast quantiles, one slice per probability.
    pub quantiles: &'a [Vec<f64>],
    /// The mean absolute in-sample error of the seasonal naive method.
    pub absolute_scale: f64,
    /// Its mean squared in-sample error.
    pub squared_scale: f64,
}

/// Numerator and denominator of a metric for a case, metric by metric in the order of [`METRICS`].
pub type Ratios = Vec<(f64, f64)>;

/// The score of a case by every metric, as numerators and denominators: what backtests and forecasts are scored by.
///
/// ```
/// use tradewind::metrics::{Case, METRICS, mean, ratios};
/// let case = |actual: f64, forecast: f64| {
///     ratios(&Case {
///         actual: &[actual],
///         mean: &[forecast],
///         probabilities: &[],
///         quantiles: &[],
///         absolute_scale: 2.0,
///         squared_scale: 4.0,
///     })
/// };
/// let cases = [case(10.0, 12.0), case(20.0, 16.0)];
/// let score = |name: &str| {
///     let at = METRICS.iter().position(|metric| metric.name == name)?;
///     mean(METRICS.iter().nth(at)?, cases.iter().map(|ratios| ratios[at]))
/// };
/// assert_eq!((score("mae"), score("mase"), score("wape"), score("pinball")), (Some(3.0), Some(1.5), Some(20.0), None));
/// ```
pub fn ratios(case: &Case) -> Ratios {
    METRICS.iter().map(|metric| (metric.ratio)(case)).collect()
}

/// A metric as [`METRICS`] lists it.
pub type Metric = Row<Scoring>;

/// How a metric scores a forecast.
pub struct Scoring {
    /// Numerator and denominator for a case.
    pub ratio: fn(&Case) -> (f64, f64),
    /// Over several cases: the ratio of the sums rather than the mean of the ratios?
    pub pooled: bool,
    /// The value of a perfect forecast.
    pub best: f64,
    /// Does it look at the quantiles, not only at the mean?
    pub reads_quantiles: bool,
    /// Is it a loss of one window: never below zero, the less the better? Bias and coverage are good on average or not.
    pub is_loss: bool,
}

impl Scoring {
    /// A loss that looks at the mean, such as most are.
    const fn of(ratio: fn(&Case) -> (f64, f64)) -> Self {
        Self { ratio, pooled: false, best: 0.0, reads_quantiles: false, is_loss: true }
    }
}

/// The row of a function: what it measures, other names of it, names of similar metrics, in what it is not as most are.
macro_rules! metric {
    ($name:ident, $summary:literal, $also:literal, $similar:expr $(, $field:ident: $value:expr)*) => {
        Metric {
            name: stringify!($name),
            summary: $summary,
            example: "",
            also: $also,
            similar: &$similar,
            search: &[],
            reader: None,
            does: Scoring { $($field: $value,)* ..Scoring::of($name) },
        }
    };
}

/// Every metric there is, by name, in the order in which a leaderboard shows them: what most people read first.
pub const METRICS: Registry<Scoring> = Registry {
    kind: "metric",
    rows: &[
        metric!(
            mase,
            "mean absolute error over that of the seasonal naive method in the training set",
            "mean absolute scaled error",
            [
                ("owa, overall weighted average", "one of its two halves; the other is `smape`"),
                (
                    "rae, mrae, relmae, relative mae, skill, skill score",
                    "the absolute error relative to that of the seasonal naive method in the training set"
                ),
            ]
        ),
        metric!(
            wape,
            "sum of absolute errors over sum of absolute actuals, %",
            "wmape, weighted mape, weighted absolute percentage error",
            [
                ("accuracy, forecast accuracy, fa", "forecast accuracy is usually 100 % less it"),
                ("nd, normalised deviation, normalized deviation", "the same ratio in %"),
            ],
            pooled: true
        ),
        metric!(
            bias,
            "sum of errors (forecast − actual) over sum of absolute actuals, %",
            "forecast bias, percentage bias",
            [("me, mfe, mean error, mpe, mean percentage error, tracking signal", "the sum of errors in % of the sales")],
            pooled: true,
            is_loss: false
        ),
        metric!(
            coverage80,
            "share of actuals inside the 80 % interval",
            "coverage 0.8",
            [("coverage, interval coverage, picp", "`coverage80` and `coverage95` are those of the intervals of 0.8 and 0.95")],
            best: 0.8,
            reads_quantiles: true,
            is_loss: false
        ),
        metric!(
            coverage95,
            "share of actuals inside the 95 % interval",
            "coverage 0.95",
            [],
            best: 0.95,
            reads_quantiles: true,
            is_loss: false
        ),
        metric!(
            pinball,
            "mean quantile loss over the forecast quantiles, in units of the target",
            "quantile loss, pinball loss, quantile score",
            [
                ("crps, continuous ranked probability score", "about half of the CRPS where the quantiles are many and evenly spread"),
                ("wql, weighted quantile loss, spl, scaled pinball loss", "the same loss in units of the target"),
                ("log score, nll, energy score", "the proper score of a distribution here"),
            ],
            reads_quantiles: true
        ),
        metric!(
            rmse,
            "root mean squared error, in units of the target",
            "root mean squared error",
            [
                ("mse, mean squared error", "its square root, in units of the target"),
                (
                    "rmsle, msle",
                    "the same of the values instead of their logarithms; `wape` and `mape` are relative errors"
                ),
            ]
        ),
        metric!(
            mae,
            "mean absolute error, in units of the target",
            "mad, mean absolute error",
            [("mdae, medae, median absolute error", "the mean of the same errors; no metric here takes a median")]
        ),
        metric!(
            mape,
            "mean absolute percentage error, %; steps with an actual of 0 left out",
            "mean absolute percentage error",
            [(
                "mdape, median absolute percentage error",
                "the mean of the same percentages; no metric here takes a median"
            )]
        ),
        metric!(
            smape,
            "symmetric mean absolute percentage error, 0–200 %",
            "symmetric mape, symmetric mean absolute percentage error",
            []
        ),
        metric!(
            rmsse,
            "root of the squared error over that of the seasonal naive method in the training set",
            "root mean squared scaled error",
            [
                ("wrmsse", "the same of each series, all with the same weight"),
                ("r2, r squared, nrmse, normalised rmse", "a squared error on a scale on which series can be compared"),
            ]
        ),
        metric!(
            msis80,
            "mean scaled interval score of the 80 % interval, over the MASE scale",
            "sis80",
            [("winkler80", "the Winkler score over the MASE scale")],
            reads_quantiles: true
        ),
        metric!(
            msis95,
            "mean scaled interval score of the 95 % interval, over the MASE scale",
            "sis95, msis",
            [("winkler, winkler score, interval score, mis, wis", "the Winkler score of the 95 % interval over the MASE scale")],
            reads_quantiles: true
        ),
    ],
};

impl Metric {
    /// Its place in [`METRICS`].
    pub(crate) fn index(&self) -> usize {
        METRICS.iter().position(|metric| metric.name == self.name).unwrap_or(0)
    }

    /// How far a value of the metric is from that of a perfect forecast; nothing is infinitely far.
    pub(crate) fn loss(&self, value: Option<f64>) -> f64 {
        value.map_or(f64::INFINITY, |value| (value - self.best).abs())
    }

    /// Does a case with this numerator and denominator count? A pooled metric takes in cases without a denominator.
    pub(crate) fn counts(&self, (above, below): (f64, f64)) -> bool {
        above.is_finite() && below.is_finite() && (below > 0.0 || (self.pooled && below == 0.0))
    }
}

impl Case<'_> {
    /// Actual and mean of the steps that can be scored.
    fn steps(&self) -> impl Iterator<Item = (f64, f64)> {
        self.actual.iter().zip(self.mean).filter(|(actual, _)| !actual.is_nan()).map(|(actual, mean)| (*actual, *mean))
    }

    fn count(&self) -> f64 {
        self.steps().count() as f64
    }

    /// Actual, lower and upper end of the steps that can be scored; none where the interval was not forecast.
    fn interval(&self, level: f64) -> impl Iterator<Item = (f64, f64, f64)> {
        let find = |p: f64| self.probabilities.iter().position(|q| (q - p).abs() < 5e-7).map(|at| &self.quantiles[at]);
        let ends = find((1.0 - level) / 2.0).zip(find((1.0 + level) / 2.0));
        ends.into_iter().flat_map(|(lower, upper)| {
            let steps = self.actual.iter().zip(lower).zip(upper);
            steps.filter(|((actual, _), _)| !actual.is_nan()).map(|((actual, lower), upper)| (*actual, *lower, *upper))
        })
    }
}

fn absolute(case: &Case) -> f64 {
    case.steps().map(|(y, f)| (f - y).abs()).sum()
}

fn squared(case: &Case) -> f64 {
    case.steps().map(|(y, f)| (f - y).powi(2)).sum()
}

fn mae(case: &Case) -> (f64, f64) {
    (absolute(case), case.count())
}

fn rmse(case: &Case) -> (f64, f64) {
    ((squared(case) * case.count()).sqrt(), case.count())
}

fn mape(case: &Case) -> (f64, f64) {
    let scored = || case.steps().filter(|(y, _)| *y != 0.0);
    (scored().map(|(y, f)| 100.0 * ((f - y) / y).abs()).sum(), scored().count() as f64)
}

fn smape(case: &Case) -> (f64, f64) {
    let term =
        |(y, f): (f64, f64)| if y == 0.0 && f == 0.0 { 0.0 } else { 200.0 * (f - y).abs() / (y.abs() + f.abs()) };
    (case.steps().map(term).sum(), case.count())
}

fn wape(case: &Case) -> (f64, f64) {
    (100.0 * absolute(case), case.steps().map(|(y, _)| y.abs()).sum())
}

fn mase(case: &Case) -> (f64, f64) {
    (absolute(case), case.count() * case.absolute_scale)
}

fn rmsse(case: &Case) -> (f64, f64) {
    (((squared(case) / case.count()) / case.squared_scale).sqrt(), if case.squared_scale > 0.0 { 1.0 } else { 0.0 })
}

fn bias(case: &Case) -> (f64, f64) {
    (100.0 * case.steps().map(|(y, f)| f - y).sum::<f64>(), case.steps().map(|(y, _)| y.abs()).sum())
}

fn pinball(case: &Case) -> (f64, f64) {
    let (mut sum, mut count) = (0.0, 0.0);
    for (p, quantile) in case.probabilities.iter().zip(case.quantiles) {
        for (y, q) in case.actual.iter().zip(quantile).filter(|(y, _)| !y.is_nan()) {
            sum += if y >= q { p * (y - q) } else { (1.0 - p) * (q - y) };
            count += 1.0;
        }
    }
    (sum, count)
}

fn coverage(case: &Case, level: f64) -> (f64, f64) {
    let inside = case.interval(level).filter(|(y, lower, upper)| lower <= y && y <= upper).count();
    (inside as f64, case.interval(level).count() as f64)
}

fn coverage80(case: &Case) -> (f64, f64) {
    coverage(case, 0.8)
}

fn coverage95(case: &Case) -> (f64, f64) {
    coverage(case, 0.95)
}

/// Gneiting & Raftery (2007), eq. 43, over the MASE scale as in the M4 competition.
fn interval_score(case: &Case, level: f64) -> (f64, f64) {
    let alpha = 1.0 - level;
    let term = |(y, lower, upper): (f64, f64, f64)| {
        (upper - lower) + 2.0 / alpha * ((lower - y).max(0.0) + (y - upper).max(0.0))
    };
    (case.interval(level).map(term).sum(), case.interval(level).count() as f64 * case.absolute_scale)
}

fn msis80(case: &Case) -> (f64, f64) {
    interval_score(case, 0.8)
}

fn msis95(case: &Case) -> (f64, f64) {
    interval_score(case, 0.95)
}

/// Mean absolute and mean squared in-sample error of the seasonal naive method, by which MASE and RMSSE divide; of the naive
/// one on a series not longer than a season. NaN where the history, in which NaN is a gap, has no two values a season apart.
pub fn scales(train: &[f64], season: usize) -> (f64, f64) {
    let lag = if train.len() > season { season } else { 1 };
    let (mut absolute, mut squared, mut count) = (0.0, 0.0, 0.0);
    for (now, before) in train.iter().skip(lag).zip(train) {
        let change = now - before;
        if !change.is_nan() {
            absolute += change.abs();
            squared += change * change;
            count += 1.0;
        }
    }
    (absolute / count, squared / count)
}

/// What a metric is the ratio of, summed over cases; sums of several folds add up.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Sums {
    /// Numerators.
    pub above: f64,
    /// Denominators.
    pub below: f64,
}

impl Sums {
    /// Over the cases that count.
    pub(crate) fn of(metric: &Metric, ratios: impl Iterator<Item = (f64, f64)>) -> Self {
        let mut sums = Self::default();
        for (above, below) in ratios.filter(|ratio| metric.counts(*ratio)) {
            let (above, below) = if metric.pooled { (above, below) } else { (above / below, 1.0) };
            sums.add(Self { above, below });
        }
        sums
    }

    /// Together with others.
    pub(crate) fn add(&mut self, other: Self) {
        self.above += other.above;
        self.below += other.below;
    }

    /// The metric; none where it is undefined.
    pub(crate) fn value(&self) -> Option<f64> {
        (self.below > 0.0).then(|| self.above / self.below).filter(|value| value.is_finite())
    }
}

/// The mean of a metric over cases (of the sums for a pooled metric), given numerator and denominator of each; none when it
/// is undefined on all of them.
pub fn mean(metric: &Metric, ratios: impl Iterator<Item = (f64, f64)>) -> Option<f64> {
    Sums::of(metric, ratios).value()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(name: &str, case: &Case) -> Option<f64> {
        let metric = METRICS.named(name).unwrap();
        mean(metric, std::iter::once((metric.ratio)(case)))
    }

    /// The worked example of Hyndman & Koehler's formulas, computed by hand: errors 1, −2, 0 on actuals 4, 0, 5.
    #[test]
    fn metrics_match_values_computed_by_hand() {
        let quantiles = [vec![3.0, -3.0, 4.0], vec![5.0, -2.0, 5.0], vec![7.0, -1.0, 6.0]];
        let case = Case {
            actual: &[4.0, 0.0, 5.0],
            mean: &[5.0, -2.0, 5.0],
            probabilities: &[0.1, 0.5, 0.9],
            quantiles: &quantiles,
            absolute_scale: 2.0,
            squared_scale: 5.0,
        };
        let close = |name: &str, expected: f64| {
            let found = value(name, &case).unwrap();
            assert!((found - expected).abs() < 1e-12, "{name}: {found} is not {expected}");
        };
        close("mae", 1.0);
        close("rmse", (5.0_f64 / 3.0).sqrt());
        close("mape", 12.5);
        close("smape", (200.0 / 9.0 + 200.0) / 3.0);
        close("wape", 100.0 * 3.0 / 9.0);
        close("mase", 0.5);
        close("rmsse", (1.0_f64 / 3.0).sqrt());
        close("bias", -100.0 / 9.0);
        close("pinball", (0.1 + 0.3 + 0.1 + 0.5 + 1.0 + 0.0 + 0.3 + 0.9 + 0.1) / 9.0);
        close("coverage80", 2.0 / 3.0);
        close("msis80", (4.0 + (2.0 + 10.0 * 1.0) + 2.0) / 3.0 / 2.0);
        assert_eq!(value("coverage95", &case), None, "an interval that was not forecast has no coverage");
    }

    #[test]
    fn zeros_and_constants_are_left_out_not_infinite() {
        let case = Case {
            actual: &[0.0, 0.0],
            mean: &[1.0, 0.0],
            probabilities: &[0.5],
            quantiles: &[vec![1.0, 0.0]],
            absolute_scale: 0.0,
            squared_scale: 0.0,
        };
        assert_eq!(value("mape", &case), None);
        assert_eq!(value("smape", &case), Some(100.0));
        for name in ["mase", "rmsse", "wape", "bias", "msis80"] {
            assert_eq!(value(name, &case), None, "{name}");
        }
    }

    /// Two cases, one without sales: 3 units of error on 9 sold, 5 on none.
    #[test]
    fn pooled_metrics_count_what_was_forecast_where_nothing_was_sold() {
        for (name, expected) in [("wape", 100.0 * 8.0 / 9.0), ("bias", 100.0 * 4.0 / 9.0)] {
            let metric = METRICS.named(name).unwrap();
            let case = |actual: &[f64], mean: &[f64]| {
                (metric.ratio)(&Case {
                    actual,
                    mean,
                    probabilities: &[],
                    quantiles: &[],
                    absolute_scale: 1.0,
                    squared_scale: 1.0,
                })
            };
            let (sold, none) = (case(&[4.0, 0.0, 5.0], &[5.0, -2.0, 5.0]), case(&[0.0, f64::NAN], &[5.0, 7.0]));
            let pooled = mean(metric, [sold, none].into_iter()).unwrap();
            assert!((pooled - expected).abs() < 1e-12, "{name}: {pooled} is not {expected}");
            assert_eq!(mean(metric, std::iter::once(none)), None, "{name} of what was not sold alone is undefined");
        }
    }

    #[test]
    fn short_series_are_scaled_by_the_naive_method() {
        assert_eq!(scales(&[1.0, 3.0, 2.0], 12), (1.5, 2.5));
        assert_eq!(scales(&[1.0, 5.0, 2.0, 7.0], 2), (1.5, 2.5));
        assert!(scales(&[1.0], 12).0.is_nan());
    }
}
