//! What the server of the crate `tradewind-serve` is answered.

mod asked;
mod convert;
mod decide;
mod explore;
mod fault;
mod fields;
mod forecast;
mod host;
mod models;
mod planning;
mod upload;
mod watching;
mod work;

#[cfg(test)]
mod tests;

use std::io::Write;
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value};
use tradewind_serve::engine::{
    Actual, Answer, DecideAnswer, DecideRequest, Detected, Engine, ExploreRequest, Explored, Finished, ForecastAnswer,
    ForecastRequest, Format, Gauges, JobRequest, ModelCard, OverrideCard, OverrideRequest, Page, Progress, Received,
    SeriesPage, Workplace,
};
use tradewind_serve::{Fault, Kind};

use super::Served;
use crate::error::Result;
use crate::job::Job;
use crate::monitor::Monitor;
use crate::plan::Plan;
use crate::show::Block;
use crate::track::Runs;
use models::Models;

pub use host::{host, list_tokens, new_token, revoke_token};

/// How long a request may work.
const PATIENCE: Duration = Duration::from_secs(120);

/// Rows of a table on a page.
const ROWS: usize = 200;

/// A block for a page that brings the styles and forbids all others.
fn page_html(block: &Block) -> String {
    unstyled(&crate::show::html::fragment(block, ROWS).into_string())
}

/// Figures without the style that fits them into pages without styles of their own.
fn unstyled(html: &str) -> String {
    html.replace(r#" style="max-width:100%;height:auto""#, "")
}

/// Can forecasts be served?
///
/// # Errors
/// In a build that leaves it out.
pub fn ready() -> Result<()> {
    Ok(())
}

/// What answers a server: models, a plan, a store of forecasts that were given out.
///
/// ```
/// use tradewind::prelude::*;
/// use tradewind::serve::{Served, Serving};
/// let models = tempfile::tempdir().unwrap();
/// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales");
/// let sales = Panel::read("data/walmart_sales_weekly.csv", columns)?;
/// sales.fit(["theta"])?.save(models.path().join("weekly.fits"))?;
/// let serving = Serving::open(Served { models: Some(models.path().into()), ..Served::default() })?;
/// # let _ = serving;
/// # Ok::<(), tradewind::Error>(())
/// ```
pub struct Serving {
    served: Served,
    /// Where the runs of the plan are, and the name of its model.
    runs: Option<(Runs, String)>,
    models: Models,
    /// Opened when it is first asked.
    monitor: Mutex<Option<Monitor>>,
    /// The page to explore, of a model and its version.
    page: Mutex<Option<((String, String), String)>>,
}

impl Serving {
    /// Reads what is to be served. A model that cannot be read is listed with the reason.
    ///
    /// # Errors
    /// When the plan cannot be as it is, its runs are nowhere, or the folder of models cannot be listed.
    pub fn open(served: Served) -> Result<Self> {
        let plan = served.plan.clone().map(Plan::tracked);
        plan.iter().try_for_each(Plan::check)?;
        let runs = match &plan {
            Some(plan) => plan.runs()?.map(|runs| (runs, plan.model_name())),
            None => None,
        };
        let models = Models::open(served.models.clone(), runs.clone())?;
        let (monitor, page) = (Mutex::default(), Mutex::default());
        Ok(Self { served: Served { plan, ..served }, runs, models, monitor, page })
    }

    fn plan(&self) -> Option<&Plan> {
        self.served.plan.as_ref()
    }

    /// The plan and where its runs are.
    fn runs(&self) -> Answer<(Runs, String)> {
        let without = match self.served.plan {
            None => "the server operates no plan: start it with one, `tradewind serve plan.toml`",
            Some(_) => "the plan keeps no runs (track = \"off\"): name a folder or a server as `track`",
        };
        self.runs.clone().ok_or_else(|| Fault::new(Kind::Conflict, without))
    }

    /// The monitor of the store.
    fn monitor(&self) -> Answer<Monitor> {
        let mut opened = self.monitor.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(monitor) = &*opened {
            return Ok(monitor.clone());
        }
        let plan = self.plan();
        let Some(store) = self.served.store.as_ref().or(plan.and_then(|plan| plan.store.as_ref())) else {
            return Err(Fault::new(
                Kind::Conflict,
                "no store is named in which forecasts are kept: start the server with one (--store STORE), or with a plan that names \
                 one",
            ));
        };
        let alerts = self.served.alerts.as_ref().or(plan.and_then(|plan| plan.alerts.as_ref()));
        // Rules that cannot be read are no mistake of whoever asks.
        let monitor = Monitor::open(store, alerts.map(std::path::PathBuf::as_path))
            .map_err(|error| Fault::new(Kind::Unavailable, error.to_string()))?;
        *opened = Some(monitor.clone());
        Ok(monitor)
    }
}

/// Does `work` with threads of its own, held by nothing that goes on beside it.
fn alone<T: Send>(work: impl FnOnce() -> Answer<T> + Send) -> Answer<T> {
    timed(Job::new(), work)
}

/// Does `work` as this job, which is cancelled where it takes longer than anybody waits.
fn timed<T: Send>(job: Job, work: impl FnOnce() -> Answer<T> + Send) -> Answer<T> {
    let (working, over) = channel::<()>();
    let late = job.clone();
    let done = std::thread::scope(|scope| {
        let wait = move || {
            if over.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                late.cancel();
            }
        };
        crate::job::beside(scope, "clock", None, wait)?;
        // The clock stops when this goes.
        let _working = working;
        job.run(work)?
    });
    done.map_err(|fault| match fault.kind {
        Kind::Cancelled if job.is_cancelled() => {
            Fault::new(Kind::Timeout, "the work took too long for a request; start a job for it")
        }
        _ => fault,
    })
}

