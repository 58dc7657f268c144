//! Where and when does a model err, in which direction, and which factors go with large errors?
//!
//! Absolute errors of all windows are summed by series, by date and by step ahead, with the WAPE and bias of each.
//! Error drivers are found by contrast: the mean absolute error divided by the mean of its series (so that large series
//! do not hide small ones) where a known covariate is not 0 vs where it is 0, in the highest vs the lowest third of its
//! values, or in the third of the series with most of a trait vs the third with least.
//!
//! These are associations, not causes: promotions fall into busy weeks.

use std::collections::{BTreeMap, HashSet};

use polars::prelude::*;

use super::Backtest;
use crate::error::{Error, Result};
use crate::figures::{Bars, Line, Lines, TimeAxis};
use crate::models::place;
use crate::panel::Role;
use crate::show::words::{counted, listed, rounded};
use crate::show::{Finding, Table, number};
use crate::statistics::Demand;

/// Rows of a table of the worst.
const WORST: usize = 15;
/// Values and series that each side of a contrast needs.
const LEAST: usize = 5;
const LEAST_SERIES: usize = 3;

/// How a contrast between the highest and the lowest third of values or series reads.
const THIRDS: [&str; 3] = ["in the highest third", "in the lowest", "highest / lowest third"];

/// One scored step.
struct Step {
    fold: usize,
    series: usize,
    step: usize,
    position: i64,
    actual: f64,
    error: f64,
}

/// Sums of errors.
#[derive(Clone, Copy, Default)]
struct Sum {
    absolute: f64,
    signed: f64,
    actual: f64,
    size: f64,
    count: usize,
}

impl Sum {
    fn add(&mut self, step: &Step) {
        self.absolute += step.error.abs();
        self.signed += step.error;
        self.actual += step.actual;
        self.size += step.actual.abs();
        self.count += 1;
    }

    fn of<'a>(steps: impl IntoIterator<Item = &'a Step>) -> Self {
        let mut sum = Self::default();
        steps.into_iter().for_each(|step| sum.add(step));
        sum
    }

    fn wape(&self) -> Option<f64> {
        Some(100.0 * self.absolute / self.size).filter(|value| value.is_finite())
    }

    fn bias(&self) -> Option<f64> {
        Some(100.0 * self.signed / self.size).filter(|value| value.is_finite())
    }
}

/// The mean relative error on the two sides of a factor.
struct Contrast {
    what: String,
    /// What `there` and `elsewhere` are in a sentence, and both of them in a table.
    sides: [&'static str; 3],
    there: f64,
    elsewhere: f64,
    /// How many values or series the contrast rests on, in words.
    counted: String,
}

impl Contrast {
    fn times(&self) -> f64 {
        self.there / self.elsewhere
    }
}

impl Backtest {
    /// The errors of a model, in up to four findings: which series contribute most of the absolute error; on which
    /// dates and in which months it is largest; the bias, and how WAPE grows with the horizon; and which known
    /// covariates and traits of series go with large errors. Findings that the backtest cannot answer are left out.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales").known(["IsHoliday"]);
    /// let trial = Panel::read("data/walmart_sales_weekly.csv", columns)?.backtest(["theta"], Folds::new(4, 8))?;
    /// let found = trial.errors("theta")?;
    /// assert!(found[0].title().starts_with("Where Theta method errs") && found[0].sentence().contains("absolute error"));
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// When there is no such model, or none of its windows could be scored.
    pub fn errors(&self, model: &str) -> Result<Vec<Finding>> {
        let (m, model) = place(model, &self.0.models)?;
        let steps = self.scored_steps(m);
        if steps.is_empty() {
            return Err(Error::model(format!(
                "no window of {model} could be scored, so its errors cannot be analysed"
            )));
        }
        let model = self.names().swap_remove(m);
        let model = model.as_str();
        let found = [
            self.error_by_series(model, &steps)?,
            self.error_by_date(model, &steps)?,
            Some(self.bias_by_step(model, &steps)?),
            self.error_drivers(model, &steps)?,
        ];
        Ok(found.into_iter().flatten().collect())
    }

