//! What classical statistics say of one series: plain functions on slices of numbers, NaN where a value is missing.

mod autocorrelation;
mod changepoints;
mod interpolate;
mod loess;
mod mstl;
mod normality;
mod stl;
mod supsmu;
mod unit_root;

pub use autocorrelation::{Portmanteau, autocorrelations, bartlett, box_pierce, ljung_box, partial_autocorrelations};
pub use changepoints::{LONGEST, MOST_EXPECTED, changepoints};
pub use interpolate::{filled, lines};
pub use mstl::{Mstl, MstlOptions, mstl, usable};
pub use normality::{NormalityTest, jarque_bera, shapiro_wilk};
pub use stl::{SeasonalWindow, Stl, StlOptions, stl};
pub use unit_root::{Around, Deterministic, UnitRootTest, adf, is_constant, kpss, ndiffs, nsdiffs, short_lags};
