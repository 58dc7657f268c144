//! Is what a folder holds right, whatever happens to it?

use std::time::{Duration, Instant};

use tradewind_track::{Dataset, Filter, Metric, Status, Tracker};

fn home() -> (tempfile::TempDir, Tracker) {
    let folder = tempfile::tempdir().unwrap();
    let tracker = Tracker::local(folder.path().join("mlruns")).unwrap();
    (folder, tracker)
}

#[test]
fn what_was_recorded_is_read_back() {
    let (folder, tracker) = home();
    let run = tracker.start("NO", "12:30", &[("market", "north")]).unwrap();
    run.params([("season", "52"), ("text", "a\r\nb: {c} 'd' \"e\"")]).unwrap();
    // The order of logging is not that of the steps; at equal step and time the greatest counts.
    let at = |value: f64, step, time| Metric { key: "rmse".into(), value, step, time };
    run.metrics([at(5.0, 2, 20), at(7.0, 2, 20), at(1.0, 1, 30), at(f64::NEG_INFINITY, 0, 5)]).unwrap();
    run.metrics([Metric::now("odd", f64::NAN)]).unwrap();
    let dataset = Dataset {
        name: "sales".into(),
        digest: "2024-01-01".into(),
        source_type: "local".into(),
        source: "sales.csv".into(),
        context: Some("training".into()),
        ..Dataset::default()
    };
    run.input(&dataset).unwrap();
    run.artifact("figures/errors.txt", b"one").unwrap();
    run.artifact_file("figures/copy.txt", folder.path().join("mlruns/0/meta.yaml")).unwrap();
    let child = run.child("fold 1").unwrap();
    child.finish(Status::Failed).unwrap();
    run.finish(Status::Finished).unwrap();

    let record = tracker.run(run.id()).unwrap();
    assert_eq!((record.info.name.as_str(), record.info.status), ("12:30", Status::Finished));
    assert!(record.info.end.unwrap() >= record.info.start);
    assert_eq!(record.params["text"], "a\r\nb: {c} 'd' \"e\"");
    assert_eq!((record.metrics["rmse"], record.metrics["odd"].is_nan()), (7.0, true));
    assert_eq!(record.inputs, [dataset]);
    assert_eq!(record.tags["market"], "north");
    let steps: Vec<i64> = tracker.metric_history(run.id(), "rmse").unwrap().iter().map(|metric| metric.step).collect();
    assert_eq!(steps, [0, 1, 2, 2]);
    let files = tracker.artifacts(run.id()).unwrap();
    assert_eq!(
        files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(),
        ["figures/copy.txt", "figures/errors.txt"]
    );
    let got = tracker.download(run.id(), "figures", folder.path().join("got")).unwrap();
    assert_eq!(std::fs::read(&got[1]).unwrap(), b"one");
    assert!(tracker.download(run.id(), "none", folder.path()).unwrap_err().is_missing());

    let nested = tracker.runs(&Filter::new().experiment("NO").parent(run.id())).unwrap().runs;
    assert_eq!((nested.len(), nested[0].status), (1, Status::Failed));
    let tagged = tracker.runs(&Filter::new().tag("market", "north").param("season", "52")).unwrap().runs;
    assert_eq!((tagged.len(), tagged[0].id.as_str()), (1, run.id()));
    assert!(tracker.runs(&Filter::new().experiment("none")).unwrap().runs.is_empty());
    assert!(tracker.run("none").unwrap_err().is_missing());
    assert!(tracker.run("../none").unwrap_err().is_usage());
}

#[test]
fn odd_keys_and_long_values_are_kept_whole() {
    let (folder, tracker) = home();
    let run = tracker.start("e", "r", &[]).unwrap();
    let long = "ä".repeat(10_000);
    run.params([
        ("theta(season=52)", "1"),
        ("a", "2"),
        ("a/b", "3"),
        ("c/d", "4"),
        ("c", "5"),
        ("long", long.as_str()),
    ])
    .unwrap();
    run.tags([("note", long.as_str())]).unwrap();
    run.params([("theta(season=52)", "1"), ("a/b", "3"), ("long", long.as_str())]).unwrap();
    let record = tracker.run(run.id()).unwrap();
    assert_eq!(record.params.len(), 6);
    let mended = tradewind_track::mended_key("theta(season=52)");
    assert_eq!(record.params[mended.as_ref()], "1");
    assert_eq!(record.tags[&format!("tradewind.key.{mended}")], "theta(season=52)");
    let mut values: Vec<&str> = record.params.values().map(String::as_str).filter(|value| value.len() == 1).collect();
    values.sort_unstable();
    assert_eq!(values, ["1", "2", "3", "4", "5"]);
    assert_eq!((record.params["long"].chars().count(), record.tags["note"].chars().count()), (6_000, 8_000));
    for path in ["long/params/long.txt", "long/tags/note.txt"] {
        let got = tracker.download(run.id(), path, folder.path().join("got")).unwrap();
        assert_eq!(std::fs::read_to_string(&got[0]).unwrap(), long);
    }
    let error = run.params([("a", "other")]).unwrap_err();
    assert!(error.is_usage() && error.to_string().contains("`a`"), "{error}");
    assert!(run.artifact("../out", b"").unwrap_err().is_usage());
}

