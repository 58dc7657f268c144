//! How do the answers reach those who were not there? A [`Report`]: blocks in order, saved as a page or as slides.
//!
//! The same blocks become Markdown with its pictures beside it, one self-contained HTML page or PDF; and as slides a Marp deck, one
//! self-contained HTML deck, PDF, or a presentation for PowerPoint. No date is printed and nothing is fetched: the same input gives
//! the same bytes, and a page opens offline.
//!
//! | file | question |
//! |---|---|
//! | `pieces.rs` | what a report consists of, and where its numbers come from |
//! | `page.rs` | how a report becomes Markdown or HTML |
//! | `quality.rs` | the page that an audit becomes |
//! | `performance.rs` | the page that a backtest becomes |
//! | `decision.rs` | the page that a decision becomes |
//! | `deck.rs` | which block goes on which slide |
//! | `slides.rs` | how a deck becomes Markdown or HTML |
//! | `template.rs` | what frames them, ours or the user's |
//! | `pptx/` | how a deck becomes a presentation for PowerPoint, with its charts |
//! | `pdf/` | how both become PDF |
//! | `assets.rs` | font, pictures, anchors: what the pages share |

mod assets;
mod decision;
mod deck;
mod page;
mod pdf;
pub(crate) mod performance;
mod pieces;
mod pptx;
pub(crate) mod quality;
mod slides;
mod template;
mod tour;

pub(crate) use template::check as check_templates;

use std::path::{Path, PathBuf};

pub(crate) use assets::font_css;

use crate::error::{Error, Result};
use crate::files::{mark, read_bytes, remove_own, together, write_atomically};
use crate::show::wording::Wording;
use crate::show::{Block, Prose, Show, noun};

pub use pdf::Paper;
pub(crate) use pdf::ready as pdf_ready;

/// Blocks in order under a title: what is saved for stakeholders.
///
/// ```
/// use tradewind::report::Report;
/// let report = Report::new("Weekly sales").heading("What we found").text("They rose.").note("One store is missing.");
/// let folder = tempfile::tempdir().unwrap();
/// let written = report.save(folder.path().join("sales.html"))?;
/// assert_eq!(written.len(), 1);
/// # Ok::<(), tradewind::Error>(())
/// ```
#[derive(Clone)]
pub struct Report {
    title: String,
    subtitle: Option<String>,
    blocks: Vec<Block>,
    origin: Option<Origin>,
    /// How many blocks lie before the backup, if there is one.
    backup: Option<usize>,
    /// The user's own templates.
    templates: Option<PathBuf>,
    /// How numbers and columns are written.
    wording: Wording,
    /// How it looks as PDF.
    look: pdf::Look,
}

/// Where the numbers of a report come from.
#[derive(Clone)]
pub(crate) struct Origin {
    /// In a few words, for a line below a slide.
    pub(crate) said: String,
    /// The data, their fingerprint, the seed, the program: a name and what it is.
    pub(crate) facts: Vec<(String, String)>,
}

