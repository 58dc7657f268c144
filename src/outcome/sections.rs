//! What follows the first page: sections for those who read on, and the appendix with the evidence.
//!
//! A section is a verb of [`Outcome`], which gives a block under a heading of its own; the plan names which of them its report
//! has. One that cannot be made says why in one line.

use polars::prelude::*;

use super::outlook::Spread;
use super::{BENCHMARK, Outcome};
use crate::error::{Error, Result, suggestion};
use crate::figures::{Band, Bars, Fan, Line};
use crate::plan::Audience;
use crate::report::performance::PerformancePage;
use crate::show::words::{self, capital, counted, rounded};
use crate::show::{Block, Finding, Show, Table, number};

/// Series in the table of totals.
const LISTED: usize = 50;

type Section = (&'static str, &'static str, fn(&Outcome) -> Result<Block>);

/// The sections of a report: name, what it answers, the verb.
pub(crate) const SECTIONS: &[Section] = &[
    (
        "answers",
        "the first page: what happened, what drives it, what comes next, what to do, how sure",
        Outcome::answers,
    ),
    ("history", "what happened: sales so far, growth and where it came from", Outcome::history),
    ("drivers", "what drives sales: the findings that stand", Outcome::causes),
    ("outlook", "what comes next: the forecast, in total and by series", Outcome::expected),
    ("actions", "what to do: orders, or what to plan for", Outcome::actions),
    ("accuracy", "how sure: by how much past forecasts were off", Outcome::accuracy),
    ("evidence", "the evidence: leaderboard, significance, calibration, errors", Outcome::evidence),
    ("data", "the data, and what cleaning did about them", Outcome::data),
    ("challenges", "what was difficult, and how it was met", Outcome::challenges),
    ("method", "how the results were made, with all settings", Outcome::method),
    ("limits", "what the results cannot tell", Outcome::limits),
];

/// The sections of the appendix.
const APPENDED: &[&str] = &["evidence", "data", "challenges", "method", "limits"];
const APPENDIX: &str = "The evidence behind the pages before it, for those who check.";

/// The sections for an audience.
fn usual(audience: Audience) -> &'static [&'static str] {
    match audience {
        Audience::All => &[
            "answers",
            "history",
            "drivers",
            "outlook",
            "actions",
            "accuracy",
            "evidence",
            "data",
            "challenges",
            "method",
            "limits",
        ],
        Audience::Director => &["answers", "outlook", "actions", "limits"],
        Audience::Planner => &["answers", "outlook", "actions", "accuracy", "data", "limits"],
        Audience::Analyst => &[
            "answers",
            "evidence",
            "accuracy",
            "history",
            "drivers",
            "outlook",
            "actions",
            "data",
            "challenges",
            "method",
            "limits",
        ],
    }
}

/// The sections that a plan names, or those of its audience.
///
/// # Errors
/// When there is no such section; the nearest is suggested.
pub(crate) fn sections(named: &[&str], audience: Audience) -> Result<Vec<&'static Section>> {
    let names = if named.is_empty() { usual(audience).to_vec() } else { named.to_vec() };
    let known: Vec<&str> = SECTIONS.iter().map(|section| section.0).collect();
    let find = |name: &&str| {
        SECTIONS.iter().find(|section| section.0 == *name).ok_or_else(|| {
            Error::usage(format!("a report has no section `{name}`{}", suggestion(name, known.iter().copied())))
        })
    };
    names.iter().map(find).collect()
}

impl Outcome {
    /// A section of the report by its name: `history`, `drivers`, `outlook` and the others that the plan's `sections` takes.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let outcome = Plan { models: "seasonal_naive; theta".parse()?, ..Plan::demo()? }.run()?;
    /// let report = Report::new("For the meeting").add(outcome.section("answers")?).add(outcome.section("actions")?);
    /// assert!(report.to_string().contains("What to do"));
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// When there is no such section, or it cannot be made.
    pub fn section(&self, name: &str) -> Result<Block> {
        (sections(&[name], Audience::All)?[0].2)(self)
    }

    /// A section, or a line that says why it is missing.
    pub(super) fn section_or_why(&self, section: &Section) -> Result<Block> {
        match (section.2)(self) {
            Err(error) if error.is_interrupted() => Err(error),
            Err(error) => Ok(Block::Group(vec![
                heading(&headline(section.0)),
                Block::Text(format!("This section is missing: {error}")),
            ])),
            made => made,
        }
    }

