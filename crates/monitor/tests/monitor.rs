//! From forecasts to a message and back: fifty series, a shift in one of them, and a monitor that is restarted as it likes.
mod common;

use chrono::{DateTime, Utc};
use common::servers::{Heard, http};
use common::{Place, date, now, on_both};
use tradewind_monitor::alerts::{Costs, Event, Message, Rules};
use tradewind_monitor::drift::compare;
use tradewind_monitor::drift::cost::mix_cost;
use tradewind_monitor::monitor::{Input, Monitor, MonitorOptions, Told};
use tradewind_monitor::store::{Actual, Issue, Kind, SeriesForecast};

const SERIES: usize = 50;
const STEPS: u64 = 4;
/// The week in which a series loses 40 % of its sales, and that from which on the forecasts know of it.
const SHIFT: u64 = 54;
const ADAPTED: u64 = 60;
const LAST: u64 = 70;
const SHIFTED: usize = 7;

fn rules(url: &str) -> Rules {
    let rules: Rules = toml::from_str(&format!(
        "
        keys = ['store', 'item']
        currency = 'EUR'
        [[rule]]
        name = 'series'
        what = 'error'
        level = 'series'
        false_alarms = 1
        severity = 'warning'
        to = ['hook']
        [[rule]]
        name = 'stores'
        what = 'error'
        level = 'group'
        by = ['store']
        false_alarms = 1
        severity = 'warning'
        to = ['hook']
        [[rule]]
        name = 'all'
        what = 'error'
        level = 'portfolio'
        false_alarms = 1
        severity = 'critical'
        to = ['hook']
        [[rule]]
        name = 'inputs'
        what = 'drift'
        level = 'portfolio'
        above = 0
        severity = 'info'
        to = ['hook']
        [destination.hook]
        kind = 'webhook'
        url = '{url}'
        "
    ))
    .unwrap();
    rules
}

fn options(place: &Place) -> MonitorOptions {
    MonitorOptions {
        store: place.options.clone(),
        reference: 40,
        costs: Box::new(|_| Costs { over: 2.0, under: 5.0 }),
        events: Box::new(|at| if *at == date(SHIFT) { vec!["the fair".into()] } else { Vec::new() }),
        ..MonitorOptions::default()
    }
}

fn open(place: &Place, url: &str) -> Monitor {
    Monitor::open(&place.place, rules(url), options(place)).unwrap()
}

fn key(series: usize) -> Vec<String> {
    vec![format!("store {}", series % 5), format!("item {series}")]
}

