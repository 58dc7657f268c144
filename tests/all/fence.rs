//! The fence around scripts and notebooks: what lies outside is neither made, listed, read nor removed, whatever it is called
//! and on whatever thread; what a script uses up of memory, time, disk and servers is bounded, and the answer is a sentence.
//!
//! Everything here is harmless: folders, databases and servers are the test's own.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use tradewind::script::{Limits, Session, Settings, Terminal, on_deep_stack};

/// A folder to work in, and one beside it that is nobody's business.
struct Ground {
    home: tempfile::TempDir,
}

const SECRET: &str = "id,ds,y\nhidden,2024-01-01,1\nhidden,2024-01-02,2\n";
const OPENING: &str = "let shape = columns([\"id\"], \"ds\", \"y\"); let sales = read_panel(\"sales.csv\", shape);\n";

impl Ground {
    fn new() -> Self {
        let ground = Self { home: tempfile::tempdir().unwrap() };
        std::fs::create_dir_all(ground.out("deep")).unwrap();
        std::fs::create_dir_all(ground.inside("own/sub")).unwrap();
        std::fs::write(ground.out("secret.csv"), SECRET).unwrap();
        std::fs::write(ground.out("secret.rhai"), "fn told() { \"told\" }").unwrap();
        std::fs::write(ground.out("deep/secret.toml"), "horizon = 3\n").unwrap();
        let mut sales = String::from("id,ds,y\n");
        for key in ["a", "b", "c"] {
            for day in 0..60_u64 {
                let date = chrono::NaiveDate::default() + chrono::Days::new(20_000 + day);
                sales.push_str(&format!("{key},{date},{}\n", 10 + day % 7 + day / 9));
            }
        }
        std::fs::write(ground.inside("sales.csv"), sales).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::symlink;
            symlink(ground.out(""), ground.inside("link")).unwrap();
            symlink(ground.out("secret.csv"), ground.inside("own/linked.csv")).unwrap();
            symlink(ground.out("secret.rhai"), ground.inside("module.rhai")).unwrap();
            symlink(ground.out("nowhere"), ground.inside("dangling")).unwrap();
        }
        ground
    }

    fn inside(&self, name: &str) -> PathBuf {
        self.home.path().join("in").join(name)
    }

    fn out(&self, name: &str) -> PathBuf {
        self.home.path().join("out").join(name)
    }

    /// Every name outside, with what its file holds.
    fn outside(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let (mut all, mut folders) = (BTreeMap::new(), vec![self.out("")]);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path.clone());
                }
                all.insert(path.clone(), std::fs::read(&path).unwrap_or_default());
            }
        }
        all
    }

    /// Runs a script with the binary in the inner folder.
    fn script(&self, text: &str, args: &[&str]) -> Ran {
        std::fs::write(self.inside("script.rhai"), text).unwrap();
        self.tradewind(&[&["script", "script.rhai"], args].concat(), Duration::from_secs(60))
    }

    fn tradewind(&self, args: &[&str], patience: Duration) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tradewind"));
        command.args(args).current_dir(self.inside("")).env_remove("TRADEWIND_DATA");
        ran(command, patience, None)
    }

    /// Runs cells of a session that may use the inner folder alone (and the folder of the tests).
    fn session(&self, limits: Limits) -> Session {
        let settings = Settings { limits: Some(limits), allow: vec![self.inside("")], ..Settings::default() };
        Session::new(&settings, Terminal::new()).unwrap()
    }
}

struct Ran {
    code: Option<i32>,
    out: String,
    said: String,
    took: Duration,
}

