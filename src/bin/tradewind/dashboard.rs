//! `tradewind dashboard`: one page to explore, of data or of a plan file.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use tradewind::outputs::Outputs;
use tradewind::plan::Group;
use tradewind::prelude::*;

use crate::flags::{Flags, Heeds};
use crate::out::Out;
use crate::report::WHOLE;

#[derive(Args)]
pub(crate) struct Command {
    #[command(flatten)]
    flags: Flags<Self>,
    /// File for the page.
    #[arg(long, value_name = "FILE", default_value = "reports/dashboard.html", help_heading = "Results")]
    out: PathBuf,
}

impl Heeds for Command {
    const GROUPS: &'static [Group] = WHOLE;
}

impl Command {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        let plan = self.flags.plan(out)?;
        let _outputs = Outputs::of(&plan).file(&self.out)?;
        let outcome = plan.run()?;
        out.calendar(&outcome.panel(), &plan);
        let dashboard = outcome.dashboard()?;
        out.wrote_all(dashboard.save(&self.out)?);
        out.failures(&[outcome.backtest().failures(), outcome.forecast().failures()].concat(), None);
        out.result(&dashboard, json!({"file": self.out, "best": outcome.best(), "read": outcome.panel().remarks()}))
    }
}