    fn scored_steps(&self, model: usize) -> Vec<Step> {
        let mut steps = Vec::new();
        for (fold, series, _) in self.cases(model) {
            let window = &self.0.windows[fold];
            let Some(cell) = window.forecast.cell(model, series) else { continue };
            for (step, (actual, mean)) in window.actuals[series].iter().zip(cell.mean()).enumerate() {
                let error = mean - actual;
                if error.is_finite() {
                    let position = window.starts[series] + step as i64;
                    steps.push(Step { fold, series, step, position, actual: *actual, error });
                }
            }
        }
        steps
    }

    /// Which series contribute most of the error; none where there is one series.
    fn error_by_series(&self, model: &str, steps: &[Step]) -> Result<Option<Finding>> {
        let panel = &self.0.panel;
        if panel.len() < 2 {
            return Ok(None);
        }
        let mut sums = vec![Sum::default(); panel.len()];
        steps.iter().for_each(|step| sums[step.series].add(step));
        let all = Sum::of(steps);
        let mut order: Vec<usize> = (0..sums.len()).filter(|i| sums[*i].count > 0).collect();
        order.sort_by(|a, b| sums[*b].absolute.total_cmp(&sums[*a].absolute));
        if all.absolute == 0.0 {
            return Ok(None);
        }
        let (mut carried, mut few) = (Sum::default(), 0);
        while carried.absolute < all.absolute / 2.0 && few < order.len() {
            carried.absolute += sums[order[few]].absolute;
            carried.size += sums[order[few]].size;
            few += 1;
        }
        let share = |part: f64, whole: f64| 100.0 * part / whole;
        let worst = order[0];
        let target = &panel.inner().columns.target;
        let sold = if all.size > 0.0 {
            let (part, makes) = (share(carried.size, all.size), if few == 1 { "makes" } else { "make" });
            format!(", which {makes} up {} % of {target}", rounded(part, 0))
        } else {
            String::new()
        };
        let mut sentence = format!(
            "{} % of the absolute error of {model} comes from {} of {} series{sold}; the largest share, {} %, comes from {}.",
            rounded(share(carried.absolute, all.absolute), 0),
            number(few as f64),
            number(order.len() as f64),
            rounded(share(sums[worst].absolute, all.absolute), 1),
            panel.label(worst)
        );
        // Each key column by itself, if there are several.
        let keys = panel.inner().columns.keys.clone();
        for key in keys.iter().filter(|_| keys.len() > 1) {
            let groups = self.groups(key)?;
            let mut by_key = vec![Sum::default(); groups.names.len()];
            let Some(of_series) = &groups.of_series else { continue };
            steps.iter().for_each(|step| by_key[of_series[step.series]].add(step));
            let scored = (0..by_key.len()).filter(|group| by_key[*group].wape().is_some());
            let most = scored
                .max_by(|a, b| by_key[*a].wape().partial_cmp(&by_key[*b].wape()).unwrap_or(std::cmp::Ordering::Equal));
            if let Some((group, wape)) = most.filter(|_| by_key.len() > 1).and_then(|g| Some((g, by_key[g].wape()?))) {
                sentence += &format!(
                    " The relative error is largest for {key} {}: WAPE {} % vs {} % overall.",
                    groups.names[group],
                    rounded(wape, 1),
                    rounded(all.wape().unwrap_or(wape), 1)
                );
            }
        }
        let count = order.len();
        let shown = &order[..count.min(WORST)];
        let mut columns = panel.key_columns(shown.iter().copied())?;
        let real = |name: &str, pick: &dyn Fn(&Sum) -> Option<f64>| {
            Column::new(name.into(), shown.iter().map(|i| pick(&sums[*i])).collect::<Vec<_>>())
        };
        columns.push(real("% of error", &|sum| Some(share(sum.absolute, all.absolute))));
        columns.push(real(&format!("% of {target}"), &|sum| Some(share(sum.size, all.size)).filter(|s| s.is_finite())));
        columns.push(real("wape", &Sum::wape));
        columns.push(real("bias", &Sum::bias));
        let table =
            Table::new(DataFrame::new(shown.len(), columns)?).titled("Series with the largest share of the error");
        let figure = Bars {
            title: format!(
                "{} of {} series contribute {} % of the error of {model}",
                number(few as f64),
                number(count as f64),
                rounded(share(carried.absolute, all.absolute), 0)
            ),
            value: "share of the total absolute error, %".into(),
            rows: shown.iter().map(|i| (panel.label(*i).to_string(), share(sums[*i].absolute, all.absolute))).collect(),
            best: None,
            reference: Some(("equal shares".into(), 100.0 / count as f64)),
        };
        Ok(Some(Finding::new(format!("Where {model} errs"), sentence, table).drawn(figure.figure())))
    }

