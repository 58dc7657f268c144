//! How does a block look in Markdown?
//!
//! Pipe tables, one blank line between blocks, and every character that Markdown or HTML would read as markup
//! escaped: a series key may hold `|`, `<script>` or a line break.

use super::words::typeset;
use super::{Answer, Block, Figure, Grid, Prose, Table, Words, one_line, paragraphs};

/// The block, each figure laid out by `figure`, which returns a line of Markdown.
pub(crate) fn render(block: &Block, figure: &mut dyn FnMut(&Figure) -> String) -> String {
    let mut pieces = Vec::new();
    for leaf in block.leaves() {
        pieces.push(match leaf {
            Block::Heading { level, text } => {
                format!("{} {}", "#".repeat(usize::from(*level).clamp(1, 6)), escape(&typeset(&one_line(text))))
            }
            Block::Text(text) => escaped(text).join("\n\n"),
            Block::Prose(text) => prose(text),
            Block::Note(text) => format!("> **Note:** {}", escaped(text).join("\n>\n> ")),
            Block::List(points) => points
                .iter()
                .map(|point| format!("- {}", escape_line(&typeset(&one_line(point)))))
                .collect::<Vec<_>>()
                .join("\n"),
            Block::Table(shown) => table(shown, usize::MAX, usize::MAX, ""),
            Block::Figure(shown) => figure(shown),
            Block::Answer(answer) => self::answer(answer, figure),
            Block::Source(query) => format!("*Source:* {}", code_span(&one_line(query))),
            Block::Code { language, text } => code(language, text),
            Block::Group(_) | Block::Spoken(_) => continue,
        });
    }
    pieces.retain(|piece| !piece.is_empty());
    if pieces.is_empty() { String::new() } else { pieces.join("\n\n") + "\n" }
}

/// The question as a heading, its number in bold, the sentence, the figure.
fn answer(answer: &Answer, figure: &mut dyn FnMut(&Figure) -> String) -> String {
    let said = |text: &str| escape(&typeset(&one_line(text)));
    let mut pieces = vec![
        format!("### {}", said(answer.question())),
        format!("**{}** · {}", said(answer.number()), said(answer.sentence())),
    ];
    pieces.extend(answer.figure().map(figure));
    pieces.join("\n\n")
}

/// A figure in words, for places without pictures.
pub(crate) fn figure_in_words(figure: &Figure) -> String {
    format!("*Figure: {}.* {}", escape(&one_line(figure.title())), escape(&one_line(figure.alt())))
}

/// A pipe table of at most `rows` rows and `columns` columns; `place` names where the rest can be found.
pub(crate) fn table(table: &Table, rows: usize, columns: usize, place: &str) -> String {
    let mut grid = table.grid(rows);
    if grid.header.len() > columns {
        grid.drop_columns(columns / 2, grid.header.len() - (columns - 1 - columns / 2));
    }
    let mut out =
        table.title().map(|title| format!("**{}**\n\n", escape(&typeset(&one_line(title))))).unwrap_or_default();
    if grid.header.is_empty() {
        return out + "*no columns*";
    }
    out.push_str(&pipes(&grid));
    if grid.rows.is_empty() {
        out.push_str("\n\n*no rows*");
    }
    if let Some(rest) = grid.rest(place) {
        out.push_str(&format!("\n\n*{rest}*"));
    }
    out
}

fn pipes(grid: &Grid) -> String {
    let line = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    let rule = grid.right.iter().map(|right| if *right { "---:" } else { ":---" }.to_string()).collect();
    let mut lines = vec![line(grid.header.iter().map(|name| escape(name)).collect()), line(rule)];
    for (index, row) in grid.rows.iter().enumerate() {
        let cells = row.iter().zip(&grid.right).map(|(cell, right)| {
            let cell = if *right { escape(&typeset(cell)) } else { escape(cell) };
            if grid.bold == Some(index) && !cell.is_empty() { format!("**{cell}**") } else { cell }
        });
        lines.push(line(cells.collect()));
    }
    lines.join("\n")
}

fn escaped(text: &str) -> Vec<String> {
    paragraphs(text).iter().map(|paragraph| escape_line(&typeset(paragraph))).collect()
}

/// A paragraph or a list with its marks, written again so that only they are marks.
fn prose(text: &Prose) -> String {
    match text {
        Prose::Paragraph(text) => {
            let first = match text.first() {
                Some(Words::Plain(first)) => escape_line(&typeset(first)),
                first => first.map(words).unwrap_or_default(),
            };
            text.iter().skip(1).map(words).fold(first, |line, part| line + part.as_str())
        }
        Prose::List { first, points } => {
            let point = |(place, point): (u64, &Vec<Prose>)| {
                let mark = first.map_or_else(|| "- ".to_string(), |first| format!("{}. ", first.saturating_add(place)));
                let inside = format!("\n{}", " ".repeat(mark.len()));
                // A list below words belongs to them without an empty line between, a paragraph does not.
                let parts = point.iter().enumerate().map(|(place, part)| match part {
                    _ if place == 0 => prose(part),
                    Prose::List { .. } => format!("\n{}", prose(part)),
                    Prose::Paragraph(_) => format!("\n\n{}", prose(part)),
                });
                format!(
                    "{mark}{}",
                    parts.collect::<String>().replace('\n', &inside).replace(&format!("{inside}\n"), "\n\n")
                )
            };
            (0..).zip(points).map(point).collect::<Vec<_>>().join("\n")
        }
    }
}

