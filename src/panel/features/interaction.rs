//! Does one thing work differently when another is on? Products of two columns: a promotion on each day of the week.
//!
//! Each side is a column, a category (one product per value), or a feature that was made before by its name (one
//! product per column of it). A product is observed if a side of it is, known otherwise, and the future multiplies what
//! it knows of both.

use polars::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Data, Derive, Derived, Kind, Places};
use crate::error::{Error, Result, suggestion};
use crate::panel::{Columns, Matrix, Panel, Role};

/// Options of `interaction`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Interaction {
    /// A column, or a feature made before.
    a: String,
    /// Another.
    b: String,
}

impl Derive for Interaction {
    const NAME: &str = "interaction";
    const SUMMARY: &str = "Products of two columns, or of all values of two features";
    const EXAMPLE: &str = "interaction(a=IsHoliday, b=Type)";
    const ALSO: &str = "interactions, product, products, cross";

    fn check(&self) -> Result<()> {
        if self.a.is_empty() || self.b.is_empty() {
            Err(Error::usage("interaction needs two columns: interaction(a=Promo, b=weekday)"))
        } else {
            Ok(())
        }
    }

    fn gather(&self, panel: &Panel) -> Result<Data> {
        let (a, b) = (side(panel, &self.a)?, side(panel, &self.b)?);
        Ok(Data::Products(a.names.iter().flat_map(|a| b.names.iter().map(move |b| (a.clone(), b.clone()))).collect()))
    }

    fn columns(&self, places: &Places, _: &Data) -> Result<Vec<Derived>> {
        let (a, b) = (side(places.panel, &self.a)?, side(places.panel, &self.b)?);
        let mut columns = Vec::new();
        for (at, (_, first)) in a.sources.iter().enumerate() {
            for (bt, (_, second)) in b.sources.iter().enumerate() {
                let role = match (first, second) {
                    (Role::Observed, _) | (_, Role::Observed) => Role::Observed,
                    (Role::Fixed, Role::Fixed) => Role::Fixed,
                    _ => Role::Known,
                };
                let values = a.columns[at].iter().zip(&b.columns[bt]).map(|(x, y)| x * y).collect();
                let name = format!("{}_x_{}", a.names[at], b.names[bt]).replace('=', "_");
                columns.push(Derived { name, role, reach: None, kind: Kind::Number, values });
            }
        }
        Ok(columns)
    }
}

/// The numeric columns that a name stands for.
fn side(panel: &Panel, name: &str) -> Result<Matrix> {
    let columns = panel.columns();
    let names: Vec<String> = if columns.covariates.iter().any(|(column, _)| column == name) {
        vec![name.to_string()]
    } else {
        columns
            .made
            .iter()
            .filter(|made| made.label.split('(').next() == Some(name))
            .flat_map(|made| made.columns.clone())
            .collect()
    };
    if names.is_empty() {
        let made = columns.made.iter().filter_map(|made| made.label.split('(').next());
        let nearest = suggestion(name, columns.covariates.iter().map(|(column, _)| column.as_str()).chain(made));
        return Err(Error::usage(format!("`{name}` is neither a covariate nor a feature made before{nearest}")));
    }
    let one = Columns {
        covariates: columns.covariates.iter().filter(|(column, _)| names.contains(column)).cloned().collect(),
        ..columns.clone()
    };
    let frame: DataFrame = panel.inner().frame.select(names.iter().map(String::as_str))?;
    Matrix::of(&frame, &one)
}
