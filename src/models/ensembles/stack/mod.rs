//! `stack` and `select`: stacked ensembles, and model selection, on held-out windows (Wolpert 1992, *Neural Networks* 5; Breiman
//! 1996, *Machine Learning* 24; by group of series, Montero-Manso et al. 2020, *International Journal of Forecasting* 36).
//!
//! 1. **Windows.** The last windows of the panel, each as long as the forecast, are held out in turn. Every member forecasts each
//!    from the values before it: by the hold-out forecasts of its own fit where it makes them (`ensemble`, `boost`), else by a
//!    fit to the values before the first window, updated before each later one.
//! 2. **Weights.** `stack` estimates non-negative weights that sum to one, by group of series and horizon (see `weights`);
//!    `select` takes the member with the best score by any metric, for each group.
//! 3. **Intervals.** Quantiles are averaged with the same weights, probability by probability. They are calibrated on the windows,
//!    each forecast with weights from the *other* windows, if that improves the quantile loss on windows that were left out.
//! 4. **Out-of-sample scores.** All of this happens inside the training set: a backtest of `stack` or `select` repeats it in every
//!    fold, so its score is out-of-sample.
//!
//! A panel too short for a window gets `ensemble`, as does a series that no member can be fitted to. Where `ensemble` is among the
//! members and the combination, with weights from the other windows, is no better, `ensemble` is used alone. The specification
//! says so.

mod fitted;
mod hold_out;
mod weights;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use fitted::FittedStack;

use super::Ensemble;
use super::ensemble::are_few;
use crate::error::{Error, Result};
use crate::fitting::{Calibration, Unevenness, closed_columns, default_horizon};
use crate::metrics::{self, METRICS};
use crate::models::{Aim, Fitted, Forecaster, GroupSeasonal, Method, Model, PanelLevel, distinct};
use crate::panel::{Groups, Panel, Role, order};
use fitted::{Member, Settled};
use hold_out::{Predicted, Window};
use weights::Weights;

/// Candidate shrinkage strengths towards the parent group's weights, in equivalent windows, strongest first; last, none: the
/// best member alone.
const SHRINKAGES: [Option<f64>; 7] = [Some(2048.0), Some(512.0), Some(128.0), Some(32.0), Some(8.0), Some(2.0), None];
/// The loss, relative to the least, up to which a stronger shrinkage is preferred. It and the weights that all are shrunk towards
/// were chosen on folds inside training parts (see `reports/accuracy/auto.md`).
const ABOUT: f64 = 1.02;
/// Why a member was left out whose fit is dear.
const FAR_BEHIND: &str = "it was far behind on held-out windows";
/// The most held-out windows.
const MAX_WINDOWS: usize = 20;

/// Options of `stack`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Stack {
    /// The labels of the component models.
    pub models: Vec<String>,
    /// The groups of series with weights of their own: `panel` for one group, `series`, `class` of demand, `size`, a key column
    /// or a fixed covariate.
    pub by: String,
    /// The loss that weights minimise.
    pub loss: StackLoss,
    /// Held-out windows that weights are estimated on, as many as there is room for.
    pub windows: usize,
    /// Steps of a window; the forecast horizon if not given.
    pub horizon: Option<usize>,
}

/// The loss that weights of a stacked ensemble minimise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StackLoss {
    /// Absolute error.
    #[default]
    Absolute,
    /// Squared error.
    Squared,
}

impl StackLoss {
    fn of(self, error: f64) -> f64 {
        match self {
            Self::Absolute => error.abs(),
            Self::Squared => error * error,
        }
    }
}

impl Default for Stack {
    fn default() -> Self {
        Self { models: members(), by: "class".into(), loss: StackLoss::default(), windows: 3, horizon: None }
    }
}

/// Options of `select`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Select {
    /// The labels of the candidates.
    pub models: Vec<String>,
    /// The groups of series with a choice of their own: `panel` for one group, `series`, `class` of demand, `size`, a key column
    /// or a fixed covariate.
    pub by: String,
    /// The metric that selects the best.
    pub metric: String,
    /// Held-out windows that candidates are scored on, as many as there is room for.
    pub windows: usize,
    /// Steps of a window; the forecast horizon if not given.
    pub horizon: Option<usize>,
}

