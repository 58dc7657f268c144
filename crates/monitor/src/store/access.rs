//! Who may ask? Tokens and the sessions that were begun with them; of both only hashes are kept.

use chrono::{DateTime, Utc};

use super::database::{Row, Value};
use super::{Store, time};
use crate::error::{Error, Result};

/// A token as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    /// Its id, by which it is revoked.
    pub id: String,
    /// Whose it is.
    pub name: String,
    /// What whoever has it may do.
    pub role: String,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// From when on it no longer counts.
    pub expires_at: DateTime<Utc>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
}

impl Token {
    /// Does it still count?
    pub fn is_valid(&self, now: DateTime<Utc>) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }
}

fn token(row: &Row<'_>) -> Result<Token> {
    Ok(Token {
        id: row.text(0)?,
        name: row.text(1)?,
        role: row.text(2)?,
        made_at: time(row.int(3)?),
        expires_at: time(row.int(4)?),
        revoked_at: row.maybe_int(5)?.map(time),
    })
}

/// In microseconds.
const MINUTE: i64 = 60_000_000;

const COLUMNS: &str = "t.id, t.name, t.role, t.made_at, t.expires_at, t.revoked_at";

impl Store {
    /// Keeps a token by the hash of its secret.
    ///
    /// # Errors
    /// There is one of this name that still counts, or the store cannot be written.
    pub fn add_token(&mut self, new: &Token, hash: &str) -> Result<()> {
        self.database.whole(|database| {
            let taken = database.first(
                "select id from token where name = $1 and revoked_at is null and expires_at > $2",
                &[Value::Text(&new.name), Value::Int(new.made_at.timestamp_micros())],
                |row| row.text(0),
            )?;
            if let Some(id) = taken {
                return Err(Error::usage(format!(
                    "`{}` has a token already (id {id}); revoke it first, or choose another name",
                    new.name
                )));
            }
            database.execute(
                "insert into token (id, name, role, hash, made_at, expires_at) values ($1, $2, $3, $4, $5, $6)",
                &[
                    Value::Text(&new.id),
                    Value::Text(&new.name),
                    Value::Text(&new.role),
                    Value::Text(hash),
                    Value::Int(new.made_at.timestamp_micros()),
                    Value::Int(new.expires_at.timestamp_micros()),
                ],
            )?;
            Ok(())
        })
    }

    /// All tokens, the newest last.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn tokens(&mut self) -> Result<Vec<Token>> {
        self.database.rows(&format!("select {COLUMNS} from token t order by t.made_at, t.id"), &[], token)
    }

    /// The token with this hash, valid or not.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn token(&mut self, hash: &str) -> Result<Option<Token>> {
        self.database.first(&format!("select {COLUMNS} from token t where t.hash = $1"), &[Value::Text(hash)], token)
    }

    /// From `now` on a token no longer counts, nor do sessions that were begun with it.
    ///
    /// # Errors
    /// There is none of this id that is not revoked, or the store cannot be written.
    pub fn revoke_token(&mut self, id: &str, now: DateTime<Utc>) -> Result<()> {
        let revoked = self.database.execute(
            "update token set revoked_at = $1 where id = $2 and revoked_at is null",
            &[Value::Int(now.timestamp_micros()), Value::Text(id)],
        )?;
        match revoked {
            0 => Err(Error::usage(format!("there is no token `{id}` that is not revoked"))),
            _ => Ok(()),
        }
    }

    /// Keeps a session by the hash of its secret; those that are over are forgotten.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn add_session(&mut self, hash: &str, token: &str, now: DateTime<Utc>, until: DateTime<Utc>) -> Result<()> {
        self.database.whole(|database| {
            let now = Value::Int(now.timestamp_micros());
            database.execute("delete from session where expires_at <= $1", &[now])?;
            database.execute(
                "insert into session (hash, token, seen_at, expires_at) values ($1, $2, $3, $4)",
                &[Value::Text(hash), Value::Text(token), now, Value::Int(until.timestamp_micros())],
            )?;
            Ok(())
        })
    }

    /// The token of a session that is not over and was seen after `idle`; it is seen now.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub fn session(&mut self, hash: &str, now: DateTime<Utc>, idle: DateTime<Utc>) -> Result<Option<Token>> {
        let (now, idle) = (now.timestamp_micros(), idle.timestamp_micros());
        let found = self.database.first(
            &format!(
                "select {COLUMNS}, s.seen_at from session s join token t on t.id = s.token \
                 where s.hash = $1 and s.expires_at > $2 and s.seen_at > $3"
            ),
            &[Value::Text(hash), Value::Int(now), Value::Int(idle)],
            |row| Ok((token(row)?, row.int(6)?)),
        )?;
        // Once a minute is enough, and spares a write for each request.
        if found.as_ref().is_some_and(|(_, seen)| now - seen > MINUTE) {
            self.database
                .execute("update session set seen_at = $1 where hash = $2", &[Value::Int(now), Value::Text(hash)])?;
        }
        Ok(found.map(|(token, _)| token))
    }

    /// Ends a session.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn end_session(&mut self, hash: &str) -> Result<()> {
        self.database.execute("delete from session where hash = $1", &[Value::Text(hash)])?;
        Ok(())
    }
}
