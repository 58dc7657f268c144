//! How does demand come: often or seldom, in sizes that are much the same or not?
//!
//! For each series the mean interval between demands and the squared coefficient of variation of their sizes, and the class
//! that both make (Syntetos, Boylan & Croston 2005, *Journal of the Operational Research Society* 56): above an interval of
//! 1.32 steps demand is seldom, above a variation of 0.49 its sizes are erratic. A step without a value is left out; a
//! negative value counts as a demand, as large as it is.

use polars::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::each::each;
use super::{Ask, Finding};
use crate::error::{Error, Result};
use crate::figures::Bars;
use crate::panel::Panel;
use crate::show::{Table, number};
use crate::statistics::{Demand, DemandClass, ERRATIC, SELDOM};

/// Options of `demand`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DemandClasses {
    /// Series in the table, those with the longest intervals first.
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
    const SUMMARY: &str = "Which series sell often, which seldom, and in sizes how different";
    const EXAMPLE: &str = "demand(top=5)";
    const ALSO: &str = "demand classes, intermittency, intermittent";
    const SIMILAR: &[(&str, &str)] = &[(
        "xyz, adi, cv2, syntetos boylan, sparsity, zeros",
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
        let said: Vec<String> = counts
            .iter()
            .filter(|(_, members)| *members > 0)
            .map(|(class, members)| format!("{} in {}", class.name(), number(*members as f64)))
            .collect();
        let seldom: usize = counts.iter().filter(|(class, _)| class.is_seldom()).map(|(_, members)| members).sum();
        let advice = match seldom {
            0 => String::new(),
            _ => format!(
                " What sells seldom, in {} of them, is forecast by tsb, sba or imapa with a distribution over counts; \
                 auto tries them.",
                number(seldom as f64)
            ),
        };
        let sentence = format!("Demand is {} of {} series.{advice}", said.join(", "), number(found.len() as f64));
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
        let table = Table::new(DataFrame::new(order.len(), columns)?).of_rows(found.len()).titled("Demand by series");
        let bars = Bars {
            title: "How demand comes".into(),
            value: "series".into(),
            rows: counts.iter().map(|(class, members)| (class.name().into(), *members as f64)).collect(),
            best: None,
            reference: None,
        };
        let finding = Finding::new("How demand comes", sentence, table).drawn(bars.figure());
        let finding = answers.caveats(finding, panel, "left out");
        Ok(finding.but(format!(
            "Seldom: more than {SELDOM} {}s between demands; erratic and lumpy: a squared coefficient of variation above {ERRATIC}.",
            panel.frequency().noun()
        )))
    }
}
