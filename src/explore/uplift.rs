//! What do sales do when a promotion or holiday is on? The effect by three methods, what it is worth, and what of it is
//! borrowed from the time around.
//!
//! **Regression.** The baseline of a step is what it would have sold without the flag: the local level and trend of its
//! series, times the seasonal index of its weekday (hour of the week, month), and of its day of the month. The other known
//! flags, such as holidays, are held fixed. `effect` has the formulas, and how the interval allows for autocorrelation
//! and for shocks that all series share. An effect whose interval contains zero is not significant. If sales just before
//! or just after the runs are below the baseline (5 %), these steps are held fixed as well, so that the baseline is not
//! that of a time from which sales were borrowed.
//!
//! **Two other methods**, `matched` and `counterfactual`, judge the same steps by other baselines. They agree unless the
//! largest difference between two of the three is both larger than its own standard error allows (5 %, after Bonferroni;
//! from the difference of their scores date by date) and larger than a tenth of the effect. The p-value is that of the
//! regression, or the largest of the three where they do not agree. `placebo` moves the flag to other dates; `spill` has the effect before, after and on other series.
//!
//! **Money.** The effect times the sum of the baseline over the steps with the flag, per year of history.
//!
//! A covariate of numbers or booleans is a flag: on where it is true or above zero, off elsewhere, also where it is
//! missing. A covariate of texts has an effect for each of its levels relative to the base level, the most frequent
//! one; empty cells are a level of their own. A flag that is on for long stretches has no baseline nearby, and is
//! refused, as is one that is on at the same times of every week, at every step or never, or whenever another flag is and
//! only then. One occasion cannot tell an effect from chance: it is described, without an interval.

mod each;

pub(crate) use each::Measured;
use polars::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::effect::{Effect, Effects, Flag, effects};
use super::matched::{MOST, Method, cleaned, spread};
use super::placebo;
use super::spill::{self, Windows};
use super::steady::at_steady_price;
use super::within::Cycle;
use super::{Ask, Finding};
use crate::error::{Error, Result, suggestion};
use crate::figures::{Around, Intervals};
use crate::panel::{Panel, Role, order};
use crate::show::words::{amount, counted, listed};
use crate::show::{Claim, Placebo, Table, number};
use crate::statistics::summary::quantile;
use crate::statistics::{Estimate, check_level, of_scores};

/// Options of `uplift`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Uplift {
    /// The covariate: a flag, on where it is true or above zero, or one of texts, each level relative to the most
    /// frequent.
    pub by: String,
    /// Rows of the table: series, or levels of a covariate of texts.
    pub top: usize,
    /// The probability of the intervals.
    pub level: f64,
    /// The most series to estimate on, spread by size; 0 for all.
    pub series: usize,
}

