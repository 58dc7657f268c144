//! Without the library.

use super::{FeatureMatrix, Xgboost};
use crate::error::{Error, Result};

pub(super) fn train(_: &Xgboost, _: &FeatureMatrix, _: &[Vec<f64>]) -> Result<Vec<String>> {
    Err(Error::usage(
        "this program was built without XGBoost; build it with it: export XGBOOST_LIB_DIR=$(setup/xgboost) && cargo build \
         --release --features xgboost",
    ))
}
