//! One pass over a series: the innovations state-space recursion, its likelihood, and how the errors change with the
//! parameters.
//!
//! With the forecast f = q (+ or ·) s, q = ℓ + φb or ℓ·b^φ, the raw error u = y − f, and d = u (or u/s for a
//! multiplicative season), additive and multiplicative errors share the recursion
//!
//! ℓ' = q + αd,  b' = φb + βd or b^φ + βd/ℓ,  s' = s + γu or s + γu/q
//!
//! (Hyndman, Koehler, Ord & Snyder 2008, *Forecasting with Exponential Smoothing*, table 2.2 and 2.3). Innovations are
//! u or u/f. A missing value has no error: the states run on without correction.
//!
//! The pass with derivatives carries those of every state by every parameter and initial state along (forward mode) and
//! sums up what the method of Gauss and Newton needs. Loops over parameters are contiguous, rows padded to [`LANES`].

use serde::{Deserialize, Serialize};

use super::form::{Form, Kind};

/// Rows of derivatives are multiples of this long.
const LANES: usize = 4;

/// Smoothing parameters; those that the form lacks are 0, or 1 for `phi`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Parameters {
    pub alpha: f64,
    pub beta: f64,
    pub gamma: f64,
    pub phi: f64,
}

/// What the series has come to at a moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct States {
    pub level: f64,
    /// Growth by step: a difference, or a ratio if the trend is multiplicative.
    pub growth: f64,
    /// The seasonal state of each place in the season, that of the first step of the series first.
    pub season: Vec<f64>,
    /// The place of the step to come.
    pub place: usize,
}

impl States {
    /// Takes the values of others without allocating anew.
    pub fn copy(&mut self, other: &Self) {
        (self.level, self.growth, self.place) = (other.level, other.growth, other.place);
        self.season.clone_from(&other.season);
    }
}

/// What the likelihood is made of.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sums {
    /// Squared innovations.
    pub squares: f64,
    /// Logarithms of the forecasts, for relative errors.
    pub logs: f64,
    /// Innovations.
    pub count: usize,
}

impl Sums {
    /// Minus twice the log-likelihood up to constants: n ln Σe² + 2 Σ ln f, as R counts it. A perfect fit counts as one
    /// with errors of 1e-13.
    pub fn deviance(self) -> f64 {
        let n = self.count as f64;
        n * self.squares.max(n * 1e-26).ln() + 2.0 * self.logs
    }
}

/// One step: the forecast, and the states once `correct` has said by how much the value missed it.
struct Step {
    /// Level and growth taken together.
    trend: f64,
    /// The growth carried over: φb or b^φ.
    carried: f64,
    season: f64,
    forecast: f64,
}

const NONE: u8 = 0;
const ADD: u8 = 1;
const MULTIPLY: u8 = 2;

#[inline(always)]
fn predict<const TREND: u8, const SEASON: u8>(phi: f64, level: f64, growth: f64, season: f64) -> Step {
    let (trend, carried) = match TREND {
        NONE => (level, 0.0),
        ADD => (level + phi * growth, phi * growth),
        _ => {
            let carried = if phi == 1.0 { growth } else { growth.powf(phi) };
            (level * carried, carried)
        }
    };
    let forecast = match SEASON {
        NONE => trend,
        ADD => trend + season,
        _ => trend * season,
    };
    Step { trend, carried, season, forecast }
}

/// Level, growth and season after an error `miss` of the forecast.
#[inline(always)]
fn correct<const TREND: u8, const SEASON: u8>(by: Parameters, step: &Step, level: f64, miss: f64) -> (f64, f64, f64) {
    let share = if SEASON == MULTIPLY { miss / step.season } else { miss };
    let next = step.trend + by.alpha * share;
    let growth = match TREND {
        NONE => 0.0,
        ADD => step.carried + by.beta * share,
        _ => step.carried + by.beta * share / level,
    };
    let season = match SEASON {
        NONE => 0.0,
        ADD => step.season + by.gamma * miss,
        _ => step.season + by.gamma * miss / step.trend,
    };
    (next, growth, season)
}

