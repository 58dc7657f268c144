//! Rhai: the same nouns and verbs as the library, for scripts and notebooks.
//!
//! Each file registers the verbs of its nouns, one closure per verb; models come from [`MODELS`](crate::models::MODELS) in a loop, so that a
//! new one needs nothing here.

mod data;
mod evaluate;
mod models;
mod quality;
mod report;

use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};

use rhai::{Array, Dynamic, Engine, EvalAltResult, Map, Position, Scope};

use crate::error::{Error, Result};
use crate::progress;

/// What a registered verb returns.
type Answer<T> = std::result::Result<T, Box<EvalAltResult>>;

/// An engine that knows every noun and verb.
///
/// ```
/// let engine = tradewind::script::engine();
/// let best: String = engine.eval(r#"
///     let sales = read_panel("data/walmart_sales_weekly.csv", columns(["Store", "Dept"], "Date", "Weekly_Sales"));
///     sales.backtest([naive(), "theta"], folds(2, 8)).best("mase")
/// "#)?;
/// assert_eq!(best, "theta");
/// # Ok::<(), Box<rhai::EvalAltResult>>(())
/// ```
pub fn engine() -> Engine {
    let mut engine = Engine::new();
    engine.set_max_expr_depths(128, 64);
    // A script that is interrupted stops at its next operation; a long verb asks by itself.
    engine.on_progress(|_| progress::check().err().map(|error| Dynamic::from(error.to_string())));
    data::register(&mut engine);
    models::register(&mut engine);
    evaluate::register(&mut engine);
    quality::register(&mut engine);
    report::register(&mut engine);
    engine
}

/// Runs a script file; `args` are its `args` map.
///
/// # Errors
/// When the file cannot be read or the script fails, with file, line and column.
pub fn run_file(path: impl AsRef<Path>, args: &[(String, String)]) -> Result<()> {
    let path = path.as_ref();
    let place = path.display().to_string();
    let text =
        std::fs::read_to_string(path).map_err(|cause| Error::io(format!("{place} cannot be read")).because(cause))?;
    let mut engine = engine();
    // What a script prints must arrive, or the run has failed; a reader that stops early (head) is no failure.
    let refused = Arc::new(Mutex::new(None));
    let refusal = refused.clone();
    engine.on_print(move |text| {
        if let Err(cause) = writeln!(std::io::stdout(), "{text}")
            && cause.kind() != std::io::ErrorKind::BrokenPipe
            && let Ok(mut refusal) = refusal.lock()
        {
            *refusal = Some(cause);
        }
    });
    engine.on_debug(|text, _, position| eprintln!("{position:?} {text}"));
    let mut scope = Scope::new();
    let map: Map = args.iter().map(|(name, value)| (name.into(), Dynamic::from(value.clone()))).collect();
    scope.push_constant("args", map);
    let failed = |position: Position, message: String| {
        let at = match (position.line(), position.position()) {
            (Some(line), Some(column)) => format!("{place}, line {line}, column {column}"),
            (Some(line), None) => format!("{place}, line {line}"),
            _ => place.clone(),
        };
        Error::data(format!("{at}: {message}"))
    };
    let ast = engine
        .compile_with_scope(&scope, &text)
        .map_err(|error| failed(error.position(), error.err_type().to_string()))?;
    engine.run_ast_with_scope(&mut scope, &ast).map_err(|error| {
        if progress::check().is_err() {
            return Error::interrupted();
        }
        let position = error.position();
        let message = match *error.unwrap_inner() {
            EvalAltResult::ErrorRuntime(ref value, _) => value.to_string(),
            ref other => {
                let mut other = other.to_string();
                if let Some(at) = other.rfind(" (line ") {
                    other.truncate(at);
                }
                other
            }
        };
        failed(position, message)
    })?;
    match refused.lock().ok().and_then(|mut refused| refused.take()) {
        Some(cause) => Err(Error::io("what the script printed could not be written").because(cause)),
        None => Ok(()),
    }
}

/// An error as Rhai throws it.
fn thrown(error: Error) -> Box<EvalAltResult> {
    error.to_string().into()
}

/// Names as scripts write them: one text, or an array of texts and whole numbers.
fn names(value: Dynamic) -> Answer<Vec<String>> {
    match value.clone().into_array() {
        Ok(array) => Ok(array.into_iter().map(|item| item.to_string()).collect()),
        Err(_) if value.is_string() => Ok(vec![value.to_string()]),
        Err(kind) => Err(format!("a text or an array of texts is needed, not {kind}").into()),
    }
}

/// A count as scripts write it: not negative.
fn count(value: i64, what: &str) -> Answer<usize> {
    usize::try_from(value).map_err(|_| format!("{what} is not negative, but {value} is").into())
}

fn numbers(values: Vec<f64>) -> Array {
    values.into_iter().map(Dynamic::from_float).collect()
}

/// Registers a noun under its name, with `print` and string interpolation.
macro_rules! noun {
    ($engine:ident, $type:ty) => {
        $engine.register_type_with_name::<$type>(stringify!($type));
        $engine.register_fn("to_string", |noun: &mut $type| noun.to_string());
        $engine.register_fn("to_debug", |noun: &mut $type| noun.to_string());
    };
}
use noun;
