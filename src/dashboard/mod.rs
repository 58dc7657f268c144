//! How does an analyst play with sales and forecasts, and a planner look a number up, without a program or a network? A
//! [`Dashboard`]: one HTML file of linked charts that opens in any browser.
//!
//! Everything on it works by mouse, touch and keyboard alone; every chart has a table and is read out; a link to a view
//! restores it. It makes no request: its Content-Security-Policy forbids any.
//!
//! | file | question |
//! |---|---|
//! | `data.rs` | what does a page hold? how are intervals of totals made? |
//! | `source.rs` | how do a panel, a forecast, a backtest and orders become that? |
//! | `pack.rs` | how do ten million numbers fit into a page? |
//! | `page.rs` | how do they become one HTML file? |
//! | `page.html`, `page.css` | what does it look like? |
//! | `page/` | what happens when somebody filters, drags, presses a key? `page.rs` joins its files in their order: |
//! | — `head`, `numbers`, `unpack`, `state` | what is given, how it reads, how it is unpacked, what is chosen |
//! | — `selection` | what does the selection come to? |
//! | — `draw`, then a file per part of the page | how is it drawn? |
//! | — `changes`, `controls`, `download`, `keyboard`, `start` | what can people do, and how does the page come up? |
//! | `vendor/` | the library of charts, and where it is from |
//!
//! The script is set by `prettier --print-width 120 --single-quote --arrow-parens avoid`.

mod data;
mod pack;
mod page;
mod source;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::decide::Decision;
use crate::error::{Error, Result};
use crate::evaluate::Backtest;
use crate::files::{mark, write_atomically};
use crate::forecast::Forecast;
use crate::outcome::Outcome;
use crate::panel::Panel;
use crate::plan::Plan;
use crate::report::font_css;
use crate::show::{Block, Show, noun};
use data::Data;

/// The seed of the paths behind intervals of totals, where no plan states one.
const SEED: u64 = 1;

/// Linked charts of sales, forecasts, errors and orders in one file that opens in a browser, offline.
///
/// ```
/// use tradewind::prelude::*;
/// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales").known(["IsHoliday"]);
/// let sales = Panel::read("data/walmart_sales_weekly.csv", columns)?;
/// let forecast = sales.fit(["seasonal_naive", "theta"])?.forecast(8)?;
/// let trial = sales.backtest(["seasonal_naive", "theta"], Folds::new(3, 8))?;
/// let page = forecast.dashboard()?.tested(&trial)?.titled("Weekly sales").main("theta")?;
/// let folder = tempfile::tempdir()?;
/// assert_eq!(page.save(folder.path().join("sales.html"))?.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Dashboard {
    data: Arc<Data>,
    panel: Panel,
    /// The labels of its models.
    labels: Vec<String>,
}

impl Panel {
    /// The sales as a dashboard.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales");
    /// let page = Panel::read("data/walmart_sales_weekly.csv", columns)?.dashboard()?;
    /// assert!(page.to_string().contains("7 series"));
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// When there is nothing to show or far too much, or the panel holds duplicate timestamps or timestamps off its calendar.
    pub fn dashboard(&self) -> Result<Dashboard> {
        let data = source::sales(self, &[], 0)?;
        Ok(Dashboard { data: Arc::new(data), panel: self.clone(), labels: Vec::new() })
    }
}

impl Forecast {
    /// The forecast with its history as a dashboard. Intervals of totals come from 500 joint sample paths.
    ///
    /// # Errors
    /// As [`Panel::dashboard`], and when paths cannot be drawn.
    pub fn dashboard(&self) -> Result<Dashboard> {
        Dashboard::of(self, SEED)
    }
}

impl Outcome {
    /// The results of the plan as a dashboard: history, forecast and the errors of the backtest.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let page = Plan::demo()?.run()?.dashboard()?;
    /// assert!(page.to_string().contains("8 weeks"));
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Forecast::dashboard`].
    pub fn dashboard(&self) -> Result<Dashboard> {
        let plan = self.plan();
        let dashboard = Dashboard::of(&self.forecast(), plan.seed)?.tested(&self.backtest())?;
        let dashboard = dashboard.titled(&plan.title).worded(plan)?.main(&self.forecaster()?)?;
        match self.decision() {
            Some(decision) => dashboard.orders(&decision),
            None => Ok(dashboard),
        }
    }
}

impl Dashboard {
    fn of(forecast: &Forecast, seed: u64) -> Result<Self> {
        let data = source::forecast(forecast, seed)?;
        Ok(Self { data: Arc::new(data), panel: forecast.panel(), labels: forecast.models() })
    }

    fn with(mut self, change: impl FnOnce(&mut Data)) -> Self {
        change(Arc::make_mut(&mut self.data));
        self
    }

    /// The same under another title.
    #[must_use]
    pub fn titled(self, title: impl Into<String>) -> Self {
        self.with(|data| data.title = title.into())
    }

    /// The same with the numbers, columns, currency and unit of a plan's readers.
    fn worded(self, plan: &Plan) -> Result<Self> {
        let wording = plan.wording()?;
        let stated = |text: &Option<String>| text.as_deref().unwrap_or_default().trim().to_string();
        Ok(self.with(|data| {
            (data.wording, data.currency, data.unit) = (wording, stated(&plan.currency), stated(&plan.unit));
        }))
    }

    /// The same with this model shown first, given its label.
    ///
    /// # Errors
    /// When it has no such model; the nearest is suggested.
    pub fn main(self, model: &str) -> Result<Self> {
        let (place, _) = crate::models::place(model, &self.labels)?;
        Ok(self.with(|data| data.main = place))
    }

    /// The same with a map of the errors that its models made in a backtest.
    ///
    /// # Errors
    /// When the backtest is of other series.
    pub fn tested(self, backtest: &Backtest) -> Result<Self> {
        let errors = source::errors(&self.data, &self.panel, &self.labels, backtest)?;
        Ok(self.with(|data| data.errors = Some(errors)))
    }

    /// The same with orders and stock.
    ///
    /// # Errors
    /// When the decision is not on orders.
    pub fn orders(self, decision: &Decision) -> Result<Self> {
        let orders = source::orders(&self.panel, decision)?;
        Ok(self.with(|data| data.orders = Some(orders)))
    }

    /// The page as text.
    pub fn html(&self) -> String {
        self.data.wording.within(|| page::html(&self.data, &font_css()))
    }

    /// Saves the page as one `.html` file. Returns the files written.
    ///
    /// # Errors
    /// The extension is another, or the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<Vec<PathBuf>> {
        let path = path.as_ref();
        let end = path.extension().and_then(|end| end.to_str()).unwrap_or("").to_lowercase();
        if !matches!(end.as_str(), "html" | "htm") {
            return Err(Error::usage(format!(
                "cannot save a dashboard as `{}`: name a file that ends in .html",
                path.display()
            )));
        }
        write_atomically(path, mark::at_end(&self.html()).as_bytes())?;
        Ok(vec![path.to_path_buf()])
    }
}

impl Show for Dashboard {
    fn block(&self) -> Block {
        Block::Text(format!("Dashboard: {}, {}", self.data.title, self.data.subtitle))
    }
}

noun!(Dashboard);

#[cfg(test)]
mod tests;
