//! How far can each series be forecast? The error of simple benchmarks on steps that they have not seen, and how much of
//! sales season and trend explain.
//!
//! **Error.** Each of the last steps of a series (a season of them, at least a quarter of a year, at most a third of the series) is forecast from what was
//! known `horizon` steps before, by four benchmarks: the mean of the last season, the same step a season before, that times
//! the growth of the last quarter of a season over the same steps a season before, and exponential smoothing with α = 0.3. The
//! benchmark with the smallest sum of absolute errors on the first half of these steps is scored on the second half: Σ |error|
//! / Σ |sales| (WAPE), so that the choice is not scored on what it was made by. A model may do better; none of these needs
//! to be fitted. **Skill** is one less the error relative to that of guessing the mean of everything before (Hyndman &
//! Athanasopoulos 2021, *Forecasting: Principles and Practice* §5.8); a series with hardly any is noise to a benchmark.
//!
//! Strengths of trend and season are those of an additive decomposition (Wang, Smith & Hyndman 2006), CV is the coefficient of
//! variation. It fails on series too short to hold steps out.

use polars::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::each::each;
use super::trend::year;
use super::{Ask, Finding};
use crate::error::{Error, Result};
use crate::figures::Scatter;
use crate::panel::Panel;
use crate::show::words::{about, counted, rounded};
use crate::show::{Table, number};
use crate::statistics::{MstlOptions, mstl};

/// Skill below which a benchmark is hardly better than a guess.
const HARDLY: f64 = 0.05;
/// The fewest values of a series.
const LEAST: usize = 16;
/// The fewest steps that are scored.
const SCORED: usize = 4;
/// Exponential smoothing: the weight of the latest value.
const ALPHA: f64 = 0.3;
/// The last steps that are decomposed, in seasons.
const SEASONS: usize = 8;

/// Options of `forecastability`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Forecastability {
    /// Steps ahead; 0 for a twelfth of a year (4 weeks, a month, 28 days).
    pub horizon: usize,
    /// Rows of the table: series, those with the largest errors in units of the target first.
    pub top: usize,
}

impl Default for Forecastability {
    fn default() -> Self {
        Self { horizon: 0, top: 10 }
    }
}

/// Names of the benchmarks.
const BENCHMARKS: [&str; 4] = ["mean of the season", "season before", "season before with growth", "smoothing"];

struct Answer {
    error: f64,
    skill: f64,
    best: usize,
    /// Sales of a year, and what of them is missed.
    sales: f64,
    trend: f64,
    season: f64,
    variation: f64,
}

impl Ask for Forecastability {
    const NAME: &str = "forecastability";
    const SUMMARY: &str = "How far each series can be forecast: the error of simple benchmarks on held-out steps";
    const EXAMPLE: &str = "forecastability(top=7)";
    const ALSO: &str = "predictability, forecastable, forecast difficulty";
    const SIMILAR: &[(&str, &str)] = &[(
        "entropy, noise, signal to noise, accuracy, uncertainty",
        "the error of simple benchmarks on held-out steps, by series",
    )];

    fn tour(_: &Panel) -> Vec<Self> {
        vec![Self::default()]
    }

    fn answer(&self, panel: &Panel) -> Result<Finding> {
        let (season, steps) = (panel.season().max(1), year(panel).max(1));
        let horizon = match self.horizon {
            0 if panel.frequency().is_day_or_part() => (steps / 13).max(1),
            0 => (steps / 12).max(1),
            stated => stated,
        };
        let answers = each(panel, LEAST, |_, y| {
            let (error, skill, best) = held_out(y, season, steps / 4, horizon)?;
            let there = y.iter().filter(|y| !y.is_nan());
            let n = there.clone().count() as f64;
            let mean = there.clone().sum::<f64>() / n;
            let variance = there.clone().map(|y| (y - mean).powi(2)).sum::<f64>() / n;
            let recent = &y[y.len().saturating_sub(steps)..];
            let known: Vec<f64> = recent.iter().copied().filter(|y| !y.is_nan()).collect();
            let sales = known.iter().sum::<f64>() * steps as f64 / known.len().max(1) as f64;
            let tail = &y[y.len().saturating_sub(SEASONS * season.max(8))..];
            let (trend, strength) = match mstl(tail, &[season], &MstlOptions::default()) {
                Ok(parts) => (parts.trend_strength(), parts.seasonal_strengths().first().copied().unwrap_or(f64::NAN)),
                Err(_) => (f64::NAN, f64::NAN),
            };
            let variation = if mean > 0.0 { variance.sqrt() / mean } else { f64::NAN };
            Ok(Answer { error, skill, best, sales, trend, season: strength, variation })
        })?;
        let found = &answers.found;
        let total: f64 = found.iter().map(|(_, answer)| answer.sales.max(0.0)).sum();
        if total <= 0.0 {
            return Err(Error::data("no series sells anything in the last year, so no error can be weighed by sales"));
        }
        let finding = self.finding(panel, found, total, horizon)?;
        Ok(answers.caveats(finding, panel, "no errors where the value is missing"))
    }
}

