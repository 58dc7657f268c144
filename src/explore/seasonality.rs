//! Is there seasonality, how strong is it, when is its peak, and does it come again?
//!
//! The total relative to its straight line, averaged over each phase of the season: the seasonal indices. Days of a year are
//! taken by the week, so that a week's own pattern is no part of the year's. The strength is 1 − Var(R)/Var(S+R) of Wang, Smith
//! & Hyndman (2006), with S the indices and R the remainder of the relative total.
//!
//! **Does it come again?** Any data have indices. So they are taken from one part of the cycles (the first half, or every
//! other cycle where there are fewer than eight), and the rest of the data is regressed on them: a coefficient of 1 means that
//! the season comes again as it was, 0 that it was chance. Its interval allows for autocorrelation.
//! A periodogram (augurs) shows which other season the data themselves suggest.

use augurs::seasons::{Detector, PeriodogramDetector};
use polars::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::trend::year;
use super::{Ask, Finding, total};
use crate::error::{Error, Result};
use crate::figures::Seasonal;
use crate::panel::Panel;
use crate::show::words::{amount, counted, rounded};
use crate::show::{Claim, Table, number};
use crate::statistics::{Estimate, of_scores};

/// Cycles from which the first half is compared with the second; fewer are compared in turn.
const HALVES: usize = 8;
/// A line that falls below this share of the mean is no trend to divide by.
const LEAST_LEVEL: f64 = 0.1;
/// Days by which the days of a year are taken together.
const WEEK: usize = 7;
/// Cycles that are told one by one.
const TOLD: usize = 6;

/// Options of `seasonality`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Seasonality {
    /// Steps in a season; by default the panel's season.
    pub season: Option<usize>,
}

/// The total and its season.
struct Season {
    /// Steps in it, steps that are taken together, and the position at which such a bin begins: weeks begin on Monday.
    steps: usize,
    bin: usize,
    origin: i64,
    first: i64,
    y: Vec<f64>,
    /// The total relative to its line, less one; NaN where it has no value.
    relative: Vec<f64>,
    /// The mean of `relative` by phase, NaN where there is none, and how often it was seen.
    index: Vec<f64>,
    seen: Vec<usize>,
    level: f64,
}

impl Ask for Seasonality {
    const NAME: &str = "seasonality";
    const SUMMARY: &str = "Is there seasonality, how strong is it, when is its peak, and does it come again";
    const EXAMPLE: &str = "seasonality(season=52)";
    const ALSO: &str = "seasonal, season, seasonal pattern";
    const SIMILAR: &[(&str, &str)] = &[(
        "weekday, day of week, month, cycle, periodicity, periodogram",
        "the season of the calendar: its strength and its peak",
    )];

    fn first(_: &Panel) -> Vec<Self> {
        vec![Self::default()]
    }

    /// Every period of the calendar that the history holds twice.
    fn tour(panel: &Panel) -> Vec<Self> {
        let (first, last) = panel.extent().unwrap_or((0, -1));
        let length = usize::try_from(last - first + 1).unwrap_or(0);
        let mut periods = vec![panel.season()];
        if panel.frequency().is_day_or_part() {
            let year = year(panel);
            periods.extend([year / 52, year]);
        }
        periods.retain(|period| *period >= 2 && length >= 2 * period);
        periods.dedup();
        if periods.is_empty() {
            return Self::first(panel);
        }
        let own = panel.season();
        periods.into_iter().map(|period| Self { season: (period != own).then_some(period) }).collect()
    }

