//! When is Easter, Black Friday, Eid? Moving holidays and retail events, most of them not public holidays.
//!
//! Holidays that follow Easter come from the computus (crate `computus`), those on a weekday of a month from their
//! rule; those of the Islamic, Jewish, Chinese and Hindu calendars from the public holidays of a country that observes
//! them, 2000 to 2050 (Eid and the Islamic new year from the United Arab Emirates, Diwali 2001 to 2035 from India,
//! Deepavali from Singapore); future dates that depend on the sighting of the moon are estimates. A year for which a
//! date is not known is an error.
//!
//! Countries see the moon on different evenings, or reckon otherwise: Eid al-Adha of 2015 was on 23 September in the Emirates and on
//! the 24th in Turkey and Indonesia. With `country`, the dates are those of its own public holidays, as far as it has that holiday;
//! where it has none, it is said that they are those of the country above.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use chrono::{Datelike, Days, NaiveDate, Weekday};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::countries::name_of;
use super::holidays::{Country, FIRST, Holidays, LAST, check_reach};
use super::{Data, Derive, Derived, Kind, Places, slug};
use crate::error::{Error, Result, suggestion};
use crate::options;
use crate::panel::Panel;

/// Options of `feasts`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Feasts {
    /// Their names: easter, black_friday, super_bowl, eid_al_fitr …; an unknown one lists them all.
    names: Vec<String>,
    /// The country whose dates are taken where countries differ (Eid, Diwali, the lunar new year): its code or name; an estimate for
    /// all if none is stated.
    country: Option<String>,
    /// Also mark this many days before, in a column of its own.
    before: usize,
    /// Also mark this many days after, in a column of its own.
    after: usize,
}

/// How a feast's day is found.
enum Rule {
    /// Days from Easter Sunday, Gregorian or Julian.
    Easter(i64),
    Orthodox(i64),
    /// The n-th weekday of a month, and days from it.
    Nth(u32, Weekday, u8, i64),
    /// The same day each year.
    Fixed(u32, u32),
    /// The n-th last Sunday before Christmas Day.
    Advent(u64),
    SuperBowl,
    /// The first day of each run of a country's holiday of that name.
    Kept(&'static str, &'static str),
}

/// Every feast by name.
const RULES: [(&str, Rule); 43] = [
    ("advent", Rule::Advent(4)),
    ("ascension", Rule::Easter(39)),
    ("ash_wednesday", Rule::Easter(-46)),
    ("black_friday", Rule::Nth(11, Weekday::Thu, 4, 1)),
    ("carnival_monday", Rule::Easter(-48)),
    ("chinese_new_year", Rule::Kept("CN", "Chinese New Year (Spring Festival)")),
    ("christmas_eve", Rule::Fixed(12, 24)),
    ("corpus_christi", Rule::Easter(60)),
    ("cyber_monday", Rule::Nth(11, Weekday::Thu, 4, 4)),
    ("deepavali", Rule::Kept("SG", "Diwali")),
    ("diwali", Rule::Kept("IN", "Diwali")),
    ("dragon_boat", Rule::Kept("CN", "Dragon Boat Festival")),
    ("easter", Rule::Easter(0)),
    ("easter_monday", Rule::Easter(1)),
    ("eid_al_adha", Rule::Kept("AE", "Eid al-Adha")),
    ("eid_al_fitr", Rule::Kept("AE", "Eid al-Fitr")),
    ("fathers_day", Rule::Nth(6, Weekday::Sun, 3, 0)),
    ("good_friday", Rule::Easter(-2)),
    ("halloween", Rule::Fixed(10, 31)),
    ("islamic_new_year", Rule::Kept("AE", "Islamic New Year")),
    ("labor_day_us", Rule::Nth(9, Weekday::Mon, 1, 0)),
    ("mardi_gras", Rule::Easter(-47)),
    ("memorial_day_us", Rule::Nth(5, Weekday::Mon, 5, 0)),
    ("mid_autumn", Rule::Kept("CN", "Mid-Autumn Festival")),
    ("mothering_sunday", Rule::Easter(-21)),
    ("mothers_day", Rule::Nth(5, Weekday::Sun, 2, 0)),
    ("new_years_eve", Rule::Fixed(12, 31)),
    ("orthodox_easter", Rule::Orthodox(0)),
    ("orthodox_easter_monday", Rule::Orthodox(1)),
    ("orthodox_good_friday", Rule::Orthodox(-2)),
    ("palm_sunday", Rule::Easter(-7)),
    ("passover", Rule::Kept("IL", "Pesach")),
    ("pentecost", Rule::Easter(49)),
    ("rosh_hashanah", Rule::Kept("IL", "Rosh Hashanah")),
    ("saint_nicholas", Rule::Fixed(12, 6)),
    ("singles_day", Rule::Fixed(11, 11)),
    ("super_bowl", Rule::SuperBowl),
    ("thanksgiving_canada", Rule::Nth(10, Weekday::Mon, 2, 0)),
    ("thanksgiving_us", Rule::Nth(11, Weekday::Thu, 4, 0)),
    ("valentines_day", Rule::Fixed(2, 14)),
    ("whit_monday", Rule::Easter(50)),
    ("womens_day", Rule::Fixed(3, 8)),
    ("yom_kippur", Rule::Kept("IL", "Yom Kippur")),
];

