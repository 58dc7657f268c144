//! What becomes of forecasts after they were issued: kept, compared with what happened, watched, told about.
//!
//! | module | question |
//! |---|---|
//! | [`monitor`] | All of it in a few calls: issue, receive, report |
//! | [`store`] | What was forecast, when, by which run, and what happened? In an SQLite file or on a PostgreSQL server |
//! | [`scores`] | How large are the errors of every model, series and step, over the last 4, 13 and 52 periods? |
//! | [`detect`] | Have the errors changed: the portfolio's, a group's, a series'? At a set rate of false alarms |
//! | [`drift`] | Have the inputs changed, by how much, and what does it cost in accuracy? |
//! | [`alerts`] | Who has to know of it, since when, why, and what does it cost? |
//! | [`overrides`] | What do planners change, does it help, and which of their changes should be doubted? |
//!
//! [`detect`] and [`drift`] are functions of numbers: no file, no clock, no threads, and the same input gives the same bits.
//!
//! Two features can be left out: `postgres` (stores on a PostgreSQL server) and `mail` (alerts by mail).
//!
//! ```
//! use chrono::{DateTime, NaiveDate};
//! use tradewind_monitor::store::{Actual, Issue, Kind, Options, SeriesForecast, Store};
//! # fn main() -> tradewind_monitor::Result<()> {
//! # let folder = tempfile::tempdir().unwrap();
//! # let place = folder.path().join("monitor.db");
//! let now = DateTime::from_timestamp(1_767_225_600, 0).unwrap();
//! let week = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap().into();
//! let mut store = Store::open(&place.to_string_lossy(), Options::default())?;
//! let issue = Issue {
//!     run: "2026-W01".into(),
//!     model: "ets".into(),
//!     kind: Kind::Statistical,
//!     issued_at: now,
//!     fingerprint: "4f1d".into(),
//!     dates: vec![week],
//!     levels: vec![0.1, 0.9],
//! };
//! let key = vec!["north".to_string(), "A-7".to_string()];
//! let forecast = SeriesForecast { key: key.clone(), scale: 2.0, mean: vec![10.0], quantiles: vec![vec![7.0, 13.0]] };
//! store.issue(&issue, [forecast], now)?;
//! store.receive(&[Actual { key, at: week, value: 12.0 }], now)?;
//! store.score()?;
//! let track = store.tracks()?[0].id;
//! let portfolio = store.portfolio(track, 4)?;
//! assert_eq!(portfolio[0].mase(), Some(1.0));
//! # Ok(())
//! # }
//! ```

pub mod alerts;
pub mod detect;
pub mod drift;
mod error;
pub mod monitor;
pub mod overrides;
pub mod scores;
pub mod store;

pub use error::{Error, Result};
