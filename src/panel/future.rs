//! What is known of the days to come? The calendar of each series beyond its last timestamp, what features make of it,
//! the known covariates as given, the fixed ones carried on, and for the observed ones a scenario.
//!
//! A model gets `train` and a [`Future`], nothing else; a future built for a backtest takes the known columns of the
//! held-out rows and never their target or their observed covariates.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use polars::prelude::*;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::assumed::Assumptions;
use super::covariates::is_number;
use super::features::{Data, Places};
use super::frame::stamps;
use super::given::{Refused, as_flags, as_texts, category, series_of_rows};
use super::meaning::{Known, Meaning};
use super::{Matrix, Panel, Role, source};
use crate::error::{Error, Result};
use crate::progress;
use crate::show::{Block, Show, Table};

/// The values of observed covariates in the future.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum Scenario {
    /// The average at that time of the year and phase of the season, from the series' own past.
    #[default]
    Climatology,
    /// The last value seen.
    Last,
    /// The values given with the known covariates, or in a joined file.
    Given,
}

/// The next `horizon` steps of every series of a panel, with what is known of them.
///
/// ```
/// use tradewind::prelude::*;
/// let sales = Panel::read(
///     "data/walmart_sales_weekly.csv",
///     Columns::new(["Store", "Dept"], "Date", "Weekly_Sales").observed(["Temperature"]),
/// )?;
/// let future = sales.future(8)?;
/// assert_eq!((future.horizon(), future.first("Store=1, Dept=1")?.as_str()), (8, "2012-11-02"));
/// # Ok::<(), tradewind::Error>(())
/// ```
#[derive(Clone)]
pub struct Future(Arc<Inner>);

/// Values that a forecast of one model holds of each step, besides the covariates.
const HELD: usize = 8;

#[derive(Clone)]
struct Inner {
    panel: Panel,
    horizon: usize,
    scenario: Scenario,
    /// Steps between the history and the first of these steps.
    gap: usize,
    /// The first forecast position of each series.
    starts: Arc<[i64]>,
    /// The matrix columns of the panel, one value per series and step, series after series.
    columns: Vec<Vec<f64>>,
    /// The one series that the columns are of, if they are not of all.
    only: Option<usize>,
    /// Of each series and covariate the first given category that the history does not have.
    refused: Vec<Refused>,
}

impl Panel {
    /// The next `horizon` steps after each series' last timestamp. Observed covariates follow their climatology; known
    /// ones wait to be [`given`](Future::given).
    ///
    /// # Errors
    /// When the horizon is zero or the covariates cannot be read as numbers.
    pub fn future(&self, horizon: usize) -> Result<Future> {
        self.future_under(horizon, Scenario::default())
    }

    /// As [`future`](Self::future), with the scenario for observed covariates chosen.
    ///
    /// # Errors
    /// As [`future`](Self::future).
    pub fn future_under(&self, horizon: usize, scenario: Scenario) -> Result<Future> {
        self.future_after(0, horizon, scenario)
    }

    /// As [`future_under`](Self::future_under), from this many steps after each series' last timestamp on.
    pub(crate) fn future_after(&self, gap: usize, horizon: usize, scenario: Scenario) -> Result<Future> {
        let first = |last: i64| last.saturating_add(1).saturating_add_unsigned(gap as u64);
        let starts = (0..self.len()).map(|i| self.positions(i).last().map_or(0, |last| first(*last))).collect();
        Future::starting(self, starts, gap, horizon, scenario)
    }
}

impl Inner {
    /// The same without the values of covariates.
    fn without_columns(&self) -> Self {
        let (panel, starts, refused) = (self.panel.clone(), self.starts.clone(), self.refused.clone());
        Self { panel, starts, columns: Vec::new(), refused, ..*self }
    }

