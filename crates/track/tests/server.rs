//! Does everything get to a server once, whatever goes wrong on the way?
//!
//! The server is the small one of `fake`, which has MLflow's answers; `mlflow.rs` asks the real one.

mod fake;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use fake::{Fake, Fault};
use tradewind_track::{Dataset, Filter, Metric, ServerOptions, Status, Tracker};

fn options() -> ServerOptions {
    ServerOptions {
        timeout: Duration::from_millis(500),
        retries: 2,
        pause: Duration::from_millis(1),
        ..ServerOptions::default()
    }
}

fn tracker(url: &str, outbox: &Path) -> Tracker {
    Tracker::server_with(url, outbox, options()).unwrap()
}

/// A run with one of everything, and trials below it.
fn work(tracker: &Tracker, trials: usize) -> String {
    let run = tracker.start("search", "all", &[("market", "north")]).unwrap();
    run.params([("theta(season=52)", "1"), ("horizon", "13")]).unwrap();
    run.metrics((0..5).map(|step| Metric::now("loss", 1.0 / f64::from(step + 1)).at(step.into()))).unwrap();
    run.metrics([Metric::now("odd", f64::NAN), Metric::now("far", f64::INFINITY)]).unwrap();
    let dataset =
        Dataset { name: "sales".into(), digest: "abc".into(), source_type: "local".into(), ..Dataset::default() };
    run.input(&dataset).unwrap();
    run.artifact("model/fit.bin", b"fit").unwrap();
    for number in 0..trials {
        let trial = run.child(&format!("trial {number}")).unwrap();
        trial.params([("alpha", format!("0.{number}"))]).unwrap();
        trial.metrics([Metric::now("rmse", number as f64)]).unwrap();
        trial.finish(Status::Finished).unwrap();
    }
    run.finish(Status::Finished).unwrap();
    run.id().to_owned()
}

/// The server has exactly what [`work`] says.
fn check(fake: &Fake, trials: usize) {
    let runs = fake.runs();
    assert_eq!(runs.len(), trials + 1, "runs on the server");
    let names: BTreeMap<&str, &fake::Run> = runs.iter().map(|run| (run.name.as_str(), run)).collect();
    assert_eq!(names.len(), trials + 1, "names on the server");
    let all = names["all"];
    assert_eq!(all.params.len(), 2);
    assert_eq!(all.params["horizon"], "13");
    assert_eq!(all.metrics.iter().filter(|metric| metric.0 == "loss").count(), 5);
    let value = |key: &str| all.metrics.iter().find(|metric| metric.0 == key).unwrap().1.clone();
    assert_eq!((value("odd"), value("far")), ("NaN".to_owned(), "Infinity".to_owned()));
    assert_eq!(all.inputs, ["sales"]);
    let world = fake.world.lock().unwrap();
    assert_eq!(world.artifacts.len(), 1);
    assert_eq!(world.artifacts.values().next().unwrap(), b"fit");
    let parent = world.runs.iter().find(|(_, run)| run.name == "all" && run.status != "DELETED").unwrap().0;
    for run in runs.iter().filter(|run| run.name != "all") {
        assert_eq!(&run.tags["mlflow.parentRunId"], parent);
        assert_eq!((run.params.len(), run.metrics.len()), (1, 1));
    }
    assert!(runs.iter().all(|run| run.status == "FINISHED" && run.end > 0));
}

#[test]
fn everything_arrives_and_is_not_sent_again() {
    let (fake, folder) = (Fake::healthy(), tempfile::tempdir().unwrap());
    let tracker = tracker(&fake.url, folder.path());
    work(&tracker, 20);
    let synced = tracker.sync().unwrap();
    assert_eq!((synced.pending, synced.refused.len()), (0, 0));
    assert!(synced.stopped.is_none());
    check(&fake, 20);
    let requests = fake.world.lock().unwrap().verbs.len();
    assert_eq!(tracker.sync().unwrap().runs, 0);
    assert_eq!(fake.world.lock().unwrap().verbs.len(), requests);
}

