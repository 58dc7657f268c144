//! Which block goes on which slide?
//!
//! A title slide; then each heading of level 2 starts a slide, and so does a deeper one once its slide has content. A
//! question of a first page is a slide with its answer. A slide holds one figure, one table or one piece of code, and the
//! text that belongs to it: the text before it, and the text after it as long as it fits. What would overflow continues
//! on the next slide under the same title; in a presentation with a backup, it continues there.

use super::Report;
use crate::show::{Answer, Block, Prose, Words, one_line, paragraphs};

/// Letters that fit beside a picture or above a table, and on a slide of words alone.
const BESIDE: usize = 360;
const ALONE: usize = 620;
/// Points of a list that fit on a slide.
const POINTS: usize = 7;
/// The title of the slide before the backup.
const BACKUP: &str = "Backup";
/// What a slide says that goes on in the backup.
const MORE: &str = "The rest is in the backup.";
/// Lines of code that fit on a slide.
const LINES: usize = 16;

/// One slide: a title, words, and at most one thing to look at.
#[derive(Clone, Debug, Default)]
pub(super) struct Slide {
    /// The heading that this slide belongs under, if its title is a deeper one.
    pub(super) section: Option<String>,
    pub(super) title: String,
    pub(super) words: Vec<Block>,
    pub(super) thing: Option<Block>,
    /// Where its numbers come from, in a line.
    pub(super) source: Option<String>,
    /// What a speaker says.
    pub(super) spoken: Vec<String>,
    /// Does it lie behind the presentation, for questions?
    pub(super) is_backup: bool,
    /// Is its title a question, and the rest the answer?
    is_answer: bool,
    /// Does it take what the slide before could not hold?
    is_continued: bool,
}

impl Slide {
    fn titled(title: &str) -> Self {
        Self { title: title.to_string(), ..Self::default() }
    }

    /// The slide that takes what this one cannot hold.
    fn next(&self) -> Self {
        Self {
            section: self.section.clone(),
            is_backup: self.is_backup,
            is_answer: self.is_answer,
            is_continued: true,
            ..Self::titled(&self.title)
        }
    }

    /// The slide before the backup.
    fn divider() -> Self {
        Self { is_backup: true, ..Self::titled(BACKUP) }
    }

    fn is_bare(&self) -> bool {
        self.words.is_empty() && self.thing.is_none()
    }

    /// How much of the slide the words take, in letters.
    pub(super) fn weight(&self) -> usize {
        self.words.iter().map(weight).sum()
    }

    fn takes(&self, words: &Block) -> bool {
        // The figure of an answer is small, and belongs to its sentence however long that is.
        let most = if self.thing.is_some() && !self.is_answer { BESIDE } else { ALONE };
        self.is_bare() || self.weight() + weight(words) <= most
    }
}

/// The slides after the title slide.
pub(super) fn deck(report: &Report) -> Vec<Slide> {
    let mut slides: Vec<Slide> = Vec::new();
    let mut now = Slide::titled(&one_line(&report.title));
    let mut section = None;
    let mut opened = false;
    let backup =
        report.backup.map(|place| report.blocks[..place].iter().map(|block| block.leaves().len()).sum::<usize>());
    for (place, leaf) in report.leaves().into_iter().enumerate() {
        let is_backup = backup.is_some_and(|backup| place >= backup);
        if backup == Some(place) {
            if opened || !now.is_bare() {
                slides.push(std::mem::take(&mut now));
            }
            slides.push(Slide::divider());
            now = Slide::divider();
            section = None;
            opened = false;
        }
        match leaf {
            // Below what it is of; on a slide of its own it would be of nothing.
            Block::Source(query) => {
                let of = if now.is_bare() && !opened { slides.last_mut() } else { Some(&mut now) };
                if let Some(slide) = of {
                    slide.source = Some(source(report, query));
                }
            }
            Block::Spoken(text) => now.spoken.extend(paragraphs(text)),
            Block::Heading { level, text } => {
                // A deeper heading right below another needs no slide with only the upper one on it.
                if !now.is_bare() || opened && *level <= 2 {
                    slides.push(std::mem::take(&mut now));
                }
                let spoken = std::mem::take(&mut now.spoken);
                now = Slide { is_backup, spoken, ..Slide::titled(&one_line(text)) };
                if *level <= 2 {
                    section = Some(now.title.clone());
                } else {
                    now.section.clone_from(&section);
                }
                opened = *level <= 2;
            }
            Block::Answer(answer) => {
                // A question is a deeper heading.
                if !now.is_bare() {
                    slides.push(std::mem::take(&mut now));
                }
                let spoken = std::mem::take(&mut now.spoken);
                let thing = answer.figure().cloned().map(Block::Figure);
                let title = Slide::titled(&one_line(answer.question()));
                now = Slide { section: section.clone(), thing, spoken, is_backup, is_answer: true, ..title };
                said(answer).iter().for_each(|words| add_words(words, &mut now, &mut slides));
                opened = false;
            }
            Block::Table(_) | Block::Figure(_) | Block::Code { .. } => {
                for thing in things(leaf) {
                    if now.thing.is_some() || now.weight() > BESIDE {
                        go_on(&mut now, &mut slides);
                    }
                    now.thing = Some(thing);
                }
            }
            words => add_words(words, &mut now, &mut slides),
        }
    }
    if opened || !now.is_bare() {
        slides.push(now);
    }
    if report.backup.is_some() { uncontinued(slides) } else { slides }
}

