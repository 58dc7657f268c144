//! What does a page hold? Plain numbers: key columns, steps, a matrix of sales, forecasts with their intervals, what joint
//! sample paths say of totals, errors of the test periods, orders. Nothing here knows a panel or a forecast.
//!
//! **Intervals of totals.** Quantiles do not add up: the total of a hundred shops is relatively less uncertain than any of
//! them, unless they move together. Three answers, in this order:
//!
//! 1. one series: its own interval;
//! 2. everything, or one value of one key: the quantiles of that total over all joint sample paths, computed here ([`Joint`]);
//! 3. any other selection: the page combines the half-widths w of its members by their mean correlation ρ,
//!    `W² = (1 − ρ)·Σw² + ρ·(Σw)²`. It takes ρ from a few dozen of the same paths, stored as steps of three quarters of a
//!    standard deviation in some two bits and a half each. For elliptical distributions this is exact but for ρ; upper and lower
//!    half-widths are combined apart, so that skewness survives; one member gives its own interval.
//!
//! Where the paths of so many series would not fit into the page, a selection of the third kind has no interval, and the page
//! says so.

use statrs::distribution::{ContinuousCDF, Normal};

use super::pack::Decimals;
use crate::show::wording::Wording;
use crate::statistics::summary::quantile;

/// Everything that a page shows.
#[derive(Clone, Default)]
pub(super) struct Data {
    pub title: String,
    /// What is in it, in one line.
    pub subtitle: String,
    /// The column of what is forecast.
    pub target: String,
    /// How numbers and columns are written for readers.
    pub wording: Wording,
    /// Written before amounts of the target; may be empty.
    pub currency: String,
    /// Written behind them.
    pub unit: String,
    /// `week`.
    pub noun: String,
    /// Steps in a season.
    pub season: usize,
    /// `the year before`.
    pub before: String,
    /// The label of each step, those of the forecast included.
    pub steps: Vec<String>,
    /// Are the labels dates, not numbers?
    pub dated: bool,
    /// How many steps have sales: those before are history.
    pub history: usize,
    /// The step at which forecasts begin.
    pub ahead: usize,
    /// The columns by which series are told apart, the widest groups first; then other attributes.
    pub keys: Vec<Key>,
    /// How many of them are keys.
    pub identifying: usize,
    pub series: usize,
    /// Series by step; NaN where nothing is known.
    pub sales: Vec<f64>,
    pub models: Vec<Model>,
    /// The levels of the intervals, ascending.
    pub levels: Vec<f64>,
    /// The model that is shown first.
    pub main: usize,
    /// What the joint sample paths came to.
    pub joint: Option<Vec<JointTotals>>,
    pub errors: Option<Errors>,
    pub orders: Option<Orders>,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// A column with a value per series.
#[derive(Clone)]
pub(super) struct Key {
    pub name: String,
    /// The distinct values, in the order in which they are listed.
    pub levels: Vec<String>,
    /// The place of each series' value among them.
    pub codes: Vec<u32>,
}

/// The forecasts of a model: series by step from [`Data::ahead`] on, NaN where there is none.
#[derive(Clone)]
pub(super) struct Model {
    pub name: String,
    pub mean: Vec<f64>,
    /// The lower and the upper end of the interval of each level.
    pub bounds: Vec<[Vec<f64>; 2]>,
}

/// How far the models were off in past periods.
#[derive(Clone)]
pub(super) struct Errors {
    /// What each test period is called.
    pub folds: Vec<String>,
    /// Series by period: the sum of absolute actual values.
    pub actual: Vec<f64>,
    /// Model by model: the sums of absolute errors and of errors; NaN where the model has no forecast.
    pub models: Vec<[Vec<f64>; 2]>,
}

/// Orders, an item a row.
#[derive(Clone)]
pub(super) struct Orders {
    /// One sentence on all of them.
    pub sentence: String,
    /// The series of each item; none for items without sales.
    pub series: Vec<Option<usize>>,
    /// The values of the keys of each item.
    pub items: Vec<Vec<String>>,
    pub order: Vec<f64>,
    pub position: Vec<f64>,
    pub level: Vec<f64>,
    pub mean: Vec<f64>,
    /// The probability of running out.
    pub risk: Vec<f64>,
    pub reason: Vec<String>,
}

impl Data {
    /// Steps that have forecasts.
    pub fn horizon(&self) -> usize {
        if self.models.is_empty() { 0 } else { self.steps.len() - self.ahead }
    }

