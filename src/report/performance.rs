//! Which model is best, by how much, is the difference significant, and where does the model fail? A backtest as a
//! page.
//!
//! A summary, then one question per heading, each answered with a sentence and a figure. The numbers behind them are
//! those of the backtest's verbs; tables appear only where the figure does not replace them.

use polars::prelude::*;

use super::Report;
use crate::error::Result;
use crate::evaluate::Backtest;
use crate::evaluate::significance::{LEVEL, loss};
use crate::figures::{Line, Lines, Matrix, TimeAxis};
use crate::format::{MISSING, number};
use crate::metrics::{METRICS, Metric};
use crate::show::words::{self, counted, listed, p_value, rounded};
use crate::show::{Block, Show, Table};
use crate::statistics::holm;

/// The most folds that are drawn as a matrix; more are drawn as lines.
const MOST_FOLDS: usize = 10;
/// The fewest series that are compared by thirds.
const LEAST_SERIES: usize = 6;

impl Backtest {
    /// The performance of the models as a report of its own, or as part of another: the best model and its margin, the
    /// leaderboard, whether differences are significant, scores by fold, by step ahead and by demand class, the
    /// calibration of the intervals, and an error analysis of the best model.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales");
    /// let sales = Panel::read("data/walmart_sales_weekly.csv", columns)?;
    /// let trial = sales.backtest(["seasonal_naive", "theta"], Folds::new(3, 4))?;
    /// let page = trial.performance("mase")?;
    /// assert!(page.to_string().contains("Is the best model significantly better?"));
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// When there is no such metric, no model could be scored by it, or a figure cannot be drawn.
    pub fn performance(&self, metric: &str) -> Result<Report> {
        let page = PerformancePage::of(self, metric)?;
        let panel = self.panel();
        let mut report = Report::new(format!("Performance: {}", panel.inner().columns.target))
            .subtitle(format!(
                "{} on {} series; {}",
                counted(self.models().len(), "model", "models"),
                number(panel.len() as f64),
                self.folds().to_string().trim()
            ))
            .heading("In short")
            .add(Block::List(page.in_short()?));
        for block in page.blocks(2)? {
            report = report.add(block);
        }
        Ok(report)
    }
}

/// A column of the leaderboard as a page shows it: its metric's name and unit, and as many digits as can be compared.
fn as_shown(column: &Column) -> Result<Column> {
    let (name, factor, decimals) = match column.name().as_str() {
        "wape" => ("WAPE, %", 1.0, 1),
        "bias" => ("bias, %", 1.0, 1),
        "coverage80" => ("80 % coverage, %", 100.0, 0),
        metric if METRICS.named(metric).is_ok() => {
            return Ok(column.clone().with_name(words::metric(metric).into()));
        }
        _ => return Ok(column.clone()),
    };
    let ten = 10_f64.powi(decimals);
    let shown = |value: Option<f64>| value.map(|value| (value * factor * ten).round() / ten);
    Ok(Column::new(name.into(), column.f64()?.iter().map(shown).collect::<Vec<_>>()))
}

/// What the sections of a performance page share.
pub(crate) struct PerformancePage<'a> {
    backtest: &'a Backtest,
    by: &'static Metric,
    /// The loss that is tested: the metric, or the mean absolute error where the metric is a bias or a coverage.
    tested: &'static Metric,
    /// Models that have a score, the best first: indices into the backtest's models.
    order: Vec<usize>,
    /// Their labels, and what readers are told instead.
    labels: Vec<String>,
    names: Vec<String>,
}

impl<'a> PerformancePage<'a> {
    pub(crate) fn of(backtest: &'a Backtest, metric: &str) -> Result<Self> {
        let by = backtest.deciding(metric)?;
        backtest.best(metric)?;
        let order: Vec<usize> = backtest.ranked(by).into_iter().filter(|m| backtest.mean(by, *m).is_some()).collect();
        let of = |all: Vec<String>| order.iter().map(|m| all[*m].clone()).collect();
        let (labels, names) = (of(backtest.models()), of(backtest.names()));
        let tested = match loss(by.name) {
            Ok(by) => by,
            Err(_) => loss("mae")?,
        };
        Ok(Self { backtest, by, tested, order, labels, names })
    }

    fn best(&self) -> &str {
        &self.names[0]
    }

    fn score(&self, place: usize) -> f64 {
        self.backtest.mean(self.by, self.order[place]).unwrap_or(f64::NAN)
    }

