//! Parquet, with the roles of a panel that was written by `Panel::save`.

use std::path::Path;

use polars::prelude::*;

use super::{Part, Wanted};
use crate::error::{Error, Result, first_line};
use crate::panel::Columns;

/// The key of a Parquet file's metadata under which a panel keeps its columns.
pub(in crate::panel) const ROLES: &str = "tradewind.columns";
/// The key under which it says that its values were cleaned before they were saved.
pub(in crate::panel) const CLEANED: &str = "tradewind.cleaned";

pub(super) fn read(path: &Path, wanted: &Wanted) -> Result<Part> {
    let source = path.display().to_string();
    let damaged = |cause: PolarsError| {
        Error::data(format!("{source} is not a readable Parquet file")).because(first_line(&cause))
    };
    let open = || crate::files::open(path);
    let mut reader = ParquetReader::new(open()?);
    let schema = reader.schema().map_err(damaged)?;
    let present: Vec<&str> = schema.iter_names().map(PlSmallStr::as_str).collect();
    let layout = wanted.layout(&present, &source)?;
    let names = layout.names();
    for name in &names {
        if let Some(field) = schema.get(name)
            && is_nested(field.dtype())
        {
            return Err(Error::data(format!(
                "column `{name}` of {source} is nested (a list or a structure), not one value per row; unnest it first"
            )));
        }
    }
    let frame = ParquetReader::new(open()?).with_columns(Some(names)).finish().map_err(damaged)?;
    let found = kept(path, CLEANED).into_iter().collect();
    layout.part(frame, Vec::new(), found, wanted)
}

/// Does a cell hold several values? Categories, which are kept as a dictionary, do not.
fn is_nested(dtype: &ArrowDataType) -> bool {
    dtype.is_nested() && !matches!(dtype, ArrowDataType::Dictionary(..))
}

/// The columns that a panel kept in a Parquet file; none if it is another file.
pub(in crate::panel) fn saved_columns(path: &Path) -> Option<Columns> {
    serde_json::from_str(&kept(path, ROLES)?).ok()
}

/// What a file's metadata have under a key.
pub(in crate::panel) fn kept(path: &Path, key: &str) -> Option<String> {
    let mut reader = ParquetReader::new(crate::files::open(path).ok()?);
    let metadata = reader.get_metadata().ok()?.clone();
    let pairs = metadata.key_value_metadata().as_ref()?;
    pairs.iter().find(|pair| pair.key == key)?.value.clone()
}