/// What shops all over the world may notice.
const COMMON: [(&str, Rule); 10] = [
    ("good_friday", Rule::Easter(-2)),
    ("easter", Rule::Easter(0)),
    ("easter_monday", Rule::Easter(1)),
    ("thanksgiving_us", Rule::Nth(11, Weekday::Thu, 4, 0)),
    ("black_friday", Rule::Nth(11, Weekday::Thu, 4, 1)),
    ("christmas_eve", Rule::Fixed(12, 24)),
    ("christmas_day", Rule::Fixed(12, 25)),
    ("boxing_day", Rule::Fixed(12, 26)),
    ("new_years_eve", Rule::Fixed(12, 31)),
    ("new_years_day", Rule::Fixed(1, 1)),
];

/// The days of holidays that may matter to a panel, each holiday with its days in some years: those of the countries whose
/// holidays are among its features, then what is common. Whether they matter, the data say.
///
/// # Errors
/// When a country cannot be read.
pub(crate) fn candidates(panel: &Panel, years: RangeInclusive<i32>) -> Result<Vec<Vec<NaiveDate>>> {
    let mut candidates: Vec<Vec<NaiveDate>> = Vec::new();
    for made in &panel.columns().made {
        let (name, given) = options::split(&made.label)?;
        let Some(code) = given.get("country").and_then(serde_json::Value::as_str).filter(|_| name == Holidays::NAME)
        else {
            continue;
        };
        let country = Country::named(code)?;
        let region = given.get("region").and_then(serde_json::Value::as_str);
        let mut by_name: BTreeMap<String, Vec<NaiveDate>> = BTreeMap::new();
        for (day, names) in country.calendar(region)?.iter().filter(|(day, _)| years.contains(&day.year())) {
            names.iter().for_each(|name| by_name.entry(slug(name)).or_default().push(*day));
        }
        candidates.extend(by_name.into_values());
    }
    let nothing = BTreeSet::new();
    candidates
        .extend(COMMON.iter().map(|(_, rule)| years.clone().flat_map(|year| rule.days(year, &nothing)).collect()));
    Ok(candidates)
}

