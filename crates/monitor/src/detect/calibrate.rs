//! From a reference to what is usual for each track and to the thresholds of a portfolio: see [`super`].

use super::charts::{MOST, siegmund_threshold};
use super::common::{self, Grouping, count, median_of, take_movement, take_size};
use super::track::{Baseline, CHARTS, Input, OFFSET, Track, autocorrelation};
use super::{Observation, Settings};
use crate::error::{Error, Result};

/// The least number of steps in a reference.
pub const LEAST: usize = 26;

/// The share of the allowed false alarms that each chart is set to, against the reference.
///
/// They add up to less than one, because real series go on to change in ways that a year of them has not shown: on real
/// sales the first chart alarms up to twice as often as it is set to, the slow ones ten to thirty times (constants
/// chosen on the tuning seeds of `benches/portfolio.rs`).
const AIMS: [f64; CHARTS] = [0.22, 0.02, 0.005, 0.002, 0.02];

/// The portfolio's and the groups' part of the false alarms; the rest is for series.
const PORTFOLIO: f64 = 0.05;
const GROUPS: f64 = 0.4;

/// What is found in other parts of the reference than the one that is looked at.
const FOLDS: usize = 4;

/// The least scale of a common movement: a hundredth of the level is no degradation.
const LEAST_COMMON: f64 = 0.02;

/// The tail of the evidence of each chart in theory: a likelihood ratio falls by e in 1, a CUSUM in 1/2k, and so on.
const TAILS: [f64; CHARTS] = [1.0, 1.0, 2.0, 1.0, 0.3];

/// The thresholds of one level.
pub type Thresholds = [f64; CHARTS];

/// All that a watch has to know.
pub struct Calibration {
    /// The addend of each series before the logarithm.
    pub offsets: Vec<f64>,
    /// What was usual before the common movement was taken off.
    pub centres: Vec<f64>,
    /// The usual size of errors of the portfolio and its groups.
    pub usual: Vec<f64>,
    /// The portfolio, then the groups, then the series.
    pub common: Vec<Option<Track>>,
    pub series: Vec<Option<Track>>,
    pub portfolio: Thresholds,
    pub groups: Thresholds,
    pub single: Thresholds,
}

/// The error on the logarithmic scale; NaN where a value is unknown.
pub fn error(o: &Observation, offset: f64) -> f64 {
    let log = |x: f64| (x.max(0.0) + offset).ln();
    // `max` would make a zero of NaN.
    if o.actual.is_finite() && o.forecast.is_finite() { log(o.actual) - log(o.forecast) } else { f64::NAN }
}

/// Was the interval missed by more than the common movement, so much of the error, explains?
pub fn missed(o: &Observation, offset: f64, explained: f64) -> f64 {
    let own = if explained.is_finite() { (o.actual + offset) * (-explained).exp() - offset } else { o.actual };
    o.missed(own)
}

/// The errors of a kind of tracks, in time: what thresholds are found with.
struct Kind {
    /// Track by track.
    inputs: Vec<Vec<Input>>,
    /// Weight of a step's share of misses, in independent intervals: fixed for series, found for common movements.
    own_misses: bool,
    least_scale: f64,
}

impl Kind {
    /// What is usual for each track, leaving out one fold of the steps, or none.
    fn baselines(&self, leave: Option<usize>, room: &mut Vec<f64>) -> Vec<Option<Baseline>> {
        let steps = self.inputs.first().map_or(0, Vec::len);
        let keep = |t: usize| leave != Some(t * FOLDS / steps.max(1));
        let of = |track: &[Input], get: fn(&Input) -> f64| -> Vec<f64> {
            track.iter().enumerate().map(|(t, i)| if keep(t) { get(i) } else { f64::NAN }).collect()
        };
        let errors: Vec<Vec<f64>> = self.inputs.iter().map(|track| of(track, |i| i.error)).collect();
        let each: Vec<f64> = errors
            .iter()
            .map(|e| {
                let centre = median_of(e, room);
                autocorrelation(e, centre, room)
            })
            .collect();
        let rho = Some(median_of(&each, room)).filter(|r| r.is_finite()).unwrap_or(0.0);
        let mut baselines: Vec<Option<Baseline>> =
            errors.iter().map(|e| Baseline::of(e, (rho, self.least_scale), room)).collect();
        self.sizes(&mut baselines, keep);
        self.misses(&mut baselines, keep);
        baselines
    }

