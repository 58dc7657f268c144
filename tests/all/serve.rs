//! The server as its users run it: the program, saved fits, a folder of state.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

const PROGRAM: &str = env!("CARGO_BIN_EXE_tradewind");
const DATA: &str = "data/walmart_sales_weekly.csv";

/// A server that is killed when the test ends.
struct Served {
    child: Child,
    address: String,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Served {
    fn start(folder: &Path, flags: &[&str]) -> Self {
        let mut child = Command::new(PROGRAM)
            .args(["serve", "--listen", "127.0.0.1:0", "--models"])
            .arg(folder.join("models"))
            .arg("--state")
            .arg(folder.join("state"))
            .args(flags)
            .stdout(Stdio::piped())
            .stderr(std::fs::File::options().create(true).append(true).open(folder.join("log")).unwrap())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said = || std::fs::read_to_string(folder.join("log")).unwrap_or_default();
        let address = line.split("http://").nth(1).unwrap_or_else(|| panic!("{line}\n{}", said()));
        Self { address: address.split_whitespace().next().unwrap().trim_end_matches('/').to_string(), child }
    }

    fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn send(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n",
            self.address,
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        let _ = stream.write_all(body);
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("an answer");
        let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
        let body = &bytes[end + 4..];
        let body = if head.contains("transfer-encoding: chunked") { unchunked(body) } else { body.to_vec() };
        (head[9..12].parse().unwrap(), body)
    }

    fn get(&self, path: &str) -> (u16, Value) {
        let (status, body) = self.send("GET", path, "", b"");
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let (status, body) = self.send("POST", path, "Content-Type: application/json\r\n", body.to_string().as_bytes());
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    fn upload(&self, name: &str, bytes: &[u8]) -> String {
        let kind = "Content-Type: application/octet-stream\r\n";
        let (status, body) = self.send("POST", &format!("/v1/uploads?name={name}"), kind, bytes);
        assert_eq!(status, 201, "{}", String::from_utf8_lossy(&body));
        let upload: Value = serde_json::from_slice(&body).unwrap();
        upload["id"].as_str().unwrap().to_string()
    }

    /// Waits until a job is over.
    fn over(&self, id: &str) -> Value {
        let begun = Instant::now();
        loop {
            let (_, job) = self.get(&format!("/v1/jobs/{id}"));
            if ["done", "failed", "cancelled"].contains(&job["state"].as_str().unwrap_or_default()) {
                return job;
            }
            assert!(begun.elapsed() < Duration::from_secs(120), "{job}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn unchunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(end) = bytes.windows(2).position(|two| two == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&bytes[..end]).unwrap(), 16).unwrap();
        whole.extend_from_slice(&bytes[end + 2..end + 2 + size]);
        bytes = &bytes[end + 4 + size..];
    }
    whole
}

fn tradewind(arguments: &[&str], folder: &Path) -> String {
    let store = folder.join("state/tradewind.db");
    let output = Command::new(PROGRAM).args(arguments).env("TRADEWIND_STORE", store).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A folder with saved fits in `models/weekly.fits`.
fn with_a_model() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("models")).unwrap();
    let fits = folder.path().join("models/weekly.fits");
    let fit = ["-q", "fit", DATA, "--models", "ets(season=52); theta", "--horizon", "8", "--save"];
    let output = Command::new(PROGRAM).args(fit).arg(fits).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    folder
}

#[test]
fn what_is_served_is_what_the_command_line_says() {
    let folder = with_a_model();
    let served = Served::start(folder.path(), &[]);
    let fits = folder.path().join("models/weekly.fits");
    let said = tradewind(&["--json", "forecast", "--fits", fits.to_str().unwrap(), "--horizon", "3"], folder.path());
    let (status, answer) =
        served.post("/v1/forecast", &json!({"model": "weekly", "series": ["Store=1, Dept=1"], "horizon": 3}));
    assert_eq!(status, 200, "{answer}");
    for step in answer["forecasts"][0]["steps"].as_array().unwrap() {
        // Every digit.
        assert!(said.contains(&step["mean"].to_string()), "{step} is not in {said}");
        for quantile in step["quantiles"].as_object().unwrap().values() {
            assert!(said.contains(&quantile.to_string()), "{step} is not in {said}");
        }
    }
    let (_, other) = served.post(
        "/v1/forecast",
        &json!({"model": "weekly", "series": ["Store=1, Dept=1"], "horizon": 3, "method": "theta"}),
    );
    assert_eq!(other["method"], "theta");
    assert_ne!(other["forecasts"], answer["forecasts"]);
}

#[test]
fn an_upload_is_forecast_and_survives_kills() {
    let folder = with_a_model();
    let mut served = Served::start(folder.path(), &[]);
    let upload = served.upload("sales.csv", &std::fs::read(DATA).unwrap());
    let plan = json!({
        "id": ["Store", "Dept"], "time": "Date", "target": "Weekly_Sales", "models": "seasonal_naive; theta",
        "horizon": 8, "folds": 2
    });
    let ids: Vec<String> = (0..3)
        .map(|_| {
            let (status, job) = served.post("/v1/jobs", &json!({"kind": "forecast", "upload": upload, "plan": plan}));
            assert_eq!(status, 202, "{job}");
            job["id"].as_str().unwrap().to_string()
        })
        .collect();
    for wait in [100, 400] {
        std::thread::sleep(Duration::from_millis(wait));
        served.kill();
        served = Served::start(folder.path(), &[]);
    }
    let mut tables = Vec::new();
    for id in &ids {
        let job = served.over(id);
        assert_eq!((&job["state"], &job["rows"]), (&json!("done"), &json!(56)), "{job}");
        let (status, table) = served.send("GET", &format!("/v1/jobs/{id}/result?format=csv"), "", b"");
        assert_eq!(status, 200);
        assert_eq!(table.iter().filter(|byte| **byte == b'\n').count(), 57);
        let (status, report) = served.send("GET", &format!("/v1/jobs/{id}/report"), "", b"");
        assert_eq!(status, 200);
        assert!(!String::from_utf8_lossy(&report).contains("<script"));
        tables.push(table);
    }
    assert!(tables.iter().all(|table| *table == tables[0]));
}

#[test]
fn a_request_reaches_no_other_file() {
    let folder = with_a_model();
    let served = Served::start(folder.path(), &[]);
    let upload = served.upload("sales.csv", &std::fs::read(DATA).unwrap());
    for (field, value) in [
        ("data", json!("/etc/passwd")),
        ("store", json!("postgres://127.0.0.1/other")),
        ("track", json!("http://127.0.0.1:1/")),
        ("templates", json!("/etc")),
        ("nothing", json!(1)),
    ] {
        let (status, answer) =
            served.post("/v1/jobs", &json!({"kind": "forecast", "upload": upload, "plan": {field: value}}));
        // Either at once, or as soon as it is begun.
        let why = match status {
            202 => {
                let job = served.over(answer["id"].as_str().unwrap());
                assert_eq!(job["state"], "failed", "{field}: {job}");
                job["note"].to_string()
            }
            status => {
                assert_eq!(status, 422, "{field}: {answer}");
                answer["detail"].to_string()
            }
        };
        assert!(why.contains(field), "{field}: {why}");
    }
}

#[test]
fn a_damaged_model_is_named_and_the_others_go_on() {
    let folder = with_a_model();
    let fits = folder.path().join("models/weekly.fits");
    let mut bytes = std::fs::read(&fits).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x55;
    std::fs::write(folder.path().join("models/broken.fits"), &bytes).unwrap();
    let served = Served::start(folder.path(), &[]);
    let (_, models) = served.get("/v1/models");
    let problem = |models: &Value| {
        models["models"].as_array().unwrap().iter().find(|model| model["name"] == "broken").unwrap()["problem"].clone()
    };
    assert!(problem(&models).is_string(), "{models}");
    let ask = |model: &str| served.post("/v1/forecast", &json!({"model": model, "series": ["Store=1, Dept=1"]}));
    let (status, answer) = ask("broken");
    assert_eq!((status, &answer["type"]), (503, &json!("urn:tradewind:damaged-model")));
    assert_eq!(ask("weekly").0, 200);
    // Mended: seen without a restart.
    std::fs::copy(&fits, folder.path().join("models/broken.fits")).unwrap();
    let begun = Instant::now();
    while ask("broken").0 != 200 {
        assert!(begun.elapsed() < Duration::from_secs(20), "it was not looked at again");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn an_archive_that_unpacks_to_too_much_is_refused() {
    let folder = with_a_model();
    let served = Served::start(folder.path(), &["--max-unpacked", "4"]);
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(b"date,y\n").unwrap();
    for day in 0..400_000 {
        writeln!(packed, "2024-01-{:02},1234567", day % 28 + 1).unwrap();
    }
    let upload = served.upload("sales.csv.gz", &packed.finish().unwrap());
    let (status, job) = served.post("/v1/jobs", &json!({"kind": "forecast", "upload": upload, "plan": {}}));
    assert_eq!(status, 202, "{job}");
    let job = served.over(job["id"].as_str().unwrap());
    assert_eq!(job["state"], "failed");
    assert!(job["note"].as_str().unwrap().contains("4 MB"), "{job}");
    assert_eq!(served.get("/healthz").0, 200);
}

#[test]
fn tokens_are_made_listed_and_revoked() {
    let folder = with_a_model();
    std::fs::create_dir(folder.path().join("state")).unwrap();
    let secret = tradewind(&["token", "new", "anna", "--role", "planner", "--days", "7"], folder.path());
    let list = tradewind(&["--json", "token", "list"], folder.path());
    assert!(list.contains("anna") && list.contains("planner") && !list.contains(secret.trim()), "{list}");
    let served = Served::start(folder.path(), &[]);
    assert_eq!(served.get("/v1/models").0, 401);
    let bearer = format!("Authorization: Bearer {}\r\n", secret.trim());
    assert_eq!(served.send("GET", "/v1/models", &bearer, b"").0, 200);
    let tokens: Value = serde_json::from_str(&list).unwrap();
    let id = tokens[0]["id"].as_str().unwrap();
    tradewind(&["token", "revoke", id], folder.path());
    let begun = Instant::now();
    while served.send("GET", "/v1/models", &bearer, b"").0 != 401 {
        assert!(begun.elapsed() < Duration::from_secs(10), "it still counts");
        std::thread::sleep(Duration::from_millis(100));
    }
}
