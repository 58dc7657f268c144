//! How true is what the questions find? Effects that are known are put into real and synthetic sales, and panels without
//! effects are toured.
//!
//! `cargo bench --bench explore [-- ROW [KIND] [DRAWS [FIRST]]]` measures, the same for the same draws (0 to DRAWS, or as many
//! from FIRST on, which no constant was chosen on):
//!
//! | row | what it measures |
//! |---|---|
//! | `inject KIND 200` | one effect put into real series: how often its 90 % interval holds the truth, how often it is found, how far off its money is |
//! | `planted 200` | synthetic panels with effects and as many covariates without: false findings among those stated, power |
//! | `null 200` | panels without effects, of white noise and of smooth real seasons with shuffled remainders: how many state a finding |
//! | `tour FILE` | CPU, wall seconds and peak memory of a tour of walmart.parquet or rossmann.parquet |
//!
//! KIND is one of `uplift`, `dip`, `holiday`, `elasticity`, `changepoint`, `anomaly`; without one, all. Real series come from
//! the folder that `TRADEWIND_DATA` names; what needs it is skipped where it is not set.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Instant;

use cpu_time::ProcessTime;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use tradewind::polars::prelude::*;
use tradewind::prelude::{Columns, Finding, Panel, Table};
use tradewind::statistics::{SeasonalWindow, StlOptions, stl};

/// The probability of the intervals that are checked.
const LEVEL: f64 = 0.9;
const DRAWS: usize = 200;
const KINDS: [&str; 6] = ["uplift", "dip", "holiday", "elasticity", "changepoint", "anomaly"];
/// 2 January 2022, a Sunday, in days since 1970.
const START: i32 = 18_994;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut numbers = words.iter().filter_map(|word| word.parse().ok());
    let (count, first) = (numbers.next().unwrap_or(DRAWS), numbers.next().unwrap_or(0));
    let draws: Range<usize> = first..first + count;
    let folder = std::env::var_os("TRADEWIND_DATA").map(PathBuf::from);
    let rows = match words.first() {
        Some(row) if row.parse::<usize>().is_err() => vec![*row],
        _ => vec!["inject", "planted", "null", "tour"],
    };
    let second = words.get(1).copied().filter(|word| word.parse::<usize>().is_err());
    for row in rows {
        match (row, &folder) {
            ("planted", _) => planted(draws.clone()),
            ("null", _) => null(draws.clone(), folder.as_deref())?,
            ("inject" | "tour", None) => println!("{row} skipped: TRADEWIND_DATA not set"),
            ("inject", Some(folder)) => {
                let real = [Real::walmart(folder)?, Real::rossmann(folder)?];
                println!("{}", Injected::HEAD);
                for kind in KINDS.iter().filter(|kind| second.is_none_or(|only| only == **kind)) {
                    for real in &real {
                        inject(kind, draws.clone(), real);
                    }
                }
            }
            ("tour", Some(folder)) => {
                for file in ["walmart.parquet", "rossmann.parquet"] {
                    if second.is_none_or(|only| file.starts_with(only.trim_end_matches(".parquet"))) {
                        tour(folder, file)?;
                    }
                }
            }
            _ => return Err(format!("no row `{row}`: inject, planted, null or tour").into()),
        }
    }
    Ok(())
}

// ---------------------------------------------------------------------------------------------------------------- data

/// Series of one length on one calendar, with covariates series by series.
#[derive(Clone)]
struct Data {
    names: Vec<String>,
    days: Vec<i32>,
    y: Vec<Vec<f64>>,
    covariates: Vec<Covariate>,
    /// Named days: one text per date, the same for every series, known in the future.
    named: Option<Vec<&'static str>>,
}

#[derive(Clone)]
struct Covariate {
    name: String,
    known: bool,
    of: Vec<Vec<f64>>,
}

impl Data {
    fn weekly(&self) -> bool {
        self.days[1] - self.days[0] == 7
    }

    fn years(&self) -> f64 {
        self.days.len() as f64 / if self.weekly() { 52.18 } else { 365.25 }
    }

    fn with(&mut self, name: &str, known: bool, of: Vec<Vec<f64>>) {
        self.covariates.push(Covariate { name: name.into(), known, of });
    }

    /// The same covariate for every series.
    fn with_shared(&mut self, name: &str, known: bool, of: &[f64]) {
        self.with(name, known, vec![of.to_vec(); self.names.len()]);
    }

    fn date(&self, t: usize) -> String {
        chrono::DateTime::from_timestamp(i64::from(self.days[t]) * 86_400, 0)
            .map_or(String::new(), |at| at.format("%Y-%m-%d").to_string())
    }

    fn panel(&self) -> Result<Panel> {
        let (n, length) = (self.names.len(), self.days.len());
        let ids: Vec<&str> = self.names.iter().flat_map(|name| std::iter::repeat_n(name.as_str(), length)).collect();
        let days: Vec<i32> = (0..n).flat_map(|_| self.days.iter().copied()).collect();
        let mut columns = vec![
            Column::new("series".into(), ids),
            Column::new("date".into(), days).cast(&DataType::Date)?,
            Column::new("sales".into(), self.y.concat()),
        ];
        let mut roles = Columns::new(["series"], "date", "sales");
        for covariate in &self.covariates {
            columns.push(Column::new(covariate.name.as_str().into(), covariate.of.concat()));
            let name = [covariate.name.as_str()];
            roles = if covariate.known { roles.known(name) } else { roles.observed(name) };
        }
        if let Some(named) = &self.named {
            let texts: Vec<Option<&str>> =
                (0..n).flat_map(|_| named.iter().map(|text| (!text.is_empty()).then_some(*text))).collect();
            columns.push(Column::new("Event".into(), texts));
            roles = roles.known(["Event"]);
        }
        Ok(Panel::from_frame(DataFrame::new(n * length, columns)?, roles)?)
    }
}

/// Real series of one length on one calendar.
struct Real {
    name: &'static str,
    all: Data,
}

impl Real {
    fn walmart(folder: &Path) -> Result<Self> {
        let known = [("IsHoliday", true), ("Temperature", false)];
        Self::read(folder, "walmart_dept300", &known)
    }

    fn rossmann(folder: &Path) -> Result<Self> {
        let known = [("Promo", true), ("Open", true), ("Holiday", true), ("Mean_TemperatureC", false)];
        Self::read(folder, "rossmann_daily100", &known)
    }