    /// The key columns whose groups have intervals: those with fewer values than series, and not too many.
    pub fn grouped(&self) -> Vec<usize> {
        let few = |key: &Key| key.levels.len() < self.series && key.levels.len() <= GROUPS;
        let mut room = GROUPS;
        let mut grouped = Vec::new();
        for (place, key) in self.keys.iter().enumerate() {
            if few(key) && key.levels.len() <= room {
                room -= key.levels.len();
                grouped.push(place);
            }
        }
        grouped
    }

    /// How many paths of each series a page holds; none if they are too few to tell a correlation.
    pub fn stored_paths(&self) -> usize {
        let cells = self.series * self.horizon() * self.models.len();
        let fit = (PATHS_ROOM / BITS * 8.0 / cells.max(1) as f64) as usize;
        if fit < FEWEST_PATHS { 0 } else { fit.min(MOST_PATHS) }
    }
}

/// Groups that have intervals.
const GROUPS: usize = 1_500;
/// Bytes for the paths of all models.
const PATHS_ROOM: f64 = 1_750_000.0;
/// Bits that a path takes at a step.
const BITS: f64 = 2.5;
const FEWEST_PATHS: usize = 24;
const MOST_PATHS: usize = 100;
/// What a unit of a stored path is, in standard deviations.
pub(super) const UNIT: f64 = 0.75;
/// Beyond so many units a path is cut off.
const FARTHEST: f64 = 20.0;

/// Totals over joint sample paths of one model, gathered series by series.
pub(super) struct Joint {
    paths: usize,
    stored: usize,
    horizon: usize,
    /// The groups of each series: everything, then one per grouped key column.
    groups: Vec<Vec<usize>>,
    /// Group by path by step.
    sums: Vec<Vec<f64>>,
    /// Group by step: how many series are in the sums.
    members: Vec<Vec<usize>>,
    /// Series by stored path by step, in units.
    codes: Vec<Option<i64>>,
}

/// What became of it.
#[derive(Clone)]
pub(super) struct JointTotals {
    /// Group by level by end: a value per step.
    pub bounds: Vec<f64>,
    /// Group by level by end: that of the sum over all steps.
    pub sums: Vec<f64>,
    /// Series by stored path by step.
    pub codes: Decimals,
    pub stored: usize,
}

impl Joint {
    pub fn new(data: &Data, paths: usize) -> Self {
        let (horizon, stored) = (data.horizon(), data.stored_paths().min(paths));
        let mut groups = vec![vec![0]; data.series];
        let mut offset = 1;
        for key in data.grouped() {
            let key = &data.keys[key];
            groups.iter_mut().zip(&key.codes).for_each(|(of, code)| of.push(offset + *code as usize));
            offset += key.levels.len();
        }
        let codes = vec![Some(0); data.series * stored * horizon];
        let sums = vec![vec![0.0; paths * horizon]; offset];
        Self { paths, stored, horizon, groups, sums, members: vec![vec![0; horizon]; offset], codes }
    }

    /// Adds the paths of a series whose first step is `first` steps after [`Data::ahead`]; `spread` is the standard deviation
    /// at each step from there on, as the page will know it.
    pub fn add(&mut self, series: usize, first: i64, paths: &[Vec<f64>], spread: impl Fn(usize) -> f64) {
        let steps = paths.first().map_or(0, Vec::len);
        for step in 0..steps {
            let Some(place) = usize::try_from(first + step as i64).ok().filter(|place| *place < self.horizon) else {
                continue;
            };
            for group in &self.groups[series] {
                self.members[*group][place] += 1;
            }
            let mean = paths.iter().map(|path| path[step]).sum::<f64>() / paths.len() as f64;
            for (n, path) in paths.iter().enumerate().take(self.paths) {
                for group in &self.groups[series] {
                    self.sums[*group][n * self.horizon + place] += path[step];
                }
                if n < self.stored {
                    let units = (path[step] - mean) / (spread(place) * UNIT);
                    let units = if units.is_finite() { units.clamp(-FARTHEST, FARTHEST).round() as i64 } else { 0 };
                    self.codes[(series * self.stored + n) * self.horizon + place] = Some(units);
                }
            }
        }
    }

