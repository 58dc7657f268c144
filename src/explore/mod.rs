//! What do the data show? One question per file, asked by its label: `sales.explore("uplift(by=IsHoliday)")`.
//!
//! A new question is one file with an options struct that implements [`Ask`], and two lines here: its `mod` and its row
//! in [`QUESTIONS`].

mod abc;
mod anomalies;
mod autocorrelation;
mod blocks;
mod causes;
mod changepoints;
mod clusters;
mod column_profile;
mod comovement;
mod contribution;
mod correlation;
mod counterfactual;
mod decomposition;
mod demand;
mod each;
mod effect;
mod elasticity;
mod expected;
mod forecastability;
mod holidays;
mod kept;
mod lost_sales;
mod matched;
mod normality;
mod occasions;
mod ordinary;
mod placebo;
mod profile;
mod seasonality;
mod shifts;
mod spans;
mod spill;
mod stationarity;
mod steady;
mod tails;
mod tour;
mod trend;
mod trust;
mod unusual;
mod uplift;
mod weather;
mod within;
mod yearly;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

pub use abc::Abc;
pub(crate) use abc::classes;
pub use anomalies::Anomalies;
pub use autocorrelation::Autocorrelation;
pub use changepoints::Changepoints;
pub use clusters::Clusters;
pub use column_profile::ColumnProfiles;
pub use comovement::Comovement;
pub use contribution::Contribution;
pub use correlation::Correlation;
pub use decomposition::Decomposition;
pub use demand::DemandClasses;
pub use elasticity::Elasticity;
pub(crate) use elasticity::{Reactions, is_price};
pub use forecastability::Forecastability;
pub use holidays::HolidayEffects;
pub use lost_sales::LostSales;
pub use normality::Normality;
pub use profile::Profile;
pub use seasonality::Seasonality;
pub use stationarity::Stationarity;
pub use tour::Tour;
pub use trend::Trend;
pub(crate) use trend::{LastYear, by_week, days_to_a_week, last_year, year};
pub(crate) use uplift::Measured;
pub use uplift::Uplift;
pub use weather::Weather;

use crate::error::{Error, Result};
use crate::options;
use crate::panel::Panel;
use crate::registry::{Registry, Row, row};
pub use crate::show::Finding;

/// Every question there is, by name, in the order in which a report asks them.
pub const QUESTIONS: Registry<Asking> = Registry {
    kind: "question",
    rows: &[
        Question::of::<Profile>(),
        Question::of::<Seasonality>(),
        Question::of::<Trend>(),
        Question::of::<Contribution>(),
        Question::of::<Uplift>(),
        Question::of::<HolidayEffects>(),
        Question::of::<Elasticity>(),
        Question::of::<Weather>(),
        Question::of::<Correlation>(),
        Question::of::<Anomalies>(),
        Question::of::<Changepoints>(),
        Question::of::<LostSales>(),
        Question::of::<Comovement>(),
        Question::of::<Abc>(),
        Question::of::<Clusters>(),
        Question::of::<Forecastability>(),
        Question::of::<ColumnProfiles>(),
        Question::of::<Decomposition>(),
        Question::of::<Autocorrelation>(),
        Question::of::<Stationarity>(),
        Question::of::<Normality>(),
        Question::of::<DemandClasses>(),
    ],
};

/// A row of [`QUESTIONS`].
pub type Question = Row<Asking>;

/// A label and its answer.
type Answered = (String, Result<Finding>);
/// The answers of a tour to those of a question's labels that are wanted.
type Touring = fn(&Panel, &dyn Fn(&str) -> bool) -> Vec<Answered>;

/// How a question is answered.
pub struct Asking {
    ask: fn(&Panel, Map<String, Value>) -> Result<Finding>,
    first: fn(&Panel) -> Vec<Result<Finding>>,
    tour: Touring,
}

/// A question; its options struct implements this trait.
pub trait Ask: Default + Serialize + DeserializeOwned + JsonSchema {
    /// The name in labels: lower case, words joined by underscores.
    const NAME: &str;
    /// One line.
    const SUMMARY: &str;
    /// A label that works on the bundled data.
    const EXAMPLE: &str;
    /// Synonyms, separated by commas: they are accepted as names.
    const ALSO: &str = "";
    /// Terms that people search for and that come closest to this question, separated by commas, and why.
    const SIMILAR: &[(&str, &str)] = &[];

