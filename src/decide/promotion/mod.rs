//! What does a calendar of promotions earn, and which calendar is the best under a budget and rules?
//!
//! | file | question |
//! |---|---|
//! | `mod.rs` | which promotions are judged or chosen, and why? |
//! | `policy.rs` | what is a promotion, and which rules does a calendar keep to? |
//! | `calendar.rs` | which promotions are planned? |
//! | `gains.rs` | what does a promotion earn? |
//! | `setting.rs` | what is known of each item, and how is what is not known drawn? |
//! | `choose.rs` | the integer programme of the best calendar |
//! | `decision.rs` | the decision as sentence, table and figure |

mod calendar;
mod choose;
mod decision;
mod gains;
mod policy;
mod setting;

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

pub use policy::PromotionPolicy;

use super::price::{Difference, difference};
use crate::decide::Decision;
use crate::error::{Error, Result, suggestion};
use crate::forecast::Forecast;
use crate::panel::{Panel, parse_stamp};
use crate::progress;
use calendar::Row;
use choose::{Candidate, Rules};
use decision::{Line, Promotions};
use gains::{Gain, Run};
use setting::Setting;

/// A promotion with what it is expected to gain.
pub(super) struct Judged {
    pub series: usize,
    pub run: Run,
    /// What would be sold without it.
    pub base: f64,
    pub mean: Gain,
    pub difference: Difference,
}

impl Forecast {
    /// What promotions are expected to earn: those of the policy's calendar, or the best ones that its budget and rules
    /// allow. The forecast is that without promotions, of one model, and has its history, with a column that says when
    /// items were promoted.
    ///
    /// ```
    /// use tradewind::polars::prelude::*;
    /// use tradewind::prelude::*;
    /// let promo: Vec<f64> = (0..130).map(|t| f64::from(u8::from(t % 13 == 6 || t % 17 == 3))).collect();
    /// let noise = |t: usize| ((t * 37 % 11) as f64 - 5.0) / 5.0;
    /// let sold: Vec<f64> = promo.iter().enumerate().map(|(t, on)| 100.0 * (1.0 + 0.6 * on) + 4.0 * noise(t)).collect();
    /// let frame = df!("item" => ["a"; 130], "week" => (1..=130).collect::<Vec<i64>>(), "promo" => promo, "sold" => sold)?;
    /// let sales = Panel::from_frame(frame, Columns::new(["item"], "week", "sold").observed(["promo"]))?;
    /// let policy = PromotionPolicy {
    ///     promotion: "promo".into(),
    ///     price: Some(2.0),
    ///     cost: Some(1.0),
    ///     discount: 0.1,
    ///     most: 1,
    ///     ..PromotionPolicy::default()
    /// };
    /// let decision = sales.fit(["ets"])?.forecast(6)?.decide_promotion(&policy)?;
    /// assert_eq!(decision.table()?.rows(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When a number of the policy or of the calendar cannot be, there is no price or cost, the forecast has promotions
    /// already, or nothing in the history says what a promotion does. A promotion that cannot be judged is listed with
    /// the reason.
    pub fn decide_promotion(&self, policy: &PromotionPolicy) -> Result<Decision> {
        policy.check()?;
        let panel = self.panel();
        let rows = policy.calendar.as_ref().map(|path| calendar::read(path, self, policy)).transpose()?;
        let setting = Setting::of(self, policy)?;
        let mut lines: Vec<Line> = Vec::new();
        let mut runs: Vec<(usize, Run)> = Vec::new();
        match &rows {
            Some(rows) => {
                for Row { label, series, run, date } in rows {
                    let known = match (series, run) {
                        (Some(series), Ok(run)) => setting.known(*series).map(|_| (*series, *run)),
                        (_, Err(why)) => Err(why.clone()),
                        (None, Ok(_)) => Err("the history has no series of it".into()),
                    };
                    match known {
                        Ok(run) => runs.push(run),
                        Err(why) => lines.push(Line::undecided(label.clone(), *series, date.clone(), why)),
                    }
                }
            }
            None => {
                for i in 0..panel.len() {
                    match setting.known(i) {
                        Ok(_) => runs.extend(possible(self, policy).map(|run| (i, run))),
                        Err(why) => lines.push(Line::undecided(self.label(i).into(), Some(i), String::new(), why)),
                    }
                }
            }
        }
        let choosing = rows.is_none() || policy.choose;
        let blocked = blocked(self, policy)?;
        let mut below = 0.0;
        let tried = runs.len();
        if choosing {
            let is_free = |(series, run): &(usize, Run)| {
                let start = self.start(*series);
                (run.start..run.start + run.length).all(|step| !blocked.contains(&(start + step as i64)))
            };
            runs.retain(is_free);
            (runs, below) = self.chosen(&setting, policy, runs)?;
        }
        let (judged, total) = self.judged(&setting, policy, &runs)?;
        let mut found: Vec<Line> = judged
            .into_iter()
            .map(|judged| {
                let label = self.label(judged.series).to_string();
                let date = panel.inner().calendar.label(self.start(judged.series) + judged.run.start as i64);
                let reason = decision::reason(&setting, policy, &label, &date, &judged);
                Line { label, series: Some(judged.series), date, reason, judged: Ok(judged) }
            })
            .collect();
        found.append(&mut lines);
        let promotions =
            Promotions { setting, policy: policy.clone(), lines: found, total, below, tried, chosen: choosing };
        Ok(Decision::of(promotions))
    }

