//! How do sales react to their price, and to the prices of their neighbours on the shelf?
//!
//! **The model**, for each series: log sales = elasticity × log price + flags + local level + cycles + error. The local level
//! (a local linear regression on the steps around) and the phases of week, month and season are removed from both sides
//! (Frisch and Waugh 1933; Robinson 1988, *Econometrica* vol. 56); the known flags, such as promotions, are further
//! regressors. So a week with a low price is compared with the weeks around it that have the same flags: the elasticity is
//! that of the short run, including purchases that are brought forward.
//!
//! **The mean** over series weighs each by the inverse of its sampling variance plus the variance between series (random
//! effects; DerSimonian and Laird 1986, *Controlled Clinical Trials* vol. 7), of which it allows for the error too. Its
//! sampling error is that of Driscoll and Kraay: the scores of all series are summed date by date, so that a price change
//! that all series share counts once (see [`crate::statistics::Estimate`]). A series' own elasticity is shrunk to the mean of
//! its group as far as its sampling variance says (empirical Bayes).
//!
//! **Cross elasticities** are the coefficients of log sales on the log prices of all siblings jointly (those that agree in
//! every other key), pooled over the groups of siblings, and shrunk to their mean.
//!
//! **When it fails.** Prices that do not move within series, or move only with a promotion, identify nothing: an error says
//! so. Prices that are set in view of the demand expected (lower before a feast) bias it. Steps without sales have no
//! logarithm and are left out, which makes the elasticities of slow sellers too small. `tests/oracles/elasticity.py`
//! computes the same with statsmodels.

mod each;

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use each::Reactions;
use polars::prelude::*;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::within::{Controls, Cycle, independent, solved};
use super::{Ask, Finding};
use crate::error::{Error, Result, suggestion};
use crate::figures::{Correlations, Intervals, Scatter};
use crate::panel::{Panel, Role, median};
use crate::progress;
use crate::show::words::{about, counted, listed, p_value, rounded};
use crate::show::{Claim, Placebo, Table, number};
use crate::statistics::{Estimate, check_level, lags, long_run, of_scores};

/// Options of `elasticity`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Elasticity {
    /// The column that holds the price; empty: the one that is named so.
    pub price: String,
    /// A key or fixed column whose values have an elasticity each: `brand`.
    pub by: String,
    /// A key column whose values compete with one another, for the elasticities of each to the prices of the others:
    /// `brand`; `auto` takes the last key with at most 30 values; empty: none.
    pub cross: String,
    /// Is the target the natural logarithm of sales already?
    pub log_target: bool,
    /// Is the target turnover rather than a quantity?
    pub turnover: bool,
    /// The probability of the intervals.
    pub level: f64,
    /// Rows of the tables.
    pub top: usize,
}

impl Default for Elasticity {
    fn default() -> Self {
        Self {
            price: String::new(),
            by: String::new(),
            cross: String::new(),
            log_target: false,
            turnover: false,
            level: 0.95,
            top: 10,
        }
    }
}

/// The most flags that are held fixed.
const HELD: usize = 8;
/// A relative change of the price from one step to the next that counts as one.
const CHANGE: f64 = 0.005;
/// Price changes that a series needs.
const CHANGES: usize = 3;
/// Prices that keep less than this share of their variation when the flags are held fixed cannot be separated from them.
const LEAST_LEFT: f64 = 0.1;
/// A series whose prices keep less of their variation has no elasticity of its own.
const LEAST_OWN: f64 = 0.02;
/// The most siblings that compete.
const SIBLINGS: usize = 30;
/// Shifts of the prices in time that serve as placebos.
const SHIFTS: usize = 19;
/// Dots in the figure.
const DOTS: usize = 600;
/// The rise of the price of which the money is said.
const RISE: f64 = 1.05;
/// Words in a name that make it a price of something else.
const OTHERS: [&str; 12] = [
    "fuel",
    "gas",
    "gasoline",
    "oil",
    "petrol",
    "diesel",
    "energy",
    "competitor",
    "competition",
    "rival",
    "index",
    "cost",
];

/// The regression of a series.
struct Fit {
    series: usize,
    /// Its first date, counted from the panel's.
    offset: usize,
    /// Its elasticity.
    value: f64,
    /// What is left of its log price when all else is held fixed, zero at steps that do not count, and the residuals.
    price: Vec<f64>,
    residual: Vec<f64>,
    /// The sum of squares of the former, and its share of that before the flags were held fixed.
    square: f64,
    left: f64,
    /// The standard deviation of the residuals, with all degrees of freedom that were used.
    deviation: f64,
    /// Steps over degrees of freedom that are left.
    inflation: f64,
    /// Flags that vary: their place, coefficient and what is left of them, over its sum of squares.
    flags: Vec<(usize, f64, Vec<f64>)>,
    /// Dates on which the price changed.
    changed: Vec<usize>,
    /// Where cross elasticities are asked for: sales without level and cycles, and the flags.
    sales: Vec<f64>,
    held: Vec<Vec<f64>>,
}

/// Why a series has none.
enum Left {
    Few,
    Fixed,
    Inseparable,
    Short,
}

/// The regressions, and the series that have none.
type Fits = (Vec<Fit>, Vec<(usize, Left)>);

/// Is it this reason?
type Kind = fn(&Left) -> bool;

/// The mean elasticity of several series.
struct Pool {
    mean: Estimate,
    /// Their variance between series, and each one's sampling variance.
    between: f64,
    sampling: Vec<f64>,
    /// Their weights, which sum to one.
    weights: Vec<f64>,
}

/// Who needs a price, and so how its column is stated.
#[derive(Clone, Copy)]
pub(super) enum Asker {
    /// The question of exploring: `elasticity(price=NAME)`.
    Question,
    /// The policy of a decision.
    Policy,
}

/// What the data are, before any number.
pub(super) struct Setting {
    /// The price, row by row, and its name.
    pub(super) name: String,
    pub(super) price: Vec<f64>,
    pub(super) flags: Vec<(String, Vec<f64>)>,
    pub(super) controls: Controls,
    /// The same without the annual season, for series too short for it.
    short: Controls,
}

impl Ask for Elasticity {
    const NAME: &str = "elasticity";
    const SUMMARY: &str = "How sales react to their price, and to the prices of their neighbours on the shelf";
    const EXAMPLE: &str = "elasticity(price=Fuel_Price)";
    const ALSO: &str = "price elasticity, price elasticities, cross elasticity, price effect, price sensitivity";
    const SIMILAR: &[(&str, &str)] = &[("price, prices, pricing", "elasticity(price=NAME), by brand with by=NAME")];

    fn check(&self) -> Result<()> {
        check_level(self.level)
    }

    fn tour(panel: &Panel) -> Vec<Self> {
        let found = panel.matrix().is_ok_and(|_| Self::default().column(panel, Asker::Question).is_ok());
        if found { vec![Self::default()] } else { Vec::new() }
    }

