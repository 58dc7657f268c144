//! How does a panel become aligned, scaled series? Which columns there are, how each series is scaled, and on which steps
//! shops are closed.
//!
//! Every series is divided by its level, so that one function fits all. Where a known covariate implies that nothing is sold (a
//! closed shop), the value is treated as missing and forecast as 0: means are then those of open days.

use chrono::Datelike;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::cold_start::{Levels, numbered};
use super::scaling::SeriesScale;
use super::{AlignedSeries, GlobalOptions, Schema};
use crate::error::{Error, Result};
use crate::fitting::{closures, end, is_flag};
use crate::panel::normalise::Scale;
use crate::panel::{Future, Normalise, Panel, Role, order};
use crate::progress;

/// The most values of a key that is a categorical feature.
const MAX_CATEGORIES: usize = 250;

/// Aligns and scales the series of a panel, and of later states of it, in the same way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct FeatureExtractor {
    pub schema: Schema,
    /// The columns of the covariate matrix that vary, by role and in the order of their names.
    known: Vec<usize>,
    observed: Vec<usize>,
    fixed: Vec<usize>,
    /// The observed ones that have a value somewhere.
    observed_once: Vec<usize>,
    /// All known ones, which must be given with the future.
    required: Vec<usize>,
    /// Known columns and the value at which nothing is sold.
    closed: Vec<(usize, f64)>,
    /// The scale of each series, or why it cannot be fitted.
    scales: Vec<std::result::Result<SeriesScale, String>>,
    /// Are all values non-negative?
    pub positive: bool,
    /// By key column, the code of each series' value.
    keys: Vec<Vec<f64>>,
}

impl FeatureExtractor {
    /// Of a panel under a transformation.
    pub fn of(panel: &Panel, (normalise, lambda): (Normalise, Option<f64>), options: &GlobalOptions) -> Result<Self> {
        let matrix = panel.matrix()?;
        let read = |wanted: Role| options.regressors || wanted == Role::Fixed;
        let varying = order::varying(panel)?;
        let of_role = |wanted: Role| -> Vec<usize> {
            varying.iter().copied().filter(|c| matrix.sources[*c].1 == wanted && read(wanted)).collect()
        };
        let (known, observed, fixed) = (of_role(Role::Known), of_role(Role::Observed), of_role(Role::Fixed));
        let is_required = |c: &usize| matrix.sources[*c].1 == Role::Known && read(Role::Known);
        let required = (0..matrix.columns.len()).filter(is_required).collect();
        let names = |columns: &[usize]| columns.iter().map(|c| matrix.names[*c].clone()).collect();
        let flags: Vec<usize> = (0..known.len()).filter(|k| is_flag(&matrix.columns[known[*k]])).collect();
        let columns: Vec<usize> = flags.iter().map(|k| known[*k]).collect();
        let place = |column: usize| known.iter().position(|known| *known == column);
        let closed = closures(panel, &columns)?;
        let closed = closed.into_iter().filter_map(|(column, value)| Some((place(column)?, value))).collect();
        let season = panel.season().max(1);
        let is_observed = |c: &&usize| matrix.columns[**c].iter().any(|v| !v.is_nan());
        let observed_once = observed.iter().filter(is_observed).copied().collect();
        let order = order::by_content(panel)?;
        let keys = keys(panel, &order);
        let schema = Schema {
            season,
            year: year(panel),
            calendar: calendar_names(panel).iter().map(ToString::to_string).collect(),
            known: names(&known),
            flags,
            observed: names(&observed),
            fixed: names(&fixed),
            keys: keys.iter().map(|(name, _)| name.clone()).collect(),
        };
        let keys = keys.into_iter().map(|(_, numbers)| numbers).collect();
        let scales = Vec::new();
        let mut extractor =
            Self { schema, known, observed, fixed, observed_once, required, closed, scales, positive: true, keys };
        for i in 0..panel.len() {
            extractor.positive &= extractor.open_values(panel, i)?.iter().all(|y| y.is_nan() || *y >= 0.0);
        }
        extractor.before(panel, (normalise, lambda), options, 0)
    }

