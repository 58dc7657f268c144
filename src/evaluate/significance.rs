//! Is one model really better than another, and which can be told apart at all?
//!
//! **Two models** ([`Backtest::compare`]): the test of Diebold and Mariano, with the correction of Harvey, Leybourne
//! and Newbold, on the difference of their scores. What is counted as one observation decides everything. Series share
//! their dates, and the steps of one window share their origin: the same shock is in all of them. So **one fold is one
//! observation**, the mean over all series and steps of its window (the average superiority over a horizon of
//! Quaedvlieg 2021, *Journal of Business & Economic Statistics* 39), and folds whose windows overlap are allowed to be
//! correlated, by as many autocovariances as they overlap, but never as surer than folds that do not. To count every
//! date as one, with autocovariances up to the horizon, finds differences where there are none: in 14 of 100 trials
//! instead of 5 for 4 folds of 8 steps (`tests/oracles/comparison.py --size`). Panels of numbered steps have no dates
//! in common, and each series is cut from its own end: there one series is one observation.
//!
//! **All models** ([`Backtest::ranks`]): mean ranks over series, the test of Friedman with the F of Iman and
//! Davenport, and the critical difference of Nemenyi; over folds if there is one series.
//!
//! Fails where there are few folds: with three or four only large and steady differences can be told. An interval, not
//! a verdict, is what to read then.

use polars::prelude::*;

use super::backtest::Backtest;
use crate::error::{Error, Result};
use crate::figures::{CriticalDifference, Intervals};
use crate::format::{decimals, number};
use crate::metrics::{self, METRICS, Metric};
use crate::models::place;
use crate::show::{Finding, Table};
use crate::statistics::{DieboldMariano, alike, critical_difference, diebold_mariano, friedman, holm, wilcoxon};

/// From this p-value on a difference may be chance.
pub(crate) const LEVEL: f64 = 0.05;
/// Step groups that are tested by themselves.
const GROUPS: usize = 12;

/// Two models side by side on the windows that both could forecast.
pub(crate) struct Duel {
    /// Their mean scores over the units.
    pub(crate) one: f64,
    pub(crate) other: f64,
    /// What the test says, or why there is none.
    pub(crate) test: Result<DieboldMariano>,
}

impl Duel {
    /// Is the first better, by the test?
    pub(crate) fn is_better(&self) -> bool {
        self.test.as_ref().is_ok_and(|test| test.p_value < LEVEL && test.statistic < 0.0)
    }

    /// The p-value, where there is a test.
    pub(crate) fn p(&self) -> Option<f64> {
        self.test.as_ref().ok().map(|test| test.p_value)
    }
}

/// `p = 0.012`, `p < 0.001`.
pub(crate) fn p_words(p: f64) -> String {
    match p {
        p if p < 0.001 => "p < 0.001".into(),
        p if p < 0.1 => format!("p = {}", decimals(p, 3)),
        p => format!("p = {}", decimals(p, 2)),
    }
}

