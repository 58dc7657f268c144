//! Combination of forecasts.
//!
//! **Quantiles are averaged**, probability by probability (Vincentization; Lichtendahl, Grushka-Cockayne & Winkler 2013): the
//! combination is as wide as its members are on average, and has their shape. The other way, the linear pool, averages the
//! distribution functions: it is wider than its members wherever they disagree, so that the combination of calibrated
//! forecasts is underconfident, and of very different forecasts it has several modes. The median of the quantiles
//! (Stock & Watson 2004, for means) is robust to single outlying members.
//!
//! **Sample paths** have the dependence of the average of the members' paths, which are drawn with the same seed; their ranks
//! are mapped onto the combined quantiles.

use std::str::FromStr;
use std::sync::Arc;

use ndarray::Array2;

use super::distribution::{Combined, Distribution, SAME, combined};
use super::paths::{PathSource, Sampler, deviates, lay};
use super::{Forecast, Inner, unanswered};
use crate::error::{Error, Result};
use crate::models::Failure;
use crate::panel::order::mixed;

/// How the means and quantiles of several forecasts are combined.
///
/// ```
/// use tradewind::prelude::*;
/// assert_eq!("median".parse::<Combination>()?, Combination::Median);
/// assert_eq!("0.7, 0.3".parse::<Combination>()?, Combination::Weights(vec![0.7, 0.3]));
/// # Ok::<(), tradewind::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Combination {
    /// The average of each quantile, with equal weights.
    #[default]
    Mean,
    /// The average of each quantile, with a weight for each model, in the order of the forecasts and of the models in them;
    /// weights lie between 0 and 1 and add up to 1.
    Weights(Vec<f64>),
    /// The median of each quantile.
    Median,
}

impl FromStr for Combination {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.trim() {
            "mean" => Ok(Self::Mean),
            "median" => Ok(Self::Median),
            weights => {
                let weights: std::result::Result<Vec<f64>, _> =
                    weights.split(',').map(|weight| weight.trim().parse()).collect();
                weights.map(Self::Weights).map_err(|_| {
                    Error::usage(format!("`{text}` is no combination; state mean, median or weights such as 0.7, 0.3"))
                })
            }
        }
    }
}

/// One model of one of the forecasts that are combined.
#[derive(Clone)]
struct Member {
    forecast: Forecast,
    model: usize,
    /// For each series of the combination, its place in this forecast.
    places: Arc<Vec<usize>>,
}

