//! Is one forecast really better than another, or was it luck?
//!
//! * Diebold & Mariano (1995) take the differences of two losses, origin by origin, and ask whether their mean is
//!   zero: d̄ / √((γ₀ + 2 Σ γₖ) / n), with the autocovariances γₖ up to the horizon less one. Harvey, Leybourne &
//!   Newbold (1997) multiply it by √((n + 1 − 2h + h(h−1)/n) / n) and compare with Student's t of n − 1 degrees of
//!   freedom. Where the sum of autocovariances is not positive, only γ₀ is taken, as `forecast::dm.test` of R does.
//! * Friedman (1937) asks whether several methods have the same mean rank over blocks, with average ranks for ties;
//!   Iman & Davenport (1980) turn the statistic into an F that is less cautious.
//! * Nemenyi (1963): two mean ranks differ significantly if they differ by more than q √(k(k+1) / 6n), q the quantile of the
//!   studentised range over √2 (Demšar 2006, *Journal of Machine Learning Research* 7).
//! * Wilcoxon (1945) ranks the sizes of paired differences; exact without ties for up to 50 pairs, as a normal
//!   approximation beyond. Holm (1979) makes the p-values of several such tests safe together.
//!
//! All of them fail where what they count as separate is not: blocks or origins that share their shocks say the same
//! thing twice.

use std::f64::consts::SQRT_2;

use statrs::distribution::{ChiSquared, Continuous, ContinuousCDF, FisherSnedecor, Normal, StudentsT};

use crate::error::{Error, Result};

/// The result of a Diebold–Mariano test of the mean loss difference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DieboldMariano {
    /// The statistic, with the correction for small samples; below zero where the first loss is smaller.
    pub statistic: f64,
    /// The two-sided p-value under the null hypothesis of equal accuracy.
    pub p_value: f64,
    /// The mean difference.
    pub mean: f64,
    /// Half the width of its 95 % interval.
    pub margin: f64,
    /// Origins.
    pub origins: usize,
    /// Was the sum of autocovariances not positive, so that only the variance was taken?
    pub fell_back: bool,
}

/// The Diebold–Mariano test with the correction of Harvey, Leybourne and Newbold, two-sided. `differences` are the
/// first loss less the second at successive origins; forecasts of neighbouring origins overlap `horizon` − 1 times.
///
/// ```
/// use tradewind::statistics::diebold_mariano;
/// let test = diebold_mariano(&[0.2, -0.1, 0.4, 0.3, 0.5, 0.1], 1)?;
/// assert!(test.statistic > 2.5 && test.p_value < 0.05);
/// # Ok::<(), tradewind::Error>(())
/// ```
///
/// # Errors
/// When there are fewer than two differences, no more than the horizon, or all are the same and not zero.
pub fn diebold_mariano(differences: &[f64], horizon: usize) -> Result<DieboldMariano> {
    let n = differences.len();
    if n < 2 {
        return Err(Error::model(format!("a Diebold–Mariano test needs two origins, there is {n}")));
    }
    if horizon > 1 && horizon >= n {
        return Err(Error::model(format!("{n} origins whose forecasts overlap {} times are too few", horizon - 1)));
    }
    let size = n as f64;
    let mean = differences.iter().sum::<f64>() / size;
    let largest = differences.iter().fold(0.0, |most: f64, d| most.max(d.abs()));
    if !largest.is_finite() || !mean.is_finite() {
        return Err(Error::model("a Diebold–Mariano test needs finite differences"));
    }
    if largest == 0.0 {
        let statistic = 0.0;
        return Ok(DieboldMariano { statistic, p_value: 1.0, mean, margin: 0.0, origins: n, fell_back: false });
    }
    // Of numbers of 1e300 the squares would overflow.
    let away: Vec<f64> = differences.iter().map(|d| (d - mean) / largest).collect();
    if away.iter().all(|d| d.abs() < 1e-12) {
        return Err(Error::model("all differences are the same: there is no variance to compare their mean with"));
    }
    let covariance = |lag: usize| away.iter().zip(&away[lag..]).map(|(a, b)| a * b).sum::<f64>() / size;
    let lags = horizon.max(1) - 1;
    let sum = covariance(0) + 2.0 * (1..=lags).map(covariance).sum::<f64>();
    let (variance, steps, fell_back) = match sum > 0.0 {
        true => (sum / size, horizon.max(1) as f64, false),
        false => (covariance(0) / size, 1.0, true),
    };
    let correction = (size + 1.0 - 2.0 * steps + steps / size * (steps - 1.0)) / size;
    let error = largest * (variance / correction).sqrt();
    let student = StudentsT::new(0.0, 1.0, size - 1.0).map_err(|why| Error::model("Student's t").because(why))?;
    let statistic = mean / error;
    Ok(DieboldMariano {
        statistic,
        p_value: (2.0 * student.sf(statistic.abs())).min(1.0),
        mean,
        margin: error * student_quantile(size - 1.0, 0.975)?,
        origins: n,
        fell_back,
    })
}