impl Backtest {
    /// Is `one` really better than `other`, or was it luck? The Diebold–Mariano test on the difference of their
    /// scores, fold by fold, over all steps and for each; see the module for what counts as one observation.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales");
    /// let sales = Panel::read("data/walmart_sales_weekly.csv", columns)?;
    /// let trial = sales.backtest(["naive", "theta"], Folds::new(8, 4))?;
    /// let finding = trial.compare("theta", "naive", "mae")?;
    /// assert!(finding.sentence().contains("theta") && finding.table().get(0, "p").is_ok());
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// When there is no such model or metric, the models are the same, or the metric is no loss (bias, coverage).
    pub fn compare(&self, one: &str, other: &str, metric: &str) -> Result<Finding> {
        let by = loss(metric)?;
        let metric = by.name;
        let ((a, one), (b, other)) = (place(one, &self.0.models)?, place(other, &self.0.models)?);
        if a == b {
            return Err(Error::usage(format!("{one} cannot be compared with itself; name two models")));
        }
        let whole = self.duel(a, b, by);
        let mut rows: Vec<(String, Duel)> = self.duels_by_step(a, b, by);
        rows.insert(0, ("all steps".into(), whole));
        let Some((_, whole)) = rows.first() else { return Err(Error::model("nothing to compare")) };

        let sentence = self.verdict(one, other, by, whole);
        let tested = |pick: fn(&DieboldMariano) -> f64| -> Vec<Option<f64>> {
            rows.iter().map(|(_, duel)| duel.test.as_ref().ok().map(pick)).collect()
        };
        let scores = |pick: fn(&Duel) -> f64| -> Vec<Option<f64>> {
            rows.iter().map(|(_, duel)| Some(pick(duel)).filter(|score| score.is_finite())).collect()
        };
        let columns = vec![
            Column::new("steps".into(), rows.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>()),
            Column::new(one.into(), scores(|duel| duel.one)),
            Column::new(other.into(), scores(|duel| duel.other)),
            Column::new("difference".into(), scores(|duel| duel.one - duel.other)),
            Column::new("from".into(), tested(|test| test.mean - test.margin)),
            Column::new("to".into(), tested(|test| test.mean + test.margin)),
            Column::new(
                if self.unit() == "fold" { "folds".into() } else { "series".into() },
                rows.iter().map(|(_, d)| d.test.as_ref().ok().map(|t| t.origins as u64)).collect::<Vec<_>>(),
            ),
            Column::new("statistic".into(), tested(|test| test.statistic)),
            Column::new("p".into(), tested(|test| test.p_value)),
        ];
        let title = format!("Is {one} better than {other}?");
        let table =
            Table::new(DataFrame::new(rows.len(), columns)?).titled(format!("{one} against {other} by {metric}"));
        let figure = Intervals {
            title: title.clone(),
            value: format!("difference in {metric}, {one} less {other}"),
            rows: rows
                .iter()
                .map(|(name, duel)| match &duel.test {
                    Ok(t) => (name.clone(), t.mean, t.mean - t.margin, t.mean + t.margin),
                    Err(_) => (name.clone(), duel.one - duel.other, f64::NAN, f64::NAN),
                })
                .collect(),
            sides: (format!("{one} better"), format!("{other} better")),
        };
        let mut finding = Finding::new(title, sentence, table).drawn(figure.figure());
        for caveat in self.duel_caveats(a, b, whole, rows.len() - 1) {
            finding = finding.but(caveat);
        }
        Ok(finding)
    }