#[test]
fn any_lost_request_or_answer_costs_nothing() {
    let trials = 2;
    for fault in [Fault::Before, Fault::After, Fault::Cut, Fault::Answer(500, "", "oops")] {
        for fatal in 0.. {
            let (fake, folder) = (Fake::healthy(), tempfile::tempdir().unwrap());
            let lost = fault.clone();
            fake.change(move |number, _| if number == fatal { lost.clone() } else { Fault::None });
            // Without another try, so that the next `sync` has to find out what became of it.
            let impatient = ServerOptions { retries: 0, parallel: 2, ..options() };
            let tracker = Tracker::server_with(&fake.url, folder.path(), impatient).unwrap();
            work(&tracker, trials);
            for _ in 0..4 {
                drop(tracker.sync().unwrap());
            }
            check(&fake, trials);
            if fake.count.load(std::sync::atomic::Ordering::SeqCst) <= fatal {
                break;
            }
        }
    }
}

#[test]
fn a_server_that_is_away_does_not_slow_the_work() {
    let folder = tempfile::tempdir().unwrap();
    let fake = Fake::start(|_, _| Fault::Hang(Duration::from_secs(2)));
    let tracker = tracker(&fake.url, folder.path());
    let began = Instant::now();
    work(&tracker, 200);
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    let synced = tracker.sync().unwrap();
    assert!(synced.stopped.unwrap().is_away());
    assert_eq!(synced.pending, 201);
    let listing = tracker.runs(&Filter::new().experiment("search")).unwrap();
    assert_eq!(listing.runs.len(), 201);
    assert!(listing.away.is_some());
    fake.change(|_, _| Fault::None);
    assert_eq!(tracker.sync().unwrap().pending, 0);
    check(&fake, 200);
}

#[test]
fn strange_answers_are_no_refusals() {
    let html = "<html>a proxy</html>";
    for answer in [(200, html), (404, html), (400, html), (302, html), (200, "{\"runs\": ["), (429, "{}"), (503, html)]
    {
        let folder = tempfile::tempdir().unwrap();
        let fake = Fake::start(move |_, _| Fault::Answer(answer.0, "Retry-After: 0\r\n", answer.1));
        let tracker = tracker(&fake.url, folder.path());
        work(&tracker, 1);
        let synced = tracker.sync().unwrap();
        assert!(synced.refused.is_empty() && synced.unreadable.is_empty(), "{synced:?}");
        assert!(synced.stopped.unwrap().is_away(), "{answer:?}");
        fake.change(|_, _| Fault::None);
        assert_eq!(tracker.sync().unwrap().pending, 0);
        check(&fake, 1);
    }
}

#[test]
fn a_wrong_token_is_said_in_one_sentence() {
    for status in [401, 403] {
        let folder = tempfile::tempdir().unwrap();
        let fake = Fake::start(move |_, _| Fault::Answer(status, "", "no"));
        let url = fake.url.replace("http://", "http://ann:s3cret@"); // tree-check: allow
        let tracker = tracker(&url, folder.path());
        work(&tracker, 1);
        let error = tracker.sync().unwrap().stopped.unwrap();
        assert!(error.is_denied());
        let text = format!("{error} {tracker:?} {}", tracker.home());
        assert!(text.contains("MLFLOW_TRACKING_TOKEN") && !text.contains("s3cret") && !text.contains("ann"), "{text}");
        fake.change(|_, _| Fault::None);
        assert_eq!(tracker.sync().unwrap().pending, 0);
        check(&fake, 1);
        let heads = &fake.world.lock().unwrap().heads;
        assert!(heads.iter().all(|head| head.to_lowercase().contains("authorization: basic yw5uonmzy3jlda==")));
        // Nor does the outbox know it.
        let mut files = vec![folder.path().to_path_buf()];
        while let Some(path) = files.pop() {
            if path.is_dir() {
                files.extend(path.read_dir().unwrap().flatten().map(|entry| entry.path()));
            } else {
                assert!(!String::from_utf8_lossy(&std::fs::read(&path).unwrap()).contains("s3cret"), "{path:?}");
            }
        }
    }
}

