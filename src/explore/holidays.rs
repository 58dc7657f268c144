//! What do sales do around each holiday, by its name: on its own days, before and after, and what is that worth in a year?
//!
//! Two effects are told of each holiday: that on its own steps, and that with the steps around it, into which people buy
//! beforehand and after which they buy less. Where shops are closed on the day itself, only the second says anything.
//!
//! **The baseline** of a step near a holiday is what it would have sold without one: a line through the ordinary steps on both
//! sides of the window (28 days or 8 weeks of each; steps near this or another holiday, or near a day on which most shops were
//! closed, are left out), times the index of the weekday, times the effects of the flags that are known in advance, such as
//! promotions (`ordinary`), times what such a line misses of the season of the year (`yearly`). The effect is the sum of sales
//! over all series and occurrences, divided by that of the baseline, less one; on its own steps, series that are alike are
//! weighted by how quiet they are (`spans`).
//!
//! **How sure.** A shock that all series share counts once, and few years have few Christmases, so that a holiday's own
//! occurrences say little about its error. Ordinary dates do: the same statistic, with a window and a baseline of its own, is
//! taken around every date (of the same weekday) that is far from all holidays. The mean square of these placebos is the
//! variance of one occurrence; where dates a year apart go together, several occurrences have a larger variance than
//! independent ones; and the season is known less well around a holiday than elsewhere. Interval and p-value are those of
//! Student's t with as many degrees of freedom as there are placebo windows that do not overlap, or as their kurtosis gives,
//! where tails are heavy (a randomisation test with a parametric tail; Fisher 1935; Abadie, Diamond & Hainmueller 2010,
//! *Journal of the American Statistical Association* vol. 105, for placebos).
//!
//! **It fails** where a holiday has fewer than two occurrences with ordinary steps on both sides (described, not tested), on
//! calendars coarser than weeks, and where the year itself peaks for a week on the same date every year (what else returns each
//! year on that date is part of the effect). Holidays less than two steps apart share their window half and half.

use polars::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::kept::Kept;
use super::occasions::{Effect, Found, measured};
use super::ordinary::{Baseline, HELD};
use super::steady::at_steady_price;
use super::{Ask, Finding};
use crate::error::{Error, Result};
use crate::figures::Around;
use crate::panel::{DAY, Panel, Role};
use crate::show::words::{amount, counted, listed, rounded};
use crate::show::{Claim, Placebo, Table};
use crate::statistics::check_level;

/// Options of `holidays`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HolidayEffects {
    /// The country whose public holidays are asked for, by its code (DE, US, GB); that of the panel's features if it is not
    /// stated, else what shops in many countries notice.
    pub country: Option<String>,
    /// A covariate that says which holiday it is, by its name, or a flag; instead of a country.
    pub by: Option<String>,
    /// Steps told before each holiday; 5 days or 1 week if not stated.
    pub before: Option<usize>,
    /// Steps told after each holiday; 3 days or 1 week if not stated.
    pub after: Option<usize>,
    /// Rows of the table.
    pub top: usize,
    /// The probability of the intervals.
    pub level: f64,
}

impl Default for HolidayEffects {
    fn default() -> Self {
        Self { country: None, by: None, before: None, after: None, top: 30, level: 0.95 }
    }
}

/// The most steps before or after a holiday.
const FURTHEST: usize = 30;
/// Steps around a day on which most shops were closed that are no ordinary ones, of days.
const AROUND_CLOSED: i64 = 2;

impl Ask for HolidayEffects {
    const NAME: &str = "holidays";
    const SUMMARY: &str = "The effect of each holiday, by name: on its days, before and after, in per cent and a year";
    const EXAMPLE: &str = "holidays(country=US)";
    const ALSO: &str = "holiday, holiday effects, public holidays, christmas, easter";

    fn check(&self) -> Result<()> {
        check_level(self.level)?;
        match self.before.into_iter().chain(self.after).max().unwrap_or(0) {
            0..=FURTHEST => {}
            steps => {
                return Err(Error::usage(format!("before and after are {FURTHEST} steps at most, not {steps}")));
            }
        }
        if self.country.is_some() && self.by.is_some() {
            return Err(Error::usage("holidays takes country=CODE or by=COLUMN, not both"));
        }
        Ok(())
    }

