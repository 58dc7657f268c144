//! Nothing is lost: inputs are never written over, however they are spelled; what somebody else has written is replaced only
//! where that is asked for; sets of files stay together; runs that are killed leave whole files and go on to the same bytes.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use tradewind::polars::prelude::*;
use tradewind::prelude::*;
use tradewind::script::{Session, Settings, Terminal};

const COLUMNS: [&str; 6] = ["--id", "id", "--time", "ds", "--target", "y"];

fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tradewind"));
    command.args(args).current_dir(folder).env("TRADEWIND_THREADS", "2");
    command
}

fn tradewind(folder: &Path, args: &[&str]) -> Output {
    command(folder, args).output().unwrap()
}

/// The exit code, and what was said on stderr.
fn ran(folder: &Path, args: &[&str]) -> (i32, String) {
    let output = tradewind(folder, args);
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn works(folder: &Path, args: &[&str]) -> String {
    let (code, said) = ran(folder, args);
    assert_eq!(code, 0, "{args:?}: {said}");
    said
}

/// Sales of some series, one text.
fn sales(names: impl IntoIterator<Item = String>, days: usize) -> String {
    let mut text = String::from("id,ds,y\n");
    for (s, name) in names.into_iter().enumerate() {
        for day in 0..days {
            let date = format!("2024-{:02}-{:02}", 1 + day / 28, 1 + day % 28);
            let _ = writeln!(text, "{name},{date},{}", 10 + (day * (s + 3)) % 7);
        }
    }
    text
}

/// The same as Parquet, whose stamps are whole numbers, with a covariate to join by day.
fn parquet(path: &Path, series: usize, days: i64) {
    let (mut id, mut ds, mut y) = (Vec::new(), Vec::new(), Vec::new());
    for s in 0..series as i64 {
        for day in 0..days {
            id.push(format!("s{s:03}"));
            ds.push(day);
            y.push((10 + (day * (s % 5 + 3)) % 7) as f64);
        }
    }
    let mut frame = df!("id" => id, "ds" => ds, "y" => y).unwrap();
    ParquetWriter::new(fs::File::create(path).unwrap()).finish(&mut frame).unwrap();
}

/// Every file below a folder, and what it holds.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(contents(&path)),
            false => _ = found.insert(path.clone(), fs::read(&path).unwrap()),
        }
    }
    found
}

/// A folder of inputs: `in` with many files of sales, a plan, fits, weather, events, the future.
fn inputs(home: &Path, files: usize) {
    fs::create_dir(home.join("in")).unwrap();
    for k in 0..files {
        fs::write(home.join(format!("in/s{k:03}.csv")), sales([format!("s{k:03}")], 40)).unwrap();
    }
    // Data that are named like results.
    for name in ["leaderboard.csv", "failures.csv", "audit.csv", "forecast.csv"] {
        fs::write(home.join("in").join(name), sales([name.to_string()], 40)).unwrap();
    }
    let mut weather = String::from("ds,temp\n");
    for day in 0..60 {
        let _ = writeln!(weather, "2024-{:02}-{:02},{}", 1 + day / 28, 1 + day % 28, day % 9);
    }
    fs::create_dir(home.join("beside")).unwrap();
    fs::write(home.join("beside/weather.csv"), weather).unwrap();
    fs::write(home.join("beside/events.csv"), "name,start\nfair,2024-01-10\n").unwrap();
    let future = sales((0..files).map(|k| format!("s{k:03}")), 60).replace(",y\n", ",promo\n");
    fs::write(home.join("beside/future.csv"), future).unwrap();
    parquet(&home.join("beside/sales.parquet"), 4, 40);
    fs::write(home.join("plan.toml"), "").unwrap();
}

