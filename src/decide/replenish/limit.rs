//! All orders share a budget or a space: how much of each?
//!
//! Orders are cut where that costs least: with a price λ on the limit, every item takes the smaller order that forgoes least,
//! Vᵢ(q) + λ wᵢ q, where V is the expected cost of the steps that the order is for (without costs: units short), on the demand
//! that the decision itself rests on. λ is found by bisection; what is then left of the limit goes to the orders that save most
//! for what they take (Everett 1963, *Operations Research* 11; Silver, Pyke & Thomas 2017, chapter 10).
//!
//! Fails where the limit is a fraction of one pack: then the choice is a knapsack problem, and the orders are good, not best.

use super::order::Order;
use super::policy::StockPolicy;
use super::state::{Item, State};
use crate::error::{Error, Result};
use crate::show::words::counted;

/// What a unit takes of the limit; none where the item does not say.
pub(super) fn weight(policy: &StockPolicy, item: &Item) -> Option<f64> {
    if policy.budget.is_some() { item.cost } else { item.volume }
}

/// The limit, what it is called, and the column that says what a unit takes of it.
fn limit(policy: &StockPolicy) -> Option<(f64, &'static str, &'static str)> {
    let budget = policy.budget.map(|most| (most, "budget", "cost"));
    budget.or(policy.space.map(|most| (most, "space", "volume")))
}

/// Do all orders share a budget or a space?
pub(super) fn is_shared(policy: &StockPolicy) -> bool {
    limit(policy).is_some()
}

/// The quantities of orders with what smaller ones forgo, cut to what the limit allows.
pub(super) fn within<'a>(policy: &StockPolicy, orders: impl Iterator<Item = (&'a Item, &'a Order)>) -> Vec<f64> {
    let choice = |(item, order): (&Item, &Order)| Choice::of(policy, item, order);
    cut(&orders.map(choice).collect::<Vec<_>>(), limit(policy).map_or(f64::INFINITY, |(most, ..)| most))
}

/// Does every item say what it takes of the limit?
pub(super) fn check(state: &State, items: usize, policy: &StockPolicy, label: impl Fn(usize) -> String) -> Result<()> {
    let Some((_, name, column)) = limit(policy) else { return Ok(()) };
    let silent = |i: &usize| state.item(*i).is_some_and(|item| weight(policy, item).is_none());
    match (0..items).filter(silent).collect::<Vec<_>>().as_slice() {
        [] => Ok(()),
        all @ [first, ..] => Err(Error::data(format!(
            "a {name} needs `{column}` of every item in the file with the stock: {} without one (first: {})",
            counted(all.len(), "item", "items"),
            label(*first)
        ))),
    }
}

/// Cuts orders that take more than the limit together; `again` places an order of that size. What was done is said.
pub(super) fn share(
    state: &State,
    policy: &StockPolicy,
    orders: &mut [Result<Order, String>],
    again: impl Fn(usize, &Item, f64) -> Result<Result<Order, String>>,
) -> Result<Option<String>> {
    let Some((most, name, _)) = limit(policy) else { return Ok(None) };
    let mut places = Vec::new();
    let mut choices = Vec::new();
    for (i, order) in orders.iter().enumerate() {
        if let (Ok(order), Some(item)) = (order, state.item(i)) {
            places.push(i);
            choices.push(Choice::of(policy, item, order));
        }
    }
    let before: Vec<f64> = choices.iter().map(|choice| choice.orders.last().map_or(0.0, |(q, _)| *q)).collect();
    let wanted: f64 = choices.iter().zip(&before).map(|(choice, q)| choice.weight * q).sum();
    let chosen = cut(&choices, most);
    let mut fewer = 0;
    for ((i, before), quantity) in places.into_iter().zip(before).zip(&chosen) {
        let Some(item) = state.item(i).filter(|_| *quantity != before) else { continue };
        fewer += 1;
        let (cut, whole) = (again(i, item, *quantity)?, &orders[i]);
        let ideal = whole.as_ref().map_or(0.0, |order| order.ideal);
        orders[i] = cut.map(|order| Order { ideal, ..order });
    }
    let used: f64 = choices.iter().zip(&chosen).map(|(choice, q)| choice.weight * q).sum();
    Ok(Some(match fewer {
        0 => format!("The {name} of {} is kept: they take {}.", super::units(most), super::units(used)),
        n => format!(
            "The {name} of {} is less than the {} that all would take: {} smaller, where that costs least; they take {}.",
            super::units(most),
            super::units(wanted),
            if n == 1 { "1 order is".into() } else { format!("{n} orders are") },
            super::units(used)
        ),
    }))
}

