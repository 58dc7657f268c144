//! On which days and hours is the shop open? A week with regular holes: Monday to Friday, Tuesday to Sunday, eight to six.
//!
//! Steps count open slots alone, so that Monday follows Friday and 8:00 follows 18:00: no model sees the hours in between,
//! and nothing is forecast for them.

use std::fmt;

use chrono::NaiveDateTime;
use serde::{Deserialize, Serialize};

use super::{DAY, HOUR, MINUTE, WEEK, WEEKDAYS};

/// What is open or shut as one: opening hours begin and end on the half-hour.
const BLOCK: i64 = 30 * MINUTE;

/// The slots of a week in which the shop is open, each a step long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Open {
    step: i64,
    /// Microseconds from the start of a slot to its timestamp.
    phase: i64,
    /// The open blocks of each day, Monday first; the first of the day is the lowest bit.
    blocks: [u64; 7],
}

impl Open {
    /// Nothing is open yet; none for steps that do not divide a day.
    pub(super) fn none(step: i64, phase: i64) -> Option<Self> {
        let fits = step > 0 && step <= DAY && DAY % step == 0 && (step % BLOCK == 0 || BLOCK % step == 0);
        fits.then_some(Self { step, phase: phase.rem_euclid(step), blocks: [0; 7] })
    }

    /// Working days: those of these weekdays, 0 for Monday.
    pub(super) fn days(weekdays: impl IntoIterator<Item = usize>) -> Self {
        let mut blocks = [0; 7];
        weekdays.into_iter().filter(|day| *day < 7).for_each(|day| blocks[day] = 1);
        Self { step: DAY, phase: 0, blocks }
    }

    pub(super) fn step(&self) -> i64 {
        self.step
    }

    /// The same week with its timestamps `phase` after the start of each slot.
    pub(super) fn with_phase(self, phase: i64) -> Self {
        Self { phase: phase.rem_euclid(self.step), ..self }
    }

    fn block(&self) -> i64 {
        self.step.max(BLOCK)
    }

    /// Steps in a block.
    fn steps(&self) -> i64 {
        self.block() / self.step
    }

    /// Blocks of a day, open or shut.
    pub(super) fn blocks_a_day(&self) -> usize {
        (DAY / self.block()) as usize
    }

    /// The day of the week and the block of the day of a timestamp.
    pub(super) fn place(&self, stamp: i64) -> (usize, usize) {
        let (_, day, within) = self.split(stamp);
        (day, (within / self.block()) as usize)
    }

    pub(super) fn open(&mut self, day: usize, block: usize) {
        self.blocks[day % 7] |= 1 << block;
    }

    pub(super) fn is_open(&self, day: usize, block: usize) -> bool {
        self.blocks[day % 7] >> block & 1 == 1
    }

    /// Is every slot open, or none?
    pub(super) fn is_plain(&self) -> bool {
        let all = u64::MAX >> (64 - self.blocks_a_day());
        self.blocks.iter().all(|day| *day == all) || self.blocks.iter().all(|day| *day == 0)
    }

    /// The days of the week on which nothing is open.
    pub(super) fn shut(&self) -> Vec<usize> {
        (0..7).filter(|day| self.blocks[*day] == 0).collect()
    }

    fn of_day(&self, day: usize) -> i64 {
        i64::from(self.blocks[day].count_ones()) * self.steps()
    }

    /// Steps in a week.
    pub(super) fn week(&self) -> i64 {
        (0..7).map(|day| self.of_day(day)).sum::<i64>().max(1)
    }

    /// Steps in a season: the open days of a week; steps of a day where all open days are equally long, else of a week.
    pub(super) fn season(&self) -> usize {
        let mut days = (0..7).map(|day| self.of_day(day)).filter(|steps| *steps > 0);
        let first = days.next().unwrap_or(1);
        let same = self.step < DAY && days.all(|steps| steps == first);
        (if same { first } else { self.week() }) as usize
    }

    /// Week, day of the week and microseconds into the day of a timestamp.
    fn split(&self, stamp: i64) -> (i64, usize, i64) {
        let stamp = stamp.saturating_sub(self.phase);
        // 1970-01-01 was a Thursday, three days after a Monday.
        let day = stamp.div_euclid(DAY) + 3;
        (day.div_euclid(7), day.rem_euclid(7) as usize, stamp.rem_euclid(DAY))
    }

