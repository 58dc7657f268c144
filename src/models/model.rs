//! A named, parameterised method, and the table row that it comes from.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Component, Fitted, FittedSeries, Forecaster, MODELS, Method, Scope};
use crate::error::{Error, Result, find};
use crate::options;
use crate::panel::Panel;
use crate::registry::{Row, row};
use crate::show::{Block, Show};

/// Reads a saved fit of a panel.
type Load = fn(&[u8], &Panel) -> Result<Box<dyn Fitted>>;

/// A method as [`MODELS`] lists it.
pub type Entry = Row<Making>;

/// What readers are told of a method, how it is built from options, and its fits from a file.
pub struct Making {
    /// The title in words, as in reports and figures; see [`names`](crate::models::names).
    pub title: &'static str,
    pub(super) defaults: fn() -> Result<Map<String, Value>>,
    make: fn(Map<String, Value>) -> Result<Model>,
    load: Load,
    component: fn(Map<String, Value>) -> Result<Component>,
    load_component: fn(&[u8]) -> Result<Box<dyn FittedSeries>>,
}

/// A named, parameterised method: `theta(season=52)`.
///
/// ```
/// use tradewind::prelude::*;
/// let model = Model::named("theta( season = 52.0 )")?;
/// assert_eq!(model.label(), "theta(season=52)");
/// assert_eq!(Model::from(Theta { season: Some(52), ..Theta::default() }).label(), model.label());
/// # Ok::<(), tradewind::Error>(())
/// ```
#[derive(Clone)]
pub struct Model(Arc<Inner>);

struct Inner {
    name: &'static str,
    label: String,
    forecaster: Box<dyn Forecaster>,
}

impl Entry {
    /// The row of a method.
    pub const fn of<M: Method>() -> Self {
        row!(
            M,
            M::SEARCH,
            Making {
                title: M::TITLE,
                defaults: || options::fields(&M::default()),
                make: |given| Model::new(options::read::<M>(M::NAME, given)?),
                load: M::Scope::load,
                component: |given| {
                    let method = options::read::<M>(M::NAME, given)?;
                    method.check()?;
                    M::Scope::component(method)
                },
                load_component: M::Scope::load_component,
            }
        )
    }

    /// The method with these options.
    ///
    /// # Errors
    /// When an option is unknown, of the wrong type or out of range.
    pub fn with(&self, options: Map<String, Value>) -> Result<Model> {
        (self.make)(options)
    }

    /// A saved fit of this method to a panel.
    pub(crate) fn load(&self, bytes: &[u8], panel: &Panel) -> Result<Box<dyn Fitted>> {
        (self.load)(bytes, panel)
    }

    /// The component model that a label describes; its fits are loaded by [`load_component`](Self::load_component).
    pub(crate) fn component(label: &str) -> Result<Component> {
        let (name, options) = options::split(label)?;
        (MODELS.named(name)?.component)(options)
    }

    /// The saved fit of a component model.
    pub(crate) fn load_component(label: &str, bytes: &[u8]) -> Result<Box<dyn FittedSeries>> {
        (MODELS.named(options::split(label)?.0)?.load_component)(bytes)
    }
}

impl Model {
    /// The model that a label describes: a name, or another name of the same method, options in parentheses.
    ///
    /// # Errors
    /// When the name or an option is unknown, or an option's value does not fit.
    pub fn named(label: &str) -> Result<Self> {
        let (name, options) = options::split(label)?;
        MODELS.named(name)?.with(options)
    }

    /// The models of a list such as `seasonal_naive; theta(season=52)`.
    ///
    /// # Errors
    /// As [`named`](Self::named), and when the list is empty.
    pub fn list(labels: &str) -> Result<Vec<Self>> {
        distinct(options::split_list(labels).into_iter().map(Self::named).collect::<Result<_>>()?)
    }

    fn new<M: Method>(method: M) -> Result<Self> {
        method.check()?;
        Ok(Self::unchecked(method))
    }

    fn unchecked<M: Method>(method: M) -> Self {
        let label = options::label(M::NAME, &method).unwrap_or_else(|_| M::NAME.into());
        Self(Arc::new(Inner { name: M::NAME, label, forecaster: M::Scope::forecaster(method) }))
    }

    /// The method's name.
    pub fn name(&self) -> &'static str {
        self.0.name
    }

    /// The name with the options that are not at their defaults; [`named`](Self::named) reads it back.
    pub fn label(&self) -> &str {
        &self.0.label
    }

    /// Does it read covariates, so that their future must be known?
    pub(crate) fn reads_covariates(&self) -> bool {
        self.0.forecaster.reads_covariates()
    }

    pub(crate) fn forecaster(&self) -> &dyn Forecaster {
        &*self.0.forecaster
    }
}

/// The place of a model among labels, and its label there: a model may be named as labels are read, not only as they are
/// printed.
///
/// # Errors
/// When it is none of them; the nearest is suggested.
pub(crate) fn place<'a>(model: &str, labels: &'a [String]) -> Result<(usize, &'a str)> {
    let known = |label: &str| labels.iter().position(|one| one == label);
    let printed = || known(Model::named(model).ok()?.label());
    let m = known(model).or_else(printed).map_or_else(|| find(model, labels, "model"), Ok)?;
    Ok((m, &labels[m]))
}

/// At least one model, none twice.
pub(crate) fn distinct(models: Vec<Model>) -> Result<Vec<Model>> {
    if models.is_empty() {
        return Err(Error::usage("no model is named; name one or more, such as \"seasonal_naive; theta\""));
    }
    for (i, model) in models.iter().enumerate() {
        if models[..i].iter().any(|before| before.label() == model.label()) {
            return Err(Error::usage(format!("the model {} is named twice", model.label())));
        }
    }
    Ok(models)
}

impl<M: Method> From<M> for Model {
    /// The options are checked when the model is used.
    fn from(method: M) -> Self {
        Self::unchecked(method)
    }
}

/// What a method that takes models takes: a label, an options struct, or a [`Model`].
pub trait IntoModel {
    /// The model.
    ///
    /// # Errors
    /// When a label does not name one.
    fn into_model(self) -> Result<Model>;
}

impl IntoModel for Model {
    fn into_model(self) -> Result<Model> {
        Ok(self)
    }
}

impl IntoModel for &Model {
    fn into_model(self) -> Result<Model> {
        Ok(self.clone())
    }
}

impl IntoModel for &str {
    fn into_model(self) -> Result<Model> {
        Model::named(self)
    }
}

impl IntoModel for String {
    fn into_model(self) -> Result<Model> {
        Model::named(&self)
    }
}

impl<M: Method> IntoModel for M {
    fn into_model(self) -> Result<Model> {
        Model::new(self)
    }
}

impl Show for Model {
    fn block(&self) -> Block {
        let mut blocks = vec![Block::Text(self.label().into())];
        blocks.extend(MODELS.served(self.name()).map(Show::block));
        Block::Group(blocks)
    }
}

crate::show::noun!(Model);
