//! How does a verb of the library become a verb of scripts? One line per verb, from which come its function, its entry
//! in [`Language`] (completion, help, `scripts/api.d.rhai`), and what is said when it is called wrongly.
//!
//! The words that describe a verb are those of the library's own documentation, which `build.rs` collects: a line here
//! names the Rust item only where it is not `Noun::verb`.

use std::any::TypeId;
use std::sync::LazyLock;

use rhai::{Dynamic, Engine, EvalAltResult, NativeCallContext, Position};

use super::values::{Argument, argument};
use crate::error::Error;

/// What a registered verb returns.
pub(super) type Answer<T> = std::result::Result<T, Box<EvalAltResult>>;

/// An error as a script can catch it, with the script and the line where it was thrown: `catch (error) { print(error)
/// }`.
#[derive(Clone)]
pub(super) struct Caught {
    pub(super) error: Error,
    pub(super) place: Option<(String, usize)>,
}

impl std::fmt::Display for Caught {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some((source, line)) = &self.place {
            write!(f, "{}line {line}: ", if source.is_empty() { String::new() } else { format!("{source}, ") })?;
        }
        write!(f, "{}", self.error)
    }
}

pub(super) fn thrown(error: Error) -> Box<EvalAltResult> {
    Box::new(EvalAltResult::ErrorRuntime(Dynamic::from(Caught { error, place: None }), Position::NONE))
}

/// The same error with the place of the call that threw it: what is caught knows no other.
pub(super) fn placed(mut error: Box<EvalAltResult>, context: &NativeCallContext) -> Box<EvalAltResult> {
    if let EvalAltResult::ErrorRuntime(value, _) = &mut *error
        && let Some(mut caught) = value.write_lock::<Caught>()
        && caught.place.is_none()
        && let Some(line) = context.call_position().line()
    {
        caught.place = Some((context.call_source().unwrap_or_default().to_string(), line));
    }
    error
}

impl From<Error> for Box<EvalAltResult> {
    fn from(error: Error) -> Self {
        thrown(error)
    }
}

/// One verb as scripts call it.
#[derive(Clone, Debug, PartialEq)]
pub struct Verb {
    /// The noun that it is a verb of; none for a function that stands alone.
    pub noun: Option<&'static str>,
    /// Its name.
    pub name: &'static str,
    /// Is it a value of the noun (`sales.rows`) rather than a call?
    pub property: bool,
    /// Names and types of what it takes, the noun left out.
    pub params: Vec<(&'static str, &'static str)>,
    /// The type of what it returns.
    pub returns: &'static str,
    /// The path of the library's item that says what it does.
    pub item: String,
}

impl Verb {
    /// The call: `panel.backtest(models, folds)`.
    pub fn call(&self) -> String {
        let params: Vec<&str> = self.params.iter().map(|(name, _)| *name).collect();
        let arguments = if self.property { String::new() } else { format!("({})", params.join(", ")) };
        match self.noun {
            Some(noun) => format!("{}.{}{arguments}", noun.to_lowercase(), self.name),
            None => format!("{}{arguments}", self.name),
        }
    }

    /// How it is called, with types: `backtest(models: String | Model | Array, folds: Folds) -> Backtest`.
    pub fn signature(&self) -> String {
        let params: Vec<String> = self.params.iter().map(|(name, of)| format!("{name}: {of}")).collect();
        let arguments = if self.property { String::new() } else { format!("({})", params.join(", ")) };
        format!("{}{arguments} -> {}", self.name, self.returns)
    }
}

/// Every verb that scripts know beyond Rhai's own.
#[derive(Default)]
pub struct Language {
    verbs: Vec<Verb>,
}

/// The language, which is the same for every engine.
static LANGUAGE: LazyLock<Language> = LazyLock::new(|| super::build().1);

impl Language {
    /// The one language there is.
    pub fn get() -> &'static Language {
        &LANGUAGE
    }

    /// Its verbs, in the order of their rooms.
    pub fn verbs(&self) -> &[Verb] {
        &self.verbs
    }

    /// The names of its nouns.
    pub fn nouns(&self) -> Vec<&'static str> {
        super::nouns::NAMES.to_vec()
    }

    /// The verbs of a noun (none: the functions that stand alone) by that name.
    pub fn named<'a>(&'a self, noun: Option<&'a str>, name: &'a str) -> impl Iterator<Item = &'a Verb> {
        self.of(noun).filter(move |verb| verb.name == name)
    }

    /// The verbs of a noun; none: the functions that stand alone.
    pub fn of<'a>(&'a self, noun: Option<&'a str>) -> impl Iterator<Item = &'a Verb> {
        self.verbs.iter().filter(move |verb| verb.noun == noun)
    }
}

/// The library's documentation of nouns, verbs and fields, by path (`Panel`, `Panel::audit`, `Lot.quantity`), sorted.
pub fn documentation() -> &'static [(&'static str, &'static str)] {
    include!(concat!(env!("OUT_DIR"), "/docs.rs"))
}

/// The documentation of an item of the library: `Panel::audit`, or `Panel`.
pub(super) fn documented(path: &str) -> Option<&'static str> {
    let known = documentation();
    let said = |path: &str| known.binary_search_by_key(&path, |(path, _)| path).ok().map(|at| known[at].1);
    // A value of a noun may be its field; a noun that a macro writes has its words at the function that makes it.
    said(path).or_else(|| said(&path.replace("::", "."))).or_else(|| said(&path.to_lowercase()))
}

