//! Which series are sums of others? Reports and pivot tables list `Grand Total` among the stores: a panel with it counts
//! everything twice, and a global model learns from a store that is none.
//!
//! A total is told by arithmetic, not by its name: at every stamp it is the sum of all other series, of those that share
//! some of their keys, or of a block of neighbours in the order of the file, as subtotals are. What was found is set aside
//! and the rest is searched again, so that the sum of subtotals' parts is found, too. Each search passes over the rows
//! once; of the blocks, only those are added up whose sum, weighted at random over the stamps, agrees.
//!
//! Sums of values that were rounded to two decimals, or kept in single precision (seven digits), agree only so far: so
//! much difference is allowed. Chance explains a sum where few stamps have a value, where the values are few, where one
//! part alone has a value, or where the parts rise and fall in proportion: there a sum is only claimed for a series that is called a total.

use std::collections::{HashMap, HashSet};

use polars::prelude::*;

use super::{Found, Severity};
use crate::error::Result;
use crate::panel::called::{is_total, names_total};
use crate::panel::{LONGEST, Panel};
use crate::progress;
use crate::show::number;

/// How improbable a sum by chance must be, as a natural logarithm: one in a thousand panels.
const SURE: f64 = 7.0;
/// Sums within sums within sums.
const ROUNDS: usize = 8;
/// Key columns of which all combinations are tried.
const KEYS: usize = 4;

/// A series that is a sum of others, or is called so.
pub(in crate::panel) struct Total {
    pub(in crate::panel) series: usize,
    /// What it is: `the sum of the 3 other series`.
    pub(in crate::panel) said: String,
    /// Does the arithmetic say so?
    pub(in crate::panel) sum: bool,
}

pub(super) fn check(panel: &Panel) -> Result<Vec<Found>> {
    let found = |total: Total| {
        let first = panel.positions(total.series).first().copied().unwrap_or(0);
        let found = Found::new("totals", total.series, panel.inner().calendar.label(first), Some(total.said), 1);
        Found { severity: if total.sum { found.severity } else { Severity::Note }, ..found }
    };
    Ok(totals(panel)?.into_iter().map(found).collect())
}

/// The series of a panel that are sums of others, and those that are only called so, in their order.
pub(in crate::panel) fn totals(panel: &Panel) -> Result<Vec<Total>> {
    let Some((first, last)) = panel.extent().filter(|_| panel.len() > 1) else { return Ok(Vec::new()) };
    let mut keys: Vec<Vec<String>> = Vec::new();
    for column in panel.inner().keys.columns() {
        let texts = column.cast(&DataType::String)?;
        keys.push(texts.str()?.iter().map(|text| text.unwrap_or_default().to_string()).collect());
    }
    let mut found = Vec::new();
    // One wrong timestamp can make the calendar larger than memory.
    let steps = last.saturating_sub(first).saturating_add(1);
    if steps <= LONGEST && steps <= 20 * panel.rows() as i64 + 1_000_000 {
        let whole = (0..panel.len()).all(|i| panel.target(i).iter().all(|y| y.is_nan() || y.fract() == 0.0));
        let called = (0..panel.len()).map(|i| keys.iter().any(|key| names_total(&key[i]))).collect();
        let sum = vec![Step::default(); steps as usize];
        Search { panel, keys: &keys, called, whole, first, sum, aside: HashSet::new() }.run(&mut found)?;
    }
    let known: HashSet<usize> = found.iter().map(|total: &Total| total.series).collect();
    for series in (0..panel.len()).filter(|i| !known.contains(i)) {
        if keys.iter().any(|key| is_total(&key[series])) {
            let missed = missed(panel, &keys, series).map_or_else(String::new, |how| format!(": {how}"));
            let said = format!("named like a total, but not the sum of other series{missed}");
            found.push(Total { series, said, sum: false });
        }
    }
    found.sort_by_key(|total| total.series);
    Ok(found)
}

