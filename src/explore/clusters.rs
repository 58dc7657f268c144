//! Which kinds of series are there? Series grouped by how they behave, each group described in words.
//!
//! Features of each series: growth a year; strengths of trend and season (Wang, Smith & Hyndman 2006); the profile of the
//! year (or of the week or the season, where the data hold no year), each step relative to the mean, trend taken out; the
//! coefficient of variation without the season; the share of zeros; on request the logarithm of its mean sales and the
//! autocorrelation at lag one of what season leaves. Each is measured in differences that matter to a planner (a growth of
//! 20 %, a month 30 % above the mean …), not in standard deviations: these would make as much of noise as of a kind.
//! *k*-means (linfa; Lloyd 1982, *IEEE Transactions on Information Theory* 28) begins with *k*-means++ (Arthur & Vassilvitskii
//! 2007) and keeps the best of several starts; the number of groups from 2 to 8 has the largest mean silhouette (Rousseeuw
//! 1987, *Journal of Computational and Applied Mathematics* 20; of a sample where there are many series). Below a silhouette
//! of about 0.25 groups run into one another: a convenient summary, no natural kinds.

use linfa::DatasetBase;
use linfa::traits::{Fit, Predict};
use linfa_clustering::KMeans;
use ndarray::Array2;
use polars::prelude::*;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::each::each;
use super::trend::{slope, year};
use super::{Ask, Finding};
use crate::error::{Error, Result, suggestion};
use crate::figures::{Line, Panels, TimeAxis};
use crate::panel::{Panel, median, order};
use crate::progress;
use crate::show::words::{counted, listed, rounded};
use crate::show::{Table, number};
use crate::statistics::{MstlOptions, mstl};

/// The most groups that are tried.
const MOST: usize = 8;
/// The fewest series.
const LEAST: usize = 4;
/// Starts of each number of groups.
const STARTS: usize = 10;
/// Series from which the silhouette is computed.
const SAMPLED: usize = 500;
/// The last steps that are decomposed, in seasons.
const SEASONS: usize = 8;
/// Groups run into one another below this silhouette.
const APART: f64 = 0.25;
/// Members drawn of each group.
const DRAWN: usize = 25;
/// Groups that the sentence describes.
const TOLD: usize = 4;
/// The features, those of the default first, and the difference of each that counts as one.
const FEATURES: [(&str, f64); 8] = [
    ("growth", 0.2),
    ("trend", 0.3),
    ("season", 0.3),
    ("profile", 0.3),
    ("variation", 0.3),
    ("zeros", 0.3),
    ("level", 1.0),
    ("memory", 0.5),
];
/// So many of these are the default.
const DEFAULT: usize = 6;
/// No feature of a series is further from the middle than so many of its units.
const CLIP: f64 = 5.0;
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// Options of `clusters`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Clusters {
    /// How many groups; 0 chooses between 2 and 8 by the silhouette.
    pub k: usize,
    /// What groups are made by: growth, trend, season, profile, variation, zeros (these if empty), level, memory.
    pub features: Vec<String>,
    /// Rows of the table of series.
    pub top: usize,
}

impl Default for Clusters {
    fn default() -> Self {
        Self { k: 0, features: Vec::new(), top: 20 }
    }
}

/// The features of a series.
struct Features {
    mean: f64,
    growth: f64,
    trend: f64,
    season: f64,
    /// Each step of the cycle relative to the mean, less one.
    profile: Vec<f64>,
    variation: f64,
    zeros: f64,
    memory: f64,
    sales: f64,
}

/// A cycle whose profile is compared.
struct Cycle {
    names: Vec<String>,
    /// The phase of each position from the panel's first on.
    of: Vec<u8>,
    first: i64,
    noun: &'static str,
}

/// A group and its words.
struct Group {
    /// Places in the list of series that answered, the largest first.
    members: Vec<usize>,
    name: String,
    told: String,
    sales: f64,
    growth: f64,
    season: f64,
    variation: f64,
    zeros: f64,
    memory: f64,
    profile: Vec<f64>,
}