    /// What is one observation: a fold, or a series where series have no dates in common.
    fn unit(&self) -> &'static str {
        let panel = &self.0.panel;
        if panel.frequency().is_whole() && panel.len() > 1 { "series" } else { "fold" }
    }

    /// By how many folds a forecast so many steps ahead overlaps, itself counted.
    fn overlap(&self, steps: usize) -> usize {
        let folds = &self.0.folds;
        (folds.reach() - folds.horizon() + steps).div_ceil(folds.stride())
    }

    /// The first model against the second over whole windows.
    pub(crate) fn duel(&self, one: usize, other: usize, by: &Metric) -> Duel {
        let index = by.index();
        let pairs = self.pairs(one, other, |f, i, m| {
            let n = self.0.panel.len();
            let scores = self.0.windows[f].scores.get(m * n + i)?.as_ref()?;
            scores.get(index).map(|ratio| vec![*ratio])
        });
        self.test(by, pairs.iter().map(|(f, i, a, b)| (*f, *i, a[0], b[0])), self.overlap(self.0.folds.horizon()))
    }

    /// The first model against the second at each step, or at a few runs of steps if there are many.
    fn duels_by_step(&self, one: usize, other: usize, by: &Metric) -> Vec<(String, Duel)> {
        let h = self.0.folds.horizon();
        if h < 2 {
            return Vec::new();
        }
        let pairs = self.pairs(one, other, |f, i, m| Some(self.steps(by, m, f, i)));
        let wide = h.div_ceil(GROUPS);
        let group = |from: usize| {
            let to = (from + wide).min(h);
            let name = if to == from + 1 { format!("step {to}") } else { format!("steps {}–{to}", from + 1) };
            let cases = pairs.iter().flat_map(|(f, i, a, b)| (from..to).map(move |step| (*f, *i, a[step], b[step])));
            (name, self.test(by, cases, self.overlap(to)))
        };
        (0..h).step_by(wide).map(group).collect()
    }

    /// What two models scored on the windows that both could forecast.
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

    /// The test over the units that the cases belong to.
    fn test(
        &self,
        by: &Metric,
        cases: impl Iterator<Item = (usize, usize, (f64, f64), (f64, f64))>,
        overlap: usize,
    ) -> Duel {
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
            (1, true) => Err(Error::model("a single series says nothing of others")),
            (1, false) => Err(Error::model("one fold has no spread to compare with; ask for more folds")),
            (_, true) => diebold_mariano(&differences, 1),
            (_, false) => cautious(&differences, overlap),
        };
        Duel { one: mean(|unit| unit.0), other: mean(|unit| unit.1), test }
    }

    /// The sentence of a comparison.
    pub(crate) fn verdict(&self, one: &str, other: &str, by: &Metric, duel: &Duel) -> String {
        let metric = by.name;
        if !duel.one.is_finite() || !duel.other.is_finite() {
            return format!("{one} and {other} cannot be compared by {metric}: no window could be scored for both.");
        }
        let (better, worse, least, most) = if duel.one <= duel.other {
            (one, other, duel.one, duel.other)
        } else {
            (other, one, duel.other, duel.one)
        };
        let share = if most > 0.0 {
            format!(", {} % less", number(((1.0 - least / most) * 1000.0).round() / 10.0))
        } else {
            String::new()
        };
        let scores = format!("{metric} {} against {}{share}", number(least), number(most));
        match &duel.test {
            Ok(test) if test.mean == 0.0 && test.margin == 0.0 => {
                format!(
                    "{one} and {other} are equally good by {metric}: {} for both, in every {}.",
                    number(duel.one),
                    self.unit()
                )
            }
            Ok(test) => {
                let (low, high) = (test.mean.abs() - test.margin, test.mean.abs() + test.margin);
                let p = p_words(test.p_value);
                let over = self.units_words(test.origins);
                if test.p_value < LEVEL {
                    format!(
                        "{better} is better than {worse}: {scores}, over {over}. So large a difference is seldom \
                         chance ({p}); \
                         the gain lies between {} and {} with 95 % confidence.",
                        number(low),
                        number(high)
                    )
                } else {
                    format!(
                        "It cannot be told that {better} is better than {worse}: {scores}, over {over}, a difference \
                         that \
                         may be chance ({p}); the gain lies between {} and {} with 95 % confidence.",
                        number(low),
                        number(high)
                    )
                }
            }
            Err(why) => {
                format!("{better} scored better than {worse}: {scores}. Whether it is better cannot be tested: {why}.")
            }
        }
    }

    fn units_words(&self, count: usize) -> String {
        match self.unit() {
            "fold" if count == 1 => "1 fold".into(),
            "fold" => format!("{} folds", number(count as f64)),
            _ => format!("{} series", number(count as f64)),
        }
    }

    fn duel_caveats(&self, one: usize, other: usize, whole: &Duel, groups: usize) -> Vec<String> {
        let mut caveats = Vec::new();
        let inner = &*self.0;
        if let Ok(test) = &whole.test {
            caveats.push(match self.unit() {
                "series" => "One series counts as one observation: numbered steps are no dates that series could \
                 share. Series that \
                             move together make the test too sure."
                    .to_string(),
                _ => format!(
                    "One fold counts as one observation, the mean of {} series over {} steps: series share their \
                     dates, and the \
                     steps of a window share their origin.",
                    number(inner.panel.len() as f64),
                    inner.folds.horizon()
                ),
            });
            if test.origins < 8 {
                caveats.push(format!(
                    "{} are few: only a large and steady difference can be told from chance.",
                    self.units_words(test.origins)
                ));
            }
            if self.unit() == "fold" && self.overlap(inner.folds.horizon()) > 1 {
                caveats.push(
                    "Windows overlap: neighbouring folds are taken as correlated, but their mean never as surer than that \
                     of folds that are not."
                        .into(),
                );
            }
            if groups > 1 {
                caveats
                    .push(format!("Of {groups} tests by step one in twenty finds a difference where there is none."));
            }
        }
        let either = inner.windows.iter().map(|w| {
            let n = inner.panel.len();
            (0..n).filter(|i| w.scores[one * n + i].is_some() != w.scores[other * n + i].is_some()).count()
        });
        match either.sum::<usize>() {
            0 => {}
            n => {
                caveats.push(format!("{} windows that only one of them could forecast are left out.", number(n as f64)))
            }
        }
        caveats
    }

    /// The models by their mean rank, and which can be told apart: Friedman's test, the critical difference of Nemenyi
    /// and its diagram, and the signed-rank test of each model against the best (Wilcoxon, raised by Holm). Ranks are
    /// taken series by series, over folds if there is one series.
    ///
    /// # Errors
    /// When there is no such metric, or it is no loss (bias, coverage).
    pub fn ranks(&self, metric: &str) -> Result<Finding> {
        let by = loss(metric)?;
        let metric = by.name;
        let inner = &*self.0;
        let by_series = inner.panel.len() > 1;
        let models: Vec<usize> = self.ranked(by).into_iter().filter(|m| self.mean(by, *m).is_some()).collect();
        let dropped = inner.models.len() - models.len();
        let (blocks, left_out) = self.blocks(by, &models, by_series);
        let unit = |count: usize| match (by_series, count) {
            (true, count) => format!("{} series", number(count as f64)),
            (false, 1) => "1 fold".to_string(),
            (false, count) => format!("{} folds", number(count as f64)),
        };
        let title = format!("Which models can be told apart by {metric}?");
        let (k, n) = (models.len(), blocks.len());
        let label = |place: usize| inner.models[models[place]].as_str();
        if k < 2 || n < 2 {
            let scores: Vec<Option<f64>> = models.iter().map(|m| self.mean(by, *m)).collect();
            let names: Vec<&str> = (0..k).map(label).collect();
            let table = Table::new(DataFrame::new(
                k,
                vec![Column::new("model".into(), names), Column::new(metric.into(), scores)],
            )?);
            let why = match k {
                0 => "no model could be scored".to_string(),
                1 => format!("there is one model, {}", label(0)),
                _ => format!("{} scored by all of {k} models, and ranks need two", unit(n)),
            };
            return Ok(Finding::new(title, format!("Ranks by {metric} have no meaning here: {why}."), table));
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
                // Equal everywhere: as alike as can be.
                (*at != best).then(|| wilcoxon(&differences).map_or(1.0, |(_, p)| p))
            })
            .collect();
        let raised = holm(&raw.iter().flatten().copied().collect::<Vec<_>>());
        let p_values: Vec<Option<f64>> = std::iter::once(None).chain(raised.into_iter().map(Some)).collect();
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
            Column::new(metric.into(), order.iter().map(|at| self.mean(by, models[*at])).collect::<Vec<_>>()),
            Column::new("best in".into(), wins),
            Column::new("alike".into(), groups),
            Column::new("p against first".into(), p_values),
        ];
        let table = Table::new(DataFrame::new(k, columns)?).titled(format!("Mean ranks by {metric}")).highlight(0);
        let names: Vec<&str> = order.iter().map(|at| label(*at)).collect();
        let sentence = ranks_sentence(&names, &ranks, differ, test.f_p_value, difference, &unit(n), metric);
        let figure = CriticalDifference {
            title: if differ {
                format!("Models by mean rank in {metric}; a bar joins those not told apart")
            } else {
                format!("Models by mean rank in {metric}: none can be told apart")
            },
            value: format!("mean rank over {}, 1 is best", unit(n)),
            ranks: names.iter().map(ToString::to_string).zip(ranks).collect(),
            alike: runs,
            difference,
        };
        let mut finding = Finding::new(title, sentence, table).drawn(figure.figure());
        if by_series && self.unit() == "fold" {
            finding = finding.but(
                "Ranks take each series as an observation of its own. Series that share their dates are not: \
                 differences of \
                 ranks are less sure than the test says. The comparison of two models counts folds instead.",
            );
        }
        if left_out > 0 {
            finding = finding.but(format!(
                "{} that not every model could forecast, or on which {metric} is undefined, are left out.",
                unit(left_out)
            ));
        }
        if dropped > 0 {
            finding = finding.but(format!("Models without any score are not ranked: {dropped}."));
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
    let first = format!(
        "{} has the best mean rank by {metric}, {} of {}, over {over}",
        names[0],
        number_2(ranks[0]),
        names.len()
    );
    if !differ {
        return format!("{first}, but the ranks of all models may be chance (Friedman, {}).", p_words(p));
    }
    let near: Vec<&str> = names
        .iter()
        .zip(ranks)
        .skip(1)
        .filter(|(_, rank)| **rank - ranks[0] <= difference)
        .map(|(name, _)| *name)
        .collect();
    let apart = match near.len() {
        0 => "it can be told apart from all others".to_string(),
        _ => format!("it cannot be told apart from {}", listed(&near, 4)),
    };
    format!(
        "{first}; {apart}: mean ranks that differ by less than {} may be chance. That all are equally good is ruled \
         out \
         (Friedman, {}).",
        number_2(difference),
        p_words(p)
    )
}

/// `a`, `a and b`, `a, b and 3 others`.
pub(crate) fn listed(names: &[&str], most: usize) -> String {
    match names {
        [] => String::new(),
        [only] => (*only).to_string(),
        _ if names.len() > most => format!("{} and {} others", names[..most - 1].join(", "), names.len() + 1 - most),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

fn number_2(value: f64) -> String {
    decimals(value, 2)
}

/// a, b, … z, then a2 and so on.
fn letter(index: usize) -> String {
    let letter = char::from(b'a' + (index % 26) as u8);
    if index < 26 { letter.to_string() } else { format!("{letter}{}", index / 26 + 1) }
}

/// The test with the autocovariances of folds that overlap, or without them where that leaves more doubt: with few
/// folds a sum of estimated autocovariances may come out next to nothing, and any difference would look sure.
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
            "{} of one window is neither good nor bad, so models cannot be compared by it; take an error such as mae or \
             mase, and calibration() for coverage",
            by.name
        )))
    }
}
