//! ARIMA against R: likelihoods, forecasts, choices; and series that would break it.

use proptest::prelude::*;
use tradewind::models::{
    Ahead, Arima, Covariate, Description, FittedArima, FittedHarmonic, FittedSeries, Harmonic, Method, Search, Series,
    SeriesModel,
};
use tradewind::panel::Role;

use crate::oracles::known_series;

fn series(name: &str) -> (Vec<f64>, usize) {
    let (season, values) = crate::oracles::series().remove(name).unwrap();
    (values, season)
}

fn numbers(text: &str) -> Vec<f64> {
    text.split(' ').filter(|t| !t.is_empty()).map(|t| t.parse().unwrap()).collect()
}

fn of(values: &[f64], season: usize) -> Series<'_> {
    Series::of(values, 0, season)
}

fn mean(fit: &dyn FittedSeries, horizon: usize) -> Vec<f64> {
    fit.mean(&Ahead { lead: 0, horizon, covariates: Vec::new() }).unwrap()
}

fn apart(a: &[f64], b: &[f64]) -> f64 {
    let size = b.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
    a.iter().zip(b).map(|(a, b)| (a - b).abs() / size).fold(0.0, f64::max)
}

/// The fit and forecast of one line of the oracle.
fn against(cells: &[&str]) -> (Description, Vec<f64>, Vec<f64>) {
    let (mut y, season) = series(cells[1]);
    let three = |text: &str| -> [usize; 3] {
        numbers(text).iter().map(|v| *v as usize).collect::<Vec<_>>().try_into().unwrap()
    };
    let transform = cells[6];
    let n = y.len();
    match transform {
        "log" => y.iter_mut().for_each(|v| *v = v.ln()),
        "gaps" => [29, 30, 46, n - 5].iter().for_each(|t| y[*t] = f64::NAN),
        _ => {}
    }
    let column = |f: fn(f64) -> f64| -> Vec<f64> { (1..=n + 12).map(|t| f(t as f64)).collect() };
    let regressors = match transform {
        "regressor" => vec![column(|t| (7.0 * t) % 5.0), column(|t| (t * t).sin())],
        _ => Vec::new(),
    };
    let covariates =
        regressors.iter().map(|x| Covariate { name: "x", role: Role::Known, values: x[..n].into() }).collect();
    let ahead = Ahead { lead: 0, horizon: 12, covariates: regressors.iter().map(|x| &x[n..]).collect() };
    let options = match cells[0] {
        "auto" => Arima::default(),
        _ => Arima {
            order: Some(three(cells[3])),
            seasonal: Some(three(cells[4])),
            constant: Some(cells[5] == "1"),
            ..Arima::default()
        },
    };
    let fit = options.fit(&Series { covariates, ..Series::of(&y, 0, season) }).unwrap();
    (fit.describe(), fit.mean(&ahead).unwrap(), fit.std_dev(&ahead))
}

/// The likelihood of an autoregression of order 2 by its definition. A level of 580 feet without a mean to hold it drives
/// the root to 1, where R's starting covariance (Gardner 1980) has lost its digits: what R reports as -109.3 is -121.5.
fn second_order(y: &[f64], regressors: bool, coefficients: &[f64]) -> f64 {
    let (phi, b) = coefficients.split_at(2);
    let explained = |t: f64| if regressors { b[0] * ((7.0 * t) % 5.0) + b[1] * (t * t).sin() } else { 0.0 };
    let e: Vec<f64> = y.iter().zip(1..).map(|(y, t)| y - explained(f64::from(t))).collect();
    let (second, n) = (1.0 / (1.0 - phi[1] * phi[1]), y.len() as f64);
    let root = phi[0] / (1.0 - phi[1]);
    let first = second / (1.0 - root * root);
    let start = e[0] * e[0] / first + (e[1] - root * e[0]).powi(2) / second;
    let squares = start + e.windows(3).map(|e| (e[2] - phi[0] * e[1] - phi[1] * e[0]).powi(2)).sum::<f64>();
    -0.5 * (n * ((std::f64::consts::TAU * squares / n).ln() + 1.0) + first.ln() + second.ln())
}

