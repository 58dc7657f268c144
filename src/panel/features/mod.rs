//! Which covariates can be computed: from the calendar, holidays, events, the past of the target?
//!
//! One group of features per file, given by its label: `sales.features("month_end; holidays(country=US)")`. A new
//! feature is an options struct that implements [`Derive`], and a row in [`FEATURES`].
//!
//! What follows from the calendar alone is known in the future, and [`future`](Panel::future) makes it. What follows
//! from the target or from another column looks back at least one step and is observed: the future holds it only as far
//! as the history reaches.
//!
//! | file | what it makes |
//! |---|---|
//! | `calendar` | day of week, week, month, quarter, season, month start and end, days, paydays, hour |
//! | `fourier` | pairs of sine and cosine of any period |
//! | `holidays` | public holidays of countries and their regions |
//! | `feasts` | moving feasts and days of commerce |
//! | `events` | own events, school holidays and promotions as intervals |
//! | `windows` | lags, rolling and expanding windows |
//! | `interaction` | products of two columns |
//! | `places` | for which series and timestamps cells are wanted |

mod calendar;
mod countries;
mod events;
mod feasts;
mod fourier;
mod holidays;
mod interaction;
mod places;
mod windows;

use polars::prelude::*;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(crate) use feasts::candidates as candidate_holidays;
pub use holidays::public_holidays;
pub(crate) use places::Places;
pub(super) use places::{plain, series_texts};

use super::{Panel, Role};
use crate::error::{Error, Result};
use crate::options;
use crate::registry::{Registry, Row, row};

/// Every feature there is, by name.
pub const FEATURES: Registry<Deriving> = Registry {
    kind: "feature",
    rows: &[
        Feature::of::<calendar::Weekday>(),
        Feature::of::<calendar::Hour>(),
        Feature::of::<calendar::Week>(),
        Feature::of::<calendar::Month>(),
        Feature::of::<calendar::Quarter>(),
        Feature::of::<calendar::Season>(),
        Feature::of::<calendar::MonthStart>(),
        Feature::of::<calendar::MonthEnd>(),
        Feature::of::<calendar::DaysOf>(),
        Feature::of::<calendar::Payday>(),
        Feature::of::<fourier::Fourier>(),
        Feature::of::<holidays::Holidays>(),
        Feature::of::<feasts::Feasts>(),
        Feature::of::<events::Events>(),
        Feature::of::<windows::Lags>(),
        Feature::of::<windows::Rolling>(),
        Feature::of::<windows::Expanding>(),
        Feature::of::<interaction::Interaction>(),
    ],
};

/// A feature as [`FEATURES`] lists it.
pub type Feature = Row<Deriving>;

/// How a feature's columns are made.
pub struct Deriving {
    gather: fn(&Panel, Map<String, Value>) -> Result<Data>,
    columns: MakeColumns,
}

/// A feature's columns at some places, from what it gathered and its options.
type MakeColumns = fn(&Places, &Data, Map<String, Value>) -> Result<Vec<Derived>>;

/// What [`FEATURES`] needs to know of a feature; its options struct implements it.
pub(crate) trait Derive: Default + Serialize + DeserializeOwned + JsonSchema {
    /// The name in labels: lower case, words joined by underscores.
    const NAME: &str;
    /// One line.
    const SUMMARY: &str;
    /// A label that works on the bundled data.
    const EXAMPLE: &str;
    /// Synonyms, separated by commas: they are accepted as names.
    const ALSO: &str = "";
    /// Terms that people search for and that come closest to this feature, separated by commas, and why.
    const SIMILAR: &[(&str, &str)] = &[];

    /// Options that are wrong in themselves.
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// What the feature reads beyond the panel, once: it is kept with the panel, so that no file is needed later.
    fn gather(&self, _panel: &Panel) -> Result<Data> {
        Ok(Data::None)
    }

    /// Its columns at the given places.
    fn columns(&self, places: &Places, data: &Data) -> Result<Vec<Derived>>;
}

