//! Who may ask what, and which requests come from our own pages.

#[path = "common/fake.rs"]
mod fake;
#[path = "common/server.rs"]
mod server;

use std::net::SocketAddr;
use std::sync::Arc;

use chrono::Utc;
use fake::Fake;
use serde_json::json;
use server::{Running, settings, token};
use tradewind_serve::{Role, Server};

/// A server on which there are tokens.
fn closed() -> (Running, [String; 4]) {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let tokens = Role::ALL.map(|role| token(folder.path(), role.name(), role));
    (Running::again(&folder, Arc::new(Fake::default()), |_| {}), tokens)
}

#[test]
fn a_server_that_others_reach_needs_a_token() {
    let folder = tempfile::tempdir().unwrap();
    let mut open = settings(folder.path());
    open.listen = SocketAddr::from(([0, 0, 0, 0], 0));
    let refused = Server::open(open.clone(), Arc::new(Fake::default())).err().unwrap();
    assert!(refused.detail.contains("tradewind token new"), "{refused}");
    token(folder.path(), "Anna", Role::Admin);
    Server::open(open, Arc::new(Fake::default())).unwrap();
}

#[test]
fn a_token_is_needed_and_says_what_one_may_do() {
    let (server, [viewer, planner, operator, admin]) = closed();
    assert_eq!(server.get("/healthz").status, 200);
    let nobody = server.get("/v1/models");
    assert_eq!(
        (nobody.refusal().as_str(), nobody.header("www-authenticate")),
        ("401 not-authenticated", Some("bearer"))
    );
    assert_eq!(server.get_as("wrong", "/v1/models").refusal(), "401 not-authenticated");
    assert_eq!(server.get("/metrics").refusal(), "401 not-authenticated");
    let basic = server.send("GET", "/v1/models", &[("Authorization", "Basic YTpi")], b"");
    assert_eq!(basic.refusal(), "401 not-authenticated");
    for token in [&viewer, &planner, &operator, &admin] {
        assert_eq!(server.get_as(token, "/v1/models").status, 200);
    }
    let forecast = json!({"model": "weekly", "series": ["Store=1, Dept=1"]});
    assert_eq!(server.post_as(&viewer, "/v1/forecast", &forecast).status, 200);
    let mut issued = forecast.clone();
    issued["issue"] = "monday".into();
    assert_eq!(server.post_as(&viewer, "/v1/forecast", &issued).refusal(), "403 not-allowed");
    let decide = json!({"forecast": forecast, "policy": {}, "stock": [{"series": "Store=1, Dept=1", "on_hand": 10.0}]});
    assert_eq!(server.post_as(&viewer, "/v1/decide", &decide).refusal(), "403 not-allowed");
    assert_eq!(server.post_as(&planner, "/v1/decide", &decide).status, 200);
    let job = json!({"kind": "forecast", "model": "weekly"});
    assert_eq!(server.post_as(&viewer, "/v1/jobs", &job).refusal(), "403 not-allowed");
    assert_eq!(server.post_as(&planner, "/v1/jobs", &job).status, 202);
    assert_eq!(server.post_as(&planner, "/v1/jobs", &json!({"kind": "retrain"})).refusal(), "403 not-allowed");
    let actuals = json!({"actuals": [{"series": "Store=1, Dept=1", "date": "2012-11-02", "value": 3.0}]});
    assert_eq!(server.post_as(&planner, "/v1/actuals", &actuals).refusal(), "403 not-allowed");
    assert_eq!(server.post_as(&operator, "/v1/actuals", &actuals).status, 200);
    assert_eq!(server.post_as(&planner, "/v1/alerts", &json!({"alerts": []})).refusal(), "403 not-allowed");
}

