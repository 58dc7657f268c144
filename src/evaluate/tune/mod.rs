//! Which hyperparameters are best? A search in which each trial is scored on rolling folds, and the best is scored
//! again on folds that were held out from the search.
//!
//! | file | question |
//! |---|---|
//! | `space` | which values of which options are tried? |
//! | `search` | which values are tried next? |
//! | `record` | which trials are done, so that an interrupted search resumes? |
//! | `trials` | on how many folds is each trial scored, and which is best? |
//!
//! The first trial is the untuned model. With **halving**, trials are scored on the latest fold first, and only the
//! better third of all trials so far is promoted to the others (asynchronous successive halving: Li et al. 2020,
//! *Proceedings of Machine Learning and Systems* 2). The last folds stay **untouched** by the search: the best trial
//! and the untuned model are scored there at the end, and that is the score to report.

mod record;
mod search;
mod space;
mod trials;

use std::path::Path;
use std::sync::Arc;

use polars::prelude::{Column, DataFrame};
use serde_json::json;

pub(crate) use record::{Listener, Scored};
pub use search::{Sampler, Search};

use super::Folds;
use crate::error::{Error, Result, suggestion};
use crate::metrics::{METRICS, Metric};
use crate::models::{IntoModel, Model};
use crate::options;
use crate::panel::{Groups, Panel};
use crate::progress;
use crate::show::{Block, Show, Table, number, words};
use record::Record;
use space::Space;
use trials::{GroupResult, Trial};

/// The result of a hyperparameter search.
///
/// ```
/// use tradewind::prelude::*;
/// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales");
/// let sales = Panel::read("data/walmart_sales_weekly.csv", columns)?;
/// let tuning = sales.tune("theta", Folds::new(3, 8), Search { trials: 4, ..Search::default() })?;
/// println!("{tuning}");
/// let forecast = sales.fit([tuning.best()?])?.forecast(8)?;
/// # Ok::<(), tradewind::Error>(())
/// ```
#[derive(Clone)]
pub struct Tuning(Arc<Inner>);

struct Inner {
    model: String,
    metric: &'static Metric,
    folds: Folds,
    search: Search,
    groups: Vec<(String, usize, GroupResult)>,
}

impl Panel {
    /// Searches hyperparameters of a model on rolling folds. Options that its label states are not searched.
    ///
    /// # Errors
    /// When the model, the search or the folds are invalid, the record is of another search, every trial fails, or the
    /// user interrupts; the trials so far are in the record, if there is one.
    pub fn tune(&self, model: impl IntoModel, folds: Folds, search: Search) -> Result<Tuning> {
        self.tune_told(&model.into_model()?, folds, search, None)
    }

    /// As [`tune`](Self::tune), telling of every trial on every fold.
    pub(crate) fn tune_told(
        &self,
        model: &Model,
        folds: Folds,
        search: Search,
        told: Option<Listener>,
    ) -> Result<Tuning> {
        search.check()?;
        let model = model.label().to_string();
        let metric = METRICS.named(&search.metric)?;
        let space = Space::of(&model, &search.space, &search.trying)?;
        self.check_calendar()?;
        if search.untouched >= folds.len() {
            return Err(Error::usage(format!(
                "untouched = {} of {} folds leaves none for the search; use more folds, or untouched = 0 for scores that are \
                 not out of sample",
                search.untouched,
                folds.len()
            )));
        }
        let record = match &search.record {
            Some(path) => {
                let header = json!({
                    "tuning": 1, "model": model, "data": self.recorded_fingerprint(), "folds": folds, "metric": metric.name,
                    "sampler": search.sampler, "space": search.space, "trying": search.trying, "halving": search.halving,
                    "untouched": search.untouched, "by": search.by, "parallel": search.parallel, "seed": search.seed,
                });
                Record::open(Path::new(path), &header)?
            }
            None => Record::none(),
        };
        let record = record.telling(told);
        let groups = Groups::by(&search.by, self)?;
        let bar = progress::around(0, search.trials * groups.names.len(), "tuning");
        let mut tried = Vec::new();
        for (g, name) in groups.names.iter().enumerate() {
            let members: Vec<bool> = groups.of.iter().map(|group| *group == g).collect();
            let part = if groups.names.len() == 1 { self.clone() } else { self.with_series(&members)? };
            let group_search =
                trials::GroupSearch { panel: &part, group: name, number: g, folds: &folds, search: &search, metric };
            let found = group_search.run(&space, &model, &record, &bar);
            let found = found.map_err(|error| if groups.names.len() == 1 { error } else { error.within(name.clone()) });
            tried.push((name.clone(), part.len(), found?));
        }
        Ok(Tuning(Arc::new(Inner { model, metric, folds, search, groups: tried })))
    }
}

