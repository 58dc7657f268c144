//! Does the weather move sales, in the warm and in the cool half of the year, and by how much?
//!
//! **Anomalies.** Weather follows the year as sales do, so that only its departure from what is usual at that time of the year
//! says anything: what is left of a column when its annual cycle (two harmonics for each place) is taken off.
//!
//! **The effect** is a natural cubic spline of the anomaly (Hastie, Tibshirani & Friedman 2009, *The Elements of Statistical
//! Learning*, ch. 5) with knots at its quantiles of 10, 50 and 90 %, one for April to September and one for October to March, in a
//! regression of sales relative to what is usual for series, weekday and promotions, with local level and calendar held fixed
//! (`within`). Series with the same weather are one place and are summed. Steps near holidays are left out.
//!
//! **How sure.** Weather is shared by many series and lasts for days: scores are summed over places date by date, their
//! variance is that of Newey and West over many lags, and all terms of a spline are tested together by a Wald test with the
//! F distribution for as few degrees of freedom as that leaves (Sun 2013, *Econometrics Journal* vol. 16). The placebo is the
//! weather of another time: the same anomalies, moved by four weeks or more; errors are at least as large as the spread of what
//! it finds. Claimed are the departures that are told, of each half and, as their mean, of the whole year; that the curve of a
//! half may bend (sales fall when it is hot and when it is cold) has its own p-value in the table.
//!
//! **It fails** with less than a year of history, for a column that does not depart from its annual cycle, and where weather
//! is measured in advance of shopping (a forecast of rain keeps people at home as well as rain).

use std::collections::HashMap;
use std::f64::consts::TAU;

use chrono::Datelike;
use polars::prelude::*;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, FisherSnedecor};

use super::holidays::signed;
use super::kept::near_common;
use super::ordinary::{Baseline, Near};
use super::steady::at_steady_price;
use super::within::{Controls, Given, Regression, regress, solved};
use super::{Ask, Finding};
use crate::error::{Error, Result, suggestion};
use crate::figures::Scatter;
use crate::panel::{DAY, Panel, Role, day_of};
use crate::progress;
use crate::show::words::{about, amount, listed, rounded};
use crate::show::{Claim, Placebo, Table};
use crate::statistics::summary::quantile;
use crate::statistics::{Estimate, check_level, freedom, long_run};

/// Options of `weather`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Weather {
    /// The covariate that measures the weather; those whose names say so if it is not stated.
    pub by: Option<String>,
    /// Rows of the table.
    pub top: usize,
    /// The probability of the intervals.
    pub level: f64,
}

impl Default for Weather {
    fn default() -> Self {
        Self { by: None, top: 20, level: 0.95 }
    }
}

/// What a column measures: words in its name, and what days with much and with little of it are called.
const KINDS: [(&str, &[&str], &str, &str); 7] = [
    ("temperature", &["temperature", "temp"], "warmest", "coolest"),
    ("rain", &["rain", "precipitation", "prcp"], "wettest", "driest"),
    ("snow", &["snow"], "snowiest", "least snowy"),
    ("sun", &["sun", "sunshine"], "sunniest", "dullest"),
    ("cloud", &["cloud", "clouds"], "cloudiest", "clearest"),
    ("wind", &["wind"], "windiest", "calmest"),
    ("humidity", &["humidity"], "most humid", "least humid"),
];
/// The halves of the year and the whole of it: their words, and the short name of each.
const HALVES: [(&str, &str); 3] = [
    ("from April to September", "April to September"),
    ("from October to March", "October to March"),
    ("all year round", "all year"),
];
/// The place of the whole year among them.
const WHOLE: usize = 2;
/// Harmonics of the annual cycle.
const HARMONICS: usize = 2;
/// Days of a year.
const YEAR: f64 = 365.2425;
/// Steps that each half must have.
const LEAST: usize = 20;
/// How often the weather of another time is tried.
const PLACEBOS: usize = 9;
/// Days by which it is moved at least.
const MOVED: i64 = 28;
/// The most places; more are taken as they come, and the rest is left out with a caveat.
const PLACES: usize = 2000;
/// The level that makes sales relative is wider than the one that is held fixed, this many times: what it follows, the regression
/// cannot find.
const WIDE: usize = 6;
/// Points of the curve and the most dots of the figure.
const POINTS: usize = 25;
const DOTS: usize = 400;

