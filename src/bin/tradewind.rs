//! The command line: every subcommand fills in a [`Plan`] and calls the verb of that name.
//!
//! Results go to stdout, what was decided and what went wrong to stderr. Exit 0 done, 1 the data or the run failed,
//! 2 wrong usage, 130 interrupted.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use serde_json::{Value, json};
use tradewind::job::Job;
use tradewind::outputs::{Outputs, failures_of, list_failures};
use tradewind::prelude::*;
use tradewind::{script, together};

#[path = "tradewind/terminal.rs"]
mod terminal;

/// Sales forecasting and optimisation: from a raw sales file to forecasts, decisions, reports and slides.
#[derive(Parser)]
#[command(name = "tradewind", version, max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
struct Common {
    /// Print results as JSON.
    #[arg(long, global = true)]
    json: bool,
    /// Threads to use; all cores if not stated.
    #[arg(long, global = true, value_name = "N", env = "TRADEWIND_THREADS")]
    threads: Option<usize>,
    /// Say nothing but results and errors.
    #[arg(short, long, global = true)]
    quiet: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Show the whole way on bundled sales: reports/demo/ and slides/demo/.
    Demo {
        /// Replace files that stand where results are to be written and that tradewind has not written.
        #[arg(long, env = "TRADEWIND_OVERWRITE", value_parser = clap::builder::FalseyValueParser::new())]
        overwrite: bool,
    },
    /// Run a plan file: audit, backtest, forecast, report and slides.
    Run {
        /// TOML file; its fields are the flags of the other commands.
        #[arg(required_unless_present = "schema")]
        plan: Option<PathBuf>,
        /// Print the JSON schema of a plan file instead.
        #[arg(long)]
        schema: bool,
        #[command(flatten)]
        patch: Box<Patch>,
        /// Folder for the results.
        #[arg(long, default_value = "reports/run")]
        out: PathBuf,
    },
    /// Say what is wrong with the data.
    Audit {
        #[command(flatten)]
        patch: Box<Patch>,
        /// File for every finding: .csv, .parquet, .json or .xlsx.
        #[arg(long)]
        out: Option<PathBuf>,
        /// Folder for the data-quality page, report.md and report.html.
        #[arg(long, value_name = "FOLDER")]
        page: Option<PathBuf>,
    },
    /// Mend the data by the stated policy and list every change.
    Clean {
        #[command(flatten)]
        patch: Box<Patch>,
        /// File for the cleaned data: .parquet (with the columns' roles), .csv or .json.
        #[arg(long, required_unless_present = "dry_run")]
        out: Option<PathBuf>,
        /// Show what would change, and write nothing.
        #[arg(long)]
        dry_run: bool,
        /// Folder for the data-quality page, report.md and report.html.
        #[arg(long, value_name = "FOLDER")]
        page: Option<PathBuf>,
    },
    /// Score models on rolling folds.
    Backtest {
        #[command(flatten)]
        patch: Box<Patch>,
        /// Folder for leaderboard.csv, scores.parquet, forecasts.parquet and failures.csv.
        #[arg(long)]
        out: Option<PathBuf>,
        /// Folder for the performance page and its slides: report.md, report.html, slides.md, slides.html.
        #[arg(long, value_name = "FOLDER")]
        page: Option<PathBuf>,
    },
    /// Find the options of a model that are best on rolling folds.
    Tune {
        #[command(flatten)]
        patch: Box<Patch>,
        /// File for every trial: .csv, .parquet, .json or .xlsx.
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Fit models and keep them.
    Fit {
        #[command(flatten)]
        patch: Box<Patch>,
        /// File to keep the fits in.
        #[arg(long)]
        save: PathBuf,
    },
    /// Forecast with fresh fits, or with kept ones.
    Forecast {
        #[command(flatten)]
        patch: Box<Patch>,
        /// Kept fits, instead of --data and --models.
        #[arg(long, conflicts_with = "stream")]
        model: Option<PathBuf>,
        /// File for the forecast: .csv, .parquet, .json or .xlsx.
        #[arg(long)]
        out: PathBuf,
        /// Forecast a panel of any size chunk by chunk, from Parquet to Parquet; a run that was stopped goes on.
        #[arg(long)]
        stream: bool,
    },
    /// Write report and slides.
    Report {
        #[command(flatten)]
        patch: Box<Patch>,
        /// Folder for the report.
        #[arg(long, default_value = "reports/sales")]
        out: PathBuf,
        /// Folder for the slides.
        #[arg(long, default_value = "slides/sales")]
        slides: PathBuf,
    },
    /// List the models, or describe one.
    Models {
        /// A model's name.
        name: Option<String>,
    },
    /// List the questions that can be asked of the data, or describe one.
    Questions {
        /// A question's name.
        name: Option<String>,
    },
    /// List the metrics that score forecasts, or describe one.
    Metrics {
        /// A metric's name.
        name: Option<String>,
    },
    /// List the features that covariates can be made by, or describe one.
    Features {
        /// A feature's name.
        name: Option<String>,
    },
    /// Run a Rhai script; it may end with exit(code).
    Script {
        /// The script.
        #[arg(required_unless_present = "api")]
        file: Option<PathBuf>,
        /// A value for the script: name=value, read as args.name; a name that it never asks for is refused.
        #[arg(long, value_name = "NAME=VALUE")]
        arg: Vec<String>,
        /// Print the definitions of all verbs instead, as scripts/api.d.rhai holds them for editors.
        #[arg(long)]
        api: bool,
        #[command(flatten)]
        bounds: Bounds,
    },
    /// Type Rhai at a prompt, with history and completion.
    Repl {
        #[command(flatten)]
        bounds: Bounds,
    },
    /// Notebooks in Rhai: the Jupyter kernel.
    Kernel {
        #[command(subcommand)]
        command: KernelCommand,
    },
}

#[derive(Subcommand)]
enum KernelCommand {
    /// Make Jupyter find the kernel.
    Install {
        /// For this user, which is the default.
        #[arg(long, conflicts_with = "prefix")]
        user: bool,
        /// For one environment, such as a Python one.
        #[arg(long, value_name = "FOLDER")]
        prefix: Option<PathBuf>,
        /// Work in this folder for all notebooks below it, so that paths mean the same in each.
        #[arg(long, value_name = "FOLDER")]
        root: Option<PathBuf>,
        #[command(flatten)]
        bounds: Bounds,
    },
    /// Serve a notebook; Jupyter calls it.
    Run {
        /// Jupyter's connection file.
        connection: PathBuf,
        /// Work in this folder if the notebook is below it.
        #[arg(long, value_name = "FOLDER")]
        root: Option<PathBuf>,
        #[command(flatten)]
        bounds: Bounds,
    },
}

/// What a script may use up, and which files it may touch.
#[derive(Args)]
struct Bounds {
    /// Let a script read and write below this folder too; else only below the working folder and TRADEWIND_DATA.
    #[arg(long, value_name = "FOLDER")]
    allow: Vec<PathBuf>,
    /// Let a script ask this database, named as in its URL without user and password: HOST, HOST:PORT, HOST/DATABASE.
    #[arg(long, value_name = "NAME")]
    allow_database: Vec<String>,
    /// Set no limits to a script's operations, depth, sizes, memory, time, sleep, files and bytes written, and queries.
    #[arg(long)]
    unlimited: bool,
    /// Let a script replace files that tradewind has not written; what it reads is never replaced.
    #[arg(long, env = "TRADEWIND_OVERWRITE", value_parser = clap::builder::FalseyValueParser::new())]
    overwrite: bool,
}

impl Bounds {
    fn settings(self, args: Vec<(String, String)>) -> script::Settings {
        let limits = (!self.unlimited).then(script::Limits::default);
        let Self { allow, allow_database: allow_databases, overwrite, .. } = self;
        script::Settings { limits, allow, allow_databases, overwrite, args }
    }
}

fn main() -> ExitCode {
    let matches = Cli::command().get_matches();
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    // A prompt and a kernel go on after an interrupt.
    let goes_on = matches!(cli.command, Command::Repl { .. } | Command::Kernel { .. });
    // A second Ctrl-C does not wait for running work to notice the first.
    let job = terminal::watched(Job::new(), cli.common.quiet);
    let work = job.clone();
    let _ = ctrlc::set_handler(move || {
        if work.cancel() && !goes_on {
            tradewind::remove_unfinished();
            eprintln!("tradewind: interrupted");
            std::process::exit(130)
        }
    });
    let done =
        threads(&cli.common).and_then(|threads| job.run_on(threads, || run(cli, &matches)).and_then(|done| done));
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("tradewind: {error}");
            ExitCode::from(match () {
                () if error.is_interrupted() => 130,
                () if error.is_usage() => 2,
                () => 1,
            })
        }
    }
}

