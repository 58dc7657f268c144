//! What became of the forecasts that planners could change?
//!
//! A run that released a forecast has stored four of it: the naive one, the model's, what planners made of it, and what was
//! released. Each series, date and run is a row, with who changed it and what was sold. A row without an override is that of
//! whoever changes its series most often.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, NaiveDateTime, Utc};

use super::MonitorOptions;
use crate::alerts::Rules;
use crate::error::Result;
use crate::overrides::{Made, Options, Past, Row, Rule, Value, value};
use crate::store::{Kind, Overridden, Past as Issued, Store};

/// Dates with actuals that are looked back upon.
const DATES: usize = 52;
/// Dates over which the recent error of a series is taken.
const RECENT: usize = 4;
/// Series that together sell this share are A, then B.
const CLASSES: [(f64, &str); 2] = [(0.8, "A"), (0.95, "B")];

/// The forecasts that planners could change, and what was sold.
pub struct History {
    rows: Vec<Row>,
    /// Of each row.
    about: Vec<About>,
    /// Was a naive forecast stored with each of them?
    has_naive: bool,
    /// Series by their keys.
    series: HashMap<Vec<String>, i64>,
    classes: Classes,
    /// By series and date: actual − statistical forecast, one period ahead or as few as there are.
    errors: HashMap<i64, BTreeMap<NaiveDateTime, (u32, f64)>>,
}

/// What is known of a row besides its numbers.
struct About {
    /// Periods ahead.
    age: u32,
    /// Why it was changed.
    reason: String,
    /// The first date of its issue: later ones were not known when it was made.
    first: NaiveDateTime,
}

/// How series are classified.
struct Classes {
    /// The place of a key column whose values are the classes.
    column: Option<usize>,
    /// Else by series.
    sold: HashMap<i64, &'static str>,
}

/// The issues of one run that belong together.
struct Rungs {
    naive: Option<Issued>,
    statistical: Issued,
    planned: Issued,
    released: Option<Issued>,
}

impl History {
    pub(super) fn of(store: &mut Store, rules: &Rules, options: &MonitorOptions) -> Result<Self> {
        let dates = store.dates_with_actuals()?;
        let kept: BTreeSet<NaiveDateTime> = dates.iter().rev().take(DATES).copied().collect();
        let mut keys: HashMap<i64, Vec<String>> = HashMap::new();
        store.series(|series, key| {
            keys.insert(series, key);
            Ok(())
        })?;
        let series: HashMap<Vec<String>, i64> = keys.iter().map(|(series, key)| (key.clone(), *series)).collect();
        let mut actuals: BTreeMap<NaiveDateTime, HashMap<i64, f64>> = BTreeMap::new();
        for date in &kept {
            actuals.insert(*date, store.actuals_at(*date)?);
        }
        let column = rules.class.as_ref().and_then(|class| rules.keys.iter().position(|key| key == class));
        let classes = Classes { column, sold: sold(&actuals) };
        let changed = Changed::of(store.overridden()?, &series);
        let mut history =
            Self { rows: Vec::new(), about: Vec::new(), has_naive: true, series, classes, errors: HashMap::new() };
        for rungs in rungs(store.issues()?) {
            history.take(store, &rungs, &keys, &actuals, &changed, options)?;
        }
        Ok(history)
    }

