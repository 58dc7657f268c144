//! What does a model that learns across series look at? A table: a row per series and step, a column per feature.
//!
//! Features of a row may use the target up to `reach` steps before its own step, and known covariates around it: so a row of
//! the past is what a row of the future will be, for every step up to `reach` ahead. Nothing that comes later gets in: means
//! of the target by place and flag are of the past of that row alone (target encodings that cannot leak).

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// What all series have in common: which columns there are, and how they are read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::models) struct Shape {
    /// Steps in a season.
    pub season: usize,
    /// Steps in a longer one (a year of days, a week of hours), if there is one.
    pub year: Option<usize>,
    pub calendar: Vec<String>,
    pub known: Vec<String>,
    /// Which of the known columns are flags: 0 or 1.
    pub flags: Vec<usize>,
    pub observed: Vec<String>,
    pub fixed: Vec<String>,
    /// The keys that are taken as categories.
    pub keys: Vec<String>,
}

/// One series on the steps of the calendar: its history, and what is known of the steps to come.
pub(in crate::models) struct Track {
    /// The calendar position of its first step.
    pub start: i64,
    /// The target as the model sees it; NaN where it is missing, where nothing can be sold, and in the future.
    pub y: Vec<f64>,
    /// By column, as long as `y`; NaN where nothing is known.
    pub known: Vec<Vec<f64>>,
    /// By column, as long as `y`; NaN in the future.
    pub observed: Vec<Vec<f64>>,
    pub fixed: Vec<f64>,
    /// The number of each key's value.
    pub keys: Vec<f64>,
    /// The logarithm of the series' level.
    pub level: f64,
    /// By column of the calendar, as long as `y`.
    pub calendar: Vec<Vec<f64>>,
}

impl Track {
    /// Its first steps.
    pub fn until(&self, steps: usize) -> Self {
        let first = |columns: &[Vec<f64>]| columns.iter().map(|column| column[..steps].to_vec()).collect();
        Self {
            start: self.start,
            y: self.y[..steps].to_vec(),
            known: first(&self.known),
            observed: first(&self.observed),
            fixed: self.fixed.clone(),
            keys: self.keys.clone(),
            level: self.level,
            calendar: first(&self.calendar),
        }
    }
}

/// One column of the table. Steps are counted back from the time of the row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Feature {
    /// The target that many steps ago.
    Lag(usize),
    /// The mean of the target at a number of steps a season apart, from that many steps ago on.
    Seasons {
        first: usize,
        season: usize,
        count: usize,
    },
    /// Mean or standard deviation of a number of steps, from that many steps ago on.
    Mean {
        first: usize,
        steps: usize,
    },
    Spread {
        first: usize,
        steps: usize,
    },
    /// The mean of the last steps that have the flag that this one has.
    Flagged {
        flag: usize,
        first: usize,
        steps: usize,
    },
    /// The mean of all steps so far at this place of the season, with the flag that this one has if one is named; recent
    /// ones count more.
    Place {
        flag: Option<usize>,
        first: usize,
    },
    /// What the mean of a number of steps is to that of as many a long season before.
    Growth {
        first: usize,
        season: usize,
        steps: usize,
    },
    /// The target that many steps ago, grown by as much.
    Grown {
        lag: usize,
        first: usize,
        season: usize,
        steps: usize,
    },
    /// The mean of the target that many steps ago and of its two neighbours.
    Around {
        lag: usize,
    },
    /// The place in the season.
    Season,
    Calendar(usize),
    /// A known covariate that many steps later (or earlier).
    Known {
        column: usize,
        later: i32,
    },
    /// Steps since a flag last changed, and until it changes next.
    Since {
        flag: usize,
    },
    Until {
        flag: usize,
    },
    /// An observed covariate that many steps ago, and its mean over a season from there.
    Observed {
        column: usize,
        first: usize,
    },
    ObservedMean {
        column: usize,
        first: usize,
        steps: usize,
    },
    Fixed(usize),
    Key(usize),
    Level,
    /// Steps since the series began.
    Age,
}

