//! Which values were recorded before cleaning, and how is a part of a cleaned panel cleaned by itself?
//!
//! Forecasts are scored against recorded values, not cleaned ones. For each row of a cleaned panel these are:
//!
//! | finding | policy | recorded value |
//! |---|---|---|
//! | several rows for one timestamp | `duplicates=…` | the row that the policy makes of them |
//! | zeros before the first sale | `starts=sale` | none: there is no row any more |
//! | a timestamp off the calendar | `off_calendar=…` | the value, on the timestamp that the policy names |
//! | a target that is infinite or not a number | any | unknown: not scored |
//! | no row, or no target | `missing=zero` | 0: nothing was sold |
//! | no row, or no target | any other | unknown: not scored |
//! | a target below zero | `negatives=clip` | the value as it was recorded |
//! | a target below zero | `negatives=apart` | 0: the return is in a column of its own |
//! | a suspected stock-out | `stockouts=missing` | unknown demand: not scored |
//! | a step in which the item could not always be sold | `stockouts=censored`, `estimated` | unknown demand: not scored |
//! | an outlier | `outliers=clip`, `interpolate` | the value as it was recorded |
//! | any | `normalise=…` | the value: scores are on the scale of the data |
//!
//! An aggregated period has the recorded values of its steps; if one of them was filled in, the period is not scored.
//!
//! Series whose keys differ in spelling only are merged first and once: the recorded rows bear the merged keys.
//!
//! Some policies use more than one row: where a gap ends, the values on both sides of a gap, the variation of a series.
//! Their result depends on later rows, so a panel that they cleaned keeps the rows as recorded, and the changes since.
//! A part of it is cleaned again from its own rows: a cleaned panel before a date equals the panel before that date,
//! cleaned. Policies that use a single row, or the past, give the same result either way and keep only the recorded
//! values.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use polars::prelude::*;

use super::aggregate::{Aggregate, place};
use super::calendar::Calendar;
use super::columns::Stamps;
use super::features::Places;
use super::{Clean, Inner, Panel};
use crate::error::{Error, Result};

/// The recorded values of a panel that was cleaned.
#[derive(Clone)]
pub(super) struct Recorded {
    /// What happened, row by row; NaN where it is not known.
    pub(super) actual: Vec<f64>,
    /// How to clean a part of the panel by itself, where the result may differ from a part of the cleaned panel.
    recipe: Option<Recipe>,
}

/// How a panel came about.
#[derive(Clone)]
pub(super) struct Recipe {
    /// The rows as they were recorded, one for each timestamp of a series.
    rows: Panel,
    /// The series of the panel that each of their series goes into.
    into: Vec<usize>,
    steps: Vec<Step>,
}

#[derive(Clone)]
enum Step {
    Clean(Clean),
    Aggregate { how: Aggregate, from: Box<Calendar>, stamps: Option<Stamps>, to: Box<Calendar> },
}

impl Recorded {
    /// What happened, of a panel whose parts are what they are in the whole.
    pub(super) fn plain(actual: Vec<f64>) -> Self {
        Self { actual, recipe: None }
    }

    /// Is there nothing to be kept besides the target?
    pub(super) fn is_target(&self, target: &[f64]) -> bool {
        let same = |(a, b): (&f64, &f64)| a == b || (a.is_nan() && b.is_nan());
        self.recipe.is_none() && self.actual.iter().zip(target).all(same)
    }

    /// What is left of what was recorded when `before` was cleaned: what happened, and the way from the rows that were
    /// decided on.
    pub(super) fn cleaned(before: &Panel, decided: Panel, policy: &Clean, actual: Vec<f64>) -> Self {
        let step = Step::Clean(policy.clone());
        let recipe = match before.recipe() {
            Some(recipe) => Some(recipe.then(step)),
            None if policy.looks_around() => {
                Some(Recipe { into: (0..decided.len()).collect(), rows: decided, steps: vec![step] })
            }
            None => None,
        };
        Self { actual, recipe }
    }

