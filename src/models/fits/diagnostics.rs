//! Which specification was chosen for each series, how do its residuals look, and how was a network trained?

use std::collections::BTreeMap;

use polars::prelude::*;
use rayon::prelude::*;

use super::Fits;
use crate::error::Result;
use crate::models::{Description, Epoch, Likelihood, place};
use crate::show::Table;
use crate::statistics::{jarque_bera, ljung_box};

/// One row of [`Fits::summary`].
struct Summary {
    series: u64,
    specification: String,
    white: Option<f64>,
    normal: Option<f64>,
}

/// The fit of one series, and tests of its residuals.
struct Check {
    series: usize,
    description: Description,
    sd: f64,
    ljung_box: Option<f64>,
    jarque_bera: Option<f64>,
}

impl Fits {
    /// One row per model: series fitted, failures, the specification chosen most often, the share of series whose residuals pass as
    /// white noise and as normal (tests at 5 %, see [`diagnostics`](Self::diagnostics)), CPU seconds of all threads.
    ///
    /// # Errors
    /// Only if the table cannot be assembled.
    pub fn summary(&self) -> Result<Table> {
        let n = self.0.panel.len();
        let rows: Vec<Summary> = (0..self.0.models.len())
            .into_par_iter()
            .map(|m| {
                let checks = self.checks(m);
                let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
                checks.iter().for_each(|check| *counts.entry(&check.description.specification).or_default() += 1);
                let chosen = counts.into_iter().max_by(|a, b| a.1.cmp(&b.1).then(b.0.cmp(a.0)));
                let share = |pick: fn(&Check) -> Option<f64>| {
                    let tested: Vec<f64> = checks.iter().filter_map(pick).collect();
                    let passed = tested.iter().filter(|p| **p > 0.05).count();
                    (!tested.is_empty()).then(|| passed as f64 / tested.len() as f64)
                };
                Summary {
                    series: checks.len() as u64,
                    specification: chosen.map_or_else(String::new, |(specification, _)| specification.to_string()),
                    white: share(|check| check.ljung_box),
                    normal: share(|check| check.jarque_bera),
                }
            })
            .collect();
        let frame = DataFrame::new(
            self.0.models.len(),
            vec![
                Column::new("model".into(), self.models()),
                Column::new("series".into(), rows.iter().map(|row| row.series).collect::<Vec<_>>()),
                Column::new("failures".into(), rows.iter().map(|row| n as u64 - row.series).collect::<Vec<_>>()),
                Column::new("most often".into(), rows.iter().map(|row| row.specification.as_str()).collect::<Vec<_>>()),
                Column::new("white noise".into(), rows.iter().map(|row| row.white).collect::<Vec<_>>()),
                Column::new("normal".into(), rows.iter().map(|row| row.normal).collect::<Vec<_>>()),
                Column::new("cpu_seconds".into(), self.0.models.iter().map(|fit| fit.seconds).collect::<Vec<_>>()),
            ],
        )?;
        Ok(Table::new(frame))
    }

    /// One row per series and model that was fitted: the specification that was chosen, log-likelihood, AICc and BIC where the
    /// method has them, the standard deviation of the residuals, the p-values of the Ljung–Box test (are residuals
    /// autocorrelated?) and of the Jarque–Bera test (are they normal, as intervals assume?), and the parameters.
    ///
    /// The Ljung–Box test looks at two seasons of lags, ten without a season, and at most a fifth of the residuals
    /// (Hyndman & Athanasopoulos, 3rd ed., §5.4), less the degrees of freedom used by the fit. Residuals are on the model's
    /// scale.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales");
    /// let fits = Panel::read("data/walmart_sales_weekly.csv", columns)?.fit(["ets(season=1)"])?;
    /// let table = fits.diagnostics()?;
    /// assert_eq!(table.rows(), 7);
    /// assert!(table.get(0, "specification")?.to_string().starts_with("ETS("));
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// Only if the table cannot be assembled.
    pub fn diagnostics(&self) -> Result<Table> {
        let mut checks: Vec<(usize, Check)> =
            (0..self.0.models.len()).flat_map(|m| self.checks(m).into_iter().map(move |check| (m, check))).collect();
        checks.sort_by_key(|(m, check)| (check.series, *m));
        let labels = self.models();
        let mut columns = self.0.panel.key_columns(checks.iter().map(|(_, check)| check.series))?;
        let text = |name: &str, values: Vec<String>| Column::new(name.into(), values);
        let number = |name: &str, pick: &dyn Fn(&Check) -> Option<f64>| {
            Column::new(name.into(), checks.iter().map(|(_, check)| pick(check)).collect::<Vec<_>>())
        };
        let likelihood = |pick: fn(&Likelihood) -> f64| {
            move |check: &Check| check.description.likelihood.as_ref().map(pick).filter(|value| value.is_finite())
        };
        columns.push(text("model", checks.iter().map(|(m, _)| labels[*m].clone()).collect()));
        columns.push(text(
            "specification",
            checks.iter().map(|(_, check)| check.description.specification.clone()).collect(),
        ));
        columns.push(number("log-likelihood", &likelihood(|likelihood| likelihood.log)));
        columns.push(number("AICc", &likelihood(Likelihood::aicc)));
        columns.push(number("BIC", &likelihood(Likelihood::bic)));
        columns.push(number("residual sd", &|check| Some(check.sd)));
        columns.push(number("Ljung–Box p", &|check| check.ljung_box.map(|p| (p * 1e4).round() / 1e4)));
        columns.push(number("Jarque–Bera p", &|check| check.jarque_bera.map(|p| (p * 1e4).round() / 1e4)));
        let parameters = |check: &Check| {
            let parameters = check.description.parameters.iter();
            parameters
                .map(|(name, value)| format!("{name} {}", crate::show::number(*value)))
                .collect::<Vec<_>>()
                .join(", ")
        };
        columns.push(text("parameters", checks.iter().map(|(_, check)| parameters(check)).collect()));
        Ok(Table::new(DataFrame::new(checks.len(), columns)?))
    }

