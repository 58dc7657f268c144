//! What does a figure show, as numbers? A table in the making: columns of names, numbers and times, of whatever
//! lengths.

use polars::prelude::*;

use super::TimeAxis;
use crate::show::Table;

/// The columns of a table; those that are too short end in empty cells.
#[derive(Default)]
pub(crate) struct Data {
    columns: Vec<(String, Cells)>,
}

enum Cells {
    Names(Vec<Option<String>>),
    Numbers(Vec<Option<f64>>),
    Counts(Vec<Option<u64>>),
    /// Milliseconds since 1970.
    Times(Vec<Option<i64>>),
}

impl Data {
    /// A column of names.
    pub(crate) fn names<N: Into<String>>(self, name: &str, values: impl IntoIterator<Item = N>) -> Self {
        self.with(name, Cells::Names(values.into_iter().map(|value| Some(value.into())).collect()))
    }

    /// A column of numbers; NaN is an empty cell.
    pub(crate) fn numbers(self, name: &str, values: impl IntoIterator<Item = f64>) -> Self {
        self.with(name, Cells::Numbers(values.into_iter().map(|value| (!value.is_nan()).then_some(value)).collect()))
    }

    /// A column of whole numbers.
    pub(crate) fn counts(self, name: &str, values: impl IntoIterator<Item = usize>) -> Self {
        self.with(name, Cells::Counts(values.into_iter().map(|value| Some(value as u64)).collect()))
    }

    /// The places on a time axis, as `date` or `step`.
    pub(crate) fn places(self, axis: TimeAxis, values: impl IntoIterator<Item = f64>) -> Self {
        match axis {
            TimeAxis::Steps => self.numbers("step", values),
            TimeAxis::Dates => {
                let stamp = |seconds: f64| seconds.is_finite().then(|| (seconds * 1e3).round() as i64);
                self.with("date", Cells::Times(values.into_iter().map(stamp).collect()))
            }
        }
    }

    /// The same columns of lines that lie over one axis: a row for each place that one of them has.
    pub(crate) fn lines(self, axis: TimeAxis, lines: &[(String, &[f64], &[f64])]) -> Self {
        let mut places: Vec<f64> = lines.iter().flat_map(|(_, x, _)| x.iter().copied()).collect();
        places.sort_by(f64::total_cmp);
        places.dedup_by(|a, b| a.total_cmp(b).is_eq());
        let mut data = self.places(axis, places.iter().copied());
        for (name, x, y) in lines {
            let mut values = vec![f64::NAN; places.len()];
            for (x, y) in x.iter().zip(*y) {
                if let Ok(at) = places.binary_search_by(|place| place.total_cmp(x)) {
                    values[at] = *y;
                }
            }
            data = data.numbers(name, values);
        }
        data
    }

    /// The same rows under one name, in a column before the others.
    pub(crate) fn headed(mut self, name: &str, value: &str) -> Self {
        let cells = Cells::Names(vec![Some(value.to_string()); self.height()]);
        self.columns.insert(0, (name.to_string(), cells));
        self
    }

    /// Number of rows.
    fn height(&self) -> usize {
        let lengths = self.columns.iter().map(|(_, cells)| match cells {
            Cells::Names(values) => values.len(),
            Cells::Numbers(values) => values.len(),
            Cells::Counts(values) => values.len(),
            Cells::Times(values) => values.len(),
        });
        lengths.max().unwrap_or(0)
    }

    /// The rows of `other` below these; columns that one of the two lacks are empty there.
    pub(crate) fn above(mut self, other: Self) -> Self {
        let height = self.height();
        for (name, cells) in other.columns {
            match self.columns.iter_mut().find(|(known, _)| *known == name) {
                Some((_, known)) => known.append(height, cells),
                None => {
                    let mut column = cells.empty();
                    column.append(height, cells);
                    self.columns.push((name, column));
                }
            }
        }
        self
    }