    /// The same when `before` has become `after`, whose series have other names.
    pub(super) fn aggregated(
        before: &Panel,
        after: &Panel,
        how: &Aggregate,
        names: &[String],
        actual: Vec<f64>,
    ) -> Result<Self> {
        let Some(recipe) = before.recipe() else { return Ok(Self::plain(actual)) };
        let (old, new) = (before.inner(), after.inner());
        let step = Step::Aggregate {
            how: how.clone(),
            from: Box::new(old.calendar.clone()),
            stamps: old.columns.stamps,
            to: Box::new(new.calendar.clone()),
        };
        let places: HashMap<&str, usize> =
            new.labels.iter().enumerate().map(|(i, label)| (label.as_str(), i)).collect();
        let places: Vec<Option<usize>> = names.iter().map(|name| places.get(name.as_str()).copied()).collect();
        Ok(Self { actual, recipe: Some(recipe.then(step).sent(&places)?) })
    }

    /// The rows that `mask` keeps, which are those that satisfy `keep`; every series keeps its place.
    pub(super) fn within(&self, mask: &[bool], keep: &dyn Fn(usize, i64) -> bool) -> Result<Self> {
        let recipe = match &self.recipe {
            Some(recipe) => Some(Recipe {
                rows: recipe.rows.within(&|i, position| keep(recipe.into[i], recipe.place(position)))?,
                ..recipe.clone()
            }),
            None => None,
        };
        Ok(Self { actual: picked(&self.actual, mask), recipe })
    }

    /// The rows that `mask` keeps, of the series that have a place.
    pub(super) fn with_series(&self, mask: &[bool], places: &[Option<usize>]) -> Result<Self> {
        let recipe = self.recipe.clone().map(|recipe| recipe.sent(places)).transpose()?;
        Ok(Self { actual: picked(&self.actual, mask), recipe })
    }
}

fn picked(values: &[f64], mask: &[bool]) -> Vec<f64> {
    values.iter().zip(mask).filter(|(_, keep)| **keep).map(|(value, _)| *value).collect()
}

impl Recipe {
    fn then(&self, step: Step) -> Self {
        let mut recipe = self.clone();
        recipe.steps.push(step);
        recipe
    }

    /// The recipe of fewer series, each at the place that it has among them.
    fn sent(mut self, places: &[Option<usize>]) -> Result<Self> {
        // A series without rows vanishes when a panel is assembled.
        let there = |i: usize| !self.rows.positions(i).is_empty();
        let kept: Vec<bool> = (0..self.rows.len()).map(|i| there(i) && places[self.into[i]].is_some()).collect();
        let goes = self.into.iter().zip(&kept).filter(|(_, keep)| **keep);
        let into = goes.filter_map(|(series, _)| places[*series]).collect();
        if kept.contains(&false) {
            self.rows = self.rows.with_series(&kept)?;
        }
        self.into = into;
        Ok(self)
    }

    /// The place on the panel's calendar that a recorded row goes to.
    fn place(&self, position: i64) -> i64 {
        self.steps.iter().fold(position, |position, step| match step {
            Step::Aggregate { from, stamps, to, .. } => place(from, *stamps, to, position),
            Step::Clean(_) => position,
        })
    }

    /// The panel before the end of each series, from the values recorded until then.
    pub(super) fn until(&self, panel: &Panel, ends: &[i64]) -> Result<Panel> {
        let before = |i: usize, position: i64| self.place(position) < ends[self.into[i]];
        let rows = self.rows.within(&before)?;
        let there: Vec<bool> = (0..rows.len()).map(|i| !rows.positions(i).is_empty()).collect();
        let mut cleaned = rows.occupied()?;
        for step in &self.steps {
            cleaned = match step {
                Step::Clean(policy) => cleaned.cleaned(policy)?.0,
                Step::Aggregate { how, to, .. } => cleaned.aggregated(how, Some(to.frequency))?,
            };
        }
        let whole = self.steps.iter().all(|step| matches!(step, Step::Clean(_)));
        let series: Vec<usize> = if whole {
            (0..rows.len()).filter(|i| there[*i]).map(|i| self.into[i]).collect()
        } else {
            // Both list their series in the order of the keys.
            let mut labels = panel.inner().labels.iter().enumerate();
            let mut next = |label: &str| {
                let found = labels.find(|(_, other)| *other == label);
                found.map(|(i, _)| i).ok_or_else(|| Error::data(format!("there is no series {label} any more")))
            };
            (0..cleaned.len()).map(|i| next(cleaned.label(i))).collect::<Result<_>>()?
        };
        let recipe = Self { rows, ..self.clone() };
        let all = in_place(panel, &cleaned, &series, Some(recipe))?;
        // A row that a later step has moved across the end was not known before it.
        let beyond = |i: usize| all.positions(i).last().is_some_and(|last| *last >= ends[i]);
        if (0..all.len()).any(beyond) { all.within(&|i, position| position < ends[i]) } else { Ok(all) }
    }
}