    /// The candidates among which `auto`, `ensemble`, `stack` or `combine(by=weights)` has shared its weight: on how many series each has
    /// the most, and its mean weight over all series; the one that leads most often first. Without rows for a model
    /// that combines no others.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales");
    /// let model = "combine(models=[naive, theta], by=weights)";
    /// let fits = Panel::read("data/walmart_sales_weekly.csv", columns)?.fit([model])?;
    /// assert_eq!(fits.chosen(model)?.columns(), ["candidate", "leads", "mean weight"]);
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// When there is no such model.
    pub fn chosen(&self, model: &str) -> Result<Table> {
        let labels = self.models();
        let (m, label) = place(model, &labels)?;
        let fitted = &self.0.models[m].fitted;
        let shares = ["auto", "ensemble", "stack", "combine"].contains(&label.split('(').next().unwrap_or_default());
        let series: Vec<usize> =
            (0..self.0.panel.len()).filter(|series| shares && fitted.failure(*series).is_none()).collect();
        let mut found: BTreeMap<String, (u64, f64)> = BTreeMap::new();
        for series in &series {
            let weights = fitted.describe(*series).parameters;
            let most = weights.iter().map(|(_, weight)| *weight).fold(0.0, f64::max);
            let lead = weights.iter().position(|(_, weight)| *weight == most);
            for (at, (name, weight)) in weights.into_iter().enumerate().filter(|(_, (_, weight))| *weight > 0.0) {
                let (leads, sum) = found.entry(name).or_default();
                *leads += u64::from(Some(at) == lead);
                *sum += weight;
            }
        }
        let mut rows: Vec<(String, u64, f64)> =
            found.into_iter().map(|(name, (leads, sum))| (name, leads, sum / series.len() as f64)).collect();
        rows.sort_by(|a, b| b.1.cmp(&a.1).then(b.2.total_cmp(&a.2)));
        let frame = DataFrame::new(
            rows.len(),
            vec![
                Column::new("candidate".into(), rows.iter().map(|row| row.0.as_str()).collect::<Vec<_>>()),
                Column::new("leads".into(), rows.iter().map(|row| row.1).collect::<Vec<_>>()),
                Column::new("mean weight".into(), rows.iter().map(|row| row.2).collect::<Vec<_>>()),
            ],
        )?;
        Ok(Table::new(frame))
    }

    /// The fits of a model, and tests of their residuals.
    fn checks(&self, model: usize) -> Vec<Check> {
        let fitted = &self.0.models[model].fitted;
        let season = self.0.panel.season();
        (0..self.0.panel.len())
            .into_par_iter()
            .filter(|series| fitted.failure(*series).is_none())
            .map(|series| {
                let residuals: Vec<f64> = fitted.residuals(series).iter().copied().filter(|e| !e.is_nan()).collect();
                let description = fitted.describe(series);
                let max = residuals.len() / 5;
                let lags = if season > 1 { 2 * season } else { 10 }.min(max).max(description.fitdf + 3);
                let mean = residuals.iter().sum::<f64>() / residuals.len() as f64;
                let squares: f64 = residuals.iter().map(|e| (e - mean).powi(2)).sum();
                Check {
                    series,
                    sd: (squares / (residuals.len() as f64 - 1.0)).sqrt(),
                    ljung_box: ljung_box(&residuals, lags, description.fitdf).ok().map(|test| test.p_value),
                    jarque_bera: jarque_bera(&residuals).ok().map(|test| test.p_value),
                    description,
                }
            })
            .collect()
    }

    /// The training of a network, one row per epoch: which training it belongs to (`validation`, with held-out windows, or `refit`,
    /// on all steps), the mean training loss, the validation loss, the learning rate, and the mean norm of gradients before
    /// clipping. No rows for a model that is not trained in epochs.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales");
    /// let sales = Panel::read("data/walmart_sales_weekly.csv", columns)?;
    /// let model = "lstm(hidden_size=8, epochs=2, batches_per_epoch=5, windows=1)";
    /// # if cfg!(feature = "lstm") {
    /// let table = sales.fit_for([model], 8)?.training(model)?;
    /// assert_eq!(table.rows(), 4);
    /// # }
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// When there is no such model.
    pub fn training(&self, model: &str) -> Result<Table> {
        let epochs = self.0.models[place(model, &self.models())?.0].fitted.training();
        let part = |epoch: &Epoch| if epoch.part == 0 { "validation" } else { "refit" };
        let number =
            |name: &str, pick: fn(&Epoch) -> f64| Column::new(name.into(), epochs.iter().map(pick).collect::<Vec<_>>());
        let frame = DataFrame::new(
            epochs.len(),
            vec![
                Column::new("training".into(), epochs.iter().map(part).collect::<Vec<_>>()),
                Column::new("epoch".into(), epochs.iter().map(|epoch| epoch.epoch as u64).collect::<Vec<_>>()),
                number("loss", |epoch| epoch.loss),
                Column::new(
                    "validation loss".into(),
                    epochs.iter().map(|epoch| epoch.validation_loss).collect::<Vec<_>>(),
                ),
                number("learning rate", |epoch| epoch.learning_rate),
                number("gradient norm", |epoch| epoch.gradient_norm),
            ],
        )?;
        Ok(Table::new(frame))
    }
}
