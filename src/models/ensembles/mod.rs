//! Ensembles: methods that combine, select or calibrate other methods, and how these are validated.
//!
//! | question | file |
//! |---|---|
//! | Which methods when nobody has time to look at the panel? | `automatic` (`auto`) |
//! | Which classical methods when nobody has time to look at each series? | `ensemble` |
//! | How are forecasts combined by mean, median or weights? | `combine` |
//! | How are weights learned on held-out windows, or the best model selected? | `stack` (`stack`, `select`) |
//! | How are intervals calibrated by out-of-sample errors? | `conformal` |
//! | How is a method fitted and kept inside another one? | `component` |
//! | How well did methods forecast the end of a series? | `validation` |
//! | Is a forecast one that anybody would believe? | `plausible` |

mod automatic;
mod combine;
mod component;
mod conformal;
mod ensemble;
mod plausible;
mod stack;
mod validation;

pub use automatic::Automatic;
pub use combine::{By, Combine, FittedCombine};
pub(super) use component::FittedComponent;
pub use conformal::{Conformal, Conformity, FittedConformal};
pub use ensemble::{Ensemble, FittedEnsemble};
pub use stack::{FittedStack, Select, Stack, StackLoss};

/// The standard deviation of innovations around zero; 0 where there are none.
fn innovation_sd(innovations: &[f64]) -> f64 {
    let there = innovations.iter().filter(|e| !e.is_nan());
    let (sum, n) = there.fold((0.0, 0.0), |(sum, n), e| (sum + e * e, n + 1.0));
    if n > 0.0 { f64::sqrt(sum / n) } else { 0.0 }
}

/// A weighted mean of values with their weights; NaN without weight.
fn weighted_mean(values: impl Iterator<Item = (f64, f64)>) -> f64 {
    let (sum, weight) = values.fold((0.0, 0.0), |(sum, weight), (e, w)| (sum + w * e, weight + w));
    if weight > 0.0 { sum / weight } else { f64::NAN }
}
