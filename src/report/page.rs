//! How does a report become a Markdown file or one HTML page?

use maud::{DOCTYPE, PreEscaped, html};

use super::Report;
use super::assets::{Anchors, Pictures, font_css};
use crate::show::markdown::{self, escape};
use crate::show::{Block, html, one_line};

/// Rows that a page shows of a table; the rest belongs into a file of its own.
pub(super) const ROWS: usize = 200;
/// Fewer headings than this need no table of contents.
const CONTENTS: usize = 4;

const STYLE: &str = include_str!("page.css");
/// What a page needs whose texts have marks.
const MARKS: &str = "ol{max-width:42rem}:not(pre)>code{background:var(--tint);padding:.1em .3em;border-radius:.2rem}";

/// The report as Markdown; the pictures are handed to `pictures`.
pub(super) fn markdown(report: &Report, pictures: &mut Pictures) -> String {
    let mut pieces = vec![format!("# {}", escape(&one_line(&report.title)))];
    pieces.extend(report.subtitle.as_ref().map(|text| format!("*{}*", escape(&one_line(text)))));
    let contents = contents(report);
    if contents.len() >= CONTENTS {
        let entry = |(level, text, anchor): &(u8, String, String)| {
            format!("{}- [{}](#{anchor})", "  ".repeat(usize::from(level - 2)), escape(text))
        };
        pieces.push(contents.iter().map(entry).collect::<Vec<_>>().join("\n"));
    }
    for leaf in report.leaves() {
        let piece = match leaf {
            Block::Heading { level, text } => {
                markdown::render(&Block::Heading { level: (*level).max(2), text: text.clone() }, &mut |_| String::new())
            }
            Block::Table(table) => markdown::table(table, ROWS, usize::MAX, " not shown"),
            leaf => markdown::render(leaf, &mut |figure| pictures.link(figure)),
        };
        pieces.push(piece.trim_end().to_string());
    }
    pieces.retain(|piece| !piece.is_empty());
    pieces.join("\n\n") + "\n"
}

/// The report as one page that needs nothing else.
pub(super) fn html(report: &Report) -> String {
    let contents = contents(report);
    let mut anchors = contents.iter().map(|(_, _, anchor)| anchor.as_str());
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (one_line(&report.title)) }
                style { (PreEscaped(font_css())) (PreEscaped(STYLE)) @if report.has_marks() { (PreEscaped(MARKS)) } }
            }
            body {
                header {
                    h1 dir="auto" { (one_line(&report.title)) }
                    @if let Some(text) = &report.subtitle { p.subtitle dir="auto" { (one_line(text)) } }
                }
                @if contents.iter().filter(|(level, ..)| *level <= 3).count() >= CONTENTS {
                    nav aria-label="Contents" {
                        p { "Contents" }
                        ul { @for (level, text, anchor) in contents.iter().filter(|(level, ..)| *level <= 3) {
                            li class=(format!("level-{level}")) { a href=(format!("#{anchor}")) dir="auto" { (text) } }
                        } }
                    }
                }
                main {
                    @for leaf in report.leaves() {
                        @match leaf {
                            Block::Heading { level, text } => (html::heading((*level).max(2), text, anchors.next())),
                            Block::Table(table) => (html::table(table, ROWS, usize::MAX, " not shown")),
                            Block::Figure(figure) => (html::responsive(figure)),
                            leaf => (html::fragment(leaf, ROWS)),
                        }
                    }
                }
            }
        }
    }
    .into_string()
}

/// Level, text and anchor of every heading. The page's only level-1 heading is its title.
fn contents(report: &Report) -> Vec<(u8, String, String)> {
    let mut anchors = Anchors::default();
    // The title takes its own anchor first, as it would on a code host.
    anchors.next(&report.title);
    report
        .leaves()
        .into_iter()
        .filter_map(|leaf| match leaf {
            Block::Heading { level, text } => Some(((*level).clamp(2, 6), one_line(text), anchors.next(text))),
            _ => None,
        })
        .collect()
}
