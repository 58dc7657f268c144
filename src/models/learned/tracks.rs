//! How does a panel become tracks? Which columns there are, on what scale each series is seen, and when nothing can be sold.
//!
//! Every series is brought to a level of its own, so that one function serves all. Where a known covariate says that nothing is
//! sold (a closed shop), a value is taken as missing and forecast as 0: a mean is then one of days on which something could be
//! sold.

use chrono::Datelike;
use serde::{Deserialize, Serialize};

use super::Task;
use super::design::{Shape, Track};
use super::level::Levels;
use crate::error::{Error, Result};
use crate::panel::normalise::Scale;
use crate::panel::{Future, Normalise, Panel, Role, order};

/// Steps at which a covariate says the same and nothing is sold, from which that is a rule.
const RULE: usize = 20;
/// The most values of a key that are taken as categories.
const CATEGORIES: usize = 250;

/// What is kept of a panel so that the same series can be seen again the same way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::models) struct Views {
    pub shape: Shape,
    /// Columns of the matrix of covariates that vary, by role and in the order of their names.
    known: Vec<usize>,
    observed: Vec<usize>,
    fixed: Vec<usize>,
    /// The observed ones that have a value somewhere.
    seen_once: Vec<usize>,
    /// All known ones, which must be given with the future.
    demanded: Vec<usize>,
    /// Known columns and the value at which nothing is sold.
    closed: Vec<(usize, f64)>,
    /// By series; why one cannot be served.
    seen: Vec<std::result::Result<Seen, String>>,
    /// Is no value below zero?
    pub positive: bool,
    /// By key column, the number of each series' value.
    keys: Vec<Vec<f64>>,
}

/// How a series is seen: what the model says of it is `centre + size · value`, on a scale.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(in crate::models) struct Seen {
    pub scale: Scale,
    pub centre: f64,
    pub size: f64,
}

impl Seen {
    pub fn forward(&self, y: f64) -> f64 {
        (self.scale.forward(y) - self.centre) / self.size
    }
}

impl Views {
    /// Of a panel, normalised as `normalise` says.
    pub fn of(panel: &Panel, (normalise, lambda): (Normalise, Option<f64>), task: &Task) -> Result<Self> {
        let matrix = panel.matrix()?;
        let read = |wanted: Role| task.regressors || wanted == Role::Fixed;
        let varying = order::varying(panel)?;
        let of_role = |wanted: Role| -> Vec<usize> {
            varying.iter().copied().filter(|c| matrix.sources[*c].1 == wanted && read(wanted)).collect()
        };
        let (known, observed, fixed) = (of_role(Role::Known), of_role(Role::Observed), of_role(Role::Fixed));
        let is_demanded = |c: &usize| matrix.sources[*c].1 == Role::Known && read(Role::Known);
        let demanded = (0..matrix.columns.len()).filter(is_demanded).collect();
        let names = |columns: &[usize]| columns.iter().map(|c| matrix.names[*c].clone()).collect();
        let is_flag = |column: &[f64]| {
            let mut values = column.iter().filter(|v| !v.is_nan());
            values.clone().any(|v| *v == 0.0)
                && values.clone().any(|v| *v == 1.0)
                && values.all(|v| *v == 0.0 || *v == 1.0)
        };
        let flags: Vec<usize> = (0..known.len()).filter(|k| is_flag(&matrix.columns[known[*k]])).collect();
        let closed = closed(panel, &known, &flags)?;
        let season = panel.season().max(1);
        let is_seen = |c: &&usize| matrix.columns[**c].iter().any(|v| !v.is_nan());
        let seen_once = observed.iter().filter(is_seen).copied().collect();
        let order = order::by_content(panel)?;
        let keys = keys(panel, &order);
        let shape = Shape {
            season,
            year: year(panel),
            calendar: calendar_names(panel).iter().map(ToString::to_string).collect(),
            known: names(&known),
            flags,
            observed: names(&observed),
            fixed: names(&fixed),
            keys: keys.iter().map(|(name, _)| name.clone()).collect(),
        };
        let keys = keys.into_iter().map(|(_, numbers)| numbers).collect();
        let mut views =
            Self { shape, known, observed, fixed, seen_once, demanded, closed, seen: Vec::new(), positive: true, keys };
        let mut cold = Vec::new();
        for i in 0..panel.len() {
            let values = views.open(panel, i)?;
            views.positive &= values.iter().all(|y| y.is_nan() || *y >= 0.0);
            let some = values.iter().any(|y| !y.is_nan());
            let seen = match Scale::of(normalise, lambda, &values, season) {
                Ok((scale, values)) => Ok(task.scale.seen(scale, &values)),
                Err(why) => Err(why.to_string()),
            };
            if !some {
                cold.push(i);
            }
            views.seen.push(seen);
        }
        if !cold.is_empty() {
            let known: Vec<Option<Seen>> =
                (0..panel.len()).map(|i| views.seen[i].as_ref().ok().copied().filter(|_| !cold.contains(&i))).collect();
            let levels = Levels::of(panel, &known)?;
            for i in cold {
                views.seen[i] = levels.of_series(i).ok_or_else(|| "no series has values to learn from".to_string());
            }
        }
        Ok(views)
    }

