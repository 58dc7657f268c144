//! Planners' overrides of forecasts of panels, by the crate `tradewind-monitor`.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, NaiveDateTime, Utc};
use polars::prelude::{Column, DataFrame};
use tradewind_monitor::monitor::History;
use tradewind_monitor::overrides as rules;
use tradewind_monitor::overrides::{Applied, Cells, Doubt, How, Made, Rule, Sign};
use tradewind_monitor::store::{Kind, Stated};

use super::enabled::{Dates, Monitor, issued};
use super::keys;
use super::planners::{Change, Doubts, Overridden, Override, Planned};
use crate::error::{Error, Result};
use crate::forecast::{Forecast, Move, Moves};
use crate::show::Table;
use crate::show::words::counted;

impl Override {
    /// As the crate takes it, made at a moment.
    fn made(&self, now: DateTime<Utc>) -> Result<rules::Override> {
        let wrong = |what: &str| Error::usage(format!("the override by {}: {what}", self.author));
        let (from, to) = self.dates.ok_or_else(|| wrong("state the dates that it changes: between(from, to)"))?;
        let how = match self.change.ok_or_else(|| wrong("state what it changes: set, add or percent"))? {
            Change::Set(units) => How::Set(units),
            Change::Add(units) => How::Add(units),
            Change::Percent(percent) => How::Percent(percent),
        };
        let id = self.id.clone().unwrap_or_else(|| {
            let hash = blake3::hash(format!("{now} {}", self.sentence()).as_bytes()).to_hex();
            hash.chars().take(8).collect()
        });
        let made = rules::Override {
            id,
            author: self.author.clone(),
            reason: self.reason.clone(),
            made_at: now,
            expires: self.expires,
            selection: self.selection.clone(),
            from,
            to,
            how,
        };
        made.check()?;
        Ok(made)
    }
}

impl From<rules::Override> for Override {
    fn from(made: rules::Override) -> Self {
        let change = match made.how {
            How::Set(units) => Change::Set(units),
            How::Add(units) => Change::Add(units),
            How::Percent(percent) => Change::Percent(percent),
        };
        Self {
            id: Some(made.id),
            author: made.author,
            reason: made.reason,
            selection: made.selection,
            dates: Some((made.from, made.to)),
            change: Some(change),
            expires: made.expires,
        }
    }
}

impl Forecast {
    /// The forecast of one model with overrides, as of now.
    ///
    /// Each override gives the total of what it selects to the series by their shares of the forecast, so that every other sum
    /// follows; one that selects fewer series wins over one that selects more, the later over the earlier. Quantiles and
    /// sample paths are scaled with the mean. What has expired, contradicts finer ones or selects nothing is told in
    /// [`table`](Overridden::table).
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales");
    /// let forecast = Panel::read("data/walmart_sales_weekly.csv", columns)?.fit(["theta"])?.forecast(8)?;
    /// let change = Override::new("ann", "promotion").only("Dept", "1").between("2012-11-02", "2012-11-09")?.percent(20.0);
    /// let planned = forecast.overridden("theta", [change])?;
    /// let (before, after) = (forecast.mean("theta", "Store=1, Dept=1")?, planned.forecast().mean("theta", "Store=1, Dept=1")?);
    /// assert!((after[0] / before[0] - 1.2).abs() < 1e-9 && after[2] == before[2]);
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// When there is no such model, an override is not stated as it must be, or the steps of the forecast are no dates.
    pub fn overridden(&self, model: &str, overrides: impl IntoIterator<Item = Override>) -> Result<Overridden> {
        let now = Utc::now();
        let made: Vec<_> = overrides.into_iter().map(|one| one.made(now)).collect::<Result<_>>()?;
        // Of those given at once, the later ones count as made later.
        let earlier = |place: usize| now - chrono::TimeDelta::microseconds((made.len() - place) as i64);
        let made: Vec<_> =
            made.iter().enumerate().map(|(i, one)| rules::Override { made_at: earlier(i), ..one.clone() }).collect();
        Ok(Grid::of(self, model)?.planned(&made, now, Doubts::Told, None)?.0)
    }
}