    /// The same with the scale that each series had before its last `held_out` steps: who is to forecast these must not know how
    /// much was sold in them.
    ///
    /// # Errors
    /// When covariates cannot be read.
    pub fn before(
        mut self,
        panel: &Panel,
        (normalise, lambda): (Normalise, Option<f64>),
        options: &GlobalOptions,
        held_out: usize,
    ) -> Result<Self> {
        let mut cold = Vec::new();
        let mut scales = Vec::with_capacity(panel.len());
        for i in 0..panel.len() {
            let mut values = self.open_values(panel, i)?;
            let transformation = Scale::of(normalise, lambda, &values, self.schema.season);
            values.truncate(values.len().saturating_sub(held_out));
            if values.iter().all(|y| y.is_nan()) {
                cold.push(i);
            }
            scales.push(match transformation {
                Ok((transformation, all)) => Ok(options.scale.scale(transformation, &all[..values.len()])),
                Err(why) => Err(why.to_string()),
            });
        }
        if !cold.is_empty() {
            let warm = |i: usize| scales[i].as_ref().ok().copied().filter(|_| cold.binary_search(&i).is_err());
            let known: Vec<Option<SeriesScale>> = (0..panel.len()).map(warm).collect();
            let levels = Levels::of(panel, &known)?;
            for i in cold {
                scales[i] = levels.of_series(i).ok_or_else(|| "no series has values to train on".to_string());
            }
        }
        self.scales = scales;
        Ok(self)
    }

    /// The number of series.
    pub fn len(&self) -> usize {
        self.scales.len()
    }

    /// The scale of a series.
    ///
    /// # Errors
    /// When it cannot be fitted.
    pub fn scale(&self, series: usize) -> Result<SeriesScale> {
        self.scales[series].as_ref().copied().map_err(|why| Error::model(why.as_str()))
    }

    /// The values of a series, NaN where shops are closed.
    fn open_values(&self, panel: &Panel, series: usize) -> Result<Vec<f64>> {
        let matrix = panel.matrix()?;
        let mut values = panel.regular(series).into_owned();
        for (k, value) in &self.closed {
            let column = panel.regular_column(series, &matrix.columns[self.known[*k]]);
            values.iter_mut().zip(column.iter()).filter(|(_, v)| *v == value).for_each(|(y, _)| *y = f64::NAN);
        }
        Ok(values)
    }

    /// The history of a series and the known covariates of `future`: the number of steps before the future begins (the history
    /// and the gap), and the aligned series to its end.
    ///
    /// # Errors
    /// When the series cannot be fitted.
    pub fn align(&self, panel: &Panel, series: usize, future: Option<&Future>) -> Result<(usize, AlignedSeries)> {
        let scale = self.scale(series)?;
        let matrix = panel.matrix()?;
        let mut y: Vec<f64> = self.open_values(panel, series)?.iter().map(|y| scale.scaled(*y)).collect();
        if y.iter().zip(self.open_values(panel, series)?).any(|(z, y)| !z.is_finite() && !y.is_nan()) {
            return Err(Error::model("a new value lies outside the range of the transformation"));
        }
        let start = panel.positions(series).first().copied().unwrap_or(0);
        let history = y.len();
        let (begins, ahead) = match future {
            None => (history, 0),
            Some(future) => {
                let begins = usize::try_from(future.start(series) - start).unwrap_or(0);
                if begins < history {
                    return Err(Error::usage("the future starts before the series ends"));
                }
                (begins, future.horizon())
            }
        };
        y.resize(begins + ahead, f64::NAN);
        let coming = future.map(|future| future.columns(series));
        let column = |c: &usize| {
            let mut values = panel.regular_column(series, &matrix.columns[*c]).into_owned();
            values.resize(begins, f64::NAN);
            values.extend(coming.iter().flat_map(|columns| columns[*c].iter()));
            values
        };
        let last = |c: &usize| {
            let past = panel.column_of(series, &matrix.columns[*c]);
            past.iter().rev().copied().find(|v| !v.is_nan()).unwrap_or(f64::NAN)
        };
        let aligned = AlignedSeries {
            start,
            known: self.known.iter().map(column).collect(),
            observed: self.observed.iter().map(column).collect(),
            fixed: self.fixed.iter().map(last).collect(),
            keys: self.keys.iter().map(|numbers| numbers[series]).collect(),
            level: scale.log_level(),
            calendar: calendar(panel, start, y.len()),
            y,
        };
        Ok((begins, aligned))
    }

    /// The history of every series that can be fitted.
    ///
    /// # Errors
    /// When the user interrupts.
    pub fn histories(&self, panel: &Panel) -> Result<Vec<Option<AlignedSeries>>> {
        let history = |i: usize| {
            progress::check()?;
            Ok(self.align(panel, i, None).ok().map(|(_, series)| series))
        };
        (0..panel.len()).into_par_iter().map(history).collect()
    }

