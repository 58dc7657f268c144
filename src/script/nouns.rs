//! The nouns of scripts: each prints as a table, goes into and out of verbs, and can be shown in a notebook.

use rhai::{Dynamic, INT, ImmutableString};

use super::api::{Api, Caught};
use super::stock::{ContinuousReview, PeriodicReview};
use super::values::{Argument, Value, refused};
use crate::dashboard::Dashboard;
use crate::decide::Decision;
use crate::decide::stock::eoq::{BackorderedLot, Lot};
use crate::decide::stock::lot_sizing::{LotPlan, Requirements};
use crate::decide::stock::min_max::{MinMax, MinMaxPolicy, PowerApproximation};
use crate::decide::stock::newsvendor::OrderUpTo;
use crate::decide::stock::reorder::{ReorderCosts, ReorderPolicy};
use crate::decide::stock::safety::Service;
use crate::decide::stock::{Demand, Newsvendor};
use crate::error::Result;
use crate::evaluate::{Backtest, Fold, Folds, Tuning};
use crate::explore::Tour;
use crate::forecast::{Forecast, Paths};
use crate::models::{Fits, Model};
use crate::monitor::{Monitor, Monitored, Overridden, Override, ValueAdded};
use crate::operate::{Due, Retraining, Watching};
use crate::outcome::Outcome;
use crate::panel::{Audit, Columns, Future, Panel};
use crate::plan::Plan;
use crate::reconcile::Reconciliation;
use crate::report::Report;
use crate::show::{Block, Figure, Finding, Show, Table};
use crate::track::Runs;

macro_rules! nouns {
    ($($noun:ident),* $(,)?) => {
        /// The names of all nouns.
        pub(super) const NAMES: &[&str] = &[$(stringify!($noun)),*];

        $(
            impl Argument for $noun {
                const TYPE: &'static str = stringify!($noun);
                const WANTED: &'static str = concat!("one ", stringify!($noun));

                fn take(value: Dynamic) -> Result<Self> {
                    value.clone().try_cast::<Self>().ok_or_else(|| refused::<Self>(&value))
                }
            }

            impl Value for $noun {
                const TYPE: &'static str = stringify!($noun);

                fn give(self) -> Dynamic {
                    Dynamic::from(self)
                }
            }
        )*

        /// Makes the nouns known: their names, and how they print.
        pub(super) fn register(api: &mut Api) {
            $(
                api.engine.register_type_with_name::<$noun>(stringify!($noun));
                api.engine.register_fn("to_string", |noun: &mut $noun| noun.block().to_text().trim_end().to_string());
                api.engine.register_fn("to_debug", |noun: &mut $noun| noun.block().to_text().trim_end().to_string());
            )*
            api.engine.register_type_with_name::<Caught>("Error");
            api.engine.register_fn("to_string", |caught: &mut Caught| caught.to_string());
            api.engine.register_fn("to_debug", |caught: &mut Caught| caught.to_string());
            api.engine.register_get("message", |caught: &mut Caught| ImmutableString::from(caught.error.to_string()));
            api.engine.register_get("line", |caught: &mut Caught| match &caught.place {
                Some((_, line)) => Dynamic::from_int(*line as INT),
                None => Dynamic::UNIT,
            });
        }

        /// The name of a value's noun; none if it is not one.
        pub(super) fn name(value: &Dynamic) -> Option<&'static str> {
            $( if value.is::<$noun>() { return Some(stringify!($noun)); } )*
            None
        }

        /// A noun as blocks; none if the value is not one.
        pub(super) fn block(value: &Dynamic) -> Option<Block> {
            $( if let Some(noun) = value.read_lock::<$noun>() { return Some(noun.block()); } )*
            None
        }
    };
}

nouns! {
    Panel, Columns, Future, Audit, Finding, Tour, Table, Figure, Model, Fits, Forecast, Paths, Folds, Fold, Backtest, Tuning, Reconciliation, Report,
    Plan, Outcome, Block, Decision, Dashboard, Runs, Due, Retraining, Watching, Monitor,
    Monitored, Override, Overridden, ValueAdded,
    Demand, Lot, BackorderedLot, Requirements, LotPlan, Newsvendor, OrderUpTo, ContinuousReview, PeriodicReview, Service,
    ReorderCosts, ReorderPolicy, MinMax, MinMaxPolicy, PowerApproximation,
}
