//! Against brute force and first principles, on random problems.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{close, dice};
use crate::decide::stock::eoq::{
    Discount, JointItem, PriceBreak, discounted_quantity, eoq_with_backorders, joint_replenishment,
};
use crate::decide::stock::lot_sizing::Requirements;
use crate::decide::stock::min_max::{self, MinMax};
use crate::decide::stock::reorder::ReorderCosts;
use crate::decide::stock::safety::{ContinuousReview, PeriodicReview, Shortages, lead_time_demand};
use crate::decide::stock::{Demand, Item, Newsvendor, OrderRule, Units, allocate};

/// One demand of every family.
fn families(dice: &mut ChaCha8Rng) -> Vec<Demand> {
    let mean = 10.0_f64.powf(dice.random_range(-0.5..2.5));
    let sd = mean * dice.random_range(0.05..0.9);
    let draws = (0..dice.random_range(1..200)).map(|_| (mean * dice.random_range(0.0..2.0_f64)).round()).collect();
    let fractions = (0..50).map(|_| mean * dice.random_range(0.0..2.0)).collect();
    let variance = mean * dice.random_range(1.0..6.0);
    vec![
        Demand::normal(mean, sd).unwrap(),
        Demand::gamma(mean, sd).unwrap(),
        Demand::poisson(mean).unwrap(),
        Demand::negative_binomial(mean, variance).unwrap(),
        Demand::samples(draws).unwrap(),
        Demand::samples(fractions).unwrap(),
        Demand::normal(mean, 0.0).unwrap(),
    ]
}

#[test]
fn quantiles_invert_the_distribution_function() {
    let mut dice = dice(1);
    for _ in 0..60 {
        for demand in families(&mut dice) {
            let p = dice.random_range(0.001..0.999);
            let q = demand.quantile(p).unwrap();
            assert!(demand.cdf(q) >= p - 1e-9, "{demand:?} {p}");
            assert!(demand.cdf(q - 1e-6 * q.abs().max(1e-3)) < p, "{demand:?} {p}");
        }
    }
    // The ninth of nine draws covers 90 % of a tenth: ranks are whole numbers.
    let nine = Demand::samples((1..=10).map(f64::from).collect()).unwrap();
    assert_eq!(nine.quantile(0.9).unwrap(), 9.0);
    assert_eq!(nine.quantile(0.3).unwrap(), 3.0);
}

#[test]
fn losses_are_integrals_of_the_distribution() {
    let mut dice = dice(2);
    for _ in 0..40 {
        for demand in families(&mut dice) {
            let s = (demand.mean() + demand.sd() * dice.random_range(-2.0..4.0)).max(0.0);
            let step = 1e-3 * demand.mean().max(0.1);
            let scale = demand.mean();
            let context = format!("{demand:?} at {s}");
            let (short, over) = (demand.expected_shortage(s), demand.expected_overage(s));
            close(over - short, s - demand.mean(), 1e-9, scale, &context);
            assert!(short >= 0.0 && over >= 0.0, "{context}");
            // By Simpson's rule, exact for the pieces between two counts.
            let integral = |f: &dyn Fn(f64) -> f64| (f(s) + 4.0 * f(s + step / 2.0) + f(s + step)) * step / 6.0;
            let second = demand.second_order_loss(s) - demand.second_order_loss(s + step);
            close(second, integral(&|s| demand.expected_shortage(s)), 1e-2, step * 1e-6 * scale, &context);
            let fell = short - demand.expected_shortage(s + step);
            assert!(fell >= step * (1.0 - demand.cdf(s + step)) - 1e-9 * scale, "{context}");
            assert!(fell <= step * (1.0 - demand.cdf(s)) + 1e-9 * scale, "{context}");
        }
    }
}

