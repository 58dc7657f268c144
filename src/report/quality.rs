//! Can these data be used, what is most serious, and what should be done? An audit as a page.
//!
//! The kinds of findings come from the audit's own tables, so a new kind appears here without a change; only the advice
//! names kinds, and it leaves out policies that cleaning does not know.

use std::collections::HashMap;

use polars::prelude::*;

use super::Report;
use crate::error::Result;
use crate::options;
use crate::panel::{Audit, Duplicates, Panel, Role, Stamps};
use crate::show::words::{capital, counted, rounded};
use crate::show::{Block, Show, Table, number};

/// The most rows of the table of the worst series.
const WORST: usize = 15;
/// The most kinds of findings that it has columns for.
const KINDS: usize = 7;

/// Policies that are safe whatever a finding means.
const SAFE: [(&str, &str); 5] = [
    ("gaps", "gaps=fill"),
    ("gaps", "missing=seasonal"),
    ("missing", "missing=seasonal"),
    ("infinite", "missing=seasonal"),
    ("not a number", "missing=seasonal"),
];
/// Policies that are right if a finding means what the last column says.
const CONDITIONAL: [(&str, &str, &str); 13] = [
    (
        "similar keys",
        "keys=merge",
        "keys that differ in spelling only name one series (with duplicates=sum, where several have a row for one timestamp)",
    ),
    ("off calendar", "off_calendar=nearest", "a timestamp off the calendar is wrong by a day or an hour"),
    ("off calendar", "off_calendar=period", "a timestamp off the calendar is any day of its week or month"),
    ("totals", "totals=drop", "what is the sum of other series is to count once"),
    ("gaps", "missing=zero", "a gap means that nothing was sold"),
    ("negative", "negatives=clip", "values below zero are errors"),
    ("negative", "negatives=apart", "values below zero are returns"),
    ("stock-outs", "stockouts=missing", "the shelf was empty where a run of zeros is suspected"),
    ("censored", "stockouts=censored", "what was sold while the item was out of stock is no demand"),
    ("outliers", "outliers=interpolate", "an outlier is a data-entry error rather than a day of strong sales"),
    ("launch", "starts=sale", "a series was not offered yet while its first values are zero"),
    (
        "ends early",
        "gaps=fill, ends=panel, missing=zero",
        "a series that ends before the panel was offered and sold nothing since",
    ),
    ("missing covariates", "covariates=zero", "an empty cell of a covariate means none, as for promotions"),
];

/// A kind of finding as the audit's overview lists it.
struct Kind {
    severity: String,
    name: String,
    series: usize,
    count: usize,
    meaning: String,
}

impl Kind {
    /// Errors first, then warnings, then notes.
    fn rank(&self) -> usize {
        ["error", "warning", "note"].iter().position(|word| *word == self.severity).unwrap_or(3)
    }

    /// Findings about the target come first: covariates may be empty for a reason.
    fn is_of_target(&self) -> bool {
        !self.meaning.contains("covariate")
    }

    /// The weight of one case when series are ranked.
    fn weight(&self) -> usize {
        match (self.rank(), self.is_of_target()) {
            (0, true) => 3,
            (1, true) => 1,
            _ => 0,
        }
    }

    /// `gaps (27,667 in 412 series)`.
    fn label(&self) -> String {
        match self.series {
            0 => format!("{} ({})", self.name, number(self.count as f64)),
            1 => format!("{} ({} in 1 series)", self.name, number(self.count as f64)),
            n => format!("{} ({} in {} series)", self.name, number(self.count as f64), number(n as f64)),
        }
    }
}