/// Every verb that writes, pointed at an input in every spelling: it refuses, names both, and changes nothing.
#[test]
fn inputs_are_spared_by_every_verb_in_every_spelling() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    inputs(home, 24);
    let run = |args: &[&str]| ran(home, args);
    let mut spellings = vec![
        ("in", "in/s003.csv".to_string()),
        ("in/*.csv", "./in/s003.csv".into()),
        ("./in/../in", "in/s003.csv".into()),
        ("in", "in/../in/s003.csv".into()),
        ("in/s003.csv", home.join("in/s003.csv").display().to_string()),
        // Not read yet, but among the data from then on.
        ("in", "in/new.csv".into()),
        ("in/*.csv", "in/new.csv".into()),
    ];
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(home.join("in"), home.join("linked")).unwrap();
        std::os::unix::fs::symlink("in/s003.csv", home.join("link.csv")).unwrap();
        fs::hard_link(home.join("in/s003.csv"), home.join("hard.csv")).unwrap();
        let more = [("in", "linked/s003.csv"), ("linked", "in/s003.csv"), ("in", "link.csv"), ("in/*.csv", "hard.csv")];
        spellings.extend(more.map(|(data, out)| (data, out.to_string())));
        spellings.push(("linked/*.csv", "in/s003.csv".into()));
    }
    // A disk on which letter case does not count.
    if home.join("IN/S003.CSV").exists() {
        spellings.push(("in", "IN/S003.CSV".into()));
    }
    let before = contents(home);
    for (data, out) in &spellings {
        let given = [&["--data", data][..], &COLUMNS].concat();
        for verb in [
            &["clean", "--out", out][..],
            &["audit", "--out", out],
            &["forecast", "--models", "naive", "--horizon", "2", "--out", out],
            &["fit", "--models", "naive", "--save", out],
            &["tune", "--models", "croston", "--search", "trials=2", "--horizon", "2", "--out", out],
            &["clean", "--overwrite", "--out", out],
        ] {
            let (code, said) = run(&[verb, &given[..]].concat());
            assert!(
                code == 2 && said.contains("s003.csv") | said.contains("new.csv"),
                "{verb:?} {data}: {code} {said}"
            );
            assert!(said.contains("overwrite the input") || said.contains("among the data"), "{verb:?} {data}: {said}");
            assert!(contents(home) == before, "{verb:?} of {data} changed a file");
        }
    }
    for folder in ["in", "./in", "in/../in"] {
        let given = [&["--data", "in", "--models", "naive", "--horizon", "2", "--folds", "1"][..], &COLUMNS].concat();
        for verb in [
            &["backtest", "--out", folder][..],
            &["run", "plan.toml", "--out", folder],
            &["script", "s.rhai", "--arg", &format!("to={folder}")],
        ] {
            let rest = if verb[0] == "script" { &[][..] } else { &given };
            let text = r#"read_panel("in", columns(["id"], "ds", "y")).backtest("naive", folds(1, 2)).save(args.to);"#;
            fs::write(home.join("s.rhai"), text).unwrap();
            let (code, said) = run(&[verb, rest].concat());
            fs::remove_file(home.join("s.rhai")).unwrap();
            assert!(code != 0 && said.contains("overwrite the input"), "{verb:?}: {code} {said}");
            assert!(contents(home) == before, "{verb:?} changed a file");
        }
    }
}

/// What is read beside the data is spared as they are: joined files, events, the future, fits, plans, records, scripts.
#[test]
fn what_is_read_beside_the_data_is_spared() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    inputs(home, 3);
    let given = [&["--data", "in/s*.csv", "--models", "naive", "--horizon", "2"][..], &COLUMNS].concat();
    let data = [&["--data", "in/s*.csv"][..], &COLUMNS].concat();
    works(home, &[&["fit", "--save", "beside/kept.fits"][..], &given].concat());
    let plan = "data = 'in/s*.csv'\nid = 'id'\nmodels = 'naive'\nhorizon = 2\nfolds = 1\n";
    fs::write(home.join("beside/audit.csv"), plan).unwrap();
    fs::write(
        home.join("beside/own.json"),
        r#"read_panel("in/s001.csv", columns(["id"], "ds", "y")).table().save("beside/own.json")"#,
    )
    .unwrap();
    let before = contents(home);
    let stream = ["--data", "beside/sales.parquet", "--models", "naive", "--horizon", "2", "--stream"];
    for args in [
        [
            &["forecast", "--join", "beside/weather.csv(on=[ds], known=[temp])", "--out", "./beside/weather.csv"][..],
            &given,
        ]
        .concat(),
        [&["clean", "--join", "beside/weather.csv(on=[ds], known=[temp])", "--out", "beside/weather.csv"][..], &data]
            .concat(),
        [&["forecast", "--features", "events(file='beside/events.csv')", "--out", "beside/events.csv"][..], &given]
            .concat(),
        [&["forecast", "--future", "beside/future.csv", "--out", "beside/future.csv"][..], &given].concat(),
        vec!["forecast", "--fits", "beside/kept.fits", "--horizon", "2", "--out", "beside/../beside/kept.csv"],
        vec!["run", "beside/audit.csv", "--out", "beside"],
        [&["forecast", "--out", "beside/sales.parquet"][..], &stream, &COLUMNS].concat(),
        [&["forecast", "--out", "beside/x.parquet", "--data", "beside/*.parquet"][..], &stream[2..], &COLUMNS].concat(),
        vec!["script", "beside/own.json"],
        [&["tune", "--search", "trials=2, record=in/s001.csv"][..], &given].concat(),
        [&["tune", "--search", "trials=2, record=beside/t.json", "--out", "beside/t.json"][..], &given].concat(),
    ] {
        // The fits cannot be named as a table: what stands in for them is a link.
        #[cfg(unix)]
        if args.contains(&"beside/kept.fits") {
            std::os::unix::fs::symlink("kept.fits", home.join("beside/kept.csv")).unwrap();
        }
        let (code, said) = ran(home, &args);
        #[cfg(unix)]
        let _ = fs::remove_file(home.join("beside/kept.csv"));
        assert!(code != 0, "{args:?}: {said}");
        assert!(said.contains("overwrite the") || said.contains("among the data"), "{args:?}: {code} {said}");
        assert!(contents(home) == before, "{args:?} changed a file");
    }
}

