//! Options as people write them: `ets(season=52)` on a command line, `{season = 52}` in TOML, `#{season: 52}` in Rhai,
//! JSON in a web form. One reader takes them all, one label prints them.
//!
//! Inside the parentheses stands a TOML inline table whose bare words need no quotes. A label is read back as it was
//! printed, also one inside another: `stack(models=['stl(trend="arima(order=[1, 0, 0])")', naive])`. Texts are printed without
//! quotes where they are one word, in single quotes where they have double ones or backslashes inside, and else in double quotes
//! with TOML's escapes.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::error::{Error, Result, folded, nearest, suggestion};
use crate::progress;
use crate::show::Table;

/// An option that is one of some words, the first of them the default: `choice!(/// … Gaps { Leave, Fill });`.
macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $first:ident $(, $other:ident)* }) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
        )]
        #[serde(rename_all = "lowercase")]
        #[allow(missing_docs)]
        pub enum $name { #[default] $first $(, $other)* }
    };
}
pub(crate) use choice;

/// The name and the options of a label such as `theta(season=52)`.
pub(crate) fn split(label: &str) -> Result<(&str, Map<String, Value>)> {
    let label = label.trim();
    let Some((name, rest)) = label.split_once('(') else { return Ok((label, Map::new())) };
    let Some(inside) = rest.trim_end().strip_suffix(')') else {
        return Err(Error::usage(format!("`{label}` opens a parenthesis and does not close it")));
    };
    Ok((name.trim(), parse(inside)?))
}

/// Splits a list of labels at semicolons, commas and line ends that stand outside any bracket; quotes inside a bracket hold
/// whatever they hold.
pub(crate) fn split_list(text: &str) -> Vec<&str> {
    let (mut depth, mut start, mut at) = (0_i32, 0, 0);
    let mut parts = Vec::new();
    while let Some(character) = text[at..].chars().next() {
        let mut after = at + character.len_utf8();
        match character {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            '"' | '\'' if depth > 0 => after = at + quotation(&text[at..]),
            ';' | ',' | '\n' if depth == 0 => {
                parts.push(&text[start..at]);
                start = after;
            }
            _ => {}
        }
        at = after;
    }
    parts.push(&text[start..]);
    parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect()
}

