//! Which series are sums of others? A hierarchy: the series of a panel, the leaves, and above them sums of those that have
//! something in common.
//!
//! A **level** is named by the columns that its sums have in common, keys or fixed covariates: `total; Store; Dept; Store, Dept`.
//! Levels may nest (`total; Region; Region, Store`) or cross (`Store; Dept`). Each level sums every leaf exactly once, and the
//! level of the leaves, all keys together, is always among them.
//!
//! In the panel of a hierarchy every node is a series, level after level. A column that its level does not name has the cell
//! `(all)`; the total of everything has it throughout. So the structure can be told from the keys alone, also of a forecast that was
//! saved and read again. The fixed covariate `level` names the level of each series, for scores by level.
//!
//! Targets are added up as [`aggregate`](Panel::aggregate) does, and so are covariates made: the mean of numbers, whether a flag
//! is set anywhere; fixed covariates stay where they have one value. A parent is what was sold of its parts on a date: where a
//! part has no value, its sum lacks that part, which the remarks count.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use polars::prelude::*;

use super::aggregate::Aggregate;
use super::frame::{ALL, assemble};
use super::recorded::Recorded;
use super::{Columns, Panel, Provenance, Role};
use crate::error::{Error, Result, suggestion};
use crate::show::number;

/// The fixed covariate with the level of each series.
const LEVEL: &str = "level";
/// The name of the level that sums everything.
pub(crate) const TOTAL: &str = "total";
/// Levels at most: as many as three keys and four groups have combinations.
const MOST: usize = 128;

/// How the panel of a hierarchy came about.
#[derive(Clone)]
pub(crate) struct Hierarchy {
    /// The levels as they were stated.
    levels: String,
    /// The leaves, as they were before.
    source: Panel,
}

/// The structure of a hierarchy: which leaves each node is the sum of.
#[derive(Clone, Debug)]
pub(crate) struct Nodes {
    /// The names of the levels, from the one with the fewest series to the leaves.
    pub(crate) levels: Vec<String>,
    /// The level of each series of the panel.
    pub(crate) level: Vec<usize>,
    /// The series that are leaves.
    pub(crate) leaves: Vec<usize>,
    /// The series that are sums.
    pub(crate) uppers: Vec<usize>,
    /// Of each sum, where its leaves begin among `members`; and the end of the last.
    pub(crate) starts: Vec<usize>,
    /// Places among `leaves`, ascending within a sum.
    pub(crate) members: Vec<u32>,
}

impl Panel {
    /// The panel of a hierarchy: its own series, the leaves, and sums of them by level. Levels are separated by semicolons; a level
    /// is `total` or the columns, keys or fixed covariates, whose values its sums have in common.
    ///
    /// Every series is forecast, scored and plotted as any other; the sums of forecasts agree after
    /// [`reconcile`](crate::forecast::Forecast::reconcile). Scores by level: `trial.by("level", "rmsse")`.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales");
    /// let sales = Panel::read("data/walmart_sales_weekly.csv", columns)?;
    /// let chain = sales.hierarchy("total; Dept")?;
    /// assert_eq!((sales.len(), chain.len()), (7, 15));
    /// assert_eq!((chain.keys()[0].as_str(), chain.keys()[1].as_str()), ("total", "Dept=1"));
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// When a level names a column that is neither a key nor a fixed covariate, or a fixed covariate that differs within a series,
    /// which then has two parents; when there is no level above the series; when the data hold duplicates or timestamps off the
    /// calendar; and on a panel that has made features, which belong to its series: build the hierarchy first.
    pub fn hierarchy(&self, levels: &str) -> Result<Panel> {
        if self.0.hierarchy.is_some() {
            return Err(Error::usage("the panel is a hierarchy already; state all its levels at once"));
        }
        let stated = self.stated_levels(levels)?;
        if let Some(made) = self.columns().made.first() {
            return Err(Error::usage(format!(
                "build the hierarchy before making features or joining: {} belongs to the series as they are",
                made.label
            )));
        }
        self.check_calendar()?;
        let keyed = self.keyed_by_groups(&stated)?;
        let mut parts: Vec<Part> = Vec::new();
        for level in &stated {
            let is_bottom = level.len() == keyed.columns().keys.len();
            let panel = match is_bottom {
                true => keyed.clone(),
                false => keyed.aggregate(&Aggregate { keys: Some(level.clone()), ..Aggregate::default() })?,
            };
            parts.push(Part { name: named(level), panel });
        }
        let panel = stacked(&keyed, &parts)?;
        let hierarchy = Hierarchy { levels: levels.to_string(), source: self.clone() };
        Ok(panel.of_hierarchy(hierarchy))
    }