    /// The mean and the deviation of the size of errors, half of it that of all tracks.
    fn sizes(&self, baselines: &mut [Option<Baseline>], keep: impl Fn(usize) -> bool) {
        let sums: Vec<(f64, f64, f64)> = self
            .inputs
            .iter()
            .zip(baselines.iter())
            .map(|(track, baseline)| {
                let Some(b) = baseline else { return (0.0, 0.0, 0.0) };
                let mut probe = Track::new(*b);
                let mut sum = (0.0, 0.0, 0.0);
                for (_, input) in track.iter().enumerate().filter(|(t, _)| keep(*t)) {
                    if let Some(size) = probe.size_of(input) {
                        sum = (sum.0 + 1.0, sum.1 + size, sum.2 + size * size);
                    }
                }
                sum
            })
            .collect();
        let all = sums.iter().fold((0.0_f64, 0.0, 0.0), |a, s| (a.0 + s.0, a.1 + s.1, a.2 + s.2));
        let mean = |s: &(f64, f64, f64)| if s.0 > 0.0 { s.1 / s.0 } else { 0.0 };
        let deviation = |s: &(f64, f64, f64)| (s.2 / s.0.max(1.0) - mean(s).powi(2)).max(1e-4).sqrt();
        for (sum, baseline) in sums.iter().zip(baselines) {
            if let Some(b) = baseline {
                b.size = ((mean(sum) + mean(&all)) / 2.0, deviation(sum).max(deviation(&all)));
            }
        }
    }

    /// The share of missed intervals, shrunk to that of all tracks as if ten more steps had been like it.
    fn misses(&self, baselines: &mut [Option<Baseline>], keep: impl Fn(usize) -> bool) {
        let sums: Vec<(f64, f64, f64)> = self
            .inputs
            .iter()
            .map(|track| {
                let known = track.iter().enumerate().filter(|(t, i)| keep(*t) && i.misses.is_finite());
                known.fold((0.0, 0.0, 0.0), |s, (_, i)| (s.0 + 1.0, s.1 + i.misses, s.2 + i.misses * i.misses))
            })
            .collect();
        let all = sums.iter().fold((0.0_f64, 0.0), |a, s| (a.0 + s.0, a.1 + s.1));
        if all.0 == 0.0 {
            return;
        }
        let pooled = all.1 / all.0;
        for (sum, baseline) in sums.iter().zip(baselines) {
            if let Some(b) = baseline {
                let rate = (sum.1 + 10.0 * pooled) / (sum.0 + 10.0);
                // A rate that is known badly is taken as rather high: half the series would else miss more than that.
                let rate = rate + 1.5 * (rate * (1.0 - rate) / (sum.0 + 10.0)).sqrt();
                let variance = (sum.2 / sum.0.max(1.0) - (sum.1 / sum.0.max(1.0)).powi(2)).max(1e-6);
                let weight = if self.own_misses { 1.0 } else { (rate * (1.0 - rate) / variance).max(1.0) };
                b.misses = (rate, weight);
            }
        }
    }