/// The length of the quotation that `text` begins with: single quotes hold what they hold, inside double ones a backslash
/// protects what follows it.
fn quotation(text: &str) -> usize {
    let double = text.starts_with('"');
    let mut protected = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if protected => protected = false,
            '\\' if double => protected = true,
            '"' if double => return at + 1,
            '\'' if !double => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// `season=52, order=[2,1,1], by=MarkDown1` as a map.
pub(crate) fn parse(text: &str) -> Result<Map<String, Value>> {
    if !text.trim().is_empty() && !text.contains('=') {
        return Err(Error::usage(format!("`{text}` is not a list of options: write name=value, such as season=52")));
    }
    let quoted = quote_bare_words(text);
    let table: toml::Table = toml::from_str(&format!("options = {{ {quoted} }}"))
        .map_err(|_| Error::usage(format!("`{text}` is not a list of options: {}", why_unread(text))))?;
    match serde_json::to_value(plain(table["options"].clone())?) {
        Ok(Value::Object(map)) => Ok(map),
        _ => Err(Error::usage(format!("`{text}` is not a list of options"))),
    }
}

/// What is wrong with options that cannot be read, as far as it can be told.
fn why_unread(text: &str) -> String {
    for part in split_list(text) {
        let Some((name, value)) = part.split_once('=') else {
            return format!("`{part}` is no name=value");
        };
        let (name, value) = (name.trim(), value.trim());
        let begins = |signs: [char; 3]| value.starts_with(signs);
        if value.contains('=') && !begins(['[', '{', '"']) && !value.starts_with('\'') {
            return format!("`{part}` holds two; options are separated by commas, as in season=52, trend=true");
        }
        if value.contains(char::is_whitespace) && !begins(['[', '{', '"']) && !value.starts_with('\'') {
            return format!("a text of several words stands in quotes: {name}='{value}'");
        }
        if value.is_empty() {
            return format!("`{name}` has no value");
        }
    }
    "write name=value, separated by commas, as in season=52, trend=true; lists stand in brackets, texts in quotes"
        .into()
}

/// What TOML has and JSON has not: a date becomes its text, and what is no finite number is refused, since JSON would take
/// it for nothing said.
pub(crate) fn plain(value: toml::Value) -> Result<toml::Value> {
    Ok(match value {
        toml::Value::Datetime(date) => toml::Value::String(date.to_string()),
        toml::Value::Float(number) => toml::Value::Float(finite(number)?),
        toml::Value::Array(values) => values.into_iter().map(plain).collect::<Result<Vec<_>>>()?.into(),
        toml::Value::Table(table) => {
            let entry = |(name, value): (String, toml::Value)| match plain(value) {
                Ok(value) => Ok((name, value)),
                Err(error) => Err(error.within(format!("option `{name}`"))),
            };
            table.into_iter().map(entry).collect::<Result<toml::Table>>()?.into()
        }
        value => value,
    })
}

/// A number that an option can be.
pub(crate) fn finite(number: f64) -> Result<f64> {
    match number.is_finite() {
        true => Ok(number),
        false => Err(Error::usage(format!("{number} is no number that an option can be"))),
    }
}

/// A probability, or an error that suggests what was meant.
pub(crate) fn probability(value: f64, what: &str) -> Result<f64> {
    if value > 0.0 && value < 1.0 {
        return Ok(value);
    }
    let meant = match value > 1.0 && value < 100.0 {
        true => format!("; did you mean {}?", value / 100.0),
        false => String::new(),
    };
    Err(Error::usage(format!("a {what} lies between 0 and 1, not {value}{meant}")))
}

/// An interval level; its ends are told apart from 0, 1 and the median to six decimals.
pub(crate) fn level(value: f64) -> Result<f64> {
    match probability(value, "level")? {
        value if (4e-6..=1.0 - 4e-6).contains(&value) => Ok(value),
        _ => Err(Error::usage(format!("a level of {value} is too close to 0 or 1 to be told apart from it"))),
    }
}

/// Words that are no texts.
const MEANT: [&str; 4] = ["true", "false", "nan", "inf"];

/// The length of the bare word that `text` begins with.
fn word(text: &str) -> usize {
    let begins = text.starts_with(|c: char| c.is_alphabetic() || "_/".contains(c));
    let end = text.find(|c: char| !(c.is_alphanumeric() || "_-./".contains(c))).unwrap_or(text.len());
    if begins { end } else { 0 }
}

/// TOML wants strings quoted; `scenario=last` and `by=[MarkDown1]` are what people type.
fn quote_bare_words(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 8);
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (token, value) = match first {
            '"' | '\'' => (&rest[..quotation(rest)], false),
            _ if word(rest) > 0 => {
                let (token, after) = rest.split_at(word(rest));
                (token, !after.trim_start().starts_with('=') && !MEANT.contains(&token))
            }
            // A number swallows its letters, so that the `e` of `1e-3` is no word; 4-5-4 is one.
            c if c.is_ascii_digit() || c == '+' || c == '-' => {
                let end = rest[1..]
                    .find(|c: char| !(c.is_alphanumeric() || "_-+.:".contains(c)))
                    .map_or(rest.len(), |end| end + 1);
                let parts = rest[..end].split('-');
                (&rest[..end], parts.clone().count() == 3 && parts.into_iter().all(|part| part.len() == 1))
            }
            c => (&rest[..c.len_utf8()], false),
        };
        match value {
            true => quoted.push_str(&format!("\"{token}\"")),
            false => quoted.push_str(token),
        }
        rest = &rest[token.len()..];
    }
    quoted
}

