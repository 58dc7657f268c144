//! Which columns stand in the names of folders? Spark, Hive and others write `sales/shop=a/year=2024/part-0.parquet`: the
//! folders are walked, and each `name=value` is a column of the files below.
//!
//! A value is written as in a web address (`%2F` for a slash), and `__HIVE_DEFAULT_PARTITION__` where it is empty. Such a
//! column is read where it is declared and the file has none of that name; where both have it, they must agree.

use std::path::{Component, Path, PathBuf};

use polars::prelude::*;

use super::hidden;
use crate::error::{Error, Result};
use crate::progress;

/// What stands for an empty value.
const EMPTY: &str = "__HIVE_DEFAULT_PARTITION__";
/// Folders within folders: a link that leads back to one of them would go on for ever.
const DEEP: usize = 64;

/// The columns that a file has from its folders, the outermost first, with their value.
pub(crate) type Given = Vec<(String, Option<String>)>;

/// The columns in the names of the folders that a path leads through.
pub(crate) fn given(path: &Path) -> Given {
    let mut given: Given = Vec::new();
    for component in path.parent().into_iter().flat_map(Path::components) {
        let Component::Normal(name) = component else { continue };
        if let Some((name, value)) = name.to_str().and_then(named) {
            given.retain(|(known, _)| *known != name);
            given.push((name, value));
        }
    }
    given
}

/// A folder's name as a column and its value.
fn named(folder: &str) -> Option<(String, Option<String>)> {
    let (name, value) = folder.split_once('=').filter(|(name, _)| !name.is_empty())?;
    Some((decoded(name), (value != EMPTY && !value.is_empty()).then(|| decoded(value))))
}

/// Does a folder's name hold a column?
pub(super) fn is_partition(folder: &Path) -> bool {
    folder.file_name().and_then(|name| named(name.to_str()?)).is_some() && !hidden(folder)
}

/// Does a file lie where Spark keeps what is not written to its end, or the log of a table?
pub(super) fn is_in_the_making(path: &Path) -> bool {
    let is = |name: &str| ["_temporary", "_delta_log"].contains(&name) || name.starts_with(".spark-staging");
    path.components().any(|part| part.as_os_str().to_str().is_some_and(is))
}

/// Text in which `%41` stands for a byte; what is not written so stays as it is.
fn decoded(text: &str) -> String {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let bytes = text.as_bytes();
    let (mut plain, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        match (bytes[at], digit(bytes.get(at + 1)), digit(bytes.get(at + 2))) {
            (b'%', Some(high), Some(low)) => {
                plain.push((high * 16 + low) as u8);
                at += 3;
            }
            (byte, ..) => {
                plain.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8(plain).unwrap_or_else(|_| text.into())
}

/// What lies in a folder and in the folders below it whose names hold a column, in the order of the names.
pub(super) fn walk(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    look(folder, 0, &mut found)?;
    Ok(found)
}

fn look(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<()> {
    progress::check()?;
    if depth > DEEP {
        return Err(Error::io(format!("{} lies too deep: does a link lead back to its own folder?", folder.display())));
    }
    for path in crate::files::list(folder)? {
        if is_partition(&path) && crate::files::is_folder(&path) {
            look(&path, depth + 1, found)?;
        } else {
            found.push(path);
        }
    }
    Ok(())
}

/// The frame of a file with the columns `kept` of its folders.
///
/// # Errors
/// When a column of the file says something else than its folder.
pub(crate) fn with_given(mut frame: DataFrame, given: &Given, kept: &[String], source: &str) -> Result<DataFrame> {
    let height = frame.height();
    for (name, value) in given.iter().filter(|(name, _)| kept.contains(name)) {
        if let Ok(column) = frame.column(name) {
            agree(column, value.as_deref(), source)?;
            continue;
        }
        let name = PlSmallStr::from_str(name);
        let column = match value {
            Some(value) => StringChunked::full(name, value, height),
            None => StringChunked::full_null(name, height),
        };
        if frame.width() == 0 {
            frame = DataFrame::new(height, vec![column.into_series().into_column()])?;
        } else {
            frame.with_column(column.into_series().into_column())?;
        }
    }
    Ok(frame)
}

/// Are the values of a column in the names of folders whole numbers, as keys are typed?
pub(crate) fn are_whole<'a>(mut values: impl Iterator<Item = &'a str>) -> bool {
    values.all(|value| value.parse::<i64>().is_ok_and(|whole| whole.to_string() == value))
}

/// Does a column say throughout what the folder of its file says?
fn agree(column: &Column, value: Option<&str>, source: &str) -> Result<()> {
    let texts = column.cast(&DataType::String)?;
    let number = value.and_then(|value| value.parse::<f64>().ok());
    let same = |cell: Option<&str>| {
        cell == value || (number.is_some() && cell.and_then(|cell| cell.trim().parse::<f64>().ok()) == number)
    };
    // Neighbours are mostly the same.
    let mut last: Option<Option<&str>> = None;
    for cell in texts.str()?.iter() {
        if last != Some(cell) && !same(cell) {
            return Err(Error::data(format!(
                "{source} lies in a folder {name}={}, but its own column `{name}` says {}; move it, or correct the column",
                value.unwrap_or(EMPTY),
                cell.map_or_else(|| "nothing".to_string(), |cell| format!("`{}`", super::short(cell))),
                name = column.name(),
            )));
        }
        last = Some(cell);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_in_the_names_of_folders() {
        let of = |path: &str| given(Path::new(path));
        let value = |name: &str, value: &str| (name.to_string(), Some(value.to_string()));
        assert_eq!(of("sales/shop=a%2Fb/year=2024/part-0.parquet"), [value("shop", "a/b"), value("year", "2024")]);
        assert_eq!(of("shop=__HIVE_DEFAULT_PARTITION__/x.csv"), [("shop".to_string(), None)]);
        assert_eq!(of("a=1/a=2/x.csv"), [value("a", "2")]);
        assert_eq!(of("K%C3%B6ln=100%/x=y=z.csv"), [value("Köln", "100%")]);
        assert!(of("sales/x=1.csv").is_empty() && of("=a/x.csv").is_empty());
        assert_eq!(decoded("%ff%zz%4"), "%ff%zz%4");
    }

    #[test]
    fn a_file_that_lies_in_the_wrong_folder() {
        let column = Column::new("month".into(), ["01", "1", "01"]);
        assert!(agree(&column, Some("01"), "a.csv").is_ok());
        assert!(agree(&column, Some("1"), "a.csv").is_ok());
        let error = agree(&column, Some("2"), "a.csv").unwrap_err().to_string();
        assert!(error.contains("folder month=2") && error.contains("`01`"), "{error}");
    }
}
