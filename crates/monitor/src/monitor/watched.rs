//! The detectors of a track: calibrated once there are enough dates, told each date once, kept in the store.
//!
//! What is kept is the state after the newest date but one, with the dates that are in it. The newest is added to a copy on
//! every call, because its actuals may come in parts; it is final when the next begins. So the state is a function of the
//! scores at fixed moments, and whoever is interrupted begins where the store is.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDateTime;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::MonitorOptions;
use super::report::Watched;
use crate::alerts::{Alert, Level, Observation, Rule, Rules, What, by, number};
use crate::detect::{self, Alarm, Chart, Direction, Grouping, Settings, Watch};
use crate::error::{Error, Result};
use crate::store::{Store, Track, seconds, stamp};

/// The detector's name in the store.
const NAME: &str = "watch";
/// The newest date is looked at once it has this share of the series of the date before.
const ENOUGH: f64 = 0.5;
/// A series without an error for so many dates has no alarm that goes on.
const SILENT: u32 = 5;

/// What rules ask of the detectors of a track.
pub(super) struct Wish<'a> {
    /// The rules themselves.
    pub rules: Vec<&'a Rule>,
    settings: Settings,
    /// The key columns of each grouping.
    by: Vec<Vec<usize>>,
    reference: usize,
}

impl<'a> Wish<'a> {
    /// Nothing where no rule asks for detectors.
    pub fn of(rules: &'a Rules, options: &MonitorOptions, track: &Track) -> Result<Option<Self>> {
        let asks = |rule: &&Rule| rule.detects() && rule.is_for(&track.model, track.kind);
        let own: Vec<&Rule> = rules.rules.iter().filter(asks).collect();
        let Some(false_alarms) = own.iter().filter_map(|rule| rule.false_alarms).min_by(f64::total_cmp) else {
            return Ok(None);
        };
        let mut by = Vec::new();
        for rule in own.iter().filter(|rule| rule.level == Level::Group) {
            by.push(rules.columns(rule)?);
        }
        by.sort();
        by.dedup();
        let period = (rules.periods_a_quarter.round() as usize).max(1);
        let settings = Settings { false_alarms, period, shift: options.shift };
        Ok(Some(Self { rules: own, settings, by, reference: options.reference }))
    }
}

/// The detectors as the store keeps them.
#[derive(Serialize, Deserialize)]
struct Kept {
    settings: Settings,
    by: Vec<Vec<usize>>,
    reference: usize,
    /// Dates before this one do not count.
    from: i64,
    /// The dates of the reference, then those that the detectors were told.
    dates: Vec<i64>,
    /// The series by their places.
    series: Vec<i64>,
    /// The names of the groups of each grouping.
    groups: Vec<Vec<Vec<String>>>,
    watch: Option<Watch>,
}

impl Kept {
    fn new(wish: &Wish<'_>, from: i64) -> Self {
        Self {
            settings: wish.settings,
            by: wish.by.clone(),
            reference: wish.reference,
            from,
            dates: Vec::new(),
            series: Vec::new(),
            groups: Vec::new(),
            watch: None,
        }
    }

    /// The state in the store; a new one where there is none, or where rules or options ask for another since.
    fn load(store: &mut Store, track: &Track, wish: &Wish<'_>) -> Result<Self> {
        let Some(bytes) = store.state(NAME, track.id)? else { return Ok(Self::new(wish, i64::MIN)) };
        let kept: Self = unpacked(&bytes)?;
        let same = kept.settings == wish.settings && kept.by == wish.by && kept.reference == wish.reference;
        Ok(if same { kept } else { Self::new(wish, kept.from) })
    }

    fn save(&self, store: &mut Store, track: &Track) -> Result<()> {
        store.keep_states(NAME, &[(track.id, packed(self)?)])
    }

    /// What became of every series at a date, in the order of their places; how many are known.
    fn step(&self, store: &mut Store, track: i64, at: i64) -> Result<(Vec<detect::Observation>, usize)> {
        let first = store.first_steps(track, at)?;
        Ok((placed(&self.series, &first), first.len()))
    }

    /// Finds what is usual in some dates.
    fn calibrate(&mut self, store: &mut Store, track: i64, dates: &[i64]) -> Result<()> {
        let mut steps = Vec::with_capacity(dates.len());
        for at in dates {
            steps.push(store.first_steps(track, *at)?);
        }
        let mut series: Vec<i64> = steps.iter().flatten().map(|(series, _)| *series).collect();
        series.sort_unstable();
        series.dedup();
        // One date after another, so that they are not held twice.
        let reference: Vec<Vec<detect::Observation>> = steps.into_iter().map(|first| placed(&series, &first)).collect();
        let (groupings, groups) = groupings(store, &series, &self.by)?;
        self.watch = Some(Watch::new(&reference, groupings, self.settings)?);
        (self.series, self.groups, self.dates) = (series, groups, dates.to_vec());
        Ok(())
    }

