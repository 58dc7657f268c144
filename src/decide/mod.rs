//! Decisions from a forecast distribution: what to do, why, and what it is expected to cost or bring.
//!
//! | file | question |
//! |---|---|
//! | `mod.rs` | what is a decision? |
//! | `rows.rs` | what does a file with a row per item say? |
//! | `scenarios.rs` | what if something were otherwise? |
//! | `replenish/` | how much is ordered of each item, and what would that policy have cost? |
//! | [`price`] | which price earns most, which path of prices clears a stock? |
//! | [`promotion`] | what does a calendar of promotions earn, and which is the best? |
//! | [`stock`] | the mathematics of inventory, as plain functions |
//! | [`marketing`] | what do marketing channels bring, and how is a budget split? |

pub mod marketing;
pub mod price;
pub mod promotion;
mod replenish;
mod rows;
mod scenarios;
pub mod stock;

use std::path::Path;
use std::sync::Arc;

use polars::prelude::*;

pub use marketing::MarketingBudget;
pub use price::{MarkdownPolicy, PricePolicy};
pub use promotion::PromotionPolicy;
pub(crate) use replenish::{Arrival, Choice, LEVELS, State};
pub use replenish::{Belief, Lots, StockPolicy, Unmet};
pub(crate) use scenarios::latest;

use crate::error::{Error, Result};
use crate::forecast::Forecast;
use crate::panel::Panel;
use crate::show::words::about;
use crate::show::{Block, Figure, Finding, Show, Table};
use replenish::Resupply;

/// What to do, why, and what it is expected to cost or bring: orders, prices, promotions, budgets.
///
/// ```
/// use tradewind::polars::prelude::*;
/// use tradewind::prelude::*;
/// let sold = [3.0, 5.0, 2.0, 4.0, 6.0, 3.0, 4.0, 5.0, 2.0, 6.0, 4.0, 3.0];
/// let frame = df!("item" => ["a"; 12], "week" => (1..=12).collect::<Vec<i64>>(), "sold" => sold)?;
/// let sales = Panel::from_frame(frame, Columns::new(["item"], "week", "sold"))?;
/// let folder = tempfile::tempdir()?;
/// let state = folder.path().join("state.csv");
/// std::fs::write(&state, "item,on_hand,in_transit_1\na,9,2\n")?;
/// let forecast = sales.fit(["gamma_poisson"])?.forecast(3)?;
/// let policy = StockPolicy { lead_time: 2, cycle_service: Some(0.9), ..StockPolicy::default() };
/// let decision = forecast.decide_stock(&state, &policy)?;
/// assert_eq!(decision.table()?.get(0, "position")?.to_string(), "11");
/// println!("{}", decision.explain("item=a")?.sentence());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Decision {
    kind: Arc<dyn Decided>,
    /// How model and policy were chosen, if they were.
    choice: Option<Arc<dyn Decided>>,
}

/// One kind of decision.
pub(crate) trait Decided: Send + Sync {
    /// What it is about: `Orders`.
    fn title(&self) -> String;

    /// What is decided, in one sentence.
    fn sentence(&self) -> String;

    /// A row per item, with what is decided and why.
    fn table(&self) -> Result<Table>;

    /// Why it is decided so of an item.
    fn explain(&self, item: &str) -> Result<Finding>;

    /// The items without a decision, each with the reason.
    fn undecided(&self) -> Result<Table>;

    /// The forecast that it rests on, if it is one.
    fn forecast(&self) -> Option<Forecast> {
        None
    }

    /// What orders are placed by, if it is one on orders.
    fn resupply(&self) -> Option<Resupply> {
        None
    }

    /// What each order of its table meets when it arrives, if it is one on orders.
    fn arrivals(&self) -> Vec<Option<Arrival>> {
        Vec::new()
    }

    /// What a user should know of it beside: of the forecast, of what it could not take into account.
    fn caveats(&self) -> Vec<String> {
        self.forecast().and_then(|forecast| forecast.caveat()).into_iter().collect()
    }

