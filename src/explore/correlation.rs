//! What do sales go along with, beyond the season that both share?
//!
//! Two columns that both peak in summer are correlated whatever they have to do with each other, and so are two that drift.
//! So the local level and the phases of week, month and season are removed from sales and from the covariate (`adjust=season`),
//! or both are differenced (`adjust=difference`), before they are compared.
//!
//! **The correlation** is Pearson's, of values standardised within each series, over all series together; the covariate is
//! that of `lag` steps before. Its error comes from its influence function, summed over series date by date with a long-run
//! variance (see [`crate::statistics::Estimate`]): series that share a temperature, and runs of warm weeks, do not count
//! several times. The lag with the least p-value is the best; for that choice the p-value is corrected after Šidák (1967,
//! *JASA* vol. 62), and the interval is widened to agree with it.
//!
//! **Beside it**: the correlation of the raw values, Spearman's rank correlation, and the mutual information in bits, from
//! bins of equal frequency: above zero for any relation, also one that is not monotonous. Its bias, which grows with the
//! autocorrelation of both sides, is what the covariate of other times gives, and is subtracted.
//!
//! **When it fails.** A covariate that moves with the season only has nothing left; one that reacts to sales (customers
//! served, stock) is correlated without being a cause. Lags are never negative: sales that move first are not caused.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;

use polars::prelude::*;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::elasticity::{occasions, steps_a_year};
use super::within::{Controls, Cycle};
use super::{Ask, Finding};
use crate::error::{Error, Result, suggestion};
use crate::figures::Correlations;
use crate::options::choice;
use crate::panel::{Panel, Role};
use crate::progress;
use crate::show::words::{counted, listed, p_value, rounded};
use crate::show::{Claim, Placebo, Table, number};
use crate::statistics::{Estimate, check_level, of_scores, student_quantile};

choice! {
    /// What is removed from sales and covariates before they are compared.
    Adjust { Season, Difference, None }
}

/// Options of `correlation`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Correlation {
    /// The covariates; empty: all known and observed ones that hold numbers.
    pub with: Vec<String>,
    /// By how many steps sales may follow the covariate; empty: 0 to 14 days, 0 to 8 weeks, 0 to 6 months.
    pub lags: Vec<i64>,
    /// What is removed from both sides: level and cycles (`season`), the value before (`difference`), or nothing (`none`).
    pub adjust: Adjust,
    /// The probability of the intervals.
    pub level: f64,
    /// Rows of the table.
    pub top: usize,
}

impl Default for Correlation {
    fn default() -> Self {
        Self { with: Vec::new(), lags: Vec::new(), adjust: Adjust::Season, level: 0.95, top: 20 }
    }
}

/// The longest lag.
const LONGEST: i64 = 1000;
/// The most lags.
const MOST: usize = 60;
/// The most covariates.
const COVARIATES: usize = 60;
/// Pairs that a series needs.
const LEAST: usize = 12;
/// Pairs of which ranks and bins are made.
const PAIRS: usize = 8000;
/// The most bins on either side.
const BINS: usize = 10;
/// Shifts of the covariate in time that serve as placebos.
const SHIFTS: usize = 19;
/// Covariates that a sentence names.
const NAMED: usize = 3;
/// Above this, a covariate is nearly the target.
const SAME: f64 = 0.9;
/// A standard deviation below this share of the mean absolute value is rounding.
const CONSTANT: f64 = 1e-9;
/// Placebos are tried where the p-value is below this.
const SEEN: f64 = 0.2;
/// Shifts from which the bias of the mutual information is estimated.
const BIASES: usize = 8;

/// A side of the comparison: standardised within each series, zero where it does not count.
struct Side {
    /// Adjusted.
    rest: Vec<f64>,
    /// As it is, less its mean.
    raw: Vec<f64>,
    /// One where it counts, zero elsewhere.
    counts: Vec<f64>,
    /// The standard deviation of the adjusted values, before they were standardised.
    deviation: f64,
    /// Steps over degrees of freedom that are left.
    inflation: f64,
}

/// A covariate, and the sales of all series for which it is the same.
struct Shared<'a> {
    offset: usize,
    covariate: Side,
    members: Vec<usize>,
    /// Sums over the members: adjusted, raw, how many count, and the squares of the former two.
    sales: Cow<'a, [f64]>,
    raw: Cow<'a, [f64]>,
    present: Cow<'a, [f64]>,
    squares: Vec<f64>,
    raw_squares: Vec<f64>,
    /// The mean of the members'.
    inflation: f64,
}

