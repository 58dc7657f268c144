//! A portfolio that is watched: calibrated once, then told one step at a time.

use super::calibrate::{Calibration, Thresholds, calibrate, error, miss_shares, missed, relative};
use super::common::{Grouping, take_movement, take_size};
use super::track::{Event, Input, Open, Track};
use super::{Alarm, Level, Observation, Settings};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// What one step has brought.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Update {
    /// New alarms: the portfolio's first, then groups', then series'.
    pub raised: Vec<Alarm>,
    /// Alarms that are over, because four steps in a row were as usual.
    pub recovered: Vec<Alarm>,
}

/// The state of all charts of a portfolio: serialisable, and the same bits on every machine.
///
/// ```
/// use tradewind_monitor::detect::{Direction, Level, Observation, Settings, Watch};
/// // Thirty series with a noise of a few per cent; the seventh loses a third of its sales in week 10.
/// let noise = |s: usize, t: usize| ((s * 7919 + t * 104_729 + s * t * 31) % 1000) as f64 / 10_000.0;
/// let week = |t: usize, lost: f64| -> Vec<Observation> {
///     let sold = |s| 100.0 * (0.95 + noise(s, t)) * if s == 7 { 1.0 - lost } else { 1.0 };
///     (0..30).map(|s| Observation::point(sold(s), 100.0)).collect()
/// };
/// let reference: Vec<_> = (0..52).map(|t| week(t, 0.0)).collect();
/// let mut watch = Watch::new(&reference, Vec::new(), Settings::default())?;
/// let mut alarms = Vec::new();
/// for t in 0..14 {
///     alarms.extend(watch.update(&week(52 + t, if t >= 10 { 0.33 } else { 0.0 }))?.raised);
/// }
/// assert_eq!(alarms.len(), 1);
/// assert_eq!((alarms[0].level, alarms[0].direction, alarms[0].since), (Level::Series(7), Direction::Down, 10));
/// # Ok::<(), tradewind_monitor::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Watch {
    settings: Settings,
    groupings: Vec<Grouping>,
    offsets: Vec<f64>,
    centres: Vec<f64>,
    /// NaN where a group has too few series to have a usual size; JSON has no NaN.
    usual: Vec<Option<f64>>,
    common: Vec<Option<Track>>,
    series: Vec<Option<Track>>,
    portfolio_thresholds: Thresholds,
    group_thresholds: Thresholds,
    series_thresholds: Thresholds,
    step: u64,
}

impl Watch {
    /// The memory that a series takes, in bytes.
    pub const BYTES_A_SERIES: usize = size_of::<Option<Track>>() + 2 * size_of::<f64>();

    /// A watch with thresholds for this portfolio: `reference` has, step by step and oldest first, all series in the
    /// same order, 52 weeks or so in which the forecasts were as good as they should be.
    ///
    /// # Errors
    /// Fewer than 26 steps, steps of different lengths, a grouping that lacks series, settings that are not above zero,
    /// or no series with at least 13 errors.
    pub fn new(reference: &[Vec<Observation>], groupings: Vec<Grouping>, settings: Settings) -> Result<Self> {
        let Calibration { offsets, centres, usual, common, series, portfolio, groups, single } =
            calibrate(reference, &groupings, &settings)?;
        Ok(Self {
            settings,
            groupings,
            offsets,
            centres,
            usual: usual.into_iter().map(|u| Some(u).filter(|u| u.is_finite())).collect(),
            common,
            series,
            portfolio_thresholds: portfolio,
            group_thresholds: groups,
            series_thresholds: single,
            step: 0,
        })
    }