    /// The ranks of the second model and of the naive benchmark, if they are not the best.
    fn rivals(&self) -> Vec<usize> {
        let naive =
            ["seasonal_naive", "naive"].iter().find_map(|label| self.labels.iter().position(|one| one == label));
        let mut rivals: Vec<usize> = [(self.names.len() > 1).then_some(1), naive].into_iter().flatten().collect();
        rivals.retain(|place| *place != 0);
        rivals.dedup();
        rivals
    }

    /// By model after the first, the p-value of its difference from the first, with Holm's correction.
    fn corrected(&self) -> Vec<Option<f64>> {
        let tests = self.order[1..].iter().map(|m| self.backtest.pairwise_test(self.order[0], *m, self.tested).p());
        let p: Vec<Option<f64>> = tests.collect();
        let mut corrected = holm(&p.iter().flatten().copied().collect::<Vec<_>>()).into_iter();
        p.iter().map(|p| p.and_then(|_| corrected.next())).collect()
    }

    /// `It is significantly better than Naive (last value; p < 0.001), not significantly better than ARIMA (p = 0.31).`
    pub(crate) fn significance(&self) -> Option<String> {
        let rivals = self.rivals();
        if rivals.is_empty() {
            return None;
        }
        let mut untested = None;
        let corrected = self.corrected();
        // Rivals with the same verdict share its words.
        let mut parts: Vec<(&str, Vec<String>)> = Vec::new();
        for rival in rivals {
            let pair = self.backtest.pairwise_test(self.order[0], self.order[rival], self.tested);
            let name = &self.names[rival];
            let (verdict, name) = match (&pair.test, corrected[rival - 1]) {
                (Ok(test), Some(p)) if test.mean == 0.0 && p >= 1.0 => ("no better than", name.clone()),
                (Ok(test), Some(p)) => {
                    let verdict = if p < LEVEL && test.mean < 0.0 {
                        "significantly better than"
                    } else if p < LEVEL && test.mean > 0.0 {
                        "on average over folds significantly worse than"
                    } else {
                        "not significantly better than"
                    };
                    (verdict, words::aside(name, &p_value(p)))
                }
                (Err(why), _) => {
                    untested = Some(why.to_string());
                    continue;
                }
                _ => continue,
            };
            match parts.last_mut().filter(|(last, _)| *last == verdict) {
                Some((_, names)) => names.push(name),
                None => parts.push((verdict, vec![name])),
            }
        }
        match (parts.is_empty(), untested) {
            (true, None) => None,
            (true, Some(why)) => Some(format!("The difference cannot be tested: {why}.")),
            (false, _) => {
                let words = |(verdict, names): &(&str, Vec<String>)| format!("{verdict} {}", names.join(" and "));
                Some(format!("It is {}.", parts.iter().map(words).collect::<Vec<_>>().join(", ")))
            }
        }
    }

    /// The summary.
    fn in_short(&self) -> Result<Vec<String>> {
        let metric = words::metric(self.by.name);
        let comparable = self.by.is_loss && self.score(0) >= 0.0;
        let against = self.rivals().into_iter().filter(|rival| comparable && self.score(*rival) > 0.0);
        let against: Vec<String> = against
            .map(|rival| {
                let lower = 100.0 * (1.0 - self.score(0) / self.score(rival));
                let name = &self.names[rival];
                let name = if rival == 1 { words::aside(name, "second") } else { name.clone() };
                format!("{} % lower than {name}", rounded(lower, 1))
            })
            .collect();
        let against = if against.is_empty() { String::new() } else { format!(", {}", against.join(" and ")) };
        let score = number(self.score(0));
        let significance = self.significance().map_or(String::new(), |sentence| format!(" {sentence}"));
        let mut points = vec![match self.names.len() {
            1 => format!("{} is the only model; its {metric} is {score}.", self.best()),
            n => format!("{} is the best of {n} models: {metric} {score}{against}.{significance}", self.best()),
        }];
        if let Ok(finding) = self.backtest.calibration_of(&self.labels[0]) {
            points.push(finding.sentence());
        }
        if let Some(finding) = self.backtest.errors(&self.labels[0]).ok().and_then(|found| found.into_iter().next()) {
            points.push(finding.sentence().split_inclusive(". ").next().unwrap_or_default().trim().to_string());
        }
        Ok(points)
    }

