//! Forecasts from files, our own or of other programs.
//!
//! | columns | are found |
//! |---|---|
//! | time | by its name (`ds`, `date`, `time`, `timestamp`, `week` …), else the one column of dates |
//! | series | `unique_id`, `item_id`, `series_id`, `ts_id` or `id`, else all columns of words and whole numbers that are nothing else |
//! | model | `model`, `.model`; none if one model is there, which is then named after the file |
//! | mean | `mean`, `yhat`, `forecast`, `prediction` and the like; the median where there is none |
//! | quantiles | `q0.1`, `0.1`, `p10`, `quantile_0.1`; `lo-80` and `hi-80` are the ends of the central 80 % |
//! | several models side by side | `AutoETS`, `AutoETS-lo-80`, `AutoETS-hi-80`, as Nixtla's libraries write them |
//!
//! Each series has the same number of steps without a gap, whatever it starts with. Nothing is guessed beyond the outermost
//! quantiles of the file; a file of means has no intervals. The dependence over steps and series is described in
//! [`Dependence`](super::Dependence).

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use polars::prelude::*;
use serde::{Deserialize, Serialize};

use super::copula::{Copula, Copulas};
use super::distribution::{Distribution, Given, Probabilities, SAME};
use super::paths::PathSource;
use super::{Forecast, Inner};
use crate::error::{Error, Result};
use crate::models::Failure;
use crate::panel::{Columns, Frequency, Panel, Rows, labels_of};
use crate::progress;

/// The key of a Parquet file's metadata with the properties of a forecast that its columns do not contain.
const NOTE: &str = "tradewind.forecast";
const FORMAT: u64 = 1;

/// The properties of a saved forecast that its columns do not contain.
#[derive(Serialize, Deserialize)]
struct Note {
    format: u64,
    keys: Vec<String>,
    time: String,
    target: String,
    frequency: Frequency,
    season: usize,
    models: Vec<String>,
    /// The dependence over steps and series, by model.
    copulas: Vec<Copula>,
}

/// Names of columns of means, the likeliest first.
const MEANS: [&str; 15] = [
    "mean",
    ".mean",
    "yhat",
    "y_hat",
    "y_pred",
    "forecast",
    "prediction",
    "predictions",
    "predicted",
    "pred",
    "point",
    "point forecast",
    "point_forecast",
    "fcst",
    "expected",
];
const TIMES: [&str; 14] = [
    "ds",
    "date",
    "time",
    "timestamp",
    "datetime",
    "week",
    "month",
    "day",
    "quarter",
    "year",
    "period",
    "target_date",
    "step",
    "index",
];
const MODELS: [&str; 4] = ["model", ".model", "model_name", "method"];
/// Columns that name a series alone, whatever else there is.
const IDS: [&str; 5] = ["unique_id", "item_id", "series_id", "ts_id", "id"];
/// Columns of forecast origins: a file with several of them is no single forecast.
const ORIGINS: [&str; 4] = ["cutoff", "fold", "origin", "forecast_origin"];
/// Columns that are no part of a forecast.
const OTHERS: [&str; 5] = ["", "y", "actual", "h", "horizon"];

/// Which columns are what.
struct Layout {
    keys: Vec<String>,
    time: String,
    model: Option<String>,
    parts: Vec<Part>,
    /// Columns that are none of these.
    unused: Vec<String>,
}

/// The columns of one model, or of all where a column names the model.
struct Part {
    model: String,
    mean: Option<String>,
    /// Probabilities, ascending, and their columns.
    quantiles: Vec<(f64, String)>,
}

