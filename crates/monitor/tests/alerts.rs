//! What is told when: once at the beginning, again as often as stated, once when it is over; whatever is restarted.
mod common;

use chrono::{DateTime, TimeDelta, Utc};
use common::{Place, actual, date, flat, issue, key, now, on_both};
use proptest::prelude::*;
use tradewind_monitor::alerts::{
    Coincidence, Costs, Event, Judged, Level, Message, Observation, Rules, Severity, What, causes,
};
use tradewind_monitor::store::{Actual, Store};

fn rules(text: &str) -> Rules {
    let rules: Rules = toml::from_str(&format!(
        "keys = ['store', 'item']\ncurrency = 'EUR'\n[destination.log]\nkind = 'log'\npath = 'alerts.jsonl'\n{text}"
    ))
    .unwrap();
    rules.check().unwrap();
    rules
}

/// A rule on the error of series, with more lines.
fn on_series(more: &str) -> Rules {
    rules(&format!(
        "[[rule]]\nname = 'errors'\nwhat = 'error'\nlevel = 'series'\nabove = 30\nseverity = 'warning'\nto = ['log']\n{more}"
    ))
}

fn seen(series: usize, week: u64, value: f64) -> Observation {
    Observation {
        rule: None,
        what: What::Error,
        level: Level::Series,
        key: key(series),
        model: "ets".into(),
        kind: None,
        at: date(week),
        since: None,
        value,
        odds: None,
        money: 10.0 * series as f64,
        detail: String::new(),
    }
}

fn judge(store: &mut Store, rules: &Rules, seen: &[Observation], at: DateTime<Utc>) -> Judged {
    store.judge(rules, seen, |_, together| causes(&Coincidence { together, ..Coincidence::default() }), at).unwrap()
}

fn messages(store: &mut Store) -> Vec<Message> {
    store.outbox().unwrap().into_iter().map(|(_, message, _)| message).collect()
}

#[test]
fn an_alert_is_told_once_reminded_and_told_to_be_over() {
    on_both(|place| {
        let rules = on_series("remind_hours = 200\n");
        for (week, value, expected) in [
            (1, 20.0, (0, 0, 0, 0)),
            (2, 45.0, (1, 0, 0, 1)),
            (2, 45.0, (0, 0, 0, 1)),
            (3, 46.0, (0, 0, 0, 1)),
            (4, 47.0, (0, 1, 0, 1)),
            (5, 48.0, (0, 0, 0, 1)),
            (6, 30.0, (0, 0, 1, 0)),
            (7, 29.0, (0, 0, 0, 0)),
            (8, 31.0, (1, 0, 0, 1)),
        ] {
            // A store of its own each time: the state is in it.
            let judged = judge(&mut place.open(), &rules, &[seen(1, week, value)], now(week));
            assert_eq!((judged.begun, judged.reminded, judged.over, judged.open), expected, "week {week}");
        }
        let mut store = place.open();
        let told: Vec<(Event, u64)> = messages(&mut store)
            .iter()
            .map(|message| (message.event, message.made_at.signed_duration_since(now(0)).num_weeks() as u64))
            .collect();
        assert_eq!(told, [(Event::Begun, 2), (Event::Reminder, 4), (Event::Over, 6), (Event::Begun, 8)]);
        let first = &messages(&mut store)[0];
        assert_eq!(
            first.subject(),
            "Forecasts of store 1 / item 1 by ets miss by 45 % of sales (WAPE over 4 periods); at most 30 is allowed"
        );
        assert!(first.text().contains("since 2025-01-20 00:00 UTC; cost 10 EUR"), "{}", first.text());
        let open = store.open_alerts().unwrap();
        assert_eq!((open.len(), open[0].alert.since, open[0].alert.size), (1, now(8), 31.0));
        let past = store.past_alerts().unwrap();
        assert_eq!((past.len(), past[0].since, past[0].until, past[0].size), (1, now(2), Some(now(6)), 48.0));
        assert_eq!(store.forget_told(now(7)).unwrap(), 1);
        assert!(store.past_alerts().unwrap().is_empty());
    });
}

