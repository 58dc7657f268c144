//! Which groups differ from the rest, and by how much once chance is taken off?
//!
//! value = mean + one effect for each factor + residual, effects normal around 0 with a variance for each factor:
//! crossed random effects (Henderson 1975). An effect is the mean of what the others leave, times n / (n + residual
//! variance / variance of the factor): groups with little history hardly differ from all. The variances are those that
//! make the values most likely, by expectation and maximisation, effects taken as independent given the values (Ormerod
//! & Wand 2010). With one factor that is exact; with several the variances come out somewhat small, and effects are
//! shrunk more.

/// Rounds of expectation and maximisation at most, and the change of a variance (in shares of all) that ends them.
const ROUNDS: usize = 500;
const ENOUGH: f64 = 1e-7;

/// The mean of all and how each level of each factor differs.
pub(super) struct Shrunken {
    pub(super) mean: f64,
    /// By factor and level.
    pub(super) effects: Vec<Vec<f64>>,
}

/// Fits values, with the level of each (from 0) in every factor.
pub(super) fn shrunken(values: &[f64], factors: &[Vec<usize>]) -> Shrunken {
    let count = values.len() as f64;
    let mut mean = values.iter().sum::<f64>() / count.max(1.0);
    let whole = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count.max(1.0);
    let counts: Vec<Vec<f64>> = factors
        .iter()
        .map(|levels| {
            let mut counts = vec![0.0; levels.iter().max().map_or(0, |last| last + 1)];
            for level in levels {
                if let Some(count) = counts.get_mut(*level) {
                    *count += 1.0;
                }
            }
            counts
        })
        .collect();
    let mut effects: Vec<Vec<f64>> = counts.iter().map(|levels| vec![0.0; levels.len()]).collect();
    if whole <= 0.0 {
        return Shrunken { mean, effects };
    }
    let mut noise = whole;
    let mut variances = vec![whole / (1.0 + factors.len() as f64); factors.len()];
    let mut residuals: Vec<f64> = values.iter().map(|value| value - mean).collect();
    for _ in 0..ROUNDS {
        let mut moved: f64 = 0.0;
        let mut uncertain = 0.0;
        for ((levels, counts), (effects, variance)) in
            factors.iter().zip(&counts).zip(effects.iter_mut().zip(&mut variances))
        {
            let mut sums = vec![0.0; effects.len()];
            for (level, residual) in levels.iter().zip(&residuals) {
                if let Some(sum) = sums.get_mut(*level) {
                    *sum += residual;
                }
            }
            let mut squares = 0.0;
            for ((sum, effect), count) in sums.iter_mut().zip(effects.iter_mut()).zip(counts) {
                let spread = noise / (count + noise / *variance);
                let new = (*sum + count * *effect) / (count + noise / *variance);
                *sum = new - *effect;
                *effect = new;
                squares += new * new + spread;
                uncertain += count * spread;
            }
            for (level, residual) in levels.iter().zip(&mut residuals) {
                *residual -= sums.get(*level).copied().unwrap_or_default();
            }
            // Never zero: a factor without an effect would be divided by.
            let new = (squares / effects.len().max(1) as f64).max(1e-9 * whole);
            moved = moved.max((new - *variance).abs());
            *variance = new;
        }
        let shift = residuals.iter().sum::<f64>() / count;
        mean += shift;
        residuals.iter_mut().for_each(|residual| *residual -= shift);
        let new =
            ((residuals.iter().map(|residual| residual * residual).sum::<f64>() + uncertain) / count).max(1e-9 * whole);
        moved = moved.max((new - noise).abs());
        noise = new;
        if moved < ENOUGH * whole {
            break;
        }
    }
    Shrunken { mean, effects }
}

#[cfg(test)]
mod tests {
    use super::shrunken;

    /// statsmodels 0.15.0, `MixedLM(y, ones, g).fit(reml=False)`: the fixed effect and `random_effects`; its optimiser
    /// stops within 1e-4 of the likelihood's maximum.
    #[test]
    fn one_factor_is_the_mixed_model_of_statsmodels() {
        let values = [0.5, 0.3, 0.6, -0.4, -0.6, -0.1, -0.5, 0.2, 0.1, 0.05, -0.2, 0.4, 0.35, -0.7];
        let groups = vec![0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4];
        let fit = shrunken(&values, &[groups]);
        let expected = [0.461_719, -0.326_063, 0.146_884, 0.206_852, -0.489_393];
        assert!((fit.mean + 0.046_623).abs() < 1e-3, "{}", fit.mean);
        for (effect, expected) in fit.effects[0].iter().zip(expected) {
            assert!((effect - expected).abs() < 1e-3, "{effect} {expected}");
        }
    }
}
