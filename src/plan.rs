//! The whole run as data: what the command line, a TOML file, a web form and a Rhai map all fill in.
//!
//! Every field is declared once, below: its type, its default, its help. From that declaration come the [`Plan`], the
//! all-optional [`Patch`] that command-line flags, environment variables and files fill in, and its JSON schema. A flag
//! wins over the environment, the environment over the file, the file over the default.

mod audit;
mod decide;
mod kept;
mod project;
mod read;
mod report;

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

use crate::decide::{Belief, Lots, MarkdownPolicy, MarketingBudget, StockPolicy};
use crate::error::{Error, Result};
use crate::evaluate::{Backtest, Folds, Listener, Scored, Search, Tuning};
use crate::forecast::Forecast;
use crate::models::{Aim, Automatic, Fits, Model, SeasonalNaive};
use crate::monitor::Monitor;
use crate::options::{split, split_list};
use crate::panel::{
    Aggregate, Clean, Columns, Future, Join, Panel, Reading, Role, Scenario, Stamps, Stated, available_column, checked,
};
use crate::report::Paper;
use crate::show::{Block, Show, Table};
use crate::track::Told;

pub use report::{Audience, Format};

/// What stands for yes and no in the environment and after `--overwrite=`.
#[cfg(feature = "cli")]
fn switch(text: &str) -> Result<bool, String> {
    match text.to_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "on" | "1" => Ok(true),
        "false" | "f" | "no" | "n" | "off" | "0" | "" => Ok(false),
        _ => Err("it is true or false".into()),
    }
}

/// What a field of a [`Plan`] is about. A command has the flags of the groups that it heeds, and no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// The data, how they are read, and what their columns are.
    Data,
    /// How the data are cleaned.
    Policy,
    /// What is made of them after that: aggregated, joined with other files, given features.
    Shape,
    /// The models.
    Models,
    /// How far ahead, after which gap, under which scenario.
    Horizon,
    /// The known covariates of the future.
    Future,
    /// The interval levels.
    Levels,
    /// The levels of a hierarchy, and how their sums are reconciled.
    Reconcile,
    /// The windows of a backtest.
    Folds,
    /// The metric that ranks models.
    Metric,
    /// The search for a model's options.
    Search,
    /// The seed of what is drawn at random.
    Seed,
    /// Where runs are kept.
    Track,
    /// Where forecasts are kept that were given out, and who is told when they go wrong.
    Monitor,
    /// How a report is written: its title, its sections, for whom, in which currency.
    Report,
    /// How stock is replenished.
    Stock,
    /// What shares a marketing budget.
    Budget,
    /// What may be spent.
    Spend,
    /// Which column holds the price.
    Price,
    /// What a unit costs.
    Cost,
    /// Which prices are allowed, and what can be sold.
    Ladder,
    /// How far a price may change.
    Limits,
    /// How a stock is cleared.
    Markdown,
    /// What is promoted how, and the rules of a calendar.
    Promotion,
    /// How much of a stream is forecast at a time.
    Chunk,
    /// May other people's files be replaced?
    Overwrite,
}

impl Group {
    /// The heading of its flags in the help.
    pub fn heading(self) -> &'static str {
        match self {
            Self::Data => "Data",
            Self::Policy | Self::Shape => "Preparation",
            Self::Models | Self::Horizon | Self::Future | Self::Levels | Self::Reconcile | Self::Seed => "Forecast",
            Self::Folds | Self::Metric | Self::Search => "Evaluation",
            Self::Stock
            | Self::Budget
            | Self::Spend
            | Self::Price
            | Self::Cost
            | Self::Ladder
            | Self::Limits
            | Self::Markdown
            | Self::Promotion => "Decision",
            Self::Track | Self::Monitor | Self::Report | Self::Chunk | Self::Overwrite => "Results",
        }
    }
}