    /// The table, under a title.
    pub(crate) fn table(self, title: &str) -> Table {
        let height = self.height();
        let columns = self.columns.into_iter().map(|(name, cells)| cells.column(&name, height)).collect();
        // All columns are of one length and have names of their own: there is nothing that polars could refuse.
        let frame = DataFrame::new(height, columns).unwrap_or_default();
        Table::new(frame).titled(title)
    }

    fn with(mut self, name: &str, cells: Cells) -> Self {
        // Two models may bear one name.
        let taken = |name: &str| self.columns.iter().any(|(known, _)| known == name);
        let mut own = name.to_string();
        let mut number = 2;
        while taken(&own) {
            own = format!("{name} ({number})");
            number += 1;
        }
        self.columns.push((own, cells));
        self
    }
}

impl Cells {
    fn empty(&self) -> Self {
        match self {
            Self::Names(_) => Self::Names(Vec::new()),
            Self::Numbers(_) => Self::Numbers(Vec::new()),
            Self::Counts(_) => Self::Counts(Vec::new()),
            Self::Times(_) => Self::Times(Vec::new()),
        }
    }

    /// Other cells of the same kind, from row `height` on.
    fn append(&mut self, height: usize, other: Self) {
        fn below<T: Clone>(cells: &mut Vec<Option<T>>, height: usize, other: Vec<Option<T>>) {
            cells.resize(height, None);
            cells.extend(other);
        }
        match (self, other) {
            (Self::Names(cells), Self::Names(other)) => below(cells, height, other),
            (Self::Numbers(cells), Self::Numbers(other)) => below(cells, height, other),
            (Self::Counts(cells), Self::Counts(other)) => below(cells, height, other),
            (Self::Times(cells), Self::Times(other)) => below(cells, height, other),
            // A name has one kind in all figures.
            _ => {}
        }
    }

    fn column(self, name: &str, height: usize) -> Column {
        fn to<T: Clone>(mut cells: Vec<Option<T>>, height: usize) -> Vec<Option<T>> {
            cells.resize(height, None);
            cells
        }
        let name = PlSmallStr::from_str(name);
        match self {
            Self::Names(cells) => Column::new(name, to(cells, height)),
            Self::Numbers(cells) => Column::new(name, to(cells, height)),
            Self::Counts(cells) => Column::new(name, to(cells, height)),
            Self::Times(cells) => {
                let stamps = Int64Chunked::from_iter_options(name, to(cells, height).into_iter());
                stamps.into_datetime(TimeUnit::Milliseconds, None).into_series().into_column()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_other_lengths_and_equal_names_stand_beside_each_other() {
        let data = Data::default().names("name", ["a", "b"]).numbers("x", [1.0]).numbers("x", [f64::NAN, 3.0]);
        let table = data.table("Title");
        assert_eq!((table.rows(), table.columns()), (2, vec!["name".into(), "x".into(), "x (2)".into()]));
        assert_eq!(table.get(1, "x").unwrap().to_string(), "–");
        assert_eq!(table.get(1, "x (2)").unwrap().to_string(), "3");
        assert_eq!(table.title(), Some("Title"));
    }

    #[test]
    fn lines_share_their_places() {
        let (x, y) = ([86_400.0, 172_800.0], [5.0, 6.0]);
        let lines = [("one".to_string(), &x[..], &y[..]), ("other".to_string(), &x[1..], &y[..1])];
        let table = Data::default().lines(TimeAxis::Dates, &lines).table("");
        assert_eq!(table.rows(), 2);
        assert_eq!(table.get(1, "date").unwrap().to_string(), "1970-01-03");
        assert_eq!(table.get(0, "other").unwrap().to_string(), "–");
        assert_eq!(table.get(1, "other").unwrap().to_string(), "5");
    }

    #[test]
    fn tables_stand_above_each_other() {
        let one = Data::default().names("series", ["a"]).numbers("x", [1.0]);
        let table = one.above(Data::default().names("series", ["b"]).numbers("y", [2.0])).table("");
        assert_eq!((table.rows(), table.columns().len()), (2, 3));
        assert_eq!(table.get(1, "x").unwrap().to_string(), "–");
        assert_eq!(table.get(1, "y").unwrap().to_string(), "2");
    }
}
