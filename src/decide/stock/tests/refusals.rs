//! What cannot be answered is refused, with a message that says what to change.

use crate::decide::stock::eoq::{
    Discount, JointItem, PriceBreak, discounted_quantity, eoq, joint_replenishment, production_quantity,
};
use crate::decide::stock::lot_sizing::Requirements;
use crate::decide::stock::min_max::{self, MinMax};
use crate::decide::stock::reorder::ReorderCosts;
use crate::decide::stock::safety::{ContinuousReview, PeriodicReview, Shortages, lead_time_demand};
use crate::decide::stock::{Demand, Item, Newsvendor, OrderRule, Units, allocate};
use crate::error::{Error, Result};

#[track_caller]
fn refused<T>(result: Result<T>, words: &str) -> Error {
    match result {
        Ok(_) => panic!("not refused: {words}"),
        Err(error) => {
            assert!(error.to_string().contains(words), "{error} lacks {words}");
            error
        }
    }
}

const ODD: [f64; 4] = [0.0, -1.0, f64::NAN, f64::INFINITY];

#[test]
fn costs_and_rates_must_be_positive() {
    for odd in ODD {
        refused(eoq(odd, 1.0, 1.0), "fixed cost of an order");
        refused(eoq(1.0, odd, 1.0), "holding cost");
        refused(eoq(1.0, 1.0, odd), "demand rate");
        refused(Newsvendor::costs(odd, 1.0), "holding cost");
        refused(Newsvendor::costs(1.0, odd), "shortage cost");
        refused(ReorderCosts::new(1.0, 1.0, odd, 1.0), "shortage cost");
        let demand = Demand::poisson(3.0).unwrap();
        refused(ContinuousReview::new(&demand, odd, Shortages::Lost), "order quantity");
        refused(min_max::optimal(1.0, odd, 1.0, &demand, &demand), "holding cost");
        refused(min_max::power_approximation(1.0, 1.0, 1.0, odd, 1.0, 1.0), "mean demand");
    }
    refused(production_quantity(1.0, 1.0, 5.0, 5.0), "above the demand rate");
    refused(Newsvendor::prices(3.0, 3.0, 1.0, 0.0), "above the unit cost");
    refused(Newsvendor::prices(3.0, 2.0, 2.0, 0.0), "best order is infinite");
    refused(Newsvendor::prices(3.0, 2.0, 1.0, -1.0), "goodwill");
    assert!(refused(joint_replenishment(1.0, &[]), "at least one item").is_usage());
    let item = JointItem { minor_cost: -1.0, holding_cost: 1.0, demand_rate: 1.0 };
    refused(joint_replenishment(1.0, &[item]), "minor cost");
}

#[test]
fn a_service_level_in_per_cent_is_recognised() {
    let demand = Demand::normal(50.0, 8.0).unwrap();
    refused(demand.quantile(95.0), "did you mean 0.95?");
    let review = ContinuousReview::new(&demand, 100.0, Shortages::Backordered).unwrap();
    refused(review.for_service_level(97.5, Units::Whole), "did you mean 0.975?");
    refused(review.for_fill_rate(1.0, Units::Whole), "infinite stock");
    refused(review.for_fill_rate(100.0, Units::Whole), "infinite stock");
    refused(review.for_fill_rate(0.0, Units::Whole), "between 0 and 1");
    refused(review.for_fill_rate(f64::NAN, Units::Whole), "between 0 and 1");
    let later = Demand::normal(150.0, 14.0).unwrap();
    let periodic = PeriodicReview::new(&demand, &later, Shortages::Lost).unwrap();
    refused(periodic.for_service_level(99.0, Units::Whole), "did you mean 0.99?");
    refused(PeriodicReview::new(&later, &demand, Shortages::Lost), "must be above");
}

#[test]
fn distributions_that_cannot_be_are_refused() {
    for odd in [-1.0, f64::NAN, f64::INFINITY] {
        refused(Demand::normal(odd, 1.0), "mean demand");
        refused(Demand::normal(1.0, odd), "standard deviation");
        refused(Demand::poisson(odd), "mean demand");
        assert!(refused(Demand::samples(vec![1.0, odd]), "draw 1").is_data());
        refused(lead_time_demand(1.0, 1.0, odd, 0.0), "lead time");
    }
    refused(Demand::gamma(0.0, 1.0), "mean demand");
    refused(Demand::negative_binomial(5.0, 4.0), "at least its mean");
    assert!(refused(Demand::samples(Vec::new()), "at least one draw").is_data());
}

