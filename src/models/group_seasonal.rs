//! `group_seasonal`: last year's pattern of each series, drawn towards that of its group, at the level of today.
//!
//! ŷ(t) = L · g^γ · (w·p(t) + (1 − w)·q(t)): L the mean of the last season, p the pattern of the series (its values relative to
//! the mean of their season, averaged over up to three seasons), q the profile of the other series of its group (see
//! `fitting::profiles`), g the growth of the last quarter of a season against the same steps a season before. One season is a
//! noisy estimate of a pattern: with k seasons w = k / (k + (1 − v)/v), v the option `own`. Growth persists in part: γ is the
//! option `growth`.
//!
//! Patterns keep to the calendar: weeks to the dates of the year, and holidays that move take their sales with them (see
//! `fitting::anniversary`).
//!
//! For histories of one to three seasons and horizons up to a season, where methods with a seasonal component have nothing to
//! estimate it from. A series of less than a season has the profile of its group; without group and season it fails.
//!
//! Group seasonal indices: Dalhart 1974; Withycombe 1989, *International Journal of Forecasting* 5. Shrinkage of seasonal
//! factors: Miller & Williams 2003, *ibid.* 19. The defaults are the best on windows of 13 to 26 weeks inside the first 91 weeks
//! of Walmart's sales (see `reports/accuracy/auto.md`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ahead, FittedSeries, Method, Season, Series, SeriesModel, changes};
use crate::error::{Error, Result};
use crate::fitting::{Autoregression, Pooling};

/// Seasons from the end of a series that its pattern is averaged over.
const SEASONS: usize = 3;
/// The level of an earlier season, relative to that of the last one, below which its pattern is not looked at.
const LOW: f64 = 0.1;
/// The height of a place of the season that the standard deviation follows.
const HEIGHT: std::ops::RangeInclusive<f64> = 0.5..=4.0;
/// The growth that is believed.
const GROWTH: std::ops::RangeInclusive<f64> = 0.25..=4.0;

/// Options of `group_seasonal`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GroupSeasonal {
    /// Steps in a season; the panel's season if not given.
    pub season: Option<usize>,
    /// The weight of one season of the series itself beside the profile of its group, from 0 to 1.
    pub own: f64,
    /// The part of the growth against last year that persists, from 0 to 1.
    pub growth: f64,
}

impl Default for GroupSeasonal {
    fn default() -> Self {
        Self { season: None, own: 0.6, growth: 0.5 }
    }
}

impl Method for GroupSeasonal {
    const NAME: &str = "group_seasonal";
    const TITLE: &str = "Group seasonal pattern";
    const SUMMARY: &str = "Last year's pattern of each series, drawn towards that of its group, at the level of today";
    const EXAMPLE: &str = "group_seasonal(own=0.7)";
    const ALSO: &str = "group seasonal indices, seasonal profile";
    const SIMILAR: &[(&str, &str)] = &[(
        "shrinkage seasonal, pooled seasonal indices",
        "it draws the pattern of each series towards that of its group",
    )];
    const SEARCH: &[(&str, &[&str])] = &[("own", &["0.3", "0.6", "0.8", "1"]), ("growth", &["0", "0.5", "1"])];
    type Scope = super::Local;
    type Fitted = FittedGroupSeasonal;

    fn check(&self) -> Result<()> {
        super::check_season(self.season)?;
        for (what, value) in [("own", self.own), ("growth", self.growth)] {
            if !(0.0..=1.0).contains(&value) {
                return Err(Error::usage(format!("`{what}` is a fraction from 0 to 1, not {value}")));
            }
        }
        Ok(())
    }
}

impl SeriesModel for GroupSeasonal {
    fn pooling(&self) -> Pooling {
        Pooling::Every(self.season)
    }

    fn fit(&self, series: &Series) -> Result<Box<dyn FittedSeries>> {
        self.fit_with_season(series, &Season::default())
    }

    fn fit_with_season(&self, series: &Series, pooled: &Season) -> Result<Box<dyn FittedSeries>> {
        let series = &self.in_season(series);
        let state = self.state(series, pooled)?;
        let mut errors = state.errors(series);
        let compared = errors.iter().filter(|e| !e.is_nan()).count();
        // Too little was sold a season before: errors are those of the profile of the group.
        let level = (compared < series.season.div_ceil(4) && !pooled.notation().is_empty()).then_some(state.level);
        if let Some(level) = level {
            errors = profile_errors(series, pooled, level);
        }
        let n = errors.iter().filter(|e| !e.is_nan()).count();
        let mean_square = errors.iter().filter(|e| !e.is_nan()).map(|e| e * e).sum::<f64>() / n.max(1) as f64;
        let autoregression = Autoregression::of(std::iter::once(&errors));
        let residuals = autoregression.innovations(&errors, 1.0);
        let (model, profile, sigma) = (self.clone(), pooled.clone(), mean_square.sqrt());
        Ok(Box::new(FittedGroupSeasonal { model, profile, level, state, sigma, autoregression, residuals }))
    }
}

