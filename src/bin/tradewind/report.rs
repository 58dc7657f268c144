//! `tradewind report`: report and slides of data, or of a plan file.

use std::path::PathBuf;

use clap::Args;
use tradewind::outputs::Outputs;
use tradewind::plan::Group;
use tradewind::prelude::*;

use crate::flags::{Flags, Heeds};
use crate::out::{Names, Out, finish};

#[derive(Args)]
pub(crate) struct Command {
    #[command(flatten)]
    flags: Flags<Self>,
    /// Folder for the report.
    #[arg(long, value_name = "FOLDER", default_value = "reports/sales", help_heading = "Results")]
    out: PathBuf,
    /// Folder for the slides.
    #[arg(long, value_name = "FOLDER", default_value = "slides/sales", help_heading = "Results")]
    slides: PathBuf,
}

/// What the whole way heeds, from the data to the report.
pub(crate) const WHOLE: &[Group] = &[
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
    Group::Seed,
    Group::Report,
    Group::Stock,
    Group::Spend,
    Group::Track,
    Group::Monitor,
    Group::Overwrite,
];

impl Heeds for Command {
    const GROUPS: &'static [Group] = WHOLE;
}

impl Command {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        let plan = self.flags.plan(out)?;
        let names = Names::of(&plan)?;
        let _outputs = Outputs::of(&plan).folder(&self.out, &names.pages)?.folder(&self.slides, &names.slides)?;
        let outcome = plan.run()?;
        out.calendar(&outcome.panel(), &plan);
        finish(out, &outcome, &self.out, &self.slides, || Ok(()))
    }
}
