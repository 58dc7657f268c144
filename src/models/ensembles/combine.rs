//! Forecast combination: mean, median, trimmed or weighted mean of component models.
//!
//! Quantiles are averaged probability by probability (Lichtendahl, Grushka-Cockayne & Winkler 2013, *Management Science* 59),
//! so that a combination is as sharp as its members and does not widen with their disagreement. A sample path is the
//! combination of the members' paths under the same standardised shocks. A member that cannot be fitted to a series is left
//! out of that series' combination and named in its specification.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::plausible::Plausible;
use super::validation::{Refit, RollingValidation};
use super::{FittedComponent, innovation_sd, weighted_mean};
use crate::error::{Error, Result};
use crate::fitting::Support;
use crate::models::{Ahead, Description, Entry, FittedSeries, Local, Method, Quantiles, Series, SeriesModel};

/// Options of `combine`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Combine {
    /// The labels of the component models.
    pub models: Vec<String>,
    /// How they are combined.
    pub by: By,
    /// The horizon of the validation windows that weights are estimated on; a season if not given (see `ensemble`).
    pub horizon: Option<usize>,
}

/// How forecasts are combined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// The mean.
    Mean,
    /// The median.
    #[default]
    Median,
    /// The trimmed mean, without the highest and the lowest fifth; at least one of each where there are more than two.
    Trimmed,
    /// The weighted mean, with inverse squared mean absolute errors on validation windows as weights.
    Weights,
}

impl Default for Combine {
    fn default() -> Self {
        Self { models: ["ets", "theta", "ces"].map(String::from).to_vec(), by: By::default(), horizon: None }
    }
}

impl Method for Combine {
    const NAME: &str = "combine";
    const TITLE: &str = "Combination of models";
    const SUMMARY: &str = "Mean, median, trimmed or weighted mean of several models";
    const EXAMPLE: &str = "combine(models=[\"theta\", \"seasonal_naive\"], by=mean)";
    const ALSO: &str = "combination, forecast combination";
    const SIMILAR: &[(&str, &str)] = &[(
        "average of models",
        "the mean or median of the given models; `stack` learns weights, `select` takes the best, `ensemble` and `auto` find candidates themselves",
    )];
    const SEARCH: &[(&str, &[&str])] = &[("by", &["mean", "median", "trimmed", "weights"])];
    type Scope = Local;
    type Fitted = FittedCombine;

    fn check(&self) -> Result<()> {
        if self.models.is_empty() {
            return Err(Error::usage("a combination has at least one model: models=[\"ets\", \"theta\"]"));
        }
        if self.horizon == Some(0) {
            return Err(Error::usage("`horizon` is at least 1 step, not 0"));
        }
        check(&self.models)
    }
}

/// Can these be component models?
pub(super) fn check(labels: &[String]) -> Result<()> {
    labels.iter().enumerate().try_for_each(|(i, label)| match Entry::component(label)?.box_cox() {
        Some(_) => Err(Error::usage(format!(
            "box_cox is not for the members of a combination ({label}): normalise the panel instead"
        ))),
        None if labels[..i].contains(label) => Err(Error::usage(format!("{label} is named twice in a combination"))),
        None => Ok(()),
    })
}

impl SeriesModel for Combine {
    fn reads_covariates(&self) -> bool {
        self.models.iter().any(|label| Entry::component(label).is_ok_and(|model| model.reads_covariates()))
    }

    fn has_options_in_data_units(&self) -> bool {
        self.models.iter().any(|label| Entry::component(label).is_ok_and(|model| model.has_options_in_data_units()))
    }

    fn depends_on_scenario(&self) -> bool {
        self.by == By::Weights && self.reads_covariates()
    }

    fn fit(&self, series: &Series) -> Result<Box<dyn FittedSeries>> {
        if self.by != By::Weights {
            return Ok(Box::new(FittedCombine::new(&self.models, &vec![1.0; self.models.len()], self.by, series)?));
        }
        let validation = RollingValidation::of(&self.models, series, self.horizon, Refit::Never)?;
        Ok(Box::new(FittedCombine::weighted(&self.models, &validation, series)?))
    }
}

/// A fitted combination.
#[derive(Serialize, Deserialize)]
pub struct FittedCombine {
    members: Vec<Member>,
    by: By,
    /// Models that could not be fitted, or had no score on the validation windows, and why.
    missing: Vec<(String, String)>,
    /// What is plausible; a member whose forecast is not is left out of it, where weights are learned.
    plausible: Option<Plausible>,
    /// The mean standardised residuals of the members, some of which may have relative errors.
    residuals: Vec<f64>,
}

#[derive(Serialize, Deserialize)]
struct Member {
    component: FittedComponent,
    weight: f64,
    /// The standard deviation of its residuals, by which shocks are standardised.
    sd: f64,
}

