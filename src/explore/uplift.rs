//! What do sales do when a promotion or holiday is on? Steps with it compared with their baseline.
//!
//! The baseline of a step is what it would have sold without the flag: the local level and trend of its series, times
//! the seasonal index of its weekday (hour of the week, month), and of its day of the month. The other known flags,
//! such as holidays, are held fixed. `effect` has the formulas, and how the 95 % interval allows for autocorrelation
//! and for shocks that all series share. An effect whose interval contains zero is not significant.
//!
//! A covariate of numbers or booleans is a flag: on where it is true or above zero, off elsewhere, also where it is
//! missing. A covariate of texts has an effect for each of its levels relative to the base level, the most frequent
//! one; empty cells are a level of their own. A flag that is on for long stretches has no baseline nearby, and is
//! refused, as is one that is on at the same times of every week.

use polars::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::effect::{Cycle, Effect, Effects, Estimate, Flag, effects};
use super::{Ask, Finding};
use crate::error::{Error, Result, suggestion};
use crate::panel::{Panel, Role};
use crate::show::words::counted;
use crate::show::{Table, number};
use crate::statistics::summary::quantile;

/// Options of `uplift`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Uplift {
    /// The covariate: a flag, on where it is true or above zero, or one of texts, each level relative to the most
    /// frequent.
    pub by: String,
    /// Rows of the table: series, or levels of a covariate of texts.
    pub top: usize,
}

impl Default for Uplift {
    fn default() -> Self {
        Self { by: String::new(), top: 10 }
    }
}

/// The most levels of a covariate of texts with an effect of their own; rarer ones are held fixed together.
const LEVELS: usize = 12;
/// The most flags that are held fixed.
const HELD: usize = 12;
/// A flag that is on in this share of another's steps is collinear with it.
const WITH: f64 = 0.9;
/// What an empty cell of a covariate of texts is called.
const EMPTY: &str = "(empty)";

/// The flags whose effects are asked for, their base level, and caveats on the choice.
struct Question {
    /// Those that are asked for first.
    flags: Vec<Flag>,
    asked: usize,
    base: Option<String>,
    caveats: Vec<String>,
}

impl Ask for Uplift {
    const NAME: &str = "uplift";
    const SUMMARY: &str = "The effect of a promotion or holiday on sales, weekday and season held fixed";
    const EXAMPLE: &str = "uplift(by=IsHoliday)";
    const ALSO: &str = "lift, promotion effect, promo effect, holiday effect";
    const SIMILAR: &[(&str, &str)] = &[
        (
            "promo, promotion, promotions, holiday, holidays, event, events",
            "uplift(by=NAME) for a column that says when it is on",
        ),
        (
            "correlation, correlations, price, prices, elasticity, weather, temperature, drivers, covariates, regressors",
            "uplift(by=NAME) for a column that is on or off; for numeric columns, `importance` of fits",
        ),
    ];

    /// The first covariates that are known in the future.
    fn first(panel: &Panel) -> Vec<Self> {
        let columns = panel.columns();
        columns.with_role(Role::Known).take(4).map(|by| Self { by: by.into(), ..Self::default() }).collect()
    }

    fn answer(&self, panel: &Panel) -> Result<Finding> {
        let Question { mut flags, asked, base, mut caveats } = self.asked(panel)?;
        let (held, with) = held(panel, &self.by, &flags)?;
        let names: Vec<String> = held.iter().map(|flag| format!("`{}`", flag.name)).collect();
        flags.extend(held);
        let found = effects(panel, &flags, asked)?;
        if !with.is_empty() {
            caveats.push(format!(
                "Not held fixed, because on at the same time as {} and so inseparable from it: {}.",
                self.by,
                with.join(", ")
            ));
        }
        let baseline = baseline(panel, &found, &names);
        let finding = match base {
            None => self.of_flag(panel, &flags[0].name, &found)?,
            Some(base) => self.of_levels(&flags, &base, &found)?,
        };
        let fixed = found.determined.iter().map(|cycle| {
            let (same, those) = match cycle {
                Cycle::Week => ("times of every week", "those times"),
                Cycle::Month => ("days of every month", "those days"),
                Cycle::Season => ("steps of every season", "those steps"),
            };
            format!(
                "{} is on at nearly the same {same}: it is compared with the steps around them, and its effect cannot be \
                 separated from that of {those}.",
                self.by
            )
        });
        let caveats = fixed.chain(caveats).chain([baseline]);
        Ok(caveats.fold(finding, |finding, caveat| finding.but(caveat)))
    }
}

