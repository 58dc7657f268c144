//! Is it a public holiday, in that country and region? 249 countries and their regions, 2000 to 2050.
//!
//! The dates are those of the Python package `holidays` (see `data/README.md`); those of the Islamic and lunar
//! calendars that have not come yet are estimates. Countries go by their codes of ISO 3166-1 (`DE`, `DEU`) or their names
//! (`Germany`, `Deutschland`), regions by those of ISO 3166-2 (`BY` or `DE-BY`) or their names (`Bayern`). For a period longer than a day, `holiday` is the number of its days that are holidays; with `names`, there
//! is such a column for each holiday that the history has. `holiday_before` and `holiday_after` count the days that are
//! no holiday themselves and lie within so many days before or after one.
//!
//! A holiday of a part of a region counts for the region: Assumption Day in Bavaria, Corpus Christi in Saxony.
//! A year outside 2000 to 2050 is an error, not a year without holidays.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::OnceLock;

use chrono::{Datelike, Days, NaiveDate};
use polars::prelude::{Column, DataFrame, DataType};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::countries::{countries_named, known, name_of, regions_named};
use super::places::{Period, series_texts};
use super::{Data, Derive, Derived, Kind, Places, slug};
use crate::error::{Error, Result, nearest, suggestion};
use crate::show::Table;

/// Options of `holidays`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Holidays {
    /// The country: its code of ISO 3166-1 (DE, USA) or its name (Germany, Deutschland).
    country: String,
    /// The region for all series: its code of ISO 3166-2 (BY or DE-BY) or its name (Bayern); several with commas, a holiday of any of them counting.
    #[serde(deserialize_with = "code")]
    region: Option<String>,
    /// The column that holds each series' region code.
    by: Option<String>,
    /// A column for each holiday instead of one for all?
    names: bool,
    /// Also mark this many days before a holiday.
    before: usize,
    /// Also mark this many days after a holiday.
    after: usize,
    /// The name that the columns begin with.
    name: String,
}

impl Default for Holidays {
    fn default() -> Self {
        let name = "holiday".into();
        Self { country: String::new(), region: None, by: None, names: false, before: 0, after: 0, name }
    }
}

/// A region code that is a number (`region=9`) is one all the same.
fn code<'de, D: serde::Deserializer<'de>>(source: D) -> std::result::Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Code {
        Number(i64),
        Text(String),
    }
    Ok(Option::<Code>::deserialize(source)?.map(|code| match code {
        Code::Number(number) => number.to_string(),
        Code::Text(text) => text,
    }))
}

/// Days before or after which marks make sense at all.
const FURTHEST: usize = 60;

/// `before` and `after` are days, not years.
pub(super) fn check_reach(before: usize, after: usize) -> Result<()> {
    match before.max(after) {
        0..=FURTHEST => Ok(()),
        days => Err(Error::usage(format!("before and after are {FURTHEST} days at most, not {days}"))),
    }
}

impl Derive for Holidays {
    const NAME: &str = "holidays";
    const SUMMARY: &str = "Public holidays of a country and its regions, with names, days before and after";
    const EXAMPLE: &str = "holidays(country=US, before=3)";
    const ALSO: &str = "holiday, public holidays, bank holidays";

    fn check(&self) -> Result<()> {
        check_reach(self.before, self.after)?;
        if self.region.is_some() && self.by.is_some() {
            return Err(Error::usage("holidays takes region=CODE for all series or by=COLUMN for each, not both"));
        }
        let country = Country::named(&self.country)?;
        self.region.iter().try_for_each(|region| country.regions_of(region).map(|_| ()))
    }