impl Default for Select {
    fn default() -> Self {
        Self { models: members(), by: "series".into(), metric: "mase".into(), windows: 3, horizon: None }
    }
}

/// The default members: classical methods, trees over all series, and last year's pattern.
fn members() -> Vec<String> {
    ["ensemble", "boost", "group_seasonal"].map(String::from).to_vec()
}

impl Method for Stack {
    const NAME: &str = "stack";
    const TITLE: &str = "Stacked ensemble";
    const SUMMARY: &str =
        "Stacked ensemble: non-negative weights learned on held-out windows, by group of series and horizon";
    const EXAMPLE: &str = "stack(models=[\"theta\", \"seasonal_naive\"])";
    const ALSO: &str = "stacking, stacked ensemble, stacked generalization, stacked generalisation";
    const SIMILAR: &[(&str, &str)] = &[(
        "super learner, fforma, feature based averaging",
        "it learns weights on held-out windows, by group of series and horizon",
    )];
    const SEARCH: &[(&str, &[&str])] =
        &[("by", &["panel", "class", "size", "series"]), ("loss", &["absolute", "squared"])];
    type Scope = PanelLevel;
    type Fitted = FittedStack;

    fn check(&self) -> Result<()> {
        check(&self.models, self.windows, self.horizon)
    }
}

impl Method for Select {
    const NAME: &str = "select";
    const TITLE: &str = "Model selection";
    const SUMMARY: &str = "Model selection: the best model on held-out windows, for each series or group of series";
    const EXAMPLE: &str = "select(models=[\"theta\", \"seasonal_naive\"])";
    const ALSO: &str = "selection, model selection";
    const SEARCH: &[(&str, &[&str])] = &[("by", &["panel", "class", "size", "series"])];
    type Scope = PanelLevel;
    type Fitted = FittedStack;

    fn check(&self) -> Result<()> {
        METRICS.named(&self.metric)?;
        check(&self.models, self.windows, self.horizon)
    }
}

fn check(labels: &[String], windows: usize, horizon: Option<usize>) -> Result<()> {
    models(labels)?;
    if horizon == Some(0) {
        return Err(Error::usage("`horizon` is at least 1 step, not 0"));
    }
    match windows {
        1..=MAX_WINDOWS => Ok(()),
        other => Err(Error::usage(format!("`windows` is at least 1 and at most {MAX_WINDOWS}, not {other}"))),
    }
}

fn models(labels: &[String]) -> Result<Vec<Model>> {
    distinct(labels.iter().map(|label| Model::named(label)).collect::<Result<_>>()?)
}

impl Forecaster for Stack {
    fn reads_covariates(&self) -> bool {
        reads_covariates(&self.models)
    }

    fn depends_on_horizon(&self) -> bool {
        self.horizon.is_none()
    }

    fn depends_on_scenario(&self) -> bool {
        reads_covariates(&self.models)
    }

    fn fit(&self, train: &Panel, aim: Aim) -> Result<Box<dyn Fitted>> {
        Ok(Box::new(self.fit_with(&[train.season()], false, train, aim)?))
    }
}

impl Stack {
    /// Fits a panel as one with these seasons, shortest first; a `thrifty` fit leaves out dear members that are far behind.
    pub(super) fn fit_with(&self, seasons: &[usize], thrifty: bool, train: &Panel, aim: Aim) -> Result<FittedStack> {
        let learn = |windows: &[&Window], groups: &Groups, steps: usize, shrinkage: Option<f64>| match shrinkage {
            Some(shrinkage) => Weights::learned(windows, &groups.of, groups.names.len(), steps, self.loss, shrinkage),
            None => Weights::same(best_member(windows, self.loss), groups.names.len()),
        };
        let aim = aimed(aim, self.horizon);
        let (by, windows) = (&*self.by, self.windows);
        let stacking = Stacking { models: &self.models, by, windows, seasons, aim, thrifty };
        stacking.fit(train, &learn, &SHRINKAGES, self.loss)
    }
}

impl Forecaster for Select {
    fn reads_covariates(&self) -> bool {
        reads_covariates(&self.models)
    }

    fn depends_on_horizon(&self) -> bool {
        self.horizon.is_none()
    }

    fn depends_on_scenario(&self) -> bool {
        reads_covariates(&self.models)
    }

