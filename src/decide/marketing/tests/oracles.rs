//! Against scipy: tests/oracles/marketing.py wrote the values, its header names the versions and the tolerances.

use crate::decide::marketing::*;

const ORACLES: &str = include_str!("../../../../tests/oracles/marketing.csv");
const MARKET: &str = include_str!("../../../../tests/oracles/marketing_market.csv");

struct Case<'a> {
    inputs: &'a str,
    outputs: &'a str,
}

fn field<'a>(fields: &'a str, name: &str) -> &'a str {
    let found = fields.split(';').find_map(|field| field.strip_prefix(name)?.strip_prefix('='));
    found.unwrap_or_else(|| panic!("no {name} in {fields}"))
}

fn numbers(text: &str) -> Vec<f64> {
    text.split_whitespace().map(|x| x.parse().unwrap()).collect()
}

impl Case<'_> {
    fn text(&self, name: &str) -> &str {
        field(self.inputs, name)
    }

    fn get(&self, name: &str) -> f64 {
        self.list(name)[0]
    }

    fn list(&self, name: &str) -> Vec<f64> {
        numbers(self.text(name))
    }

    fn expected(&self, name: &str) -> Vec<f64> {
        numbers(field(self.outputs, name))
    }

    #[track_caller]
    fn holds(&self, name: &str, values: &[f64], tolerance: f64) {
        let expected = self.expected(name);
        assert_eq!(values.len(), expected.len());
        for (value, expected) in values.iter().zip(&expected) {
            let near = (value - expected).abs() <= tolerance * (1.0 + expected.abs());
            assert!(near, "{name} {values:?} {} of {}", self.outputs, self.inputs);
        }
    }
}

fn cases(kind: &str) -> Vec<Case<'static>> {
    let rows = ORACLES.lines().filter_map(|line| line.strip_prefix(kind)?.strip_prefix(',')?.split_once(','));
    rows.map(|(inputs, outputs)| Case { inputs, outputs }).collect()
}

#[test]
fn adstock_is_that_of_a_convolution() {
    let cases = cases("adstock");
    assert_eq!(cases.len(), 36);
    for case in &cases {
        let (a, b) = (case.get("a"), case.get("b"));
        let memory = match case.text("memory") {
            "geometric" => Memory::Geometric { retention: a, window: (b > 0.0).then_some(b as usize) },
            _ => Memory::Weibull { shape: a, scale: b },
        };
        let norm = if case.text("norm") == "sum" { Normalisation::Sum } else { Normalisation::Peak };
        let adstock = memory.adstock(&case.list("spend"), case.get("before"), norm);
        case.holds("adstock", &adstock, 1e-9);
    }
}

#[test]
fn saturation_is_that_of_the_formulas() {
    let cases = cases("saturation");
    assert_eq!(cases.len(), 5);
    for case in &cases {
        let curve = match case.text("kind") {
            "hill" => Saturation::Hill { exponent: case.get("exponent") },
            "exponential" => Saturation::Exponential,
            _ => Saturation::Logistic,
        };
        let (at, half) = (case.list("at"), case.get("half"));
        case.holds("share", &at.iter().map(|at| curve.share(*at, half)).collect::<Vec<_>>(), 1e-9);
        // The slopes of the oracle are difference quotients.
        case.holds("slope", &at.iter().map(|at| curve.slope(*at, half)).collect::<Vec<_>>(), 3e-5);
    }
}

#[test]
fn the_penalised_fit_is_that_of_scipy() {
    let cases = cases("fit");
    assert_eq!(cases.len(), 4);
    let mut columns: Vec<Vec<f64>> = vec![vec![]; 5];
    for line in MARKET.lines().skip(1) {
        for (column, value) in columns.iter_mut().zip(line.split(',')) {
            column.push(value.parse().unwrap_or(f64::NAN));
        }
    }
    let channel = |name: &str, spend: &[f64]| Channel { name: name.into(), spend: spend.to_vec() };
    let market = Market {
        sales: columns[1].clone(),
        channels: vec![channel("tv", &columns[2]), channel("search", &columns[3])],
        controls: vec![("price".into(), columns[4].clone())],
        seasons: vec![(52.0, 2)],
        tests: vec![],
    };
    for case in &cases {
        let geometric = case.text("kind") == "geometric";
        let memory = match geometric {
            true => Kind::Geometric { window: None },
            false => Kind::Weibull { shape: case.get("shape") },
        };
        let form = Form { memory, saturation: Saturation::Hill { exponent: case.get("exponent") }, ..Form::default() };
        let tests = case.list("tests");
        let tests = tests.chunks(4).map(|test| LiftTest {
            channel: test[0] as usize,
            spend: test[1],
            sales: test[2],
            error: test[3],
            periods: None,
            base: 0.0,
        });
        let market = Market { tests: tests.collect(), ..market.clone() };
        let fit = fit(&market, &form, Resampling { draws: 1, seed: 1 }).unwrap();
        let of = |f: fn(&Effect) -> f64| fit.channels.iter().map(f).collect::<Vec<f64>>();
        let place = |effect: &Effect| match effect.memory {
            Memory::Geometric { retention, .. } => (retention / (1.0 - retention)).ln(),
            Memory::Weibull { scale, .. } => scale.ln(),
        };
        case.holds("rho", &[fit.autocorrelation], 1e-4);
        case.holds("sigma", &[fit.sigma], 1e-4);
        case.holds("contribution", &of(|effect| effect.contribution), 1e-4);
        case.holds("average", &of(|effect| effect.average), 1e-4);
        case.holds("marginal", &of(|effect| effect.marginal), 1e-3);
        case.holds("place", &of(place), 3e-3);
        case.holds("half", &of(|effect| effect.response.half), 3e-3);
    }
}

#[test]
fn splits_are_those_of_slsqp() {
    let cases = cases("split");
    assert_eq!(cases.len(), 6);
    for case in &cases {
        let (low, high, draws) = (case.list("low"), case.list("high"), case.get("draws") as usize);
        let (effect, half) = (case.list("effect"), case.list("half"));
        let saturation = Saturation::Hill { exponent: 1.0 };
        let candidates: Vec<Candidate> = (0..low.len())
            .map(|c| {
                let of = |i: usize| Response { effect: effect[i], half: half[i], gain: 1.0, saturation };
                let responses = (c * draws..(c + 1) * draws).map(of).collect();
                Candidate { name: "channel", responses, low: low[c], high: high[c] }
            })
            .collect();
        let split = allocate(&candidates, case.get("budget")).unwrap();
        assert!(split.violation < 1e-6 && split.gap == 0.0, "{split:?}");
        case.holds("spend", &split.spend, 1e-4);
        case.holds("value", &[split.value], 1e-8);
        assert!(split.value >= case.expected("value")[0] * (1.0 - 1e-9));
    }
}