impl Member {
    fn new(component: FittedComponent, weight: f64) -> Self {
        Self { sd: innovation_sd(component.fit.residuals()), component, weight }
    }
}

impl FittedCombine {
    /// Fits the members with weight in a validation, and names those without a score.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub(super) fn weighted(labels: &[String], validation: &RollingValidation, series: &Series) -> Result<Self> {
        let mut fitted = Self::new(labels, &validation.weights(), By::Weights, series)?;
        // Without any score all have equal weights, and those that cannot be fitted are named already.
        let unnamed = |(label, _): &(String, String)| {
            fitted.members.iter().all(|member| member.component.label != *label)
                && fitted.missing.iter().all(|(known, _)| known != label)
        };
        let without: Vec<_> = validation.without_score(labels).into_iter().filter(unnamed).collect();
        fitted.missing.extend(without);
        Ok(fitted)
    }

    /// Fits the members whose weights are not zero.
    ///
    /// # Errors
    /// When none of them can be fitted to the series.
    fn new(labels: &[String], weights: &[f64], by: By, series: &Series) -> Result<Self> {
        let (mut members, mut missing, mut why) = (Vec::new(), Vec::new(), None);
        for (label, weight) in labels.iter().zip(weights).filter(|(_, weight)| **weight > 0.0) {
            match FittedComponent::fit(label, series) {
                Ok(component) => members.push(Member::new(component, *weight)),
                Err(error) => {
                    missing.push((label.clone(), error.to_string()));
                    why.get_or_insert_with(|| error.within(label.clone()));
                }
            }
        }
        match why {
            Some(why) if members.is_empty() => {
                Err(why.within("no member of the combination can be fitted to the series"))
            }
            _ => {
                let plausible = (by == By::Weights).then(|| Plausible::after(series.values));
                Ok(Self::of(members, by, missing, plausible))
            }
        }
    }

    fn of(members: Vec<Member>, by: By, missing: Vec<(String, String)>, plausible: Option<Plausible>) -> Self {
        let n = members.iter().map(|member| member.component.fit.residuals().len()).max().unwrap_or(0);
        let residual = |t: usize| {
            let shares = members.iter().filter_map(|member: &Member| {
                let e = *member.component.fit.residuals().get(t)?;
                (!e.is_nan() && member.sd > 0.0).then(|| (e / member.sd, member.weight))
            });
            weighted_mean(shares)
        };
        let residuals = (0..n).map(residual).collect();
        Self { members, by, missing, plausible, residuals }
    }

    /// The same combination of updated members.
    ///
    /// # Errors
    /// When one cannot be updated.
    pub(super) fn updated(&self, series: &Series) -> Result<Self> {
        let update = |member: &Member| Ok(Member { component: member.component.update(series)?, ..*member });
        let members = self.members.iter().map(update).collect::<Result<Vec<_>>>()?;
        let plausible = self.plausible.map(|_| Plausible::after(series.values));
        Ok(Self::of(members, self.by, self.missing.clone(), plausible))
    }

    /// Combines one value of each member with its weight.
    fn combined(&self, values: &mut [(f64, f64)]) -> f64 {
        let mean = |values: &[(f64, f64)]| {
            let weight: f64 = values.iter().map(|(_, w)| w).sum();
            values.iter().map(|(v, w)| v * (w / weight)).sum::<f64>()
        };
        if matches!(self.by, By::Mean | By::Weights) {
            return mean(values);
        }
        values.sort_by(|a, b| a.0.total_cmp(&b.0));
        let n = values.len();
        let cut = match self.by {
            By::Trimmed if n > 2 => (n / 5).max(1),
            By::Trimmed => 0,
            _ => n.saturating_sub(1) / 2,
        };
        mean(&values[cut..n - cut])
    }

    /// Combines the values of the members, step by step.
    fn each(&self, steps: usize, of: &[Vec<f64>], used: &[bool]) -> Vec<f64> {
        let mut cells = Vec::with_capacity(self.members.len());
        let step = |step: usize| {
            cells.clear();
            let there = of.iter().zip(&self.members).zip(used).filter(|(_, used)| **used);
            cells.extend(there.map(|((values, member), _)| (values[step], member.weight)));
            self.combined(&mut cells)
        };
        (0..steps).map(step).collect()
    }

    /// What the members forecast.
    ///
    /// # Errors
    /// When one cannot.
    fn ahead(&self, ahead: &Ahead) -> Result<Forecasts> {
        let means = self.members.iter().map(|member| member.component.fit.mean(ahead)).collect::<Result<Vec<_>>>()?;
        let sds: Vec<Vec<f64>> = self.members.iter().map(|member| member.component.fit.std_dev(ahead)).collect();
        let holds =
            |(mean, sd): (&Vec<f64>, &Vec<f64>)| self.plausible.is_none_or(|plausible| plausible.holds(mean, sd));
        let mut used: Vec<bool> = means.iter().zip(&sds).map(holds).collect();
        if !used.contains(&true) {
            used.fill(true);
        }
        Ok(Forecasts { means, sds, used })
    }
}

