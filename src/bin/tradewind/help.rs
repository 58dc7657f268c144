//! `tradewind help`, `completions` and `man`: what there is, for people, shells and the manual.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;
use serde_json::json;
use tradewind::outputs::Outputs;
use tradewind::prelude::*;

use crate::lists::describe;
use crate::out::{Out, print};

#[derive(Args)]
pub(crate) struct Command {
    /// A command, a flag such as policy, or the name of a model, a question, a metric or a feature.
    topic: Option<String>,
}

impl Command {
    pub(crate) fn run(self, out: &Out, mut program: clap::Command) -> Result<()> {
        let Some(topic) = self.topic else { return print(&program.render_long_help().to_string()) };
        program.build();
        if let Some(command) = program.find_subcommand_mut(&topic) {
            return print(&command.render_long_help().to_string());
        }
        let field = topic.trim_start_matches('-').replace('-', "_");
        let takes = |command: &&clap::Command| command.get_arguments().any(|arg| arg.get_id() == field.as_str());
        let commands = program.get_subcommands().flat_map(|one| std::iter::once(one).chain(one.get_subcommands()));
        let takers: Vec<&clap::Command> = commands.filter(takes).collect();
        let flag = takers.first().and_then(|taker| taker.get_arguments().find(|arg| arg.get_id() == field.as_str()));
        if let Some(flag) = flag {
            let words = flag.get_long_help().or(flag.get_help()).map(ToString::to_string).unwrap_or_default();
            let name = |taker: &&clap::Command| {
                let whole = taker.get_bin_name().unwrap_or(taker.get_name());
                whole.trim_start_matches("tradewind ").to_string()
            };
            let names: Vec<String> = takers.iter().map(name).collect();
            let mut blocks = vec![Block::Heading { level: 2, text: format!("--{}", field.replace('_', "-")) }];
            // Lines that are set in are the options.
            for part in words.split("\n\n").chain([format!("Taken by: {}", names.join(", ")).as_str()]) {
                let (options, text): (Vec<&str>, Vec<&str>) = part.lines().partition(|line| line.starts_with("  "));
                blocks.push(Block::Text(text.join(" ")));
                blocks.push(Block::List(options.into_iter().map(|line| line.trim().to_string()).collect()));
            }
            return out.result(&Block::Group(blocks), json!({"flag": field, "help": words, "commands": names}));
        }
        let name = topic.split('(').next().unwrap_or_default();
        match () {
            () if MODELS.named(name).is_ok() => describe(out, MODELS, &topic),
            () if QUESTIONS.named(name).is_ok() => describe(out, QUESTIONS, &topic),
            () if METRICS.named(name).is_ok() => describe(out, METRICS, &topic),
            () if FEATURES.named(name).is_ok() => describe(out, FEATURES, &topic),
            () => Err(Error::usage(format!(
                "there is no command, flag, model, question, metric or feature `{topic}`; `tradewind --help` lists the \
                 commands"
            ))),
        }
    }
}

#[derive(Args)]
pub(crate) struct Completions {
    /// The shell: bash, zsh, fish, elvish or powershell.
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(self, mut program: clap::Command) -> Result<()> {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut program, "tradewind", &mut text);
        print(&String::from_utf8_lossy(&text))
    }
}

#[derive(Args)]
pub(crate) struct Man {
    /// Folder for the pages of all commands: tradewind.1, tradewind-forecast.1 …; without one, the first is printed.
    folder: Option<PathBuf>,
    /// Replace existing pages.
    #[arg(long, env = "TRADEWIND_OVERWRITE", hide_env = true, value_parser = clap::builder::FalseyValueParser::new())]
    overwrite: bool,
}

impl Man {
    pub(crate) fn run(self, out: &Out, mut program: clap::Command) -> Result<()> {
        let page = |command: &clap::Command| {
            let mut text = Vec::new();
            let rendered = clap_mangen::Man::new(command.clone()).render(&mut text);
            rendered.map(|()| text).map_err(|cause| Error::io("the manual page cannot be written").because(cause))
        };
        let Some(folder) = self.folder else { return print(&String::from_utf8_lossy(&page(&program)?)) };
        program.build();
        let mut pages = vec![("tradewind.1".to_string(), page(&program)?)];
        for command in program.get_subcommands() {
            pages.push((format!("tradewind-{}.1", command.get_name()), page(command)?));
        }
        let plan = Plan { overwrite: self.overwrite, ..Plan::default() };
        let names: Vec<&str> = pages.iter().map(|(name, _)| name.as_str()).collect();
        let outputs = Outputs::of(&plan).folder(&folder, &names)?;
        outputs.write(pages.iter().map(|(name, text)| (folder.join(name), text.as_slice())))?;
        drop(outputs);
        out.say(&format!("wrote {} pages to {}", pages.len(), folder.display()));
        Ok(())
    }
}
