//! What is known of each item: its price now and before, its cost, what can be sold of it, and draws of its demand and
//! elasticity.
//!
//! **Draws of the elasticity** are the quantiles of Student's t around the estimate at equally spaced probabilities,
//! with the degrees of freedom of its error, at least three. They are paired with the paths of demand in a random
//! order. Elasticities that borrow from one another err together: a part of each order is common to all items, so that
//! the interval of a total is not too narrow.
//!
//! **Draws of the demand** are joint sample paths, scaled to the mean of the forecast. Where the price is known in the
//! future, a model may have used it: demand is brought to the present price by the draw of the elasticity, step by
//! step.

use std::collections::HashMap;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::PricePolicy;
use super::state::Shelf;
use crate::decide::only_model;
use crate::error::{Error, Result};
use crate::explore::Reactions;
use crate::forecast::{Forecast, Paths};
use crate::panel::{Panel, Role};
use crate::statistics::{Estimate, student_quantile};

/// The fewest degrees of freedom that draws have: with fewer, a handful of them would decide.
const LEAST_FREEDOM: f64 = 3.0;

/// What prices are decided on.
pub(super) struct Setting {
    pub panel: Panel,
    pub forecast: Forecast,
    pub model: String,
    pub paths: Paths,
    pub reactions: Reactions,
    /// The cost of each item.
    pub costs: Vec<Option<f64>>,
    pub shelf: Option<Shelf>,
    /// The price of each item in the steps of the forecast, where it is known.
    future: Option<usize>,
    level: f64,
    turnover: bool,
    seed: u64,
    draws: usize,
    /// Student's t at equally spaced probabilities, by degrees of freedom.
    deviates: HashMap<u64, Vec<f64>>,
}

/// What is known of an item.
pub(super) struct Known {
    pub present: f64,
    /// The lowest and highest price that the history has seen.
    pub seen: (f64, f64),
    pub estimate: Estimate,
    /// Is its elasticity that of its own sales?
    pub own: bool,
    /// The share of the variance of its error that items have in common.
    shared: f64,
}

/// Demand at the present price by draw and step, and the elasticity of each draw.
pub(super) struct Draws {
    pub demand: Vec<Vec<f64>>,
    pub elasticity: Vec<f64>,
}

impl Setting {
    pub(super) fn of(forecast: &Forecast, policy: &PricePolicy, shelf: Option<Shelf>) -> Result<Self> {
        let panel = forecast.panel();
        let model = only_model(forecast.models(), "")?;
        if panel.rows() == 0 {
            return Err(Error::usage(
                "a forecast that was opened from a file has no history of prices: fit a model to the history",
            ));
        }
        let costs = costs(&panel, policy, shelf.as_ref())?;
        let reactions = policy.elasticity().each(&panel)?;
        let matrix = panel.matrix()?;
        let known = |c: &usize| matrix.sources[*c].1 == Role::Known;
        let future = matrix.names.iter().position(|name| *name == reactions.column).filter(known);
        let mut deviates = HashMap::new();
        for reaction in reactions.of.iter().flatten() {
            let freedom = reaction.estimate.freedom.max(LEAST_FREEDOM);
            if let std::collections::hash_map::Entry::Vacant(free) = deviates.entry(freedom.to_bits()) {
                let at = |k: usize| student_quantile(freedom, (k as f64 + 0.5) / policy.draws as f64);
                free.insert((0..policy.draws).map(at).collect::<Result<_>>()?);
            }
        }
        let paths = forecast.paths(policy.draws, policy.seed)?;
        Ok(Self {
            panel,
            forecast: forecast.clone(),
            model,
            paths,
            reactions,
            costs,
            shelf,
            future,
            level: policy.level,
            turnover: policy.turnover,
            seed: policy.seed,
            draws: policy.draws,
            deviates,
        })
    }

    /// Is the price known in the steps of the forecast?
    pub(super) fn price_is_known(&self) -> bool {
        self.future.is_some()
    }

    /// What is known of an item, or why no decision on it is possible.
    pub(super) fn known(&self, series: usize) -> Result<Known, String> {
        let column = &self.reactions.column;
        let prices = self.panel.column_of(series, &self.reactions.price);
        let prices = || prices.iter().copied().filter(|price| price.is_finite() && *price > 0.0);
        let Some(present) = prices().next_back() else {
            return Err(format!("its `{column}` is nowhere above zero"));
        };
        let reaction = self.reactions.of[series].as_ref().map_err(Clone::clone)?;
        let estimate = reaction.estimate;
        let (low, high) = estimate.interval(self.level);
        let said = || {
            format!(
                "{} ({} % interval {} to {})",
                signed(estimate.value),
                crate::show::number(100.0 * self.level),
                signed(low),
                signed(high)
            )
        };
        if low.is_nan() || (low <= 0.0 && high >= 0.0) {
            return Err(format!(
                "how its sales react to `{column}` is not identified: an elasticity of {}, which includes zero",
                said()
            ));
        }
        if estimate.value > 0.0 {
            return Err(format!(
                "its sales rise with `{column}`: an elasticity of {}; the price followed demand, and says nothing of what a change does",
                said()
            ));
        }
        let seen =
            prices().fold((f64::INFINITY, 0.0), |(low, high): (f64, f64), price| (low.min(price), high.max(price)));
        Ok(Known { present, seen, estimate, own: reaction.own, shared: reaction.shared })
    }

