//! What does a word mean? `help("backtest")` in a script, Shift-Tab in a notebook: how a verb is called and what it
//! does, what a model or question is and which options it has.

use polars::prelude::{Column, DataFrame};

use super::api::{Api, Language, Verb, documented, functions};
use super::complete::{Cursor, options_of};
use super::failure::near;
use super::session::Session;
use crate::error::{Error, Result};
use crate::explore::QUESTIONS;
use crate::metrics::METRICS;
use crate::models::MODELS;
use crate::panel::FEATURES;
use crate::registry::Registry;
use crate::show::{Block, Show, Table};

pub(super) fn register(api: &mut Api) {
    functions! { api;
        "help" help(word: String) -> Block { help(&word) }
        "help" help() -> Block { overview() }
    }
}

/// What a word of the language means: a verb, a noun, a model, a question, a feature.
///
/// # Errors
/// When the language has no such word; the nearest is suggested.
pub fn help(word: &str) -> Result<Block> {
    let language = Language::get();
    let word = word.trim().trim_end_matches("()");
    if language.nouns().contains(&word) {
        let table = verbs(language.of(Some(word)))?;
        return Ok(Block::Group(vec![Block::Text(documented(word).unwrap_or_default().into()), Block::Table(table)]));
    }
    let meant: Vec<&Verb> = language.verbs().iter().filter(|verb| verb.name == word).collect();
    if !meant.is_empty() {
        return Ok(meaning(&meant));
    }
    let near = || {
        let known = language.verbs().iter().map(|verb| verb.name).chain(language.nouns());
        hint(word).unwrap_or_else(|| near(word, known))
    };
    row(word).ok_or_else(|| Error::usage(format!("there is no help on `{word}`{}", near())))
}

/// The row that a name stands for, whichever table it is in.
fn row(name: &str) -> Option<Block> {
    fn of<T>(registry: Registry<T>, name: &str) -> Option<Block> {
        registry.served(name).map(Show::block)
    }
    of(MODELS, name).or_else(|| of(QUESTIONS, name)).or_else(|| of(FEATURES, name)).or_else(|| of(METRICS, name))
}

/// A hint on a synonym or on the most similar name that a registry knows.
pub(super) fn hint(name: &str) -> Option<String> {
    let hint = MODELS.hint(name).or_else(|| QUESTIONS.hint(name));
    hint.or_else(|| FEATURES.hint(name)).or_else(|| METRICS.hint(name))
}

/// Calls and words of verbs of one name, and their options.
pub(super) fn meaning(verbs: &[&Verb]) -> Block {
    let mut blocks = Vec::new();
    let mut said = String::new();
    for verb in verbs {
        let place = verb.noun.map_or_else(String::new, |noun| format!("{noun}: "));
        blocks.push(Block::Code { language: "rhai".into(), text: format!("{place}{}", verb.signature()) });
        let words = verb.words();
        if words != said {
            blocks.push(Block::Text(words.clone()));
            said = words;
        }
    }
    if let Some(options) = verbs.first().and_then(|verb| options_of(verb.name)) {
        blocks.push(Block::Table(options.titled("options")));
    }
    Block::Group(blocks)
}

impl Verb {
    /// Its documentation: that of its model, question, feature or library item.
    pub fn words(&self) -> String {
        fn about<T>(registry: Registry<T>, name: &str) -> Option<String> {
            let row = registry.iter().find(|row| row.name == name)?;
            let also = if row.also.is_empty() { String::new() } else { format!(" Also called: {}.", row.also) };
            Some(format!("{}. For example: {}.{also}", row.summary, row.example))
        }
        let stands_alone = self.noun.is_none().then_some(self.name);
        let listed = stands_alone
            .and_then(|name| about(MODELS, name).or_else(|| about(QUESTIONS, name)).or_else(|| about(FEATURES, name)));
        listed.unwrap_or_else(|| documented(&self.item).unwrap_or_default().to_string())
    }
}

/// All nouns, and the functions that are not methods.
fn overview() -> Result<Block> {
    let nouns = Language::get().nouns();
    let first = |noun: &&str| documented(noun).unwrap_or_default().split("\n\n").next().unwrap_or_default();
    let columns = vec![
        Column::new("noun".into(), nouns.clone()),
        Column::new("what it is".into(), nouns.iter().map(first).collect::<Vec<_>>()),
    ];
    let listed = DataFrame::new(nouns.len(), columns)?;
    let functions = Language::get().of(None).filter(|verb| documented(&verb.item).is_some());
    Ok(Block::Group(vec![
        Block::Table(Table::new(listed)),
        Block::Table(verbs(functions)?.titled("functions")),
        Block::Table(MODELS.list()?.titled("models")),
        Block::Table(QUESTIONS.list()?.titled("questions: sales.explore(…)")),
        Block::Table(FEATURES.list()?.titled("features: sales.features(…)")),
        Block::Table(METRICS.list()?.titled("metrics: trial.leaderboard(…)")),
        Block::Text("help(\"Panel\") lists the verbs of a noun, help(\"backtest\") explains one.".into()),
    ]))
}

/// One row per verb: how it is called, what it returns, what it does.
fn verbs<'a>(verbs: impl Iterator<Item = &'a Verb>) -> Result<Table> {
    let verbs: Vec<&Verb> = verbs.collect();
    let first = |verb: &&Verb| verb.words().split("\n\n").next().unwrap_or_default().to_string();
    let columns = vec![
        Column::new("verb".into(), verbs.iter().map(|verb| verb.call()).collect::<Vec<_>>()),
        Column::new("returns".into(), verbs.iter().map(|verb| verb.returns).collect::<Vec<_>>()),
        Column::new("what it does".into(), verbs.iter().map(first).collect::<Vec<_>>()),
    ];
    Ok(Table::new(DataFrame::new(verbs.len(), columns)?))
}

impl Session {
    /// The thing at the cursor (counted in characters): the documentation of a verb, the value of a variable.
    pub fn inspect(&self, text: &str, cursor: usize) -> Option<Block> {
        let cursor = Cursor::word(text, cursor);
        let language = Language::get();
        let word = cursor.word.as_str();
        if word.is_empty() {
            return None;
        }
        if !cursor.after_dot
            && let Some(shown) = self.variable(word)
        {
            let name = Block::Code { language: "rhai".into(), text: format!("{word}: {}", shown.type_name()) };
            return Some(Block::Group(vec![name, shown.block()]));
        }
        let noun = cursor.receiver(self);
        let mut meant: Vec<&Verb> = if cursor.after_dot {
            language.verbs().iter().filter(|verb| verb.name == word && verb.noun.is_some()).collect()
        } else {
            language.named(None, word).collect()
        };
        if meant.iter().any(|verb| verb.noun == noun) {
            meant.retain(|verb| verb.noun == noun);
        }
        if !(meant.is_empty()) { Some(meaning(&meant)) } else { help(word).ok() }
    }
}
