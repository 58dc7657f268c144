//! Which single steps or short runs sold far more or less than was to be expected, why, and what was it worth?
//!
//! **Expected** is the local level without the step itself, weekday, known covariates ([`super::expected`]); times what the
//! series of the same panel and group did on the same date, and other years at the same time ([`super::unusual`]). A step is
//! unusual only if what the steps before alone, those after alone and those around without other years let expect agree by
//! half, so that neither a change of level nor an anomaly of another year is one.
//!
//! **Significance.** Deviations are divided by a robust scale; [`super::tails`] says how probable one as large is. The
//! p-value of a step is adjusted for the steps of its series (Šidák 1967, *JASA* vol. 62), and one candidate of each series
//! is tested, three of each in panels of up to twenty series. What series share is tested once, as an anomaly of the total
//! or of a group: store, department, region. A step that is known to be closed and sold nothing is no anomaly of its series.
//! Fails on intermittent series, which have no usual step; and says nothing of what lasts, which is for `changepoints`.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};
use polars::prelude::*;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::causes::promotions;
use super::expected::{Closed, Setting};
use super::tails::tails;
use super::unusual::{Judged, Rules, power, share_all};
use super::{Ask, Finding};
use crate::error::{Error, Result};
use crate::figures::{Line, Marked, TimeAxis};
use crate::panel::{Panel, candidate_holidays};
use crate::show::words::{about, counted};
use crate::show::{Claim, Table, number};
use crate::statistics::{Estimate, benjamini_yekutieli, check_level, student_quantile};

/// Candidates of each series.
const CANDIDATES: usize = 3;
/// Panels of more series have one candidate of each.
const FEW: usize = 20;
/// Values that a series must have.
pub(super) const LEAST: usize = 30;
/// Series that a date must have for their median to be what they share.
pub(super) const SHARED: usize = 8;
/// The share of false ones among those that are told.
const RATE: f64 = 0.05;
/// Steps of the longest run.
const RUN: usize = 7;
/// Robust standard deviations from which a step next to a candidate belongs to its run.
const BESIDE: f64 = 2.5;
/// Candidates of the total.
const OF_TOTAL: usize = 5;

/// Options of `anomalies`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Anomalies {
    /// Rows of the table, the dearest first.
    pub top: usize,
    /// The probability with which ordinary sales lie between `low` and `high`.
    pub level: f64,
    /// Only what happened on or after this date.
    pub since: Option<String>,
}

impl Default for Anomalies {
    fn default() -> Self {
        Self { top: 10, level: 0.95, since: None }
    }
}

/// Whose sales they are.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Whose {
    Total,
    /// A set of groups, and which of its groups.
    Group(usize, usize),
    Series(usize),
}

/// A division of the series.
pub(super) struct Division {
    pub(super) column: String,
    pub(super) of: Vec<usize>,
    pub(super) names: Vec<String>,
}

/// A step that was tested.
pub(super) struct Candidate {
    pub(super) whose: Whose,
    /// Its first step and its steps, from the panel's first.
    pub(super) peak: usize,
    pub(super) from: usize,
    pub(super) steps: usize,
    pub(super) actual: f64,
    pub(super) expected: f64,
    /// The standard deviation of what is expected, and its degrees of freedom.
    pub(super) error: f64,
    pub(super) freedom: f64,
    pub(super) p: f64,
    pub(super) cause: String,
}

impl Candidate {
    pub(super) fn difference(&self) -> f64 {
        self.actual - self.expected
    }
}

impl Ask for Anomalies {
    const NAME: &str = "anomalies";
    const SUMMARY: &str = "Steps whose sales were far from what was expected, with likely causes";
    const EXAMPLE: &str = "anomalies(top=5)";
    const ALSO: &str = "anomaly, outliers, outlier, spikes, unusual";

    fn check(&self) -> Result<()> {
        check_level(self.level)
    }

    fn tour(_: &Panel) -> Vec<Self> {
        vec![Self::default()]
    }

    fn answer(&self, panel: &Panel) -> Result<Finding> {
        let found = Found::of(panel, self.since.as_deref())?;
        found.finding(self)
    }
}