impl Uplift {
    /// The flags of the covariate.
    fn asked(&self, panel: &Panel) -> Result<Question> {
        let matrix = panel.matrix()?;
        let of = |name: &str| matrix.names.iter().position(|known| known == name);
        let on = |c: usize| matrix.columns[c].iter().map(|x| f64::from(u8::from(*x > 0.0))).collect::<Vec<f64>>();
        let levels: Vec<usize> = (0..matrix.names.len())
            .filter(|c| matrix.sources[*c].0 == self.by && matrix.names[*c] != self.by)
            .collect();
        if levels.is_empty() {
            let c = of(&self.by).ok_or_else(|| {
                let sources = matrix.sources.iter().map(|(source, _)| source.as_str());
                let nearest = suggestion(&self.by, sources.chain(matrix.names.iter().map(String::as_str)));
                Error::usage(format!("uplift needs a covariate, by=NAME; there is no `{}`{nearest}", self.by))
            })?;
            self.varies(matrix.sources[c].1)?;
            let flag = Flag { name: self.by.clone(), on: on(c) };
            return Ok(Question { flags: vec![flag], asked: 1, base: None, caveats: Vec::new() });
        }
        self.varies(matrix.sources[levels[0]].1)?;
        let mut flags: Vec<Flag> =
            levels.iter().map(|c| Flag { name: matrix.names[*c][self.by.len() + 1..].into(), on: on(*c) }).collect();
        let empty: Vec<f64> =
            (0..panel.rows()).map(|row| f64::from(u8::from(flags.iter().all(|flag| flag.on[row] == 0.0)))).collect();
        if empty.contains(&1.0) {
            flags.push(Flag { name: EMPTY.into(), on: empty });
        }
        let size = |flag: &Flag| flag.on.iter().sum::<f64>();
        flags.sort_by(|a, b| size(b).total_cmp(&size(a)));
        let base = flags.remove(0).name;
        if flags.is_empty() {
            return Err(Error::data(format!(
                "`{}` is {base} on every step, so it has no effect that can be estimated",
                self.by
            )));
        }
        let rare = flags.split_off(flags.len().min(LEVELS));
        let (asked, mut caveats) = (flags.len(), Vec::new());
        if !rare.is_empty() {
            caveats.push(format!("Held fixed together, without an effect of their own: {} rarer levels.", rare.len()));
            let on = (0..panel.rows()).map(|row| rare.iter().map(|flag| flag.on[row]).sum::<f64>());
            flags.push(Flag { name: "the rarer levels".into(), on: on.collect() });
        }
        Ok(Question { flags, asked, base: Some(base), caveats })
    }

    fn varies(&self, role: Role) -> Result<()> {
        match role {
            Role::Fixed => Err(Error::data(format!(
                "`{}` has one value per series, so its effect cannot be separated from the level of the series",
                self.by
            ))),
            Role::Known | Role::Observed => Ok(()),
        }
    }

    fn of_flag(&self, panel: &Panel, name: &str, found: &Effects) -> Result<Finding> {
        let Effect { all, series } = &found.effects[0];
        let steps: usize = series.iter().map(|(_, _, steps)| steps).sum();
        if series.is_empty() {
            return Err(Error::data(format!("`{name}` is never on near steps where it is off")));
        }
        let mut rows = series.clone();
        rows.sort_by(|a, b| b.1.total_cmp(&a.1));
        let of_series: Vec<f64> = rows.iter().map(|row| percent(row.1)).collect();
        let at = |p: f64| quantile(&of_series, p).map(|uplift| (10.0 * uplift).round() / 10.0);
        let over = match rows.len() {
            1 => counted(steps, "step", "steps"),
            n => format!("{} of {} series", counted(steps, "step", "steps"), number(n as f64)),
        };
        let lead = if is_significant(all) { "sales are" } else { "sales show no significant effect:" };
        let mut sentence = format!(
            "With {name}, {lead} {} their baseline (95 % interval {}), over {over}",
            relative(all.value),
            interval(all)
        );
        if rows.len() >= 4 {
            sentence.push_str(&format!(
                "; the middle half of the series lies between {} and {}",
                signed(at(0.25)?),
                signed(at(0.75)?)
            ));
        }
        sentence.push('.');
        let all = rows.len();
        rows.truncate(self.top.max(1));
        let mut columns = panel.key_columns(rows.iter().map(|row| row.0))?;
        columns.push(Column::new("uplift %".into(), rows.iter().map(|row| percent(row.1)).collect::<Vec<_>>()));
        columns.push(Column::new("steps".into(), rows.iter().map(|row| row.2 as u64).collect::<Vec<_>>()));
        let table = Table::new(DataFrame::new(rows.len(), columns)?).titled(format!("Uplift with {name}")).of_rows(all);
        Ok(Finding::new(format!("The effect of {name}"), sentence, table))
    }

