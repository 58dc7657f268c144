//! Several methods as one: the mean, the median or a weighted mean of what they say.
//!
//! Quantiles are combined as the means are, probability by probability (Lichtendahl, Grushka-Cockayne & Winkler 2013,
//! *Management Science* 59), so that a combination is as sharp as its members and no wider because they disagree. A path of a
//! combination is the combination of its members' paths under the same shocks, each in its own standard deviations.
//! A member that cannot serve a series is left out of that series' combination and named in its form.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::marginal::Support;
use super::part::Part;
use super::trial::{Between, Trial};
use super::{Ahead, Description, Entry, FittedSeries, Method, Quantiles, Series, SeriesModel};
use crate::error::{Error, Result};

/// Options of `combine`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Combine {
    /// The labels of the members.
    pub models: Vec<String>,
    /// How they are combined.
    pub by: By,
    /// Steps ahead that weights are found for; a season if not stated (see `auto`).
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
    /// The mean without the highest and the lowest fifth, at least one of each where there are more than two.
    Trimmed,
    /// The mean with weights that fall with the square of each member's absolute error on the end of the series.
    Weights,
}

impl Default for Combine {
    fn default() -> Self {
        Self { models: ["ets", "theta", "ces"].map(String::from).to_vec(), by: By::default(), horizon: None }
    }
}

impl Method for Combine {
    const NAME: &str = "combine";
    const SUMMARY: &str = "Mean, median, trimmed or weighted mean of several models";
    const EXAMPLE: &str = "combine(models=[\"theta\", \"seasonal_naive\"], by=mean)";
    const ALSO: &str = "combination, forecast combination";
    const SIMILAR: &[(&str, &str)] = &[(
        "ensemble, ensembling, average of models",
        "the mean or median of the models that it is given; `stack` learns their weights, `select` takes the best, `auto` finds models by itself",
    )];
    const SEARCH: &[(&str, &[&str])] = &[("by", &["mean", "median", "trimmed", "weights"])];
    type Kind = super::EachSeries;
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

/// Can these be members of a combination?
pub(super) fn check(labels: &[String]) -> Result<()> {
    labels.iter().enumerate().try_for_each(|(i, label)| match Entry::part(label)?.box_cox() {
        Some(_) => Err(Error::usage(format!(
            "box_cox is not for the members of a combination ({label}): normalise the panel instead"
        ))),
        None if labels[..i].contains(label) => Err(Error::usage(format!("{label} is named twice in a combination"))),
        None => Ok(()),
    })
}

impl SeriesModel for Combine {
    fn reads_covariates(&self) -> bool {
        self.models.iter().any(|label| Entry::part(label).is_ok_and(|model| model.reads_covariates()))
    }

    fn states_values(&self) -> bool {
        self.models.iter().any(|label| Entry::part(label).is_ok_and(|model| model.states_values()))
    }

    fn minds_scenario(&self) -> bool {
        self.by == By::Weights && self.reads_covariates()
    }

    fn fit(&self, series: &Series) -> Result<Box<dyn FittedSeries>> {
        if self.by != By::Weights {
            return Ok(Box::new(FittedCombine::new(&self.models, &vec![1.0; self.models.len()], self.by, series)?));
        }
        let trial = Trial::of(&self.models, series, self.horizon, Between::Update)?;
        Ok(Box::new(FittedCombine::weighted(&self.models, &trial, series)?))
    }
}

/// A fitted combination.
#[derive(Serialize, Deserialize)]
pub struct FittedCombine {
    members: Vec<Member>,
    by: By,
    /// Members that could not serve the series, or had nothing to say of its last windows, and why.
    missing: Vec<(String, String)>,
    /// Mean errors of the members, each in its own standard deviations: members with relative errors are among them.
    residuals: Vec<f64>,
}

#[derive(Serialize, Deserialize)]
struct Member {
    part: Part,
    weight: f64,
    /// The standard deviation of its residuals, in which shocks are measured.
    sd: f64,
}

impl Member {
    fn new(part: Part, weight: f64) -> Self {
        let squares = part.fit.residuals().iter().filter(|e| !e.is_nan());
        let (sum, n) = squares.fold((0.0, 0.0), |(sum, n), e| (sum + e * e, n + 1.0));
        Self { part, weight, sd: if n > 0.0 { f64::sqrt(sum / n) } else { 0.0 } }
    }
}

impl FittedCombine {
    /// Fits the members that a trial gives weight, and names those without a score.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub(super) fn weighted(labels: &[String], trial: &Trial, series: &Series) -> Result<Self> {
        let mut fitted = Self::new(labels, &trial.weights(), By::Weights, series)?;
        // Without any score all of them weigh the same, and those that cannot be fitted are named already.
        let unnamed = |(label, _): &(String, String)| {
            fitted.members.iter().all(|member| member.part.label != *label)
                && fitted.missing.iter().all(|(known, _)| known != label)
        };
        let without: Vec<_> = trial.without_score(labels).into_iter().filter(unnamed).collect();
        fitted.missing.extend(without);
        Ok(fitted)
    }