/// Can the model go on from here? Ratios of states that are not positive mean nothing.
#[inline(always)]
fn sound<const TREND: u8, const SEASON: u8, const RELATIVE: bool>(level: f64, growth: f64, step: &Step) -> bool {
    (TREND != MULTIPLY || (level > 0.0 && growth > 0.0))
        && (SEASON != MULTIPLY || (step.trend > 0.0 && step.season > 0.0))
        && (!RELATIVE || step.forecast > 0.0)
        && step.forecast.abs() < 1e100
}

/// Calls a function that is made for each form.
macro_rules! specialised {
    ($form:expr, $call:ident ( $($argument:expr),* )) => {{
        use Kind::{Additive, Multiplicative, None};
        match ($form.relative, $form.trend, $form.seasonal) {
            (false, None, None) => $call::<NONE, NONE, false>($($argument),*),
            (false, None, Additive) => $call::<NONE, ADD, false>($($argument),*),
            (false, None, Multiplicative) => $call::<NONE, MULTIPLY, false>($($argument),*),
            (false, Additive, None) => $call::<ADD, NONE, false>($($argument),*),
            (false, Additive, Additive) => $call::<ADD, ADD, false>($($argument),*),
            (false, Additive, Multiplicative) => $call::<ADD, MULTIPLY, false>($($argument),*),
            (false, Multiplicative, None) => $call::<MULTIPLY, NONE, false>($($argument),*),
            (false, Multiplicative, Additive) => $call::<MULTIPLY, ADD, false>($($argument),*),
            (false, Multiplicative, Multiplicative) => $call::<MULTIPLY, MULTIPLY, false>($($argument),*),
            (true, None, None) => $call::<NONE, NONE, true>($($argument),*),
            (true, None, Additive) => $call::<NONE, ADD, true>($($argument),*),
            (true, None, Multiplicative) => $call::<NONE, MULTIPLY, true>($($argument),*),
            (true, Additive, None) => $call::<ADD, NONE, true>($($argument),*),
            (true, Additive, Additive) => $call::<ADD, ADD, true>($($argument),*),
            (true, Additive, Multiplicative) => $call::<ADD, MULTIPLY, true>($($argument),*),
            (true, Multiplicative, None) => $call::<MULTIPLY, NONE, true>($($argument),*),
            (true, Multiplicative, Additive) => $call::<MULTIPLY, ADD, true>($($argument),*),
            (true, Multiplicative, Multiplicative) => $call::<MULTIPLY, MULTIPLY, true>($($argument),*),
        }
    }};
}

/// Runs the states over the series. None if they leave the range in which the form makes sense.
pub(super) fn run(form: Form, by: Parameters, states: &mut States, y: &[f64]) -> Option<Sums> {
    specialised!(form, pass(by, states, y, |_| ()))
}

/// The same, keeping the innovations.
pub(super) fn innovations(form: Form, by: Parameters, states: &mut States, y: &[f64]) -> Option<(Sums, Vec<f64>)> {
    let mut errors = Vec::with_capacity(y.len());
    let sums = specialised!(form, pass(by, states, y, |error| errors.push(error)))?;
    Some((sums, errors))
}

