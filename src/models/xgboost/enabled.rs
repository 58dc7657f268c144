//! The library at work: a table of single precision in, a model in its own format out.

use xgb::parameters::BoosterParameters;
use xgb::{Booster, DMatrix, XGBError};

use super::{FeatureMatrix, Xgboost, single};
use crate::error::{Error, Result};
use crate::progress;

pub(super) fn train(options: &Xgboost, matrix: &FeatureMatrix, target: &[f64]) -> Result<String> {
    let refused = |cause: XGBError| Error::model("XGBoost cannot fit these data").because(cause.to_string());
    let kept: Vec<usize> = (0..target.len()).filter(|row| target[*row].is_finite()).collect();
    let mut cells = Vec::with_capacity(kept.len() * matrix.columns.len());
    for row in &kept {
        cells.extend(matrix.columns.iter().map(|column| single(column[*row])));
    }
    let labels: Vec<f32> = kept.iter().map(|row| single(target[*row])).collect();
    let mut data = DMatrix::from_dense_with_missing(&cells, kept.len(), f32::NAN).map_err(refused)?;
    drop(cells);
    data.set_labels(&labels).map_err(refused)?;
    let mut booster = Booster::new_with_cached_dmats(&BoosterParameters::default(), &[&data]).map_err(refused)?;
    for (name, value) in options.parameters()? {
        booster.set_param(&name, &value).map_err(refused)?;
    }
    // The library's file knows characters in names that its own reader refuses.
    let names: Vec<String> = matrix.names.iter().map(|name| name.replace(['[', ']', '<'], "_")).collect();
    booster.set_feature_names(&names.iter().map(String::as_str).collect()).map_err(refused)?;
    for round in 0..options.num_boost_round {
        progress::check()?;
        booster.update(&data, round as i32).map_err(refused)?;
    }
    let bytes = booster.save_buffer(false).map_err(refused)?;
    String::from_utf8(bytes).map_err(|cause| Error::model("XGBoost wrote no text").because(cause))
}