    fn answer(&self, panel: &Panel) -> Result<Finding> {
        let season = Season::of(panel, self.season.unwrap_or(panel.season()))?;
        let again = season.again();
        let m = season.steps;
        let cycle = season.cycle(panel);
        let share = |v: f64| format!("{} %", rounded(100.0 * v.abs(), 0));
        let (peak, trough) = season.extremes()?;
        let above = |at: usize| {
            format!("{} {}", share(season.index[at]), if season.index[at] < 0.0 { "below" } else { "above" })
        };
        let head = format!(
            "Sales follow the {cycle}: they are highest {}, {} the mean, and lowest {}, {} it",
            season.when(panel, peak),
            above(peak),
            season.when(panel, trough),
            above(trough),
        );
        let stands = again.as_ref().is_some_and(|again| again.value > 0.0 && again.excludes_zero(0.9));
        let sentence = match (&again, stands) {
            (Some(_), true) => format!("{head}."),
            (Some(_), false) => format!(
                "No season of the {cycle} that comes again: what one part of the history shows, the rest does not."
            ),
            (None, _) => format!("{head}; one cycle alone cannot show whether it comes again."),
        };
        let claims = again.iter().map(|again| Claim {
            about: format!("season of the {cycle}"),
            sentence: format!(
                "{head}: {} of sales a year come in the busy times that would come in the slack ones if all sold alike.",
                amount(season.moved(panel))
            ),
            estimate: *again,
            p: if again.value > 0.0 { again.p_value() / 2.0 } else { 1.0 },
            money: season.moved(panel),
            placebo: None,
            again: panel.len() > 1,
            unit: "",
        });
        let mut finding = Finding::new(format!("Season of the {cycle}"), sentence, season.table(panel)?)
            .drawn(season.figure(panel, &cycle).figure())
            .claiming(claims.collect());
        if stands {
            let number = format!("{}{}", if season.index[peak] < 0.0 { "−" } else { "+" }, share(season.index[peak]));
            let headline = format!("Sales are highest {}, {} the mean", season.when(panel, peak), above(peak));
            finding = finding.headed(number, headline);
        }
        if let Some(again) = &again {
            let (low, high) = again.interval(0.9);
            finding = finding.sure_by(format!(
                "indices of one part of the history predict the rest with a coefficient of {} (90 % interval {} to {}; 1 is the \
                 same season again, 0 none); they explain {} of the variance around the trend.",
                rounded(again.value, 2),
                rounded(low, 2),
                rounded(high, 2),
                share(season.strength()),
            ));
        }
        let cycles = season.y.len() / m;
        if cycles <= HALVES {
            finding = finding.and(season.by_cycle(panel)?);
        }
        if cycles < 4 {
            finding = finding.but(format!(
                "With only {} of it, the season reflects single events as well.",
                counted(cycles, "complete cycle", "complete cycles")
            ));
        }
        // A periodogram of n steps resolves frequencies that differ by 1/n or more.
        let n = season.y.len();
        let apart = |period: u32| (1.0 / f64::from(period) - 1.0 / m as f64).abs() > 1.0 / n as f64;
        let filled: Vec<f64> = season.y.iter().map(|v| if v.is_nan() { season.level } else { *v }).collect();
        let longest = (n / 2).min(3 * m) as u32;
        let found = PeriodogramDetector::builder().max_period(longest.max(4)).build().detect(&filled);
        if let Some(period) = found.first().filter(|period| panel.frequency().is_whole() && apart(**period)) {
            let noun = panel.frequency().noun();
            finding = finding
                .but(format!("The periodogram of the total peaks at {period} {noun}s; consider season={period}."));
        }
        Ok(finding)
    }
}

impl Season {
    fn of(panel: &Panel, m: usize) -> Result<Self> {
        let (first, y) = total(panel);
        if m < 2 || y.len() < 2 * m {
            return Err(Error::data(format!(
                "a season of {m} can only be estimated from {} steps, and the data have {}",
                2 * m.max(2),
                y.len()
            )));
        }
        let observed: Vec<(usize, f64)> = y.iter().copied().enumerate().filter(|(_, v)| !v.is_nan()).collect();
        let level = observed.iter().map(|(_, v)| v).sum::<f64>() / observed.len() as f64;
        if observed.is_empty() || level <= 0.0 {
            return Err(Error::data("the total is not positive, so it has no seasonal indices"));
        }
        let slope = super::trend::slope(&observed);
        let middle = observed.iter().map(|(t, _)| *t as f64).sum::<f64>() / observed.len() as f64;
        let at = |slope: f64, t: usize| level + slope * (t as f64 - middle);
        let falls = at(slope, 0).min(at(slope, y.len() - 1)) < LEAST_LEVEL * level;
        let slope = if falls { 0.0 } else { slope };
        let relative: Vec<f64> = (0..y.len()).map(|t| y[t] / at(slope, t) - 1.0).collect();
        let bin = if panel.frequency().noun() == "day" && m > 8 * WEEK { WEEK } else { 1 };
        let calendar = &panel.inner().calendar;
        let monday = (0..WEEK as i64).find(|p| calendar.season_label(*p, WEEK) == "Mon").unwrap_or(0);
        let origin = if bin == WEEK { monday } else { 0 };
        let mut season = Self { steps: m, bin, origin, first, y, relative, index: Vec::new(), seen: Vec::new(), level };
        let (index, seen) = season.indices(|_| true);
        (season.index, season.seen) = (index, seen);
        Ok(season)
    }