impl Ask for Clusters {
    const NAME: &str = "clusters";
    const SUMMARY: &str =
        "Which kinds of series there are: groups of similar level, growth, season and variation, in words";
    const EXAMPLE: &str = "clusters(k=2)";
    const ALSO: &str = "cluster, segments, segmentation, groups of series, kmeans";
    const SIMILAR: &[(&str, &str)] =
        &[("similar series, types, kinds, profiles", "groups of series that behave alike, in words")];

    fn check(&self) -> Result<()> {
        if self.k == 1 {
            return Err(Error::usage("k is a number of groups from 2 on, or 0 to choose it"));
        }
        for name in &self.features {
            let names = FEATURES.map(|(name, _)| name);
            if !names.contains(&name.as_str()) {
                let nearest = suggestion(name, names);
                return Err(Error::usage(format!("`{name}` is no feature{nearest}: there are {}", names.join(", "))));
            }
        }
        Ok(())
    }

    fn tour(_: &Panel) -> Vec<Self> {
        vec![Self::default()]
    }

    fn answer(&self, panel: &Panel) -> Result<Finding> {
        let few = |n: usize| {
            Error::data(format!(
                "groups need at least {} series that vary, there are {}",
                LEAST.max(self.k),
                number(n as f64)
            ))
        };
        if panel.len() < LEAST.max(self.k) {
            return Err(few(panel.len()));
        }
        let cycle = cycle(panel);
        let season = panel.season().max(1);
        let steps = year(panel).max(1);
        let answers = each(panel, 8, |i, y| {
            let start = panel.positions(i).first().copied().unwrap_or(0);
            features(y, start, season, steps, cycle.as_ref())
        })?;
        let found = &answers.found;
        if found.len() < LEAST.max(self.k) {
            return Err(few(found.len()));
        }
        // Series in the order of their contents, so that names do not decide where groups begin.
        let mut places = vec![usize::MAX; panel.len()];
        found.iter().enumerate().for_each(|(place, (i, _))| places[*i] = place);
        let order: Vec<usize> =
            order::by_content(panel)?.into_iter().map(|i| places[i]).filter(|place| *place != usize::MAX).collect();
        let points = self.points(&order.iter().map(|place| &found[*place].1).collect::<Vec<_>>());
        let tried: Vec<usize> = match self.k {
            0 => (2..=MOST.min(found.len() / 2)).collect(),
            k => vec![k],
        };
        let grouped = tried
            .par_iter()
            .map(|k| {
                progress::check()?;
                let grouping = k_means(&points, *k)?;
                let silhouette = silhouette(&points, &grouping);
                Ok((silhouette, grouping))
            })
            .collect::<Result<Vec<(f64, Vec<usize>)>>>()?;
        let best = grouped.into_iter().reduce(|a, b| if b.0 > a.0 { b } else { a });
        let Some((silhouette, grouping)) = best else { return Err(few(found.len())) };
        let mut of = vec![0; found.len()];
        order.iter().zip(&grouping).for_each(|(place, group)| of[*place] = *group);
        let groups = groups(found, &of, cycle.as_ref());
        if groups.len() < 2 {
            return Err(Error::data("all series behave alike: their features do not differ"));
        }
        let finding = self.finding(panel, found, &groups, cycle.as_ref(), silhouette)?;
        Ok(answers.caveats(finding, panel, "features of the values that are there"))
    }
}

/// The months of the year where the data hold one, else weekdays, else the steps of a short season.
fn cycle(panel: &Panel) -> Option<Cycle> {
    use chrono::Datelike;
    let (first, last) = panel.extent()?;
    let dates = usize::try_from(last - first + 1).ok()?;
    let frequency = panel.frequency();
    let stamps = panel.columns().stamps;
    let calendar = &panel.inner().calendar;
    let day = |date: usize| {
        let (from, to) = calendar.period(first + date as i64, stamps)?;
        from.checked_add_days(chrono::Days::new((to - from).num_days().max(0) as u64 / 2))
    };
    let steps = year(panel);
    if !frequency.is_whole() && steps >= 12 && dates >= steps {
        let of = (0..dates).map(|date| day(date).map_or(0, |day| day.month0() as u8)).collect();
        return Some(Cycle { names: MONTHS.map(String::from).to_vec(), of, first, noun: "month" });
    }
    if frequency.noun() == "day" && dates >= 21 {
        let of = (0..dates).map(|date| day(date).map_or(0, |day| day.weekday().num_days_from_monday() as u8)).collect();
        return Some(Cycle { names: WEEKDAYS.map(String::from).to_vec(), of, first, noun: "weekday" });
    }
    let season = panel.season();
    ((2..=24).contains(&season) && dates >= 2 * season).then(|| {
        let of = (0..dates).map(|date| (first + date as i64).rem_euclid(season as i64) as u8).collect();
        let names = (0..season).map(|at| calendar.season_label(at as i64, season)).collect();
        Cycle { names, of, first, noun: "step of the season" }
    })
}

