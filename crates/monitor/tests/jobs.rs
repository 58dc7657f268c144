//! Jobs end once, with their files or without; tokens and sessions end when they should. In SQLite files and on PostgreSQL.

mod common;

use std::collections::BTreeSet;
use std::io::Read;

use chrono::{DateTime, TimeDelta, Utc};
use common::{Place, on_both};
use tradewind_monitor::store::{Job, JobState, NewJob, Store, Token};

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}

const LEASE: TimeDelta = TimeDelta::seconds(20);

fn add(store: &mut Store, id: &str, key: Option<&str>, request: &str, now: DateTime<Utc>) -> Option<Job> {
    let new = NewJob {
        id,
        owner: "anna",
        kind: "forecast",
        subject: "weekly",
        request,
        idempotency: key,
        most: 3,
        most_own: 9,
    };
    store.add_job(&new, now).unwrap()
}

fn end(store: &mut Store, claim: &str, mut bytes: &[u8], now: DateTime<Utc>) -> bool {
    let mut files: [(&str, &mut dyn Read); 1] = [("result", &mut bytes)];
    store.end_job(claim, JobState::Done, ("done", 7), &mut files, now).unwrap()
}

#[test]
fn a_job_is_done_once_with_its_files() {
    on_both(|place| {
        let mut store = place.open();
        let job = add(&mut store, "a", None, "{}", at(0)).unwrap();
        assert_eq!((job.state, job.tries, job.begun_at), (JobState::Queued, 0, None));
        let claimed = store.claim_job("one:1", at(1), LEASE).unwrap().unwrap();
        assert_eq!(
            (claimed.id.as_str(), claimed.state, claimed.tries, claimed.request.as_str()),
            ("a", JobState::Running, 1, "{}")
        );
        assert_eq!(store.claim_job("two:1", at(2), LEASE).unwrap(), None);
        assert!(store.extend_job("one:1", at(40), (3, 10), "fitting").unwrap());
        let now = store.job("a").unwrap().unwrap();
        assert_eq!((now.done, now.steps, now.note.as_str()), (3, 10, "fitting"));
        // Longer than a piece, and no multiple of it.
        let bytes: Vec<u8> = (0..2_500_000_u32).map(|i| (i % 251) as u8).collect();
        assert!(end(&mut store, "one:1", &bytes, at(5)));
        assert!(!end(&mut store, "one:1", b"again", at(6)), "it is over");
        let over = store.job("a").unwrap().unwrap();
        assert_eq!((over.state, over.rows, over.ended_at), (JobState::Done, 7, Some(at(5))));
        let pieces = (0..).map_while(|piece| store.job_piece("a", "result", piece).unwrap());
        assert_eq!(pieces.collect::<Vec<_>>().concat(), bytes);
        assert_eq!(store.forget_jobs(at(5)).unwrap(), 0);
        assert_eq!(store.forget_jobs(at(6)).unwrap(), 1);
        assert_eq!(store.job_piece("a", "result", 0).unwrap(), None);
    });
}

#[test]
fn whoever_lost_a_claim_ends_nothing() {
    on_both(|place| {
        let mut store = place.open();
        add(&mut store, "a", None, "{}", at(0));
        store.claim_job("one:1", at(0), LEASE).unwrap().unwrap();
        // The first was silent for too long.
        let again = store.claim_job("two:1", at(21), LEASE).unwrap().unwrap();
        assert_eq!(again.tries, 2);
        assert!(!end(&mut store, "one:1", b"late", at(22)));
        assert!(!store.extend_job("one:1", at(90), (1, 1), "").unwrap());
        assert!(!store.is_claimed("one:1").unwrap());
        assert!(end(&mut store, "two:1", b"right", at(23)));
        assert_eq!(store.job_piece("a", "result", 0).unwrap().unwrap(), b"right");
    });
}

#[test]
fn a_server_that_begins_anew_takes_its_jobs_up() {
    on_both(|place| {
        let mut store = place.open();
        add(&mut store, "a", None, "{}", at(0));
        add(&mut store, "b", None, "{}", at(1));
        store.claim_job("one:1", at(2), LEASE).unwrap().unwrap();
        store.claim_job("other:1", at(2), LEASE).unwrap().unwrap();
        assert_eq!(store.reclaim_jobs("one:").unwrap(), 1);
        assert_eq!(store.claim_job("one:2", at(3), LEASE).unwrap().unwrap().id, "a");
        assert_eq!(store.claim_job("one:3", at(3), LEASE).unwrap(), None, "the other's is in good hands");
        store.hand_back_job("one:2").unwrap();
        let back = store.job("a").unwrap().unwrap();
        assert_eq!((back.state, back.tries), (JobState::Queued, 1));
        // One at which servers die again and again is not begun for ever.
        for round in 0..20 {
            store.claim_job(&format!("one:{round}x"), at(100 * (round + 1)), LEASE).unwrap();
        }
        let dead = store.job("a").unwrap().unwrap();
        assert_eq!((dead.state, dead.tries), (JobState::Failed, 10));
    });
}

