//! What does the first page of a report say? A question, the number that answers it, a sentence, a small figure.

use super::{Block, Figure, Show, noun};

/// One of the questions that the first page of a report answers, in words without technical terms.
///
/// ```
/// use tradewind::show::Answer;
/// let answer = Answer::new("What comes next?", "3.2 million", "3.2 million is expected over the next 8 weeks. At least 3 million.")
///     .in_short("3.2 million is expected over the next 8 weeks.");
/// assert!(answer.to_string().contains("At least 3 million."));
/// assert!(!answer.brief().contains("At least"));
/// ```
#[derive(Clone)]
pub struct Answer {
    question: String,
    number: String,
    sentence: String,
    brief: Option<String>,
    figure: Option<Figure>,
}

impl Answer {
    /// An answer without a figure.
    pub fn new(question: impl Into<String>, number: impl Into<String>, sentence: impl Into<String>) -> Self {
        Self { question: question.into(), number: number.into(), sentence: sentence.into(), brief: None, figure: None }
    }

    /// The same with a small figure.
    #[must_use]
    pub fn drawn(self, figure: Figure) -> Self {
        Self { figure: Some(figure), ..self }
    }

    /// The same with a shorter sentence for slides.
    #[must_use]
    pub fn in_short(self, sentence: impl Into<String>) -> Self {
        Self { brief: Some(sentence.into()), ..self }
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

    /// The answer in words, as short as a slide wants it.
    pub fn brief(&self) -> &str {
        self.brief.as_deref().unwrap_or(&self.sentence)
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
