//! The report of a tour: what stands, the dearest first, then each finding with its evidence, what the data hold, and what
//! they cannot answer.

use super::Report;
use crate::error::Result;
use crate::explore::Tour;
use crate::show::{Block, Show};

impl Tour {
    /// The findings as a report.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales").known(["IsHoliday"]);
    /// let report = Panel::read("data/walmart_sales_weekly.csv", columns)?.tour()?.report()?;
    /// assert!(report.to_string().contains("In short"));
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// When a table cannot be made.
    pub fn report(&self) -> Result<Report> {
        let findings = self.findings();
        let mut report = Report::new(self.title()).heading("In short").add(Block::Text(self.sentence()));
        if !findings.is_empty() {
            report = report.add(Block::List(findings.iter().map(crate::show::Finding::sentence).collect()));
        }
        for finding in findings.iter().chain(&self.described()) {
            report = report.heading(finding.title()).add(finding);
        }
        let unanswered = self.unanswered()?;
        if unanswered.rows() > 0 {
            report = report.heading("What these data cannot answer").add(unanswered.block());
        }
        Ok(report.heading("How sure").add(Block::Text(self.method())))
    }
}
