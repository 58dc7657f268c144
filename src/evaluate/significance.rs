//! Is one model significantly better than another, and which models differ at all?
//!
//! **Two models** ([`Backtest::compare`]): the Diebold–Mariano test, with the correction of Harvey, Leybourne and
//! Newbold, on the difference of their scores. The result depends on what counts as one observation. Series share their
//! dates, and the steps of one window share their origin: the same shock hits all of them. So **one fold is one
//! observation**, the mean over all series and steps of its window (average superiority over a horizon, Quaedvlieg
//! 2021, *Journal of Business & Economic Statistics* 39). Folds whose windows overlap may be correlated: the test
//! includes one autocovariance per overlapping fold, but is never more confident than for folds that do not overlap.
//! Counting every date as an observation, with autocovariances up to the horizon, rejects too often: in 14 of 100
//! trials instead of 5 for 4 folds of 8 steps (`tests/oracles/comparison.py --size`). Panels of numbered steps have no
//! dates in common, and each series is cut at its own end: there one series is one observation.
//!
//! **All models** ([`Backtest::ranks`]): mean ranks over series, the Friedman test with the F statistic of Iman and
//! Davenport, and the Nemenyi critical difference; over folds if there is one series.
//!
//! Weak with few folds: with three or four, only large and consistent differences are significant. Read the confidence
//! interval then, not the verdict.

use polars::prelude::*;

use super::backtest::Backtest;
use crate::error::{Error, Result};
use crate::figures::{CriticalDifference, Intervals};
use crate::format::number;
use crate::metrics::{self, METRICS, Metric};
use crate::models::place;
use crate::show::{Finding, Table, words};
use crate::statistics::{DieboldMariano, alike, critical_difference, diebold_mariano, friedman, holm, wilcoxon};

/// The level of significance.
pub(crate) const LEVEL: f64 = 0.05;
/// The most groups of steps that are tested separately.
const GROUPS: usize = 12;

/// Two models on the windows that both could forecast.
pub(crate) struct PairwiseTest {
    /// Their mean scores over the observations.
    pub(crate) one: f64,
    pub(crate) other: f64,
    /// The Diebold–Mariano test, or why there is none.
    pub(crate) test: Result<DieboldMariano>,
}

impl PairwiseTest {
    /// The p-value, where there is a test.
    pub(crate) fn p(&self) -> Option<f64> {
        self.test.as_ref().ok().map(|test| test.p_value)
    }
}