/// The values of a forecast by one model, as a table of series and dates.
struct Grid<'a> {
    forecast: &'a Forecast,
    model: usize,
    columns: Vec<String>,
    /// Of the series that have a forecast.
    keys: Vec<Vec<String>>,
    places: Vec<usize>,
    dates: Vec<NaiveDateTime>,
    mean: Vec<f64>,
    /// The position of the first date.
    first: i64,
}

impl<'a> Grid<'a> {
    fn of(forecast: &'a Forecast, model: &str) -> Result<Self> {
        let model = forecast.place(model)?;
        let panel = forecast.panel();
        let places: Vec<usize> = (0..forecast.len()).filter(|i| forecast.cell(model, *i).is_some()).collect();
        let (first, dates) = Dates::of(&panel)?.span(forecast, &places)?;
        let width = dates.len();
        // A series that begins later has no sales at the dates before: nothing is given to it there.
        let mut mean = vec![0.0; places.len() * width];
        for (row, i) in mean.chunks_mut(width).zip(&places) {
            let before = usize::try_from(forecast.start(*i) - first).unwrap_or_default();
            let values = forecast.cell(model, *i).map_or(&[][..], |cell| cell.mean());
            row.iter_mut().skip(before).zip(values).for_each(|(to, value)| *to = *value);
        }
        let all = keys(&panel)?;
        let keys = places.iter().filter_map(|i| all.get(*i).cloned()).collect();
        Ok(Self { forecast, model, columns: panel.columns().keys(), keys, places, dates, mean, first })
    }

    fn cells(&self) -> Cells<'_> {
        Cells { columns: &self.columns, keys: &self.keys, dates: &self.dates, mean: &self.mean }
    }

    /// The forecast with values changed to others.
    fn moved(&self, changes: impl Iterator<Item = rules::Change>, remark: Option<String>) -> Forecast {
        let mut moves: Moves = vec![None; self.forecast.len()];
        for change in changes {
            let Some(place) = self.places.get(change.series) else { continue };
            let step = self.first + change.date as i64 - self.forecast.start(*place);
            let steps = moves[*place].get_or_insert_with(|| vec![Move::NONE; self.forecast.horizon()]);
            if let Some(step) = usize::try_from(step).ok().and_then(|step| steps.get_mut(step)) {
                *step = match change.movement() {
                    rules::Move::Scale(factor) => Move { factor, shift: 0.0 },
                    rules::Move::Shift(shift) => Move { factor: 1.0, shift },
                };
            }
        }
        self.forecast.moved(self.model, moves, remark)
    }

    /// The forecast with overrides, and the changes that they made.
    fn planned(
        &self,
        made: &[rules::Override],
        now: DateTime<Utc>,
        doubts: Doubts,
        history: Option<&History>,
    ) -> Result<(Overridden, Applied)> {
        let sign = if self.mean.iter().any(|mean| *mean < 0.0) { Sign::Any } else { Sign::NotNegative };
        let applied = rules::apply(&self.cells(), made, now, sign)?;
        let judged = match history {
            Some(history) => self.judged(&applied, made, history)?,
            None => Vec::new(),
        };
        let has_past = history.is_some_and(|history| history.rows().iter().any(|row| row.planned != row.statistical));
        let changes = &applied.changes;
        let remark = |what: &str| {
            let values = counted(changes.len(), "value was", "values were");
            (!changes.is_empty()).then(|| format!("{values} changed by planners{what}."))
        };
        let planned = self.moved(changes.iter().copied(), remark(""));
        let released = match doubts {
            Doubts::Told => planned.clone(),
            Doubts::Heeded => {
                let damped = changes.iter().zip(&judged);
                let damped = damped.map(|(change, doubt)| rules::Change { after: doubt.released, ..*change });
                self.moved(damped, remark(", as far as their past speaks for it"))
            }
        };
        let acted = applied.outcomes.iter().filter(|outcome| outcome.cells > 0).count();
        let without = applied.outcomes.len() - acted;
        let mut sentence = format!(
            "{} changed by {}.",
            counted(changes.len(), "value", "values"),
            counted(acted, "override", "overrides")
        );
        if without > 0 {
            sentence.push_str(&format!(" {} had no effect.", counted(without, "override", "overrides")));
        }
        let none = self.forecast.moved(self.model, vec![None; self.forecast.len()], None);
        let overridden = Planned {
            statistical: none,
            planned,
            released,
            sentence,
            outcomes: outcomes(made, &applied)?,
            doubts: doubts_table(made, changes, &judged, has_past)?,
        };
        Ok((Overridden(Arc::new(overridden)), applied))
    }

    /// What the past says of each change.
    fn judged(&self, applied: &Applied, made: &[rules::Override], history: &History) -> Result<Vec<Doubt>> {
        let rule: Rule = history.rule()?;
        let Some(first) = self.dates.first() else { return Ok(Vec::new()) };
        let of = |change: &rules::Change| -> Result<Doubt> {
            let (by, key) = (&made[change.by], &self.keys[change.series]);
            Ok(rule.judge(&Made {
                planner: by.author.clone(),
                reason: by.reason.clone(),
                class: history.class(key),
                date: self.dates[change.date],
                age: u32::try_from(change.date + 1).unwrap_or(u32::MAX),
                statistical: change.before,
                planned: change.after,
                recent_bias: history.recent_bias(key, *first),
            })?)
        };
        applied.changes.iter().map(of).collect()
    }
}

