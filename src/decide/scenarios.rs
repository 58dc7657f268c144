//! What if? The forecast, and the orders that follow from it, under changes of what is known of the future or of supply.
//!
//! A scenario is a name with what changes: `cheaper(column=Price, times=0.9)`, `promotion(column=Promo, to=1, from=2015-07-27,
//! until=2015-08-02)`, `heat(column=Temperature, plus=8)`, `late(lead_time=1)`, `closed(closed=true, from=2015-08-03,
//! until=2015-08-05, only="Store=1")`. The models stay as they were fitted: a scenario says what they make of other values, which
//! holds as far as such values have occurred and what they go with is what they bring about.
//!
//! A covariate that no model reads changes nothing, and the answer says so.

use polars::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::replenish::{Closed, Resupply};
use super::{Decided, Decision, Reading, only_model, without};
use crate::error::{Error, Result, find};
use crate::figures::{Figure, Line, Lines, TimeAxis};
use crate::forecast::Forecast;
use crate::panel::{Future, Panel};
use crate::show::words::{about, counted};
use crate::show::{Block, Finding, Table, number};

/// The columns of the scenarios as a planner reads them, and what they mean.
const READ: &[(&str, &str)] = &[
    ("scenario", "scenario"),
    ("forecast", "forecast"),
    ("change_percent", "more, %"),
    ("order", "ordered"),
    ("p_out", "risk, %"),
    ("expected_cost", "cost"),
];
const MEANING: &str = "Ordered: units of all items. Risk: the probability that an item runs out in the steps that its order is for, on \
                       average. Cost: expected in these steps.";

/// What a scenario changes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Change {
    /// The covariate that has other values; a category is given by its indicator, such as `Type=A`.
    column: Option<String>,
    /// Its values times this.
    times: Option<f64>,
    /// Its values and this.
    plus: Option<f64>,
    /// This instead of its values.
    to: Option<f64>,
    /// The first step that changes; the first of the forecast if not given.
    from: Option<String>,
    /// The last step that changes; the last of the forecast if not given.
    until: Option<String>,
    /// Only series of a key or fixed covariate: `Store=1`, `Store=1, Dept=3`.
    only: String,
    /// Is nothing sold in these steps?
    closed: bool,
    /// Steps by which orders arrive later; negative for earlier.
    lead_time: i64,
}

/// A scenario with its name.
struct Scenario {
    name: String,
    change: Change,
}

impl Scenario {
    fn parse(label: &str) -> Result<Self> {
        let (name, options) = crate::options::split(label)?;
        let change: Change = crate::options::read(&format!("the scenario `{name}`"), options)?;
        let nothing = |what: &str| Err(Error::usage(format!("the scenario `{name}` {what}, such as {EXAMPLE}")));
        let ways = [change.times, change.plus, change.to].iter().flatten().count();
        if name.is_empty() {
            return Err(Error::usage(format!("a scenario has a name, such as {EXAMPLE}")));
        }
        match (&change.column, ways) {
            (Some(_), 0) => return nothing("says nothing of the values of its column: state times, plus or to"),
            (Some(_), 2..) => return nothing("changes its column in two ways: state one of times, plus and to"),
            (None, 1..) => return nothing("names no column"),
            (None, 0) if !change.closed && change.lead_time == 0 => return nothing("changes nothing: name a column"),
            _ => {}
        }
        if [change.times, change.plus, change.to].iter().flatten().any(|value| !value.is_finite()) {
            return Err(Error::usage(format!("the scenario `{name}` changes by a number that is none")));
        }
        Ok(Self { name: name.to_string(), change })
    }

    /// Which series and which steps change.
    fn cells(&self, forecast: &Forecast) -> Result<Closed> {
        let panel = forecast.panel();
        let change = &self.change;
        let wanted = asked(&panel, &change.only)?;
        let place = |stamp: &Option<String>| stamp.as_ref().map(|stamp| panel.position_of(stamp)).transpose();
        let (from, until) = (place(&change.from)?, place(&change.until)?);
        let of = |i: usize| {
            let at = |step: usize| forecast.start(i) + step as i64;
            let inside =
                |step: usize| from.is_none_or(|from| at(step) >= from) && until.is_none_or(|until| at(step) <= until);
            (0..forecast.horizon()).map(|step| wanted[i] && inside(step)).collect::<Vec<bool>>()
        };
        let cells: Vec<Vec<bool>> = (0..forecast.len()).map(of).collect();
        if !cells.iter().flatten().any(|cell| *cell) {
            let label = |step: usize| panel.inner().calendar.label(forecast.start(0) + step as i64);
            return Err(Error::usage(format!(
                "the scenario `{}` changes nothing: no series of `{}` has a step from {} to {}; the forecast covers {} to {}",
                self.name,
                if change.only.is_empty() { "all" } else { &change.only },
                change.from.as_deref().unwrap_or("its start"),
                change.until.as_deref().unwrap_or("its end"),
                label(0),
                label(forecast.horizon().saturating_sub(1))
            )));
        }
        Ok(cells)
    }