impl Backtest {
    /// Is `one` significantly better than `other`? The Diebold–Mariano test on the difference of their scores, with one
    /// observation per fold (per series where series have no dates in common). The table has a row for all steps and
    /// one per step ahead: both scores, their difference with its 95 % confidence interval, and the p-value.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales");
    /// let sales = Panel::read("data/walmart_sales_weekly.csv", columns)?;
    /// let trial = sales.backtest(["naive", "theta"], Folds::new(8, 4))?;
    /// let finding = trial.compare("theta", "naive", "mae")?;
    /// assert!(finding.sentence().contains("Theta method") && finding.table().get(0, "p").is_ok());
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// When there is no such model or metric, the models are the same, or the metric is not a loss (bias, coverage).
    pub fn compare(&self, one: &str, other: &str, metric: &str) -> Result<Finding> {
        let by = loss(metric)?;
        let metric = words::metric(by.name);
        let ((a, one), (b, other)) = (place(one, &self.0.models)?, place(other, &self.0.models)?);
        if a == b {
            return Err(Error::usage(format!("{one} cannot be compared with itself; name two models")));
        }
        let whole = self.pairwise_test(a, b, by);
        let mut rows: Vec<(String, PairwiseTest)> = self.tests_by_step(a, b, by);
        rows.insert(0, ("all steps".into(), whole));
        let Some((_, whole)) = rows.first() else { return Err(Error::model("nothing to compare")) };

        let names = self.names();
        let (first, second) = (names[a].as_str(), names[b].as_str());
        let sentence = self.verdict(first, second, by, whole);
        let tested = |pick: fn(&DieboldMariano) -> f64| -> Vec<Option<f64>> {
            rows.iter().map(|(_, pair)| pair.test.as_ref().ok().map(pick)).collect()
        };
        let scores = |pick: fn(&PairwiseTest) -> f64| -> Vec<Option<f64>> {
            rows.iter().map(|(_, pair)| Some(pick(pair)).filter(|score| score.is_finite())).collect()
        };
        let columns = vec![
            Column::new("steps".into(), rows.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>()),
            Column::new(one.into(), scores(|pair| pair.one)),
            Column::new(other.into(), scores(|pair| pair.other)),
            Column::new("difference".into(), scores(|pair| pair.one - pair.other)),
            Column::new("from".into(), tested(|test| test.mean - test.margin)),
            Column::new("to".into(), tested(|test| test.mean + test.margin)),
            Column::new(
                if self.unit() == "fold" { "folds".into() } else { "series".into() },
                rows.iter()
                    .map(|(_, pair)| pair.test.as_ref().ok().map(|test| test.origins as u64))
                    .collect::<Vec<_>>(),
            ),
            Column::new("statistic".into(), tested(|test| test.statistic)),
            Column::new("p".into(), tested(|test| test.p_value)),
        ];
        let title = format!("Is {first} better than {second}?");
        let table = Table::new(DataFrame::new(rows.len(), columns)?).titled(format!("{first} vs {second} by {metric}"));
        let figure = Intervals {
            level: 0.95,
            title: title.clone(),
            value: format!("difference in {metric}, {first} minus {second}"),
            rows: rows
                .iter()
                .map(|(name, pair)| match &pair.test {
                    Ok(t) => (name.clone(), t.mean, t.mean - t.margin, t.mean + t.margin),
                    Err(_) => (name.clone(), pair.one - pair.other, f64::NAN, f64::NAN),
                })
                .collect(),
            sides: (format!("{first} better"), format!("{second} better")),
        };
        let shown = table.renamed(&[(one, first), (other, second)])?;
        let mut finding = Finding::new(title, sentence, table).shown_as(shown).drawn(figure.figure());
        for caveat in self.pairwise_caveats(a, b, whole, rows.len() - 1) {
            finding = finding.but(caveat);
        }
        Ok(finding)
    }

