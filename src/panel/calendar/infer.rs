//! Which step do timestamps have that nobody has stated one for? And where is a stated one anchored?
//!
//! Months come first, by the day that they are dated to, then half-months and retail months, then the longest step that at
//! least 95 % of all differences are whole multiples of, so that neither gaps nor rarely selling series hide it. Of days, hours
//! and their parts those are left out in which no row was ever written, where chance does not explain it: the shop is shut.

use std::collections::HashMap;

use super::months::{Day, Halves, Monthly, month_of};
use super::open::{Open, named_days};
use super::retail::{Parts, Retail, YearEnd, candidates, weekday_of};
use super::{DAY, Frequency, MONTH, StampKind, Step, WEEK, day_of};
use crate::error::{Error, Result};

/// The share of all timestamps or differences that decides.
const MOST: f64 = 0.95;
/// The share of their weeks in which open slots have rows, from which a few rows in another are exceptions.
const OPEN: f64 = 0.5;
/// The chance of a slot that is open, but has no row, below which it counts as shut.
const CHANCE: f64 = 0.001;
/// Retail calendars that are named where several fit.
const NAMED: usize = 3;

/// Differences between neighbours and timestamps, each with its count.
struct Seen {
    differences: HashMap<i64, usize>,
    stamps: HashMap<i64, usize>,
    /// Has no series two timestamps in one month?
    by_month: bool,
}

impl Seen {
    fn of<'a>(kind: StampKind, series: impl Iterator<Item = &'a [i64]>) -> Self {
        let mut seen = Self { differences: HashMap::new(), stamps: HashMap::new(), by_month: kind == StampKind::Clock };
        for times in series {
            for pair in times.windows(2) {
                let Some(difference) = pair[1].checked_sub(pair[0]).filter(|d| *d > 0) else { continue };
                *seen.differences.entry(difference).or_default() += 1;
                let may_share = difference < 31 * DAY;
                seen.by_month &= difference > 20 * DAY && !(may_share && month_of(pair[0]) == month_of(pair[1]));
            }
            for stamp in times {
                *seen.stamps.entry(*stamp).or_default() += 1;
            }
        }
        seen
    }

    /// One timestamp in every month, quarter or year, on about the same day?
    fn is_monthly(&self) -> bool {
        let near = |every: i64| most(&self.differences, |difference| (difference - every * MONTH).abs() <= 6 * DAY);
        self.by_month && [1, 3, 12].into_iter().any(near)
    }

    fn shortest(&self) -> i64 {
        self.differences.keys().min().copied().unwrap_or(0)
    }

    /// Do most timestamps satisfy this?
    fn most(&self, is: impl Fn(i64) -> bool) -> bool {
        most(&self.stamps, is)
    }

    fn time(&self) -> i64 {
        commonest(self.stamps.iter().map(|(stamp, n)| (stamp.rem_euclid(DAY), *n)))
    }
}

fn most(counts: &HashMap<i64, usize>, is: impl Fn(i64) -> bool) -> bool {
    let fitting: usize = counts.iter().filter(|(value, _)| is(**value)).map(|(_, n)| n).sum();
    fitting as f64 >= MOST * counts.values().sum::<usize>() as f64
}

