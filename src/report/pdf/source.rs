//! Which data do a report and its deck hand to their template?
//!
//! All of them are in `report.json`, which the template reads; pictures lie beside it. A text is a string, or the pieces of one
//! that has a very long word: a line may end after each.

use std::collections::{BTreeSet, HashSet};

use serde_json::{Value, json};

use super::columns::{Columns, PAGE, SLIDE, Sizes, cell};
use crate::error::Result;
use crate::figures::draws;
use crate::report::Report;
use crate::report::deck::{Slide, deck, has_topics};
use crate::report::pieces::{Pieces, SOURCES};
use crate::report::{page, slides};
use crate::show::words::typeset;
use crate::show::{Block, Figure, Prose, Table, Words, one_line, paragraphs};

const BLOCKS: &str = include_str!("blocks.typ");
const TEMPLATE: &str = include_str!("template.typ");
const SLIDES: &str = include_str!("slides.typ");

/// The names of files, as messages show them.
const DATA: &str = "report.json";
const HOUSE: &str = "blocks.typ";

/// Around a page, in points: 20 mm.
const MARGIN: f64 = 56.7;
/// The highest figure, as a part of its page: two have room on one.
const HIGHEST: f64 = 0.4;
/// The width of a figure's layout on paper, in CSS pixels: its letters become nearly as large as those of tables.
const PRINT: u32 = 720;
/// Points for each CSS pixel of a figure, at most.
const SCALE: f64 = 0.75;
/// A slide, in points: 13⅓ by 7½ inches.
const SLIDE_SIZE: (f64, f64) = (960.0, 540.0);
const SLIDE_MARGIN: f64 = 56.0;
/// Sections from which a report has a table of contents.
const CONTENTS: usize = 6;
/// Letters of a word from which a line may end inside it, and of the pieces.
const LONG: usize = 30;
const PIECE: usize = 8;
/// Letters of the title at the foot of pages.
const FOOT: usize = 90;
/// Letters of a note, lines of code or of the table of contents, above which they may go over to the next page.
const NOTE: usize = 1_200;
const LINES: usize = 24;
/// Rows of a table that stay on one page.
const ROWS: usize = 8;
/// What typst takes as the address of a link.
const ADDRESS: usize = 8_000;

/// A document and everything that it reads.
pub(super) struct Source {
    pub main: String,
    pub files: Vec<(String, Vec<u8>)>,
}

/// A report for `template.typ`, or for the user's own: its name and what it says.
pub(super) fn page(report: &Report, own: Option<(String, String)>) -> Result<Source> {
    let (width, height) = report.look.paper.size();
    let mut writer = Writer::new(report, (width, height), MARGIN, &PAGE);
    writer.highest = height * HIGHEST;
    writer.print = true;
    let mut blocks: Vec<Value> = Vec::new();
    let pages = Pieces::of(report);
    let levels = levels(&pages.contents().iter().map(|(level, ..)| *level).collect::<Vec<_>>());
    let sections = levels.iter().filter(|level| **level == 1).count();
    let has_cover = pages.split().0.is_some_and(|cover| !cover.runs.is_empty());
    // What the report says first stands on its first page.
    let contents = if has_cover { 1 } else { 2 };
    let (mut heading, mut section) = (0, 0);
    let mut head = |blocks: &mut Vec<Value>, text: &str, anchor: &str| {
        let level = levels[heading];
        heading += 1;
        section += usize::from(level == 1);
        if level == 1 && section == contents && sections >= CONTENTS {
            if has_cover {
                blocks.push(json!({ "kind": "break" }));
            }
            blocks.push(json!({ "kind": "contents", "long": sections > LINES }));
        }
        blocks.push(json!({ "kind": "heading", "level": level, "text": long(text), "anchor": anchor }));
    };
    for piece in &pages.pieces {
        if let Some(heading) = &piece.heading {
            head(&mut blocks, &heading.text, &heading.anchor);
        }
        for run in &piece.runs {
            for block in &run.blocks {
                blocks.extend(writer.blocks(block)?);
            }
            blocks.extend(run.source.map(|source| json!({ "kind": "source", "number": source })));
        }
    }
    if !pages.sources.is_empty() {
        head(&mut blocks, SOURCES, &pages.anchor);
        let facts = report.origin.iter().flat_map(|origin| &origin.facts);
        let facts: Vec<Value> = facts.map(|(name, fact)| json!([clean(name), long(fact)])).collect();
        let queries: Vec<Value> = pages.sources.iter().map(|query| clean(query).into()).collect();
        blocks.push(json!({ "kind": "sources", "facts": facts, "queries": queries }));
    }
    let data = writer.data(report, [("blocks", blocks)]);
    let (main, template) = own.unwrap_or_else(|| ("template.typ".into(), TEMPLATE.into()));
    Ok(writer.source(main, &template, &data))
}

