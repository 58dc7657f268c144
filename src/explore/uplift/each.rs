//! What does a decision need of a promotion's uplift? The effect on each series with its error, and what is borrowed from the steps
//! around and from siblings.
//!
//! The effect of a series is estimated from its own promotions and shrunk to that of all series, as far as the errors of both say (empirical
//! Bayes; the variance between series after DerSimonian and Laird). A series that was never promoted has the effect of all,
//! with the variance between series added. Sales before, after and of siblings count where they are lower than their baseline beyond chance
//! (5 %), as in the answer to the question.

use rayon::prelude::*;

use super::{Question, Uplift, beside, held, once};
use crate::error::{Error, Result};
use crate::explore::effect::{Flag, effects};
use crate::explore::elasticity::random_effects;
use crate::explore::spill::Windows;
use crate::explore::steady::at_steady_price;
use crate::panel::Panel;
use crate::progress;
use crate::statistics::{Estimate, check_level};

/// The level at which sales around a promotion are lower.
const LOWER: f64 = 0.05;
/// Series that are estimated by themselves at most; of more panels the effect of all is taken for each.
const MOST: usize = 2000;

/// What a promotion does to sales.
pub(crate) struct Measured {
    /// The effect by series, as a share of the baseline.
    pub of: Vec<Estimate>,
    /// The effect on average.
    pub all: Estimate,
    /// Steps before and after a run from which sales may be borrowed.
    pub windows: (usize, usize),
    /// How much lower sales are there, as a share of their baseline; none where they are not.
    pub before: Option<Estimate>,
    pub after: Option<Estimate>,
    /// How much lower the sales of siblings are meanwhile.
    pub siblings: Option<Estimate>,
    /// The group of siblings that each series belongs to.
    pub groups: Vec<String>,
    /// The median share by which the price was lower, where it was as a rule.
    pub discount: Option<f64>,
}

impl Uplift {
    /// The effect of a promotion on each series.
    ///
    /// # Errors
    /// When there is no such flag, it was on once, or its effect cannot be separated from what else happened.
    pub(crate) fn each(&self, panel: &Panel) -> Result<Measured> {
        check_level(self.level)?;
        let Question { mut flags, asked, base, .. } = self.asked(panel)?;
        if let Some(base) = base {
            let level = flags.first().map_or("", |flag| flag.name.as_str());
            return Err(Error::usage(format!(
                "`{by}` holds several kinds of promotions beside {base}: name one, such as {by}={level}",
                by = self.by
            )));
        }
        if let Some(date) = once(panel, &flags[0]) {
            return Err(Error::data(format!(
                "`{}` was on once ({date}), and one occasion cannot tell its effect from chance",
                self.by
            )));
        }
        let steady = at_steady_price(panel, &flags[..asked])?;
        let discount = steady.as_ref().and_then(|steady| steady.discount()).map(|change| 1.0 - change.exp());
        let panel = steady.as_ref().map_or(panel, |steady| &steady.panel);
        let others = held(panel, &self.by, &flags)?;
        if let Some(same) = others.same {
            return Err(Error::data(format!(
                "`{}` is on only when `{same}` is, so their effects cannot be separated",
                self.by
            )));
        }
        flags.extend(others.held);
        let all = effects(panel, &flags, asked)?.effects.remove(0).all;
        if !all.error.is_finite() {
            return Err(Error::data(format!("nothing says how sure the effect of `{}` is", self.by)));
        }
        let windows = Windows::of(panel);
        let around = beside(panel, &flags, &windows)?;
        let lower = |name: &dyn Fn(&str) -> bool| {
            let found = around.rows.iter().find(|(place, ..)| name(place)).map(|(_, effect, _)| *effect);
            found.filter(|effect| effect.value < 0.0 && effect.p_value() < LOWER)
        };
        let keys = panel.columns().keys();
        let groups = match keys.as_slice() {
            [parent, _, ..] => panel.attribute(parent)?.unwrap_or_default(),
            _ => vec![String::new(); panel.len()],
        };
        Ok(Measured {
            of: of_series(panel, &flags, all)?,
            all,
            windows: (windows.before, windows.after),
            before: lower(&|place| place == windows.names[0]),
            after: lower(&|place| place == windows.names[1]),
            siblings: lower(&|place| place.starts_with("other series")),
            groups,
            discount: discount.filter(|share| *share > 0.0),
        })
    }
}

/// The effect by series, shrunk to that of all.
fn of_series(panel: &Panel, flags: &[Flag], all: Estimate) -> Result<Vec<Estimate>> {
    let alone = |i: usize| -> Result<Option<Estimate>> {
        progress::check()?;
        if panel.len() > MOST || panel.column_of(i, &flags[0].on).iter().all(|on| *on <= 0.0) {
            return Ok(None);
        }
        let one = panel.nth(i)?;
        let cut = |flag: &Flag| Flag { name: flag.name.clone(), on: panel.column_of(i, &flag.on).to_vec() };
        let cuts: Vec<Flag> = flags.iter().map(cut).collect();
        match effects(&one, &cuts, 1) {
            Ok(found) => Ok(Some(found.effects[0].all).filter(|own| own.error.is_finite() && own.error > 0.0)),
            Err(error) if error.is_interrupted() => Err(error),
            Err(_) => Ok(None),
        }
    };
    let own: Vec<Option<Estimate>> = match panel.len() {
        1 => return Ok(vec![all]),
        n => (0..n).into_par_iter().map(alone).collect::<Result<_>>()?,
    };
    let known: Vec<Estimate> = own.iter().flatten().copied().collect();
    let (values, sampling): (Vec<f64>, Vec<f64>) = known.iter().map(|own| (own.value, own.error.powi(2))).unzip();
    let between = if known.len() > 1 { random_effects(&values, &sampling).0 } else { 0.0 };
    let shrunk = |own: &Option<Estimate>| match own {
        None => Estimate { error: all.error.hypot(between.sqrt()), ..all },
        Some(own) => {
            let trust = between / (between + own.error.powi(2));
            let variance = trust * own.error.powi(2) + ((1.0 - trust) * all.error).powi(2);
            Estimate {
                value: trust * own.value + (1.0 - trust) * all.value,
                error: variance.sqrt(),
                freedom: own.freedom.max(all.freedom),
            }
        }
    };
    Ok(own.iter().map(shrunk).collect())
}
