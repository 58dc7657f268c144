//! Which figure shows a noun? The nouns' `plot` verbs: they choose series and hand plain numbers to the figures, which
//! know no noun.
//!
//! | file | question |
//! |---|---|
//! | `mod.rs` | which figure shows a panel, a forecast, a backtest, a search? |
//! | `quality.rs` | which figures show the state of the data, and what cleaning changed? |

mod quality;

use crate::error::{Error, Result};
use crate::evaluate::{Backtest, Tuning};
use crate::figures::{Band, Bars, Fan, Fans, Figure, Line, OptimisationHistory, Overview, TimeAxis};
use crate::forecast::{Distribution, Forecast};
use crate::models::{names, place};
use crate::panel::Panel;
use crate::show::words;

/// More panels than this cannot be read on one page.
const MOST_PANELS: usize = 6;

impl Panel {
    /// The series over time, the largest ones if there are many.
    ///
    /// # Errors
    /// When a series is too long to be drawn, because of a timestamp far from all others.
    pub fn plot(&self) -> Result<Figure> {
        self.check_length()?;
        let shown = largest(self, MOST_PANELS);
        let lines = shown.iter().map(|i| line(self, *i, self.label(*i), 0)).collect();
        let title = if shown.len() < self.len() {
            format!("{}: the {} largest of {} series", self.inner().columns.target, shown.len(), self.len())
        } else {
            self.inner().columns.target.clone()
        };
        Ok(Overview { title, value: self.inner().columns.target.clone(), axis: axis(self), lines, marks: Vec::new() }
            .figure())
    }
}

impl Forecast {
    /// History, mean and intervals of one model, for the largest series if there are many.
    ///
    /// # Errors
    /// When there is no such model, or it has no forecast at all.
    pub fn plot(&self, model: &str) -> Result<Figure> {
        let (m, _) = place(model, &self.models())?;
        self.plot_as(model, &names(&self.models())[m])
    }

    /// The same under this name of the model.
    pub(crate) fn plot_as(&self, model: &str, name: &str) -> Result<Figure> {
        fans(self, model, name, &[], &format!("Forecast by {name}"))
    }
}

impl Backtest {
    /// The models ranked by a metric.
    ///
    /// # Errors
    /// When there is no such metric.
    pub fn plot(&self, metric: &str) -> Result<Figure> {
        let named = self.deciding(metric)?;
        let metric = named.name;
        let names = self.names();
        let score = |m: &usize| (names[*m].clone(), self.mean(named, *m).unwrap_or(f64::NAN));
        let rows = self.ranked(named).iter().map(score).collect();
        let reference = (named.best != 0.0).then(|| ("target".to_string(), named.best));
        let folds = self.folds().len();
        let shown = words::metric(metric);
        let title = format!("Models by {shown} over {}", words::counted(folds, "fold", "folds"));
        Ok(Bars { title, value: format!("{shown}: {}", named.summary), rows, best: Some(0), reference }.figure())
    }

    /// The last fold's forecast by one model with the actual values.
    ///
    /// # Errors
    /// When there is no such model, or it has no forecast in that fold.
    pub fn plot_last(&self, model: &str) -> Result<Figure> {
        let (forecast, actuals) = self.last().ok_or_else(|| Error::usage("the backtest has no folds"))?;
        let (m, _) = place(model, &self.models())?;
        let name = &self.names()[m];
        fans(forecast, model, name, actuals, &format!("Last test window: {name} vs actual values"))
    }
}

impl Tuning {
    /// The score of each trial that was scored on all folds, and the best so far; of the first group where several were
    /// tuned.
    ///
    /// # Errors
    /// Only if the figure cannot be drawn.
    pub fn plot(&self) -> Result<Figure> {
        let metric = self.metric();
        let groups = self.groups();
        let of = if groups.len() > 1 { format!(" for {}", groups[0]) } else { String::new() };
        let shown = words::metric(metric.name);
        let title = format!("Tuning {}{of}: trials by {shown}", names(&[self.model()])[0]);
        let value = format!("{shown}: {}", metric.summary);
        Ok(OptimisationHistory { title, value, trials: self.history(0), perfect: metric.best }.figure())
    }
}

