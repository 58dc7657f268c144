//! Scores against sums by hand, and against themselves: whatever arrives when, in whatever order and however often, they are
//! those of a store that got the last values at once.
mod common;

use std::collections::BTreeMap;

use common::{Place, actual, date, flat, issue, key, now, on_both};
use proptest::prelude::*;
use tradewind_monitor::scores::{Place as Where, Sums, WINDOWS};
use tradewind_monitor::store::{Actual, SeriesForecast, Store};

/// Every sum of a store, by track, window, series and step.
fn sums(store: &mut Store) -> BTreeMap<(String, usize, Vec<String>), Vec<Sums>> {
    let mut all = BTreeMap::new();
    for track in store.tracks().unwrap() {
        for window in WINDOWS {
            let mut own = Vec::new();
            store
                .by_series(track.id, window, |series, sums| {
                    own.push((series, sums.to_vec()));
                    Ok(())
                })
                .unwrap();
            for (series, sums) in own {
                all.insert((track.model.clone(), window, store.key(series).unwrap()), sums);
            }
        }
    }
    all
}

#[test]
fn two_weeks_by_hand() {
    on_both(|place| {
        let mut store = place.open();
        store.issue(&issue("ets", 0, 3), [flat(0, 10.0, 3), flat(1, 100.0, 3)], now(0)).unwrap();
        store.receive(&[actual(0, 1, 12.0), actual(1, 1, 90.0)], now(1)).unwrap();
        assert_eq!(store.score().unwrap().scores, 2);
        store.issue(&issue("ets", 1, 3), [flat(0, 11.0, 3), flat(1, 95.0, 3)], now(1)).unwrap();
        store.receive(&[actual(0, 2, 9.0)], now(2)).unwrap();
        let scored = store.score().unwrap();
        let track = store.tracks().unwrap()[0].clone();
        assert_eq!((scored.scores, scored.dates), (2, vec![(track.id, date(2))]));
        assert_eq!(track.newest, Some(date(2)));
        assert_eq!(store.score().unwrap(), Default::default(), "nothing is left to do");

        // Errors of step 1: -2 and 10 in week 1, 2 in week 2; of step 2: 1 in week 2.
        let portfolio = store.portfolio(track.id, 4).unwrap();
        let step = portfolio[0];
        assert_eq!((step.count, step.error, step.absolute, step.actual), (3, 10.0, 14.0, 111.0));
        assert_eq!((step.wape(), step.bias()), (Some(100.0 * 14.0 / 111.0), Some(100.0 * 10.0 / 111.0)));
        assert_eq!(step.mase(), Some((1.0 + 5.0 + 1.0) / 3.0));
        assert_eq!(step.coverage(), Some(2.0 / 3.0));
        assert_eq!(step.money(1.0, 10.0), 12.0 + 20.0);
        assert_eq!((portfolio[1].count, portfolio[1].error), (1, 1.0));
        assert_eq!(portfolio.len(), 2, "nothing of step 3 was scored yet");

        let mut found = Vec::new();
        store
            .scores(track.id, date(2), |series, step, score| found.push((series, step, score.error, score.place)))
            .unwrap();
        assert_eq!(found, [(0, 1, 2.0, Where::Inside), (0, 2, 1.0, Where::Inside)]);
        let groups = store.by_group(track.id, 13, &[0]).unwrap();
        assert_eq!(groups[&vec!["store 0".to_string()]][0].count, 2);
        assert!(store.by_group(track.id, 13, &[5]).unwrap_err().to_string().contains("no key column"));
        assert!(store.portfolio(track.id, 5).unwrap_err().to_string().contains("4, 13 or 52"));
    });
}

#[test]
fn a_correction_is_never_counted_twice() {
    on_both(|place| {
        let mut store = place.open();
        store.issue(&issue("ets", 0, 2), [flat(0, 10.0, 2)], now(0)).unwrap();
        for value in [12.0, 7.0, 11.5, 11.5] {
            store.receive(&[actual(0, 1, value)], now(1)).unwrap();
            store.score().unwrap();
        }
        let sums = store.portfolio(1, 4).unwrap();
        assert_eq!((sums[0].count, sums[0].error), (1, -1.5));
    });
}

