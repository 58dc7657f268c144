//! `tradewind backtest`: models scored on rolling folds.

use std::path::PathBuf;

use clap::Args;
use tradewind::outputs::Outputs;
use tradewind::plan::Group;
use tradewind::prelude::*;
use tradewind::together;

use crate::flags::{Flags, Heeds};
use crate::out::{Out, REPORT, SLIDES, save_report};

#[derive(Args)]
pub(crate) struct Command {
    #[command(flatten)]
    flags: Flags<Self>,
    /// Folder for leaderboard.csv, scores.parquet, forecasts.parquet and failures.csv.
    #[arg(long, value_name = "FOLDER", help_heading = "Results")]
    out: Option<PathBuf>,
    /// Folder for metrics.json and steps.csv: the scores of the best model and its error by step, as DVC shows and plots them.
    #[arg(long, value_name = "FOLDER", help_heading = "Results")]
    metrics: Option<PathBuf>,
    /// Folder for the performance page and its slides: report.md, report.html, slides.md, slides.html.
    #[arg(long, value_name = "FOLDER", help_heading = "Results")]
    page: Option<PathBuf>,
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
        Group::Reconcile,
        Group::Folds,
        Group::Metric,
        Group::Overwrite,
    ];
}

impl Command {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        let plan = self.flags.plan(out)?;
        let mut outputs = Outputs::of(&plan);
        if let Some(folder) = &self.out {
            outputs = outputs.folder(folder, &Backtest::FILES)?;
        }
        if let Some(folder) = &self.page {
            outputs = outputs.folder(folder, &[REPORT, SLIDES].concat())?;
        }
        if let Some(folder) = &self.metrics {
            outputs = outputs.folder(folder, &Backtest::SCORES)?;
        }
        let trial = plan.backtest()?;
        out.calendar(&trial.panel(), &plan);
        if let Some(folder) = &self.out {
            trial.save(folder)?;
            out.wrote(folder);
        }
        out.failures(&trial.failures(), self.out.map(|folder| folder.join(Backtest::FILES[3])).as_deref());
        if let Some(caveat) = trial.caveat() {
            out.say(&caveat);
        }
        // A backtest in which no model could be scored has failed, whatever it wrote.
        trial.best(&plan.metric)?;
        if let Some(folder) = &self.metrics {
            trial.save_scores(folder, &plan.metric)?;
            out.wrote(folder);
        }
        if let Some(folder) = self.page {
            let report = trial.performance(&plan.metric)?;
            let files = together(|| save_report(&report, &folder, &folder))?;
            out.wrote_all(files);
        }
        drop(outputs);
        let board = trial.leaderboard(&plan.metric)?;
        out.result(&board, board.to_json()?)
    }
}