    /// The phase of a step: days of a year by the week.
    fn phase(&self, t: usize) -> usize {
        self.phase_of(self.first + t as i64)
    }

    fn phase_of(&self, position: i64) -> usize {
        (position - self.origin).rem_euclid(self.steps as i64) as usize / self.bin
    }

    /// The mean by phase of the steps that count.
    fn indices(&self, counts: impl Fn(usize) -> bool) -> (Vec<f64>, Vec<usize>) {
        let phases = self.steps.div_ceil(self.bin);
        let (mut sums, mut seen) = (vec![0.0; phases], vec![0; phases]);
        for t in (0..self.y.len()).filter(|t| counts(*t) && !self.relative[*t].is_nan()) {
            sums[self.phase(t)] += self.relative[t];
            seen[self.phase(t)] += 1;
        }
        (sums.iter().zip(&seen).map(|(sum, n)| sum / *n as f64).collect(), seen)
    }

    /// How far the season of one part of the cycles is that of the others.
    fn again(&self) -> Option<Estimate> {
        let cycles = self.y.len().div_ceil(self.steps);
        let half = (cycles / 2) * self.steps;
        let early = |t: usize| if cycles >= HALVES { t < half } else { (t / self.steps).is_multiple_of(2) };
        let (index, _) = self.indices(early);
        let seen: Vec<f64> = index.iter().copied().filter(|v| !v.is_nan()).collect();
        let mean = seen.iter().sum::<f64>() / seen.len() as f64;
        let late: Vec<usize> = (0..self.y.len())
            .filter(|t| !early(*t) && !self.relative[*t].is_nan() && !index[self.phase(*t)].is_nan())
            .collect();
        let own = late.iter().map(|t| self.relative[*t]).sum::<f64>() / late.len() as f64;
        let x = |t: usize| index[self.phase(t)] - mean;
        let squares: f64 = late.iter().map(|t| x(*t) * x(*t)).sum();
        if squares <= 0.0 || late.len() < self.steps.div_ceil(2) {
            return None;
        }
        let value = late.iter().map(|t| x(*t) * (self.relative[*t] - own)).sum::<f64>() / squares;
        let scores: Vec<f64> =
            late.iter().map(|t| x(*t) * (self.relative[*t] - own - value * x(*t)) / squares).collect();
        let phases = (self.steps / self.bin) as f64;
        Some(of_scores(value, &scores, (late.len() as f64 / self.bin as f64 - 1.0).min(phases - 1.0).max(1.0), None))
    }

    /// The share of the variance around the trend.
    fn strength(&self) -> f64 {
        let variance = |values: &[f64]| {
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64
        };
        let there: Vec<usize> = (0..self.y.len()).filter(|t| !self.relative[*t].is_nan()).collect();
        let whole: Vec<f64> = there.iter().map(|t| self.relative[*t]).collect();
        let rest: Vec<f64> = there.iter().map(|t| self.relative[*t] - self.index[self.phase(*t)]).collect();
        (1.0 - variance(&rest) / variance(&whole)).max(0.0)
    }

    /// Sales of a year that would come at another time if all phases sold alike: half of the sum of all deviations.
    fn moved(&self, panel: &Panel) -> f64 {
        let there: Vec<f64> = self.index.iter().filter(|v| !v.is_nan()).map(|v| v.abs()).collect();
        let mean = there.iter().sum::<f64>() / there.len().max(1) as f64;
        0.5 * mean * self.level * year(panel) as f64
    }

