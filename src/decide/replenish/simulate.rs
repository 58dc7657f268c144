//! What would a policy have cost in the past? Orders of every review on the forecasts of a backtest, played on what was sold
//! (`past.rs`).
//!
//! Two policies are compared pairwise. The difference of their costs is summed over items step by step, and over steps item by
//! item; its standard error is the larger of that over steps (autocorrelated, [`statistics`](crate::statistics)) and that over
//! items, so that neither a week that hits all items nor an item that decides alone passes for certainty.

use polars::prelude::*;

use super::order::Step;
use super::past::{Ledger, Past, Played};
use super::policy::{Belief, StockPolicy};
use super::state::State;
use super::{percent, stock_figure, units};
use crate::decide::{Decided, Decision, without};
use crate::error::{Error, Result, find};
use crate::evaluate::Backtest;
use crate::models::place;
use crate::panel::stamp_column;
use crate::show::words::counted;
use crate::show::{Block, Finding, Table, number};
use crate::statistics::Estimate;

/// The probability of intervals.
const LEVEL: f64 = 0.9;

impl Backtest {
    /// What orders of every model would have cost in the held-out windows, and beside them what orders by the textbook's normal
    /// formula and by the point forecast alone would have: a row for each, the cheapest first, with costs in parts, fill rate, cycle
    /// service, steps out of stock, mean stock, orders, and how much more it costs than the best with its interval. The folds are one
    /// review apart and reach over lead time and review: `folds(13, 3).step(1)` for a lead time of 2 reviewed every step.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales");
    /// let sales = Panel::read("data/walmart_sales_weekly.csv", columns)?;
    /// let trial = sales.backtest(["naive", "seasonal_naive"], Folds::new(8, 3).step(1))?;
    /// let policy = StockPolicy::parse("lead_time=2, holding=0.02, shortage=0.3, cycle_service=0.95")?;
    /// let simulated = trial.simulate(&policy)?;
    /// assert_eq!(simulated.table()?.rows(), 6);
    /// println!("{}", simulated.sentence());
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// When a number of the policy cannot be, the folds do not fit it, or no item was forecast by all models in all windows.
    pub fn simulate(&self, policy: &StockPolicy) -> Result<Decision> {
        self.simulate_with(None, policy)
    }

    /// The same of policies of one's own: rows are compared with the cheapest of the first one. They differ in what they aim at and
    /// rest on, not in timing and costs.
    ///
    /// # Errors
    /// As [`simulate`](Self::simulate), and when there is none or two differ in timing or costs.
    pub fn simulate_each(&self, policies: &[StockPolicy]) -> Result<Decision> {
        let Some(first) = policies.first() else {
            return Err(Error::usage("at least 1 policy is needed, not 0"));
        };
        for policy in policies {
            policy.check()?;
            let aims = |from: &StockPolicy| StockPolicy {
                belief: policy.belief,
                lots: policy.lots,
                lot: policy.lot,
                ..from.aimed_at(policy.target())
            };
            if aims(first) != *policy {
                return Err(Error::usage(
                    "policies that are compared differ in their target, what they rest on and their lots, not in timing or costs",
                ));
            }
        }
        Ok(Decision::of(Simulated::of(self, None, policies)?))
    }

    /// The same as [`simulate`](Self::simulate) with the costs, lead times and rules that a state has of each item.
    pub(crate) fn simulate_with(&self, state: Option<&State>, policy: &StockPolicy) -> Result<Decision> {
        Ok(Decision::of(Simulated::of(self, state, &beliefs(policy))?))
    }
}

/// A policy, and beside it the same by other beliefs.
fn beliefs(policy: &StockPolicy) -> Vec<StockPolicy> {
    let others =
        [Belief::Forecast, Belief::Normal, Belief::Point].into_iter().filter(|belief| *belief != policy.belief);
    let others = others.map(|belief| StockPolicy { belief, ..policy.clone() });
    std::iter::once(policy.clone()).chain(others).collect()
}