fn features(y: &[f64], start: i64, season: usize, steps: usize, cycle: Option<&Cycle>) -> Result<Features> {
    let there: Vec<(usize, f64)> = y.iter().copied().enumerate().filter(|(_, y)| !y.is_nan()).collect();
    let n = there.len() as f64;
    let mean = there.iter().map(|(_, y)| y).sum::<f64>() / n;
    if mean <= 0.0 {
        return Err(Error::data("more returns than sales"));
    }
    let gradient = slope(&there);
    let middle = there.iter().map(|(t, _)| *t as f64).sum::<f64>() / n;
    let line = |t: usize| (mean + gradient * (t as f64 - middle)).max(0.2 * mean);
    let growth = (gradient * steps as f64 / mean).clamp(-1.0, 1.0);
    let zeros = there.iter().filter(|(_, y)| *y == 0.0).count() as f64 / n;
    let tail = &y[y.len().saturating_sub(SEASONS * season.max(8))..];
    let parts = mstl(tail, &[season], &MstlOptions::default()).ok();
    let trend = parts.as_ref().map_or(0.0, |parts| parts.trend_strength());
    let strength = parts.as_ref().and_then(|parts| parts.seasonal_strengths().first().copied()).unwrap_or(0.0);
    let rest: Vec<f64> = match &parts {
        Some(parts) => parts.remainder.iter().map(|rest| if rest.is_nan() { 0.0 } else { *rest }).collect(),
        None => there.iter().map(|(_, y)| y - mean).collect(),
    };
    let variance = match &parts {
        Some(parts) => {
            let adjusted: Vec<f64> = parts
                .adjusted()
                .into_iter()
                .zip(tail)
                .filter(|(_, y)| !y.is_nan())
                .map(|(adjusted, _)| adjusted)
                .collect();
            let middle = adjusted.iter().sum::<f64>() / adjusted.len().max(1) as f64;
            adjusted.iter().map(|y| (y - middle).powi(2)).sum::<f64>() / adjusted.len().max(1) as f64
        }
        None => there.iter().map(|(_, y)| (y - mean).powi(2)).sum::<f64>() / n,
    };
    let squares: f64 = rest.iter().map(|rest| rest * rest).sum();
    let products: f64 = rest.windows(2).map(|pair| pair[0] * pair[1]).sum();
    let memory = if squares > 0.0 { products / squares } else { 0.0 };
    let profile = cycle.map_or(Vec::new(), |cycle| {
        let (mut sums, mut sizes) = (vec![0.0; cycle.names.len()], vec![0.0; cycle.names.len()]);
        for (t, y) in &there {
            let Some(phase) = usize::try_from(start + *t as i64 - cycle.first).ok().and_then(|date| cycle.of.get(date))
            else {
                continue;
            };
            sums[usize::from(*phase)] += y / line(*t);
            sizes[usize::from(*phase)] += 1.0;
        }
        sums.iter()
            .zip(&sizes)
            .map(|(sum, size)| if *size > 0.0 { (sum / size - 1.0).clamp(-1.0, 4.0) } else { 0.0 })
            .collect()
    });
    let recent: Vec<f64> = y[y.len().saturating_sub(steps)..].iter().copied().filter(|y| !y.is_nan()).collect();
    let sales = recent.iter().sum::<f64>();
    Ok(Features {
        mean,
        growth,
        trend,
        season: strength,
        profile,
        variation: variance.sqrt() / mean,
        zeros,
        memory,
        sales,
    })
}

