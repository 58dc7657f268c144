//! `tradewind forecast`: what comes, by new fits or by saved ones.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use tradewind::outputs::{Outputs, failures_of, list_failures};
use tradewind::plan::Group;
use tradewind::prelude::*;
use tradewind::together;

use crate::flags::{Flags, Heeds};
use crate::out::{Out, print};

#[derive(Args)]
pub(crate) struct Command {
    #[command(flatten)]
    flags: Flags<Self>,
    /// Saved fits (`tradewind fit`), instead of data and models.
    #[arg(long, value_name = "FILE", conflicts_with = "stream", help_heading = "Forecast")]
    fits: Option<PathBuf>,
    /// Former name of --fits.
    #[arg(long, value_name = "FILE", hide = true, conflicts_with_all = ["fits", "stream"])]
    model: Option<PathBuf>,
    /// File for the forecast: .csv, .parquet, .json or .xlsx; a table is printed without one.
    #[arg(long, value_name = "FILE", help_heading = "Results")]
    out: Option<PathBuf>,
    /// Print the whole forecast as CSV.
    #[arg(long, conflicts_with = "out", help_heading = "Results")]
    csv: bool,
    /// Read an Arrow stream from standard input instead of data, and write the forecast to standard output as another one: series by
    /// series, with intervals, failures and chosen forms as columns.
    #[arg(long, conflicts_with_all = ["fits", "model", "out", "csv", "stream"], help_heading = "Results")]
    arrow: bool,
    /// Forecast a panel of any size chunk by chunk, from Parquet to Parquet; an interrupted run resumes.
    #[arg(long, requires = "out", help_heading = "Results")]
    stream: bool,
}

impl Heeds for Command {
    const GROUPS: &'static [Group] = &[
        Group::Data,
        Group::Policy,
        Group::Shape,
        Group::Models,
        Group::Horizon,
        Group::Future,
        Group::Levels,
        Group::Reconcile,
        Group::Seed,
        Group::Chunk,
        Group::Overwrite,
    ];
}

/// Sample paths by which a total gets its intervals, and the values that they may come to together: more take too long
/// for a table that nobody has asked for.
const PATHS: usize = 2_000;
const MOST_VALUES: usize = 200_000_000;

