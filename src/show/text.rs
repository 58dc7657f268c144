//! How does a block look in a terminal?
//!
//! At most 120 columns, if the terminal has no others. A long table shows its first 40 rows and says how many more
//! there are; a wide one keeps its first and last columns. A highlighted row is marked with `*`, because a terminal may
//! have no bold.

use tabled::builder::Builder;
use tabled::grid::util::string::get_line_width;
use tabled::settings::object::Columns;
use tabled::settings::{Alignment, Modify, Style};

use super::{Block, Grid, Prose, Table, Words, one_line, paragraphs};

/// The columns of a terminal of which nothing is known.
pub(super) const WIDTH: usize = 120;
/// Fewer columns hold no table.
const NARROWEST: usize = 40;
const ROWS: usize = 40;
/// A cell wider than these is folded, the first that makes the table fit: one long text must not push all else out.
/// Beside each, the longest word that makes its cell wider rather than being cut.
const CELLS: [(usize, usize); 5] = [(80, 80), (56, 56), (40, 40), (28, 40), (28, 28)];
/// Where there are fewer columns than usual, rather than leaving some out.
const NARROW: [(usize, usize); 2] = [(20, 20), (16, 16)];
/// The most lines of a folded cell.
const LINES: usize = 10;

pub(super) fn render(block: &Block, width: usize) -> String {
    let width = width.max(NARROWEST);
    let mut pieces = Vec::new();
    for leaf in block.leaves() {
        pieces.push(match leaf {
            Block::Heading { level, text } => heading(*level, text, width),
            Block::Text(text) => wrapped(text, "", "", width),
            Block::Prose(text) => prose(text, "", "", width).join("\n"),
            Block::Note(text) => wrapped(text, "Note: ", "      ", width),
            Block::List(points) => {
                points.iter().map(|point| fill(&one_line(point), "• ", "  ", width)).collect::<Vec<_>>().join("\n")
            }
            Block::Table(shown) => table(shown, width),
            Block::Figure(figure) => wrapped(&format!("[Figure: {}] {}", figure.title(), figure.alt()), "", "", width),
            Block::Answer(answer) => {
                wrapped(&format!("{} {}. {}", answer.question(), answer.number(), answer.sentence()), "", "", width)
            }
            Block::Source(query) => wrapped(&format!("Source: {query}"), "", "", width),
            Block::Code { text, .. } => text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n"),
            Block::Group(_) | Block::Spoken(_) => continue,
        });
    }
    pieces.retain(|piece| !piece.is_empty());
    if pieces.is_empty() { String::new() } else { pieces.join("\n\n") + "\n" }
}

fn heading(level: u8, text: &str, width: usize) -> String {
    let text = one_line(text);
    let rule = match level {
        0 | 1 => "=",
        2 => "-",
        _ => return text,
    };
    format!("{text}\n{}", rule.repeat(get_line_width(&text).min(width)))
}

fn wrapped(text: &str, first: &str, next: &str, width: usize) -> String {
    let paragraphs = paragraphs(text);
    let mut lead = first;
    let mut out = Vec::with_capacity(paragraphs.len());
    for paragraph in &paragraphs {
        out.push(fill(paragraph, lead, next, width));
        lead = next;
    }
    out.join("\n\n")
}

/// The lines of a paragraph or a list, with a lead before the first and another before the rest.
fn prose(text: &Prose, first: &str, next: &str, width: usize) -> Vec<String> {
    match text {
        Prose::Paragraph(text) => {
            let words = words(text);
            fill(&words, first, next, width).lines().map(String::from).collect()
        }
        Prose::List { first: number, points } => {
            let mut lines = Vec::new();
            for (place, point) in (0..).zip(points) {
                let mark =
                    number.map_or_else(|| "• ".to_string(), |number| format!("{}. ", number.saturating_add(place)));
                let below = format!("{next}{}", " ".repeat(get_line_width(&mark)));
                for (part, text) in point.iter().enumerate() {
                    let lead = if part == 0 { format!("{next}{mark}") } else { below.clone() };
                    lines.extend(prose(text, &lead, &below, width));
                }
            }
            lines
        }
    }
}

