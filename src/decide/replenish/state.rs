//! What is on the shelf and on the way, item by item, and what differs between items: read from a file, every number checked.

use std::path::Path;

use super::order::{Costs, Goal, Target};
use super::policy::{Lots, StockPolicy, check_steps};
use crate::decide::rows::Rows;
use crate::decide::stock::{OrderRule, non_negative, positive, proportion, whole};
use crate::error::{Error, Result};
use crate::panel::Panel;

/// What a row may say beside the keys and what is in transit.
const COLUMNS: [&str; 13] = [
    "on_hand",
    "price",
    "cost",
    "holding",
    "shortage",
    "order_cost",
    "pack",
    "minimum",
    "maximum",
    "volume",
    "shelf_life",
    "lead_time",
    "target",
];
const IN_TRANSIT: &str = "in_transit_";
/// What the orders of before may have left beside it.
const BESIDE: [&str; 1] = ["order"];

/// The stock of all items.
#[derive(Clone)]
pub(crate) struct State {
    /// By series of the panel.
    items: Vec<Option<Item>>,
    /// Items that the panel has no series of.
    unknown: Vec<String>,
    /// Steps that a decision needs to know.
    reach: usize,
}

/// The stock of one item, its costs and how it can be ordered.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub on_hand: f64,
    /// What is on the shelf at the start of the first, second … step.
    pub arrivals: Vec<f64>,
    pub holding: Option<f64>,
    pub shortage: Option<f64>,
    pub order_cost: Option<f64>,
    /// What a unit costs to buy.
    pub cost: Option<f64>,
    /// What of a space a unit takes.
    pub volume: Option<f64>,
    /// Steps for which a unit can be sold.
    pub shelf_life: Option<usize>,
    pub lead_time: usize,
    /// A service target of its own.
    pub target: Option<f64>,
    /// Which orders can be placed.
    pub rule: OrderRule,
    pack: Option<f64>,
    /// Why its limits allow no order.
    conflict: Option<Error>,
}

impl Item {
    /// One of which nothing is known but what the policy says of all.
    pub fn plain(policy: &StockPolicy) -> Result<Self> {
        Ok(Self {
            on_hand: 0.0,
            arrivals: Vec::new(),
            holding: None,
            shortage: None,
            order_cost: None,
            cost: None,
            volume: None,
            shelf_life: None,
            lead_time: policy.lead_time,
            target: None,
            rule: OrderRule::new(None, None, None)?,
            pack: None,
            conflict: None,
        })
    }

    /// What units cost, where both holding and shortage are known.
    pub fn costs(&self, policy: &StockPolicy) -> Option<Costs> {
        let (holding, shortage) = self.holding.or(policy.holding).zip(self.shortage.or(policy.shortage))?;
        Some(Costs { holding, shortage, waste: self.cost.unwrap_or(0.0) })
    }

    /// What its order is to achieve, given the target of its class.
    ///
    /// # Errors
    /// When there is neither a service target nor both costs, or nothing says how large a lot is.
    pub fn goal(&self, policy: &StockPolicy, class: Option<f64>, mean: f64) -> Result<Goal<'_>> {
        let costs = self.costs(policy);
        let own = self.target.or(class);
        let target = match (policy.target(), own) {
            (Target::FillRate(_), Some(own)) => Target::FillRate(own),
            (_, Some(own)) => Target::Service(own),
            (Target::Cost, None) if costs.is_none() => {
                return Err(Error::usage(
                    "nothing says how much stock is enough: state a cycle service level, a fill rate, a cover, or the costs of holding \
                     and shortage",
                ));
            }
            (target, None) => target,
        };
        let lot = match policy.lots {
            Lots::Any => 1.0,
            _ => match (policy.lot, self.order_cost.or(policy.order_cost), self.holding.or(policy.holding)) {
                (Some(lot), ..) => lot,
                // The economic order quantity: √(2 × cost of an order × demand of a step / cost of holding a unit for a step).
                (None, Some(order), Some(holding)) => (2.0 * order * mean / holding).sqrt().round().max(1.0),
                _ => {
                    return Err(Error::usage(
                        "nothing says how large a lot is: state `lot`, or the cost of an order and of holding a unit",
                    ));
                }
            },
        };
        Ok(Goal { target, costs, rule: &self.rule, lots: policy.lots, lot })
    }

    /// Can it be ordered at all, given what is expected to be sold in a year?
    pub fn check(&self, year: f64) -> Result<()> {
        match (&self.conflict, self.pack) {
            (Some(conflict), _) => Err(conflict.clone()),
            (None, Some(pack)) if pack > year.max(1.0) => Err(Error::data(format!(
                "a pack of {pack} is more than the demand of a year, about {}: correct the pack, or leave the item out",
                crate::show::number(year.round())
            ))),
            _ => Ok(()),
        }
    }
}

