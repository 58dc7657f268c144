//! What is wrong with the data, series by series: each finding with its first occurrence, its count, and what cleaning
//! did about it. Auditing changes nothing.
//!
//! | file | question |
//! |---|---|
//! | `rows` | which rows are missing, duplicated, empty, negative, out of order? |
//! | `unusual` | which values are unusual for their series? |
//! | `covariates` | which covariates have missing values, never vary, or leak the target? |
//! | `keys` | which keys look alike? |
//! | `totals` | which series are sums of others? |

mod covariates;
mod keys;
mod rows;
pub(super) mod totals;
pub(super) mod unusual;
pub(crate) use unusual::median;

use polars::prelude::*;
use rayon::prelude::*;

use super::{Clean, Panel, Remedy};
use crate::error::Result;
use crate::progress;
use crate::show::words::counted;
use crate::show::{Block, Show, Table, number};

/// What is wrong with a panel's data, and what [`Panel::clean`] did about it.
///
/// ```
/// use tradewind::prelude::*;
/// let sales = Panel::read(
///     "data/walmart_sales_weekly.csv",
///     Columns::new(["Store", "Dept"], "Date", "Weekly_Sales").known(["MarkDown1"]),
/// )?;
/// let audit = sales.audit()?;
/// assert_eq!(audit.count("missing covariates"), 7 * 92);
/// # Ok::<(), tradewind::Error>(())
/// ```
#[derive(Clone)]
pub struct Audit {
    panel: Panel,
    found: Vec<Found>,
    remedy: Remedy,
    /// The flags that state what was audited, where a command line states it.
    flags: Option<Vec<(String, String)>>,
    /// The policies that cleaned it.
    policy: Clean,
}

/// How serious a finding is: an `Error` prevents models from being fitted, a `Warning` distorts them, a `Note` is worth
/// knowing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Severity {
    Error,
    Warning,
    Note,
}

#[derive(Clone)]
struct Found {
    severity: Severity,
    kind: &'static str,
    series: Option<usize>,
    stamp: Option<String>,
    value: Option<String>,
    count: usize,
    action: Option<String>,
}

/// A change that cleaning made, kept with the panel.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) kind: &'static str,
    pub(crate) series: usize,
    pub(crate) position: i64,
    /// The target before and after; NaN where there was or is none.
    pub(crate) target: (f64, f64),
    pub(crate) stamp: String,
    pub(crate) value: String,
    pub(crate) action: String,
}

/// The kind of finding for rows without a value of a covariate; it was once called `holes`.
pub(super) const MISSING_COVARIATES: &str = "missing covariates";

/// Every kind of finding: its name, its severity, and what it means.
const KINDS: [(&str, Severity, &str); 32] = [
    ("copies", Severity::Error, "rows that repeat another one in every column"),
    ("duplicates", Severity::Error, "rows for one timestamp of a series that contradict each other"),
    ("off calendar", Severity::Error, "a timestamp that is not on the calendar"),
    ("infinite", Severity::Error, "a target that is not finite"),
    ("not a number", Severity::Error, "a target cell that is not a number"),
    ("gaps", Severity::Warning, "timestamps between first and last without a row"),
    ("changed frequency", Severity::Warning, "a stretch of a series with longer steps than the panel's"),
    ("missing", Severity::Warning, "rows without a target"),
    ("negative", Severity::Warning, "a target below zero: returns, or an error"),
    ("stock-outs", Severity::Warning, "suspected: more zeros in a row than the series' own rate of zeros explains"),
    ("censored", Severity::Warning, "steps in which the item could not always be sold: demand is at least the sales"),
    ("outliers", Severity::Warning, "a target far from its trend and season"),
    ("level shifts", Severity::Warning, "a sudden, lasting change of level"),
    (MISSING_COVARIATES, Severity::Warning, "rows without a value of a covariate"),
    ("leak", Severity::Warning, "a covariate that follows the target of the same step as if computed from it"),
    ("similar keys", Severity::Warning, "keys that differ in spelling only"),
    ("totals", Severity::Warning, "a series that is the sum of others: everything counts twice"),
    ("similar categories", Severity::Warning, "one category of a covariate typed in several ways"),
    ("fixed varies", Severity::Warning, "a fixed covariate with several values in one series"),
    ("all zero", Severity::Warning, "a series that never sells"),
    ("daylight saving", Severity::Note, "an hour that the clock skips or shows twice"),
    ("constant", Severity::Note, "a series with one value throughout"),
    ("never varies", Severity::Note, "a covariate with one value in all rows"),
    ("availability", Severity::Note, "a known column that seems to say when an item could be sold"),
    ("short", Severity::Note, "fewer values than two seasons"),
    ("launch", Severity::Note, "zeros before the first sale of a series, which was perhaps not offered yet"),
    ("starts late", Severity::Note, "a series that begins after the panel's first timestamp"),
    ("ends early", Severity::Note, "a series that ends before the panel's last timestamp"),
    ("partial", Severity::Note, "a period of the aggregated data that is incomplete"),
    ("unsorted", Severity::Note, "rows out of order in the input, sorted when reading"),
    ("normalised", Severity::Note, "the transformed target that models see"),
    ("returns", Severity::Note, "returns that were moved to a column of their own"),
];

