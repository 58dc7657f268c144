//! `tradewind tune`: the options of a model that are best on rolling folds.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use tradewind::outputs::Outputs;
use tradewind::plan::Group;
use tradewind::prelude::*;

use crate::flags::{Flags, Heeds};
use crate::out::Out;

#[derive(Args)]
pub(crate) struct Command {
    #[command(flatten)]
    flags: Flags<Self>,
    /// File for every trial: .csv, .parquet, .json or .xlsx.
    #[arg(long, value_name = "FILE", help_heading = "Results")]
    out: Option<PathBuf>,
}

impl Heeds for Command {
    const GROUPS: &'static [Group] = &[
        Group::Data,
        Group::Policy,
        Group::Shape,
        Group::Models,
        Group::Horizon,
        Group::Folds,
        Group::Metric,
        Group::Search,
        Group::Seed,
        Group::Track,
        Group::Overwrite,
    ];
}

impl Command {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        let plan = self.flags.plan(out)?.tracked();
        let mut outputs = Outputs::of(&plan).record(&plan)?;
        if let Some(file) = &self.out {
            Table::can_save(file)?;
            outputs = outputs.file(file)?;
        }
        let tuning = plan.tune()?;
        if let Some(file) = self.out {
            tuning.trials()?.save(&file)?;
            out.wrote(&file);
        }
        drop(outputs);
        let groups = json!({"groups": tuning.summary()?.to_json()?, "trials": tuning.trials()?.to_json()?});
        out.result(&tuning, groups)
    }
}
