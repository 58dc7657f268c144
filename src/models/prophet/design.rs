//! What are seasons, holidays and regressors of a row? Columns of numbers, from its date and its covariates.
//!
//! A season of period P with K pairs is sin 2πkt/P and cos 2πkt/P for k = 1 … K, t in days since 1970 (in steps where time is
//! counted so); flags stand as they are, other covariates in standard deviations from their mean.

use std::f64::consts::TAU;

use serde::{Deserialize, Serialize};

use super::{Growth, Limit, Prophet, ProphetMode, ProphetTerms};
use crate::error::{Error, Result, suggestion};
use crate::models::Series;
use crate::panel::calendar::{DAY, StampKind};
use crate::panel::{Frequency, Role, parse_stamp};

/// From calendar positions to time on the model's scale: 0 at the first row, 1 at the last.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Clock {
    frequency: Frequency,
    start: f64,
    span: f64,
}

impl Clock {
    /// Days since 1970, or steps.
    fn days(&self, position: i64) -> f64 {
        match self.frequency.is_whole() {
            true => position as f64,
            false => self.frequency.stamp(position) as f64 / DAY as f64,
        }
    }

    pub fn time(&self, position: i64) -> f64 {
        (self.days(position) - self.start) / self.span
    }

    /// The time of a date as people write it.
    pub fn time_of(&self, date: &str) -> Result<f64> {
        let days = match self.frequency.is_whole() {
            true => self.frequency.position(parse_stamp(date, StampKind::Whole)?).0 as f64,
            false => parse_stamp(date, StampKind::Clock)? as f64 / DAY as f64,
        };
        Ok((days - self.start) / self.span)
    }

    /// The length of a step in days, or one.
    fn step(&self) -> f64 {
        if self.frequency.is_whole() { 1.0 } else { self.frequency.length() as f64 / DAY as f64 }
    }
}

/// A season as waves.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Waves {
    period: f64,
    order: usize,
    /// The covariate that says where they stand.
    condition: Option<usize>,
    multiplies: bool,
    prior: f64,
}

/// A covariate that explains.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Regressor {
    column: usize,
    /// What is taken from it, and what the rest is measured in.
    centre: f64,
    unit: f64,
    prior: f64,
}

/// A number, or the number of the covariate column that holds it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Bound {
    Value(f64),
    Column(usize),
}

/// The columns of a series.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Design {
    pub clock: Clock,
    waves: Vec<Waves>,
    regressors: Vec<Regressor>,
    regressors_multiply: bool,
    cap: Option<Bound>,
    floor: Option<Bound>,
}

/// Between which values a trend can move.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub floor: f64,
    /// Infinite where there is none.
    pub cap: f64,
}

/// What the values of a series are measured in.
pub(super) struct Range {
    pub scale: f64,
}

impl Design {
    /// The columns that the options ask for, before any row has been looked at.
    pub fn of(options: &Prophet, series: &Series) -> Result<Self> {
        let names: Vec<&str> = series.covariates.iter().map(|covariate| covariate.name).collect();
        let column = |name: &String| {
            names.iter().position(|there| there == name).ok_or_else(|| {
                Error::usage(format!(
                    "prophet names a covariate `{name}`{}",
                    match names.is_empty() {
                        true => ", and the panel has none".to_string(),
                        false => format!(" that the panel has not{}", suggestion(name, names.iter().copied())),
                    }
                ))
            })
        };
        let bound = |limit: &Option<Limit>| {
            let found = limit.as_ref().map(|limit| match limit {
                Limit::Value(value) => Ok(Bound::Value(*value)),
                Limit::Covariate(name) => column(name).map(Bound::Column),
            });
            found.transpose()
        };
        let multiplies = |mode: ProphetMode| mode == ProphetMode::Multiplicative;
        let own = options.seasons.iter().map(|season| {
            Ok(Waves {
                period: season.period,
                order: season.order,
                condition: season.condition.as_ref().map(column).transpose()?,
                multiplies: multiplies(season.mode.unwrap_or(options.seasonality_mode)),
                prior: season.prior.unwrap_or(options.seasonality_prior),
            })
        });
        let waves = own.collect::<Result<Vec<Waves>>>()?;
        let (cap, floor) = (bound(&options.cap)?, bound(&options.floor)?);
        let said: Vec<usize> = [cap, floor]
            .into_iter()
            .filter_map(|bound| match bound {
                Some(Bound::Column(column)) => Some(column),
                _ => None,
            })
            .chain(waves.iter().filter_map(|waves| waves.condition))
            .collect();
        let explains = |c: &usize| options.regressors && series.covariates[*c].role != Role::Fixed && !said.contains(c);
        let regressors = (0..series.covariates.len()).filter(explains);
        Ok(Self {
            clock: Clock { frequency: series.frequency, start: 0.0, span: 1.0 },
            waves,
            regressors: regressors.map(|column| Regressor { column, centre: 0.0, unit: 1.0, prior: 1.0 }).collect(),
            regressors_multiply: multiplies(options.seasonality_mode),
            cap,
            floor,
        })
    }

