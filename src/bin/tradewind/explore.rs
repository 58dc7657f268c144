//! `tradewind explore`: the findings that matter, or questions about the data, each answered with a sentence, a table and its
//! caveats.

use std::path::PathBuf;

use clap::Args;
use tradewind::explore::columns_of;
use tradewind::outputs::Outputs;
use tradewind::plan::Group;
use tradewind::prelude::*;

use crate::flags::{Flags, Heeds};
use crate::out::{Out, REPORT};

#[derive(Args)]
pub(crate) struct Command {
    #[command(flatten)]
    flags: Flags<Self>,
    /// Questions: seasonality, trend, "uplift(by=promo)" …; without one, every question is asked, and the findings that stand
    /// are told, the dearest first.
    #[arg(value_name = "QUESTION")]
    questions: Vec<String>,
    /// Without a question, a folder for report.md and report.html; with one, a file for its table: .csv, .parquet, .json or .xlsx.
    #[arg(long, value_name = "PLACE", help_heading = "Results")]
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
        }
        let mut plan = self.flags.explored(out)?;
        for name in self.questions.iter().map(|question| columns_of(question)).collect::<Result<Vec<_>>>()?.concat() {
            let stated = [&plan.id, &plan.known, &plan.observed, &plan.fixed];
            if !stated.into_iter().any(|list| list.names().contains(&name.as_str())) {
                let known: Vec<&str> = plan.known.names().into_iter().chain([name.as_str()]).collect();
                plan.known = known.join(";").parse()?;
            }
        }
        let mut outputs = Outputs::of(&plan);
        let tours = self.questions.is_empty();
        let folder = self.page.as_ref().or(self.out.as_ref().filter(|_| tours));
        if let Some(file) = self.out.as_ref().filter(|_| !tours) {
            if self.questions.len() != 1 {
                return Err(Error::usage("--out takes the table of one question; --page FOLDER takes all answers"));
            }
            Table::can_save(file)?;
            outputs = outputs.file(file)?;
        }
        if let Some(folder) = folder {
            outputs = outputs.folder(folder, &REPORT)?;
        }
        let panel = plan.panel()?;
        out.calendar(&panel, &plan);
        let tour = if tours { Some(panel.tour()?) } else { None };
        let findings = match &tour {
            Some(tour) => tour.findings(),
            None => self.questions.iter().map(|question| panel.explore(question)).collect::<Result<_>>()?,
        };
        if let Some((file, finding)) = self.out.as_ref().filter(|_| !tours).zip(findings.first()) {
            finding.table().save(file)?;
            out.wrote(file);
        }
        if let Some(folder) = folder {
            let report = match &tour {
                Some(tour) => tour.report()?,
                None => findings.iter().fold(Report::new(panel.columns().target()), |report, finding| {
                    report.heading(finding.title()).add(finding)
                }),
            };
            tradewind::together(|| REPORT.iter().try_for_each(|name| report.save(folder.join(name)).map(|_| ())))?;
            out.wrote_all(REPORT.iter().map(|name| folder.join(name)));
        }
        drop(outputs);
        match &tour {
            Some(tour) => out.tour(tour),
            None => out.findings(&findings),
        }
    }
}

fn is_question(text: &str) -> bool {
    QUESTIONS.named(text.split('(').next().unwrap_or_default()).is_ok()
}