    /// Fits the members whose weights are not zero.
    ///
    /// # Errors
    /// When none of them can serve the series.
    fn new(labels: &[String], weights: &[f64], by: By, series: &Series) -> Result<Self> {
        let (mut members, mut missing, mut why) = (Vec::new(), Vec::new(), None);
        for (label, weight) in labels.iter().zip(weights).filter(|(_, weight)| **weight > 0.0) {
            match Part::fit(label, series) {
                Ok(part) => members.push(Member::new(part, *weight)),
                Err(error) => {
                    missing.push((label.clone(), error.to_string()));
                    why.get_or_insert_with(|| error.within(label.clone()));
                }
            }
        }
        match why {
            Some(why) if members.is_empty() => Err(why.within("no member of the combination can serve the series")),
            _ => Ok(Self::of(members, by, missing)),
        }
    }

    fn of(members: Vec<Member>, by: By, missing: Vec<(String, String)>) -> Self {
        let n = members.iter().map(|member| member.part.fit.residuals().len()).max().unwrap_or(0);
        let residual = |t: usize| {
            let shares = members.iter().filter_map(|member: &Member| {
                let e = *member.part.fit.residuals().get(t)?;
                (!e.is_nan() && member.sd > 0.0).then(|| (e / member.sd, member.weight))
            });
            let (sum, weight) = shares.fold((0.0, 0.0), |(sum, weight), (e, w)| (sum + w * e, weight + w));
            if weight > 0.0 { sum / weight } else { f64::NAN }
        };
        let residuals = (0..n).map(residual).collect();
        Self { members, by, missing, residuals }
    }

    /// The same combination of members that are brought up to date.
    ///
    /// # Errors
    /// When one cannot serve the series.
    pub(super) fn updated(&self, series: &Series) -> Result<Self> {
        let update = |member: &Member| Ok(Member { part: member.part.update(series)?, ..*member });
        let members = self.members.iter().map(update).collect::<Result<Vec<_>>>()?;
        Ok(Self::of(members, self.by, self.missing.clone()))
    }

    /// One value of each member as one value.
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

    /// Combines what each member says of each step.
    fn each(&self, steps: usize, of: &[Vec<f64>]) -> Vec<f64> {
        let mut cells = Vec::with_capacity(self.members.len());
        let step = |step: usize| {
            cells.clear();
            cells.extend(of.iter().zip(&self.members).map(|(values, member)| (values[step], member.weight)));
            self.combined(&mut cells)
        };
        (0..steps).map(step).collect()
    }
}

impl FittedSeries for FittedCombine {
    fn mean(&self, ahead: &Ahead) -> Result<Vec<f64>> {
        let means = self.members.iter().map(|member| member.part.fit.mean(ahead)).collect::<Result<Vec<_>>>()?;
        Ok(self.each(ahead.horizon, &means))
    }

    fn spread(&self, ahead: &Ahead) -> Vec<f64> {
        let spreads: Vec<Vec<f64>> = self.members.iter().map(|member| member.part.fit.spread(ahead)).collect();
        self.each(ahead.horizon, &spreads)
    }

    fn quantiles(&self, ahead: &Ahead) -> Option<Quantiles> {
        let means: Vec<Vec<f64>> =
            self.members.iter().map(|member| member.part.fit.mean(ahead)).collect::<Result<_>>().ok()?;
        let spreads: Vec<Vec<f64>> = self.members.iter().map(|member| member.part.fit.spread(ahead)).collect();
        let shapes: Vec<Option<Quantiles>> =
            self.members.iter().map(|member| member.part.fit.quantiles(ahead)).collect();
        let mean = self.each(ahead.horizon, &means);
        let sd = self.each(ahead.horizon, &spreads);
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
                for (i, member) in self.members.iter().enumerate() {
                    let away = shapes[i].as_ref().map_or(*z, |shape| shape.at(step, *z));
                    cells.push((means[i][step] + spreads[i][step] * away, member.weight));
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
        let form = |member: &Member| {
            let form = member.part.fit.describe().form;
            if form.is_empty() { member.part.label.clone() } else { form }
        };
        let total: f64 = self.members.iter().map(|member| member.weight).sum();
        let how = match self.by {
            By::Mean => "mean of ",
            By::Median => "median of ",
            By::Trimmed => "trimmed mean of ",
            By::Weights => "",
        };
        let share = |member: &Member| match self.by {
            By::Weights => format!("{:.0} % {}", 100.0 * member.weight / total, form(member)),
            _ => form(member),
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
                self.members.iter().map(|member| (member.part.label.clone(), member.weight / total)).collect()
            }
            _ => Vec::new(),
        };
        let remarks = self.missing.iter().map(|(label, why)| format!("without {label}: {why}")).collect();
        let form = format!("{how}{}{without}", shares.join(" + "));
        Description { form, parameters, remarks, ..Description::default() }
    }

    fn update(&self, series: &Series) -> Result<Box<dyn FittedSeries>> {
        Ok(Box::new(self.updated(series)?))
    }

    fn simulate(&self, ahead: &Ahead, mean: &[f64], shocks: &[f64], path: &mut [f64]) {
        let total: f64 = self.members.iter().map(|member| member.weight).sum();
        let mut own = vec![0.0; path.len()];
        path.fill(0.0);
        for member in &self.members {
            let shocks: Vec<f64> = shocks.iter().map(|shock| shock * member.sd).collect();
            member.part.fit.simulate(ahead, mean, &shocks, &mut own);
            path.iter_mut().zip(&own).for_each(|(cell, value)| *cell += value * (member.weight / total));
        }
    }
}
