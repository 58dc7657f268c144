//! `tradewind explain`: what counts for a model, and what moved its forecast of a date.

use std::path::PathBuf;

use clap::Args;
use tradewind::outputs::Outputs;
use tradewind::plan::Group;
use tradewind::prelude::*;

use crate::flags::{Flags, Heeds};
use crate::out::Out;

#[derive(Args)]
pub(crate) struct Command {
    #[command(flatten)]
    flags: Flags<Self>,
    /// Saved fits (`tradewind fit`), instead of data and models.
    #[arg(long, value_name = "FILE", help_heading = "Forecast")]
    fits: Option<PathBuf>,
    /// The series whose forecast is explained: "Store=1, Dept=3".
    #[arg(long, value_name = "NAME", help_heading = "Forecast")]
    series: Option<String>,
    /// The date whose forecast is explained; by default the first forecast date.
    #[arg(long, value_name = "DATE", help_heading = "Forecast")]
    date: Option<String>,
    /// File for the contributions if a series is explained, else for the feature importance: .csv, .parquet, .json or
    /// .xlsx.
    #[arg(long, value_name = "FILE", help_heading = "Results")]
    out: Option<PathBuf>,
}

impl Heeds for Command {
    const GROUPS: &'static [Group] =
        &[Group::Data, Group::Policy, Group::Shape, Group::Models, Group::Horizon, Group::Future, Group::Overwrite];
}

/// The model that is explained where none is stated: `auto` is made of several models.
const MODEL: &str = "boost";

impl Command {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        let plan = match &self.fits {
            Some(_) => {
                self.flags.decided_by_fits()?;
                self.flags.patch()?.over(Plan::default())
            }
            None => self.flags.plan(out)?,
        };
        let mut outputs = Outputs::of(&plan);
        if let Some(file) = &self.out {
            Table::can_save(file)?;
            outputs = outputs.file(file)?;
        }
        let fits = match &self.fits {
            Some(saved) => Fits::load(saved)?,
            None if plan.models.names().is_empty() => {
                out.say(&format!("explained by {MODEL}, which learns across series; --models names another"));
                let panel = plan.panel()?;
                plan.fits_of(&panel, &[Model::named(MODEL)?])?
            }
            None => plan.fits_of(&plan.panel()?, &plan.models()?)?,
        };
        let panel = fits.panel();
        out.shape(&panel, &format!("season {}", panel.season()));
        let keys = panel.keys();
        let series = match (&self.series, keys.as_slice()) {
            (Some(series), _) => Some(series.clone()),
            (None, [only]) => Some(only.clone()),
            (None, _) if self.date.is_some() => {
                return Err(Error::usage(format!(
                    "a date is explained for one series: --series \"{}\"",
                    keys.first().map_or("NAME", String::as_str)
                )));
            }
            (None, _) => None,
        };
        let mut findings = Vec::new();
        for model in fits.models() {
            findings.push(fits.importance(&model)?);
        }
        if let Some(series) = &series {
            let forecast = plan.forecast_of(&fits)?;
            let date = match &self.date {
                Some(date) => date.clone(),
                None => panel.future(1)?.first(series)?,
            };
            for model in fits.models() {
                findings.push(forecast.explain(&model, series, &date)?);
            }
        }
        if let Some((file, last)) = self.out.as_ref().zip(findings.last()) {
            last.table().save(file)?;
            out.wrote(file);
        }
        drop(outputs);
        out.findings(&findings)?;
        if series.is_none() {
            let first = keys.first().map_or("NAME", String::as_str);
            out.say(&format!("what moved the forecast of one series and date: --series \"{first}\" --date DATE"));
        }
        Ok(())
    }
}
