//! The features of a global model: a row per series and step, a column per feature.
//!
//! Features of a row may use the target up to `reach` steps before its own step, and known covariates around it: so training
//! rows have the same distribution as rows of the future, for every step up to `reach` ahead. There is no leakage: means of the
//! target by place and flag (target encodings) use the past of that row alone.

use serde::{Deserialize, Serialize};

/// The schema of the panel: the columns that all series have in common.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Schema {
    /// Steps in a season.
    pub season: usize,
    /// Steps in a longer season (a year of days, a week of hours), if there is one.
    pub year: Option<usize>,
    pub calendar: Vec<String>,
    pub known: Vec<String>,
    /// Which of the known columns are flags: 0 or 1.
    pub flags: Vec<usize>,
    pub observed: Vec<String>,
    pub fixed: Vec<String>,
    /// The keys that are categorical features.
    pub keys: Vec<String>,
}

/// One series aligned with the calendar: its history, and the known covariates of future steps.
pub(crate) struct AlignedSeries {
    /// The calendar position of its first step.
    pub start: i64,
    /// The scaled target; NaN where it is missing, where shops are closed, and in the future.
    pub y: Vec<f64>,
    /// By column, as long as `y`; NaN where it is missing.
    pub known: Vec<Vec<f64>>,
    /// By column, as long as `y`; NaN in the future.
    pub observed: Vec<Vec<f64>>,
    pub fixed: Vec<f64>,
    /// The code of each key's value.
    pub keys: Vec<f64>,
    /// The logarithm of the series' level.
    pub level: f64,
    /// By column of the calendar, as long as `y`.
    pub calendar: Vec<Vec<f64>>,
}

