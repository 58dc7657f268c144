//! The pages as a browser asks for them: signing in, forms that carry what their page carried, what may never be in a page.

#[path = "common/fake.rs"]
mod fake;
#[path = "common/server.rs"]
mod server;

use std::io::{Read, Write};
use std::sync::Arc;

use fake::{Fake, HOSTILE};
use server::{Running, token};
use tradewind_serve::Role;

/// A browser without scripts: it keeps cookies and sends forms.
struct Browser<'a> {
    server: &'a Running,
    cookie: String,
}

struct Seen {
    status: u16,
    head: String,
    page: String,
}

impl Seen {
    fn header(&self, name: &str) -> &str {
        let line = self.head.lines().find(|line| line.to_ascii_lowercase().starts_with(&format!("{name}:")));
        line.map_or("", |line| line[name.len() + 1..].trim())
    }

    /// What the forms of the page carry.
    fn csrf(&self) -> String {
        let after = self.page.split("name=\"csrf\" value=\"").nth(1).unwrap_or_default();
        after.split('"').next().unwrap_or_default().to_string()
    }
}

impl<'a> Browser<'a> {
    fn new(server: &'a Running) -> Self {
        Self { server, cookie: String::new() }
    }

    fn send(&mut self, method: &str, path: &str, kind: &str, body: &str) -> Seen {
        let mut stream = self.server.connect();
        let (address, cookie) = (self.server.address, &self.cookie);
        // Of this version, so that answers come in one piece.
        let mut text =
            format!("{method} {path} HTTP/1.0\r\nHost: {address}\r\nConnection: close\r\nAccept: text/html\r\n");
        if !cookie.is_empty() {
            text.push_str(&format!("Cookie: {cookie}\r\n"));
        }
        text.push_str(&format!("Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}", body.len()));
        stream.write_all(text.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, page) = text.split_once("\r\n\r\n").unwrap();
        let seen = Seen { status: head[9..12].parse().unwrap(), head: head.into(), page: page.into() };
        let given = seen.header("set-cookie").split(';').next().unwrap_or_default().to_string();
        if !given.is_empty() {
            self.cookie = given;
        }
        seen
    }

    fn get(&mut self, path: &str) -> Seen {
        self.send("GET", path, "text/plain", "")
    }

    fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Seen {
        let escape = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
        let pairs: Vec<String> =
            fields.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value))).collect();
        self.send("POST", path, "application/x-www-form-urlencoded", &pairs.join("&"))
    }

    /// Sends a file as the form of the page does.
    fn upload(&mut self, csrf: Option<&str>, name: &str, text: &str) -> Seen {
        let field =
            |about: &str, value: &str| format!("--xyz\r\nContent-Disposition: form-data; {about}\r\n\r\n{value}\r\n");
        let first = csrf.map(|csrf| field("name=\"csrf\"", csrf)).unwrap_or_default();
        let file = field(&format!("name=\"file\"; filename=\"{name}\""), text);
        self.send("POST", "/upload", "multipart/form-data; boundary=xyz", &format!("{first}{file}--xyz--\r\n"))
    }
}

const PAGES: [&str; 14] = [
    "/",
    "/explore",
    "/explore?model=daily&series=Item%3D%3Cb&on_hand=3",
    "/explore?series=zzz",
    "/explore?horizon=x",
    "/upload",
    "/jobs",
    "/dashboard",
    "/decisions",
    "/overrides",
    "/runs",
    "/runs/rollback",
    "/monitoring",
    "/api",
];

#[test]
fn every_page_is_whole_and_safe() {
    for engine in [Fake::default(), Fake::empty()] {
        let is_empty = engine.is_empty;
        let server = Running::new(engine);
        let mut browser = Browser::new(&server);
        for path in PAGES.into_iter().filter(|path| !is_empty || !path.contains("model=")) {
            let seen = browser.get(path);
            assert_eq!(seen.status, 200, "{path}: {}", seen.page);
            assert!(seen.page.starts_with("<!DOCTYPE html>") && seen.page.ends_with("</html>"), "{path}");
            assert!(!seen.page.contains(HOSTILE) && !seen.page.contains("alert(1)</script>"), "{path}");
            assert_eq!(seen.page.matches("<script").count(), 1, "{path}");
            assert!(
                !seen.page.contains(" style=") && !seen.page.contains("<style") && !seen.page.contains(" onclick"),
                "{path}"
            );
            assert_eq!(seen.page.matches("<h1").count(), 1, "{path}");
            assert!(seen.header("content-security-policy").contains("script-src 'self'"));
            assert_eq!(seen.header("cache-control"), "no-store");
        }
    }
}

#[test]
fn assets_are_kept_by_browsers() {
    let server = Running::new(Fake::default());
    let mut browser = Browser::new(&server);
    let page = browser.get("/").page;
    for name in ["style.css", "app.js", "icon.svg"] {
        let place = page.split(&format!("/assets/{name}")).nth(1).unwrap().split('"').next().unwrap();
        let asset = browser.get(&format!("/assets/{name}{place}"));
        assert!(asset.status == 200 && place.starts_with("?v="));
        assert_eq!(asset.header("cache-control"), "public, max-age=31536000, immutable");
    }
}

