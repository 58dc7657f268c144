//! How does a program that holds the data elsewhere get them forecast? It writes an Arrow stream to our standard input, and reads one
//! from our standard output: Spark by `mapInArrow`, anything else by a pipe.
//!
//! **What comes out is known before what goes in**: the columns and their types follow from the plan and the types of the keys and the
//! time alone, in a fixed order, since Spark matches columns by place. Whole numbers are signed with 64 bits, texts have no
//! dictionary, times are microseconds or days: what every consumer takes.
//!
//! **A series has the same forecast in whatever company it comes.** A stream sees a part of the data, and which part is a matter of
//! partitioning. So the frequency has to be stated, and where a model's series share something, as the intervals of
//! `auto` do, each series is fitted by itself. Rows may come in any order.
//!
//! The input is copied to a temporary folder, for an Arrow stream cannot be read twice, and series may be scattered over it; memory
//! holds one chunk of series. There is no resuming: whoever sends the data sends them again.

use std::io::{BufReader, ErrorKind, Read, Write};
use std::path::Path;

use polars::prelude::*;
use polars_arrow::io::ipc::read::{StreamMetadata, StreamReader, StreamState, read_stream_metadata};
use polars_arrow::io::ipc::write::{StreamWriter, WriteOptions};
use rayon::prelude::*;

use super::Work;
use crate::error::{Error, Result, first_line};
use crate::files::{self, io_error};
use crate::forecast::{Forecast, quantile_name, quantiles_of};
use crate::models::Fits;
use crate::panel::{Columns, Panel, spans};
use crate::plan::Plan;
use crate::progress;

/// What the parts of a stream are called in errors.
const INPUT: &str = "the standard input";
/// Series that are fitted by themselves at a time.
const TOGETHER: usize = 512;

impl Plan {
    /// The forecast of every model for the series of an Arrow stream, as an Arrow stream: keys, time, `model`, `form` (what the model
    /// chose, such as `ETS(A,N,A)`), `mean`, quantiles and `failure`, a row for each step. A series that a model could not forecast
    /// has one row, with the reason in `failure` and neither time nor mean.
    ///
    /// Series may be scattered over the input; how the data are divided among several streams changes no forecast. A consumer that stops
    /// reading ends the work without an error.
    ///
    /// # Errors
    /// When the plan states no frequency, or asks for what needs all series at once; when the input is no Arrow stream, ends before
    /// its end, or lacks a column.
    pub fn stream_arrow(&self, input: &mut dyn Read, output: &mut dyn Write) -> Result<()> {
        if !self.data.as_os_str().is_empty() {
            return Err(Error::usage(format!("an Arrow stream is the data; leave out {}", self.data.display())));
        }
        if self.freq.is_none() {
            return Err(Error::usage(
                "state the frequency of the data (--freq MS): the part of them that a stream holds cannot tell it",
            ));
        }
        let columns = self.columns()?;
        let home = files::scratch()?;
        let (raw, data) = (home.path().join("input.arrow"), home.path().join("input.parquet"));
        let mut copy = files::create(&raw)?;
        std::io::copy(input, &mut copy).map_err(|cause| Error::io(format!("{INPUT} cannot be read")).because(cause))?;
        drop(copy);
        let (format, rows) = spool(&raw, &data, &columns, self)?;
        files::remove_file(&raw)?;
        let mut sink = Sink::begin(output, &format)?;
        if rows > 0 {
            let plan = Plan { data, ..self.clone() };
            let work = Work::begin(&plan, &home.path().join("forecast.parquet"))?;
            work.send(&format, &mut sink)?;
            work.leave()?;
        }
        sink.finish()
    }
}

/// The types of what comes out.
struct Format {
    keys: Vec<(String, DataType)>,
    time: (String, DataType),
    probabilities: Vec<f64>,
}