    /// The number of series.
    pub fn len(&self) -> usize {
        self.seen.len()
    }

    /// How a series is seen.
    ///
    /// # Errors
    /// When it cannot be served.
    pub fn seen(&self, series: usize) -> Result<Seen> {
        self.seen[series].as_ref().copied().map_err(|why| Error::model(why.as_str()))
    }

    /// The values of a series, NaN where nothing could be sold.
    fn open(&self, panel: &Panel, series: usize) -> Result<Vec<f64>> {
        let matrix = panel.matrix()?;
        let mut values = panel.regular(series).into_owned();
        for (k, value) in &self.closed {
            let column = panel.regular_column(series, &matrix.columns[self.known[*k]]);
            values.iter_mut().zip(column.iter()).filter(|(_, v)| *v == value).for_each(|(y, _)| *y = f64::NAN);
        }
        Ok(values)
    }

    /// The history of a series, and what `future` knows of the steps after it: the number of steps before the future begins
    /// (the history and what nobody asked for), and the track to its end.
    ///
    /// # Errors
    /// When the series cannot be served.
    pub fn track(&self, panel: &Panel, series: usize, future: Option<&Future>) -> Result<(usize, Track)> {
        let seen = self.seen(series)?;
        let matrix = panel.matrix()?;
        let mut y: Vec<f64> = self.open(panel, series)?.iter().map(|y| seen.forward(*y)).collect();
        if y.iter().zip(self.open(panel, series)?).any(|(z, y)| !z.is_finite() && !y.is_nan()) {
            return Err(Error::model("a new value lies outside the range of the transformation"));
        }
        let start = panel.positions(series).first().copied().unwrap_or(0);
        let history = y.len();
        let (begins, ahead) = match future {
            None => (history, 0),
            Some(future) => {
                let begins = usize::try_from(future.start(series) - start).unwrap_or(0);
                if begins < history {
                    return Err(Error::usage("the future starts before the series ends"));
                }
                (begins, future.horizon())
            }
        };
        y.resize(begins + ahead, f64::NAN);
        let coming = future.map(|future| future.columns(series));
        let column = |c: &usize| {
            let mut values = panel.regular_column(series, &matrix.columns[*c]).into_owned();
            values.resize(begins, f64::NAN);
            values.extend(coming.iter().flat_map(|columns| columns[*c].iter()));
            values
        };
        let last = |c: &usize| {
            let past = panel.column_of(series, &matrix.columns[*c]);
            past.iter().rev().copied().find(|v| !v.is_nan()).unwrap_or(f64::NAN)
        };
        let track = Track {
            start,
            known: self.known.iter().map(column).collect(),
            observed: self.observed.iter().map(column).collect(),
            fixed: self.fixed.iter().map(last).collect(),
            keys: self.keys.iter().map(|numbers| numbers[series]).collect(),
            level: level(&seen),
            calendar: calendar(panel, start, y.len()),
            y,
        };
        Ok((begins, track))
    }

    /// Must a column of the matrix be known ahead? One that is observed only where forecasts become the past, and if it ever was.
    pub fn reads(&self, column: usize, recursive: bool) -> bool {
        self.demanded.contains(&column) || (recursive && self.seen_once.contains(&column))
    }

    /// Steps between the history of a series and a future.
    pub fn lead(&self, panel: &Panel, series: usize, future: &Future) -> usize {
        let end = panel.positions(series).last().map_or(0, |last| last + 1);
        usize::try_from(future.start(series) - end).unwrap_or(0)
    }

    /// Can nothing be sold at a step of a track?
    pub fn is_closed(&self, track: &Track, t: usize) -> bool {
        self.closed.iter().any(|(k, value)| track.known[*k][t] == *value)
    }
}

/// The logarithm of the size of what is seen, which tells large series from small ones.
fn level(seen: &Seen) -> f64 {
    match seen.scale {
        Scale::Same => seen.size.max(1e-300).ln(),
        _ => seen.centre,
    }
}