    fn read(folder: &Path, name: &'static str, covariates: &[(&str, bool)]) -> Result<Self> {
        let path = folder.join(format!("samples/{name}_train.parquet"));
        let frame = ParquetReader::new(std::fs::File::open(&path)?).finish()?;
        let of = |column: &str| -> Result<Vec<f64>> {
            let cells = frame.column(column)?.cast(&DataType::Float64)?;
            Ok(cells.f64()?.iter().map(|cell| cell.unwrap_or(f64::NAN)).collect())
        };
        let ids = frame.column("unique_id")?.cast(&DataType::String)?;
        let ids: Vec<String> = ids.str()?.iter().map(|id| id.unwrap_or_default().to_string()).collect();
        let dates = frame.column("ds")?.cast(&DataType::Date)?.cast(&DataType::Int32)?;
        let dates: Vec<i32> = dates.i32()?.iter().flatten().collect();
        let length = ids.iter().take_while(|id| **id == ids[0]).count();
        let series: Vec<usize> = (0..ids.len()).step_by(length).collect();
        assert!(ids.len() == dates.len() && series.iter().all(|at| ids[*at] == ids[at + length - 1]));
        let pieces = |values: &[f64]| values.chunks(length).map(<[f64]>::to_vec).collect::<Vec<_>>();
        let mut all = Data {
            names: series.iter().map(|at| ids[*at].clone()).collect(),
            days: dates[..length].to_vec(),
            y: pieces(&of("y")?),
            covariates: Vec::new(),
            named: None,
        };
        for (column, known) in covariates {
            let values = of(column)?;
            all.with(column, *known, pieces(&values));
        }
        Ok(Self { name, all })
    }

    /// Some series, chosen by chance, of those that sell on most dates.
    fn some(&self, count: usize, random: &mut ChaCha8Rng) -> Data {
        let sells = |y: &[f64]| y.iter().filter(|y| **y > 0.0).count() * 10 >= y.len() * 8;
        let mut left: Vec<usize> = (0..self.all.names.len()).filter(|i| sells(&self.all.y[*i])).collect();
        let chosen: Vec<usize> =
            (0..count.min(left.len())).map(|_| left.swap_remove(random.random_range(0..left.len()))).collect();
        let pick = |of: &[Vec<f64>]| chosen.iter().map(|i| of[*i].clone()).collect::<Vec<_>>();
        let covariates = self.all.covariates.iter();
        Data {
            names: chosen.iter().map(|i| self.all.names[*i].clone()).collect(),
            days: self.all.days.clone(),
            y: pick(&self.all.y),
            covariates: covariates.map(|c| Covariate { of: pick(&c.of), ..c.clone() }).collect(),
            named: None,
        }
    }
}

