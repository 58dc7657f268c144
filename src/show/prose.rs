//! How is Markdown in a text laid out? Bold, emphasis, code, links, lists and headings.
//!
//! pulldown-cmark parses the marks (CommonMark, without extensions); the result has no other kinds than the ones above,
//! so that every output can lay it out. HTML in a text is text. A link leads to a web page, a mail address or a place
//! beside the page; of any other only the words remain.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag};

use super::{Block, paragraphs};

/// Lists and marks deeper in each other than this are flat: nobody writes them, and the stack is finite.
const DEEPEST: usize = 12;
/// What a text's headings lie below: a report has its title and its sections already.
const SECTION: u8 = 2;
/// What links may lead to, besides places beside the page.
const SCHEMES: [&str; 3] = ["http", "https", "mailto"];

/// A part of a text that a person has marked, with what marks are in it.
#[derive(Clone, Debug, PartialEq)]
pub enum Prose {
    /// A paragraph.
    Paragraph(Vec<Words>),
    /// Points, numbered from `first` on if it is there.
    List {
        /// The number of the first point.
        first: Option<u64>,
        /// The points, each of which may have paragraphs and lists of its own.
        points: Vec<Vec<Prose>>,
    },
}

/// Words within a paragraph.
#[derive(Clone, Debug, PartialEq)]
pub enum Words {
    /// Words without a mark.
    Plain(String),
    /// Something to be read letter by letter, such as a model's label.
    Code(String),
    /// Stressed words.
    Emphasis(Vec<Words>),
    /// Strongly stressed words.
    Strong(Vec<Words>),
    /// Words that lead somewhere.
    Link {
        /// A web page, a mail address, or a place beside the page.
        to: String,
        /// The words.
        words: Vec<Words>,
    },
}

impl Prose {
    /// A text with Markdown's marks as blocks. One without any is a [`Block::Text`] of just these words.
    ///
    /// ```
    /// use tradewind::show::{Block, Prose};
    /// let block = Block::Group(Prose::blocks("Sales **rose**, <b>as ever</b>:\n\n- by 3 %\n- in *all* shops"));
    /// assert_eq!(block.to_text(), "Sales rose, <b>as ever</b>:\n\n• by 3 %\n• in all shops\n");
    /// assert_eq!(
    ///     block.to_markdown(),
    ///     "Sales **rose**, &lt;b&gt;as ever&lt;/b&gt;:\n\n- by 3\u{a0}%\n- in *all* shops\n"
    /// );
    /// ```
    pub fn blocks(text: &str) -> Vec<Block> {
        let marked = dedented(text);
        let pieces = Reader { events: Parser::new_ext(&marked, Options::empty()), depth: 0 }.pieces();
        let bare = |piece: &Piece| match piece {
            Piece::Prose(Prose::Paragraph(words)) => plain(words),
            _ => None,
        };
        let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        if let Some(bare) = pieces.iter().map(bare).collect::<Option<Vec<_>>>()
            && bare.iter().map(|text| squeezed(text)).eq(paragraphs(text).iter().map(|text| squeezed(text)))
        {
            return vec![Block::Text(text.to_string())];
        }
        pieces.into_iter().map(Piece::block).collect()
    }

    /// How many letters there are to read.
    pub(crate) fn letters(&self) -> usize {
        match self {
            Self::Paragraph(words) => said(words).chars().count(),
            Self::List { points, .. } => points.iter().flatten().map(Self::letters).sum(),
        }
    }
}

/// The words alone; none if there is a mark.
fn plain(words: &[Words]) -> Option<String> {
    let plain = |words: &Words| match words {
        Words::Plain(text) => Some(text.clone()),
        _ => None,
    };
    words.iter().map(plain).collect()
}

/// The words without their marks.
fn said(words: &[Words]) -> String {
    words.iter().map(Words::said).collect()
}

impl Words {
    /// The words without their marks.
    pub(crate) fn said(&self) -> String {
        match self {
            Self::Plain(text) | Self::Code(text) => text.clone(),
            Self::Emphasis(words) | Self::Strong(words) | Self::Link { words, .. } => said(words),
        }
    }
}

