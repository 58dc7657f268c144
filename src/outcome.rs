//! The results of a plan: the data with their audit, the backtest, the best model, the forecast, and the report on
//! them.

use std::path::Path;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::evaluate::Backtest;
use crate::forecast::Forecast;
use crate::panel::{Audit, Panel};
use crate::plan::Plan;
use crate::report::Report;
use crate::report::performance::PerformancePage;
use crate::show::words::{self, counted, rounded};
use crate::show::{Block, Finding, Show, number};

/// The bundled sales, so that the demonstration runs from any folder.
const SALES: &str = include_str!("../data/walmart_sales_weekly.csv");
const SALES_FILE: &str = "data/walmart_sales_weekly.csv";

/// The label of the model that repeats the last season.
const BENCHMARK: &str = "seasonal_naive";

/// Series in the table of totals.
const LISTED: usize = 50;

/// The results of a [`Plan`].
#[derive(Clone)]
pub struct Outcome(Arc<Inner>);

struct Inner {
    plan: Plan,
    panel: Panel,
    audit: Audit,
    findings: Vec<Finding>,
    backtest: Backtest,
    best: String,
    forecast: Forecast,
}

impl Plan {
    /// Runs the plan: reads, cleans, audits, explores, backtests, forecasts with every model, and picks the best by the
    /// metric.
    ///
    /// # Errors
    /// Those of the verbs that it calls.
    pub fn run(&self) -> Result<Outcome> {
        self.check()?;
        Outcome::of(self)
    }

    /// The plan of the demonstration: weekly sales of seven departments with promotions, holidays and weather. Writes
    /// the bundled data to `data/` if they are not there.
    ///
    /// # Errors
    /// When the data cannot be written.
    pub fn demo() -> Result<Self> {
        if !crate::files::exists(Path::new(SALES_FILE)) {
            crate::files::write_atomically(Path::new(SALES_FILE), SALES.as_bytes())?;
        }
        Self::read_text(&format!(
            r#"
            title = "Weekly sales of seven departments"
            data = "{SALES_FILE}"
            id = ["Store", "Dept"]
            time = "Date"
            target = "Weekly_Sales"
            known = ["IsHoliday", "MarkDown1"]
            policy = "covariates=zero"
            observed = ["Temperature"]
            models = "naive; seasonal_naive; theta; regression; auto(regressors=false)"
            horizon = 8
            folds = 4
            "#
        ))
    }
}

impl Outcome {
    fn of(plan: &Plan) -> Result<Self> {
        let panel = plan.panel()?;
        let audit = panel.audit()?;
        let findings = crate::explore::first_findings(&panel)?;
        let backtest = panel.backtest_at(plan.models()?, plan.folds(), plan.levels()?)?;
        let best = backtest.best(&plan.metric)?;
        // All models were scored; those that would need unknown future covariates do not forecast.
        let future_known =
            plan.future.is_some() || panel.columns().with_role(crate::panel::Role::Known).next().is_none();
        let models =
            plan.models()?.into_iter().filter(|model| future_known || !model.reads_covariates()).collect::<Vec<_>>();
        if models.is_empty() {
            return Err(Error::usage(
                "every model of the plan needs the future values of known covariates, and the plan has none; name a file: \
                 future = \"FILE\"",
            ));
        }
        let forecast = plan.forecast_of(&plan.fits_of(&panel, &models)?)?;
        let plan = plan.clone();
        Ok(Self(Arc::new(Inner { plan, panel, audit, findings, backtest, best, forecast })))
    }

    /// The plan that was run.
    pub fn plan(&self) -> &Plan {
        &self.0.plan
    }

    /// The data after cleaning.
    pub fn panel(&self) -> Panel {
        self.0.panel.clone()
    }

    /// The audit of the data after cleaning, with the changes that cleaning made.
    pub fn audit(&self) -> Audit {
        self.0.audit.clone()
    }

    /// The findings of the exploration.
    pub fn findings(&self) -> Vec<Finding> {
        self.0.findings.clone()
    }

    /// Every model on every fold.
    pub fn backtest(&self) -> Backtest {
        self.0.backtest.clone()
    }

    /// The label of the model that is best in the backtest.
    pub fn best(&self) -> String {
        self.0.best.clone()
    }

    /// The forecast of every model whose covariates are known in the future.
    pub fn forecast(&self) -> Forecast {
        self.0.forecast.clone()
    }

    /// The best in the backtest of the models that could forecast.
    pub(crate) fn forecaster(&self) -> Result<String> {
        let board = self.0.backtest.leaderboard(&self.0.plan.metric)?;
        let models = self.0.forecast.models();
        for row in 0..board.rows() {
            let label = board.get(row, "model")?.to_string();
            if models.contains(&label) {
                return Ok(label);
            }
        }
        Err(Error::model("no model could forecast"))
    }

