//! Half the trend, all of the level: the Theta method that won the M3 competition, and its optimised and dynamic forms.
//!
//! The series is deseasonalised by classical multiplicative decomposition when its autocorrelation at the season is
//! significant at 10 % (two-sided), forecast, and reseasonalised. `standard` forecasts by simple exponential smoothing
//! plus half the slope b of its linear trend: ŷ(T+h) = ℓ(T) + b/2 · (h − 1 + (1 − (1−α)ᵀ)/α) (Assimakopoulos &
//! Nikolopoulos 2000; Hyndman & Billah 2003, eqs. 9–11), with errors of variance σ²(1 + (h−1)α²); α and ℓ(0) minimise
//! the sum of squared one-step errors, ℓ(0) in closed form for each α. The other kinds are those of Fiorucci,
//! Pellegrini, Louzada, Petropoulos & Koehler 2016: see `lines.rs`.
//!
//! Missing values leave the smoothed level as it is and drop out of the trend and the seasonal means. A series that
//! touches zero or goes below is decomposed additively, for which a multiplicative season makes no sense. Fails on
//! fewer than four values.

mod lines;
mod standard;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::lines::Lines;
use self::standard::Standard;
use super::{Ahead, BoxCox, Description, FittedSeries, Method, Series, SeriesModel};
use crate::error::{Error, Result};
use crate::fitting::{Season, decompose, seasonal};

/// Options of `theta`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Theta {
    /// Steps in a season; the panel's season if not given, 1 for no season.
    pub season: Option<usize>,
    /// The variant: `standard`; `optimised` (the weight of the trend is estimated); `dynamic` (the trend is updated with every
    /// value, its weight one half); `dynamic-optimised` (both); `auto` for whichever of the two optimised
    /// variants has the smaller errors.
    pub kind: ThetaKind,
    /// The power of a Box-Cox transformation, or `auto`; none if not given.
    pub box_cox: Option<BoxCox>,
}

/// The variants of the Theta method.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ThetaKind {
    /// Exponential smoothing with half the slope of the linear trend.
    #[default]
    Standard,
    /// The trend of the whole series with an estimated weight.
    Optimised,
    /// The trend updated with every value, with weight one half.
    Dynamic,
    /// The trend updated with every value, with an estimated weight.
    DynamicOptimised,
    /// The optimised or the dynamic optimised variant, whichever has the smaller one-step errors. The other two are special
    /// cases of them with one parameter fixed.
    Auto,
}

/// A fitted Theta model.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FittedTheta {
    form: Form,
    season: Season,
    /// The calendar position after the last value.
    end: i64,
    sigma: f64,
    residuals: Vec<f64>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Form {
    Standard(Standard),
    Lines(Lines),
}

impl Method for Theta {
    const NAME: &str = "theta";
    const TITLE: &str = "Theta method";
    const SUMMARY: &str =
        "The Theta method: exponential smoothing with half the trend of the seasonally adjusted series";
    const EXAMPLE: &str = "theta(season=52)";
    const ALSO: &str = "theta method, standard theta";
    const SIMILAR: &[(&str, &str)] = &[(
        "auto theta, otm, optimised theta, optimized theta, dotm, dynamic theta, dynamic optimised theta, dynamic optimized theta",
        "theta(kind=optimised), theta(kind=dynamic), theta(kind=dynamic-optimised); theta(kind=auto) chooses",
    )];
    const SEARCH: &[(&str, &[&str])] =
        &[("kind", &["standard", "optimised", "dynamic", "dynamic-optimised"]), ("box_cox", &["auto", "0"])];
    type Scope = crate::models::Local;
    type Fitted = FittedTheta;

    fn check(&self) -> Result<()> {
        super::check_box_cox(self.box_cox)?;
        super::check_season(self.season)
    }
}

impl SeriesModel for Theta {
    fn box_cox(&self) -> Option<BoxCox> {
        self.box_cox
    }

    fn fit(&self, series: &Series) -> Result<Box<dyn FittedSeries>> {
        let y = series.values;
        let m = self.season.unwrap_or(series.season);
        let observed = y.iter().filter(|v| !v.is_nan()).count();
        if observed < 4 {
            return Err(Error::model(format!("theta needs four values, the series has {observed}")));
        }
        let season = self.find_season(y, m, series.start);
        let adjusted = season.without(y, series.start);
        let (form, residuals, parameters) = match self.kind {
            ThetaKind::Standard => {
                let (fit, errors) = Standard::fit(&adjusted);
                (Form::Standard(fit), errors, 2)
            }
            kind => {
                let (fit, errors) = match kind {
                    ThetaKind::Dynamic => Lines::fit(&adjusted, true, false),
                    ThetaKind::DynamicOptimised => Lines::fit(&adjusted, true, true),
                    ThetaKind::Optimised => Lines::fit(&adjusted, false, true),
                    _ => {
                        let (fixed, moving) = (Lines::fit(&adjusted, false, true), Lines::fit(&adjusted, true, true));
                        if moving.0.squares < fixed.0.squares { moving } else { fixed }
                    }
                };
                let parameters = fit.parameters();
                (Form::Lines(fit), errors, parameters)
            }
        };
        let (mut squares, mut count) = (0.0, 0);
        for error in residuals.iter().filter(|e| !e.is_nan()) {
            squares += error * error;
            count += 1;
        }
        // Fewer errors than values that count are sums that have left the range.
        if count + lines::SKIPPED < observed {
            return Err(out_of_range());
        }
        let freedom = count.saturating_sub(parameters).max(1);
        let sigma = (squares / freedom as f64).sqrt();
        let fitted = FittedTheta { form, season, end: series.start + y.len() as i64, sigma, residuals };
        if sigma.is_finite() { Ok(Box::new(fitted)) } else { Err(out_of_range()) }
    }
}

