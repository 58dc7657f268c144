//! Which series matter, and which of them are steady? ABC by their share of sales, XYZ by how much their sales vary.
//!
//! **ABC.** Series are sorted by their sales of the last year; A are those that reach the first threshold (0.8) of the total
//! of all positive series together, the one that crosses it included, B those that reach the second (0.95), C the rest, among
//! them all without sales or with more returns than sales (Silver, Pyke & Thomas 2017, *Inventory and Production Management
//! in Supply Chains*, §2.6).
//!
//! **XYZ.** The coefficient of variation: the standard deviation of sales per step, divided by their mean. X is at most 0.5, Y
//! at most 1, Z the rest. What a season explains is no uncertainty: where steps of the season recur often enough, at least a
//! quarter of a season of them, the standard deviation is that around the mean of each step of the season, with the degrees
//! of freedom that these leave, over the last two years (the last year where the season is shorter); elsewhere it is the
//! plain one. It says nothing of a series whose mean is not positive, which is Z.
//!
//! Beside them stand the classes of Syntetos, Boylan & Croston (2005) of [`demand`](super::demand).

use polars::prelude::*;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::trend::year;
use super::{Ask, Finding};
use crate::error::{Error, Result, suggestion};
use crate::figures::Pareto;
use crate::panel::Panel;
use crate::progress;
use crate::show::words::{about, counted, rounded};
use crate::show::{Table, number};
use crate::statistics::Demand;

/// Options of `abc`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Abc {
    /// A are the largest series that together reach this share of sales.
    pub a: f64,
    /// A and B together reach this share.
    pub b: f64,
    /// X are the series with at most this coefficient of variation.
    pub x: f64,
    /// X and Y are those with at most this one.
    pub y: f64,
    /// The key or fixed column whose groups are classified instead of single series.
    pub by: String,
    /// Rows of the table: series, the largest first.
    pub top: usize,
}

impl Default for Abc {
    fn default() -> Self {
        Self { a: 0.8, b: 0.95, x: 0.5, y: 1.0, by: String::new(), top: 20 }
    }
}

/// What is classified: a series, or the sum of some.
pub(super) struct Member {
    /// The series that it consists of.
    pub(super) series: Vec<usize>,
    pub(super) name: String,
}

/// The series, or the groups of series that share a value of a column.
///
/// # Errors
/// When there is no such key or fixed column.
pub(super) fn members(panel: &Panel, by: &str, question: &str) -> Result<Vec<Member>> {
    if by.is_empty() {
        return Ok((0..panel.len()).map(|i| Member { series: vec![i], name: panel.label(i).to_string() }).collect());
    }
    let columns = panel.columns();
    let of = panel.attribute(by)?.ok_or_else(|| {
        let nearest = suggestion(by, columns.attributes());
        Error::usage(format!("{question} needs by=NAME of a key or fixed column; there is no `{by}`{nearest}"))
    })?;
    let mut members: Vec<Member> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for (i, name) in of.iter().enumerate() {
        let at = *places.entry(name.as_str()).or_insert_with(|| {
            members.push(Member { series: Vec::new(), name: name.clone() });
            members.len() - 1
        });
        members[at].series.push(i);
    }
    Ok(members)
}

impl Member {
    /// Its sales step by step on these positions, NaN where no series of it has any.
    pub(super) fn sales(&self, panel: &Panel, from: i64, last: i64) -> Vec<f64> {
        let mut sums = vec![f64::NAN; usize::try_from(last - from + 1).unwrap_or(0)];
        for i in &self.series {
            let positions = panel.positions(*i);
            let start = positions.partition_point(|at| *at < from);
            for (position, y) in positions[start..].iter().zip(&panel.target(*i)[start..]) {
                if let Some(sum) = sums.get_mut((position - from) as usize).filter(|_| !y.is_nan()) {
                    *sum = if sum.is_nan() { *y } else { *sum + y };
                }
            }
        }
        sums
    }
}

/// One of them with its classes.
struct Classed {
    member: usize,
    sales: f64,
    share: f64,
    cumulated: f64,
    abc: usize,
    variation: f64,
    deseasonalised: bool,
    xyz: usize,
    demand: &'static str,
}

const ABC: [&str; 3] = ["A", "B", "C"];
const XYZ: [&str; 3] = ["X", "Y", "Z"];