/// How many threads to use.
fn threads(common: &Common) -> Result<usize> {
    match common.threads {
        None => Ok(rayon::current_num_threads()),
        Some(threads @ 1..=1024) => Ok(threads),
        Some(threads) => Err(Error::usage(format!("--threads is between 1 and 1024, not {threads}"))),
    }
}

/// Where results and remarks go.
struct Out {
    json: bool,
    quiet: bool,
}

impl Out {
    /// A result: shown to people, or as JSON to programs.
    fn result(&self, shown: &dyn Show, value: Value) -> Result<()> {
        let text = match self.json {
            true => format!("{value:#}\n"),
            false => format!("{}\n", shown.block().to_text().trim_end()),
        };
        print(&text)
    }

    /// What was decided on the way.
    fn say(&self, remark: &str) {
        if !self.quiet {
            eprintln!("{remark}");
        }
    }

    fn wrote(&self, path: &Path) {
        self.say(&format!("wrote {}", path.display()));
    }

    fn wrote_all(&self, paths: impl IntoIterator<Item = PathBuf>) {
        paths.into_iter().for_each(|path| self.wrote(&path));
    }

    /// The frequency and season that were found or stated.
    fn calendar(&self, panel: &Panel, plan: &Plan) {
        let season = match plan.season {
            Some(season) => format!("season {season} as stated"),
            None => format!("season {} (the default of this frequency; --season states another)", panel.season()),
        };
        self.shape(panel, &season);
    }

