//! Which other events are known? Own events, school holidays and promotions from a file of intervals.
//!
//! The file has a row per event: `name`, `start`, and optionally `end` (inclusive; by default the same day) and columns
//! named like a key, or a declared column with one value per series (`Store`, `State`): such a row applies to the
//! series with that value only, one with an empty cell to all. Each name becomes a column with the number of days of
//! the period that the event covers; with `name`, there is a single column for all events. Days without an event count
//! as such in the future, too, so the file has to cover the horizon.

use std::path::PathBuf;

use chrono::NaiveDate;
use polars::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::holidays::check_reach;
use super::places::{plain, series_texts};
use super::{Data, Derive, Derived, Kind, Places, slug};
use crate::error::{Error, Result, suggestion};
use crate::panel::Panel;
use crate::panel::calendar::day_of;
use crate::panel::join::Sheet;

/// Options of `events`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Events {
    /// CSV or Parquet file with the columns name, start and perhaps end and keys.
    file: PathBuf,
    /// One column of this name for all events, instead of one per event.
    name: Option<String>,
    /// Also mark this many days before, in a column of its own.
    before: usize,
    /// Also mark this many days after, in a column of its own.
    after: usize,
}

/// Something that happens from one day to another, for all series or for some.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Event {
    name: String,
    start: NaiveDate,
    end: NaiveDate,
    /// Columns and the values that they must have.
    keys: Vec<(String, String)>,
}

impl Derive for Events {
    const NAME: &str = "events";
    const SUMMARY: &str = "Own events, school holidays and promotions as intervals from a file";
    const EXAMPLE: &str = "events(file=\"data/events.csv\", before=7)";
    const ALSO: &str = "event";
    const SIMILAR: &[(&str, &str)] = &[(
        "promo, promotion, promotions, campaign, campaigns, school holidays, vacations",
        "intervals from a file: events(file=…); a column of the data needs no feature, only a role",
    )];

    fn check(&self) -> Result<()> {
        check_reach(self.before, self.after)?;
        if self.file.as_os_str().is_empty() {
            Err(Error::usage("events needs a file: events(file=\"events.csv\")"))
        } else {
            Ok(())
        }
    }

    fn gather(&self, panel: &Panel) -> Result<Data> {
        let columns = panel.columns();
        let keys: Vec<&str> = columns
            .keys
            .iter()
            .map(String::as_str)
            .chain(columns.covariates.iter().map(|(name, _)| name.as_str()))
            .collect();
        let typed: Vec<&str> = ["name", "start", "end"].into_iter().chain(keys.iter().copied()).collect();
        let sheet = Sheet::read(&self.file, &typed, panel.inner().origin.decimal)?;
        let (frame, source) = (sheet.frame(), sheet.source());
        let present: Vec<&str> = frame.get_column_names().into_iter().map(PlSmallStr::as_str).collect();
        if let Some(odd) = present.iter().find(|name| !["name", "start", "end"].contains(name) && !keys.contains(name))
        {
            let nearest = suggestion(odd, ["name", "start", "end"].into_iter().chain(keys.iter().copied()));
            return Err(Error::data(format!(
                "column `{odd}` of {source} is neither name, start nor end, nor a key or covariate of the panel{nearest}"
            )));
        }
        for needed in ["name", "start"] {
            if !present.contains(&needed) {
                return Err(Error::data(format!(
                    "{source} has no column `{needed}`; events have name, start and perhaps end"
                )));
            }
        }
        let text = |name: &str| -> Result<Vec<Option<String>>> {
            let column = frame.column(name)?.cast(&DataType::String)?;
            Ok(column.str()?.iter().map(|cell| cell.map(plain).filter(|cell| !cell.is_empty())).collect())
        };
        let days = |name: &str| -> Result<Vec<Option<NaiveDate>>> {
            let stamps = sheet.stamps(name, None)?;
            Ok(stamps.into_iter().map(|stamp| stamp.and_then(day_of)).collect())
        };
        let (names, starts) = (text("name")?, days("start")?);
        let ends = if present.contains(&"end") { days("end")? } else { vec![None; starts.len()] };
        let keyed: Vec<(&str, Vec<Option<String>>)> = present
            .iter()
            .filter(|name| keys.contains(*name))
            .map(|name| Ok((*name, text(name)?)))
            .collect::<Result<_>>()?;
        for (name, _) in &keyed {
            series_texts(panel, name)?;
        }
        let mut events = Vec::with_capacity(names.len());
        for (row, name) in names.into_iter().enumerate() {
            let place = sheet.row_text(row);
            let name = name.ok_or_else(|| Error::data(format!("{source}, {place}, has no name")))?;
            let start = starts[row].ok_or_else(|| Error::data(format!("{source}, {place}, has no start")))?;
            let end = ends[row].unwrap_or(start);
            if end < start {
                return Err(Error::data(format!(
                    "{source}, {place}: {name} ends on {end}, before it starts on {start}"
                )));
            }
            let keys =
                keyed.iter().filter_map(|(key, cells)| Some(((*key).to_string(), cells[row].clone()?))).collect();
            events.push(Event { name, start, end, keys });
        }
        Ok(Data::Events(events))
    }