#[test]
fn given_orders_agree_with_r() {
    let mut lines = 0;
    for line in include_str!("../oracles/arima.csv").lines().filter(|l| l.starts_with("fixed,")) {
        let cells: Vec<&str> = line.split(',').collect();
        let what = cells[..7].join(",");
        let (mut log, sigma2, coefficients): (f64, f64, Vec<f64>) =
            (cells[7].parse().unwrap(), cells[9].parse().unwrap(), numbers(cells[10]));
        if what.starts_with("fixed,LakeHuron,1,2 0 0,0 0 0,0,") {
            log = second_order(&series(cells[1]).0, cells[6] == "regressor", &coefficients);
        }
        let (description, mean, sd) = against(&cells);
        let ours = description.likelihood.unwrap();
        assert!(ours.log > log - 1e-4 * log.abs().max(10.0), "{what}: {} is lower than R's {log}", ours.log);
        if ours.log > log + 0.003 {
            continue;
        }
        lines += 1;
        assert!((ours.aicc() - cells[8].parse::<f64>().unwrap()).abs() < 0.1, "{what}: {}", ours.aicc());
        let found: Vec<f64> = description.parameters.iter().map(|p| p.1).collect();
        let (found, sigma) = (&found[..found.len() - 1], found[found.len() - 1]);
        let far = found.iter().zip(&coefficients).map(|(a, b)| (a - b).abs() / b.abs().max(1.0)).fold(0.0, f64::max);
        assert!(far < 0.02, "{what}: {found:?}, R {coefficients:?}, {} {log}", ours.log);
        // R counts the innovations of the differenced-away values too, which are a thousandth of the values: σ² is higher.
        let share = sigma * sigma / sigma2;
        assert!(share < 1.01 && share > 0.7, "{what}: {} {sigma2}", sigma * sigma);
        assert!(apart(&mean, &numbers(cells[11])) < 2e-3, "{what}: {mean:?} {}", cells[11]);
        let theirs: Vec<f64> = numbers(cells[12]).iter().map(|s| s * share.sqrt()).collect();
        assert!(apart(&sd, &theirs) < 0.01, "{what}: {sd:?} {theirs:?}");
    }
    assert!(lines > 80, "{lines} lines had the same likelihood");
}

#[test]
fn chosen_orders_are_those_of_r_or_better() {
    let (mut same, mut not_worse) = (0, 0);
    for line in include_str!("../oracles/arima.csv").lines().filter(|l| l.starts_with("auto,")) {
        let cells: Vec<&str> = line.split(',').collect();
        let (description, mean, _) = against(&cells);
        let aicc = description.likelihood.unwrap().aicc();
        let theirs: f64 = cells[8].parse().unwrap();
        not_worse += usize::from(aicc < theirs + 0.05);
        if description.specification.split(" with ").next() == Some(&*form(cells[3], cells[4], cells[2]))
            && (aicc - theirs).abs() < 0.05
        {
            same += 1;
            assert!(apart(&mean, &numbers(cells[11])) < 5e-3, "{}: {mean:?} {}", cells[1], cells[11]);
        }
    }
    // In series longer than 150 values, roots of moving averages near the unit circle are no reason to pass a model over,
    // as they are for R: one such model of ours is better than R's.
    assert!(same >= 17 && not_worse >= 19, "{same} the same, {not_worse} not worse");
}

fn form(order: &str, seasonal: &str, season: &str) -> String {
    match seasonal {
        "0 0 0" => format!("ARIMA({})", order.replace(' ', ",")),
        _ => format!("ARIMA({})({})[{season}]", order.replace(' ', ","), seasonal.replace(' ', ",")),
    }
}

#[test]
fn choices_on_m3_are_those_of_r_or_as_good() {
    let known = known_series();
    let (mut same, mut compared, mut worse) = (0, 0, Vec::new());
    for line in include_str!("../oracles/arima_m3.csv").lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let Some(y) = known.get(&(cells[0].to_owned(), cells[1].to_owned())) else { continue };
        let fit = Arima::default().fit(&of(y, cells[2].parse().unwrap())).unwrap();
        let description = fit.describe();
        compared += 1;
        let (orders, constant) =
            description.specification.split_once(" with ").unwrap_or((&description.specification, ""));
        if orders == form(cells[3], cells[4], cells[2]) && constant.is_empty() == (cells[5] == "0") {
            same += 1;
            continue;
        }
        let (ours, theirs) = (description.likelihood.map(|l| l.aicc()), cells[6].parse::<f64>().unwrap());
        // Criteria of series differenced differently cannot be compared.
        let differences = |form: &str| -> Vec<String> {
            form.split(['(', ')'])
                .filter(|part| part.contains(','))
                .map(|part| part.split(',').nth(1).unwrap().to_owned())
                .collect()
        };
        let comparable = differences(orders) == differences(&form(cells[3], cells[4], cells[2]));
        if !comparable || ours.is_none_or(|ours| ours > theirs + 0.01) {
            worse.push(format!("{line}: {} {ours:?}", description.specification));
        }
    }
    if compared == 0 {
        println!("skipped: no M3 in TRADEWIND_DATA");
        return;
    }
    println!("{same} of {compared} forms are R's; worse: {worse:#?}");
    assert_eq!(compared, 200);
    assert!(worse.len() * 20 <= compared, "{worse:#?}");
    assert!(same * 4 >= compared * 3, "{same} of {compared}");
}

