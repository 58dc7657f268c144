//! What the series of a portfolio have in common in one step: where they moved together, and how wild the step was.
//!
//! A holiday moves all series at once. It is one event, so it is taken off every series before its own chart sees the
//! error: the portfolio's movement is the median error, a group's the median of what remains, once for each way of
//! grouping and twice over (Tukey's median polish). A group of `n` series explains `n / (n + 4)` of its median: the
//! median of few series is mostly their noise. Steps differ in how noisy they are as well, so that the median size of
//! the errors of the portfolio and of the groups, against what is usual, inflates the scale of every series.
//!
//! Groups with fewer than [`FEWEST`] series that have a value explain nothing.

use serde::{Deserialize, Serialize};

/// The least number of series whose median is a common movement.
pub const FEWEST: usize = 5;

/// A group of so many series explains half of its median.
const SHARE: f64 = 4.0;

/// The same for the size of errors, which is noisier.
const SHARE_SIZE: f64 = 8.0;

/// One way to group the series of a portfolio: by department, by store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grouping {
    /// What the groups are: `department`.
    pub name: String,
    /// The members of each group.
    pub(crate) members: Vec<Vec<u32>>,
}

impl Grouping {
    /// A grouping from the group of each series, groups being numbered 0, 1, 2, …; a number that is not below that of
    /// the series is no group, and [`super::Watch::new`] will say so.
    pub fn new(name: impl Into<String>, group_of_series: &[usize]) -> Self {
        let groups = group_of_series.iter().copied().filter(|g| *g < group_of_series.len()).max().map_or(0, |g| g + 1);
        let mut members = vec![Vec::new(); groups];
        for (series, group) in group_of_series.iter().enumerate() {
            if let Some(group) = members.get_mut(*group) {
                group.push(series as u32);
            }
        }
        Self { name: name.into(), members }
    }

    /// How many groups there are.
    pub fn groups(&self) -> usize {
        self.members.len()
    }
}

/// How many common movements there are.
pub fn count(groupings: &[Grouping]) -> usize {
    1 + groupings.iter().map(Grouping::groups).sum::<usize>()
}

/// The median of the finite values, and how many there are.
fn median(values: impl Iterator<Item = f64>, room: &mut Vec<f64>) -> (f64, usize) {
    room.clear();
    room.extend(values.filter(|x| x.is_finite()));
    let n = room.len();
    if n == 0 {
        return (f64::NAN, 0);
    }
    let (below, middle, _) = room.select_nth_unstable_by(n / 2, f64::total_cmp);
    let upper = *middle;
    let lower = if n.is_multiple_of(2) { below.iter().copied().fold(f64::NEG_INFINITY, f64::max) } else { upper };
    ((lower + upper) / 2.0, n)
}

/// The median of a slice; NaN without a finite value.
pub fn median_of(values: &[f64], room: &mut Vec<f64>) -> f64 {
    median(values.iter().copied(), room).0
}

/// Takes the common movements off the errors of one step and returns them.
pub fn take_movement(errors: &mut [f64], groupings: &[Grouping], room: &mut Vec<f64>) -> Vec<f64> {
    let mut movement = vec![f64::NAN; count(groupings)];
    let (all, n) = median(errors.iter().copied(), room);
    if n < FEWEST {
        return movement;
    }
    if let Some(first) = movement.first_mut() {
        *first = all;
    }
    errors.iter_mut().for_each(|e| *e -= all);
    for sweep in 0..2 {
        let groups = groupings.iter().flat_map(|g| &g.members);
        for (movement, members) in movement.iter_mut().skip(1).zip(groups) {
            let (middle, n) = median(members.iter().filter_map(|s| errors.get(*s as usize).copied()), room);
            if n < FEWEST {
                continue;
            }
            *movement = if sweep == 0 { middle } else { *movement + middle };
            let part = middle * n as f64 / (n as f64 + SHARE);
            for series in members {
                if let Some(error) = errors.get_mut(*series as usize) {
                    *error -= part;
                }
            }
        }
    }
    movement
}

/// The median absolute error of a step over the portfolio and its groups, each as a multiple of what contains it;
/// `sizes` are absolute errors in units of their series' scale and are left as what the step does not explain.
/// `usual` are the same medians in the reference (1 while that is being found out). Returns the inflation of each
/// series' scale as well.
pub fn take_size(
    sizes: &mut [f64],
    usual: &[f64],
    groupings: &[Grouping],
    room: &mut Vec<f64>,
) -> (Vec<f64>, Vec<f64>) {
    let mut size = vec![f64::NAN; count(groupings)];
    let mut inflation = vec![1.0; sizes.len()];
    let everyone: Vec<u32> = (0..sizes.len() as u32).collect();
    let groups = std::iter::once(&everyone).chain(groupings.iter().flat_map(|g| &g.members));
    for ((size, usual), members) in size.iter_mut().zip(usual).zip(groups) {
        let (middle, n) = median(members.iter().filter_map(|s| sizes.get(*s as usize).copied()), room);
        if n < FEWEST || usual.is_nan() || *usual <= 0.0 {
            continue;
        }
        // A step without any error (a feed that repeats the forecast) is not infinitely calm.
        *size = (middle / usual).max(0.3).ln();
        let factor = (*size * n as f64 / (n as f64 + SHARE_SIZE)).exp();
        for series in members {
            if let (Some(x), Some(v)) = (sizes.get_mut(*series as usize), inflation.get_mut(*series as usize)) {
                *x /= factor;
                *v *= factor;
            }
        }
    }
    // A calm step is a little evidence that the scale is smaller, and not more.
    inflation.iter_mut().for_each(|v| *v = v.max(0.8));
    (size, inflation)
}
