//! Which path of prices turns a stock into money, if it must be gone by a date?
//!
//! **The programme.** Step by step, price by price, what is asked for is a few outcomes with their probabilities. The
//! value of s units at price j with n changes left is
//!
//! Vₜ(s, j, n) = max { Wₜ(s, j, n), max over other prices i of Wₜ(s, i, n − 1) },
//! Wₜ(s, i, n) = E[ pᵢ min(D, s) − h (s − D)⁺ + Vₜ₊₁((s − D)⁺, i, n) ],
//!
//! with the salvage value of what is left after the last step; prices only fall unless they may rise. Backward
//! induction finds the best policy (Bitran & Mondschein 1997, *Management Science* 43; in continuous time Gallego & van
//! Ryzin 1994, *Management Science* 40, whose closed form for exponential demand the tests reproduce).
//!
//! **Stock** is counted in at most [`UNITS`] lots, with values in between interpolated: exact for smaller stocks and
//! whole demands.
//!
//! **When it fails.** Steps are taken as independent, with the uncertain elasticity in each of them: what the first
//! weeks teach about it is used when the decision is made again, not foreseen.

/// Lots that a stock is counted in at most.
pub(crate) const UNITS: usize = 150;

/// What may be asked for in a step at a price: units and their probabilities.
pub(crate) type Outcomes = Vec<(f64, f64)>;

/// A stock that is to be sold.
#[derive(Clone, Copy)]
pub(crate) struct Clearance<'a> {
    /// Prices on the ladder, from the highest to the lowest.
    pub prices: &'a [f64],
    /// The price of today: its place on the ladder.
    pub present: usize,
    /// By step and price.
    pub demand: &'a [Vec<Outcomes>],
    /// Units that there are.
    pub stock: f64,
    /// What a unit brings that is left after the last step.
    pub salvage: f64,
    /// The cost of a unit that is left after a step.
    pub holding: f64,
    /// Changes of the price at most; none for any number.
    pub changes: Option<usize>,
    /// May prices rise again?
    pub rises: bool,
}

/// The best price for every stock, step by step.
pub(crate) struct Policy {
    /// Units in a lot, and lots.
    lot: f64,
    lots: usize,
    prices: usize,
    changes: Option<usize>,
    rises: bool,
    /// W of each step: by price, changes left and lots.
    values: Vec<Vec<f64>>,
}

impl Clearance<'_> {
    /// The best policy.
    pub(crate) fn solved(&self) -> Policy {
        let lots = if self.stock.fract() == 0.0 && self.stock <= UNITS as f64 { self.stock as usize } else { UNITS };
        let lots = lots.max(1);
        let steps = self.demand.len();
        let mut policy = Policy {
            lot: self.stock / lots as f64,
            lots,
            prices: self.prices.len(),
            changes: self.changes.map(|changes| changes.min(steps)),
            rises: self.rises,
            values: vec![Vec::new(); steps],
        };
        let (width, levels) = (lots + 1, policy.levels());
        // The value of the next step, by price, changes left and lots.
        let end: Vec<f64> = (0..width).map(|s| self.salvage * s as f64 * policy.lot).collect();
        let mut next: Vec<f64> = end.iter().copied().cycle().take(width * self.prices.len() * levels).collect();
        for t in (0..steps).rev() {
            let mut stay = vec![0.0; next.len()];
            for (j, price) in self.prices.iter().enumerate() {
                for n in 0..levels {
                    let from = (j * levels + n) * width;
                    let later = &next[from..from + width];
                    for s in 0..width {
                        let stock = s as f64 * policy.lot;
                        stay[from + s] = (self.demand[t][j].iter())
                            .map(|(units, probability)| {
                                let sold = units.clamp(0.0, stock);
                                let left = stock - sold;
                                let later = between(later, left / policy.lot);
                                probability * (price * sold - self.holding * left + later)
                            })
                            .sum();
                    }
                }
            }
            policy.values[t] = stay;
            for (place, value) in next.iter_mut().enumerate() {
                let (s, rest) = (place % width, place / width);
                *value = policy.best(t, s as f64, rest / levels, rest % levels).1;
            }
        }
        policy
    }
}

impl Policy {
    fn levels(&self) -> usize {
        self.changes.map_or(1, |changes| changes + 1)
    }

    /// Changes that may be made from the first step on; as many as there is room for where their number is not limited.
    pub(crate) fn changes(&self) -> usize {
        self.changes.unwrap_or(usize::MAX)
    }

    /// The price of a step, given the stock, the place of the price before and the changes left; and the value of that.
    pub(crate) fn choice(&self, step: usize, stock: f64, price: usize, left: usize) -> (usize, f64) {
        let level = self.changes.map_or(0, |changes| left.min(changes));
        self.best(step, if self.lot > 0.0 { stock / self.lot } else { 0.0 }, price, level)
    }

    fn best(&self, step: usize, lots: f64, price: usize, level: usize) -> (usize, f64) {
        let (width, levels) = (self.lots + 1, self.levels());
        let value = |j: usize, n: usize| {
            let from = (j * levels + n) * width;
            between(&self.values[step][from..from + width], lots)
        };
        let mut best = (price, value(price, level));
        if level > 0 || self.changes.is_none() {
            let from = if self.rises { 0 } else { price + 1 };
            for j in (from..self.prices).filter(|j| *j != price) {
                let other = value(j, level.saturating_sub(1));
                // A change that gains nothing is none.
                if other > best.1 + 1e-9 * best.1.abs().max(1e-3) {
                    best = (j, other);
                }
            }
        }
        best
    }
}