#[test]
fn runs_that_differ_are_seen_side_by_side() {
    let (_folder, tracker) = home();
    let ids: Vec<String> = [("a", 1.0), ("b", 2.0)]
        .into_iter()
        .map(|(kind, loss)| {
            let run = tracker.start("e", kind, &[]).unwrap();
            run.params([("kind", kind), ("season", "52")]).unwrap();
            run.metrics([Metric::now("loss", loss)]).unwrap();
            run.id().to_owned()
        })
        .collect();
    let rows = tracker.compare(&[&ids[0], &ids[1]]).unwrap();
    assert_eq!(rows.params, [("kind".to_owned(), vec![Some("a".to_owned()), Some("b".to_owned())])]);
    assert_eq!(rows.metrics, [("loss".to_owned(), vec![Some(1.0), Some(2.0)])]);
}

#[test]
fn a_broken_run_does_not_hide_the_others() {
    let (folder, tracker) = home();
    let runs: Vec<_> = (0..5).map(|number| tracker.start("e", &number.to_string(), &[]).unwrap()).collect();
    assert_eq!(tracker.runs(&Filter::new()).unwrap().runs.len(), 5);
    let path = find(folder.path(), runs[2].id()).join("meta.yaml");
    for damage in [&b"status: [1, 2"[..], b"", b"\xff\xfe\x00", b"run_id: other\nexperiment_id: '1'\n"] {
        std::fs::write(&path, damage).unwrap();
        let listing = tracker.runs(&Filter::new()).unwrap();
        assert_eq!((listing.runs.len(), listing.unreadable.len()), (4, 1), "{damage:?}");
        assert!(listing.unreadable[0].0.contains(runs[2].id()));
    }
    runs[1].finish(Status::Finished).unwrap();
    // A line that was cut by a crash costs itself alone.
    runs[1].metrics([Metric { key: "loss".into(), value: 1.0, step: 1, time: 1 }]).unwrap();
    let metric = find(folder.path(), runs[1].id()).join("metrics/loss");
    std::fs::write(&metric, "1 1.0 1\n2 ").unwrap();
    runs[1].metrics([Metric { key: "loss".into(), value: 3.0, step: 3, time: 3 }]).unwrap();
    let values: Vec<f64> =
        tracker.metric_history(runs[1].id(), "loss").unwrap().iter().map(|metric| metric.value).collect();
    assert_eq!(values, [1.0, 3.0]);
}

fn find(root: &std::path::Path, run: &str) -> std::path::PathBuf {
    let experiments = root.join("mlruns").read_dir().unwrap().flatten();
    experiments.map(|entry| entry.path().join(run)).find(|path| path.is_dir()).unwrap()
}

#[test]
fn a_deleted_experiment_comes_back() {
    let (folder, tracker) = home();
    let run = tracker.start("e", "r", &[]).unwrap();
    let place = find(folder.path(), run.id());
    let experiment = place.parent().unwrap().file_name().unwrap();
    let root = folder.path().join("mlruns");
    // As MLflow deletes it.
    let meta = root.join(experiment).join("meta.yaml");
    let text = std::fs::read_to_string(&meta).unwrap().replace("active", "deleted");
    std::fs::write(&meta, text).unwrap();
    std::fs::rename(root.join(experiment), root.join(".trash").join(experiment)).unwrap();
    run.params([("a", "1")]).unwrap();
    assert_eq!(tracker.run(run.id()).unwrap().params["a"], "1");
    std::fs::rename(root.join(experiment), root.join(".trash").join(experiment)).unwrap();
    tracker.start("e", "again", &[]).unwrap();
    assert_eq!(tracker.runs(&Filter::new().experiment("e")).unwrap().runs.len(), 2);
    std::fs::remove_dir_all(root.join(experiment)).unwrap();
    let error = run.metrics([Metric::now("loss", 1.0)]).unwrap_err();
    assert!(error.is_missing() && error.to_string().contains("deleted"), "{error}");
}

