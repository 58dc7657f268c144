//! SQLite through rusqlite (its library is built in), PostgreSQL through its own client in pure Rust.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use postgres::SimpleQueryMessage;
use postgres::config::Host;
use rusqlite::config::DbConfig;
use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Batch, Connection, OpenFlags};

use super::super::{Cells, Layout, Part, Reading, Wanted, places};
use super::{is_server, shown};
use crate::error::{Error, Result};
use crate::progress;

/// Seconds that a query may take, and rows that it may answer, if nothing is stated and no script asks.
const SECONDS: u64 = 3600;
const ROWS: u64 = 1_000_000_000;
/// How long a server may take to answer the call.
const CONNECT: Duration = Duration::from_secs(30);
/// How often is looked whether a query must end.
const LOOK: Duration = Duration::from_millis(50);
/// Bytes of the longest value that SQLite makes.
const LONGEST: i32 = 64 << 20;
const FETCH: &str = "fetch forward 10000 from answer";
/// What the role may that a script's must not; null if it may but read.
const ROLE: &str = r"
    select max(case
        when r.rolsuper then 'is a superuser'
        when exists (select from pg_catalog.pg_roles g where g.rolname in ('pg_write_server_files', 'pg_read_server_files',
                'pg_execute_server_program', 'pg_write_all_data') and pg_catalog.pg_has_role(r.oid, g.oid, 'member'))
            then 'reaches files or programs of the server, or writes every table'
        when exists (select from pg_catalog.pg_class c where c.relkind in ('r', 'p', 'f')
                and c.relnamespace not in (select oid from pg_catalog.pg_namespace
                    where nspname in ('pg_catalog', 'information_schema') or nspname like 'pg\_temp%' or nspname like 'pg\_toast%')
                and pg_catalog.has_table_privilege(r.oid, c.oid, 'insert, update, delete, truncate'))
            then 'writes tables'
        end)
    from pg_catalog.pg_roles r where r.rolname in (session_user, current_user)";

pub(in super::super) fn read(place: &Path, query: &str, wanted: &Wanted) -> Result<Part> {
    let query = query.trim().trim_end_matches(';');
    if query.is_empty() {
        return Err(Error::usage("the query is empty; state one: query = \"select …\""));
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
    fn next(&mut self, bounds: &Bounds, source: &str) -> Result<()> {
        self.rows += 1;
        bounds.count(self.rows, source)?;
        if self.rows.is_multiple_of(16_384) { progress::check() } else { Ok(()) }
    }

    fn part(self, wanted: &Wanted) -> Result<Part> {
        self.layout.part(self.cells.frame()?, Vec::new(), Vec::new(), wanted)
    }
}

/// How long a query may take and how much it may answer.
struct Bounds {
    rows: u64,
    seconds: u64,
    until: Instant,
}

impl Bounds {
    /// What was stated or is usual; a script may state less than it was given, and no more.
    fn of(reading: &Reading) -> Result<Self> {
        let (seconds, rows) = match crate::job::query_limits() {
            None => (reading.seconds.unwrap_or(SECONDS), reading.rows.unwrap_or(ROWS)),
            Some((seconds, rows)) => {
                let least = |what: &str, stated: Option<u64>, most: u64| match stated {
                    Some(stated) if stated > most => Err(Error::usage(format!(
                        "{what}={stated} is more than a script's query may take, which is {most}; {}",
                        crate::job::LIFTED
                    ))),
                    stated => Ok(stated.unwrap_or(most)),
                };
                (least("seconds", reading.seconds, seconds)?, least("rows", reading.rows, rows)?)
            }
        };
        let seconds = seconds.clamp(1, 1_000_000);
        Ok(Self { rows, seconds, until: Instant::now() + Duration::from_secs(seconds) })
    }

    /// Must a query stop, for whatever reason?
    fn over(&self) -> bool {
        progress::check().is_err() || Instant::now() > self.until
    }

    /// What is said of a query that was stopped, if it was.
    fn stopped(&self, source: &str) -> Result<()> {
        progress::check()?;
        if Instant::now() > self.until {
            Err(Error::data(format!(
                "{source} did not answer within {} seconds; ask for less, or allow more: reading = \"seconds=…\"",
                self.seconds
            )))
        } else {
            Ok(())
        }
    }

    fn count(&self, rows: usize, source: &str) -> Result<()> {
        if rows as u64 > self.rows {
            Err(Error::data(format!(
                "the answer of {source} has more than {} rows; ask for less, or allow more: reading = \"rows=…\"",
                crate::show::number(self.rows as f64)
            )))
        } else {
            Ok(())
        }
    }
}

fn sqlite(path: &Path, query: &str, wanted: &Wanted) -> Result<Part> {
    let source = path.display().to_string();
    let bounds = Bounds::of(wanted.reading)?;
    crate::files::metadata(path)?;
    // What SQLite keeps beside the file is opened with it.
    for end in ["-wal", "-shm", "-journal"] {
        crate::files::allowed(Path::new(&format!("{source}{end}")))?;
    }
    crate::files::reads(path);
    let failed = |cause: rusqlite::Error| match bounds.stopped(&source) {
        Err(stopped) => stopped,
        Ok(()) => Error::data(format!("{source} does not answer the query")).because(cause),
    };
    // An absolute path is never taken for a URI.
    let place =
        std::path::absolute(path).map_err(|cause| Error::io(format!("{source} cannot be read")).because(cause))?;
    // Read-only: no query changes what it reads.
    let mut database =
        Connection::open_with_flags(place, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)
            .map_err(failed)?;
    confine(&mut database, &bounds).map_err(failed)?;
    let mut statements = Batch::new(&database, query);
    let mut statement = statements.next().map_err(failed)?.ok_or_else(|| Error::usage("the query has no statement"))?;
    if statements.next().map_err(failed)?.is_some() {
        return Err(one_statement());
    }
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
                ValueRef::Real(value) => answer.cells.push_number(column, &value.to_string()),
                ValueRef::Text(bytes) => {
                    let text = std::str::from_utf8(bytes).map_err(|_| not_text())?;
                    answer.cells.push(column, text);
                }
                ValueRef::Blob(_) => return Err(not_text()),
            }
        }
        answer.next(&bounds, &source)?;
    }
    answer.part(wanted)
}