    /// The report: a summary, the sales history, what drives it, the data quality, which model to trust and how far,
    /// the forecast, and the method.
    ///
    /// # Errors
    /// When a table or figure cannot be drawn.
    pub fn report(&self) -> Result<Report> {
        let inner = &*self.0;
        let plan = &inner.plan;
        let (first, last) = inner.panel.span();
        let model = self.forecaster()?;
        let total = self.total(&model)?;
        let noun = inner.panel.frequency().noun();
        let ahead = self.ahead();
        let mut report = Report::new(&plan.title)
            .subtitle(format!(
                "{} series, {}, {first} to {last}; forecast of {}",
                number(inner.panel.len() as f64),
                inner.panel.frequency(),
                counted(plan.horizon, noun, &format!("{noun}s"))
            ))
            .heading("In short")
            .add(Block::List(vec![total, self.headline(&model)?, inner.audit.sentence()]));
        report = report.heading("Sales history").add(inner.panel.plot()?);
        for finding in &inner.findings {
            report = report.heading(finding.title()).add(finding);
        }
        report = report.heading("Data quality").add(crate::report::quality::section(&inner.audit)?);
        report = report.heading("Which model to trust").add(Block::Text(self.verdict(&model)?));
        for block in PerformancePage::of(&inner.backtest, &plan.metric)?.blocks(3)? {
            report = report.add(block);
        }
        report =
            report.heading("The last test period: forecast and actual sales").add(inner.backtest.plot_last(&model)?);
        let name = inner.backtest.name(&model)?;
        let fixed = if model == inner.best {
            String::new()
        } else {
            format!(
                " {} is best in the backtest but needs future values of its known covariates, which the plan does not have.",
                inner.backtest.name(&inner.best)?
            )
        };
        report = report
            .heading(words::capital(&ahead))
            .add(Block::Text(format!("Forecast by {name}.{fixed}")))
            // Under its name among the models of the backtest, of which the forecast may have fewer.
            .add(inner.forecast.plot_as(&model, &name)?)
            .add(self.totals(&model)?);
        Ok(report.heading("Method").add(Block::List(vec![
            format!(
                "Backtest: {}; models ranked by {}.",
                inner.backtest.folds().to_string().trim(),
                words::metric(inner.backtest.deciding(&plan.metric)?.name)
            ),
            format!(
                "Season: {}{}.",
                counted(inner.panel.season(), noun, &format!("{noun}s")),
                if plan.season.is_some() { ", as stated" } else { ", the default of the frequency" }
            ),
            "Intervals come from each model's forecast distributions. Totals come from 2,000 joint sample paths, so that \
             series that move together also do so in the total."
                .into(),
        ])))
    }

    /// The best model and how good it is, without technical terms.
    fn headline(&self, model: &str) -> Result<String> {
        let inner = &*self.0;
        let best = inner.backtest.name(&inner.best)?;
        let periods = counted(inner.backtest.folds().len(), "past period", "past periods");
        let against = self.gain()?.map_or(String::new(), |(gain, _)| {
            let before = self.season_before();
            format!(": its error was {} % lower than that of repeating the sales of {before}", rounded(gain, 0))
        });
        let coverage = inner.backtest.score(&inner.best, "coverage80").map_or(String::new(), |share| {
            format!(". Its 80 % interval covered {} % of the actual sales", rounded(100.0 * share, 0))
        });
        let used = self.made_by(model)?.map_or(String::new(), |made| format!(". {made}"));
        Ok(format!("In a test on {periods}, {best} was the most accurate model{against}{coverage}{used}."))
    }

    /// The best model, its score, and whether it is significantly better than the second and the benchmark.
    fn verdict(&self, model: &str) -> Result<String> {
        let inner = &*self.0;
        let metric = inner.backtest.deciding(&inner.plan.metric)?.name;
        let best = inner.backtest.name(&inner.best)?;
        let score = inner.backtest.score(&inner.best, metric)?;
        let against = match self.gain()? {
            Some((gain, benchmark)) => {
                let name = inner.backtest.name(BENCHMARK)?;
                format!(", {} % lower than the {} of {name}", rounded(gain, 0), number(benchmark))
            }
            None => String::new(),
        };
        let coverage = inner.backtest.score(&inner.best, "coverage80").map_or(String::new(), |share| {
            format!("; its 80 % interval covered {} % of the actual values", rounded(100.0 * share, 0))
        });
        let significance = PerformancePage::of(&inner.backtest, metric)?.significance();
        let significance = significance.map_or(String::new(), |sentence| format!(" {sentence}"));
        let used = self.made_by(model)?.map_or(String::new(), |made| format!(" {made}."));
        Ok(format!(
            "{best} is the most accurate model over {}: {} {}{against}{coverage}.{significance}{used}",
            counted(inner.backtest.folds().len(), "fold", "folds"),
            words::metric(metric),
            number(score)
        ))
    }

