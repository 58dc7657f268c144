//! The mathematics of inventory: lot sizes, stock levels and policies from plain numbers and demand distributions.

use super::api::{Api, functions, methods, properties};
use super::values::{Argument, word};
use crate::decide::stock::eoq::{self, BackorderedLot, Lot};
use crate::decide::stock::lot_sizing::{LotPlan, Requirements};
use crate::decide::stock::min_max::{self, MinMax, MinMaxPolicy, PowerApproximation};
use crate::decide::stock::newsvendor::OrderUpTo;
use crate::decide::stock::reorder::{ReorderCosts, ReorderPolicy};
use crate::decide::stock::safety::{self, Service, Shortages};
use crate::decide::stock::{Demand, Newsvendor, Units};
use crate::error::Result;
use crate::show::{Block, Show, number};

pub(super) fn register(api: &mut Api) {
    demand(api);
    lots(api);
    newsvendor(api);
    reviews(api);
    policies(api);
}

/// Distributions of demand.
fn demand(api: &mut Api) {
    functions! { api;
        "Demand::normal" normal_demand(mean: f64, sd: f64) -> Demand { Demand::normal(mean, sd) }
        "Demand::gamma" gamma_demand(mean: f64, sd: f64) -> Demand { Demand::gamma(mean, sd) }
        "Demand::poisson" poisson_demand(mean: f64) -> Demand { Demand::poisson(mean) }
        "Demand::negative_binomial" negative_binomial_demand(mean: f64, variance: f64) -> Demand {
            Demand::negative_binomial(mean, variance)
        }
        "Demand::samples" sample_demand(draws: Vec<f64>) -> Demand { Demand::samples(draws) }
        "lead_time_demand" lead_time_demand(demand_mean: f64, demand_sd: f64, lead_mean: f64, lead_sd: f64) -> (f64, f64) {
            safety::lead_time_demand(demand_mean, demand_sd, lead_mean, lead_sd)
        }
    }
    properties! { api, Demand;
        mean(demand) -> f64 { demand.mean() }
        sd(demand) -> f64 { demand.sd() }
        is_whole(demand) -> bool { demand.is_whole() }
    }
    methods! { api, Demand;
        cdf(demand, x: f64) -> f64 { demand.cdf(x) }
        quantile(demand, probability: f64) -> f64 { demand.quantile(probability) }
        expected_shortage(demand, stock: f64) -> f64 { demand.expected_shortage(stock) }
        expected_overage(demand, stock: f64) -> f64 { demand.expected_overage(stock) }
        second_order_loss(demand, stock: f64) -> f64 { demand.second_order_loss(stock) }
    }
}

/// Lot sizes, for steady demand and for requirements period by period.
fn lots(api: &mut Api) {
    functions! { api;
        "eoq" eoq(fixed_cost: f64, holding_cost: f64, demand_rate: f64) -> Lot {
            eoq::eoq(fixed_cost, holding_cost, demand_rate)
        }
        "eoq_cost" eoq_cost(quantity: f64, fixed_cost: f64, holding_cost: f64, demand_rate: f64) -> f64 {
            eoq::eoq_cost(quantity, fixed_cost, holding_cost, demand_rate)
        }
        "eoq_with_backorders" eoq_with_backorders(
            fixed_cost: f64, holding_cost: f64, backorder_cost: f64, demand_rate: f64,
        ) -> BackorderedLot {
            eoq::eoq_with_backorders(fixed_cost, holding_cost, backorder_cost, demand_rate)
        }
        "production_quantity" production_quantity(
            fixed_cost: f64, holding_cost: f64, demand_rate: f64, production_rate: f64,
        ) -> Lot {
            eoq::production_quantity(fixed_cost, holding_cost, demand_rate, production_rate)
        }
        "Requirements::new" requirements(demand: Vec<f64>, fixed: f64, holding: f64) -> Requirements {
            Requirements::new(&demand, fixed, holding)
        }
        "Requirements::varying" requirements(
            demand: Vec<f64>, fixed: Vec<f64>, holding: Vec<f64>, unit: Vec<f64>,
        ) -> Requirements {
            Requirements::varying(&demand, &fixed, &holding, &unit)
        }
    }
    properties! { api, Lot;
        quantity(lot) -> f64 { lot.quantity }
        cost(lot) -> f64 { lot.cost }
    }
    properties! { api, BackorderedLot;
        quantity(lot) -> f64 { lot.quantity }
        backordered_fraction(lot) -> f64 { lot.backordered_fraction }
        cost(lot) -> f64 { lot.cost }
    }
    methods! { api, Requirements;
        less(requirements, stock: f64) -> Requirements { requirements.less(stock) }
        optimal(requirements) -> LotPlan { requirements.optimal() }
        silver_meal(requirements) -> LotPlan { requirements.silver_meal() }
    }
    properties! { api, LotPlan;
        quantities(plan) -> Vec<f64> { plan.quantities }
        stock(plan) -> Vec<f64> { plan.stock }
        cost(plan) -> f64 { plan.cost }
    }
}