    /// The panel of leaves that a hierarchy was made of; none if it is no hierarchy.
    pub(crate) fn leaves(&self) -> Option<&Panel> {
        self.0.hierarchy.as_ref().map(|hierarchy| &hierarchy.source)
    }

    /// Which series count in a total: all, but of a hierarchy its leaves alone.
    pub(crate) fn counted(&self) -> Result<Vec<bool>> {
        let mut counted = vec![true; self.len()];
        for column in self.inner().keys.columns().iter().filter(|column| column.dtype().is_string()) {
            for (counts, text) in counted.iter_mut().zip(column.str()?.iter()) {
                *counts &= text != Some(ALL);
            }
        }
        // Sums alone, read from a file, are what there is.
        Ok(if counted.contains(&true) { counted } else { vec![true; self.len()] })
    }

    /// The columns of rows that tell of the series: those of the leaves, where this is a hierarchy.
    pub(super) fn columns_of_rows(&self) -> Columns {
        self.leaves().map_or_else(|| self.columns(), Panel::columns)
    }

    /// Rows with the future covariates of the leaves, as those of every node; as they are where this is no hierarchy.
    pub(super) fn with_rows_of_nodes(&self, frame: DataFrame) -> Result<DataFrame> {
        let Some(hierarchy) = &self.0.hierarchy else { return Ok(frame) };
        let (source, own) = (&hierarchy.source, hierarchy.source.columns());
        // The keys and the groups of a row are those of its series in the history, however they are typed here.
        let keys = frame.select(own.keys.iter().map(String::as_str))?;
        let series = super::given::series_of_rows(source, &keys, "the future")?;
        let known: Vec<bool> = series.iter().map(Option::is_some).collect();
        let mut frame = frame.filter(&BooleanChunked::from_slice("".into(), &known))?;
        let rows = || series.iter().flatten().map(|i| source.inner().spans[*i].start as IdxSize);
        for name in own.attributes() {
            let cells = source.inner().frame.column(name)?.take(&IdxCa::from_vec("".into(), rows().collect()))?;
            frame.with_column(cells)?;
        }
        if frame.height() == 0 {
            return Ok(DataFrame::new(0, self.inner().frame.clear().columns().to_vec())?);
        }
        frame.with_column(Column::full_null(own.target.as_str().into(), frame.height(), &DataType::Float64))?;
        let there: Vec<String> = frame.get_column_names().iter().map(ToString::to_string).collect();
        let mut columns = Columns { frequency: Some(self.frequency()), season: Some(self.season()), ..own };
        columns.covariates.retain(|(name, _)| there.contains(name));
        (columns.available, columns.made) = (None, Vec::new());
        let rows = Panel::from_frame(frame, columns)?;
        Ok(rows.hierarchy(&hierarchy.levels)?.to_frame())
    }

    /// The hierarchy as it was before the end of each series, its leaves cleaned from what was known until then; none where
    /// the rows before the ends are what they are in the whole.
    pub(super) fn hierarchy_until(&self, ends: &[i64]) -> Result<Option<Panel>> {
        let Some(hierarchy) = &self.0.hierarchy else { return Ok(None) };
        if hierarchy.source.recipe().is_none() {
            return Ok(None);
        }
        let nodes = Nodes::of(self)?;
        // Leaves lie in the order of the panel that they come from.
        let ends_of_leaves: Vec<i64> = nodes.leaves.iter().map(|i| ends[*i]).collect();
        let source = hierarchy.source.until(&ends_of_leaves)?.occupied()?;
        if source.is_empty() {
            return Ok(Some(self.within(&|_, _| false)?));
        }
        let part = source.hierarchy(&hierarchy.levels)?;
        let part = part.in_place_of(self)?;
        Ok(Some(part.within(&|i, position| position < ends[i])?))
    }