    /// On which dates the error is largest; none where series have no dates in common.
    fn error_by_date(&self, model: &str, steps: &[Step]) -> Result<Option<Finding>> {
        let panel = &self.0.panel;
        if panel.frequency().is_whole() && panel.len() > 1 {
            return Ok(None);
        }
        let mut dates: BTreeMap<i64, Sum> = BTreeMap::new();
        steps.iter().for_each(|step| dates.entry(step.position).or_default().add(step));
        let all = Sum::of(steps);
        let Some(overall) = all.wape().filter(|_| dates.len() > 1 && all.absolute > 0.0) else { return Ok(None) };
        let calendar = &panel.inner().calendar;
        let mut order: Vec<(i64, Sum)> = dates.iter().map(|(position, sum)| (*position, *sum)).collect();
        // A date without sales has no WAPE: dates are then compared by their mean absolute error.
        let sold = dates.values().all(|sum| sum.size > 0.0);
        let measure = |sum: &Sum| if sold { sum.wape().unwrap_or(f64::NAN) } else { sum.absolute / sum.count as f64 };
        order.sort_by(|a, b| measure(&b.1).total_cmp(&measure(&a.1)));
        let few = order.len().div_ceil(10);
        let carried: f64 = order.iter().take(few).map(|(_, sum)| sum.absolute).sum();
        let (position, worst) = order[0];
        let carried = number((100.0 * carried / all.absolute).round());
        let overall = if sold { overall } else { measure(&all) };
        let told = if sold {
            format!("WAPE {} % vs {} %", rounded(measure(&worst), 1), rounded(overall, 1))
        } else {
            format!("mean absolute error {} vs {}", number(measure(&worst)), number(overall))
        };
        let mut sentence = format!(
            "The error of {model} is largest on {}: {told} over all dates. {}",
            calendar.label(position),
            match few {
                1 => format!("That date, one of {}, contributes {carried} % of the error.", order.len()),
                few => format!(
                    "The worst {} of {} dates contribute {carried} % of the error.",
                    number(few as f64),
                    number(order.len() as f64)
                ),
            }
        );
        for (kind, of) in self.calendar_groups() {
            let mut groups: BTreeMap<String, Sum> = BTreeMap::new();
            for (position, sum) in &dates {
                let group = groups.entry(of(*position)).or_default();
                group.absolute += sum.absolute;
                group.size += sum.size;
            }
            let scored = groups.iter().filter_map(|(name, sum)| Some((name, sum.wape()?)));
            let most = scored.clone().max_by(|a, b| a.1.total_cmp(&b.1));
            let least = scored.min_by(|a, b| a.1.total_cmp(&b.1));
            if let Some((most, least)) = most.zip(least).filter(|(most, least)| most.0 != least.0) {
                sentence += &format!(
                    " By {kind}, WAPE ranges from {} % ({}) to {} % ({}).",
                    rounded(least.1, 1),
                    least.0,
                    rounded(most.1, 1),
                    most.0
                );
            }
        }
        let shown = &order[..order.len().min(WORST)];
        let positions = shown.iter().map(|(position, _)| *position);
        let real = |name: &str, pick: &dyn Fn(&Sum) -> Option<f64>| {
            Column::new(name.into(), shown.iter().map(|(_, sum)| pick(sum)).collect::<Vec<_>>())
        };
        let columns = vec![
            crate::panel::stamp_column(calendar, &panel.inner().columns.time, positions)?,
            real("actual", &|sum| Some(sum.actual)),
            real("forecast", &|sum| Some(sum.actual + sum.signed)),
            real("wape", &Sum::wape),
            real("bias", &Sum::bias),
            real("% of error", &|sum| Some(100.0 * sum.absolute / all.absolute)),
        ];
        let table = Table::new(DataFrame::new(shown.len(), columns)?).titled("The dates with the largest errors");
        // Between windows that do not touch the line has a gap.
        let (mut x, mut y, mut before) = (Vec::new(), Vec::new(), None);
        for (position, sum) in &dates {
            if before.is_some_and(|before| position - before > 1) {
                x.push(calendar.x(position - 1));
                y.push(f64::NAN);
            }
            x.push(calendar.x(*position));
            y.push(measure(sum));
            before = Some(*position);
        }
        let whole = panel.frequency().is_whole();
        let figure = Lines {
            title: format!("When {model} errs"),
            value: if sold { "WAPE over all series by date, %".into() } else { "MAE over all series by date".into() },
            axis: if whole { TimeAxis::Steps } else { TimeAxis::Dates },
            foot: String::new(),
            lines: vec![Line { name: model.to_string(), x, y }],
            reference: Some(("over all dates".into(), overall)),
        };
        let mut finding = Finding::new(format!("When {model} errs"), sentence, table).drawn(figure.figure());
        if self.0.folds.stride() < self.0.folds.horizon() {
            finding = finding.but("Windows overlap: a date counts once for each window that contains it.");
        }
        Ok(Some(finding))
    }