/// Series with the same weather, summed.
struct Place {
    /// The series that has the longest history.
    longest: usize,
    /// By date from the panel's first: the weather, actual sales, usual sales.
    weather: Vec<f64>,
    actual: Vec<f64>,
    usual: Vec<f64>,
}

/// The sums of the series of each place, kept for the next column, which mostly has the same places.
#[derive(Default)]
struct Sums {
    series: Vec<Vec<usize>>,
    /// The longest series, and sales and usual sales by date.
    sums: Vec<(usize, Vec<f64>, Vec<f64>)>,
}

/// The splines of one column.
struct Curve {
    /// By half of the year.
    knots: [Vec<f64>; 2],
}

/// What was found of one column in one half of the year.
struct Effect {
    column: String,
    kind: usize,
    half: usize,
    low: f64,
    high: f64,
    /// From the low to the high anomaly.
    estimate: Estimate,
    /// The p-value of the curve as a whole; NaN for the whole year.
    joint: f64,
    money: f64,
    placebo: Option<Placebo>,
    curve: Vec<(f64, f64, f64, f64)>,
    dots: Vec<(f64, f64)>,
}

impl Ask for Weather {
    const NAME: &str = "weather";
    const SUMMARY: &str = "How sales follow the weather's departures from what is usual, by half of the year";
    const EXAMPLE: &str = "weather(by=Temperature)";
    const ALSO: &str = "temperature, rain, weather effect, climate";

    fn check(&self) -> Result<()> {
        check_level(self.level)
    }

    fn tour(panel: &Panel) -> Vec<Self> {
        let measures = panel.matrix().is_ok_and(|_| columns(panel).is_ok_and(|found| !found.is_empty()));
        if measures { vec![Self::default()] } else { Vec::new() }
    }

    fn answer(&self, panel: &Panel) -> Result<Finding> {
        dated(panel)?;
        let found = self.asked(panel)?;
        let steady = at_steady_price(panel, &[])?;
        let panel = steady.as_ref().map_or(panel, |steady| &steady.panel);
        let Some(near) = near(panel) else { return Err(Error::data("the weather needs dates")) };
        let baseline = Baseline::of(panel, &near)?;
        let controls = Controls::of(panel);
        let mut sums = Sums::default();
        let (mut effects, mut without): (Vec<Effect>, Vec<String>) = (Vec::new(), Vec::new());
        for (c, kind) in &found {
            match measured(panel, &near, &baseline, &controls, *c, *kind, self.level, &mut sums) {
                Ok(found) => effects.extend(found),
                Err(error) if error.is_interrupted() || found.len() == 1 => return Err(error),
                Err(error) => without.push(error.to_string()),
            }
        }
        if effects.is_empty() {
            return Err(Error::data(format!("no weather column can be told from the season: {}", without.join("; "))));
        }
        let finding = self.told(panel, &baseline, effects, &without)?;
        Ok(steady.iter().fold(finding, |finding, steady| finding.but(steady.told(&[]))))
    }
}

/// Have the data the dates and the length that weather needs?
fn dated(panel: &Panel) -> Result<()> {
    let frequency = panel.frequency();
    let (first, last) = panel.extent().ok_or_else(|| Error::data("there are no data"))?;
    if frequency.is_whole() || frequency.length() > 7 * DAY {
        return Err(Error::data(format!(
            "the weather of a {} hides its days, so that its effect cannot be told from the season; ask daily or weekly data",
            frequency.noun()
        )));
    }
    if frequency.length() < DAY {
        return Err(Error::data("the weather is asked of days or weeks: aggregate the hours to days first"));
    }
    if ((last - first + 1) * (frequency.length() / DAY)) < 365 {
        return Err(Error::data(
            "less than a year of history: what weather is usual at each time of the year is not known, so that its effect \
             cannot be told from the season",
        ));
    }
    Ok(())
}

/// The steps near common holidays, or none.
fn near(panel: &Panel) -> Option<Near> {
    near_common(panel).ok().flatten()
}

/// The columns that measure weather, one of each kind: their places in the matrix and what they measure.
fn columns(panel: &Panel) -> Result<Vec<(usize, usize)>> {
    let matrix = panel.matrix()?;
    let mut found: Vec<(usize, usize)> = Vec::new();
    for (kind, (_, words, ..)) in KINDS.iter().enumerate() {
        let named = (0..matrix.names.len()).filter(|c| {
            let numeric = matrix.sources[*c].0 == matrix.names[*c] && matrix.sources[*c].1 != Role::Fixed;
            numeric && kind_of(&matrix.names[*c]) == Some(kind) && !words.is_empty()
        });
        // A mean says more of a day than its extremes.
        let mean = |name: &str| ["mean", "avg", "average"].iter().any(|word| name.to_lowercase().contains(word));
        let best = named.max_by_key(|c| (mean(&matrix.names[*c]), std::cmp::Reverse(*c)));
        found.extend(best.map(|c| (c, kind)));
    }
    Ok(found)
}