    /// The cost of a unit, or why there is no decision.
    pub(super) fn cost(&self, series: usize, present: f64) -> Result<f64, String> {
        match self.costs[series] {
            None => Err("the cost of a unit is not known".into()),
            Some(cost) if cost >= present => Err(format!(
                "the cost of a unit, {}, is not below the present price, {}: each unit sold loses money",
                tag(cost),
                tag(present)
            )),
            Some(cost) => Ok(cost),
        }
    }

    /// Draws of the demand of an item and of its elasticity.
    pub(super) fn draws(&self, series: usize, known: &Known) -> Result<Draws> {
        let label = self.forecast.label(series);
        let mean = self.forecast.mean(&self.model, label)?;
        let mut demand = self.paths.of(&self.model, label)?;
        scale(&mut demand, &mean);
        let elasticity = self.elasticities(series, known);
        let units = if self.turnover { 1.0 / known.present } else { 1.0 };
        // Turnover was forecast at the price of the future, if that is known.
        let prices = self.future.zip(self.forecast.fitted()).map(|(c, (_, future))| future.columns(series)[c].to_vec());
        for (path, elasticity) in demand.iter_mut().zip(&elasticity) {
            for (t, value) in path.iter_mut().enumerate() {
                let price = prices.as_ref().and_then(|prices| prices.get(t)).copied();
                match price.filter(|price| price.is_finite() && *price > 0.0) {
                    Some(price) => {
                        let log = (known.present / price).ln();
                        let units = if self.turnover { 1.0 / price } else { 1.0 };
                        *value *= units * (elasticity * log).exp();
                    }
                    None => *value *= units,
                }
            }
        }
        Ok(Draws { demand, elasticity })
    }

    /// Draws of an elasticity, in the order of the paths.
    fn elasticities(&self, series: usize, known: &Known) -> Vec<f64> {
        let estimate = &known.estimate;
        let deviates = &self.deviates[&estimate.freedom.max(LEAST_FREEDOM).to_bits()];
        let mut elasticity = vec![estimate.value; self.draws];
        for (deviate, place) in deviates.iter().zip(order(self.draws, self.seed, series, known.shared)) {
            elasticity[place] += estimate.error * deviate;
        }
        elasticity
    }
}

/// Sample paths without sales below zero, each step with the mean of the forecast.
pub(in crate::decide) fn scale(demand: &mut [Vec<f64>], mean: &[f64]) {
    demand.iter_mut().flatten().for_each(|units| *units = units.max(0.0));
    for (t, mean) in mean.iter().enumerate() {
        let drawn = demand.iter().map(|path| path[t]).sum::<f64>() / demand.len().max(1) as f64;
        if drawn > 0.0 {
            let scale = mean.max(0.0) / drawn;
            demand.iter_mut().for_each(|path| path[t] *= scale);
        }
    }
}

/// The places of so many draws in the order of normal deviates, of whose variance a share is common to all items.
pub(in crate::decide) fn order(draws: usize, seed: u64, item: usize, shared: f64) -> Vec<usize> {
    let stream = |stream: u64| {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(stream);
        move || crate::models::standard_normal(((random.next_u64() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64)
    };
    let (mut common, mut own) = (stream(0), stream(item as u64 + 1));
    let score = |_| shared.sqrt() * common() + (1.0 - shared).max(0.0).sqrt() * own();
    let scores: Vec<f64> = (0..draws).map(score).collect();
    let mut order: Vec<usize> = (0..draws).collect();
    order.sort_by(|a, b| scores[*a].total_cmp(&scores[*b]).then(a.cmp(b)));
    order
}

/// The cost of each item.
fn costs(panel: &Panel, policy: &PricePolicy, shelf: Option<&Shelf>) -> Result<Vec<Option<f64>>> {
    let mut costs = vec![policy.cost; panel.len()];
    if !policy.cost_column.is_empty() {
        let matrix = panel.matrix()?;
        let name = &policy.cost_column;
        let place = matrix.names.iter().position(|known| known == name).ok_or_else(|| {
            let near = crate::error::suggestion(name, matrix.names.iter().map(String::as_str));
            Error::usage(format!("there is no covariate `{name}` that could hold the cost{near}"))
        })?;
        for (i, cost) in costs.iter_mut().enumerate() {
            let cells = panel.column_of(i, &matrix.columns[place]);
            let last = cells.iter().rposition(|cell| !cell.is_nan());
            *cost = last.map(|at| cells[at]);
            if let Some(at) = last.filter(|at| !(cells[*at].is_finite() && cells[*at] > 0.0)) {
                return Err(Error::data(format!(
                    "`{name}` of {} is {} on {}: the cost of a unit must be a positive number",
                    panel.label(i),
                    cells[at],
                    panel.inner().calendar.label(panel.positions(i)[at])
                )));
            }
        }
    }
    if let Some(shelf) = shelf {
        costs.iter_mut().enumerate().for_each(|(i, cost)| *cost = shelf.cost(i).or(*cost));
    }
    Ok(costs)
}

/// A price as a tag has it.
pub(super) fn tag(price: f64) -> String {
    if price >= 1.0 { crate::format::decimals(price, 2) } else { crate::show::number(price) }
}

/// An amount with its sign, for the ends of an interval.
pub(super) fn signed(value: f64) -> String {
    let text = crate::show::words::about(value.abs());
    if value < 0.0 && text != "0" { format!("−{text}") } else { text }
}
