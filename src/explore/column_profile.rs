//! What is in the data? Every column with its role, what its cells are, how many are missing, what they range over and along
//! what they vary; and which columns deserve a look before anything is built on them.
//!
//! A column varies *within series* if a series has more than one value of it, *between series* if every series has one value
//! and these differ, *over time* if all series have the same value on each date. It is *missing before* a date if at least
//! 95 % of its cells before that date are empty and at most half as large a share afterwards: a sensor, a promotion that was
//! recorded from then on. Two columns are duplicates if they agree in every row. Shares are of rows.

use std::collections::HashMap;

use polars::prelude::*;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ask, Finding};
use crate::error::Result;
use crate::figures::Distribution;
use crate::panel::Panel;
use crate::progress;
use crate::show::words::{about, counted, listed, rounded};
use crate::show::{Table, number};

/// Before a date a column is missing if at least this share of its cells is.
const EMPTY: f64 = 0.95;
/// A missing part is worth a word from this share of the rows on.
const WORTH: f64 = 0.05;
/// The most values of a group in the figure.
const DRAWN: usize = 10_000;
/// The most groups in the figure.
const GROUPS: usize = 6;
/// The most remarks in the sentence; the others are caveats.
const REMARKS: usize = 4;

/// Options of `columns`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ColumnProfiles {
    /// Rows of the table: columns, in the order of their declaration.
    pub top: usize,
}

impl Default for ColumnProfiles {
    fn default() -> Self {
        Self { top: 50 }
    }
}

/// The cells of a column as numbers to compare: NaN where empty.
enum Cells {
    Numbers(Vec<f64>),
    /// Each text's place among the different ones.
    Texts(Vec<f64>, Vec<String>),
}

impl Cells {
    fn codes(&self) -> &[f64] {
        match self {
            Self::Numbers(cells) | Self::Texts(cells, _) => cells,
        }
    }
}

/// A column.
struct Described {
    name: String,
    role: &'static str,
    kind: &'static str,
    missing: f64,
    distinct: usize,
    range: String,
    zeros: f64,
    negative: f64,
    varies: &'static str,
    since: Option<String>,
    until: Option<String>,
    same: Option<String>,
}

const CONSTANT: &str = "constant";
const NEVER: &str = "never";
const BETWEEN: &str = "between series";
const OVER_TIME: &str = "over time";
const WITHIN: &str = "within series";

impl Ask for ColumnProfiles {
    const NAME: &str = "columns";
    const SUMMARY: &str = "What is in the data: every column, its range, what is missing, what deserves attention";
    const EXAMPLE: &str = "columns()";
    const ALSO: &str = "describe, column profile, variables, missing values";
    const SIMILAR: &[(&str, &str)] =
        &[("overview, summary, head, schema, nulls", "every column, its range and what is missing of it")];

    fn answer(&self, panel: &Panel) -> Result<Finding> {
        let inner = panel.inner();
        let columns = panel.columns();
        let (roles, names) = (columns.roles(), columns.names());
        let read = |at: usize| {
            progress::check()?;
            let column = inner.frame.column(names[at])?;
            let cells = cells(column, (roles[at] == "time").then_some(panel))?;
            Ok((kind(column.dtype()), cells))
        };
        let cells = (0..names.len()).into_par_iter().map(read).collect::<Result<Vec<_>>>()?;
        let mut described = (0..names.len())
            .into_par_iter()
            .map(|at| {
                progress::check()?;
                Ok(describe(panel, names[at], roles[at], cells[at].0, &cells[at].1))
            })
            .collect::<Result<Vec<Described>>>()?;
        for later in 0..names.len() {
            let same = (0..later).find(|earlier| {
                described[*earlier].distinct > 1
                    && described[*earlier].distinct == described[later].distinct
                    && agree(&cells[*earlier].1, &cells[later].1)
            });
            described[later].same = same.map(|earlier| names[earlier].to_string());
        }
        self.finding(panel, &described)
    }
}