impl Report {
    /// An empty report.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            subtitle: None,
            blocks: Vec::new(),
            origin: None,
            backup: None,
            templates: None,
            wording: Wording::default(),
            look: pdf::Look::default(),
        }
    }

    /// The same report with a line under its title.
    #[must_use]
    pub fn subtitle(self, text: impl Into<String>) -> Self {
        Self { subtitle: Some(text.into()), ..self }
    }

    /// The same report, whose numbers come from there.
    pub(crate) fn from(self, origin: Origin) -> Self {
        Self { origin: Some(origin), ..self }
    }

    /// The same report framed by the templates of a folder: each of `report.html`, `report.md`, `slides.html` and `slides.md` that it
    /// holds takes the place of ours, which it may extend (`{% extends "default/report.html" %}`); `report.typ` is a document of
    /// typst for PDF, which finds the blocks in `report.json`, and what ours is made of in `blocks.typ`.
    ///
    /// ```
    /// use tradewind::report::Report;
    /// let folder = tempfile::tempdir()?;
    /// std::fs::write(folder.path().join("report.md"), "{{ title }}, from the controlling department")?;
    /// let page = folder.path().join("page.md");
    /// Report::new("Sales").templates(folder.path()).save(&page)?;
    /// assert!(std::fs::read_to_string(&page)?.starts_with("Sales, from the controlling department"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn templates(self, folder: impl Into<PathBuf>) -> Self {
        Self { templates: Some(folder.into()), ..self }
    }

    /// The same report with numbers as a locale writes them (`de`, `en-IN`), and columns under names of their own
    /// (`Weekly_Sales=Sales, Dept=Department`): in texts, in the headers of tables, in figures. A name is replaced wherever it is a
    /// word of a text, whatever it means there: with `sales=Revenue`, "actual sales" becomes "actual Revenue". Words stay English;
    /// the cells of a text column, code and sources stay as they are.
    ///
    /// ```
    /// use tradewind::report::Report;
    /// let report = Report::new("Sales").text("Weekly_Sales rose to 1,234.5.").worded(Some("de"), [("Weekly_Sales", "Sales")])?;
    /// let folder = tempfile::tempdir().unwrap();
    /// report.save(folder.path().join("page.md"))?;
    /// let page = std::fs::read_to_string(folder.path().join("page.md")).unwrap();
    /// assert!(page.contains("Sales rose to 1.234,5."));
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the locale is none, or a name is empty.
    pub fn worded<N: Into<String>>(
        self,
        locale: Option<&str>,
        names: impl IntoIterator<Item = (N, N)>,
    ) -> Result<Self> {
        let names = names.into_iter().map(|(from, to)| (from.into(), to.into())).collect();
        Ok(Self { wording: Wording::new(locale, names)?, ..self })
    }

    /// What follows is backup: on slides it lies behind a divider, for questions. No slide before the divider is continued on another:
    /// what it cannot hold goes behind the divider as well, and the slide says so.
    #[must_use]
    pub fn backup(self) -> Self {
        Self { backup: Some(self.blocks.len()), ..self }
    }

    /// Say where the numbers of the blocks before come from, up to the last heading: the call that gives them again. A page numbers
    /// its sources and lists them at its end.
    ///
    /// ```
    /// use tradewind::report::Report;
    /// let report = Report::new("Sales").text("They rose by 4.8 %.").source("sales.explore(\"trend\")");
    /// assert!(report.to_string().contains("Source: sales.explore"));
    /// ```
    #[must_use]
    pub fn source(self, query: impl Into<String>) -> Self {
        self.add(Block::Source(query.into()))
    }

    /// Add a table, a figure, a block, or a reference to any noun.
    #[must_use]
    #[allow(clippy::should_implement_trait)]
    pub fn add(mut self, thing: impl Into<Block>) -> Self {
        self.blocks.push(thing.into());
        self
    }

    /// Add a heading; in slides it starts a new one.
    #[must_use]
    pub fn heading(self, text: impl Into<String>) -> Self {
        self.add(Block::Heading { level: 2, text: text.into() })
    }

    /// Add a caveat, set apart from the text.
    #[must_use]
    pub fn note(self, text: impl Into<String>) -> Self {
        self.add(Block::Note(text.into()))
    }

    /// Add a paragraph, or several with an empty line between them. Markdown's marks are read: `**bold**`,
    /// `*emphasis*`, `` `code` ``, `[links](https://example.org)` (to web pages, mail addresses and files beside the
    /// page), lists, headings (which lie below those of [`heading`](Self::heading)); HTML is text as any other. In Rust,
    /// `add(Block::Text(…))` adds words that may hold such marks by accident.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let report = Report::new("Weekly sales").text("Sales **rose** again:\n\n- in *all* shops\n- by 3 %");
    /// let folder = tempfile::tempdir().unwrap();
    /// report.save(folder.path().join("sales.html"))?;
    /// let page = std::fs::read_to_string(folder.path().join("sales.html")).unwrap();
    /// assert!(page.contains("Sales <strong>rose</strong> again:"));
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.blocks.extend(Prose::blocks(&text.into()));
        self
    }

    /// The same report on another size of paper, as PDF: A4 if not given.
    ///
    /// ```
    /// use tradewind::report::{Paper, Report};
    /// let report = Report::new("Weekly sales").paper(Paper::Letter).text("They rose.");
    /// # let _ = report;
    /// ```
    #[must_use]
    pub fn paper(mut self, paper: Paper) -> Self {
        self.look.paper = paper;
        self
    }

    /// The same report in another language than English, by its code (`de`, `pt`): screen readers pronounce by it.
    #[must_use]
    pub fn language(mut self, code: impl Into<String>) -> Self {
        self.look.language = code.into();
        self
    }

    /// The same report with a further font for PDF, or a folder of them: for letters that the embedded one lacks, such as those of
    /// Arabic or Chinese.
    #[must_use]
    pub fn font(mut self, path: impl Into<PathBuf>) -> Self {
        self.look.fonts.push(path.into());
        self
    }

    /// Are there marks in its texts?
    fn has_marks(&self) -> bool {
        self.leaves().iter().any(|leaf| matches!(leaf, Block::Prose(_)))
    }

    /// Save as a page: `.md` with its pictures in `assets/` beside it, `.html` as one self-contained file, or `.pdf` for
    /// printing (feature `pdf`), accessible as PDF/UA-1 asks. Returns the files written.
    ///
    /// # Errors
    /// The extension is another, a figure cannot be drawn, or a file cannot be written; for PDF also when the language is no
    /// code of one, or a template has an error, which is named with its file and line.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<Vec<PathBuf>> {
        let path = path.as_ref();
        self.wording.within(|| match extension(path).as_str() {
            "md" => with_assets(path, |assets| Ok(mark::at_end(&page::markdown(self, assets)?))),
            "html" | "htm" => alone(path, &page::html(self)?),
            "pdf" => printed(path, &pdf::page(self)?),
            _ => Err(wrong_extension("a report", path, ".md, .html or .pdf")),
        })
    }

    /// Save as slides: `.md` for Marp with its pictures in `assets/` beside it, `.html` as one self-contained deck that
    /// moves with the arrow keys, `.pdf` with a page for each slide (feature `pdf`), or `.pptx` for PowerPoint, Keynote, Google Slides and LibreOffice, where words, tables
    /// and simple figures can be edited. Returns the files written.
    ///
    /// ```
    /// use tradewind::figures::Bars;
    /// use tradewind::report::Report;
    /// let rows = vec![("Toys".to_string(), 120.0), ("Food".to_string(), 80.0)];
    /// let bars = Bars { title: "Sales".into(), value: "USD".into(), rows, best: None, reference: None };
    /// let report = Report::new("Weekly sales").heading("Toys sell best").add(bars.figure());
    /// let folder = tempfile::tempdir().unwrap();
    /// let written = report.save_slides(folder.path().join("sales.pptx"))?;
    /// assert!(std::fs::read(&written[0]).unwrap().starts_with(b"PK"));
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// The extension is another, a figure cannot be drawn, or a file cannot be written.
    pub fn save_slides(&self, path: impl AsRef<Path>) -> Result<Vec<PathBuf>> {
        let path = path.as_ref();
        self.wording.within(|| match extension(path).as_str() {
            "md" => with_assets(path, |assets| Ok(mark::in_front(&slides::markdown(self, assets)?))),
            "html" | "htm" => alone(path, &slides::html(self)?),
            "pptx" => printed(path, &pptx::bytes(self)?),
            "pdf" => printed(path, &pdf::slides(self)?),
            _ => Err(wrong_extension("slides", path, ".md, .html, .pdf or .pptx")),
        })
    }

    /// All blocks in order, groups opened.
    fn leaves(&self) -> Vec<&Block> {
        self.blocks.iter().flat_map(Block::leaves).collect()
    }
}

