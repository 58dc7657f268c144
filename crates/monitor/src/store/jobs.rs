//! Which work waits, goes on, and has ended?
//!
//! A job is claimed by one worker at a time, for a while that the worker extends as long as it lives: what `kill -9` leaves behind is
//! claimed again. It ends in one transaction together with its files, and only by whoever holds the claim, so that it ends once and
//! no result is lost or doubled.

use std::io::Read;

use chrono::{DateTime, TimeDelta, Utc};

use super::database::{Database, Row, Value};
use super::{Store, time};
use crate::error::{Error, Result};

/// Bytes of a piece of a file.
const PIECE: usize = 1 << 20;
/// So many workers may die at one job; then the job is taken to be the reason.
const TRIES: i64 = 10;

/// How far a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JobState {
    /// It waits.
    Queued,
    /// A worker is at it.
    Running,
    /// It has a result.
    Done,
    /// It could not be done.
    Failed,
    /// Somebody did not want it any more.
    Cancelled,
}

impl JobState {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Queued, Self::Running, Self::Done, Self::Failed, Self::Cancelled];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Will nothing more happen to it?
    pub fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }
}

/// A job as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Its id.
    pub id: String,
    /// Who asked for it.
    pub owner: String,
    /// What kind of work.
    pub kind: String,
    /// What it is of: a model, a file.
    pub subject: String,
    /// What is to be done, as JSON; empty in lists, because it may be long.
    pub request: String,
    /// How far it is.
    pub state: JobState,
    /// Is it to stop?
    pub stopping: bool,
    /// How often it was begun.
    pub tries: i64,
    /// Steps that are done, of how many, and what is being done.
    pub done: i64,
    /// All steps; 0 where that is not known.
    pub steps: i64,
    /// What is being done; what came of it; why it failed.
    pub note: String,
    /// Rows of its table.
    pub rows: i64,
    /// When it was asked for, begun, ended.
    pub made_at: DateTime<Utc>,
    /// When a worker first began.
    pub begun_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

/// What is to be done, and for whom.
#[derive(Clone, Debug)]
pub struct NewJob<'a> {
    /// An id that no other job has.
    pub id: &'a str,
    /// Who asks.
    pub owner: &'a str,
    /// What kind of work.
    pub kind: &'a str,
    /// What it is of: a model, a file.
    pub subject: &'a str,
    /// What is to be done, as JSON.
    pub request: &'a str,
    /// The same key of the same owner again is the same job.
    pub idempotency: Option<&'a str>,
    /// Jobs that may wait: of all, and of this owner.
    pub most: i64,
    /// Of this owner.
    pub most_own: i64,
}

/// All but the request, which takes the place of the empty text.
const COLUMNS: &str =
    "id, owner, kind, '', state, stopping, tries, done, steps, note, amount, made_at, begun_at, ended_at, subject";

/// With the request.
fn whole() -> String {
    COLUMNS.replace("''", "request")
}

fn job(row: &Row<'_>) -> Result<Job> {
    let state = row.text(4)?;
    let state = JobState::ALL.into_iter().find(|known| known.name() == state);
    Ok(Job {
        id: row.text(0)?,
        owner: row.text(1)?,
        kind: row.text(2)?,
        subject: row.text(14)?,
        request: row.text(3)?,
        state: state
            .ok_or_else(|| Error::data("a job in the store is in an unknown state; restore it from a backup"))?,
        stopping: row.int(5)? != 0,
        tries: row.int(6)?,
        done: row.int(7)?,
        steps: row.int(8)?,
        note: row.text(9)?,
        rows: row.int(10)?,
        made_at: time(row.int(11)?),
        begun_at: row.maybe_int(12)?.map(time),
        ended_at: row.maybe_int(13)?.map(time),
    })
}