impl Rule {
    /// The feast's days in a year; none if they are not known.
    fn days(&self, year: i32, kept: &BTreeSet<NaiveDate>) -> Vec<NaiveDate> {
        let date = |month, day| NaiveDate::from_ymd_opt(year, month, day);
        let shifted =
            |day: Option<NaiveDate>, by: i64| day.and_then(|day| day.checked_add_signed(chrono::Duration::days(by)));
        let easter =
            |found: Option<computus::Date>| found.and_then(|day| NaiveDate::from_ymd_opt(day.year, day.month, day.day));
        let one = match self {
            Self::Easter(by) => shifted(easter(computus::gregorian(year).ok()), *by),
            Self::Orthodox(by) => shifted(orthodox(year), *by),
            // The fifth Monday of May is the last one, which may be the fourth.
            Self::Nth(month, weekday, n, by) => shifted(
                NaiveDate::from_weekday_of_month_opt(year, *month, *weekday, *n)
                    .or_else(|| NaiveDate::from_weekday_of_month_opt(year, *month, *weekday, n - 1)),
                *by,
            ),
            Self::Fixed(month, day) => date(*month, *day),
            Self::Advent(n) => date(12, 24).and_then(|eve| {
                let fourth = eve - Days::new(u64::from(eve.weekday().num_days_from_sunday()));
                fourth.checked_sub_days(Days::new(7 * (n - 1)))
            }),
            Self::SuperBowl => super_bowl(year),
            Self::Kept(..) => return kept.iter().filter(|day| day.year() == year).copied().collect(),
        };
        one.into_iter().collect()
    }
}

/// Julian Easter on the Gregorian calendar.
fn orthodox(year: i32) -> Option<NaiveDate> {
    let julian = computus::julian(year).ok()?;
    // The crate gives the day of the Julian calendar; it lags the Gregorian one by a day more in most centuries.
    let century = i64::from(year.div_euclid(100));
    let lag = century - century.div_euclid(4) - 2;
    NaiveDate::from_ymd_opt(julian.year, julian.month, julian.day)?.checked_add_signed(chrono::Duration::days(lag))
}

/// The day of the championship: the first Sunday of February from 2004, the second from 2022 on.
fn super_bowl(year: i32) -> Option<NaiveDate> {
    let sunday = |n| NaiveDate::from_weekday_of_month_opt(year, 2, Weekday::Sun, n);
    match year {
        2000 => NaiveDate::from_ymd_opt(2000, 1, 30),
        2001 => NaiveDate::from_ymd_opt(2001, 1, 28),
        2003 => NaiveDate::from_ymd_opt(2003, 1, 26),
        2002 | 2004..=2021 => sunday(1),
        2022.. => sunday(2),
        _ => None,
    }
}

/// What one holiday is called in the calendars of different countries.
const CALLED: [&[&str]; 5] = [
    &[
        "Chinese New Year (Spring Festival)",
        "Chinese New Year",
        "Chinese New Year's Day",
        "Lunar New Year",
        "Korean New Year",
    ],
    &["Diwali"],
    &["Eid al-Adha", "Eid al-Adha Holiday", "Eid-ul-Adha"],
    &["Eid al-Fitr", "Eid al-Fitr Holiday", "Eid-ul-Fitr"],
    &["Islamic New Year", "Islamic New Year Day"],
];

/// Dates of one holiday in two countries that are no further apart are of the same year of its calendar; a leap month counts.
const SAME: i64 = 60;

/// The first days of each run of a holiday in a country; or, where another country is asked for, of the same holiday there, as far as
/// it has it.
fn kept(feast: &str, country: &str, name: &str, asked: Option<&str>) -> Result<BTreeSet<NaiveDate>> {
    let usual = first_days(&Country::named(country)?, &[name])?;
    let Some(asked) = asked else { return Ok(usual) };
    let called = CALLED.iter().find(|names| names.contains(&name)).copied();
    let mut days = first_days(&Country::named(asked)?, called.unwrap_or(&[name]))?;
    let near =
        |day: &NaiveDate, days: &BTreeSet<NaiveDate>| days.iter().any(|other| (*other - *day).num_days().abs() <= SAME);
    let without: Vec<NaiveDate> = usual.into_iter().filter(|day| !near(day, &days)).collect();
    if let (Some(first), Some(last)) = (without.first(), without.last()) {
        let other = name_of(country);
        crate::progress::say_once(&match days.is_empty() {
            true => format!("feasts: {feast} is no public holiday in {asked}; its dates are those of {other}"),
            false => format!(
                "feasts: the public holidays of {asked} lack {feast} in {} of the years from {} to {}; there its dates are those of {other}",
                without.len(),
                first.year(),
                last.year()
            ),
        });
    }
    days.extend(without);
    Ok(days)
}