    fn history(&self) -> Result<Block> {
        let panel = self.panel();
        let mut blocks = vec![heading("What happened"), panel.plot()?.block(), source("panel.plot()")];
        for (question, finding) in self.so_far() {
            blocks.push(Block::Heading { level: 3, text: finding.headline() });
            blocks.push(finding.told());
            blocks.push(source(&format!("panel.explore({question:?})")));
        }
        Ok(Block::Group(blocks))
    }

    /// Growth and where it came from, each with its question.
    fn so_far(&self) -> Vec<(&'static str, Finding)> {
        let asked = ["trend", "contribution"].into_iter();
        asked.filter_map(|question| Some((question, self.panel().explore(question).ok()?))).collect()
    }

    fn causes(&self) -> Result<Block> {
        let mut blocks = vec![heading("What drives sales")];
        for finding in self.drivers() {
            blocks.push(Block::Heading { level: 3, text: finding.headline() });
            blocks.push(finding.told());
            blocks.push(source("outcome.tour"));
        }
        let unanswered = self.tour().unanswered()?;
        if unanswered.rows() > 0 {
            blocks.push(Block::Heading { level: 3, text: "What these data cannot answer".into() });
            blocks.push(Block::Table(unanswered));
            blocks.push(source("outcome.tour.unanswered()"));
        }
        Ok(Block::Group(blocks))
    }

    fn expected(&self) -> Result<Block> {
        let model = self.forecaster()?;
        let name = self.backtest().name(&model)?;
        let outlook = self.outlook()?;
        let Spread { mean, low, high } = outlook.sum;
        let paths = format!("outcome.forecast.paths(2000, {})", self.plan().seed);
        Ok(Block::Group(vec![
            heading("What comes next"),
            Block::Text(format!(
                "{} of {} is expected over {}; with 80 % probability the total will be between {} and {}. {}",
                self.amount(mean),
                self.panel().columns().target(),
                self.ahead(),
                self.amount(low),
                self.amount(high),
                self.made_by(&model)?.map_or_else(|| format!("Forecast by {name}."), |made| format!("{made}."))
            )),
            self.total_figure()?.block(),
            source(&self.steps_source()?),
            Block::Heading { level: 3, text: "By series".into() },
            // Under its name among the models of the backtest, of which the forecast may have fewer.
            self.forecast().plot_as(&model, &name)?.block(),
            source(&format!("outcome.forecast.plot({model:?})")),
            Block::Table(self.totals(&model)?),
            source(&format!("{paths}.of({model:?}, …)")),
        ]))
    }

    fn actions(&self) -> Result<Block> {
        let mut blocks = vec![heading("What to do")];
        if let Some(decision) = self.decision() {
            blocks.push(decision.block());
            let undecided = decision.undecided()?;
            if undecided.rows() > 0 {
                blocks.push(Block::Heading { level: 3, text: "Without a decision".into() });
                blocks.push(Block::Table(undecided));
            }
            blocks.push(source("outcome.decision"));
            return Ok(Block::Group(blocks));
        }
        let panel = self.panel();
        let noun = panel.frequency().noun();
        blocks.push(Block::Text(format!(
            "Orders need a file that says what is on the shelf, which the plan's field stock names. What to plan for, {noun} by {noun}: \
             what is expected, and what is enough in 9 cases out of 10."
        )));
        blocks.push(Block::Table(self.steps()?));
        blocks.push(source(&self.steps_source()?));
        Ok(Block::Group(blocks))
    }

    /// What is expected step by step, and what is enough in nine of ten cases.
    fn steps(&self) -> Result<Table> {
        let outlook = self.outlook()?;
        let panel = self.panel();
        let label = |step: usize| panel.inner().calendar.label(outlook.start + step as i64);
        let of = |pick: fn(&Spread) -> f64| outlook.steps.iter().map(|step| pick(step).round()).collect::<Vec<f64>>();
        let columns = vec![
            Column::new(panel.frequency().noun().into(), (0..outlook.steps.len()).map(label).collect::<Vec<_>>()),
            Column::new("expected".into(), of(|step| step.mean)),
            Column::new("enough in 9 cases out of 10".into(), of(|step| step.high)),
        ];
        Ok(Table::new(DataFrame::new(outlook.steps.len(), columns)?).titled("What to plan for, all series together"))
    }

    fn accuracy(&self) -> Result<Block> {
        let model = self.forecaster()?;
        Ok(Block::Group(vec![
            heading("How sure we are"),
            Block::Text(self.headline(&model)?),
            self.misses()?.block(),
            source("outcome.backtest.leaderboard(\"wape\")"),
            Block::Heading { level: 3, text: "The last test: forecast and actual sales".into() },
            self.backtest().plot_last(&model)?.block(),
            source(&format!("outcome.backtest.plot_last({model:?})")),
        ]))
    }