impl Store {
    /// Keeps a job that waits, unless too many wait; one that was asked for before under the same key is answered as it is now.
    ///
    /// # Errors
    /// The same key stands for another request, or the store cannot be written.
    pub fn add_job(&mut self, new: &NewJob<'_>, now: DateTime<Utc>) -> Result<Option<Job>> {
        self.database.whole(|database| {
            if let Some(key) = new.idempotency {
                let known = database.first(
                    "select id, request from job where owner = $1 and idempotency = $2",
                    &[Value::Text(new.owner), Value::Text(key)],
                    |row| Ok((row.text(0)?, row.text(1)?)),
                )?;
                if let Some((id, request)) = known {
                    return if request == new.request {
                        one(database, &id)
                    } else {
                        Err(Error::usage(format!("the key `{key}` stands for another job; choose a new one")))
                    };
                }
            }
            let waiting = database.first("select count(*) from job where state = 'queued'", &[], |row| row.int(0))?;
            let own = database.first(
                "select count(*) from job where state = 'queued' and owner = $1",
                &[Value::Text(new.owner)],
                |row| row.int(0),
            )?;
            if waiting.unwrap_or_default() >= new.most || own.unwrap_or_default() >= new.most_own {
                return Ok(None);
            }
            database.execute(
                "insert into job (id, owner, kind, subject, request, idempotency, state, stopping, claim, claimed_until, tries, done, \
                 steps, note, amount, made_at) values ($1, $2, $3, $4, $5, $6, 'queued', 0, '', 0, 0, 0, 0, '', 0, $7)",
                &[
                    Value::Text(new.id),
                    Value::Text(new.owner),
                    Value::Text(new.kind),
                    Value::Text(new.subject),
                    Value::Text(new.request),
                    new.idempotency.map_or(Value::Null, Value::Text),
                    Value::Int(now.timestamp_micros()),
                ],
            )?;
            one(database, new.id)
        })
    }