/// What a column measures, by its name.
fn kind_of(name: &str) -> Option<usize> {
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() || !letter.is_alphabetic() {
            words.push(' ');
        }
        if letter.is_alphabetic() {
            words.extend(letter.to_lowercase());
        }
    }
    let words: Vec<&str> = words.split_whitespace().collect();
    KINDS.iter().position(|(_, known, ..)| {
        known.iter().any(|known| words.iter().any(|word| word == known || (known.len() > 4 && word.starts_with(known))))
    })
}

/// The unit that a column's name gives, with a blank before it.
fn unit(name: &str, kind: usize) -> &'static str {
    let lower = name.to_lowercase();
    match kind {
        0 if name.ends_with("_C") || name.ends_with("eC") || lower.contains("celsius") => " °C",
        0 if name.ends_with("_F") || name.ends_with("eF") || lower.contains("fahrenheit") => " °F",
        0 => " degrees",
        _ if lower.ends_with("mm") => " mm",
        _ if lower.ends_with("km_h") || lower.ends_with("kmh") => " km/h",
        _ if lower.ends_with("mph") => " mph",
        _ => " units",
    }
}

impl Weather {
    fn asked(&self, panel: &Panel) -> Result<Vec<(usize, usize)>> {
        let matrix = panel.matrix()?;
        let Some(by) = &self.by else {
            let found = columns(panel)?;
            return if found.is_empty() {
                Err(Error::usage(
                    "no covariate is named like weather (temperature, rain, wind …): name it, weather(by=NAME)",
                ))
            } else {
                Ok(found)
            };
        };
        let c = matrix.names.iter().position(|name| name == by).ok_or_else(|| {
            Error::usage(format!(
                "there is no numeric covariate `{by}`{}",
                suggestion(by, matrix.names.iter().map(String::as_str))
            ))
        })?;
        if matrix.sources[c].1 == Role::Fixed {
            return Err(Error::data(format!("`{by}` has one value per series, so it is no weather")));
        }
        // What is not known by its name has more or less of something.
        Ok(vec![(c, kind_of(by).unwrap_or(KINDS.len()))])
    }
}

/// Is a date in April to September (0) or in October to March (1)?
fn half_of(panel: &Panel, position: i64) -> usize {
    day_of(panel.frequency().stamp(position)).map_or(0, |day| usize::from(!(4..=9).contains(&day.month())))
}