/// Reads options into a struct whose fields all have defaults. `owner` is named in errors.
pub(crate) fn read<T>(owner: &str, options: Map<String, Value>) -> Result<T>
where
    T: DeserializeOwned + Serialize + Default + JsonSchema,
{
    let options: Map<String, Value> =
        spelled::<T>(owner, options)?.into_iter().map(|(name, value)| (name, whole(value))).collect();
    for (name, value) in &options {
        let one = Map::from_iter([(name.clone(), value.clone())]);
        if let Err(cause) = serde_json::from_value::<T>(Value::Object(one)) {
            let (near, why) = wanted(&cause.to_string(), value);
            let error = Error::usage(format!("option `{name}` of {owner} cannot be {value}{near}"));
            return Err(if near.is_empty() { error.because(why) } else { error });
        }
    }
    serde_json::from_value(Value::Object(options))
        .map_err(|cause| Error::usage(format!("the options of {owner} do not fit")).because(cause.to_string()))
}

/// Options by their own names. An option's other names stand beside its field: `#[schemars(extend("also" = "eta"))]`; they are
/// served, with one remark on what it is called here. All are read in any case, with or without hyphens and underscores.
pub(crate) fn spelled<T: Serialize + Default + JsonSchema>(
    owner: &str,
    options: Map<String, Value>,
) -> Result<Map<String, Value>> {
    let defaults = fields(&T::default())?;
    if options.keys().all(|name| defaults.contains_key(name)) {
        return Ok(options);
    }
    let schema = schemars::schema_for!(T);
    let names: Vec<(&str, Vec<&str>)> =
        defaults.keys().map(|option| (option.as_str(), also(&schema, option).collect())).collect();
    let own = |name: &str| {
        let same = |known: &str| folded(known) == folded(name);
        let found = names.iter().find(|(option, also)| same(option) || also.iter().any(|other| same(other)));
        found.map(|(option, _)| (*option).to_string())
    };
    let mut read = Map::new();
    for (name, value) in options {
        let known = if defaults.contains_key(&name) { Some(name.clone()) } else { own(&name) };
        let Some(option) = known else {
            let all = names.iter().map(|(option, _)| *option);
            let others = names.iter().flat_map(|(_, also)| also.iter().copied());
            let near = match nearest(&name, all.clone().chain(others)) {
                _ if names.is_empty() => " (it has none)".to_string(),
                Some(near) => match own(near) {
                    Some(option) if option != near => format!(", did you mean `{option}` ({near})?"),
                    _ => format!(", did you mean `{near}`?"),
                },
                None => suggestion(&name, all),
            };
            return Err(Error::usage(format!("unknown option `{name}` of {owner}{near}")));
        };
        if folded(&name) != folded(&option) {
            progress::say_once(&format!("the option `{name}` of {owner} is called `{option}` here"));
        }
        if read.insert(option.clone(), value).is_some() {
            return Err(Error::usage(format!("option `{option}` of {owner} is stated twice, also as `{name}`")));
        }
    }
    Ok(read)
}

/// The other names of an option.
fn also<'a>(schema: &'a schemars::Schema, option: &str) -> impl Iterator<Item = &'a str> {
    let described = schema.get("properties").and_then(|fields| fields.get(option)?.get("also")?.as_str());
    described.unwrap_or_default().split(", ").filter(|name| !name.is_empty())
}

/// What serde says of a value that does not fit, in words: the nearest of the words that an option can be, and what it takes.
fn wanted(cause: &str, value: &Value) -> (String, String) {
    let Some((_, expected)) = cause.rsplit_once("expected ") else { return (String::new(), cause.into()) };
    let words: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
    let typed = value.as_str().filter(|_| cause.starts_with("unknown variant"));
    if let Some(near) = typed.and_then(|typed| nearest(typed, words.iter().copied())) {
        return (format!(", did you mean `{near}`?"), String::new());
    }
    let takes = match expected {
        "usize" | "u8" | "u16" | "u32" | "u64" => "a whole number of at least 0",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" => "true or false",
        "a string" => "a text",
        "a sequence" => "a list in brackets",
        "a map" => "options in braces",
        other => other,
    };
    (String::new(), format!("it takes {takes}"))
}

