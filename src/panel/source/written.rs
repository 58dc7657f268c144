//! Which date is in one cell, if dates are written in a given way?
//!
//! A way of writing is a pattern of the signs that strftime has, and of a few more: `%B` and `%b` are a month's name in any
//! of many languages, full or short; `%A` is a weekday's name, which must be that of the date; `%q` is a quarter, `%Z` the
//! abbreviation of a time zone. A blank stands for any white space, or none.

use std::sync::LazyLock;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

use super::names;

/// Ways to write a date, a month, a week or a quarter; the first that reads every cell is taken, unless another reads them
/// all differently.
pub(super) const DATES: &[&str] = &[
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%Y%m%d",
    "%d.%m.%y",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d-%m-%y",
    "%m-%d-%y",
    "%y-%m-%d",
    // With the month's name.
    "%B %d, %Y",
    "%d %B %Y",
    "%d. %B %Y",
    "%d-%B-%Y",
    "%d/%B/%Y",
    "%d.%B.%Y",
    "%Y-%B-%d",
    "%Y %B %d",
    "%B %d %Y",
    "%d de %B de %Y",
    "%d %B, %Y",
    "%d-%B-%y",
    "%d %B %y",
    "%d/%B/%y",
    "%A, %B %d, %Y",
    "%A, %d %B %Y",
    "%A %d %B %Y",
    "%A, %d. %B %Y",
    "%A %B %d %Y",
    "%A, %d de %B de %Y",
    "%A %Y-%m-%d",
    "%A, %d.%m.%Y",
    "%A %d.%m.%Y",
    "%A %d/%m/%Y",
    "%A %m/%d/%Y",
    "%A, %m/%d/%Y",
    "%A, %d/%m/%Y",
    "%Y-%m-%d %A",
    "%d.%m.%Y %A",
];

pub(super) const PERIODS: &[&str] = &[
    // Months.
    "%Y-%m",
    "%m/%Y",
    "%Y/%m",
    "%m.%Y",
    "%m-%Y",
    "%B %Y",
    "%B-%Y",
    "%B/%Y",
    "%B.%Y",
    "%B, %Y",
    "%B de %Y",
    "%B del %Y",
    "%Y %B",
    "%Y-%B",
    "%Y/%B",
    "%B-%y",
    "%B %y",
    "%B/%y",
    "%YM%m",
    "%Y-M%m",
    "%Y M%m",
    "M%m %Y",
    "M%m-%Y",
    "%mM%Y",
    // Weeks.
    "%G-W%V",
    "%GW%V",
    "%G W%V",
    "%G/W%V",
    "W%V-%G",
    "W%V %G",
    "W%V/%G",
    "Week %V %G",
    "Week %V, %G",
    "%G Week %V",
    "%G-Week%V",
    "%G, Week %V",
    "Wk %V %G",
    "%G Wk %V",
    "KW %V %G",
    "KW %V/%G",
    "KW%V-%G",
    "%G KW %V",
    "%G-KW%V",
    "%G/KW%V",
    "CW %V %G",
    "CW %V/%G",
    "CW%V-%G",
    "%G CW %V",
    "%G-CW%V",
    "v%V %G",
    "%G v%V",
    // Quarters.
    "%Y-Q%q",
    "%YQ%q",
    "%Y Q%q",
    "%Y/Q%q",
    "Q%q %Y",
    "Q%q-%Y",
    "Q%q/%Y",
    "Q%q, %Y",
    "%Y-K%q",
    "%YK%q",
    "%Y K%q",
    "K%q %Y",
];

