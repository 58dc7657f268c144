//! How does a block look on a page and in a notebook?
//!
//! Semantic HTML, every word escaped by the template. A fragment carries class names only; [`standalone`] adds the
//! few styles it needs to look right in a notebook, light or dark. Figures are inline SVG on a white card.

use maud::{Markup, PreEscaped, html};

use super::words::typeset;
use super::{Answer, Block, Figure, Prose, Table, Words, one_line, paragraphs};

/// Styles of a fragment inside a page that is not ours: everything is scoped to `.tradewind`, and colours come from
/// the page, so that a dark theme stays readable. JupyterLab sets all cells to the right with a selector of two
/// classes: ours have as many, and come later.
const STYLE: &str = ".tradewind .scroll table{border-collapse:collapse;margin:.5em 0;font-variant-numeric:tabular-nums}\
.tradewind .scroll caption{caption-side:top;text-align:left;font-weight:600;padding:.25em 0;color:inherit;white-space:nowrap}\
.tradewind .scroll th,.tradewind .scroll td{padding:.25em .75em;border:0;border-bottom:1px solid rgba(128,128,128,.3);\
text-align:left;background:none;color:inherit;white-space:nowrap}\
.tradewind .scroll .n{text-align:right}.tradewind .scroll .best td,.tradewind .scroll .best th{font-weight:700}\
.tradewind .scroll{overflow-x:auto}.tradewind figure{margin:.75em 0}\
.tradewind .plot{background:#fff;display:inline-block;max-width:100%}\
.tradewind .note{border-left:3px solid #e69f00;padding:.1em 0 .1em .75em;margin:.75em 0}\
.tradewind .rest{opacity:.7;font-size:.9em}";

/// The width of a figure on a narrow screen, in CSS pixels, and how long a second layout may be, in bytes.
const NARROW: u32 = 358;
const HEAVY: usize = 300_000;

/// Rows that a fragment in a notebook shows.
const ROWS: usize = 60;

/// A fragment with its own styles.
pub(crate) fn standalone(block: &Block) -> Markup {
    html! { div.tradewind { style { (PreEscaped(STYLE)) } (fragment(block, ROWS)) } }
}

/// A fragment for a page that has styles for it; tables show at most `rows` rows.
pub(crate) fn fragment(block: &Block, rows: usize) -> Markup {
    match block {
        Block::Group(blocks) => html! { @for inner in blocks { (fragment(inner, rows)) } },
        Block::Heading { level, text } => heading(*level, text, None),
        Block::Text(text) => html! { @for paragraph in paragraphs(text) { p dir="auto" { (typeset(&paragraph)) } } },
        Block::Prose(text) => prose(text),
        Block::Note(text) => html! {
            aside.note role="note" { @for paragraph in paragraphs(text) { p dir="auto" { (typeset(&paragraph)) } } }
        },
        Block::List(points) => html! { ul { @for point in points { li dir="auto" { (typeset(&one_line(point))) } } } },
        Block::Table(shown) => table(shown, rows, usize::MAX, ""),
        Block::Figure(shown) => figure(shown),
        Block::Answer(shown) => answer(shown),
        Block::Spoken(_) => html! {},
        Block::Source(query) => html! { p.source { "Source: " code { (one_line(query)) } } },
        Block::Code { language, text } => html! {
            pre { code class=(format!("language-{}", language.replace(char::is_whitespace, "-"))) { (text) } }
        },
    }
}

/// A question of a first page: the number large, the sentence below it, the figure beside both.
fn answer(shown: &Answer) -> Markup {
    html! {
        section.answer {
            div.said {
                h2 dir="auto" { (typeset(shown.question())) }
                p.number dir="auto" { (typeset(shown.number())) }
                p dir="auto" { (typeset(&one_line(shown.sentence()))) }
            }
            @if let Some(shown) = shown.figure() { (figure(shown)) }
        }
    }
}

/// A paragraph or a list with its marks.
fn prose(text: &Prose) -> Markup {
    match text {
        Prose::Paragraph(text) => html! { p dir="auto" { (words(text)) } },
        Prose::List { first: None, points } => html! { ul { (items(points)) } },
        Prose::List { first: Some(first), points } => {
            html! { ol start=[(*first != 1).then_some(first)] { (items(points)) } }
        }
    }
}

fn items(points: &[Vec<Prose>]) -> Markup {
    html! {
        @for point in points {
            li dir="auto" {
                @for (place, part) in point.iter().enumerate() {
                    @match part {
                        Prose::Paragraph(text) if place == 0 => (words(text)),
                        part => (prose(part)),
                    }
                }
            }
        }
    }
}