    fn fit(&self, train: &Panel, aim: Aim) -> Result<Box<dyn Fitted>> {
        let metric = METRICS.named(&self.metric)?;
        let learn = |windows: &[&Window], groups: &Groups, _: usize, _: Option<f64>| {
            let members = windows.first().map_or(0, |window| window.predicted.len());
            let best = |group: Option<usize>| {
                let asked = |window: &&&Window| group.is_none_or(|group| groups.of[window.series] == group);
                let loss = |m: usize| {
                    let scored = windows
                        .iter()
                        .filter(asked)
                        .filter_map(|window| Some((metric.ratio)(&window.case(window.predicted[m].as_ref()?))));
                    metric.loss(metrics::mean(metric, scored))
                };
                let losses: Vec<f64> = (0..members).map(loss).collect();
                let best = (0..losses.len()).min_by(|a, b| losses[*a].total_cmp(&losses[*b]));
                best.filter(|m| losses[*m].is_finite())
            };
            let of_all = best(None).unwrap_or(0);
            let one_of = |m: usize| (0..members).map(|other| f64::from(u8::from(other == m))).collect();
            Weights::by_group(
                (0..groups.names.len()).map(|group| one_of(best(Some(group)).unwrap_or(of_all))).collect(),
            )
        };
        let (aim, seasons) = (aimed(aim, self.horizon), &[train.season()]);
        let (by, windows, thrifty) = (&*self.by, self.windows, false);
        let stacking = Stacking { models: &self.models, by, windows, seasons, aim, thrifty };
        Ok(Box::new(stacking.fit(train, &learn, &[], StackLoss::Absolute)?))
    }
}

/// The aim with the horizon of an option, if given.
fn aimed(aim: Aim, steps: Option<usize>) -> Aim {
    Aim { steps: steps.or(aim.steps), ..aim }
}

fn reads_covariates(labels: &[String]) -> bool {
    labels.iter().any(|label| Model::named(label).is_ok_and(|model| model.reads_covariates()))
}

/// Learns weights from windows, groups, steps and a shrinkage strength.
type Learn<'a> = &'a dyn Fn(&[&Window], &Groups, usize, Option<f64>) -> Weights;

/// What `stack` and `select` have in common.
struct Stacking<'a> {
    models: &'a [String],
    by: &'a str,
    windows: usize,
    /// The seasons of the panel, shortest first.
    seasons: &'a [usize],
    aim: Aim,
    /// Are members left out that are far behind, where their fit is dear?
    thrifty: bool,
}