/// Days that a time of day may stand beside, and these times.
const CLOCK_DATES: &[&str] = &[
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d.%m.%y",
    "%d/%m/%y",
    "%m/%d/%y",
    "%B %d, %Y",
    "%B %d %Y",
    "%d %B %Y",
    "%d. %B %Y",
    "%d-%B-%Y",
    "%d-%B-%y",
    "%A, %B %d, %Y",
    "%A, %d %B %Y",
    "%A, %d. %B %Y",
    "%A %d %B %Y",
];
const CLOCKS: &[&str] = &[
    "%H:%M:%S%.f",
    "%H:%M",
    "%I:%M:%S%.f %p",
    "%I:%M %p",
    "%I %p",
    "%H:%M:%S%.f %Z",
    "%H:%M %Z",
    "%I:%M:%S%.f %p %Z",
    "%I:%M %p %Z",
    "%H:%M:%S%.f%#z",
    "%H:%M%#z",
];
const TOGETHER: &[&str] = &[
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%dT%H:%M%#z",
    "%Y%m%d%H%M%S",
    "%Y%m%dT%H%M%S",
    "%Y%m%dT%H%M%S%#z",
    "%Y%m%d %H%M%S",
    "%Y%m%d %H:%M:%S",
    "%Y%m%d %H:%M",
    "%A %B %d %H:%M:%S %Y",
    "%A %B %d %H:%M:%S %Z %Y",
];

/// All ways of writing that are tried, with a blank or a comma between a date and its time.
static PATTERNS: LazyLock<Vec<Pattern>> = LazyLock::new(|| {
    let alone = DATES.iter().chain(PERIODS).chain(TOGETHER).map(ToString::to_string);
    let clocked = CLOCK_DATES.iter().flat_map(|date| {
        CLOCKS.iter().flat_map(move |clock| {
            // A comma stands before the time where the date has a name in it.
            let comma = if date.contains("%B") { Some(format!("{date}, {clock}")) } else { None };
            std::iter::once(format!("{date} {clock}")).chain(comma)
        })
    });
    alone.chain(clocked).filter_map(|format| Pattern::new(&format)).collect()
});

/// All ways of writing that are tried where none is stated.
pub(super) fn patterns() -> &'static [Pattern] {
    &PATTERNS
}

/// A way of writing dates.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    /// As strftime writes it.
    pub(super) format: String,
    /// The language of the names of months; none where any that fits will do.
    language: Option<&'static str>,
    signs: Option<Vec<Sign>>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Sign {
    Blank,
    Letter(char),
    /// A number by its sign in strftime, and the fewest and most digits that it has.
    Number(char, usize, usize),
    Fraction,
    Half,
    Month,
    Weekday,
    Zone,
    Offset,
}

/// What a cell says.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Stamp {
    /// Midnight of the first day of what the cell names, or its time.
    pub(super) local: NaiveDateTime,
    /// Seconds from UTC.
    pub(super) offset: Option<i32>,
    /// The time zone whose abbreviation stands beside it.
    pub(super) zone: Option<&'static str>,
}

/// Abbreviations of time zones, seconds from UTC, and the zone that they are used in.
const ZONES: &[(&str, i32, &str)] = &[
    ("UTC", 0, "UTC"),
    ("Z", 0, "UTC"),
    ("GMT", 0, "Europe/London"),
    ("BST", 3600, "Europe/London"),
    ("WET", 0, "Europe/Lisbon"),
    ("WEST", 3600, "Europe/Lisbon"),
    ("CET", 3600, "Europe/Berlin"),
    ("CEST", 7200, "Europe/Berlin"),
    ("MEZ", 3600, "Europe/Berlin"),
    ("MESZ", 7200, "Europe/Berlin"),
    ("EET", 7200, "Europe/Helsinki"),
    ("EEST", 10800, "Europe/Helsinki"),
    ("MSK", 10800, "Europe/Moscow"),
    ("EST", -18000, "America/New_York"),
    ("EDT", -14400, "America/New_York"),
    ("CST", -21600, "America/Chicago"),
    ("CDT", -18000, "America/Chicago"),
    ("MST", -25200, "America/Denver"),
    ("MDT", -21600, "America/Denver"),
    ("PST", -28800, "America/Los_Angeles"),
    ("PDT", -25200, "America/Los_Angeles"),
    ("AKST", -32400, "America/Anchorage"),
    ("AKDT", -28800, "America/Anchorage"),
    ("HST", -36000, "Pacific/Honolulu"),
    ("BRT", -10800, "America/Sao_Paulo"),
    ("SAST", 7200, "Africa/Johannesburg"),
    ("SGT", 28800, "Asia/Singapore"),
    ("HKT", 28800, "Asia/Hong_Kong"),
    ("JST", 32400, "Asia/Tokyo"),
    ("KST", 32400, "Asia/Seoul"),
    ("AWST", 28800, "Australia/Perth"),
    ("ACST", 34200, "Australia/Adelaide"),
    ("ACDT", 37800, "Australia/Adelaide"),
    ("AEST", 36000, "Australia/Sydney"),
    ("AEDT", 39600, "Australia/Sydney"),
    ("NZST", 43200, "Pacific/Auckland"),
    ("NZDT", 46800, "Pacific/Auckland"),
];

