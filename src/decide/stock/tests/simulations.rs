//! Fill rates and costs against simulated stock, within three standard errors.

use std::collections::VecDeque;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::dice;
use crate::decide::stock::reorder::ReorderCosts;
use crate::decide::stock::safety::{ContinuousReview, PeriodicReview, Shortages, lead_time_demand};
use crate::decide::stock::{Demand, Units};

const BATCHES: usize = 120;
/// Periods before a batch counts.
const WARM_UP: usize = 60;

/// Fails unless the mean of independent batches is a value, within three of its standard errors.
#[track_caller]
fn agrees(batches: &[f64], value: f64, context: &str) {
    let n = batches.len() as f64;
    let mean = batches.iter().sum::<f64>() / n;
    let error = (batches.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0) / n).sqrt();
    assert!((mean - value).abs() < 3.0 * error, "{context}: {value}, simulated {mean} ± {error}");
}

/// Fails unless the demand that batches met is a proportion of what they asked for. The mean of their ratios would be biased:
/// batches that ask for more meet less of it.
#[track_caller]
fn meets(batches: &[(f64, f64)], fill_rate: f64, context: &str) {
    let typical = batches.iter().map(|(_, asked)| asked).sum::<f64>() / batches.len() as f64;
    let ratios: Vec<f64> = batches.iter().map(|(met, asked)| fill_rate + (met - fill_rate * asked) / typical).collect();
    agrees(&ratios, fill_rate, context);
}

/// Draws from a distribution by its quantiles.
fn draw(demand: &Demand, dice: &mut ChaCha8Rng) -> f64 {
    demand.quantile_at(dice.random_range(1e-12..1.0 - 1e-12))
}

/// What a batch of periodic review meets, and what is asked for: each period demand comes, after an order has arrived; every `review` periods an
/// order is placed.
fn periodic(
    demand: &Demand,
    lead: usize,
    review: usize,
    level: f64,
    shortages: Shortages,
    dice: &mut ChaCha8Rng,
) -> (f64, f64) {
    let (mut stock, mut orders) = (level, VecDeque::from(vec![0.0; lead]));
    let (mut asked, mut met) = (0.0, 0.0);
    for period in 0..WARM_UP + 600 * review {
        let order = if period % review == 0 { level - stock - orders.iter().sum::<f64>() } else { 0.0 };
        orders.push_back(order);
        stock += orders.pop_front().unwrap_or(0.0);
        let wanted = draw(demand, dice);
        // The first orders find more stock than later ones will.
        if period >= WARM_UP {
            asked += wanted;
            met += wanted.min(stock.max(0.0));
        }
        stock -= wanted;
        if shortages == Shortages::Lost {
            stock = stock.max(0.0);
        }
    }
    (met, asked)
}

#[test]
fn fill_rates_of_periodic_review_are_those_of_simulated_stock() {
    let mut dice = dice(21);
    let over = |family: usize, periods: f64| match family {
        0 => Demand::normal(20.0 * periods, 5.0 * periods.sqrt()).unwrap(),
        1 => Demand::poisson(1.7 * periods).unwrap(),
        _ => Demand::negative_binomial(3.0 * periods, 9.0 * periods).unwrap(),
    };
    for family in 0..3 {
        for (lead, review, z) in [(2, 3, 0.3), (0, 2, 0.0), (4, 1, 1.0)] {
            let (lead_demand, protection) = (over(family, lead as f64), over(family, (lead + review) as f64));
            let level = (protection.mean() + z * protection.sd()).round();
            for shortages in [Shortages::Backordered, Shortages::Lost] {
                let analytic = PeriodicReview::new(&lead_demand, &protection, shortages).unwrap().at(level).unwrap();
                let batches: Vec<(f64, f64)> = (0..BATCHES)
                    .map(|_| periodic(&over(family, 1.0), lead, review, level, shortages, &mut dice))
                    .collect();
                let context = format!("family {family}, lead time {lead}, review {review}, {shortages:?}");
                if shortages == Shortages::Backordered || lead == 0 {
                    meets(&batches, analytic.fill_rate, &context);
                } else {
                    let (met, asked) = batches.iter().fold((0.0, 0.0), |sum, batch| (sum.0 + batch.0, sum.1 + batch.1));
                    let mean = met / asked;
                    assert!(mean > analytic.fill_rate, "{context}: {mean} is below the bound {}", analytic.fill_rate);
                    assert!(mean < analytic.fill_rate + 0.2, "{context}: {mean} is far from {}", analytic.fill_rate);
                }
            }
        }
    }
}

