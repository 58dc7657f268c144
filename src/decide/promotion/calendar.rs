//! Which promotions are planned? A file with the keys, `start`, and optionally `length`, `discount` and `cost`, a row
//! each.

use std::path::Path;

use super::PromotionPolicy;
use super::gains::Run;
use crate::decide::rows::Rows;
use crate::decide::stock::non_negative;
use crate::error::{Error, Result};
use crate::forecast::Forecast;

/// What a row may say beside the keys.
const COLUMNS: [&str; 4] = ["start", "length", "discount", "cost"];

/// A promotion of a file.
pub(super) struct Row {
    pub label: String,
    /// None where the history has no series of it.
    pub series: Option<usize>,
    /// The promotion, or why it cannot be judged.
    pub run: Result<Run, String>,
    /// Its first day as it was written.
    pub date: String,
}

/// The promotions of a file.
///
/// # Errors
/// When the file cannot be read, lacks a column or nearly has one, or a number in it cannot be.
pub(super) fn read(path: &Path, forecast: &Forecast, policy: &PromotionPolicy) -> Result<Vec<Row>> {
    let panel = forecast.panel();
    let file = Rows::read(path, &panel, "start", &["start"])?;
    file.check_names(&COLUMNS)?;
    let calendar = &panel.inner().calendar;
    let starts = file.stamps("start", panel.frequency())?;
    let [lengths, discounts, costs] = ["length", "discount", "cost"].map(|name| file.numbers(name));
    let (lengths, discounts, costs) = (lengths?, discounts?, costs?);
    let mut rows: Vec<Row> = Vec::with_capacity(file.labels().len());
    for (at, label) in file.labels().iter().enumerate() {
        let Some(stamp) = starts[at] else {
            return Err(file.at(at, Error::data("`start` is empty: state the first day of the promotion")));
        };
        let length = lengths[at].unwrap_or(policy.length as f64);
        if !(length >= 1.0 && length.fract() == 0.0 && length <= 10_000.0) {
            return Err(
                file.at(at, Error::data(format!("`length` must be a whole number of steps from 1 on, not {length}")))
            );
        }
        let discount = discounts[at].unwrap_or(policy.discount);
        check_discount("`discount`", discount).map_err(|error| file.at(at, error))?;
        let cost = non_negative("`cost`", costs[at].unwrap_or(policy.spend)).map_err(|error| file.at(at, error))?;
        let series = panel.place_of(label);
        let position = calendar.holding(stamp, panel.inner().columns.stamps);
        let date = calendar.label(position);
        let run = match series {
            None => Err("the history has no series of it".to_string()),
            Some(series) => {
                let (step, horizon) = (position - forecast.start(series), forecast.horizon() as i64);
                let (first, last) = (forecast.start(series), forecast.start(series) + horizon - 1);
                match step {
                    step if step < 0 || step + length as i64 > horizon => Err(format!(
                        "it does not lie within the forecast, {} to {}",
                        calendar.label(first),
                        calendar.label(last)
                    )),
                    step => Ok(Run { start: step as usize, length: length as usize, discount, cost }),
                }
            }
        };
        if let Ok(run) = &run {
            let meets = |other: &&Row| {
                other.series == series
                    && other.run.as_ref().is_ok_and(|other| {
                        run.start < other.start + other.length && other.start < run.start + run.length
                    })
            };
            if let Some(other) = rows.iter().find(meets).filter(|_| !policy.choose) {
                return Err(
                    file.at(at, Error::data(format!("it overlaps the promotion of the same item from {}", other.date)))
                );
            }
        }
        rows.push(Row { label: label.clone(), series, run, date });
    }
    file.check_known(&panel)?;
    Ok(rows)
}

/// Is it a share of the price that can be taken off?
pub(super) fn check_discount(what: &str, discount: f64) -> Result<()> {
    if (0.0..1.0).contains(&discount) {
        return Ok(());
    }
    let meant = if discount > 1.0 && discount < 100.0 {
        format!(", did you mean {}?", discount / 100.0)
    } else {
        String::new()
    };
    Err(Error::usage(format!("{what} is a share of the price from 0 to below 1, not {discount}{meant}")))
}
