//! Which days are holidays, by name? Those of a country, those that a column names, or what shops in many countries notice.
//!
//! Days of a holiday that follow one another closely are one: Christmas, Easter. Of a week, a holiday is in the week in which
//! it begins. Holidays on the same steps are one, with both names.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, Days, NaiveDate};

use super::holidays::HolidayEffects;
use super::ordinary::{Near, Part};
use crate::error::{Error, Result, suggestion};
use crate::options;
use crate::panel::{DAY, Panel, Role, candidate_holidays, public_holidays};

/// The most holidays.
const MOST: usize = 60;
/// Of so many steps, at most one is of the same holiday in a calendar of holidays.
const SELDOM: i64 = 30;
/// Days between two dates that belong to one holiday, at most.
const APART: i64 = 3;
/// What shops all over the world may notice, by the names of the last candidates in their order.
const COMMON: [&str; 10] = [
    "Easter",
    "Easter",
    "Easter",
    "Thanksgiving",
    "Thanksgiving",
    "Christmas",
    "Christmas",
    "Christmas",
    "New Year",
    "New Year",
];

/// A holiday: its name, its days in each year (positions of the calendar, from and to), and the series that keep it.
pub(super) struct Holiday {
    pub(super) name: String,
    pub(super) runs: Vec<(i64, i64)>,
    /// Is it asked for, or only kept apart?
    pub(super) asked: bool,
    /// The place of its set of series among the sets.
    pub(super) set: usize,
}

/// The holidays of a panel, and what else is known of them.
pub(super) struct Kept {
    pub(super) holidays: Vec<Holiday>,
    /// Sets of series that keep the same holidays; the first is all of them.
    pub(super) sets: Vec<Vec<bool>>,
    /// Positions on and around holidays: 2 on a holiday itself, 1 near it.
    pub(super) near: Near,
    pub(super) whose: String,
}

/// The name of a holiday of which several days are kept.
fn common_name(name: &str) -> String {
    let plain = name.replace("(estimated)", "").replace(", estimated)", ")").trim().to_string();
    let has = |word: &str| plain.to_lowercase().contains(word);
    let other = ["orthodox", "islamic", "chinese", "lunar", "jewish", "hijri", "hindu"].iter().any(|word| has(word));
    match () {
        () if other => plain,
        () if has("christmas") || has("boxing day") => "Christmas".into(),
        () if has("easter") || has("good friday") || has("holy saturday") => "Easter".into(),
        () if has("new year") => "New Year".into(),
        () if has("thanksgiving") || has("black friday") => "Thanksgiving".into(),
        () => plain,
    }
}

/// The days of the common holidays, by name, in the given years.
fn common(panel: &Panel, years: std::ops::RangeInclusive<i32>) -> Result<BTreeMap<String, BTreeSet<NaiveDate>>> {
    let mut by_name: BTreeMap<String, BTreeSet<NaiveDate>> = BTreeMap::new();
    let candidates = candidate_holidays(panel, years)?;
    let last = candidates.len().saturating_sub(COMMON.len());
    for (name, days) in COMMON.iter().zip(candidates.into_iter().skip(last)) {
        by_name.entry((*name).into()).or_default().extend(days);
    }
    Ok(by_name)
}

