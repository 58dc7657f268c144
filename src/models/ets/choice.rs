//! Which model? The one with the least information criterion among those that the series has enough values for.

use super::filter::{self, Parameters, States};
use super::form::{Choice, Form, Kind, Pattern};
use super::search::{LOWEST, Point, Search};
use super::{Chosen, Ets, log_scale, start};
use crate::error::{Error, Result};
use crate::models::Likelihood;

/// Steps from each start before the best of them goes on.
const FIRST_STEPS: usize = 4;
/// The same for a long series, where two cost no more than 0.03 of the criterion on average.
const FIRST_STEPS_LONG: usize = 2;
/// Values of a long series.
const LONG: usize = 200;
/// Steps at the most.
const STEPS: usize = 100;
/// A step that lowers the deviance by less is the last.
const TOLERANCE: f64 = 1e-5;
/// The same while forms compete.
const COARSE: f64 = 1e-3;
/// How close to the least criterion a form must come to be fitted to the end, where no first states are held.
const LEVEL: f64 = 0.02;
/// The same where they are held. Chosen among 0, 1, 2.5, 6 and ∞ (R's rule) on folds inside the training sets of M3
/// monthly and quarterly, M5 monthly and Rossmann daily: the largest whose MASE is within two standard errors of the
/// best on each of them. That of ∞ is higher by 0.1 to 3.6 %.
const CLOSE: f64 = 1.0;
/// A season of more steps is not held at the sine wave that stands in for a decomposition of fewer than `HELD_FROM`
/// seasons: on a fold inside the training set of Walmart's weekly sales that raises the MASE by a quarter. For months,
/// the folds named above favour it.
const LONGEST_WAVE: usize = 24;
const HELD_FROM: usize = 3;

/// Chooses and fits. `y` is in units of `scale`.
pub(super) fn choose(options: &Ets, y: &[f64], season: usize, scale: f64) -> Result<Chosen> {
    let pattern = Pattern::parse(&options.model)?;
    let observed = || y.iter().copied().filter(|v| !v.is_nan());
    let n = observed().count();
    let positive = observed().all(|v| v > 0.0);
    if pattern.demands_season() && season == 1 {
        return Err(Error::model(format!(
            "model `{}` has a season, the series has none: give `season`",
            options.model
        )));
    }
    if pattern.demands_positive() && !positive {
        return Err(Error::model(format!(
            "model `{}` is for positive values only: write A, N or Z instead of M",
            options.model
        )));
    }
    let choice = Choice {
        damped: options.damped,
        multiplicative_trend: options.multiplicative_trend,
        multiplicative: positive && options.box_cox.is_none(),
        seasonal: season > 1 && n > season,
    };
    let forms = pattern.forms(choice);
    if forms.contains(&Form::SIMPLE) && is_constant(observed()) {
        return Ok(held(Form::SIMPLE, y, season));
    }
    // R's rule: with no more than four values beyond the parameters asked for, first states are not estimated.
    let asked = pattern.least_parameters(season);
    if n <= asked + 4 && !pattern.demands_season() {
        return short(pattern, &forms, y, season);
    }
    let forms: Vec<Form> = forms.into_iter().filter(|form| form.parameters(season) + 1 < n).collect();
    if forms.is_empty() {
        return Err(Error::model(format!("model `{}` has too many parameters for {n} values", options.model)));
    }
    let value = |form: Form, point: &Point| {
        let log = -0.5 * log_scale(point.deviance, n, scale);
        options.criterion.of(&Likelihood { log, parameters: form.parameters(season) + 1, observations: n })
    };
    let (form, point) = match forms[..] {
        [form] => (form, estimate(form, season, y)),
        _ => best(forms, season, y, value),
    };
    if !point.deviance.is_finite() {
        let text = format!("model `{}` cannot be fitted: its states leave the range of numbers", options.model);
        return Err(Error::model(text));
    }
    Ok(Chosen { form, point, used: form.parameters(season) })
}