/// The first days of each run of a holiday of one of these names.
fn first_days(country: &Country, called: &[&str]) -> Result<BTreeSet<NaiveDate>> {
    let calendar = country.calendar(None)?;
    let days: BTreeSet<NaiveDate> = calendar
        .iter()
        .filter(|(_, names)| names.iter().any(|found| called.contains(&found.trim_end_matches(" (estimated)"))))
        .map(|(day, _)| *day)
        .collect();
    Ok(days.iter().filter(|day| day.pred_opt().is_none_or(|before| !days.contains(&before))).copied().collect())
}

fn named(name: &str) -> Result<&'static Rule> {
    RULES.iter().find(|(known, _)| *known == name).map(|(_, rule)| rule).ok_or_else(|| {
        let nearest = suggestion(name, RULES.iter().map(|(known, _)| *known));
        // The suggestion shows the first twenty; a list of feasts is no use if it ends there.
        let all: Vec<&str> = RULES.iter().map(|(known, _)| *known).collect();
        Error::usage(if nearest.contains("did you mean") {
            format!("there is no feast `{name}`{nearest}")
        } else {
            format!("there is no feast `{name}`; there is {}", all.join(", "))
        })
    })
}

impl Derive for Feasts {
    const NAME: &str = "feasts";
    const SUMMARY: &str = "Moving holidays and retail events: Easter, Black Friday, Eid, Super Bowl …";
    const EXAMPLE: &str = "feasts(names=[easter, black_friday, super_bowl])";
    const ALSO: &str = "moving feasts, moving holidays";
    const SIMILAR: &[(&str, &str)] = &[(
        "easter, ramadan, eid, diwali, chinese new year, black friday, super bowl, thanksgiving",
        "one of those that feasts(names=[easter]) takes",
    )];

    fn check(&self) -> Result<()> {
        check_reach(self.before, self.after)?;
        if self.names.is_empty() {
            return Err(Error::usage("feasts needs their names: feasts(names=[easter, black_friday])"));
        }
        self.country.iter().try_for_each(|country| Country::named(country).map(|_| ()))?;
        self.names.iter().try_for_each(|name| named(name).map(|_| ()))
    }