/// A deck for `slides.typ`.
pub(super) fn slides(report: &Report) -> Result<Source> {
    let mut writer = Writer::new(report, SLIDE_SIZE, SLIDE_MARGIN, &SLIDE);
    writer.anchors.clear();
    let mut pages = Vec::new();
    let mut section: Option<String> = None;
    let mut before: Option<(Option<String>, String)> = None;
    for slide in deck(report) {
        // A section whose own slide is not there has no bookmark to stand under.
        let level = if slide.section.is_some() && slide.section == section { 2 } else { 1 };
        if level == 1 {
            section = Some(slide.title.clone());
        }
        let name = (slide.section.clone(), slide.title.clone());
        let mut page = writer.slide(report, &slide)?;
        page["level"] = level.into();
        page["first"] = (before.as_ref() != Some(&name)).into();
        before = Some(name);
        pages.push(page);
    }
    let data = writer.data(report, [("slides", pages)]);
    Ok(writer.source("slides.typ".into(), SLIDES, &data))
}

/// The levels of all headings: the first is 1, and none skips one, as PDF/UA demands.
fn levels(headings: &[u8]) -> Vec<u8> {
    let mut before = 0;
    let mut next = |level: &u8| {
        before = level.clamp(&2, &6).saturating_sub(1).min(before + 1);
        before
    };
    headings.iter().map(&mut next).collect()
}

struct Writer<'a> {
    size: (f64, f64),
    margin: f64,
    /// The highest figure, in points.
    highest: f64,
    sizes: &'a Sizes,
    /// Is it for paper, on which figures are laid out narrower, with larger letters?
    print: bool,
    /// The places that links may lead to.
    anchors: HashSet<String>,
    pictures: Vec<(String, Vec<u8>)>,
}

impl<'a> Writer<'a> {
    fn new(report: &Report, size: (f64, f64), margin: f64, sizes: &'a Sizes) -> Self {
        let anchors = Pieces::of(report).contents().iter().map(|(.., anchor)| anchor.to_string()).collect();
        Self { size, margin, highest: size.1, sizes, print: false, anchors, pictures: Vec::new() }
    }

    fn room(&self) -> f64 {
        self.size.0 - 2.0 * self.margin
    }

    fn data<const N: usize>(&self, report: &Report, parts: [(&str, Vec<Value>); N]) -> Value {
        let title = typeset(&one_line(&report.title));
        // A document without a title has none to read out.
        let title = if title.is_empty() { "Report".to_string() } else { title };
        let mut data = json!({
            "title": clean(&title),
            "heading": long(&title),
            "short": clean(&cut(&title, FOOT)),
            "subtitle": report.subtitle.as_ref().map(|text| clean(&typeset(&one_line(text)))).filter(|text| !text.is_empty()),
            "lang": report.look.language,
            "date": { "year": 1980, "month": 1, "day": 1 },
            "page": { "width": self.size.0, "height": self.size.1, "margin": self.margin },
        });
        for (name, part) in parts {
            data[name] = part.into();
        }
        // With fonts of the user's own typst finds the letters itself.
        data["missing"] = if report.look.fonts.is_empty() { missing(&data.to_string()).into() } else { Value::Null };
        data
    }