#[test]
fn models_have_versions_and_aliases() {
    let (_folder, tracker) = home();
    let run = tracker.start("e", "r", &[]).unwrap();
    run.artifact("model/fit", b"x").unwrap();
    let first = tracker.register("sales", run.id(), "model", &[("kind", "theta")]).unwrap();
    let second = tracker.register("sales", run.id(), "model", &[]).unwrap();
    assert_eq!((first.number, second.number, first.is_pending()), (1, 2, false));
    tracker.alias("sales", "champion", 1).unwrap();
    assert_eq!(tracker.version_by_alias("sales", "champion").unwrap().tags["kind"], "theta");
    tracker.alias("sales", "champion", 2).unwrap();
    assert_eq!(tracker.version_by_alias("sales", "champion").unwrap().number, 2);
    tracker.unalias("sales", "champion").unwrap();
    tracker.unalias("sales", "champion").unwrap();
    assert!(tracker.version_by_alias("sales", "champion").unwrap_err().is_missing());
    assert!(tracker.alias("sales", "V2", 1).unwrap_err().is_usage());
    assert!(tracker.alias("sales", "best", 9).unwrap_err().is_missing());
    assert!(tracker.register("a/b", run.id(), "model", &[]).unwrap_err().is_usage());
    assert_eq!(tracker.versions("sales").unwrap().len(), 2);
    assert!(tracker.versions("none").unwrap().is_empty());
}

#[test]
fn many_threads_and_trackers_write_to_one_folder() {
    let (folder, _) = home();
    std::thread::scope(|scope| {
        for number in 0..8 {
            let folder = folder.path().join("mlruns");
            scope.spawn(move || {
                // A tracker of its own, as another process has.
                let tracker = Tracker::local(folder).unwrap();
                for trial in 0..10 {
                    let run = tracker.start("e", &format!("{number}/{trial}"), &[]).unwrap();
                    run.metrics([Metric::now("loss", f64::from(trial))]).unwrap();
                    tracker.register("sales", run.id(), "model", &[]).unwrap();
                }
            });
        }
    });
    let tracker = Tracker::local(folder.path().join("mlruns")).unwrap();
    let listing = tracker.runs(&Filter::new().experiment("e")).unwrap();
    assert_eq!((listing.runs.len(), listing.unreadable.len()), (80, 0));
    let numbers: Vec<u32> = tracker.versions("sales").unwrap().iter().rev().map(|version| version.number).collect();
    assert_eq!(numbers, (1..=80).collect::<Vec<_>>());
}

#[test]
fn the_index_is_never_wrong() {
    let (folder, tracker) = home();
    let runs: Vec<_> = (0..20).map(|number| tracker.start("e", &number.to_string(), &[]).unwrap()).collect();
    let index = folder.path().join("mlruns/.tradewind-index");
    // Old files, so that the index trusts its rows.
    for run in &runs {
        let meta = find(folder.path(), run.id()).join("meta.yaml");
        age(&meta);
    }
    let fresh = || Tracker::local(folder.path().join("mlruns")).unwrap();
    let running = |tracker: &Tracker| tracker.runs(&Filter::new().status(Status::Running)).unwrap().runs.len();
    assert_eq!((running(&tracker), running(&fresh())), (20, 20));
    runs[0].finish(Status::Finished).unwrap();
    assert_eq!((running(&tracker), running(&fresh())), (19, 19));
    // As another program changes a run: at the same length, at once after it was listed.
    let meta = find(folder.path(), runs[1].id()).join("meta.yaml");
    for status in ["status: 4", "status: 1", "status: 5"] {
        let text = std::fs::read_to_string(&meta).unwrap();
        let old = text.lines().find(|line| line.starts_with("status")).unwrap().to_owned();
        std::fs::write(&meta, text.replace(&old, status)).unwrap();
        let expected = if status.ends_with('1') { 19 } else { 18 };
        assert_eq!((running(&tracker), running(&fresh())), (expected, expected), "{status}");
    }
    let below = |tracker: &Tracker| tracker.runs(&Filter::new().parent(runs[4].id())).unwrap().runs.len();
    assert_eq!((below(&tracker), below(&fresh())), (0, 0));
    // As another program does, and as we do.
    std::fs::write(find(folder.path(), runs[5].id()).join("tags/mlflow.parentRunId"), runs[4].id()).unwrap();
    assert_eq!((below(&tracker), below(&fresh())), (1, 1));
    runs[6].tags([("mlflow.parentRunId", runs[4].id())]).unwrap();
    let child = tracker.runs(&Filter::new()).unwrap().runs.into_iter().find(|run| run.id == runs[6].id()).unwrap();
    assert_eq!((child.parent.as_deref(), below(&fresh())), (Some(runs[4].id()), 2));
    std::fs::remove_dir_all(find(folder.path(), runs[2].id())).unwrap();
    assert_eq!((running(&tracker), running(&fresh())), (17, 17));
    let whole = std::fs::read(&index).unwrap();
    for damage in [b"".to_vec(), b"x".to_vec(), whole[..whole.len() / 2].to_vec(), {
        let mut flipped = whole.clone();
        let place = flipped.len() - 30;
        flipped[place] ^= 1;
        flipped
    }] {
        std::fs::write(&index, damage).unwrap();
        assert_eq!(running(&fresh()), 17);
    }
    std::fs::remove_file(&index).unwrap();
    std::fs::create_dir(&index).unwrap();
    assert_eq!(running(&fresh()), 17);
}

