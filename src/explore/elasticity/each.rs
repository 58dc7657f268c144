//! What does a decision need of the elasticities? One for each series with its error, or why it has none.
//!
//! A series' own elasticity is shrunk to the mean of its group, as in the answer to the question. A series whose price changed too
//! seldom, or only with a promotion, has that of its group: the mean, with the variance between series added. Fewer than
//! [`LEAST`] series say nothing of how much series differ: each of them has its own.

use std::collections::BTreeMap;

use super::{Asker, Elasticity, Fit, Left, Pool, pooled};
use crate::error::Result;
use crate::panel::Panel;
use crate::progress;
use crate::show::words::listed;
use crate::statistics::Estimate;

/// Series that a group needs to lend its mean.
const LEAST: usize = 5;

/// How the sales of a series react to its price.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reaction {
    /// The elasticity.
    pub estimate: Estimate,
    /// Is it, at least in part, of its own sales?
    pub own: bool,
    /// The share of the variance of its error that it has in common with the series that it borrows from.
    pub shared: f64,
}

/// The price, row by row, and how each series reacts to it.
pub(crate) struct Reactions {
    /// The name of the column.
    pub column: String,
    /// The price, row by row.
    pub price: Vec<f64>,
    /// By series; else why nothing is known.
    pub of: Vec<std::result::Result<Reaction, String>>,
}

impl Elasticity {
    /// The price and the elasticity of each series.
    ///
    /// # Errors
    /// When there is no column that holds the price, or the data say nothing of any elasticity.
    pub(crate) fn each(&self, panel: &Panel) -> Result<Reactions> {
        self.check_level()?;
        let setting = self.setting(panel, Asker::Policy)?;
        let groups = self.groups(panel)?;
        let (fits, left_out) = self.fits(panel, &setting)?;
        let group = |i: usize| groups.as_ref().map_or("", |groups| groups[i].as_str());
        let mut members: BTreeMap<&str, Vec<&Fit>> = BTreeMap::new();
        fits.iter().for_each(|fit| members.entry(group(fit.series)).or_default().push(fit));
        let mut of: Vec<std::result::Result<Reaction, String>> = vec![Err(String::new()); panel.len()];
        let mut pools: BTreeMap<&str, Pool> = BTreeMap::new();
        for (name, fits) in &members {
            progress::check()?;
            let pool = pooled(fits, &setting.controls);
            for (at, fit) in fits.iter().enumerate() {
                of[fit.series] = Ok(match fits.len() >= LEAST {
                    true => {
                        let estimate = pool.shrunk(at, fit.value);
                        let rest = 1.0 - pool.between / (pool.between + pool.sampling[at]);
                        Reaction {
                            estimate,
                            own: true,
                            shared: (rest * pool.mean.error / estimate.error).powi(2).min(1.0),
                        }
                    }
                    false => Reaction { estimate: pool.own(at, fit), own: true, shared: 0.0 },
                });
            }
            if fits.len() >= LEAST {
                pools.insert(name, pool);
            }
        }
        let flags: Vec<String> = setting.flags.iter().map(|(flag, _)| format!("`{flag}`")).collect();
        let flags = listed(&flags.iter().map(String::as_str).collect::<Vec<_>>(), 3);
        for (i, why) in left_out {
            let price = &setting.name;
            let why = match why {
                Left::Fixed => {
                    of[i] = Err(format!("its `{price}` never changed, so that nothing says how its sales react"));
                    continue;
                }
                Left::Few => format!("its `{price}` changed fewer than 3 times"),
                Left::Inseparable => format!("its `{price}` moves only together with {flags}"),
                Left::Short => "it has too few steps with sales".to_string(),
            };
            of[i] = match pools.get(group(i)) {
                Some(pool) => {
                    let estimate = pool.of_another();
                    let shared = (pool.mean.error / estimate.error).powi(2).min(1.0);
                    Ok(Reaction { estimate, own: false, shared })
                }
                None => Err(format!("{why}, and too few other series say how sales react")),
            };
        }
        Ok(Reactions { column: setting.name, price: setting.price, of })
    }

    /// The name of the column that holds the price, and the price, row by row.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn price_of(&self, panel: &Panel) -> Result<(String, Vec<f64>)> {
        let setting = self.setting(panel, Asker::Policy)?;
        Ok((setting.name, setting.price))
    }

    fn check_level(&self) -> Result<()> {
        crate::statistics::check_level(self.level)
    }
}

impl Pool {
    /// The elasticity of a series by itself. Its error rests on its own changes of the price.
    fn own(&self, at: usize, fit: &Fit) -> Estimate {
        let freedom = (fit.changed.len() as f64 - 1.0).max(1.0);
        Estimate { value: fit.value, error: self.sampling[at].sqrt(), freedom }
    }

    /// The elasticity of a series that is not among these.
    fn of_another(&self) -> Estimate {
        Estimate { error: self.mean.error.hypot(self.between.sqrt()), ..self.mean }
    }
}
