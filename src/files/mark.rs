//! How is a file recognised that Tradewind has written, however long ago and wherever?
//!
//! | file | mark |
//! |---|---|
//! | page, slides, SVG, PDF | a comment with a checksum of the rest: what was edited by hand since is no longer ours |
//! | Parquet | an entry of its metadata |
//! | workbook, presentation | the comment of its archive: a program that saves it anew leaves it out |
//! | PNG | its text `Software` |
//! | saved fits, kernel | what they begin with |
//! | checkpoint | the checksum that it ends with |
//! | CSV and JSON | none: the columns of a forecast, a leaderboard, an audit … stand for one |
//!
//! A CSV file of the user's own columns bears no mark.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use polars::prelude::*;

/// What every key of ours in a Parquet file's metadata begins with.
const KEYS: &str = "tradewind.";
/// The key that names the writer of a Parquet file.
const WRITER: &str = "tradewind.writer";
/// What is written into pages and pictures, before the checksum.
const WRITTEN: &str = "Written by Tradewind, checksum ";
/// The place of the checksum before it is known.
const BLANK: &str = "0000000000000000";
/// What the last lines of a PDF begin with: where its table of contents is.
const START: &[u8] = b"startxref";
/// What saved fits say that they are, in their first entry.
pub(crate) const FITS: &str = "tradewind fits";
/// The kernel's name in Jupyter's lists.
pub(crate) const KERNEL: &str = "Tradewind (Rhai)";
/// What is put into a model that XGBoost wrote.
const ATTRIBUTE: &str = "\"written_by\":\"tradewind\"";
/// A picture's text chunk.
pub(crate) const SOFTWARE: (&str, &str) = ("Software", "Tradewind");

/// Columns by which a table of ours is known, in whatever order.
const TABLES: &[&[&str]] = &[
    // A forecast, of a backtest too.
    &["model", "mean", "q0.5"],
    // A leaderboard.
    &["model", "windows", "failures", "cpu_seconds"],
    // An audit.
    &["severity", "finding", "stamp", "value", "count", "done"],
    // The trials of a search.
    &["group", "trial", "model", "folds", "seconds", "failure"],
    // What the windows of a backtest scored.
    &["fold", "model", "mase", "wape", "bias"],
    // Orders, simulated ones, the choice of a policy, scenarios.
    &["order", "position", "level", "p_out", "reason"],
    &["model", "belief", "target", "fill_rate", "stockouts"],
    &["model", "cycle_service_target", "fill_rate_target", "mean_stock"],
    &["scenario", "forecast", "change_percent"],
    // Prices, paths of prices, promotions, the split of a budget.
    &["proposed", "p_better", "e_low", "e_high", "reason"],
    &["proposed", "path", "one_cut", "p_sold"],
    &["start", "borrowed", "siblings", "p_better", "excludes_zero"],
    &["channel", "proposed", "contribution", "half_saturation"],
];
/// The list of failures, which has these columns and no others than `fold`.
const FAILURES: [&str; 3] = ["model", "series", "reason"];

/// The metadata of every Parquet file, with what `more` adds.
pub(crate) fn parquet<'a>(more: impl IntoIterator<Item = (&'a str, String)>) -> Option<KeyValueMetadata> {
    let writer = (WRITER.to_string(), env!("CARGO_PKG_NAME").to_string());
    let more = more.into_iter().map(|(key, value)| (key.to_string(), value));
    Some(KeyValueMetadata::from_static(std::iter::once(writer).chain(more).collect()))
}

/// The comment of an archive of ours.
const ARCHIVE: &[u8] = b"Written by Tradewind";
/// What an archive without a comment ends with, and how long that is.
const END: &[u8] = b"PK\x05\x06";
const END_LENGTH: usize = 22;

/// A ZIP archive, as workbooks are, with our mark as its comment.
pub(crate) fn archive(mut bytes: Vec<u8>) -> Vec<u8> {
    let end = bytes.len().checked_sub(END_LENGTH).filter(|at| bytes[*at..].starts_with(END));
    if end.is_some() {
        let length = bytes.len() - 2;
        bytes.truncate(length);
        bytes.extend((ARCHIVE.len() as u16).to_le_bytes());
        bytes.extend(ARCHIVE);
    }
    bytes
}

/// A text with our mark in a comment at its end.
pub(crate) fn at_end(text: &str) -> String {
    sealed(format!("{text}<!-- {WRITTEN}{BLANK} -->\n"))
}

/// A text with our mark at the end of the YAML block that it begins with.
pub(crate) fn in_front(text: &str) -> String {
    sealed(text.replacen("\n---\n", &format!("\n# {WRITTEN}{BLANK}\n---\n"), 1))
}