impl Forecast {
    /// One forecast of all models of this one and of others, for the same series and dates: the mean, a weighted mean or the
    /// median of their means and of their quantiles, probability by probability. A series that a model has no forecast for is
    /// a failure of the combination.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales");
    /// let sales = Panel::read("data/walmart_sales_weekly.csv", columns)?;
    /// let (one, other) = (sales.fit(["theta"])?.forecast(8)?, sales.fit(["seasonal_naive"])?.forecast(8)?);
    /// let both = one.combine([other], Combination::Mean)?;
    /// assert_eq!(both.models(), ["mean(theta, seasonal_naive)"]);
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the forecasts are of other series, dates or steps; when there are not as many weights as models, or they are below
    /// 0 or do not add up to 1.
    pub fn combine(&self, others: impl IntoIterator<Item = Forecast>, how: Combination) -> Result<Forecast> {
        let mut members = Vec::new();
        for (number, forecast) in std::iter::once(self.clone()).chain(others).enumerate() {
            let places = Arc::new(self.places_in(&forecast, number + 1)?);
            let of = |model| Member { forecast: forecast.clone(), model, places: places.clone() };
            members.extend((0..forecast.0.models.len()).map(of));
        }
        let weights = weights(&how, members.len())?;
        let names: Vec<&str> = members.iter().map(|member| member.forecast.0.models[member.model].as_str()).collect();
        let name = match (&how, &weights) {
            (Combination::Weights(_), Some(weights)) => {
                let named: Vec<String> = names.iter().zip(weights).map(|(name, w)| format!("{w} {name}")).collect();
                format!("weighted({})", named.join(", "))
            }
            (Combination::Median, _) => format!("median({})", names.join(", ")),
            _ => format!("mean({})", names.join(", ")),
        };
        let mut failures = Vec::new();
        let cells = (0..self.len()).map(|i| {
            let cells: std::result::Result<Vec<Distribution>, &Member> =
                members.iter().map(|member| member.cell(i).cloned().ok_or(member)).collect();
            match cells {
                Ok(members) => Some(combination(members, weights.clone())),
                Err(member) => {
                    let known = member.forecast.known(member.model, member.places[i]);
                    let reason = known.err().map_or_else(String::new, |error| error.to_string());
                    failures.push(Failure { model: name.clone(), series: self.label(i).into(), reason });
                    None
                }
            }
        });
        let cells: Vec<Option<Distribution>> = cells.collect();
        let mut remarks: Vec<String> = members.iter().flat_map(|member| member.forecast.0.remarks.clone()).collect();
        remarks.sort();
        remarks.dedup();
        let known = |p: &f64| cells.iter().flatten().next().is_none_or(|cell| cell.knows(*p));
        let mut probabilities: Vec<f64> =
            members.iter().flat_map(|member| member.forecast.0.probabilities.clone()).filter(known).collect();
        probabilities.sort_by(f64::total_cmp);
        probabilities.dedup_by(|a, b| (*a - *b).abs() < SAME);
        let levels = self
            .0
            .levels
            .iter()
            .copied()
            .filter(|level| known(&((1.0 - level) / 2.0)) && known(&((1.0 + level) / 2.0)));
        let assumption = members.iter().find_map(|member| member.forecast.0.source.assumption());
        Ok(Forecast(Arc::new(Inner {
            models: vec![name],
            levels: levels.collect(),
            cells: Arc::new(cells),
            source: Arc::new(Together { members, weights, assumption }),
            fitted: None,
            failures,
            unknown: None,
            remarks,
            probabilities,
            ..(*self.0).clone()
        })))
    }

    /// For each series, its place in another forecast of the same series and dates; `number` is what an error calls it.
    fn places_in(&self, other: &Forecast, number: usize) -> Result<Vec<usize>> {
        let (ours, theirs) = (&self.0.panel, &other.0.panel);
        if self.horizon() != other.horizon() {
            return Err(Error::usage(format!(
                "forecast {number} has {} steps, and the first has {}; combine forecasts of the same dates",
                other.horizon(),
                self.horizon()
            )));
        }
        let alone = |one: &Forecast, another: &Forecast| {
            let missing: Vec<&str> = (0..one.len())
                .map(|i| one.label(i))
                .filter(|label| another.0.panel.place_of(label).is_none())
                .collect();
            missing.first().map(|first| (first.to_string(), missing.len()))
        };
        let told = |(first, count): (String, usize), there: &str, not: &str| {
            Error::usage(format!(
                "{count} series {} in {there} alone, not in {not} (first: {first}); combine forecasts of the same series",
                if count == 1 { "is" } else { "are" }
            ))
        };
        let name = format!("forecast {number}");
        if let Some(missing) = alone(self, other) {
            return Err(told(missing, "the first forecast", &name));
        }
        if let Some(missing) = alone(other, self) {
            return Err(told(missing, &name, "the first forecast"));
        }
        let places: Vec<usize> = (0..self.len()).filter_map(|i| theirs.place_of(self.label(i))).collect();
        for (i, place) in places.iter().enumerate() {
            for step in 0..self.horizon() as i64 {
                let (one, another) = (self.start(i) + step, other.start(*place) + step);
                let (ours, theirs) = (&ours.inner().calendar, &theirs.inner().calendar);
                if ours.kind() != theirs.kind() || ours.frequency.stamp(one) != theirs.frequency.stamp(another) {
                    return Err(Error::usage(format!(
                        "step {} of series {} is {} in the first forecast and {} in forecast {number}; combine forecasts of the \
                         same dates",
                        step + 1,
                        self.label(i),
                        ours.label(one),
                        theirs.label(another)
                    )));
                }
            }
        }
        Ok(places)
    }
}

