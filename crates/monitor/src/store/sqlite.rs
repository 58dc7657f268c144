//! SQLite through rusqlite: its library is built in.
//!
//! Write-ahead log, so that who reads does not wait for who writes; every transaction reaches the disk (`synchronous = full`),
//! because an alert that was sent must not be forgotten. References: sqlite.org/wal.html, sqlite.org/pragma.html.

use std::time::Duration;

use backon::{BlockingRetryable as _, ConstantBuilder};
use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, ErrorCode, OpenFlags, ToSql, params_from_iter};

use super::Options;
use super::database::{Batch, Column, Row, Value};
use crate::error::{Error, Result};

/// "TwMo": by it a store is told from the database of another program.
const APPLICATION: i64 = 0x5477_4d6f;
/// Bytes of a page: blobs of 50 kB take few of them.
const PAGE: i64 = 8192;
/// KiB of pages held in memory.
const CACHE: i64 = 32 << 10;

/// Between two tries for what SQLite does not wait for.
const PAUSE: Duration = Duration::from_millis(5);

pub(crate) struct Sqlite {
    connection: Connection,
    place: String,
    busy: Duration,
}

impl Sqlite {
    pub fn open(place: &str, options: &Options) -> Result<Self> {
        let busy = options.busy;
        // An absolute path is never taken for a URI.
        let path = std::path::absolute(place)
            .map_err(|cause| Error::io(format!("the store {place} cannot be opened")).because(cause))?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(|cause| failed(place, busy, &cause))?;
        let mut database = Self { connection, place: place.to_string(), busy };
        database.prepare(options.check)?;
        Ok(database)
    }

    fn prepare(&mut self, check: bool) -> Result<()> {
        self.connection.busy_timeout(self.busy).map_err(|cause| self.failed(&cause))?;
        self.connection.set_prepared_statement_cache_capacity(64);
        // At one moment, since another process may be making it.
        let (application, version, tables) = self
            .connection
            .query_row(
                "select a.application_id, v.user_version, (select count(*) from sqlite_schema) \
                 from pragma_application_id a, pragma_user_version v",
                [],
                |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?)),
            )
            .map_err(|cause| self.failed(&cause))?;
        if (application != APPLICATION || version == 0) && tables > 0 {
            return Err(Error::usage(format!(
                "{} is an SQLite database of another program; name another file for the store",
                self.place
            )));
        }
        if tables == 0 {
            self.run(&format!("pragma page_size = {PAGE}; pragma application_id = {APPLICATION}"))?;
        } else if check {
            self.check()?;
        }
        // SQLite does not wait by itself for others that change to this log or from it at the same moment.
        let tries = usize::try_from(self.busy.as_millis() / PAUSE.as_millis()).unwrap_or(usize::MAX);
        let patience = ConstantBuilder::default().with_delay(PAUSE).with_max_times(tries);
        (|| self.connection.execute_batch("pragma journal_mode = wal"))
            .retry(patience)
            .when(|cause| cause.sqlite_error_code() == Some(ErrorCode::DatabaseBusy))
            .call()
            .map_err(|cause| self.failed(&cause))?;
        self.run(&format!(
            "pragma synchronous = full; pragma cache_size = -{CACHE}; pragma temp_store = memory; \
             pragma cell_size_check = on; pragma trusted_schema = off"
        ))
    }

    /// Reads the whole file once and compares what must agree in it.
    fn check(&mut self) -> Result<()> {
        let found: String = self
            .connection
            .query_row("pragma quick_check(1)", [], |row| row.get(0))
            .map_err(|cause| self.failed(&cause))?;
        if found == "ok" { Ok(()) } else { Err(damaged(&self.place, &found)) }
    }

    pub fn version(&self) -> Result<i64> {
        self.connection.query_row("pragma user_version", [], |row| row.get(0)).map_err(|cause| self.failed(&cause))
    }

    pub fn begin(&mut self) -> Result<()> {
        self.run("begin immediate")
    }

    pub fn run(&mut self, sql: &str) -> Result<()> {
        self.connection.execute_batch(sql).map_err(|cause| self.failed(&cause))
    }

    pub fn execute(&mut self, sql: &str, values: &[Value<'_>]) -> Result<usize> {
        let run = || self.connection.prepare_cached(sql)?.execute(params_from_iter(values));
        run().map_err(|cause| self.failed(&cause))
    }

    pub fn query(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        each: &mut dyn FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<()> {
        let failed = |cause: rusqlite::Error| self.failed(&cause);
        let mut statement = self.connection.prepare_cached(sql).map_err(failed)?;
        let mut rows = statement.query(params_from_iter(values)).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            each(&Row::Sqlite(row))?;
        }
        Ok(())
    }

    pub fn write(&mut self, batch: &Batch<'_>) -> Result<()> {
        let marks: Vec<String> = (1..=batch.columns.len()).map(|at| format!("${at}")).collect();
        let sql = batch.statement(&format!("values ({})", marks.join(", ")));
        let rows = batch.rows()?;
        let run = || -> rusqlite::Result<()> {
            let mut statement = self.connection.prepare_cached(&sql)?;
            for row in 0..rows {
                for (column, values) in batch.columns.iter().enumerate() {
                    statement.raw_bind_parameter(column + 1, values.value(row))?;
                }
                statement.raw_execute()?;
            }
            Ok(())
        };
        run().map_err(|cause| self.failed(&cause))
    }

    pub fn numbers(&mut self, keys: &[String]) -> Result<Vec<Option<i64>>> {
        let run = || -> rusqlite::Result<Vec<Option<i64>>> {
            let mut statement = self.connection.prepare_cached("select id from series where key = $1")?;
            let mut numbers = Vec::with_capacity(keys.len());
            for key in keys {
                let mut rows = statement.query([key])?;
                numbers.push(rows.next()?.map(|row| row.get(0)).transpose()?);
            }
            Ok(numbers)
        };
        run().map_err(|cause| self.failed(&cause))
    }

    fn failed(&self, cause: &rusqlite::Error) -> Error {
        failed(&self.place, self.busy, cause)
    }
}