/// The type in which every consumer takes a column.
fn plain(dtype: &DataType) -> DataType {
    match dtype {
        dtype if dtype.is_integer() => DataType::Int64,
        DataType::Date => DataType::Date,
        DataType::Datetime(_, zone) => DataType::Datetime(TimeUnit::Microseconds, zone.clone()),
        DataType::Boolean => DataType::Boolean,
        dtype if dtype.is_float() || dtype.is_decimal() => DataType::Float64,
        _ => DataType::String,
    }
}

impl Format {
    fn of(schema: &Schema, columns: &Columns, plan: &Plan) -> Result<Self> {
        let typed = |name: &str| -> Result<(String, DataType)> {
            match schema.get(name) {
                Some(dtype) => Ok((name.into(), plain(dtype))),
                None => Err(Error::data(format!(
                    "{INPUT} has no column `{name}`{}; a stream does not look for its columns: --id, --time and --target state them",
                    crate::error::suggestion(name, schema.iter_names().map(PlSmallStr::as_str))
                ))),
            }
        };
        let keys = columns.keys();
        Ok(Self {
            keys: keys.iter().map(|key| typed(key)).collect::<Result<_>>()?,
            time: typed(columns.time())?,
            probabilities: quantiles_of(&plan.levels()?),
        })
    }

    fn schema(&self) -> Schema {
        let fields = self.keys.iter().chain([&self.time]).map(|(name, dtype)| (name.clone(), dtype.clone()));
        let texts = ["model", "form"].map(|name| (name.to_string(), DataType::String));
        let numbers = std::iter::once("mean".to_string()).chain(self.probabilities.iter().map(|p| quantile_name(*p)));
        fields
            .chain(texts)
            .chain(numbers.map(|name| (name, DataType::Float64)))
            .chain([("failure".to_string(), DataType::String)])
            .map(|(name, dtype)| Field::new(name.into(), dtype))
            .collect()
    }

    /// A forecast in these columns, and the failures of its series.
    fn frame(&self, forecast: &Forecast, fits: &Fits) -> Result<DataFrame> {
        let mut frame = forecast.to_frame()?;
        let (models, horizon) = (forecast.models(), forecast.horizon());
        let mut forms: Vec<String> = Vec::with_capacity(frame.height());
        for i in 0..forecast.len() {
            for m in (0..models.len()).filter(|m| forecast.cell(*m, i).is_some()) {
                let form = fits.fitted(m).describe(i).specification;
                forms.extend(std::iter::repeat_n(form, horizon));
            }
        }
        let forms: Vec<Option<&str>> = forms.iter().map(|form| (!form.is_empty()).then_some(form.as_str())).collect();
        frame.with_column(Column::new("form".into(), forms))?;
        frame.with_column(Column::full_null("failure".into(), frame.height(), &DataType::String))?;
        let mut frame = self.typed(frame)?;
        let failures = forecast.failures();
        if !failures.is_empty() {
            let panel = forecast.panel();
            let places: Vec<usize> = failures.iter().filter_map(|failure| panel.place_of(&failure.series)).collect();
            let mut columns = panel.key_columns(places.iter().copied())?;
            columns.push(Column::new("model".into(), failures.iter().map(|f| f.model.as_str()).collect::<Vec<_>>()));
            columns.push(Column::new("failure".into(), failures.iter().map(|f| f.reason.as_str()).collect::<Vec<_>>()));
            let mut rows = DataFrame::new(places.len(), columns)?;
            for (name, dtype) in self.schema().iter() {
                if rows.column(name).is_err() {
                    rows.with_column(Column::full_null(name.clone(), places.len(), dtype))?;
                }
            }
            frame.vstack_mut(&self.typed(rows)?)?;
        }
        Ok(frame)
    }

    fn typed(&self, frame: DataFrame) -> Result<DataFrame> {
        let schema = self.schema();
        let cast = |(name, dtype): (&PlSmallStr, &DataType)| Ok(frame.column(name)?.cast(dtype)?);
        let columns: Vec<Column> = schema.iter().map(cast).collect::<Result<_>>()?;
        Ok(DataFrame::new(frame.height(), columns)?)
    }
}

