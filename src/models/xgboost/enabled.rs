//! The library at work: a table of single precision in, a model in its own format out.

use xgb::parameters::BoosterParameters;
use xgb::{Booster, DMatrix, XGBError};

use super::{FeatureMatrix, Xgboost, single};
use crate::error::{Error, Result};
use crate::progress;

/// A model of each target, in its native format. Targets that are there in the same rows share a table, and so its bins.
pub(super) fn train(options: &Xgboost, matrix: &FeatureMatrix, targets: &[Vec<f64>]) -> Result<Vec<String>> {
    let rows = |target: &[f64]| (0..target.len()).filter(|row| target[*row].is_finite()).collect::<Vec<usize>>();
    let mut shared: Option<(Vec<usize>, DMatrix)> = None;
    let mut models = Vec::with_capacity(targets.len());
    for target in targets {
        let kept = rows(target);
        let (kept, mut data) = match shared.take() {
            Some((known, data)) if known == kept => (known, data),
            _ => {
                let data = table(matrix, &kept)?;
                (kept, data)
            }
        };
        let labels: Vec<f32> = kept.iter().map(|row| single(target[*row])).collect();
        data.set_labels(&labels).map_err(refused)?;
        models.push(boosted(options, matrix, &data)?);
        shared = Some((kept, data));
    }
    Ok(models)
}

fn refused(cause: XGBError) -> Error {
    Error::model("XGBoost cannot fit these data").because(cause.to_string())
}

/// Some rows of a feature matrix.
fn table(matrix: &FeatureMatrix, rows: &[usize]) -> Result<DMatrix> {
    let mut cells = Vec::with_capacity(rows.len() * matrix.columns.len());
    for row in rows {
        cells.extend(matrix.columns.iter().map(|column| single(column[*row])));
    }
    DMatrix::from_dense_with_missing(&cells, rows.len(), f32::NAN).map_err(refused)
}

fn boosted(options: &Xgboost, matrix: &FeatureMatrix, data: &DMatrix) -> Result<String> {
    let mut booster = Booster::new_with_cached_dmats(&BoosterParameters::default(), &[data]).map_err(refused)?;
    for (name, value) in options.parameters()? {
        booster.set_param(&name, &value).map_err(refused)?;
    }
    // The library's file knows characters in names that its own reader refuses.
    let names: Vec<String> = matrix.names.iter().map(|name| name.replace(['[', ']', '<'], "_")).collect();
    booster.set_feature_names(&names.iter().map(String::as_str).collect()).map_err(refused)?;
    for round in 0..options.num_boost_round {
        progress::check()?;
        booster.update(data, round as i32).map_err(refused)?;
    }
    let bytes = booster.save_buffer(false).map_err(refused)?;
    String::from_utf8(bytes).map_err(|cause| Error::model("XGBoost wrote no text").because(cause))
}