    fn columns(&self, places: &Places, _: &Data) -> Result<Vec<Derived>> {
        places.dated(366.0, "a public holiday")?;
        let country = Country::named(&self.country)?;
        let (groups, regions) = self.groups(places, &country)?;
        let calendars: Vec<Calendar> =
            regions.iter().map(|region| country.calendar(region.as_deref())).collect::<Result<_>>()?;
        let names = match (self.names, places.wanted()) {
            (false, _) => vec![self.name.clone()],
            (true, Some(wanted)) => wanted.to_vec(),
            (true, None) => self.seen(places, &groups, &calendars)?,
        };
        let total = names.len();
        let named: BTreeMap<&str, usize> = names.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
        // Made again, the wanted names hold these two already.
        let (before, after) = (format!("{}_before", self.name), format!("{}_after", self.name));
        let mut extra = Vec::new();
        for (name, days) in [(&before, self.before), (&after, self.after)] {
            if days > 0 && !named.contains_key(name.as_str()) {
                extra.push(name.clone());
            }
        }
        let place = |name: &String| {
            named.get(name.as_str()).copied().or_else(|| extra.iter().position(|e| e == name).map(|at| total + at))
        };
        let (before_at, after_at) = (place(&before), place(&after));
        let width = total + extra.len();
        let columns = places.by_period(&groups, width, |group, period, row| {
            self.covered(period)?;
            let calendar = &calendars[group];
            for day in period.days() {
                let Some(today) = calendar.get(&day) else {
                    let near = |days: usize, forward: bool| {
                        (1..=days as u64).any(|n| {
                            let other = if forward { day + Days::new(n) } else { day - Days::new(n) };
                            calendar.contains_key(&other)
                        })
                    };
                    for (at, is) in [(before_at, near(self.before, true)), (after_at, near(self.after, false))] {
                        if let (Some(at), true) = (at, is) {
                            row[at] += 1.0;
                        }
                    }
                    continue;
                };
                if !self.names {
                    row[0] += 1.0;
                    continue;
                }
                for name in today {
                    if let Some(at) = named.get(self.column(name).as_str()) {
                        row[*at] += 1.0;
                    }
                }
            }
            Ok(())
        })?;
        let kind = if places.daily() { Kind::Flag } else { Kind::Whole };
        let names = names.into_iter().chain(extra);
        Ok(names.zip(columns).map(|(name, values)| Derived::known(name, kind, values)).collect())
    }
}

impl Holidays {
    /// The group of each series, and the region that each group is in; `None` is the country as a whole.
    fn groups(&self, places: &Places, country: &Country) -> Result<(Vec<usize>, Vec<Option<String>>)> {
        let Some(by) = &self.by else { return Ok((Vec::new(), vec![self.region.clone()])) };
        let texts = series_texts(places.panel, by)?;
        let mut regions: Vec<Option<String>> = Vec::new();
        let mut groups = Vec::with_capacity(texts.len());
        let mut unknown: Vec<String> = Vec::new();
        for (series, text) in texts.into_iter().enumerate() {
            match &text {
                None if places.panel.positions(series).is_empty() => {}
                None => {
                    return Err(Error::data(format!(
                        "series {} has no `{by}`, so that its region is not known",
                        places.panel.label(series)
                    )));
                }
                Some(text) if country.regions_of(text).is_err() && !unknown.contains(text) => {
                    unknown.push(text.clone())
                }
                Some(_) => {}
            }
            groups.push(regions.iter().position(|region| *region == text).unwrap_or_else(|| {
                regions.push(text);
                regions.len() - 1
            }));
        }
        if let Some(first) = unknown.first() {
            let nearest = suggestion(first, country.regions.iter().map(String::as_str));
            let shown: Vec<String> = unknown.iter().take(10).map(|text| format!("`{text}`")).collect();
            return Err(Error::data(format!(
                "`{by}` holds {}, which {} no region of {}{nearest}",
                shown.join(", "),
                if unknown.len() == 1 { "is" } else { "are" },
                country.code
            )));
        }
        Ok((groups, regions))
    }

    /// The columns of the holidays that the history has, in the order of their names.
    fn seen(&self, places: &Places, groups: &[usize], calendars: &[Calendar]) -> Result<Vec<String>> {
        let seen = std::cell::RefCell::new(std::collections::BTreeSet::new());
        places.by_period(groups, 0, |group, period, _| {
            self.covered(period)?;
            for name in period.days().filter_map(|day| calendars[group].get(&day)).flatten() {
                seen.borrow_mut().insert(self.column(name));
            }
            Ok(())
        })?;
        Ok(seen.into_inner().into_iter().collect())
    }