fn severity(kind: &str) -> Severity {
    KINDS.iter().find(|(name, ..)| *name == kind).map_or(Severity::Note, |(_, severity, _)| *severity)
}

impl Found {
    fn new(kind: &'static str, series: usize, stamp: String, value: Option<String>, count: usize) -> Self {
        let (series, stamp) = (Some(series), Some(stamp));
        Self { severity: severity(kind), kind, series, stamp, value, count, action: None }
    }
}

impl Panel {
    /// Finds everything that prevents models from being fitted or misleads them, each occurrence with its series, first
    /// timestamp, value and number of rows: copies of rows, rows of one timestamp that contradict, gaps, missing, infinite and unreadable targets,
    /// negative sales, suspected stock-outs, outliers, level shifts, covariates with missing values, that never vary or
    /// leak the target, series that are constant, short, start late or end early, series that are sums of others, keys
    /// that look alike, hours of daylight saving.
    ///
    /// # Errors
    /// When a covariate can be read neither as numbers nor as categories.
    pub fn audit(&self) -> Result<Audit> {
        let inner = self.inner();
        let bounds = inner.positions.iter().fold((i64::MAX, i64::MIN), |(a, b), p| (a.min(*p), b.max(*p)));
        let doubled = self.doubled()?;
        let open = self.open_rows()?;
        let open = open.as_deref();
        let mut found: Vec<Found> = (0..self.len())
            .into_par_iter()
            .map(|i| {
                progress::check()?;
                let mut found = rows::check(self, i, doubled.of_series(i), bounds, open)?;
                found.extend(unusual::check(self, i, open));
                Ok(found)
            })
            .collect::<Result<Vec<_>>>()?
            .into_iter()
            .flatten()
            .collect();
        if let Some(available) = self.available_rows()? {
            found.extend((0..self.len()).flat_map(|i| rows::censored(self, i, &available)));
        }
        found.extend(keys::check(self)?);
        found.extend(totals::check(self)?);
        found.extend(inner.origin.removed.iter().map(|removed| Found {
            severity: Severity::Note,
            kind: "totals",
            series: None,
            stamp: None,
            value: Some(removed.clone()),
            count: 1,
            action: Some("the series left out".into()),
        }));
        found.extend(covariates::check(self)?);
        for (i, position) in self.partial_periods() {
            found.push(Found::new("partial", i, inner.calendar.label(position), None, 1));
        }
        let unsorted = inner.origin.rows.windows(2).any(|pair| pair[0] > pair[1]);
        // A file that lists one series after the other is sorted, whatever the order of its series.
        for (i, span) in inner.spans.iter().enumerate().filter(|_| unsorted) {
            let rows = &inner.origin.rows[span.clone()];
            let breaks: Vec<usize> = (1..rows.len()).filter(|row| rows[*row] < rows[row - 1]).collect();
            if let Some(first) = breaks.first() {
                let stamp = inner.calendar.label(self.positions(i)[*first]);
                found.push(Found::new("unsorted", i, stamp, None, breaks.len()));
            }
        }
        found.extend(inner.origin.changes.iter().map(|change| Found {
            severity: Severity::Note,
            kind: change.kind,
            series: Some(change.series),
            stamp: Some(change.stamp.clone()),
            value: Some(change.value.clone()),
            count: 1,
            action: Some(change.action.clone()),
        }));
        found.sort_by_key(|finding| {
            (finding.action.is_some(), finding.severity, KINDS.iter().position(|k| k.0 == finding.kind), finding.series)
        });
        let remedy = doubled.remedy(self);
        Ok(Audit { panel: self.clone(), found, remedy, flags: None, policy: Clean::default() })
    }
}

impl Audit {
    /// How many rows or timestamps of one kind were found and not repaired; the kinds are the column `finding` of
    /// [`table`](Self::table): `duplicates`, `gaps`, `missing`, `negative`, `outliers` …
    pub fn count(&self, kind: &str) -> usize {
        let former = kind == "holes";
        if former {
            progress::say_once(&format!("the finding `holes` is called `{MISSING_COVARIATES}` here"));
        }
        let kind = if former { MISSING_COVARIATES } else { kind };
        self.open().filter(|found| found.kind == kind).map(|found| found.count).sum()
    }

