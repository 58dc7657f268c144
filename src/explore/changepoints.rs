//! When did a series change its level for good?
//!
//! Each series has one candidate, the best; [`super::shifts`] says how it is tested and what makes it last. So have the total
//! and the groups of series with the same first key. If the expected number of steps between breaks is stated, the table lists
//! the breaks of Bayesian online changepoint detection instead (Adams & MacKay 2007) of each series without its season (STL,
//! where the series has more than two seasons; see [`crate::statistics::changepoints`]), and which of them are near a
//! change that stands. A break is dated to the first step of the new segment; a slow trend shows as several breaks, single
//! outliers as short segments; of a long series only the last 5,000 steps are analysed.

use polars::prelude::*;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::anomalies::{Division, divisions, steps_a_year};
use super::blocks::{divide, divide_by_others, groups, in_blocks, shared_by};
use super::each::each;
use super::expected::{Closed, Setting};
use super::shifts::{Design, Shift};
use super::{Ask, Finding};
use crate::error::{Error, Result};
use crate::figures::{Line, Marked, TimeAxis};
use crate::panel::{Panel, median};
use crate::progress;
use crate::show::words::{about, counted};
use crate::show::{Claim, Table, number};
use crate::statistics::{LONGEST, MstlOptions, benjamini_yekutieli, changepoints, check_level, lines, mstl, usable};

/// Values that a series must have.
const LEAST: usize = 10;
/// Weeks that a level must last on both sides.
const WEEKS: usize = 8;
/// Series that a block must have for their median to be what they share.
pub(super) const SHARED: usize = 8;
/// The share of false ones among those that are told.
const RATE: f64 = 0.05;

/// Options of `changepoints`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Changepoints {
    /// Expected number of steps between breaks, from 1 to 900: the lower, the more breaks are found. If it is stated, the
    /// table lists the breaks that a Bayesian detector finds, and which of them are lasting changes.
    pub expected: Option<f64>,
    /// Steps in the season that is removed before the detector looks; by default the panel's season, 1 for none.
    pub season: Option<usize>,
    /// Rows of the table: changes that stand first, then the largest change of level.
    pub top: usize,
    /// The probability of the intervals.
    pub level: f64,
}

impl Default for Changepoints {
    fn default() -> Self {
        Self { expected: None, season: None, top: 10, level: 0.95 }
    }
}

/// A break, with mean and standard deviation of the segments before and after it.
struct Break {
    position: i64,
    before: (f64, f64),
    after: (f64, f64),
}

/// Whose level it is.
#[derive(Clone, Copy, PartialEq)]
enum Whose {
    Total,
    Group(usize),
    Series(usize),
}

/// The best candidate of a series, of a group or of the total.
struct Tested {
    whose: Whose,
    shift: Shift,
    /// The first step of the new level.
    position: i64,
    adjusted: f64,
    cause: String,
}

impl Ask for Changepoints {
    const NAME: &str = "changepoints";
    const SUMMARY: &str = "When series changed their level for good";
    const EXAMPLE: &str = "changepoints(expected=100)";
    const ALSO: &str = "breaks, structural breaks, level shifts, level changes";

    /// A length out of range is an error of the question.
    fn check(&self) -> Result<()> {
        check_level(self.level)?;
        self.expected.map_or(Ok(()), |expected| changepoints(&[0.0, 1.0, 0.0, 1.0], expected).map(|_| ()))
    }

    fn tour(_: &Panel) -> Vec<Self> {
        vec![Self::default()]
    }