    /// The groups of dates that make sense on this calendar.
    #[allow(clippy::type_complexity)]
    fn calendar_groups(&self) -> Vec<(&'static str, Box<dyn Fn(i64) -> String + '_>)> {
        let panel = &self.0.panel;
        let calendar = &panel.inner().calendar;
        let mut groups: Vec<(&'static str, Box<dyn Fn(i64) -> String + '_>)> = Vec::new();
        match panel.frequency().noun() {
            "day" => groups.push(("weekday", Box::new(|position| calendar.season_label(position, 7)))),
            "hour" => groups.push(("hour", Box::new(|position| calendar.season_label(position, 24)))),
            _ => {}
        }
        if !panel.frequency().is_whole() && panel.frequency().noun() != "year" {
            groups.push(("month", Box::new(|position| calendar.month(position).unwrap_or_default())));
        }
        groups
    }

    /// The bias, and how the error grows with the horizon.
    fn bias_by_step(&self, model: &str, steps: &[Step]) -> Result<Finding> {
        let all = Sum::of(steps);
        let inner = &*self.0;
        let h = inner.folds.horizon();
        let mut by_step = vec![Sum::default(); h];
        let mut by_fold = vec![Sum::default(); inner.windows.len()];
        let mut by_series = vec![Sum::default(); inner.panel.len()];
        for step in steps {
            by_step[step.step].add(step);
            by_fold[step.fold].add(step);
            by_series[step.series].add(step);
        }
        let high = all.signed >= 0.0;
        let same = |sums: &[Sum]| {
            let scored = sums.iter().filter(|sum| sum.count > 0);
            (scored.clone().filter(|sum| (sum.signed >= 0.0) == high).count(), scored.count())
        };
        let ((folds, of_folds), (series, of_series)) = (same(&by_fold), same(&by_series));
        let side = if high { "high" } else { "low" };
        let size = match all.bias() {
            Some(bias) if bias.abs() < 0.05 => "less than 0.1 % ".to_string(),
            Some(bias) => format!("{} % ", rounded(bias.abs(), 1)),
            None => String::new(),
        };
        let mut sentence = if all.signed == 0.0 {
            format!("Forecasts by {model} are neither too high nor too low overall.")
        } else {
            let folds = (of_folds > 1).then(|| format!("in {folds} of {of_folds} folds"));
            let series = || format!("for {} of {} series", number(series as f64), number(of_series as f64));
            let parts: Vec<String> = folds.into_iter().chain((of_series > 1).then(series)).collect();
            let parts =
                if parts.is_empty() { String::new() } else { format!("; they are too {side} {}", parts.join(" and ")) };
            format!("Forecasts by {model} are {size}too {side} overall{parts}.")
        };
        if let Some((first, last)) = by_step[0].wape().zip(by_step[h - 1].wape()).filter(|_| h > 1) {
            sentence += &format!(" WAPE is {} % at step 1 and {} % at step {h}.", rounded(first, 1), rounded(last, 1));
        }
        let real = |name: &str, pick: fn(&Sum) -> Option<f64>| {
            Column::new(name.into(), by_step.iter().map(pick).collect::<Vec<_>>())
        };
        let columns = vec![
            Column::new("step".into(), (1..=h as u64).collect::<Vec<_>>()),
            real("wape", Sum::wape),
            real("bias", Sum::bias),
            Column::new("values".into(), by_step.iter().map(|sum| sum.count as u64).collect::<Vec<_>>()),
        ];
        let table = Table::new(DataFrame::new(h, columns)?).titled(format!("Error and bias of {model} by step ahead"));
        let line = |name: &str, pick: fn(&Sum) -> Option<f64>| Line {
            name: name.into(),
            x: (1..=h).map(|step| step as f64).collect(),
            y: by_step.iter().map(|sum| pick(sum).unwrap_or(f64::NAN)).collect(),
        };
        let figure = Lines {
            title: format!("Error and bias of {model} by step ahead"),
            value: "% of actual values".into(),
            axis: TimeAxis::Steps,
            foot: "steps ahead".into(),
            lines: vec![line("WAPE", Sum::wape), line("bias (above 0: too high)", Sum::bias)],
            reference: Some(("no bias".into(), 0.0)),
        };
        Ok(Finding::new(format!("Bias of {model}"), sentence, table).drawn(figure.figure()))
    }

