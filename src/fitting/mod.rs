//! What carries a forecasting method: the traits that methods implement, and the machinery that makes them models of panels.
//!
//! | question | file |
//! |---|---|
//! | What does a local model implement, and what is it given? | `series` |
//! | What does a fitted panel offer? | `forecaster` |
//! | What does the registry know of a method? Is it local, global or of the whole panel? | `method`, `scope` |
//! | How is a local model fitted to every series of a panel? | `local` |
//! | How is one regression fitted to all series together? | `global` |
//! | What is the predictive distribution of a step? | `distribution`, `quantile_function` |
//! | How are intervals calibrated on held-out windows? | `calibration` |
//! | What autocorrelation do residuals have, and how are paths simulated from them? | `residuals` |
//! | Which seasonal indices does a series have, and one too short for its own? | `season`, `pooling` |
//! | What was estimated? | `description` |
//! | Which values may options have? | `checks`, `box_cox` |
//! | How is a fit written as bytes? | `saved` |

mod anniversary;
mod box_cox;
mod calibration;
mod checks;
mod closures;
mod description;
mod distribution;
mod forecaster;
pub(crate) mod global;
mod local;
mod method;
mod pooling;
mod profiles;
mod quantile_function;
mod residuals;
mod saved;
mod scope;
mod season;
mod seasons;
mod series;
mod unevenness;

pub(crate) use anniversary::Anniversary;
pub use box_cox::{Auto, BoxCox};
pub(crate) use box_cox::{check_box_cox, normalisation};
pub(crate) use calibration::Calibration;
pub(crate) use checks::{check_count, check_season, check_share};
pub(crate) use closures::{closed_columns, closed_steps, closures, is_flag};
pub use description::{Criterion, Description, Likelihood};
pub use distribution::{Quantiles, StepDistribution};
pub(crate) use distribution::{Support, standard_normal};
pub use forecaster::{
    Aim, Epoch, Explanation, ExportedModel, Fitted, Forecaster, HeldOut, Importance, Shocks, Windows,
};
pub(crate) use forecaster::{default_horizon, end};
pub use global::{Difference, FeatureMatrix, FittedRegressor, GlobalOptions, Prepared, Regressor, Scaling};
pub use method::Method;
pub(crate) use quantile_function::{PROBABILITIES, QuantileFunction};
pub(crate) use residuals::{Autoregression, first_kept};
pub use saved::Save;
pub(crate) use saved::{decode, encode};
pub use scope::{Component, Global, Local, PanelLevel, Restore, Scope};
pub use season::Season;
pub(crate) use season::{decompose, seasonal};
pub(crate) use seasons::seasons;
pub use series::{Ahead, Covariate, FittedSeries, Pooling, Series, SeriesModel, WindowForecast};
pub(crate) use series::{changes, last_observed, root_mean_square};
pub(crate) use unevenness::Unevenness;