impl Frequency {
    /// Finds the step of the sorted timestamps of each series, and what is to be said of it. `kind` says what the timestamps
    /// are.
    ///
    /// # Errors
    /// When no series has two timestamps, so that nothing can be inferred.
    pub(crate) fn infer<'a>(
        kind: StampKind,
        series: impl Iterator<Item = &'a [i64]>,
    ) -> Result<(Self, Option<String>)> {
        let seen = Seen::of(kind, series);
        if seen.differences.is_empty() {
            return Err(Error::data(
                "the frequency cannot be inferred: no series has two different stamps; \
                 state it, for example freq = \"W-SUN\", \"D\", \"MS\" or \"1\"",
            ));
        }
        let step = common_step(&seen.differences);
        let phase = commonest(seen.stamps.iter().map(|(stamp, n)| (stamp.rem_euclid(step), *n)));
        if kind == StampKind::Whole {
            return Ok((Self(Step::Whole { step, phase }), None));
        }
        if let Some(found) = months(&seen).or_else(|| halves(&seen)) {
            return Ok((Self(found), None));
        }
        if let Some(found) = retail(&seen) {
            return Ok((Self(Step::Retail(found)), other_years(&found, &seen)));
        }
        // Ledgers close once a month, and not always on the same working day.
        if step < 20 * DAY && seen.is_monthly() {
            let found = any_day(&seen);
            let said = format!("one row a month, on changing days: taken as {}", Self(found));
            return Ok((Self(found), Some(said)));
        }
        Ok(match opened(step, &seen.stamps) {
            Some(open) => (Self(Step::Open(open)), Some(shut(&open))),
            None => (Self(Step::Fixed { step, phase }), None),
        })
    }

    /// The same step with its anchor taken from timestamps, for a frequency that was stated without one (`W`, `D`, `MS`), and
    /// what is to be said of it.
    pub(crate) fn anchored(self, stamps: &[i64]) -> (Self, Option<String>) {
        let common = |step: i64| commonest(stamps.iter().map(|stamp| (stamp.rem_euclid(step), 1)));
        let fits = |step: &Step| {
            let fitting = stamps.iter().filter(|stamp| Self(*step).position(**stamp).1).count();
            fitting as f64 >= MOST * stamps.len() as f64
        };
        let plain = |step: Step| (Self(step), None);
        match self.0 {
            Step::Whole { step, .. } => plain(Step::Whole { step, phase: common(step) }),
            // A stated weekday stays; only the time of day follows the data.
            Step::Fixed { step, phase } if step >= DAY => {
                let said = (step == DAY).then(|| opened(step, &counted(stamps))).flatten().map(|open| {
                    format!(
                        "no row on {}, which are forecast all the same; freq = \"{}\" leaves them out",
                        named_days(&open.shut()),
                        open.name()
                    )
                });
                (Self(Step::Fixed { step, phase: phase - phase.rem_euclid(DAY) + common(DAY) }), said)
            }
            Step::Fixed { step, .. } => plain(Step::Fixed { step, phase: common(step) }),
            Step::Open(open) => plain(Step::Open(open.with_phase(common(open.step())))),
            Step::Months(stated) => {
                let stated = Monthly { time: common(DAY), ..stated };
                // Of working days, the last one is the end of a month, too.
                let working = match stated.day {
                    Day::Last => Some(Day::LastWorking),
                    Day::Of(1) => Some(Day::FirstWorking),
                    _ => None,
                };
                let near = working.map(|day| Monthly { day, ..stated }).map(Step::Months);
                let any = Step::Months(Monthly { any_day: true, ..stated });
                let alone = stamps.windows(2).all(|pair| pair[0] >= pair[1] || month_of(pair[0]) != month_of(pair[1]));
                match [Some(Step::Months(stated)), near].into_iter().flatten().find(|step| fits(step)) {
                    Some(step) => plain(step),
                    None if alone && fits(&any) => {
                        (Self(any), Some("one row a month, on changing days: the month counts".into()))
                    }
                    None => plain(Step::Months(stated)),
                }
            }
            Step::Halves(stated) => {
                let stated = Step::Halves(Halves { time: common(DAY), ..stated });
                let found = halves(&Seen::of(StampKind::Clock, std::iter::once(stamps)));
                plain(if fits(&stated) { stated } else { found.unwrap_or(stated) })
            }
            Step::Retail(stated) => {
                let dated = [stated.at_end, !stated.at_end]
                    .map(|at_end| Step::Retail(Retail { at_end, time: common(DAY), ..stated }));
                plain(dated.into_iter().find(|step| fits(step)).unwrap_or(dated[0]))
            }
        }
    }

    /// Days of which some weekdays never have a row, without these.
    pub(crate) fn without_shut_days(self, stamps: &[i64]) -> (Self, Option<String>) {
        match self.0 {
            Step::Fixed { step, .. } if step <= DAY => match opened(step, &counted(stamps)) {
                Some(open) => (Self(Step::Open(open)), Some(shut(&open))),
                None => (self, None),
            },
            _ => (self, None),
        }
    }
}

fn counted(stamps: &[i64]) -> HashMap<i64, usize> {
    let mut counts = HashMap::new();
    stamps.iter().for_each(|stamp| *counts.entry(*stamp).or_default() += 1);
    counts
}

fn shut(open: &Open) -> String {
    let days = open.shut();
    if open.step() == DAY {
        format!("no row on {}: taken as shut, and not forecast; freq = \"D\" forecasts every day", named_days(&days))
    } else {
        format!("no row outside of the opening hours, which are {open}: taken as shut, and not forecast")
    }
}

