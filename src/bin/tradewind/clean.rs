//! `tradewind clean`: the data mended by the stated policy, every change listed.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use tradewind::outputs::Outputs;
use tradewind::plan::Group;
use tradewind::prelude::*;
use tradewind::together;

use crate::flags::{Flags, Heeds};
use crate::out::{Out, REPORT, pages, write_page};

#[derive(Args)]
pub(crate) struct Command {
    #[command(flatten)]
    flags: Flags<Self>,
    /// File for the cleaned data: .parquet (with the columns' roles), .csv or .json. Where columns were joined or made, their
    /// data dictionary goes to NAME.dictionary.csv beside it.
    #[arg(long, value_name = "FILE", required_unless_present = "dry_run", help_heading = "Results")]
    out: Option<PathBuf>,
    /// Show what would change, and write nothing.
    #[arg(long, help_heading = "Results")]
    dry_run: bool,
    /// Folder for the data-quality page, report.md and report.html.
    #[arg(long, value_name = "FOLDER", help_heading = "Results")]
    page: Option<PathBuf>,
}

impl Heeds for Command {
    const GROUPS: &'static [Group] = &[Group::Data, Group::Policy, Group::Shape, Group::Overwrite];
}

impl Command {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        let plan = self.flags.plan(out)?;
        let file = self.out.filter(|_| !self.dry_run);
        let enriched = !plan.features.names().is_empty() || !plan.join.names().is_empty();
        let dictionary = file.as_ref().filter(|_| enriched).map(|file| file.with_extension("dictionary.csv"));
        let mut outputs = Outputs::of(&plan);
        if let Some(file) = &file {
            Table::can_save(file)?;
            outputs = outputs.spared(file)?;
        }
        if let Some(dictionary) = &dictionary {
            outputs = outputs.file(dictionary)?;
        }
        if let Some(folder) = &self.page {
            outputs = outputs.folder(folder, &REPORT)?;
        }
        let audit = plan.audit()?;
        let panel = audit.panel();
        together(|| {
            if let Some(file) = &file {
                panel.save(file)?;
            }
            if let Some(dictionary) = &dictionary {
                panel.dictionary()?.save(dictionary)?;
            }
            write_page(&audit, self.page.as_deref())
        })?;
        drop(outputs);
        if file.is_none() && self.page.is_none() {
            out.say("nothing was written");
        }
        out.wrote_all(file.clone().into_iter().chain(dictionary).chain(pages(self.page.as_deref())));
        let findings = audit.table()?.to_json()?;
        let read = panel.remarks();
        out.result(&audit, json!({"changes": audit.changes(), "out": file, "findings": findings, "read": read}))
    }
}