/// The places of a panel by a column of weather: series that have the same weather where both have any.
fn places(panel: &Panel, near: &Near, baseline: &Baseline, c: usize, known: &mut Sums) -> Result<(Vec<Place>, usize)> {
    let column = &panel.matrix()?.columns[c];
    let (first, last) = panel.extent().unwrap_or((0, -1));
    let dates = (last - first + 1) as usize;
    let mut of: Vec<(Vec<f64>, Vec<usize>)> = Vec::new();
    let mut by_value: HashMap<(i64, u64), Vec<usize>> = HashMap::new();
    let mut left = 0;
    for i in 0..panel.len() {
        let cells: Vec<(i64, f64)> = panel
            .positions(i)
            .iter()
            .copied()
            .zip(panel.column_of(i, column).iter().copied())
            .filter(|(_, x)| x.is_finite())
            .collect();
        let Some(middle) = cells.get(cells.len() / 2) else { continue };
        let same = |place: &usize| {
            let known = &of[*place].0;
            cells.iter().all(|(position, x)| {
                let known = known[(position - first) as usize];
                known.is_nan() || known == *x
            })
        };
        let place = by_value.get(&(middle.0, middle.1.to_bits())).and_then(|known| known.iter().copied().find(same));
        let place = match place {
            Some(place) => place,
            None if of.len() >= PLACES => {
                left += 1;
                continue;
            }
            None => {
                of.push((vec![f64::NAN; dates], Vec::new()));
                of.len() - 1
            }
        };
        of[place].1.push(i);
        for (position, x) in cells {
            let known = &mut of[place].0[(position - first) as usize];
            if known.is_nan() {
                *known = x;
                by_value.entry((position, x.to_bits())).or_default().push(place);
            }
        }
    }
    let (mut weathers, series): (Vec<_>, Vec<_>) = of.into_iter().unzip();
    if known.series != series {
        let sums = series
            .par_iter()
            .map(|series| {
                progress::check()?;
                let (mut actual, mut usual) = (vec![0.0; dates], vec![0.0; dates]);
                for i in series {
                    let Some(part) = baseline.part(panel, *i, near) else { continue };
                    let level = part.level(WIDE * baseline.reach());
                    let offset = (part.start - first) as usize;
                    for t in (0..part.y.len()).filter(|t| part.counts[*t] && level[*t] > 0.0) {
                        actual[offset + t] += part.y[t];
                        usual[offset + t] += level[t] * part.index[t];
                    }
                }
                let longest = series.iter().copied().max_by_key(|i| {
                    let positions = panel.positions(*i);
                    (positions.last().unwrap_or(&0) - positions.first().unwrap_or(&0), std::cmp::Reverse(*i))
                });
                Ok((longest.unwrap_or(0), actual, usual))
            })
            .collect::<Result<Vec<_>>>()?;
        *known = Sums { series, sums };
    }
    let places = weathers.drain(..).zip(&known.sums).map(|(weather, (longest, actual, usual))| Place {
        longest: *longest,
        weather,
        actual: actual.clone(),
        usual: usual.clone(),
    });
    Ok((places.filter(|place| place.usual.iter().any(|usual| *usual > 0.0)).collect(), left))
}

/// The departure of a place's weather from its annual cycle: two harmonics by least squares.
fn anomalies(panel: &Panel, weather: &[f64]) -> Option<Vec<f64>> {
    const P: usize = 1 + 2 * HARMONICS;
    let (first, _) = panel.extent()?;
    let row = |date: usize| -> [f64; P] {
        let day = panel.frequency().stamp(first + date as i64) as f64 / DAY as f64;
        let angle = TAU * day / YEAR;
        std::array::from_fn(|k| match k {
            0 => 1.0,
            k if k % 2 == 1 => (angle * k.div_ceil(2) as f64).cos(),
            k => (angle * (k / 2) as f64).sin(),
        })
    };
    let (mut system, mut right) = (vec![0.0; P * P], vec![0.0; P]);
    let known = weather.iter().filter(|x| x.is_finite()).count();
    for (date, x) in weather.iter().enumerate().filter(|(_, x)| x.is_finite()) {
        let row = row(date);
        for a in 0..P {
            right[a] += row[a] * x;
            (0..P).for_each(|b| system[a * P + b] += row[a] * row[b]);
        }
    }
    if known < 3 * P {
        return None;
    }
    let [solution, _] = solved(&system, &right, &(0..P).collect::<Vec<_>>(), P)?;
    let usual = |date: usize| row(date).iter().zip(&solution).map(|(a, b)| a * b).sum::<f64>();
    Some(weather.iter().enumerate().map(|(date, x)| x - usual(date)).collect())
}

impl Curve {
    /// Terms of the spline of a half at an anomaly.
    fn terms(&self, half: usize, x: f64) -> Vec<f64> {
        let knots = &self.knots[half];
        let mut terms = vec![x];
        let n = knots.len();
        if n < 3 {
            return terms;
        }
        let cube = |at: f64| (x - at).max(0.0).powi(3);
        let (last, span) = (knots[n - 1], (knots[n - 1] - knots[0]).powi(2));
        let d = |k: usize| (cube(knots[k]) - cube(last)) / (last - knots[k]);
        terms.extend((0..n - 2).map(|k| (d(k) - d(n - 2)) / span));
        terms
    }

    fn size(&self, half: usize) -> usize {
        self.knots[half].len().saturating_sub(1).max(1)
    }

    /// The place of a half's terms among the coefficients.
    fn range(&self, half: usize) -> std::ops::Range<usize> {
        let from = if half == 0 { 0 } else { self.size(0) };
        from..from + self.size(half)
    }

    /// The weights of the coefficients in the difference of two anomalies.
    fn difference(&self, half: usize, from: f64, to: f64) -> Vec<f64> {
        let mut weights = vec![0.0; self.size(0) + self.size(1)];
        let (a, b) = (self.terms(half, from), self.terms(half, to));
        self.range(half).zip(a.iter().zip(&b)).for_each(|(k, (a, b))| weights[k] = b - a);
        weights
    }
}

