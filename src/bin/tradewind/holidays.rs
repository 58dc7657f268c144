//! `tradewind holidays`: the public holidays of a country, as `holidays(country=DE)` makes covariates of them.

use std::path::PathBuf;

use clap::Args;
use tradewind::outputs::Outputs;
use tradewind::panel::public_holidays;
use tradewind::prelude::*;

use crate::out::Out;

#[derive(Args)]
pub(crate) struct Command {
    /// ISO 3166-1 code of the country: DE, US, GB.
    country: String,
    /// ISO 3166-2 code of a region: BY or DE-BY; several separated by commas.
    #[arg(long, value_name = "CODE")]
    region: Option<String>,
    /// First day; by default 1 January of this year.
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// Last day; by default 31 December of the year following that of the first day.
    #[arg(long, value_name = "DATE")]
    to: Option<String>,
    /// File for the table: .csv, .parquet, .json or .xlsx.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Replace an existing file even if Tradewind did not write it.
    #[arg(long, env = "TRADEWIND_OVERWRITE", hide_env = true, value_parser = clap::builder::FalseyValueParser::new())]
    overwrite: bool,
}

impl Command {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        let table = public_holidays(&self.country, self.region.as_deref(), self.from.as_deref(), self.to.as_deref())?;
        if let Some(file) = &self.out {
            Table::can_save(file)?;
            let plan = Plan { overwrite: self.overwrite, ..Plan::default() };
            let _outputs = Outputs::of(&plan).file(file)?;
            table.save(file)?;
            out.wrote(file);
        }
        out.result(&table, table.to_json()?)
    }
}
