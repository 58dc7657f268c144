//! Does the real MLflow read what Tradewind tells it, and what it writes to a folder?
//!
//! Runs only where TRADEWIND_MLFLOW names the `bin` folder of an environment with MLflow (`pip install mlflow==3.17.2`).
//! What is expected is read by MLflow's own Python API.

use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tradewind_track::{Dataset, Filter, Metric, Run, ServerOptions, Status, Tracker};

fn bin() -> Option<PathBuf> {
    let found = std::env::var_os("TRADEWIND_MLFLOW").map(PathBuf::from);
    if found.is_none() {
        println!("skipped: TRADEWIND_MLFLOW not set");
    }
    found
}

/// A server of its own, which is stopped with all that it has started.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start(bin: &Path, folder: &Path, port: u16, workers: usize) -> Self {
        let mut command = Command::new(bin.join("mlflow"));
        command
            .args(["server", "--host", "127.0.0.1", "--serve-artifacts", "--port", &port.to_string()])
            .args(["--workers", &workers.to_string(), "--backend-store-uri"])
            .arg(format!("sqlite:///{}", folder.join("db.sqlite").display()))
            .arg("--artifacts-destination")
            .arg(folder.join("files"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .current_dir(folder);
        // A group of its own, so that its workers end with it.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let server = Self { child: command.spawn().unwrap(), url: format!("http://127.0.0.1:{port}") };
        let began = Instant::now();
        let is_healthy = || ureq::get(format!("{}/health", server.url)).call().is_ok();
        while !is_healthy() {
            assert!(began.elapsed() < Duration::from_secs(180), "the server does not start");
            std::thread::sleep(Duration::from_millis(100));
        }
        server
    }

    fn free_port() -> u16 {
        TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.child.wait();
    }
}

