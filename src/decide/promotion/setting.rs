//! What is known of each item: its price, its cost, what a promotion does to it; and draws of what is not known.
//!
//! Demand is drawn as joint sample paths, scaled to the mean of the forecast. The uplift of each item, how much lower
//! sales are around a promotion and how much lower those of siblings are, are quantiles of Student's t around their
//! estimates, in a random order; the last three are the same in a draw for all items.

use std::collections::{BTreeMap, HashMap};

use super::PromotionPolicy;
use super::gains::{Promoted, Run};
use crate::decide::only_model;
use crate::decide::price::order;
use crate::error::{Error, Result, suggestion};
use crate::explore::{Elasticity, Measured, Uplift};
use crate::forecast::{Forecast, Paths};
use crate::panel::Panel;
use crate::statistics::{Estimate, student_quantile};

/// The fewest degrees of freedom that draws have.
const LEAST_FREEDOM: f64 = 3.0;
/// The share of the variance of an uplift's error that items have in common.
const SHARED: f64 = 0.5;

/// What promotions are judged on.
pub(super) struct Setting {
    pub forecast: Forecast,
    pub panel: Panel,
    pub measured: Measured,
    model: String,
    paths: Paths,
    prices: Vec<Option<f64>>,
    costs: Vec<Option<f64>>,
    turnover: bool,
    draws: usize,
    seed: u64,
    /// Student's t at equally spaced probabilities, by degrees of freedom.
    deviates: HashMap<u64, Vec<f64>>,
    before: Vec<f64>,
    after: Vec<f64>,
    siblings: Vec<f64>,
}

/// Draws of an item.
pub(super) struct Drawn<'a> {
    setting: &'a Setting,
    price: f64,
    cost: f64,
    pub demand: Vec<Vec<f64>>,
    uplift: Vec<f64>,
}

/// The margin of all siblings of a group together, by draw and step.
pub(super) type Margins<'a> = BTreeMap<&'a str, Vec<Vec<f64>>>;

impl Setting {
    pub(super) fn of(forecast: &Forecast, policy: &PromotionPolicy) -> Result<Self> {
        let panel = forecast.panel();
        let model = only_model(forecast.models(), "")?;
        if panel.rows() == 0 {
            return Err(Error::usage(
                "a forecast that was opened from a file has no history of promotions: fit a model to the history",
            ));
        }
        without_promotions(forecast, &policy.promotion)?;
        let prices = match (policy.turnover, policy.price) {
            (true, _) => vec![Some(1.0); panel.len()],
            (false, Some(price)) => vec![Some(price); panel.len()],
            (false, None) => {
                let asked = Elasticity { price: policy.price_column.clone(), ..Elasticity::default() };
                let (name, column) = asked.price_of(&panel)?;
                last(&panel, &name, &column, "price")?
            }
        };
        let costs = match policy.cost {
            Some(cost) => vec![Some(cost); panel.len()],
            None => {
                let (name, matrix) = (&policy.cost_column, panel.matrix()?);
                let place = matrix.names.iter().position(|known| known == name).ok_or_else(|| {
                    let near = suggestion(name, matrix.names.iter().map(String::as_str));
                    Error::usage(format!("there is no covariate `{name}` that could hold the cost{near}"))
                })?;
                last(&panel, name, &matrix.columns[place], "cost of a unit")?
            }
        };
        let asked = Uplift { by: policy.promotion.clone(), level: policy.level, ..Uplift::default() };
        let measured = asked.each(&panel)?;
        let paths = forecast.paths(policy.draws, policy.seed)?;
        let mut setting = Self {
            forecast: forecast.clone(),
            panel,
            model,
            paths,
            prices,
            costs,
            turnover: policy.turnover,
            draws: policy.draws,
            seed: policy.seed,
            deviates: HashMap::new(),
            before: Vec::new(),
            after: Vec::new(),
            siblings: Vec::new(),
            measured,
        };
        let around = [setting.measured.before, setting.measured.after, setting.measured.siblings];
        let freedoms: Vec<f64> =
            setting.measured.of.iter().chain(around.iter().flatten()).map(|estimate| estimate.freedom).collect();
        for freedom in freedoms {
            setting.prepare(freedom)?;
        }
        // Streams of their own, after those of the items.
        let n = setting.panel.len();
        let [before, after, siblings] =
            [0, 1, 2].map(|at| around[at].map_or_else(Vec::new, |estimate| setting.spread(&estimate, n + at, 0.0)));
        (setting.before, setting.after, setting.siblings) = (before, after, siblings);
        Ok(setting)
    }

