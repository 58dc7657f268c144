//! PostgreSQL through its client in pure Rust; TLS by rustls as the URL's `sslmode` asks for it.
//!
//! The tables lie in a schema of their own. A lock of the server lets one process write at a time, as SQLite does, so that
//! both give the same answers.

use std::sync::Arc;
use std::time::Duration;

use postgres::fallible_iterator::FallibleIterator;
use postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use postgres::{Client, Config, Statement};

use super::Options;
use super::database::{Batch, Column, Row, Value};
use crate::error::{Error, Result};

/// How long a server may take to answer the call.
const CONNECT: Duration = Duration::from_secs(30);
/// Rows sent at once.
const ROWS: usize = 4096;
/// "TwMo": the lock of whoever writes.
const LOCK: i64 = 0x5477_4d6f;

pub(crate) struct Postgres {
    client: Client,
    place: String,
    password: Option<String>,
    /// Statements that the server has prepared, by their text.
    prepared: std::collections::HashMap<String, Statement>,
}

impl Postgres {
    pub fn open(url: &str, options: &Options) -> Result<Self> {
        let (place, schema) = (shown(url), &options.schema);
        if schema.is_empty() || !schema.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(Error::usage(format!("`{schema}` is no name for a schema; use letters, digits and _")));
        }
        // The driver's words may quote the URL, so they are not passed on.
        let mut config: Config = url.parse().map_err(|_| {
            Error::usage(format!("{place} is no address of a server; write postgres://USER@HOST:PORT/DATABASE"))
        })?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        let password = config.get_password().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let client = config.connect(tls()?).map_err(|cause| failed(&place, password.as_deref(), &cause))?;
        let mut database = Self { client, place, password, prepared: std::collections::HashMap::new() };
        let wait = options.busy.as_millis();
        database.run(&format!("set client_min_messages = warning; set lock_timeout = {wait}"))?;
        // Two that begin at once: the second waits and finds it made.
        database.begin()?;
        database.run(&format!(
            "create schema if not exists {schema}; set search_path = {schema}; \
             create table if not exists version (id integer primary key, number bigint not null); commit"
        ))?;
        Ok(database)
    }

    pub fn version(&mut self) -> Result<i64> {
        let mut version = 0;
        self.query("select number from version", &[], &mut |row| {
            version = row.int(0)?;
            Ok(())
        })?;
        Ok(version)
    }

    pub fn begin(&mut self) -> Result<()> {
        self.run(&format!("begin; select pg_advisory_xact_lock({LOCK})"))
    }

    pub fn run(&mut self, sql: &str) -> Result<()> {
        self.client.batch_execute(sql).map_err(|cause| failed(&self.place, self.password.as_deref(), &cause))
    }

    fn prepare(&mut self, sql: &str) -> Result<Statement> {
        if let Some(statement) = self.prepared.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql).map_err(|cause| self.failed(&cause))?;
        self.prepared.insert(sql.to_string(), statement.clone());
        Ok(statement)
    }

    pub fn execute(&mut self, sql: &str, values: &[Value<'_>]) -> Result<usize> {
        let statement = self.prepare(sql)?;
        let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
        let changed = self.client.execute(&statement, &values).map_err(|cause| self.failed(&cause))?;
        Ok(usize::try_from(changed).unwrap_or(usize::MAX))
    }

    pub fn query(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        each: &mut dyn FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<()> {
        let statement = self.prepare(sql)?;
        let (place, password) = (self.place.clone(), self.password.clone());
        let failed = |cause: postgres::Error| failed(&place, password.as_deref(), &cause);
        let mut rows = self.client.query_raw(&statement, values.iter()).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            each(&Row::Postgres(&row))?;
        }
        Ok(())
    }

    pub fn write(&mut self, batch: &Batch<'_>) -> Result<()> {
        let mut arrays = Vec::new();
        let mut picked = Vec::new();
        for column in batch.columns {
            match column.kind() {
                None => picked.push("$1".to_string()),
                Some(kind) => {
                    arrays.push(format!("${}::{kind}[]", arrays.len() + 2));
                    picked.push(format!("c{}", arrays.len()));
                }
            }
        }
        let names: Vec<String> = (1..=arrays.len()).map(|at| format!("c{at}")).collect();
        // One value for all rows is always sent, so that the numbers of the arrays are the same with and without it.
        let source = format!(
            "select {} from unnest({}) as rows ({}) where $1::bigint is not null",
            picked.join(", "),
            arrays.join(", "),
            names.join(", ")
        );
        let statement = self.prepare(&batch.statement(&source))?;
        let rows = batch.rows()?;
        let one = batch.columns.iter().find_map(|c| if let Column::All(one) = c { Some(*one) } else { None });
        let one = one.unwrap_or_default();
        for from in (0..rows).step_by(ROWS) {
            let parts: Vec<Part<'_>> = batch.columns.iter().filter_map(|c| c.part(from)).collect();
            let mut values: Vec<&(dyn ToSql + Sync)> = vec![&one];
            values.extend(parts.iter().map(|part| match part {
                Part::Int(values) => values as &(dyn ToSql + Sync),
                Part::MaybeInt(values) => values,
                Part::Real(values) => values,
                Part::Text(values) => values,
                Part::Blob(values) => values,
            }));
            self.client.execute(&statement, &values).map_err(|cause| self.failed(&cause))?;
        }
        Ok(())
    }

    pub fn numbers(&mut self, keys: &[String]) -> Result<Vec<Option<i64>>> {
        let statement = self.prepare(
            "select s.id from unnest($1::text[]) with ordinality as asked (key, at) \
             left join series s on s.key = asked.key order by asked.at",
        )?;
        let rows = self.client.query(&statement, &[&keys]).map_err(|cause| self.failed(&cause))?;
        rows.iter().map(|row| row.try_get(0).map_err(|cause| self.failed(&cause))).collect()
    }

    fn failed(&self, cause: &postgres::Error) -> Error {
        failed(&self.place, self.password.as_deref(), cause)
    }
}

