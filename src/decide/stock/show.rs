//! How do the answers of this room read? In a sentence each; what goes period by period has a table below it.

use polars::prelude::{Column, DataFrame};

use super::eoq::{BackorderedLot, Lot};
use super::lot_sizing::{LotPlan, Requirements};
use super::min_max::{MinMax, MinMaxPolicy, PowerApproximation};
use super::newsvendor::OrderUpTo;
use super::reorder::{ReorderCosts, ReorderPolicy};
use super::safety::{Service, Shortages};
use super::{Demand, Newsvendor};
use crate::show::words::counted;
use crate::show::{Block, Show, Table, noun, number};

/// Nouns of which one sentence says everything.
macro_rules! sentences {
    ($($noun:ident: |$this:ident| $sentence:expr;)*) => { $(
        impl Show for $noun {
            fn block(&self) -> Block {
                let $this = self;
                Block::Text($sentence)
            }
        }

        noun!($noun);
    )* };
}

sentences! {
    Demand: |demand| format!(
        "{} with a mean of {} and a standard deviation of {}.",
        demand.kind(),
        number(demand.mean()),
        number(demand.sd())
    );
    Lot: |lot| format!(
        "Order {} units at a time: ordering and holding cost {} per unit of time.",
        number(lot.quantity),
        number(lot.cost)
    );
    BackorderedLot: |lot| format!(
        "Order {} units at a time, and let {} of demand wait: ordering, holding and waiting cost {} per unit of time.",
        number(lot.quantity),
        percent(lot.backordered_fraction),
        number(lot.cost)
    );
    Newsvendor: |costs| format!(
        "A unit too many costs {}, a unit too few {}: the best stock meets all demand with probability {}.",
        number(costs.overage()),
        number(costs.underage()),
        percent(costs.critical_ratio())
    );
    OrderUpTo: |stock| format!(
        "Order up to {}, at an expected cost of {}{}: all demand is met with probability {}, and {} of demand from stock.",
        number(stock.level),
        number(stock.cost),
        stock.profit.map_or_else(String::new, |profit| format!(" and an expected profit of {}", number(profit))),
        percent(stock.service_level),
        percent(stock.fill_rate)
    );
    Service: |service| format!(
        "A level of {}, {} of it safety stock: a cycle passes without a stockout with probability {}, and {} of demand is met.",
        number(service.level),
        number(service.safety_stock),
        percent(service.cycle_service_level),
        percent(service.fill_rate)
    );
    ReorderCosts: |costs| format!(
        "An order costs {}; per unit of time, a unit on stock costs {}, a unit that waits {}, and demand is {} units.",
        number(costs.fixed),
        number(costs.mismatch.overage()),
        number(costs.mismatch.underage()),
        number(costs.rate)
    );
    ReorderPolicy: |policy| format!(
        "Order {} units when the stock position falls to {}: an expected cost of {} per unit of time.",
        number(policy.quantity),
        number(policy.reorder_point),
        number(policy.cost)
    );
    MinMax: |levels| format!("{}.", order_up(levels));
    MinMaxPolicy: |policy| format!("{}: an expected cost of {} per period.", order_up(&policy.levels), number(policy.cost));
    PowerApproximation: |found| format!(
        "{}; the regression itself gives {} and {}.",
        order_up(&found.levels),
        number(found.regression.max),
        number(found.regression.min)
    );
}

fn order_up(levels: &MinMax) -> String {
    format!("Order up to {} when the stock position is {} or less", number(levels.max), number(levels.min))
}

fn percent(share: f64) -> String {
    format!("{} %", number(100.0 * share))
}

impl Shortages {
    /// What becomes of demand, for a sentence.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Backordered => "demand that finds no stock waits",
            Self::Lost => "demand that finds no stock is lost",
        }
    }
}

impl Show for Requirements {
    fn block(&self) -> Block {
        by_period(&[
            ("demand", &self.demand),
            ("order_cost", &self.fixed),
            ("holding_cost", &self.holding),
            ("unit_cost", &self.unit),
        ])
    }
}

impl Show for LotPlan {
    fn block(&self) -> Block {
        let orders = self.quantities.iter().filter(|quantity| **quantity > 0.0).count();
        let sentence = format!(
            "{} in {}: ordering, buying and holding cost {}.",
            counted(orders, "order", "orders"),
            counted(self.quantities.len(), "period", "periods"),
            number(self.cost)
        );
        Block::Group(vec![Block::Text(sentence), by_period(&[("order", &self.quantities), ("stock", &self.stock)])])
    }
}

noun!(Requirements, LotPlan);

/// Columns of one length, a row for each period, counted from 1.
fn by_period(columns: &[(&str, &[f64])]) -> Block {
    let periods = columns.first().map_or(0, |(_, values)| values.len());
    let period = Column::new("period".into(), (1..=periods as u64).collect::<Vec<_>>());
    let values = columns.iter().map(|(name, values)| Column::new((*name).into(), *values));
    DataFrame::new(periods, std::iter::once(period).chain(values).collect())
        .map_or_else(|error| Block::Note(error.to_string()), |frame| Block::Table(Table::new(frame)))
}
