//! How do a panel, a forecast, a backtest and orders become the numbers of a page?

use crate::decide::Decision;
use crate::error::{Error, Result};
use crate::evaluate::Backtest;
use crate::forecast::{Distribution, Forecast};
use crate::models;
use crate::panel::Panel;
use crate::show::number;
use crate::show::words::{counted, season_before};

use super::data::{Data, Errors, Joint, JointTotals, Key, Model, Orders, deviate};

/// The most cells of a page: beyond it a browser would take too long.
const MOST_CELLS: usize = 40_000_000;
/// The most values of an attribute that is no key.
const MOST_VALUES: usize = 200;
/// Joint sample paths behind the intervals of totals.
const PATHS: usize = 500;
/// Bytes that the sums of paths may take.
const MOST_BYTES: usize = 400_000_000;

/// The sales of a panel, with room for forecasts of so many steps that start at these positions.
pub(super) fn sales(panel: &Panel, starts: &[i64], horizon: usize) -> Result<Data> {
    panel.check_calendar()?;
    if panel.is_empty() {
        return Err(Error::data("a panel without series has nothing to show"));
    }
    let latest = starts.iter().max().copied();
    // Series that ended long before the others would stretch the forecast over the whole history.
    let ahead = latest.map(|latest| {
        let earliest = starts.iter().min().copied().unwrap_or(latest);
        earliest.max(latest - horizon as i64)
    });
    let (first, last) = match (panel.extent(), ahead) {
        (Some((first, last)), ahead) => (first.min(ahead.unwrap_or(first)), Some(last)),
        (None, Some(ahead)) => (ahead, None),
        (None, None) => return Err(Error::data("a panel without rows has nothing to show")),
    };
    let history = last.map_or(0, |last| (last - first + 1) as usize);
    let end = latest.map_or(0, |latest| (latest - first) as usize + horizon).max(history);
    let cells = panel.len().saturating_mul(end);
    if cells > MOST_CELLS {
        return Err(Error::usage(format!(
            "{} series of {} steps are {} cells; a dashboard holds at most {}: aggregate first, or leave series out",
            number(panel.len() as f64),
            number(end as f64),
            number(cells as f64),
            number(MOST_CELLS as f64)
        )));
    }
    let mut matrix = vec![f64::NAN; panel.len() * history];
    for i in 0..panel.len() {
        let Some(start) = panel.positions(i).first() else { continue };
        let at = i * history + (start - first) as usize;
        let values = panel.regular(i);
        matrix[at..at + values.len()].copy_from_slice(&values);
    }
    let calendar = &panel.inner().calendar;
    let (keys, identifying) = keys(panel)?;
    let frequency = panel.frequency();
    let noun = frequency.noun();
    let (from, to) = panel.span();
    let span = if history > 0 { format!(", {from} to {to}") } else { String::new() };
    let forecast = match horizon {
        0 => String::new(),
        horizon => format!("; forecast of {}", counted(horizon, noun, &format!("{noun}s"))),
    };
    let target = panel.columns().target().to_string();
    Ok(Data {
        title: target.replace('_', " "),
        subtitle: format!("{} series, {frequency}{span}{forecast}", number(panel.len() as f64)),
        noun: noun.into(),
        season: panel.season(),
        before: season_before(noun, panel.season(), frequency.week()),
        steps: (0..end).map(|step| calendar.label(first + step as i64)).collect(),
        dated: !frequency.is_whole(),
        history,
        ahead: ahead.map_or(end, |ahead| (ahead - first) as usize),
        series: panel.len(),
        sales: matrix,
        target,
        keys,
        identifying,
        ..Data::default()
    })
}