    fn shape(&self, panel: &Panel, season: &str) {
        self.say(&format!("{} series, {} rows, {}, {season}", panel.len(), panel.rows(), panel.frequency()));
    }

    /// What could not be served: said always, for the results do not show what is not in them.
    fn failures(&self, failures: &[tradewind::models::Failure], listed: Option<&Path>) {
        if let Some(first) = failures.first() {
            let listed = listed.map_or_else(String::new, |path| format!(", listed in {}", path.display()));
            eprintln!(
                "{} failed{listed} (first: {} on {}: {})",
                failures.len(),
                first.model,
                first.series,
                first.reason
            );
        }
    }
}

/// Runs the command; its exit code is 0 unless a script says otherwise.
fn run(cli: Cli, matches: &ArgMatches) -> Result<u8> {
    let out = Out { json: cli.common.json, quiet: cli.common.quiet };
    match cli.command {
        Command::Script { api: true, .. } => print(&script::definitions()).map(|()| 0),
        Command::Script { file, arg, bounds, .. } => {
            let args = arg
                .iter()
                .map(|pair| {
                    let split = pair.split_once('=').map(|(name, value)| (name.to_string(), value.to_string()));
                    split.ok_or_else(|| Error::usage(format!("--arg takes name=value, not `{pair}`")))
                })
                .collect::<Result<Vec<_>>>()?;
            let settings = bounds.settings(args);
            script::confine(&settings);
            script::run_file(file.unwrap_or_default(), &settings).map(exit_code)
        }
        Command::Repl { bounds } => {
            let settings = bounds.settings(Vec::new());
            script::confine(&settings);
            script::repl(&settings).map(exit_code)
        }
        Command::Kernel { command: KernelCommand::Install { prefix, root, bounds, .. } } => {
            let Bounds { allow, allow_database: allow_databases, unlimited, overwrite } = bounds;
            let install = script::kernel::Install { prefix, root, allow, allow_databases, unlimited, overwrite };
            let folder = script::kernel::install(&install)?;
            out.wrote(&folder.join("kernel.json"));
            Ok(0)
        }
        Command::Kernel { command: KernelCommand::Run { connection, root, bounds } } => {
            let settings = bounds.settings(Vec::new());
            script::confine(&settings);
            script::kernel::run(&connection, root.as_deref(), &settings).map(|()| 0)
        }
        command => run_plan(command, matches, &out).map(|()| 0),
    }
}