/// A number between -1 and 1 that depends on what it is asked for alone.
fn noise(series: usize, week: u64) -> f64 {
    let mut state = (series as u64 + 1) << 20 | (week + 1);
    for _ in 0..4 {
        state = (state ^ state >> 31).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    (state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
}

fn level(series: usize, week: u64, from: u64) -> f64 {
    (20.0 + series as f64) * if series == SHIFTED && week >= from { 0.6 } else { 1.0 }
}

fn actuals(week: u64) -> Vec<Actual> {
    let value = |series| level(series, week, SHIFT) * (1.0 + 0.05 * noise(series, week));
    (0..SERIES).map(|series| Actual { key: key(series), at: date(week), value: value(series) }).collect()
}

fn issue(monitor: &mut Monitor, week: u64) {
    let issue = Issue {
        run: format!("run {week}"),
        model: "ets".into(),
        kind: Kind::Statistical,
        issued_at: now(week),
        fingerprint: "4f1d".into(),
        dates: (1..=STEPS).map(|step| date(week + step)).collect(),
        levels: vec![0.1, 0.9],
    };
    let forecast = |series: usize| {
        let mean = level(series, week, ADAPTED);
        let quantiles = vec![vec![0.96 * mean, 1.04 * mean]; STEPS as usize];
        SeriesForecast { key: key(series), scale: 2.0, mean: vec![mean; STEPS as usize], quantiles }
    };
    monitor.issue(&issue, (0..SERIES).map(forecast), now(week)).unwrap();
}

fn heard(heard: &Heard) -> Vec<Message> {
    heard.lock().unwrap().iter().map(|(_, body)| serde_json::from_str(body).unwrap()).collect()
}

/// All weeks, each by `week`, which is given the actuals and the time.
fn run(
    place: &Place,
    url: &str,
    mut week: impl FnMut(&mut Option<Monitor>, &[Actual], DateTime<Utc>) -> Told,
) -> Vec<Told> {
    let mut monitor = Some(open(place, url));
    let mut told = Vec::new();
    for number in 0..=LAST {
        issue(monitor.get_or_insert_with(|| open(place, url)), number);
        told.push(week(&mut monitor, &actuals(number + 1), now(number + 1)));
    }
    told
}

#[test]
fn a_shift_is_told_of_and_so_is_its_end() {
    on_both(|place| {
        let (url, server) = http(&[200]);
        let told = run(place, &url, |monitor, rows, now| monitor.as_mut().unwrap().receive(rows, now).unwrap());
        assert!(
            told[0].notes[0].starts_with("40 more dates with actuals until the detectors of ets begin"),
            "{told:?}"
        );
        assert!(told[39].notes[0].starts_with("1 more date with"), "{:?}", told[39]);
        assert_eq!(told[40].notes, [""; 0]);
        let messages = heard(&server);
        assert_eq!(messages.iter().map(|message| message.event).collect::<Vec<Event>>(), [Event::Begun, Event::Over]);
        let begun = &messages[0];
        let alert = &begun.alerts[0];
        assert_eq!((alert.key.clone(), alert.since, begun.rule.as_str()), (key(SHIFTED), now(SHIFT), "series"));
        assert!(begun.made_at >= now(SHIFT + 1) && begun.made_at <= now(SHIFT + 3), "{}", begun.made_at);
        assert!(alert.size < -30.0 && alert.size > -45.0, "{}", alert.size);
        assert!(
            alert
                .sentence
                .starts_with("Sales of store 2 / item 7 are below the forecasts by ets since 2026-01-19: by ")
                && alert.sentence.ends_with("; rarer than 1 false alarm a quarter"),
            "{}",
            alert.sentence
        );
        // Two units for each that was forecast too much, in the last four weeks, at the first step.
        let week = (begun.made_at - now(0)).num_weeks() as u64;
        let cost: f64 = (week - 3..=week)
            .map(|week| {
                let error = 27.0 - actuals(week)[SHIFTED].value;
                if error > 0.0 { 2.0 * error } else { -5.0 * error }
            })
            .sum();
        assert!((alert.money - cost).abs() < 1e-9 * cost, "{} {cost}", alert.money);
        assert_eq!((begun.money, begun.currency.as_str()), (alert.money, "EUR"));
        let causes: Vec<&str> = alert.causes.iter().map(|cause| cause.text.as_str()).collect();
        assert_eq!(causes[0], "it falls on the fair");
        assert!(causes[1].starts_with("it is this series alone of 50"), "{causes:?}");
        assert_eq!(messages[1].alerts[0].until, Some(messages[1].made_at));
        assert!(messages[1].made_at > now(ADAPTED) && messages[1].made_at <= now(ADAPTED + 8));
        let begun: Vec<usize> = (0..told.len()).filter(|week| told[*week].begun().next().is_some()).collect();
        let over: Vec<usize> = (0..told.len()).filter(|week| told[*week].over().next().is_some()).collect();
        assert_eq!((begun.len(), over.len()), (1, 1));
    });
}

#[test]
fn restarts_repetitions_and_deaths_change_nothing() {
    on_both(|place| {
        let (url, server) = http(&[200]);
        let whole =
            run(&Place::sqlite(), &url, |monitor, rows, now| monitor.as_mut().unwrap().receive(rows, now).unwrap());
        let expected: Vec<Message> = heard(&server);
        let (url, server) = http(&[200]);
        let mut number = 0_usize;
        let told = run(place, &url, |monitor, rows, now| {
            number += 1;
            let own = monitor.as_mut().unwrap();
            match number % 4 {
                // Dead after the actuals were stored, or scored, or half of them came: the next does the rest.
                0 => drop(own.store().receive(rows, now).unwrap()),
                1 => {
                    own.store().receive(rows, now).unwrap();
                    own.store().score().unwrap();
                }
                2 => drop(own.receive(&rows[SERIES / 2..], now).unwrap()),
                _ => return own.receive(rows, now).unwrap(),
            }
            *monitor = None;
            let mut again = open(place, &url);
            let told = again.receive(rows, now).unwrap();
            let report = again.report(5).unwrap();
            // And once more, by the same and by another.
            let more = again.receive(rows, now).unwrap();
            assert_eq!((more.judged.alerts, more.judged.messages, more.delivered.sent), (Vec::new(), 0, 0));
            assert_eq!((more.received.unchanged, more.scored.scores), (SERIES, 0));
            let mut other = open(place, &url);
            let more = other.receive(&[], now).unwrap();
            assert_eq!((more.judged.alerts, more.delivered.sent), (Vec::new(), 0));
            assert_eq!(other.report(5).unwrap(), report);
            told
        });
        assert_eq!(heard(&server), expected);
        for (one, other) in whole.iter().zip(&told) {
            assert_eq!((&one.judged.alerts, &one.notes), (&other.judged.alerts, &other.notes));
        }
    });
}

fn input(column: &str, week: u64, moved: f64) -> Input {
    let before: Vec<f64> = (0..1000).map(|row| f64::from(row % 100)).collect();
    let after: Vec<f64> = before.iter().map(|value| value + moved).collect();
    // Rows of higher prices are four times as hard to forecast.
    let cost = mix_cost(
        before.iter().map(|price| if *price < 50.0 { (0, 0.5) } else { (1, 2.0) }),
        after.iter().map(|price| usize::from(*price >= 50.0)),
    );
    Input { at: date(week), drift: compare(column, &before, &after).unwrap(), cost: Some(cost.unwrap()) }
}

#[test]
fn inputs_that_drift_are_told_of_and_are_likely_causes() {
    on_both(|place| {
        let (url, server) = http(&[200]);
        let mut told = Vec::new();
        run(place, &url, |monitor, rows, at| {
            let own = monitor.as_mut().unwrap();
            if at == now(SHIFT) {
                let found = own.drift(&[input("price", SHIFT, 40.0), input("area", SHIFT, 0.0)], at).unwrap();
                assert_eq!((found.judged.begun, found.delivered.sent), (1, 1));
                assert_eq!(own.drift(&[input("price", SHIFT, 40.0)], at).unwrap().judged.alerts, []);
                // What was found outlives who found it.
                *monitor = None;
            }
            if at == now(ADAPTED) {
                assert_eq!(
                    own_or(monitor, place, &url).drift(&[input("price", ADAPTED, 0.0)], at).unwrap().judged.over,
                    1
                );
            }
            told.push(own_or(monitor, place, &url).receive(rows, at).unwrap());
            told[told.len() - 1].clone()
        });
        let messages = heard(&server);
        let drifted = &messages[0].alerts[0];
        assert_eq!(drifted.key, ["price"]);
        assert!(
            drifted.sentence.starts_with("`price` has drifted much: ")
                && drifted.sentence.contains("The change of the mix alone moves the mean error by +0.600"),
            "{}",
            drifted.sentence
        );
        let alert = told.iter().flat_map(Told::begun).next().unwrap();
        assert_eq!(alert.key, key(SHIFTED));
        assert_eq!(alert.causes[0].text, "inputs drifted at the same time: price (mean error +48 %)");
    });
}

fn own_or<'a>(monitor: &'a mut Option<Monitor>, place: &Place, url: &str) -> &'a mut Monitor {
    monitor.get_or_insert_with(|| open(place, url))
}

