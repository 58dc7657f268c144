//! One test program whose files mirror the rooms.
mod arima;
mod audit;
mod automatic;
mod bad_input;
mod calendar_and_weather;
mod calendars;
mod classes;
mod cleaning;
mod cli;
mod combinations;
mod commands;
mod contract;
mod counts;
mod decide;
mod dialects;
mod docs;
mod endless;
mod ets;
mod events;
mod explore;
mod features;
mod fence;
mod forecasts;
mod global;
mod guard;
mod guess;
mod habits;
mod intermittent;
mod invariance;
mod jobs;
mod join_and_aggregate;
mod labels;
mod language;
mod leakage;
mod lstm;
mod marketing;
mod mending;
mod mstl;
mod normalise;
mod observed;
mod one_path;
#[cfg(feature = "track")]
mod operate;
mod oracles;
#[cfg(feature = "monitor")]
mod overrides;
mod paths;
mod performance;
mod pooled;
mod price;
mod prices;
mod prophet;
mod proposals;
mod quality;
mod random;
mod reading;
mod registry;
mod reports;
#[cfg(feature = "serve")]
mod serve;
mod sources;
mod stack;
mod statistics;
mod stockouts;
mod surfaces;
mod theta_and_ces;
mod totals;
mod tour;
mod tune;
mod uplift;
mod uplift_methods;

use tradewind::prelude::*;

/// The bundled sales with every role in use.
fn sales() -> Panel {
    Panel::read("data/walmart_sales_weekly.csv", columns()).unwrap()
}

fn columns() -> Columns {
    Columns::new(["Store", "Dept"], "Date", "Weekly_Sales")
        .known(["IsHoliday"])
        .observed(["Temperature"])
        .fixed(["Type"])
}

/// A folder of the large data sets, none where they are not.
fn data_folder(name: &str) -> Option<std::path::PathBuf> {
    let folder = std::env::var_os("TRADEWIND_DATA").map(|folder| std::path::Path::new(&folder).join(name));
    let there = folder.filter(|folder| folder.is_dir());
    if there.is_none() {
        skipped(&format!("what compares with {name}"), "TRADEWIND_DATA not set");
    }
    there
}

/// Names a test that cannot run here and why, in the file where the whole run collects such.
fn skipped(name: &str, why: &str) {
    println!("{name}: skipped: {why}");
    let Some(file) = std::env::var_os("TRADEWIND_SKIPPED") else { return };
    use std::io::Write;
    let line = format!("{name}: {why}\n");
    std::fs::OpenOptions::new().append(true).open(file).and_then(|mut file| file.write_all(line.as_bytes())).unwrap();
}
