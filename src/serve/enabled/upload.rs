//! What does a file hold that somebody has sent?
//!
//! It is read behind a fence around itself: nothing that is said of it can make anything else be read. What is packed is counted before
//! it is read, so that a file that was made to fill the memory is refused.

use std::path::Path;

use polars::prelude::{Column, DataType};
use serde_json::{Map, Value};
use tradewind_serve::engine::{Answer, Detected, DetectedColumn, Page};
use tradewind_serve::{Fault, Kind};

use super::asked::most;
use super::fields::{self, Purpose};
use super::{Serving, page_html, timed};
use crate::job::{Fence, Job};
use crate::panel::{Panel, unpacks_within};
use crate::plan::{Patch, Plan};
use crate::show::words::counted;
use crate::show::{Show, Table, number};

/// First values that are shown of a column.
const SAMPLE: usize = 5;

/// Does `work` behind a fence around a file that was sent, with threads of its own.
fn behind<T: Send>(serving: &Serving, file: &Path, work: impl FnOnce() -> Answer<T> + Send) -> Answer<T> {
    let fence = Fence::around([file.to_path_buf()])?.with_limits(most());
    let work = || {
        check_size(serving, file)?;
        work()
    };
    timed(Job::behind(fence), work).map_err(|fault| unplaced(fault, file))
}

/// Is the file no larger than allowed once it is unpacked?
///
/// # Errors
/// When it is, or cannot be unpacked.
pub(super) fn check_size(serving: &Serving, file: &Path) -> Answer<()> {
    let limit = serving.served.unpacked;
    if unpacks_within(file, limit)? {
        return Ok(());
    }
    let detail = format!("the file unpacks to more than {} MB; send a smaller one", number((limit >> 20) as f64));
    Err(Fault::new(Kind::TooLarge, detail))
}

/// A refusal without the place of the file, which is nobody's concern.
pub(super) fn unplaced(fault: Fault, file: &Path) -> Fault {
    Fault { detail: fault.detail.replace(&file.display().to_string(), "the file"), ..fault }
}

/// The plan that reads a file as a request says, the columns that it does not state found out; and what was found.
pub(super) fn plan(file: &Path, purposes: &[Purpose], stated: &Map<String, Value>) -> Answer<(Plan, Option<String>)> {
    let patch = Patch { data: Some(file.to_path_buf()), ..fields::patch(purposes, stated)? };
    let (patch, found) = patch.completed()?;
    Ok((patch.over(Plan::default()), found))
}

/// What a file holds, as far as one can tell.
pub(super) fn detect(serving: &Serving, file: &Path, stated: &Map<String, Value>) -> Answer<Detected> {
    let patch = fields::patch(&[Purpose::Read], stated)?;
    behind(serving, file, || {
        let patch = Patch { data: Some(file.to_path_buf()), ..patch };
        let reading = patch.clone().over(Plan::default()).reading()?;
        let cells = Table::read_as(file, &reading)?;
        let columns = cells.frame().columns().iter().map(|column| described(&cells, column)).collect::<Answer<_>>()?;
        drop(cells);
        let guessed = patch.clone().explored();
        let (plan, found) = match &guessed {
            Ok((patch, found)) => (patch.clone().over(Plan::default()), found.clone()),
            Err(_) => (patch.clone().over(Plan::default()), None),
        };
        let panel = guessed.and_then(|_| plan.read_panel());
        let mut notes: Vec<String> = found.into_iter().map(|found| without_flags(&found)).collect();
        notes.extend(panel.as_ref().map(Panel::remarks).unwrap_or_default());
        let summary = panel
            .map(|panel| summary(&panel))
            .map_err(|error| unplaced(Fault::new(Kind::BadData, error.to_string()), file).detail);
        Ok(Detected { columns, plan: roles(&plan, &patch, summary.is_ok()), notes, summary })
    })
}

/// What was found out, without the flags that state it otherwise.
fn without_flags(found: &str) -> String {
    found.split("; ").filter(|part| !part.contains("--")).collect::<Vec<_>>().join("; ")
}

/// `7 series, 1,001 rows, weekly (Fridays), 2010-02-05 to 2012-10-26`.
fn summary(panel: &Panel) -> String {
    let (first, last) = panel.span();
    let rows = counted(panel.rows(), "row", "rows");
    format!("{}, {rows}, {}, {first} to {last}", counted(panel.len(), "series", "series"), panel.frequency())
}

/// The roles of columns as fields of a plan; where they could not be found out, those that are stated.
fn roles(plan: &Plan, stated: &Patch, is_settled: bool) -> Map<String, Value> {
    let lists = [
        ("id", &plan.id, stated.id.is_some()),
        ("known", &plan.known, stated.known.is_some()),
        ("observed", &plan.observed, stated.observed.is_some()),
        ("fixed", &plan.fixed, stated.fixed.is_some()),
    ];
    let texts = [("time", &plan.time, stated.time.is_some()), ("target", &plan.target, stated.target.is_some())];
    let mut fields = Map::new();
    for (name, list, _) in lists.into_iter().filter(|(.., is_stated)| is_settled || *is_stated) {
        fields.insert(name.into(), list.names().into());
    }
    for (name, text, _) in texts.into_iter().filter(|(.., is_stated)| is_settled || *is_stated) {
        fields.insert(name.into(), text.as_str().into());
    }
    fields
}

fn described(cells: &Table, column: &Column) -> Answer<DetectedColumn> {
    let kind = match column.dtype() {
        DataType::Boolean => "yes or no",
        dtype if dtype.is_temporal() => "date",
        dtype if dtype.is_primitive_numeric() || dtype.is_decimal() => "number",
        _ => "text",
    };
    let name = column.name().to_string();
    let first = (0..cells.rows().min(SAMPLE)).map(|row| Ok(cells.get(row, &name)?.to_string()));
    Ok(DetectedColumn { kind: kind.into(), sample: first.collect::<Answer<_>>()?, name })
}

/// What is wrong with a file's data.
pub(super) fn audit(serving: &Serving, file: &Path, stated: &Map<String, Value>) -> Answer<Page> {
    let read: Map<String, Value> = stated.clone();
    behind(serving, file, || {
        let (plan, _) = plan(file, &[Purpose::Read, Purpose::Forecast, Purpose::Decide], &read)?;
        let audit = plan.panel()?.audit()?;
        Ok(Page { title: "Data quality".into(), sentence: audit.sentence(), html: page_html(&audit.block()) })
    })
}