impl Ask for Abc {
    const NAME: &str = "abc";
    const SUMMARY: &str = "ABC classes by share of sales, XYZ by how much sales vary";
    const EXAMPLE: &str = "abc(top=7)";
    const ALSO: &str = "abc xyz, xyz, abc analysis, pareto";
    const SIMILAR: &[(&str, &str)] = &[
        ("top sellers, best sellers, largest, concentration", "the largest series and how few make most of the sales"),
        ("assortment, slow movers, tail", "the C series and how much their sales vary"),
    ];

    fn check(&self) -> Result<()> {
        if !(self.a > 0.0 && self.a < self.b && self.b <= 1.0) {
            return Err(Error::usage(format!("a and b are shares with 0 < a < b ≤ 1, not {} and {}", self.a, self.b)));
        }
        if !(self.x > 0.0 && self.x < self.y) {
            return Err(Error::usage(format!(
                "x and y are coefficients of variation with 0 < x < y, not {} and {}",
                self.x, self.y
            )));
        }
        Ok(())
    }

    fn tour(_: &Panel) -> Vec<Self> {
        vec![Self::default()]
    }

    fn answer(&self, panel: &Panel) -> Result<Finding> {
        let members = members(panel, &self.by, Self::NAME)?;
        let (classed, span) = self.ranked(panel, &members)?;
        self.finding(panel, &members, &classed, span)
    }
}

/// The classes of each series, such as `AX`.
///
/// # Errors
/// When there is a single series, or none sells anything.
pub(crate) fn classes(panel: &Panel) -> Result<Vec<String>> {
    let members = members(panel, "", Abc::NAME)?;
    let (classed, _) = Abc::default().ranked(panel, &members)?;
    let mut classes = vec![String::new(); panel.len()];
    for one in classed {
        classes[one.member] = format!("{}{}", ABC[one.abc], XYZ[one.xyz]);
    }
    Ok(classes)
}

impl Abc {
    /// The members with their classes, the largest first; and the span of positions that decides, and whether it is all there is.
    fn ranked(&self, panel: &Panel, members: &[Member]) -> Result<(Vec<Classed>, (i64, i64, bool))> {
        if members.len() < 2 {
            return Err(Error::data("a single series has no classes: ABC compares series"));
        }
        let (first, last) = panel.extent().unwrap_or((0, 0));
        let steps = year(panel);
        let whole = last - first + 1 < steps as i64 || steps < 2;
        let from = if whole { first } else { last + 1 - steps as i64 };
        let mut classed = self.classed(panel, members, from)?;
        let positive: f64 = classed.iter().map(|one| one.sales.max(0.0)).sum();
        if positive <= 0.0 {
            return Err(Error::data("no series sells anything in the last year, so series have no shares in sales"));
        }
        classed.sort_by(|a, b| b.sales.total_cmp(&a.sales));
        let mut reached = 0.0;
        for one in &mut classed {
            let before = reached;
            reached += one.sales.max(0.0) / positive;
            // Rounding must not keep a series in a class that the one before it has filled.
            one.abc = match before + 1e-12 {
                _ if one.sales <= 0.0 => 2,
                share if share < self.a => 0,
                share if share < self.b => 1,
                _ => 2,
            };
            (one.share, one.cumulated) = (one.sales / positive, reached);
        }
        Ok((classed, (from, last, whole)))
    }

    fn classed(&self, panel: &Panel, members: &[Member], from: i64) -> Result<Vec<Classed>> {
        let (first, last) = panel.extent().unwrap_or((0, 0));
        let (season, length) = (panel.season(), (last - from + 1) as usize);
        // A season of a year needs two of them, a shorter one recurs within the year.
        let back = if season > 1 && 2 * season > length { 2 * season } else { length };
        let start = (last + 1 - back as i64).max(first).min(from);
        (0..members.len())
            .into_par_iter()
            .map(|at| {
                progress::check()?;
                let y = members[at].sales(panel, start, last);
                let recent = &y[(from - start) as usize..];
                let sales: f64 = recent.iter().filter(|y| !y.is_nan()).sum();
                let (variation, deseasonalised) = variation(&y, start, season);
                let xyz = match variation {
                    v if v <= self.x => 0,
                    v if v <= self.y => 1,
                    _ => 2,
                };
                let demand = Demand::of(recent).class().map_or("none", |class| class.name());
                Ok(Classed {
                    member: at,
                    sales,
                    share: 0.0,
                    cumulated: 0.0,
                    abc: 2,
                    variation,
                    deseasonalised,
                    xyz,
                    demand,
                })
            })
            .collect()
    }