    /// Fills the columns that features and joins made.
    fn make(&mut self) -> Result<()> {
        let panel = self.panel.clone();
        let (matrix, declared) = (panel.matrix()?, panel.columns());
        for made in &declared.made {
            match &made.data {
                Data::Products(_) => {}
                Data::Rows(rows) => {
                    let at = rows.at(&panel, &self.starts, self.horizon)?;
                    let file = crate::options::split(&made.label).map_or(made.label.as_str(), |(file, _)| file);
                    for name in &made.columns {
                        let is_given = |role: Role| {
                            role == Role::Known || (role == Role::Observed && self.scenario == Scenario::Given)
                        };
                        let first = matrix.sources.iter().position(|(source, role)| source == name && is_given(*role));
                        let Some(column) = first else { continue };
                        if matrix.names[column] != *name {
                            let cells = at.iter().map(|row| row.map(|row| rows.text(name, row))).collect();
                            self.take_categories(name, cells, file)?;
                            continue;
                        }
                        for (cell, row) in self.columns[column].iter_mut().zip(&at) {
                            if let Some(row) = row {
                                *cell = rows.number(name, *row);
                            }
                        }
                    }
                }
                Data::None | Data::Events(_) => {
                    for column in made.again(&Places::future(&panel, &self.starts, self.horizon))? {
                        if let Some(c) = matrix.names.iter().position(|name| *name == column.name) {
                            self.columns[c] = column.values;
                        }
                    }
                }
            }
        }
        self.multiply()
    }

    /// Takes the given cells of a covariate of categories, one per series and step, where there are rows of them: each is the
    /// category of the history that it means.
    fn take_categories(&mut self, covariate: &str, cells: Vec<Option<Option<&str>>>, place: &str) -> Result<()> {
        let panel = self.panel.clone();
        let matrix = panel.matrix()?;
        let columns: Vec<usize> = (0..matrix.names.len()).filter(|c| matrix.sources[*c].0 == covariate).collect();
        let known = Known::of(columns.iter().map(|c| category(&matrix.names[*c], covariate)));
        let words = |places: &[usize]| places.iter().map(|at| known.words()[*at].to_string()).collect::<Vec<_>>();
        let mut meanings: HashMap<&str, Meaning> = HashMap::new();
        let mut refused: Vec<Refused> = Vec::new();
        for (k, cell) in cells.into_iter().enumerate() {
            let Some(cell) = cell else { continue };
            let meaning = cell.map(|cell| &*meanings.entry(cell).or_insert_with(|| known.find(cell)));
            let on = match meaning {
                Some(Meaning::Same(at) | Meaning::Other(at)) => Some(*at),
                _ => None,
            };
            for (at, c) in columns.iter().enumerate() {
                self.columns[*c][k] = on.map_or(f64::NAN, |on| f64::from(u8::from(on == at)));
            }
            let (series, step) = (k / self.horizon, k % self.horizon);
            if let (None, Some(cell)) = (on, cell)
                && refused.last().is_none_or(|last| last.series != series)
            {
                let several = match meaning {
                    Some(Meaning::Several(places)) => words(places),
                    _ => Vec::new(),
                };
                let (covariate, cell) = (covariate.to_string(), cell.to_string());
                let known = words(&(0..columns.len()).collect::<Vec<_>>());
                refused.push(Refused { covariate, series, step, cell, several, known });
            }
        }
        let mut others: Vec<(&str, usize)> = (meanings.iter())
            .filter_map(|(cell, meaning)| if let Meaning::Other(at) = meaning { Some((*cell, *at)) } else { None })
            .collect();
        others.sort_unstable();
        for (cell, at) in others {
            let word = known.words()[at];
            progress::say_once(&format!(
                "{place}: `{cell}` in column `{covariate}` is taken for `{word}`, as the history has it"
            ));
        }
        let mut all = std::mem::take(&mut self.refused);
        if !refused.is_empty() || all.iter().any(|one| one.covariate == covariate) {
            let kept = all.iter().filter(|one| one.covariate != covariate).cloned();
            all = kept.chain(refused).collect();
        }
        self.refused = all;
        Ok(())
    }

