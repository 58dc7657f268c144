//! Which channels share which budget, and in which form is their effect estimated?

use std::collections::BTreeMap;
use std::path::Path;

use polars::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::adstock::Normalisation;
use super::market::{Form, Kind, LiftTest};
use super::saturation::Saturation;
use crate::error::{Error, Result, find, suggestion};
use crate::options::choice;
use crate::panel::{Panel, Sheet};

choice!(/// How long spend works: geometric, or with a delay that has a Weibull distribution.
    Carryover { Geometric, Weibull });

choice!(/// The form of diminishing returns.
    Returns { Hill, Exponential, Logistic });

/// A marketing budget: what shares it, and how the effect of each channel is estimated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MarketingBudget {
    /// The columns with the spend of each channel, known or observed covariates. Other known covariates are controls.
    pub channels: Vec<String>,
    /// The budget per period; without one, what is spent now per period on average.
    pub budget: Option<f64>,
    /// The least and the greatest spend per period of some channels: `{tv=[0, 500], search=[50, 300]}`. Without them a
    /// channel may have anything from nothing to the most that the data have tried.
    pub bounds: BTreeMap<String, (f64, f64)>,
    /// Results of experiments: files with the columns channel, spend, sales, error and optionally periods, base, or
    /// texts such as `tv(spend=12000, sales=30000, error=6000)`.
    pub lift: Vec<String>,
    /// How long spend works: geometric or weibull.
    pub memory: Carryover,
    /// The number of periods that geometric spend works, the one of the spend among them; without one it never ends.
    pub window: Option<usize>,
    /// The shape of a Weibull memory: above 1 the peak can come after the spend.
    pub shape: f64,
    /// What the weights of past spend are scaled to: sum (they sum to one) or peak (the greatest is one).
    pub normalisation: Normalisation,
    /// The form of diminishing returns: hill, exponential or logistic.
    pub saturation: Returns,
    /// The exponent of a Hill curve; above 1 small spend does little.
    pub exponent: f64,
    /// Harmonics of each season.
    pub harmonics: usize,
    /// How often the trend bends.
    pub bends: usize,
    /// Was there spend before the data begin? If so it is taken to be that of the first 13 periods.
    pub earlier: bool,
    /// The probability of the intervals, between 0 and 1.
    pub level: f64,
    /// Refits to resampled errors, on which intervals and the split rest.
    pub draws: usize,
    /// Random seed of the resamples.
    pub seed: u64,
}

impl Default for MarketingBudget {
    fn default() -> Self {
        Self {
            channels: Vec::new(),
            budget: None,
            bounds: BTreeMap::new(),
            lift: Vec::new(),
            memory: Carryover::Geometric,
            window: None,
            shape: 2.0,
            normalisation: Normalisation::Sum,
            saturation: Returns::Hill,
            exponent: 1.0,
            harmonics: 2,
            bends: 0,
            earlier: true,
            level: 0.9,
            draws: 200,
            seed: 1,
        }
    }
}

/// One experiment, as people write it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Lift {
    /// The spend that was tested, in total.
    spend: Option<f64>,
    /// The sales that it brought, in total.
    sales: Option<f64>,
    /// The standard error of these sales.
    error: Option<f64>,
    /// The number of periods of the test.
    periods: Option<f64>,
    /// Spend per period that ran anyway.
    base: Option<f64>,
}

impl MarketingBudget {
    /// Reads a budget as people write it: `channels=[tv, search], budget=1000, bounds={tv=[0, 500]}`.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let asked = MarketingBudget::parse("channels=[tv, search], budget=1000, bounds={tv=[0, 500]}")?;
    /// assert_eq!(asked.bounds["tv"], (0.0, 500.0));
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// When an option or its value is unknown; the nearest one is suggested.
    pub fn parse(text: &str) -> Result<Self> {
        crate::options::read(OWNER, crate::options::parse(text)?)
    }

