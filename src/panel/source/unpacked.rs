//! How large is a file once it is unpacked? Found out piece by piece, so that neither memory nor disk is filled by a file that was made
//! to do so.
//!
//! Text may be packed by gzip or zstd, a workbook is an archive of parts, and a Parquet file says how many rows it holds. What an
//! archive says of the size of its parts is not believed: they are unpacked and counted.

use std::io::{self, BufReader, Read};
use std::path::Path;

use polars::prelude::*;

use crate::error::{Error, Result};
use crate::files::File;
use crate::progress;

/// Bytes that are unpacked at a time.
const PIECE: usize = 1 << 18;
/// Bytes that a value of a Parquet file takes at least.
const VALUE: u64 = 8;

/// Does a file unpack to no more than so many bytes?
///
/// # Errors
/// When it cannot be read or is damaged.
pub(crate) fn unpacks_within(path: &Path, most: u64) -> Result<bool> {
    let source = path.display().to_string();
    let damaged = |cause: io::Error| Error::data(format!("{source} is damaged: it does not unpack")).because(cause);
    let mut start = Vec::new();
    let cannot = |cause: io::Error| Error::io(format!("{source} cannot be read")).because(cause);
    crate::files::open(path)?.take(4).read_to_end(&mut start).map_err(cannot)?;
    let file = BufReader::with_capacity(PIECE, crate::files::open(path)?);
    let rest = match start.as_slice() {
        [0x1f, 0x8b, ..] => counted(flate2::bufread::MultiGzDecoder::new(file), most)?,
        [0x28, 0xb5, 0x2f, 0xfd] => counted(zstd::stream::read::Decoder::with_buffer(file).map_err(damaged)?, most)?,
        b"PK\x03\x04" => archive(file, most, &source)?,
        b"PAR1" => {
            let mut reader = ParquetReader::new(file.into_inner());
            let rows = reader.num_rows().map_err(|cause| Error::data(format!("{source} is damaged")).because(cause))?;
            let columns = reader.schema().map_or(1, |schema| schema.len().max(1));
            Ok(most.checked_sub((rows as u64).saturating_mul(columns as u64).saturating_mul(VALUE)))
        }
        _ => Ok(Some(most)),
    };
    Ok(rest.map_err(damaged)?.is_some())
}

/// What is left of an allowance after all that a reader has; none where it is exceeded.
fn counted(mut reader: impl Read, most: u64) -> Result<io::Result<Option<u64>>> {
    let (mut left, mut piece) = (most, vec![0; PIECE]);
    loop {
        progress::check()?;
        match reader.read(&mut piece) {
            Ok(0) => return Ok(Ok(Some(left))),
            Ok(n) => match left.checked_sub(n as u64) {
                Some(less) => left = less,
                None => return Ok(Ok(None)),
            },
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            Err(cause) => return Ok(Err(cause)),
        }
    }
}

/// The same of all parts of an archive together.
fn archive(file: BufReader<File>, most: u64, source: &str) -> Result<io::Result<Option<u64>>> {
    let broken = |cause: ::zip::result::ZipError| Error::data(format!("{source} is a damaged archive")).because(cause);
    let mut archive = ::zip::ZipArchive::new(file).map_err(broken)?;
    let mut left = most;
    for part in 0..archive.len() {
        let part = archive.by_index(part).map_err(broken)?;
        match counted(part, left)? {
            Ok(Some(less)) => left = less,
            other => return Ok(other),
        }
    }
    Ok(Ok(Some(left)))
}
