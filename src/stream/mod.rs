//! How is a panel forecast that does not fit into the memory? Chunk by chunk, a few thousand series at a time, as they lie
//! in the file.
//!
//! The keys are looked at first. Where each series lies in one stretch of rows, the rows are cut between series; where
//! series are scattered (sorted by date, say), the rows are copied to temporary files first, each series whole in one of
//! them. The forecast of each chunk is a file of its own in the folder `OUT.partial` until all are there and become one.
//! What was done is kept there when a run ends early, by whatever cause: the same plan on the same data goes on where it
//! stopped, and ends in the same bytes.
//!
//! Memory holds a chunk at a time, 16 bytes for each series, and the file of known covariates of the future, if there is
//! one. What series lend each other, the errors that intervals are calibrated by and the season of siblings, comes from the
//! chunk. A model that learns across series is refused.
//!
//! | file | question |
//! |---|---|
//! | `rows` | which rows belong together, and how is a part of them read? |

mod rows;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use polars::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::files::{self, File, TryLockError, io_error, read_text, refused, write_atomically, write_with};
use crate::job;
use crate::models::{Failure, Model};
use crate::panel::{Aggregate, Columns, Panel};
use crate::plan::Plan;
use crate::progress;
use crate::show::Table;
use rows::{Coming, Rows, Survey};

/// Rows of a chunk if nothing is stated.
const CHUNK: usize = 250_000;

impl Plan {
    /// The forecast of every model for a panel of any size, from Parquet to Parquet: chunk by chunk, in the memory that a
    /// chunk takes. A run that was stopped goes on where it was. Series come in the order of the input, or, where their
    /// rows are scattered, in some other that is always the same. What could not be forecast is listed beside the output,
    /// in `NAME.failures.csv`.
    ///
    /// Frequency and season, if not stated, are those of the first chunk.
    ///
    /// ```
    /// use tradewind::polars::prelude::*;
    /// use tradewind::prelude::*;
    /// # let home = std::env::temp_dir().join(format!("tradewind-stream-{}", std::process::id()));
    /// # std::fs::create_dir_all(&home).unwrap();
    /// let (data, out) = (home.join("sales.parquet"), home.join("forecast.parquet"));
    /// let mut frame = df!("id" => ["a", "a", "a", "b", "b", "b"], "t" => [1, 2, 3, 1, 2, 3],
    ///     "y" => [5.0, 7.0, 6.0, 1.0, 2.0, 3.0])?;
    /// ParquetWriter::new(std::fs::File::create(&data)?).finish(&mut frame)?;
    /// let plan = Plan { data, id: "id".parse()?, time: "t".into(), models: "drift".parse()?, horizon: 2, ..Plan::default() };
    /// let done = plan.stream(&out)?;
    /// assert_eq!((done.get(0, "series")?.to_string(), done.get(0, "rows")?.to_string()), ("2".into(), "4".into()));
    /// # std::fs::remove_dir_all(home)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`forecast`](Self::forecast), and when the data are not Parquet, or the plan asks for something that needs all
    /// series at once: a model that learns across series, a sum over keys.
    pub fn stream(&self, out: impl AsRef<Path>) -> Result<Table> {
        let work = Work::begin(self, out.as_ref())?;
        work.forecast()?;
        work.finish()
    }
}

/// What a run is recognised by: another plan, file or version is another run.
#[derive(Serialize, Deserialize, PartialEq)]
struct Request {
    version: String,
    plan: serde_json::Map<String, serde_json::Value>,
    /// Path, bytes and time of the last change, in nanoseconds, of each file that is read.
    files: Vec<(PathBuf, u64, u64)>,
}

impl Request {
    fn of(plan: &Plan, files: &[PathBuf]) -> Result<Self> {
        let stamp = |path: &PathBuf| {
            let refused = |cause| Error::io(format!("{} cannot be read", path.display())).because(cause);
            let metadata = files::metadata(path)?;
            let changed = metadata.modified().map_err(refused)?.duration_since(UNIX_EPOCH).unwrap_or_default();
            Ok((path.clone(), metadata.len(), changed.as_nanos() as u64))
        };
        Ok(Self {
            version: env!("CARGO_PKG_VERSION").into(),
            plan: crate::options::fields(plan)?,
            files: files.iter().chain(&plan.future).map(stamp).collect::<Result<_>>()?,
        })
    }
}