macro_rules! plan {
    (
        given { $(
            $(#[doc = $doc:expr])+
            #[env = $env:literal] #[of($group:ident)] $(#[takes($options:ty)])? $(#[flag($flag:ident)])?
            $name:ident: $type:ty = $default:expr,
        )* }
        optional { $(
            $(#[doc = $odoc:expr])+
            #[env = $oenv:literal] #[of($ogroup:ident)] $(#[takes($ooptions:ty)])?
            $oname:ident: $otype:ty,
        )* }
    ) => {
        /// The whole run as data.
        ///
        /// ```
        /// use tradewind::prelude::*;
        /// let plan = Plan::read_text(r#"
        ///     data = "data/walmart_sales_weekly.csv"
        ///     id = ["Store", "Dept"]
        ///     time = "Date"
        ///     target = "Weekly_Sales"
        ///     models = "seasonal_naive; theta"
        ///     folds = 2
        /// "#)?;
        /// assert_eq!(plan.backtest()?.models(), ["seasonal_naive", "theta"]);
        /// # Ok::<(), tradewind::Error>(())
        /// ```
        #[derive(Clone, PartialEq, Serialize)]
        pub struct Plan {
            $( $(#[doc = $doc])+ pub $name: $type, )*
            $( $(#[doc = $odoc])+ pub $oname: Option<$otype>, )*
        }

        /// Some fields of a [`Plan`]: what one source says, the rest left to the others.
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[cfg_attr(feature = "cli", derive(clap::Args))]
        #[serde(default, deny_unknown_fields)]
        pub struct Patch {
            $(
                $(#[doc = $doc])+
                #[cfg_attr(feature = "cli", arg(long, env = $env, hide_env = true, allow_negative_numbers = true))]
                $(#[cfg_attr(
                    feature = "cli",
                    arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = $flag)
                )])?
                pub $name: Option<$type>,
            )*
            $(
                $(#[doc = $odoc])+
                #[cfg_attr(feature = "cli", arg(long, env = $oenv, hide_env = true, allow_negative_numbers = true))]
                pub $oname: Option<$otype>,
            )*
        }

        impl Default for Plan {
            fn default() -> Self {
                Self { $( $name: $default, )* $( $oname: None, )* }
            }
        }

        impl Patch {
            /// The names of all fields.
            pub const FIELDS: &[&str] = &[$( stringify!($name), )* $( stringify!($oname), )*];

            /// What a field is about; none if there is no such field.
            pub fn group(field: &str) -> Option<Group> {
                match field {
                    $( stringify!($name) => Some(Group::$group), )*
                    $( stringify!($oname) => Some(Group::$ogroup), )*
                    _ => None,
                }
            }

            /// The options that a field takes, a row each; none if it takes no options.
            pub fn options(field: &str) -> Option<Table> {
                match field {
                    $( $( stringify!($name) => crate::options::table::<$options>().ok(), )? )*
                    $( $( stringify!($oname) => crate::options::table::<$ooptions>().ok(), )? )*
                    _ => None,
                }
            }

            /// This patch laid over a plan.
            #[must_use]
            pub fn over(self, base: Plan) -> Plan {
                Plan {
                    $( $name: self.$name.unwrap_or(base.$name), )*
                    $( $oname: self.$oname.or(base.$oname), )*
                }
            }

            /// This patch laid over another one.
            #[must_use]
            pub fn or(self, base: Patch) -> Patch {
                Patch {
                    $( $name: self.$name.or(base.$name), )*
                    $( $oname: self.$oname.or(base.$oname), )*
                }
            }

            /// What the flags of a command say, and the environment where they are silent; fields that the command does
            /// not take stay empty.
            #[cfg(feature = "cli")]
            pub fn of_flags(matches: &clap::ArgMatches) -> Patch {
                Patch {
                    $( $name: matches.try_get_one::<$type>(stringify!($name)).ok().flatten().cloned(), )*
                    $( $oname: matches.try_get_one::<$otype>(stringify!($oname)).ok().flatten().cloned(), )*
                }
            }
        }
    };
}

plan! {
    given {
        /// File, folder, pattern of files or database with the history: CSV, Parquet, Excel, NDJSON, SQLite, postgres://….
        #[env = "TRADEWIND_FILE"] #[of(Data)]
        data: PathBuf = PathBuf::new(),
        /// Key columns that name a series, separated by commas; "" for a single series.
        #[env = "TRADEWIND_ID"] #[of(Data)]
        id: List = List::default(),
        /// Time column; a date and a time of day in two columns are Date+Time.
        #[env = "TRADEWIND_TIME"] #[of(Data)]
        time: String = "ds".into(),
        /// Target column.
        #[env = "TRADEWIND_TARGET"] #[of(Data)]
        target: String = "y".into(),
        /// Covariates known in the future: promotions, prices, holidays.
        #[env = "TRADEWIND_KNOWN"] #[of(Data)]
        known: List = List::default(),
        /// Covariates seen only in the past: weather, footfall.
        #[env = "TRADEWIND_OBSERVED"] #[of(Data)]
        observed: List = List::default(),
        /// Attributes with one value per series: size, category.
        #[env = "TRADEWIND_FIXED"] #[of(Data)]
        fixed: List = List::default(),
        /// Format of the data, overriding what is detected: "delimiter=';', decimal=',', encoding=latin1, sheet=2024,
        /// per=D".
        #[env = "TRADEWIND_READING"] #[of(Data)] #[takes(Reading)]
        reading: String = String::new(),
        /// Cleaning policies, such as "off_calendar=nearest, duplicates=sum, gaps=fill, missing=linear"; nothing is changed
        /// without one. A backtest cleans each training set separately and scores against the recorded values.
        #[env = "TRADEWIND_POLICY"] #[of(Policy)] #[takes(Clean)]
        policy: String = String::new(),
        /// Files to join, each with its columns: `weather.csv(on=[Date, State], observed=[Temperature])`.
        #[env = "TRADEWIND_JOIN"] #[of(Shape)] #[takes(Join)]
        join: List = List::default(),
        /// Covariates to make, separated by semicolons: `month_end; holidays(country=US); lags(steps=[8, 52])`.
        #[env = "TRADEWIND_FEATURES"] #[of(Shape)]
        features: List = List::default(),
        /// Models, separated by semicolons: "seasonal_naive; theta(season=52)". By default auto, with the seasonal naive
        /// method as a benchmark; auto ignores known covariates whose future values are not given.
        #[env = "TRADEWIND_MODELS"] #[of(Models)]
        models: List = List::default(),
        /// Forecast horizon, in steps.
        #[env = "TRADEWIND_HORIZON"] #[of(Horizon)]
        horizon: usize = 8,
        /// Number of folds of a backtest.
        #[env = "TRADEWIND_FOLDS"] #[of(Folds)]
        folds: usize = 4,
        /// Steps between the end of the history and the first forecast step, for data that arrive late.
        #[env = "TRADEWIND_GAP"] #[of(Horizon)]
        gap: usize = 0,
        /// Interval levels between 0 and 1, separated by commas.
        #[env = "TRADEWIND_LEVELS"] #[of(Levels)]
        levels: List = List(vec!["0.8".into(), "0.95".into()]),
        /// What stands in for observed covariates in the future: climatology, last or given.
        #[env = "TRADEWIND_SCENARIO"] #[of(Horizon)]
        scenario: Scenario = Scenario::default(),
        /// Metric that ranks the models.
        #[env = "TRADEWIND_METRIC"] #[of(Metric)]
        metric: String = "mase".into(),
        /// Settings of the hyperparameter search, such as "trials=100, seconds=300, record=boost.jsonl".
        #[env = "TRADEWIND_SEARCH"] #[of(Search)] #[takes(Search)]
        search: String = String::new(),
        /// Lead time in steps: with 2, an order of today is on the shelf at the start of the third step.
        #[env = "TRADEWIND_LEAD_TIME"] #[of(Stock)]
        lead_time: usize = StockPolicy::default().lead_time,
        /// Review period: steps from one order to the next.
        #[env = "TRADEWIND_REVIEW"] #[of(Stock)]
        review: usize = StockPolicy::default().review,
        /// Demand that finds no stock is lost, as in a shop; the default.
        #[env = "TRADEWIND_LOST_SALES"] #[of(Stock)]
        #[flag(switch)]
        lost_sales: bool = false,
        /// Demand that finds no stock waits for the next delivery.
        #[env = "TRADEWIND_BACKORDERS"] #[of(Stock)]
        #[flag(switch)]
        backorders: bool = false,
        /// Standard deviation of the lead time, in steps.
        #[env = "TRADEWIND_LEAD_TIME_SD"] #[of(Stock)]
        lead_time_sd: f64 = 0.0,
        /// Service targets by class of item: "A=0.98, B=0.95, CZ=0.9"; ABC by share of sales, XYZ by how much they vary.
        #[env = "TRADEWIND_CLASSES"] #[of(Stock)]
        classes: String = String::new(),
        /// How much is ordered once an order is due: what is missing, multiples of a lot, or a lot on top of what is missing.
        #[env = "TRADEWIND_LOTS"] #[of(Stock)]
        lots: Lots = Lots::default(),
        /// What an order rests on: the forecast distribution, a normal distribution (the textbook's formula) or the point forecast.
        #[env = "TRADEWIND_BELIEF"] #[of(Stock)]
        belief: Belief = Belief::default(),
        /// Past reviews on which models and policies are simulated.
        #[env = "TRADEWIND_REVIEWS"] #[of(Stock)]
        reviews: usize = 13,
        /// What if? Scenarios, separated by semicolons: "cheaper(column=Price, times=0.9); late(lead_time=1)".
        #[env = "TRADEWIND_WHAT_IF"] #[of(Stock)]
        what_if: List = List::default(),
        /// Find the level of the service target that is cheapest in simulated past reviews, or that reached the target there.
        #[env = "TRADEWIND_CHOOSE_LEVEL"] #[of(Stock)]
        #[flag(switch)]
        choose_level: bool = false,
        /// Columns with the spend of each marketing channel, separated by commas.
        #[env = "TRADEWIND_CHANNELS"] #[of(Budget)]
        channels: List = List::default(),
        /// The least and the greatest spend per step of some channels: "tv=[0, 500], search=[50, 300]"; by default from nothing
        /// to the most that the data have tried.
        #[env = "TRADEWIND_BOUNDS"] #[of(Budget)]
        bounds: String = String::new(),
        /// What experiments have shown: files with the columns channel, spend, sales, error, or texts such as "tv(spend=12000,
        /// sales=30000, error=6000)".
        #[env = "TRADEWIND_LIFT"] #[of(Budget)]
        lift: List = List::default(),
        /// How the effect of channels is estimated, such as "memory=weibull, saturation=exponential, draws=500".
        #[env = "TRADEWIND_MIX"] #[of(Budget)] #[takes(MarketingBudget)]
        mix: String = String::new(),
        /// The target is turnover rather than a quantity.
        #[env = "TRADEWIND_TURNOVER"] #[of(Price)]
        #[flag(switch)]
        turnover: bool = false,
        /// Prices that are allowed, separated by commas; any by default.
        #[env = "TRADEWIND_PRICES"] #[of(Ladder)]
        prices: List = List::default(),
        /// Endings of the prices that are allowed, separated by commas: 0.99, 0.49.
        #[env = "TRADEWIND_ENDINGS"] #[of(Ladder)]
        endings: List = List::default(),
        /// Changes of the price at most, the first one now included; 0 for any number.
        #[env = "TRADEWIND_CHANGES"] #[of(Markdown)]
        changes: usize = MarkdownPolicy::default().changes,
        /// Prices may rise again.
        #[env = "TRADEWIND_RISES"] #[of(Markdown)]
        #[flag(switch)]
        rises: bool = false,
        /// Choose the best of the promotions of the calendar, instead of judging all of them.
        #[env = "TRADEWIND_CHOOSE"] #[of(Promotion)]
        #[flag(switch)]
        choose: bool = false,
        /// Steps of a promotion.
        #[env = "TRADEWIND_PROMOTION_LENGTH"] #[of(Promotion)]
        promotion_length: usize = 1,
        /// Share that a promotion takes off the price, such as 0.2.
        #[env = "TRADEWIND_DISCOUNT"] #[of(Promotion)]
        discount: f64 = 0.0,
        /// What a promotion costs besides the discount.
        #[env = "TRADEWIND_PROMOTION_COST"] #[of(Promotion)]
        promotion_cost: f64 = 0.0,
        /// Promotions of an item at most; 0 for any number.
        #[env = "TRADEWIND_MOST"] #[of(Promotion)]
        most: usize = 0,
        /// Items that are promoted at the same time at most; 0 for any number.
        #[env = "TRADEWIND_AT_ONCE"] #[of(Promotion)]
        at_once: usize = 0,
        /// Dates without a promotion, separated by commas.
        #[env = "TRADEWIND_BLOCKED"] #[of(Promotion)]
        blocked: List = List::default(),
        /// Random seed.
        #[env = "TRADEWIND_SEED"] #[of(Seed)]
        seed: u64 = 1,
        /// Title of report and slides.
        #[env = "TRADEWIND_TITLE"] #[of(Report)]
        title: String = "Sales forecast".into(),
        /// Whom the report is for: all, director, planner or analyst.
        #[env = "TRADEWIND_AUDIENCE"] #[of(Report)]
        audience: Audience = Audience::All,
        /// What the report is written as, separated by semicolons: md, html, pdf, slides (Markdown and HTML, and PDF if `pdf` is named
        /// too), pptx, dashboard.
        #[env = "TRADEWIND_FORMAT"] #[of(Report)]
        format: List = List::of(["md", "html", "slides"]),
        /// Paper of a PDF: A4 or letter.
        #[env = "TRADEWIND_PAPER"] #[of(Report)]
        paper: Paper = Paper::A4,
        /// Sections of the report in their order, separated by semicolons; by default those of its audience: answers, history,
        /// drivers, outlook, actions, accuracy, evidence, data, challenges, method, limits.
        #[env = "TRADEWIND_SECTIONS"] #[of(Report)]
        sections: List = List::default(),
        /// Replace files at the place of a result even if Tradewind did not write them; inputs are never replaced.
        #[env = "TRADEWIND_OVERWRITE"] #[of(Overwrite)]
        #[flag(switch)]
        overwrite: bool = false,
    }
    optional {
        /// Column that tells when the item could be sold: a flag, or the share of the step from 0 to 1; one that tells the
        /// contrary is `not Closed`.
        #[env = "TRADEWIND_AVAILABLE"] #[of(Data)]
        available: String,
        /// Frequency, inferred by default: h, D, Mon-Fri, `h Mon-Sat 8-18`, W-SUN, MS, QS, YS, 4-5-4 (retail months), 1.
        #[env = "TRADEWIND_FREQ"] #[of(Data)]
        freq: String,
        /// Season length in steps; by default that of the frequency.
        #[env = "TRADEWIND_SEASON"] #[of(Data)]
        season: usize,
        /// Do timestamps name the start or the end of their period? By default weeks, and months dated to their last day, are
        /// dated to their end, all other periods to their start.
        #[env = "TRADEWIND_STAMPS"] #[of(Data)]
        stamps: Stamps,
        /// Aggregation to a lower frequency or fewer keys, such as `freq=MS, keys=[Store], partial=drop`.
        #[env = "TRADEWIND_AGGREGATE"] #[of(Shape)] #[takes(Aggregate)]
        aggregate: String,
        /// Levels of a hierarchy, separated by semicolons, each with the columns that its sums have in common: "total; Store; Dept;
        /// Region, Dept". Keys and fixed columns; every series stays.
        #[env = "TRADEWIND_HIERARCHY"] #[of(Reconcile)]
        hierarchy: String,
        /// How the forecasts of a hierarchy are made to add up: bottom_up, top_down(proportions=average), middle_out(level=Store),
        /// ols, wls_struct, wls_var, mint_sample, mint_shrink (the default); auto chooses models by level and the method on folds; off
        /// leaves them as they are.
        #[env = "TRADEWIND_RECONCILE"] #[of(Reconcile)]
        reconcile: String,
        /// Date format, as in strftime: %d.%m.%Y; or what numbers count: excel, excel1904, unix, unix_ms.
        #[env = "TRADEWIND_TIME_FORMAT"] #[of(Data)]
        time_format: String,
        /// SQL query that returns the history, for a database.
        #[env = "TRADEWIND_QUERY"] #[of(Data)]
        query: String,
        /// Steps between the origins of folds; by default the horizon.
        #[env = "TRADEWIND_STEP"] #[of(Folds)]
        step: usize,
        /// Length of a sliding training window, in steps; by default all history is used.
        #[env = "TRADEWIND_WINDOW"] #[of(Folds)]
        window: usize,
        /// CSV or Parquet file with the known covariates of the future.
        #[env = "TRADEWIND_FUTURE"] #[of(Future)]
        future: PathBuf,
        /// File with the stock of each item: its keys, on_hand, in_transit_1 … (on the shelf at the start of the first … step), and
        /// optionally price, cost, holding, shortage, order_cost, pack, minimum, maximum, volume, shelf_life, lead_time, target.
        #[env = "TRADEWIND_STOCK"] #[of(Stock)]
        stock: PathBuf,
        /// Cost of holding a unit for a step.
        #[env = "TRADEWIND_HOLDING"] #[of(Stock)]
        holding: f64,
        /// Cost of a unit that is asked for and not there; for each step that it waits, with --backorders.
        #[env = "TRADEWIND_SHORTAGE"] #[of(Stock)]
        shortage: f64,
        /// Cost of placing an order of an item.
        #[env = "TRADEWIND_ORDER_COST"] #[of(Stock)]
        order_cost: f64,
        /// The lot of --lots fixed and minmax, in units; the economic order quantity if not given.
        #[env = "TRADEWIND_LOT"] #[of(Stock)]
        lot: f64,
        /// The most that all orders together may take of a space; needs `volume` of each item in the file with the stock.
        #[env = "TRADEWIND_SPACE"] #[of(Stock)]
        space: f64,
        /// Target: the probability that all demand is met until the next order arrives, such as 0.95.
        #[env = "TRADEWIND_CYCLE_SERVICE"] #[of(Stock)]
        cycle_service: f64,
        /// Target: the share of demand that is met from stock, such as 0.95.
        #[env = "TRADEWIND_FILL_RATE"] #[of(Stock)]
        fill_rate: f64,
        /// Target: steps of expected demand that stock and orders together cover, such as 3.5.
        #[env = "TRADEWIND_COVER"] #[of(Stock)]
        cover: f64,
        /// The most that may be spent: on all orders together (needs `cost` of each item in the file with the stock), on all
        /// promotions together, on marketing per step (by default what is spent now on average).
        #[env = "TRADEWIND_BUDGET"] #[of(Spend)]
        budget: f64,
        /// Column that holds the price; by default the only one that is named like a price.
        #[env = "TRADEWIND_PRICE_COLUMN"] #[of(Price)]
        price_column: String,
        /// Cost of a unit; a share of the price, where the target is turnover.
        #[env = "TRADEWIND_COST"] #[of(Cost)]
        cost: f64,
        /// Column that holds the cost of a unit.
        #[env = "TRADEWIND_COST_COLUMN"] #[of(Cost)]
        cost_column: String,
        /// File with what can be sold of each item: its keys, on_hand, and optionally cost, salvage, holding.
        #[env = "TRADEWIND_ON_HAND"] #[of(Ladder)]
        on_hand: PathBuf,
        /// Key or fixed column whose values react to prices differently: brand.
        #[env = "TRADEWIND_ELASTICITY_BY"] #[of(Ladder)]
        elasticity_by: String,
        /// No price is lower; by default none is lower than those that the history of the item has seen.
        #[env = "TRADEWIND_LOWEST_PRICE"] #[of(Ladder)]
        lowest_price: f64,
        /// No price is higher.
        #[env = "TRADEWIND_HIGHEST_PRICE"] #[of(Limits)]
        highest_price: f64,
        /// Largest change as a share of the present price, such as 0.1; by default prices stay within those that the history of
        /// the item has seen.
        #[env = "TRADEWIND_CHANGE"] #[of(Limits)]
        change: f64,
        /// Date by which the stock is to be sold; by default the end of the forecast.
        #[env = "TRADEWIND_UNTIL"] #[of(Markdown)]
        until: String,
        /// What a unit brings that is left then.
        #[env = "TRADEWIND_SALVAGE"] #[of(Markdown)]
        salvage: f64,
        /// Column that is on where an item was promoted.
        #[env = "TRADEWIND_PROMOTION"] #[of(Promotion)]
        promotion: String,
        /// File with promotions: the keys, start, and optionally length, discount and cost. Without one, the best calendar is
        /// chosen.
        #[env = "TRADEWIND_CALENDAR"] #[of(Promotion)]
        calendar: PathBuf,
        /// Price of a unit, if it is no column.
        #[env = "TRADEWIND_PRICE"] #[of(Promotion)]
        price: f64,
        /// Steps without a promotion between two of an item; by default as many as sales are borrowed from.
        #[env = "TRADEWIND_APART"] #[of(Promotion)]
        apart: usize,
        /// Key or fixed column: of the items with the same value one is promoted at a time.
        #[env = "TRADEWIND_ONE_PER"] #[of(Promotion)]
        one_per: String,
        /// Where runs are kept: a folder in MLflow's layout, or the address of an MLflow server; off keeps none. The commands run
        /// and tune keep theirs at MLFLOW_TRACKING_URI, else in mlruns, if nothing is stated.
        #[env = "TRADEWIND_TRACK"] #[of(Track)]
        track: String,
        /// Where forecasts are kept that were given out: an SQLite file, or the URL postgres://… of a server.
        #[env = "TRADEWIND_STORE"] #[of(Monitor)]
        store: String,
        /// File with the rules of alerts and their destinations: TOML.
        #[env = "TRADEWIND_ALERTS"] #[of(Monitor)]
        alerts: PathBuf,
        /// The experiment that runs belong to; by default the title of the plan.
        #[env = "TRADEWIND_EXPERIMENT"] #[of(Track)]
        experiment: String,
        /// File with fields that are laid over those of the plan, such as the params.yaml of DVC.
        #[env = "TRADEWIND_PARAMS"] #[of(Data)]
        params: PathBuf,
        /// Folder with templates of report and slides that take the place of ours: report.html, report.md, slides.html, slides.md.
        #[env = "TRADEWIND_TEMPLATES"] #[of(Report)]
        templates: PathBuf,
        /// Locale of the numbers of report, slides and dashboard: de, fr-CH, en-IN. Words stay English.
        #[env = "TRADEWIND_LOCALE"] #[of(Report)]
        locale: String,
        /// Names that readers see for columns, such as `Weekly_Sales=Sales, Dept=Department`.
        #[env = "TRADEWIND_NAMES"] #[of(Report)]
        names: String,
        /// Currency of the target, as it is written before an amount: $, EUR.
        #[env = "TRADEWIND_CURRENCY"] #[of(Report)]
        currency: String,
        /// Unit of the target, as it is written behind an amount: pieces, customers.
        #[env = "TRADEWIND_UNIT"] #[of(Report)]
        unit: String,
        /// Rows per chunk of a streamed forecast; 250,000 by default. Interval calibration (`auto`, `conformal`) and the
        /// pooled seasonality of siblings are estimated within a chunk.
        #[env = "TRADEWIND_CHUNK"] #[of(Chunk)]
        chunk: usize,
    }
}

/// The files that a plan reads.
pub(crate) struct Inputs {
    /// Those of the history.
    pub data: Vec<PathBuf>,
    /// Those that are joined or hold events or the future.
    pub beside: Vec<PathBuf>,
}

impl Plan {
    /// The TOML file that describes the plan, without fields at their default and those that are left out.
    fn toml(&self, left_out: &[&str]) -> String {
        let defaults = crate::options::fields(&Self::default()).unwrap_or_default();
        let fields = crate::options::fields(self).unwrap_or_default().into_iter();
        let stated = fields.filter(|(name, value)| !value.is_null() && defaults.get(name) != Some(value));
        let kept = stated.filter(|(name, _)| !left_out.contains(&name.as_str()));
        let table: toml::Table =
            kept.filter_map(|(name, value)| Some((name, toml::Value::try_from(value).ok()?))).collect();
        table.to_string()
    }
}

impl Show for Plan {
    /// The plan as the TOML file that describes it, defaults left out.
    fn block(&self) -> Block {
        let text = self.toml(&[]);
        let text = if text.is_empty() { "# every field at its default".into() } else { text };
        Block::Code { language: "toml".into(), text: text.trim_end().into() }
    }
}

crate::show::noun!(Plan);

/// Several names in one text: `a, b` or `theta(season=52); naive`; in TOML and JSON a list will do as well.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct List(Vec<String>);

impl JsonSchema for List {
    fn schema_name() -> Cow<'static, str> {
        "List".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Several names: a list, or one text that separates them by commas or semicolons",
            "type": ["array", "string", "number"],
            "items": {"type": ["string", "number"]}
        })
    }
}

impl List {
    fn of<const N: usize>(names: [&str; N]) -> Self {
        Self(names.map(String::from).to_vec())
    }

    /// The names.
    pub fn names(&self) -> Vec<&str> {
        self.0.iter().map(String::as_str).collect()
    }
}

impl FromStr for List {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Ok(Self(split_list(text).into_iter().map(String::from).collect()))
    }
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("; "))
    }
}