/// The declared columns of an Arrow stream, as Parquet; what comes out of them, and how many rows there are.
fn spool(raw: &Path, data: &Path, columns: &Columns, plan: &Plan) -> Result<(Format, usize)> {
    let torn =
        |cause: &PolarsError| Error::data(format!("{INPUT} is no readable Arrow stream")).because(first_line(cause));
    let mut file = BufReader::new(files::open(raw)?);
    let metadata: StreamMetadata = read_stream_metadata(&mut file).map_err(|cause| torn(&cause))?;
    let schema = Schema::from_arrow_schema(&metadata.schema);
    let format = Format::of(&schema, columns, plan)?;
    let names: Vec<String> = columns.names().into_iter().map(String::from).collect();
    if let Some(name) = names.iter().find(|name| schema.get(name).is_none()) {
        return Err(Error::data(format!(
            "{INPUT} has no column `{name}`{}",
            crate::error::suggestion(name, schema.iter_names().map(PlSmallStr::as_str))
        )));
    }
    let kept: Schema =
        names.iter().filter_map(|name| Some(Field::new(name.as_str().into(), plain(schema.get(name)?)))).collect();
    let refused = |cause: PolarsError| files::refused(data, &io_error(cause));
    let mut writer = ParquetWriter::new(files::create(data)?).batched(&kept).map_err(refused)?;
    let mut rows = 0;
    for (number, batch) in StreamReader::new(file, metadata, None).enumerate() {
        progress::check()?;
        let batch = match batch.map_err(|cause| torn(&cause))? {
            StreamState::Some(batch) => batch,
            StreamState::Waiting => {
                return Err(Error::data(format!(
                    "{INPUT} ends without the mark of its end: a part of the stream is missing"
                )));
            }
        };
        let frame = DataFrame::from(batch);
        let cast = |(name, dtype): (&PlSmallStr, &DataType)| {
            let column = frame.column(name).map_err(|_| {
                Error::data(format!("batch {} of {INPUT} has no column `{name}`, as those before have", number + 1))
            })?;
            column.strict_cast(dtype).map_err(|cause| {
                Error::data(format!("batch {} of {INPUT}: column `{name}` cannot be read as {dtype}", number + 1))
                    .because(first_line(&cause))
            })
        };
        let columns: Vec<Column> = kept.iter().map(cast).collect::<Result<_>>()?;
        let mut frame = DataFrame::new(frame.height(), columns)?;
        if frame.height() == 0 {
            continue;
        }
        frame.rechunk_mut();
        crate::job::spend(0, frame.estimated_size() as u64)?;
        writer.write_batch(&frame).map_err(refused)?;
        rows += frame.height();
    }
    writer.finish().map_err(refused)?;
    Ok((format, rows))
}