/// How sales go with one covariate.
struct Found {
    name: String,
    lag: usize,
    /// At the best lag, with the interval that allows for the choice.
    estimate: Estimate,
    p: f64,
    raw: f64,
    spearman: f64,
    /// In bits.
    information: f64,
    /// Is that more than the correlation explains, and more than at any other time?
    curved: bool,
    /// Adjusted correlations at all lags.
    lags: Vec<f64>,
    /// The strongest correlation with a later covariate, and how far ahead.
    lead: Option<(usize, f64)>,
    money: f64,
    placebo: Option<Placebo>,
    series: usize,
}

impl Found {
    /// Does it follow sales step by step?
    fn is_same(&self) -> bool {
        self.lag == 0 && self.estimate.value.abs() > SAME
    }
}

/// Sums over series of products at one lag.
#[derive(Clone, Default)]
struct Sums {
    product: f64,
    sales: f64,
    covariate: f64,
}

impl Sums {
    fn correlation(&self) -> f64 {
        let scale = (self.sales * self.covariate).sqrt();
        if scale > 0.0 { self.product / scale } else { f64::NAN }
    }

    fn add(&mut self, other: &Self) {
        self.product += other.product;
        self.sales += other.sales;
        self.covariate += other.covariate;
    }
}

impl Ask for Correlation {
    const NAME: &str = "correlation";
    const SUMMARY: &str = "What sales go along with, over lags, beyond the season that both share";
    const EXAMPLE: &str = "correlation(with=[Temperature])";
    const ALSO: &str = "correlations, pearson, spearman, mutual information, cross correlation, lag correlation";
    const SIMILAR: &[(&str, &str)] =
        &[("drivers, covariates, regressors", "correlation(with=[NAME]) for columns of numbers")];

    fn check(&self) -> Result<()> {
        check_level(self.level)?;
        if let Some(lag) = self.lags.iter().find(|lag| **lag < 0) {
            return Err(Error::usage(format!(
                "lags are at least 0, not {lag}: sales that move before the covariate are not caused by it"
            )));
        }
        if self.lags.iter().any(|lag| *lag > LONGEST) || self.lags.len() > MOST {
            return Err(Error::usage(format!("lags are at most {MOST} numbers from 0 to {}", number(LONGEST as f64))));
        }
        Ok(())
    }

    fn tour(panel: &Panel) -> Vec<Self> {
        let numbers = |question: Self| question.columns(panel).ok().map(|_| question);
        numbers(Self::default()).into_iter().collect()
    }

    fn answer(&self, panel: &Panel) -> Result<Finding> {
        let columns = self.columns(panel)?;
        let setting = Setting::of(self, panel)?;
        let matrix = panel.matrix()?;
        let (mut found, mut without): (Vec<Found>, Vec<(String, &str)>) = (Vec::new(), Vec::new());
        for c in columns {
            match setting.ask(&matrix.names[c], &matrix.columns[c])? {
                Ok(answer) => found.push(answer),
                Err(why) => without.push((format!("`{}`", matrix.names[c]), why)),
            }
        }
        if found.is_empty() {
            let reasons: Vec<String> = without.iter().take(6).map(|(name, why)| format!("{name} {why}")).collect();
            return Err(Error::data(format!("nothing to compare sales with: {}", reasons.join("; "))));
        }
        found.sort_by(|a, b| a.p.total_cmp(&b.p).then(b.estimate.value.abs().total_cmp(&a.estimate.value.abs())));
        self.finding(panel, &setting, &found, &without)
    }
}

/// What the covariates are compared with.
struct Setting<'a> {
    asked: &'a Correlation,
    panel: &'a Panel,
    controls: Controls,
    /// The same without the annual season, for series too short for it.
    short: Controls,
    lags: Vec<usize>,
    /// Sales of each series, if they vary, and their first date.
    sales: Vec<Option<(usize, Side)>>,
}

impl<'a> Setting<'a> {
    fn of(asked: &'a Correlation, panel: &'a Panel) -> Result<Self> {
        let controls = Controls::of(panel);
        let mut short = Controls::of(panel);
        short.groups.retain(|group| group.cycle != Cycle::Season);
        let mut lags: Vec<usize> = asked.lags.iter().filter_map(|lag| usize::try_from(*lag).ok()).collect();
        if lags.is_empty() {
            let longest = match panel.frequency().noun() {
                "hour" => 24,
                "day" => 14,
                "week" => 8,
                "month" => 6,
                _ => 4,
            };
            lags = (0..=longest).collect();
        }
        lags.sort_unstable();
        lags.dedup();
        let dates = controls.dates;
        lags.retain(|lag| lag + LEAST <= dates);
        if lags.is_empty() {
            return Err(Error::data(format!("the history is too short for these lags: {dates} steps")));
        }
        let mut setting = Self { asked, panel, controls, short, lags, sales: Vec::new() };
        setting.sales = (0..panel.len())
            .into_par_iter()
            .map(|i| progress::check().map(|()| setting.side(i, panel.regular(i).to_vec())))
            .collect::<Result<Vec<_>>>()?;
        if setting.sales.iter().all(Option::is_none) {
            return Err(Error::data(format!(
                "no series has {LEAST} steps on which `{}` varies beyond its level and season",
                panel.columns().target()
            )));
        }
        Ok(setting)
    }