    /// Products follow what they are made of, which may be given later.
    fn multiply(&mut self) -> Result<()> {
        let panel = self.panel.clone();
        let (matrix, declared) = (panel.matrix()?, panel.columns());
        let place = |name: &String| matrix.names.iter().position(|n| n == name);
        for made in &declared.made {
            let Data::Products(pairs) = &made.data else { continue };
            for (name, (a, b)) in made.columns.iter().zip(pairs) {
                let Some(c) = place(name) else { continue };
                // A category that this history has not seen has no column, and is not on.
                let side = |name: &String| place(name).map(|at| &self.columns[at]);
                self.columns[c] = match (side(a), side(b)) {
                    (Some(a), Some(b)) => a.iter().zip(b).map(|(a, b)| a * b).collect(),
                    _ => vec![0.0; self.columns[c].len()],
                };
            }
        }
        Ok(())
    }
}

impl Future {
    /// The future of a training panel from stated positions on.
    pub(crate) fn starting(
        train: &Panel,
        starts: Vec<i64>,
        gap: usize,
        horizon: usize,
        scenario: Scenario,
    ) -> Result<Self> {
        if horizon == 0 {
            return Err(Error::usage("a horizon is at least 1 step, not 0"));
        }
        if horizon > 1_000_000 || starts.len().checked_mul(horizon).is_none_or(|cells| cells > 1 << 28) {
            return Err(Error::usage(format!("a horizon of {horizon} steps for {} series is too long", starts.len())));
        }
        let values = starts.len().saturating_mul(horizon).saturating_mul(train.columns().names().len() + HELD);
        crate::job::room("values of a forecast", values as u64, 8)?;
        // Integer steps near the end of their range, and years beyond the calendar.
        let reachable = |start: &i64| {
            let last = start.checked_add(horizon as i64 - 1);
            last.is_some_and(|last| train.frequency().position(train.frequency().stamp(last)) == (last, true))
        };
        if let Some(i) = starts.iter().position(|start| *start > i64::MIN && !reachable(start)) {
            return Err(Error::data(format!(
                "{horizon} steps after the end of series {} are beyond the end of the calendar",
                train.label(i)
            )));
        }
        let ends = (0..train.len()).filter(|i| !train.positions(*i).is_empty());
        let end = ends.map(|i| starts[i].saturating_add(horizon as i64)).max().unwrap_or(i64::MIN);
        let assumed = Assumptions::of(train, scenario, end)?;
        let column = |(c, column): (usize, &Vec<f64>)| {
            let mut values = vec![f64::NAN; starts.len() * horizon];
            let fill = |(i, cells): (usize, &mut [f64])| {
                assumed.assume(c, train.positions(i), train.column_of(i, column), starts[i], cells);
            };
            values.par_chunks_mut(horizon).enumerate().for_each(fill);
            values
        };
        let columns = train.matrix()?.columns.iter().enumerate().map(column).collect();
        let starts = starts.into();
        let mut inner =
            Inner { panel: train.clone(), horizon, scenario, gap, starts, columns, only: None, refused: Vec::new() };
        inner.make()?;
        Ok(Self(Arc::new(inner)))
    }

    /// The same future with the known covariates (and, under the scenario `given`, the observed ones) of a frame that
    /// has the panel's key, time and covariate columns. Rows of other series or other dates are ignored. For a
    /// [hierarchy](Panel::hierarchy) they are those of its leaves.
    ///
    /// # Errors
    /// When a column is absent or its timestamps or values cannot be read.
    pub fn given(&self, frame: DataFrame) -> Result<Future> {
        let columns = self.0.panel.columns_of_rows();
        let present: Vec<&str> = frame.get_column_names().into_iter().map(PlSmallStr::as_str).collect();
        let names = columns.future_names(&present);
        super::columns::check_present(&names, &present, "the future")?;
        let origin = super::Provenance { source: "the future".into(), ..Default::default() };
        self.fill(frame.select(names)?, origin)
    }

