//! Requirements known period by period: in which periods to order, and for how many periods ahead?
//!
//! An order in period t costs Kₜ and cₜ per unit; a unit left at the end of t costs hₜ. Some optimal plan orders only when stock
//! is zero, and then for a whole number of periods, so dynamic programming over the last order is exact (Wagner & Whitin 1958,
//! *Management Science* 5). The Silver–Meal heuristic extends an order while the cost per period covered falls (Silver & Meal
//! 1973); it looks no further, and so moves less when later requirements change.
//!
//! Reference: Silver, Pyke & Thomas 2017, chapter 5.
//!
//! Fails where requirements are uncertain (feed it a quantile or add safety stock) and at the horizon: the plan assumes that
//! nothing is needed afterwards, so its last order is too small; plan well beyond what is ordered now. Without order limits only.

use super::non_negative;
use crate::error::{Error, Result};

/// Requirements and costs of each period, of equal lengths.
#[derive(Clone, PartialEq)]
pub struct Requirements {
    pub(super) demand: Vec<f64>,
    pub(super) fixed: Vec<f64>,
    pub(super) holding: Vec<f64>,
    pub(super) unit: Vec<f64>,
}

/// An order plan.
#[derive(Clone, PartialEq)]
pub struct LotPlan {
    /// Units ordered in each period.
    pub quantities: Vec<f64>,
    /// Units left at the end of each period.
    pub stock: Vec<f64>,
    /// Order, purchase and holding cost of all periods.
    pub cost: f64,
}

impl Requirements {
    /// With the same costs in every period, purchase cost left out.
    ///
    /// # Errors
    /// When there is no period, or a number is negative or not finite.
    pub fn new(demand: &[f64], fixed: f64, holding: f64) -> Result<Self> {
        let periods = demand.len();
        Self::varying(demand, &vec![fixed; periods], &vec![holding; periods], &vec![0.0; periods])
    }

    /// With an order cost, a holding cost per unit left at the end, and a unit cost of each period.
    ///
    /// # Errors
    /// When there is no period, lengths differ, or a number is negative or not finite (single costs may be zero).
    pub fn varying(demand: &[f64], fixed: &[f64], holding: &[f64], unit: &[f64]) -> Result<Self> {
        let periods = demand.len();
        if periods == 0 {
            return Err(Error::data("a plan needs the requirements of at least one period"));
        }
        let columns =
            [("the demand", demand), ("the order cost", fixed), ("the holding cost", holding), ("the unit cost", unit)];
        for (what, values) in columns {
            if values.len() != periods {
                let given = values.len();
                return Err(Error::usage(format!("{what} must be given for {periods} periods, not for {given}")));
            }
            for (t, value) in values.iter().enumerate() {
                non_negative(&format!("{what} of period {}", t + 1), *value)?;
            }
        }
        Ok(Self { demand: demand.into(), fixed: fixed.into(), holding: holding.into(), unit: unit.into() })
    }

    /// What is left to order after the stock on hand has been used up, the earliest requirements first.
    ///
    /// # Errors
    /// When the stock is negative or not finite.
    pub fn less(mut self, stock: f64) -> Result<Self> {
        let mut left = non_negative("the stock on hand", stock)?;
        for demand in &mut self.demand {
            let used = left.min(*demand);
            (*demand, left) = (*demand - used, left - used);
        }
        Ok(self)
    }

    /// The plan of least cost (Wagner & Whitin).
    ///
    /// ```
    /// use tradewind::decide::stock::lot_sizing::Requirements;
    /// let plan = Requirements::new(&[90.0, 120.0, 80.0, 70.0], 500.0, 2.0)?.optimal();
    /// assert_eq!((plan.quantities, plan.cost), (vec![210.0, 0.0, 150.0, 0.0], 1380.0));
    /// # Ok::<(), tradewind::prelude::Error>(())
    /// ```
    pub fn optimal(&self) -> LotPlan {
        let periods = self.demand.len();
        // The least cost of the first so many periods, and the period of the last order in them; none if nothing is needed.
        let mut best = vec![(0.0, None); periods + 1];
        for t in 0..periods {
            best[t + 1] = (f64::INFINITY, None);
        }
        for from in 0..periods {
            let before = best[from].0;
            if self.demand[from] == 0.0 && before < best[from + 1].0 {
                best[from + 1] = (before, None);
            }
            let mut cost = before + self.fixed[from];
            let mut carrying = 0.0;
            for to in from..periods {
                cost += self.demand[to] * (self.unit[from] + carrying);
                carrying += self.holding[to];
                if cost < best[to + 1].0 {
                    best[to + 1] = (cost, Some(from));
                }
            }
        }
        let mut quantities = vec![0.0; periods];
        let mut end = periods;
        while end > 0 {
            match best[end].1 {
                Some(from) => {
                    quantities[from] = self.demand[from..end].iter().sum();
                    end = from;
                }
                None => end -= 1,
            }
        }
        self.priced(quantities)
    }

    /// The plan of the Silver–Meal heuristic. Unit costs count in its cost, not in its choice.
    pub fn silver_meal(&self) -> LotPlan {
        let periods = self.demand.len();
        let mut quantities = vec![0.0; periods];
        let mut from = 0;
        while from < periods {
            if self.demand[from] == 0.0 {
                from += 1;
                continue;
            }
            let (mut cost, mut carrying) = (self.fixed[from], 0.0);
            let mut end = from + 1;
            while end < periods {
                carrying += self.holding[end - 1];
                let longer = cost + self.demand[end] * carrying;
                let covered = (end - from) as f64;
                if longer / (covered + 1.0) > cost / covered {
                    break;
                }
                (cost, end) = (longer, end + 1);
            }
            quantities[from] = self.demand[from..end].iter().sum();
            from = end;
        }
        self.priced(quantities)
    }

    /// A plan of these quantities, which cover demand.
    fn priced(&self, quantities: Vec<f64>) -> LotPlan {
        let (mut left, mut cost) = (0.0_f64, 0.0);
        let mut stock = Vec::with_capacity(quantities.len());
        for (t, quantity) in quantities.iter().enumerate() {
            // Sums of fractions may miss zero by rounding.
            left = (left + quantity - self.demand[t]).max(0.0);
            cost += self.unit[t] * quantity + self.holding[t] * left;
            cost += if *quantity > 0.0 { self.fixed[t] } else { 0.0 };
            stock.push(left);
        }
        LotPlan { quantities, stock, cost }
    }
}
