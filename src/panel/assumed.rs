//! Which values does a model get for covariates at steps that are not known yet, in the future or in a validation
//! window at the end of the training set? One definition for both, so that a model is validated on what it will be
//! given.
//!
//! Known columns have their known values, fixed ones stay constant, observed ones follow the [`Scenario`], from the
//! values before the steps alone. A lagged column is known for as many steps as its lag; products multiply the assumed
//! values of their factors.

use super::climatology::Climate;
use super::features::Data;
use super::{Panel, Role, Scenario};
use crate::error::Result;

/// How the covariates of a panel get their values at steps that are not known yet.
pub struct Assumptions {
    climate: Climate,
    /// By column of the matrix.
    ways: Vec<Way>,
    /// The column of the matrix that each column of a window is.
    order: Vec<usize>,
}

/// How one column gets its values.
enum Way {
    /// It is known ahead.
    Known,
    /// Its last value stays.
    Last,
    /// The climatology.
    Usual,
    /// The values are given, and given for the future alone.
    Given,
    /// A lagged column, known for this many steps after the last value.
    Back(usize),
    /// The product of two other columns; one of a category without a column is 0.
    Product(Option<usize>, Option<usize>),
}

impl Assumptions {
    /// Those of a panel, whose futures end before position `end`.
    ///
    /// # Errors
    /// When the covariates cannot be read as numbers.
    pub(crate) fn of(panel: &Panel, scenario: Scenario, end: i64) -> Result<Self> {
        let (matrix, made) = (panel.matrix()?, panel.columns());
        let place = |name: &String| matrix.names.iter().position(|known| known == name);
        let way = |(source, role): &(String, Role)| {
            let maker = made.maker(source).filter(|made| made.computed());
            match (role, maker, scenario) {
                // A product of fixed columns is fixed itself.
                (Role::Fixed, ..) => Way::Last,
                (_, Some(maker), _) => {
                    let at = maker.columns.iter().position(|column| column == source);
                    match (&maker.data, at) {
                        (Data::Products(pairs), Some(at)) => Way::Product(place(&pairs[at].0), place(&pairs[at].1)),
                        (_, Some(at)) => maker.reach[at].map_or(Way::Known, Way::Back),
                        _ => Way::Known,
                    }
                }
                (Role::Known, ..) => Way::Known,
                (Role::Observed, None, Scenario::Climatology) => Way::Usual,
                (Role::Observed, None, Scenario::Last) => Way::Last,
                (Role::Observed, None, Scenario::Given) => Way::Given,
            }
        };
        let ways: Vec<Way> = matrix.sources.iter().map(way).collect();
        let first = (0..panel.len()).filter_map(|i| panel.positions(i).first()).min();
        let end = if ways.iter().any(|way| matches!(way, Way::Usual)) { end } else { i64::MIN };
        let season = panel.season().max(1) as i64;
        let climate = Climate::of(&panel.inner().calendar, season, first.copied().unwrap_or(i64::MAX), end);
        let order = (0..ways.len()).collect();
        Ok(Self { climate, ways, order })
    }

    /// The same for windows with the columns of the matrix in another order.
    pub(crate) fn ordered(self, order: &[usize]) -> Self {
        Self { order: order.to_vec(), ..self }
    }

    /// Writes what is assumed of a column from position `start` on, given its `past` at some positions. Cells of what
    /// is known or computed stay as they are.
    pub(crate) fn assume(&self, column: usize, positions: &[i64], past: &[f64], start: i64, cells: &mut [f64]) {
        match self.ways[column] {
            Way::Last => cells.fill(past.iter().rev().copied().find(|v| !v.is_nan()).unwrap_or(f64::NAN)),
            Way::Usual => {
                let normals = self.climate.normals(positions, past);
                for (step, cell) in cells.iter_mut().enumerate() {
                    *cell = self.climate.at(&normals, start.saturating_add(step as i64));
                }
            }
            Way::Known | Way::Given | Way::Back(_) | Way::Product(..) => {}
        }
    }

    /// The values of each column at `steps` steps of a history from its step `at` on: `columns` hold the whole history,
    /// whose first step is at position `start`.
    pub(crate) fn window(&self, columns: &[&[f64]], start: i64, at: usize, steps: usize) -> Vec<Vec<f64>> {
        let positions: Vec<i64> = (start..start + at as i64).collect();
        let mut places: Vec<(usize, &[f64])> = self.order.iter().copied().zip(columns.iter().copied()).collect();
        // A product stands behind its factors in the matrix.
        places.sort_by_key(|(c, _)| *c);
        let mut window: Vec<Vec<f64>> = Vec::with_capacity(columns.len());
        for (c, column) in places {
            let (past, seen) = (&column[..at], &column[at..at + steps]);
            window.push(match self.ways[c] {
                Way::Known => seen.to_vec(),
                Way::Back(reach) => {
                    let known = seen.iter().enumerate();
                    known.map(|(step, value)| if step < reach { *value } else { f64::NAN }).collect()
                }
                Way::Product(a, b) => match (a.and_then(|a| window.get(a)), b.and_then(|b| window.get(b))) {
                    (Some(a), Some(b)) => a.iter().zip(b).map(|(a, b)| a * b).collect(),
                    _ => vec![0.0; steps],
                },
                Way::Last | Way::Usual | Way::Given => {
                    let mut cells = vec![f64::NAN; steps];
                    self.assume(c, &positions, past, start + at as i64, &mut cells);
                    cells
                }
            });
        }
        self.order.iter().map(|c| std::mem::take(&mut window[*c])).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panel::{Columns, Future};

    fn bits(columns: &[Vec<f64>]) -> Vec<Vec<u64>> {
        columns.iter().map(|column| column.iter().map(|value| value.to_bits()).collect()).collect()
    }

    /// A window at the end of a history has what a future built before it has, to the bit: calendar, lags, products,
    /// categories.
    #[test]
    fn a_window_is_a_future_of_what_lies_before_it() {
        let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales")
            .known(["IsHoliday", "MarkDown1"])
            .observed(["Temperature", "Fuel_Price"])
            .fixed(["Type", "Size"]);
        let features = "month_end; fourier(order=2); lags(steps=[2, 8]); rolling(window=4, lag=3, of=Temperature); \
                        interaction(a=IsHoliday, b=Temperature); interaction(a=IsHoliday, b=Type)";
        let sales = Panel::read("data/walmart_sales_weekly.csv", columns).unwrap().features(features).unwrap();
        let (at, steps) = (130, 8);
        for scenario in [Scenario::Climatology, Scenario::Last] {
            let assumed = Assumptions::of(&sales, scenario, 10_000).unwrap();
            let start = sales.positions(0)[0];
            let before = sales.within(&|_, position| position < start + at as i64).unwrap();
            let starts = vec![start + at as i64; sales.len()];
            let future = Future::starting(&before, starts, 0, steps, scenario).unwrap().known_from(&sales).unwrap();
            for i in 0..sales.len() {
                let matrix = sales.matrix().unwrap();
                let history: Vec<_> = matrix.columns.iter().map(|column| sales.regular_column(i, column)).collect();
                let history: Vec<&[f64]> = history.iter().map(|column| &**column).collect();
                let window = assumed.window(&history, start, at, steps);
                let future: Vec<Vec<f64>> = future.columns(i).into_iter().map(<[f64]>::to_vec).collect();
                assert_eq!(bits(&window), bits(&future), "{scenario:?}, {}", sales.label(i));
            }
        }
    }
}
