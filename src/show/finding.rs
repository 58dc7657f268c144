//! One answered question: a sentence with its numbers, a table, a figure, how sure, caveats.

use polars::prelude::*;

use super::words::about;
use super::{Block, Figure, Show, Table, noun};
use crate::error::{Error, Result};
use crate::statistics::{Estimate, check_level};

/// One answered question.
#[derive(Clone)]
pub struct Finding {
    title: String,
    sentence: String,
    /// The number that says most, and the finding as a headline.
    brief: Option<(String, String)>,
    table: Table,
    /// The table as readers see it, where that differs.
    shown: Option<Table>,
    /// Further tables below it.
    also: Vec<Table>,
    figure: Option<Figure>,
    claims: Vec<Claim>,
    sure: Vec<String>,
    caveats: Vec<String>,
}

/// What a finding claims of the data that could be otherwise: one hypothesis that was tested.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    /// What it is about, the same words whichever part of the data is asked: a covariate, a series, a date.
    pub about: String,
    /// The claim with its numbers, in a sentence that stands alone and says what it means for the business.
    pub sentence: String,
    /// Its size, in the unit of the question.
    pub estimate: Estimate,
    /// How probable evidence as strong is where there is nothing.
    pub p: f64,
    /// What it is worth in a year, in units of the target; NaN where it is worth nothing that can be counted.
    pub money: f64,
    /// The same estimate where there is no event.
    pub placebo: Option<Placebo>,
    /// Can it be asked for again in a half of the series or weeks?
    pub again: bool,
    /// Its unit, for the words: `%`, after a blank; empty for a bare number.
    pub unit: &'static str,
}

impl Claim {
    /// The estimate in words: `+12 %`, `−1.8`.
    pub fn size(&self) -> String {
        let value = self.estimate.value;
        let unit = if self.unit.is_empty() { String::new() } else { format!(" {}", self.unit) };
        format!("{}{}{unit}", if value < 0.0 { "−" } else { "+" }, about(value.abs()))
    }
}

/// The same estimate on dates and series without the event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Placebo {
    /// How often it was tried.
    pub tried: usize,
    /// How often it was as large as the effect.
    pub as_large: usize,
    /// Its typical size: the mean of the absolute values.
    pub typical: f64,
}

impl Placebo {
    /// Of an effect and what the same estimate gives elsewhere.
    pub fn of(effect: f64, elsewhere: &[f64]) -> Option<Self> {
        let sizes: Vec<f64> = elsewhere.iter().filter(|size| size.is_finite()).map(|size| size.abs()).collect();
        (!sizes.is_empty()).then(|| Self {
            tried: sizes.len(),
            as_large: sizes.iter().filter(|size| **size >= effect.abs()).count(),
            typical: sizes.iter().sum::<f64>() / sizes.len() as f64,
        })
    }
}

impl Finding {
    pub(crate) fn new(title: impl Into<String>, sentence: impl Into<String>, table: Table) -> Self {
        Self {
            title: title.into(),
            sentence: sentence.into(),
            brief: None,
            table,
            shown: None,
            also: Vec::new(),
            figure: None,
            claims: Vec::new(),
            sure: Vec::new(),
            caveats: Vec::new(),
        }
    }

    /// A further table below the first.
    pub(crate) fn and(mut self, table: Table) -> Self {
        self.also.push(table);
        self
    }

    /// The hypotheses that were tested, also those that found nothing.
    pub(crate) fn claiming(mut self, claims: Vec<Claim>) -> Self {
        self.claims = claims;
        self
    }

    /// The same answer with the number that says most, and a headline.
    pub(crate) fn headed(mut self, number: impl Into<String>, headline: impl Into<String>) -> Self {
        self.brief = Some((number.into(), headline.into()));
        self
    }

    /// The same answer in another sentence.
    pub(crate) fn saying(mut self, sentence: impl Into<String>) -> Self {
        self.sentence = sentence.into();
        self
    }

    /// How sure it is, in a sentence.
    pub(crate) fn sure_by(mut self, sentence: impl Into<String>) -> Self {
        self.sure.push(sentence.into());
        self
    }

    pub(crate) fn claims(&self) -> &[Claim] {
        &self.claims
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

    /// The answer as the title of a slide: a statement where there is a short one, else the title.
    pub fn headline(&self) -> String {
        self.brief.as_ref().map_or_else(|| self.title.clone(), |(_, headline)| headline.clone())
    }

    /// The number that says most, with its unit, if one does.
    pub fn number(&self) -> Option<String> {
        self.brief.as_ref().map(|(number, _)| number.clone())
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

    /// Tables besides the first.
    pub fn also(&self) -> Vec<Table> {
        self.also.clone()
    }

    /// How sure it is: tests, placebos, where it was found again.
    pub fn sure(&self) -> Vec<String> {
        self.sure.clone()
    }

    /// The hypotheses that were tested for it, a row each: what each is about, its estimate and the interval that holds the
    /// true value with this probability, how probable such evidence is by chance, what it is worth in a year in units of the
    /// target, and the share of placebos that are as large. Empty where the finding only describes.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let sales = Panel::read("data/walmart_sales_weekly.csv", Columns::new(["Store", "Dept"], "Date", "Weekly_Sales"))?;
    /// let growth = sales.explore("trend")?.effects(0.9)?;
    /// assert!(growth.rows() == 1 && growth.columns().contains(&"from".to_string()));
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the level is no probability.
    pub fn effects(&self, level: f64) -> Result<Table> {
        check_level(level)?;
        let claims = &self.claims;
        let numbers = |name: &str, pick: &dyn Fn(&Claim) -> f64| {
            Column::new(name.into(), claims.iter().map(pick).collect::<Vec<_>>())
        };
        let share = |placebo: Option<Placebo>| placebo.map_or(f64::NAN, |p| p.as_large as f64 / p.tried as f64);
        let columns = vec![
            Column::new("about".into(), claims.iter().map(|claim| claim.about.as_str()).collect::<Vec<_>>()),
            numbers("estimate", &|claim| claim.estimate.value),
            numbers("from", &|claim| claim.estimate.interval(level).0),
            numbers("to", &|claim| claim.estimate.interval(level).1),
            numbers("p", &|claim| claim.p),
            numbers("a year", &|claim| claim.money),
            numbers("placebos as large", &|claim| share(claim.placebo)),
        ];
        Ok(Table::new(DataFrame::new(claims.len(), columns)?).titled("What was tested"))
    }

    /// The caveats.
    pub fn caveats(&self) -> Vec<String> {
        self.caveats.clone()
    }

    /// What is found and its caveats; the statistics of how sure it is are for those who check.
    pub(crate) fn told(&self) -> Block {
        let mut blocks = self.answer();
        blocks.extend(self.caveats.iter().cloned().map(Block::Note));
        Block::Group(blocks)
    }

    /// Sentence, figure, tables.
    fn answer(&self) -> Vec<Block> {
        let mut blocks = vec![Block::Text(self.sentence.clone())];
        blocks.extend(self.figure.clone().map(Block::Figure));
        blocks.push(Block::Table(self.shown.as_ref().unwrap_or(&self.table).clone()));
        blocks.extend(self.also.iter().cloned().map(Block::Table));
        blocks
    }
}

impl Show for Finding {
    fn block(&self) -> Block {
        let mut blocks = self.answer();
        if !self.sure.is_empty() {
            blocks.push(Block::Note(format!("How sure: {}", self.sure.join(" "))));
        }
        blocks.extend(self.caveats.iter().cloned().map(Block::Note));
        Block::Group(blocks)
    }
}

noun!(Finding);
