//! Can the effects of the channels be told apart at all? Asked before any number is estimated.
//!
//! | refused | when |
//! |---|---|
//! | too few observations | fewer than two known periods per number that is estimated (baseline, and three per channel) |
//! | never used, never changed | all spends are zero, or fewer than [`CHANGES`] differ from the commonest |
//! | moves with trend, season or a control | the variance inflation factor of its saturated adstock on the baseline is above [`INFLATION`] |
//! | at the same time of every year | year by year spend repeats itself up to a tenth of its variance |
//! | moves with other channels | the variance inflation factor on the baseline and the other channels is above [`INFLATION`] |
//!
//! The variance inflation factor is 1 / (1 − R²) of a regression on the others (Marquardt 1970, *Technometrics* 12):
//! with 10, the standard error is 3.2 times what it would be if the channel varied on its own. Memory is not known yet,
//! so that the factor is the median over short to long memories, at a half-saturation of the typical spend; for the
//! baseline that of the shortest memory, if it is greater: what differs from a control by its memory alone is not told
//! from it. A channel with a lift test of its own is known from outside: it is not refused for moving with others, and
//! others are not refused for moving with it.

use std::collections::BTreeMap;

use super::market::{Form, Market, dot, norm, remove};
use crate::show::number;

/// The variance inflation factor from which on a channel is not identified.
pub const INFLATION: f64 = 10.0;
/// Periods in which spend has to differ from its commonest value.
pub const CHANGES: usize = 4;
/// Known periods per number that is estimated.
const PER_NUMBER: usize = 2;

/// Why some channels cannot be identified.
#[derive(Clone, Debug, PartialEq)]
pub struct Unidentified {
    /// The places of the channels; empty where it concerns the whole fit.
    pub channels: Vec<usize>,
    /// Why, and what would help, in a sentence.
    pub reason: String,
}

/// What cannot be identified, in the order of the channels; empty where everything can.
///
/// ```
/// use tradewind::decide::marketing::{Channel, Form, Market, identify};
/// let spend: Vec<f64> = (0..60).map(|t| f64::from((t * 37 % 11) as u8) * 10.0).collect();
/// let channel = |name: &str, by: f64| Channel { name: name.into(), spend: spend.iter().map(|x| by * x).collect() };
/// let sales = (0..60).map(|t| 500.0 + f64::from(t as u8)).collect();
/// let channels = vec![channel("tv", 1.0), channel("radio", 0.3)];
/// let market = Market { sales, channels, controls: vec![], seasons: vec![], tests: vec![] };
/// let found = identify(&market, &Form::default());
/// assert!(found[0].channels == [0, 1] && found[0].reason.contains("`tv` and `radio` are spent together"));
/// ```
pub fn identify(market: &Market, form: &Form) -> Vec<Unidentified> {
    let mut found = Vec::new();
    let rows = market.rows();
    let basis = market.basis(form.bends, &rows, |_| {});
    let numbers = basis.len() + 3 * market.channels.len();
    if rows.len() < PER_NUMBER * numbers {
        found.push(Unidentified {
            channels: vec![],
            reason: format!(
                "{} periods are too few: {} numbers are estimated ({} of trend, season and controls, 3 for each channel), which \
                 takes at least {} periods; use a longer history, fewer channels, controls or harmonics",
                rows.len(),
                numbers,
                basis.len(),
                PER_NUMBER * numbers
            ),
        });
    }
    let varies: Vec<bool> = (0..market.channels.len())
        .map(|c| {
            let reason = still(market, c);
            let varies = reason.is_none();
            found.extend(reason.map(|reason| Unidentified { channels: vec![c], reason }));
            varies
        })
        .collect();
    // With too few periods everything is collinear.
    if rows.len() > numbers {
        together(market, form, &rows, &basis, &varies, &mut found);
    }
    found.sort_by_key(|one| one.channels.first().copied());
    found
}

/// Why a channel varies too little.
fn still(market: &Market, channel: usize) -> Option<String> {
    let (name, spend) = (&market.channels[channel].name, &market.channels[channel].spend);
    if spend.iter().all(|x| *x == 0.0) {
        return Some(format!("nothing was ever spent on `{name}`: leave it out"));
    }
    let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
    spend.iter().for_each(|x| *counts.entry(x.to_bits()).or_default() += 1);
    let (commonest, most) = counts.into_iter().max_by_key(|(_, count)| *count)?;
    let (value, changes) = (f64::from_bits(commonest), spend.len() - most);
    let help = "change its spend for some periods, or state a lift test of it";
    match changes {
        0 => Some(format!("the spend on `{name}` never changes ({} in each period): {help}", number(value))),
        1..CHANGES if !tested(market, channel) => Some(format!(
            "the spend on `{name}` is {} in all but {changes} periods, which is too little variation: {help}",
            number(value)
        )),
        _ => None,
    }
}

fn tested(market: &Market, channel: usize) -> bool {
    market.tests.iter().any(|test| test.channel == channel)
}

/// The saturated adstock of each channel at a memory, without its mean; empty for a channel that does not vary.
fn columns(market: &Market, form: &Form, rows: &[usize], place: f64, varies: &[bool]) -> Vec<Vec<f64>> {
    let memory = form.memory.at(place);
    (0..market.channels.len())
        .map(|c| {
            if !varies[c] {
                return vec![];
            }
            let channel = &market.channels[c];
            let half = memory.gain(form.normalisation) * channel.typical();
            let adstock = memory.adstock(&channel.spend, market.before(c, form), form.normalisation);
            let mut column: Vec<f64> = rows.iter().map(|t| form.saturation.share(adstock[*t], half)).collect();
            let mean = column.iter().sum::<f64>() / column.len() as f64;
            column.iter_mut().for_each(|x| *x -= mean);
            column
        })
        .collect()
}