/// A PDF with our mark in a comment before its last lines: what follows these is forbidden to archives.
pub(crate) fn before_the_end(mut bytes: Vec<u8>) -> Vec<u8> {
    let Some(at) = bytes.windows(START.len()).rposition(|window| window == START) else { return bytes };
    let comment = format!("% {WRITTEN}{BLANK}\n");
    bytes.splice(at..at, comment.bytes());
    let sum = checksum(&bytes);
    let from = at + comment.len() - BLANK.len() - 1;
    bytes[from..from + BLANK.len()].copy_from_slice(sum.as_bytes());
    bytes
}

/// Is this PDF as we left it?
fn pdf_is_ours(bytes: &[u8]) -> bool {
    let Some(at) = bytes.windows(WRITTEN.len()).rposition(|window| window == WRITTEN.as_bytes()) else { return false };
    let from = at + WRITTEN.len();
    let mut blank = bytes.to_vec();
    let Some(sum) = blank.get_mut(from..from + BLANK.len()) else { return false };
    sum.copy_from_slice(BLANK.as_bytes());
    checksum(&blank).as_bytes() == &bytes[from..from + BLANK.len()]
}

fn sealed(text: String) -> String {
    let sum = checksum(text.as_bytes());
    match text.rfind(&format!("{WRITTEN}{BLANK}")) {
        Some(at) => {
            let at = at + WRITTEN.len();
            format!("{}{sum}{}", &text[..at], &text[at + BLANK.len()..])
        }
        None => text,
    }
}

fn checksum(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex()[..BLANK.len()].to_string()
}

/// Does a text bear our mark, and is it as we left it?
fn is_sealed(text: &str) -> bool {
    text.match_indices(WRITTEN).any(|(at, _)| {
        let at = at + WRITTEN.len();
        text.get(at..at + BLANK.len()).is_some_and(|sum| {
            checksum(format!("{}{BLANK}{}", &text[..at], &text[at + BLANK.len()..]).as_bytes()) == sum
        })
    })
}

/// A model in XGBoost's JSON with our mark among its attributes.
pub(crate) fn in_attributes(model: &str) -> String {
    const OPEN: &str = "\"attributes\":{";
    let Some((before, after)) = model.split_once(OPEN) else { return model.to_string() };
    let comma = if after.starts_with('}') { "" } else { "," };
    format!("{before}{OPEN}{ATTRIBUTE}{comma}{after}")
}

/// Has Tradewind written this file? What cannot be read is not ours.
pub(super) fn bears(path: &Path) -> bool {
    let end = path.extension().and_then(|end| end.to_str()).unwrap_or("").to_lowercase();
    let marked = match end.as_str() {
        "parquet" | "pq" => parquet_is_ours(path),
        "csv" => csv_columns(path).is_some_and(|columns| is_our_table(&columns)),
        "md" | "html" | "htm" | "svg" => std::fs::read_to_string(path).is_ok_and(|text| is_sealed(&text)),
        "png" => beginning(path, 4096).is_some_and(|bytes| {
            let (key, text) = SOFTWARE;
            holds(&bytes, format!("tEXt{key}\0{text}").as_bytes())
        }),
        "pdf" => std::fs::read(path).is_ok_and(|bytes| pdf_is_ours(&bytes)),
        "json" => json_is_ours(path),
        "xlsx" | "pptx" => std::fs::read(path).is_ok_and(|bytes| bytes.ends_with(ARCHIVE)),
        "checkpoint" => std::fs::read(path).is_ok_and(|bytes| {
            let split = bytes.len().checked_sub(blake3::OUT_LEN).map(|at| bytes.split_at(at));
            split.is_some_and(|(bytes, sum)| blake3::hash(bytes).as_bytes() == sum)
        }),
        // Saved fits are named as their user likes.
        _ => false,
    };
    marked || beginning(path, 64).is_some_and(|bytes| begins_as_fits(&bytes))
}

/// A map of MessagePack whose first entry says what it is; words of a text in its place are no mark.
fn begins_as_fits(bytes: &[u8]) -> bool {
    let (key, kind) = ("kind", FITS);
    let text = |text: &str| [&[0xa0 | text.len() as u8], text.as_bytes()].concat();
    bytes.split_first().is_some_and(|(map, rest)| map >> 4 == 8 && rest.starts_with(&[text(key), text(kind)].concat()))
}

fn beginning(path: &Path, most: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(most).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

fn parquet_is_ours(path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return false };
    let mut reader = ParquetReader::new(file);
    let marked = reader.get_metadata().is_ok_and(|metadata| {
        let pairs = metadata.key_value_metadata().as_ref();
        pairs.is_some_and(|pairs| pairs.iter().any(|pair| pair.key.starts_with(KEYS)))
    });
    marked || reader.schema().is_ok_and(|schema| is_our_table(&schema.iter_names().map(ToString::to_string).collect()))
}