impl Forecast {
    /// Reads a forecast from Parquet, CSV, JSON or a workbook: what [`save`](Self::save) wrote, and anybody's, with a column of
    /// dates or steps, columns that name the series, a mean (`mean`, `yhat`, `forecast`, `prediction` …), quantiles (`q0.1`,
    /// `0.1`, `p10`, or `lo-80` and `hi-80`) and a column `model`, or several models side by side as Nixtla's libraries write
    /// them. Without quantiles it has means alone: no intervals, no sample paths.
    ///
    /// The opened forecast has no history and no fits: it cannot be explained. Between two quantiles the distribution is
    /// piecewise normal; outside them there are no quantiles. The dependence over steps and series is in the Parquet files of
    /// [`save`](Self::save); for other files it is comonotone, with the widest possible totals, unless
    /// [`dependence`](Self::dependence) sets it.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// # let home = std::env::temp_dir().join(format!("tradewind-open-{}", std::process::id()));
    /// # std::fs::create_dir_all(&home).map_err(|_| tradewind::Error::io("no folder"))?;
    /// # let file = home.join("forecast.parquet");
    /// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales");
    /// let sales = Panel::read("data/walmart_sales_weekly.csv", columns)?;
    /// let forecast = sales.before("2012-09-01")?.fit(["theta"])?.forecast(8)?;
    /// forecast.save(&file)?;
    /// let opened = Forecast::open(&file)?;
    /// assert_eq!(opened.mean("theta", "Store=1, Dept=1")?, forecast.mean("theta", "Store=1, Dept=1")?);
    /// assert_eq!(opened.score(&sales)?.get(0, "wape")?, forecast.score(&sales)?.get(0, "wape")?);
    /// # std::fs::remove_dir_all(&home).map_err(|_| tradewind::Error::io("a folder stays"))?;
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the file cannot be read or was saved by another version; when the column of the time or of the forecast is not
    /// recognised; when a row is there twice, a step is missing, a value is no number, or quantiles are out of order, with the
    /// series and the date.
    pub fn open(path: impl AsRef<Path>) -> Result<Forecast> {
        let path = path.as_ref();
        crate::files::allowed(path)?;
        let place = path.display().to_string();
        let note = match Rows::note(path, NOTE) {
            Some(text) => Some(Note::read(&text, &place)?),
            None => None,
        };
        let is_number = |name: &str| is_one_of(name, &MEANS) || matches!(quantile_of(name), Ok(Some(_)));
        let mut rows = Rows::read(path, |name| !is_number(name))?;
        let layout = Layout::of(&rows, note.as_ref(), path)?;
        let unused = (!layout.unused.is_empty()).then(|| format!("columns not used: {}", layout.unused.join(", ")));
        progress::remark(&place, unused.iter());
        assemble(&mut rows, layout, note, &place).map_err(|error| error.within(place))
    }

    /// What is kept of the forecast in the metadata of a Parquet file.
    pub(super) fn note(&self, path: &Path) -> Result<(&'static str, String)> {
        let panel = &self.0.panel;
        let columns = panel.columns();
        let mut copulas = Vec::new();
        for model in 0..self.0.models.len() {
            match Copula::estimated(self, model) {
                Ok(copula) => copulas.extend(copula),
                Err(error) if error.is_interrupted() => return Err(error),
                // Paths that cannot be drawn tell nothing of their dependence: the forecast is saved without it.
                Err(_) => {}
            }
        }
        let note = Note {
            format: FORMAT,
            keys: columns.keys(),
            time: columns.time().into(),
            target: columns.target().into(),
            frequency: panel.frequency(),
            season: panel.season(),
            models: self.models(),
            copulas: if copulas.len() == self.0.models.len() { copulas } else { Vec::new() },
        };
        let text = serde_json::to_string(&note).map_err(|cause| {
            Error::io(format!("{}: what the forecast consists of cannot be written", path.display())).because(cause)
        })?;
        Ok((NOTE, text))
    }
}

impl Note {
    fn read(text: &str, place: &str) -> Result<Self> {
        let damaged = |cause: serde_json::Error| {
            Error::data(format!("{place} holds a forecast whose description is damaged")).because(cause)
        };
        let value: serde_json::Value = serde_json::from_str(text).map_err(damaged)?;
        let format = value["format"].as_u64();
        if format != Some(FORMAT) {
            let format = format.map_or("unknown".into(), |format| format.to_string());
            return Err(Error::data(format!(
                "{place} holds a forecast of format {format}, and this version reads {FORMAT}; save it again as CSV with the \
                 version that wrote it, or forecast again"
            )));
        }
        serde_json::from_value(value).map_err(damaged)
    }
}

