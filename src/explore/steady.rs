//! What would have been sold at a steady price? Sales with the changes of their price taken out, so that what else moves them
//! shows.
//!
//! The elasticity is that of all series together: the coefficient of log price in the regression of log sales on it and on the
//! known flags, level and cycles removed from both ([`super::within`]). Sales are divided by (price / usual price) to the power
//! of it. Where the price moves with most runs of a flag that is asked for (a promotion that comes with a discount), the median
//! discount stays: it is part of what the promotion does, and only other changes of the price are taken out. Nothing is taken
//! out where no column is named like a price, where the price hardly varies or where sales do not follow it (p > 0.01).

use rayon::prelude::*;

use super::effect::Flag;
use super::elasticity::{Asker, Elasticity};
use super::within::{Given, regress};
use crate::error::Result;
use crate::panel::{Panel, median};
use crate::show::words::{listed, rounded};

/// The level at which sales follow the price.
const FOLLOWS: f64 = 0.01;
/// A relative change of the price that counts, and the share of a flag's runs that must have one in the same direction.
const DISCOUNT: f64 = 0.005;
const MOST: f64 = 2.0 / 3.0;

/// Sales at a steady price.
pub(super) struct Steady {
    pub(super) panel: Panel,
    /// The column that holds the price, and the elasticity of sales to it.
    price: String,
    elasticity: f64,
    /// How the logarithm of the price changes with the flags that are asked for, where it does.
    discounts: Vec<Option<f64>>,
}

/// The panel with sales at a steady price; none where they need not be.
///
/// # Errors
/// When the work is interrupted.
pub(super) fn at_steady_price(panel: &Panel, asked: &[Flag]) -> Result<Option<Steady>> {
    let Ok(setting) = Elasticity::default().setting(panel, Asker::Question) else { return Ok(None) };
    let price = |i: usize| -> Vec<f64> {
        panel.regular_column(i, &setting.price).iter().map(|p| if *p > 0.0 { p.ln() } else { f64::NAN }).collect()
    };
    let column = |i: usize, values: &[f64]| panel.regular_column(i, values).into_owned();
    let follows = regress(panel, &setting.controls, 1, &|i| {
        let y = panel.regular(i).iter().map(|y| if *y > 0.0 { y.ln() } else { f64::NAN }).collect();
        let flags = setting.flags.iter().map(|(_, on)| column(i, on));
        Some(Given { y, x: std::iter::once(price(i)).chain(flags).collect() })
    })?;
    let Some(elasticity) = follows.map(|found| found.coefficient(0, f64::INFINITY)) else { return Ok(None) };
    if elasticity.p_value() > FOLLOWS {
        return Ok(None);
    }
    let discounts: Vec<Option<f64>> = asked.iter().map(|flag| discount(panel, &price, flag)).collect();
    let sales = (0..panel.len()).into_par_iter().map(|i| {
        let apart: Vec<f64> = (0..panel.target(i).len())
            .map(|row| {
                let with = asked
                    .iter()
                    .zip(&discounts)
                    .filter_map(|(flag, discount)| discount.filter(|_| panel.column_of(i, &flag.on)[row] > 0.0));
                panel.column_of(i, &setting.price)[row].ln() - with.sum::<f64>()
            })
            .collect();
        let known = apart.iter().filter(|price| price.is_finite());
        let (sum, count) = known.fold((0.0, 0.0), |(sum, count), price| (sum + price, count + 1.0));
        let usual = sum / count;
        let at = |(y, price): (&f64, &f64)| {
            if price.is_finite() { y * (elasticity.value * (usual - price)).exp() } else { *y }
        };
        panel.target(i).iter().zip(&apart).map(at).collect::<Vec<f64>>()
    });
    let sales: Vec<Vec<f64>> = sales.collect();
    let panel = panel.with_target(sales.concat())?;
    Ok(Some(Steady { panel, price: setting.name, elasticity: elasticity.value, discounts }))
}

/// The median change of the logarithm of the price from the steps beside the runs of a flag to those of the runs; none where it
/// is no rule.
fn discount(panel: &Panel, price: &dyn Fn(usize) -> Vec<f64>, flag: &Flag) -> Option<f64> {
    let mean = |values: &[f64]| {
        let known: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
        known.iter().sum::<f64>() / known.len() as f64
    };
    let mut changes = Vec::new();
    for i in 0..panel.len() {
        let (price, on) = (price(i), panel.regular_column(i, &flag.on));
        let n = price.len();
        let starts = (0..n).filter(|t| on[*t] > 0.0 && (*t == 0 || on[*t - 1].is_nan() || on[*t - 1] <= 0.0));
        for start in starts {
            let end = (start..n).find(|t| on[*t].is_nan() || on[*t] <= 0.0).unwrap_or(n);
            let beside = [start.checked_sub(1), Some(end)].into_iter().flatten().filter_map(|t| price.get(t).copied());
            changes.push(mean(&price[start..end]) - mean(&beside.collect::<Vec<f64>>()));
        }
    }
    changes.retain(|change| change.is_finite());
    let usual = median(changes.clone());
    let with = changes.iter().filter(|change| change.abs() >= DISCOUNT && *change * usual > 0.0).count();
    (usual.abs() >= DISCOUNT && with as f64 >= MOST * changes.len() as f64).then_some(usual)
}

impl Steady {
    /// How the logarithm of the price changes with the first flag, where it does.
    pub(super) fn discount(&self) -> Option<f64> {
        self.discounts.first().copied().flatten()
    }

    /// What was taken out, for a caveat about these flags.
    pub(super) fn told(&self, asked: &[Flag]) -> String {
        let with: Vec<String> = asked
            .iter()
            .zip(&self.discounts)
            .filter_map(|(flag, discount)| {
                let change = 100.0 * (discount.as_ref()?.exp() - 1.0);
                let way = if change < 0.0 { "lower" } else { "higher" };
                Some(format!("{} % {way} with `{}`", rounded(change.abs(), 1), flag.name))
            })
            .collect();
        let apart = match with.is_empty() {
            true => String::new(),
            false => format!(
                " The price is {}: that is part of the effect.",
                listed(&with.iter().map(String::as_str).collect::<Vec<_>>(), 4)
            ),
        };
        format!(
            "Compared at a steady price: changes of `{}` are taken out with an elasticity of {}.{apart}",
            self.price,
            self.size()
        )
    }

    /// What prices have to do with growth, of which they are a part.
    pub(super) fn told_of_growth(&self) -> String {
        format!(
            "What changes of `{}` did is part of the growth; the interval is as wide as at a steady price, with an elasticity of {}.",
            self.price,
            self.size()
        )
    }

    fn size(&self) -> String {
        rounded(self.elasticity, 2).replace('-', "−")
    }
}