#[test]
fn what_the_server_refuses_is_told_and_the_rest_goes_on() {
    let (fake, folder) = (Fake::healthy(), tempfile::tempdir().unwrap());
    let tracker = tracker(&fake.url, folder.path());
    let run = tracker.start("search", "one", &[]).unwrap();
    run.params((0..250).map(|number| (format!("p{number}"), "1"))).unwrap();
    run.params([("bad", "1")]).unwrap();
    run.metrics((0..2_500).map(|step| Metric::now("loss", 1.0).at(step))).unwrap();
    run.finish(Status::Finished).unwrap();
    let synced = tracker.sync().unwrap();
    assert_eq!(synced.pending, 0);
    assert_eq!(synced.refused.len(), 1);
    assert_eq!((synced.refused[0].of.as_str(), synced.refused[0].item.as_str()), (run.id(), "param bad"));
    let there = &fake.runs()[0];
    assert_eq!((there.params.len(), there.metrics.len()), (250, 2_500));
    // It is still told, and not tried again.
    let requests = fake.world.lock().unwrap().verbs.len();
    assert_eq!(tracker.sync().unwrap().refused.len(), 1);
    assert_eq!(fake.world.lock().unwrap().verbs.len(), requests);
}

#[test]
fn an_experiment_that_was_deleted_on_the_server_comes_back() {
    let (fake, folder) = (Fake::healthy(), tempfile::tempdir().unwrap());
    let tracker = tracker(&fake.url, folder.path());
    work(&tracker, 1);
    assert_eq!(tracker.sync().unwrap().pending, 0);
    fake.world.lock().unwrap().experiments[0].1 = false;
    let late = tracker.start("search", "late", &[]).unwrap();
    late.finish(Status::Failed).unwrap();
    assert_eq!(tracker.sync().unwrap().pending, 0);
    assert!(fake.world.lock().unwrap().experiments[0].1);
    assert_eq!(fake.runs().len(), 3);
    // A server that was set up anew gets everything once more, at the next news of each run.
    *fake.world.lock().unwrap() = fake::World::default();
    late.tags([("note", "again")]).unwrap();
    assert_eq!(tracker.sync().unwrap().pending, 0);
    assert_eq!(fake.runs().len(), 1);
    assert_eq!(fake.runs()[0].status, "FAILED");
}

#[test]
fn a_lost_or_broken_journal_doubles_nothing() {
    for damage in ["", "{half\n", "\u{fffd}\n\n{\"created\":1}\n"] {
        let (fake, folder) = (Fake::healthy(), tempfile::tempdir().unwrap());
        let first = tracker(&fake.url, folder.path());
        work(&first, 3);
        assert_eq!(first.sync().unwrap().pending, 0);
        drop(first);
        std::fs::write(folder.path().join(".tradewind-journal"), damage).unwrap();
        let second = tracker(&fake.url, folder.path());
        assert_eq!(second.sync().unwrap().pending, 0);
        check(&fake, 3);
    }
}

#[test]
fn two_that_sync_at_once_send_once() {
    let (fake, folder) = (Fake::start(|_, _| Fault::Before), tempfile::tempdir().unwrap());
    work(&tracker(&fake.url, folder.path()), 10);
    fake.change(|_, _| Fault::None);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            // Each with a journal and locks of its own, as processes have.
            scope.spawn(|| assert_eq!(tracker(&fake.url, folder.path()).sync().unwrap().pending, 0));
        }
    });
    check(&fake, 10);
}

#[test]
fn versions_and_aliases_wait_for_the_server() {
    let (fake, folder) = (Fake::start(|_, _| Fault::Before), tempfile::tempdir().unwrap());
    let tracker = tracker(&fake.url, folder.path());
    let run = work(&tracker, 0);
    let version = tracker.register("sales", &run, "model", &[("kind", "theta")]).unwrap();
    assert!(version.is_pending());
    tracker.alias("sales", "champion", version.number).unwrap();
    assert_eq!(tracker.version_by_alias("sales", "champion").unwrap(), tracker.versions("sales").unwrap()[0]);
    assert!(tracker.alias("sales", "latest", version.number).unwrap_err().is_usage());
    // The answer to the making of the version is lost.
    fake.change(|_, verb| if verb == "model-versions/create" { Fault::After } else { Fault::None });
    assert!(tracker.sync().unwrap().stopped.is_none());
    fake.change(|_, _| Fault::None);
    assert_eq!(tracker.sync().unwrap().pending, 0);
    check(&fake, 0);
    assert_eq!(fake.world.lock().unwrap().versions.len(), 1);
    let found = tracker.version_by_alias("sales", "champion").unwrap();
    assert_eq!((found.number, found.aliases.as_slice()), (1, &["champion".to_owned()][..]));
    assert_eq!(found.tags["kind"], "theta");
    assert_eq!(tracker.versions("sales").unwrap().len(), 1);
    // The provisional number still leads there.
    tracker.alias("sales", "best", version.number).unwrap();
    assert_eq!(fake.world.lock().unwrap().aliases["best"], "1");
    let second = tracker.register("sales", &run, "model", &[]).unwrap();
    assert_eq!(second.number, 2);
    tracker.unalias("sales", "best").unwrap();
    assert!(tracker.version_by_alias("sales", "best").unwrap_err().is_missing());
}