impl Pattern {
    /// A pattern of signs that are known here; none if a sign is not.
    fn new(format: &str) -> Option<Self> {
        Some(Self { format: format.into(), language: None, signs: Some(signs(format)?) })
    }

    /// A pattern that somebody states, with all signs of strftime; `hr:%d. %B %Y` has the months of a language.
    pub(super) fn stated(text: &str) -> Self {
        let known = |language: &str| names::languages().find(|known| *known == language);
        let (language, format) = match text.split_once(':').and_then(|(a, format)| Some((known(a)?, format))) {
            Some((language, format)) => (Some(language), format),
            None => (None, text),
        };
        Self { format: text.into(), language, signs: signs(format) }
    }

    /// Does it have a time of day?
    pub(super) fn has_clock(&self) -> bool {
        match &self.signs {
            Some(signs) => {
                signs.iter().any(|sign| matches!(sign, Sign::Number('H' | 'I', ..) | Sign::Offset | Sign::Zone))
            }
            None => ["%H", "%I", "%s", "%T", "%R", "%k", "%l", "z"].iter().any(|sign| self.format.contains(sign)),
        }
    }

    /// Is the time of day one of twelve hours?
    pub(super) fn is_halved(&self) -> bool {
        self.signs.as_ref().is_some_and(|signs| signs.contains(&Sign::Half))
    }

    /// Has it the names of months?
    pub(super) fn has_names(&self) -> bool {
        self.language.is_none() && self.signs.as_ref().is_some_and(|signs| signs.contains(&Sign::Month))
    }

    /// Has it years of two digits beside the names of months, and no day: `Jan-24`?
    pub(super) fn is_short(&self) -> bool {
        self.signs.as_ref().is_some_and(|signs| {
            let has = |letter: char| signs.iter().any(|sign| matches!(sign, Sign::Number(c, ..) if *c == letter));
            signs.contains(&Sign::Month) && has('y') && !has('d')
        })
    }

    /// Does it tell the time zone or the offset from UTC?
    pub(super) fn is_zoned(&self) -> bool {
        self.signs.as_ref().is_some_and(|signs| signs.contains(&Sign::Offset) || signs.contains(&Sign::Zone))
    }

    /// The languages in which it may read a text.
    pub(super) fn languages(&self, text: &str) -> Vec<&'static str> {
        if self.has_names() { names::of(text) } else { vec![""] }
    }

    /// What a cell says, with the names of months in a language if there are any.
    pub(super) fn read(&self, text: &str, language: &str) -> Option<Stamp> {
        match &self.signs {
            Some(signs) => cell(text.trim(), signs, self.language.unwrap_or(language))?.stamp(),
            None => by_chrono(text, &self.format),
        }
    }

    /// The number of the week that a cell names, and its year, if that year has no such week.
    pub(super) fn no_such_week(&self, text: &str) -> Option<(i32, u32)> {
        let cell = cell(text.trim(), self.signs.as_ref()?, "en")?;
        let (year, week) = (cell.iso?, cell.week?);
        (NaiveDate::from_isoywd_opt(year, week, chrono::Weekday::Mon).is_none()).then_some((year, week))
    }
}