/// Which known flags say, at which value, that nothing is sold: over all series at least [`RULE`] steps, all but one in a
/// thousand of them without sales, while most others have some.
fn closed(panel: &Panel, known: &[usize], flags: &[usize]) -> Result<Vec<(usize, f64)>> {
    let matrix = panel.matrix()?;
    let mut found = Vec::new();
    for k in flags {
        let column = &matrix.columns[known[*k]];
        let (mut rows, mut zeros) = ([0_usize; 2], [0_usize; 2]);
        for i in 0..panel.len() {
            for (flag, y) in panel.column_of(i, column).iter().zip(panel.target(i)) {
                if !flag.is_nan() && !y.is_nan() {
                    let at = usize::from(*flag == 1.0);
                    rows[at] += 1;
                    zeros[at] += usize::from(*y == 0.0);
                }
            }
        }
        let rule =
            |at: usize| rows[at] >= RULE && 1000 * zeros[at] >= 999 * rows[at] && 2 * zeros[1 - at] < rows[1 - at];
        found.extend([0, 1].into_iter().filter(|at| rule(*at)).map(|at| (*k, at as f64)));
    }
    Ok(found)
}

/// The key columns with few enough values to be categories, by name, and the number of each series' value in them: values are
/// numbered by the mean size of their series, whatever they are called.
fn keys(panel: &Panel, order: &[usize]) -> Vec<(String, Vec<f64>)> {
    let mut columns: Vec<_> = panel.inner().keys.columns().iter().collect();
    columns.sort_by_key(|column| column.name().clone());
    let numbered = columns.into_iter().map(|column| {
        let text = |i: usize| column.get(i).map_or_else(|_| String::new(), |value| value.to_string());
        let (groups, count) = super::level::numbered((0..panel.len()).map(text).collect());
        // What each value's series sum to, how many they are, and where the first of them stands.
        let mut values = vec![(0.0, 0.0, usize::MAX); count];
        for (place, i) in order.iter().enumerate() {
            let (sum, n, first) = &mut values[groups[*i]];
            let there = || panel.target(*i).iter().filter(|y| !y.is_nan());
            let steps = there().count() as f64;
            let size = there().map(|y| y.abs() / steps).sum::<f64>();
            (*sum, *n, *first) = (*sum + size, *n + 1.0, place.min(*first));
        }
        let mut places: Vec<usize> = (0..count).collect();
        let mean = |k: usize| values[k].0 / values[k].1;
        places.sort_by(|a, b| mean(*a).total_cmp(&mean(*b)).then(values[*a].2.cmp(&values[*b].2)));
        let mut numbers = vec![0.0; count];
        places.iter().enumerate().for_each(|(number, k)| numbers[*k] = number as f64);
        (column.name().to_string(), groups.iter().map(|k| numbers[*k]).collect(), count)
    });
    numbered.filter(|(.., count)| (2..=CATEGORIES).contains(count)).map(|(name, numbers, _)| (name, numbers)).collect()
}

/// Steps in the season above that of the panel.
fn year(panel: &Panel) -> Option<usize> {
    match (panel.frequency().noun(), panel.season()) {
        ("hour", 24) => Some(168),
        ("day", 7) => Some(364),
        _ => None,
    }
}

fn calendar_names(panel: &Panel) -> &'static [&'static str] {
    match panel.frequency().noun() {
        "hour" => &["weekday", "day of month", "month"],
        "day" => &["day of month", "month", "day of year"],
        "week" => &["day of month", "month", "week of year"],
        "month" | "quarter" => &["month", "year"],
        _ => &[],
    }
}

/// What the calendar says of a number of steps, by column.
fn calendar(panel: &Panel, start: i64, steps: usize) -> Vec<Vec<f64>> {
    let names = calendar_names(panel);
    let calendar = &panel.inner().calendar;
    let mut columns = vec![Vec::with_capacity(steps); names.len()];
    if names.is_empty() {
        return columns;
    }
    for position in start..start + steps as i64 {
        let day = calendar.period(position, None).map(|(first, _)| first);
        for (column, name) in columns.iter_mut().zip(names) {
            column.push(day.map_or(f64::NAN, |day| match *name {
                "weekday" => f64::from(day.weekday().num_days_from_monday()),
                "day of month" => f64::from(day.day()),
                "month" => f64::from(day.month()),
                "day of year" => f64::from(day.ordinal()),
                "week of year" => f64::from(day.iso_week().week()),
                _ => f64::from(day.year()),
            }));
        }
    }
    columns
}
