//! Does a challenger take the champion's place?
//!
//! The newest folds are for the test alone. On the data before them the models of the plan are backtested, the best of them is tuned
//! where the plan gives a search, and the winner is the challenger. Then champion and challenger forecast the newest folds; the
//! challenger is promoted if its error is smaller there and the Diebold–Mariano test says that this is no chance. A champion that stays is
//! fitted again to all the data: it knows the newest sales without having been replaced by another method.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::champion::{FITS, MODEL, REPLACED, WHY};
use crate::error::{Error, Result};
use crate::evaluate::Backtest;
use crate::files::Lock;
use crate::models::Model;
use crate::panel::Panel;
use crate::plan::Plan;
use crate::show::{Block, Finding, Show, Table, Value, number};
use crate::track::{CHALLENGER, CHAMPION, Registered, Runs};

/// The place of a challenger's fits among the files of a run.
const WAITING: &str = "challenger/fits.bin";
/// The greatest p-value at which a challenger is promoted.
const LEVEL: f64 = 0.05;

/// What a retraining came to.
#[derive(Clone)]
pub struct Retraining(Arc<Inner>);

struct Inner {
    version: u32,
    is_new: bool,
    label: String,
    why: String,
    comparison: Option<Finding>,
    board: Table,
}

impl Retraining {
    /// The version that forecasts from now on.
    pub fn version(&self) -> u32 {
        self.0.version
    }

    /// Has another model taken the champion's place?
    pub fn promoted(&self) -> bool {
        self.0.is_new
    }

    /// The label of the model that forecasts from now on.
    pub fn model(&self) -> String {
        self.0.label.clone()
    }

    /// Why it was promoted or kept.
    pub fn sentence(&self) -> String {
        self.0.why.clone()
    }

    /// Champion against challenger on the newest folds; none where there was no champion, or the champion was also the best.
    pub fn comparison(&self) -> Option<Finding> {
        self.0.comparison.clone()
    }

    /// The models that were tried on the data before the newest folds.
    pub fn leaderboard(&self) -> Table {
        self.0.board.clone()
    }
}

impl Show for Retraining {
    fn block(&self) -> Block {
        let mut blocks = vec![Block::Text(self.sentence())];
        if let Some(comparison) = &self.0.comparison {
            blocks.push(Block::Text(comparison.sentence()));
            blocks.push(Block::Table(comparison.table()));
        }
        blocks.push(Block::Table(self.0.board.titled("On the data before the newest folds")));
        Block::Group(blocks)
    }
}

crate::show::noun!(Retraining);

/// A champion, and what is said of it.
struct Verdict {
    label: String,
    is_new: bool,
    why: String,
    comparison: Option<Finding>,
    /// A challenger that was better, but perhaps by chance.
    waiting: Option<String>,
}

impl Plan {
    /// Fits again, tunes within the plan's search if it has one, lets the best model challenge the champion on the newest folds, and
    /// promotes or keeps; the run, its fits and the reason are kept in `runs`, under the plan's
    /// [`model_name`](Plan::model_name).
    ///
    /// Where the plan names a store of forecasts, its detectors find anew what is usual, and a failure is told whom its rules name.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let home = tempfile::tempdir().unwrap();
    /// let runs = Runs::at(home.path().join("mlruns").to_str())?;
    /// let plan = Plan::read_text(r#"
    ///     data = "data/walmart_sales_weekly.csv"
    ///     id = ["Store", "Dept"]
    ///     time = "Date"
    ///     target = "Weekly_Sales"
    ///     models = "naive; seasonal_naive"
    ///     experiment = "departments"
    /// "#)?;
    /// let first = plan.retrain(&runs)?;
    /// assert_eq!((first.version(), first.promoted()), (1, true));
    /// assert_eq!(runs.champion_fits("departments")?.models(), [first.model()]);
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// When another retraining is at work there, no model can be scored, the history is too short for the folds, or the runs or the
    /// store of the plan cannot be written.
    pub fn retrain(&self, runs: &Runs) -> Result<Retraining> {
        self.check()?;
        let name = self.model_name();
        // One at a time: two would each replace a champion that the other has not seen.
        let mut beside = runs.folder().into_os_string();
        beside.push("-retraining");
        let _alone = Lock::on(Path::new(&beside)).map_err(|error| error.within("another retraining is at work"))?;
        // What is wrong with the rules or the store is not found after hours of fitting.
        self.monitor()?;
        let done = self.retrained(runs, &name);
        let tell = |failure: Option<&str>| match self.monitor()? {
            Some(monitor) => monitor.refitted(&name, failure),
            None => Ok(()),
        };
        match &done {
            Ok(done) => tell(None).map_err(|error| {
                error.within(format!("version {} of {name} forecasts, but its store could not be told", done.version()))
            })?,
            Err(error) if error.is_interrupted() => {}
            // Why the fit failed says more than why nobody could be told.
            Err(error) => tell(Some(&error.to_string())).unwrap_or_default(),
        }
        done
    }