    /// A side of a series, if it varies.
    fn side(&self, i: usize, values: Vec<f64>) -> Option<(usize, Side)> {
        let offset = usize::try_from(self.panel.positions(i).first()? - self.controls.first).ok()?;
        let n = values.len();
        let mut counts: Vec<bool> = values.iter().map(|v| v.is_finite()).collect();
        let steps = counts.iter().filter(|counts| **counts).count() as f64;
        if (steps as usize) < LEAST {
            return None;
        }
        let zeroed: Vec<f64> = values.iter().map(|v| if v.is_finite() { *v } else { 0.0 }).collect();
        let mean = zeroed.iter().sum::<f64>() / steps;
        let mut raw: Vec<f64> = (0..n).map(|t| if counts[t] { zeroed[t] - mean } else { 0.0 }).collect();
        let size = zeroed.iter().map(|v| v.abs()).sum::<f64>() / steps;
        if standardise(&mut raw, steps) <= CONSTANT * size {
            return None;
        }
        let mut used = 1.0;
        let mut rest = match self.asked.adjust {
            Adjust::None => raw.clone(),
            Adjust::Difference => {
                let before = counts.clone();
                let changes = (0..n)
                    .map(|t| if t > 0 && before[t] && before[t - 1] { zeroed[t] - zeroed[t - 1] } else { 0.0 })
                    .collect::<Vec<f64>>();
                for t in 0..n {
                    counts[t] = t > 0 && before[t] && before[t - 1];
                }
                let steps = counts.iter().filter(|counts| **counts).count() as f64;
                let mean = changes.iter().sum::<f64>() / steps.max(1.0);
                changes.iter().zip(&counts).map(|(change, c)| if *c { change - mean } else { 0.0 }).collect()
            }
            Adjust::Season => {
                let phases = |controls: &Controls| {
                    let mut all = 0;
                    for group in &controls.groups {
                        let mut seen = vec![false; group.count];
                        (0..n).filter(|t| counts[*t]).for_each(|t| seen[group.of[offset + t] as usize] = true);
                        all += seen.iter().filter(|seen| **seen).count();
                    }
                    all as f64
                };
                let level = steps / self.controls.reach as f64;
                let (mut controls, mut phases_used) = (&self.controls, phases(&self.controls));
                if steps < 2.0 * (level + phases_used) {
                    (controls, phases_used) = (&self.short, phases(&self.short));
                }
                used += level + phases_used;
                controls.removed(offset, &zeroed, &controls.local(&counts))
            }
        };
        let left = counts.iter().filter(|counts| **counts).count() as f64;
        if left < LEAST as f64 || left < used + 4.0 {
            return None;
        }
        let deviation = standardise(&mut rest, left);
        (deviation > 1e-6 * CONSTANT.max(size * 1e-3)).then_some((
            offset,
            Side {
                rest,
                raw,
                counts: counts.iter().map(|counts| f64::from(u8::from(*counts))).collect(),
                deviation,
                inflation: left / (left - used).max(left / 4.0),
            },
        ))
    }