fn dice(row: &str, draw: usize) -> ChaCha8Rng {
    let row = row.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(131).wrapping_add(u64::from(byte)));
    ChaCha8Rng::seed_from_u64(row ^ (draw as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

fn between(low: f64, high: f64, random: &mut ChaCha8Rng) -> f64 {
    low + (high - low) * random.random::<f64>()
}

fn normal(random: &mut ChaCha8Rng) -> f64 {
    let (u, v) = (1.0 - random.random::<f64>(), random.random::<f64>());
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

/// A stationary AR(1) process of standard deviation 1.
fn persistent(length: usize, rho: f64, random: &mut ChaCha8Rng) -> Vec<f64> {
    let mut x = normal(random);
    let step = |_| {
        x = rho * x + (1.0 - rho * rho).sqrt() * normal(random);
        x
    };
    (0..length).map(step).collect()
}

/// Runs of a flag: about this share of the steps, in runs from `least` to `most` steps that do not touch.
fn runs(length: usize, share: f64, least: usize, most: usize, random: &mut ChaCha8Rng) -> Vec<f64> {
    let mean = (least + most) as f64 / 2.0;
    let start = share / mean / (1.0 - share);
    let (mut on, mut t) = (vec![0.0; length], 0);
    while t < length {
        if random.random::<f64>() < start {
            let run = random.random_range(least..=most);
            on[t..(t + run).min(length)].fill(1.0);
            t += run + 1;
        }
        t += 1;
    }
    on
}

/// A price that stays for some weeks and then moves: by −30 to +10 % of the usual one for 2 to 6 weeks, or back.
fn prices(length: usize, week: usize, random: &mut ChaCha8Rng) -> Vec<f64> {
    let usual = between(2.0, 20.0, random);
    let mut of = Vec::with_capacity(length);
    while of.len() < length {
        let stay = random.random_range(3..=8) * week;
        of.extend(std::iter::repeat_n(usual, stay));
        let moved = (usual * between(0.7, 1.1, random) * 100.0).round() / 100.0;
        of.extend(std::iter::repeat_n(moved, random.random_range(2..=6) * week));
    }
    of.truncate(length);
    of
}

fn robust_deviation(values: &[f64]) -> f64 {
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    };
    let middle = median(values.to_vec());
    1.4826 * median(values.iter().map(|value| (value - middle).abs()).collect())
}

// --------------------------------------------------------------------------------------------------------------- claims

/// What was tested: a claim with its interval, its p-value and its worth in a year.
#[derive(Clone, Debug)]
struct Effect {
    question: String,
    about: String,
    estimate: f64,
    from: f64,
    to: f64,
    p: f64,
    money: f64,
}

fn effects_of(table: &Table, question: &str) -> Result<Vec<Effect>> {
    let frame = table.frame();
    let number = |name: &str| -> Result<Vec<f64>> {
        let cells = frame.column(name)?.cast(&DataType::Float64)?;
        Ok(cells.f64()?.iter().map(|cell| cell.unwrap_or(f64::NAN)).collect())
    };
    let text = |name: &str| -> Result<Vec<String>> {
        let cells = frame.column(name)?.cast(&DataType::String)?;
        Ok(cells.str()?.iter().map(|cell| cell.unwrap_or_default().to_string()).collect())
    };
    let asked = table.columns().iter().any(|name| name == "question").then(|| text("question")).transpose()?;
    let (about, estimate, from, to) = (text("about")?, number("estimate")?, number("from")?, number("to")?);
    let (p, money) = (number("p")?, number("a year")?);
    let row = |at: usize| Effect {
        question: asked.as_ref().map_or_else(|| question.to_string(), |asked| asked[at].clone()),
        about: about[at].clone(),
        estimate: estimate[at],
        from: from[at],
        to: to[at],
        p: p[at],
        money: money[at],
    };
    Ok((0..table.rows()).map(row).collect())
}

fn ask(panel: &Panel, question: &str) -> Result<(Finding, Vec<Effect>)> {
    let finding = panel.explore(question)?;
    let effects = effects_of(&finding.effects(LEVEL)?, question)?;
    Ok((finding, effects))
}

/// `170 of 200 (85.0 %, 79 to 90)`: with the 95 % interval of Wilson.
fn share(hits: usize, of: usize) -> String {
    if of == 0 {
        return "–".into();
    }
    let (p, n, z) = (hits as f64 / of as f64, of as f64, 1.96_f64);
    let middle = (p + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    format!(
        "{hits}/{of} ({:.1} %, {:.0}–{:.0})",
        100.0 * p,
        100.0 * (middle - half).max(0.0),
        100.0 * (middle + half).min(1.0)
    )
}

// ------------------------------------------------------------------------------------------------- effects in real series

/// One effect that was put in, and what the question said.
#[derive(Default)]
struct Injected {
    /// The question gave no answer.
    refused: Option<String>,
    /// There was no claim about it.
    unclaimed: bool,
    covered: Option<bool>,
    found: bool,
    /// A small one: an effect of 10 %.
    small: bool,
    /// Positive where more was claimed than there is.
    bias: Option<f64>,
    width: Option<f64>,
    money: Option<f64>,
    /// Does the interval hold where it is found, or where the date is right?
    sure: Option<bool>,
    /// How far off its money is for whoever knows level and season without the step.
    least: Option<f64>,
}

impl Injected {
    const HEAD: &str = concat!(
        "kind         data               90 % interval holds         found                      ",
        "10 % effects found              bias  width  money off  unclaimed  refused"
    );

    fn of(claim: Option<&Effect>, truth: f64, unit: f64, money: f64, small: bool) -> Self {
        let Some(claim) = claim else { return Self { unclaimed: true, small, ..Self::default() } };
        Self {
            covered: (claim.from.is_finite() && claim.to.is_finite())
                .then_some(claim.from <= truth * unit && truth * unit <= claim.to),
            found: claim.p < 1.0 - LEVEL && claim.estimate * truth > 0.0,
            small,
            bias: Some((claim.estimate - truth * unit) * truth.signum()),
            width: Some(claim.to - claim.from).filter(|width| width.is_finite()),
            money: Some((claim.money - money).abs() / money.abs()).filter(|off| off.is_finite()),
            ..Self::default()
        }
    }
}

fn inject(kind: &str, draws: Range<usize>, real: &Real) {
    let draw = |draw: usize| {
        let mut random = dice(&format!("{kind} {}", real.name), draw);
        let answer = match kind {
            "uplift" => uplift(real, false, &mut random),
            "dip" => uplift(real, true, &mut random),
            "holiday" => holiday(real, &mut random),
            "elasticity" => elasticity(real, &mut random),
            "changepoint" => changepoint(real, &mut random),
            _ => anomaly(real, &mut random),
        };
        answer.unwrap_or_else(|why| Injected { refused: Some(why.to_string()), ..Injected::default() })
    };
    let all: Vec<Injected> = draws.clone().into_par_iter().map(draw).collect();
    let asked: Vec<&Injected> = all.iter().filter(|one| one.refused.is_none()).collect();
    let covered: Vec<bool> = asked.iter().filter_map(|one| one.covered).collect();
    let small: Vec<bool> = asked.iter().filter(|one| one.small).map(|one| one.found).collect();
    let mean = |pick: fn(&Injected) -> Option<f64>| {
        let values: Vec<f64> = asked.iter().filter_map(|one| pick(one)).collect();
        values.iter().sum::<f64>() / values.len() as f64
    };
    let hits = |of: &[bool]| of.iter().filter(|hit| **hit).count();
    println!(
        "{kind:<12} {:<18} {:<27} {:<26} {:<26} {:>9.2}  {:>6.2}  {:>7.0} %  {:>8}  {:>7}",
        real.name,
        share(hits(&covered), covered.len()),
        share(asked.iter().filter(|one| one.found).count(), asked.len()),
        share(hits(&small), small.len()),
        mean(|one| one.bias),
        mean(|one| one.width),
        100.0 * mean(|one| one.money),
        asked.iter().filter(|one| one.unclaimed).count(),
        all.len() - asked.len(),
    );
    let sure: Vec<bool> = asked.iter().filter_map(|one| one.sure).collect();
    if !sure.is_empty() {
        let which = if kind == "anomaly" { "that are found" } else { "whose date is right" };
        let known: Vec<f64> = asked.iter().filter(|one| one.sure.is_some()).filter_map(|one| one.money).collect();
        if !known.is_empty() {
            println!(
                "    their money is off by {:.0} % on average",
                100.0 * known.iter().sum::<f64>() / known.len() as f64
            );
        }
        let least: Vec<f64> = asked.iter().filter(|one| one.money.is_some()).filter_map(|one| one.least).collect();
        if !least.is_empty() {
            let mean = least.iter().sum::<f64>() / least.len() as f64;
            println!(
                "    the money of those with a claim is off by {:.0} % where level and season are known",
                100.0 * mean
            );
        }
        println!("    of those {which} the interval holds {}", share(hits(&sure), sure.len()));
    }
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    all.iter().filter_map(|one| one.refused.as_deref()).for_each(|why| *reasons.entry(why).or_default() += 1);
    let mut reasons: Vec<(&str, usize)> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, times)| std::cmp::Reverse(*times));
    for (why, times) in reasons.into_iter().take(3) {
        println!("    refused {times} times: {why}");
    }
}

/// The claim about a covariate itself: not what it does afterwards.
fn about_itself<'a>(effects: &'a [Effect], name: &str) -> Option<&'a Effect> {
    let aside =
        |effect: &Effect| ["after", "before", "dip", "lag", "lead"].iter().any(|word| effect.about.contains(word));
    let exact = effects.iter().find(|effect| effect.about == name);
    exact.or_else(|| effects.iter().find(|effect| effect.about.contains(name) && !aside(effect)))
}