fn pass<const TREND: u8, const SEASON: u8, const RELATIVE: bool>(
    by: Parameters,
    states: &mut States,
    y: &[f64],
    mut keep: impl FnMut(f64),
) -> Option<Sums> {
    let (mut level, mut growth, mut place) = (states.level, states.growth, states.place);
    let mut sums = Sums::default();
    let mut product = 1.0;
    for &value in y {
        let season = if SEASON == NONE { 0.0 } else { states.season[place] };
        let step = predict::<TREND, SEASON>(by.phi, level, growth, season);
        if !sound::<TREND, SEASON, RELATIVE>(level, growth, &step) {
            return None;
        }
        let miss = value - step.forecast;
        let (by, miss) = if miss.is_nan() {
            keep(f64::NAN);
            (Parameters { alpha: 0.0, beta: 0.0, gamma: 0.0, ..by }, 0.0)
        } else {
            let error = if RELATIVE { miss / step.forecast } else { miss };
            keep(error);
            sums.squares += error * error;
            sums.count += 1;
            if RELATIVE {
                add_log(&mut sums.logs, &mut product, step.forecast);
            }
            (by, miss)
        };
        let (next_level, next_growth, next_season) = correct::<TREND, SEASON>(by, &step, level, miss);
        (level, growth) = (next_level, next_growth);
        if SEASON != NONE {
            states.season[place] = next_season;
            place = if place + 1 == states.season.len() { 0 } else { place + 1 };
        }
    }
    sums.logs += product.ln();
    (states.level, states.growth, states.place) = (level, growth, place);
    (sums.squares.is_finite() && sums.logs.is_finite()).then_some(sums)
}

/// Adds ln `factor` to `sum`, the logarithm being taken of products as long as they stay within the range of numbers.
#[inline(always)]
fn add_log(sum: &mut f64, product: &mut f64, factor: f64) {
    *product *= factor;
    if !(1e-100..1e100).contains(product) {
        *sum += product.ln();
        *product = 1.0;
    }
}

/// One step into the future: the forecast and, after an innovation, the states; they stay where they are if that would
/// take them where the form makes no sense.
pub(super) fn advance(form: Form, by: Parameters, states: &mut States, innovation: f64) -> f64 {
    specialised!(form, step(by, states, innovation))
}

fn step<const TREND: u8, const SEASON: u8, const RELATIVE: bool>(
    by: Parameters,
    states: &mut States,
    innovation: f64,
) -> f64 {
    let place = states.place;
    let season = if SEASON == NONE { 0.0 } else { states.season[place] };
    let now = predict::<TREND, SEASON>(by.phi, states.level, states.growth, season);
    let miss = if RELATIVE { now.forecast * innovation } else { innovation };
    let (level, growth, season) = correct::<TREND, SEASON>(by, &now, states.level, miss);
    let usable = level.is_finite()
        && growth.is_finite()
        && season.is_finite()
        && (TREND != MULTIPLY || (level > 0.0 && growth > 0.0))
        && (SEASON != MULTIPLY || (level > 0.0 && season > 0.0));
    if usable {
        (states.level, states.growth) = (level, growth);
    }
    if SEASON != NONE {
        if usable {
            states.season[place] = season;
        }
        states.place = if place + 1 == states.season.len() { 0 } else { place + 1 };
    }
    now.forecast + miss
}

/// Which coordinate is which: smoothing parameters, level, growth, then the seasonal states of the places from the
/// second on, since those of a whole season have a given sum.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub beta: Option<usize>,
    pub gamma: Option<usize>,
    pub phi: Option<usize>,
    pub level: usize,
    pub growth: Option<usize>,
    pub season: usize,
    pub size: usize,
}

impl Layout {
    pub fn new(form: Form, season: usize) -> Self {
        let mut size = 1;
        let mut next = |there: bool| {
            let at = there.then_some(size);
            size += usize::from(there);
            at
        };
        let (beta, gamma) = (next(form.has_trend()), next(form.is_seasonal()));
        let phi = next(form.damped);
        let level = next(true).unwrap_or(0);
        let growth = next(form.has_trend());
        let free = if form.is_seasonal() { season - 1 } else { 0 };
        Self { beta, gamma, phi, level, growth, season: size, size: size + free }
    }
}

/// The derivatives of states and errors, and the sums over them; everything that a pass needs is allocated once.
#[derive(Debug)]
pub(super) struct Tangents {
    width: usize,
    level: Vec<f64>,
    growth: Vec<f64>,
    /// A row for each place in the season.
    season: Vec<f64>,
    /// Derivatives of the last errors, not yet multiplied out.
    block: Vec<f64>,
    filled: usize,
    /// Σ e'eᵀ', upper triangle, rows of `width`.
    pub products: Vec<f64>,
    /// Σ e e'.
    pub moments: Vec<f64>,
    /// Σ (ln f)'.
    pub logs: Vec<f64>,
}

