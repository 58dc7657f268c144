//! Long seasons, broken seasons, several seasons: waves for the season, ARIMA for the rest.
//!
//! yₜ = Σᵢ Σₖ (aᵢₖ sin 2πkt/mᵢ + bᵢₖ cos 2πkt/mᵢ) + Σ βⱼxⱼₜ + nₜ with k = 1 … Kᵢ and n a nonseasonal ARIMA process: dynamic harmonic
//! regression (Young, Pedregal & Tych 1999; Hyndman & Athanasopoulos, 3rd ed., §10.5). A season need not be a whole number
//! of steps (365.25 days, 52.18 weeks), and costs 2K coefficients however long it is. The Kᵢ are chosen by AICc, one
//! season at a time, with the order of n that suits as many waves as may be tried: differences, which AICc cannot compare,
//! are settled once, and waves that an autoregression could imitate are not left to it. Then n is chosen anew. The season is taken to be the same every year.
//!
//! Looks at the last steps of a long series, as ARIMA does, and fails where that does: on a series with no more complete rows than columns.

use std::f64::consts::TAU;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::arima::{Arima, Regression, recent};
use super::{Ahead, BoxCox, Criterion, Description, FittedSeries, Method, Series, SeriesModel};
use crate::error::{Error, Result};
use crate::panel::Role;
use crate::progress;

/// Options of `harmonic`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Harmonic {
    /// Steps in each season, whole numbers or not; the panel's season if not given.
    pub seasons: Vec<f64>,
    /// Fourier terms (pairs of sine and cosine) for each season; chosen by AICc if not given.
    pub terms: Option<Vec<usize>>,
    /// The largest number of Fourier terms of a season.
    pub max_terms: usize,
    /// The orders p, d, q of the ARIMA errors; chosen if not given.
    pub order: Option<[usize; 3]>,
    /// A Box-Cox transformation: its power, or `auto`.
    pub box_cox: Option<BoxCox>,
    /// Are covariates regressors, known and observed ones?
    pub regressors: bool,
}

impl Default for Harmonic {
    fn default() -> Self {
        Self { seasons: Vec::new(), terms: None, max_terms: 10, order: None, box_cox: None, regressors: true }
    }
}

/// A fitted harmonic regression.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FittedHarmonic {
    model: Regression,
    waves: Waves,
    /// The covariate columns that are regressors.
    columns: Vec<usize>,
    /// The calendar position after the last value.
    next: i64,
}

impl Method for Harmonic {
    const NAME: &str = "harmonic";
    const TITLE: &str = "Dynamic harmonic regression";
    const SUMMARY: &str = "Dynamic harmonic regression: Fourier terms for long or several seasons, ARIMA errors";
    const EXAMPLE: &str = "harmonic(seasons=[52.18], max_terms=4)";
    const ALSO: &str = "dynamic harmonic regression, dhr, harmonic regression, fourier arima";
    const SEARCH: &[(&str, &[&str])] = &[("max_terms", &["2", "5", "10"]), ("box_cox", &["auto", "0"])];
    type Scope = super::Local;
    type Fitted = FittedHarmonic;

    fn check(&self) -> Result<()> {
        super::check_box_cox(self.box_cox)?;
        if let Some(season) = self.seasons.iter().find(|season| **season < 2.0 || !season.is_finite()) {
            return Err(Error::usage(format!("a season of harmonic is at least 2 steps, not {season}")));
        }
        match &self.terms {
            Some(terms) if terms.len() != self.seasons.len().max(1) => Err(Error::usage(format!(
                "harmonic wants as many `terms` as `seasons`, {}, not {}",
                self.seasons.len().max(1),
                terms.len()
            ))),
            _ => self.errors().check(),
        }
    }
}

/// Sines and cosines of several seasons.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Waves {
    seasons: Vec<f64>,
    terms: Vec<usize>,
}

impl Waves {
    /// The most pairs that a season can carry: above half of it, a wave repeats one below.
    fn most(season: f64) -> usize {
        (season / 2.0).floor() as usize
    }

    /// One column per wave over the calendar positions from `start`, and their names.
    fn columns(&self, start: i64, n: usize) -> (Vec<Vec<f64>>, Vec<String>) {
        let (mut columns, mut names) = (Vec::new(), Vec::new());
        for (season, terms) in self.seasons.iter().zip(&self.terms) {
            for k in 1..=*terms {
                let angle = |t: usize| TAU * ((start + t as i64) as f64 * k as f64).rem_euclid(*season) / season;
                // The sine of half a season is zero at every step.
                if 2.0 * k as f64 != *season {
                    columns.push((0..n).map(|t| angle(t).sin()).collect());
                    names.push(format!("sin {k}/{season}"));
                }
                columns.push((0..n).map(|t| angle(t).cos()).collect());
                names.push(format!("cos {k}/{season}"));
            }
        }
        (columns, names)
    }
}

/// Steps in the longest season.
fn longest(seasons: &[f64]) -> usize {
    seasons.iter().copied().fold(1.0, f64::max).ceil() as usize
}

impl SeriesModel for Harmonic {
    fn reads_covariates(&self) -> bool {
        self.regressors
    }

    fn box_cox(&self) -> Option<BoxCox> {
        self.box_cox
    }