    /// The position of a timestamp and whether it lies exactly on it; of one between two positions the earlier.
    pub(super) fn position(&self, stamp: i64) -> (i64, bool) {
        let (week, day, within) = self.split(stamp);
        let before: i64 = (0..day).map(|day| self.of_day(day)).sum();
        let (block, rest) = (within / self.block(), within % self.block());
        let earlier = i64::from((self.blocks[day] & ((1 << block) - 1)).count_ones()) * self.steps();
        let start = week.saturating_mul(self.week()).saturating_add(before + earlier);
        match self.is_open(day, block as usize) {
            true => (start + rest / self.step, rest % self.step == 0),
            false => (start - 1, false),
        }
    }

    pub(super) fn stamp(&self, position: i64) -> i64 {
        let (week, mut rest) = (position.div_euclid(self.week()), position.rem_euclid(self.week()));
        for day in 0..7 {
            if rest >= self.of_day(day) {
                rest -= self.of_day(day);
                continue;
            }
            let mut open = self.blocks[day];
            (0..rest / self.steps()).for_each(|_| open &= open.wrapping_sub(1));
            let within = i64::from(open.trailing_zeros()) * self.block() + rest % self.steps() * self.step;
            let days = week.saturating_mul(7).saturating_add(day as i64 - 3);
            return days.saturating_mul(DAY).saturating_add(within + self.phase);
        }
        week.saturating_mul(WEEK)
    }

    /// `08:00 to 18:00`, `09:00 to 12:00 and 15:00 to 19:00`: the first and the last timestamp of each stretch of a day.
    pub(super) fn hours(&self, day: usize) -> String {
        let clock = |micros: i64| {
            let minutes = (micros + self.phase) / MINUTE;
            format!("{:02}:{:02}", minutes / 60, minutes % 60)
        };
        let mut stretches: Vec<(i64, i64)> = Vec::new();
        for block in (0..self.blocks_a_day()).filter(|block| self.is_open(day, *block)) {
            let start = block as i64 * self.block();
            match stretches.last_mut() {
                Some((_, end)) if *end == start => *end = start + self.block(),
                _ => stretches.push((start, start + self.block())),
            }
        }
        let named = |(start, end): &(i64, i64)| match end - self.step {
            last if last == *start => clock(*start),
            last => format!("{} to {}", clock(*start), clock(last)),
        };
        stretches.iter().map(named).collect::<Vec<_>>().join(" and ")
    }
}

/// `Monday to Friday`, `Tuesday, Thursday and Saturday`.
pub(super) fn named_days(days: &[usize]) -> String {
    let name = |day: &usize| WEEKDAYS[*day % 7].1;
    // A week may run over Sunday: Thursday to Monday.
    let runs = |start: usize| (0..days.len()).all(|step| days.contains(&((start + step) % 7)));
    match days.iter().find(|day| runs(**day)) {
        Some(first) if (3..7).contains(&days.len()) => {
            format!("{} to {}", name(first), name(&(first + days.len() - 1)))
        }
        _ => crate::show::words::listed(&days.iter().map(name).collect::<Vec<_>>(), 7),
    }
}

impl fmt::Display for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let every = match self.step {
            DAY => "daily".to_string(),
            HOUR => "hourly".to_string(),
            step if step % HOUR == 0 => format!("every {} hours", step / HOUR),
            step => format!("every {} minutes", step / MINUTE),
        };
        let open: Vec<usize> = (0..7).filter(|day| self.blocks[*day] > 0).collect();
        if self.step == DAY {
            return write!(f, "{every} ({})", named_days(&open));
        }
        // Days with the same hours are named together, in the order of the week.
        let mut alike: Vec<(u64, Vec<usize>)> = Vec::new();
        for day in open {
            match alike.iter_mut().find(|(blocks, _)| *blocks == self.blocks[day]) {
                Some((_, days)) => days.push(day),
                None => alike.push((self.blocks[day], vec![day])),
            }
        }
        let hours: Vec<String> = match alike.as_slice() {
            [(_, days)] if days.len() == 7 => vec![self.hours(0)],
            groups => groups.iter().map(|(_, days)| format!("{} {}", named_days(days), self.hours(days[0]))).collect(),
        };
        write!(f, "{every} ({})", hours.join(", "))
    }
}

/// The name of a place in a season: a day of the week, an hour of the day; none where the season is neither.
pub(super) fn label(open: &Open, date: NaiveDateTime, period: usize) -> Option<String> {
    match open.step {
        DAY if period == 7 || period as i64 == open.week() => Some(date.format("%a").to_string()),
        HOUR if period == 24 || (period == open.season() && period as i64 != open.week()) => {
            Some(date.format("%H:%M").to_string())
        }
        _ => None,
    }
}