fn is_one_of(name: &str, known: &[&str]) -> bool {
    known.contains(&name.trim().to_lowercase().as_str())
}

/// The first of the known names that is there.
fn first_of(names: &[String], known: &[&str]) -> Option<String> {
    known.iter().find_map(|known| names.iter().find(|name| name.trim().to_lowercase() == *known)).cloned()
}

/// What is before the name of a quantile (a model's name, or nothing), and its probability; none if it is no quantile.
///
/// # Errors
/// When it is named as one, and its number is no probability.
fn quantile_of(name: &str) -> Result<Option<(String, f64)>> {
    const BETWEEN: [char; 4] = ['-', '_', '.', ' '];
    let lower = name.to_lowercase();
    if let Some(base) = lower.strip_suffix("median").filter(|base| base.is_empty() || base.ends_with(BETWEEN)) {
        return Ok(Some((name[..base.len()].trim_end_matches(BETWEEN).into(), 0.5)));
    }
    let digits = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.').len();
    let (head, tail) = name.split_at(digits);
    // A point that stands between the tag and the number is no part of it.
    let tail = if head.is_empty() { tail } else { tail.trim_start_matches('.') };
    let Ok(value) = tail.parse::<f64>() else { return Ok(None) };
    let head = head.trim_end_matches(BETWEEN);
    if head.is_empty() {
        return Ok((tail.contains('.') && value > 0.0 && value < 1.0).then(|| (String::new(), value)));
    }
    let start = head.trim_end_matches(|c: char| c.is_ascii_alphabetic()).len();
    let (base, tag) = head.split_at(start);
    if !base.is_empty() && !base.ends_with(BETWEEN) {
        return Ok(None);
    }
    let share = if value < 1.0 { value } else { value / 100.0 };
    let probability = match tag.to_lowercase().as_str() {
        "lo" | "low" | "lower" => (1.0 - share) / 2.0,
        "hi" | "high" | "upper" => (1.0 + share) / 2.0,
        "q" | "ql" | "p" | "quantile" | "percentile" | "pct" => share,
        _ => return Ok(None),
    };
    if !(share > 0.0 && share < 1.0) {
        return Err(Error::data(format!(
            "column `{name}` is named as a quantile, but {tail} is no probability between 0 and 1, nor a percentage \
             between 0 and 100"
        )));
    }
    Ok(Some((base.trim_end_matches(BETWEEN).into(), (probability * 1e6).round() / 1e6)))
}