    /// How sales go with a covariate; or why that cannot be said.
    fn ask(&self, name: &str, column: &[f64]) -> Result<std::result::Result<Found, &'static str>> {
        let (panel, asked) = (self.panel, self.asked);
        let present = column.iter().filter(|x| x.is_finite()).count();
        if present == 0 {
            return Ok(Err("has no values"));
        }
        let first = column.iter().copied().find(|x| x.is_finite()).unwrap_or(0.0);
        if column.iter().all(|x| !x.is_finite() || *x == first) {
            return Ok(Err("is constant"));
        }
        let shared = self.shared(column)?;
        if shared.is_empty() {
            return Ok(Err("does not vary within series, beyond what level and season say"));
        }
        let sums = |lag: i64, raw: bool| -> Sums {
            let parts: Vec<Sums> = shared.par_iter().map(|shared| shared.products(lag, raw)).collect();
            parts.iter().fold(Sums::default(), |mut all, part| {
                all.add(part);
                all
            })
        };
        let dates = self.controls.dates;
        let mut tested: Vec<(usize, Estimate)> = Vec::new();
        for lag in &self.lags {
            progress::check()?;
            let all = sums(*lag as i64, false);
            let value = all.correlation();
            if !value.is_finite() {
                continue;
            }
            let scale = (all.sales * all.covariate).sqrt();
            let (mut scores, mut energy) = (vec![0.0; dates], vec![0.0; dates]);
            for shared in &shared {
                let inflation = shared.inflation.max(shared.covariate.inflation).sqrt();
                let n = shared.sales.len();
                let (across, own, other) =
                    (inflation / scale, inflation * value / 2.0 / all.sales, inflation * value / 2.0 / all.covariate);
                let scores = &mut scores[shared.offset..];
                let energy = &mut energy[shared.offset..];
                for t in *lag..n {
                    let (b, counts) = (shared.covariate.rest[t - lag], shared.covariate.counts[t - lag]);
                    let square = b * b * shared.present[t];
                    scores[t] += across * shared.sales[t] * b - own * shared.squares[t] * counts - other * square;
                    energy[t] += square;
                }
            }
            let most = (occasions(&energy) - 1.0).max(1.0);
            let memory = match asked.adjust {
                // Two filtered series are multiplied.
                Adjust::Season => Some(3 * self.controls.reach),
                Adjust::Difference | Adjust::None => None,
            };
            let estimate = of_scores(value, &scores, most, memory);
            tested.push((*lag, estimate));
        }
        let best = tested
            .iter()
            .min_by(|a, b| a.1.p_value().total_cmp(&b.1.p_value()).then(b.1.value.abs().total_cmp(&a.1.value.abs())));
        let Some((lag, own)) = best.copied() else { return Ok(Err("has too few values beside those of sales")) };
        let choices = tested.len() as f64;
        let p = 1.0 - (1.0 - own.p_value()).powf(choices);
        // The interval at this level allows for the choice as the p-value does.
        let wide = |level: f64| student_quantile(own.freedom.max(0.1), 0.5 + level / 2.0).unwrap_or(f64::INFINITY);
        let wider = wide(asked.level.powf(1.0 / choices)) / wide(asked.level);
        let estimate = Estimate { error: own.error * wider.max(1.0), ..own };
        let raw = sums(lag as i64, true).correlation();
        let (spearman, information, curved) = self.ranks(&shared, lag);
        let lead = (1..=self.lags.iter().copied().max().unwrap_or(0).clamp(1, 4))
            .map(|ahead| (ahead, sums(-(ahead as i64), false).correlation()))
            .filter(|(_, r)| r.is_finite())
            .max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()));
        let members = || shared.iter().flat_map(|shared| &shared.members);
        let spread: f64 = members().filter_map(|i| self.sales[*i].as_ref()).map(|(_, sales)| sales.deviation).sum();
        // The mean absolute value of a standard normal variable.
        let money = own.value * spread * (2.0 / std::f64::consts::PI).sqrt() * steps_a_year(panel).unwrap_or(f64::NAN);
        let placebo = if p < SEEN { self.placebo(&shared, own.value)? } else { None };
        let of_lag = |lag: &usize| tested.iter().find(|(known, _)| known == lag).map_or(f64::NAN, |(_, e)| e.value);
        Ok(Ok(Found {
            name: name.into(),
            lag,
            estimate,
            p,
            raw,
            spearman,
            information,
            curved,
            lags: self.lags.iter().map(of_lag).collect(),
            lead,
            money,
            placebo,
            series: members().count(),
        }))
    }

    /// The covariate with the sales of the series that share it, where both vary.
    fn shared(&self, column: &[f64]) -> Result<Vec<Shared<'_>>> {
        let panel = self.panel;
        let mut same: BTreeMap<(usize, Vec<u64>), Vec<usize>> = BTreeMap::new();
        for i in 0..panel.len() {
            let Some((offset, _)) = &self.sales[i] else { continue };
            let bits = panel.regular_column(i, column).iter().map(|x| x.to_bits()).collect();
            same.entry((*offset, bits)).or_default().push(i);
        }
        let mut groups: Vec<Vec<usize>> = same.into_values().collect();
        groups.sort_unstable();
        let found = groups
            .into_par_iter()
            .map(|members| {
                progress::check()?;
                let of = |i: usize| self.side(i, panel.regular_column(i, column).to_vec());
                Ok(members.first().and_then(|first| of(*first)).and_then(|(offset, side)| {
                    let sales: Vec<&Side> =
                        members.iter().filter_map(|i| self.sales[*i].as_ref()).map(|(_, side)| side).collect();
                    Shared::of(offset, side, &sales, members)
                }))
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(found.into_iter().flatten().collect())
    }

    /// Spearman's correlation and the mutual information at a lag, of pairs evenly chosen among all, and whether the latter
    /// says more than the former.
    fn ranks(&self, shared: &[Shared], lag: usize) -> (f64, f64, bool) {
        let pairs: Vec<(&Side, &Side)> = shared
            .iter()
            .flat_map(|shared| shared.members.iter().map(move |i| (*i, &shared.covariate)))
            .filter_map(|(i, x)| self.sales[i].as_ref().map(|(_, y)| (y, x)))
            .collect();
        let all: usize = pairs.iter().map(|(y, _)| y.rest.len()).sum();
        // An odd stride that shares no factor with weeks does not pick the same day every time.
        let every = match all.div_ceil(PAIRS).max(1) {
            few if few < 3 => few,
            many => (many..).find(|n| n % 2 == 1 && n % 7 != 0 && n % 13 != 0).unwrap_or(many),
        };
        // The covariate shifted in a circle, by a share of the length of each series.
        let picked = |share: f64| -> (Vec<f64>, Vec<f64>) {
            let (mut a, mut b) = (Vec::new(), Vec::new());
            let mut next = 0_usize;
            for (y, x) in &pairs {
                let n = y.rest.len();
                let shift = (lag + (share * n as f64) as usize) % n.max(1);
                while next < n {
                    let at = (next + n - shift) % n;
                    let inside = share > 0.0 || next >= lag;
                    if inside && y.counts[next] * x.counts[at] > 0.0 {
                        a.push(y.rest[next]);
                        b.push(x.rest[at]);
                    }
                    next += every;
                }
                next -= n;
            }
            (ranked(&a), ranked(&b))
        };
        let (a, b) = picked(0.0);
        let spearman = pearson(&a, &b);
        let own = information(&a, &b);
        let elsewhere: Vec<f64> = (0..BIASES)
            .map(|k| picked((k as f64 + 2.0) / (BIASES as f64 + 3.0)))
            .map(|(a, b)| information(&a, &b))
            .collect();
        let bias = elsewhere.iter().sum::<f64>() / elsewhere.len() as f64;
        let highest = elsewhere.iter().copied().fold(0.0, f64::max);
        let bits = (own - bias).max(0.0);
        // That of a normal distribution with this correlation.
        let line = -0.5 * (1.0 - spearman.powi(2)).max(1e-12).log2();
        (spearman, bits, own > 1.5 * highest && bits > 0.02 + 2.0 * line)
    }

    /// The strongest correlation over the same number of lags where the covariate is that of another time.
    fn placebo(&self, shared: &[Shared], value: f64) -> Result<Option<Placebo>> {
        let Some(longest) = shared.iter().map(|shared| shared.sales.len()).max() else { return Ok(None) };
        let span = self.lags.iter().copied().max().unwrap_or(0) + 1;
        let season = self.panel.season().max(2 * self.controls.reach).min(longest / 3);
        let least = season + span;
        let room = longest.saturating_sub(least + season);
        if room == 0 {
            return Ok(None);
        }
        let shifts = SHIFTS.min(room);
        let scale = shared.iter().fold((0.0, 0.0), |(a, b), shared| {
            let all = shared.products(0, false);
            (a + all.sales, b + all.covariate)
        });
        let scale = (scale.0 * scale.1).sqrt();
        let moved = |shift: usize| -> f64 {
            let parts: Vec<f64> = shared
                .par_iter()
                .map(|shared| {
                    let n = shared.sales.len();
                    let (sales, covariate, shift) = (&shared.sales, &shared.covariate.rest, shift % n);
                    dot(&sales[shift..], &covariate[..n - shift]) + dot(&sales[..shift], &covariate[n - shift..])
                })
                .collect();
            parts.iter().sum::<f64>() / scale
        };
        let mut elsewhere = Vec::new();
        for k in 0..shifts {
            progress::check()?;
            let shift = least + room * k / shifts;
            let stronger = |a: f64, b: f64| if b.abs() > a.abs() { b } else { a };
            elsewhere.push(self.lags.iter().map(|lag| moved(shift + 1 + lag - span)).fold(0.0, stronger));
        }
        Ok(Placebo::of(value, &elsewhere))
    }
}

