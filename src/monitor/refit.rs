//! Is there a reason to fit a model again, and what follows once that is done or has failed?

use chrono::{DateTime, Utc};
use tradewind_monitor::alerts::{Severity, What};

use super::enabled::Monitor;
use crate::error::Result;

impl Monitor {
    /// The alerts that go on and began after a date, in words, as far as a new fit may help against them: of severity warning or
    /// critical, about errors, bias, coverage or drift. Data that are missing or late are mended elsewhere.
    pub(crate) fn troubles_since(&self, made: DateTime<Utc>) -> Result<Vec<String>> {
        let open = self.held().store().open_alerts()?;
        let is_helped = |what| matches!(what, What::Error | What::Bias | What::Coverage | What::Drift);
        let counts = open.into_iter().filter(|open| {
            open.began_at > made && open.alert.severity >= Severity::Warning && is_helped(open.alert.what)
        });
        Ok(counts.map(|open| open.alert.sentence).collect())
    }

    /// Tells whom the rules name that a model could not be fitted again, or that this is over; then detectors find anew what is usual
    /// of its errors.
    pub(crate) fn refitted(&self, name: &str, failure: Option<&str>) -> Result<()> {
        let mut monitor = self.held();
        if failure.is_none() {
            monitor.recalibrate(None, None)?;
        }
        monitor.refitted(name, failure, Utc::now())?;
        Ok(())
    }
}
