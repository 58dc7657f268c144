//! One number between two others.

/// The minimum of `f` between two numbers, to 1e-9 of them: the best point of a coarse grid, then
/// golden-section search around it, as a function may have several valleys (Kiefer 1953, *Proceedings of the American
/// Mathematical Society* 4).
pub fn on_interval((lowest, highest): (f64, f64), f: impl Fn(f64) -> f64) -> f64 {
    const GRID: usize = 24;
    let at = |i: usize| lowest + (highest - lowest) * i as f64 / GRID as f64;
    let values: [f64; GRID + 1] = std::array::from_fn(|i| f(at(i)));
    let best = (0..=GRID).min_by(|a, b| values[*a].total_cmp(&values[*b])).unwrap_or(0);
    let (mut low, mut high) = (at(best.saturating_sub(1)), at((best + 1).min(GRID)));
    let ratio = (5.0_f64.sqrt() - 1.0) / 2.0;
    let (mut left, mut right) = (high - ratio * (high - low), low + ratio * (high - low));
    let (mut f_left, mut f_right) = (f(left), f(right));
    while high - low > 1e-9 {
        if f_left <= f_right {
            (high, right, f_right) = (right, left, f_left);
            left = high - ratio * (high - low);
            f_left = f(left);
        } else {
            (low, left, f_left) = (left, right, f_right);
            right = low + ratio * (high - low);
            f_right = f(right);
        }
    }
    // The search works inside the interval; the optimum may lie on the border itself.
    [(low + high) / 2.0, lowest, highest].into_iter().min_by(|a, b| f(*a).total_cmp(&f(*b))).unwrap_or(low)
}

#[cfg(test)]
mod tests {
    use super::on_interval;

    #[test]
    fn the_deeper_of_two_valleys_and_the_border_are_found() {
        let two = |x: f64| (x * x - 1.0).powi(2) + 0.1 * x;
        let found = on_interval((-2.0, 2.0), two);
        // The derivative 4x³ − 4x + 0.1 is zero at −1.01227.
        assert!((found + 1.012_270).abs() < 1e-5, "{found}");
        assert_eq!(on_interval((0.25, 3.0), |x| x), 0.25);
        assert_eq!(on_interval((0.25, 3.0), |x| -x), 3.0);
    }
}