pub(super) struct Found<'a> {
    pub(super) panel: &'a Panel,
    pub(super) first: i64,
    pub(super) closed: Option<Closed>,
    divisions: Vec<Division>,
    series: Vec<Option<Judged>>,
    shared: Vec<(Whose, Judged)>,
    candidates: Vec<Candidate>,
    /// Steps in a year.
    year: f64,
    left: usize,
    /// The first row of each series.
    pub(super) starts: Vec<usize>,
    /// Columns of known events: rare ones, and promotions.
    pub(super) rare: Vec<usize>,
    pub(super) promotions: Vec<usize>,
    /// Holidays by year.
    pub(super) public: Vec<NaiveDate>,
}

impl<'a> Found<'a> {
    fn of(panel: &'a Panel, since: Option<&str>) -> Result<Self> {
        let closed = Closed::of(panel)?;
        let setting = Setting::of(panel, closed.as_ref())?;
        let (first, dates, reach) = (setting.controls.first, setting.controls.dates, setting.controls.reach);
        let start = match since {
            None => 0,
            Some(stamp) => {
                let last = panel.before(stamp)?.extent().map_or(first, |(_, last)| last + 1);
                usize::try_from(last - first).unwrap_or(0)
            }
        };
        let year = steps_a_year(panel);
        let mut usual = setting.all()?;
        let left = usual.iter().filter(|usual| usual.is_none()).count();
        if left == panel.len() {
            return Err(Error::data(format!(
                "no series can answer this question: it takes {} steps or more that are not mostly zero",
                number(LEAST as f64)
            )));
        }
        let divisions = divisions(panel)?;
        let mut shared = Vec::new();
        let daily = setting.controls.groups.len() == 1;
        let steps = if daily { super::year(panel) } else { year.round() as usize };
        let rules = Rules { year: steps, reach, power: power(&usual) };
        if panel.len() - left >= SHARED {
            let members: Vec<usize> = (0..panel.len()).collect();
            if let Some(judged) = rules.judge_sum(&usual, &members, dates) {
                shared.push((Whose::Total, judged));
            }
            share_all(&mut usual, &members, dates);
            for (d, division) in divisions.iter().enumerate() {
                let mut groups: Vec<Vec<usize>> = vec![Vec::new(); division.names.len()];
                division.of.iter().enumerate().for_each(|(i, group)| groups[*group].push(i));
                let judged: Vec<Option<(Whose, Judged)>> = groups
                    .par_iter()
                    .enumerate()
                    .map(|(g, members)| Some((Whose::Group(d, g), rules.judge_sum(&usual, members, dates)?)))
                    .collect();
                shared.extend(judged.into_iter().flatten());
                for members in &groups {
                    share_all(&mut usual, members, dates);
                }
            }
        }
        let series: Vec<Option<Judged>> = usual.into_par_iter().map(|usual| rules.judge_one(usual?)).collect();
        let left = series.iter().filter(|judged| judged.is_none()).count();
        if left == panel.len() && shared.is_empty() {
            return Err(Error::data("no series can answer this question: their sales do not vary, or are mostly zero"));
        }
        let lengths = (0..panel.len()).map(|i| panel.positions(i).len());
        let starts = lengths.scan(0, |at, length| Some(std::mem::replace(at, *at + length))).collect();
        let promotions = promotions(panel)?;
        let calendar = &panel.inner().calendar;
        let days = [first, first + dates as i64].map(|at| calendar.period(at, panel.columns().stamps));
        let public = match days {
            [Some((from, _)), Some((_, to))] if to.year() - from.year() < 400 => {
                candidate_holidays(panel, from.year()..=to.year())?.into_iter().flatten().collect()
            }
            _ => Vec::new(),
        };
        let rare = setting.rare;
        let candidates = Vec::new();
        let mut found = Self {
            panel,
            first,
            closed,
            divisions,
            series,
            shared,
            candidates,
            year,
            left,
            starts,
            rare,
            promotions,
            public,
        };
        found.candidates = found.tested(start);
        for k in 0..found.candidates.len() {
            found.candidates[k].cause = found.cause(&found.candidates[k])?;
        }
        Ok(found)
    }