    fn column(&self, name: &str) -> String {
        // A holiday that is estimated this year is the same holiday when it is announced.
        slug(&format!("{} {}", self.name, name.replace("(estimated)", "").replace(", estimated)", ")")))
    }

    fn covered(&self, period: Period) -> Result<()> {
        match [period.first, period.last].into_iter().find(|day| !(FIRST..=LAST).contains(&day.year())) {
            Some(day) => Err(Error::data(format!(
                "public holidays are known from {FIRST} to {LAST}, not for {day}; cut the history, or shorten the horizon"
            ))),
            None => Ok(()),
        }
    }
}

/// The years that the data hold.
pub(super) const FIRST: i32 = 2000;
/// The last of them.
pub(super) const LAST: i32 = 2050;

/// The holidays of one country.
#[derive(Deserialize)]
pub(super) struct Country {
    code: String,
    names: Vec<String>,
    regions: Vec<String>,
    /// The region that is meant by the name of the country: England of the United Kingdom.
    #[serde(skip)]
    part: Option<String>,
    /// A name, the regions that have it (none for all, -1 for the calendar of the whole country), days from 2000-01-01.
    days: Vec<(usize, Vec<i64>, Vec<u64>)>,
}

/// The names of the holidays of each day.
pub(super) type Calendar<'a> = BTreeMap<NaiveDate, Vec<&'a str>>;

/// One line of JSON per country, by its code; empty if the data cannot be read, which a test rules out.
fn countries() -> &'static BTreeMap<String, String> {
    static LINES: OnceLock<BTreeMap<String, String>> = OnceLock::new();
    const PACKED: &[u8] = include_bytes!("../../../data/holidays.jsonl.gz");
    LINES.get_or_init(|| {
        let mut text = String::new();
        if flate2::read::GzDecoder::new(PACKED).read_to_string(&mut text).is_err() {
            return BTreeMap::new();
        }
        let code = |line: &str| Some(line.strip_prefix("{\"code\":\"")?.split_once('"')?.0.to_string());
        text.lines().filter_map(|line| Some((code(line)?, line.to_string()))).collect()
    })
}

impl Country {
    /// The country of a code or name.
    pub(super) fn named(name: &str) -> Result<Self> {
        let lines = countries();
        if name.trim().is_empty() {
            return Err(Error::usage("holidays needs a country by its code or name: holidays(country=DE)"));
        }
        let own = match &countries_named(name)[..] {
            [one] => one.clone(),
            [] => {
                let meant = nearest(name, known()).map_or_else(
                    || "; state its code of ISO 3166-1 (DE) or its name (Germany)".into(),
                    |near| format!(", did you mean `{near}`?"),
                );
                return Err(Error::usage(format!("`{name}` is no country by name or code of ISO 3166-1{meant}")));
            }
            several => {
                let each = |code: &String| format!("{} ({code})", name_of(code));
                let several: Vec<String> = several.iter().map(each).collect();
                return Err(Error::usage(format!("`{name}` can be {}; state which", several.join(" or "))));
            }
        };
        let (code, part) = own.split_once('-').map_or((own.as_str(), None), |(code, part)| (code, Some(part)));
        let line = lines.get(code).ok_or_else(|| Error::usage(format!("the holidays of `{name}` are not known")))?;
        let country: Self =
            serde_json::from_str(line).map_err(|cause| Error::data("the holidays cannot be read").because(cause))?;
        Ok(Self { part: part.map(String::from), ..country })
    }

    /// The places of regions in the list; several may be joined with commas.
    fn regions_of(&self, text: &str) -> Result<Vec<i64>> {
        let place = |one: &str| {
            let upper = one.trim().to_uppercase();
            let short = upper.strip_prefix(&format!("{}-", self.code)).unwrap_or(&upper);
            let place =
                |code: &str| self.regions.iter().position(|region| region.to_uppercase() == code.to_uppercase());
            let by_name = || match regions_named(&self.code, one)[..] {
                [region] => place(region),
                _ => None,
            };
            place(short).or_else(by_name).map(|at| at as i64).ok_or_else(|| {
                let nearest = if self.regions.is_empty() {
                    ", which has none".to_string()
                } else {
                    suggestion(one, self.regions.iter().map(String::as_str))
                };
                Error::usage(format!("`{one}` is no region of {}{nearest}", self.code))
            })
        };
        text.split(',').map(place).collect()
    }