/// What a script's `exit(code)` becomes: 0 to 255, as everywhere.
fn exit_code(code: i64) -> u8 {
    u8::try_from(code).unwrap_or(1)
}

/// The commands that fill in a plan or list what a plan may name.
fn run_plan(command: Command, matches: &ArgMatches, out: &Out) -> Result<()> {
    match command {
        Command::Demo { overwrite } => {
            let plan = Plan { overwrite, ..Plan::demo()? };
            let (reports, slides) = (Path::new("reports/demo"), Path::new("slides/demo"));
            let _outputs = Outputs::of(&plan).folder(reports, &REPORT)?.folder(slides, &SLIDES)?;
            let outcome = plan.run()?;
            finish(out, &outcome, reports, slides, || Ok(()))
        }
        Command::Run { schema: true, .. } => print(&format!("{}\n", Plan::schema())),
        Command::Run { plan, patch, out: folder, .. } => {
            let base = plan.map(Plan::read).transpose()?.unwrap_or_default();
            let plan = patch.over(base);
            plan.check()?;
            let names: Vec<&str> = Backtest::FILES.into_iter().chain(["audit.csv", FORECAST]).chain(REPORT).collect();
            let slides = folder.join("slides");
            let list = failures_of(folder.join(FORECAST));
            let _outputs = Outputs::of(&plan).folder(&folder, &names)?.file(&list)?.folder(&slides, &SLIDES)?;
            let outcome = plan.run()?;
            out.calendar(&outcome.panel(), outcome.plan());
            let forecast = outcome.forecast();
            finish(out, &outcome, &folder, &slides, || {
                outcome.audit().save(folder.join("audit.csv"))?;
                outcome.backtest().save(&folder)?;
                forecast.save(folder.join(FORECAST))?;
                list_failures(&forecast.failures(), folder.join(FORECAST)).map(|_| ())
            })
        }
        Command::Audit { patch, out: file, page } => {
            let plan = patch.over(Plan::default());
            let mut outputs = Outputs::of(&plan);
            if let Some(file) = &file {
                Table::can_save(file)?;
                outputs = outputs.file(file)?;
            }
            if let Some(folder) = &page {
                outputs = outputs.folder(folder, &REPORT)?;
            }
            let panel = plan.read_panel()?;
            out.calendar(&panel, &plan);
            let audit = panel.audit()?;
            together(|| {
                if let Some(file) = &file {
                    audit.save(file)?;
                }
                write_page(&audit, page.as_deref())
            })?;
            drop(outputs);
            out.wrote_all(file.into_iter().chain(pages(page.as_deref())));
            let findings = audit.table()?.to_json()?;
            out.result(&audit, json!({"sentence": audit.sentence(), "findings": findings, "read": panel.remarks()}))
        }
        Command::Clean { patch, out: file, dry_run, page } => {
            let plan = patch.over(Plan::default());
            let file = file.filter(|_| !dry_run);
            let mut outputs = Outputs::of(&plan);
            if let Some(file) = &file {
                Table::can_save(file)?;
                outputs = outputs.spared(file)?;
            }
            if let Some(folder) = &page {
                outputs = outputs.folder(folder, &REPORT)?;
            }
            let panel = plan.panel()?;
            let audit = panel.audit()?;
            together(|| {
                if let Some(file) = &file {
                    panel.save(file)?;
                }
                write_page(&audit, page.as_deref())
            })?;
            drop(outputs);
            if file.is_none() && page.is_none() {
                out.say("nothing was written");
            }
            out.wrote_all(file.clone().into_iter().chain(pages(page.as_deref())));
            let findings = audit.table()?.to_json()?;
            let read = panel.remarks();
            out.result(&audit, json!({"changes": audit.changes(), "out": file, "findings": findings, "read": read}))
        }
        Command::Backtest { patch, out: folder, page } => {
            let plan = patch.over(Plan::default());
            plan.check()?;
            let mut outputs = Outputs::of(&plan);
            if let Some(folder) = &folder {
                outputs = outputs.folder(folder, &Backtest::FILES)?;
            }
            if let Some(folder) = &page {
                outputs = outputs.folder(folder, &[REPORT, SLIDES].concat())?;
            }
            let trial = plan.backtest()?;
            out.calendar(&trial.panel(), &plan);
            if let Some(folder) = &folder {
                trial.save(folder)?;
                out.wrote(folder);
            }
            out.failures(&trial.failures(), folder.map(|folder| folder.join(Backtest::FILES[3])).as_deref());
            if let Some(caveat) = trial.caveat() {
                out.say(&caveat);
            }
            // A backtest in which no model could be scored has failed, whatever it wrote.
            trial.best(&plan.metric)?;
            if let Some(folder) = page {
                let report = trial.performance(&plan.metric)?;
                let files = together(|| save_report(&report, &folder, &folder))?;
                out.wrote_all(files);
            }
            drop(outputs);
            let board = trial.leaderboard(&plan.metric)?;
            out.result(&board, board.to_json()?)
        }
        Command::Tune { patch, out: file } => {
            let plan = patch.over(Plan::default());
            plan.check()?;
            let mut outputs = Outputs::of(&plan).record(&plan)?;
            if let Some(file) = &file {
                Table::can_save(file)?;
                outputs = outputs.file(file)?;
            }
            let tuning = plan.tune()?;
            if let Some(file) = file {
                tuning.trials()?.save(&file)?;
                out.wrote(&file);
            }
            drop(outputs);
            let groups = json!({"groups": tuning.summary()?.to_json()?, "trials": tuning.trials()?.to_json()?});
            out.result(&tuning, groups)
        }
        Command::Fit { patch, save } => {
            let plan = patch.over(Plan::default());
            plan.check()?;
            let _outputs = Outputs::of(&plan).file(&save)?;
            let panel = plan.panel()?;
            out.calendar(&panel, &plan);
            let fits = plan.fits_of(&panel, &plan.models()?)?;
            out.failures(&fits.failures(), None);
            fits.save(&save)?;
            out.wrote(&save);
            if let Some(caveat) = fits.caveat() {
                out.say(&caveat);
            }
            let summary = fits.summary()?;
            out.result(&summary, summary.to_json()?)
        }
        Command::Forecast { patch, out: file, stream: true, .. } => {
            let plan = patch.over(Plan::default());
            let _outputs = Outputs::of(&plan).file(&file)?.file(failures_of(&file))?;
            let done = plan.stream(&file)?;
            out.wrote(&file);
            let failed = done.get(0, "failures")?.to_string();
            if failed != "0" {
                eprintln!("{failed} failed, listed in {}", failures_of(&file).display());
            }
            out.result(&done, done.to_json()?)
        }
        Command::Forecast { patch, model, out: file, .. } => {
            Table::can_save(&file)?;
            let plan = patch.over(Plan::default());
            plan.check()?;
            let outputs = Outputs::of(&plan);
            let outputs = if let Some(model) = &model { outputs.reading(model) } else { outputs };
            let _outputs = outputs.file(&file)?.file(failures_of(&file))?;
            let forecast = match &model {
                Some(model) => {
                    fixed_by_fits(matches)?;
                    plan.forecast_of(&Fits::load(model)?)?
                }
                None => plan.forecast()?,
            };
            match model.is_some() {
                true => out.shape(&forecast.panel(), &format!("season {} of the kept fits", forecast.panel().season())),
                false => out.calendar(&forecast.panel(), &plan),
            }
            let failures = forecast.failures();
            let listed = together(|| {
                forecast.save(&file)?;
                list_failures(&failures, &file)
            })?;
            out.failures(&failures, listed.as_deref());
            if let Some(caveat) = forecast.caveat() {
                out.say(&caveat);
            }
            out.wrote(&file);
            match out.json {
                true => {
                    let (table, read) = (forecast.table()?, forecast.panel().remarks());
                    let failures = failures.len();
                    out.result(&table, json!({"out": file, "rows": table.rows(), "failures": failures, "read": read}))
                }
                false => Ok(()),
            }
        }
        Command::Report { patch, out: folder, slides } => {
            let plan = patch.over(Plan::default());
            plan.check()?;
            let _outputs = Outputs::of(&plan).folder(&folder, &REPORT)?.folder(&slides, &SLIDES)?;
            let outcome = plan.run()?;
            out.calendar(&outcome.panel(), &plan);
            finish(out, &outcome, &folder, &slides, || Ok(()))
        }
        Command::Models { name } => describe(out, MODELS, name),
        Command::Questions { name } => describe(out, QUESTIONS, name),
        Command::Features { name } => describe(out, FEATURES, name),
        Command::Metrics { name } => describe(out, METRICS, name),
        Command::Script { .. } | Command::Repl { .. } | Command::Kernel { .. } => Ok(()),
    }
}