/// The effects of one column in both halves of the year.
#[allow(clippy::too_many_arguments)]
fn measured(
    panel: &Panel,
    near: &Near,
    baseline: &Baseline,
    controls: &Controls,
    c: usize,
    kind: usize,
    level: f64,
    sums: &mut Sums,
) -> Result<Vec<Effect>> {
    let name = panel.matrix()?.names[c].clone();
    let (places, _) = places(panel, near, baseline, c, sums)?;
    let none = |why: &str| Error::data(format!("`{name}` {why}"));
    let departures: Vec<Option<Vec<f64>>> = places.par_iter().map(|place| anomalies(panel, &place.weather)).collect();
    let (first, last) = panel.extent().unwrap_or((0, -1));
    let dates = (last - first + 1) as usize;
    let halves: Vec<usize> = (0..dates).map(|date| half_of(panel, first + date as i64)).collect();
    let counts = |place: &Place, date: usize| place.usual[date] > 0.0 && place.actual[date] != 0.0;
    let mut of_half: [Vec<f64>; 2] = [Vec::new(), Vec::new()];
    for (place, departure) in places.iter().zip(&departures) {
        let Some(departure) = departure else { continue };
        for date in (0..dates).filter(|date| counts(place, *date) && departure[*date].is_finite()) {
            of_half[halves[date]].push(departure[date]);
        }
    }
    let values = || places.iter().flat_map(|place| place.weather.iter().copied()).filter(|x| x.is_finite());
    let (low, high) = values().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
    if values().all(|x| x == 0.0 || x == 1.0) && low < high {
        return Err(none("is a flag, on or off, and no measure of the weather; ask `uplift`"));
    }
    if low == high {
        return Err(none("is constant, so that it has no effect that can be estimated"));
    }
    if places.is_empty() || of_half.iter().any(|half| half.len() < LEAST) {
        return Err(none("is missing, or has no sales beside it, in a half of the year"));
    }
    let all = of_half.concat();
    let deviation = (all.iter().map(|x| x * x).sum::<f64>() / all.len() as f64).sqrt();
    if deviation < 1e-3 * (high - low) {
        return Err(none("is the same on the same dates of every year, so that it cannot be told from the season"));
    }
    let share = [0.1, 0.5, 0.9];
    let knots = |half: usize| -> Result<Vec<f64>> {
        let mut knots = share.iter().map(|p| quantile(&of_half[half], *p)).collect::<Result<Vec<f64>>>()?;
        knots.dedup_by(|a, b| *a - *b < 0.1 * deviation);
        Ok(if knots.len() < 3 { Vec::new() } else { knots })
    };
    let curve = Curve { knots: [knots(0)?, knots(1)?] };
    let p = curve.size(0) + curve.size(1);
    let place_of: HashMap<usize, usize> = places.iter().enumerate().map(|(at, place)| (place.longest, at)).collect();
    let fitted = |moved: i64| -> Result<Option<Regression>> {
        let given = |i: usize| -> Option<Given> {
            let at = *place_of.get(&i)?;
            let (place, departure) = (&places[at], departures[at].as_ref()?);
            let start = (panel.positions(i).first()? - first) as usize;
            let n = (panel.positions(i).last()? - first) as usize + 1 - start;
            let mut y = vec![f64::NAN; n];
            let mut x = vec![vec![f64::NAN; n]; p];
            for t in 0..n {
                let date = start + t;
                // The weather of another date, in the half of the year of this one.
                let departure = departure[(date as i64 + moved).rem_euclid(dates as i64) as usize];
                if !counts(place, date) || !departure.is_finite() {
                    continue;
                }
                y[t] = place.actual[date] / place.usual[date] - 1.0;
                let half = halves[date];
                for x in &mut x {
                    x[t] = 0.0;
                }
                for (k, term) in curve.range(half).zip(curve.terms(half, departure)) {
                    x[k][t] = term;
                }
            }
            Some(Given { y, x })
        };
        regress(panel, controls, p, &given)
    };
    let Some(found) = fitted(0)? else {
        return Err(none("does not vary apart from the level, the weekday and the season"));
    };
    let step = (panel.frequency().length() / DAY).max(1);
    let week = if step == 1 { 7 } else { 1 };
    let moves = (1..=PLACEBOS).map(|j| (dates * j / (PLACEBOS + 1)) as i64 / week * week);
    let moves: Vec<i64> = moves.filter(|by| by * step >= MOVED && (dates as i64 - by) * step >= MOVED).collect();
    let placebos: Vec<Regression> =
        moves.iter().map(|by| fitted(*by)).collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
    let years = (dates as i64 * step) as f64 / YEAR;
    // A difference between two departures, what other weather finds of it, and by how much that makes it less sure.
    let judged = |weights: &[f64]| {
        let elsewhere: Vec<f64> =
            placebos.iter().map(|other| other.combination(weights, f64::INFINITY).value).collect();
        // What other weather finds bounds the error from below.
        let alone = found.combination(weights, f64::INFINITY);
        let typical = (elsewhere.iter().map(|x| x * x).sum::<f64>() / elsewhere.len().max(1) as f64).sqrt();
        let wider = if alone.error > 0.0 { (typical / alone.error).max(1.0) } else { 1.0 };
        let percent: Vec<f64> = elsewhere.iter().map(|x| 100.0 * x).collect();
        (Estimate { error: wider * alone.error, ..alone }, wider, Placebo::of(100.0 * alone.value, &percent))
    };
    let mut effects: Vec<Effect> = Vec::new();
    let mut together = vec![0.0; p];
    for (half, values) in of_half.iter().enumerate() {
        let (low, high) = (quantile(values, 0.1)?, quantile(values, 0.9)?);
        let weights = curve.difference(half, low, high);
        together.iter_mut().zip(&weights).for_each(|(sum, weight)| *sum += weight / 2.0);
        let (estimate, wider, placebo) = judged(&weights);
        let of = |weights: &[f64]| {
            let estimate = found.combination(weights, f64::INFINITY);
            Estimate { error: wider * estimate.error, ..estimate }
        };
        let at = |x: f64| of(&curve.difference(half, 0.0, x));
        let worth = |x: f64| -> f64 {
            curve.difference(half, 0.0, x).iter().zip(&found.coefficients).map(|(w, b)| w * b).sum()
        };
        let mut moved = 0.0;
        let mut dots = Vec::new();
        for (place, departure) in places.iter().zip(&departures) {
            let Some(departure) = departure else { continue };
            for date in (0..dates).filter(|date| halves[*date] == half && counts(place, *date)) {
                if departure[date].is_finite() {
                    moved += worth(departure[date]).abs() * place.usual[date];
                    dots.push((departure[date], 100.0 * (place.actual[date] / place.usual[date] - 1.0)));
                }
            }
        }
        let every = dots.len().div_ceil(DOTS).max(1);
        let (from, to) = (quantile(&of_half[half], 0.02)?, quantile(&of_half[half], 0.98)?);
        let points = (0..POINTS).map(|k| {
            let x = from + (to - from) * k as f64 / (POINTS - 1) as f64;
            let value = at(x);
            let (low, high) = value.interval(level);
            (x, 100.0 * value.value, 100.0 * low, 100.0 * high)
        });
        effects.push(Effect {
            column: name.clone(),
            kind,
            half,
            low,
            high,
            joint: joint(&found, curve.range(half), wider),
            money: moved / years * estimate.value.signum(),
            placebo,
            curve: points.collect(),
            dots: dots.into_iter().step_by(every).collect(),
            estimate,
        });
    }
    let (estimate, _, placebo) = judged(&together);
    let mean = |of: fn(&Effect) -> f64| effects.iter().map(of).sum::<f64>() / effects.len() as f64;
    let money = effects.iter().map(|effect| effect.money).sum();
    effects.push(Effect {
        column: name,
        kind,
        half: WHOLE,
        low: mean(|effect| effect.low),
        high: mean(|effect| effect.high),
        joint: f64::NAN,
        money,
        placebo,
        curve: Vec::new(),
        dots: Vec::new(),
        estimate,
    });
    Ok(effects)
}