/// The sales of a forecast's panel, with the forecast.
pub(super) fn forecast(forecast: &Forecast, seed: u64) -> Result<Data> {
    let panel = forecast.panel();
    let horizon = forecast.horizon();
    let starts: Vec<i64> = (0..panel.len()).map(|i| forecast.start(i)).collect();
    let mut data = sales(&panel, &starts, horizon)?;
    let latest = starts.iter().max().copied().unwrap_or(0);
    let columns = data.horizon_of(horizon);
    // The place of a series' first forecast among the forecast columns; negative if it begins earlier.
    let place = |i: usize| starts[i] - (latest + horizon as i64 - columns as i64);
    let early = (0..panel.len()).filter(|i| place(*i) + horizon as i64 <= 0).count();
    if early > 0 {
        data.notes.push(format!(
            "{} ended long before the others; forecasts of them are left out.",
            counted(early, "series", "series")
        ));
    }
    let labels = forecast.models();
    let cells = |m: usize| (0..panel.len()).filter_map(move |i| Some((i, forecast.cell(m, i)?)));
    let spread = |cell: &Distribution| cell.is_spread();
    let known = |level: f64| {
        let [low, high] = ends(level);
        (0..labels.len()).flat_map(cells).all(|(_, cell)| cell.knows(low) && cell.knows(high))
    };
    if (0..labels.len()).flat_map(cells).all(|(_, cell)| spread(cell)) {
        data.levels = forecast.chosen_levels().iter().copied().filter(|level| known(*level)).collect();
        data.levels.sort_by(f64::total_cmp);
        data.levels.dedup();
    }
    for (m, name) in models::names(&labels).into_iter().enumerate() {
        let empty = || vec![f64::NAN; panel.len() * columns];
        let mut model = Model { name, mean: empty(), bounds: data.levels.iter().map(|_| [empty(), empty()]).collect() };
        for (i, cell) in cells(m) {
            lay(&mut model.mean, i, columns, place(i), cell.mean());
            for (bounds, level) in model.bounds.iter_mut().zip(&data.levels) {
                for (bound, probability) in bounds.iter_mut().zip(ends(*level)) {
                    lay(bound, i, columns, place(i), &cell.quantile(probability));
                }
            }
        }
        data.models.push(model);
    }
    data.notes.extend(forecast.caveat());
    if !data.levels.is_empty() {
        data.joint = Some(joint(&data, forecast, seed, &place)?);
    }
    Ok(data)
}

/// What joint sample paths come to in total.
fn joint(data: &Data, forecast: &Forecast, seed: u64, place: &dyn Fn(usize) -> i64) -> Result<Vec<JointTotals>> {
    let groups = 1 + data.grouped().iter().map(|key| data.keys[*key].levels.len()).sum::<usize>();
    let most = MOST_BYTES / (8 * data.horizon().max(1) * groups);
    let paths = forecast.paths(PATHS.min(most).max(50), seed)?;
    let wide = 2.0 * deviate(ends(data.levels[0])[1]);
    let panel = forecast.panel();
    let mut totals = Vec::new();
    for (m, label) in forecast.models().iter().enumerate() {
        let mut joint = Joint::new(data, PATHS.min(most).max(50));
        if (0..panel.len()).any(|i| forecast.cell(m, i).is_some()) {
            let [low, high] = &data.models[m].bounds[0];
            for series in paths.each(label)? {
                let (key, paths) = series?;
                let i = panel.place(&key)?;
                let at = i * data.horizon();
                joint.add(i, place(i), &paths, |step| (high[at + step] - low[at + step]) / wide);
            }
        }
        totals.push(joint.totals(&data.levels));
    }
    Ok(totals)
}

/// How far the models of a page were off in a backtest; series and models are found by their names.
pub(super) fn errors(data: &Data, panel: &Panel, labels: &[String], backtest: &Backtest) -> Result<Errors> {
    let tested = backtest.panel();
    let mut places = Vec::with_capacity(tested.len());
    for i in 0..tested.len() {
        places.push(panel.place_of(tested.label(i)));
    }
    if places.iter().all(Option::is_none) {
        return Err(Error::usage("the backtest is of other series than the dashboard: none of its series is there"));
    }
    let folds = backtest.fold_names();
    let known = backtest.models();
    let models: Vec<Option<usize>> = labels.iter().map(|label| known.iter().position(|one| one == label)).collect();
    let empty = |value: f64| vec![value; data.series * folds.len()];
    let mut errors = Errors {
        actual: empty(0.0),
        models: labels.iter().map(|_| [empty(f64::NAN), empty(f64::NAN)]).collect(),
        folds: folds.clone(),
    };
    for (fold, (forecast, _, actuals)) in backtest.windows().enumerate() {
        for (i, actual) in actuals.iter().enumerate() {
            let Some(series) = places[i] else { continue };
            let at = series * folds.len() + fold;
            let there = || actual.iter().filter(|value| value.is_finite());
            errors.actual[at] = there().map(|value| value.abs()).sum();
            for (m, [absolute, signed]) in models.iter().zip(&mut errors.models) {
                let Some(cell) = m.and_then(|m| forecast.cell(m, i)).filter(|_| there().next().is_some()) else {
                    continue;
                };
                let off = || cell.mean().iter().zip(actual).filter(|(_, y)| y.is_finite()).map(|(mean, y)| mean - y);
                absolute[at] = off().map(f64::abs).sum();
                signed[at] = off().sum();
            }
        }
    }
    Ok(errors)
}