/// A value between two lots.
fn between(values: &[f64], lots: f64) -> f64 {
    let last = values.len() - 1;
    let at = lots.clamp(0.0, last as f64);
    let below = at.floor() as usize;
    let share = at - below as f64;
    if share < 1e-9 { values[below] } else { values[below] + share * (values[(below + 1).min(last)] - values[below]) }
}

/// A run through one draw of the demand.
#[derive(Clone, Debug, Default)]
pub(crate) struct Run {
    /// Step by step: the place of the price, the stock at the start, what is sold.
    pub steps: Vec<(usize, f64, f64)>,
    /// Revenue plus salvage less holding.
    pub value: f64,
    pub revenue: f64,
    pub left: f64,
}

impl Clearance<'_> {
    /// What happens where `choose` sets the price (step, stock, place of the price before, changes left) and `demand`
    /// says what is asked for (step, place of the price).
    pub(crate) fn run(
        &self,
        changes: usize,
        choose: impl Fn(usize, f64, usize, usize) -> usize,
        demand: impl Fn(usize, usize) -> f64,
    ) -> Run {
        let (mut stock, mut price, mut left) = (self.stock, self.present, changes);
        let mut run = Run::default();
        for step in 0..self.demand.len() {
            let chosen = choose(step, stock, price, left);
            left = left.saturating_sub(usize::from(chosen != price));
            price = chosen;
            let sold = demand(step, price).clamp(0.0, stock);
            run.steps.push((price, stock, sold));
            stock -= sold;
            run.revenue += self.prices[price] * sold;
            run.value += self.prices[price] * sold - self.holding * stock;
        }
        run.value += self.salvage * stock;
        run.left = stock;
        run
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gallego & van Ryzin 1994, section 2.3: Poisson demand at rate a exp(−p), n units, time τ: the value is
    /// ln Σᵢ≤ₙ (a τ / e)ⁱ / i!.
    #[test]
    fn exponential_demand_has_the_value_of_gallego_and_van_ryzin() {
        let (a, units, steps) = (8.0_f64, 4, 1600);
        let dt = 1.0 / f64::from(steps);
        let prices: Vec<f64> = (0..=120).map(|k| 4.0 - 3.2 * f64::from(k) / 120.0).collect();
        let outcomes = |price: &f64| {
            let chance = a * (-price).exp() * dt;
            vec![(0.0, 1.0 - chance), (1.0, chance)]
        };
        let step: Vec<Outcomes> = prices.iter().map(outcomes).collect();
        let demand = vec![step; steps as usize];
        let clearance = Clearance {
            prices: &prices,
            present: 0,
            demand: &demand,
            stock: f64::from(units),
            salvage: 0.0,
            holding: 0.0,
            changes: None,
            rises: true,
        };
        let found = clearance.solved().choice(0, f64::from(units), 0, usize::MAX).1;
        let closed = |n: i32| {
            let mut sum = 0.0;
            let mut term = 1.0;
            for i in 0..=n {
                if i > 0 {
                    term *= a / std::f64::consts::E / f64::from(i);
                }
                sum += term;
            }
            sum.ln()
        };
        assert!((found - closed(units)).abs() < 2e-3, "{found}, not {}", closed(units));
    }

    /// `tests/oracles/clearance.py` tries every price for every history.
    #[test]
    fn the_best_policy_is_that_of_trying_all() {
        let text = include_str!("../../../tests/oracles/clearance.csv");
        let mut cases = 0;
        for line in text.lines().filter(|line| !line.starts_with('#')).skip(1) {
            let cells: Vec<&str> = line.split(',').collect();
            let number = |at: usize| cells[at].parse::<f64>().unwrap();
            let prices: Vec<f64> = cells[7].split(' ').map(|price| price.parse().unwrap()).collect();
            let outcome = |text: &str| {
                let (units, probability) = text.split_once(':').unwrap();
                (units.parse().unwrap(), probability.parse().unwrap())
            };
            let outcomes = |text: &str| -> Outcomes { text.split(' ').map(outcome).collect() };
            let demand: Vec<Vec<Outcomes>> =
                cells[8].split('/').map(|step| step.split('|').map(outcomes).collect()).collect();
            let clearance = Clearance {
                prices: &prices,
                present: number(6) as usize,
                demand: &demand,
                stock: number(1),
                salvage: number(2),
                holding: number(3),
                changes: (number(4) >= 0.0).then(|| number(4) as usize),
                rises: number(5) == 1.0,
            };
            let policy = clearance.solved();
            let (_, value) = policy.choice(0, clearance.stock, clearance.present, policy.changes());
            assert!((value - number(9)).abs() < 1e-9, "case {}: {value}, not {}", cells[0], number(9));
            cases += 1;
        }
        assert_eq!(cases, 40);
    }

    #[test]
    fn a_run_keeps_count_of_stock_and_changes() {
        let prices = [3.0, 2.0, 1.0];
        let demand = vec![vec![vec![(2.0, 1.0)]; 3]; 3];
        let clearance = Clearance {
            prices: &prices,
            present: 0,
            demand: &demand,
            stock: 5.0,
            salvage: 0.5,
            holding: 0.1,
            changes: Some(1),
            rises: false,
        };
        let run = clearance.run(1, |step, _, price, _| if step == 1 { 1 } else { price }, |_, _| 2.0);
        assert_eq!(run.steps, [(0, 5.0, 2.0), (1, 3.0, 2.0), (1, 1.0, 1.0)]);
        assert!((run.revenue - 12.0).abs() < 1e-12 && run.left == 0.0 && (run.value - 11.6).abs() < 1e-12);
    }
}
