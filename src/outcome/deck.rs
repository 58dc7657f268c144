//! Which slides tell an outcome? At most twelve, each with a message for a title and one figure that shows it; the evidence is
//! backup behind them.

use super::Outcome;
use super::sections::{heading, source};
use crate::error::Result;
use crate::figures::Bars;
use crate::report::Report;
use crate::show::words::{counted, rounded};
use crate::show::{Block, Show};

/// Slides of findings at most, so that all are twelve.
const FINDINGS: usize = 3;
/// Orders on a slide.
const ORDERS: usize = 12;
/// Letters of a title at most.
const TITLE: usize = 90;
const CONTRIBUTION: &str = "panel.explore(\"contribution\")";

impl Outcome {
    /// The slides: what it means for the business, what was found, what comes, what to do, how sure, how it was made, what could go
    /// wrong; the evidence behind them.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let outcome = Plan { models: "seasonal_naive; theta".parse()?, ..Plan::demo()? }.run()?;
    /// let folder = tempfile::tempdir()?;
    /// outcome.deck()?.save_slides(folder.path().join("slides.html"))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When a figure cannot be made.
    pub fn deck(&self) -> Result<Report> {
        let mut deck = self.framed()?;
        let [(happened, _), (drives, _), (comes, _), (to_do, to_do_source), (sure, _)] = self.five()?;
        // Business value first.
        let in_short = [&happened, &drives, &comes, &to_do, &sure].map(|answer| answer.brief().to_string());
        deck = deck.add(heading("In short")).add(Block::List(in_short.to_vec()));
        let growth = self.panel().explore("trend").ok();
        if let Some(growth) = &growth {
            deck = slide(
                deck,
                &growth.headline(),
                growth.figure().ok().map(|figure| figure.block()),
                "panel.explore(\"trend\")",
                happened.sentence(),
            );
        }
        let contribution = self.panel().explore("contribution").ok().map(|finding| (finding, CONTRIBUTION));
        let drivers = self.drivers().into_iter().map(|finding| (finding, "outcome.tour"));
        let told = contribution.into_iter().chain(drivers).filter(|(finding, _)| finding.number().is_some());
        let drawn = told.filter_map(|(finding, query)| Some((finding.figure().ok()?, finding, query)));
        for (figure, finding, query) in drawn.take(FINDINGS) {
            deck = slide(deck, &finding.headline(), Some(figure.block()), query, &finding.sentence());
        }
        let model = self.forecaster()?;
        let total = self.steps_source()?;
        deck = slide(deck, &self.expectation()?, Some(self.total_figure()?.block()), &total, comes.sentence());
        let name = self.backtest().name(&model)?;
        let series = self.forecast().plot_as(&model, &name)?.block();
        let title = match self.panel().len() {
            1 => "The forecast and its intervals".to_string(),
            _ => "The largest series, and where each is expected to go".to_string(),
        };
        deck = slide(deck, &title, Some(series), &format!("outcome.forecast.plot({model:?})"), "");
        let shown = match self.decision() {
            Some(decision) => {
                let bars = Bars {
                    title: "What to order now".into(),
                    value: self.order_unit(),
                    rows: self
                        .orders(&decision)?
                        .into_iter()
                        .take(ORDERS)
                        .map(|one| (one.name, one.quantity))
                        .collect(),
                    best: None,
                    reference: None,
                };
                bars.figure().block()
            }
            None => self.section("actions").map(table_of)?,
        };
        deck = slide(deck, to_do.brief(), Some(shown), &to_do_source, to_do.sentence());
        if let Ok(miss) = self.backtest().score(&model, "wape") {
            let usual = self.usual_miss(&model).map_or(String::new(), |usual| {
                format!("; repeating {} by {} %", self.season_before(), rounded(usual, 1))
            });
            let title = format!("Past forecasts were off by {} %{usual}", rounded(miss, 1));
            let misses = self.misses()?.block();
            deck = slide(deck, &title, Some(misses), "outcome.backtest.leaderboard(\"wape\")", sure.sentence());
        }
        let title = format!(
            "{} were compared in {}",
            counted(self.backtest().models().len(), "model", "models"),
            counted(self.backtest().folds().len(), "test on past data", "tests on past data")
        );
        let last = self.backtest().plot_last(&model)?.block();
        deck =
            slide(deck, &title, Some(last), &format!("outcome.backtest.plot_last({model:?})"), &self.headline(&model)?);
        deck = deck.add(heading("What could make this wrong")).add(list_of(self.section("limits")?));
        deck = deck.backup();
        for name in ["evidence", "challenges", "method"] {
            deck = deck.add(self.section(name)?);
        }
        Ok(deck)
    }
}

/// A slide: the message, what shows it, where it comes from, what a speaker says.
fn slide(deck: Report, title: &str, shown: Option<Block>, query: &str, spoken: &str) -> Report {
    let deck = deck.add(heading(&cut(title)));
    let deck = shown.into_iter().fold(deck, Report::add);
    let deck = deck.add(source(query));
    if spoken.is_empty() { deck } else { deck.add(Block::Spoken(spoken.into())) }
}

/// A title that fits on its slide: cut at a clause if it is too long.
fn cut(title: &str) -> String {
    if title.chars().count() <= TITLE {
        return title.trim_end_matches('.').to_string();
    }
    // A comma inside a number is no end.
    let ends = ["; ", ", ", ": "].iter().flat_map(|end| title.match_indices(end)).map(|(at, _)| at);
    let fits = ends.filter(|at| title[..*at].chars().count() <= TITLE).max();
    fits.map_or_else(|| title.trim_end_matches('.').to_string(), |at| title[..at].to_string())
}

/// The first table of a block.
fn table_of(block: Block) -> Block {
    let found = block.leaves().into_iter().find(|leaf| matches!(leaf, Block::Table(_))).cloned();
    found.unwrap_or(block)
}

/// The first list of a block.
fn list_of(block: Block) -> Block {
    let found = block.leaves().into_iter().find(|leaf| matches!(leaf, Block::List(_))).cloned();
    found.unwrap_or(block)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_cut_at_clauses_and_never_inside_a_number() {
        let title = format!("Order 5,000 units of 12 items now; the largest order is 1,200 of {}.", "x".repeat(200));
        assert_eq!(cut(&title), "Order 5,000 units of 12 items now");
        assert_eq!(cut("Sales rose by 1,234 units."), "Sales rose by 1,234 units");
        let whole = "x".repeat(120);
        assert_eq!(cut(&whole), whole);
    }
}