/// The form with the least criterion. For a series with a season, the forms compete with their first states held where
/// the decomposition puts them, and those that come close to the best are then fitted in full: with a dozen free states
/// the likelihood of forms that differ by a trend says more of the first year than of the last.
fn best(forms: Vec<Form>, season: usize, y: &[f64], value: impl Fn(Form, &Point) -> f64) -> (Form, Point) {
    let observed = y.iter().filter(|v| !v.is_nan()).count();
    let hold = season > 1 && (season <= LONGEST_WAVE || observed >= HELD_FROM * season);
    let first = if observed < LONG { FIRST_STEPS } else { FIRST_STEPS_LONG };
    let mut known: Vec<(Form, Point)> = Vec::with_capacity(forms.len());
    for form in forms {
        let mut search = Search::new(form, season, y, !hold);
        let point = likeliest(&mut search, starts(form, season, y, &known), first);
        known.push((form, point));
    }
    let least = known.iter().map(|(form, point)| value(*form, point)).fold(f64::INFINITY, f64::min);
    let close = if hold { CLOSE } else { LEVEL };
    known.retain(|(form, point)| value(*form, point) <= least + close);
    for (form, point) in &mut known {
        *point = Search::new(*form, season, y, true).descend(point, STEPS, TOLERANCE);
    }
    let order = |a: &(Form, Point), b: &(Form, Point)| value(a.0, &a.1).total_cmp(&value(b.0, &b.1));
    known.into_iter().min_by(order).unwrap_or_else(|| (Form::SIMPLE, begin(Form::SIMPLE, season, y, SLOW)))
}

fn is_constant(mut values: impl Iterator<Item = f64>) -> bool {
    values.next().is_none_or(|first| values.all(|v| (v - first).abs() <= 1e-12 * first.abs()))
}

/// The likeliest point of a form that is asked for, looked for from more starts than a choice can afford. Forms without
/// a season have optima far apart, one of them near where the form that they extend ends; with a season of months, as
/// many starts bring no more than 0.05 of the log-likelihood.
fn estimate(form: Form, season: usize, y: &[f64]) -> Point {
    let mut starts = [SLOW, FAST, RESTLESS, STEADY].map(|from| begin(form, season, y, from)).to_vec();
    if !form.is_seasonal() {
        starts.extend([NERVOUS, RIGID].map(|from| begin(form, season, y, from)));
        if form.has_trend() {
            let trend = if form.damped { form.trend } else { Kind::None };
            let simpler = Form { trend, damped: false, ..form };
            starts.push(extended(form, simpler, &estimate(simpler, season, y)));
        }
    }
    let mut search = Search::new(form, season, y, true);
    let ends = starts.iter().map(|start| search.descend(start, STEPS, TOLERANCE));
    ends.min_by(|a, b| a.deviance.total_cmp(&b.deviance)).unwrap_or_else(Point::nowhere)
}

/// The point that is reached from the start that is best after `first_steps`.
fn likeliest(search: &mut Search, mut starts: Vec<Point>, first_steps: usize) -> Point {
    for point in &mut starts {
        *point = search.descend(point, first_steps, COARSE);
    }
    let best = starts.into_iter().min_by(|a, b| a.deviance.total_cmp(&b.deviance));
    best.map_or_else(Point::nowhere, |best| search.descend(&best, STEPS, COARSE))
}

/// Shares of their room in which smoothing parameters begin: α, β, γ, φ. Steady series are smoothed strongly, restless
/// ones hardly.
const SLOW: [f64; 4] = [0.2, 0.1, 0.05, 0.99];
const FAST: [f64; 4] = [0.6, 0.1, 0.2, 0.7];
const RESTLESS: [f64; 4] = [0.8, 0.9, 0.5, 0.1];
const STEADY: [f64; 4] = [0.1, 1.0, 0.8, 0.7];
const NERVOUS: [f64; 4] = [0.98, 0.98, 0.8, 0.4];
const RIGID: [f64; 4] = [0.05, 0.05, 0.05, 0.5];

