//! How does an options struct become a model of panels? By its scope: one fit per series, or one for all.
//!
//! A method names its [`Scope`], which knows how it is fitted, loaded again, and whether it can be a component of another
//! method.

use serde::de::DeserializeOwned;

use super::global::{self, FittedRegressor, GlobalForecaster, Regressor};
use super::local::{self, LocalForecaster};
use super::{Fitted, FittedSeries, Forecaster, Method, SeriesModel, decode};
use crate::error::{Error, Result};
use crate::panel::Panel;

/// A component model: a local method inside another one.
pub type Component = Box<dyn SeriesModel>;

/// How methods of a scope are fitted and loaded.
pub trait Scope<M> {
    /// The forecaster of a panel.
    fn forecaster(method: M) -> Box<dyn Forecaster>;

    /// A saved fit of a panel.
    ///
    /// # Errors
    /// When the bytes are damaged.
    fn load(bytes: &[u8], panel: &Panel) -> Result<Box<dyn Fitted>>;

    /// The method as a component model, which fits one series.
    ///
    /// # Errors
    /// When the method is not local.
    fn component(method: M) -> Result<Component>;

    /// A saved fit of a component model.
    ///
    /// # Errors
    /// When the bytes are damaged.
    fn load_component(bytes: &[u8]) -> Result<Box<dyn FittedSeries>>;
}

/// Local models, fitted to each series by itself: the scope of [`SeriesModel`]s.
pub struct Local;

/// Global models, one regression fitted to all series together: the scope of [`Regressor`]s.
pub struct Global;

/// Methods that fit the panel as a whole: the scope of [`Forecaster`]s.
pub struct PanelLevel;

/// A fitted panel that can be restored from a file.
pub trait Restore: Fitted {
    /// A saved fit of a panel.
    ///
    /// # Errors
    /// When the bytes are damaged.
    fn load(bytes: &[u8], panel: &Panel) -> Result<Box<dyn Fitted>>;
}

impl<M: Method + SeriesModel> Scope<M> for Local
where
    M::Fitted: FittedSeries + DeserializeOwned,
{
    fn forecaster(method: M) -> Box<dyn Forecaster> {
        Box::new(LocalForecaster(method))
    }

    fn load(bytes: &[u8], _panel: &Panel) -> Result<Box<dyn Fitted>> {
        local::load::<M>(bytes)
    }

    fn component(method: M) -> Result<Component> {
        Ok(Box::new(method))
    }

    fn load_component(bytes: &[u8]) -> Result<Box<dyn FittedSeries>> {
        Ok(Box::new(decode::<M::Fitted>(bytes)?))
    }
}

impl<M: Method + Regressor> Scope<M> for Global
where
    M::Fitted: FittedRegressor + DeserializeOwned,
{
    fn forecaster(method: M) -> Box<dyn Forecaster> {
        Box::new(GlobalForecaster(method))
    }

    fn load(bytes: &[u8], panel: &Panel) -> Result<Box<dyn Fitted>> {
        global::load::<M>(bytes, panel)
    }

    fn component(_method: M) -> Result<Component> {
        Err(not_local(M::NAME))
    }

    fn load_component(_bytes: &[u8]) -> Result<Box<dyn FittedSeries>> {
        Err(Error::data("the saved fit is damaged"))
    }
}

impl<M: Method + Forecaster> Scope<M> for PanelLevel
where
    M::Fitted: Restore,
{
    fn forecaster(method: M) -> Box<dyn Forecaster> {
        Box::new(method)
    }

    fn load(bytes: &[u8], panel: &Panel) -> Result<Box<dyn Fitted>> {
        M::Fitted::load(bytes, panel)
    }

    fn component(method: M) -> Result<Component> {
        let error = not_local(M::NAME);
        Err(match method.by_series() {
            Some(part) => Error::usage(format!("{error}; {part} is the part of it that does")),
            None => error,
        })
    }

    fn load_component(_bytes: &[u8]) -> Result<Box<dyn FittedSeries>> {
        Err(Error::data("the saved fit is damaged"))
    }
}

fn not_local(name: &str) -> Error {
    Error::usage(format!(
        "{name} is fitted to all series together and cannot be a component of a method that fits one series at a time"
    ))
}
