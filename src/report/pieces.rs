//! What does a report consist of, in order? Headings, and below each the blocks that share a source; a page numbers its sources and
//! lists them at its end.

use super::Report;
use super::assets::Anchors;
use crate::show::words::typeset;
use crate::show::{Block, one_line};

/// The heading over the list of sources.
pub(super) const SOURCES: &str = "Where the numbers come from";

/// A heading with what stands below it, up to the next one.
pub(super) struct Piece<'a> {
    /// None for what stands before the first.
    pub(super) heading: Option<Heading>,
    pub(super) runs: Vec<Run<'a>>,
}

/// A heading on a page: the page's title is the only one of level 1.
pub(super) struct Heading {
    pub(super) level: u8,
    /// As its readers see it.
    pub(super) text: String,
    pub(super) anchor: String,
}

/// Blocks that share a source, counted from 1.
#[derive(Default)]
pub(super) struct Run<'a> {
    pub(super) blocks: Vec<&'a Block>,
    pub(super) source: Option<usize>,
}

/// A report opened into its pieces.
pub(super) struct Pieces<'a> {
    pub(super) pieces: Vec<Piece<'a>>,
    /// The calls that give the numbers again, each once.
    pub(super) sources: Vec<String>,
    /// The anchor of their list.
    pub(super) anchor: String,
}

impl<'a> Pieces<'a> {
    pub(super) fn of(report: &'a Report) -> Self {
        let mut anchors = Anchors::default();
        // The title takes its own anchor first, as it would on a code host, which knows only what readers see.
        anchors.next(&typeset(&report.title));
        let mut pieces = vec![Piece { heading: None, runs: vec![Run::default()] }];
        let mut sources: Vec<String> = Vec::new();
        for leaf in report.leaves() {
            let Some(piece) = pieces.last_mut() else { break };
            match leaf {
                Block::Heading { level, text } => {
                    let (level, text) = ((*level).clamp(2, 6), typeset(&one_line(text)));
                    let heading = Some(Heading { level, anchor: anchors.next(&text), text });
                    pieces.push(Piece { heading, runs: vec![Run::default()] });
                }
                Block::Source(query) => {
                    let query = one_line(query);
                    let place = sources.iter().position(|known| *known == query).unwrap_or_else(|| {
                        sources.push(query);
                        sources.len() - 1
                    });
                    if let Some(run) = piece.runs.last_mut() {
                        run.source = Some(place + 1);
                    }
                    piece.runs.push(Run::default());
                }
                Block::Spoken(_) => {}
                leaf => {
                    if let Some(run) = piece.runs.last_mut() {
                        run.blocks.push(leaf);
                    }
                }
            }
        }
        pieces.iter_mut().for_each(|piece| piece.runs.retain(|run| !run.blocks.is_empty() || run.source.is_some()));
        pieces.retain(|piece| piece.heading.is_some() || !piece.runs.is_empty());
        let anchor = anchors.next(SOURCES);
        Self { pieces, sources, anchor }
    }

    /// What stands before the first heading, and the rest.
    pub(super) fn split(&self) -> (Option<&Piece<'a>>, &[Piece<'a>]) {
        match self.pieces.split_first() {
            Some((cover, rest)) if cover.heading.is_none() => (Some(cover), rest),
            _ => (None, &self.pieces),
        }
    }

    /// Every heading, with that of the sources.
    pub(super) fn contents(&self) -> Vec<(u8, &str, &str)> {
        let headings = self.pieces.iter().filter_map(|piece| piece.heading.as_ref());
        let mut contents: Vec<_> =
            headings.map(|heading| (heading.level, heading.text.as_str(), heading.anchor.as_str())).collect();
        if !self.sources.is_empty() {
            contents.push((2, SOURCES, &self.anchor));
        }
        contents
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_numbered_once() {
        let report = Report::new("R")
            .text("a")
            .source("x")
            .text("b")
            .heading("H")
            .text("c")
            .source("y")
            .text("d")
            .source("x")
            .text("e");
        let pieces = Pieces::of(&report);
        assert_eq!(pieces.sources, ["x", "y"]);
        let sources: Vec<Vec<Option<usize>>> =
            pieces.pieces.iter().map(|piece| piece.runs.iter().map(|run| run.source).collect()).collect();
        assert_eq!(sources, [vec![Some(1), None], vec![Some(2), Some(1), None]]);
        assert_eq!(pieces.contents().len(), 2);
        assert!(Pieces::of(&Report::new("")).pieces.is_empty());
    }
}