    fn answer(&self, panel: &Panel) -> Result<Finding> {
        let setting = self.setting(panel, Asker::Question)?;
        let groups = self.groups(panel)?;
        let (fits, left_out) = self.fits(panel, &setting)?;
        Answer { asked: self, panel, setting: &setting, groups: &groups, fits: &fits, left_out: &left_out }.finding()
    }
}

/// The words of a name: `sellPrice_EUR` has `sell`, `price` and `eur`.
fn words_of(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut lower = false;
    for letter in name.chars() {
        if !letter.is_alphanumeric() || (lower && letter.is_uppercase()) {
            words.push(String::new());
        }
        lower = letter.is_lowercase();
        if let Some(word) = words.last_mut().filter(|_| letter.is_alphanumeric()) {
            word.extend(letter.to_lowercase());
        }
    }
    words
}

/// Is a column named like the price of what is sold?
pub(crate) fn is_price(name: &str) -> bool {
    let words = words_of(name);
    words.iter().any(|word| matches!(word.as_str(), "price" | "prices" | "preis" | "prix" | "precio" | "prezzo"))
        && !words.iter().any(|word| OTHERS.contains(&word.as_str()))
}

/// Steps in a year; none where steps are not time.
pub(super) fn steps_a_year(panel: &Panel) -> Option<f64> {
    let frequency = panel.frequency();
    if frequency.is_whole() {
        return (panel.season() > 1).then_some(panel.season() as f64);
    }
    frequency.a_year()
}

impl Elasticity {
    /// The place of the price among the columns of the matrix.
    fn column(&self, panel: &Panel, asker: Asker) -> Result<usize> {
        let matrix = panel.matrix()?;
        let varying = |c: usize| matrix.sources[c].1 != Role::Fixed;
        let numeric: Vec<usize> =
            (0..matrix.names.len()).filter(|c| varying(*c) && matrix.sources[*c].0 == matrix.names[*c]).collect();
        let named = |c: &usize| matrix.names[*c].as_str();
        if !self.price.is_empty() {
            let found = matrix.names.iter().position(|name| *name == self.price);
            let place = found.ok_or_else(|| {
                let nearest = suggestion(&self.price, numeric.iter().map(named));
                Error::usage(format!(
                    "elasticity needs a column that holds the price; there is no `{}`{nearest}",
                    self.price
                ))
            })?;
            if !varying(place) {
                return Err(Error::data(format!(
                    "`{}` has one value per series, so its effect cannot be separated from the level of the series",
                    self.price
                )));
            }
            return Ok(place);
        }
        let candidates: Vec<usize> = numeric.iter().copied().filter(|c| is_price(&matrix.names[*c])).collect();
        match candidates[..] {
            [only] => Ok(only),
            [] => {
                let numbers: Vec<String> = numeric
                    .iter()
                    .filter(|c| matrix.columns[**c].iter().any(|x| *x > 0.0 && *x != 1.0))
                    .take(8)
                    .map(|c| format!("`{}`", matrix.names[*c]))
                    .collect();
                let state = match asker {
                    Asker::Question => "state it with price=NAME",
                    Asker::Policy => "state price_column",
                };
                let there = match numbers.len() {
                    0 => "and none holds numbers".to_string(),
                    _ => format!("{state}; numbers are in {}", numbers.join(", ")),
                };
                Err(Error::data(format!("no known or observed column is named like a price: {there}")))
            }
            _ => {
                let names: Vec<String> =
                    candidates.iter().take(12).map(|c| format!("`{}`", matrix.names[*c])).collect();
                let state = match asker {
                    Asker::Question => "state the series' own with price=NAME",
                    Asker::Policy => "state price_column",
                };
                Err(Error::data(format!("several columns are named like a price ({}): {state}", names.join(", "))))
            }
        }
    }

    pub(super) fn setting(&self, panel: &Panel, asker: Asker) -> Result<Setting> {
        let place = self.column(panel, asker)?;
        let matrix = panel.matrix()?;
        let price = matrix.columns[place].clone();
        if !price.iter().any(|price| *price > 0.0) {
            return Err(Error::data(format!("`{}` is nowhere above zero", matrix.names[place])));
        }
        let mut flags: Vec<(String, Vec<f64>, usize)> = Vec::new();
        for (c, (source, role)) in matrix.sources.iter().enumerate() {
            let column = &matrix.columns[c];
            let flag = *role == Role::Known && column.iter().all(|x| x.is_nan() || (0.0..=1.0).contains(x));
            let on = column.iter().filter(|x| **x > 0.0).count();
            if flag && *source != matrix.sources[place].0 && on > 0 && on < column.len() {
                let values = column.iter().map(|x| if x.is_nan() { 0.0 } else { *x }).collect();
                flags.push((matrix.names[c].clone(), values, on.min(column.len() - on)));
            }
        }
        flags.sort_by_key(|flag| std::cmp::Reverse(flag.2));
        flags.truncate(HELD);
        let flags = flags.into_iter().map(|(name, values, _)| (name, values)).collect();
        let mut short = Controls::of(panel);
        short.groups.retain(|group| group.cycle != Cycle::Season);
        Ok(Setting { name: matrix.names[place].clone(), price, flags, controls: Controls::of(panel), short })
    }

    /// The groups of series, in the order of their names.
    fn groups(&self, panel: &Panel) -> Result<Option<Vec<String>>> {
        if self.by.is_empty() {
            return Ok(None);
        }
        panel.attribute(&self.by)?.map(Some).ok_or_else(|| {
            let columns = panel.columns();
            let nearest = suggestion(&self.by, columns.attributes());
            Error::usage(format!("by needs a key or a fixed column; there is no `{}`{nearest}", self.by))
        })
    }

    /// The log of sales, NaN where there are none.
    fn response(&self, panel: &Panel, setting: &Setting, i: usize) -> (Vec<f64>, Vec<f64>) {
        let y = panel.regular(i);
        let price: Vec<f64> =
            panel.regular_column(i, &setting.price).iter().map(|p| if *p > 0.0 { p.ln() } else { f64::NAN }).collect();
        let log = |y: f64| match self.log_target {
            true => y,
            false if y > 0.0 => y.ln(),
            false => f64::NAN,
        };
        let y = y.iter().zip(&price).map(|(y, p)| log(*y) - if self.turnover { *p } else { 0.0 }).collect();
        (y, price)
    }

    /// The regressions of all series, and why some have none.
    ///
    /// # Errors
    /// When the data say nothing of any elasticity.
    fn fits(&self, panel: &Panel, setting: &Setting) -> Result<Fits> {
        let tried = (0..panel.len())
            .into_par_iter()
            .map(|i| progress::check().map(|()| self.fit(panel, setting, i)))
            .collect::<Result<Vec<_>>>()?;
        let (mut fits, mut left_out) = (Vec::new(), Vec::new());
        for (i, fit) in tried.into_iter().enumerate() {
            match fit {
                Ok(fit) => fits.push(fit),
                Err(why) => left_out.push((i, why)),
            }
        }
        self.identified(panel, setting, &fits, &left_out)?;
        Ok((fits, left_out))
    }

