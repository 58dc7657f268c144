//! How does an options struct become a model of panels? By its kind: one fit per series, or one across all.
//!
//! A method names its [`Kind`], which knows how it is fitted, loaded again, and whether it can be part of another method.

use serde::de::DeserializeOwned;

use super::learned::{self, Across, Learner, Learnt};
use super::local::{self, Local};
use super::{Fitted, FittedSeries, Forecaster, Method, SeriesModel};
use crate::error::{Error, Result};
use crate::panel::Panel;

/// A method that is part of another one.
pub type Part = Box<dyn SeriesModel>;

/// What a kind makes of a method's options.
pub trait Kind<M> {
    /// Fits a panel.
    fn forecaster(method: M) -> Box<dyn Forecaster>;

    /// A saved fit of a panel.
    ///
    /// # Errors
    /// When the bytes are damaged.
    fn load(bytes: &[u8], panel: &Panel) -> Result<Box<dyn Fitted>>;

    /// Fits one series, as part of another method.
    ///
    /// # Errors
    /// When the method does not fit series by series.
    fn part(method: M) -> Result<Part>;

    /// A saved fit of a part.
    ///
    /// # Errors
    /// When the bytes are damaged.
    fn load_part(bytes: &[u8]) -> Result<Box<dyn FittedSeries>>;
}

/// Each series by itself: the kind of what implements [`SeriesModel`].
pub struct EachSeries;

/// All series together: the kind of what implements [`Learner`].
pub struct AcrossSeries;

/// All series together, by a method that reads the panel itself: the kind of what implements [`Forecaster`].
pub struct WholePanel;

/// A fitted panel that can be loaded again.
pub trait Kept: Fitted {
    /// A saved fit of a panel.
    ///
    /// # Errors
    /// When the bytes are damaged.
    fn load(bytes: &[u8], panel: &Panel) -> Result<Box<dyn Fitted>>;
}

impl<M: Method + SeriesModel> Kind<M> for EachSeries
where
    M::Fitted: FittedSeries + DeserializeOwned,
{
    fn forecaster(method: M) -> Box<dyn Forecaster> {
        Box::new(Local(method))
    }

    fn load(bytes: &[u8], _panel: &Panel) -> Result<Box<dyn Fitted>> {
        local::load::<M>(bytes)
    }

    fn part(method: M) -> Result<Part> {
        Ok(Box::new(method))
    }

    fn load_part(bytes: &[u8]) -> Result<Box<dyn FittedSeries>> {
        Ok(Box::new(super::decode::<M::Fitted>(bytes)?))
    }
}

impl<M: Method + Learner> Kind<M> for AcrossSeries
where
    M::Fitted: Learnt + DeserializeOwned,
{
    fn forecaster(method: M) -> Box<dyn Forecaster> {
        Box::new(Across(method))
    }

    fn load(bytes: &[u8], panel: &Panel) -> Result<Box<dyn Fitted>> {
        learned::load::<M>(bytes, panel)
    }

    fn part(_method: M) -> Result<Part> {
        Err(no_part(M::NAME))
    }

    fn load_part(_bytes: &[u8]) -> Result<Box<dyn FittedSeries>> {
        Err(Error::data("the saved fit is damaged"))
    }
}

impl<M: Method + Forecaster> Kind<M> for WholePanel
where
    M::Fitted: Kept,
{
    fn forecaster(method: M) -> Box<dyn Forecaster> {
        Box::new(method)
    }

    fn load(bytes: &[u8], panel: &Panel) -> Result<Box<dyn Fitted>> {
        M::Fitted::load(bytes, panel)
    }

    fn part(_method: M) -> Result<Part> {
        Err(no_part(M::NAME))
    }

    fn load_part(_bytes: &[u8]) -> Result<Box<dyn FittedSeries>> {
        Err(Error::data("the saved fit is damaged"))
    }
}

fn no_part(name: &str) -> Error {
    Error::usage(format!(
        "{name} learns from all series together and cannot be part of a method that fits one at a time"
    ))
}