impl Layout {
    fn of(rows: &Rows, note: Option<&Note>, path: &Path) -> Result<Self> {
        let names = rows.names();
        let mut quantiles: Vec<(String, f64, String)> = Vec::new();
        for name in &names {
            quantiles.extend(quantile_of(name)?.map(|(base, p)| (base, p, name.clone())));
        }
        let place = path.display();
        let is_quantile = |name: &String| quantiles.iter().any(|(_, _, known)| known == name);
        let mean = first_of(&names, &MEANS);
        let model = first_of(&names, &MODELS).filter(|name| !is_quantile(name));
        let time = match note {
            Some(note) => note.time.clone(),
            None => time_of(rows, &names, &is_quantile).ok_or_else(|| {
                Error::data(format!("{place} has no column of dates or steps; name it `date` or `step`"))
            })?,
        };
        if let Some(origin) = first_of(&names, &ORIGINS)
            && rows.distinct(&origin)? > 1
        {
            return Err(Error::data(format!(
                "{place} holds forecasts of several origins (column `{origin}`); keep the rows of one of them"
            )));
        }
        // Columns of one forecast, whatever its model: they bear no name before the quantile, or that of the mean.
        let is_plain = |base: &str| base.is_empty() || mean.as_deref() == Some(base);
        let is_long = model.is_some() || mean.is_some() || quantiles.iter().any(|(base, ..)| base.is_empty());
        let taken = |name: &String| {
            is_quantile(name)
                || *name == time
                || Some(name) == model.as_ref()
                || Some(name) == mean.as_ref()
                || [&TIMES[..], &ORIGINS, &OTHERS].iter().any(|known| is_one_of(name, known))
        };
        let rest: Vec<String> = names.iter().filter(|name| !taken(name)).cloned().collect();
        let wide =
            |name: &String| !is_long && (quantiles.iter().any(|(base, ..)| base == name) || rows.is_measured(name));
        let keys = match (note, first_of(&rest, &IDS)) {
            (Some(note), _) => note.keys.clone(),
            (None, Some(id)) => vec![id],
            (None, None) => rest
                .iter()
                .filter(|name| !wide(name) && !rows.is_measured(name) && !rows.is_dated(name))
                .cloned()
                .collect(),
        };
        let parts = match is_long {
            true => {
                let name =
                    path.file_stem().map_or_else(|| "forecast".into(), |stem| stem.to_string_lossy().into_owned());
                let quantiles = quantiles.iter().filter(|(base, ..)| is_plain(base));
                vec![Part {
                    model: name,
                    mean: mean.clone(),
                    quantiles: quantiles.map(|(_, p, c)| (*p, c.clone())).collect(),
                }]
            }
            false => {
                let mut models: Vec<&String> = rest.iter().filter(|name| wide(name) && !keys.contains(name)).collect();
                // A model that has quantiles alone.
                for (base, ..) in quantiles.iter().filter(|(base, ..)| !base.is_empty()) {
                    if !models.contains(&base) {
                        models.push(base);
                    }
                }
                let of = |model: &String| Part {
                    model: model.clone(),
                    mean: names.contains(model).then(|| model.clone()),
                    quantiles: (quantiles.iter().filter(|(base, ..)| base == model))
                        .map(|(_, p, column)| (*p, column.clone()))
                        .collect(),
                };
                models.into_iter().map(of).collect()
            }
        };
        let mut layout = Self { keys, time, model, parts, unused: Vec::new() };
        for part in &mut layout.parts {
            part.quantiles.sort_by(|a, b| a.0.total_cmp(&b.0));
            if let Some(pair) = part.quantiles.windows(2).find(|pair| pair[1].0 - pair[0].0 < SAME) {
                return Err(Error::data(format!(
                    "columns `{}` and `{}` of {place} are the same quantile; keep one of them",
                    pair[0].1, pair[1].1
                )));
            }
        }
        if !layout.parts.iter().any(|part| part.mean.is_some() || part.quantiles.iter().any(|(p, _)| *p == 0.5)) {
            return Err(Error::data(format!(
                "{place} has no column of means; name it `mean`, `yhat`, `forecast` or `prediction` (there is {})",
                names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
            )));
        }
        let used = |name: &&String| {
            layout.keys.contains(name)
                || **name == layout.time
                || Some(*name) == layout.model.as_ref()
                || layout.parts.iter().any(|part| {
                    part.mean.as_ref() == Some(*name) || part.quantiles.iter().any(|(_, column)| column == *name)
                })
        };
        layout.unused = names.iter().filter(|name| !used(name)).cloned().collect();
        Ok(layout)
    }

    /// The columns of a panel of the same series and dates.
    fn columns(&self, note: Option<&Note>) -> Columns {
        let target = note.map_or_else(
            || self.parts[0].mean.clone().unwrap_or_else(|| "forecast".into()),
            |note| note.target.clone(),
        );
        let columns = Columns::new(self.keys.clone(), self.time.clone(), target);
        Columns { frequency: note.map(|note| note.frequency), season: note.map(|note| note.season), ..columns }
    }
}

/// The column of the time.
fn time_of(rows: &Rows, names: &[String], is_quantile: &dyn Fn(&String) -> bool) -> Option<String> {
    let there: Vec<String> =
        names.iter().filter(|name| !is_quantile(name) && !is_one_of(name, &ORIGINS)).cloned().collect();
    let dated: Vec<&String> = there.iter().filter(|name| rows.is_dated(name)).collect();
    let known = first_of(&there, &TIMES);
    if let [only] = dated[..]
        && !known.as_ref().is_some_and(|known| rows.is_dated(known))
    {
        return Some(only.clone());
    }
    known.or_else(|| there.iter().find(|name| rows.reads_as_dates(name)).cloned())
}