    /// The phases that sell most and least.
    fn extremes(&self) -> Result<(usize, usize)> {
        let seen = || (0..self.index.len()).filter(|p| !self.index[*p].is_nan());
        let by = |a: &usize, b: &usize| self.index[*a].total_cmp(&self.index[*b]);
        match (seen().max_by(by), seen().min_by(by)) {
            (Some(peak), Some(trough)) => Ok((peak, trough)),
            _ => Err(Error::data("the series have no values")),
        }
    }

    /// `week`, `year`, `day`, or how many steps.
    fn cycle(&self, panel: &Panel) -> String {
        let noun = panel.frequency().noun();
        match (noun, self.steps) {
            ("hour", 24) => "day".into(),
            ("hour" | "day", week) if panel.frequency().week() == Some(week) => "week".into(),
            ("hour", day) if panel.frequency().season() == day => "day".into(),
            ("day", steps) if year(panel) == steps => "year".into(),
            ("day", 364..=366) | ("week", 52 | 53) | ("month", 12) | ("quarter", 4) => "year".into(),
            (_, m) => format!("{} {noun}s", number(m as f64)),
        }
    }

    /// The last position of a phase.
    fn last(&self, phase: usize) -> i64 {
        let last = self.first + self.y.len() as i64 - 1;
        last - (last - self.origin - (phase * self.bin) as i64).rem_euclid(self.steps as i64)
    }

    /// When a phase is: `on Sat`, `in Dec`, `in the week of 23 Dec`, `at 14:00`.
    fn when(&self, panel: &Panel, phase: usize) -> String {
        let calendar = &panel.inner().calendar;
        let position = self.last(phase);
        let named = calendar.season_label(position, self.steps);
        let is_name = !named.chars().all(|c| c.is_ascii_digit());
        match (panel.frequency().noun(), self.cycle(panel).as_str()) {
            ("hour", "day") if is_name => format!("at {named}"),
            ("month" | "quarter", "year") if is_name => format!("in {named}"),
            ("day", "week") if is_name => format!("on {named}"),
            (_, "year") => match calendar.period(position, panel.columns().stamps) {
                Some((from, _)) => format!("in the week of {}", from.format("%-d %b")),
                None => format!("at step {named} of the year"),
            },
            ("hour", "week") => match calendar.period(position, panel.columns().stamps) {
                Some((from, _)) => {
                    let label = calendar.label(position);
                    format!("on {} at {}", from.format("%a"), label.rsplit(' ').next().unwrap_or_default())
                }
                None => format!("at step {named}"),
            },
            _ => format!("at step {named} (last on {})", calendar.label(position)),
        }
    }

    fn table(&self, panel: &Panel) -> Result<Table> {
        let mut ranked: Vec<usize> = (0..self.index.len()).filter(|p| !self.index[*p].is_nan()).collect();
        ranked.sort_by(|a, b| self.index[*b].total_cmp(&self.index[*a]));
        let all = ranked.len();
        ranked.truncate(8);
        let calendar = &panel.inner().calendar;
        let words = |phase: &usize| {
            let words = self.when(panel, *phase);
            ["in the ", "on ", "in ", "at "]
                .iter()
                .find_map(|lead| words.strip_prefix(lead))
                .unwrap_or(&words)
                .to_string()
        };
        let table = DataFrame::new(
            ranked.len(),
            vec![
                Column::new("when".into(), ranked.iter().map(words).collect::<Vec<_>>()),
                Column::new("last on".into(), ranked.iter().map(|p| calendar.label(self.last(*p))).collect::<Vec<_>>()),
                Column::new("index".into(), ranked.iter().map(|p| 1.0 + self.index[*p]).collect::<Vec<_>>()),
                Column::new("values".into(), ranked.iter().map(|p| self.seen[*p] as u64).collect::<Vec<_>>()),
            ],
        )?;
        Ok(Table::new(table).of_rows(all).titled("The highest seasonal indices"))
    }

