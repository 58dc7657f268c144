//! How a frame becomes a panel, and back: types checked, rows sorted, series found, timestamps put on the calendar.

use std::borrow::Borrow;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use polars::prelude::*;

use super::calendar::{Calendar, Frequency, StampKind, micros};
use super::{Columns, Inner, Panel, Provenance, Reading, availability, source};
use crate::error::{Error, Result, first_line};
use crate::files::mark;
use crate::progress;
use crate::show::Table;

/// What is to be known of a saved panel whose values are no longer those that were recorded.
const CLEANED: &str = "cleaned before it was saved: the recorded values are not in the file, so a backtest scores against \
                       the cleaned values";

/// Totals are looked for when a panel of at most so many rows is read: of a million, that takes a quarter of a second.
const GLANCED: usize = 5_000_000;

impl Panel {
    /// Reads the declared columns of a file: text with any delimiter (also packed with gzip or zstd), Parquet, Excel or
    /// OpenDocument, NDJSON; or of a folder or pattern of files (`sales/*.csv`) as one. The format
    /// of text is detected: delimiter, quote, decimal mark, encoding, dates, a column per date.
    ///
    /// # Errors
    /// When the source cannot be read, a declared column is absent, a date or number does not parse (with the line and
    /// the text), or the frequency can be neither inferred nor was stated.
    pub fn read(path: impl AsRef<std::path::Path>, columns: Columns) -> Result<Panel> {
        Self::read_as(path, columns, &Reading::default())
    }

    /// Reads a panel with stated reading options; also from the answer of a query to a SQLite file or a PostgreSQL server
    /// (`postgres://user@host/database`).
    ///
    /// # Errors
    /// As without reading options, and when the database refuses the query.
    pub fn read_as(path: impl AsRef<std::path::Path>, columns: Columns, reading: &Reading) -> Result<Panel> {
        let (frame, origin) = source::read(path.as_ref(), &columns, reading)?;
        let mut panel = from_origin(frame, columns, reading, origin)?;
        let totals = if panel.rows() <= GLANCED { panel.said_of_totals()? } else { None };
        if let Some(inner) = std::sync::Arc::get_mut(&mut panel.0) {
            inner.origin.found.extend(totals);
        }
        panel.remark();
        Ok(panel)
    }

    /// Says on stderr, where progress is shown, how the panel was read.
    pub(crate) fn remark(&self) {
        let origin = &self.inner().origin;
        progress::remark(&origin.source, origin.found.iter().chain(&origin.left_out));
    }

    /// Reads a panel that [`save`](Self::save) wrote as Parquet, with its roles, frequency and features.
    ///
    /// # Errors
    /// When the file cannot be read, or holds no roles.
    pub fn open(path: impl AsRef<std::path::Path>) -> Result<Panel> {
        let path = path.as_ref();
        crate::files::allowed(path)?;
        match source::saved_columns(path) {
            Some(columns) => Self::read(path, columns),
            None if crate::files::exists(path) => Err(Error::data(format!(
                "{} does not say which columns are key, time and target, as a panel saved as Parquet does; state them",
                path.display()
            ))),
            None => Err(crate::files::missing(path)),
        }
    }

    /// Does a file hold a panel that [`save`](Self::save) wrote, which can be opened without its columns being stated?
    pub fn is_saved(path: impl AsRef<std::path::Path>) -> bool {
        source::saved_columns(path.as_ref()).is_some()
    }

    /// Writes the panel, whole or not at all: as Parquet with its roles, frequency and features, so that it
    /// can be opened as it is; as CSV or JSON the data alone.
    ///
    /// The values are written as cleaned, without those recorded before: a backtest of the file cannot clean its
    /// training sets by themselves and scores against the cleaned values. Reading such a Parquet file reports this.
    ///
    /// # Errors
    /// When the file cannot be written, or its name ends otherwise.
    pub fn save(&self, path: impl AsRef<std::path::Path>) -> Result<()> {
        let path = path.as_ref();
        if !crate::files::is_parquet(path) {
            return Table::new(self.to_frame()).save(path);
        }
        let columns = Columns { frequency: Some(self.frequency()), season: Some(self.season()), ..self.columns() };
        let unwritten = || Error::io(format!("{}: the panel's columns cannot be written", path.display()));
        let text = serde_json::to_string(&columns).map_err(|cause| unwritten().because(cause))?;
        match serde_json::from_str::<Columns>(&text) {
            Ok(again) if again == columns => {}
            Ok(_) => return Err(unwritten().because("they would not be read as they are")),
            Err(cause) => return Err(unwritten().because(cause)),
        }
        let mut told = vec![(source::ROLES, text)];
        if self.recorded().is_some() || self.inner().origin.found.iter().any(|remark| remark == CLEANED) {
            told.push((source::CLEANED, CLEANED.to_string()));
        }
        let mut bytes = Vec::new();
        ParquetWriter::new(&mut bytes).with_key_value_metadata(mark::parquet(told)).finish(&mut self.to_frame())?;
        crate::files::write_atomically(path, &bytes)
    }

