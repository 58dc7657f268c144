//! How does a report become a Markdown file or one HTML page?

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::Report;
use super::assets::{Pictures, font_css};
use super::pieces::{Pieces, Run, SOURCES};
use crate::show::markdown::{self, code_span, escape};
use crate::show::words::typeset;
use crate::show::{Block, html, one_line};

/// Rows that a page shows of a table; the rest belongs into a file of its own.
const ROWS: usize = 200;
/// Fewer headings than this need no table of contents.
const CONTENTS: usize = 4;
/// Deeper headings are not in it.
const DEEP: u8 = 3;

const STYLE: &str = include_str!("page.css");
/// What a page needs whose texts have marks.
const MARKS: &str = "ol{max-width:42rem}:not(pre)>code{background:var(--tint);padding:.1em .3em;border-radius:.2rem}";

/// The report as Markdown; the pictures are handed to `pictures`.
pub(super) fn markdown(report: &Report, pictures: &mut Pictures) -> String {
    let mut parts = vec![format!("# {}", escape(&one_line(&report.title)))];
    parts.extend(report.subtitle.as_ref().map(|text| format!("*{}*", escape(&one_line(text)))));
    let pages = Pieces::of(report);
    let contents = pages.contents();
    let mut listed = (contents.len() >= CONTENTS).then(|| {
        let entry = |(level, text, anchor): &(u8, &str, &str)| {
            format!("{}- [{}](#{anchor})", "  ".repeat(usize::from(level - 2)), escape(text))
        };
        contents.iter().map(entry).collect::<Vec<_>>().join("\n")
    });
    for piece in &pages.pieces {
        // The first page is before the contents.
        if let Some(heading) = &piece.heading {
            parts.extend(listed.take());
            let heading = Block::Heading { level: heading.level, text: heading.text.clone() };
            parts.push(markdown::render(&heading, &mut |_| String::new()));
        }
        for run in &piece.runs {
            parts.extend(run.blocks.iter().map(|block| match block {
                Block::Table(table) => markdown::table(table, ROWS, usize::MAX, " not shown"),
                leaf => markdown::render(leaf, &mut |figure| pictures.link(figure)),
            }));
            parts.extend(run.source.map(|source| format!("*[Source {source}](#{})*", pages.anchor)));
        }
    }
    parts.extend(listed);
    if !pages.sources.is_empty() {
        parts.push(format!("## {SOURCES}"));
        let facts = report.origin.iter().flat_map(|origin| &origin.facts);
        parts.push(
            facts.map(|(name, fact)| format!("- {}: {}", escape(name), code_span(fact))).collect::<Vec<_>>().join("\n"),
        );
        let query = |(place, query): (usize, &String)| format!("{}. {}", place + 1, code_span(query));
        parts.push(pages.sources.iter().enumerate().map(query).collect::<Vec<_>>().join("\n"));
    }
    let mut parts: Vec<&str> = parts.iter().map(|part| part.trim_end()).collect();
    parts.retain(|part| !part.is_empty());
    parts.join("\n\n") + "\n"
}

/// The report as one page that needs nothing else.
pub(super) fn html(report: &Report) -> String {
    let pages = Pieces::of(report);
    let contents: Vec<_> = pages.contents().into_iter().filter(|(level, ..)| *level <= DEEP).collect();
    let nav = html! {
        @if contents.len() >= CONTENTS {
            nav aria-label="Contents" {
                p { "Contents" }
                ul { @for (level, text, anchor) in &contents {
                    li class=(format!("level-{level}")) { a href=(format!("#{anchor}")) dir="auto" { (text) } }
                } }
            }
        }
    };
    let has_cover = pages.pieces.first().is_some_and(|piece| piece.heading.is_none());
    let cover = has_cover.then(|| &pages.pieces[0]);
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
                main {
                    @if let Some(cover) = cover { div.cover { @for run in &cover.runs { (self::run(run, &pages)) } } }
                    (nav)
                    @for piece in pages.pieces.iter().filter(|piece| piece.heading.is_some()) {
                        @if let Some(heading) = &piece.heading { (html::heading(heading.level, &heading.text, Some(&heading.anchor))) }
                        @for run in &piece.runs { (self::run(run, &pages)) }
                    }
                    (sources(report, &pages))
                }
            }
        }
    }
    .into_string()
}

/// Blocks with their source: on hovering, and behind a link.
fn run(run: &Run, pages: &Pieces) -> Markup {
    let blocks = html! {
        @for block in &run.blocks {
            @match block {
                Block::Table(table) => (html::table(table, ROWS, usize::MAX, " not shown")),
                Block::Figure(figure) => (html::responsive(figure)),
                leaf => (html::fragment(leaf, ROWS)),
            }
        }
    };
    let Some(source) = run.source else { return blocks };
    let query = pages.sources.get(source - 1).map_or("", String::as_str);
    html! {
        div.from title=(format!("Source {source}: {query}")) {
            (blocks)
            p.source { a href=(format!("#source-{source}")) { "Source " (source) } }
        }
    }
}

fn sources(report: &Report, pages: &Pieces) -> Markup {
    html! {
        @if !pages.sources.is_empty() {
            (html::heading(2, SOURCES, Some(&pages.anchor)))
            @if let Some(origin) = &report.origin {
                dl.facts { @for (name, fact) in &origin.facts {
                    dt { (typeset(name)) } dd { code { (fact) } }
                } }
            }
            ol.sources { @for (place, query) in pages.sources.iter().enumerate() {
                li id=(format!("source-{}", place + 1)) { code { (query) } }
            } }
        }
    }
}