#[test]
fn only_hashes_are_kept() {
    let (server, tokens) = closed();
    let mut files = vec![server.folder.path().to_path_buf()];
    while let Some(place) = files.pop() {
        if place.is_dir() {
            files.extend(std::fs::read_dir(place).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let bytes = std::fs::read(&place).unwrap();
        for token in &tokens {
            assert!(!bytes.windows(token.len()).any(|part| part == token.as_bytes()), "{}", place.display());
        }
    }
}

#[test]
fn a_revoked_token_ends() {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let store = folder.path().join("store.db").to_string_lossy().into_owned();
    let (id, secret) = tradewind_serve::new_token(&store, "tradewind", "Anna", Role::Admin, 1).unwrap();
    let (_, ended) = tradewind_serve::new_token(&store, "tradewind", "Ben", Role::Admin, 0).unwrap();
    assert!(tradewind_serve::new_token(&store, "tradewind", "Anna", Role::Admin, 1).is_err());
    assert!(tradewind_serve::new_token(&store, "tradewind", "<script>", Role::Admin, 1).is_err());
    tradewind_serve::revoke_token(&store, "tradewind", &id, Utc::now()).unwrap();
    token(folder.path(), "Carl", Role::Viewer);
    let server = Running::again(&folder, Arc::new(Fake::default()), |_| {});
    assert!(server.get_as(&secret, "/v1/models").json()["detail"].as_str().unwrap().contains("revoked"));
    assert!(server.get_as(&ended, "/v1/models").json()["detail"].as_str().unwrap().contains("expired"));
    // Whoever tries on and on has to wait.
    let tried: Vec<_> = (0..25).map(|n| server.get_as(&format!("guess{n}"), "/v1/models")).collect();
    let last = tried.last().unwrap();
    assert_eq!((last.refusal().as_str(), last.header("retry-after")), ("429 busy", Some("60")));
}

#[test]
fn an_open_server_answers_its_own_machine_and_its_own_pages() {
    let server = Running::new(Fake::default());
    let host = server.send("GET", "/v1/models", &[("Host", "evil.example")], b"");
    assert_eq!(host.refusal(), "403 cross-site");
    let body = json!({"model": "weekly", "series": ["Store=1, Dept=1"]}).to_string();
    let post = |headers: &[(&str, &str)]| {
        let mut all = vec![("Content-Type", "application/json")];
        all.extend(headers);
        server.send("POST", "/v1/forecast", &all, body.as_bytes())
    };
    assert_eq!(post(&[]).status, 200, "a program");
    assert_eq!(post(&[("Origin", "https://evil.example")]).refusal(), "403 cross-site");
    assert_eq!(post(&[("Origin", "null")]).refusal(), "403 cross-site");
    assert_eq!(post(&[("Sec-Fetch-Site", "cross-site")]).refusal(), "403 cross-site");
    assert_eq!(post(&[("Sec-Fetch-Site", "same-site")]).refusal(), "403 cross-site");
    // A browser on our own page has to send what the page holds.
    assert_eq!(post(&[("Sec-Fetch-Site", "same-origin")]).refusal(), "403 cross-site");
    assert_eq!(post(&[("Sec-Fetch-Site", "same-origin"), ("X-CSRF-Token", "guess")]).refusal(), "403 cross-site");
}

#[test]
fn a_public_address_needs_a_token_and_counts_as_our_own() {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let public = |settings: &mut tradewind_serve::Settings| {
        settings.public_url = Some("https://forecast.example.com/".into());
    };
    let mut unsafe_settings = settings(folder.path());
    public(&mut unsafe_settings);
    assert!(Server::open(unsafe_settings, Arc::new(Fake::default())).is_err());
    let token = token(folder.path(), "Anna", Role::Viewer);
    let server = Running::again(&folder, Arc::new(Fake::default()), public);
    let bearer = format!("Bearer {token}");
    let headers = [
        ("Host", "10.0.0.7"),
        ("X-Forwarded-For", "203.0.113.9"),
        ("Origin", "https://forecast.example.com"),
        ("Authorization", bearer.as_str()),
        ("Content-Type", "application/json"),
    ];
    let body = json!({"model": "weekly", "series": ["Store=1, Dept=1"]}).to_string();
    let answer = server.send("POST", "/v1/forecast", &headers, body.as_bytes());
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("strict-transport-security"), Some("max-age=31536000; includesubdomains"));
}

#[test]
fn an_open_server_closes_with_its_first_token() {
    let server = Running::new(Fake::default());
    assert_eq!(server.get("/v1/models").status, 200);
    server.token("Anna", Role::Viewer);
    let begun = std::time::Instant::now();
    while server.get("/v1/models").status != 401 {
        assert!(begun.elapsed() < std::time::Duration::from_secs(10), "it is still open");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}