/// What was found out before the first chunk.
#[derive(Serialize, Deserialize)]
struct Layout {
    request: Request,
    /// The declared columns, with the calendar that was found.
    columns: Columns,
    series: usize,
    chunks: Chunks,
}

#[derive(Serialize, Deserialize)]
enum Chunks {
    /// Stretches of rows of the input.
    Ranges(Vec<Range<usize>>),
    /// That many files, whose rows are sorted anew.
    Partitions(usize),
}

/// What a chunk came to.
#[derive(Serialize, Deserialize)]
struct Done {
    series: usize,
    rows: usize,
    failures: Vec<Failure>,
}

struct Work {
    plan: Plan,
    models: Vec<Model>,
    rows: Rows,
    layout: Layout,
    coming: Option<Coming>,
    folder: PathBuf,
    out: PathBuf,
    /// Chunks that were there before.
    found: usize,
    _lock: File,
}

/// Refuses what cannot be done chunk by chunk; the models.
fn check(plan: &Plan, out: &Path) -> Result<Vec<Model>> {
    plan.check()?;
    plan.check_source()?;
    files::allowed(out)?;
    files::allowed(&partial(out))?;
    if !files::is_parquet(out) {
        return Err(Error::usage(format!(
            "a streamed forecast is written as Parquet; name {} instead of {}",
            out.with_extension("parquet").display(),
            out.display()
        )));
    }
    if plan.chunk == Some(0) {
        return Err(Error::usage("a chunk is at least 1 row, not 0"));
    }
    let models = plan.models()?;
    if let Some(model) = models.iter().find(|model| model.forecaster().learns_across_series()) {
        return Err(Error::usage(format!(
            "{} learns across series, which a stream never sees together; fit it without --stream, or stream other models",
            model.label()
        )));
    }
    let sums = plan.aggregate.as_deref().map(Aggregate::parse).transpose()?.is_some_and(|how| how.keys.is_some());
    if sums {
        return Err(Error::usage("sums over keys need all series at once; aggregate first, then stream the sums"));
    }
    if plan.reading()?.query.is_some() {
        return Err(Error::usage("a stream reads Parquet files, not the answer of a query"));
    }
    Ok(models)
}

impl Work {
    fn begin(plan: &Plan, out: &Path) -> Result<Self> {
        let models = check(plan, out)?;
        let files = Panel::files(&plan.data)?;
        if let Some(other) = files.iter().find(|path| !files::is_parquet(path)) {
            return Err(Error::usage(format!(
                "a stream reads Parquet, which can be read in parts; write {} as Parquet first: tradewind clean --out FILE.parquet",
                other.display()
            )));
        }
        let mut columns = plan.columns()?;
        if columns == Plan::default().columns()? {
            columns = Panel::saved_columns(&files[0]).unwrap_or(columns);
        }
        let rows = Rows::open(&files, &columns)?;
        let folder = partial(out);
        let lock = lock(&folder)?;
        let request = Request::of(plan, &files)?;
        let kept = files::exists(&folder.join(LAYOUT)).then(|| read_json::<Layout>(&folder.join(LAYOUT)));
        let layout = match kept {
            Some(Ok(layout)) if layout.request == request => layout,
            _ => Layout::find(plan, request, columns, &rows, &folder)?,
        };
        let coming = match &plan.future {
            Some(path) => Some(Coming::new(Panel::read_future(path, &layout.columns)?, &layout.columns)?),
            None => None,
        };
        let (plan, out) = (plan.clone(), out.to_path_buf());
        let mut work = Self { plan, models, rows, layout, coming, folder, out, found: 0, _lock: lock };
        work.found = (0..work.layout.chunks.len()).filter(|chunk| work.is_done(*chunk)).count();
        Ok(work)
    }

    fn is_done(&self, chunk: usize) -> bool {
        files::exists(&self.folder.join(done(chunk)))
    }

