//! What programs are answered, and how they are refused.

#[path = "common/fake.rs"]
mod fake;
#[path = "common/server.rs"]
mod server;

use std::io::Write;
use std::time::{Duration, Instant};

use fake::Fake;
use serde_json::{Value, json};
use server::{Running, answered};
use tradewind_serve::Kind;

#[test]
fn forecasts_models_and_series_are_answered() {
    let server = Running::new(Fake::default());
    let answer = server.post("/v1/forecast", &json!({"model": "weekly", "series": ["Store=1, Dept=1"], "horizon": 3}));
    assert_eq!(answer.status, 200, "{}", answer.text());
    let forecast = answer.json();
    assert_eq!(answer.header("content-length"), Some(answer.body.len().to_string().as_str()));
    assert_eq!(forecast["forecasts"][0]["steps"].as_array().unwrap().len(), 3);
    assert!(forecast["forecasts"][0]["steps"][0]["quantiles"]["q0.9"].is_f64());
    // More than is made on the thread that reads.
    let many: Vec<String> = fake::names("weekly").into_iter().take(200).collect();
    let answer = server.post("/v1/forecast", &json!({"model": "weekly", "series": many}));
    assert_eq!(answer.json()["forecasts"].as_array().unwrap().len(), 200);
    assert_eq!(server.get("/v1/models").json()["models"][0]["name"], "weekly");
    let series = server.get("/v1/models/weekly/series?query=dept%3D7&most=2&offset=1").json();
    assert_eq!(series["series"].as_array().unwrap().len(), 2);
    let decided = server.post(
        "/v1/decide",
        &json!({"forecast": {"model": "weekly", "series": ["Store=1, Dept=1"]}, "policy": {"lead_time": "2"},
            "stock": [{"series": "Store=1, Dept=1", "on_hand": 10.0}]}),
    );
    assert_eq!(decided.status, 200, "{}", decided.text());
}

#[test]
fn refusals_have_names_that_stay() {
    let server = Running::with(Fake::default(), |settings| settings.limits.body = 4096);
    let post = |body: Value| server.post("/v1/forecast", &body).refusal();
    assert_eq!(post(json!({"model": "none"})), "404 unknown-model");
    assert_eq!(post(json!({"model": "weekly", "series": ["'; drop table job; --"]})), "404 unknown-series");
    assert_eq!(post(json!({"model": "spoilt"})), "503 damaged-model");
    assert_eq!(post(json!({"model": "weekly", "horizons": 3})), "422 invalid-request");
    assert_eq!(post(json!({"model": "weekly", "horizon": -3})), "422 invalid-request");
    assert_eq!(post(json!({"model": "weekly", "horizon": 1000})), "413 too-large", "2,000,000 values");
    let raw = |kind: &str, body: &[u8]| server.send("POST", "/v1/forecast", &[("Content-Type", kind)], body).refusal();
    assert_eq!(raw("application/json", b"{\"model\": "), "400 malformed-body");
    assert_eq!(raw("application/json", b"{} {}"), "400 malformed-body");
    assert_eq!(raw("application/json", b"\xff\xfe"), "400 malformed-body");
    assert_eq!(raw("application/json", b""), "400 malformed-body");
    assert_eq!(raw("application/json", "[".repeat(4000).as_bytes()), "422 invalid-request");
    assert_eq!(
        raw("application/json", b"[\"weekly\", null]"),
        "422 invalid-request",
        "serde takes a list for a struct"
    );
    let listed = post(json!({"model": "weekly", "history": [["2012-10-26", 3.0]]}));
    assert_eq!(listed, "422 invalid-request");
    assert_eq!(post(json!({"model": "weekly", "horizon": 2.5})), "422 invalid-request");
    let whole = json!({"model": "weekly", "series": ["Store=1, Dept=1"], "horizon": 2.0});
    assert_eq!(server.post("/v1/forecast", &whole).status, 200);
    assert_eq!(raw("text/plain", b"{}"), "415 unsupported-media-type");
    assert_eq!(raw("application/x-www-form-urlencoded", b"model=weekly"), "415 unsupported-media-type");
    assert_eq!(raw("application/json", &[b' '; 5000]), "413 too-large");
    assert_eq!(server.get("/v1/models/weekly/series?most=0").refusal(), "400 bad-request");
    assert_eq!(server.get("/v1/models/weekly/series?more=1").refusal(), "400 bad-request");
    assert_eq!(server.get("/v1/models/%FF/series").refusal(), "400 bad-request");
    assert_eq!(server.get("/v1/models/..%2F..%2Fetc%2Fpasswd/series").refusal(), "404 unknown-model");
    assert_eq!(server.get("/v1/nothing").refusal(), "404 not-found");
    let wrong = server.send("DELETE", "/v1/forecast", &[], b"");
    assert_eq!((wrong.refusal().as_str(), wrong.header("allow")), ("405 method-not-allowed", Some("post")));
    let wrong = server.send("TRACE", "/v1/jobs", &[], b"");
    assert_eq!((wrong.refusal().as_str(), wrong.header("allow")), ("405 method-not-allowed", Some("get,head,post")));
    assert_eq!(server.get("/v1/jobs/nothing").refusal(), "404 unknown-job");
    assert_eq!(server.get("/v1/uploads/..%2F..").refusal(), "404 unknown-upload");
    assert_eq!(server.post("/v1/actuals", &json!({"actuals": []})).refusal(), "422 invalid-request");
    // No two kinds share a name.
    let mut names: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Kind::ALL.len());
}

