//! What was stored comes back, once, from SQLite and PostgreSQL alike; and what a broken place says.
mod common;

use std::time::Duration;

use chrono::{TimeDelta, Timelike};
use common::{Place, actual, date, flat, issue, key, now, on_both};
use proptest::prelude::*;
use tradewind_monitor::overrides::{How, Override};
use tradewind_monitor::store::{Actual, Issue, Kind, Options, Overridden, Stated, Store};

#[test]
fn an_issue_is_stored_once() {
    on_both(|place| {
        let mut store = place.open();
        let first = issue("ets", 0, 3);
        let stored = store.issue(&first, [flat(0, 10.0, 3), flat(1, 20.0, 3)], now(0)).unwrap();
        assert_eq!((stored.stored, stored.series, stored.new_series, stored.clock_ahead), (true, 2, 2, None));
        let again = store.issue(&first, [flat(0, 99.0, 3)], now(1)).unwrap();
        assert_eq!((again.id, again.stored, again.series), (stored.id, false, 2));
        // The same run and another model is another issue; the naive forecast of the same model as well.
        let mut other = issue("theta", 0, 3);
        assert!(store.issue(&other, [flat(0, 11.0, 3)], now(0)).unwrap().stored);
        other.kind = Kind::Naive;
        assert!(store.issue(&other, [flat(0, 12.0, 3)], now(0)).unwrap().stored);
        drop(store);

        let mut store = place.open();
        let issues = store.issues().unwrap();
        assert_eq!(issues.len(), 3);
        assert_eq!(issues[0].issue, first);
        let forecast = store.forecast(&issues[0], &key(1)).unwrap().unwrap();
        assert_eq!((forecast.scale, forecast.mean), (2.0, vec![20.0; 3]));
        assert_eq!(forecast.quantiles, vec![vec![18.0, 22.0]; 3]);
        assert_eq!(store.forecast(&issues[2], &key(1)).unwrap(), None);
        let tracks = store.tracks().unwrap();
        let names: Vec<(&str, Kind)> = tracks.iter().map(|track| (track.model.as_str(), track.kind)).collect();
        assert_eq!(names, [("ets", Kind::Statistical), ("theta", Kind::Statistical), ("theta", Kind::Naive)]);
        assert_eq!(tracks[0].newest, None);
    });
}

#[test]
fn an_issue_that_is_not_whole_leaves_nothing() {
    on_both(|place| {
        let mut store = place.open();
        let first = issue("ets", 0, 3);
        let refused = |store: &mut Store, rows, what: &str| {
            let error = store.issue(&first, rows, now(0)).unwrap_err();
            assert!(error.is_data() && error.to_string().contains(what), "{error}");
        };
        refused(&mut store, vec![flat(0, 10.0, 3), flat(1, 10.0, 2)], "must have 3 steps of a mean and 2 quantiles");
        refused(&mut store, vec![flat(0, 10.0, 3), flat(0, 11.0, 3)], "has 1 series twice");
        assert!(store.issues().unwrap().is_empty() && store.tracks().unwrap().is_empty());
        let mut keys = 0;
        store
            .series(|_, _| {
                keys += 1;
                Ok(())
            })
            .unwrap();
        assert_eq!(keys, 0, "series are not kept either");
        let mut wrong = issue("ets", 0, 3);
        wrong.levels = vec![0.9, 0.1];
        assert!(store.issue(&wrong, [], now(0)).unwrap_err().to_string().contains("must rise between 0 and 1"));
        wrong = issue("ets", 0, 3);
        wrong.dates.reverse();
        assert!(store.issue(&wrong, [], now(0)).unwrap_err().to_string().contains("not in order"));
        wrong.dates.clear();
        assert!(store.issue(&wrong, [], now(0)).unwrap_err().to_string().contains("has no step"));
    });
}

#[test]
fn a_clock_that_runs_ahead_is_told() {
    on_both(|place| {
        let issued = place.open().issue(&issue("ets", 1, 3), [flat(0, 10.0, 3)], now(0)).unwrap();
        assert_eq!((issued.stored, issued.clock_ahead), (true, Some(TimeDelta::weeks(1))));
    });
}