    fn fit(&self, panel: &Panel, setting: &Setting, i: usize) -> std::result::Result<Fit, Left> {
        let (y, price) = self.response(panel, setting, i);
        let first = panel.positions(i).first().ok_or(Left::Few)?;
        let offset = usize::try_from(first - setting.controls.first).map_err(|_| Left::Few)?;
        let n = y.len();
        let counts: Vec<bool> = (0..n).map(|t| y[t].is_finite() && price[t].is_finite()).collect();
        let steps = counts.iter().filter(|counts| **counts).count();
        let mut changed = Vec::new();
        let mut last: Option<f64> = None;
        for t in (0..n).filter(|t| counts[*t]) {
            if last.is_some_and(|last| (price[t] - last).abs() > CHANGE) {
                changed.push(offset + t);
            }
            last = Some(price[t]);
        }
        match changed.len() {
            0 => return Err(if steps == 0 { Left::Short } else { Left::Fixed }),
            few if few < CHANGES => return Err(Left::Few),
            _ => {}
        }
        let phases = |controls: &Controls| -> usize {
            let seen =
                |of: &[u32]| (0..n).filter(|t| counts[*t]).map(|t| of[offset + t]).collect::<BTreeSet<u32>>().len();
            controls.groups.iter().map(|group| seen(&group.of)).sum()
        };
        let level = steps as f64 / setting.controls.reach as f64;
        let (mut controls, mut used) = (&setting.controls, level + phases(&setting.controls) as f64);
        if (steps as f64) < 2.0 * used {
            (controls, used) = (&setting.short, level + phases(&setting.short) as f64);
        }
        let zeroed = |values: &[f64]| -> Vec<f64> {
            values.iter().zip(&counts).map(|(v, c)| if *c { *v } else { 0.0 }).collect()
        };
        let local = controls.local(&counts);
        let removed = |values: &[f64]| controls.removed(offset, &zeroed(values), &local);
        let mut places: Vec<usize> = Vec::new();
        let mut x: Vec<Vec<f64>> = Vec::new();
        for (place, (_, flag)) in setting.flags.iter().enumerate() {
            let flag = panel.regular_column(i, flag);
            let seen = || (0..n).filter(|t| counts[*t]).map(|t| flag[t]);
            let (low, high) = seen().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
            if high > low {
                places.push(place);
                x.push(removed(&flag));
            }
        }
        used += x.len() as f64 + 1.0;
        if (steps as f64) < used + 6.0 {
            return Err(Left::Short);
        }
        x.push(removed(&price));
        let y = removed(&y);
        let size = dot(&y, &y) / steps as f64;
        if size.is_nan() || size < 1e-18 {
            return Err(Left::Short);
        }
        let p = x.len();
        let system: Vec<f64> = x.iter().flat_map(|a| x.iter().map(|b| dot(a, b))).collect();
        let right: Vec<f64> = x.iter().map(|a| dot(a, &y)).collect();
        let known = independent(&system, (0..p).filter(|k| system[k * p + k] > 1e-9), p);
        if !known.contains(&(p - 1)) {
            return Err(Left::Inseparable);
        }
        let [solution, inverse] = solved(&system, &right, &known, p).ok_or(Left::Inseparable)?;
        // What is left of a regressor when the others are held fixed, over its sum of squares.
        let pulled =
            |k: usize| -> Vec<f64> { (0..n).map(|t| (0..p).map(|j| inverse[k * p + j] * x[j][t]).sum()).collect() };
        let square = 1.0 / inverse[p * p - 1];
        let left = square / system[p * p - 1];
        if left < LEAST_OWN {
            return Err(Left::Inseparable);
        }
        let residual: Vec<f64> = (0..n).map(|t| y[t] - (0..p).map(|j| solution[j] * x[j][t]).sum::<f64>()).collect();
        let spare = (steps as f64 - used).max(steps as f64 / 4.0);
        let flags = places.iter().enumerate().filter(|(k, _)| known.contains(k));
        let flags = flags.map(|(k, place)| (*place, solution[k], pulled(k))).collect();
        let price = pulled(p - 1).into_iter().map(|price| price * square).collect();
        Ok(Fit {
            series: i,
            offset,
            value: solution[p - 1],
            price,
            square,
            left,
            deviation: (dot(&residual, &residual) / spare).sqrt(),
            inflation: steps as f64 / spare,
            flags,
            residual,
            changed,
            held: if self.cross.is_empty() { Vec::new() } else { x.drain(..p - 1).collect() },
            sales: if self.cross.is_empty() { Vec::new() } else { y },
        })
    }

