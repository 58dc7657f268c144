//! What does a model see of the covariates, as numbers? Numeric columns as they are, booleans as 0 and 1, text as one
//! indicator per category.

use polars::prelude::*;

use super::frame::numbers;
use super::{Columns, Role};
use crate::error::{Error, Result};

/// The covariates as numeric columns, in the panel's row order. NaN is a missing cell.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Matrix {
    /// The columns, named `MarkDown1`, or `Type=A` for a category's indicator.
    pub(crate) names: Vec<String>,
    /// The declared column that each came from, and its role.
    pub(crate) sources: Vec<(String, Role)>,
    pub(crate) columns: Vec<Vec<f64>>,
}

/// More categories than this make a text column a name rather than an attribute.
const MOST_CATEGORIES: usize = 100;

/// Can a column of this type be read as numbers as it is?
pub(super) fn is_number(dtype: &DataType) -> bool {
    dtype.is_primitive_numeric() || dtype.is_decimal() || dtype.is_bool()
}

impl Matrix {
    pub(crate) fn of(frame: &DataFrame, columns: &Columns) -> Result<Self> {
        let mut matrix = Self::default();
        for (name, role) in &columns.covariates {
            let column = frame.column(name)?;
            let dtype = column.dtype();
            if is_number(dtype) {
                matrix.push(name.clone(), name, *role, numbers(column)?);
                continue;
            }
            let texts = column.cast(&DataType::String).map_err(|cause| {
                Error::data(format!("covariate `{name}` holds {dtype}, neither numbers nor categories")).because(cause)
            })?;
            let texts = texts.str()?;
            let mut categories: Vec<&str> = texts.iter().flatten().collect();
            categories.sort_unstable();
            categories.dedup();
            if categories.len() > MOST_CATEGORIES {
                return Err(Error::data(format!(
                    "covariate `{name}` holds {} different texts; a category has at most {MOST_CATEGORIES}",
                    categories.len()
                )));
            }
            for category in categories {
                let indicator =
                    texts.iter().map(|t| t.map_or(f64::NAN, |t| f64::from(u8::from(t == category)))).collect();
                matrix.push(format!("{name}={category}"), name, *role, indicator);
            }
        }
        Ok(matrix)
    }

    fn push(&mut self, name: String, source: &str, role: Role, values: Vec<f64>) {
        self.names.push(name);
        self.sources.push((source.to_string(), role));
        self.columns.push(values);
    }
}
