//! How does a report become a PDF? A document of typst, compiled inside the program: nothing has to be installed.
//!
//! | file | question |
//! |---|---|
//! | `source.rs` | which data a report and a deck hand to their template |
//! | `columns.rs` | how wide the columns of a table are, and how small its letters |
//! | `blocks.typ` | how words, tables and notes are set |
//! | `template.typ`, `slides.typ` | how a page and a slide are laid out |
//! | `enabled.rs`, `disabled.rs` | how a document becomes a file (feature `pdf`) |
//!
//! Texts reach the template as data, in `report.json`: no letter of them can be read as typst.

mod columns;
mod source;

#[cfg(not(feature = "pdf"))]
mod disabled;
#[cfg(not(feature = "pdf"))]
use disabled as engine;
#[cfg(feature = "pdf")]
mod enabled;
#[cfg(feature = "pdf")]
use enabled as engine;

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Report;
use crate::error::{Error, Result};
use crate::figures::{REGULAR, SEMIBOLD};
use crate::files::{exists, is_folder, list, mark, read_bytes, read_text};
use crate::progress;
use crate::show::one_line;

/// The size of a report's pages in PDF.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum Paper {
    /// 210 by 297 mm.
    #[default]
    A4,
    /// 8½ by 11 inches.
    Letter,
}

impl Paper {
    /// Width and height, in points.
    fn size(self) -> (f64, f64) {
        match self {
            Self::A4 => (595.276, 841.89),
            Self::Letter => (612.0, 792.0),
        }
    }
}

/// A document of the user's own among the templates, in the place of `template.typ`.
pub(super) const OWN: &str = "report.typ";

/// How a report looks as PDF.
#[derive(Clone, Debug)]
pub(super) struct Look {
    pub paper: Paper,
    /// What its words are written in, as a code of ISO 639: screen readers pronounce by it.
    pub language: String,
    /// Fonts for letters that the embedded one lacks: files, or folders of them.
    pub fonts: Vec<PathBuf>,
}

impl Default for Look {
    fn default() -> Self {
        Self { paper: Paper::default(), language: "en".into(), fonts: Vec::new() }
    }
}

/// Can PDF be made?
///
/// # Errors
/// When the program was built without it; the message says how it is built with it.
pub(crate) fn ready() -> Result<()> {
    engine::ready().map_err(Error::usage)
}

/// A report as PDF.
pub(super) fn page(report: &Report) -> Result<Vec<u8>> {
    // Inside the compiler there are no folders; messages name the file.
    let name = |path: &Path| path.file_name().map_or("template.typ".into(), |name| name.to_string_lossy().into_owned());
    let own = |path: &PathBuf| Ok::<_, Error>((name(path), read_text(path)?));
    ready()?;
    let own = report.templates.iter().map(|folder| folder.join(OWN)).find(|path| exists(path)).map(|path| own(&path));
    let own = own.transpose()?;
    made(report, source::page(report, own)?)
}

/// A report's slides as PDF.
pub(super) fn slides(report: &Report) -> Result<Vec<u8>> {
    ready()?;
    made(report, source::slides(report)?)
}

fn made(report: &Report, source: source::Source) -> Result<Vec<u8>> {
    let title = one_line(&report.title);
    let mut fonts = Vec::new();
    for path in &report.look.fonts {
        fonts.extend(fonts_of(path)?);
    }
    let made = engine::compile(&source.main, &source.files, &[REGULAR, SEMIBOLD], &fonts, &title);
    let (bytes, warnings) =
        made.map_err(|said| Error::usage(said).within(format!("cannot make a PDF of “{title}”")))?;
    for warning in &warnings {
        progress::say(&format!("PDF of “{title}”: {warning}"));
    }
    Ok(mark::before_the_end(bytes))
}

/// A font, or those of a folder, by their names.
fn fonts_of(path: &Path) -> Result<Vec<Vec<u8>>> {
    if !is_folder(path) {
        return Ok(vec![read_bytes(path)?]);
    }
    let is_font = |path: &PathBuf| {
        let end = path.extension().and_then(|end| end.to_str()).unwrap_or("").to_lowercase();
        ["ttf", "otf", "ttc", "otc"].contains(&end.as_str())
    };
    let mut paths: Vec<PathBuf> = list(path)?.into_iter().filter(is_font).collect();
    paths.sort();
    paths.iter().map(|path| read_bytes(path)).collect()
}
