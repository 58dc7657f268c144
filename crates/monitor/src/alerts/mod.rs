//! Who has to know that forecasts went wrong: since when, why, and what does it cost?
//!
//! 1. [`Rules`] say what is watched at which level, from which size on, for how long, and who is told.
//! 2. [`Observation`]s are what was found: from the store by [`Store::observe`], from detectors of drift by their caller.
//! 3. [`Store::judge`] compares the two. An alert is known by its rule, level and key: one message when it begins, reminders
//!    no oftener than stated, one when it is over, whatever happens in between; the state is in the store and outlives the
//!    process. What begins, goes on or ends in one round by one rule is one message, with the ten dearest and their number.
//! 4. [`Store::deliver`] sends what waits: to a file, a webhook, by mail, to Alertmanager. What fails waits for the next
//!    round. Sent at least once, each with a key by which a receiver knows a message that it has already.
//!
//! ```
//! use tradewind_monitor::alerts::Rules;
//! let rules: Rules = toml::from_str(r#"
//!     keys = ["store", "item"]
//!     [[rule]]
//!     name = "stores that miss"
//!     what = "error"
//!     level = "group"
//!     by = ["store"]
//!     above = 40.0
//!     periods = 2
//!     severity = "warning"
//!     to = ["team"]
//!     [destination.team]
//!     kind = "webhook"
//!     url_env = "TEAM_WEBHOOK"
//!     secret_env = "TEAM_WEBHOOK_SECRET"
//! "#).unwrap();
//! rules.check().unwrap();
//! ```
//!
//! No secret is in rules, store or messages: destinations name the environment variables that hold them.

mod cause;
mod deliver;
mod judge;
mod message;
mod observe;
mod rule;
mod send;

pub use cause::{Cause, Coincidence, causes};
pub use deliver::Delivered;
pub use judge::{Judged, Open};
pub(crate) use message::number;
pub use message::{Alert, Event, Message};
pub(crate) use observe::by;
pub use observe::{Costs, Observation};
pub use rule::{Destination, Level, Measure, Rule, Rules, Severity, Tls, UnitCosts, What};

#[cfg(doc)]
use crate::store::Store;

/// A text that stands for others: the same ones give the same, others another.
fn fingerprint<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    use sha2::Digest as _;
    let mut hash = sha2::Sha256::new();
    for part in parts {
        // The length keeps ("a", "bc") from ("ab", "c").
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    hex(hash.finalize().iter().take(16))
}

/// Bytes as hexadecimal digits.
fn hex<'a>(bytes: impl IntoIterator<Item = &'a u8>) -> String {
    bytes.into_iter().map(|byte| format!("{byte:02x}")).collect()
}