    /// Which covariates and traits of series go with large errors; none where there is nothing to compare.
    fn error_drivers(&self, model: &str, steps: &[Step]) -> Result<Option<Finding>> {
        let panel = &self.0.panel;
        let mut sums = vec![Sum::default(); panel.len()];
        steps.iter().for_each(|step| sums[step.series].add(step));
        // An error of 1 is the mean of its series.
        let relative = |step: &Step| {
            let sum = &sums[step.series];
            Some(step.error.abs() * sum.count as f64 / sum.size).filter(|error| error.is_finite())
        };
        let mut contrasts = self.covariate_contrasts(steps, &relative);
        contrasts.extend(self.trait_contrasts(&sums));
        contrasts.retain(|contrast| contrast.times().is_finite() && contrast.times() > 0.0);
        contrasts.sort_by(|a, b| b.times().ln().abs().total_cmp(&a.times().ln().abs()));
        let Some(first) = contrasts.first() else { return Ok(None) };
        let percent = |error: f64| format!("{} %", rounded(100.0 * error, 1));
        let largest = format!(
            "{}: {} of the series mean {} vs {} {} ({})",
            first.what,
            percent(first.there),
            first.sides[0],
            percent(first.elsewhere),
            first.sides[1],
            first.counted
        );
        let others: Vec<&str> =
            contrasts.iter().skip(1).filter(|c| c.times().ln().abs() > 0.2).map(|c| c.what.as_str()).collect();
        let others =
            if others.is_empty() { String::new() } else { format!(" It also varies with {}.", listed(&others, 4)) };
        let sentence = if first.times().ln().abs() > 0.2 {
            format!("The error of {model} varies most with {largest}.{others}")
        } else {
            format!("No factor goes with much larger or smaller errors of {model}. The largest contrast is {largest}.")
        };
        let shown = &contrasts[..contrasts.len().min(WORST)];
        let text = |name: &str, pick: fn(&Contrast) -> &str| {
            Column::new(name.into(), shown.iter().map(pick).collect::<Vec<_>>())
        };
        let real = |name: &str, pick: fn(&Contrast) -> f64| {
            Column::new(name.into(), shown.iter().map(pick).collect::<Vec<_>>())
        };
        let columns = vec![
            text("factor", |c| &c.what),
            text("groups compared", |c| c.sides[2]),
            real("error in the first, %", |c| 100.0 * c.there),
            real("in the second, %", |c| 100.0 * c.elsewhere),
            real("ratio", Contrast::times),
            text("values", |c| &c.counted),
        ];
        let table =
            Table::new(DataFrame::new(shown.len(), columns)?).titled(format!("Factors that go with errors of {model}"));
        let figure = Bars {
            title: format!("Factors that go with larger and smaller errors of {model}"),
            value: "ratio of the mean errors".into(),
            rows: shown.iter().map(|c| (format!("{}: {}", c.what, c.sides[2]), c.times())).collect(),
            best: None,
            reference: Some(("no difference".into(), 1.0)),
        };
        let finding =
            Finding::new(format!("Factors that go with errors of {model}"), sentence, table).drawn(figure.figure());
        Ok(Some(finding.but(
            "Associations, not causes: each factor is examined by itself, and few dates or series are weak evidence.",
        )))
    }