    /// As [`given`](Self::given), from a CSV or Parquet file.
    ///
    /// # Errors
    /// As [`given`](Self::given), and when the file cannot be read.
    pub fn given_file(&self, path: impl AsRef<Path>) -> Result<Future> {
        let panel = &self.0.panel;
        let decimal = panel.inner().origin.decimal;
        let (frame, origin) = source::read_future(path.as_ref(), &panel.columns_of_rows(), decimal)?;
        self.fill(frame, origin)
    }

    fn fill(&self, frame: DataFrame, mut origin: super::Provenance) -> Result<Future> {
        let panel = &self.0.panel;
        let mut frame = panel.spelled_alike(panel.with_rows_of_nodes(frame)?)?;
        let mut columns = panel.columns();
        let time = frame.column(&columns.time)?.clone();
        // The calendar of the history tells what its own cells leave open: are 202501 and 202502 months or weeks?
        columns.frequency = Some(panel.frequency());
        let zone = panel.inner().origin.zone.clone();
        frame.with_column(source::time_column(&time, &columns, zone.as_deref(), &mut origin)?)?;
        // A covariate is of the type that it has in the history, whatever the file of the future looks like alone.
        for (name, _) in &columns.covariates {
            let Ok(given) = frame.column(name) else { continue };
            let history = panel.inner().frame.column(name)?;
            let typed = match (is_number(history.dtype()), is_number(given.dtype())) {
                (true, false) => match as_flags(given, history)? {
                    Some(flags) => {
                        let place = &origin.source;
                        progress::say_once(&format!(
                            "{place}: yes and no in column `{name}` are taken for 1 and 0, as the history has them"
                        ));
                        flags
                    }
                    None => source::all_numbers(given, &origin)?,
                },
                (false, true) => as_texts(given)?,
                _ => continue,
            };
            frame.with_column(typed)?;
        }
        let present: Vec<String> = frame.get_column_names().into_iter().map(|name| name.to_string()).collect();
        columns.covariates.retain(|(name, _)| present.contains(name));
        let given = Matrix::of(&frame, &columns)?;
        let series = series_of_rows(panel, &frame.select(columns.keys.iter().map(String::as_str))?, &origin.source)?;
        let stamps = stamps(frame.column(&columns.time)?)?;
        // The row of the given frame that speaks of each series and step.
        let mut rows: Vec<Option<usize>> = vec![None; panel.len() * self.0.horizon];
        for (row, (series, stamp)) in series.iter().zip(&stamps).enumerate() {
            let Some(i) = *series else { continue };
            let (position, exact) = panel.frequency().position(*stamp);
            let step = position - self.0.starts[i];
            if exact
                && (0..self.0.horizon as i64).contains(&step)
                && rows[i * self.0.horizon + step as usize].replace(row).is_some()
            {
                return Err(Error::data(format!(
                    "{} has several rows for series {} on {}; keep one",
                    origin.source,
                    panel.label(i),
                    panel.inner().calendar.label(position)
                )));
            }
        }
        self.with_rows(&given, &rows, &origin.source, |_| true)
    }

    /// Which series are forecast for earlier dates than others, because they end before the panel; none where all end
    /// together. Integer steps have no common day.
    pub(crate) fn early(&self) -> Option<String> {
        self.early_of(&(0..self.0.panel.len()).collect::<Vec<_>>())
    }