impl<'de> Deserialize<'de> for List {
    fn deserialize<D: Deserializer<'de>>(source: D) -> std::result::Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Number(f64),
            Text(String),
            List(Vec<Item>),
        }
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Item {
            Number(f64),
            Text(String),
        }
        Ok(match Form::deserialize(source)? {
            Form::Number(number) => Self(vec![number.to_string()]),
            Form::Text(text) => Self(split_list(&text).into_iter().map(String::from).collect()),
            Form::List(items) => Self(
                items
                    .into_iter()
                    .map(|item| match item {
                        Item::Number(number) => number.to_string(),
                        Item::Text(text) => text,
                    })
                    .collect(),
            ),
        })
    }
}

impl Patch {
    /// The same patch with the columns of its data that it does not state, as far as there is one sensible reading; and
    /// what was found out, in words, if anything. A file that [`Panel::save`] wrote knows its own columns; those of a
    /// query's answer have the names that it gives them, `ds` and `y` if no others are stated.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let patch = Patch { data: Some("data/walmart_sales_weekly.csv".into()), ..Patch::default() };
    /// let (patch, found) = patch.completed()?;
    /// assert_eq!(patch.over(Plan::default()).time, "Date");
    /// assert!(found.unwrap().starts_with("id: Store, Dept; time: Date"));
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Stated::guess`].
    pub fn completed(self) -> Result<(Patch, Option<String>)> {
        let stated = self.id.is_some() && self.time.is_some() && self.target.is_some();
        if stated { Ok((self, None)) } else { self.guessed(false) }
    }

    /// The same, with a role for every other column where none is stated, as exploring reads them:
    /// [`Guess::covariates`](crate::panel::Guess::covariates).
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let patch = Patch { data: Some("data/walmart_sales_weekly.csv".into()), ..Patch::default() };
    /// let plan = patch.explored()?.0.over(Plan::default());
    /// assert!(plan.known.names().contains(&"IsHoliday") && plan.observed.names().contains(&"Temperature"));
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Stated::guess`].
    pub fn explored(self) -> Result<(Patch, Option<String>)> {
        let silent = [&self.known, &self.observed, &self.fixed].iter().all(|role| role.is_none());
        if silent { self.guessed(true) } else { self.completed() }
    }

    fn guessed(self, roles: bool) -> Result<(Patch, Option<String>)> {
        let data = self.data.clone().unwrap_or_default();
        if data.as_os_str().is_empty() {
            return Ok((self, None));
        }
        let reading = self.clone().over(Plan::default()).reading()?;
        if reading.query.is_some() {
            // A query is asked once: its author gives the columns their names.
            let defaults = Plan::default();
            let unstated = [("time", &self.time, defaults.time), ("target", &self.target, defaults.target)];
            let names: Vec<String> = unstated
                .iter()
                .filter(|(_, stated, _)| stated.is_none())
                .map(|(role, _, name)| format!("{role}: {name}"))
                .collect();
            let flags = "--time, --target state the names of a query's columns";
            return Ok((self, (!names.is_empty()).then(|| format!("{}; {flags}", names.join("; ")))));
        }
        if let Some(saved) = Panel::saved_columns(&data) {
            // One that states nothing of its columns is opened as it was saved.
            let roles = [&self.known, &self.observed, &self.fixed];
            let texts = [&self.time, &self.target, &self.freq, &self.time_format, &self.available];
            let silent = self.id.is_none()
                && roles.iter().all(|role| role.is_none())
                && texts.iter().all(|text| text.is_none())
                && self.season.is_none()
                && self.stamps.is_none();
            let patch = match silent {
                true => self,
                false => Patch {
                    id: self.id.or_else(|| Some(List(saved.keys()))),
                    time: self.time.or_else(|| Some(saved.time().into())),
                    target: self.target.or_else(|| Some(saved.target().into())),
                    ..self
                },
            };
            return Ok((patch, None));
        }
        let covariates = [&self.known, &self.observed, &self.fixed].into_iter().flatten().flat_map(List::names);
        let stated = Stated {
            id: self.id.as_ref().map(|id| id.0.clone()),
            time: self.time.clone(),
            target: self.target.clone(),
            others: covariates
                .chain(self.available.as_deref().map(|stated| available_column(stated).0))
                .map(String::from)
                .collect(),
            time_format: self.time_format.clone(),
        };
        let mut guess = stated.guess(&data, &reading)?;
        let mut patch = self;
        if roles {
            let of = |role: Role| {
                let names = guess.covariates.iter().filter(|(_, of)| *of == role).map(|(name, _)| name.clone());
                Some(List(names.collect())).filter(|list: &List| !list.0.is_empty())
            };
            (patch.known, patch.observed, patch.fixed) = (of(Role::Known), of(Role::Observed), of(Role::Fixed));
            for (role, list) in [("known", &patch.known), ("observed", &patch.observed), ("fixed", &patch.fixed)] {
                if let Some(list) = list {
                    guess.found.push(format!("{role}: {}", list.0.join(", ")));
                }
            }
            guess.flags.extend(["--known", "--observed", "--fixed"]);
        }
        let found = guess.sentence();
        Ok((Patch { id: Some(List(guess.id)), time: Some(guess.time), target: Some(guess.target), ..patch }, found))
    }
}