/// The data, and of how they are forecast and judged what a command heeds.
fn given(command: &str) -> Vec<&'static str> {
    let model = if command == "tune" { "croston" } else { "naive" };
    let forecast = ["--models", model, "--horizon", "2"];
    let judge = ["--folds", "1", "--metric", "mae"];
    let heeded: &[&[&'static str]] = match command {
        "audit" | "clean" => &[],
        "forecast" | "fit" => &[&forecast],
        _ => &[&forecast, &judge],
    };
    [&["--data", "in/sales.csv"][..], &COLUMNS, &heeded.concat()].concat()
}

/// The commands whose results the next tests look at, by the files that they write.
fn writers() -> Vec<(Vec<&'static str>, Vec<&'static str>)> {
    let of = |verb: &[&'static str], files: &[&'static str]| ([verb, &given(verb[0])[..]].concat(), files.to_vec());
    let pages = ["report.md", "report.html"];
    let page = |folder: &'static str| pages.map(|name| -> &'static str { format!("{folder}/{name}").leak() });
    vec![
        of(&["audit", "--out", "audit.csv"], &["audit.csv"]),
        of(&["audit", "--out", "audit.json"], &["audit.json"]),
        of(
            &["audit", "--out", "audit.parquet", "--page", "quality"],
            &[&["audit.parquet"][..], &page("quality")].concat(),
        ),
        of(&["clean", "--out", "clean.parquet"], &["clean.parquet"]),
        of(&["forecast", "--out", "f.csv"], &["f.csv"]),
        of(&["forecast", "--out", "f.json"], &["f.json"]),
        of(&["forecast", "--out", "f.parquet"], &["f.parquet"]),
        of(&["fit", "--save", "kept.fits"], &["kept.fits"]),
        of(&["tune", "--search", "trials=2, untouched=0", "--out", "trials.csv"], &["trials.csv"]),
        of(
            &["backtest", "--out", "bt", "--page", "page"],
            &["bt/leaderboard.csv", "bt/scores.parquet", "bt/forecasts.parquet", "bt/failures.csv", "page/slides.html"],
        ),
        of(
            &["report", "--out", "rep", "--slides", "deck"],
            &["rep/report.md", "rep/report.html", "deck/slides.md", "deck/slides.html"],
        ),
        of(
            &["run", "plan.toml", "--out", "whole"],
            &["whole/audit.csv", "whole/forecast.csv", "whole/slides/slides.md"],
        ),
        (
            [
                &["forecast", "--stream", "--data", "in/sales.parquet", "--models", "naive", "--horizon", "2"][..],
                &COLUMNS,
                &["--out", "s.parquet"],
            ]
            .concat(),
            vec!["s.parquet"],
        ),
    ]
}

fn writers_home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join("in")).unwrap();
    fs::write(home.path().join("in/sales.csv"), sales(["a".to_string(), "b".to_string()], 40)).unwrap();
    parquet(&home.path().join("in/sales.parquet"), 3, 40);
    fs::write(home.path().join("plan.toml"), "").unwrap();
    home
}

