//! Are the forecast distributions calibrated?
//!
//! The probability integral transform (PIT) of an actual value is the probability that the forecast gave to smaller
//! values (Dawid 1984; Gneiting, Balabdaoui & Raftery 2007). For a calibrated forecast the PIT is uniform, and a share
//! p of the actual values lies inside the central p interval, for each p. A PIT histogram that is high at both ends
//! means intervals that are too narrow, one that is high in the middle intervals that are too wide, a lopsided one
//! bias. For discrete distributions, such as those of counts, the PIT is spread over its range (Czado, Gneiting & Held
//! 2009).
//!
//! Calibration says nothing of sharpness: an interval from the smallest to the largest value ever observed is
//! calibrated, too. The scaled interval score and the pinball loss measure both.

use polars::prelude::*;
use rayon::prelude::*;

use super::Backtest;
use crate::error::{Error, Result};
use crate::figures::Calibration;
use crate::forecast::Distribution;
use crate::models::{place, standard_normal};
use crate::show::words::{capital, counted, listed, rounded};
use crate::show::{Finding, Table, number};

/// Equally probable bins of a distribution; the upper edge of bin k is the k/40 quantile.
const PARTS: usize = 40;
/// Bins per bar of the histogram.
const BAR: usize = 2;
/// Central intervals: their nominal coverage, and the bin whose lower edge is their lower end.
const LEVELS: [(f64, usize); 10] =
    [(0.1, 18), (0.2, 16), (0.3, 14), (0.4, 12), (0.5, 10), (0.6, 8), (0.7, 6), (0.8, 4), (0.9, 2), (0.95, 1)];
const TITLE: &str = "Are the intervals well calibrated?";
/// The levels of the table.
const SHOWN: [f64; 3] = [0.5, 0.8, 0.95];
/// The fewest values from which coverage is judged.
const JUDGED: f64 = 30.0;
/// How far coverage may be from nominal before an interval is called too narrow or too wide.
const TOLERANCE: f64 = 0.05;

/// The PIT histogram of actual values, and how many of them each central interval covers.
#[derive(Clone)]
struct Pit {
    count: f64,
    inside: [f64; LEVELS.len()],
    parts: [f64; PARTS],
}

impl Pit {
    fn none() -> Self {
        Self { count: 0.0, inside: [0.0; LEVELS.len()], parts: [0.0; PARTS] }
    }

    fn add(&mut self, cell: &Distribution, step: usize, actual: f64, edges: &[f64]) {
        // How many edges lie below the value, and how many not above it: the same unless the distribution is discrete.
        let below = edges.partition_point(|z| cell.at(step, *z) < actual);
        let up_to = below + edges[below..].partition_point(|z| cell.at(step, *z) <= actual);
        self.count += 1.0;
        let share = 1.0 / (up_to - below + 1) as f64;
        self.parts[below..=up_to].iter_mut().for_each(|part| *part += share);
        for (inside, (_, low)) in self.inside.iter_mut().zip(LEVELS) {
            *inside += f64::from(u8::from(up_to >= low && below < PARTS - low));
        }
    }

    fn plus(mut self, other: &Self) -> Self {
        self.count += other.count;
        self.inside.iter_mut().zip(other.inside).for_each(|(a, b)| *a += b);
        self.parts.iter_mut().zip(other.parts).for_each(|(a, b)| *a += b);
        self
    }

    fn coverage(&self, level: f64) -> Option<f64> {
        let at = LEVELS.iter().position(|(nominal, _)| *nominal == level)?;
        (self.count > 0.0).then(|| self.inside[at] / self.count)
    }

    fn curve(&self) -> Vec<(f64, f64)> {
        LEVELS.iter().zip(self.inside).map(|((nominal, _), inside)| (*nominal, inside / self.count)).collect()
    }

    /// The mean absolute difference between nominal and observed coverage.
    fn gap(&self) -> f64 {
        self.curve().iter().map(|(nominal, observed)| (nominal - observed).abs()).sum::<f64>() / LEVELS.len() as f64
    }

    /// The mean PIT: above one half where actual values are larger than forecast.
    fn middle(&self) -> f64 {
        let place = |(at, share): (usize, &f64)| (at as f64 + 0.5) / PARTS as f64 * share;
        self.parts.iter().enumerate().map(place).sum::<f64>() / self.count
    }