/// Months, quarters or years by one rule for their day.
fn months(seen: &Seen) -> Option<Step> {
    if seen.shortest() < 28 * DAY {
        return None;
    }
    let (common, latest) = common_days(seen)?;
    let rules = [Day::Last, Day::Of(latest), Day::LastWorking, Day::FirstWorking];
    let fits = |day: &Day| seen.most(|stamp| is_on(*day, stamp));
    // The 28th is a day of its own, though it ends a February.
    let same = seen.most(|stamp| day_of(stamp).is_some_and(|day| chrono::Datelike::day(&day) == common));
    let day = match common {
        31 if same => Day::Last,
        common if same => Day::Of(common),
        _ => rules.into_iter().find(fits)?,
    };
    let found = monthly(seen, day);
    // Days on which ledgers close move with public holidays: such a slip stands for its month. Another is a slip.
    let closing = found.day.is_end() || found.day == Day::FirstWorking;
    let near = |stamp: &i64| {
        is_on(found.day, *stamp)
            || (1..=5).any(|days| {
                [-days, days].iter().any(|away| {
                    is_on(found.day, stamp + away * DAY) && month_of(stamp + away * DAY) == month_of(*stamp)
                })
            })
    };
    let any_day = closing && seen.by_month && !seen.stamps.keys().all(|stamp| is_on(found.day, *stamp));
    Some(Step::Months(Monthly { any_day: any_day && seen.stamps.keys().all(near), ..found }))
}

/// The commonest day of the month, and the latest.
fn common_days(seen: &Seen) -> Option<(u32, u32)> {
    let mut days: HashMap<u32, usize> = HashMap::new();
    for (stamp, count) in &seen.stamps {
        *days.entry(chrono::Datelike::day(&day_of(*stamp)?)).or_default() += count;
    }
    let latest = days.keys().max().copied()?;
    let (common, _) = days.into_iter().max_by_key(|(day, count)| (*count, *day))?;
    Some((common, latest))
}

/// Is a timestamp on this day of its month, whatever the time?
fn is_on(day: Day, stamp: i64) -> bool {
    let start = month_of(stamp).and_then(super::months::month_start);
    start.is_some_and(|start| Some(day.within(start)) == day_of(stamp))
}

/// So many months from one step to the next as most have, by one rule for their day.
fn monthly(seen: &Seen, day: Day) -> Monthly {
    // Differences in months, from the differences in days: 28–31 is one month, 59–62 two, and so on.
    let mut months: HashMap<i64, usize> = HashMap::new();
    for (difference, count) in &seen.differences {
        *months.entry((*difference as f64 / (30.4375 * DAY as f64)).round() as i64).or_default() += count;
    }
    let fits = |every: &i64| most(&months, |months| months % every == 0) && months.contains_key(every);
    let every = [12, 6, 4, 3, 2].into_iter().find(fits).unwrap_or(1);
    let phase = seen.stamps.iter().filter_map(|(stamp, n)| Some((month_of(*stamp)?.rem_euclid(every), *n)));
    Monthly { time: seen.time(), ..Monthly::new(every, commonest(phase), day) }
}

/// One row a month whatever its day, dated by the rule that fits best.
fn any_day(seen: &Seen) -> Step {
    let fitting = |day: &Day| {
        let on = seen.stamps.iter().filter(|(stamp, _)| is_on(*day, **stamp));
        on.map(|(_, n)| n).sum::<usize>()
    };
    let common = common_days(seen).map_or(1, |(common, _)| common);
    let rules = [Day::Last, Day::LastWorking, Day::FirstWorking, Day::Of(1), Day::Of(common)];
    let day = rules.into_iter().rev().max_by_key(fitting).unwrap_or(Day::Last);
    Step::Months(Monthly { any_day: true, ..monthly(seen, day) })
}