/// The probability that the coefficients of a spline, one or two, are as far from zero if all of them are zero: a Wald test on
/// the axes of their covariance, in units in which dates by themselves give each coefficient the variance one. Negative
/// autocorrelation, which few scores show by chance, does not make the variance along an axis smaller than that.
fn joint(found: &Regression, terms: std::ops::Range<usize>, wider: f64) -> f64 {
    let q = terms.len();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let mut axes: Vec<(f64, Vec<f64>)> = Vec::with_capacity(q);
    for k in terms {
        let (mut value, mut scores) = (found.coefficients[k], found.scores[k].clone());
        for (other, of) in &axes {
            let shared = dot(&scores, of);
            value -= shared * other;
            scores.iter_mut().zip(of).for_each(|(s, o)| *s -= shared * o);
        }
        let size = dot(&scores, &scores).sqrt();
        if size.is_nan() || size <= 0.0 {
            return 1.0;
        }
        axes.push((value / size, scores.into_iter().map(|s| s / size).collect()));
    }
    let dates = axes.first().map_or(0, |(_, scores)| scores.len());
    let lags = found.lags();
    let variance = |scores: &[f64]| long_run(scores, lags);
    if let [(_, a), (_, b)] = axes.as_slice() {
        let both: Vec<f64> = a.iter().zip(b).map(|(a, b)| a + b).collect();
        let (first, second) = (variance(a), variance(b));
        let angle = (variance(&both) - first - second).atan2(first - second) / 2.0;
        let (sin, cos) = angle.sin_cos();
        let turned = |c: f64, d: f64| {
            let scores = a.iter().zip(b).map(|(a, b)| c * a + d * b).collect();
            (c * axes[0].0 + d * axes[1].0, scores)
        };
        axes = vec![turned(cos, sin), turned(-sin, cos)];
    }
    let wald: f64 = axes.iter().map(|(value, scores)| value * value / variance(scores).max(1.0)).sum();
    let wald = wald / wider.powi(2);
    let freedom = freedom(lags as f64 / dates.max(1) as f64).max(q as f64);
    let (q, rest) = (q as f64, freedom - q as f64 + 1.0);
    let statistic = wald * rest / (freedom * q);
    if statistic.is_nan() || statistic < 0.0 {
        return 1.0;
    }
    FisherSnedecor::new(q, rest).map_or(1.0, |f| f.sf(statistic))
}