/// A promotion of 10 to 30 % on runs of random length, for half of the draws with a dip afterwards if one is asked for.
fn uplift(real: &Real, dip: bool, random: &mut ChaCha8Rng) -> Result<Injected> {
    let mut data = real.some(if real.all.weekly() { 20 } else { 10 }, random);
    let weekly = data.weekly();
    let length = data.days.len();
    let on = if weekly { runs(length, 0.12, 1, 2, random) } else { runs(length, 0.12, 3, 8, random) };
    let effect = [0.1, 0.2, 0.3][random.random_range(0..3)];
    let drop = if dip { between(0.1, 0.2, random) } else { 0.0 };
    let after = if weekly { 2 } else { 7 };
    let dips = |t: usize| on[t] == 0.0 && (1..=after).any(|back| t >= back && on[t - back] > 0.0);
    let (mut gained, mut lost) = (0.0, 0.0);
    for y in &mut data.y {
        for t in 0..length {
            if on[t] > 0.0 {
                gained += effect * y[t];
                y[t] *= 1.0 + effect;
            } else if dips(t) {
                lost += drop * y[t];
                y[t] *= 1.0 - drop;
            }
        }
    }
    data.with_shared("Offer", true, &on);
    let (finding, effects) = ask(&data.panel()?, "uplift(by=Offer, level=0.9)")?;
    if dip {
        return Ok(Injected::of(after_it(&finding).as_ref(), -drop, 100.0, -lost / data.years(), false));
    }
    Ok(Injected::of(about_itself(&effects, "Offer"), effect, 100.0, gained / data.years(), effect < 0.15))
}

/// What `uplift` says of the steps after the promotion: it is no claim of its own, but a row of a table.
fn after_it(finding: &Finding) -> Option<Effect> {
    let tables = std::iter::once(finding.table()).chain(finding.also());
    tables.into_iter().find_map(|table| {
        let row = rows(&table).iter().position(|row| row.contains("week after") || row.contains("weeks after"))?;
        let cell = |name: &str| table.frame().column(name).ok()?.cast(&DataType::Float64).ok()?.f64().ok()?.get(row);
        let (estimate, from, to) = (cell("uplift %")?, cell("from %")?, cell("to %")?);
        let p = if from > 0.0 || to < 0.0 { 0.0 } else { 1.0 };
        let money = cell("sales a year").unwrap_or(f64::NAN);
        Some(Effect { question: String::new(), about: "after".into(), estimate, from, to, p, money })
    })
}

/// A fair on the same date of every year, worth 10 to 40 %, and another one, worth nothing.
fn holiday(real: &Real, random: &mut ChaCha8Rng) -> Result<Injected> {
    let mut data = real.some(if real.all.weekly() { 20 } else { 10 }, random);
    let (length, year) = (data.days.len(), if data.weekly() { 52 } else { 364 });
    let usual = |data: &Data, t: usize| {
        let flag =
            |name: &str, t: usize| data.covariates.iter().find(|c| c.name == name).is_some_and(|c| c.of[0][t] > 0.0);
        let near = t.saturating_sub(1)..(t + 2).min(length);
        near.clone().all(|t| !flag("IsHoliday", t) && !flag("Holiday", t)) && data.y.iter().all(|y| y[t] > 0.0)
    };
    let days = |data: &Data, random: &mut ChaCha8Rng| loop {
        let first = random.random_range(2..length - 2 * year.min(length / 3));
        let days: Vec<usize> = (0..).map(|k| first % year + k * year).take_while(|t| *t < length - 1).collect();
        if days.iter().all(|t| usual(data, *t)) {
            break days;
        }
    };
    let (fair, none) = (days(&data, random), days(&data, random));
    let effect = between(0.1, 0.4, random);
    let mut gained = 0.0;
    for y in &mut data.y {
        for t in &fair {
            gained += effect * y[*t];
            y[*t] *= 1.0 + effect;
        }
    }
    let mut named = vec![""; length];
    none.iter().for_each(|t| named[*t] = "Jubilee");
    fair.iter().for_each(|t| named[*t] = "Fair");
    data.named = Some(named);
    let (_, effects) = ask(&data.panel()?, "holidays(by=Event, level=0.9)")?;
    // The claim is about the fair and the steps around it, so that its interval is compared in money: of one fair a year.
    let gained = gained / fair.len() as f64;
    let claim = about_itself(&effects, "Fair").map(|claim| {
        let unit = claim.money / claim.estimate;
        Effect { estimate: claim.money, from: claim.from * unit, to: claim.to * unit, ..claim.clone() }
    });
    let mut injected = Injected::of(claim.as_ref(), gained, 1.0, gained, effect < 0.15);
    injected.bias = injected.bias.map(|bias| 100.0 * effect * bias / gained);
    injected.width = injected.width.map(|width| 100.0 * effect * width / gained);
    Ok(injected)
}

/// Sales follow the price of each series with an elasticity between −1 and −3.
fn elasticity(real: &Real, random: &mut ChaCha8Rng) -> Result<Injected> {
    let mut data = real.some(if real.all.weekly() { 20 } else { 10 }, random);
    let (length, week) = (data.days.len(), if data.weekly() { 1 } else { 7 });
    let truth = -between(1.0, 3.0, random);
    let mut of = Vec::new();
    for y in &mut data.y {
        let price = prices(length, week, random);
        let usual = price[0];
        y.iter_mut().zip(&price).for_each(|(y, price)| *y *= (price / usual).powf(truth));
        of.push(price);
    }
    data.with("Price", true, of);
    let (_, effects) = ask(&data.panel()?, "elasticity(price=Price, level=0.9)")?;
    Ok(Injected::of(about_itself(&effects, "Price"), truth, 1.0, f64::NAN, truth > -1.5))
}