    fn fit(&self, series: &Series) -> Result<Box<dyn FittedSeries>> {
        let seasons = match self.seasons.is_empty() {
            false => self.seasons.clone(),
            true if series.season > 1 => vec![series.season as f64],
            true => Vec::new(),
        };
        let (series, before) = recent(series, longest(&seasons));
        let read = |c: &usize| self.regressors && series.covariates[*c].role != Role::Fixed;
        let columns: Vec<usize> = (0..series.covariates.len()).filter(read).collect();
        let data = Data { series: &series, columns: &columns };
        let (model, waves) = match &self.terms {
            Some(terms) => {
                let terms = seasons.iter().zip(terms).map(|(m, k)| Waves::most(*m).min(*k)).collect();
                let waves = Waves { seasons, terms };
                (data.fit(&self.errors(), &waves)?, waves)
            }
            None => self.choose(&data, seasons)?,
        };
        let next = series.start + series.values.len() as i64;
        Ok(Box::new(FittedHarmonic { model: model.after(before), waves, columns, next }))
    }
}

impl Harmonic {
    /// The model of what the waves leave.
    fn errors(&self) -> Arima {
        Arima { order: self.order, seasonal: None, season: Some(1), criterion: Criterion::Aicc, ..Arima::default() }
    }

    /// The same with the order that was found.
    fn settled(&self, found: &Regression) -> Arima {
        Arima { order: Some(found.order()), constant: Some(found.has_constant()), ..self.errors() }
    }

    /// With the errors' order as it is beside all waves that may be tried, the number of waves of one season at a time
    /// that has the least AICc; then the order anew.
    fn choose(&self, data: &Data, seasons: Vec<f64>) -> Result<(Regression, Waves)> {
        let observed = data.series.values.iter().filter(|v| !v.is_nan()).count();
        // A tenth of the values for the coefficients at the most: beyond, AICc is no guide.
        let afford = observed / (20 * seasons.len().max(1));
        let most: Vec<usize> = seasons.iter().map(|m| Waves::most(*m).min(self.max_terms).min(afford.max(1))).collect();
        let mut best = Waves { terms: most.clone(), seasons };
        let mut errors = self.errors();
        if self.order.is_none() {
            errors.differences = Some(data.differences(&errors, &best));
        }
        let full = data.fit(&errors, &best)?;
        let settled = self.settled(&full);
        let mut least = data.fit(&settled, &best)?.aicc();
        for round in 0..2 {
            let before = best.clone();
            for (season, most) in most.iter().enumerate() {
                for terms in 0..=*most {
                    progress::check()?;
                    let mut waves = best.clone();
                    waves.terms[season] = terms;
                    // What cannot be fitted is not chosen.
                    let aicc = data.fit(&settled, &waves).map_or(f64::INFINITY, |fit| fit.aicc());
                    if aicc < least {
                        (least, best) = (aicc, waves);
                    }
                }
            }
            if best == before || (round == 0 && most.len() == 1) {
                break;
            }
        }
        let model = data.fit(&errors, &best)?;
        Ok((model, best))
    }
}

/// A series and which of its covariates are regressors.
struct Data<'a> {
    series: &'a Series<'a>,
    columns: &'a [usize],
}

impl Data<'_> {
    /// Waves and covariates, with names.
    fn regressors(&self, waves: &Waves) -> (Vec<Vec<f64>>, Vec<String>) {
        let (mut columns, mut names) = waves.columns(self.series.start, self.series.values.len());
        columns.extend(self.columns.iter().map(|c| self.series.covariates[*c].values.to_vec()));
        names.extend(self.columns.iter().map(|c| format!("covariate {}", c + 1)));
        (columns, names)
    }

    fn fit(&self, errors: &Arima, waves: &Waves) -> Result<Regression> {
        let (columns, names) = self.regressors(waves);
        let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        errors.regress(self.series.values, self.series.start, 1, &columns, names)
    }

    fn differences(&self, errors: &Arima, waves: &Waves) -> usize {
        let (columns, _) = self.regressors(waves);
        errors.differences_of(self.series.values, &columns)
    }
}

impl FittedHarmonic {
    /// The regressors of the steps ahead: waves first, as in the fit.
    fn ahead(&self, ahead: &Ahead) -> Vec<Vec<f64>> {
        let (mut columns, _) = self.waves.columns(self.next + ahead.lead as i64, ahead.horizon);
        columns.extend(self.columns.iter().map(|c| ahead.covariates[*c].to_vec()));
        columns
    }
}

impl FittedSeries for FittedHarmonic {
    fn mean(&self, ahead: &Ahead) -> Result<Vec<f64>> {
        let columns = self.ahead(ahead);
        let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        self.model.mean(ahead.lead, ahead.horizon, &columns)
    }

    fn std_dev(&self, ahead: &Ahead) -> Vec<f64> {
        self.model.std_dev(ahead.lead, ahead.horizon)
    }

    fn residuals(&self) -> &[f64] {
        self.model.residuals()
    }

    fn describe(&self) -> Description {
        let description = self.model.describe();
        let seasons = self.waves.seasons.iter().zip(&self.waves.terms).filter(|(_, k)| **k > 0);
        let waves: Vec<String> = seasons.map(|(m, k)| format!("{k}[{m}]")).collect();
        let specification = match waves.is_empty() {
            true => description.specification,
            false => format!("K={} {}", waves.join(","), description.specification),
        };
        Description { specification, ..description }
    }

    fn update(&self, series: &Series) -> Result<Box<dyn FittedSeries>> {
        let (series, before) = recent(series, longest(&self.waves.seasons));
        let (regressors, _) = Data { series: &series, columns: &self.columns }.regressors(&self.waves);
        let regressors: Vec<&[f64]> = regressors.iter().map(Vec::as_slice).collect();
        let mut model = self.model.clone();
        model.run(series.values, series.start, &regressors)?;
        let next = series.start + series.values.len() as i64;
        Ok(Box::new(FittedHarmonic { model: model.after(before), next, ..self.clone() }))
    }

    fn simulate(&self, ahead: &Ahead, mean: &[f64], shocks: &[f64], path: &mut [f64]) {
        self.model.simulate(ahead.lead, mean, shocks, path);
    }
}
