//! The results of a plan: the data with their audit, the findings, the backtest, the best model, the forecast, the decision, and the
//! report and slides on them.
//!
//! | file | question |
//! |---|---|
//! | `mod.rs` | what does a run consist of? |
//! | `answers.rs` | what does the first page say? |
//! | `sections.rs` | what follows it? |
//! | `deck.rs` | which slides tell it? |
//! | `outlook.rs` | what do all series come to together? |
//! | `tracked.rs` | what is kept of a run? |

mod answers;
mod deck;
mod outlook;
pub(crate) mod sections;
mod tracked;

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use self::outlook::Outlook;
use crate::decide::Decision;
use crate::error::{Error, Result};
use crate::evaluate::Backtest;
use crate::explore::Tour;
use crate::figures::TimeAxis;
use crate::forecast::Forecast;
use crate::panel::{Audit, Panel};
use crate::plan::Plan;
use crate::report::{Origin, Report, pdf_ready};
use crate::show::words::{counted, season_before};
use crate::show::{Block, Finding, Show, number};

/// The bundled sales, so that the demonstration runs from any folder.
const SALES: &str = include_str!("../../data/walmart_sales_weekly.csv");
const SALES_FILE: &str = "data/walmart_sales_weekly.csv";
/// What is on their shelves.
const STOCK: &str = include_str!("../../data/stock.csv");
const STOCK_FILE: &str = "data/stock.csv";

/// The label of the model that repeats the last season.
const BENCHMARK: &str = "seasonal_naive";

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
    tour: Tour,
    /// What to order, where the plan says what is on the shelf.
    decision: Option<Decision>,
    /// The total of the model that forecasts, once it is needed.
    outlook: OnceLock<Outlook>,
}

impl Plan {
    /// Runs the plan: reads, cleans, audits, explores, backtests, forecasts with every model, and picks the best by the
    /// metric. Where the plan says [`track`](Plan::track), the run is kept there.
    ///
    /// # Errors
    /// Those of the verbs that it calls.
    pub fn run(&self) -> Result<Outcome> {
        self.check()?;
        sections::sections(&self.sections.names(), self.audience)?;
        // Before the work: a place that is none is told at once.
        let runs = self.runs()?;
        let began = SystemTime::now();
        let outcome = self.unless_failed(runs.as_ref(), "failed", began, Outcome::of(self))?;
        runs.map_or(Ok(()), |runs| outcome.keep(&runs, Some(began)).map(|_| ()))?;
        Ok(outcome)
    }

    /// The plan of the demonstration: weekly sales of seven departments with promotions, holidays and weather. Writes
    /// the bundled data to `data/` if they are not there.
    ///
    /// # Errors
    /// When the data cannot be written.
    pub fn demo() -> Result<Self> {
        for (file, text) in [(SALES_FILE, SALES), (STOCK_FILE, STOCK)] {
            if !crate::files::exists(Path::new(file)) {
                crate::files::write_atomically(Path::new(file), text.as_bytes())?;
            }
        }
        // All that the program can write.
        let pdf = if pdf_ready().is_ok() { "pdf; " } else { "" };
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
            format = "md; html; {pdf}slides; pptx; dashboard"
            stock = "{STOCK_FILE}"
            lead_time = 2
            cycle_service = 0.95
            currency = "$"
            names = "Weekly_Sales=Sales, IsHoliday=Holiday week"
            "#
        ))
    }
}

impl Inner {
    /// The best in the backtest of the models that could forecast.
    fn forecaster(&self) -> Result<String> {
        let board = self.backtest.leaderboard(&self.plan.metric)?;
        let models = self.forecast.models();
        for row in 0..board.rows() {
            let label = board.get(row, "model")?.to_string();
            if models.contains(&label) {
                return Ok(label);
            }
        }
        Err(Error::model("no model could forecast"))
    }
}

