//! Conversion of arguments and results: Rhai's values as the library's, and back.
//!
//! An argument states its type and refuses others in words; whole numbers are accepted where any number is, and floats
//! without a fraction where a whole one is.

use std::path::PathBuf;

use rhai::{Array, Dynamic, FLOAT, INT, ImmutableString, Map};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::api::{Answer, thrown};
use crate::decide::{MarkdownPolicy, MarketingBudget, PricePolicy, PromotionPolicy, StockPolicy};
use crate::error::{Error, Result};
use crate::evaluate::Search;
use crate::figures::Look;
use crate::forecast::{Combination, Dependence, Forecast};
use crate::models::{Failure, Horizon, Model};
use crate::monitor::{Doubts, Override};
use crate::options;
use crate::panel::{Aggregate, Clean, Future, Join, Normalise, Reading, Scenario, Stamps};
use crate::report::Paper;
use crate::show::{Block, Value as Cell};

/// What a verb takes.
pub(super) trait Argument: Sized {
    /// Its type as scripts' documentation writes it.
    const TYPE: &'static str;
    /// The same in words, for whoever gave something else.
    const WANTED: &'static str;

    /// The value, or why it is none.
    fn take(value: Dynamic) -> Result<Self>;
}

/// What a verb returns.
pub(super) trait Value {
    /// Its type as scripts' documentation writes it.
    const TYPE: &'static str;

    fn give(self) -> Dynamic;
}

/// A verb's body returns its value, or a result of it.
pub(super) trait Reply<T> {
    fn reply(self) -> Answer<Dynamic>;
}

impl<T: Value> Reply<T> for T {
    fn reply(self) -> Answer<Dynamic> {
        Ok(self.give())
    }
}

impl<T: Value> Reply<T> for Result<T> {
    fn reply(self) -> Answer<Dynamic> {
        self.map(Value::give).map_err(thrown)
    }
}

/// Takes one argument of a verb.
pub(super) fn argument<T: Argument>(value: Dynamic, verb: &str, name: &str) -> Answer<T> {
    T::take(value).map_err(|error| {
        if error.is_usage() { thrown(error.within(format!("`{name}` of {verb}"))) } else { thrown(error) }
    })
}

/// Why a value cannot be used as `T`.
pub(super) fn refused<T: Argument>(value: &Dynamic) -> Error {
    Error::usage(format!("{} is needed, not {}", T::WANTED, kind(value)))
}

/// A value in a few words: `the text "8"`, `the number 0.5`, `an array`, `a Panel`.
pub(super) fn kind(value: &Dynamic) -> String {
    if let Some(text) = value.read_lock::<ImmutableString>() {
        let short: String = text.chars().take(40).collect();
        return format!("the text \"{short}{}\"", if short.len() < text.len() { "…" } else { "" });
    }
    match value.type_name() {
        "i64" | "f64" => format!("the number {value}"),
        "bool" => value.to_string(),
        "()" => "nothing".into(),
        "array" => "an array".into(),
        "map" => "a map".into(),
        "Fn" => "a function".into(),
        other => {
            let name = other.rsplit("::").next().unwrap_or(other);
            format!("{} {name}", if name.starts_with(['A', 'E', 'I', 'O', 'U']) { "an" } else { "a" })
        }
    }
}

impl Argument for usize {
    const TYPE: &'static str = "int";
    const WANTED: &'static str = "a whole number that is not negative";

    fn take(value: Dynamic) -> Result<Self> {
        let whole = match (value.as_int(), value.as_float()) {
            (Ok(whole), _) => usize::try_from(whole).ok(),
            (_, Ok(float)) if float.fract() == 0.0 && (0.0..1e15).contains(&float) => Some(float as usize),
            _ => None,
        };
        whole.ok_or_else(|| refused::<Self>(&value))
    }
}

impl Argument for u64 {
    const TYPE: &'static str = "int";
    const WANTED: &'static str = usize::WANTED;

    fn take(value: Dynamic) -> Result<Self> {
        usize::take(value).map(|whole| whole as u64)
    }
}

impl Argument for f64 {
    const TYPE: &'static str = "float";
    const WANTED: &'static str = "a number";

