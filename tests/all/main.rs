//! One test program whose files mirror the rooms.
mod audit;
mod bad_input;
mod cli;
mod contract;
mod features;
mod join_and_aggregate;
mod language;
mod normalise;
mod oracles;
mod paths;
mod quality;
mod sources;
mod surfaces;

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

/// Names a test that cannot run here and why, in the file where the whole run collects such.
#[allow(dead_code)]
fn skipped(name: &str, why: &str) {
    println!("{name}: skipped: {why}");
    let Some(file) = std::env::var_os("TRADEWIND_SKIPPED") else { return };
    use std::io::Write;
    let line = format!("{name}: {why}\n");
    std::fs::OpenOptions::new().append(true).open(file).and_then(|mut file| file.write_all(line.as_bytes())).unwrap();
}