    /// The best of the possible promotions, and by what share of its gain the calendar is below the best one at most.
    fn chosen(
        &self,
        setting: &Setting,
        policy: &PromotionPolicy,
        runs: Vec<(usize, Run)>,
    ) -> Result<(Vec<(usize, Run)>, f64)> {
        let panel = self.panel();
        let groups = groups(&panel, policy)?;
        let mut by_item: BTreeMap<usize, Vec<(usize, Run)>> = BTreeMap::new();
        for (place, (series, run)) in runs.iter().enumerate() {
            by_item.entry(*series).or_default().push((place, *run));
        }
        let by_item: Vec<(usize, Vec<(usize, Run)>)> = by_item.into_iter().collect();
        let margins = setting.margins(&by_item.iter().map(|(series, _)| *series).collect::<Vec<_>>())?;
        let of = |(series, runs): &(usize, Vec<(usize, Run)>)| -> Result<Vec<(usize, f64)>> {
            progress::check()?;
            let item = setting.drawn(*series)?;
            let gain = |(place, run): &(usize, Run)| {
                let alone = |k: usize| setting.taken(&margins, *series, &item, run, k);
                (*place, gains::mean(&item.promoted().gains(run, alone)).total)
            };
            Ok(runs.iter().map(gain).collect())
        };
        let gains: Vec<Vec<(usize, f64)>> = by_item.par_iter().map(of).collect::<Result<_>>()?;
        let mut candidates: Vec<Candidate> = runs
            .iter()
            .map(|(series, run)| Candidate {
                item: *series,
                group: groups.as_ref().map(|groups| groups[*series]),
                start: run.start,
                length: run.length,
                gain: 0.0,
                cost: run.cost,
            })
            .collect();
        gains.into_iter().flatten().for_each(|(place, gain)| candidates[place].gain = gain);
        let rules = Rules {
            budget: policy.budget,
            most: (policy.most > 0).then_some(policy.most),
            gap: policy.gap.unwrap_or(setting.gap()),
            at_once: (policy.at_once > 0).then_some(policy.at_once),
        };
        let best = choose::best(&candidates, &rules)?;
        let mut kept: Vec<(usize, Run)> = best.places.iter().map(|place| runs[*place]).collect();
        kept.sort_by_key(|(series, run)| (run.start, *series));
        Ok((kept, best.below))
    }

    /// What promotions gain together: those of siblings at the same time take their sales once.
    fn judged(
        &self,
        setting: &Setting,
        policy: &PromotionPolicy,
        runs: &[(usize, Run)],
    ) -> Result<(Vec<Judged>, Difference)> {
        let items: BTreeSet<usize> = runs.iter().map(|(series, _)| *series).collect();
        let items: Vec<usize> = items.into_iter().collect();
        let drawn: BTreeMap<usize, setting::Drawn> = items
            .par_iter()
            .map(|series| progress::check().and_then(|()| Ok((*series, setting.drawn(*series)?))))
            .collect::<Result<_>>()?;
        let margins = setting.margins(&items)?;
        let mut sums = vec![0.0; policy.draws];
        let mut judged = Vec::with_capacity(runs.len());
        for (series, run) in runs {
            progress::check()?;
            let item = &drawn[series];
            let together = |k: usize| setting.taken_together(&margins, *series, run, k, runs, &drawn);
            let gains = item.promoted().gains(run, together);
            let totals: Vec<f64> = gains.iter().map(|gain| gain.total).collect();
            sums.iter_mut().zip(&totals).for_each(|(sum, total)| *sum += total);
            let base = |path: &Vec<f64>| path[run.start..(run.start + run.length).min(path.len())].iter().sum::<f64>();
            judged.push(Judged {
                series: *series,
                run: *run,
                base: item.demand.iter().map(base).sum::<f64>() / item.demand.len().max(1) as f64,
                mean: gains::mean(&gains),
                difference: difference(totals, policy.level),
            });
        }
        Ok((judged, difference(sums, policy.level)))
    }
}

/// The promotions of an item that fit into the forecast.
fn possible(forecast: &Forecast, policy: &PromotionPolicy) -> impl Iterator<Item = Run> {
    let (length, discount, cost) = (policy.length, policy.discount, policy.spend);
    let last = forecast.horizon().checked_sub(length);
    last.into_iter().flat_map(move |last| (0..=last).map(move |start| Run { start, length, discount, cost }))
}

/// Positions without a promotion.
fn blocked(forecast: &Forecast, policy: &PromotionPolicy) -> Result<BTreeSet<i64>> {
    let panel = forecast.panel();
    let calendar = &panel.inner().calendar;
    let position = |date: &String| {
        let stamp = parse_stamp(date, calendar.kind()).map_err(|error| error.within("blocked"))?;
        Ok(calendar.holding(stamp, panel.inner().columns.stamps))
    };
    policy.blocked.iter().map(position).collect()
}

/// The group of each series.
fn groups(panel: &Panel, policy: &PromotionPolicy) -> Result<Option<Vec<usize>>> {
    if policy.group.is_empty() {
        return Ok(None);
    }
    let names = panel.attribute(&policy.group)?.ok_or_else(|| {
        let columns = panel.columns();
        let near = suggestion(&policy.group, columns.attributes());
        Error::usage(format!("group needs a key or a fixed column; there is no `{}`{near}", policy.group))
    })?;
    let mut sorted = names.clone();
    sorted.sort();
    sorted.dedup();
    Ok(Some(names.iter().map(|name| sorted.binary_search(name).unwrap_or(0)).collect()))
}