/// Two days of each month, in turn.
fn halves(seen: &Seen) -> Option<Step> {
    let is_half = |difference: i64| (12 * DAY..=19 * DAY).contains(&difference);
    let two_weeks = most(&seen.differences, |difference| difference % WEEK == 0);
    if seen.shortest() < 12 * DAY || !most(&seen.differences, is_half) || two_weeks {
        return None;
    }
    let day = |stamp: i64| day_of(stamp).map_or(0, |day| i64::from(chrono::Datelike::day(&day)));
    let days = |late: bool| {
        let of = seen.stamps.iter().map(|(stamp, n)| (day(*stamp), *n)).filter(|(day, _)| (*day > 15) == late);
        Day::Of(commonest(of) as u32)
    };
    let mut early: Vec<(i64, usize)> = seen.stamps.iter().map(|(stamp, n)| (day(*stamp), *n)).collect();
    early.retain(|(day, _)| *day <= 15);
    let first = Day::Of(commonest(early.iter().copied()) as u32);
    // The 1st and the 15th are both in the first half.
    let second = early.iter().filter(|(day, _)| Day::Of(*day as u32) != first).copied();
    let pair = match (first, Day::Of(commonest(second) as u32)) {
        (Day::Of(a), Day::Of(b)) if a > 0 && b > 0 => (Day::Of(a.min(b)), Day::Of(a.max(b))),
        _ => (first, days(true)),
    };
    [(first, Day::Last), (first, days(true)), pair]
        .into_iter()
        .map(|days| Halves { days, time: seen.time() })
        .find(|halves| seen.most(|stamp| halves.position(stamp).1))
        .map(Step::Halves)
}

/// Months of four and five weeks, by the calendar that fits all of them.
fn retail(seen: &Seen) -> Option<Retail> {
    let weeks = |a: i64, b: i64| {
        let is = |difference: i64| [a * WEEK, b * WEEK].contains(&difference);
        let both = [a, b].iter().all(|weeks| seen.differences.contains_key(&(weeks * WEEK)));
        both && most(&seen.differences, is)
    };
    let parts: &[Parts] = match () {
        () if weeks(4, 5) => &Parts::PATTERNS,
        () if weeks(13, 14) => &[Parts::Quarters],
        () if weeks(52, 53) => &[Parts::Years],
        () => return None,
    };
    let weekday = commonest(seen.stamps.iter().filter_map(|(stamp, n)| Some((weekday_of(day_of(*stamp)?) as i64, *n))));
    let usual = [YearEnd::NRF, YearEnd::WALMART].into_iter().flat_map(|year| {
        let of =
            move |parts: &Parts| [true, false].map(|at_end| Retail { parts: *parts, year, at_end, time: seen.time() });
        parts.iter().take(1).flat_map(of)
    });
    let others = candidates(seen.time(), &[weekday as usize], parts);
    let all: Vec<Retail> = usual.chain(others).collect();
    let fits_all = |retail: &&Retail| seen.stamps.keys().all(|stamp| retail.position(*stamp).1);
    let fits_most = |retail: &&Retail| seen.most(|stamp| retail.position(stamp).1);
    all.iter().find(fits_all).or_else(|| all.iter().find(fits_most)).copied()
}

/// The other retail calendars that the timestamps fit as well.
fn other_years(found: &Retail, seen: &Seen) -> Option<String> {
    let stamps: Vec<i64> = seen.stamps.keys().copied().collect();
    let others = found.alike(&stamps);
    let names: Vec<String> = others.iter().take(NAMED).map(|other| format!("\"{}\"", other.name())).collect();
    (!others.is_empty()).then(|| {
        format!(
            "a retail calendar whose years end on {}; the dates fit {} other{} as well, which differ in where a 53rd week \
             goes: state freq, such as {}",
            found.year,
            others.len(),
            if others.len() == 1 { "" } else { "s" },
            names.join(" or ")
        )
    })
}

