//! How good are the forecasts, where are they worst, and what is wrong? Plain rows, ready for tables.

use std::collections::HashMap;

use chrono::NaiveDateTime;
use serde::Serialize;

use super::MonitorOptions;
use super::inputs::{self, Input};
use super::watched::{self, Wish};
use crate::alerts::{Open, Rules};
use crate::error::Result;
use crate::scores::{Sums, WINDOWS};
use crate::store::{Kind, Store};

/// The tables of a portfolio.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// By model and kind, window and step.
    pub accuracy: Vec<Accuracy>,
    /// By model and kind, the dearest first.
    pub worst: Vec<Worst>,
    /// The detectors, where rules ask for them.
    pub watched: Vec<Watched>,
    /// The alerts that go on, the dearest first.
    pub open: Vec<Open>,
    /// What was last found of each input.
    pub inputs: Vec<Input>,
}

/// The accuracy of a model and kind at a step over a window.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Accuracy {
    pub model: String,
    pub kind: Kind,
    /// Periods: 4, 13 or 52.
    pub window: usize,
    /// From 1.
    pub step: usize,
    /// The newest date with a score.
    pub newest: Option<NaiveDateTime>,
    /// Scores.
    pub count: u32,
    /// The sum of absolute errors over that of actuals, %.
    pub wape: Option<f64>,
    /// The sum of errors (forecast − actual) over that of actuals, %.
    pub bias: Option<f64>,
    /// The mean absolute error over that of the naive forecast.
    pub mase: Option<f64>,
    /// The share of actuals within the outermost interval, 0 to 1.
    pub coverage: Option<f64>,
    /// The mean pinball loss.
    pub pinball: Option<f64>,
}

/// A series whose errors at step 1 cost most over the last 13 periods.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Worst {
    pub model: String,
    pub kind: Kind,
    pub key: Vec<String>,
    /// What the errors cost; 0 where no costs are known, and the order is then that of `absolute`.
    pub money: f64,
    /// The sum of absolute errors, in units.
    pub absolute: f64,
    /// As in [`Accuracy`].
    pub wape: Option<f64>,
    /// As in [`Accuracy`].
    pub bias: Option<f64>,
    /// As in [`Accuracy`].
    pub coverage: Option<f64>,
}

/// The state of the detectors of a model and kind.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Watched {
    pub model: String,
    pub kind: Kind,
    /// Dates with actuals that are missing until they begin.
    pub dates_missing: usize,
    /// First and last date of the reference, once there is one.
    pub reference: Option<(NaiveDateTime, NaiveDateTime)>,
    /// Series that are watched.
    pub series: usize,
}

/// The periods over which the worst series are found.
const WORST: usize = 13;

pub(super) fn report(store: &mut Store, rules: &Rules, options: &MonitorOptions, worst: usize) -> Result<Report> {
    let mut report = Report { open: store.open_alerts()?, inputs: inputs::kept(store)?, ..Report::default() };
    let mut keys: HashMap<i64, Vec<String>> = HashMap::new();
    store.series(|series, key| {
        keys.insert(series, key);
        Ok(())
    })?;
    for track in store.tracks()? {
        for window in WINDOWS {
            for (step, sums) in (1..).zip(store.portfolio(track.id, window)?) {
                report.accuracy.push(Accuracy {
                    model: track.model.clone(),
                    kind: track.kind,
                    window,
                    step,
                    newest: track.newest,
                    count: sums.count,
                    wape: sums.wape(),
                    bias: sums.bias(),
                    mase: sums.mase(),
                    coverage: sums.coverage(),
                    pinball: sums.mean_pinball(),
                });
            }
        }
        let mut dearest: Vec<(f64, i64, Sums)> = Vec::new();
        store.by_series(track.id, WORST, |series, steps| {
            if let (Some(sums), Some(key)) = (steps.first(), keys.get(&series)) {
                let costs = (options.costs)(key);
                dearest.push((sums.money(costs.over, costs.under), series, *sums));
            }
            Ok(())
        })?;
        dearest.sort_by(|(a, x, one), (b, y, other)| {
            b.total_cmp(a).then(other.absolute.total_cmp(&one.absolute)).then(x.cmp(y))
        });
        report.worst.extend(dearest.into_iter().take(worst).filter_map(|(money, series, sums)| {
            Some(Worst {
                model: track.model.clone(),
                kind: track.kind,
                key: keys.get(&series)?.clone(),
                money,
                absolute: sums.absolute,
                wape: sums.wape(),
                bias: sums.bias(),
                coverage: sums.coverage(),
            })
        }));
        if let Some(wish) = Wish::of(rules, options, &track)? {
            report.watched.push(watched::state(store, &track, &wish)?);
        }
    }
    Ok(report)
}