impl ColumnProfiles {
    fn finding(&self, panel: &Panel, described: &[Described]) -> Result<Finding> {
        let remarks: Vec<String> = described.iter().filter_map(|column| remark(column, panel)).collect();
        let calendar = &panel.inner().calendar;
        let (first, last) = panel.extent().unwrap_or((0, 0));
        let target = described.iter().find(|column| column.role == "target");
        let of_target = target.map_or(String::new(), |target| {
            let missing =
                if target.missing > 0.0 { format!(", {} missing", percent(target.missing)) } else { String::new() };
            let zeros = if target.zeros >= 0.01 { format!(", {} zeros", percent(target.zeros)) } else { String::new() };
            format!(" {} runs {}{zeros}{missing}.", target.name, target.range)
        });
        let attention = match remarks.len() {
            0 => " No column stands out: none is empty, constant, a copy of another or missing for long.".to_string(),
            n if n <= REMARKS => format!(" Worth a look: {}.", remarks.join("; ")),
            n => format!(
                " Worth a look: {}; and {} more below.",
                remarks[..REMARKS].join("; "),
                number((n - REMARKS) as f64)
            ),
        };
        let sentence = format!(
            "{} of {} in {}, {} to {}.{of_target}{attention}",
            counted(panel.rows(), "row", "rows"),
            counted(panel.len(), "series", "series"),
            counted(described.len(), "column", "columns"),
            calendar.label(first),
            calendar.label(last),
        );
        let rows = &described[..described.len().min(self.top.max(1))];
        let texts = |name: &str, pick: &dyn Fn(&Described) -> String| {
            Column::new(name.into(), rows.iter().map(pick).collect::<Vec<_>>())
        };
        let shares = |name: &str, pick: &dyn Fn(&Described) -> f64| {
            let rounded = |share: f64| (1e4 * share).round() / 1e2;
            Column::new(name.into(), rows.iter().map(|column| rounded(pick(column))).collect::<Vec<_>>())
        };
        let table = vec![
            texts("column", &|column| column.name.clone()),
            texts("role", &|column| column.role.into()),
            texts("cells", &|column| column.kind.into()),
            shares("missing %", &|column| column.missing),
            Column::new("distinct".into(), rows.iter().map(|column| column.distinct as u64).collect::<Vec<_>>()),
            texts("range", &|column| column.range.clone()),
            shares("zeros %", &|column| column.zeros),
            texts("varies", &|column| column.varies.into()),
            texts("remark", &|column| remark(column, panel).unwrap_or_default()),
        ];
        let table = Table::new(DataFrame::new(rows.len(), table)?).of_rows(described.len()).titled("Columns");
        let mut finding = Finding::new("The columns", sentence, table);
        if let Some(figure) = distribution(panel)? {
            finding = finding.drawn(figure);
        }
        if remarks.len() > REMARKS {
            finding = finding.but(format!("Worth a look besides: {}.", remarks[REMARKS..].join("; ")));
        }
        Ok(finding)
    }
}

/// What deserves attention.
fn remark(column: &Described, panel: &Panel) -> Option<String> {
    let name = &column.name;
    let mut parts = Vec::new();
    if column.varies == NEVER {
        return Some(format!("{name} has no values at all"));
    }
    if column.varies == CONSTANT && (column.role != "key" || panel.len() > 1) {
        parts.push(format!("always {}", column.range));
    }
    if let Some(same) = &column.same {
        parts.push(format!("the same as {same} in every row"));
    }
    match (&column.since, &column.until) {
        (Some(since), Some(until)) => parts.push(format!("recorded only from {since} to {until}")),
        (Some(since), None) => parts.push(format!("missing before {since}")),
        (None, Some(until)) => parts.push(format!("missing after {until}")),
        (None, None) if column.missing >= WORTH => {
            parts.push(format!("missing in {} of rows", percent(column.missing)))
        }
        (None, None) => {}
    }
    if column.role == "target" && column.negative > 0.0 {
        parts.push(format!("negative in {} of rows", percent(column.negative)));
    }
    if matches!(column.role, "known" | "observed") && column.varies == BETWEEN && panel.len() > 1 {
        parts.push("one value per series: a fixed column".into());
    }
    if column.role == "fixed" && matches!(column.varies, WITHIN | OVER_TIME) {
        parts.push("declared as fixed, but not one value per series".into());
    }
    (!parts.is_empty()).then(|| format!("{name} is {}", parts.join(" and ")))
}

fn percent(share: f64) -> String {
    match 100.0 * share {
        small if small > 0.0 && small < 0.1 => "less than 0.1 %".into(),
        share => format!("{} %", rounded(share, i32::from(share < 10.0))),
    }
}

fn kind(dtype: &DataType) -> &'static str {
    match dtype {
        DataType::Boolean => "yes or no",
        DataType::Date => "dates",
        DataType::Datetime(..) => "times",
        dtype if dtype.is_integer() => "whole numbers",
        dtype if dtype.is_float() || dtype.is_decimal() => "numbers",
        _ => "text",
    }
}