    /// What counts as one observation: a fold, or a series where series have no dates in common.
    fn unit(&self) -> &'static str {
        let panel = &self.0.panel;
        if panel.frequency().is_whole() && panel.len() > 1 { "series" } else { "fold" }
    }

    /// How many folds the windows of forecasts this many steps ahead overlap, the fold itself included.
    fn overlap(&self, steps: usize) -> usize {
        let folds = &self.0.folds;
        (folds.reach() - folds.horizon() + steps).div_ceil(folds.stride())
    }

    /// The first model against the second over whole windows.
    pub(crate) fn pairwise_test(&self, one: usize, other: usize, by: &Metric) -> PairwiseTest {
        let index = by.index();
        let pairs = self.pairs(one, other, |f, i, m| {
            let n = self.0.panel.len();
            let scores = self.0.windows[f].scores.get(m * n + i)?.as_ref()?;
            scores.get(index).map(|ratio| vec![*ratio])
        });
        self.test(by, pairs.iter().map(|(f, i, a, b)| (*f, *i, a[0], b[0])), self.overlap(self.0.folds.horizon()))
    }

    /// The first model against the second at each step ahead, or for groups of steps if there are many.
    fn tests_by_step(&self, one: usize, other: usize, by: &Metric) -> Vec<(String, PairwiseTest)> {
        let h = self.0.folds.horizon();
        if h < 2 {
            return Vec::new();
        }
        let pairs = self.pairs(one, other, |f, i, m| Some(self.steps(by, m, f, i)));
        let width = h.div_ceil(GROUPS);
        let group = |from: usize| {
            let to = (from + width).min(h);
            let name = if to == from + 1 { format!("step {to}") } else { format!("steps {}–{to}", from + 1) };
            let cases = pairs.iter().flat_map(|(f, i, a, b)| (from..to).map(move |step| (*f, *i, a[step], b[step])));
            (name, self.test(by, cases, self.overlap(to)))
        };
        (0..h).step_by(width).map(group).collect()
    }

    /// The scores of two models on the windows that both could forecast: fold, series, and each model's terms.
    #[allow(clippy::type_complexity)]
    fn pairs(
        &self,
        one: usize,
        other: usize,
        score: impl Fn(usize, usize, usize) -> Option<Vec<(f64, f64)>>,
    ) -> Vec<(usize, usize, Vec<(f64, f64)>, Vec<(f64, f64)>)> {
        let n = self.0.panel.len();
        let both = self.cases(one).filter(|(f, i, _)| self.0.windows[*f].scores[other * n + i].is_some());
        both.filter_map(|(f, i, _)| Some((f, i, score(f, i, one)?, score(f, i, other)?))).collect()
    }

    /// The test over the observations, folds or series, that the cases belong to.
    fn test(
        &self,
        by: &Metric,
        cases: impl Iterator<Item = (usize, usize, (f64, f64), (f64, f64))>,
        overlap: usize,
    ) -> PairwiseTest {
        let by_series = self.unit() == "series";
        let units = if by_series { self.0.panel.len() } else { self.0.windows.len() };
        let mut ratios = vec![(Vec::new(), Vec::new()); units];
        for (fold, series, a, b) in cases {
            if by.counts(a) && by.counts(b) {
                let unit = &mut ratios[if by_series { series } else { fold }];
                unit.0.push(a);
                unit.1.push(b);
            }
        }
        let scored: Vec<(f64, f64)> = (ratios.iter())
            .filter_map(|(a, b)| Some((metrics::mean(by, a.iter().copied())?, metrics::mean(by, b.iter().copied())?)))
            .collect();
        let mean = |pick: fn(&(f64, f64)) -> f64| scored.iter().map(pick).sum::<f64>() / scored.len() as f64;
        let differences: Vec<f64> = scored.iter().map(|(a, b)| a - b).collect();
        let test = match (differences.len(), by_series) {
            (0, _) => Err(Error::model("no window could be scored for both")),
            (1, true) => Err(Error::model("one series gives no variance between series")),
            (1, false) => Err(Error::model("one fold gives no variance between folds; use more folds")),
            (_, true) => diebold_mariano(&differences, 1),
            (_, false) => cautious(&differences, overlap),
        };
        PairwiseTest { one: mean(|unit| unit.0), other: mean(|unit| unit.1), test }
    }

    /// The sentence of a comparison.
    pub(crate) fn verdict(&self, one: &str, other: &str, by: &Metric, pair: &PairwiseTest) -> String {
        let metric = words::metric(by.name);
        if !pair.one.is_finite() || !pair.other.is_finite() {
            return format!("{one} and {other} cannot be compared by {metric}: no window could be scored for both.");
        }
        let (better, worse, least, most) = if pair.one <= pair.other {
            (one, other, pair.one, pair.other)
        } else {
            (other, one, pair.other, pair.one)
        };
        let scores = format!("{metric} {} vs {}", number(least), number(most));
        let lower = if most > 0.0 {
            format!(" ({} % lower)", words::rounded(100.0 * (1.0 - least / most), 1))
        } else {
            String::new()
        };
        match &pair.test {
            Ok(test) if test.mean == 0.0 && test.margin == 0.0 => {
                let unit = self.unit();
                format!("{one} and {other} are equally good: {metric} {} for both in every {unit}.", number(pair.one))
            }
            Ok(test) => {
                let over = self.units_words(test.origins);
                let interval = format!(
                    "{}; 95 % CI of the gain {} to {}",
                    words::p_value(test.p_value),
                    words::about(test.mean.abs() - test.margin),
                    words::about(test.mean.abs() + test.margin)
                );
                if test.p_value < LEVEL {
                    format!("{better} is significantly better than {worse}: {scores}{lower} over {over} ({interval}).")
                } else {
                    format!(
                        "No significant difference between {better} and {worse}: {scores} over {over} ({interval})."
                    )
                }
            }
            Err(why) => {
                format!("{better} scored better than {worse}: {scores}{lower}. The difference cannot be tested: {why}.")
            }
        }
    }

    fn units_words(&self, count: usize) -> String {
        if self.unit() == "fold" {
            words::counted(count, "fold", "folds")
        } else {
            words::counted(count, "series", "series")
        }
    }

    fn pairwise_caveats(&self, one: usize, other: usize, whole: &PairwiseTest, groups: usize) -> Vec<String> {
        let mut caveats = Vec::new();
        let inner = &*self.0;
        if let Ok(test) = &whole.test {
            caveats.push(if self.unit() == "series" {
                "Each series is one observation, because numbered steps are not dates that series share. If series move \
                 together, the test is overconfident."
                    .to_string()
            } else {
                format!(
                    "Each fold is one observation, the mean of {} series over {}: series share their dates, and the \
                     steps of a window share their origin.",
                    number(inner.panel.len() as f64),
                    words::counted(inner.folds.horizon(), "step", "steps")
                )
            });
            if test.origins < 8 {
                caveats.push(format!(
                    "With {} only a large and consistent difference is significant.",
                    self.units_words(test.origins)
                ));
            }
            if self.unit() == "fold" && self.overlap(inner.folds.horizon()) > 1 {
                caveats.push(
                    "Test windows overlap, so neighbouring folds are correlated. The test allows for this, and is never \
                     more confident than for windows that do not overlap."
                        .into(),
                );
            }
            if groups > 1 {
                caveats.push(format!(
                    "Each of the {groups} tests by step has a chance of one in twenty of being significant by chance alone."
                ));
            }
        }
        let either = inner.windows.iter().map(|w| {
            let n = inner.panel.len();
            (0..n).filter(|i| w.scores[one * n + i].is_some() != w.scores[other * n + i].is_some()).count()
        });
        match either.sum::<usize>() {
            0 => {}
            n => caveats.push(format!(
                "{} that only one of the two models could forecast left out.",
                words::counted(n, "window", "windows")
            )),
        }
        caveats
    }

    /// The models by their mean rank, and which of them differ significantly: the Friedman test, the Nemenyi critical
    /// difference with its diagram, and the Wilcoxon signed-rank test of each model against the best, with Holm's
    /// correction. Models are ranked on each series, or on each fold if there is one series.
    ///
    /// # Errors
    /// When there is no such metric, or it is not a loss (bias, coverage).
    pub fn ranks(&self, metric: &str) -> Result<Finding> {
        let by = loss(metric)?;
        let metric = words::metric(by.name);
        let inner = &*self.0;
        let by_series = inner.panel.len() > 1;
        let models: Vec<usize> = self.ranked(by).into_iter().filter(|m| self.mean(by, *m).is_some()).collect();
        let dropped = inner.models.len() - models.len();
        let (blocks, left_out) = self.blocks(by, &models, by_series);
        let (one, many) = if by_series { ("series", "series") } else { ("fold", "folds") };
        let unit = |count: usize| words::counted(count, one, many);
        let title = format!("Which models differ significantly by {metric}?");
        let (k, n) = (models.len(), blocks.len());
        let label = |place: usize| inner.models[models[place]].as_str();
        let all_names = self.names();
        let name = |place: usize| all_names[models[place]].as_str();
        if k < 2 || n < 2 {
            let scores: Vec<Option<f64>> = models.iter().map(|m| self.mean(by, *m)).collect();
            let labels: Vec<&str> = (0..k).map(label).collect();
            let table = Table::new(DataFrame::new(
                k,
                vec![Column::new("model".into(), labels), Column::new(by.name.into(), scores)],
            )?);
            let shown = table.with("model", (0..k).map(name))?;
            let why = match k {
                0 => "no model could be scored".to_string(),
                1 => format!("there is only one model, {}", name(0)),
                _ => format!("all {k} models could be scored on {}, and ranks need at least two", unit(n)),
            };
            let sentence = format!("Models cannot be ranked by {metric}: {why}.");
            return Ok(Finding::new(title, sentence, table).shown_as(shown));
        }
        let test = friedman(&blocks)?;
        let difference = critical_difference(k, n)?;
        let mut order: Vec<usize> = (0..k).collect();
        order.sort_by(|a, b| test.mean_ranks[*a].total_cmp(&test.mean_ranks[*b]));
        let ranks: Vec<f64> = order.iter().map(|at| test.mean_ranks[*at]).collect();
        let differ = test.f_p_value < LEVEL;
        let runs = if differ { alike(&ranks, difference) } else { vec![(0, k - 1)] };

        let best = order[0];
        let raw: Vec<Option<f64>> = order
            .iter()
            .map(|at| {
                let differences: Vec<f64> = blocks.iter().map(|block| block[*at] - block[best]).collect();
                // The test has no answer where all differences are zero: those models do not differ.
                (*at != best).then(|| wilcoxon(&differences).map_or(1.0, |(_, p)| p))
            })
            .collect();
        let corrected = holm(&raw.iter().flatten().copied().collect::<Vec<_>>());
        let p_values: Vec<Option<f64>> = std::iter::once(None).chain(corrected.into_iter().map(Some)).collect();
        let least = |block: &Vec<f64>| block.iter().copied().fold(f64::INFINITY, f64::min);
        let wins: Vec<u64> =
            order.iter().map(|at| blocks.iter().filter(|block| block[*at] == least(block)).count() as u64).collect();
        let groups: Vec<String> = (0..k)
            .map(|place| {
                let inside = runs.iter().enumerate().filter(|(_, (from, to))| (*from..=*to).contains(&place));
                inside.map(|(run, _)| letter(run)).collect::<Vec<_>>().join("")
            })
            .collect();
        let columns = vec![
            Column::new("model".into(), order.iter().map(|at| label(*at)).collect::<Vec<_>>()),
            Column::new("mean rank".into(), ranks.clone()),
            Column::new(by.name.into(), order.iter().map(|at| self.mean(by, models[*at])).collect::<Vec<_>>()),
            Column::new("best in".into(), wins),
            Column::new("alike".into(), groups),
            Column::new("p against first".into(), p_values),
        ];
        let table = Table::new(DataFrame::new(k, columns)?).titled(format!("Mean ranks by {metric}")).highlight(0);
        let names: Vec<&str> = order.iter().map(|at| name(*at)).collect();
        let shown = table.with("model", names.iter().copied())?;
        let sentence = ranks_sentence(&names, &ranks, differ, test.f_p_value, difference, &unit(n), &metric);
        let figure = CriticalDifference {
            title: if differ {
                format!("Mean rank by {metric}; bars join models that do not differ significantly")
            } else {
                format!("Mean rank by {metric}: no significant differences")
            },
            value: format!("mean rank over {}, 1 is best", unit(n)),
            ranks: names.iter().map(ToString::to_string).zip(ranks).collect(),
            alike: runs,
            difference,
        };
        let mut finding = Finding::new(title, sentence, table).shown_as(shown).drawn(figure.figure());
        if by_series && self.unit() == "fold" {
            finding = finding.but(
                "Ranks count each series as an independent observation. Series that share their dates are not \
                 independent, so this test is overconfident; the comparison of two models counts folds instead.",
            );
        }
        if left_out > 0 {
            finding = finding.but(format!(
                "{} that not every model could forecast, or on which {metric} is undefined, left out.",
                unit(left_out)
            ));
        }
        if dropped > 0 {
            finding =
                finding.but(format!("Not ranked for want of a score: {}.", words::counted(dropped, "model", "models")));
        }
        Ok(finding)
    }

    /// One loss per model in every block that all could be scored on; and how many blocks were left out.
    fn blocks(&self, by: &Metric, models: &[usize], by_series: bool) -> (Vec<Vec<f64>>, usize) {
        let (n, folds, index) = (self.0.panel.len(), self.0.windows.len(), by.index());
        let score = |m: usize, f: usize, i: usize| Some(self.0.windows[f].scores[m * n + i].as_ref()?[index]);
        let mut left_out = 0;
        let mut blocks = Vec::new();
        for block in 0..if by_series { n } else { folds } {
            // Folds of this series, or series of this fold, that all models forecast.
            let mut ratios = vec![Vec::new(); models.len()];
            let mut any = false;
            for other in 0..if by_series { folds } else { n } {
                let (f, i) = if by_series { (other, block) } else { (block, other) };
                let scored: Vec<Option<(f64, f64)>> = models.iter().map(|m| score(*m, f, i)).collect();
                any |= scored.iter().any(Option::is_some);
                if let Some(scored) = scored.into_iter().collect::<Option<Vec<_>>>() {
                    ratios.iter_mut().zip(scored).for_each(|(ratios, ratio)| ratios.push(ratio));
                }
            }
            let losses: Option<Vec<f64>> = ratios.into_iter().map(|r| metrics::mean(by, r.into_iter())).collect();
            left_out += usize::from(any && losses.is_none());
            blocks.extend(losses);
        }
        (blocks, left_out)
    }
}