    /// The same, as far as these series are concerned.
    pub(crate) fn early_of(&self, series: &[usize]) -> Option<String> {
        const NAMED: usize = 3;
        let panel = &self.0.panel;
        let starts = &self.0.starts;
        let there = |i: &usize| !panel.positions(*i).is_empty();
        let latest = (0..panel.len()).filter(there).map(|i| starts[i]).max()?;
        let early: Vec<usize> = series.iter().copied().filter(there).filter(|i| starts[*i] < latest).collect();
        if early.is_empty() || panel.frequency().is_whole() {
            return None;
        }
        let noun = panel.frequency().noun();
        let named = |i: &usize| {
            let steps = latest - starts[*i];
            let begins = panel.inner().calendar.label(starts[*i]);
            let plural = if steps == 1 { "" } else { "s" };
            format!("{} ends {steps} {noun}{plural} before the panel: its forecast begins on {begins}", panel.label(*i))
        };
        let first: Vec<String> = early.iter().take(NAMED).map(named).collect();
        let more = match early.len().saturating_sub(NAMED) {
            0 => String::new(),
            1 => "; 1 more series does so".to_string(),
            more => format!("; {} more series do so", crate::show::number(more as f64)),
        };
        Some(format!(
            "{}{more}, not on {}; if nothing was sold since, clean with gaps=fill, ends=panel, missing=zero.",
            first.join("; "),
            panel.inner().calendar.label(latest)
        ))
    }

    /// What if? The same future with a covariate at other values for every series: one value for all steps, or one per
    /// step. Products of it are recomputed. A category is given by its indicator, such as `Type=A`.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales").known(["IsHoliday"]);
    /// let sales = Panel::read("data/walmart_sales_weekly.csv", columns)?;
    /// let fits = sales.fit_for(["ridge"], 2)?;
    /// let future = sales.future(2)?.what_if("IsHoliday", &[0.0, 1.0])?;
    /// assert_eq!(fits.forecast(&future)?.mean("ridge", "Store=1, Dept=1")?.len(), 2);
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// When there is no such covariate, it is made from others or fixed, or there are neither one nor as many values as
    /// steps.
    pub fn what_if(&self, covariate: &str, values: &[f64]) -> Result<Future> {
        let (mut inner, c) = self.changeable(covariate)?;
        if values.len() != 1 && values.len() != self.0.horizon {
            return Err(Error::usage(format!(
                "`{covariate}` needs 1 value for all steps or {} values, one per step, not {}",
                self.0.horizon,
                values.len()
            )));
        }
        let steps = inner.columns[c].chunks_exact_mut(self.0.horizon);
        steps.flatten().zip(values.iter().cycle()).for_each(|(cell, value)| *cell = *value);
        inner.multiply()?;
        Ok(Future(Arc::new(inner)))
    }

    /// The same future with another value of a covariate, made of the one that it has, in some cells: by series, its steps.
    pub(crate) fn changed(&self, covariate: &str, cells: &[Vec<bool>], with: impl Fn(f64) -> f64) -> Result<Future> {
        let (mut inner, c) = self.changeable(covariate)?;
        for (i, (values, changes)) in inner.columns[c].chunks_exact_mut(self.0.horizon).zip(cells).enumerate() {
            for (step, (cell, changes)) in values.iter_mut().zip(changes).enumerate() {
                if !changes {
                    continue;
                }
                *cell = with(*cell);
                if cell.is_nan() {
                    return Err(Error::data(format!(
                        "`{covariate}` of series {} on {} is not known, so that it cannot be changed: give its future values, or say \
                         what it is to be",
                        self.0.panel.label(i),
                        self.0.panel.inner().calendar.label(self.0.starts[i] + step as i64)
                    )));
                }
            }
        }
        inner.multiply()?;
        Ok(Future(Arc::new(inner)))
    }