impl Feature {
    /// How many steps back the oldest value lies that makes it what it is meant to be; 0 where it reads nothing of the past.
    fn depth(&self, season: usize) -> usize {
        match *self {
            Self::Lag(lag) => lag,
            Self::Seasons { first, season, count } => first + count.saturating_sub(1) * season,
            Self::Mean { first, steps }
            | Self::Spread { first, steps }
            | Self::Flagged { first, steps, .. }
            | Self::ObservedMean { first, steps, .. } => (first + steps).saturating_sub(1),
            Self::Place { first, .. } => (first + season).saturating_sub(1),
            Self::Growth { first, season, steps } => (first + season + steps).saturating_sub(1),
            Self::Grown { lag, first, season, steps } => lag.max((first + season + steps).saturating_sub(1)),
            Self::Around { lag } => lag + 1,
            Self::Observed { first, .. } => first,
            Self::Season
            | Self::Calendar(_)
            | Self::Known { .. }
            | Self::Since { .. }
            | Self::Until { .. }
            | Self::Fixed(_)
            | Self::Key(_)
            | Self::Level
            | Self::Age => 0,
        }
    }
}

/// How a column goes with the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::models) enum Unit {
    /// It is a value of it.
    Value,
    /// It is a distance between two values.
    Width,
    /// Not at all.
    Own,
}

/// The columns of a table for rows up to `reach` steps ahead.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::models) struct Design {
    season: usize,
    features: Vec<Feature>,
    /// By column.
    pub names: Vec<String>,
    /// The names of the covariates.
    known: Vec<String>,
    observed: Vec<String>,
}

/// A season from this length on is long.
const LONG: usize = 24;
/// How far changes of a flag are looked for.
const FAR: usize = 60;
/// What an occurrence counts for when the next one comes, in means by place.
const FADING: f64 = 0.95;

impl Design {
    pub fn new(shape: &Shape, reach: usize) -> Self {
        let m = shape.season.max(1);
        let mut list: Vec<(String, Feature)> = Vec::new();
        let mut add = |name: String, feature: Feature| {
            if !list.iter().any(|(_, known)| *known == feature) {
                list.push((name, feature));
            }
        };
        let mut lags: Vec<usize> = (0..3).map(|j| reach + j).collect();
        // The same place of the season, as often as it can be seen.
        let same = reach.div_ceil(m) * m;
        if m > 1 {
            lags.extend((0..4).map(|k| same + k * m));
        }
        if let Some(year) = shape.year.filter(|year| *year > m) {
            let same = reach.div_ceil(year) * year;
            lags.extend([same, same + year]);
            add(
                format!("mean around lag {same}"),
                Feature::Seasons { first: same.saturating_sub(m).max(reach), season: m, count: 3 },
            );
        }
        // Where a season is long, the year before comes with how much has changed since.
        if let Some(season) = shape.year.or(Some(m)).filter(|season| *season >= LONG) {
            let lag = reach.div_ceil(season) * season;
            for steps in [season / 13, season / 4] {
                add(format!("growth over {steps} from lag {reach}"), Feature::Growth { first: reach, season, steps });
                add(format!("lag {lag}, grown over {steps}"), Feature::Grown { lag, first: reach, season, steps });
            }
            // Its later neighbour must not lie nearer than may be looked at.
            if lag > reach {
                add(format!("around lag {lag}"), Feature::Around { lag });
            }
        }
        lags.into_iter().for_each(|lag| add(format!("lag {lag}"), Feature::Lag(lag)));
        if m > 1 {
            for count in [4, 8] {
                add(
                    format!("mean of {count} seasons from lag {same}"),
                    Feature::Seasons { first: same, season: m, count },
                );
            }
            add("mean at this place".into(), Feature::Place { flag: None, first: reach });
        }
        let long = shape.year.unwrap_or(4 * m).max(8);
        for steps in [m.max(4), 4 * m.max(2), long / 4, long / 2, long] {
            add(format!("mean of {steps} from lag {reach}"), Feature::Mean { first: reach, steps });
        }
        add(
            format!("spread of {} from lag {reach}", 4 * m.max(2)),
            Feature::Spread { first: reach, steps: 4 * m.max(2) },
        );
        if m > 1 {
            add("season".into(), Feature::Season);
        }
        for (k, name) in shape.calendar.iter().enumerate() {
            add(name.clone(), Feature::Calendar(k));
        }
        for (column, name) in shape.known.iter().enumerate() {
            for later in -2..=2 {
                let name = match later {
                    0 => name.clone(),
                    _ => format!("{name} {} {}", i32::abs(later), if later > 0 { "later" } else { "earlier" }),
                };
                add(name, Feature::Known { column, later });
            }
        }
        for flag in &shape.flags {
            let name = &shape.known[*flag];
            add(format!("since {name} changed"), Feature::Since { flag: *flag });
            add(format!("until {name} changes"), Feature::Until { flag: *flag });
            add(format!("mean with this {name}"), Feature::Flagged { flag: *flag, first: reach, steps: long / 4 });
            if m > 1 {
                add(format!("mean at this place with this {name}"), Feature::Place { flag: Some(*flag), first: reach });
            }
        }
        for (column, name) in shape.observed.iter().enumerate() {
            add(format!("{name}, lag {reach}"), Feature::Observed { column, first: reach });
            let steps = m.max(4);
            add(
                format!("{name}, mean of {steps} from lag {reach}"),
                Feature::ObservedMean { column, first: reach, steps },
            );
        }
        for (column, name) in shape.fixed.iter().enumerate() {
            add(name.clone(), Feature::Fixed(column));
        }
        for (key, name) in shape.keys.iter().enumerate() {
            add(name.clone(), Feature::Key(key));
        }
        add("level".into(), Feature::Level);
        add("age".into(), Feature::Age);
        let (names, features) = list.into_iter().unzip();
        Self { season: m, features, names, known: shape.known.clone(), observed: shape.observed.clone() }
    }