    /// Takes the declared columns of a polars frame; a reference will do, and costs no copy of the values.
    ///
    /// # Errors
    /// When a declared column is absent or of a type that cannot serve, or the frequency can be neither inferred nor
    /// was stated.
    ///
    /// ```
    /// use tradewind::polars::prelude::*;
    /// use tradewind::prelude::*;
    /// let frame = df!("week" => [1, 2, 3], "sold" => [5.0, 7.0, 6.0])?;
    /// let panel = Panel::from_frame(frame, Columns::new([""; 0], "week", "sold"))?;
    /// assert_eq!(panel.to_frame().height(), 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_frame(frame: impl Borrow<DataFrame>, columns: Columns) -> Result<Panel> {
        let origin = Provenance { source: "the frame".into(), ..Provenance::default() };
        from_origin(frame.borrow().clone(), columns, &Reading::default(), origin)
    }

    /// As [`from_frame`](Self::from_frame), for a part of a file.
    pub(crate) fn from_part(frame: DataFrame, columns: Columns, reading: &Reading) -> Result<Panel> {
        from_origin(frame, columns, reading, Provenance { source: "the part".into(), ..Provenance::default() })
    }

    /// The files that a path, a folder or a pattern names, in the order of their names.
    pub(crate) fn files(place: &std::path::Path) -> Result<Vec<std::path::PathBuf>> {
        source::files(place)
    }

    /// The columns that a panel kept in a Parquet file; none if it is another file.
    pub(crate) fn saved_columns(path: &std::path::Path) -> Option<Columns> {
        source::saved_columns(path)
    }

    /// The rows of a file with future covariates: key, time and covariates.
    pub(crate) fn read_future(path: &std::path::Path, columns: &Columns) -> Result<DataFrame> {
        source::read_future(path, columns, None).map(|(frame, _)| frame)
    }

    /// The declared columns in their input types, sorted by key and time; whole numbers that say periods (202412) have
    /// become dates.
    pub fn to_frame(&self) -> DataFrame {
        self.inner().frame.clone()
    }
}