    /// Who makes the forecast, if not the best model.
    fn made_by(&self, model: &str) -> Result<Option<String>> {
        let inner = &*self.0;
        let name = inner.backtest.name(model)?;
        Ok((model != inner.best).then(|| format!("The forecast is made by {name}")))
    }

    /// By how many per cent the error of the best model is below that of the seasonal naive method, and the latter.
    fn gain(&self) -> Result<Option<(f64, f64)>> {
        let inner = &*self.0;
        let decides = inner.backtest.deciding(&inner.plan.metric)?;
        let score = inner.backtest.score(&inner.best, decides.name)?;
        // Only errors have a meaningful ratio.
        let comparable = decides.best == 0.0 && score >= 0.0 && inner.best != BENCHMARK;
        let benchmark = inner.backtest.score(BENCHMARK, decides.name).ok();
        let gain = |benchmark: f64| (100.0 * (1.0 - score / benchmark), benchmark);
        Ok(benchmark.filter(|benchmark| comparable && score < *benchmark).map(gain))
    }

    /// `the year before`: when the seasonal naive method looks.
    fn season_before(&self) -> String {
        words::season_before(self.0.panel.frequency().noun(), self.0.panel.season())
    }

    /// `the next 8 weeks`, or those after the plan's gap.
    fn ahead(&self) -> String {
        let plan = &self.0.plan;
        let noun = self.0.panel.frequency().noun();
        let steps = |count| counted(count, noun, &format!("{noun}s"));
        match (plan.gap, plan.horizon) {
            (0, 1) => format!("the next {noun}"),
            (0, horizon) => format!("the next {}", steps(horizon)),
            (gap, horizon) => format!("the {} after the next {gap}", steps(horizon)),
        }
    }

    /// The total of all series over the horizon, with its interval from joint paths.
    fn total(&self, model: &str) -> Result<String> {
        let inner = &*self.0;
        let paths = inner.forecast.paths(2_000, inner.plan.seed)?.total(model)?;
        let (mean, low, high) = spread(paths);
        Ok(format!(
            "{} is expected to total {} over {}; with 80 % probability it lies between {} and {}.",
            inner.plan.target,
            number(mean.round()),
            self.ahead(),
            number(low.round()),
            number(high.round())
        ))
    }

    /// One row per series: the last horizon's actual total and the forecast total with its interval.
    fn totals(&self, model: &str) -> Result<crate::show::Table> {
        use polars::prelude::*;
        let inner = &*self.0;
        let paths = inner.forecast.paths(2_000, inner.plan.seed)?;
        let h = inner.plan.horizon;
        let keys = inner.panel.keys();
        let shown = keys.len().min(LISTED);
        let (mut past, mut mean, mut low, mut high) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (i, key) in keys.iter().enumerate().take(shown) {
            let y = inner.panel.regular(i);
            past.push(y[y.len().saturating_sub(h)..].iter().filter(|v| !v.is_nan()).sum::<f64>());
            let total = paths.of(model, key).ok().map(spread);
            mean.push(total.map(|(mean, ..)| mean));
            low.push(total.map(|(_, low, _)| low));
            high.push(total.map(|(.., high)| high));
        }
        let noun = inner.panel.frequency().noun();
        let steps = counted(h, noun, &format!("{noun}s"));
        let mut columns = inner.panel.key_columns(0..shown)?;
        columns.extend([
            Column::new(format!("last {steps}").into(), past),
            Column::new(format!("next {steps}").into(), mean),
            Column::new("80 % interval, from".into(), low),
            Column::new("80 % interval, to".into(), high),
        ]);
        Ok(crate::show::Table::new(DataFrame::new(shown, columns)?).titled("Totals by series").of_rows(keys.len()))
    }
}

/// Mean, 0.1 and 0.9 quantile of the totals of some paths.
fn spread(paths: Vec<Vec<f64>>) -> (f64, f64, f64) {
    let mut totals: Vec<f64> = paths.iter().map(|path| path.iter().sum()).collect();
    totals.sort_by(f64::total_cmp);
    let at = |p: f64| totals[((totals.len() - 1) as f64 * p).round() as usize];
    (totals.iter().sum::<f64>() / totals.len() as f64, at(0.1), at(0.9))
}

impl Show for Outcome {
    fn block(&self) -> Block {
        Block::Group(vec![self.0.audit.block(), self.0.backtest.block(), self.0.forecast.block()])
    }
}

crate::show::noun!(Outcome);