    fn take(value: Dynamic) -> Result<Self> {
        let number = value.as_float().or_else(|_| value.as_int().map(|whole| whole as f64));
        number.map_err(|_| refused::<Self>(&value))
    }
}

impl Argument for String {
    const TYPE: &'static str = "String";
    const WANTED: &'static str = "a text";

    fn take(value: Dynamic) -> Result<Self> {
        value.clone().into_string().map_err(|_| refused::<Self>(&value))
    }
}

/// A text, or a number or flag taken as its text.
pub(super) struct Scalar(pub(super) String);

impl Argument for Scalar {
    const TYPE: &'static str = "String | int | float | bool";
    const WANTED: &'static str = "a text or a number";

    fn take(value: Dynamic) -> Result<Self> {
        match value.type_name() {
            "string" | "i64" | "f64" | "bool" | "char" => Ok(Self(value.to_string())),
            _ => Err(refused::<Self>(&value)),
        }
    }
}

/// Names: one text, or an array of texts and whole numbers.
pub(super) struct Names(pub(super) Vec<String>);

impl Argument for Names {
    const TYPE: &'static str = "String | Array";
    const WANTED: &'static str = "a text or an array of texts";

    fn take(value: Dynamic) -> Result<Self> {
        if value.is_string() {
            return Ok(Self(vec![value.to_string()]));
        }
        let items = value.clone().into_array().map_err(|_| refused::<Self>(&value))?;
        Ok(Self(items.into_iter().map(|item| Scalar::take(item).map(|text| text.0)).collect::<Result<_>>()?))
    }
}

/// Numbers in an array, or one.
impl Argument for Vec<f64> {
    const TYPE: &'static str = "float | Array";
    const WANTED: &'static str = "a number or an array of numbers";

    fn take(value: Dynamic) -> Result<Self> {
        if !value.is_array() {
            return f64::take(value.clone()).map(|number| vec![number]).map_err(|_| refused::<Self>(&value));
        }
        let items = value.clone().into_array().map_err(|_| refused::<Self>(&value))?;
        items.into_iter().map(f64::take).collect()
    }
}

/// Models: a list in one text, a model, or an array of both.
pub(super) struct Models(pub(super) Vec<Model>);

impl Argument for Models {
    const TYPE: &'static str = "String | Model | Array";
    const WANTED: &'static str = "a model, the name of one, or an array of them";

    fn take(value: Dynamic) -> Result<Self> {
        let one = |item: Dynamic| match item.clone().try_cast::<Model>() {
            Some(model) => Ok(vec![model]),
            None if item.is_string() => Model::list(&item.to_string()),
            None => Err(refused::<Self>(&item)),
        };
        Ok(Self(match value.clone().into_array() {
            Ok(items) => items.into_iter().map(one).collect::<Result<Vec<_>>>()?.concat(),
            Err(_) => one(value)?,
        }))
    }
}

/// A model, or its label.
pub(super) struct Labelled(pub(super) Model);

impl Argument for Labelled {
    const TYPE: &'static str = "String | Model";
    const WANTED: &'static str = "a model or the name of one";

    fn take(value: Dynamic) -> Result<Self> {
        match value.clone().try_cast::<Model>() {
            Some(model) => Ok(Self(model)),
            None if value.is_string() => Model::named(&value.to_string()).map(Self),
            None => Err(refused::<Self>(&value)),
        }
    }
}

/// Options: a map such as `#{season: 52}`.
pub(super) struct Options(pub(super) serde_json::Map<String, Json>);

impl Argument for Options {
    const TYPE: &'static str = "Map";
    const WANTED: &'static str = "a map such as #{season: 52}";

    fn take(value: Dynamic) -> Result<Self> {
        if !value.is_map() {
            return Err(refused::<Self>(&value));
        }
        check_finite(&value)?;
        match rhai::serde::from_dynamic::<Json>(&value) {
            Ok(Json::Object(map)) => Ok(Self(map)),
            Ok(_) => Err(refused::<Self>(&value)),
            Err(cause) => Err(Error::usage("options are numbers, texts, flags and arrays of them").because(cause)),
        }
    }
}