impl<'a> Shared<'a> {
    fn of(offset: usize, covariate: Side, sales: &[&'a Side], members: Vec<usize>) -> Option<Self> {
        let first = *sales.first()?;
        let n = first.rest.len();
        let summed = |pick: fn(&Side) -> &Vec<f64>| -> Cow<'a, [f64]> {
            if sales.len() == 1 {
                return Cow::Borrowed(pick(first));
            }
            let mut sums = vec![0.0; n];
            for side in sales {
                sums.iter_mut().zip(pick(side)).for_each(|(sum, value)| *sum += value);
            }
            Cow::Owned(sums)
        };
        let squared = |pick: fn(&Side) -> &Vec<f64>| -> Vec<f64> {
            let mut sums = vec![0.0; n];
            for side in sales {
                sums.iter_mut().zip(pick(side)).for_each(|(sum, value)| *sum += value * value);
            }
            sums
        };
        Some(Self {
            offset,
            covariate,
            members,
            sales: summed(|side| &side.rest),
            raw: summed(|side| &side.raw),
            present: summed(|side| &side.counts),
            squares: squared(|side| &side.rest),
            raw_squares: squared(|side| &side.raw),
            inflation: sales.iter().map(|side| side.inflation).sum::<f64>() / sales.len() as f64,
        })
    }