/// The rows of one model and series: position on the calendar and row, ascending.
type Steps = Vec<(i64, usize)>;

fn assemble(rows: &mut Rows, layout: Layout, note: Option<Note>, place: &str) -> Result<Forecast> {
    if rows.len() == 0 {
        return Err(Error::data("there are no rows"));
    }
    let mut columns = layout.columns(note.as_ref());
    let (times, stamps) = rows.times(&columns)?;
    let keys = rows.select(&layout.keys)?;
    let labels = labels_of(&keys, rows.len())?;
    let whole = times.dtype().is_integer();
    if columns.frequency.is_none() && has_single_stamps(&labels, &stamps) {
        // One step does not tell its length, and nothing depends on it.
        columns = columns.freq(if whole { "1" } else { "D" })?;
    }
    let panel = calendar(&keys, times, &labels, &stamps, columns)?;
    let frequency = panel.frequency();
    let (models, model_of) = models(rows, &layout, note.as_ref().map_or(&[], |note| &note.models))?;
    let n = panel.len();
    let mut steps: Vec<Steps> = vec![Steps::new(); models.len() * n];
    let numbers: Vec<Numbers> = layout.parts.iter().map(|part| Numbers::read(rows, part)).collect::<Result<_>>()?;
    let mut off = None;
    for row in 0..rows.len() {
        let Some(i) = panel.place_of(&labels[row]) else { continue };
        let (position, exact) = frequency.position(stamps[row]);
        if !exact {
            off.get_or_insert(row);
        }
        for (part, numbers) in numbers.iter().enumerate() {
            // A model that failed on a series has empty cells there.
            if !numbers.is_empty(row) {
                let m = model_of.as_ref().map_or(part, |model_of| model_of[row]);
                steps[m * n + i].push((position, row));
            }
        }
    }
    let label = |position: i64| panel.inner().calendar.label(position);
    if let Some(row) = off {
        return Err(Error::data(format!(
            "series {} has a row for {} ({}), which lies between the steps of a calendar that is {frequency}; a forecast has \
             one row per step",
            labels[row],
            crate::panel::calendar::stamp_label(panel.inner().calendar.kind(), stamps[row]),
            rows.place(row),
        )));
    }
    let mut horizon = 0;
    for steps in &mut steps {
        steps.sort_unstable();
        if let (Some(first), Some(last)) = (steps.first(), steps.last()) {
            horizon = horizon.max((last.0 - first.0 + 1) as usize);
        }
    }
    let starts: Vec<i64> = (0..n)
        .map(|i| (0..models.len()).filter_map(|m| steps[m * n + i].first()).map(|(position, _)| *position).min())
        .map(|start| start.unwrap_or(0))
        .collect();
    let by = |m: usize, i: usize| match models.len() {
        1 => format!("series {}", panel.label(i)),
        _ => format!("{} for series {}", models[m], panel.label(i)),
    };
    let mut failures = Vec::new();
    let mut cells = Vec::with_capacity(models.len() * n);
    for (cell, steps) in steps.iter().enumerate() {
        let (m, i) = (cell / n, cell % n);
        if steps.is_empty() {
            let reason = format!("{place} has no rows of it");
            failures.push(Failure { model: models[m].clone(), series: panel.label(i).into(), reason });
            cells.push(None);
            continue;
        }
        if let Some(pair) = steps.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(Error::data(format!(
                "{} has two rows for {} ({} and {}); remove one of them{}",
                by(m, i),
                label(pair[0].0),
                rows.place(pair[0].1),
                rows.place(pair[1].1),
                named_by(&layout.keys),
            )));
        }
        let missing = (0..horizon).find(|step| steps.get(*step).is_none_or(|(at, _)| *at != starts[i] + *step as i64));
        if let Some(step) = missing {
            return Err(Error::data(format!(
                "{} has no row for {}; every series has {horizon} steps from its first on{}",
                by(m, i),
                label(starts[i] + step as i64),
                named_by(&layout.keys),
            )));
        }
        let numbers = &numbers[if model_of.is_some() { 0 } else { m }];
        cells.push(Some(numbers.given(steps, &|position| format!("{} on {}", by(m, i), label(position)))?));
    }
    let mut probabilities: Vec<f64> = numbers.iter().flat_map(|numbers| numbers.at.values()).copied().collect();
    probabilities.sort_by(f64::total_cmp);
    probabilities.dedup_by(|a, b| (*a - *b).abs() < SAME);
    let has = |p: f64| probabilities.iter().any(|q| (q - p).abs() < SAME);
    let lower = probabilities.iter().filter(|p| **p < 0.5 && has(1.0 - **p));
    let levels = lower.map(|p| ((1.0 - 2.0 * p) * 1e6).round() / 1e6).collect();
    let mut remarks = Vec::new();
    if numbers.iter().any(|numbers| numbers.mean.is_none()) {
        remarks.push("The file has no means: medians stand in for them.".to_string());
    }
    let copulas = note.filter(|note| note.models == models && note.copulas.len() == models.len());
    let saved = copulas.and_then(|note| Copulas::saved(note.copulas, horizon));
    let source: Arc<dyn PathSource> = match saved {
        Some(saved) => Arc::new(saved),
        None => Arc::new(Copulas::assumed(horizon, models.len(), !probabilities.is_empty())?),
    };
    Ok(Forecast(Arc::new(Inner {
        // What the file holds is the future: there is no history.
        panel: panel.within(&|_, _| false)?,
        models,
        starts,
        horizon,
        cells: Arc::new(cells),
        source,
        fitted: None,
        failures,
        unknown: None,
        remarks,
        probabilities,
        levels,
    })))
}

