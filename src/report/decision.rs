//! A decision as a page: what to do in a sentence, why, what there is no decision on.

use super::Report;
use crate::decide::Decision;
use crate::error::Result;
use crate::show::{Block, Show};

impl Decision {
    /// The decision as a report of its own: what to do, the most important first, why, how model and policy were chosen, and
    /// what could not be decided with the reasons.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales");
    /// let sales = Panel::read("data/walmart_sales_weekly.csv", columns)?;
    /// let policy = StockPolicy::parse("lead_time=2, cycle_service=0.9")?;
    /// let orders = sales.fit(["theta"])?.forecast(3)?.decide_stock("data/stock.csv", &policy)?;
    /// assert!(orders.report()?.to_string().contains("Order "));
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// Only if a table cannot be assembled.
    pub fn report(&self) -> Result<Report> {
        let mut report = Report::new(self.title()).add(self.block());
        let undecided = self.undecided()?;
        if undecided.rows() > 0 {
            report = report.heading("Without a decision").add(Block::Table(undecided));
        }
        Ok(report)
    }
}
