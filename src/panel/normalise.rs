//! Which transformation of the target do models see, and how is a forecast transformed back?
//!
//! A panel always holds the untransformed values: audits, figures and scores are on the scale of the data. Only fits
//! see z = f(y), with the parameters of f estimated from the training values of that series alone, in every fold. A
//! model's forecast of z is normal with mean μ and standard deviation σ and is transformed back to the distribution of
//! f⁻¹(z): quantiles by f⁻¹, which keeps their order, and the mean with bias adjustment (Hyndman & Athanasopoulos,
//! *Forecasting: Principles and Practice*, 3rd ed., §3.1 and §5.6).
//!
//! | `normalise` | z | mean of y | a series needs |
//! |---|---|---|---|
//! | `standard` | (y − m)/s, m the mean, s the standard deviation (n − 1) | m + sμ | |
//! | `min-max` | (y − l)/(u − l), l the least value, u the greatest | l + (u − l)μ | |
//! | `log1p` | ln(1 + y) | exp(μ + σ²/2) − 1, exact; of what is cut off at 0 where nothing was below it, and for μ < 0 that of the quantiles up to μ + 4σ | y > −1 |
//! | `box-cox` | (y^λ − 1)/λ, ln y for λ = 0 | f⁻¹(μ)(1 + σ²(1 − λ)/(2(1 + λμ)²)), to second order | y > 0 |
//!
//! λ makes the standard deviation of each season's values as proportional to the power 1 − λ of their mean as it can
//! be: it minimises the coefficient of variation of sᵢ/mᵢ^(1−λ) over λ from −1 to 2 (Guerrero 1993, *Journal of
//! Forecasting* 12; `forecast::BoxCox.lambda` in R), seasons of two steps for a series without one, and is 1 for a
//! series of at most two seasons. Back-transform and bias adjustment are those of `forecast::InvBoxCox`. Means are
//! those of the formulas also where the second order is not enough; for λ > 0 the adjustment stays between −½ and 2 of
//! the median, because the formula grows without bounds as the median nears zero.
//!
//! Under `log1p` a series without a value below zero, and under `box-cox` every series, has forecasts from zero on: what
//! lies below comes back as zero, in the mean as well as in the quantiles and, with them, in the sample paths. A series with
//! values between −1 and 0 keeps such values possible.
//!
//! A constant series has no standard deviation to divide by and is only shifted. A series that cannot be transformed is
//! a counted failure: values below the range, values that lose digits by the transformation, and forecasts too wide on
//! the transformed scale to be meaningful on that of the data: σ above 4 under a logarithm, where one standard
//! deviation is a factor of 55 (from zero on less what the median lies below zero: σ² + 2μ above 16), or within four standard deviations of −1/λ under a negative λ, where the
//! back-transformation ends (R gives NA there). Quantiles beyond four standard deviations are those at four.

use polars::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal};

use super::{Columns, Panel};
use crate::error::{Error, Result, suggestion};
use crate::show::{Table, number};

/// What the target of each series goes through before a model sees it.
///
/// ```
/// use tradewind::prelude::*;
/// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales");
/// let sales = Panel::read("data/walmart_sales_weekly.csv", columns)?.normalised(Normalise::BoxCox)?;
/// let forecast = sales.fit(["theta"])?.forecast(8)?;
/// let (lower, upper) = forecast.interval("theta", "Store=1, Dept=1", 0.8)?;
/// assert!(lower[0] > 0.0 && upper[0] < 1e6);
/// # Ok::<(), tradewind::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Normalise {
    /// Nothing.
    #[default]
    None,
    /// Mean 0, standard deviation 1.
    Standard,
    /// Least value 0, greatest 1.
    #[serde(rename = "min-max")]
    MinMax,
    /// ln(1 + y).
    Log1p,
    /// The Box-Cox transformation with lambda by Guerrero's method.
    #[serde(rename = "box-cox")]
    BoxCox,
}

