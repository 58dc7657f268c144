//! What does a flag do to sales beside its own steps? Sales that are held back until it comes, borrowed from the time after
//! it, or taken from other series.
//!
//! Each is one more flag in the regression of `effect`: the steps just before a run, those just after it, and the steps of a
//! series without the flag while others of its group have it. The group is that of the first key (the departments of a
//! store) or, with one key, all series. They can be told only where enough steps belong to none of them; the last only
//! where the flag differs between series on the same date.

use std::collections::HashMap;

use super::effect::Flag;
use crate::error::Result;
use crate::panel::Panel;

/// The share of the steps without the flag that must lie outside the steps around its runs.
const FREE: f64 = 0.2;

/// Steps around a run, by frequency, and what they are called.
pub(super) struct Windows {
    pub(super) before: usize,
    pub(super) after: usize,
    pub(super) names: [String; 2],
    /// The steps of a week, if steps are days or parts of days; else 1.
    pub(super) cycle: usize,
}

impl Windows {
    pub(super) fn of(panel: &Panel) -> Self {
        let frequency = panel.frequency();
        let (noun, week) = (frequency.noun(), frequency.week());
        let (before, after, names) = match noun {
            "day" => (3, week.unwrap_or(7), ["the 3 days before".into(), "the week after".into()]),
            "week" => (1, 2, ["the week before".into(), "the 2 weeks after".into()]),
            _ if week.is_some() => {
                let day = frequency.season();
                (day, day, ["the day before".into(), "the day after".into()])
            }
            _ => (1, 1, [format!("the {noun} before"), format!("the {noun} after")]),
        };
        Self { before, after, names, cycle: week.unwrap_or(1) }
    }
}

/// The steps just before and just after the runs of a flag; nothing if hardly a step is left outside them.
pub(super) fn around(panel: &Panel, flag: &Flag, windows: &Windows) -> Option<[Flag; 2]> {
    let rows: Vec<f64> = (0..panel.rows()).map(|row| row as f64).collect();
    let mut columns = [vec![0.0; panel.rows()], vec![0.0; panel.rows()]];
    let (mut free, mut off) = (0_usize, 0_usize);
    for i in 0..panel.len() {
        let (positions, on) = (panel.positions(i), panel.column_of(i, &flag.on));
        if on.iter().all(|on| *on <= 0.0) {
            continue;
        }
        let row = |at: usize| panel.column_of(i, &rows)[at] as usize;
        let mut last: Option<i64> = None;
        for (at, position) in positions.iter().enumerate() {
            if on[at] > 0.0 {
                last = Some(*position);
            } else if last.is_some_and(|last| position - last <= windows.after as i64) {
                columns[1][row(at)] = 1.0;
            }
        }
        let mut next: Option<i64> = None;
        for (at, position) in positions.iter().enumerate().rev() {
            if on[at] > 0.0 {
                next = Some(*position);
            } else {
                if next.is_some_and(|next| next - position <= windows.before as i64) {
                    columns[0][row(at)] = 1.0;
                }
                off += 1;
                free += usize::from(columns[0][row(at)] == 0.0 && columns[1][row(at)] == 0.0);
            }
        }
    }
    let enough = free as f64 >= FREE * off as f64 && off > 0;
    let both = columns.iter().all(|column| column.contains(&1.0));
    let mut names = windows.names.iter().cloned();
    (enough && both).then(|| columns.map(|on| Flag { name: names.next().unwrap_or_default(), on }))
}

/// The steps of a series without the flag while (many) others of its group have it, and what the group is; nothing where
/// that cannot be told apart from the date.
///
/// # Errors
/// When the keys cannot be read.
pub(super) fn elsewhere(panel: &Panel, flag: &Flag) -> Result<Option<Flag>> {
    let keys = panel.columns().keys();
    let groups: Vec<String> = match keys.as_slice() {
        [parent, _, ..] => panel.attribute(parent)?.unwrap_or_default(),
        _ => vec![String::new(); panel.len()],
    };
    let of = |i: usize| groups.get(i).map_or("", String::as_str);
    // Series of the group on a date, and those of them that have the flag.
    let mut counts: HashMap<(&str, i64), (u32, u32)> = HashMap::new();
    for i in 0..panel.len() {
        let on = panel.column_of(i, &flag.on);
        for (position, on) in panel.positions(i).iter().zip(on) {
            let count = counts.entry((of(i), *position)).or_default();
            count.0 += 1;
            count.1 += u32::from(*on > 0.0);
        }
    }
    let share = |i: usize, position: i64| {
        counts.get(&(of(i), position)).map_or(0.0, |(all, with)| f64::from(*with) / f64::from((*all - 1).max(1)))
    };
    // Some dates differ: the flag is on in some series of the group and off in others.
    let (mixed, any) = counts.values().fold((0_usize, 0_usize), |(mixed, any), (all, with)| {
        (mixed + usize::from(*with > 0 && with < all), any + usize::from(*with > 0))
    });
    if mixed * 5 < any || mixed < 10 {
        return Ok(None);
    }
    let mut shares: Vec<f64> = Vec::new();
    for i in 0..panel.len() {
        let on = panel.column_of(i, &flag.on);
        let off = panel.positions(i).iter().zip(on).filter(|(_, on)| **on <= 0.0);
        shares.extend(off.map(|(position, _)| share(i, *position)));
    }
    shares.sort_by(f64::total_cmp);
    // More than usual: above the median share, which is none where the flag is rare.
    let usual = shares.get(shares.len() / 2).copied().unwrap_or(0.0);
    let above = shares.iter().filter(|share| **share > usual).count();
    if 20 * above < shares.len() {
        return Ok(None);
    }
    let mut on = Vec::with_capacity(panel.rows());
    let rows: Vec<f64> = (0..panel.rows()).map(|row| row as f64).collect();
    on.resize(panel.rows(), 0.0);
    for i in 0..panel.len() {
        let own = panel.column_of(i, &flag.on);
        for (at, position) in panel.positions(i).iter().enumerate() {
            if own[at] <= 0.0 && share(i, *position) > usual {
                on[panel.column_of(i, &rows)[at] as usize] = 1.0;
            }
        }
    }
    let name = match keys.as_slice() {
        [parent, _, ..] => format!("other series of the same {parent}"),
        _ => "other series on the same date".into(),
    };
    Ok(Some(Flag { name, on }))
}