/// Somebody else's file is refused before the work, and replaced where that is asked for, which is said.
#[test]
fn what_somebody_else_has_written_is_replaced_only_when_asked() {
    let home = writers_home();
    let home = home.path();
    for (args, files) in writers() {
        for file in &files {
            let path = home.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "my own words\n").unwrap();
            let (code, said) = ran(home, &args);
            assert!(code == 2 && said.contains("--overwrite") && said.contains(file), "{args:?} {file}: {code} {said}");
            assert_eq!(fs::read_to_string(&path).unwrap(), "my own words\n", "{args:?}");
            // Nothing else was written either.
            assert!(files.iter().filter(|other| *other != file).all(|other| !home.join(other).exists()), "{args:?}");
            fs::remove_file(&path).unwrap();
        }
        let path = home.join(files[0]);
        fs::write(&path, "my own words\n").unwrap();
        let said = works(home, &[&args[..], &["--overwrite"]].concat());
        assert!(said.contains(&format!("replaced {}", files[0])), "{args:?}: {said}");
        assert_ne!(fs::read(&path).unwrap(), b"my own words\n");
        // By the environment and by a plan as well.
        fs::write(&path, "my own words\n").unwrap();
        let output = command(home, &args).env("TRADEWIND_OVERWRITE", "1").output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    fs::write(home.join("plan.toml"), "data = 'in/sales.csv'\nid = 'id'\nmodels = 'naive'\nhorizon = 2\nfolds = 1\nmetric = 'mae'\noverwrite = true\n")
        .unwrap();
    fs::write(home.join("whole/forecast.csv"), "my own words\n").unwrap();
    let said = works(home, &["run", "plan.toml", "--out", "whole"]);
    assert!(said.contains("replaced whole/forecast.csv"), "{said}");
}

/// The same command every night needs no flag: our own files are known, also where the data have changed since.
#[test]
fn our_own_files_are_replaced_without_a_word() {
    let home = writers_home();
    let home = home.path();
    for (args, files) in writers() {
        works(home, &args);
        let first: Vec<Vec<u8>> = files.iter().map(|file| fs::read(home.join(file)).unwrap()).collect();
        let longer = sales(["a".to_string(), "b".to_string(), "c".to_string()], 44);
        fs::write(home.join("in/sales.csv"), longer).unwrap();
        parquet(&home.join("in/sales.parquet"), 5, 44);
        let said = works(home, &args);
        assert!(!said.contains("replaced"), "{args:?}: {said}");
        let second: Vec<Vec<u8>> = files.iter().map(|file| fs::read(home.join(file)).unwrap()).collect();
        // An audit and an empty list may say the same of both.
        let same =
            |at: usize| first[at] == second[at] && !files[at].contains("audit") && !files[at].contains("failures");
        assert!((0..files.len()).all(|at| !same(at)), "{args:?}");
        fs::write(home.join("in/sales.csv"), sales(["a".to_string(), "b".to_string()], 40)).unwrap();
        parquet(&home.join("in/sales.parquet"), 3, 40);
    }
    // No run leaves anything but its results.
    let hidden: Vec<_> = contents(home)
        .into_keys()
        .filter(|path| path.file_name().unwrap().to_string_lossy().starts_with('.'))
        // A home of runs keeps the file that processes lock.
        .filter(|path| !path.starts_with(home.join("mlruns")))
        .collect();
    assert!(hidden.is_empty(), "{hidden:?}");
}

/// A CSV file of the user's own columns bears no mark: the same bytes may be written again, others may not.
#[test]
fn a_table_of_the_users_own_columns_is_not_taken_for_ours() {
    let home = writers_home();
    let home = home.path();
    let args = [&["clean", "--data", "in/sales.csv", "--out", "mine.csv"][..], &COLUMNS].concat();
    works(home, &args);
    works(home, &args);
    let mine = fs::read_to_string(home.join("mine.csv")).unwrap() + "b,2024-05-01,7.0\n";
    fs::write(home.join("mine.csv"), &mine).unwrap();
    let (code, said) = ran(home, &args);
    assert!(code == 2 && said.contains("--overwrite"), "{code} {said}");
    assert_eq!(fs::read_to_string(home.join("mine.csv")).unwrap(), mine);
    works(home, &[&args[..], &["--overwrite"]].concat());
}