/// One order for one period.
fn newsvendor(api: &mut Api) {
    functions! { api;
        "Newsvendor::costs" newsvendor(holding: f64, shortage: f64) -> Newsvendor { Newsvendor::costs(holding, shortage) }
        "Newsvendor::prices" newsvendor(price: f64, cost: f64, salvage: f64, goodwill: f64) -> Newsvendor {
            Newsvendor::prices(price, cost, salvage, goodwill)
        }
    }
    properties! { api, Newsvendor;
        overage(costs) -> f64 { costs.overage() }
        underage(costs) -> f64 { costs.underage() }
        critical_ratio(costs) -> f64 { costs.critical_ratio() }
    }
    methods! { api, Newsvendor;
        optimal(costs, demand: Demand, units: Units) -> OrderUpTo { costs.optimal(&demand, units) }
        at(costs, demand: Demand, level: f64) -> OrderUpTo { costs.at(&demand, level) }
    }
    properties! { api, OrderUpTo;
        level(stock) -> f64 { stock.level }
        cost(stock) -> f64 { stock.cost }
        profit(stock) -> Option<f64> { stock.profit }
        service_level(stock) -> f64 { stock.service_level }
        fill_rate(stock) -> f64 { stock.fill_rate }
    }
}

/// The safety stock for a service level or a fill rate.
fn reviews(api: &mut Api) {
    functions! { api;
        "ContinuousReview::new" continuous_review(
            lead_time_demand: Demand, quantity: f64, shortages: Shortages,
        ) -> ContinuousReview {
            ContinuousReview::new(lead_time_demand, quantity, shortages)
        }
        "PeriodicReview::new" periodic_review(lead: Demand, protection: Demand, shortages: Shortages) -> PeriodicReview {
            PeriodicReview::new(lead, protection, shortages)
        }
    }
    methods! { api, ContinuousReview;
        at(review, reorder_point: f64) -> Service { review.formulas()?.at(reorder_point) }
        for_service_level(review, service_level: f64, units: Units) -> Service {
            review.formulas()?.for_service_level(service_level, units)
        }
        for_fill_rate(review, fill_rate: f64, units: Units) -> Service {
            review.formulas()?.for_fill_rate(fill_rate, units)
        }
    }
    methods! { api, PeriodicReview;
        at(review, level: f64) -> Service { review.formulas()?.at(level) }
        for_service_level(review, service_level: f64, units: Units) -> Service {
            review.formulas()?.for_service_level(service_level, units)
        }
        for_fill_rate(review, fill_rate: f64, units: Units) -> Service {
            review.formulas()?.for_fill_rate(fill_rate, units)
        }
    }
    properties! { api, Service;
        level(service) -> f64 { service.level }
        safety_stock(service) -> f64 { service.safety_stock }
        cycle_service_level(service) -> f64 { service.cycle_service_level }
        fill_rate(service) -> f64 { service.fill_rate }
    }
}