    /// The highest evidence of every track in every period, chart by chart.
    fn peaks(&self, settings: &Settings, room: &mut Vec<f64>) -> [Vec<f64>; CHARTS] {
        let folds: Vec<Vec<Option<Baseline>>> = (0..FOLDS).map(|f| self.baselines(Some(f), room)).collect();
        let mut peaks: [Vec<f64>; CHARTS] = Default::default();
        for (series, inputs) in self.inputs.iter().enumerate() {
            let of = |fold: usize| folds.get(fold).and_then(|f| f.get(series)).copied().flatten();
            let Some(first) = of(0) else { continue };
            let mut track = Track::new(first);
            // Once to get going: the evidence of slow charts grows over more than a period.
            for counted in [false, true] {
                for (p, period) in inputs.chunks(settings.period).enumerate() {
                    let mut highest = [0.0_f64; CHARTS];
                    for (t, input) in period.iter().enumerate() {
                        if let Some(baseline) = of((p * settings.period + t) * FOLDS / inputs.len()) {
                            track.rebase(baseline);
                        }
                        track.push(*input, settings.shift);
                        highest.iter_mut().zip(track.evidence()).for_each(|(h, e)| *h = h.max(e));
                    }
                    // A rest that is shorter than a period would count for less than it is worth.
                    if counted && 2 * period.len() > settings.period {
                        peaks.iter_mut().zip(highest).for_each(|(pool, h)| pool.push(h));
                    }
                }
            }
        }
        peaks
    }
}

/// Where so many of the peaks lie above, on average, `rate` a track and period.
///
/// Beyond the highest few the tail is that of a Pareto distribution with Hill's exponent: series differ, and a mixture
/// of exponential tails is heavier than one of them. What is `bounded` has an exponential one.
fn threshold(peaks: &mut [f64], rate: f64, tail: f64, bounded: bool) -> f64 {
    peaks.sort_unstable_by(|a, b| b.total_cmp(a));
    let target = rate * peaks.len() as f64;
    // As many as make the exponent sure to a fifth, but not so many that they are not a tail.
    let least = if bounded { 60 } else { 24 };
    let k = ((8.0 * target).ceil() as usize).max(least).min(peaks.len() / 5).max(2).min(peaks.len().saturating_sub(1));
    let Some(base) = peaks.get(k).copied().filter(|b| *b > 0.0) else { return 0.0 };
    let mean = |of: &dyn Fn(f64) -> f64| peaks.iter().take(k).map(|p| of(*p)).sum::<f64>() / k.max(1) as f64;
    let far = (k as f64 / target.max(1e-12)).ln().max(0.0);
    let found =
        if bounded { base + mean(&|p| p - base) * far } else { base * (mean(&|p| (p / base).ln()) * far).exp() };
    found.max(if k < 24 { base + tail * far } else { 0.0 })
}

fn thresholds(peaks: &mut [Vec<f64>; CHARTS], alarms: f64, tracks: usize, settings: &Settings) -> Thresholds {
    let mut found = [0.0; CHARTS];
    for (chart, ((h, pool), (aim, tail))) in found.iter_mut().zip(peaks).zip(AIMS.iter().zip(TAILS)).enumerate() {
        let rate = alarms * aim / tracks.max(1) as f64;
        let least = match chart {
            // Two steps at least.
            0 | 3 => 1.5 * MOST,
            1 => siegmund_threshold(0.5, settings.period as f64 / rate),
            4 => 3.0,
            _ => 2.0 * tail,
        };
        *h = threshold(pool, rate, tail, chart == 0).max(least);
    }
    found
}

