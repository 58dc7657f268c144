//! Every message arrives, by file, webhook, mail and Alertmanager; and what happens when the other side does not do its part.
mod common;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use chrono::TimeDelta;
use common::servers::{http, smtp};
use common::{Place, date, key, now, on_both};
use tradewind_monitor::alerts::{Delivered, Level, Message, Observation, Rules, What};
use tradewind_monitor::store::Store;

fn rules(destination: &str) -> Rules {
    let rules: Rules = toml::from_str(&format!(
        "[[rule]]\nname = 'errors'\nwhat = 'error'\nlevel = 'series'\nabove = 30\nseverity = 'warning'\nto = ['x']\n\
         remind_hours = 24\n[destination.x]\n{destination}"
    ))
    .unwrap();
    rules.check().unwrap();
    rules
}

fn found(store: &mut Store, rules: &Rules, week: u64, values: &[f64]) {
    let seen: Vec<Observation> = values
        .iter()
        .enumerate()
        .map(|(series, value)| Observation {
            rule: None,
            what: What::Error,
            level: Level::Series,
            key: key(series),
            model: "ets".into(),
            kind: None,
            at: date(week),
            since: None,
            value: *value,
            odds: None,
            money: 1000.0,
            detail: String::new(),
        })
        .collect();
    store.judge(rules, &seen, |_, _| Vec::new(), now(week)).unwrap();
}

fn secrets(name: &str) -> Option<String> {
    (name == "KEY").then(|| "s3cret".to_string())
}

fn deliver(store: &mut Store, rules: &Rules, minutes: i64) -> Delivered {
    store.deliver(rules, &secrets, now(1) + TimeDelta::minutes(minutes)).unwrap()
}

#[test]
fn a_line_in_a_file() {
    on_both(|place| {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("alerts.jsonl");
        let rules = rules(&format!("kind = 'log'\npath = '{}'\n", log.display()));
        let mut store = place.open();
        found(&mut store, &rules, 1, &[50.0]);
        let delivered = deliver(&mut store, &rules, 0);
        assert_eq!((delivered.sent, delivered.failed, delivered.waiting), (1, 0, 0));
        assert_eq!(deliver(&mut store, &rules, 0), Delivered::default(), "what was sent is not sent again");
        let text = std::fs::read_to_string(&log).unwrap();
        let message: Message = serde_json::from_str(text.trim_end()).unwrap();
        assert_eq!((message.count, message.alerts[0].key.clone()), (1, key(0)));
    });
}

#[test]
fn a_webhook_that_fails_first_hears_all_once() {
    on_both(|place| {
        let (url, heard) = http(&[500, 503, 500, 200]);
        let rules = rules(&format!("kind = 'webhook'\nurl = '{url}/hook'\nsecret_env = 'KEY'\n"));
        let mut store = place.open();
        found(&mut store, &rules, 1, &[50.0]);
        let delivered = deliver(&mut store, &rules, 0);
        assert_eq!((delivered.sent, delivered.failed, delivered.waiting), (0, 1, 1));
        assert_eq!(
            delivered.failures["x"], "it answers 500 Internal Server Error … is not what I wanted",
            "and no secret that it repeats"
        );
        assert_eq!(heard.lock().unwrap().len(), 3, "three tries at once");
        assert_eq!(deliver(&mut store, &rules, 0).sent, 0, "not due yet");
        assert_eq!(
            store.outbox().unwrap()[0].2.as_deref(),
            Some("it answers 500 Internal Server Error … is not what I wanted")
        );
        drop(store);
        assert_eq!(deliver(&mut place.open(), &rules, 1).sent, 1, "after a restart as well");
        let heard = heard.lock().unwrap();
        assert_eq!(heard.len(), 4);
        let header = |at: usize, name: &str| {
            let head = heard[at].0.to_lowercase();
            head.lines().find_map(|line| line.strip_prefix(name).map(|rest| rest.trim().to_string())).unwrap()
        };
        assert_eq!(header(0, "idempotency-key:"), header(3, "idempotency-key:"), "the same message has the same key");
        assert!(heard[3].0.starts_with("POST /hook "));
        let message: Message = serde_json::from_str(&heard[3].1).unwrap();
        assert_eq!(message.id, header(3, "idempotency-key:"));
        use hmac::{KeyInit as _, Mac as _};
        let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(b"s3cret").unwrap();
        mac.update(heard[3].1.as_bytes());
        let digits: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(header(3, "x-tradewind-signature:"), format!("sha256={digits}"));
    });
}

