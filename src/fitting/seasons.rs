//! Which seasons do the data show? For panels on integer steps, whose calendar says nothing, for weeks in hours, and for years in
//! days.
//!
//! The autocorrelation of the changes from step to step (limited to four robust standard deviations) is averaged over all
//! series at the lags that people's calendars have. The shortest lag is the season whose mean is significantly above zero and
//! that no longer one exceeds clearly. Significance is by the variance between series where there are several, by that of white
//! noise in a single one. In the training sets of M3 and M4 this finds 12 for months, 4 for quarters, none for years and for "other", 24 for hours and 52 for weeks.

use crate::panel::Panel;

/// The seasons that are looked for, shortest first: quarters, weekdays, months, four-week periods, hours, weeks, half-hours,
/// quarter-hours.
const KNOWN: [usize; 9] = [4, 5, 7, 12, 13, 24, 48, 52, 96];
/// The seasons that a series must hold to show one.
const HELD: usize = 3;
/// Standard errors from which a mean autocorrelation is significant: between series, and within a single one.
const SIGNIFICANT: f64 = 4.0;
const SIGNIFICANT_ALONE: f64 = 3.0;
/// Series of which the variance between them is known well enough.
const SEVERAL: usize = 8;
/// The difference between mean autocorrelations from which the longer season is the clearer one.
const CLEARER: f64 = 0.05;
/// Days of a week.
const WEEK: usize = 7;
/// Weeks of a year, so that a day is compared with the same day of the week.
const YEAR: usize = 52;

/// The seasons of a panel, shortest first: as declared, else that of its calendar or the one that integer steps show; the week
/// beside the day, where the data show one; and on a calendar the year beside the week, where most series have seen more than
/// one: what it is worth, windows tell.
pub(crate) fn seasons(panel: &Panel) -> Vec<usize> {
    let stated = panel.columns().season.is_some();
    let season = match panel.season() {
        1 if !stated && panel.frequency().is_whole() => found(panel, &KNOWN, None).unwrap_or(1),
        season => season,
    };
    let mut seasons = vec![season];
    if stated {
        return seasons;
    }
    // Of steps that are parts of days, the season is a day.
    let of_calendar = panel.frequency().week();
    let counted = panel.frequency().is_whole() && season >= 24 && season != YEAR;
    let days = of_calendar.map_or(counted, |week| week > season);
    let week = of_calendar.unwrap_or(if days { WEEK * season } else { season });
    if days && found(panel, &[week], Some(season)).is_some() {
        seasons.push(week);
    }
    let seen = |i: &usize| panel.regular(*i).len() > YEAR * week + YEAR * week / 4;
    if !panel.frequency().is_whole()
        && (days || of_calendar == Some(season))
        && 2 * (0..panel.len()).filter(seen).count() > panel.len()
    {
        seasons.push(YEAR * week);
    }
    seasons
}

/// The season that the changes show best, of some; `within` is a shorter one to leave out of account.
fn found(panel: &Panel, candidates: &[usize], within: Option<usize>) -> Option<usize> {
    let each: Vec<Vec<Option<f64>>> = (0..panel.len())
        .map(|i| {
            let changes = changes(&panel.regular(i), within);
            let there = |lag: &&usize| changes.len() + 1 >= HELD * **lag;
            candidates
                .iter()
                .map(|lag| Some(lag).filter(there).and_then(|lag| autocorrelation(&changes, *lag)))
                .collect()
        })
        .collect();
    let longest = (0..panel.len()).map(|i| panel.regular(i).len()).max().unwrap_or(1);
    let mean = |c: usize| {
        let there: Vec<f64> = each.iter().filter_map(|of| of[c]).collect();
        let n = there.len() as f64;
        let mean = there.iter().sum::<f64>() / n;
        let least = match there.len() {
            0 => return None,
            few if few < SEVERAL => SIGNIFICANT_ALONE / (longest as f64).sqrt(),
            _ => SIGNIFICANT * (there.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / (n - 1.0) / n).sqrt(),
        };
        (mean > least).then_some(mean)
    };
    // Two seasons look like one, and only long series show them: what is longer must be clearer in the same series.
    let clearer = |long: usize, short: usize| {
        let both = each.iter().filter_map(|of| Some((of[long]?, of[short]?)));
        let (of_long, of_short, n) = both.fold((0.0, 0.0, 0.0), |(l, s, n), (a, b)| (l + a, s + b, n + 1.0));
        n > 0.0 && of_long - of_short > CLEARER * n
    };
    let mut best: Option<usize> = None;
    for c in (0..candidates.len()).filter(|c| mean(*c).is_some()) {
        if best.is_none_or(|short| clearer(c, short)) {
            best = Some(c);
        }
    }
    best.map(|c| candidates[c])
}

