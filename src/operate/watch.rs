//! How is each arriving file forecast once?
//!
//! A file is known by its name and its content. Its forecast and the note that it was forecast are put into their places in one step:
//! whoever is killed in between leaves both or none, and the next round begins where the last one ended. A file that cannot be forecast
//! is noted with the reason, and tried again when it changes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use polars::prelude::{Column, DataFrame};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::files::Lock;
use crate::models::Fits;
use crate::monitor::Monitor;
use crate::plan::Plan;
use crate::show::{Block, Show, Table};
use crate::track::Runs;

/// A file that was changed less than this ago may still be written.
const SETTLED: Duration = Duration::from_secs(2);
/// Files that others are writing, by the ends of their names.
const UNFINISHED: [&str; 4] = ["part", "tmp", "partial", "crdownload"];

/// What one round over a folder came to.
#[derive(Clone)]
pub struct Watching(Arc<Vec<Seen>>);

struct Seen {
    file: PathBuf,
    /// Where its forecast is; why there is none.
    result: std::result::Result<PathBuf, String>,
}

/// The note beside a forecast.
#[derive(Serialize, Deserialize)]
struct Note {
    file: String,
    /// A hash of its content.
    content: String,
    /// Its fits, where they were saved ones.
    model: Vec<String>,
    forecast: Option<String>,
    failed: Option<String>,
}

impl Watching {
    /// Files that were looked at and not known.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Was there nothing new?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Files that could not be forecast.
    pub fn failed(&self) -> usize {
        self.0.iter().filter(|seen| seen.result.is_err()).count()
    }

    /// A row for each file: its forecast, or why there is none.
    ///
    /// # Errors
    /// Only if the table cannot be assembled.
    pub fn table(&self) -> Result<Table> {
        let text = |path: &Path| path.display().to_string();
        let columns = vec![
            Column::new("file".into(), self.0.iter().map(|seen| text(&seen.file)).collect::<Vec<_>>()),
            Column::new(
                "forecast".into(),
                self.0.iter().map(|seen| seen.result.as_ref().ok().map(|path| text(path))).collect::<Vec<_>>(),
            ),
            Column::new(
                "failed".into(),
                self.0.iter().map(|seen| seen.result.as_ref().err().cloned()).collect::<Vec<_>>(),
            ),
        ];
        Ok(Table::new(DataFrame::new(self.0.len(), columns)?))
    }
}

impl Show for Watching {
    fn block(&self) -> Block {
        match self.table() {
            _ if self.is_empty() => Block::Text("No new file.".into()),
            Ok(table) => Block::Table(table),
            Err(error) => Block::Text(error.to_string()),
        }
    }
}

crate::show::noun!(Watching);

impl Plan {
    /// Forecasts every file of a folder that has not been forecast, once each, into the folder `out`: `NAME.forecast.csv` with the note
    /// `NAME.forecast.json`. With `runs` the champion of [`model_name`](Plan::model_name) forecasts, updated with the file's history;
    /// else the models of the plan are fitted to it. Where the plan
    /// names a [`store`](Plan::store), the forecast is kept there for the monitor. Files that are still written (`.part`, `.tmp`, hidden, changed in the last two
    /// seconds) wait for a later round.
    ///
    /// # Errors
    /// When the folder cannot be listed, another round is writing into `out`, there is no champion, or the disk refuses. What is wrong
    /// with one file is noted, and the others go on.
    pub fn watch(&self, folder: impl AsRef<Path>, out: impl AsRef<Path>, runs: Option<&Runs>) -> Result<Watching> {
        self.check()?;
        let (folder, out) = (folder.as_ref(), out.as_ref());
        let _alone = Lock::on(out)?;
        let mut files = crate::files::list(folder)?;
        files.sort();
        let monitor = self.monitor()?;
        let champion = runs.map(|runs| runs.champion_fits(&self.model_name())).transpose()?;
        let mut seen = Vec::new();
        for file in files.into_iter().filter(|file| is_whole(file)) {
            crate::progress::check()?;
            if let Some(result) = self.arrived(&file, out, champion.as_ref(), monitor.as_ref())? {
                seen.push(Seen { file, result });
            }
        }
        Ok(Watching(Arc::new(seen)))
    }

    /// Forecasts a file unless it is known; none if it is.
    fn arrived(
        &self,
        file: &Path,
        out: &Path,
        champion: Option<&Fits>,
        monitor: Option<&Monitor>,
    ) -> Result<Option<std::result::Result<PathBuf, String>>> {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // One that cannot be read now may be readable in the next round.
        let content = match crate::files::read_bytes(file) {
            Ok(bytes) => blake3::hash(&bytes).to_hex().to_string(),
            Err(error) => return Ok(Some(Err(error.to_string()))),
        };
        let (note, forecast) = (out.join(format!("{name}.forecast.json")), out.join(format!("{name}.forecast.csv")));
        let known = crate::files::read_text(&note).ok().and_then(|text| serde_json::from_str::<Note>(&text).ok());
        let is_there =
            |known: &Note| known.content == content && (known.failed.is_some() || crate::files::is_file(&forecast));
        if known.is_some_and(|known| is_there(&known)) {
            return Ok(None);
        }
        let plan = Self { data: file.to_path_buf(), ..self.clone() };
        let made = plan.panel().and_then(|panel| {
            let fits = match champion {
                Some(champion) => champion.update(&panel)?,
                None => plan.fits_of(&panel, &plan.models()?)?,
            };
            plan.forecast_of(&fits)
        });
        let mut told = Note { file: name, content, model: Vec::new(), forecast: None, failed: None };
        let write = |told: &Note| -> Result<()> {
            let text = serde_json::to_string_pretty(told)
                .map_err(|cause| Error::io("the note cannot be written").because(cause))?;
            crate::files::write_own(&note, format!("{text}\n").as_bytes())
        };
        match made {
            Ok(made) => {
                // Before the note: whoever is killed in between issues the same run again, which changes nothing.
                if let Some(monitor) = monitor {
                    monitor.issue(&made, &told.content)?;
                }
                told.model = made.models();
                told.forecast = forecast.file_name().map(|name| name.to_string_lossy().into_owned());
                crate::files::together(|| {
                    made.save(&forecast)?;
                    write(&told)
                })?;
                Ok(Some(Ok(forecast)))
            }
            Err(error) if error.is_interrupted() => Err(error),
            Err(error) => {
                told.failed = Some(error.to_string());
                write(&told)?;
                Ok(Some(Err(error.to_string())))
            }
        }
    }
}

/// Is a file there as a whole, as far as one can tell?
fn is_whole(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let is_written = file.extension().is_some_and(|end| UNFINISHED.iter().any(|known| end.eq_ignore_ascii_case(known)));
    let age = crate::files::changed(file).and_then(|changed| SystemTime::now().duration_since(changed).ok());
    // A file of the future comes from a clock that goes wrong, not from a moment ago.
    crate::files::is_file(file) && !name.starts_with('.') && !is_written && age.is_none_or(|age| age >= SETTLED)
}
