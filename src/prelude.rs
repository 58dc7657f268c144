//! Everything that an analyst imports: `use tradewind::prelude::*;`.
//!
//! The nouns, and of polars what it takes to look further into a data frame. With the feature `frames`, which notebooks
//! have, `sales.to_frame().lazy()` starts a query; `Lazy` does not take the frame away from its variable, as polars' own
//! `IntoLazy` does.

pub use crate::dashboard::Dashboard;
pub use crate::decide::{
    Belief, Decision, Lots, MarkdownPolicy, MarketingBudget, PricePolicy, PromotionPolicy, StockPolicy, Unmet,
};
pub use crate::error::{Error, Result};
pub use crate::evaluate::{Backtest, Fold, Folds, Sampler, Search, Tuning};
pub use crate::explore::{QUESTIONS, Tour};
pub use crate::figures::Look;
pub use crate::forecast::{Combination, Dependence, Forecast, Paths};
pub use crate::metrics::METRICS;
pub use crate::models::{
    Arima, Boost, Ces, Drift, ElasticNet, Entry, Ets, Fits, Forest, Harmonic, Lasso, Lstm, MODELS, Model, Mstl, Naive,
    Prophet, Regression, Ridge, SeasonalNaive, Stl, Theta, Xgboost,
};
pub use crate::monitor::{Doubts, Monitor, Monitored, Overridden, Override, ValueAdded};
pub use crate::operate::{Due, Retraining, Watching};
pub use crate::outcome::Outcome;
pub use crate::panel::{
    Aggregate, Audit, Clean, Columns, FEATURES, Feature, Frequency, Future, Join, Normalise, Panel, Reading, Role,
    Scenario, Stamps,
};
pub use crate::plan::{Patch, Plan};
pub use crate::reconcile::{RECONCILIATIONS, Reconciliation};
pub use crate::registry::Registry;
pub use crate::report::Report;
#[cfg(feature = "frames")]
pub use crate::show::Lazy;
pub use crate::show::{Block, Figure, Finding, Show, Table};
pub use crate::track::Runs;
pub use polars::df;
pub use polars::prelude::{
    Column, DataFrame, DataType, FillNullStrategy, JoinArgs, JoinType, QuantileMethod, Series, SortMultipleOptions,
    SortOptions, TimeUnit, UniqueKeepStrategy,
};
#[cfg(feature = "frames")]
pub use polars::prelude::{Expr, LazyFrame, UnionArgs, all, coalesce, col, cols, concat, len, lit, when};
// What a typed column can be asked: sum, mean, quantile, which values are greater.
pub use polars::prelude::{
    ChunkAgg as _, ChunkCompareEq as _, ChunkCompareIneq as _, ChunkQuantile as _, ChunkVar as _, IntoColumn as _,
    IntoSeries as _, NamedFrom as _,
};
