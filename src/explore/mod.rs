//! What do the data show? One question per file, asked by its label: `sales.explore("uplift(by=IsHoliday)")`.
//!
//! A new question is one file with an options struct that implements [`Ask`], and two lines here: its `mod` and its row
//! in [`QUESTIONS`].

mod autocorrelation;
mod changepoints;
mod decomposition;
mod demand;
mod each;
mod effect;
mod normality;
mod profile;
mod seasonality;
mod stationarity;
mod trend;
mod uplift;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

pub use autocorrelation::Autocorrelation;
pub use changepoints::Changepoints;
pub use decomposition::Decomposition;
pub use demand::DemandClasses;
pub use normality::Normality;
pub use profile::Profile;
pub use seasonality::Seasonality;
pub use stationarity::Stationarity;
pub use trend::Trend;
pub use uplift::Uplift;

use crate::error::{Error, Result, suggestion};
use crate::options;
use crate::panel::{Panel, Role};
pub use crate::show::Finding;
use crate::show::Table;

/// Every question there is, by name.
pub const QUESTIONS: &[Question] = &[
    Question::of::<Profile>(),
    Question::of::<Seasonality>(),
    Question::of::<Trend>(),
    Question::of::<Uplift>(),
    Question::of::<Decomposition>(),
    Question::of::<Autocorrelation>(),
    Question::of::<Stationarity>(),
    Question::of::<Changepoints>(),
    Question::of::<Normality>(),
    Question::of::<DemandClasses>(),
];

/// A question as [`QUESTIONS`] lists it.
pub struct Question {
    /// The name in labels.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// A label that works on the bundled data.
    pub example: &'static str,
    ask: fn(&Panel, Map<String, Value>) -> Result<Finding>,
    label: fn(Map<String, Value>) -> Result<String>,
    describe: fn() -> Result<Table>,
}

/// What [`QUESTIONS`] needs to know of a question; its options struct implements it.
pub trait Ask: Default + Serialize + DeserializeOwned + JsonSchema {
    /// The name in labels: lower case, words joined by underscores.
    const NAME: &str;
    /// One line.
    const SUMMARY: &str;
    /// A label that works on the bundled data.
    const EXAMPLE: &str;

    /// Answers the question for a panel.
    ///
    /// # Errors
    /// When the panel cannot answer it.
    fn answer(&self, panel: &Panel) -> Result<Finding>;
}

impl Question {
    const fn of<Q: Ask>() -> Self {
        Self {
            name: Q::NAME,
            summary: Q::SUMMARY,
            example: Q::EXAMPLE,
            ask: |panel, given| options::read::<Q>(Q::NAME, given)?.answer(panel),
            label: |given| options::label(Q::NAME, &options::read::<Q>(Q::NAME, given)?),
            describe: || options::table(&schemars::schema_for!(Q), &options::fields(&Q::default())?),
        }
    }

    /// The label of the question with these options.
    ///
    /// # Errors
    /// When an option is unknown or of the wrong type.
    pub fn with(&self, options: Map<String, Value>) -> Result<String> {
        (self.label)(options)
    }

    /// One row per option: name, default and meaning.
    ///
    /// # Errors
    /// Only if the table cannot be assembled.
    pub fn options(&self) -> Result<Table> {
        (self.describe)()
    }

    /// All questions: name, one line, an example.
    ///
    /// # Errors
    /// Only if the table cannot be assembled.
    pub fn list() -> Result<Table> {
        options::list("question", QUESTIONS.iter().map(|question| [question.name, question.summary, question.example]))
    }

    /// The row of that name.
    ///
    /// # Errors
    /// When there is none; the nearest name is suggested.
    pub fn named(name: &str) -> Result<&'static Question> {
        QUESTIONS.iter().find(|question| question.name == name).ok_or_else(|| {
            let nearest = suggestion(name, QUESTIONS.iter().map(|question| question.name));
            Error::usage(format!("there is no question `{name}`{nearest}"))
        })
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
        let asked = Question::named(name)?;
        self.check_length()?;
        (asked.ask)(self, given)
    }
}

/// What a report says first: the profile, the season, the trend, and the uplift of the first known covariates. A question
/// that the panel cannot answer is left out.
pub(crate) fn first_findings(panel: &Panel) -> Result<Vec<Finding>> {
    let columns = panel.columns();
    let questions = ["profile", "seasonality", "trend"].into_iter().map(|question| panel.explore(question));
    let uplifts = columns
        .with_role(Role::Known)
        .take(4)
        .map(|name| panel.check_length().and_then(|()| Uplift { by: name.into(), ..Uplift::default() }.answer(panel)));
    questions.chain(uplifts).filter(|finding| !finding.as_ref().is_err_and(Error::is_data)).collect()
}

/// The sum over all series at each calendar position from the first to the last, NaN where no series has a value.
fn total(panel: &Panel) -> (i64, Vec<f64>) {
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
