//! How is a budget best split over channels?
//!
//! Maximise Σ F_c(x_c) with Σ x_c = B and low_c ≤ x_c ≤ high_c, where F_c(x) is what channel c brings per period at a
//! spend of x that is kept up, averaged over the resamples of the fit: a decision under uncertainty maximises the
//! expected value, not the value at the estimate.
//!
//! The problem is separable and concave, so that its optimality conditions (Karush 1939; Kuhn & Tucker 1951) are
//! sufficient: with a shadow price θ, F_c′(x_c) = θ inside the bounds, ≤ θ at the lower and ≥ θ at the upper one. Each
//! x_c(θ) falls as θ rises, and θ is found by bisection; the conditions are checked afterwards and their greatest
//! violation is in the result.
//!
//! **S-shaped curves** (Hill with an exponent above 1) are not concave. Each is replaced by its concave envelope
//! between its bounds: a straight line up to the point where the line touches the curve, the curve from there on. Where
//! the solution lies on such a line, it is compared with the ends of the line, and the result says by how much at most
//! it is below the best.
//!
//! **Fails** where channels help or replace each other (search after television): the model has no interactions.

use super::saturation::Response;
use crate::error::{Error, Result};
use crate::show::number;

/// A channel that takes part in the budget.
#[derive(Clone, Debug)]
pub struct Candidate<'a> {
    /// Its name, for messages.
    pub name: &'a str,
    /// Its response in each resample.
    pub responses: Vec<Response>,
    /// The least spend per period.
    pub low: f64,
    /// The greatest spend per period.
    pub high: f64,
}

/// A split of the budget.
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    /// Spend per period of each channel.
    pub spend: Vec<f64>,
    /// Expected sales per period that come from it.
    pub value: f64,
    /// Expected sales per period that one more unit of budget would bring; zero where no channel may take more.
    pub shadow_price: f64,
    /// The greatest violation of the optimality conditions, relative to the shadow price, and of the budget, relative
    /// to it.
    pub violation: f64,
    /// By how much the value can be below the best, because a curve is S-shaped: zero if all are concave.
    pub gap: f64,
}

impl Candidate<'_> {
    /// Expected sales per period.
    pub fn value(&self, spend: f64) -> f64 {
        self.responses.iter().map(|response| response.value(spend)).sum::<f64>() / self.responses.len() as f64
    }

    /// Expected sales per period of one more unit of spend per period.
    pub fn slope(&self, spend: f64) -> f64 {
        self.responses.iter().map(|response| response.slope(spend)).sum::<f64>() / self.responses.len() as f64
    }
}

/// The best split of a budget per period.
///
/// ```
/// use tradewind::decide::marketing::{Candidate, Response, Saturation, allocate};
/// let saturation = Saturation::Hill { exponent: 1.0 };
/// let curve = |effect, half| vec![Response { effect, half, gain: 1.0, saturation }];
/// let candidates = [
///     Candidate { name: "tv", responses: curve(400.0, 100.0), low: 0.0, high: 500.0 },
///     Candidate { name: "search", responses: curve(100.0, 100.0), low: 0.0, high: 500.0 },
/// ];
/// // 400 · 100 / (100 + x)² = 100 · 100 / (100 + y)² where 100 + x = 2 · (100 + y).
/// let split = allocate(&candidates, 250.0)?;
/// assert!((split.spend[0] - 200.0).abs() < 1e-6 && (split.spend[1] - 50.0).abs() < 1e-6);
/// assert!(split.violation < 1e-6);
/// # Ok::<(), tradewind::prelude::Error>(())
/// ```
///
/// # Errors
/// When the budget is not positive, a bound cannot be, or no split satisfies all bounds, naming those in conflict.
pub fn allocate(candidates: &[Candidate], budget: f64) -> Result<Split> {
    check(candidates, budget)?;
    let envelopes: Vec<Curve> = candidates.iter().map(Curve::new).collect();
    let (mut best, mut theta) = solve(&envelopes, budget);
    let mut curves = envelopes.clone();
    let bound: f64 = envelopes.iter().zip(&best).map(|(curve, x)| curve.value(*x)).sum();
    // Where the solution lies on a straight part of an envelope, the curve is below it: try both ends, the rest divided
    // anew.
    for (c, curve) in envelopes.iter().enumerate() {
        let Some((from, to)) = curve.line.filter(|(from, to)| best[c] > *from && best[c] < *to) else { continue };
        for end in [from, to] {
            let mut fixed = curves.clone();
            fixed[c] = Curve { low: end, high: end, line: None, ..curve.clone() };
            let (low, high) = total(&fixed);
            if low <= budget && budget <= high {
                let (other, price) = solve(&fixed, budget);
                if worth(candidates, &other) > worth(candidates, &best) {
                    (best, theta, curves) = (other, price, fixed);
                }
            }
        }
    }
    let value = worth(candidates, &best);
    let violation = violation(&curves, &best, theta, budget);
    let room = candidates.iter().zip(&best).any(|(one, x)| *x < one.high);
    let gap = if envelopes.iter().any(|curve| curve.line.is_some()) { (bound - value).max(0.0) } else { 0.0 };
    Ok(Split { spend: best, value, shadow_price: if room { theta.max(0.0) } else { 0.0 }, violation, gap })
}