#[test]
fn a_webhook_that_refuses_or_hangs_or_is_not_there() {
    let place = Place::sqlite();
    let mut store = place.open();
    let (refuses, heard) = http(&[404]);
    let refusing = rules(&format!("kind = 'webhook'\nurl = '{refuses}'\n"));
    found(&mut store, &refusing, 1, &[50.0]);
    assert!(deliver(&mut store, &refusing, 0).failures["x"].starts_with("it answers 404"));
    assert_eq!(heard.lock().unwrap().len(), 1, "a refusal is not tried again at once");
    let (hangs, heard) = http(&[0]);
    let hanging = rules(&format!("kind = 'webhook'\nurl = '{hangs}'\ntimeout_seconds = 0.1\n"));
    let failure = deliver(&mut store, &hanging, 5).failures["x"].clone();
    assert!(failure.contains("timeout") && heard.lock().unwrap().len() == 3, "{failure}");
    let nobody = rules("kind = 'webhook'\nurl = 'http://127.0.0.1:1/'\n");
    assert!(deliver(&mut store, &nobody, 20).failures["x"].starts_with("it does not answer"));
    let unset = rules("kind = 'webhook'\nurl_env = 'NOT_SET'\n");
    assert!(deliver(&mut store, &unset, 60).failures["x"].contains("the environment variable NOT_SET is not set"));
    let (fine, heard) = http(&[204]);
    let fine = rules(&format!("kind = 'webhook'\nurl = '{fine}'\n"));
    assert_eq!(deliver(&mut store, &fine, 600).sent, 1, "never lost");
    assert_eq!(heard.lock().unwrap().len(), 1);
}

#[test]
fn two_that_deliver_at_once_send_each_message_once() {
    on_both(|place| {
        let (url, heard) = http(&[200]);
        let rules = &rules(&format!("kind = 'webhook'\nurl = '{url}'\n"));
        let mut store = place.open();
        for week in 1..=20 {
            found(&mut store, rules, week, &[if week % 2 == 0 { 10.0 } else { 50.0 }]);
        }
        drop(store);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| place.open().deliver(rules, &secrets, now(30)).unwrap());
            }
        });
        let heard = heard.lock().unwrap();
        let bodies: std::collections::BTreeSet<&str> = heard.iter().map(|(_, body)| body.as_str()).collect();
        assert_eq!((heard.len(), bodies.len()), (20, 20));
    });
}

#[cfg(feature = "mail")]
#[test]
fn a_mail() {
    let place = Place::sqlite();
    let mut store = place.open();
    let mail = |port: u16| {
        rules(&format!(
            "kind = 'mail'\nhost = '127.0.0.1'\nport = {port}\ntls = 'none'\nfrom = 'Tradewind <alerts@shop.example>'\n\
             to = ['ana@shop.example', 'ben@shop.example']\n"
        ))
    };
    let (port, heard) = smtp(Some("550 no such sender"));
    found(&mut store, &mail(port), 1, &[50.0, 60.0]);
    let failure = deliver(&mut store, &mail(port), 0).failures["x"].clone();
    assert!(failure.contains("the mail server refuses") && failure.contains("no such sender"), "{failure}");
    assert!(heard.lock().unwrap().is_empty());
    let (port, heard) = smtp(Some("451 come back later"));
    assert!(deliver(&mut store, &mail(port), 1).failures["x"].contains("come back later"));
    assert!(heard.lock().unwrap().is_empty());
    let (port, heard) = smtp(None);
    assert_eq!(deliver(&mut store, &mail(port), 10).sent, 1);
    let (envelope, body) = heard.lock().unwrap().remove(0);
    assert!(
        envelope.contains("RCPT TO:<ana@shop.example>") && envelope.contains("RCPT TO:<ben@shop.example>"),
        "{envelope}"
    );
    assert!(body.contains("Message-ID: <") && body.contains("@shop.example>"), "{body}");
    assert!(body.contains("2 alerts by rule `errors`, 2,000 in all:"), "{body}");
    // A server that does not encrypt is not spoken to where that was asked for, and gets no password.
    let (port, heard) = smtp(None);
    let asked = rules(&format!(
        "kind = 'mail'\nhost = '127.0.0.1'\nport = {port}\nfrom = 'a@shop.example'\nto = ['b@shop.example']\n\
         user_env = 'KEY'\npassword_env = 'KEY'\n"
    ));
    found(&mut store, &asked, 2, &[50.0, 60.0]);
    let failure = store.deliver(&asked, &secrets, now(2)).unwrap().failures["x"].clone();
    assert!(!failure.contains("s3cret") && heard.lock().unwrap().is_empty(), "{failure}");
}

