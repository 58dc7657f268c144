//! Which rows of some Parquet files belong together? Rows are counted over all files in order; any range of them can be
//! read without the rest.

use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use polars::prelude::*;

use crate::error::{Error, Result, first_line};
use crate::panel::{Columns, Panel, folders, labels_of, spans};
use crate::progress;

/// Rows that are read at once where only keys are needed.
const GLANCE: usize = 1_000_000;
/// Partitions at most: as many files are open at once.
const PARTITIONS: usize = 512;

/// The declared columns of some Parquet files.
pub(super) struct Rows {
    files: Vec<Part>,
    names: Vec<String>,
    /// Columns in the names of folders that hold whole numbers.
    whole: Vec<String>,
}

struct Part {
    path: PathBuf,
    metadata: Arc<FileMetadata>,
    first: usize,
    /// The declared columns that the names of its folders hold.
    given: folders::Given,
    /// Those of them that the file itself does not have.
    lacks: Vec<String>,
}

/// Where series lie.
pub(super) enum Survey {
    /// Each in one stretch of rows: ranges of about the size that was asked for, and how many series there are.
    Contiguous(Vec<Range<usize>>, usize),
    /// Scattered.
    Scattered,
}

fn damaged(path: &Path, cause: &PolarsError) -> Error {
    Error::data(format!("{} is not a readable Parquet file", path.display())).because(first_line(cause))
}

fn open(path: &Path) -> Result<ParquetReader<crate::files::File>> {
    Ok(ParquetReader::new(crate::files::open(path)?))
}

/// What a series is recognised by. Two series with one number would be taken for one that is scattered, and still be
/// told apart afterwards.
fn number(label: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    label.hash(&mut hasher);
    hasher.finish()
}

impl Rows {
    /// Opens files, which must all have the declared columns, of the same types.
    pub fn open(paths: &[PathBuf], columns: &Columns) -> Result<Self> {
        let names: Vec<String> = columns.names().into_iter().map(String::from).collect();
        let mut files: Vec<Part> = Vec::with_capacity(paths.len());
        let mut types: Option<Vec<Option<ArrowDataType>>> = None;
        let mut first = 0;
        for path in paths {
            let mut reader = open(path)?;
            let schema = reader.schema().map_err(|cause| damaged(path, &cause))?;
            let present: Vec<&str> = schema.iter_names().map(PlSmallStr::as_str).collect();
            let mut given = folders::given(path);
            given.retain(|(name, _)| names.contains(name));
            let lacks = given.iter().map(|(name, _)| name).filter(|name| !present.contains(&name.as_str()));
            let lacks: Vec<String> = lacks.cloned().collect();
            let all: Vec<&str> = present.iter().copied().chain(lacks.iter().map(String::as_str)).collect();
            columns.check(&all, &path.display().to_string())?;
            let own: Vec<Option<ArrowDataType>> =
                names.iter().map(|name| schema.get(name).map(|field| field.dtype().clone())).collect();
            let known = types.get_or_insert_with(|| own.clone());
            if let Some(other) = (0..names.len()).find(|i| known[*i] != own[*i]) {
                let holds = |dtype: &Option<ArrowDataType>| match dtype {
                    Some(dtype) => format!("{dtype:?}"),
                    None => "what its folder is called".into(),
                };
                return Err(Error::data(format!(
                    "column `{}` of {} holds {}, that of the files before it {}; write them alike",
                    names[other],
                    path.display(),
                    holds(&own[other]),
                    holds(&known[other])
                )));
            }
            let metadata = reader.get_metadata().map_err(|cause| damaged(path, &cause))?.clone();
            let rows = metadata.num_rows;
            files.push(Part { path: path.clone(), metadata, first, given, lacks });
            first += rows;
        }
        let values = |name: &str| {
            let of = move |part: &Part| part.given.iter().find(|(known, _)| known == name)?.1.clone();
            files.iter().filter_map(of).collect::<Vec<String>>()
        };
        let whole = |name: &&String| folders::are_whole(values(name).iter().map(String::as_str));
        let whole = files.first().map_or_else(Vec::new, |part| part.lacks.iter().filter(whole).cloned().collect());
        let rows = Self { files, names, whole };
        match rows.len() {
            0 => Err(Error::data("the data have no rows")),
            _ => Ok(rows),
        }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.files.last().map_or(0, |last| last.first + last.metadata.num_rows)
    }

    /// A range of rows of the declared columns.
    pub fn read(&self, range: &Range<usize>) -> Result<DataFrame> {
        self.read_columns(range, &self.names)
    }

    fn read_columns(&self, range: &Range<usize>, names: &[String]) -> Result<DataFrame> {
        let mut whole: Option<DataFrame> = None;
        for part in &self.files {
            let rows = part.first..part.first + part.metadata.num_rows;
            let (from, to) = (range.start.max(rows.start), range.end.min(rows.end));
            if from >= to {
                continue;
            }
            let own: Vec<String> = names.iter().filter(|name| !part.lacks.contains(name)).cloned().collect();
            let frame = if own.is_empty() {
                DataFrame::empty_with_height(to - from)
            } else {
                let mut reader = open(&part.path)?;
                reader.set_metadata(part.metadata.clone());
                reader
                    .with_columns(Some(own))
                    .with_slice(Some((from - part.first, to - from)))
                    .finish()
                    .map_err(|cause| damaged(&part.path, &cause))?
            };
            // A file that was written anew meanwhile has other rows than its description.
            if frame.height() != to - from {
                return Err(Error::data(format!("{} has changed while it was read", part.path.display())));
            }
            let frame = if part.given.is_empty() { frame } else { self.with_given(frame, part, names)? };
            match &mut whole {
                None => whole = Some(frame),
                Some(whole) => _ = whole.vstack_mut(&frame)?,
            }
        }
        let mut frame = whole.unwrap_or_default();
        frame.rechunk_mut();
        Ok(frame)
    }

