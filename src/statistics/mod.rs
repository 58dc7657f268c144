//! Classical statistics of one series, and of the losses of several forecasts: plain functions on slices of
//! numbers, NaN where a value is missing.

mod autocorrelation;
pub(crate) mod censored;
mod changepoints;
mod comparison;
mod demand;
mod discoveries;
mod estimate;
mod interpolate;
mod loess;
mod mstl;
mod negative_binomial;
mod normality;
mod stl;
pub mod summary;
mod supsmu;
mod unit_root;

pub use autocorrelation::{Portmanteau, autocorrelations, bartlett, box_pierce, ljung_box, partial_autocorrelations};
pub use changepoints::{LONGEST, MOST_EXPECTED, changepoints};
pub(crate) use comparison::student_quantile;
pub use comparison::{
    DieboldMariano, Friedman, alike, critical_difference, diebold_mariano, friedman, holm, studentised_range,
    studentised_range_quantile, wilcoxon,
};
pub use demand::DemandClass;
pub(crate) use demand::{Demand, ERRATIC, INTERMITTENT};
pub use discoveries::{Purse, benjamini_yekutieli};
pub(crate) use discoveries::{Session, in_families};
pub use estimate::Estimate;
pub(crate) use estimate::{check_level, freedom, lags, long_run, of_scores, relative};
pub use interpolate::{filled, lines};
pub use mstl::{Mstl, MstlOptions, mstl, usable};
pub(crate) use negative_binomial::NegativeBinomial;
pub use normality::{NormalityTest, jarque_bera, shapiro_wilk};
pub use stl::{SeasonalWindow, Stl, StlOptions, stl};
pub use unit_root::{Around, Deterministic, UnitRootTest, adf, is_constant, kpss, ndiffs, nsdiffs, short_lags};
