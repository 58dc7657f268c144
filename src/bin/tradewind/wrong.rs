//! What is said of arguments that cannot be read: in our words where they know more than the reader of arguments.

use std::error::Error;
use std::num::{IntErrorKind, ParseFloatError, ParseIntError};
use std::process::ExitCode;

use clap::CommandFactory;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::flags::FILE;

/// Says what is wrong, or shows the help or version that was asked for; the exit code.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    match said(error) {
        Some(words) => {
            eprintln!("tradewind: {words}");
            ExitCode::from(2)
        }
        None => {
            // Whoever does not read on (head) has read enough.
            let _ = error.print();
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
        }
    }
}

fn said(error: &clap::Error) -> Option<String> {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let argument = context(ContextKind::InvalidArg)?;
    match error.kind() {
        ErrorKind::UnknownArgument => {
            let command = command()?;
            if argument.starts_with('-') {
                let flag = argument.split('=').next().unwrap_or(argument);
                let near = context(ContextKind::SuggestedArg)
                    .map_or_else(String::new, |near| format!(", did you mean {near}?"));
                let list = format!("; `tradewind {command} --help` lists what it takes");
                return Some(format!("`{command}` does not take {flag}{}", if near.is_empty() { list } else { near }));
            }
            let known = crate::Cli::command();
            let reads = known.find_subcommand(&command)?.get_arguments().any(|arg| arg.get_id() == FILE);
            reads.then(|| {
                format!(
                    "`{command}` reads one place, and {argument} is one more; name the folder, or put the pattern in \
                     quotes: \"exports/*.csv\""
                )
            })
        }
        ErrorKind::ValueValidation => {
            let flag = argument.split(' ').next().unwrap_or(argument);
            let value = context(ContextKind::InvalidValue)?;
            let cause = error.source()?;
            if let Some(cause) = cause.downcast_ref::<ParseIntError>() {
                return Some(match cause.kind() {
                    IntErrorKind::PosOverflow => format!("{flag} {value} is too large a number"),
                    _ => format!("{flag} takes a whole number of at least 0, not `{value}`"),
                });
            }
            cause.downcast_ref::<ParseFloatError>().map(|_| format!("{flag} takes a number, not `{value}`"))
        }
        _ => None,
    }
}

/// The command that was called.
fn command() -> Option<String> {
    let known = crate::Cli::command();
    std::env::args().skip(1).find(|word| known.find_subcommand(word).is_some())
}