    fn of_levels(&self, flags: &[Flag], base: &str, found: &Effects) -> Result<Finding> {
        let mut rows: Vec<(&str, &Estimate, usize)> = flags
            .iter()
            .zip(&found.effects)
            .map(|(flag, effect)| {
                (flag.name.as_str(), &effect.all, effect.series.iter().map(|(_, _, steps)| steps).sum())
            })
            .collect();
        rows.sort_by(|a, b| b.1.value.total_cmp(&a.1.value));
        let clear: Vec<String> = rows
            .iter()
            .filter(|row| is_significant(row.1))
            .map(|(name, all, _)| format!("{name} {} (95 % interval {})", signed(percent(all.value)), interval(all)))
            .collect();
        let unclear: Vec<&str> = rows.iter().filter(|row| !is_significant(row.1)).map(|row| row.0).collect();
        let mut parts = Vec::new();
        if !clear.is_empty() {
            parts.push(clear.join("; "));
        }
        if !unclear.is_empty() {
            parts.push(format!("no significant effect of {}", unclear.join(", ")));
        }
        let sentence = format!("Effect of {} on sales compared with {base}: {}.", self.by, parts.join("; "));
        let all = rows.len();
        rows.truncate(self.top.max(1));
        let of = |pick: &dyn Fn(&Estimate) -> f64| rows.iter().map(|row| percent(pick(row.1))).collect::<Vec<_>>();
        let columns = vec![
            Column::new(self.by.as_str().into(), rows.iter().map(|row| row.0).collect::<Vec<_>>()),
            Column::new("uplift %".into(), of(&|e| e.value)),
            Column::new("from %".into(), of(&|e| e.low)),
            Column::new("to %".into(), of(&|e| e.high)),
            Column::new("steps".into(), rows.iter().map(|row| row.2 as u64).collect::<Vec<_>>()),
        ];
        let table =
            Table::new(DataFrame::new(rows.len(), columns)?).titled(format!("Uplift by {}", self.by)).of_rows(all);
        Ok(Finding::new(format!("The effect of {}", self.by), sentence, table))
    }
}

/// The other known flags that are held fixed, and the names of those that are collinear with the flags asked for.
fn held(panel: &Panel, by: &str, asked: &[Flag]) -> Result<(Vec<Flag>, Vec<String>)> {
    let matrix = panel.matrix()?;
    let source = by.split_once('=').map_or(by, |(source, _)| source);
    let with = |a: &[f64], b: &[f64]| {
        let both = a.iter().zip(b).filter(|(a, b)| **a > 0.0 && **b > 0.0).count() as f64;
        both / a.iter().filter(|a| **a > 0.0).count().max(1) as f64
    };
    let (mut held, mut together): (Vec<Flag>, Vec<String>) = (Vec::new(), Vec::new());
    for (c, (of, role)) in matrix.sources.iter().enumerate() {
        let column = &matrix.columns[c];
        let flag = *role == Role::Known && column.iter().all(|x| x.is_nan() || *x == 0.0 || *x == 1.0);
        let size = column.iter().filter(|x| **x > 0.0).count();
        // A level that is on more often than off is a base level.
        if !flag || of == by || of == source || size == 0 || 2 * size > column.len() {
            continue;
        }
        let on: Vec<f64> = column.iter().map(|x| f64::from(u8::from(*x > 0.0))).collect();
        // A flag that contains the one asked for, or most of it, is the same thing by another name.
        if asked
            .iter()
            .any(|flag| with(&flag.on, &on) >= WITH || (with(&on, &flag.on) >= WITH && with(&flag.on, &on) >= 0.5))
        {
            together.push(format!("`{}`", matrix.names[c]))
        } else {
            held.push(Flag { name: matrix.names[c].clone(), on })
        }
    }
    held.sort_by_key(|flag| std::cmp::Reverse(flag.on.iter().filter(|on| **on > 0.0).count()));
    held.truncate(HELD);
    Ok((held, together))
}

/// The caveat on what the baseline is.
fn baseline(panel: &Panel, found: &Effects, held: &[String]) -> String {
    let noun = panel.frequency().noun();
    let mut fixed: Vec<String> = found
        .held
        .iter()
        .map(|cycle| match cycle {
            Cycle::Week if noun == "day" => "the weekday".to_string(),
            Cycle::Week => "the hour of the week".into(),
            Cycle::Month => "the day of the month".into(),
            Cycle::Season => format!("the {noun} of the season"),
        })
        .collect();
    fixed.extend(held.iter().cloned());
    let fixed = if fixed.is_empty() { String::new() } else { format!(", with {} held fixed", fixed.join(", ")) };
    format!(
        "The baseline is the level of sales in the {} {noun}s before and after{fixed}. The effect is an association, not \
         proof of cause: it includes whatever else happened on those dates.",
        found.reach
    )
}

fn percent(share: f64) -> f64 {
    (1000.0 * share).round() / 10.0
}

fn signed(percent: f64) -> String {
    format!("{}{} %", if percent < 0.0 { "−" } else { "+" }, number(percent.abs()))
}

fn interval(estimate: &Estimate) -> String {
    format!("{} to {}", signed(percent(estimate.low)), signed(percent(estimate.high)))
}

/// Does the interval exclude zero, as printed?
fn is_significant(estimate: &Estimate) -> bool {
    percent(estimate.low) > 0.0 || percent(estimate.high) < 0.0
}

fn relative(share: f64) -> String {
    match percent(share) {
        0.0 => "at".into(),
        p if p > 0.0 => format!("{} % above", number(p)),
        p => format!("{} % below", number(-p)),
    }
}
