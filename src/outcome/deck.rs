//! Which slides tell an outcome? At most twelve, each with a message for a title and one figure that shows it; the evidence is
//! backup behind them.

use super::answers::first_sentence;
use super::sections::{heading, source};
use super::{BENCHMARK, Outcome};
use crate::error::Result;
use crate::figures::Bars;
use crate::report::Report;
use crate::show::words::{counted, rounded};
use crate::show::{Block, Finding, Show};

/// Slides of findings at most, so that all are twelve.
const FINDINGS: usize = 3;
/// Orders on a slide.
const ORDERS: usize = 12;
/// Letters of a title at most.
const TITLE: usize = 90;

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
        let Block::Group(answers) = self.answers()? else { return Ok(deck) };
        let said = answers.iter().filter_map(|block| match block {
            Block::Answer(answer) => Some(answer),
            _ => None,
        });
        let said: Vec<_> = said.collect();
        let of = |place: usize| said.get(place).map(|answer| answer.sentence().to_string()).unwrap_or_default();
        // Business value first.
        let in_short = said.iter().map(|answer| first_sentence(answer.sentence())).collect();
        deck = deck.add(heading("In short")).add(Block::List(in_short));
        let growth = self.panel().explore("trend").ok();
        if let Some(growth) = &growth {
            deck = slide(
                deck,
                &growth.headline(),
                growth.figure().ok().map(|figure| figure.block()),
                "panel.explore(\"trend\")",
                &of(0),
            );
        }
        let told: Vec<Finding> = ["contribution"]
            .iter()
            .filter_map(|label| self.panel().explore(label).ok())
            .chain(self.drivers())
            .filter(|finding| finding.number().is_some() && finding.figure().is_ok())
            .collect();
        for finding in told.iter().take(FINDINGS) {
            let figure = finding.figure().ok().map(|figure| figure.block());
            deck = slide(deck, &finding.headline(), figure, "panel.tour()", &finding.sentence());
        }
        let model = self.forecaster()?;
        let outlook = self.outlook()?;
        let against = outlook.growth.map_or(String::new(), |growth| match rounded(100.0 * growth.abs(), 0) {
            size if size == "0" => ", as in the year before".into(),
            size => format!(", {size} % {} than a year before", if growth > 0.0 { "more" } else { "less" }),
        });
        let title = format!("{} are expected over {}{against}", self.amount(outlook.sum.mean), self.ahead());
        deck = slide(deck, &title, Some(self.total_figure()?.block()), "outcome.forecast.paths(…).total(…)", &of(2));
        let name = self.backtest().name(&model)?;
        let series = self.forecast().plot_as(&model, &name)?.block();
        let title = match self.panel().len() {
            1 => "The forecast and its intervals".to_string(),
            _ => "The largest series, and where each is expected to go".to_string(),
        };
        deck = slide(deck, &title, Some(series), &format!("outcome.forecast.plot({model:?})"), "");
        let (title, shown, query) = match self.decision() {
            Some(decision) => {
                let bars = Bars {
                    title: "What to order now".into(),
                    value: "units".into(),
                    rows: self.orders(&decision)?.into_iter().take(ORDERS).collect(),
                    best: None,
                    reference: None,
                };
                (first_of(&of(3)), bars.figure().block(), "plan.decide_stock()".to_string())
            }
            None => (first_of(&of(3)), self.section("actions").map(table_of)?, "outcome.section(\"actions\")".into()),
        };
        deck = slide(deck, &title, Some(shown), &query, &of(3));
        let miss = self.backtest().score(&model, "wape")?;
        let usual = if model == BENCHMARK { None } else { self.backtest().score(BENCHMARK, "wape").ok() };
        let usual = usual
            .map_or(String::new(), |usual| format!(", repeating {} by {} %", self.season_before(), rounded(usual, 1)));
        let title = format!("Forecasts of the past have missed by {} %{usual}", rounded(miss, 1));
        deck = slide(deck, &title, Some(self.misses()?.block()), "outcome.backtest.leaderboard(\"wape\")", &of(4));
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
    let ends = title.match_indices([';', ',', ':']).map(|(at, _)| at);
    let fits = ends.take_while(|at| title[..*at].chars().count() <= TITLE).last();
    fits.map_or_else(|| title.trim_end_matches('.').to_string(), |at| title[..at].to_string())
}

/// The first sentence, without its stop.
fn first_of(text: &str) -> String {
    // A decimal point ends no sentence.
    let end = [";", ": ", ". "].iter().filter_map(|stop| text.find(stop)).min();
    text[..end.unwrap_or(text.len())].trim_end_matches('.').to_string()
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
