//! How does a deck become a Marp file or one HTML page that is its own presentation?

use maud::{Markup, html};
use minijinja::{Value, context};

use super::assets::Pictures;
use super::deck::{Slide, deck, has_topics};
use super::page::{spaced, style, written};
use super::{Report, template};
use crate::error::Result;
use crate::show::markdown::{self, escape};
use crate::show::words::typeset;
use crate::show::{Block, Figure, html, one_line};

/// Rows and columns of a table that a slide shows.
pub(super) const ROWS: usize = 8;
pub(super) const COLUMNS: usize = 7;
pub(super) const REST: &str = " in the report";
/// Fewer letters than these stand above a picture; more stand beside it. A wide picture leaves room above itself,
/// a high one beside.
const ABOVE: usize = 130;
const ABOVE_WIDE: usize = 300;

/// Width over height of the room for a picture: the whole slide below its title, and beside words.
pub(super) const FILLED: f64 = 2.15;
const BESIDE: f64 = 1.5;

const STYLE: &str = include_str!("slides.css");
/// What a deck needs whose texts have marks.
const MARKS: &str = "ol{margin:0 0 .6em;padding-inline-start:1.4em}a{color:var(--accent)}:not(pre)>code{background:var(--tint);padding:.05em .25em;border-radius:.2em}";
const SCRIPT: &str = include_str!("slides.js");

/// The deck for Marp; the pictures are handed to `pictures`.
pub(super) fn markdown(report: &Report, pictures: &mut Pictures) -> Result<String> {
    let mut slide = |slide: &Slide| {
        // Beside words a picture has less room.
        let class = (!slide.words.is_empty()).then(|| "<!-- _class: words -->".to_string());
        let mut pieces: Vec<String> = class.into_iter().collect();
        let said = |text: &str| escape(&typeset(text));
        pieces.extend(slide.section.iter().map(|section| format!("###### {}", said(section))));
        pieces.push(format!("## {}", said(&slide.title)));
        pieces.extend(slide.words.iter().map(|words| markdown::render(words, &mut |_| String::new())));
        pieces.extend(slide.thing.iter().map(|thing| match thing {
            Block::Table(table) => markdown::table(table, ROWS, COLUMNS, REST),
            thing => markdown::render(thing, &mut |figure| pictures.link(figure)),
        }));
        pieces.extend(slide.source.iter().map(|source| format!("<small>{}</small>", escape(source))));
        // What a speaker says is a comment, which has an end of its own.
        let spoken = slide.spoken.iter().map(|spoken| typeset(spoken).replace("--", "– –"));
        pieces.extend(spoken.map(|spoken| format!("<!-- {spoken} -->")));
        let markdown = pieces.iter().map(|piece| piece.trim_end()).collect::<Vec<_>>().join("\n\n");
        context! {
            title => said(&slide.title),
            section => slide.section.as_deref().map(said),
            is_backup => slide.is_backup,
            markdown => markdown,
        }
    };
    let slides: Vec<Value> = deck(report).iter().map(&mut slide).collect();
    let page = context! {
        title => escape(&typeset(&one_line(&report.title))),
        subtitle => report.subtitle.as_ref().map(|text| escape(&typeset(&one_line(text)))),
        language => report.look.language.clone(),
        slides => slides,
    };
    Ok(spaced(&template::render(report.templates.as_deref(), "slides.md", page)?))
}

/// The deck as one page that needs nothing else.
pub(super) fn html(report: &Report) -> Result<String> {
    let slides = deck(report);
    let slide = |slide: &Slide| {
        context! {
            title => typeset(&slide.title),
            section => slide.section.as_deref().map(typeset),
            is_backup => slide.is_backup,
            html => written(inner(report, slide).into_string()),
        }
    };
    let page = context! {
        title => typeset(&one_line(&report.title)),
        subtitle => report.subtitle.as_deref().map(|text| typeset(&one_line(text))),
        language => report.look.language.clone(),
        style => written(style(report, STYLE, MARKS)),
        script => written(SCRIPT.to_string()),
        is_spoken => slides.iter().any(|slide| !slide.spoken.is_empty()),
        slides => slides.iter().map(slide).collect::<Vec<_>>(),
    };
    template::render(report.templates.as_deref(), "slides.html", page)
}

/// How many letters have room above a picture.
pub(super) fn above(figure: &Figure) -> usize {
    if figure.aspect() > 1.7 { ABOVE_WIDE } else { ABOVE }
}

fn inner(report: &Report, slide: &Slide) -> Markup {
    let titled = has_topics(report, slide);
    let above = match &slide.thing {
        Some(Block::Figure(figure)) => above(figure),
        _ => usize::MAX,
    };
    let way = match (&slide.thing, slide.words.is_empty()) {
        (None, true) => "inner section",
        (None, false) => "inner words-only",
        (Some(_), true) => "inner thing-only",
        (Some(_), false) if slide.weight() > above => "inner beside",
        (Some(_), false) => "inner above",
    };
    let aspect = if way == "inner beside" { BESIDE } else { FILLED };
    html! {
        div class=(way) {
            h2 dir="auto" {
                @if let Some(section) = &slide.section { span.section { (typeset(section)) } }
                (typeset(&slide.title))
            }
            @if !slide.words.is_empty() {
                div.words { @for words in &slide.words { (html::fragment(words, ROWS)) } }
            }
            @match &slide.thing {
                Some(Block::Table(table)) => div.thing { (html::table(table, ROWS, COLUMNS, REST)) },
                Some(Block::Figure(figure)) => div.thing.picture { (html::picture(figure, aspect, titled)) },
                Some(thing) => div.thing { (html::fragment(thing, ROWS)) },
                None => {},
            }
            @if let Some(source) = &slide.source { p.source { (source) } }
        }
        @if !slide.spoken.is_empty() {
            aside.spoken hidden aria-label="Notes" { @for spoken in &slide.spoken { p { (typeset(spoken)) } } }
        }
    }
}