/// What a script for MLflow's Python API prints as JSON.
fn python(bin: &Path, uri: &str, script: &str) -> Value {
    let start = "import json, math, mlflow\nfrom mlflow import MlflowClient\nc = MlflowClient()\n";
    let mut child = Command::new(bin.join("python"))
        .arg("-")
        .env("MLFLOW_TRACKING_URI", uri)
        .env("MLFLOW_ALLOW_FILE_STORE", "true")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(format!("{start}{script}").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Prints all of an experiment.
const ALL: &str = r#"
e = c.get_experiment_by_name("NO")
out = {}
for r in c.search_runs([e.experiment_id], max_results=5000):
    i = r.info.run_id
    out.setdefault(r.info.run_name, []).append({
        "id": i, "status": r.info.status, "start": r.info.start_time, "end": r.info.end_time,
        "params": r.data.params, "tags": r.data.tags,
        "metrics": {k: repr(v) for k, v in r.data.metrics.items()},
        "history": [[m.step, m.timestamp, repr(m.value)] for m in c.get_metric_history(i, "loss")]
            if "loss" in r.data.metrics else [],
        "inputs": [[d.dataset.name, d.dataset.digest, d.dataset.source, {t.key: t.value for t in d.tags}]
            for d in r.inputs.dataset_inputs],
    })
def ls(i, p=None):
    for f in c.list_artifacts(i, p):
        if f.is_dir: yield from ls(i, f.path)
        else: yield f.path
def read(i, p):
    return open(mlflow.artifacts.download_artifacts(run_id=i, artifact_path=p), encoding="utf-8").read()
parent = out["12:30"][0]
parent["artifacts"] = {p: read(parent["id"], p) for p in sorted(ls(parent["id"]))}
v = c.get_model_version_by_alias("sales", "champion")
print(json.dumps({"runs": out, "version": [v.version, v.run_id, v.tags, v.source],
    "text": read(v.run_id, "model/fit.txt")}))
"#;

/// A run with one of everything, and trials below it.
fn work(tracker: &Tracker, trials: usize) -> Run {
    let run = tracker.start("NO", "12:30", &[("market", "2024-01-01")]).unwrap();
    run.params([("theta(season=52)", "NO"), ("p/q", "0x1F"), ("long", &"ä".repeat(10_000))]).unwrap();
    run.metrics((0..2_500).map(|step| Metric {
        key: "loss".into(),
        value: 0.1 * step as f64,
        step,
        time: 1_000 + step,
    }))
    .unwrap();
    run.metrics([Metric::now("nan", f64::NAN), Metric::now("inf", f64::INFINITY), Metric::now("rmse/fold 1", 1e-300)])
        .unwrap();
    let dataset = Dataset {
        name: "sales".into(),
        digest: "12e3".into(),
        source_type: "local".into(),
        source: "sales: a.csv".into(),
        context: Some("training".into()),
        ..Dataset::default()
    };
    run.input(&dataset).unwrap();
    run.artifact("model/fit.txt", "größe\n".as_bytes()).unwrap();
    run.artifact("figures/a b(1)&ä.txt", b"").unwrap();
    for number in 0..trials {
        trial(&run, number);
    }
    run
}

fn trial(run: &Run, number: usize) {
    let trial = run.child(&format!("trial {number}")).unwrap();
    trial.params((0..5).map(|key| (format!("p{key}"), number.to_string()))).unwrap();
    trial.metrics((0..5).map(|key| Metric::now(format!("m{key}"), number as f64))).unwrap();
    trial.finish(Status::Finished).unwrap();
}

/// MLflow has what [`work`] says.
fn check(seen: &Value, trials: usize, infinity: &str) {
    let runs = seen["runs"].as_object().unwrap();
    assert_eq!(runs.len(), trials + 1);
    assert!(runs.values().all(|same| same.as_array().unwrap().len() == 1), "doubled");
    let parent = &runs["12:30"][0];
    assert_eq!(parent["status"], "FINISHED");
    assert!(parent["end"].as_i64().unwrap() >= parent["start"].as_i64().unwrap());
    assert_eq!(parent["tags"]["market"], "2024-01-01");
    let theta = tradewind_track::mended_key("theta(season=52)");
    assert_eq!((&parent["params"][theta.as_ref()], &parent["params"]["p/q"]), (&"NO".into(), &"0x1F".into()));
    assert_eq!(parent["params"]["long"].as_str().unwrap().chars().count(), 6_000);
    assert_eq!(parent["artifacts"]["long/params/long.txt"].as_str().unwrap().chars().count(), 10_000);
    assert_eq!(parent["artifacts"]["figures/a b(1)&ä.txt"], "");
    assert_eq!(seen["text"], "größe\n");
    let metrics = &parent["metrics"];
    assert_eq!((&metrics["nan"], &metrics["inf"]), (&"nan".into(), &infinity.into()));
    assert_eq!(metrics["rmse/fold 1"], "1e-300");
    let history = parent["history"].as_array().unwrap();
    assert_eq!(history.len(), 2_500);
    assert!(history.iter().any(|row| row[0] == 2_499 && row[1] == 3_499 && row[2] == "249.9"), "{:?}", history.last());
    assert_eq!(
        parent["inputs"],
        serde_json::json!([["sales", "12e3", "sales: a.csv", {"mlflow.data.context": "training"}]])
    );
    for number in 0..trials {
        let trial = &runs[&format!("trial {number}")][0];
        assert_eq!((&trial["tags"]["mlflow.parentRunId"], &trial["status"]), (&parent["id"], &"FINISHED".into()));
        assert_eq!(trial["params"]["p4"], number.to_string());
        assert_eq!(trial["metrics"]["m4"], format!("{number}.0"));
    }
    assert_eq!((&seen["version"][1], &seen["version"][2]["kind"]), (&parent["id"], &"theta".into()));
}

#[test]
fn a_folder_is_read_and_migrated() {
    let Some(bin) = bin() else { return };
    let folder = tempfile::tempdir().unwrap();
    let runs = folder.path().join("mlruns");
    let tracker = Tracker::local(&runs).unwrap();
    let run = work(&tracker, 10);
    run.finish(Status::Finished).unwrap();
    tracker.register("sales", run.id(), "model", &[("kind", "theta")]).unwrap();
    tracker.alias("sales", "champion", 1).unwrap();
    tracker.runs(&Filter::new()).unwrap();
    check(&python(&bin, &format!("file://{}", runs.display()), ALL), 10, "inf");

    let database = format!("sqlite:///{}", folder.path().join("db.sqlite").display());
    let done = Command::new(bin.join("mlflow"))
        .args(["migrate-filestore", "--source", &runs.display().to_string(), "--target", &database])
        .env("MLFLOW_ALLOW_FILE_STORE", "true")
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    check(&python(&bin, &database, ALL), 10, "1.7976931348623157e+308");

    // Names that YAML 1.1 would take for something else, or not at all.
    let long = "a ".repeat(200);
    let names = [
        "NO",
        "~",
        "null",
        "=",
        "<<",
        "0o7",
        "1_000",
        ".inf",
        "12:30:45",
        "2001-01-01",
        "1e3",
        "0x1F",
        "- x",
        "a: b # c",
        "%x",
        "@x",
        "`x",
        "'",
        "\"",
        "\\",
        " x ",
        "tab\tline\nend\r\n",
        "😀",
        "\u{7f}\u{85}\u{a0}\u{2028}\u{feff}",
        "\u{1}",
        &long,
    ];
    for name in names {
        tracker.start("names", name, &[]).unwrap();
    }
    let seen = python(
        &bin,
        &format!("file://{}", runs.display()),
        r#"
e = c.get_experiment_by_name("names")
print(json.dumps(sorted(r.info.run_name for r in c.search_runs([e.experiment_id]))))
"#,
    );
    let mut expected = names.to_vec();
    expected.sort_unstable();
    assert_eq!(seen, serde_json::json!(expected));

    // And what MLflow writes, we read.
    let uri = format!("file://{}", runs.display());
    let made = python(
        &bin,
        &uri,
        r#"
e = c.create_experiment("yes: null")
r = c.create_run(e, run_name="null", tags={"mlflow.parentRunId": "x"})
c.log_metric(r.info.run_id, "m", float("inf"), step=3); c.log_param(r.info.run_id, "p", "1")
c.set_terminated(r.info.run_id, "KILLED")
print(json.dumps(r.info.run_id))
"#,
    );
    let listing = tracker.runs(&Filter::new().experiment("yes: null")).unwrap();
    assert_eq!(
        (listing.runs.len(), listing.runs[0].name.as_str(), listing.runs[0].status),
        (1, "null", Status::Killed)
    );
    assert_eq!(tracker.run(made.as_str().unwrap()).unwrap().metrics["m"], f64::INFINITY);
    // A deleted experiment of MLflow's comes back with its runs.
    python(&bin, &uri, "c.delete_experiment(c.get_experiment_by_name(\"yes: null\").experiment_id)\nprint(1)");
    assert!(tracker.runs(&Filter::new().experiment("yes: null")).unwrap().runs.is_empty());
    tracker.start("yes: null", "again", &[]).unwrap();
    let seen = python(
        &bin,
        &uri,
        "e = c.get_experiment_by_name(\"yes: null\")\nprint(json.dumps([e.lifecycle_stage, len(c.search_runs([e.experiment_id]))]))",
    );
    assert_eq!(seen, serde_json::json!(["active", 2]));
}

#[test]
fn a_server_gets_everything_once() {
    let Some(bin) = bin() else { return };
    let folder = tempfile::tempdir().unwrap();
    let port = Server::free_port();
    let server = Server::start(&bin, folder.path(), port, 1);
    let tracker = Tracker::server(&server.url, folder.path().join("outbox")).unwrap();
    let run = work(&tracker, 100);
    let version = tracker.register("sales", run.id(), "model", &[("kind", "theta")]).unwrap();
    assert_eq!(version.number, 1);
    tracker.alias("sales", "champion", 1).unwrap();
    let url = server.url.clone();
    // Killed while the trials of the search are being sent.
    (100..150).for_each(|number| trial(&run, number));
    drop(server);
    let began = Instant::now();
    (150..200).for_each(|number| trial(&run, number));
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    run.finish(Status::Finished).unwrap();
    let away = Tracker::server(&url, folder.path().join("outbox")).unwrap();
    assert_eq!(away.runs(&Filter::new().experiment("NO")).unwrap().runs.len(), 201);

    let server = Server::start(&bin, folder.path(), port, 1);
    let synced = tracker.sync().unwrap();
    assert!(synced.stopped.is_none() && synced.refused.is_empty() && synced.pending == 0, "{synced:?}");
    assert_eq!(tracker.sync().unwrap().runs, 0);
    let seen = python(&bin, &server.url, ALL);
    check(&seen, 200, "1.7976931348623157e+308");
    assert_eq!(seen["version"][0], "1");

    // By our own verbs, as somebody without the outbox reads it.
    let other = Tracker::server(&server.url, folder.path().join("other")).unwrap();
    let id = seen["runs"]["12:30"][0]["id"].as_str().unwrap();
    let listing =
        other.runs(&Filter::new().experiment("NO").tag("market", "2024-01-01").status(Status::Finished)).unwrap();
    assert_eq!((listing.runs.len(), listing.runs[0].server_id.as_deref()), (1, Some(id)));
    assert_eq!(tracker.runs(&Filter::new().experiment("NO").parent(run.id())).unwrap().runs.len(), 200);
    assert_eq!(other.runs(&Filter::new().experiment("NO").param("p1", "7")).unwrap().runs.len(), 1);
    let record = other.run(id).unwrap();
    assert!(record.metrics["nan"].is_nan() && record.inputs[0].context.as_deref() == Some("training"));
    assert_eq!(other.metric_history(id, "loss").unwrap().len(), 2_500);
    let got = other.download(id, "figures/a b(1)&ä.txt", folder.path().join("got")).unwrap();
    assert_eq!(std::fs::read(&got[0]).unwrap(), b"");
    let got = other.download(id, "model", folder.path().join("got")).unwrap();
    assert_eq!(std::fs::read_to_string(&got[0]).unwrap(), "größe\n");
    assert_eq!(other.version_by_alias("sales", "champion").unwrap().aliases, ["champion"]);
    assert!(other.version_by_alias("sales", "none").unwrap_err().is_missing());
    assert!(other.version_by_alias("none", "none").unwrap_err().is_missing());
    assert!(other.run("0123456789abcdef0123456789abcdef").unwrap_err().is_missing());
    // A run of the server alone is gone on with.
    let more = other.resume(id).unwrap();
    more.tags([("verdict", "good")]).unwrap();
    more.params([("p/q", "other")]).unwrap();
    let synced = other.sync().unwrap();
    assert_eq!((synced.pending, synced.refused.len(), synced.refused[0].item.as_str()), (0, 1, "param p/q"));
    assert_eq!(tracker.run(run.id()).unwrap().tags["verdict"], "good");

    // The experiment is deleted while work goes on in it.
    python(&bin, &server.url, "c.delete_experiment(c.get_experiment_by_name('NO').experiment_id)\nprint(1)");
    run.tags([("late", "yes")]).unwrap();
    let late = tracker.start("NO", "late", &[]).unwrap();
    late.finish(Status::Killed).unwrap();
    let synced = tracker.sync().unwrap();
    assert!(synced.stopped.is_none() && synced.refused.is_empty() && synced.pending == 0, "{synced:?}");
    assert_eq!(other.runs(&Filter::new().experiment("NO")).unwrap().runs.len(), 202);
    assert_eq!(tracker.run(run.id()).unwrap().tags["late"], "yes");
}

/// `TRADEWIND_MLFLOW=… cargo test --release --test mlflow -- --ignored --nocapture` prints how long it takes.
#[test]
#[ignore = "many runs"]
fn speed() {
    let Some(bin) = bin() else { return };
    let number = |name: &str, usual| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual);
    let (trials, workers) = (number("TRADEWIND_TRIALS", 1_000), number("TRADEWIND_WORKERS", 1));
    let options = ServerOptions { parallel: number("TRADEWIND_PARALLEL", 8), ..ServerOptions::default() };
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&bin, folder.path(), Server::free_port(), workers);
    let tracker = Tracker::server_with(&server.url, folder.path().join("outbox"), options).unwrap();
    let began = Instant::now();
    let run = tracker.start("speed", "search", &[]).unwrap();
    (0..trials).for_each(|number| trial(&run, number));
    run.finish(Status::Finished).unwrap();
    println!("{trials} trials told in {:?}", began.elapsed());
    let synced = tracker.sync().unwrap();
    println!("{trials} trials on a server of {workers} workers after {:?}: {synced:?}", began.elapsed());
    assert_eq!(synced.pending, 0);
}