/// Refuses what JSON has no numbers for, and would take for nothing said.
fn check_finite(value: &Dynamic) -> Result<()> {
    if let Ok(number) = value.as_float() {
        return options::finite(number).map(|_| ());
    }
    if let Some(array) = value.read_lock::<Array>() {
        return array.iter().try_for_each(check_finite);
    }
    let Some(map) = value.read_lock::<Map>() else { return Ok(()) };
    map.iter()
        .try_for_each(|(name, value)| check_finite(value).map_err(|error| error.within(format!("option `{name}`"))))
}

/// An options struct: a map of its options, or a text such as `gaps=fill, negatives=clip`.
macro_rules! options {
    ($($name:literal $type:ty),*) => { $(
        impl Argument for $type {
            const TYPE: &'static str = "String | Map";
            const WANTED: &'static str = concat!("a text or a map with the options of ", $name);

            fn take(value: Dynamic) -> Result<Self> {
                match value.is_string() {
                    true => Self::parse(&value.to_string()),
                    false if value.is_map() => options::read($name, Options::take(value)?.0),
                    false => Err(refused::<Self>(&value)),
                }
            }
        }
    )* };
}
options!("clean" Clean, "aggregate" Aggregate, "join" Join, "reading" Reading, "the search" Search, "the figure" Look, "the stock policy" StockPolicy, "the marketing budget" MarketingBudget, "the price policy" PricePolicy, "the markdown policy" MarkdownPolicy, "the promotion policy" PromotionPolicy);

/// One of a few words.
pub(super) fn word<T: Argument + DeserializeOwned>(value: Dynamic) -> Result<T> {
    let text = value.is_string().then(|| value.to_string());
    text.and_then(|text| serde_json::from_value(text.into()).ok()).ok_or_else(|| refused::<T>(&value))
}

impl Argument for Scenario {
    const TYPE: &'static str = "String";
    const WANTED: &'static str = "a scenario (\"climatology\", \"last\" or \"given\")";

    fn take(value: Dynamic) -> Result<Self> {
        word(value)
    }
}

impl Argument for Stamps {
    const TYPE: &'static str = "String";
    const WANTED: &'static str = "\"start\" or \"end\"";

    fn take(value: Dynamic) -> Result<Self> {
        word(value)
    }
}

impl Argument for Paper {
    const TYPE: &'static str = "String";
    const WANTED: &'static str = "\"a4\" or \"letter\"";

    fn take(value: Dynamic) -> Result<Self> {
        word(value)
    }
}

impl Argument for Doubts {
    const TYPE: &'static str = "String";
    const WANTED: &'static str = "\"told\" or \"heeded\"";

    fn take(value: Dynamic) -> Result<Self> {
        word(value)
    }
}

/// Overrides: one, or an array of them.
pub(super) struct Overrides(pub(super) Vec<Override>);

impl Argument for Overrides {
    const TYPE: &'static str = "Override | Array";
    const WANTED: &'static str = "an Override or an array of them";

    fn take(value: Dynamic) -> Result<Self> {
        let items = value.clone().into_array().unwrap_or_else(|_| vec![value.clone()]);
        let of = |item: Dynamic| Override::take(item).map_err(|_| refused::<Self>(&value));
        items.into_iter().map(of).collect::<Result<_>>().map(Self)
    }
}

impl Argument for Normalise {
    const TYPE: &'static str = "String";
    const WANTED: &'static str = "a way to normalise";

    fn take(value: Dynamic) -> Result<Self> {
        Self::named(&String::take(value)?)
    }
}

/// Stock policies: an array of them.
pub(super) struct Policies(pub(super) Vec<StockPolicy>);

impl Argument for Policies {
    const TYPE: &'static str = "Array";
    const WANTED: &'static str = "an array of stock policies, texts or maps";

    fn take(value: Dynamic) -> Result<Self> {
        let items = value.clone().into_array().map_err(|_| refused::<Self>(&value))?;
        items.into_iter().map(StockPolicy::take).collect::<Result<_>>().map(Self)
    }
}

/// Forecasts: one, or an array of them.
pub(super) struct Forecasts(pub(super) Vec<Forecast>);

impl Argument for Forecasts {
    const TYPE: &'static str = "Forecast | Array";
    const WANTED: &'static str = "a Forecast or an array of them";

