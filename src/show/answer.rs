//! What does the first page of a report say? A question, the number that answers it, a sentence, a small figure.

use super::{Block, Figure, Show, noun};

/// One of the questions that the first page of a report answers, in words without technical terms.
///
/// ```
/// use tradewind::show::Answer;
/// let answer = Answer::new("What comes?", "3.2 million", "3.2 million are expected over the next 8 weeks.");
/// assert!(answer.to_string().contains("3.2 million are expected"));
/// ```
#[derive(Clone)]
pub struct Answer {
    question: String,
    number: String,
    sentence: String,
    figure: Option<Figure>,
}

impl Answer {
    /// An answer without a figure.
    pub fn new(question: impl Into<String>, number: impl Into<String>, sentence: impl Into<String>) -> Self {
        Self { question: question.into(), number: number.into(), sentence: sentence.into(), figure: None }
    }

    /// The same with a small figure.
    #[must_use]
    pub fn drawn(self, figure: Figure) -> Self {
        Self { figure: Some(figure), ..self }
    }

    /// The question.
    pub fn question(&self) -> &str {
        &self.question
    }

    /// The number, with its unit.
    pub fn number(&self) -> &str {
        &self.number
    }

    /// The answer in words.
    pub fn sentence(&self) -> &str {
        &self.sentence
    }

    /// The small figure, if it has one.
    pub fn figure(&self) -> Option<&Figure> {
        self.figure.as_ref()
    }
}

impl Show for Answer {
    fn block(&self) -> Block {
        Block::Answer(self.clone())
    }
}

noun!(Answer);