/// A text without the blanks that its lines share, as in a script whose texts are set in; the first line often stands
/// behind the verb and has none. Below a point of a list, a few blanks say what belongs to it.
fn dedented(text: &str) -> String {
    const BELOW_A_POINT: usize = 6;
    let text = text.replace("\r\n", "\n");
    let blanks = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let first = text.lines().next().unwrap_or_default();
    let alone = blanks(first) == 0;
    let rest = text.lines().skip(usize::from(alone)).filter(|line| !line.trim().is_empty());
    let shared = rest.map(blanks).min().unwrap_or(0);
    let number = first.trim_start_matches(|letter: char| letter.is_ascii_digit());
    let point = first.starts_with(['-', '*', '+']) || number.len() < first.len() && number.starts_with(['.', ')']);
    let shared = if alone && point && shared < BELOW_A_POINT { 0 } else { shared };
    let line = |line: &str| line.get(shared.min(blanks(line))..).unwrap_or_default().to_string();
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// A block in the making.
enum Piece {
    Prose(Prose),
    Heading(u8, String),
    Code(String, String),
}

impl Piece {
    fn block(self) -> Block {
        match self {
            Self::Heading(level, text) => Block::Heading { level: (level + SECTION).min(6), text },
            Self::Code(language, text) => Block::Code { language, text },
            Self::Prose(prose) => match prose.without_marks() {
                Some(block) => block,
                None => Block::Prose(prose),
            },
        }
    }

    /// The same inside a point of a list.
    fn inside(self) -> Prose {
        match self {
            Self::Prose(prose) => prose,
            Self::Heading(_, text) => Prose::Paragraph(vec![Words::Strong(vec![Words::Plain(text)])]),
            Self::Code(_, text) => Prose::Paragraph(vec![Words::Code(line(&text))]),
        }
    }
}

impl Prose {
    /// A paragraph or a list of plain words as the block that there is for it.
    fn without_marks(&self) -> Option<Block> {
        match self {
            Self::Paragraph(words) => plain(words).map(Block::Text),
            Self::List { first: None, points } => {
                let point = |point: &Vec<Prose>| match point.as_slice() {
                    [Prose::Paragraph(words)] => plain(words),
                    _ => None,
                };
                points.iter().map(point).collect::<Option<_>>().map(Block::List)
            }
            Self::List { .. } => None,
        }
    }
}

struct Reader<'a> {
    events: Parser<'a>,
    depth: usize,
}

impl<'a> Reader<'a> {
    /// What stands until the end of what has just begun.
    fn pieces(&mut self) -> Vec<Piece> {
        let mut pieces = Vec::new();
        // The words of a point of a list need not be a paragraph.
        let mut loose = Vec::new();
        while let Some(event) = self.events.next() {
            match event {
                Event::End(_) => break,
                Event::Start(tag) if is_block(&tag) => {
                    pieces.extend(paragraph(std::mem::take(&mut loose)));
                    pieces.extend(self.block(tag));
                }
                Event::Rule => pieces.extend(paragraph(std::mem::take(&mut loose))),
                event => self.words_of(event, &mut loose),
            }
        }
        pieces.extend(paragraph(loose));
        pieces
    }

    fn block(&mut self, tag: Tag<'a>) -> Vec<Piece> {
        self.depth += 1;
        let pieces = match tag {
            _ if self.depth > DEEPEST => paragraph(vec![Words::Plain(line(&self.text()))]).into_iter().collect(),
            Tag::Paragraph => {
                let words = self.words();
                paragraph(words).into_iter().collect()
            }
            Tag::Heading { level, .. } => {
                let words = said(&self.words());
                vec![Piece::Heading(level as u8, words.trim().to_string())]
            }
            Tag::CodeBlock(CodeBlockKind::Fenced(language)) => {
                vec![Piece::Code(language.to_string(), self.text().trim_end().to_string())]
            }
            Tag::List(first) => {
                let points = self.points();
                vec![Piece::Prose(Prose::List { first, points })]
            }
            Tag::BlockQuote(_) | Tag::Item => self.pieces(),
            // A text that is set in from the left, and HTML: words like any other.
            _ => paragraph(vec![Words::Plain(line(&self.text()))]).into_iter().collect(),
        };
        self.depth -= 1;
        pieces
    }

    fn points(&mut self) -> Vec<Vec<Prose>> {
        let mut points = Vec::new();
        while let Some(Event::Start(Tag::Item)) = self.events.next() {
            points.push(self.pieces().into_iter().map(Piece::inside).collect());
        }
        points
    }

