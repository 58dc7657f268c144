//! One test program whose files mirror the rooms.
mod bad_input;
mod cli;
mod contract;
mod normalise;
mod oracles;
mod paths;
mod quality;
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