/// By how much a series that is called a total misses the sum of the series that it is called the total of, and where most: those
/// with its other keys, without what is called a total itself.
fn missed(panel: &Panel, keys: &[Vec<String>], series: usize) -> Option<String> {
    let is_part = |other: usize| {
        let fits = |key: &Vec<String>| match is_total(&key[series]) {
            true => !is_total(&key[other]),
            false => key[other] == key[series],
        };
        other != series && keys.iter().all(fits)
    };
    let mut sums: HashMap<i64, f64> = HashMap::new();
    for part in (0..panel.len()).filter(|other| is_part(*other)) {
        for (position, y) in panel.positions(part).iter().zip(panel.target(part)).filter(|(_, y)| !y.is_nan()) {
            *sums.entry(*position).or_default() += y;
        }
    }
    let values = panel.positions(series).iter().zip(panel.target(series)).filter(|(_, y)| !y.is_nan());
    let both: Vec<(i64, f64, f64)> = values.filter_map(|(at, y)| Some((*at, *y, *sums.get(at)?))).collect();
    let off = |(_, y, sum): &(i64, f64, f64)| (y - sum).abs() > 1e-6 * y.abs().max(sum.abs()).max(1e-6);
    let missed: Vec<&(i64, f64, f64)> = both.iter().filter(|one| off(one)).collect();
    let most = missed.iter().max_by(|a, b| (a.1 - a.2).abs().total_cmp(&(b.1 - b.2).abs()))?;
    Some(format!(
        "it differs from that of its parts on {} of {} dates, most on {} ({} instead of {})",
        number(missed.len() as f64),
        number(both.len() as f64),
        panel.inner().calendar.label(most.0),
        number(most.1),
        number(most.2)
    ))
}

/// The sum over some series at one stamp.
#[derive(Clone, Copy, Default)]
struct Step {
    sum: f64,
    size: f64,
    /// How many values are not zero.
    given: u32,
}

struct Search<'a> {
    panel: &'a Panel,
    keys: &'a [Vec<String>],
    /// Is a series called a total?
    called: Vec<bool>,
    /// Are all values whole numbers?
    whole: bool,
    first: i64,
    sum: Vec<Step>,
    /// What was found already.
    aside: HashSet<usize>,
}