/// Words that somebody has put into a report are theirs.
#[test]
fn a_report_that_was_edited_is_not_replaced() {
    let home = writers_home();
    let home = home.path();
    let args = [&["audit", "--data", "in/sales.csv", "--page", "quality"][..], &COLUMNS].concat();
    works(home, &args);
    for name in ["report.md", "report.html"] {
        let path = home.join("quality").join(name);
        let edited = fs::read_to_string(&path).unwrap().replacen("Data quality", "Data quality, as we discussed", 1);
        fs::write(&path, &edited).unwrap();
        let before = contents(home);
        let (code, said) = ran(home, &args);
        assert!(code == 2 && said.contains(name), "{code} {said}");
        assert!(contents(home) == before);
        fs::remove_file(&path).unwrap();
        works(home, &args);
    }
}

/// A pipe, a device and a link that leads nowhere are no places for results; a link to one is.
#[test]
#[cfg(unix)]
fn only_files_are_written_over() {
    let home = writers_home();
    let home = home.path();
    let args = |out: &'static str| {
        [&["forecast", "--data", "in/sales.csv", "--models", "naive", "--out", out][..], &COLUMNS].concat()
    };
    assert!(Command::new("mkfifo").arg(home.join("pipe.csv")).status().unwrap().success());
    std::os::unix::fs::symlink("nowhere.csv", home.join("dangling.csv")).unwrap();
    for out in ["pipe.csv", "dangling.csv"] {
        let (code, said) = ran(home, &args(out));
        assert!(code == 2 && said.contains(out), "{out}: {code} {said}");
        assert!(!home.join(out).symlink_metadata().unwrap().is_file());
    }
    works(home, &args("real.csv"));
    std::os::unix::fs::symlink("real.csv", home.join("link.csv")).unwrap();
    works(home, &args("link.csv"));
    assert!(home.join("link.csv").is_symlink(), "the link stays");
}

/// A stream neither takes away a list nor a folder that it has not made.
#[test]
fn a_stream_takes_nothing_away_that_is_not_its_own() {
    let home = writers_home();
    let home = home.path();
    let args = [
        &[
            "forecast",
            "--stream",
            "--data",
            "in/sales.parquet",
            "--models",
            "naive",
            "--horizon",
            "2",
            "--out",
            "s.parquet",
        ][..],
        &COLUMNS,
    ]
    .concat();
    fs::write(home.join("s.failures.csv"), "date,machine\n2024-01-01,3\n").unwrap();
    let (code, said) = ran(home, &args);
    assert!(code == 2 && said.contains("s.failures.csv"), "{code} {said}");
    assert_eq!(fs::read_to_string(home.join("s.failures.csv")).unwrap(), "date,machine\n2024-01-01,3\n");
    fs::remove_file(home.join("s.failures.csv")).unwrap();
    fs::create_dir(home.join("s.parquet.partial")).unwrap();
    for name in ["layout.json", "forecast-000001.parquet", "series-000000.parquet", "notes.txt"] {
        let path = home.join("s.parquet.partial").join(name);
        fs::write(&path, "mine").unwrap();
        let (code, said) = ran(home, &args);
        assert!(code == 2 && said.contains(name), "{name}: {code} {said}");
        assert_eq!(fs::read(&path).unwrap(), b"mine");
        fs::remove_file(&path).unwrap();
    }
    works(home, &args);
    assert!(!home.join("s.parquet.partial").exists());
}

/// Starts a command and kills it when `when` says so; did it come to that?
fn killed(folder: &Path, args: &[&str], when: impl Fn() -> bool) -> bool {
    let mut child = command(folder, args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    while !when() && child.try_wait().unwrap().is_none() && begun.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(1));
    }
    let running = child.try_wait().unwrap().is_none();
    let _ = child.kill();
    child.wait().unwrap();
    running
}