    /// What to do about rows that share their timestamp with others: whether they are copies and of which file, which
    /// column is missing among the keys, which policy makes one row of them; nothing where there are none.
    pub fn advice(&self) -> Vec<String> {
        self.remedy.said.clone()
    }

    /// The number of changes that cleaning made.
    pub fn changes(&self) -> usize {
        self.found.iter().filter(|found| found.action.is_some()).count()
    }

    /// Can models be fitted to these data as they are?
    pub fn is_usable(&self) -> bool {
        self.panel.check_calendar().is_ok()
    }

    /// The findings in one sentence.
    pub fn sentence(&self) -> String {
        let kinds: Vec<String> = KINDS
            .iter()
            .map(|(kind, ..)| (kind, self.count(kind)))
            .filter(|(_, count)| *count > 0)
            .map(|(kind, count)| format!("{kind} ({})", number(count as f64)))
            .collect();
        let found = match kinds.is_empty() {
            true if self.changes() > 0 => "no problems are left".to_string(),
            true => "no problems found".to_string(),
            false => format!("found: {}", kinds.join(", ")),
        };
        let filled =
            self.found.iter().filter(|found| found.action.is_some() && found.kind == MISSING_COVARIATES).count();
        let covariates = format!("filled {}", counted(filled, "missing covariate value", "missing covariate values"));
        let removed = self.panel.inner().origin.removed.len();
        let left_out = match removed {
            0 => String::new(),
            _ => format!("; cleaning left out {}", counted(removed, "total", "totals")),
        };
        let changes = match (filled, self.changes() - filled - removed) {
            (0, 0) => String::new(),
            (0, others) => format!("; cleaning changed {}", counted(others, "value", "values")),
            (_, 0) => format!("; cleaning {covariates} and changed nothing else"),
            (_, others) => {
                format!("; cleaning {covariates} and changed {}", counted(others, "other value", "other values"))
            }
        };
        format!(
            "{} rows in {} series: {found}{left_out}{changes}.",
            number(self.panel.rows() as f64),
            number(self.panel.len() as f64)
        )
    }

    /// One row per kind: severity, numbers of rows and series, the first occurrence, and what the kind means.
    ///
    /// # Errors
    /// Only if the table cannot be assembled.
    pub fn overview(&self) -> Result<Table> {
        let mut rows: Vec<[String; 4]> = Vec::new();
        let (mut series, mut counts) = (Vec::new(), Vec::new());
        for (kind, severity, meaning) in KINDS {
            let of: Vec<&Found> = self.open().filter(|found| found.kind == kind).collect();
            let Some(first) = of.first() else { continue };
            let mut touched: Vec<usize> = of.iter().filter_map(|found| found.series).collect();
            touched.dedup();
            let place = match first.series {
                Some(i) => [Some(self.panel.label(i).to_string()), first.stamp.clone()],
                None => [None, first.value.clone()],
            };
            rows.push([
                severity.word().into(),
                kind.into(),
                meaning.into(),
                place.into_iter().flatten().collect::<Vec<_>>().join(", "),
            ]);
            series.push(touched.len() as u64);
            counts.push(of.iter().map(|found| found.count as u64).sum::<u64>());
        }
        let column = |name: &str, at: usize| {
            Column::new(name.into(), rows.iter().map(|row| row[at].as_str()).collect::<Vec<_>>())
        };
        let frame = DataFrame::new(
            rows.len(),
            vec![
                column("severity", 0),
                column("finding", 1),
                Column::new("count".into(), counts),
                Column::new("series".into(), series),
                column("first", 3),
                column("meaning", 2),
            ],
        )?;
        Ok(Table::new(frame))
    }

