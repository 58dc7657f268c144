//! A server of its own for a test, and a client for it.
#![allow(dead_code)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::oneshot;
use tradewind_serve::engine::Engine;
use tradewind_serve::{Limits, Role, Server, Settings};

pub struct Running {
    pub address: SocketAddr,
    pub folder: Arc<tempfile::TempDir>,
    end: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

pub fn settings(folder: &Path) -> Settings {
    Settings {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        store: folder.join("store.db").to_string_lossy().into_owned(),
        schema: "tradewind".into(),
        state: folder.join("state"),
        public_url: None,
        version: "0.0.0".into(),
        workers: 2,
        limits: Limits { grace: Duration::from_secs(5), ..Limits::default() },
    }
}

impl Running {
    pub fn new(engine: impl Engine) -> Self {
        Self::with(engine, |_| {})
    }

    pub fn with(engine: impl Engine, change: impl FnOnce(&mut Settings)) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        Self::again(&folder, Arc::new(engine), change)
    }

    /// On the same folder as another that has ended.
    pub fn again(folder: &Arc<tempfile::TempDir>, engine: Arc<dyn Engine>, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = settings(folder.path());
        change(&mut settings);
        let server = Server::open(settings, engine).unwrap();
        let address = server.address().unwrap();
        let (end, ended) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            server
                .run_until(async {
                    let _ = ended.await;
                })
                .unwrap();
        });
        Self { address, folder: folder.clone(), end: Some(end), thread: Some(thread) }
    }

    /// Asks it to end and waits until it has.
    pub fn stop(&mut self) {
        self.end.take();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }

    pub fn get(&self, path: &str) -> Answered {
        self.send("GET", path, &[], b"")
    }

    pub fn post(&self, path: &str, body: &Value) -> Answered {
        self.send("POST", path, &[("Content-Type", "application/json")], body.to_string().as_bytes())
    }

    pub fn post_as(&self, token: &str, path: &str, body: &Value) -> Answered {
        let token = format!("Bearer {token}");
        let headers = [("Content-Type", "application/json"), ("Authorization", token.as_str())];
        self.send("POST", path, &headers, body.to_string().as_bytes())
    }

    pub fn get_as(&self, token: &str, path: &str) -> Answered {
        self.send("GET", path, &[("Authorization", &format!("Bearer {token}"))], b"")
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream
    }

    /// One request on a connection of its own, written byte by byte as it is.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answered {
        let mut stream = self.connect();
        let mut text = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
        if !headers.iter().any(|(name, _)| *name == "Host") {
            text.push_str(&format!("Host: {}\r\n", self.address));
        }
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("\r\n");
        stream.write_all(text.as_bytes()).unwrap();
        // A server that refuses does not read on.
        let _ = stream.write_all(body);
        answered(stream)
    }

    pub fn token(&self, name: &str, role: Role) -> String {
        token(self.folder.path(), name, role)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

pub fn token(folder: &Path, name: &str, role: Role) -> String {
    let store = folder.join("store.db").to_string_lossy().into_owned();
    tradewind_serve::new_token(&store, "tradewind", name, role, 30).unwrap().1
}

pub struct Answered {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

pub fn answered(mut stream: TcpStream) -> Answered {
    let mut bytes = Vec::new();
    // Whoever is refused in the midst of a body may find the connection reset once the answer is read.
    let _ = stream.read_to_end(&mut bytes);
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("an answer");
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let body = bytes[end + 4..].to_vec();
    let status = head[9..12].parse().unwrap();
    let body = if head.contains("transfer-encoding: chunked") { unchunked(&body) } else { body };
    Answered { status, head, body }
}

fn unchunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(end) = bytes.windows(2).position(|two| two == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&bytes[..end]).unwrap(), 16).unwrap();
        if size == 0 {
            break;
        }
        whole.extend_from_slice(&bytes[end + 2..end + 2 + size]);
        bytes = &bytes[end + 4 + size..];
    }
    whole
}

impl Answered {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(str::trim))
    }

    /// The name of a refusal, with its status: `404 unknown-model`.
    pub fn refusal(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}", self.text());
        let problem = self.json();
        assert_eq!(problem["status"], self.status);
        assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
        let name = problem["type"].as_str().unwrap_or_default().trim_start_matches("urn:tradewind:");
        format!("{} {name}", self.status)
    }
}