/// A part of `panel` that was made anew, its series at their places, with the covariates that the panel has.
fn in_place(panel: &Panel, part: &Panel, series: &[usize], recipe: Option<Recipe>) -> Result<Panel> {
    let (whole, own) = (panel.inner(), part.inner());
    let mut spans = vec![0..0; panel.len()];
    for (i, span) in series.iter().zip(&own.spans) {
        spans[*i] = span.clone();
    }
    // A series without rows lies between its neighbours.
    let mut end = 0;
    for span in &mut spans {
        *span = if span.start == span.end { end..end } else { span.clone() };
        end = span.end;
    }
    let mut origin = own.origin.clone();
    let change = |change: &super::Change| super::Change { series: series[change.series], ..change.clone() };
    origin.changes = Arc::new(own.origin.changes.iter().map(change).collect());
    let mut frame = own.frame.clone();
    // A column whose holes were filled is one of numbers, whether this part had holes or not.
    for (name, _) in &whole.columns.covariates {
        let (Ok(column), theirs) = (frame.column(name), whole.frame.column(name)?) else { continue };
        if column.dtype() != theirs.dtype() {
            let cast = column.cast(theirs.dtype())?;
            frame.with_column(cast)?;
        }
    }
    let mut columns = whole.columns.clone();
    columns.covariates.retain(|(name, _)| own.frame.column(name).is_ok());
    let mut made = Panel(Arc::new(Inner {
        columns,
        calendar: whole.calendar.clone(),
        season: whole.season,
        frame,
        keys: whole.keys.clone(),
        labels: whole.labels.clone(),
        by_label: whole.by_label.clone(),
        spans,
        positions: own.positions.clone(),
        target: own.target.clone(),
        origin,
        recorded: Some(Recorded { actual: part.actuals().to_vec(), recipe }),
        hierarchy: whole.hierarchy.clone(),
        matrix: OnceLock::new(),
    }));
    made = made.with_made_of(panel)?;
    let frame = made.inner().frame.select(whole.frame.get_column_names_owned())?;
    Ok(made.with_covariates(frame, whole.columns.clone()))
}

impl Panel {
    /// This part of a panel that was made anew, each series at the place that it has in the whole by its name.
    pub(super) fn in_place_of(&self, whole: &Panel) -> Result<Panel> {
        let place = |i: usize| {
            let label = self.label(i);
            whole.place_of(label).ok_or_else(|| Error::data(format!("there is no series {label} any more")))
        };
        let series: Vec<usize> = (0..self.len()).map(place).collect::<Result<_>>()?;
        in_place(whole, self, &series, None)
    }

