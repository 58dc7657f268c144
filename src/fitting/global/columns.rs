//! How are features calculated?

use std::ops::Range;

use super::features::Feature;
use super::{AlignedSeries, FeatureSet};

/// The largest distance to a change of a flag.
const MAX_DISTANCE: usize = 60;
/// The decay of weights from one occurrence to the next, in exponentially weighted means by place.
const DECAY: f64 = 0.95;

impl FeatureSet {
    /// The mean of the last season that is available `reach` steps ahead; of all earlier values, where there is none.
    pub fn recent(&self, series: &AlignedSeries, times: Range<usize>, reach: usize) -> Vec<f64> {
        let sums = Sums::of(&series.y);
        let first = |means: &[f64]| means.iter().copied().find(|mean| !mean.is_nan()).unwrap_or(0.0);
        times
            .map(|t| {
                first(&[self.season.max(4), 4 * self.season.max(4), t + 1].map(|steps| sums.mean(t, reach, steps)))
            })
            .collect()
    }

    /// The last value at the same place of the season that is available `reach` steps ahead; the recent mean where it is
    /// missing.
    pub fn seasonal(&self, series: &AlignedSeries, times: Range<usize>, reach: usize) -> Vec<f64> {
        let back = reach.div_ceil(self.season) * self.season;
        let mut anchors = self.recent(series, times.clone(), reach);
        for (t, anchor) in times.zip(&mut anchors) {
            *anchor = t.checked_sub(back).map(|at| series.y[at]).filter(|y| !y.is_nan()).unwrap_or(*anchor);
        }
        anchors
    }

    /// The place of a step in the season.
    fn place(&self, series: &AlignedSeries, t: usize) -> usize {
        (series.start + t as i64).rem_euclid(self.season as i64) as usize
    }

    /// The feature matrix, by column, for some steps of a series, counted from its first one.
    pub fn columns(&self, series: &AlignedSeries, times: Range<usize>) -> Vec<Vec<f64>> {
        let sums = Sums::of(&series.y);
        self.features.iter().map(|feature| self.column(feature, series, &sums, times.clone())).collect()
    }