/// The orders of every model, simulated.
pub(super) struct Simulated {
    backtest: Backtest,
    /// The first is the one that the others are compared with.
    policies: Vec<StockPolicy>,
    state: Option<State>,
    played: Played,
    /// Model and policy, the cheapest first; without costs in their order.
    ranked: Vec<(usize, usize)>,
    /// The first of them by the policy as it is.
    best: usize,
    totals: Vec<Vec<Ledger>>,
    has_costs: bool,
}

impl Simulated {
    pub(super) fn of(backtest: &Backtest, state: Option<&State>, policies: &[StockPolicy]) -> Result<Self> {
        let policies = policies.to_vec();
        let past = Past::of(backtest, state, &policies[0])?;
        let played = past.run(&policies)?;
        let models = 0..backtest.models().len();
        let totals: Vec<Vec<Ledger>> =
            models.clone().map(|m| (0..policies.len()).map(|of| played.total(m, of)).collect()).collect();
        let has_costs = past.has_costs(&played);
        let mut ranked: Vec<(usize, usize)> =
            (0..policies.len()).flat_map(|of| models.clone().map(move |m| (m, of))).collect();
        if has_costs {
            ranked.sort_by(|a, b| totals[a.0][a.1].cost().total_cmp(&totals[b.0][b.1].cost()));
        }
        let best = ranked.iter().find(|(_, of)| *of == 0).map_or(0, |(m, _)| *m);
        let (backtest, state) = (backtest.clone(), state.cloned());
        Ok(Self { backtest, policies, state, played, ranked, best, totals, has_costs })
    }

    fn total(&self, one: (usize, usize)) -> &Ledger {
        &self.totals[one.0][one.1]
    }

    /// How much more one costs than the best.
    fn more(&self, one: (usize, usize)) -> Estimate {
        self.played.difference(one, (self.best, 0))
    }

    /// The label of the model whose orders cost least.
    pub(super) fn best(&self) -> String {
        self.backtest.models().swap_remove(self.best)
    }
}

/// How much more something costs, with its interval, in words.
pub(super) fn more(estimate: &Estimate) -> String {
    let signed = |value: f64| match value < 0.0 {
        true => format!("{} less", units(-value)),
        false => format!("{} more", units(value)),
    };
    let (low, high) = estimate.interval(LEVEL);
    format!("{} ({} % interval {} to {})", signed(estimate.value), number(100.0 * LEVEL), signed(low), signed(high))
}

/// What an order rests on, in a word and in words.
fn word(belief: Belief) -> &'static str {
    match belief {
        Belief::Forecast => "forecast",
        Belief::Normal => "normal",
        Belief::Point => "point",
    }
}

fn ordered_by(belief: Belief) -> &'static str {
    match belief {
        Belief::Forecast => "the distribution",
        Belief::Normal => "the normal formula",
        Belief::Point => "the point forecast",
    }
}

fn by(belief: Belief) -> &'static str {
    match belief {
        Belief::Forecast => "by the whole forecast distribution",
        Belief::Normal => "by the normal formula",
        Belief::Point => "by the point forecast alone",
    }
}

impl Decided for Simulated {
    fn title(&self) -> String {
        "Simulated orders".into()
    }

