//! How do many rows per day become one?

use polars::prelude::*;

use crate::error::{Error, Result};
use crate::panel::Columns;
use crate::panel::calendar::{Calendar, Frequency, StampKind};
use crate::panel::covariates::is_number;
use crate::panel::frame::{numbers, spans, stamp_column, stamps};

/// Sums a sorted frame's targets by series and period; the other columns come from the first row of each period, whose
/// index is returned. Numeric covariates are averaged, of others the first counts; the target of a period without any
/// value is missing.
pub(in crate::panel) fn per_period(frame: &DataFrame, columns: &Columns, per: &str) -> Result<(DataFrame, Vec<usize>)> {
    let frequency: Frequency = per.parse()?;
    let dtype = frame.column(&columns.time)?.dtype().clone();
    if StampKind::of(&dtype) != Some(StampKind::Clock) || !frequency.is_day_or_part() {
        return Err(Error::usage(format!(
            "transactions are summed by the day or a part of it (per = \"D\", \"h\", \"15min\"), not by `{per}`; \
             aggregate the panel to longer periods afterwards"
        )));
    }
    let times = stamps(frame.column(&columns.time)?)?;
    let mut starts: Vec<usize> = Vec::new();
    let mut positions: Vec<i64> = Vec::new();
    for span in spans(frame, columns)? {
        let first = span.start;
        for row in span {
            let position = frequency.position(times[row]).0;
            if row == first || positions.last() != Some(&position) {
                starts.push(row);
                positions.push(position);
            }
        }
    }
    let groups = |values: Vec<f64>, of: &dyn Fn(f64, usize) -> f64| -> Vec<Option<f64>> {
        let end = |group: usize| starts.get(group + 1).copied().unwrap_or(values.len());
        (0..starts.len())
            .map(|group| {
                let given = values[starts[group]..end(group)].iter().filter(|value| !value.is_nan());
                let (sum, n) = given.fold((0.0, 0), |(sum, n), value| (sum + value, n + 1));
                (n > 0).then(|| of(sum, n))
            })
            .collect()
    };
    let firsts = IdxCa::from_vec("".into(), starts.iter().map(|row| *row as IdxSize).collect());
    let mut summed = frame.take(&firsts)?;
    let target = numbers(frame.column(&columns.target)?)?;
    summed.with_column(Column::new(columns.target.as_str().into(), groups(target, &|sum, _| sum)))?;
    if let Some(name) = &columns.available {
        let means = groups(numbers(frame.column(name)?)?, &|sum, n| sum / n as f64);
        summed.with_column(Column::new(name.as_str().into(), means))?;
    }
    for (name, _) in &columns.covariates {
        let column = frame.column(name)?;
        if is_number(column.dtype()) && !column.dtype().is_bool() {
            let means = groups(numbers(column)?, &|sum, n| sum / n as f64);
            summed.with_column(Column::new(name.as_str().into(), means))?;
        }
    }
    let dtype = match frequency.noun() {
        "day" => DataType::Date,
        _ => DataType::Datetime(TimeUnit::Microseconds, None),
    };
    summed.with_column(stamp_column(&Calendar { frequency, dtype }, &columns.time, positions.into_iter())?)?;
    Ok((summed, starts))
}