    fn source(self, main: String, template: &str, data: &Value) -> Source {
        let mut files = self.pictures;
        files.push((DATA.into(), data.to_string().into_bytes()));
        files.push((HOUSE.into(), BLOCKS.as_bytes().to_vec()));
        files.push((main.clone(), template.as_bytes().to_vec()));
        Source { main, files }
    }

    fn slide(&mut self, report: &Report, slide: &Slide) -> Result<Value> {
        let mut words = Vec::new();
        for block in &slide.words {
            words.extend(self.blocks(block)?);
        }
        let thing = match &slide.thing {
            Some(Block::Table(table)) => Some(self.table(table, slides::ROWS, slides::COLUMNS, slides::REST)),
            Some(Block::Figure(figure)) => {
                let svg = figure.svg_filling(slides::FILLED, has_topics(report, slide))?;
                Some(self.picture(figure, &svg))
            }
            Some(thing) => self.blocks(thing)?.into_iter().next(),
            None => None,
        };
        let beside = matches!(&slide.thing, Some(Block::Figure(figure)) if slide.weight() > slides::above(figure));
        Ok(json!({
            "title": long(&typeset(&one_line(&slide.title))),
            "section": slide.section.as_ref().map(|section| long(&typeset(&one_line(section)))),
            "source": slide.source.as_ref().map(|source| long(source)),
            "words": words,
            "thing": thing,
            "beside": beside,
        }))
    }

    fn blocks(&mut self, block: &Block) -> Result<Vec<Value>> {
        Ok(match block {
            Block::Group(_) | Block::Heading { .. } | Block::Source(_) | Block::Spoken(_) => Vec::new(),
            Block::Answer(answer) => {
                let figure = match answer.figure() {
                    Some(figure) => Some(self.picture(figure, &figure.svg()?)),
                    None => None,
                };
                vec![json!({
                    "kind": "answer",
                    "question": long(&typeset(&one_line(answer.question()))),
                    "number": long(&typeset(&one_line(answer.number()))),
                    "text": long(&typeset(&one_line(answer.sentence()))),
                    "figure": figure,
                })]
            }
            Block::Text(text) => {
                paragraphs(text).iter().map(|text| json!({ "kind": "text", "text": long(&typeset(text)) })).collect()
            }
            Block::Prose(text) => vec![self.prose(text)],
            Block::Note(text) => {
                let paragraphs = paragraphs(text);
                let letters: usize = paragraphs.iter().map(String::len).sum();
                let paragraphs: Vec<Value> = paragraphs.iter().map(|text| long(&typeset(text))).collect();
                vec![json!({ "kind": "note", "paragraphs": paragraphs, "long": letters > NOTE })]
            }
            Block::List(points) => {
                let points: Vec<Value> = points.iter().map(|point| long(&typeset(&one_line(point)))).collect();
                if points.is_empty() { Vec::new() } else { vec![json!({ "kind": "list", "points": points })] }
            }
            Block::Table(table) => vec![self.table(table, page::ROWS, usize::MAX, " not shown")],
            Block::Figure(figure) => vec![self.figure(figure)?],
            Block::Code { text, .. } => {
                let lines = text.lines().count();
                let text: String =
                    text.trim_end().chars().filter(|letter| *letter == '\n' || is_said(*letter)).map(drawn).collect();
                vec![json!({ "kind": "code", "text": text, "long": lines > LINES })]
            }
        })
    }

    fn prose(&self, prose: &Prose) -> Value {
        match prose {
            Prose::Paragraph(words) => json!({ "kind": "paragraph", "words": self.words(words) }),
            Prose::List { first, points } => {
                let points: Vec<Vec<Value>> =
                    points.iter().map(|point| point.iter().map(|part| self.prose(part)).collect()).collect();
                json!({ "kind": "points", "first": first, "points": points })
            }
        }
    }

