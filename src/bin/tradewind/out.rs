//! Where results and remarks go: results to stdout, what was decided on the way and what went wrong to stderr.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tradewind::models::Failure;
use tradewind::plan::Format;
use tradewind::prelude::*;
use tradewind::show::text_within;
use tradewind::together;

/// The pages of a report, and those of its slides.
pub(crate) const REPORT: [&str; 2] = ["report.md", "report.html"];
pub(crate) const SLIDES: [&str; 2] = ["slides.md", "slides.html"];

/// The page to explore among those of a report.
const DASHBOARD: &str = "dashboard.html";

pub(crate) struct Out {
    pub(crate) json: bool,
    pub(crate) quiet: bool,
}

impl Out {
    /// A result: shown to people, or as JSON to programs.
    pub(crate) fn result(&self, shown: &dyn Show, value: Value) -> Result<()> {
        let text = match self.json {
            true => format!("{value:#}\n"),
            false => format!("{}\n", text_within(&shown.block(), width()).trim_end()),
        };
        print(&text)
    }

    /// What was decided on the way.
    pub(crate) fn say(&self, remark: &str) {
        if !self.quiet {
            eprintln!("{remark}");
        }
    }

    pub(crate) fn wrote(&self, path: &Path) {
        self.say(&format!("wrote {}", path.display()));
    }

    pub(crate) fn wrote_all(&self, paths: impl IntoIterator<Item = PathBuf>) {
        paths.into_iter().for_each(|path| self.wrote(&path));
    }

    /// The frequency and season that were found or stated.
    pub(crate) fn calendar(&self, panel: &Panel, plan: &Plan) {
        let season = match plan.season {
            Some(season) => format!("season {season} as stated"),
            None => format!("season {} (the default of this frequency; --season states another)", panel.season()),
        };
        self.shape(panel, &season);
    }

    pub(crate) fn shape(&self, panel: &Panel, season: &str) {
        self.say(&format!("{} series, {} rows, {}, {season}", panel.len(), panel.rows(), panel.frequency()));
    }

    /// What could not be served: said always, for the results do not show what is not in them.
    pub(crate) fn failures(&self, failures: &[Failure], listed: Option<&Path>) {
        if let Some(first) = failures.first() {
            let listed = listed.map_or_else(String::new, |path| format!(", listed in {}", path.display()));
            eprintln!(
                "{} failed{listed} (first: {} on {}: {})",
                failures.len(),
                first.model,
                first.series,
                first.reason
            );
        }
    }

    /// Answered questions, one after the other.
    pub(crate) fn findings(&self, findings: &[Finding]) -> Result<()> {
        let blocks = findings.iter().flat_map(told);
        let value: Vec<Value> = findings.iter().map(finding_as_json).collect::<Result<_>>()?;
        self.result(&Block::Group(blocks.collect()), value.into())
    }
}

impl Out {
    /// The findings that matter, and what else there is to ask.
    pub(crate) fn tour(&self, tour: &Tour) -> Result<()> {
        let findings = tour.findings();
        let mut blocks = vec![Block::Text(tour.sentence())];
        blocks.extend(findings.iter().flat_map(told));
        let described: Vec<String> = tour.described().iter().map(Finding::sentence).collect();
        if !described.is_empty() {
            blocks.push(Block::Heading { level: 2, text: "What the data hold".into() });
            blocks.push(Block::List(described.clone()));
        }
        let unanswered = tour.unanswered()?;
        if unanswered.rows() > 0 {
            blocks.push(Block::Table(unanswered.clone()));
        }
        let value = json!({
            "sentence": tour.sentence(),
            "findings": findings.iter().map(finding_as_json).collect::<Result<Vec<_>>>()?,
            "table": tour.table()?.to_json()?,
            "described": described,
            "unanswered": unanswered.to_json()?,
        });
        self.result(&Block::Group(blocks), value)?;
        let names: Vec<&str> = QUESTIONS.iter().map(|question| question.name).collect();
        self.say(&format!("more questions: {}; `tradewind questions` describes them", names.join(", ")));
        Ok(())
    }
}

/// A finding under its title. A terminal has no pictures, and their words are those of the table beside them, whose labels can
/// be copied.
pub(crate) fn told(finding: &Finding) -> Vec<Block> {
    let mut blocks = vec![
        Block::Heading { level: 2, text: finding.title() },
        Block::Text(finding.sentence()),
        Block::Table(finding.table()),
    ];
    blocks.extend(finding.also().into_iter().map(Block::Table));
    blocks.extend(finding.sure().into_iter().map(Block::Note));
    blocks.extend(finding.caveats().into_iter().map(Block::Note));
    blocks
}