/// A column in the making.
pub(crate) struct Derived {
    pub(crate) name: String,
    pub(crate) role: Role,
    /// How many steps after a series' last value it can still be known; `None` for any.
    pub(crate) reach: Option<usize>,
    pub(crate) kind: Kind,
    /// NaN where it is not known.
    pub(crate) values: Vec<f64>,
}

/// Of what type a derived column is in the frame.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    /// Yes or no.
    Flag,
    /// A whole number.
    Whole,
    /// Any number.
    Number,
}

/// Covariate columns that a feature or a join made, and how to make them again for other timestamps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Made {
    /// The feature as a label: `holidays(country=US)`.
    pub(crate) label: String,
    /// The names of its columns.
    pub(crate) columns: Vec<String>,
    /// For each column, how many steps after a series' last value it can still be known; `None` for any.
    pub(crate) reach: Vec<Option<usize>>,
    /// What was read beyond the panel.
    pub(crate) data: Data,
}

/// What a feature keeps so that it can be made again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) enum Data {
    /// Nothing.
    #[default]
    None,
    /// Intervals of days.
    Events(Vec<events::Event>),
    /// Each column is the product of two others.
    Products(Vec<(String, String)>),
    /// Rows of a joined file after the end of the history.
    Rows(super::join::Rows),
}

impl Made {
    /// Is every cell computed, so that no future has to give it?
    pub(crate) fn computed(&self) -> bool {
        !matches!(self.data, Data::Rows(_))
    }

    /// The columns at other places than the history's rows.
    pub(crate) fn again(&self, places: &Places) -> Result<Vec<Derived>> {
        let (name, given) = options::split(&self.label)?;
        (FEATURES.named(name)?.columns)(&places.wanting(&self.columns), &self.data, given)
    }
}

impl Feature {
    const fn of<F: Derive>() -> Self {
        row!(
            F,
            &[],
            Deriving {
                gather: |panel, given| options::read::<F>(F::NAME, given)?.gather(panel),
                columns: |places, data, given| options::read::<F>(F::NAME, given)?.columns(places, data),
            }
        )
    }
}

/// Features as a method takes them: one text with semicolons between the labels, or several labels.
pub trait Features {
    /// The labels, one by one.
    fn labels(&self) -> Vec<String>;
}

impl Features for str {
    fn labels(&self) -> Vec<String> {
        options::split_list(self).into_iter().map(String::from).collect()
    }
}

impl Features for String {
    fn labels(&self) -> Vec<String> {
        self.as_str().labels()
    }
}

impl<F: Features + ?Sized> Features for &F {
    fn labels(&self) -> Vec<String> {
        (**self).labels()
    }
}

impl<F: Features> Features for [F] {
    fn labels(&self) -> Vec<String> {
        self.iter().flat_map(Features::labels).collect()
    }
}

impl<F: Features, const N: usize> Features for [F; N] {
    fn labels(&self) -> Vec<String> {
        self.as_slice().labels()
    }
}

impl<F: Features> Features for Vec<F> {
    fn labels(&self) -> Vec<String> {
        self.as_slice().labels()
    }
}

/// The labels with their options checked, as far as that goes without data.
pub(crate) fn checked(features: impl Features) -> Result<Vec<String>> {
    features.labels().iter().map(|label| FEATURES.check(label)).collect()
}

/// The files that features read, as their option `file` names them.
pub(crate) fn files_of(labels: &[&str]) -> Vec<std::path::PathBuf> {
    let checked = labels.iter().filter_map(|label| FEATURES.check(label).ok());
    checked.filter_map(|label| Some(options::split(&label).ok()?.1.get("file")?.as_str()?.into())).collect()
}