    /// How the season shifts: the peak of each of the last cycles.
    fn by_cycle(&self, panel: &Panel) -> Result<Table> {
        let calendar = &panel.inner().calendar;
        let mut rows = Vec::new();
        let mut end = self.y.len();
        while end >= self.steps && rows.len() < TOLD {
            let start = end - self.steps;
            let (index, _) = self.indices(|t| (start..end).contains(&t));
            let seen = (0..index.len()).filter(|p| !index[*p].is_nan());
            if let Some(peak) = seen.max_by(|a, b| index[*a].total_cmp(&index[*b])) {
                let at = (start..end).find(|t| self.phase(*t) == peak).unwrap_or(start);
                rows.push((start, end - 1, at, index[peak]));
            }
            end = start;
        }
        rows.reverse();
        let label = |t: usize| calendar.label(self.first + t as i64);
        let table = DataFrame::new(
            rows.len(),
            vec![
                Column::new("from".into(), rows.iter().map(|row| label(row.0)).collect::<Vec<_>>()),
                Column::new("to".into(), rows.iter().map(|row| label(row.1)).collect::<Vec<_>>()),
                Column::new("highest".into(), rows.iter().map(|row| label(row.2)).collect::<Vec<_>>()),
                Column::new("index".into(), rows.iter().map(|row| 1.0 + row.3).collect::<Vec<_>>()),
            ],
        )?;
        Ok(Table::new(table).titled("The peak of the last cycles"))
    }

    fn figure(&self, panel: &Panel, cycle: &str) -> Seasonal {
        let (m, first, y) = (self.steps, self.first, &self.y);
        let calendar = &panel.inner().calendar;
        let last = first + y.len() as i64 - 1;
        let start = (first..first + m as i64).min_by_key(|p| starts_year(panel, *p)).unwrap_or(first);
        // The week begins on Monday.
        let start = if cycle == "week" && panel.frequency().noun() == "day" {
            (first..first + m as i64).find(|p| calendar.season_label(*p, m) == "Mon").unwrap_or(start)
        } else {
            start
        };
        let start = start - (start - self.origin).rem_euclid(self.bin as i64);
        let bins = (m / self.bin) as i64;
        let place = |k: i64| start + k * self.bin as i64;
        let positions: Vec<String> = (0..bins).map(|k| place_name(panel, place(k), k, m)).collect();
        let value = |from: i64| {
            let steps = (from..from + self.bin as i64).filter_map(|p| y.get(usize::try_from(p - first).ok()?).copied());
            let there: Vec<f64> = steps.filter(|v| !v.is_nan()).collect();
            if there.is_empty() { f64::NAN } else { there.iter().sum::<f64>() / there.len() as f64 }
        };
        let mut cycles: Vec<(String, Vec<f64>)> = Vec::new();
        let mut from = start - m as i64;
        while from <= last {
            let values: Vec<f64> = (0..bins).map(|k| value(from + k * self.bin as i64)).collect();
            if values.iter().any(|v| !v.is_nan()) {
                let name = match calendar.year(from + m as i64 / 2).filter(|_| cycle == "year") {
                    Some(year) => year.to_string(),
                    None => calendar.label(from),
                };
                cycles.push((name, values));
            }
            from += m as i64;
        }
        let skipped = cycles.len().saturating_sub(TOLD);
        cycles.drain(..skipped);
        let profile = (0..bins).map(|k| self.level * (1.0 + self.index[self.phase_of(place(k))])).collect();
        Seasonal {
            title: format!("Sales over the {cycle}"),
            value: panel.inner().columns.target.clone(),
            positions,
            cycles,
            profile,
        }
    }
}

/// A key that is least at the first position of a calendar year, so that an annual season is drawn from January.
fn starts_year(panel: &Panel, position: i64) -> i64 {
    let calendar = &panel.inner().calendar;
    match (calendar.year(position), calendar.year(position - 1)) {
        (Some(this), Some(before)) if this != before => i64::MIN,
        _ => position,
    }
}

/// The name of a period of the season: month or weekday where there is one; for weeks, the month at its first week.
fn place_name(panel: &Panel, position: i64, index: i64, m: usize) -> String {
    let calendar = &panel.inner().calendar;
    match calendar.month(position) {
        Some(month) if m > 12 && panel.frequency().season() == m && panel.frequency().noun() != "hour" => month,
        _ => match calendar.season_label(position, m).as_str() {
            label if label.chars().all(|c| c.is_ascii_digit()) => (index + 1).to_string(),
            label => label.to_string(),
        },
    }
}