impl Tangents {
    pub fn new(layout: Layout, season: usize) -> Self {
        let width = layout.size.next_multiple_of(LANES);
        let row = vec![0.0; width];
        Self {
            width,
            level: row.clone(),
            growth: row.clone(),
            season: vec![0.0; width * season],
            block: vec![0.0; width * LANES],
            filled: 0,
            products: vec![0.0; width * layout.size],
            moments: row.clone(),
            logs: row,
        }
    }

    /// Length of a row of `products`.
    pub fn width(&self) -> usize {
        self.width
    }

    fn begin(&mut self, layout: Layout) {
        for sums in [&mut self.level, &mut self.growth, &mut self.season, &mut self.block] {
            sums.fill(0.0);
        }
        for sums in [&mut self.products, &mut self.moments, &mut self.logs] {
            sums.fill(0.0);
        }
        self.filled = 0;
        // States that the layout leaves out are held: nothing changes with them.
        if layout.level < layout.size {
            self.level[layout.level] = 1.0;
        }
        if let Some(growth) = layout.growth.filter(|at| *at < layout.size) {
            self.growth[growth] = 1.0;
        }
        for (place, at) in (layout.season..layout.size).enumerate() {
            self.season[at] = -1.0;
            self.season[(place + 1) * self.width + at] = 1.0;
        }
    }

    /// Adds the products of the rows that have come together.
    fn multiply(&mut self) {
        let width = self.width;
        let (first, rest) = self.block.split_at(width);
        let (second, rest) = rest.split_at(width);
        let (third, fourth) = rest.split_at(width);
        for (at, row) in self.products.chunks_exact_mut(width).enumerate() {
            let from = at / LANES * LANES;
            let (a, b, c, d) = (first[at], second[at], third[at], fourth[at]);
            let columns = first[from..].iter().zip(&second[from..]).zip(&third[from..]).zip(&fourth[from..]);
            for (cell, (((e, f), g), h)) in row[from..].iter_mut().zip(columns) {
                *cell += (a * e + b * f) + (c * g + d * h);
            }
        }
        self.filled = 0;
    }

    /// Runs over the series from `states` and sums up derivatives. None if the states leave their range.
    pub fn run(&mut self, form: Form, layout: Layout, by: Parameters, states: &mut States, y: &[f64]) -> Option<Sums> {
        self.begin(layout);
        let sums = specialised!(form, derive(self, layout, by, states, y));
        if self.filled > 0 {
            self.block[self.filled * self.width..].fill(0.0);
            self.multiply();
        }
        sums
    }
}