/// Words with the address of each link behind it.
fn words(text: &[Words]) -> String {
    let word = |part: &Words| match part {
        Words::Plain(text) | Words::Code(text) => text.clone(),
        Words::Emphasis(inner) | Words::Strong(inner) => words(inner),
        Words::Link { to, words: inner } => match words(inner) {
            shown if shown == *to => shown,
            shown => format!("{shown} ({to})"),
        },
    };
    text.iter().map(word).collect()
}

/// Words filled into lines, with a lead before the first and another before the rest.
fn fill(text: &str, first: &str, next: &str, most: usize) -> String {
    let mut out = first.to_string();
    let mut column = get_line_width(first);
    let mut fresh = true;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let width = get_line_width(word);
        if !fresh && column + 1 + width > most {
            out.push('\n');
            out.push_str(next);
            column = get_line_width(next);
            fresh = true;
        }
        if !fresh {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += width;
        fresh = false;
    }
    out
}

fn table(table: &Table, width: usize) -> String {
    let mut grid = table.grid(ROWS);
    let title = table.title().map(|title| format!("{}\n", one_line(title))).unwrap_or_default();
    if grid.header.is_empty() {
        return format!("{title}(no columns)");
    }
    if let Some(cell) = grid.bold.and_then(|row| grid.rows[row].first_mut()) {
        cell.insert_str(0, "* ");
    }
    // Long texts are folded no more than the width asks for.
    let narrow_cells = NARROW.into_iter().filter(|_| width < WIDTH);
    for (most, word) in CELLS.into_iter().chain(narrow_cells) {
        for cell in grid.header.iter_mut().chain(grid.rows.iter_mut().flatten()) {
            fold(cell, most, word);
        }
        if widths(&grid).iter().sum::<usize>() < width {
            break;
        }
    }
    narrow(&mut grid, width);
    let rest = grid.rest("").map(|rest| format!("\n{rest}")).unwrap_or_default();
    let rest = if grid.rows.is_empty() { "\n(no rows)".to_string() } else { rest };
    let mut builder = Builder::default();
    builder.push_record(grid.header);
    for row in grid.rows {
        builder.push_record(row);
    }
    let mut drawn = builder.build();
    drawn.with(Style::rounded());
    for (column, _) in grid.right.iter().enumerate().filter(|(_, right)| **right) {
        drawn.with(Modify::new(Columns::one(column)).with(Alignment::right()));
    }
    format!("{title}{drawn}{rest}")
}

/// A long text on several lines, cut where it would fill the screen.
fn fold(cell: &mut String, most: usize, word: usize) {
    let longest = cell.split_whitespace().map(get_line_width).max().unwrap_or(0);
    let most = if longest <= word { most.max(longest) } else { most };
    if cell.lines().any(|line| get_line_width(line) > most) {
        let folded = fill(&one_line(cell), "", "", most);
        let mut lines: Vec<String> = folded.lines().flat_map(|line| pieces(line, most)).take(LINES + 1).collect();
        if lines.len() > LINES {
            lines.truncate(LINES);
            if let Some(last) = lines.last_mut() {
                last.push('…');
            }
        }
        *cell = lines.join("\n");
    }
}

/// A line in pieces no wider than a cell: a single word can be longer.
fn pieces(line: &str, most: usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut width = 0;
    for letter in line.chars() {
        let own = get_line_width(letter.encode_utf8(&mut [0; 4]));
        if width + own > most && width > 0 {
            pieces.push(String::new());
            width = 0;
        }
        if let Some(piece) = pieces.last_mut() {
            piece.push(letter);
        }
        width += own;
    }
    pieces
}

/// The columns' widths, borders included.
fn widths(grid: &Grid) -> Vec<usize> {
    let lines = |cell: &str| cell.lines().map(get_line_width).max().unwrap_or(0);
    let widest = |column: usize| {
        let cells = grid.rows.iter().map(|row| lines(&row[column]));
        cells.chain([lines(&grid.header[column])]).max().unwrap_or(0)
    };
    (0..grid.header.len()).map(|column| widest(column) + 3).collect()
}

