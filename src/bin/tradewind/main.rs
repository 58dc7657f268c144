//! The command line: every command fills in a [`Plan`] and calls the verb of that name; one file each.
//!
//! Results go to stdout, what was decided and what went wrong to stderr. Exit 0 done, 1 the data or the run failed,
//! 2 wrong usage, 130 interrupted.

mod audit;
mod backtest;
mod clean;
mod compare;
mod dashboard;
mod decide;
mod demo;
mod describe;
mod explain;
mod explore;
mod fit;
mod flags;
mod forecast;
mod help;
mod holidays;
mod init;
mod kernel;
mod lists;
mod monitor;
mod out;
mod overrides;
mod report;
mod retrain;
mod run;
mod runs;
mod script;
mod serve;
mod terminal;
mod tune;
mod watch;
mod wrong;

use std::process::ExitCode;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use tradewind::job::Job;
use tradewind::prelude::*;

use out::Out;

/// Sales forecasting: from a raw sales file to an audit, probabilistic forecasts, a report and slides.
#[derive(Parser)]
#[command(name = "tradewind", version, max_term_width = 110, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Verb,
    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
struct Common {
    /// Print results as JSON.
    #[arg(long, global = true, help_heading = "Any command")]
    json: bool,
    /// Number of threads; by default one per core.
    #[arg(
        long,
        global = true,
        value_name = "N",
        env = "TRADEWIND_THREADS",
        hide_env = true,
        help_heading = "Any command"
    )]
    threads: Option<usize>,
    /// Print results and errors only.
    #[arg(short, long, global = true, help_heading = "Any command")]
    quiet: bool,
}

#[derive(Subcommand)]
enum Verb {
    /// Run the whole workflow on the bundled sales: reports/demo/ and slides/demo/.
    Demo(demo::Command),
    /// Begin a project: plan, parameters, stages for DVC, workflow, a copy of the data.
    Init(Box<init::Command>),
    /// Describe the data: series, dates, frequency, columns, demand classes, first rows.
    Describe(Box<describe::Command>),
    /// Report what is wrong with the data.
    Audit(Box<audit::Command>),
    /// Clean the data by the given policies and list every change.
    Clean(Box<clean::Command>),
    /// Answer questions about the data: seasonality, trend, uplift of promotions and more.
    Explore(Box<explore::Command>),
    /// Forecast with new or saved fits.
    Forecast(Box<forecast::Command>),
    /// Score models by rolling-origin evaluation.
    Backtest(Box<backtest::Command>),
    /// Test whether models differ significantly on the same folds.
    Compare(Box<compare::Command>),
    /// Show the feature importance of a global model, and the contributions to its forecast of a date.
    Explain(Box<explain::Command>),
    /// Decide from a forecast: how much to order of each item.
    Decide(decide::Command),
    /// Search a model's hyperparameters on rolling folds.
    Tune(Box<tune::Command>),
    /// Fit models and save them.
    Fit(Box<fit::Command>),
    /// Write report and slides.
    Report(Box<report::Command>),
    /// Write one page to explore: filters, linked charts, models and intervals, a map of errors.
    Dashboard(Box<dashboard::Command>),
    /// Run a plan file: audit, backtest, forecast, report and slides.
    Run(Box<run::Command>),
    /// Fit again, let the best model challenge the champion, promote or keep.
    Retrain(Box<retrain::Retrain>),
    /// Bring back the model that the champion replaced.
    Rollback(retrain::Rollback),
    /// Keep forecasts that were given out, score them as sales arrive, tell when they go wrong; find drift of the inputs.
    Monitor(monitor::Command),
    /// Keep what planners change in a forecast, release it, and tell whether their changes have helped.
    Override(overrides::Command),
    /// Forecast each arriving file once.
    Watch(Box<watch::Command>),
    /// Serve forecasts over HTTP: an API, pages, jobs.
    Serve(Box<serve::Serve>),
    /// Make, list and revoke the tokens by which people and programs use a server.
    Token(serve::Token),
    /// List, show and compare what has been run; send it to an MLflow server.
    Runs(runs::Command),
    /// List the models, or describe one.
    Models(lists::Command),
    /// List the questions that can be asked of the data, or describe one.
    Questions(lists::Command),
    /// List the metrics that score forecasts, or describe one.
    Metrics(lists::Command),
    /// List the features from which covariates are made, or describe one.
    Features(lists::Command),
    /// List the public holidays of a country.
    Holidays(holidays::Command),
    /// Run a Rhai script; it may end with exit(code).
    Script(script::Command),
    /// Type Rhai at a prompt, with history and completion.
    Repl(script::Repl),
    /// Notebooks in Rhai: the Jupyter kernel.
    Kernel(kernel::Command),
    /// Explain a command, a flag (policy, reading, aggregate …), a model, a question, a metric or a feature.
    Help(help::Command),
    /// Print the completions of a shell.
    Completions(help::Completions),
    /// Print the manual page, or write those of all commands into a folder.
    Man(help::Man),
}

fn main() -> ExitCode {
    let cli = match Cli::command().try_get_matches().and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => return wrong::usage(&error),
    };
    // A prompt and a kernel go on after an interrupt.
    let goes_on = matches!(cli.command, Verb::Repl { .. } | Verb::Kernel { .. });
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
    let done = threads(&cli.common).and_then(|threads| job.run_on(threads, || run(cli)).and_then(|done| done));
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

/// Runs the command; its exit code is 0 unless a script says otherwise.
fn run(cli: Cli) -> Result<u8> {
    let out = Out { json: cli.common.json, quiet: cli.common.quiet };
    match cli.command {
        Verb::Demo(command) => command.run(&out),
        Verb::Init(command) => command.run(&out),
        Verb::Describe(command) => command.run(&out),
        Verb::Audit(command) => command.run(&out),
        Verb::Clean(command) => command.run(&out),
        Verb::Explore(command) => command.run(&out),
        Verb::Forecast(command) => command.run(&out),
        Verb::Backtest(command) => command.run(&out),
        Verb::Compare(command) => command.run(&out),
        Verb::Explain(command) => command.run(&out),
        Verb::Decide(command) => command.run(&out),
        Verb::Tune(command) => command.run(&out),
        Verb::Fit(command) => command.run(&out),
        Verb::Report(command) => command.run(&out),
        Verb::Dashboard(command) => command.run(&out),
        Verb::Run(command) => command.run(&out),
        Verb::Retrain(command) => command.run(&out),
        Verb::Rollback(command) => command.run(&out),
        Verb::Monitor(command) => command.run(&out),
        Verb::Override(command) => command.run(&out),
        Verb::Watch(command) => command.run(&out),
        Verb::Serve(command) => command.run(&out),
        Verb::Token(command) => command.run(&out),
        Verb::Runs(command) => command.run(&out),
        Verb::Models(command) => command.run(&out, MODELS),
        Verb::Questions(command) => command.run(&out, QUESTIONS),
        Verb::Metrics(command) => command.run(&out, METRICS),
        Verb::Features(command) => command.run(&out, FEATURES),
        Verb::Holidays(command) => command.run(&out),
        Verb::Script(command) => return command.run(),
        Verb::Repl(command) => return command.run(),
        Verb::Kernel(command) => command.run(&out),
        Verb::Help(command) => command.run(&out, Cli::command()),
        Verb::Completions(command) => command.run(Cli::command()),
        Verb::Man(command) => command.run(&out, Cli::command()),
    }
    .map(|()| 0)
}