    fn tour(panel: &Panel) -> Vec<Self> {
        let Ok(daily) = dated(panel) else { return Vec::new() };
        let (before, after) = Self::default().window(daily);
        let common = Self::default().kept(panel, before, after).ok();
        let Ok(matrix) = panel.matrix() else { return vec![Self::default()] };
        // A column that names the days of the panel is asked; common holidays as well, unless it names them.
        let mut named: Vec<String> = Vec::new();
        for (c, (source, role)) in matrix.sources.iter().enumerate() {
            if *role == Role::Known && matrix.names[c] != *source && !named.contains(source) {
                named.push(source.clone());
            }
        }
        let asked = named.into_iter().filter_map(|by| {
            let question = Self { by: Some(by), ..Self::default() };
            let kept = question.kept(panel, before, after).ok()?;
            Some((question, kept))
        });
        let (mut questions, mut known) = (Vec::new(), false);
        for (question, kept) in asked.filter(|(_, kept)| kept.rare()) {
            known |= common.as_ref().is_some_and(|common| common.named_by(&kept));
            questions.push(question);
        }
        if !known {
            questions.insert(0, Self::default());
        }
        questions
    }

    fn answer(&self, panel: &Panel) -> Result<Finding> {
        let daily = dated(panel)?;
        let (before, after) = self.window(daily);
        let steady = at_steady_price(panel, &[])?;
        let panel = steady.as_ref().map_or(panel, |steady| &steady.panel);
        let mut kept = self.kept(panel, before, after)?;
        kept.with_closures(panel, panel.frequency().week().unwrap_or(1), if daily { AROUND_CLOSED } else { 0 });
        let baseline = Baseline::of(panel, &kept.near)?;
        let (found, few) = measured(panel, &kept, &baseline, before, after)?;
        let finding = self.told(panel, &kept, &baseline, found, few)?;
        Ok(steady.iter().fold(finding, |finding, steady| finding.but(steady.told(&[]))))
    }
}

/// Is the panel daily (or weekly)?
pub(super) fn dated(panel: &Panel) -> Result<bool> {
    let frequency = panel.frequency();
    match frequency.length() {
        _ if frequency.is_whole() => {
            Err(Error::data("holidays need dates, and the calendar of these data is one of whole numbers"))
        }
        length if length == DAY => Ok(true),
        length if length == 7 * DAY => Ok(false),
        length if length < DAY => {
            Err(Error::data("holidays are asked of days or weeks: aggregate the hours to days first"))
        }
        _ => Err(Error::data(format!(
            "a {} holds a holiday among many other days, so that its effect cannot be told from theirs; ask daily or weekly data",
            frequency.noun()
        ))),
    }
}