impl Monitor {
    /// Keeps an override, for every forecast that is [released](Self::release) until it expires or is
    /// [withdrawn](Self::withdraw); its id.
    ///
    /// # Errors
    /// When it is not stated as it must be or has expired already, another one has its id, or the store cannot be written.
    pub fn keep(&self, change: &Override) -> Result<String> {
        let now = Utc::now();
        let made = change.made(now)?;
        if let Some(day) = made.expires.filter(|day| *day < now.date_naive()) {
            return Err(Error::usage(format!(
                "the override by {} has expired on {day} and would never be heeded; state a day to come",
                made.author
            )));
        }
        self.held().store().state_override(&made)?;
        Ok(made.id)
    }

    /// From now on an override is not heeded any more.
    ///
    /// # Errors
    /// When there is none of this id that is heeded, or the store cannot be written.
    pub fn withdraw(&self, id: &str) -> Result<()> {
        Ok(self.held().store().withdraw_override(id, Utc::now())?)
    }

    /// The overrides that were kept, and when those were withdrawn that were.
    ///
    /// # Errors
    /// When the store cannot be read.
    #[cfg_attr(not(feature = "serve"), expect(dead_code, reason = "elsewhere they are a table"))]
    pub(crate) fn kept(&self) -> Result<Vec<Stated>> {
        Ok(self.held().store().stated_overrides()?)
    }

