//! `tradewind audit`: what is wrong with the data?

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
    /// File for every finding: .csv, .parquet, .json or .xlsx.
    #[arg(long, value_name = "FILE", help_heading = "Results")]
    out: Option<PathBuf>,
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
        let mut outputs = Outputs::of(&plan);
        if let Some(file) = &self.out {
            Table::can_save(file)?;
            outputs = outputs.file(file)?;
        }
        if let Some(folder) = &self.page {
            outputs = outputs.folder(folder, &REPORT)?;
        }
        let audit = plan.audit()?;
        let panel = audit.panel();
        out.calendar(&panel, &plan);
        together(|| {
            if let Some(file) = &self.out {
                audit.save(file)?;
            }
            write_page(&audit, self.page.as_deref())
        })?;
        drop(outputs);
        out.wrote_all(self.out.into_iter().chain(pages(self.page.as_deref())));
        let findings = audit.table()?.to_json()?;
        let read = panel.remarks();
        let answer =
            json!({"sentence": audit.sentence(), "advice": audit.advice(), "findings": findings, "read": read});
        out.result(&audit, answer)
    }
}
