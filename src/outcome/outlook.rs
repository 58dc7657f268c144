//! What do all series come to together, step by step? Means add up over series. Quantiles do not: those of the total come from one
//! model's joint sample paths.

use std::ops::Range;

use crate::error::Result;
use crate::explore::{by_week, days_to_a_week, total};
use crate::figures::{Line, TimeAxis};
use crate::forecast::{Forecast, Paths};
use crate::panel::Panel;
use crate::statistics::summary::quantile;

/// Joint sample paths.
const PATHS: usize = 2_000;
/// Ends of the interval that pages state, 80 %, and the level that is enough in nine of ten cases.
const LOW: f64 = 0.1;
const HIGH: f64 = 0.9;
/// The share by which a step is above the average to be told as the highest.
const STANDS_OUT: f64 = 0.05;

/// The mean of some values with the interval that holds 80 % of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spread {
    pub(super) mean: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Spread {
    /// Of sums of the steps of some paths, with the mean of the forecast: that of the paths differs from it by chance, and where
    /// paths cannot be negative.
    fn of(mean: f64, paths: &[Vec<f64>], steps: Range<usize>) -> Result<Self> {
        let values: Vec<f64> = paths.iter().map(|path| path[steps.clone()].iter().sum()).collect();
        Ok(Self { mean, low: quantile(&values, LOW)?, high: quantile(&values, HIGH)? })
    }
}

/// The total of all series.
pub(super) struct Outlook {
    pub(super) paths: Paths,
    /// Over the whole horizon.
    pub(super) sum: Spread,
    /// Step by step.
    pub(super) steps: Vec<Spread>,
    /// The same by the week where the steps are days and there are four weeks of them.
    pub(super) shown: Vec<Spread>,
    /// Steps to each of those.
    days: usize,
    /// The first step.
    pub(super) start: i64,
    /// The share by which the means are above the sales a year before, of the series and steps that have both; none without a year.
    pub(super) growth: Option<f64>,
}

impl Outlook {
    pub(super) fn of(forecast: &Forecast, model: &str, seed: u64) -> Result<Self> {
        let panel = forecast.panel();
        let paths = forecast.paths(PATHS, seed)?;
        let total = paths.total(model)?;
        let horizon = forecast.horizon();
        let mut means = vec![0.0; horizon];
        let counts = panel.counted()?;
        let keys = forecast.keys();
        let counted = keys.iter().zip(&counts).filter(|(_, counts)| **counts).map(|(key, _)| key);
        for of_series in counted.filter_map(|key| forecast.mean(model, key).ok()) {
            means.iter_mut().zip(of_series).for_each(|(sum, mean)| *sum += mean);
        }
        let of = |steps: Range<usize>| Spread::of(means[steps.clone()].iter().sum(), &total, steps);
        let steps = (0..horizon).map(|step| of(step..step + 1)).collect::<Result<Vec<_>>>()?;
        let days = if horizon >= 28 { days_to_a_week(&panel) } else { 1 };
        let weeks = (0..horizon / days).map(|week| of(week * days..(week + 1) * days));
        let shown = weeks.collect::<Result<Vec<_>>>()?;
        let start = (0..panel.len()).map(|i| forecast.start(i)).max().unwrap_or(0);
        let growth = growth(forecast, model, &panel)?;
        Ok(Self { sum: of(0..horizon)?, steps, shown, days, paths, start, growth })
    }

    /// The total of one series over the whole horizon; none where the model failed on it.
    pub(super) fn of_series(&self, forecast: &Forecast, model: &str, key: &str) -> Result<Option<Spread>> {
        let (Ok(paths), Ok(mean)) = (self.paths.of(model, key), forecast.mean(model, key)) else { return Ok(None) };
        Spread::of(mean.iter().sum(), &paths, 0..forecast.horizon()).map(Some)
    }

    /// The step with the highest mean, if it stands out of the others: means of a constant forecast differ by the chance of the
    /// paths alone.
    pub(super) fn peak(&self) -> Option<usize> {
        let by = |a: &usize, b: &usize| self.steps[*a].mean.total_cmp(&self.steps[*b].mean);
        let average = self.sum.mean / self.steps.len() as f64;
        let highest = (0..self.steps.len()).max_by(by)?;
        (self.steps[highest].mean - average > STANDS_OUT * average.abs()).then_some(highest)
    }

    /// The last season of the total and its forecast after it, by the week where [`shown`](Self::shown) is.
    pub(super) fn glance(&self, panel: &Panel) -> (TimeAxis, Line, Line) {
        let (axis, history, mean) = self.lines(panel);
        if self.days == 1 {
            return (axis, history, mean);
        }
        let (x, y) = by_week(panel, &history.x, &history.y);
        let y_mean = self.shown.iter().map(|week| week.mean).collect();
        let x_mean = mean.x.iter().step_by(self.days).take(self.shown.len()).copied().collect();
        (axis, Line { x, y, ..history }, Line { x: x_mean, y: y_mean, ..mean })
    }

    /// Has [`shown`](Self::shown) weeks of days?
    pub(super) fn is_weekly(&self) -> bool {
        self.days > 1
    }

    /// The last season of the total, and its forecast after it.
    pub(super) fn lines(&self, panel: &Panel) -> (TimeAxis, Line, Line) {
        let calendar = &panel.inner().calendar;
        let (first, sums) = total(panel);
        let long = panel.season().max(5 * self.steps.len()).max(26 * days_to_a_week(panel));
        let skipped = sums.len().saturating_sub(long);
        let history = Line {
            name: "sold".into(),
            x: (skipped..sums.len()).map(|t| calendar.x(first + t as i64)).collect(),
            y: sums[skipped..].to_vec(),
        };
        let mean = Line {
            name: "expected, with the range of 8 in 10 cases".into(),
            x: (0..self.steps.len() as i64).map(|step| calendar.x(self.start + step)).collect(),
            y: self.steps.iter().map(|step| step.mean).collect(),
        };
        let axis = if panel.frequency().is_whole() { TimeAxis::Steps } else { TimeAxis::Dates };
        (axis, history, mean)
    }
}

/// By which share the means are above the sales of the same steps a year before.
fn growth(forecast: &Forecast, model: &str, panel: &Panel) -> Result<Option<f64>> {
    let year = crate::explore::year(panel) as i64;
    let (mut now, mut then, mut cells) = (0.0, 0.0, 0);
    let counts = panel.counted()?;
    for (i, key) in forecast.keys().iter().enumerate().filter(|(i, _)| counts[*i]) {
        let Ok(means) = forecast.mean(model, key) else { continue };
        let (y, first) = (panel.regular(i), panel.positions(i).first().copied().unwrap_or(0));
        for (step, mean) in (0..).zip(means) {
            let before = usize::try_from(forecast.start(i) + step - year - first).ok().and_then(|at| y.get(at));
            if let Some(before) = before.filter(|before| !before.is_nan()) {
                now += mean;
                then += before;
                cells += 1;
            }
        }
    }
    // A comparison of a part would be told as one of the whole.
    let whole = 10 * cells >= 8 * counts.iter().filter(|counts| **counts).count() * forecast.horizon();
    Ok((whole && then > 0.0).then(|| now / then - 1.0))
}