    /// The future with the values of the scenario.
    fn future(&self, future: &Future, cells: &Closed) -> Result<Future> {
        let change = &self.change;
        let Some(column) = &change.column else { return Ok(future.clone()) };
        let with = |value: f64| match (change.times, change.plus, change.to) {
            (Some(times), ..) => value * times,
            (_, Some(plus), _) => value + plus,
            (.., to) => to.unwrap_or(value),
        };
        future.changed(column, cells, with)
    }
}

/// An example of a scenario, for messages.
const EXAMPLE: &str = "cheaper(column=Price, times=0.9)";

/// The series that have all of these values: `Store=1, Dept=3`.
fn asked(panel: &Panel, only: &str) -> Result<Vec<bool>> {
    let mut asked = vec![true; panel.len()];
    for part in only.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let unknown = || {
            Error::usage(format!("`only` names a key or fixed covariate and its value, such as Store=1, not `{part}`"))
        };
        let (column, value) = part.split_once('=').ok_or_else(unknown)?;
        let values = panel.attribute(column.trim())?.ok_or_else(unknown)?;
        asked.iter_mut().zip(&values).for_each(|(asked, own)| *asked &= own == value.trim());
    }
    if asked.iter().any(|asked| *asked) { Ok(asked) } else { Err(Error::usage(format!("no series has `{only}`"))) }
}

/// Steps by which orders arrive later at most, in any of the scenarios.
///
/// # Errors
/// When a scenario cannot be read.
pub(crate) fn latest<S: AsRef<str>>(labels: &[S]) -> Result<usize> {
    let late =
        |label: &S| Ok::<usize, Error>(usize::try_from(Scenario::parse(label.as_ref())?.change.lead_time).unwrap_or(0));
    labels.iter().try_fold(0, |most, label| Ok(late(label)?.max(most)))
}

/// What comes of a scenario.
struct Outcome {
    name: String,
    /// By series, what is expected step by step.
    means: Vec<Vec<f64>>,
    orders: Option<Decision>,
}

/// A forecast and its decision under several scenarios; the first is what is expected as it is.
struct Scenarios {
    forecast: Forecast,
    outcomes: Vec<Outcome>,
}

impl Forecast {
    /// What if? The forecast under each of several scenarios beside the forecast as it is, such as
    /// `["cheaper(column=Price, times=0.9)", "closed(closed=true, until=2012-11-09)"]`.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales").observed(["Temperature"]);
    /// let sales = Panel::read("data/walmart_sales_weekly.csv", columns)?;
    /// let forecast = sales.fit_for(["ridge"], 4)?.forecast(4)?;
    /// let scenarios = forecast.what_if(["warmer(column=Temperature, plus=10)", "closed(closed=true, until=2012-11-02)"])?;
    /// assert_eq!(scenarios.table()?.rows(), 3);
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// When a scenario cannot be read, names no covariate of the panel or changes nothing, the forecast is of several models, or it
    /// was opened from a file and has no fits.
    pub fn what_if<S: AsRef<str>>(&self, scenarios: impl IntoIterator<Item = S>) -> Result<Decision> {
        let labels: Vec<String> = scenarios.into_iter().map(|label| label.as_ref().to_string()).collect();
        Ok(Decision::of(Scenarios::of(self, None, &labels)?))
    }
}

impl Decision {
    /// What if? Forecast and orders under each of several scenarios beside those that are decided, such as
    /// `["cheaper(column=Price, times=0.9)", "late(lead_time=1)"]`, see [`Forecast::what_if`].
    ///
    /// # Errors
    /// As [`Forecast::what_if`], and when the decision is not one on orders.
    pub fn what_if<S: AsRef<str>>(&self, scenarios: impl IntoIterator<Item = S>) -> Result<Decision> {
        let labels: Vec<String> = scenarios.into_iter().map(|label| label.as_ref().to_string()).collect();
        let resupply = self.kind.resupply().ok_or_else(|| {
            Error::usage(format!(
                "`{}` do not follow from a forecast and a stock: scenarios are of orders",
                self.title()
            ))
        })?;
        Ok(Decision::of(Scenarios::of(&self.forecast()?, Some(resupply), &labels)?))
    }
}