/// Every way to normalise, and its name.
const NAMES: [(Normalise, &str); 5] = [
    (Normalise::None, "none"),
    (Normalise::Standard, "standard"),
    (Normalise::MinMax, "min-max"),
    (Normalise::Log1p, "log1p"),
    (Normalise::BoxCox, "box-cox"),
];

/// How far into the tails, in standard deviations, a forecast must have values on the scale of the data.
const REACH: f64 = 4.0;
/// The greatest standard deviation that a logarithm bears.
const WIDEST: f64 = 4.0;

impl Normalise {
    /// The way of that name: `none`, `standard`, `min-max`, `log1p` or `box-cox`.
    ///
    /// # Errors
    /// When there is none; the nearest one is suggested.
    pub fn named(name: &str) -> Result<Self> {
        NAMES.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind).ok_or_else(|| {
            let nearest = suggestion(name, NAMES.iter().map(|(_, known)| *known));
            Error::usage(format!(
                "there is no way to normalise called `{name}`{nearest}; there are none, standard, min-max, log1p, box-cox"
            ))
        })
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(kind, _)| *kind == self).map_or("none", |(_, name)| name)
    }
}

impl Panel {
    /// The same data with a transformed target for models; forecasts and scores stay on the scale of the data.
    ///
    /// # Errors
    /// Only if the panel cannot be assembled.
    pub fn normalised(&self, kind: Normalise) -> Result<Panel> {
        // Every series keeps its place, also one that a cut-off has emptied.
        Ok(self.with_covariates(self.to_frame(), Columns { normalise: kind, ..self.columns() }))
    }

    /// One row per series: the parameters of the transformation, estimated from all its values: `centre` and `spread`
    /// (location and scale), `lambda` of Box-Cox, or the reason why the series cannot be transformed.
    ///
    /// # Errors
    /// Only if the table cannot be assembled.
    pub fn scales(&self) -> Result<Table> {
        let n = self.len();
        let kind = self.0.columns.normalise;
        let scales: Vec<Result<Scale>> =
            (0..n).map(|i| Ok(Scale::of(kind, None, &self.regular(i), self.season())?.0)).collect();
        let column = |name: &str, pick: &dyn Fn(&Scale) -> Option<f64>| {
            Column::new(name.into(), scales.iter().map(|s| s.as_ref().ok().and_then(pick)).collect::<Vec<_>>())
        };
        let mut columns = self.key_columns(0..n)?;
        columns.push(Column::new("normalise".into(), vec![kind.name(); n]));
        columns.push(column("centre", &|scale| match scale {
            Scale::Linear { centre, .. } => Some(*centre),
            _ => None,
        }));
        columns.push(column("spread", &|scale| match scale {
            Scale::Linear { spread, .. } => Some(*spread),
            _ => None,
        }));
        columns.push(column("lambda", &|scale| match scale {
            Scale::BoxCox { lambda } => Some(*lambda),
            _ => None,
        }));
        let failures: Vec<Option<String>> = scales.iter().map(|s| s.as_ref().err().map(ToString::to_string)).collect();
        columns.push(Column::new("failure".into(), failures));
        Ok(Table::new(DataFrame::new(n, columns)?))
    }
}

/// The way from the data of one series to what its model sees, and back.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Scale {
    /// The model sees the data.
    Same,
    /// A shift and a division by a positive number.
    Linear { centre: f64, spread: f64 },
    /// ln(1 + y) of a series without a value below zero, to which forecasts keep.
    Log1p,
    /// ln(1 + y) of a series with values between −1 and 0.
    Log1pBelowZero,
    /// (y^λ − 1)/λ.
    BoxCox { lambda: f64 },
}

