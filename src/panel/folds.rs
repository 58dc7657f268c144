//! Where is time cut? The rolling-origin plan: number of folds, horizon, distance between folds, and whether the
//! training set expands or slides. Nothing else in the crate cuts time.

use serde::{Deserialize, Serialize};

use super::{Future, Panel, Scenario};
use crate::error::{Error, Result};
use crate::show::{Block, Show};

/// The rolling-origin plan of a backtest.
///
/// ```
/// use tradewind::prelude::*;
/// let folds = Folds::new(4, 8).step(4);
/// assert_eq!(folds.to_string().trim(), "4 folds of 8 steps, 4 steps apart, expanding training window");
/// ```
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Folds {
    folds: usize,
    horizon: usize,
    step: Option<usize>,
    gap: usize,
    window: Option<usize>,
    scenario: Scenario,
}

/// One cut of a panel: the training set, the future to forecast, and the positions of its first steps.
pub(crate) struct Cut {
    pub(crate) train: Panel,
    pub(crate) future: Future,
    /// The first test position of each series.
    pub(crate) starts: Vec<i64>,
}

/// One fold of a panel: training set, the future to forecast, and the actual values.
///
/// ```
/// use tradewind::prelude::*;
/// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales");
/// let sales = Panel::read("data/walmart_sales_weekly.csv", columns)?;
/// for fold in sales.split(&Folds::new(3, 8))? {
///     let forecast = fold.train().fit(["theta"])?.forecast(fold.future())?;
///     assert_eq!(forecast.mean("theta", "Store=1, Dept=1")?.len(), fold.test().series("Store=1, Dept=1")?.rows());
/// }
/// # Ok::<(), tradewind::Error>(())
/// ```
#[derive(Clone)]
pub struct Fold {
    number: usize,
    train: Panel,
    future: Future,
    test: Panel,
}

impl Fold {
    /// Which fold it is, counted from 1, oldest first.
    pub fn number(&self) -> usize {
        self.number
    }

    /// The training set.
    pub fn train(&self) -> Panel {
        self.train.clone()
    }

    /// The future to forecast, with its known covariates.
    pub fn future(&self) -> Future {
        self.future.clone()
    }

    /// The actual values as recorded: cleaning changes the training set alone.
    pub fn test(&self) -> Panel {
        self.test.clone()
    }
}

impl Show for Fold {
    fn block(&self) -> Block {
        let ((first, last), (from, to)) = (self.train.span(), self.test.span());
        Block::Text(format!("fold {}: training {first} to {last}, test {from} to {to}", self.number))
    }
}

impl Panel {
    /// The folds of the panel, for an evaluation written by hand; [`backtest`](Self::backtest) is the standard one.
    ///
    /// # Errors
    /// When the folds do not fit into the history, or the panel holds duplicate timestamps or timestamps off its
    /// calendar.
    pub fn split(&self, folds: &Folds) -> Result<Vec<Fold>> {
        self.check_calendar()?;
        let fold = |(number, cut): (usize, Result<Cut>)| {
            let Cut { train, future, starts } = cut?;
            let end = |start: i64| start + folds.horizon() as i64;
            let window = self.within(&|i, position| position >= starts[i] && position < end(starts[i]))?;
            let test = window.as_recorded()?;
            Ok(Fold { number: number + 1, train, future, test })
        };
        folds.cuts(self)?.enumerate().map(fold).collect()
    }
}

impl Folds {
    /// `folds` test windows of `horizon` steps, the last at the end of the data, one after the other.
    pub fn new(folds: usize, horizon: usize) -> Self {
        Self { folds, horizon, step: None, gap: 0, window: None, scenario: Scenario::default() }
    }

    /// The steps between the starts of two windows; the horizon if not stated.
    #[must_use]
    pub fn step(mut self, steps: usize) -> Self {
        self.step = Some(steps);
        self
    }

    /// Steps between the training set and the test window, such as those not yet recorded when forecasts are made.
    #[must_use]
    pub fn gap(mut self, steps: usize) -> Self {
        self.gap = steps;
        self
    }

    /// Trains on the last `steps` only (a sliding window) instead of all history (an expanding one).
    #[must_use]
    pub fn sliding(mut self, steps: usize) -> Self {
        self.window = Some(steps);
        self
    }