    /// The date of a step of the watch; `newest` is the one that is not kept yet.
    fn date(&self, step: u64, newest: i64) -> NaiveDateTime {
        let place = usize::try_from(step).ok().and_then(|step| step.checked_add(self.reference));
        stamp(place.and_then(|place| self.dates.get(place)).copied().unwrap_or(newest))
    }
}

fn placed(series: &[i64], first: &[(i64, detect::Observation)]) -> Vec<detect::Observation> {
    let mut first = first.iter().peekable();
    let unknown = detect::Observation::point(f64::NAN, f64::NAN);
    let mut step = Vec::with_capacity(series.len());
    for own in series {
        while first.next_if(|(other, _)| other < own).is_some() {}
        step.push(first.next_if(|(other, _)| other == own).map_or(unknown, |(_, seen)| *seen));
    }
    step
}

type Names = Vec<Vec<Vec<String>>>;

/// The groups of series, and their names.
fn groupings(store: &mut Store, series: &[i64], by: &[Vec<usize>]) -> Result<(Vec<Grouping>, Names)> {
    let keys = keys(store)?;
    let (mut groupings, mut names) = (Vec::new(), Vec::new());
    for columns in by {
        let mut numbers: BTreeMap<Vec<String>, usize> = BTreeMap::new();
        let mut own = Vec::with_capacity(series.len());
        let mut groups = Vec::new();
        for one in series {
            let key = keys.get(one).map(Vec::as_slice).unwrap_or_default();
            let group: Option<Vec<String>> = columns.iter().map(|column| key.get(*column).cloned()).collect();
            let group = group.ok_or_else(|| {
                Error::usage(format!(
                    "series {} has fewer key columns than `keys` names; give forecasts the keys that the rules name",
                    key.join(" / ")
                ))
            })?;
            let next = numbers.len();
            let number = *numbers.entry(group.clone()).or_insert(next);
            if number == next {
                groups.push(group);
            }
            own.push(number);
        }
        let name = columns.iter().map(usize::to_string).collect::<Vec<String>>().join("-");
        groupings.push(Grouping::new(name, &own));
        names.push(groups);
    }
    Ok((groupings, names))
}

fn keys(store: &mut Store) -> Result<HashMap<i64, Vec<String>>> {
    let mut keys = HashMap::new();
    store.series(|series, key| {
        keys.insert(series, key);
        Ok(())
    })?;
    Ok(keys)
}

/// What the detectors of a track have found.
#[derive(Default)]
pub(super) struct Found {
    pub seen: Vec<Observation>,
    pub notes: Vec<String>,
    /// Series that are watched.
    pub series: usize,
}