/// The policies (r, Q) and (s, S).
fn policies(api: &mut Api) {
    functions! { api;
        "ReorderCosts::new" reorder_costs(fixed: f64, holding: f64, backorder: f64, demand_rate: f64) -> ReorderCosts {
            ReorderCosts::new(fixed, holding, backorder, demand_rate)
        }
        "min_max::optimal" min_max(fixed: f64, holding: f64, shortage: f64, period: Demand, protection: Demand) -> MinMaxPolicy {
            min_max::optimal(fixed, holding, shortage, &period, &protection)
        }
        "min_max::policy" min_max_policy(
            min: f64, max: f64, fixed: f64, holding: f64, shortage: f64, period: Demand, protection: Demand,
        ) -> MinMaxPolicy {
            min_max::policy(MinMax { min, max }, fixed, holding, shortage, &period, &protection)
        }
        "power_approximation" power_approximation(
            fixed: f64, holding: f64, shortage: f64, period_mean: f64, protection_mean: f64, protection_sd: f64,
        ) -> PowerApproximation {
            min_max::power_approximation(fixed, holding, shortage, period_mean, protection_mean, protection_sd)
        }
    }
    methods! { api, ReorderCosts;
        optimal(costs, demand: Demand, units: Units) -> ReorderPolicy { costs.optimal(&demand, units) }
        optimal_for(costs, demand: Demand, quantity: f64, units: Units) -> ReorderPolicy {
            costs.optimal_for(&demand, quantity, units)
        }
        policy(costs, demand: Demand, reorder_point: f64, quantity: f64, units: Units) -> ReorderPolicy {
            costs.policy(&demand, reorder_point, quantity, units)
        }
        from_backorder_eoq(costs, demand: Demand) -> ReorderPolicy { costs.from_backorder_eoq(&demand) }
        from_eoq(costs, demand: Demand) -> ReorderPolicy { costs.from_eoq(&demand) }
        expected_inventory_level(costs, demand: Demand) -> ReorderPolicy { costs.expected_inventory_level(&demand) }
    }
    properties! { api, ReorderPolicy;
        reorder_point(policy) -> f64 { policy.reorder_point }
        quantity(policy) -> f64 { policy.quantity }
        cost(policy) -> f64 { policy.cost }
    }
    properties! { api, MinMax;
        min(levels) -> f64 { levels.min }
        max(levels) -> f64 { levels.max }
    }
    properties! { api, MinMaxPolicy;
        levels(policy) -> MinMax { policy.levels }
        cost(policy) -> f64 { policy.cost }
    }
    properties! { api, PowerApproximation;
        levels(found) -> MinMax { found.levels }
        regression(found) -> MinMax { found.regression }
    }
}

impl Argument for Units {
    const TYPE: &'static str = "String";
    const WANTED: &'static str = "\"whole\" or \"divisible\"";

    fn take(value: rhai::Dynamic) -> Result<Self> {
        word(value)
    }
}

impl Argument for Shortages {
    const TYPE: &'static str = "String";
    const WANTED: &'static str = "\"lost\" or \"backordered\"";

    fn take(value: rhai::Dynamic) -> Result<Self> {
        word(value)
    }
}

/// Continuous review that owns its demand, which the library's borrows: a variable of a script stands alone.
#[derive(Clone)]
pub(super) struct ContinuousReview {
    lead_time_demand: Demand,
    quantity: f64,
    shortages: Shortages,
}

impl ContinuousReview {
    fn new(lead_time_demand: Demand, quantity: f64, shortages: Shortages) -> Result<Self> {
        let review = Self { lead_time_demand, quantity, shortages };
        review.formulas()?;
        Ok(review)
    }

    fn formulas(&self) -> Result<safety::ContinuousReview<'_>> {
        safety::ContinuousReview::new(&self.lead_time_demand, self.quantity, self.shortages)
    }
}

impl Show for ContinuousReview {
    fn block(&self) -> Block {
        let (quantity, fate) = (number(self.quantity), self.shortages.words());
        let said = format!("{quantity} units are ordered at the reorder point; {fate}. Over the lead time:");
        Block::Group(vec![Block::Text(said), self.lead_time_demand.block()])
    }
}

/// Periodic review that owns its demands.
#[derive(Clone)]
pub(super) struct PeriodicReview {
    lead: Demand,
    protection: Demand,
    shortages: Shortages,
}

impl PeriodicReview {
    fn new(lead: Demand, protection: Demand, shortages: Shortages) -> Result<Self> {
        let review = Self { lead, protection, shortages };
        review.formulas()?;
        Ok(review)
    }

    fn formulas(&self) -> Result<safety::PeriodicReview<'_>> {
        safety::PeriodicReview::new(&self.lead, &self.protection, self.shortages)
    }
}

impl Show for PeriodicReview {
    fn block(&self) -> Block {
        let fate = self.shortages.words();
        Block::Group(vec![
            Block::Text(format!("Each review period, an order up to a level; {fate}. Over the lead time:")),
            self.lead.block(),
            Block::Text("Over lead time and review period:".into()),
            self.protection.block(),
        ])
    }
}