fn check(candidates: &[Candidate], budget: f64) -> Result<()> {
    if !(budget > 0.0 && budget.is_finite()) {
        return Err(Error::usage(format!("a budget is a positive amount of money per period, not {budget}")));
    }
    if candidates.is_empty() {
        return Err(Error::usage("a budget needs at least one channel to go to"));
    }
    for Candidate { name, responses, low, high } in candidates {
        if responses.is_empty() {
            return Err(Error::model(format!("nothing is known of the response of `{name}`")));
        }
        if !(*low >= 0.0 && low.is_finite() && high.is_finite()) {
            return Err(Error::usage(format!(
                "the bounds of `{name}` are amounts of at least 0, not {low} and {high}"
            )));
        }
        if low > high {
            return Err(Error::usage(format!(
                "the bounds of `{name}` conflict: at least {} and at most {}",
                number(*low),
                number(*high)
            )));
        }
    }
    let (low, high) = candidates.iter().fold((0.0, 0.0), |(low, high), one| (low + one.low, high + one.high));
    let named = |of: fn(&Candidate) -> f64| {
        let parts: Vec<String> = candidates
            .iter()
            .filter(|one| of(one) > 0.0)
            .map(|one| format!("`{}` {}", one.name, number(of(one))))
            .collect();
        parts.join(", ")
    };
    if low > budget * (1.0 + 1e-12) {
        return Err(Error::usage(format!(
            "the least spends take {} per period, more than the budget of {}: {}; raise the budget or lower them",
            number(low),
            number(budget),
            named(|one| one.low)
        )));
    }
    if high < budget * (1.0 - 1e-12) {
        return Err(Error::usage(format!(
            "the channels may take {} per period at most, less than the budget of {}: {}; lower the budget or raise the bounds",
            number(high),
            number(budget),
            named(|one| one.high)
        )));
    }
    Ok(())
}

/// A candidate with the concave envelope of its response.
#[derive(Clone)]
struct Curve<'a> {
    candidate: &'a Candidate<'a>,
    low: f64,
    high: f64,
    /// Where the envelope is a straight line instead of the curve, if anywhere: from the lower bound on.
    line: Option<(f64, f64)>,
}

/// Points at which an envelope is looked for before it is refined.
const GRID: usize = 400;

impl<'a> Curve<'a> {
    fn new(candidate: &'a Candidate<'a>) -> Self {
        let (low, high) = (candidate.low, candidate.high);
        let mut curve = Self { candidate, low, high, line: None };
        let concave = candidate.responses.iter().all(|response| response.saturation.is_concave());
        if concave || low >= high {
            return curve;
        }
        // The line from the lower bound that is steepest touches the curve, or ends at the upper bound.
        let start = candidate.value(low);
        let steepness = |x: f64| (candidate.value(x) - start) / (x - low);
        let at = |i: usize| (low + (high - low) * i as f64 / GRID as f64).min(high);
        let best = (1..=GRID).max_by(|a, b| steepness(at(*a)).total_cmp(&steepness(at(*b)))).unwrap_or(GRID);
        let excess = |x: f64| candidate.slope(x) - steepness(x);
        let (mut from, mut to) = (at(best.saturating_sub(1)).max(low + 1e-9 * (high - low)), at((best + 1).min(GRID)));
        let touches = if excess(to) > 0.0 {
            to
        } else if excess(from) < 0.0 {
            from
        } else {
            for _ in 0..100 {
                let middle = f64::midpoint(from, to);
                if excess(middle) > 0.0 { from = middle } else { to = middle }
            }
            to
        };
        if touches - low > 1e-6 * (high - low) {
            curve.line = Some((low, touches));
        }
        curve
    }