fn one_statement() -> Error {
    Error::usage("a query is a single statement; remove what follows it")
}

/// Lets a query read and calculate, and nothing else: it attaches no file, writes none, loads nothing, and ends when it
/// must.
fn confine(database: &mut Connection, bounds: &Bounds) -> rusqlite::Result<()> {
    database.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    database.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    database.execute_batch("pragma query_only = on; pragma temp_store = memory")?;
    database.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    database.set_limit(Limit::SQLITE_LIMIT_LENGTH, LONGEST)?;
    database.authorizer(Some(|asked: AuthContext<'_>| match asked.action {
        AuthAction::Select | AuthAction::Read { .. } | AuthAction::Recursive => Authorization::Allow,
        AuthAction::Function { function_name } if !function_name.eq_ignore_ascii_case("load_extension") => {
            Authorization::Allow
        }
        _ => Authorization::Deny,
    }))?;
    let until = bounds.until;
    let over = move || progress::check().is_err() || Instant::now() > until;
    database.progress_handler(100_000, Some(over))
}

fn postgres(place: &Path, query: &str, wanted: &Wanted) -> Result<Part> {
    let source = shown(place);
    let bounds = Bounds::of(wanted.reading)?;
    let failed = |cause: postgres::Error| {
        if let Err(stopped) = bounds.stopped(&source) {
            return stopped;
        }
        // The server's own words; the driver says only "db error".
        let why = cause.as_db_error().map_or_else(|| with_causes(&cause), |error| error.message().to_string());
        Error::data(format!("{source} does not answer")).because(why)
    };
    let mut config: postgres::Config = place.to_string_lossy().parse().map_err(failed)?;
    let script = servers_allowed(&config)?;
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT);
    }
    let tls = tls()?;
    let mut client = config.connect(tls.clone()).map_err(failed)?;
    let cancel = client.cancel_token();
    let done = Done::default();
    std::thread::scope(|scope| {
        let _done = done.when_dropped();
        crate::job::beside(scope, "query", None, || {
            while !done.is_set() {
                if bounds.over() {
                    // A server that is not there any more runs no query either.
                    let _ = cancel.cancel_query(tls.clone());
                    return;
                }
                std::thread::sleep(LOOK);
            }
        })?;
        let mut transaction = client.build_transaction().read_only(true).start().map_err(failed)?;
        let time = bounds.seconds * 1000;
        transaction
            .batch_execute(&format!(
                "set local statement_timeout = {time}; set local lock_timeout = {time}; \
                 set local idle_in_transaction_session_timeout = {time}; set local datestyle = 'ISO, YMD'"
            ))
            .map_err(failed)?;
        if script {
            may_only_read(&mut transaction, &source).map_err(failed)??;
        }
        // As the text of a cursor, and prepared as one statement: it can be nothing but one query that reads.
        let cursor = transaction.prepare(&format!("declare answer no scroll cursor for {query}")).map_err(failed)?;
        transaction.execute(&cursor, &[]).map_err(failed)?;
        let mut answer = None;
        loop {
            let fetched = transaction.simple_query(FETCH).map_err(failed)?;
            let mut rows = 0;
            for message in fetched {
                match message {
                    SimpleQueryMessage::RowDescription(columns) if answer.is_none() => {
                        let header: Vec<&str> = columns.iter().map(|column| column.name()).collect();
                        answer = Some(Answer::new(&header, &source, wanted)?);
                    }
                    SimpleQueryMessage::Row(row) => {
                        let Some(answer) = answer.as_mut() else { continue };
                        for column in 0..answer.at.len() {
                            // The server writes numbers with decimal points.
                            match row.get(answer.at[column]).unwrap_or_default() {
                                number if number.parse::<f64>().is_ok() => answer.cells.push_number(column, number),
                                text => answer.cells.push(column, text),
                            }
                        }
                        answer.next(&bounds, &source)?;
                        rows += 1;
                    }
                    _ => {}
                }
            }
            bounds.stopped(&source)?;
            if rows == 0 {
                break;
            }
        }
        let nothing = || Error::data(format!("{source} answers without columns"));
        answer.ok_or_else(nothing)?.part(wanted)
    })
}

