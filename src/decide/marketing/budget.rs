//! How is the marketing budget of a panel best split?
//!
//! The series of the panel are summed to one: spend is decided for a whole, not for a shop. A channel whose spend is
//! the same in all series of a date is a spend of the whole that was written beside each, and counts once.

use super::allocate::{Candidate, allocate};
use super::fit::{Effect, Fit, Resampling, fit};
use super::identify::identify;
use super::market::{Channel, Market};
use super::options::MarketingBudget;
use super::split::{BudgetSplit, Limit, Line};
use crate::decide::Decision;
use crate::error::{Error, Result, suggestion};
use crate::panel::{Panel, Role};
use crate::show::number;
use crate::show::words::listed;
use crate::statistics::summary::quantile;

impl Panel {
    /// How a marketing budget is best split over channels: what each brought so far, how sure that is, and which split
    /// of the budget is expected to bring most. What cannot be told apart is refused before anything is estimated.
    ///
    /// ```
    /// use tradewind::polars::prelude::*;
    /// use tradewind::prelude::*;
    /// // Two years of weeks: television every other month, search every week.
    /// let week: Vec<i64> = (1..=104).collect();
    /// let tv: Vec<f64> = week.iter().map(|t| if (t / 5) % 2 == 0 { 100.0 + (t * 37 % 80) as f64 } else { 0.0 }).collect();
    /// let search: Vec<f64> = week.iter().map(|t| 20.0 + (t * 53 % 61) as f64).collect();
    /// let sold: Vec<f64> = (0..104)
    ///     .map(|t| 900.0 + 250.0 * tv[t] / (tv[t] + 90.0) + 120.0 * search[t] / (search[t] + 50.0) + (t * 29 % 17) as f64)
    ///     .collect();
    /// let frame = df!("week" => week, "sold" => sold, "tv" => tv, "search" => search)?;
    /// let sales = Panel::from_frame(frame, Columns::new([""; 0], "week", "sold").known(["tv", "search"]))?;
    /// let split = sales.decide_budget(&MarketingBudget::parse("channels=[tv, search], draws=50")?)?;
    /// println!("{}", split.sentence());
    /// assert_eq!(split.table()?.rows(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When an option, a spend or a limit cannot be, naming it; when channels cannot be told apart, naming them and what would
    /// help; when no split satisfies the limits.
    pub fn decide_budget(&self, asked: &MarketingBudget) -> Result<Decision> {
        asked.check()?;
        let (market, mut caveats) = market(self, asked)?;
        let form = asked.form();
        market.check()?;
        let unidentified = identify(&market, &form);
        if !unidentified.is_empty() {
            let reasons: Vec<&str> = unidentified.iter().map(|one| one.reason.as_str()).collect();
            return Err(
                Error::data(reasons.join("\n")).within("no budget is decided, because effects are not identified")
            );
        }
        let fit = fit(&market, &form, Resampling { draws: asked.draws, seed: asked.seed })?;
        caveats.extend(doubts(&market, &fit, asked));
        decided(self, asked, market, fit, caveats)
    }
}

/// The panel as one market, and what a user should know of how it came about.
fn market(panel: &Panel, asked: &MarketingBudget) -> Result<(Market, Vec<String>)> {
    let matrix = panel.matrix()?;
    let Some((first, last)) = panel.extent() else { return Err(Error::data("there are no rows")) };
    let periods = (last - first + 1) as usize;
    let date = |t: usize| panel.inner().calendar.label(first + t as i64);
    let mut caveats = Vec::new();
    let mut sales = vec![0.0; periods];
    for i in 0..panel.len() {
        add(&mut sales, panel, i, first, &panel.regular(i));
    }
    let numeric: Vec<usize> = (0..matrix.names.len())
        .filter(|c| matrix.sources[*c].0 == matrix.names[*c] && matrix.sources[*c].1 != Role::Fixed)
        .collect();
    let mut channels = Vec::new();
    for name in &asked.channels {
        let Some(place) = numeric.iter().copied().find(|c| matrix.names[*c] == *name) else {
            let near = suggestion(name, numeric.iter().map(|c| matrix.names[*c].as_str()));
            return Err(Error::usage(format!(
                "channel `{name}` is no known or observed covariate that holds numbers{near}"
            )));
        };
        let (spend, shared) = spend(panel, name, &matrix.columns[place], first, periods)?;
        if shared {
            caveats.push(format!("The spend on `{name}` is the same in all series of each date, and is counted once."));
        }
        channels.push(Channel { name: name.clone(), spend });
    }
    let mut controls = Vec::new();
    for (place, name) in matrix.names.iter().enumerate() {
        let (source, role) = &matrix.sources[place];
        if *role == Role::Known && !asked.channels.contains(source) {
            controls.push((name.clone(), control(panel, name, &matrix.columns[place], first, periods)?));
        }
    }
    if !controls.is_empty() {
        let names: Vec<&str> = controls.iter().map(|(name, _)| name.as_str()).collect();
        caveats.push(format!("Held fixed: {}.", listed(&names, 8)));
    }
    let mut seasons = Vec::new();
    let (season, year) = (panel.season() as f64, panel.steps_in_a_year());
    if season > 1.5 && (year - season).abs() > 1.5 {
        seasons.push((season, if season <= 7.0 { 3 } else { asked.harmonics }));
    }
    if year > 1.5 {
        match periods as f64 >= year {
            true => seasons.push((year, asked.harmonics)),
            false => caveats.push(format!(
                "The data are shorter than a year, so that no season is estimated: what it brought may be credited to channels \
                 that were used in it ({} to {}).",
                date(0),
                date(periods - 1)
            )),
        }
    }
    let tests = asked.tests(panel)?;
    Ok((Market { sales, channels, controls, seasons, tests }, caveats))
}