fn from_origin(frame: DataFrame, columns: Columns, reading: &Reading, mut origin: Provenance) -> Result<Panel> {
    let present: Vec<&str> = frame.get_column_names().into_iter().map(PlSmallStr::as_str).collect();
    columns.check(&present, &origin.source)?;
    if frame.height() == 0 {
        return Err(Error::data(format!("{} has no rows", origin.source)));
    }
    let mut frame = frame.select(columns.names())?;
    let time = frame.column(&columns.time)?.clone();
    let zone = reading.time_zone.as_deref();
    frame.with_column(source::time_column(&time, &columns, zone, &mut origin)?)?;
    let time = frame.column(&columns.time)?;
    if StampKind::of(time.dtype()).is_none() {
        return Err(Error::data(format!(
            "column `{}` of {} holds {}, not dates, times or whole numbers",
            columns.time,
            origin.source,
            time.dtype()
        )));
    }
    if time.null_count() > 0 {
        let row = time.is_null().iter().position(|null| null == Some(true)).unwrap_or(0);
        return Err(Error::data(format!(
            "{} rows of {} have no timestamp in column `{}` (first: {}); correct them, or leave such rows out: {}",
            time.null_count(),
            origin.source,
            columns.time,
            origin.row_text(row),
            source::LEAVE_OUT,
        )));
    }
    let (target, mut unreadable) = source::target_numbers(frame.column(&columns.target)?, &origin)?;
    source::nothing_in_target(&columns.target, &mut unreadable, &mut origin);
    origin.unreadable = Arc::new(unreadable.into_iter().collect());
    frame.with_column(target)?;
    if let Some(name) = &columns.available {
        frame.with_column(availability::flags(frame.column(name)?, &origin)?)?;
    }
    let (mut frame, rows) = sorted(frame, &columns)?;
    origin.rows = rows;
    origin.reading = reading.clone();
    if let Some(per) = &reading.per {
        let before = frame.height();
        let (summed, firsts) = source::per_period(&frame, &columns, per)?;
        frame = summed;
        origin.rows = firsts.iter().map(|row| origin.rows[*row]).collect();
        origin.found.push(format!("{before} transactions summed by {per}"));
    }
    let stamps = stamps(frame.column(&columns.time)?)?;
    let spans = spans(&frame, &columns)?;
    let dtype = frame.column(&columns.time)?.dtype().clone();
    let kind = StampKind::of(&dtype).unwrap_or(StampKind::Whole);
    let (frequency, said) = match (columns.frequency, &reading.per) {
        (Some(stated), _) => {
            if stated.is_whole() != (kind == StampKind::Whole) {
                return Err(Error::usage(format!(
                    "the stated frequency is {stated}, but column `{}` holds {dtype}",
                    columns.time
                )));
            }
            stated.anchored(&stamps)
        }
        (None, Some(per)) => per.parse::<Frequency>()?.without_shut_days(&stamps),
        (None, None) => Frequency::infer(kind, spans.iter().map(|span| &stamps[span.clone()]))?,
    };
    origin.found.extend(said);
    let season = columns.season.unwrap_or_else(|| frequency.season());
    let mut panel = assemble(frame, &columns, Calendar { frequency, dtype }, season, origin)?;
    panel.available_rows()?;
    let guessed = columns.frequency.is_none() && reading.per.is_none();
    let said = [panel.said_of_gaps().filter(|_| guessed), panel.said_of_shut_days(), panel.said_of_long_years()];
    if let Some(inner) = Arc::get_mut(&mut panel.0) {
        inner.origin.found.extend(said.into_iter().flatten());
    }
    Ok(panel)
}

impl Panel {
    /// What is to be said of a frequency that was found where many of its steps have no row: it may be another one.
    fn said_of_gaps(&self) -> Option<String> {
        /// The share of steps without a row from which it is said.
        const MANY: f64 = 0.1;
        let steps = |i: usize| {
            let positions = self.positions(i);
            let rows = positions.len() - positions.windows(2).filter(|pair| pair[0] == pair[1]).count();
            let reach = positions.last()?.saturating_sub(*positions.first()?).saturating_add(1);
            Some((rows as f64, reach as f64))
        };
        let (rows, reach) = (0..self.len()).filter_map(steps).fold((0.0, 0.0), |(a, b), (c, d)| (a + c, b + d));
        let share = 1.0 - rows / reach;
        (share >= MANY).then(|| {
            format!(
                "the frequency, {}, is a guess: {:.0} % of its steps have no row; state it if it is another (freq)",
                self.frequency(),
                100.0 * share
            )
        })
    }
}

impl Panel {
    /// What is to be said of series that never have a row on a day of the week on which others have: a panel has one calendar.
    fn said_of_shut_days(&self) -> Option<String> {
        /// Weeks of a history from which it is said.
        const WEEKS: i64 = 4;
        let week = self.frequency().week().filter(|week| (2..=7).contains(week))?;
        let mut shut: Vec<(usize, usize)> = Vec::new();
        for i in 0..self.len() {
            let positions = self.positions(i);
            let mut rows = vec![0_i64; week];
            positions.iter().for_each(|position| rows[position.rem_euclid(week as i64) as usize] += 1);
            let weeks = positions.last()?.saturating_sub(*positions.first()?) / week as i64;
            let open = rows.iter().max().copied().unwrap_or(0);
            if weeks >= WEEKS && 2 * open > weeks {
                shut.extend((0..week).filter(|day| rows[*day] == 0).map(|day| (i, day)));
            }
        }
        let (first, day) = shut.first()?;
        let mut series: Vec<usize> = shut.iter().map(|(i, _)| *i).collect();
        series.dedup();
        let at = self.positions(*first).first()?;
        let named = (*at..at + week as i64).find(|position| position.rem_euclid(week as i64) == *day as i64)?;
        let weekday = super::day_of(self.frequency().stamp(named))?.format("%A");
        Some(format!(
            "{} of {} series never have a row on some day of the week on which others have (first: {}, on {weekday}s): forecasts \
             cover it all the same; with gaps=fill, missing=zero nothing is sold then",
            series.len(),
            self.len(),
            self.label(*first)
        ))
    }