#[test]
fn actuals_twice_corrected_unknown_and_to_come() {
    on_both(|place| {
        let mut store = place.open();
        store.issue(&issue("ets", 0, 3), [flat(0, 10.0, 3)], now(0)).unwrap();
        let rows =
            [actual(0, 1, 12.0), actual(7, 1, 3.0), actual(0, 9, 1.0), actual(0, 0, f64::NAN), actual(0, 1, 12.0)];
        let received = store.receive(&rows, now(1)).unwrap();
        assert_eq!((received.stored, received.corrected, received.unchanged), (2, 0, 1));
        assert_eq!((received.unknown, received.unknown_series.clone()), (1, vec![key(7)]));
        assert_eq!((received.refused, received.refusals[0].row, received.refusals[1].row), (2, 2, 3));
        assert!(received.refusals[0].reason.contains("still to come"), "{:?}", received.refusals);
        assert!(received.refusals[1].reason.contains("no number"));

        let again = store.receive(&rows, now(1)).unwrap();
        assert_eq!((again.stored, again.corrected, again.unchanged, again.unknown), (0, 0, 3, 0));
        let corrected = store.receive(&[actual(0, 1, 13.0), actual(0, 1, 14.0)], now(2)).unwrap();
        assert_eq!((corrected.stored, corrected.corrected), (0, 2));
        assert_eq!(store.actual(&key(0), date(1)).unwrap(), Some(14.0));
        let former = store.former(&key(0), date(1)).unwrap();
        let values: Vec<(f64, u32)> = former.iter().map(|one| (one.value, one.received_at.hour())).collect();
        assert_eq!(values, [(12.0, 0), (13.0, 0)]);
        assert_eq!((former[0].received_at, former[1].received_at), (now(1), now(2)));
        assert_eq!(store.actual(&key(99), date(1)).unwrap(), None);
        assert!(store.former(&key(99), date(1)).unwrap().is_empty());

        // Tomorrow, within the tolerance, is no date to come: clocks and time zones differ.
        let tomorrow = Actual { at: date(2) + TimeDelta::hours(20), ..actual(0, 2, 1.0) };
        assert_eq!(store.receive(&[tomorrow], now(2)).unwrap().stored, 1);
    });
}

#[test]
fn states_and_overrides_come_back() {
    on_both(|place| {
        let mut store = place.open();
        store.keep_states("cusum", &[(3, vec![1, 2]), (-1, vec![])]).unwrap();
        store.keep_states("cusum", &[(3, vec![9])]).unwrap();
        store.keep_states("ewma", &[(3, vec![7])]).unwrap();
        assert_eq!(store.states("cusum").unwrap(), [(-1, vec![]), (3, vec![9])]);
        let made = Overridden {
            key: key(0),
            at: date(3),
            made_at: now(1),
            author: "Ana".into(),
            before: 10.0,
            after: 15.0,
            reason: "promotion moved".into(),
        };
        store.keep_overridden(std::slice::from_ref(&made)).unwrap();
        store.keep_overridden(std::slice::from_ref(&made)).unwrap();
        assert_eq!(store.overridden().unwrap(), [made]);

        let change = Override {
            id: "17".into(),
            author: "Ana".into(),
            reason: "promotion moved".into(),
            made_at: now(1),
            expires: None,
            selection: [("item".to_string(), "a".to_string())].into(),
            from: date(3).date(),
            to: date(4).date(),
            how: How::Percent(12.5),
        };
        store.state_override(&change).unwrap();
        assert!(store.state_override(&change).unwrap_err().to_string().contains("there is an override `17` already"));
        let stated = |store: &mut Store| store.stated_overrides().unwrap();
        assert_eq!(stated(&mut store), [Stated { change: change.clone(), withdrawn_at: None }]);
        store.withdraw_override("17", now(2)).unwrap();
        assert!(store.withdraw_override("17", now(3)).unwrap_err().is_usage());
        assert_eq!(stated(&mut place.open()), [Stated { change, withdrawn_at: Some(now(2)) }]);
    });
}

#[test]
fn a_place_that_is_no_store_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let error = |place: &str| Store::open(place, Options::default()).err().unwrap();

    std::fs::write(at("notes.txt"), "store,item,week\n".repeat(1000)).unwrap();
    let text = error(&at("notes.txt"));
    assert!(text.is_data() && text.to_string().contains("not an SQLite database"), "{text}");
    assert!(std::fs::read_to_string(at("notes.txt")).unwrap().starts_with("store,item"), "and leaves it alone");

    let other = rusqlite::Connection::open(at("other.db")).unwrap();
    other.execute_batch("create table sales (id int); insert into sales values (1)").unwrap();
    drop(other);
    let text = error(&at("other.db"));
    assert!(text.is_usage() && text.to_string().contains("of another program"), "{text}");

    assert!(error(&at("missing/monitor.db")).to_string().contains("its folder must exist"));
    assert!(error(&folder.path().to_string_lossy()).is_io());
}

