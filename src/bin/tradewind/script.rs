//! `tradewind script` and `tradewind repl`: Rhai from a file and at a prompt.

use std::path::PathBuf;

use clap::Args;
use tradewind::prelude::*;
use tradewind::script;

use crate::out::print;

/// What a script may use up, and which files it may touch.
#[derive(Args)]
pub(crate) struct Bounds {
    /// Let a script read and write below this folder, besides the working folder and TRADEWIND_DATA.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) allow: Vec<PathBuf>,
    /// Let a script ask this database, named as in its URL without user and password: HOST, HOST:PORT, HOST/DATABASE.
    #[arg(long, value_name = "NAME")]
    pub(crate) allow_database: Vec<String>,
    /// Set no limits to a script's operations, depth, sizes, memory, time, sleep, files and bytes written, and queries.
    #[arg(long)]
    pub(crate) unlimited: bool,
    /// Let a script replace files that tradewind has not written; what it reads is never replaced.
    #[arg(long, env = "TRADEWIND_OVERWRITE", hide_env = true, value_parser = clap::builder::FalseyValueParser::new())]
    pub(crate) overwrite: bool,
}

impl Bounds {
    /// The settings, which hold for the process from here on.
    pub(crate) fn confined(self, args: Vec<(String, String)>) -> script::Settings {
        let limits = (!self.unlimited).then(script::Limits::default);
        let Self { allow, allow_database: allow_databases, overwrite, .. } = self;
        let settings = script::Settings { limits, allow, allow_databases, overwrite, args };
        script::confine(&settings);
        settings
    }
}

#[derive(Args)]
pub(crate) struct Command {
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
}

impl Command {
    /// Runs the script; its exit code.
    pub(crate) fn run(self) -> Result<u8> {
        if self.api {
            return print(&script::definitions()).map(|()| 0);
        }
        let pair = |pair: &String| {
            let split = pair.split_once('=').map(|(name, value)| (name.to_string(), value.to_string()));
            split.ok_or_else(|| Error::usage(format!("--arg takes name=value, not `{pair}`")))
        };
        let settings = self.bounds.confined(self.arg.iter().map(pair).collect::<Result<_>>()?);
        script::run_file(self.file.unwrap_or_default(), &settings).map(exit_code)
    }
}

#[derive(Args)]
pub(crate) struct Repl {
    #[command(flatten)]
    bounds: Bounds,
}

impl Repl {
    /// Runs what is typed; the exit code.
    pub(crate) fn run(self) -> Result<u8> {
        script::repl(&self.bounds.confined(Vec::new())).map(exit_code)
    }
}

/// What a script's `exit(code)` becomes: 0 to 255, as everywhere.
fn exit_code(code: i64) -> u8 {
    u8::try_from(code).unwrap_or(1)
}