    /// The products of sales with the covariate of `lag` steps before, after if it is negative.
    fn products(&self, lag: i64, raw: bool) -> Sums {
        let n = self.sales.len();
        let by = (lag.unsigned_abs() as usize).min(n);
        let (late, early) = (by..n, 0..n - by);
        let (of_sales, of_covariate) = if lag >= 0 { (late, early) } else { (early, late) };
        let (sales, squares, covariate) = match raw {
            true => (&self.raw, &self.raw_squares, &self.covariate.raw),
            false => (&self.sales, &self.squares, &self.covariate.rest),
        };
        let covariate = &covariate[of_covariate.clone()];
        let square: Vec<f64> = covariate.iter().map(|x| x * x).collect();
        Sums {
            product: dot(&sales[of_sales.clone()], covariate),
            sales: dot(&squares[of_sales.clone()], &self.covariate.counts[of_covariate]),
            covariate: dot(&self.present[of_sales], &square),
        }
    }
}

/// Divides by the standard deviation around zero over so many values, which it returns.
fn standardise(values: &mut [f64], count: f64) -> f64 {
    let deviation = (dot(values, values) / count).sqrt();
    if deviation > 0.0 {
        values.iter_mut().for_each(|v| *v /= deviation);
    }
    deviation
}

/// The sum of products, in eight partial sums that a processor adds at the same time.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (left, right) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f64 = left.remainder().iter().zip(right.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in left.zip(right) {
        for k in 0..8 {
            sums[k] += a[k] * b[k];
        }
    }
    sums.iter().sum::<f64>() + rest
}

/// Ranks, ties sharing their mean.
fn ranked(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    let by = |a: &usize, b: &usize| -> Ordering { values[*a].total_cmp(&values[*b]) };
    order.sort_unstable_by(by);
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    while start < order.len() {
        let same = |at: usize| values[order[at]] - values[order[start]] <= 1e-9;
        let mut end = start + 1;
        while end < order.len() && same(end) {
            end += 1;
        }
        order[start..end].iter().for_each(|at| ranks[*at] = (start + end - 1) as f64 / 2.0);
        start = end;
    }
    ranks
}

fn pearson(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len() as f64;
    let centred = |v: &[f64]| -> Vec<f64> {
        let mean = v.iter().sum::<f64>() / n;
        v.iter().map(|v| v - mean).collect()
    };
    let (a, b) = (centred(a), centred(b));
    dot(&a, &b) / (dot(&a, &a) * dot(&b, &b)).sqrt()
}

/// The mutual information of two ranks in bits.
fn information(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len();
    let bins = ((n as f64 / 20.0).sqrt() as usize).clamp(2, BINS);
    let binned = |ranks: &[f64]| -> Vec<usize> {
        ranks.iter().map(|rank| ((rank + 0.5) * bins as f64 / n as f64) as usize).map(|bin| bin.min(bins - 1)).collect()
    };
    let (a, b) = (binned(a), binned(b));
    let mut cells = vec![0.0; bins * bins];
    a.iter().zip(&b).for_each(|(a, b)| cells[a * bins + b] += 1.0);
    let rows: Vec<f64> = (0..bins).map(|r| cells[r * bins..(r + 1) * bins].iter().sum()).collect();
    let columns: Vec<f64> = (0..bins).map(|c| (0..bins).map(|r| cells[r * bins + c]).sum()).collect();
    let total = n as f64;
    let mut sum = 0.0;
    for r in 0..bins {
        for c in 0..bins {
            let cell = cells[r * bins + c];
            if cell > 0.0 {
                sum += cell / total * (cell * total / (rows[r] * columns[c])).log2();
            }
        }
    }
    sum
}

impl Correlation {
    /// The places of the covariates among the columns of the matrix.
    fn columns(&self, panel: &Panel) -> Result<Vec<usize>> {
        let matrix = panel.matrix()?;
        let usable = |c: &usize| matrix.sources[*c].1 != Role::Fixed && (matrix.sources[*c].0 == matrix.names[*c]);
        let numeric: Vec<usize> = (0..matrix.names.len()).filter(usable).collect();
        if self.with.is_empty() {
            if numeric.is_empty() {
                return Err(Error::data("there is no known or observed column of numbers to compare sales with"));
            }
            // What is on or off is compared by `uplift`, which holds more fixed.
            let flag = |c: &usize| {
                let column = &matrix.columns[*c];
                column.contains(&1.0)
                    && column.contains(&0.0)
                    && column.iter().all(|x| x.is_nan() || *x == 0.0 || *x == 1.0)
            };
            let numbers: Vec<usize> = numeric.into_iter().filter(|c| !flag(c)).take(COVARIATES).collect();
            if numbers.is_empty() {
                return Err(Error::data("all known and observed columns are flags: ask `uplift` for their effects"));
            }
            return Ok(numbers);
        }
        let place = |name: &String| {
            let found = matrix.names.iter().position(|known| known == name).ok_or_else(|| {
                let nearest = suggestion(name, numeric.iter().map(|c| matrix.names[*c].as_str()));
                Error::usage(format!("correlation needs columns of numbers; there is no `{name}`{nearest}"))
            })?;
            match matrix.sources[found].1 {
                Role::Fixed => Err(Error::data(format!(
                    "`{name}` has one value per series, so that it cannot go with sales over time"
                ))),
                _ => Ok(found),
            }
        };
        self.with.iter().map(place).collect()
    }