    /// The words until the end of what has just begun.
    fn words(&mut self) -> Vec<Words> {
        let mut words = Vec::new();
        while let Some(event) = self.events.next() {
            if let Event::End(_) = event {
                break;
            }
            self.words_of(event, &mut words);
        }
        words
    }

    fn words_of(&mut self, event: Event<'a>, words: &mut Vec<Words>) {
        let more = match event {
            Event::Start(tag) => {
                self.depth += 1;
                let inner = if self.depth > DEEPEST { vec![Words::Plain(line(&self.text()))] } else { self.words() };
                self.depth -= 1;
                match tag {
                    Tag::Emphasis => vec![Words::Emphasis(inner)],
                    Tag::Strong => vec![Words::Strong(inner)],
                    Tag::Link { dest_url, .. } => match address(&dest_url) {
                        Some(to) => vec![Words::Link { to, words: inner }],
                        None => inner,
                    },
                    // Of a picture the words stay: nothing is fetched for a report.
                    _ => inner,
                }
            }
            Event::Code(text) => vec![Words::Code(line(&text))],
            Event::SoftBreak | Event::HardBreak => vec![Words::Plain(" ".into())],
            event => textual(&event).map(|text| Words::Plain(line(text))).into_iter().collect(),
        };
        for word in more {
            match (words.last_mut(), word) {
                (Some(Words::Plain(before)), Words::Plain(text)) => before.push_str(&text),
                (_, word) => words.push(word),
            }
        }
    }

    /// All text until the end of what has just begun, whatever is in it.
    fn text(&mut self) -> String {
        let (mut text, mut open) = (String::new(), 0_usize);
        for event in self.events.by_ref() {
            match event {
                Event::Start(_) => open += 1,
                Event::End(_) if open == 0 => break,
                Event::End(_) => open -= 1,
                Event::SoftBreak | Event::HardBreak => text.push(' '),
                Event::Code(code) => text.push_str(&code),
                event => text.push_str(textual(&event).unwrap_or_default()),
            }
        }
        text
    }
}

fn textual<'e>(event: &'e Event) -> Option<&'e str> {
    match event {
        Event::Text(text)
        | Event::Html(text)
        | Event::InlineHtml(text)
        | Event::InlineMath(text)
        | Event::DisplayMath(text)
        | Event::FootnoteReference(text) => Some(text),
        _ => None,
    }
}

/// Does it stand by itself, not within a line?
fn is_block(tag: &Tag) -> bool {
    !matches!(
        tag,
        Tag::Emphasis
            | Tag::Strong
            | Tag::Strikethrough
            | Tag::Superscript
            | Tag::Subscript
            | Tag::Link { .. }
            | Tag::Image { .. }
    )
}

/// Words as a paragraph, if there are any.
fn paragraph(mut words: Vec<Words>) -> Option<Piece> {
    if let Some(Words::Plain(first)) = words.first_mut() {
        *first = first.trim_start().to_string();
    }
    if let Some(Words::Plain(last)) = words.last_mut() {
        *last = last.trim_end().to_string();
    }
    words.retain(|words| *words != Words::Plain(String::new()));
    (!words.is_empty()).then_some(Piece::Prose(Prose::Paragraph(words)))
}

/// Words on one line: other control characters than these would break it as well.
fn line(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() || "\u{2028}\u{2029}".contains(letter) { ' ' } else { letter })
        .collect()
}