impl Clusters {
    /// The features of each series in their units.
    fn points(&self, found: &[&Features]) -> Vec<Vec<f64>> {
        let wanted = |at: usize, name: &str| {
            let default = self.features.is_empty() && at < DEFAULT;
            default || self.features.iter().any(|wanted| wanted == name)
        };
        let cells = |features: &Features, name: &str| match name {
            "growth" => vec![features.growth],
            "trend" => vec![features.trend],
            "season" => vec![features.season],
            "profile" => features.profile.clone(),
            "variation" => vec![features.variation.ln_1p()],
            "zeros" => vec![features.zeros],
            "level" => vec![features.mean.max(1e-12).log10()],
            _ => vec![features.memory],
        };
        let mut points: Vec<Vec<f64>> = vec![Vec::new(); found.len()];
        for (_, (name, unit)) in FEATURES.iter().enumerate().filter(|(at, (name, _))| wanted(*at, name)) {
            let columns: Vec<Vec<f64>> = found.iter().map(|features| cells(features, name)).collect();
            let middle = |at: usize| median(columns.iter().map(|cells| cells[at]).collect());
            let middles: Vec<f64> = (0..columns.first().map_or(0, Vec::len)).map(middle).collect();
            for (point, cells) in points.iter_mut().zip(&columns) {
                let away = |(cell, middle): (&f64, &f64)| ((cell - middle) / unit).clamp(-CLIP, CLIP);
                point.extend(cells.iter().zip(&middles).map(away));
            }
        }
        points
    }

    fn finding(
        &self,
        panel: &Panel,
        found: &[(usize, Features)],
        groups: &[Group],
        cycle: Option<&Cycle>,
        silhouette: f64,
    ) -> Result<Finding> {
        let told: Vec<String> = groups.iter().take(TOLD).map(|group| group.told.clone()).collect();
        let more = match groups.len().saturating_sub(TOLD) {
            0 => String::new(),
            n => format!("; {} more below", number(n as f64)),
        };
        let sentence = format!(
            "{} series fall into {} groups. {}{more}.",
            number(found.len() as f64),
            number(groups.len() as f64),
            told.join("; ")
        );
        let real = |name: &str, pick: &dyn Fn(&Group) -> f64| {
            Column::new(name.into(), groups.iter().map(pick).collect::<Vec<_>>())
        };
        let total: f64 = groups.iter().map(|group| group.sales).sum();
        let mut columns = vec![
            Column::new("group".into(), groups.iter().map(|group| group.name.as_str()).collect::<Vec<_>>()),
            Column::new("series".into(), groups.iter().map(|group| group.members.len() as u64).collect::<Vec<_>>()),
            real("share of sales %", &|group| 100.0 * group.sales / total),
            real("growth % a year", &|group| 100.0 * group.growth),
            real("season strength", &|group| group.season),
        ];
        if let Some(cycle) = cycle {
            let peak = |group: &Group| peak(&group.profile).map_or("", |(at, _)| cycle.names[at].as_str()).to_string();
            columns.push(Column::new("peak".into(), groups.iter().map(peak).collect::<Vec<_>>()));
            columns.push(real("peak above mean %", &|group| {
                self::peak(&group.profile).map_or(f64::NAN, |(_, height)| 100.0 * height)
            }));
        }
        columns.push(real("CV", &|group| group.variation));
        columns.push(real("zeros %", &|group| 100.0 * group.zeros));
        columns.push(real("lag-1 autocorrelation", &|group| group.memory));
        let examples = |group: &Group| {
            let names: Vec<&str> = group.members.iter().take(3).map(|place| panel.label(found[*place].0)).collect();
            names.join("; ")
        };
        columns.push(Column::new("largest".into(), groups.iter().map(examples).collect::<Vec<_>>()));
        let table = Table::new(DataFrame::new(groups.len(), columns)?).titled("Groups of series: medians");
        let mut rows: Vec<(usize, &str)> =
            groups.iter().flat_map(|group| group.members.iter().map(|place| (*place, group.name.as_str()))).collect();
        rows.sort_by(|a, b| found[b.0].1.sales.total_cmp(&found[a.0].1.sales).then(a.0.cmp(&b.0)));
        let all = rows.len();
        rows.truncate(self.top.max(1));
        let mut columns = panel.key_columns(rows.iter().map(|row| found[row.0].0))?;
        columns.push(Column::new("group".into(), rows.iter().map(|row| row.1).collect::<Vec<_>>()));
        columns.push(Column::new(
            "last year".into(),
            rows.iter().map(|row| found[row.0].1.sales.round()).collect::<Vec<_>>(),
        ));
        let members = Table::new(DataFrame::new(rows.len(), columns)?)
            .of_rows(all)
            .titled("Series and their groups, the largest first");
        let mut finding =
            Finding::new("Kinds of series", sentence, table).and(members).drawn(figure(panel, found, groups, cycle));
        finding = finding.but(match (self.k, silhouette < APART) {
            (0, true) => format!(
                "The number of groups, of 2 to {MOST}, has the best silhouette, {}: they run into one \
                 another, a summary rather than natural kinds.",
                rounded(silhouette, 2)
            ),
            (0, false) => {
                format!("The number of groups, of 2 to {MOST}, has the best silhouette, {}.", rounded(silhouette, 2))
            }
            _ => format!("The number of groups was stated; their silhouette is {}.", rounded(silhouette, 2)),
        });
        let by: Vec<&str> = match self.features.is_empty() {
            true => FEATURES[..DEFAULT]
                .iter()
                .map(|(name, _)| *name)
                .filter(|name| cycle.is_some() || *name != "profile")
                .collect(),
            false => self.features.iter().map(String::as_str).collect(),
        };
        let of = cycle.map_or(String::new(), |cycle| format!(" The profile is that by {}.", cycle.noun));
        Ok(finding.but(format!("Grouped by {}, standardised.{of}", listed(&by, by.len().max(1)))))
    }
}

