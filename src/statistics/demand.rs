//! Intermittent demand: sizes of demands, intervals between them, and the classes of demand that follow from the two.

use serde::{Deserialize, Serialize};

/// Sizes of demands and the steps since the one before, of the steps that were observed.
pub(crate) struct Demand {
    /// The demands that are not zero.
    pub sizes: Vec<f64>,
    /// Steps from the demand before, or from the start of the series, to each demand.
    pub intervals: Vec<f64>,
    /// Observed steps.
    pub steps: usize,
}

impl Demand {
    /// Of a series with NaN where nothing is known.
    pub fn of(values: &[f64]) -> Self {
        let (mut sizes, mut intervals, mut since, mut steps) = (Vec::new(), Vec::new(), 0.0, 0);
        for y in values.iter().filter(|y| !y.is_nan()) {
            steps += 1;
            since += 1.0;
            if *y != 0.0 {
                sizes.push(*y);
                intervals.push(since);
                since = 0.0;
            }
        }
        Self { sizes, intervals, steps }
    }

    /// Steps per demand, infinite where there is none.
    pub fn mean_interval(&self) -> f64 {
        self.steps as f64 / self.sizes.len() as f64
    }

    /// The mean of the intervals in whole steps, at most all of them; 1 without demand. Steps that no demand has ended yet
    /// are in no interval.
    pub fn wait(&self) -> usize {
        let mean = self.intervals.iter().sum::<f64>() / self.intervals.len().max(1) as f64;
        (mean.round().max(1.0) as usize).min(self.steps.max(1))
    }

    /// The squared coefficient of variation of the sizes.
    pub fn variation(&self) -> f64 {
        let n = self.sizes.len() as f64;
        let mean = self.sizes.iter().sum::<f64>() / n;
        self.sizes.iter().map(|size| (size - mean).powi(2)).sum::<f64>() / n / (mean * mean)
    }

    /// Its class; none without any demand.
    pub fn class(&self) -> Option<DemandClass> {
        let intermittent = self.mean_interval() > INTERMITTENT;
        let erratic = self.variation() > ERRATIC;
        (!self.sizes.is_empty()).then_some(match (intermittent, erratic) {
            (false, false) => DemandClass::Smooth,
            (false, true) => DemandClass::Erratic,
            (true, false) => DemandClass::Intermittent,
            (true, true) => DemandClass::Lumpy,
        })
    }
}

/// Mean interval above which demand is intermittent, and squared coefficient of variation above which it is erratic: beyond
/// them Croston's method with the Syntetos–Boylan correction is the more accurate one.
pub(crate) const INTERMITTENT: f64 = 1.32;
pub(crate) const ERRATIC: f64 = 0.49;

/// Classes of demand (Syntetos, Boylan & Croston 2005, *Journal of the Operational Research Society* 56).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DemandClass {
    /// Frequent, of similar sizes.
    Smooth,
    /// Frequent, of very different sizes.
    Erratic,
    /// Intermittent, of similar sizes.
    Intermittent,
    /// Intermittent, of very different sizes.
    Lumpy,
}

impl DemandClass {
    /// Every class, from the easiest to the hardest.
    pub const ALL: [Self; 4] = [Self::Smooth, Self::Erratic, Self::Intermittent, Self::Lumpy];

    /// Is demand intermittent: intermittent or lumpy?
    pub fn is_intermittent(self) -> bool {
        matches!(self, Self::Intermittent | Self::Lumpy)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Smooth => "smooth",
            Self::Erratic => "erratic",
            Self::Intermittent => "intermittent",
            Self::Lumpy => "lumpy",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_intervals_are_those_of_the_observed_steps() {
        let demand = Demand::of(&[0.0, 3.0, f64::NAN, 0.0, 0.0, 1.0, 2.0, 0.0]);
        assert_eq!((demand.sizes, demand.intervals, demand.steps), (vec![3.0, 1.0, 2.0], vec![2.0, 3.0, 1.0], 7));
        assert_eq!(Demand::of(&[0.0, 0.0]).class(), None);
    }

    #[test]
    fn classes_are_those_of_the_paper() {
        let class = |values: &[f64]| Demand::of(values).class().unwrap();
        assert_eq!(class(&[5.0, 6.0, 5.0, 4.0]), DemandClass::Smooth);
        assert_eq!(class(&[1.0, 1.0, 1.0, 20.0]), DemandClass::Erratic);
        assert_eq!(class(&[0.0, 3.0, 0.0, 3.0]), DemandClass::Intermittent);
        assert_eq!(class(&[0.0, 1.0, 0.0, 1.0, 0.0, 30.0]), DemandClass::Lumpy);
    }
}
