//! What are steps called? The short names that pandas made common (`h`, `30min`, `D`, `B`, `W-SUN`, `MS`, `ME`, `BMS`, `BME`,
//! `SMS`, `SME`, `QS`, `QE`, `YS`, `YE`, `1`), the plain words (`hourly`, `daily`, `weekly`, `monthly`, `quarterly`, `yearly`,
//! `integer`), open days and hours (`Mon-Fri`, `Tue Thu Sat`, `h Mon-Sat 8-18`), and retail calendars (`4-5-4`,
//! `4-4-5 last Friday of June`, `4-week`, `13-week`, `52-week`).

use std::fmt;
use std::str::FromStr;

use chrono::Weekday;

use super::months::{Day, Halves, Monthly};
use super::open::Open;
use super::retail::{Parts, Retail, YearEnd};
use super::{DAY, Frequency, HOUR, MINUTE, SECOND, Step, WEEK};
use crate::error::{Error, Result};

pub(super) const WEEKDAYS: [(&str, &str); 7] = [
    ("MON", "Monday"),
    ("TUE", "Tuesday"),
    ("WED", "Wednesday"),
    ("THU", "Thursday"),
    ("FRI", "Friday"),
    ("SAT", "Saturday"),
    ("SUN", "Sunday"),
];

/// As anchors are written, and as labels.
pub(super) const MONTHS: [(&str, &str); 12] = [
    ("JAN", "Jan"),
    ("FEB", "Feb"),
    ("MAR", "Mar"),
    ("APR", "Apr"),
    ("MAY", "May"),
    ("JUN", "Jun"),
    ("JUL", "Jul"),
    ("AUG", "Aug"),
    ("SEP", "Sep"),
    ("OCT", "Oct"),
    ("NOV", "Nov"),
    ("DEC", "Dec"),
];

/// A name by its first three letters, if the rest spells it out.
fn place(names: &[(&str, &str)], word: &str, long: impl Fn(usize) -> String) -> Option<usize> {
    let at = names.iter().position(|(short, _)| word.get(..3) == Some(short))?;
    let plural = long(at).to_uppercase() + "S";
    (plural.starts_with(word) || word == "TUES" || word == "THURS" || word == "SEPT").then_some(at)
}

fn weekday(word: &str) -> Option<usize> {
    place(&WEEKDAYS, word, |at| WEEKDAYS[at].1.into())
}

fn month(word: &str) -> Option<usize> {
    let long = |at: usize| chrono::Month::try_from(at as u8 + 1).map_or("", |month| month.name()).to_string();
    place(&MONTHS, word, long)
}

impl FromStr for Frequency {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let upper = text.trim().to_uppercase();
        let known = pandas(&upper).or_else(|| retail(&upper)).or_else(|| open(&upper));
        known.map(Self).ok_or_else(|| {
            Error::usage(format!(
                "`{text}` is not a frequency; write 30min, h, D, B or Mon-Fri (working days), `h Mon-Sat 8-18` (opening hours), \
                 W-SUN … W-SAT, MS or ME (monthly, first or last day), BMS or BME (first or last working day), SMS or SME (twice a \
                 month), QS or QE, YS or YE, 4-5-4, 4-4-5 or 5-4-4 (retail months), or a whole number for integer steps"
            ))
        })
    }
}

fn pandas(upper: &str) -> Option<Step> {
    let months = |every, phase, day| Some(Step::Months(Monthly::new(every, phase, day)));
    let fixed = |step| Some(Step::Fixed { step, phase: 0 });
    let (name, anchor) = upper.split_once('-').map_or((upper, None), |(name, anchor)| (name, Some(anchor)));
    let month = |usual: i64| anchor.map_or(Some(usual), |anchor| month(anchor).map(|month| month as i64));
    match name {
        "H" | "HOURLY" if anchor.is_none() => fixed(HOUR),
        "D" | "DAILY" if anchor.is_none() => fixed(DAY),
        "B" | "WORKDAYS" if anchor.is_none() => Some(Step::Open(Open::days(0..5))),
        "W" | "WEEKLY" => {
            let weekday = anchor.map_or(Some(6), weekday)?;
            Some(Step::Fixed { step: WEEK, phase: (weekday as i64 - 3).rem_euclid(7) * DAY })
        }
        "M" | "MS" | "MONTHLY" if anchor.is_none() => months(1, 0, Day::Of(1)),
        "ME" if anchor.is_none() => months(1, 0, Day::Last),
        "BMS" if anchor.is_none() => months(1, 0, Day::FirstWorking),
        "BM" | "BME" if anchor.is_none() => months(1, 0, Day::LastWorking),
        "SMS" if anchor.is_none() => Some(Step::Halves(Halves { days: (Day::Of(1), Day::Of(15)), time: 0 })),
        "SM" | "SME" if anchor.is_none() => Some(Step::Halves(Halves { days: (Day::Of(15), Day::Last), time: 0 })),
        // A quarter's or year's anchor is the month in which it starts (…S) or ends (…E).
        "Q" | "QS" | "QUARTERLY" => months(3, month(0)?.rem_euclid(3), Day::Of(1)),
        "QE" => months(3, month(11)?.rem_euclid(3), Day::Last),
        "BQS" => months(3, month(0)?.rem_euclid(3), Day::FirstWorking),
        "BQ" | "BQE" => months(3, month(11)?.rem_euclid(3), Day::LastWorking),
        "Y" | "YS" | "A" | "AS" | "YEARLY" => months(12, month(0)?, Day::Of(1)),
        "YE" => months(12, month(11)?, Day::Last),
        "INT" | "INTEGER" if anchor.is_none() => Some(Step::Whole { step: 1, phase: 0 }),
        _ => match upper.strip_suffix("MIN") {
            Some(minutes) => {
                minutes.parse().ok().filter(|minutes| (1..=1440).contains(minutes)).and_then(|m: i64| fixed(m * MINUTE))
            }
            None => upper.parse().ok().filter(|step| *step >= 1).map(|step| Step::Whole { step, phase: 0 }),
        },
    }
}