#[test]
fn a_key_stands_for_one_job_and_the_queue_is_bounded() {
    on_both(|place| {
        let mut store = place.open();
        assert_eq!(add(&mut store, "a", Some("k"), "{}", at(0)).unwrap().id, "a");
        assert_eq!(add(&mut store, "b", Some("k"), "{}", at(1)).unwrap().id, "a");
        let new = NewJob {
            id: "c",
            owner: "anna",
            kind: "forecast",
            subject: "weekly",
            request: "[]",
            idempotency: Some("k"),
            most: 3,
            most_own: 9,
        };
        assert!(store.add_job(&new, at(2)).unwrap_err().to_string().contains("another job"));
        add(&mut store, "d", Some("l"), "{}", at(2));
        add(&mut store, "e", None, "{}", at(3));
        assert_eq!(add(&mut store, "f", None, "{}", at(4)), None);
        assert_eq!(store.waiting_jobs().unwrap(), (3, 0));
        let new = NewJob {
            id: "g",
            owner: "ben",
            kind: "forecast",
            subject: "weekly",
            request: "{}",
            idempotency: None,
            most: 9,
            most_own: 0,
        };
        assert_eq!(store.add_job(&new, at(5)).unwrap(), None, "his share is used up");
        let ids = |jobs: Vec<Job>| jobs.into_iter().map(|job| job.id).collect::<Vec<_>>();
        assert_eq!(ids(store.jobs(Some("anna"), 2).unwrap()), ["e", "d"]);
        assert!(store.jobs(Some("ben"), 9).unwrap().is_empty());
        assert_eq!(store.jobs(None, 9).unwrap().len(), 3);
    });
}

#[test]
fn a_job_is_cancelled_before_it_begins_and_while_it_goes_on() {
    on_both(|place| {
        let mut store = place.open();
        add(&mut store, "a", None, "{}", at(0));
        add(&mut store, "b", None, "{}", at(1));
        store.claim_job("one:1", at(2), LEASE).unwrap().unwrap();
        assert!(store.cancel_job("b", at(3)).unwrap());
        assert_eq!(store.job("b").unwrap().unwrap().state, JobState::Cancelled);
        assert!(!store.cancel_job("b", at(4)).unwrap());
        assert!(store.cancel_job("a", at(3)).unwrap());
        assert!(store.job("a").unwrap().unwrap().stopping);
        assert!(!store.extend_job("one:1", at(90), (1, 2), "").unwrap());
        assert!(store.is_claimed("one:1").unwrap());
        // Its worker dies before it has stopped: nobody begins it again.
        assert_eq!(store.claim_job("one:2", at(60), LEASE).unwrap(), None);
        assert_eq!(store.job("a").unwrap().unwrap().state, JobState::Cancelled);
    });
}

#[test]
fn many_workers_never_have_the_same_job() {
    on_both(|place: &Place| {
        let mut store = place.open();
        for job in 0..60 {
            let id = format!("{job:02}");
            let new = NewJob {
                id: &id,
                owner: "anna",
                kind: "forecast",
                subject: "weekly",
                request: "{}",
                idempotency: None,
                most: 100,
                most_own: 100,
            };
            store.add_job(&new, at(job)).unwrap();
        }
        let claimed: Vec<Vec<String>> = std::thread::scope(|scope| {
            let worker = |worker: usize| {
                scope.spawn(move || {
                    let mut store = place.open();
                    let mut mine = Vec::new();
                    // One that loses a race looks again.
                    let mut misses = 0;
                    while misses < 20 {
                        let claim = format!("{worker}:{}:{misses}", mine.len());
                        match store.claim_job(&claim, at(100), LEASE).unwrap() {
                            Some(job) => {
                                assert!(end(&mut store, &claim, job.id.as_bytes(), at(101)));
                                mine.push(job.id);
                            }
                            None => misses += 1,
                        }
                    }
                    mine
                })
            };
            let workers: Vec<_> = (0..4).map(worker).collect();
            workers.into_iter().map(|worker| worker.join().unwrap()).collect()
        });
        let all: Vec<&String> = claimed.iter().flatten().collect();
        assert_eq!((all.len(), all.iter().collect::<BTreeSet<_>>().len()), (60, 60));
    });
}

#[test]
fn tokens_and_sessions_end_when_they_should() {
    on_both(|place| {
        let mut store = place.open();
        let token = |id: &str, name: &str| Token {
            id: id.into(),
            name: name.into(),
            role: "planner".into(),
            made_at: at(0),
            expires_at: at(1000),
            revoked_at: None,
        };
        store.add_token(&token("t1", "Anna"), "hash1").unwrap();
        assert!(store.add_token(&token("t2", "Anna"), "hash2").unwrap_err().to_string().contains("revoke it first"));
        assert_eq!(store.token("hash1").unwrap().unwrap(), token("t1", "Anna"));
        assert_eq!(store.token("hash' or '1'='1").unwrap(), None);
        assert!(token("t1", "Anna").is_valid(at(999)) && !token("t1", "Anna").is_valid(at(1000)));
        store.add_session("s", "t1", at(0), at(500)).unwrap();
        assert_eq!(store.session("s", at(100), at(-1)).unwrap().unwrap().id, "t1");
        // Seen at 100, a minute after it was last noted: idle since then.
        assert_eq!(store.session("s", at(200), at(150)).unwrap(), None);
        assert!(store.session("s", at(200), at(50)).unwrap().is_some());
        assert_eq!(store.session("s", at(500), at(0)).unwrap(), None, "it is over");
        store.end_session("s").unwrap();
        assert_eq!(store.session("s", at(210), at(0)).unwrap(), None);
        store.revoke_token("t1", at(300)).unwrap();
        assert!(!store.token("hash1").unwrap().unwrap().is_valid(at(301)));
        assert!(store.revoke_token("t1", at(301)).is_err());
        store.add_token(&Token { made_at: at(400), ..token("t3", "Anna") }, "hash3").unwrap();
        assert_eq!(store.tokens().unwrap().len(), 2);
    });
}
