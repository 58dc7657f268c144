//! What an attacker tries first: paths without a token, roles, sessions, smuggled requests, doubled parameters, names of files, panics.

#[path = "common/fake.rs"]
mod fake;
#[path = "common/server.rs"]
mod server;

use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use fake::Fake;
use serde_json::{Map, Value, json};
use server::{Answered, Running, token};
use sha2::{Digest, Sha256};
use tradewind_monitor::store::{Options, Store};
use tradewind_serve::engine::*;
use tradewind_serve::{Fault, Role};

/// A server on which there is a token of each role.
fn closed() -> (Running, [String; 4]) {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let tokens = Role::ALL.map(|role| token(folder.path(), role.name(), role));
    (Running::again(&folder, Arc::new(Fake::default()), |_| {}), tokens)
}

fn ask(server: &Running, token: Option<&str>, method: &str, path: &str, body: &Value) -> Answered {
    let bearer = token.map(|token| format!("Bearer {token}"));
    let kind = if path.starts_with("/v1/uploads") { "application/octet-stream" } else { "application/json" };
    let mut headers = vec![("Content-Type", kind)];
    headers.extend(bearer.as_deref().map(|bearer| ("Authorization", bearer)));
    server.send(method, path, &headers, body.to_string().as_bytes())
}

fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

// ------------------------------------------------------------------------------------------------ who may do what

#[test]
fn every_described_path_asks_for_a_token() {
    let (server, _) = closed();
    let document = server.get("/openapi.json").json();
    let mut asked = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            let path = path.replace("{id}", "0123456789abcdef0123456789abcdef").replace("{model}", "weekly");
            let answer = ask(&server, None, &method.to_uppercase(), &path, &json!({}));
            if path == "/healthz" || path == "/readyz" {
                assert_eq!(answer.status, 200, "{path}");
            } else {
                assert_eq!(answer.refusal(), "401 not-authenticated", "{method} {path}");
                asked += 1;
            }
        }
    }
    assert!(asked >= 18, "{asked}");
}

#[test]
fn each_role_may_do_what_those_below_may_and_no_more() {
    let (server, tokens) = closed();
    let id = "0123456789abcdef0123456789abcdef";
    let forecast = json!({"model": "weekly", "series": ["Store=1, Dept=1"]});
    let issued = json!({"model": "weekly", "series": ["Store=1, Dept=1"], "issue": "monday"});
    let rules: [(Role, &str, String, Value); 15] = [
        (Role::Viewer, "GET", "/v1/models".into(), json!({})),
        (Role::Viewer, "GET", "/v1/models/weekly/series".into(), json!({})),
        (Role::Viewer, "GET", "/v1/jobs".into(), json!({})),
        (Role::Viewer, "GET", "/v1/uploads".into(), json!({})),
        (Role::Viewer, "GET", "/metrics".into(), json!({})),
        (Role::Viewer, "POST", "/v1/forecast".into(), forecast.clone()),
        (Role::Planner, "POST", "/v1/forecast".into(), issued),
        (Role::Planner, "POST", "/v1/decide".into(), json!({"forecast": forecast, "policy": {}, "stock": []})),
        (Role::Planner, "POST", "/v1/jobs".into(), json!({"kind": "forecast", "model": "none"})),
        (Role::Planner, "POST", format!("/v1/jobs/{id}/cancel"), json!({})),
        (Role::Planner, "POST", "/v1/uploads?name=a.csv".into(), json!("date,y")),
        (Role::Planner, "DELETE", format!("/v1/uploads/{id}"), json!({})),
        (Role::Operator, "POST", "/v1/jobs".into(), json!({"kind": "retrain", "model": "none"})),
        (Role::Operator, "POST", "/v1/actuals".into(), json!({"actuals": []})),
        (Role::Operator, "POST", "/v1/alerts".into(), json!({"alerts": []})),
    ];
    for (least, method, path, body) in &rules {
        for (role, token) in Role::ALL.iter().zip(&tokens) {
            let answer = ask(&server, Some(token), method, path, body);
            let may = !matches!(answer.status, 401 | 403);
            assert_eq!(may, role >= least, "{} {method} {path}: {}", role.name(), answer.text());
        }
    }
}