#[test]
fn answers_carry_what_protects_their_readers() {
    let server = Running::new(Fake::default());
    let answer = server.send("GET", "/v1/models", &[("X-Request-Id", "from-a-proxy.1")], b"");
    assert_eq!(answer.header("x-request-id"), Some("from-a-proxy.1"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(answer.header("content-security-policy").unwrap().starts_with("default-src 'self'"));
    assert_eq!(answer.header("strict-transport-security"), None, "no https");
    let strange = server.send("GET", "/v1/models", &[("X-Request-Id", "a\"b")], b"");
    assert_ne!(strange.header("x-request-id"), Some("a\"b"));
}

#[test]
fn it_says_whether_it_is_well() {
    let server = Running::new(Fake::default());
    assert_eq!(server.get("/healthz").json(), json!({"status": "ok"}));
    assert_eq!(server.get("/readyz").status, 200);
    server.post("/v1/forecast", &json!({"model": "weekly", "series": ["Store=1, Dept=1"]}));
    let metrics = server.get("/metrics").text();
    for line in [
        "tradewind_http_requests_total{method=\"POST\",route=\"/v1/forecast\",status=\"200\"} 1",
        "tradewind_forecasts_issued_total{model=\"weekly\"} 1",
        "tradewind_model_up{model=\"spoilt\"} 0",
        "tradewind_jobs{state=\"queued\"} 0",
        "tradewind_store_up 1",
        "tradewind_build_info{version=\"0.0.0\"} 1",
        "tradewind_http_request_duration_seconds_bucket{le=\"0.005\",route=\"/v1/forecast\"}",
        "tradewind_forecast_mase{",
        "tradewind_forecast_coverage_ratio{",
        "tradewind_input_drift_psi{",
        "tradewind_input_drift_verdict{",
        "tradewind_alerts_active{",
        "tradewind_actuals_timestamp_seconds",
        "process_resident_memory_bytes",
        "# EOF",
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
}

#[test]
fn every_operation_is_described() {
    let server = Running::new(Fake::default());
    let document = server.get("/openapi.json").json();
    let paths = document["paths"].as_object().unwrap();
    assert_eq!(paths.values().map(|path| path.as_object().unwrap().len()).sum::<usize>(), 20);
    for (path, operations) in paths {
        for (method, operation) in operations.as_object().unwrap() {
            assert!(operation["summary"].is_string(), "{method} {path}");
            assert!(operation["responses"]["4XX"].is_object(), "{method} {path}");
        }
    }
    // The request of the example is answered.
    let example = &document["components"]["schemas"]["ForecastRequest"]["properties"]["model"]["example"];
    assert_eq!(example, "weekly");
}

#[test]
fn an_alert_starts_one_job_however_often_it_is_told() {
    let server = Running::new(Fake::default());
    let alert = json!({
        "version": "4", "receiver": "tradewind", "status": "firing", "alerts": [
            {"status": "firing", "labels": {"alertname": "Drift", "action": "retrain"}, "annotations": {},
             "startsAt": "2026-01-01T00:00:00Z", "fingerprint": "f1"},
            {"status": "resolved", "labels": {"alertname": "Drift", "action": "retrain"}, "startsAt": "2025-01-01T00:00:00Z",
             "fingerprint": "f0"},
            {"status": "firing", "labels": {"alertname": "Late"}, "startsAt": "2026-01-01T00:00:00Z", "fingerprint": "f2"}]
    });
    let first = server.post("/v1/alerts", &alert);
    assert_eq!(first.status, 202, "{}", first.text());
    let again = server.post("/v1/alerts", &alert).json();
    assert_eq!(first.json(), again);
    assert_eq!(again["jobs"].as_array().unwrap().len(), 1);
    assert_eq!(server.get("/v1/jobs").json()["jobs"].as_array().unwrap().len(), 1);
}

#[test]
fn five_hundred_idle_connections_and_slow_clients_hold_nothing_up() {
    let server = Running::with(Fake::default(), |settings| settings.limits.patience = Duration::from_millis(300));
    let idle: Vec<_> = (0..500).map(|_| server.connect()).collect();
    let begun = Instant::now();
    assert_eq!(server.get("/healthz").status, 200);
    assert!(begun.elapsed() < Duration::from_secs(5));
    // One that never ends its head is hung up on; one that never sends its body is told.
    let mut slow = server.connect();
    slow.write_all(b"POST /v1/forecast HTTP/1.1\r\nHost: localhost\r\nContent-Le").unwrap();
    let mut late = server.connect();
    late.write_all(
        b"POST /v1/forecast HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{",
    )
    .unwrap();
    assert_eq!(answered(late).refusal(), "408 timeout");
    let mut rest = Vec::new();
    let _ = std::io::Read::read_to_end(&mut slow, &mut rest);
    assert!(rest.is_empty() || rest.starts_with(b"HTTP/1.1 408"));
    drop(idle);
    assert_eq!(server.get("/healthz").status, 200);
}

#[test]
fn who_asks_for_too_much_at_once_is_told_when_to_come_back() {
    let mut fake = Fake::default();
    fake.delay = Duration::from_millis(1500);
    let server = Running::with(fake, |settings| settings.limits.heavy = 1);
    let body = json!({"model": "weekly", "series": fake::names("weekly").into_iter().take(100).collect::<Vec<_>>()});
    let answers: Vec<(u16, Option<String>)> = std::thread::scope(|scope| {
        let ask = || {
            let answer = server.post("/v1/forecast", &body);
            (answer.status, answer.header("retry-after").map(String::from))
        };
        let asked: Vec<_> = (0..6).map(|_| scope.spawn(ask)).collect();
        asked.into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    assert!(answers.iter().any(|(status, _)| *status == 200));
    let busy: Vec<_> = answers.iter().filter(|(status, _)| *status != 200).collect();
    assert!(!busy.is_empty() && busy.iter().all(|(status, after)| *status == 429 && after.is_some()), "{answers:?}");
}

#[test]
fn without_accuracy_and_drift_the_rest_is_still_measured() {
    let fake = Fake::default();
    fake.is_down.store(true, std::sync::atomic::Ordering::Relaxed);
    let server = Running::new(fake);
    let metrics = server.get("/metrics");
    assert_eq!(metrics.status, 200);
    assert!(metrics.text().contains("tradewind_model_up{model=\"weekly\"} 1"));
    assert!(!metrics.text().contains("tradewind_forecast_mase{"));
    let actuals = json!({"actuals": [{"series": "a", "date": "2012-11-02", "value": 1.0}]});
    assert_eq!(server.post("/v1/actuals", &actuals).refusal(), "503 unavailable");
}