#[test]
fn losses_of_counts_are_sums_of_probabilities() {
    for demand in [Demand::poisson(4.2).unwrap(), Demand::negative_binomial(4.2, 11.0).unwrap()] {
        // Listed to 1e-14, which leaves out some 1e-10 of a second moment.
        let probabilities = demand.probabilities().unwrap();
        close(probabilities.iter().sum(), 1.0, 1e-11, 1.0, "probabilities");
        for s in [-1.5, 0.0, 0.3, 4.0, 7.75, 20.0] {
            let sum = |f: &dyn Fn(f64) -> f64| -> f64 {
                probabilities.iter().enumerate().map(|(k, p)| p * f((k as f64 - s).max(0.0))).sum()
            };
            close(demand.expected_shortage(s), sum(&|x| x), 1e-8, 1.0, "shortage");
            close(demand.second_order_loss(s), sum(&|x| x * x / 2.0), 1e-8, 1.0, "second-order loss");
        }
    }
}

#[test]
fn costs_are_convex_and_least_at_the_newsvendor_level() {
    let mut dice = dice(3);
    for _ in 0..40 {
        let costs = Newsvendor::costs(dice.random_range(0.1..5.0), dice.random_range(0.1..20.0)).unwrap();
        for demand in families(&mut dice) {
            let cost = |s: f64| costs.at(&demand, s.max(0.0)).unwrap().cost;
            let slack = 1e-9 * demand.mean() * (costs.overage() + costs.underage());
            let (a, b) = (dice.random_range(0.0..3.0) * demand.mean(), dice.random_range(0.0..3.0) * demand.mean());
            assert!(cost((a + b) / 2.0) <= (cost(a) + cost(b)) / 2.0 + slack);
            let best = costs.optimal(&demand, Units::Divisible);
            let whole = costs.optimal(&demand, Units::Whole);
            assert!(whole.level.fract() == 0.0 && best.cost <= whole.cost + slack);
            for away in [0.01, 0.3, 1.0, 2.0, 10.0] {
                assert!(best.cost <= cost(best.level + away).min(cost(best.level - away)) + slack, "{demand:?}");
                let away = away.ceil();
                assert!(whole.cost <= cost(whole.level + away).min(cost(whole.level - away)) + slack, "{demand:?}");
            }
            assert!((0.0..=1.0).contains(&whole.fill_rate));
        }
    }
}

#[test]
fn discounts_are_best_among_all_quantities() {
    let mut dice = dice(4);
    for _ in 0..60 {
        let mut breaks = vec![PriceBreak { from: 0.0, unit_cost: dice.random_range(2.0..10.0) }];
        for _ in 0..dice.random_range(0..4) {
            let last = breaks[breaks.len() - 1];
            breaks.push(PriceBreak {
                from: last.from + dice.random_range(10.0..200.0),
                unit_cost: last.unit_cost * dice.random_range(0.85..1.0),
            });
        }
        let (fixed, holding, rate) = (dice.random_range(1.0..50.0), 0.25, dice.random_range(50.0..2000.0));
        for discount in [Discount::AllUnits, Discount::Incremental] {
            let lot = discounted_quantity(fixed, holding, rate, &breaks, discount).unwrap();
            let cost = |q: f64| {
                let bracket = breaks.iter().rposition(|b| b.from <= q).unwrap();
                let paid = match discount {
                    Discount::AllUnits => breaks[bracket].unit_cost * q,
                    Discount::Incremental => (0..=bracket)
                        .map(|j| {
                            let end = breaks.get(j + 1).map_or(q, |next| next.from.min(q));
                            breaks[j].unit_cost * (end - breaks[j].from)
                        })
                        .sum(),
                };
                (fixed + paid) * rate / q + holding * paid / 2.0
            };
            close(lot.cost, cost(lot.quantity), 1e-12, 0.0, "cost of the lot");
            let least = (1..4000).map(|k| cost(f64::from(k) * 0.5)).fold(f64::INFINITY, f64::min);
            assert!(lot.cost <= least * (1.0 + 1e-12), "{breaks:?} {lot:?} {least}");
        }
    }
}