/// `4-5-4`, `4-4-5 last Friday of June`, `4-week nearest SAT DEC`.
fn retail(upper: &str) -> Option<Step> {
    let names = [
        ("4-5-4", Parts::Months(4, 5, 4)),
        ("4-4-5", Parts::Months(4, 4, 5)),
        ("5-4-4", Parts::Months(5, 4, 4)),
        ("4-WEEK", Parts::FourWeeks),
        ("13-WEEK", Parts::Quarters),
        ("52-WEEK", Parts::Years),
    ];
    let (parts, rest) = names.iter().find_map(|(name, parts)| Some((*parts, upper.strip_prefix(name)?)))?;
    let mut retail = Retail { parts, year: YearEnd::NRF, at_end: true, time: 0 };
    for word in rest.split([' ', ',', '-', ':']).filter(|word| !word.is_empty()) {
        match word {
            "NRF" => retail.year = YearEnd::NRF,
            "WALMART" => retail.year = YearEnd::WALMART,
            "LAST" => retail.year.last = true,
            "NEAREST" => retail.year.last = false,
            "START" => retail.at_end = false,
            "END" => retail.at_end = true,
            "OF" | "IN" | "TO" | "THE" | "ON" => {}
            // The month's own end, as in "the Saturday nearest to 31 January".
            "28" | "29" | "30" | "31" => {}
            word => match (weekday(word), month(word)) {
                (Some(weekday), _) => retail.year.weekday = weekday as u8,
                (_, Some(month)) => retail.year.month = month as u8 + 1,
                _ => return None,
            },
        }
    }
    Some(Step::Retail(retail))
}

/// `Mon-Fri`, `Tue Thu Sat`, `h 8-18`, `30min Mon-Fri 9-12 15-19`: a step, days and the first and last timestamps of a day.
fn open(upper: &str) -> Option<Step> {
    let mut step = DAY;
    let mut days: Vec<usize> = Vec::new();
    let mut hours: Vec<(i64, i64)> = Vec::new();
    let clock = |text: &str| {
        let (hours, minutes) = text.split_once(':').unwrap_or((text, "0"));
        let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
        ((0..=24).contains(&hours) && (0..60).contains(&minutes)).then_some(hours * HOUR + minutes * MINUTE)
    };
    for (at, word) in upper.split([' ', ',', '+']).filter(|word| !word.is_empty()).enumerate() {
        let (from, to) = word.split_once('-').unwrap_or((word, word));
        if let (Some(from), Some(to)) = (weekday(from), weekday(to)) {
            // A week may run over Sunday: Thu-Mon.
            days.extend((0..7).map(|ahead| (from + ahead) % 7).take((to + 7 - from) % 7 + 1));
        } else if let Some(Step::Fixed { step: stated, phase: 0 }) = pandas(word).filter(|_| at == 0) {
            step = stated;
        } else {
            hours.push((clock(from)?, clock(to)?));
        }
    }
    let mut open = Open::none(step, 0)?;
    if days.is_empty() {
        days = (0..7).collect();
    }
    if step == DAY && !hours.is_empty() || step < DAY && hours.is_empty() && days.len() == 7 {
        return None;
    }
    if hours.is_empty() {
        hours.push((0, DAY - step));
    }
    if hours.iter().any(|(from, to)| from > to || *to >= DAY) {
        return None;
    }
    // The blocks between the first and the last timestamp, counted on any Monday.
    for block in hours.iter().flat_map(|(from, to)| open.place(*from).1..=open.place(*to).1).collect::<Vec<_>>() {
        days.iter().for_each(|day| open.open(*day, block));
    }
    (!open.is_plain()).then_some(Step::Open(open))
}