    /// One more step of all series, in the order of the reference; unknown values are NaN.
    ///
    /// # Errors
    /// Another number of series than the reference had.
    pub fn update(&mut self, step: &[Observation]) -> Result<Update> {
        if step.len() != self.offsets.len() {
            return Err(Error::data(format!(
                "step {} has {} series and the reference {}; give all, unknown values as NaN",
                self.step,
                step.len(),
                self.offsets.len()
            )));
        }
        let mut room = Vec::with_capacity(step.len());
        let own = step.iter().zip(self.offsets.iter().zip(&self.centres));
        let mut errors: Vec<f64> = own.map(|(o, (offset, centre))| error(o, *offset) - centre).collect();
        let before = errors.clone();
        let movement = take_movement(&mut errors, &self.groupings, &mut room);
        let mut sizes = relative(&errors, self.series.iter().map(|t| t.as_ref().map(Track::baseline)));
        let usual: Vec<f64> = self.usual.iter().map(|u| u.unwrap_or(f64::NAN)).collect();
        let (size, inflation) = take_size(&mut sizes, &usual, &self.groupings, &mut room);
        let misses = miss_shares(step, &self.offsets, &movement, &self.groupings);

        let mut update = Update::default();
        let levels = Self::levels(&self.groupings);
        let above = movement.into_iter().zip(size).zip(misses).zip(levels).zip(&mut self.common);
        for ((((error, size), misses), level), track) in above {
            if let Some(track) = track {
                let thresholds =
                    if level == Level::Portfolio { &self.portfolio_thresholds } else { &self.group_thresholds };
                track.push(Input { error, inflation: 1.0, size: Some(size), misses }, self.settings.shift);
                update.note(level, track.judge(thresholds, self.step));
            }
        }
        let own = step.iter().zip(&self.offsets).zip(before.iter().zip(&errors)).zip(inflation);
        for (s, ((((o, offset), (before, error)), inflation), track)) in own.zip(&mut self.series).enumerate() {
            if let Some(track) = track {
                let misses = missed(o, *offset, before - error + track.accepted);
                track.push(Input { error: *error, inflation, size: None, misses }, self.settings.shift);
                update.note(Level::Series(s), track.judge(&self.series_thresholds, self.step));
            }
        }
        self.step += 1;
        Ok(update)
    }

    /// The levels of the common movements, in their order.
    fn levels(groupings: &[Grouping]) -> Vec<Level> {
        let groups = groupings.iter().enumerate().flat_map(|(g, of)| (0..of.groups()).map(move |i| Level::Group(g, i)));
        std::iter::once(Level::Portfolio).chain(groups).collect()
    }

    /// The alarms that have neither ended nor been acknowledged.
    pub fn open(&self) -> Vec<Alarm> {
        let series = self.series.iter().enumerate().map(|(s, track)| (Level::Series(s), track));
        let all = Self::levels(&self.groupings).into_iter().zip(&self.common).chain(series);
        all.filter_map(|(level, track)| Some(alarm(level, track.as_ref()?.open()?))).collect()
    }

    /// Ends an alarm because somebody has seen to it; returns whether there was one. With `accept` what the errors are
    /// now is usual from here on; without, a change that lasts alarms again.
    pub fn acknowledge(&mut self, level: Level, accept: bool) -> bool {
        let place = Self::levels(&self.groupings).iter().position(|l| *l == level);
        let track = match level {
            Level::Series(s) => self.series.get_mut(s),
            _ => place.and_then(|p| self.common.get_mut(p)),
        };
        let Some(track) = track.and_then(Option::as_mut).filter(|t| t.open().is_some()) else { return false };
        track.acknowledge(accept, self.step.saturating_sub(1));
        true
    }

    /// The series that are not watched, because the reference has fewer than 13 errors of them.
    pub fn unwatched(&self) -> Vec<usize> {
        self.series.iter().enumerate().filter(|(_, track)| track.is_none()).map(|(s, _)| s).collect()
    }

    /// The series that have had no error for so many steps: nothing is known of them.
    pub fn silent(&self, steps: u32) -> Vec<usize> {
        let silent = |track: &Option<Track>| track.as_ref().is_some_and(|t| t.silent >= steps);
        self.series.iter().enumerate().filter(|(_, track)| silent(track)).map(|(s, _)| s).collect()
    }

    /// The scale of a series' errors that nothing explains, on the logarithmic scale: 0.05 is 5 % of the level. A shift
    /// of three times as much is found within four steps.
    pub fn noise(&self, series: usize) -> Option<f64> {
        self.series.get(series)?.as_ref().map(|track| track.baseline().scale)
    }

    /// The thresholds of the charts, in the order of [`super::Chart::ALL`]: of the portfolio, of groups, of series.
    pub fn thresholds(&self) -> [Thresholds; 3] {
        [self.portfolio_thresholds, self.group_thresholds, self.series_thresholds]
    }
}

impl Update {
    fn note(&mut self, level: Level, event: Event) {
        match event {
            Event::Nothing => {}
            Event::Raised(open) => self.raised.push(alarm(level, &open)),
            Event::Recovered(open) => self.recovered.push(alarm(level, &open)),
        }
    }
}

fn alarm(level: Level, open: &Open) -> Alarm {
    let Open { chart, direction, since, raised, size, .. } = *open;
    Alarm { level, chart, direction, since, raised, size }
}