    /// The rows that nothing is missing of.
    pub fn complete(&self, series: &Series) -> Vec<usize> {
        let mut columns: Vec<usize> = self.regressors.iter().map(|regressor| regressor.column).collect();
        columns.extend(self.waves.iter().filter_map(|waves| waves.condition));
        columns.extend([self.cap, self.floor].into_iter().filter_map(|bound| match bound {
            Some(Bound::Column(column)) => Some(column),
            _ => None,
        }));
        let there = |t: &usize| columns.iter().all(|c| series.covariates[*c].values[*t].is_finite());
        (0..series.values.len()).filter(|t| series.values[*t].is_finite()).filter(there).collect()
    }

    /// Settles what the rows decide: the scale of time, which seasons of the calendar there are, units of regressors.
    pub fn settle(&mut self, options: &Prophet, series: &Series, complete: &[usize]) {
        let position = |t: usize| series.start + t as i64;
        let (first, last) = (complete[0], complete[complete.len() - 1]);
        let (start, end) = (self.clock.days(position(first)), self.clock.days(position(last)));
        (self.clock.start, self.clock.span) = (start, end - start);
        let nearest = complete.windows(2).map(|pair| pair[1] - pair[0]).min().unwrap_or(1) as f64 * self.clock.step();
        let mut calendar = |period: f64, enough: f64, usual: usize, terms: ProphetTerms| {
            let carried = ((period / self.clock.step() / 2.0).floor() as usize).min(usual);
            let order = match terms {
                ProphetTerms::Named(_) if end - start < enough || nearest >= period => 0,
                ProphetTerms::Named(_) => carried,
                ProphetTerms::Usual(wanted) => usize::from(wanted) * carried,
                ProphetTerms::Pairs(order) => order,
            };
            let multiplies = options.seasonality_mode == ProphetMode::Multiplicative;
            let prior = options.seasonality_prior;
            if order > 0 {
                self.waves.push(Waves { period, order, condition: None, multiplies, prior });
            }
        };
        if self.clock.frequency.is_whole() {
            let season = series.season as f64;
            if series.season > 1 {
                calendar(season, 2.0 * season, 10, options.yearly);
            }
        } else {
            calendar(365.25, 730.0, 10, options.yearly);
            calendar(7.0, 14.0, 3, options.weekly);
            calendar(1.0, 2.0, 4, options.daily);
        }
        let cells = |column: usize| complete.iter().map(move |t| series.covariates[column].values[*t]);
        // What never varied explains nothing.
        self.regressors.retain(|regressor| {
            let first = cells(regressor.column).next();
            cells(regressor.column).any(|cell| Some(cell) != first)
        });
        let n = complete.len() as f64;
        for regressor in &mut self.regressors {
            let column = regressor.column;
            regressor.prior = options.holidays_prior;
            if cells(column).any(|cell| cell != 0.0 && cell != 1.0) {
                let centre = cells(column).sum::<f64>() / n;
                let squares = cells(column).map(|cell| (cell - centre) * (cell - centre)).sum::<f64>();
                (regressor.centre, regressor.unit) = (centre, (squares / (n - 1.0)).sqrt());
                regressor.prior = options.regressor_prior;
            }
        }
    }

    /// How many columns there are.
    pub fn width(&self) -> usize {
        self.waves.iter().map(|waves| 2 * waves.order).sum::<usize>() + self.regressors.len()
    }

    /// The scale of each column's prior.
    pub fn scales(&self) -> Vec<f64> {
        let waves = self.waves.iter().flat_map(|waves| std::iter::repeat_n(waves.prior, 2 * waves.order));
        waves.chain(self.regressors.iter().map(|regressor| regressor.prior)).collect()
    }

