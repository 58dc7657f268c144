//! What do pages and decks share? The embedded font, the pictures beside a Markdown file, and heading anchors.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::figures::{REGULAR, SEMIBOLD};
use crate::show::markdown::escape;
use crate::show::words::typeset;
use crate::show::{Figure, one_line};

/// The pictures of one Markdown file, numbered in order, in `assets/` beside it.
pub(super) struct Pictures {
    folder: PathBuf,
    stem: String,
    figures: Vec<(String, Figure)>,
}

impl Pictures {
    pub(super) fn new(page: &Path) -> Self {
        let stem = page.file_stem().and_then(|stem| stem.to_str()).unwrap_or("");
        let folder = page.parent().map(|parent| parent.join("assets")).unwrap_or_else(|| "assets".into());
        Self { folder, stem: file_name(stem, "report"), figures: Vec::new() }
    }

    /// Keep a figure for writing; returns the Markdown that shows it.
    pub(super) fn link(&mut self, figure: &Figure) -> String {
        let name = format!("{}-{:02}-{}.svg", self.stem, self.figures.len() + 1, file_name(figure.title(), "figure"));
        let title = figure.title().trim_end_matches('.');
        let stop = if title.ends_with('?') { "" } else { "." };
        let alt = typeset(&one_line(&format!("{title}{stop} {}", figure.alt())));
        let link = format!("![{}](assets/{name})", escape(&alt));
        self.figures.push((name, figure.clone()));
        link
    }

    /// The files to write and what they hold.
    pub(super) fn take(self) -> Result<Vec<(PathBuf, String)>> {
        let Self { folder, figures, .. } = self;
        figures.into_iter().map(|(name, figure)| Ok((folder.join(name), figure.svg()?))).collect()
    }
}

/// A part of a file name that needs no quoting anywhere.
fn file_name(text: &str, or: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        if letter.is_ascii_alphanumeric() {
            out.push(letter.to_ascii_lowercase());
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
        if out.len() >= 48 {
            break;
        }
    }
    let out = out.trim_matches('-');
    if out.is_empty() { or.to_string() } else { out.to_string() }
}

/// Anchors for headings, as GitHub makes them: unique within a page.
#[derive(Default)]
pub(super) struct Anchors(HashMap<String, usize>);

impl Anchors {
    pub(super) fn next(&mut self, heading: &str) -> String {
        let mut anchor = String::new();
        for letter in one_line(heading).chars() {
            match letter {
                ' ' | '-' => anchor.push('-'),
                letter if letter.is_alphanumeric() || letter == '_' => anchor.extend(letter.to_lowercase()),
                _ => {}
            }
        }
        if anchor.is_empty() {
            anchor.push_str("section");
        }
        let seen = self.0.entry(anchor.clone()).or_insert(0);
        *seen += 1;
        if *seen == 1 { anchor } else { format!("{anchor}-{}", *seen - 1) }
    }
}

/// The embedded font as CSS.
pub(crate) fn font_css() -> String {
    let face = |weight: &str, bytes: &[u8]| {
        format!(
            "@font-face{{font-family:\"Open Sans\";font-weight:{weight};font-display:swap;\
             src:url(data:font/ttf;base64,{}) format(\"truetype\")}}\n",
            base64(bytes)
        )
    };
    format!("{}{}", face("400", REGULAR), face("600 700", SEMIBOLD))
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * place) & 63) as usize];
            out.push(if place <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_the_standard_one() {
        // RFC 4648, section 10.
        for (text, code) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(text.as_bytes()), code);
        }
    }

    #[test]
    fn anchors_are_unique_and_names_safe() {
        let mut anchors = Anchors::default();
        assert_eq!(anchors.next("What we found?"), "what-we-found");
        assert_eq!(anchors.next("What we found"), "what-we-found-1");
        assert_eq!(anchors.next("🙂"), "section");
        assert_eq!(file_name("Sales: a/b <c> ../.. Ü", "x"), "sales-a-b-c");
        assert_eq!(file_name("مبيعات", "figure"), "figure");
    }
}