/// The largest step of a profile.
fn peak(profile: &[f64]) -> Option<(usize, f64)> {
    profile.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1))
}

/// The groups in words, those that sell most first.
fn groups(found: &[(usize, Features)], of: &[usize], cycle: Option<&Cycle>) -> Vec<Group> {
    let total: f64 = found.iter().map(|(_, features)| features.sales).sum();
    let count = of.iter().max().map_or(0, |most| most + 1);
    let mut groups: Vec<Group> = (0..count)
        .filter_map(|group| {
            let mut members: Vec<usize> = (0..of.len()).filter(|place| of[*place] == group).collect();
            if members.is_empty() {
                return None;
            }
            members.sort_by(|a, b| found[*b].1.sales.total_cmp(&found[*a].1.sales));
            let middle =
                |pick: &dyn Fn(&Features) -> f64| median(members.iter().map(|place| pick(&found[*place].1)).collect());
            let phases = found.first().map_or(0, |(_, features)| features.profile.len());
            let profile = (0..phases).map(|at| middle(&|features| features.profile[at])).collect();
            let sales = members.iter().map(|place| found[*place].1.sales).sum();
            let (growth, season) = (middle(&|features| features.growth), middle(&|features| features.season));
            let (variation, zeros) = (middle(&|features| features.variation), middle(&|features| features.zeros));
            let memory = middle(&|features| features.memory);
            let (name, told) = (String::new(), String::new());
            Some(Group { members, name, told, sales, growth, season, variation, zeros, memory, profile })
        })
        .collect();
    groups.sort_by(|a, b| b.sales.total_cmp(&a.sales));
    let mean = |group: &Group| median(group.members.iter().map(|place| found[*place].1.mean).collect());
    let all = median(found.iter().map(|(_, features)| features.mean).collect());
    let sizes: Vec<f64> = groups.iter().map(mean).collect();
    let plain: Vec<String> = groups.iter().map(|group| named(group, cycle)).collect();
    let size = |at: usize| if sizes[at] >= all { "large" } else { "small" };
    let sized: Vec<String> = (0..groups.len())
        .map(|at| match plain.iter().filter(|name| **name == plain[at]).count() {
            1 => plain[at].clone(),
            _ => format!("{}, {}", size(at), plain[at]),
        })
        .collect();
    let peaked: Vec<String> = (0..groups.len())
        .map(|at| match (sized.iter().filter(|name| **name == sized[at]).count(), peak(&groups[at].profile), cycle) {
            (2.., Some((phase, _)), Some(cycle)) if !sized[at].contains(&cycle.names[phase]) => {
                format!("{}, most in {}", sized[at], cycle.names[phase])
            }
            _ => sized[at].clone(),
        })
        .collect();
    for at in 0..groups.len() {
        let before = peaked[..at].iter().filter(|name| **name == peaked[at]).count();
        let others = peaked.iter().filter(|name| **name == peaked[at]).count();
        // What still bears one name differs in how much it sells.
        let name = match (others, before) {
            (1, _) => peaked[at].clone(),
            (_, 0) => format!("{}, the most sold", peaked[at]),
            (_, 1) => format!("{}, less sold", peaked[at]),
            (_, n) => format!("{}, less sold ({})", peaked[at], n),
        };
        let group = &groups[at];
        let share = 100.0 * group.sales / total;
        let mut told = format!(
            "{}: {}, {} % of sales",
            crate::show::words::capital(&name),
            counted(group.members.len(), "series", "series"),
            rounded(share, i32::from(!(10.0..99.0).contains(&share)))
        );
        let peak = peak(&group.profile).filter(|(_, height)| *height >= 0.1);
        if let (Some((phase, height)), Some(cycle)) = (peak, cycle) {
            told.push_str(&format!(", {} {} % above the mean", cycle.names[phase], rounded(100.0 * height, 0)));
        }
        if group.growth.abs() >= 0.05 {
            let verb = if group.growth > 0.0 { "growing" } else { "shrinking" };
            told.push_str(&format!(", {verb} by {} % a year", rounded(100.0 * group.growth.abs(), 0)));
        }
        if group.zeros >= 0.25 {
            told.push_str(&format!(", nothing sold in {} % of steps", rounded(100.0 * group.zeros, 0)));
        }
        (groups[at].name, groups[at].told) = (name, told);
    }
    groups
}