    /// The levels, each as key columns in the order of the panel's, from the fewest columns to all of them, as they were
    /// stated; the keys are those of the panel and the fixed covariates that some level names.
    fn stated_levels(&self, levels: &str) -> Result<Vec<Vec<String>>> {
        let columns = self.columns();
        let known: Vec<String> = columns.attributes().map(String::from).collect();
        let mut groups: Vec<String> = Vec::new();
        let mut stated: Vec<Vec<String>> = Vec::new();
        for level in levels.split(';').map(str::trim).filter(|level| !level.is_empty()) {
            let names: Vec<&str> = level.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
            if names == [TOTAL] && !known.iter().any(|name| name == TOTAL) {
                stated.push(Vec::new());
                continue;
            }
            if let Some(odd) = names.iter().find(|name| !known.iter().any(|known| known == *name)) {
                let nearest = suggestion(odd, known.iter().map(String::as_str).chain([TOTAL]));
                return Err(Error::usage(format!(
                    "level `{level}`: `{odd}` is neither a key column nor a fixed covariate{nearest}; levels are separated by \
                     semicolons: \"total; {}\"",
                    known.first().map_or("Store", String::as_str)
                )));
            }
            let fixed = names.iter().filter(|name| !columns.keys.iter().any(|key| key == *name));
            groups.extend(fixed.map(ToString::to_string));
            stated.push(names.iter().map(ToString::to_string).collect());
        }
        let all: Vec<String> =
            known.into_iter().filter(|name| columns.keys.contains(name) || groups.contains(name)).collect();
        if columns.keys.is_empty() {
            return Err(Error::usage("a panel of a single series has no levels above it; name its key columns"));
        }
        for level in &mut stated {
            *level = all.iter().filter(|name| level.contains(name)).cloned().collect();
        }
        // All keys of the panel name a series, whether its groups are named beside them or not.
        let is_bottom = |level: &Vec<String>| columns.keys.iter().all(|key| level.contains(key));
        let mut unique: Vec<Vec<String>> = Vec::new();
        for level in stated.into_iter().filter(|level| !is_bottom(level)) {
            if !unique.contains(&level) {
                unique.push(level);
            }
        }
        if unique.is_empty() {
            return Err(Error::usage(format!(
                "`{levels}` names no level above the series; such as \"total; {}\"",
                columns.keys[0]
            )));
        }
        if unique.len() >= MOST {
            return Err(Error::usage(format!("{} levels are too many; at most {MOST}", unique.len() + 1)));
        }
        unique.push(all);
        Ok(unique)
    }

    /// The panel with the fixed covariates that levels name as further keys.
    fn keyed_by_groups(&self, levels: &[Vec<String>]) -> Result<Panel> {
        let columns = self.columns();
        let bottom = levels.last().cloned().unwrap_or_default();
        let groups: Vec<String> = bottom.into_iter().filter(|name| !columns.keys.contains(name)).collect();
        if groups.is_empty() {
            return Ok(self.clone());
        }
        let inner = self.inner();
        let mut frame = inner.frame.clone();
        for name in &groups {
            // One value throughout: a series with two would lie in two parents, a missing cell in none.
            let texts = frame.column(name)?.cast(&DataType::String)?;
            let texts = texts.str()?.clone();
            let mut cells: Vec<Option<String>> = Vec::with_capacity(frame.height());
            for (i, span) in inner.spans.iter().enumerate() {
                let mut seen: Vec<&str> = span.clone().filter_map(|row| texts.get(row)).collect();
                seen.sort_unstable();
                seen.dedup();
                if seen.len() > 1 {
                    return Err(Error::data(format!(
                        "series {} has {} values of `{name}` ({}, {}): it would belong to {} parents; correct the column, or \
                         make it a key",
                        self.label(i),
                        seen.len(),
                        seen[0],
                        seen[1],
                        seen.len()
                    )));
                }
                let cell = seen.first().map(ToString::to_string);
                if cell.is_none() && !span.is_empty() {
                    return Err(Error::data(format!(
                        "series {} has no `{name}`: it belongs to no parent; fill the column in",
                        self.label(i)
                    )));
                }
                cells.extend(std::iter::repeat_n(cell, span.len()));
            }
            frame.with_column(Column::new(name.as_str().into(), cells))?;
        }
        let mut keyed = columns;
        keyed.keys.extend(groups.iter().cloned());
        keyed.covariates.retain(|(name, _)| !groups.contains(name));
        let frame = frame.select(keyed.names())?;
        let panel = assemble(frame, &keyed, inner.calendar.clone(), self.season(), inner.origin.clone())?;
        // The rows and the series are the same ones.
        let recorded = self.recorded().map(|_| Recorded::plain(self.actuals().to_vec()));
        Ok(panel.with_recorded(recorded))
    }
}