/// The slots of the week that have rows, where the others are shut beyond doubt; none where all are open.
fn opened(step: i64, stamps: &HashMap<i64, usize>) -> Option<Open> {
    let phase = commonest(stamps.iter().map(|(stamp, n)| (stamp.rem_euclid(step), *n)));
    let none = Open::none(step, phase)?;
    let (first, last) = (stamps.keys().min()?.checked_sub(phase)?, stamps.keys().max()?.checked_sub(phase)?);
    // Weeks and days that timestamps without a slot of their own would hide are too many to be looked at.
    if last.checked_sub(first).is_none_or(|reach| reach > 40_000 * DAY) || stamps.len() < 4 {
        return None;
    }
    let (first, last) = (first.div_euclid(DAY), last.div_euclid(DAY));
    let blocks = none.blocks_a_day();
    let weekday = |day: i64| (day + 3).rem_euclid(7) as usize;
    let mut days = [0_usize; 7];
    (first..=last).for_each(|day| days[weekday(day)] += 1);
    // On how many days each slot of the week has a row.
    let mut rows = vec![[0_usize; 7]; blocks];
    let mut seen = std::collections::HashSet::new();
    for stamp in stamps.keys() {
        let (day, block) = none.place(*stamp);
        if seen.insert(((stamp - phase).div_euclid(DAY), block)) {
            rows[block][day] += 1;
        }
    }
    let whole = |_: usize, day: usize| (rows[0][day], days[day]);
    if blocks == 1 {
        return decided(none, &whole);
    }
    let slot = |block: usize, day: usize| (rows[block][day], days[day]);
    let of_week = decided(none, &slot);
    if of_week.is_some() {
        return of_week;
    }
    // With few weeks, each slot is judged over all days on which anything was sold.
    let open_days: Vec<usize> = (0..7).filter(|day| rows.iter().any(|of| of[*day] > 0)).collect();
    let total: usize = open_days.iter().map(|day| days[*day]).sum();
    let of_day = |block: usize, day: usize| match open_days.contains(&day) || days[day] == 0 {
        true => (open_days.iter().map(|day| rows[block][*day]).sum(), total),
        false => (0, days[day]),
    };
    decided(none, &of_day)
}

/// Open and shut slots, from the days with a row and all days of each; none where chance may explain what is missing, or
/// nothing is missing.
fn decided(mut open: Open, seen: &dyn Fn(usize, usize) -> (usize, usize)) -> Option<Open> {
    let slots = || (0..open.blocks_a_day()).flat_map(|block| (0..7).map(move |day| (block, day)));
    let (mut sum, mut count) = (0.0, 0);
    let (mut held, mut shut) = (Vec::new(), Vec::new());
    for (block, day) in slots() {
        let (rows, days) = seen(block, day);
        let share = rows as f64 / days as f64;
        match () {
            () if days == 0 => return None,
            () if share > 1.0 - MOST => {
                (sum, count) = (sum + share, count + 1);
                held.push((block, day));
            }
            () => shut.push((rows, days)),
        }
    }
    let rate = sum / f64::from(count.max(1));
    let is_doubtful = |(rows, days): &(usize, usize)| {
        *days < 2 || (*rows > 0 && rate < OPEN) || (1.0 - rate).powi(*days as i32) > CHANCE
    };
    if shut.iter().any(is_doubtful) {
        return None;
    }
    held.into_iter().for_each(|(block, day)| open.open(day, block));
    (!open.is_plain()).then_some(open)
}

fn common_step(differences: &HashMap<i64, usize>) -> i64 {
    let mut candidates: Vec<i64> = differences.keys().copied().collect();
    candidates.sort_unstable_by_key(|difference| std::cmp::Reverse((differences[difference], *difference)));
    // Only frequent differences can be the step; the cap keeps wild timestamps from costing a quadratic search.
    candidates.truncate(200);
    candidates.sort_unstable_by(|a, b| b.cmp(a));
    let gcd = |a: i64, b: i64| {
        let (mut a, mut b) = (a, b);
        while b != 0 {
            (a, b) = (b, a % b);
        }
        a
    };
    let covers = |step: &i64| most(differences, |difference| difference % step == 0);
    let found = candidates.iter().copied().find(covers);
    found.unwrap_or_else(|| candidates.iter().copied().fold(0, gcd).max(1))
}

/// The commonest value, the smallest among equals; 0 for none.
fn commonest(values: impl Iterator<Item = (i64, usize)>) -> i64 {
    let mut counts: HashMap<i64, usize> = HashMap::new();
    for (value, count) in values {
        *counts.entry(value).or_default() += count;
    }
    counts.into_iter().max_by_key(|(value, count)| (*count, std::cmp::Reverse(*value))).map_or(0, |(value, _)| value)
}

#[cfg(test)]
mod tests {
    use chrono::{Datelike, NaiveDate, Weekday};
    use proptest::prelude::*;

    use super::*;
    use crate::panel::calendar::{HOUR, MINUTE};

    fn micros(day: NaiveDate) -> i64 {
        super::super::months::midnight(day)
    }

    fn days(dates: &[&str]) -> Vec<i64> {
        dates.iter().map(|date| micros(NaiveDate::parse_from_str(date, "%Y-%m-%d").unwrap())).collect()
    }