impl HolidayEffects {
    fn told(
        &self,
        panel: &Panel,
        kept: &Kept,
        baseline: &Baseline,
        found: Vec<Found>,
        few: Vec<(String, usize)>,
    ) -> Result<Finding> {
        let noun = panel.frequency().noun();
        if found.is_empty() {
            let names: Vec<&str> = few.iter().map(|(name, _)| name.as_str()).collect();
            return Err(Error::data(format!(
                "no holiday can be told from ordinary {noun}s: {} with too few {noun}s around, or too few ordinary ones",
                listed(&names, 4)
            )));
        }
        let tested: Vec<&Found> = found.iter().filter(|found| found.occurrences >= 2).collect();
        let target = panel.columns().target().to_string();
        let claims =
            tested.iter().flat_map(|found| self.claims(found, noun, &target, panel.len())).collect::<Vec<Claim>>();
        let lead = tested.iter().find(|found| found.main().estimate.excludes_zero(self.level));
        let mut sentence = match lead {
            Some(found) => format!("{}.", self.words(found, found.shut(), noun, &target)),
            None if tested.is_empty() => format!(
                "No holiday has two occurrences with ordinary {noun}s around them, so that none can be told from chance."
            ),
            None => format!(
                "No holiday shows: sales on {} are no further from what those {noun}s would have sold than they are on ordinary \
                 dates.",
                listed(&tested.iter().map(|found| found.name.as_str()).collect::<Vec<_>>(), 4)
            ),
        };
        if let Some(lead) = lead {
            let rest: Vec<&Found> = tested.iter().copied().filter(|found| found.name != lead.name).collect();
            let (shown, none): (Vec<&Found>, Vec<&Found>) =
                rest.into_iter().partition(|found| found.main().estimate.excludes_zero(self.level));
            let mut parts: Vec<String> = shown
                .iter()
                .take(4)
                .map(|found| format!("{} {}", found.name, signed(found.main().estimate.value)))
                .collect();
            if !none.is_empty() {
                let names: Vec<&str> = none.iter().map(|found| found.name.as_str()).collect();
                parts.push(format!("none that shows: {}", listed(&names, 4)));
            }
            if !parts.is_empty() {
                sentence = format!("{}; {}.", sentence.trim_end_matches('.'), parts.join("; "));
            }
        }
        let figure = found.first().map(|found| {
            let percent = |share: f64| 100.0 * share;
            let effects = found.steps.iter().map(|(step, estimate)| {
                let (low, high) = estimate.interval(self.level);
                (*step, percent(estimate.value), percent(low), percent(high))
            });
            Around {
                title: format!("Sales around {}", found.name),
                value: format!("{target}, % above what the {noun} would have sold"),
                foot: format!("{noun}s from the first of {}", found.name),
                effects: effects.collect(),
                placebo: Some(percent(found.typical)),
            }
            .figure()
        });
        let mut caveats = Vec::new();
        for found in found.iter().filter(|found| found.closed > 0) {
            let shift = if found.ahead.is_finite() && found.before > 0 {
                format!(
                    "; the {} before sold {}",
                    counted(found.before, noun, &format!("{noun}s")),
                    signed(found.ahead)
                )
            } else {
                String::new()
            };
            let of = match (found.closed, found.length) {
                (_, 1) => String::new(),
                (closed, length) if closed == length => format!(" on its {length} {noun}s"),
                (closed, length) => format!(" on {closed} of its {length} {noun}s"),
            };
            caveats.push(format!("{}: closed{of} in nearly all series{shift}.", found.name));
        }
        let once: Vec<&str> = few.iter().map(|(name, _)| name.as_str()).collect();
        if !once.is_empty() {
            caveats.push(format!(
                "Not tested, for want of two occurrences with ordinary {noun}s on both sides: {}.",
                listed(&once, 8)
            ));
        }
        let held: Vec<&str> = baseline.names();
        let held = if held.is_empty() { String::new() } else { format!(", with {} held fixed", listed(&held, HELD)) };
        caveats.push(format!(
            "What {noun}s would have sold is the level of the {} ordinary {noun}s on each side{}{held}. Asked were {}. The \
             effect is an association: it includes whatever else happened on those dates, such as promotions for the holiday and \
             what else returns at that time of the year.",
            baseline.reach(),
            if !baseline.weekly() { " at the same weekday" } else { "" },
            kept.whose,
        ));
        let all = found.len();
        let rows: Vec<&Found> = found.iter().take(self.top.max(1)).collect();
        let numbers = |name: &str, pick: &dyn Fn(&Found) -> f64| {
            Column::new(name.into(), rows.iter().map(|row| pick(row)).collect::<Vec<_>>())
        };
        let percent = |share: f64| (1000.0 * share).round() / 10.0;
        let end = |found: &Found, effect: &Effect, high: bool| match found.occurrences {
            0 | 1 => f64::NAN,
            _ => {
                let (low, top) = effect.estimate.interval(self.level);
                percent(if high { top } else { low.max(-1.0) })
            }
        };
        let columns = vec![
            Column::new("holiday".into(), rows.iter().map(|row| row.name.as_str()).collect::<Vec<_>>()),
            Column::new("occurrences".into(), rows.iter().map(|row| row.occurrences as u64).collect::<Vec<_>>()),
            numbers("itself %", &|found| percent(found.itself.estimate.value)),
            numbers("itself from %", &|found| end(found, &found.itself, false)),
            numbers("itself to %", &|found| end(found, &found.itself, true)),
            numbers("itself a year", &|found| found.itself.money.round()),
            numbers("before %", &|found| percent(found.ahead)),
            numbers("after %", &|found| percent(found.behind)),
            numbers("all %", &|found| percent(found.whole.estimate.value)),
            numbers("from %", &|found| end(found, &found.whole, false)),
            numbers("to %", &|found| end(found, &found.whole, true)),
            numbers("a year", &|found| found.whole.money.round()),
        ];
        let table = Table::new(DataFrame::new(rows.len(), columns)?).titled("Holidays, the dearest first").of_rows(all);
        let sure = "Each is compared with ordinary dates, around which the same was computed: their spread gives the interval.";
        let mut finding = Finding::new("Holidays", sentence, table).claiming(claims).sure_by(sure);
        if let Some(figure) = figure {
            finding = finding.drawn(figure);
        }
        Ok(caveats.into_iter().fold(finding, Finding::but))
    }