fn derive<const TREND: u8, const SEASON: u8, const RELATIVE: bool>(
    tangents: &mut Tangents,
    layout: Layout,
    by: Parameters,
    states: &mut States,
    y: &[f64],
) -> Option<Sums> {
    let width = tangents.width;
    let (mut level, mut growth, mut place) = (states.level, states.growth, states.place);
    let mut sums = Sums::default();
    let mut product = 1.0;
    for &value in y {
        let season = if SEASON == NONE { 0.0 } else { states.season[place] };
        let step = predict::<TREND, SEASON>(by.phi, level, growth, season);
        if !sound::<TREND, SEASON, RELATIVE>(level, growth, &step) {
            return None;
        }
        let missing = value.is_nan();
        let by = if missing { Parameters { alpha: 0.0, beta: 0.0, gamma: 0.0, ..by } } else { by };
        let miss = if missing { 0.0 } else { value - step.forecast };
        // How an error changes with the forecast, and what its logarithm does.
        let (error, slope, log_slope) = match RELATIVE {
            _ if missing => (0.0, 0.0, 0.0),
            false => (miss, -1.0, 0.0),
            true => (miss / step.forecast, -value / step.forecast.powi(2), 1.0 / step.forecast),
        };
        if !missing {
            sums.squares += error * error;
            sums.count += 1;
            if RELATIVE {
                add_log(&mut sums.logs, &mut product, step.forecast);
            }
        }
        let share = if SEASON == MULTIPLY { miss / step.season } else { miss };
        let (next_level, next_growth, next_season) = correct::<TREND, SEASON>(by, &step, level, miss);

        // (φb)' = φ(b' + b/φ φ') and (b^φ)' = φ b^(φ−1) (b' + b ln b/φ φ').
        let carry = if TREND == MULTIPLY { by.phi * step.carried / growth } else { by.phi };
        if let Some(phi) = layout.phi {
            tangents.growth[phi] += if TREND == MULTIPLY { growth * growth.ln() } else { growth } / by.phi;
        }
        let inverse = if SEASON == MULTIPLY { 1.0 / step.season } else { 1.0 };
        let per_level = if TREND == MULTIPLY { 1.0 / level } else { 1.0 };
        let per_trend = if SEASON == MULTIPLY { 1.0 / step.trend } else { 1.0 };
        let rows = place * width..(place + 1) * width;
        let season_row: &mut [f64] = if SEASON == NONE { &mut [] } else { &mut tangents.season[rows] };
        let filled = tangents.filled * width..(tangents.filled + 1) * width;
        let error_row = &mut tangents.block[filled][..width];
        let (level_row, growth_row) = (&mut tangents.level[..width], &mut tangents.growth[..width]);
        let (moments, logs) = (&mut tangents.moments[..width], &mut tangents.logs[..width]);
        let weight = error * slope;
        for at in 0..width {
            let (d_level, d_season) = (level_row[at], if SEASON == NONE { 0.0 } else { season_row[at] });
            let d_carried = if TREND == NONE { 0.0 } else { carry * growth_row[at] };
            let d_trend = match TREND {
                NONE => d_level,
                ADD => d_level + d_carried,
                _ => step.carried * d_level + level * d_carried,
            };
            let d_forecast = match SEASON {
                NONE => d_trend,
                ADD => d_trend + d_season,
                _ => step.season * d_trend + step.trend * d_season,
            };
            let d_share = if SEASON == MULTIPLY { -(d_forecast + share * d_season) * inverse } else { -d_forecast };
            level_row[at] = d_trend + by.alpha * d_share;
            match TREND {
                NONE => (),
                ADD => growth_row[at] = d_carried + by.beta * d_share,
                _ => growth_row[at] = d_carried + by.beta * per_level * (d_share - share * per_level * d_level),
            }
            match SEASON {
                NONE => (),
                ADD => season_row[at] = d_season - by.gamma * d_forecast,
                _ => season_row[at] = d_season - by.gamma * per_trend * (d_forecast + miss * per_trend * d_trend),
            }
            error_row[at] = slope * d_forecast;
            moments[at] += weight * d_forecast;
            if RELATIVE {
                logs[at] += log_slope * d_forecast;
            }
        }
        if !missing {
            level_row[0] += share;
            if let (true, Some(beta)) = (TREND != NONE, layout.beta) {
                growth_row[beta] += share * per_level;
            }
            if let (true, Some(gamma)) = (SEASON != NONE, layout.gamma) {
                season_row[gamma] += miss * per_trend;
            }
            tangents.filled += 1;
            if tangents.filled == LANES {
                tangents.multiply();
            }
        }
        (level, growth) = (next_level, next_growth);
        if SEASON != NONE {
            states.season[place] = next_season;
            place = if place + 1 == states.season.len() { 0 } else { place + 1 };
        }
    }
    sums.logs += product.ln();
    (states.level, states.growth, states.place) = (level, growth, place);
    (sums.squares.is_finite() && sums.logs.is_finite()).then_some(sums)
}