fn fans(forecast: &Forecast, model: &str, name: &str, actuals: &[Vec<f64>], title: &str) -> Result<Figure> {
    let models = forecast.models();
    let (m, model) = place(model, &models)?;
    let panel = forecast.panel();
    let value = panel.inner().columns.target.clone();
    let drawn: Vec<(usize, &Distribution)> =
        by_size(forecast, m).into_iter().filter_map(|i| Some((i, forecast.cell(m, i)?))).take(MOST_PANELS).collect();
    if drawn.is_empty() {
        return Err(Error::model(format!("{model} has no forecast to draw")));
    }
    let panels: Vec<Fan> = drawn
        .iter()
        .map(|(i, cell)| {
            let calendar = &panel.inner().calendar;
            let start = forecast.start(*i);
            let x: Vec<f64> = (0..forecast.horizon() as i64).map(|step| calendar.x(start + step)).collect();
            let mut levels = forecast.chosen_levels().to_vec();
            levels.sort_by(f64::total_cmp);
            Fan {
                title: panel.label(*i).into(),
                value: value.clone(),
                axis: axis(&panel),
                // A season of history, or five horizons, gives the eye its scale and leaves the forecast room.
                history: line(&panel, *i, "history", panel.season().max(5 * forecast.horizon())),
                actual: actuals.get(*i).filter(|y| !y.is_empty()).map(|y| Line {
                    name: "actual".into(),
                    x: x.clone(),
                    y: y.clone(),
                }),
                mean: Line { name: name.to_string(), x, y: cell.mean().to_vec() },
                bands: levels
                    .iter()
                    .map(|level| (*level, (1.0 - level) / 2.0, (1.0 + level) / 2.0))
                    .filter(|(_, lower, upper)| cell.knows(*lower) && cell.knows(*upper))
                    .map(|(level, lower, upper)| Band {
                        level,
                        lower: cell.quantile(lower),
                        upper: cell.quantile(upper),
                    })
                    .collect(),
            }
        })
        .collect();
    let title = if drawn.len() < panel.len() {
        format!("{title}: the {} largest of {} series", drawn.len(), panel.len())
    } else {
        title.to_string()
    };
    Ok(Fans { title, value, axis: axis(&panel), panels }.figure())
}

/// All series, those that sell most first: by their history, or by what a model expects of them where none is known.
fn by_size(forecast: &Forecast, model: usize) -> Vec<usize> {
    let panel = forecast.panel();
    if panel.rows() > 0 {
        return largest(&panel, panel.len());
    }
    let sum = |i: usize| forecast.cell(model, i).map_or(f64::NEG_INFINITY, |cell| cell.mean().iter().sum());
    let sums: Vec<f64> = (0..panel.len()).map(sum).collect();
    let mut order: Vec<usize> = (0..panel.len()).collect();
    order.sort_by(|a, b| sums[*b].total_cmp(&sums[*a]));
    order
}

/// The series that sell most, in the panel's order.
fn largest(panel: &Panel, most: usize) -> Vec<usize> {
    let sum = |i: usize| panel.target(i).iter().filter(|y| !y.is_nan()).sum::<f64>();
    let sums: Vec<f64> = (0..panel.len()).map(sum).collect();
    let mut order: Vec<usize> = (0..panel.len()).collect();
    if order.len() > most || most == panel.len() {
        order.sort_by(|a, b| sums[*b].total_cmp(&sums[*a]));
        order.truncate(most);
    }
    order
}

fn axis(panel: &Panel) -> TimeAxis {
    if panel.frequency().is_whole() { TimeAxis::Steps } else { TimeAxis::Dates }
}

/// The last `most` steps of a series, all of them for 0.
fn line(panel: &Panel, series: usize, name: &str, most: usize) -> Line {
    let y = panel.regular(series);
    let skipped = if most == 0 { 0 } else { y.len().saturating_sub(most) };
    let first = panel.positions(series).first().copied().unwrap_or(0);
    let calendar = &panel.inner().calendar;
    Line {
        name: name.into(),
        x: (skipped..y.len()).map(|t| calendar.x(first + t as i64)).collect(),
        y: y[skipped..].to_vec(),
    }
}