/// One level of a hierarchy that is being built.
struct Part {
    name: String,
    panel: Panel,
}

fn named(level: &[String]) -> String {
    if level.is_empty() { TOTAL.into() } else { level.join(", ") }
}

/// The levels as one panel, one after the other, with the columns of all of them.
fn stacked(keyed: &Panel, parts: &[Part]) -> Result<Panel> {
    let mut columns = keyed.columns();
    if columns.names().contains(&LEVEL) {
        return Err(Error::usage(format!(
            "a column is called `{LEVEL}`, as the levels of a hierarchy are told; rename it"
        )));
    }
    // A fixed covariate that differs within a sum is not there on every level.
    let everywhere = |name: &String| parts.iter().all(|part| part.panel.inner().frame.column(name).is_ok());
    let dropped: Vec<String> =
        columns.covariates.iter().map(|(name, _)| name).filter(|name| !everywhere(name)).cloned().collect();
    columns.covariates.retain(|(name, _)| !dropped.contains(name));
    let mut stack: Option<DataFrame> = None;
    let mut partial = Vec::new();
    for part in parts {
        let inner = part.panel.inner();
        let rows = inner.frame.height();
        let mut made: Vec<Column> = Vec::new();
        for key in &columns.keys {
            made.push(match inner.frame.column(key) {
                Ok(cells) => cells.cast(&DataType::String)?,
                Err(_) => Column::new_scalar(key.as_str().into(), Scalar::from(PlSmallStr::from_static(ALL)), rows),
            });
        }
        for name in columns.names().into_iter().filter(|name| !columns.keys.iter().any(|key| key == name)) {
            let column = inner.frame.column(name)?;
            let bottom = keyed.inner().frame.column(name)?.dtype();
            // The mean of whole numbers is none.
            let typed = match column.dtype() == bottom {
                true if bottom.is_integer() && name != columns.time => DataType::Float64,
                true => bottom.clone(),
                false if bottom.is_primitive_numeric() => DataType::Float64,
                false => bottom.clone(),
            };
            made.push(column.cast(&typed)?);
        }
        made.push(Column::new_scalar(LEVEL.into(), Scalar::from(PlSmallStr::from_str(&part.name)), rows));
        let frame = DataFrame::new(rows, made)?;
        match &mut stack {
            Some(stack) => {
                stack.vstack_mut(&frame)?;
            }
            None => stack = Some(frame),
        }
        // Sums that lack a part; the ends of series that begin later or end earlier lack none.
        partial.extend(inner.origin.partial.iter().cloned());
    }
    let mut frame = stack.unwrap_or_default();
    frame.rechunk_mut();
    columns.covariates.push((LEVEL.into(), Role::Fixed));
    let frame = frame.select(columns.names())?;
    let inner = keyed.inner();
    let counts: Vec<String> =
        parts.iter().map(|part| format!("{} {}", number(part.panel.len() as f64), part.name)).collect();
    let mut found = inner.origin.found.clone();
    found.push(format!("a hierarchy of {} levels: {}", parts.len(), counts.join("; ")));
    if let Some((label, position)) = partial.first() {
        found.push(format!(
            "{} sums lack a value of one of their parts (first: {label}, {}); fill the gaps of the series first: gaps=fill, \
             missing=zero",
            number(partial.len() as f64),
            inner.calendar.label(*position)
        ));
    }
    for name in dropped {
        found.push(format!("covariate `{name}` was dropped: it differs within sums"));
    }
    let height = frame.height() as u32;
    let origin = Provenance {
        source: inner.origin.source.clone(),
        rows: (0..height).collect(),
        partial: Arc::new(partial),
        found,
        left_out: inner.origin.left_out.clone(),
        removed: inner.origin.removed.clone(),
        decimal: inner.origin.decimal,
        zone: inner.origin.zone.clone(),
        ..Provenance::default()
    };
    let panel = assemble(frame, &columns, inner.calendar.clone(), keyed.season(), origin)?;
    if keyed.recorded().is_none() {
        return Ok(panel);
    }
    let actual = parts.iter().flat_map(|part| part.panel.actuals().iter().copied()).collect();
    Ok(panel.with_recorded(Some(Recorded::plain(actual))))
}

