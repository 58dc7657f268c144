//! How is the table of a job written in another format? Piece by piece where the format allows it, so that a table of any length takes
//! the memory of one piece.

use std::io::{self, Write};
use std::path::Path;

use polars::prelude::*;
use tradewind_serve::engine::{Answer, Format};
use tradewind_serve::{Fault, Kind};

use crate::show::Table;

/// Rows that are read and written at a time.
const PIECE: usize = 50_000;
/// Bytes that are copied at a time.
const BYTES: usize = 1 << 16;

/// Writes a Parquet file in another format.
pub(super) fn convert(table: &Path, format: Format, out: &mut (dyn Write + Send)) -> Answer<()> {
    match format {
        Format::Parquet => {
            let mut file = io::BufReader::with_capacity(BYTES, crate::files::open(table)?);
            io::copy(&mut file, out).map(|_| ()).map_err(|cause| gone(&cause))
        }
        Format::Csv => pieces(table, |piece, is_first| {
            let text = piece.to_csv()?;
            // The header is that of the first piece.
            let from = if is_first { 0 } else { text.find('\n').map_or(text.len(), |end| end + 1) };
            out.write_all(&text.as_bytes()[from..]).map_err(|cause| gone(&cause))
        }),
        Format::Ndjson => pieces(table, |piece, _| {
            let serde_json::Value::Array(rows) = piece.to_json()? else { return Ok(()) };
            for row in rows {
                writeln!(out, "{row}").map_err(|cause| gone(&cause))?;
            }
            Ok(())
        }),
        Format::Xlsx => {
            let frame = ParquetReader::new(crate::files::open(table)?).finish().map_err(|cause| damaged(&cause))?;
            out.write_all(&Table::new(frame).to_workbook()?).map_err(|cause| gone(&cause))
        }
    }
}

/// Gives a file's rows to `write`, some at a time, and says which are the first.
fn pieces(table: &Path, mut write: impl FnMut(Table, bool) -> Answer<()>) -> Answer<()> {
    let rows = ParquetReader::new(crate::files::open(table)?).num_rows().map_err(|cause| damaged(&cause))?;
    for start in (0..rows.max(1)).step_by(PIECE) {
        let reader = ParquetReader::new(crate::files::open(table)?).with_slice(Some((start, PIECE)));
        write(Table::new(reader.finish().map_err(|cause| damaged(&cause))?), start == 0)?;
    }
    Ok(())
}

fn damaged(cause: &PolarsError) -> Fault {
    Fault::new(Kind::Unavailable, format!("the table cannot be read: {}", crate::error::first_line(cause)))
}

/// Nobody takes what is written.
fn gone(cause: &io::Error) -> Fault {
    Fault::new(Kind::Cancelled, format!("the table was not written to its end: {cause}"))
}