    /// The overrides that were kept, whether they are still heeded, and what each says.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn overrides(&self) -> Result<Table> {
        let stated = self.held().store().stated_overrides()?;
        let today = Utc::now().date_naive();
        let state = |one: &Stated| match (one.withdrawn_at, one.change.expires) {
            (Some(at), _) => format!("withdrawn {}", at.format("%Y-%m-%d")),
            (None, Some(day)) if day < today => "expired".to_string(),
            _ => "heeded".to_string(),
        };
        let text = |of: &dyn Fn(&Stated) -> String| stated.iter().map(of).collect::<Vec<_>>();
        let columns = vec![
            Column::new("id".into(), text(&|one| one.change.id.clone())),
            Column::new("made".into(), text(&|one| one.change.made_at.format("%Y-%m-%d").to_string())),
            Column::new("state".into(), text(&state)),
            Column::new("override".into(), text(&|one| Override::from(one.change.clone()).sentence())),
        ];
        Ok(Table::new(DataFrame::new(stated.len(), columns)?).titled("Overrides"))
    }

    /// Applies the overrides that are heeded now to the forecast of one model, and keeps under the name of a run all four of
    /// it: the naive forecast (a model of the forecast, or the seasonal naive one of its history), the model's, the planners',
    /// and what is released. The past of the planners tells which changes to doubt; with [`Doubts::Heeded`] only as much of
    /// those is released as it speaks for.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let home = tempfile::tempdir().unwrap();
    /// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales");
    /// let sales = Panel::read("data/walmart_sales_weekly.csv", columns)?;
    /// let monitor = Monitor::open(&home.path().join("monitor.db").to_string_lossy(), None)?;
    /// let change = Override::new("ann", "promotion").only("Dept", "1").between("2012-09-07", "2012-09-14")?.add(5000.0);
    /// monitor.keep(&change)?;
    /// let forecast = sales.before("2012-09-01")?.fit(["theta"])?.forecast(8)?;
    /// let released = monitor.release(&forecast, "theta", "september", Doubts::Told)?;
    /// assert_eq!(released.sentence(), "2 values changed by 1 override.");
    /// monitor.receive(&sales)?;
    /// assert_eq!(monitor.value_added()?.ladder().rows(), 4);
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// When there is no such model, the steps of the forecast are no dates, the run has released another forecast before, or the
    /// store cannot be written.
    pub fn release(&self, forecast: &Forecast, model: &str, run: &str, doubts: Doubts) -> Result<Overridden> {
        let now = Utc::now();
        let grid = Grid::of(forecast, model)?;
        // Held to the end: what is judged is what is released.
        let mut held = self.held();
        let history = held.history()?;
        let stated = held.store().stated_overrides()?;
        let made: Vec<rules::Override> =
            stated.into_iter().filter(|one| one.withdrawn_at.is_none()).map(|one| one.change).collect();
        let (planned, applied) = grid.planned(&made, now, doubts, Some(&history))?;
        let naive = naive(forecast, grid.model);
        let issues = [
            (naive.as_ref(), Kind::Naive),
            (Some(&planned.0.statistical), Kind::Statistical),
            (Some(&planned.0.planned), Kind::Override),
            (Some(&planned.0.released), Kind::Released),
        ];
        let issues = issues
            .into_iter()
            .filter_map(|(forecast, kind)| forecast.map(|forecast| issued(forecast, 0, run, kind, now)))
            .collect::<Result<Vec<_>>>()?;
        let changed: Vec<_> = applied
            .changes
            .iter()
            .map(|change| tradewind_monitor::store::Overridden {
                key: grid.keys[change.series].clone(),
                at: grid.dates[change.date],
                made_at: made[change.by].made_at,
                author: made[change.by].author.clone(),
                before: change.before,
                after: change.after,
                reason: made[change.by].reason.clone(),
            })
            .collect();
        if !held.store().release(issues, &changed, now)? {
            return Err(Error::usage(format!(
                "{run} has released a forecast before; what was released is not changed afterwards: name another run"
            )));
        }
        Ok(planned)
    }
}

/// The naive forecast of the same series and dates: another model of the forecast, or the seasonal naive one of its history.
fn naive(forecast: &Forecast, model: usize) -> Option<Forecast> {
    let label = |label: &&String| label.starts_with("seasonal_naive") || label.starts_with("naive");
    let models = forecast.models();
    let beside = models.iter().enumerate().find(|(m, one)| *m != model && label(one)).map(|(m, _)| m);
    match beside {
        Some(m) => Some(forecast.moved(m, vec![None; forecast.len()], None)),
        // A forecast from a file has no history, and a short one no season.
        None => {
            forecast.panel().fit_for(["seasonal_naive"], forecast.horizon()).ok()?.forecast(forecast.horizon()).ok()
        }
    }
}