fn out_of_range() -> Error {
    Error::model("the values of the series overflow or underflow; change its units")
}

impl Theta {
    /// The season of the series, none where there is none to be found.
    fn find_season(&self, y: &[f64], m: usize, start: i64) -> Season {
        let standard = self.kind == ThetaKind::Standard;
        // The two sources of the method differ in how long a series and a season they demand.
        let long = if standard { y.len() > 2 * m } else { m >= 4 };
        if !long || !seasonal(y, m) {
            return Season::default();
        }
        let positive = !y.iter().any(|v| *v <= 0.0);
        let multiplicative = if positive { decompose(y, m, false) } else { None };
        let least = if standard { f64::NEG_INFINITY } else { 0.01 };
        match multiplicative.filter(|figure| figure.iter().all(|v| *v >= least)) {
            Some(figure) => Season::new(figure, false, start),
            None if standard && positive => Season::default(),
            None => decompose(y, m, true).map_or_else(Season::default, |figure| Season::new(figure, true, start)),
        }
    }
}

impl FittedTheta {
    /// The calendar position `h` steps ahead.
    fn position(&self, h: usize) -> i64 {
        self.end + h as i64 - 1
    }
}

impl FittedSeries for FittedTheta {
    fn mean(&self, ahead: &Ahead) -> Result<Vec<f64>> {
        let put_back = |h: usize, value: f64| self.season.with(self.position(h), value);
        let mean: Vec<f64> = match &self.form {
            Form::Standard(fit) => ahead.steps().map(|h| put_back(h, fit.mean(h))).collect(),
            Form::Lines(fit) => {
                let mut mean = Vec::with_capacity(ahead.horizon);
                fit.walk(ahead.lead + ahead.horizon, |step, value| {
                    if step >= ahead.lead {
                        mean.push(put_back(step + 1, value));
                    }
                    value
                });
                mean
            }
        };
        if mean.iter().all(|v| v.is_finite()) { Ok(mean) } else { Err(out_of_range()) }
    }

    fn std_dev(&self, ahead: &Ahead) -> Vec<f64> {
        match &self.form {
            // Not widened by the season, as in R.
            Form::Standard(fit) => ahead.steps().map(|h| self.sigma * fit.variance(h).sqrt()).collect(),
            Form::Lines(fit) => {
                let variances = fit.variances(ahead.lead + ahead.horizon);
                let widen = |(h, v): (usize, &f64)| self.sigma * v.sqrt() * self.season.widening(self.position(h));
                ahead.steps().zip(&variances[ahead.lead..]).map(widen).collect()
            }
        }
    }

    fn residuals(&self) -> &[f64] {
        &self.residuals
    }

    fn describe(&self) -> Description {
        let (name, parameters) = match &self.form {
            Form::Standard(fit) => ("Theta", vec![("alpha", fit.alpha), ("drift", fit.drift)]),
            Form::Lines(fit) => (fit.name(), vec![("alpha", fit.alpha), ("theta", fit.theta()), ("level", fit.start)]),
        };
        let parameters = parameters.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Description { specification: format!("{name}{}", self.season.notation()), parameters, ..Description::default() }
    }

    fn update(&self, series: &Series) -> Result<Box<dyn FittedSeries>> {
        let adjusted = self.season.without(series.values, series.start);
        let (form, residuals) = match &self.form {
            Form::Standard(fit) => {
                let (fit, errors) = fit.run(&adjusted);
                (Form::Standard(fit), errors)
            }
            Form::Lines(fit) => {
                let (fit, errors) = fit.run(&adjusted);
                (Form::Lines(fit), errors)
            }
        };
        let end = series.start + series.values.len() as i64;
        Ok(Box::new(Self { form, season: self.season.clone(), end, sigma: self.sigma, residuals }))
    }

    fn simulate(&self, ahead: &Ahead, _: &[f64], shocks: &[f64], path: &mut [f64]) {
        let mut write = |step: usize, value: f64| {
            if let Some(cell) = step.checked_sub(ahead.lead).and_then(|at| path.get_mut(at)) {
                *cell = self.season.with(self.position(step + 1), value);
            }
        };
        match &self.form {
            Form::Standard(fit) => fit.simulate(shocks, write),
            Form::Lines(fit) => fit.walk(shocks.len(), |step, mean| {
                let value = mean + shocks[step];
                write(step, value);
                value
            }),
        }
    }
}