/// Runs a command to its end, which comes by force when patience does; `interrupt` sends Ctrl-C after a while.
fn ran(mut command: Command, patience: Duration, interrupt: Option<Duration>) -> Ran {
    let started = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut interrupted = false;
    while child.try_wait().unwrap().is_none() {
        if interrupt.is_some_and(|after| !interrupted && started.elapsed() > after) {
            interrupted = true;
            assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
        }
        if started.elapsed() > patience {
            child.kill().unwrap();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ran { code: status.code(), out: text(stdout), said: text(stderr), took: started.elapsed() }
}

/// Every verb that writes, pointed at a folder.
fn writers(folder: &str) -> Vec<String> {
    let path = |name: &str| format!("{:?}", format!("{folder}/{name}"));
    let plan =
        "plan(#{data: \"sales.parquet\", id: \"id\", time: \"ds\", target: \"y\", models: \"naive\", horizon: 2})";
    vec![
        format!("sales.save({})", path("new/p.parquet")),
        format!("sales.save({})", path("new/p.csv")),
        format!("sales.summary().save({})", path("new/t.json")),
        format!("sales.plot().save({})", path("new/f.svg")),
        format!("report(\"x\").add(sales.plot()).save({})", path("new/r.html")),
        format!("sales.backtest(\"naive\", folds(2, 4)).save({})", path("new/trial")),
        format!("sales.fit(\"naive\").save({})", path("new/f.fits")),
        format!("sales.tune(\"boost(num_rounds=2)\", folds(2, 4), #{{trials: 2, record: {}}})", path("new/r.jsonl")),
        format!("sales.save(\"sales.parquet\"); {plan}.stream({})", path("new/s.parquet")),
    ]
}

#[cfg(unix)]
#[test]
fn nothing_outside_is_made_or_removed() {
    let ground = Ground::new();
    let before = ground.outside();
    for folder in [
        ground.out("").display().to_string(),
        "../out".into(),
        "link".into(),
        "own/../../out".into(),
        "own/sub/../../link".into(),
    ] {
        for text in writers(&folder) {
            let ran = ground.script(&format!("{OPENING}{text};"), &[]);
            assert!(
                ran.code == Some(1) && ran.said.contains("lies outside the working folder"),
                "{text}: {}",
                ran.said
            );
            assert_eq!(ground.outside(), before, "{text}");
        }
    }
    // The same folders are used where they are allowed.
    let allowed = ground.out("").display().to_string();
    assert_eq!(ground.script(&format!("{OPENING}sales.save(\"link/new.csv\");"), &["--allow", &allowed]).code, Some(0));
}

#[cfg(all(unix, feature = "xgboost"))]
#[test]
fn native_models_make_no_folder_outside() {
    let ground = Ground::new();
    let before = ground.outside();
    let label = "xgboost(num_boost_round=2, regressors=false)";
    for folder in [ground.out("native").display().to_string(), "../out/native".into(), "link/native".into()] {
        let text = format!("{OPENING}sales.fit([{label:?}]).save_native({label:?}, 2, {folder:?});");
        let ran = ground.script(&text, &[]);
        assert!(ran.code == Some(1) && ran.said.contains("lies outside the working folder"), "{folder}: {}", ran.said);
        assert_eq!(ground.outside(), before, "{folder}");
    }
}

/// A stream keeps what it has done beside its output, and clears what another run has left there.
#[cfg(unix)]
#[test]
fn a_stream_does_not_clear_what_a_link_leads_to() {
    let ground = Ground::new();
    for name in ["forecast-000001.parquet", "series-000001.parquet", "layout.json"] {
        std::fs::write(ground.out("deep").join(name), "mine").unwrap();
    }
    std::fs::remove_file(ground.out("deep/secret.toml")).unwrap();
    std::os::unix::fs::symlink(ground.out("deep"), ground.inside("f.parquet.partial")).unwrap();
    let before = ground.outside();
    let text = format!(
        "{OPENING}sales.save(\"sales.parquet\"); plan(#{{data: \"sales.parquet\", id: \"id\", time: \"ds\", target: \"y\", \
         models: \"naive\", horizon: 2}}).stream(\"f.parquet\");"
    );
    let ran = ground.script(&text, &[]);
    assert!(ran.code == Some(1) && ran.said.contains("lies outside"), "{}", ran.said);
    assert_eq!(ground.outside(), before);
}

#[cfg(unix)]
#[test]
fn patterns_do_not_walk_out() {
    let ground = Ground::new();
    let out = ground.out("").display().to_string();
    let patterns = [
        "../out/*",
        "link/*",
        "l*/*.csv",
        "l*",
        "*/../../out/*.csv",
        "own/../../out/*",
        "**/secret*",
        "own/*.csv",
        "?ink/deep/*",
        "own/[l]inked.csv",
        "*/sub/../../../out/*",
    ];
    for pattern in patterns.map(String::from).into_iter().chain([format!("{out}/*")]) {
        for text in
            [format!("print(files({pattern:?}))"), format!("read_panel({pattern:?}, columns([\"id\"], \"ds\", \"y\"))")]
        {
            // A panel may be read of the names that lie inside; there are none that match.
            let ran = ground.script(&text, &[]);
            assert!(
                ran.code == Some(1) && ran.said.contains("lies outside the working folder"),
                "{text}: {}{}",
                ran.out,
                ran.said
            );
            let told = |said: &str| said.contains("secret") && !pattern.contains("secret");
            assert!(!told(&ran.said) && !told(&ran.out), "{text}: {}{}", ran.out, ran.said);
        }
    }
    assert_eq!(ground.script("print(files(\"s*.csv\"))", &[]).out, "[\"sales.csv\"]\n");
    assert_eq!(ground.script("print(files(\"own/../s*.csv\"))", &[]).out, "[\"own/../sales.csv\"]\n");
    // A notebook's cells are held as well.
    let cell = format!("files(\"{}/*/secret.csv\")", ground.inside("").display());
    let failure = ground.session(Limits::default()).run("cell 1", &cell).unwrap_err().to_string();
    assert!(failure.contains("lies outside"), "{failure}");
}

/// What is there and what is not is refused in the same words, which name no place but the one that was asked for.
#[cfg(unix)]
#[test]
fn refusals_do_not_tell_what_is_there() {
    let ground = Ground::new();
    let out = ground.out("").display().to_string();
    let real = ground.home.path().canonicalize().unwrap().join("out").display().to_string();
    let places = [
        // There, and not there.
        ("../out/secret", "../out/secrit"),
        ("link/secret", "link/secrit"),
        ("own/sub/../../link/secret", "own/sub/../../link/secrit"),
        ("LINK/../../out/secret", "LINK/../../out/secrit"),
    ];
    let absolute = (format!("{out}secret"), format!("{out}secrit"));
    let places = places.into_iter().chain([(absolute.0.as_str(), absolute.1.as_str())]);
    let verbs: [fn(&str) -> String; 7] = [
        |path| format!("read_panel(\"{path}.csv\", columns([\"id\"], \"ds\", \"y\"))"),
        |path| format!("print(is_panel(\"{path}.csv\"))"),
        |path| format!("open_panel(\"{path}.csv\")"),
        |path| format!("load_fits(\"{path}.csv\")"),
        |path| format!("read_plan(\"{path}.csv\")"),
        |path| format!("print(files(\"{path}.csv\"))"),
        |path| format!("import \"{path}\" as other; other::told()"),
    ];
    for (there, absent) in places {
        for verb in verbs {
            let (one, other) = (ground.script(&verb(there), &[]), ground.script(&verb(absent), &[]));
            assert_eq!(one.code, Some(1), "{}{}", verb(there), one.said);
            assert_eq!(one.said.replace("secret", "secrit"), other.said, "{}", verb(there));
            assert!(one.said.contains("lies outside"), "{}", one.said);
            if !there.starts_with('/') {
                assert!(!one.said.contains(&real) && !one.said.contains(&out), "{}", one.said);
            }
        }
    }
    // Names beside a missing file are told of folders inside alone.
    let near = ground.script("read_panel(\"sails.csv\", columns([\"id\"], \"ds\", \"y\"))", &[]).said;
    assert!(near.contains("did you mean sales.csv?"), "{near}");
    std::os::unix::fs::symlink(ground.out(""), ground.inside("scripts")).unwrap();
    let said = ground.script("import \"secrit\" as other;", &[]).said;
    assert!(said.contains("there is no script") && !said.contains("`secret`"), "{said}");
}

#[cfg(unix)]
#[test]
fn a_module_is_no_way_out() {
    let ground = Ground::new();
    for name in ["module", "./module", "link/secret", "own/../module"] {
        let ran = ground.script(&format!("import {name:?} as other; print(other::told());"), &[]);
        assert!(ran.code == Some(1) && !ran.out.contains("told"), "{name}: {}{}", ran.out, ran.said);
    }
    // What lies beside the script itself is read, wherever the script lies.
    std::fs::write(ground.out("main.rhai"), "import \"secret\" as other; print(other::told());").unwrap();
    assert_eq!(ground.tradewind(&["script", "../out/main.rhai"], Duration::from_secs(60)).out, "told\n");
}

/// Trials of a search run on many threads, and training leaves files.
#[cfg(all(unix, feature = "lstm"))]
#[test]
fn the_fence_holds_on_every_thread() {
    let ground = Ground::new();
    let before = ground.outside();
    let model =
        |folder: &str| format!("lstm(hidden_size=4, epochs=1, batches_per_epoch=2, windows=1, checkpoint='{folder}')");
    for folder in ["../out/kept", "link/kept"] {
        let model = model(folder);
        let plan = format!(
            "plan(#{{data: \"sales.csv\", id: \"id\", time: \"ds\", target: \"y\", horizon: 4, folds: 2, models: {model:?}, \
             search: \"trials=2, space=[rate=[0.01, 0.02]]\"}})"
        );
        for text in [
            format!("sales.tune({model:?}, folds(2, 4), #{{trials: 2, sampler: \"random\"}})"),
            format!("sales.backtest([{model:?}], folds(2, 4)).best(\"mase\")"),
            format!("sales.fit([{:?}])", format!("combine(models=[\"{}\", 'naive'])", model.replace('\'', "\\\""))),
            format!("{plan}.tune()"),
            format!("{plan}.backtest().best(\"mase\")"),
        ] {
            let ran = ground.script(&format!("{OPENING}print({text});"), &[]);
            assert!(ground.outside() == before, "{text}: {}{}", ran.out, ran.said);
        }
    }
}

#[test]
fn many_spellings_of_what_lies_inside_are_one() {
    let ground = Ground::new();
    let absolute = ground.inside("sales.csv").display().to_string();
    for path in ["sales.csv", "./sales.csv", "own/../sales.csv", "own//sub/../../sales.csv", absolute.as_str()] {
        let ran = ground.script(&format!("print(read_panel({path:?}, columns([\"id\"], \"ds\", \"y\")).len())"), &[]);
        assert_eq!((ran.code, ran.out.as_str()), (Some(0), "3\n"), "{path}: {}", ran.said);
    }
}

// ------------------------------------------------------------------------------------------------ databases

#[cfg(feature = "sql")]
mod databases {
    use super::*;

    fn ask(place: &str, query: &str, more: &str) -> String {
        format!("print(read_panel({place:?}, columns([\"id\"], \"ds\", \"y\"), #{{query: {query:?}{more}}}).rows);")
    }

    const ROWS: &str = "select 'a' as id, '2024-01-01' as ds, 1 as y union all select 'a', '2024-01-02', 2";
    const ENDLESS: &str = "with recursive c(x) as (select 1 union all select x + 1 from c) select 'a' as id, '2024-01-01' as ds, max(x) as y from c";

    #[test]
    fn a_script_calls_no_server_that_it_was_not_allowed() {
        let ground = Ground::new();
        // Nobody listens there: who calls says that there is no answer.
        let url = "postgres://reader@127.0.0.1:1/shop";
        let ran = ground.script(&ask(url, ROWS, ""), &[]);
        assert!(ran.code == Some(1) && ran.said.contains("--allow-database 127.0.0.1:1/shop"), "{}", ran.said);
        for other in ["127.0.0.1:2", "127.0.0.1/other", "localhost"] {
            let ran = ground.script(&ask(url, ROWS, ""), &["--allow-database", other]);
            assert!(ran.said.contains("--allow-database 127.0.0.1:1/shop"), "{other}: {}", ran.said);
        }
        for name in ["127.0.0.1", "127.0.0.1:1", "127.0.0.1:1/shop", "127.0.0.1/shop"] {
            let ran = ground.script(&ask(url, ROWS, ""), &["--allow-database", name]);
            assert!(ran.said.contains("does not answer"), "{name}: {}", ran.said);
        }
        // A name that is allowed leads to no other address.
        for url in [
            "postgres://reader@allowed.example/shop?hostaddr=127.0.0.1&port=1",
            "postgres://reader@allowed.example,127.0.0.1/shop?port=1",
            "postgres://reader@/shop?host=/var/run/postgresql",
        ] {
            let ran = ground.script(&ask(url, ROWS, ""), &["--allow-database", "allowed.example"]);
            assert!(!ran.said.contains("does not answer") && ran.code == Some(1), "{url}: {}", ran.said);
        }
        // A plan that a script runs asks as the script does.
        let plan =
            format!("plan(#{{data: {url:?}, query: {ROWS:?}, id: \"id\", time: \"ds\", target: \"y\"}}).read_panel()");
        assert!(ground.script(&plan, &[]).said.contains("--allow-database"));
    }

    #[test]
    fn a_sqlite_file_is_a_file() {
        let ground = Ground::new();
        let path = ground.out("shop.sqlite");
        let database = rusqlite::Connection::open(&path).unwrap();
        database.execute_batch(&format!("create table sales as {ROWS}")).unwrap();
        drop(database);
        std::fs::copy(&path, ground.inside("own.sqlite")).unwrap();
        let before = ground.outside();
        let query = "select * from sales";
        assert_eq!(ground.script(&ask("own.sqlite", query, ""), &[]).out, "2\n");
        // A name that SQLite takes for an address, whose folders lie inside.
        let real = path.canonicalize().unwrap();
        let spelt = format!("file:{}", real.display());
        let decoy = ground.inside(&spelt);
        std::fs::create_dir_all(decoy.parent().unwrap()).unwrap();
        std::fs::write(&decoy, "").unwrap();
        for place in ["../out/shop.sqlite", "link/shop.sqlite", spelt.as_str()] {
            let ran = ground.script(&ask(place, query, ""), &[]);
            assert!(ran.code == Some(1) && ran.out.is_empty(), "{place}: {}", ran.out);
        }
        let shop = real.display();
        for query in [
            format!("attach '{shop}' as other"),
            format!("vacuum into '{}'", ground.out("copy.sqlite").display()),
            "pragma query_only = off".into(),
            "delete from sales".into(),
            "select load_extension('x'), 1 as id, 1 as ds, 1 as y".into(),
            format!("select * from sales; attach '{shop}' as other"),
        ] {
            let ran = ground.script(&ask("own.sqlite", &query, ""), &[]);
            assert!(ran.code == Some(1) && ran.said.contains("line 1, column"), "{query}: {}{}", ran.out, ran.said);
        }
        assert!(
            ground
                .script(&ask("own.sqlite", &format!("{query}; select 1"), ""), &[])
                .said
                .contains("a single statement")
        );
        assert_eq!(ground.outside(), before);
    }

    #[test]
    fn a_query_without_an_end_is_ended() {
        let ground = Ground::new();
        let database = rusqlite::Connection::open(ground.inside("own.sqlite")).unwrap();
        database.execute_batch("create table t (x)").unwrap();
        drop(database);
        let patience = Duration::from_secs(20);
        std::fs::write(ground.inside("script.rhai"), ask("own.sqlite", ENDLESS, ", seconds: 1")).unwrap();
        let ran = ground.tradewind(&["script", "script.rhai"], patience);
        assert!(ran.code == Some(1) && ran.said.contains("within 1 seconds"), "{}", ran.said);
        assert!(ran.took < patience);
        let read = ["audit", "--data", "own.sqlite", "--id", "id", "--query", ENDLESS];
        let ran = ground.tradewind(&[&read[..], &["--reading", "seconds=1"]].concat(), patience);
        assert!(ran.code == Some(1) && ran.said.contains("within 1 seconds"), "{}", ran.said);
        // A script states less than it may, not more.
        assert!(ground.script(&ask("own.sqlite", ENDLESS, ", seconds: 1000000"), &[]).said.contains("--unlimited"));
        let many = "with recursive c(x) as (select 1 union all select x + 1 from c where x < 1000) select 'a' as id, x as ds, 1 as y from c";
        let ran = ground.script(&ask("own.sqlite", many, ", rows: 100"), &[]);
        assert!(ran.code == Some(1) && ran.said.contains("more than 100 rows"), "{}", ran.said);
        assert_eq!(ground.script(&ask("own.sqlite", many, ", rows: 1000"), &[]).out, "1000\n");
    }

    #[cfg(unix)]
    #[test]
    fn an_interrupt_ends_a_query() {
        let ground = Ground::new();
        let database = rusqlite::Connection::open(ground.inside("own.sqlite")).unwrap();
        database.execute_batch("create table t (x)").unwrap();
        drop(database);
        let mut command = Command::new(env!("CARGO_BIN_EXE_tradewind"));
        command
            .args(["audit", "--data", "own.sqlite", "--id", "id", "--query", ENDLESS])
            .current_dir(ground.inside(""));
        let ran = ran(command, Duration::from_secs(20), Some(Duration::from_secs(1)));
        assert_eq!(ran.code, Some(130), "{}", ran.said);
    }

    /// A database of the server's own for a test, with a table and a role that may but read it.
    fn served(test: &str) -> Option<(String, String, postgres::Client)> {
        let Ok(server) = std::env::var("TRADEWIND_TEST_POSTGRES") else {
            crate::skipped(test, "no PostgreSQL server (TRADEWIND_TEST_POSTGRES)");
            return None;
        };
        let mut client = postgres::Client::connect(&server, postgres::NoTls).unwrap();
        let name = format!("fence_{test}_{}", std::process::id());
        client.batch_execute(&format!("create database {name}")).unwrap();
        let own = format!("{}/{name}", server.rsplit_once('/').unwrap().0);
        let mut client = postgres::Client::connect(&own, postgres::NoTls).unwrap();
        client
            .batch_execute(&format!(
                "create table sales as select 'a' as id, date '2024-01-01' + i as ds, i as y, null::int as z, i % 2 = 0 as b
                     from generate_series(0, 9) i;
                 create role reader_{name} login; grant select on sales to reader_{name};
                 create role writer_{name} login; grant select, insert on sales to writer_{name};
                 create role filer_{name} login; grant select on sales to filer_{name};
                 grant pg_write_server_files to filer_{name}"
            ))
            .unwrap();
        Some((own, name, client))
    }

    #[test]
    fn a_query_cannot_leave_its_statement() {
        let Some((url, _, mut client)) = served("a_query_cannot_leave_its_statement") else { return };
        let ground = Ground::new();
        let reach = ground.home.path().join("reached");
        std::fs::create_dir(&reach).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            for folder in [ground.home.path(), &reach] {
                std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o777)).unwrap();
            }
        }
        let made = |name: &str| format!("{}/{name}", reach.display());
        // Not as a script: the role of the command line is whoever types, here one that may do everything.
        for query in [
            format!("select 'a' as id, '2024-01-01' as ds, 1 as y) to program 'touch {}' --", made("a")),
            format!("select 1) to '{}' --", made("b")),
            format!("copy sales to program 'touch {}'", made("c")),
            "select 1; drop table sales".into(),
            "drop table sales".into(),
            "with gone as (delete from sales returning *) select id, ds, y from gone".into(),
            "select id, ds, y into other from sales".into(),
            "select set_config('transaction_read_only', 'off', true) as id, '2024-01-01' as ds, 1 as y".into(),
            "begin; drop table sales; commit".into(),
            "do $$ begin drop table sales; end $$".into(),
        ] {
            let args = ["audit", "--data", &url, "--id", "id", "--query", &query];
            let ran = ground.tradewind(&args, Duration::from_secs(60));
            assert!(ran.code == Some(1) && ran.said.contains("does not answer"), "{query}: {}{}", ran.out, ran.said);
        }
        assert_eq!(std::fs::read_dir(&reach).unwrap().count(), 0);
        let count: i64 = client.query_one("select count(*) from sales", &[]).unwrap().get(0);
        assert_eq!(count, 10);
        // What is no statement of its own is left alone: comments, a semicolon at the end, columns of every kind.
        for query in [
            "select * from sales;",
            "select * from sales -- all of it",
            "table sales",
            "with s as (table sales) select * from s",
        ] {
            let args = ["audit", "--data", &url, "--id", "id", "--known", "z,b", "--query", query, "-q"];
            let ran = ground.tradewind(&args, Duration::from_secs(60));
            assert_eq!(ran.code, Some(0), "{query}: {}", ran.said);
        }
    }

    #[test]
    fn a_script_asks_as_a_role_that_may_but_read() {
        let Some((url, name, _client)) = served("a_script_asks_as_a_role") else { return };
        let ground = Ground::new();
        let host = url.split_once('@').unwrap().1.split('/').next().unwrap().to_string();
        let run = |role: &str, query: &str, more: &str| {
            let url = format!("postgres://{role}@{host}/{name}");
            ground.script(&ask(&url, query, more), &["--allow-database", &host])
        };
        let (reader, writer, filer) = (format!("reader_{name}"), format!("writer_{name}"), format!("filer_{name}"));
        assert_eq!(run(&reader, "select * from sales", "").out, "10\n");
        for role in ["tester", &writer, &filer] {
            let ran = run(role, "select * from sales", "");
            assert!(ran.code == Some(1) && ran.said.contains("role that may only read"), "{role}: {}", ran.said);
        }
        let ran = run(&reader, "select pg_sleep(60)::text as id, '2024-01-01' as ds, 1 as y", ", seconds: 1");
        assert!(ran.code == Some(1) && ran.said.contains("within 1 seconds"), "{}", ran.said);
        // A query that lifts the server's own limit is ended from here.
        let lifted = "select set_config('statement_timeout', '0', true) as id, '2024-01-01' as ds, 1 as y, i
                      from generate_series(1, 100000000) i";
        let ran = run(
            &reader,
            &format!("select id, ds, y from ({lifted}) as s where pg_sleep(0.0005) is not null"),
            ", seconds: 2",
        );
        assert!(ran.code == Some(1) && ran.said.contains("within 2 seconds"), "{}", ran.said);
        assert!(run(&reader, "select * from sales", ", rows: 5").said.contains("more than 5 rows"));
    }
}