    /// Do the data say anything of the elasticity?
    ///
    /// # Errors
    /// When they do not, and why.
    fn identified(&self, panel: &Panel, setting: &Setting, fits: &[Fit], left_out: &[(usize, Left)]) -> Result<()> {
        let name = &setting.name;
        let count = |kind: Kind| left_out.iter().filter(|(_, why)| kind(why)).count();
        let fixed = count(|why| matches!(why, Left::Fixed));
        let flags: Vec<String> = setting.flags.iter().map(|(flag, _)| format!("`{flag}`")).collect();
        let flags = listed(&flags.iter().map(String::as_str).collect::<Vec<_>>(), 4);
        let apart = format!(
            "the effect of `{name}` cannot be separated from that of {flags}: the price moves hardly ever without them"
        );
        if fits.is_empty() {
            let inseparable = count(|why| matches!(why, Left::Inseparable));
            return Err(Error::data(if 2 * inseparable > left_out.len() && !setting.flags.is_empty() {
                apart
            } else if fixed == panel.len() {
                format!("`{name}` does not change within any series, so that it says nothing of how sales react to it")
            } else {
                format!(
                    "`{name}` has too little variation: {} of {} with at least {CHANGES} price changes among enough steps \
                     with sales",
                    number(0.0),
                    counted(panel.len(), "series", "series")
                )
            }));
        }
        // Weighted alike, the prices' variation with and without the flags held fixed.
        let (with, without) = fits.iter().fold((0.0, 0.0), |(a, b), fit| (a + fit.square, b + fit.square / fit.left));
        let inseparable = count(|why| matches!(why, Left::Inseparable));
        if with < LEAST_LEFT * without || inseparable > fits.len() {
            return Err(Error::data(apart));
        }
        let steps: usize = fits.iter().map(|fit| fit.price.len()).sum();
        if (with / steps as f64).sqrt() < 0.001 {
            return Err(Error::data(format!(
                "`{name}` moves by less than 0.1 % around its own level, too little to say how sales react to it"
            )));
        }
        Ok(())
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

impl Fit {
    /// What each date adds to the elasticity.
    fn scores(&self) -> impl Iterator<Item = f64> {
        let factor = self.inflation.sqrt() / self.square;
        self.price.iter().zip(&self.residual).map(move |(price, rest)| factor * price * rest)
    }
}

/// The mean of several series' elasticities.
fn pooled(fits: &[&Fit], controls: &Controls) -> Pool {
    let (dates, memory) = (controls.dates, Some(controls.memory()));
    let typical = median(fits.iter().map(|fit| fit.deviation).collect());
    let naive: Vec<f64> = fits.iter().map(|fit| fit.deviation.max(typical / 2.0).powi(2) / fit.square).collect();
    // How much autocorrelation adds to the variance, which one series is too short to say.
    let ratios = fits.iter().zip(&naive).map(|(fit, naive)| {
        let scores: Vec<f64> = fit.scores().collect();
        long_run(&scores, lags(scores.len(), memory)) / naive
    });
    let added = (ratios.sum::<f64>() / fits.len() as f64).max(1.0);
    let sampling: Vec<f64> = naive.iter().map(|naive| naive * added).collect();
    let (between, weights) = random_effects(&fits.iter().map(|fit| fit.value).collect::<Vec<_>>(), &sampling);
    let value = fits.iter().zip(&weights).map(|(fit, weight)| weight * fit.value).sum();
    let mut scores = vec![0.0; dates];
    let mut energy = vec![0.0; dates];
    let mut changed: BTreeSet<usize> = BTreeSet::new();
    for (fit, weight) in fits.iter().zip(&weights) {
        for (t, score) in fit.scores().enumerate() {
            scores[fit.offset + t] += weight * score;
            energy[fit.offset + t] += weight * fit.price[t].powi(2) / fit.square;
        }
        changed.extend(&fit.changed);
    }
    let most = occasions(&energy).min(changed.len() as f64) - 1.0;
    let mut mean = of_scores(value, &scores, most.max(1.0), memory);
    mean.error = mean.error.hypot((between * dot(&weights, &weights)).sqrt());
    Pool { mean, between, sampling, weights }
}

/// On how many dates is there something to learn from? The number of equal dates with the same concentration.
pub(super) fn occasions(energy: &[f64]) -> f64 {
    let (sum, square) = energy.iter().fold((0.0, 0.0), |(a, b), e| (a + e, b + e * e));
    if square > 0.0 { sum * sum / square } else { 0.0 }
}

/// The variance between, after DerSimonian and Laird, and the weights that it gives.
pub(super) fn random_effects(values: &[f64], sampling: &[f64]) -> (f64, Vec<f64>) {
    let weights: Vec<f64> = sampling.iter().map(|s| 1.0 / s).collect();
    let sum: f64 = weights.iter().sum();
    let mean = dot(&weights, values) / sum;
    let q: f64 = weights.iter().zip(values).map(|(w, b)| w * (b - mean).powi(2)).sum();
    let scale = sum - dot(&weights, &weights) / sum;
    let between =
        if values.len() > 1 && scale > 0.0 { ((q - (values.len() as f64 - 1.0)) / scale).max(0.0) } else { 0.0 };
    let weights: Vec<f64> = sampling.iter().map(|s| 1.0 / (s + between)).collect();
    let sum: f64 = weights.iter().sum();
    (between, weights.into_iter().map(|w| w / sum).collect())
}

impl Pool {
    /// The elasticity of a series, shrunk to the mean.
    fn shrunk(&self, at: usize, own: f64) -> Estimate {
        let sampling = self.sampling[at];
        let trust = if self.weights.len() == 1 { 1.0 } else { self.between / (self.between + sampling) };
        let rest = 1.0 - trust;
        let variance = trust * sampling + (rest * self.mean.error).powi(2);
        Estimate { value: trust * own + rest * self.mean.value, error: variance.sqrt(), freedom: self.mean.freedom }
    }

    /// The same estimate with prices of another time.
    fn placebo(&self, fits: &[&Fit], setting: &Setting, season: usize) -> Option<Placebo> {
        let longest = fits.iter().map(|fit| fit.price.len()).max()?;
        let least = (season / 2).max(setting.controls.reach).min(longest / 4).max(1);
        let room = longest.saturating_sub(2 * least);
        let shifts = SHIFTS.min(room + 1);
        let elsewhere: Vec<f64> = (0..shifts)
            .map(|k| {
                let shift = least + room * k / shifts.max(1);
                let of = |fit: &Fit| {
                    let n = fit.price.len();
                    let moved = |t: usize| fit.price[(t + n - shift % n) % n];
                    let product: f64 = (0..n).map(|t| moved(t) * (fit.residual[t] + fit.value * fit.price[t])).sum();
                    product / fit.square
                };
                fits.iter().zip(&self.weights).map(|(fit, weight)| weight * of(fit)).sum()
            })
            .collect();
        Placebo::of(self.mean.value, &elsewhere)
    }
}

/// All that an answer is made of.
struct Answer<'a> {
    asked: &'a Elasticity,
    panel: &'a Panel,
    setting: &'a Setting,
    groups: &'a Option<Vec<String>>,
    fits: &'a [Fit],
    left_out: &'a [(usize, Left)],
}

/// A group of series: its name, its members among the fits, their mean.
struct Member {
    name: String,
    of: Vec<usize>,
    pool: Pool,
}

impl Answer<'_> {
    fn finding(&self) -> Result<Finding> {
        let (panel, name) = (self.panel, &self.setting.name);
        let controls = &self.setting.controls;
        let all: Vec<&Fit> = self.fits.iter().collect();
        let pool = pooled(&all, controls);
        let mut members: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, fit) in self.fits.iter().enumerate() {
            let group = self.groups.as_ref().map_or("", |groups| groups[fit.series].as_str());
            members.entry(group).or_default().push(at);
        }
        let mut groups: Vec<Member> = Vec::new();
        for (group, of) in members {
            progress::check()?;
            let fits: Vec<&Fit> = of.iter().map(|at| &self.fits[*at]).collect();
            groups.push(Member { name: group.into(), pool: pooled(&fits, controls), of });
        }
        groups.sort_by(|a, b| a.pool.mean.value.total_cmp(&b.pool.mean.value));
        let season = panel.season().max(2);
        let mut claims = vec![self.claim(name, "on average", &pool, &all, season)];
        if self.groups.is_some() {
            for group in &groups {
                let fits: Vec<&Fit> = group.of.iter().map(|at| &self.fits[*at]).collect();
                let about = format!("{name} of {} {}", self.asked.by, group.name);
                let whose = format!("in {} {}", self.asked.by, group.name);
                claims.push(self.claim(&about, &whose, &group.pool, &fits, season));
            }
        }
        let mut sentence = claims[0].sentence.clone();
        if self.groups.is_some()
            && let ([first, .., last], true) = (&groups[..], groups.len() > 1)
        {
            sentence.push_str(&format!(
                " By {} the elasticity reaches from {} ({}) to {} ({}).",
                self.asked.by,
                signed(first.pool.mean.value),
                first.name,
                signed(last.pool.mean.value),
                last.name
            ));
        }
        let series = self.of_series(&groups)?;
        let crossed = self.crossed()?;
        let title = format!("How sales react to {name}");
        let mut finding = match self.groups {
            Some(_) => Finding::new(title, sentence, self.of_groups(&groups)?).and(series),
            None => Finding::new(title, sentence, series),
        };
        if let Some(flags) = self.of_flags(&pool)? {
            finding = finding.and(flags);
        }
        let figure = match (&crossed, &self.groups) {
            (Some(crossed), _) => crossed.figure.clone().figure(),
            (None, Some(_)) => self.intervals(&groups).figure(),
            (None, None) => self.scatter(&pool).figure(),
        };
        finding = finding.drawn(figure);
        if let Some(crossed) = crossed {
            finding = finding.and(crossed.table).but(crossed.caveat);
            claims.extend(crossed.claims);
        }
        let sure = {
            let claim = &claims[0];
            let placebo = claim.placebo.map_or_else(String::new, |placebo| {
                format!(
                    " Prices shifted in time by at least {} {}s gave an elasticity as large in {} of {} trials (typical size {}).",
                    (season / 2).max(self.setting.controls.reach),
                    panel.frequency().noun(),
                    placebo.as_large,
                    placebo.tried,
                    about(placebo.typical)
                )
            });
            format!("{} for an elasticity of zero.{placebo}", p_value(claim.p))
        };
        let finding = finding.claiming(claims).sure_by(sure);
        Ok(self.caveats(&pool).into_iter().fold(finding, Finding::but))
    }

    /// Sales of these series in a year.
    fn yearly(&self, fits: &[&Fit]) -> f64 {
        let Some(year) = steps_a_year(self.panel) else { return f64::NAN };
        let of = |fit: &&Fit| {
            let y = self.panel.target(fit.series);
            let (mut sum, mut steps) = (0.0, 0.0);
            for y in y.iter().filter(|y| !y.is_nan()) {
                sum += if self.asked.log_target { y.exp() } else { y.max(0.0) };
                steps += 1.0;
            }
            if steps > 0.0 { sum / steps * year } else { 0.0 }
        };
        fits.iter().map(of).sum()
    }

    fn claim(&self, what: &str, whose: &str, pool: &Pool, fits: &[&Fit], season: usize) -> Claim {
        let (asked, name) = (self.asked, &self.setting.name);
        let mean = pool.mean;
        let (low, high) = mean.interval(asked.level);
        let quantity = RISE.powf(mean.value) - 1.0;
        let turnover = RISE.powf(1.0 + mean.value) - 1.0;
        let money = self.yearly(fits) * if asked.turnover { turnover } else { quantity };
        let over = counted(fits.len(), "series", "series");
        let target = self.panel.columns().target().to_string();
        let level = number(100.0 * asked.level);
        let less = |by: f64| format!("{} % {}", brief(by.abs()), if by < 0.0 { "less" } else { "more" });
        let span = if (low < 0.0) == (high < 0.0) {
            let (near, far) = if high < 0.0 { (-high, -low) } else { (low, high) };
            format!("{level} % interval {} to {} %", brief(near), brief(far))
        } else {
            format!("{level} % interval {} % to {} %", signed(low), signed(high))
        };
        let sentence = if mean.excludes_zero(asked.level) {
            let worth = if money.is_finite() {
                let unit = if asked.log_target { "units".to_string() } else { target };
                format!(", {} {unit} a year", signed(three(money)))
            } else {
                String::new()
            };
            let (first, second) = (
                format!("the quantity by {} %", signed(round(100.0 * quantity))),
                format!("turnover by {} %", signed(round(100.0 * turnover))),
            );
            let changes = if asked.turnover {
                format!("{first} and {second}{worth}")
            } else {
                format!("{first}{worth}, and {second}")
            };
            format!(
                "A {name} 1 % higher sells {} {whose} over {over} ({span}); at this elasticity a rise of 5 % changes {changes}.",
                less(mean.value)
            )
        } else {
            format!(
                "No clear reaction of sales to {name} {whose} over {over}: 1 % higher goes with {} ({span}), so it is open \
                 whether a change of price pays.",
                less(mean.value)
            )
        };
        Claim {
            about: what.into(),
            sentence,
            estimate: mean,
            p: mean.p_value(),
            money,
            placebo: pool.placebo(fits, self.setting, season),
            again: true,
            unit: "",
        }
    }

    fn of_groups(&self, groups: &[Member]) -> Result<Table> {
        let shown = &groups[..groups.len().min(self.asked.top.max(1))];
        let real = |name: &str, pick: &dyn Fn(&Member) -> f64| {
            Column::new(name.into(), shown.iter().map(pick).collect::<Vec<_>>())
        };
        let interval = |group: &Member| group.pool.mean.interval(self.asked.level);
        let mut columns =
            vec![Column::new(self.asked.by.as_str().into(), shown.iter().map(|g| g.name.as_str()).collect::<Vec<_>>())];
        columns.push(real("elasticity", &|group| group.pool.mean.value));
        columns.push(real("from", &|group| interval(group).0));
        columns.push(real("to", &|group| interval(group).1));
        columns.push(real("spread", &|group| group.pool.between.sqrt()));
        columns.push(real("p", &|group| group.pool.mean.p_value()));
        columns.push(Column::new("series".into(), shown.iter().map(|g| g.of.len() as u64).collect::<Vec<_>>()));
        Ok(Table::new(DataFrame::new(shown.len(), columns)?)
            .of_rows(groups.len())
            .titled(format!("Elasticity to {} by {}", self.setting.name, self.asked.by)))
    }

    /// Series by their elasticities, shrunk to their group.
    fn of_series(&self, groups: &[Member]) -> Result<Table> {
        let mut rows: Vec<(usize, Estimate)> = Vec::new();
        for group in groups {
            rows.extend(group.of.iter().enumerate().map(|(at, of)| (*of, group.pool.shrunk(at, self.fits[*of].value))));
        }
        rows.sort_by(|a, b| a.1.value.total_cmp(&b.1.value).then(a.0.cmp(&b.0)));
        let all = rows.len();
        rows.truncate(self.asked.top.max(1));
        let real = |name: &str, pick: &dyn Fn(&(usize, Estimate)) -> f64| {
            Column::new(name.into(), rows.iter().map(pick).collect::<Vec<_>>())
        };
        let mut columns = self.panel.key_columns(rows.iter().map(|row| self.fits[row.0].series))?;
        columns.push(real("elasticity", &|row| row.1.value));
        columns.push(real("from", &|row| row.1.interval(self.asked.level).0));
        columns.push(real("to", &|row| row.1.interval(self.asked.level).1));
        columns.push(real("by itself", &|row| self.fits[row.0].value));
        let changes = rows.iter().map(|row| self.fits[row.0].changed.len() as u64).collect::<Vec<_>>();
        columns.push(Column::new("price changes".into(), changes));
        Ok(Table::new(DataFrame::new(rows.len(), columns)?)
            .of_rows(all)
            .titled(format!("Elasticity to {} by series, the strongest first", self.setting.name)))
    }

    /// The effects of the flags that are held fixed.
    fn of_flags(&self, pool: &Pool) -> Result<Option<Table>> {
        let dates = self.setting.controls.dates;
        let mut rows: Vec<(&str, Estimate, usize)> = Vec::new();
        for (place, (name, _)) in self.setting.flags.iter().enumerate() {
            let with: Vec<(&Fit, f64, &Vec<f64>)> = self
                .fits
                .iter()
                .filter_map(|fit| {
                    fit.flags.iter().find(|flag| flag.0 == place).map(|(_, value, pulled)| (fit, *value, pulled))
                })
                .collect();
            if with.is_empty() {
                continue;
            }
            let sampling: Vec<f64> = with
                .iter()
                .map(|(fit, _, pulled)| (fit.deviation.powi(2) * dot(pulled, pulled)).max(f64::MIN_POSITIVE))
                .collect();
            let values: Vec<f64> = with.iter().map(|(_, value, _)| *value).collect();
            let (between, weights) = random_effects(&values, &sampling);
            let mut scores = vec![0.0; dates];
            let mut energy = vec![0.0; dates];
            for ((fit, _, pulled), weight) in with.iter().zip(&weights) {
                for (t, rest) in fit.residual.iter().enumerate() {
                    scores[fit.offset + t] += weight * fit.inflation.sqrt() * pulled[t] * rest;
                    energy[fit.offset + t] += weight * pulled[t].powi(2);
                }
            }
            let mut mean = of_scores(
                dot(&weights, &values),
                &scores,
                (occasions(&energy) - 1.0).max(1.0),
                Some(self.setting.controls.memory()),
            );
            mean.error = mean.error.hypot((between * dot(&weights, &weights)).sqrt());
            rows.push((name, mean, with.len()));
        }
        if rows.is_empty() || pool.weights.is_empty() {
            return Ok(None);
        }
        let percent = |log: f64| (1000.0 * (log.exp() - 1.0)).round() / 10.0;
        let real = |name: &str, pick: &dyn Fn(&Estimate) -> f64| {
            Column::new(name.into(), rows.iter().map(|row| percent(pick(&row.1))).collect::<Vec<_>>())
        };
        let columns = vec![
            Column::new("held fixed".into(), rows.iter().map(|row| row.0).collect::<Vec<_>>()),
            real("effect %", &|mean| mean.value),
            real("from %", &|mean| mean.interval(self.asked.level).0),
            real("to %", &|mean| mean.interval(self.asked.level).1),
            Column::new("series".into(), rows.iter().map(|row| row.2 as u64).collect::<Vec<_>>()),
        ];
        Ok(Some(Table::new(DataFrame::new(rows.len(), columns)?).titled("What is held fixed, at the same price")))
    }

    fn intervals(&self, groups: &[Member]) -> Intervals {
        let row = |group: &Member| {
            let (low, high) = group.pool.mean.interval(self.asked.level);
            (group.name.clone(), group.pool.mean.value, low, high)
        };
        Intervals {
            title: format!("Elasticity to {} by {}", self.setting.name, self.asked.by),
            value: format!("change of sales in % for 1 % more {}", self.setting.name),
            rows: groups.iter().map(row).collect(),
            level: self.asked.level,
            sides: ("sells less".into(), "sells more".into()),
        }
    }

    fn scatter(&self, pool: &Pool) -> Scatter {
        let percent = |log: f64| 100.0 * (log.exp() - 1.0);
        let moved = |fit: &Fit| (0..fit.price.len()).filter(|t| fit.price[*t].abs() > 1e-9).count();
        let all: usize = self.fits.iter().map(moved).sum();
        let every = all.div_ceil(DOTS).max(1);
        let mut dots = Vec::new();
        let mut seen = 0;
        let mut reach: f64 = 0.0;
        for fit in self.fits {
            for t in (0..fit.price.len()).filter(|t| fit.price[*t].abs() > 1e-9) {
                if seen % every == 0 {
                    dots.push((percent(fit.price[t]), percent(fit.residual[t] + fit.value * fit.price[t])));
                    reach = reach.max(fit.price[t].abs());
                }
                seen += 1;
            }
        }
        let (low, high) = pool.mean.interval(self.asked.level);
        let curve = (-20..=20).map(|k| {
            let at = reach * f64::from(k) / 20.0;
            let (a, b) = (percent(low * at), percent(high * at));
            (percent(at), percent(pool.mean.value * at), a.min(b), a.max(b))
        });
        Scatter {
            title: format!("Sales and {}", self.setting.name),
            value: "sales above or below their level, in %".into(),
            foot: format!("{} above or below its level, in %", self.setting.name),
            groups: vec![("steps".into(), dots)],
            curve: curve.collect(),
        }
    }

    fn caveats(&self, pool: &Pool) -> Vec<String> {
        let (panel, name) = (self.panel, &self.setting.name);
        let noun = panel.frequency().noun();
        let mut caveats = Vec::new();
        if !self.left_out.is_empty() {
            let kinds: [(&str, Kind); 4] = [
                ("whose price does not change", |why| matches!(why, Left::Fixed)),
                ("with fewer than 3 price changes", |why| matches!(why, Left::Few)),
                ("too short, constant, or with too few sales", |why| matches!(why, Left::Short)),
                ("whose price moves only with the flags", |why| matches!(why, Left::Inseparable)),
            ];
            let parts: Vec<String> = kinds
                .iter()
                .map(|(words, kind)| (self.left_out.iter().filter(|(_, why)| kind(why)).count(), words))
                .filter(|(count, _)| *count > 0)
                .map(|(count, words)| format!("{} {words}", number(count as f64)))
                .collect();
            caveats.push(format!(
                "{} of {} series left out: {}.",
                number(self.left_out.len() as f64),
                number(panel.len() as f64),
                parts.join("; ")
            ));
        }
        if !self.asked.log_target {
            let (mut without, mut all) = (0, 0);
            for fit in self.fits {
                let y = panel.target(fit.series);
                without += y.iter().filter(|y| **y <= 0.0).count();
                all += y.iter().filter(|y| !y.is_nan()).count();
            }
            if without > 0 {
                let many = if 20 * without > all {
                    " That is many: the elasticities describe the steps with sales, and those of slow sellers are too small."
                } else {
                    ""
                };
                caveats.push(format!(
                    "{} of {} {noun}s left out: sales of zero or less have no logarithm.{many}",
                    number(without as f64),
                    number(all as f64)
                ));
            }
        }
        let (with, without) =
            self.fits.iter().fold((0.0, 0.0), |(a, b), fit| (a + fit.square, b + fit.square / fit.left));
        let share = with / without;
        if share < 0.5 {
            caveats.push(format!(
                "With the flags held fixed, {} % of the variation of {name} is left: price and promotion are hard to separate.",
                rounded(100.0 * share, 0)
            ));
        }
        let held = match self.setting.flags.len() {
            0 => String::new(),
            _ => format!(
                ", and at the same {}",
                listed(&self.setting.flags.iter().map(|flag| flag.0.as_str()).collect::<Vec<_>>(), 6)
            ),
        };
        let between = if pool.weights.len() > 1 {
            format!(" Series differ by a standard deviation of {} around the mean.", rounded(pool.between.sqrt(), 2))
        } else {
            String::new()
        };
        caveats.push(format!(
            "The elasticity compares each {noun} with the {} {noun}s before and after{held}: it is that of the short run, and \
             includes purchases that are brought forward.{between}",
            self.setting.controls.reach
        ));
        let of = match (self.asked.turnover, self.asked.log_target) {
            (true, _) => "The target is taken for turnover, price times quantity.",
            (false, true) => "The target is taken for the natural logarithm of a quantity.",
            (false, false) => "The target is taken for a quantity; if it is turnover, ask with turnover=true.",
        };
        caveats.push(format!(
            "{of} A price that is set in view of the demand expected (a low one when little would be sold, or before a feast) \
             biases the elasticity."
        ));
        caveats
    }
}

