//! Differences of a series, by a lag or by the weights of a differencing polynomial.

/// The series of wₜ = yₜ − Σ δⱼ yₜ₋ⱼ, shorter by the number of weights.
pub(super) fn differenced(values: &[f64], weights: &[f64]) -> Vec<f64> {
    let lost = weights.len().min(values.len());
    let mut out = values[lost..].to_vec();
    for (j, weight) in weights.iter().enumerate().filter(|(_, weight)| **weight != 0.0) {
        for (o, v) in out.iter_mut().zip(&values[lost - (j + 1).min(lost)..]) {
            *o -= weight * v;
        }
    }
    out
}

/// Changes over `lag` steps.
pub(super) fn lagged(values: &[f64], lag: usize) -> Vec<f64> {
    values.iter().skip(lag).zip(values).map(|(later, before)| later - before).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_those_of_the_weights() {
        let y = [1.0, 4.0, 9.0, 16.0, 25.0, 36.0];
        assert_eq!(differenced(&y, &[1.0]), [3.0, 5.0, 7.0, 9.0, 11.0]);
        assert_eq!(differenced(&y, &[2.0, -1.0]), [2.0; 4]);
        assert_eq!(differenced(&y, &[0.0, 0.0, 1.0]), lagged(&y, 3));
        assert_eq!(differenced(&y[..2], &[0.0, 0.0, 1.0]), [0.0; 0]);
    }
}