    fn judged(&self, whose: Whose) -> Option<&Judged> {
        match whose {
            Whose::Series(i) => self.series.get(i)?.as_ref(),
            _ => self.shared.iter().find(|(known, _)| *known == whose).map(|(_, judged)| judged),
        }
    }

    /// The candidates of all series and groups, with their p-values.
    fn tested(&self, start: usize) -> Vec<Candidate> {
        let of_series: Vec<(Whose, &Judged)> = self
            .series
            .iter()
            .enumerate()
            .filter_map(|(i, judged)| judged.as_ref().map(|judged| (Whose::Series(i), judged)))
            .collect();
        let each = if of_series.len() > FEW { 1 } else { CANDIDATES };
        let mut all: Vec<(Whose, &Judged)> = self.shared.iter().map(|(whose, judged)| (*whose, judged)).collect();
        all.extend(of_series);
        let mut candidates = tested(&all, start, each);
        for candidate in &mut candidates {
            // What one series did is no anomaly of its group.
            if !matches!(candidate.whose, Whose::Series(_)) && self.by_one(candidate) {
                candidate.p = 1.0;
            }
        }
        candidates
    }

    pub(super) fn members(&self, whose: Whose) -> Vec<usize> {
        match whose {
            Whose::Series(i) => vec![i],
            Whose::Total => (0..self.panel.len()).collect(),
            Whose::Group(d, g) => (0..self.panel.len()).filter(|i| self.divisions[d].of[*i] == g).collect(),
        }
    }

    fn by_one(&self, candidate: &Candidate) -> bool {
        let sizes = self.members(candidate.whose).into_iter().filter_map(|i| {
            let judged = self.series[i].as_ref()?;
            let t = candidate.peak.checked_sub(judged.offset)?;
            let size = judged.y.get(t)? - judged.expected.get(t)?;
            (size.is_finite() && size * candidate.difference() > 0.0).then_some(size.abs())
        });
        sizes.fold(0.0, f64::max) > 0.5 * candidate.difference().abs()
    }

    fn name(&self, whose: Whose) -> String {
        match whose {
            Whose::Total if self.panel.len() == 1 => self.panel.label(0).to_string(),
            Whose::Total => "all series together".into(),
            Whose::Group(d, g) => format!("{}={}", self.divisions[d].column, self.divisions[d].names[g]),
            Whose::Series(i) => self.panel.label(i).to_string(),
        }
    }

    fn date(&self, candidate: &Candidate) -> String {
        self.panel.inner().calendar.label(self.first + candidate.from as i64)
    }

    /// `on 2014-06-09 (Whit Monday, closed)`, `in the week 2012-11-23`.
    fn when(&self, candidate: &Candidate) -> String {
        let noun = self.panel.frequency().noun();
        let on = match (candidate.steps, noun) {
            (1, "day") => format!("on {}", self.date(candidate)),
            (1, _) => format!("in the {noun} {}", self.date(candidate)),
            (steps, _) => format!("in {} from {}", counted(steps, noun, &format!("{noun}s")), self.date(candidate)),
        };
        if candidate.cause.is_empty() {
            format!("{on} (no known cause)")
        } else {
            format!("{on} ({})", candidate.cause)
        }
    }

    fn claim(&self, candidate: &Candidate, years: f64) -> Claim {
        let difference = candidate.difference();
        let name = self.name(candidate.whose);
        let verb = if candidate.whose == Whose::Total && self.panel.len() > 1 { "sold together" } else { "sold" };
        let subject = if verb == "sold" { name.clone() } else { "All series".to_string() };
        let sentence = format!(
            "{subject} {verb} {} {} than expected {}: {} instead of {}.",
            about(difference.abs()),
            if difference < 0.0 { "less" } else { "more" },
            self.when(candidate),
            about(candidate.actual),
            about(candidate.expected),
        );
        Claim {
            about: format!("{name}, {}", self.date(candidate)),
            sentence,
            estimate: Estimate { value: difference, error: candidate.error, freedom: candidate.freedom },
            p: candidate.p,
            money: difference / years.max(1.0),
            placebo: None,
            again: false,
            unit: "",
        }
    }

