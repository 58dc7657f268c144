//! One answered question: a sentence with its numbers, a table, a figure, how sure, caveats.

use super::{Block, Figure, Show, Table, noun};
use crate::error::{Error, Result};

/// One answered question.
#[derive(Clone)]
pub struct Finding {
    title: String,
    sentence: String,
    table: Table,
    /// The table as readers see it, where that differs.
    shown: Option<Table>,
    figure: Option<Figure>,
    caveats: Vec<String>,
}

impl Finding {
    pub(crate) fn new(title: impl Into<String>, sentence: impl Into<String>, table: Table) -> Self {
        Self { title: title.into(), sentence: sentence.into(), table, shown: None, figure: None, caveats: Vec::new() }
    }

    pub(crate) fn drawn(mut self, figure: Figure) -> Self {
        self.figure = Some(figure);
        self
    }

    /// Readers see another table than programs, of the same numbers.
    pub(crate) fn shown_as(mut self, table: Table) -> Self {
        self.shown = Some(table);
        self
    }

    pub(crate) fn but(mut self, caveat: impl Into<String>) -> Self {
        self.caveats.push(caveat.into());
        self
    }

    /// The title.
    pub fn title(&self) -> String {
        self.title.clone()
    }

    /// The answer, with its numbers.
    pub fn sentence(&self) -> String {
        self.sentence.clone()
    }

    /// The table behind it, in which models are named by their labels.
    pub fn table(&self) -> Table {
        self.table.clone()
    }

    /// The figure.
    ///
    /// # Errors
    /// When the question is answered without one.
    pub fn figure(&self) -> Result<Figure> {
        self.figure.clone().ok_or_else(|| Error::usage(format!("`{}` is answered without a figure", self.title)))
    }

    /// The caveats.
    pub fn caveats(&self) -> Vec<String> {
        self.caveats.clone()
    }
}

impl Show for Finding {
    fn block(&self) -> Block {
        let mut blocks = vec![Block::Text(self.sentence.clone())];
        blocks.extend(self.figure.clone().map(Block::Figure));
        blocks.push(Block::Table(self.shown.as_ref().unwrap_or(&self.table).clone()));
        blocks.extend(self.caveats.iter().cloned().map(Block::Note));
        Block::Group(blocks)
    }
}

noun!(Finding);