fn signs(format: &str) -> Option<Vec<Sign>> {
    let mut signs = Vec::new();
    let mut rest = format;
    let long = [("%F", "%Y-%m-%d"), ("%T", "%H:%M:%S"), ("%R", "%H:%M"), ("%D", "%m/%d/%y"), ("%r", "%I:%M:%S %p")];
    let written = long.iter().fold(rest.to_string(), |format, (short, full)| format.replace(short, full));
    rest = &written;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        if c.is_whitespace() {
            signs.push(Sign::Blank);
            continue;
        }
        if c != '%' {
            signs.push(Sign::Letter(c));
            continue;
        }
        let known = [
            (".f", Sign::Fraction),
            ("#z", Sign::Offset),
            (":z", Sign::Offset),
            ("z", Sign::Offset),
            ("Z", Sign::Zone),
            ("p", Sign::Half),
            ("P", Sign::Half),
            ("B", Sign::Month),
            ("b", Sign::Month),
            ("h", Sign::Month),
            ("A", Sign::Weekday),
            ("a", Sign::Weekday),
            ("%", Sign::Letter('%')),
        ];
        if let Some((sign, meaning)) = known.into_iter().find(|(sign, _)| rest.starts_with(sign)) {
            rest = &rest[sign.len()..];
            signs.push(meaning);
            continue;
        }
        rest = rest.strip_prefix(['-', '_', '0']).unwrap_or(rest);
        let c = rest.chars().next()?;
        rest = &rest[c.len_utf8()..];
        signs.push(match c {
            'Y' | 'G' => Sign::Number(c, 4, 4),
            'y' => Sign::Number(c, 2, 2),
            'q' => Sign::Number(c, 1, 1),
            'e' => Sign::Number('d', 1, 2),
            'k' => Sign::Number('H', 1, 2),
            'l' => Sign::Number('I', 1, 2),
            'm' | 'd' | 'H' | 'I' | 'M' | 'S' | 'V' => Sign::Number(c, 1, 2),
            _ => return None,
        });
    }
    // Where numbers stand side by side, each has all of its digits.
    for at in 0..signs.len() {
        let beside = |at: Option<usize>| at.and_then(|at| signs.get(at)).is_some_and(|s| matches!(s, Sign::Number(..)));
        if let Sign::Number(c, _, most) = signs[at]
            && (beside(at.checked_sub(1)) || beside(Some(at + 1)))
        {
            signs[at] = Sign::Number(c, most, most);
        }
    }
    Some(signs)
}

/// The parts of a date in the making.
#[derive(Default)]
struct Cell {
    year: Option<i32>,
    iso: Option<i32>,
    month: Option<u32>,
    day: Option<u32>,
    week: Option<u32>,
    quarter: Option<u32>,
    weekday: Option<u32>,
    hour: Option<u32>,
    half: Option<u32>,
    afternoon: Option<bool>,
    minute: u32,
    second: u32,
    nanos: u32,
    offset: Option<i32>,
    zone: Option<&'static str>,
}