    /// The days from a date on that satisfy `is`.
    fn those(from: &str, count: usize, is: impl Fn(NaiveDate) -> bool) -> Vec<i64> {
        let from = NaiveDate::parse_from_str(from, "%Y-%m-%d").unwrap();
        from.iter_days().take(count).filter(|day| is(*day)).map(micros).collect()
    }

    fn found(stamps: &[i64]) -> Frequency {
        Frequency::infer(StampKind::Clock, std::iter::once(stamps)).unwrap().0
    }

    fn inferred(stamps: &[i64]) -> String {
        found(stamps).to_string()
    }

    /// What comes after the last timestamp.
    fn next(stamps: &[i64]) -> String {
        let frequency = found(stamps);
        let (last, exact) = frequency.position(*stamps.last().unwrap());
        assert!(exact, "{frequency}");
        day_of(frequency.stamp(last + 1)).unwrap().to_string()
    }

    #[test]
    fn frequencies_are_recognised_with_their_anchor() {
        assert_eq!(inferred(&days(&["2024-01-05", "2024-01-12", "2024-01-19"])), "weekly (Fridays)");
        assert_eq!(inferred(&days(&["2024-01-01", "2024-01-02", "2024-01-05"])), "daily");
        assert_eq!(inferred(&days(&["2024-01-01", "2024-02-01", "2024-03-01", "2024-05-01"])), "monthly (first day)");
        assert_eq!(inferred(&days(&["2024-01-31", "2024-02-29", "2024-03-31"])), "monthly (last day)");
        assert_eq!(inferred(&days(&["2023-03-31", "2023-06-30", "2023-09-30", "2023-12-31"])), "quarterly (last day)");
        assert_eq!(inferred(&days(&["2021-07-01", "2022-07-01", "2023-07-01"])), "yearly (first day)");
        assert_eq!(inferred(&days(&["2021-12-31", "2022-12-31", "2023-12-31"])), "yearly (last day)");
        assert_eq!(inferred(&days(&["2024-01-05", "2024-01-19", "2024-02-02"])), "every 2 weeks (Fridays)");
        assert_eq!(inferred(&[0, HOUR, 2 * HOUR, 5 * HOUR]), "hourly");
        assert_eq!(inferred(&[0, 30 * MINUTE, HOUR]), "every 30 minutes");
        let whole = Frequency::infer(StampKind::Whole, std::iter::once(&[1_i64, 2, 3][..])).unwrap().0;
        assert_eq!((whole.to_string().as_str(), whole.season()), ("integer steps", 1));
    }

    #[test]
    fn days_without_rows_are_shut() {
        let weekdays = |shut: &'static [Weekday]| move |day: NaiveDate| !shut.contains(&day.weekday());
        let office = those("2024-01-01", 40, weekdays(&[Weekday::Sat, Weekday::Sun]));
        assert_eq!((inferred(&office).as_str(), found(&office).season()), ("daily (Monday to Friday)", 5));
        // Friday, 9 February, is the last day; Monday follows.
        assert_eq!(next(&office), "2024-02-12");
        let shop = those("2024-01-01", 60, weekdays(&[Weekday::Mon]));
        assert_eq!(inferred(&shop), "daily (Tuesday to Sunday)");
        let market = those("2024-01-01", 60, |day| matches!(day.weekday(), Weekday::Tue | Weekday::Thu | Weekday::Sat));
        assert_eq!(
            (inferred(&market).as_str(), found(&market).season()),
            ("daily (Tuesday, Thursday and Saturday)", 3)
        );
        assert_eq!(found(&market).a_year().unwrap().round(), 157.0);
        // Public holidays leave a weekday open; two weeks of one item that sells now and then leave it in doubt.
        let closed = NaiveDate::from_ymd_opt(2024, 1, 15).unwrap();
        let office = those("2024-01-01", 60, |day| day.weekday().number_from_monday() < 6 && day != closed);
        assert_eq!(inferred(&office), "daily (Monday to Friday)");
        let rare = those("2024-01-01", 14, |day| [1, 2, 5, 8, 11].contains(&day.day()));
        assert_eq!(inferred(&rare), "daily");
        let open = those("2024-01-01", 60, |_| true);
        assert_eq!(inferred(&open), "daily");
    }