    fn histogram(&self) -> Vec<f64> {
        self.parts.chunks(BAR).map(|parts| parts.iter().sum::<f64>() / self.count).collect()
    }

    fn verdict(&self) -> String {
        let width = match self.coverage(0.8) {
            None => return "not scored".into(),
            Some(_) if self.count < JUDGED => return "too few values to judge".into(),
            Some(share) if share < 0.8 - TOLERANCE => "too narrow",
            Some(share) if share > 0.8 + TOLERANCE => "too wide",
            Some(_) => "about right",
        };
        let side = match self.middle() {
            middle if middle > 0.5 + TOLERANCE => ", forecasts too low",
            middle if middle < 0.5 - TOLERANCE => ", forecasts too high",
            _ => "",
        };
        format!("{width}{side}")
    }
}

impl Backtest {
    /// Are the intervals well calibrated? For every model, the best calibrated first: the share of actual values inside
    /// its intervals (0 to 1), and `calibration error`, the mean absolute difference between nominal and observed coverage
    /// over ten levels. The figure shows observed against nominal coverage for each model, and the PIT histogram of the first.
    ///
    /// # Errors
    /// When no model could be scored.
    pub fn calibration(&self) -> Result<Finding> {
        let inner = &*self.0;
        let all: Vec<Pit> = (0..inner.models.len()).into_par_iter().map(|m| total(&self.pit(m))).collect();
        let mut order: Vec<usize> = (0..all.len()).filter(|m| all[*m].count > 0.0).collect();
        order.sort_by(|a, b| all[*a].gap().total_cmp(&all[*b].gap()));
        let Some(&best) = order.first() else { return Err(Error::model("no model could be scored")) };
        let names = self.names();
        let name = |m: usize| names[m].as_str();

        let mut columns = vec![
            Column::new("model".into(), order.iter().map(|m| inner.models[*m].as_str()).collect::<Vec<_>>()),
            Column::new("intervals".into(), order.iter().map(|m| all[*m].verdict()).collect::<Vec<_>>()),
        ];
        for level in SHOWN {
            let shares: Vec<Option<f64>> = order.iter().map(|m| all[*m].coverage(level)).collect();
            columns.push(Column::new(coverage_name(level).into(), shares));
        }
        columns.push(Column::new("calibration error".into(), order.iter().map(|m| all[*m].gap()).collect::<Vec<_>>()));
        let table = Table::new(DataFrame::new(order.len(), columns)?).titled("Coverage of the intervals").highlight(0);

        let named = |word: &str| {
            let those = order.iter().filter(|m| all[**m].verdict().starts_with(word)).map(|m| name(*m));
            let those: Vec<&str> = those.collect();
            (!those.is_empty()).then(|| format!(" {}: {}.", capital(word), listed(&those, 4)))
        };
        let lead = match order.len() {
            1 => format!("The only model is {}", name(best)),
            _ => format!("{} has the best calibrated intervals", name(best)),
        };
        let sentence = format!(
            "{lead}: its 80 % interval covered {} of {} actual values, and over ten levels coverage is off by {} \
             percentage points on average.{}{}",
            percent(all[best].coverage(0.8)),
            number(all[best].count),
            rounded(100.0 * all[best].gap(), 1),
            named("too narrow").unwrap_or_default(),
            named("too wide").unwrap_or_default(),
        );
        let figure = Calibration {
            title: TITLE.into(),
            value: String::new(),
            curves: order.iter().map(|m| (name(*m).to_string(), all[*m].curve())).collect(),
            histogram: Some((name(best).to_string(), all[best].histogram())),
        };
        let shown = table.with("model", order.iter().map(|m| name(*m)))?;
        let finding = Finding::new(TITLE, sentence, table).shown_as(shown).drawn(figure.figure());
        Ok(self.calibration_caveats(finding, all[best].count))
    }