/// The orders of a decision, an item a row.
pub(super) fn orders(panel: &Panel, decision: &Decision) -> Result<Orders> {
    let table = decision.table()?;
    let frame = table.frame();
    let numbers = |name: &str| -> Result<Vec<f64>> {
        let column = frame.column(name).map_err(|_| {
            Error::usage(format!("a dashboard shows orders; `{}` has no column `{name}`", decision.title()))
        })?;
        let column = column.cast(&polars::prelude::DataType::Float64)?;
        Ok(column.f64()?.iter().map(|value| value.unwrap_or(f64::NAN)).collect())
    };
    let texts = |name: &str| -> Result<Vec<String>> {
        let column = frame.column(name)?.cast(&polars::prelude::DataType::String)?;
        Ok(column.str()?.iter().map(|text| text.unwrap_or("").to_string()).collect())
    };
    let (order, position) = (numbers("order")?, numbers("position")?);
    let keys = panel.columns().keys();
    let mut items = vec![Vec::new(); frame.height()];
    for key in &keys {
        items.iter_mut().zip(texts(key)?).for_each(|(item, text)| item.push(text));
    }
    let label = |item: &Vec<String>| {
        keys.iter().zip(item).map(|(key, text)| format!("{key}={text}")).collect::<Vec<_>>().join(", ")
    };
    Ok(Orders {
        sentence: decision.sentence(),
        series: items.iter().map(|item| panel.place_of(&label(item))).collect(),
        order,
        position,
        level: numbers("level")?,
        mean: numbers("mean")?,
        risk: numbers("p_out")?,
        reason: texts("reason")?,
        items,
    })
}

/// The probabilities of the ends of an interval, as forecasts name them.
fn ends(level: f64) -> [f64; 2] {
    let round = |p: f64| (p * 1e6).round() / 1e6;
    [round((1.0 - level) / 2.0), round((1.0 + level) / 2.0)]
}

/// Puts the values of a series into its row from a column on, which may lie before the first.
fn lay(matrix: &mut [f64], row: usize, columns: usize, first: i64, values: &[f64]) {
    for (step, value) in values.iter().enumerate() {
        if let Some(column) = usize::try_from(first + step as i64).ok().filter(|column| *column < columns) {
            matrix[row * columns + column] = *value;
        }
    }
}

/// The key columns and other attributes that group series, and how many of them are keys.
fn keys(panel: &Panel) -> Result<(Vec<Key>, usize)> {
    let columns = panel.columns();
    let identifying = columns.keys();
    let mut keys = Vec::new();
    for name in columns.attributes() {
        let Some(texts) = panel.attribute(name)? else { continue };
        let key = Key::of(name, &texts);
        if identifying.iter().any(|one| one == name) || (2..=MOST_VALUES).contains(&key.levels.len()) {
            keys.push(key);
        }
    }
    Ok((keys, identifying.len()))
}

impl Key {
    /// A column of one text per series; numbers are listed by their size.
    fn of(name: &str, texts: &[String]) -> Self {
        let mut levels: Vec<String> = texts.to_vec();
        let size = |text: &String| text.parse::<f64>().unwrap_or(f64::INFINITY);
        levels.sort_by(|a, b| size(a).total_cmp(&size(b)).then_with(|| a.cmp(b)));
        levels.dedup();
        let places: std::collections::HashMap<&str, u32> =
            levels.iter().enumerate().map(|(place, level)| (level.as_str(), place as u32)).collect();
        let codes = texts.iter().map(|text| places.get(text.as_str()).copied().unwrap_or(0)).collect();
        Self { name: name.into(), codes, levels }
    }
}

impl Data {
    /// Steps from the first forecast column on.
    fn horizon_of(&self, horizon: usize) -> usize {
        if horizon == 0 { 0 } else { self.steps.len() - self.ahead }
    }
}