fn cell(mut text: &str, signs: &[Sign], language: &str) -> Option<Cell> {
    let mut cell = Cell::default();
    for (at, sign) in signs.iter().enumerate() {
        match *sign {
            Sign::Blank => text = text.trim_start(),
            Sign::Letter(letter) => {
                let c = text.chars().next()?;
                if c != letter && !(letter.is_alphabetic() && c.to_lowercase().eq(letter.to_lowercase())) {
                    return None;
                }
                text = &text[c.len_utf8()..];
            }
            Sign::Number(of, least, most) => {
                // `1. 2. 2024`
                if matches!(at.checked_sub(1).map(|at| signs[at]), Some(Sign::Letter(_))) {
                    text = text.trim_start();
                }
                let length = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
                if length < least {
                    return None;
                }
                let number: u32 = text[..length].parse().ok()?;
                text = &text[length..];
                match of {
                    // Two digits are no year of sales.
                    'Y' => cell.year = Some(i32::try_from(number).ok().filter(|year| *year >= 1000)?),
                    'G' => cell.iso = Some(i32::try_from(number).ok().filter(|year| *year >= 1000)?),
                    'y' => cell.year = Some(number as i32 + if number < 70 { 2000 } else { 1900 }),
                    'm' => cell.month = Some(number),
                    'd' => {
                        cell.day = Some(number);
                        text = ordinal(text);
                    }
                    'V' => cell.week = Some(number),
                    'q' => cell.quarter = Some(number),
                    'H' => cell.hour = Some(number),
                    'I' => cell.half = Some(number),
                    'M' => cell.minute = number,
                    _ => cell.second = number,
                }
            }
            Sign::Fraction => {
                if let Some(rest) = text.strip_prefix(['.', ',']) {
                    let length = rest.bytes().take_while(u8::is_ascii_digit).count();
                    let digits: String = rest[..length].chars().chain("000000000".chars()).take(9).collect();
                    cell.nanos = (length > 0).then(|| digits.parse().ok()).flatten()?;
                    text = &rest[length..];
                }
            }
            Sign::Half => {
                text = text.trim_start();
                let first = text.chars().next()?.to_ascii_lowercase();
                cell.afternoon = Some(match first {
                    'a' => false,
                    'p' => true,
                    _ => return None,
                });
                // `am`, `a.m.`, `a. m.`
                let rest = text[1..].trim_start_matches(['.', ' ', '\u{a0}', '\u{202f}']);
                let rest = rest.strip_prefix(['m', 'M'])?;
                text = rest.strip_prefix('.').unwrap_or(rest);
            }
            Sign::Month => {
                let (name, rest) = word(text)?;
                cell.month = Some(names::month(&names::folded(name), language)?);
                text = rest;
            }
            Sign::Weekday => {
                let (name, rest) = word(text)?;
                cell.weekday = Some(names::weekday(&names::folded(name))?);
                text = rest;
            }
            Sign::Zone => {
                text = text.trim_start();
                let (name, rest) = word(text)?;
                let (_, offset, zone) = ZONES.iter().find(|(known, ..)| known.eq_ignore_ascii_case(name))?;
                (cell.offset, cell.zone) = (Some(*offset), Some(*zone));
                text = rest;
            }
            Sign::Offset => {
                let (offset, rest) = offset(text.trim_start())?;
                cell.offset = Some(offset);
                text = rest;
            }
        }
    }
    text.is_empty().then_some(cell)
}

/// What follows the letters that make a day an ordinal number: `1st`, `2nd`, `1er`.
fn ordinal(text: &str) -> &str {
    ["st", "nd", "rd", "th", "er", "º", "°"].iter().find_map(|end| text.strip_prefix(end)).unwrap_or(text)
}

/// A word, its point included, and what follows.
fn word(text: &str) -> Option<(&str, &str)> {
    let is_mark = |c: &char| ('\u{300}'..='\u{36f}').contains(c);
    let end = text.find(|c: char| !c.is_alphabetic() && !is_mark(&c)).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    // The point of `Jan. 2024`; in `01.Jan.2024` it is the pattern's.
    let rest = match rest.strip_prefix('.') {
        Some(after) if after.is_empty() || !after.starts_with(|c: char| c.is_ascii_digit()) => after,
        _ => rest,
    };
    (!name.is_empty()).then_some((name, rest))
}

/// `+02:00`, `+0200`, `+02`, `Z`, and what follows.
fn offset(text: &str) -> Option<(i32, &str)> {
    if let Some(rest) = text.strip_prefix(['Z', 'z']) {
        return Some((0, rest));
    }
    let sign = match text.chars().next()? {
        '+' => 1,
        '-' => -1,
        '−' => -1,
        _ => return None,
    };
    let text = text.trim_start_matches(['+', '-', '−']);
    let two = |text: &str| -> Option<i32> {
        let digits = text.get(..2).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
        digits.parse().ok()
    };
    let hours = two(text)?;
    let rest = &text[2..];
    let (minutes, rest) = match two(rest.strip_prefix(':').unwrap_or(rest)) {
        Some(minutes) => (minutes, &rest.strip_prefix(':').unwrap_or(rest)[2..]),
        None => (0, rest),
    };
    (hours < 24 && minutes < 60).then_some((sign * (hours * 3600 + minutes * 60), rest))
}