/// Words on a slide, and on the next ones where they do not fit.
fn add_words(words: &Block, now: &mut Slide, slides: &mut Vec<Slide>) {
    for piece in pieces(words) {
        if !now.takes(&piece) {
            go_on(now, slides);
        }
        now.words.push(piece);
    }
}

fn go_on(now: &mut Slide, slides: &mut Vec<Slide>) {
    let next = now.next();
    slides.push(std::mem::replace(now, next));
}

/// What an answer says: its number, which stands out, and its sentence.
fn said(answer: &Answer) -> Vec<Block> {
    let number = one_line(answer.number());
    let number = (!number.is_empty())
        .then(|| Block::Prose(Prose::Paragraph(vec![Words::Strong(vec![Words::Plain(number.clone())])])));
    number.into_iter().chain([Block::Text(answer.sentence().to_string())]).collect()
}

/// A presentation whose length does not depend on the length of its names: what a slide cannot hold goes behind the divider, and
/// the slide says so. Whoever speaks has all words on the slide itself.
fn uncontinued(slides: Vec<Slide>) -> Vec<Slide> {
    let (mut shown, mut backup, mut rest) = (Vec::<Slide>::new(), Vec::new(), Vec::new());
    let mut is_said = false;
    for mut slide in slides {
        match shown.last_mut() {
            _ if slide.is_backup => backup.push(slide),
            Some(first) if slide.is_continued => {
                if !is_said {
                    first.words.push(Block::Text(MORE.into()));
                    is_said = true;
                }
                first.spoken.append(&mut slide.spoken);
                if first.source.is_none() {
                    first.source.clone_from(&slide.source);
                }
                rest.push(Slide { is_backup: true, ..slide });
            }
            _ => {
                shown.push(slide);
                is_said = false;
            }
        }
    }
    if !rest.is_empty() && backup.is_empty() {
        backup.push(Slide::divider());
    }
    let mut backup = backup.into_iter();
    shown.extend(backup.next());
    shown.into_iter().chain(rest).chain(backup).collect()
}

/// Is its title a topic, so that its figure needs a title as well? The messages of a presentation say what their figures show.
pub(super) fn has_topics(report: &Report, slide: &Slide) -> bool {
    report.origin.is_none() || slide.is_backup || slide.is_answer
}

/// `Source: sales.csv, 2010-02-05 to 2012-10-26 · panel.plot()`: a file and a call, which keep their names and numbers on every
/// page, so that both can be used again.
fn source(report: &Report, query: &str) -> String {
    match &report.origin {
        Some(origin) => format!("Source: {} · {}", one_line(&origin.said), one_line(query)),
        None => format!("Source: {}", one_line(query)),
    }
}

/// Words in pieces of which each fits on a slide.
fn pieces(words: &Block) -> Vec<Block> {
    match words {
        Block::Text(text) => paragraphs(text).iter().flat_map(|text| sentences(text)).map(Block::Text).collect(),
        Block::Note(text) => paragraphs(text).iter().flat_map(|text| sentences(text)).map(Block::Note).collect(),
        Block::List(points) => {
            let mut lists: Vec<Vec<String>> = vec![Vec::new()];
            for point in points.iter().flat_map(|point| sentences(&one_line(point))) {
                let full = lists.last().is_some_and(|list| {
                    let letters: usize = list.iter().map(|point| room(point)).sum();
                    !list.is_empty() && (list.len() == POINTS || letters + room(&point) > ALONE)
                });
                if full {
                    lists.push(Vec::new());
                }
                if let Some(list) = lists.last_mut() {
                    list.push(point);
                }
            }
            lists.into_iter().filter(|list| !list.is_empty()).map(Block::List).collect()
        }
        Block::Prose(Prose::Paragraph(words)) => {
            runs(words).into_iter().map(Prose::Paragraph).map(Block::Prose).collect()
        }
        Block::Prose(Prose::List { first, points }) => {
            let mut lists: Vec<(u64, Vec<Vec<Prose>>)> = Vec::new();
            for (place, point) in (0..).zip(points) {
                let fits = |list: &[Vec<Prose>]| {
                    list.len() < POINTS
                        && list.iter().chain([point]).map(|point| room_of(point)).sum::<usize>() <= ALONE
                };
                match lists.last_mut().filter(|list| fits(&list.1)) {
                    Some((_, list)) => list.push(point.clone()),
                    None => lists.push((place, vec![point.clone()])),
                }
            }
            // What goes on is numbered on.
            let list = |(place, points): (u64, Vec<Vec<Prose>>)| Prose::List {
                first: first.map(|first| first.saturating_add(place)),
                points,
            };
            lists.into_iter().map(list).map(Block::Prose).collect()
        }
        other => vec![other.clone()],
    }
}