/// The quantile of Student's t; beyond 10⁵ degrees of freedom that of the normal distribution, which is the same to five digits:
/// statrs 0.19.1 loses more of it there.
///
/// # Errors
/// When there are no degrees of freedom.
pub(crate) fn student_quantile(freedom: f64, probability: f64) -> Result<f64> {
    if freedom > 1e5 {
        return Ok(Normal::standard().inverse_cdf(probability));
    }
    let student = StudentsT::new(0.0, 1.0, freedom).map_err(|why| Error::model("Student's t").because(why))?;
    Ok(student.inverse_cdf(probability))
}

/// Mean ranks of several methods over blocks, and whether they differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Friedman {
    /// The mean rank of each method, 1 for the one that is always smallest.
    pub mean_ranks: Vec<f64>,
    /// Blocks that were ranked.
    pub blocks: usize,
    /// Friedman's statistic, with the correction for ties.
    pub statistic: f64,
    /// How probable it is if no method differs, by the chi-squared distribution.
    pub p_value: f64,
    /// The F of Iman and Davenport; infinite if all blocks rank alike.
    pub f: f64,
    /// How probable that is if no method differs.
    pub f_p_value: f64,
}

/// Friedman's test: `blocks` hold one loss for each method.
///
/// # Errors
/// When there are fewer than two blocks or methods, or the blocks hold different numbers of them.
pub fn friedman(blocks: &[Vec<f64>]) -> Result<Friedman> {
    let k = blocks.first().map_or(0, Vec::len);
    let n = blocks.len();
    if n < 2 || k < 2 || blocks.iter().any(|block| block.len() != k) {
        return Err(Error::model(format!("Friedman's test needs two blocks of two methods, there are {n} of {k}")));
    }
    let (methods, size) = (k as f64, n as f64);
    let mut sums = vec![0.0; k];
    let mut ties = 0.0;
    for block in blocks {
        let (ranks, tied) = ranks(block);
        sums.iter_mut().zip(ranks).for_each(|(sum, rank)| *sum += rank);
        ties += tied;
    }
    let mean_ranks: Vec<f64> = sums.iter().map(|sum| sum / size).collect();
    let middle = (methods + 1.0) / 2.0;
    let spread: f64 = mean_ranks.iter().map(|rank| (rank - middle).powi(2)).sum();
    let scale = methods * (methods + 1.0) - ties / (size * (methods - 1.0));
    // All tied everywhere: nothing differs.
    let statistic = if scale > 1e-9 { 12.0 * size * spread / scale } else { 0.0 };
    let (above, below) = ((size - 1.0) * statistic, size * (methods - 1.0) - statistic);
    let f = if below > 1e-9 * size { above / below } else { f64::INFINITY };
    let failed = |why: &dyn std::fmt::Display| Error::model(format!("a distribution of Friedman's test: {why}"));
    let chi = ChiSquared::new(methods - 1.0).map_err(|why| failed(&why))?;
    let fisher = FisherSnedecor::new(methods - 1.0, (methods - 1.0) * (size - 1.0)).map_err(|why| failed(&why))?;
    let f_p_value = if f.is_finite() { fisher.sf(f) } else { 0.0 };
    Ok(Friedman { mean_ranks, blocks: n, statistic, p_value: chi.sf(statistic), f, f_p_value })
}

/// The ranks of values, the smallest first, ties at their mean; and Σ (t³ − t) over the groups of `t` ties.
fn ranks(values: &[f64]) -> (Vec<f64>, f64) {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let (mut from, mut ties) = (0, 0.0);
    for group in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let many = group.len() as f64;
        group.iter().for_each(|at| ranks[*at] = from as f64 + (many + 1.0) / 2.0);
        ties += many.powi(3) - many;
        from += group.len();
    }
    (ranks, ties)
}

/// How probable it is that the range of `k` independent standard normal values exceeds `q`: the studentised range with
/// infinitely many degrees of freedom.
pub fn studentised_range(q: f64, k: usize) -> f64 {
    if q.is_nan() || k < 2 {
        return f64::NAN;
    }
    if q <= 0.0 {
        return 1.0;
    }
    // The least of them is at z, all others within q above it: k ∫ φ(z) (Φ(z+q) − Φ(z))^(k−1) dz, by Simpson's rule.
    const STEPS: usize = 2_000;
    let normal = Normal::standard();
    let (low, high) = (-9.0, 9.0);
    let width = (high - low) / STEPS as f64;
    let at = |step: usize| {
        let z = low + width * step as f64;
        normal.pdf(z) * (normal.cdf(z + q) - normal.cdf(z)).powi(k as i32 - 1)
    };
    let inner: f64 = (1..STEPS).map(|step| at(step) * if step % 2 == 1 { 4.0 } else { 2.0 }).sum();
    (1.0 - k as f64 * width / 3.0 * (at(0) + inner + at(STEPS))).clamp(0.0, 1.0)
}