    /// Forecasts the chunks that are not there yet; the next one is read meanwhile.
    fn forecast(&self) -> Result<()> {
        let chunks = 0..self.layout.chunks.len();
        let (there, missing): (Vec<usize>, Vec<usize>) = chunks.partition(|chunk| self.is_done(*chunk));
        let before = there.into_iter().map(|chunk| Ok(self.read_done(chunk)?.series)).sum::<Result<usize>>()?;
        let bar = progress::around(before, self.layout.series, "forecasting");
        std::thread::scope(|scope| {
            let (give, take) = std::sync::mpsc::sync_channel(0);
            job::beside(scope, "stream", None, move || {
                for chunk in missing {
                    // Nobody takes it when the run has ended.
                    if give.send((chunk, self.layout.chunks.read(chunk, &self.rows, &self.folder))).is_err() {
                        break;
                    }
                }
            })?;
            for (chunk, frame) in take {
                progress::check()?;
                let done = self.forecast_chunk(chunk, frame?).map_err(|error| match error.is_interrupted() {
                    true => error,
                    false => error.within(self.layout.chunks.place(chunk)),
                })?;
                bar.inc(done as u64);
            }
            Ok(())
        })
    }

    /// Writes the forecast of a chunk; how many series it has.
    fn forecast_chunk(&self, chunk: usize, frame: DataFrame) -> Result<usize> {
        let done = |series, rows, failures| {
            write_json(&self.folder.join(done(chunk)), &Done { series, rows, failures }).map(|()| series)
        };
        // No series need fall into a partition.
        if frame.height() == 0 {
            return done(0, 0, Vec::new());
        }
        let panel = Panel::from_part(frame, self.layout.columns.clone(), &self.plan.reading()?)?;
        let panel = self.plan.prepared(panel)?;
        let future = panel.future_under(self.plan.horizon, self.plan.scenario)?;
        let future = match &self.coming {
            Some(coming) => future.given(coming.of(&panel)?)?,
            None => future,
        };
        let forecast = panel.fit(&self.models)?.forecast(future)?.levels(self.plan.levels()?)?;
        let mut frame = forecast.to_frame()?;
        frame.rechunk_mut();
        let mut bytes = Vec::new();
        ParquetWriter::new(&mut bytes).with_row_group_size(Some(usize::MAX)).finish(&mut frame)?;
        write_atomically(&self.folder.join(part(chunk)), &bytes)?;
        done(panel.len(), frame.height(), forecast.failures())
    }

    fn read_done(&self, chunk: usize) -> Result<Done> {
        read_json(&self.folder.join(done(chunk)))
    }

    /// Makes one file of all chunks, and says what it came to.
    fn finish(&self) -> Result<Table> {
        let count = self.layout.chunks.len();
        let all = (0..count).map(|chunk| self.read_done(chunk)).collect::<Result<Vec<_>>>()?;
        let rows: usize = all.iter().map(|done| done.rows).sum();
        let failures: Vec<Failure> = all.iter().flat_map(|done| done.failures.iter().cloned()).collect();
        if rows == 0 {
            let reason = failures.first().map_or_else(String::new, |failure| format!(": {}", failure.reason));
            return Err(Error::model(format!("no model could forecast any series{reason}")));
        }
        let listed = self.out.with_extension("failures.csv");
        match failures.is_empty() {
            true if files::exists(&listed) => files::remove_file(&listed)?,
            true => {}
            false => crate::models::failures_table(&failures)?.save(&listed)?,
        }
        let bar = progress::bar(count, "writing");
        write_with(&self.out, |file| {
            let full = |cause| refused(&self.out, &io_error(cause));
            let read = |chunk: usize| read_parquet(&self.folder.join(part(chunk)));
            let mut chunks = (0..count).filter(|chunk| all[*chunk].rows > 0).peekable();
            let schema = read(chunks.peek().copied().unwrap_or(0))?.schema().clone();
            let mut writer = ParquetWriter::new(file).batched(&schema).map_err(full)?;
            for chunk in chunks {
                progress::check()?;
                files::spend(0, files::metadata(&self.folder.join(part(chunk)))?.len())?;
                let mut frame = read(chunk)?;
                frame.rechunk_mut();
                writer.write_batch(&frame).map_err(full)?;
                bar.inc(1);
            }
            writer.finish().map(|_| ()).map_err(full)
        })?;
        bar.finish_and_clear();
        files::remove_folder(&self.folder)?;
        let number = |name: &str, value: usize| Column::new(name.into(), [value as u64]);
        Ok(Table::new(DataFrame::new(
            1,
            vec![
                number("series", all.iter().map(|done| done.series).sum()),
                number("rows", rows),
                number("failures", failures.len()),
                number("chunks", count),
                number("taken over", self.found),
            ],
        )?))
    }
}

