//! Who sends while the work goes on, without slowing it?
//!
//! One thread per tracker waits for runs that have news, lets a moment's worth gather, and sends them. After a failure
//! it leaves the server alone for 15 seconds, then twice as long, up to five minutes; nothing is lost by that, because
//! all is in the outbox. It ends with its tracker.

use std::collections::HashSet;
use std::sync::{Arc, Condvar, Mutex, Weak};
use std::time::{Duration, Instant};

use crate::error::Result;
use crate::send::{Remote, Synced, held};

/// How long news gather before they are sent.
const GATHER: Duration = Duration::from_millis(250);
/// How long a server that failed is left alone at first, and at most.
const QUIET: Duration = Duration::from_secs(15);
const QUIETEST: Duration = Duration::from_secs(300);

#[derive(Default)]
struct News {
    runs: HashSet<String>,
    is_closed: bool,
    quiet: Option<Instant>,
}

/// Tells the thread what is new.
#[derive(Clone, Default)]
pub(crate) struct Bell(Arc<(Mutex<News>, Condvar)>);

impl Bell {
    /// Starts the thread.
    pub(crate) fn start(remote: &Arc<Remote>) -> Self {
        let bell = Self::default();
        let (ours, remote) = (bell.clone(), Arc::downgrade(remote));
        // Without a thread all is sent by `sync`.
        let _ = std::thread::Builder::new().name("tradewind-track".to_owned()).spawn(move || ours.serve(&remote));
        bell
    }

    pub(crate) fn ring(&self, run: &str) {
        let (news, signal) = &*self.0;
        let mut news = held(news);
        if !news.runs.contains(run) {
            news.runs.insert(run.to_owned());
        }
        if news.runs.len() == 1 {
            signal.notify_all();
        }
    }

    /// The server was reached: it may be asked again.
    pub(crate) fn wake(&self) {
        held(&self.0.0).quiet = None;
    }

    pub(crate) fn close(&self) {
        held(&self.0.0).is_closed = true;
        self.0.1.notify_all();
    }

    /// The next runs to send, or `None` at the end.
    fn next(&self) -> Option<Vec<String>> {
        let (news, signal) = &*self.0;
        let mut now = held(news);
        loop {
            let wait = match now.quiet.and_then(|until| until.checked_duration_since(Instant::now())) {
                _ if now.is_closed => return None,
                Some(wait) => wait,
                None if !now.runs.is_empty() => break,
                None => Duration::from_secs(3_600),
            };
            now = signal.wait_timeout(now, wait).map_or_else(|poisoned| poisoned.into_inner().0, |(news, _)| news);
        }
        let gathered = signal.wait_timeout_while(now, GATHER, |news| !news.is_closed);
        let mut now = gathered.map_or_else(|poisoned| poisoned.into_inner().0, |(news, _)| news);
        (!now.is_closed).then(|| std::mem::take(&mut now.runs).into_iter().collect())
    }

    fn serve(&self, remote: &Weak<Remote>) {
        let mut pause = QUIET;
        while let Some(runs) = self.next() {
            let Some(remote) = remote.upgrade() else { return };
            let report = Mutex::new(Synced::default());
            let failed = match burst(&remote, runs.clone(), &report) {
                Ok(()) => held(&report).stopped.is_some(),
                Err(_) => true,
            };
            if failed {
                // Nobody listens here: whoever calls `sync` is told.
                let mut news = held(&self.0.0);
                news.runs.extend(runs);
                news.quiet = Some(Instant::now() + pause);
                pause = (pause * 2).min(QUIETEST);
            } else {
                pause = QUIET;
            }
        }
    }
}

fn burst(remote: &Remote, runs: Vec<String>, report: &Mutex<Synced>) -> Result<()> {
    let _alone = remote.alone()?;
    remote.ship_all(runs, 1, report);
    if held(report).stopped.is_none() { remote.deliver(1, report) } else { Ok(()) }
}
