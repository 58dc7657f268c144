//! How is a panel forecast that does not fit in memory? Chunk by chunk, a few thousand series at a time, in the order
//! of the file.
//!
//! The keys are read first. Where each series is one contiguous run of rows, the rows are cut between series; where
//! series are scattered (sorted by date, say), the rows are first copied to temporary files, each series complete in
//! one of them. The forecast of each chunk is a file of its own in the folder `OUT.partial` until all are done and are
//! merged. The chunks are kept if a run is interrupted: the same plan on the same data resumes where it stopped, and
//! gives the same bytes.
//!
//! Memory holds one chunk at a time, 16 bytes for each series, and the file of future known covariates, if there is
//! one. What series share, the errors that calibrate intervals and the seasonal pattern of siblings, comes from the
//! chunk. Global models are refused.
//!
//! | file | question |
//! |---|---|
//! | `arrow` | how are series forecast that another program holds? |
//! | `rows` | which rows belong to a series, and how are some of them read? |

mod arrow;
mod rows;

use std::io::{Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use polars::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::files::{self, File, TryLockError, WRITING, io_error, mark, refused, together, write_own, write_with};
use crate::forecast::Forecast;
use crate::job::{self, Job};
use crate::models::{Failure, Fits, Model};
use crate::outputs::{failures_of, list_failures};
use crate::panel::{Aggregate, Clean, Columns, Ends, Keys, Panel, Partial, Totals};
use crate::plan::Plan;
use crate::progress;
use crate::show::Table;
use rows::{Coming, Rows, Survey};

/// Rows of a chunk if nothing is stated.
const CHUNK: usize = 250_000;

impl Plan {
    /// The forecast of every model for a panel of any size, from Parquet to Parquet: chunk by chunk, in the memory that
    /// one chunk takes. An interrupted run resumes where it stopped. Series come in the order of the input, or, where
    /// their rows are scattered, in another order that is always the same. Failures are listed beside the output, in
    /// `NAME.failures.csv`.
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
    /// As [`forecast`](Self::forecast), and when the data are not Parquet, or the plan asks for something that needs
    /// all series at once: a model that learns across series, a sum over keys.
    pub fn stream(&self, out: impl AsRef<Path>) -> Result<Table> {
        if self.overwrite {
            let guard = Job::current().guard();
            guard.allow(out.as_ref());
            guard.allow(&failures_of(&out));
        }
        let work = Work::begin(self, out.as_ref())?;
        work.forecast()?;
        work.finish()
    }
}

/// What a run is recognised by: another plan, file or program is another run.
#[derive(Serialize, Deserialize, PartialEq)]
struct Request {
    /// The version of this program, and what its code came to.
    version: String,
    plan: serde_json::Map<String, serde_json::Value>,
    /// Of each file of the data its bytes, the time of its last change in nanoseconds, and the hash of its end, where
    /// Parquet says what the file holds.
    data: Vec<(PathBuf, u64, u64, String)>,
    /// The hash of every other file that is read.
    beside: Vec<(PathBuf, String)>,
}

/// How many bytes at the end of a data file are hashed.
const END: u64 = 1 << 20;

impl Request {
    fn of(plan: &Plan) -> Result<Self> {
        let inputs = plan.inputs();
        let refused = |path: &Path, cause| Error::io(format!("{} cannot be read", path.display())).because(cause);
        let hash = |path: &Path, from_end: u64| {
            let mut file = files::open(path)?;
            let mut read = || {
                let length = file.metadata()?.len();
                file.seek(SeekFrom::Start(length - length.min(from_end)))?;
                let mut hash = blake3::Hasher::new();
                std::io::copy(&mut file, &mut hash).map(|_| hash.finalize().to_hex().to_string())
            };
            read().map_err(|cause| refused(path, cause))
        };
        let data = |path: &PathBuf| {
            let metadata = files::metadata(path)?;
            let changed = metadata.modified().map_err(|cause| refused(path, cause))?;
            let changed = changed.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as u64;
            Ok((path.clone(), metadata.len(), changed, hash(path, END)?))
        };
        let mut asked = crate::options::fields(plan)?;
        // Whether the result may replace another file does not change it.
        asked.remove("overwrite");
        Ok(Self {
            version: format!("{} {}", env!("CARGO_PKG_VERSION"), env!("TRADEWIND_SOURCE")),
            plan: asked,
            data: inputs.data.iter().map(data).collect::<Result<_>>()?,
            beside: inputs
                .beside
                .iter()
                .map(|path| Ok((path.clone(), hash(path, u64::MAX)?)))
                .collect::<Result<_>>()?,
        })
    }

    /// What differs in another, in words.
    fn difference(&self, other: &Self) -> Option<String> {
        if self.version != other.version {
            return Some("the program".into());
        }
        let changed = self.plan.iter().find(|(name, value)| other.plan.get(*name) != Some(value));
        if let Some((name, _)) = changed {
            return Some(format!("`{name}` of the plan"));
        }
        let data = self.data.iter().find(|file| !other.data.contains(file)).map(|(path, ..)| path);
        let beside = self.beside.iter().find(|file| !other.beside.contains(file)).map(|(path, _)| path);
        match data.or(beside) {
            Some(path) => Some(path.display().to_string()),
            None => (self != other).then(|| "what is read".into()),
        }
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
    let models = plan.models()?.into_iter().map(by_series).collect::<Result<_>>()?;
    if plan.hierarchy.is_some() {
        return Err(Error::usage(
            "the sums of a hierarchy need all series at once, which a stream never sees together",
        ));
    }
    let how = plan.aggregate.as_deref().map(Aggregate::parse).transpose()?;
    if how.as_ref().is_some_and(|how| how.keys.is_some()) {
        return Err(Error::usage("sums over keys need all series at once; aggregate first, then stream the sums"));
    }
    if how.is_some_and(|how| how.partial == Partial::Ends) {
        return Err(Error::usage(
            "whether the last period of the data is over shows in all series at once, which a stream never sees together; state \
             partial=keep or partial=drop",
        ));
    }
    let policy = Clean::parse(&plan.policy)?;
    let across = [
        (policy.totals == Totals::Drop, "totals=drop"),
        (policy.keys == Keys::Merge, "keys=merge"),
        (policy.ends == Ends::Panel, "ends=panel"),
    ];
    if let Some((_, policy)) = across.iter().find(|(stated, _)| *stated) {
        return Err(Error::usage(format!(
            "{policy} looks at all series at once, which a stream never sees together; clean first, then stream what was cleaned"
        )));
    }
    if plan.reading()?.query.is_some() {
        return Err(Error::usage("a stream reads Parquet files, not the answer of a query"));
    }
    Ok(models)
}

/// A model that fits series one by one: itself, or what does its part.
fn by_series(model: Model) -> Result<Model> {
    if !model.forecaster().is_global() {
        return Ok(model);
    }
    let label = model.label();
    let part = model.forecaster().by_series().ok_or_else(|| {
        Error::usage(format!(
            "{label} learns across series, which a stream never sees together; fit it without --stream, or stream other models"
        ))
    })?;
    progress::say(&format!(
        "{label} also learns across series, which a stream never sees together: {part} alone is used"
    ));
    Model::named(&part)
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
        let request = Request::of(plan)?;
        // Now that all that is read is known: what would be refused after hours is refused here.
        let guard = Job::current().guard();
        guard.replaces(out)?;
        guard.replaces(&failures_of(out))?;
        let folder = partial(out);
        let lock = lock(&folder)?;
        let kept = files::exists(&folder.join(LAYOUT)).then(|| read_json::<Layout>(&folder.join(LAYOUT)));
        let layout = match kept {
            Some(Ok(layout)) if layout.request == request => layout,
            kept => {
                let why = kept.map(|kept| kept.ok().and_then(|kept| request.difference(&kept.request)));
                if let Some(why) = why {
                    let why = why.unwrap_or_else(|| "the program".into());
                    progress::say(&format!("{why} has changed since the run that was stopped: begun anew"));
                }
                Layout::find(plan, request, columns, &rows, &folder)?
            }
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
                let done = self.forecast_chunk(chunk, frame?).map_err(|error| {
                    if error.is_interrupted() { error } else { error.within(self.layout.chunks.place(chunk)) }
                })?;
                bar.inc(done);
            }
            Ok(())
        })
    }

    /// The forecast of some rows, and the fits that it was made by.
    fn forecast_of(&self, frame: DataFrame) -> Result<(Forecast, Fits)> {
        let panel = Panel::from_part(frame, self.layout.columns.clone(), &self.plan.reading()?)?;
        let panel = self.plan.prepared(panel)?;
        let future = self.plan.future_of(&panel)?;
        let future = match &self.coming {
            Some(coming) => future.given(coming.of(&panel)?)?,
            None => future,
        };
        let fits = self.plan.fits_of(&panel, &self.models)?;
        let forecast = fits.forecast(future)?.levels(self.plan.levels()?)?;
        Ok((forecast, fits))
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
        let (forecast, _) = self.forecast_of(frame)?;
        let mut frame = forecast.to_frame()?;
        frame.rechunk_mut();
        let mut bytes = Vec::new();
        ParquetWriter::new(&mut bytes).with_row_group_size(Some(usize::MAX)).finish(&mut frame)?;
        write_own(&self.folder.join(part(chunk)), &bytes)?;
        done(forecast.keys().len(), frame.height(), forecast.failures())
    }

    /// Takes away what is no longer needed; what somebody has put there meanwhile stays.
    fn leave(&self) -> Result<()> {
        for path in own_files(&self.folder)?.into_iter().chain([self.folder.join(LOCK)]) {
            files::remove_file(&path)?;
        }
        files::remove_if_empty(&self.folder)
    }

    fn read_done(&self, chunk: usize) -> Result<Done> {
        read_json(&self.folder.join(done(chunk)))
    }

    /// Makes one file of all chunks, and returns the summary.
    fn finish(&self) -> Result<Table> {
        let count = self.layout.chunks.len();
        let all = (0..count).map(|chunk| self.read_done(chunk)).collect::<Result<Vec<_>>>()?;
        let rows: usize = all.iter().map(|done| done.rows).sum();
        let failures: Vec<Failure> = all.iter().flat_map(|done| done.failures.iter().cloned()).collect();
        if rows == 0 {
            let reason = failures.first().map_or_else(String::new, |failure| format!(": {}", failure.reason));
            return Err(Error::model(format!("no model could forecast any series{reason}")));
        }
        if let Some(what) = Request::of(&self.plan)?.difference(&self.layout.request) {
            return Err(Error::data(format!("{what} has changed while the forecast was made; make it again")));
        }
        let bar = progress::bar(count, "writing");
        let write = |file: &mut File| {
            let full = |cause| refused(&self.out, &io_error(cause));
            let read = |chunk: usize| read_parquet(&self.folder.join(part(chunk)));
            let mut chunks = (0..count).filter(|chunk| all[*chunk].rows > 0).peekable();
            let schema = read(chunks.peek().copied().unwrap_or(0))?.schema().clone();
            let writer = ParquetWriter::new(file).with_key_value_metadata(mark::parquet(None));
            let mut writer = writer.batched(&schema).map_err(full)?;
            for chunk in chunks {
                progress::check()?;
                let mut frame = read(chunk)?;
                frame.rechunk_mut();
                writer.write_batch(&frame).map_err(full)?;
                bar.inc(1);
            }
            writer.finish().map(|_| ()).map_err(full)
        };
        together(|| list_failures(&failures, &self.out).and_then(|_| write_with(&self.out, write)))?;
        drop(bar);
        self.leave()?;
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
        progress::remark(&plan.data.display().to_string(), &panel.remarks());
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
/// What the lock holds: who has made the folder.
const OURS: &[u8] = b"tradewind\n";

/// Takes away what another run has left; somebody else's file is a reason to stop.
fn clear(folder: &Path) -> Result<()> {
    let own = own_files(folder)?;
    let entries = files::list(folder)?;
    if let Some(other) = entries.iter().find(|path| **path != folder.join(LOCK) && !own.contains(path)) {
        return Err(not_ours(other));
    }
    own.iter().try_for_each(|path| files::remove_file(path))
}

fn not_ours(path: &Path) -> Error {
    Error::usage(format!("{} is not of an earlier run; move it, or name another output", path.display()))
}

/// What runs have written into a folder that is known to be ours, but its lock.
fn own_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let numbered = |name: &str, start: &str, ends: &[&str]| {
        let number = name.strip_prefix(start).and_then(|rest| ends.iter().find_map(|end| rest.strip_suffix(end)));
        number.is_some_and(|number| number.len() >= 6 && number.bytes().all(|digit| digit.is_ascii_digit()))
    };
    let own = |name: &str| {
        name == LAYOUT
            || name.starts_with(WRITING)
            || numbered(name, "forecast-", &[".parquet", ".json"])
            || numbered(name, "series-", &[".parquet"])
    };
    let mut entries = files::list(folder)?;
    entries.retain(|path| path.file_name().is_some_and(|name| own(&name.to_string_lossy())));
    Ok(entries)
}