impl Work {
    /// Forecasts chunk by chunk and sends what comes out.
    fn send(&self, format: &Format, sink: &mut Sink) -> Result<()> {
        let alone = self.models.iter().any(|model| model.forecaster().shares());
        for chunk in 0..self.layout.chunks.len() {
            progress::check()?;
            let frame = self.layout.chunks.read(chunk, &self.rows, &self.folder)?;
            if frame.height() == 0 {
                continue;
            }
            if !alone {
                let (forecast, fits) = self.forecast_of(frame)?;
                if !sink.send(format.frame(&forecast, &fits)?)? {
                    return Ok(());
                }
                continue;
            }
            let sorted = Panel::from_part(frame, self.layout.columns.clone(), &self.plan.reading()?)?.to_frame();
            let series = spans(&sorted, &self.layout.columns)?;
            for some in series.chunks(TOGETHER) {
                let one = |span: &std::ops::Range<usize>| {
                    progress::check()?;
                    let (forecast, fits) = self.forecast_of(sorted.slice(span.start as i64, span.len()))?;
                    format.frame(&forecast, &fits)
                };
                let frames: Vec<DataFrame> = some.par_iter().map(one).collect::<Result<_>>()?;
                let mut frames = frames.into_iter();
                let mut all = frames.next().unwrap_or_default();
                for frame in frames {
                    all.vstack_mut(&frame)?;
                }
                if !sink.send(all)? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

/// Where the stream goes, until nobody reads it any more.
struct Sink<'a> {
    writer: StreamWriter<&'a mut dyn Write>,
    is_closed: bool,
}

impl<'a> Sink<'a> {
    fn begin(output: &'a mut dyn Write, format: &Format) -> Result<Self> {
        let mut sink = Self { writer: StreamWriter::new(output, WriteOptions { compression: None }), is_closed: false };
        let schema = format.schema().to_arrow(CompatLevel::oldest());
        let done = sink.writer.start(&schema, None);
        sink.wrote(done)?;
        Ok(sink)
    }

    /// Does anybody read on?
    fn send(&mut self, mut frame: DataFrame) -> Result<bool> {
        frame.rechunk_mut();
        for batch in frame.iter_chunks(CompatLevel::oldest(), true) {
            if !self.is_closed {
                let done = self.writer.write(&batch, None);
                self.wrote(done)?;
            }
        }
        Ok(!self.is_closed)
    }

    fn finish(mut self) -> Result<()> {
        if self.is_closed {
            return Ok(());
        }
        let done = self.writer.finish();
        self.wrote(done)?;
        let done = self.writer.into_inner().flush();
        match done {
            Err(cause) if cause.kind() != ErrorKind::BrokenPipe => Err(unwritten(cause)),
            _ => Ok(()),
        }
    }

    /// A reader that stops early is no failure of ours; a full disk is.
    fn wrote(&mut self, done: PolarsResult<()>) -> Result<()> {
        let Err(cause) = done else { return Ok(()) };
        let cause = io_error(cause);
        self.is_closed = cause.kind() == ErrorKind::BrokenPipe;
        if self.is_closed { Ok(()) } else { Err(unwritten(cause)) }
    }
}

fn unwritten(cause: std::io::Error) -> Error {
    Error::io("the forecast could not be written to the standard output").because(cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Thirty series, of which one is too short for anything but a naive forecast.
    fn sales() -> DataFrame {
        let (mut id, mut t, mut y) = (Vec::new(), Vec::new(), Vec::new());
        for series in 0..30_i64 {
            for step in 0..if series == 17 { 1 } else { 30 + series % 7 } {
                id.push(format!("item {series:02}"));
                t.push(step);
                y.push((series * 3 + step * (1 + series % 4) + (step * step + series) % 5) as f64);
            }
        }
        df!("id" => id, "t" => t, "y" => y).unwrap()
    }

    fn plan(models: &str) -> Plan {
        Plan {
            id: "id".parse().unwrap(),
            time: "t".into(),
            models: models.parse().unwrap(),
            horizon: 3,
            freq: Some("1".into()),
            season: Some(4),
            chunk: Some(100),
            ..Plan::default()
        }
    }

    fn stream(frame: &DataFrame, rows: usize) -> Vec<u8> {
        let schema = frame.schema().to_arrow(CompatLevel::newest());
        let mut writer = StreamWriter::new(Vec::new(), WriteOptions { compression: None });
        writer.start(&schema, None).unwrap();
        for start in (0..frame.height()).step_by(rows) {
            let mut part = frame.slice(start as i64, rows);
            part.rechunk_mut();
            part.iter_chunks(CompatLevel::newest(), true).for_each(|batch| writer.write(&batch, None).unwrap());
        }
        writer.finish().unwrap();
        writer.into_inner()
    }

    fn forecast(plan: &Plan, bytes: &[u8]) -> Result<DataFrame> {
        let mut out = Vec::new();
        plan.stream_arrow(&mut &bytes[..], &mut out)?;
        let frame = IpcStreamReader::new(std::io::Cursor::new(out)).finish().unwrap();
        Ok(frame.sort(["id", "model", "t"], SortMultipleOptions::default().with_maintain_order(true)).unwrap())
    }

    #[test]
    fn a_stream_is_forecast_as_a_file_is() {
        let (plan, sales) = (plan("naive; theta; ets"), sales());
        let streamed = forecast(&plan, &stream(&sales, 50)).unwrap();
        let failed = streamed.column("failure").unwrap().is_not_null();
        let rows = streamed.filter(&failed).unwrap();
        assert!(rows.height() >= 1 && rows.column("mean").unwrap().null_count() == rows.height());
        let panel = Panel::from_frame(&sales, plan.columns().unwrap()).unwrap();
        let whole = panel.fit(["naive", "theta", "ets"]).unwrap().forecast(3).unwrap().to_frame().unwrap();
        let whole = whole.sort(["id", "model", "t"], SortMultipleOptions::default().with_maintain_order(true)).unwrap();
        let names = whole.get_column_names_owned();
        assert!(streamed.filter(&!failed).unwrap().select(names).unwrap().equals(&whole));
        let forms =
            streamed.column("form").unwrap().str().unwrap().iter().flatten().any(|form| form.starts_with("ETS("));
        assert!(forms, "{:?}", streamed.column("form"));
    }

    #[test]
    fn division_and_order_change_no_forecast() {
        let sales = sales();
        for models in ["theta", "auto"] {
            let plan = plan(models);
            let whole = forecast(&plan, &stream(&sales, 1_000)).unwrap();
            let shuffled = sales.sort(["t", "y"], SortMultipleOptions::default()).unwrap();
            assert!(forecast(&plan, &stream(&shuffled, 13)).unwrap().equals_missing(&whole), "{models}");
            let ids = sales.column("id").unwrap().str().unwrap();
            let first: BooleanChunked = ids.iter().map(|id| id.is_some_and(|id| id < "item 11")).collect();
            let mut parts = forecast(&plan, &stream(&sales.filter(&first).unwrap(), 50)).unwrap();
            parts.vstack_mut(&forecast(&plan, &stream(&sales.filter(&!first).unwrap(), 50)).unwrap()).unwrap();
            assert!(parts.equals_missing(&whole), "{models}");
        }
    }

    #[test]
    fn what_is_no_whole_stream_is_refused() {
        let (plan, sales) = (plan("naive"), sales());
        let bytes = stream(&sales, 100);
        let said = |plan: &Plan, bytes: &[u8]| forecast(plan, bytes).unwrap_err().to_string();
        assert!(said(&plan, b"id,t,y\n").contains("no readable Arrow stream"));
        assert!(
            said(&plan, &bytes[..bytes.len() - 8]).contains("mark of its end"),
            "{}",
            said(&plan, &bytes[..bytes.len() - 8])
        );
        for cut in [40, 500, 1_000] {
            assert!(said(&plan, &bytes[..bytes.len() - cut]).contains("the standard input"));
        }
        assert!(said(&Plan { target: "z".into(), ..plan.clone() }, &bytes).contains("`z`"));
        assert!(said(&Plan { freq: None, ..plan.clone() }, &bytes).contains("--freq"));
        assert!(said(&Plan { hierarchy: Some("total".into()), ..plan.clone() }, &bytes).contains("all series at once"));
        assert!(said(&Plan { data: "a.parquet".into(), ..plan.clone() }, &bytes).contains("leave out"));
        // Nothing in, nothing out, in the same columns.
        let none = forecast(&plan, &stream(&sales.clear(), 10)).unwrap();
        assert_eq!(none.height(), 0);
        assert_eq!(none.get_column_names(), forecast(&plan, &bytes).unwrap().get_column_names());
    }
}
