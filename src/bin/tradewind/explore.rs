//! `tradewind explore`: questions about the data, each answered with a sentence, a table and its caveats.

use std::path::PathBuf;

use clap::Args;
use tradewind::explore::{columns_of, first_findings};
use tradewind::outputs::Outputs;
use tradewind::plan::Group;
use tradewind::prelude::*;

use crate::flags::{Flags, Heeds};
use crate::out::{Out, REPORT};

#[derive(Args)]
pub(crate) struct Command {
    #[command(flatten)]
    flags: Flags<Self>,
    /// Questions: seasonality, trend, "uplift(by=promo)" …; without one, the findings that open a report.
    #[arg(value_name = "QUESTION")]
    questions: Vec<String>,
    /// File for the table of a single question: .csv, .parquet, .json or .xlsx.
    #[arg(long, value_name = "FILE", help_heading = "Results")]
    out: Option<PathBuf>,
    /// Folder for the answers with their figures, report.md and report.html.
    #[arg(long, value_name = "FOLDER", help_heading = "Results")]
    page: Option<PathBuf>,
}

impl Heeds for Command {
    const GROUPS: &'static [Group] = &[Group::Data, Group::Policy, Group::Shape, Group::Overwrite];
}

impl Command {
    pub(crate) fn run(mut self, out: &Out) -> Result<()> {
        // Where the data are named elsewhere, the first argument is a question.
        let is_question = |file: &PathBuf| is_question(&file.to_string_lossy());
        if self.flags.names_data() && self.flags.first().is_some_and(is_question) {
            let first = self.flags.take_first().map(|file| file.to_string_lossy().into_owned());
            self.questions.splice(0..0, first);
        }
        for question in &self.questions {
            QUESTIONS.check(question)?;
            self.flags.also_known(&columns_of(question)?);
        }
        let plan = self.flags.plan(out)?;
        let mut outputs = Outputs::of(&plan);
        if let Some(file) = &self.out {
            if self.questions.len() != 1 {
                return Err(Error::usage("--out takes the table of one question; --page FOLDER takes all answers"));
            }
            Table::can_save(file)?;
            outputs = outputs.file(file)?;
        }
        if let Some(folder) = &self.page {
            outputs = outputs.folder(folder, &REPORT)?;
        }
        let panel = plan.panel()?;
        out.calendar(&panel, &plan);
        let findings = match self.questions.as_slice() {
            [] => first_findings(&panel)?,
            questions => questions.iter().map(|question| panel.explore(question)).collect::<Result<_>>()?,
        };
        if let Some((file, finding)) = self.out.as_ref().zip(findings.first()) {
            finding.table().save(file)?;
            out.wrote(file);
        }
        if let Some(folder) = &self.page {
            let columns = panel.columns();
            let report = findings
                .iter()
                .fold(Report::new(columns.target()), |report, finding| report.heading(finding.title()).add(finding));
            tradewind::together(|| REPORT.iter().try_for_each(|name| report.save(folder.join(name)).map(|_| ())))?;
            out.wrote_all(REPORT.iter().map(|name| folder.join(name)));
        }
        drop(outputs);
        out.findings(&findings)?;
        if self.questions.is_empty() {
            let names: Vec<&str> = QUESTIONS.iter().map(|question| question.name).collect();
            out.say(&format!("more questions: {}; `tradewind questions` describes them", names.join(", ")));
        }
        Ok(())
    }
}

fn is_question(text: &str) -> bool {
    QUESTIONS.named(text.split('(').next().unwrap_or_default()).is_ok()
}