/// What the range of `k` independent standard normal values exceeds with probability 1 − `level`.
///
/// # Errors
/// When `level` is not between 0 and 1, or there are fewer than two values.
pub fn studentised_range_quantile(level: f64, k: usize) -> Result<f64> {
    if !(level > 0.0 && level < 1.0) || k < 2 {
        return Err(Error::usage(format!("a quantile of the range of {k} values at {level} does not exist")));
    }
    let (mut low, mut high) = (0.0, 40.0);
    while high - low > 1e-10 {
        let middle = f64::midpoint(low, high);
        if studentised_range(middle, k) > 1.0 - level { low = middle } else { high = middle }
    }
    Ok(f64::midpoint(low, high))
}

/// The critical difference of two mean ranks of `k` methods over `n` blocks at the 0.05 level (Nemenyi).
///
/// # Errors
/// When there are fewer than two methods, or no blocks.
pub fn critical_difference(k: usize, n: usize) -> Result<f64> {
    if n == 0 {
        return Err(Error::usage("a critical difference needs a block"));
    }
    let methods = k as f64;
    Ok(studentised_range_quantile(0.95, k)? / SQRT_2 * (methods * (methods + 1.0) / (6.0 * n as f64)).sqrt())
}

/// The longest runs of methods, from and to, whose mean ranks differ by no more than `difference`; `ranks` ascend. A
/// run has two members or more.
pub fn alike(ranks: &[f64], difference: f64) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for from in 0..ranks.len() {
        let to = from + ranks[from..].iter().take_while(|rank| **rank - ranks[from] <= difference).count();
        // A run that ends where one ended before lies within it.
        if to > from + 1 && runs.last().is_none_or(|(_, last)| to - 1 > *last) {
            runs.push((from, to - 1));
        }
    }
    runs
}

/// The signed-rank test of Wilcoxon, two-sided: the sum of the ranks of positive differences, and how probable one so
/// far from its mean is if the differences lie evenly about zero. Differences of zero are left out.
///
/// # Errors
/// When no difference is left.
pub fn wilcoxon(differences: &[f64]) -> Result<(f64, f64)> {
    let left: Vec<f64> = differences.iter().copied().filter(|d| *d != 0.0 && !d.is_nan()).collect();
    let n = left.len();
    if n == 0 {
        return Err(Error::model("a signed-rank test needs a difference that is not zero"));
    }
    let (ranks, ties) = ranks(&left.iter().map(|d| d.abs()).collect::<Vec<_>>());
    let sum: f64 = left.iter().zip(&ranks).filter(|(d, _)| **d > 0.0).map(|(_, rank)| rank).sum();
    let size = n as f64;
    let total = size * (size + 1.0) / 2.0;
    if n <= 50 && ties == 0.0 {
        // How many of the 2ⁿ choices of signs give each sum, as probabilities.
        let mut chance = vec![0.0; total as usize + 1];
        chance[0] = 1.0;
        for rank in 1..=n {
            for at in (0..chance.len()).rev() {
                chance[at] = 0.5 * (chance[at] + if at >= rank { chance[at - rank] } else { 0.0 });
            }
        }
        let least = sum.min(total - sum) as usize;
        return Ok((sum, (2.0 * chance[..=least].iter().sum::<f64>()).min(1.0)));
    }
    let variance = size * (size + 1.0) * (2.0 * size + 1.0) / 24.0 - ties / 48.0;
    let z = (sum - total / 2.0).abs() / variance.sqrt();
    Ok((sum, (2.0 * Normal::standard().sf(z)).min(1.0)))
}

/// The p-values of several tests, adjusted for multiple testing (Holm).
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    let mut raised = vec![f64::NAN; p_values.len()];
    let mut most: f64 = 0.0;
    for (place, at) in order.iter().enumerate() {
        most = most.max(p_values[*at] * (p_values.len() - place) as f64).min(1.0);
        raised[*at] = most;
    }
    raised
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scipy 1.17: stats.t.ppf(.975, n).
    #[test]
    fn quantiles_of_t_are_those_of_scipy_however_many_there_are() {
        for (freedom, theirs) in
            [(1.0, 12.706_204_736), (30.0, 2.042_272_456), (1e4, 1.960_201_240), (1e7, 1.959_964_222)]
        {
            let ours = student_quantile(freedom, 0.975).unwrap();
            assert!((ours - theirs).abs() < 1e-5 * theirs, "{freedom}: {ours}");
        }
        assert!(student_quantile(0.0, 0.975).is_err());
    }
}