    /// Its figures, the most telling first.
    fn figures(&self) -> Result<Vec<Figure>> {
        Ok(Vec::new())
    }

    /// What readers see of it below the sentence: by default the table and the figures.
    fn blocks(&self) -> Result<Vec<Block>> {
        let figures = self.figures()?.into_iter().map(Block::Figure);
        Ok(std::iter::once(Block::Table(self.table()?)).chain(figures).collect())
    }
}

impl Decision {
    pub(crate) fn of(kind: impl Decided + 'static) -> Self {
        Self { kind: Arc::new(kind), choice: None }
    }

    /// The same, with how model and policy were chosen.
    pub(crate) fn chosen_by(self, choice: impl Decided + 'static) -> Self {
        Self { choice: Some(Arc::new(choice)), ..self }
    }

    /// What it is about.
    pub fn title(&self) -> String {
        self.kind.title()
    }

    /// What is decided, in one sentence; then how model and policy were chosen, if they were.
    pub fn sentence(&self) -> String {
        let sentences = [Some(self.kind.sentence()), self.choice.as_ref().map(|choice| choice.sentence())];
        sentences.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    /// Its figures, the most telling first; then those of how model and policy were chosen.
    ///
    /// # Errors
    /// When a figure cannot be drawn.
    pub fn figures(&self) -> Result<Vec<Figure>> {
        let mut figures = self.kind.figures()?;
        if let Some(choice) = &self.choice {
            figures.extend(choice.figures()?);
        }
        Ok(figures)
    }

    /// What a user should know beside it.
    pub fn caveat(&self) -> Option<String> {
        let caveats = self.kind.caveats();
        (!caveats.is_empty()).then(|| caveats.join(" "))
    }

    /// A row per item with what is decided and what explains it; empty cells where there is no decision. Of orders: the keys,
    /// `order` (whole units), `position` (on hand and on the way), `level` (what the order brings the position up to before packs
    /// and limits), `mean` (expected demand until the next order arrives), `p_out` (the probability that some demand is not met
    /// while the order lasts), `expected_cost` (of the steps that it is for, empty without costs) and `reason`.
    ///
    /// # Errors
    /// Only if the table cannot be assembled.
    pub fn table(&self) -> Result<Table> {
        self.kind.table()
    }

    /// Why it is decided so of an item: the reason, what is expected step by step, and a figure.
    ///
    /// # Errors
    /// When there is no such item; the nearest is suggested.
    pub fn explain(&self, item: &str) -> Result<Finding> {
        self.kind.explain(item)
    }

    /// The items without a decision, each with the reason.
    ///
    /// # Errors
    /// Only if the table cannot be assembled.
    pub fn undecided(&self) -> Result<Table> {
        self.kind.undecided()
    }

    /// The forecast that it rests on.
    ///
    /// # Errors
    /// When it rests on no single forecast.
    pub fn forecast(&self) -> Result<Forecast> {
        self.kind.forecast().ok_or_else(|| Error::usage(format!("`{}` do not rest on a single forecast", self.title())))
    }

    /// What the order of each row of [`table`](Self::table) meets when it arrives; none for other decisions.
    pub(crate) fn arrivals(&self) -> Vec<Option<Arrival>> {
        self.kind.arrivals()
    }

    /// Writes [`table`](Self::table), by the end of the path's name as CSV, Parquet, JSON or workbook.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        self.table()?.save(path)
    }
}

/// What readers see of a table: which columns, by which names, and what these mean.
struct Reading<'a> {
    keys: Vec<String>,
    /// A column whose name for readers ends in `%` holds shares, or percent if its own name says so; `low` stands for an interval
    /// up to `high`.
    columns: &'a [(&'a str, &'a str)],
    meaning: &'a str,
}