/// An engine in the making, and the list of what it knows.
pub(super) struct Api {
    pub(super) engine: Engine,
    pub(super) language: Language,
}

/// The function behind a verb, given the noun (if it has one) and the arguments. One type for all, so that what Rhai
/// generates for a registered function is generated once.
pub(super) type Call = Box<dyn Fn(&mut [&mut Dynamic]) -> Answer<Dynamic> + Send + Sync>;

impl Api {
    /// Makes a verb known. `noun` is the type that it is a verb of; a property can be called as well, as in Rust.
    pub(super) fn add(&mut self, verb: Verb, noun: Option<TypeId>, call: Call) {
        let types = types(&verb, noun);
        let call: std::sync::Arc<Call> = call.into();
        if verb.property {
            let get = call.clone();
            let get = move |context: NativeCallContext, given: &mut [&mut Dynamic]| {
                get(given).map_err(|error| placed(error, &context))
            };
            self.engine.register_raw_fn(format!("get${}", verb.name), &types, get);
        }
        self.add_calling(verb, noun, move |_, given| call(given));
    }

    /// As [`add`](Self::add), of a verb that calls functions of the script.
    pub(super) fn add_calling(
        &mut self,
        verb: Verb,
        noun: Option<TypeId>,
        call: impl Fn(&NativeCallContext, &mut [&mut Dynamic]) -> Answer<Dynamic> + Send + Sync + 'static,
    ) {
        let types = types(&verb, noun);
        let call = move |context: NativeCallContext, given: &mut [&mut Dynamic]| {
            call(&context, given).map_err(|error| placed(error, &context))
        };
        self.engine.register_raw_fn(verb.name, &types, call);
        self.language.verbs.push(verb);
    }
}

/// The types by which Rhai finds a verb: its noun's, and any for what it takes.
fn types(verb: &Verb, noun: Option<TypeId>) -> Vec<TypeId> {
    noun.into_iter().chain(verb.params.iter().map(|_| TypeId::of::<Dynamic>())).collect()
}

/// Verbs of a noun: `methods! { api, Panel; audit(panel) -> Audit { panel.audit() } }`. The first name in the
/// parentheses stands for the noun. A literal before the verb names the documented item, where it is another.
macro_rules! methods {
    ($api:ident, $noun:ident; $(
        $($item:literal)? $name:ident($this:ident $(, $arg:ident: $type:ty)* $(,)?) -> $out:ty $body:block
    )*) => { $(
        $crate::script::api::verb!($api, Some($noun), false, $($item)?, $name($this; $($arg: $type),*) -> $out $body);
    )* };
}

/// Values of a noun: `properties! { api, Panel; rows(panel) -> usize { panel.rows() } }`.
macro_rules! properties {
    ($api:ident, $noun:ident; $( $($item:literal)? $name:ident($this:ident) -> $out:ty $body:block )*) => { $(
        $crate::script::api::verb!($api, Some($noun), true, $($item)?, $name($this;) -> $out $body);
    )* };
}

/// Functions that stand alone: `functions! { api; "Panel::read" read_panel(path: String, …) -> Panel { … } }`.
macro_rules! functions {
    ($api:ident; $( $item:literal $name:ident($($arg:ident: $type:ty),* $(,)?) -> $out:ty $body:block )*) => { $(
        $crate::script::api::verb!($api, None, false, $item, $name(; $($arg: $type),*) -> $out $body);
    )* };
}

/// One verb, for the three macros above.
macro_rules! verb {
    (
        $api:ident, $kind:ident $(($noun:ident))?, $property:literal, $($item:literal)?,
        $name:ident($($this:ident)?; $($arg:ident: $type:ty),*) -> $out:ty $body:block
    ) => {
        $api.add(
            $crate::script::api::Verb {
                noun: $kind $((stringify!($noun)))?,
                name: stringify!($name),
                property: $property,
                params: vec![$((stringify!($arg), <$type as $crate::script::values::Argument>::TYPE)),*],
                returns: <$out as $crate::script::values::Value>::TYPE,
                item: $crate::script::api::item(
                    concat!($(stringify!($noun), "::",)? stringify!($name)), [$($item)?].first().copied(),
                ),
            },
            $kind $((::std::any::TypeId::of::<$noun>()))?,
            Box::new(|given| {
                #[allow(unused_mut, unused_variables)]
                let mut given = given.iter_mut();
                $( let $this = $crate::script::api::noun::<$noun>(given.next())?; )?
                $( let $arg = $crate::script::api::next::<$type>(given.next(), stringify!($name), stringify!($arg))?; )*
                $crate::script::values::Reply::<$out>::reply($body)
            }),
        )
    };
}

/// The noun of a verb.
pub(super) fn noun<T: Clone + Send + Sync + 'static>(given: Option<&mut &mut Dynamic>) -> Answer<T> {
    let noun = given.and_then(|value| value.read_lock::<T>().map(|noun| noun.clone()));
    noun.ok_or_else(|| thrown(Error::usage("the verb was called without its noun")))
}

/// An argument of a verb. A copy: Rhai may hand over the caller's own variable.
pub(super) fn next<T: Argument>(given: Option<&mut &mut Dynamic>, verb: &str, name: &str) -> Answer<T> {
    argument(given.map_or(Dynamic::UNIT, |value| (**value).clone()), verb, name)
}

/// The item that documents a verb: the stated one, or the one of its name.
pub(super) fn item(own: &str, stated: Option<&str>) -> String {
    stated.unwrap_or(own).to_string()
}

pub(super) use {functions, methods, properties, verb};