/// Brings the detectors of a track up to date, and says for the rules what goes on and what is over.
pub(super) fn watch(
    store: &mut Store,
    rules: &Rules,
    options: &MonitorOptions,
    track: &Track,
    wish: &Wish<'_>,
) -> Result<Found> {
    let mut found = Found::default();
    let name = by(&track.model, Some(track.kind));
    let mut kept = Kept::load(store, track, wish)?;
    let mut dates = store.scored_dates(track.id)?;
    dates.retain(|at| *at >= kept.from);
    let Some(newest) = dates.pop() else {
        over(store, track, wish, &mut found)?;
        return Ok(found);
    };
    let mut changed = false;
    if kept.watch.is_none() {
        if let Some(reference) = dates.get(..kept.reference) {
            kept.calibrate(store, track.id, reference)?;
            changed = true;
        } else {
            let missing = kept.reference - dates.len();
            found.notes.push(format!(
                "{missing} more date{} with actuals until the detectors of {name} begin; rules with limits are judged meanwhile",
                if missing == 1 { "" } else { "s" }
            ));
        }
    }
    let Some(mut watch) = kept.watch.take() else {
        over(store, track, wish, &mut found)?;
        return Ok(found);
    };
    let last = kept.dates.last().copied().unwrap_or(i64::MIN);
    let mut before = None;
    for at in dates.iter().copied().filter(|at| *at > last) {
        let (step, known) = kept.step(store, track.id, at)?;
        watch.update(&step)?;
        kept.dates.push(at);
        (before, changed) = (Some(known), true);
    }
    kept.watch = Some(watch);
    if changed {
        kept.save(store, track)?;
    }
    // From here on the newest date is in it, and it is not kept.
    let Some(mut watch) = kept.watch.take() else { return Ok(found) };
    found.series = kept.series.len() - watch.unwatched().len();
    let before = match (before, dates.last()) {
        (Some(known), _) => known,
        (None, Some(at)) => store.scored_series(track.id, *at)?,
        (None, None) => 0,
    };
    // A correction of an old date alone leaves the newest where it is in the state already.
    if kept.dates.last().is_some_and(|last| *last < newest) {
        let (step, known) = kept.step(store, track.id, newest)?;
        if known as f64 >= ENOUGH * before as f64 {
            watch.update(&step)?;
        } else {
            found.notes.push(format!(
                "the detectors of {name} wait for more actuals of {}: {known} series have one, and {before} of the date before",
                stamp(newest)
            ));
        }
        let new = known.saturating_sub(step.iter().filter(|seen| !seen.actual.is_nan()).count());
        if new > 0 {
            found.notes.push(format!(
                "{new} series of {name} are newer than the reference of the detectors and not watched by them; recalibrate"
            ));
        }
    }
    let silent = watch.silent(SILENT);
    let mut open = watch.open();
    open.retain(|alarm| !matches!(alarm.level, detect::Level::Series(place) if silent.binary_search(&place).is_ok()));
    let keys = if open.is_empty() { HashMap::new() } else { keys(store)? };
    let mut costs = Costs { options, track: track.id, keys, columns: &kept.by, known: BTreeMap::new() };
    let mut untold = 0;
    for alarm in &open {
        let (level, place, key) = match alarm.level {
            detect::Level::Portfolio => (Level::Portfolio, None, Vec::new()),
            detect::Level::Group(grouping, group) => {
                let name = kept.groups.get(grouping).and_then(|groups| groups.get(group));
                (Level::Group, Some(grouping), name.cloned().unwrap_or_default())
            }
            detect::Level::Series(place) => {
                let key = kept.series.get(place).and_then(|series| costs.keys.get(series));
                (Level::Series, None, key.cloned().unwrap_or_default())
            }
        };
        let columns = place.and_then(|place| kept.by.get(place));
        let told = telling(rules, wish, alarm.chart, level, columns)?;
        untold += usize::from(told.is_empty());
        for rule in told {
            let since = kept.date(alarm.since, newest);
            let raised = kept.date(alarm.raised, newest);
            found.seen.push(Observation {
                rule: Some(rule.name.clone()),
                what: rule.what,
                level,
                key: key.clone(),
                model: track.model.clone(),
                kind: Some(track.kind),
                at: stamp(newest),
                since: Some(since),
                value: alarm.size,
                odds: Some(0.0),
                money: costs.of(store, rule, place, &key)?,
                detail: words(alarm, level, &key, &name, since, raised),
            });
        }
    }
    if untold > 0 {
        found.notes.push(format!(
            "the detectors of {name} found {untold} changes at levels that no rule with `false_alarms` is about; add one"
        ));
    }
    over(store, track, wish, &mut found)?;
    Ok(found)
}

/// The rules that are told of an alarm: those on what its chart watches, or else those on errors.
fn telling<'a>(
    rules: &Rules,
    wish: &Wish<'a>,
    chart: Chart,
    level: Level,
    columns: Option<&Vec<usize>>,
) -> Result<Vec<&'a Rule>> {
    let mut of_level = Vec::new();
    for rule in wish.rules.iter().filter(|rule| rule.level == level) {
        if columns.is_none() || columns == Some(&rules.columns(rule)?) {
            of_level.push(*rule);
        }
    }
    let what = match chart {
        Chart::Shift | Chart::Cusum | Chart::PageHinkley => What::Error,
        Chart::Coverage => What::Coverage,
        Chart::Bias => What::Bias,
    };
    let on = |what: What| of_level.iter().copied().filter(|rule| rule.what == what).collect::<Vec<&Rule>>();
    let own = on(what);
    Ok(if own.is_empty() { on(What::Error) } else { own })
}

/// What the detectors had alarmed about and do no more is over.
fn over(store: &mut Store, track: &Track, wish: &Wish<'_>, found: &mut Found) -> Result<()> {
    let name = by(&track.model, Some(track.kind));
    let goes_on = |alert: &Alert| {
        found
            .seen
            .iter()
            .any(|seen| seen.rule.as_ref() == Some(&alert.rule) && seen.level == alert.level && seen.key == alert.key)
    };
    let mut ended = store.alerts_now()?;
    ended.retain(|alert| {
        alert.model == name && wish.rules.iter().any(|rule| rule.name == alert.rule) && !goes_on(alert)
    });
    ended.sort_by(|a, b| a.fingerprint.cmp(&b.fingerprint));
    found.seen.extend(ended.into_iter().map(|alert| Observation {
        rule: Some(alert.rule),
        what: alert.what,
        level: alert.level,
        key: alert.key,
        model: track.model.clone(),
        kind: Some(track.kind),
        at: track.newest.unwrap_or_default(),
        since: None,
        value: alert.size,
        odds: Some(1.0),
        money: alert.money,
        detail: String::new(),
    }));
    Ok(())
}