    /// The holidays of a region, or of the country as a whole.
    pub(super) fn calendar(&self, region: Option<&str>) -> Result<Calendar<'_>> {
        let wanted = match region.or(self.part.as_deref()) {
            None => vec![-1],
            Some(region) => self.regions_of(region)?,
        };
        let start = NaiveDate::from_ymd_opt(FIRST, 1, 1).unwrap_or_default();
        let mut calendar = Calendar::new();
        for (name, regions, days) in &self.days {
            if !regions.is_empty() && !regions.iter().any(|region| wanted.contains(region)) {
                continue;
            }
            let Some(name) = self.names.get(*name) else { continue };
            for day in days {
                calendar.entry(start + Days::new(*day)).or_default().push(name.as_str());
            }
        }
        Ok(calendar)
    }
}

/// The public holidays of a country, or of a region of it, one row per day and name: from the beginning of this year
/// and to the end of the year after the first day's, if not stated otherwise.
///
/// ```
/// let table = tradewind::panel::public_holidays("US", None, Some("2024-01-01"), Some("2024-12-31"))?;
/// assert_eq!(table.get(0, "holiday")?.to_string(), "New Year's Day");
/// # Ok::<(), tradewind::Error>(())
/// ```
///
/// # Errors
/// When there is no such country or region, a day is no date, or lies outside the years that are known.
pub fn public_holidays(country: &str, region: Option<&str>, from: Option<&str>, to: Option<&str>) -> Result<Table> {
    let country = Country::named(country)?;
    let date = |text: &str| {
        NaiveDate::parse_from_str(text, "%Y-%m-%d")
            .map_err(|_| Error::usage(format!("`{text}` is no date such as 2025-12-31")))
    };
    let new_year = |year: i32| NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or_default();
    let from = from.map_or_else(|| Ok(new_year(chrono::Local::now().year())), date)?;
    let to = to.map_or_else(|| Ok(new_year(from.year() + 2) - Days::new(1)), date)?;
    if let Some(day) = [from, to].into_iter().find(|day| !(FIRST..=LAST).contains(&day.year())) {
        return Err(Error::usage(format!("public holidays are known from {FIRST} to {LAST}, not for {day}")));
    }
    if to < from {
        return Err(Error::usage(format!("the last day, {to}, lies before the first, {from}")));
    }
    let calendar = country.calendar(region)?;
    let days = calendar.range(from..=to).flat_map(|(day, names)| names.iter().map(move |name| (*day, *name)));
    let days: Vec<(NaiveDate, &str)> = days.collect();
    let start = NaiveDate::from_ymd_opt(1970, 1, 1).unwrap_or_default();
    let stamps: Vec<i32> = days.iter().map(|(day, _)| (*day - start).num_days() as i32).collect();
    let columns = vec![
        Column::new("date".into(), stamps).cast(&DataType::Date)?,
        Column::new("day".into(), days.iter().map(|(day, _)| day.format("%A").to_string()).collect::<Vec<_>>()),
        Column::new("holiday".into(), days.iter().map(|(_, name)| *name).collect::<Vec<_>>()),
    ];
    let of = region.map_or_else(|| country.code.clone(), |region| format!("{}, {region}", country.code));
    Ok(Table::new(DataFrame::new(days.len(), columns)?).titled(format!("Public holidays of {of}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_country_can_be_read() {
        assert!(countries().len() > 200);
        for code in countries().keys() {
            let country = Country::named(code).unwrap();
            assert!(country.days.iter().all(|(name, regions, _)| *name < country.names.len()
                && regions.iter().all(|r| (-1..country.regions.len() as i64).contains(r))));
        }
    }
}