    /// Checks the options as far as possible without data.
    ///
    /// # Errors
    /// When an option is out of range, naming it.
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// Answers the question for a panel.
    ///
    /// # Errors
    /// When the panel cannot answer it.
    fn answer(&self, panel: &Panel) -> Result<Finding>;

    /// The options with which a report asks the question by default; empty if it does not.
    fn first(_panel: &Panel) -> Vec<Self> {
        Vec::new()
    }

    /// The options with which a tour asks it.
    fn tour(panel: &Panel) -> Vec<Self> {
        Self::first(panel)
    }
}

impl Question {
    const fn of<Q: Ask>() -> Self {
        row!(
            Q,
            &[],
            Asking {
                ask: |panel, given| {
                    let question = options::read::<Q>(Q::NAME, given)?;
                    question.check()?;
                    panel.check_length()?;
                    question.answer(panel)
                },
                first: |panel| {
                    let answer = |question: Q| panel.check_length().and_then(|()| question.answer(panel));
                    Q::first(panel).into_iter().map(answer).collect()
                },
                tour: |panel, wanted| {
                    let answer = |question: Q| {
                        let label = options::label(Q::NAME, &question).unwrap_or_else(|_| Q::NAME.into());
                        wanted(&label).then(|| {
                            let answer = panel.check_length().and_then(|()| question.answer(panel));
                            (label, answer)
                        })
                    };
                    Q::tour(panel).into_iter().filter_map(answer).collect()
                },
            }
        )
    }
}

impl Panel {
    /// Answers a question, given by its label.
    ///
    /// # Errors
    /// When there is no such question or option, or the panel cannot answer it.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales").known(["IsHoliday"]);
    /// let sales = Panel::read("data/walmart_sales_weekly.csv", columns)?;
    /// let finding = sales.explore("uplift(by=IsHoliday)")?;
    /// assert!(finding.sentence().starts_with("With IsHoliday"));
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    pub fn explore(&self, question: &str) -> Result<Finding> {
        let (name, given) = options::split(question)?;
        let asked = QUESTIONS.named(name)?;
        let finding = (asked.ask)(self, given)?;
        Ok(trust::paid(self, question, finding))
    }
}

/// The columns by which a question compares sales: `promo` of `uplift(by=promo)`.
///
/// # Errors
/// When it is no label.
pub fn columns_of(question: &str) -> Result<Vec<String>> {
    let (_, given) = options::split(question)?;
    Ok(given.get("by").and_then(Value::as_str).map(String::from).into_iter().collect())
}

/// The findings of a report, in the order of [`QUESTIONS`]. A question that the panel cannot answer is left out.
///
/// # Errors
/// When the user interrupts.
pub fn first_findings(panel: &Panel) -> Result<Vec<Finding>> {
    let answers = QUESTIONS.iter().flat_map(|question| (question.first)(panel));
    answers.filter(|finding| !finding.as_ref().is_err_and(Error::is_data)).collect()
}

/// The sum over all series at each calendar position from the first to the last, NaN where no series has a value.
pub(crate) fn total(panel: &Panel) -> (i64, Vec<f64>) {
    let bounds = (0..panel.len()).filter_map(|i| Some((*panel.positions(i).first()?, *panel.positions(i).last()?)));
    let (first, last) = bounds.fold((i64::MAX, i64::MIN), |(a, b), (c, d)| (a.min(c), b.max(d)));
    let mut sums = vec![f64::NAN; usize::try_from(last.saturating_sub(first) + 1).unwrap_or(0).min(10_000_000)];
    for i in 0..panel.len() {
        for (position, y) in panel.positions(i).iter().zip(panel.target(i)) {
            if let Some(sum) = sums.get_mut((position - first) as usize).filter(|_| !y.is_nan()) {
                *sum = if sum.is_nan() { *y } else { *sum + y };
            }
        }
    }
    (first, sums)
}