    /// The sections, each under a heading of this level.
    pub(crate) fn blocks(&self, level: u8) -> Result<Vec<Block>> {
        let mut blocks = Vec::new();
        let mut section = |title: &str, inner: Vec<Block>| {
            if !inner.is_empty() {
                blocks.push(Block::Heading { level, text: title.to_string() });
                blocks.extend(inner);
            }
        };
        section("Leaderboard", self.leaderboard()?);
        section("Is the best model significantly better?", self.best_against_second()?);
        section("Which models differ significantly?", self.mean_ranks()?);
        section("Accuracy by fold", self.by_fold()?);
        section("Accuracy by horizon", self.by_step()?);
        let (title, inner) = self.by_class()?;
        section(&title, inner);
        section("Accuracy by level", self.by_level()?);
        if let Ok(finding) = self.backtest.calibration() {
            section(&finding.title(), vec![finding.block()]);
        }
        for finding in self.backtest.errors(&self.labels[0])? {
            // The figure replaces the table, except for the factors, whose table has the counts.
            let read = finding.title().starts_with("Factors");
            let mut inner = vec![Block::Text(finding.sentence())];
            inner.extend(finding.figure().ok().map(Block::Figure));
            inner.extend(read.then(|| Block::Table(finding.table())));
            inner.extend(finding.caveats().into_iter().map(Block::Note));
            section(&finding.title(), inner);
        }
        section("Labels of the models", vec![Block::Table(self.typed()?)]);
        Ok(blocks)
    }

    /// What is typed for each name.
    fn typed(&self) -> Result<Table> {
        let order = self.backtest.ranked(self.by);
        let of = |all: Vec<String>| order.iter().map(|m| all[*m].clone()).collect::<Vec<_>>();
        let columns = vec![
            Column::new("model".into(), of(self.backtest.names())),
            Column::new("label".into(), of(self.backtest.models())),
        ];
        Ok(Table::new(DataFrame::new(order.len(), columns)?).titled("What to type in commands, plans and scripts"))
    }

    /// The columns of the leaderboard that readers need first, and the significance of the first place.
    fn leaderboard(&self) -> Result<Vec<Block>> {
        let names = self.backtest.names();
        let ranked = self.backtest.ranked(self.by);
        let board =
            self.backtest.leaderboard(self.by.name)?.with("model", ranked.iter().map(|m| names[*m].as_str()))?;
        let mut wanted = vec!["model", self.by.name, "mase", "wape", "bias", "coverage80", "failures"];
        let mut seen = std::collections::HashSet::new();
        wanted.retain(|name| seen.insert(*name));
        let mut frame = DataFrame::empty();
        for name in wanted {
            frame.with_column(as_shown(board.frame().column(name)?)?)?;
        }
        let mut note = None;
        if self.names.len() > 1 {
            let p = self.corrected();
            let column = std::iter::once(None).chain(p.iter().copied());
            // Models without a score come last and have no test.
            let value = |p: f64| p_value(p).trim_start_matches("p ").trim_start_matches("= ").to_string();
            let mut column: Vec<String> = column.map(|p| p.map_or(MISSING.into(), value)).collect();
            column.resize(frame.height(), MISSING.into());
            if p.iter().any(Option::is_some) {
                frame.with_column(Column::new("p against first".into(), column))?;
                note = Some(format!(
                    "p against first: p-value of the difference in {} from the best model (Diebold–Mariano test over \
                     folds, Holm's correction for {}); significant below {LEVEL}.",
                    words::metric(self.tested.name),
                    counted(p.len(), "comparison", "comparisons")
                ));
            }
        }
        let mut blocks = vec![
            Block::Figure(self.backtest.plot(self.by.name)?),
            Block::Table(Table::new(frame).titled("Leaderboard").highlight(0)),
        ];
        blocks.extend(note.map(Block::Text));
        blocks.extend(self.backtest.caveat_on(&names).map(Block::Note));
        Ok(blocks)
    }

    /// The comparison of the best model with the second.
    fn best_against_second(&self) -> Result<Vec<Block>> {
        if self.names.len() < 2 {
            let text = "There is only one model. Add a benchmark to compare it with: seasonal_naive or naive.";
            return Ok(vec![Block::Note(text.into())]);
        }
        let metric = self.tested.name;
        let mut blocks = Vec::new();
        if metric != self.by.name {
            blocks.push(Block::Text(format!(
                "The test uses {}, because {} in one window is neither good nor bad.",
                words::metric(metric),
                words::metric(self.by.name)
            )));
        }
        let finding = self.backtest.compare(&self.labels[0], &self.labels[1], metric)?;
        blocks.push(Block::Text(finding.sentence()));
        // Without a test the figure would show no intervals.
        let tested = finding.table().column("p")?.into_iter().next().is_some_and(|p| p != crate::show::Value::Missing);
        if tested {
            blocks.push(Block::Figure(finding.figure()?));
        }
        blocks.extend(finding.caveats().into_iter().map(Block::Note));
        if let (3.., Some(p)) = (self.names.len(), self.corrected()[0]) {
            let count = counted(self.names.len() - 1, "comparison", "comparisons");
            blocks.push(Block::Note(format!(
                "This is the test of this pair alone; with Holm's correction for {count}, as in the leaderboard, {}.",
                p_value(p)
            )));
        }
        Ok(blocks)
    }