    /// Steps before and after.
    fn window(&self, daily: bool) -> (usize, usize) {
        (self.before.unwrap_or(if daily { 5 } else { 1 }), self.after.unwrap_or(if daily { 3 } else { 1 }))
    }

    /// The claims about a holiday: its own steps, unless shops are closed on them, and those with the steps around it.
    fn claims(&self, found: &Found, noun: &str, target: &str, series: usize) -> Vec<Claim> {
        let own = (!found.shut()).then(|| self.claim(found, false, noun, target, series));
        let around = (found.around() > 0).then(|| self.claim(found, true, noun, target, series));
        own.into_iter().chain(around).collect()
    }

    fn claim(&self, found: &Found, around: bool, noun: &str, target: &str, series: usize) -> Claim {
        let effect = if around { &found.whole } else { &found.itself };
        let sentence = if effect.estimate.excludes_zero(self.level) {
            format!(
                "{}: {}.",
                self.words(found, around, noun, target),
                match (effect.money > 0.0, found.closed > 0) {
                    (true, _) => "stock and staff for it",
                    (false, true) => "what closed days lose is not made up around them",
                    (false, false) => "plan for less",
                }
            )
        } else if around {
            format!("Around {} sales are not clearly different from those around ordinary dates.", found.name)
        } else {
            format!("On {} sales are not clearly different from those of ordinary {noun}s.", found.name)
        };
        let with = if around { format!(", with the {noun}s around it") } else { String::new() };
        Claim {
            about: format!("{}{with}", found.name),
            sentence,
            estimate: effect.estimate.times(100.0),
            p: effect.estimate.p_value(),
            money: effect.money,
            placebo: effect.placebo.map(|placebo| Placebo { typical: 100.0 * placebo.typical, ..placebo }),
            // One series is halved in time, and a half has hardly two of a holiday.
            again: series > 1,
            unit: "%",
        }
    }

    fn words(&self, found: &Found, around: bool, noun: &str, target: &str) -> String {
        let years: Vec<String> = found.years.iter().map(ToString::to_string).collect();
        let years: Vec<&str> = years.iter().map(String::as_str).collect();
        let Effect { estimate, money, .. } = if around { &found.whole } else { &found.itself };
        let (low, high) = estimate.interval(self.level);
        let side = if estimate.value < 0.0 { "below" } else { "above" };
        let steps = |count: usize| match count {
            1 => format!("the {noun}"),
            count => format!("the {count} {noun}s"),
        };
        let (when, those) = match (around, found.before, found.after) {
            (false, ..) if noun == "week" => (format!("In the week of {}", found.name), format!("that {noun}")),
            (false, ..) => (format!("On {}", found.name), format!("that {noun}")),
            (true, before, 0) => {
                (format!("On {} and {} before it", found.name, steps(before)), format!("those {noun}s"))
            }
            (true, 0, after) => (format!("On {} and {} after it", found.name, steps(after)), format!("those {noun}s")),
            (true, before, after) => {
                let (name, before, after) = (&found.name, steps(before), steps(after));
                (format!("On {name}, {before} before and {after} after it"), format!("those {noun}s"))
            }
        };
        format!(
            "{when}, {}, sales were {} % {side} what {those} would have sold without it ({} % interval {} to {}): about {} of \
             {target} a year",
            listed(&years, 6),
            whole(estimate.value.abs()),
            rounded(100.0 * self.level, 1),
            signed(low.max(-1.0)),
            signed(high),
            amount(money.abs()),
        )
    }
}

/// A share in per cent, to one decimal below ten.
fn whole(share: f64) -> String {
    let percent = 100.0 * share;
    rounded(percent, if percent.abs() < 9.95 { 1 } else { 0 })
}

/// The same with its sign.
pub(super) fn signed(share: f64) -> String {
    format!("{}{} %", if share < 0.0 { "−" } else { "+" }, whole(share.abs()))
}
