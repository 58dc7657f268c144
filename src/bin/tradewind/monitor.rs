//! `tradewind monitor`: how good are the forecasts that were given out?

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;
use tradewind::plan::Group;
use tradewind::prelude::*;

use crate::flags::{Flags, Heeds};
use crate::out::Out;

#[derive(Args)]
pub(crate) struct Command {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Keep a saved forecast as given out.
    Issue(Box<Issue>),
    /// Take in what was sold: score every forecast of those dates, and tell whom the rules name.
    Actuals(Box<Actuals>),
    /// Accuracy, the series that were missed most, the alerts that go on, drift of the inputs.
    Status(Status),
    /// Compare the columns of the data before a date with those from it on.
    Drift(Box<Drift>),
}

/// The store and the rules.
#[derive(Args)]
pub(crate) struct Place {
    /// Where forecasts are kept: an SQLite file, or the URL postgres://… of a server.
    #[arg(
        long,
        global = true,
        value_name = "STORE",
        env = "TRADEWIND_STORE",
        hide_env_values = true,
        default_value = "monitor.db"
    )]
    store: String,
    /// File with the rules of alerts and their destinations: TOML.
    #[arg(long, global = true, value_name = "FILE", env = "TRADEWIND_ALERTS", hide_env = true)]
    alerts: Option<PathBuf>,
}

impl Place {
    pub(crate) fn open(&self) -> Result<Monitor> {
        Monitor::open(&self.store, self.alerts.as_deref())
    }
}

#[derive(Args)]
struct Issue {
    /// Forecast that `tradewind forecast --out` wrote, or anybody's.
    forecast: PathBuf,
    /// Name of the run; the same again changes nothing. By default the name of the file.
    #[arg(long, value_name = "NAME")]
    run: Option<String>,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
struct Actuals {
    #[command(flatten)]
    flags: Flags<Self>,
}

impl Heeds for Actuals {
    const GROUPS: &'static [Group] = &[Group::Data, Group::Policy, Group::Shape, Group::Monitor];
}

#[derive(Args)]
struct Status {
    #[command(flatten)]
    place: Place,
    /// Series that were missed most.
    #[arg(long, value_name = "N", default_value_t = 10)]
    worst: usize,
}

#[derive(Args)]
struct Drift {
    #[command(flatten)]
    flags: Flags<Self>,
    /// First date of the newer data.
    #[arg(long, value_name = "DATE", help_heading = "Evaluation")]
    from: String,
}

impl Heeds for Drift {
    const GROUPS: &'static [Group] = &[Group::Data, Group::Policy, Group::Shape];
}

impl Command {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        match self.verb {
            Verb::Issue(issue) => {
                let Issue { forecast, run, place } = *issue;
                let name = || forecast.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                let said = place.open()?.issue(&Forecast::open(&forecast)?, &run.unwrap_or_else(name))?;
                out.result(&Block::Text(said.clone()), json!({"sentence": said}))
            }
            Verb::Actuals(command) => {
                let plan = command.flags.plan(out)?;
                let plan = Plan { store: plan.store.clone().or_else(|| Some("monitor.db".into())), ..plan };
                let Some(monitor) = plan.monitor()? else { return Ok(()) };
                let told = monitor.receive(&plan.panel()?)?;
                let value =
                    json!({"sentence": told.sentence(), "alerts": told.alerts().to_json()?, "notes": told.notes()});
                out.result(&told, value)
            }
            Verb::Status(Status { place, worst }) => {
                let monitor = place.open()?;
                let mut tables = vec![
                    ("alerts", monitor.alerts()?),
                    ("accuracy", monitor.accuracy()?),
                    ("worst", monitor.worst(worst)?),
                ];
                let drift = monitor.drift()?;
                // Nothing was compared where no forecast has been out for four periods.
                if drift.rows() > 0 {
                    tables.push(("drift", drift));
                }
                let value = tables.iter().map(|(name, table)| Ok(((*name).to_string(), table.to_json()?)));
                let value: serde_json::Map<_, _> = value.collect::<Result<_>>()?;
                let blocks = tables.into_iter().map(|(_, table)| Block::Table(table));
                out.result(&Block::Group(blocks.collect()), value.into())
            }
            Verb::Drift(command) => {
                let found = command.flags.explored(out)?.panel()?.drift(&command.from)?;
                let value = json!({
                    "sentence": found.sentence(), "columns": found.table().to_json()?, "caveats": found.caveats(),
                });
                out.result(&found, value)
            }
        }
    }
}
