//! By which methods are sums reconciled? The registry [`RECONCILIATIONS`]: a row for each method.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::options::{choice, read, split};
use crate::registry::{Registry, Row, row};

choice!(/// By what a sum is shared out among its parts.
    Proportions { Forecast, Average, Averages });

/// What a method does.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Way {
    /// Sums of the leaves.
    Up,
    /// The values of a level, the total if none is named, shared out among the leaves.
    Down { level: Option<String>, proportions: Proportions },
    /// The nearest coherent values.
    Nearest { weights: Weights, nonnegative: Option<bool> },
}

/// What the errors of the forecasts are weighed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weights {
    Equal,
    Structure,
    Variance,
    Sample,
    Shrunk,
}

/// The sums of the leaves.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct BottomUp {}

impl BottomUp {
    const NAME: &str = "bottom_up";
    const SUMMARY: &str = "the sums of the forecasts of the leaves";
    const EXAMPLE: &str = "bottom_up";
    const ALSO: &str = "bu";
    const SIMILAR: &[(&str, &str)] = &[];

    #[expect(clippy::unused_self, reason = "the options of every row are checked alike")]
    fn check(&self) -> Result<()> {
        Ok(())
    }

    fn way(self) -> Way {
        Way::Up
    }
}

/// The total, shared out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct TopDown {
    /// forecast (the shares of the forecasts, level by level; levels must nest), average (of the past shares), or averages
    /// (past average over past average).
    proportions: Proportions,
}

impl TopDown {
    const NAME: &str = "top_down";
    const SUMMARY: &str = "the forecast of the total, shared out among the leaves";
    const EXAMPLE: &str = "top_down(proportions=average)";
    const ALSO: &str = "td, tdfp, tdgsa, tdgsf";
    const SIMILAR: &[(&str, &str)] = &[];

    #[expect(clippy::unused_self, reason = "the options of every row are checked alike")]
    fn check(&self) -> Result<()> {
        Ok(())
    }

    fn way(self) -> Way {
        Way::Down { level: None, proportions: self.proportions }
    }
}

/// The sums of a level in the middle, added up above it and shared out below it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct MiddleOut {
    /// The level whose forecasts are kept, such as Store.
    level: String,
    /// As those of `top_down`.
    proportions: Proportions,
}

impl MiddleOut {
    const NAME: &str = "middle_out";
    const SUMMARY: &str = "the forecasts of a level in the middle: summed above it, shared out below it";
    const EXAMPLE: &str = "middle_out(level=Store)";
    const ALSO: &str = "mo";
    const SIMILAR: &[(&str, &str)] = &[];

    fn check(&self) -> Result<()> {
        match self.level.trim().is_empty() {
            true => Err(Error::usage("middle_out needs a level: middle_out(level=Store)")),
            false => Ok(()),
        }
    }

    fn way(self) -> Way {
        Way::Down { level: Some(self.level), proportions: self.proportions }
    }
}

/// A method that takes the nearest coherent values.
macro_rules! nearest {
    ($of:ident, $name:literal, $weights:ident, $summary:literal, $also:literal) => {
        #[doc = $summary]
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(default, deny_unknown_fields)]
        struct $of {
            /// No leaf below zero? By default where the history has no value below zero.
            nonnegative: Option<bool>,
        }

        impl $of {
            const NAME: &str = $name;
            const SUMMARY: &str = $summary;
            const EXAMPLE: &str = concat!($name, "(nonnegative=true)");
            const ALSO: &str = $also;
            const SIMILAR: &[(&str, &str)] = &[];

            fn check(&self) -> Result<()> {
                Ok(())
            }

            fn way(self) -> Way {
                Way::Nearest { weights: Weights::$weights, nonnegative: self.nonnegative }
            }
        }
    };
}

nearest!(Ols, "ols", Equal, "the nearest coherent values, all series alike", "identity");
nearest!(
    WlsStruct,
    "wls_struct",
    Structure,
    "the nearest coherent values, each sum weighed by its number of leaves",
    "structural, wlss, str"
);
nearest!(
    WlsVar,
    "wls_var",
    Variance,
    "the nearest coherent values, each series weighed by the variance of its errors",
    "wlsv, variance scaling"
);
nearest!(
    MintSample,
    "mint_sample",
    Sample,
    "minimum trace: weighed by the sample covariance of the errors",
    "mint_cov, sam, mint sample covariance"
);
nearest!(
    MintShrink,
    "mint_shrink",
    Shrunk,
    "minimum trace: weighed by the covariance of the errors, its correlations shrunk",
    "mint, min_trace, shr, mint shrinkage"
);

macro_rules! reconciliation {
    ($of:ident) => {
        row!($of, &[], Reconciling { way: |given| Ok(read::<$of>($of::NAME, given)?.way()) })
    };
}

/// Every method of reconciliation, by name.
pub const RECONCILIATIONS: Registry<Reconciling> = Registry {
    kind: "reconciliation",
    rows: &[
        reconciliation!(BottomUp),
        reconciliation!(TopDown),
        reconciliation!(MiddleOut),
        reconciliation!(Ols),
        reconciliation!(WlsStruct),
        reconciliation!(WlsVar),
        reconciliation!(MintSample),
        reconciliation!(MintShrink),
    ],
};

/// How a method of [`RECONCILIATIONS`] is made from its options.
pub struct Reconciling {
    way: fn(Map<String, Value>) -> Result<Way>,
}

/// A method with its options, as a label names it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Method {
    pub(super) label: String,
    pub(super) way: Way,
}

impl Method {
    /// # Errors
    /// When there is no such method or option; the nearest is suggested.
    pub(super) fn named(text: &str) -> Result<Self> {
        let label = RECONCILIATIONS.check(text)?;
        let (name, given) = split(&label)?;
        let row: &Row<Reconciling> = RECONCILIATIONS.named(name)?;
        Ok(Self { way: (row.way)(row.spelled(given)?)?, label })
    }
}