    fn sentence(&self) -> String {
        let names = self.backtest.names();
        let total = self.total((self.best, 0));
        let many = counted(self.played.items.len(), "item", "items");
        let steps = counted(self.played.steps(), "step", "steps");
        let service = format!(
            "{} of demand is met from stock, and in {} of reviews an item lasts until the next delivery",
            percent(total.fill_rate()),
            percent(total.cycle_service())
        );
        let name = &names[self.best];
        if !self.has_costs {
            return format!(
                "{name} on {many} over {steps}: {service}; costs of holding and shortage would tell which model is cheapest."
            );
        }
        let parts = ["holding", "shortage", "orders", "waste"].into_iter().zip(total.costs);
        let parts: Vec<String> =
            parts.filter(|(_, cost)| *cost > 0.0).map(|(part, cost)| format!("{part} {}", units(cost))).collect();
        let mut text =
            format!("{name} on {many} over {steps} costs {} ({}): {service}.", units(total.cost()), parts.join(", "));
        let told = |one: (usize, usize)| more(&self.more(one));
        let labels = self.backtest.models();
        let accurate = self.backtest.best_by("mase").ok().and_then(|label| Some(place(&label, &labels).ok()?.0));
        match accurate {
            Some(m) if m == self.best && names.len() > 1 => text += " It is the most accurate model too.",
            Some(m) if m != self.best => {
                text += &format!(" The most accurate model, {}, would cost {}.", names[m], told((m, 0)));
            }
            _ => {}
        }
        let others = self.policies.iter().enumerate().skip(1).map(|(of, policy)| {
            let target = Some(policy.target()).filter(|_| policy.belief == self.policies[0].belief);
            let target = target.map(|target| format!(" to {}", target.words())).unwrap_or_default();
            format!("{}{target} {}", by(policy.belief), told((self.best, of)))
        });
        let others: Vec<String> = others.collect();
        if !others.is_empty() {
            text += &format!(" Its orders would cost: {}.", others.join("; "));
        }
        text
    }

    fn table(&self) -> Result<Table> {
        let labels = self.backtest.models();
        let of = |value: &dyn Fn(&Ledger) -> f64| -> Vec<f64> {
            self.ranked.iter().map(|one| value(self.total(*one))).collect()
        };
        let known = |values: Vec<f64>| -> Vec<Option<f64>> {
            values.into_iter().map(|value| self.has_costs.then_some(value)).collect()
        };
        let count = |value: &dyn Fn(&Ledger) -> usize| -> Vec<i64> {
            self.ranked.iter().map(|one| value(self.total(*one)) as i64).collect()
        };
        let more: Vec<Estimate> = self.ranked.iter().map(|one| self.more(*one)).collect();
        let beliefs = self.ranked.iter().map(|(_, of)| word(self.policies[*of].belief)).collect::<Vec<_>>();
        let target = |(_, of): &(usize, usize)| self.policies[*of].target().level();
        let targets = self.ranked.iter().map(target).collect::<Vec<_>>();
        let items = self.played.items.len() as f64;
        let columns = vec![
            Column::new("model".into(), self.ranked.iter().map(|(m, _)| labels[*m].as_str()).collect::<Vec<_>>()),
            Column::new("belief".into(), beliefs),
            Column::new("target".into(), targets),
            Column::new("cost".into(), known(of(&Ledger::cost))),
            Column::new("holding".into(), known(of(&|ledger| ledger.costs[0]))),
            Column::new("shortage".into(), known(of(&|ledger| ledger.costs[1]))),
            Column::new("ordering".into(), known(of(&|ledger| ledger.costs[2]))),
            Column::new("waste".into(), known(of(&|ledger| ledger.costs[3]))),
            Column::new("more".into(), known(more.iter().map(|one| one.value).collect())),
            Column::new("lower".into(), known(more.iter().map(|one| one.interval(LEVEL).0).collect())),
            Column::new("upper".into(), known(more.iter().map(|one| one.interval(LEVEL).1).collect())),
            Column::new("fill_rate".into(), of(&Ledger::fill_rate)),
            Column::new("cycle_service".into(), of(&Ledger::cycle_service)),
            Column::new("stockouts".into(), count(&|ledger| ledger.steps_out)),
            Column::new("mean_stock".into(), of(&|ledger| ledger.left * items / ledger.steps.max(1) as f64)),
            Column::new("orders".into(), count(&|ledger| ledger.orders)),
            Column::new("units".into(), of(&|ledger| ledger.units)),
            Column::new("wasted".into(), of(&|ledger| ledger.wasted)),
        ];
        let best = self.ranked.iter().position(|one| *one == (self.best, 0)).unwrap_or(0);
        let table = Table::new(DataFrame::new(self.ranked.len(), columns)?);
        Ok(if self.has_costs { table.highlight(best) } else { table })
    }