#[test]
fn waves_with_given_orders_agree_with_r() {
    for line in include_str!("../oracles/harmonic.csv").lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let (mut y, season) = series(cells[0]);
        if cells[1] == "log" {
            y.iter_mut().for_each(|v| *v = v.ln());
        }
        let order = [0, 1, 2].map(|k| numbers(cells[3])[k] as usize);
        let constant = Some(cells[4] == "1");
        let options =
            Harmonic { terms: Some(vec![cells[2].parse().unwrap()]), order: Some(order), ..Harmonic::default() };
        let fit = options.fit(&of(&y, season)).unwrap();
        // The constant is the one with the better criterion.
        let (log, theirs): (f64, f64) = (cells[5].parse().unwrap(), cells[6].parse().unwrap());
        let description = fit.describe();
        let ours = description.likelihood.unwrap();
        assert!(ours.aicc() < theirs + 1e-4 * theirs.abs().max(10.0), "{line}: {ours:?}");
        if description.specification.contains(" with mean") || description.specification.contains(" with drift") {
            if constant == Some(false) {
                continue;
            }
        } else if constant == Some(true) {
            continue;
        }
        assert!(ours.log > log - 1e-4 * log.abs().max(10.0), "{line}: {ours:?}");
        if ours.log < log + 0.003 {
            assert!(apart(&mean(&*fit, 12), &numbers(cells[7])) < 1e-3, "{line}: {:?}", mean(&*fit, 12));
        }
    }
}

fn models() -> Vec<(&'static str, Box<dyn SeriesModel>)> {
    vec![
        ("auto", Box::new(Arima::default())),
        ("airline", Box::new(Arima { order: Some([0, 1, 1]), seasonal: Some([0, 1, 1]), ..Arima::default() })),
        ("mixed", Box::new(Arima { order: Some([2, 0, 2]), seasonal: Some([1, 0, 0]), ..Arima::default() })),
        ("harmonic", Box::new(Harmonic::default())),
    ]
}

fn hold(values: &[f64], season: usize) -> Result<(), TestCaseError> {
    for (name, model) in models() {
        let Ok(fit) = model.fit(&of(values, season)) else { continue };
        for lead in [0, 3] {
            let ahead = Ahead { lead, horizon: 7, covariates: Vec::new() };
            let Ok(mean) = fit.mean(&ahead) else { continue };
            let sd = fit.std_dev(&ahead);
            prop_assert!(mean.len() == 7 && sd.len() == 7, "{name}");
            prop_assert!(mean.iter().all(|m| m.is_finite()), "{name} {mean:?}");
            prop_assert!(sd.iter().all(|s| *s >= 0.0 && !s.is_nan()), "{name} {sd:?} {values:?}");
            prop_assert_eq!(fit.residuals().len(), values.len());
            let (shocks, mut path) = (vec![1.0; lead + 7], vec![0.0; 7]);
            fit.simulate(&ahead, &mean, &shocks, &mut path);
            prop_assert!(path.iter().all(|p| !p.is_nan()), "{name}");
        }
    }
    Ok(())
}

/// Sales of long ago say nothing of an item that has not sold for thousands of steps.
#[test]
fn what_has_long_ended_is_over() {
    use tradewind::prelude::*;
    let sold = |t: usize| if t < 500 { 90.0 + (t * 7919 % 21) as f64 } else { 0.0 };
    let values: Vec<f64> = (0..3_600).map(sold).collect();
    let frame = df!("t" => (1..=3_600_i64).collect::<Vec<_>>(), "y" => values).unwrap();
    let panel = Panel::from_frame(frame, Columns::new([""; 0], "t", "y").season(7).freq("1").unwrap()).unwrap();
    let forecast = panel.fit(["arima", "harmonic"]).unwrap().forecast(14).unwrap();
    for model in ["arima", "harmonic"] {
        let (low, high) = forecast.interval(model, "all", 0.8).unwrap();
        assert!(low.iter().chain(&high).all(|value| value.abs() < 1.0), "{model}: {low:?} {high:?}");
    }
}