    /// Are the intervals of one model well calibrated, step by step ahead? A row per step and one for all of them:
    /// coverage at 50, 80 and 95 %, `calibration error` as in [`calibration`](Self::calibration), and the mean PIT (`mean place`),
    /// above 0.5 where forecasts are too low.
    ///
    /// # Errors
    /// When there is no such model, or it could not be scored.
    pub fn calibration_of(&self, model: &str) -> Result<Finding> {
        let inner = &*self.0;
        let (m, model) = place(model, &inner.models)?;
        let steps = self.pit(m);
        let all = total(&steps);
        if all.count == 0.0 {
            return Err(Error::model(format!("{model} could not be scored")));
        }
        let model = self.names().swap_remove(m);
        let names = (1..=steps.len()).map(|step| step.to_string()).chain(["all".to_string()]);
        let rows: Vec<&Pit> = steps.iter().chain([&all]).collect();
        let mut columns = vec![Column::new("step".into(), names.collect::<Vec<_>>())];
        for level in SHOWN {
            let shares: Vec<Option<f64>> = rows.iter().map(|pit| pit.coverage(level)).collect();
            columns.push(Column::new(coverage_name(level).into(), shares));
        }
        let real = |pick: fn(&Pit) -> f64| -> Vec<Option<f64>> {
            rows.iter().map(|pit| Some(pick(pit)).filter(|value| value.is_finite())).collect()
        };
        columns.push(Column::new("calibration error".into(), real(Pit::gap)));
        columns.push(Column::new("mean place".into(), real(Pit::middle)));
        let table = Table::new(DataFrame::new(rows.len(), columns)?)
            .titled(format!("Coverage of {model} by step ahead"))
            .highlight(rows.len() - 1);
        let growth = match (steps.first(), steps.last()) {
            (Some(first), Some(last)) if steps.len() > 1 && first.count.min(last.count) >= JUDGED => format!(
                ", {} at the first step and {} at the last",
                percent(first.coverage(0.8)),
                percent(last.coverage(0.8))
            ),
            _ => String::new(),
        };
        let lead = if all.count < JUDGED {
            format!("Too few values to judge the intervals of {model}")
        } else {
            format!("The intervals of {model} are {}", all.verdict())
        };
        let sentence = format!(
            "{lead}: the 80 % interval covered {} of {} actual values{growth}; the 95 % interval covered {}.",
            percent(all.coverage(0.8)),
            number(all.count),
            percent(all.coverage(0.95)),
        );
        let last = steps.len() - 1;
        let mut shown = vec![("all steps".to_string(), all.curve())];
        let mut some = vec![0, last / 2, last];
        some.dedup();
        shown.extend(some.into_iter().filter(|_| last > 0).map(|s| (format!("step {}", s + 1), steps[s].curve())));
        let figure = Calibration {
            title: format!("Are the intervals of {model} well calibrated?"),
            value: String::new(),
            curves: shown,
            histogram: Some((model.clone(), all.histogram())),
        };
        let finding = Finding::new(format!("The intervals of {model}"), sentence, table).drawn(figure.figure());
        Ok(self.calibration_caveats(finding, all.count))
    }

    fn calibration_caveats(&self, finding: Finding, count: f64) -> Finding {
        let folds = self.0.windows.len();
        let finding = finding.but(format!(
            "Errors within a window are correlated: {} values from {} carry the information of far fewer.",
            number(count),
            counted(folds, "fold", "folds")
        ));
        if count < 100.0 {
            finding.but("With fewer than 100 values, coverage can be off by ten percentage points by chance.")
        } else {
            finding
        }
    }

    /// The PIT of a model's forecasts, step by step ahead.
    fn pit(&self, model: usize) -> Vec<Pit> {
        let edges: Vec<f64> = (1..PARTS).map(|k| standard_normal(k as f64 / PARTS as f64)).collect();
        let mut steps = vec![Pit::none(); self.0.folds.horizon()];
        for (fold, series, _) in self.cases(model) {
            let window = &self.0.windows[fold];
            let Some(cell) = window.forecast.cell(model, series) else { continue };
            for (step, actual) in window.actuals[series].iter().enumerate().filter(|(_, y)| !y.is_nan()) {
                steps[step].add(cell, step, *actual, &edges);
            }
        }
        steps
    }
}

fn total(steps: &[Pit]) -> Pit {
    steps.iter().fold(Pit::none(), Pit::plus)
}

fn coverage_name(level: f64) -> String {
    format!("coverage{}", number(100.0 * level))
}

fn percent(share: Option<f64>) -> String {
    share.map_or("none".into(), |share| format!("{} %", number((100.0 * share).round())))
}