    /// The future of one series with other values of covariates in some of its steps, whatever the number of the others; only this
    /// series can be forecast with it.
    ///
    /// # Errors
    /// As [`what_if`](Self::what_if), and when there is no such step.
    #[cfg_attr(not(feature = "serve"), expect(dead_code, reason = "only a server is asked for single series"))]
    pub(crate) fn of_one<'a>(
        &self,
        series: usize,
        changes: impl IntoIterator<Item = (&'a str, usize, f64)>,
    ) -> Result<Future> {
        let inner = &*self.0;
        let columns = (0..inner.columns.len()).map(|column| self.column(column, series).to_vec()).collect();
        let mut one = Inner { columns, only: Some(series), starts: inner.starts.clone(), ..inner.without_columns() };
        for (covariate, step, value) in changes {
            let column = self.place_of(covariate)?;
            self.check_step(step)?;
            one.columns[column][step] = value;
        }
        one.multiply()?;
        Ok(Future(Arc::new(one)))
    }

    /// The same future with other values of covariates in some steps of some series.
    ///
    /// # Errors
    /// As [`what_if`](Self::what_if), and when there is no such step.
    #[cfg_attr(not(feature = "serve"), expect(dead_code, reason = "elsewhere they are in a file"))]
    pub(crate) fn with_values<'a>(
        &self,
        changes: impl IntoIterator<Item = (usize, &'a str, usize, f64)>,
    ) -> Result<Future> {
        let mut inner = (*self.0).clone();
        for (series, covariate, step, value) in changes {
            let column = self.place_of(covariate)?;
            self.check_step(step)?;
            inner.columns[column][series * self.0.horizon + step] = value;
        }
        inner.multiply()?;
        Ok(Future(Arc::new(inner)))
    }

    fn check_step(&self, step: usize) -> Result<()> {
        match step < self.0.horizon {
            true => Ok(()),
            false => Err(Error::usage(format!("there is no step {}: the horizon is {}", step + 1, self.0.horizon))),
        }
    }

    /// A copy whose covariate can be changed, and the place of its column.
    fn changeable(&self, covariate: &str) -> Result<(Inner, usize)> {
        Ok(((*self.0).clone(), self.place_of(covariate)?))
    }

    /// The place of the column of a covariate that can be changed.
    fn place_of(&self, covariate: &str) -> Result<usize> {
        let panel = &self.0.panel;
        let (matrix, declared) = (panel.matrix()?, panel.columns());
        let c = matrix.names.iter().position(|name| name == covariate).ok_or_else(|| {
            let nearest = crate::error::suggestion(covariate, matrix.names.iter().map(String::as_str));
            Error::usage(format!("there is no covariate `{covariate}`{nearest}"))
        })?;
        let (source, role) = &matrix.sources[c];
        if *role == Role::Fixed || declared.maker(source).is_some_and(|made| made.computed()) {
            return Err(Error::usage(format!(
                "`{covariate}` cannot be changed: it is fixed, or computed from the calendar or from other columns"
            )));
        }
        Ok(c)
    }

    /// The covariates that can be changed: their names, and the places of their columns.
    #[cfg_attr(not(feature = "serve"), expect(dead_code, reason = "only a server offers them"))]
    pub(crate) fn changeable_columns(&self) -> Result<Vec<(String, usize)>> {
        let names = self.0.panel.matrix()?.names.iter();
        Ok(names.filter_map(|name| Some((name.clone(), self.place_of(name).ok()?))).collect())
    }

    /// The same future with the known covariates of the rows that `full` has at the forecast positions.
    pub(crate) fn known_from(&self, full: &Panel) -> Result<Future> {
        let mut rows: Vec<Option<usize>> = vec![None; full.len() * self.0.horizon];
        for (i, start) in self.0.starts.iter().enumerate() {
            let span = full.inner().spans[i].clone();
            for (row, position) in span.clone().zip(full.positions(i)) {
                let step = position - start;
                if (0..self.0.horizon as i64).contains(&step) {
                    rows[i * self.0.horizon + step as usize] = Some(row);
                }
            }
        }
        self.with_rows(full.matrix()?, &rows, &full.inner().origin.source, |role| role == Role::Known)
    }