impl Stacking<'_> {
    /// Members fitted to a panel, with weights learned on its held-out windows. Of several `shrinkages`, the one with the smallest
    /// out-of-sample loss is taken, and the ensemble is compared with `ensemble` alone.
    fn fit(&self, whole: &Panel, learn: Learn, shrinkages: &[Option<f64>], loss: StackLoss) -> Result<FittedStack> {
        let season = self.seasons.first().copied().filter(|season| *season != whole.season());
        let seasonal = season.map(|season| whole.with_season(season));
        let train = seasonal.as_ref().unwrap_or(whole);
        let groups = Groups::by(self.by, train)?;
        let steps = self.aim.steps.unwrap_or_else(|| default_horizon(train.season()));
        let asked = hold_out::room(train, steps, self.windows);
        let aim = Aim { windows: asked, ..aimed(self.aim, Some(steps)) };
        let (mut members, mut known, mut remarks) = (Vec::new(), Vec::new(), Vec::new());
        for member in models(self.models)? {
            let others = if self.thrifty { &known[..] } else { &[] };
            let why = match hold_out::fit_if_it_pays(&member, train, aim, others, &groups)? {
                Ok(Some((fitted, knows))) => {
                    known.push(knows);
                    members.push((member, fitted));
                    continue;
                }
                Ok(None) => FAR_BEHIND.into(),
                Err(why) => why.to_string(),
            };
            remarks.push((member.label().to_string(), why));
        }
        let reads = members.iter().any(|(member, _)| member.reads_covariates());
        let closed = if reads { closed_columns(train)? } else { Vec::new() };
        let mut settled = Settled {
            weights: Weights::same(vec![1.0], groups.names.len()),
            season,
            own_season: whole.season(),
            year: self.seasons.last().copied().unwrap_or(1),
            covariates: if reads { varying_covariates(train)? } else { Vec::new() },
            steps,
            groups: groups.of.clone(),
            closed,
            calibration: None,
            unevenness: Unevenness::default(),
            widths: Vec::new(),
            pattern_error: 0.0,
            count_variance: 1.0,
            ranks: Vec::new(),
            note: String::new(),
            without: Vec::new(),
        };
        if members.is_empty() {
            settled.note = "no member can be fitted to the panel".into();
            return self.alone(whole, train, aim, settled);
        }
        let (mut windows, silent) = match asked {
            Some(asked) => hold_out::windows(&members, known, train, aim, asked, &settled.closed)?,
            None => (Vec::new(), vec![None; members.len()]),
        };
        if silent.iter().any(Option::is_none) {
            // A member without any forecast has no score to compare.
            for (m, why) in silent.iter().enumerate().rev() {
                if let Some(why) = why {
                    remarks.insert(0, (members.remove(m).0.label().to_string(), why.to_string()));
                    windows.iter_mut().for_each(|window| drop(window.predicted.remove(m)));
                }
            }
        }
        let scored: Vec<&Window> =
            windows.iter().filter(|window| window.predicted.iter().any(Option::is_some)).collect();
        if scored.is_empty() {
            settled.note = "the series are too short for a held-out window".into();
            return self.alone(whole, train, aim, settled);
        }
        let each: Vec<(Option<f64>, Vec<Predicted>)> = match shrinkages {
            [] => vec![(None, cross_validated(&scored, &groups, steps, None, learn))],
            some => some.iter().map(|one| (*one, cross_validated(&scored, &groups, steps, *one, learn))).collect(),
        };
        let losses: Vec<f64> = each.iter().map(|(_, held_out)| total_loss(&scored, held_out, loss)).collect();
        let least = losses.iter().copied().fold(f64::INFINITY, f64::min);
        // The strongest shrinkage that is about as good as the best: windows are few.
        let chosen = losses.iter().position(|loss| *loss <= ABOUT * least).unwrap_or(0);
        let (shrinkage, held_out) = each.into_iter().nth(chosen).unwrap_or_default();
        let mut weights = learn(&scored, &groups, steps, shrinkage);
        if let Some(asked) = asked {
            settled.unevenness = Unevenness::of(train, settled.year, asked)?;
        }
        // In a part of the year that no window lies in, they do not say that a single series is enough.
        let unseen = settled.unevenness.largest(steps) > 1.0;
        let fallback = members.iter().position(|(member, _)| is_ensemble(member));
        if let Some(m) = fallback.filter(|_| !shrinkages.is_empty()) {
            // Long series say little of short ones.
            if 2 * seen(&scored, train.len()) < train.len() {
                settled.note = "most series are too short for a held-out window".into();
            } else if !unseen && !is_better(&scored, &held_out, m, loss) {
                settled.note = "no combination was better on held-out windows".into();
            }
            if !settled.note.is_empty() {
                let own = (0..members.len()).map(|other| f64::from(u8::from(other == m))).collect();
                weights = Weights::same(own, groups.names.len());
            }
        }
        if settled.note.is_empty() {
            settled.calibration = calibration(&scored, &held_out);
        }
        let combined: Vec<Predicted> =
            scored.iter().map(|window| weights.applied(&window.predicted, groups.of[window.series], steps)).collect();
        settled.count_variance = count_variance(train, &scored, &combined);
        if unseen {
            settled.widths = widths(&scored, &combined, train.len());
            let pattern = members.iter().position(|(member, _)| member.name() == GroupSeasonal::NAME);
            settled.pattern_error = pattern.map_or(0.0, |m| sum_error(&scored, m));
        }
        settled.ranks = ranks(&scored, loss);
        (settled.weights, settled.without) = (weights, remarks);
        let member = |(member, fit): (Model, Box<dyn Fitted>)| Member::new(member.label(), fit, train.len());
        let mut fitted: Vec<Member> = members.into_iter().map(member).collect();
        let unfitted = |i: usize| fitted.iter().all(|member| member.fails(i));
        if fallback.is_none() && (0..train.len()).any(unfitted) {
            fitted.push(self.local_ensemble(train, aim)?);
        }
        Ok(FittedStack::new(whole, fitted, settled))
    }

    /// `ensemble`, for series without another member: as it is among the members, if it is.
    fn local_ensemble(&self, train: &Panel, aim: Aim) -> Result<Member> {
        let member = models(self.models)?.into_iter().find(is_ensemble);
        let member = member.unwrap_or_else(|| Ensemble::default().into());
        let fit = member.forecaster().fit(train, Aim { windows: None, ..aim })?;
        Ok(Member::new(member.label(), fit, train.len()))
    }

    /// `ensemble` instead of a combination, fitted to the panel as it is taken to be.
    fn alone(&self, whole: &Panel, train: &Panel, aim: Aim, settled: Settled) -> Result<FittedStack> {
        Ok(FittedStack::new(whole, vec![self.local_ensemble(train, aim)?], settled))
    }
}

