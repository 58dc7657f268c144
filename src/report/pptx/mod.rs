//! How does a report become slides that PowerPoint opens and colleagues edit? Words in the places of a layout, tables as
//! tables, and every figure that is as simple as that as a chart with its numbers; the others as pictures with their
//! alternative text.
//!
//! No crate writes such a file well (`pptx` 0.1.0 leaves control characters in its XML, repeats identifiers and stamps
//! the time of day; `ppt-rs` 0.2.37 puts one and the same workbook behind every chart), so that the parts are written
//! here: quick-xml escapes, zip packs, rust_xlsxwriter makes the workbooks of charts. The order of elements is that of
//! ECMA-376.
//!
//! | file | question |
//! |---|---|
//! | `presentation.rs` | what a presentation consists of, and how many words fit where |
//! | `write.rs` | how it becomes a file: slides, notes, properties |
//! | `layouts.rs` | where what stands on a slide: master and layouts |
//! | `shapes.rs` | how words, tables and pictures look |
//! | `chart.rs` | how a chart and its workbook are written |
//! | `package.rs` | how parts become one file |
//! | `xml.rs` | how an element becomes bytes |

mod chart;
mod layouts;
mod package;
mod presentation;
mod shapes;
mod write;
mod xml;

use super::Report;
use super::deck::{self, deck, has_topics};
use super::slides::FILLED;
use crate::error::{Error, Result};
use crate::files::mark;
use crate::show::words::typeset;
use crate::show::{Block, Categories, Figure, Prose, Table, Words, one_line, paragraphs};
use presentation::{Grid, Mark, Paragraph, Presentation, Run, Slide, Thing};

/// Rows and columns of a table that a slide shows.
const ROWS: usize = 12;
const COLUMNS: usize = 8;
const REST: &str = " in the report";
/// The language that reports are written in, and as office programs call it: they check the spelling of a country's words.
const ENGLISH: [&str; 2] = ["en", "en-US"];

/// The bytes of a report's slides; the same report gives the same bytes.
///
/// # Errors
/// A figure cannot be drawn.
pub(super) fn bytes(report: &Report) -> Result<Vec<u8>> {
    let presentation = Presentation {
        title: typeset(&one_line(&report.title)),
        subtitle: report.subtitle.as_deref().map(|text| typeset(&one_line(text))),
        language: if report.look.language == ENGLISH[0] { ENGLISH[1].into() } else { report.look.language.clone() },
        slides: deck(report).iter().map(|one| slide(report, one)).collect::<Result<_>>()?,
    };
    let bytes = write::bytes(&presentation);
    bytes.map(mark::archive).map_err(|cause| Error::data("the slides cannot be written as .pptx").because(cause))
}

fn slide(report: &Report, slide: &deck::Slide) -> Result<Slide> {
    let titled = has_topics(report, slide);
    Ok(Slide {
        section: slide.section.as_deref().map(typeset),
        title: typeset(&slide.title),
        words: slide.words.iter().flat_map(words).collect(),
        thing: slide.thing.as_ref().map(|block| thing(block, titled)).transpose()?.flatten(),
        source: slide.source.clone(),
        notes: (!slide.spoken.is_empty()).then(|| typeset(&slide.spoken.join("\n"))),
    })
}

/// A block of words as paragraphs.
fn words(block: &Block) -> Vec<Paragraph> {
    let plain = |mark: Mark, text: &str| Paragraph { mark, ..Paragraph::plain(typeset(text)) };
    match block {
        Block::Text(text) => paragraphs(text).iter().map(|text| plain(Mark::None, text)).collect(),
        Block::Note(text) => paragraphs(text).iter().map(|text| plain(Mark::Note, text)).collect(),
        Block::List(points) => points.iter().map(|point| plain(Mark::Point, &one_line(point))).collect(),
        Block::Prose(text) => {
            let mut paragraphs = Vec::new();
            prose(text, Mark::None, 0, &mut paragraphs);
            paragraphs
        }
        _ => Vec::new(),
    }
}

fn prose(text: &Prose, mark: Mark, level: usize, paragraphs: &mut Vec<Paragraph>) {
    match text {
        Prose::Paragraph(words) => {
            let mut runs = Vec::new();
            marked(words, &Run::default(), &mut runs);
            paragraphs.push(Paragraph { mark, level, runs });
        }
        Prose::List { first, points } => {
            // A list in a point is set in further than the point.
            let level = if mark == Mark::None && level == 0 { 0 } else { level + 1 };
            for point in points {
                let mut mark = first.map_or(Mark::Point, Mark::Number);
                for part in point {
                    match part {
                        Prose::Paragraph(_) => prose(part, mark, level, paragraphs),
                        Prose::List { .. } => prose(part, Mark::Point, level, paragraphs),
                    }
                    // What follows in a point has no mark of its own.
                    mark = Mark::None;
                }
            }
        }
    }
}

/// Words with their marks as runs that each look the same.
fn marked(words: &[Words], look: &Run, runs: &mut Vec<Run>) {
    for part in words {
        match part {
            Words::Plain(text) => runs.push(Run { text: typeset(text), ..look.clone() }),
            Words::Code(text) => runs.push(Run { text: text.clone(), code: true, ..look.clone() }),
            Words::Emphasis(inner) => marked(inner, &Run { italic: true, ..look.clone() }, runs),
            Words::Strong(inner) => marked(inner, &Run { bold: true, ..look.clone() }, runs),
            Words::Link { to, words } => marked(words, &Run { link: Some(to.clone()), ..look.clone() }, runs),
        }
    }
}

fn thing(block: &Block, titled: bool) -> Result<Option<Thing>> {
    Ok(match block {
        Block::Figure(figure) => Some(drawn(figure, titled)?),
        Block::Table(table) => Some(Thing::Table(grid(table))),
        Block::Code { text, .. } => Some(Thing::Code(text.clone())),
        _ => None,
    })
}

fn drawn(figure: &Figure, titled: bool) -> Result<Thing> {
    let title = if titled { typeset(&one_line(figure.title())) } else { String::new() };
    let (title, alt) = (title, typeset(&one_line(figure.alt())));
    Ok(match figure.chart() {
        Some(mut chart) => {
            let words = match &mut chart.categories {
                Categories::Words(words) => words.as_mut_slice(),
                Categories::Dates(_) | Categories::Steps(_) => &mut [],
            };
            let series = chart.series.iter_mut().chain(&mut chart.shares).map(|series| &mut series.name);
            for text in series.chain(words).chain([&mut chart.value_title, &mut chart.category_title]) {
                *text = typeset(text);
            }
            Thing::Chart { title, alt, chart }
        }
        None => Thing::Picture { title, alt, png: figure.png_filling(FILLED, titled)? },
    })
}

fn grid(table: &Table) -> Grid {
    let mut grid = table.grid(ROWS);
    let columns = grid.header.len();
    if columns > COLUMNS {
        grid.drop_columns(COLUMNS / 2, columns - (COLUMNS - 1 - COLUMNS / 2));
    }
    let rest = if grid.rows.is_empty() { Some("No rows.".into()) } else { grid.rest(REST) };
    let set = |row: Vec<String>| {
        let cells = row.into_iter().zip(&grid.right);
        cells.map(|(cell, right)| if *right { typeset(&cell) } else { cell }).collect()
    };
    Grid {
        title: table.title().map(|title| typeset(&one_line(title))),
        rows: grid.rows.into_iter().map(set).collect(),
        header: grid.header,
        right: grid.right,
        bold: grid.bold,
        rest,
    }
}

#[cfg(test)]
pub(super) mod tests;
