//! One JSON object per line, or one array of them.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;

use serde_json::Value;

use super::bytes::{Guard, Text};
use super::{Cells, Layout, Part, Wanted};
use crate::error::{Error, Result};
use crate::progress;

/// The lines whose fields define the columns.
const HEAD: usize = 1000;

pub(super) fn read(path: &Path, wanted: &Wanted) -> Result<Part> {
    let text = Text::open(path, wanted.reading.encoding.as_deref())?;
    let source = &text.source;
    if text.sample.trim_start().starts_with('[') {
        return array(&text, wanted);
    }
    let mut present: BTreeMap<String, usize> = BTreeMap::new();
    each(&text, HEAD, &mut |_, object| {
        for name in object.keys() {
            let next = present.len();
            present.entry(name.clone()).or_insert(next);
        }
        Ok(())
    })?;
    let mut rows = Rows::new(&present, wanted, source)?;
    each(&text, usize::MAX, &mut |line, object| rows.push(line, &object))?;
    rows.part(text.found.clone(), wanted)
}

fn array(text: &Text, wanted: &Wanted) -> Result<Part> {
    let source = &text.source;
    let objects: Vec<serde_json::Map<String, Value>> = serde_json::from_reader(text.reader(&Guard::new(0))?)
        .map_err(|cause| Error::data(format!("{source} is not a list of JSON objects")).because(cause))?;
    let mut present: BTreeMap<String, usize> = BTreeMap::new();
    for name in objects.iter().take(HEAD).flat_map(|object| object.keys()) {
        let next = present.len();
        present.entry(name.clone()).or_insert(next);
    }
    let mut rows = Rows::new(&present, wanted, source)?;
    for (row, object) in objects.iter().enumerate() {
        rows.push(row as u64 + 1, object)?;
    }
    let mut part = rows.part(text.found.clone(), wanted)?;
    part.lines.clear();
    part.left.iter_mut().for_each(|left| left.line = false);
    Ok(part)
}

/// Calls `take` with every object and its line, `most` of them.
fn each(
    text: &Text,
    most: usize,
    take: &mut dyn FnMut(u64, serde_json::Map<String, Value>) -> Result<()>,
) -> Result<()> {
    let guard = Guard::new(0);
    let mut reader = BufReader::with_capacity(1 << 18, text.reader(&guard)?);
    let (mut line, mut byte, mut taken, mut buffer) = (0, 0, 0, Vec::new());
    while taken < most {
        buffer.clear();
        let n = reader.read_until(b'\n', &mut buffer).map_err(|cause| text.broken(cause))?;
        if n == 0 {
            break;
        }
        line += 1;
        byte += n as u64;
        guard.row_at(byte);
        if buffer.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let object = serde_json::from_slice(&buffer).map_err(|cause| {
            Error::data(format!("line {line} of {} is not a JSON object", text.source)).because(cause)
        })?;
        take(line, object)?;
        taken += 1;
        if taken % 65_536 == 0 {
            progress::check()?;
        }
    }
    Ok(())
}

/// The rows of the wanted columns in the making.
struct Rows {
    cells: Cells,
    lines: Vec<u32>,
    layout: Layout,
    source: String,
}

impl Rows {
    fn new(present: &BTreeMap<String, usize>, wanted: &Wanted, source: &str) -> Result<Self> {
        let mut names: Vec<(&String, &usize)> = present.iter().collect();
        names.sort_by_key(|(_, at)| **at);
        let names: Vec<&str> = names.into_iter().map(|(name, _)| name.as_str()).collect();
        if names.is_empty() {
            return Err(Error::data(format!("{source} has no rows")));
        }
        let layout = wanted.layout(&names, source)?;
        let names = layout.names();
        Ok(Self { cells: Cells::new(names, wanted), lines: Vec::new(), layout, source: source.into() })
    }

    fn push(&mut self, line: u64, object: &serde_json::Map<String, Value>) -> Result<()> {
        for column in 0..self.cells.names.len() {
            let name = &self.cells.names[column];
            match object.get(name) {
                None | Some(Value::Null) => self.cells.columns[column].append_null(),
                Some(Value::String(text)) => self.cells.push(column, text),
                Some(Value::Bool(value)) => self.cells.push(column, if *value { "true" } else { "false" }),
                Some(Value::Number(number)) => self.cells.push_number(column, &number.to_string()),
                Some(Value::Array(_) | Value::Object(_)) => {
                    return Err(Error::data(format!(
                        "`{name}` on line {line} of {} is a list or an object, not one value",
                        self.source
                    )));
                }
            }
        }
        self.lines.push(u32::try_from(line).unwrap_or(u32::MAX));
        Ok(())
    }

    fn part(self, found: Vec<String>, wanted: &Wanted) -> Result<Part> {
        self.layout.part(self.cells.frame()?, self.lines, found, wanted)
    }
}