impl Layout {
    /// Looks at the data; what a run of another plan has left in the folder goes.
    fn find(plan: &Plan, request: Request, columns: Columns, rows: &Rows, folder: &Path) -> Result<Self> {
        clear(folder)?;
        let size = plan.chunk.unwrap_or(CHUNK);
        let (chunks, series) = match rows.survey(&columns, size)? {
            Survey::Contiguous(ranges, series) => (Chunks::Ranges(ranges), series),
            Survey::Scattered => {
                let (count, series) = rows.partition(&columns, size, |k| folder.join(partition(k)))?;
                (Chunks::Partitions(count), series)
            }
        };
        let mut first = 0;
        let mut frame = chunks.read(first, rows, folder)?;
        while frame.height() == 0 {
            first += 1;
            frame = chunks.read(first, rows, folder)?;
        }
        let panel = Panel::from_part(frame, columns.clone(), &plan.reading()?)
            .map_err(|error| error.within(chunks.place(first)))?;
        let columns = Columns { frequency: Some(panel.frequency()), season: Some(panel.season()), ..columns };
        let layout = Self { request, columns, series, chunks };
        write_json(&folder.join(LAYOUT), &layout)?;
        Ok(layout)
    }
}

impl Chunks {
    fn len(&self) -> usize {
        match self {
            Self::Ranges(ranges) => ranges.len(),
            Self::Partitions(count) => *count,
        }
    }

    fn read(&self, chunk: usize, rows: &Rows, folder: &Path) -> Result<DataFrame> {
        match self {
            Self::Ranges(ranges) => rows.read(&ranges[chunk]),
            Self::Partitions(_) => read_parquet(&folder.join(partition(chunk))),
        }
    }

    /// As an error message names it.
    fn place(&self, chunk: usize) -> String {
        match self {
            Self::Ranges(ranges) => format!("rows {} to {}", ranges[chunk].start + 1, ranges[chunk].end),
            Self::Partitions(count) => format!("partition {} of {count}", chunk + 1),
        }
    }
}

const LAYOUT: &str = "layout.json";
const LOCK: &str = "lock";

/// Takes away what another run has left, and nothing else that somebody has put there.
fn clear(folder: &Path) -> Result<()> {
    for entry in files::list(folder)? {
        let name = entry.file_name().unwrap_or_default().to_string_lossy();
        match &*name {
            LOCK => continue,
            LAYOUT => {}
            ours if ["forecast-", "series-", ".writing-"].iter().any(|start| ours.starts_with(start)) => {}
            _ => {
                return Err(Error::usage(format!(
                    "{} is not of an earlier run; move it, or name another output",
                    entry.display()
                )));
            }
        }
        files::remove_file(&entry)?;
    }
    Ok(())
}

/// Keeps a second run from the folder until the file that comes back is closed.
fn lock(folder: &Path) -> Result<File> {
    files::make_folder(folder)?;
    let path = folder.join(LOCK);
    let file = files::create(&path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::io(format!(
            "another run is at work in {}; wait for it, or name another output",
            folder.display()
        ))),
        Err(TryLockError::Error(cause)) => Err(refused(&path, &cause)),
    }
}

/// The folder in which a run keeps what it has done.
fn partial(out: &Path) -> PathBuf {
    PathBuf::from(format!("{}.partial", out.display()))
}

fn part(chunk: usize) -> String {
    format!("forecast-{chunk:06}.parquet")
}

fn done(chunk: usize) -> String {
    format!("forecast-{chunk:06}.json")
}

fn partition(k: usize) -> String {
    format!("series-{k:06}.parquet")
}

/// A file that this run or the one before it has written.
fn read_parquet(path: &Path) -> Result<DataFrame> {
    let damaged = |cause| Error::data(format!("{} is damaged; remove its folder", path.display())).because(cause);
    let file = files::open(path).map_err(|cause| damaged(std::io::Error::other(cause.to_string())))?;
    ParquetReader::new(file).finish().map_err(|cause| damaged(io_error(cause)))
}

