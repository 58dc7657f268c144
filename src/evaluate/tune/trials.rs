//! How far does each trial get, and which is best?

use std::time::Instant;

use polars::prelude::{Column, DataFrame};
use rayon::prelude::*;

use super::record::{Outcome, Record, Run};
use super::search::{Proposer, Search};
use super::space::{Place, Space};
use crate::error::{Error, Result};
use crate::evaluate::Folds;
use crate::evaluate::backtest::sums;
use crate::job::Bar;
use crate::job::carried;
use crate::metrics::{Metric, Sums};
use crate::models::Model;
use crate::panel::{Cut, Panel};
use crate::progress;
use crate::show::Table;

/// One in this many trials is promoted to the next folds, whose number then grows by the same factor.
const HALVING: usize = 3;
/// At least this many trials are promoted.
const FEW: usize = 4;

/// A model with some options, and its scores.
pub(super) struct Trial {
    pub label: String,
    pub failure: Option<String>,
    pub seconds: f64,
    place: Place,
    /// Was it stopped early?
    left: bool,
    /// Fold by fold, the latest first; none where it was not scored.
    scores: Vec<Option<Sums>>,
}

/// The trials for a group of series.
pub(super) struct GroupResult {
    pub trials: Vec<Trial>,
    /// The index of the best trial.
    pub chosen: usize,
    /// The scores of the untuned model and of the best one on the folds held out from the search.
    pub untouched: Option<(f64, f64)>,
    /// Number of folds of the search.
    pub folds: usize,
    pub seconds: f64,
}

impl Trial {
    fn new(label: Result<String>, place: Place, folds: usize) -> Self {
        let (label, failure) = match label {
            Ok(label) => (label, None),
            Err(error) => (String::new(), Some(error.to_string())),
        };
        Self { label, failure, seconds: 0.0, place, left: false, scores: vec![None; folds] }
    }

    /// Number of folds that it was scored on.
    pub fn folds(&self) -> usize {
        self.scores.iter().flatten().count()
    }

    /// Its score over the folds that it was scored on.
    pub fn score(&self) -> Option<f64> {
        self.over(self.folds())
    }

    /// Its score over the first folds.
    fn over(&self, folds: usize) -> Option<f64> {
        let mut sums = Sums::default();
        self.scores[..folds].iter().flatten().for_each(|score| sums.add(*score));
        sums.value()
    }

    fn reached(&self, folds: usize) -> bool {
        self.failure.is_none() && self.folds() >= folds
    }
}

impl GroupResult {
    /// The best trial.
    pub fn best(&self) -> &Trial {
        &self.trials[self.chosen]
    }

    /// The best trials that were scored on all folds.
    ///
    /// # Errors
    /// Only if the table cannot be assembled.
    pub fn board(&self, metric: &Metric, shown: usize) -> Result<Table> {
        let mut order: Vec<&Trial> = self.trials.iter().filter(|trial| trial.reached(self.folds)).collect();
        order.sort_by(|a, b| metric.loss(a.score()).total_cmp(&metric.loss(b.score())));
        order.truncate(shown);
        let columns = vec![
            Column::new("model".into(), order.iter().map(|trial| trial.label.as_str()).collect::<Vec<_>>()),
            Column::new(metric.name.into(), order.iter().map(|trial| trial.score()).collect::<Vec<_>>()),
            Column::new("seconds".into(), order.iter().map(|trial| trial.seconds).collect::<Vec<_>>()),
        ];
        Ok(Table::new(DataFrame::new(order.len(), columns)?).highlight(0))
    }
}

/// A search for one group of series.
pub(super) struct GroupSearch<'a> {
    pub panel: &'a Panel,
    pub group: &'a str,
    /// The group's number, from which its draws come.
    pub number: usize,
    pub folds: &'a Folds,
    pub search: &'a Search,
    pub metric: &'static Metric,
}

/// What a trial needs to run.
struct Context<'a> {
    /// Oldest first.
    cuts: Vec<Cut>,
    space: &'a Space,
    record: &'a Record,
    started: Instant,
}