#[test]
fn awkward_series_are_served_or_refused() {
    let gaps: Vec<f64> = (0..60).map(|t| if t % 7 < 2 { f64::NAN } else { f64::from(t * t % 11) }).collect();
    let with = |f: &dyn Fn(i32) -> f64, n: i32| (0..n).map(f).collect::<Vec<f64>>();
    let awkward = vec![
        vec![],
        vec![5.0],
        vec![5.0, 6.0],
        vec![5.0, 6.0, 4.0],
        vec![1.0, 2.0, 3.0, 4.0, 5.0],
        vec![f64::NAN; 12],
        with(&|_| 7.0, 40),
        with(&|_| 0.0, 40),
        with(&|t| 0.1 * f64::from(t), 40),
        with(&|t| f64::from(t * t), 40),
        with(&|t| 1e15 * f64::from(1 + t % 4), 40),
        with(&|t| 1e-15 * f64::from(1 + t * t % 5), 40),
        with(&|t| 1e-300 * f64::from(1 + t * t % 5), 40),
        with(&|t| if t % 2 == 0 { 1e308 } else { -1e308 }, 40),
        with(&|t| if t == 0 { 1.3e308 } else { 0.0 }, 7),
        with(&|t| -100.0 - f64::from(t * 7 % 4), 40),
        with(&|t| f64::from(u8::from(t == 20)), 40),
        with(&|t| if t % 2 == 0 { f64::from(t) } else { f64::NAN }, 40),
        with(&|t| if t > 30 { f64::NAN } else { f64::from(t * 5 % 13) }, 40),
        with(&|t| if t < 10 { f64::NAN } else { f64::from(t * 5 % 13) }, 40),
        with(&|t| 1e9 + f64::from(t * 5 % 13) * 1e-3, 40),
        gaps,
    ];
    for values in awkward {
        for season in [1, 4, 12, 25, 52] {
            hold(&values, season).unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn arbitrary_series_do_not_break_it(
        values in proptest::collection::vec(prop_oneof![
            6 => -1e3..1e3_f64, 1 => Just(0.0), 1 => Just(1e300), 1 => Just(f64::NAN), 1 => proptest::num::f64::NORMAL,
        ], 1..60),
        season in 1..8_usize,
    ) {
        hold(&values, season)?;
    }
}

#[test]
fn a_kept_fit_forecasts_to_the_same_bits() {
    let (mut y, season) = series("AirPassengers");
    for gap in [false, true] {
        if gap {
            y[140] = f64::NAN;
        }
        let ahead = Ahead { lead: 2, horizon: 9, covariates: Vec::new() };
        let fit = Arima::default().fit(&of(&y, season)).unwrap();
        let kept: FittedArima = rmp_serde::from_slice(&fit.save().unwrap()).unwrap();
        assert_eq!(
            (fit.mean(&ahead).unwrap(), fit.std_dev(&ahead)),
            (kept.mean(&ahead).unwrap(), kept.std_dev(&ahead))
        );
        let fit = Harmonic { seasons: vec![12.0], max_terms: 3, ..Harmonic::default() }.fit(&of(&y, 1)).unwrap();
        let kept: FittedHarmonic = rmp_serde::from_slice(&fit.save().unwrap()).unwrap();
        assert_eq!(
            (fit.mean(&ahead).unwrap(), fit.std_dev(&ahead)),
            (kept.mean(&ahead).unwrap(), kept.std_dev(&ahead))
        );
    }
}

#[test]
fn a_lead_skips_steps_and_an_update_keeps_the_coefficients() {
    let (y, season) = series("AirPassengers");
    let options = Arima { order: Some([0, 1, 1]), seasonal: Some([0, 1, 1]), ..Arima::default() };
    let fit = options.fit(&of(&y, season)).unwrap();
    let later = fit.mean(&Ahead { lead: 4, horizon: 5, covariates: Vec::new() }).unwrap();
    assert_eq!(mean(&*fit, 9)[4..], later);
    let same = fit.update(&of(&y, season)).unwrap();
    assert_eq!(mean(&*same, 6), mean(&*fit, 6));
    // One value that comes as forecast changes nothing but the origin.
    let mut longer = y.clone();
    longer.push(mean(&*fit, 1)[0]);
    let updated = fit.update(&of(&longer, season)).unwrap();
    assert!(apart(&mean(&*updated, 8), &mean(&*fit, 9)[1..]) < 1e-9);
    assert!(updated.residuals()[144].abs() < 1e-6 && updated.residuals().len() == 145);
    assert_eq!(updated.describe().parameters, fit.describe().parameters);
}

#[test]
fn simulated_paths_have_the_spread_of_the_forecast() {
    let (y, season) = series("AirPassengers");
    let fit = Arima::default().fit(&of(&y, season)).unwrap();
    let ahead = Ahead { lead: 3, horizon: 10, covariates: Vec::new() };
    let (mean, sd) = (fit.mean(&ahead).unwrap(), fit.std_dev(&ahead));
    let sigma = fit.describe().parameters.last().unwrap().1;
    // The responses to one shock at each step, squared and summed, are the variance.
    let mut variance = vec![0.0; 10];
    for at in 0..13 {
        let mut shocks = vec![0.0; 13];
        shocks[at] = sigma;
        let mut path = vec![0.0; 10];
        fit.simulate(&ahead, &mean, &shocks, &mut path);
        (0..10).for_each(|h| variance[h] += (path[h] - mean[h]).powi(2));
    }
    assert!(variance.iter().zip(&sd).all(|(v, s)| (v.sqrt() / s - 1.0).abs() < 1e-6), "{variance:?} {sd:?}");
}

#[test]
fn a_regressor_that_others_span_is_left_out() {
    let (y, season) = series("AirPassengers");
    let n = y.len();
    let wave: Vec<f64> = (0..n + 6).map(|t| (t as f64 * 0.7).sin()).collect();
    let twice: Vec<f64> = wave.iter().map(|v| 3.0 - 2.0 * v).collect();
    let flat = vec![4.0; n + 6];
    let fit = |columns: &[&Vec<f64>]| {
        let covariates =
            columns.iter().map(|x| Covariate { name: "x", role: Role::Known, values: x[..n].into() }).collect();
        let options = Arima { order: Some([1, 1, 0]), seasonal: Some([0, 1, 1]), ..Arima::default() };
        let fit = options.fit(&Series { covariates, ..Series::of(&y, 0, season) }).unwrap();
        let ahead = Ahead { lead: 0, horizon: 6, covariates: columns.iter().map(|x| &x[n..]).collect() };
        (fit.mean(&ahead).unwrap(), fit.describe())
    };
    let (alone, with_others) = (fit(&[&wave]), fit(&[&flat, &wave, &twice]));
    assert!(apart(&with_others.0, &alone.0) < 1e-6);
    let estimated = alone.1.likelihood.unwrap().parameters;
    assert_eq!((estimated, with_others.1.likelihood.unwrap().parameters), (4, 4));
}

#[test]
fn an_exhaustive_search_is_no_worse_and_options_are_checked() {
    let (y, season) = series("USAccDeaths");
    let aicc = |search| {
        Arima { search, ..Arima::default() }.fit(&of(&y, season)).unwrap().describe().likelihood.unwrap().aicc()
    };
    assert!(aicc(Search::Exhaustive) <= aicc(Search::Stepwise) + 1e-3);
    assert!(Arima { seasonal: Some([0, 1, 1]), ..Arima::default() }.check().is_err());
    assert!(Arima { order: Some([0, 2, 1]), constant: Some(true), ..Arima::default() }.check().is_err());
    assert!(Harmonic { seasons: vec![1.0], ..Harmonic::default() }.check().is_err());
    assert!(Harmonic { seasons: vec![7.0, 365.25], terms: Some(vec![2]), ..Harmonic::default() }.check().is_err());
}

#[test]
fn waves_of_two_broken_seasons_are_found() {
    let angle = |t: usize, m: f64| std::f64::consts::TAU * t as f64 / m;
    let noise = |t: usize| ((t * 7919 + 13) % 101) as f64 / 101.0 - 0.5;
    let truth =
        |t: usize| 50.0 + 10.0 * angle(t, 7.0).sin() + 20.0 * angle(t, 52.18).cos() + 5.0 * angle(3 * t, 52.18).sin();
    let y: Vec<f64> = (0..300).map(|t| truth(t) + noise(t)).collect();
    let fit = Harmonic { seasons: vec![7.0, 52.18], ..Harmonic::default() }.fit(&of(&y, 1)).unwrap();
    let ahead: Vec<f64> = (300..340).map(truth).collect();
    assert!(apart(&mean(&*fit, 40), &ahead) < 0.02, "{}", fit.describe().specification);
    assert!(
        fit.describe().specification.starts_with("K=") && fit.describe().specification.contains("[52.18]"),
        "{}",
        fit.describe().specification
    );
}