fn alerts_at(manager: &str) -> serde_json::Value {
    let mut answer = ureq::get(format!("{manager}/api/v2/alerts")).call().unwrap();
    serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap()
}

#[test]
fn a_fake_alertmanager_hears_labels_and_times() {
    let (url, heard) = http(&[200]);
    let rules = rules(&format!("kind = 'alertmanager'\nurl = '{url}'\ntoken_env = 'KEY'\n"));
    let place = Place::sqlite();
    let mut store = place.open();
    found(&mut store, &rules, 1, &[50.0]);
    found(&mut store, &rules, 2, &[10.0]);
    assert_eq!(deliver(&mut store, &rules, 60 * 24 * 7).sent, 2);
    let heard = heard.lock().unwrap();
    assert!(heard[0].0.starts_with("POST /api/v2/alerts ") && heard[0].0.contains("Bearer s3cret"));
    let body = |at: usize| serde_json::from_str::<serde_json::Value>(&heard[at].1).unwrap();
    let begun = &body(0)[0];
    assert_eq!(begun["labels"]["alertname"], "errors");
    assert_eq!(
        (&begun["startsAt"], &begun["endsAt"]),
        (&"2025-01-13T00:00:00.000Z".into(), &"2025-01-15T00:00:00.000Z".into())
    );
    assert_eq!(begun["annotations"]["key"], "store 0 / item 0");
    let over = &body(1)[0];
    assert_eq!((&over["labels"], &over["endsAt"]), (&begun["labels"], &"2025-01-20T00:00:00.000Z".into()));
}

/// prometheus-alertmanager 0.25.0 of Debian 12.
#[test]
fn a_real_alertmanager_takes_them() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("alertmanager.yml");
    std::fs::write(&config, "route: {receiver: none}\nreceivers: [{name: none}]\n").unwrap();
    let started = Command::new("prometheus-alertmanager")
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--storage.path={}", folder.path().join("data").display()))
        .args(["--web.listen-address=127.0.0.1:0", "--cluster.listen-address="])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut manager) = started else {
        return println!("skipped: a_real_alertmanager_takes_them: prometheus-alertmanager is not installed");
    };
    let mut lines = BufReader::new(manager.stderr.take().unwrap()).lines().map_while(Result::ok);
    let address = |line: String| line.split("\"Listening on\" address=").nth(1).map(|rest| rest.trim().to_string());
    let url = format!("http://{}", lines.find_map(address).unwrap());
    // It ends when nobody reads what it says.
    std::thread::spawn(move || lines.for_each(drop));
    let rules = rules(&format!("kind = 'alertmanager'\nurl = '{url}'\n"));
    let place = Place::sqlite();
    let mut store = place.open();
    // Times of today: Alertmanager looks at its own clock.
    let today = chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now());
    let seen = |value: f64, count: usize| -> Vec<Observation> {
        let one = |series: usize| Observation {
            rule: None,
            what: What::Error,
            level: Level::Series,
            key: key(series),
            model: "ets".into(),
            kind: None,
            at: today.naive_utc(),
            since: None,
            value,
            odds: None,
            money: 1.0,
            detail: String::new(),
        };
        (0..count).map(one).collect()
    };
    let mut round = |value: f64, count: usize, minutes: i64| {
        let at = today - TimeDelta::minutes(30 - minutes);
        store.judge(&rules, &seen(value, count), |_, _| Vec::new(), at).unwrap();
        let delivered = store.deliver(&rules, &secrets, at).unwrap();
        assert_eq!((delivered.failed, delivered.sent), (0, 1), "{:?}", delivered.failures);
        alerts_at(&url)
    };
    let two = round(50.0, 2, 0);
    let over = round(10.0, 2, 10);
    let many = round(50.0, 30, 20);
    let none = round(10.0, 30, 30);
    manager.kill().unwrap();
    manager.wait().unwrap();
    assert_eq!(two.as_array().unwrap().len(), 2, "{two}");
    assert_eq!(two[0]["status"]["state"], "active");
    assert_eq!(over, serde_json::json!([]), "what is over is over there as well");
    assert_eq!((many.as_array().unwrap().len(), &many[0]["labels"]["fingerprint"]), (1, &"together".into()), "{many}");
    assert_eq!(none, serde_json::json!([]));
}