    fn with_rows(
        &self,
        given: &Matrix,
        rows: &[Option<usize>],
        place: &str,
        takes: impl Fn(Role) -> bool,
    ) -> Result<Future> {
        let mut inner = (*self.0).clone();
        let matrix = inner.panel.matrix()?.clone();
        let told = |source: &String| given.sources.iter().any(|(name, _)| name == source);
        let mut categories: Vec<&String> = Vec::new();
        for (c, (name, (source, role))) in matrix.names.iter().zip(&matrix.sources).enumerate() {
            let free = *role == Role::Known || (*role == Role::Observed && self.0.scenario == Scenario::Given);
            // What is computed is not asked for; what a joined file knows may be given anew, but need not.
            let made = inner.panel.columns().maker(source).map(|made| made.computed());
            if !free || !takes(*role) || made == Some(true) || (made == Some(false) && !told(source)) {
                continue;
            }
            if name != source {
                if !categories.contains(&source) {
                    categories.push(source);
                }
                continue;
            }
            let column = given.names.iter().position(|n| n == name).map(|at| &given.columns[at]);
            for (cell, row) in inner.columns[c].iter_mut().zip(rows) {
                let Some(row) = *row else { continue };
                *cell = column.map_or(f64::NAN, |column| column[row]);
            }
        }
        for source in categories {
            let indicators: Vec<(&str, &Vec<f64>)> = (0..given.names.len())
                .filter(|at| given.sources[*at].0 == *source && given.names[*at] != *source)
                .map(|at| (category(&given.names[at], source), &given.columns[at]))
                .collect();
            let text = |row: usize| indicators.iter().find(|(_, on)| on[row] == 1.0).map(|(text, _)| *text);
            inner.take_categories(source, rows.iter().map(|row| row.map(text)).collect(), place)?;
        }
        inner.multiply()?;
        Ok(Self(Arc::new(inner)))
    }

    /// Number of steps.
    pub fn horizon(&self) -> usize {
        self.0.horizon
    }

    /// The steps from the end of the history to its last step.
    pub(crate) fn reach(&self) -> usize {
        self.0.gap.saturating_add(self.0.horizon)
    }

    pub(crate) fn scenario(&self) -> Scenario {
        self.0.scenario
    }

    /// The first forecast timestamp of a series, as text.
    ///
    /// # Errors
    /// When the panel has no such series.
    pub fn first(&self, key: &str) -> Result<String> {
        let panel = &self.0.panel;
        match panel.place_of(key) {
            Some(i) => Ok(panel.inner().calendar.label(self.0.starts[i])),
            None => {
                let nearest = crate::error::suggestion(key, panel.inner().labels.iter().map(String::as_str));
                Err(Error::usage(format!("no series is named `{key}`{nearest}")))
            }
        }
    }

    /// Keys, timestamps and covariates, one row per series and step.
    ///
    /// # Errors
    /// Only if the frame cannot be assembled.
    pub fn to_frame(&self) -> Result<DataFrame> {
        let panel = &self.0.panel;
        let (n, h) = (panel.len(), self.0.horizon);
        let mut columns = panel.key_columns((0..n).flat_map(|i| std::iter::repeat_n(i, h)))?;
        let positions = self.0.starts.iter().flat_map(|start| (0..h as i64).map(move |step| start + step));
        columns.push(super::frame::stamp_column(&panel.inner().calendar, &panel.inner().columns.time, positions)?);
        for (name, values) in panel.matrix()?.names.iter().zip(&self.0.columns) {
            let values: Vec<Option<f64>> = values.iter().map(|v| (!v.is_nan()).then_some(*v)).collect();
            columns.push(Column::new(name.as_str().into(), values));
        }
        Ok(DataFrame::new(n * h, columns)?)
    }

    pub(crate) fn start(&self, series: usize) -> i64 {
        self.0.starts[series]
    }