    /// The columns that may tell how hard a step is to forecast, whichever the block.
    pub fn looks(shape: &Shape, reach: usize) -> Self {
        let all = Self::new(shape, reach);
        let tells = |feature: &Feature| {
            matches!(
                feature,
                Feature::Spread { .. }
                    | Feature::Season
                    | Feature::Known { later: 0, .. }
                    | Feature::Fixed(_)
                    | Feature::Level
            )
        };
        let kept = all.names.iter().cloned().zip(all.features.iter().cloned()).filter(|(_, feature)| tells(feature));
        let (names, features) = kept.unzip();
        Self { features, names, ..all }
    }

    /// The columns that a network reads of each step. What it sees of the steps before, one by one, needs no lags; time is told
    /// in waves, and what a series is, apart.
    pub fn steps(shape: &Shape, reach: usize) -> Self {
        let all = Self::new(shape, reach);
        let m = shape.season.max(1);
        let read = |feature: &Feature| match feature {
            Feature::Lag(lag) => m > 1 && lag.is_multiple_of(m),
            Feature::Known { later, .. } => later.abs() <= 1,
            Feature::Season | Feature::Calendar(_) | Feature::Fixed(_) | Feature::Key(_) | Feature::Level => false,
            Feature::Since { .. } | Feature::Until { .. } | Feature::Observed { .. } | Feature::ObservedMean { .. } => {
                false
            }
            _ => true,
        };
        let kept = all.names.iter().cloned().zip(all.features.iter().cloned()).filter(|(_, feature)| read(feature));
        let (names, features) = kept.unzip();
        Self { features, names, ..all }
    }

    /// What happens to each column when the series is brought to another level.
    pub fn units(&self) -> Vec<Unit> {
        let of = |feature: &Feature| match feature {
            Feature::Lag(_)
            | Feature::Seasons { .. }
            | Feature::Mean { .. }
            | Feature::Flagged { .. }
            | Feature::Place { .. }
            | Feature::Grown { .. }
            | Feature::Around { .. } => Unit::Value,
            Feature::Spread { .. } => Unit::Width,
            _ => Unit::Own,
        };
        self.features.iter().map(of).collect()
    }

    /// What each column is about, in the words of an explanation.
    pub fn groups(&self) -> Vec<String> {
        let seasonal = |lag: usize| self.season > 1 && lag.is_multiple_of(self.season);
        let source = |name: &str| name.split('=').next().unwrap_or(name).to_string();
        let of = |(feature, name): (&Feature, &String)| match feature {
            Feature::Lag(lag) if seasonal(*lag) => "earlier seasons".into(),
            Feature::Seasons { .. } | Feature::Place { .. } | Feature::Around { .. } | Feature::Grown { .. } => {
                "earlier seasons".into()
            }
            Feature::Growth { .. } => "recent sales".into(),
            Feature::Lag(_) | Feature::Mean { .. } | Feature::Spread { .. } | Feature::Flagged { .. } => {
                "recent sales".into()
            }
            Feature::Season | Feature::Calendar(_) => "the calendar".into(),
            Feature::Known { column, .. } => source(&self.known[*column]),
            Feature::Since { flag } | Feature::Until { flag } => source(&self.known[*flag]),
            Feature::Observed { column, .. } | Feature::ObservedMean { column, .. } => source(&self.observed[*column]),
            Feature::Fixed(_) | Feature::Key(_) => source(name),
            Feature::Level | Feature::Age => "size and age of the series".into(),
        };
        self.features.iter().zip(&self.names).map(of).collect()
    }