    /// The same, while no other retraining is at work and whatever its store is told.
    fn retrained(&self, runs: &Runs, name: &str) -> Result<Retraining> {
        let panel = self.panel()?;
        let champion = runs.champion(name)?;
        let newest = self.folds();
        let before = panel.split(&newest)?.first().map(crate::panel::Fold::train);
        let Some(before) = before else { return Err(Error::usage("a retraining needs folds, at least one")) };
        let (label, board) = self.challenger(&before)?;
        let verdict = self.verdict(&panel, champion.as_ref(), label)?;
        let folder = crate::files::scratch()?;
        let fitted = |label: &str, name: &str| -> Result<PathBuf> {
            let file = folder.path().join(name);
            self.fits_of(&panel, &[Model::named(label)?])?.save(&file)?;
            Ok(file)
        };
        let mut told = self.told(&panel, format!("retrain {}", verdict.label))?;
        told.params.push((MODEL.into(), verdict.label.clone()));
        told.tags.push((WHY.into(), verdict.why.clone()));
        if let Ok(trial) = panel.backtest_at([verdict.label.as_str()], newest, self.levels()?) {
            for metric in crate::metrics::METRICS.iter() {
                if let Ok(score) = trial.score(&verdict.label, metric.name) {
                    told.metrics.push((metric.name.into(), score, 0));
                }
            }
        }
        told.files.push((FITS.into(), fitted(&verdict.label, "fits.bin")?));
        if let Some(waiting) = &verdict.waiting {
            told.files.push((WAITING.into(), fitted(waiting, "challenger.bin")?));
        }
        let fingerprint = panel.fingerprint();
        let run = runs.record(told)?;
        let replaced = champion.as_ref().map(|champion| champion.version.to_string());
        let mut notes = vec![(MODEL, verdict.label.as_str()), ("data", &fingerprint), (WHY, &verdict.why)];
        notes.extend(replaced.as_deref().map(|number| (REPLACED, number)));
        let version = runs.register(name, &run, FITS, &notes)?.version;
        // Last: whoever is stopped before it leaves the former champion in its place.
        runs.alias(name, CHAMPION, version)?;
        if let Some(waiting) = &verdict.waiting {
            let notes = [
                (MODEL, waiting.as_str()),
                ("data", &fingerprint),
                (WHY, "it was better than the champion, perhaps by chance"),
            ];
            let version = runs.register(name, &run, WAITING, &notes)?.version;
            runs.alias(name, CHALLENGER, version)?;
        }
        let Verdict { label, is_new, why, comparison, .. } = verdict;
        Ok(Retraining(Arc::new(Inner { version, is_new, label, why, comparison, board })))
    }