/// A fitted pattern.
#[derive(Serialize, Deserialize)]
pub struct FittedGroupSeasonal {
    model: GroupSeasonal,
    /// The profile of the group.
    profile: Season,
    /// The level of the fit, where errors are those of the profile.
    level: Option<f64>,
    state: State,
    /// The standard deviation of errors within a season.
    sigma: f64,
    autoregression: Autoregression,
    residuals: Vec<f64>,
}

/// What is forecast at the end of a series.
#[derive(Serialize, Deserialize)]
struct State {
    /// The mean at each place of the season, from that after the last value on.
    cycle: Vec<f64>,
    /// The level of the last season.
    level: f64,
    /// The growth that persists.
    growth: f64,
    /// The weight of a single season.
    own: f64,
}

impl GroupSeasonal {
    /// The series with the season of the option, if given.
    fn in_season<'a>(&self, series: &'a Series) -> Series<'a> {
        Series { season: self.season.unwrap_or(series.season), covariates: Vec::new(), ..*series }
    }

    fn state(&self, series: &Series, pooled: &Season) -> Result<State> {
        let (m, y) = (series.season.max(1), series.values);
        let n = y.len();
        let index = |t: usize| pooled.with(series.start + t as i64, 1.0);
        let is_grouped = !pooled.notation().is_empty();
        if n < m && !is_grouped {
            return Err(Error::model(format!(
                "group_seasonal needs a season ({m} steps) of the series or of others in the panel; the series has {n}"
            )));
        }
        // The level that explains the values of a span best, given the profile.
        let level = |span: std::ops::Range<usize>| {
            let there = span.filter(|t| !y[*t].is_nan());
            let (sum, expected) = there.fold((0.0, 0.0), |(sum, expected), t| (sum + y[t], expected + index(t)));
            if expected > 0.0 { sum / expected } else { f64::NAN }
        };
        let last = level(n.saturating_sub(m)..n);
        if !last.is_finite() {
            return Err(Error::model(format!("group_seasonal finds no value in the last season ({m} steps)")));
        }
        // The level of a part of a season is known by the profile of the group.
        let whole = if is_grouped { n.div_ceil(m) } else { n / m };
        let seasons: Vec<(usize, f64)> = (1..=SEASONS.min(whole))
            .map(|back| (back, level(n.saturating_sub(back * m)..n - (back - 1) * m)))
            .filter(|(_, level)| last <= 0.0 || *level > LOW * last)
            .collect();
        let at = |position: i64| y.get(usize::try_from(position - series.start).ok()?).copied().filter(|y| !y.is_nan());
        let mean = |place: usize| {
            // Relative to the level of each season where the last one is positive, else as they are.
            let position = series.start + (n + place) as i64;
            let own = seasons.iter().filter_map(|(back, level)| {
                let value = pooled.anniversary().value(position, *back, m, &at)?;
                Some(if last > 0.0 { value / level } else { value })
            });
            let (sum, count) = own.fold((0.0, 0.0), |(sum, count), ratio| (sum + ratio, count + 1.0));
            let group = index(n + place);
            if last <= 0.0 {
                return if count > 0.0 { sum / count } else { last * group };
            }
            let weight = match is_grouped {
                true if self.own > 0.0 => count / (count + (1.0 - self.own) / self.own),
                true => 0.0,
                false => f64::from(u8::from(count > 0.0)),
            };
            last * (if weight > 0.0 { weight * sum / count } else { 0.0 } + (1.0 - weight) * group)
        };
        let cycle = (0..m).map(mean).collect();
        let own = if is_grouped { self.own } else { 1.0 };
        Ok(State { cycle, level: last, growth: growth(y, m).powf(self.growth), own })
    }
}

/// The growth of the last quarter of a season against the same steps a season before; 1 where it cannot be measured.
fn growth(y: &[f64], m: usize) -> f64 {
    let quarter = m.div_ceil(4);
    let from = y.len().saturating_sub(quarter);
    let both = (from..y.len()).filter_map(|t| Some((y[t], y[t.checked_sub(m)?])));
    let both = both.filter(|(now, then)| !now.is_nan() && !then.is_nan());
    let (now, then, n) = both.fold((0.0, 0.0, 0), |(now, then, n), (a, b)| (now + a, then + b, n + 1));
    let measured = 2 * n >= quarter && m > 1 && now > 0.0 && then > 0.0;
    if measured { (now / then).clamp(*GROWTH.start(), *GROWTH.end()) } else { 1.0 }
}