/// Some rows of a column.
enum Part<'a> {
    Int(&'a [i64]),
    MaybeInt(&'a [Option<i64>]),
    Real(&'a [f64]),
    Text(&'a [String]),
    Blob(&'a [Vec<u8>]),
}

impl Column<'_> {
    fn kind(&self) -> Option<&'static str> {
        match self {
            Self::All(_) => None,
            Self::Int(_) | Self::MaybeInt(_) => Some("bigint"),
            Self::Real(_) => Some("double precision"),
            Self::Text(_) => Some("text"),
            Self::Blob(_) => Some("bytea"),
        }
    }

    fn part(&self, from: usize) -> Option<Part<'_>> {
        fn cut<T>(values: &[T], from: usize) -> &[T] {
            values.get(from..(from + ROWS).min(values.len())).unwrap_or_default()
        }
        match self {
            Self::All(_) => None,
            Self::Int(values) => Some(Part::Int(cut(values, from))),
            Self::MaybeInt(values) => Some(Part::MaybeInt(cut(values, from))),
            Self::Real(values) => Some(Part::Real(cut(values, from))),
            Self::Text(values) => Some(Part::Text(cut(values, from))),
            Self::Blob(values) => Some(Part::Blob(cut(values, from))),
        }
    }
}

impl ToSql for Value<'_> {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut bytes::BytesMut,
    ) -> std::result::Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(value) => value.to_sql_checked(kind, out),
            Self::Real(value) => value.to_sql_checked(kind, out),
            Self::Text(value) => value.to_sql_checked(kind, out),
            Self::Blob(value) => value.to_sql_checked(kind, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// The place as messages name it: a URL without user and password.
pub(crate) fn shown(url: &str) -> String {
    // What stands between the scheme and the last @ of the authority are user and password.
    let Some((scheme, rest)) = url.split_once("://") else { return "the server".to_string() };
    let (before, after) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let host = before.rsplit_once('@').map_or(before, |(_, host)| host);
    let path = after.split('?').next().unwrap_or_default();
    format!("{scheme}://{host}{path}")
}

/// The server's own words (the driver says only "db error"), without the password.
fn failed(place: &str, password: Option<&str>, cause: &postgres::Error) -> Error {
    let (why, code) = match cause.as_db_error() {
        Some(error) => (error.message().to_string(), error.code().code().to_string()),
        None => (with_causes(cause), String::new()),
    };
    let why = match password {
        Some(password) if !password.is_empty() => why.replace(password, "…"),
        _ => why,
    };
    match code.as_str() {
        // lock_not_available
        "55P03" => {
            Error::io(format!("the store {place} is in use by another process; repeat the step when that has ended"))
        }
        // disk_full
        "53100" => Error::io(format!("there is no space left for the store {place}; free some and repeat the step")),
        _ => Error::io(format!("the store {place} does not answer as it should; look at the server")).because(why),
    }
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

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn a_password_is_never_shown() {
        assert_eq!(
            shown("postgres://me:s3cret@db.example:5432/shop?password=s3cret"), // tree-check: allow
            "postgres://db.example:5432/shop"
        );
        assert_eq!(shown("postgres://me:a@b@db"), "postgres://db"); // tree-check: allow
    }
}