    fn evidence(&self) -> Result<Block> {
        let model = self.forecaster()?;
        let metric = &self.plan().metric;
        let backtest = self.backtest();
        let mut blocks = vec![heading("Which model to trust"), Block::Text(self.verdict(&model)?)];
        blocks.extend(PerformancePage::of(&backtest, metric)?.blocks(3)?);
        blocks.push(source(&format!("outcome.backtest.performance({metric:?})")));
        blocks.push(Block::Heading { level: 3, text: "How sure the findings are".into() });
        let findings = self.so_far().into_iter().map(|(_, finding)| finding).chain(self.drivers());
        let sure = |finding: Finding| {
            let sure = finding.sure();
            (!sure.is_empty()).then(|| format!("{}: {}", finding.headline(), sure.join(" ")))
        };
        blocks.push(Block::List([self.tour().sentence()].into_iter().chain(findings.filter_map(sure)).collect()));
        blocks.push(source("outcome.tour.table()"));
        Ok(Block::Group(blocks))
    }

    fn data(&self) -> Result<Block> {
        let panel = self.panel();
        let audit = self.audit();
        let mut blocks = vec![heading("The data"), Block::Text(audit.sentence())];
        blocks.push(crate::report::quality::section(&audit)?);
        blocks.push(source("outcome.audit"));
        blocks.push(Block::Heading { level: 3, text: "The columns".into() });
        blocks.push(Block::Table(panel.described_columns()?));
        blocks.push(source("panel.described_columns()"));
        Ok(Block::Group(blocks))
    }

    fn challenges(&self) -> Result<Block> {
        let panel = self.panel();
        let plan = self.plan();
        let mut points = vec![match self.audit().changes() {
            0 => "The data needed no repair.".to_string(),
            n => format!(
                "{} of the data were repaired as the plan's policy says; each is a row of the audit.",
                counted(n, "value", "values")
            ),
        }];
        if self.forecaster()? != self.best() {
            points.push(format!(
                "{} did best on past data, but needs future values of its known covariates, which the plan does not have: the \
                 forecast is made by the best model that does without.",
                self.backtest().name(&self.best())?
            ));
        }
        let cycles = panel.extent().map_or(0, |(first, last)| (last - first + 1) as usize / panel.season().max(1));
        if panel.season() > 1 && cycles < 3 {
            points.push(format!(
                "The history has only {} of the season: models that share seasons among series, and tests on past data, guard \
                 against taking single events for one.",
                counted(cycles, "complete cycle", "complete cycles")
            ));
        }
        let failures = [self.backtest().failures(), self.forecast().failures()].concat();
        points.push(match failures.first() {
            None => "Every model could be fitted to every series.".to_string(),
            Some(first) => format!(
                "{} failed (first: {} on {}: {}); they are counted on the leaderboard and not replaced under another name.",
                counted(failures.len(), "fit", "fits"),
                first.model,
                first.series,
                first.reason
            ),
        });
        points.push(
            "Effects found by chance: every question counts as a test, what survives is asked for again in parts of the data, \
             the rest is not told."
                .to_string(),
        );
        points.push(format!(
            "Forecasts that look good on the data they were made from: {} with {} are told apart on data that they had not seen.",
            counted(self.backtest().models().len(), "model", "models"),
            counted(plan.folds().len(), "test", "tests")
        ));
        Ok(Block::Group(vec![heading("Challenges, and how they were met"), Block::List(points)]))
    }

    fn method(&self) -> Result<Block> {
        let backtest = self.backtest();
        let plan = self.plan();
        let panel = self.panel();
        let noun = panel.frequency().noun();
        let points = vec![
            format!(
                "Backtest: {}; models ranked by {}.",
                backtest.folds().to_string().trim(),
                words::metric(backtest.deciding(&plan.metric)?.name)
            ),
            format!(
                "Season: {}{}.",
                counted(panel.season(), noun, &format!("{noun}s")),
                if plan.season.is_some() { ", as stated" } else { ", the default of the frequency" }
            ),
            "Intervals come from each model's forecast distributions. Totals come from 2,000 joint sample paths, so that series \
             that move together also do so in the total."
                .into(),
            self.tour().method(),
        ];
        Ok(Block::Group(vec![
            heading("Method and settings"),
            Block::List(points),
            Block::Text("The plan, defaults left out:".into()),
            plan.block(),
        ]))
    }