/// The error of the benchmark that was best before, its skill, and which it is.
fn held_out(y: &[f64], season: usize, quarter_year: usize, horizon: usize) -> Result<(f64, f64, usize)> {
    let n = y.len();
    let held = season.max(quarter_year).max(12).min(n / 3);
    let short = || Error::data("too short for held-out steps");
    if held < 2 * SCORED || n < held + horizon + 2 {
        return Err(short());
    }
    // Sums and counts up to each step, and smoothed values.
    let (mut sums, mut counts, mut smoothed) = (vec![0.0; n + 1], vec![0.0; n + 1], vec![f64::NAN; n + 1]);
    for t in 0..n {
        let there = !y[t].is_nan();
        sums[t + 1] = sums[t] + if there { y[t] } else { 0.0 };
        counts[t + 1] = counts[t] + f64::from(u8::from(there));
        smoothed[t + 1] = match (there, smoothed[t].is_nan()) {
            (true, true) => y[t],
            (true, false) => ALPHA * y[t] + (1.0 - ALPHA) * smoothed[t],
            _ => smoothed[t],
        };
    }
    let mean = |from: usize, to: usize| (sums[to] - sums[from]) / (counts[to] - counts[from]);
    let memory = season.max(8);
    let quarter = (season / 4).max(3);
    let forecasts = |t: usize| {
        // What is known: the first `known` steps.
        let known = t + 1 - horizon;
        let guess = mean(0, known);
        let level = mean(known.saturating_sub(memory), known);
        let level = if level.is_nan() { guess } else { level };
        let back = season * horizon.div_ceil(season);
        let before = (t >= back).then(|| y[t - back]).filter(|y| !y.is_nan() && season > 1).unwrap_or(level);
        let grown = (season > 4 && known >= season + quarter)
            .then(|| mean(known - quarter, known) / mean(known - quarter - season, known - season))
            .filter(|growth| growth.is_finite() && (0.5..2.0).contains(growth))
            .unwrap_or(1.0);
        let smooth = if smoothed[known].is_nan() { guess } else { smoothed[known] };
        ([level, before, before * grown, smooth], guess)
    };
    let start = n - held;
    let middle = start + held / 2;
    let over = |from: usize, to: usize| {
        let (mut errors, mut guessed, mut size, mut scored) = ([0.0; 4], 0.0, 0.0, 0);
        for t in (from.max(horizon)..to).filter(|t| !y[*t].is_nan()) {
            let (forecasts, guess) = forecasts(t);
            if guess.is_nan() {
                continue;
            }
            errors.iter_mut().zip(forecasts).for_each(|(error, forecast)| *error += (y[t] - forecast).abs());
            guessed += (y[t] - guess).abs();
            size += y[t].abs();
            scored += 1;
        }
        (errors, guessed, size, scored)
    };
    let (errors, ..) = over(start, middle);
    let best = (0..4).min_by(|a, b| errors[*a].total_cmp(&errors[*b])).unwrap_or(0);
    let (errors, guessed, size, scored) = over(middle, n);
    if scored < SCORED || size <= 0.0 {
        return Err(Error::data("without sales in the held-out steps"));
    }
    let skill = if guessed > 0.0 { 1.0 - errors[best] / guessed } else { 0.0 };
    Ok((errors[best] / size, skill, best))
}

