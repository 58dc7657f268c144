//! Are values normal, as intervals from a mean and a standard deviation assume?
//!
//! Jarque & Bera (1980) test whether skewness and kurtosis are normal: n/6 (S² + (K−3)²/4),
//! chi-squared with 2 degrees of freedom in large samples. Shapiro & Wilk (1965) compare the values in order with what
//! normal ones would be; weights and p-value by Royston (1995, *Applied Statistics* 44, algorithm AS R94), for 3 to 5,000
//! values. Missing values are left out.

use statrs::distribution::{ChiSquared, ContinuousCDF, Normal};

use crate::error::{Error, Result};

/// A test whose null hypothesis is the normal distribution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NormalityTest {
    /// The test statistic.
    pub statistic: f64,
    /// The p-value under the null hypothesis of a normal distribution.
    pub p_value: f64,
}

/// The Jarque–Bera test.
///
/// # Errors
/// When there are fewer than three values or they do not vary.
pub fn jarque_bera(values: &[f64]) -> Result<NormalityTest> {
    let y = standardised(values)?;
    let n = y.len() as f64;
    let moment = |power: i32| y.iter().map(|v| v.powi(power)).sum::<f64>() / n;
    let variance = moment(2);
    let (skewness, kurtosis) = (moment(3) / variance.powf(1.5), moment(4) / (variance * variance));
    let statistic = n / 6.0 * (skewness * skewness + (kurtosis - 3.0).powi(2) / 4.0);
    let distribution = ChiSquared::new(2.0).map_err(|why| Error::model("a chi-squared distribution").because(why))?;
    Ok(NormalityTest { statistic, p_value: distribution.sf(statistic) })
}

/// The Shapiro–Wilk test.
///
/// # Errors
/// When there are fewer than three or more than 5,000 values or they do not vary.
pub fn shapiro_wilk(values: &[f64]) -> Result<NormalityTest> {
    let mut y = standardised(values)?;
    let n = y.len();
    if n > 5_000 {
        return Err(Error::model(format!("a Shapiro–Wilk test takes at most 5,000 values, not {n}")));
    }
    y.sort_unstable_by(f64::total_cmp);
    let sum: f64 = weights(n).iter().enumerate().map(|(i, weight)| weight * (y[n - 1 - i] - y[i])).sum();
    let squares: f64 = y.iter().map(|v| v * v).sum();
    let statistic = (sum * sum / squares).min(1.0);
    Ok(NormalityTest { statistic, p_value: royston(statistic, n) })
}

/// The coefficients of the upper half of the ordered values, the largest first.
fn weights(n: usize) -> Vec<f64> {
    if n == 3 {
        return vec![0.5_f64.sqrt()];
    }
    let normal = Normal::standard();
    let scores: Vec<f64> = (1..=n / 2).map(|i| -normal.inverse_cdf((i as f64 - 0.375) / (n as f64 + 0.25))).collect();
    let squares = 2.0 * scores.iter().map(|m| m * m).sum::<f64>();
    let u = (n as f64).sqrt().recip();
    let first =
        scores[0] / squares.sqrt() + polynomial(&[0.0, 0.221_157, -0.147_981, -2.071_19, 4.434_685, -2.706_056], u);
    let mut weights: Vec<f64> = vec![first];
    if n > 5 {
        let second = polynomial(&[0.0, 0.042_981, -0.293_762, -1.752_461, 5.682_633, -3.582_633], u);
        weights.push(scores[1] / squares.sqrt() + second);
    }
    let known = weights.len();
    let rest = squares - 2.0 * scores[..known].iter().map(|m| m * m).sum::<f64>();
    let share = 1.0 - 2.0 * weights.iter().map(|a| a * a).sum::<f64>();
    let scale = (rest / share).sqrt();
    weights.extend(scores[known..].iter().map(|m| m / scale));
    weights
}

/// The p-value of a Shapiro–Wilk statistic of `n` values.
fn royston(statistic: f64, n: usize) -> f64 {
    use std::f64::consts::{FRAC_PI_3, PI};
    if n == 3 {
        return (6.0 / PI * (statistic.sqrt().asin() - FRAC_PI_3)).clamp(0.0, 1.0);
    }
    let y = (1.0 - statistic).ln();
    let (z, mean, sd) = if n <= 11 {
        let size = n as f64;
        let gamma = polynomial(&[-2.273, 0.459], size);
        if y >= gamma {
            return 0.0;
        }
        (
            -(gamma - y).ln(),
            polynomial(&[0.544, -0.399_78, 0.025_054, -6.714e-4], size),
            polynomial(&[1.382_2, -0.778_57, 0.062_767, -0.002_032_2], size).exp(),
        )
    } else {
        let size = (n as f64).ln();
        (
            y,
            polynomial(&[-1.586_1, -0.310_82, -0.083_751, 0.003_891_5], size),
            polynomial(&[-0.480_3, -0.082_676, 0.003_030_2], size).exp(),
        )
    };
    Normal::standard().sf((z - mean) / sd)
}

fn polynomial(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
}

/// The values that are there less their mean, over their range.
fn standardised(values: &[f64]) -> Result<Vec<f64>> {
    let y: Vec<f64> = values.iter().copied().filter(|v| !v.is_nan()).collect();
    if y.len() < 3 {
        return Err(Error::model(format!("a test of normality needs three values, there are {}", y.len())));
    }
    let (low, high) = y.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(*v), high.max(*v)));
    let range = high - low;
    if !range.is_finite() || range <= 1e-14 * low.abs().max(high.abs()) {
        return Err(Error::model("a test of normality needs finite values that vary"));
    }
    let mean = y.iter().map(|v| (v - low) / range).sum::<f64>() / y.len() as f64;
    Ok(y.iter().map(|v| (v - low) / range - mean).collect())
}