impl Engine for Serving {
    fn models(&self) -> Vec<ModelCard> {
        self.models.cards()
    }

    fn series(&self, model: &str, query: &str, offset: usize, most: usize) -> Answer<SeriesPage> {
        forecast::series(self, model, query, offset, most)
    }

    fn weight(&self, request: &ForecastRequest) -> Answer<usize> {
        asked::weight(self, request)
    }

    fn forecast(&self, request: &ForecastRequest) -> Answer<ForecastAnswer> {
        forecast::forecast(self, request)
    }

    fn explore(&self, request: &ExploreRequest) -> Answer<Explored> {
        explore::explore(self, request)
    }

    fn decide(&self, request: &DecideRequest) -> Answer<DecideAnswer> {
        decide::decide(self, request)
    }

    fn detect(&self, file: &Path, plan: &Map<String, Value>) -> Answer<Detected> {
        upload::detect(self, file, plan)
    }

    fn audit(&self, file: &Path, plan: &Map<String, Value>) -> Answer<Page> {
        upload::audit(self, file, plan)
    }

    fn fields(&self, purpose: &str) -> Value {
        fields::schema(purpose)
    }

    fn check(&self, job: &JobRequest) -> Answer<()> {
        work::check(self, job)
    }

    fn work(&self, job: &JobRequest, work: &Workplace<'_>, progress: &dyn Progress) -> Answer<Finished> {
        work::work(self, job, work, progress)
    }

    fn convert(&self, table: &Path, format: Format, out: &mut (dyn Write + Send)) -> Answer<()> {
        convert::convert(table, format, out)
    }

    fn receive(&self, actuals: &[Actual]) -> Answer<Received> {
        planning::receive(self, actuals)
    }

    fn overrides(&self) -> Answer<Vec<OverrideCard>> {
        planning::overrides(self)
    }

    fn keep(&self, change: &OverrideRequest, author: &str) -> Answer<String> {
        planning::keep(self, change, author)
    }

    fn withdraw(&self, id: &str) -> Answer<()> {
        planning::withdraw(self, id)
    }

    fn keys(&self) -> Vec<String> {
        let of_plan = self.plan().map(|plan| plan.id.names().into_iter().map(String::from).collect::<Vec<_>>());
        let of_model = || {
            let model = self.models.usable().into_iter().next()?;
            Some(model.ready().ok()?.fits.panel().columns().keys())
        };
        of_plan.filter(|keys| !keys.is_empty()).or_else(of_model).unwrap_or_default()
    }

    fn runs(&self) -> Answer<Page> {
        watching::runs(self)
    }

    fn rollback(&self) -> Answer<String> {
        watching::rollback(self)
    }

    fn monitoring(&self) -> Answer<Page> {
        watching::monitoring(self)
    }

    fn gauges(&self) -> Answer<Gauges> {
        watching::gauges(self)
    }

    fn dashboard(&self) -> Answer<String> {
        watching::dashboard(self)
    }

    fn refresh(&self) {
        self.models.refresh();
    }
}
