//! How does a message reach its destination once, whatever fails?
//!
//! Messages wait in the store's outbox, written with the states that they tell of. Who sends one claims it first, so that two
//! processes do not send the same; a claim ends after five minutes, in case its owner died. What was sent is marked; what
//! failed is due again after a minute, then two, four, … up to six hours, for as long as it takes. Between sending and
//! marking a process can die: the message is then sent again, with the same key (`Idempotency-Key`, `Message-ID`, `id`), so
//! that receivers can tell.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::message::Message;
use super::rule::Rules;
use super::send;
use crate::error::{Error, Result};
use crate::store::Store;
use crate::store::database::Value;

/// How long who claimed a message has to send it.
const CLAIM: TimeDelta = TimeDelta::minutes(5);
/// Messages read at once.
const SOME: i64 = 100;

/// What became of the messages that were due.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Delivered {
    pub sent: usize,
    pub failed: usize,
    /// Messages that wait for a later round, those that failed among them.
    pub waiting: usize,
    /// Why destinations failed, by name.
    pub failures: BTreeMap<String, String>,
}

impl Store {
    /// Sends every message that is due. `variable` looks up the environment variables that destinations name, as
    /// `|name| std::env::var(name).ok()` does. A destination that fails is left alone for the rest of the round.
    ///
    /// # Errors
    /// A rule contradicts itself, or the store cannot be written; what a destination answers is no error but counted.
    pub fn deliver(
        &mut self,
        rules: &Rules,
        variable: &dyn Fn(&str) -> Option<String>,
        now: DateTime<Utc>,
    ) -> Result<Delivered> {
        rules.check()?;
        let mut delivered = Delivered::default();
        let micros = now.timestamp_micros();
        let mut after = 0;
        loop {
            let due = self.database.rows(
                &format!(
                    "select id, destination, body, tries from outbox where id > $1 and sent_at is null and due_at <= $2 \
                     and claimed_until <= $2 order by id limit {SOME}"
                ),
                &[Value::Int(after), Value::Int(micros)],
                |row| Ok((row.int(0)?, row.text(1)?, row.text(2)?, row.int(3)?)),
            )?;
            let Some((last, ..)) = due.last() else { break };
            after = *last;
            for (id, destination, body, tries) in due {
                if delivered.failures.contains_key(&destination) {
                    continue;
                }
                let claimed = self.database.execute(
                    "update outbox set claimed_until = $1 where id = $2 and sent_at is null and claimed_until <= $3",
                    &[Value::Int((now + CLAIM).timestamp_micros()), Value::Int(id), Value::Int(micros)],
                )?;
                if claimed == 0 {
                    continue;
                }
                let sent = message(&body).and_then(|message| match rules.destinations.get(&destination) {
                    Some(to) => send::send(to, &message, variable),
                    None => Err(Error::usage(format!(
                        "there is no destination `{destination}` any more; describe it in [destination.{destination}]"
                    ))),
                });
                match sent {
                    Ok(()) => {
                        self.database.execute(
                            "update outbox set sent_at = $1, tries = $2, failure = null where id = $3",
                            &[Value::Int(micros), Value::Int(tries + 1), Value::Int(id)],
                        )?;
                        delivered.sent += 1;
                    }
                    Err(failure) => {
                        let failure = failure.to_string();
                        self.database.execute(
                            "update outbox set due_at = $1, tries = $2, claimed_until = 0, failure = $3 where id = $4",
                            &[
                                Value::Int((now + pause(tries)).timestamp_micros()),
                                Value::Int(tries + 1),
                                Value::Text(&failure),
                                Value::Int(id),
                            ],
                        )?;
                        delivered.failed += 1;
                        delivered.failures.insert(destination, failure);
                    }
                }
            }
        }
        let waiting =
            self.database.first("select count(*) from outbox where sent_at is null", &[], |row| row.int(0))?;
        delivered.waiting = usize::try_from(waiting.unwrap_or_default()).unwrap_or_default();
        Ok(delivered)
    }

    /// The messages that wait, in the order in which they were made: destination, message and why it failed last, if it did.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn outbox(&mut self) -> Result<Vec<(String, Message, Option<String>)>> {
        self.database.rows(
            "select destination, body, coalesce(failure, '') from outbox where sent_at is null order by id",
            &[],
            |row| Ok((row.text(0)?, message(&row.text(1)?)?, Some(row.text(2)?).filter(|failure| !failure.is_empty()))),
        )
    }

    /// Forgets messages that were sent before a time and alerts that ended before it; how many.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn forget_told(&mut self, before: DateTime<Utc>) -> Result<usize> {
        let before = Value::Int(before.timestamp_micros());
        self.database.whole(|database| {
            let messages = database.execute("delete from outbox where sent_at < $1", &[before])?;
            Ok(messages + database.execute("delete from alert where phase = 'over' and ended_at < $1", &[before])?)
        })
    }
}

fn message(body: &str) -> Result<Message> {
    serde_json::from_str(body).map_err(|cause| {
        Error::data("the store holds a message that cannot be read; restore it from a backup").because(cause)
    })
}

/// How long to wait after so many tries.
fn pause(tries: i64) -> TimeDelta {
    let doublings = u32::try_from(tries.clamp(0, 9)).unwrap_or_default();
    TimeDelta::minutes((1_i64 << doublings).min(360))
}

/// The texts that no failure may show.
pub(super) fn without(text: &str, secrets: &BTreeSet<String>) -> String {
    secrets.iter().filter(|secret| !secret.is_empty()).fold(text.to_string(), |text, secret| text.replace(secret, "…"))
}