    /// The quantiles of all totals at the ends of intervals of these levels; NaN where no series has a forecast: a sum of
    /// nothing is not certain to be zero.
    pub fn totals(self, levels: &[f64]) -> JointTotals {
        let (mut bounds, mut totals) = (Vec::new(), Vec::new());
        for (sums, members) in self.sums.iter().zip(&self.members) {
            let any = members.iter().any(|count| *count > 0);
            let mut columns: Vec<Vec<f64>> = (0..self.horizon)
                .map(|step| (0..self.paths).map(|n| sums[n * self.horizon + step]).collect())
                .collect();
            let mut whole: Vec<f64> = sums.chunks(self.horizon.max(1)).map(|path| path.iter().sum()).collect();
            whole.sort_by(f64::total_cmp);
            columns.iter_mut().for_each(|column| column.sort_by(f64::total_cmp));
            for level in levels {
                for p in [(1.0 - level) / 2.0, (1.0 + level) / 2.0] {
                    let known = |sorted: &[f64], known: bool| {
                        if known { quantile(sorted, p).unwrap_or(f64::NAN) } else { f64::NAN }
                    };
                    bounds.extend(columns.iter().zip(members).map(|(column, count)| known(column, *count > 0)));
                    totals.push(known(&whole, any));
                }
            }
        }
        let columns = self.stored * self.horizon;
        let codes = Decimals { cells: self.codes, exponents: vec![0], columns };
        JointTotals { bounds, sums: totals, codes, stored: self.stored }
    }
}

/// The standard normal quantile.
pub(super) fn deviate(p: f64) -> f64 {
    Normal::standard().inverse_cdf(p)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_series() -> Data {
        let key = Key { name: "shop".into(), levels: vec!["a".into()], codes: vec![0, 0] };
        let model = Model { name: "naive".into(), mean: vec![0.0; 2], bounds: Vec::new() };
        Data {
            steps: vec!["1".into(), "2".into()],
            history: 1,
            ahead: 1,
            keys: vec![key],
            identifying: 1,
            series: 2,
            models: vec![model],
            levels: vec![0.8],
            ..Data::default()
        }
    }

    #[test]
    fn opposite_series_have_a_certain_total() {
        let data = two_series();
        assert_eq!((data.horizon(), data.grouped()), (1, vec![0]));
        let mut joint = Joint::new(&data, 5);
        let up: Vec<Vec<f64>> = (0..5).map(|n| vec![f64::from(n)]).collect();
        let down: Vec<Vec<f64>> = (0..5).map(|n| vec![f64::from(4 - n)]).collect();
        joint.add(0, 0, &up, |_| 1.0);
        joint.add(1, 0, &down, |_| 1.0);
        let totals = joint.totals(&data.levels);
        // Everything and shop a, lower and upper end.
        assert_eq!((totals.bounds, totals.sums), (vec![4.0; 4], vec![4.0; 4]));
        assert_eq!(totals.stored, 5);
        assert_eq!(totals.codes.value(0), -3.0);
    }

    #[test]
    fn steps_before_the_first_are_left_out() {
        let mut joint = Joint::new(&two_series(), 2);
        joint.add(0, -1, &[vec![9.0, 1.0], vec![9.0, 1.0]], |_| 0.0);
        assert_eq!(joint.totals(&[0.8]).bounds[..2], [1.0, 1.0]);
    }

    #[test]
    fn a_total_of_no_forecast_is_not_zero() {
        let mut data = two_series();
        data.keys[0] = Key { name: "shop".into(), levels: vec!["a".into(), "b".into()], codes: vec![0, 1, 1] };
        data.series = 3;
        let mut joint = Joint::new(&data, 2);
        joint.add(0, 0, &[vec![2.0], vec![2.0]], |_| 1.0);
        let totals = joint.totals(&data.levels);
        // Everything, shop a, shop b.
        assert_eq!(totals.sums[..4], [2.0; 4]);
        assert!(totals.bounds[4..].iter().chain(&totals.sums[4..]).all(|end| end.is_nan()));
    }
}
