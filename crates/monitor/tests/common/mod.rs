//! What the tests share: stores of both kinds, dates, forecasts.
#![allow(dead_code, reason = "each test program uses a part of it")]

pub mod servers;

use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use tradewind_monitor::store::{Actual, Issue, Kind, Options, SeriesForecast, Store};

/// A place for a store, gone with its folder or schema.
pub struct Place {
    pub place: String,
    pub options: Options,
    _folder: Option<tempfile::TempDir>,
}

impl Place {
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("monitor.db").to_string_lossy().into_owned();
        Self { place, options: Options::default(), _folder: Some(folder) }
    }

    /// A schema of its own on the server, if there is one.
    pub fn postgres() -> Option<Self> {
        static SCHEMAS: AtomicUsize = AtomicUsize::new(0);
        let place = std::env::var("TRADEWIND_TEST_POSTGRES").ok().filter(|_| cfg!(feature = "postgres"))?;
        let number = SCHEMAS.fetch_add(1, Ordering::Relaxed);
        let schema = format!("test_{}_{number}", std::process::id());
        Some(Self { place, options: Options { schema, ..Options::default() }, _folder: None })
    }

    pub fn open(&self) -> Store {
        Store::open(&self.place, self.options.clone()).unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        #[cfg(feature = "postgres")]
        if self._folder.is_none()
            && let Ok(mut client) = postgres::Client::connect(&self.place, postgres::NoTls)
        {
            let _ = client.batch_execute(&format!("drop schema if exists {} cascade", self.options.schema));
        }
    }
}

/// Runs a test on an SQLite file, and on the PostgreSQL server if there is one.
pub fn on_both(test: impl Fn(&Place)) {
    test(&Place::sqlite());
    match Place::postgres() {
        Some(place) => test(&place),
        None => println!("skipped: TRADEWIND_TEST_POSTGRES not set"),
    }
}

pub fn date(week: u64) -> NaiveDateTime {
    (NaiveDate::from_ymd_opt(2025, 1, 6).unwrap() + Days::new(7 * week)).and_time(NaiveTime::MIN)
}

/// The time at which the actual of a week is known.
pub fn now(week: u64) -> DateTime<Utc> {
    date(week).and_utc()
}

pub fn key(series: usize) -> Vec<String> {
    vec![format!("store {}", series % 3), format!("item {series}")]
}

/// The issue of a week: its first step is the week after.
pub fn issue(model: &str, week: u64, steps: u64) -> Issue {
    Issue {
        run: format!("run {week}"),
        model: model.into(),
        kind: Kind::Statistical,
        issued_at: now(week),
        fingerprint: "4f1d".into(),
        dates: (1..=steps).map(|step| date(week + step)).collect(),
        levels: vec![0.1, 0.9],
    }
}

/// A forecast of the same mean for every step, and 2 around it.
pub fn flat(series: usize, mean: f64, steps: usize) -> SeriesForecast {
    SeriesForecast {
        key: key(series),
        scale: 2.0,
        mean: vec![mean; steps],
        quantiles: vec![vec![mean - 2.0, mean + 2.0]; steps],
    }
}

pub fn actual(series: usize, week: u64, value: f64) -> Actual {
    Actual { key: key(series), at: date(week), value }
}
