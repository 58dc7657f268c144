//! Tradewind takes sales history the whole way: from a raw file to a clean panel, explained demand, forecast
//! distributions, and the report and slides that tell of them; from Rust, Rhai, the command line and notebooks in the
//! same words. The manual is in the repository's `docs/`.
//!
//! ```
//! use tradewind::prelude::*;
//!
//! let sales = Panel::read(
//!     "data/walmart_sales_weekly.csv",
//!     Columns::new(["Store", "Dept"], "Date", "Weekly_Sales").known(["IsHoliday"]).observed(["Temperature"]),
//! )?;
//! println!("{}", sales.audit()?);
//! println!("{}", sales.explore("uplift(by=IsHoliday)")?.sentence());
//! let trial = sales.backtest(["seasonal_naive", "theta", "regression"], Folds::new(4, 8))?;
//! println!("{}", trial.leaderboard("mase")?);
//! let forecast = sales.fit(["theta"])?.forecast(8)?;
//! assert_eq!(forecast.mean("theta", "Store=1, Dept=1")?.len(), 8);
//! # Ok::<(), tradewind::Error>(())
//! ```
//!
//! # The rooms
//!
//! | room | what it is about |
//! |---|---|
//! | [`panel`] | many series on one calendar: reading, roles, frequency, audit, cleaning, features, joining, aggregating, the future |
//! | [`explore`] | what the data show: one question per file |
//! | [`models`] | forecasting methods: the registry [`models::MODELS`], one file per method, the fits |
//! | `fitting` | what carries a method: traits, local and global fitting, predictive distributions, calibration |
//! | [`boosting`] | gradient boosted trees on tables, exact Shapley values |
//! | [`explain`] | what counts for a model, what moved a forecast |
//! | [`optimise`] | minimisation of functions within bounds, for every model |
//! | [`statistics`] | decomposition, unit roots, autocorrelation, normality, tests of predictive accuracy, classes of demand: functions of numbers |
//! | [`forecast`] | means, quantiles, joint sample paths |
//! | [`registry`] | one registry type for models, questions, features and metrics |
//! | [`metrics`] | how good a forecast is: one function per metric |
//! | [`decide`] | how much to order of each item, at which price, with which promotions; how to split a marketing budget; what if |
//! | [`evaluate`] | every model on every fold, which is really better, calibration, where a model errs, tuning |
//! | [`reconcile`] | forecasts of a hierarchy whose sums agree, in the mean and on every sample path |
//! | [`show`] | blocks, tables, findings and figures as text, Markdown, HTML or notebook output |
//! | [`figures`], `plots` | one static figure per file, from plain numbers; which figure shows a noun |
//! | [`report`] | blocks in order: Markdown, HTML, slides |
//! | [`dashboard`] | one interactive page that opens offline: filters, linked charts, a map of errors |
//! | [`plan`], [`outcome`], [`outputs`] | the whole run as data, what it came to, and where that goes |
//! | `stream` | a plan's forecast for a panel of any size, chunk by chunk |
//! | [`script`] | the same nouns and verbs in Rhai: scripts, a prompt, a notebook kernel |
//! | [`serve`] | forecasts, decisions and jobs over HTTP |
//! | [`job`], `progress` | a piece of work that is watched and cancelled; what verbs tell of theirs |
//! | `options`, `files`, `format`, `error` | labels and their options, whole files or none, inputs and other people's files untouched, how numbers are written, what can go wrong |
//!
//! Dependencies point one way, down the order of the rooms in DESIGN.md: a page knows the nouns that it shows, a forecast the
//! fits, the fits the panel, and none of them what is made of it.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod boosting;
pub mod dashboard;
pub mod decide;
mod error;
pub mod evaluate;
pub mod explain;
pub mod explore;
pub mod figures;
mod files;
mod fitting;
pub mod forecast;
mod format;
pub mod job;
pub mod metrics;
pub mod models;
pub mod monitor;
mod operate;
pub mod optimise;
mod options;
pub mod outcome;
pub mod outputs;
pub mod panel;
pub mod plan;
mod plots;
pub mod prelude;
mod progress;
pub mod reconcile;
pub mod registry;
pub mod report;
pub mod script;
pub mod serve;
pub mod show;
pub mod statistics;
mod stream;
pub mod track;

pub use error::{Error, Result};
pub use files::{overwrite, remove_unfinished, together};
pub use polars;

/// The examples of the README and the manual are compiled with the documentation's.
#[cfg(doctest)]
mod manual {
    #[doc = include_str!("../README.md")]
    struct Readme;
    #[doc = include_str!("../docs/evaluation.md")]
    struct Evaluation;
    #[doc = include_str!("../docs/features.md")]
    struct Features;
    #[doc = include_str!("../docs/library.md")]
    struct Library;
}
