//! What happened at the same time as an anomaly: holidays and events that are known, closures, errors of the data, weather,
//! promotions. A cause is likely because it happened at the same time; it is not proved.

use chrono::{Datelike, Days, NaiveDate};

use super::anomalies::{Candidate, Found, Whose};
use super::expected::feasts;
use crate::error::Result;
use crate::panel::{DAY, Panel, Role};
use crate::show::number;

impl Found<'_> {
    /// The likely cause; empty if none is known.
    pub(super) fn cause(&self, candidate: &Candidate) -> Result<String> {
        let (panel, peak) = (self.panel, self.first + candidate.peak as i64);
        let matrix = panel.matrix()?;
        let members = self.members(candidate.whose);
        let rows: Vec<usize> = members
            .iter()
            .filter_map(|i| {
                let t = panel.positions(*i).binary_search(&peak).ok()?;
                Some(self.starts[*i] + t)
            })
            .collect();
        let most = |column: &[f64]| {
            let on = rows.iter().filter(|row| column[**row] > 0.0).count();
            on > 0 && 2 * on >= rows.len()
        };
        let below = candidate.difference() < 0.0;
        let mut causes: Vec<String> = Vec::new();
        let closed = self.closed.as_ref().filter(|closed| most(&closed.rows) && below);
        // Rare flags that are on, the names of texts before plain flags.
        let mut flags: Vec<(bool, usize)> = self
            .rare
            .iter()
            .filter(|c| most(&matrix.columns[**c]))
            .map(|c| (matrix.sources[*c].0 == matrix.names[*c], *c))
            .collect();
        flags.sort_unstable();
        let is_holiday = |name: &str| {
            let name = name.to_lowercase();
            ["holi", "feiert", "feast", "easter", "christmas", "event"].iter().any(|word| name.contains(word))
        };
        let of_flags: Vec<String> = match flags.first() {
            Some((false, c)) => vec![matrix.names[*c][matrix.sources[*c].0.len() + 1..].to_string()],
            Some((true, c)) => vec![matrix.names[*c].clone()],
            None => Vec::new(),
        };
        let only_says_holiday = flags.first().is_some_and(|(plain, c)| *plain && is_holiday(&matrix.names[*c]));
        let named = self.holiday(peak);
        match named.filter(|_| of_flags.is_empty() || only_says_holiday) {
            Some(holiday) => causes.push(holiday),
            None => causes.extend(of_flags),
        }
        if closed.is_some() {
            causes.push("closed".into());
        }
        let value = candidate.actual / candidate.steps as f64;
        let usual = candidate.expected / candidate.steps as f64;
        if let Whose::Series(i) = candidate.whose {
            let t = usize::try_from(peak - panel.positions(i).first().copied().unwrap_or(peak)).unwrap_or(0);
            let y = panel.regular(i);
            let own = y.get(t).copied().unwrap_or(f64::NAN);
            let error = candidate.error / usual.abs().max(1e-300);
            let ratio = own / usual;
            let tens = [10.0, 100.0, 1000.0, 0.1, 0.01, 0.001].into_iter().find(|tens| {
                // A misplaced decimal mark: as far from the multiple as ordinary sales are from what is expected.
                (ratio / tens - 1.0).abs() < (2.0 * error).clamp(0.05, 0.25)
            });
            let rarely = y.iter().filter(|y| **y < 0.0).count() * 50 < y.len();
            if own < 0.0 && rarely {
                causes.push("data error? negative sales".into());
            } else if let Some(tens) = tens {
                let times =
                    if tens > 1.0 { format!("{} times", number(tens)) } else { format!("1/{}", number(1.0 / tens)) };
                causes.push(format!("data error? {times} the expected"));
            } else if closed.is_none() && causes.is_empty() && below && value <= 0.03 * usual {
                causes.push("no stock or closed? hardly any sales".into());
            } else if own.abs() >= 100.0 && (t > 0 && y[t - 1] == own || y.get(t + 1) == Some(&own)) {
                causes.push("data error? the same as its neighbour".into());
            }
        }
        if causes.is_empty() {
            causes.extend(self.weather(candidate.whose, peak)?);
        }
        if causes.is_empty() && !below {
            let promotion = self.promotions.iter().copied().find(|c| most(&matrix.columns[*c]));
            causes.extend(promotion.map(|c| matrix.names[c].clone()));
        }
        Ok(causes.join(", "))
    }

    /// The holiday on or next to a day, or in a longer step, by name.
    fn holiday(&self, position: i64) -> Option<String> {
        let panel = self.panel;
        let (from, to) = panel.inner().calendar.period(position, panel.columns().stamps)?;
        let length = (to - from).num_days();
        if length > 7 || panel.frequency().length() < DAY {
            return None;
        }
        let holidays: Vec<(NaiveDate, &str)> = (from.year()..=(to + Days::new(3)).year()).flat_map(feasts).collect();
        if let Some((_, name)) = holidays.iter().find(|(day, _)| (from..=to).contains(day)) {
            return Some((*name).to_string());
        }
        if self.public.iter().any(|day| (from..=to).contains(day)) {
            return Some("a public holiday".into());
        }
        let (before, after) = if length == 0 { (2, 1) } else { (3, 0) };
        holidays.iter().find_map(|(day, name)| {
            let away = if *day > to { (*day - to).num_days() } else { -(from - *day).num_days() };
            match away {
                1..=3 if away <= before => Some(format!("before {name}")),
                -3..=-1 if -away <= after => Some(format!("after {name}")),
                _ => None,
            }
        })
    }

    /// The weather, if it was extreme for the series.
    fn weather(&self, whose: Whose, position: i64) -> Result<Option<String>> {
        let matrix = self.panel.matrix()?;
        let words = ["temp", "precip", "rain", "wind", "snow", "humid", "weather", "storm"];
        let members = self.members(whose);
        for (c, name) in matrix.names.iter().enumerate() {
            let lower = name.to_lowercase();
            if matrix.sources[c].1 == Role::Fixed || !words.iter().any(|word| lower.contains(word)) {
                continue;
            }
            let (mut extreme, mut all, mut high) = (0, 0, 0);
            for i in members.iter().take(50) {
                let column = self.panel.column_of(*i, &matrix.columns[c]);
                let Ok(t) = self.panel.positions(*i).binary_search(&position) else { continue };
                let own = column[t];
                let known = column.iter().filter(|x| !x.is_nan()).count();
                let above = column.iter().filter(|x| **x >= own).count();
                let below = column.iter().filter(|x| **x <= own).count();
                all += 1;
                // One step in two hundred is as high, or as low.
                if known >= 100 && 200 * above.min(below) <= known.max(200) {
                    extreme += 1;
                    high += usize::from(above < below);
                }
            }
            if all > 0 && 2 * extreme >= all {
                let end = if 2 * high >= extreme { "highest" } else { "lowest" };
                return Ok(Some(format!("weather: {name} among its {end}")));
            }
        }
        Ok(None)
    }
}

/// The known columns that are promotions by their names, on in a fifth of the rows at most.
pub(super) fn promotions(panel: &Panel) -> Result<Vec<usize>> {
    let matrix = panel.matrix()?;
    let words = ["promo", "markdown", "deal", "discount", "action", "coupon"];
    let is_one = |c: &usize| {
        let name = matrix.names[*c].to_lowercase();
        matrix.sources[*c].1 == Role::Known && words.iter().any(|word| name.contains(word)) && {
            let on = matrix.columns[*c].iter().filter(|x| **x > 0.0).count();
            5 * on <= matrix.columns[*c].len()
        }
    };
    Ok((0..matrix.names.len()).filter(is_one).collect())
}