impl Audit {
    /// The data-quality page: a summary with advice, the findings, where and when they occur, the worst series, what
    /// cleaning changed, and how the file was read.
    ///
    /// # Errors
    /// When a table or figure cannot be drawn.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales").known(["MarkDown1"]);
    /// let page = Panel::read("data/walmart_sales_weekly.csv", columns)?.audit()?.report()?;
    /// assert!(page.to_string().contains("Models can be fitted to these data as they are"));
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    pub fn report(&self) -> Result<Report> {
        let panel = self.panel();
        let kinds = self.kinds()?;
        let (first, last) = panel.span();
        let mut report = Report::new(format!("Data quality: {}", panel.inner().columns.target))
            .subtitle(format!(
                "{}, {} rows, {}, {first} to {last}",
                counted(panel.len(), "series", "series"),
                number(panel.rows() as f64),
                panel.frequency()
            ))
            .heading("In short")
            .add(Block::List(self.in_short(&kinds)));
        if let Some(command) = self.command(&kinds)? {
            report = report.add(command);
        }
        if !kinds.is_empty() {
            report = report
                .heading("What was found")
                .add(overview(&kinds, &self.overview()?)?)
                .text("Every finding with its series and date: tradewind audit … --out findings.csv");
        }
        report = report.heading("Where and when").add(panel.plot_quality()?);
        let places = places(&panel);
        if !places.is_empty() {
            report = report.add(Block::List(places));
        }
        if let Some(table) = self.worst(&panel, &kinds)? {
            report = report.heading("The series with the most problems").add(table);
        }
        if self.changes() > 0 {
            report = report.heading("What cleaning changed").add(Table::new(self.changed()?.frame().clone()));
            if let Some(figure) = panel.plot_repairs()? {
                report = report.add(figure);
            }
        }
        Ok(report.heading("How the data were read").add(Block::List(reading(&panel))))
    }

    /// The kinds that were found and not repaired: errors first, within a severity in the audit's order.
    fn kinds(&self) -> Result<Vec<Kind>> {
        let table = self.overview()?;
        let text = |row: usize, name: &str| table.get(row, name).map(|value| value.to_string());
        let count = |row: usize, name: &str| -> Result<usize> {
            Ok(table.frame().column(name)?.cast(&DataType::UInt64)?.u64()?.get(row).unwrap_or(0) as usize)
        };
        let mut kinds = (0..table.rows())
            .map(|row| {
                Ok(Kind {
                    severity: text(row, "severity")?,
                    name: text(row, "finding")?,
                    series: count(row, "series")?,
                    count: count(row, "count")?,
                    meaning: text(row, "meaning")?,
                })
            })
            .collect::<Result<Vec<_>>>()?;
        kinds.sort_by_key(Kind::rank);
        Ok(kinds)
    }

    fn in_short(&self, kinds: &[Kind]) -> Vec<String> {
        let errors: Vec<String> = kinds.iter().filter(|kind| kind.rank() == 0).map(Kind::label).collect();
        let mut points = vec![match (self.is_usable(), errors.is_empty()) {
            (true, true) => "Models can be fitted to these data as they are.".to_string(),
            (true, false) => format!("Models can be fitted, but check this first: {}.", errors.join(", ")),
            (false, true) => "Models cannot be fitted to these data as they are.".to_string(),
            (false, false) => format!("Models cannot be fitted until this is resolved: {}.", errors.join(", ")),
        }];
        let panel = self.panel();
        // Of findings of equal severity, the most frequent is the most serious.
        let worst = kinds
            .iter()
            .filter(|kind| kind.rank() < 2)
            .min_by_key(|kind| (kind.rank(), !kind.is_of_target(), usize::MAX - kind.count));
        points.push(match worst {
            Some(kind) => {
                let share = match kind.name.as_str() {
                    "gaps" | "missing" | "negative" | "duplicates" | "copies" => {
                        let life = |i: usize| {
                            let positions = panel.positions(i);
                            Some((positions.last()? - positions.first()? + 1) as usize)
                        };
                        let steps: usize = (0..panel.len()).filter_map(life).sum();
                        format!("; {} of all steps", percent(kind.count, steps))
                    }
                    _ => String::new(),
                };
                let others: Vec<&str> = kinds
                    .iter()
                    .filter(|other| other.rank() == 1 && other.name != kind.name)
                    .map(|other| other.name.as_str())
                    .collect();
                let others = if others.is_empty() { String::new() } else { format!(" Also: {}.", others.join(", ")) };
                format!("Most serious: {}, {}{share}.{others}", kind.label(), kind.meaning)
            }
            None => {
                let notes = kinds.len();
                match notes {
                    0 => "No problems that would distort a forecast.".to_string(),
                    n => format!(
                        "No problems that would distort a forecast; {} worth knowing.",
                        if n == 1 { "one finding is".to_string() } else { format!("{n} findings are") }
                    ),
                }
            }
        });
        points.extend(self.advice());
        let policy = safe(kinds).join(", ");
        if !policy.is_empty() {
            points.push(format!("Safe repairs, whatever the cause: clean with --policy \"{policy}\"."));
        }
        for (kind, policy, meaning) in CONDITIONAL {
            let found = kinds.iter().any(|found| found.name == kind);
            if found && (kind != "similar keys" || self.has_mergeable_keys()) {
                let instead = if policy.starts_with("missing") { " instead of missing=seasonal" } else { "" };
                points.push(format!("If {meaning}, use {policy}{instead}."));
            }
        }
        let changes = self.changes();
        if changes > 0 {
            points.push(format!("Cleaning has changed {}, listed below.", counted(changes, "value", "values")));
        }
        points
    }

