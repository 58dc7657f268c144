//! Which rows does a cleaned panel have? Copies, rows that contradict each other, launches, ends.

use super::{Duplicates, Row, Work};
use crate::error::{Error, Result};
use crate::panel::doubled::Doubled;
use crate::show::number;

/// The most rows that `ends = "panel"` adds.
const MOST_ADDED: i64 = 200_000_000;

impl Duplicates {
    /// The policy as people write it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Identical => "identical",
            Self::Sum => "sum",
            Self::Mean => "mean",
            Self::Last => "last",
            Self::IdenticalSum => "identical-sum",
            Self::IdenticalMean => "identical-mean",
            Self::IdenticalLast => "identical-last",
        }
    }

    /// Are copies dropped before the rest is combined?
    fn drops_copies(self) -> bool {
        matches!(self, Self::Identical | Self::IdenticalSum | Self::IdenticalMean | Self::IdenticalLast)
    }

    /// Are rows combined that contradict each other?
    fn combines(self) -> bool {
        !matches!(self, Self::Error | Self::Identical)
    }
}

impl Work<'_> {
    pub(super) fn duplicates(&mut self, policy: Duplicates) -> Result<()> {
        // A timestamp off the calendar stands for the nearest one: its row is no duplicate.
        let same = |a: &Row, b: &Row| a.series == b.series && a.position == b.position && !a.off && !b.off;
        if !self.rows.windows(2).any(|pair| same(&pair[0], &pair[1])) {
            return Ok(());
        }
        let groups = self.rows.chunk_by(same).filter(|group| group.len() > 1);
        let groups =
            groups.map(|group| (group[0].series, group[0].position, group.iter().map(|row| row.row).collect()));
        let doubled = Doubled::of(self.panel, groups.collect())?;
        if !policy.combines() && (!policy.drops_copies() || doubled.contradictions() > 0) {
            return Err(self.panel.duplicates_error(&doubled, policy.drops_copies()));
        }
        let rows = std::mem::take(&mut self.rows);
        let mut groups = doubled.groups.iter();
        for group in rows.chunk_by(same) {
            let several = if group.len() > 1 { groups.next() } else { None };
            let Some(found) = several.filter(|_| policy.drops_copies()) else {
                self.combine(group, policy);
                continue;
            };
            let (mut kept, mut copies) = (Vec::with_capacity(group.len()), Vec::new());
            for (row, copy_of) in group.iter().zip(&found.copy_of) {
                match copy_of {
                    None => kept.push(*row),
                    Some(first) => copies.push((*row, group[*first])),
                }
            }
            for (copy, first) in copies {
                let place = |row: Row| self.panel.place_of_row(row.row);
                let which = place(copy).map_or_else(String::new, |place| format!(" ({place})"));
                let of = place(first).unwrap_or_else(|| "another row".into());
                self.note(
                    "copies",
                    copy,
                    copy.target,
                    number(copy.target),
                    format!("the row{which} removed, a copy of {of}"),
                );
            }
            self.combine(&kept, policy);
        }
        Ok(())
    }

    /// One row of those for one timestamp.
    fn combine(&mut self, group: &[Row], policy: Duplicates) {
        let Some(last) = group.last().copied() else { return };
        if group.len() == 1 {
            self.rows.push(last);
            return;
        }
        let one = |value: fn(&Row) -> f64| {
            let observed: Vec<f64> = group.iter().map(value).filter(|y| !y.is_nan()).collect();
            let sum: f64 = observed.iter().sum();
            match policy {
                _ if observed.is_empty() => (f64::NAN, "missing"),
                Duplicates::Sum | Duplicates::IdenticalSum => (sum, "their sum"),
                Duplicates::Mean | Duplicates::IdenticalMean => (sum / observed.len() as f64, "their mean"),
                Duplicates::Last | Duplicates::IdenticalLast | Duplicates::Identical | Duplicates::Error => {
                    (value(&last), "the last")
                }
            }
        };
        let ((target, word), (actual, _)) = (one(|row| row.target), one(|row| row.actual));
        let values: Vec<String> = group.iter().map(|row| number(row.target)).collect();
        self.note("duplicates", last, target, values.join(" and "), format!("one row with {word}, {}", number(target)));
        self.rows.push(Row { target, actual, ..last });
    }

    /// Removes the rows before the first sale of a series: it was not offered yet. One that never sold anything may be
    /// offered all the same, and stays.
    pub(super) fn starts(&mut self) {
        let rows = std::mem::take(&mut self.rows);
        for series in rows.chunk_by(|a, b| a.series == b.series) {
            let sells = |row: &Row| !row.off && row.target != 0.0 && !row.target.is_nan();
            let first = series.iter().position(sells).unwrap_or(0);
            let (before, after) = series.split_at(first);
            // Rows without a value are no launch by themselves.
            let launch = before.iter().any(|row| !row.off && row.target == 0.0);
            for row in before {
                if !launch || row.off {
                    self.rows.push(*row);
                    continue;
                }
                let value = if row.target.is_nan() { "missing".into() } else { number(row.target) };
                self.note("launch", *row, f64::NAN, value, "the row removed: before the first sale".into());
            }
            self.rows.extend(after);
        }
    }

    /// Adds rows up to the last timestamp of the panel to series that end before it.
    pub(super) fn ends(&mut self) -> Result<()> {
        let of = |a: &Row, b: &Row| a.series == b.series;
        let lasts = || self.rows.chunk_by(of).filter_map(|series| series.last());
        let Some(end) = lasts().map(|row| row.position).max() else { return Ok(()) };
        let added: i64 = lasts().map(|row| end.saturating_sub(row.position)).fold(0, i64::saturating_add);
        if added > MOST_ADDED {
            return Err(Error::data(format!(
                "{} rows would be added, so that all series end on {}; check that timestamp, or leave the ends as they are",
                number(added as f64),
                self.panel.inner().calendar.label(end)
            )));
        }
        let rows = std::mem::take(&mut self.rows);
        self.rows.reserve(rows.len() + added as usize);
        for series in rows.chunk_by(of) {
            self.rows.extend_from_slice(series);
            let before = series[series.len() - 1];
            for position in before.position + 1..=end {
                let row = before.added_at(position);
                let action = "a row added up to the panel's last timestamp, its target missing";
                self.note("gaps", row, f64::NAN, "no row".into(), action.into());
                self.rows.push(row);
            }
        }
        Ok(())
    }
}