impl Plan {
    /// The plan that a TOML text describes, defaults elsewhere.
    ///
    /// # Errors
    /// As [`Patch::read_text`].
    pub fn read_text(text: &str) -> Result<Self> {
        Ok(Patch::read_text(text)?.over(Self::default()))
    }

    /// The plan that a TOML or YAML file describes, defaults elsewhere.
    ///
    /// # Errors
    /// As [`Patch::read`].
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        Ok(Patch::read(path)?.over(Self::default()))
    }

    /// The JSON schema of a plan file.
    pub fn schema() -> String {
        serde_json::to_string_pretty(&schemars::schema_for!(Patch)).unwrap_or_default()
    }

    /// The declared columns.
    ///
    /// # Errors
    /// When the frequency is unknown.
    pub fn columns(&self) -> Result<Columns> {
        let mut columns = Columns::new(self.id.names(), &self.time, &self.target)
            .known(self.known.names())
            .observed(self.observed.names())
            .fixed(self.fixed.names());
        if let Some(available) = self.available.as_deref().filter(|name| !name.is_empty()) {
            columns = columns.available(available);
        }
        if let Some(freq) = &self.freq {
            columns = columns.freq(freq)?;
        }
        if let Some(season) = self.season {
            columns = columns.season(season);
        }
        if let Some(format) = &self.time_format {
            columns = columns.time_format(format);
        }
        if let Some(stamps) = self.stamps {
            columns = columns.stamps(stamps);
        }
        Ok(columns)
    }

    /// How the data are to be read.
    ///
    /// # Errors
    /// When an option of it is unknown.
    pub fn reading(&self) -> Result<Reading> {
        let reading = Reading::parse(&self.reading)?;
        Ok(Reading { query: self.query.clone().or(reading.query), ..reading })
    }

    /// The data as they are. A file that [`Panel::save`] wrote knows its own columns if none are stated.
    ///
    /// # Errors
    /// As [`Panel::read`].
    pub fn read_panel(&self) -> Result<Panel> {
        self.check_source()?;
        let columns = self.columns()?;
        if columns == Self::default().columns()? && Panel::is_saved(&self.data) {
            return Panel::open(&self.data);
        }
        Panel::read_as(&self.data, columns, &self.reading()?)
    }

    /// The files that this plan reads, as far as they are there: data, joined files, events, the future. A folder or pattern
    /// of data is known to the job as such from here on.
    pub(crate) fn inputs(&self) -> Inputs {
        // What is not there is told by whoever reads it.
        let asked = |reading: Reading| reading.query.is_some();
        let data = match self.data.as_os_str().is_empty() || self.reading().is_ok_and(asked) {
            true => vec![self.data.clone()],
            false => Panel::files(&self.data).unwrap_or_default(),
        };
        let mut beside: Vec<PathBuf> = Vec::new();
        let joined = self.joins().unwrap_or_default().into_iter().map(|(file, _)| PathBuf::from(file));
        let read = crate::panel::files_of(&self.features.names());
        let tests = MarketingBudget::files(&self.lift.names()).into_iter().map(PathBuf::from);
        for place in joined
            .chain(read)
            .chain(self.future.clone())
            .chain(self.stock.clone())
            .chain(self.on_hand.clone())
            .chain(self.calendar.clone())
            .chain(tests)
        {
            beside.extend(Panel::files(&place).unwrap_or_default());
        }
        Inputs { data, beside }
    }

    /// The file that a search is recorded in.
    pub(crate) fn record(&self) -> Option<PathBuf> {
        self.searching().ok()?.record.map(PathBuf::from)
    }

    /// Are any data named?
    pub(crate) fn check_source(&self) -> Result<()> {
        match self.data.as_os_str().is_empty() {
            true => Err(Error::usage("no data are named; say which file: the first argument, or --data FILE")),
            false => Ok(()),
        }
    }

    /// The data, mended by the stated policies, aggregated, with the sums of a hierarchy, joined with other files and given their
    /// features, in this order.
    ///
    /// # Errors
    /// As [`Panel::read`], [`Panel::clean`], [`Panel::aggregate`], [`Panel::join`] and [`Panel::features`].
    pub fn panel(&self) -> Result<Panel> {
        self.prepared(self.read_panel()?)
    }

    /// Data as they were read, mended, aggregated, joined and given their features.
    pub(crate) fn prepared(&self, mut panel: Panel) -> Result<Panel> {
        let policy = Clean::parse(&self.policy)?;
        if !self.policy.trim().is_empty() {
            panel = panel.clean(&policy)?;
        }
        if let Some(how) = &self.aggregate {
            panel = panel.aggregate(&Aggregate::parse(how)?)?;
        }
        if let Some(levels) = &self.hierarchy {
            panel = panel.hierarchy(levels)?;
        }
        for (file, join) in self.joins()? {
            panel = panel.join(file, &join)?;
        }
        panel.features(self.features.names())
    }

    /// The files to join, and what to take of each.
    fn joins(&self) -> Result<Vec<(&str, Join)>> {
        let join = |label| {
            let (file, given) = split(label)?;
            Ok((file, crate::options::read("join", given)?))
        };
        self.join.names().into_iter().map(join).collect()
    }

    /// The models: those stated, else `seasonal_naive` and `auto`.
    ///
    /// # Errors
    /// When a label does not name one.
    pub fn models(&self) -> Result<Vec<Model>> {
        self.models_given(self.known.names().is_empty() || self.future.is_some())
    }

    /// The models: those stated, else the default ones, which read covariates where their future is given.
    fn models_given(&self, regressors: bool) -> Result<Vec<Model>> {
        if !self.models.names().is_empty() {
            return Model::list(&self.models.to_string());
        }
        let automatic = Automatic { regressors, ..Automatic::default() };
        Ok(vec![SeasonalNaive::default().into(), automatic.into()])
    }

    /// The rolling-origin plan.
    pub fn folds(&self) -> Folds {
        let folds = Folds::new(self.folds, self.horizon).gap(self.gap).scenario(self.scenario);
        let folds = self.step.into_iter().fold(folds, Folds::step);
        self.window.into_iter().fold(folds, Folds::sliding)
    }

    /// The interval levels.
    ///
    /// # Errors
    /// When one is not a number between 0 and 1.
    pub fn levels(&self) -> Result<Vec<f64>> {
        let level = |text: &str| {
            let number = text.parse().map_err(|_| Error::usage(format!("level `{text}` is not a number")))?;
            crate::options::level(number)
        };
        self.levels.names().into_iter().map(level).collect()
    }

    /// Checks what can be checked without the data, so that a typing error is found before a long fit.
    ///
    /// # Errors
    /// When a model, metric, policy or frequency is unknown, a level does not lie between 0 and 1, or the horizon is zero.
    pub fn check(&self) -> Result<()> {
        self.models()?;
        self.levels()?;
        self.columns()?;
        self.reading()?;
        Clean::parse(&self.policy)?;
        self.aggregate.iter().try_for_each(|how| Aggregate::parse(how).map(|_| ()))?;
        self.joins()?;
        checked(self.features.names())?;
        self.reconciling()?;
        crate::metrics::METRICS.named(&self.metric)?;
        self.blank_report()?;
        self.formats()?;
        self.templates.iter().try_for_each(|folder| crate::report::check_templates(folder))?;
        self.searching()?;
        if self.horizon == 0 {
            return Err(Error::usage("a horizon is at least 1 step, not 0"));
        }
        Ok(())
    }

    /// Every model on every fold.
    ///
    /// # Errors
    /// As [`Panel::backtest`].
    pub fn backtest(&self) -> Result<Backtest> {
        self.check()?;
        // What is known ahead is known on every fold.
        self.backtest_of(&self.panel()?, self.models_given(true)?)
    }

    /// Models on every fold of a panel; of a hierarchy also reconciled.
    pub(crate) fn backtest_of(&self, panel: &Panel, models: Vec<Model>) -> Result<Backtest> {
        let trial = panel.backtest_at(models, self.folds(), self.levels()?)?;
        match self.reconciling()? {
            None => Ok(trial),
            Some("auto") => trial.reconcile_as(&trial.reconciliation()?),
            Some(method) => trial.reconcile([method]),
        }
    }

    /// How the forecasts of a hierarchy are reconciled; none where they are not.
    fn reconciling(&self) -> Result<Option<&str>> {
        match (self.hierarchy.as_deref(), self.reconcile.as_deref().map(str::trim)) {
            (_, None | Some("off")) if self.hierarchy.is_none() => Ok(None),
            (None, Some(method)) => Err(Error::usage(format!(
                "reconcile = {method} needs the levels of a hierarchy; state them: --hierarchy \"total; {}\"",
                self.id.names().first().unwrap_or(&"Store")
            ))),
            (_, Some("off")) => Ok(None),
            (_, Some("auto")) => Ok(Some("auto")),
            (_, method) => {
                let method = method.unwrap_or("mint_shrink");
                crate::reconcile::RECONCILIATIONS.check(method)?;
                Ok(Some(method))
            }
        }
    }

    /// How options are searched: by this plan's metric and seed, if the search names no others.
    pub(crate) fn searching(&self) -> Result<Search> {
        let stated = crate::options::parse(&self.search)?;
        let mut search = crate::options::spelled::<Search>("the search", stated)?;
        search.entry("metric").or_insert_with(|| self.metric.as_str().into());
        search.entry("seed").or_insert_with(|| self.seed.into());
        crate::options::read("the search", search)
    }

    /// Options of the one model that the plan names, tried on its folds.
    ///
    /// # Errors
    /// When the plan does not name exactly one model; as [`Panel::tune`].
    pub fn tune(&self) -> Result<Tuning> {
        self.check()?;
        let model = match self.models()?.as_slice() {
            [model] => model.clone(),
            models => {
                return Err(Error::usage(format!(
                    "one model is tuned at a time, not {}: name it, such as --models boost",
                    models.len()
                )));
            }
        };
        let panel = self.panel()?;
        let Some(runs) = self.runs()? else { return panel.tune(model, self.folds(), self.searching()?) };
        let name = format!("tune {}", model.label());
        let trials = Arc::new(runs.trials(self.told(&panel, name)?)?);
        let listener = Arc::clone(&trials);
        let search = self.searching()?;
        let alone = search.by == Search::default().by;
        let told: Listener = Arc::new(move |Scored { group, trial, model, fold, seconds, score }: &Scored| {
            let name = if alone { format!("trial {trial}") } else { format!("{group}: trial {trial}") };
            listener.scored(&name, model, *fold, *seconds, *score);
        });
        let tuning = panel.tune_told(&model, self.folds(), search, Some(told));
        let mut end = Told::default();
        let tuning = match tuning {
            Ok(tuning) => tuning,
            Err(error) => {
                end.failed = Some(error.clone());
                // What the search failed by is told, not what its run did.
                Arc::into_inner(trials).map(|trials| trials.finish(end)).transpose().ok();
                return Err(error);
            }
        };
        for group in tuning.groups() {
            let name = if tuning.groups().len() == 1 { "best".to_string() } else { format!("best of {group}") };
            end.params.push((name, tuning.best_of(&group)?));
        }
        match Arc::into_inner(trials) {
            Some(trials) => trials.finish(end).map(|_| tuning),
            None => Ok(tuning),
        }
    }

    /// The monitor of the plan's store; none where it names no store.
    ///
    /// # Errors
    /// As [`Monitor::open`].
    pub fn monitor(&self) -> Result<Option<Monitor>> {
        self.store.as_deref().map(|store| Monitor::open(store, self.alerts.as_deref())).transpose()
    }

    /// The forecast of every model.
    ///
    /// # Errors
    /// As [`Panel::fit`](crate::panel::Panel::fit) and [`Fits::forecast`](crate::models::Fits::forecast).
    pub fn forecast(&self) -> Result<Forecast> {
        self.check()?;
        let panel = self.panel()?;
        self.forecast_of(&self.fits_of(&panel, &self.models()?)?)
    }

    /// Models fitted to a panel for this plan's horizon, gap and scenario: the one way of backtest, forecast, report and run.
    ///
    /// # Errors
    /// As [`Panel::fit_for`](crate::panel::Panel::fit_for).
    pub fn fits_of(&self, panel: &Panel, models: &[Model]) -> Result<Fits> {
        panel.fit_aimed(models, Aim::new(self.folds().reach(), self.scenario))
    }

    /// The steps that this plan forecasts of a panel, after its gap, with what its scenario assumes of them.
    pub(crate) fn future_of(&self, panel: &Panel) -> Result<Future> {
        panel.future_after(self.gap, self.horizon, self.scenario)
    }

    /// The forecast of fits, over this plan's horizon, future and levels.
    ///
    /// # Errors
    /// As [`Fits::forecast`](crate::models::Fits::forecast).
    pub fn forecast_of(&self, fits: &Fits) -> Result<Forecast> {
        let future = self.future_of(&fits.panel())?;
        let future = match &self.future {
            Some(path) => future.given_file(path)?,
            None => future,
        };
        let forecast = fits.forecast(future)?;
        let forecast = match self.reconciling()? {
            None => forecast,
            Some("auto") => {
                // The folds of the models that were fitted: what they say of levels and methods holds for these.
                let models = fits.models().iter().map(|label| Model::named(label)).collect::<Result<_>>()?;
                let leaves = Self { reconcile: Some("off".into()), ..self.clone() };
                let chosen = leaves.backtest_of(&fits.panel(), models)?.reconciliation()?;
                crate::progress::say(&chosen.sentence());
                crate::progress::remark("reconciliation", chosen.caveat().iter());
                forecast.reconcile_as(&chosen)?
            }
            Some(method) => forecast.reconcile(method)?,
        };
        forecast.levels(self.levels()?)
    }
}