    fn limits(&self) -> Result<Block> {
        let panel = self.panel();
        let (_, last) = panel.span();
        let mut points = vec![
            format!(
                "The tests cover {} up to {last}. The intervals do not cover what none of them has seen, such as a new competitor or \
                 a changed product range.",
                counted(self.backtest().folds().len(), "past period", "past periods")
            ),
            "The effects told here are associations: they do not prove that one thing causes the other.".into(),
            "Sales are what was sold: where shelves were empty, demand was higher than the data say, unless a column \
             says when items could be sold."
                .into(),
        ];
        points.extend(self.forecast().caveat());
        points.extend(self.decision().and_then(|decision| decision.caveat()));
        points.extend(self.backtest().caveat());
        Ok(Block::Group(vec![heading("Limits"), Block::List(points)]))
    }

    /// History and forecast of all series together.
    pub(super) fn total_figure(&self) -> Result<crate::show::Figure> {
        let outlook = self.outlook()?;
        let panel = self.panel();
        let (axis, history, mean) = outlook.lines(&panel);
        let ends = |pick: fn(&Spread) -> f64| outlook.steps.iter().map(pick).collect();
        let bands = vec![Band { level: 0.8, lower: ends(|step| step.low), upper: ends(|step| step.high) }];
        let fan = Fan {
            title: format!("{}: all series, {}", panel.columns().target(), self.ahead()),
            value: self.plan().measured(panel.columns().target()),
            axis,
            history: Line { name: "sold".into(), ..history },
            actual: None,
            mean: Line { name: "expected".into(), ..mean },
            bands,
        };
        Ok(fan.figure())
    }

    /// By how much each model has missed.
    pub(super) fn misses(&self) -> Result<crate::show::Figure> {
        let backtest = self.backtest();
        let model = self.forecaster()?;
        let mut rows: Vec<(String, String, f64)> = Vec::new();
        for label in backtest.models() {
            if let Ok(miss) = backtest.score(&label, "wape") {
                rows.push((backtest.name(&label)?, label, (10.0 * miss).round() / 10.0));
            }
        }
        rows.sort_by(|a, b| a.2.total_cmp(&b.2));
        let best = rows.iter().position(|row| row.1 == model);
        let bars = Bars {
            title: "By how much past forecasts were off".into(),
            value: "average error, % of sales (WAPE)".into(),
            rows: rows.into_iter().map(|(name, _, miss)| (name, miss)).collect(),
            best,
            reference: None,
        };
        Ok(bars.figure())
    }

    /// The best model and how good it is, without technical terms.
    pub(super) fn headline(&self, model: &str) -> Result<String> {
        let backtest = self.backtest();
        let best = backtest.name(&self.best())?;
        let periods = counted(backtest.folds().len(), "past period", "past periods");
        let against = self.gain()?.map_or(String::new(), |(gain, _)| {
            let before = self.season_before();
            format!(": its error was {} % lower than that of repeating the sales of {before}", rounded(gain, 0))
        });
        let coverage = backtest.score(&self.best(), "coverage80").map_or(String::new(), |share| {
            format!(". Its 80 % interval covered {} % of the actual sales", rounded(100.0 * share, 0))
        });
        let used = self.made_by(model)?.map_or(String::new(), |made| format!(". {made}"));
        Ok(format!("In a test on {periods}, {best} was the most accurate model{against}{coverage}{used}."))
    }

    /// The best model, its score, and whether it is significantly better than the second and the benchmark.
    fn verdict(&self, model: &str) -> Result<String> {
        let backtest = self.backtest();
        let metric = backtest.deciding(&self.plan().metric)?.name;
        let best = backtest.name(&self.best())?;
        let score = backtest.score(&self.best(), metric)?;
        let against = match self.gain()? {
            Some((gain, benchmark)) => {
                let name = backtest.name(BENCHMARK)?;
                format!(", {} % lower than the {} of {name}", rounded(gain, 0), number(benchmark))
            }
            None => String::new(),
        };
        let coverage = backtest.score(&self.best(), "coverage80").map_or(String::new(), |share| {
            format!("; its 80 % interval covered {} % of the actual values", rounded(100.0 * share, 0))
        });
        let significance = PerformancePage::of(&backtest, metric)?.significance();
        let significance = significance.map_or(String::new(), |sentence| format!(" {sentence}"));
        let used = self.made_by(model)?.map_or(String::new(), |made| format!(" {made}."));
        Ok(format!(
            "{best} is the most accurate model over {}: {} {}{against}{coverage}.{significance}{used}",
            counted(backtest.folds().len(), "fold", "folds"),
            words::metric(metric),
            number(score)
        ))
    }