impl Scale {
    /// The scale of one series and its values on it, from these values alone.
    /// `lambda` is the power of a Box-Cox transformation, estimated if none is given.
    pub(crate) fn of(kind: Normalise, lambda: Option<f64>, values: &[f64], season: usize) -> Result<(Self, Vec<f64>)> {
        let scale = match kind {
            Normalise::None => return Ok((Self::Same, values.to_vec())),
            Normalise::Standard => standard(values),
            Normalise::MinMax => between(values),
            Normalise::Log1p if values.iter().any(|y| *y < 0.0) => Self::Log1pBelowZero,
            Normalise::Log1p => Self::Log1p,
            Normalise::BoxCox => Self::BoxCox { lambda: 1.0 },
        };
        let bound = match kind {
            Normalise::Log1p => -1.0,
            Normalise::BoxCox => 0.0,
            _ => f64::NEG_INFINITY,
        };
        // Zero has a place under a positive power, but tells nothing of which power it should be.
        let zero = kind == Normalise::BoxCox && lambda.is_some_and(|lambda| lambda > 0.0);
        let below = values.iter().filter(|y| **y < bound || (**y == bound && !zero)).count();
        if below > 0 {
            let least = values.iter().copied().fold(f64::INFINITY, f64::min);
            return Err(Error::model(format!(
                "{} needs values above {bound}, and {} of the series {} not (least: {}); clip or correct them, or normalise \
                 otherwise",
                kind.name(),
                number(below as f64),
                if below == 1 { "is" } else { "are" },
                number(least)
            )));
        }
        let scale = match kind {
            Normalise::BoxCox => Self::BoxCox { lambda: lambda.unwrap_or_else(|| guerrero(values, season)) },
            _ => scale,
        };
        let seen: Vec<f64> = values.iter().map(|y| scale.forward(*y)).collect();
        // A power of huge or tiny values leaves the range of numbers, or puts different values on the same number.
        let size = observed(values).fold(0.0, |size, y| y.abs().max(size));
        let kept = |(y, z): (&f64, &f64)| y.is_nan() || (scale.back(*z) - y).abs() <= 1e-6 * size;
        if values.iter().zip(&seen).all(kept) {
            Ok((scale, seen))
        } else {
            Err(Error::model(format!(
                "{} cannot represent values of such different sizes as those of the series; rescale them, \
                 or normalise otherwise",
                kind.name()
            )))
        }
    }

    /// What the model sees of a value.
    pub(crate) fn forward(&self, y: f64) -> f64 {
        match *self {
            Self::Same => y,
            Self::Linear { centre, spread } => (y - centre) / spread,
            Self::Log1p | Self::Log1pBelowZero => y.ln_1p(),
            Self::BoxCox { lambda: 0.0 } => y.ln(),
            Self::BoxCox { lambda } => (y.powf(lambda) - 1.0) / lambda,
        }
    }

    /// Transforms a model's value back; values below the range of a power transformation are continued with the
    /// opposite sign, as in R, so that the order is kept.
    pub(crate) fn back(&self, z: f64) -> f64 {
        match *self {
            Self::Same => z,
            Self::Linear { centre, spread } => centre + spread * z,
            Self::Log1p | Self::Log1pBelowZero => z.exp_m1(),
            Self::BoxCox { lambda: 0.0 } => z.exp(),
            Self::BoxCox { lambda } => {
                let base = 1.0 + lambda * z;
                if lambda < 0.0 && base <= 0.0 { f64::INFINITY } else { base.abs().powf(1.0 / lambda).copysign(base) }
            }
        }
    }

    /// The least value of a forecast: zero where no value of the series can have been below it.
    fn floor(&self) -> f64 {
        match self {
            Self::Same | Self::Linear { .. } | Self::Log1pBelowZero => f64::NEG_INFINITY,
            Self::Log1p | Self::BoxCox { .. } => 0.0,
        }
    }