#[test]
fn a_new_reference_ends_what_was_alarmed_about() {
    let place = Place::sqlite();
    let (url, server) = http(&[200]);
    let mut ended = None;
    let told = run(&place, &url, |monitor, rows, at| {
        let own = own_or(monitor, &place, &url);
        if at == now(ADAPTED) {
            let watched = own.report(1).unwrap().watched.remove(0);
            assert_eq!(
                (watched.dates_missing, watched.reference, watched.series),
                (0, Some((date(1), date(40))), SERIES)
            );
            own.recalibrate(Some("ets"), Some(date(ADAPTED + 1))).unwrap();
            assert_eq!(own.report(1).unwrap().watched[0].dates_missing, 41);
        }
        let told = own.receive(rows, at).unwrap();
        if at == now(ADAPTED) {
            ended = Some(told.over().count());
        }
        told
    });
    assert_eq!(ended, Some(1));
    assert!(told[ADAPTED as usize].notes[0].starts_with("40 more dates"), "{:?}", told[ADAPTED as usize].notes);
    assert_eq!(heard(&server).len(), 2);
    // In the newest dates, without a wait.
    let mut monitor = open(&place, &url);
    monitor.recalibrate(None, None).unwrap();
    assert_eq!(monitor.receive(&[], now(LAST + 1)).unwrap().notes, [""; 0]);
    let watched = monitor.report(1).unwrap().watched.remove(0);
    assert_eq!(watched.reference, Some((date(LAST - 39), date(LAST))));
}