impl State {
    /// Reads a file; `policy` holds what a row does not say.
    ///
    /// # Errors
    /// When it cannot be read, lacks a column or names one that nobody knows, has an item twice, or a number that cannot be.
    pub(crate) fn read(path: &Path, panel: &Panel, policy: &StockPolicy) -> Result<Self> {
        let rows = Rows::read(path, panel, "on_hand", &[])?;
        let arrivals = in_transit(&rows)?;
        rows.check_once()?;
        let column = |name: &str| rows.numbers(name);
        let on_hand = column("on_hand")?;
        let transit: Vec<Vec<Option<f64>>> = arrivals.iter().map(|name| column(name)).collect::<Result<_>>()?;
        let [price, cost, holding, shortage, ordering] =
            ["price", "cost", "holding", "shortage", "order_cost"].map(column);
        let [pack, minimum, maximum, volume, life, lead, target] =
            ["pack", "minimum", "maximum", "volume", "shelf_life", "lead_time", "target"].map(column);
        let (price, cost, holding, shortage, ordering) = (price?, cost?, holding?, shortage?, ordering?);
        let (pack, minimum, maximum, volume, life, lead, target) =
            (pack?, minimum?, maximum?, volume?, life?, lead?, target?);
        let mut state = Self {
            items: (0..panel.len()).map(|_| None).collect(),
            unknown: Vec::new(),
            reach: policy.lead_times(policy.lead_time)?.longest() + policy.review,
        };
        for (row, label) in rows.labels().iter().enumerate() {
            let units = |what: &str, value: f64| {
                let value = non_negative(what, value).and_then(|value| whole(what, value));
                value.map_err(|error| rows.at(row, error))
            };
            let money = |what: &str, value: Option<f64>| {
                value.map(|value| positive(what, value)).transpose().map_err(|error| rows.at(row, error))
            };
            let Some(there) = on_hand[row] else {
                return Err(rows.at(row, Error::data("`on_hand` is empty: state what is on the shelf, 0 for none")));
            };
            let there = units("`on_hand`", there)?;
            let arrivals = transit
                .iter()
                .zip(&arrivals)
                .map(|(column, name)| units(&format!("`{name}`"), column[row].unwrap_or(0.0)));
            let arrivals = arrivals.collect::<Result<Vec<f64>>>()?;
            let (price, cost) = (money("`price`", price[row])?, money("`cost`", cost[row])?);
            let margin = match (price, cost) {
                (Some(price), Some(cost)) if price <= cost => {
                    let why = format!(
                        "`price` {price} is not above `cost` {cost}: at a loss per unit, nothing is worth ordering"
                    );
                    return Err(rows.at(row, Error::data(why)));
                }
                (Some(price), Some(cost)) => Some(price - cost),
                _ => None,
            };
            let (holding, shortage) = (money("`holding`", holding[row])?, money("`shortage`", shortage[row])?);
            let order_cost = money("`order_cost`", ordering[row])?;
            let pack = pack[row].map(|value| units("`pack`", value)).transpose()?;
            let minimum = minimum[row].map(|value| units("`minimum`", value)).transpose()?;
            let maximum = maximum[row].map(|value| units("`maximum`", value)).transpose()?;
            money("`pack`", pack)?;
            money("`maximum`", maximum)?;
            let steps = |what: &str, value: Option<f64>| {
                let Some(value) = value else { return Ok(None) };
                let steps = units(&format!("`{}`", what.replace(' ', "_")), value)? as usize;
                check_steps(what, steps).map_err(|error| rows.at(row, error))?;
                Ok::<_, Error>(Some(steps))
            };
            let lead_time = steps("lead time", lead[row])?.unwrap_or(policy.lead_time);
            let shelf_life = steps("shelf life", life[row])?;
            let volume = money("`volume`", volume[row])?;
            let target = target[row].map(|value| proportion("`target`", value)).transpose();
            let target = target.map_err(|error| rows.at(row, error))?;
            let Some(series) = panel.place_of(label) else {
                state.unknown.push(label.clone());
                continue;
            };
            let reach = policy.lead_times(lead_time)?.longest() + policy.review;
            state.reach = state.reach.max(reach);
            let (rule, conflict) = match OrderRule::new(pack, minimum, maximum) {
                Ok(rule) => (rule, None),
                Err(error) => (OrderRule::new(None, None, None)?, Some(error)),
            };
            state.items[series] = Some(Item {
                on_hand: there,
                arrivals,
                holding,
                shortage: shortage.or(margin),
                order_cost,
                cost,
                volume,
                shelf_life,
                lead_time,
                target,
                rule,
                pack,
                conflict,
            });
        }
        rows.check_known(panel)?;
        let steps = (0..panel.len()).map(|i| panel.regular(i).len()).max().unwrap_or(0);
        // A forecast that was opened from a file has no history.
        if steps > 0 && state.reach > steps {
            return Err(Error::usage(format!(
                "lead time and review period together, {} steps, reach beyond what a history of {steps} steps can forecast",
                state.reach
            )));
        }
        Ok(state)
    }