impl Tuning {
    /// The label of the model that was tuned.
    pub fn model(&self) -> String {
        self.0.model.clone()
    }

    /// The groups of series that were tuned, each by itself.
    pub fn groups(&self) -> Vec<String> {
        self.0.groups.iter().map(|(name, ..)| name.clone()).collect()
    }

    /// The label of the best trial.
    ///
    /// # Errors
    /// When several groups were tuned: each has its own, see [`best_of`](Self::best_of).
    pub fn best(&self) -> Result<String> {
        match self.0.groups.as_slice() {
            [(.., tried)] => Ok(tried.best().label.clone()),
            groups => Err(Error::usage(format!(
                "{} groups were tuned, and each has its own best: use best_of(\"{}\")",
                groups.len(),
                groups.first().map_or("", |(name, ..)| name.as_str())
            ))),
        }
    }

    /// The label of the best trial of a group.
    ///
    /// # Errors
    /// When there is no such group; the nearest is suggested.
    pub fn best_of(&self, group: &str) -> Result<String> {
        let found = self.0.groups.iter().find(|(name, ..)| name == group);
        found.map(|(.., tried)| tried.best().label.clone()).ok_or_else(|| {
            let nearest = suggestion(group, self.0.groups.iter().map(|(name, ..)| name.as_str()));
            Error::usage(format!("no group `{group}` was tuned{nearest}"))
        })
    }

    /// One row per group: the best trial, its score and that of the untuned model on the folds of the search, and on
    /// those held out.
    ///
    /// # Errors
    /// Only if the table cannot be assembled.
    pub fn summary(&self) -> Result<Table> {
        let groups = &self.0.groups;
        let each = |value: &dyn Fn(&GroupResult) -> Option<f64>| {
            groups.iter().map(|(.., tried)| value(tried)).collect::<Vec<_>>()
        };
        let columns = vec![
            Column::new("group".into(), self.groups()),
            Column::new("series".into(), groups.iter().map(|(_, series, _)| *series as u64).collect::<Vec<_>>()),
            Column::new(
                "best".into(),
                groups.iter().map(|(.., tried)| tried.best().label.as_str()).collect::<Vec<_>>(),
            ),
            Column::new("as it stood, chosen on".into(), each(&|tried| tried.trials.first()?.score())),
            Column::new("best, chosen on".into(), each(&|tried| tried.best().score())),
            Column::new("as it stood, untouched".into(), each(&|tried| tried.untouched.map(|(before, _)| before))),
            Column::new("best, untouched".into(), each(&|tried| tried.untouched.map(|(_, after)| after))),
            Column::new(
                "trials".into(),
                groups.iter().map(|(.., tried)| tried.trials.len() as u64).collect::<Vec<_>>(),
            ),
            Column::new("seconds".into(), each(&|tried| Some(tried.seconds))),
        ];
        Ok(Table::new(DataFrame::new(groups.len(), columns)?))
    }

    /// Every trial: group, model, number of folds it was scored on, its score there, seconds, and the reason if it
    /// failed. Trials with fewer folds were stopped early.
    ///
    /// # Errors
    /// Only if the table cannot be assembled.
    pub fn trials(&self) -> Result<Table> {
        let all: Vec<(&str, usize, &Trial)> = self
            .0
            .groups
            .iter()
            .flat_map(|(name, _, tried)| {
                tried.trials.iter().enumerate().map(move |(t, trial)| (name.as_str(), t, trial))
            })
            .collect();
        let columns = vec![
            Column::new("group".into(), all.iter().map(|(name, ..)| *name).collect::<Vec<_>>()),
            Column::new("trial".into(), all.iter().map(|(_, t, _)| *t as u64).collect::<Vec<_>>()),
            Column::new("model".into(), all.iter().map(|(.., trial)| trial.label.as_str()).collect::<Vec<_>>()),
            Column::new("folds".into(), all.iter().map(|(.., trial)| trial.folds() as u64).collect::<Vec<_>>()),
            Column::new(self.0.metric.name.into(), all.iter().map(|(.., trial)| trial.score()).collect::<Vec<_>>()),
            Column::new("seconds".into(), all.iter().map(|(.., trial)| trial.seconds).collect::<Vec<_>>()),
            Column::new("failure".into(), all.iter().map(|(.., trial)| trial.failure.as_deref()).collect::<Vec<_>>()),
        ];
        Ok(Table::new(DataFrame::new(all.len(), columns)?))
    }