/// Finds what is usual in a reference, step by step, and the thresholds.
pub fn calibrate(reference: &[Vec<Observation>], groupings: &[Grouping], settings: &Settings) -> Result<Calibration> {
    let n = reference.first().map_or(0, Vec::len);
    check(reference, groupings, settings, n)?;
    let mut room = Vec::new();
    let offsets: Vec<f64> = (0..n).map(|s| offset(reference.iter().filter_map(|step| step.get(s)))).collect();
    let mut steps: Vec<Vec<f64>> =
        reference.iter().map(|step| step.iter().zip(&offsets).map(|(o, offset)| error(o, *offset)).collect()).collect();
    let mut centres = Vec::with_capacity(n);
    for s in 0..n {
        let own: Vec<f64> = steps.iter().filter_map(|step| step.get(s).copied()).collect();
        let centre = Some(0.8 * median_of(&own, &mut room)).filter(|c| c.is_finite()).unwrap_or(0.0);
        steps.iter_mut().filter_map(|step| step.get_mut(s)).for_each(|e| *e -= centre);
        centres.push(centre);
    }
    let before = steps.clone();
    let movements: Vec<Vec<f64>> = steps.iter_mut().map(|step| take_movement(step, groupings, &mut room)).collect();

    let transposed = |rows: &[Vec<f64>], s: usize| rows.iter().filter_map(|r| r.get(s).copied()).collect::<Vec<f64>>();
    let inputs = (0..n).zip(&offsets).map(|(s, offset)| {
        let own = reference.iter().filter_map(|step| step.get(s));
        let errors = transposed(&before, s).into_iter().zip(transposed(&steps, s)).zip(own);
        let input = |((before, error), o): ((f64, f64), &Observation)| Input {
            error,
            inflation: 1.0,
            size: None,
            misses: missed(o, *offset, before - error),
        };
        errors.map(input).collect()
    });
    let mut single = Kind { inputs: inputs.collect(), own_misses: true, least_scale: 0.0 };
    let rough = single.baselines(None, &mut room);
    let sizes: Vec<Vec<f64>> = steps.iter().map(|step| relative(step, rough.iter().map(Option::as_ref))).collect();
    let usual = usual_sizes(&sizes, groupings, &mut room);
    let mut common_sizes = Vec::new();
    for (t, mut step) in sizes.into_iter().enumerate() {
        let (size, inflation) = take_size(&mut step, &usual, groupings, &mut room);
        for (track, v) in single.inputs.iter_mut().zip(inflation) {
            if let Some(input) = track.get_mut(t) {
                input.inflation = v;
            }
        }
        common_sizes.push(size);
    }
    let parts = reference.iter().zip(&movements);
    let misses: Vec<Vec<f64>> =
        parts.map(|(step, movement)| miss_shares(step, &offsets, movement, groupings)).collect();
    let inputs = (0..count(groupings)).map(|g| {
        let parts = transposed(&movements, g).into_iter().zip(transposed(&common_sizes, g)).zip(transposed(&misses, g));
        parts.map(|((error, size), misses)| Input { error, inflation: 1.0, size: Some(size), misses }).collect()
    });
    let above = Kind { inputs: inputs.collect(), own_misses: false, least_scale: LEAST_COMMON };

    let common: Vec<Option<Track>> = tracks(&above, &mut room);
    let series = tracks(&single, &mut room);
    let watched = series.iter().flatten().count();
    if watched == 0 {
        return Err(Error::data("no series has 13 errors in the reference; give a longer one"));
    }
    let groups = common.iter().skip(1).flatten().count();
    let portfolio_part = if common.first().is_some_and(Option::is_some) { PORTFOLIO } else { 0.0 };
    let group_part = if groups > 0 { GROUPS } else { 0.0 };
    let mut peaks = above.peaks(settings, &mut room);
    let all = settings.false_alarms;
    let portfolio = thresholds(&mut peaks, all * PORTFOLIO, 1, settings);
    let of_groups = thresholds(&mut peaks, all * GROUPS, groups, settings);
    let mut peaks = single.peaks(settings, &mut room);
    let single = thresholds(&mut peaks, all * (1.0 - portfolio_part - group_part), watched, settings);
    Ok(Calibration { offsets, centres, usual, common, series, portfolio, groups: of_groups, single })
}