    /// Which columns hold categories.
    pub fn categorical(&self) -> Vec<bool> {
        self.features.iter().map(|feature| matches!(feature, Feature::Key(_))).collect()
    }

    /// The mean of the last season that may be looked at `reach` steps ahead; of all before, where there is none.
    pub fn recent(&self, track: &Track, times: Range<usize>, reach: usize) -> Vec<f64> {
        let sums = Sums::of(&track.y);
        let first = |means: &[f64]| means.iter().copied().find(|mean| !mean.is_nan()).unwrap_or(0.0);
        times
            .map(|t| {
                first(&[self.season.max(4), 4 * self.season.max(4), t + 1].map(|steps| sums.mean(t, reach, steps)))
            })
            .collect()
    }

    /// The value at the same place of the season, as long ago as `reach` steps ahead ask for; the recent mean where it is
    /// missing.
    pub fn seasonal(&self, track: &Track, times: Range<usize>, reach: usize) -> Vec<f64> {
        let back = reach.div_ceil(self.season) * self.season;
        let mut anchors = self.recent(track, times.clone(), reach);
        for (t, anchor) in times.zip(&mut anchors) {
            *anchor = t.checked_sub(back).map(|at| track.y[at]).filter(|y| !y.is_nan()).unwrap_or(*anchor);
        }
        anchors
    }

    /// The step of a series of `steps` steps from which on all that is read of the past lies within it. What reaches back
    /// farther than half of the series is not waited for: it is missing in most of its rows, as it will be in the forecast.
    /// None where even the nearest values are.
    pub fn settled(&self, steps: usize) -> Option<usize> {
        let depths = || self.features.iter().map(|feature| feature.depth(self.season)).filter(|depth| *depth > 0);
        depths().filter(|depth| 2 * depth <= steps).max().or(if depths().next().is_none() { Some(0) } else { None })
    }

    /// Where in the season a step lies.
    fn place(&self, track: &Track, t: usize) -> usize {
        (track.start + t as i64).rem_euclid(self.season as i64) as usize
    }

    /// The columns for some steps of a series, counted from its first one.
    pub fn columns(&self, track: &Track, times: Range<usize>) -> Vec<Vec<f64>> {
        let sums = Sums::of(&track.y);
        self.features.iter().map(|feature| self.column(feature, track, &sums, times.clone())).collect()
    }

