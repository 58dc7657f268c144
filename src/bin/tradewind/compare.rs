//! `tradewind compare`: do models differ significantly on the same folds?

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use tradewind::outputs::Outputs;
use tradewind::plan::Group;
use tradewind::prelude::*;

use crate::flags::{Flags, Heeds};
use crate::out::{Out, finding_as_json, told};

#[derive(Args)]
pub(crate) struct Command {
    #[command(flatten)]
    flags: Flags<Self>,
    /// File for the scores of every model: .csv, .parquet, .json or .xlsx.
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
        Group::Future,
        Group::Levels,
        Group::Folds,
        Group::Metric,
        Group::Overwrite,
    ];
}

impl Command {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        let plan = self.flags.plan(out)?;
        if plan.models()?.len() < 2 {
            return Err(Error::usage("two models at least are compared: --models \"theta; ets\""));
        }
        let mut outputs = Outputs::of(&plan);
        if let Some(file) = &self.out {
            Table::can_save(file)?;
            outputs = outputs.file(file)?;
        }
        let trial = plan.backtest()?;
        out.calendar(&trial.panel(), &plan);
        out.failures(&trial.failures(), None);
        if let Some(caveat) = trial.caveat() {
            out.say(&caveat);
        }
        let best = trial.best(&plan.metric)?;
        let board = trial.leaderboard(&plan.metric)?;
        if let Some(file) = &self.out {
            board.save(file)?;
            out.wrote(file);
        }
        drop(outputs);
        let others = trial.models().into_iter().filter(|model| *model != best);
        let mut findings: Vec<Finding> =
            others.map(|other| trial.compare(&best, &other, &plan.metric)).collect::<Result<_>>()?;
        if findings.len() > 1 {
            findings.insert(0, trial.ranks(&plan.metric)?);
        }
        let value: Vec<serde_json::Value> = findings.iter().map(finding_as_json).collect::<Result<_>>()?;
        let blocks = std::iter::once(board.block()).chain(findings.iter().flat_map(told));
        out.result(
            &Block::Group(blocks.collect()),
            json!({"best": best, "leaderboard": board.to_json()?, "findings": value}),
        )
    }
}
