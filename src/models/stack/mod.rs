//! `stack` and `select`: models weighed, or one chosen, by what they said of windows that they had not seen.
//!
//! 1. **Windows.** The last windows of the panel, each as long as the forecast. Every member is fitted to what lies before
//!    each, and says what it expects.
//! 2. **Weights.** `stack` finds weights that are not negative and sum to one, by group of series and by how far ahead (see
//!    `weights`); `select` takes the member with the best score by any metric, for each group.
//! 3. **Intervals.** Quantiles are averaged with the same weights, probability by probability, and widened or narrowed by how
//!    far out the values of each window stood in the combination with weights from the *other* windows, if intervals so
//!    corrected would have been better on windows that had no say in it.
//! 4. **Honesty.** All of this happens inside the training part: a backtest of `stack` or `select` repeats it in every fold, so
//!    that its score is one that no choice has seen.
//!
//! A panel too short for a window gets `auto`, as does a series that no member can serve. Where `auto` is among the members and
//! the combination was no better than it, with weights from the other windows, it stays alone. The form says so
//! (Wolpert 1992, *Neural Networks* 5; Breiman 1996, *Machine Learning* 24; for series by their kind, Montero-Manso et al. 2020,
//! *International Journal of Forecasting* 36).

mod fitted;
mod past;
mod weights;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use fitted::FittedStack;

use super::calibration::Calibration;
use super::trial::usual_horizon;
use super::{Aim, Automatic, Fitted, Forecaster, Method, Model, WholePanel, distinct};
use crate::error::{Error, Result};
use crate::metrics::{self, METRICS};
use crate::panel::{Groups, Panel};
use fitted::Member;
use past::{Said, Window};
use weights::Weights;

/// How strongly weights may be drawn to those of their parents, the strongest first: so many windows of one series weigh as
/// much.
const PULLS: [f64; 4] = [128.0, 32.0, 8.0, 2.0];
/// Windows that are asked for at most.
const MOST_WINDOWS: usize = 20;

/// Options of `stack`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Stack {
    /// The labels of the members.
    pub models: Vec<String>,
    /// Which series have weights of their own: `panel` for the same for all, `series`, `class` of demand, `size`, a key column or
    /// a fixed covariate.
    pub by: String,
    /// Errors are weighed as they are, or squared.
    pub loss: Loss,
    /// Windows of the past that members are tried on, as many as there is room for.
    pub windows: usize,
    /// Steps of a window; those of the forecast if not stated.
    pub horizon: Option<usize>,
}

/// What weights minimise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Loss {
    /// Absolute errors.
    #[default]
    Absolute,
    /// Squared errors.
    Squared,
}

impl Loss {
    fn of(self, error: f64) -> f64 {
        match self {
            Self::Absolute => error.abs(),
            Self::Squared => error * error,
        }
    }
}

impl Default for Stack {
    fn default() -> Self {
        Self { models: members(), by: "class".into(), loss: Loss::default(), windows: 3, horizon: None }
    }
}

/// Options of `select`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Select {
    /// The labels of the candidates.
    pub models: Vec<String>,
    /// For which series one is chosen: `panel` for the same for all, `series`, `class` of demand, `size`, a key column or a fixed
    /// covariate.
    pub by: String,
    /// The metric that the best is best by.
    pub metric: String,
    /// Windows of the past that candidates are tried on, as many as there is room for.
    pub windows: usize,
    /// Steps of a window; those of the forecast if not stated.
    pub horizon: Option<usize>,
}

impl Default for Select {
    fn default() -> Self {
        Self { models: members(), by: "series".into(), metric: "mase".into(), windows: 3, horizon: None }
    }
}

/// The usual members: what knows each series, and what learns from all.
fn members() -> Vec<String> {
    ["auto", "boost"].map(String::from).to_vec()
}

impl Method for Stack {
    const NAME: &str = "stack";
    const SUMMARY: &str =
        "Models weighed by what they said of the last windows, by kind of series and by how far ahead";
    const EXAMPLE: &str = "stack(models=[\"theta\", \"seasonal_naive\"])";
    const ALSO: &str = "stacking, stacked ensemble, stacked generalization, stacked generalisation";
    const SIMILAR: &[(&str, &str)] = &[(
        "super learner, fforma, feature based averaging",
        "it learns weights from errors in windows of the past, for kinds of series and for each step ahead",
    )];
    const SEARCH: &[(&str, &[&str])] =
        &[("by", &["panel", "class", "size", "series"]), ("loss", &["absolute", "squared"])];
    type Kind = WholePanel;
    type Fitted = FittedStack;

    fn check(&self) -> Result<()> {
        check(&self.models, self.windows, self.horizon)
    }
}

impl Method for Select {
    const NAME: &str = "select";
    const SUMMARY: &str = "The model that was best on the last windows, for each series or kind of series";
    const EXAMPLE: &str = "select(models=[\"theta\", \"seasonal_naive\"])";
    const ALSO: &str = "selection, model selection";
    const SEARCH: &[(&str, &[&str])] = &[("by", &["panel", "class", "size", "series"])];
    type Kind = WholePanel;
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
        1..=MOST_WINDOWS => Ok(()),
        other => Err(Error::usage(format!("`windows` is at least 1 and at most {MOST_WINDOWS}, not {other}"))),
    }
}

