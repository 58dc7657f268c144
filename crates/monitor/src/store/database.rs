//! How are SQLite and PostgreSQL asked by the same statements?
//!
//! SQL that both understand, with parameters `$1`, `$2`, … in the order in which they first appear (SQLite numbers them so),
//! and rows written in batches of columns: SQLite takes them one by one through a prepared statement, PostgreSQL as arrays.
//! What differs (types in tables, locks, messages) is in `sqlite.rs` and `postgres.rs`.

#[cfg(feature = "postgres")]
use super::postgres::Postgres;
use super::{Options, sqlite::Sqlite};
use crate::error::{Error, Result};

/// A value given to a statement.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value<'a> {
    Null,
    Int(i64),
    Real(f64),
    Text(&'a str),
    Blob(&'a [u8]),
}

/// The values of one column of a batch.
pub(crate) enum Column<'a> {
    /// One value for all rows.
    All(i64),
    Int(&'a [i64]),
    MaybeInt(&'a [Option<i64>]),
    Real(&'a [f64]),
    Text(&'a [String]),
    Blob(&'a [Vec<u8>]),
}

impl Column<'_> {
    /// How many rows it has; nothing where one value serves all.
    fn len(&self) -> Option<usize> {
        match self {
            Self::All(_) => None,
            Self::Int(values) => Some(values.len()),
            Self::MaybeInt(values) => Some(values.len()),
            Self::Real(values) => Some(values.len()),
            Self::Text(values) => Some(values.len()),
            Self::Blob(values) => Some(values.len()),
        }
    }
}

/// What happens to a row whose key is there already.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Existing {
    Keep,
    Replace,
}

/// Rows for a table: names of columns, the first `keys` of which are its key.
pub(crate) struct Batch<'a> {
    pub table: &'static str,
    pub names: &'static [&'static str],
    pub keys: usize,
    pub existing: Existing,
    pub columns: &'a [Column<'a>],
}

impl Batch<'_> {
    /// The number of rows; an error where columns differ, which would be a mistake of ours.
    pub fn rows(&self) -> Result<usize> {
        let mut rows = None;
        for length in self.columns.iter().filter_map(Column::len) {
            if *rows.get_or_insert(length) != length {
                return Err(Error::usage(format!("the columns for {} differ in length", self.table)));
            }
        }
        Ok(rows.unwrap_or(1))
    }

    /// The insertion into the table, from whatever source of rows.
    pub fn statement(&self, source: &str) -> String {
        let (names, keys) = (self.names.join(", "), self.names.get(..self.keys).unwrap_or_default().join(", "));
        let then = match (self.existing, self.names.get(self.keys..).unwrap_or_default()) {
            (Existing::Keep, _) | (_, []) => "do nothing".to_string(),
            (Existing::Replace, rest) => {
                let sets: Vec<String> = rest.iter().map(|name| format!("{name} = excluded.{name}")).collect();
                format!("do update set {}", sets.join(", "))
            }
        };
        format!("insert into {} ({names}) {source} on conflict ({keys}) {then}", self.table)
    }
}

/// A row of an answer.
pub(crate) enum Row<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    #[cfg(feature = "postgres")]
    Postgres(&'a ::postgres::Row),
}

macro_rules! read {
    ($name:ident, $kind:ty) => {
        pub fn $name(&self, column: usize) -> Result<$kind> {
            match self {
                Self::Sqlite(row) => row.get(column).map_err(unreadable),
                #[cfg(feature = "postgres")]
                Self::Postgres(row) => row.try_get(column).map_err(unreadable),
            }
        }
    };
}

fn unreadable(cause: impl std::fmt::Display) -> Error {
    Error::data("the store holds a value of another type than it should; restore it from a backup").because(cause)
}

impl Row<'_> {
    read!(int, i64);
    read!(real, f64);
    read!(text, String);
    read!(maybe_int, Option<i64>);

    /// The bytes of a column, where they lie.
    pub fn blob(&self, column: usize) -> Result<&[u8]> {
        match self {
            Self::Sqlite(row) => row.get_ref(column).map_err(unreadable)?.as_blob().map_err(unreadable),
            #[cfg(feature = "postgres")]
            Self::Postgres(row) => row.try_get(column).map_err(unreadable),
        }
    }
}

/// A connection to one or the other.
pub(crate) enum Database {
    Sqlite(Sqlite),
    #[cfg(feature = "postgres")]
    Postgres(Box<Postgres>),
}

impl Database {
    pub fn open(place: &str, options: &Options) -> Result<Self> {
        if !is_server(place) {
            return Ok(Self::Sqlite(Sqlite::open(place, options)?));
        }
        #[cfg(feature = "postgres")]
        return Ok(Self::Postgres(Box::new(Postgres::open(place, options)?)));
        #[cfg(not(feature = "postgres"))]
        Err(Error::usage(
            "this program was built without PostgreSQL; name an SQLite file for the store, or build it with the feature `postgres`",
        ))
    }

    /// Runs statements that take and answer nothing.
    pub fn run(&mut self, sql: &str) -> Result<()> {
        match self {
            Self::Sqlite(database) => database.run(sql),
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => database.run(sql),
        }
    }

    /// Runs a statement; the number of rows that it changed.
    pub fn execute(&mut self, sql: &str, values: &[Value<'_>]) -> Result<usize> {
        match self {
            Self::Sqlite(database) => database.execute(sql, values),
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => database.execute(sql, values),
        }
    }

    /// Asks, and hands each row to `each` as it comes.
    pub fn query(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        mut each: impl FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<()> {
        match self {
            Self::Sqlite(database) => database.query(sql, values, &mut each),
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => database.query(sql, values, &mut each),
        }
    }

    /// All rows of an answer, each made into something.
    pub fn rows<T>(&mut self, sql: &str, values: &[Value<'_>], make: impl Fn(&Row<'_>) -> Result<T>) -> Result<Vec<T>> {
        let mut rows = Vec::new();
        self.query(sql, values, |row| {
            rows.push(make(row)?);
            Ok(())
        })?;
        Ok(rows)
    }

    /// The first row of an answer, if there is one.
    pub fn first<T>(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        make: impl Fn(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        Ok(self.rows(sql, values, make)?.into_iter().next())
    }

    /// Writes a batch of rows.
    pub fn write(&mut self, batch: &Batch<'_>) -> Result<()> {
        match self {
            Self::Sqlite(database) => database.write(batch),
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => database.write(batch),
        }
    }

    /// The numbers of what is known by texts, in their order.
    pub fn numbers(&mut self, keys: &[String]) -> Result<Vec<Option<i64>>> {
        match self {
            Self::Sqlite(database) => database.numbers(keys),
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => database.numbers(keys),
        }
    }

    /// Does all of it or nothing. One process writes at a time: others wait, as long as was allowed when it was opened.
    pub fn whole<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        match self {
            Self::Sqlite(database) => database.begin()?,
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => database.begin()?,
        }
        let done = work(self).and_then(|value| self.run("commit").map(|()| value));
        if done.is_err() {
            // What failed may have ended the transaction itself (a full disk does); then there is nothing to undo.
            let _ = self.run("rollback");
        }
        done
    }
}

/// Is it the URL of a database server?
pub(crate) fn is_server(place: &str) -> bool {
    place.starts_with("postgres://") || place.starts_with("postgresql://")
}