/// Lists what can be asked for by name, or describes what a label names.
fn describe<T>(out: &Out, registry: Registry<T>, label: Option<String>) -> Result<()> {
    let Some(label) = label else {
        let list = registry.list()?;
        return out.result(&list, list.to_json()?);
    };
    // A name alone may need options that its description tells of.
    let label = if label.contains('(') { registry.check(&label)? } else { registry.named(&label)?.name.to_string() };
    let row = registry.named(label.split('(').next().unwrap_or_default())?;
    let options = row.options()?.to_json()?;
    out.result(row, json!({(registry.kind()): label, "also": row.also, "similar": row.similar, "options": options}))
}

/// Writes to stdout. A reader that stops early (head) is no failure of ours; a full disk is.
fn print(text: &str) -> Result<()> {
    let mut stdout = std::io::stdout();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(cause) if cause.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::io("the result could not be written to stdout").because(cause))
        }
        _ => Ok(()),
    }
}

/// What kept fits have decided cannot be stated again.
fn fixed_by_fits(matches: &ArgMatches) -> Result<()> {
    let Some(matches) = matches.subcommand_matches("forecast") else { return Ok(()) };
    let decided = [
        "data",
        "id",
        "time",
        "target",
        "known",
        "observed",
        "fixed",
        "policy",
        "join",
        "features",
        "aggregate",
        "stamps",
        "models",
        "freq",
        "season",
        "time_format",
        "reading",
        "query",
        "stamps",
    ];
    match decided.into_iter().find(|name| matches.value_source(name) == Some(ValueSource::CommandLine)) {
        Some(name) => {
            Err(Error::usage(format!("--{} is decided by the kept fits; leave it out", name.replace('_', "-"))))
        }
        None => Ok(()),
    }
}