    fn finding(
        &self,
        panel: &Panel,
        members: &[Member],
        classed: &[Classed],
        span: (i64, i64, bool),
    ) -> Result<Finding> {
        let (from, last, whole) = span;
        let noun = if self.by.is_empty() { "series".to_string() } else { format!("values of {}", self.by) };
        let calendar = &panel.inner().calendar;
        let of = |abc: usize, xyz: usize| {
            let those = classed.iter().filter(|one| one.abc == abc && one.xyz == xyz);
            those.fold((0, 0.0), |(count, share), one| (count + 1, share + one.share.max(0.0)))
        };
        let sum = |cells: &[(usize, usize)]| {
            cells.iter().map(|(a, x)| of(*a, *x)).fold((0, 0.0), |(n, s), (m, t)| (n + m, s + t))
        };
        let (a, share) = sum(&[(0, 0), (0, 1), (0, 2)]);
        let steady = of(0, 0).0;
        let (tail, tail_share) = of(2, 2);
        let mut parts = vec![format!(
            "{} of {} {noun} (A) make {} % of sales",
            number(a as f64),
            number(members.len() as f64),
            rounded(100.0 * share, 0)
        )];
        parts.push(match steady {
            0 => "none of these is steady (X): each needs safety stock or a forecast of its own".into(),
            n if n == a => "all of these are steady (X): their stock can be planned tightly".into(),
            n => format!("{} of these {} steady (X): their stock can be planned tightly", number(n as f64), is(n)),
        });
        let erratic = of(0, 2).0;
        if erratic > 0 {
            parts.push(format!(
                "{} A {} erratic (Z) and {} the most attention",
                number(erratic as f64),
                is(erratic),
                if erratic == 1 { "needs" } else { "need" }
            ));
        }
        if tail > 0 {
            parts.push(format!(
                "{} erratic C {noun} make {} % and are candidates for making to order or delisting",
                number(tail as f64),
                rounded(100.0 * tail_share, i32::from(tail_share < 0.1))
            ));
        }
        let span = match whole {
            true => format!("the whole history, {} to {}", calendar.label(from), calendar.label(last)),
            false => format!("the last year, {} to {}", calendar.label(from), calendar.label(last)),
        };
        let sentence = format!("{}. Sales of {span}.", parts.join("; "));
        let target = panel.columns().target().to_string();
        let pareto = Pareto {
            title: format!("{} {noun} make {} % of {target}", number(a as f64), rounded(100.0 * share, 0)),
            value: target,
            rows: classed.iter().map(|one| (members[one.member].name.clone(), one.sales)).collect(),
            thresholds: vec![self.a, self.b],
        };
        let finding = Finding::new("ABC and XYZ classes", sentence, self.table(panel, members, classed)?)
            .and(matrix(&of)?)
            .drawn(pareto.figure());
        Ok(self.caveats(panel, classed, finding))
    }

    fn caveats(&self, panel: &Panel, classed: &[Classed], mut finding: Finding) -> Finding {
        let seasonal = classed.iter().filter(|one| one.deseasonalised).count();
        let season = panel.season();
        let noun = panel.frequency().noun();
        let how = match seasonal {
            0 => "of sales as they are, season included: the history is too short or has no season".to_string(),
            n if n == classed.len() => {
                format!("of sales without their season of {}", counted(season, noun, &format!("{noun}s")))
            }
            n => format!(
                "of sales without their season of {} for {} of {}, of sales as they are for the others, whose history is too short",
                counted(season, noun, &format!("{noun}s")),
                number(n as f64),
                number(classed.len() as f64)
            ),
        };
        finding = finding.but(format!(
            "X: a coefficient of variation per {noun} of at most {}, Y: at most {}; {how}.",
            number(self.x),
            number(self.y)
        ));
        let returned = classed.iter().filter(|one| one.sales < 0.0).count();
        if returned > 0 {
            let net: f64 = classed.iter().map(|one| one.sales.min(0.0)).sum();
            finding = finding.but(format!(
                "{} had more returns than sales ({} together): C, and not part of the total of which shares are taken.",
                number(returned as f64),
                about(net)
            ));
        }
        let none = classed.iter().filter(|one| one.sales == 0.0).count();
        if none > 0 {
            finding = finding.but(format!("{} sold nothing in this time: C.", number(none as f64)));
        }
        if self.by.is_empty() && panel.columns().keys.len() > 1 {
            let keys = &panel.columns().keys;
            finding = finding.but(format!(
                "Each combination of {} is classified by itself; abc(by={}) classifies {} over all others.",
                keys.join(" and "),
                keys[keys.len() - 1],
                keys[keys.len() - 1]
            ));
        }
        finding
    }