    /// The mean on the scale of the data of what is normal with this mean and standard deviation.
    pub(crate) fn mean(&self, mean: f64, sd: f64) -> f64 {
        let value = match *self {
            // What is certain needs no correction; it may be a zero that lies at minus infinity.
            _ if sd == 0.0 => self.back(mean),
            Self::Same | Self::Linear { .. } => self.back(mean),
            Self::Log1pBelowZero => (mean + sd * sd / 2.0).exp_m1(),
            // What would be below zero counts as zero.
            Self::Log1p => {
                let (below, zero) = (|at: f64| Normal::standard().cdf(at), -mean / sd);
                let whole = (mean + sd * sd / 2.0).exp();
                if mean >= 0.0 {
                    whole * below(sd - zero) - below(-zero)
                } else if zero < REACH {
                    // Most of the mean of a line that has run out lies far out: what is beyond the last quantile counts as that.
                    let middle = whole * (below(REACH - sd) - below(zero - sd));
                    middle + (mean + REACH * sd).exp() * below(-REACH) - below(-zero)
                } else {
                    0.0
                }
            }
            Self::BoxCox { lambda } => {
                let median = self.back(mean);
                let share = 0.5 * (1.0 - lambda) * (sd / (1.0 + lambda * mean)).powi(2);
                // Below zero the curve bends the same way as above it.
                median + median.abs() * if lambda > 0.0 { share.clamp(-0.5, 2.0) } else { share }
            }
        };
        value.max(self.floor())
    }

    /// The value `deviates` standard deviations from the mean.
    pub(crate) fn at(&self, mean: f64, sd: f64, deviates: f64) -> f64 {
        match self {
            Self::Same => mean + deviates * sd,
            Self::Linear { .. } => self.back(mean + deviates * sd),
            Self::Log1p | Self::Log1pBelowZero | Self::BoxCox { .. } => {
                self.back(mean + deviates.clamp(-REACH, REACH) * sd).max(self.floor())
            }
        }
    }

    /// Has a forecast a meaning on the scale of the data?
    pub(crate) fn check(&self, mean: f64, sd: f64) -> Result<()> {
        // How many times itself a value changes with one standard deviation; infinite where a power reaches zero.
        let (relative, name) = match *self {
            Self::Same | Self::Linear { .. } => (0.0, ""),
            Self::Log1pBelowZero => (sd, "log1p"),
            // Its mean is exp(σ²/2) times its median; where the median is zero, exp(μ + σ²/2) at most is what counts.
            Self::Log1p => ((sd * sd + 2.0 * mean.min(0.0)).max(0.0).sqrt(), "log1p"),
            // A root or a higher power of a wide normal is wide, but not absurd.
            Self::BoxCox { lambda } if lambda > 0.25 => (0.0, "box-cox"),
            Self::BoxCox { lambda } => (sd / (1.0 + lambda * mean).abs(), "box-cox"),
        };
        if relative > WIDEST {
            return Err(Error::model(format!(
                "the forecast is too wide to be brought back from {name}: as far as it counts, its standard deviation there is {} \
                 (at most {WIDEST}); normalise otherwise",
                number(relative)
            )));
        }
        if let Self::BoxCox { lambda } = *self
            && lambda < 0.0
            && 1.0 + lambda * (mean + REACH * sd) <= 0.0
        {
            return Err(Error::model(format!(
                "the forecast is too wide to be brought back from box-cox with lambda {}: its upper tail has no value; \
                 normalise otherwise",
                number(lambda)
            )));
        }
        let ends = [self.mean(mean, sd), self.at(mean, sd, -REACH), self.at(mean, sd, REACH)];
        if ends.iter().all(|end| end.is_finite()) {
            Ok(())
        } else {
            Err(Error::model("the forecast leaves the range of numbers"))
        }
    }
}

fn observed(values: &[f64]) -> impl Iterator<Item = f64> + Clone + '_ {
    values.iter().copied().filter(|y| !y.is_nan())
}

/// Mean and standard deviation; the value itself and 1 of a constant series, which would otherwise be divided by a
/// rounding error.
fn standard(values: &[f64]) -> Scale {
    let n = observed(values).count() as f64;
    let first = observed(values).next().unwrap_or(0.0);
    if observed(values).all(|y| y == first) {
        return Scale::Linear { centre: first, spread: 1.0 };
    }
    let centre = observed(values).sum::<f64>() / n;
    let squares: f64 = observed(values).map(|y| (y - centre).powi(2)).sum();
    Scale::Linear { centre, spread: (squares / (n - 1.0)).sqrt() }
}