fn outcomes(made: &[rules::Override], applied: &Applied) -> Result<Table> {
    let rows: Vec<_> = made.iter().zip(&applied.outcomes).collect();
    let real = |of: &dyn Fn(&rules::Outcome) -> f64| rows.iter().map(|(_, outcome)| of(outcome)).collect::<Vec<_>>();
    let remarks =
        |outcome: &rules::Outcome| outcome.remarks.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    let columns = vec![
        Column::new("id".into(), rows.iter().map(|(made, _)| made.id.as_str()).collect::<Vec<_>>()),
        Column::new(
            "override".into(),
            rows.iter().map(|(made, _)| Override::from((*made).clone()).sentence()).collect::<Vec<_>>(),
        ),
        Column::new("dates".into(), rows.iter().map(|(_, outcome)| outcome.dates as u64).collect::<Vec<_>>()),
        Column::new("before".into(), real(&|outcome| outcome.before)),
        Column::new("wanted".into(), real(&|outcome| outcome.wanted)),
        Column::new("after".into(), real(&|outcome| outcome.after)),
        Column::new("remarks".into(), rows.iter().map(|(_, outcome)| remarks(outcome)).collect::<Vec<_>>()),
    ];
    Ok(Table::new(DataFrame::new(rows.len(), columns)?))
}

/// By override: what is expected of its changes together.
fn doubts_table(
    made: &[rules::Override],
    changes: &[rules::Change],
    judged: &[Doubt],
    has_past: bool,
) -> Result<Table> {
    let mut by: BTreeMap<usize, Vec<(&rules::Change, &Doubt)>> = BTreeMap::new();
    for (change, doubt) in changes.iter().zip(judged) {
        by.entry(change.by).or_default().push((change, doubt));
    }
    let size = |of: &[(&rules::Change, &Doubt)]| of.iter().map(|(one, _)| (one.after - one.before).abs()).sum::<f64>();
    let mean = |of: &[(&rules::Change, &Doubt)], value: &dyn Fn(&Doubt) -> f64| {
        let sum: f64 = of.iter().map(|(one, doubt)| (one.after - one.before).abs() * value(doubt)).sum();
        sum / size(of)
    };
    // The one that speaks loudest.
    let why = |of: &[(&rules::Change, &Doubt)]| {
        let worst = of.iter().min_by(|a, b| a.1.expected_gain.total_cmp(&b.1.expected_gain));
        worst.map_or_else(String::new, |(_, doubt)| doubt.sentence.clone())
    };
    let rows: Vec<_> = by.into_values().collect();
    let of = |place: usize| &made[place];
    let author = |of_rows: &Vec<(&rules::Change, &Doubt)>| of_rows.first().map_or(0, |(change, _)| change.by);
    let columns = vec![
        Column::new("id".into(), rows.iter().map(|row| of(author(row)).id.as_str()).collect::<Vec<_>>()),
        Column::new("author".into(), rows.iter().map(|row| of(author(row)).author.as_str()).collect::<Vec<_>>()),
        Column::new("values".into(), rows.iter().map(|row| row.len() as u64).collect::<Vec<_>>()),
        Column::new(
            "expected gain".into(),
            rows.iter().map(|row| row.iter().map(|(_, doubt)| doubt.expected_gain).sum::<f64>()).collect::<Vec<_>>(),
        ),
        Column::new(
            "harm".into(),
            rows.iter().map(|row| has_past.then(|| mean(row, &|doubt| doubt.probability_of_harm))).collect::<Vec<_>>(),
        ),
        Column::new("heed".into(), rows.iter().map(|row| mean(row, &|doubt| doubt.factor)).collect::<Vec<_>>()),
        Column::new("why".into(), rows.iter().map(|row| why(row)).collect::<Vec<_>>()),
    ];
    Ok(Table::new(DataFrame::new(rows.len(), columns)?))
}