/// A group by its features.
fn named(group: &Group, cycle: Option<&Cycle>) -> String {
    let direction = match group.growth {
        growth if growth <= -0.1 => "declining ",
        growth if growth >= 0.1 => "growing ",
        _ => "",
    };
    let months = cycle.is_some_and(|cycle| cycle.noun == "month");
    let seasonal = peak(&group.profile).filter(|(_, height)| *height >= 0.3 && group.season >= 0.3);
    match (seasonal, cycle) {
        _ if group.zeros >= 0.25 => format!("{direction}intermittent sellers"),
        (Some((11, _)), Some(_)) if months => format!("{direction}Christmas sellers"),
        (Some((phase, _)), Some(cycle)) => format!("{direction}sellers with a peak in {}", cycle.names[phase]),
        _ if group.variation > 0.5 => format!("{direction}erratic sellers"),
        _ if direction.is_empty() => "steady sellers".to_string(),
        _ => format!("{direction}sellers"),
    }
}

/// A panel for each group: the profile, or sales over time.
fn figure(
    panel: &Panel,
    found: &[(usize, Features)],
    groups: &[Group],
    cycle: Option<&Cycle>,
) -> crate::figures::Figure {
    let calendar = &panel.inner().calendar;
    let whole = panel.frequency().is_whole();
    let line = |name: &str, x: Vec<f64>, y: Vec<f64>| Line { name: name.into(), x, y };
    let drawn = |group: &Group| {
        let step = group.members.len().div_ceil(DRAWN).max(1);
        group.members.iter().step_by(step).copied().collect::<Vec<usize>>()
    };
    let percent = |profile: &[f64]| profile.iter().map(|x| 100.0 * (1.0 + x)).collect::<Vec<_>>();
    let steps = |n: usize| (0..n).map(|at| at as f64).collect::<Vec<_>>();
    let panels = groups
        .iter()
        .map(|group| {
            let title = format!("{} ({})", group.name, number(group.members.len() as f64));
            let of = |place: usize| {
                let (i, features) = &found[place];
                match cycle {
                    Some(_) => line(panel.label(*i), steps(features.profile.len()), percent(&features.profile)),
                    None => {
                        let start = panel.positions(*i).first().copied().unwrap_or(0);
                        let y: Vec<f64> = panel.regular(*i).iter().map(|y| 100.0 * y / features.mean).collect();
                        line(panel.label(*i), (0..y.len()).map(|t| calendar.x(start + t as i64)).collect(), y)
                    }
                }
            };
            let members: Vec<Line> = drawn(group).into_iter().map(of).collect();
            let front = match cycle {
                Some(_) => line("median", steps(group.profile.len()), percent(&group.profile)),
                None => members.first().cloned().unwrap_or_default(),
            };
            (title, members, front)
        })
        .collect();
    Panels {
        title: "Kinds of series".into(),
        value: "% of the mean".into(),
        axis: if cycle.is_some() || whole { TimeAxis::Steps } else { TimeAxis::Dates },
        positions: cycle
            .map_or(Vec::new(), |cycle| cycle.names.iter().map(|name| name.chars().take(3).collect()).collect()),
        panels,
    }
    .figure()
}