/// The pages of a report, and those of its slides.
const REPORT: [&str; 2] = ["report.md", "report.html"];
const SLIDES: [&str; 2] = ["slides.md", "slides.html"];
/// The forecast among the results of a run.
const FORECAST: &str = "forecast.csv";

/// Writes the data-quality page of an audit to a folder, if one is named.
fn write_page(audit: &Audit, folder: Option<&Path>) -> Result<()> {
    let Some(folder) = folder else { return Ok(()) };
    let report = audit.report()?;
    REPORT.iter().try_for_each(|name| report.save(folder.join(name)).map(|_| ()))
}

/// What [`write_page`] writes.
fn pages(folder: Option<&Path>) -> Vec<PathBuf> {
    folder.map_or_else(Vec::new, |folder| REPORT.iter().map(|name| folder.join(name)).collect())
}

/// Writes report and slides to folders; the files that a person opens.
fn save_report(report: &Report, pages: &Path, slides: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for name in REPORT {
        files.extend(report.save(pages.join(name))?);
    }
    for name in SLIDES {
        files.extend(report.save_slides(slides.join(name))?);
    }
    files.retain(|file| file.extension().is_none_or(|end| end != "svg"));
    Ok(files)
}

/// Writes what belongs to an outcome, its report and its slides, all or nothing, and prints where they are.
fn finish(
    out: &Out,
    outcome: &Outcome,
    reports: &Path,
    slides: &Path,
    more: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let report = outcome.report()?;
    let files = together(|| {
        more()?;
        save_report(&report, reports, slides)
    })?;
    let shown: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    let board = outcome.backtest().leaderboard(&outcome.plan().metric)?;
    out.failures(&[outcome.backtest().failures(), outcome.forecast().failures()].concat(), None);
    let text = Block::Group(vec![board.block(), Block::Text("Written:".into()), Block::List(shown.clone())]);
    let (board, read) = (board.to_json()?, outcome.panel().remarks());
    out.result(&text, json!({"best": outcome.best(), "leaderboard": board, "files": shown, "read": read}))
}