    #[test]
    fn hours_without_rows_are_shut() {
        let hours = |days: i64, is: &dyn Fn(i64, i64) -> bool| {
            // 2024-01-01 was a Monday.
            let start = days_from("2024-01-01");
            let slots = (0..days).flat_map(|day| (0..24).map(move |hour| (day, hour)));
            slots.filter(|(day, hour)| is(day % 7, *hour)).map(|(day, hour)| start + day * DAY + hour * HOUR).collect()
        };
        let shop: Vec<i64> = hours(30, &|day, hour| day < 6 && (8..=18).contains(&hour));
        assert_eq!(
            (inferred(&shop).as_str(), found(&shop).season()),
            ("hourly (Monday to Saturday 08:00 to 18:00)", 11)
        );
        let siesta: Vec<i64> =
            hours(30, &|day, hour| day < 5 && ((9..=12).contains(&hour) || (16..=19).contains(&hour)));
        assert_eq!(inferred(&siesta), "hourly (Monday to Friday 09:00 to 12:00 and 16:00 to 19:00)");
        let saturdays: Vec<i64> =
            hours(30, &|day, hour| day < 5 && (8..18).contains(&hour) || day == 5 && (8..13).contains(&hour));
        let name = "hourly (Monday to Friday 08:00 to 17:00, Saturday 08:00 to 12:00)";
        assert_eq!((inferred(&saturdays).as_str(), found(&saturdays).season()), (name, 55));
        let few: Vec<i64> = hours(5, &|_, hour| (8..=18).contains(&hour));
        assert_eq!(inferred(&few), "hourly (08:00 to 18:00)");
        let all: Vec<i64> = hours(30, &|_, _| true);
        assert_eq!(inferred(&all), "hourly");
    }

    fn days_from(date: &str) -> i64 {
        days(&[date])[0]
    }

    #[test]
    fn months_by_working_days_and_by_the_thirtieth() {
        // pandas 3.1.1: date_range("2022-01-01", periods=14, freq="BME") and "BMS".
        let last = [
            "2022-01-31",
            "2022-02-28",
            "2022-03-31",
            "2022-04-29",
            "2022-05-31",
            "2022-06-30",
            "2022-07-29",
            "2022-08-31",
            "2022-09-30",
            "2022-10-31",
            "2022-11-30",
            "2022-12-30",
            "2023-01-31",
            "2023-02-28",
        ];
        let first = [
            "2022-01-03",
            "2022-02-01",
            "2022-03-01",
            "2022-04-01",
            "2022-05-02",
            "2022-06-01",
            "2022-07-01",
            "2022-08-01",
            "2022-09-01",
            "2022-10-03",
            "2022-11-01",
            "2022-12-01",
            "2023-01-02",
            "2023-02-01",
        ];
        assert_eq!(
            (inferred(&days(&last)).as_str(), next(&days(&last))),
            ("monthly (last working day)", "2023-03-31".into())
        );
        assert_eq!(inferred(&days(&first)), "monthly (first working day)");
        // 30 April 2023 is a Sunday, 1 May a Monday.
        let stamp = |text: &str, date: &str| {
            let frequency: Frequency = text.parse().unwrap();
            day_of(frequency.stamp(frequency.position(days_from(date)).0)).unwrap().to_string()
        };
        assert_eq!(
            (stamp("BME", "2023-04-30"), stamp("BMS", "2023-05-15")),
            ("2023-04-28".into(), "2023-05-01".into())
        );
        let thirtieth = ["2022-01-30", "2022-02-28", "2022-03-30", "2022-04-30", "2022-05-30", "2022-06-30"];
        assert_eq!(
            (inferred(&days(&thirtieth)).as_str(), next(&days(&thirtieth))),
            ("monthly (day 30)", "2022-07-30".into())
        );
        // The bank was shut on Good Friday; and who writes 28 February in a leap year means the 30th.
        let mut easter = last;
        easter[3] = "2022-04-28";
        assert_eq!(
            (inferred(&days(&easter)).contains("last working day"), next(&days(&easter))),
            (true, "2023-03-31".into())
        );
        let leap: Vec<i64> =
            days(&["2023-11-30", "2023-12-30", "2024-01-30", "2024-02-28", "2024-03-30", "2024-04-30"]);
        assert_eq!((found(&leap).position(leap[3]).1, next(&leap)), (true, "2024-05-30".into()));
    }