#[test]
fn it_must_hold_as_long_as_the_rule_states() {
    on_both(|place| {
        let mut store = place.open();
        let rules = on_series("periods = 3\n");
        let mut round = |week, value, at| {
            let judged = judge(&mut store, &rules, &[seen(1, week, value)], at);
            (judged.pending, judged.open)
        };
        assert_eq!(round(1, 40.0, now(1)), (1, 0));
        assert_eq!(round(1, 40.0, now(1) + TimeDelta::hours(1)), (1, 0), "the same data are no other period");
        assert_eq!(round(2, 20.0, now(2)), (0, 0), "one within the limit begins anew");
        assert_eq!(round(3, 40.0, now(3)), (1, 0));
        assert_eq!(round(4, 40.0, now(4)), (1, 0));
        assert_eq!(round(5, 40.0, now(5)), (0, 1));
        assert_eq!(store.open_alerts().unwrap()[0].alert.since, now(3), "since when it holds, not since it is told");
    });
}

#[test]
fn many_at_once_are_one_message() {
    on_both(|place| {
        let mut store = place.open();
        let rules = on_series("");
        let all = |value: f64| (1..=500).map(|series| seen(series, 1, value)).collect::<Vec<Observation>>();
        let judged = judge(&mut store, &rules, &all(50.0), now(1));
        assert_eq!((judged.begun, judged.messages), (500, 1));
        let message = messages(&mut store).remove(0);
        assert_eq!((message.count, message.alerts.len(), message.money), (500, 10, 10.0 * 500.0 * 501.0 / 2.0));
        let dearest: Vec<f64> = message.alerts.iter().map(|alert| alert.money).collect();
        assert!(dearest.is_sorted_by(|a, b| a > b) && dearest[0] == 5000.0, "{dearest:?}");
        assert_eq!(
            message.alerts[0].causes[0].text,
            "500 of 500 series together: a common cause, such as the market, the calendar or the data"
        );
        let text = message.text();
        assert!(
            text.contains("errors – 500 alerts")
                && text.contains("and 490 more")
                && text.contains("1,252,500 EUR in all"),
            "{text}"
        );
        assert_eq!(judge(&mut store, &rules, &all(10.0), now(2)).over, 500);
        let over = messages(&mut store).remove(1);
        assert_eq!((over.event, over.count, over.open, over.others.len()), (Event::Over, 500, 0, 490));
    });
}

#[test]
fn no_news_is_no_good_news_for_five_weeks() {
    let place = Place::sqlite();
    let mut store = place.open();
    let rules = on_series("");
    judge(&mut store, &rules, &[seen(1, 1, 50.0)], now(1));
    assert_eq!(judge(&mut store, &rules, &[seen(1, 1, f64::NAN)], now(2)).open, 1, "what is no number is no news");
    assert_eq!(judge(&mut store, &rules, &[], now(6)).open, 1);
    let judged = judge(&mut store, &rules, &[], now(7));
    assert_eq!((judged.open, judged.over), (0, 1));
    assert!(messages(&mut store)[1].subject().contains("it was not observed any more"));
    // A rule that is stated no more ends its alerts, and tells nobody.
    judge(&mut store, &rules, &[seen(1, 8, 50.0)], now(8));
    let judged = judge(&mut store, &Rules { rules: Vec::new(), ..rules }, &[], now(9));
    assert_eq!((judged.open, judged.messages, messages(&mut store).len()), (0, 0, 3));
}

#[test]
fn false_alarms_are_shared_by_all_that_are_watched() {
    let place = Place::sqlite();
    let mut store = place.open();
    let rules = rules(
        "[[rule]]\nname = 'drift'\nwhat = 'drift'\nlevel = 'series'\nfalse_alarms = 1.3\nseverity = 'info'\nto = ['log']\n",
    );
    // 100 series × 13 weeks: 0.001 each is 1.3 a quarter.
    let drift = |series: usize, odds: f64| Observation {
        what: What::Drift,
        odds: Some(odds),
        detail: "price".into(),
        ..seen(series, 1, 1.0)
    };
    let mut all: Vec<Observation> = (0..98).map(|series| drift(series, 0.3)).collect();
    all.extend([drift(98, 0.000_99), drift(99, 0.001_01)]);
    assert_eq!(judge(&mut store, &rules, &all, now(1)).begun, 1);
    let open = store.open_alerts().unwrap();
    assert_eq!((open[0].alert.key.clone(), open[0].alert.severity), (key(98), Severity::Info));
    assert!(open[0].alert.sentence.contains("drifted by ets: price; rarer than 1.3 false alarms a quarter"));
}