    /// A job by its id.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn job(&mut self, id: &str) -> Result<Option<Job>> {
        one(&mut self.database, id)
    }

    /// The newest jobs, of one owner or of all.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn jobs(&mut self, owner: Option<&str>, most: usize) -> Result<Vec<Job>> {
        let most = Value::Int(i64::try_from(most).unwrap_or(i64::MAX));
        match owner {
            Some(owner) => self.database.rows(
                &format!("select {COLUMNS} from job where owner = $1 order by made_at desc, id limit $2"),
                &[Value::Text(owner), most],
                job,
            ),
            None => self.database.rows(
                &format!("select {COLUMNS} from job order by made_at desc, id limit $1"),
                &[most],
                job,
            ),
        }
    }

    /// How many jobs wait, and how many go on.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn waiting_jobs(&mut self) -> Result<(usize, usize)> {
        let counts = self.database.rows(
            "select state, count(*) from job where state in ('queued', 'running') group by state",
            &[],
            |row| Ok((row.text(0)?, row.int(1)?)),
        )?;
        let of = |name: &str| {
            let found = counts.iter().find(|(state, _)| state == name);
            found.map_or(0, |(_, count)| usize::try_from(*count).unwrap_or_default())
        };
        Ok((of("queued"), of("running")))
    }

    /// The job that has waited longest, now in the hands of `claim`, which no other worker ever bears; one whose worker is gone counts
    /// as waiting.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn claim_job(&mut self, claim: &str, now: DateTime<Utc>, lease: TimeDelta) -> Result<Option<Job>> {
        let micros = now.timestamp_micros();
        self.database.execute(
            "update job set state = 'failed', ended_at = $1, note = 'the server died at it again and again; ask for less at once' \
             where state = 'running' and claimed_until < $1 and tries >= $2",
            &[Value::Int(micros), Value::Int(TRIES)],
        )?;
        self.database.execute(
            "update job set state = 'cancelled', ended_at = $1 \
             where stopping = 1 and (state = 'queued' or (state = 'running' and claimed_until < $1))",
            &[Value::Int(micros)],
        )?;
        // Two that choose the same: the second finds, once the first is through, that it does not wait any more.
        let changed = self.database.execute(
            "update job set state = 'running', claim = $1, claimed_until = $2, tries = tries + 1, \
             begun_at = coalesce(begun_at, $3), done = 0, steps = 0, note = '' \
             where id = (select id from job where state = 'queued' or (state = 'running' and claimed_until < $3) \
             order by made_at, id limit 1) and (state = 'queued' or (state = 'running' and claimed_until < $3))",
            &[Value::Text(claim), Value::Int((now + lease).timestamp_micros()), Value::Int(micros)],
        )?;
        match changed {
            0 => Ok(None),
            _ => self.database.first(
                &format!("select {} from job where claim = $1 and state = 'running'", whole()),
                &[Value::Text(claim)],
                job,
            ),
        }
    }

    /// The worker lives: the claim is extended, and how far it is. False where it has lost the job or is to stop.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn extend_job(&mut self, claim: &str, until: DateTime<Utc>, at: (i64, i64), note: &str) -> Result<bool> {
        let changed = self.database.execute(
            "update job set claimed_until = $1, done = $2, steps = $3, note = $4 \
             where claim = $5 and state = 'running' and stopping = 0",
            &[
                Value::Int(until.timestamp_micros()),
                Value::Int(at.0),
                Value::Int(at.1),
                Value::Text(note),
                Value::Text(claim),
            ],
        )?;
        Ok(changed > 0)
    }

    /// Is the job still in these hands?
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn is_claimed(&mut self, claim: &str) -> Result<bool> {
        let found = self.database.first(
            "select id from job where claim = $1 and state = 'running'",
            &[Value::Text(claim)],
            |row| row.text(0),
        )?;
        Ok(found.is_some())
    }

    /// The worker leaves without having done it: it waits again.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn hand_back_job(&mut self, claim: &str) -> Result<()> {
        self.database.execute(
            "update job set state = 'queued', claim = '', claimed_until = 0, tries = tries - 1 \
             where claim = $1 and state = 'running'",
            &[Value::Text(claim)],
        )?;
        Ok(())
    }

    /// Jobs whose workers called themselves so wait again: for a server that begins anew under its former name.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn reclaim_jobs(&mut self, workers: &str) -> Result<usize> {
        self.database.execute(
            "update job set claimed_until = 0 where state = 'running' and substr(claim, 1, length($1)) = $1",
            &[Value::Text(workers)],
        )
    }

    /// Ends a job with its files, all or nothing. False where the claim has passed to another: then nothing is kept.
    ///
    /// # Errors
    /// A file cannot be read or the store cannot be written.
    pub fn end_job(
        &mut self,
        claim: &str,
        state: JobState,
        (note, rows): (&str, i64),
        files: &mut [(&str, &mut dyn Read)],
        now: DateTime<Utc>,
    ) -> Result<bool> {
        self.database.whole(|database| {
            let id = database.first(
                "select id from job where claim = $1 and state = 'running'",
                &[Value::Text(claim)],
                |row| row.text(0),
            )?;
            let Some(id) = id else { return Ok(false) };
            database.execute("delete from job_file where job = $1", &[Value::Text(&id)])?;
            let mut piece = vec![0; PIECE];
            for (name, file) in files {
                let mut number = 0;
                loop {
                    let mut filled = 0;
                    while filled < PIECE {
                        match file.read(&mut piece[filled..]) {
                            Ok(0) => break,
                            Ok(read) => filled += read,
                            Err(cause) if cause.kind() == std::io::ErrorKind::Interrupted => {}
                            Err(cause) => return Err(Error::io("a result cannot be read").because(cause)),
                        }
                    }
                    if filled == 0 && number > 0 {
                        break;
                    }
                    database.execute(
                        "insert into job_file (job, name, piece, bytes) values ($1, $2, $3, $4)",
                        &[Value::Text(&id), Value::Text(name), Value::Int(number), Value::Blob(&piece[..filled])],
                    )?;
                    number += 1;
                    if filled < PIECE {
                        break;
                    }
                }
            }
            let changed = database.execute(
                "update job set state = $1, note = $2, amount = $3, ended_at = $4, claimed_until = 0 \
                 where id = $5 and claim = $6 and state = 'running'",
                &[
                    Value::Text(state.name()),
                    Value::Text(note),
                    Value::Int(rows),
                    Value::Int(now.timestamp_micros()),
                    Value::Text(&id),
                    Value::Text(claim),
                ],
            )?;
            // Whoever took it over in between has written nothing yet; this is undone.
            if changed == 0 { Err(Error::io("the job was taken over meanwhile")) } else { Ok(true) }
        })
    }

    /// One piece of a file of a job, from 0 on; none after the last.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn job_piece(&mut self, id: &str, name: &str, piece: i64) -> Result<Option<Vec<u8>>> {
        self.database.first(
            "select bytes from job_file where job = $1 and name = $2 and piece = $3",
            &[Value::Text(id), Value::Text(name), Value::Int(piece)],
            |row| Ok(row.blob(0)?.to_vec()),
        )
    }

    /// Wants a job no more: one that waits is over at once, one that goes on is stopped. False where it is over already.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn cancel_job(&mut self, id: &str, now: DateTime<Utc>) -> Result<bool> {
        let changed = self.database.execute(
            "update job set stopping = 1, ended_at = case when state = 'queued' then $1 else ended_at end, \
             state = case when state = 'queued' then 'cancelled' else state end \
             where id = $2 and state in ('queued', 'running')",
            &[Value::Int(now.timestamp_micros()), Value::Text(id)],
        )?;
        Ok(changed > 0)
    }

    /// Forgets jobs that ended before a time, with their files; how many.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn forget_jobs(&mut self, before: DateTime<Utc>) -> Result<usize> {
        let before = before.timestamp_micros();
        self.database.whole(|database| {
            database.execute(
                "delete from job_file where job in (select id from job where ended_at < $1)",
                &[Value::Int(before)],
            )?;
            database.execute("delete from job where ended_at < $1", &[Value::Int(before)])
        })
    }
}

fn one(database: &mut Database, id: &str) -> Result<Option<Job>> {
    database.first(&format!("select {} from job where id = $1", whole()), &[Value::Text(id)], job)
}