/// One series sells 15 to 40 % more or less from one date on.
fn changepoint(real: &Real, random: &mut ChaCha8Rng) -> Result<Injected> {
    let mut data = real.some(if real.all.weekly() { 12 } else { 6 }, random);
    let length = data.days.len();
    let (of, at) = (random.random_range(0..data.names.len()), random.random_range(length / 4..3 * length / 4));
    let size = between(0.15, 0.4, random) * if random.random::<bool>() { 1.0 } else { -1.0 };
    data.y[of][at..].iter_mut().for_each(|y| *y *= 1.0 + size);
    let (finding, effects) = ask(&data.panel()?, "changepoints(top=1000)")?;
    let near = if data.weekly() { 6 } else { 28 };
    let dates: Vec<String> = (at.saturating_sub(near)..=(at + near).min(length - 1)).map(|t| data.date(t)).collect();
    let there = |text: &str| text.contains(&data.names[of]) && dates.iter().any(|date| text.contains(date));
    let own = |effect: &&Effect| effect.about.contains(&data.names[of]) && effect.estimate * size > 0.0;
    let claim = effects.iter().filter(|effect| there(&effect.about)).min_by(|a, b| a.p.total_cmp(&b.p));
    let claim = claim.or_else(|| effects.iter().filter(own).min_by(|a, b| a.p.total_cmp(&b.p)));
    let mut injected = Injected::of(claim, size, 100.0, f64::NAN, size.abs() < 0.2);
    let near = rows(&finding.table()).iter().any(|row| there(row));
    if claim.is_none() {
        injected.found = near;
    }
    injected.sure = Some(near).filter(|near| *near).and(injected.covered);
    Ok(injected)
}

/// One step of one series is 4 to 8 robust standard deviations away from what it was.
fn anomaly(real: &Real, random: &mut ChaCha8Rng) -> Result<Injected> {
    let mut data = real.some(if real.all.weekly() { 12 } else { 6 }, random);
    let length = data.days.len();
    let of = random.random_range(0..data.names.len());
    let season = if data.weekly() { 52 } else { 7 };
    let parts = stl(&data.y[of], season, &StlOptions { seasonal: SeasonalWindow::Periodic, ..StlOptions::default() })?;
    let at = loop {
        let at = random.random_range(length / 10..9 * length / 10);
        if data.y[of][at] > 0.0 {
            break at;
        }
    };
    let sizes = between(4.0, 8.0, random) * if random.random::<bool>() { 1.0 } else { -1.0 };
    let moved = sizes * robust_deviation(&parts.remainder);
    data.y[of][at] += moved;
    let (finding, effects) = ask(&data.panel()?, "anomalies(top=1000)")?;
    let date = data.date(at);
    let there = |text: &str| text.contains(&data.names[of]) && text.contains(&date);
    // A claim is about a run of steps from its date on.
    let table = finding.table();
    let steps = |from: &str| -> Option<f64> {
        let row = rows(&table).iter().position(|row| row.contains(&data.names[of]) && row.contains(from))?;
        table.frame().column("steps").ok()?.cast(&DataType::Float64).ok()?.f64().ok()?.get(row)
    };
    let claim = (0..=3.min(at)).find_map(|back| {
        let from = data.date(at - back);
        let own = |effect: &&Effect| effect.about.contains(&data.names[of]) && effect.about.contains(&from);
        effects.iter().find(own).filter(|_| steps(&from).is_some_and(|steps| steps > back as f64))
    });
    // Also a step that is no candidate was looked at: there is no claim because nothing was seen.
    let mut injected = Injected::of(claim, moved, 1.0, moved / data.years(), sizes.abs() < 5.0);
    let deviation = moved / sizes;
    injected.bias = injected.bias.map(|bias| bias / deviation);
    injected.width = injected.width.map(|width| width / deviation);
    injected.found = match claim {
        Some(claim) => claim.p < 0.05 && claim.estimate * sizes > 0.0,
        None => effects.is_empty() && rows(&finding.table()).iter().any(|row| there(row)),
    };
    injected.least = Some((parts.remainder[at] / moved).abs());
    injected.sure = Some(injected.found).filter(|found| *found && claim.is_some()).and(injected.covered);
    Ok(injected)
}

/// The cells of each row, one after the other.
fn rows(table: &Table) -> Vec<String> {
    let columns: Vec<Vec<String>> = table
        .columns()
        .iter()
        .filter_map(|name| table.column(name).ok())
        .map(|cells| cells.iter().map(ToString::to_string).collect())
        .collect();
    (0..table.rows()).map(|row| columns.iter().map(|cells| cells[row].as_str()).collect::<Vec<_>>().join(" ")).collect()
}

// ---------------------------------------------------------------------------------------------------- synthetic panels

/// What was planted in a panel.
#[derive(Default)]
struct Truth {
    /// Covariates and named days with an effect, and its sign.
    effects: Vec<(&'static str, &'static str, f64)>,
    /// Growth of what was expected to be sold, the last year relative to the one before.
    growth: f64,
    grows: bool,
    /// Series whose level changed, and when.
    changed: Vec<(String, usize)>,
    /// Single steps that were moved.
    moved: Vec<(String, String)>,
}

/// Covariates and named days without any effect.
const IDLE: [&str; 5] = ["Leaflet", "RivalPrice", "Humidity", "Jubilee", "Visit"];