    /// The stock of an item step by step, by the orders of the cheapest model.
    fn explain(&self, item: &str) -> Result<Finding> {
        let panel = self.backtest.panel();
        let labels: Vec<String> = panel.keys();
        let place = find(item, &labels, "item")?;
        if let Some((_, why)) = self.played.left_out.iter().find(|(left_out, _)| *left_out == place) {
            return Err(Error::data(format!("{item} is not simulated: {why}")));
        }
        let past = Past::of(&self.backtest, self.state.as_ref(), &self.policies[0])?;
        let (ledger, steps) = past.tell(self.best, place, &self.played.items, &self.policies[0])?;
        let start = past.start(place);
        let of = |value: fn(&Step) -> f64| steps.iter().map(value).collect::<Vec<f64>>();
        let time = &panel.inner().columns.time;
        let positions = (0..steps.len() as i64).map(|step| start + step);
        let table = Table::new(DataFrame::new(
            steps.len(),
            vec![
                stamp_column(&panel.inner().calendar, time, positions)?,
                Column::new("arrives".into(), of(|step| step.arrives)),
                Column::new("on_shelf".into(), of(|step| step.start)),
                Column::new("demand".into(), of(|step| step.mean)),
                Column::new("left".into(), of(|step| step.left)),
                Column::new("short".into(), of(|step| step.short)),
            ],
        )?);
        let sentence = format!(
            "Ordered by {}, {} of the demand of {item} is met from stock; it runs out in {} of {}, and {} units are left at the end \
             of a step on average.",
            self.backtest.names()[self.best],
            percent(ledger.fill_rate()),
            ledger.steps_out,
            counted(ledger.steps, "step", "steps"),
            units(ledger.left / ledger.steps.max(1) as f64)
        );
        let title = format!("Simulated stock of {item}");
        Ok(Finding::new(title.clone(), sentence, table).drawn(stock_figure(title, &panel, start, &steps)))
    }

    fn undecided(&self) -> Result<Table> {
        let panel = self.backtest.panel();
        without(self.played.left_out.iter().map(|(item, why)| (panel.label(*item), why.as_str())))
    }

    /// Models by name, with what decides between them.
    fn blocks(&self) -> Result<Vec<Block>> {
        let names = self.backtest.names();
        let whole = |name: &str, value: &dyn Fn((usize, usize)) -> f64| {
            let values: Vec<f64> = self.ranked.iter().map(|one| value(*one).round()).collect();
            Column::new(name.into(), values)
        };
        let share = |name: &str, value: fn(&Ledger) -> f64| {
            let values: Vec<String> = self.ranked.iter().map(|one| percent(value(self.total(*one)))).collect();
            Column::new(name.into(), values)
        };
        let mut columns = vec![
            Column::new("model".into(), self.ranked.iter().map(|one| names[one.0].as_str()).collect::<Vec<_>>()),
            Column::new(
                "orders by".into(),
                self.ranked.iter().map(|one| ordered_by(self.policies[one.1].belief)).collect::<Vec<_>>(),
            ),
        ];
        if self.has_costs {
            columns.extend([
                whole("cost", &|one| self.total(one).cost()),
                whole("more than the best", &|one| self.more(one).value),
                whole("from", &|one| self.more(one).interval(LEVEL).0),
                whole("to", &|one| self.more(one).interval(LEVEL).1),
            ]);
        }
        let items = self.played.items.len() as f64;
        columns.extend([
            share("demand met", Ledger::fill_rate),
            share("reviews met", Ledger::cycle_service),
            whole("mean stock", &|one| self.total(one).left * items / self.total(one).steps.max(1) as f64),
        ]);
        let best = self.ranked.iter().position(|one| *one == (self.best, 0)).unwrap_or(0);
        let table = Table::new(DataFrame::new(self.ranked.len(), columns)?);
        Ok(vec![Block::Table(if self.has_costs { table.highlight(best) } else { table })])
    }

    fn caveats(&self) -> Vec<String> {
        self.backtest.caveat().into_iter().collect()
    }
}
