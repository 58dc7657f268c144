//! How is a job done?
//!
//! It tells of its progress and can be cancelled. What somebody has sent is read behind a fence that holds the folder of the job and that
//! file alone.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use serde_json::{Map, Value};
use tradewind_serve::engine::{Answer, Finished, JobKind, JobRequest, Progress, Workplace};
use tradewind_serve::{Fault, Kind};

use super::Serving;
use super::asked::{LONGEST, most};
use super::decide::policy;
use super::fields::{self, Purpose};
use super::models::{Ready, ServedModel};
use super::upload::{check_size, plan, unplaced};
use crate::decide::{Decision, State, StockPolicy};
use crate::evaluate::Backtest;
use crate::forecast::Forecast;
use crate::job::{Event, Fence, Job};
use crate::plan::{Patch, Plan};
use crate::report::Report;
use crate::show::words::{self, counted};
use crate::show::{Block, Show, number};
use crate::track::Runs;

/// Steps of a job that are told of.
const STEPS: f64 = 1000.0;

/// Can a job be begun?
///
/// # Errors
/// It states what no job of its kind may, what contradicts itself, or names what is not there.
pub(super) fn check(serving: &Serving, job: &JobRequest) -> Answer<()> {
    match (job.kind, &job.upload) {
        (JobKind::Forecast, Some(_)) => reading(job),
        (JobKind::Forecast, None) => chosen(serving, job).map(drop),
        (JobKind::Decide, upload) => {
            ordering(serving, job)?;
            match upload.is_some() || serving.plan().is_some_and(|plan| plan.stock.is_some()) {
                true => Ok(()),
                false => Err(stockless()),
            }
        }
        (JobKind::Retrain, _) => trained(serving, job).map(drop),
    }
}

/// Does a job.
pub(super) fn work(
    serving: &Serving,
    job: &JobRequest,
    work: &Workplace<'_>,
    progress: &dyn Progress,
) -> Answer<Finished> {
    let done = match (job.kind, work.upload) {
        (JobKind::Forecast, Some(upload)) => {
            followed(fenced(work, upload)?, progress, || uploaded(serving, job, work, upload))
        }
        (JobKind::Forecast, None) => followed(Job::new(), progress, || served(serving, job, work)),
        (JobKind::Decide, Some(stock)) => followed(fenced(work, stock)?, progress, || {
            check_size(serving, stock)?;
            ordered(serving, job, work, Some(stock))
        }),
        (JobKind::Decide, None) => followed(Job::new(), progress, || ordered(serving, job, work, None)),
        (JobKind::Retrain, _) => followed(Job::new(), progress, || retrained(serving, job, work)),
    };
    done.map_err(|fault| match work.upload {
        Some(upload) => unplaced(fault, upload),
        None => fault,
    })
}

/// A job behind a fence that holds its folder and a file that was sent.
fn fenced(work: &Workplace<'_>, upload: &Path) -> Answer<Job> {
    let fence = Fence::around([work.folder.to_path_buf(), upload.to_path_buf()])?;
    Ok(Job::behind(fence.with_limits(most())))
}

/// Does `work` as a job whose progress is told, and which is cancelled when somebody does not want it any more.
fn followed<T: Send>(job: Job, progress: &dyn Progress, work: impl FnOnce() -> Answer<T> + Send) -> Answer<T> {
    let (tell, told) = channel();
    let cancelled = job.clone();
    if progress.is_cancelled() {
        cancelled.cancel();
    }
    progress.when_cancelled(Box::new(move || {
        cancelled.cancel();
    }));
    let watcher = tell.clone();
    let job = job.watched(move |event| {
        if let Event::Progress(at) = event {
            // Nobody listens any more once the work is done.
            let _ = watcher.send(Some((at.share, at.to_string())));
        }
    });
    std::thread::scope(|scope| {
        crate::job::beside(scope, "progress", None, move || pass_on(&told, progress))?;
        let _over = Over(tell);
        job.run(work)?
    })
}

/// Tells that the work is over when it goes, also when the work panics.
struct Over(Sender<Option<(f64, String)>>);

impl Drop for Over {
    fn drop(&mut self) {
        let _ = self.0.send(None);
    }
}

/// Tells what is heard until the work is over.
fn pass_on(told: &Receiver<Option<(f64, String)>>, progress: &dyn Progress) {
    while let Ok(Some((share, doing))) = told.recv() {
        progress.tell((share.clamp(0.0, 1.0) * STEPS) as u64, STEPS as u64, &doing);
    }
}

/// A horizon as a job states it, if it is not too long.
fn within(horizon: Option<usize>) -> Answer<Option<usize>> {
    match horizon {
        Some(steps) if steps > LONGEST => {
            Err(Fault::new(Kind::UnusablePlan, format!("a horizon is at most {LONGEST} steps, not {steps}")))
        }
        horizon => Ok(horizon),
    }
}