impl Nodes {
    /// The structure of a panel whose keys tell it.
    ///
    /// # Errors
    /// When no series is a sum, or one is of nothing.
    pub(crate) fn of(panel: &Panel) -> Result<Self> {
        let keys = panel.columns().keys();
        let mut cells: Vec<Vec<String>> = Vec::with_capacity(keys.len());
        for column in panel.inner().keys.columns() {
            let texts = column.cast(&DataType::String)?;
            cells.push(texts.str()?.iter().map(|text| text.unwrap_or_default().to_string()).collect());
        }
        let kept = |i: usize| -> Vec<bool> { cells.iter().map(|cells| cells[i] != ALL).collect() };
        // Levels in the order of the panel; the leaves name every column.
        let mut levels: Vec<Vec<bool>> = Vec::new();
        let mut level = Vec::with_capacity(panel.len());
        for i in 0..panel.len() {
            let kept = kept(i);
            let at = levels.iter().position(|level| *level == kept).unwrap_or_else(|| {
                levels.push(kept);
                levels.len() - 1
            });
            level.push(at);
        }
        let is_bottom = |level: &[bool]| level.iter().all(|kept| *kept);
        let bottom = levels.iter().position(|level| is_bottom(level));
        let Some(bottom) = bottom.filter(|_| levels.len() > 1) else {
            return Err(Error::usage(
                "no series is the sum of others; make the levels first: hierarchy(\"total; Store\"), or --hierarchy \
                 \"total; Store\"",
            ));
        };
        let leaves: Vec<usize> = (0..panel.len()).filter(|i| level[*i] == bottom).collect();
        let uppers: Vec<usize> = (0..panel.len()).filter(|i| level[*i] != bottom).collect();
        let name_at = |kept: &[bool], i: usize| {
            let mut name = String::new();
            for (cells, kept) in cells.iter().zip(kept) {
                if *kept {
                    name.push_str(&cells[i]);
                }
                name.push('\u{1f}');
            }
            name
        };
        let mut below: Vec<Vec<u32>> = vec![Vec::new(); uppers.len()];
        for (at, kept) in levels.iter().enumerate().filter(|(at, _)| *at != bottom) {
            let own = uppers.iter().enumerate().filter(|(_, i)| level[**i] == at);
            let places: HashMap<String, usize> = own.map(|(place, i)| (name_at(kept, *i), place)).collect();
            for (leaf, i) in leaves.iter().enumerate() {
                if let Some(place) = places.get(&name_at(kept, *i)) {
                    below[*place].push(leaf as u32);
                }
            }
        }
        if let Some(place) = below.iter().position(Vec::is_empty) {
            return Err(Error::data(format!(
                "{} is a sum, and none of its parts is there",
                panel.label(uppers[place])
            )));
        }
        let mut starts = vec![0];
        let mut members = Vec::with_capacity(below.iter().map(Vec::len).sum());
        for leaves in below {
            members.extend(leaves);
            starts.push(members.len());
        }
        let names = levels.iter().map(|level| {
            let columns: Vec<String> =
                keys.iter().zip(level).filter(|(_, kept)| **kept).map(|(key, _)| key.clone()).collect();
            named(&columns)
        });
        let names: Vec<String> = names.collect();
        // From the level with the fewest series to the leaves, whatever the order in which they were met.
        let mut sizes: BTreeMap<usize, usize> = BTreeMap::new();
        level.iter().for_each(|at| *sizes.entry(*at).or_default() += 1);
        let mut order: Vec<usize> = (0..names.len()).collect();
        order.sort_by_key(|at| (*at == bottom, sizes[at], *at));
        let mut rank = vec![0; order.len()];
        order.iter().enumerate().for_each(|(place, at)| rank[*at] = place);
        Ok(Self {
            levels: order.iter().map(|at| names[*at].clone()).collect(),
            level: level.into_iter().map(|at| rank[at]).collect(),
            leaves,
            uppers,
            starts,
            members,
        })
    }