impl Default for Uplift {
    fn default() -> Self {
        Self { by: String::new(), top: 10, level: 0.95, series: 0 }
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

/// Two flags that share more than this of the steps of each are on together.
const SAME: f64 = 0.95;
/// Series in which the effect before, after and elsewhere is estimated.
const SAMPLE: usize = 100;
/// Steps around a run are held fixed if sales there are lower at this level, and methods differ at it.
const DIFFERS: f64 = 0.05;
/// A difference between methods below this share of the effect does not matter.
const SLIGHT: f64 = 0.1;
/// The most flags of a tour, and the share of steps at which a number is zero or missing that makes it one.
const TOUR: usize = 8;
/// The most levels of a covariate of texts in a tour, and the most series that it estimates on.
const TOLD: usize = 4;
const TOURED: usize = 200;
/// A flag at which less than this share of the usual is sold, on or off, says when a shop is closed.
const CLOSED: f64 = 0.1;
const SPARSE: f64 = 0.3;

/// Does a column say when nothing can be sold?
fn closes(panel: &Panel, by: &str) -> bool {
    let Ok(matrix) = panel.matrix() else { return false };
    let Some(c) = matrix.names.iter().position(|name| name == by) else { return false };
    let (mut on, mut off) = ((0.0, 0.0), (0.0, 0.0));
    let column = &matrix.columns[c];
    for i in 0..panel.len() {
        for (flag, y) in panel.column_of(i, column).iter().zip(panel.target(i)).filter(|(_, y)| !y.is_nan()) {
            let sum = if *flag > 0.0 { &mut on } else { &mut off };
            *sum = (sum.0 + y, sum.1 + 1.0);
        }
    }
    let mean = |(sum, n): (f64, f64)| if n > 0.0 { sum / n } else { f64::NAN };
    let (on, off) = (mean(on), mean(off));
    on < CLOSED * off || off < CLOSED * on
}

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
    const ALSO: &str = "lift, promotion effect, promo effect";
    const SIMILAR: &[(&str, &str)] =
        &[("promo, promotion, promotions, event, events", "uplift(by=NAME) for a column that says when it is on")];

    /// The first covariates that are known in the future.
    fn first(panel: &Panel) -> Vec<Self> {
        let columns = panel.columns();
        columns.with_role(Role::Known).take(4).map(|by| Self { by: by.into(), ..Self::default() }).collect()
    }

    /// Known covariates that look like flags or sparse promotions.
    fn tour(panel: &Panel) -> Vec<Self> {
        let Ok(matrix) = panel.matrix() else { return Vec::new() };
        let looks = |by: &&str| {
            let mut of = (0..matrix.names.len()).filter(|c| matrix.sources[*c].0 == **by).peekable();
            let Some(c) = of.peek().copied() else { return false };
            if matrix.names[c] != **by {
                return of.count() <= TOLD;
            }
            let column = &matrix.columns[c];
            let on = column.iter().filter(|x| **x > 0.0).count();
            let sparse = (column.len() - on) as f64 >= SPARSE * column.len() as f64;
            on > 0
                && on < column.len()
                && column.iter().all(|x| x.is_nan() || *x >= 0.0)
                && (sparse || column.iter().all(|x| x.is_nan() || *x == 0.0 || *x == 1.0))
        };
        let columns = panel.columns();
        let known = columns.with_role(Role::Known).filter(looks).filter(|by| !closes(panel, by)).take(TOUR);
        known
            .map(|by| Self { by: by.into(), series: if panel.len() > TOURED { TOURED } else { 0 }, ..Self::default() })
            .collect()
    }

    fn check(&self) -> Result<()> {
        check_level(self.level)
    }

    fn answer(&self, panel: &Panel) -> Result<Finding> {
        let (whole, times) = (panel, self.sampled(panel)?);
        let (panel, times) = times.as_ref().map_or((whole, 1.0), |(panel, times)| (panel, *times));
        let Question { mut flags, asked, base, mut caveats } = self.asked(panel)?;
        let steady = at_steady_price(panel, &flags[..asked])?;
        let panel = steady.as_ref().map_or(panel, |steady| &steady.panel);
        caveats.extend(steady.as_ref().map(|steady| steady.told(&flags[..asked])));
        if panel.len() < whole.len() {
            caveats.push(format!(
                "Estimated on {} of {} series, spread by size; money is scaled to the sales of all.",
                number(panel.len() as f64),
                number(whole.len() as f64)
            ));
        }
        let Held { held, together, same } = held(panel, &self.by, &flags)?;
        if let (Some(same), None) = (same, &base) {
            return Err(Error::data(format!(
                "`{}` is on only when `{same}` is, so their effects cannot be separated",
                self.by
            )));
        }
        let names: Vec<String> = held.iter().map(|flag| format!("`{}`", flag.name)).collect();
        flags.extend(held);
        let windows = Windows::of(panel);
        let plain = effects(panel, &flags, asked)?;
        let beside = if base.is_none() { beside(panel, &flags, &windows)? } else { Beside::default() };
        caveats.extend(beside.notes.iter().cloned());
        let mut wider: Vec<Flag> = Vec::new();
        if !beside.fixed.is_empty() {
            let around = spill::around(panel, &flags[0], &windows).into_iter().flatten().enumerate();
            let around = around.filter(|(side, _)| beside.fixed.contains(side)).map(|(_, flag)| flag);
            wider.extend(around);
            let (first, rest) = flags.split_at(1);
            let all = first.iter().cloned().chain(wider).chain(rest.iter().cloned());
            wider = all.collect();
        }
        // With steps around the runs held fixed, unless that leaves too little.
        let fixed = if wider.is_empty() { None } else { effects(panel, &wider, asked).ok() };
        let extra: Vec<usize> = if fixed.is_some() { (1..=beside.fixed.len()).collect() } else { Vec::new() };
        let mut found = fixed.unwrap_or(plain);
        found.effects.iter_mut().for_each(|effect| effect.baseline *= times);
        if !together.is_empty() {
            caveats.push(format!(
                "Not held fixed, because on at the same time as {} and so inseparable from it: {}.",
                self.by,
                together.join(", ")
            ));
        }
        let names: Vec<String> =
            extra.iter().map(|j| found.setting.flags[*j].name.clone()).chain(names.iter().cloned()).collect();
        let baseline = baseline(panel, &found, &names);
        let finding = match base {
            None => self.of_flag(panel, &found, &windows, &beside, &extra)?,
            Some(base) => self.of_levels(panel, asked, &base, &found, &windows)?,
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

/// The effect of a flag by three methods.
struct Judged {
    /// The regression first; the others where they can be had.
    methods: Vec<Method>,
    /// Do they agree? Nothing if there is only one.
    agree: Option<bool>,
    /// The p-value of the regression, or the largest of the three where they do not agree; 1 for one occasion.
    p: f64,
    /// The only date with the flag.
    once: Option<String>,
    /// What the sum of the baseline over the steps with the flag is in a year; NaN without years.
    yearly: f64,
}

impl Judged {
    fn of(panel: &Panel, found: &Effects, k: usize, windows: &Windows) -> Result<Self> {
        let effect = &found.effects[k];
        let once = once(panel, &found.setting.flags[k]);
        let own = Method { name: "regression with controls", all: effect.all, scores: effect.scores.clone() };
        let cleaned = cleaned(found, k, (windows.before, windows.after))?;
        let others = [cleaned.matched(effect.runs), cleaned.counterfactual(effect.runs)];
        let methods: Vec<Method> = [own].into_iter().chain(others.into_iter().flatten()).collect();
        let most = (effect.runs as f64 - 1.0).max(1.0);
        let pairs = (0..methods.len()).flat_map(|a| (0..a).map(move |b| (a, b)));
        let apart = pairs.map(|(a, b)| {
            let (a, b) = (&methods[a], &methods[b]);
            let scores: Vec<f64> = a.scores.iter().zip(&b.scores).map(|(a, b)| a - b).collect();
            of_scores(a.all.value - b.all.value, &scores, most, Some(found.setting.controls.memory()))
        });
        let apart: Vec<Estimate> = apart.collect();
        let large = SLIGHT * methods.iter().map(|method| method.all.value.abs()).fold(0.1, f64::max);
        let differ = |apart: &Estimate| apart.p_value() * 3.0 < DIFFERS && apart.value.abs() > large;
        let agree = (!apart.is_empty()).then(|| !apart.iter().any(differ));
        // Methods that agree are one piece of evidence, the interval's; those that do not are as sure as the least sure one.
        let judged = if agree == Some(false) { methods.len() } else { 1 };
        let p = methods[..judged].iter().map(|method| method.all.p_value()).fold(0.0, f64::max);
        let p = if once.is_some() { 1.0 } else { p };
        Ok(Self { agree, p, once, yearly: years(panel).map_or(f64::NAN, |years| effect.baseline / years), methods })
    }

    fn regression(&self) -> &Estimate {
        &self.methods[0].all
    }

    /// The effect in units of sales a year; NaN without years.
    fn money(&self) -> f64 {
        self.regression().value * self.yearly
    }

    fn range(&self) -> (String, String) {
        let values = self.methods.iter().map(|method| percent(method.all.value));
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
        (signed(low), signed(high))
    }

    fn sure(&self, name: &str) -> Vec<String> {
        if self.once.is_some() {
            return vec![format!("{name} was on once, and one occasion cannot tell its effect from chance.")];
        }
        let count = match self.methods.len() {
            3 => "The three methods",
            _ => "The two methods that the data allow",
        };
        let (low, high) = self.range();
        let agreement = match self.agree {
            None => "Only one method can be used, so nothing confirms the estimate.".to_string(),
            Some(true) => format!("{count} agree on {name}: between {low} and {high}."),
            Some(false) => format!(
                "{count} do not agree on {name}: between {low} and {high}, so the effect is not well identified."
            ),
        };
        vec![agreement]
    }

    /// What the sentence adds where methods do not confirm the regression.
    fn doubt(&self, significant: bool, level: f64) -> Option<String> {
        let (low, high) = self.range();
        match self.agree {
            _ if self.once.is_some() => None,
            Some(false) => Some(format!(
                "; the methods do not agree (between {low} and {high}), so the effect is not well identified"
            )),
            Some(true) if significant && self.p > 1.0 - level => Some("; not every method confirms it".into()),
            _ => None,
        }
    }
}

/// The effect beside the flag's own steps.
#[derive(Default)]
struct Beside {
    /// Where, the effect there, what it is worth relative to the baseline of the flag's own steps.
    rows: Vec<(String, Estimate, f64)>,
    /// Steps before (0) and after (1) at which sales differ from the baseline.
    fixed: Vec<usize>,
    notes: Vec<String>,
}

impl Beside {
    /// Each is a hypothesis of its own.
    fn claims(&self, name: &str, yearly: f64, level: f64) -> Vec<Claim> {
        let claim = |(place, effect, share): &(String, Estimate, f64)| {
            let significant = is_significant(effect, level);
            let worth = effect.value * share * yearly;
            let less = if worth < 0.0 { " less" } else { "" };
            let about = match significant && worth.is_finite() {
                true => format!(", about {}{less} a year", amount(worth)),
                false => String::new(),
            };
            let lead = if significant { "sales are" } else { "sales show no significant effect:" };
            Claim {
                about: format!("{name}, {place}"),
                sentence: format!(
                    "{} {lead} {} their baseline ({} % interval {}){about}.",
                    if place.starts_with("other") {
                        format!("While {name} is on in some series, in {place}")
                    } else {
                        format!("In {place} {name},")
                    },
                    relative(effect.value),
                    number(100.0 * level),
                    interval(effect, level)
                ),
                estimate: effect.times(100.0),
                p: effect.p_value(),
                money: worth,
                placebo: None,
                again: true,
                unit: "%",
            }
        };
        self.rows.iter().map(claim).collect()
    }
}

/// The effect before, after and on other series, from at most [`SAMPLE`] series.
fn beside(panel: &Panel, flags: &[Flag], windows: &Windows) -> Result<Beside> {
    let name = &flags[0].name;
    let with = |i: usize| panel.column_of(i, &flags[0].on).iter().any(|on| *on > 0.0);
    let mut beside = Beside::default();
    let sample = sample(panel, &with)?;
    let part = if sample.iter().all(|kept| *kept) { panel.clone() } else { panel.with_series(&sample)? };
    let cut = |flag: &Flag| {
        let kept = (0..panel.len()).filter(|i| sample[*i]);
        let on = kept.flat_map(|i| panel.column_of(i, &flag.on).iter().copied()).collect();
        Flag { name: flag.name.clone(), on }
    };
    let cuts: Vec<Flag> = flags.iter().map(cut).collect();
    let with = |more: Vec<Flag>| -> Result<Option<Vec<(String, Estimate, f64)>>> {
        let asked = 1 + more.len();
        let all: Vec<Flag> = cuts[..1].iter().cloned().chain(more).chain(cuts[1..].iter().cloned()).collect();
        match effects(&part, &all, asked) {
            Ok(found) => Ok(Some(
                (1..asked)
                    .map(|k| {
                        let effect = &found.effects[k];
                        (all[k].name.clone(), effect.all, effect.baseline / found.effects[0].baseline)
                    })
                    .collect(),
            )),
            Err(error) if error.is_interrupted() => Err(error),
            Err(_) => Ok(None),
        }
    };
    let around = spill::around(&part, &cuts[0], windows);
    let found = match around {
        Some(around) => with(around.into())?,
        None => None,
    };
    match found {
        Some(rows) => {
            beside.fixed =
                (0..2).filter(|side| rows[*side].1.value < 0.0 && rows[*side].1.p_value() < DIFFERS).collect();
            beside.rows.extend(rows);
        }
        None => beside.notes.push(format!(
            "Whether {name} borrows sales from {} and {} cannot be told: too few steps lie outside them.",
            windows.names[0], windows.names[1]
        )),
    }
    if panel.len() > 1 {
        let found = match spill::elsewhere(&part, &cuts[0])? {
            Some(flag) => with(vec![flag])?,
            None => None,
        };
        match found {
            Some(rows) => beside.rows.extend(rows),
            None => beside.notes.push(format!(
                "Whether {name} takes sales from other series cannot be told: it is on in nearly all of them at the same \
                 time, or too seldom in some alone."
            )),
        }
    }
    Ok(beside)
}

/// Whole groups of the first of several keys, or series spread by size: at most [`SAMPLE`] series.
fn sample(panel: &Panel, with: &dyn Fn(usize) -> bool) -> Result<Vec<bool>> {
    if panel.len() <= SAMPLE {
        return Ok(vec![true; panel.len()]);
    }
    let keys = panel.columns().keys();
    let groups = match keys.as_slice() {
        [parent, _, ..] => panel.attribute(parent)?,
        _ => None,
    };
    if let Some(groups) = groups {
        let mut names: Vec<&String> = groups.iter().collect();
        names.sort();
        names.dedup();
        let few = (names.len() * SAMPLE / panel.len()).max(1);
        let kept: Vec<&String> = (0..few).map(|k| names[(2 * k + 1) * names.len() / (2 * few)]).collect();
        let sample: Vec<bool> = groups.iter().map(|group| kept.contains(&group)).collect();
        if sample.iter().filter(|kept| **kept).count() <= 2 * SAMPLE {
            return Ok(sample);
        }
    }
    let weights: Vec<f64> = (0..panel.len()).map(|i| f64::from(u8::from(with(i)))).collect();
    let size = |i: usize| panel.target(i).iter().filter(|y| !y.is_nan()).sum::<f64>();
    let mut sample = vec![false; panel.len()];
    spread(&weights, &size, SAMPLE).into_iter().for_each(|i| sample[i] = true);
    Ok(sample)
}

/// The date of a flag that is on only once in all series together, even if not on the same days.
fn once(panel: &Panel, flag: &Flag) -> Option<String> {
    let mut all: Vec<i64> = Vec::new();
    let mut longest = 0;
    for i in 0..panel.len() {
        let on = panel.column_of(i, &flag.on);
        let with = panel.positions(i).iter().zip(on).filter(|(_, on)| **on > 0.0).map(|(position, _)| *position);
        let own: Vec<i64> = with.collect();
        if own.chunk_by(|a, b| a + 1 == *b).count() > 1 {
            return None;
        }
        longest = longest.max(own.len());
        all.extend(own);
        if all.len() > 1 << 16 {
            all.sort_unstable();
            all.dedup();
        }
    }
    all.sort_unstable();
    all.dedup();
    let (first, last) = (*all.first()?, *all.last()?);
    let one = all.windows(2).all(|pair| pair[0] + 1 == pair[1]) && all.len() <= 2 * longest;
    let label = |position| panel.inner().calendar.label(position);
    one.then(|| if first == last { label(first) } else { format!("{} to {}", label(first), label(last)) })
}

/// Years from the first step to the last; none where steps are not times.
fn years(panel: &Panel) -> Option<f64> {
    let (first, last) = panel.extent()?;
    panel.frequency().a_year().map(|year| (last - first + 1) as f64 / year)
}

impl Uplift {
    /// Some of the series, spread by size, and by how much all sell more than these; nothing where all take part.
    fn sampled(&self, panel: &Panel) -> Result<Option<(Panel, f64)>> {
        if self.series == 0 || panel.len() <= self.series {
            return Ok(None);
        }
        let sum = |i: usize| panel.target(i).iter().filter(|y| !y.is_nan()).sum::<f64>();
        let sums: Vec<f64> = (0..panel.len()).map(sum).collect();
        let mut order = order::by_content(panel)?;
        order.sort_by(|a, b| sums[*b].total_cmp(&sums[*a]));
        let mut kept = vec![false; panel.len()];
        (0..self.series).for_each(|place| kept[order[place * order.len() / self.series]] = true);
        let all: f64 = sums.iter().sum();
        let some: f64 = sums.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(sum, _)| sum).sum();
        let times = if some > 0.0 { all / some } else { 1.0 };
        Ok(Some((panel.with_series(&kept)?, times)))
    }

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
            if flag.on.iter().all(|on| *on == 0.0) {
                return Err(Error::data(format!(
                    "`{}` is never on, so it has no effect that can be estimated",
                    self.by
                )));
            }
            if flag.on.iter().all(|on| *on > 0.0) {
                return Err(Error::data(format!(
                    "`{}` is on at every step, so there is nothing to compare it with",
                    self.by
                )));
            }
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

    fn of_flag(
        &self,
        panel: &Panel,
        found: &Effects,
        windows: &Windows,
        beside: &Beside,
        extra: &[usize],
    ) -> Result<Finding> {
        let name = &found.setting.flags[0].name;
        let Effect { all, series, .. } = &found.effects[0];
        let steps: usize = series.iter().map(|(_, _, steps)| steps).sum();
        if series.is_empty() {
            return Err(Error::data(format!("`{name}` is never on near steps where it is off")));
        }
        let judged = Judged::of(panel, found, 0, windows)?;
        let mut rows = series.clone();
        rows.sort_by(|a, b| b.1.total_cmp(&a.1));
        let of_series: Vec<f64> = rows.iter().map(|row| percent(row.1)).collect();
        let at = |p: f64| quantile(&of_series, p).map(|uplift| (10.0 * uplift).round() / 10.0);
        let over = match rows.len() {
            1 => counted(steps, "step", "steps"),
            n => format!("{} of {} series", counted(steps, "step", "steps"), number(n as f64)),
        };
        let significant = is_significant(all, self.level) && judged.once.is_none();
        let lead = if significant { "sales are" } else { "sales show no significant effect:" };
        let head = match &judged.once {
            Some(date) => format!(
                "With {name}, sales were about {} their baseline on the one occasion ({date}), and one occasion cannot tell \
                 the effect from chance",
                relative(all.value)
            ),
            None => format!(
                "With {name}, {lead} {} their baseline ({} % interval {})",
                relative(all.value),
                number(100.0 * self.level),
                interval(all, self.level)
            ),
        };
        let worth = judged.money();
        let less = if worth < 0.0 { " less" } else { "" };
        let mut worth = match significant && worth.is_finite() && worth != 0.0 {
            true => format!(", about {}{less} a year", amount(worth)),
            false => String::new(),
        };
        if significant && all.value > 0.0 {
            let lost: Vec<String> = (beside.rows.iter().enumerate())
                .filter(|(side, row)| beside.fixed.contains(side) && row.1.value < 0.0)
                .filter(|(_, row)| (row.1.value * row.2 * judged.yearly).is_finite())
                .map(|(_, (place, effect, share))| {
                    format!("{} of it is borrowed from {place}", amount(effect.value * share * judged.yearly))
                })
                .collect();
            if !lost.is_empty() {
                worth.push_str(&format!("; {}", lost.join(" and ")));
            }
        }
        if let Some(doubt) = judged.doubt(significant, self.level) {
            worth.push_str(&doubt);
        }
        let mut sentence = format!("{head}, over {over}{worth}");
        if rows.len() >= 4 {
            sentence.push_str(&format!(
                "; the middle half of the series lies between {} and {}",
                signed(at(0.25)?),
                signed(at(0.75)?)
            ));
        }
        sentence.push('.');
        let count = rows.len();
        rows.truncate(self.top.max(1));
        let mut columns = panel.key_columns(rows.iter().map(|row| row.0))?;
        columns.push(Column::new("uplift %".into(), rows.iter().map(|row| percent(row.1)).collect::<Vec<_>>()));
        columns.push(Column::new("steps".into(), rows.iter().map(|row| row.2 as u64).collect::<Vec<_>>()));
        let table =
            Table::new(DataFrame::new(rows.len(), columns)?).titled(format!("Uplift with {name}")).of_rows(count);
        let elsewhere = placebo::elsewhere(found, 0, windows, extra)?;
        let placebo = Placebo::of(all.value, &elsewhere.placebos);
        let claim = Claim {
            about: name.clone(),
            sentence: format!("{head}{worth}."),
            estimate: all.times(100.0),
            p: judged.p,
            money: judged.money(),
            placebo: placebo.map(|placebo| Placebo { typical: 100.0 * placebo.typical, ..placebo }),
            again: true,
            unit: "%",
        };
        let mut lines: Vec<Line> = judged.lines(None, self.level);
        if let Some(placebo) = placebo {
            let moved = |p: f64| quantile(&elsewhere.placebos, p).map(percent);
            lines.push(Line {
                of: None,
                method: format!("on {} other dates (mean size)", number(placebo.tried as f64)),
                uplift: percent(placebo.typical),
                ends: Some((moved((1.0 - self.level) / 2.0)?, moved((1.0 + self.level) / 2.0)?)),
                worth: f64::NAN,
            });
        }
        let headline = match significant {
            true => format!("With {name}, sales are {} their usual level", relative(all.value)),
            false => format!("{name} has no clear effect on sales"),
        };
        let mut finding = Finding::new(format!("The effect of {name}"), sentence, table)
            .headed(signed(percent(all.value)), headline)
            .and(table_of("method", &lines)?.titled(format!("The effect of {name} by method")))
            .claiming([claim].into_iter().chain(beside.claims(name, judged.yearly, self.level)).collect());
        if !beside.rows.is_empty() {
            let lines: Vec<Line> = beside
                .rows
                .iter()
                .map(|(place, effect, share)| Line::of(place, effect, self.level, share * judged.yearly))
                .collect();
            finding = finding.and(table_of("where", &lines)?.titled(format!("Sales around {name}")));
        }
        for sure in judged.sure(name) {
            finding = finding.sure_by(sure);
        }
        if let Some(placebo) = placebo {
            finding = finding.sure_by(format!(
                "Moved to {}, the same flag gives as large an effect in {} %.",
                counted(placebo.tried, "other date", "other dates"),
                number((100.0 * placebo.as_large as f64 / placebo.tried as f64).round())
            ));
        }
        if let Some(note) = sampled(found) {
            finding = finding.but(note);
        }
        let noun = panel.frequency().noun();
        let steps: Vec<(i64, f64, f64, f64)> = elsewhere
            .around
            .iter()
            .map(|(step, effect)| {
                let (low, high) = bounds(effect, self.level);
                (*step, 100.0 * effect.value, 100.0 * low, 100.0 * high)
            })
            .collect();
        let figure = if steps.len() > 2 && judged.once.is_none() {
            Around {
                title: format!("Sales around {name}"),
                value: "difference from the baseline, %".into(),
                foot: format!(
                    "{noun}s from the start of a run of {}",
                    counted(elsewhere.length, noun, &format!("{noun}s"))
                ),
                effects: steps,
                placebo: placebo.map(|placebo| 100.0 * placebo.typical),
            }
            .figure()
        } else {
            figure_of(format!("The effect of {name} by method"), &judged.lines(None, self.level), self.level)
        };
        Ok(finding.drawn(figure))
    }

    fn of_levels(
        &self,
        panel: &Panel,
        asked: usize,
        base: &str,
        found: &Effects,
        windows: &Windows,
    ) -> Result<Finding> {
        struct Row<'a> {
            name: &'a str,
            all: Estimate,
            steps: usize,
            judged: Judged,
            k: usize,
        }
        let mut rows: Vec<Row> = Vec::new();
        for (k, effect) in found.effects[..asked].iter().enumerate() {
            let judged = Judged::of(panel, found, k, windows)?;
            let steps = effect.series.iter().map(|(_, _, steps)| steps).sum();
            rows.push(Row { name: &found.setting.flags[k].name, all: effect.all, steps, judged, k });
        }
        rows.sort_by(|a, b| b.all.value.total_cmp(&a.all.value));
        let level = number(100.0 * self.level);
        let clear = |row: &Row| row.judged.once.is_none() && is_significant(&row.all, self.level);
        let effect_of = |row: &Row| {
            let (all, worth) = (&row.all, row.judged.money());
            let less = if worth < 0.0 { " less" } else { "" };
            let worth = match worth.is_finite() && clear(row) {
                true => format!(", about {}{less} a year", amount(worth)),
                false => String::new(),
            };
            let doubt = row.judged.doubt(clear(row), self.level).unwrap_or_default().replacen(';', ",", 1);
            let uplift = signed(percent(all.value));
            format!("{uplift} ({level} % interval {}{worth}{doubt})", interval(all, self.level))
        };
        let known: Vec<String> =
            rows.iter().filter(|row| clear(row)).map(|row| format!("{} {}", row.name, effect_of(row))).collect();
        let unclear: Vec<&str> = rows.iter().filter(|row| !clear(row)).map(|row| row.name).collect();
        let mut parts = Vec::new();
        if !known.is_empty() {
            parts.push(known.join("; "));
        }
        if !unclear.is_empty() {
            parts.push(format!("no significant effect of {}", unclear.join(", ")));
        }
        let sentence = format!("Effect of {} on sales compared with {base}: {}.", self.by, parts.join("; "));
        let mut claims = Vec::new();
        for row in &rows {
            let (name, by, judged) = (row.name, &self.by, &row.judged);
            let sentence = match (&judged.once, clear(row)) {
                (Some(date), _) => format!(
                    "With {by} {name}, sales were about {} those with {base} on the one occasion ({date}), which cannot tell \
                     the effect from chance.",
                    relative(row.all.value)
                ),
                (None, true) => {
                    format!("With {by} {name} instead of {base}, sales change by {}.", effect_of(row))
                }
                (None, false) => {
                    format!("With {by} {name} instead of {base}, sales show no significant change: {}.", effect_of(row))
                }
            };
            let elsewhere = placebo::elsewhere(found, row.k, windows, &[])?;
            let placebo = Placebo::of(row.all.value, &elsewhere.placebos);
            claims.push(Claim {
                about: format!("{by}={name}"),
                sentence,
                estimate: row.all.times(100.0),
                p: judged.p,
                money: judged.money(),
                placebo: placebo.map(|placebo| Placebo { typical: 100.0 * placebo.typical, ..placebo }),
                again: true,
                unit: "%",
            });
        }
        let lines: Vec<Line> = rows.iter().flat_map(|row| row.judged.lines(Some(row.name), self.level)).collect();
        let apart: Vec<&str> = rows.iter().filter(|row| row.judged.agree == Some(false)).map(|row| row.name).collect();
        let agreement = match apart.as_slice() {
            [] => "The methods agree on every level.".to_string(),
            some => {
                format!("The methods do not agree on {}, so their effects are not well identified.", listed(some, 5))
            }
        };
        let moved: Vec<String> = (rows.iter().zip(&claims))
            .filter(|(row, _)| clear(row))
            .filter_map(|(row, claim)| {
                let placebo = claim.placebo?;
                let share = (100.0 * placebo.as_large as f64 / placebo.tried as f64).round();
                Some(format!("{} in {} % of {}", row.name, number(share), number(placebo.tried as f64)))
            })
            .collect();
        let figure = Intervals {
            title: format!("The effect of {}", self.by),
            value: format!("sales compared with {base}, %"),
            level: self.level,
            rows: rows
                .iter()
                .map(|row| {
                    let (low, high) = match row.judged.once {
                        None => bounds(&row.all, self.level),
                        Some(_) => (f64::NAN, f64::NAN),
                    };
                    (row.name.to_string(), percent(row.all.value), percent(low), percent(high))
                })
                .collect(),
            sides: ("less".into(), "more".into()),
        };
        let all = rows.len();
        rows.truncate(self.top.max(1));
        let of = |pick: &dyn Fn(&Estimate) -> f64| rows.iter().map(|row| percent(pick(&row.all))).collect::<Vec<_>>();
        // One occasion has no interval.
        let ends = |pick: &dyn Fn((f64, f64)) -> f64| {
            let end = |row: &Row| row.judged.once.is_none().then(|| percent(pick(bounds(&row.all, self.level))));
            rows.iter().map(end).collect::<Vec<Option<f64>>>()
        };
        let columns = vec![
            Column::new(self.by.as_str().into(), rows.iter().map(|row| row.name).collect::<Vec<_>>()),
            Column::new("uplift %".into(), of(&|e| e.value)),
            Column::new("from %".into(), ends(&|ends| ends.0)),
            Column::new("to %".into(), ends(&|ends| ends.1)),
            Column::new("steps".into(), rows.iter().map(|row| row.steps as u64).collect::<Vec<_>>()),
        ];
        let table =
            Table::new(DataFrame::new(rows.len(), columns)?).titled(format!("Uplift by {}", self.by)).of_rows(all);
        let mut finding = Finding::new(format!("The effect of {}", self.by), sentence, table)
            .and(table_of("method", &lines)?.titled(format!("The effect of {} by method", self.by)))
            .drawn(figure.figure())
            .claiming(claims)
            .sure_by(agreement);
        if !moved.is_empty() {
            finding =
                finding.sure_by(format!("Moved to other dates, as large an effect is found: {}.", moved.join("; ")));
        }
        Ok(match sampled(found) {
            Some(note) => finding.but(note),
            None => finding,
        })
    }
}

/// A row of a table of effects.
struct Line {
    /// The level, of a covariate of texts.
    of: Option<String>,
    method: String,
    uplift: f64,
    /// The interval, in per cent; none for one occasion.
    ends: Option<(f64, f64)>,
    /// In a year; NaN for nothing.
    worth: f64,
}

impl Line {
    fn of(method: &str, effect: &Estimate, level: f64, yearly: f64) -> Self {
        let (low, high) = bounds(effect, level);
        let known = effect.error.is_finite() && high.is_finite();
        Self {
            of: None,
            method: method.into(),
            uplift: percent(effect.value),
            ends: known.then(|| (percent(low), percent(high))),
            worth: effect.value * yearly,
        }
    }
}

impl Judged {
    fn lines(&self, of: Option<&str>, level: f64) -> Vec<Line> {
        let line = |method: &Method| {
            let line = Line::of(method.name, &method.all, level, self.yearly);
            let ends = line.ends.filter(|_| self.once.is_none());
            Line { of: of.map(String::from), ends, ..line }
        };
        self.methods.iter().map(line).collect()
    }
}

fn table_of(first: &str, lines: &[Line]) -> Result<Table> {
    let texts =
        |name: &str, of: &dyn Fn(&Line) -> String| Column::new(name.into(), lines.iter().map(of).collect::<Vec<_>>());
    let numbers = |name: &str, of: &dyn Fn(&Line) -> Option<f64>| {
        Column::new(name.into(), lines.iter().map(of).collect::<Vec<Option<f64>>>())
    };
    let mut columns = Vec::new();
    if lines.iter().any(|line| line.of.is_some()) {
        columns.push(texts("level", &|line| line.of.clone().unwrap_or_default()));
    }
    columns.push(texts(first, &|line| line.method.clone()));
    columns.push(numbers("uplift %", &|line| Some(line.uplift)));
    columns.push(numbers("from %", &|line| line.ends.map(|ends| ends.0)));
    columns.push(numbers("to %", &|line| line.ends.map(|ends| ends.1)));
    if lines.iter().any(|line| line.worth.is_finite()) {
        columns.push(numbers("sales a year", &|line| line.worth.is_finite().then(|| line.worth.round())));
    }
    Ok(Table::new(DataFrame::new(lines.len(), columns)?))
}

fn figure_of(title: String, lines: &[Line], level: f64) -> crate::show::Figure {
    let row = |line: &Line| {
        let (low, high) = line.ends.unwrap_or((f64::NAN, f64::NAN));
        (line.method.clone(), line.uplift, low, high)
    };
    Intervals {
        title,
        value: "difference from the baseline, %".into(),
        rows: lines.iter().map(row).collect(),
        level,
        sides: ("less".into(), "more".into()),
    }
    .figure()
}

/// A caveat on methods that use some series only.
fn sampled(found: &Effects) -> Option<String> {
    let all = found.weights.iter().filter(|weight| **weight > 0.0).count();
    (all > MOST).then(|| {
        format!(
            "The regression uses all {} series; the two other methods use {} of them, spread by size.",
            number(all as f64),
            number(MOST as f64)
        )
    })
}

/// The other known flags.
struct Held {
    held: Vec<Flag>,
    /// Those that are collinear with the flags asked for.
    together: Vec<String>,
    /// One that is on whenever the flag asked for is, and only then.
    same: Option<String>,
}

/// The other known flags that are held fixed, and the names of those that are collinear with the flags asked for.
fn held(panel: &Panel, by: &str, asked: &[Flag]) -> Result<Held> {
    let matrix = panel.matrix()?;
    let source = by.split_once('=').map_or(by, |(source, _)| source);
    let with = |a: &[f64], b: &[f64]| {
        let both = a.iter().zip(b).filter(|(a, b)| **a > 0.0 && **b > 0.0).count() as f64;
        both / a.iter().filter(|a| **a > 0.0).count().max(1) as f64
    };
    let (mut held, mut together): (Vec<Flag>, Vec<String>) = (Vec::new(), Vec::new());
    let mut same = None;
    for (c, (of, role)) in matrix.sources.iter().enumerate() {
        let column = &matrix.columns[c];
        let flag = *role == Role::Known && column.iter().all(|x| x.is_nan() || *x == 0.0 || *x == 1.0);
        let size = column.iter().filter(|x| **x > 0.0).count();
        if !flag || of == by || of == source || size == 0 {
            continue;
        }
        let on: Vec<f64> = column.iter().map(|x| f64::from(u8::from(*x > 0.0))).collect();
        let is_same = |flag: &Flag| with(&flag.on, &on) >= SAME && with(&on, &flag.on) >= SAME;
        // A level of a covariate of texts is a finer name for the same thing, no other flag.
        if matrix.names[c] == *of && asked.iter().any(is_same) {
            same.get_or_insert_with(|| matrix.names[c].clone());
        }
        // A level that is on more often than off is a base level.
        if 2 * size > column.len() {
            continue;
        }
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
    Ok(Held { held, together, same })
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

/// The ends of the interval; sales lose all of the baseline at most.
fn bounds(estimate: &Estimate, level: f64) -> (f64, f64) {
    let (low, high) = estimate.interval(level);
    (low.max(-1.0), high)
}

fn interval(estimate: &Estimate, level: f64) -> String {
    let (low, high) = bounds(estimate, level);
    format!("{} to {}", signed(percent(low)), signed(percent(high)))
}

/// Does the interval exclude zero, as printed?
fn is_significant(estimate: &Estimate, level: f64) -> bool {
    let (low, high) = bounds(estimate, level);
    percent(low) > 0.0 || percent(high) < 0.0
}

fn relative(share: f64) -> String {
    match percent(share) {
        0.0 => "at".into(),
        p if p > 0.0 => format!("{} % above", number(p)),
        p => format!("{} % below", number(-p)),
    }
}