#[test]
fn negative_stock_is_refused_where_it_cannot_be() {
    let demand = Demand::poisson(6.0).unwrap();
    let costs = Newsvendor::costs(1.0, 4.0).unwrap();
    refused(costs.at(&demand, -1.0), "stock level");
    refused(ContinuousReview::new(&demand, 5.0, Shortages::Lost).unwrap().at(-2.0), "when sales are lost");
    assert!(ContinuousReview::new(&demand, 5.0, Shortages::Backordered).unwrap().at(-2.0).is_ok());
    refused(Requirements::new(&[1.0], 1.0, 1.0).unwrap().less(-1.0), "stock on hand");
    refused(OrderRule::new(None, None, None).unwrap().round_up(-1.0), "quantity needed");
}

#[test]
fn policies_that_cannot_be_are_refused() {
    let demand = Demand::poisson(6.0).unwrap();
    let costs = ReorderCosts::new(10.0, 1.0, 4.0, 6.0).unwrap();
    refused(costs.policy(&demand, 2.5, 5.0, Units::Whole), "whole number");
    refused(costs.policy(&demand, 2.0, 0.0, Units::Whole), "order quantity");
    refused(costs.policy(&demand, f64::NAN, 1.0, Units::Divisible), "reorder point");
    let cheap = ReorderCosts::new(100.0, 5.0, 0.5, 10.0).unwrap();
    refused(cheap.expected_inventory_level(&demand), "too low");
    refused(min_max::policy(MinMax { min: 5.0, max: 5.0 }, 1.0, 1.0, 1.0, &demand, &demand), "above the min");
    let normal = Demand::normal(6.0, 2.0).unwrap();
    refused(min_max::optimal(1.0, 1.0, 4.0, &normal, &normal), "whole units");
    refused(min_max::optimal(1.0, 1.0, 4.0, &demand, &normal), "whole units");
    let none = Demand::poisson(0.0).unwrap();
    refused(min_max::optimal(1.0, 1.0, 4.0, &none, &none), "no demand");
    let large = Demand::poisson(1e6).unwrap();
    refused(min_max::optimal(1.0, 1.0, 4.0, &large, &large), "case packs");
}

#[test]
fn price_breaks_and_requirements_are_checked() {
    let at = |from, unit_cost| PriceBreak { from, unit_cost };
    let solve = |breaks: &[PriceBreak]| discounted_quantity(1.0, 0.2, 10.0, breaks, Discount::AllUnits);
    refused(solve(&[]), "from quantity 0");
    refused(solve(&[at(5.0, 1.0)]), "from quantity 0");
    refused(solve(&[at(0.0, 1.0), at(0.0, 0.9)]), "must come after");
    refused(solve(&[at(0.0, 1.0), at(10.0, 1.1)]), "must not rise");
    refused(solve(&[at(0.0, 0.0)]), "unit cost");
    refused(Requirements::new(&[], 1.0, 1.0), "at least one period");
    refused(Requirements::new(&[1.0, -2.0], 1.0, 1.0), "the demand of period 2");
    refused(Requirements::varying(&[1.0, 2.0], &[1.0], &[1.0, 1.0], &[0.0, 0.0]), "for 2 periods, not for 1");
}

#[test]
fn limits_that_conflict_are_named() {
    refused(OrderRule::new(Some(0.0), None, None), "case pack");
    refused(OrderRule::new(None, Some(20.0), Some(10.0)), "below the minimum order");
    refused(OrderRule::new(Some(24.0), Some(25.0), Some(40.0)), "no multiple of the case pack of 24");
    let demand = Demand::poisson(6.0).unwrap();
    let costs = Newsvendor::costs(1.0, 4.0).unwrap();
    let item =
        |name, minimum, maximum| Item { name, demand: &demand, costs, weight: 2.0, position: 1.0, minimum, maximum };
    let message = refused(
        allocate(&[item("tea", Some(9.0), None), item("rice", Some(4.0), None)], 20.0, Units::Whole),
        "more than",
    );
    assert!(message.to_string().contains("take 22, more than the limit of 20: `tea` 16, `rice` 6"), "{message}");
    refused(allocate(&[item("tea", Some(9.0), Some(8.0))], 20.0, Units::Whole), "item `tea`: no level lies between");
    refused(allocate(&[item("tea", None, None)], -1.0, Units::Whole), "the limit");
    refused(allocate(&[], 1.0, Units::Whole), "at least one item");
    let weightless = Item { weight: 0.0, ..item("tea", None, None) };
    refused(allocate(&[weightless], 1.0, Units::Whole), "takes of the limit");
    let half = Item { position: 0.5, ..item("tea", None, None) };
    refused(allocate(&[half], 1.0, Units::Whole), "whole number");
}