    fn prepare(&mut self, freedom: f64) -> Result<()> {
        let freedom = freedom.max(LEAST_FREEDOM);
        if let std::collections::hash_map::Entry::Vacant(free) = self.deviates.entry(freedom.to_bits()) {
            let at = |k: usize| student_quantile(freedom, (k as f64 + 0.5) / self.draws as f64);
            free.insert((0..self.draws).map(at).collect::<Result<_>>()?);
        }
        Ok(())
    }

    /// Draws of an estimate.
    fn spread(&self, estimate: &Estimate, stream: usize, shared: f64) -> Vec<f64> {
        let mut values = vec![estimate.value; self.draws];
        if let Some(deviates) = self.deviates.get(&estimate.freedom.max(LEAST_FREEDOM).to_bits()) {
            for (deviate, place) in deviates.iter().zip(order(self.draws, self.seed, stream, shared)) {
                values[place] += estimate.error * deviate;
            }
        }
        values
    }

    /// The price and the cost of an item, or why no promotion of it can be judged.
    pub(super) fn known(&self, series: usize) -> Result<(f64, f64), String> {
        match (self.prices[series], self.costs[series]) {
            (None, _) => Err("its price is not known".into()),
            (_, None) => Err("the cost of a unit is not known".into()),
            (Some(price), Some(cost)) if cost >= price => {
                Err(format!("the cost of a unit, {cost}, is not below the price, {price}: each unit sold loses money"))
            }
            (Some(price), Some(cost)) => Ok((price, cost)),
        }
    }

    /// Steps between two promotions of an item so that they do not borrow from one another.
    pub(super) fn gap(&self) -> usize {
        self.measured.windows.0.max(self.measured.windows.1)
    }

    fn demand(&self, series: usize) -> Result<Vec<Vec<f64>>> {
        let label = self.forecast.label(series);
        let mean = self.forecast.mean(&self.model, label)?;
        let mut demand = self.paths.of(&self.model, label)?;
        crate::decide::price::scale(&mut demand, &mean);
        Ok(demand)
    }

