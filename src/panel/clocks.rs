//! Which times of day did the clock on the wall never show, which twice?
//!
//! In the panel's own time zone if that is known, otherwise in any zone that there is: only times that are absent or
//! doubled in the data are looked up.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use chrono::{DateTime, LocalResult, NaiveDateTime, TimeDelta, TimeZone};
use chrono_tz::{TZ_VARIANTS, Tz};

use super::Panel;
use super::calendar::StampKind;

/// What some time zone's clock showed at a time of day.
#[derive(Clone, Copy, Default)]
struct Shown {
    never: bool,
    twice: bool,
}

/// What was looked up over all zones: the same hours are absent or doubled in every series.
static KNOWN: LazyLock<Mutex<HashMap<i64, Shown>>> = LazyLock::new(Mutex::default);

/// Of so many times the answers are kept.
const KEPT: usize = 100_000;

/// The clocks that the panel's timestamps may be read from.
pub(super) enum Clocks {
    /// A step is a day or longer, or no time.
    None,
    Of(Tz),
    Any,
}

impl Clocks {
    pub(super) fn of(panel: &Panel) -> Self {
        let inner = panel.inner();
        let parts = panel.frequency().is_day_or_part() && panel.frequency().noun() != "day";
        if !parts || inner.calendar.kind() != StampKind::Clock {
            return Self::None;
        }
        match inner.origin.zone.as_deref().map(str::parse) {
            Some(Ok(zone)) => Self::Of(zone),
            _ => Self::Any,
        }
    }

    /// A time of day that the clock skipped.
    pub(super) fn never(&self, stamp: i64) -> bool {
        self.shown(stamp).never
    }

    /// A time of day that the clock showed twice.
    pub(super) fn twice(&self, stamp: i64) -> bool {
        self.shown(stamp).twice
    }

    fn shown(&self, stamp: i64) -> Shown {
        let Some(local) = DateTime::from_timestamp_micros(stamp).map(|time| time.naive_utc()) else {
            return Shown::default();
        };
        match self {
            Self::None => Shown::default(),
            Self::Of(zone) => shown(&local, *zone),
            Self::Any => {
                let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(shown) = known().get(&stamp) {
                    return *shown;
                }
                let any = TZ_VARIANTS.iter().map(|zone| shown(&local, *zone));
                let any =
                    any.fold(Shown::default(), |a, b| Shown { never: a.never || b.never, twice: a.twice || b.twice });
                let mut known = known();
                if known.len() >= KEPT {
                    known.clear();
                }
                known.insert(stamp, any);
                any
            }
        }
    }
}

fn shown(local: &NaiveDateTime, zone: Tz) -> Shown {
    // A day that an island left out as it crossed the date line is no hour of summer time.
    let near = |hours: i64| {
        let other = local.checked_add_signed(TimeDelta::hours(hours));
        other.is_some_and(|other| !matches!(zone.from_local_datetime(&other), LocalResult::None))
    };
    match zone.from_local_datetime(local) {
        LocalResult::None => Shown { never: near(-3) && near(3), twice: false },
        LocalResult::Ambiguous(..) => Shown { never: false, twice: true },
        LocalResult::Single(_) => Shown::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<NaiveDateTime>().unwrap().and_utc().timestamp_micros()
    }

    #[test]
    fn hours_that_come_twice_anywhere() {
        // Havana, Casablanca, Beirut, Tehran, Asunción, Berlin, New York.
        for text in [
            "2023-11-05T00:30:00",
            "2024-03-10T02:00:00",
            "2023-10-28T23:00:00",
            "2021-09-21T23:00:00",
            "2023-03-25T23:00:00",
            "2023-10-29T02:00:00",
            "2023-11-05T01:00:00",
        ] {
            assert!(Clocks::Any.twice(at(text)), "{text}");
        }
        assert!(!Clocks::Any.twice(at("2023-07-12T14:00:00")) && !Clocks::Any.never(at("2023-07-12T14:00:00")));
        assert!(!Clocks::Any.never(at("2011-12-30T12:00:00")));
    }

    #[test]
    fn one_zone_has_its_own_hours() {
        let havana = Clocks::Of(Tz::America__Havana);
        assert!(havana.twice(at("2023-11-05T00:30:00")) && !havana.twice(at("2023-10-29T02:00:00")));
        assert!(havana.never(at("2023-03-12T00:30:00")) && !Clocks::None.never(at("2023-03-12T00:30:00")));
    }
}