#[test]
fn the_report_has_what_the_store_has() {
    let place = Place::sqlite();
    let (url, _) = http(&[200]);
    run(&place, &url, |monitor, rows, now| monitor.as_mut().unwrap().receive(rows, now).unwrap());
    let mut monitor = open(&place, &url);
    let report = monitor.report(3).unwrap();
    assert_eq!((report.accuracy.len(), report.worst.len(), report.open.len()), (3 * STEPS as usize, 3, 0));
    let weeks = LAST + 1;
    for (window, rows) in [(4, &report.accuracy[0]), (13, &report.accuracy[4]), (52, &report.accuracy[8])] {
        let (mut errors, mut sales, mut bias) = (0.0, 0.0, 0.0);
        for week in weeks + 1 - window..=weeks {
            for (series, row) in actuals(week).iter().enumerate() {
                let error = level(series, week - 1, ADAPTED) - row.value;
                (errors, sales, bias) = (errors + error.abs(), sales + row.value, bias + error);
            }
        }
        assert_eq!((rows.window as u64, rows.step, u64::from(rows.count)), (window, 1, 50 * window));
        assert!((rows.wape.unwrap() - 100.0 * errors / sales).abs() < 1e-9, "{window}");
        assert!((rows.bias.unwrap() - 100.0 * bias / sales).abs() < 1e-9, "{window}");
        assert!(rows.coverage.unwrap() > 0.6 && rows.mase.unwrap() > 0.0);
    }
    assert!(report.worst.is_sorted_by(|a, b| a.money >= b.money));
    let cost = |series: usize| -> f64 {
        let error = |week: u64| level(series, week - 1, ADAPTED) - actuals(week)[series].value;
        (weeks - 12..=weeks).map(error).map(|error| if error > 0.0 { 2.0 * error } else { -5.0 * error }).sum()
    };
    let dearest = (0..SERIES).max_by(|a, b| cost(*a).total_cmp(&cost(*b))).unwrap();
    assert_eq!(report.worst[0].key, key(dearest));
    assert!((report.worst[0].money - cost(dearest)).abs() < 1e-9 * cost(dearest));
}

#[test]
fn options_and_rules_that_contradict_themselves_are_refused() {
    let place = Place::sqlite();
    let error =
        |rules: Rules, options: MonitorOptions| Monitor::open(&place.place, rules, options).err().unwrap().to_string();
    let short = MonitorOptions { reference: 25, ..MonitorOptions::default() };
    assert!(error(Rules::default(), short).contains("26 at least"));
    let nothing = MonitorOptions { shift: 0.0, ..MonitorOptions::default() };
    assert!(error(Rules::default(), nothing).contains("above 0"));
    let mut without = rules("http://127.0.0.1:1");
    without.rules[0].false_alarms = Some(0.0);
    assert!(error(without, MonitorOptions::default()).contains("false_alarms must be above 0"));
}

#[test]
fn a_model_that_cannot_be_fitted_anew_is_told_of_until_it_can() {
    on_both(|place| {
        let rules: Rules = toml::from_str(
            "
            [[rule]]
            name = 'fits'
            what = 'retrain_failed'
            level = 'portfolio'
            above = 0
            severity = 'critical'
            to = ['log']
            [destination.log]
            kind = 'log'
            path = '/dev/null'
            ",
        )
        .unwrap();
        let mut monitor = Monitor::open(&place.place, rules, options(place)).unwrap();
        let told = monitor.refitted("shop", Some("the history is too short"), now(1)).unwrap();
        let sentence = "shop could not be fitted anew: the history is too short";
        assert_eq!(told.begun().map(|alert| alert.sentence.as_str()).collect::<Vec<_>>(), [sentence]);
        assert_eq!(monitor.refitted("shop", Some("the same again"), now(2)).unwrap().begun().count(), 0);
        // Another model of the same store is none of its business.
        assert_eq!(monitor.refitted("bakery", None, now(3)).unwrap().judged.open, 1);
        let open = monitor.store().open_alerts().unwrap();
        assert_eq!((open[0].began_at, open[0].seen_at), (now(1), now(2)));
        assert_eq!(monitor.refitted("shop", None, now(4)).unwrap().over().count(), 1);
    });
}
