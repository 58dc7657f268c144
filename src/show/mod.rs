//! How does an answer look? One [`Block`] per noun; text, Markdown, HTML and notebook output come from the block.
//!
//! A noun implements [`Show`] and says `noun!(Type)`; it then prints in a terminal, displays itself in a notebook
//! and can be added to a report. N nouns and 5 outputs cost N + 5 pieces of code, not N × 5.
//!
//! | file | question |
//! |---|---|
//! | `table.rs` | what every tabular verb returns |
//! | `finding.rs` | what an answered question consists of |
//! | `answer.rs` | what the first page of a report says |
//! | `figure.rs` | what a picture is, whoever draws it |
//! | `chart.rs` | what of it an office program can draw by itself |
//! | `rows.rs` | which of its rows, in what order, and what do they come to? |
//! | `workbook.rs` | how it becomes a workbook |
//! | `prose.rs` | what the marks of a text say |
//! | `words.rs` | how counts, shares and p-values read in a sentence |
//! | `wording.rs` | how numbers and columns are written for the readers of a page |
//! | `text.rs`, `markdown.rs`, `html.rs` | how a block looks in a terminal, in Markdown, on a page |
//! | `base64.rs` | how bytes stand in a page |
//! | `notebook.rs` | how a noun, a data frame, a list of numbers displays itself in a notebook cell |
//! | `lazy.rs` | polars' query engine in notebooks (feature `frames`) |

mod answer;
pub(crate) mod base64;
mod chart;
mod figure;
mod finding;
pub(crate) mod html;
#[cfg(feature = "frames")]
mod lazy;
pub(crate) mod markdown;
mod notebook;
mod prose;
mod rows;
mod table;
mod text;
pub(crate) mod wording;
pub(crate) mod words;
mod workbook;

pub use answer::Answer;
pub use chart::{Categories, ChartKind, ChartSeries, SimpleChart};
pub use figure::{Figure, Picture};
pub use finding::Finding;
pub(crate) use finding::{Claim, Placebo};
#[cfg(feature = "frames")]
pub use lazy::Lazy;
pub(crate) use notebook::noun;
pub use prose::{Prose, Words};
pub(crate) use table::{Grid, one_line};
pub use table::{Table, Value};

pub use crate::format::number;

/// A piece of an answer, in the form that every output can lay out.
///
/// ```
/// use tradewind::show::Block;
/// let block = Block::Group(vec![Block::Heading { level: 2, text: "Sales".into() }, Block::Text("They rose.".into())]);
/// assert_eq!(block.to_markdown(), "## Sales\n\nThey rose.\n");
/// ```
#[derive(Clone)]
pub enum Block {
    /// A heading; level 1 is the title of a whole page.
    Heading {
        /// 1 to 6.
        level: u8,
        /// Its words.
        text: String,
    },
    /// A paragraph, or several with an empty line between them.
    Text(String),
    /// A paragraph or a list with marks: bold, emphasis, code, links.
    Prose(Prose),
    /// A caveat, set apart from the text.
    Note(String),
    /// Short points in order of importance.
    List(Vec<String>),
    /// Rows and named columns.
    Table(Table),
    /// A picture.
    Figure(Figure),
    /// Something to copy, such as a command.
    Code {
        /// What it is written in, for the colouring: `rust`, `sh`.
        language: String,
        /// The code itself.
        text: String,
    },
    /// A question of a first page with its answer.
    Answer(Answer),
    /// Where the numbers of the blocks before it come from, up to the last heading or source: the call that gives them again,
    /// such as `sales.explore("trend")`.
    Source(String),
    /// What a speaker says to a slide: on a page it is left out, on slides it stands in the speaker's notes.
    Spoken(String),
    /// Several blocks in order.
    Group(Vec<Block>),
}

/// A noun that can be shown. Implement it, say `noun!(Type)`, and every output follows.
pub trait Show {
    /// The noun as blocks.
    fn block(&self) -> Block;

    /// Display in a notebook cell; the Rust kernel calls it on the last expression.
    fn evcxr_display(&self) {
        notebook::display(&self.block());
    }
}

impl Block {
    /// The block for a terminal: at most 120 columns wide, tables cut to 40 rows.
    pub fn to_text(&self) -> String {
        text_within(self, text::WIDTH)
    }

    /// The block as Markdown, every special character escaped. A figure becomes its alternative text: a report
    /// writes the pictures beside its page.
    pub fn to_markdown(&self) -> String {
        markdown::render(self, &mut markdown::figure_in_words)
    }

    /// The block as a fragment of HTML with its pictures inside: it looks right in a notebook, light or dark.
    pub fn to_html(&self) -> String {
        html::standalone(self).into_string()
    }

    /// The blocks in order, groups opened.
    pub(crate) fn leaves(&self) -> Vec<&Block> {
        match self {
            Block::Group(blocks) => blocks.iter().flat_map(Block::leaves).collect(),
            leaf => vec![leaf],
        }
    }
}

/// A block for a terminal of so many columns.
pub fn text_within(block: &Block, width: usize) -> String {
    text::render(block, width)
}

impl Show for Block {
    fn block(&self) -> Block {
        self.clone()
    }
}

impl From<Table> for Block {
    fn from(table: Table) -> Self {
        Block::Table(table)
    }
}

impl From<Figure> for Block {
    fn from(figure: Figure) -> Self {
        Block::Figure(figure)
    }
}

impl<T: Show> From<&T> for Block {
    fn from(noun: &T) -> Self {
        noun.block()
    }
}

noun!(Block, Table);

/// The paragraphs of a text, which are separated by empty lines, each on one line.
pub(crate) fn paragraphs(text: &str) -> Vec<String> {
    text.replace("\r\n", "\n").split("\n\n").map(one_line).filter(|paragraph| !paragraph.is_empty()).collect()
}