    fn table(&self, panel: &Panel, members: &[Member], classed: &[Classed]) -> Result<Table> {
        let rows = &classed[..classed.len().min(self.top.max(1))];
        let mut columns = match self.by.is_empty() {
            true => panel.key_columns(rows.iter().map(|one| members[one.member].series[0]))?,
            false => {
                let names: Vec<&str> = rows.iter().map(|one| members[one.member].name.as_str()).collect();
                vec![Column::new(self.by.as_str().into(), names)]
            }
        };
        let real = |name: &str, pick: &dyn Fn(&Classed) -> f64| {
            Column::new(name.into(), rows.iter().map(pick).collect::<Vec<_>>())
        };
        let text = |name: &str, pick: &dyn Fn(&Classed) -> &'static str| {
            Column::new(name.into(), rows.iter().map(pick).collect::<Vec<_>>())
        };
        columns.push(real("sales", &|one| one.sales));
        columns.push(real("share %", &|one| 100.0 * one.share));
        columns.push(real("cumulated %", &|one| 100.0 * one.cumulated));
        columns.push(text("ABC", &|one| ABC[one.abc]));
        columns.push(real("CV", &|one| one.variation));
        columns.push(text("XYZ", &|one| XYZ[one.xyz]));
        columns.push(text("demand", &|one| one.demand));
        Ok(Table::new(DataFrame::new(rows.len(), columns)?).of_rows(classed.len()).titled("Classes, the largest first"))
    }
}

fn is(n: usize) -> &'static str {
    if n == 1 { "is" } else { "are" }
}

/// How many are in each cell of the two classifications, and what they sell.
fn matrix(of: &dyn Fn(usize, usize) -> (usize, f64)) -> Result<Table> {
    let mut columns = vec![Column::new("class".into(), ABC.to_vec())];
    for (x, name) in XYZ.iter().enumerate() {
        let counts: Vec<u64> = (0..3).map(|a| of(a, x).0 as u64).collect();
        columns.push(Column::new(format!("{name} series").into(), counts));
    }
    for (x, name) in XYZ.iter().enumerate() {
        let shares: Vec<f64> = (0..3).map(|a| 100.0 * of(a, x).1).collect();
        columns.push(Column::new(format!("{name} % of sales").into(), shares));
    }
    Ok(Table::new(DataFrame::new(3, columns)?).titled("Series and share of sales by class"))
}

/// The coefficient of variation per step, and whether the season was taken out; infinite where the mean is not positive.
fn variation(y: &[f64], start: i64, season: usize) -> (f64, bool) {
    let there = || y.iter().filter(|y| !y.is_nan());
    let n = there().count() as f64;
    let mean = there().sum::<f64>() / n;
    if n < 2.0 || mean <= 0.0 {
        return (f64::INFINITY, false);
    }
    if season > 1 {
        let phase = |t: usize| (start + t as i64).rem_euclid(season as i64) as usize;
        let (mut sums, mut sizes) = (vec![0.0; season], vec![0.0; season]);
        for (t, y) in y.iter().enumerate().filter(|(_, y)| !y.is_nan()) {
            sums[phase(t)] += y;
            sizes[phase(t)] += 1.0;
        }
        let freedom: f64 = sizes.iter().map(|size: &f64| (size - 1.0).max(0.0)).sum();
        if freedom >= (season as f64 / 4.0).max(3.0) {
            let rest = |(t, y): (usize, &f64)| (y - sums[phase(t)] / sizes[phase(t)]).powi(2);
            let squares: f64 = y.iter().enumerate().filter(|(_, y)| !y.is_nan()).map(rest).sum();
            return ((squares / freedom).sqrt() / mean, true);
        }
    }
    let squares: f64 = there().map(|y| (y - mean).powi(2)).sum();
    ((squares / (n - 1.0)).sqrt() / mean, false)
}