fn ranks_sentence(
    names: &[&str],
    ranks: &[f64],
    differ: bool,
    p: f64,
    difference: f64,
    over: &str,
    metric: &str,
) -> String {
    let mean = words::rounded(ranks[0], 2);
    let first = format!("{} has the best mean rank by {metric}, {mean} of {}, over {over}", names[0], names.len());
    let p = words::p_value(p);
    if !differ {
        return format!("{first}, but the ranks do not differ significantly (Friedman test, {p}).");
    }
    let near: Vec<&str> = names
        .iter()
        .zip(ranks)
        .skip(1)
        .filter(|(_, rank)| **rank - ranks[0] <= difference)
        .map(|(name, _)| *name)
        .collect();
    let from_others = match near.len() {
        0 => "It differs significantly from all others".to_string(),
        _ => format!("It does not differ significantly from {}", words::listed(&near, 4)),
    };
    format!(
        "{first}. {from_others} (Nemenyi critical difference {}). The models are not all equally good (Friedman test, {p}).",
        words::rounded(difference, 2)
    )
}

/// a, b, … z, then a2 and so on.
fn letter(index: usize) -> String {
    let letter = char::from(b'a' + (index % 26) as u8);
    if index < 26 { letter.to_string() } else { format!("{letter}{}", index / 26 + 1) }
}

/// The test with the autocovariances of overlapping folds, or without them where that gives the wider interval: with
/// few folds the estimated autocovariances may sum to next to nothing, and any difference would look significant.
fn cautious(differences: &[f64], overlap: usize) -> Result<DieboldMariano> {
    let test = diebold_mariano(differences, overlap)?;
    let plain = diebold_mariano(differences, 1)?;
    Ok(if plain.margin > test.margin { plain } else { test })
}

/// The metric of that name, if it is a loss.
pub(crate) fn loss(metric: &str) -> Result<&'static Metric> {
    let by = METRICS.named(metric)?;
    if by.is_loss {
        Ok(by)
    } else {
        Err(Error::usage(format!(
            "models cannot be compared by {}, which is neither good nor bad in one window; use an error such as mae or \
             mase, and calibration() for coverage",
            by.name
        )))
    }
}