    /// The scores of a group's trials in order; only of those that were scored on all folds of the search.
    pub(crate) fn history(&self, group: usize) -> Vec<(usize, f64)> {
        let Some((.., tried)) = self.0.groups.get(group) else { return Vec::new() };
        let finished = tried.trials.iter().enumerate().filter(|(_, trial)| trial.folds() == tried.folds);
        finished.filter_map(|(t, trial)| Some((t, trial.score()?))).collect()
    }

    pub(crate) fn metric(&self) -> &'static Metric {
        self.0.metric
    }

    /// The result in a sentence for each group.
    pub fn sentences(&self) -> Vec<String> {
        let metric = self.0.metric;
        let shown = words::metric(metric.name);
        let several = self.0.groups.len() > 1;
        let sentence = |(name, _, tried): &(String, usize, GroupResult)| {
            let best = tried.best();
            let begins = if several { format!("{name}: ") } else { String::new() };
            let at = |value: Option<f64>| value.map_or("undefined".into(), number);
            let change = |before: f64, after: f64| {
                let percent = 100.0 * (metric.loss(Some(after)) / metric.loss(Some(before)) - 1.0);
                match percent {
                    p if !p.is_finite() || p.abs() < 0.05 => "the same".to_string(),
                    p if p < 0.0 => format!("{:.1} % better", -p),
                    p => format!("{p:.1} % worse"),
                }
            };
            let chosen = match (tried.trials.first().and_then(Trial::score), best.score()) {
                _ if tried.chosen == 0 => {
                    format!("no trial was better than {} untuned ({shown} {})", self.0.model, at(best.score()))
                }
                (Some(before), Some(after)) => format!(
                    "{} is best: {shown} {} vs {} of {} untuned on the folds of the search ({})",
                    best.label,
                    number(after),
                    number(before),
                    self.0.model,
                    change(before, after)
                ),
                (_, after) => format!("{} is best: {shown} {}", best.label, at(after)),
            };
            let folds = match self.0.search.untouched {
                1 => "on the last fold, held out from the search".to_string(),
                n => format!("on the last {n} folds, held out from the search"),
            };
            let untouched = match tried.untouched {
                Some((before, after)) if tried.chosen != 0 => {
                    format!("; {} vs {} {folds} ({})", number(after), number(before), change(before, after))
                }
                Some((before, _)) => format!("; {} {folds}", number(before)),
                None => String::new(),
            };
            format!("{begins}{chosen}{untouched}.")
        };
        self.0.groups.iter().map(sentence).collect()
    }
}

/// The most trials that are shown.
const SHOWN: usize = 10;

impl Show for Tuning {
    fn block(&self) -> Block {
        let trials: usize = self.0.groups.iter().map(|(.., tried)| tried.trials.len()).sum();
        let failed =
            self.0.groups.iter().flat_map(|(.., tried)| &tried.trials).filter(|trial| trial.failure.is_some()).count();
        let mut blocks = vec![Block::Text(format!(
            "{}: {} trials, {} failed; {}",
            self.0.model,
            number(trials as f64),
            number(failed as f64),
            self.0.folds.to_string().trim()
        ))];
        blocks.extend(self.sentences().into_iter().map(Block::Text));
        match self.0.groups.as_slice() {
            [(.., tried)] => blocks.extend(tried.board(self.0.metric, SHOWN).ok().map(Block::Table)),
            _ => blocks.extend(self.summary().ok().map(Block::Table)),
        }
        if !self.0.search.trying.is_empty() {
            blocks.push(Block::Note(format!(
                "Options during the search alone: {}. The best trial is scored without them on the held-out folds.",
                options::pairs(&self.0.search.trying)
            )));
        }
        if self.0.search.untouched == 0 {
            blocks.push(Block::Note(
                "No fold was held out: these are the scores of the search itself, which are too optimistic.".into(),
            ));
        }
        Block::Group(blocks)
    }
}

crate::show::noun!(Tuning);