/// A panel of 20 to 40 series: daily for two years, or weekly for three.
fn synthetic(draw: usize) -> (Data, Truth) {
    let mut random = dice("planted", draw);
    let random = &mut random;
    let weekly = !draw.is_multiple_of(3);
    let (length, step, year) = if weekly { (156, 7, 52.18) } else { (731, 1, 365.25) };
    let count = if weekly { random.random_range(20..=40) } else { random.random_range(20..=25) };
    let names: Vec<String> = (0..count).map(|i| format!("item{i:02}")).collect();
    let days: Vec<i32> = (0..length).map(|t| START + step * t as i32).collect();
    let mut truth = Truth::default();
    let week = if weekly { 1 } else { 7 };
    // Promotions of half of the panels are the same for all series, of the other half their own.
    let flags = |share: f64, random: &mut ChaCha8Rng| -> Vec<Vec<f64>> {
        let one = |random: &mut ChaCha8Rng| {
            if weekly { runs(length, share, 1, 2, random) } else { runs(length, share, 4, 10, random) }
        };
        if random.random::<bool>() { vec![one(random); count] } else { (0..count).map(|_| one(random)).collect() }
    };
    let (promo, leaflet) = (flags(0.12, random), flags(0.12, random));
    let price: Vec<Vec<f64>> = (0..count).map(|_| prices(length, week, random)).collect();
    let rival: Vec<Vec<f64>> = (0..count).map(|_| prices(length, week, random)).collect();
    let wave = |t: usize, shift: f64| (std::f64::consts::TAU * (t as f64 / year + shift)).sin();
    let weather: Vec<f64> = persistent(length, 0.7, random);
    let temperature: Vec<f64> = (0..length).map(|t| 12.0 + 9.0 * wave(t, -0.3) + 3.0 * weather[t]).collect();
    let humidity: Vec<f64> = persistent(length, 0.7, random).iter().map(|x| 60.0 + 10.0 * x).collect();
    let once = |random: &mut ChaCha8Rng| -> Vec<usize> {
        let first = random.random_range(4 * week..(year as usize) - 4 * week);
        (0..).map(|k| first + (f64::from(k) * year).round() as usize).take_while(|t| *t < length).collect()
    };
    let (fair, jubilee) = (once(random), once(random));
    let mut named = vec![""; length];
    jubilee.iter().for_each(|t| named[*t] = "Jubilee");
    fair.iter().for_each(|t| named[*t] = "Fair");
    let (lift, bump) = (between(0.1, 0.25, random), between(0.2, 0.4, random));
    let elastic = -between(1.0, 2.5, random);
    let warm = between(0.015, 0.03, random);
    let grows = random.random::<bool>();
    let growth = if grows { between(0.06, 0.15, random) } else { 0.0 };
    let season = between(0.1, 0.25, random);
    let shift = random.random::<f64>();
    let weekday: Vec<f64> = (0..7).map(|_| if weekly { 1.0 } else { between(0.7, 1.3, random) }).collect();
    let shared = persistent(length, 0.5, random);
    let (mut y, mut expected) = (Vec::new(), vec![0.0; length]);
    for i in 0..count {
        let level = (normal(random) * 0.8 + 5.0).exp();
        let own = persistent(length, 0.4, random);
        let changes = (i < 2).then(|| {
            let at = random.random_range(length / 4..3 * length / 4);
            truth.changed.push((names[i].clone(), at));
            (at, if random.random::<bool>() { 1.35 } else { 0.7 })
        });
        let mut values: Vec<f64> = (0..length)
            .map(|t| {
                let mut mean = level * (1.0 + season * wave(t, shift)) * weekday[t % 7];
                mean *= (growth * t as f64 / year).exp();
                mean *= 1.0 + lift * promo[i][t];
                mean *= (price[i][t] / price[i][0]).powf(elastic);
                mean *= if named[t] == "Fair" { 1.0 + bump } else { 1.0 };
                mean *= 1.0 + warm * weather[t];
                mean *= changes.map_or(1.0, |(at, factor)| if t >= at { factor } else { 1.0 });
                expected[t] += mean;
                mean * (0.1 * own[t] + 0.03 * shared[t]).exp()
            })
            .collect();
        if (2..4).contains(&i) {
            let t = random.random_range(length / 6..5 * length / 6);
            values[t] *= if random.random::<bool>() { 1.8 } else { 0.3 };
            truth.moved.push((names[i].clone(), t.to_string()));
        }
        y.push(values);
    }
    let steps = if weekly { 52 } else { 364 };
    let last: f64 = expected[length - steps..].iter().sum();
    truth.growth = last / expected[length - 2 * steps..length - steps].iter().sum::<f64>() - 1.0;
    truth.grows = grows;
    truth.effects = vec![
        ("promotion", "Promo", 1.0),
        ("price", "Price", -1.0),
        ("weather", "Temperature", 1.0),
        ("holiday", "Fair", 1.0),
    ];
    let mut data = Data { names, days, y, covariates: Vec::new(), named: Some(named) };
    truth.moved.iter_mut().for_each(|(_, at)| *at = data.date(at.parse().unwrap_or(0)));
    data.with("Promo", true, promo);
    data.with("Leaflet", true, leaflet);
    data.with("Price", true, price);
    data.with("RivalPrice", true, rival);
    data.with_shared("Temperature", false, &temperature);
    data.with_shared("Humidity", false, &humidity);
    (data, truth)
}

/// Is a claim about something that was planted, and about what? None where nothing was planted that decides it.
fn judged(effect: &Effect, truth: &Truth, data: &Data) -> Option<(bool, &'static str)> {
    let text = format!("{} {}", effect.question, effect.about);
    let (question, about) = (effect.question.as_str(), effect.about.as_str());
    let says =
        |name: &str| text.split(|letter: char| !letter.is_alphanumeric() && letter != '_').any(|word| word == name);
    if IDLE.iter().any(|name| says(name)) {
        return Some((false, "idle covariate"));
    }
    if question.starts_with("season") {
        return Some((about.contains("year") || (!data.weekly() && about.contains("week")), "season"));
    }
    if question.starts_with("trend") {
        return Some((truth.growth.abs() > 0.005 && effect.estimate * truth.growth > 0.0, "growth"));
    }
    if question.starts_with("holidays") && !says("Fair") {
        return Some((false, "another date"));
    }
    if question.starts_with("comovement") {
        return None;
    }
    if question.starts_with("anomalies") {
        let there = truth.moved.iter().any(|(series, date)| about.contains(series) && about.contains(date));
        let named = data.named.as_deref().unwrap_or_default();
        // Sales did jump at the fair: that it is no anomaly is for `holidays` to say.
        let fair = (0..named.len()).any(|t| named[t] == "Fair" && about.contains(&data.date(t)));
        return (there || !fair).then_some((there, "anomaly"));
    }
    if question.starts_with("changepoints") {
        // The total moves a little with each series that does: neither true nor false.
        if !data.names.iter().any(|name| about.contains(name)) {
            return None;
        }
        let own = truth.changed.iter().find(|(series, _)| about.contains(series));
        return Some((own.is_some(), "change of level"));
    }
    let (kind, _, sign) = truth.effects.iter().find(|(_, name, _)| says(name))?;
    let aside = ["after", "before", "dip"].iter().any(|word| about.contains(word));
    // Where the season is named, it may as well be what is meant: sales and temperature share it.
    Some((!aside && effect.estimate * sign > 0.0, kind))
}

#[derive(Default)]
struct Tally {
    stated: usize,
    wrong: usize,
    undecided: BTreeMap<String, usize>,
    wrong_by: BTreeMap<String, usize>,
    found: BTreeMap<&'static str, usize>,
    planted: BTreeMap<&'static str, usize>,
    failed: BTreeMap<String, usize>,
}