fn words(part: &Words) -> String {
    let all = |inner: &[Words]| inner.iter().map(words).collect::<String>();
    match part {
        Words::Plain(text) => escape(&typeset(text)),
        Words::Code(text) => code_span(text),
        Words::Emphasis(inner) => format!("*{}*", all(inner)),
        Words::Strong(inner) => format!("**{}**", all(inner)),
        Words::Link { to, words: inner } => {
            format!("[{}]({})", all(inner), to.replace('&', "&amp;"))
        }
    }
}

/// Code inside a line.
pub(crate) fn code_span(text: &str) -> String {
    let longest = text.split(|letter| letter != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let blank = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{blank}{text}{blank}{fence}")
}

fn code(language: &str, text: &str) -> String {
    let longest = text.split(|letter| letter != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat((longest + 1).max(3));
    let language: String = language.chars().filter(|letter| letter.is_ascii_alphanumeric()).collect();
    format!("{fence}{language}\n{}\n{fence}", text.trim_end_matches('\n'))
}

/// Words that begin a line: marks that count only there (`#`, `+`, `-`, `=`, `1.`) are escaped as well.
fn escape_line(text: &str) -> String {
    let escaped = escape(text);
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if escaped.starts_with(['#', '+', '-', '=']) {
        return format!("\\{escaped}");
    }
    match text[digits..].strip_prefix(['.', ')']) {
        Some(rest) if digits > 0 && (rest.is_empty() || rest.starts_with(' ')) => {
            format!("{}\\{}", &escaped[..digits], &escaped[digits..])
        }
        _ => escaped,
    }
}

/// Words inside a line, with every character that Markdown or HTML would read as markup escaped.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let inside_a_word = |at: usize| {
        let before = text[..at].chars().next_back().is_some_and(char::is_alphanumeric);
        before && text[at + 1..].chars().next().is_some_and(char::is_alphanumeric)
    };
    for (at, letter) in text.char_indices() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // `season_length` is a word: an underscore inside it is no markup.
            '_' if inside_a_word(at) => out.push('_'),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' => {
                out.push('\\');
                out.push(letter);
            }
            letter if letter.is_control() => out.push(' '),
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use polars::prelude::*;

    #[test]
    fn specials_are_escaped() {
        let cases = [
            ("a|b", "a\\|b"),
            ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
            ("*x* _y_ `z`", "\\*x\\* \\_y\\_ \\`z\\`"),
            ("season_length", "season_length"),
            ("ets(season=52)", "ets(season=52)"),
            ("[a](b)", "\\[a\\](b)"),
            ("Üb🙂er مبيعات", "Üb🙂er مبيعات"),
        ];
        for (text, expected) in cases {
            assert_eq!(escape(text), expected);
        }
        let lines = [
            ("# no heading", "\\# no heading"),
            ("2012. A year", "2012\\. A year"),
            ("1.5 is a number", "1.5 is a number"),
            ("- no list", "\\- no list"),
        ];
        for (text, expected) in lines {
            assert_eq!(escape_line(text), expected);
            assert_eq!(escape(text), text);
        }
    }

    #[test]
    fn a_table_keeps_its_columns() {
        let frame = df!("key|name" => ["a|b\nc", "<i>"], "x" => [1.5, f64::NAN]).unwrap();
        let text = Block::Table(Table::new(frame).titled("T").highlight(0)).to_markdown();
        let expected = "**T**\n\n| key\\|name | x |\n| :--- | ---: |\n| **a\\|b c** | **1.5** |\n| &lt;i&gt; | – |\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn code_outgrows_its_fences() {
        let block = Block::Code { language: "sh".into(), text: "echo ```\n".into() };
        assert_eq!(block.to_markdown(), "````sh\necho ```\n````\n");
    }

    #[test]
    fn wide_tables_are_narrowed() {
        let columns: Vec<Column> = (0..9).map(|index| Column::new(format!("c{index}").into(), [index])).collect();
        let wide = Table::new(DataFrame::new(1, columns).unwrap());
        let line = table(&wide, 9, 5, "").lines().next().map(str::to_string);
        assert_eq!(line.as_deref(), Some("| c0 | c1 | … | c7 | c8 |"));
    }
}