#[test]
fn the_store_is_observed() {
    on_both(|place| {
        let mut store = place.open();
        let rules = rules(
            r"
            [[rule]]
            name = 'all'
            what = 'error'
            level = 'portfolio'
            above = 0
            severity = 'info'
            to = ['log']
            [[rule]]
            name = 'stores'
            what = 'bias'
            level = 'group'
            by = ['store']
            above = 5
            step = 1
            severity = 'warning'
            to = ['log']
            [[rule]]
            name = 'intervals'
            what = 'coverage'
            level = 'series'
            below = 0.5
            severity = 'warning'
            to = ['log']
            [[rule]]
            name = 'gaps'
            what = 'missing_data'
            level = 'portfolio'
            above = 20
            severity = 'critical'
            to = ['log']
            [[rule]]
            name = 'late'
            what = 'no_actuals'
            level = 'portfolio'
            above = 1
            severity = 'critical'
            to = ['log']
            [[rule]]
            name = 'old'
            what = 'no_forecast'
            level = 'portfolio'
            above = 2
            severity = 'critical'
            to = ['log']
            ",
        );
        let costs = |key: &[String]| Costs { over: if key[0] == "store 0" { 2.0 } else { 1.0 }, under: 10.0 };
        assert_eq!(store.observe(&rules, costs, now(0)).unwrap(), []);
        store.issue(&issue("ets", 0, 6), (0..4).map(|series| flat(series, 10.0, 6)), now(0)).unwrap();
        store.receive(&[actual(0, 1, 7.0), actual(1, 1, 11.0), actual(2, 1, 10.0)], now(1)).unwrap();
        store.score().unwrap();
        let seen = store.observe(&rules, costs, now(3)).unwrap();
        let of = |rule: &str| -> Vec<(Vec<String>, f64, f64)> {
            let own = seen.iter().filter(|seen| seen.rule.as_deref() == Some(rule));
            own.map(|seen| (seen.key.clone(), seen.value, seen.money)).collect()
        };
        assert_eq!(of("all"), [(vec![], 100.0 * 4.0 / 28.0, 3.0 * 2.0 + 10.0)]);
        let stores = of("stores");
        assert_eq!((stores.len(), stores[0].clone()), (3, (vec!["store 0".to_string()], 100.0 * 3.0 / 7.0, 6.0)));
        assert_eq!(stores[1].1, -100.0 / 11.0);
        assert_eq!(of("intervals").iter().map(|one| one.1).collect::<Vec<f64>>(), [0.0, 1.0, 1.0]);
        assert_eq!(of("gaps"), [(vec![], 25.0, 0.0)]);
        assert_eq!((of("late")[0].1, of("old")[0].1), (2.0, 3.0));
        let judged = judge(&mut store, &rules, &seen, now(3));
        assert_eq!((judged.begun, judged.messages), (7, 6), "both biases in one message");
        let subjects: Vec<String> = messages(&mut store).iter().map(Message::subject).collect();
        assert!(
            subjects.contains(
                &"0 % of actuals of store 0 / item 0 lie in the interval by ets over 4 periods; 50 % is the limit"
                    .to_string()
            ),
            "{subjects:#?}"
        );
        assert!(
            subjects
                .iter()
                .any(|one| one.contains("25 % of the newest data of all series are missing: 1 of 4 are missing")),
            "{subjects:#?}"
        );
    });
}

#[test]
fn kinds_of_one_model_are_alerts_of_their_own() {
    use tradewind_monitor::store::Kind;
    let place = Place::sqlite();
    let mut store = place.open();
    let of = |kind, value| Observation { kind: Some(kind), ..seen(1, 1, value) };
    let both = [of(Kind::Statistical, 50.0), of(Kind::Naive, 20.0), of(Kind::Statistical, 10.0)];
    let judged = judge(&mut store, &on_series(""), &both, now(1));
    assert_eq!((judged.begun, judged.over, judged.open), (1, 0, 1), "and of two of the same the first counts");
    let judged = judge(&mut store, &on_series(""), &[of(Kind::Naive, 60.0)], now(1));
    assert_eq!((judged.begun, judged.open), (1, 2));
    assert!(messages(&mut store)[1].subject().contains("by ets (naive) miss"));
    let only = on_series("kind = 'released'\n");
    assert_eq!(judge(&mut place.open(), &only, &[of(Kind::Naive, 60.0)], now(1)).begun, 0);
}