    fn words(&self, words: &[Words]) -> Vec<Value> {
        let word = |part: &Words| match part {
            Words::Plain(text) => long(&typeset(text)),
            Words::Code(text) => json!({ "code": clean(text) }),
            Words::Emphasis(inner) => json!({ "emphasis": self.words(inner) }),
            Words::Strong(inner) => json!({ "strong": self.words(inner) }),
            Words::Link { to, words } => {
                let words = self.words(words);
                match to.strip_prefix('#') {
                    Some(anchor) if self.anchors.contains(anchor) => json!({ "anchor": anchor, "words": words }),
                    None if (1..=ADDRESS).contains(&to.len()) => json!({ "to": to, "words": words }),
                    // It leads nowhere in this file.
                    _ => json!({ "anchor": null, "words": words }),
                }
            }
        };
        words.iter().map(word).collect()
    }

    fn table(&self, table: &Table, rows: usize, most: usize, place: &str) -> Value {
        let mut grid = table.grid(rows);
        if grid.header.len() > most {
            grid.drop_columns(most / 2, grid.header.len() - (most - 1 - most / 2));
        }
        for row in &mut grid.rows {
            for (text, right) in row.iter_mut().zip(&grid.right) {
                if *right {
                    *text = typeset(text);
                }
            }
        }
        let columns = Columns::of(&mut grid, self.room(), self.sizes);
        let cells = |row: &[String], bold: bool| -> Vec<Value> {
            row.iter().enumerate().map(|(at, text)| cell(&clean(text), columns.inside(at), bold)).collect()
        };
        let body: Vec<Vec<Value>> =
            grid.rows.iter().enumerate().map(|(row, texts)| cells(texts, grid.bold == Some(row))).collect();
        let rest = if grid.rows.is_empty() { Some("No rows.".to_string()) } else { grid.rest(place) };
        json!({
            "kind": "table",
            "title": table.title().map(|title| long(&typeset(&one_line(title)))),
            "size": columns.size,
            "gap": columns.gap,
            "widths": columns.widths,
            "right": grid.right,
            "header": cells(&grid.header, true),
            "rows": body,
            "bold": grid.bold,
            "rest": rest,
            "long": grid.rows.len() > ROWS,
        })
    }

    fn figure(&mut self, figure: &Figure) -> Result<Value> {
        let svg = if self.print { figure.svg_within(PRINT)? } else { figure.svg()? };
        Ok(self.picture(figure, &svg))
    }

    fn picture(&mut self, figure: &Figure, svg: &str) -> Value {
        let name = format!("figures/{:02}.svg", self.pictures.len() + 1);
        let width = f64::from(figure.width());
        let (width, height) = size_of(svg).unwrap_or((width, width / figure.aspect()));
        self.pictures.push((name.clone(), svg.chars().map(drawn).collect::<String>().into_bytes()));
        let title = figure.title().trim_end_matches('.');
        let stop = if title.ends_with('?') { "" } else { "." };
        let alt = clean(&typeset(&one_line(&format!("{title}{stop} {}", figure.alt()))));
        let scale = (self.highest / height).min(self.room() / width).min(SCALE);
        json!({ "kind": "figure", "file": name, "alt": alt, "width": scale * width, "height": scale * height })
    }
}

/// Width and height of an SVG element in CSS pixels, if it says so.
fn size_of(svg: &str) -> Option<(f64, f64)> {
    let (element, _) = svg.split_once("<svg")?.1.split_once('>')?;
    let number = |name: &str| -> Option<f64> {
        let (text, _) = element.split_once(&format!(" {name}=\""))?.1.split_once('"')?;
        text.strip_suffix("px").unwrap_or(text).parse().ok().filter(|number: &f64| *number > 0.0 && number.is_finite())
    };
    Some((number("width")?, number("height")?))
}

/// May a PDF hold this letter? Those that stand for nothing may not be in its text.
fn is_said(letter: char) -> bool {
    !(letter.is_control() && letter != '\t' || matches!(letter, '\u{feff}' | '\u{fffe}' | '\u{ffff}'))
}