/// The options that differ from their defaults, in the struct's order.
pub(crate) fn stated<T: Serialize + Default>(options: &T) -> Result<Map<String, Value>> {
    let defaults = fields(&T::default())?;
    let mut shown = fields(options)?;
    shown.retain(|option, value| defaults.get(option) != Some(value));
    Ok(shown)
}

/// `name(option=value)` with the options that differ from their defaults, in the struct's order.
pub(crate) fn label<T: Serialize + Default>(name: &str, options: &T) -> Result<String> {
    let shown = stated(options)?;
    Ok(match shown.is_empty() {
        true => name.to_string(),
        false => format!("{name}({})", pairs(&shown)),
    })
}

/// Options as people write them: `windows=0, scale=level`.
pub(crate) fn pairs(options: &Map<String, Value>) -> String {
    let pairs: Vec<String> = options.iter().map(|(option, value)| format!("{}={}", key(option), text(value))).collect();
    pairs.join(", ")
}

/// The fields of an options struct as JSON.
pub(crate) fn fields<T: Serialize>(options: &T) -> Result<Map<String, Value>> {
    match serde_json::to_value(options) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(Value::Null) => Ok(Map::new()),
        Ok(_) => Err(Error::usage("options are a table of names and values")),
        Err(cause) => Err(Error::usage("the options cannot be written").because(cause)),
    }
}

/// One row per option: name, default, meaning and, if any has them, other names, from the struct's schema and its defaults.
pub(crate) fn table<T: Serialize + Default + JsonSchema>() -> Result<Table> {
    use polars::prelude::*;
    let (schema, defaults) = (schemars::schema_for!(T), fields(&T::default())?);
    let described = schema.get("properties").and_then(Value::as_object);
    let meaning = |name: &str| {
        let text = described.and_then(|fields| fields.get(name)?.get("description")?.as_str());
        text.unwrap_or_default().replace('\n', " ")
    };
    let names: Vec<&str> = defaults.keys().map(String::as_str).collect();
    let values: Vec<String> = defaults.values().map(|v| if v.is_null() { "–".into() } else { v.to_string() }).collect();
    let meanings: Vec<String> = names.iter().map(|name| meaning(name)).collect();
    let others: Vec<String> = names.iter().map(|name| also(&schema, name).collect::<Vec<_>>().join(", ")).collect();
    let mut columns = vec![
        Column::new("option".into(), &names),
        Column::new("default".into(), values),
        Column::new("meaning".into(), meanings),
    ];
    if others.iter().any(|others| !others.is_empty()) {
        columns.push(Column::new("also".into(), others));
    }
    Ok(Table::new(DataFrame::new(names.len(), columns)?))
}

/// Rhai and TOML write `52.0` where a whole number is asked: serde refuses it, people do not. The other way round
/// (`1` for an `f64`) serde_json agrees by itself.
fn whole(value: Value) -> Value {
    match value {
        Value::Number(number) => match number.as_f64() {
            Some(float) if !number.is_i64() && !number.is_u64() && float.fract() == 0.0 && float.abs() < 9e15 => {
                Value::from(float as i64)
            }
            _ => Value::Number(number),
        },
        Value::Array(values) => values.into_iter().map(whole).collect(),
        Value::Object(map) => Value::Object(map.into_iter().map(|(name, value)| (name, whole(value))).collect()),
        value => value,
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) if !text.is_empty() && word(text) == text.len() && !MEANT.contains(&&**text) => {
            text.clone()
        }
        Value::String(text) => quoted(text),
        Value::Array(values) => format!("[{}]", values.iter().map(text).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => {
            let fields: Vec<String> =
                map.iter().map(|(name, value)| format!("{}={}", key(name), text(value))).collect();
            format!("{{{}}}", fields.join(", "))
        }
        value => whole(value.clone()).to_string(),
    }
}

/// The name of an option: TOML knows bare ones of letters, digits, `_` and `-`.
fn key(name: &str) -> Cow<'_, str> {
    let bare = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    if !name.is_empty() && name.chars().all(bare) { name.into() } else { quoted(name).into() }
}