fn planted(draws: Range<usize>) {
    let started = (ProcessTime::now(), Instant::now());
    let one = |draw: usize| -> (f64, Tally) {
        let (data, truth) = synthetic(draw);
        let mut tally = Tally::default();
        let stated = data.panel().and_then(|panel| effects_of(&panel.tour()?.effects(LEVEL)?, ""));
        let stated = match stated {
            Ok(stated) => stated,
            Err(why) => {
                tally.failed.insert(why.to_string(), 1);
                return (0.0, tally);
            }
        };
        let mut kinds = vec!["season", "promotion", "price", "weather", "holiday", "anomaly", "change of level"];
        if truth.grows {
            kinds.push("growth");
        }
        kinds.iter().for_each(|kind| *tally.planted.entry(kind).or_default() += 1);
        for effect in &stated {
            match judged(effect, &truth, &data) {
                None => {
                    let name = format!("{}: {}", effect.question, effect.about);
                    *tally.undecided.entry(name).or_default() += 1;
                }
                Some((true, kind)) => {
                    tally.stated += 1;
                    if kinds.contains(&kind) {
                        tally.found.insert(kind, 1);
                    }
                }
                Some((false, kind)) => {
                    tally.stated += 1;
                    tally.wrong += 1;
                    let name = effect.question.split('(').next().unwrap_or_default();
                    *tally.wrong_by.entry(format!("{name} ({kind}): {}", effect.about)).or_default() += 1;
                }
            }
        }
        (tally.wrong as f64 / tally.stated.max(1) as f64, tally)
    };
    let all: Vec<(f64, Tally)> = draws.clone().into_par_iter().map(one).collect();
    let sum = |pick: fn(&Tally) -> usize| all.iter().map(|(_, tally)| pick(tally)).sum::<usize>();
    let rate = all.iter().map(|(rate, _)| rate).sum::<f64>() / all.len() as f64;
    let (stated, wrong) = (sum(|tally| tally.stated), sum(|tally| tally.wrong));
    println!(
        "planted: {} panels, {:.0} s, {:.0} s CPU",
        all.len(),
        started.1.elapsed().as_secs_f64(),
        started.0.elapsed().as_secs_f64()
    );
    println!("  false among stated   {}", share(wrong, stated));
    println!("  mean rate by panel   {:.1} %", 100.0 * rate);
    println!("  panels with one      {}", share(all.iter().filter(|(_, tally)| tally.wrong > 0).count(), all.len()));
    println!("  not decided          {}", sum(|tally| tally.undecided.values().sum()));
    let kinds: std::collections::BTreeSet<&str> =
        all.iter().flat_map(|(_, tally)| tally.planted.keys().copied()).collect();
    for kind in kinds {
        let of = |pick: fn(&Tally) -> &BTreeMap<&'static str, usize>| {
            all.iter().map(|(_, tally)| pick(tally).get(kind).copied().unwrap_or(0)).sum::<usize>()
        };
        println!("  found {kind:<15} {}", share(of(|tally| &tally.found), of(|tally| &tally.planted)));
    }
    most("not decided", all.iter().flat_map(|(_, tally)| &tally.undecided));
    most("false", all.iter().flat_map(|(_, tally)| &tally.wrong_by));
    most("failed", all.iter().flat_map(|(_, tally)| &tally.failed));
}

/// The most frequent of them, one a line.
fn most<'a>(head: &str, of: impl Iterator<Item = (&'a String, &'a usize)>) {
    let mut sums: BTreeMap<&str, usize> = BTreeMap::new();
    of.for_each(|(name, times)| *sums.entry(name).or_default() += times);
    let mut sums: Vec<(&str, usize)> = sums.into_iter().collect();
    sums.sort_by_key(|(_, times)| std::cmp::Reverse(*times));
    sums.into_iter().take(8).for_each(|(name, times)| println!("    {head} {times} times: {name}"));
}

// ------------------------------------------------------------------------------------------------ panels without effects

/// Covariates that keep their own autocorrelation and season, without an effect.
fn idle(data: &mut Data, random: &mut ChaCha8Rng) {
    let (length, week) = (data.days.len(), if data.weekly() { 1 } else { 7 });
    let year = if data.weekly() { 52.18 } else { 365.25 };
    let flag = if data.weekly() { runs(length, 0.15, 1, 3, random) } else { runs(length, 0.15, 2, 12, random) };
    data.with_shared("Leaflet", true, &flag);
    let own = (0..data.names.len())
        .map(|_| if data.weekly() { runs(length, 0.1, 1, 2, random) } else { runs(length, 0.1, 3, 8, random) })
        .collect();
    data.with("Visit", true, own);
    data.with("RivalPrice", true, (0..data.names.len()).map(|_| prices(length, week, random)).collect());
    let rest = persistent(length, 0.7, random);
    let temperature: Vec<f64> = (0..length)
        .map(|t| 12.0 + 9.0 * (std::f64::consts::TAU * (t as f64 / year - 0.3)).sin() + 3.0 * rest[t])
        .collect();
    data.with_shared("Temperature", false, &temperature);
    let humidity: Vec<f64> = persistent(length, 0.8, random).iter().map(|x| 60.0 + 10.0 * x).collect();
    data.with_shared("Humidity", false, &humidity);
    let first = random.random_range(4 * week..50 * week);
    let mut named = vec![""; length];
    (0..)
        .map(|k| first + (f64::from(k) * year).round() as usize)
        .take_while(|t| *t < length)
        .for_each(|t| named[t] = "Jubilee");
    data.named = Some(named);
}

/// White noise: weekly for three years, or daily for two.
fn white(draw: usize) -> Data {
    let mut random = dice("white", draw);
    let (length, step, count) = if draw.is_multiple_of(2) { (156, 7, 20) } else { (731, 1, 12) };
    let level = |random: &mut ChaCha8Rng| (normal(random) * 0.8 + 5.0).exp();
    let mut data = Data {
        names: (0..count).map(|i| format!("item{i:02}")).collect(),
        days: (0..length).map(|t| START + step * t).collect(),
        y: Vec::new(),
        covariates: Vec::new(),
        named: None,
    };
    for _ in 0..count {
        let (level, noise) = (level(&mut random), between(0.05, 0.3, &mut random));
        data.y.push((0..length).map(|_| (level * (1.0 + noise * normal(&mut random))).max(0.0)).collect());
    }
    idle(&mut data, &mut random);
    data
}