/// A finding as programs read it.
pub(crate) fn finding_as_json(finding: &Finding) -> Result<Value> {
    Ok(json!({
        "title": finding.title(),
        "sentence": finding.sentence(),
        "table": finding.table().to_json()?,
        "also": finding.also().iter().map(Table::to_json).collect::<Result<Vec<_>>>()?,
        "sure": finding.sure(),
        "caveats": finding.caveats(),
    }))
}

/// The columns of the terminal that results are printed to; 120 where there is none.
fn width() -> usize {
    let terminal = std::io::stdout().is_terminal().then(terminal_size::terminal_size).flatten();
    terminal.map_or(120, |(terminal_size::Width(columns), _)| usize::from(columns))
}

/// Writes to stdout. A reader that stops early (head) is no failure of ours; a full disk is.
pub(crate) fn print(text: &str) -> Result<()> {
    let mut stdout = std::io::stdout();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(cause) if cause.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::io("the result could not be written to stdout").because(cause))
        }
        _ => Ok(()),
    }
}

/// Writes the data-quality page of an audit to a folder, if one is named.
pub(crate) fn write_page(audit: &Audit, folder: Option<&Path>) -> Result<()> {
    let Some(folder) = folder else { return Ok(()) };
    let report = audit.report()?;
    REPORT.iter().try_for_each(|name| report.save(folder.join(name)).map(|_| ()))
}

/// What [`write_page`] writes.
pub(crate) fn pages(folder: Option<&Path>) -> Vec<PathBuf> {
    folder.map_or_else(Vec::new, |folder| REPORT.iter().map(|name| folder.join(name)).collect())
}

/// Writes a report to folders, as pages and as slides; the files that a person opens.
pub(crate) fn save_report(report: &Report, pages: &Path, slides: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for name in REPORT {
        files.extend(report.save(pages.join(name))?);
    }
    for name in SLIDES {
        files.extend(report.save_slides(slides.join(name))?);
    }
    files.retain(|file| file.extension().is_none_or(|end| end != "svg"));
    Ok(files)
}

/// The files that a plan's report is written as: pages, slides.
pub(crate) struct Names {
    pub(crate) pages: Vec<&'static str>,
    pub(crate) slides: Vec<&'static str>,
}

impl Names {
    pub(crate) fn of(plan: &Plan) -> Result<Self> {
        let formats = plan.formats()?;
        let asked = |format: Format| formats.contains(&format);
        let mut names = Self { pages: Vec::new(), slides: Vec::new() };
        for (format, page) in [(Format::Md, "report.md"), (Format::Html, "report.html"), (Format::Pdf, "report.pdf")] {
            names.pages.extend(asked(format).then_some(page));
        }
        names.pages.extend(asked(Format::Dashboard).then_some(DASHBOARD));
        if asked(Format::Slides) {
            names.slides.extend(SLIDES);
            names.slides.extend(asked(Format::Pdf).then_some("slides.pdf"));
        }
        names.slides.extend(asked(Format::Pptx).then_some("slides.pptx"));
        Ok(names)
    }
}

/// Writes what belongs to an outcome, its report and its slides, all or nothing, and prints where they are.
pub(crate) fn finish(
    out: &Out,
    outcome: &Outcome,
    reports: &Path,
    slides: &Path,
    more: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let names = Names::of(outcome.plan())?;
    let files = together(|| {
        more()?;
        let mut files = Vec::new();
        if !names.pages.is_empty() {
            let report = outcome.report()?;
            for name in &names.pages {
                let path = reports.join(name);
                files.extend(if *name == DASHBOARD { outcome.dashboard()?.save(path)? } else { report.save(path)? });
            }
        }
        if !names.slides.is_empty() {
            let deck = outcome.deck()?;
            for name in &names.slides {
                files.extend(deck.save_slides(slides.join(name))?);
            }
        }
        files.retain(|file| file.extension().is_none_or(|end| end != "svg"));
        Ok(files)
    })?;
    let shown: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    let board = outcome.backtest().leaderboard(&outcome.plan().metric)?;
    out.failures(&[outcome.backtest().failures(), outcome.forecast().failures()].concat(), None);
    let text = Block::Group(vec![board.block(), Block::Text("Written:".into()), Block::List(shown.clone())]);
    let (board, read) = (board.to_json()?, outcome.panel().remarks());
    out.result(&text, json!({"best": outcome.best(), "leaderboard": board, "files": shown, "read": read}))
}
