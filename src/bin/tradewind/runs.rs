//! `tradewind runs`: what has been run, and how good was it?

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;
use tradewind::prelude::*;

use crate::out::Out;

#[derive(Args)]
pub(crate) struct Command {
    #[command(subcommand)]
    verb: Verb,
    /// Where runs are kept: a folder in MLflow's layout, or the address of an MLflow server; by default MLFLOW_TRACKING_URI, else
    /// mlruns.
    #[arg(long, global = true, value_name = "PLACE", env = "TRADEWIND_TRACK", hide_env = true)]
    track: Option<String>,
}

#[derive(Subcommand)]
enum Verb {
    /// The latest runs, with their scores.
    List {
        /// Those of this experiment alone.
        #[arg(long, value_name = "NAME", env = "TRADEWIND_EXPERIMENT", hide_env = true)]
        experiment: Option<String>,
        /// How many at most.
        #[arg(long, value_name = "N", default_value_t = 20)]
        most: usize,
    },
    /// Everything about one run: settings, scores, data, files.
    Show {
        /// Its identifier, or the beginning of it.
        run: String,
    },
    /// Runs side by side: the settings that differ, and the scores.
    Compare {
        /// Their identifiers, or the beginnings of them.
        #[arg(required = true, num_args = 2..)]
        runs: Vec<String>,
    },
    /// Every version of a model: which one forecasts, which one it replaced, and why.
    Versions {
        /// The name under which a plan's models are registered: its experiment, or its title.
        model: String,
    },
    /// Send to the server what it has missed, once.
    Sync,
    /// Copy files of a run.
    Download {
        /// Its identifier, or the beginning of it.
        run: String,
        /// A file of the run, or a folder; without one, all of them.
        #[arg(default_value = "")]
        file: String,
        /// Folder for the copies.
        #[arg(long, value_name = "FOLDER", default_value = ".")]
        out: PathBuf,
    },
}

impl Command {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        let runs = Runs::at(self.track.as_deref())?;
        match self.verb {
            Verb::List { experiment, most } => {
                let table = runs.list(experiment.as_deref(), most)?;
                out.result(&table, table.to_json()?)
            }
            Verb::Show { run } => {
                let table = runs.show(&run)?;
                out.result(&table, table.to_json()?)
            }
            Verb::Compare { runs: ids } => {
                let table = runs.compare(&ids.iter().map(String::as_str).collect::<Vec<_>>())?;
                out.result(&table, table.to_json()?)
            }
            Verb::Versions { model } => {
                let table = runs.promotions(&model)?;
                out.result(&table, table.to_json()?)
            }
            Verb::Sync => {
                let said = runs.send()?;
                out.result(&Block::Text(said.clone()), json!({"sentence": said}))
            }
            Verb::Download { run, file, out: folder } => {
                out.wrote_all(runs.download(&run, &file, folder)?);
                Ok(())
            }
        }
    }
}
