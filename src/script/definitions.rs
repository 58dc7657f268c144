//! `scripts/api.d.rhai`: every verb with its types and words, in the form that Rhai's language server reads.

use super::api::{Language, Verb, documented};
use super::arrays::ARRAY;

/// The definitions of the language, as `scripts/api.d.rhai` holds them.
pub fn definitions() -> String {
    let mut text = String::from(
        "// What scripts can say beyond Rhai itself: written by `tradewind script --api`, read by editors.\nmodule static;\n",
    );
    let language = Language::get();
    for noun in language.nouns() {
        text += &format!("\n{}type {noun} = ?;\n", comment(documented(noun).unwrap_or_default()));
    }
    for noun in [None].into_iter().chain(language.nouns().into_iter().chain([ARRAY]).map(Some)) {
        let title = noun.map_or("functions that stand alone".to_string(), |noun| format!("verbs of {noun}"));
        text += &format!("\n// {title}\n");
        for verb in language.of(noun) {
            text += &format!("\n{}{}\n", comment(&verb.words()), line(verb));
        }
    }
    text
}

fn line(verb: &Verb) -> String {
    let this = verb.noun.map(|noun| format!("this: {noun}"));
    let params = verb.params.iter().map(|(name, of)| format!("{name}: {of}"));
    let params: Vec<String> = this.into_iter().chain(params).collect();
    let get = if verb.property { "get " } else { "" };
    let returns = if verb.returns == "()" { "void" } else { verb.returns };
    format!("fn {get}{}({}) -> {returns};", verb.name, params.join(", "))
}

fn comment(text: &str) -> String {
    text.lines().map(|line| format!("/// {line}").trim_end().to_string() + "\n").collect()
}