    /// The rows of a file with the columns of its folders, in the order of the names.
    fn with_given(&self, frame: DataFrame, part: &Part, names: &[String]) -> Result<DataFrame> {
        let mut frame = folders::with_given(frame, &part.given, names, &part.path.display().to_string())?;
        for name in self.whole.iter().filter(|name| names.contains(name)) {
            let whole = frame.column(name)?.cast(&DataType::Int64)?;
            frame.with_column(whole)?;
        }
        Ok(frame.select(names.iter().map(String::as_str))?)
    }

    /// Stretches of rows of at most that many.
    fn glances(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let len = self.len();
        (0..len).step_by(GLANCE).map(move |start| start..(start + GLANCE).min(len))
    }

    /// Looks at the keys alone: does each series lie in one stretch? If so, where can the rows be cut into ranges of at
    /// least `size` rows (but the last) without cutting a series?
    pub fn survey(&self, columns: &Columns, size: usize) -> Result<Survey> {
        let keys = columns.keys();
        if keys.is_empty() {
            return Ok(Survey::Contiguous(std::iter::once(0..self.len()).collect(), 1));
        }
        let bar = progress::bar(self.len(), "surveying");
        let mut seen = HashSet::new();
        let mut ranges = Vec::new();
        let mut start = 0;
        let mut last = None;
        for glance in self.glances() {
            progress::check()?;
            let frame = self.read_columns(&glance, &keys)?;
            let firsts: Vec<usize> = spans(&frame, columns)?.into_iter().map(|span| span.start).collect();
            let at: Vec<IdxSize> = firsts.iter().map(|first| *first as IdxSize).collect();
            let labels = labels_of(&frame.take(&IdxCa::from_vec("".into(), at))?, firsts.len())?;
            for (first, label) in firsts.iter().zip(&labels) {
                let label = Some(number(label));
                if label == last {
                    continue;
                }
                last = label;
                if label.is_some_and(|label| !seen.insert(label)) {
                    return Ok(Survey::Scattered);
                }
                let row = glance.start + first;
                if row - start >= size {
                    ranges.push(start..row);
                    start = row;
                }
            }
            bar.inc(glance.len());
        }
        drop(bar);
        ranges.push(start..self.len());
        Ok(Survey::Contiguous(ranges, seen.len()))
    }

    /// Copies the rows to files of about `size` rows, each series whole in one of them; how many series there are.
    pub fn partition(&self, columns: &Columns, size: usize, file: impl Fn(usize) -> PathBuf) -> Result<(usize, usize)> {
        let count = self.len().div_ceil(size).clamp(1, PARTITIONS);
        let schema = self.read(&(0..1))?.schema().clone();
        let mut writers = (0..count)
            .map(|k| {
                let path = file(k);
                let made = crate::files::create(&path)?;
                let writer = ParquetWriter::new(made).set_parallel(false).batched(&schema)?;
                Ok((path, writer))
            })
            .collect::<Result<Vec<_>>>()?;
        let refused = |path: &Path, cause: PolarsError| crate::files::refused(path, &crate::files::io_error(cause));
        let bar = progress::bar(self.len(), "partitioning");
        let mut seen = HashSet::new();
        for glance in self.glances() {
            progress::check()?;
            let frame = self.read(&glance)?;
            let keys = frame.select(columns.keys())?;
            let mut rows: Vec<Vec<IdxSize>> = vec![Vec::new(); count];
            for (row, label) in labels_of(&keys, frame.height())?.iter().enumerate() {
                let number = number(label);
                seen.insert(number);
                rows[(number % count as u64) as usize].push(row as IdxSize);
            }
            for ((path, writer), rows) in writers.iter_mut().zip(rows).filter(|(_, rows)| !rows.is_empty()) {
                let rows = frame.take(&IdxCa::from_vec("".into(), rows))?;
                crate::job::spend(0, rows.estimated_size() as u64)?;
                writer.write_batch(&rows).map_err(|cause| refused(path, cause))?;
            }
            bar.inc(glance.len());
        }
        for (path, writer) in &writers {
            writer.finish().map_err(|cause| refused(path, cause))?;
        }
        drop(bar);
        Ok((count, seen.len()))
    }
}

/// Rows of the future of series, by series.
pub(super) struct Coming {
    frame: DataFrame,
    /// The number of the series of each row, in order.
    index: Vec<(u64, IdxSize)>,
}

impl Coming {
    /// Of a frame with the key columns.
    pub fn new(frame: DataFrame, columns: &Columns) -> Result<Self> {
        let labels = labels_of(&frame.select(columns.keys())?, frame.height())?;
        let mut index: Vec<(u64, IdxSize)> =
            labels.iter().enumerate().map(|(row, label)| (number(label), row as IdxSize)).collect();
        index.sort_unstable();
        Ok(Self { frame, index })
    }

    /// The rows of the series of a panel.
    pub fn of(&self, panel: &Panel) -> Result<DataFrame> {
        let mut rows = Vec::new();
        for label in panel.labels().iter() {
            let number = number(label);
            let from = self.index.partition_point(|(known, _)| *known < number);
            rows.extend(self.index[from..].iter().take_while(|(known, _)| *known == number).map(|(_, row)| *row));
        }
        rows.sort_unstable();
        Ok(self.frame.take(&IdxCa::from_vec("".into(), rows))?)
    }
}