    /// The series with the most problems: errors and warnings on the target, an error counted as three warnings.
    fn worst(&self, panel: &Panel, kinds: &[Kind]) -> Result<Option<Table>> {
        if panel.len() < 2 {
            return Ok(None);
        }
        let kinds: Vec<&Kind> = kinds.iter().filter(|kind| kind.rank() < 2).collect();
        let mut counts: HashMap<(&str, usize), usize> = HashMap::new();
        for (kind, series, count) in self.cases() {
            if let Some(series) = series {
                *counts.entry((kind, series)).or_default() += count;
            }
        }
        let of = |kind: &Kind, i: usize| counts.get(&(kind.name.as_str(), i)).copied().unwrap_or(0);
        let score = |i: usize| -> (usize, usize) {
            let weighted = kinds.iter().map(|kind| kind.weight() * of(kind, i)).sum();
            (weighted, kinds.iter().map(|kind| of(kind, i)).sum())
        };
        let mut ranked: Vec<(usize, (usize, usize))> =
            (0..panel.len()).map(|i| (i, score(i))).filter(|(_, (_, all))| *all > 0).collect();
        if ranked.is_empty() {
            return Ok(None);
        }
        ranked.sort_by_key(|(i, score)| (std::cmp::Reverse(*score), *i));
        let troubled = ranked.len();
        let rows: Vec<usize> = ranked.iter().take(WORST).map(|(i, _)| *i).collect();
        let shown = kinds.iter().filter(|kind| rows.iter().any(|i| of(kind, *i) > 0)).take(KINDS);
        let mut columns = panel.key_columns(rows.iter().copied())?;
        for kind in shown {
            let cells: Vec<Option<u64>> = rows.iter().map(|i| Some(of(kind, *i) as u64).filter(|n| *n > 0)).collect();
            // A key column may have the name of a finding.
            let taken = columns.iter().any(|column| column.name().as_str() == kind.name);
            let name = if taken { format!("{} (found)", kind.name) } else { kind.name.clone() };
            columns.push(Column::new(name.into(), cells));
        }
        let title = if troubled > rows.len() {
            format!("The worst {} of {} series with errors or warnings", rows.len(), number(troubled as f64))
        } else {
            "Series with errors or warnings, worst first".to_string()
        };
        Ok(Some(Table::new(DataFrame::new(rows.len(), columns)?).titled(title)))
    }
}

/// The overview, errors first, without the place of each finding: the file of findings has all places.
fn overview(kinds: &[Kind], table: &Table) -> Result<Table> {
    let frame = table.frame();
    let names = frame.column("finding")?.str()?.clone();
    let order: Vec<IdxSize> = kinds
        .iter()
        .filter_map(|kind| names.iter().position(|name| name == Some(kind.name.as_str())))
        .map(|row| row as IdxSize)
        .collect();
    let frame = frame.take(&IdxCa::from_vec("".into(), order))?;
    Ok(Table::new(frame.select(["severity", "finding", "series", "count", "meaning"])?))
}

/// The policies that are safe for what was found.
fn safe(kinds: &[Kind]) -> Vec<&'static str> {
    let mut parts: Vec<&str> = Vec::new();
    for (kind, part) in SAFE {
        if kinds.iter().any(|found| found.name == kind) && !parts.contains(&part) {
            parts.push(part);
        }
    }
    parts
}

