//! `tradewind init`: a project that DVC and Git keep.

use std::path::PathBuf;

use clap::Args;
use tradewind::plan::Group;
use tradewind::prelude::*;

use crate::flags::{Flags, Heeds};
use crate::out::Out;
use crate::report::WHOLE;

#[derive(Args)]
pub(crate) struct Command {
    /// Folder for the project, which is not there yet or is empty.
    #[arg(default_value = ".")]
    folder: PathBuf,
    #[command(flatten)]
    flags: Flags<Self>,
}

impl Heeds for Command {
    const GROUPS: &'static [Group] = WHOLE;
    const FIRST: bool = false;
}

impl Command {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        let plan = self.flags.plan(out)?;
        let files = plan.init(&self.folder)?;
        out.wrote_all(files);
        out.say("next: `git init && dvc init && dvc add` the data, then `dvc repro`; README.md there has the commands");
        Ok(())
    }
}
