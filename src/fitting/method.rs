//! What the registry needs to know of a method.

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Scope;
use crate::error::Result;

/// What [`MODELS`](crate::models::MODELS) needs to know of a method; its options struct implements it.
pub trait Method: Clone + Default + Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// The name in labels: lower case, words joined by underscores.
    const NAME: &str;
    /// What readers of reports and figures are told instead of the name: plain words in the field's standard terms, which no
    /// other method has.
    const TITLE: &str;
    /// One line.
    const SUMMARY: &str;
    /// A label that works on the bundled data.
    const EXAMPLE: &str;
    /// Other names of the same method, separated by commas: they are served.
    const ALSO: &str = "";
    /// Names of methods that are not implemented and are closest to this one, separated by commas, and why.
    const SIMILAR: &[(&str, &str)] = &[];
    /// The search space: options to tune with their values, as labels write them, or one range: `7..127 log`.
    const SEARCH: &[(&str, &[&str])] = &[];
    /// Is it a [local](super::Local) model, fitted to each series by itself, a [global](super::Global) one, fitted to all series
    /// together, or one of the [whole panel](super::PanelLevel)?
    type Scope: Scope<Self>;
    /// The fitted model, which saved files hold: a [`FittedSeries`](super::FittedSeries), or a
    /// [`FittedRegressor`](super::FittedRegressor).
    type Fitted: 'static;

    /// Checks that the options make sense together.
    ///
    /// # Errors
    /// When one does not, naming it.
    fn check(&self) -> Result<()> {
        Ok(())
    }
}