/// The cells of a column; those of the time column are positions on the calendar.
fn cells(column: &Column, time: Option<&Panel>) -> Result<Cells> {
    if let Some(panel) = time {
        let positions = (0..panel.len()).flat_map(|i| panel.positions(i).iter().map(|at| *at as f64));
        return Ok(Cells::Numbers(positions.collect()));
    }
    if column.dtype().is_primitive_numeric() || column.dtype().is_decimal() {
        let numbers = column.cast(&DataType::Float64)?;
        let numbers = numbers.f64()?;
        return Ok(Cells::Numbers(numbers.iter().map(|cell| cell.unwrap_or(f64::NAN) + 0.0).collect()));
    }
    let texts = column.cast(&DataType::String)?;
    let texts = texts.str()?;
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut names = Vec::new();
    let mut place = |text: &'_ str, known: Option<usize>| match known {
        Some(at) => at,
        None => {
            names.push(text.to_string());
            names.len() - 1
        }
    };
    let mut codes = Vec::with_capacity(texts.len());
    for text in texts.iter() {
        codes.push(match text {
            None => f64::NAN,
            Some(text) => {
                let at = place(text, places.get(text).copied());
                places.insert(text, at);
                at as f64
            }
        });
    }
    Ok(Cells::Texts(codes, names))
}

fn describe(panel: &Panel, name: &str, role: &'static str, kind: &'static str, cells: &Cells) -> Described {
    let codes = cells.codes();
    let mut sorted: Vec<f64> = codes.iter().copied().filter(|cell| !cell.is_nan()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let distinct = sorted.chunk_by(|a, b| a == b).count();
    let rows = codes.len().max(1) as f64;
    let there = sorted.len();
    let share = |count: usize| count as f64 / rows;
    let range = match (cells, sorted.first(), sorted.last()) {
        (Cells::Texts(_, names), Some(_), _) => {
            let most = sorted.chunk_by(|a, b| a == b).max_by_key(|same| same.len()).unwrap_or(&[]);
            let text = most.first().and_then(|at| names.get(*at as usize)).map_or("", String::as_str);
            match distinct {
                1 => text.to_string(),
                _ => format!("most often {text} ({})", percent(most.len() as f64 / there as f64)),
            }
        }
        (_, Some(first), Some(last)) if role == "time" => {
            let calendar = &panel.inner().calendar;
            format!("{} to {}", calendar.label(*first as i64), calendar.label(*last as i64))
        }
        (_, Some(first), Some(last)) if first < last => {
            let middle = 0.5 * (sorted[(there - 1) / 2] + sorted[there / 2]);
            format!("{} to {}, median {}", about(*first), about(*last), about(middle))
        }
        (_, Some(only), _) => about(*only),
        _ => String::new(),
    };
    let numeric = matches!(cells, Cells::Numbers(_)) && role != "time";
    let count = |test: fn(f64) -> bool| if numeric { sorted.iter().filter(|cell| test(**cell)).count() } else { 0 };
    let (since, until) = if role == "key" || role == "time" { (None, None) } else { recorded(panel, codes) };
    Described {
        name: name.into(),
        role,
        kind,
        missing: share(codes.len() - there),
        distinct,
        range,
        zeros: share(count(|cell| cell == 0.0)),
        negative: share(count(|cell| cell < 0.0)),
        varies: varies(panel, codes, distinct),
        since,
        until,
        same: None,
    }
}

/// Along what a column varies. Empty cells do not count.
fn varies(panel: &Panel, codes: &[f64], distinct: usize) -> &'static str {
    match distinct {
        0 => return NEVER,
        1 => return CONSTANT,
        _ => {}
    }
    let (first, last) = panel.extent().unwrap_or((0, -1));
    let mut on = vec![f64::NAN; usize::try_from(last - first + 1).unwrap_or(0).min(20_000_000)];
    let (mut within, mut dates) = (false, true);
    for i in 0..panel.len() {
        let mut own = f64::NAN;
        for (position, cell) in panel.positions(i).iter().zip(panel.column_of(i, codes)) {
            if cell.is_nan() {
                continue;
            }
            within |= !own.is_nan() && own != *cell;
            own = *cell;
            if let Some(date) = on.get_mut((position - first) as usize) {
                dates &= date.is_nan() || *date == *cell;
                *date = *cell;
            }
        }
        if within && !dates {
            return WITHIN;
        }
    }
    match (within, dates) {
        (false, _) => BETWEEN,
        (true, true) if panel.len() > 1 => OVER_TIME,
        _ => WITHIN,
    }
}