/// A stream that was killed goes on with the same inputs only: joined files, events and the future are inputs too.
#[test]
fn a_killed_stream_begins_anew_when_anything_that_it_reads_has_changed() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    parquet(&home.join("sales.parquet"), 300, 60);
    let weather = |times: i64| {
        let rows: String = (0..70).map(|day| format!("{day},{}\n", times * (day * 7 % 11))).collect();
        format!("ds,temp\n{rows}")
    };
    fs::write(home.join("w.csv"), weather(1)).unwrap();
    let args = |out: &'static str| {
        [
            &[
                "forecast",
                "--stream",
                "--data",
                "sales.parquet",
                "--join",
                "w.csv(on=[ds], known=[temp])",
                "--chunk",
                "60",
                "--models",
                "regression",
                "--freq",
                "1",
                "--season",
                "7",
                "--horizon",
                "2",
                "--out",
                out,
            ][..],
            &COLUMNS,
        ]
        .concat()
    };
    let partial = home.join("a.parquet.partial");
    let chunks = || {
        fs::read_dir(&partial).map_or(0, |entries| {
            entries.filter(|e| e.as_ref().unwrap().path().extension().is_some_and(|e| e == "json")).count()
        })
    };
    assert!(killed(home, &args("a.parquet"), || chunks() > 20), "the stream had ended before it was killed");
    assert!(!home.join("a.parquet").exists());
    // The same again goes on.
    let copy = |from: &Path, to: &Path| {
        fs::create_dir(to).unwrap();
        for (path, bytes) in contents(from) {
            fs::write(to.join(path.file_name().unwrap()), bytes).unwrap();
        }
    };
    copy(&partial, &home.join("c.parquet.partial"));
    let done = tradewind(home, &[&args("c.parquet")[..], &["--json"]].concat());
    let done: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    assert!(done[0]["taken over"].as_u64().unwrap() >= 20, "{done}");
    // Of the same length, and of the same time.
    let time = fs::metadata(home.join("w.csv")).unwrap().modified().unwrap();
    fs::write(home.join("w.csv"), weather(1).replace(",7\n", ",9\n")).unwrap();
    fs::File::options().append(true).open(home.join("w.csv")).unwrap().set_modified(time).unwrap();
    let said = works(home, &args("a.parquet"));
    assert!(said.contains("w.csv has changed") && said.contains("begun anew"), "{said}");
    works(home, &args("b.parquet"));
    assert!(fs::read(home.join("a.parquet")).unwrap() == fs::read(home.join("b.parquet")).unwrap());
    assert!(fs::read(home.join("a.parquet")).unwrap() != fs::read(home.join("c.parquet")).unwrap());
}

/// What could not be served is said and listed; where nothing was made, nothing is written and the run has failed.
#[test]
fn failures_are_told_however_quiet_a_run_is() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    fs::write(home.join("one.csv"), sales(["a".to_string()], 40) + "b,2024-01-01,3\n").unwrap();
    fs::write(home.join("none.csv"), "id,ds,y\na,2024-01-01,3\nb,2024-01-01,3\n").unwrap();
    let given = |data: &'static str| {
        [&["--data", data, "--models", "theta", "--horizon", "2", "--freq", "D", "-q"][..], &COLUMNS].concat()
    };
    let said = works(home, &[&["forecast", "--out", "f.csv"][..], &given("one.csv")].concat());
    assert!(said.contains("1 failed") && said.contains("f.failures.csv"), "{said}");
    let listed = fs::read_to_string(home.join("f.failures.csv")).unwrap();
    assert!(listed.starts_with("model,series,reason\n") && listed.contains("theta,id=b,"), "{listed}");
    let said = works(home, &[&["fit", "--save", "one.fits"][..], &given("one.csv")].concat());
    assert!(said.contains("1 failed"), "{said}");
    let said = works(home, &["forecast", "--fits", "one.fits", "--horizon", "2", "--out", "g.csv", "-q"]);
    assert!(said.contains("1 failed") && home.join("g.failures.csv").exists(), "{said}");
    // An earlier list of ours goes when there is nothing to list.
    fs::write(home.join("all.csv"), sales(["a".to_string()], 40)).unwrap();
    works(home, &[&["forecast", "--out", "f.csv"][..], &given("all.csv")].concat());
    assert!(!home.join("f.failures.csv").exists());
    let before = contents(home);
    for verb in [&["fit", "--save", "n.fits"][..], &["forecast", "--out", "n.csv"]] {
        let (code, said) = ran(home, &[verb, &given("none.csv")].concat());
        assert!(code == 1 && said.contains("no model could"), "{verb:?}: {code} {said}");
        assert!(contents(home) == before, "{verb:?}");
    }
}