impl Frequency {
    /// The text that states it; none where no text does.
    pub(crate) fn stated(&self) -> Option<String> {
        let weekday = |phase: i64| WEEKDAYS[(phase.div_euclid(DAY) + 3).rem_euclid(7) as usize].0;
        let month = |phase: i64| MONTHS[phase.rem_euclid(12) as usize].0;
        let text = match self.0 {
            Step::Whole { step, .. } => step.to_string(),
            Step::Fixed { step: HOUR, .. } => "h".into(),
            Step::Fixed { step: DAY, .. } => "D".into(),
            Step::Fixed { step: WEEK, phase } => format!("W-{}", weekday(phase)),
            Step::Fixed { step, .. } => format!("{}min", step / MINUTE),
            Step::Open(open) => open.stated(),
            Step::Months(Monthly { every, phase, day, .. }) => {
                let unit = [(1, "M"), (3, "Q"), (12, "Y")].into_iter().find(|(months, _)| *months == every)?.1;
                let (before, after) = match day {
                    Day::Of(1) => ("", "S"),
                    Day::Last => ("", "E"),
                    Day::FirstWorking => ("B", "S"),
                    Day::LastWorking => ("B", "E"),
                    Day::Of(_) => return None,
                };
                let anchor = if every == 1 { String::new() } else { format!("-{}", month(phase)) };
                format!("{before}{unit}{after}{anchor}")
            }
            Step::Halves(Halves { days: (Day::Of(1), _), .. }) => "SMS".into(),
            Step::Halves(_) => "SME".into(),
            Step::Retail(retail) => format!("{}{}", retail.name(), if retail.at_end { "" } else { " start" }),
        };
        text.parse::<Self>().is_ok_and(|read| read == *self).then_some(text)
    }
}

impl Retail {
    /// The name under which it is stated.
    pub(super) fn name(&self) -> String {
        let parts = match self.parts {
            Parts::Months(a, b, c) => format!("{a}-{b}-{c}"),
            Parts::FourWeeks => "4-week".into(),
            Parts::Quarters => "13-week".into(),
            Parts::Years => "52-week".into(),
        };
        let weekday = &WEEKDAYS[usize::from(self.year.weekday) % 7].1[..3];
        let month = MONTHS[(usize::from(self.year.month) + 11) % 12].1;
        format!("{parts} {} {weekday} {month}", if self.year.last { "last" } else { "nearest" })
    }
}

impl Open {
    /// The name under which days are stated: `Mon Tue Fri`.
    pub(super) fn name(&self) -> String {
        let shut = self.shut();
        let open = (0..7).filter(|day| !shut.contains(day));
        open.map(|day| &WEEKDAYS[day].1[..3]).collect::<Vec<_>>().join(" ")
    }

    /// The text that states it, where all open days have the same hours.
    fn stated(&self) -> String {
        let days = self.name();
        match self.step() {
            DAY => days,
            step => {
                let step = if step == HOUR { "h".into() } else { format!("{}min", step / MINUTE) };
                let first = (0..7).find(|day| !self.shut().contains(day)).unwrap_or(0);
                format!("{step} {days} {}", self.hours(first).replace(" to ", "-").replace(" and ", " "))
            }
        }
    }
}

impl fmt::Display for Frequency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Step::Whole { step: 1, .. } => f.write_str("integer steps"),
            Step::Whole { step, .. } => write!(f, "every {step} integer steps"),
            Step::Fixed { step: HOUR, .. } => f.write_str("hourly"),
            Step::Fixed { step: DAY, .. } => f.write_str("daily"),
            Step::Fixed { step, phase } if step % WEEK == 0 => {
                // 1970-01-01 was a Thursday, three days after a Monday.
                let weekday =
                    Weekday::try_from((phase.div_euclid(DAY) + 3).rem_euclid(7) as u8).unwrap_or(Weekday::Mon);
                let day = WEEKDAYS[weekday.num_days_from_monday() as usize].1;
                match step / WEEK {
                    1 => write!(f, "weekly ({day}s)"),
                    weeks => write!(f, "every {weeks} weeks ({day}s)"),
                }
            }
            Step::Fixed { step, .. } if step % DAY == 0 => write!(f, "every {} days", step / DAY),
            Step::Fixed { step, .. } if step % HOUR == 0 => write!(f, "every {} hours", step / HOUR),
            Step::Fixed { step, .. } if step % MINUTE == 0 => write!(f, "every {} minutes", step / MINUTE),
            Step::Fixed { step, .. } => write!(f, "every {} seconds", step as f64 / SECOND as f64),
            Step::Open(open) => open.fmt(f),
            Step::Months(Monthly { every, day, any_day, .. }) => {
                match every {
                    1 => f.write_str("monthly")?,
                    3 => f.write_str("quarterly")?,
                    12 => f.write_str("yearly")?,
                    _ => write!(f, "every {every} months")?,
                }
                write!(f, " ({}{})", day.words(), if any_day { ", whatever the day" } else { "" })
            }
            Step::Halves(Halves { days: (first, second), .. }) => {
                write!(f, "twice a month ({} and {})", first.words(), second.words())
            }
            Step::Retail(retail) => retail.fmt(f),
        }
    }
}