fn begin(form: Form, season: usize, y: &[f64], shares: [f64; 4]) -> Point {
    let m = if form.is_seasonal() { season as f64 } else { 1.0 };
    let alpha = if shares == SLOW { (shares[0] / m).max(2.0 * LOWEST) } else { shares[0] };
    let parameters = Parameters {
        alpha,
        beta: if form.has_trend() { LOWEST + shares[1] * (alpha - LOWEST) } else { 0.0 },
        gamma: if form.is_seasonal() { LOWEST + shares[2] * (1.0 - alpha - LOWEST) } else { 0.0 },
        phi: if form.damped { 0.8 + 0.18 * shares[3] } else { 1.0 },
    };
    let mut point = Point { parameters, states: start::states(form, season, y), deviance: f64::INFINITY };
    let mut states = States::default();
    for _ in 0..8 {
        states.copy(&point.states);
        if filter::run(form, parameters, &mut states, y).is_some() {
            break;
        }
        soften(form, &mut point.states);
    }
    point
}

/// Halves what takes the states out of the range in which a form makes sense; a scaled series has mean size 1.
fn soften(form: Form, states: &mut States) {
    let growth = f64::from(form.trend == Kind::Multiplicative);
    let season = f64::from(form.seasonal == Kind::Multiplicative);
    states.level = (states.level + 1.0) / 2.0;
    states.growth = (states.growth + growth) / 2.0;
    states.season.iter_mut().for_each(|s| *s = (*s + season) / 2.0);
}

fn starts(form: Form, season: usize, y: &[f64], known: &[(Form, Point)]) -> Vec<Point> {
    let mut starts = vec![begin(form, season, y, SLOW)];
    if !form.is_seasonal() {
        starts.push(begin(form, season, y, FAST));
        if form.has_trend() {
            starts.push(begin(form, season, y, RESTLESS));
        }
    }
    let simpler = [
        Form { relative: !form.relative, ..form },
        Form { trend: Kind::None, damped: false, ..form },
        Form { damped: false, ..form },
        Form { seasonal: Kind::Additive, ..form },
    ];
    for (other, point) in known.iter().filter(|(other, point)| simpler.contains(other) && point.deviance.is_finite()) {
        starts.push(extended(form, *other, point));
    }
    starts
}

/// The point of another form as one of `form`.
fn extended(form: Form, other: Form, point: &Point) -> Point {
    let mut point = point.clone();
    let by = &mut point.parameters;
    if form.has_trend() && !other.has_trend() {
        by.beta = LOWEST + 0.1 * (by.alpha - LOWEST);
        point.states.growth = if form.trend == Kind::Multiplicative { 1.0 } else { 0.0 };
    }
    if form.damped && !other.damped {
        by.phi = 0.975;
    }
    if form.seasonal == Kind::Multiplicative && other.seasonal == Kind::Additive {
        let level = point.states.level;
        point.states.season.iter_mut().for_each(|s| *s = 1.0 + *s / level);
    }
    point
}

/// The form with first states held at what the first values say.
fn held(form: Form, y: &[f64], season: usize) -> Chosen {
    let mut observed = y.iter().copied().filter(|v| !v.is_nan());
    let first = observed.next().unwrap_or(0.0);
    let second = observed.next().unwrap_or(first);
    let growth = match form.trend {
        Kind::None => 0.0,
        Kind::Additive => second - first,
        Kind::Multiplicative => second / first,
    };
    let states = States { level: first, growth, ..States::default() };
    let point = Point { states, ..begin(Form { seasonal: Kind::None, ..form }, season, &[0.0], FAST) };
    let point = Search::new(form, season, y, false).descend(&point, STEPS, TOLERANCE);
    Chosen { form, point, used: 0 }
}

/// The better of a level and a line for a series that is too short to estimate more, or the form that is asked for.
fn short(pattern: Pattern, forms: &[Form], y: &[f64], season: usize) -> Result<Chosen> {
    let tried = match pattern.fixed() {
        Some(form) => vec![form],
        None => [Form::SIMPLE, Form::HOLT].into_iter().filter(|form| forms.contains(form)).collect(),
    };
    let tried =
        if tried.is_empty() { forms.iter().copied().filter(|form| !form.is_seasonal()).collect() } else { tried };
    let fits = tried.into_iter().map(|form| held(form, y, season)).filter(|fit| fit.point.deviance.is_finite());
    fits.min_by(|a, b| a.point.deviance.total_cmp(&b.point.deviance))
        .ok_or_else(|| Error::model("the series has too few values for the model that is asked for"))
}
