//! Charts against their definitions and published run lengths; a small portfolio with known changes.
//!
//! Run lengths of a two-sided CUSUM with k = 0.5 without a change: 168 for h = 4 and 465 for h = 5, with a mean that is
//! off by one standard deviation 8.38 and 10.4 (Hawkins & Olwell 1998, *Cumulative Sum Charts*, and the table in
//! Montgomery, *Introduction to Statistical Quality Control*); a simulation of 4,000 runs has a standard error of 1.6
//! %. Siegmund's approximation of the same is within 3 %.

use proptest::prelude::*;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use tradewind_monitor::detect::*;

fn uniform(random: &mut ChaCha8Rng) -> f64 {
    (f64::from(random.next_u32()) + 0.5) / 4_294_967_296.0
}

fn normal(random: &mut ChaCha8Rng) -> f64 {
    (-2.0 * uniform(random).ln()).sqrt() * (std::f64::consts::TAU * uniform(random)).cos()
}

#[test]
fn run_lengths_are_the_published_ones() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    for (h, shift, published) in [(4.0, 0.0, 168.0), (5.0, 0.0, 465.0), (4.0, 1.0, 8.38), (5.0, 1.0, 10.4)] {
        let runs = 4_000;
        let mut steps = 0;
        for _ in 0..runs {
            let mut chart = Cusum::new(0.5);
            loop {
                steps += 1;
                if chart.update(normal(&mut random) + shift) > h {
                    break;
                }
            }
        }
        let length = f64::from(steps) / f64::from(runs);
        assert!((length / published - 1.0).abs() < 0.05, "{h} {shift}: {length} {published}");
        assert!((siegmund(0.5, h, shift) / published - 1.0).abs() < 0.03, "{}", siegmund(0.5, h, shift));
    }
    assert!((siegmund_threshold(0.5, siegmund(0.5, 5.0, 0.0)) - 5.0).abs() < 1e-9);
}

proptest! {
    #[test]
    fn charts_are_what_they_are_defined_to_be(x in prop::collection::vec(-4.0..4.0, 1..60)) {
        let (mut cusum, mut test) = (Cusum::new(0.5), PageHinkley::new(0.1));
        let mut drops = Vec::new();
        for (t, value) in x.iter().enumerate() {
            // A CUSUM is the largest sum of what ends now; one of nothing is zero.
            let sum = |s: usize, sign: f64| x[s..=t].iter().map(|z| sign * z - 0.5).sum::<f64>();
            let sums = |sign: f64| (0..=t + 1).map(|s| sum(s, sign)).fold(0.0, f64::max);
            let expected = sums(1.0).max(sums(-1.0));
            prop_assert!((cusum.update(*value) - expected).abs() < 1e-9);
            // Page–Hinkley: m_t − min m_s, m_t the sum of what lies above the mean so far and the tolerance.
            drops.push(value - x[..=t].iter().sum::<f64>() / (t + 1) as f64);
            let walk = |tolerance: f64| -> Vec<f64> {
                std::iter::once(0.0).chain(drops.iter().scan(0.0, |s, d| { *s += d + tolerance; Some(*s) })).collect()
            };
            let (up, down) = (walk(-0.1), walk(0.1));
            let rise = up[t + 1] - up.iter().copied().fold(f64::INFINITY, f64::min);
            let fall = down.iter().copied().fold(f64::NEG_INFINITY, f64::max) - down[t + 1];
            let (risen, fallen) = test.update(*value);
            prop_assert!((risen - rise).abs() < 1e-9 && (fallen - fall).abs() < 1e-9);
        }
    }

    #[test]
    fn what_is_no_number_changes_no_chart(x in prop::collection::vec(any::<f64>(), 1..40)) {
        let coverage = Coverage::new(0.2, 1.0);
        let charts = || (Cusum::new(0.5), PageHinkley::new(0.1), Bias::new(0.1), coverage, Shift::default());
        let (mut all, mut known) = (charts(), charts());
        for value in x {
            for (charts, skip) in [(&mut all, false), (&mut known, !value.is_finite())] {
                if !skip {
                    charts.0.update(value);
                    charts.1.update(value);
                    charts.2.update(value);
                    charts.3.update(value);
                    charts.4.update(value, 0.3, 3.0, -3.0);
                }
            }
        }
        prop_assert_eq!(all, known);
        let (up, down) = all.1.value();
        let values = [all.0.value(), up, down, all.2.value(), all.3.value(), all.4.best().0];
        prop_assert!(values.iter().all(|v| v.is_finite()));
    }
}

const SERIES: usize = 120;

/// Weeks of a portfolio: 120 series in eight departments, errors of 6 % that depend on last week's, a common movement.
fn weeks(seed: u64, n: usize) -> Vec<Vec<Observation>> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut last = [0.0; SERIES];
    (0..n)
        .map(|t| {
            let all = 0.02 * normal(&mut random) + if t % 26 == 20 { 0.25 } else { 0.0 };
            (0..SERIES)
                .map(|s| {
                    last[s] = 0.3 * last[s] + 0.06 * normal(&mut random);
                    let level = 10.0 + 7.0 * s as f64;
                    let actual = level * (last[s] + all).exp();
                    Observation { actual, forecast: level, lower: 0.9 * level, upper: 1.1 * level }
                })
                .collect()
        })
        .collect()
}