// ------------------------------------------------------------------------------------------------ memory and time

/// One call that makes much out of little. What would be made is some times the limit, what is given a part of it.
#[test]
fn what_one_call_makes_is_bounded_before() {
    let ground = Ground::new();
    let limits = || Limits { memory: 256 << 20, ..Limits::default() };
    let long = "let s = \"x\"; s.pad(9000000, \"x\");";
    for text in [
        "let row = []; row.pad(1000, 0); let a = []; a.pad(100000, row); a.len()",
        &format!("{long} let t = s; t.replace(\"x\", \"{}\"); t.len()", "y".repeat(20)),
        &format!("{long} let t = s; t.replace('x', \"{}\"); t.len()", "y".repeat(20)),
        &format!("{long} s.split(\"\").len()"),
        &format!("{long} s.split(\"x\").len()"),
        &format!("{long} s.split('x').len()"),
        &format!("{long} s.split('x', 8000000).len()"),
        &format!("{long} s.split_rev(\"x\").len()"),
        &format!("{long} s.split_rev('x', 8000000).len()"),
        &format!("{long} s.to_chars().len()"),
        "blob(9000000).to_array().len()",
        &format!("{long} let a = []; a.pad(1000, s); a.to_string().len()"),
        &format!("{long} let a = []; a.pad(1000, s); `${{a}}`.len()"),
        &format!("{long} let a = []; a.pad(1000, s); (\"\" + a).len()"),
        &format!("{long} let a = []; a.pad(1000, s); let m = #{{a: a}}; m.to_string().len()"),
        &format!("{long} let a = []; a.pad(1000, s); let m = #{{a: a}}; m.to_json().len()"),
        &format!("{long} let a = []; a.pad(1000, s); print(a); 1"),
        "let s = \"[\"; s.pad(9000000, \"0,\"); parse_json(`{\"a\":${s}0]}`).a.len()",
        "let s = \"x\"; loop { s += s; }",
        "let s = \"x\"; loop { s = s + s; }",
        "let s = \"x\"; loop { s.append(s); }",
        "let a = [0]; loop { a += a; }",
        "let a = [0]; loop { a = a + a; }",
        "let a = [0]; loop { a.append(a); }",
        "let b = blob(10); loop { b += b; }",
        "let b = blob(10); loop { b.append(b); }",
    ] {
        let began = Instant::now();
        let failure = on_deep_stack(|| {
            let ran = ground.session(limits()).run("cell", text);
            ran.map(|value| value.text().chars().take(100).collect::<String>()).expect_err(text)
        });
        let failure = failure.unwrap();
        let said = failure.to_string();
        assert!(said.contains("--unlimited") && said.contains("line 1, column"), "{text}: {said}");
        assert!(began.elapsed() < Duration::from_secs(120), "{text}");
    }
    // Shown as the last value of a cell, a value is cut.
    let text = format!("{long} let a = []; a.pad(1000, s); a");
    let shown = ground.session(limits()).run("cell", &text).map(|value| value.text().len());
    assert!(shown.is_err() || shown.is_ok_and(|length| length < 100 << 20));
    // What honest work does.
    for (text, expected) in [
        ("let t = \"a-b\"; t.replace(\"-\", \"+\"); t", "a+b"),
        ("let t = \"abab\"; t.replace('a', 'c'); t", "cbcb"),
        ("let t = \"\"; t.replace(\"\", \"c\"); t", ""),
        ("\"a,b,c\".split(\",\").len()", "3"),
        ("\"a b  c\".split().len()", "3"),
        ("\"a,b,c\".split(',', 2)[1]", "b,c"),
        ("\"a,b,c\".split_rev(\",\", 2)[0]", "c"),
        ("\"abc\".split(\"\").len()", "5"),
        ("\"abc\".split(\"x\")[0]", "abc"),
        ("\"abc\".split(1)[0]", "a"),
        ("\"abc\".to_chars().len()", "3"),
        ("let a = [1] + [2]; a += [3]; a += 4; a.append([5]); a.len()", "5"),
        ("let s = \"a\" + \"b\" + 'c' + 1; s += \"d\"; s += 'e'; s += 2; s", "abc1de2"),
        ("let b = blob(2, 1); b += blob(1); b.len()", "3"),
        ("parse_json(`{\"a\": [1, 2.5, null]}`).a.len()", "3"),
        ("#{a: 1}.to_json()", "{\"a\":1}"),
        ("[1, \"b\", #{c: 2}].to_string()", "[1, \"b\", #{c: 2}]"),
        ("let x = 1; x += 2; x *= 3; let y = 1.5; y += 1; x + y", "11.5"),
    ] {
        let value = ground.session(limits()).run("cell", text).unwrap_or_else(|failure| panic!("{text}: {failure}"));
        assert_eq!(value.text(), expected, "{text}");
    }
}