/// Can a file be read and forecast as a job says?
fn reading(job: &JobRequest) -> Answer<()> {
    if job.model.is_some() {
        return Err(Fault::new(Kind::Conflict, "a forecast is of a `model` or of an `upload`, not of both"));
    }
    within(fields::patch(&[Purpose::Read, Purpose::Forecast], &job.plan)?.horizon).map(drop)
}

/// The place of the method that a job names among those of a model; the first if it names none.
fn method(ready: &Ready, patch: &Patch) -> Answer<usize> {
    let named = patch.models.as_ref().map(|models| models.names()).unwrap_or_default();
    match named.as_slice() {
        [_, _, ..] => Err(Fault::new(Kind::UnusablePlan, "one method forecasts: state a single one as `models`")),
        named => ready.method(named.first().copied()),
    }
}

/// How all series of a served model are forecast.
struct Chosen {
    model: Arc<ServedModel>,
    method: usize,
    horizon: Option<usize>,
    levels: Vec<f64>,
}

fn chosen(serving: &Serving, job: &JobRequest) -> Answer<Chosen> {
    let patch = fields::patch(&[Purpose::Forecast], &job.plan)?;
    let model = serving.models.find(job.model.as_deref())?;
    let method = method(model.ready()?, &patch)?;
    let (horizon, is_stated) = (within(patch.horizon)?, patch.levels.is_some());
    let levels = if is_stated { patch.over(Plan::default()).levels()? } else { crate::forecast::LEVELS.to_vec() };
    Ok(Chosen { model, method, horizon, levels })
}

/// Forecasts all series of a served model.
fn served(serving: &Serving, job: &JobRequest, work: &Workplace<'_>) -> Answer<Finished> {
    let Chosen { model, method, horizon, levels } = chosen(serving, job)?;
    let fits = model.ready()?.fits.only(method);
    let forecast = fits.forecast(horizon.unwrap_or_else(|| fits.horizon()))?.levels(levels)?;
    let about = format!("model {}, version {}", model.card.name, model.card.version);
    told(&forecast, &model.card.name, &about, None, work)
}

/// Reads what somebody has sent, fits and forecasts; of several methods the one that was best on past folds.
fn uploaded(serving: &Serving, job: &JobRequest, work: &Workplace<'_>, upload: &Path) -> Answer<Finished> {
    check_size(serving, upload)?;
    reading(job)?;
    let (plan, found) = plan(upload, &[Purpose::Read, Purpose::Forecast], &job.plan)?;
    let panel = plan.panel()?;
    let audit = panel.audit()?;
    let models = plan.models()?;
    // What needs future values that nobody has sent cannot forecast, however good it was.
    let is_known = panel.columns().with_role(crate::panel::Role::Known).next().is_some();
    let able: Vec<_> = models.into_iter().filter(|model| !is_known || !model.reads_covariates()).collect();
    if able.is_empty() {
        let detail = "every method reads known covariates, whose future values were not sent: name one that does not, such as \
                      auto(regressors=false)";
        return Err(Fault::new(Kind::Invalid, detail));
    }
    let (best, trial) = match able.as_slice() {
        [only] => (only.clone(), None),
        several => {
            let trial = panel.backtest_at(several.iter().cloned(), plan.folds(), plan.levels()?)?;
            let label = trial.best(&plan.metric)?;
            let best = several.iter().find(|model| model.label() == label).unwrap_or(&several[0]).clone();
            (best, Some(trial))
        }
    };
    let forecast = plan.forecast_of(&plan.fits_of(&panel, &[best])?)?;
    let read: Vec<String> = found.into_iter().chain(panel.remarks()).collect();
    let mut about = audit.sentence();
    if !read.is_empty() {
        about = format!("{about}\n\nRead as follows: {}.", read.join("; "));
    }
    let trial = trial.as_ref().map(|trial| (trial, plan.metric.as_str()));
    told(&forecast, &plan.title, &about, trial, work)
}