impl Scenarios {
    fn of(forecast: &Forecast, resupply: Option<Resupply>, labels: &[String]) -> Result<Self> {
        let model = only_model(forecast.models(), "")?;
        let Some((fits, future)) = forecast.fitted() else {
            return Err(Error::usage(
                "a forecast that was opened from a file or combined has no model that could be asked again",
            ));
        };
        let scenarios: Vec<Scenario> = labels.iter().map(|label| Scenario::parse(label)).collect::<Result<_>>()?;
        if scenarios.is_empty() {
            return Err(Error::usage(format!("at least 1 scenario is needed, such as {EXAMPLE}")));
        }
        let outcome = |name: &str, forecast: &Forecast, closed: Option<&Closed>, late: i64| {
            let mean = |i: usize| {
                let mut mean = forecast.mean(&model, forecast.label(i)).unwrap_or_default();
                if let Some(closed) = closed {
                    mean.iter_mut().zip(&closed[i]).filter(|(_, closed)| **closed).for_each(|(mean, _)| *mean = 0.0);
                }
                mean
            };
            let orders = resupply.as_ref().map(|resupply| resupply.again(forecast, closed, late)).transpose()?;
            let means = (0..forecast.len()).map(mean).collect();
            Ok::<_, Error>(Outcome { name: name.to_string(), means, orders })
        };
        let mut outcomes = vec![outcome("as expected", forecast, None, 0)?];
        for scenario in &scenarios {
            let cells = scenario.cells(forecast)?;
            let changed = fits.forecast(scenario.future(future, &cells)?)?;
            let closed = scenario.change.closed.then_some(&cells);
            outcomes.push(outcome(&scenario.name, &changed, closed, scenario.change.lead_time)?);
        }
        Ok(Self { forecast: forecast.clone(), outcomes })
    }

    /// What is expected in all steps together, of all series or of one.
    fn total(&self, outcome: &Outcome, series: Option<usize>) -> f64 {
        let of = |i: usize| outcome.means[i].iter().filter(|mean| mean.is_finite()).sum::<f64>();
        series.map_or_else(|| (0..outcome.means.len()).map(of).sum(), of)
    }

    /// The sum, or the mean, of a column of the orders.
    fn of_orders(&self, outcome: &Outcome, column: &str, item: Option<usize>) -> Result<Option<f64>> {
        let Some(orders) = &outcome.orders else { return Ok(None) };
        let table = orders.table()?;
        let values = table.frame().column(column)?.cast(&DataType::Float64)?;
        let values = values.f64()?;
        if let Some(item) = item {
            return Ok(values.get(item));
        }
        let known: Vec<f64> = values.iter().flatten().collect();
        let sum: f64 = known.iter().sum();
        let count = known.len() as f64;
        Ok((count > 0.0).then(|| if column == "p_out" { sum / count } else { sum }))
    }

    fn rows(&self, series: Option<usize>) -> Result<Table> {
        let base = self.total(&self.outcomes[0], series);
        let names: Vec<&str> = self.outcomes.iter().map(|outcome| outcome.name.as_str()).collect();
        let totals: Vec<f64> = self.outcomes.iter().map(|outcome| self.total(outcome, series)).collect();
        let change: Vec<Option<f64>> =
            totals.iter().map(|total| (base != 0.0).then(|| 100.0 * (total / base - 1.0))).collect();
        let mut columns = vec![
            Column::new("scenario".into(), names),
            Column::new("forecast".into(), totals),
            Column::new("change_percent".into(), change),
        ];
        if self.outcomes[0].orders.is_some() {
            for column in ["order", "p_out", "expected_cost"] {
                let values: Vec<Option<f64>> = self
                    .outcomes
                    .iter()
                    .map(|outcome| self.of_orders(outcome, column, series))
                    .collect::<Result<_>>()?;
                columns.push(Column::new(column.into(), values));
            }
        }
        Ok(Table::new(DataFrame::new(self.outcomes.len(), columns)?))
    }