/// The date from which, and the one up to which a column is recorded, where it is missing before or after.
fn recorded(panel: &Panel, codes: &[f64]) -> (Option<String>, Option<String>) {
    let (first, last) = panel.extent().unwrap_or((0, -1));
    let dates = usize::try_from(last - first + 1).unwrap_or(0).min(20_000_000);
    let (mut empty, mut all) = (vec![0.0; dates + 1], vec![0.0; dates + 1]);
    for i in 0..panel.len() {
        for (position, cell) in panel.positions(i).iter().zip(panel.column_of(i, codes)) {
            if let Some(at) = usize::try_from(position - first).ok().filter(|at| *at < dates) {
                all[at + 1] += 1.0;
                empty[at + 1] += f64::from(u8::from(cell.is_nan()));
            }
        }
    }
    for at in 0..dates {
        empty[at + 1] += empty[at];
        all[at + 1] += all[at];
    }
    let (rows, missing) = (all[dates], empty[dates]);
    if missing < WORTH * rows || missing >= rows {
        return (None, None);
    }
    // The cut with the largest difference between the shares before and after.
    let share = |from: usize, to: usize| (empty[to] - empty[from]) / (all[to] - all[from]);
    let clear = |inside: f64, outside: f64| inside >= EMPTY && outside <= 0.5 * inside;
    let enough = |from: usize, to: usize| all[to] - all[from] >= WORTH * rows;
    let best = |score: &dyn Fn(usize) -> f64, fits: &dyn Fn(usize) -> bool| {
        (1..dates).filter(|at| fits(*at)).max_by(|a, b| score(*a).total_cmp(&score(*b)).then(b.cmp(a)))
    };
    let weight = |from: usize, to: usize| (all[to] - all[from]) / rows;
    let gain = |at: usize| (share(0, at) - share(at, dates)) * weight(0, at) * weight(at, dates);
    let fits = |at: usize| enough(0, at) && clear(share(0, at), share(at, dates));
    let since = best(&gain, &fits);
    let from = since.unwrap_or(0);
    let loss = |at: usize| (share(at, dates) - share(from, at)) * weight(from, at) * weight(at, dates);
    let fits = |at: usize| at > from && enough(at, dates) && clear(share(at, dates), share(from, at));
    let until = best(&loss, &fits);
    let label = |at: usize| panel.inner().calendar.label(first + at as i64);
    (since.map(label), until.map(|at| label(at - 1)))
}

/// Do two columns agree in every row?
fn agree(a: &Cells, b: &Cells) -> bool {
    let same = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| a == b || (a.is_nan() && b.is_nan()));
    match (a, b) {
        (Cells::Numbers(a), Cells::Numbers(b)) => same(a, b),
        (Cells::Texts(a, names), Cells::Texts(b, others)) => names == others && same(a, b),
        _ => false,
    }
}

/// How the target is spread, by the groups that sell most.
fn distribution(panel: &Panel) -> Result<Option<crate::figures::Figure>> {
    let columns = panel.columns();
    let level = columns.keys.iter().find_map(|key| {
        let of = panel.attribute(key).ok().flatten()?;
        let mut distinct: Vec<&String> = of.iter().collect();
        distinct.sort_unstable();
        distinct.dedup();
        (distinct.len() > 1).then(|| (key.clone(), of))
    });
    let (value, of) = match level {
        Some((key, of)) => (format!("{} by {key}", columns.target()), of),
        None => (columns.target().to_string(), vec![columns.target().to_string(); panel.len()]),
    };
    let mut groups: Vec<(String, f64, Vec<usize>)> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for (i, name) in of.iter().enumerate() {
        let at = *places.entry(name).or_insert_with(|| {
            groups.push((name.clone(), 0.0, Vec::new()));
            groups.len() - 1
        });
        groups[at].1 += panel.target(i).iter().filter(|y| !y.is_nan()).sum::<f64>();
        groups[at].2.push(i);
    }
    groups.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let all = groups.len();
    groups.truncate(GROUPS);
    let values = |series: &[usize]| {
        let all: Vec<f64> = series.iter().flat_map(|i| panel.target(*i)).copied().filter(|y| !y.is_nan()).collect();
        let step = all.len().div_ceil(DRAWN).max(1);
        all.into_iter().step_by(step).collect::<Vec<f64>>()
    };
    let groups: Vec<(String, Vec<f64>)> = groups
        .into_iter()
        .map(|(name, _, series)| (name, values(&series)))
        .filter(|(_, values)| !values.is_empty())
        .collect();
    if groups.is_empty() {
        return Ok(None);
    }
    let names: Vec<&str> = groups.iter().map(|(name, _)| name.as_str()).collect();
    let title = match all {
        1 => format!("How {} is spread", columns.target()),
        n if n <= GROUPS => format!("How {value} is spread"),
        _ => format!("How {value} is spread: {}", listed(&names, GROUPS)),
    };
    Ok(Some(Distribution { title, value: columns.target().to_string(), groups }.figure()))
}