/// What can be known to be wrong before the work is told before it.
#[test]
fn mistakes_are_told_before_the_work() {
    let home = writers_home();
    let home = home.path();
    let search = "trials=2, record=r.jsonl";
    let args = [
        &["tune", "--data", "in/sales.csv", "--models", "croston", "--search", search, "--out", "t.xyz"][..],
        &COLUMNS,
    ]
    .concat();
    let (code, said) = ran(home, &args);
    assert!(code == 2 && said.contains("t.xyz") && !home.join("r.jsonl").exists(), "{code} {said}");
    for number in ["inf", "-inf", "nan"] {
        let plan = format!("data = 'in/sales.csv'\nid = 'id'\nmodels = 'naive'\nhorizon = {number}\n");
        fs::write(home.join("plan.toml"), plan).unwrap();
        let (code, said) = ran(home, &["run", "plan.toml", "--out", "results"]);
        assert!(code == 2 && said.contains("horizon") && !home.join("results").exists(), "{number}: {code} {said}");
        assert!(Model::named(&format!("theta(season={number})")).unwrap_err().is_usage());
    }
    let text = r#"theta(#{season: 1.0 / 0.0})"#;
    let failure = Session::new(&Settings::default(), Terminal::new()).unwrap().run("t", text).err().unwrap();
    assert!(failure.to_string().contains("season"), "{failure}");
}

/// One run at a time writes into a folder, and it leaves no lock behind.
#[test]
fn a_folder_is_kept_from_a_second_run() {
    let home = writers_home();
    let home = home.path();
    fs::create_dir(home.join("out")).unwrap();
    for verb in [
        &["backtest", "--out", "out"][..],
        &["backtest", "--page", "out"],
        &["audit", "--page", "out"],
        &["clean", "--dry-run", "--page", "out"],
        &["report", "--out", "out", "--slides", "slides"],
        &["run", "plan.toml", "--out", "out"],
    ] {
        let lock = fs::File::create(home.join("out/.tradewind.lock")).unwrap();
        lock.lock().unwrap();
        let args = [verb, &given(verb[0])[..]].concat();
        let (code, said) = ran(home, &args);
        assert!(code == 1 && said.contains("another run is writing into out"), "{verb:?}: {code} {said}");
        assert_eq!(fs::read_dir(home.join("out")).unwrap().count(), 1, "{verb:?}");
        drop(lock);
        // What a killed run has left is no lock.
        works(home, &args);
        assert!(!home.join("out/.tradewind.lock").exists(), "{verb:?}");
        fs::remove_dir_all(home.join("out")).unwrap();
        fs::create_dir(home.join("out")).unwrap();
    }
}