/// The columns of a panel that are known ahead or observed, and do not say the same everywhere.
fn varying_covariates(panel: &Panel) -> Result<Vec<String>> {
    let sources = &panel.matrix()?.sources;
    let mut names: Vec<String> = Vec::new();
    for (name, role) in order::varying(panel)?.into_iter().map(|c| &sources[c]) {
        if *role != Role::Fixed && !names.contains(name) {
            names.push(name.clone());
        }
    }
    Ok(names)
}

/// Is a member `ensemble`, whatever its options?
fn is_ensemble(member: &Model) -> bool {
    member.name() == Ensemble::NAME
}

/// All weight on the member with the least loss on the windows that all members forecast; on the first without any.
fn best_member(windows: &[&Window], loss: StackLoss) -> Vec<f64> {
    let ranks = ranks(windows, loss);
    (0..ranks.len()).map(|m| f64::from(u8::from(ranks[0] == m))).collect()
}

/// The places of members by their loss on the windows that all members forecast, the best first.
fn ranks(windows: &[&Window], loss: StackLoss) -> Vec<usize> {
    let members = windows.first().map_or(0, |window| window.predicted.len());
    let mut losses = vec![0.0; members];
    for window in windows {
        let Some(predicted) = window.predicted.iter().map(Option::as_ref).collect::<Option<Vec<_>>>() else { continue };
        losses.iter_mut().zip(predicted).for_each(|(sum, one)| *sum += window_loss(window, one, loss));
    }
    let mut ranks: Vec<usize> = (0..members).collect();
    ranks.sort_by(|a, b| losses[*a].total_cmp(&losses[*b]));
    ranks
}

/// By series and step, the mean width of the 80 % interval of the combination in the windows; empty of a series without one.
fn widths(windows: &[&Window], combined: &[Predicted], series: usize) -> Vec<Vec<f64>> {
    let mut sums = vec![(0.0, Vec::new()); series];
    for (window, predicted) in windows.iter().zip(combined) {
        let (count, sum) = &mut sums[window.series];
        *count += 1.0;
        sum.resize(predicted.mean.len(), 0.0);
        sum.iter_mut().zip(predicted.widths()).for_each(|(sum, width)| *sum += width);
    }
    sums.into_iter().map(|(count, sum)| sum.into_iter().map(|sum: f64| sum / count).collect()).collect()
}

/// The absolute errors of a member in the sums over windows, relative to what was sold in them.
fn sum_error(windows: &[&Window], member: usize) -> f64 {
    let (mut off, mut sold) = (0.0, 0.0);
    for (window, predicted) in windows.iter().filter_map(|window| Some((window, window.predicted[member].as_ref()?))) {
        let there = || window.actual.iter().zip(&predicted.mean).filter(|(y, _)| !y.is_nan());
        off += there().map(|(y, mean)| y - mean).sum::<f64>().abs() / window.size();
        sold += there().map(|(y, _)| y.abs()).sum::<f64>() / window.size();
    }
    if sold > 0.0 { off / sold } else { 0.0 }
}

/// The squared errors of low counts in the windows, relative to the variances that members state.
fn count_variance(panel: &Panel, windows: &[&Window], combined: &[Predicted]) -> f64 {
    let few: Vec<bool> = (0..panel.len()).map(|i| are_few(panel.target(i))).collect();
    let (mut squares, mut variances) = (0.0, 0.0);
    for (window, predicted) in windows.iter().zip(combined).filter(|(window, _)| few[window.series]) {
        for ((y, mean), sd) in
            window.actual.iter().zip(&predicted.mean).zip(&predicted.sd).filter(|((y, _), _)| !y.is_nan())
        {
            squares += (y - mean).powi(2);
            variances += sd * sd;
        }
    }
    if squares > 0.0 && variances > 0.0 { squares / variances } else { 1.0 }
}