/// The errors of the profile of a group at a level.
fn profile_errors(series: &Series, profile: &Season, level: f64) -> Vec<f64> {
    (series.start..).zip(series.values).map(|(position, y)| y - profile.with(position, level)).collect()
}

impl State {
    /// How high the mean at a place of the season is beside that of the season, within limits: errors grow with what is sold.
    fn height(&self, place: usize) -> f64 {
        if self.level > 0.0 { (self.cycle[place] / self.level).clamp(*HEIGHT.start(), *HEIGHT.end()) } else { 1.0 }
    }

    /// The errors of last year's value, reduced to those of a pattern in which it has the weight `own`: noise of this year, a
    /// part of that of last year. NaN where there is no last year.
    fn errors(&self, series: &Series) -> Vec<f64> {
        let m = self.cycle.len();
        let reduced = ((1.0 + self.own) / 2.0).sqrt();
        changes(series.values, m).into_iter().map(|change| reduced * change).collect()
    }
}

impl FittedSeries for FittedGroupSeasonal {
    fn mean(&self, ahead: &Ahead) -> Result<Vec<f64>> {
        let cycle = &self.state.cycle;
        Ok(ahead.steps().map(|h| self.state.growth * cycle[(h - 1) % cycle.len()]).collect())
    }

    fn std_dev(&self, ahead: &Ahead) -> Vec<f64> {
        let m = self.state.cycle.len();
        let age = |h: usize| ((1 + (h - 1) / m) as f64).sqrt();
        ahead.steps().map(|h| self.sigma * self.state.height((h - 1) % m) * age(h)).collect()
    }

    fn residuals(&self) -> &[f64] {
        &self.residuals
    }

    fn update(&self, series: &Series) -> Result<Box<dyn FittedSeries>> {
        let series = &self.model.in_season(series);
        let state = self.model.state(series, &self.profile)?;
        let errors = match self.level {
            Some(level) => profile_errors(series, &self.profile, level),
            None => state.errors(series),
        };
        let residuals = self.autoregression.innovations(&errors, 1.0);
        let (model, profile) = (self.model.clone(), self.profile.clone());
        let Self { level, sigma, autoregression, .. } = *self;
        Ok(Box::new(Self { model, profile, level, state, sigma, autoregression, residuals }))
    }

    fn simulate(&self, ahead: &Ahead, mean: &[f64], shocks: &[f64], path: &mut [f64]) {
        debug_assert_eq!(path.len(), ahead.horizon);
        self.autoregression.simulate(mean, shocks, path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn means(model: &GroupSeasonal, values: &[f64], pooled: &Season, steps: usize) -> Vec<f64> {
        let fit = model.fit_with_season(&Series::of(values, 0, 4), pooled).unwrap();
        fit.mean(&Ahead { lead: 0, horizon: steps, covariates: Vec::new() }).unwrap()
    }

    /// By hand: the mean of the season is 10; its pattern .5 1.5 1.2 .8; the group's .8 1.2 1 1; .6 of one and .4 of the other.
    #[test]
    fn one_season_is_drawn_towards_the_group() {
        let group = Season::new(vec![0.8, 1.2, 1.0, 1.0], false, 0);
        let said = means(&GroupSeasonal::default(), &[5.0, 15.0, 12.0, 8.0], &group, 5);
        let wanted = [6.2, 13.8, 11.2, 8.8, 6.2];
        assert!(said.iter().zip(wanted).all(|(said, wanted)| (said - wanted).abs() < 1e-12), "{said:?}");
        // Half a season has the pattern of the group alone where it was not seen: its level is (8 + 12) / (.8 + 1.2) = 10.
        let said = means(&GroupSeasonal::default(), &[8.0, 12.0], &group, 2);
        assert!(said.iter().all(|said| (said - 10.0).abs() < 1e-12), "{said:?}");
    }

    /// A year 21 % above the last: the root of it persists, on the mean of the last season.
    #[test]
    fn growth_persists_in_part() {
        let values = [10.0, 10.0, 10.0, 10.0, 12.1, 12.1, 12.1, 12.1];
        let said = means(&GroupSeasonal::default(), &values, &Season::default(), 1);
        assert!((said[0] - 12.1 * 1.1).abs() < 1e-12, "{said:?}");
        assert!(
            (means(&GroupSeasonal { growth: 0.0, ..Default::default() }, &values, &Season::default(), 1)[0] - 12.1)
                .abs()
                < 1e-12
        );
    }

    #[test]
    fn less_than_a_season_needs_a_group() {
        assert!(GroupSeasonal::default().fit(&Series::of(&[1.0, 2.0, 3.0], 0, 4)).is_err());
    }
}