/// Channels that move with the baseline or with each other.
fn together(
    market: &Market,
    form: &Form,
    rows: &[usize],
    basis: &[Vec<f64>],
    varies: &[bool],
    found: &mut Vec<Unidentified>,
) {
    let count = market.channels.len();
    let grid = form.memory.grid();
    let (mut on_baseline, mut on_all) = (vec![vec![]; count], vec![vec![]; count]);
    // Correlations of pairs after the baseline, at each memory.
    let mut pairs = vec![vec![vec![]; count]; count];
    for place in grid {
        let raw = columns(market, form, rows, place, varies);
        let mut left = raw.clone();
        left.iter_mut().for_each(|column| {
            remove(basis, column);
            remove(basis, column);
        });
        for c in (0..count).filter(|c| varies[*c]) {
            let whole = dot(&raw[c], &raw[c]);
            on_baseline[c].push(whole / dot(&left[c], &left[c]).max(1e-12 * whole));
            let mut others: Vec<Vec<f64>> = Vec::new();
            for o in (0..count).filter(|o| *o != c && varies[*o] && !tested(market, *o)) {
                let mut other = left[o].clone();
                let size = norm(&other);
                remove(&others, &mut other);
                remove(&others, &mut other);
                let rest = norm(&other);
                if rest > 1e-6 * size {
                    other.iter_mut().for_each(|x| *x /= rest);
                    others.push(other);
                }
            }
            let mut own = left[c].clone();
            remove(&others, &mut own);
            on_all[c].push(whole / dot(&own, &own).max(1e-12 * whole));
            for o in (0..count).filter(|o| *o != c && varies[*o]) {
                let size = norm(&left[c]) * norm(&left[o]);
                pairs[c][o].push(if size > 0.0 { dot(&left[c], &left[o]) / size } else { 0.0 });
            }
        }
    }
    let mut reported = vec![false; count];
    for c in (0..count).filter(|c| varies[*c] && !tested(market, *c)) {
        let name = &market.channels[c].name;
        let help = "a lift test of it, or a few periods in which its spend is changed against the pattern, would help";
        let inflation = median(&on_baseline[c]).max(on_baseline[c][0]);
        if inflation > INFLATION {
            reported[c] = true;
            let controls = if market.controls.is_empty() { "" } else { " and controls" };
            let reason = format!(
                "the spend on `{name}` moves with trend, season{controls} ({} of its variation): its effect cannot be told from \
                 theirs; {help}",
                percent(1.0 - 1.0 / inflation)
            );
            found.push(Unidentified { channels: vec![c], reason });
        } else if let Some(share) = yearly(market, c).filter(|share| *share > 1.0 - 1.0 / INFLATION) {
            reported[c] = true;
            let reason = format!(
                "the spend on `{name}` is the same at the same time of every year ({} of its variation): its effect cannot be told \
                 from the season; {help}",
                percent(share)
            );
            found.push(Unidentified { channels: vec![c], reason });
        }
    }
    for c in 0..count {
        if !varies[c] || tested(market, c) || reported[c] || median(&on_all[c]) <= INFLATION {
            continue;
        }
        // Its company: the channels that it is correlated with most, as many as make the difference.
        let size = |o: usize| median(&pairs[c][o]).abs();
        let others = (0..count).filter(|o| *o != c && varies[*o] && !tested(market, *o));
        let mut others: Vec<usize> = others.collect();
        others.sort_by(|a, b| size(*b).total_cmp(&size(*a)));
        let Some(first) = others.first().copied() else { continue };
        let alone = size(first) > (1.0 - 1.0 / INFLATION).sqrt() - 0.1;
        let company: Vec<usize> = if alone { vec![first] } else { others };
        let mut channels = vec![c];
        channels.extend(&company);
        channels.sort_unstable();
        if found.iter().any(|one| one.channels == channels) {
            continue;
        }
        let names: Vec<String> = channels.iter().map(|c| format!("`{}`", market.channels[*c].name)).collect();
        let how = match company[..] {
            [only] => format!("correlation {:.2} after trend and season", median(&pairs[c][only])),
            _ => format!(
                "{} of the variation of `{}` is in the others",
                percent(1.0 - 1.0 / median(&on_all[c])),
                market.channels[c].name
            ),
        };
        let reason = format!(
            "{} are spent together ({how}): which of them brings the sales cannot be told; a lift test of one of them, or a few \
             periods in which only one of them changes, would help",
            enumerated(&names)
        );
        found.push(Unidentified { channels, reason });
    }
}

fn enumerated(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn percent(share: f64) -> String {
    format!("{} %", number((1000.0 * share).floor() / 10.0))
}

/// The share of the variance of spend that the time of the year explains, adjusted for the number of phases; none
/// without two whole seasons.
fn yearly(market: &Market, channel: usize) -> Option<f64> {
    let spend = &market.channels[channel].spend;
    let season = market.seasons.iter().map(|(length, _)| length.round() as usize).max()?;
    let count = spend.len();
    if season < 2 || count < 2 * season {
        return None;
    }
    let mean = spend.iter().sum::<f64>() / count as f64;
    let total: f64 = spend.iter().map(|x| (x - mean) * (x - mean)).sum();
    let within: f64 = (0..season)
        .map(|phase| {
            let values: Vec<f64> = spend.iter().skip(phase).step_by(season).copied().collect();
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>()
        })
        .sum();
    (total > 0.0).then(|| 1.0 - within / (count - season) as f64 / (total / (count - 1) as f64))
}

fn median(values: &[f64]) -> f64 {
    crate::statistics::summary::median(values).unwrap_or(0.0)
}
