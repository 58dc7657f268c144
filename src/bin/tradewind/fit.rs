//! `tradewind fit`: models fitted and saved.

use std::path::PathBuf;

use clap::Args;
use tradewind::outputs::Outputs;
use tradewind::plan::Group;
use tradewind::prelude::*;

use crate::flags::{Flags, Heeds};
use crate::out::Out;

#[derive(Args)]
pub(crate) struct Command {
    #[command(flatten)]
    flags: Flags<Self>,
    /// File for the fits; `tradewind forecast --fits FILE` forecasts with them.
    #[arg(long, value_name = "FILE", help_heading = "Results")]
    save: PathBuf,
}

impl Heeds for Command {
    const GROUPS: &'static [Group] = &[
        Group::Data,
        Group::Policy,
        Group::Shape,
        Group::Models,
        Group::Reconcile,
        Group::Horizon,
        Group::Future,
        Group::Overwrite,
    ];
}

impl Command {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        let plan = self.flags.plan(out)?;
        let _outputs = Outputs::of(&plan).file(&self.save)?;
        let panel = plan.panel()?;
        out.calendar(&panel, &plan);
        let fits = plan.fits_of(&panel, &plan.models()?)?;
        out.failures(&fits.failures(), None);
        fits.save(&self.save)?;
        out.wrote(&self.save);
        if let Some(caveat) = fits.caveat() {
            out.say(&caveat);
        }
        let summary = fits.summary()?;
        out.result(&summary, summary.to_json()?)
    }
}