/// Every function of Rhai was looked at: does it make much out of little? Another version may bring another one.
#[test]
fn the_functions_of_this_rhai_were_gone_through() {
    let lock = std::fs::read_to_string("Cargo.lock").unwrap();
    let version = lock.split("name = \"rhai\"\nversion = \"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(
        version, "1.27.0",
        "look through src/packages/ of the new version for functions that make much out of little, bound them in src/script/memory.rs, \
         add them to what_one_call_makes_is_bounded_before, then change this number"
    );
}

/// A program that runs scripts has a ceiling of its own, and one beneath the system's.
#[cfg(target_os = "linux")]
#[test]
fn the_process_has_a_ceiling() {
    let ground = Ground::new();
    let ceiling = |args: &[&str]| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tradewind"))
            .arg("repl")
            .args(args)
            .current_dir(ground.inside(""))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(b"1 + 1\n").unwrap();
        let mut answer = [0];
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut answer).unwrap();
        let limits = std::fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
        drop(input);
        child.wait().unwrap();
        let line = limits.lines().find(|line| line.starts_with("Max data size")).unwrap();
        line.split_whitespace().nth(3).unwrap().parse::<u64>().ok()
    };
    let most = ceiling(&[]).expect("there is a ceiling");
    assert!((4 << 30..64 << 30).contains(&most) || most < 4 << 30, "{most}");
    assert_eq!(ceiling(&["--unlimited"]), None);
    // Under one that is lower still, the answer is a sentence and no abort.
    for text in [
        "let a = [0]; loop { a += a; }",
        "let s = \"x\"; s.pad(1000000, \"x\"); let a = []; loop { a.push(s + a.len()); }",
    ] {
        std::fs::write(ground.inside("script.rhai"), text).unwrap();
        let mut command = Command::new("sh");
        let line = format!("ulimit -v 5000000; exec {} script script.rhai", env!("CARGO_BIN_EXE_tradewind"));
        command.args(["-c", &line]).current_dir(ground.inside("")).env("TRADEWIND_THREADS", "2");
        let ran = ran(command, Duration::from_secs(60), None);
        assert!(
            ran.code == Some(1) && ran.said.contains("memory") && ran.said.contains("line 1"),
            "{text}: {:?} {}",
            ran.code,
            ran.said
        );
    }
}

#[test]
fn a_script_sleeps_no_longer_than_it_may() {
    let ground = Ground::new();
    std::fs::write(ground.inside("script.rhai"), "sleep(0.1);\nsleep(1000000);").unwrap();
    let ran = ground.tradewind(&["script", "script.rhai"], Duration::from_secs(10));
    assert!(ran.code == Some(1) && ran.said.contains("line 2") && ran.said.contains("sleeps longer"), "{}", ran.said);
    // What was refused was not slept.
    std::fs::write(ground.inside("script.rhai"), "try { sleep(1000000) } catch { }\nsleep(0.01); print(\"awake\")")
        .unwrap();
    let ran = ground.tradewind(&["script", "script.rhai"], Duration::from_secs(10));
    assert_eq!(ran.code, Some(0), "{}", ran.said);
}