#[test]
fn windows_move_on_with_the_calendar() {
    on_both(|place| {
        let mut store = place.open();
        for week in 0..20 {
            store.issue(&issue("ets", week, 2), [flat(0, 10.0, 2), flat(1, 10.0, 2)], now(week)).unwrap();
            // Series 1 stops after week 10, week 15 has no actual at all.
            let rows: Vec<Actual> = [0, 1]
                .into_iter()
                .filter(|series| *series == 0 || week < 10)
                .map(|series| actual(series, week + 1, 11.0))
                .collect();
            if week + 1 != 15 {
                store.receive(&rows, now(week + 1)).unwrap();
                store.score().unwrap();
            }
        }
        let mut of = |window| {
            let mut counts = Vec::new();
            store
                .by_series(1, window, |series, sums| {
                    counts.push((series, sums[0].count));
                    Ok(())
                })
                .unwrap();
            counts
        };
        assert_eq!(of(4), [(0, 4)]);
        assert_eq!(of(13), [(0, 12), (1, 3)]);
        assert_eq!(of(52), [(0, 19), (1, 10)]);
    });
}

#[test]
fn the_later_issue_counts_and_a_late_issue_is_scored() {
    on_both(|place| {
        let mut store = place.open();
        store.receive(&[actual(0, 1, 12.0), actual(1, 1, 12.0)], now(1)).unwrap();
        assert_eq!(store.score().unwrap().scores, 0);
        let mut again = issue("ets", 0, 2);
        (again.run, again.issued_at) = ("again".into(), now(0) + chrono::TimeDelta::hours(1));
        store.issue(&again, [flat(0, 11.0, 2)], now(1)).unwrap();
        store.issue(&issue("ets", 0, 2), [flat(0, 10.0, 2), flat(1, 10.0, 2)], now(1)).unwrap();
        store.score().unwrap();
        let mut errors = Vec::new();
        store.scores(1, date(1), |series, step, score| errors.push((series, step, score.error))).unwrap();
        assert_eq!(errors, [(0, 1, -1.0), (1, 1, -2.0)], "the run of an hour later, where it has the series");
    });
}

#[test]
fn an_issue_alone_moves_a_window_by_the_dates_that_it_adds() {
    on_both(|place| {
        let mut store = place.open();
        for week in [0, 10] {
            store.issue(&issue("ets", week, 1), [flat(0, 10.0, 1)], now(week)).unwrap();
            store.receive(&[actual(0, week + 1, 11.0)], now(week + 1)).unwrap();
        }
        store.score().unwrap();
        assert_eq!(store.portfolio(1, 4).unwrap()[0].count, 2);
        store.issue(&issue("ets", 3, 4), [flat(0, 10.0, 4)], now(3)).unwrap();
        store.score().unwrap();
        assert_eq!(store.portfolio(1, 4).unwrap()[0].count, 1, "four weeks without actuals lie between");
        assert_eq!(store.portfolio(1, 13).unwrap()[0].count, 2);
    });
}

/// What can happen, in any order.
#[derive(Clone, Debug)]
enum Event {
    Issue { model: usize, week: u64, steps: u64, means: Vec<Option<f64>> },
    Receive(Vec<(usize, u64, f64)>),
    Score,
}

fn event() -> impl Strategy<Value = Event> {
    let mean = prop::option::weighted(0.8, -50.0_f64..50.0);
    let row = (0_usize..6, 0_u64..60, prop_oneof![Just(1.0), -50.0_f64..50.0]);
    prop_oneof![
        3 => (0_usize..2, 0_u64..60, 1_u64..5, prop::collection::vec(mean, 6))
            .prop_map(|(model, week, steps, means)| Event::Issue { model, week, steps, means }),
        3 => prop::collection::vec(row, 1..20).prop_map(Event::Receive),
        2 => Just(Event::Score),
    ]
}

/// Numbers of series that lie in different blocks, after those in between were taken.
fn spread(series: usize) -> usize {
    series * 150
}

fn give(store: &mut Store, event: &Event, number: usize) {
    match event {
        Event::Issue { model, week, steps, means } => {
            let mut one = issue(&format!("model {model}"), *week, *steps);
            one.run = format!("{number}");
            let rows = means.iter().enumerate().filter_map(|(series, mean)| {
                mean.map(|mean| SeriesForecast { scale: series as f64, ..flat(spread(series), mean, *steps as usize) })
            });
            store.issue(&one, rows, now(*week)).unwrap();
        }
        Event::Receive(rows) => {
            let rows: Vec<Actual> =
                rows.iter().map(|(series, week, value)| actual(spread(*series), *week, *value)).collect();
            store.receive(&rows, now(70)).unwrap();
        }
        Event::Score => {
            store.score().unwrap();
        }
    }
}