/// What the members of a combination forecast.
struct Forecasts {
    means: Vec<Vec<f64>>,
    sds: Vec<Vec<f64>>,
    /// Which of them the combination uses.
    used: Vec<bool>,
}

impl FittedSeries for FittedCombine {
    fn mean(&self, ahead: &Ahead) -> Result<Vec<f64>> {
        let Forecasts { means, used, .. } = self.ahead(ahead)?;
        Ok(self.each(ahead.horizon, &means, &used))
    }

    fn std_dev(&self, ahead: &Ahead) -> Vec<f64> {
        // A mean that cannot be computed says so itself.
        self.ahead(ahead).map_or_else(
            |_| vec![f64::NAN; ahead.horizon],
            |Forecasts { sds, used, .. }| self.each(ahead.horizon, &sds, &used),
        )
    }

    fn quantiles(&self, ahead: &Ahead) -> Option<Quantiles> {
        let Forecasts { means, sds, used } = self.ahead(ahead).ok()?;
        let shapes: Vec<Option<Quantiles>> =
            self.members.iter().map(|member| member.component.fit.quantiles(ahead)).collect();
        let mean = self.each(ahead.horizon, &means, &used);
        let sd = self.each(ahead.horizon, &sds, &used);
        let support =
            match shapes.iter().map(|shape| shape.as_ref().map(Quantiles::support)).collect::<Option<Vec<_>>>() {
                Some(all) if all.iter().all(|support| *support == Support::Counts) => Support::Counts,
                Some(all) if all.iter().all(|support| *support != Support::Numbers) => Support::Positive,
                _ => Support::Numbers,
            };
        Some(Quantiles::by(&mean, &sd, support, |step, deviates| {
            let mut cells = Vec::with_capacity(self.members.len());
            let at = |z: &f64| {
                cells.clear();
                for (i, member) in self.members.iter().enumerate().filter(|(i, _)| used[*i]) {
                    let away = shapes[i].as_ref().map_or(*z, |shape| shape.at(step, *z));
                    cells.push((means[i][step] + sds[i][step] * away, member.weight));
                }
                self.combined(&mut cells)
            };
            deviates.iter().map(at).collect()
        }))
    }

    fn residuals(&self) -> &[f64] {
        &self.residuals
    }

    fn describe(&self) -> Description {
        let specification = |member: &Member| {
            let own = member.component.fit.describe().specification;
            if own.is_empty() { member.component.label.clone() } else { own }
        };
        let total: f64 = self.members.iter().map(|member| member.weight).sum();
        let how = match self.by {
            By::Mean => "mean of ",
            By::Median => "median of ",
            By::Trimmed => "trimmed mean of ",
            By::Weights => "",
        };
        let share = |member: &Member| match self.by {
            By::Weights => format!("{:.0} % {}", 100.0 * member.weight / total, specification(member)),
            _ => specification(member),
        };
        let shares: Vec<String> = self.members.iter().map(share).collect();
        let without = match self.missing.as_slice() {
            [] => String::new(),
            missing => {
                let labels: Vec<&str> = missing.iter().map(|(label, _)| label.as_str()).collect();
                format!(", without {}", labels.join(", "))
            }
        };
        let parameters = match self.by {
            By::Weights => {
                self.members.iter().map(|member| (member.component.label.clone(), member.weight / total)).collect()
            }
            _ => Vec::new(),
        };
        let remarks = self.missing.iter().map(|(label, why)| format!("without {label}: {why}")).collect();
        let specification = format!("{how}{}{without}", shares.join(" + "));
        Description { specification, parameters, remarks, ..Description::default() }
    }

    fn update(&self, series: &Series) -> Result<Box<dyn FittedSeries>> {
        Ok(Box::new(self.updated(series)?))
    }

    fn simulate(&self, ahead: &Ahead, mean: &[f64], shocks: &[f64], path: &mut [f64]) {
        let (mut own, mut total) = (vec![0.0; path.len()], 0.0);
        path.fill(0.0);
        for (m, member) in self.members.iter().enumerate() {
            let shocks: Vec<f64> = shocks.iter().map(|shock| shock * member.sd).collect();
            member.component.fit.simulate(ahead, mean, &shocks, &mut own);
            // As for means: what explodes is left out, unless nothing is left.
            let left = total > 0.0 || m + 1 < self.members.len();
            if !left || self.plausible.is_none_or(|plausible| plausible.holds(&own, &[])) {
                path.iter_mut().zip(&own).for_each(|(cell, value)| *cell += value * member.weight);
                total += member.weight;
            }
        }
        path.iter_mut().for_each(|cell| *cell /= total);
    }
}