    /// Do the numbers make sense, each and together?
    ///
    /// # Errors
    /// When one does not, naming it.
    pub fn check(&self) -> Result<()> {
        if self.channels.is_empty() {
            return Err(Error::usage(
                "no channel is named: say which columns hold the spend, such as channels=[tv, search]",
            ));
        }
        for (place, name) in self.channels.iter().enumerate() {
            if self.channels[..place].contains(name) {
                return Err(Error::usage(format!("channel `{name}` is named twice")));
            }
        }
        if let Some(budget) = self.budget
            && !(budget > 0.0 && budget.is_finite())
        {
            return Err(Error::usage(format!("a budget is a positive amount of money per period, not {budget}")));
        }
        for (name, (low, high)) in &self.bounds {
            find(name, &self.channels, "channel")?;
            if !(*low >= 0.0 && low.is_finite() && high.is_finite()) {
                return Err(Error::usage(format!(
                    "the bounds of `{name}` are amounts of at least 0, not {low} and {high}"
                )));
            }
            if low > high {
                return Err(Error::usage(format!(
                    "the bounds of `{name}` conflict: at least {low} and at most {high}"
                )));
            }
        }
        if self.memory == Carryover::Weibull && self.window.is_some() {
            return Err(Error::usage(
                "a Weibull memory ends by itself: leave the window out, or take memory=geometric",
            ));
        }
        if self.saturation != Returns::Hill && self.exponent != 1.0 {
            return Err(Error::usage("an exponent belongs to saturation=hill: leave it out, or take that"));
        }
        let form = self.form();
        form.memory.at(0.0).check()?;
        form.saturation.check()?;
        crate::options::level(self.level)?;
        for (what, value, most) in [("harmonics", self.harmonics, 20), ("bends", self.bends, 20)] {
            if value > most {
                return Err(Error::usage(format!("at most {most} {what} are estimated, not {value}")));
            }
        }
        if !(20..=10_000).contains(&self.draws) {
            return Err(Error::usage(format!("intervals take 20 to 10,000 draws, not {}", self.draws)));
        }
        Ok(())
    }

    /// The form of the model.
    pub(super) fn form(&self) -> Form {
        Form {
            memory: match self.memory {
                Carryover::Geometric => Kind::Geometric { window: self.window },
                Carryover::Weibull => Kind::Weibull { shape: self.shape },
            },
            normalisation: self.normalisation,
            saturation: match self.saturation {
                Returns::Hill => Saturation::Hill { exponent: self.exponent },
                Returns::Exponential => Saturation::Exponential,
                Returns::Logistic => Saturation::Logistic,
            },
            bends: self.bends,
            earlier: self.earlier,
        }
    }

    /// The files among the experiments.
    pub(crate) fn files(lift: &[&str]) -> Vec<String> {
        lift.iter().filter(|text| !text.contains('(')).map(|text| (*text).to_string()).collect()
    }

    /// The experiments.
    ///
    /// # Errors
    /// When a file cannot be read or a number is missing, naming it.
    pub(super) fn tests(&self, panel: &Panel) -> Result<Vec<LiftTest>> {
        let mut tests = Vec::new();
        for text in &self.lift {
            if text.contains('(') {
                let (name, given) = crate::options::split(text)?;
                let lift: Lift = crate::options::read("a lift test", given)?;
                tests.push(self.test(name, &lift)?);
                continue;
            }
            let sheet = Sheet::read_all(Path::new(text), &["channel"], panel)?;
            for (row, (name, lift)) in rows(text, &sheet)?.iter().enumerate() {
                let place = || format!("{text}, {}", sheet.row_text(row));
                tests.push(self.test(name, lift).map_err(|error| error.within(place()))?);
            }
        }
        Ok(tests)
    }

    fn test(&self, name: &str, lift: &Lift) -> Result<LiftTest> {
        let channel = find(name, &self.channels, "channel")?;
        let stated = |what: &str, value: Option<f64>| {
            value.ok_or_else(|| {
                Error::usage(format!("the lift test of `{name}` lacks `{what}`: state spend, sales and error"))
            })
        };
        Ok(LiftTest {
            channel,
            spend: stated("spend", lift.spend)?,
            sales: stated("sales", lift.sales)?,
            error: stated("error", lift.error)?,
            periods: lift.periods,
            base: lift.base.unwrap_or(0.0),
        })
    }
}

/// What errors call the options.
pub(crate) const OWNER: &str = "the marketing budget";

/// The rows of a file with experiments.
fn rows(place: &str, sheet: &Sheet) -> Result<Vec<(String, Lift)>> {
    let frame = sheet.frame();
    let present: Vec<&str> = frame.get_column_names().into_iter().map(PlSmallStr::as_str).collect();
    for name in ["channel", "spend", "sales", "error"] {
        if !present.contains(&name) {
            let near = suggestion(name, present.iter().copied());
            return Err(Error::data(format!("{place} has no column `{name}`{near}")));
        }
    }
    let names = frame.column("channel")?.cast(&DataType::String)?;
    let numbers = |name: &str| -> Result<Vec<Option<f64>>> {
        match frame.column(name) {
            Ok(column) => Ok(column.cast(&DataType::Float64)?.f64()?.iter().collect()),
            Err(_) => Ok(vec![None; frame.height()]),
        }
    };
    let [spend, sales, error, periods, base] = ["spend", "sales", "error", "periods", "base"].map(numbers);
    let (spend, sales, error, periods, base) = (spend?, sales?, error?, periods?, base?);
    let row = |(row, name): (usize, Option<&str>)| {
        let lift =
            Lift { spend: spend[row], sales: sales[row], error: error[row], periods: periods[row], base: base[row] };
        (name.unwrap_or_default().trim().to_string(), lift)
    };
    Ok(names.str()?.iter().enumerate().map(row).collect())
}