    /// What is to be said of retail years of 53 weeks: whatever is compared with it a year before or after is a week apart.
    pub(super) fn said_of_long_years(&self) -> Option<String> {
        let (frequency, (first, last)) = (self.frequency(), self.extent()?);
        let reach = (last - first).clamp(0, 1_000);
        let long: Vec<String> = (last - reach..=last + self.season() as i64)
            .filter(|position| frequency.has_extra_week(*position))
            .map(|position| self.inner().calendar.label(position))
            .collect();
        (!long.is_empty()).then(|| {
            format!(
                "a year of 53 weeks: the {} dated {} has a week more than that of the years before and after; the feature \
                 `days` tells models so",
                frequency.noun(),
                long.join(", ")
            )
        })
    }
}

/// A panel from a sorted frame of declared columns on a known calendar.
pub(crate) fn assemble(
    frame: DataFrame,
    columns: &Columns,
    calendar: Calendar,
    season: usize,
    mut origin: Provenance,
) -> Result<Panel> {
    let stamps = stamps(frame.column(&columns.time)?)?;
    let spans = spans(&frame, columns)?;
    let mut off_calendar = Vec::new();
    let positions = stamps
        .iter()
        .enumerate()
        .map(|(row, stamp)| {
            let (position, exact) = calendar.frequency.position(*stamp);
            if exact {
                return position;
            }
            off_calendar.push(row);
            // It stands for the nearest position, so that one day's slip is neither a gap nor a duplicate.
            let (before, after) = (calendar.frequency.stamp(position), calendar.frequency.stamp(position + 1));
            if after.saturating_sub(*stamp) < stamp.saturating_sub(before) { position + 1 } else { position }
        })
        .collect();
    origin.off_calendar = off_calendar;
    let target = numbers(frame.column(&columns.target)?)?;
    let firsts: Vec<IdxSize> = spans.iter().map(|span| span.start as IdxSize).collect();
    let keys = frame.select(columns.keys.iter().map(String::as_str))?;
    let keys = if columns.keys.is_empty() { keys } else { keys.take(&IdxCa::from_vec("".into(), firsts))? };
    let labels = labels_of(&keys, spans.len())?;
    Ok(Panel(Arc::new(Inner {
        columns: columns.clone(),
        calendar,
        season,
        frame,
        keys,
        labels: labels.into(),
        by_label: Arc::default(),
        spans,
        positions,
        target,
        origin,
        recorded: None,
        hierarchy: None,
        matrix: OnceLock::new(),
    })))
}

impl Provenance {
    /// `line 17` of a text file, `row 16` of anything else, and of which file if there are several.
    pub(crate) fn row_text(&self, row: usize) -> String {
        let part = self.parts.partition_point(|(_, first)| *first <= row).checked_sub(1);
        let (name, first) = part.map_or(("", 0), |part| (self.parts[part].0.as_str(), self.parts[part].1));
        let place = match self.lines.get(row) {
            Some(line) if *line > 0 => format!("line {line}"),
            _ => format!("row {}", row - first),
        };
        if self.parts.len() > 1 { format!("{place} of {name}") } else { place }
    }
}

/// Sorted by key, then time, rows with the same timestamp in their input order; and where each row came from.
fn sorted(frame: DataFrame, columns: &Columns) -> Result<(DataFrame, Vec<u32>)> {
    const ROW: &str = "tradewind row";
    let mut frame = frame;
    let rows: Vec<u32> =
        (0..u32::try_from(frame.height()).map_err(|_| Error::data("more than 4 billion rows"))?).collect();
    frame.with_column(Column::new(ROW.into(), rows))?;
    let by: Vec<PlSmallStr> =
        columns.keys.iter().chain([&columns.time]).map(|name| PlSmallStr::from_str(name)).collect();
    let mut frame = frame.sort(by, SortMultipleOptions::default().with_maintain_order(true))?;
    let rows = frame.drop_in_place(ROW)?;
    frame.rechunk_mut();
    let rows = rows.u32()?.into_no_null_iter().collect();
    Ok((frame, rows))
}