/// What the errors of series, groups and the portfolio cost, over the windows and at the steps of rules.
struct Costs<'a> {
    options: &'a MonitorOptions,
    track: i64,
    keys: HashMap<i64, Vec<String>>,
    /// The key columns of each grouping.
    columns: &'a [Vec<usize>],
    /// By window, step, level and grouping.
    known: BTreeMap<(usize, usize, u8, usize), ByKey>,
}

type ByKey = HashMap<Vec<String>, f64>;

impl Costs<'_> {
    fn of(&mut self, store: &mut Store, rule: &Rule, grouping: Option<usize>, key: &[String]) -> Result<f64> {
        let step = rule.step.unwrap_or(1);
        let place = (rule.window, step, rule.level as u8, grouping.unwrap_or_default());
        if let Some(known) = self.known.get(&place) {
            return Ok(known.get(key).copied().unwrap_or_default());
        }
        let columns = grouping.and_then(|grouping| self.columns.get(grouping));
        let mut costs = ByKey::new();
        store.by_series(self.track, rule.window, |series, steps| {
            let (Some(sums), Some(own)) = (steps.get(step - 1), self.keys.get(&series)) else { return Ok(()) };
            let unit = (self.options.costs)(own);
            let name = match (rule.level, columns) {
                (Level::Series, _) => own.clone(),
                (Level::Group, Some(columns)) => {
                    columns.iter().filter_map(|column| own.get(*column).cloned()).collect()
                }
                _ => Vec::new(),
            };
            *costs.entry(name).or_default() += sums.money(unit.over, unit.under);
            Ok(())
        })?;
        let cost = costs.get(key).copied().unwrap_or_default();
        self.known.insert(place, costs);
        Ok(cost)
    }
}

/// What a detector found, for a reader.
fn words(
    alarm: &Alarm,
    level: Level,
    key: &[String],
    name: &str,
    since: NaiveDateTime,
    raised: NaiveDateTime,
) -> String {
    let whose = if level == Level::Portfolio { "all series".to_string() } else { key.join(" / ") };
    let day = |at: NaiveDateTime| {
        let format = if at.time() == chrono::NaiveTime::MIN { "%Y-%m-%d" } else { "%Y-%m-%d %H:%M" };
        at.format(format).to_string()
    };
    let (since, raised, size) = (day(since), day(raised), number(alarm.size.abs()));
    match (alarm.chart, alarm.direction) {
        (Chart::PageHinkley, _) => {
            format!(
                "Errors of {whose} by {name} are larger since {since}: by {size} % when that was noticed on {raised}"
            )
        }
        (Chart::Coverage, _) => format!(
            "Intervals of {whose} by {name} are missed more often since {since}: by {size} points when that was noticed on \
             {raised}"
        ),
        (_, direction) => {
            let side = if direction == Direction::Up { "above" } else { "below" };
            format!(
                "Sales of {whose} are {side} the forecasts by {name} since {since}: by {size} % when that was noticed on {raised}"
            )
        }
    }
}

/// Has the detectors of a track find anew what is usual.
pub(super) fn recalibrate(store: &mut Store, track: &Track, wish: Wish<'_>, from: Option<NaiveDateTime>) -> Result<()> {
    let from = match from {
        Some(from) => seconds(from),
        None => {
            let dates = store.scored_dates(track.id)?;
            // The newest is not a part of it.
            dates.get(dates.len().saturating_sub(wish.reference + 1)).copied().unwrap_or(i64::MIN)
        }
    };
    Kept::new(&wish, from).save(store, track)
}

/// The state of the detectors of a track, for a table.
pub(super) fn state(store: &mut Store, track: &Track, wish: &Wish<'_>) -> Result<Watched> {
    let kept = Kept::load(store, track, wish)?;
    let counted = store.scored_dates(track.id)?.iter().filter(|at| **at >= kept.from).count();
    let ends = kept.dates.first().zip(kept.dates.get(kept.reference.saturating_sub(1)));
    Ok(Watched {
        model: track.model.clone(),
        kind: track.kind,
        dates_missing: if kept.watch.is_some() { 0 } else { (kept.reference + 1).saturating_sub(counted) },
        reference: ends.map(|(first, last)| (stamp(*first), stamp(*last))),
        series: kept.watch.as_ref().map_or(0, |watch| kept.series.len() - watch.unwatched().len()),
    })
}

/// A state in bytes, and back.
pub(super) fn packed(state: &impl Serialize) -> Result<Vec<u8>> {
    postcard::to_allocvec(state)
        .map_err(|cause| Error::data("the state of a detector cannot be written").because(cause))
}

/// See [`packed`].
pub(super) fn unpacked<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    postcard::from_bytes(bytes).map_err(|cause| {
        Error::data("the state of a detector in the store cannot be read; restore the store from a backup")
            .because(cause)
    })
}