/// The orders that an item can have, and what each forgoes.
struct Choice {
    weight: f64,
    orders: Vec<(f64, f64)>,
}

impl Choice {
    fn of(policy: &StockPolicy, item: &Item, order: &Order) -> Self {
        Self { weight: weight(policy, item).unwrap_or(0.0), orders: order.smaller.clone() }
    }

    /// The order that forgoes least when a unit of the limit has this price.
    fn at(&self, price: f64) -> usize {
        let value = |(q, forgone): &(f64, f64)| forgone + price * self.weight * q;
        let better = |best: usize, place: usize| {
            if value(&self.orders[place]) < value(&self.orders[best]) { place } else { best }
        };
        (0..self.orders.len()).rev().reduce(better).unwrap_or(0)
    }

    fn takes(&self, place: usize) -> f64 {
        self.orders.get(place).map_or(0.0, |(q, _)| self.weight * q)
    }
}

/// The quantities that forgo least within a limit.
fn cut(choices: &[Choice], most: f64) -> Vec<f64> {
    let takes = |places: &[usize]| choices.iter().zip(places).map(|(choice, place)| choice.takes(*place)).sum::<f64>();
    let all: Vec<usize> = choices.iter().map(|choice| choice.orders.len().saturating_sub(1)).collect();
    let at = |price: f64| choices.iter().map(|choice| choice.at(price)).collect::<Vec<_>>();
    let mut places = all.clone();
    if takes(&all) > most {
        let (mut low, mut high) = (0.0, 1.0);
        while takes(&at(high)) > most && high < 1e300 {
            high *= 4.0;
        }
        for _ in 0..100 {
            let middle = (low + high) / 2.0;
            if takes(&at(middle)) > most { low = middle } else { high = middle }
        }
        places = at(high);
        // What is left goes where it saves most for what it takes.
        let mut left = most - takes(&places);
        loop {
            let better = choices.iter().enumerate().flat_map(|(i, choice)| {
                let now = places[i];
                (now + 1..choice.orders.len()).map(move |next| {
                    let more = choice.takes(next) - choice.takes(now);
                    (i, next, more, (choice.orders[now].1 - choice.orders[next].1) / more.max(f64::MIN_POSITIVE))
                })
            });
            let fits = better.filter(|(_, _, more, saves)| *more <= left && *saves > 0.0);
            let Some((i, next, more, _)) = fits.max_by(|a, b| a.3.total_cmp(&b.3).then(b.0.cmp(&a.0))) else { break };
            places[i] = next;
            left -= more;
        }
    }
    choices.iter().zip(&places).map(|(choice, place)| choice.orders.get(*place).map_or(0.0, |(q, _)| *q)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_costs_least() {
        // Savings of a first, second … unit fall; all subsets are tried.
        let choice = |weight: f64, first: f64, fall: f64, units: usize| {
            let mut forgone = 100.0;
            let mut orders = vec![(0.0, forgone)];
            for unit in 0..units {
                forgone -= (first - fall * unit as f64).max(0.0);
                orders.push((unit as f64 + 1.0, forgone));
            }
            Choice { weight, orders }
        };
        let choices = [choice(1.0, 9.0, 2.0, 5), choice(1.0, 7.0, 1.0, 5), choice(1.0, 5.0, 0.5, 5)];
        for most in 0..=15 {
            let cost = |quantities: &[f64]| -> f64 {
                choices.iter().zip(quantities).map(|(choice, q)| choice.orders[*q as usize].1).sum()
            };
            let chosen = cut(&choices, f64::from(most));
            assert!(chosen.iter().sum::<f64>() <= f64::from(most));
            let mut best = f64::INFINITY;
            for (a, b, c) in (0..216).map(|k| (k % 6, k / 6 % 6, k / 36)) {
                if a + b + c <= most {
                    best = best.min(cost(&[f64::from(a), f64::from(b), f64::from(c)]));
                }
            }
            assert!(
                (cost(&chosen) - best).abs() < 1e-9,
                "{most}: {chosen:?} costs {}, {best} is possible",
                cost(&chosen)
            );
        }
    }
}