    fn answer(&self, panel: &Panel) -> Result<Finding> {
        let m = self.season.unwrap_or(panel.season()).max(1);
        let blocks = Blocks::of(panel)?;
        let answers = each(panel, LEAST, |i, y| {
            let shift = blocks.series(i)?;
            let Some(expected) = self.expected else { return Ok((Vec::new(), false, shift)) };
            let seasons = usable(&[m], y.len());
            let values =
                if seasons.is_empty() { lines(y) } else { mstl(y, &seasons, &MstlOptions::default())?.adjusted() };
            let first = panel.positions(i).first().copied().unwrap_or(0);
            let at = changepoints(&values, expected)?;
            let edges: Vec<usize> = std::iter::once(0).chain(at).chain([values.len()]).collect();
            let segments: Vec<(f64, f64)> = edges.windows(2).map(|edge| moments(&values[edge[0]..edge[1]])).collect();
            let breaks = segments.windows(2).zip(&edges[1..]).map(|(pair, at)| Break {
                position: first + *at as i64,
                before: pair[0],
                after: pair[1],
            });
            Ok((breaks.collect::<Vec<_>>(), seasons.is_empty(), shift))
        })?;
        let found = &answers.found;
        let count = |n: usize| number(n as f64);
        let of_series = found.iter().filter_map(|(i, (_, _, shift))| Some((Whose::Series(*i), shift.clone()?)));
        let mut tested: Vec<Tested> = blocks
            .shared()?
            .into_iter()
            .chain(of_series)
            .map(|(whose, shift)| {
                let position = blocks.position(shift.at);
                Tested { whose, shift, position, adjusted: 1.0, cause: String::new() }
            })
            .collect();
        let short = found.iter().filter(|(_, (_, _, shift))| shift.is_none()).count();
        if tested.is_empty() && self.expected.is_none() {
            return Err(Error::data(format!(
                "no series is long enough to tell a lasting change of level: it takes {} with a value at least",
                blocks.needed()
            )));
        }
        let adjusted = benjamini_yekutieli(&tested.iter().map(|one| one.shift.p).collect::<Vec<_>>());
        for (one, adjusted) in tested.iter_mut().zip(adjusted) {
            one.adjusted = adjusted;
            if adjusted <= RATE {
                one.cause = blocks.cause(one)?;
            }
        }
        let year = steps_a_year(panel);
        let claims: Vec<Claim> = tested.iter().map(|one| blocks.claim(one, year, self.level)).collect();
        let mut order: Vec<usize> = (0..tested.len()).collect();
        let stands = |k: usize| tested[k].adjusted <= RATE;
        let size = |k: usize| tested[k].shift.change.value.abs();
        order.sort_by(|a, b| stands(*b).cmp(&stands(*a)).then(size(*b).total_cmp(&size(*a))).then(a.cmp(b)));
        let in_series = order.iter().copied().filter(|k| matches!(tested[*k].whose, Whose::Series(_)));
        let standing: Vec<usize> = in_series.filter(|k| stands(*k)).collect();
        let others: Vec<usize> =
            order.iter().copied().filter(|k| !matches!(tested[*k].whose, Whose::Series(_)) && stands(*k)).collect();
        let all = found.len() - short;
        let mut sentence = match standing.first() {
            None if others.is_empty() => format!("No lasting change of level in {}.", counted(all, "series", "series")),
            None => String::new(),
            Some(largest) => format!(
                "{} of {} series changed their level for good: {}{}",
                count(standing.len()),
                count(all),
                if standing.len() > 1 { "the largest, " } else { "" },
                blocks.told(&tested[*largest], year),
            ),
        };
        if let Some(largest) = others.first() {
            let more = if others.len() > 1 {
                format!(" ({} of totals and groups in all)", count(others.len()))
            } else {
                String::new()
            };
            let told = blocks.told(&tested[*largest], year);
            sentence =
                format!("{sentence}{}{told}{more}", if sentence.is_empty() { "" } else { " " }).trim().to_string();
        }
        let table = match self.expected {
            None => blocks.table(&tested, &order, self)?,
            Some(_) => {
                let mut breaks: Vec<(usize, &Break)> =
                    found.iter().flat_map(|(i, (breaks, ..))| breaks.iter().map(|b| (*i, b))).collect();
                let size = |b: &Break| (b.after.0 - b.before.0).abs();
                breaks.sort_by(|a, b| size(b.1).total_cmp(&size(a.1)).then(a.0.cmp(&b.0)));
                let near = 4 * blocks.design.block as i64;
                let stand = |i: usize, b: &Break| {
                    let same = |k: &usize| {
                        tested[*k].whose == Whose::Series(i) && (tested[*k].position - b.position).abs() <= near
                    };
                    if standing.iter().any(same) { "yes" } else { "no" }
                };
                let rows = breaks.len();
                breaks.truncate(self.top.max(1));
                let mut columns = panel.key_columns(breaks.iter().map(|(i, _)| *i))?;
                let calendar = &panel.inner().calendar;
                let starts = breaks.iter().map(|(_, b)| calendar.label(b.position)).collect::<Vec<_>>();
                columns.push(Column::new("from".into(), starts));
                let column = |name: &str, pick: fn(&Break) -> f64| {
                    Column::new(name.into(), breaks.iter().map(|(_, b)| pick(b)).collect::<Vec<_>>())
                };
                columns.push(column("level before", |b| b.before.0));
                columns.push(column("level after", |b| b.after.0));
                columns.push(column("spread before", |b| b.before.1));
                columns.push(column("spread after", |b| b.after.1));
                columns
                    .push(Column::new("stands".into(), breaks.iter().map(|(i, b)| stand(*i, b)).collect::<Vec<_>>()));
                Table::new(DataFrame::new(breaks.len(), columns)?)
                    .of_rows(rows)
                    .titled("Breaks, the largest change of level first; seasonally adjusted")
            }
        };
        let mut finding = Finding::new("Level changes", sentence, table).claiming(claims).sure_by(format!(
            "{} tested, one for each series, total and group, at its best place of all ({}); told is what stands at a false \
             discovery rate of {} %, lasts at least {} on both sides, and is alike on odd and even steps.",
            counted(tested.len(), "candidate was", "candidates were"),
            "sup-Wald test with autocorrelated errors",
            number(100.0 * RATE),
            blocks.lasting(),
        ));
        let shown = standing.first().or(others.first()).or(order.first());
        if let Some(figure) = shown.and_then(|k| blocks.figure(&tested[*k], tested[*k].adjusted <= RATE)) {
            finding = finding.drawn(figure);
        }
        finding =
            answers.caveats(finding, panel, "filled by linear or seasonal interpolation, or left out of the test");
        if short > 0 {
            finding = finding.but(format!(
                "{} of {} series are too short to tell a lasting change, which takes {} with a value.",
                count(short),
                count(found.len()),
                blocks.needed()
            ));
        }
        let raw = found.iter().filter(|(_, (_, raw, _))| *raw).count();
        if m > 1 && raw > 0 {
            finding = finding.but(format!(
                "{} of {} series have no more than two seasons of {}: they are not seasonally adjusted, and their season may \
                 show as breaks.",
                count(raw),
                count(found.len()),
                count(m)
            ));
        }
        let long = found.iter().filter(|(i, _)| panel.regular(*i).len() > LONGEST).count();
        if self.expected.is_some() && long > 0 {
            finding = finding.but(format!(
                "{} of {} series are longer than {} steps; only the last of these were searched for breaks.",
                count(long),
                count(found.len()),
                count(LONGEST)
            ));
        }
        if panel.len() < SHARED && blocks.years() < 2.0 && blocks.design.year >= 4.0 {
            finding = finding.but("Less than two years: a change of level cannot be told from the season.");
        }
        Ok(finding.but(
            "Each series is searched for one lasting change, beyond what it shares with the others; a change and its opposite may \
             hide each other.",
        ))
    }
}

