//! Which models are served, and how are changed ones noticed?
//!
//! Every file of a folder is a model under its name, and the champion of a plan one under the plan's. Requests hold on to the model that
//! they found: when a new version takes its place, those that go on end with the old one.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use tradewind_serve::engine::{Answer, ModelCard};
use tradewind_serve::{Fault, Kind};

use crate::error::{Result, suggestion};
use crate::models::Fits;
use crate::panel::{Future, Role};
use crate::track::Runs;

/// Futures that are kept of a model, and values of covariates in all of them together.
const FUTURES: usize = 16;
const KEPT: usize = 1 << 24;
/// Values of covariates of a future that is made for a single request.
const MOST: usize = 1 << 26;
/// A file that was changed less than this ago may still be written.
const SETTLED: Duration = Duration::from_secs(2);
/// Letters of a checksum that tell one version from another.
const LETTERS: usize = 12;

/// The models that are served.
pub(super) struct Models {
    folder: Option<PathBuf>,
    /// The runs, and the name of the model whose champion forecasts.
    champion: Option<(Runs, String)>,
    known: RwLock<Arc<[Arc<ServedModel>]>>,
    /// Held by whoever looks for changed models.
    looking: Mutex<()>,
}

/// A model under its name.
pub(super) struct ServedModel {
    pub(super) card: ModelCard,
    /// By what a change is noticed.
    state: State,
    ready: Option<Ready>,
}

/// What is known of the place that a model was read from.
#[derive(Clone, Debug, PartialEq)]
enum State {
    File { path: PathBuf, bytes: u64, changed: Option<SystemTime> },
    Champion { version: u32 },
    Unknown,
}

/// A model that can forecast.
pub(super) struct Ready {
    pub(super) fits: Fits,
    /// The labels of its methods.
    pub(super) methods: Vec<String>,
    ahead: Mutex<Vec<Arc<Ahead>>>,
}

/// The coming steps of all series, as far as they are known without a request's own values.
pub(super) struct Ahead {
    pub(super) future: Future,
    /// By method, why its forecast differs from what a backtest scores.
    pub(super) caveats: Vec<Option<String>>,
    values: usize,
}

