//! How much was not sold because it was not there? The demand of steps in which an item could not always be sold, with
//! intervals.
//!
//! Needs the column that tells when an item could be sold (role `available`). A step without stock and without sales is
//! estimated from the steps before and after, the season and its siblings in the same step. A share of a step tells
//! more, because sales in that time inform of the step: ten in half a week make about twenty. Where something was sold
//! and the column says 0, it ran out at an unknown moment, and demand was at least the sales. How, and when that fails,
//! is told in [`crate::statistics`]' `censored`. The interval of a total allows for errors that its steps have in
//! common.

use polars::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ask, Finding};
use crate::error::Result;
use crate::figures::{Line, Lines, TimeAxis};
use crate::options;
use crate::panel::{Panel, stamp_column};
use crate::show::words::{amount, counted, listed, rounded};
use crate::show::{Table, number};
use crate::statistics::censored::{Estimates, StepDemand};

/// Names in a caveat.
const NAMED: usize = 3;

/// Options of `lost_sales`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LostSales {
    /// The probability of the intervals.
    pub level: f64,
    /// Rows of the table of series, those that lost most first.
    pub top: usize,
}

impl Default for LostSales {
    fn default() -> Self {
        Self { level: 0.9, top: 20 }
    }
}

impl Ask for LostSales {
    const NAME: &str = "lost_sales";
    const SUMMARY: &str = "What was not sold because it was out of stock: the demand behind stock-outs";
    const EXAMPLE: &str = "lost_sales(top=5)";
    const ALSO: &str = "unsold, lost demand, unconstrained demand, stock outs, out of stock";
    const SIMILAR: &[(&str, &str)] = &[(
        "censored demand, unconstraining, uncensoring, tobit, imputation of demand, availability",
        "demand of steps in which the item could not always be sold, by a likelihood with censoring",
    )];

    fn check(&self) -> Result<()> {
        options::level(self.level).map(|_| ())
    }

    fn tour(panel: &Panel) -> Vec<Self> {
        if panel.columns().names().is_empty() || panel.inner().columns.available.is_none() {
            return Vec::new();
        }
        vec![Self::default()]
    }

    fn answer(&self, panel: &Panel) -> Result<Finding> {
        let unsold = panel.unsold()?;
        let estimates = &unsold.estimates;
        let lost = estimates.total;
        let (from, to) = lost.interval(self.level);
        let all: usize = estimates.steps.iter().map(Vec::len).sum();
        let sold: f64 = (0..panel.len()).flat_map(|i| panel.target(i)).filter(|y| **y > 0.0).sum();
        let out: usize = estimates.steps.iter().filter(|steps| !steps.is_empty()).count();
        let percent = rounded(100.0 * self.level, 1);
        let noun = panel.frequency().noun();
        let sentence = if all == 0 {
            "No step in which an item could not be sold lies between its first and its last sale: nothing is known to be lost.".to_string()
        } else {
            format!(
                "In {} in which it could not always be sold, {} could have sold {} more than the {} that were sold ({percent} % \
                 interval {} to {}): {} % of all demand.",
                counted(all, noun, &format!("{noun}s")),
                counted(out, "series", "series"),
                amount(lost.mean),
                amount(estimates.steps.iter().flatten().map(|step| step.sold).sum()),
                amount(from),
                amount(to),
                rounded(100.0 * lost.mean / (sold + lost.mean).max(f64::MIN_POSITIVE), 1),
            )
        };
        let mut finding = Finding::new("Lost sales", sentence, self.by_series(panel, estimates)?)
            .and(self.by_step(panel, &estimates.steps)?)
            .and(self.in_all(estimates, sold)?)
            .drawn(figure(panel, &estimates.steps));
        if !unsold.unknown.is_empty() {
            let names: Vec<&str> = unsold.unknown.iter().map(|i| panel.label(*i)).collect();
            finding = finding.but(format!(
                "{} without an estimate: never sold and never in stock ({}).",
                counted(names.len(), "series", "series"),
                listed(&names, NAMED)
            ));
        }
        if unsold.negative > 0 {
            finding = finding
                .but(format!("{} below zero, which count as none.", counted(unsold.negative, "sale is", "sales are")));
        }
        Ok(finding.but(
            "Where stock ran out because a step was strong, and neither its sales nor the time until then are recorded, more was lost \
             than this: the strong steps are those that are not seen. Where something was sold in a step without stock, it is taken \
             to have run out; if it was withdrawn, this is too much: state the share of the step.",
        ))
    }
}

