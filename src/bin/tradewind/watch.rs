//! `tradewind watch`: each arriving file is forecast once.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use tradewind::plan::Group;
use tradewind::prelude::*;

use crate::flags::{Flags, Heeds};
use crate::out::Out;
use crate::retrain::{OPERATED, runs_of};

#[derive(Args)]
pub(crate) struct Command {
    /// Plan file that says how files are forecast.
    plan: PathBuf,
    /// Folder in which files arrive; move them in when they are whole.
    folder: PathBuf,
    #[command(flatten)]
    flags: Flags<Self>,
    /// Folder for the forecasts.
    #[arg(long, value_name = "FOLDER", help_heading = "Results")]
    out: PathBuf,
    /// Forecast with the champion among the runs, updated with each file's history, instead of fitting the plan's models.
    #[arg(long, help_heading = "Forecast")]
    champion: bool,
    /// Forecast what is there and end.
    #[arg(long, help_heading = "Results")]
    once: bool,
    /// Seconds from one look to the next.
    #[arg(long, value_name = "N", default_value_t = 5, conflicts_with = "once", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    every: u64,
}

impl Heeds for Command {
    const GROUPS: &'static [Group] = OPERATED;
    const FIRST: bool = false;
}

impl Command {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        let plan = self.flags.patch()?.or(Patch::read(self.plan)?).over(Plan::default()).tracked();
        let runs = self.champion.then(|| runs_of(&plan)).transpose()?;
        if self.once {
            let seen = plan.watch(&self.folder, &self.out, runs.as_ref())?;
            return out.result(&seen, seen.table()?.to_json()?);
        }
        out.say(&format!("watching {} every {} s; Ctrl-C ends it", self.folder.display(), self.every));
        loop {
            match plan.watch(&self.folder, &self.out, runs.as_ref()) {
                Ok(seen) if seen.is_empty() => {}
                Ok(seen) => out.result(&seen, seen.table()?.to_json()?)?,
                Err(error) if error.is_interrupted() => return Err(error),
                // A full disk or a folder that is away for a while is no reason to stop watching.
                Err(error) => eprintln!("tradewind: {error}; trying again in {} s", self.every),
            }
            std::thread::sleep(Duration::from_secs(self.every));
        }
    }
}