    fn columns(&self, places: &Places, _: &Data) -> Result<Vec<Derived>> {
        places.dated(366.0, "a feast")?;
        let mut columns = Vec::new();
        for name in &self.names {
            let rule = named(name)?;
            let kept = match rule {
                Rule::Kept(country, holiday) => kept(name, country, holiday, self.country.as_deref())?,
                _ => BTreeSet::new(),
            };
            // Marks reach into the neighbouring years, which need not be known.
            let years = std::cell::RefCell::new(std::collections::BTreeMap::<i32, Vec<NaiveDate>>::new());
            let days_of = |year: i32| years.borrow_mut().entry(year).or_insert_with(|| rule.days(year, &kept)).clone();
            let spans = [(0, 0), (1, self.before as i64), (-(self.after as i64), -1)];
            let wanted: Vec<(usize, &str)> = [(0, ""), (1, "_before"), (2, "_after")]
                .into_iter()
                .filter(|(span, _)| [true, self.before > 0, self.after > 0][*span])
                .collect();
            let values = places.by_period(&[], wanted.len(), |_, period, row| {
                for year in [period.first.year(), period.last.year()] {
                    if days_of(year).is_empty() {
                        let calendars = match rule {
                            Rule::Kept(..) => format!(" (the calendars reach from {FIRST} to {LAST} at most)"),
                            _ => String::new(),
                        };
                        return Err(Error::data(format!("the day of `{name}` in {year} is not known{calendars}")));
                    }
                }
                let near: Vec<NaiveDate> =
                    (period.first.year() - 1..=period.last.year() + 1).flat_map(days_of).collect();
                for (cell, (span, _)) in row.iter_mut().zip(&wanted) {
                    let (from, to) = spans[*span];
                    *cell = period
                        .days()
                        .filter(|day| near.iter().any(|feast| (from..=to).contains(&(*feast - *day).num_days())))
                        .count() as f64;
                }
                Ok(())
            })?;
            let kind = if places.daily() { Kind::Flag } else { Kind::Whole };
            let made = wanted.iter().zip(values);
            columns.extend(made.map(|((_, end), values)| Derived::known(format!("{name}{end}"), kind, values)));
        }
        Ok(columns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Days as any printed calendar of those years has them.
    #[test]
    fn feasts_fall_on_their_days() {
        let day = |name: &str, year: i32| {
            let rule = named(name).unwrap();
            let kept = match rule {
                Rule::Kept(country, holiday) => kept(name, country, holiday, None).unwrap(),
                _ => BTreeSet::new(),
            };
            rule.days(year, &kept).iter().map(|day| day.format("%m-%d").to_string()).collect::<Vec<_>>().join(" ")
        };
        for (name, year, date) in [
            ("easter", 2010, "04-04"),
            ("easter", 2024, "03-31"),
            ("orthodox_easter", 2010, "04-04"),
            ("orthodox_easter", 2024, "05-05"),
            ("orthodox_easter", 2021, "05-02"),
            ("black_friday", 2012, "11-23"),
            ("cyber_monday", 2019, "12-02"),
            ("mothers_day", 2023, "05-14"),
            ("mothering_sunday", 2023, "03-19"),
            ("memorial_day_us", 2021, "05-31"),
            ("memorial_day_us", 2023, "05-29"),
            ("super_bowl", 2010, "02-07"),
            ("super_bowl", 2011, "02-06"),
            ("super_bowl", 2022, "02-13"),
            ("advent", 2022, "11-27"),
            ("advent", 2023, "12-03"),
            ("chinese_new_year", 2012, "01-23"),
            ("chinese_new_year", 2024, "02-10"),
            ("diwali", 2012, "11-13"),
            ("eid_al_fitr", 2023, "04-21"),
            ("eid_al_adha", 2023, "06-28"),
            ("rosh_hashanah", 2023, "09-16"),
            ("passover", 2024, "04-23"),
            ("deepavali", 2023, "11-12"),
        ] {
            assert_eq!(day(name, year), date, "{name} {year}");
        }
        assert!(RULES.is_sorted_by_key(|(name, _)| *name));
    }

    /// The first days of both Eids, of the lunar new year and of Diwali, 2010 to 2030, in countries that keep them; see the header of
    /// the file.
    #[test]
    fn feasts_fall_on_the_days_of_each_country() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracles/feasts_by_country.csv");
        let text = std::fs::read_to_string(file).unwrap();
        let mut compared = 0;
        for row in text.lines().filter(|line| !line.starts_with('#')).skip(1) {
            let [feast, country, days] = row.split(',').collect::<Vec<_>>()[..] else { panic!("{row}") };
            let Rule::Kept(usual, holiday) = named(feast).unwrap() else { panic!("{feast}") };
            let found = kept(feast, usual, holiday, Some(country)).unwrap();
            let found: Vec<String> =
                found.iter().filter(|day| (2010..=2030).contains(&day.year())).map(ToString::to_string).collect();
            assert_eq!(found.join(" "), days, "{feast} in {country}");
            compared += 1;
        }
        assert_eq!(compared, 28);
        let of = |country: &str| kept("eid_al_adha", "AE", "Eid al-Adha", Some(country)).unwrap();
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        assert!(of("AE").contains(&day("2015-09-23")) && of("Türkiye").contains(&day("2015-09-24")));
        // No public holiday of Germany: the usual dates.
        assert_eq!(of("Germany"), kept("eid_al_adha", "AE", "Eid al-Adha", None).unwrap());
    }
}
