//! Do the intervals hold what they promise?
//!
//! Every actual value has a place in its forecast distribution, the probability that the forecast gave to less than it
//! (probability integral transform, Dawid 1984; Gneiting, Balabdaoui & Raftery 2007). If the distributions are right,
//! the places are spread evenly: a share p of them lies inside the central p interval, at each p. Too many at both
//! ends mean intervals that are too narrow, too many in the middle too wide ones, too many on one side a bias. Where a
//! distribution has steps, as counts have, a value has a range of places, over which it is spread evenly (Czado,
//! Gneiting & Held 2009).
//!
//! Says nothing of sharpness: an interval from the least to the greatest value ever seen is calibrated, too. The scaled
//! interval score (`sis80`, `pinball`) weighs both.

use polars::prelude::*;
use rayon::prelude::*;

use super::Backtest;
use super::significance::listed;
use crate::error::{Error, Result};
use crate::figures::Calibration;
use crate::forecast::Distribution;
use crate::models::{place, standard_normal};
use crate::show::{Finding, Table, number};

/// Equally probable parts of a distribution; the edge of part k is the k/40 quantile.
const PARTS: usize = 40;
/// The parts of which the histogram draws one bar.
const BAR: usize = 2;
/// Central intervals: what they promise, and the part whose lower edge is their lower end.
const LEVELS: [(f64, usize); 10] =
    [(0.1, 18), (0.2, 16), (0.3, 14), (0.4, 12), (0.5, 10), (0.6, 8), (0.7, 6), (0.8, 4), (0.9, 2), (0.95, 1)];
/// The levels of the table.
const SHOWN: [f64; 3] = [0.5, 0.8, 0.95];
/// Fewer values than these say nothing of an interval.
const JUDGED: f64 = 30.0;
/// From this difference to what is promised on, an interval is called too narrow or too wide.
const TOLERANCE: f64 = 0.05;

/// Where actual values lie in their forecast distributions.
#[derive(Clone)]
struct Places {
    count: f64,
    inside: [f64; LEVELS.len()],
    parts: [f64; PARTS],
}

impl Places {
    fn none() -> Self {
        Self { count: 0.0, inside: [0.0; LEVELS.len()], parts: [0.0; PARTS] }
    }

    fn add(&mut self, cell: &Distribution, step: usize, actual: f64, edges: &[f64]) {
        // How many edges lie below the value, and how many not above it: the same unless the distribution has steps.
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
        let at = LEVELS.iter().position(|(promised, _)| *promised == level)?;
        (self.count > 0.0).then(|| self.inside[at] / self.count)
    }

    fn curve(&self) -> Vec<(f64, f64)> {
        LEVELS.iter().zip(self.inside).map(|((promised, _), inside)| (*promised, inside / self.count)).collect()
    }

    /// The mean distance of the curve from what is promised.
    fn gap(&self) -> f64 {
        self.curve().iter().map(|(promised, observed)| (promised - observed).abs()).sum::<f64>() / LEVELS.len() as f64
    }

    /// The mean place: above one half where actual values are larger than forecast.
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
            middle if middle > 0.5 + TOLERANCE => ", forecasts low",
            middle if middle < 0.5 - TOLERANCE => ", forecasts high",
            _ => "",
        };
        format!("{width}{side}")
    }
}