fn departments() -> Vec<Grouping> {
    vec![Grouping::new("department", &(0..SERIES).map(|s| s % 8).collect::<Vec<_>>())]
}

fn watch(weeks: &[Vec<Observation>]) -> Watch {
    Watch::new(&weeks[..52], departments(), Settings::default()).unwrap()
}

/// All alarms of the weeks after the reference, in which `change` may change the sales of a series.
fn alarms(weeks: &[Vec<Observation>], change: impl Fn(usize, usize) -> f64) -> (Watch, Vec<Update>) {
    let mut watch = watch(weeks);
    let updates = weeks[52..].iter().enumerate().map(|(t, week)| {
        let changed: Vec<Observation> =
            week.iter().enumerate().map(|(s, o)| Observation { actual: o.actual * change(s, t), ..*o }).collect();
        watch.update(&changed).unwrap()
    });
    let updates = updates.collect();
    (watch, updates)
}

fn raised(updates: &[Update]) -> Vec<Alarm> {
    updates.iter().flat_map(|u| u.raised.clone()).collect()
}

#[test]
fn without_a_change_the_rate_is_kept() {
    // 20 portfolios, 160 quarters, holidays that hit all series at once in a quarter of them.
    let mut found = std::collections::BTreeMap::new();
    for alarm in (0..20).flat_map(|seed| raised(&alarms(&weeks(seed, 156), |_, _| 1.0).1)) {
        *found.entry(format!("{:?} {:?}", alarm.level, alarm.chart).replace(char::is_numeric, "")).or_insert(0) += 1;
    }
    assert!(found.values().sum::<i32>() <= 160, "in 160 quarters: {found:?}");
}

#[test]
fn a_series_is_found_with_its_week_size_and_direction() {
    for (factor, direction) in [(1.4, Direction::Up), (0.6, Direction::Down)] {
        let mut found = 0;
        for s in 0..20 {
            let (_, updates) = alarms(&weeks(40, 70), |series, t| if series == s && t >= 6 { factor } else { 1.0 });
            if let Some(alarm) = raised(&updates).iter().find(|a| a.level == Level::Series(s)) {
                found += 1;
                assert_eq!(alarm.direction, direction);
                assert!(alarm.raised <= 9 && alarm.since.abs_diff(6) <= 1, "{alarm:?}");
                assert!((alarm.size - 100.0 * (factor - 1.0)).abs() < 16.0, "{alarm:?}");
            }
        }
        assert!(found >= 18, "{found}");
    }
}

#[test]
fn what_all_have_in_common_is_one_alarm() {
    let (_, updates) = alarms(&weeks(41, 70), |_, t| if t >= 6 { 0.7 } else { 1.0 });
    let found = raised(&updates);
    assert_eq!(found.first().map(|a| (a.level, a.direction)), Some((Level::Portfolio, Direction::Down)));
    assert_eq!(found.len(), 1, "{found:?}");
    let (_, updates) = alarms(&weeks(42, 62), |s, t| if s % 8 == 1 && t >= 6 { 1.3 } else { 1.0 });
    let found = raised(&updates);
    assert_eq!(found.iter().map(|a| a.level).collect::<Vec<_>>(), [Level::Group(0, 1)], "{found:?}");
}

#[test]
fn alarms_end_when_errors_are_usual_again_or_when_seen_to() {
    let change = |s: usize, t: usize| if s == 5 && (6..14).contains(&t) { 0.5 } else { 1.0 };
    let (watch, updates) = alarms(&weeks(43, 80), change);
    assert_eq!(raised(&updates).len(), 1);
    assert_eq!(updates.iter().flat_map(|u| &u.recovered).map(|a| a.level).collect::<Vec<_>>(), [Level::Series(5)]);
    assert!(watch.open().is_empty());

    let lasting = |s: usize, t: usize| if s == 5 && t >= 6 { 0.5 } else { 1.0 };
    let data = weeks(43, 92);
    let (mut watch, _) = alarms(&data[..66], lasting);
    assert_eq!(watch.open().iter().map(|a| a.level).collect::<Vec<_>>(), [Level::Series(5)]);
    let mut other = watch.clone();
    assert!(watch.acknowledge(Level::Series(5), true) && other.acknowledge(Level::Series(5), false));
    assert!(!watch.acknowledge(Level::Series(5), true) && !watch.acknowledge(Level::Series(999), true));
    let mut again = [0, 0];
    for week in &data[66..] {
        let mut week = week.clone();
        week[5].actual *= 0.5;
        for (watch, again) in [&mut watch, &mut other].into_iter().zip(&mut again) {
            *again += watch.update(&week).unwrap().raised.iter().filter(|a| a.level == Level::Series(5)).count();
        }
    }
    assert_eq!(again, [0, 1], "accepted, and not");
}