    fn finding(&self, asked: &Anomalies) -> Result<Finding> {
        let adjusted = benjamini_yekutieli(&self.candidates.iter().map(|c| c.p).collect::<Vec<_>>());
        let mut order: Vec<usize> = (0..self.candidates.len()).collect();
        let stands = |k: usize| adjusted[k] <= RATE;
        let size = |k: usize| self.candidates[k].difference().abs();
        order.sort_by(|a, b| stands(*b).cmp(&stands(*a)).then(size(*b).total_cmp(&size(*a))).then(a.cmp(b)));
        let standing: Vec<&Candidate> = order.iter().filter(|k| stands(**k)).map(|k| &self.candidates[*k]).collect();
        let (first, last) = self.panel.extent().unwrap_or((0, 0));
        let years = (last - first + 1) as f64 / self.year;
        let claims: Vec<Claim> = self.candidates.iter().map(|candidate| self.claim(candidate, years)).collect();
        let noun = self.panel.frequency().noun();
        let sentence = match standing.first() {
            None => format!(
                "No {noun} of {} stands out from what was to be expected.",
                counted(self.panel.len() - self.left, "series", "series")
            ),
            Some(dearest) => {
                let (mut less, mut more) = (0.0, 0.0);
                for candidate in &standing {
                    let difference = candidate.difference();
                    if difference < 0.0 { less -= difference } else { more += difference }
                }
                let worth = match (less > 0.0, more > 0.0) {
                    (true, true) => format!("{} less in some and {} more in others", about(less), about(more)),
                    (true, false) => format!("{} less", about(less)),
                    _ => format!("{} more", about(more)),
                };
                let unknown = standing.iter().filter(|candidate| candidate.cause.is_empty()).count();
                let verb = if standing.len() == 1 { "stands" } else { "stand" };
                let largest = self.claim(dearest, years).sentence;
                format!(
                    "{} {verb} out from what was to be expected: {worth}. The largest: {} {} of {} no known cause.",
                    counted(standing.len(), "anomaly", "anomalies"),
                    largest,
                    number(unknown as f64),
                    if standing.len() == 1 {
                        "1 has".to_string()
                    } else {
                        format!("{} have", number(standing.len() as f64))
                    },
                )
            }
        };
        let rows: Vec<usize> = order.iter().copied().take(asked.top.max(1)).collect();
        let table = self.table(&rows, &adjusted, asked.level)?;
        let mut finding = Finding::new("Anomalies", sentence, table).claiming(claims);
        let of_series = standing.iter().find(|candidate| matches!(candidate.whose, Whose::Series(_)));
        if let Some(candidate) = of_series.or(standing.first())
            && let Some(figure) = self.figure(candidate.whose, &standing)
        {
            finding = finding.drawn(figure);
        }
        finding = finding.sure_by(format!(
            "{} tested (the most unusual steps of each series and group, each adjusted for the number of its steps); told is what stands \
             at a false discovery rate of {} %.",
            counted(self.candidates.len(), "candidate was", "candidates were"),
            number(100.0 * RATE)
        ));
        if self.left > 0 {
            finding = finding.but(format!(
                "{} of {} series left out: too short, or zero on many steps.",
                number(self.left as f64),
                number(self.panel.len() as f64)
            ));
        }
        let shared = if self.shared.is_empty() {
            ""
        } else {
            " Of each series and group only what it does not share with the others is told."
        };
        Ok(finding.but(format!(
            "Expected are the local level, the weekday, the known covariates and what other years had at the same time.{shared} A \
             cause is likely because it happened at the same time; it is not proved."
        )))
    }