fn check(reference: &[Vec<Observation>], groupings: &[Grouping], settings: &Settings, n: usize) -> Result<()> {
    if n == 0 || reference.len() < LEAST {
        return Err(Error::data(format!(
            "the reference has {} steps of {n} series; give at least {LEAST} steps",
            reference.len()
        )));
    }
    if let Some((t, step)) = reference.iter().enumerate().find(|(_, step)| step.len() != n) {
        return Err(Error::data(format!(
            "step {t} of the reference has {} series and the first {n}; give every series in every step, unknown \
             values as NaN",
            step.len()
        )));
    }
    if let Some(g) = groupings.iter().find(|g| g.members.iter().map(Vec::len).sum::<usize>() != n) {
        return Err(Error::data(format!("grouping `{}` does not have a group for each of the {n} series", g.name)));
    }
    let positive = |x: f64| x.is_finite() && x > 0.0;
    if !positive(settings.false_alarms) || !positive(settings.shift) || settings.period == 0 {
        return Err(Error::data("the rate of false alarms, its period and the shift must be above zero"));
    }
    Ok(())
}

fn tracks(kind: &Kind, room: &mut Vec<f64>) -> Vec<Option<Track>> {
    kind.baselines(None, room).into_iter().map(|b| b.map(Track::new)).collect()
}

/// A tenth of the mean size of a series.
fn offset<'a>(own: impl Iterator<Item = &'a Observation>) -> f64 {
    let (sum, n) = own
        .map(|o| o.actual.abs())
        .filter(|x| x.is_finite())
        .fold((0.0, 0.0), |(sum, n): (f64, f64), x| (sum + (x - sum) / (n + 1.0), n + 1.0));
    if n > 0.0 && sum > 0.0 { OFFSET * sum } else { 1.0 }
}

/// The size of the errors of a step in units of each series' scale.
pub fn relative<'a>(errors: &[f64], baselines: impl Iterator<Item = Option<&'a Baseline>>) -> Vec<f64> {
    let size = |(e, b): (&f64, Option<&Baseline>)| b.map_or(f64::NAN, |b| (e - b.centre).abs() / b.scale);
    errors.iter().zip(baselines).map(size).collect()
}

/// The median over the steps of the median sizes, level by level: each takes its predecessors' part off.
fn usual_sizes(sizes: &[Vec<f64>], groupings: &[Grouping], room: &mut Vec<f64>) -> Vec<f64> {
    let mut usual = vec![f64::NAN; count(groupings)];
    let mut done = 0;
    // One more level known in each round: the portfolio, then grouping after grouping.
    for width in std::iter::once(1).chain(groupings.iter().map(Grouping::groups)) {
        usual.iter_mut().skip(done).take(width).for_each(|u| *u = 1.0);
        let found: Vec<Vec<f64>> =
            sizes.iter().map(|step| take_size(&mut step.clone(), &usual, groupings, room).0).collect();
        for (g, usual) in usual.iter_mut().enumerate().skip(done).take(width) {
            let own: Vec<f64> = found.iter().filter_map(|size| size.get(g).copied()).collect();
            *usual = median_of(&own, room).exp();
        }
        done += width;
    }
    usual
}

/// The share of missed intervals of the portfolio, and of each group those that the portfolio's movement does not
/// explain; NaN where fewer than [`common::FEWEST`] have one.
pub fn miss_shares(step: &[Observation], offsets: &[f64], movement: &[f64], groupings: &[Grouping]) -> Vec<f64> {
    let explained = movement.first().copied().unwrap_or(f64::NAN);
    let own: Vec<f64> = step.iter().zip(offsets).map(|(o, offset)| missed(o, *offset, explained)).collect();
    let share = |values: &mut dyn Iterator<Item = f64>| {
        let (sum, n) = values.filter(|m| m.is_finite()).fold((0.0, 0_usize), |(sum, n), m| (sum + m, n + 1));
        if n < common::FEWEST { f64::NAN } else { sum / n as f64 }
    };
    let groups = groupings.iter().flat_map(|g| &g.members);
    let of = groups.map(|members| share(&mut members.iter().filter_map(|s| own.get(*s as usize).copied())));
    std::iter::once(share(&mut step.iter().map(|o| o.missed(o.actual)))).chain(of).collect()
}