impl Cell {
    fn stamp(&self) -> Option<Stamp> {
        let date = match (self.week, self.quarter) {
            (Some(week), _) => NaiveDate::from_isoywd_opt(self.iso.or(self.year)?, week, chrono::Weekday::Mon)?,
            (_, Some(quarter)) => {
                NaiveDate::from_ymd_opt(self.year?, (1..=4).contains(&quarter).then_some(quarter * 3 - 2)?, 1)?
            }
            _ => NaiveDate::from_ymd_opt(self.year?, self.month?, self.day.unwrap_or(1))?,
        };
        if self.weekday.is_some_and(|day| day != date.weekday().num_days_from_monday()) {
            return None;
        }
        let hour = match (self.half, self.afternoon) {
            (Some(hour), Some(afternoon)) => {
                (1..=12).contains(&hour).then_some(hour % 12 + if afternoon { 12 } else { 0 })?
            }
            (Some(_), None) => return None,
            // `13:05 PM` is said twice, `0:05 PM` is a contradiction.
            (None, Some(afternoon)) => self.hour.filter(|hour| (*hour >= 12) == afternoon)?,
            (None, None) => self.hour.unwrap_or(0),
        };
        let time = NaiveTime::from_hms_nano_opt(hour, self.minute, self.second, self.nanos)?;
        Some(Stamp { local: date.and_time(time), offset: self.offset, zone: self.zone })
    }
}

/// With signs that only chrono knows: days of the year, weeks from Sunday.
fn by_chrono(text: &str, format: &str) -> Option<Stamp> {
    let stamp = |local| Stamp { local, offset: None, zone: None };
    let day = |text: &str, format: &str| {
        NaiveDate::parse_from_str(text, format).ok().map(|date| stamp(date.and_time(NaiveTime::MIN)))
    };
    if format.contains("z") {
        let read = DateTime::parse_from_str(text, format).ok()?;
        let offset = Some(read.offset().local_minus_utc());
        return Some(Stamp { local: read.naive_local(), offset, zone: None });
    }
    if ["%H", "%I", "%s", "%T", "%R", "%k", "%l"].iter().any(|sign| format.contains(sign)) {
        return NaiveDateTime::parse_from_str(text, format).ok().map(stamp);
    }
    // A week is its Monday.
    if ["%V", "%W", "%U"].iter().any(|week| format.contains(week)) {
        return day(&format!("{text}-1"), &format!("{format}-%u"));
    }
    let whole = ["%d", "%j", "%e", "%x", "%c"].iter().any(|sign| format.contains(sign));
    if whole { day(text, format) } else { day(&format!("1 {text}"), &format!("%d {format}")) }
        .filter(|stamp| !format.contains("%Y") || stamp.local.year() >= 1000)
}

/// Whole or broken numbers that count days or seconds, by the word that states them.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Count {
    /// Days since 1899-12-30, as spreadsheets count.
    Excel,
    /// Days since 1904-01-01.
    Excel1904,
    /// Parts of a second since 1970-01-01T00:00 UTC, so many in a second.
    Unix(i64),
}

impl Count {
    pub(super) const WORDS: [(&str, Self); 6] = [
        ("excel", Self::Excel),
        ("excel1904", Self::Excel1904),
        ("unix", Self::Unix(1)),
        ("unix_ms", Self::Unix(1_000)),
        ("unix_us", Self::Unix(1_000_000)),
        ("unix_ns", Self::Unix(1_000_000_000)),
    ];