    fn table(&self, rows: &[usize], adjusted: &[f64], level: f64) -> Result<Table> {
        let of =
            |pick: &dyn Fn(&Candidate) -> f64| rows.iter().map(|k| pick(&self.candidates[*k])).collect::<Vec<f64>>();
        let texts = |pick: &dyn Fn(usize) -> String| rows.iter().map(|k| pick(*k)).collect::<Vec<String>>();
        let bounds = |candidate: &Candidate| {
            let margin = student_quantile(candidate.freedom, 0.5 + level / 2.0).unwrap_or(f64::NAN) * candidate.error;
            (candidate.expected - margin, candidate.expected + margin)
        };
        let keys = self.panel.columns().keys();
        let mut columns: Vec<Column> = Vec::new();
        for (k, key) in keys.iter().enumerate() {
            let own = self.panel.attribute(key)?.unwrap_or_default();
            let values = texts(&|row| match self.candidates[row].whose {
                Whose::Series(i) => own.get(i).cloned().unwrap_or_default(),
                Whose::Group(d, g) if self.divisions[d].column == *key => self.divisions[d].names[g].clone(),
                Whose::Group(d, g) if k == 0 && !keys.contains(&self.divisions[d].column) => {
                    format!("{}={}", self.divisions[d].column, self.divisions[d].names[g])
                }
                _ => "all".into(),
            });
            columns.push(Column::new(key.as_str().into(), values));
        }
        columns.push(Column::new("date".into(), texts(&|row| self.date(&self.candidates[row]))));
        columns.push(Column::new(
            "steps".into(),
            rows.iter().map(|k| self.candidates[*k].steps as u64).collect::<Vec<_>>(),
        ));
        columns.push(Column::new("actual".into(), of(&|c| c.actual)));
        columns.push(Column::new("expected".into(), of(&|c| c.expected)));
        columns.push(Column::new("low".into(), of(&|c| bounds(c).0)));
        columns.push(Column::new("high".into(), of(&|c| bounds(c).1)));
        columns.push(Column::new("difference".into(), of(&Candidate::difference)));
        columns.push(Column::new("cause".into(), texts(&|row| self.candidates[row].cause.clone())));
        columns.push(Column::new("adjusted p".into(), rows.iter().map(|k| adjusted[*k]).collect::<Vec<_>>()));
        let stands = |row: usize| if adjusted[row] <= RATE { "yes" } else { "no" }.to_string();
        columns.push(Column::new("stands".into(), texts(&stands)));
        Ok(Table::new(DataFrame::new(rows.len(), columns)?)
            .of_rows(self.candidates.len())
            .titled("Steps far from what was expected: those that stand first, the dearest first"))
    }

    fn figure(&self, whose: Whose, standing: &[&Candidate]) -> Option<crate::show::Figure> {
        let judged = self.judged(whose)?;
        let calendar = &self.panel.inner().calendar;
        let at = |t: usize| calendar.x(self.first + t as i64);
        let x: Vec<f64> = (0..judged.y.len()).map(|t| at(judged.offset + t)).collect();
        let target = self.panel.columns().target().to_string();
        let marks = standing.iter().filter(|candidate| candidate.whose == whose).map(|candidate| {
            let y = judged.y.get(candidate.peak - judged.offset).copied().unwrap_or(f64::NAN);
            let cause = if candidate.cause.is_empty() { String::new() } else { format!(": {}", candidate.cause) };
            (at(candidate.peak), y, format!("{}{cause}", calendar.label(self.first + candidate.peak as i64)))
        });
        Some(
            Marked {
                title: format!("What stands out: {}", self.name(whose)),
                value: target.clone(),
                axis: if self.panel.frequency().is_whole() { TimeAxis::Steps } else { TimeAxis::Dates },
                line: Line { name: target, x: x.clone(), y: judged.y.clone() },
                expected: Some(Line { name: "expected".into(), x, y: judged.expected.clone() }),
                levels: Vec::new(),
                marks: marks.collect(),
            }
            .figure(),
        )
    }
}