#[test]
fn a_missing_value_does_not_blind() {
    for gap in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let (watch, updates) = alarms(&weeks(44, 70), |s, t| match (s, t) {
            (5, 3 | 8) => gap,
            (5, 6..) => 0.5,
            (6, 10..) => f64::NAN,
            _ => 1.0,
        });
        assert_eq!(raised(&updates).iter().map(|a| a.level).collect::<Vec<_>>(), [Level::Series(5)]);
        assert_eq!((watch.silent(8), watch.silent(9)), (vec![6], vec![]));
    }
}

#[test]
fn wide_misses_and_wild_errors_are_found() {
    let data = weeks(45, 110);
    let (_, updates) = alarms(&data, |s, t| if s == 7 && t >= 6 { [1.3, 0.75, 1.4, 0.65][t % 4] } else { 1.0 });
    let found = raised(&updates);
    assert!(found.iter().any(|a| a.level == Level::Series(7) && a.direction == Direction::Worse), "{found:?}");
}

#[test]
fn the_unit_of_a_series_changes_nothing_and_a_state_goes_on_from_a_file() {
    let data = weeks(46, 80);
    let change = |s: usize, t: usize| if s == 9 && t >= 6 { 1.5 } else { 1.0 };
    let scaled: Vec<Vec<Observation>> = data
        .iter()
        .map(|week| {
            let unit = |s: usize| 2.0_f64.powi(s as i32 % 30 - 15);
            let times = |(s, o): (usize, &Observation)| Observation {
                actual: unit(s) * o.actual,
                forecast: unit(s) * o.forecast,
                lower: unit(s) * o.lower,
                upper: unit(s) * o.upper,
            };
            week.iter().enumerate().map(times).collect()
        })
        .collect();
    let key = |a: &Alarm| (a.level, a.chart, a.direction, a.since, a.raised, (1e6 * a.size).round());
    let found: Vec<_> = raised(&alarms(&data, change).1).iter().map(key).collect();
    assert_eq!(found, raised(&alarms(&scaled, change).1).iter().map(key).collect::<Vec<_>>());
    assert!(!found.is_empty());

    let mut one = watch(&data);
    for week in &data[52..60] {
        one.update(week).unwrap();
    }
    let mut other: Watch = serde_json::from_str(&serde_json::to_string(&one).unwrap()).unwrap();
    assert_eq!(one, other);
    for week in &data[60..] {
        assert_eq!(one.update(week).unwrap(), other.update(week).unwrap());
    }
}

#[test]
fn faults_say_what_to_do() {
    let data = weeks(47, 60);
    let fault = |reference: &[Vec<Observation>], groups: Vec<Grouping>, settings: Settings| {
        Watch::new(reference, groups, settings).unwrap_err().to_string()
    };
    let usual = Settings::default();
    assert!(fault(&data[..20], vec![], usual).contains("at least 26 steps"));
    assert!(fault(&[], vec![], usual).contains("at least 26 steps"));
    let mut short = data.clone();
    short[3].pop();
    assert!(fault(&short, vec![], usual).starts_with("step 3 of the reference has 119 series"));
    assert!(fault(&data, vec![Grouping::new("store", &[0, 1])], usual).contains("`store`"));
    assert!(fault(&data, vec![], Settings { false_alarms: 0.0, ..usual }).contains("above zero"));
    let nothing: Vec<Vec<Observation>> =
        data.iter().map(|w| vec![Observation::point(f64::NAN, 1.0); w.len()]).collect();
    assert!(fault(&nothing, vec![], usual).contains("13 errors"));
    let mut watch = watch(&data);
    assert!(watch.update(&data[0][..5]).unwrap_err().to_string().contains("has 5 series and the reference 120"));
}

fn any_number() -> impl Strategy<Value = f64> {
    prop_oneof![6 => 0.0..1e4, 1 => any::<f64>(), 1 => Just(0.0), 1 => Just(f64::NAN)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_data_make_a_state_that_is_no_number(
        values in prop::collection::vec((any_number(), any_number()), 40 * 7),
        period in 1_usize..30,
    ) {
        let week = |w: &[(f64, f64)]| -> Vec<Observation> {
            let one = |(actual, f): &(f64, f64)| Observation { actual: *actual, forecast: *f, lower: f - 1.0, upper: f + 1.0 };
            w.iter().map(one).collect()
        };
        let weeks: Vec<_> = values.chunks(7).map(week).collect();
        let groups = vec![Grouping::new("g", &[0, 0, 0, 0, 0, 0, 1])];
        if let Ok(mut watch) = Watch::new(&weeks[..30], groups, Settings { period, ..Settings::default() }) {
            for week in &weeks[30..] {
                watch.update(week).unwrap();
                let text = serde_json::to_string(&watch).unwrap();
                prop_assert!(watch.thresholds().iter().flatten().all(|h| h.is_finite() && *h > 0.0));
                prop_assert_eq!(&serde_json::from_str::<Watch>(&text).unwrap(), &watch);
            }
        }
    }
}