/// Where a link may lead; none if it may not.
fn address(to: &str) -> Option<String> {
    // Browsers pass over blanks, and take a backslash for a slash: what they would read differently is refused.
    let odd = |letter: char| letter.is_control() || letter == '\\' || (letter.is_whitespace() && letter != ' ');
    let to = to.trim();
    if to.is_empty() || to.contains(odd) || to.starts_with("//") {
        return None;
    }
    let known = match to.find([':', '/', '?', '#']) {
        Some(end) if to[end..].starts_with(':') => SCHEMES.iter().any(|scheme| to[..end].eq_ignore_ascii_case(scheme)),
        _ => true,
    };
    let plain = |letter: char| match letter {
        ' ' => "%20".to_string(),
        '<' => "%3C".to_string(),
        '>' => "%3E".to_string(),
        '(' => "%28".to_string(),
        ')' => "%29".to_string(),
        letter => letter.to_string(),
    };
    known.then(|| to.chars().map(plain).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(text: &str) -> String {
        let page = Block::Group(Prose::blocks(text)).to_html();
        page.split_once("</style>").unwrap().1.trim_end_matches("</div>").to_string()
    }

    #[test]
    fn a_text_without_marks_stays_as_it_is() {
        for text in [
            "Sales rose.",
            "Two\nlines, season_length and ets(season=52), 3 < 4 & [1, 2].\n\nAnother  paragraph.",
            "",
            "stl(trend=\"arima(order=[1, 0, 0])\") by 5 %",
        ] {
            match Prose::blocks(text).as_slice() {
                [Block::Text(same)] => assert_eq!(same, text),
                _ => panic!("{text}"),
            }
        }
    }

    #[test]
    fn marks_become_what_they_say() {
        for (text, expected) in [
            ("**a** *b* `c`", "<p dir=\"auto\"><strong>a</strong> <em>b</em> <code>c</code></p>"),
            ("1. a\n2. b", "<ol><li dir=\"auto\">a</li><li dir=\"auto\">b</li></ol>"),
            ("3. a", "<ol start=\"3\"><li dir=\"auto\">a</li></ol>"),
            ("- a\n  - **b**", "<ul><li dir=\"auto\">a<ul><li dir=\"auto\"><strong>b</strong></li></ul></li></ul>"),
            (
                "    - a\n      - **b**",
                "<ul><li dir=\"auto\">a<ul><li dir=\"auto\"><strong>b</strong></li></ul></li></ul>",
            ),
            ("- **a**\n        - b", "<ul><li dir=\"auto\"><strong>a</strong></li><li dir=\"auto\">b</li></ul>"),
            ("# A\n\n### B", "<h3 dir=\"auto\">A</h3><h5 dir=\"auto\">B</h5>"),
            ("first\n    **second**\n    third", "<p dir=\"auto\">first <strong>second</strong> third</p>"),
            ("> quoted *words*", "<p dir=\"auto\">quoted <em>words</em></p>"),
        ] {
            assert_eq!(html(text), expected, "{text}");
        }
        assert!(html("```sh\nls\n```").contains("language-sh"));
    }

    #[test]
    fn links_lead_to_pages_and_mail_alone() {
        for to in [
            "https://example.org/a?b=1&c=2#d",
            "HTTP://example.org",
            "mailto:a@example.org",
            "more.html",
            "#top",
            "a/b:c",
        ] {
            assert!(html(&format!("[words](<{to}>)")).contains("<a href=\""), "{to}");
        }
        for to in [
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            "&#106;avascript:alert(1)",
            "java&#10;script:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "//example.org",
            "/\\example.org",
            "vbscript:x",
            "&Tab;javascript:x",
        ] {
            let page = html(&format!("[words](<{to}>)"));
            assert!(!page.contains("<a ") && page.contains("words"), "{to}: {page}");
        }
    }

    #[test]
    fn no_html_passes() {
        for text in [
            "**a** <script>alert(1)</script>",
            "<script>\nalert(1)\n</script>\n\n*x*",
            "<img src=x onerror=y> `z`",
            "![<b>](x)*y*",
        ] {
            let page = html(text);
            assert!(!page.contains("<script") && !page.contains("<img") && !page.contains("<b>"), "{page}");
            let written = Block::Group(Prose::blocks(text)).to_markdown();
            assert!(!written.contains('<'), "{written}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        for text in [
            "**a** and *b c* and `d` and [e](https://example.org/f?g=1&h=2)",
            "1. a\n2. **b**\n\n   more of it\n\n   - c\n   - *d*",
            "`` a`b ``, \\*no mark\\*, **1. x**",
            "[a (b)](<c(d).html>) \\# e",
        ] {
            let written = Block::Group(Prose::blocks(text)).to_markdown();
            let again = Block::Group(Prose::blocks(&written)).to_markdown();
            assert_eq!(written, again, "{text}");
            assert_eq!(html(text), html(&written), "{written}");
        }
    }

    #[test]
    fn depth_ends() {
        for text in [">".repeat(20_000), "- ".repeat(5_000) + "x", "*a _b ".repeat(5_000), "[".repeat(20_000)] {
            let _ = html(&text);
        }
    }
}