/// The group of each point by *k*-means: the best of several starts, always the same.
///
/// # Errors
/// When no start comes to an end.
pub(super) fn k_means(points: &[Vec<f64>], k: usize) -> Result<Vec<usize>> {
    let failed = |cause: String| Error::model(format!("the series cannot be grouped: {cause}"));
    let width = points.first().map_or(0, Vec::len);
    let cells: Vec<f64> = points.iter().flatten().copied().collect();
    let cells = Array2::from_shape_vec((points.len(), width), cells).map_err(|cause| failed(cause.to_string()))?;
    let dataset = DatasetBase::from(cells);
    // Without a generator of our own, linfa's starts from a fixed seed.
    let model = KMeans::<f64, _>::params(k).n_runs(STARTS).max_n_iterations(300).tolerance(1e-9).fit(&dataset);
    let model = model.map_err(|cause| failed(cause.to_string()))?;
    Ok(model.predict(&dataset).to_vec())
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// The mean silhouette of the points, or of evenly spaced ones where there are many.
pub(super) fn silhouette(points: &[Vec<f64>], of: &[usize]) -> f64 {
    let step = points.len().div_ceil(SAMPLED).max(1);
    let sample: Vec<usize> = (0..points.len()).step_by(step).collect();
    let groups = of.iter().max().map_or(0, |most| most + 1);
    let value = |i: &usize| {
        let (mut sums, mut sizes) = (vec![0.0; groups], vec![0.0; groups]);
        for j in sample.iter().filter(|j| *j != i) {
            sums[of[*j]] += distance(&points[*i], &points[*j]).sqrt();
            sizes[of[*j]] += 1.0;
        }
        if sizes[of[*i]] == 0.0 {
            return 0.0;
        }
        let own = sums[of[*i]] / sizes[of[*i]];
        let others =
            (0..groups).filter(|group| *group != of[*i] && sizes[*group] > 0.0).map(|group| sums[group] / sizes[group]);
        let other = others.fold(f64::INFINITY, f64::min);
        if other.is_finite() && own.max(other) > 0.0 { (other - own) / own.max(other) } else { 0.0 }
    };
    sample.iter().map(value).sum::<f64>() / sample.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `oracles/k_means.py` (scikit-learn): the points are fractions of multiples of irrational numbers around three places.
    #[test]
    fn inertia_and_silhouette_are_those_of_scikit_learn() {
        let fraction = |x: f64| x - x.floor();
        let point = |i: usize| {
            let t = i as f64;
            let place = [(0.0, 0.0), (4.0, 1.0), (1.0, 5.0)][i % 3];
            vec![place.0 + fraction(t * 0.618_033_988_75) * 2.0, place.1 + fraction(t * 0.414_213_562_37) * 2.0]
        };
        let points: Vec<Vec<f64>> = (0..60).map(point).collect();
        let of = k_means(&points, 3).unwrap();
        let middle = |group: usize, at: usize| {
            let members: Vec<f64> =
                points.iter().zip(&of).filter(|(_, of)| **of == group).map(|(p, _)| p[at]).collect();
            members.iter().sum::<f64>() / members.len() as f64
        };
        let away = |(point, of): (&Vec<f64>, &usize)| distance(point, &[middle(*of, 0), middle(*of, 1)]);
        let inertia: f64 = points.iter().zip(&of).map(away).sum();
        assert!((inertia - INERTIA).abs() < 1e-9, "{inertia}");
        let ours = silhouette(&points, &of);
        assert!((ours - SILHOUETTE).abs() < 1e-9, "{ours}");
    }

    const INERTIA: f64 = 40.30492906460592;
    const SILHOUETTE: f64 = 0.7439075125341759;
}