impl Ready {
    pub(super) fn of(fits: Fits) -> Self {
        Self { methods: fits.models(), fits, ahead: Mutex::default() }
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Arc<Ahead>>> {
        self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The coming steps.
    ///
    /// # Errors
    /// When they are beyond the calendar, or more than can be held in memory for one request.
    pub(super) fn ahead(&self, horizon: usize) -> Answer<Arc<Ahead>> {
        let mut kept = self.kept();
        if let Some(at) = kept.iter().rposition(|ahead| ahead.future.horizon() == horizon) {
            // What was asked for last goes last.
            let found = kept.remove(at);
            kept.push(found.clone());
            return Ok(found);
        }
        // Others go on while it is made.
        drop(kept);
        let panel = self.fits.panel();
        let values = panel.len().saturating_mul(horizon).saturating_mul(panel.matrix()?.names.len());
        if values > MOST {
            let detail = format!(
                "the covariates of {} series over {horizon} steps are too many for one request: ask for a shorter horizon, or start a job",
                panel.len()
            );
            return Err(Fault::new(Kind::TooLarge, detail));
        }
        let future = panel.future(horizon)?;
        let caveats = (0..self.methods.len()).map(|method| self.fits.only(method).off_aim(&future)).collect();
        let made = Arc::new(Ahead { future, caveats, values });
        let mut kept = self.kept();
        kept.retain(|ahead| ahead.future.horizon() != horizon);
        kept.push(made.clone());
        while kept.len() > FUTURES || kept.len() > 1 && kept.iter().map(|ahead| ahead.values).sum::<usize>() > KEPT {
            kept.remove(0);
        }
        Ok(made)
    }

    /// The place of a method, the first unless one is named.
    pub(super) fn method(&self, name: Option<&str>) -> Answer<usize> {
        let Some(name) = name else { return Ok(0) };
        match crate::models::place(name, &self.methods) {
            Ok((place, _)) => Ok(place),
            Err(error) => Err(Fault::new(Kind::UnknownMethod, error.to_string())),
        }
    }
}

impl ServedModel {
    /// The model, if it can be used.
    pub(super) fn ready(&self) -> Answer<&Ready> {
        self.ready.as_ref().ok_or_else(|| {
            let why = self.card.problem.as_deref().unwrap_or("it cannot be read");
            Fault::new(Kind::DamagedModel, format!("the model `{}` cannot forecast: {why}", self.card.name))
        })
    }

    fn of(name: &str, version: String, made_at: Option<DateTime<Utc>>, state: State, fits: Fits) -> Self {
        let ready = Ready::of(fits);
        let (panel, horizon) = (ready.fits.panel(), ready.fits.horizon());
        // Made now, so that the first request need not wait. What cannot be made is told to whoever asks for it.
        let known = match ready.ahead(horizon).map(|ahead| ahead.future.changeable_columns()) {
            Ok(Ok(columns)) => {
                let sources = panel.matrix().map(|matrix| matrix.sources.clone()).unwrap_or_default();
                let is_known = |at: usize| sources.get(at).is_some_and(|(_, role)| *role == Role::Known);
                columns.into_iter().filter(|(_, at)| is_known(*at)).map(|(name, _)| name).collect()
            }
            _ => Vec::new(),
        };
        // Series are looked up by an index that is made when it is first asked.
        panel.place_of("");
        let card = ModelCard {
            name: name.into(),
            version,
            methods: ready.methods.clone(),
            series: panel.len(),
            frequency: panel.frequency().to_string(),
            horizon,
            until: panel.span().1,
            target: panel.columns().target().to_string(),
            known,
            made_at,
            problem: None,
        };
        Self { card, state, ready: Some(ready) }
    }

    fn damaged(name: &str, state: State, why: String) -> Self {
        let card = ModelCard { name: name.into(), problem: Some(why), ..ModelCard::default() };
        Self { card, state, ready: None }
    }
}

impl Models {
    /// The models of a folder and the champion of a name among runs, as they are now.
    ///
    /// # Errors
    /// When the folder cannot be listed.
    pub(super) fn open(folder: Option<PathBuf>, champion: Option<(Runs, String)>) -> Result<Self> {
        let known: Arc<[Arc<ServedModel>]> = Vec::new().into();
        let models = Self { folder, champion, known: RwLock::new(known), looking: Mutex::default() };
        models.look()?;
        Ok(models)
    }

    fn known(&self) -> Arc<[Arc<ServedModel>]> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// All models, those that cannot be used too.
    pub(super) fn cards(&self) -> Vec<ModelCard> {
        self.known().iter().map(|model| model.card.clone()).collect()
    }

    /// Those that can be used, in order.
    pub(super) fn usable(&self) -> Vec<Arc<ServedModel>> {
        self.known().iter().filter(|model| model.ready.is_some()).cloned().collect()
    }

    /// The model of a name, or the only one where none is named.
    pub(super) fn find(&self, name: Option<&str>) -> Answer<Arc<ServedModel>> {
        let known = self.known();
        let names = || known.iter().map(|model| model.card.name.as_str());
        match (name, &known[..]) {
            (_, []) => Err(Fault::new(
                Kind::UnknownModel,
                "no model is served: start the server with a folder of saved fits (--models DIR), or with a plan that has a champion",
            )),
            (None, [only]) => Ok(only.clone()),
            (None, _) => {
                let names: Vec<&str> = names().collect();
                Err(Fault::new(
                    Kind::UnknownModel,
                    format!("several models are served; name one as `model`: {}", names.join(", ")),
                ))
            }
            (Some(name), _) => known.iter().find(|model| model.card.name == name).cloned().ok_or_else(|| {
                let near = suggestion(name, names());
                Fault::new(Kind::UnknownModel, format!("no model is called `{name}`{near}"))
            }),
        }
    }

    /// Looks for changed models, unless somebody does so already. Where the folder cannot be listed, everything stays as it is.
    pub(super) fn refresh(&self) {
        if let Ok(_alone) = self.looking.try_lock() {
            self.look().unwrap_or_default();
        }
    }

    fn look(&self) -> Result<()> {
        let before = self.known();
        let known = |name: &str| before.iter().find(|model| model.card.name == name).cloned();
        let mut now: Vec<Arc<ServedModel>> = Vec::new();
        if let Some((runs, name)) = &self.champion {
            now.extend(champion(runs, name, known(name)));
        }
        let files = self.folder.as_deref().map(files).transpose()?.unwrap_or_default();
        for path in files {
            let full = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            if let Some(other) = now.iter().find(|model| model.card.name == stem) {
                let why = format!("another model is called `{}`; give the file another name", other.card.name);
                let state = State::Unknown;
                now.push(Arc::new(ServedModel::damaged(&full, state, why)));
                continue;
            }
            now.extend(file(&path, &stem, known(&stem)));
        }
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = now.into();
        Ok(())
    }
}

/// The files of a folder that are models.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let hidden = |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    let mut files = crate::files::list(folder)?;
    files.retain(|path| !hidden(path) && crate::files::is_file(path));
    Ok(files)
}

/// The model of a file: the one that is known, if it has not changed. None where the file has just gone.
fn file(path: &Path, name: &str, before: Option<Arc<ServedModel>>) -> Option<Arc<ServedModel>> {
    let metadata = crate::files::metadata(path).ok()?;
    let changed = metadata.modified().ok();
    let state = State::File { path: path.to_path_buf(), bytes: metadata.len(), changed };
    if let Some(same) = before.as_ref().filter(|model| model.state == state) {
        return Some(same.clone());
    }
    match Fits::load_known(path, &path.file_name().unwrap_or_default().to_string_lossy()) {
        Ok((fits, checksum)) => {
            let version = checksum.chars().take(LETTERS).collect();
            Some(Arc::new(ServedModel::of(name, version, changed.map(Into::into), state, fits)))
        }
        Err(error) => {
            // A copy takes a while; what was served goes on until it is there.
            let is_young = changed.is_some_and(|at| at.elapsed().is_ok_and(|age| age < SETTLED));
            match before.filter(|model| is_young && model.ready.is_some()) {
                Some(before) => Some(before),
                None if is_young => Some(Arc::new(ServedModel::damaged(name, State::Unknown, error.to_string()))),
                None => Some(Arc::new(ServedModel::damaged(name, state, error.to_string()))),
            }
        }
    }
}

/// The champion of a name: the one that is known, if no other has taken its place. None before the first.
fn champion(runs: &Runs, name: &str, before: Option<Arc<ServedModel>>) -> Option<Arc<ServedModel>> {
    // While the runs cannot be asked, the model that is known goes on.
    let usable = before.clone().filter(|model| model.ready.is_some());
    let damaged = |why: String| Some(Arc::new(ServedModel::damaged(name, State::Unknown, why)));
    let champion = match runs.champion(name) {
        Ok(champion) => champion?,
        Err(error) => return usable.or_else(|| damaged(error.to_string())),
    };
    let state = State::Champion { version: champion.version };
    if let Some(same) = before.filter(|model| model.state == state) {
        return Some(same);
    }
    match runs.champion_fits(name) {
        Ok(fits) => {
            let made = DateTime::<Utc>::from_timestamp_millis(champion.created);
            Some(Arc::new(ServedModel::of(name, champion.version.to_string(), made, state, fits)))
        }
        Err(error) => usable.or_else(|| damaged(error.to_string())),
    }
}
