//! Statistics of arrays of numbers: `forecast.mean("theta", key).sum()`, `totals.quantile(0.95)`.

use std::any::TypeId;

use rhai::{Array, Dynamic};

use super::api::{Answer, Api, Verb, thrown};
use super::values::{argument, kind};
use crate::error::{Error, Result};
use crate::statistics::summary;

/// The type that these are verbs of.
pub(super) const ARRAY: &str = "Array";

pub(super) fn register(api: &mut Api) {
    // Whole numbers stay whole where that is possible.
    let whole = "int | float";
    verb(api, "sum", whole, |array| match whole_sum(array) {
        Some(sum) => Ok(sum.into()),
        None => Ok(summary::sum(&numbers(array)?).into()),
    });
    verb(api, "min", whole, |array| Ok(of_all(array, summary::min(&numbers(array)?)?)));
    verb(api, "max", whole, |array| Ok(of_all(array, summary::max(&numbers(array)?)?)));
    verb(api, "mean", "float", |array| Ok(summary::mean(&numbers(array)?)?.into()));
    verb(api, "median", "float", |array| Ok(summary::median(&numbers(array)?)?.into()));
    let quantile = described("quantile", "float", vec![("probability", "float")]);
    api.add(
        quantile,
        Some(TypeId::of::<Array>()),
        Box::new(|given| {
            let probability = argument::<f64>(given[1].clone(), "quantile", "probability")?;
            let values = numbers(&*array(given)?)?;
            Ok(summary::quantile(&values, probability)?.into())
        }),
    );
}

/// A verb without arguments.
fn verb(api: &mut Api, name: &'static str, returns: &'static str, of: fn(&Array) -> Result<Dynamic>) {
    let call = move |given: &mut [&mut Dynamic]| Ok(of(&*array(given)?)?);
    api.add(described(name, returns, Vec::new()), Some(TypeId::of::<Array>()), Box::new(call));
}

fn described(name: &'static str, returns: &'static str, params: Vec<(&'static str, &'static str)>) -> Verb {
    Verb { noun: Some(ARRAY), name, property: false, params, returns, item: format!("summary::{name}") }
}

fn array<'a>(given: &'a [&mut Dynamic]) -> Answer<impl std::ops::Deref<Target = Array> + 'a> {
    let array = given.first().and_then(|array| array.read_lock::<Array>());
    array.ok_or_else(|| thrown(Error::usage("the verb was called without its array")))
}

/// The numbers of an array; whole ones do as well.
fn numbers(array: &Array) -> Result<Vec<f64>> {
    let number = |(place, item): (usize, &Dynamic)| {
        let number = item.as_float().ok().or_else(|| item.as_int().ok().map(|whole| whole as f64));
        number.ok_or_else(|| {
            let advice = if item.is_unit() { "; leave such values out by filter(|value| value != ())" } else { "" };
            Error::usage(format!("an array of numbers is needed, and its place {place} holds {}{advice}", kind(item)))
        })
    };
    array.iter().enumerate().map(number).collect()
}

/// The sum of whole numbers, if they are all whole and it is one.
fn whole_sum(array: &Array) -> Option<i64> {
    array.iter().try_fold(0_i64, |sum, item| sum.checked_add(item.as_int().ok()?))
}

/// A value of an array as it stands there: whole among whole ones.
fn of_all(array: &Array, value: f64) -> Dynamic {
    let found = array.iter().find(|item| item.as_int().is_ok_and(|whole| whole as f64 == value));
    found.cloned().unwrap_or_else(|| value.into())
}
