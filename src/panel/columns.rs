//! What is what in the file: which columns name a series, which holds the time, which the target, and what a
//! model may know of each of the others.

use serde::{Deserialize, Serialize};

use super::calendar::Frequency;
use super::features::Made;
use super::normalise::Normalise;
use crate::error::{Error, Result, suggestion};
use crate::show::{Block, Show};

/// When the values of a covariate are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Known in the future: promotion, price, holiday. The future values must be given.
    Known,
    /// Known only in the past: weather, footfall. In the future a scenario stands in.
    Observed,
    /// One value per series: store size, category.
    Fixed,
}

impl Role {
    /// The role's name.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Observed => "observed",
            Self::Fixed => "fixed",
        }
    }
}

/// The declared columns of a panel and their roles.
///
/// ```
/// use tradewind::prelude::*;
/// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales")
///     .known(["IsHoliday"])
///     .observed(["Temperature"])
///     .fixed(["Size"]);
/// assert_eq!(columns.names(), ["Store", "Dept", "Date", "Weekly_Sales", "IsHoliday", "Temperature", "Size"]);
/// ```
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Columns {
    pub(crate) keys: Vec<String>,
    pub(crate) time: String,
    pub(crate) target: String,
    /// The share of each step in which the item could be sold; none where that is not recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) available: Option<String>,
    /// Does that column say the contrary: when the item could not be sold?
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) closed: bool,
    pub(crate) covariates: Vec<(String, Role)>,
    pub(crate) frequency: Option<Frequency>,
    pub(crate) season: Option<usize>,
    pub(crate) time_format: Option<String>,
    pub(crate) stamps: Option<Stamps>,
    /// Covariates computed from the calendar, from other columns or from a file, which the future computes in the same
    /// way.
    pub(crate) made: Vec<Made>,
    /// The transformation of the target that models see.
    pub(crate) normalise: Normalise,
    /// Were keys merged that differ in spelling only? What is given later is matched in the same way.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) merged_keys: bool,
}

/// Does a timestamp name the first or the last day of its period?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum Stamps {
    /// The period begins with its timestamp.
    Start,
    /// The period ends with its timestamp.
    End,
}

impl Columns {
    /// The key columns that name a series (none for a single series), the time column and the target column. A date and
    /// a time of day in two columns are one time column, `Date+Time`.
    pub fn new<K: Into<String>>(
        keys: impl IntoIterator<Item = K>,
        time: impl Into<String>,
        target: impl Into<String>,
    ) -> Self {
        Self {
            keys: keys.into_iter().map(Into::into).collect(),
            time: time.into(),
            target: target.into(),
            available: None,
            closed: false,
            covariates: Vec::new(),
            frequency: None,
            season: None,
            time_format: None,
            stamps: None,
            made: Vec::new(),
            normalise: Normalise::default(),
            merged_keys: false,
        }
    }

    /// Covariates known in the future: promotions, prices, holidays.
    #[must_use]
    pub fn known<N: Into<String>>(self, names: impl IntoIterator<Item = N>) -> Self {
        self.with(Role::Known, names)
    }

    /// Covariates known only in the past: weather, footfall.
    #[must_use]
    pub fn observed<N: Into<String>>(self, names: impl IntoIterator<Item = N>) -> Self {
        self.with(Role::Observed, names)
    }

    /// Attributes with one value per series: store size, category.
    #[must_use]
    pub fn fixed<N: Into<String>>(self, names: impl IntoIterator<Item = N>) -> Self {
        self.with(Role::Fixed, names)
    }

    /// The column that tells when the item could be sold: a flag (true and false, yes and no, 1 and 0), or the share of the step
    /// from 0 to 1; an empty cell counts as all of it. A column that tells when it could not be sold is `not Closed` or `!Closed`.
    /// Where the item could not be sold all the time, sales are less than demand: no model takes the column as a covariate, the
    /// audit looks for stock-outs and outliers in other steps only, and [`Clean`](crate::panel::Clean) with `stockouts=censored`
    /// marks the demand of such steps as unknown.
    #[must_use]
    pub fn available(mut self, name: impl Into<String>) -> Self {
        let name = name.into();
        let (column, closed) = available_column(&name);
        (self.available, self.closed) = (Some(column.to_string()), closed);
        self
    }