    /// Draws of an item.
    pub(super) fn drawn(&self, series: usize) -> Result<Drawn<'_>> {
        let (price, cost) = self.known(series).map_err(Error::data)?;
        let uplift = self.spread(&self.measured.of[series], series, SHARED);
        Ok(Drawn { setting: self, price, cost, demand: self.demand(series)?, uplift })
    }

    /// The margin of all series of the groups that these items belong to, if promotions take sales from siblings.
    pub(super) fn margins(&self, items: &[usize]) -> Result<Margins<'_>> {
        let mut margins = Margins::new();
        if self.siblings.is_empty() {
            return Ok(margins);
        }
        let empty = || vec![vec![0.0; self.forecast.horizon()]; self.draws];
        items.iter().for_each(|item| {
            margins.entry(self.measured.groups[*item].as_str()).or_insert_with(empty);
        });
        for series in 0..self.panel.len() {
            let (Some(sums), Ok((price, cost))) =
                (margins.get_mut(self.measured.groups[series].as_str()), self.known(series))
            else {
                continue;
            };
            // A series without a forecast takes no part.
            let Ok(demand) = self.demand(series) else { continue };
            for (sums, path) in sums.iter_mut().zip(&demand) {
                sums.iter_mut().zip(path).for_each(|(sum, units)| *sum += (price - cost) * units);
            }
        }
        Ok(margins)
    }

    /// What a promotion takes from siblings in a draw, if no other of them is promoted.
    pub(super) fn taken(&self, margins: &Margins, series: usize, item: &Drawn, run: &Run, k: usize) -> f64 {
        let (Some(share), Some(sums)) = (self.siblings.get(k), margins.get(self.measured.groups[series].as_str()))
        else {
            return 0.0;
        };
        let steps = run.start..(run.start + run.length).min(sums[k].len());
        let own = item.price - item.cost;
        steps.map(|t| share.clamp(-1.0, 0.0) * (sums[k][t] - own * item.demand[k][t])).sum()
    }

    /// The same where others are promoted meanwhile: they take it together, and not from one another.
    pub(super) fn taken_together(
        &self,
        margins: &Margins,
        series: usize,
        run: &Run,
        k: usize,
        runs: &[(usize, Run)],
        drawn: &BTreeMap<usize, Drawn>,
    ) -> f64 {
        let group = self.measured.groups[series].as_str();
        let (Some(share), Some(sums)) = (self.siblings.get(k), margins.get(group)) else { return 0.0 };
        let steps = run.start..(run.start + run.length).min(sums[k].len());
        let at = |t: usize| {
            let here = runs.iter().filter(|(other, run)| {
                self.measured.groups[*other] == group && (run.start..run.start + run.length).contains(&t)
            });
            let (mut promoted, mut margin) = (0.0, 0.0);
            for item in here.filter_map(|(other, _)| drawn.get(other)) {
                promoted += 1.0;
                margin += (item.price - item.cost) * item.demand[k][t];
            }
            share.clamp(-1.0, 0.0) * (sums[k][t] - margin).max(0.0) / f64::max(promoted, 1.0)
        };
        steps.map(at).sum()
    }
}

impl Drawn<'_> {
    /// The item as it is promoted.
    pub(super) fn promoted(&self) -> Promoted<'_> {
        Promoted {
            demand: &self.demand,
            price: self.price,
            cost: self.cost,
            turnover: self.setting.turnover,
            uplift: &self.uplift,
            before: &self.setting.before,
            after: &self.setting.after,
            windows: self.setting.measured.windows,
        }
    }
}

/// The last value of a column in each series.
fn last(panel: &Panel, name: &str, column: &[f64], what: &str) -> Result<Vec<Option<f64>>> {
    let of = |i: usize| {
        let cells = panel.column_of(i, column);
        let Some(at) = cells.iter().rposition(|cell| !cell.is_nan()) else { return Ok(None) };
        if cells[at].is_finite() && cells[at] > 0.0 {
            return Ok(Some(cells[at]));
        }
        Err(Error::data(format!(
            "`{name}` of {} is {} on {}: the {what} must be a positive number",
            panel.label(i),
            cells[at],
            panel.inner().calendar.label(panel.positions(i)[at])
        )))
    };
    (0..panel.len()).map(of).collect()
}

/// Is the forecast that without promotions?
fn without_promotions(forecast: &Forecast, promotion: &str) -> Result<()> {
    let panel = forecast.panel();
    let (matrix, Some((_, future))) = (panel.matrix()?, forecast.fitted()) else { return Ok(()) };
    let Some(c) = matrix.names.iter().position(|name| name == promotion) else { return Ok(()) };
    if matrix.sources[c].1 != crate::panel::Role::Known {
        return Ok(());
    }
    for i in 0..panel.len() {
        if let Some(step) = future.columns(i)[c].iter().position(|on| *on > 0.0) {
            return Err(Error::usage(format!(
                "the forecast of {} has a promotion already, on {}: forecast with `{promotion}` at 0 in the future",
                panel.label(i),
                panel.inner().calendar.label(forecast.start(i) + step as i64)
            )));
        }
    }
    Ok(())
}
