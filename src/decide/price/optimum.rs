//! Which price earns most, if it is not known exactly how demand reacts to it?
//!
//! **Demand** at price p is D (p / p₀)^e: D what would be asked for at the present price p₀, e the elasticity
//! (constant; Talluri & van Ryzin 2004, *The Theory and Practice of Revenue Management*, chapter 7). Neither D nor e is
//! known: both are draws, paired at random, and the expected profit at p is the mean over the draws of (p − c) min(D (p
//! / p₀)^e, stock). The best price maximises this mean. At known e < −1 without a limit of stock it is p* = c e / (e +
//! 1); averaged over draws it lies elsewhere, because profit is no linear function of e.
//!
//! **The difference** between two prices is taken draw by draw, so that what both have in common cancels: its quantiles
//! are its interval, the share above zero the probability that the new price earns more.
//!
//! **When it fails.** Far from the prices that were seen, a constant elasticity is a guess. With e > −1 profit rises
//! without end: a limit decides. What is left of a stock is worth its cost.

/// Steps of the grid that is refined around its best point.
const GRID: usize = 40;
/// Golden sections of the interval around it.
const SECTIONS: usize = 60;
/// The golden ratio less one.
const GOLDEN: f64 = 0.618_033_988_749_894_9;

/// An item whose price is to be chosen.
pub(crate) struct Item<'a> {
    /// The price at which the demand is that of the draws.
    pub present: f64,
    /// The cost of a unit.
    pub cost: f64,
    /// Units that can be sold at most.
    pub stock: Option<f64>,
    /// Units asked for at the present price in all steps together, draw by draw.
    pub demand: &'a [f64],
    /// The elasticity, draw by draw.
    pub elasticity: &'a [f64],
}

/// What is expected at a price.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Outlook {
    pub units: f64,
    pub revenue: f64,
    pub profit: f64,
}

/// One price instead of another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Difference {
    /// The expected difference in profit.
    pub mean: f64,
    pub low: f64,
    pub high: f64,
    /// The probability that it is above zero.
    pub better: f64,
}

impl Item<'_> {
    /// Units sold at a price, draw by draw.
    fn sold(&self, price: f64) -> impl Iterator<Item = f64> {
        let log = (price / self.present).ln();
        let stock = self.stock.unwrap_or(f64::INFINITY);
        let draws = self.demand.iter().zip(self.elasticity);
        draws.map(move |(demand, elasticity)| (demand.max(0.0) * (elasticity * log).exp()).min(stock))
    }

    /// What is expected at a price.
    pub(crate) fn at(&self, price: f64) -> Outlook {
        let units = self.sold(price).sum::<f64>() / self.demand.len().max(1) as f64;
        Outlook { units, revenue: price * units, profit: (price - self.cost) * units }
    }

    /// Profit at a price, draw by draw.
    pub(crate) fn profits(&self, price: f64) -> Vec<f64> {
        self.sold(price).map(|units| (price - self.cost) * units).collect()
    }

    /// The price from `low` to `high` with the greatest expected profit.
    pub(crate) fn best(&self, low: f64, high: f64) -> f64 {
        let (from, to) = (low.ln(), high.ln());
        let profit = |log: f64| self.at(log.exp()).profit;
        let step = (to - from) / GRID as f64;
        if step.is_nan() || step <= 0.0 {
            return low;
        }
        let best = (0..=GRID).map(|k| (k, profit(from + step * k as f64)));
        let (place, at_grid) = best.fold((0, f64::NEG_INFINITY), |a, b| if b.1 > a.1 { b } else { a });
        let (mut a, mut b) = (from + step * place.saturating_sub(1) as f64, (from + step * (place + 1) as f64).min(to));
        let (mut x, mut y) = (b - GOLDEN * (b - a), a + GOLDEN * (b - a));
        let (mut at_x, mut at_y) = (profit(x), profit(y));
        for _ in 0..SECTIONS {
            if b - a < 1e-10 {
                break;
            }
            if at_x >= at_y {
                (b, y, at_y) = (y, x, at_x);
                x = b - GOLDEN * (b - a);
                at_x = profit(x);
            } else {
                (a, x, at_x) = (x, y, at_y);
                y = a + GOLDEN * (b - a);
                at_y = profit(y);
            }
        }
        let (inner, at_inner) = (f64::midpoint(a, b), profit(f64::midpoint(a, b)));
        // At a limit the best point is the limit itself.
        if at_grid >= at_inner {
            (from + step * place as f64).exp().clamp(low, high)
        } else {
            inner.exp().clamp(low, high)
        }
    }

    /// The best of some prices: the first of those that are equally good.
    pub(crate) fn best_of(&self, prices: &[f64]) -> Option<f64> {
        let valued = prices.iter().map(|price| (*price, self.at(*price).profit));
        valued.reduce(|a, b| if b.1 > a.1 { b } else { a }).map(|(price, _)| price)
    }

    /// Profit at `price` less that at the present one, with the interval that holds it with probability `level`.
    pub(crate) fn against_present(&self, price: f64, level: f64) -> Difference {
        let pairs = self.profits(price).into_iter().zip(self.profits(self.present));
        difference(pairs.map(|(new, old)| new - old).collect(), level)
    }
}