    pub(super) fn stated(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(known, _)| *known == word).map(|(_, count)| *count)
    }

    pub(super) fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, count)| *count == self).map_or("", |(word, _)| word)
    }

    /// The time that a number in a cell stands for; that of a spreadsheet to the second.
    pub(super) fn read(self, text: &str) -> Option<NaiveDateTime> {
        match self {
            Self::Excel | Self::Excel1904 => {
                let days: f64 = text.parse().ok()?;
                if !(1.0..2_958_466.0).contains(&days) {
                    return None;
                }
                let start = if self == Self::Excel { (1899, 12, 30) } else { (1904, 1, 1) };
                let start = NaiveDate::from_ymd_opt(start.0, start.1, start.2)?.and_time(NaiveTime::MIN);
                start.checked_add_signed(TimeDelta::try_seconds((days * 86_400.0).round() as i64)?)
            }
            Self::Unix(parts) => {
                let whole = text.strip_suffix(".0").unwrap_or(text);
                let micros = match whole.parse::<i64>() {
                    Ok(count) if parts <= 1_000_000 => count.checked_mul(1_000_000 / parts)?,
                    Ok(count) => count.div_euclid(parts / 1_000_000),
                    Err(_) => (text.parse::<f64>().ok()? * (1e6 / parts as f64)).round() as i64,
                };
                DateTime::from_timestamp_micros(micros).map(|stamp| stamp.naive_utc())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str, format: &str) -> Option<String> {
        names::languages()
            .find_map(|language| Pattern::stated(format).read(text, language).map(|stamp| stamp.local.to_string()))
    }

    /// All different readings of a text by the ways of writing that are tried.
    fn readings(text: &str) -> Vec<String> {
        let mut readings: Vec<String> = patterns()
            .iter()
            .flat_map(|pattern| names::languages().filter_map(|language| pattern.read(text, language)))
            .map(|stamp| stamp.local.to_string())
            .collect();
        readings.sort();
        readings.dedup();
        readings
    }

    #[test]
    fn ways_to_write_a_date() {
        for (text, format, date) in [
            ("2024-02-29", "%Y-%m-%d", Some("2024-02-29 00:00:00")),
            ("2023-02-29", "%Y-%m-%d", None),
            ("2024-03", "%Y-%m", Some("2024-03-01 00:00:00")),
            ("Mar 2024", "%b %Y", Some("2024-03-01 00:00:00")),
            ("2020-W53", "%G-W%V", Some("2020-12-28 00:00:00")),
            ("2021-W53", "%G-W%V", None),
            ("2024Q4", "%YQ%q", Some("2024-10-01 00:00:00")),
            ("2024Q5", "%YQ%q", None),
            ("24Ä", "%YQ%q", None),
            ("01.02.12", "%d.%m.%Y", None),
            ("202412", "%Y%m", Some("2024-12-01 00:00:00")),
            ("20241", "%Y%m", None),
            ("2024060", "%Y%j", Some("2024-02-29 00:00:00")),
            ("202400", "%Y%W", None),
            ("1/5/2024 12:30:00 pm", "%m/%d/%Y %I:%M:%S %p", Some("2024-01-05 12:30:00")),
            ("1/5/2024 12:30:00 AM", "%-m/%-d/%Y %r", Some("2024-01-05 00:30:00")),
        ] {
            assert_eq!(read(text, format).as_deref(), date, "{text} by {format}");
        }
        let stamp = Pattern::stated("%Y-%m-%dT%H:%M:%S%.f%#z").read("2024-03-31T03:00:00+02:00", "en").unwrap();
        assert_eq!((stamp.local.to_string().as_str(), stamp.offset), ("2024-03-31 03:00:00", Some(7200)));
    }

    #[test]
    fn one_reading_of_each() {
        for (text, date) in [
            ("1/15/2024 12:00:00 AM", "2024-01-15 00:00:00"),
            ("01/15/2024 9:05 pm", "2024-01-15 21:05:00"),
            ("2024-01-05 12:30:00 PM", "2024-01-05 12:30:00"),
            ("2024-01-05 9:05:07 a.m.", "2024-01-05 09:05:07"),
            ("2024-01-01 00:00:00 UTC", "2024-01-01 00:00:00"),
            ("Jan 1, 2024 12:03:25 AM PST", "2024-01-01 00:03:25"),
            ("01-Jan-24", "2024-01-01 00:00:00"),
            ("1 January 2024", "2024-01-01 00:00:00"),
            ("January 1st, 2024", "2024-01-01 00:00:00"),
            ("Monday, January 1, 2024", "2024-01-01 00:00:00"),
            ("Montag, 1. Januar 2024", "2024-01-01 00:00:00"),
            ("lundi 1 janvier 2024", "2024-01-01 00:00:00"),
            ("1er février 2024", "2024-02-01 00:00:00"),
            ("1 de enero de 2024", "2024-01-01 00:00:00"),
            ("mars 2024", "2024-03-01 00:00:00"),
            ("Mär. 2024", "2024-03-01 00:00:00"),
            ("янв 2024", "2024-01-01 00:00:00"),
            ("2021 Jan", "2021-01-01 00:00:00"),
            ("2021M01", "2021-01-01 00:00:00"),
            ("2021-M1", "2021-01-01 00:00:00"),
            ("2021 W01", "2021-01-04 00:00:00"),
            ("2021-W1", "2021-01-04 00:00:00"),
            ("2021W01", "2021-01-04 00:00:00"),
            ("Week 1 2021", "2021-01-04 00:00:00"),
            ("W01-2021", "2021-01-04 00:00:00"),
            ("KW 1 2021", "2021-01-04 00:00:00"),
            ("KW01/2021", "2021-01-04 00:00:00"),
            ("CW01 2021", "2021-01-04 00:00:00"),
            ("2018 Q1", "2018-01-01 00:00:00"),
            ("Q1-2018", "2018-01-01 00:00:00"),
            ("2018 K2", "2018-04-01 00:00:00"),
            ("1. 2. 2024 8:30", "2024-02-01 08:30:00"),
            ("20240105T083000Z", "2024-01-05 08:30:00"),
            ("2024-01-05 08:30:00,250", "2024-01-05 08:30:00.250"),
            ("Jan-24", "2024-01-01 00:00:00"),
        ] {
            assert_eq!(readings(text), [date], "{text}");
        }
        for text in
            ["13:00 PM", "Tuesday, January 1, 2024", "2021 W54", "2024-01-05 0:30 PM", "31.02.2024", "Jan 2024 x"]
        {
            assert!(readings(text).is_empty(), "{text}: {:?}", readings(text));
        }
        assert_eq!(readings("01/02/2024").len(), 2);
        assert_eq!(readings("3 listopad 2024"), ["2024-10-03 00:00:00", "2024-11-03 00:00:00"]);
    }

    #[test]
    fn numbers_that_count_time() {
        let read = |count: Count, text| count.read(text).map(|stamp| stamp.to_string());
        for (count, text, stamp) in [
            (Count::Excel, "45292", "2024-01-01 00:00:00"),
            (Count::Excel, "45292.5", "2024-01-01 12:00:00"),
            (Count::Excel, "45292.4583333", "2024-01-01 11:00:00"),
            (Count::Excel1904, "43830", "2024-01-01 00:00:00"),
            (Count::Unix(1), "1704067200", "2024-01-01 00:00:00"),
            (Count::Unix(1_000), "1704067200000", "2024-01-01 00:00:00"),
            (Count::Unix(1_000_000_000), "1704067200000000000", "2024-01-01 00:00:00"),
        ] {
            assert_eq!(read(count, text).as_deref(), Some(stamp), "{text}");
        }
        assert_eq!((read(Count::Excel, "1e300"), read(Count::Unix(1), "99999999999999999")), (None, None));
    }

    proptest! {
        /// A time in any of these ways is read as what it is, or in doubt; never only as something else.
        #[test]
        fn written_and_read(day in 0_i64..30_000, second in 0_i64..86_400, way in 0_usize..400) {
            let start = NaiveDate::from_ymd_opt(1980, 1, 1).unwrap();
            let date = start + TimeDelta::days(day);
            let patterns = patterns();
            let pattern = &patterns[way % patterns.len()];
            let time = NaiveTime::from_num_seconds_from_midnight_opt(second as u32, 0).unwrap();
            let stamp = date.and_time(time);
            let quarter = (date.month0() / 3 + 1).to_string();
            let format = pattern.format.replace("%q", &quarter).replace("%#z", "+0100").replace("%Z", "UTC");
            let text = stamp.format(&format).to_string();
            let again = pattern.read(&text, "en");
            prop_assert!(again.is_some(), "{} by {}", text, pattern.format);
            let again = again.unwrap().local;
            let whole = again.format(&format).to_string();
            prop_assert!(again <= stamp || pattern.format.contains("%y"), "{} is {}", text, again);
            prop_assert!(whole == text || pattern.format.contains("%y"), "{} by {}", text, pattern.format);
        }

        #[test]
        fn arbitrary_cells(text in "[0-9A-Za-zäé., :/+\u{301}-]{0,24}") {
            for pattern in patterns() {
                let _ = pattern.read(&text, "de");
            }
            for (_, count) in Count::WORDS {
                let _ = count.read(&text);
            }
        }
    }
}
