//! What do pages and decks share? The embedded font, the pictures beside a Markdown file, and heading anchors.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::figures::{REGULAR, SEMIBOLD};
use crate::show::base64::base64;
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
        let folder = page.parent().map(|parent| parent.join("assets")).unwrap_or_else(|| "assets".into());
        Self { folder, stem: stem(page), figures: Vec::new() }
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

    /// The pictures that a page shows which stood here before, and that this one does not: by our own kind of name alone.
    pub(super) fn outdated(&self, before: &str) -> Vec<PathBuf> {
        let links = before.split("](assets/").skip(1).filter_map(|rest| rest.split_once(')').map(|(name, _)| name));
        let is_of_this_page = |name: &&str| {
            let rest = name.strip_prefix(&self.stem).and_then(|rest| rest.strip_prefix('-'));
            let number = rest.and_then(|rest| rest.split_once('-')).map_or("", |(number, _)| number);
            let plain = name.chars().all(|letter| letter.is_ascii_alphanumeric() || "-.".contains(letter));
            plain && number.len() >= 2 && number.bytes().all(|byte| byte.is_ascii_digit()) && name.ends_with(".svg")
        };
        let is_left = |name: &&str| self.figures.iter().all(|(kept, _)| kept != name);
        links.filter(is_of_this_page).filter(is_left).map(|name| self.folder.join(name)).collect()
    }

    /// The files to write and what they hold.
    pub(super) fn take(self) -> Result<Vec<(PathBuf, String)>> {
        let Self { folder, figures, .. } = self;
        figures.into_iter().map(|(name, figure)| Ok((folder.join(name), figure.svg()?))).collect()
    }
}

/// What the names of a page's pictures begin with. Pages that lie side by side share a folder of pictures: where letters of a page's
/// name are lost, a checksum of the whole name tells it from others.
fn stem(page: &Path) -> String {
    let whole = page.file_stem().unwrap_or_default();
    let name = file_name(&whole.to_string_lossy(), "report");
    if whole == name.as_str() {
        return name;
    }
    format!("{name}-{}", &blake3::hash(whole.as_encoded_bytes()).to_hex()[..8])
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
        // What is numbered may be the anchor of another heading: `A`, `A`, `A 1`.
        let mut count = self.0.get(&anchor).copied().unwrap_or(0);
        let mut unused = anchor.clone();
        while self.0.contains_key(&unused) {
            count += 1;
            unused = format!("{anchor}-{count}");
        }
        self.0.insert(anchor, count);
        self.0.entry(unused.clone()).or_insert(0);
        unused
    }
}

/// The anchor of a source, which no heading can have: theirs have no full stop.
pub(super) fn source_anchor(number: usize) -> String {
    format!("source.{number}")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_are_unique_and_names_safe() {
        let mut anchors = Anchors::default();
        assert_eq!(anchors.next("What we found?"), "what-we-found");
        assert_eq!(anchors.next("What we found"), "what-we-found-1");
        assert_eq!(anchors.next("🙂"), "section");
        let mut anchors = Anchors::default();
        let all = ["A", "A", "A 1", "A", "A-1", "a 1 1"].map(|heading| anchors.next(heading));
        assert_eq!(all, ["a", "a-1", "a-1-1", "a-2", "a-1-2", "a-1-1-1"]);
        assert_ne!(anchors.next("Source 1"), source_anchor(1));
        assert_eq!(file_name("Sales: a/b <c> ../.. Ü", "x"), "sales-a-b-c");
        assert_eq!(file_name("مبيعات", "figure"), "figure");
    }

    #[test]
    fn pages_side_by_side_have_pictures_of_their_own() {
        let names =
            ["report", "Weekly sales", "weekly-sales", "销售", "库存", &"x".repeat(60), &"x".repeat(61), "a.b", ""];
        let stems: Vec<String> = names.iter().map(|name| stem(Path::new(&format!("out/{name}.md")))).collect();
        let distinct: std::collections::BTreeSet<&String> = stems.iter().collect();
        assert_eq!(distinct.len(), stems.len(), "{stems:?}");
        assert_eq!([&stems[0], &stems[2]], ["report", "weekly-sales"]);
        assert!(stems[1].starts_with("weekly-sales-") && stems[3].starts_with("report-"), "{stems:?}");
    }

    #[test]
    fn only_pictures_of_the_same_page_are_outdated() {
        let pictures = Pictures::new(Path::new("out/sales.md"));
        let before = "![a](assets/sales-01-a.svg) ![b](assets/sales-b.svg) ![c](assets/shop-01-c.svg) \
                      ![d](assets/sales-02-../../d.svg) ![e](assets/sales-03-e.png) [f](sales-04-f.svg)";
        assert_eq!(pictures.outdated(before), [Path::new("out/assets/sales-01-a.svg")]);
    }
}