/// The panel in blocks: weeks of days, else steps.
struct Blocks<'a> {
    panel: &'a Panel,
    design: Design,
    first: i64,
    count: usize,
    /// The values of each series from the panel's first block on; NaN where it has none.
    values: Vec<Vec<f64>>,
    /// What series share, by series and block; empty where nothing is known to be shared.
    common: Vec<f64>,
    of_groups: Vec<Vec<f64>>,
    divisions: Vec<Division>,
}

impl<'a> Blocks<'a> {
    fn of(panel: &'a Panel) -> Result<Self> {
        let (frequency, (first, last)) = (panel.frequency(), panel.extent().unwrap_or((0, -1)));
        let block = frequency.week().or((frequency.is_whole() && panel.season() == 7).then_some(7)).unwrap_or(1);
        let year = if block == 7 && frequency.is_whole() { 52.0 } else { steps_a_year(panel) / block as f64 };
        let least = if year >= 50.0 { WEEKS } else { ((year / 2.0).round() as usize).clamp(6, 4 * WEEKS) };
        let design = Design { block, year, least };
        let count = usize::try_from(last - first + 1).unwrap_or(0) / block;
        let closed = Closed::of(panel)?;
        let setting = Setting::of(panel, closed.as_ref())?;
        let values = (0..panel.len())
            .into_par_iter()
            .map(|i| {
                progress::check()?;
                let effect = setting.effect(i)?;
                Ok(in_blocks(panel, i, closed.as_ref(), effect.as_deref(), first, block, count))
            })
            .collect::<Result<Vec<_>>>()?;
        let divisions = divisions(panel)?;
        let mut blocks =
            Self { panel, design, first, count, values, common: Vec::new(), of_groups: Vec::new(), divisions };
        let relative: Vec<Vec<f64>> = blocks
            .values
            .par_iter()
            .map(|values| {
                let known: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
                let typical = if 5 * known.len() < 4 * values.len() { f64::NAN } else { median(known) };
                values.iter().map(|v| if typical > 0.0 { v / typical } else { f64::NAN }).collect()
            })
            .collect();
        let everyone: Vec<usize> = (0..panel.len()).collect();
        blocks.common = shared_by(&relative, &everyone, count);
        if !blocks.common.is_empty() {
            let mut own = vec![vec![1.0; count]; panel.len()];
            let mut rest = relative;
            divide_by_others(&mut rest, &mut own, &everyone, count);
            for division in &blocks.divisions {
                for members in groups(division) {
                    divide_by_others(&mut rest, &mut own, &members, count);
                }
            }
            blocks.of_groups = own;
        }
        Ok(blocks)
    }