    fn take(
        &mut self,
        store: &mut Store,
        rungs: &Rungs,
        keys: &HashMap<i64, Vec<String>>,
        actuals: &BTreeMap<NaiveDateTime, HashMap<i64, f64>>,
        changed: &Changed,
        options: &MonitorOptions,
    ) -> Result<()> {
        let mut of = |issue: &Option<&Issued>| -> Result<HashMap<i64, Vec<f64>>> {
            let mut means = HashMap::new();
            if let Some(issue) = issue {
                store.means(issue, |series, _, mean| {
                    means.insert(series, mean);
                })?;
            }
            Ok(means)
        };
        let (naive, statistical) = (of(&rungs.naive.as_ref())?, of(&Some(&rungs.statistical))?);
        let released = of(&rungs.released.as_ref())?;
        let Some(first) = rungs.planned.issue.dates.first().copied() else { return Ok(()) };
        let mut planned = Vec::new();
        store.means(&rungs.planned, |series, scale, mean| planned.push((series, scale, mean)))?;
        for (series, scale, planned) in planned {
            let Some(key) = keys.get(&series) else { continue };
            let costs = (options.costs)(key);
            let class = self.classes.of(series, key);
            for ((step, date), planned) in rungs.planned.issue.dates.iter().enumerate().zip(planned) {
                let at = |means: &HashMap<i64, Vec<f64>>| means.get(&series).and_then(|mean| mean.get(step)).copied();
                let actual = actuals.get(date).and_then(|values| values.get(&series)).copied();
                let (Some(statistical), Some(actual)) = (at(&statistical), actual) else { continue };
                if statistical.is_nan() || planned.is_nan() {
                    continue;
                }
                let age = u32::try_from(step + 1).unwrap_or(u32::MAX);
                let error = self.errors.entry(series).or_default().entry(*date).or_insert((age, actual - statistical));
                if age < error.0 {
                    *error = (age, actual - statistical);
                }
                let naive = at(&naive).filter(|naive| naive.is_finite());
                self.has_naive &= naive.is_some();
                let by = changed.at(series, *date, rungs.planned.issue.issued_at);
                let author = by.map(|one| one.author.as_str()).or_else(|| changed.mostly(series));
                self.rows.push(Row {
                    planner: author.unwrap_or("nobody").to_string(),
                    class: class.clone(),
                    series,
                    date: *date,
                    naive: naive.unwrap_or(statistical),
                    statistical,
                    planned,
                    released: at(&released).filter(|released| released.is_finite()).unwrap_or(planned),
                    actual,
                    over: costs.over,
                    under: costs.under,
                    scale: (scale > 0.0).then_some(scale),
                });
                let reason = by.map(|one| one.reason.clone()).unwrap_or_default();
                self.about.push(About { age, reason, first });
            }
        }
        Ok(())
    }

    /// Forecasts of one series at one date by one run whose actual is known.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Was a naive forecast stored with each of them? Where it was not, the model's stands in its place.
    pub fn has_naive(&self) -> bool {
        self.has_naive && !self.rows.is_empty()
    }

    /// What was added by whom.
    ///
    /// # Errors
    /// Those of [`value`].
    pub fn value(&self, options: &Options) -> Result<Value> {
        value(&self.rows, options)
    }

    /// What the changes of the past teach.
    ///
    /// # Errors
    /// Those of [`Rule::learn`].
    pub fn rule(&self) -> Result<Rule> {
        let past: Vec<Past> = self
            .rows
            .iter()
            .zip(&self.about)
            .filter(|(row, _)| row.planned != row.statistical)
            .map(|(row, about)| Past {
                made: Made {
                    planner: row.planner.clone(),
                    reason: about.reason.clone(),
                    class: row.class.clone(),
                    date: row.date,
                    age: about.age,
                    statistical: row.statistical,
                    planned: row.planned,
                    recent_bias: self.before(row.series, about.first),
                },
                actual: row.actual,
            })
            .collect();
        Rule::learn(&past, NaiveDateTime::MAX)
    }

    /// The class of a series; `new` where nothing is known of it.
    pub fn class(&self, key: &[String]) -> String {
        self.classes.of(self.series.get(key).copied().unwrap_or(-1), key)
    }

    /// The mean of actual − statistical forecast of a series over its last few dates before one, if there are any.
    pub fn recent_bias(&self, key: &[String], date: NaiveDateTime) -> Option<f64> {
        self.series.get(key).and_then(|series| self.before(*series, date))
    }