fn read_json<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T> {
    serde_json::from_str(&read_text(path)?)
        .map_err(|cause| Error::data(format!("{} is damaged; remove its folder", path.display())).because(cause))
}

fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<()> {
    let bytes = serde_json::to_vec(value)
        .map_err(|cause| Error::io(format!("cannot write {}", path.display())).because(cause))?;
    write_atomically(path, &bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Some series of a file, in the order of their names or of their dates.
    fn input(home: &Path, by: &str) -> PathBuf {
        let (mut id, mut t, mut y) = (Vec::new(), Vec::new(), Vec::new());
        for series in 0..40_i64 {
            // One series is too short for anything but a naive forecast.
            for step in 0..if series == 17 { 1 } else { 30 + series % 7 } {
                id.push(format!("item {series:02}"));
                t.push(step);
                y.push((series * 3 + step * (1 + series % 4) + (step * step + series) % 5) as f64);
            }
        }
        let mut frame = df!("id" => id, "t" => t, "y" => y).unwrap();
        frame = frame.sort([by], SortMultipleOptions::default().with_maintain_order(true)).unwrap();
        let path = home.join(format!("by_{by}.parquet"));
        ParquetWriter::new(File::create(&path).unwrap()).with_row_group_size(Some(100)).finish(&mut frame).unwrap();
        path
    }

    fn plan(data: &Path) -> Plan {
        Plan {
            data: data.to_path_buf(),
            id: "id".parse().unwrap(),
            time: "t".into(),
            models: "naive; theta".parse().unwrap(),
            horizon: 3,
            season: Some(4),
            chunk: Some(150),
            ..Plan::default()
        }
    }

    fn read(path: &Path) -> DataFrame {
        ParquetReader::new(File::open(path).unwrap()).finish().unwrap()
    }

    fn cell(table: &Table, name: &str) -> usize {
        table.get(0, name).unwrap().to_string().parse().unwrap()
    }

    #[test]
    fn chunks_add_up_to_the_forecast_of_the_whole() {
        let home = tempfile::tempdir().unwrap();
        for by in ["id", "t"] {
            let plan = plan(&input(home.path(), by));
            let out = home.path().join("out.parquet");
            let table = plan.stream(&out).unwrap();
            assert!(cell(&table, "chunks") > 5 && cell(&table, "taken over") == 0);
            assert_eq!(cell(&table, "series"), 40);
            let whole = plan.forecast().unwrap();
            assert_eq!(cell(&table, "failures"), whole.failures().len());
            let mut streamed = read(&out);
            if by == "t" {
                streamed = streamed.sort(["id"], SortMultipleOptions::default().with_maintain_order(true)).unwrap();
            }
            assert!(streamed.equals(&whole.to_frame().unwrap()), "{by}");
            let listed = std::fs::read_to_string(home.path().join("out.failures.csv")).unwrap();
            assert_eq!(listed.lines().count(), 1 + whole.failures().len());
            assert!(!home.path().join("out.parquet.partial").exists());
        }
    }

    #[test]
    fn a_run_that_was_stopped_goes_on_to_the_same_bytes() {
        let home = tempfile::tempdir().unwrap();
        for by in ["id", "t"] {
            let plan = plan(&input(home.path(), by));
            let (whole, out) = (home.path().join("whole.parquet"), home.path().join("out.parquet"));
            plan.stream(&whole).unwrap();
            for stop in [1, 3] {
                let work = Work::begin(&plan, &out).unwrap();
                for chunk in 0..stop {
                    work.forecast_chunk(chunk, work.layout.chunks.read(chunk, &work.rows, &work.folder).unwrap())
                        .unwrap();
                }
                // What is half done does not count.
                std::fs::write(work.folder.join(part(stop)), "half").unwrap();
            }
            let table = plan.stream(&out).unwrap();
            assert_eq!(cell(&table, "taken over"), 3);
            assert_eq!(std::fs::read(&out).unwrap(), std::fs::read(&whole).unwrap(), "{by}");
        }
    }

    #[test]
    fn what_another_plan_left_is_not_taken_over() {
        let home = tempfile::tempdir().unwrap();
        let plan = plan(&input(home.path(), "id"));
        let out = home.path().join("out.parquet");
        let work = Work::begin(&plan, &out).unwrap();
        work.forecast_chunk(0, work.layout.chunks.read(0, &work.rows, &work.folder).unwrap()).unwrap();
        let error = plan.stream(&out).unwrap_err();
        assert!(error.to_string().contains("another run"), "{error}");
        let folder = work.folder.clone();
        drop(work);
        let longer = Plan { horizon: 4, ..plan.clone() };
        std::fs::write(folder.join("notes.txt"), "mine").unwrap();
        let error = longer.stream(&out).unwrap_err();
        assert!(error.to_string().contains("notes.txt"), "{error}");
        std::fs::remove_file(folder.join("notes.txt")).unwrap();
        assert_eq!(cell(&longer.stream(&out).unwrap(), "taken over"), 0);
    }

    #[test]
    fn known_covariates_of_the_future_reach_their_series() {
        let home = tempfile::tempdir().unwrap();
        let rows = |steps: Range<i64>| {
            let cells = (0..9_i64).flat_map(|id| steps.clone().map(move |t| (id, t)));
            let (id, t): (Vec<i64>, Vec<i64>) = cells.unzip();
            let promo: Vec<f64> = id.iter().zip(&t).map(|(id, t)| ((id + t) % 3) as f64).collect();
            let y: Vec<f64> = id.iter().zip(&promo).map(|(id, promo)| 10.0 * *id as f64 + 4.0 * promo).collect();
            df!("id" => id, "t" => t, "promo" => promo, "y" => y).unwrap()
        };
        let (data, future) = (home.path().join("data.parquet"), home.path().join("future.parquet"));
        ParquetWriter::new(File::create(&data).unwrap()).finish(&mut rows(0..30)).unwrap();
        ParquetWriter::new(File::create(&future).unwrap()).finish(&mut rows(30..33).drop("y").unwrap()).unwrap();
        let plan = Plan {
            known: "promo".parse().unwrap(),
            models: "regression(penalty=0)".parse().unwrap(),
            season: Some(1),
            chunk: Some(60),
            future: Some(future),
            ..plan(&data)
        };
        let out = home.path().join("out.parquet");
        assert!(cell(&plan.stream(&out).unwrap(), "chunks") > 2);
        let frame = read(&out);
        let means = frame.column("mean").unwrap().f64().unwrap();
        let wanted = rows(30..33);
        let errors = means.iter().zip(wanted.column("y").unwrap().f64().unwrap().iter());
        assert!(errors.map(|(mean, y)| (mean.unwrap() - y.unwrap()).abs()).all(|error| error < 1e-6));
    }

    #[test]
    fn what_cannot_be_streamed_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let data = input(home.path(), "id");
        let out = home.path().join("out.parquet");
        let said = |plan: Plan, out: &Path| plan.stream(out).unwrap_err().to_string();
        assert!(said(Plan { data: PathBuf::new(), ..plan(&data) }, &out).contains("--data"));
        assert!(said(plan(&data), &home.path().join("out.csv")).contains("out.parquet"));
        assert!(said(Plan { chunk: Some(0), ..plan(&data) }, &out).contains("1 row"));
        assert!(said(Plan { aggregate: Some("keys=[]".into()), ..plan(&data) }, &out).contains("all series at once"));
        assert!(said(Plan { query: Some("select 1".into()), ..plan(&data) }, &out).contains("query"));
        assert!(said(Plan { target: "z".into(), ..plan(&data) }, &out).contains("`z`"));
        let csv = home.path().join("sales.csv");
        std::fs::write(&csv, "id,t,y\na,1,2\n").unwrap();
        assert!(said(plan(&csv), &out).contains("reads Parquet"));
        std::fs::write(home.path().join("bad.parquet"), "PAR1 no more").unwrap();
        assert!(said(plan(&home.path().join("bad.parquet")), &out).contains("not a readable Parquet file"));
        assert!(said(plan(&home.path().join("none.parquet")), &out).contains("does not exist"));
        assert!(!out.exists());
    }
}
