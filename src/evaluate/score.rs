//! How good is a forecast? Numerator and denominator of every metric for each model and series, by the same code
//! whether the forecast is one of a backtest, was made yesterday, or comes from a file.

use polars::prelude::*;

use crate::error::{Error, Result};
use crate::forecast::{Distribution, Forecast};
use crate::metrics::{self, Case, METRICS, Ratios, scales};
use crate::panel::Panel;
use crate::show::{Table, number};

/// What is scored of one series: the values of the window, and how far the seasonal naive method was off before it.
pub(super) struct Truth<'a> {
    pub(super) actual: &'a [f64],
    /// The mean absolute and the mean squared in-sample error of the seasonal naive method.
    pub(super) scale: (f64, f64),
}

impl Truth<'_> {
    /// The score of a forecast by every metric, its quantiles at `probabilities` as far as it has them.
    pub(super) fn score(&self, forecast: &Distribution, probabilities: &[f64]) -> Ratios {
        let known: Vec<f64> = probabilities.iter().copied().filter(|p| forecast.knows(*p)).collect();
        let quantiles: Vec<Vec<f64>> = known.iter().map(|p| forecast.quantile(*p)).collect();
        metrics::ratios(&Case {
            actual: self.actual,
            mean: forecast.mean(),
            probabilities: &known,
            quantiles: &quantiles,
            absolute_scale: self.scale.0,
            squared_scale: self.scale.1,
        })
    }
}

impl Forecast {
    /// Scores the forecast against the actual values: a row per model, with the metrics of a backtest ([`METRICS`]) as
    /// means over series, and the numbers of series that were scored, that have no actuals, and that have no forecast.
    /// The title gives the same numbers in words.
    ///
    /// `actuals` holds the forecast period; series are matched by name, steps by date. Errors are scaled by the history
    /// that was fitted, or, for a forecast from a file, by what `actuals` holds before the forecast: without a history
    /// there is no `mase`. The metrics that need quantiles are empty where the forecast has none.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales");
    /// let sales = Panel::read("data/walmart_sales_weekly.csv", columns)?;
    /// let forecast = sales.before("2012-09-01")?.fit(["naive", "theta"])?.forecast(8)?;
    /// let scores = forecast.score(&sales)?;
    /// assert_eq!((scores.rows(), scores.get(0, "series")?.to_string().as_str()), (2, "7"));
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// When no series of the forecast has a value in its period, or the actuals are on another calendar.
    pub fn score(&self, actuals: &Panel) -> Result<Table> {
        let there: Vec<Option<(usize, i64)>> =
            (0..self.len()).map(|i| self.placed(actuals, i)).collect::<Result<_>>()?;
        let happened = |place: &Option<(usize, i64)>| {
            place.and_then(|(j, start)| actuals.happened(j, start, self.horizon())).unwrap_or_default()
        };
        let windows: Vec<Vec<f64>> = there.iter().map(happened).collect();
        let scale = self.scales(actuals, &there)?;
        let mut columns = vec![Column::new("model".into(), self.models())];
        let cases: Vec<Vec<Ratios>> = (0..self.models().len())
            .map(|m| {
                let scored = (0..self.len()).filter(|i| !windows[*i].is_empty());
                let score = |i: usize| {
                    let truth = Truth { actual: &windows[i], scale: scale[i] };
                    Some(truth.score(self.cell(m, i)?, self.probabilities()))
                };
                scored.filter_map(score).collect()
            })
            .collect();
        if cases.iter().all(Vec::is_empty) {
            return Err(self.nothing_to_score(actuals, &there));
        }
        for (index, metric) in METRICS.iter().enumerate() {
            let of = |cases: &Vec<Ratios>| metrics::mean(metric, cases.iter().map(|ratios| ratios[index]));
            columns.push(Column::new(metric.name.into(), cases.iter().map(of).collect::<Vec<_>>()));
        }
        let without: Vec<&str> = (0..self.len()).filter(|i| windows[*i].is_empty()).map(|i| self.label(i)).collect();
        let ours = self.panel();
        let labels = actuals.labels();
        let unforecast: Vec<&str> =
            labels.iter().map(String::as_str).filter(|label| ours.place_of(label).is_none()).collect();
        let all = |count: usize| vec![count as u64; cases.len()];
        columns.push(Column::new("series".into(), cases.iter().map(|cases| cases.len() as u64).collect::<Vec<_>>()));
        columns.push(Column::new("without actuals".into(), all(without.len())));
        columns.push(Column::new("without forecast".into(), all(unforecast.len())));
        let mut title = vec![format!("{} series scored", number((self.len() - without.len()) as f64))];
        let counted = |names: &[&str], what: &str| {
            let first = names.first()?;
            Some(format!("{} {what} (first: {first})", number(names.len() as f64)))
        };
        title.extend(counted(&without, "of the forecast without actuals"));
        title.extend(counted(&unforecast, "of the actuals without a forecast"));
        Ok(Table::new(DataFrame::new(cases.len(), columns)?).titled(title.join("; ")))
    }