    fn position(&self, block: usize) -> i64 {
        self.first + (block * self.design.block) as i64
    }

    fn series(&self, i: usize) -> Result<Option<Shift>> {
        let mut values = self.values[i].clone();
        if let Some(common) = self.of_groups.get(i) {
            divide(&mut values, common);
        }
        Ok(self.design.test(&values, 0))
    }

    /// The sum of the series that reach from the first to the last block.
    fn sum(&self, members: &[usize]) -> Vec<f64> {
        let whole = |i: &&usize| {
            let known = self.values[**i].iter().filter(|v| v.is_finite()).count();
            20 * known >= 19 * self.count
        };
        let there: Vec<usize> = members.iter().filter(whole).copied().collect();
        if there.len() < 2 {
            return Vec::new();
        }
        (0..self.count)
            .map(|b| {
                let (mut sum, mut typical, mut missing) = (0.0, 0.0, 0);
                for i in &there {
                    let value = self.values[*i][b];
                    if value.is_finite() {
                        sum += value;
                        typical += 1.0;
                    } else {
                        missing += 1;
                    }
                }
                if missing * 5 > there.len() { f64::NAN } else { sum * there.len() as f64 / typical }
            })
            .collect()
    }

    /// The total and the groups of the first key.
    fn shared(&self) -> Result<Vec<(Whose, Shift)>> {
        if self.panel.len() < 2 {
            return Ok(Vec::new());
        }
        let everyone: Vec<usize> = (0..self.panel.len()).collect();
        let total = self.sum(&everyone);
        let mut tested: Vec<(Whose, Shift)> = Vec::new();
        if !total.is_empty() {
            tested.extend(self.design.test(&total, 0).map(|shift| (Whose::Total, shift)));
        }
        if let Some(division) = self.divisions.first().filter(|_| !self.common.is_empty()) {
            let groups = groups(division);
            let of_groups: Vec<(Whose, Shift)> = groups
                .par_iter()
                .enumerate()
                .filter_map(|(g, members)| {
                    let mut sum = self.sum(members);
                    divide(&mut sum, &self.common);
                    let shift = if sum.is_empty() { None } else { self.design.test(&sum, 0) };
                    shift.map(|shift| (Whose::Group(g), shift))
                })
                .collect();
            tested.extend(of_groups);
        }
        Ok(tested)
    }