    /// Errors where a known or fixed covariate is not 0, or high, vs where it is 0, or low.
    fn covariate_contrasts(&self, steps: &[Step], relative: &dyn Fn(&Step) -> Option<f64>) -> Vec<Contrast> {
        let panel = &self.0.panel;
        // A panel without covariates, or with names for categories, has nothing to compare.
        let Ok(matrix) = panel.matrix() else { return Vec::new() };
        let mut contrasts = Vec::new();
        for (column, (name, (_, role))) in matrix.names.iter().zip(&matrix.sources).enumerate() {
            if *role == Role::Observed {
                continue;
            }
            let at = |step: &Step| {
                let row = panel.positions(step.series).binary_search(&step.position).ok()?;
                let value = *panel.column_of(step.series, &matrix.columns[column]).get(row)?;
                (!value.is_nan()).then_some((value, relative(step)?, step.position))
            };
            let values: Vec<(f64, f64, i64)> = steps.iter().filter_map(at).collect();
            let zeros = values.iter().filter(|(value, ..)| *value == 0.0).count();
            type Is = Box<dyn Fn(f64) -> bool>;
            let (sides, there, elsewhere): ([&'static str; 3], Is, Is) = if 3 * zeros >= values.len() {
                (["where it is not 0", "where it is 0", "not 0 / 0"], Box::new(|v| v != 0.0), Box::new(|v| v == 0.0))
            } else {
                let Some((low, high)) = thirds(values.iter().map(|(value, ..)| *value)) else { continue };
                (THIRDS, Box::new(move |v| v >= high), Box::new(move |v| v <= low))
            };
            let side = |is: &Is| -> Vec<(f64, i64)> {
                values.iter().filter(|(value, ..)| is(*value)).map(|(_, error, position)| (*error, *position)).collect()
            };
            let (one, other) = (side(&there), side(&elsewhere));
            if one.len() < LEAST || other.len() < LEAST {
                continue;
            }
            let mean = |side: &[(f64, i64)]| side.iter().map(|(error, _)| error).sum::<f64>() / side.len() as f64;
            let dates = one.iter().map(|(_, position)| position).collect::<HashSet<_>>().len();
            contrasts.push(Contrast {
                what: name.clone(),
                sides,
                there: mean(&one),
                elsewhere: mean(&other),
                counted: format!("{} values on {}", number(one.len() as f64), counted(dates, "date", "dates")),
            });
        }
        contrasts
    }

    /// Errors of the series with most of a trait vs those with least; traits are those before the first window.
    fn trait_contrasts(&self, sums: &[Sum]) -> Vec<Contrast> {
        type Measure = fn(&[f64]) -> f64;
        let Some(window) = self.0.windows.first() else { return Vec::new() };
        let train = window.forecast.panel();
        let scored: Vec<usize> = (0..sums.len()).filter(|i| sums[*i].wape().is_some()).collect();
        let traits: [(&str, Measure); 4] = [
            ("size of the series", |y| y.iter().sum::<f64>() / y.len() as f64),
            ("steps between sales", |y| Demand::of(y).mean_interval()),
            ("variation of sales", |y| Demand::of(y).variation()),
            ("length of history", |y| y.len() as f64),
        ];
        let mut contrasts = Vec::new();
        for (what, measure) in traits {
            let value = |i: &usize| {
                let y: Vec<f64> = train.target(*i).iter().copied().filter(|y| !y.is_nan()).collect();
                Some((*i, measure(&y))).filter(|(_, value)| value.is_finite())
            };
            let mut values: Vec<(usize, f64)> = scored.iter().filter_map(value).collect();
            values.sort_by(|a, b| a.1.total_cmp(&b.1));
            let third = values.len() / 3;
            let Some((_, up_to)) = third.checked_sub(1).and_then(|last| values.get(last)) else { continue };
            // Of values that are mostly the same, the highest are those above it.
            let above = values.iter().position(|(_, value)| value > up_to).unwrap_or(values.len());
            let (low, high) = (&values[..third], &values[above.max(values.len() - third)..]);
            if high.len() < LEAST_SERIES || low.len() < LEAST_SERIES {
                continue;
            }
            let mean = |side: &[(usize, f64)]| {
                side.iter().filter_map(|(i, _)| sums[*i].wape()).sum::<f64>() / side.len() as f64 / 100.0
            };
            contrasts.push(Contrast {
                what: what.into(),
                sides: THIRDS,
                there: mean(high),
                elsewhere: mean(low),
                counted: format!("{} vs {} series", number(high.len() as f64), number(low.len() as f64)),
            });
        }
        contrasts
    }
}

/// The lower and the upper third's bounds; none where they are the same.
fn thirds(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    let (low, high) = (*sorted.get(sorted.len() / 3)?, *sorted.get(2 * sorted.len() / 3)?);
    (low < high).then_some((low, high))
}