/// The columns that identify series, where these were detected.
fn named_by(keys: &[String]) -> String {
    match keys {
        [] => String::new(),
        keys => format!(" (series by {})", keys.join(", ")),
    }
}

/// Has every series one timestamp?
fn has_single_stamps(labels: &[String], stamps: &[i64]) -> bool {
    let mut seen: HashMap<&str, i64> = HashMap::new();
    labels.iter().zip(stamps).all(|(label, stamp)| *seen.entry(label).or_insert(*stamp) == *stamp)
}

/// The series of a file on their calendar, each timestamp once.
fn calendar(keys: &DataFrame, times: Column, labels: &[String], stamps: &[i64], columns: Columns) -> Result<Panel> {
    let mut seen = std::collections::HashSet::new();
    let firsts: Vec<bool> =
        labels.iter().zip(stamps).map(|(label, stamp)| seen.insert((label.as_str(), *stamp))).collect();
    let height = labels.len();
    let mut all = keys.columns().to_vec();
    all.push(times.with_name(columns.time().into()));
    all.push(Column::new(columns.target().into(), vec![0.0; height]));
    let frame = DataFrame::new(height, all)?.filter(&BooleanChunked::from_slice("".into(), &firsts))?;
    Panel::from_frame(frame, columns)
}

/// The models, those that are known first and the others in the order in which they come, and that of each row where a column
/// names it.
fn models(rows: &Rows, layout: &Layout, known: &[String]) -> Result<(Vec<String>, Option<Vec<usize>>)> {
    let Some(column) = &layout.model else {
        return Ok((layout.parts.iter().map(|part| part.model.clone()).collect(), None));
    };
    let mut models: Vec<String> = known.to_vec();
    let mut places: HashMap<String, usize> = known.iter().cloned().zip(0..).collect();
    let mut of = Vec::with_capacity(rows.len());
    for (row, name) in rows.texts(column)?.into_iter().enumerate() {
        let name = name.ok_or_else(|| Error::data(format!("{} has no model in column `{column}`", rows.place(row))))?;
        let next = models.len();
        let place = *places.entry(name.clone()).or_insert(next);
        if place == next {
            models.push(name);
        }
        of.push(place);
    }
    Ok((models, Some(of)))
}

/// The numbers of a part, row by row, NaN where a cell is empty.
struct Numbers {
    mean: Option<Vec<f64>>,
    at: Arc<Probabilities>,
    names: Vec<String>,
    quantiles: Vec<Vec<f64>>,
}