    /// The critical-difference diagram, if there are more than two models.
    fn mean_ranks(&self) -> Result<Vec<Block>> {
        if self.names.len() < 3 {
            return Ok(Vec::new());
        }
        let ranks = self.backtest.ranks(self.tested.name)?;
        let mut blocks = vec![Block::Text(ranks.sentence())];
        blocks.extend(ranks.figure().ok().map(Block::Figure));
        blocks.extend(ranks.caveats().into_iter().map(Block::Note));
        Ok(blocks)
    }

    fn by_fold(&self) -> Result<Vec<Block>> {
        let names = self.backtest.fold_names();
        if names.len() < 2 {
            let text = "There is only one fold, so the stability of these scores is unknown. Use more folds.";
            return Ok(vec![Block::Note(text.into())]);
        }
        let rows = self.rows("fold")?;
        let sentence = self.wins(&rows, &names, "fold");
        let metric = words::metric(self.by.name);
        let title = format!("{metric} by fold");
        let figure = if names.len() <= MOST_FOLDS {
            let value = format!("{metric}; folds by the first date of their test window");
            Matrix { title, value, columns: names, rows, best: self.by.best }.figure()
        } else {
            Lines {
                title,
                value: metric,
                axis: TimeAxis::Steps,
                foot: "fold".into(),
                lines: lines(rows),
                reference: None,
            }
            .figure()
        };
        Ok(vec![Block::Text(sentence), Block::Figure(figure)])
    }

    fn by_step(&self) -> Result<Vec<Block>> {
        let h = self.backtest.folds().horizon();
        if h < 2 {
            return Ok(Vec::new());
        }
        let rows = self.rows("step")?;
        let steps: Vec<String> = (1..=h).map(|step| step.to_string()).collect();
        // For one model, the first and the last step suffice.
        let mut sentence = match rows.len() {
            1 if self.by.is_loss => String::new(),
            _ => self.wins(&rows, &steps, "step"),
        };
        let values = &rows[0].1;
        if let (Some(first), Some(last)) = (values.first(), values.last())
            && self.by.is_loss
            && first.is_finite()
            && last.is_finite()
        {
            sentence = format!(
                "{} of {} is {} at step 1 and {} at step {h}. {sentence}",
                words::capital(&words::metric(self.by.name)),
                self.best(),
                number(*first),
                number(*last)
            );
        }
        let figure = Lines {
            title: format!("{} by horizon", words::metric(self.by.name)),
            value: words::metric(self.by.name),
            axis: TimeAxis::Steps,
            foot: "steps ahead".into(),
            lines: lines(rows),
            reference: (self.by.best != 0.0).then(|| ("target".to_string(), self.by.best)),
        };
        Ok(vec![Block::Text(sentence), Block::Figure(figure.figure())])
    }

    /// By demand class if there are several, else by size.
    fn by_class(&self) -> Result<(String, Vec<Block>)> {
        let classes = self.backtest.group_sizes("class")?;
        let n = self.backtest.panel().len();
        let (dimension, groups, title) = match classes.len() {
            0 | 1 if n < LEAST_SERIES => return Ok((String::new(), Vec::new())),
            0 | 1 => ("size", self.backtest.group_sizes("size")?, "Accuracy by size of series"),
            _ => ("class", classes.clone(), "Accuracy by demand class"),
        };
        let rows = self.rows(dimension)?;
        let names: Vec<String> =
            groups.iter().map(|(name, count)| format!("{name} ({})", number(*count as f64))).collect();
        let plain: Vec<String> = groups.iter().map(|(name, _)| name.clone()).collect();
        let mut sentence = match (dimension, classes.first()) {
            ("size", Some((class, _))) => {
                format!("Demand is {class} in all {} series, so scores are compared by size. ", number(n as f64))
            }
            _ => String::new(),
        };
        sentence += &self.wins(&rows, &plain, if dimension == "class" { "class" } else { "third" });
        let metric = words::metric(self.by.name);
        let figure = Matrix {
            title: format!("{metric} by {}", if dimension == "class" { "demand class" } else { "size of series" }),
            value: format!("{metric}; number of series in brackets"),
            columns: names,
            rows,
            best: self.by.best,
        };
        Ok((title.into(), vec![Block::Text(sentence), Block::Figure(figure.figure())]))
    }

