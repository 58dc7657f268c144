//! How does a script's value look to a person? A noun by its own blocks; maps in an array as a table; the rest as text.

use polars::prelude::{Column, DataFrame};
use rhai::{Array, Dynamic, ImmutableString, Map};

use super::nouns;
use crate::error::{Error, Result, suggestion};
use crate::show::{Block, Table, number};

/// A value as blocks; none if it is plain text or number, which need no layout.
pub(super) fn block(value: &Dynamic) -> Option<Block> {
    if let Some(noun) = nouns::block(value) {
        return Some(noun);
    }
    if value.is_string() {
        return Some(Block::Text(value.to_string()));
    }
    if let Some(map) = value.read_lock::<Map>() {
        return (!map.is_empty()).then(|| pairs(&map));
    }
    let items = value.read_lock::<Array>()?;
    if items.is_empty() || items.iter().any(|item| item.is_string() || item.is_array()) {
        return None;
    }
    if items.iter().all(Dynamic::is_map) {
        table(&items, &[]).ok().map(Block::Table)
    } else {
        items.iter().map(nouns::block).collect::<Option<_>>().map(Block::Group)
    }
}

/// A map: a table of its numbers and words, and its nouns after it.
fn pairs(map: &Map) -> Block {
    let (nouns, plain): (Vec<_>, Vec<_>) = map.iter().partition(|(_, value)| nouns::block(value).is_some());
    let mut blocks = Vec::new();
    if !plain.is_empty() {
        let names: Vec<&str> = plain.iter().map(|(name, _)| name.as_str()).collect();
        let values: Vec<String> = plain.iter().map(|(_, value)| words(value)).collect();
        let columns = vec![Column::new("name".into(), names), Column::new("value".into(), values)];
        blocks.extend(DataFrame::new(plain.len(), columns).map(|frame| Block::Table(Table::new(frame))));
    }
    for (name, value) in nouns {
        blocks.push(Block::Heading { level: 4, text: name.to_string() });
        blocks.extend(nouns::block(value));
    }
    Block::Group(blocks)
}

/// Maps of an array as rows of a table, with the stated columns or with all. A column of numbers or flags stays one;
/// anything else is text.
pub(super) fn table(items: &[Dynamic], columns: &[String]) -> Result<Table> {
    let mut rows = Vec::with_capacity(items.len());
    for item in items {
        let row = item.read_lock::<Map>();
        rows.push(
            row.ok_or_else(|| {
                Error::usage(format!("the rows of a table are maps, not {}", super::values::kind(item)))
            })?,
        );
    }
    let mut names: Vec<&str> = Vec::new();
    for name in rows.iter().flat_map(|row| row.keys()) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    if let Some(missing) = columns.iter().find(|column| !names.contains(&column.as_str())) {
        let near = suggestion(missing, names);
        return Err(Error::usage(format!("no row has a `{missing}`{near}")));
    }
    if !columns.is_empty() {
        names = columns.iter().map(String::as_str).collect();
    }
    let column = |name: &&str| {
        let cells: Vec<Option<&Dynamic>> =
            rows.iter().map(|row| row.get(*name).filter(|cell| !cell.is_unit())).collect();
        let all = |is: fn(&Dynamic) -> bool| cells.iter().flatten().all(|cell| is(cell));
        let name = (*name).into();
        if all(Dynamic::is_int) {
            Column::new(name, picked(&cells, |cell| cell.as_int().ok()))
        } else if all(|cell| cell.is_int() || cell.is_float()) {
            let float = |cell: &Dynamic| cell.as_float().ok().or_else(|| Some(cell.as_int().ok()? as f64));
            Column::new(name, picked(&cells, float))
        } else if all(Dynamic::is_bool) {
            Column::new(name, picked(&cells, |cell| cell.as_bool().ok()))
        } else {
            Column::new(name, picked(&cells, |cell| Some(words(cell))))
        }
    };
    Ok(Table::new(DataFrame::new(items.len(), names.iter().map(column).collect())?))
}

fn picked<T>(cells: &[Option<&Dynamic>], pick: impl Fn(&Dynamic) -> Option<T>) -> Vec<Option<T>> {
    cells.iter().map(|cell| cell.and_then(&pick)).collect()
}

/// A value in one line.
fn words(value: &Dynamic) -> String {
    if let Ok(float) = value.as_float() {
        return number(float);
    }
    match value.type_name() {
        "()" => String::new(),
        "array" | "map" => listed(value),
        _ => value.to_string(),
    }
}