    fn column(&self, feature: &Feature, track: &Track, sums: &Sums, times: Range<usize>) -> Vec<f64> {
        let back = |of: &[f64], t: usize, steps: usize| t.checked_sub(steps).map_or(f64::NAN, |at| of[at]);
        let each = |value: &dyn Fn(usize) -> f64| times.clone().map(value).collect();
        match *feature {
            Feature::Lag(lag) => each(&|t| back(&track.y, t, lag)),
            Feature::Seasons { first, season, count } => each(&|t| {
                let values = (0..count).map(|k| back(&track.y, t, first + k * season)).filter(|y| !y.is_nan());
                let (sum, n) = values.fold((0.0, 0.0), |(sum, n), y| (sum + y, n + 1.0));
                sum / n
            }),
            Feature::Mean { first, steps } => each(&|t| sums.mean(t, first, steps)),
            Feature::Spread { first, steps } => each(&|t| sums.spread(t, first, steps)),
            Feature::Flagged { flag, first, steps } => {
                let known = &track.known[flag];
                let with = |on: bool| {
                    let kept = track.y.iter().zip(known).map(|(y, k)| if (*k != 0.0) == on { *y } else { f64::NAN });
                    Sums::of(&kept.collect::<Vec<_>>())
                };
                let (off, on) = (with(false), with(true));
                each(&|t| if known[t] != 0.0 { on.mean(t, first, steps) } else { off.mean(t, first, steps) })
            }
            Feature::Place { flag, first } => {
                let flagged = |t: usize| flag.is_some_and(|flag| track.known[flag][t] != 0.0);
                let key = |t: usize| 2 * self.place(track, t) + usize::from(flagged(t));
                let mut means = vec![(0.0, 0.0); 2 * self.season];
                let mut out = Vec::with_capacity(times.len());
                for t in 0..times.end {
                    if let Some(then) = t.checked_sub(first).filter(|then| !track.y[*then].is_nan()) {
                        let (sum, weight) = &mut means[key(then)];
                        *sum = FADING * *sum + track.y[then];
                        *weight = FADING * *weight + 1.0;
                    }
                    if t >= times.start {
                        let (sum, weight) = means[key(t)];
                        out.push(sum / weight);
                    }
                }
                out
            }
            Feature::Growth { first, season, steps } => each(&|t| sums.growth(t, first, season, steps)),
            Feature::Grown { lag, first, season, steps } => {
                each(&|t| back(&track.y, t, lag) * sums.growth(t, first, season, steps))
            }
            Feature::Around { lag } => each(&|t| sums.mean(t + 1, lag, 3)),
            Feature::Season => each(&|t| self.place(track, t) as f64),
            Feature::Calendar(k) => each(&|t| track.calendar[k][t]),
            Feature::Known { column, later } => {
                let known = &track.known[column];
                each(&|t| {
                    t.checked_add_signed(later as isize).and_then(|at| known.get(at)).copied().unwrap_or(f64::NAN)
                })
            }
            Feature::Since { flag } => {
                let known = &track.known[flag];
                each(&|t| (1..=FAR.min(t)).find(|k| known[t - k] != known[t]).map_or(f64::NAN, |k| k as f64))
            }
            Feature::Until { flag } => {
                let known = &track.known[flag];
                let within = |t: usize| (1..=FAR).take_while(move |k| t + k < known.len());
                each(&|t| within(t).find(|k| known[t + k] != known[t]).map_or(f64::NAN, |k| k as f64))
            }
            Feature::Observed { column, first } => each(&|t| back(&track.observed[column], t, first)),
            Feature::ObservedMean { column, first, steps } => {
                let sums = Sums::of(&track.observed[column]);
                each(&|t| sums.mean(t, first, steps))
            }
            Feature::Fixed(column) => vec![track.fixed[column]; times.len()],
            Feature::Key(key) => vec![track.keys[key]; times.len()],
            Feature::Level => vec![track.level; times.len()],
            Feature::Age => each(&|t| t as f64),
        }
    }
}

/// Sums of the values that are there, from the first to each.
struct Sums {
    sums: Vec<(f64, f64, f64)>,
}

impl Sums {
    fn of(values: &[f64]) -> Self {
        let mut sums = Vec::with_capacity(values.len() + 1);
        let mut so_far = (0.0, 0.0, 0.0);
        sums.push(so_far);
        for value in values {
            if !value.is_nan() {
                so_far = (so_far.0 + value, so_far.1 + value * value, so_far.2 + 1.0);
            }
            sums.push(so_far);
        }
        Self { sums }
    }

    /// Sum, sum of squares and number of `steps` values that end `first` steps before `t`.
    fn over(&self, t: usize, first: usize, steps: usize) -> (f64, f64, f64) {
        let Some(end) = (t + 1).checked_sub(first) else { return (0.0, 0.0, 0.0) };
        let (end, start) = (self.sums[end], self.sums[end.saturating_sub(steps)]);
        (end.0 - start.0, end.1 - start.1, end.2 - start.2)
    }

    fn mean(&self, t: usize, first: usize, steps: usize) -> f64 {
        let (sum, _, n) = self.over(t, first, steps);
        sum / n
    }

    /// The mean of some steps over that of as many a season before.
    fn growth(&self, t: usize, first: usize, season: usize, steps: usize) -> f64 {
        let growth = self.mean(t, first, steps) / self.mean(t, first + season, steps);
        if growth.is_finite() { growth } else { f64::NAN }
    }

