//! How does a report become a Markdown file or one HTML page?

use maud::{Markup, PreEscaped, html};
use minijinja::{Value, context};

use super::assets::{Pictures, font_css, source_anchor};
use super::pieces::{Piece, Pieces, Run, SOURCES};
use super::{Report, template};
use crate::error::Result;
use crate::show::markdown::{self, code_span, escape};
use crate::show::wording::once;
use crate::show::words::typeset;
use crate::show::{Block, html, one_line};

/// Rows that a page shows of a table; the rest belongs into a file of its own.
pub(super) const ROWS: usize = 200;
/// Deeper headings are not among the contents of a page, and of a long one only the chapters.
const DEEP: u8 = 3;
const LONG: usize = 16;

const STYLE: &str = include_str!("page.css");
/// What a page needs whose texts have marks.
const MARKS: &str = "ol{max-width:42rem}:not(pre)>code{background:var(--tint);padding:.1em .3em;border-radius:.2rem}";

/// The report as Markdown; the pictures are handed to `pictures`.
pub(super) fn markdown(report: &Report, pictures: &mut Pictures) -> Result<String> {
    let pages = Pieces::of(report);
    let mut piece = |piece: &Piece| {
        let mut parts: Vec<String> = Vec::new();
        if let Some(heading) = &piece.heading {
            let heading = Block::Heading { level: heading.level, text: once(heading.text.clone()) };
            parts.push(markdown::render(&heading, &mut |_| String::new()));
        }
        for run in &piece.runs {
            parts.extend(run.blocks.iter().map(|block| match block {
                Block::Table(table) => markdown::table(table, ROWS, usize::MAX, " not shown"),
                leaf => markdown::render(leaf, &mut |figure| pictures.link(figure)),
            }));
            parts.extend(run.source.map(|source| format!("*[Source {source}](#{})*", pages.anchor)));
        }
        let mut parts: Vec<&str> = parts.iter().map(|part| part.trim_end()).collect();
        parts.retain(|part| !part.is_empty());
        parts.join("\n\n")
    };
    let (cover, rest) = pages.split();
    let cover = cover.map(&mut piece).unwrap_or_default();
    let section = |part: &Piece| {
        let heading = part.heading.as_ref();
        context! {
            title => heading.map(|heading| escape(&heading.text)),
            anchor => heading.map(|heading| heading.anchor.clone()),
            level => heading.map(|heading| heading.level),
            markdown => piece(part),
        }
    };
    let sections: Vec<Value> = rest.iter().map(section).collect();
    let contents: Vec<Value> = listed(&pages)
        .map(|(level, text, anchor)| context! { level => level, text => escape(text), anchor => anchor })
        .collect();
    let facts = |name: &str, value: &str| context! { name => escape(name), value => code_span(value) };
    let page = context! {
        title => escape(&typeset(&one_line(&report.title))),
        subtitle => report.subtitle.as_ref().map(|text| escape(&typeset(&one_line(text)))),
        language => report.look.language.clone(),
        cover => cover,
        contents => contents,
        sections => sections,
        sources => sources(report, &pages, facts, code_span),
    };
    let page = template::render(report.templates.as_deref(), "report.md", page)?;
    Ok(spaced(&page))
}

/// The report as one page that needs nothing else.
pub(super) fn html(report: &Report) -> Result<String> {
    let pages = Pieces::of(report);
    let (cover, rest) = pages.split();
    let section = |piece: &Piece| {
        let heading = piece.heading.as_ref();
        let shown = html! {
            @if let Some(heading) = heading { (html::heading(heading.level, &once(heading.text.clone()), Some(&heading.anchor))) }
            @for run in &piece.runs { (self::run(run, &pages)) }
        };
        context! {
            title => heading.map(|heading| heading.text.clone()),
            anchor => heading.map(|heading| heading.anchor.clone()),
            level => heading.map(|heading| heading.level),
            html => written(shown.into_string()),
        }
    };
    let contents: Vec<Value> = listed(&pages)
        .map(|(level, text, anchor)| context! { level => level, text => text, anchor => anchor })
        .collect();
    let cover = cover.map(|cover| html! { @for run in &cover.runs { (self::run(run, &pages)) } }.into_string());
    let facts = |name: &str, value: &str| context! { name => typeset(name), value => value };
    let page = context! {
        title => typeset(&one_line(&report.title)),
        subtitle => report.subtitle.as_deref().map(|text| typeset(&one_line(text))),
        language => report.look.language.clone(),
        style => written(style(report, STYLE, MARKS)),
        cover => cover.map(written),
        contents => contents,
        sections => rest.iter().map(section).collect::<Vec<_>>(),
        sources => sources(report, &pages, facts, str::to_string),
    };
    template::render(report.templates.as_deref(), "report.html", page)
}

/// What the contents list.
fn listed<'a>(pages: &'a Pieces) -> impl Iterator<Item = (u8, &'a str, &'a str)> {
    let contents = pages.contents();
    let all = contents.iter().filter(|(level, ..)| *level <= DEEP).count();
    let deep = if all > LONG { 2 } else { DEEP };
    contents.into_iter().filter(move |(level, ..)| *level <= deep)
}

/// The fonts and styles of a page.
pub(super) fn style(report: &Report, style: &str, marks: &str) -> String {
    format!("{}{style}{}", font_css(), if report.has_marks() { marks } else { "" })
}

/// What is escaped already.
pub(super) fn written(html: String) -> Value {
    Value::from_safe_string(html)
}

/// One empty line between two parts, whatever a template has between them.
pub(super) fn spaced(page: &str) -> String {
    let mut out = String::with_capacity(page.len());
    let mut fence = None;
    let mut is_empty = true;
    for line in page.lines() {
        let line = line.trim_end();
        // Inside a block of code, lines stay as they are.
        let mark = line.chars().take_while(|letter| *letter == '`').count();
        match fence {
            None if mark >= 3 => fence = Some(mark),
            Some(open) if mark >= open && line.len() == mark => fence = None,
            None if line.is_empty() && is_empty => continue,
            _ => {}
        }
        is_empty = line.is_empty();
        out.push_str(line);
        out.push('\n');
    }
    out.trim_end().to_string() + "\n"
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
            (PreEscaped(blocks.into_string()))
            p.source { a href=(format!("#{}", source_anchor(source))) { "Source " (source) } }
        }
    }
}

/// Where the numbers come from; nothing if no block says so.
fn sources(
    report: &Report,
    pages: &Pieces,
    fact: impl Fn(&str, &str) -> Value,
    query: impl Fn(&str) -> String,
) -> Option<Value> {
    let facts = report.origin.iter().flat_map(|origin| &origin.facts);
    (!pages.sources.is_empty()).then(|| {
        context! {
            title => SOURCES,
            anchor => pages.anchor.clone(),
            facts => facts.map(|(name, value)| fact(name, value)).collect::<Vec<_>>(),
            queries => pages.sources.iter().map(|text| query(text)).collect::<Vec<_>>(),
        }
    })
}
