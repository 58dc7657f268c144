//! `tradewind kernel`: notebooks in Rhai.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use tradewind::prelude::*;
use tradewind::script;

use crate::out::Out;
use crate::script::Bounds;

#[derive(Args)]
pub(crate) struct Command {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Make Jupyter find the kernel.
    Install {
        /// For this user, which is the default.
        #[arg(long, conflicts_with = "prefix")]
        user: bool,
        /// For one environment, such as a Python one.
        #[arg(long, value_name = "FOLDER")]
        prefix: Option<PathBuf>,
        /// Work in this folder for all notebooks below it, so that paths mean the same in each.
        #[arg(long, value_name = "FOLDER")]
        root: Option<PathBuf>,
        #[command(flatten)]
        bounds: Bounds,
    },
    /// Serve a notebook; Jupyter calls it.
    Run {
        /// Jupyter's connection file.
        connection: PathBuf,
        /// Work in this folder if the notebook is below it.
        #[arg(long, value_name = "FOLDER")]
        root: Option<PathBuf>,
        #[command(flatten)]
        bounds: Bounds,
    },
}

impl Command {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        match self.verb {
            Verb::Install { prefix, root, bounds, .. } => {
                let Bounds { allow, allow_database: allow_databases, unlimited, overwrite } = bounds;
                let install = script::kernel::Install { prefix, root, allow, allow_databases, unlimited, overwrite };
                let folder = script::kernel::install(&install)?;
                out.wrote(&folder.join("kernel.json"));
                Ok(())
            }
            Verb::Run { connection, root, bounds } => {
                script::kernel::run(&connection, root.as_deref(), &bounds.confined(Vec::new()))
            }
        }
    }
}