#[test]
fn a_damaged_store_says_what_to_do() {
    let place = Place::sqlite();
    let mut store = place.open();
    for week in 0..4 {
        store.issue(&issue("ets", week, 13), (0..300).map(|series| flat(series, 10.0, 13)), now(week)).unwrap();
    }
    drop(store);
    let whole = std::fs::read(&place.place).unwrap();
    let mut broken = whole.clone();
    let middle = broken.len() / 2;
    broken[middle..middle + 40_000].fill(0x5a);
    std::fs::write(&place.place, &broken).unwrap();
    let error = Store::open(&place.place, Options::default()).err().unwrap();
    assert!(error.is_data() && error.to_string().contains("restore it from a backup, or save"), "{error}");
    // Cut off, as by a copy that was interrupted.
    std::fs::write(&place.place, &whole[..whole.len() / 2]).unwrap();
    assert!(Store::open(&place.place, Options::default()).err().unwrap().is_data());
    std::fs::write(&place.place, &whole).unwrap();
    assert_eq!(place.open().issues().unwrap().len(), 4);
}

#[test]
fn a_newer_store_is_left_alone() {
    on_both(|place| {
        drop(place.open());
        if place.place.starts_with("postgres") {
            #[cfg(feature = "postgres")]
            {
                let mut client = postgres::Client::connect(&place.place, postgres::NoTls).unwrap();
                client.batch_execute(&format!("update {}.version set number = 99", place.options.schema)).unwrap();
            }
        } else {
            rusqlite::Connection::open(&place.place).unwrap().execute_batch("pragma user_version = 99").unwrap();
        }
        let error = Store::open(&place.place, place.options.clone()).err().unwrap();
        assert!(error.to_string().contains("newer version of Tradewind (format 99"), "{error}");
    });
}

/// A file system of 2 MB, gone with this; none where it cannot be mounted.
struct Small(tempfile::TempDir);

impl Small {
    fn new(test: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        if Self::mount(folder.path(), "size=2m") {
            return Some(Self(folder));
        }
        println!("skipped: {test}: no file system can be mounted here");
        None
    }

    fn mount(at: &std::path::Path, options: &str) -> bool {
        let mut mount = std::process::Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(at).output().is_ok_and(|done| done.status.success())
    }

    fn place(&self) -> String {
        self.0.path().join("monitor.db").to_string_lossy().into_owned()
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(self.0.path()).status();
    }
}

#[test]
fn a_store_that_may_not_be_written_says_so() {
    let Some(small) = Small::new("a_store_that_may_not_be_written_says_so") else { return };
    drop(Store::open(&small.place(), Options::default()).unwrap());
    assert!(Small::mount(small.0.path(), "remount,ro"));
    let error = Store::open(&small.place(), Options::default()).err().unwrap();
    assert!(error.is_io() && error.to_string().contains("write"), "{error}");
}

#[cfg(not(feature = "postgres"))]
#[test]
fn what_was_left_out_says_so() {
    let error = Store::open("postgres://127.0.0.1/shop", Options::default()).err().unwrap();
    assert!(error.is_usage() && error.to_string().contains("built without PostgreSQL"), "{error}");
}

#[cfg(feature = "postgres")]
#[test]
fn a_password_is_in_no_error() {
    let error = |url: &str| {
        let error = Store::open(url, Options::default()).err().unwrap().to_string();
        assert!(!error.contains("s3cret"), "{error}");
        error
    };
    assert!(error("postgres://me:s3cret@127.0.0.1:1/shop").contains("postgres://127.0.0.1:1/shop")); // tree-check: allow
    assert!(error("postgres://me:s3cret@127.0.0.1:1/shop?sslmode=s3cret").contains("no address of a server")); // tree-check: allow
    assert!(error("postgres://me:s3cret@127.0.0.1:port/shop?password=s3cret").contains("no address of a server")); // tree-check: allow
}