impl Search<'_> {
    fn run(&mut self, found: &mut Vec<Total>) -> Result<()> {
        let groupings = self.groupings();
        for _ in 0..ROUNDS {
            progress::check()?;
            let mut claims: Vec<(usize, String)> = Vec::new();
            for (fixed, groups) in &groupings {
                for group in groups {
                    let group: Vec<usize> = group.iter().copied().filter(|i| !self.aside.contains(i)).collect();
                    let tests = (self.panel.len() * groupings.len()) as f64;
                    if let Some((series, parts)) = self.sum_of_all(&group, tests)
                        && claims.iter().all(|(known, _)| *known != series)
                    {
                        claims.push((series, self.words(&group, series, &parts, fixed)));
                    }
                }
            }
            if claims.is_empty() {
                claims = self.blocks()?;
            }
            if claims.is_empty() {
                break;
            }
            for (series, said) in claims {
                self.aside.insert(series);
                found.push(Total { series, said, sum: true });
            }
        }
        Ok(())
    }

    /// All series, and the groups of those that share some of their keys, which are named by their columns.
    fn groupings(&self) -> Vec<(Vec<usize>, Vec<Vec<usize>>)> {
        let (n, k) = (self.panel.len(), self.keys.len());
        let mut fixed: Vec<Vec<usize>> = match k {
            0 | 1 => Vec::new(),
            2..=KEYS => (1..(1_usize << k) - 1).map(|set| (0..k).filter(|key| set >> key & 1 == 1).collect()).collect(),
            _ => {
                let but_one = (0..k).map(|key| (0..k).filter(|other| *other != key).collect());
                (0..k).map(|key| vec![key]).chain(but_one).collect()
            }
        };
        // The more keys are shared, the nearer are the parts.
        fixed.sort_by_key(|keys| std::cmp::Reverse(keys.len()));
        let mut known: HashSet<Vec<usize>> = HashSet::new();
        let mut groupings = Vec::new();
        for keys in fixed.into_iter().chain([Vec::new()]) {
            let mut ids: HashMap<Vec<&str>, usize> = HashMap::new();
            let of: Vec<usize> = (0..n)
                .map(|i| {
                    let next = ids.len();
                    *ids.entry(keys.iter().map(|key| self.keys[*key][i].as_str()).collect()).or_insert(next)
                })
                .collect();
            let mut groups = vec![Vec::new(); ids.len()];
            of.iter().enumerate().for_each(|(i, group)| groups[*group].push(i));
            groups.retain(|group| group.len() > 1);
            if !groups.is_empty() && known.insert(of) {
                groupings.push((keys, groups));
            }
        }
        groupings
    }

    /// The values of a series, one per stamp, with the place of the stamp; NaN where it has none.
    fn values(&self, series: usize) -> impl Iterator<Item = (usize, f64)> {
        let (positions, target) = (self.panel.positions(series), self.panel.target(series));
        let mut row = 0;
        let first = self.first;
        std::iter::from_fn(move || {
            let position = *positions.get(row)?;
            let mut value = target[row];
            row += 1;
            while positions.get(row) == Some(&position) {
                value = match (value.is_nan(), target[row].is_nan()) {
                    (true, _) => target[row],
                    (false, true) => value,
                    (false, false) => value + target[row],
                };
                row += 1;
            }
            Some(((position - first) as usize, value))
        })
    }

    /// Adds series up; at how many stamps one of them is not zero.
    fn add(&mut self, group: &[usize]) -> usize {
        let mut sum = std::mem::take(&mut self.sum);
        let mut stamps = 0;
        for i in group {
            for (at, value) in self.values(*i).filter(|(_, value)| !value.is_nan() && *value != 0.0) {
                let step = &mut sum[at];
                stamps += usize::from(step.given == 0);
                *step = Step { sum: step.sum + value, size: step.size + value.abs(), given: step.given + 1 };
            }
        }
        self.sum = sum;
        stamps
    }

    fn clear(&mut self, group: &[usize]) {
        let mut sum = std::mem::take(&mut self.sum);
        for i in group {
            self.values(*i).for_each(|(at, _)| sum[at] = Step::default());
        }
        self.sum = sum;
    }

    /// By how much a sum of so many rounded values, of this size together, may be off.
    fn tolerance(&self, given: u32, size: f64) -> f64 {
        if self.whole { 0.25 + 1e-9 * size } else { 0.005 * f64::from(given + 1) + 1e-6 * size }
    }

    /// Is a series, at every stamp, the sum of those that were added up, which it is `among` itself or not?
    fn fits(&self, series: usize, stamps: usize, among: bool) -> bool {
        let (mut own, mut covered) = (0, 0);
        for (at, value) in self.values(series) {
            let step = self.sum[at];
            covered += usize::from(step.given > 0);
            if value.is_nan() {
                continue;
            }
            let itself = if among { value } else { 0.0 };
            if (step.sum - itself - value).abs() > self.tolerance(step.given, step.size + value.abs()) {
                return false;
            }
            own += usize::from(value != 0.0);
        }
        own >= 2 && covered == stamps
    }

    /// The series of a group that is the sum of the others, and the others that are not all zero.
    fn sum_of_all(&mut self, group: &[usize], tests: f64) -> Option<(usize, Vec<usize>)> {
        if group.len() < 2 || (group.len() == 2 && !group.iter().any(|i| self.called[*i])) {
            return None;
        }
        let stamps = self.add(group);
        // Of two that are the same, the one that is called a total is one.
        let (called, others): (Vec<usize>, Vec<usize>) = group.iter().partition(|i| self.called[**i]);
        let found = called.into_iter().chain(others).find(|i| self.fits(*i, stamps, true));
        self.clear(group);
        let series = found?;
        let parts: Vec<usize> = group.iter().copied().filter(|i| *i != series && self.is_given(*i)).collect();
        self.is_no_chance(series, &parts, tests).then_some((series, parts))
    }

    fn is_given(&self, series: usize) -> bool {
        self.panel.target(series).iter().any(|y| !y.is_nan() && *y != 0.0)
    }

    /// Does chance not explain that a series is the sum of these, of so many that were tried?
    fn is_no_chance(&self, series: usize, parts: &[usize], tests: f64) -> bool {
        if self.called[series] {
            return !parts.is_empty();
        }
        if parts.len() < 2 {
            return false;
        }
        let total: Vec<(usize, f64)> = self.values(series).filter(|(_, value)| !value.is_nan()).collect();
        let n = total.len() as f64;
        let mean = total.iter().map(|(_, value)| value).sum::<f64>() / n;
        let deviation = (total.iter().map(|(_, value)| (value - mean).powi(2)).sum::<f64>() / n).sqrt();
        let unit = if self.whole { 1.0 } else { 0.01 + 2e-6 * mean.abs() };
        let mut rounded: Vec<i64> = total.iter().map(|(_, value)| (value / unit).round() as i64).collect();
        rounded.sort_unstable();
        let same: f64 = rounded.chunk_by(|a, b| a == b).map(|run| (run.len() as f64 / n).powi(2)).sum();
        let distinct = rounded.chunk_by(|a, b| a == b).count() as f64;
        // What one stamp tells: how improbable it is that another series has its value there.
        let told = if 2.0 * distinct >= n { (1.0 + deviation / unit).ln().max(-same.ln()) } else { -same.ln() };
        // Where one part alone has a value, the total is a mere copy of it; and parts in proportion agree at every stamp if
        // they do at one.
        let apart = |part: &usize| {
            let values: HashMap<usize, f64> = self.values(*part).filter(|(_, value)| !value.is_nan()).collect();
            let several = |value: f64, part: f64| {
                let off = self.tolerance(2, 2.0 * value.abs());
                part.abs() > off && (value - part).abs() > off
            };
            let both: Vec<(f64, f64)> = total
                .iter()
                .map(|(at, value)| (*value, values.get(at).copied().unwrap_or(0.0)))
                .filter(|(value, part)| several(*value, *part))
                .collect();
            let (whole, share) = both.iter().fold((0.0, 0.0), |(a, b), (value, part)| (a + value, b + part));
            let off = |(value, part): &&(f64, f64)| {
                (part - share / whole * value).abs() > 3.0 * self.tolerance(2, 2.0 * value.abs())
            };
            both.iter().filter(off).count()
        };
        let apart = parts.iter().take(KEYS).map(apart).max().unwrap_or(0);
        apart >= 3 && apart as f64 * told > tests.ln() + SURE
    }

    /// Series that are the sum of the block of neighbours above or below them, in the order of the file.
    fn blocks(&mut self) -> Result<Vec<(usize, String)>> {
        let inner = self.panel.inner();
        let row = |i: &usize| inner.spans[*i].clone().filter_map(|row| inner.origin.rows.get(row)).min().copied();
        let mut order: Vec<usize> = (0..self.panel.len()).filter(|i| !self.aside.contains(i)).collect();
        order.sort_by_cached_key(row);
        let n = order.len();
        let weight =
            |at: usize| 0.5 + ((at as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 11) as f64 / (1_u64 << 53) as f64;
        let weighted = |i: &usize| {
            self.values(*i).filter(|(_, value)| value.is_finite()).map(|(at, value)| weight(at) * value).sum::<f64>()
        };
        let sums: Vec<f64> = order.iter().map(weighted).collect();
        let mut before = vec![0.0];
        sums.iter().for_each(|sum| before.push(before[before.len() - 1] + sum));
        let mut sorted: Vec<(f64, usize)> = before.iter().copied().zip(0..).collect();
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let largest = before.iter().fold(0.0_f64, |most, sum| most.max(sum.abs()));
        let rounding = if self.whole { 1e-6 } else { 0.3 * (self.sum.len() as f64).sqrt() };
        let mut claims: Vec<(usize, String)> = Vec::new();
        for at in 0..n {
            let series = order[at];
            let near = rounding + 1e-9 * largest + if self.whole { 0.0 } else { 2e-6 * sums[at].abs() };
            let ends = |wanted: f64| {
                let from = sorted.partition_point(|(sum, _)| *sum < wanted - near);
                sorted[from..].iter().take_while(move |(sum, _)| *sum <= wanted + near).map(|(_, end)| *end).take(64)
            };
            let above = ends(before[at] - sums[at]).filter(|start| start + 2 <= at).map(|start| start..at);
            let below = ends(before[at + 1] + sums[at]).filter(|end| *end >= at + 3).map(|end| at + 1..end);
            let mut blocks: Vec<std::ops::Range<usize>> = above.chain(below).collect();
            blocks.sort_by_key(std::ops::Range::len);
            for block in blocks.into_iter().take(ROUNDS) {
                let parts = &order[block];
                if parts.iter().any(|part| claims.iter().any(|(known, _)| known == part)) {
                    continue;
                }
                let stamps = self.add(parts);
                let fits = self.fits(series, stamps, false);
                self.clear(parts);
                let given: Vec<usize> = parts.iter().copied().filter(|i| self.is_given(*i)).collect();
                if fits && given.len() > 1 && self.is_no_chance(series, &given, (n * n) as f64) {
                    claims.push((series, self.block_words(parts)));
                    break;
                }
            }
        }
        Ok(claims)
    }

    /// `N1` of a panel with one key, `Region=North, Store=N1` of one with several.
    fn name(&self, series: usize) -> &str {
        let label = self.panel.label(series);
        if self.keys.len() == 1 { label.split_once('=').map_or(label, |(_, value)| value) } else { label }
    }

    fn words(&self, group: &[usize], series: usize, parts: &[usize], fixed: &[usize]) -> String {
        if let [one] = parts {
            return format!("a total of one: the same as {} at every timestamp", self.name(*one));
        }
        let columns = self.panel.columns().keys();
        let shared: Vec<String> = fixed.iter().map(|key| shared(&columns[*key], &self.keys[*key][series])).collect();
        let shared = if shared.is_empty() { shared.join("") } else { format!(" with {}", shared.join(", ")) };
        let rest = if self.aside.is_empty() || !fixed.is_empty() { "" } else { " that are no totals" };
        format!("the sum of the {} other series{shared}{rest}", number((group.len() - 1) as f64))
    }

    fn block_words(&self, parts: &[usize]) -> String {
        match parts {
            [a, b] if self.keys.len() == 1 => format!("the sum of {} and {}", self.name(*a), self.name(*b)),
            [a, b, c] if self.keys.len() == 1 => {
                format!("the sum of {}, {} and {}", self.name(*a), self.name(*b), self.name(*c))
            }
            [a, .., b] => format!(
                "the sum of the {} series from {} to {}",
                number(parts.len() as f64),
                self.name(*a),
                self.name(*b)
            ),
            _ => "the sum of others".into(),
        }
    }
}

