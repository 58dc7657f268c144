//! `tradewind override`: what planners change in a forecast, and whether it helps.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;
use tradewind::outputs::Outputs;
use tradewind::prelude::*;

use crate::monitor::Place;
use crate::out::Out;

#[derive(Args)]
pub(crate) struct Command {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    place: Place,
}

#[derive(Subcommand)]
enum Verb {
    /// Keep an override: it is heeded by every forecast that is released until it expires or is withdrawn.
    Add(Box<Add>),
    /// The overrides that were kept, and whether they are heeded.
    List,
    /// From now on an override is not heeded any more.
    Withdraw {
        /// Its id.
        id: String,
    },
    /// Apply the overrides to a saved forecast, and keep what is released.
    Release(Release),
    /// What planners have added to the forecasts that were released, now that sales are known.
    Value,
}

#[derive(Args)]
struct Add {
    /// Series whose key column has this value, as COLUMN=VALUE; may be given again for other columns. All series without it.
    #[arg(long = "where", value_name = "COLUMN=VALUE")]
    selection: Vec<String>,
    /// The first date that is changed, as 2026-03-31.
    #[arg(long, value_name = "DATE")]
    from: String,
    /// The last date that is changed; by default the first.
    #[arg(long, value_name = "DATE")]
    to: Option<String>,
    /// The total of these series becomes so many units at each date.
    #[arg(long, value_name = "UNITS", conflicts_with_all = ["add", "percent"], required_unless_present_any = ["add", "percent"])]
    set: Option<f64>,
    /// So many units are added to the total; below 0 to lower it.
    #[arg(long, value_name = "UNITS", conflicts_with = "percent", allow_negative_numbers = true)]
    add: Option<f64>,
    /// This share of the total is added, in %; below 0 to lower it.
    #[arg(long, value_name = "PERCENT", allow_negative_numbers = true)]
    percent: Option<f64>,
    /// Who wants it.
    #[arg(long, value_name = "NAME")]
    author: String,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// The last day on which it is heeded.
    #[arg(long, value_name = "DATE")]
    expires: Option<String>,
    /// A name that no other has; one is made without it.
    #[arg(long, value_name = "NAME")]
    id: Option<String>,
}

#[derive(Args)]
struct Release {
    /// Forecast that `tradewind forecast --out` wrote, or anybody's.
    forecast: PathBuf,
    /// The model whose forecast is released, where the file has several.
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// Name of the run; by default the name of the file. What was released is not changed afterwards.
    #[arg(long, value_name = "NAME")]
    run: Option<String>,
    /// Of an override that the past speaks against, release only as much as it speaks for.
    #[arg(long)]
    heed_doubts: bool,
    /// File for what is released: .csv, .parquet, .json or .xlsx.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Command {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        let monitor = self.place.open()?;
        match self.verb {
            Verb::Add(add) => {
                let change = add.change()?;
                let (sentence, id) = (change.sentence(), monitor.keep(&change)?);
                out.result(&Block::Text(format!("{id}: {sentence}")), json!({"id": id, "sentence": sentence}))
            }
            Verb::List => {
                let table = monitor.overrides()?;
                out.result(&table, table.to_json()?)
            }
            Verb::Withdraw { id } => {
                monitor.withdraw(&id)?;
                let said = format!("{id} is not heeded any more.");
                out.result(&Block::Text(said.clone()), json!({"id": id, "sentence": said}))
            }
            Verb::Release(release) => release.run(&monitor, out),
            Verb::Value => {
                let added = monitor.value_added()?;
                let value = json!({
                    "sentence": added.sentence(),
                    "ladder": added.ladder().to_json()?,
                    "planners": added.planners().to_json()?,
                    "classes": added.classes().to_json()?,
                    "sizes": added.sizes().to_json()?,
                });
                out.result(&added, value)
            }
        }
    }
}

impl Add {
    fn change(self) -> Result<Override> {
        let mut change = Override::new(self.author, self.reason);
        for text in &self.selection {
            let (column, value) = text
                .split_once('=')
                .ok_or_else(|| Error::usage(format!("--where takes COLUMN=VALUE, such as Store=1, not `{text}`")))?;
            change = change.only(column.trim(), value.trim());
        }
        change = change.between(&self.from, self.to.as_deref().unwrap_or(&self.from))?;
        change = match (self.set, self.add, self.percent) {
            (Some(units), ..) => change.set(units),
            (_, Some(units), _) => change.add(units),
            (.., percent) => change.percent(percent.unwrap_or_default()),
        };
        if let Some(day) = &self.expires {
            change = change.expires(day)?;
        }
        Ok(match self.id {
            Some(id) => change.named(id),
            None => change,
        })
    }
}

impl Release {
    fn run(self, monitor: &Monitor, out: &Out) -> Result<()> {
        let mut outputs = Outputs::of(&Plan::default()).reading(&self.forecast);
        if let Some(file) = &self.out {
            Table::can_save(file)?;
            outputs = outputs.file(file)?;
        }
        let forecast = Forecast::open(&self.forecast)?;
        let model = self.model.map_or_else(|| only(&forecast), Ok)?;
        let name = || self.forecast.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let doubts = if self.heed_doubts { Doubts::Heeded } else { Doubts::Told };
        let released = monitor.release(&forecast, &model, &self.run.clone().unwrap_or_else(name), doubts)?;
        if let Some(file) = &self.out {
            released.forecast().save(file)?;
            out.wrote(file);
        }
        drop(outputs);
        let value = json!({
            "sentence": released.sentence(),
            "overrides": released.table().to_json()?,
            "doubts": released.doubts().to_json()?,
        });
        out.result(&released, value)
    }
}

/// The one model of a forecast that is no naive benchmark.
fn only(forecast: &Forecast) -> Result<String> {
    let models = forecast.models();
    let of: Vec<&String> = models.iter().filter(|model| !model.starts_with("seasonal_naive")).collect();
    match (of.as_slice(), models.as_slice()) {
        ([only], _) => Ok((*only).clone()),
        (_, [only]) => Ok(only.clone()),
        _ => Err(Error::usage(format!("the forecast has several models; state --model: {}", models.join(", ")))),
    }
}
