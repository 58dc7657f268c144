//! Processes that write at once, and one that is killed: each state that is found is whole.
//!
//! The writers are this program itself, told by the environment.
mod common;

use std::process::{Child, Command};

use common::{actual, flat, issue, key, now, on_both};
use tradewind_monitor::store::{Actual, Options, Store};

const SERIES: usize = 2000;

/// What a writer does: weeks without end, or as many as it is told.
#[test]
fn a_writer() {
    let (Ok(place), Ok(schema)) = (std::env::var("WRITER_PLACE"), std::env::var("WRITER_SCHEMA")) else { return };
    let name = std::env::var("WRITER_NAME").unwrap();
    let weeks: u64 = std::env::var("WRITER_WEEKS").unwrap().parse().unwrap();
    let mut store = Store::open(&place, Options { schema, ..Options::default() }).unwrap();
    for week in 0..weeks {
        let own = issue(&name, week, 2);
        store.issue(&own, (0..SERIES).map(|series| flat(series, 10.0, 2)), now(week)).unwrap();
        let rows: Vec<Actual> = (0..SERIES).map(|series| actual(series, week + 1, 11.0)).collect();
        store.receive(&rows, now(week + 1)).unwrap();
        store.score().unwrap();
    }
}

fn writer(place: &common::Place, name: &str, weeks: u64) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["a_writer", "--exact", "--quiet"])
        .env("WRITER_PLACE", &place.place)
        .env("WRITER_SCHEMA", &place.options.schema)
        .env("WRITER_NAME", name)
        .env("WRITER_WEEKS", weeks.to_string())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn two_processes_write_at_once() {
    on_both(|place| {
        let mut writers = [writer(place, "ets", 6), writer(place, "theta", 6)];
        for writer in &mut writers {
            assert!(writer.wait().unwrap().success());
        }
        let mut store = place.open();
        store.score().unwrap();
        assert_eq!(store.issues().unwrap().len(), 12);
        for track in store.tracks().unwrap() {
            let sums = store.portfolio(track.id, 13).unwrap();
            assert_eq!((sums[0].count, sums[1].count), (6 * SERIES as u32, 5 * SERIES as u32), "{}", track.model);
        }
    });
}

#[test]
fn a_store_is_made_once_when_many_open_it_at_once() {
    on_both(|place| {
        std::thread::scope(|scope| {
            let openers: Vec<_> = (0..8).map(|_| scope.spawn(|| place.open().tracks().unwrap())).collect();
            openers.into_iter().for_each(|opener| assert!(opener.join().unwrap().is_empty()));
        });
    });
}

#[test]
fn a_process_that_is_killed_leaves_a_whole_state() {
    on_both(|place| {
        let mut watched = place.open();
        for kill in 1..=4 {
            let mut killed = writer(place, &format!("model {kill}"), 10_000);
            // In the midst of its writing, each time at another moment.
            let wanted = watched.issues().unwrap().len() + kill;
            while watched.issues().unwrap().len() < wanted {
                assert!(killed.try_wait().unwrap().is_none(), "the writer ended");
                std::thread::yield_now();
            }
            killed.kill().unwrap();
            killed.wait().unwrap();
            let mut store = place.open();
            store.score().unwrap();
            for past in store.issues().unwrap() {
                assert_eq!(past.series, SERIES);
                assert!(store.forecast(&past, &key(SERIES - 1)).unwrap().is_some());
            }
            for track in store.tracks().unwrap() {
                let steps = store.portfolio(track.id, 52).unwrap();
                assert!(steps.iter().all(|sums| sums.count % SERIES as u32 == 0), "{steps:?}");
            }
        }
    });
}