impl Effect {
    fn p(&self) -> f64 {
        self.estimate.p_value()
    }

    /// Of the warmest tenth, and of the coolest.
    fn ends(&self) -> (String, String) {
        match KINDS.get(self.kind) {
            Some((_, _, high, low)) => (format!("{high} tenth"), (*low).into()),
            None => (format!("highest tenth of {}", self.column), "lowest".into()),
        }
    }

    fn words(&self, noun: &str, target: &str, level: f64) -> String {
        let (high, low) = self.ends();
        let unit = unit(&self.column, self.kind);
        let (from, to) = self.estimate.interval(level);
        let share = 100.0 * self.estimate.value.abs();
        let departure = |x: f64| format!("{}{unit} {} usual", about(x.abs()), if x < 0.0 { "below" } else { "above" });
        format!(
            "A {noun} among the {high} for the time of the year ({}) sells {} % {} than one among the {low} ({}) {}, {} % \
             interval {} to {}: the weather moves about {} of {target} a year",
            departure(self.high),
            rounded(share, if share < 9.95 { 1 } else { 0 }),
            if self.estimate.value < 0.0 { "less" } else { "more" },
            departure(self.low),
            HALVES[self.half].0,
            rounded(100.0 * level, 1),
            signed(from),
            signed(to),
            amount(self.money.abs()),
        )
    }
}