impl LostSales {
    fn by_series(&self, panel: &Panel, estimates: &Estimates) -> Result<Table> {
        let mut order: Vec<usize> = (0..panel.len()).filter(|i| !estimates.steps[*i].is_empty()).collect();
        let found = order.len();
        order.sort_by(|a, b| estimates.series[*b].mean.total_cmp(&estimates.series[*a].mean));
        order.truncate(self.top.max(1));
        let mut columns = panel.key_columns(order.iter().copied())?;
        let sold = |i: usize| panel.target(i).iter().filter(|y| **y > 0.0).sum::<f64>();
        let ends: Vec<(f64, f64)> = order.iter().map(|i| estimates.series[*i].interval(self.level)).collect();
        let numbers = |name: &str, pick: &dyn Fn(usize) -> f64| {
            Column::new(name.into(), (0..order.len()).map(pick).collect::<Vec<f64>>())
        };
        columns.push(Column::new(
            "steps".into(),
            order.iter().map(|i| estimates.steps[*i].len() as u64).collect::<Vec<_>>(),
        ));
        columns.push(numbers("sold", &|k| sold(order[k])));
        columns.push(numbers("demand", &|k| sold(order[k]) + estimates.series[order[k]].mean));
        columns.push(numbers("lost", &|k| estimates.series[order[k]].mean));
        columns.push(numbers("from", &|k| ends[k].0));
        columns.push(numbers("to", &|k| ends[k].1));
        columns.push(numbers("share lost", &|k| {
            let lost = estimates.series[order[k]].mean;
            lost / (sold(order[k]) + lost).max(f64::MIN_POSITIVE)
        }));
        Ok(Table::new(DataFrame::new(order.len(), columns)?).of_rows(found).titled("Lost sales by series"))
    }

    fn by_step(&self, panel: &Panel, steps: &[Vec<StepDemand>]) -> Result<Table> {
        let each: Vec<(usize, &StepDemand)> =
            steps.iter().enumerate().flat_map(|(i, steps)| steps.iter().map(move |step| (i, step))).collect();
        let mut columns = panel.key_columns(each.iter().map(|(i, _)| *i))?;
        let position =
            |i: usize, step: &StepDemand| panel.positions(i).first().map_or(0, |first| first + step.step as i64);
        let inner = panel.inner();
        let stamps = each.iter().map(|(i, step)| position(*i, step));
        columns.push(stamp_column(&inner.calendar, &inner.columns.time, stamps)?);
        let ends: Vec<(f64, f64)> = each.iter().map(|(_, step)| step.interval(self.level)).collect();
        let numbers = |name: &str, values: Vec<f64>| Column::new(name.into(), values);
        columns.push(numbers("sold", each.iter().map(|(_, step)| step.sold).collect()));
        columns.push(numbers("demand", each.iter().map(|(_, step)| step.sold + step.lost).collect()));
        columns.push(numbers("from", ends.iter().map(|(from, _)| *from).collect()));
        columns.push(numbers("to", ends.iter().map(|(_, to)| *to).collect()));
        columns.push(numbers("lost", each.iter().map(|(_, step)| step.lost).collect()));
        Ok(Table::new(DataFrame::new(each.len(), columns)?).titled("Demand of each step that was not fully served"))
    }

    /// All series together; `sold` in all steps.
    fn in_all(&self, estimates: &Estimates, sold: f64) -> Result<Table> {
        let steps: usize = estimates.steps.iter().map(Vec::len).sum();
        let (lost, (from, to)) = (estimates.total.mean, estimates.total.interval(self.level));
        let number = |name: &str, value: f64| Column::new(name.into(), [value]);
        let columns = vec![
            Column::new("steps".into(), [steps as u64]),
            number("sold", sold),
            number("demand", sold + lost),
            number("lost", lost),
            number("from", from),
            number("to", to),
            number("share lost", lost / (sold + lost).max(f64::MIN_POSITIVE)),
        ];
        Ok(Table::new(DataFrame::new(1, columns)?).titled("Lost sales of all series"))
    }
}

/// What was sold of all series, and their demand.
fn figure(panel: &Panel, steps: &[Vec<StepDemand>]) -> crate::show::Figure {
    let (first, sold) = super::total(panel);
    let mut demand = sold.clone();
    for (i, steps) in steps.iter().enumerate() {
        let start = panel.positions(i).first().map_or(0, |at| at - first);
        for step in steps {
            if let Some(sum) = demand.get_mut(start as usize + step.step) {
                *sum = if sum.is_nan() { step.lost } else { *sum + step.lost };
            }
        }
    }
    let calendar = &panel.inner().calendar;
    let line = |name: &str, y: Vec<f64>| Line {
        name: name.into(),
        x: (0..y.len()).map(|t| calendar.x(first + t as i64)).collect(),
        y,
    };
    let lines = vec![line("demand", demand), line("sold", sold)];
    let axis = if panel.frequency().is_whole() { TimeAxis::Steps } else { TimeAxis::Dates };
    let title = format!("Demand and sales of {} series", number(panel.len() as f64));
    Lines { title, value: panel.columns().target.clone(), axis, foot: String::new(), lines, reference: None }.figure()
}