#[test]
fn joint_cycles_are_best_among_powers_of_two() {
    let mut dice = dice(5);
    for _ in 0..60 {
        let major = dice.random_range(1.0..100.0);
        let items: Vec<JointItem> = (0..3)
            .map(|_| JointItem {
                minor_cost: dice.random_range(0.0..80.0),
                holding_cost: dice.random_range(0.1..3.0),
                demand_rate: 10.0_f64.powf(dice.random_range(0.0..3.0)),
            })
            .collect();
        let found = joint_replenishment(major, &items).unwrap();
        let mut least = f64::INFINITY;
        for code in 0..512_u32 {
            let multiples: Vec<f64> = (0..3).map(|k| f64::from(1 << (code >> (3 * k) & 7))).collect();
            let orders = major + items.iter().zip(&multiples).map(|(i, m)| i.minor_cost / m).sum::<f64>();
            let stock: f64 = items.iter().zip(&multiples).map(|(i, m)| i.holding_cost * i.demand_rate * m).sum();
            least = least.min((2.0 * orders * stock).sqrt());
        }
        close(found.cost, least, 1e-9, 0.0, "joint");
    }
}

#[test]
fn reorder_policies_cannot_be_improved() {
    let mut dice = dice(6);
    for _ in 0..12 {
        let (fixed, holding, backorder) = (dice.random_range(1.0..200.0), 1.0, dice.random_range(1.0..30.0));
        for demand in families(&mut dice) {
            let costs = ReorderCosts::new(fixed, holding, backorder, demand.mean() / 2.0).unwrap();
            let best = costs.optimal(&demand, Units::Divisible).unwrap();
            let (r, q) = (best.reorder_point, best.quantity);
            let slack = 1e-9 * best.cost;
            for (dr, dq) in
                [(0.5, 0.0), (-0.5, 0.0), (0.0, 0.5), (0.0, -0.5), (0.5, -0.5), (-0.5, 0.5), (-0.5, 1.0), (3.0, 2.0)]
            {
                let scale = 0.2 * q;
                let other = costs.policy(&demand, r + dr * scale, q + dq * scale, Units::Divisible).unwrap();
                assert!(best.cost <= other.cost + slack, "{demand:?} {best:?} {other:?}");
            }
            let simple = costs.from_backorder_eoq(&demand).unwrap();
            assert!(best.cost <= simple.cost + slack && best.cost <= costs.from_eoq(&demand).unwrap().cost + slack);
            // Zheng 1992: the quantity is at least the EOQ with backorders, which costs at most an eighth more.
            assert!(q >= simple.quantity * (1.0 - 1e-6) && simple.cost <= 1.125 * best.cost + slack, "{demand:?}");
            if demand.is_whole() && demand.mean() < 60.0 {
                let whole = costs.optimal(&demand, Units::Whole).unwrap();
                let (r, q) = (whole.reorder_point, whole.quantity);
                close(whole.cost, costs.policy(&demand, r, q, Units::Whole).unwrap().cost, 1e-10, 0.0, "whole units");
                for other_q in 1..=2 * q as u32 + 2 {
                    let other = costs.optimal_for(&demand, f64::from(other_q), Units::Whole).unwrap();
                    assert!(whole.cost <= other.cost + slack, "{whole:?} {other:?}");
                    for other_r in [-2.0, -1.0, 1.0, 2.0] {
                        let policy = costs
                            .policy(&demand, other.reorder_point + other_r, f64::from(other_q), Units::Whole)
                            .unwrap();
                        assert!(other.cost <= policy.cost + slack, "{other:?} {policy:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn without_a_lead_time_the_reorder_policy_is_the_eoq_with_backorders() {
    let lot = eoq_with_backorders(8.0, 0.225, 5.0, 1300.0).unwrap();
    let costs = ReorderCosts::new(8.0, 0.225, 5.0, 1300.0).unwrap();
    for demand in [Demand::normal(0.0, 0.0).unwrap(), Demand::poisson(0.0).unwrap()] {
        let best = costs.optimal(&demand, Units::Divisible).unwrap();
        close(best.quantity, lot.quantity, 1e-9, 0.0, "quantity");
        close(best.reorder_point, -lot.backordered_fraction * lot.quantity, 1e-9, 0.0, "reorder point");
        close(best.cost, lot.cost, 1e-12, 0.0, "cost");
    }
}

#[test]
fn min_and_max_are_the_best_of_all() {
    let mut dice = dice(7);
    for round in 0..40 {
        let draws =
            (0..dice.random_range(2..12)).map(|_| f64::from(dice.random_range(0..6_u32))).chain([1.0]).collect();
        let period = match round % 3 {
            0 => Demand::samples(draws).unwrap(),
            1 => Demand::poisson(dice.random_range(0.2..4.0)).unwrap(),
            _ => Demand::negative_binomial(2.0, dice.random_range(2.0..9.0)).unwrap(),
        };
        // A lead time of two periods changes only the demand that the cost rate refers to.
        let lead = match round % 2 {
            0 => period.clone(),
            _ => Demand::poisson(3.0 * period.mean()).unwrap(),
        };
        let fixed = if round < 6 { 0.0 } else { dice.random_range(0.0..30.0) };
        let (holding, shortage) = (1.0, dice.random_range(1.0..20.0));
        let best = min_max::optimal(fixed, holding, shortage, &period, &lead).unwrap();
        let cost =
            |min, max| min_max::policy(MinMax { min, max }, fixed, holding, shortage, &period, &lead).unwrap().cost;
        close(best.cost, cost(best.levels.min, best.levels.max), 1e-12, 0.0, "cost of the policy");
        let mut least = f64::INFINITY;
        for min in -12..20 {
            for max in min + 1..50 {
                least = least.min(cost(f64::from(min), f64::from(max)));
            }
        }
        close(best.cost, least, 1e-10, 0.0, &format!("{best:?} {fixed} {shortage}"));
    }
}

#[test]
fn the_power_approximation_is_near_the_optimum() {
    for (fixed, shortage, mean) in [(24.0, 9.0, 10.0), (64.0, 4.0, 20.0), (36.0, 24.0, 8.0)] {
        let demand = Demand::negative_binomial(mean, 3.0 * mean).unwrap();
        let found = min_max::power_approximation(fixed, 1.0, shortage, mean, mean, demand.sd()).unwrap().levels;
        let rounded = MinMax { min: found.min.round(), max: found.max.round() };
        let cost = min_max::policy(rounded, fixed, 1.0, shortage, &demand, &demand).unwrap().cost;
        let best = min_max::optimal(fixed, 1.0, shortage, &demand, &demand).unwrap().cost;
        assert!(cost >= best && cost < 1.04 * best, "{cost} {best}");
    }
    // Small orders: no level above that of the newsvendor.
    let small = min_max::power_approximation(2.5, 0.18, 0.70, 50.0, 50.0, 8.0).unwrap();
    close(small.levels.max, 56.603_955_9, 1e-8, 0.0, "cap");
    assert!(small.levels.min == small.regression.min && small.regression.max > 74.0);
}

#[test]
fn lot_plans_are_the_best_of_all() {
    let mut dice = dice(8);
    for _ in 0..150 {
        let periods = dice.random_range(1..=8);
        let mut column =
            |low: f64, high: f64| -> Vec<f64> { (0..periods).map(|_| dice.random_range(low..high)).collect() };
        let demand: Vec<f64> = column(-20.0, 60.0).iter().map(|d| d.max(0.0).round()).collect();
        let (fixed, holding, unit) = (column(0.0, 80.0), column(0.0, 3.0), column(0.0, 4.0));
        let problem = Requirements::varying(&demand, &fixed, &holding, &unit).unwrap();
        let plan = problem.optimal();
        // Every choice of order periods, each order lasting until the next.
        let mut least = f64::INFINITY;
        for choice in 0_u32..1 << periods {
            let (mut cost, mut order, mut carrying) = (0.0, None, 0.0);
            for t in 0..periods {
                if choice >> t & 1 == 1 {
                    (order, carrying) = (Some(t), 0.0);
                    cost += fixed[t];
                }
                cost += match order {
                    Some(order) => demand[t] * (unit[order] + carrying),
                    None if demand[t] > 0.0 => f64::INFINITY,
                    None => 0.0,
                };
                carrying += holding[t];
            }
            least = least.min(cost);
        }
        close(plan.cost, least, 1e-10, 1e-6, &format!("{problem:?}"));
        let heuristic = problem.silver_meal();
        assert!(heuristic.cost >= plan.cost - 1e-9);
        for plan in [plan, heuristic] {
            close(plan.quantities.iter().sum(), demand.iter().sum(), 1e-12, 1.0, "all is ordered");
            assert!(plan.stock.iter().all(|left| *left >= 0.0));
        }
    }
    let less = Requirements::new(&[10.0, 20.0, 30.0], 5.0, 1.0).unwrap().less(25.0).unwrap();
    assert_eq!(less.optimal().quantities, [0.0, 5.0, 30.0]);
}

#[test]
fn accepted_orders_are_the_best_of_all() {
    let mut dice = dice(9);
    for _ in 0..40 {
        let costs = Newsvendor::costs(dice.random_range(0.2..3.0), dice.random_range(0.2..9.0)).unwrap();
        let (pack, minimum) = (f64::from(dice.random_range(1..30_u32)), dice.random_range(0.0..40.0));
        let rule =
            OrderRule::new(Some(pack), Some(minimum), Some(minimum + pack + dice.random_range(0.0..200.0))).unwrap();
        for demand in families(&mut dice) {
            let position = dice.random_range(-10.0..1.2 * demand.mean()).round();
            let order = rule.order(&costs, &demand, position, Units::Whole).unwrap();
            assert!(rule.accepts(order.quantity), "{rule:?} {order:?}");
            let accepted = (0..2000).map(f64::from).filter(|q| rule.accepts(*q));
            let least = accepted.map(|q| costs.cost(&demand, position + q)).fold(f64::INFINITY, f64::min);
            close(order.cost, least, 1e-9, 1e-9 * demand.mean(), &format!("{rule:?} {order:?} {demand:?}"));
            assert!(order.cost_of_rule >= 0.0);
        }
    }
    // Three packs of 0.1 are three, although 0.3 / 0.1 is less.
    let rule = OrderRule::new(Some(0.1), None, None).unwrap();
    close(rule.round_up(0.3).unwrap(), 0.3, 1e-12, 0.0, "packs");
    let free = OrderRule::new(None, Some(12.0), Some(100.0)).unwrap();
    assert_eq!([0.0, 3.0, 50.0, 170.0].map(|need| free.round_up(need).unwrap()), [0.0, 12.0, 50.0, 100.0]);
}

#[test]
fn allocations_are_the_best_of_all() {
    let mut dice = dice(10);
    for round in 0..120 {
        let demands: Vec<Demand> = (0..3)
            .map(|k| match (round + k) % 3 {
                0 => Demand::poisson(dice.random_range(0.5..6.0)).unwrap(),
                1 => Demand::samples((0..6).map(|_| f64::from(dice.random_range(0..9_u32))).collect()).unwrap(),
                _ => Demand::normal(5.0, 2.0).unwrap(),
            })
            .collect();
        let equal = round % 2 == 0;
        let items: Vec<Item> = demands
            .iter()
            .map(|demand| Item {
                name: "item",
                demand,
                costs: Newsvendor::costs(dice.random_range(0.2..2.0), dice.random_range(0.5..9.0)).unwrap(),
                weight: if equal { 2.5 } else { f64::from(dice.random_range(1..6_u32)) },
                position: f64::from(dice.random_range(-1..3_i32)),
                minimum: dice.random_bool(0.3).then_some(2.0),
                maximum: dice.random_bool(0.3).then_some(7.0),
            })
            .collect();
        let limit = dice.random_range(20.0..60.0);
        let found = allocate(&items, limit, Units::Whole).unwrap();
        assert!(found.used <= limit * (1.0 + 1e-9));
        let mut least = f64::INFINITY;
        for code in 0..4096_u32 {
            let orders: Vec<f64> = (0..3).map(|k| f64::from(code >> (4 * k) & 15)).collect();
            let used: f64 = items.iter().zip(&orders).map(|(item, q)| item.weight * q).sum();
            let allowed = items.iter().zip(&orders).all(|(item, q)| {
                let level = item.position + q;
                *q == 0.0 && level >= item.minimum.unwrap_or(level)
                    || level >= item.minimum.unwrap_or(level) && level <= item.maximum.unwrap_or(level)
            });
            if used <= limit && allowed {
                let costs = items.iter().zip(&orders).map(|(item, q)| item.costs.cost(item.demand, item.position + q));
                least = least.min(costs.sum());
            }
        }
        assert!(found.cost >= least - 1e-9 && found.cost <= least + found.gap + 1e-9, "{found:?} {least}");
        assert!(!equal || found.gap < 1e-9, "{found:?}");
        let divisible = allocate(&items, limit, Units::Divisible).unwrap();
        assert!(divisible.cost <= least + 1e-9, "{divisible:?} {least}");
    }
}

#[test]
fn at_the_shadow_price_no_item_gains_by_another_level() {
    let mut dice = dice(11);
    for _ in 0..20 {
        let demands = families(&mut dice);
        let items: Vec<Item> = demands
            .iter()
            .map(|demand| Item {
                name: "item",
                demand,
                costs: Newsvendor::costs(dice.random_range(0.2..2.0), dice.random_range(0.5..9.0)).unwrap(),
                weight: dice.random_range(0.5..4.0),
                position: 0.0,
                minimum: None,
                maximum: None,
            })
            .collect();
        let limit = demands.iter().map(Demand::mean).sum::<f64>() * dice.random_range(0.2..1.2);
        let found = allocate(&items, limit, Units::Divisible).unwrap();
        let slack = 1e-6 * found.cost;
        if found.shadow_price > 0.0 {
            close(found.used, limit, 1e-9, 0.0, "the limit is used up");
            // With smooth costs, the shadow price is what a little more saves.
            let more = allocate(&items, limit * 1.001, Units::Divisible).unwrap();
            let saved = (found.cost - more.cost) / (limit * 0.001);
            assert!(saved <= found.shadow_price * (1.0 + 1e-6) + 1e-9, "{saved} {}", found.shadow_price);
        }
        for (item, level) in items.iter().zip(&found.levels) {
            let priced = |level: f64| item.costs.cost(item.demand, level) + found.shadow_price * item.weight * level;
            for other in [0.5 * level, 0.9 * level, 1.1 * level, 1.5 * level + 1.0] {
                assert!(priced(*level) <= priced(other) + slack, "{item:?} {level} {other}");
            }
        }
    }
}

#[test]
fn service_targets_are_reached_and_not_exceeded() {
    let mut dice = dice(12);
    for _ in 0..30 {
        for demand in families(&mut dice) {
            let wanted = dice.random_range(0.3..0.999);
            let lead = Demand::poisson(demand.mean() / 3.0).unwrap();
            for shortages in [Shortages::Backordered, Shortages::Lost] {
                let quantity = (1.5 * demand.mean()).ceil();
                let continuous = ContinuousReview::new(&demand, quantity, shortages).unwrap();
                let periodic = PeriodicReview::new(&lead, &demand, shortages).unwrap();
                for units in [Units::Whole, Units::Divisible] {
                    let found = [
                        continuous.for_fill_rate(wanted, units).unwrap(),
                        periodic.for_fill_rate(wanted, units).unwrap(),
                    ];
                    assert!(found.iter().all(|service| service.fill_rate >= wanted - 1e-9), "{demand:?} {found:?}");
                    let step = if units == Units::Whole { 1.0 } else { 1e-5 * demand.mean() };
                    let less = found.map(|service| (service.level - step).max(0.0));
                    assert!(less[0] == 0.0 || continuous.at(less[0]).unwrap().fill_rate < wanted);
                    assert!(less[1] == 0.0 || periodic.at(less[1]).unwrap().fill_rate < wanted);
                    let cycle = continuous.for_service_level(wanted, units).unwrap();
                    assert!(cycle.cycle_service_level >= wanted - 1e-9);
                    close(cycle.safety_stock, cycle.level - demand.mean(), 1e-12, 1.0, "safety stock");
                }
            }
        }
    }
    // No lead time: nothing is needed for any service of continuous review.
    let none = Demand::poisson(0.0).unwrap();
    let review = ContinuousReview::new(&none, 10.0, Shortages::Lost).unwrap();
    assert_eq!(review.for_fill_rate(0.99, Units::Whole).unwrap().level, 0.0);
    assert_eq!(lead_time_demand(20.0, 5.0, 0.0, 0.0).unwrap(), (0.0, 0.0));
}

/// Silver, Pyke & Thomas's first example of a fill rate (their tables give 56.6); scipy 1.17.1's root of the same formula is
/// 56.56287, and its poisson.ppf(0.95, 54) is 66.
#[test]
fn examples_of_service_hold() {
    let demand = Demand::normal(50.0, 11.4).unwrap();
    let review = ContinuousReview::new(&demand, 200.0, Shortages::Backordered).unwrap();
    let service = review.for_fill_rate(0.99, Units::Divisible).unwrap();
    close(service.level, 56.562_872_80, 1e-9, 0.0, "fill rate");
    assert!(service.fill_rate >= 0.99);
    let (lead, protection) = (Demand::poisson(12.0).unwrap(), Demand::poisson(54.0).unwrap());
    let review = PeriodicReview::new(&lead, &protection, Shortages::Lost).unwrap();
    assert_eq!(review.for_service_level(0.95, Units::Whole).unwrap().level, 66.0);
}

/// Whatever numbers are given, there is an answer or an error.
#[test]
fn extreme_numbers_neither_panic_nor_hang() {
    let mut dice = dice(13);
    let pool = [0.0, 1e-300, 1e-12, 0.5, 1.0, 3.0, 7.0, 1e3, 1e6, 1e12, 1e300, -1.0, f64::NAN, f64::INFINITY];
    for _ in 0..40 {
        let mut x = || pool[dice.random_range(0..pool.len())];
        let (a, b, c, d, e) = (x(), x(), x(), x(), x());
        let demands = [
            Demand::normal(a, b),
            Demand::gamma(a, b),
            Demand::poisson(a),
            Demand::negative_binomial(a, b),
            Demand::samples(vec![a, b]),
        ];
        for demand in demands.into_iter().flatten() {
            let _ = (demand.quantile(0.9), demand.cdf(c), demand.second_order_loss(c), demand.expected_overage(c));
            for units in [Units::Whole, Units::Divisible] {
                if let Ok(costs) = Newsvendor::costs(c, d) {
                    let _ = costs.optimal(&demand, units);
                    let _ = OrderRule::new(Some(a), Some(b), None).map(|rule| rule.order(&costs, &demand, e, units));
                    let item = Item {
                        name: "a",
                        demand: &demand,
                        costs,
                        weight: b,
                        position: e,
                        minimum: None,
                        maximum: None,
                    };
                    let _ = allocate(&[item.clone(), item], d, units);
                }
                let _ =
                    ContinuousReview::new(&demand, c, Shortages::Lost).map(|review| review.for_fill_rate(0.9, units));
                if let Ok(costs) = ReorderCosts::new(c, d, e, a) {
                    let _ = (costs.optimal(&demand, units), costs.optimal_for(&demand, b, units));
                    let _ = (costs.from_eoq(&demand), costs.from_backorder_eoq(&demand));
                    let _ = costs.expected_inventory_level(&demand);
                }
            }
            let _ = min_max::optimal(c, d, e, &demand, &demand);
        }
        let item = JointItem { minor_cost: a, holding_cost: b, demand_rate: c };
        let _ = joint_replenishment(d, &[item, JointItem { minor_cost: e, ..item }]);
        let _ = Requirements::varying(&[a, b], &[c, d], &[e, a], &[b, c]).map(|problem| problem.optimal());
    }
}