    fn name(&self, whose: Whose) -> String {
        match (whose, self.divisions.first()) {
            (Whose::Series(i), _) => self.panel.label(i).to_string(),
            (Whose::Group(g), Some(division)) => format!("{}={}", division.column, division.names[g]),
            _ => "all series together".into(),
        }
    }

    fn date(&self, position: i64) -> String {
        self.panel.inner().calendar.label(position)
    }

    /// `Store 9, from about 5,200 to 6,900 a day since 2014-02-03 (+33 %, 620,000 a year).`
    fn told(&self, one: &Tested, year: f64) -> String {
        let shift = &one.shift;
        let relative = shift.relative.value;
        let cause = if one.cause.is_empty() { String::new() } else { format!("; {} changed at that time", one.cause) };
        format!(
            "{}, from about {} to {} a {} since {} ({}{} %, {} a year{cause}).",
            self.name(one.whose),
            about(shift.before),
            about(shift.after),
            self.panel.frequency().noun(),
            self.date(one.position),
            if relative < 0.0 { "−" } else { "+" },
            about(relative.abs()),
            about((shift.change.value * year).abs()),
        )
    }

    fn claim(&self, one: &Tested, year: f64, level: f64) -> Claim {
        let shift = &one.shift;
        let name = self.name(one.whose);
        let (low, high) = shift.relative.interval(level);
        let subject = if one.whose == Whose::Total { "All series together" } else { name.as_str() };
        let cause = if one.cause.is_empty() { String::new() } else { format!(" when {} changed", one.cause) };
        let sentence = format!(
            "{subject} changed level for good{cause}: from about {} to {} a {} since {}, {} a year {} ({} % interval {} to {} %).",
            about(shift.before),
            about(shift.after),
            self.panel.frequency().noun(),
            self.date(one.position),
            about((shift.change.value * year).abs()),
            if shift.change.value < 0.0 { "less" } else { "more" },
            number(100.0 * level),
            about(low),
            about(high),
        );
        Claim {
            about: format!("{name}, level"),
            sentence,
            estimate: shift.relative,
            p: shift.p,
            money: shift.change.value * year,
            placebo: None,
            again: false,
            unit: "%",
        }
    }

    /// Columns that change once and for good within four blocks of a change.
    fn cause(&self, one: &Tested) -> Result<String> {
        let Whose::Series(i) = one.whose else { return Ok(String::new()) };
        let matrix = self.panel.matrix()?;
        let positions = self.panel.positions(i);
        let near = 4 * self.design.block as i64;
        let mut names: Vec<&str> = Vec::new();
        for (c, (source, _)) in matrix.sources.iter().enumerate() {
            let column = self.panel.column_of(i, &matrix.columns[c]);
            let differs = |a: f64, b: f64| a != b && !(a.is_nan() && b.is_nan());
            let turns: Vec<usize> = (1..column.len()).filter(|t| differs(column[*t - 1], column[*t])).take(2).collect();
            if let [turn] = turns[..]
                && (positions[turn] - one.position).abs() <= near
                && !names.contains(&source.as_str())
            {
                names.push(source);
            }
        }
        let calendar = &self.panel.inner().calendar;
        let stamps = self.panel.columns().stamps;
        for (c, (source, _)) in matrix.sources.iter().enumerate() {
            // A year, or a day as YYYYMMDD, since when there is something.
            if !source.to_lowercase().contains("since") || names.contains(&source.as_str()) {
                continue;
            }
            let value = self.panel.column_of(i, &matrix.columns[c]).first().copied().unwrap_or(f64::NAN);
            let day = if value > 1e7 && value < 1e8 {
                let whole = value as i32;
                chrono::NaiveDate::from_ymd_opt(whole / 10_000, (whole / 100 % 100) as u32, (whole % 100) as u32)
            } else {
                None
            };
            let from = calendar.period(one.position - near, stamps).map(|(from, _)| from);
            let to = calendar.period(one.position + near, stamps).map(|(_, to)| to);
            if let (Some(day), Some(from), Some(to)) = (day, from, to)
                && from <= day
                && day <= to
            {
                names.push(source);
            }
        }
        Ok(names.join(", "))
    }