#[test]
fn one_waits_while_another_writes() {
    on_both(|place| {
        drop(place.open());
        let write = |writer: usize| {
            let mut store = place.open();
            for week in 0..5 {
                let mut own = issue(&format!("model {writer}"), week, 4);
                own.run = format!("run {week} of {writer}");
                store.issue(&own, (0..50).map(|series| flat(series, 10.0, 4)), now(week)).unwrap();
                let rows: Vec<Actual> = (0..50).map(|series| actual(series, week, writer as f64)).collect();
                store.receive(&rows, now(week)).unwrap();
                store.score().unwrap();
            }
        };
        let write = &write;
        std::thread::scope(|scope| {
            for writer in 0..3 {
                scope.spawn(move || write(writer));
            }
        });
        let mut store = place.open();
        store.score().unwrap();
        assert_eq!((store.issues().unwrap().len(), store.tracks().unwrap().len()), (15, 3));
        let mut keys = 0;
        store
            .series(|_, _| {
                keys += 1;
                Ok(())
            })
            .unwrap();
        assert_eq!(keys, 50);
    });
}

#[test]
fn a_run_is_released_once() {
    on_both(|place| {
        drop(place.open());
        let release = |planner: usize| {
            let of = |kind| (Issue { kind, ..issue("ets", 1, 4) }, vec![flat(0, 10.0 + planner as f64, 4)]);
            let changed = Overridden {
                key: key(0),
                at: date(2),
                made_at: now(1),
                author: format!("planner {planner}"),
                before: 10.0,
                after: 12.0,
                reason: "promotion".into(),
            };
            let issues = vec![of(Kind::Statistical), of(Kind::Override), of(Kind::Released)];
            place.open().release(issues, &[changed], now(1)).unwrap()
        };
        let release = &release;
        let stored = std::thread::scope(|scope| {
            let planners: Vec<_> = (0..4).map(|planner| scope.spawn(move || release(planner))).collect();
            planners.into_iter().map(|planner| planner.join().unwrap()).filter(|stored| *stored).count()
        });
        let mut store = place.open();
        assert_eq!((stored, store.issues().unwrap().len(), store.overridden().unwrap().len()), (1, 3, 1));
    });
}

#[test]
fn one_that_waits_too_long_is_told() {
    let place = Place::sqlite();
    drop(place.open());
    let holder = rusqlite::Connection::open(&place.place).unwrap();
    holder.execute_batch("begin immediate").unwrap();
    let mut store =
        Store::open(&place.place, Options { busy: Duration::from_millis(20), ..Options::default() }).unwrap();
    let error = store.receive(&[actual(0, 1, 1.0)], now(1)).unwrap_err();
    assert!(error.is_io() && error.to_string().contains("in use by another process"), "{error}");
    holder.execute_batch("commit").unwrap();
    assert_eq!(store.receive(&[actual(0, 1, 1.0)], now(1)).unwrap().stored, 1);
}

#[test]
fn a_full_disk_stores_nothing_of_a_step() {
    let Some(small) = Small::new("a_full_disk_stores_nothing_of_a_step") else { return };
    let mut store = Store::open(&small.place(), Options::default()).unwrap();
    let kept = store.issue(&issue("ets", 0, 13), (0..50).map(|series| flat(series, 10.0, 13)), now(0)).unwrap();
    let error =
        store.issue(&issue("ets", 1, 13), (0..20_000).map(|series| flat(series, 10.0, 13)), now(1)).unwrap_err();
    assert!(error.is_io() && error.to_string().contains("no space left"), "{error}");
    assert_eq!(store.issues().unwrap().len(), 1);
    drop(store);
    let mut store = Store::open(&small.place(), Options::default()).unwrap();
    assert_eq!(store.issues().unwrap()[0].id, kept.id);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn every_forecast_comes_back_bit_by_bit(
        rows in prop::collection::btree_map("[a-z\"\\\\\u{e9}\u{1f600} ]{0,6}", prop::collection::vec(any::<u64>(), 6), 1..8),
    ) {
        let place = Place::sqlite();
        let mut store = place.open();
        let of = |bits: &[u64]| bits.iter().map(|bits| f64::from_bits(*bits)).collect::<Vec<f64>>();
        let forecasts = rows.iter().map(|(name, bits)| tradewind_monitor::store::SeriesForecast {
            key: vec![name.clone(), "x".into()],
            scale: 1.0,
            mean: of(&bits[..2]),
            quantiles: vec![of(&bits[2..4]), of(&bits[4..])],
        });
        store.issue(&issue("ets", 0, 2), forecasts, now(0)).unwrap();
        let past = store.issues().unwrap().remove(0);
        for (name, bits) in &rows {
            let back = store.forecast(&past, &[name.clone(), "x".into()]).unwrap().unwrap();
            let found: Vec<u64> = back.mean.iter().chain(back.quantiles.iter().flatten()).map(|value| value.to_bits()).collect();
            prop_assert_eq!(&found, bits);
        }
    }
}