#[test]
fn what_follows_the_end_is_sent_as_well() {
    let (fake, folder) = (Fake::healthy(), tempfile::tempdir().unwrap());
    let tracker = tracker(&fake.url, folder.path());
    let run = work(&tracker, 0);
    assert_eq!(tracker.sync().unwrap().pending, 0);
    let run = tracker.resume(&run).unwrap();
    run.tags([("verdict", "good")]).unwrap();
    run.artifact("more.txt", b"more").unwrap();
    assert_eq!(tracker.sync().unwrap().pending, 0);
    assert_eq!(fake.runs()[0].tags["verdict"], "good");
    assert_eq!(fake.world.lock().unwrap().artifacts.len(), 2);
}

#[test]
fn a_refused_part_does_not_spoil_the_version() {
    let (fake, folder) = (Fake::healthy(), tempfile::tempdir().unwrap());
    let tracker = tracker(&fake.url, folder.path());
    let run = tracker.start("search", "one", &[]).unwrap();
    run.params([("bad", "1")]).unwrap();
    assert_eq!(tracker.register("sales", run.id(), "model", &[]).unwrap().number, 1);
    fake.change(|_, verb| match verb {
        "registered-models/alias" => Fault::Answer(400, "", "{\"error_code\": \"INVALID\", \"message\": \"not this\"}"),
        _ => Fault::None,
    });
    let error = tracker.alias("sales", "best", 1).unwrap_err();
    assert!(error.is_refused() && error.to_string().contains("not this"), "{error}");
    let mut items: Vec<String> = tracker.sync().unwrap().refused.into_iter().map(|refusal| refusal.item).collect();
    items.sort();
    assert_eq!(items, ["alias best", "param bad"]);
}

/// Not a test of its own: the program that is killed below.
#[test]
fn killed_worker() {
    let Ok(place) = std::env::var("TRADEWIND_TRACK_KILLED") else { return };
    let (url, folder) = place.split_once(' ').unwrap();
    let tracker = tracker(url, Path::new(folder));
    if !Path::new(folder).join("worked").exists() {
        work(&tracker, 30);
        std::fs::write(Path::new(folder).join("worked"), "").unwrap();
    }
    drop(tracker.sync().unwrap());
}

#[test]
fn a_kill_at_any_moment_loses_and_doubles_nothing() {
    let mut killed = 0;
    for kill_at in (1..100).step_by(7) {
        let (fake, folder) = (Fake::healthy(), tempfile::tempdir().unwrap());
        let spawn = || {
            Command::new(std::env::current_exe().unwrap())
                .args(["killed_worker", "--exact"])
                .env("TRADEWIND_TRACK_KILLED", format!("{} {}", fake.url, folder.path().display()))
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap()
        };
        let worked = folder.path().join("worked");
        let mut child = spawn();
        while !(worked.exists() && fake.count.load(std::sync::atomic::Ordering::SeqCst) >= kill_at) {
            if child.try_wait().unwrap().is_some() {
                break;
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        killed += usize::from(child.try_wait().unwrap().is_none());
        let _ = child.kill();
        child.wait().unwrap();
        assert!(spawn().wait().unwrap().success());
        check(&fake, 30);
    }
    assert!(killed > 5, "{killed} of 15 were killed in time");
}