impl Panel {
    /// The panel with more covariates, computed by features that are given by their labels. Calendar features are known
    /// in the future; lags and windows use no value of their own step or later.
    ///
    /// # Errors
    /// When there is no such feature or option, the calendar cannot carry it (a day of the week on weekly data), a file
    /// cannot be read, or a column of that name exists already.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales");
    /// let sales = Panel::read("data/walmart_sales_weekly.csv", columns)?
    ///     .features("month_end; holidays(country=US); feasts(names=[super_bowl]); lags(steps=[8, 52])")?;
    /// assert!(sales.columns().names().ends_with(&["month_end", "holiday", "super_bowl", "lag_8", "lag_52"]));
    /// let forecast = sales.fit(["regression"])?.forecast(8)?;
    /// assert_eq!(forecast.mean("regression", "Store=1, Dept=1")?.len(), 8);
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    pub fn features(&self, features: impl Features) -> Result<Panel> {
        let mut panel = self.clone();
        for label in checked(features)? {
            panel = panel.feature(label)?;
        }
        Ok(panel)
    }

    fn feature(&self, label: String) -> Result<Panel> {
        let (name, given) = options::split(&label)?;
        let feature = FEATURES.named(name)?;
        let within = |error: Error| error.within(format!("feature {label}"));
        let data = (feature.gather)(self, given.clone()).map_err(within)?;
        let derived = (feature.columns)(&Places::history(self), &data, given).map_err(within)?;
        let roles: Vec<Role> = derived.iter().map(|column| column.role).collect();
        let made = Made {
            columns: derived.iter().map(|column| column.name.clone()).collect(),
            reach: derived.iter().map(|column| column.reach).collect(),
            label,
            data,
        };
        let columns = derived.into_iter().map(Derived::column).zip(roles).collect();
        self.with_made(columns, made)
    }

    /// The panel with more covariates, which `made` can make again.
    pub(crate) fn with_made(&self, made_columns: Vec<(Column, Role)>, made: Made) -> Result<Panel> {
        let (mut frame, mut columns) = (self.to_frame(), self.columns());
        for (column, role) in made_columns {
            let name = column.name().to_string();
            if columns.names().contains(&name.as_str()) {
                let maker = columns.maker(&name).map_or_else(String::new, |made| format!(", made by {}", made.label));
                return Err(Error::usage(format!(
                    "{} would make a column `{name}`, but there is one already{maker}; make it once, or under another name",
                    made.label
                )));
            }
            columns.covariates.push((name, role));
            frame.with_column(column)?;
        }
        columns.made.push(made);
        Ok(self.with_covariates(frame, columns))
    }
}

impl Derived {
    /// A column that follows from the calendar.
    fn known(name: impl Into<String>, kind: Kind, values: Vec<f64>) -> Self {
        Self { name: name.into(), role: Role::Known, reach: None, kind, values }
    }

    /// The column as the frame holds it.
    pub(super) fn column(self) -> Column {
        let name = self.name.as_str().into();
        let present = |v: &f64| !v.is_nan();
        match self.kind {
            Kind::Flag => Column::new(
                name,
                self.values.iter().map(|v| present(v).then_some(*v != 0.0)).collect::<BooleanChunked>(),
            ),
            Kind::Whole => {
                Column::new(name, self.values.iter().map(|v| present(v).then_some(*v as i32)).collect::<Int32Chunked>())
            }
            Kind::Number if self.values.iter().all(present) => Column::new(name, self.values),
            Kind::Number => {
                Column::new(name, self.values.iter().map(|v| present(v).then_some(*v)).collect::<Float64Chunked>())
            }
        }
    }
}

/// A name as columns are called: `Christmas Day` becomes `christmas_day`.
pub(crate) fn slug(text: &str) -> String {
    let mut slug = String::with_capacity(text.len());
    for character in text.chars().filter(|c| *c != '\'' && *c != '’') {
        match character.is_alphanumeric() {
            true => slug.extend(character.to_lowercase()),
            false if !slug.is_empty() && !slug.ends_with('_') => slug.push('_'),
            false => {}
        }
    }
    slug.trim_end_matches('_').to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_holidays_become_names_of_columns() {
        assert_eq!(slug("New Year's Day (observed)"), "new_years_day_observed");
        assert_eq!(slug("Día de Reyes / Epiphany"), "día_de_reyes_epiphany");
    }
}