fn age(path: &std::path::Path) {
    let file = std::fs::File::options().append(true).open(path).unwrap();
    file.set_modified(std::time::SystemTime::now() - Duration::from_secs(60)).unwrap();
}

#[test]
fn a_folder_that_cannot_be_written_is_said_so() {
    let (folder, _) = home();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    assert!(Tracker::local(&file).unwrap_err().is_usage());
    let error = Tracker::local(file.join("below")).unwrap().start("e", "r", &[]).unwrap_err();
    assert!(error.is_io() && error.to_string().contains("below"), "{error}");
    // A disk without any room; root may write to any folder.
    if std::path::Path::new("/dev/full").exists() {
        let tracker = Tracker::local(folder.path().join("mlruns")).unwrap();
        let run = tracker.start("e", "r", &[]).unwrap();
        let metric = find(folder.path(), run.id()).join("metrics/loss");
        std::os::unix::fs::symlink("/dev/full", metric).unwrap();
        let error = run.metrics([Metric::now("loss", 1.0)]).unwrap_err();
        assert!(error.is_io() && error.to_string().contains("disk is full"), "{error}");
        run.metrics([Metric::now("rmse", 1.0)]).unwrap();
    }
    assert!(run_time(&Tracker::local(folder.path().join("mlruns")).unwrap()).is_usage());
}

fn run_time(tracker: &Tracker) -> tradewind_track::Error {
    let run = tracker.start("e", "r", &[]).unwrap();
    run.metrics([Metric { key: "loss".into(), value: 1.0, step: 0, time: -1 }]).unwrap_err()
}

/// Not a matter of right or wrong: `cargo test --release -- --ignored --nocapture speed` prints how long it takes.
#[test]
#[ignore = "ten thousand runs"]
fn speed() {
    let (folder, tracker) = home();
    let began = Instant::now();
    let parent = tracker.start("e", "search", &[]).unwrap();
    for number in 0..10_000 {
        let run = parent.child(&format!("trial {number}")).unwrap();
        run.params((0..5).map(|key| (format!("p{key}"), format!("{number}")))).unwrap();
        run.metrics((0..5).map(|key| Metric::now(format!("m{key}"), f64::from(number)))).unwrap();
        run.finish(Status::Finished).unwrap();
    }
    println!("10,000 trials in {:?}", began.elapsed());
    let listed = |tracker: &Tracker, what: &str| {
        let began = Instant::now();
        let count = tracker.runs(&Filter::new().experiment("e")).unwrap().runs.len();
        println!("{count} runs listed {what} in {:?}", began.elapsed());
    };
    listed(&tracker, "without an index");
    // The rows of the last two seconds are looked at once more.
    let later = Instant::now();
    while later.elapsed() < Duration::from_millis(2_100) {
        std::thread::yield_now();
    }
    listed(&tracker, "after two seconds");
    listed(&tracker, "by the same tracker");
    for _ in 0..3 {
        listed(&Tracker::local(folder.path().join("mlruns")).unwrap(), "by a new tracker");
    }
}
