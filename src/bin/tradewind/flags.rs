//! Which flags does a command take? The fields of a plan in the groups that it heeds, and the data as its first
//! argument.
//!
//! A flag that a command does not take is refused; environment variables and plan files may hold more than a command
//! needs.

use std::marker::PhantomData;
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, value_parser};
use serde_json::{Map, Value};
use tradewind::plan::Group;
use tradewind::prelude::*;

use crate::out::Out;

/// What a command heeds of a plan.
pub(crate) trait Heeds {
    const GROUPS: &'static [Group];
    /// Are the data its first argument?
    const FIRST: bool = true;
}

/// The flags of the groups that a command heeds.
pub(crate) struct Flags<C> {
    patch: Patch,
    /// The data as the first argument.
    file: Option<PathBuf>,
    /// The fields that the command line states, in the order of the plan.
    typed: Vec<&'static str>,
    command: PhantomData<fn() -> C>,
}

/// The name of the first argument.
pub(crate) const FILE: &str = "file";

impl<C: Heeds> Args for Flags<C> {
    fn augment_args(command: Command) -> Command {
        let file = Arg::new(FILE).value_name("DATA").value_parser(value_parser!(PathBuf)).help(
            "The data: a file, a folder or a quoted pattern of files, as with --data; or a plan file: TOML or YAML",
        );
        let command = if C::FIRST { command.arg(file) } else { command };
        let all = Patch::augment_args(Command::default());
        let groups = |arg: &&Arg| Patch::group(arg.get_id().as_str()).is_some_and(|group| C::GROUPS.contains(&group));
        command.args(all.get_arguments().filter(groups).cloned().map(described))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<C: Heeds> FromArgMatches for Flags<C> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let file = if C::FIRST { matches.get_one::<PathBuf>(FILE).cloned() } else { None };
        let heeded = |field: &&str| Patch::group(field).is_some_and(|group| C::GROUPS.contains(&group));
        let typed = |field: &&str| matches.value_source(field) == Some(ValueSource::CommandLine);
        let typed = Patch::FIELDS.iter().copied().filter(heeded).filter(typed).collect();
        Ok(Self { patch: Patch::of_flags(matches), file, typed, command: PhantomData })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// A flag with its default, its variable and the options that its value takes.
fn described(arg: Arg) -> Arg {
    let field = arg.get_id().to_string();
    let Some(group) = Patch::group(&field) else { return arg };
    let text = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let default = if group == Group::Data { None } else { default_of(&field) };
    let short = default.map_or_else(|| text.clone(), |default| format!("{text} [default: {default}]"));
    let mut long = short.clone();
    if let Some(options) = options_of(&field) {
        long = format!("{long}\n\nIts options, written name=value and separated by commas:\n{options}");
    }
    if let Some(variable) = arg.get_env().map(|variable| variable.to_string_lossy()) {
        long = format!("{long}\n\nVariable: {variable}");
        if field == "data" {
            long += " (not to be confused with TRADEWIND_DATA, a further folder that scripts may read)";
        }
    }
    arg.help(short).long_help(long).help_heading(group.heading())
}

/// The default of a field as one would type it; none where there is nothing to type.
fn default_of(field: &str) -> Option<String> {
    let plan = serde_json::to_value(Plan::default()).ok()?;
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), String::from);
    match plan.get(field)? {
        Value::Null | Value::Bool(_) => None,
        Value::Array(values) => Some(values.iter().map(text).collect::<Vec<_>>().join(", ")),
        value => Some(text(value)),
    }
    .filter(|default| !default.is_empty())
}

/// The options that the value of a field takes, a line each.
fn options_of(field: &str) -> Option<String> {
    let rows = Patch::options(field)?.to_json().ok()?;
    let line = |row: &Value| {
        let row: &Map<String, Value> = row.as_object()?;
        let text = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default();
        let default = text("default").trim_matches('"');
        let default = if ["–", "[]", "{}", ""].contains(&default) { String::new() } else { format!(" [{default}]") };
        Some(format!("  {}: {}{default}", text("option"), text("meaning").trim_end_matches('.')))
    };
    Some(rows.as_array()?.iter().filter_map(line).collect::<Vec<_>>().join("\n"))
}

impl<C: Heeds> Flags<C> {
    /// What the command line states, and the environment where it is silent, as they are.
    pub(crate) fn patch(self) -> Result<Patch> {
        match self.file {
            Some(_) if self.typed.contains(&"data") => {
                Err(Error::usage("the data are named twice, as the first argument and by --data: leave one out"))
            }
            Some(file) => Ok(Patch { data: Some(file), ..self.patch }),
            None => Ok(self.patch),
        }
    }

    /// The plan, with the columns of the data that nobody has stated.
    pub(crate) fn plan(mut self, out: &Out) -> Result<Plan> {
        let base = self.base()?;
        self.over(base, out)
    }

    /// What the plan file says that stands in the place of the data.
    pub(crate) fn base(&mut self) -> Result<Patch> {
        let is_plan = |file: &PathBuf| {
            file.extension()
                .is_some_and(|end| ["toml", "yaml", "yml"].iter().any(|known| end.eq_ignore_ascii_case(known)))
        };
        self.file.take_if(|file| is_plan(file)).map_or_else(|| Ok(Patch::default()), Patch::read)
    }

    /// The same, with a role for every other column where none is stated.
    pub(crate) fn explored(mut self, out: &Out) -> Result<Plan> {
        let base = self.base()?;
        let patch = self.patch()?.or(base);
        patch.clone().over(Plan::default()).check()?;
        told(patch.explored()?, out)
    }

    /// The plan that a file describes under these flags, with the columns of the data that nobody has stated.
    pub(crate) fn over(self, base: Patch, out: &Out) -> Result<Plan> {
        completed(self.patch()?.or(base), out)
    }

    /// What saved fits have decided cannot be stated again.
    pub(crate) fn decided_by_fits(&self) -> Result<()> {
        let decided = [Group::Data, Group::Policy, Group::Shape, Group::Models];
        let of_fits = |field: &&&str| Patch::group(field).is_some_and(|group| decided.contains(&group));
        match self.typed.iter().find(of_fits) {
            _ if self.file.is_some() => {
                Err(Error::usage("the saved fits determine the data: leave them out, or leave --fits out"))
            }
            Some(name) => {
                Err(Error::usage(format!("--{} is determined by the saved fits; leave it out", name.replace('_', "-"))))
            }
            None => Ok(()),
        }
    }

    /// The data, where they are the first argument; they are given back as another argument.
    pub(crate) fn take_first(&mut self) -> Option<PathBuf> {
        self.file.take()
    }

    /// Are data named by a flag or a variable?
    pub(crate) fn names_data(&self) -> bool {
        self.patch.data.is_some()
    }

    /// The first argument, if the data are named by it.
    pub(crate) fn first(&self) -> Option<&PathBuf> {
        self.file.as_ref()
    }
}

/// A plan whose stated values are checked before its data are read for the columns that are not stated.
fn completed(patch: Patch, out: &Out) -> Result<Plan> {
    patch.clone().over(Plan::default()).check()?;
    told(patch.completed()?, out)
}

fn told((patch, found): (Patch, Option<String>), out: &Out) -> Result<Plan> {
    if let Some(found) = found {
        out.say(&found);
    }
    Ok(patch.over(Plan::default()))
}