/// Writes a forecast and the page on it, and says what it came to.
fn told(
    forecast: &Forecast,
    title: &str,
    about: &str,
    trial: Option<(&Backtest, &str)>,
    work: &Workplace<'_>,
) -> Answer<Finished> {
    let panel = forecast.panel();
    let label = forecast.models().first().cloned().unwrap_or_default();
    let name = crate::models::names(std::slice::from_ref(&label)).pop().unwrap_or_default();
    forecast.save(work.result)?;
    let failures = forecast.failures();
    let done = forecast.len().saturating_sub(failures.len());
    let noun = panel.frequency().noun();
    let best = trial.map(|(trial, metric)| {
        let score = trial.score(&label, metric).map_or_else(|_| "–".into(), number);
        let of = counted(trial.models().len(), "method", "methods");
        let folds = counted(trial.folds().len(), "fold", "folds");
        format!(", the best of {of} on {folds}: {} {score}", words::metric(metric))
    });
    let mut sentence = format!(
        "{} forecast {} ahead ({name}{})",
        counted(done, "series", "series"),
        counted(forecast.horizon(), noun, &format!("{noun}s")),
        best.unwrap_or_default()
    );
    if !failures.is_empty() {
        sentence.push_str(&format!("; {} could not be forecast", counted(failures.len(), "series", "series")));
    }
    sentence.push('.');
    let mut report = Report::new(title).add(Block::Text(sentence.clone()));
    if let Some(caveat) = forecast.caveat() {
        report = report.note(caveat);
    }
    report = report.add(forecast.plot(&label)?);
    if let Some((trial, metric)) = trial {
        report = report.heading("Methods on past folds").add(trial.leaderboard(metric)?);
        if let Ok(figure) = trial.plot(metric) {
            report = report.add(figure);
        }
    }
    report = report.heading("Data").add(Block::Text(about.into()));
    if !failures.is_empty() {
        report = report.heading("Series without a forecast").add(crate::models::failures_table(&failures)?);
    }
    report.save(work.report)?;
    Ok(Finished { sentence, rows: (done * forecast.horizon()) as u64 })
}

/// How orders of all items are decided.
struct Ordering {
    model: Arc<ServedModel>,
    method: usize,
    policy: StockPolicy,
}

fn ordering(serving: &Serving, job: &JobRequest) -> Answer<Ordering> {
    let (decide, other): (Map<String, Value>, Map<String, Value>) =
        job.plan.clone().into_iter().partition(|(name, _)| fields::is_for(Purpose::Decide, name));
    let policy = policy(serving, &decide)?;
    let patch = fields::patch(&[Purpose::Forecast], &other)?;
    let model = serving.models.find(job.model.as_deref())?;
    let method = method(model.ready()?, &patch)?;
    Ok(Ordering { model, method, policy })
}

fn stockless() -> Fault {
    let detail = "nothing says what is on the shelf: send a file with the stock of each item and name it as `upload`";
    Fault::new(Kind::Conflict, detail)
}

/// Decides what to order of all items, given a file with the stock: the one that was sent, or that of the plan.
fn ordered(serving: &Serving, job: &JobRequest, work: &Workplace<'_>, stock: Option<&Path>) -> Answer<Finished> {
    let Ordering { model, method, policy } = ordering(serving, job)?;
    let ready = model.ready()?;
    let Some(stock) = stock.or(serving.plan().and_then(|plan| plan.stock.as_deref())) else { return Err(stockless()) };
    let state = State::read(stock, &ready.fits.panel(), &policy)?;
    if state.reach() > LONGEST {
        let detail = format!(
            "lead time and review period together are {} steps; a forecast has {LONGEST} at most",
            state.reach()
        );
        return Err(Fault::new(Kind::UnusablePlan, detail));
    }
    let decision = ready.fits.only(method).forecast(state.reach())?.decide(&state, &policy)?;
    saved(&decision, work)
}

fn saved(decision: &Decision, work: &Workplace<'_>) -> Answer<Finished> {
    decision.save(work.result)?;
    decision.report()?.save(work.report)?;
    Ok(Finished { sentence: decision.sentence(), rows: decision.table()?.rows() as u64 })
}

/// The plan that is fitted anew, and where its runs are.
fn trained<'a>(serving: &'a Serving, job: &JobRequest) -> Answer<(&'a Plan, Runs, String)> {
    let (runs, name) = serving.runs()?;
    if !job.plan.is_empty() || job.upload.is_some() || job.model.as_ref().is_some_and(|model| *model != name) {
        let detail = format!(
            "what is fitted anew is the plan of the server, {name}; a request states no other model, no upload and no fields"
        );
        return Err(Fault::new(Kind::Conflict, detail));
    }
    match serving.plan() {
        Some(plan) => Ok((plan, runs, name)),
        None => Err(Fault::new(Kind::Conflict, "the server operates no plan")),
    }
}

/// Fits the plan that is served anew, and lets the best challenge the champion.
fn retrained(serving: &Serving, job: &JobRequest, work: &Workplace<'_>) -> Answer<Finished> {
    let (plan, runs, name) = trained(serving, job)?;
    let done = plan.retrain(&runs)?;
    serving.models.refresh();
    let board = done.leaderboard();
    board.save(work.result)?;
    let sentence = format!("Version {} of {name} forecasts. {}", done.version(), done.sentence());
    Report::new(&plan.title).add(Block::Text(sentence.clone())).add(done.block()).save(work.report)?;
    Ok(Finished { sentence, rows: board.rows() as u64 })
}