/// The weights of so many members; none for the median.
fn weights(how: &Combination, members: usize) -> Result<Option<Vec<f64>>> {
    match how {
        Combination::Mean => Ok(Some(vec![1.0 / members as f64; members])),
        Combination::Median => Ok(None),
        Combination::Weights(weights) => {
            if weights.len() != members {
                return Err(Error::usage(format!(
                    "{} weights for {members} models; state one for each model of each forecast, in their order",
                    weights.len()
                )));
            }
            if let Some(weight) = weights.iter().find(|weight| !(0.0..=1.0).contains(*weight)) {
                return Err(Error::usage(format!("a weight lies between 0 and 1, and {weight} does not")));
            }
            let sum: f64 = weights.iter().sum();
            if (sum - 1.0).abs() > 1e-6 {
                return Err(Error::usage(format!("the weights add up to {sum}, not to 1")));
            }
            Ok(Some(weights.clone()))
        }
    }
}

fn combination(members: Vec<Distribution>, weights: Option<Vec<f64>>) -> Distribution {
    let steps = 0..members.first().map_or(0, |member| member.mean().len());
    let mean =
        steps.map(|step| combined(weights.as_deref(), members.iter().map(|member| member.mean()[step]))).collect();
    Distribution::Combined(Arc::new(Combined { mean, members, weights }))
}

impl Member {
    fn cell(&self, series: usize) -> Option<&Distribution> {
        self.forecast.cell(self.model, self.places[series])
    }
}

/// The paths of members together.
struct Together {
    members: Vec<Member>,
    weights: Option<Vec<f64>>,
    assumption: Option<String>,
}

impl PathSource for Together {
    fn sampler(&self, forecast: &Forecast, model: usize, n: usize, seed: u64) -> Result<Arc<dyn Sampler>> {
        let member = |member: &Member| {
            let sampler = member.forecast.0.source.sampler(&member.forecast, member.model, n, seed)?;
            Ok((sampler, member.places.clone()))
        };
        Ok(Arc::new(Average {
            forecast: forecast.clone(),
            model,
            members: self.members.iter().map(member).collect::<Result<_>>()?,
            weights: self.weights.clone().unwrap_or_else(|| vec![1.0 / self.members.len() as f64; self.members.len()]),
            deviates: deviates(n),
        }))
    }

    fn assumption(&self) -> Option<String> {
        self.assumption.clone()
    }
}

/// The paths of one member, and the place there of each series.
type Placed = (Arc<dyn Sampler>, Arc<Vec<usize>>);

/// The average of the members' paths, laid onto the combined quantiles.
struct Average {
    forecast: Forecast,
    model: usize,
    members: Vec<Placed>,
    weights: Vec<f64>,
    deviates: Vec<f64>,
}

impl Sampler for Average {
    fn draw(&self, series: usize) -> Result<Array2<f64>> {
        let distribution = self.forecast.known(self.model, series)?;
        if !distribution.is_spread() {
            return Err(unanswered(None, 0.5));
        }
        let mut raw = Array2::zeros((self.deviates.len(), self.forecast.horizon()));
        for ((sampler, places), weight) in self.members.iter().zip(&self.weights) {
            raw += &(*weight * sampler.draw(places[series])?);
        }
        let identity = self.forecast.label(series).bytes().fold(0, |so_far, byte| mixed(so_far ^ u64::from(byte)));
        lay(&mut raw, identity, distribution, &self.deviates);
        Ok(raw)
    }
}