    /// The same panel with its recorded values.
    pub(super) fn with_recorded(mut self, recorded: Option<Recorded>) -> Panel {
        // It was assembled a moment ago and is nobody else's yet.
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.recorded = recorded;
        }
        self
    }

    pub(super) fn recorded(&self) -> Option<&Recorded> {
        self.0.recorded.as_ref()
    }

    pub(super) fn recipe(&self) -> Option<&Recipe> {
        self.recorded()?.recipe.as_ref()
    }

    /// What happened, row by row: the target as it was recorded, NaN where it is not known.
    pub(super) fn actuals(&self) -> &[f64] {
        self.recorded().map_or(&self.0.target, |recorded| &recorded.actual)
    }

    /// The recorded values of a series, one per row.
    pub(crate) fn actual(&self, series: usize) -> &[f64] {
        &self.actuals()[self.0.spans[series].clone()]
    }

    /// What happened in `steps` steps of a series from a position on, NaN where it is not known; none where nothing is.
    pub(crate) fn happened(&self, series: usize, start: i64, steps: usize) -> Option<Vec<f64>> {
        let mut happened = vec![f64::NAN; steps];
        for (position, y) in self.positions(series).iter().zip(self.actual(series)) {
            if let Some(cell) = usize::try_from(position - start).ok().and_then(|step| happened.get_mut(step)) {
                *cell = *y;
            }
        }
        happened.iter().any(|y| !y.is_nan()).then_some(happened)
    }

    /// The steps of a series, from its first timestamp to its last, whose value is not the one that was recorded; empty
    /// if there is none.
    pub(crate) fn mended_steps(&self, series: usize) -> Vec<bool> {
        let positions = self.positions(series);
        let (Some(_), Some(first), Some(last)) = (self.recorded(), positions.first(), positions.last()) else {
            return Vec::new();
        };
        let mut mended = vec![false; (last - first + 1) as usize];
        for ((position, y), actual) in positions.iter().zip(self.target(series)).zip(self.actual(series)) {
            mended[(position - first) as usize] = !y.is_nan() && y != actual;
        }
        mended
    }

    /// The same rows with what happened as their target.
    pub(super) fn as_recorded(&self) -> Result<Panel> {
        let inner = &*self.0;
        let Some(recorded) = &inner.recorded else { return Ok(self.clone()) };
        let mut frame = inner.frame.clone();
        let target: Vec<Option<f64>> = recorded.actual.iter().map(|y| (!y.is_nan()).then_some(*y)).collect();
        frame.with_column(Column::new(inner.columns.target.as_str().into(), target))?;
        let mut panel = self.with_covariates(frame, inner.columns.clone());
        if let Some(inner) = Arc::get_mut(&mut panel.0)
            && let Some(recorded) = inner.recorded.take()
        {
            inner.target = recorded.actual;
            inner.origin.changes = Arc::default();
        }
        Ok(panel)
    }

    /// A fingerprint of the data with their recorded values: two panels may be the same after cleaning and differ in
    /// the values that forecasts are scored against.
    pub(crate) fn recorded_fingerprint(&self) -> String {
        let Some(recorded) = &self.0.recorded else { return self.fingerprint() };
        let mut hash = blake3::Hasher::new();
        hash.update(self.fingerprint().as_bytes());
        recorded.actual.iter().for_each(|y| {
            hash.update(&y.to_bits().to_le_bytes());
        });
        if let Some(recipe) = &recorded.recipe {
            hash.update(recipe.rows.fingerprint().as_bytes());
            for step in &recipe.steps {
                let step = match step {
                    Step::Clean(policy) => serde_json::to_vec(policy),
                    Step::Aggregate { how, .. } => serde_json::to_vec(how),
                };
                hash.update(&step.unwrap_or_default());
            }
        }
        hash.finalize().to_hex()[..32].to_string()
    }

    /// The panel with the covariates that features and joins gave to `other`, which has all of its rows: those of a
    /// file are taken from there, those that are computed are computed from these rows.
    fn with_made_of(self, other: &Panel) -> Result<Panel> {
        let whole = other.inner();
        let mut panel = self;
        let rows: IdxCa = (0..panel.len())
            .flat_map(|i| {
                let start = whole.spans[i].start;
                let row = move |position: &i64| {
                    other.positions(i).binary_search(position).ok().map(|row| (start + row) as IdxSize)
                };
                panel.positions(i).iter().map(row).collect::<Vec<_>>()
            })
            .collect_ca("".into());
        for made in &whole.columns.made {
            let missing: Vec<&String> =
                made.columns.iter().filter(|name| panel.inner().frame.column(name).is_err()).collect();
            if missing.is_empty() {
                continue;
            }
            let computed = if made.computed() { made.again(&Places::history(&panel))? } else { Vec::new() };
            let mut computed: Vec<Column> = computed.into_iter().map(super::features::Derived::column).collect();
            let (mut frame, mut columns) = (panel.to_frame(), panel.columns());
            for name in missing {
                // What only rows that are cut off have, a category, has a column all the same.
                let own = computed.iter().position(|column| column.name().as_str() == name.as_str());
                let column = match own {
                    Some(at) => computed.swap_remove(at).cast(whole.frame.column(name)?.dtype())?,
                    None => whole.frame.column(name)?.take(&rows)?,
                };
                frame.with_column(column)?;
                columns.covariates.extend(whole.columns.covariates.iter().filter(|(other, _)| other == name).cloned());
            }
            panel = panel.with_covariates(frame, columns);
        }
        Ok(panel)
    }
}