#[test]
fn rules_that_contradict_themselves_are_refused() {
    let error = |text: &str| {
        let rules: Result<Rules, _> = toml::from_str(text);
        match rules {
            Ok(rules) => rules.check().unwrap_err().to_string(),
            Err(cause) => cause.to_string(),
        }
    };
    let rule = |lines: &str| {
        error(&format!(
            "[[rule]]\nname = 'a'\nwhat = 'error'\nlevel = 'series'\nseverity = 'info'\nto = ['log']\n{lines}\n[destination.log]\nkind = 'log'\npath = 'x'\n"
        ))
    };
    assert!(rule("").contains("one of above, below and false_alarms"));
    assert!(rule("above = 1\nbelow = 2").contains("one of above"));
    assert!(rule("above = nan").contains("must be a number"));
    assert!(rule("above = 1\nwindow = 5").contains("4, 13 or 52"));
    assert!(rule("above = 1\nperiods = 0").contains("count from 1"));
    assert!(rule("above = 1\nby = ['store']").contains("for the level `group` alone"));
    assert!(rule("above = 1\nthreshold = 3").contains("unknown field"));
    let to = |lines: &str| error(&format!("[destination.x]\n{lines}"));
    assert!(to("kind = 'webhook'").contains("state `url`, or in `url_env`"));
    assert!(to("kind = 'webhook'\nurl = 'https://me:s3cret@host/'").contains("without a password")); // tree-check: allow
    assert!(to("kind = 'alertmanager'\nurl = 'host:9093'").contains("http(s)://"));
    let mail = |lines: &str| to(&format!("kind = 'mail'\nhost = 'h'\nfrom = 'a@b'\nto = ['c@d']\n{lines}"));
    if cfg!(feature = "mail") {
        assert!(mail("password_env = 'P'").contains("go together"));
        assert!(mail("user_env = 'U'\npassword_env = 'P'\ntls = 'none'").contains("not sent in clear"));
    } else {
        assert!(mail("").contains("built without mail"));
    }
    assert!(to("kind = 'log'\npath = 'x'\npassword = 'y'").contains("unknown field"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    /// Whatever is observed when: what was told to have begun and not to be over is open.
    #[test]
    fn beginnings_and_ends_alternate(
        rounds in prop::collection::vec(prop::collection::vec((0_usize..4, prop_oneof![Just(50.0), Just(10.0)]), 0..5), 1..20),
        periods in 1_u32..3,
    ) {
        let place = Place::sqlite();
        let rules = on_series(&format!("remind_hours = 300\nperiods = {periods}\n"));
        let mut store = place.open();
        for (week, found) in rounds.iter().enumerate() {
            let mut found: Vec<Observation> = found.iter().map(|(series, value)| seen(*series, week as u64, *value)).collect();
            found.sort_by(|a, b| a.key.cmp(&b.key));
            found.dedup_by(|a, b| a.key == b.key);
            judge(&mut store, &rules, &found, now(week as u64));
        }
        let mut open = std::collections::BTreeSet::new();
        for message in messages(&mut store) {
            for alert in message.alerts {
                match message.event {
                    Event::Begun => prop_assert!(open.insert(alert.fingerprint)),
                    Event::Reminder => prop_assert!(open.contains(&alert.fingerprint)),
                    Event::Over => prop_assert!(open.remove(&alert.fingerprint)),
                }
            }
        }
        let left: std::collections::BTreeSet<String> = store.open_alerts().unwrap().into_iter().map(|one| one.alert.fingerprint).collect();
        prop_assert_eq!(left, open);
    }
}

/// Thirty thousand series that all go wrong at once are no reason to be slow.
#[test]
fn all_series_at_once_are_judged_in_time() {
    let place = Place::sqlite();
    let mut store = place.open();
    let rules = on_series("");
    let all: Vec<Observation> = (0..30_000).map(|series| seen(series, 1, 50.0)).collect();
    assert_eq!(judge(&mut store, &rules, &all, now(1)).begun, 30_000);
    let rows: Vec<Actual> = vec![actual(0, 1, 1.0)];
    store.receive(&rows, now(1)).unwrap();
    assert_eq!(judge(&mut store, &rules, &all, now(2)).open, 30_000);
}

#[test]
fn costs_below_nothing_are_refused() {
    let costs = |text: &str| toml::from_str::<Rules>(&format!("[costs]\n{text}\n")).map(|rules| (rules.check(), rules));
    let (checked, known) = costs("over = 0.2\nunder = 1.0").unwrap();
    assert!(checked.is_ok());
    assert_eq!(known.costs.unwrap().usual(), Costs { over: 0.2, under: 1.0 });
    let (refused, _) = costs("under = -1.0").unwrap();
    assert_eq!(
        refused.unwrap_err().to_string(),
        "costs: `under` is what a unit costs, a number that is not below 0, not -1"
    );
    assert!(costs("too_much = 1.0").unwrap_err().to_string().contains("too_much"));
}