    /// The words of one covariate.
    fn told(&self, panel: &Panel, found: &Found) -> String {
        let noun = panel.frequency().noun();
        let (low, high) = found.estimate.interval(self.level);
        let interval =
            format!("{} % interval {} to {}", number(100.0 * self.level), signed(low.max(-1.0)), signed(high.min(1.0)));
        let lag = match found.lag {
            0 => String::new(),
            lag => format!(" of {} before", counted(lag, noun, &format!("{noun}s"))),
        };
        let removed = match self.adjust {
            Adjust::Season => "once level and season are removed",
            Adjust::Difference => "from step to step",
            Adjust::None => "as it is",
        };
        let beyond = match self.adjust {
            Adjust::Season => "beyond the season",
            _ => "otherwise",
        };
        let (name, raw, value) = (&found.name, signed(found.raw), signed(found.estimate.value));
        if found.p < 1.0 - self.level {
            let way = if found.estimate.value > 0.0 { "up" } else { "down" };
            let share = 100.0 * found.estimate.value.powi(2);
            format!(
                "Sales go {way} with {name}{lag}: correlation {value} {removed} ({interval}; raw {raw}), which is {} % of their \
                 variation from {noun} to {noun}.",
                if share < 1.0 { "less than 1".into() } else { rounded(share, 0) }
            )
        } else if found.raw.abs() >= 0.1 && found.raw.abs() > 2.0 * found.estimate.value.abs() {
            format!("{name} goes with sales (r = {raw} raw), but hardly {beyond}: {value} {removed} ({interval}).")
        } else {
            format!("Sales do not clearly go with {name}: {value} {removed} ({interval}; raw {raw}).")
        }
    }

    fn finding(
        &self,
        panel: &Panel,
        setting: &Setting,
        found: &[Found],
        without: &[(String, &str)],
    ) -> Result<Finding> {
        let noun = panel.frequency().noun();
        let clear: Vec<&Found> = found.iter().filter(|found| found.p < 1.0 - self.level).collect();
        let others: Vec<&Found> = found.iter().filter(|found| found.p >= 1.0 - self.level).collect();
        let mut sentences: Vec<String> = clear.iter().take(NAMED).map(|found| self.told(panel, found)).collect();
        if clear.len() > NAMED {
            let names: Vec<&str> = clear[NAMED..].iter().map(|found| found.name.as_str()).collect();
            sentences.push(format!("Less so with {}.", listed(&names, 6)));
        }
        let seeming = others.iter().max_by(|a, b| a.raw.abs().total_cmp(&b.raw.abs()));
        match seeming {
            Some(seeming) if clear.is_empty() || seeming.raw.abs() >= 0.2 => sentences.push(self.told(panel, seeming)),
            _ => {}
        }
        let rest: Vec<&str> = others
            .iter()
            .filter(|found| !sentences.iter().any(|said| *said == self.told(panel, found)))
            .map(|found| found.name.as_str())
            .collect();
        if !rest.is_empty() {
            sentences.push(format!("Not clearly with {}.", listed(&rest, 6)));
        }
        let shown = &found[..found.len().min(self.top.max(1))];
        let real = |name: &str, pick: &dyn Fn(&Found) -> f64| {
            Column::new(name.into(), shown.iter().map(pick).collect::<Vec<_>>())
        };
        let interval = |found: &Found| found.estimate.interval(self.level);
        let columns = vec![
            Column::new("covariate".into(), shown.iter().map(|found| found.name.as_str()).collect::<Vec<_>>()),
            Column::new("lag".into(), shown.iter().map(|found| found.lag as u64).collect::<Vec<_>>()),
            real("raw r", &|found| found.raw),
            real("adjusted r", &|found| found.estimate.value),
            real("from", &|found| interval(found).0.max(-1.0)),
            real("to", &|found| interval(found).1.min(1.0)),
            real("Spearman", &|found| found.spearman),
            real("information (bits)", &|found| found.information),
            Column::new("p".into(), shown.iter().map(|found| found.p).collect::<Vec<_>>()),
            Column::new("series".into(), shown.iter().map(|found| found.series as u64).collect::<Vec<_>>()),
        ];
        let table = Table::new(DataFrame::new(shown.len(), columns)?)
            .of_rows(found.len())
            .titled("What sales go along with, the surest first");
        let figure = Correlations {
            title: "Correlation of sales with covariates".into(),
            value: match self.adjust {
                Adjust::Season => format!("level and season removed; columns: {noun}s by which sales follow"),
                Adjust::Difference => format!("of changes from step to step; columns: {noun}s by which sales follow"),
                Adjust::None => format!("of values as they are; columns: {noun}s by which sales follow"),
            },
            columns: setting.lags.iter().map(|lag| number(*lag as f64)).collect(),
            rows: shown.iter().map(|found| (found.name.clone(), found.lags.clone())).collect(),
        };
        // Another measure of sales explains nothing.
        let drivers = found.iter().filter(|found| !found.is_same());
        let claims = drivers.map(|found| Claim {
            about: found.name.clone(),
            sentence: self.told(panel, found),
            estimate: found.estimate,
            p: found.p,
            money: found.money,
            placebo: found.placebo,
            again: true,
            unit: "",
        });
        let best = &found[0];
        let placebo = best.placebo.map_or_else(String::new, |placebo| {
            format!(
                " {} of another time was as strongly correlated in {} of {} trials (typical size {}).",
                best.name,
                placebo.as_large,
                placebo.tried,
                rounded(placebo.typical, 3)
            )
        });
        let sure = format!(
            "{} for {}, corrected for the choice among {}.{placebo}",
            p_value(best.p),
            best.name,
            counted(setting.lags.len(), "lag", "lags")
        );
        let mut finding = Finding::new("What sales go along with", sentences.join(" "), table)
            .drawn(figure.figure())
            .claiming(claims.collect())
            .sure_by(sure);
        for caveat in self.caveats(panel, setting, found, without) {
            finding = finding.but(caveat);
        }
        Ok(finding)
    }