/// The first four harmonics of a season: the weeks of holidays, which stand out of it, are holidays and no season.
fn smooth(season: &[f64]) -> Vec<f64> {
    let m = season.len() as f64;
    let angle = |k: usize, t: usize| std::f64::consts::TAU * (k * t) as f64 / m;
    let mut of = vec![0.0; season.len()];
    for k in 1..=4 {
        let sum =
            |wave: fn(f64) -> f64| season.iter().enumerate().map(|(t, s)| s * wave(angle(k, t))).sum::<f64>() * 2.0 / m;
        let (a, b) = (sum(f64::cos), sum(f64::sin));
        of.iter_mut().enumerate().for_each(|(t, of)| *of += a * angle(k, t).cos() + b * angle(k, t).sin());
    }
    of
}

/// Real seasons on a level that stays, with what is left (clipped at 3.5 robust standard deviations, so that no step stands
/// out) shuffled in blocks of four to eight weeks, the same for all series, which keeps what they share.
fn shuffled(real: &Real, draw: usize) -> Result<Data> {
    let mut random = dice(real.name, draw);
    let mut data = real.some(if real.all.weekly() { 20 } else { 10 }, &mut random);
    data.covariates.clear();
    let length = data.days.len();
    let (season, week) = if data.weekly() { (52, 1) } else { (7, 7) };
    let mut from = Vec::with_capacity(length + 8 * week);
    while from.len() < length {
        let block = random.random_range(4..=8) * week;
        // A block starts on the weekday on which it is put.
        let start = random.random_range(0..=(length - block - week) / week) * week + from.len() % week;
        from.extend(start..start + block);
    }
    let yearly = data.weekly();
    for y in &mut data.y {
        let parts = stl(y, season, &StlOptions { seasonal: SeasonalWindow::Periodic, ..StlOptions::default() })?;
        let level = parts.trend.iter().sum::<f64>() / length as f64;
        let seasonal = if yearly { smooth(&parts.seasonal[..season]) } else { parts.seasonal[..season].to_vec() };
        let most = 3.5 * robust_deviation(&parts.remainder);
        *y = (0..length)
            .map(|t| (level + seasonal[t % season] + parts.remainder[from[t]].clamp(-most, most)).max(0.0))
            .collect();
    }
    idle(&mut data, &mut random);
    Ok(data)
}

fn null(draws: Range<usize>, folder: Option<&Path>) -> Result<()> {
    println!(
        "{:<20} {:<28} {:<28} {:>8}  {:>7}",
        "null", "panels with a finding", "by one question or more *", "tested", "CPU s"
    );
    without("white noise", draws.clone(), &|draw| Ok(white(draw)));
    let Some(folder) = folder else {
        println!("real-like skipped: TRADEWIND_DATA not set");
        return Ok(());
    };
    for real in [Real::walmart(folder)?, Real::rossmann(folder)?] {
        without(real.name, draws.clone(), &|draw| shuffled(&real, draw));
    }
    println!("* whether series move together is left out: shuffled remainders keep what series share.");
    Ok(())
}

/// The tours of panels whose only truth is a season.
fn without(name: &str, draws: Range<usize>, of: &(dyn Fn(usize) -> Result<Data> + Sync)) {
    let started = ProcessTime::now();
    let one = |draw: usize| -> std::result::Result<Vec<Effect>, String> {
        let tour = of(draw).and_then(|data| Ok(data.panel()?.tour()?));
        let stated = tour.and_then(|tour| effects_of(&tour.effects(LEVEL)?, "")).map_err(|why| why.to_string())?;
        let own = |effect: &Effect| name != "white noise" && effect.question.starts_with("season");
        Ok(stated.into_iter().filter(|effect| !own(effect)).collect())
    };
    let all: Vec<std::result::Result<Vec<Effect>, String>> = draws.clone().into_par_iter().map(one).collect();
    let toured: Vec<&Vec<Effect>> = all.iter().flatten().collect();
    let any = toured.iter().filter(|stated| !stated.is_empty()).count();
    let alone = |effect: &Effect| !effect.question.starts_with("comovement");
    let but = toured.iter().filter(|stated| stated.iter().any(alone)).count();
    println!(
        "{name:<20} {:<28} {:<28} {:>8}  {:>7.0}",
        share(any, toured.len()),
        share(but, toured.len()),
        toured.len(),
        started.elapsed().as_secs_f64()
    );
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for stated in &toured {
        let told: BTreeSet<String> =
            stated.iter().map(|effect| format!("{}: {}", effect.question, effect.about)).collect();
        told.into_iter().for_each(|told| *kinds.entry(told).or_default() += 1);
    }
    most("panels: false", kinds.iter());
    let mut failed: BTreeMap<String, usize> = BTreeMap::new();
    all.iter().filter_map(|one| one.as_ref().err()).for_each(|why| *failed.entry(why.clone()).or_default() += 1);
    most("failed", failed.iter());
}

// ----------------------------------------------------------------------------------------------------------- large panels

fn tour(folder: &Path, file: &str) -> Result<()> {
    let columns = if file.starts_with("walmart") {
        Columns::new(["store", "dept"], "date", "sales")
            .known(["IsHoliday", "MarkDown1", "MarkDown2", "MarkDown3", "MarkDown4", "MarkDown5"])
            .observed(["Temperature", "Fuel_Price", "CPI", "Unemployment"])
            .fixed(["Type", "Size"])
    } else {
        Columns::new(["Store"], "ds", "Sales")
            .known(["Promo", "Open", "HolidayName", "SchoolHoliday"])
            .observed(["Mean_TemperatureC", "Precipitationmm", "CloudCover"])
            .fixed(["StoreType", "Assortment", "State"])
    };
    let path = folder.join(file);
    if !path.exists() {
        println!("skipped: no {file} in TRADEWIND_DATA");
        return Ok(());
    }
    let panel = Panel::read(&path, columns)?;
    let first = panel.tour()?;
    assert!(first.findings().len() <= 12);
    let before = first.sentence();
    let (cpu, wall) = (ProcessTime::now(), Instant::now());
    let tour = panel.tour()?;
    let (cpu, wall) = (cpu.elapsed().as_secs_f64(), wall.elapsed().as_secs_f64());
    assert_eq!(before, tour.sentence(), "the same tour twice");
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("unknown");
    println!("{file}: {cpu:.2} s CPU, {wall:.2} s wall, {} peak, {} rows", peak.trim(), panel.rows());
    println!("{}", tour.sentence());
    for finding in tour.findings() {
        println!("  - {}", finding.sentence());
    }
    for finding in tour.described() {
        println!("  described: {}", finding.sentence());
    }
    Ok(())
}