impl Forecastability {
    fn finding(&self, panel: &Panel, found: &[(usize, Answer)], total: f64, horizon: usize) -> Result<Finding> {
        let noun = panel.frequency().noun();
        let percent = |share: f64| match 100.0 * share {
            p if p > 0.0 && p < 0.1 => "less than 0.1 %".to_string(),
            p => format!("{} %", rounded(p, i32::from(p < 10.0))),
        };
        let mut by_error: Vec<&(usize, Answer)> = found.iter().collect();
        by_error.sort_by(|a, b| a.1.error.total_cmp(&b.1.error));
        let mut reached = 0.0;
        let half = by_error
            .iter()
            .find(|(_, answer)| {
                reached += answer.sales.max(0.0);
                reached >= 0.5 * total
            })
            .map_or(f64::NAN, |(_, answer)| answer.error);
        let ahead = counted(horizon, noun, &format!("{noun}s"));
        let hardly: Vec<&Answer> =
            found.iter().map(|(_, answer)| answer).filter(|answer| answer.skill < HARDLY).collect();
        let of_hardly: f64 = hardly.iter().map(|answer| answer.sales.max(0.0)).sum::<f64>() / total;
        let sentence = match found {
            [(_, only)] => format!(
                "{ahead} ahead, a simple benchmark misses {} by {} of sales{}.",
                panel.columns().target(),
                percent(only.error),
                if only.skill < HARDLY { ", hardly better than guessing its mean" } else { "" }
            ),
            _ => {
                let hard = match hardly.len() {
                    0 => "every series is forecast better than by guessing its mean".to_string(),
                    n => format!(
                        "{} ({} of sales) {} hardly better than a guess of the mean",
                        counted(n, "series", "series"),
                        percent(of_hardly),
                        if n == 1 { "is" } else { "are" }
                    ),
                };
                format!(
                    "Half of the sales are in series that a simple benchmark forecasts {ahead} ahead to within about {}; {hard}.",
                    percent(half)
                )
            }
        };
        let mut order: Vec<usize> = (0..found.len()).collect();
        let missed = |at: &usize| found[*at].1.error * found[*at].1.sales.max(0.0);
        order.sort_by(|a, b| missed(b).total_cmp(&missed(a)));
        let largest = match order.first() {
            Some(first) if found.len() > 1 => {
                format!(" Most is missed in {}: {} a year.", panel.label(found[*first].0), about(missed(first)))
            }
            _ => String::new(),
        };
        order.truncate(self.top.max(1));
        let mut columns = panel.key_columns(order.iter().map(|at| found[*at].0))?;
        let real = |name: &str, pick: &dyn Fn(&Answer) -> f64| {
            Column::new(name.into(), order.iter().map(|at| pick(&found[*at].1)).collect::<Vec<_>>())
        };
        columns.push(real("sales a year", &|answer| answer.sales.round()));
        columns.push(real("error %", &|answer| 100.0 * answer.error));
        columns.push(real("missed a year", &|answer| (answer.error * answer.sales.max(0.0)).round()));
        columns.push(real("skill", &|answer| answer.skill));
        let best = order.iter().map(|at| BENCHMARKS[found[*at].1.best]).collect::<Vec<_>>();
        columns.push(Column::new("benchmark".into(), best));
        columns.push(real("season strength", &|answer| answer.season));
        columns.push(real("trend strength", &|answer| answer.trend));
        columns.push(real("CV", &|answer| answer.variation));
        let table = Table::new(DataFrame::new(order.len(), columns)?)
            .of_rows(found.len())
            .titled("Errors of the best benchmark, most missed first");
        let dot = |answer: &Answer| (answer.sales.max(1e-9).log10(), 100.0 * answer.error);
        let group = |name: &str, test: &dyn Fn(&Answer) -> bool| {
            let dots: Vec<(f64, f64)> = found
                .iter()
                .map(|(_, answer)| answer)
                .filter(|answer| answer.sales > 0.0 && test(answer))
                .map(dot)
                .collect();
            (name.to_string(), dots)
        };
        let groups = vec![
            group("better than a guess", &|answer| answer.skill >= HARDLY),
            group("hardly better than a guess", &|answer| answer.skill < HARDLY),
        ];
        let scatter = Scatter {
            title: "How far sales can be forecast, series by series".into(),
            value: format!("error {ahead} ahead, % of sales"),
            foot: format!("{} a year, power of ten", panel.columns().target()),
            groups: groups.into_iter().filter(|(_, dots)| !dots.is_empty()).collect(),
            curve: Vec::new(),
        };
        let finding = Finding::new("How far sales can be forecast", format!("{sentence}{largest}"), table)
            .drawn(scatter.figure());
        Ok(finding.but(format!(
            "Each of the last steps is forecast from what was known {ahead} before; the benchmark is chosen on the first half of \
             them and scored on the second. Fitted models may do better: a backtest says by how much. Hardly better than a \
             guess: an error of at least {} % of that of guessing the mean.",
            number(100.0 * (1.0 - HARDLY))
        )))
    }
}