    fn chord(&self) -> Option<(f64, f64, f64)> {
        self.line.map(|(from, to)| {
            let (start, end) = (self.candidate.value(from), self.candidate.value(to));
            (to, start, (end - start) / (to - from))
        })
    }

    /// The value of the envelope.
    fn value(&self, x: f64) -> f64 {
        match self.chord() {
            Some((to, start, slope)) if x < to => start + slope * (x - self.low),
            _ => self.candidate.value(x),
        }
    }

    /// The slope of the envelope.
    fn slope(&self, x: f64) -> f64 {
        match self.chord() {
            Some((to, _, slope)) if x < to => slope,
            _ => self.candidate.slope(x),
        }
    }

    /// The best spends at a shadow price, the least and the greatest of them.
    fn spend(&self, theta: f64) -> (f64, f64) {
        let mut start = self.low;
        if let Some((to, _, slope)) = self.chord() {
            if theta > slope {
                return (self.low, self.low);
            }
            if theta == slope {
                return (self.low, to);
            }
            start = to;
        }
        if self.candidate.slope(start) <= theta {
            return (start, start);
        }
        if self.candidate.slope(self.high) >= theta {
            return (self.high, self.high);
        }
        let (mut from, mut to) = (start, self.high);
        for _ in 0..200 {
            let middle = f64::midpoint(from, to);
            if middle <= from || middle >= to {
                break;
            }
            if self.candidate.slope(middle) > theta { from = middle } else { to = middle }
        }
        (from, from)
    }
}

fn total(curves: &[Curve]) -> (f64, f64) {
    curves.iter().fold((0.0, 0.0), |(low, high), curve| (low + curve.low, high + curve.high))
}

fn worth(candidates: &[Candidate], spend: &[f64]) -> f64 {
    candidates.iter().zip(spend).map(|(one, x)| one.value(*x)).sum()
}

/// The spends that use up the budget, and the shadow price.
fn solve(curves: &[Curve], budget: f64) -> (Vec<f64>, f64) {
    let steepest = curves.iter().map(|curve| curve.slope(curve.low)).fold(0.0, f64::max);
    let (mut low, mut high) = (0.0, steepest * (1.0 + 1e-9) + f64::MIN_POSITIVE);
    let at = |theta: f64| -> Vec<f64> { curves.iter().map(|curve| curve.spend(theta).0).collect() };
    for _ in 0..200 {
        let theta = f64::midpoint(low, high);
        if theta <= low || theta >= high {
            break;
        }
        if at(theta).iter().sum::<f64>() > budget { low = theta } else { high = theta }
    }
    // Within a last bit of the shadow price, spends between the two ends are equally good.
    let (least, most) = (at(high), at(low));
    let (below, above) = (least.iter().sum::<f64>(), most.iter().sum::<f64>());
    let part = if above > below { ((budget - below) / (above - below)).clamp(0.0, 1.0) } else { 0.0 };
    let between =
        |((least, most), curve): ((&f64, &f64), &Curve)| (least + part * (most - least)).clamp(curve.low, curve.high);
    let mut spend: Vec<f64> = least.iter().zip(&most).zip(curves).map(between).collect();
    // Budget that no channel gains from is spent all the same, where there is room.
    let mut left = budget - spend.iter().sum::<f64>();
    for (x, curve) in spend.iter_mut().zip(curves) {
        let more = left.clamp(0.0, curve.high - *x);
        *x = (*x + more).min(curve.high);
        left -= more;
    }
    (spend, high)
}

/// The greatest violation of the optimality conditions.
fn violation(curves: &[Curve], spend: &[f64], theta: f64, budget: f64) -> f64 {
    let scale = theta.abs().max(f64::MIN_POSITIVE);
    let of = |(curve, x): (&Curve, &f64)| {
        let excess = (curve.slope(*x) - theta) / scale;
        let room = 1e-9 * (curve.high - curve.low);
        match (*x <= curve.low + room, *x >= curve.high - room) {
            (true, true) => 0.0,
            (true, false) => excess.max(0.0),
            (false, true) => (-excess).max(0.0),
            (false, false) => excess.abs(),
        }
    };
    let budget = (spend.iter().sum::<f64>() - budget).abs() / budget;
    curves.iter().zip(spend).map(of).fold(budget, f64::max)
}