    /// What is expected step by step, of all series or of one.
    fn figure(&self, title: String, series: Option<usize>) -> Figure {
        let panel = self.forecast.panel();
        let start = self.forecast.start(series.unwrap_or(0));
        let x: Vec<f64> =
            (0..self.forecast.horizon()).map(|step| panel.inner().calendar.x(start + step as i64)).collect();
        let at = |outcome: &Outcome, step: usize| {
            let of = |mean: &Vec<f64>| mean.get(step).copied().filter(|mean| mean.is_finite()).unwrap_or(0.0);
            series.map_or_else(|| outcome.means.iter().map(of).sum(), |i| of(&outcome.means[i]))
        };
        let line = |outcome: &Outcome| Line {
            name: outcome.name.clone(),
            x: x.clone(),
            y: (0..x.len()).map(|step| at(outcome, step)).collect(),
        };
        let axis = if panel.frequency().is_whole() { TimeAxis::Steps } else { TimeAxis::Dates };
        let value = panel.columns().target().to_string();
        Lines {
            title,
            value,
            axis,
            foot: String::new(),
            lines: self.outcomes.iter().map(line).collect(),
            reference: None,
        }
        .figure()
    }
}

impl Decided for Scenarios {
    fn title(&self) -> String {
        "Scenarios".into()
    }

    fn sentence(&self) -> String {
        let base = self.total(&self.outcomes[0], None);
        let orders = |outcome: &Outcome| self.of_orders(outcome, "order", None).ok().flatten();
        let mut text = format!(
            "{} {} are expected in {}.",
            about(base),
            self.forecast.panel().columns().target(),
            counted(self.forecast.horizon(), "step", "steps")
        );
        for outcome in &self.outcomes[1..] {
            let total = self.total(outcome, None);
            let change = match total == base {
                true => "the forecast is the same".to_string(),
                false if base != 0.0 => {
                    let percent = 100.0 * (total / base - 1.0);
                    format!("{} % {}", about(percent.abs()), if percent < 0.0 { "less" } else { "more" })
                }
                false => format!("{} of it", about(total)),
            };
            let order = orders(outcome)
                .zip(orders(&self.outcomes[0]))
                .map(|(then, now)| format!(", {} units ordered instead of {}", number(then), number(now)));
            text += &format!(" {}: {change}{}.", outcome.name, order.unwrap_or_default());
        }
        text
    }

    fn table(&self) -> Result<Table> {
        self.rows(None)
    }

    fn explain(&self, item: &str) -> Result<Finding> {
        let place = find(item, &self.forecast.keys(), "item")?;
        let title = format!("Scenarios of {item}");
        let base = self.total(&self.outcomes[0], Some(place));
        let sentence = format!("{} are expected of {item} as it is.", about(base));
        Ok(Finding::new(title.clone(), sentence, self.rows(Some(place))?).drawn(self.figure(title, Some(place))))
    }

    fn undecided(&self) -> Result<Table> {
        match &self.outcomes[0].orders {
            Some(orders) => orders.undecided(),
            None => without(std::iter::empty()),
        }
    }

    fn forecast(&self) -> Option<Forecast> {
        Some(self.forecast.clone())
    }

    fn caveats(&self) -> Vec<String> {
        let base = &self.outcomes[0];
        let same = |outcome: &&Outcome| outcome.means == base.means;
        let unread: Vec<&str> = self.outcomes[1..].iter().filter(same).map(|outcome| outcome.name.as_str()).collect();
        let mut caveats: Vec<String> = self.forecast.caveat().into_iter().collect();
        if !unread.is_empty() && base.orders.is_none() {
            caveats.push(format!(
                "The model does not read what changes in {}: its forecast is the same.",
                unread.join(", ")
            ));
        }
        caveats.push(
            "A scenario says what the model makes of other values; it holds as far as they have occurred before."
                .into(),
        );
        caveats
    }

    fn figures(&self) -> Result<Vec<Figure>> {
        Ok(vec![self.figure("What is expected".into(), None)])
    }

    /// The table by the names that a planner reads, and the figure.
    fn blocks(&self) -> Result<Vec<Block>> {
        let table = self.table()?;
        let columns: Vec<(&str, &str)> =
            READ.iter().filter(|(name, _)| table.frame().column(name).is_ok()).copied().collect();
        let reading = Reading { keys: Vec::new(), columns: &columns, meaning: MEANING };
        let mut blocks = vec![Block::Table(reading.table(&table)?)];
        if self.outcomes[0].orders.is_some() {
            blocks.push(Block::Text(MEANING.into()));
        }
        blocks.extend(self.figures()?.into_iter().map(Block::Figure));
        Ok(blocks)
    }
}