impl Numbers {
    fn read(rows: &Rows, part: &Part) -> Result<Self> {
        let probabilities: Vec<f64> = part.quantiles.iter().map(|(p, _)| *p).collect();
        let read = |(_, name): &(f64, String)| rows.numbers(name);
        Ok(Self {
            mean: part.mean.as_ref().map(|name| rows.numbers(name)).transpose()?,
            at: Arc::new(Probabilities::new(probabilities)),
            names: part.quantiles.iter().map(|(_, name)| name.clone()).collect(),
            quantiles: part.quantiles.iter().map(read).collect::<Result<_>>()?,
        })
    }

    fn is_empty(&self, row: usize) -> bool {
        self.mean.iter().chain(&self.quantiles).all(|numbers| numbers[row].is_nan())
    }

    /// The distribution of one series, whose steps are these; `place` names series and date.
    fn given(&self, steps: &Steps, place: &dyn Fn(i64) -> String) -> Result<Distribution> {
        // A quantile that a model has at no step is one that it lacks, beside models that have it.
        let has = |k: &usize| steps.iter().any(|(_, row)| !self.quantiles[*k][*row].is_nan());
        let kept: Vec<usize> = (0..self.quantiles.len()).filter(has).collect();
        let at = match kept.len() == self.quantiles.len() {
            true => self.at.clone(),
            false => Arc::new(Probabilities::new(kept.iter().map(|k| self.at.values()[*k]).collect())),
        };
        let median = kept.iter().position(|k| self.at.values()[*k] == 0.5);
        let mut mean = Vec::with_capacity(steps.len());
        let mut values = Vec::with_capacity(steps.len() * kept.len());
        for (position, row) in steps {
            let quantiles: Vec<f64> = kept.iter().map(|k| self.quantiles[*k][*row]).collect();
            if let Some(k) = quantiles.iter().position(|value| !value.is_finite()) {
                return Err(Error::data(format!("{} has no {}", place(*position), self.names[kept[k]])));
            }
            // Quantiles that were worked out apart may differ in their last digits.
            let falls = |pair: &[f64]| pair[0] - pair[1] > 1e-9 * pair[0].abs().max(pair[1].abs());
            if let Some(k) = quantiles.windows(2).position(falls) {
                return Err(Error::data(format!(
                    "quantiles of {} are out of order: {} is {}, and {} is {}",
                    place(*position),
                    self.names[kept[k]],
                    quantiles[k],
                    self.names[kept[k + 1]],
                    quantiles[k + 1]
                )));
            }
            let own = match (&self.mean, median) {
                (Some(means), _) => means[*row],
                (None, Some(median)) => quantiles[median],
                (None, None) => f64::NAN,
            };
            if !own.is_finite() {
                return Err(Error::data(format!("{} has no mean", place(*position))));
            }
            mean.push(own);
            values.extend(quantiles);
        }
        Ok(Distribution::Given(Given { mean, at, values }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_quantiles() {
        for (name, base, p) in [
            ("q0.1", "", 0.1),
            ("0.975", "", 0.975),
            ("p10", "", 0.1),
            ("P2.5", "", 0.025),
            ("quantile_0.9", "", 0.9),
            ("lo-80", "", 0.1),
            ("Hi 95", "", 0.975),
            ("AutoETS-lo-80", "AutoETS", 0.1),
            ("AutoETS-hi-97.5", "AutoETS", 0.9875),
            ("ets(season=52)-hi-80", "ets(season=52)", 0.9),
            ("NHITS_ql0.25", "NHITS", 0.25),
            ("NHITS-median", "NHITS", 0.5),
            ("yhat_q0.5", "yhat", 0.5),
            ("median", "", 0.5),
        ] {
            assert_eq!(quantile_of(name).unwrap(), Some((base.to_string(), p)), "{name}");
        }
        for name in ["mean", "AutoETS", "Store", "yhat_lower", "lag7", "1.5", "12", "step1", "sup10", "q", "MarkDown1"]
        {
            assert_eq!(quantile_of(name).unwrap(), None, "{name}");
        }
        for name in ["q0", "p100", "lo-0", "hi-100"] {
            assert!(quantile_of(name).unwrap_err().to_string().contains("no probability"), "{name}");
        }
    }
}