/// Words with marks in runs that fit on a slide, cut after a sentence outside the marks where that is possible.
fn runs(words: &[Words]) -> Vec<Vec<Words>> {
    let mut runs: Vec<Vec<Words>> = vec![Vec::new()];
    let mut letters = 0;
    let pieces = words.iter().flat_map(|part| match part {
        Words::Plain(text) => text.split_inclusive(". ").flat_map(cut_long).map(Words::Plain).collect::<Vec<_>>(),
        part => vec![part.clone()],
    });
    for piece in pieces {
        let more = piece.said().chars().count();
        if letters > 0 && letters + more > ALONE {
            runs.push(Vec::new());
            letters = 0;
        }
        letters += more;
        if let Some(run) = runs.last_mut() {
            match (run.last_mut(), piece) {
                (Some(Words::Plain(before)), Words::Plain(text)) => before.push_str(&text),
                (_, piece) => run.push(piece),
            }
        }
    }
    runs
}

/// A sentence in pieces of which each fits on a slide.
fn cut_long(sentence: &str) -> Vec<String> {
    let runs = if sentence.chars().count() > ALONE { sentences(sentence) } else { return vec![sentence.into()] };
    runs.into_iter().map(|run| run + " ").collect()
}

/// A text in runs of whole words that fit on a slide, cut after a sentence where possible.
fn sentences(text: &str) -> Vec<String> {
    let mut runs = vec![String::new()];
    for sentence in text.split_inclusive(". ") {
        let words: Vec<&str> =
            if sentence.chars().count() > ALONE { sentence.split_inclusive(' ').collect() } else { vec![sentence] };
        for word in words {
            // A "word" of a thousand letters is no word: cut it.
            let letters: Vec<char> = word.chars().collect();
            for piece in letters.chunks(ALONE) {
                if let Some(run) = runs.last_mut() {
                    if !run.is_empty() && run.chars().count() + piece.len() > ALONE {
                        runs.push(piece.iter().collect());
                    } else {
                        run.extend(piece);
                    }
                }
            }
        }
    }
    runs.into_iter().map(|run| run.trim().to_string()).filter(|run| !run.is_empty()).collect()
}

/// Code in pieces of a slide's height; pictures and tables as they are.
fn things(thing: &Block) -> Vec<Block> {
    match thing {
        Block::Code { language, text } => {
            let lines: Vec<&str> = text.lines().collect();
            let piece = |lines: &[&str]| Block::Code { language: language.clone(), text: lines.join("\n") };
            lines.chunks(LINES).map(piece).collect()
        }
        other => vec![other.clone()],
    }
}

fn weight(block: &Block) -> usize {
    match block {
        Block::Text(text) => text.chars().count() + 30,
        Block::Note(text) => text.chars().count() + 60,
        Block::List(points) => points.iter().map(|point| room(point)).sum(),
        Block::Prose(text @ Prose::Paragraph(_)) => text.letters() + 30,
        Block::Prose(Prose::List { points, .. }) => points.iter().map(|point| room_of(point)).sum(),
        _ => 0,
    }
}

/// What a point with marks takes: a line for each part of it at the least.
fn room_of(point: &[Prose]) -> usize {
    let part = |part: &Prose| match part {
        Prose::Paragraph(_) => part.letters().max(50) + 12,
        Prose::List { points, .. } => points.iter().map(|point| room_of(point)).sum(),
    };
    point.iter().map(part).sum()
}

