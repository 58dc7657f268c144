//! How intermittent and how variable is demand?
//!
//! For each series the average inter-demand interval (ADI) and the squared coefficient of variation (CV²) of demand
//! sizes, and the demand class that they give (Syntetos, Boylan & Croston 2005, *Journal of the Operational Research
//! Society* 56): demand is intermittent above an ADI of 1.32 steps and variable above a CV² of 0.49, lumpy if it is
//! both. Missing values are left out; a negative value counts as a demand of its absolute size.

use polars::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::each::each;
use super::{Ask, Finding};
use crate::error::{Error, Result};
use crate::figures::Bars;
use crate::panel::Panel;
use crate::show::{Table, number};
use crate::statistics::{Demand, DemandClass, ERRATIC, INTERMITTENT};

/// Options of `demand`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DemandClasses {
    /// Rows of the table: series, the longest intervals between demands first.
    pub top: usize,
}

impl Default for DemandClasses {
    fn default() -> Self {
        Self { top: 10 }
    }
}

struct Answer {
    interval: f64,
    variation: f64,
    class: DemandClass,
}

impl Ask for DemandClasses {
    const NAME: &str = "demand";
    const SUMMARY: &str = "Which series have smooth, erratic, intermittent or lumpy demand";
    const EXAMPLE: &str = "demand(top=5)";
    const ALSO: &str = "demand classes, intermittency, intermittent";
    const SIMILAR: &[(&str, &str)] = &[(
        "adi, cv2, syntetos boylan, sparsity, zeros",
        "the classes of Syntetos and Boylan: smooth, erratic, intermittent, lumpy",
    )];

    fn answer(&self, panel: &Panel) -> Result<Finding> {
        let answers = each(panel, 2, |_, y| {
            let demand = Demand::of(y);
            let class = demand.class().ok_or_else(|| Error::data("without demand"))?;
            Ok(Answer { interval: demand.mean_interval(), variation: demand.variation(), class })
        })?;
        let found = &answers.found;
        let members = |class: DemandClass| found.iter().filter(|(_, answer)| answer.class == class).count();
        let counts = DemandClass::ALL.map(|class| (class, members(class)));
        let classes: Vec<String> = counts
            .iter()
            .filter(|(_, members)| *members > 0)
            .map(|(class, members)| format!("{} in {}", class.name(), number(*members as f64)))
            .collect();
        let intermittent: usize =
            counts.iter().filter(|(class, _)| class.is_intermittent()).map(|(_, members)| members).sum();
        let advice = match intermittent {
            0 => String::new(),
            n => format!(
                " For the {} with intermittent or lumpy demand, tsb, sba and imapa forecast a distribution over counts; \
                 auto includes them.",
                number(n as f64)
            ),
        };
        let sentence = format!("Demand is {} of {} series.{advice}", classes.join(", "), number(found.len() as f64));
        let mut order: Vec<usize> = (0..found.len()).collect();
        order.sort_by(|a, b| found[*b].1.interval.total_cmp(&found[*a].1.interval));
        order.truncate(self.top.max(1));
        let mut columns = panel.key_columns(order.iter().map(|at| found[*at].0))?;
        let real = |name: &str, pick: fn(&Answer) -> f64| {
            Column::new(name.into(), order.iter().map(|at| pick(&found[*at].1)).collect::<Vec<_>>())
        };
        columns.push(real("mean interval", |answer| answer.interval));
        columns.push(real("CV² of sizes", |answer| answer.variation));
        columns.push(Column::new("class".into(), order.iter().map(|at| found[*at].1.class.name()).collect::<Vec<_>>()));
        let table =
            Table::new(DataFrame::new(order.len(), columns)?).of_rows(found.len()).titled("Demand classes by series");
        let bars = Bars {
            title: "Demand classes".into(),
            value: "number of series".into(),
            rows: counts.iter().map(|(class, members)| (class.name().into(), *members as f64)).collect(),
            best: None,
            reference: None,
        };
        let finding = Finding::new("Demand classes", sentence, table).drawn(bars.figure());
        let finding = answers.caveats(finding, panel, "left out");
        Ok(finding.but(format!(
            "Intermittent and lumpy: more than {INTERMITTENT} {}s between demands on average. Erratic and lumpy: a squared \
             coefficient of variation of the sizes above {ERRATIC}.",
            panel.frequency().noun()
        )))
    }
}