    fn caveats(&self, panel: &Panel, setting: &Setting, found: &[Found], without: &[(String, &str)]) -> Vec<String> {
        let noun = panel.frequency().noun();
        let mut caveats = Vec::new();
        if !without.is_empty() {
            let reasons: Vec<String> = without.iter().take(8).map(|(name, why)| format!("{name} {why}")).collect();
            caveats.push(format!("Without a number: {}.", reasons.join("; ")));
        }
        let matrix_fixed = panel.columns();
        let fixed: Vec<String> = matrix_fixed.with_role(Role::Fixed).map(|name| format!("`{name}`")).collect();
        if self.with.is_empty() && !fixed.is_empty() {
            let names: Vec<&str> = fixed.iter().map(String::as_str).collect();
            let one = fixed.len() == 1;
            caveats.push(format!(
                "Not compared, because {} one value per series: {}.",
                if one { "it has" } else { "they have" },
                listed(&names, 8)
            ));
        }
        let same: Vec<&str> = found.iter().filter(|found| found.is_same()).map(|found| found.name.as_str()).collect();
        if !same.is_empty() {
            caveats.push(format!(
                "{} nearly follows sales step by step: probably another measure of the same thing, not a cause.",
                listed(&same, 4)
            ));
        }
        for found in found.iter().filter(|found| found.p < 1.0 - self.level) {
            if let Some((ahead, r)) = found.lead.filter(|(_, r)| r.abs() > 1.2 * found.estimate.value.abs()) {
                caveats.push(format!(
                    "Sales go more strongly with the {} of {} later ({}): they move before it does, so that it is not their \
                     cause.",
                    found.name,
                    counted(ahead, noun, &format!("{noun}s")),
                    signed(r)
                ));
            }
        }
        let curved: Vec<&str> = found.iter().filter(|found| found.curved).map(|found| found.name.as_str()).collect();
        if !curved.is_empty() {
            caveats.push(format!(
                "The mutual information of {} is larger than the correlation explains: the relation is probably not a line.",
                listed(&curved, 4)
            ));
        }
        let removed = match self.adjust {
            Adjust::Season => format!(
                "Removed from sales and covariates: the level of the {} {noun}s before and after, and the cycles of the calendar",
                setting.controls.reach
            ),
            Adjust::Difference => "Sales and covariates are compared by their changes from step to step".into(),
            Adjust::None => "Nothing is removed: what shares a season or a trend is correlated for that alone".into(),
        };
        caveats.push(format!(
            "{removed}. A correlation is no proof of cause. The worth of a year is that part of the swings of sales around their \
             level that goes with the covariate: correlation times mean absolute deviation."
        ));
        caveats
    }
}

/// A correlation with its sign.
fn signed(value: f64) -> String {
    match rounded(value.abs(), 2).as_str() {
        "0" => "0".into(),
        text if value < 0.0 => format!("−{text}"),
        text => format!("+{text}"),
    }
}
