//! `tradewind run`: a plan file, from the audit to the slides.

use std::path::PathBuf;

use clap::Args;
use tradewind::outputs::{Outputs, failures_of, list_failures};
use tradewind::plan::Group;
use tradewind::prelude::*;

use crate::flags::{Flags, Heeds};
use crate::out::{Names, Out, finish, print};
use crate::report::WHOLE;

#[derive(Args)]
pub(crate) struct Command {
    /// TOML file; its fields are the flags of the other commands.
    #[arg(required_unless_present = "schema")]
    plan: Option<PathBuf>,
    /// Print the JSON schema of a plan file instead.
    #[arg(long)]
    schema: bool,
    #[command(flatten)]
    flags: Flags<Self>,
    /// Folder for the results.
    #[arg(long, value_name = "FOLDER", default_value = "reports/run", help_heading = "Results")]
    out: PathBuf,
}

impl Heeds for Command {
    const GROUPS: &'static [Group] = WHOLE;
    const FIRST: bool = false;
}

/// The forecast among the results.
const FORECAST: &str = "forecast.csv";

impl Command {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        if self.schema {
            return print(&format!("{}\n", Plan::schema()));
        }
        let base = self.plan.map(Patch::read).transpose()?.unwrap_or_default();
        let plan = self.flags.over(base, out)?.tracked();
        let pages = Names::of(&plan)?;
        let names: Vec<&str> = Backtest::FILES.into_iter().chain(["audit.csv", FORECAST]).chain(pages.pages).collect();
        let slides = self.out.join("slides");
        let list = failures_of(self.out.join(FORECAST));
        let _outputs = Outputs::of(&plan).folder(&self.out, &names)?.file(&list)?.folder(&slides, &pages.slides)?;
        let outcome = plan.run()?;
        out.calendar(&outcome.panel(), outcome.plan());
        let forecast = outcome.forecast();
        finish(out, &outcome, &self.out, &slides, || {
            outcome.audit().save(self.out.join("audit.csv"))?;
            outcome.backtest().save(&self.out)?;
            forecast.save(self.out.join(FORECAST))?;
            list_failures(&forecast.failures(), self.out.join(FORECAST)).map(|_| ())
        })
    }
}
