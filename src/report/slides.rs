//! How does a deck become a Marp file or one HTML page that is its own presentation?

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::Report;
use super::assets::{Pictures, font_css};
use super::deck::{Slide, deck};
use crate::show::markdown::{self, escape};
use crate::show::{Block, Figure, html, one_line};

/// Rows and columns of a table that a slide shows.
pub(super) const ROWS: usize = 8;
pub(super) const COLUMNS: usize = 7;
pub(super) const REST: &str = " in the report";
/// Fewer letters than these stand above a picture; more stand beside it. A wide picture leaves room above itself,
/// a high one beside.
const ABOVE: usize = 130;
const ABOVE_WIDE: usize = 300;

const STYLE: &str = include_str!("slides.css");
/// What a deck needs whose texts have marks.
const MARKS: &str = "ol{margin:0 0 .6em;padding-inline-start:1.4em}a{color:var(--accent)}:not(pre)>code{background:var(--tint);padding:.05em .25em;border-radius:.2em}";
const SCRIPT: &str = include_str!("slides.js");

/// Front matter for Marp: its own font stack, and nothing that is wider or higher than a slide.
const FRONT: &str = "---\nmarp: true\npaginate: true\nstyle: |\n  \
    section { font-family: \"Open Sans\", \"Segoe UI\", Helvetica, Arial, sans-serif; font-size: 24px; padding: 48px 64px; justify-content: flex-start; }\n  \
    section.lead { justify-content: center; }\n  \
    h2 { color: #0072b2; font-size: 36px; }\n  \
    img { max-width: 100%; max-height: 540px; display: block; }\n  \
    section.words img { max-height: 340px; }\n  \
    table { font-size: 19px; }\n  \
    blockquote { border-left: 6px solid #e69f00; padding-left: 16px; font-size: 21px; }\n---";

/// The deck for Marp; the pictures are handed to `pictures`.
pub(super) fn markdown(report: &Report, pictures: &mut Pictures) -> String {
    let mut title = vec!["<!-- _class: lead -->".to_string(), format!("# {}", escape(&one_line(&report.title)))];
    title.extend(report.subtitle.as_ref().map(|text| escape(&one_line(text))));
    let mut pages = vec![format!("{FRONT}\n\n{}", title.join("\n\n"))];
    for slide in deck(report) {
        // Beside words a picture has less room.
        let class = (!slide.words.is_empty()).then(|| "<!-- _class: words -->".to_string());
        let mut pieces: Vec<String> = class.into_iter().collect();
        pieces.extend(slide.section.iter().map(|section| format!("###### {}", escape(section))));
        pieces.push(format!("## {}", escape(&slide.title)));
        pieces.extend(slide.words.iter().map(|words| markdown::render(words, &mut |_| String::new())));
        pieces.extend(slide.thing.iter().map(|thing| match thing {
            Block::Table(table) => markdown::table(table, ROWS, COLUMNS, REST),
            thing => markdown::render(thing, &mut |figure| pictures.link(figure)),
        }));
        pages.push(pieces.iter().map(|piece| piece.trim_end()).collect::<Vec<_>>().join("\n\n"));
    }
    pages.join("\n\n---\n\n") + "\n"
}

/// The deck as one page that needs nothing else.
pub(super) fn html(report: &Report) -> String {
    let slides = deck(report);
    let count = slides.len() + 1;
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (one_line(&report.title)) }
                style { (PreEscaped(font_css())) (PreEscaped(STYLE)) @if report.has_marks() { (PreEscaped(MARKS)) } }
            }
            body {
                main #deck aria-roledescription="carousel" aria-label=(one_line(&report.title)) {
                    section.slide.lead.now aria-label=(format!("Slide 1 of {count}")) {
                        div.inner {
                            h1 dir="auto" { (one_line(&report.title)) }
                            @if let Some(text) = &report.subtitle { p.subtitle dir="auto" { (one_line(text)) } }
                        }
                    }
                    @for (index, slide) in slides.iter().enumerate() {
                        section.slide aria-label=(format!("Slide {} of {count}", index + 2)) { (inner(slide)) }
                    }
                }
                nav.bar aria-label="Slides" {
                    button #back type="button" aria-label="Previous slide" { "←" }
                    output #place aria-live="polite" { "1 / " (count) }
                    button #next type="button" aria-label="Next slide" { "→" }
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
    .into_string()
}

/// How many letters have room above a picture.
pub(super) fn above(figure: &Figure) -> usize {
    if figure.aspect() > 1.7 { ABOVE_WIDE } else { ABOVE }
}

fn inner(slide: &Slide) -> Markup {
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
    html! {
        div class=(way) {
            h2 dir="auto" {
                @if let Some(section) = &slide.section { span.section { (section) } }
                (slide.title)
            }
            @if !slide.words.is_empty() {
                div.words { @for words in &slide.words { (html::fragment(words, ROWS)) } }
            }
            @match &slide.thing {
                Some(Block::Table(table)) => div.thing { (html::table(table, ROWS, COLUMNS, REST)) },
                Some(Block::Figure(figure)) => div.thing.picture { (html::picture(figure)) },
                Some(thing) => div.thing { (html::fragment(thing, ROWS)) },
                None => {},
            }
        }
    }
}