/// Drop middle columns until the table fits: the first say what a row is and what matters most, the last what came out.
/// Two of the first are kept for each of the last.
fn narrow(grid: &mut Grid, width: usize) {
    let widths = widths(grid);
    if widths.iter().sum::<usize>() < width {
        return;
    }
    let (mut first, mut last) = (0, widths.len());
    let mut room = width.saturating_sub(1 + 4);
    while first < last {
        let next = if first <= 2 * (widths.len() - last) + 1 { first } else { last - 1 };
        if widths[next] > room && first > 0 {
            break;
        }
        room = room.saturating_sub(widths[next]);
        if next == first { first += 1 } else { last -= 1 }
    }
    if first < last {
        grid.drop_columns(first, last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use polars::prelude::*;

    #[test]
    fn a_table_aligns_and_marks_the_best() {
        let frame = df!("model" => ["naive", "ets(season=52)"], "mase" => [1.25, 0.8]).unwrap();
        let text = Block::Table(Table::new(frame).titled("Leaderboard").highlight(1)).to_text();
        let expected = "Leaderboard\n\
            ╭──────────────────┬──────╮\n\
            │ model            │ mase │\n\
            ├──────────────────┼──────┤\n\
            │ naive            │ 1.25 │\n\
            │ * ets(season=52) │ 0.80 │\n\
            ╰──────────────────┴──────╯\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_long_and_wide_table_is_cut() {
        let columns: Vec<Column> = (0..60)
            .map(|index| Column::new(format!("column {index}").into(), (0..1274_i64).collect::<Vec<_>>()))
            .collect();
        let text = Block::Table(Table::new(DataFrame::new(1274, columns).unwrap())).to_text();
        assert!(text.lines().all(|line| get_line_width(line) <= WIDTH), "{text}");
        assert!(text.contains("… 1,234 more rows and 5") && text.contains("column 0") && text.contains("column 59"));
        assert!(text.contains(" … "));
    }

    #[test]
    fn a_table_takes_the_width_that_there_is() {
        let columns: Vec<Column> =
            (0..20).map(|index| Column::new(format!("column {index}").into(), [index])).collect();
        let block = Block::Table(Table::new(DataFrame::new(1, columns).unwrap()));
        for width in [40, 80, 200, 400] {
            let text = render(&block, width);
            let widest = text.lines().map(get_line_width).max().unwrap();
            assert!(widest <= width && widest + 15 > width.min(245), "{width}: {widest}\n{text}");
            assert_eq!(text.contains("more column"), width < 245, "{width}\n{text}");
        }
        assert_eq!(render(&block, 0), render(&block, 40));
    }

    #[test]
    fn a_table_says_how_many_rows_it_leaves_out() {
        let table = Table::new(df!("a" => [1, 2, 3, 4]).unwrap()).highlight(3);
        let cut = table.cut(1);
        assert_eq!((cut.rows(), cut.cut(1).rows()), (1, 1));
        assert!(Block::Table(cut.cut(1)).to_text().ends_with("… 3 more rows\n"));
        assert!(!Block::Table(table.cut(9)).to_text().contains("more row"));
        assert!(Block::Table(table.cut(0)).to_text().contains("(no rows)"));
    }

    #[test]
    fn odd_tables_do_not_break() {
        assert!(Block::Table(Table::new(DataFrame::empty())).to_text().contains("(no columns)"));
        let none = Table::new(df!("a" => Vec::<f64>::new()).unwrap()).highlight(3);
        assert!(Block::Table(none).to_text().contains("(no rows)"));
        let long = Table::new(df!("a" => ["日本語".repeat(200)], "b" => ["x\ny"]).unwrap());
        assert!(Block::Table(long).to_text().lines().all(|line| get_line_width(line) <= WIDTH));
    }

    #[test]
    fn text_is_filled_to_the_width() {
        let text = Block::Note("word ".repeat(60)).to_text();
        assert!(text.starts_with("Note: word") && text.contains("\n      word"));
        assert!(text.lines().all(|line| line.len() <= WIDTH));
    }
}
