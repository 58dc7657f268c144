//! How do changes of the registry get to the server exactly once and in their order?
//!
//! Each is noted in the outbox with an identifier of its own before it is sent. A version bears that identifier as a tag
//! and is looked for among its run's versions before it is made. One that the server refuses is noted with the reason,
//! and so are the aliases that were to lead to it; the rest goes on.

use std::sync::Mutex;

use crate::disk;
use crate::error::{Error, Result};
use crate::journal::{Change, Entry, Fate};
use crate::send::{Refusal, Remote, Synced, held};
use crate::types::{LOCAL_ID, PROVISIONAL};

impl Remote {
    /// Notes a change, and sends it at once if the server is there; whether it is to be sent still.
    pub(crate) fn ask(&self, change: Change) -> Result<bool> {
        let id = disk::new_id();
        self.journal.note(&[Entry::Asked { id: id.clone(), change }])?;
        let done = self.alone().and_then(|_alone| self.deliver(0, &Mutex::default()));
        match done {
            // It is in the outbox, and so it is done: who asked again would have it twice.
            Err(error) if error.is_away() || error.is_denied() => return Ok(true),
            done => done?,
        }
        let why = self.journal.look(|state| {
            state.changes.iter().find_map(|(known, _, fate)| match fate {
                Fate::Declined(why) if *known == id => Some(why.clone()),
                _ => None,
            })
        })?;
        why.map_or(Ok(false), |why| Err(Error::refused(why, "DECLINED")))
    }

    /// Sends what waits, in its order; whoever calls it is alone.
    pub(crate) fn deliver(&self, retries: usize, report: &Mutex<Synced>) -> Result<()> {
        let waiting: Vec<(String, Change)> = self.journal.look(|state| {
            let waiting = state.changes.iter().filter(|(.., fate)| matches!(fate, Fate::Waiting));
            waiting.map(|(id, change, _)| (id.clone(), change.clone())).collect()
        })?;
        let mut left = waiting.len();
        for (id, change) in waiting {
            let done = self.change(&id, &change, retries, report);
            match done {
                Ok(version) => {
                    self.journal.note(&[Entry::Answered { id, version }])?;
                    let mut report = held(report);
                    if version.is_some() { report.versions += 1 } else { report.aliases += 1 }
                }
                Err(error) if error.is_away() || error.is_denied() => {
                    held(report).pending += left;
                    return Err(error);
                }
                Err(error) => {
                    let why = error.to_string();
                    self.journal.note(&[Entry::Declined { id, why: why.clone() }])?;
                    let (of, item) = change.name();
                    held(report).refused.push(Refusal { of, item, why });
                }
            }
            left -= 1;
        }
        Ok(())
    }

    fn change(&self, id: &str, change: &Change, retries: usize, report: &Mutex<Synced>) -> Result<Option<u32>> {
        match change {
            Change::Register { model, number, run, path } => {
                self.ship(run, retries, report)?;
                self.register(id, model, *number, run, path, retries).map(Some)
            }
            Change::Alias { model, alias, number } => {
                let number = self.number(model, *number)?;
                self.net.patiently(retries, || self.net.set_alias(model, alias, number)).map(|()| None)
            }
            Change::Unalias { model, alias } => {
                self.net.patiently(retries, || self.net.delete_alias(model, alias)).map(|()| None)
            }
        }
    }

    fn register(&self, id: &str, model: &str, number: u32, run: &str, path: &str, retries: usize) -> Result<u32> {
        let known = self.journal.look(|state| state.runs.get(run).and_then(|known| known.server.clone()))?;
        let (server, artifacts) = match known {
            Some(known) => known,
            // A run that was never in this outbox.
            None => {
                let found = self.net.patiently(retries, || self.net.server_run(run))?;
                (run.to_owned(), found.artifacts)
            }
        };
        let mut tags = self.store.version(model, number)?.tags;
        tags.insert(LOCAL_ID.to_owned(), id.to_owned());
        self.net.patiently(retries, || {
            self.net.make_model(model)?;
            let found = self.net.search_versions(&format!("run_id='{server}'"))?;
            let ours = |version: &&crate::Version| version.tags.get(LOCAL_ID).is_some_and(|tag| tag == id);
            if let Some(version) = found.iter().find(ours) {
                return Ok(version.number);
            }
            self.net.create_version(model, &server, &format!("{artifacts}/{path}"), &tags)
        })
    }

    /// The number that the server has given for one of ours.
    pub(crate) fn number(&self, model: &str, number: u32) -> Result<u32> {
        if number <= PROVISIONAL {
            return Ok(number);
        }
        let known = self.journal.look(|state| state.versions.get(&(model.to_owned(), number)).copied())?;
        known.ok_or_else(|| {
            Error::missing(format!("the server has no version for the provisional {number} of `{model}`"))
        })
    }
}

impl Change {
    /// What it is a change of, and which.
    pub(crate) fn name(&self) -> (String, String) {
        match self {
            Self::Register { model, run, .. } => (model.clone(), format!("version of the run {run}")),
            Self::Alias { model, alias, .. } => (model.clone(), format!("alias {alias}")),
            Self::Unalias { model, alias } => (model.clone(), format!("removal of the alias {alias}")),
        }
    }
}