    /// Who makes the forecast, if not the best model.
    fn made_by(&self, model: &str) -> Result<Option<String>> {
        let name = self.backtest().name(model)?;
        Ok((model != self.best()).then(|| format!("The forecast is made by {name}")))
    }

    /// By how many per cent the error of the best model is below that of the seasonal naive method, and the latter.
    fn gain(&self) -> Result<Option<(f64, f64)>> {
        let backtest = self.backtest();
        let best = self.best();
        let decides = backtest.deciding(&self.plan().metric)?;
        let score = backtest.score(&best, decides.name)?;
        // Only errors have a meaningful ratio.
        let comparable = decides.best == 0.0 && score >= 0.0 && best != BENCHMARK;
        let benchmark = backtest.score(BENCHMARK, decides.name).ok();
        let gain = |benchmark: f64| (100.0 * (1.0 - score / benchmark), benchmark);
        Ok(benchmark.filter(|benchmark| comparable && score < *benchmark).map(gain))
    }

    /// One row per series and one for all: the last horizon's actual total and the forecast total with its interval.
    fn totals(&self, model: &str) -> Result<Table> {
        let panel = self.panel();
        let outlook = self.outlook()?;
        let horizon = self.plan().horizon;
        let keys = panel.keys();
        let shown = keys.len().min(LISTED);
        let last = |i: usize| -> f64 {
            let y = panel.regular(i);
            y[y.len().saturating_sub(horizon)..].iter().filter(|v| !v.is_nan()).sum()
        };
        let mut past: Vec<f64> = (0..shown).map(last).collect();
        let mut ahead: Vec<Option<Spread>> = Vec::new();
        for key in keys.iter().take(shown) {
            ahead.push(outlook.of_series(&self.forecast(), model, key)?);
        }
        past.push((0..keys.len()).map(last).sum());
        ahead.push(Some(outlook.sum));
        let noun = panel.frequency().noun();
        let steps = counted(horizon, noun, &format!("{noun}s"));
        let of = |pick: fn(Spread) -> f64| ahead.iter().map(|spread| spread.map(pick)).collect::<Vec<_>>();
        let mut columns: Vec<Column> = Vec::new();
        for (place, column) in panel.key_columns(0..shown)?.into_iter().enumerate() {
            let mut cells: Vec<String> =
                column.cast(&DataType::String)?.str()?.iter().map(|cell| cell.unwrap_or("").to_string()).collect();
            cells.push(if place == 0 { "all series".into() } else { String::new() });
            columns.push(Column::new(column.name().clone(), cells));
        }
        columns.extend([
            Column::new(format!("last {steps}").into(), past),
            Column::new(format!("next {steps}").into(), of(|spread| spread.mean)),
            Column::new("80 % interval, from".into(), of(|spread| spread.low)),
            Column::new("80 % interval, to".into(), of(|spread| spread.high)),
        ]);
        let title = match keys.len() {
            n if n > shown => format!("Totals of the first {shown} of {} series, and of all", number(n as f64)),
            _ => "Totals by series".to_string(),
        };
        Ok(Table::new(DataFrame::new(shown + 1, columns)?).titled(title).highlight(shown))
    }

    /// The findings that drive sales, those that stand first; growth and where it came from are told elsewhere.
    pub(super) fn drivers(&self) -> Vec<Finding> {
        let tour = self.tour();
        let mut drivers: Vec<Finding> = tour.findings();
        for finding in self.findings().into_iter().chain(tour.described()) {
            if drivers.iter().all(|known| known.title() != finding.title()) {
                drivers.push(finding);
            }
        }
        drivers.retain(|finding| !["Growth", "Where the change came from"].contains(&finding.title().as_str()));
        drivers
    }
}

/// The heading that a section would have.
fn headline(name: &str) -> String {
    capital(SECTIONS.iter().find(|section| section.0 == name).map_or(name, |section| section.1))
}

pub(super) fn heading(text: &str) -> Block {
    Block::Heading { level: 2, text: text.into() }
}

pub(super) fn source(query: &str) -> Block {
    Block::Source(query.into())
}

/// The place of the first section of the appendix: from there on all belong to it. Limits alone need none, nor does a report that
/// has nothing before it.
pub(super) fn appendix(sections: &[&Section]) -> Option<usize> {
    let begins = sections.iter().rposition(|section| !APPENDED.contains(&section.0))? + 1;
    sections[begins..].iter().any(|section| section.0 != "limits").then_some(begins)
}

pub(super) fn appendix_heading() -> Block {
    Block::Group(vec![heading("Appendix"), Block::Text(APPENDIX.into())])
}