impl Command {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        if self.csv && out.json {
            return Err(Error::usage("--csv and --json exclude each other"));
        }
        match &self.out {
            _ if self.arrow => self
                .flags
                .patch()?
                .over(Plan::default())
                .stream_arrow(&mut std::io::stdin().lock(), &mut std::io::BufWriter::new(std::io::stdout().lock())),
            Some(file) if self.stream => stream(self.flags, file, out),
            _ => self.whole(out),
        }
    }

    fn whole(mut self, out: &Out) -> Result<()> {
        if let Some(file) = &self.out {
            Table::can_save(file)?;
        }
        if self.model.is_some() {
            out.say("--model is called --fits now");
        }
        let saved = self.fits.or(self.model);
        let plan = match &saved {
            Some(_) => {
                let base = self.flags.base()?;
                self.flags.decided_by_fits()?;
                let plan = self.flags.patch()?.or(base).over(Plan::default());
                plan.check()?;
                plan
            }
            None => self.flags.plan(out)?,
        };
        let outputs = Outputs::of(&plan);
        let outputs = if let Some(saved) = &saved { outputs.reading(saved) } else { outputs };
        let _outputs = match &self.out {
            Some(file) => outputs.file(file)?.file(failures_of(file))?,
            None => outputs,
        };
        let fits = match &saved {
            Some(saved) => Fits::load(saved)?,
            None => plan.fits_of(&plan.panel()?, &plan.models()?)?,
        };
        let forecast = plan.forecast_of(&fits)?;
        let panel = forecast.panel();
        match saved {
            Some(_) => out.shape(&panel, &format!("season {} of the saved fits", panel.season())),
            None => out.calendar(&panel, &plan),
        }
        for model in fits.models() {
            if let Some(words) = chosen(&fits, &model)? {
                out.say(&words);
            }
        }
        let failures = forecast.failures();
        let listed = match &self.out {
            Some(file) => together(|| {
                forecast.save(file)?;
                list_failures(&failures, file)
            })?,
            None => None,
        };
        out.failures(&failures, listed.as_deref());
        if let Some(caveat) = forecast.caveat() {
            out.say(&caveat);
        }
        let read = panel.remarks();
        match self.out {
            Some(file) => {
                out.wrote(&file);
                let table = forecast.table()?;
                let (rows, failures) = (table.rows(), failures.len());
                match out.json {
                    true => out.result(&table, json!({"out": file, "rows": rows, "failures": failures, "read": read})),
                    false => Ok(()),
                }
            }
            None => {
                let table = forecast.table()?.titled(title(&forecast, &plan));
                if table.rows() == 0 {
                    return Err(Error::model("no model could forecast any series"));
                }
                if self.csv {
                    return print(&table.to_csv()?);
                }
                let values = PATHS.saturating_mul(forecast.horizon()).saturating_mul(panel.len());
                let totals = forecast.totals(if values <= MOST_VALUES { PATHS } else { 0 }, plan.seed)?;
                let value = json!({
                    "forecast": table.to_json()?,
                    "totals": totals.to_json()?,
                    "failures": failures.len(),
                    "read": read,
                });
                let mut blocks = vec![Block::Table(table.cut(FIRST))];
                if table.rows() > FIRST {
                    blocks.push(Block::Text("--csv prints them all, --out FILE writes them.".into()));
                }
                blocks.push(Block::Table(totals));
                out.result(&Block::Group(blocks), value)
            }
        }
    }
}

/// Rows of the forecast that are shown.
const FIRST: usize = 20;

/// `Weekly_Sales, 13 weeks ahead`.
fn title(forecast: &tradewind::prelude::Forecast, plan: &Plan) -> String {
    let panel = forecast.panel();
    let steps = match forecast.horizon() {
        1 => format!("1 {}", panel.frequency().noun()),
        steps => format!("{steps} {}s", panel.frequency().noun()),
    };
    let after = if plan.gap == 0 { String::new() } else { format!(" after a gap of {}", plan.gap) };
    format!("{}, {steps} ahead{after}", panel.columns().target())
}

/// What a model that chooses among others leans on most; nothing of other models.
fn chosen(fits: &Fits, model: &str) -> Result<Option<String>> {
    let leads = fits.chosen(model)?.filter("leads", ">", 0_i64)?;
    let mut told = Vec::new();
    for row in 0..leads.rows() {
        told.push(format!("{} for {}", leads.get(row, "candidate")?, leads.get(row, "leads")?));
    }
    if let Some(first) = told.first_mut() {
        *first += &format!(" of {} series", tradewind::show::number(fits.panel().len() as f64));
    }
    Ok((!told.is_empty()).then(|| format!("{model} leans most on {}", told.join(", on "))))
}

fn stream(flags: Flags<Command>, file: &Path, out: &Out) -> Result<()> {
    let patch = flags.patch()?;
    let stated = patch.time.is_some() && patch.target.is_some();
    let plan = patch.over(Plan::default());
    let _outputs = Outputs::of(&plan).file(file)?.file(failures_of(file))?;
    let done = plan.stream(file).map_err(|error| match error.to_string() {
        words if !stated && words.contains("has no column") => Error::data(format!(
            "{words}; a stream does not look for its columns: --id, --time and --target state them"
        )),
        _ => error,
    })?;
    out.wrote(file);
    let failed = done.get(0, "failures")?.to_string();
    if failed != "0" {
        eprintln!("{failed} failed, listed in {}", failures_of(file).display());
    }
    out.result(&done, done.to_json()?)
}
