//! `tradewind demo`: the whole way on bundled sales.

use std::path::Path;

use clap::Args;
use tradewind::outputs::Outputs;
use tradewind::prelude::*;

use crate::out::{Names, Out, finish};

#[derive(Args)]
pub(crate) struct Command {
    /// Replace files at the place of a result even if Tradewind did not write them.
    #[arg(
        long,
        env = "TRADEWIND_OVERWRITE",
        hide_env = true,
        value_parser = clap::builder::FalseyValueParser::new()
    )]
    overwrite: bool,
}

impl Command {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        let plan = Plan { overwrite: self.overwrite, ..Plan::demo()? };
        let names = Names::of(&plan)?;
        let (reports, slides) = (Path::new("reports/demo"), Path::new("slides/demo"));
        let _outputs = Outputs::of(&plan).folder(reports, &names.pages)?.folder(slides, &names.slides)?;
        let outcome = plan.run()?;
        finish(out, &outcome, reports, slides, || Ok(()))
    }
}