/// The sales of one value of the key, the price of another, the elasticity shrunk to the mean of all pairs and as it is.
type Pair = (usize, usize, f64, Estimate);

/// A series on its shelf: its place among the values of the key, its first date, its sales and the prices of all, with level,
/// cycles and flags removed, and the standard deviation of its residuals.
struct Part {
    of: usize,
    offset: usize,
    y: Vec<f64>,
    x: Vec<Vec<f64>>,
    deviation: f64,
    inflation: f64,
}

/// Cross elasticities.
struct Crossed {
    figure: Correlations,
    table: Table,
    claims: Vec<Claim>,
    caveat: String,
}

impl Answer<'_> {
    /// The key column whose values compete.
    fn rivals(&self) -> Result<Option<String>> {
        let columns = self.panel.columns();
        let keys = columns.keys();
        let distinct = |key: &str| -> Result<usize> {
            Ok(self.panel.attribute(key)?.map_or(0, |values| values.into_iter().collect::<BTreeSet<_>>().len()))
        };
        match self.asked.cross.as_str() {
            "" => Ok(None),
            "auto" => {
                for key in keys.iter().rev() {
                    if (2..=SIBLINGS).contains(&distinct(key)?) {
                        return Ok(Some(key.clone()));
                    }
                }
                Err(Error::data(format!("cross=auto needs a key column with 2 to {SIBLINGS} values; there is none")))
            }
            key if !keys.iter().any(|known| known == key) => {
                let nearest = suggestion(key, keys.iter().map(String::as_str));
                Err(Error::usage(format!("cross needs a key column; there is no `{key}`{nearest}")))
            }
            key => match distinct(key)? {
                few if few < 2 => Err(Error::data(format!("`{key}` has one value, so nothing competes"))),
                many if many > SIBLINGS => Err(Error::data(format!(
                    "`{key}` has {many} values; cross elasticities need at most {SIBLINGS}, whose prices are regressors"
                ))),
                _ => Ok(Some(key.into())),
            },
        }
    }

    /// The elasticities of each value of the key to the prices of all.
    fn crossed(&self) -> Result<Option<Crossed>> {
        let Some(key) = self.rivals()? else { return Ok(None) };
        let (panel, asked) = (self.panel, self.asked);
        let keys = panel.columns().keys();
        let mut parents = vec![String::new(); panel.len()];
        for other in keys.iter().filter(|other| **other != key) {
            for (parent, value) in parents.iter_mut().zip(panel.attribute(other)?.unwrap_or_default()) {
                parent.push_str(&value);
                parent.push('\u{1f}');
            }
        }
        let values = panel.attribute(&key)?.unwrap_or_default();
        let mut names: Vec<String> = values.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect();
        if names.iter().all(|name| name.parse::<f64>().is_ok()) {
            names.sort_by(|a, b| a.parse::<f64>().unwrap_or(0.0).total_cmp(&b.parse::<f64>().unwrap_or(0.0)));
        }
        let place = |value: &str| names.iter().position(|name| name == value).unwrap_or(0);
        let places: Vec<usize> = values.iter().map(|value| place(value)).collect();
        let p = names.len();
        let mut shelves: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (i, parent) in parents.iter().enumerate() {
            shelves.entry(parent).or_default().push(i);
        }
        let shelves: Vec<Vec<usize>> = shelves.into_values().filter(|shelf| shelf.len() > 1).collect();
        let by_series: BTreeMap<usize, &Fit> = self.fits.iter().map(|fit| (fit.series, fit)).collect();
        let dates = self.setting.controls.dates;
        // The log prices of a shelf, level and cycles removed; zero where there is none.
        let prices = |shelf: &[usize]| -> Vec<Option<(usize, Vec<f64>)>> {
            let mut all: Vec<Option<(usize, Vec<f64>)>> = (0..p).map(|_| None).collect();
            for i in shelf {
                let (_, price) = asked.response(panel, self.setting, *i);
                let Some(offset) =
                    panel.positions(*i).first().and_then(|at| usize::try_from(at - self.setting.controls.first).ok())
                else {
                    continue;
                };
                let counts: Vec<bool> = price.iter().map(|price| price.is_finite()).collect();
                let price: Vec<f64> = price.iter().map(|price| if price.is_finite() { *price } else { 0.0 }).collect();
                all[places[*i]] =
                    Some((offset, self.setting.short.removed(offset, &price, &self.setting.short.local(&counts))));
            }
            all
        };
        // For each of its members: the place, the response and the prices of all, both with the flags held fixed.
        let parts = |shelf: &[usize]| -> Vec<Part> {
            let prices = prices(shelf);
            let members = shelf.iter().filter_map(|i| by_series.get(i));
            members
                .map(|fit| {
                    let n = fit.price.len();
                    let counts: Vec<bool> = fit.sales.iter().map(|sales| *sales != 0.0).collect();
                    let mut y = fit.sales.clone();
                    let mut x: Vec<Vec<f64>> = prices
                        .iter()
                        .map(|price| {
                            let Some((offset, price)) = price else { return vec![0.0; n] };
                            let at = |t: usize| (fit.offset + t).checked_sub(*offset).and_then(|t| price.get(t));
                            (0..n).map(|t| if counts[t] { at(t).copied().unwrap_or(0.0) } else { 0.0 }).collect()
                        })
                        .collect();
                    let mut basis: Vec<Vec<f64>> = Vec::new();
                    for flag in &fit.held {
                        let mut rest = flag.clone();
                        for other in &basis {
                            let along = dot(&rest, other);
                            rest.iter_mut().zip(other).for_each(|(a, b)| *a -= along * b);
                        }
                        let size = dot(&rest, &rest).sqrt();
                        if size > 1e-9 {
                            rest.iter_mut().for_each(|a| *a /= size);
                            basis.push(rest);
                        }
                    }
                    for column in x.iter_mut().chain([&mut y]) {
                        for other in &basis {
                            let along = dot(column, other);
                            column.iter_mut().zip(other).for_each(|(a, b)| *a -= along * b);
                        }
                    }
                    let of = places[fit.series];
                    Part { of, offset: fit.offset, y, x, deviation: fit.deviation, inflation: fit.inflation }
                })
                .collect()
        };
        let typical = median(self.fits.iter().map(|fit| fit.deviation).collect());
        let weight = |deviation: f64| deviation.max(typical / 2.0).max(f64::MIN_POSITIVE).powi(-2);
        let mut systems = vec![(vec![0.0; p * p], vec![0.0; p]); p];
        for block in shelves.chunks(64) {
            let found =
                block.par_iter().map(|shelf| progress::check().map(|()| parts(shelf))).collect::<Result<Vec<_>>>()?;
            for Part { of, y, x, deviation, .. } in found.into_iter().flatten() {
                let w = weight(deviation);
                for j in 0..p {
                    systems[of].1[j] += w * dot(&x[j], &y);
                    for k in 0..p {
                        systems[of].0[j * p + k] += w * dot(&x[j], &x[k]);
                    }
                }
            }
        }
        let solutions: Vec<Option<[Vec<f64>; 2]>> = systems
            .iter()
            .map(|(system, right)| {
                let known = independent(system, (0..p).filter(|k| system[k * p + k] > 1e-6), p);
                if known.is_empty() { None } else { solved(system, right, &known, p) }
            })
            .collect();
        let mut scores = vec![vec![0.0; dates]; p * p];
        let mut energy = vec![vec![0.0; dates]; p * p];
        for block in shelves.chunks(64) {
            let found =
                block.par_iter().map(|shelf| progress::check().map(|()| parts(shelf))).collect::<Result<Vec<_>>>()?;
            for Part { of, offset, y, x, deviation, inflation } in found.into_iter().flatten() {
                let Some([solution, inverse]) = &solutions[of] else { continue };
                let w = weight(deviation);
                for t in 0..y.len() {
                    let rest = y[t] - (0..p).map(|j| solution[j] * x[j][t]).sum::<f64>();
                    for j in 0..p {
                        let pulled: f64 = (0..p).map(|k| inverse[j * p + k] * x[k][t]).sum();
                        scores[of * p + j][offset + t] += w * inflation.sqrt() * pulled * rest;
                        energy[of * p + j][offset + t] += w * pulled * pulled;
                    }
                }
            }
        }
        let mut found: Vec<(usize, usize, Estimate)> = Vec::new();
        for (of, solution) in solutions.iter().enumerate() {
            let Some([solution, inverse]) = solution else { continue };
            for j in (0..p).filter(|j| inverse[j * p + j] > 0.0) {
                let most = (occasions(&energy[of * p + j]) - 1.0).max(1.0);
                found.push((
                    of,
                    j,
                    of_scores(solution[j], &scores[of * p + j], most, Some(self.setting.controls.memory())),
                ));
            }
        }
        let off: Vec<&(usize, usize, Estimate)> =
            found.iter().filter(|(of, j, e)| of != j && e.error.is_finite() && e.error > 0.0).collect();
        if off.is_empty() {
            return Err(Error::data(format!(
                "the prices of the values of `{key}` move together, so that their cross elasticities cannot be separated"
            )));
        }
        let off_values: Vec<f64> = off.iter().map(|(_, _, e)| e.value).collect();
        let sampling: Vec<f64> = off.iter().map(|(_, _, e)| e.error.powi(2)).collect();
        let (between, weights) = random_effects(&off_values, &sampling);
        let mean = dot(&off_values, &weights);
        let shrunk = |e: &Estimate| {
            let trust = between / (between + e.error.powi(2));
            trust * e.value + (1.0 - trust) * mean
        };
        let mut matrix = vec![vec![f64::NAN; p]; p];
        let mut claims = Vec::new();
        let mut rows: Vec<Pair> = Vec::new();
        for (of, j, estimate) in &found {
            matrix[*of][*j] = if of == j { estimate.value } else { shrunk(estimate) };
            if of == j {
                continue;
            }
            rows.push((*of, *j, shrunk(estimate), *estimate));
            let (low, high) = estimate.interval(asked.level);
            let direction = if estimate.value > 0.0 { "more" } else { "less" };
            claims.push(Claim {
                about: format!("{} of {key} {} on {key} {}", self.setting.name, names[*j], names[*of]),
                sentence: format!(
                    "When {} of {key} {} is 1 % higher, {key} {} sells {} % {direction} ({} % interval {} % to {} %).",
                    self.setting.name,
                    names[*j],
                    names[*of],
                    brief(estimate.value.abs()),
                    number(100.0 * asked.level),
                    signed(low),
                    signed(high)
                ),
                estimate: *estimate,
                p: estimate.p_value(),
                money: {
                    let fits: Vec<&Fit> = self.fits.iter().filter(|fit| places[fit.series] == *of).collect();
                    self.yearly(&fits) * (RISE.powf(estimate.value) - 1.0)
                },
                placebo: None,
                again: true,
                unit: "",
            });
        }
        rows.sort_by(|a, b| b.2.abs().total_cmp(&a.2.abs()).then((a.0, a.1).cmp(&(b.0, b.1))));
        let all = rows.len();
        rows.truncate(asked.top.max(1));
        let texts = |name: &str, pick: &dyn Fn(&Pair) -> String| {
            Column::new(name.into(), rows.iter().map(pick).collect::<Vec<_>>())
        };
        let real = |name: &str, pick: &dyn Fn(&Pair) -> f64| {
            Column::new(name.into(), rows.iter().map(pick).collect::<Vec<_>>())
        };
        let columns = vec![
            texts(&format!("sales of {key}"), &|row| names[row.0].clone()),
            texts(&format!("price of {key}"), &|row| names[row.1].clone()),
            real("elasticity", &|row| row.2),
            real("by itself", &|row| row.3.value),
            real("from", &|row| row.3.interval(asked.level).0),
            real("to", &|row| row.3.interval(asked.level).1),
            real("p", &|row| row.3.p_value()),
        ];
        let table = Table::new(DataFrame::new(rows.len(), columns)?)
            .of_rows(all)
            .titled(format!("Cross elasticities among the values of {key}, the largest first"));
        let figure = Correlations {
            title: format!("Elasticity of sales (rows) to the price of each {key} (columns)"),
            value: "change of sales in % for a price 1 % higher".into(),
            columns: names.clone(),
            rows: names.iter().cloned().zip(matrix).collect(),
        };
        let caveat = format!(
            "Cross elasticities: the prices of all values of {key} on the same shelf are regressors together, pooled over {}; \
             those in the column elasticity and in the figure are shrunk to their mean of {}. Above zero: they replace one \
             another.",
            counted(shelves.len(), "shelf", "shelves"),
            rounded(mean, 2)
        );
        Ok(Some(Crossed { figure, table, claims, caveat }))
    }
}

/// An elasticity or a percentage in words: two decimals, more only where it is small.
fn brief(value: f64) -> String {
    if value.abs() < 0.1 { about(value) } else { rounded(value, 2) }
}

/// A percentage with one decimal.
fn round(value: f64) -> f64 {
    if value.abs() < 0.1 { value } else { (10.0 * value).round() / 10.0 }
}

/// A number with three significant digits.
fn three(value: f64) -> f64 {
    let scale = 10_f64.powf(2.0 - value.abs().max(1e-300).log10().floor());
    if value == 0.0 { 0.0 } else { (value * scale).round() / scale }
}

/// A number with its sign.
fn signed(value: f64) -> String {
    let text = brief(value.abs());
    match value {
        v if text == "0" || v == 0.0 => text,
        v if v < 0.0 => format!("−{text}"),
        _ => format!("+{text}"),
    }
}