    /// The structure of the series that are `there`: leaves that are not are left out of the sums.
    pub(crate) fn only(&self, there: &[bool]) -> Self {
        let mut places = vec![None; self.leaves.len()];
        let mut leaves = Vec::new();
        for (leaf, series) in self.leaves.iter().enumerate().filter(|(_, series)| there[**series]) {
            places[leaf] = Some(leaves.len() as u32);
            leaves.push(*series);
        }
        let (mut uppers, mut starts, mut members) = (Vec::new(), vec![0], Vec::new());
        for (upper, series) in self.uppers.iter().enumerate().filter(|(_, series)| there[**series]) {
            let before = members.len();
            members.extend(self.below(upper).iter().filter_map(|leaf| places[*leaf as usize]));
            if members.len() > before {
                uppers.push(*series);
                starts.push(members.len());
            }
        }
        Self { leaves, uppers, starts, members, levels: self.levels.clone(), level: self.level.clone() }
    }

    /// The series of leaves and sums, ascending.
    pub(crate) fn all(&self) -> Vec<usize> {
        let mut all: Vec<usize> = self.leaves.iter().chain(&self.uppers).copied().collect();
        all.sort_unstable();
        all
    }

    /// The number of series.
    pub(crate) fn len(&self) -> usize {
        self.level.len()
    }

    /// The leaves of a sum, as places among the leaves.
    pub(crate) fn below(&self, upper: usize) -> &[u32] {
        &self.members[self.starts[upper]..self.starts[upper + 1]]
    }

    /// The values of all series, given those of the leaves.
    pub(crate) fn sums(&self, leaves: &[f64]) -> Vec<f64> {
        let mut values = vec![0.0; self.len()];
        for (place, i) in self.leaves.iter().enumerate() {
            values[*i] = leaves[place];
        }
        for (upper, i) in self.uppers.iter().enumerate() {
            values[*i] = self.below(upper).iter().map(|leaf| leaves[*leaf as usize]).sum();
        }
        values
    }