    #[test]
    fn half_months_and_fortnights() {
        // pandas 3.1.1: date_range(…, freq="SMS") and "SME".
        let starts = days(&["2024-01-01", "2024-01-15", "2024-02-01", "2024-02-15", "2024-03-01", "2024-03-15"]);
        let ends = days(&["2024-01-15", "2024-01-31", "2024-02-15", "2024-02-29", "2024-03-15", "2024-03-31"]);
        assert_eq!(
            (inferred(&starts).as_str(), next(&starts)),
            ("twice a month (first day and day 15)", "2024-04-01".into())
        );
        assert_eq!(
            (inferred(&ends).as_str(), next(&ends)),
            ("twice a month (day 15 and last day)", "2024-04-15".into())
        );
        let sixteenth = days(&["2024-01-01", "2024-01-16", "2024-02-01", "2024-02-16", "2024-03-01"]);
        assert_eq!(inferred(&sixteenth), "twice a month (first day and day 16)");
        let fortnights: Vec<i64> = (0..10).map(|k| days_from("2024-01-05") + 14 * k * DAY).collect();
        assert_eq!(inferred(&fortnights), "every 2 weeks (Fridays)");
    }

    #[test]
    fn retail_months_by_the_calendar_that_fits() {
        for (text, words) in [
            ("4-5-4", "4-5-4 weeks, dated to the last day; years end on the Saturday nearest to 31 January"),
            (
                "4-4-5 nearest Sun Dec",
                "4-4-5 weeks, dated to the last day; years end on the Sunday nearest to 31 December",
            ),
        ] {
            let stated: Frequency = text.parse().unwrap();
            let start = stated.position(days_from("2020-06-01")).0;
            let stamps: Vec<i64> = (start..start + 48).map(|position| stated.stamp(position)).collect();
            assert_eq!(inferred(&stamps), format!("monthly ({words})"));
            // A year is not enough to know where a 53rd week goes: that is said.
            let short = Frequency::infer(StampKind::Clock, std::iter::once(&stamps[14..28])).unwrap();
            assert!(short.1.is_some_and(|said| said.contains("state freq")), "{text}");
        }
    }

    #[test]
    fn what_is_stated_follows_the_data() {
        let anchored = |text: &str, stamps: &[i64]| text.parse::<Frequency>().unwrap().anchored(stamps);
        let working = days(&["2022-03-31", "2022-04-29", "2022-05-31", "2022-06-30", "2022-07-29"]);
        assert_eq!(anchored("ME", &working).0.to_string(), "monthly (last working day)");
        let office = those("2024-01-01", 40, |day| day.weekday().number_from_monday() < 6);
        let (daily, said) = anchored("D", &office);
        assert_eq!(daily.to_string(), "daily");
        assert!(said.is_some_and(|said| said.contains("Saturday and Sunday") && said.contains("Mon Tue Wed Thu Fri")));
    }

    proptest! {
        /// Whatever the week, its open days are found, and nothing is dated to a shut one.
        #[test]
        fn any_week_is_found(open in 1_u8..127, weeks in 4_i64..30, from in -20_000_i64..20_000) {
            let is_open = |day: i64| open >> (day + 3).rem_euclid(7) & 1 == 1;
            let stamps: Vec<i64> = (from..from + 7 * weeks).filter(|day| is_open(*day)).map(|day| day * DAY).collect();
            let frequency = found(&stamps);
            let last = frequency.position(*stamps.last().unwrap());
            prop_assert!(last.1);
            for (at, stamp) in stamps.iter().enumerate() {
                prop_assert_eq!(frequency.position(*stamp), (last.0 - (stamps.len() - 1 - at) as i64, true));
            }
            for ahead in 1..30 {
                prop_assert!(is_open(frequency.stamp(last.0 + ahead).div_euclid(DAY)));
            }
        }

        /// Arbitrary timestamps never stop it.
        #[test]
        fn anything_has_a_frequency(mut stamps in proptest::collection::vec(any::<i64>(), 0..40)) {
            stamps.sort_unstable();
            if let Ok((frequency, _)) = Frequency::infer(StampKind::Clock, std::iter::once(&stamps[..])) {
                stamps.iter().for_each(|stamp| { frequency.position(*stamp); });
                let _ = frequency.to_string();
            }
        }
    }
}
