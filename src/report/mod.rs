//! How do the answers reach those who were not there? A [`Report`]: blocks in order, saved as a page or as slides.
//!
//! The same blocks become Markdown with its pictures beside it, one self-contained HTML page, a Marp deck or one
//! self-contained HTML deck. No date is printed and nothing is fetched: the same input gives the same bytes, and a
//! page opens offline.
//!
//! | file | question |
//! |---|---|
//! | `page.rs` | how a report becomes Markdown or HTML |
//! | `quality.rs` | the page that an audit becomes |
//! | `performance.rs` | the page that a backtest becomes |
//! | `decision.rs` | the page that a decision becomes |
//! | `deck.rs` | which block goes on which slide |
//! | `slides.rs` | how a deck becomes Markdown or HTML |
//! | `assets.rs` | font, pictures, anchors: what the pages share |

mod assets;
mod decision;
mod deck;
mod page;
pub(crate) mod performance;
pub(crate) mod quality;
mod slides;
mod tour;

use std::path::{Path, PathBuf};

pub(crate) use assets::font_css;

use crate::error::{Error, Result};
use crate::files::{mark, together, write_atomically};
use crate::show::{Block, Prose, Show, noun};

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
}

impl Report {
    /// An empty report.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), subtitle: None, blocks: Vec::new() }
    }

    /// The same report with a line under its title.
    #[must_use]
    pub fn subtitle(self, text: impl Into<String>) -> Self {
        Self { subtitle: Some(text.into()), ..self }
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

    /// Are there marks in its texts?
    fn has_marks(&self) -> bool {
        self.leaves().iter().any(|leaf| matches!(leaf, Block::Prose(_)))
    }

    /// Save as a page: `.md` with its pictures in `assets/` beside it, or `.html` as one self-contained file.
    /// Returns the files written.
    ///
    /// # Errors
    /// The extension is another, a figure cannot be drawn, or a file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<Vec<PathBuf>> {
        let path = path.as_ref();
        match extension(path).as_str() {
            "md" => with_assets(path, |assets| mark::at_end(&page::markdown(self, assets))),
            "html" | "htm" => alone(path, &page::html(self)),
            _ => Err(wrong_extension("a report", path)),
        }
    }

    /// Save as slides: `.md` for Marp with its pictures in `assets/` beside it, or `.html` as one self-contained
    /// deck that moves with the arrow keys. Returns the files written.
    ///
    /// # Errors
    /// The extension is another, a figure cannot be drawn, or a file cannot be written.
    pub fn save_slides(&self, path: impl AsRef<Path>) -> Result<Vec<PathBuf>> {
        let path = path.as_ref();
        match extension(path).as_str() {
            "md" => with_assets(path, |assets| mark::in_front(&slides::markdown(self, assets))),
            "html" | "htm" => alone(path, &slides::html(self)),
            _ => Err(wrong_extension("slides", path)),
        }
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

fn wrong_extension(what: &str, path: &Path) -> Error {
    Error::usage(format!("cannot save {what} as `{}`: name a file that ends in .md or .html", path.display()))
}

fn alone(path: &Path, page: &str) -> Result<Vec<PathBuf>> {
    write_atomically(path, mark::at_end(page).as_bytes())?;
    Ok(vec![path.to_path_buf()])
}

/// Write the pictures first and the page last: a page never links to a picture that is not there yet. None of them is
/// written if one cannot be.
fn with_assets(path: &Path, render: impl FnOnce(&mut assets::Pictures) -> String) -> Result<Vec<PathBuf>> {
    let mut pictures = assets::Pictures::new(path);
    let page = render(&mut pictures);
    together(|| {
        let mut written = vec![path.to_path_buf()];
        for (path, svg) in pictures.take()? {
            write_atomically(&path, mark::at_end(&svg).as_bytes())?;
            written.push(path);
        }
        write_atomically(path, page.as_bytes())?;
        Ok(written)
    })
}

#[cfg(test)]
mod tests;