    /// By the levels of a hierarchy, if it is one.
    fn by_level(&self) -> Result<Vec<Block>> {
        if self.backtest.panel().counted()?.iter().all(|counts| *counts) {
            return Ok(Vec::new());
        }
        let groups = self.backtest.group_sizes("level")?;
        let names: Vec<String> =
            groups.iter().map(|(name, count)| format!("{name} ({})", number(*count as f64))).collect();
        let plain: Vec<String> = groups.into_iter().map(|(name, _)| name).collect();
        let rows = self.rows("level")?;
        let metric = words::metric(self.by.name);
        let sentence = self.wins(&rows, &plain, "level");
        let figure = Matrix {
            title: format!("{metric} by level of the hierarchy"),
            value: format!("{metric}; number of series in brackets"),
            columns: names,
            rows,
            best: self.by.best,
        };
        Ok(vec![Block::Text(sentence), Block::Figure(figure.figure())])
    }

    /// The scores of each model by a dimension, the best model first.
    fn rows(&self, dimension: &str) -> Result<Vec<(String, Vec<f64>)>> {
        let table = self.backtest.by(dimension, self.by.name)?;
        let row = |(label, name): (&String, &String)| {
            let values = table.frame().column(label)?.f64()?.iter().map(|value| value.unwrap_or(f64::NAN)).collect();
            Ok((name.clone(), values))
        };
        self.labels.iter().zip(&self.names).map(row).collect()
    }

    /// `Best by MASE: Theta method in 3 of 4 folds; ARIMA in 1 of 4 folds.`
    fn wins(&self, rows: &[(String, Vec<f64>)], columns: &[String], word: &str) -> String {
        if rows.len() < 2 {
            let spread: Vec<f64> = rows[0].1.iter().copied().filter(|value| value.is_finite()).collect();
            let (low, high) =
                spread.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(*v), b.max(*v)));
            return if low.is_finite() {
                format!(
                    "{} ranges from {} to {} over {}.",
                    words::capital(&words::metric(self.by.name)),
                    number(low),
                    number(high),
                    plural(columns.len(), word)
                )
            } else {
                format!("{} is undefined.", words::capital(&words::metric(self.by.name)))
            };
        }
        let loss = |row: &(String, Vec<f64>), column: usize| {
            Some((row.1[column] - self.by.best).abs()).filter(|loss| loss.is_finite())
        };
        let mut won: Vec<Vec<&str>> = vec![Vec::new(); rows.len()];
        for (column, name) in columns.iter().enumerate() {
            let scored = (0..rows.len()).filter_map(|row| Some((row, loss(&rows[row], column)?)));
            if let Some((row, _)) = scored.min_by(|a, b| a.1.total_cmp(&b.1)) {
                won[row].push(name);
            }
        }
        let all = won.iter().map(Vec::len).sum::<usize>();
        let mut order: Vec<usize> = (0..rows.len()).filter(|row| !won[*row].is_empty()).collect();
        order.sort_by_key(|row| usize::MAX - won[*row].len());
        let named = word == "class" || word == "third";
        let winners: Vec<String> = (order.iter().take(4))
            .map(|row| {
                if named {
                    let series = if word == "third" { " series" } else { "" };
                    format!("{} in {}{series}", rows[*row].0, listed(&won[*row], 4))
                } else {
                    format!("{} in {} of {}", rows[*row].0, won[*row].len(), plural(all, word))
                }
            })
            .collect();
        let more = if order.len() > 4 { "; others in the rest".to_string() } else { String::new() };
        format!("Best by {}: {}{more}.", words::metric(self.by.name), winners.join("; "))
    }
}

fn lines(rows: Vec<(String, Vec<f64>)>) -> Vec<Line> {
    let line = |(name, y): (String, Vec<f64>)| Line { name, x: (1..=y.len()).map(|step| step as f64).collect(), y };
    rows.into_iter().map(line).collect()
}

/// `3 folds`, `2 classes`.
fn plural(count: usize, word: &str) -> String {
    let many = if word == "class" { "classes".to_string() } else { format!("{word}s") };
    counted(count, word, &many)
}