#[test]
fn what_is_somebody_elses_is_not_there() {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let people = [("Anna", Role::Planner), ("Ben", Role::Planner)];
    let [anna, ben] = people.map(|(name, role)| token(folder.path(), name, role));
    let server = Running::again(&folder, Arc::new(Fake::default()), |_| {});
    let job = ask(&server, Some(&anna), "POST", "/v1/jobs", &json!({"kind": "forecast", "model": "daily"})).json();
    let upload = ask(&server, Some(&anna), "POST", "/v1/uploads?name=a.csv", &json!("x")).json();
    let (job, upload) = (job["id"].as_str().unwrap(), upload["id"].as_str().unwrap());
    for (method, path, expected) in [
        ("GET", format!("/v1/jobs/{job}"), "404 unknown-job"),
        ("GET", format!("/v1/jobs/{job}/events"), "404 unknown-job"),
        ("GET", format!("/v1/jobs/{job}/result"), "404 unknown-job"),
        ("GET", format!("/v1/jobs/{job}/report"), "404 unknown-job"),
        ("POST", format!("/v1/jobs/{job}/cancel"), "404 unknown-job"),
        ("GET", format!("/v1/uploads/{upload}"), "404 unknown-upload"),
        ("DELETE", format!("/v1/uploads/{upload}"), "404 unknown-upload"),
    ] {
        assert_eq!(ask(&server, Some(&ben), method, &path, &json!({})).refusal(), expected, "{method} {path}");
    }
    assert_eq!(server.get_as(&ben, "/v1/jobs").json()["jobs"], json!([]));
    assert_eq!(server.get_as(&ben, "/v1/uploads").json()["uploads"], json!([]));
    assert_eq!(server.get_as(&anna, &format!("/v1/uploads/{upload}")).status, 200);
}

// ------------------------------------------------------------------------------------------------ sessions

/// Keeps a session as signing in does, begun so many hours ago, for so many hours.
fn session(folder: &Path, id: &str, secret: &str, ago: i64, hours: i64) {
    let options = Options { schema: "tradewind".into(), ..Options::default() };
    let mut store = Store::open(folder.join("store.db").to_str().unwrap(), options).unwrap();
    let begun = Utc::now() - TimeDelta::hours(ago);
    store.add_session(&hash(secret), id, begun, begun + TimeDelta::hours(hours)).unwrap();
}

#[test]
fn a_session_ends_unused_after_its_time_and_with_its_token() {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let store = folder.path().join("store.db").to_string_lossy().into_owned();
    let (id, _) = tradewind_serve::new_token(&store, "tradewind", "Anna", Role::Planner, 30).unwrap();
    token(folder.path(), "Ben", Role::Viewer);
    let server = Running::again(&folder, Arc::new(Fake::default()), |_| {});
    let get = |secret: &str| {
        let cookie = format!("tradewind_session={secret}");
        server.send("GET", "/v1/models", &[("Cookie", &cookie)], b"").status
    };
    session(folder.path(), &id, "fresh", 0, 12);
    session(folder.path(), &id, "idle", 3, 12);
    session(folder.path(), &id, "over", 1, 1);
    session(folder.path(), "another token", "orphan", 0, 12);
    assert_eq!((get("fresh"), get("idle"), get("over"), get("orphan"), get("guess")), (200, 401, 401, 401, 401));
    // The hash itself, taken from the store, is no session.
    assert_eq!(get(&hash("fresh")), 401);
    tradewind_serve::revoke_token(&store, "tradewind", &id, Utc::now()).unwrap();
    assert_eq!(get("fresh"), 401);
}

