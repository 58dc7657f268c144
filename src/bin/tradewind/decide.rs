//! `tradewind decide`: what to do, given what comes.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;
use tradewind::outputs::Outputs;
use tradewind::plan::Group;
use tradewind::prelude::*;
use tradewind::together;

use crate::flags::{Flags, Heeds};
use crate::out::{Out, REPORT, SLIDES, save_report};

#[derive(Args)]
pub(crate) struct Command {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// How much to order of each item now, from its forecast distribution and the stock that there is. Of several models the one
    /// is taken whose orders cost least in simulated past reviews.
    Stock(Box<Decide<Stock>>),
    /// What the orders of each model would have cost in past reviews, and what share of demand they would have met.
    Simulate(Box<Decide<Stock>>),
    /// What if? Forecast and, with --stock, orders under scenarios such as "cheaper(column=Price, times=0.9); late(lead_time=1)".
    Scenarios(Box<Decide<Stock>>),
    /// How a marketing budget is best split over channels, from what each has brought.
    Budget(Box<Decide<Budget>>),
    /// The price of each item that is expected to earn most, under an elasticity that is not known exactly.
    Price(Box<Decide<Price>>),
    /// The path of prices that sells a stock by a date at the greatest expected revenue.
    Markdown(Box<Decide<Markdown>>),
    /// What a calendar of promotions is expected to earn, or the best one under a budget and rules.
    Promotion(Box<Decide<Promotion>>),
}

#[derive(Args)]
struct Decide<H: Heeds> {
    #[command(flatten)]
    flags: Flags<H>,
    /// File for the table: .csv, .parquet, .json or .xlsx; it is printed without one.
    #[arg(long, value_name = "FILE", help_heading = "Results")]
    out: Option<PathBuf>,
    /// Folder for a page and slides: report.md, report.html, slides.md, slides.html.
    #[arg(long, value_name = "FOLDER", help_heading = "Results")]
    page: Option<PathBuf>,
}

/// What each kind of decision heeds beside the data, the seed and what may be overwritten.
macro_rules! heeds {
    ($($(#[$doc:meta])* $kind:ident: $($group:ident),*;)*) => { $(
        $(#[$doc])*
        struct $kind;

        impl Heeds for $kind {
            const GROUPS: &'static [Group] = &[
                Group::Data,
                Group::Policy,
                Group::Shape,
                $(Group::$group,)*
                Group::Seed,
                Group::Overwrite,
            ];
        }
    )* };
}

heeds! {
    /// What orders need to know.
    Stock: Models, Horizon, Future, Stock, Spend;
    /// What the split of a marketing budget needs to know.
    Budget: Budget, Spend;
    /// What prices need to know.
    Price: Models, Horizon, Future, Price, Cost, Ladder, Limits;
    /// What a clearance needs to know.
    Markdown: Models, Horizon, Future, Price, Ladder, Markdown;
    /// What a calendar of promotions needs to know.
    Promotion: Models, Horizon, Future, Price, Cost, Promotion, Spend;
}

impl Command {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        match self.verb {
            Verb::Stock(stock) => stock.run(out, Plan::stock_policy, Plan::decide_stock),
            Verb::Simulate(stock) => stock.run(out, Plan::stock_policy, Plan::simulate_stock),
            Verb::Scenarios(stock) => stock.run(out, Plan::stock_policy, Plan::scenarios),
            Verb::Budget(budget) => budget.run(out, Plan::marketing_budget, Plan::decide_budget),
            Verb::Price(price) => price.run(out, Plan::price_policy, Plan::decide_price),
            Verb::Markdown(markdown) => markdown.run(out, Plan::markdown_policy, Plan::decide_markdown),
            Verb::Promotion(promotion) => promotion.run(out, Plan::promotion_policy, Plan::decide_promotion),
        }
    }
}

impl<H: Heeds> Decide<H> {
    fn run<T>(
        self,
        out: &Out,
        asked: impl Fn(&Plan) -> Result<T>,
        decide: impl Fn(&Plan) -> Result<Decision>,
    ) -> Result<()> {
        // What can be said of the flags alone is said before any data are read.
        let plan = self.flags.plan(out)?;
        asked(&plan)?;
        let mut outputs = Outputs::of(&plan);
        if let Some(file) = &self.out {
            Table::can_save(file)?;
            outputs = outputs.file(file)?;
        }
        if let Some(folder) = &self.page {
            outputs = outputs.folder(folder, &[REPORT, SLIDES].concat())?;
        }
        let decision = decide(&plan)?;
        if let Ok(forecast) = decision.forecast() {
            out.calendar(&forecast.panel(), &plan);
        }
        let undecided = decision.undecided()?;
        if let Some(file) = &self.out {
            decision.save(file)?;
            out.wrote(file);
        }
        if let Some(folder) = &self.page {
            let report = decision.report()?;
            out.wrote_all(together(|| save_report(&report, folder, folder))?);
        }
        drop(outputs);
        if undecided.rows() > 0 {
            let (series, reason) = (undecided.get(0, "series")?, undecided.get(0, "reason")?);
            eprintln!("{} without a decision (first: {series}: {reason})", undecided.rows());
        }
        let value = json!({
            "sentence": decision.sentence(),
            "table": decision.table()?.to_json()?,
            "undecided": undecided.rows(),
            "caveat": decision.caveat(),
        });
        match &self.out {
            Some(_) if !out.json => {
                out.say(&decision.sentence());
                if let Some(caveat) = decision.caveat() {
                    out.say(&caveat);
                }
                Ok(())
            }
            _ => out.result(&decision, value),
        }
    }
}