/// The days of a country's holidays, by name.
fn of_country(
    code: &str,
    region: Option<&str>,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<BTreeMap<String, BTreeSet<NaiveDate>>> {
    let known = |year: i32| NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or(from);
    let (from, to) = (from.max(known(2000)), to.min(known(2051) - Days::new(1)));
    if to < from {
        return Err(Error::data("public holidays are known from 2000 to 2050, and these data lie outside"));
    }
    let table = public_holidays(code, region, Some(&from.to_string()), Some(&to.to_string()))?;
    let (days, names) = (table.column("date")?, table.column("holiday")?);
    let mut by_name: BTreeMap<String, BTreeSet<NaiveDate>> = BTreeMap::new();
    for (day, name) in days.iter().zip(&names) {
        let name = name.to_string();
        // A day off instead of one on a weekend is another day than that on which people shop for the holiday.
        if name.to_lowercase().contains("observed") || name.to_lowercase().contains("substitute") {
            continue;
        }
        if let Ok(day) = NaiveDate::parse_from_str(day.to_string().get(..10).unwrap_or_default(), "%Y-%m-%d") {
            by_name.entry(common_name(&name)).or_default().insert(day);
        }
    }
    Ok(by_name)
}

/// The days around which an ordinary step is none: on or near a common holiday.
pub(super) fn near_common(panel: &Panel) -> Result<Option<Near>> {
    let Ok(daily) = super::holidays::dated(panel) else { return Ok(None) };
    let question = HolidayEffects::default();
    let (before, after) = if daily { (5, 3) } else { (1, 1) };
    Ok(question.kept(panel, before, after).ok().map(|kept| kept.near))
}

impl HolidayEffects {
    /// The holidays that are asked for.
    pub(super) fn kept(&self, panel: &Panel, before: usize, after: usize) -> Result<Kept> {
        let (first, last) = panel.extent().ok_or_else(|| Error::data("there are no data"))?;
        let stamps = panel.columns().stamps;
        let period = |position: i64| panel.inner().calendar.period(position, stamps);
        let margin = (before + after + 2) as i64;
        let mut by_day = BTreeMap::new();
        for position in first - margin..=last + margin {
            let Some((from, to)) = period(position) else { continue };
            by_day.extend(from.iter_days().take_while(|day| *day <= to).map(|day| (day, position)));
        }
        let (Some((begin, _)), Some((end, _))) = (by_day.first_key_value(), by_day.last_key_value()) else {
            return Err(Error::data("holidays need dates"));
        };
        let (begin, end) = (*begin, *end);
        let all = vec![true; panel.len()];
        let mut sets = vec![all];
        let mut holidays: Vec<Holiday> = Vec::new();
        let daily = panel.frequency().length() == DAY;
        let placed = |days: BTreeSet<NaiveDate>| -> Vec<(i64, i64)> {
            let mut occurrences: Vec<(NaiveDate, NaiveDate)> = Vec::new();
            for day in days {
                match occurrences.last_mut() {
                    Some((_, to)) if (day - *to).num_days() <= APART => *to = day,
                    _ => occurrences.push((day, day)),
                }
            }
            let place = |(from, to): &(NaiveDate, NaiveDate)| {
                // Of a week, the one in which the holiday begins.
                let from = by_day.get(from)?;
                Some((*from, if daily { *by_day.get(to)? } else { *from }))
            };
            occurrences.iter().filter_map(place).collect()
        };
        let whose;
        if let Some(by) = &self.by {
            whose = format!("`{by}`");
            for (name, on, keep) in named_by(panel, by)? {
                let set = sets.iter().position(|set| *set == keep).unwrap_or_else(|| {
                    sets.push(keep);
                    sets.len() - 1
                });
                holidays.push(Holiday {
                    name,
                    runs: runs(on.into_iter(), if panel.frequency().length() == DAY { APART } else { 1 }),
                    set,
                    asked: true,
                });
            }
        } else {
            let years = begin.year()..=end.year();
            let featured = panel.columns().made.iter().find_map(|made| {
                let (name, given) = options::split(&made.label).ok()?;
                let text = |key: &str| given.get(key).and_then(serde_json::Value::as_str).map(String::from);
                (name == "holidays").then(|| Some((text("country")?, text("region")))).flatten()
            });
            let by_name = match (self.country.clone().map(|country| (country, None)), featured) {
                (Some((country, region)), _) | (None, Some((country, region))) => {
                    whose = format!("public holidays of {country}");
                    of_country(&country, region.as_deref(), begin, end)?
                }
                (None, None) => {
                    whose = "holidays that shops in many countries notice".into();
                    common(panel, years)?
                }
            };
            for (name, days) in by_name {
                holidays.push(Holiday { name, runs: placed(days), set: 0, asked: true });
            }
        }
        // Holidays on the same steps are one.
        let mut merged: Vec<Holiday> = Vec::new();
        for holiday in holidays.into_iter().filter(|holiday| !holiday.runs.is_empty()) {
            match merged.iter_mut().find(|known| known.set == holiday.set && meet(&known.runs, &holiday.runs)) {
                Some(known) => {
                    known.name = format!("{} and {}", known.name, holiday.name);
                    let steps: BTreeSet<i64> =
                        known.runs.iter().chain(&holiday.runs).flat_map(|(from, to)| *from..=*to).collect();
                    known.runs = runs(steps.into_iter(), 1);
                }
                None => merged.push(holiday),
            }
        }
        if merged.is_empty() {
            return Err(Error::data(format!("the data hold none of the {whose}")));
        }
        if merged.len() > MOST {
            return Err(Error::data(format!(
                "{} different holidays are too many to tell one from another; {MOST} at most",
                merged.len()
            )));
        }
        // What shops notice anyway is kept apart from what is asked for.
        for (name, days) in common(panel, begin.year()..=end.year())? {
            let mut runs = placed(days);
            let taken = |(from, to): &(i64, i64)| {
                merged.iter().any(|known| known.runs.iter().any(|(other, last)| other - 1 <= *to && *from <= last + 1))
            };
            runs.retain(|run| !taken(run));
            merged.push(Holiday { name, runs, set: 0, asked: false });
        }
        let (before, after) = (before as i64, after as i64);
        let mut near = Near { first: first - margin, of: vec![0; (last - first + 2 * margin + 1) as usize] };
        for (from, to) in merged.iter().flat_map(|holiday| &holiday.runs) {
            for position in from - before..=to + after {
                let mark = if (*from..=*to).contains(&position) { 2 } else { 1 };
                if let Some(known) = usize::try_from(position - near.first).ok().and_then(|at| near.of.get_mut(at)) {
                    *known = mark.max(*known);
                }
            }
        }
        Ok(Kept { holidays: merged, sets, near, whose })
    }
}

impl Kept {
    /// Are all that are asked for the dates of a calendar: seldom, and the same for every series?
    pub(super) fn rare(&self) -> bool {
        let dates = self.near.of.len() as i64;
        let steps = |holiday: &Holiday| holiday.runs.iter().map(|(from, to)| to - from + 1).sum::<i64>();
        let asked = || self.holidays.iter().filter(|holiday| holiday.asked);
        asked().all(|holiday| SELDOM * steps(holiday) <= dates)
            && asked().any(|holiday| self.sets[holiday.set].iter().all(|keeps| *keeps))
    }

    /// Does another calendar name most of these holidays?
    pub(super) fn named_by(&self, other: &Self) -> bool {
        let meets =
            |holiday: &Holiday| other.holidays.iter().any(|other| other.asked && meet(&other.runs, &holiday.runs));
        let asked: Vec<&Holiday> = self.holidays.iter().filter(|holiday| holiday.asked).collect();
        2 * asked.iter().filter(|holiday| meets(holiday)).count() > asked.len()
    }

    /// Marks the dates on which most of the series that nearly always sell at that weekday sold nothing, as holidays that are
    /// not asked for, and so many steps around them as near one.
    pub(super) fn with_closures(&mut self, panel: &Panel, week: usize, around: i64) {
        let (first, last) = panel.extent().unwrap_or((0, -1));
        let dates = usize::try_from(last - first + 1).unwrap_or(0);
        let mut open = vec![[0_usize; 2]; dates];
        for i in 0..panel.len() {
            let Some(start) = panel.positions(i).first() else { continue };
            let part = Part::plain(*start, panel.regular(i).into_owned(), Vec::new());
            let (shut, offset) = (part.shut(week), (start - first) as usize);
            for t in (0..shut.len()).filter(|t| shut[*t] || part.y[*t] > 0.0) {
                open[offset + t][0] += 1;
                open[offset + t][1] += usize::from(shut[t]);
            }
        }
        for date in (0..dates).filter(|date| open[*date][1] > 0 && 2 * open[*date][1] >= open[*date][0]) {
            let position = first + date as i64;
            for near in position - around..=position + around {
                let mark = if near == position { 2 } else { 1 };
                if let Some(known) =
                    usize::try_from(near - self.near.first).ok().and_then(|at| self.near.of.get_mut(at))
                {
                    *known = mark.max(*known);
                }
            }
        }
    }
}

/// Do most of the runs of one holiday meet those of another?
fn meet(a: &[(i64, i64)], b: &[(i64, i64)]) -> bool {
    let meets = |(from, to): &&(i64, i64)| b.iter().any(|(other, last)| other <= to && from <= last);
    2 * a.iter().filter(meets).count() > a.len().min(b.len())
}

/// Runs of positions at most this far apart.
fn runs(positions: impl Iterator<Item = i64>, apart: i64) -> Vec<(i64, i64)> {
    let mut runs: Vec<(i64, i64)> = Vec::new();
    for position in positions {
        match runs.last_mut() {
            Some((_, to)) if position - *to <= apart => *to = position,
            _ => runs.push((position, position)),
        }
    }
    runs
}

/// A holiday of a column: its name, its positions, and the series that keep it.
type Named = (String, BTreeSet<i64>, Vec<bool>);

/// The holidays of a column of names, or of a flag.
fn named_by(panel: &Panel, by: &str) -> Result<Vec<Named>> {
    let matrix = panel.matrix()?;
    let of = |c: &usize| matrix.sources[*c].0 == by || matrix.names[*c] == by;
    let columns: Vec<usize> = (0..matrix.names.len()).filter(of).collect();
    let Some(role) = columns.first().map(|c| matrix.sources[*c].1) else {
        let sources: BTreeSet<&str> = matrix.sources.iter().map(|(source, _)| source.as_str()).collect();
        return Err(Error::usage(format!("there is no covariate `{by}`{}", suggestion(by, sources.into_iter()))));
    };
    if role == Role::Fixed {
        return Err(Error::data(format!("`{by}` has one value per series, so it is no calendar of holidays")));
    }
    let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for c in columns {
        let name = matrix.names[c].strip_prefix(&format!("{by}=")).map_or_else(|| by.to_string(), common_name);
        by_name.entry(name).or_default().push(c);
    }
    let mut named = Vec::new();
    for (name, columns) in by_name {
        let mut on = BTreeSet::new();
        let mut keep = vec![false; panel.len()];
        let mut rows = 0;
        for (i, keep) in keep.iter_mut().enumerate() {
            for c in &columns {
                for (position, x) in panel.positions(i).iter().zip(panel.column_of(i, &matrix.columns[*c])) {
                    if *x > 0.0 {
                        on.insert(*position);
                        *keep = true;
                        rows += 1;
                    }
                }
            }
        }
        // The text of ordinary days is no holiday.
        if rows > 0 && 4 * rows < panel.rows() {
            named.push((name, on, keep));
        }
    }
    if named.is_empty() {
        return Err(Error::data(format!(
            "`{by}` marks no day, or a quarter of all and more, so that these are no holidays"
        )));
    }
    Ok(named)
}