fn between(values: &[f64]) -> Scale {
    let low = observed(values).fold(f64::INFINITY, f64::min);
    let high = observed(values).fold(f64::NEG_INFINITY, f64::max);
    if high > low {
        Scale::Linear { centre: low, spread: high - low }
    } else {
        Scale::Linear { centre: if low.is_finite() { low } else { 0.0 }, spread: 1.0 }
    }
}

/// λ by Guerrero's method; 1 where the values do not determine it.
fn guerrero(values: &[f64], season: usize) -> f64 {
    if values.len() <= 2 * season.max(1) {
        return 1.0;
    }
    let period = season.max(2);
    // Whole seasons, counted from the end; a season of fewer than two values has no standard deviation.
    let whole = &values[values.len() % period..];
    let moments: Vec<(f64, f64)> = whole
        .chunks_exact(period)
        .filter(|season| observed(season).count() > 1)
        .map(|season| {
            let n = observed(season).count() as f64;
            let mean = observed(season).sum::<f64>() / n;
            (mean, (observed(season).map(|y| (y - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt())
        })
        .collect();
    let n = moments.len() as f64;
    let variation = |lambda: f64| {
        let ratios = moments.iter().map(|(mean, sd)| sd / mean.powf(1.0 - lambda));
        let mean = ratios.clone().sum::<f64>() / n;
        let squares: f64 = ratios.map(|ratio| (ratio - mean).powi(2)).sum();
        (squares / (n - 1.0)).sqrt() / mean
    };
    if variation(1.0).is_finite() { minimum(-1.0, 2.0, variation) } else { 1.0 }
}

/// Where a function of one variable is least: parabolas through the last three points, golden sections where they do
/// not help (Brent 1973, *Algorithms for Minimization without Derivatives*, ch. 5), to the tolerance of R's `optimize`.
fn minimum(low: f64, high: f64, f: impl Fn(f64) -> f64) -> f64 {
    // What is no number is no minimum.
    let f = |x: f64| Some(f(x)).filter(|y| y.is_finite()).unwrap_or(f64::MAX);
    let golden = (3.0 - 5.0_f64.sqrt()) / 2.0;
    let tolerance = f64::EPSILON.powf(0.25) / 3.0;
    let (mut a, mut b) = (low, high);
    let mut x = a + golden * (b - a);
    let mut fx = f(x);
    // The second and the third best point so far; the last step and the one before it.
    let ((mut w, mut fw), (mut v, mut fv)) = ((x, fx), (x, fx));
    let (mut step, mut before): (f64, f64) = (0.0, 0.0);
    for _ in 0..1_000 {
        let middle = (a + b) / 2.0;
        let near = f64::EPSILON.sqrt() * x.abs() + tolerance;
        if (x - middle).abs() <= 2.0 * near - (b - a) / 2.0 {
            break;
        }
        let (mut p, mut q, mut r) = (0.0, 0.0, 0.0);
        if before.abs() > near {
            r = (x - w) * (fx - fv);
            q = (x - v) * (fx - fw);
            p = (x - v) * q - (x - w) * r;
            q = 2.0 * (q - r);
            if q > 0.0 {
                p = -p
            } else {
                q = -q
            }
            r = before;
            before = step;
        }
        if p.abs() >= (q * r / 2.0).abs() || p <= q * (a - x) || p >= q * (b - x) {
            before = if x < middle { b - x } else { a - x };
            step = golden * before;
        } else {
            step = p / q;
            let u = x + step;
            if u - a < 2.0 * near || b - u < 2.0 * near {
                step = if x >= middle { -near } else { near };
            }
        }
        let u = x + if step.abs() >= near { step } else { near.copysign(if step > 0.0 { 1.0 } else { -1.0 }) };
        let fu = f(u);
        if fu <= fx {
            if u < x {
                b = x
            } else {
                a = x
            }
            ((v, fv), (w, fw), (x, fx)) = ((w, fw), (x, fx), (u, fu));
            continue;
        }
        if u < x {
            a = u
        } else {
            b = u
        }
        if fu <= fw || w == x {
            ((v, fv), (w, fw)) = ((w, fw), (u, fu));
        } else if fu <= fv || v == x || v == w {
            (v, fv) = (u, fu);
        }
    }
    x
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// BoxCox, InvBoxCox and InvBoxCox with biasadj of R, to rounding; see the header of the file.
    #[test]
    fn transforms_agree_with_r() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracles/normalise_values.csv");
        let text = std::fs::read_to_string(file).unwrap();
        let rows = text.lines().filter(|line| !line.starts_with('#')).skip(1);
        let mut compared = 0;
        for row in rows {
            let numbers: Vec<f64> = row.split(',').map(|cell| cell.parse().unwrap()).collect();
            let [lambda, y, z, sd, back, mean] = numbers[..] else { panic!("{row}") };
            let scale = Scale::BoxCox { lambda };
            let near = |ours: f64, theirs: f64| (ours - theirs).abs() <= 1e-11 * theirs.abs().max(1.0);
            assert!(near(scale.forward(y), z), "{row}");
            assert!(near(scale.back(z), back), "{row}");
            assert!(near(scale.mean(z, sd), mean), "{row}: {}", scale.mean(z, sd));
            compared += 1;
        }
        assert_eq!(compared, 56);
    }

    /// A random walk and one with drift on the log scale, brought back: R's `rwf(y, lambda = 0, biasadj = TRUE)`, given
    /// R's interval on the log scale.
    #[test]
    fn logarithms_come_back_as_in_r() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracles/normalise_forecasts.csv");
        let text = std::fs::read_to_string(file).unwrap();
        let mut compared = 0;
        for row in text.lines().filter(|line| line.contains(",log,")) {
            let numbers: Vec<f64> = row.split(',').skip(5).map(|cell| cell.parse().unwrap()).collect();
            let [mean, low80, high80, low95, high95] = numbers[..] else { panic!("{row}") };
            let scale = Scale::BoxCox { lambda: 0.0 };
            let (low, high) = (scale.forward(low95), scale.forward(high95));
            let (centre, sd) = ((low + high) / 2.0, (high - low) / 2.0 / 1.959_963_984_540_054);
            let near = |ours: f64, theirs: f64| (ours / theirs - 1.0).abs() <= 1e-9;
            assert!(near(scale.mean(centre, sd), mean), "{row}");
            assert!(near(scale.at(centre, sd, -1.281_551_565_544_6), low80), "{row}");
            assert!(near(scale.at(centre, sd, 1.281_551_565_544_6), high80), "{row}");
            compared += 1;
        }
        assert_eq!(compared, 5 * 3 * 18);
    }

    proptest! {
        /// There and back again is the identity.
        #[test]
        fn transforming_back_is_the_identity(
            values in proptest::collection::vec(proptest::option::weighted(0.9, 0.01..1e5_f64), 1..60),
            season in 1..8_usize,
        ) {
            let values: Vec<f64> = values.into_iter().map(|value| value.unwrap_or(f64::NAN)).collect();
            for (kind, _) in NAMES {
                let (scale, seen) = Scale::of(kind, None, &values, season).unwrap();
                for (y, z) in values.iter().zip(&seen) {
                    prop_assert_eq!(y.is_nan(), z.is_nan());
                    prop_assert!(y.is_nan() || (scale.back(*z) - y).abs() <= 1e-9 * 1e5, "{:?} {} {}", scale, y, z);
                }
            }
        }
    }

    #[test]
    fn the_mean_under_a_logarithm_is_that_of_the_log_normal() {
        let exact = (1.5_f64 + 0.7 * 0.7 / 2.0).exp() - 1.0;
        assert!((Scale::Log1pBelowZero.mean(1.5, 0.7) - exact).abs() < 1e-12);
        // Far above zero nothing is cut off.
        assert!((Scale::Log1p.mean(9.0, 0.7) / (9.0_f64 + 0.7 * 0.7 / 2.0).exp_m1() - 1.0).abs() < 1e-12);
    }

    /// The mean of max(0, exp(z) − 1), summed over the quantiles that the same scale gives.
    #[test]
    fn the_mean_of_what_ends_at_zero_is_that_of_its_quantiles() {
        for (mean, sd) in [(1.5, 0.7), (0.1, 0.5), (-0.4, 0.3), (-2.0, 0.2), (0.0, 1.0), (-6.0, 4.2)] {
            let n = 200_000;
            let probability = |k: i32| (f64::from(k) + 0.5) / f64::from(n);
            let at = |k: i32| Scale::Log1p.at(mean, sd, Normal::standard().inverse_cdf(probability(k)));
            let summed = (0..n).map(at).sum::<f64>() / f64::from(n);
            let ours = Scale::Log1p.mean(mean, sd);
            assert!(ours >= 0.0 && (ours - summed).abs() < 2e-3 * summed.max(0.1), "{mean} {sd}: {ours}, {summed}");
        }
    }

    #[test]
    fn what_was_never_below_zero_does_not_come_back_below_zero() {
        let of = |kind, values: &[f64]| Scale::of(kind, None, values, 1).unwrap().0;
        for scale in [of(Normalise::Log1p, &[0.0, 3.0, 1.0]), Scale::BoxCox { lambda: 1.0 }] {
            for (mean, sd) in [(-3.0, 0.5), (-0.2, 2.0), (-1.0, 0.0)] {
                assert_eq!(scale.at(mean, sd, -2.0), 0.0, "{scale:?}");
                assert!(scale.mean(mean, sd) >= 0.0 && scale.at(mean, sd, 4.0) >= 0.0, "{scale:?}");
            }
        }
        let scale = of(Normalise::Log1p, &[-0.5, 3.0]);
        assert!(scale.at(-0.5, 0.1, -1.0) < 0.0 && scale.mean(-0.5, 0.1) < 0.0);
    }

    #[test]
    fn near_zero_the_adjustment_stays_in_bounds_and_the_order_is_kept() {
        for lambda in [0.1, 0.5, 0.9, 1.5, 2.0] {
            let scale = Scale::BoxCox { lambda };
            for i in -300..300 {
                let mean = f64::from(i) / 50.0;
                let (median, adjusted) = (scale.back(mean), scale.mean(mean, 1.0));
                assert!(adjusted.is_finite() && (adjusted - median).abs() <= 2.0 * median.abs() + 1e-12);
                let at: Vec<f64> = (-8..=8).map(|k| scale.at(mean, 1.0, f64::from(k))).collect();
                assert!(at.windows(2).all(|pair| pair[0] <= pair[1]), "{lambda} {mean} {at:?}");
            }
        }
    }

    #[test]
    fn what_has_no_meaning_is_refused_in_words() {
        let refused = |scale: Scale, mean: f64, sd: f64| scale.check(mean, sd).unwrap_err().to_string();
        assert!(refused(Scale::Log1p, 3.0, 6.0).contains("too wide"));
        assert!(refused(Scale::Log1p, -0.5, 6.0).contains("too wide"));
        // Nothing, with a small chance of little.
        assert!(Scale::Log1p.check(-8.0, 4.3).is_ok() && Scale::Log1p.mean(-8.0, 4.3) < 10.0);
        assert!(refused(Scale::BoxCox { lambda: -1.0 }, 0.9, 0.05).contains("upper tail"));
        assert!(refused(Scale::Log1p, 750.0, 1.0).contains("range of numbers"));
        assert!(Scale::BoxCox { lambda: -0.3 }.check(2.8, 0.05).is_ok());
        assert!(Scale::BoxCox { lambda: 0.5 }.check(-2.0, 5.0).is_ok());
    }
}