#[test]
fn a_session_changes_nothing_without_the_token_of_its_page() {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let store = folder.path().join("store.db").to_string_lossy().into_owned();
    let (id, _) = tradewind_serve::new_token(&store, "tradewind", "Anna", Role::Planner, 30).unwrap();
    let server = Running::again(&folder, Arc::new(Fake::default()), |_| {});
    session(folder.path(), &id, "secret", 0, 12);
    let body = json!({"model": "weekly", "series": ["Store=1, Dept=1"]}).to_string();
    let post = |headers: &[(&str, &str)]| {
        let mut all = vec![("Content-Type", "application/json"), ("Cookie", "tradewind_session=secret")];
        all.extend(headers);
        server.send("POST", "/v1/forecast", &all, body.as_bytes())
    };
    assert_eq!(post(&[]).refusal(), "403 cross-site");
    assert_eq!(post(&[("X-CSRF-Token", &hash("form other"))]).refusal(), "403 cross-site");
    let known = hash("form secret");
    assert_eq!(post(&[("X-CSRF-Token", &known)]).status, 200);
    // Not even with it where the browser says that the page is another's.
    assert_eq!(post(&[("X-CSRF-Token", &known), ("Origin", "https://evil.example")]).refusal(), "403 cross-site");
    // A form can send text, never JSON; and a token in the address is none.
    let plain = [("Content-Type", "text/plain"), ("Cookie", "tradewind_session=secret"), ("X-CSRF-Token", &known)];
    assert_eq!(server.send("POST", "/v1/forecast", &plain, body.as_bytes()).refusal(), "415 unsupported-media-type");
    let secret = server.token("Ben", Role::Admin);
    for name in ["token", "access_token", "api_key"] {
        assert_eq!(server.get(&format!("/v1/models?{name}={secret}")).refusal(), "401 not-authenticated");
    }
}

#[test]
fn cookies_are_for_this_site_and_not_for_scripts() {
    let server = Running::new(Fake::default());
    let page = server.send("GET", "/", &[("Accept", "text/html")], b"");
    let cookie = page.header("set-cookie").unwrap();
    assert!(cookie.contains("httponly") && cookie.contains("samesite=strict") && cookie.contains("path=/"), "{cookie}");
    assert!(!cookie.contains("domain="), "{cookie}");
    assert!(cookie.split(';').next().unwrap().len() < 100, "{cookie}");
}

// ------------------------------------------------------------------------------------------------ answers and requests