    fn spread(&self, t: usize, first: usize, steps: usize) -> f64 {
        let (sum, squares, n) = self.over(t, first, steps);
        if n > 1.0 { ((squares - sum * sum / n).max(0.0) / (n - 1.0)).sqrt() } else { f64::NAN }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shape() -> Shape {
        let names = |names: &[&str]| names.iter().map(|name| name.to_string()).collect();
        Shape {
            season: 7,
            year: Some(28),
            calendar: names(&["month"]),
            known: names(&["promo", "price"]),
            flags: vec![0],
            observed: names(&["weather"]),
            fixed: names(&["size"]),
            keys: names(&["shop"]),
        }
    }

    fn track(y: &[f64], seed: usize) -> Track {
        let of = |k: usize| (0..y.len()).map(|t| ((t * (k + 3) + seed) % (k + 2)) as f64).collect::<Vec<f64>>();
        let calendar = vec![(0..y.len()).map(|t| (t / 30 % 12) as f64).collect()];
        Track {
            start: 5,
            y: y.to_vec(),
            known: vec![of(0), of(3)],
            observed: vec![of(9)],
            fixed: vec![4.0],
            keys: vec![1.0],
            level: 2.0,
            calendar,
        }
    }

    #[test]
    fn features_say_what_they_say() {
        let y: Vec<f64> = (0..60).map(f64::from).collect();
        let design = Design::new(&shape(), 5);
        let track = track(&y, 0);
        let columns = design.columns(&track, 50..52);
        let of = |name: &str| {
            let at = design.names.iter().position(|known| known == name);
            columns[at.unwrap_or_else(|| panic!("{name}: {:?}", design.names))].clone()
        };
        assert_eq!(of("lag 5"), [45.0, 46.0]);
        assert_eq!(of("lag 7"), [43.0, 44.0]);
        assert_eq!(of("mean of 4 seasons from lag 7"), [32.5, 33.5]);
        assert_eq!(of("mean of 7 from lag 5"), [42.0, 43.0]);
        assert_eq!(of("season"), [(55 % 7) as f64, (56 % 7) as f64]);
        assert_eq!(of("promo"), [track.known[0][50], track.known[0][51]]);
        assert_eq!(of("price 1 later"), [track.known[1][51], track.known[1][52]]);
        assert_eq!(of("weather, lag 5"), [track.observed[0][45], track.observed[0][46]]);
        assert_eq!((of("since promo changed"), of("until promo changes")), (vec![1.0; 2], vec![1.0; 2]));
        assert_eq!((of("size"), of("level"), of("age")), (vec![4.0; 2], vec![2.0; 2], vec![50.0, 51.0]));
        assert_eq!(of("month"), [1.0, 1.0]);
    }

    #[test]
    fn a_step_is_settled_where_all_that_is_read_lies_within_the_series() {
        let design = Design::new(&shape(), 5);
        let settled = |steps: usize| design.settled(steps);
        // A year ago is 28 steps back, and its older neighbour 29; the mean of 28 steps from 5 ago reaches back 32.
        assert_eq!((settled(60), settled(64)), (Some(29), Some(32)));
        assert_eq!((settled(10), settled(9), settled(0)), (Some(5), None, None));
        let y: Vec<f64> = (0..64).map(f64::from).collect();
        let track = track(&y, 0);
        for (name, column) in design.names.iter().zip(design.columns(&track, 32..33)) {
            // What reaches farther than half of the series is not waited for.
            let far = ["lag 56", "growth over", "grown over", "mean of 8 seasons", "changes"];
            let known = column[0].is_finite() || far.iter().any(|far| name.contains(far));
            assert!(known || name.ends_with("changed"), "{name}");
        }
    }

    proptest! {
        /// Whatever the target does within reach of a row or later, the row is the same.
        #[test]
        fn nothing_that_comes_later_gets_in(
            y in proptest::collection::vec(prop_oneof![4 => -5.0..5.0_f64, 1 => Just(f64::NAN)], 40..120),
            reach in 1..30_usize,
            at in 0.0..1.0_f64,
        ) {
            let t = (at * (y.len() - 1) as f64) as usize;
            let design = Design::new(&shape(), reach);
            let mut changed = y.clone();
            changed[(t + 1).saturating_sub(reach)..].iter_mut().for_each(|y| *y = 1e9);
            let rows = |y: &[f64]| design.columns(&track(y, 1), t..t + 1).concat();
            let (before, after) = (rows(&y), rows(&changed));
            prop_assert!(before.iter().zip(&after).all(|(a, b)| a == b || (a.is_nan() && b.is_nan())));
        }
    }
}