/// What the embedded font has in the place of a sign that it lacks and that we write ourselves.
fn drawn(letter: char) -> char {
    match letter {
        '→' => '›',
        '←' => '‹',
        '‑' => '-',
        '\u{2009}' | '\u{202f}' => '\u{a0}',
        letter => letter,
    }
}

fn clean(text: &str) -> String {
    text.chars().filter(|letter| is_said(*letter)).map(drawn).collect()
}

/// A pattern of the letters that the embedded font lacks; none if it has all.
fn missing(text: &str) -> Option<String> {
    // Marks that only steer their neighbours are drawn by no font.
    let steers = |letter: char| matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}');
    let absent = |letter: &char| !letter.is_whitespace() && !letter.is_control() && !steers(*letter) && !draws(*letter);
    let letters: BTreeSet<char> = text.chars().filter(absent).collect();
    let codes: String = letters.iter().map(|letter| format!("\\u{{{:x}}}", u32::from(*letter))).collect();
    (!codes.is_empty()).then(|| format!("[{codes}]"))
}

/// A text of which no line is longer than a line can be.
fn long(text: &str) -> Value {
    pieces(text, LONG, PIECE)
}

/// A text as it is, or in pieces if a word has more letters than `most`: a long word may be broken after every `piece`
/// letters, and before that after what joins words.
pub(super) fn pieces(text: &str, most: usize, piece: usize) -> Value {
    let text = clean(text);
    if text.split(' ').all(|word| word.chars().count() <= most) {
        return text.into();
    }
    let mut pieces = vec![String::new()];
    let push = |pieces: &mut Vec<String>, word: &str, cut: bool| {
        let mut letters = 0;
        for letter in word.chars() {
            // Letters of other scripts join with their neighbours, and accents with the letter before.
            let plain = letter.is_ascii() || ('\u{c0}'..='\u{24f}').contains(&letter);
            if cut && plain && letters >= piece {
                pieces.push(String::new());
                letters = 0;
            }
            if let Some(last) = pieces.last_mut() {
                last.push(letter);
            }
            letters += 1;
            if cut && "_-/.,=|:;".contains(letter) {
                letters = piece;
            }
        }
    };
    for word in text.split_inclusive(' ') {
        push(&mut pieces, word, word.chars().count() > most);
    }
    pieces.into()
}