#[test]
fn every_answer_says_what_it_is_and_who_may_use_it() {
    let server = Running::new(Fake::default());
    let html = [("Accept", "text/html"), ("Origin", "https://evil.example")];
    for (method, path, status) in [
        ("GET", "/v1/models", 200),
        ("GET", "/healthz", 200),
        ("GET", "/metrics", 200),
        ("GET", "/openapi.json", 200),
        ("GET", "/v1/nothing", 404),
        ("GET", "/nothing", 404),
        ("GET", "/.git/config", 404),
        ("GET", "/v1/jobs/%00", 404),
        ("DELETE", "/v1/models", 403),
        ("OPTIONS", "/v1/forecast", 405),
        ("TRACE", "/v1/models", 405),
    ] {
        let answer = server.send(method, path, &html, b"");
        assert_eq!(answer.status, status, "{method} {path}");
        let policy = answer.header("content-security-policy").unwrap_or_default();
        for part in ["default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("referrer-policy"), Some("same-origin"), "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
        assert_eq!(answer.header("cross-origin-resource-policy"), Some("same-origin"), "{path}");
        assert!(answer.header("content-type").is_some(), "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), None, "{path}");
        assert_eq!((answer.header("server"), answer.header("location")), (None, None), "{path}");
        let kind = answer.header("content-type").unwrap_or_default();
        assert!(!kind.starts_with("text/") || kind.contains("charset=utf-8"), "{kind}");
    }
}

/// Writes bytes as they are, and reads all that comes back.
fn raw(server: &Running, text: &str) -> String {
    let mut stream = server.connect();
    stream.write_all(text.as_bytes()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn a_request_hides_no_other() {
    let server = Running::new(Fake::default());
    let hidden = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let chunked = format!("{:x}\r\n{hidden}\r\n0\r\n\r\n", hidden.len());
    let head =
        "POST /v1/forecast HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n";
    // Of two lengths the one that the transfer encoding gives counts: what looks like a request is the body of this one.
    for length in ["0", "5", "99999"] {
        let answer =
            raw(&server, &format!("{head}Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n\r\n{chunked}"));
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
        assert!(answer.starts_with("HTTP/1.1 400") && !answer.contains("\"status\":\"ok\""), "{answer}");
    }
    for wrong in [
        "Content-Length: 0\r\nContent-Length: 5",
        "Content-Length: +5",
        "Content-Length: 5, 6",
        "Content-Length : 0",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: xchunked",
        "X-Folded: a\r\n b",
        "X-Nul: a\0b",
    ] {
        let answer = raw(&server, &format!("{head}{wrong}\r\n\r\n{hidden}"));
        assert!(!answer.contains("\"status\":\"ok\"") && answer.matches("HTTP/1.1 ").count() <= 1, "{wrong}: {answer}");
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{wrong}: {answer}");
    }
}

#[test]
fn what_is_stated_twice_or_of_another_type_is_refused() {
    let server = Running::new(Fake::default());
    assert_eq!(server.get("/v1/models/weekly/series?most=2&most=3").refusal(), "400 bad-request");
    assert_eq!(server.get("/v1/models/weekly/series?most=2e3").refusal(), "400 bad-request");
    let post = |body: &str| {
        server.send("POST", "/v1/forecast", &[("Content-Type", "application/json")], body.as_bytes()).refusal()
    };
    assert_eq!(post(r#"{"model": "weekly", "model": "daily"}"#), "422 invalid-request");
    assert_eq!(post(r#"{"model": ["weekly"]}"#), "422 invalid-request");
    assert_eq!(post(r#"{"model": "weekly", "series": "Store=1, Dept=1"}"#), "422 invalid-request");
    assert_eq!(post(r#"{"model": "weekly", "horizon": "8"}"#), "422 invalid-request");
    assert_eq!(post(r#"{"model": "weekly", "horizon": 18446744073709551616}"#), "422 invalid-request");
    // What the server itself keeps of a job cannot be stated.
    for field in ["id", "owner", "state", "file", "role"] {
        let job = json!({"kind": "forecast", "model": "weekly", field: "x"});
        assert_eq!(server.post("/v1/jobs", &job).refusal(), "422 invalid-request", "{field}");
    }
}

#[test]
fn names_of_files_are_shown_and_never_used() {
    let server = Running::new(Fake::default());
    let octets = [("Content-Type", "application/octet-stream")];
    for name in [
        "..%2F..%2F..%2Fetc%2Fpasswd.csv",
        "%00%0D%0ASet-Cookie%3A%20a.csv",
        "C%3A%5Cwindows%5Ca.csv",
        "%3Cscript%3E.csv",
    ] {
        let sent = server.send("POST", &format!("/v1/uploads?name={name}"), &octets, b"date,y\n");
        assert_eq!(sent.status, 201, "{}", sent.text());
        assert_eq!(sent.header("set-cookie"), None);
        let shown = sent.json()["name"].as_str().unwrap().to_string();
        assert!(!shown.contains(['/', '\\', '\0', '\r', '\n']), "{shown:?}");
        let folder = server.folder.path().join("state/uploads").join(sent.json()["id"].as_str().unwrap());
        let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name()).collect();
        files.sort();
        assert_eq!(files, ["about.json", "upload.csv"]);
    }
    for name in ["a.csv.exe", "a.html", "a.svg", "csv", ".csv%2F"] {
        let sent = server.send("POST", &format!("/v1/uploads?name={name}"), &octets, b"x");
        assert_eq!(sent.refusal(), "415 unsupported-media-type", "{name}");
    }
    // No path gives an upload back, by whatever name.
    let id = server.get("/v1/uploads").json()["uploads"][0]["id"].as_str().unwrap().to_string();
    for path in ["upload.csv", "about.json", "file", ".."] {
        assert_eq!(server.get(&format!("/v1/uploads/{id}/{path}")).status, 404);
    }
}

// ------------------------------------------------------------------------------------------------ mistakes of ours

/// An engine that panics whatever it is asked.
struct Panics;

impl Engine for Panics {
    fn models(&self) -> Vec<ModelCard> {
        panic!("secret of the house")
    }
    fn series(&self, _: &str, _: &str, _: usize, _: usize) -> Answer<SeriesPage> {
        panic!("secret of the house")
    }
    fn weight(&self, _: &ForecastRequest) -> Answer<usize> {
        Ok(500)
    }
    fn forecast(&self, _: &ForecastRequest) -> Answer<ForecastAnswer> {
        panic!("secret of the house")
    }
    fn explore(&self, _: &ExploreRequest) -> Answer<Explored> {
        panic!()
    }
    fn decide(&self, _: &DecideRequest) -> Answer<DecideAnswer> {
        panic!()
    }
    fn detect(&self, _: &Path, _: &Map<String, Value>) -> Answer<Detected> {
        panic!()
    }
    fn audit(&self, _: &Path, _: &Map<String, Value>) -> Answer<Page> {
        panic!()
    }
    fn fields(&self, _: &str) -> Value {
        json!({})
    }
    fn check(&self, _: &JobRequest) -> Answer<()> {
        Ok(())
    }
    fn work(&self, _: &JobRequest, _: &Workplace<'_>, _: &dyn Progress) -> Answer<Finished> {
        panic!("secret of the house")
    }
    fn convert(&self, _: &Path, _: Format, _: &mut (dyn Write + Send)) -> Answer<()> {
        panic!()
    }
    fn receive(&self, _: &[Actual]) -> Answer<Received> {
        panic!()
    }
    fn overrides(&self) -> Answer<Vec<OverrideCard>> {
        panic!()
    }
    fn keep(&self, _: &OverrideRequest, _: &str) -> Answer<String> {
        panic!()
    }
    fn withdraw(&self, _: &str) -> Answer<()> {
        panic!()
    }
    fn keys(&self) -> Vec<String> {
        Vec::new()
    }
    fn runs(&self) -> Answer<Page> {
        panic!()
    }
    fn rollback(&self) -> Answer<String> {
        panic!()
    }
    fn monitoring(&self) -> Answer<Page> {
        panic!()
    }
    fn gauges(&self) -> Answer<Gauges> {
        Err(Fault::new(tradewind_serve::Kind::Unavailable, "down"))
    }
    fn dashboard(&self) -> Answer<String> {
        panic!()
    }
    fn refresh(&self) {}
}

#[test]
fn a_panic_ends_one_answer_and_tells_nothing() {
    let server = Running::new(Panics);
    for _ in 0..3 {
        let on_this_thread = server.get("/v1/models");
        let on_another = server.post("/v1/forecast", &json!({"model": "weekly"}));
        for answer in [on_this_thread, on_another] {
            assert_eq!(answer.refusal(), "500 internal-error");
            assert!(!answer.text().contains("secret") && !answer.text().contains(".rs"), "{}", answer.text());
        }
    }
    let job = server.post("/v1/jobs", &json!({"kind": "retrain"})).json();
    let job = format!("/v1/jobs/{}", job["id"].as_str().unwrap());
    let over = (0..500).map(|_| {
        std::thread::sleep(Duration::from_millis(20));
        server.get(&job).json()
    });
    let over = over.into_iter().find(|job| job["state"] == "failed").expect("it fails");
    assert!(!over["note"].as_str().unwrap().contains("secret"), "{over}");
    assert_eq!(server.get("/healthz").status, 200);
}

#[test]
fn a_panic_is_answered_with_the_same_headers() {
    let server = Running::new(Panics);
    let answer = server.get("/v1/models");
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert!(answer.header("x-request-id").is_some());
    assert!(server.get("/v1/nothing").status == 404);
}

#[test]
fn wrong_tokens_of_others_lock_nobody_out() {
    let (server, [viewer, ..]) = closed();
    // All come from one address, as they do through a proxy.
    for n in 0..25 {
        server.get_as(&format!("guess{n}"), "/v1/models");
    }
    assert_eq!(server.get_as(&viewer, "/v1/models").status, 200);
}

#[test]
fn an_open_server_is_not_reached_through_a_proxy() {
    let server = Running::new(Fake::default());
    // As nginx sends it by default: the host is that of the server behind it.
    for header in ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Via"] {
        let answer = server.send("GET", "/v1/models", &[(header, "203.0.113.9")], b"");
        assert_ne!(answer.status, 200, "{header}");
    }
}

#[test]
fn a_server_whose_tokens_have_ended_is_not_open() {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let store = folder.path().join("store.db").to_string_lossy().into_owned();
    let (id, _) = tradewind_serve::new_token(&store, "tradewind", "Anna", Role::Admin, 30).unwrap();
    tradewind_serve::revoke_token(&store, "tradewind", &id, Utc::now()).unwrap();
    if let Ok(server) = tradewind_serve::Server::open(server::settings(folder.path()), Arc::new(Fake::default())) {
        drop(server);
        let server = Running::again(&folder, Arc::new(Fake::default()), |_| {});
        assert_eq!(server.get("/v1/models").refusal(), "401 not-authenticated");
    }
}

#[test]
fn the_token_of_a_form_is_not_known_before_a_visit() {
    let server = Running::new(Fake::default());
    let body = json!({"model": "weekly", "series": ["Store=1, Dept=1"]}).to_string();
    let guess = hash("form ");
    let headers =
        [("Content-Type", "application/json"), ("Sec-Fetch-Site", "same-origin"), ("X-CSRF-Token", guess.as_str())];
    assert_eq!(server.send("POST", "/v1/forecast", &headers, body.as_bytes()).refusal(), "403 cross-site");
}

#[test]
fn whoever_reads_nothing_holds_no_connection_for_ever() {
    let server = Running::with(Fake::default(), |settings| {
        settings.limits.connections = 1;
        settings.limits.patience = Duration::from_millis(300);
    });
    let mut greedy = server.connect();
    greedy.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
    let request = "GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(1000);
    while greedy.write_all(request.as_bytes()).is_ok() {}
    std::thread::sleep(Duration::from_secs(2));
    let mut other = server.connect();
    other.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    other.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = other.read_to_end(&mut answer);
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
}

#[test]
fn uploads_at_once_take_no_more_room_than_one_after_another() {
    let server = Running::with(Fake::default(), |settings| settings.limits.uploads = 1 << 20);
    let half = vec![b'1'; 400 << 10];
    let mut both: Vec<_> = (0..2).map(|_| server.connect()).collect();
    for stream in &mut both {
        let head = format!(
            "POST /v1/uploads?name=a.csv HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\
             Content-Type: application/octet-stream\r\n\r\n",
            2 * half.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&half).unwrap();
    }
    std::thread::sleep(Duration::from_millis(300));
    both.iter_mut().for_each(|stream| drop(stream.write_all(&half)));
    let taken = both.into_iter().map(server::answered).filter(|answer| answer.status == 201).count();
    assert_eq!(taken, 1);
}