/// A text in quotes: in single ones, which protect nothing, where that spares it backslashes.
fn quoted(text: &str) -> String {
    match text.contains(['"', '\\']) && !text.contains(|c: char| c == '\'' || c.is_control()) {
        true => format!("'{text}'"),
        // JSON's escapes are TOML's, which has one more.
        false => Value::from(text).to_string().replace('\u{7f}', "\\u007f"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn labels_are_read_as_people_write_them() {
        let (name, options) =
            split("arima(order=[2, 1, 1], season=12.0, method=css, note=\"a, b\", rate=1e-3)").unwrap();
        assert_eq!(name, "arima");
        assert_eq!(
            Value::Object(options),
            json!({"order": [2, 1, 1], "season": 12.0, "method": "css", "note": "a, b", "rate": 1e-3})
        );
        let paths = parse("record=runs/a-1.jsonl, other=/tmp/b").unwrap();
        assert_eq!(Value::Object(paths), json!({"record": "runs/a-1.jsonl", "other": "/tmp/b"}));
        let dates = parse("dates=[2011-01-07, \"2012-01-06\"], from=2011-01-07T08:30:00").unwrap();
        assert_eq!(Value::Object(dates), json!({"dates": ["2011-01-07", "2012-01-06"], "from": "2011-01-07T08:30:00"}));
        assert_eq!(split_list("a; b(x=[1,2]), c(y=2)"), ["a", "b(x=[1,2])", "c(y=2)"]);
    }

    #[test]
    fn broken_labels_are_refused() {
        for label in ["theta(", "theta(season=", "theta(=3)", "theta(season=52 trend=1)", "theta(season=[1)"] {
            assert!(split(label).unwrap_err().is_usage(), "{label}");
        }
    }

    /// Anything that options can be.
    fn values() -> impl Strategy<Value = Value> {
        let texts = prop_oneof![
            "\\PC{0,12}",
            "[\"'\\\\\\[\\](){},;=# a\u{7f}\t\n\r\u{1}-]{0,12}",
            "[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}:[0-9]{2})?",
            "(true|false|nan|inf|[+-]?[0-9]{1,3}(\\.[0-9]{1,3})?(e[+-]?[0-9]{1,2})?)[a-z]?",
            "[a-z]{1,5}\\([a-z]=[\"'][a-z]{1,3}[\"'], [a-z]=\\[[0-9], [0-9]\\]\\)",
        ];
        let numbers = prop_oneof![
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Value::from),
            (-1e3..1e3).prop_map(Value::from),
        ];
        let one = prop_oneof![any::<bool>().prop_map(Value::from), numbers, texts.prop_map(Value::from)];
        one.prop_recursive(3, 24, 4, |inner| {
            let map = proptest::collection::btree_map("[a-z_]{1,4}|\\PC{0,4}", inner.clone(), 0..4);
            prop_oneof![
                proptest::collection::vec(inner, 0..4).prop_map(Value::from),
                map.prop_map(|map| Value::Object(map.into_iter().collect()))
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn what_is_printed_is_read(options in proptest::collection::btree_map("[a-z_]{1,6}", values(), 0..4)) {
            let options: Map<String, Value> = options.into_iter().map(|(name, value)| (name, whole(value))).collect();
            let label = format!("model({})", pairs(&options));
            let (name, read) = split(&label).unwrap();
            let read: Map<String, Value> = read.into_iter().map(|(name, value)| (name, whole(value))).collect();
            prop_assert_eq!((name, Value::Object(read)), ("model", Value::Object(options)), "{}", label);
            let list = format!("a; {label}, b");
            prop_assert_eq!(split_list(&list), ["a", label.as_str(), "b"]);
        }
    }

    #[test]
    fn strings_that_need_quotes_keep_them() {
        assert_eq!(text(&json!("last")), "last");
        assert_eq!(text(&json!("true")), "\"true\"");
        assert_eq!(text(&json!("two words")), "\"two words\"");
    }
}