    fn needed(&self) -> String {
        let noun = self.panel.frequency().noun();
        counted(self.design.fewest() * self.design.block, noun, &format!("{noun}s"))
    }

    fn lasting(&self) -> String {
        let noun = self.panel.frequency().noun();
        counted(self.design.least * self.design.block, noun, &format!("{noun}s"))
    }

    fn years(&self) -> f64 {
        self.count as f64 / self.design.year
    }

    fn table(&self, tested: &[Tested], order: &[usize], asked: &Changepoints) -> Result<Table> {
        let rows: Vec<&Tested> = order.iter().take(asked.top.max(1)).map(|k| &tested[*k]).collect();
        let texts = |name: &str, pick: &dyn Fn(&Tested) -> String| {
            Column::new(name.into(), rows.iter().map(|one| pick(one)).collect::<Vec<_>>())
        };
        let numbers = |name: &str, pick: &dyn Fn(&Tested) -> f64| {
            Column::new(name.into(), rows.iter().map(|one| pick(one)).collect::<Vec<_>>())
        };
        let keys = self.panel.columns().keys();
        let mut columns = Vec::new();
        for key in &keys {
            let own = self.panel.attribute(key)?.unwrap_or_default();
            columns.push(texts(key, &|one| match (one.whose, self.divisions.first()) {
                (Whose::Series(i), _) => own.get(i).cloned().unwrap_or_default(),
                (Whose::Group(g), Some(division)) if division.column == *key => division.names[g].clone(),
                (Whose::Group(g), Some(division)) if !keys.contains(&division.column) && *key == keys[0] => {
                    format!("{}={}", division.column, division.names[g])
                }
                _ => "all".into(),
            }));
        }
        let year = steps_a_year(self.panel);
        columns.push(texts("from", &|one| self.date(one.position)));
        columns.push(numbers("level before", &|one| one.shift.before));
        columns.push(numbers("level after", &|one| one.shift.after));
        columns.push(numbers("change %", &|one| one.shift.relative.value));
        columns.push(numbers("low %", &|one| one.shift.relative.interval(asked.level).0));
        columns.push(numbers("high %", &|one| one.shift.relative.interval(asked.level).1));
        columns.push(numbers("a year", &|one| one.shift.change.value * year));
        columns.push(numbers("adjusted p", &|one| one.adjusted));
        columns.push(texts("stands", &|one| match (one.adjusted <= RATE, one.shift.but) {
            (true, _) => "yes".into(),
            (false, "") => "no".into(),
            (false, why) => format!("no: {why}"),
        }));
        columns.push(texts("cause", &|one| one.cause.clone()));
        Ok(Table::new(DataFrame::new(rows.len(), columns)?)
            .of_rows(order.len())
            .titled("The best candidate of each series: those that stand first, the largest change of level first"))
    }

    fn figure(&self, one: &Tested, stands: bool) -> Option<crate::show::Figure> {
        let values = match one.whose {
            Whose::Series(i) => self.values[i].clone(),
            Whose::Group(g) => self.sum(&groups(self.divisions.first()?)[g]),
            Whose::Total => self.sum(&(0..self.panel.len()).collect::<Vec<_>>()),
        };
        let calendar = &self.panel.inner().calendar;
        let x: Vec<f64> = (0..values.len()).map(|b| calendar.x(self.position(b))).collect();
        let (from, to) = (*x.first()?, *x.last()?);
        let at = calendar.x(one.position);
        let noun = self.panel.frequency().noun();
        let target = self.panel.columns().target().to_string();
        let (levels, marks) = if stands {
            let levels = vec![(from, at, one.shift.before), (at, to, one.shift.after)];
            (levels, vec![(at, one.shift.after, self.date(one.position))])
        } else {
            (Vec::new(), Vec::new())
        };
        Some(
            Marked {
                title: format!("The level of {}", self.name(one.whose)),
                value: format!("{target} a {noun}"),
                axis: if self.panel.frequency().is_whole() { TimeAxis::Steps } else { TimeAxis::Dates },
                line: Line { name: target, x, y: values },
                expected: None,
                levels,
                marks,
            }
            .figure(),
        )
    }
}

/// Mean and standard deviation.
fn moments(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt())
}
