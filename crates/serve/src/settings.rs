//! What may a server be told, and how much may be asked of it?

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// How a server is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The store of the monitor, in which jobs and tokens are kept: an SQLite file or `postgres://…`.
    pub store: String,
    /// The schema on a PostgreSQL server.
    pub schema: String,
    /// A folder of its own: uploads, work that goes on.
    pub state: PathBuf,
    /// The address by which people reach it, such as `https://forecast.example.com`, where a proxy stands before it.
    pub public_url: Option<String>,
    /// Shown on pages and in the metrics.
    pub version: String,
    /// Jobs that go on at once.
    pub workers: usize,
    /// How much may be asked of it.
    pub limits: Limits,
}

/// How much may be asked of a server.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of a body, uploads aside.
    pub body: usize,
    /// Bytes of an upload.
    pub upload: u64,
    /// Bytes of all uploads together.
    pub uploads: u64,
    /// Values (series × steps) of one answer.
    pub values: usize,
    /// Connections at once.
    pub connections: usize,
    /// Requests at once that take longer than a moment.
    pub heavy: usize,
    /// How long a request may take.
    pub time: Duration,
    /// How long a client may take to send the head of a request, or the next piece of its body.
    pub patience: Duration,
    /// Jobs that wait.
    pub queue: usize,
    /// How long a job and an upload are kept.
    pub keep: Duration,
    /// How long work in progress may go on after the server was asked to end.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 2 << 20,
            upload: 200 << 20,
            uploads: 5 << 30,
            values: 20_000,
            connections: 2_000,
            heavy: 8,
            time: Duration::from_secs(60),
            patience: Duration::from_secs(15),
            queue: 500,
            keep: Duration::from_secs(7 * 24 * 3600),
            grace: Duration::from_secs(15),
        }
    }
}