/// A title's beginning.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_string();
    }
    text.chars().take(most - 1).collect::<String>().trim_end().to_string() + "…"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::Answer;
    use polars::prelude::*;

    const EVIL: &str =
        r##"#set page(fill: red) $x^2$ *b* _e_ `r` @ref <l> \n "q" 'a' </script> ] [ } { // /* ~ = head"##;

    fn data(source: &Source) -> Value {
        let (_, bytes) = source.files.iter().find(|(name, _)| name == DATA).unwrap();
        serde_json::from_slice(bytes).unwrap()
    }

    #[test]
    fn texts_are_data() {
        let table = Table::new(df!(EVIL => [EVIL]).unwrap()).titled(EVIL);
        let report = Report::new(EVIL).subtitle(EVIL).heading(EVIL).add(Block::Text(EVIL.into())).note(EVIL).add(table);
        for source in [page(&report, None).unwrap(), slides(&report).unwrap()] {
            let data = data(&source);
            assert_eq!((&data["title"], &data["subtitle"]), (&EVIL.into(), &EVIL.into()));
            assert!(data.to_string().matches("#set page").count() >= 7);
            let template = source.files.iter().find(|(name, _)| *name == source.main).unwrap();
            assert!(!String::from_utf8_lossy(&template.1).contains("fill: red"));
        }
        let data = data(&page(&report, None).unwrap());
        let blocks = &data["blocks"];
        assert_eq!((&blocks[0]["text"], &blocks[1]["text"]), (&EVIL.into(), &EVIL.into()));
        assert_eq!(data["missing"], Value::Null);
        let other = self::data(&page(&Report::new("Größe 销售 🙂\u{200d}"), None).unwrap());
        assert_eq!(other["missing"], "[\\u{552e}\\u{9500}\\u{1f642}]");
        assert_eq!(self::data(&page(&Report::new("\n"), None).unwrap())["title"], "Report");
    }

    #[test]
    fn an_answer_is_a_slide() {
        let slides =
            data(&slides(&Report::new("R").add(&Answer::new("Why?", "+4 %", "So."))).unwrap())["slides"].clone();
        assert_eq!((&slides[0]["title"], &slides[1]), (&"Why?".into(), &Value::Null));
        assert_eq!(slides[0]["words"][0]["words"][0]["strong"][0], "+4\u{a0}%");
        assert_eq!(slides[0]["words"][1]["text"], "So.");
    }

    #[test]
    fn no_level_is_skipped() {
        assert_eq!(levels(&[3, 2, 5, 3, 6, 1]), [1, 1, 2, 2, 3, 1]);
        let report = [3, 2, 5, 3, 6, 1]
            .iter()
            .fold(Report::new("R"), |report, level| report.add(Block::Heading { level: *level, text: "H".into() }));
        let slides = data(&slides(&report.heading("A").text("Words.")).unwrap())["slides"].clone();
        let levels: Vec<i64> =
            slides.as_array().unwrap().iter().map(|slide| slide["level"].as_i64().unwrap()).collect();
        assert!(levels.first() == Some(&1) && levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{levels:?}");
    }

    #[test]
    fn pieces_make_up_the_text() {
        let joined = |value: &Value| match value {
            Value::Array(pieces) => pieces.iter().filter_map(Value::as_str).collect(),
            value => value.as_str().unwrap().to_string(),
        };
        for text in
            ["", "short words", &"x".repeat(200), &"Store_1/Dept=2|".repeat(13), &"é".repeat(40), &"مبيعات".repeat(9)]
        {
            let value = long(text);
            assert_eq!(joined(&value), text);
            assert_eq!(value.is_array(), text.chars().count() > LONG && !text.contains(' '));
        }
        assert_eq!(long("a\u{0}b\u{feff}c"), "abc");
        assert_eq!(pieces("one_two/three four", 4, 3), json!(["one", "_", "two", "/", "thr", "ee four"]));
    }

    #[test]
    fn pictures_have_a_size() {
        assert_eq!(
            size_of("<?xml?><svg a=\"1\" width=\"820\" height=\"300.5px\" stroke-width=\"2\"><g>"),
            Some((820.0, 300.5))
        );
        for no in ["<svg width=\"10cm\" height=\"5cm\">", "<svg stroke-width=\"2\" height=\"1\">", "", "<svg"] {
            assert_eq!(size_of(no), None);
        }
    }

    #[test]
    fn links_lead_somewhere_or_are_words() {
        let report =
            Report::new("R").heading("What we found").text("[a](https://example.org) [b](#what-we-found) [c](#none)");
        let words = data(&page(&report, None).unwrap())["blocks"][1]["words"].clone();
        assert_eq!(words[0]["to"], "https://example.org");
        assert_eq!(words[2]["anchor"], "what-we-found");
        assert_eq!(words[4]["anchor"], Value::Null);
    }

    #[test]
    fn long_tables_are_cut_and_long_reports_have_contents() {
        let table = Table::new(df!("x" => (0..260_i64).collect::<Vec<_>>()).unwrap());
        let report = (0..6).fold(Report::new("R"), |report, at| report.heading(format!("{at}"))).add(table);
        let blocks = data(&page(&report, None).unwrap())["blocks"].clone();
        assert_eq!(blocks[1]["kind"], "contents");
        let table = blocks.as_array().unwrap().last().unwrap();
        assert_eq!(
            (table["rows"].as_array().unwrap().len(), &table["rest"]),
            (200, &"… 60 more rows not shown".into())
        );
    }
}
