//! Which single steps or short runs sold far more or less than was to be expected, why, and what was it worth?
//!
//! **Expected** is what [`super::expected`] says: the local level without the step itself, weekday, known covariates; times
//! what the series of the same panel, and of the same group, did on the same date (medians); and, in the share in which
//! other years predict this one, the deviation at the same time of other years. A step is unusual only if what the steps
//! before alone, those after alone and those around without other years let expect agree by half, so that neither a change
//! of level nor an anomaly of another year is one.
//!
//! **Significance.** Deviations are divided by a robust scale (median absolute deviation of the series, and of that time
//! of year where that is larger). Their tail is Student's: the degrees of freedom of each series are estimated from
//! the steps that are not candidates (the largest count as censored), shrunk to those of the other series by empirical
//! Bayes (a prior over a grid, by EM). The p-value of a step is adjusted for the steps of its series (Šidák 1967, *JASA*
//! vol. 62), and one candidate of each series is tested, three of each in panels of up to three series. What series share is tested once, as an anomaly of the
//! total or of a group: store, department, region. Fails on intermittent series, which have no usual step; and says
//! nothing of what lasts, which is for `changepoints`.

use std::collections::BTreeMap;

use chrono::{Datelike, Days, NaiveDate};
use polars::prelude::*;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

use super::expected::{Closed, Setting, Usual, feasts};
use super::{Ask, Finding};
use crate::error::{Error, Result};
use crate::figures::{Line, Marked, TimeAxis};
use crate::panel::{DAY, Panel, Role, candidate_holidays, median};
use crate::show::words::{about, counted};
use crate::show::{Claim, Table, number};
use crate::statistics::{Estimate, benjamini_yekutieli, check_level, student_quantile};