impl Show for Report {
    fn block(&self) -> Block {
        let mut blocks = vec![Block::Heading { level: 1, text: self.title.clone() }];
        blocks.extend(self.subtitle.clone().map(Block::Text));
        blocks.extend(self.blocks.iter().cloned());
        Block::Group(blocks)
    }
}

noun!(Report);

fn extension(path: &Path) -> String {
    path.extension().and_then(|extension| extension.to_str()).unwrap_or("").to_lowercase()
}

fn wrong_extension(what: &str, path: &Path, ends: &str) -> Error {
    Error::usage(format!("cannot save {what} as `{}`: name a file that ends in {ends}", path.display()))
}

fn alone(path: &Path, page: &str) -> Result<Vec<PathBuf>> {
    write_atomically(path, mark::at_end(page).as_bytes())?;
    Ok(vec![path.to_path_buf()])
}

fn printed(path: &Path, bytes: &[u8]) -> Result<Vec<PathBuf>> {
    write_atomically(path, bytes)?;
    Ok(vec![path.to_path_buf()])
}

/// Write the pictures first and the page last: a page never links to a picture that is not there yet. None of them is
/// written if one cannot be. Pictures that an earlier version of the page had beyond these go.
fn with_assets(path: &Path, render: impl FnOnce(&mut assets::Pictures) -> Result<String>) -> Result<Vec<PathBuf>> {
    let mut pictures = assets::Pictures::new(path);
    let page = render(&mut pictures)?;
    // The page that is about to be replaced; one that cannot be read has no pictures.
    let before = read_bytes(path).unwrap_or_default();
    let outdated = pictures.outdated(&String::from_utf8_lossy(&before));
    together(|| {
        let mut written = vec![path.to_path_buf()];
        for (path, svg) in pictures.take()? {
            write_atomically(&path, mark::at_end(&svg).as_bytes())?;
            written.push(path);
        }
        write_atomically(path, page.as_bytes())?;
        outdated.iter().try_for_each(|picture| remove_own(picture))?;
        Ok(written)
    })
}

#[cfg(test)]
mod tests;