impl Column<'_> {
    fn value(&self, row: usize) -> Value<'_> {
        match self {
            Self::All(value) => Value::Int(*value),
            Self::Int(values) => values.get(row).map_or(Value::Null, |value| Value::Int(*value)),
            Self::MaybeInt(values) => values.get(row).copied().flatten().map_or(Value::Null, Value::Int),
            Self::Real(values) => values.get(row).map_or(Value::Null, |value| Value::Real(*value)),
            Self::Text(values) => values.get(row).map_or(Value::Null, |value| Value::Text(value)),
            Self::Blob(values) => values.get(row).map_or(Value::Null, |value| Value::Blob(value)),
        }
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        use rusqlite::types::{Value as Owned, ValueRef};
        Ok(match *self {
            Value::Null => ToSqlOutput::Owned(Owned::Null),
            Value::Int(value) => ToSqlOutput::Owned(Owned::Integer(value)),
            Value::Real(value) => ToSqlOutput::Owned(Owned::Real(value)),
            Value::Text(value) => ToSqlOutput::Borrowed(ValueRef::Text(value.as_bytes())),
            Value::Blob(value) => ToSqlOutput::Borrowed(ValueRef::Blob(value)),
        })
    }
}

fn damaged(place: &str, cause: &str) -> Error {
    Error::data(format!(
        "the store {place} is damaged: restore it from a backup, or save what can be read with \
         `sqlite3 {place} .recover | sqlite3 saved.db` and name the new file"
    ))
    .because(cause)
}

/// What SQLite means, and what to do about it.
fn failed(place: &str, busy: Duration, cause: &rusqlite::Error) -> Error {
    let rusqlite::Error::SqliteFailure(code, _) = cause else {
        return Error::io(format!("the store {place} does not answer")).because(cause);
    };
    match code.code {
        ErrorCode::NotADatabase => {
            Error::data(format!("{place} is not an SQLite database, or is damaged; name another file for the store"))
        }
        ErrorCode::DatabaseCorrupt => damaged(place, &cause.to_string()),
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied => Error::io(format!(
            "the store {place} cannot be written; give this user the right to write the file and its folder"
        )),
        ErrorCode::DiskFull => Error::io(format!(
            "there is no space left for the store {place}, and nothing of this step was stored; free some and repeat it"
        )),
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Error::io(format!(
            "the store {place} was in use by another process for more than {} seconds; repeat the step when that has ended",
            busy.as_secs_f64()
        )),
        ErrorCode::CannotOpen => {
            Error::io(format!("the store {place} cannot be opened; its folder must exist, and this user may write it"))
        }
        _ => {
            Error::io(format!("the store {place} does not answer; look at its disk and repeat the step")).because(cause)
        }
    }
}