/// Candidates of each series.
const CANDIDATES: usize = 3;
/// Panels of more series have one candidate of each.
const FEW: usize = 3;
/// Values that a series must have.
const LEAST: usize = 30;
/// Series that a date must have for their median to be what they share.
const SHARED: usize = 8;
/// In groups of up to so many series each is compared with the others.
const ALONE: usize = 40;
/// The share of false ones among those that are told.
const RATE: f64 = 0.05;
/// Steps of the longest run.
const RUN: usize = 7;
/// Robust standard deviations from which a step next to a candidate belongs to its run.
const BESIDE: f64 = 2.5;
/// One over the degrees of freedom of the tails.
const TAILS: [f64; 10] = [0.0, 0.03, 0.06, 0.1, 0.15, 0.2, 0.25, 0.33, 0.5, 0.8];
/// A tail with less than this probability is left out.
const UNLIKELY: f64 = 0.05;
/// Series with normal tails that are assumed besides those of the panel.
const NORMAL: f64 = 0.5;
/// Bins of a robust standard deviation, and where they end.
const BINS: f64 = 10.0;
const END: usize = 150;
/// The third quartile of the normal distribution.
const QUARTILE: f64 = 0.674_489_75;
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
enum Whose {
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

/// Sales and what was expected of them, judged.
struct Judged {
    offset: usize,
    y: Vec<f64>,
    expected: Vec<f64>,
    /// Deviations in robust standard deviations, by the smallest of them; NaN where there is none.
    unusual: Vec<f64>,
    /// Deviations from what is expected, the same.
    deviation: Vec<f64>,
    /// The robust standard deviation, in units of sales.
    scale: Vec<f64>,
}

/// A step that was tested.
struct Candidate {
    whose: Whose,
    /// Its first step and its steps, from the panel's first.
    peak: usize,
    from: usize,
    steps: usize,
    actual: f64,
    expected: f64,
    /// The standard deviation of what is expected, and its degrees of freedom.
    error: f64,
    freedom: f64,
    p: f64,
    cause: String,
}

impl Candidate {
    fn difference(&self) -> f64 {
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

struct Found<'a> {
    panel: &'a Panel,
    first: i64,
    closed: Option<Closed>,
    divisions: Vec<Division>,
    series: Vec<Option<Judged>>,
    shared: Vec<(Whose, Judged)>,
    candidates: Vec<Candidate>,
    /// Steps in a year.
    year: f64,
    left: usize,
    /// The first row of each series.
    starts: Vec<usize>,
    /// Columns of known events: rare ones, and promotions.
    rare: Vec<usize>,
    promotions: Vec<usize>,
    /// Holidays by year.
    public: Vec<NaiveDate>,
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
        let rules = Rules { year: year.round() as usize, reach, daily: setting.controls.groups.len() == 1 };
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
        let series: Vec<Option<Judged>> = usual.into_par_iter().map(|usual| rules.judge(usual?)).collect();
        let left = series.iter().filter(|judged| judged.is_none()).count();
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

    fn members(&self, whose: Whose) -> Vec<usize> {
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

    /// The likely cause; empty if none is known.
    fn cause(&self, candidate: &Candidate) -> Result<String> {
        let (panel, peak) = (self.panel, self.first + candidate.peak as i64);
        let matrix = panel.matrix()?;
        let members = self.members(candidate.whose);
        let rows: Vec<usize> = members
            .iter()
            .filter_map(|i| {
                let t = panel.positions(*i).binary_search(&peak).ok()?;
                Some(self.starts[*i] + t)
            })
            .collect();
        let most = |column: &[f64]| {
            let on = rows.iter().filter(|row| column[**row] > 0.0).count();
            on > 0 && 2 * on >= rows.len()
        };
        let below = candidate.difference() < 0.0;
        let mut causes: Vec<String> = Vec::new();
        let closed = self.closed.as_ref().filter(|closed| most(&closed.rows) && below);
        // Rare flags that are on, the names of texts before plain flags.
        let mut flags: Vec<(bool, usize)> = self
            .rare
            .iter()
            .filter(|c| most(&matrix.columns[**c]))
            .map(|c| (matrix.sources[*c].0 == matrix.names[*c], *c))
            .collect();
        flags.sort_unstable();
        let is_holiday = |name: &str| {
            let name = name.to_lowercase();
            ["holi", "feiert", "feast", "easter", "christmas", "event"].iter().any(|word| name.contains(word))
        };
        let of_flags: Vec<String> = match flags.first() {
            Some((false, c)) => vec![matrix.names[*c][matrix.sources[*c].0.len() + 1..].to_string()],
            Some((true, c)) => vec![matrix.names[*c].clone()],
            None => Vec::new(),
        };
        let only_says_holiday = flags.first().is_some_and(|(plain, c)| *plain && is_holiday(&matrix.names[*c]));
        let named = self.holiday(peak);
        match named.filter(|_| of_flags.is_empty() || only_says_holiday) {
            Some(holiday) => causes.push(holiday),
            None => causes.extend(of_flags),
        }
        if closed.is_some() {
            causes.push("closed".into());
        }
        let value = candidate.actual / candidate.steps as f64;
        let usual = candidate.expected / candidate.steps as f64;
        if let Whose::Series(i) = candidate.whose {
            let t = usize::try_from(peak - panel.positions(i).first().copied().unwrap_or(peak)).unwrap_or(0);
            let y = panel.regular(i);
            let own = y.get(t).copied().unwrap_or(f64::NAN);
            let error = candidate.error / usual.abs().max(1e-300);
            let ratio = own / usual;
            let tens = [10.0, 100.0, 1000.0, 0.1, 0.01, 0.001].into_iter().find(|tens| {
                // A misplaced decimal mark: as far from the multiple as ordinary sales are from what is expected.
                (ratio / tens - 1.0).abs() < (2.0 * error).clamp(0.05, 0.25)
            });
            let rarely = y.iter().filter(|y| **y < 0.0).count() * 50 < y.len();
            if own < 0.0 && rarely {
                causes.push("data error? negative sales".into());
            } else if let Some(tens) = tens {
                let times =
                    if tens > 1.0 { format!("{} times", number(tens)) } else { format!("1/{}", number(1.0 / tens)) };
                causes.push(format!("data error? {times} the expected"));
            } else if closed.is_none() && causes.is_empty() && below && value <= 0.03 * usual {
                causes.push("no stock or closed? hardly any sales".into());
            } else if own.abs() >= 100.0 && (t > 0 && y[t - 1] == own || y.get(t + 1) == Some(&own)) {
                causes.push("data error? the same as its neighbour".into());
            }
        }
        if causes.is_empty() {
            causes.extend(self.weather(candidate.whose, peak)?);
        }
        if causes.is_empty() && !below {
            let promotion = self.promotions.iter().copied().find(|c| most(&matrix.columns[*c]));
            causes.extend(promotion.map(|c| matrix.names[c].clone()));
        }
        Ok(causes.join(", "))
    }

    /// The holiday on or next to a day, or in a longer step, by name.
    fn holiday(&self, position: i64) -> Option<String> {
        let panel = self.panel;
        let (from, to) = panel.inner().calendar.period(position, panel.columns().stamps)?;
        let length = (to - from).num_days();
        if length > 7 || panel.frequency().length() < DAY {
            return None;
        }
        let holidays: Vec<(NaiveDate, &str)> = (from.year()..=(to + Days::new(3)).year()).flat_map(feasts).collect();
        if let Some((_, name)) = holidays.iter().find(|(day, _)| (from..=to).contains(day)) {
            return Some((*name).to_string());
        }
        if self.public.iter().any(|day| (from..=to).contains(day)) {
            return Some("a public holiday".into());
        }
        let (before, after) = if length == 0 { (2, 1) } else { (3, 0) };
        holidays.iter().find_map(|(day, name)| {
            let away = if *day > to { (*day - to).num_days() } else { -(from - *day).num_days() };
            match away {
                1..=3 if away <= before => Some(format!("before {name}")),
                -3..=-1 if -away <= after => Some(format!("after {name}")),
                _ => None,
            }
        })
    }

    /// The weather, if it was extreme for the series.
    fn weather(&self, whose: Whose, position: i64) -> Result<Option<String>> {
        let matrix = self.panel.matrix()?;
        let words = ["temp", "precip", "rain", "wind", "snow", "humid", "weather", "storm"];
        let members = self.members(whose);
        for (c, name) in matrix.names.iter().enumerate() {
            let lower = name.to_lowercase();
            if matrix.sources[c].1 == Role::Fixed || !words.iter().any(|word| lower.contains(word)) {
                continue;
            }
            let (mut extreme, mut all, mut high) = (0, 0, 0);
            for i in members.iter().take(50) {
                let column = self.panel.column_of(*i, &matrix.columns[c]);
                let Ok(t) = self.panel.positions(*i).binary_search(&position) else { continue };
                let own = column[t];
                let known = column.iter().filter(|x| !x.is_nan()).count();
                let above = column.iter().filter(|x| **x >= own).count();
                let below = column.iter().filter(|x| **x <= own).count();
                all += 1;
                // One step in two hundred is as high, or as low.
                if known >= 100 && 200 * above.min(below) <= known.max(200) {
                    extreme += 1;
                    high += usize::from(above < below);
                }
            }
            if all > 0 && 2 * extreme >= all {
                let end = if 2 * high >= extreme { "highest" } else { "lowest" };
                return Ok(Some(format!("weather: {name} among its {end}")));
            }
        }
        Ok(None)
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

/// How deviations are judged.
struct Rules {
    /// Steps in a year.
    year: usize,
    reach: usize,
    daily: bool,
}

impl Rules {
    /// The sum of some series and what was expected of it.
    fn judge_sum(&self, usual: &[Option<Usual>], members: &[usize], dates: usize) -> Option<Judged> {
        let there: Vec<&Usual> = members.iter().filter_map(|i| usual[*i].as_ref()).collect();
        if there.len() < SHARED {
            return None;
        }
        let mut y = vec![0.0; dates];
        let mut sums: [Vec<f64>; 3] = std::array::from_fn(|_| vec![0.0; dates]);
        let (mut present, mut closed, mut marked) = (vec![0_usize; dates], vec![0_usize; dates], vec![0_usize; dates]);
        for one in &there {
            for t in 0..one.y.len() {
                let at = one.offset + t;
                let [all, before, after] = [0, 1, 2].map(|k| one.expected[k][t]);
                if one.y[t].is_finite() && all.is_finite() {
                    y[at] += one.y[t];
                    sums[0][at] += all;
                    // Where one side is not known, all around stands for it.
                    sums[1][at] += if before.is_finite() { before } else { all };
                    sums[2][at] += if after.is_finite() { after } else { all };
                    present[at] += 1;
                    closed[at] += usize::from(one.closed[t]);
                    marked[at] += usize::from(one.marked[t]);
                }
            }
        }
        let least = there.len().div_ceil(4).max(SHARED / 2);
        for t in 0..dates {
            if present[t] < least {
                y[t] = f64::NAN;
                sums.iter_mut().for_each(|sum| sum[t] = f64::NAN);
            }
        }
        let closed = (0..dates).map(|t| 2 * closed[t] > present[t]).collect();
        let marked = (0..dates).map(|t| 5 * marked[t] > present[t]).collect();
        self.judge(Usual { offset: 0, y, expected: sums, closed, marked })
    }

    fn judge(&self, usual: Usual) -> Option<Judged> {
        let n = usual.y.len();
        let ratio = |k: usize, t: usize| usual.y[t] / usual.expected[k][t] - 1.0;
        let plain: Vec<f64> = (0..n).map(|t| ratio(0, t)).collect();
        let ordinary = |t: usize| plain[t].is_finite() && !usual.closed[t] && !usual.marked[t];
        if (0..n).filter(|t| ordinary(*t)).count() < LEAST {
            return None;
        }
        let years = self.other_years(&plain, &usual.closed);
        let deviation: Vec<f64> = (0..n).map(|t| (1.0 + plain[t]) / (1.0 + years[t]) - 1.0).collect();
        let scale = self.scales(&deviation, &(0..n).map(ordinary).collect::<Vec<_>>())?;
        let unusual: Vec<f64> = (0..n)
            .map(|t| {
                if !plain[t].is_finite() {
                    return f64::NAN;
                }
                let sides = [1, 2].map(|k| (1.0 + ratio(k, t)) / (1.0 + years[t]) - 1.0);
                let all = [deviation[t], plain[t], sides[0], sides[1]];
                // The others need to agree by half: a change of level passes on one side, another year's anomaly without it.
                let sign = deviation[t].signum();
                let weakest = all.iter().filter(|d| d.is_finite()).map(|d| sign * d).fold(f64::INFINITY, f64::min);
                let least = if weakest >= 0.5 * deviation[t].abs() { deviation[t] } else { sign * weakest.max(0.0) };
                least / scale[t]
            })
            .collect();
        let expected: Vec<f64> = (0..n).map(|t| usual.expected[0][t] * (1.0 + years[t])).collect();
        let sales = (0..n).map(|t| scale[t] * expected[t]).collect();
        let deviation = (0..n).map(|t| if ordinary(t) { deviation[t] / scale[t] } else { f64::NAN }).collect();
        Some(Judged { offset: usual.offset, y: usual.y, expected, unusual, deviation, scale: sales })
    }

    /// What other years had at the same time, in the share in which they predict: the smallest of their deviations, zero where
    /// they do not agree.
    fn other_years(&self, plain: &[f64], closed: &[bool]) -> Vec<f64> {
        let n = plain.len();
        // Days of other years that fall on the same weekday.
        let year = if self.daily { 364 } else { self.year };
        if year < 2 || 2 * n < 3 * year {
            return vec![0.0; n];
        }
        let at = |t: Option<usize>| t.filter(|t| *t < n && !closed[*t]).map(|t| plain[t]).filter(|x| x.is_finite());
        let others: Vec<f64> = (0..n)
            .map(|t| {
                let most = n / year + 1;
                let near =
                    (1..=most).flat_map(|k| [at(t.checked_sub(k * year)), at(t.checked_add(k * year))]).flatten();
                let (low, high) = near.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
                if low.is_infinite() {
                    0.0
                } else if low > 0.0 {
                    low
                } else if high < 0.0 {
                    high
                } else {
                    0.0
                }
            })
            .collect();
        let sizes: Vec<f64> = plain.iter().filter(|x| x.is_finite()).map(|x| x.abs()).collect();
        let most = 5.0 * 1.4826 * median(sizes);
        let (mut both, mut square) = (0.0, 0.0);
        for t in (0..n).filter(|t| plain[*t].is_finite() && !closed[*t]) {
            let other = others[t].clamp(-most, most);
            both += other * plain[t].clamp(-most, most);
            square += other * other;
        }
        let share = if square > 0.0 { (both / square).clamp(0.0, 1.0) } else { 0.0 };
        let share = if share < 0.2 { 0.0 } else { share };
        others.into_iter().map(|other| (share * other).max(-0.9)).collect()
    }

    /// The robust standard deviation at each step: that of all steps, or of those around and at the same time of other years
    /// where it is larger.
    fn scales(&self, deviation: &[f64], ordinary: &[bool]) -> Option<Vec<f64>> {
        let n = deviation.len();
        let sizes: Vec<f64> = (0..n).filter(|t| ordinary[*t]).map(|t| deviation[t].abs()).collect();
        let all = median(sizes) / QUARTILE;
        if all.is_nan() || all <= 1e-9 {
            return None;
        }
        let year = if self.daily { 364 } else { self.year };
        let wide = self.reach.max(12);
        let stride = (wide / 4).max(1);
        let mut scale = vec![all; n];
        for from in (0..n).step_by(stride) {
            let to = (from + stride).min(n);
            let middle = (from + to) / 2;
            let mut near: Vec<f64> = Vec::with_capacity(8 * wide);
            let mut add = |centre: usize, reach: usize| {
                let steps = centre.saturating_sub(reach)..(centre + reach + 1).min(n);
                near.extend(steps.filter(|t| ordinary[*t]).map(|t| deviation[t].abs()));
            };
            add(middle, wide);
            if year >= 4 {
                (1..=n / year).for_each(|k| {
                    if let Some(earlier) = middle.checked_sub(k * year) {
                        add(earlier, wide / 2);
                    }
                    if middle + k * year < n {
                        add(middle + k * year, wide / 2);
                    }
                });
            }
            if near.len() >= 16 {
                let own = median(near) / QUARTILE;
                scale[from..to].fill(all.max(0.8 * own));
            }
        }
        Some(scale)
    }
}

/// Expects of each member what the others did: of many series one does not move the median.
fn share_all(usual: &mut [Option<Usual>], members: &[usize], dates: usize) {
    let there: Vec<usize> = members.iter().copied().filter(|i| usual[*i].is_some()).collect();
    if there.len() < SHARED {
        return;
    }
    let all = if there.len() > ALONE { medians(usual, &there, None, dates) } else { Vec::new() };
    let commons: Vec<Vec<f64>> = if there.len() > ALONE {
        Vec::new()
    } else {
        there.par_iter().map(|i| medians(usual, &there, Some(*i), dates)).collect()
    };
    for (k, i) in there.iter().enumerate() {
        if let Some(usual) = &mut usual[*i] {
            share(usual, commons.get(k).unwrap_or(&all));
        }
    }
}

/// What the series but one share on each date: the median of their deviations; zero where few are there.
fn medians(usual: &[Option<Usual>], members: &[usize], but: Option<usize>, dates: usize) -> Vec<f64> {
    let there: Vec<&Usual> = members.iter().filter(|i| Some(**i) != but).filter_map(|i| usual[*i].as_ref()).collect();
    (0..dates)
        .into_par_iter()
        .with_min_len(64)
        .map(|date| {
            let of = |one: &&Usual| {
                let t = date.checked_sub(one.offset)?;
                let deviation = one.y.get(t)? / one.expected[0][t] - 1.0;
                deviation.is_finite().then_some(deviation)
            };
            let near: Vec<f64> = there.iter().filter_map(of).collect();
            if near.len() + 1 < SHARED {
                return 0.0;
            }
            // Less what the median of so many has by chance.
            let middle = median(near.clone());
            let spread = median(near.iter().map(|d| (d - middle).abs()).collect()) / QUARTILE;
            let chance = 1.57 * spread * spread / near.len() as f64;
            middle * (1.0 - chance / (middle * middle).max(1e-300)).max(0.0)
        })
        .collect()
}

/// Expects what the other series had as well. Where most were closed, a closed one is as expected, and an open one is compared
/// with its own usual sales.
fn share(usual: &mut Usual, common: &[f64]) {
    for t in 0..usual.y.len() {
        let common = common[usual.offset + t];
        if common > -0.7 {
            usual.expected.iter_mut().for_each(|expected| expected[t] *= 1.0 + common);
        } else if usual.y[t] < 0.3 * usual.expected[0][t] {
            usual.expected.iter_mut().for_each(|expected| expected[t] = f64::NAN);
        }
    }
}

/// Candidates and their p-values, their tails estimated together.
fn tested(entities: &[(Whose, &Judged)], start: usize, each: usize) -> Vec<Candidate> {
    let most = |whose: Whose| if whose == Whose::Total { OF_TOTAL } else { each };
    let peaks: Vec<Vec<usize>> =
        entities.par_iter().map(|(whose, judged)| peaks(judged, start, most(*whose))).collect();
    let tails = Tails::new();
    let likelihoods: Vec<[f64; TAILS.len()]> =
        entities.par_iter().zip(&peaks).map(|((_, judged), peaks)| tails.likelihood(judged, peaks)).collect();
    let weights = tails.shrunk(&likelihoods);
    let mut candidates = Vec::new();
    for (((whose, judged), peaks), weights) in entities.iter().zip(&peaks).zip(&weights) {
        let from = start.saturating_sub(judged.offset).min(judged.unusual.len());
        let steps = judged.unusual[from..].iter().filter(|u| u.is_finite()).count() as f64;
        let inverse: f64 = weights.iter().zip(TAILS).map(|(w, tail)| w * tail).sum();
        for &peak in peaks {
            let single = tails.beyond(judged.unusual[peak].abs(), weights);
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
                error: square.sqrt(),
                freedom: (1.0 / inverse.max(0.01)).max(2.0),
                p: p.clamp(0.0, 1.0),
                cause: String::new(),
            });
        }
    }
    candidates
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

/// Student tails, each with the same quartiles as the normal distribution.
struct Tails {
    students: Vec<Option<StudentsT>>,
    /// What a robust standard deviation is in the units of each.
    units: Vec<f64>,
    /// Log densities in the middle of each bin.
    densities: Vec<Vec<f64>>,
}

impl Tails {
    fn new() -> Self {
        use statrs::distribution::Continuous;
        let students: Vec<Option<StudentsT>> = TAILS
            .iter()
            .map(|inverse| if *inverse > 0.0 { StudentsT::new(0.0, 1.0, 1.0 / inverse).ok() } else { None })
            .collect();
        let units: Vec<f64> = students
            .iter()
            .map(|student| student.as_ref().map_or(1.0, |student| student.inverse_cdf(0.75) / QUARTILE))
            .collect();
        let normal = Normal::standard();
        let densities = students
            .iter()
            .zip(&units)
            .map(|(student, unit)| {
                (0..=END)
                    .map(|bin| {
                        let at = unit * (bin as f64 + 0.5) / BINS;
                        unit.ln() + student.as_ref().map_or_else(|| normal.ln_pdf(at), |student| student.ln_pdf(at))
                    })
                    .collect()
            })
            .collect();
        Self { students, units, densities }
    }

    /// How probable a deviation as large is in either direction, by tail.
    fn tail(&self, k: usize, size: f64) -> f64 {
        let at = -size * self.units[k];
        2.0 * self.students[k].as_ref().map_or_else(|| Normal::standard().cdf(at), |student| student.cdf(at))
    }

    fn beyond(&self, size: f64, weights: &[f64]) -> f64 {
        (0..TAILS.len()).map(|k| weights[k] * self.tail(k, size)).sum::<f64>().clamp(0.0, 1.0 - 1e-12)
    }

    /// The log likelihood of each tail; of the candidates only that they are beyond the others.
    fn likelihood(&self, judged: &Judged, peaks: &[usize]) -> [f64; TAILS.len()] {
        let mut counts = vec![0.0; END + 1];
        let (mut most, mut all): (f64, f64) = (0.0, 0.0);
        for (t, deviation) in judged.deviation.iter().enumerate() {
            if deviation.is_finite() && peaks.iter().all(|peak| t.abs_diff(*peak) > 1) {
                let size = deviation.abs();
                counts[((size * BINS) as usize).min(END)] += 1.0;
                most = most.max(size);
                all += 1.0;
            }
        }
        let censored = if all > 0.0 { peaks.len() as f64 } else { 0.0 };
        let most = most.min(END as f64 / BINS);
        std::array::from_fn(|k| {
            let seen: f64 = counts.iter().zip(&self.densities[k]).map(|(count, density)| count * density).sum();
            seen + censored * self.tail(k, most).max(1e-300).ln()
        })
    }

    /// The weights of the tails for each series, given all series.
    fn shrunk(&self, likelihoods: &[[f64; TAILS.len()]]) -> Vec<[f64; TAILS.len()]> {
        let mut prior = [1.0 / TAILS.len() as f64; TAILS.len()];
        let posterior = |prior: &[f64; TAILS.len()], likelihood: &[f64; TAILS.len()]| {
            let most = likelihood.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let mut weights: [f64; TAILS.len()] = std::array::from_fn(|k| prior[k] * (likelihood[k] - most).exp());
            let sum: f64 = weights.iter().sum();
            weights.iter_mut().for_each(|w| *w /= sum.max(1e-300));
            weights
        };
        for _ in 0..200 {
            // Without evidence to the contrary tails are those of the normal distribution.
            let mut next = [0.0; TAILS.len()];
            next[0] = NORMAL;
            for likelihood in likelihoods {
                let weights = posterior(&prior, likelihood);
                next.iter_mut().zip(weights).for_each(|(a, b)| *a += b);
            }
            let sum: f64 = next.iter().sum();
            if sum > 0.0 {
                next.iter_mut().for_each(|w| *w /= sum);
                prior = next;
            }
        }
        likelihoods
            .iter()
            .map(|likelihood| {
                let mut weights = posterior(&prior, likelihood);
                // What the data make unlikely is left out.
                weights.iter_mut().filter(|w| **w < UNLIKELY).for_each(|w| *w = 0.0);
                let sum: f64 = weights.iter().sum();
                weights.map(|w| w / sum.max(1e-300))
            })
            .collect()
    }
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

/// The known columns that are promotions by their names, on in a fifth of the rows at most.
fn promotions(panel: &Panel) -> Result<Vec<usize>> {
    let matrix = panel.matrix()?;
    let words = ["promo", "markdown", "deal", "discount", "action", "coupon"];
    let is_one = |c: &usize| {
        let name = matrix.names[*c].to_lowercase();
        matrix.sources[*c].1 == Role::Known && words.iter().any(|word| name.contains(word)) && {
            let on = matrix.columns[*c].iter().filter(|x| **x > 0.0).count();
            5 * on <= matrix.columns[*c].len()
        }
    };
    Ok((0..matrix.names.len()).filter(is_one).collect())
}

/// Steps in a year: of a season where steps have no dates.
pub(super) fn steps_a_year(panel: &Panel) -> f64 {
    let frequency = panel.frequency();
    if frequency.is_whole() {
        panel.season().max(1) as f64
    } else {
        (365.2425 * DAY as f64 / frequency.length() as f64).max(1.0)
    }
}
