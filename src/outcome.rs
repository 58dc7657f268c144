//! What a plan came to: the data with their audit, the backtest, the best model, the forecast, and the report that tells
//! the story.

use std::path::Path;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::evaluate::Backtest;
use crate::forecast::Forecast;
use crate::panel::{Audit, Panel};
use crate::plan::Plan;
use crate::report::Report;
use crate::report::performance::Story;
use crate::show::{Block, Finding, Show, number};

/// The bundled sales, so that the demonstration runs from any folder.
const SALES: &str = include_str!("../data/walmart_sales_weekly.csv");
const SALES_FILE: &str = "data/walmart_sales_weekly.csv";

/// Series in the table of totals.
const LISTED: usize = 50;

/// What a [`Plan`] came to.
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
    /// The whole way: read, audit, clean, explore, backtest, forecast with every model, and the best one by the metric.
    ///
    /// # Errors
    /// As the verbs it calls.
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
        // The rest has been scored; only what would need unknown covariates is left out of the forecast.
        let future_known =
            plan.future.is_some() || panel.columns().with_role(crate::panel::Role::Known).next().is_none();
        let models =
            plan.models()?.into_iter().filter(|model| future_known || !model.reads_covariates()).collect::<Vec<_>>();
        if models.is_empty() {
            return Err(Error::usage(
                "every model of the plan reads known covariates, and their future is not given; name a file: future = \"FILE\"",
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

    /// What was wrong with the data and what was done about it.
    pub fn audit(&self) -> Audit {
        self.0.audit.clone()
    }

    /// What the data show.
    pub fn findings(&self) -> Vec<Finding> {
        self.0.findings.clone()
    }

    /// Every model on every fold.
    pub fn backtest(&self) -> Backtest {
        self.0.backtest.clone()
    }

    /// The label of the model that the backtest found best.
    pub fn best(&self) -> String {
        self.0.best.clone()
    }

    /// The forecast of every model whose covariates are known.
    pub fn forecast(&self) -> Forecast {
        self.0.forecast.clone()
    }

    /// The best of the models that could forecast.
    fn forecaster(&self) -> Result<String> {
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

    /// The story in blocks: what was asked, what the data are like, what drives them, which model to trust and how far,
    /// and what comes next.
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
                "{} series, {}, {first} to {last}; forecast of {} {noun}s",
                number(inner.panel.len() as f64),
                inner.panel.frequency(),
                plan.horizon
            ))
            .heading("In short")
            .add(Block::List(vec![total, self.verdict(&model)?, inner.audit.sentence()]));
        report = report.heading("The sales").add(inner.panel.plot()?);
        for finding in &inner.findings {
            report = report.heading(finding.title()).add(finding);
        }
        report = report.heading("Data quality").add(crate::report::quality::section(&inner.audit)?);
        report = report.heading("Which model to trust").add(Block::Text(self.verdict(&model)?));
        for block in Story::of(&inner.backtest, &plan.metric)?.blocks(3)? {
            report = report.add(block);
        }
        report = report.heading("The last window, forecast and actual").add(inner.backtest.plot_last(&model)?);
        let fixed = match model == inner.best {
            true => String::new(),
            false => format!(
                " {} is best in the backtest but needs the future of its known covariates, which the plan does not give.",
                inner.best
            ),
        };
        report = report
            .heading(ahead[..1].to_uppercase() + &ahead[1..])
            .add(Block::Text(format!("Forecast by {model}.{fixed}")))
            .add(inner.forecast.plot(&model)?)
            .add(self.totals(&model)?);
        Ok(report.heading("How this was made").add(Block::List(vec![
            format!(
                "Backtest: {}; models ranked by {}.",
                inner.backtest.folds().to_string().trim(),
                inner.backtest.deciding(&plan.metric)?.name
            ),
            format!(
                "Season: {} {noun}s{}.",
                inner.panel.season(),
                if plan.season.is_some() { ", as stated" } else { ", the default of the frequency" }
            ),
            "Intervals come from each model's own errors; totals from 2,000 joint sample paths, so that series which \
             move together do so in the total."
                .into(),
        ])))
    }

    fn verdict(&self, model: &str) -> Result<String> {
        let inner = &*self.0;
        let decides = inner.backtest.deciding(&inner.plan.metric)?;
        let metric = decides.name;
        let best = &inner.best;
        let score = inner.backtest.score(best, metric)?;
        let is_error = decides.best == 0.0;
        let covered = inner.backtest.score(best, "coverage80").ok();
        let against = match inner.backtest.score("seasonal_naive", metric) {
            // Only of an error can one be so many per cent below another.
            Ok(naive) if best != "seasonal_naive" && 0.0 <= score && score < naive && is_error => {
                format!(
                    ", {} % below the seasonal naive's {}",
                    number((100.0 * (1.0 - score / naive)).round()),
                    number(naive)
                )
            }
            _ => String::new(),
        };
        let coverage = covered.map_or(String::new(), |c| {
            format!("; its 80 % interval held {} % of the actual values", number((100.0 * c).round()))
        });
        let used = if model == best { String::new() } else { format!(". {model} makes the forecast") };
        let really = Story::of(&inner.backtest, metric)?.really().map_or(String::new(), |said| format!("; {said}"));
        Ok(format!(
            "{best} forecast best over {} {}: {metric} {}{against}{coverage}{really}{used}.",
            inner.backtest.folds().len(),
            if inner.backtest.folds().len() == 1 { "fold" } else { "folds" },
            number(score)
        ))
    }

    /// `the next 8 weeks`, or those after the plan's gap.
    fn ahead(&self) -> String {
        let plan = &self.0.plan;
        let steps = format!("{} {}s", plan.horizon, self.0.panel.frequency().noun());
        match plan.gap {
            0 => format!("the next {steps}"),
            gap => format!("the {steps} after the next {gap}"),
        }
    }

    /// The total of all series over the horizon, with its interval from joint paths.
    fn total(&self, model: &str) -> Result<String> {
        let inner = &*self.0;
        let paths = inner.forecast.paths(2_000, inner.plan.seed)?.total(model)?;
        let (mean, low, high) = spread(paths);
        Ok(format!(
            "{} is expected to total {} over {}, with 80 % probability between {} and {}.",
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
        let mut columns = inner.panel.key_columns(0..shown)?;
        columns.extend([
            Column::new(format!("last {h}").into(), past),
            Column::new(format!("next {h}").into(), mean),
            Column::new("from (q0.1)".into(), low),
            Column::new("to (q0.9)".into(), high),
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