/// A word from the thread that works to the one that watches.
#[derive(Default)]
struct Done(AtomicBool);

impl Done {
    fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Says so when what comes back goes, also by an error.
    fn when_dropped(&self) -> impl Drop {
        struct Says<'a>(&'a Done);
        impl Drop for Says<'_> {
            fn drop(&mut self) {
                self.0.0.store(true, Ordering::Relaxed);
            }
        }
        Says(self)
    }
}

/// May the running script ask every server that a URL leads to? False where no script runs.
fn servers_allowed(config: &postgres::Config) -> Result<bool> {
    if !crate::job::is_fenced() {
        return Ok(false);
    }
    let database = config.get_dbname().or(config.get_user()).unwrap_or_default();
    let ports = config.get_ports();
    let port = |at: usize| ports.get(at).or(ports.first()).copied().unwrap_or(5432);
    let mut hosts = Vec::new();
    for host in config.get_hosts() {
        match host {
            Host::Tcp(host) => hosts.push(host.clone()),
            #[cfg(unix)]
            Host::Unix(_) => {
                return Err(Error::usage(
                    "a script reaches a database server by its host, not by a socket of this machine",
                ));
            }
        }
    }
    // An address, where one is stated, is where the connection goes, whatever the host is called.
    if !config.get_hostaddrs().is_empty() {
        hosts = config.get_hostaddrs().iter().map(ToString::to_string).collect();
    }
    for (at, host) in hosts.iter().enumerate() {
        crate::job::database_allowed(host, port(at), database)?;
    }
    Ok(true)
}

/// Refuses a role that may do more than read, as far as the server tells quickly: a read-only transaction holds most of
/// it, and functions that reach the server's files and programs it does not.
fn may_only_read(transaction: &mut postgres::Transaction<'_>, source: &str) -> Result<Result<()>, postgres::Error> {
    let row = transaction.query_one(ROLE, &[])?;
    let may: Option<&str> = row.get(0);
    Ok(match may {
        None => Ok(()),
        Some(may) => Err(Error::usage(format!(
            "a script's query is run by a role that may only read, and the one that {source} is asked by {may}; \
             name another in the URL, made by: create role reader login; grant pg_read_all_data to reader"
        ))),
    })
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
