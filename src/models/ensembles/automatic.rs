//! `auto`: the default, for panels that nobody has time to look at.
//!
//! 1. **Members.** `ensemble`, the classical methods by series; `boost`, which learns from all series together;
//!    `group_seasonal`, last year's pattern, where the panel has a season. Known covariates are read, unless `regressors=false`.
//! 2. **Seasons.** Those that are stated, else that of the calendar; on integer steps the one that the data show; the week beside
//!    the day where hours show it, and the year beside the week of days (see `fitting::seasons`).
//! 3. **Weights.** Those of [`stack`](super::Stack): learned on the last windows of the panel, by class of demand, shrunk towards
//!    those of all series. Where no combination beats `ensemble` there, or most series are too short for a window, `ensemble` is
//!    used alone.
//! 4. **Budget.** What it may cost is stated in milliseconds of CPU for each series: what `ensemble` tries, cheap candidates
//!    first, and how many rows `boost` learns from. Costs are estimated from lengths, seasons and covariates, not measured, so
//!    that the choice is the same on every machine. The default leaves out ARIMA on long series; the windows of daily, hourly and
//!    weekly data say that it is not missed (see `reports/accuracy/auto.md`). Where trees are far behind in the windows, they are
//!    not fitted to the end.
//! 5. **Answers are checked.** A shop that a known flag closes sells nothing; what was never below zero is not forecast there;
//!    candidates whose forecasts leave the range of the history by far are left out.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ensemble::{BUDGET, check_budget};
use super::{Ensemble, FittedStack, Stack};
use crate::error::Result;
use crate::fitting::{check_season, seasons};
use crate::models::{Aim, Boost, Fitted, Forecaster, GroupSeasonal, Method, Model, PanelLevel};
use crate::panel::Panel;

/// The budget of a panel of few series, in milliseconds.
const PANEL: f64 = 5000.0;
/// The budget of a series in a stream, in milliseconds: a million series of ten years of months in an hour on two cores.
const STREAM: f64 = 8.0;
/// What a row of training costs `boost` over all its fits, in milliseconds, and with how few rows it is not worth a try.
const ROW: f64 = 0.06;
const FEWEST_ROWS: usize = 500;

/// Options of `auto`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Automatic {
    /// The labels of the members; chosen for the panel if not given.
    pub models: Vec<String>,
    /// The groups of series with weights of their own: `panel` for one group, `series`, `class` of demand, `size`, a key column
    /// or a fixed covariate.
    pub by: String,
    /// Held-out windows that weights are learned on, as many as there is room for.
    pub windows: usize,
    /// The lengths of seasons, in steps, such as `[24, 168]`; the panel's season if not given.
    pub seasons: Vec<usize>,
    /// Are there members with covariates? Their future must then be known.
    pub regressors: bool,
    /// The time budget for a series in milliseconds of CPU, as roughly estimated; 60 if not given, more on panels of few
    /// series, and 8 in a stream.
    pub budget: Option<f64>,
}

impl Default for Automatic {
    fn default() -> Self {
        Self { models: Vec::new(), by: "class".into(), windows: 3, seasons: Vec::new(), regressors: true, budget: None }
    }
}

impl Method for Automatic {
    const NAME: &str = "auto";
    const TITLE: &str = "Automatic";
    const SUMMARY: &str =
        "The default: classical methods and boosted trees, combined by their accuracy on held-out windows";
    const EXAMPLE: &str = "auto";
    const ALSO: &str = "automatic";
    const SIMILAR: &[(&str, &str)] = &[(
        "automl, autogluon, autots",
        "it validates classical methods and boosted trees on the end of the panel and combines them",
    )];
    const SEARCH: &[(&str, &[&str])] =
        &[("by", &["panel", "class", "size", "series"]), ("regressors", &["true", "false"])];
    type Scope = PanelLevel;
    type Fitted = FittedStack;

    fn check(&self) -> Result<()> {
        self.budget.map_or(Ok(()), check_budget)?;
        self.seasons.iter().try_for_each(|season| check_season(Some(*season)))?;
        self.stack(self.models.clone()).check()
    }
}

impl Automatic {
    fn stack(&self, models: Vec<String>) -> Stack {
        let models = if models.is_empty() { vec![Ensemble::NAME.into()] } else { models };
        Stack { models, by: self.by.clone(), windows: self.windows, ..Stack::default() }
    }

    /// What series are fitted by where they are fitted one by one.
    fn ensemble(&self, seasons: Vec<usize>, budget: f64) -> Ensemble {
        Ensemble { seasons, regressors: self.regressors, budget, ..Ensemble::default() }
    }

    /// The members for a panel with these seasons.
    fn members(&self, seasons: &[usize], train: &Panel) -> Vec<String> {
        if !self.models.is_empty() {
            return self.models.clone();
        }
        let budget = self.budget.unwrap_or_else(|| (PANEL / train.len().max(1) as f64).clamp(BUDGET, 1000.0));
        // A single season is that of the panel it is given.
        let several = if seasons.len() > 1 { seasons.to_vec() } else { Vec::new() };
        let mut members: Vec<Model> = vec![self.ensemble(several, budget).into()];
        let boost = Boost { regressors: self.regressors, ..Boost::default() };
        let rows = (budget / ROW * train.len() as f64) as usize;
        if rows >= FEWEST_ROWS {
            // All rows, if they are no more.
            let there: usize = (0..train.len()).map(|i| train.positions(i).len()).sum();
            let max_rows = if there > rows { boost.max_rows.min(rows) } else { boost.max_rows };
            members.push(Boost { max_rows, ..boost }.into());
        }
        if let Some(longest) = seasons.last().filter(|season| **season > 1) {
            let season = Some(*longest).filter(|_| seasons.len() > 1);
            members.push(GroupSeasonal { season, ..GroupSeasonal::default() }.into());
        }
        members.iter().map(|member| member.label().to_string()).collect()
    }
}

impl Forecaster for Automatic {
    fn reads_covariates(&self) -> bool {
        if self.models.is_empty() { self.regressors } else { self.stack(self.models.clone()).reads_covariates() }
    }

    fn depends_on_scenario(&self) -> bool {
        self.reads_covariates()
    }

    fn by_series(&self) -> Option<String> {
        self.models.is_empty().then(|| {
            Model::from(self.ensemble(self.seasons.clone(), self.budget.unwrap_or(STREAM))).label().to_string()
        })
    }

    fn fit(&self, train: &Panel, aim: Aim) -> Result<Box<dyn Fitted>> {
        let mut seasons = if self.seasons.is_empty() { seasons(train) } else { self.seasons.clone() };
        seasons.sort_unstable();
        let fitted =
            self.stack(self.members(&seasons, train)).fit_with(&seasons, self.models.is_empty(), train, aim)?;
        Ok(Box::new(fitted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What stands in for it in a stream keeps what was stated.
    #[test]
    fn its_part_for_one_series_keeps_seasons_and_covariates() {
        let part = |seasons: &[usize], regressors| {
            Automatic { seasons: seasons.to_vec(), regressors, ..Automatic::default() }.by_series().unwrap()
        };
        assert_eq!(part(&[], true), "ensemble(budget=8)");
        assert_eq!(part(&[52], true), "ensemble(seasons=[52], budget=8)");
        assert!(part(&[24, 168], false).contains("regressors=false"));
        assert!(Automatic { models: vec!["theta".into()], ..Automatic::default() }.by_series().is_none());
    }
}