    fn columns(&self, places: &Places, data: &Data) -> Result<Vec<Derived>> {
        places.dated(366.0, "an event")?;
        let Data::Events(events) = data else { return Ok(Vec::new()) };
        let column = |event: &Event| self.name.clone().unwrap_or_else(|| slug(&event.name));
        let mut names: Vec<String> = events.iter().map(column).collect();
        names.sort_unstable();
        names.dedup();
        let (groups, rules) = groups(places.panel, events)?;
        let ends: Vec<(&str, i64, i64)> =
            [("", 0, 0), ("_before", self.before as i64, -1), ("_after", -1, self.after as i64)]
                .into_iter()
                .filter(|(end, before, after)| end.is_empty() || *before > 0 || *after > 0)
                .collect();
        // Of each group and column, the intervals that count, and the event itself for its neighbours.
        let of = |group: usize, name: &str| -> Vec<(NaiveDate, NaiveDate)> {
            let mine = events.iter().zip(&rules[group]).filter(|(event, mine)| **mine && column(event) == name);
            mine.map(|(event, _)| (event.start, event.end)).collect()
        };
        let intervals: Vec<Vec<Vec<(NaiveDate, NaiveDate)>>> =
            (0..rules.len()).map(|group| names.iter().map(|name| of(group, name)).collect()).collect();
        let values = places.by_period(&groups, names.len() * ends.len(), |group, period, row| {
            for (n, intervals) in intervals[group].iter().enumerate() {
                let near: Vec<(NaiveDate, NaiveDate)> = intervals
                    .iter()
                    .filter(|(start, end)| {
                        (*start - period.last).num_days() <= self.before as i64
                            && (period.first - *end).num_days() <= self.after as i64
                    })
                    .copied()
                    .collect();
                if near.is_empty() {
                    continue;
                }
                for day in period.days() {
                    let on = near.iter().any(|(start, end)| (*start..=*end).contains(&day));
                    for (e, (_, before, after)) in ends.iter().enumerate() {
                        let hit = match e {
                            0 => on,
                            _ => {
                                !on && near.iter().any(|(start, end)| {
                                    (1..=*before).contains(&(*start - day).num_days())
                                        || (1..=*after).contains(&(day - *end).num_days())
                                })
                            }
                        };
                        row[n * ends.len() + e] += f64::from(u8::from(hit));
                    }
                }
            }
            Ok(())
        })?;
        if places.wanted().is_none() {
            let never = |c: &usize| values[c * ends.len()].iter().all(|days| *days == 0.0);
            let unseen: Vec<String> = (0..names.len()).filter(never).map(|c| format!("`{}`", names[c])).collect();
            if !unseen.is_empty() {
                crate::progress::say_once(&format!(
                    "{}: {} never {} in the history, so that models learn no effect of {}",
                    self.file.display(),
                    unseen.join(", "),
                    if unseen.len() == 1 { "occurs" } else { "occur" },
                    if unseen.len() == 1 { "it" } else { "them" }
                ));
            }
        }
        let kind = if places.daily() { Kind::Flag } else { Kind::Whole };
        let all = names.iter().flat_map(|name| ends.iter().map(move |(end, ..)| format!("{name}{end}")));
        Ok(all.zip(values).map(|(name, values)| Derived::known(name, kind, values)).collect())
    }
}

/// The group of each series, and for each group which events concern it.
fn groups(panel: &Panel, events: &[Event]) -> Result<(Vec<usize>, Vec<Vec<bool>>)> {
    let mut columns: Vec<&str> =
        events.iter().flat_map(|event| &event.keys).map(|(column, _)| column.as_str()).collect();
    columns.sort_unstable();
    columns.dedup();
    if columns.is_empty() {
        return Ok((Vec::new(), vec![vec![true; events.len()]]));
    }
    let texts: Vec<Vec<Option<String>>> =
        columns.iter().map(|column| series_texts(panel, column)).collect::<Result<_>>()?;
    let mut seen: std::collections::HashMap<Vec<Option<&str>>, usize> = std::collections::HashMap::new();
    let mut rules: Vec<Vec<bool>> = Vec::new();
    let groups = (0..panel.len()).map(|series| {
        let key: Vec<Option<&str>> = texts.iter().map(|texts| texts[series].as_deref()).collect();
        *seen.entry(key).or_insert_with_key(|key| {
            let concerns = |event: &Event| {
                event.keys.iter().all(|(column, value)| {
                    columns.iter().position(|c| c == column).is_some_and(|at| key[at] == Some(value.as_str()))
                })
            };
            rules.push(events.iter().map(concerns).collect());
            rules.len() - 1
        })
    });
    Ok((groups.collect(), rules))
}