impl Weather {
    fn told(
        &self,
        panel: &Panel,
        baseline: &Baseline,
        mut effects: Vec<Effect>,
        without: &[String],
    ) -> Result<Finding> {
        let noun = panel.frequency().noun();
        let target = panel.columns().target().to_string();
        effects.sort_by(|a, b| b.money.abs().total_cmp(&a.money.abs()));
        let alpha = 1.0 - self.level;
        let claims: Vec<Claim> = effects
            .iter()
            .map(|effect| Claim {
                about: format!("{}, {}", effect.column, HALVES[effect.half].1),
                sentence: if effect.p() < alpha {
                    format!("{}.", effect.words(noun, &target, self.level))
                } else {
                    format!("Sales do not clearly follow {} {}.", effect.column, HALVES[effect.half].0)
                },
                estimate: effect.estimate.times(100.0),
                p: effect.p(),
                money: effect.money,
                placebo: effect.placebo,
                again: true,
                unit: "%",
            })
            .collect();
        let clear: Vec<&Effect> = effects.iter().filter(|effect| effect.p() < alpha).collect();
        let named = |effect: &Effect| format!("{} {}", effect.column, HALVES[effect.half].0);
        let unclear: Vec<String> = effects.iter().filter(|effect| effect.p() >= alpha).map(named).collect();
        let unclear: Vec<&str> = unclear.iter().map(String::as_str).collect();
        let mut sentence = match clear.first() {
            Some(effect) => effect.words(noun, &target, self.level),
            None => format!(
                "Sales do not clearly follow the weather's departures from what is usual: {}",
                listed(&unclear, 4)
            ),
        };
        for effect in clear.iter().skip(1).take(3) {
            sentence.push_str(&format!("; {} {}", named(effect), signed(effect.estimate.value)));
        }
        if !clear.is_empty() && !unclear.is_empty() {
            sentence.push_str(&format!("; no clear effect: {}", listed(&unclear, 4)));
        }
        sentence.push('.');
        let figure = effects.iter().find(|effect| effect.half != WHOLE).map(|effect| {
            Scatter {
                title: format!("{target} and {} {}", effect.column, HALVES[effect.half].0),
                value: format!("{target}, % above the usual of the {noun}"),
                foot: format!(
                    "{},{} above the usual of the time of the year",
                    effect.column,
                    unit(&effect.column, effect.kind)
                ),
                groups: vec![(format!("{noun}s"), effect.dots.clone())],
                curve: effect.curve.clone(),
            }
            .figure()
        });
        let mut caveats: Vec<String> = without.iter().map(|why| format!("Left out: {why}.")).collect();
        if let Some((first, last)) = panel.extent() {
            let days = (last - first + 1) * (panel.frequency().length() / DAY);
            if (days as f64) < 2.0 * YEAR {
                caveats.push(
                    "Less than two years of history: what is usual at a time of the year is known from one or two of them, so that \
                     the season may be taken for the weather."
                        .into(),
                );
            }
        }
        let mut columns: Vec<&str> = effects.iter().map(|effect| effect.column.as_str()).collect();
        columns.sort_unstable();
        columns.dedup();
        let held = baseline.names();
        caveats.push(format!(
            "Asked {} {}, each alone: of columns that go together (rain and clouds) each has part of the other's effect. Sales are \
             compared with the level of the {} {noun}s around{}{}; {noun}s near common holidays are left out. Typical departures: \
             from the lowest to the highest tenth.",
            if columns.len() == 1 { "was" } else { "were" },
            listed(&columns, 8),
            2 * baseline.reach(),
            if baseline.weekly() { "" } else { " at the same weekday" },
            if held.is_empty() { String::new() } else { format!(", with {} held fixed", listed(&held, 8)) },
        ));
        let all = effects.len();
        let rows: Vec<&Effect> = effects.iter().take(self.top.max(1)).collect();
        let numbers = |name: &str, pick: &dyn Fn(&Effect) -> f64| {
            Column::new(name.into(), rows.iter().map(|row| pick(row)).collect::<Vec<_>>())
        };
        let percent = |share: f64| (1e4 * share).round() / 100.0;
        let hundredth = |value: f64| (100.0 * value).round() / 100.0;
        let columns = vec![
            Column::new("weather".into(), rows.iter().map(|row| row.column.as_str()).collect::<Vec<_>>()),
            Column::new("part of the year".into(), rows.iter().map(|row| HALVES[row.half].1).collect::<Vec<_>>()),
            numbers("low", &|row| hundredth(row.low)),
            numbers("high", &|row| hundredth(row.high)),
            numbers("effect %", &|row| percent(row.estimate.value)),
            numbers("from %", &|row| percent(row.estimate.interval(self.level).0)),
            numbers("to %", &|row| percent(row.estimate.interval(self.level).1)),
            numbers("a year", &|row| row.money.round()),
            numbers("p", &|row| row.p()),
            numbers("p of the curve", &|row| row.joint),
        ];
        let table = Table::new(DataFrame::new(rows.len(), columns)?).titled("Weather, the dearest first").of_rows(all);
        let mut finding = Finding::new("Weather", sentence, table).claiming(claims);
        let tried: usize = effects.iter().filter_map(|effect| effect.placebo).map(|placebo| placebo.tried).sum();
        if tried > 0 {
            let large: usize = effects.iter().filter_map(|effect| effect.placebo).map(|placebo| placebo.as_large).sum();
            finding = finding.sure_by(format!(
                "Errors allow for shocks that all series share. With the weather of another time, {large} of {tried} effects are \
                 as large."
            ));
        }
        if let Some(figure) = figure {
            finding = finding.drawn(figure);
        }
        Ok(caveats.into_iter().fold(finding, Finding::but))
    }
}