fn words(text: &[Words]) -> Markup {
    html! {
        @for part in text {
            @match part {
                Words::Plain(text) => (typeset(text)),
                Words::Code(text) => code { (text) },
                Words::Emphasis(inner) => em { (words(inner)) },
                Words::Strong(inner) => strong { (words(inner)) },
                Words::Link { to, words: inner } => a href=(to) rel="noopener noreferrer" { (words(inner)) },
            }
        }
    }
}

/// A heading, with an anchor when `id` is given.
pub(crate) fn heading(level: u8, text: &str, id: Option<&str>) -> Markup {
    let text = typeset(&one_line(text));
    html! {
        @match level {
            0 | 1 => h1 id=[id] dir="auto" { (text) },
            2 => h2 id=[id] dir="auto" { (text) },
            3 => h3 id=[id] dir="auto" { (text) },
            4 => h4 id=[id] dir="auto" { (text) },
            5 => h5 id=[id] dir="auto" { (text) },
            _ => h6 id=[id] dir="auto" { (text) },
        }
    }
}

/// A table in a box that scrolls when it is too wide; `place` names where the omitted rows can be found.
pub(crate) fn table(table: &Table, rows: usize, columns: usize, place: &str) -> Markup {
    let mut grid = table.grid(rows);
    if grid.header.len() > columns {
        grid.drop_columns(columns / 2, grid.header.len() - (columns - 1 - columns / 2));
    }
    let side = |column: usize| grid.right[column].then_some("n");
    html! {
        div.scroll tabindex="0" role="group" aria-label=(table.title().map_or("Table".into(), |title| typeset(&one_line(title)))) {
            table {
                @if let Some(title) = table.title() { caption dir="auto" { (typeset(&one_line(title))) } }
                thead { tr { @for (column, name) in grid.header.iter().enumerate() {
                    th scope="col" class=[side(column)] dir="auto" { (name) }
                } } }
                tbody { @for (index, row) in grid.rows.iter().enumerate() {
                    tr class=[(grid.bold == Some(index)).then_some("best")] {
                        @for (column, cell) in row.iter().enumerate() {
                            td class=[side(column)] dir=[(!grid.right[column]).then_some("auto")] { (if grid.right[column] { typeset(cell) } else { cell.clone() }) }
                        }
                    }
                } }
            }
        }
        @if grid.rows.is_empty() { p.rest { "No rows." } }
        @if let Some(rest) = grid.rest(place) { p.rest { (rest) } }
    }
}

/// A figure with its words below, for those who cannot see it and those who want to be sure.
pub(crate) fn figure(figure: &Figure) -> Markup {
    html! { figure { (plot(figure)) } }
}

/// A figure on a page, laid out a second time for narrow screens, which show it by the page's styles.
pub(crate) fn responsive(figure: &Figure) -> Markup {
    let wide = figure.svg().unwrap_or_default();
    let narrow = figure.svg_within(NARROW).unwrap_or_default();
    // A picture of one layout, or a heavy one, is scrolled.
    if narrow.is_empty() || narrow.len() > HEAVY || narrow == wide {
        return self::figure(figure);
    }
    html! { figure { div.wide { (plot(figure)) } div.narrow { div.plot { (PreEscaped(narrow)) } } } }
}

/// A figure by itself, for the room that a slide has: so many times as wide as high.
pub(crate) fn picture(figure: &Figure, aspect: f64, titled: bool) -> Markup {
    html! { figure { (drawn(figure, figure.svg_filling(aspect, titled))) } }
}

/// Inline SVG, which carries its own title and alternative text.
fn plot(figure: &Figure) -> Markup {
    drawn(figure, figure.svg())
}

fn drawn(figure: &Figure, svg: crate::error::Result<String>) -> Markup {
    html! {
        @match svg {
            Ok(svg) => div.plot { (PreEscaped(svg)) },
            Err(error) => p.note { "The figure “" (figure.title()) "” could not be drawn: " (error) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use polars::prelude::*;

    #[test]
    fn everything_is_escaped() {
        let evil = "<script>alert('x')</script>\"&";
        let frame = df!(evil => [evil, "مبيعات"]).unwrap();
        let block = Block::Group(vec![
            Block::Heading { level: 2, text: evil.into() },
            Block::Text(evil.into()),
            Block::Note(evil.into()),
            Block::List(vec![evil.into()]),
            Block::Table(Table::new(frame).titled(evil)),
            Block::Code { language: "\"><script>".into(), text: evil.into() },
        ]);
        let page = block.to_html();
        assert!(!page.contains("<script"), "{page}");
        assert!(page.contains("مبيعات") && page.contains("scope=\"col\""));
    }

    #[test]
    fn a_table_says_what_it_left_out() {
        let frame = df!("x" => (0..70_i64).collect::<Vec<_>>()).unwrap();
        let page = Block::Table(Table::new(frame).highlight(0)).to_html();
        assert!(page.contains("… 10 more rows") && page.contains("class=\"best\"") && page.contains("class=\"n\""));
    }
}