/// Takes the numbers of all series in order, so that two stores agree in them.
fn known(place: &Place) -> Store {
    let mut store = place.open();
    let rows: Vec<Actual> = (0..=spread(5)).map(|series| Actual { key: key(series), ..actual(0, 0, 0.0) }).collect();
    store.receive(&rows, now(0)).unwrap();
    store
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn scoring_as_things_arrive_is_scoring_from_scratch(events in prop::collection::vec(event(), 1..25)) {
        let (place, other) = (Place::sqlite(), Place::sqlite());
        let mut store = known(&place);
        for (number, event) in events.iter().enumerate() {
            give(&mut store, event, number);
        }
        store.score().unwrap();

        // The valid values alone, at once, before any issue.
        let mut valid = BTreeMap::new();
        for event in &events {
            if let Event::Receive(rows) = event {
                valid.extend(rows.iter().map(|(series, week, value)| ((*series, *week), *value)));
            }
        }
        let mut scratch = known(&other);
        let rows: Vec<(usize, u64, f64)> = valid.into_iter().map(|((series, week), value)| (series, week, value)).collect();
        give(&mut scratch, &Event::Receive(rows), 0);
        for (number, event) in events.iter().enumerate().filter(|(_, event)| matches!(event, Event::Issue { .. })) {
            give(&mut scratch, event, number);
        }
        scratch.score().unwrap();
        prop_assert_eq!(sums(&mut store), sums(&mut scratch));
    }
}

#[test]
fn what_is_pruned_changes_no_score() {
    on_both(|place| {
        let mut store = place.open();
        for week in 0..10 {
            store.issue(&issue("ets", week, 3), [flat(0, 10.0, 3), flat(1, 20.0, 3)], now(week)).unwrap();
            store.receive(&[actual(0, week + 1, 11.0), actual(1, week + 1, 18.0)], now(week + 1)).unwrap();
        }
        store.score().unwrap();
        let before = sums(&mut store);
        // The issues of weeks 0 and 1 end in weeks 3 and 4.
        let pruned = store.prune(date(5)).unwrap();
        assert_eq!((pruned.forecasts, pruned.scores), (4, 0), "the window of 52 weeks needs its scores");
        assert_eq!(store.prune(date(5)).unwrap().forecasts, 0);
        let past = store.issues().unwrap();
        assert_eq!((past.len(), store.forecast(&past[0], &key(0)).unwrap()), (10, None));
        assert!(store.forecast(&past[2], &key(0)).unwrap().is_some());

        let late = store.receive(&[actual(0, 4, 99.0), actual(0, 5, 11.0)], now(10)).unwrap();
        assert_eq!((late.corrected, late.unscored, late.unchanged), (1, 1, 1));
        store.score().unwrap();
        assert_eq!(sums(&mut store), before);
        assert_eq!(store.receive(&[actual(0, 5, 12.0)], now(10)).unwrap().unscored, 0);
        assert_eq!(store.score().unwrap().scores, 6);
        assert_ne!(sums(&mut store), before);
        // A late issue for a pruned date is kept and not scored.
        let mut again = issue("ets", 0, 3);
        again.run = "again".into();
        store.issue(&again, [flat(0, 50.0, 3)], now(10)).unwrap();
        assert_eq!(store.score().unwrap().scores, 0);
    });
}

#[test]
fn scores_that_no_window_needs_are_let_go() {
    let place = Place::sqlite();
    let mut store = place.open();
    for week in 0..60 {
        store.issue(&issue("ets", week, 1), [flat(0, 10.0, 1)], now(week)).unwrap();
        store.receive(&[actual(0, week + 1, 11.0)], now(week + 1)).unwrap();
    }
    store.score().unwrap();
    let before = sums(&mut store);
    let pruned = store.prune(date(100)).unwrap();
    assert_eq!((pruned.forecasts, pruned.scores), (60, 8));
    assert_eq!(sums(&mut store), before);
    store.issue(&issue("ets", 60, 1), [flat(0, 10.0, 1)], now(60)).unwrap();
    store.receive(&[actual(0, 61, 11.0)], now(61)).unwrap();
    assert_eq!(store.score().unwrap().scores, 1);
    assert_eq!(store.portfolio(1, 52).unwrap()[0].count, 52);
}