/// Scripts and library: the same rules, and a way to say that a file may be replaced.
#[test]
fn scripts_replace_their_own_files_and_what_they_are_told_to() {
    let home = writers_home();
    let home = home.path();
    let mut session =
        Session::new(&Settings { allow: vec![home.to_path_buf()], ..Settings::default() }, Terminal::new()).unwrap();
    let at = |name: &str| format!("{:?}", home.join(name));
    let mut run = |text: &str| session.run("t", text).map(|_| ()).map_err(|failure| failure.to_string());
    run(&format!(r#"let sales = read_panel({}, columns(["id"], "ds", "y"));"#, at("in/sales.csv"))).unwrap();
    // Its own, again and again, also after it was read.
    run(&format!(
        "for i in 0..3 {{ sales.table().save({0}); sales = read_panel({0}, sales.columns); }}",
        at("own.csv")
    ))
    .unwrap();
    fs::write(home.join("notes.csv"), "day,what\n1,rain\n").unwrap();
    let refused = run(&format!("sales.table().save({})", at("notes.csv"))).unwrap_err();
    assert!(refused.contains("has not written it") && refused.contains("overwrite("), "{refused}");
    let refused = run(&format!("sales.save({})", at("in/sales.csv"))).unwrap_err();
    assert!(refused.contains("overwrite the input"), "{refused}");
    let refused = run(&format!("overwrite({})", at("in/sales.csv"))).unwrap_err();
    assert!(refused.contains("overwrite the input"), "{refused}");
    run(&format!("overwrite({0}); sales.table().save({0})", at("notes.csv"))).unwrap();
    fs::write(home.join("notes.csv"), "day,what\n1,rain\n").unwrap();
    fs::write(home.join("s.rhai"), r#"table([#{a: 1}]).save("notes.csv")"#).unwrap();
    let (code, said) = ran(home, &["script", "s.rhai"]);
    assert!(code == 1 && said.contains("--overwrite"), "{code} {said}");
    works(home, &["script", "s.rhai", "--overwrite"]);
    assert_eq!(fs::read_to_string(home.join("notes.csv")).unwrap(), "a\n1\n");
}

/// Pictures beside a page belong to it: if one of them cannot be written, nothing is.
#[test]
fn a_page_and_its_pictures_are_written_together() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let report = Report::new("Sales").add(super::sales().plot().unwrap());
    let written = report.save(home.join("page.md")).unwrap();
    let picture = written.iter().find(|path| path.extension().is_some_and(|end| end == "svg")).unwrap();
    let page = fs::read(home.join("page.md")).unwrap();
    fs::write(picture, "<svg>mine</svg>").unwrap();
    let error = report.text("More.").save(home.join("page.md")).unwrap_err();
    assert!(error.is_usage() && error.to_string().contains("assets"), "{error}");
    assert!(fs::read(home.join("page.md")).unwrap() == page && fs::read(picture).unwrap() == b"<svg>mine</svg>");
}

/// A picture that may not be replaced is found before the work, and folders that were made for nothing go again.
#[test]
fn what_would_be_refused_at_the_end_is_refused_at_the_beginning() {
    let home = writers_home();
    let home = home.path();
    let args = |data: &'static str| {
        let args = ["report", "--data", data, "--models", "naive", "--horizon", "3", "--folds", "2", "--out", "out"];
        [&args[..], &["--slides", "out/slides"], &COLUMNS].concat()
    };
    let (code, said) = ran(home, &args("in/missing.csv"));
    assert!(code == 1 && said.contains("does not exist") && !home.join("out").exists(), "{code} {said}");
    works(home, &args("in/sales.csv"));
    let picture = fs::read_dir(home.join("out/assets")).unwrap().next().unwrap().unwrap().path();
    fs::write(&picture, "<svg>mine</svg>").unwrap();
    let (code, said) = ran(home, &args("in/missing.csv"));
    assert!(code == 2 && said.contains("assets") && said.contains("--overwrite"), "{code} {said}");
}

/// Kills at many moments of a backtest leave the old set or the new one, and the next run takes away what was left.
#[test]
fn kills_leave_whole_sets() {
    let home = writers_home();
    let home = home.path();
    let args = |data: &'static str, out: &'static str| {
        [&["backtest", "--data", data, "--models", "naive; theta", "--horizon", "2", "--folds", "2", "--out", out][..], &COLUMNS].concat()
    };
    fs::write(home.join("in/other.csv"), sales((0..5).map(|k| format!("o{k}")), 50)).unwrap();
    let set = |out: &str| -> Vec<Option<Vec<u8>>> {
        ["scores.parquet", "forecasts.parquet", "failures.csv"]
            .iter()
            .map(|name| fs::read(home.join(out).join(name)).ok())
            .collect()
    };
    let begun = Instant::now();
    works(home, &args("in/sales.csv", "old"));
    let whole = begun.elapsed();
    works(home, &args("in/other.csv", "new"));
    works(home, &args("in/sales.csv", "out"));
    let mut kills = 0;
    for step in 0..24 {
        let data = if step % 2 == 0 { "in/other.csv" } else { "in/sales.csv" };
        let until = Instant::now() + whole.mul_f64(f64::from(step + 1) / 20.0);
        kills += usize::from(killed(home, &args(data, "out"), || Instant::now() >= until));
        assert!(set("out").iter().all(Option::is_some));
        // Renames that a kill has cut off are made up for by whoever comes next, also by a run that comes to nothing.
        let failed = tradewind(home, &args("in/missing.csv", "out"));
        assert!(String::from_utf8_lossy(&failed.stderr).contains("does not exist"));
        let found = set("out");
        assert!(found == set("old") || found == set("new"), "kill {kills} has left a set of two runs");
    }
    assert!(kills > 5, "{kills} kills");
    works(home, &args("in/sales.csv", "out"));
    let hidden = contents(&home.join("out"))
        .into_keys()
        .find(|path| path.file_name().unwrap().to_string_lossy().starts_with('.'));
    assert_eq!(hidden, None);
}