    /// The place of a level, by its name, whatever the order of its columns.
    ///
    /// # Errors
    /// When there is no such level.
    pub(crate) fn level_named(&self, name: &str) -> Result<usize> {
        let parts = |name: &str| {
            let mut parts: Vec<String> = name.split(',').map(|part| part.trim().to_string()).collect();
            parts.sort();
            parts
        };
        self.levels.iter().position(|level| parts(level) == parts(name)).ok_or_else(|| {
            let nearest = suggestion(name, self.levels.iter().map(String::as_str));
            Error::usage(format!("the hierarchy has no level `{name}`{nearest}; it has {}", self.levels.join("; ")))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn panel() -> Panel {
        let (mut region, mut shop, mut item, mut t, mut y, mut promo) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (r, s) in [("north", 1_i64), ("north", 10), ("south", 2)] {
            for i in ["x", "y"] {
                for step in 0..12_i64 {
                    region.push(r);
                    shop.push(s);
                    item.push(i);
                    t.push(step);
                    y.push((s * 7 + step) as f64 + if i == "x" { 0.5 } else { 3.0 });
                    promo.push(step % 3 == 0 && s == 1);
                }
            }
        }
        let frame =
            df!("shop" => shop, "item" => item, "t" => t, "y" => y, "region" => region, "promo" => promo).unwrap();
        Panel::from_frame(frame, Columns::new(["shop", "item"], "t", "y").fixed(["region"]).known(["promo"])).unwrap()
    }

    #[test]
    fn every_level_sums_every_leaf_once() {
        let panel = panel().hierarchy("total; region; shop; item; region, item").unwrap();
        let nodes = Nodes::of(&panel).unwrap();
        assert_eq!(nodes.levels, ["total", "region", "item", "shop", "item, region", "shop, item, region"]);
        assert_eq!((nodes.leaves.len(), nodes.uppers.len()), (6, 1 + 2 + 2 + 3 + 4));
        for step in 0..12 {
            let leaves: Vec<f64> = nodes.leaves.iter().map(|i| panel.target(*i)[step]).collect();
            for (i, sum) in nodes.sums(&leaves).iter().enumerate() {
                assert!((sum - panel.target(i)[step]).abs() < 1e-9, "{}", panel.label(i));
            }
        }
        for level in 0..nodes.levels.len() - 1 {
            let mut seen: Vec<u32> = (0..nodes.uppers.len())
                .filter(|upper| nodes.level[nodes.uppers[*upper]] == level)
                .flat_map(|upper| nodes.below(upper).to_vec())
                .collect();
            seen.sort_unstable();
            assert_eq!(seen, [0, 1, 2, 3, 4, 5]);
        }
        assert_eq!(panel.keys()[0], "total");
        assert!(panel.keys().contains(&"item=x, region=north".to_string()), "{:?}", panel.keys());
        // Shops keep the order of their numbers.
        let shops: Vec<String> =
            panel.keys().into_iter().filter(|key| key.starts_with("shop=") && !key.contains(',')).collect();
        assert_eq!(shops, ["shop=1", "shop=2", "shop=10"]);
    }

    #[test]
    fn leaves_keep_their_names_where_keys_alone_make_the_levels() {
        let panel = panel();
        let chain = panel.hierarchy("total; shop").unwrap();
        assert_eq!(&chain.keys()[4..], &panel.keys()[..]);
        assert_eq!(Nodes::of(&chain).unwrap().leaves, [4, 5, 6, 7, 8, 9]);
    }

    #[test]
    fn what_is_no_hierarchy_is_refused() {
        let panel = panel();
        let said = |levels: &str| panel.hierarchy(levels).err().unwrap().to_string();
        assert!(said("total; shopp").contains("did you mean `shop`"), "{}", said("total; shopp"));
        assert!(said("").contains("no level above"));
        assert!(said("shop, item").contains("no level above"));
        assert!(Nodes::of(&panel).unwrap_err().to_string().contains("hierarchy(\"total"));
        let chain = panel.hierarchy("total").unwrap();
        assert!(chain.hierarchy("total").err().unwrap().to_string().contains("already"));
        // A series in two parents.
        let mut frame = panel.to_frame();
        let torn: Vec<&str> = (0..frame.height()).map(|row| if row == 3 { "east" } else { "north" }).collect();
        frame.with_column(Column::new("region".into(), torn)).unwrap();
        let torn = Panel::from_frame(frame, panel.columns()).unwrap();
        let said = torn.hierarchy("total; region").err().unwrap().to_string();
        assert!(said.contains("2 values of `region`") && said.contains("2 parents"), "{said}");
    }

    #[test]
    fn covariates_of_the_future_reach_the_sums() {
        let panel = panel().hierarchy("total; shop").unwrap();
        let rows =
            df!("shop" => [1_i64, 1, 2, 2, 10, 10], "item" => ["x", "y", "x", "y", "x", "y"], "t" => [12_i64; 6],
            "promo" => [true, true, false, false, false, false])
            .unwrap();
        let future = panel.future(1).unwrap().given(rows).unwrap();
        for (series, wanted) in [("total", true), ("shop=1", true), ("shop=2", false)] {
            let cells = future.columns(panel.place(series).unwrap())[0];
            assert_eq!(cells, [f64::from(u8::from(wanted))], "{series}");
        }
    }
}