fn models(labels: &[String]) -> Result<Vec<Model>> {
    distinct(labels.iter().map(|label| Model::named(label)).collect::<Result<_>>()?)
}

impl Forecaster for Stack {
    fn reads_covariates(&self) -> bool {
        reads_covariates(&self.models)
    }

    fn minds_steps(&self) -> bool {
        self.horizon.is_none()
    }

    fn minds_scenario(&self) -> bool {
        reads_covariates(&self.models)
    }

    fn fit(&self, train: &Panel, aim: Aim) -> Result<Box<dyn Fitted>> {
        let learn = |windows: &[&Window], groups: &Groups, steps: usize, pull: f64| {
            Weights::learned(windows, &groups.of, groups.names.len(), steps, self.loss, pull)
        };
        let task = Task { models: &self.models, by: &self.by, windows: self.windows, aim: aimed(aim, self.horizon) };
        task.fit(train, &learn, &PULLS, self.loss)
    }
}

impl Forecaster for Select {
    fn reads_covariates(&self) -> bool {
        reads_covariates(&self.models)
    }

    fn minds_steps(&self) -> bool {
        self.horizon.is_none()
    }

    fn minds_scenario(&self) -> bool {
        reads_covariates(&self.models)
    }

    fn fit(&self, train: &Panel, aim: Aim) -> Result<Box<dyn Fitted>> {
        let metric = METRICS.named(&self.metric)?;
        let learn = |windows: &[&Window], groups: &Groups, _: usize, _: f64| {
            let members = windows.first().map_or(0, |window| window.said.len());
            let best = |group: Option<usize>| {
                let asked = |window: &&&Window| group.is_none_or(|group| groups.of[window.series] == group);
                let loss = |m: usize| {
                    let scored = windows
                        .iter()
                        .filter(asked)
                        .filter_map(|window| Some((metric.ratio)(&window.case(window.said[m].as_ref()?))));
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
        let task = Task { models: &self.models, by: &self.by, windows: self.windows, aim: aimed(aim, self.horizon) };
        task.fit(train, &learn, &[], Loss::Absolute)
    }
}

/// The aim with the steps that an option states.
fn aimed(aim: Aim, steps: Option<usize>) -> Aim {
    Aim { steps: steps.or(aim.steps), ..aim }
}

fn reads_covariates(labels: &[String]) -> bool {
    labels.iter().any(|label| Model::named(label).is_ok_and(|model| model.reads_covariates()))
}

/// What weights are learned with: windows, groups, steps, and how strongly they are drawn to those of their parents.
type Learn<'a> = &'a dyn Fn(&[&Window], &Groups, usize, f64) -> Weights;

/// What both have in common.
struct Task<'a> {
    models: &'a [String],
    by: &'a str,
    windows: usize,
    aim: Aim,
}

impl Task<'_> {
    /// Members fitted to a panel, with what is learned of them on its last windows. Where there are several `pulls`, the one is
    /// taken that is best on windows that had no say in the weights, and `auto` alone is asked whether it would do.
    fn fit(&self, train: &Panel, learn: Learn, pulls: &[f64], loss: Loss) -> Result<Box<dyn Fitted>> {
        let mut members = models(self.models)?;
        let groups = Groups::by(self.by, train)?;
        let steps = self.aim.steps.unwrap_or_else(|| usual_horizon(train.season()));
        let aim = aimed(self.aim, Some(steps));
        let (mut windows, silent) = past::windows(&members, train, aim, steps, self.windows)?;
        let mut remarks = Vec::new();
        if silent.iter().any(Option::is_none) {
            // Who has nothing to say of any window has no score beside the others.
            for (m, why) in silent.iter().enumerate().rev() {
                if let Some(why) = why {
                    remarks.insert(0, (members.remove(m).label().to_string(), why.to_string()));
                    windows.iter_mut().for_each(|window| drop(window.said.remove(m)));
                }
            }
        }
        let spoken: Vec<&Window> = windows.iter().filter(|window| window.said.iter().any(Option::is_some)).collect();
        if spoken.is_empty() {
            return alone(train, aim, groups, "the series are too short for a window to weigh models on");
        }
        let (mut pull, others) = pulls.split_first().map_or((0.0, &[][..]), |(first, others)| (*first, others));
        let mut tried = tried(&spoken, &groups, steps, pull, learn);
        for other in others {
            let again = self::tried(&spoken, &groups, steps, *other, learn);
            if errors(&spoken, &again, loss) < errors(&spoken, &tried, loss) {
                (pull, tried) = (*other, again);
            }
        }
        let mut weights = learn(&spoken, &groups, steps, pull);
        let mut note = String::new();
        let automatic = members.iter().position(|member| member.label() == Automatic::NAME);
        if let Some(m) = automatic.filter(|_| !pulls.is_empty())
            && !is_better(&spoken, &tried, m, loss)
        {
            let own = (0..members.len()).map(|other| f64::from(u8::from(other == m))).collect();
            weights = Weights::same(own, groups.names.len());
            note = "no combination was better on the last windows".into();
        }
        let calibration = if note.is_empty() { correction(&spoken, &tried) } else { None };
        let (mut fitted, mut kept) = (Vec::new(), Vec::new());
        for (m, member) in members.iter().enumerate() {
            // One that served a part of the panel may not serve the whole of it.
            match past::fit(member, train, aim)? {
                Ok(fit) => {
                    fitted.push(Member::new(member.label(), fit, train.len()));
                    kept.push(m);
                }
                Err(why) => remarks.push((member.label().to_string(), why.to_string())),
            }
        }
        if kept.is_empty() {
            return alone(train, aim, groups, "no member can serve the panel");
        }
        let weights = weights.of(&kept);
        let unserved = |i: usize| fitted.iter().all(|member| member.fails(i));
        if automatic.is_none() && (0..train.len()).any(unserved) {
            let fit = Model::from(Automatic::default()).forecaster().fit(train, aim)?;
            fitted.push(Member::new(Automatic::NAME, fit, train.len()));
        }
        Ok(Box::new(FittedStack::new(train, fitted, weights, groups.of, calibration, note, remarks)))
    }
}

/// `auto` in the place of a combination, and why.
fn alone(train: &Panel, aim: Aim, groups: Groups, why: &str) -> Result<Box<dyn Fitted>> {
    let fit = Model::from(Automatic::default()).forecaster().fit(train, aim)?;
    let member = Member::new(Automatic::NAME, fit, train.len());
    let weights = Weights::same(vec![1.0], groups.names.len());
    Ok(Box::new(FittedStack::new(train, vec![member], weights, groups.of, None, why.into(), Vec::new())))
}

/// Which part each window belongs to, what is learned for one being learned from the others: its own, or one half of the series
/// where there is one window alone.
fn parts(windows: &[&Window]) -> Vec<usize> {
    let several = windows.iter().any(|window| window.number != windows[0].number);
    windows.iter().enumerate().map(|(k, window)| if several { window.number } else { k % 2 }).collect()
}

/// What is learned for each part from the others.
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

/// What the combination says of each window with weights from the others.
fn tried(windows: &[&Window], groups: &Groups, steps: usize, pull: f64, learn: Learn) -> Vec<Said> {
    let parts = parts(windows);
    let learned = from_others(&parts, windows, |others| learn(others, groups, steps, pull));
    let say = |(window, part): (&&Window, &usize)| {
        let serves: Vec<bool> = window.said.iter().map(Option::is_some).collect();
        let share = |step: usize| learned[*part].shares(groups.of[window.series], step, &serves);
        let shares: Vec<Vec<f64>> = (0..steps).map(share).collect();
        Said::combined(&window.said, &shares)
    };
    windows.iter().zip(&parts).map(say).collect()
}

/// How wide intervals ought to be; none where, learned from other windows, it made them no better.
fn correction(windows: &[&Window], tried: &[Said]) -> Option<Calibration> {
    let deviates: Vec<Vec<f64>> =
        windows.iter().zip(tried).map(|(window, said)| said.deviates(&window.actual)).collect();
    let of = |deviates: &[Vec<f64>]| Calibration::of_widths(std::iter::once(deviates));
    let parts = parts(windows);
    let learned = from_others(&parts, &deviates, of);
    let pinball = METRICS.named("pinball").ok()?;
    let (mut plain, mut corrected) = (0.0, 0.0);
    for ((window, said), part) in windows.iter().zip(tried).zip(&parts) {
        let loss = |said: &Said| (pinball.ratio)(&window.case(said)).0 / window.size();
        plain += loss(said);
        corrected += learned[*part].as_ref().map_or_else(|| loss(said), |learned| loss(&said.calibrated(learned)));
    }
    if corrected < plain { of(&deviates) } else { None }
}

/// The loss of what was said of a window, in units of its series; of steps at which something was observed.
fn error(window: &Window, said: &Said, loss: Loss) -> f64 {
    let errors = window.actual.iter().zip(&said.mean).map(|(y, mean)| loss.of((y - mean) / window.size()));
    errors.filter(|e| !e.is_nan()).sum()
}

/// The loss of combinations on all windows.
fn errors(windows: &[&Window], tried: &[Said], loss: Loss) -> f64 {
    windows.iter().zip(tried).map(|(window, said)| error(window, said, loss)).sum()
}

/// Was the combination better than a member, on the windows that it spoke of?
fn is_better(windows: &[&Window], tried: &[Said], member: usize, loss: Loss) -> bool {
    let both = windows.iter().zip(tried).filter_map(|(window, tried)| {
        Some((error(window, tried, loss), error(window, window.said[member].as_ref()?, loss)))
    });
    let (ours, alone) = both.fold((0.0, 0.0), |(ours, alone), (a, b)| (ours + a, alone + b));
    ours < alone || alone.is_nan() || (ours == 0.0 && alone == 0.0)
}
