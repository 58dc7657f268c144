//! How likely is a distance, or an index, without drift? For information; no verdict depends on it.
//!
//! The Kolmogorov distribution (Marsaglia, Tsang & Wang 2003 for its two series) and the χ² distribution as Wilson &
//! Hilferty (1931) approximate it, good to about three decimals.

/// The mean square of the Kolmogorov–Smirnov distance without drift, times 1/(1/n + 1/m): π²/12.
pub const SQUARE: f64 = 0.822_467_033_424_113_2;

/// The p value of a two-sample Kolmogorov–Smirnov distance, asymptotic.
pub fn p_value(ks: f64, n: u64, m: u64) -> f64 {
    let (n, m) = (n as f64, m as f64);
    let x = ks * (n * m / (n + m)).sqrt();
    if x < 0.2 {
        return 1.0;
    }
    let p = if x < 1.0 {
        let term = |k: i32| (-f64::from((2 * k - 1).pow(2)) * std::f64::consts::PI.powi(2) / (8.0 * x * x)).exp();
        1.0 - (2.0 * std::f64::consts::PI).sqrt() / x * (1..20).map(term).sum::<f64>()
    } else {
        let term = |k: i32| if k % 2 == 1 { 1.0 } else { -1.0 } * (-2.0 * f64::from(k * k) * x * x).exp();
        2.0 * (1..20).map(term).sum::<f64>()
    };
    p.clamp(0.0, 1.0)
}

/// The upper tail of the χ² distribution.
pub fn chi_square(x: f64, freedom: f64) -> f64 {
    if freedom < 1.0 {
        return 1.0;
    }
    let scale = 2.0 / (9.0 * freedom);
    let z = ((x.max(0.0) / freedom).cbrt() - (1.0 - scale)) / scale.sqrt();
    normal_tail(z)
}

/// The upper tail of the normal distribution (Abramowitz & Stegun 26.2.17, error below 1e-7).
fn normal_tail(z: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * z.abs());
    let series = [1.330_274_429, -1.821_255_978, 1.781_477_937, -0.356_563_782, 0.319_381_530];
    let sum = series.iter().fold(0.0, |sum, c| (sum + c) * t);
    let tail = (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt() * sum;
    if z >= 0.0 { tail } else { 1.0 - tail }
}

#[cfg(test)]
mod tests {
    /// `scipy.stats.chi2.sf` of scipy 1.17.1.
    #[test]
    fn as_scipy() {
        for (x, freedom, p) in
            [(12.0, 9.0, 0.213309), (30.0, 9.0, 0.000438722), (3.0, 2.0, 0.22313), (60.0, 40.0, 0.0218735)]
        {
            assert!((super::chi_square(x, freedom) - p).abs() < 0.004);
        }
    }
}