/// The cross-validation part of each window: its own, or one half of the series where there is one window alone.
fn parts(windows: &[&Window]) -> Vec<usize> {
    let several = windows.iter().any(|window| window.number != windows[0].number);
    windows.iter().enumerate().map(|(k, window)| if several { window.number } else { k % 2 }).collect()
}

/// Learns from the other parts, for each part.
fn from_others<T: Clone, L>(parts: &[usize], all: &[T], learn: impl Fn(&[T]) -> L) -> Vec<L> {
    let count = parts.iter().max().map_or(0, |last| last + 1);
    let learned = |held_out: usize| {
        let others: Vec<T> =
            all.iter().zip(parts).filter(|(_, part)| **part != held_out).map(|(one, _)| one.clone()).collect();
        // A single series in a single window has no others.
        learn(if others.is_empty() { all } else { &others })
    };
    (0..count).map(learned).collect()
}

/// The forecasts of the ensemble for each window with weights from the other windows.
fn cross_validated(
    windows: &[&Window],
    groups: &Groups,
    steps: usize,
    shrinkage: Option<f64>,
    learn: Learn,
) -> Vec<Predicted> {
    let parts = parts(windows);
    let learned = from_others(&parts, windows, |others| learn(others, groups, steps, shrinkage));
    let predict =
        |(window, part): (&&Window, &usize)| learned[*part].applied(&window.predicted, groups.of[window.series], steps);
    windows.iter().zip(&parts).map(predict).collect()
}

/// The calibration of intervals; none where it does not improve the quantile loss on windows that were left out.
fn calibration(windows: &[&Window], held_out: &[Predicted]) -> Option<Calibration> {
    let scores: Vec<Vec<f64>> =
        windows.iter().zip(held_out).map(|(window, predicted)| predicted.scores(&window.actual)).collect();
    let of = |scores: &[Vec<f64>]| Calibration::symmetric(std::iter::once(scores));
    let parts = parts(windows);
    let learned = from_others(&parts, &scores, of);
    let pinball = METRICS.named("pinball").ok()?;
    let (mut plain, mut calibrated) = (0.0, 0.0);
    for ((window, predicted), part) in windows.iter().zip(held_out).zip(&parts) {
        let loss = |predicted: &Predicted| (pinball.ratio)(&window.case(predicted)).0 / window.size();
        plain += loss(predicted);
        let learned = learned[*part].as_ref();
        calibrated += learned.map_or_else(|| loss(predicted), |learned| loss(&predicted.calibrated(learned)));
    }
    if calibrated < plain { of(&scores) } else { None }
}

/// The scaled loss of the forecast of a window, over the observed steps.
fn window_loss(window: &Window, predicted: &Predicted, loss: StackLoss) -> f64 {
    let errors = window.actual.iter().zip(&predicted.mean).map(|(y, mean)| loss.of((y - mean) / window.size()));
    errors.filter(|e| !e.is_nan()).sum()
}

/// How many series have a window.
fn seen(windows: &[&Window], series: usize) -> usize {
    let mut seen = vec![false; series];
    windows.iter().for_each(|window| seen[window.series] = true);
    seen.into_iter().filter(|seen| *seen).count()
}

/// The loss of forecasts over all windows.
fn total_loss(windows: &[&Window], held_out: &[Predicted], loss: StackLoss) -> f64 {
    windows.iter().zip(held_out).map(|(window, predicted)| window_loss(window, predicted, loss)).sum()
}

/// Is the combination better than a member, on the windows that the member forecasts?
fn is_better(windows: &[&Window], held_out: &[Predicted], member: usize, loss: StackLoss) -> bool {
    let both = windows.iter().zip(held_out).filter_map(|(window, predicted)| {
        let alone = window.predicted[member].as_ref()?;
        Some((window_loss(window, predicted, loss), window_loss(window, alone, loss)))
    });
    let (ours, alone) = both.fold((0.0, 0.0), |(ours, alone), (a, b)| (ours + a, alone + b));
    ours < alone || alone.is_nan() || (ours == 0.0 && alone == 0.0)
}