    /// The best of the plan's models on the data before the newest folds, tuned if the plan has a search.
    fn challenger(&self, before: &Panel) -> Result<(String, Table)> {
        let trial = before.backtest_at(self.models()?, self.folds(), self.levels()?)?;
        let best = trial.best(&self.metric)?;
        let board = trial.leaderboard(&self.metric)?;
        if self.search.trim().is_empty() {
            return Ok((best, board));
        }
        let search = self.searching()?;
        let folds = crate::evaluate::Folds::new(self.folds + search.untouched, self.horizon).gap(self.gap);
        match before.tune(best.as_str(), folds, search) {
            Ok(tuning) => Ok((tuning.best()?, board)),
            Err(error) if error.is_interrupted() => Err(error),
            // A method without options, or too short a history to tune on.
            Err(_) => Ok((best, board)),
        }
    }

    fn verdict(&self, panel: &Panel, champion: Option<&Registered>, challenger: String) -> Result<Verdict> {
        let is_new = |why: String, comparison| Verdict {
            label: challenger.clone(),
            is_new: true,
            why,
            comparison,
            waiting: None,
        };
        let Some(champion) = champion else {
            return Ok(is_new(format!("{challenger} is the first champion: there was none before."), None));
        };
        let Some(reigning) = champion.note(MODEL).filter(|label| Model::named(label).is_ok()) else {
            let why = format!("{challenger} takes the place of version {}, which says of no model.", champion.version);
            return Ok(is_new(why, None));
        };
        let stays = |why: String, comparison| Verdict {
            label: reigning.to_string(),
            is_new: false,
            why,
            comparison,
            waiting: None,
        };
        if reigning == challenger {
            let why = format!(
                "{reigning} stays: it was also the best of those tried; it was fitted again to the newest data."
            );
            return Ok(stays(why, None));
        }
        let trial = panel.backtest_at([challenger.as_str(), reigning], self.folds(), self.levels()?)?;
        let score = |label: &str| trial.score(label, &self.metric);
        let (mine, theirs) = match (score(&challenger), score(reigning)) {
            (Ok(mine), Ok(theirs)) => (mine, theirs),
            (Ok(_), Err(why)) => {
                return Ok(is_new(
                    format!("{challenger} takes the place of {reigning}, which fails on the newest folds: {why}."),
                    None,
                ));
            }
            (Err(why), _) => {
                return Ok(stays(format!("{reigning} stays: {challenger} fails on the newest folds: {why}."), None));
            }
        };
        let comparison = trial.compare(&challenger, reigning, &self.metric)?;
        let p = p_value(&comparison);
        let shown = crate::show::words::metric(&self.metric);
        let scores = format!("{shown} {} against {} on the newest {}", number(mine), number(theirs), folds(&trial));
        let chance = p.map_or("no test was possible".to_string(), |p| format!("p = {}", number(p)));
        Ok(match p {
            Some(p) if p < LEVEL && self.is_better(mine, theirs) => {
                is_new(format!("{challenger} takes the place of {reigning}: {scores}, {chance}."), Some(comparison))
            }
            _ if self.is_better(mine, theirs) => {
                let why =
                    format!("{reigning} stays: {challenger} was better, but that may be chance ({scores}, {chance}).");
                Verdict { waiting: Some(challenger.clone()), ..stays(why, Some(comparison)) }
            }
            _ => stays(format!("{reigning} stays: {challenger} was no better ({scores})."), Some(comparison)),
        })
    }

    fn is_better(&self, mine: f64, theirs: f64) -> bool {
        let metric = crate::metrics::METRICS.named(&self.metric);
        metric.is_ok_and(|metric| metric.loss(Some(mine)) < metric.loss(Some(theirs)))
    }
}

/// `4 folds`.
fn folds(trial: &Backtest) -> String {
    crate::show::words::counted(trial.folds().len(), "fold", "folds")
}

fn p_value(comparison: &Finding) -> Option<f64> {
    match comparison.table().get(0, "p").ok()? {
        Value::Number(p) => Some(p),
        _ => None,
    }
}