/// A point takes at least a line.
fn room(point: &str) -> usize {
    point.chars().count().max(50) + 12
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::Bars;
    use crate::show::Table;
    use polars::prelude::*;

    fn table() -> Table {
        Table::new(df!("x" => [1_i64]).unwrap())
    }

    fn titles(report: &Report) -> Vec<String> {
        deck(report).into_iter().map(|slide| slide.title).collect()
    }

    #[test]
    fn headings_start_slides_and_things_stand_alone() {
        let report = Report::new("R").text("Lead.").heading("A").text("Words.").add(table()).add(table()).heading("B");
        assert_eq!(titles(&report), ["R", "A", "A", "B"]);
        let report = report.add(Block::Heading { level: 3, text: "C".into() }).text("Words.");
        assert_eq!(titles(&report), ["R", "A", "A", "C"]);
        assert_eq!(deck(&report)[3].section.as_deref(), Some("B"));
        assert!(deck(&Report::new("empty")).is_empty());
    }

    #[test]
    fn long_words_go_on() {
        let sentence = "This is one of the many sentences of a long text. ";
        let slides = deck(&Report::new("R").heading("A").text(sentence.repeat(40)));
        assert!(slides.len() >= 3);
        assert!(slides.iter().all(|slide| slide.weight() <= ALONE + 60 && slide.title == "A"));
        let letters: usize = slides.iter().flat_map(|slide| &slide.words).map(|word| weight(word) - 30).sum();
        assert!(letters >= sentence.len() * 40 - 80);

        let points = (0..30).map(|index| format!("Point {index}")).collect();
        let slides = deck(&Report::new("R").heading("A").add(Block::List(points)));
        assert!(slides.len() >= 4 && slides.iter().all(|slide| slide.weight() <= ALONE));
        assert!(deck(&Report::new("R").text("x".repeat(5000))).len() > 5);
    }

    #[test]
    fn an_answer_is_a_slide() {
        let bars = |title: &str| {
            let rows = vec![("a".to_string(), 1.0), ("b".to_string(), 2.0)];
            Bars { title: title.into(), value: "USD".into(), rows, best: None, reference: None }.figure()
        };
        let answer = |question: &str| Answer::new(question, "+4 %", "They rose. ".repeat(40)).drawn(bars(question));
        let answers = ["What happened?", "What comes?"].map(|question| {
            Block::Group(vec![Block::Answer(answer(question)), Block::Source(format!("{question}()"))])
        });
        let answers = Block::Group(answers.into());
        let slides = deck(&Report::new("R").add(answers.clone()).heading("H").text("Words."));
        let titles: Vec<&str> = slides.iter().map(|slide| slide.title.as_str()).collect();
        assert_eq!(titles, ["What happened?", "What comes?", "H"]);
        for slide in &slides[..2] {
            assert!(matches!(slide.thing, Some(Block::Figure(_))) && slide.words.len() == 2, "{slide:?}");
            assert_eq!(slide.source, Some(format!("Source: {}()", slide.title)));
            assert!(has_topics(&Report::new("R"), slide) && slide.section.is_none());
        }
        // Below a heading they belong to it, and after words they begin anew.
        let report = Report::new("R").heading("In short").add(answers).backup().add(&Answer::new("Why?", "", "So."));
        let slides = deck(&report);
        assert!(slides[..2].iter().all(|slide| slide.section.as_deref() == Some("In short")));
        let last = slides.last().unwrap();
        assert_eq!((last.title.as_str(), last.words.len(), last.section.as_deref()), ("Why?", 1, None));
    }

    #[test]
    fn no_slide_of_a_presentation_is_continued() {
        let name = "x".repeat(200);
        let points: Vec<String> = (0..9).map(|index| format!("Point {index} is about {name}.")).collect();
        let report = Report::new("R")
            .heading("In short")
            .add(Block::List(points.clone()))
            .add(Block::Spoken("Say it.".into()))
            .source("panel.tour()")
            .heading(format!("{name} rose"))
            .add(table())
            .add(table())
            .heading("Limits")
            .add(Block::List(points));
        let titles_of = |slides: &[Slide]| slides.iter().map(|slide| slide.title.clone()).collect::<Vec<_>>();
        let before = titles_of(&deck(&report));
        assert!(before.len() > 6, "{before:?}");
        let rose = format!("{name} rose");
        for (report, behind) in [(report.clone().backup(), 0), (report.backup().heading("Evidence").text("Words."), 1)]
        {
            let slides = deck(&report);
            let divider = slides.iter().position(|slide| slide.is_backup).unwrap();
            assert_eq!(titles_of(&slides[..divider]), ["In short", rose.as_str(), "Limits"]);
            assert!(slides[divider].title == BACKUP && slides[divider].is_bare());
            // Nothing is lost: what was continued is so still, behind the divider and before the rest.
            assert_eq!(slides.len(), before.len() + 1 + behind);
            assert!(slides[divider..].iter().all(|slide| slide.is_backup));
            for slide in &slides[..divider] {
                let says = |words: &Block| matches!(words, Block::Text(text) if text == MORE);
                assert_eq!(slide.words.iter().filter(|words| says(words)).count(), 1, "{}", slide.title);
            }
            assert_eq!(slides[0].spoken, ["Say it."]);
            assert_eq!(slides[0].source.as_deref(), Some("Source: panel.tour()"));
        }
    }

    #[test]
    fn code_is_cut_by_lines() {
        let code = Block::Code { language: "rust".into(), text: "line\n".repeat(40) };
        assert_eq!(deck(&Report::new("R").add(code)).len(), 3);
    }
}
