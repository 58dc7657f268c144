//! How is the store asked from a server that must not wait?
//!
//! The store's functions block, so they run on threads for blocking work, a few at once, each with a connection of its own. A connection
//! that the server of a database has dropped is opened again, and what was asked is asked once more: every call is a transaction that
//! may be repeated.

use std::sync::{Arc, Mutex};

use tokio::sync::Semaphore;
use tradewind_monitor::store::{Options, Store};

use crate::fault::{Fault, Kind};

/// Connections to the store.
#[derive(Clone)]
pub(crate) struct Keeper(Arc<Inner>);

struct Inner {
    place: String,
    options: Options,
    idle: Mutex<Vec<Store>>,
    asking: Semaphore,
}

impl Drop for Inner {
    /// A connection to PostgreSQL has a runtime of its own, which must not end within that of the server.
    fn drop(&mut self) {
        let idle = std::mem::take(self.idle.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner));
        if let Ok(closing) = std::thread::Builder::new().spawn(move || drop(idle)) {
            let _ = closing.join();
        }
    }
}

/// Connections that are kept open, and questions at once.
const IDLE: usize = 4;
const ASKING: usize = 16;

impl Keeper {
    pub fn open(place: &str, schema: &str) -> Result<Self, Fault> {
        let options = Options { check: false, schema: schema.into(), ..Options::default() };
        let keeper = Self(Arc::new(Inner {
            place: place.into(),
            options,
            idle: Mutex::default(),
            asking: Semaphore::new(ASKING),
        }));
        let store = keeper.fresh()?;
        keeper.back(store);
        Ok(keeper)
    }

    fn fresh(&self) -> Result<Store, Fault> {
        Ok(Store::open(&self.0.place, self.0.options.clone())?)
    }

    fn back(&self, store: Store) {
        if let Ok(mut idle) = self.0.idle.lock()
            && idle.len() < IDLE
        {
            idle.push(store);
        }
    }

    /// Asks the store on this thread.
    pub fn now<T>(&self, ask: impl Fn(&mut Store) -> tradewind_monitor::Result<T>) -> Result<T, Fault> {
        let kept = self.0.idle.lock().ok().and_then(|mut idle| idle.pop());
        if let Some(mut store) = kept {
            match ask(&mut store) {
                Err(error) if error.is_io() => {
                    tracing::warn!(%error, "the store is opened again");
                }
                answer => {
                    self.back(store);
                    return Ok(answer?);
                }
            }
            // All others are from before whatever happened to this one.
            if let Ok(mut idle) = self.0.idle.lock() {
                idle.clear();
            }
        }
        let mut store = self.fresh()?;
        let answer = ask(&mut store)?;
        self.back(store);
        Ok(answer)
    }

    /// Asks the store on another thread.
    pub async fn ask<T: Send + 'static>(
        &self,
        ask: impl Fn(&mut Store) -> tradewind_monitor::Result<T> + Send + 'static,
    ) -> Result<T, Fault> {
        let _place = self.0.asking.acquire().await;
        let keeper = self.clone();
        blocking(move || keeper.now(ask)).await.map_err(|fault| {
            if fault.kind != Kind::Unavailable {
                return fault;
            }
            // Where the store is concerns whoever runs the server, and nobody else.
            tracing::error!(%fault, "the store");
            if fault.detail.contains("no space left") {
                return Fault::new(
                    Kind::DiskFull,
                    "there is no room left on the disk of the store; make room and repeat",
                );
            }
            Fault::new(Kind::Unavailable, "the store cannot be used at the moment; the server's log says why")
        })
    }
}

/// Does something that takes a while on a thread for that.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    let span = tracing::Span::current();
    match tokio::task::spawn_blocking(move || span.in_scope(work)).await {
        Ok(answer) => answer,
        Err(cause) => {
            tracing::error!(%cause, "work ended in a panic");
            Err(Fault::new(Kind::Internal, "this request could not be met because of a mistake in the program"))
        }
    }
}
