//! Checks of what the public surface does not show.

use std::collections::BTreeMap;

use super::filter::{Layout, Sums, Tangents, run};
use super::*;

/// The rows of an oracle file after its header comment.
fn rows(file: &str) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(format!("{}/tests/oracles/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#')).skip(1);
    lines.map(|line| line.split(',').map(String::from).collect()).collect()
}

fn number(text: &str) -> f64 {
    text.parse().unwrap()
}

fn numbers(text: &str) -> Vec<f64> {
    text.split(';').map(number).collect()
}

/// The model that R has fitted: its parameters and states.
fn of_r(row: &[String]) -> FittedEts {
    let form = Pattern::parse(&row[1]).unwrap().fixed().unwrap();
    let value = |text: &str, other: f64| if text == "NA" { other } else { number(text) };
    let states = |text: &str| {
        let all = numbers(text);
        let trend = 1 + usize::from(form.has_trend());
        let growth = if form.has_trend() { all[1] } else { 0.0 };
        States { level: all[0], growth, season: all[trend..].iter().rev().copied().collect(), place: 0 }
    };
    FittedEts {
        form,
        parameters: Parameters {
            alpha: value(&row[8], 0.0),
            beta: value(&row[9], 0.0),
            gamma: value(&row[10], 0.0),
            phi: value(&row[11], 1.0),
        },
        first: states(&row[12]),
        last: states(&row[13]),
        start: 0,
        scale: 1.0,
        variance: number(&row[7]),
        likelihood: Likelihood { log: 0.0, parameters: 1, observations: 1 },
        residuals: Vec::new(),
    }
}

fn series() -> BTreeMap<String, Vec<f64>> {
    let mut series: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for row in rows("series.csv") {
        series.entry(row[0].clone()).or_default().push(number(&row[3]));
    }
    series
}

/// With R's parameters and states the likelihood, the last states and the forecasts are R's.
#[test]
fn likelihood_states_and_forecasts_of_r_are_met() {
    let series = series();
    let steps = rows("ets_forecasts.csv");
    let (mut fits, mut compared) = (0, 0);
    for row in rows("ets_fixed.csv") {
        let mut fitted = of_r(&row);
        let y = &series[&row[0]];
        let mut states = fitted.first.clone();
        // R goes on where forecasts turn negative.
        let Some(sums) = run(fitted.form, fitted.parameters, &mut states, y) else { continue };
        fits += 1;
        let log = -0.5 * sums.deviance();
        assert!((log - number(&row[3])).abs() < 1e-5 * log.abs(), "{} {}: {log} is not {}", row[0], row[1], row[3]);
        let level = fitted.last.level;
        assert!((states.level - level).abs() < 1e-6 * level.abs().max(1.0), "{} {}: {states:?}", row[0], row[1]);
        if row[1] == "MAdM" {
            // R's class3 forecasts ℓ + b where the model says ℓ + φb: its numbers are those of b/φ and β/φ.
            fitted.last.growth /= fitted.parameters.phi;
            fitted.parameters.beta /= fitted.parameters.phi;
        }
        let ahead = Ahead { lead: 0, horizon: 18, covariates: Vec::new() };
        let later = Ahead { lead: 5, horizon: 13, covariates: Vec::new() };
        let (mean, sd) = (fitted.mean(&ahead).unwrap(), fitted.std_dev(&ahead));
        assert_eq!(mean[5..], fitted.mean(&later).unwrap()[..], "{} {}", row[0], row[1]);
        for r in steps.iter().filter(|step| step[0] == row[0] && step[1] == row[1]) {
            let h: usize = r[2].parse().unwrap();
            assert_eq!(sd[5..], fitted.std_dev(&later)[..]);
            let (theirs, theirs_sd) = (number(&r[3]), (number(&r[7]) - number(&r[3])) / 1.959_963_984_540_054);
            let near = 1e-7;
            assert!(
                (mean[h - 1] - theirs).abs() < near * theirs.abs(),
                "{} {} {h}: {} {theirs}",
                row[0],
                row[1],
                mean[h - 1]
            );
            // R's class1 and class2 put γ into the wrong row of a model without a trend, one season step early.
            if row[1] == "ANA" || row[1] == "MNA" {
                continue;
            }
            assert!(
                (sd[h - 1] - theirs_sd).abs() < 5.0 * near * theirs_sd,
                "{} {} {h}: sd {} {theirs_sd}",
                row[0],
                row[1],
                sd[h - 1]
            );
            compared += 1;
        }
    }
    println!("{fits} fits, {compared} steps");
    assert!(fits > 120 && compared > 600, "{fits} fits, {compared} steps");
}

/// Derivatives carried along are those of differences, with values missing.
#[test]
fn derivatives_are_those_of_differences() {
    let mut y: Vec<f64> =
        (0..40).map(|t| 1.0 + 0.01 * f64::from(t) + 0.2 * f64::from(t % 4) + 0.1 * f64::from(t * 7 % 5)).collect();
    (y[6], y[17], y[18]) = (f64::NAN, f64::NAN, f64::NAN);
    for relative in [false, true] {
        for trend in [Kind::None, Kind::Additive, Kind::Multiplicative] {
            for seasonal in [Kind::None, Kind::Additive, Kind::Multiplicative] {
                for damped in [false, true] {
                    let form = Form { relative, trend, damped: damped && trend != Kind::None, seasonal };
                    check_derivatives(form, &y);
                }
            }
        }
    }
}

fn check_derivatives(form: Form, y: &[f64]) {
    let season = if form.is_seasonal() { 4 } else { 0 };
    let layout = Layout::new(form, season);
    let neutral = f64::from(form.seasonal == Kind::Multiplicative);
    let growth = if form.trend == Kind::Multiplicative { 1.02 } else { 0.02 };
    let mut point = vec![0.3];
    let mut push = |there: bool, value: f64| {
        if there {
            point.push(value);
        }
    };
    push(form.has_trend(), 0.1);
    push(form.is_seasonal(), 0.2);
    push(form.damped, 0.9);
    push(true, 1.1);
    push(form.has_trend(), growth);
    (0..season.max(1) - 1).for_each(|s| push(season > 0, neutral + 0.05 * s as f64));
    assert_eq!(point.len(), layout.size);
    let set = |x: &[f64]| {
        let value = |at: Option<usize>, other: f64| at.map_or(other, |at| x[at]);
        let by = Parameters {
            alpha: x[0],
            beta: value(layout.beta, 0.0),
            gamma: value(layout.gamma, 0.0),
            phi: value(layout.phi, 1.0),
        };
        let free = &x[layout.season..];
        let first = season as f64 * neutral - free.iter().sum::<f64>();
        let season = if season > 0 { [&[first], free].concat() } else { Vec::new() };
        (by, States { level: x[layout.level], growth: value(layout.growth, 0.0), season, place: 0 })
    };
    let sums = |x: &[f64]| -> Sums {
        let (by, mut states) = set(x);
        run(form, by, &mut states, y).unwrap()
    };
    let (by, mut states) = set(&point);
    let mut tangents = Tangents::new(layout, season);
    tangents.run(form, layout, by, &mut states, y).unwrap();
    for at in 0..layout.size {
        let moved = |by: f64| {
            let mut x = point.clone();
            x[at] += by;
            sums(&x)
        };
        let (up, down) = (moved(1e-6), moved(-1e-6));
        let squares = (up.squares - down.squares) / 4e-6;
        let logs = (up.logs - down.logs) / 2e-6;
        let name = form.name();
        assert!(
            (tangents.moments[at] - squares).abs() < 1e-6 * squares.abs().max(1.0),
            "{name} {at}: {} {squares}",
            tangents.moments[at]
        );
        if form.relative {
            assert!(
                (tangents.logs[at] - logs).abs() < 1e-6 * logs.abs().max(1.0),
                "{name} {at}: {} {logs}",
                tangents.logs[at]
            );
        }
    }
}