    /// The stock of series of a panel by their places: what is on hand, and what is on the shelf from the start of the next step on.
    ///
    /// # Errors
    /// When a number is none that can be in stock.
    #[cfg_attr(not(feature = "serve"), expect(dead_code, reason = "elsewhere the stock is in a file"))]
    pub(crate) fn of(panel: &Panel, policy: &StockPolicy, stock: &[(usize, f64, f64)]) -> Result<Self> {
        let mut items: Vec<Option<Item>> = (0..panel.len()).map(|_| None).collect();
        for (series, on_hand, on_order) in stock {
            let units = |what: &str, value: f64| {
                let value = non_negative(what, value).and_then(|value| whole(what, value));
                value.map_err(|error| error.within(panel.label(*series)))
            };
            let (on_hand, arrives) = (units("`on_hand`", *on_hand)?, units("`on_order`", *on_order)?);
            items[*series] = Some(Item { on_hand, arrivals: vec![arrives], ..Item::plain(policy)? });
        }
        Ok(Self { items, unknown: Vec::new(), reach: policy.reach()? })
    }

    /// The stock of a series; none where the file has no row of it.
    pub(super) fn item(&self, series: usize) -> Option<&Item> {
        self.items.get(series)?.as_ref()
    }

    /// The same where orders arrive so many steps later, and what is in transit too.
    ///
    /// # Errors
    /// When a lead time would be no step.
    pub(super) fn later(&self, steps: i64, policy: &StockPolicy) -> Result<Self> {
        let mut state = self.clone();
        if steps == 0 {
            return Ok(state);
        }
        state.reach = policy.reach()?;
        for item in state.items.iter_mut().flatten() {
            let lead = item.lead_time as i64 + steps;
            item.lead_time = usize::try_from(lead).unwrap_or(0);
            check_steps("lead time", item.lead_time)?;
            let late = usize::try_from(steps).unwrap_or(0);
            item.arrivals = std::iter::repeat_n(0.0, late).chain(item.arrivals.iter().copied()).collect();
            state.reach = state.reach.max(policy.lead_times(item.lead_time)?.longest() + policy.review);
        }
        Ok(state)
    }

    /// Items without a series.
    pub(super) fn unknown(&self) -> &[String] {
        &self.unknown
    }

    /// Steps of forecast that a decision needs.
    pub(crate) fn reach(&self) -> usize {
        self.reach
    }
}

/// The columns of what is in transit, by the step at whose start it arrives. A name that is nearly one of those that are known
/// is a mistake; others may stand beside them.
fn in_transit(rows: &Rows) -> Result<Vec<String>> {
    let mut steps: Vec<usize> = Vec::new();
    let (beside, like) = ([&COLUMNS[..], &BESIDE].concat(), [&COLUMNS[..], &["in_transit_1"]].concat());
    for name in rows.others(&beside) {
        match name.strip_prefix(IN_TRANSIT).map(str::parse::<usize>) {
            Some(Ok(step @ 1..=1000)) => steps.push(step),
            _ => rows.check_name(name, &like)?,
        }
    }
    let last = steps.iter().copied().max().unwrap_or(0);
    match (1..=last).find(|step| !steps.contains(step)) {
        Some(step) => Err(Error::data(format!(
            "{} has `{IN_TRANSIT}{last}` and no `{IN_TRANSIT}{step}`: state what arrives at the start of every step up to it",
            rows.place()
        ))),
        None => Ok((1..=last).map(|step| format!("{IN_TRANSIT}{step}")).collect()),
    }
}