/// The changes from step to step, without outliers, and without the mean change at each place of a season `within`.
fn changes(y: &[f64], within: Option<usize>) -> Vec<f64> {
    let mut changes: Vec<f64> = y.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let mut sorted: Vec<f64> = changes.iter().copied().filter(|v| v.is_finite()).collect();
    if sorted.is_empty() {
        return changes;
    }
    sorted.sort_by(f64::total_cmp);
    let middle = sorted[sorted.len() / 2];
    let mut away: Vec<f64> = sorted.iter().map(|v| (v - middle).abs()).collect();
    away.sort_by(f64::total_cmp);
    let limit = 4.0 * 1.4826 * away[away.len() / 2];
    if limit > 0.0 {
        changes.iter_mut().for_each(|v| *v = v.clamp(middle - limit, middle + limit));
    }
    let places = within.unwrap_or(1);
    for place in 0..places {
        let of_place = || changes.iter().skip(place).step_by(places).filter(|v| v.is_finite());
        let mean = of_place().sum::<f64>() / of_place().count().max(1) as f64;
        changes.iter_mut().skip(place).step_by(places).for_each(|v| *v -= mean);
    }
    changes
}

/// The autocorrelation of values with mean zero at a lag; none of constant ones.
fn autocorrelation(values: &[f64], lag: usize) -> Option<f64> {
    let square: f64 = values.iter().filter(|v| v.is_finite()).map(|v| v * v).sum();
    let product: f64 = values.iter().zip(&values[lag..]).map(|(a, b)| a * b).filter(|p| p.is_finite()).sum();
    (square > 0.0).then(|| product / square).filter(|r| r.is_finite())
}

#[cfg(test)]
mod tests {
    use polars::prelude::*;

    use super::*;
    use crate::panel::Columns;

    fn panel(series: &[Vec<f64>]) -> Panel {
        let (mut id, mut t, mut y) = (Vec::new(), Vec::new(), Vec::new());
        for (i, values) in series.iter().enumerate() {
            for (step, value) in values.iter().enumerate() {
                id.push(i as i64);
                t.push(step as i64);
                y.push(*value);
            }
        }
        let frame = df!("id" => id, "t" => t, "y" => y).unwrap();
        Panel::from_frame(frame, Columns::new(["id"], "t", "y").freq("1").unwrap()).unwrap()
    }

    fn noise(seed: usize, n: usize) -> Vec<f64> {
        use rand::{RngExt, SeedableRng};
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed as u64);
        (0..n).map(|_| random.random::<f64>() - 0.5).collect()
    }

    #[test]
    fn months_hours_and_weeks_are_found_and_noise_shows_nothing() {
        let of = |n: usize, shape: &dyn Fn(usize) -> f64, count: usize| {
            let one = |i: usize| noise(i, n).iter().enumerate().map(|(t, e)| 10.0 + e + shape(t)).collect();
            seasons(&panel(&(0..count).map(one).collect::<Vec<Vec<f64>>>()))
        };
        let wave = |t: usize, m: usize| (t as f64 / m as f64 * std::f64::consts::TAU).sin();
        assert_eq!(of(60, &|t| wave(t, 12), 20), [12]);
        assert_eq!(of(60, &|t| 2.0 * wave(t, 12), 1), [12]);
        assert_eq!(of(24 * 28, &|t| wave(t, 24) + if t / 24 % 7 > 4 { 2.0 } else { 0.0 }, 10), [24, 168]);
        assert_eq!(of(24 * 28, &|t| wave(t, 24), 10), [24]);
        assert_eq!(of(60, &|_| 0.0, 30), [1]);
        assert_eq!(of(60, &|_| 0.0, 1), [1]);
    }
}