/// Adds the values of a series to a total over all dates.
fn add(total: &mut [f64], panel: &Panel, series: usize, first: i64, values: &[f64]) {
    if let Some(start) = panel.positions(series).first() {
        let offset = (start - first) as usize;
        total[offset..].iter_mut().zip(values).for_each(|(total, value)| *total += value);
    }
}

/// The spend on a channel by date, and whether every series has the same.
fn spend(panel: &Panel, name: &str, column: &[f64], first: i64, periods: usize) -> Result<(Vec<f64>, bool)> {
    let mut total = vec![0.0; periods];
    let (mut lowest, mut highest) = (vec![f64::INFINITY; periods], vec![f64::NEG_INFINITY; periods]);
    for i in 0..panel.len() {
        let values = panel.regular_column(i, column);
        let Some(start) = panel.positions(i).first() else { continue };
        for (step, value) in values.iter().enumerate() {
            let place = || {
                let series = if panel.len() > 1 { format!(" of {}", panel.label(i)) } else { String::new() };
                format!("on {}{series}", panel.inner().calendar.label(start + step as i64))
            };
            if value.is_nan() {
                return Err(Error::data(format!(
                    "spend `{name}` has no value {}: write 0 where nothing was spent",
                    place()
                )));
            }
            if *value < 0.0 {
                return Err(Error::data(format!(
                    "spend `{name}` is negative {}: {value}; net corrections against the period that they belong to",
                    place()
                )));
            }
            let t = (start - first) as usize + step;
            total[t] += value;
            (lowest[t], highest[t]) = (lowest[t].min(*value), highest[t].max(*value));
        }
    }
    let alike = panel.len() > 1
        && lowest.iter().zip(&highest).all(|(low, high)| low == high)
        && highest.iter().any(|high| *high > 0.0);
    Ok((if alike { highest } else { total }, alike))
}

/// The mean of a control over the series, by date.
fn control(panel: &Panel, name: &str, column: &[f64], first: i64, periods: usize) -> Result<Vec<f64>> {
    let (mut total, mut count) = (vec![0.0; periods], vec![0.0; periods]);
    for i in 0..panel.len() {
        let values = panel.regular_column(i, column);
        let there: Vec<f64> = values.iter().map(|value| f64::from(u8::from(value.is_finite()))).collect();
        let values: Vec<f64> = values.iter().map(|value| if value.is_finite() { *value } else { 0.0 }).collect();
        add(&mut total, panel, i, first, &values);
        add(&mut count, panel, i, first, &there);
    }
    if let Some(t) = count.iter().position(|count| *count == 0.0) {
        return Err(Error::data(format!(
            "control `{name}` has no value on {}: fill it, or leave the column out of the known covariates",
            panel.inner().calendar.label(first + t as i64)
        )));
    }
    Ok(total.iter().zip(&count).map(|(total, count)| total / count).collect())
}

/// The standard deviation of the prior of ln(half-saturation) that counts as having learnt little.
const LEARNT: f64 = 0.75;

/// What a user should doubt.
fn doubts(market: &Market, fit: &Fit, asked: &MarketingBudget) -> Vec<String> {
    let mut doubts = Vec::new();
    let mut assumed = Vec::new();
    for (c, channel) in market.channels.iter().enumerate() {
        let halves: Vec<f64> =
            fit.draws.iter().map(|draw| (draw[c].response.half / draw[c].response.gain).ln()).collect();
        let mean = halves.iter().sum::<f64>() / halves.len() as f64;
        let variance = halves.iter().map(|half| (half - mean) * (half - mean)).sum::<f64>() / halves.len() as f64;
        if variance.sqrt() > LEARNT * super::fit::HALF {
            assumed.push(channel.name.as_str());
        }
    }
    if !assumed.is_empty() {
        doubts.push(format!(
            "How soon the returns of {} diminish is hardly seen in the data: it rests on the assumption that half of the greatest \
             effect comes at about the spend that is typical now. Weeks of much more and much less spend would show it.",
            listed(&assumed, 8)
        ));
    }
    let unknown = market.sales.iter().filter(|sales| !sales.is_finite()).count();
    if unknown > 0 {
        doubts.push(format!("Sales are not known in {unknown} of {} periods.", market.sales.len()));
    }
    if !asked.form().saturation.is_concave() {
        doubts.push(
            "With an exponent above 1, small spend does little and the best split can be one of several: each curve is replaced by \
             its concave envelope, and the table says by how much the split can be below the best."
                .into(),
        );
    }
    doubts.push(
        "Where spend follows expected sales, as search advertising does, a part of these sales is credited to it; only an experiment \
         (a lift test) tells the two apart."
            .into(),
    );
    doubts
}