impl Outcome {
    fn of(plan: &Plan) -> Result<Self> {
        let chain = plan.panel()?;
        // What was sold is told of the series themselves: their sums would count everything several times.
        let panel = chain.leaves().unwrap_or(&chain).clone();
        let audit = panel.audit()?;
        let findings = crate::explore::first_findings(&panel)?;
        let backtest = plan.backtest_of(&chain, plan.models()?)?;
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
        let forecast = plan.forecast_of(&plan.fits_of(&chain, &models)?)?;
        let tour = panel.tour()?;
        let plan = plan.clone();
        let (decision, outlook) = (None, OnceLock::new());
        let mut inner = Inner { plan, panel, audit, findings, backtest, best, forecast, tour, decision, outlook };
        if inner.plan.stock.is_some() {
            let models = inner.forecaster()?.parse()?;
            inner.decision = Some(Plan { models, ..inner.plan.clone() }.decide_stock_of(inner.panel.clone())?);
        }
        Ok(Self(Arc::new(inner)))
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

    /// The findings that matter, told from chance.
    pub fn tour(&self) -> Tour {
        self.0.tour.clone()
    }

    /// What to order now, where the plan names a file with the stock.
    pub fn decision(&self) -> Option<Decision> {
        self.0.decision.clone()
    }

    /// The best in the backtest of the models that could forecast.
    pub(crate) fn forecaster(&self) -> Result<String> {
        self.0.forecaster()
    }

    /// The total of all series over the horizon, by the model that forecasts.
    fn outlook(&self) -> Result<&Outlook> {
        if let Some(outlook) = self.0.outlook.get() {
            return Ok(outlook);
        }
        let outlook = Outlook::of(&self.0.forecast, &self.forecaster()?, self.0.plan.seed)?;
        Ok(self.0.outlook.get_or_init(|| outlook))
    }

    /// The report: the sections that the plan names, or those of its audience; the appendix behind them.
    ///
    /// # Errors
    /// When the plan names an unknown section. A section that cannot be made says why in its place.
    pub fn report(&self) -> Result<Report> {
        let plan = self.plan();
        let mut report = self.framed()?;
        let sections = sections::sections(&plan.sections.names(), plan.audience)?;
        let appendix = sections::appendix(&sections);
        for (place, section) in sections.into_iter().enumerate() {
            if appendix == Some(place) {
                report = report.add(sections::appendix_heading());
            }
            report = report.add(self.section_or_why(section)?);
        }
        Ok(report)
    }

    /// A report without blocks: its title, where its numbers come from, how it is framed.
    fn framed(&self) -> Result<Report> {
        Ok(self.plan().blank_report()?.subtitle(self.about()).from(self.origin()?))
    }

    /// `7 series, weekly (Fridays), 2010-02-05 to 2012-10-26; forecast of 8 weeks`.
    fn about(&self) -> String {
        let (panel, plan) = (self.panel(), self.plan());
        let (first, last) = panel.span();
        let noun = panel.frequency().noun();
        format!(
            "{} series, {}, {first} to {last}; forecast of {}",
            number(panel.len() as f64),
            panel.frequency(),
            counted(plan.horizon, noun, &format!("{noun}s"))
        )
    }

    /// Where the numbers come from.
    fn origin(&self) -> Result<Origin> {
        let (panel, plan) = (self.panel(), self.plan());
        let (first, last) = panel.span();
        let data = &panel.inner().origin.source;
        let facts = vec![
            ("data", data.clone()),
            ("fingerprint of the data", panel.fingerprint()),
            ("rows, series", format!("{}, {}", number(panel.rows() as f64), number(panel.len() as f64))),
            ("seed", plan.seed.to_string()),
            ("program", format!("Tradewind {}", env!("CARGO_PKG_VERSION"))),
        ];
        let facts = facts.into_iter().map(|(name, fact)| (name.to_string(), fact)).collect();
        Ok(Origin { said: format!("{data}, {first} to {last}"), facts })
    }

    /// `the year before`: when the seasonal naive method looks.
    fn season_before(&self) -> String {
        let frequency = self.0.panel.frequency();
        season_before(frequency.noun(), self.0.panel.season(), frequency.week())
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
}

/// Dates, or steps where the calendar has none.
fn axis(panel: &Panel) -> TimeAxis {
    if panel.frequency().is_whole() { TimeAxis::Steps } else { TimeAxis::Dates }
}

impl Show for Outcome {
    fn block(&self) -> Block {
        Block::Group(vec![self.0.audit.block(), self.0.backtest.block(), self.0.forecast.block()])
    }
}

crate::show::noun!(Outcome);