    fn take(value: Dynamic) -> Result<Self> {
        let one = |item: Dynamic| item.clone().try_cast::<Forecast>().ok_or_else(|| refused::<Self>(&item));
        match value.clone().into_array() {
            Ok(items) => items.into_iter().map(one).collect::<Result<_>>().map(Self),
            Err(_) => one(value).map(|forecast| Self(vec![forecast])),
        }
    }
}

impl Argument for Combination {
    const TYPE: &'static str = "String | Array";
    const WANTED: &'static str = "\"mean\", \"median\" or an array of weights";

    fn take(value: Dynamic) -> Result<Self> {
        if value.is_string() {
            return value.to_string().parse();
        }
        Vec::<f64>::take(value.clone()).map(Self::Weights).map_err(|_| refused::<Self>(&value))
    }
}

impl Argument for Dependence {
    const TYPE: &'static str = "String";
    const WANTED: &'static str = "\"comonotone\", \"independent\" or \"copula(steps=0.7, series=0.1)\"";

    fn take(value: Dynamic) -> Result<Self> {
        String::take(value)?.parse()
    }
}

impl Argument for Horizon {
    const TYPE: &'static str = "int | Future";
    const WANTED: &'static str = "a number of steps or a Future";

    fn take(value: Dynamic) -> Result<Self> {
        match value.clone().try_cast::<Future>() {
            Some(future) => Ok(future.into()),
            None => usize::take(value.clone()).map(Into::into).map_err(|_| refused::<Self>(&value)),
        }
    }
}

/// Anything that can be shown: a noun, a text, an array of them.
pub(super) struct Thing(pub(super) Block);

impl Argument for Thing {
    const TYPE: &'static str = "?";
    const WANTED: &'static str = "something that can be shown";

    fn take(value: Dynamic) -> Result<Self> {
        super::shown::block(&value).map(Self).ok_or_else(|| refused::<Self>(&value))
    }
}

impl Argument for Dynamic {
    const TYPE: &'static str = "?";
    const WANTED: &'static str = "a value";

    fn take(value: Dynamic) -> Result<Self> {
        Ok(value)
    }
}

macro_rules! plain {
    ($($type:ty, $name:literal, $give:expr;)*) => { $(
        impl Value for $type {
            const TYPE: &'static str = $name;

            fn give(self) -> Dynamic {
                ($give)(self)
            }
        }
    )* };
}
plain! {
    (), "()", Dynamic::from;
    Dynamic, "?", |value| value;
    bool, "bool", Dynamic::from_bool;
    usize, "int", |whole| Dynamic::from_int(whole as INT);
    f64, "float", |number| Dynamic::from_float(number as FLOAT);
    String, "String", Dynamic::from;
    &str, "String", |text: &str| Dynamic::from(text.to_string());
    PathBuf, "String", |path: PathBuf| Dynamic::from(path.display().to_string());
    Map, "Map", Dynamic::from;
    Cell, "?", |cell| match cell {
        Cell::Missing => Dynamic::UNIT,
        Cell::Bool(value) => value.into(),
        Cell::Whole(value) => value.into(),
        Cell::Number(value) => value.into(),
        Cell::Text(value) => value.into(),
    };
    Failure, "Map", |failure: Failure| fields(&failure);
}

impl<T: Value> Value for Vec<T> {
    const TYPE: &'static str = "Array";

    fn give(self) -> Dynamic {
        self.into_iter().map(Value::give).collect::<Array>().into()
    }
}

/// Two values in an array.
impl<T: Value> Value for (T, T) {
    const TYPE: &'static str = "Array";

    fn give(self) -> Dynamic {
        vec![self.0.give(), self.1.give()].into()
    }
}

/// What may be absent is `()` then.
impl<T: Value> Value for Option<T> {
    const TYPE: &'static str = T::TYPE;

    fn give(self) -> Dynamic {
        self.map_or(Dynamic::UNIT, Value::give)
    }
}

/// All fields and their values, as a map.
pub fn fields<T: Serialize>(value: &T) -> Dynamic {
    rhai::serde::to_dynamic(value).unwrap_or(Dynamic::UNIT)
}
