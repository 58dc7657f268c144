//! What does an error cost? What the rules state for every series, and what a file states for some.

use std::collections::HashMap;
use std::path::Path;

use polars::prelude::DataType;
use tradewind_monitor::alerts::{Costs, Rules};
use tradewind_monitor::monitor::{Ask, MonitorOptions};

use crate::error::{Error, Result, suggestion};
use crate::panel::Sheet;

/// The columns of the file besides the keys.
const COLUMNS: [&str; 2] = ["over", "under"];

/// What a unit of a series costs, too much and too little, by the key of the series.
///
/// # Errors
/// When the file of the costs cannot be read, lacks a key column or both costs, names a series twice, or holds something that is no cost.
pub(super) fn costs(rules: &Rules) -> Result<Ask<[String], Costs>> {
    let Some(stated) = &rules.costs else { return Ok(MonitorOptions::default().costs) };
    let usual = stated.usual();
    let Some(file) = &stated.file else { return Ok(Box::new(move |_| usual)) };
    let of_series = read(Path::new(file), &rules.keys, usual)?;
    Ok(Box::new(move |key| of_series.get(key).copied().unwrap_or(usual)))
}

fn read(file: &Path, keys: &[String], usual: Costs) -> Result<HashMap<Vec<String>, Costs>> {
    let place = file.display().to_string();
    if keys.is_empty() {
        return Err(Error::usage(format!(
            "the rules name {place} for the costs of single series, but no key columns; state keys = [\"…\"]"
        )));
    }
    let names: Vec<&str> = keys.iter().map(String::as_str).collect();
    let sheet = Sheet::read(file, &names, None)?;
    let frame = sheet.frame();
    let present: Vec<&str> = frame.get_column_names().into_iter().map(|name| name.as_str()).collect();
    if let Some(missing) = names.iter().find(|name| !present.contains(name)) {
        let nearest = suggestion(missing, present.iter().copied());
        return Err(Error::data(format!("{place} has no column `{missing}`{nearest}")));
    }
    if !COLUMNS.iter().any(|name| present.contains(name)) {
        return Err(Error::data(format!("{place} has neither a column `over` nor a column `under`")));
    }
    let column = |name: &str| -> Result<Vec<Option<f64>>> {
        if !present.contains(&name) {
            return Ok(vec![None; frame.height()]);
        }
        let cells = frame.column(name)?;
        let numbers = cells.cast(&DataType::Float64)?;
        let numbers: Vec<Option<f64>> = numbers.f64()?.iter().collect();
        let is_empty = cells.is_null();
        for (row, (number, is_empty)) in numbers.iter().zip(is_empty.iter()).enumerate() {
            let is_cost = number.map_or(is_empty == Some(true), |cost| cost.is_finite() && cost >= 0.0);
            if !is_cost {
                return Err(Error::data(format!(
                    "{place}, {}: `{name}` is what a unit costs, a number that is not below 0, not {}",
                    sheet.row_text(row),
                    cells.get(row)?
                )));
            }
        }
        Ok(numbers)
    };
    let (over, under) = (column("over")?, column("under")?);
    let texts = |name: &&str| -> Result<Vec<String>> {
        let texts = frame.column(name)?.cast(&DataType::String)?;
        Ok(texts.str()?.iter().map(|text| text.unwrap_or_default().to_string()).collect())
    };
    let texts: Vec<Vec<String>> = names.iter().map(texts).collect::<Result<_>>()?;
    let mut of_series = HashMap::with_capacity(frame.height());
    for (row, (over, under)) in over.into_iter().zip(under).enumerate() {
        let key: Vec<String> = texts.iter().map(|column| column[row].clone()).collect();
        let costs = Costs { over: over.unwrap_or(usual.over), under: under.unwrap_or(usual.under) };
        if of_series.insert(key.clone(), costs).is_some() {
            return Err(Error::data(format!(
                "{place}, {}: the costs of {} are stated twice",
                sheet.row_text(row),
                key.join(", ")
            )));
        }
    }
    Ok(of_series)
}