/// The names in the first line.
fn csv_columns(path: &Path) -> Option<HashSet<String>> {
    let file = File::open(path).ok()?.take(1 << 20);
    let mut reader = csv::ReaderBuilder::new().from_reader(file);
    Some(reader.headers().ok()?.iter().map(String::from).collect())
}

/// A table of ours is a row per line, each an object.
fn json_is_ours(path: &Path) -> bool {
    if beginning(path, 4096).is_some_and(|bytes| holds(&bytes, ATTRIBUTE.as_bytes())) {
        return true;
    }
    let Ok(file) = File::open(path) else { return false };
    let mut lines = BufReader::new(file).lines().map_while(std::result::Result::ok);
    let (Some(first), second) = (lines.next(), lines.next()) else { return false };
    if let ("[", Some(row)) = (first.trim_end(), &second)
        && let Ok(serde_json::Value::Object(row)) = serde_json::from_str(row.trim_end().trim_end_matches(','))
    {
        return is_our_table(&row.keys().cloned().collect());
    }
    // No rows: nothing is lost.
    if first.trim_end() == "[]" {
        return true;
    }
    std::fs::read_to_string(path).is_ok_and(|text| {
        let spec: Option<serde_json::Value> = serde_json::from_str(&text).ok();
        spec.is_some_and(|spec| spec["display_name"] == KERNEL && spec["argv"].is_array())
    })
}

/// Are these the columns of a table that only Tradewind writes?
fn is_our_table(columns: &HashSet<String>) -> bool {
    let has = |names: &[&str]| names.iter().all(|name| columns.contains(*name));
    TABLES.iter().any(|names| has(names))
        || has(&FAILURES) && columns.iter().all(|name| FAILURES.contains(&name.as_str()) || name == "fold")
        // The rows beside a model that was saved for another program.
        || columns.contains("said") && columns.iter().any(|name| name.starts_with("feature: "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edited_text_is_no_longer_ours() {
        for text in [at_end("# Sales\n"), in_front("---\nmarp: true\n---\n\n# Sales\n")] {
            assert!(is_sealed(&text), "{text}");
            assert!(!is_sealed(&text.replace("Sales", "My sales")) && !is_sealed(&format!("{text}more\n")));
        }
        assert!(in_front("---\nmarp: true\n---\n").starts_with("---\nmarp: true\n# Written by Tradewind, checksum "));
        assert!(!is_sealed("# Sales\n") && !is_sealed(&format!("{WRITTEN}{BLANK}")));
    }

    #[test]
    fn a_pdf_is_marked_before_its_last_lines() {
        let bytes = b"%PDF-1.7\n\xff\nstartxref\n3\n%%EOF\nstartxref\n9\n%%EOF".to_vec();
        let ours = before_the_end(bytes.clone());
        assert!(ours.ends_with(b"\nstartxref\n9\n%%EOF") && ours.starts_with(&bytes[..29]));
        assert!(pdf_is_ours(&ours) && !pdf_is_ours(&bytes));
        let mut edited = ours;
        edited[10] = b'x';
        assert!(!pdf_is_ours(&edited));
        assert_eq!(before_the_end(b"no PDF".to_vec()), b"no PDF");
    }

    #[test]
    fn saved_fits_are_known_by_their_first_entry() {
        assert!(begins_as_fits(b"\x88\xa4kind\xaetradewind fits\xa6format\x08"));
        for no in ["# How tradewind fits our planning", "", "\u{8}kind tradewind fits"] {
            assert!(!begins_as_fits(no.as_bytes()), "{no}");
        }
    }

    #[test]
    fn tables_are_known_by_their_columns() {
        let ours = |text: &str| is_our_table(&text.split(',').map(String::from).collect());
        for yes in ["id,ds,model,mean,q0.1,q0.5,q0.9", "model,series,reason", "fold,model,series,reason"] {
            assert!(ours(yes), "{yes}");
        }
        for no in ["id,ds,y", "model,mean", "model,series,reason,remark", "said", "ds,y,q0.5"] {
            assert!(!ours(no), "{no}");
        }
    }

    #[test]
    fn xgboost_models_keep_their_attributes() {
        assert_eq!(
            in_attributes(r#"{"learner":{"attributes":{},"x":1}}"#),
            r#"{"learner":{"attributes":{"written_by":"tradewind"},"x":1}}"#
        );
        assert_eq!(
            in_attributes(r#"{"learner":{"attributes":{"a":"b"}}}"#),
            r#"{"learner":{"attributes":{"written_by":"tradewind","a":"b"}}}"#
        );
    }
}