impl GroupSearch<'_> {
    /// Tries until trials, time or places are used up, and chooses.
    ///
    /// # Errors
    /// When no trial was scored on all folds, the record cannot be written, or the user interrupts.
    pub fn run(&self, space: &Space, model: &str, record: &Record, bar: &Bar) -> Result<GroupResult> {
        let cuts = self.folds.cuts(self.panel)?.collect::<Result<Vec<_>>>()?;
        let context = Context { cuts, space, record, started: Instant::now() };
        let folds = self.folds.len() - self.search.untouched;
        let mut proposer = Proposer::new(space, self.search, self.number as u64)?;
        proposer.known(model);
        let mut trials: Vec<Trial> = Vec::new();
        let mut in_time = true;
        while in_time && trials.len() < self.search.trials {
            let room = self.search.parallel.min(self.search.trials - trials.len());
            let mut batch: Vec<Trial> = Vec::new();
            if trials.is_empty() {
                batch.push(Trial::new(Ok(model.to_string()), Vec::new(), folds));
            }
            while batch.len() < room
                && let Some((place, label)) = proposer.next()
            {
                batch.push(Trial::new(label, place, folds));
            }
            if batch.is_empty() {
                break;
            }
            let first = trials.len();
            bar.inc(batch.len());
            trials.extend(batch);
            in_time = self.advance(&mut trials, first, &context)?;
            for t in first..trials.len() {
                let trial = &trials[t];
                if !trial.place.is_empty() {
                    proposer.tell(&trial.place, self.relative(trial, &trials[0]));
                }
            }
        }
        let chosen = self.choose(&trials, folds)?;
        let untouched = match self.search.untouched {
            0 => None,
            _ => self.untouched(&trials[0], &trials[chosen], chosen, &context)?,
        };
        let seconds = trials.iter().map(|trial| trial.seconds).sum();
        Ok(GroupResult { trials, chosen, untouched, folds, seconds })
    }

    /// A trial's loss relative to that of the untuned model on the same folds, which makes trials on few and on all
    /// folds comparable.
    fn relative(&self, trial: &Trial, base: &Trial) -> f64 {
        let folds = trial.folds();
        if trial.failure.is_some() || folds == 0 {
            return f64::INFINITY;
        }
        let loss = self.metric.loss(trial.score());
        match self.metric.loss(base.over(folds.min(base.folds()))) {
            base if base > 0.0 && base.is_finite() => loss / base,
            _ => loss,
        }
    }

    /// Takes the trials from `first` on through the folds, all of them as far as the next sieve before any goes
    /// farther. Is there still time?
    fn advance(&self, trials: &mut [Trial], first: usize, context: &Context) -> Result<bool> {
        let folds = self.folds.len() - self.search.untouched;
        let mut from = 0;
        let mut until = if self.search.halving { 1 } else { folds };
        loop {
            let mut alive: Vec<(usize, &mut Trial)> = trials
                .iter_mut()
                .enumerate()
                .skip(first)
                .filter(|(_, trial)| trial.reached(from) && !trial.left)
                .collect();
            let run = |(t, trial): &mut (usize, &mut Trial)| -> Result<bool> {
                (from..until).try_fold(true, |in_time, fold| {
                    // The latest fold that chooses comes first.
                    Ok(in_time
                        && (trial.failure.is_some() || self.score(trial, *t, fold, folds - 1 - fold, context)?))
                })
            };
            let in_time: Vec<bool> = alive.par_iter_mut().map(carried(run)).collect::<Result<_>>()?;
            self.compare(trials, first, until);
            if in_time.contains(&false) {
                return Ok(false);
            }
            if until >= folds {
                return Ok(self.in_time(context));
            }
            self.sieve(trials, first, until);
            (from, until) = (until, (until * HALVING).min(folds));
        }
    }

    /// A trial that was scored on fewer windows than the untuned model is not better for leaving out the hard ones.
    fn compare(&self, trials: &mut [Trial], first: usize, folds: usize) {
        let Some((base, others)) = trials.split_first_mut() else { return };
        let below = |trial: &Trial| trial.scores[..folds].iter().flatten().map(|score| score.below).sum::<f64>();
        for trial in others.iter_mut().skip(first.saturating_sub(1)).filter(|trial| trial.reached(folds)) {
            if base.reached(folds) && below(trial) < below(base) * (1.0 - 1e-9) {
                trial.failure = Some("it could forecast fewer series than the untuned model".into());
            }
        }
    }

    /// Stops those of the new trials that are not in the better third of all that have been scored on as many folds.
    fn sieve(&self, trials: &mut [Trial], first: usize, folds: usize) {
        let mut losses: Vec<f64> = trials
            .iter()
            .filter(|trial| trial.reached(folds))
            .map(|trial| self.metric.loss(trial.over(folds)))
            .collect();
        losses.sort_by(f64::total_cmp);
        // Of a few, one fold says too little.
        let kept = losses.len().div_ceil(HALVING).max(FEW.min(losses.len()));
        let Some(bound) = kept.checked_sub(1).map(|last| losses[last]) else { return };
        for (t, trial) in trials.iter_mut().enumerate().skip(first) {
            trial.left = t != 0 && self.metric.loss(trial.over(folds)) > bound;
        }
    }

    /// Scores a trial on a fold, or takes its score from the record. Was there time for it?
    fn score(&self, trial: &mut Trial, number: usize, at: usize, fold: usize, context: &Context) -> Result<bool> {
        let run = Run { group: self.group, trial: number, model: &trial.label, fold };
        let (seconds, outcome) = match context.record.known(&run)? {
            Some(known) => known,
            None if !self.in_time(context) => return Ok(false),
            None => {
                let begun = Instant::now();
                let outcome = self.outcome(context.space.tried(&trial.label), &context.cuts[fold])?;
                let seconds = begun.elapsed().as_secs_f64();
                context.record.add(&run, seconds, self.elapsed(context), &outcome)?;
                (seconds, outcome)
            }
        };
        context.record.tell(&run, seconds, &outcome);
        trial.seconds += seconds;
        match outcome {
            Outcome::Score { above, below } => trial.scores[at] = Some(Sums { above, below }),
            Outcome::Failure(why) => trial.failure = Some(why),
        }
        Ok(true)
    }

    fn outcome(&self, model: Result<Model>, cut: &Cut) -> Result<Outcome> {
        progress::check()?;
        let scored = model.and_then(|model| sums(self.panel, cut, &model, self.metric));
        match scored {
            Ok((Some(Sums { above, below }), _)) => Ok(Outcome::Score { above, below }),
            Ok((None, failure)) => {
                let why = failure.map_or_else(
                    || {
                        "no series has a value to score in the fold, or a denominator (a constant history has no \
                         scale); choose another metric, such as mae"
                            .into()
                    },
                    |failure| format!("no series could be forecast ({}: {})", failure.series, failure.reason),
                );
                Ok(Outcome::Failure(format!("{} is undefined: {why}", self.metric.name)))
            }
            Err(error) if error.is_interrupted() => Err(error),
            Err(error) => Ok(Outcome::Failure(error.to_string())),
        }
    }

    fn elapsed(&self, context: &Context) -> f64 {
        context.record.spent + context.started.elapsed().as_secs_f64()
    }

    fn in_time(&self, context: &Context) -> bool {
        self.search.seconds.is_none_or(|seconds| self.elapsed(context) < seconds)
    }

    /// The trial with the least loss of those that were scored on all folds; the earliest of equals.
    fn choose(&self, trials: &[Trial], folds: usize) -> Result<usize> {
        let finished = (0..trials.len()).filter(|t| trials[*t].reached(folds));
        let best = finished.min_by(|a, b| {
            self.metric.loss(trials[*a].score()).total_cmp(&self.metric.loss(trials[*b].score())).then(a.cmp(b))
        });
        best.ok_or_else(|| match trials.iter().find_map(|trial| trial.failure.as_ref()) {
            Some(why) if trials.iter().all(|trial| trial.failure.is_some()) => {
                Error::model(format!("all {} trials failed; the first: {why}", trials.len()))
            }
            _ => Error::usage(
                "no trial was scored on all folds in the time that was given; give more seconds, or fewer folds",
            ),
        })
    }

    /// The scores of the untuned model and of the best trial on the held-out folds.
    fn untouched(&self, base: &Trial, best: &Trial, chosen: usize, context: &Context) -> Result<Option<(f64, f64)>> {
        let folds = self.folds.len() - self.search.untouched..self.folds.len();
        let over = |trial: &Trial, number: usize| -> Result<Option<f64>> {
            let mut sums = Sums::default();
            for fold in folds.clone() {
                let run = Run { group: self.group, trial: number, model: &trial.label, fold };
                let (seconds, outcome) = match context.record.known(&run)? {
                    Some(known) => known,
                    None => {
                        let begun = Instant::now();
                        let outcome = self.outcome(Model::named(&trial.label), &context.cuts[fold])?;
                        let seconds = begun.elapsed().as_secs_f64();
                        context.record.add(&run, seconds, self.elapsed(context), &outcome)?;
                        (seconds, outcome)
                    }
                };
                context.record.tell(&run, seconds, &outcome);
                if let Outcome::Score { above, below } = outcome {
                    sums.add(Sums { above, below });
                }
            }
            Ok(sums.value())
        };
        let before = over(base, 0)?;
        let after = if chosen == 0 { before } else { over(best, chosen)? };
        Ok(before.zip(after))
    }
}