/// What a batch of continuous review with Poisson demand at rate 1 meets, what is asked for, and its cost per unit of time.
fn continuous(
    r: f64,
    q: f64,
    lead: f64,
    shortages: Shortages,
    costs: [f64; 3],
    dice: &mut ChaCha8Rng,
) -> ((f64, f64), f64) {
    let [fixed, holding, backorder] = costs;
    let (mut clock, mut stock, mut arrivals) = (0.0, r + q, VecDeque::<f64>::new());
    let (mut warm, mut asked, mut met, mut cost, mut start) = (false, 0.0, 0.0, 0.0, 0.0);
    let advance = |to: f64, clock: &mut f64, stock: f64, cost: &mut f64| {
        *cost += (to - *clock) * (holding * stock.max(0.0) + backorder * (-stock).max(0.0));
        *clock = to;
    };
    while clock < 3_000.0 {
        let next = clock - (1.0 - dice.random::<f64>()).ln();
        while let Some(arrival) = arrivals.front().copied().filter(|arrival| *arrival <= next) {
            advance(arrival, &mut clock, stock, &mut cost);
            stock += q;
            arrivals.pop_front();
        }
        advance(next, &mut clock, stock, &mut cost);
        if !warm && clock > 2.0 * WARM_UP as f64 {
            (warm, asked, met, cost, start) = (true, 0.0, 0.0, 0.0, clock);
        }
        asked += 1.0;
        met += f64::from(stock > 0.0);
        if stock > 0.0 || shortages == Shortages::Backordered {
            stock -= 1.0;
            if stock + q * arrivals.len() as f64 <= r {
                arrivals.push_back(clock + lead);
                cost += fixed;
            }
        }
    }
    ((met, asked), cost / (clock - start))
}

#[test]
fn continuous_review_of_poisson_demand_is_exact() {
    let mut dice = dice(22);
    let costs = [10.0, 1.0, 6.0];
    for (r, q, lead) in [(4.0, 7.0, 5.0), (6.0, 9.0, 5.0), (12.0, 5.0, 11.0)] {
        let demand = Demand::poisson(lead).unwrap();
        for shortages in [Shortages::Backordered, Shortages::Lost] {
            // The formula for lost sales needs at most one open order.
            if shortages == Shortages::Lost && q <= r {
                continue;
            }
            let batches: Vec<_> = (0..BATCHES).map(|_| continuous(r, q, lead, shortages, costs, &mut dice)).collect();
            let analytic = ContinuousReview::new(&demand, q, shortages).unwrap().at(r).unwrap();
            let fill: Vec<(f64, f64)> = batches.iter().map(|(fill, _)| *fill).collect();
            meets(&fill, analytic.fill_rate, &format!("r {r}, Q {q}, {shortages:?}"));
            if shortages == Shortages::Backordered {
                let policy = ReorderCosts::new(costs[0], costs[1], costs[2], 1.0).unwrap();
                let exact = policy.policy(&demand, r, q, Units::Whole).unwrap().cost;
                agrees(
                    &batches.iter().map(|(_, cost)| *cost).collect::<Vec<_>>(),
                    exact,
                    &format!("cost, r {r}, Q {q}"),
                );
            }
        }
    }
}

#[test]
fn demand_over_a_random_lead_time_has_these_moments() {
    let mut dice = dice(23);
    let demand = Demand::gamma(20.0, 6.0).unwrap();
    // Lead times of 2, 3 or 7 periods, equally likely.
    let (mean, sd) = lead_time_demand(20.0, 6.0, 4.0, (14.0_f64 / 3.0).sqrt()).unwrap();
    let sums: Vec<f64> = (0..6_000)
        .map(|_| {
            let lead = [2, 3, 7][dice.random_range(0..3)];
            (0..lead).map(|_| draw(&demand, &mut dice)).sum()
        })
        .collect();
    agrees(&sums, mean, "mean");
    let squares: Vec<f64> = sums.iter().map(|x| (x - mean).powi(2)).collect();
    agrees(&squares, sd * sd, "variance");
}
