//! Jobs over HTTP: done once, followed, cancelled, handed back, taken up again; uploads.

#[path = "common/fake.rs"]
mod fake;
#[path = "common/server.rs"]
mod server;

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fake::Fake;
use serde_json::{Value, json};
use server::{Running, answered, token};
use tradewind_serve::Role;

/// Waits until a job is over.
fn over(server: &Running, token: &str, id: &str) -> Value {
    let begun = Instant::now();
    loop {
        let job = server.get_as(token, &format!("/v1/jobs/{id}")).json();
        if ["done", "failed", "cancelled"].contains(&job["state"].as_str().unwrap()) {
            return job;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{job}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn closed() -> (Running, [String; 3]) {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let people = [("Anna", Role::Planner), ("Ben", Role::Planner), ("Olga", Role::Operator)];
    let tokens = people.map(|(name, role)| token(folder.path(), name, role));
    (Running::again(&folder, Arc::new(Fake::default()), |_| {}), tokens)
}

fn start(server: &Running, token: &str) -> String {
    let answer = server.post_as(token, "/v1/jobs", &json!({"kind": "forecast", "model": "daily"}));
    assert_eq!(answer.status, 202, "{}", answer.text());
    let id = answer.json()["id"].as_str().unwrap().to_string();
    assert_eq!(answer.header("location"), Some(format!("/v1/jobs/{id}").as_str()));
    id
}

#[test]
fn a_job_is_followed_to_its_result_in_every_format() {
    let (server, [anna, ben, olga]) = closed();
    let id = start(&server, &anna);
    let early = server.get_as(&anna, &format!("/v1/jobs/{id}/result"));
    assert_eq!(early.refusal(), "409 conflict");
    let events = server.get_as(&anna, &format!("/v1/jobs/{id}/events"));
    assert_eq!(events.header("content-type"), Some("text/event-stream"));
    let told = events.text();
    assert!(told.contains("event: progress") && told.contains("\"state\":\"done\""), "{told}");
    let job = over(&server, &anna, &id);
    assert!(job["rows"].as_i64().unwrap() > 0, "{job}");
    for (format, kind) in [
        ("parquet", "application/vnd.apache.parquet"),
        ("csv", "text/csv; charset=utf-8"),
        ("ndjson", "application/x-ndjson"),
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ] {
        let file = server.get_as(&anna, &format!("/v1/jobs/{id}/result?format={format}"));
        assert_eq!((file.status, file.header("content-type")), (200, Some(kind)), "{}", file.text());
        assert!(!file.body.is_empty());
        assert!(file.header("content-disposition").unwrap().ends_with(&format!(".{format}\"")));
    }
    assert_eq!(server.get_as(&anna, &format!("/v1/jobs/{id}/result?format=exe")).refusal(), "400 bad-request");
    let report = server.get_as(&anna, &format!("/v1/jobs/{id}/report"));
    assert!(report.header("content-security-policy").unwrap().starts_with("sandbox"));
    // Somebody else's job is none.
    assert_eq!(server.get_as(&ben, &format!("/v1/jobs/{id}")).refusal(), "404 unknown-job");
    assert_eq!(server.get_as(&ben, &format!("/v1/jobs/{id}/events")).refusal(), "404 unknown-job");
    assert_eq!(server.get_as(&olga, &format!("/v1/jobs/{id}")).status, 200);
}

#[test]
fn one_cancels_and_the_others_job_goes_on() {
    let (server, [anna, ben, _]) = closed();
    let (hers, his) = (start(&server, &anna), start(&server, &ben));
    assert_eq!(server.post_as(&anna, &format!("/v1/jobs/{his}/cancel"), &json!({})).refusal(), "404 unknown-job");
    let cancelled = server.post_as(&anna, &format!("/v1/jobs/{hers}/cancel"), &json!({}));
    assert_eq!(cancelled.status, 202, "{}", cancelled.text());
    assert_eq!(over(&server, &anna, &hers)["state"], "cancelled");
    assert_eq!(over(&server, &ben, &his)["state"], "done");
    assert_eq!(server.get_as(&anna, &format!("/v1/jobs/{hers}/result")).refusal(), "409 conflict");
    assert_eq!(server.post_as(&anna, &format!("/v1/jobs/{hers}/cancel"), &json!({})).refusal(), "409 conflict");
}

#[test]
fn fifty_jobs_at_once_each_end_once() {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let anna = token(folder.path(), "Anna", Role::Planner);
    let server = Running::again(&folder, Arc::new(Fake::default()), |settings| {
        settings.workers = 8;
        settings.limits.queue = 48;
    });
    let started: Vec<Result<String, String>> = std::thread::scope(|scope| {
        let one = |n: usize| {
            let (server, anna) = (&server, &anna);
            scope.spawn(move || {
                let key = format!("job-{n}");
                let bearer = format!("Bearer {anna}");
                let headers = [
                    ("Content-Type", "application/json"),
                    ("Authorization", bearer.as_str()),
                    ("Idempotency-Key", key.as_str()),
                ];
                let body = json!({"kind": "forecast", "model": "daily"}).to_string();
                let first = server.send("POST", "/v1/jobs", &headers, body.as_bytes());
                let again = server.send("POST", "/v1/jobs", &headers, body.as_bytes());
                match first.status {
                    202 => {
                        assert_eq!(first.json()["id"], again.json()["id"]);
                        Ok(first.json()["id"].as_str().unwrap().to_string())
                    }
                    _ => Err(first.refusal()),
                }
            })
        };
        let jobs: Vec<_> = (0..50).map(one).collect();
        jobs.into_iter().map(|job| job.join().unwrap()).collect()
    });
    let mut ids: Vec<&String> = started.iter().flatten().collect();
    assert!(ids.len() >= 48, "{started:?}");
    assert!(started.iter().flat_map(|one| one.as_ref().err()).all(|refused| refused == "429 busy"));
    ids.sort();
    ids.dedup();
    for id in &ids {
        assert_eq!(over(&server, &anna, id)["state"], "done");
    }
}

#[test]
fn a_server_that_ends_hands_its_jobs_back() {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let anna = token(folder.path(), "Anna", Role::Planner);
    let mut first = Running::again(&folder, Arc::new(Fake::default()), |settings| settings.workers = 1);
    let ids: Vec<String> = (0..3).map(|_| start(&first, &anna)).collect();
    first.stop();
    let second = Running::again(&folder, Arc::new(Fake::default()), |_| {});
    for id in &ids {
        assert_eq!(over(&second, &anna, id)["state"], "done");
    }
    assert_eq!(second.get_as(&anna, "/v1/jobs").json()["jobs"].as_array().unwrap().len(), 3);
}

#[test]
fn two_servers_do_not_share_a_state_folder() {
    let server = Running::new(Fake::default());
    let settings = server::settings(server.folder.path());
    let refused = tradewind_serve::Server::open(settings, Arc::new(Fake::default())).err().unwrap();
    assert!(refused.detail.contains("--state"), "{refused}");
}

const OCTETS: (&str, &str) = ("Content-Type", "application/octet-stream");

#[test]
fn an_upload_is_kept_for_whoever_sent_it() {
    let (server, [anna, ben, _]) = closed();
    let bearer = format!("Bearer {anna}");
    let sent = server.send(
        "POST",
        "/v1/uploads?name=..%2F..%2Fsales.csv",
        &[OCTETS, ("Authorization", bearer.as_str())],
        b"date,y\n2024-01-01,1\n",
    );
    assert_eq!(sent.status, 201, "{}", sent.text());
    let upload = sent.json();
    assert_eq!(upload["name"], "sales.csv");
    assert!(upload.get("owner").is_none() && upload.get("file").is_none());
    let place = format!("/v1/uploads/{}", upload["id"].as_str().unwrap());
    assert_eq!(server.get_as(&ben, &place).refusal(), "404 unknown-upload");
    let job = json!({"kind": "forecast", "upload": upload["id"], "plan": {}});
    assert_eq!(server.post_as(&ben, "/v1/jobs", &job).refusal(), "404 unknown-upload");
    let started = server.post_as(&anna, "/v1/jobs", &job).json();
    assert_eq!(over(&server, &anna, started["id"].as_str().unwrap())["state"], "done");
    let headers = [("Authorization", bearer.as_str())];
    assert_eq!(server.send("DELETE", &place, &headers, b"").status, 204);
    assert_eq!(server.get_as(&anna, &place).refusal(), "404 unknown-upload");
}

#[test]
fn an_upload_that_is_too_large_is_refused_and_leaves_nothing() {
    let server = Running::with(Fake::default(), |settings| settings.limits.upload = 1 << 20);
    let told = server.send("POST", "/v1/uploads?name=sales.csv", &[OCTETS], &vec![b'1'; 3 << 20]);
    assert_eq!(told.refusal(), "413 too-large");
    // One that does not say how much it is going to be.
    let mut stream = server.connect();
    let head = "POST /v1/uploads?name=sales.csv HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
                Content-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let chunk = [format!("{:x}\r\n", 1 << 16).into_bytes(), vec![b'1'; 1 << 16], b"\r\n".to_vec()].concat();
    while stream.write_all(&chunk).is_ok() {}
    drop(stream);
    assert_eq!(server.send("POST", "/v1/uploads?name=run.sh", &[OCTETS], b"x").refusal(), "415 unsupported-media-type");
    assert_eq!(server.send("POST", "/v1/uploads?name=a.csv", &[OCTETS], b"").refusal(), "409 conflict");
    assert_eq!(server.post("/v1/uploads?name=a.csv", &json!({})).refusal(), "415 unsupported-media-type");
    let other = server.send("POST", "/v1/uploads?name=a.parquet", &[OCTETS], b"date,y");
    assert_eq!(other.refusal(), "409 conflict", "it is something else than its name says");
    // One that stops in the midst.
    let mut stream = server.connect();
    let head = "POST /v1/uploads?name=sales.csv HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
                Content-Type: application/octet-stream\r\nContent-Length: 1000\r\n\r\nhalf";
    stream.write_all(head.as_bytes()).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let _ = std::panic::catch_unwind(move || answered(stream).refusal());
    let folder = server.folder.path().join("state/uploads");
    let begun = Instant::now();
    while std::fs::read_dir(&folder).unwrap().count() > 0 {
        assert!(begun.elapsed() < Duration::from_secs(10), "something is left");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(server.get("/v1/uploads").json(), json!({"uploads": []}));
}
