//! SQLite through rusqlite (its library is built in), PostgreSQL through its own client in pure Rust.

use std::path::Path;
use std::sync::Arc;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

use super::super::{Cells, Layout, Part, Wanted, places};
use super::{is_server, shown};
use crate::error::{Error, Result};
use crate::progress;

pub(in super::super) fn read(place: &Path, query: &str, wanted: &Wanted) -> Result<Part> {
    let query = query.trim().trim_end_matches(';');
    if query.is_empty() {
        return Err(Error::usage("the query is empty; write what to ask the database: query = \"select …\""));
    }
    if is_server(place) { postgres(place, query, wanted) } else { sqlite(place, query, wanted) }
}

/// The wanted columns of an answer in the making.
struct Answer {
    cells: Cells,
    at: Vec<usize>,
    layout: Layout,
    rows: usize,
}

impl Answer {
    fn new(header: &[&str], source: &str, wanted: &Wanted) -> Result<Self> {
        let layout = wanted.layout(header, &format!("the answer of {source}"))?;
        let names = layout.names();
        let at = places(&names, header, source)?;
        Ok(Self { cells: Cells::new(names, wanted), at, layout, rows: 0 })
    }

    /// Counts a row, and lets an interrupt through now and then.
    fn next(&mut self) -> Result<()> {
        self.rows += 1;
        if self.rows.is_multiple_of(16_384) { progress::check() } else { Ok(()) }
    }

    fn part(self, wanted: &Wanted) -> Result<Part> {
        let part = Part { frame: self.cells.frame()?, lines: Vec::new(), found: Vec::new() };
        self.layout.long(part, wanted.columns)
    }
}

fn sqlite(path: &Path, query: &str, wanted: &Wanted) -> Result<Part> {
    let source = path.display().to_string();
    crate::files::allowed(path)?;
    if !path.exists() {
        return Err(crate::files::missing(path));
    }
    crate::files::reads(path);
    let failed = |cause: rusqlite::Error| Error::data(format!("{source} does not answer the query")).because(cause);
    // Read-only: no query changes what it reads.
    let database =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)
            .map_err(failed)?;
    let mut statement = database.prepare(query).map_err(failed)?;
    let header: Vec<String> = statement.column_names().map(String::from).collect();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let mut answer = Answer::new(&header, &source, wanted)?;
    let mut rows = statement.query([]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        for column in 0..answer.at.len() {
            let name = &answer.cells.names[column];
            let not_text = || Error::data(format!("column `{name}` of {source} holds bytes that are not text"));
            match row.get_ref(answer.at[column]).map_err(failed)? {
                ValueRef::Null => answer.cells.columns[column].append_null(),
                ValueRef::Integer(value) => answer.cells.push(column, &value.to_string()),
                ValueRef::Real(value) => answer.cells.push(column, &value.to_string()),
                ValueRef::Text(bytes) => {
                    let text = std::str::from_utf8(bytes).map_err(|_| not_text())?;
                    answer.cells.push(column, text);
                }
                ValueRef::Blob(_) => return Err(not_text()),
            }
        }
        answer.next()?;
    }
    answer.part(wanted)
}

fn postgres(place: &Path, query: &str, wanted: &Wanted) -> Result<Part> {
    let source = shown(place);
    let failed = |cause: postgres::Error| {
        // The server's own words; the driver says only "db error".
        let why = cause.as_db_error().map_or_else(|| with_causes(&cause), |error| error.message().to_string());
        Error::data(format!("{source} does not answer")).because(why)
    };
    let mut client = postgres::Client::connect(&place.to_string_lossy(), tls()?).map_err(failed)?;
    client.batch_execute("set default_transaction_read_only = on").map_err(failed)?;
    // The server writes the answer as CSV, of any type and length, and it is read as it comes.
    let copy = format!("copy ({query}) to stdout with (format csv, header true)");
    let reader = client.copy_out(&copy).map_err(failed)?;
    let mut reader = csv::ReaderBuilder::new().has_headers(true).from_reader(reader);
    let broken = |cause: csv::Error| Error::io(format!("{source} broke off its answer")).because(cause);
    let header: Vec<String> = reader.headers().map_err(broken)?.iter().map(String::from).collect();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let mut answer = Answer::new(&header, &source, wanted)?;
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(broken)? {
        for column in 0..answer.at.len() {
            answer.cells.push(column, &record[answer.at[column]]);
        }
        answer.next()?;
    }
    answer.part(wanted)
}

/// TLS as the URL's sslmode asks for it, with the certificates of this machine.
fn tls() -> Result<tokio_postgres_rustls::MakeRustlsConnect> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|cause| Error::io("TLS cannot be set up").because(cause))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(tokio_postgres_rustls::MakeRustlsConnect::new(config))
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