    /// One row per kind of change that cleaning made: finding, numbers of series and changes, and the first change.
    ///
    /// # Errors
    /// Only if the table cannot be assembled.
    pub fn changed(&self) -> Result<Table> {
        // The action without the number of the single case: `filled with 2.5` and `filled with 3` are one kind.
        let kind = |found: &Found| {
            let action = found.action.as_deref().unwrap_or_default();
            let words = action.split(|c: char| c.is_ascii_digit()).next().unwrap_or_default();
            (found.kind, words.trim_end_matches([' ', ',', '-']).to_string())
        };
        let mut groups: Vec<((&str, String), Vec<&Found>)> = Vec::new();
        for found in self.found.iter().filter(|found| found.action.is_some()) {
            let key = kind(found);
            match groups.iter_mut().find(|(other, _)| *other == key) {
                Some((_, members)) => members.push(found),
                None => groups.push((key, vec![found])),
            }
        }
        let first = |members: &[&Found]| {
            let found = members[0];
            let series = found.series.map(|i| self.panel.label(i).to_string());
            let place = [series, found.stamp.clone(), found.value.clone(), found.action.clone()];
            place.into_iter().flatten().collect::<Vec<_>>().join(", ")
        };
        let series = |members: &[&Found]| {
            let touched: std::collections::HashSet<usize> = members.iter().filter_map(|found| found.series).collect();
            // A series that was left out has no place any more.
            touched.len() as u64 + members.iter().filter(|found| found.series.is_none()).count() as u64
        };
        let columns = vec![
            Column::new("finding".into(), groups.iter().map(|((kind, _), _)| *kind).collect::<Vec<_>>()),
            Column::new("series".into(), groups.iter().map(|(_, members)| series(members)).collect::<Vec<_>>()),
            Column::new("changes".into(), groups.iter().map(|(_, members)| members.len() as u64).collect::<Vec<_>>()),
            Column::new("first".into(), groups.iter().map(|(_, members)| first(members)).collect::<Vec<_>>()),
        ];
        Ok(Table::new(DataFrame::new(groups.len(), columns)?).titled("What cleaning changed"))
    }

    /// Every finding: severity, kind, keys, first timestamp, value, count, and what was done about it.
    ///
    /// # Errors
    /// Only if the table cannot be assembled.
    pub fn table(&self) -> Result<Table> {
        let text = |pick: &dyn Fn(&Found) -> Option<String>, name: &str| {
            Column::new(name.into(), self.found.iter().map(pick).collect::<Vec<_>>())
        };
        let mut columns = vec![
            text(&|found| Some(found.severity.word().into()), "severity"),
            text(&|found| Some(found.kind.into()), "finding"),
        ];
        let rows: IdxCa = self.found.iter().map(|found| found.series.map(|i| i as IdxSize)).collect_ca("".into());
        if self.panel.inner().keys.width() > 0 {
            columns.extend(self.panel.inner().keys.take(&rows)?.columns().iter().cloned());
        }
        columns.push(text(&|found| found.stamp.clone(), "stamp"));
        columns.push(text(&|found| found.value.clone(), "value"));
        columns
            .push(Column::new("count".into(), self.found.iter().map(|found| found.count as u64).collect::<Vec<_>>()));
        columns.push(text(&|found| found.action.clone(), "done"));
        Ok(Table::new(DataFrame::new(self.found.len(), columns)?))
    }

    /// Writes [`table`](Self::table) as CSV, Parquet, JSON or a workbook (.xlsx), by the path's extension.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: impl AsRef<std::path::Path>) -> Result<()> {
        self.table()?.save(path)
    }

    fn open(&self) -> impl Iterator<Item = &Found> {
        self.found.iter().filter(|found| found.action.is_none())
    }
}

/// For the data-quality page.
impl Audit {
    /// The panel that was audited.
    pub fn panel(&self) -> Panel {
        self.panel.clone()
    }

    /// Are there keys that differ in spelling only, by more than an accent?
    pub(crate) fn has_mergeable_keys(&self) -> bool {
        let spelled = |found: &Found| found.value.as_deref().is_some_and(|value| !value.ends_with(": an accent"));
        self.open().any(|found| found.kind == "similar keys" && spelled(found))
    }

    /// What to do about rows of one timestamp.
    pub(crate) fn remedy(&self) -> &Remedy {
        &self.remedy
    }

    /// The same audit of data that these flags of a command state, cleaned by this policy.
    pub(crate) fn stated_by(self, flags: Vec<(String, String)>, policy: Clean) -> Self {
        Self { flags: Some(flags), policy, ..self }
    }

    /// The flags that state what was audited, if a command line does, and the policies that cleaned it.
    pub(crate) fn stated(&self) -> (Option<&[(String, String)]>, &Clean) {
        (self.flags.as_deref(), &self.policy)
    }

    /// Findings that were not repaired: kind, series and count.
    pub(crate) fn cases(&self) -> impl Iterator<Item = (&'static str, Option<usize>, usize)> {
        self.open().map(|found| (found.kind, found.series, found.count))
    }
}

impl Severity {
    fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

impl Show for Audit {
    fn block(&self) -> Block {
        let mut blocks = vec![Block::Text(self.sentence())];
        if !self.remedy.said.is_empty() {
            blocks.push(Block::List(self.advice()));
        }
        let tables = [self.overview(), self.changed()].into_iter().flatten();
        blocks.extend(tables.filter(|table| table.rows() > 0).map(Block::Table));
        Block::Group(blocks)
    }
}

crate::show::noun!(Audit);