fn shared(column: &str, value: &str) -> String {
    if value.is_empty() { format!("an empty {column}") } else { format!("{column}={value}") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::panel::{Clean, Columns};

    /// A panel of these series, in this order, a value a day.
    fn panel(keys: &[&str], series: &[(&[&str], Vec<f64>)]) -> Panel {
        let mut columns: Vec<Vec<&str>> = vec![Vec::new(); keys.len()];
        let (mut days, mut values) = (Vec::new(), Vec::new());
        for (names, y) in series {
            for (day, y) in y.iter().enumerate() {
                columns.iter_mut().zip(*names).for_each(|(column, name)| column.push(name));
                days.push(day as i64);
                values.push(*y);
            }
        }
        let height = days.len();
        let mut frame: Vec<Column> = keys.iter().zip(columns).map(|(key, c)| Column::new((*key).into(), c)).collect();
        frame.extend([Column::new("day".into(), days), Column::new("sold".into(), values)]);
        let frame = DataFrame::new(height, frame).unwrap();
        Panel::from_frame(frame, Columns::new(keys.iter().copied(), "day", "sold").freq("1").unwrap()).unwrap()
    }

    fn said(panel: &Panel) -> Vec<String> {
        totals(panel).unwrap().iter().map(|total| format!("{} is {}", panel.label(total.series), total.said)).collect()
    }

    /// Values that rise and fall each in their own way.
    fn wave(seed: u64, n: usize) -> Vec<f64> {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let next = |_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % 20_000) as f64 / 100.0
        };
        (0..n).map(next).collect()
    }

    fn sum(parts: &[&Vec<f64>]) -> Vec<f64> {
        (0..parts[0].len()).map(|t| (parts.iter().map(|part| part[t]).sum::<f64>() * 100.0).round() / 100.0).collect()
    }

    #[test]
    fn a_report_with_subtotals_and_a_grand_total() {
        let y: Vec<Vec<f64>> = (1..=5).map(|seed| wave(seed, 24)).collect();
        let (north, south) = (sum(&[&y[0], &y[1], &y[2]]), sum(&[&y[3], &y[4]]));
        let grand = sum(&[&north, &south]);
        let names = ["North", "N1", "N2", "N3", "South", "S1", "S2", "Everything"];
        let of = |k: usize| [&north, &y[0], &y[1], &y[2], &south, &y[3], &y[4], &grand][k].clone();
        let keys: Vec<[&str; 1]> = names.iter().map(|name| [*name]).collect();
        let series: Vec<(&[&str], Vec<f64>)> = (0..8).map(|k| (keys[k].as_slice(), of(k))).collect();
        let panel = panel(&["Store"], &series);
        assert_eq!(
            said(&panel),
            [
                "Store=Everything is the sum of the 5 other series that are no totals",
                "Store=North is the sum of N1, N2 and N3",
                "Store=South is the sum of S1 and S2",
            ]
        );
        let cleaned = panel.clean(&Clean::parse("totals=drop").unwrap()).unwrap();
        assert_eq!(cleaned.keys(), ["Store=N1", "Store=N2", "Store=N3", "Store=S1", "Store=S2"]);
        let audit = cleaned.audit().unwrap();
        assert_eq!((audit.count("totals"), audit.changes()), (0, 3));
        assert!(audit.sentence().contains("cleaning left out 3 totals"), "{}", audit.sentence());
    }

    #[test]
    fn totals_over_one_of_several_keys() {
        let y: Vec<Vec<f64>> = (11..=14).map(|seed| wave(seed, 12)).collect();
        let (north, south) = (sum(&[&y[0], &y[1]]), sum(&[&y[2], &y[3]]));
        let series: Vec<(&[&str], Vec<f64>)> = vec![
            (&["North", "a"], y[0].clone()),
            (&["North", "b"], y[1].clone()),
            (&["North", "c"], vec![0.0; 12]),
            (&["North", "every"], north),
            (&["South", "a"], y[2].clone()),
            (&["South", "b"], y[3].clone()),
            (&["South", "every"], south),
        ];
        let panel = panel(&["Region", "Store"], &series);
        assert_eq!(
            said(&panel),
            [
                "Region=North, Store=every is the sum of the 3 other series with Region=North",
                "Region=South, Store=every is the sum of the 2 other series with Region=South",
            ]
        );
    }

    #[test]
    fn what_chance_explains_is_no_total() {
        let y = wave(7, 24);
        let times = |factor: f64| y.iter().map(|y| (y * factor * 100.0).round() / 100.0).collect::<Vec<f64>>();
        // c is a + b at every stamp because all three are proportional.
        let one = |last: &'static [&'static str], values: Vec<f64>| {
            let series: Vec<(&[&str], Vec<f64>)> = vec![(&["a"], times(1.0)), (&["b"], times(2.0)), (last, values)];
            said(&panel(&["Store"], &series))
        };
        assert!(one(&["c"], times(3.0)).is_empty());
        assert_eq!(one(&["Total"], times(3.0)), ["Store=Total is the sum of the 2 other series"]);
        let named = one(&["Total"], wave(8, 24)).remove(0);
        assert!(
            named.starts_with("Store=Total is named like a total, but not the sum of other series: it differs"),
            "{named}"
        );
        let few: Vec<(&[&str], Vec<f64>)> = vec![
            (&["a"], vec![0.0, 1.0, 0.0, 0.0, 1.0]),
            (&["b"], vec![1.0, 0.0, 0.0, 1.0, 0.0]),
            (&["c"], vec![1.0, 1.0, 0.0, 1.0, 1.0]),
        ];
        assert!(said(&panel(&["Store"], &few)).is_empty());
        let one_store: Vec<(&[&str], Vec<f64>)> = vec![(&["Aston"], y.clone()), (&["Total"], y.clone())];
        assert_eq!(
            said(&panel(&["Store"], &one_store)),
            ["Store=Total is a total of one: the same as Aston at every timestamp"]
        );
        let copy: Vec<(&[&str], Vec<f64>)> = vec![(&["Aston"], y.clone()), (&["Blyth"], y.clone())];
        assert!(said(&panel(&["Store"], &copy)).is_empty());
        // A copy of which one value went to a series of its own.
        let with = |day: usize, inside: bool| {
            let keep = |(at, y): (usize, &f64)| if (at == day) == inside { *y } else { 0.0 };
            y.iter().enumerate().map(keep).collect::<Vec<f64>>()
        };
        let torn: Vec<(&[&str], Vec<f64>)> =
            vec![(&["Aston"], y.clone()), (&["Blyth"], with(5, false)), (&["Blith"], with(5, true))];
        assert!(said(&panel(&["Store"], &torn)).is_empty());
    }

    #[test]
    fn a_total_that_is_none_is_told_where_it_is_wrong() {
        let (a, b) = (wave(7, 24), wave(9, 24));
        let mut total: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a + b).collect();
        total[5] += 10.0;
        let wrong: Vec<(&[&str], Vec<f64>)> =
            vec![(&["a"], a.clone()), (&["b"], b.clone()), (&["Total"], total.clone())];
        let said = said(&panel(&["Store"], &wrong)).remove(0);
        let values = format!("({} instead of {})", number(total[5]), number(total[5] - 10.0));
        assert!(said.contains("on 1 of 24 dates, most on") && said.ends_with(&values), "{said}");
    }

    proptest! {
        /// Series of small counts that have nothing to do with each other are no sums.
        #[test]
        fn no_total_among_unrelated_counts(
            series in proptest::collection::vec(proptest::collection::vec(0..4_u8, 30), 3..25)
        ) {
            let names: Vec<String> = (0..series.len()).map(|k| format!("s{k:02}")).collect();
            let keys: Vec<[&str; 1]> = names.iter().map(|name| [name.as_str()]).collect();
            let series: Vec<(&[&str], Vec<f64>)> = series
                .iter()
                .zip(&keys)
                .map(|(y, key)| (key.as_slice(), y.iter().map(|y| f64::from(*y)).collect()))
                .collect();
            prop_assert_eq!(said(&panel(&["Store"], &series)), Vec::<String>::new());
        }
    }
}