/// The split, from the fitted market.
fn decided(panel: &Panel, asked: &MarketingBudget, market: Market, fit: Fit, caveats: Vec<String>) -> Result<Decision> {
    let present: Vec<f64> = market.channels.iter().map(Channel::mean).collect();
    let now: f64 = present.iter().sum();
    let budget = asked.budget.unwrap_or(now);
    // The most that was tried: the greatest adstock, as a spend that is kept up.
    let form = asked.form();
    let tried = |c: usize| {
        let memory = fit.channels[c].memory;
        let adstock = memory.adstock(&market.channels[c].spend, market.before(c, &form), form.normalisation);
        adstock.into_iter().fold(0.0, f64::max) / memory.gain(form.normalisation).max(f64::MIN_POSITIVE)
    };
    let limits: Vec<(f64, f64, bool)> = (market.channels.iter().enumerate())
        .map(|(c, channel)| match asked.bounds.get(&channel.name) {
            Some((low, high)) => (*low, *high, true),
            None => (0.0, tried(c).max(present[c]), false),
        })
        .collect();
    let most: f64 = limits.iter().map(|(_, high, _)| high).sum();
    if most < budget * (1.0 - 1e-12) && limits.iter().any(|(.., stated)| !stated) {
        let parts: Vec<String> = (market.channels.iter().zip(&limits))
            .map(|(channel, (_, high, stated))| {
                format!(
                    "`{}` {}{}",
                    channel.name,
                    number(rough(*high)),
                    if *stated { "" } else { " (the most that the data have tried)" }
                )
            })
            .collect();
        return Err(Error::usage(format!(
            "a budget of {} per {} is more than the channels may take, {}: {}; what lies beyond what was tried is not known, lower the \
             budget, or state bounds to go there all the same",
            number(budget),
            panel.frequency().noun(),
            number(rough(most)),
            parts.join(", ")
        )));
    }
    let candidates: Vec<Candidate> = (market.channels.iter().enumerate())
        .map(|(c, channel)| Candidate {
            name: &channel.name,
            responses: fit.draws.iter().map(|draw| draw[c].response).collect(),
            low: limits[c].0,
            high: limits[c].1,
        })
        .collect();
    let split = allocate(&candidates, budget)?;
    let reference: Vec<f64> = present.iter().map(|spend| spend * budget / now).collect();
    let brings = |draw: &[Effect], spend: &[f64]| -> f64 {
        draw.iter().zip(spend).map(|(effect, spend)| effect.response.value(*spend)).sum()
    };
    let gains: Vec<f64> = fit.draws.iter().map(|draw| brings(draw, &split.spend) - brings(draw, &reference)).collect();
    let level = asked.level;
    let ends = |values: &[f64]| -> Result<(f64, f64)> {
        Ok((quantile(values, 0.5 - level / 2.0)?, quantile(values, 0.5 + level / 2.0)?))
    };
    let gain = (gains.iter().sum::<f64>() / gains.len() as f64, ends(&gains)?);
    let sold: f64 = market.sales.iter().filter(|sales| sales.is_finite()).sum();
    let mut lines = Vec::new();
    for (c, candidate) in candidates.iter().enumerate() {
        let (low, high, stated) = limits[c];
        let room = 1e-9 * (high - low);
        let limit = match split.spend[c] {
            _ if low >= high => Limit::Fixed,
            x if x <= low + room => Limit::Low,
            x if x >= high - room && stated => Limit::High,
            x if x >= high - room => Limit::Tried,
            _ => Limit::None,
        };
        let known = |t: &usize| market.sales[*t].is_finite();
        let part: f64 = (0..market.sales.len()).filter(known).map(|t| fit.contributions[c][t]).sum();
        lines.push(Line {
            name: candidate.name.to_string(),
            present: present[c],
            reference: reference[c],
            proposed: split.spend[c],
            bounds: (low, high),
            limit,
            effect: fit.channels[c],
            contribution: fit.interval(c, level, |effect| effect.contribution)?,
            average: fit.interval(c, level, |effect| effect.average)?,
            marginal: fit.interval(c, level, |effect| effect.marginal)?,
            share: part / sold,
            brings: (candidate.value(reference[c]), candidate.value(split.spend[c])),
            next: candidate.slope(split.spend[c]),
        });
    }
    drop(candidates);
    let start = panel.extent().map_or(0, |(first, _)| first);
    Ok(Decision::of(BudgetSplit {
        panel: panel.clone(),
        start,
        level,
        budget,
        now,
        market,
        fit,
        lines,
        split,
        gain,
        caveats,
    }))
}

/// Three digits are enough in a message.
fn rough(value: f64) -> f64 {
    let scale = 10_f64.powf(2.0 - value.abs().max(f64::MIN_POSITIVE).log10().floor());
    (value * scale).floor() / scale
}