/// Keeps a second run from the folder until the file that comes back is closed. A folder that somebody else has made is
/// left as it is.
fn lock(folder: &Path) -> Result<File> {
    let path = folder.join(LOCK);
    let theirs = |entry: &&PathBuf| **entry != path;
    let ours = || {
        // A folder of an earlier version has an empty lock, and says in its layout what was asked.
        let layout = read_json::<serde_json::Value>(&folder.join(LAYOUT));
        files::read_bytes(&path).is_ok_and(|text| text == OURS)
            || layout.is_ok_and(|layout| layout["request"]["version"].is_string())
    };
    let entries = if files::is_folder(folder) { files::list(folder)? } else { Vec::new() };
    if let Some(entry) = entries.iter().find(theirs)
        && !ours()
    {
        return Err(not_ours(entry));
    }
    let mut file = files::open_to_write(&path)?;
    match file.try_lock() {
        Ok(()) => file.write_all(OURS).map(|()| file).map_err(|cause| refused(&path, &cause)),
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
    serde_json::from_slice(&files::read_bytes(path)?)
        .map_err(|cause| Error::data(format!("{} is damaged; remove its folder", path.display())).because(cause))
}

fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<()> {
    let bytes = serde_json::to_vec(value)
        .map_err(|cause| Error::io(format!("cannot write {}", path.display())).because(cause))?;
    write_own(path, &bytes)
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
        for policy in ["keys=merge", "gaps=fill, ends=panel"] {
            let said = said(Plan { policy: policy.into(), ..plan(&data) }, &out);
            assert!(said.contains("all series at once"), "{said}");
        }
        assert!(said(Plan { aggregate: Some("freq=W".into()), ..plan(&data) }, &out).contains("partial=keep"));
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
