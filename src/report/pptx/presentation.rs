//! What does a presentation consist of, in plain words? Slides with a title, words, and at most one thing to look at;
//! and how many words fit where.

use crate::show::SimpleChart;

/// A presentation, from which [`bytes`](super::write::bytes) makes a file.
#[derive(Clone, Debug, Default)]
pub(super) struct Presentation {
    pub(super) title: String,
    pub(super) subtitle: Option<String>,
    /// The language of the words, for spelling and for what reads them out: `en-US`.
    pub(super) language: String,
    pub(super) slides: Vec<Slide>,
}

/// A slide; one without words and thing is a section of its own.
#[derive(Clone, Debug, Default)]
pub(super) struct Slide {
    /// What the slide belongs under, in small letters above the title.
    pub(super) section: Option<String>,
    pub(super) title: String,
    pub(super) words: Vec<Paragraph>,
    pub(super) thing: Option<Thing>,
    /// Where the numbers are from.
    pub(super) source: Option<String>,
    /// What the speaker says.
    pub(super) notes: Option<String>,
}

/// A paragraph, or a point of a list.
#[derive(Clone, Debug, Default)]
pub(super) struct Paragraph {
    pub(super) mark: Mark,
    /// How far it is set in: 0 to 8.
    pub(super) level: usize,
    pub(super) runs: Vec<Run>,
}

/// What stands before a paragraph.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mark {
    #[default]
    None,
    Point,
    /// A number; the list begins with this one.
    Number(u64),
    /// It is a caveat, set apart.
    Note,
}

/// Words that look the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Run {
    pub(super) text: String,
    pub(super) bold: bool,
    pub(super) italic: bool,
    pub(super) code: bool,
    pub(super) link: Option<String>,
}

/// What there is to look at.
#[derive(Clone, Debug)]
pub(super) enum Thing {
    /// A chart that the office program draws.
    Chart {
        title: String,
        alt: String,
        chart: SimpleChart,
    },
    /// A picture in PNG, which has its title in it.
    Picture {
        title: String,
        alt: String,
        png: Vec<u8>,
    },
    Table(Grid),
    /// Lines to be read letter by letter.
    Code(String),
}

/// A table as strings.
#[derive(Clone, Debug, Default)]
pub(super) struct Grid {
    pub(super) title: Option<String>,
    pub(super) header: Vec<String>,
    /// Which columns are set to the right.
    pub(super) right: Vec<bool>,
    pub(super) rows: Vec<Vec<String>>,
    /// A row that is set apart.
    pub(super) bold: Option<usize>,
    /// What the table says about rows that are not there.
    pub(super) rest: Option<String>,
}

impl Paragraph {
    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self { runs: vec![Run::plain(text)], ..Self::default() }
    }

    fn text(&self) -> String {
        self.runs.iter().map(|run| run.text.as_str()).collect()
    }

    /// How far its words are set in, at a size of letters.
    pub(super) fn inset(&self, size: f64) -> f64 {
        let own = if self.mark == Mark::None && self.level == 0 { 0.0 } else { 1.0 };
        size * 1.1 * (self.level as f64 + own)
    }
}

impl Run {
    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }
}

impl Slide {
    pub(super) fn is_bare(&self) -> bool {
        self.words.is_empty() && self.thing.is_none()
    }
}

/// The height of a line, and of the space after a paragraph, in sizes of letters.
const LINE: f64 = 1.36;
pub(super) const AFTER: f64 = 0.42;

/// The height of paragraphs at a size of letters within a width, all in points.
pub(super) fn height(words: &[Paragraph], size: f64, width: f64) -> f64 {
    let one = |words: &Paragraph| size * (LINE * lines(&words.text(), size, width - words.inset(size)) as f64 + AFTER);
    words.iter().map(one).sum()
}

/// The largest of some sizes at which paragraphs fit; the last one if none does.
pub(super) fn fitting(words: &[Paragraph], sizes: &[f64], width: f64, room: f64) -> f64 {
    let fits = |size: &&f64| height(words, **size, width) <= room;
    sizes.iter().find(fits).or(sizes.last()).copied().unwrap_or(12.0)
}

/// How many lines a text takes. Rather one too many: nobody knows which font will stand in for ours.
pub(super) fn lines(text: &str, size: f64, width: f64) -> usize {
    let (mut lines, mut at) = (1, 0.0);
    for word in text.split_inclusive(' ') {
        let wide = wide(word, size);
        if at > 0.0 && at + wide > width {
            lines += 1;
            at = 0.0;
        }
        at += wide;
        // A word that is longer than a line is broken.
        while at > width.max(size) {
            lines += 1;
            at -= width.max(size);
        }
    }
    lines
}

/// The width of a text in one line, in points: that of Open Sans, which is wider than the Calibri of the theme, so that
/// another font in its place has room.
pub(super) fn wide(text: &str, size: f64) -> f64 {
    let letter = |letter: char| match letter {
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | ' ' => 0.27,
        'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '-' | '/' => 0.4,
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '—' => 0.92,
        'A'..='Z' | '&' | '=' | '+' | '<' | '>' => 0.68,
        // Marks over a letter, and what tells the direction.
        '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' => 0.0,
        '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' => 1.0,
        '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{1f000}'..='\u{3ffff}' => 1.15,
        _ => 0.57,
    };
    text.chars().map(letter).sum::<f64>() * size * 1.03
}

/// Is a text read from the right? Its first letter that has a direction tells.
pub(super) fn from_the_right(text: &str) -> bool {
    let right = |letter: &char| {
        matches!(letter, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}'
            | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
    };
    text.chars().find(|letter| letter.is_alphabetic()).is_some_and(|letter| right(&letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_take_the_room_that_they_need() {
        assert_eq!(lines("", 18.0, 400.0), 1);
        assert_eq!(lines("Two departments make half of the sales", 18.0, 864.0), 1);
        assert!(lines(&"words and ".repeat(30), 18.0, 864.0) > 2);
        // A word without a blank is broken, and a column without width does not hang.
        assert!(lines(&"x".repeat(400), 18.0, 864.0) >= 5 && lines("xyz", 18.0, 0.0) >= 2);
        let words = vec![Paragraph::plain("words and ".repeat(120))];
        assert!(fitting(&words, &[20.0, 14.0, 10.0], 864.0, 120.0) < 20.0);
        assert_eq!(fitting(&words, &[20.0, 14.0, 10.0], 864.0, 1.0), 10.0);
    }

    #[test]
    fn the_first_letter_tells_the_direction() {
        assert!(from_the_right("12 مبيعات sales") && from_the_right("שלום"));
        assert!(!from_the_right("sales مبيعات") && !from_the_right("12 %") && !from_the_right("売上"));
    }
}