/// Candidates and their p-values, their tails estimated together.
fn tested(entities: &[(Whose, &Judged)], start: usize, each: usize) -> Vec<Candidate> {
    let most = |whose: Whose| if whose == Whose::Total { OF_TOTAL } else { each };
    let peaks: Vec<Vec<usize>> =
        entities.par_iter().map(|(whose, judged)| peaks(judged, start, most(*whose))).collect();
    let given: Vec<(Vec<f64>, usize)> = entities.par_iter().map(|(_, judged)| ordinary(judged)).collect();
    let tails = tails(&given);
    let mut candidates = Vec::new();
    for (((whose, judged), peaks), tail) in entities.iter().zip(&peaks).zip(&tails) {
        let from = start.saturating_sub(judged.offset).min(judged.unusual.len());
        let steps = judged.unusual[from..].iter().filter(|u| u.is_finite()).count() as f64;
        let (scale, freedom) = tail.typical();
        for &peak in peaks {
            let single = tail.beyond(judged.unusual[peak].abs());
            let p = -(steps * (-single).ln_1p()).exp_m1();
            let sign = judged.unusual[peak].signum();
            let belongs = |t: usize| judged.unusual[t] * sign >= BESIDE;
            let mut first = peak;
            while first > from && peak - first < RUN / 2 && belongs(first - 1) {
                first -= 1;
            }
            let mut last = peak;
            while last + 1 < judged.y.len() && last - peak < RUN / 2 && belongs(last + 1) {
                last += 1;
            }
            let sum = |values: &[f64]| values[first..=last].iter().sum::<f64>();
            let square: f64 = judged.scale[first..=last].iter().map(|s| s * s).sum();
            candidates.push(Candidate {
                whose: *whose,
                peak: judged.offset + peak,
                from: judged.offset + first,
                steps: last - first + 1,
                actual: sum(&judged.y),
                expected: sum(&judged.expected),
                error: scale * square.sqrt(),
                freedom,
                p: p.clamp(0.0, 1.0),
                cause: String::new(),
            });
        }
    }
    candidates
}

/// The deviations that say what is usual: all but those of the most unusual steps and next to them, and how many these are.
fn ordinary(judged: &Judged) -> (Vec<f64>, usize) {
    let largest = peaks(judged, 0, CANDIDATES);
    let near = |t: usize| largest.iter().any(|peak| t.abs_diff(*peak) <= 1);
    let deviations = judged.deviation.iter().enumerate().filter(|(t, d)| d.is_finite() && !near(*t));
    (deviations.map(|(_, deviation)| *deviation).collect(), largest.len())
}

/// The most unusual steps, not next to one another.
fn peaks(judged: &Judged, start: usize, most: usize) -> Vec<usize> {
    let size = |t: usize| judged.unusual[t].abs();
    let mut free: Vec<bool> =
        (0..judged.unusual.len()).map(|t| judged.offset + t >= start && judged.unusual[t].is_finite()).collect();
    let mut peaks = Vec::new();
    for _ in 0..most {
        let best = (0..free.len()).filter(|t| free[*t]).max_by(|a, b| size(*a).total_cmp(&size(*b)).then(b.cmp(a)));
        let Some(best) = best.filter(|t| size(*t) > 0.0) else { break };
        peaks.push(best);
        free[best.saturating_sub(RUN / 2)..(best + RUN / 2 + 1).min(judged.unusual.len())].fill(false);
    }
    peaks
}

/// How the keys and the columns of texts that are fixed divide the series, into groups with enough of them.
pub(super) fn divisions(panel: &Panel) -> Result<Vec<Division>> {
    let columns = panel.columns();
    let names: Vec<String> = columns.attributes().map(String::from).collect();
    let mut divisions: Vec<Division> = Vec::new();
    for column in names {
        let Some(texts) = panel.attribute(&column)? else { continue };
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        texts.iter().for_each(|text| {
            places.insert(text, 0);
        });
        let count = places.len();
        places.values_mut().enumerate().for_each(|(k, place)| *place = k);
        let of: Vec<usize> = texts.iter().map(|text| places[text.as_str()]).collect();
        // The same division by another name, or no division.
        let same = |other: &Division| {
            let mut pairs: Vec<(usize, usize)> = of.iter().copied().zip(other.of.iter().copied()).collect();
            pairs.sort_unstable();
            pairs.dedup();
            pairs.len() == count || pairs.len() == other.names.len()
        };
        if count < 2 || panel.len() / count < SHARED || divisions.iter().any(same) {
            continue;
        }
        let names = places.keys().map(|name| (*name).to_string()).collect();
        divisions.push(Division { column, of, names });
        if divisions.len() == 4 {
            break;
        }
    }
    Ok(divisions)
}

/// Steps in a year: of a season where steps have no dates.
pub(super) fn steps_a_year(panel: &Panel) -> f64 {
    panel.steps_in_a_year().max(1.0)
}