    /// The column of availability as it is stated: `Open`, or `not Closed`.
    pub(crate) fn stated_available(&self) -> Option<String> {
        self.available.as_ref().map(|name| if self.closed { format!("not {name}") } else { name.clone() })
    }

    /// States the frequency, which is inferred otherwise: `W-FRI`, `D`, `Mon-Fri`, `MS`, `4-5-4`.
    ///
    /// # Errors
    /// When `text` is not a frequency.
    pub fn freq(mut self, text: &str) -> Result<Self> {
        self.frequency = Some(text.parse()?);
        Ok(self)
    }

    /// States the season length in steps, instead of the default of the frequency.
    #[must_use]
    pub fn season(mut self, steps: usize) -> Self {
        self.season = Some(steps);
        self
    }

    /// States the format of dates, as in strftime: `%d/%m/%Y`; or what numbers count: `excel`, `excel1904`, `unix`,
    /// `unix_ms`, `unix_us`, `unix_ns`.
    #[must_use]
    pub fn time_format(mut self, format: impl Into<String>) -> Self {
        self.time_format = Some(format.into());
        self
    }

    /// States whether a timestamp names the start or the end of its period (`start`, `end`). If not stated, weeks,
    /// and months dated to their last day, are dated to their end, all other periods to their start.
    #[must_use]
    pub fn stamps(mut self, at: Stamps) -> Self {
        self.stamps = Some(at);
        self
    }

    /// States the transformation of the target, per series, that models see; forecasts are transformed back to the
    /// scale of the data.
    #[must_use]
    pub fn normalise(mut self, kind: Normalise) -> Self {
        self.normalise = kind;
        self
    }

    /// The key columns.
    pub fn keys(&self) -> Vec<String> {
        self.keys.clone()
    }

    /// The time column.
    pub fn time(&self) -> &str {
        &self.time
    }

    /// The target column.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// All declared names: keys, time, target, availability, covariates.
    pub fn names(&self) -> Vec<&str> {
        let keys = self.keys.iter().map(String::as_str);
        let covariates = self.covariates.iter().map(|(name, _)| name.as_str());
        keys.chain([self.time.as_str(), self.target.as_str()])
            .chain(self.available.as_deref())
            .chain(covariates)
            .collect()
    }