impl Backtest {
    /// Do the intervals hold what they promise? For every model the share of actual values inside its intervals, the
    /// best calibrated first, and the mean gap between what ten levels promise and hold. The figure has a curve for each model,
    /// and where the actual values lie in the distribution of the first.
    ///
    /// # Errors
    /// When no model could be scored.
    pub fn calibration(&self) -> Result<Finding> {
        let inner = &*self.0;
        let all: Vec<Places> = (0..inner.models.len()).into_par_iter().map(|m| total(&self.places(m))).collect();
        let mut order: Vec<usize> = (0..all.len()).filter(|m| all[*m].count > 0.0).collect();
        order.sort_by(|a, b| all[*a].gap().total_cmp(&all[*b].gap()));
        let Some(&best) = order.first() else { return Err(Error::model("no model could be scored")) };
        let label = |m: usize| inner.models[m].as_str();

        let mut columns = vec![
            Column::new("model".into(), order.iter().map(|m| label(*m)).collect::<Vec<_>>()),
            Column::new("intervals".into(), order.iter().map(|m| all[*m].verdict()).collect::<Vec<_>>()),
        ];
        for level in SHOWN {
            let shares: Vec<Option<f64>> = order.iter().map(|m| all[*m].coverage(level)).collect();
            columns.push(Column::new(coverage_name(level).into(), shares));
        }
        columns.push(Column::new("gap".into(), order.iter().map(|m| all[*m].gap()).collect::<Vec<_>>()));
        let table = Table::new(DataFrame::new(order.len(), columns)?).titled("Coverage of the intervals").highlight(0);

        let named = |word: &str| {
            let those = order.iter().filter(|m| all[**m].verdict().starts_with(word)).map(|m| label(*m));
            let those: Vec<&str> = those.collect();
            (!those.is_empty()).then(|| format!(" {}: {}.", capital(word), listed(&those, 4)))
        };
        let lead = match order.len() {
            1 => format!("The only model is {}", label(best)),
            _ => format!("{} has the best calibrated intervals", label(best)),
        };
        let sentence = format!(
            "{lead}: its 80 % interval held {} of {} actual values, and over ten levels it misses what it \
             promises by {} \
             points on average.{}{}",
            percent(all[best].coverage(0.8)),
            number(all[best].count),
            number((1000.0 * all[best].gap()).round() / 10.0),
            named("too narrow").unwrap_or_default(),
            named("too wide").unwrap_or_default(),
        );
        let figure = Calibration {
            title: "Do the intervals hold what they promise?".into(),
            value: String::new(),
            curves: order.iter().map(|m| (label(*m).to_string(), all[*m].curve())).collect(),
            histogram: Some((label(best).to_string(), all[best].histogram())),
        };
        let finding = Finding::new("Do the intervals hold what they promise?", sentence, table).drawn(figure.figure());
        Ok(self.calibration_caveats(finding, all[best].count))
    }

    /// Do the intervals of one model hold what they promise, step by step?
    ///
    /// # Errors
    /// When there is no such model, or it could not be scored.
    pub fn calibration_of(&self, model: &str) -> Result<Finding> {
        let inner = &*self.0;
        let (m, model) = place(model, &inner.models)?;
        let steps = self.places(m);
        let all = total(&steps);
        if all.count == 0.0 {
            return Err(Error::model(format!("{model} could not be scored")));
        }
        let names = (1..=steps.len()).map(|step| step.to_string()).chain(["all".to_string()]);
        let rows: Vec<&Places> = steps.iter().chain([&all]).collect();
        let mut columns = vec![Column::new("step".into(), names.collect::<Vec<_>>())];
        for level in SHOWN {
            let shares: Vec<Option<f64>> = rows.iter().map(|places| places.coverage(level)).collect();
            columns.push(Column::new(coverage_name(level).into(), shares));
        }
        let real = |pick: fn(&Places) -> f64| -> Vec<Option<f64>> {
            rows.iter().map(|places| Some(pick(places)).filter(|value| value.is_finite())).collect()
        };
        columns.push(Column::new("gap".into(), real(Places::gap)));
        columns.push(Column::new("mean place".into(), real(Places::middle)));
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
            "{lead}: the 80 % interval held {} of {} actual values{growth}; the 95 % interval held {}.",
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
            title: format!("Do the intervals of {model} hold what they promise?"),
            value: String::new(),
            curves: shown,
            histogram: Some((model.to_string(), all.histogram())),
        };
        let finding = Finding::new(format!("The intervals of {model}"), sentence, table).drawn(figure.figure());
        Ok(self.calibration_caveats(finding, all.count))
    }

    fn calibration_caveats(&self, finding: Finding, count: f64) -> Finding {
        let folds = self.0.windows.len();
        let finding = finding.but(format!(
            "Actual values of one window lie on the same side together: {} of them from {folds} {} are worth far \
             fewer.",
            number(count),
            if folds == 1 { "fold" } else { "folds" }
        ));
        if count < 100.0 {
            finding.but("Fewer than 100 values: a share can be off by ten points by chance.")
        } else {
            finding
        }
    }

    /// Where the actual values lie in a model's distributions, step by step.
    fn places(&self, model: usize) -> Vec<Places> {
        let edges: Vec<f64> = (1..PARTS).map(|k| standard_normal(k as f64 / PARTS as f64)).collect();
        let mut steps = vec![Places::none(); self.0.folds.horizon()];
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

fn total(steps: &[Places]) -> Places {
    steps.iter().fold(Places::none(), Places::plus)
}

fn coverage_name(level: f64) -> String {
    format!("coverage{}", number(100.0 * level))
}

fn percent(share: Option<f64>) -> String {
    share.map_or("none".into(), |share| format!("{} %", number((100.0 * share).round())))
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