    /// The index of a series among the actuals, and the position of its first step there; none if it is not among them.
    fn placed(&self, actuals: &Panel, series: usize) -> Result<Option<(usize, i64)>> {
        let Some(j) = actuals.place_of(self.label(series)) else { return Ok(None) };
        let panel = self.panel();
        let (ours, theirs) = (&panel.inner().calendar, &actuals.inner().calendar);
        let first = self.start(series);
        let start = theirs.frequency.position(ours.frequency.stamp(first)).0;
        let differs = |step: &i64| ours.frequency.stamp(first + step) != theirs.frequency.stamp(start + step);
        if ours.kind() != theirs.kind() || (0..self.horizon() as i64).any(|step| differs(&step)) {
            return Err(Error::data(format!(
                "the actuals are {}, and step 1 of the forecast of series {} is {}, so that its steps are not theirs",
                theirs.frequency,
                self.label(series),
                ours.label(first)
            )));
        }
        Ok(Some((j, start)))
    }

    /// The mean absolute and the mean squared in-sample error of the seasonal naive method on each series: in the
    /// history that was fitted, else in the actuals before the forecast.
    fn scales(&self, actuals: &Panel, there: &[Option<(usize, i64)>]) -> Result<Vec<(f64, f64)>> {
        let fitted = self.panel();
        if fitted.rows() > 0 {
            return Ok((0..self.len()).map(|i| scales(&fitted.regular(i), fitted.season())).collect());
        }
        let mut ends = vec![actuals.extent().map_or(0, |(first, _)| first); actuals.len()];
        for (j, start) in there.iter().flatten() {
            ends[*j] = *start;
        }
        let before = actuals.until(&ends)?;
        let of = |place: &Option<(usize, i64)>| {
            place.map_or((f64::NAN, f64::NAN), |(j, _)| scales(&before.regular(j), actuals.season()))
        };
        Ok(there.iter().map(of).collect())
    }

    /// Why nothing could be scored.
    fn nothing_to_score(&self, actuals: &Panel, there: &[Option<(usize, i64)>]) -> Error {
        let (ours, theirs) = (self.keys(), actuals.keys());
        let first = |keys: &[String]| keys.first().cloned().unwrap_or_default();
        match there.iter().flatten().next() {
            None => Error::data(format!(
                "no series of the forecast is among the actuals: it has {}, they have {}",
                first(&ours),
                first(&theirs)
            )),
            Some(_) if !(0..self.models().len()).any(|m| (0..self.len()).any(|i| self.cell(m, i).is_some())) => {
                Error::model("no model has a forecast for any series")
            }
            Some((_, start)) => Error::data(format!(
                "the actuals hold no value in the period of the forecast, which begins at {}; they end at {}",
                actuals.inner().calendar.label(*start),
                actuals.span().1
            )),
        }
    }
}