    /// The role of each of [`names`](Self::names), in words.
    pub(crate) fn roles(&self) -> Vec<&'static str> {
        let given = std::iter::repeat_n("key", self.keys.len()).chain(["time", "target"]);
        let available = self.available.iter().map(|_| "available");
        given.chain(available).chain(self.covariates.iter().map(|(_, role)| role.word())).collect()
    }

    /// Was this covariate computed from the past of its series?
    pub(crate) fn is_from_past(&self, name: &str) -> bool {
        let past = |(column, reach): (&String, &Option<usize>)| column == name && reach.is_some();
        self.made.iter().any(|made| made.columns.iter().zip(&made.reach).any(past))
    }

    /// The columns with one value per series: keys and fixed covariates.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(String::as_str).chain(self.with_role(Role::Fixed))
    }

    /// The names of the covariates that have a role.
    pub(crate) fn with_role(&self, role: Role) -> impl Iterator<Item = &str> {
        self.covariates.iter().filter(move |(_, r)| *r == role).map(|(name, _)| name.as_str())
    }

    fn with<N: Into<String>>(mut self, role: Role, names: impl IntoIterator<Item = N>) -> Self {
        self.covariates.extend(names.into_iter().map(|name| (name.into(), role)));
        self
    }

    /// Every declared column exists in `present`, once, and the season is at least one step.
    pub(crate) fn check(&self, present: &[&str], place: &str) -> Result<()> {
        let names = self.names();
        check_present(&names, present, place)?;
        for (i, name) in names.iter().enumerate() {
            if names[..i].contains(name) {
                return Err(Error::usage(format!("column `{name}` is declared twice; give it one role")));
            }
        }
        for name in self.keys.iter().chain([&self.time]) {
            let quantile = name.strip_prefix('q').is_some_and(|rest| rest.parse::<f64>().is_ok());
            if quantile || ["fold", "model", "actual", "mean"].contains(&name.as_str()) {
                return Err(Error::usage(format!(
                    "column `{name}` would clash with the forecast's own column of that name; rename it in the data"
                )));
            }
        }
        if self.season == Some(0) {
            return Err(Error::usage("a season is at least 1 step, not 0; 1 means no season"));
        }
        Ok(())
    }

    /// What made a covariate, if it was made.
    pub(crate) fn maker(&self, name: &str) -> Option<&Made> {
        self.made.iter().find(|made| made.columns.iter().any(|column| column == name))
    }

    /// The columns of a table of the future: keys, time and the known covariates; optionally the observed ones, and
    /// those that come from another file. Computed covariates are not needed.
    pub(crate) fn future_names(&self, present: &[&str]) -> Vec<&str> {
        let keys = self.keys.iter().map(String::as_str).chain([self.time.as_str()]);
        let asked = self.covariates.iter().filter(|(name, role)| match (role, self.maker(name)) {
            (Role::Fixed, _) => false,
            (_, Some(made)) => !made.computed() && present.contains(&name.as_str()),
            (Role::Known, None) => true,
            (Role::Observed, None) => present.contains(&name.as_str()),
        });
        keys.chain(asked.map(|(name, _)| name.as_str())).collect()
    }
}

impl Show for Columns {
    fn block(&self) -> Block {
        let mut points = vec![format!(
            "series by {}",
            if self.keys.is_empty() { "none: a single one".into() } else { self.keys.join(", ") }
        )];
        points.push(format!("time {}, target {}", self.time, self.target));
        points.extend(self.stated_available().map(|name| format!("available {name}")));
        for (role, word) in [(Role::Known, "known"), (Role::Observed, "observed"), (Role::Fixed, "fixed")] {
            let names: Vec<&str> = self.with_role(role).collect();
            if !names.is_empty() {
                points.push(format!("{word} {}", names.join(", ")));
            }
        }
        Block::Text(points.join("; "))
    }
}

crate::show::noun!(Columns);

/// The column of a stated availability, and whether it says the contrary: `not Closed`, `!Closed`.
pub(crate) fn available_column(stated: &str) -> (&str, bool) {
    match stated.strip_prefix('!').or_else(|| stated.strip_prefix("not ")) {
        Some(column) => (column.trim(), true),
        None => (stated, false),
    }
}

pub(crate) fn check_present(names: &[&str], present: &[&str], place: &str) -> Result<()> {
    match names.iter().find(|name| !present.contains(name)) {
        None => Ok(()),
        Some(name) => {
            let nearest = match halves(name, ',', present) {
                Some((date, time)) => format!("; for a date and a time in two columns state the time as {date}+{time}"),
                None => suggestion(name, present.iter().copied()),
            };
            Err(Error::data(format!("{place} has no column `{name}`{nearest}")))
        }
    }
}

/// The two columns that `Date+Time` means, which are there, where there is no column of that very name.
pub(crate) fn halves<'a>(name: &'a str, between: char, present: &[&str]) -> Option<(&'a str, &'a str)> {
    if present.contains(&name) {
        return None;
    }
    let parts = name.match_indices(between).map(|(at, sign)| (name[..at].trim(), name[at + sign.len()..].trim()));
    parts.into_iter().find(|(date, time)| present.contains(date) && present.contains(time))
}