impl AlignedSeries {
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

/// One feature. Lags are counted back from the step of the row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Feature {
    /// The target at that lag.
    Lag(usize),
    /// The mean of the target at a number of steps a season apart, from that lag on.
    Seasons {
        first: usize,
        season: usize,
        count: usize,
    },
    /// Mean or standard deviation of a number of steps, from that lag on.
    Mean {
        first: usize,
        steps: usize,
    },
    StdDev {
        first: usize,
        steps: usize,
    },
    /// The mean of the last steps with the same value of a flag as this one.
    Flagged {
        flag: usize,
        first: usize,
        steps: usize,
    },
    /// The exponentially weighted mean of all earlier steps at this place of the season, with the same value of a flag if one is
    /// named.
    Place {
        flag: Option<usize>,
        first: usize,
    },
    /// The ratio of the mean of a number of steps to the mean of as many a long season before.
    Growth {
        first: usize,
        season: usize,
        steps: usize,
    },
    /// The target at that lag, multiplied by this growth.
    Grown {
        lag: usize,
        first: usize,
        season: usize,
        steps: usize,
    },
    /// The mean of the target at that lag and at its two neighbours.
    Around {
        lag: usize,
    },
    /// The place in the season.
    Season,
    Calendar(usize),
    /// A known covariate at a lead (or, negative, a lag).
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
    /// An observed covariate at that lag, and its mean over a season from there.
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
    /// The largest lag that it uses; 0 where it uses none.
    fn depth(&self, season: usize) -> usize {
        match *self {
            Self::Lag(lag) => lag,
            Self::Seasons { first, season, count } => first + count.saturating_sub(1) * season,
            Self::Mean { first, steps }
            | Self::StdDev { first, steps }
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

/// How a feature changes with the scale of the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Unit {
    /// As a value of the target: shifted and scaled.
    Value,
    /// As a difference of two values: scaled.
    Width,
    /// Not at all.
    Own,
}

/// The features of rows up to `reach` steps ahead.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct FeatureSet {
    pub(super) season: usize,
    pub(super) features: Vec<Feature>,
    /// The name of each feature.
    pub names: Vec<String>,
    /// The names of the covariates.
    known: Vec<String>,
    observed: Vec<String>,
}

/// A season from this length on is long.
const LONG: usize = 24;

impl FeatureSet {
    /// All features, for rows up to `reach` steps ahead.
    pub fn new(schema: &Schema, reach: usize) -> Self {
        let m = schema.season.max(1);
        let mut list: Vec<(String, Feature)> = Vec::new();
        let mut add = |name: String, feature: Feature| {
            if !list.iter().any(|(_, known)| *known == feature) {
                list.push((name, feature));
            }
        };
        let mut lags: Vec<usize> = (0..3).map(|j| reach + j).collect();
        // Seasonal lags.
        let same = reach.div_ceil(m) * m;
        if m > 1 {
            lags.extend((0..4).map(|k| same + k * m));
        }
        if let Some(year) = schema.year.filter(|year| *year > m) {
            let same = reach.div_ceil(year) * year;
            lags.extend([same, same + year]);
            add(
                format!("mean around lag {same}"),
                Feature::Seasons { first: same.saturating_sub(m).max(reach), season: m, count: 3 },
            );
        }
        // Where a season is long, the value a year before is combined with the growth since.
        if let Some(season) = schema.year.or(Some(m)).filter(|season| *season >= LONG) {
            let lag = reach.div_ceil(season) * season;
            for steps in [season / 13, season / 4] {
                add(format!("growth over {steps} from lag {reach}"), Feature::Growth { first: reach, season, steps });
                add(format!("lag {lag}, grown over {steps}"), Feature::Grown { lag, first: reach, season, steps });
            }
            // Its later neighbour must be available at the horizon.
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
        let long = schema.year.unwrap_or(4 * m).max(8);
        for steps in [m.max(4), 4 * m.max(2), long / 4, long / 2, long] {
            add(format!("mean of {steps} from lag {reach}"), Feature::Mean { first: reach, steps });
        }
        add(
            format!("standard deviation of {} from lag {reach}", 4 * m.max(2)),
            Feature::StdDev { first: reach, steps: 4 * m.max(2) },
        );
        if m > 1 {
            add("season".into(), Feature::Season);
        }
        for (k, name) in schema.calendar.iter().enumerate() {
            add(name.clone(), Feature::Calendar(k));
        }
        for (column, name) in schema.known.iter().enumerate() {
            for later in -2..=2 {
                let name = match later {
                    0 => name.clone(),
                    _ => format!("{name} {} {}", i32::abs(later), if later > 0 { "later" } else { "earlier" }),
                };
                add(name, Feature::Known { column, later });
            }
        }
        for flag in &schema.flags {
            let name = &schema.known[*flag];
            add(format!("since {name} changed"), Feature::Since { flag: *flag });
            add(format!("until {name} changes"), Feature::Until { flag: *flag });
            add(format!("mean with this {name}"), Feature::Flagged { flag: *flag, first: reach, steps: long / 4 });
            if m > 1 {
                add(format!("mean at this place with this {name}"), Feature::Place { flag: Some(*flag), first: reach });
            }
        }
        for (column, name) in schema.observed.iter().enumerate() {
            add(format!("{name}, lag {reach}"), Feature::Observed { column, first: reach });
            let steps = m.max(4);
            add(
                format!("{name}, mean of {steps} from lag {reach}"),
                Feature::ObservedMean { column, first: reach, steps },
            );
        }
        for (column, name) in schema.fixed.iter().enumerate() {
            add(name.clone(), Feature::Fixed(column));
        }
        for (key, name) in schema.keys.iter().enumerate() {
            add(name.clone(), Feature::Key(key));
        }
        add("level".into(), Feature::Level);
        add("age".into(), Feature::Age);
        let (names, features) = list.into_iter().unzip();
        Self { season: m, features, names, known: schema.known.clone(), observed: schema.observed.clone() }
    }

    /// The covariates of the error scale: features that may explain how uncertain a step is, the same for every block.
    pub fn of_errors(schema: &Schema, reach: usize) -> Self {
        let all = Self::new(schema, reach);
        let explains = |feature: &Feature| {
            matches!(
                feature,
                Feature::StdDev { .. }
                    | Feature::Season
                    | Feature::Known { later: 0, .. }
                    | Feature::Fixed(_)
                    | Feature::Level
            )
        };
        let kept = all.names.iter().cloned().zip(all.features.iter().cloned()).filter(|(_, feature)| explains(feature));
        let (names, features) = kept.unzip();
        Self { features, names, ..all }
    }

    /// The features that a recurrent network reads at each step. It needs no lags of recent values, which it reads one by one;
    /// the calendar enters as Fourier terms, and static features apart.
    pub fn steps(schema: &Schema, reach: usize) -> Self {
        let all = Self::new(schema, reach);
        let m = schema.season.max(1);
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

    /// How each feature changes with the scale of the series.
    pub fn units(&self) -> Vec<Unit> {
        let of = |feature: &Feature| match feature {
            Feature::Lag(_)
            | Feature::Seasons { .. }
            | Feature::Mean { .. }
            | Feature::Flagged { .. }
            | Feature::Place { .. }
            | Feature::Grown { .. }
            | Feature::Around { .. } => Unit::Value,
            Feature::StdDev { .. } => Unit::Width,
            _ => Unit::Own,
        };
        self.features.iter().map(of).collect()
    }

    /// The group of each feature in an explanation.
    pub fn groups(&self) -> Vec<String> {
        let seasonal = |lag: usize| self.season > 1 && lag.is_multiple_of(self.season);
        let source = |name: &str| name.split('=').next().unwrap_or(name).to_string();
        let of = |(feature, name): (&Feature, &String)| match feature {
            Feature::Lag(lag) if seasonal(*lag) => "earlier seasons".into(),
            Feature::Seasons { .. } | Feature::Place { .. } | Feature::Around { .. } | Feature::Grown { .. } => {
                "earlier seasons".into()
            }
            Feature::Growth { .. } => "recent sales".into(),
            Feature::Lag(_) | Feature::Mean { .. } | Feature::StdDev { .. } | Feature::Flagged { .. } => {
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

    /// Which features are categorical.
    pub fn categorical(&self) -> Vec<bool> {
        self.features.iter().map(|feature| matches!(feature, Feature::Key(_))).collect()
    }

    /// The step of a series of `steps` steps from which on all lags are available. Lags beyond half of the series do not count:
    /// they are missing in most of its rows, as they will be in the forecast. None where even the smallest lag is beyond.
    pub fn settled(&self, steps: usize) -> Option<usize> {
        let depths = || self.features.iter().map(|feature| feature.depth(self.season)).filter(|depth| *depth > 0);
        depths().filter(|depth| 2 * depth <= steps).max().or(if depths().next().is_none() { Some(0) } else { None })
    }
}