#[test]
fn the_dashboard_is_cut_off_and_may_be_framed() {
    let server = Running::new(Fake::default());
    let view = Browser::new(&server).get("/dashboard/view");
    let policy = view.header("content-security-policy");
    assert!(policy.starts_with("sandbox allow-scripts;") && policy.contains("frame-ancestors 'self'"), "{policy}");
    assert_eq!(view.header("x-frame-options"), "SAMEORIGIN");
}

#[test]
fn people_sign_in_and_out() {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let secret = token(folder.path(), "ann", Role::Planner);
    let server = Running::again(&folder, Arc::new(Fake::default()), |_| {});
    let mut browser = Browser::new(&server);
    let refused = browser.get("/explore");
    assert_eq!((refused.status, refused.header("location")), (303, "/login?next=/explore"));
    let page = browser.get("/login?next=/explore");
    assert!(page.status == 200 && page.page.contains("type=\"password\"") && page.page.contains("value=\"/explore\""));
    let wrong = browser.post("/login", &[("token", HOSTILE)]);
    assert!(wrong.status == 401 && wrong.page.contains("role=\"alert\"") && browser.cookie.is_empty());
    let away = browser.post("/login", &[("token", &secret), ("next", "//evil.example")]);
    assert_eq!((away.status, away.header("location")), (303, "/"));
    let page = browser.get("/");
    assert!(page.page.contains("ann") && page.page.contains("planner") && page.page.contains("/logout"));
    // A planner may not change which model forecasts.
    assert_eq!(browser.get("/runs/rollback").status, 403);
    assert!(!browser.get("/runs").page.contains("/runs/retrain"));
    assert_eq!(browser.post("/runs/retrain", &[("csrf", &page.csrf())]).status, 403);
    assert_eq!(browser.post("/logout", &[("csrf", "wrong")]).status, 403);
    let out = browser.post("/logout", &[("csrf", &page.csrf())]);
    assert_eq!((out.status, out.header("location")), (303, "/login"));
    assert_eq!(browser.get("/").status, 303);
}

#[test]
fn forms_of_other_pages_are_refused() {
    let server = Running::new(Fake::default());
    let mut browser = Browser::new(&server);
    let csrf = browser.get("/").csrf();
    let id = "0123456789abcdef0123456789abcdef";
    let paths = [
        "/jobs".to_string(),
        format!("/jobs/{id}/cancel"),
        format!("/uploads/{id}/forecast"),
        format!("/uploads/{id}/remove"),
        "/decisions".into(),
        "/overrides".into(),
        "/overrides/0f3a/withdraw".into(),
        "/runs/rollback".into(),
        "/runs/retrain".into(),
        "/logout".into(),
    ];
    for path in &paths {
        for given in [&[][..], &[("csrf", "")], &[("csrf", "wrong")]] {
            let seen = browser.post(path, given);
            assert_eq!(seen.status, 403, "{path}");
            assert!(seen.page.contains("does not come from this site"), "{path}");
        }
        // Another visitor's does not do either.
        assert_eq!(Browser::new(&server).post(path, &[("csrf", &csrf)]).status, 403, "{path}");
    }
    for given in [None, Some(""), Some("wrong")] {
        assert_eq!(browser.upload(given, "a.csv", "Date,y\n2012-10-05,1\n").status, 403);
    }
    assert!(browser.get("/overrides").page.contains("/overrides/0f3a/withdraw"), "nothing was withdrawn");
    assert!(browser.get("/upload").page.contains("None yet"), "nothing was kept");
}

#[test]
fn a_file_becomes_a_forecast() {
    let server = Running::new(Fake::default());
    let mut browser = Browser::new(&server);
    let csrf = browser.get("/upload").csrf();
    let wrong = browser.upload(Some(&csrf), "x.exe", "MZ");
    assert_eq!(wrong.status, 415);
    let sent =
        browser.upload(Some(&csrf), "sales.csv", &format!("Store,Date,{HOSTILE}\n1,2012-10-05,7\n1,2012-10-12,8\n"));
    assert_eq!(sent.status, 303, "{}", sent.page);
    let place = sent.header("location").to_string();
    let file = browser.get(&place).page;
    assert!(
        file.contains("Confirm the columns") && file.contains("Start the forecast") && !file.contains(HOSTILE),
        "{file}"
    );
    let columns = "name.0=Store&role.0=key&name.1=Date&role.1=date&name.2=y&role.2=target";
    assert!(browser.get(&format!("{place}?{columns}")).page.contains("Read as you say"));
    assert!(browser.get(&format!("{place}?name.0=Store&role.0=key")).page.contains("not settled yet"));
    assert!(browser.get(&format!("{place}/audit?{columns}")).page.contains("2 things deserve attention"));
    let none = browser.post(&format!("{place}/forecast"), &[("csrf", &csrf), ("name.0", "Date"), ("role.0", "date")]);
    assert_eq!(none.status, 422);
    let fields =
        [("csrf", csrf.as_str()), ("name.0", "Store"), ("role.0", "key"), ("method", "theta"), ("horizon", "3")];
    let begun = browser.post(&format!("{place}/forecast"), &fields);
    assert_eq!(begun.status, 303);
    let job = begun.header("location").to_string();
    let page = (0..100)
        .find_map(|_| {
            std::thread::sleep(std::time::Duration::from_millis(100));
            Some(browser.get(&job).page).filter(|page| !page.contains("http-equiv=\"refresh\""))
        })
        .unwrap();
    assert!(page.contains("format=xlsx") && page.contains("sandbox=\"\""), "{page}");
    // What is over is not cancelled, and that is no error.
    assert_eq!(browser.post(&format!("{job}/cancel"), &[("csrf", &csrf)]).status, 303);
    assert_eq!(browser.post(&format!("{place}/remove"), &[("csrf", &csrf)]).status, 303);
    assert_eq!(browser.get(&place).status, 404);
}

