//! What does a promotion earn, more than would have been earned without it?
//!
//! Draw by draw, with D what would be sold in a step without it, p the price, c the cost of a unit, d the discount, and
//! u, b, a, s draws of the uplift, of how much lower sales are before and after it, and of how much lower those of
//! siblings are meanwhile (shares of what would be sold; b, a, s are not above zero):
//!
//! gain = Σ run D [(1 + u)(p (1 − d) − c) − (p − c)] + (p − c) [b Σ before D + a Σ after D] + s Σ run M − F,
//!
//! M the margin of the siblings that are not promoted themselves, F what the promotion costs. Where the target is
//! turnover, u is the uplift of turnover, discount included: D is money at the regular price, c a share of it, and (1 +
//! u)(1 − c / (1 − d)) takes the place of the first term.
//!
//! **When it fails.** The uplift is that of past promotions: with another discount than theirs it is a guess.

/// The item that is promoted.
pub(crate) struct Promoted<'a> {
    /// What would be sold, by draw and step.
    pub demand: &'a [Vec<f64>],
    pub price: f64,
    pub cost: f64,
    /// Is the target turnover? Then the price is 1 and the cost a share of it.
    pub turnover: bool,
    /// The uplift, draw by draw.
    pub uplift: &'a [f64],
    /// How much lower sales are before and after it, draw by draw; empty for not at all.
    pub before: &'a [f64],
    pub after: &'a [f64],
    /// Over how many steps.
    pub windows: (usize, usize),
}

/// One promotion.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Run {
    pub start: usize,
    pub length: usize,
    pub discount: f64,
    /// What it costs.
    pub cost: f64,
}

/// The gain of one draw in parts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Gain {
    /// More sold while it runs, and fewer in the steps around: units (money, where the target is turnover).
    pub more: f64,
    pub borrowed: f64,
    /// Profit: of its own steps, of the steps around, of siblings; the last two are not above zero.
    pub own: f64,
    pub around: f64,
    pub siblings: f64,
    /// All of it, less what it costs.
    pub total: f64,
}

impl Promoted<'_> {
    /// The gain of a promotion in each draw; `siblings` has the change of their margin in each draw.
    pub(crate) fn gains(&self, run: &Run, siblings: impl Fn(usize) -> f64) -> Vec<Gain> {
        let margin = self.price - self.cost;
        let left = 1.0 - run.discount;
        let one = |(k, path): (usize, &Vec<f64>)| {
            let steps = path.len();
            let end = (run.start + run.length).min(steps);
            let sum = |from: usize, to: usize| path[from.min(steps)..to.min(steps)].iter().sum::<f64>();
            let (before, after) = (run.start.saturating_sub(self.windows.0), end + self.windows.1);
            let base = sum(run.start, end);
            let times = (1.0 + self.uplift[k]).max(0.0);
            let earned =
                if self.turnover { times * (1.0 - self.cost / left) } else { times * (self.price * left - self.cost) };
            let lower = |shares: &[f64], base: f64| shares.get(k).map_or(0.0, |share| share.clamp(-1.0, 0.0) * base);
            let borrowed = lower(self.before, sum(before, run.start)) + lower(self.after, sum(end, after));
            let (own, around, siblings) = (base * (earned - margin), margin * borrowed, siblings(k));
            Gain {
                more: base * (times - 1.0),
                borrowed,
                own,
                around,
                siblings,
                total: own + around + siblings - run.cost,
            }
        };
        self.demand.iter().enumerate().map(one).collect()
    }
}

/// The mean of gains, part by part.
pub(crate) fn mean(gains: &[Gain]) -> Gain {
    let n = gains.len().max(1) as f64;
    let of = |part: fn(&Gain) -> f64| gains.iter().map(part).sum::<f64>() / n;
    Gain {
        more: of(|gain| gain.more),
        borrowed: of(|gain| gain.borrowed),
        own: of(|gain| gain.own),
        around: of(|gain| gain.around),
        siblings: of(|gain| gain.siblings),
        total: of(|gain| gain.total),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gain_is_the_sum_of_its_parts() {
        let demand = [vec![10.0, 20.0, 30.0, 40.0, 50.0]];
        let item = Promoted {
            demand: &demand,
            price: 2.0,
            cost: 1.0,
            turnover: false,
            uplift: &[0.5],
            before: &[-0.1],
            after: &[-0.2],
            windows: (1, 2),
        };
        let run = Run { start: 1, length: 1, discount: 0.1, cost: 3.0 };
        let gain = item.gains(&run, |_| -1.5)[0];
        // 30 units at a margin of 0.8 instead of 20 at 1; one before, 6 and 8 after are borrowed.
        assert!((gain.own - (30.0 * 0.8 - 20.0)).abs() < 1e-12);
        assert!((gain.around - (-1.0 - 14.0)).abs() < 1e-12 && (gain.borrowed + 15.0).abs() < 1e-12);
        assert!((gain.total - (4.0 - 15.0 - 1.5 - 3.0)).abs() < 1e-12 && gain.more == 10.0);
    }

    #[test]
    fn turnover_has_the_discount_in_its_uplift() {
        // 10 units at 2 of which 1 is cost; with 20 % off, 15 units: turnover 24 instead of 20.
        let demand = [vec![20.0]];
        let money = Promoted {
            demand: &demand,
            price: 1.0,
            cost: 0.5,
            turnover: true,
            uplift: &[0.2],
            before: &[],
            after: &[],
            windows: (1, 1),
        };
        let run = Run { start: 0, length: 1, discount: 0.2, cost: 0.0 };
        let units = [vec![10.0]];
        let sold = Promoted { demand: &units, price: 2.0, cost: 1.0, turnover: false, uplift: &[0.5], ..money };
        let gain = |item: &Promoted| item.gains(&run, |_| 0.0)[0].total;
        assert!((gain(&money) - gain(&sold)).abs() < 1e-12, "{} {}", gain(&money), gain(&sold));
    }
}