    /// The scenario for observed covariates in the test windows. `given` would use the actual future and is
    /// refused.
    #[must_use]
    pub fn scenario(mut self, scenario: Scenario) -> Self {
        self.scenario = scenario;
        self
    }

    /// Number of folds.
    pub fn len(&self) -> usize {
        self.folds
    }

    /// Is there no window at all?
    pub fn is_empty(&self) -> bool {
        self.folds == 0
    }

    /// Steps of each test window.
    pub fn horizon(&self) -> usize {
        self.horizon
    }

    /// The steps from the end of a training set to the end of its test window.
    pub(crate) fn reach(&self) -> usize {
        self.gap.saturating_add(self.horizon)
    }

    pub(crate) fn stride(&self) -> usize {
        self.step.unwrap_or(self.horizon)
    }

    fn check(&self) -> Result<()> {
        let least = |what: &str, value: usize| match value {
            0 => Err(Error::usage(format!("{what} is at least 1, not 0"))),
            value if value > 1_000_000 => Err(Error::usage(format!("{what} of {value} is beyond any series"))),
            _ => Ok(()),
        };
        least("the number of folds", self.folds)?;
        least("the horizon", self.horizon)?;
        least("the step between folds", self.stride())?;
        least("the sliding window", self.window.unwrap_or(1))?;
        least("the gap", self.gap.max(1))?;
        if self.scenario == Scenario::Given {
            return Err(Error::usage(
                "a backtest cannot use the actual future of observed covariates; choose scenario climatology or last",
            ));
        }
        Ok(())
    }

    /// The cuts of a panel, oldest first. What cleaning estimates is estimated from each training set alone.
    ///
    /// Dates cut all series on the same day. Integer steps have no common day: each series is cut from its own end.
    pub(crate) fn cuts<'a>(&'a self, panel: &'a Panel) -> Result<impl Iterator<Item = Result<Cut>> + 'a> {
        self.check()?;
        let ends: Vec<i64> =
            (0..panel.len()).map(|i| panel.positions(i).last().map_or(i64::MIN, |last| last + 1)).collect();
        let latest = ends.iter().max().copied().unwrap_or(0);
        let ends: Vec<i64> = if panel.frequency().is_whole() { ends } else { vec![latest; ends.len()] };
        let needed = (self.folds - 1) * self.stride() + self.horizon + self.gap;
        let longest = (0..panel.len()).filter_map(|i| Some(ends[i] - panel.positions(i).first()?)).max().unwrap_or(0);
        if longest <= needed as i64 {
            return Err(Error::usage(format!(
                "{} folds of {} steps need more than {needed} steps of history, the longest series has {longest}; \
                 ask for fewer folds or a shorter horizon",
                self.folds, self.horizon
            )));
        }
        Ok((0..self.folds).map(move |fold| {
            let back = ((self.folds - 1 - fold) * self.stride() + self.horizon) as i64;
            let starts: Vec<i64> = ends.iter().map(|end| end.saturating_sub(back)).collect();
            let gap = self.gap as i64;
            let cut: Vec<i64> = starts.iter().map(|start| start.saturating_sub(gap)).collect();
            let mut train = panel.until(&cut)?;
            if let Some(window) = self.window {
                train = train.within(&|i, position| cut[i] - position <= window as i64)?;
            }
            let future = Future::starting(&train, starts.clone(), self.gap, self.horizon, self.scenario)?;
            let future = future.known_from(panel)?;
            Ok(Cut { train, future, starts })
        }))
    }
}

impl Show for Folds {
    fn block(&self) -> Block {
        let plural = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
        let history = match self.window {
            Some(window) => format!("sliding training window of {}", plural(window, "step")),
            None => "expanding training window".into(),
        };
        let gap =
            if self.gap > 0 { format!(", a gap of {} before each", plural(self.gap, "step")) } else { String::new() };
        let folds = format!("{} of {}", plural(self.folds, "fold"), plural(self.horizon, "step"));
        Block::Text(format!("{folds}, {} apart, {history}{gap}", plural(self.stride(), "step")))
    }
}

crate::show::noun!(Fold, Folds);