#[test]
fn planners_decide_and_change() {
    let server = Running::new(Fake::default());
    let mut browser = Browser::new(&server);
    let csrf = browser.get("/decisions").csrf();
    let stock = "series\ton_hand\nStore=1, Dept=1\t12\nStore=1, Dept=2\t1000000";
    let decided = browser.post("/decisions", &[("csrf", &csrf), ("model", "weekly"), ("stock", stock)]);
    assert!(decided.status == 200 && decided.page.contains("of 2 items"), "{}", decided.page);
    assert!(decided.page.contains("4.8 %") && !decided.page.contains("123456789"));
    let asked = [("csrf", csrf.as_str()), ("model", "weekly"), ("stock", stock), ("download", "csv")];
    let file = browser.post("/decisions", &asked);
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"orders.csv\"");
    assert!(file.header("content-type").starts_with("text/csv") && file.page.starts_with("series,order\n"));
    let wrong = browser.post("/decisions", &[("csrf", &csrf), ("model", "weekly"), ("stock", "a,1\nb,x")]);
    assert!(wrong.page.contains("Stock, line 2") && wrong.page.contains("a,1\nb,x"));
    let fields = [("csrf", csrf.as_str()), ("how", "percent"), ("amount", "x")];
    assert!(browser.post("/overrides", &fields).page.contains("“x” is not a number"));
    let fields =
        [("csrf", csrf.as_str()), ("how", "percent"), ("amount", "20"), ("reason", HOSTILE), ("key.Store", "7")];
    assert_eq!(browser.post("/overrides", &fields).header("location"), "/overrides?done=added");
    assert!(browser.get("/overrides").page.contains("Store=7: percent 20"));
    assert_eq!(browser.post("/overrides/0f3a/withdraw", &[("csrf", &csrf)]).status, 303);
    assert!(browser.post("/runs/rollback", &[("csrf", &csrf)]).page.contains("is the champion again"));
}

#[test]
fn what_is_changed_moves_forecast_and_order() {
    let server = Running::new(Fake::default());
    let mut browser = Browser::new(&server);
    let path = "/explore/figure?model=weekly&of_model=weekly&series=Store%3D1,+Dept%3D1&of_series=Store%3D1,+Dept%3D1&horizon=2&on_hand=5\
                &flag=Promotion&d0=2012-11-02&d1=2012-11-09";
    let plain = browser.get(path).page;
    let promoted = browser.get(&format!("{path}&v0.Promotion=1")).page;
    assert!(!plain.contains("<html") && plain.contains("To order now") && plain.contains("data-say"));
    let of = |page: &str| {
        page.split("p class=\"figure\">").nth(1).unwrap_or_default().split('<').next().unwrap_or_default().to_string()
    };
    assert!(!of(&plain).is_empty() && of(&plain) != of(&promoted), "{} {}", of(&plain), of(&promoted));
    let wrong = browser.get(&format!("{path}&v1.Price=abc")).page;
    assert!(wrong.contains("Price on 2012-11-09: “abc” is not a number"));
}

#[test]
fn refusals_are_pages() {
    let server = Running::new(Fake::default());
    let mut browser = Browser::new(&server);
    for (path, status, text) in [
        ("/nothing", 404, "There is nothing here"),
        ("/jobs/%3Cb%3E", 404, "There is no such job"),
        ("/uploads/0", 404, "There is no such upload"),
        ("/explore?model=%3Cb%3E", 404, "No such model"),
        ("/overrides/1/withdraw", 405, "does not take this method"),
    ] {
        let seen = browser.get(path);
        assert!(
            seen.status == status && seen.page.contains(text) && !seen.page.contains("<b>"),
            "{path}: {}",
            seen.page
        );
        assert!(seen.page.contains("<nav"), "{path}");
    }
}