    fn column(&self, feature: &Feature, series: &AlignedSeries, sums: &Sums, times: Range<usize>) -> Vec<f64> {
        let back = |of: &[f64], t: usize, steps: usize| t.checked_sub(steps).map_or(f64::NAN, |at| of[at]);
        let each = |value: &dyn Fn(usize) -> f64| times.clone().map(value).collect();
        match *feature {
            Feature::Lag(lag) => each(&|t| back(&series.y, t, lag)),
            Feature::Seasons { first, season, count } => each(&|t| {
                let values = (0..count).map(|k| back(&series.y, t, first + k * season)).filter(|y| !y.is_nan());
                let (sum, n) = values.fold((0.0, 0.0), |(sum, n), y| (sum + y, n + 1.0));
                sum / n
            }),
            Feature::Mean { first, steps } => each(&|t| sums.mean(t, first, steps)),
            Feature::StdDev { first, steps } => each(&|t| sums.std_dev(t, first, steps)),
            Feature::Flagged { flag, first, steps } => {
                let known = &series.known[flag];
                let with = |on: bool| {
                    let kept = series.y.iter().zip(known).map(|(y, k)| if (*k != 0.0) == on { *y } else { f64::NAN });
                    Sums::of(&kept.collect::<Vec<_>>())
                };
                let (off, on) = (with(false), with(true));
                each(&|t| if known[t] != 0.0 { on.mean(t, first, steps) } else { off.mean(t, first, steps) })
            }
            Feature::Place { flag, first } => {
                let flagged = |t: usize| flag.is_some_and(|flag| series.known[flag][t] != 0.0);
                let key = |t: usize| 2 * self.place(series, t) + usize::from(flagged(t));
                let mut means = vec![(0.0, 0.0); 2 * self.season];
                let mut out = Vec::with_capacity(times.len());
                for t in 0..times.end {
                    if let Some(then) = t.checked_sub(first).filter(|then| !series.y[*then].is_nan()) {
                        let (sum, weight) = &mut means[key(then)];
                        *sum = DECAY * *sum + series.y[then];
                        *weight = DECAY * *weight + 1.0;
                    }
                    if t >= times.start {
                        let (sum, weight) = means[key(t)];
                        out.push(sum / weight);
                    }
                }
                out
            }
            Feature::Growth { first, season, steps } => each(&|t| sums.growth(t, first, season, steps)),
            Feature::Grown { lag, first, season, steps } => {
                each(&|t| back(&series.y, t, lag) * sums.growth(t, first, season, steps))
            }
            Feature::Around { lag } => each(&|t| sums.mean(t + 1, lag, 3)),
            Feature::Season => each(&|t| self.place(series, t) as f64),
            Feature::Calendar(k) => each(&|t| series.calendar[k][t]),
            Feature::Known { column, later } => {
                let known = &series.known[column];
                each(&|t| {
                    t.checked_add_signed(later as isize).and_then(|at| known.get(at)).copied().unwrap_or(f64::NAN)
                })
            }
            Feature::Since { flag } => {
                let known = &series.known[flag];
                each(&|t| (1..=MAX_DISTANCE.min(t)).find(|k| known[t - k] != known[t]).map_or(f64::NAN, |k| k as f64))
            }
            Feature::Until { flag } => {
                let known = &series.known[flag];
                let within = |t: usize| (1..=MAX_DISTANCE).take_while(move |k| t + k < known.len());
                each(&|t| within(t).find(|k| known[t + k] != known[t]).map_or(f64::NAN, |k| k as f64))
            }
            Feature::Observed { column, first } => each(&|t| back(&series.observed[column], t, first)),
            Feature::ObservedMean { column, first, steps } => {
                let sums = Sums::of(&series.observed[column]);
                each(&|t| sums.mean(t, first, steps))
            }
            Feature::Fixed(column) => vec![series.fixed[column]; times.len()],
            Feature::Key(key) => vec![series.keys[key]; times.len()],
            Feature::Level => vec![series.level; times.len()],
            Feature::Age => each(&|t| t as f64),
        }
    }
}

/// Cumulative sums of values, squares and counts.
struct Sums {
    sums: Vec<(f64, f64, f64)>,
}

impl Sums {
    fn of(values: &[f64]) -> Self {
        let mut sums = Vec::with_capacity(values.len() + 1);
        let mut so_far = (0.0, 0.0, 0.0);
        sums.push(so_far);
        for value in values {
            if !value.is_nan() {
                so_far = (so_far.0 + value, so_far.1 + value * value, so_far.2 + 1.0);
            }
            sums.push(so_far);
        }
        Self { sums }
    }

    /// Sum, sum of squares and number of `steps` values that end `first` steps before `t`.
    fn over(&self, t: usize, first: usize, steps: usize) -> (f64, f64, f64) {
        let Some(end) = (t + 1).checked_sub(first) else { return (0.0, 0.0, 0.0) };
        let (end, start) = (self.sums[end], self.sums[end.saturating_sub(steps)]);
        (end.0 - start.0, end.1 - start.1, end.2 - start.2)
    }

    fn mean(&self, t: usize, first: usize, steps: usize) -> f64 {
        let (sum, _, n) = self.over(t, first, steps);
        sum / n
    }

    /// The ratio of the mean of some steps to the mean of as many a season before.
    fn growth(&self, t: usize, first: usize, season: usize, steps: usize) -> f64 {
        let growth = self.mean(t, first, steps) / self.mean(t, first + season, steps);
        if growth.is_finite() { growth } else { f64::NAN }
    }

    fn std_dev(&self, t: usize, first: usize, steps: usize) -> f64 {
        let (sum, squares, n) = self.over(t, first, steps);
        if n > 1.0 { ((squares - sum * sum / n).max(0.0) / (n - 1.0)).sqrt() } else { f64::NAN }
    }
}