    /// A matrix column of one series, one value per step.
    fn column(&self, column: usize, series: usize) -> &[f64] {
        let place = if self.0.only == Some(series) { 0 } else { series };
        &self.0.columns[column][place * self.0.horizon..(place + 1) * self.0.horizon]
    }

    /// All matrix columns of one series.
    pub(crate) fn columns(&self, series: usize) -> Vec<&[f64]> {
        (0..self.0.columns.len()).map(|column| self.column(column, series)).collect()
    }

    /// Why a cell that a feature computes is empty.
    fn out_of_reach(&self, series: usize, step: usize, column: usize) -> Result<Option<Error>> {
        let inner = &*self.0;
        let declared = inner.panel.columns();
        let (source, _) = &inner.panel.matrix()?.sources[column];
        let Some(made) = declared.maker(source).filter(|made| made.computed()) else { return Ok(None) };
        let reach = made.columns.iter().position(|name| name == source).and_then(|at| made.reach[at]);
        let stamp = inner.panel.inner().calendar.label(inner.starts[series] + step as i64);
        let label = inner.panel.label(series);
        let ahead = match inner.panel.positions(series).last() {
            Some(last) => inner.starts[series] + step as i64 - last,
            None => return Ok(None),
        };
        Ok(Some(Error::data(match reach {
            Some(reach) if ahead > reach as i64 => format!(
                "`{source}` of series {label} reaches only {reach} {} ahead, {stamp} is step {ahead}: use lags of at least \
                 the horizon",
                if reach == 1 { "step" } else { "steps" }
            ),
            Some(_) => format!(
                "`{source}` of series {label} has no value for {stamp}, because the past values that it is computed from are missing; \
                 fill them in (clean with missing = \"linear\"), or use a window instead of a lag"
            ),
            None => format!(
                "`{source}` of series {label}, made by {}, has no value for {stamp}, because the values that it is computed from are missing",
                made.label
            ),
        })))
    }

    /// Everything that a model needs of this series is there: a value at each step of each column of the matrix that it
    /// reads.
    pub(crate) fn check(&self, series: usize, reads: impl Fn(usize) -> bool) -> Result<()> {
        let matrix = self.0.panel.matrix()?;
        for (c, (source, role)) in matrix.sources.iter().enumerate().filter(|(c, _)| reads(*c)) {
            let Some(step) = self.column(c, series).iter().position(|v| v.is_nan()) else { continue };
            let stamp = self.0.panel.inner().calendar.label(self.0.starts[series] + step as i64);
            let label = self.0.panel.label(series);
            if let Some(error) = self.out_of_reach(series, step, c)? {
                return Err(error);
            }
            let at = |one: &&Refused| (&one.covariate, one.series, one.step) == (source, series, step);
            if let Some(refused) = self.0.refused.iter().find(at) {
                return Err(refused.error(label, &stamp));
            }
            return Err(Error::data(match role {
                Role::Known => format!(
                    "known covariate `{source}` has no usable value for series {label} on {stamp} (a number, or a \
                     category that occurs in the history); \
                     give it with the future (--future FILE, or future.given(frame)), or use a model that does not \
                     read it, such as auto(regressors=false)"
                ),
                Role::Observed => format!(
                    "observed covariate `{source}` of series {label} has no value that the scenario could assume for {stamp}; \
                     choose another scenario, or leave the covariate out"
                ),
                Role::Fixed => format!("fixed covariate `{source}` of series {label} has no value; fill it in"),
            }));
        }
        Ok(())
    }
}

impl Show for Future {
    fn block(&self) -> Block {
        let text = format!("The next {} steps of {} series", self.0.horizon, self.0.panel.len());
        let mut blocks = vec![Block::Text(text)];
        blocks.extend(self.to_frame().ok().map(|frame| Block::Table(Table::new(frame))));
        Block::Group(blocks)
    }
}

crate::show::noun!(Future);