    /// Does each column multiply the trend?
    pub fn multiplies(&self) -> Vec<bool> {
        let waves = self.waves.iter().flat_map(|waves| std::iter::repeat_n(waves.multiplies, 2 * waves.order));
        waves.chain(self.regressors.iter().map(|_| self.regressors_multiply)).collect()
    }

    /// Appends the cells of a row; `covariate` looks a covariate column up.
    pub fn row(&self, position: i64, covariate: impl Fn(usize) -> f64, cells: &mut Vec<f64>) {
        let days = self.clock.days(position);
        for waves in &self.waves {
            if waves.condition.is_some_and(|condition| covariate(condition) == 0.0) {
                cells.extend(std::iter::repeat_n(0.0, 2 * waves.order));
                continue;
            }
            let (sine, cosine) = (TAU * (days / waves.period).fract()).sin_cos();
            let (mut s, mut c) = (sine, cosine);
            for _ in 0..waves.order {
                cells.extend([s, c]);
                // sin and cos of the next multiple of the angle.
                (s, c) = (s * cosine + c * sine, c * cosine - s * sine);
            }
        }
        let measured = |regressor: &Regressor| (covariate(regressor.column) - regressor.centre) / regressor.unit;
        cells.extend(self.regressors.iter().map(measured));
    }

    /// What the cells of a row add to the trend, and what they multiply it by.
    pub fn effects(&self, cells: &[f64], coefficients: &[f64]) -> (f64, f64) {
        let (mut plus, mut times) = (0.0, 1.0);
        let mut rest = cells.iter().zip(coefficients).map(|(cell, coefficient)| cell * coefficient);
        for waves in &self.waves {
            *(if waves.multiplies { &mut times } else { &mut plus }) +=
                rest.by_ref().take(2 * waves.order).sum::<f64>();
        }
        *(if self.regressors_multiply { &mut times } else { &mut plus }) += rest.sum::<f64>();
        (plus, times)
    }

    /// Floor and cap of a row.
    pub fn limits(&self, covariate: impl Fn(usize) -> f64) -> Limits {
        let value = |bound: Option<Bound>| {
            bound.map(|bound| match bound {
                Bound::Value(value) => value,
                Bound::Column(column) => covariate(column),
            })
        };
        Limits { floor: value(self.floor).unwrap_or(0.0), cap: value(self.cap).unwrap_or(f64::INFINITY) }
    }

    /// Seasons as `10[365.25]`, and the names of coefficients.
    pub fn names(&self, growth: Growth) -> (String, Vec<String>) {
        let mut form = match growth {
            Growth::Linear => "linear",
            Growth::Logistic => "logistic",
            Growth::Flat => "flat",
        }
        .to_string();
        let mut names = Vec::with_capacity(self.width());
        for waves in &self.waves {
            form.push_str(&format!(" {}[{}]", waves.order, waves.period));
            for k in 1..=waves.order {
                names.extend([format!("sin {k}/{}", waves.period), format!("cos {k}/{}", waves.period)]);
            }
        }
        names.extend(self.regressors.iter().map(|regressor| format!("covariate {}", regressor.column + 1)));
        (form, names)
    }
}

impl Range {
    /// The greatest distance of a value from its floor, if every value lies within its limits.
    pub fn of(design: &Design, series: &Series, complete: &[usize]) -> Result<Self> {
        let mut scale = 0.0_f64;
        for t in complete {
            let y = series.values[*t];
            let Limits { floor, cap } = design.limits(|c| series.covariates[c].values[*t]);
            if design.cap.is_some() && !(floor..=cap).contains(&y) {
                let (side, limit, way) = if y > cap { ("cap", cap, "below") } else { ("floor", floor, "above") };
                return Err(Error::model(format!(
                    "the {side} of prophet, {limit}, lies {way} the data, which reach {y} (step {} of the series)",
                    t + 1
                )));
            }
            if cap <= floor {
                return Err(Error::model(format!(
                    "the cap of prophet, {cap}, does not lie above its floor, {floor} (step {} of the series)",
                    t + 1
                )));
            }
            scale = scale.max((y - floor).abs());
        }
        match scale {
            0.0 => Ok(Self { scale: 1.0 }),
            scale if scale.is_finite() => Ok(Self { scale }),
            _ => Err(Error::model("the values of the series leave the range of numbers")),
        }
    }
}