    /// Must the future values of a column of the covariate matrix be given? Those of an observed one only for recursive
    /// forecasts, and if it was ever observed.
    pub fn requires(&self, column: usize, recursive: bool) -> bool {
        self.required.contains(&column) || (recursive && self.observed_once.contains(&column))
    }

    /// The gap between the history of a series and a future, in steps.
    pub fn lead(&self, panel: &Panel, series: usize, future: &Future) -> usize {
        usize::try_from(future.start(series) - end(panel, series)).unwrap_or(0)
    }

    /// Are shops closed at a step of a series?
    pub fn is_closed(&self, series: &AlignedSeries, t: usize) -> bool {
        self.closed.iter().any(|(k, value)| series.known[*k][t] == *value)
    }
}

/// The key columns with few enough values to be categorical features, by name, and the code of each series' value: values are
/// ranked by the mean level of their series, whatever they are called.
fn keys(panel: &Panel, order: &[usize]) -> Vec<(String, Vec<f64>)> {
    let mut columns: Vec<_> = panel.inner().keys.columns().iter().collect();
    columns.sort_by_key(|column| column.name().clone());
    let numbered = columns.into_iter().map(|column| {
        let text = |i: usize| column.get(i).map_or_else(|_| String::new(), |value| value.to_string());
        let (groups, count) = numbered((0..panel.len()).map(text).collect());
        // By value: the sum of the levels of its series, their number, and the place of the first of them.
        let mut values = vec![(0.0, 0.0, usize::MAX); count];
        for (place, i) in order.iter().enumerate() {
            let (sum, n, first) = &mut values[groups[*i]];
            let there = || panel.target(*i).iter().filter(|y| !y.is_nan());
            let steps = there().count() as f64;
            let size = there().map(|y| y.abs() / steps).sum::<f64>();
            (*sum, *n, *first) = (*sum + size, *n + 1.0, place.min(*first));
        }
        let mut places: Vec<usize> = (0..count).collect();
        let mean = |k: usize| values[k].0 / values[k].1;
        places.sort_by(|a, b| mean(*a).total_cmp(&mean(*b)).then(values[*a].2.cmp(&values[*b].2)));
        let mut numbers = vec![0.0; count];
        places.iter().enumerate().for_each(|(number, k)| numbers[*k] = number as f64);
        (column.name().to_string(), groups.iter().map(|k| numbers[*k]).collect(), count)
    });
    numbered
        .filter(|(.., count)| (2..=MAX_CATEGORIES).contains(count))
        .map(|(name, numbers, _)| (name, numbers))
        .collect()
}

/// Steps in the season above that of the panel.
fn year(panel: &Panel) -> Option<usize> {
    let (frequency, season) = (panel.frequency(), panel.season());
    match (frequency.noun(), frequency.week()?) {
        ("hour", week) if season == frequency.season() && season < week => Some(week),
        ("day", week) if season == week => Some(52 * week),
        _ => None,
    }
}

fn calendar_names(panel: &Panel) -> &'static [&'static str] {
    match panel.frequency().noun() {
        "hour" => &["weekday", "day of month", "month"],
        "day" => &["day of month", "month", "day of year"],
        "week" => &["day of month", "month", "week of year"],
        "month" | "quarter" => &["month", "year"],
        _ => &[],
    }
}

/// The calendar features of a number of steps, by column.
fn calendar(panel: &Panel, start: i64, steps: usize) -> Vec<Vec<f64>> {
    let names = calendar_names(panel);
    let calendar = &panel.inner().calendar;
    let mut columns = vec![Vec::with_capacity(steps); names.len()];
    if names.is_empty() {
        return columns;
    }
    for position in start..start + steps as i64 {
        let day = calendar.period(position, None).map(|(first, _)| first);
        for (column, name) in columns.iter_mut().zip(names) {
            column.push(day.map_or(f64::NAN, |day| match *name {
                "weekday" => f64::from(day.weekday().num_days_from_monday()),
                "day of month" => f64::from(day.day()),
                "month" => f64::from(day.month()),
                "day of year" => f64::from(day.ordinal()),
                "week of year" => f64::from(day.iso_week().week()),
                _ => f64::from(day.year()),
            }));
        }
    }
    columns
}