/// The row range of each series in a sorted frame.
pub(crate) fn spans(frame: &DataFrame, columns: &Columns) -> Result<Vec<Range<usize>>> {
    let height = frame.height();
    let mut starts = vec![false; height];
    if height > 0 {
        starts[0] = true;
    }
    for key in &columns.keys {
        let column = frame.column(key)?.as_materialized_series();
        let changed = column.not_equal_missing(&column.shift(1))?;
        for (start, changed) in starts.iter_mut().zip(changed.iter()).skip(1) {
            *start |= changed.unwrap_or(true);
        }
    }
    let firsts: Vec<usize> = starts.iter().enumerate().filter(|(_, start)| **start).map(|(row, _)| row).collect();
    Ok(firsts.iter().enumerate().map(|(i, first)| *first..firsts.get(i + 1).copied().unwrap_or(height)).collect())
}

/// The timestamps of a time column in microseconds, or the whole numbers themselves.
pub(crate) fn stamps(column: &Column) -> Result<Vec<i64>> {
    let (multiply, divide) = micros(column.dtype());
    let physical = column.to_physical_repr().strict_cast(&DataType::Int64).map_err(|cause| {
        Error::data(format!("column `{}` holds numbers beyond the range of timestamps", column.name()))
            .because(first_line(&cause))
    })?;
    Ok(physical.i64()?.iter().map(|raw| raw.unwrap_or(0).saturating_mul(multiply).div_euclid(divide)).collect())
}

pub(super) fn raw_stamp(frame: &DataFrame, time: &str, row: usize) -> Option<i64> {
    stamps(&frame.column(time).ok()?.slice(row as i64, 1)).ok()?.first().copied()
}

/// A time column of the input's type from positions on the calendar.
pub(crate) fn stamp_column(calendar: &Calendar, name: &str, positions: impl Iterator<Item = i64>) -> Result<Column> {
    let (multiply, divide) = micros(&calendar.dtype);
    let raw: Vec<i64> = positions
        .map(|position| calendar.frequency.stamp(position).saturating_mul(divide).div_euclid(multiply))
        .collect();
    let column = Column::new(name.into(), raw);
    let physical = column.strict_cast(&calendar.dtype.to_physical()).map_err(|_| {
        Error::data(format!(
            "future timestamps are beyond the range of column `{name}` ({}); use a wider type",
            calendar.dtype
        ))
    })?;
    Ok(physical.cast(&calendar.dtype)?)
}

/// A numeric column as `f64`, NaN where it is missing or not finite.
pub(super) fn numbers(column: &Column) -> Result<Vec<f64>> {
    let column = column.cast(&DataType::Float64)?;
    let values = column.f64()?;
    Ok(values.iter().map(|value| value.filter(|v| v.is_finite()).unwrap_or(f64::NAN)).collect())
}

/// The cell of a key column that a sum of series does not have in common.
pub(crate) const ALL: &str = "(all)";

/// `Store=1, Dept=3` for each row of the key frame, `Store=1` for the sum of a store, `total` for that of everything; `all` for
/// a panel without keys.
pub(crate) fn labels_of(keys: &DataFrame, series: usize) -> Result<Vec<String>> {
    if keys.width() == 0 {
        return Ok(vec!["all".into(); series]);
    }
    let mut labels = vec![String::new(); series];
    for column in keys.columns() {
        let texts = column.cast(&DataType::String)?;
        for (label, text) in labels.iter_mut().zip(texts.str()?.iter()) {
            if text == Some(ALL) {
                continue;
            }
            if !label.is_empty() {
                label.push_str(", ");
            }
            label.push_str(column.name());
            label.push('=');
            label.push_str(text.unwrap_or("(missing)"));
        }
    }
    labels.iter_mut().filter(|label| label.is_empty()).for_each(|label| label.push_str(super::hierarchy::TOTAL));
    Ok(labels)
}