/// A word as a shell takes it.
fn quoted(text: &str) -> String {
    if text.chars().all(|c| c.is_alphanumeric() || "_-./,:%=+@".contains(c)) && !text.is_empty() {
        text.to_string()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

impl Audit {
    /// The command that cleans by all policies that were stated and those that are proposed, with everything else as it
    /// was stated; none where nothing is proposed.
    fn command(&self, kinds: &[Kind]) -> Result<Option<Block>> {
        let (flags, stated) = self.stated();
        let remedy = self.remedy();
        let mut policies = options::stated(stated)?;
        let before = policies.len();
        let mut proposed: Vec<String> = safe(kinds).into_iter().map(String::from).collect();
        if remedy.policy != Duplicates::Error {
            proposed.insert(0, format!("duplicates={}", remedy.policy.word()));
        }
        for (name, value) in proposed.iter().filter_map(|part| part.split_once('=')) {
            policies.entry(name).or_insert_with(|| value.into());
        }
        if policies.len() == before && remedy.key.is_none() {
            return Ok(None);
        }
        let policy = options::pairs(&policies);
        let panel = self.panel();
        let inner = panel.inner();
        // Data from a frame are cleaned where they were made.
        let is_file =
            crate::files::exists(inner.origin.source.as_ref()) || inner.origin.source.contains(['*', '?', '[']);
        let mut flags = match flags {
            Some(flags) => flags.to_vec(),
            None if is_file => declared(&panel)?,
            None => {
                let text = format!("let cleaned = panel.clean(&Clean::parse({policy:?})?)?;");
                return Ok(Some(Block::Code { language: "rust".into(), text }));
            }
        };
        if let Some(key) = &remedy.key {
            let names: Vec<String> = inner.columns.keys.iter().chain([key]).cloned().collect();
            flags.retain(|(flag, _)| flag != "id");
            flags.push(("id".into(), names.join(",")));
        }
        if !policy.is_empty() {
            flags.push(("policy".into(), policy));
        }
        flags.push(("out".into(), "cleaned.parquet".into()));
        let words = flags.iter().map(|(flag, value)| format!("--{} {}", flag.replace('_', "-"), quoted(value)));
        let words: Vec<String> = std::iter::once("tradewind clean".to_string()).chain(words).collect();
        Ok(Some(Block::Code { language: "sh".into(), text: words.join(" \\\n  ") }))
    }
}

/// The word for where timestamps stand in their period.
fn word_of(stamps: &Stamps) -> String {
    if *stamps == Stamps::Start { "start".into() } else { "end".into() }
}

/// The flags that read a file as it was read, with its columns as they were declared.
fn declared(panel: &Panel) -> Result<Vec<(String, String)>> {
    let inner = panel.inner();
    let columns = &inner.columns;
    let source = inner.origin.source.clone();
    // A saved panel knows its columns.
    if Panel::is_saved(&source) {
        return Ok(vec![("data".into(), source)]);
    }
    let mut flags = vec![("data", source), ("id", columns.keys.join(","))];
    flags.extend([("time", columns.time.clone()), ("target", columns.target.clone())]);
    for (flag, role) in [("known", Role::Known), ("observed", Role::Observed), ("fixed", Role::Fixed)] {
        let names: Vec<&str> = columns.with_role(role).collect();
        if !names.is_empty() {
            flags.push((flag, names.join(",")));
        }
    }
    flags.extend(columns.stated_available().map(|name| ("available", name)));
    flags.extend(columns.frequency.and_then(|freq| freq.stated()).map(|freq| ("freq", freq)));
    flags.extend(columns.season.iter().map(|season| ("season", season.to_string())));
    flags.extend(columns.stamps.iter().map(|stamps| ("stamps", word_of(stamps))));
    flags.extend(columns.time_format.iter().map(|format| ("time_format", format.clone())));
    let reading = options::stated(&inner.origin.reading)?;
    if !reading.is_empty() {
        flags.push(("reading", options::pairs(&reading)));
    }
    Ok(flags.into_iter().map(|(flag, value)| (flag.to_string(), value)).collect())
}

/// Sentences on where problems cluster: in time, in the season, in few series.
fn places(panel: &Panel) -> Vec<String> {
    let Some((first, last)) = panel.extent() else { return Vec::new() };
    let steps = (last - first + 1) as usize;
    // A timestamp in the year 9999 makes the calendar too long for counts per step.
    if steps > 5_000_000 {
        return Vec::new();
    }
    type Is = fn(&Panel, usize, &mut dyn FnMut(i64, i64));
    let kinds: [(&str, Is); 4] = [
        ("gaps", |panel, i, add| {
            panel.positions(i).windows(2).filter(|p| p[1] - p[0] > 1).for_each(|p| add(p[0] + 1, p[1]));
        }),
        ("missing targets", |panel, i, add| {
            let cells = panel.positions(i).iter().zip(panel.target(i));
            cells.filter(|(_, y)| y.is_nan()).for_each(|(p, _)| add(*p, p + 1));
        }),
        ("negative targets", |panel, i, add| {
            let cells = panel.positions(i).iter().zip(panel.target(i));
            cells.filter(|(_, y)| **y < 0.0).for_each(|(p, _)| add(*p, p + 1));
        }),
        ("repeated timestamps", |panel, i, add| {
            panel.positions(i).windows(2).filter(|p| p[0] == p[1]).for_each(|p| add(p[0], p[0] + 1));
        }),
    ];
    let mut sentences = Vec::new();
    for (name, each) in kinds {
        // Runs as differences: a gap of a year is two numbers, not 365.
        let mut changes = vec![0_i64; steps + 1];
        let mut by_series: Vec<usize> = vec![0; panel.len()];
        for (i, total) in by_series.iter_mut().enumerate() {
            each(panel, i, &mut |from, to| {
                changes[(from - first) as usize] += 1;
                changes[(to - first) as usize] -= 1;
                *total += (to - from) as usize;
            });
        }
        let mut level = 0;
        let counts: Vec<usize> = changes[..steps]
            .iter()
            .map(|change| {
                level += change;
                level as usize
            })
            .collect();
        let total: usize = counts.iter().sum();
        // Fewer are read one by one.
        if total < 10 {
            continue;
        }
        let sentence = [
            in_season(panel, first, &counts, total),
            in_time(panel, first, &counts, total),
            in_series(by_series, total),
        ];
        let parts: Vec<String> = sentence.into_iter().flatten().collect();
        if !parts.is_empty() {
            sentences.push(format!("Of {} {name}, {}.", number(total as f64), parts.join("; ")));
        }
    }
    sentences
}

/// The shares that a sentence tries in turn, in per cent: "all" in a longer stretch says more than "most" in a shorter
/// one.
const SHARES: [usize; 6] = [100, 99, 98, 95, 90, 80];

/// `80 % lie between 2011-11-04 and 2012-01-27, 13 of 143 weeks`: the shortest stretch with the largest share that fits
/// into a quarter of the time.
fn in_time(panel: &Panel, first: i64, counts: &[usize], total: usize) -> Option<String> {
    let shortest = |share: usize| {
        let wanted = (total * share).div_ceil(100);
        let (mut from, mut inside) = (0, 0);
        let mut best: Option<(usize, usize, usize)> = None;
        for (to, count) in counts.iter().enumerate() {
            inside += count;
            while inside - counts[from] >= wanted {
                inside -= counts[from];
                from += 1;
            }
            if inside >= wanted && best.is_none_or(|(from_best, to_best, _)| to - from < to_best - from_best) {
                best = Some((from, to, inside));
            }
        }
        best.filter(|(from, to, _)| 4 * (to - from + 1) <= counts.len())
    };
    let (from, to, inside) = SHARES.into_iter().find_map(shortest)?;
    let long = to - from + 1;
    let label = |at: usize| panel.inner().calendar.label(first + at as i64);
    let noun = panel.frequency().noun();
    Some(match long {
        1 => format!("{} lie on {}", share(inside, total), label(from)),
        _ => format!(
            "{} lie between {} and {}, {} of {} {noun}s",
            share(inside, total),
            label(from),
            label(to),
            number(long as f64),
            number(counts.len() as f64)
        ),
    })
}

/// `92 % lie on Sundays`: the phase of a short season that has at least half of them, and three times its even share.
fn in_season(panel: &Panel, first: i64, counts: &[usize], total: usize) -> Option<String> {
    let season = panel.season();
    if !(4..=31).contains(&season) || counts.len() < 3 * season {
        return None;
    }
    let mut places = vec![0; season];
    for (at, count) in counts.iter().enumerate() {
        places[(first + at as i64).rem_euclid(season as i64) as usize] += count;
    }
    let (place, most) = places.iter().enumerate().max_by_key(|(place, count)| (**count, usize::MAX - place))?;
    let label = || {
        let calendar = &panel.inner().calendar;
        let at = (0..season as i64).map(|step| first + step).find(|p| p.rem_euclid(season as i64) as usize == place);
        let label = calendar.season_label(at.unwrap_or(first), season);
        const DAYS: [(&str, &str); 7] = [
            ("Mon", "Mondays"),
            ("Tue", "Tuesdays"),
            ("Wed", "Wednesdays"),
            ("Thu", "Thursdays"),
            ("Fri", "Fridays"),
            ("Sat", "Saturdays"),
            ("Sun", "Sundays"),
        ];
        match DAYS.iter().find(|(day, _)| *day == label) {
            Some((_, days)) => (*days).to_string(),
            None => format!("{label} of the season of {season}"),
        }
    };
    (2 * most >= total && most * season >= 3 * total).then(|| format!("{} lie on {}", share(*most, total), label()))
}

/// `80 % lie in 37 of 3,031 series`, if a fifth of the series or fewer have most of them.
fn in_series(mut by_series: Vec<usize>, total: usize) -> Option<String> {
    let series = by_series.len();
    by_series.sort_unstable_by_key(|count| std::cmp::Reverse(*count));
    let fewest = |share: usize| {
        let wanted = (total * share).div_ceil(100);
        let (mut inside, mut needed) = (0, 0);
        for count in &by_series {
            if inside >= wanted {
                break;
            }
            inside += count;
            needed += 1;
        }
        (5 * needed <= series).then_some((inside, needed))
    };
    let (inside, needed) = SHARES.into_iter().find_map(fewest)?;
    Some(format!("{} lie in {} of {} series", share(inside, total), number(needed as f64), number(series as f64)))
}

/// `all`, or the share in per cent.
fn share(part: usize, whole: usize) -> String {
    if part == whole { "all".into() } else { percent(part, whole) }
}

/// How the file was read: source, columns, calendar, and what was detected.
fn reading(panel: &Panel) -> Vec<String> {
    let inner = panel.inner();
    let (columns, origin) = (&inner.columns, &inner.origin);
    let mut points = vec![format!(
        "Source: {}; {} rows in {}.",
        origin.source,
        number(panel.rows() as f64),
        counted(panel.len(), "series", "series")
    )];
    let keys = if columns.keys.is_empty() {
        "one series without a key".to_string()
    } else {
        format!("one series for each {}", columns.keys.join(" and "))
    };
    points.push(format!("Columns: {keys}; time {}; target {}.", columns.time, columns.target));
    for (word, role) in [("Known in the future", Role::Known), ("Known only in the past", Role::Observed)] {
        let names: Vec<&str> = columns.with_role(role).collect();
        if !names.is_empty() {
            points.push(format!("{word}: {}.", names.join(", ")));
        }
    }
    points.extend(columns.stated_available().map(|name| format!("When the item could be sold: {name}.")));
    points.push(format!(
        "Calendar: {}, {}; season {} ({}).",
        panel.frequency(),
        if columns.frequency.is_some() { "as stated" } else { "detected from the timestamps" },
        counted(panel.season(), panel.frequency().noun(), &format!("{}s", panel.frequency().noun())),
        if columns.season.is_some() { "as stated" } else { "default of the frequency" },
    ));
    points.extend(origin.found.iter().map(|remark| format!("{}.", capital(remark))));
    points
}

/// A share in per cent: whole numbers, and one decimal below ten.
fn percent(part: usize, whole: usize) -> String {
    let share = 100.0 * part as f64 / (whole.max(1)) as f64;
    match rounded(share, if share >= 10.0 { 0 } else { 1 }) {
        text if text == "0" && part > 0 => "less than 0.1 %".into(),
        text if text == "100" && part < whole => "more than 99 %".into(),
        text => format!("{text} %"),
    }
}

/// The data quality in an outcome's report: the audit, and figures where there is something to see.
pub(crate) fn section(audit: &Audit) -> Result<Block> {
    let panel = audit.panel();
    let mut blocks = vec![audit.block()];
    if panel.has_marks() {
        blocks.push(Block::Figure(panel.plot_quality()?));
    }
    blocks.extend(panel.plot_repairs()?.map(Block::Figure));
    Ok(Block::Group(blocks))
}