/// How many characters of plain text fit on a line of a notebook.
const SENTENCE: usize = 80;

/// The value of a script, as it looks to a person.
#[derive(Clone, Debug)]
pub struct Shown(Dynamic);

impl Shown {
    pub(super) fn of(value: Dynamic) -> Self {
        Self(value.flatten())
    }

    /// Is there nothing to show?
    pub fn is_empty(&self) -> bool {
        self.0.is_unit() || self.exit_code().is_some()
    }

    /// As text, for a terminal.
    pub fn text(&self) -> String {
        match nouns::block(&self.0).or_else(|| self.table()) {
            Some(block) => block.to_text().trim_end().to_string(),
            None if self.0.is_array() || self.0.is_map() => listed(&self.0),
            None => words(&self.0),
        }
    }

    /// As blocks, whatever it is.
    pub(super) fn block(&self) -> Block {
        nouns::block(&self.0).or_else(|| self.table()).unwrap_or_else(|| Block::Text(self.text()))
    }

    /// As a fragment of HTML; none for numbers and words. A sentence is a paragraph: notebooks break plain text in the
    /// middle of words.
    pub fn html(&self) -> Option<String> {
        let sentence = || {
            let text = self.0.read_lock::<ImmutableString>()?;
            (text.chars().count() > SENTENCE && !text.contains('\n')).then(|| Block::Text(text.to_string()))
        };
        Some(nouns::block(&self.0).or_else(|| self.table()).or_else(sentence)?.to_html())
    }

    /// As a picture, if it is one.
    pub fn svg(&self) -> Option<String> {
        self.0.read_lock::<crate::show::Figure>().and_then(|figure| figure.svg().ok())
    }

    /// The code of `exit(code)`, if that ended the script.
    pub(super) fn exit_code(&self) -> Option<i64> {
        self.0.read_lock::<super::session::Exit>().map(|exit| exit.0)
    }

    /// The type of the value, as the documentation writes it.
    pub fn type_name(&self) -> &'static str {
        super::type_name(&self.0)
    }

    /// Maps and arrays of maps or nouns as blocks.
    fn table(&self) -> Option<Block> {
        if self.0.is_array() || self.0.is_map() { block(&self.0) } else { None }
    }
}

/// Bytes of text that an array or a map is written in: texts that it holds once and names often would fill any memory.
const LONGEST: usize = 16 << 20;
/// How deep values may lie in each other.
const DEEPEST: usize = 100;

/// An array or map in one line, as `print` writes it, cut where it is longer than anybody reads.
fn listed(value: &Dynamic) -> String {
    let mut text = String::new();
    if list(value, &mut text, 0) { text } else { text + "…" }
}

/// An array as [`listed`] writes it, and whether it is all there.
pub(super) fn items(items: &[Dynamic]) -> (String, bool) {
    let mut text = String::new();
    let whole = list_items(items, &mut text, 0);
    (text, whole)
}

/// A map as [`listed`] writes it, and whether it is all there.
pub(super) fn entries(map: &Map) -> (String, bool) {
    let mut text = String::new();
    let whole = list_entries(map, &mut text, 0);
    (text, whole)
}

/// Writes a value; was there room? A comma separates the items: there is none between thousands.
fn list(value: &Dynamic, text: &mut String, depth: usize) -> bool {
    if let Some(items) = value.read_lock::<Array>() {
        return list_items(&items, text, depth);
    }
    if let Some(map) = value.read_lock::<Map>() {
        return list_entries(&map, text, depth);
    }
    match (value.as_float(), value.read_lock::<ImmutableString>()) {
        (Ok(float), _) => text.push_str(&number(float).replace(',', "")),
        (_, Some(held)) if text.len() + held.len() > LONGEST => return false,
        (_, Some(held)) => text.push_str(&format!("{:?}", held.as_str())),
        _ => text.push_str(&words(value)),
    }
    text.len() <= LONGEST
}

fn list_items(items: &[Dynamic], text: &mut String, depth: usize) -> bool {
    text.push('[');
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            text.push_str(", ");
        }
        if depth == DEEPEST || !list(item, text, depth + 1) {
            return false;
        }
    }
    text.push(']');
    true
}

fn list_entries(map: &Map, text: &mut String, depth: usize) -> bool {
    text.push_str("#{");
    for (at, (name, value)) in map.iter().enumerate() {
        text.push_str(if at > 0 { ", " } else { "" });
        text.push_str(name);
        text.push_str(": ");
        if depth == DEEPEST || !list(value, text, depth + 1) {
            return false;
        }
    }
    text.push('}');
    true
}