/// The mean of draws of a difference, its central interval, and how often it is above zero.
pub(crate) fn difference(mut draws: Vec<f64>, level: f64) -> Difference {
    draws.sort_by(f64::total_cmp);
    let n = draws.len().max(1) as f64;
    let quantile = |p: f64| {
        let at = p * (n - 1.0);
        let (below, above) = (at.floor() as usize, at.ceil() as usize);
        let (a, b) = (draws.get(below).copied().unwrap_or(0.0), draws.get(above).copied().unwrap_or(0.0));
        a + (b - a) * (at - at.floor())
    };
    Difference {
        mean: draws.iter().sum::<f64>() / n,
        low: quantile((1.0 - level) / 2.0),
        high: quantile((1.0 + level) / 2.0),
        better: draws.iter().filter(|draw| **draw > 0.0).count() as f64 / n,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item<'a>(demand: &'a [f64], elasticity: &'a [f64]) -> Item<'a> {
        Item { present: 2.0, cost: 1.2, stock: None, demand, elasticity }
    }

    #[test]
    fn a_known_elasticity_has_the_closed_form() {
        for elasticity in [-1.5, -2.0, -3.0, -5.0] {
            let best = item(&[100.0], &[elasticity]).best(0.5, 20.0);
            let closed = 1.2 * elasticity / (elasticity + 1.0);
            assert!((best - closed).abs() < 1e-6 * closed, "{elasticity}: {best}, not {closed}");
        }
    }

    #[test]
    fn an_inelastic_demand_ends_at_the_limit() {
        assert_eq!(item(&[100.0], &[-0.5]).best(1.5, 2.5), 2.5);
        assert_eq!(item(&[100.0], &[-9.0]).best(1.5, 2.5), 1.5);
    }

    #[test]
    fn a_stock_limit_raises_the_price_until_it_just_sells() {
        // Demand of 100 (p/2)^−3 for 50 units: at the best price all is sold.
        let limited = Item { stock: Some(50.0), ..item(&[100.0], &[-3.0]) };
        let best = limited.best(1.3, 20.0);
        assert!((best - 2.0 * 2_f64.powf(1.0 / 3.0)).abs() < 1e-5, "{best}");
        assert!((limited.at(best).units - 50.0).abs() < 1e-3);
    }

    #[test]
    fn differences_are_taken_draw_by_draw() {
        let demand = [50.0, 100.0, 150.0];
        let elasticity = [-2.0, -2.0, -2.0];
        let found = item(&demand, &elasticity).against_present(2.4, 0.9);
        let one = |d: f64| d * ((2.4 - 1.2) * 1.2_f64.powf(-2.0) - 0.8);
        assert!((found.mean - one(100.0)).abs() < 1e-9 && found.better == 1.0);
        assert!((found.low - (one(50.0) + 0.1 * (one(100.0) - one(50.0)))).abs() < 1e-9);
    }

    #[test]
    fn the_average_over_draws_is_no_price_at_the_average() {
        let spread: Vec<f64> = (0..200).map(|k| -2.5 + 1.2 * (f64::from(k) / 199.0 - 0.5)).collect();
        let demand = vec![10.0; 200];
        let averaged = Item { cost: 1.0, ..item(&demand, &spread) }.best(0.5, 20.0);
        let known = Item { cost: 1.0, ..item(&[10.0], &[-2.5]) }.best(0.5, 20.0);
        // Where the price falls, the more elastic draws sell more and count more.
        assert!((known - 2.5 / 1.5).abs() < 1e-6 && averaged < known - 0.005, "{averaged} against {known}");
    }
}