impl Reading<'_> {
    fn table(&self, table: &Table) -> Result<Table> {
        let frame = table.frame();
        let mut columns = Vec::new();
        for key in &self.keys {
            columns.push(frame.column(key)?.clone());
        }
        for (name, words) in self.columns {
            let column = frame.column(name)?;
            if *name == "low" {
                let ends = column.f64()?.iter().zip(frame.column("high")?.f64()?.iter());
                let interval = |(low, high): (Option<f64>, Option<f64>)| {
                    let (low, high) = low.zip(high)?;
                    Some(format!("{} to {}", about(low), about(high)))
                };
                columns.push(Column::new((*words).into(), ends.map(interval).collect::<Vec<Option<String>>>()));
                continue;
            }
            columns.push(match words.ends_with('%') {
                true => {
                    let shares = column.f64()?.iter();
                    let times = if name.ends_with("percent") { 10.0 } else { 1000.0 };
                    let percent = |share: Option<f64>| share.map(|share| (times * share).round() / 10.0);
                    Column::new((*words).into(), shares.map(percent).collect::<Vec<Option<f64>>>())
                }
                false => column.clone().with_name((*words).into()),
            });
        }
        Ok(Table::new(DataFrame::new(frame.height(), columns)?))
    }

    /// The figures, then the table and what its columns mean: of decisions that a figure tells faster. A figure that cannot be drawn
    /// is left out.
    fn figures_first(&self, decided: &impl Decided) -> Result<Vec<Block>> {
        let figures = decided.figures().unwrap_or_default().into_iter().map(Block::Figure);
        let table = self.table(&decided.table()?)?.titled(decided.title());
        Ok(figures.chain([Block::Table(table), Block::Text(self.meaning.into())]).collect())
    }
}

/// The one model that a decision rests on; `hint` says how one is named.
///
/// # Errors
/// When there are several, or none.
pub(crate) fn only_model<M>(models: Vec<M>, hint: &str) -> Result<M> {
    let [model] = <[M; 1]>::try_from(models).map_err(|models| {
        let many = models.len();
        Error::usage(format!("a decision rests on the forecast of one model, not of {many}: name one{hint}"))
    })?;
    Ok(model)
}

/// The key columns of items; of those without a series they are read from the label.
fn keyed<'a>(panel: &Panel, items: impl Iterator<Item = (Option<usize>, &'a str)> + Clone) -> Result<Vec<Column>> {
    let mut columns = panel.key_columns(items.clone().filter_map(|(series, _)| series))?;
    if items.clone().all(|(series, _)| series.is_some()) {
        return Ok(columns);
    }
    for column in &mut columns {
        let name = column.name().clone();
        let start = format!("{name}=");
        let texts = column.cast(&DataType::String)?;
        let mut known = texts.str()?.iter();
        let cell = |(series, label): (Option<usize>, &'a str)| match series {
            Some(_) => known.next().flatten(),
            None => label.split(", ").find_map(|part| part.strip_prefix(&start)),
        };
        let cells: Vec<Option<&str>> = items.clone().map(cell).collect();
        *column = Column::new(name, cells);
    }
    Ok(columns)
}

/// Items without a decision, and why.
fn without<'a>(items: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Table> {
    let (labels, reasons): (Vec<&str>, Vec<&str>) = items.unzip();
    let columns = vec![Column::new("series".into(), &labels), Column::new("reason".into(), &reasons)];
    Ok(Table::new(DataFrame::new(labels.len(), columns)?))
}

impl Show for Decision {
    fn block(&self) -> Block {
        let mut blocks = vec![Block::Text(self.sentence())];
        blocks.extend(self.kind.blocks().unwrap_or_default());
        if let Some(choice) = &self.choice {
            blocks.push(Block::Heading { level: 3, text: choice.title() });
            blocks.extend(choice.blocks().unwrap_or_default());
        }
        blocks.extend(self.caveat().map(Block::Note));
        Block::Group(blocks)
    }
}

crate::show::noun!(Decision);