    fn before(&self, series: i64, date: NaiveDateTime) -> Option<f64> {
        let recent = self.errors.get(&series)?.range(..date).rev().take(RECENT).map(|(_, (_, error))| *error);
        let (count, sum) = recent.fold((0, 0.0), |(count, sum), error| (count + 1, sum + error));
        (count > 0).then(|| sum / f64::from(count))
    }
}

impl Classes {
    fn of(&self, series: i64, key: &[String]) -> String {
        match self.column.and_then(|column| key.get(column)) {
            Some(class) => class.clone(),
            None => self.sold.get(&series).copied().unwrap_or("new").to_string(),
        }
    }
}

/// The classes of series by what was sold.
fn sold(actuals: &BTreeMap<NaiveDateTime, HashMap<i64, f64>>) -> HashMap<i64, &'static str> {
    let mut sold: BTreeMap<i64, f64> = BTreeMap::new();
    for (series, value) in actuals.values().flatten() {
        *sold.entry(*series).or_default() += value.max(0.0);
    }
    let total: f64 = sold.values().sum();
    let mut largest: Vec<(i64, f64)> = sold.into_iter().collect();
    largest.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let mut before = 0.0;
    let mut classes = HashMap::new();
    for (series, value) in largest {
        // The one that crosses a limit is included, as usual.
        let class = CLASSES.iter().find(|(limit, _)| value > 0.0 && before < limit * total);
        classes.insert(series, class.map_or("C", |(_, name)| *name));
        before += value;
    }
    classes
}

/// The issues that planners had a part in, oldest first, each with those it is compared with.
fn rungs(issues: Vec<Issued>) -> Vec<Rungs> {
    let mut runs: BTreeMap<String, Vec<Issued>> = BTreeMap::new();
    let mut order = Vec::new();
    for issue in issues {
        let run = issue.issue.run.clone();
        if issue.issue.kind == Kind::Override {
            order.push((run.clone(), issue.issue.model.clone()));
        }
        runs.entry(run).or_default().push(issue);
    }
    let of = |(run, model): (String, String)| {
        let issues = runs.get(&run)?;
        let find = |kind: Kind| issues.iter().find(|one| one.issue.kind == kind && one.issue.model == model).cloned();
        Some(Rungs {
            naive: issues.iter().find(|one| one.issue.kind == Kind::Naive).cloned(),
            statistical: find(Kind::Statistical)?,
            planned: find(Kind::Override)?,
            released: find(Kind::Released),
        })
    };
    order.into_iter().filter_map(of).collect()
}

/// Who changed what.
struct Changed {
    /// By series and date, oldest first.
    at: HashMap<(i64, NaiveDateTime), Vec<Overridden>>,
    /// By series: whoever changed it most often.
    mostly: HashMap<i64, String>,
}

impl Changed {
    fn of(made: Vec<Overridden>, series: &HashMap<Vec<String>, i64>) -> Self {
        let mut at: HashMap<(i64, NaiveDateTime), Vec<Overridden>> = HashMap::new();
        let mut counts: HashMap<i64, BTreeMap<String, usize>> = HashMap::new();
        for one in made {
            let Some(series) = series.get(&one.key) else { continue };
            *counts.entry(*series).or_default().entry(one.author.clone()).or_default() += 1;
            at.entry((*series, one.at)).or_default().push(one);
        }
        let most = |authors: BTreeMap<String, usize>| {
            authors.into_iter().max_by(|a, b| a.1.cmp(&b.1).then(b.0.cmp(&a.0))).map(|(author, _)| author)
        };
        let mostly = counts.into_iter().filter_map(|(series, authors)| Some((series, most(authors)?))).collect();
        Self { at, mostly }
    }

    fn at(&self, series: i64, date: NaiveDateTime, issued: DateTime<Utc>) -> Option<&Overridden> {
        self.at.get(&(series, date))?.iter().rev().find(|one| one.made_at <= issued)
    }

    fn mostly(&self, series: i64) -> Option<&str> {
        self.mostly.get(&series).map(String::as_str)
    }
}
