//! What tables does a store have, and how does an older one become one of today?
//!
//! One list of steps: a store knows how many of them it has seen (`user_version` of an SQLite file, the table `version` on
//! a server), and the rest is done when it is opened, all or nothing. A step that was released is never changed.

use super::database::Database;
use crate::error::{Error, Result};

/// The steps in order. `{int}`, `{real}`, `{blob}`: types; `{id}`: a number that is the key; `{packed}`: small rows that
/// SQLite keeps in the order of their key.
///
/// Times are UTC in microseconds, dates of steps local time in seconds since 1970.
const STEPS: [&str; 3] = [
    r"
create table series (id {id}, key text not null unique);
create table track (
    id {id}, kind text not null, model text not null, dates {blob} not null, pruned {int} not null, unique (kind, model)
);
create table issue (
    id {id}, run text not null, track {int} not null, issued_at {int} not null, stored_at {int} not null,
    fingerprint text not null, levels {blob} not null, dates {blob} not null, series {int} not null,
    unique (run, track)
);
create table step (
    track {int} not null, at {int} not null, issued_at {int} not null, issue {int} not null, step {int} not null,
    primary key (track, at, issued_at, issue, step)
) {packed};
create table forecast (id {id}, scale {real} not null, cells {blob} not null);
create table actual (
    at {int} not null, series {int} not null, value {real} not null, received_at {int} not null, revision {int} not null,
    primary key (at, series)
) {packed};
create table former (
    at {int} not null, series {int} not null, revision {int} not null, value {real} not null, received_at {int} not null,
    primary key (at, series, revision)
) {packed};
create table unscored (
    track {int} not null, at {int} not null, block {int} not null, primary key (track, at, block)
) {packed};
create table score (
    track {int} not null, block {int} not null, at {int} not null, steps {int} not null, cells {blob} not null,
    primary key (track, block, at)
);
create table rolling (
    track {int} not null, block {int} not null, steps {int} not null, totals {blob} not null, sums {blob} not null,
    primary key (track, block)
);
create table detector (
    name text not null, subject {int} not null, state {blob} not null, primary key (name, subject)
) {packed};
create table overridden (
    series {int} not null, at {int} not null, made_at {int} not null, author text not null, before {real} not null,
    after {real} not null, reason text not null, primary key (series, at, made_at, author)
);
create table alert (
    id {id}, fingerprint text not null, rule text not null, phase text not null, rounds {int} not null,
    began_at {int} not null, seen_at {int} not null, told_at {int}, ended_at {int}, money {real} not null,
    body text not null
);
create index alert_now on alert (phase, fingerprint);
create table outbox (
    id {id}, idempotency text not null unique, destination text not null, body text not null, made_at {int} not null,
    due_at {int} not null, tries {int} not null, claimed_until {int} not null, sent_at {int}, failure text
);
create index outbox_due on outbox (sent_at, due_at);
",
    "create table stated (id text primary key, body text not null, made_at {int} not null, withdrawn_at {int});",
    r"
create table token (
    id text primary key, name text not null, role text not null, hash text not null unique, made_at {int} not null,
    expires_at {int} not null, revoked_at {int}
);
create table session (
    hash text primary key, token text not null, seen_at {int} not null, expires_at {int} not null
);
create table job (
    id text primary key, owner text not null, kind text not null, subject text not null, request text not null,
    idempotency text,
    state text not null, stopping {int} not null, claim text not null, claimed_until {int} not null, tries {int} not null,
    done {int} not null, steps {int} not null, note text not null, amount {int} not null, made_at {int} not null,
    begun_at {int}, ended_at {int}, unique (owner, idempotency)
);
create index job_now on job (state, made_at);
create index job_claim on job (claim);
create table job_file (
    job text not null, name text not null, piece {int} not null, bytes {blob} not null, primary key (job, name, piece)
);
",
];

/// Brings a store to the newest version.
pub(crate) fn migrate(database: &mut Database) -> Result<()> {
    if version(database)? == STEPS.len() {
        return Ok(());
    }
    database.whole(|database| {
        // Once more: another process may have done it meanwhile.
        let done = version(database)?;
        for (at, step) in STEPS.iter().enumerate().skip(done) {
            let (words, end): (&[(&str, &str)], String) = match database {
                Database::Sqlite(_) => (
                    &[
                        ("{int}", "integer"),
                        ("{real}", "real"),
                        ("{blob}", "blob"),
                        ("{id}", "integer primary key"),
                        ("{packed}", "without rowid"),
                    ],
                    format!("pragma user_version = {}", at + 1),
                ),
                #[cfg(feature = "postgres")]
                Database::Postgres(_) => (
                    &[
                        ("{int}", "bigint"),
                        ("{real}", "double precision"),
                        ("{blob}", "bytea"),
                        ("{id}", "bigint primary key"),
                        ("{packed}", ""),
                    ],
                    // Packed numbers do not shrink, so the server does not try.
                    format!(
                        "alter table score alter cells set storage external; \
                         alter table rolling alter sums set storage external; \
                         insert into version values (1, {0}) on conflict (id) do update set number = {0}",
                        at + 1
                    ),
                ),
            };
            let sql = words.iter().fold((*step).to_string(), |sql, (word, kind)| sql.replace(word, kind));
            database.run(&sql)?;
            database.run(&end)?;
        }
        Ok(())
    })
}

fn version(database: &mut Database) -> Result<usize> {
    let version = match database {
        Database::Sqlite(database) => database.version()?,
        #[cfg(feature = "postgres")]
        Database::Postgres(database) => database.version()?,
    };
    match usize::try_from(version) {
        Ok(version) if version <= STEPS.len() => Ok(version),
        _ => Err(Error::usage(format!(
            "the store was written by a newer version of Tradewind (format {version}, this one knows {}); \
             use that version or a newer one",
            STEPS.len()
        ))),
    }
}
