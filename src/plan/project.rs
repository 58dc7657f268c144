//! How does a plan become a project that DVC and Git keep? A folder with the plan, its parameters, the stages that make the results,
//! the data, and a workflow that runs them.

use std::path::{Path, PathBuf};

use super::Plan;
use crate::error::{Error, Result};

const STAGES: &str = include_str!("project/dvc.yaml");
const PARAMS: &str = include_str!("project/params.yaml");
const README: &str = include_str!("project/README.md");
const WORKFLOW: &str = include_str!("project/forecast.yml");
/// Results that DVC keeps, and what a run leaves behind.
const IGNORED: &str = "/mlruns\n/dvc_plots\n/monitor.db*\n/results/run\n";
const DVC_IGNORED: &str = "# Patterns of files that DVC should not look at.\nmlruns\nmonitor.db*\n";

/// The fields that change from run to run; they stand in params.yaml instead of plan.toml.
const CHANGING: [&str; 7] = ["models", "horizon", "gap", "folds", "metric", "policy", "seed"];

impl Plan {
    /// The TOML file that describes the plan, without what may hold a password.
    pub(crate) fn shared(&self) -> String {
        self.toml(&["track", "query", "store"])
    }

    /// Writes a project into a folder that is not there yet or is empty: `plan.toml`, `params.yaml`, `dvc.yaml` whose stages call
    /// the program, a copy of the data in `data/`, `.gitignore`, `.dvcignore`, `README.md` and a workflow for GitHub. Data that are
    /// no single file, and files that the plan joins, stay where they are and are named by their whole path.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let home = tempfile::tempdir().unwrap();
    /// let patch = Patch { data: Some("data/walmart_sales_weekly.csv".into()), ..Patch::default() };
    /// let plan = patch.completed()?.0.over(Plan::default());
    /// let files = plan.init(home.path().join("sales"))?;
    /// assert!(files.iter().any(|file| file.ends_with("dvc.yaml")));
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the plan names no data, the folder holds something, or a file cannot be written.
    pub fn init(&self, folder: impl AsRef<Path>) -> Result<Vec<PathBuf>> {
        self.check_source()?;
        self.check()?;
        let folder = folder.as_ref();
        if crate::files::exists(folder) && !crate::files::list(folder)?.is_empty() {
            return Err(Error::usage(format!(
                "{} is not empty; a project begins in a folder of its own",
                folder.display()
            )));
        }
        let mut plan = self.clone();
        plan.params = Some("params.yaml".into());
        let is_query = self.reading()?.query.is_some();
        let is_file = !is_query && crate::files::is_file(&self.data);
        plan.data = match self.data.file_name() {
            Some(name) if is_file => Path::new("data").join(name),
            _ if is_query => self.data.clone(),
            _ => whole(&self.data),
        };
        for beside in [
            &mut plan.future,
            &mut plan.stock,
            &mut plan.on_hand,
            &mut plan.calendar,
            &mut plan.templates,
            &mut plan.alerts,
        ] {
            *beside = beside.as_deref().map(whole);
        }
        let data = plan.data.to_string_lossy().replace('\\', "/");
        let models = self.models()?.iter().map(|model| model.label().to_string()).collect::<Vec<_>>().join("; ");
        let text = |text: &str| serde_json::Value::from(text).to_string();
        let deps = if is_file { format!("      - {}\n", text(&data)) } else { String::new() };
        let params = PARAMS
            .replace("{{ models }}", &text(&models))
            .replace("{{ horizon }}", &self.horizon.to_string())
            .replace("{{ gap }}", &self.gap.to_string())
            .replace("{{ folds }}", &self.folds.to_string())
            .replace("{{ metric }}", &text(&self.metric))
            .replace("{{ policy }}", &text(&self.policy))
            .replace("{{ seed }}", &self.seed.to_string());
        let files = [
            ("plan.toml", plan.toml(&CHANGING)),
            ("params.yaml", params),
            ("dvc.yaml", STAGES.replace("{{ deps }}", &deps)),
            ("README.md", README.replace("{{ title }}", &self.title).replace("{{ data }}", &data)),
            (".gitignore", IGNORED.into()),
            (".dvcignore", DVC_IGNORED.into()),
            (".github/workflows/forecast.yml", WORKFLOW.into()),
        ];
        let mut written = Vec::new();
        crate::files::together(|| {
            for (name, content) in files {
                let path = folder.join(name);
                crate::files::write_atomically(&path, content.as_bytes())?;
                written.push(path);
            }
            if is_file {
                let path = folder.join(&plan.data);
                let mut data = crate::files::open(&self.data)?;
                crate::files::write_with(&path, |file| {
                    std::io::copy(&mut data, file).map(|_| ()).map_err(|cause| crate::files::refused(&path, &cause))
                })?;
                written.push(path);
            }
            Ok(())
        })?;
        Ok(written)
    }
}

/// The whole path of something that stays where it is.
fn whole(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}
