//! Long work, seen and stopped: what a verb tells whoever watches its [job](crate::job), and the question whether it is
//! cancelled, which every long loop asks.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use crate::error::{Error, Result};
use crate::job::{self, Bar, Event, Form};

/// Says what was decided on the way.
pub(crate) fn say(remark: &str) {
    job::tell(Event::Remark(remark));
}

/// Says it once in a job, however often it comes up.
pub(crate) fn say_once(remark: &str) {
    #[derive(Default)]
    struct Said(Mutex<BTreeSet<String>>);
    let said = job::Job::current().kept::<Said>();
    if said.0.lock().unwrap_or_else(PoisonError::into_inner).insert(remark.into()) {
        say(remark);
    }
}

/// Says so of how a source was read.
pub(crate) fn remark<'a>(source: &str, remarks: impl IntoIterator<Item = &'a String>) {
    remarks.into_iter().for_each(|remark| say(&format!("{source}: {remark}")));
}

/// Is the work to end?
pub(crate) fn is_stopped() -> bool {
    job::is_over()
}

/// An error if the work is to end.
pub(crate) fn check() -> Result<()> {
    if is_stopped() { Err(Error::interrupted()) } else { Ok(()) }
}

/// Steps in any order: `fitting 120 of 300`.
pub(crate) fn bar(steps: usize, what: &'static str) -> Bar {
    Bar::new(Form::Steps(what), 0, steps)
}

/// Steps one after the other: `fold 2 of 4`.
pub(crate) fn stages(done: usize, steps: usize, what: &'static str) -> Bar {
    Bar::new(Form::Stages(what), done, steps)
}

/// Steps that have [names](Bar::name).
pub(crate) fn names(steps: usize) -> Bar {
    Bar::new(Form::Named(String::new()), 0, steps)
}

/// Steps of which `done` are done already; what goes on within them is not told of.
pub(crate) fn around(done: usize, steps: usize, what: &'static str) -> Bar {
    Bar::new(Form::Whole(what), done, steps)
}
