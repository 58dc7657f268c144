//! `tradewind retrain` and `rollback`: who forecasts?

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use tradewind::plan::Group;
use tradewind::prelude::*;

use crate::flags::{Flags, Heeds};
use crate::out::Out;

/// What a plan of an operated forecast heeds.
pub(crate) const OPERATED: &[Group] = &[
    Group::Data,
    Group::Policy,
    Group::Shape,
    Group::Models,
    Group::Horizon,
    Group::Future,
    Group::Levels,
    Group::Folds,
    Group::Metric,
    Group::Search,
    Group::Seed,
    Group::Track,
    Group::Monitor,
];

#[derive(Args)]
pub(crate) struct Retrain {
    #[command(flatten)]
    flags: Flags<Self>,
    /// Only where it is due: `alert` (one goes on that began after the champion was made), the age of the champion (28d, 4w, 12h), or
    /// either: "alert, 28d".
    #[arg(long = "if", value_name = "WHEN", help_heading = "Evaluation")]
    when: Option<String>,
}

impl Heeds for Retrain {
    const GROUPS: &'static [Group] = OPERATED;
}

impl Retrain {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        let plan = self.flags.plan(out)?.tracked();
        let runs = runs_of(&plan)?;
        if let Some(when) = &self.when {
            let due = plan.is_due(&runs, when)?;
            if !due.is_due() {
                return out.result(&due, json!({"due": false, "sentence": due.sentence()}));
            }
            out.say(&due.sentence());
        }
        let done = plan.retrain(&runs)?;
        let value = json!({
            "model": done.model(), "version": done.version(), "promoted": done.promoted(), "sentence": done.sentence(),
            "comparison": done.comparison().map(|finding| finding.table().to_json()).transpose()?,
            "leaderboard": done.leaderboard().to_json()?,
        });
        out.result(&done, value)
    }
}

/// Where the runs of a plan are, which has to be somewhere.
pub(crate) fn runs_of(plan: &Plan) -> Result<Runs> {
    plan.runs()?
        .ok_or_else(|| Error::usage("champions are kept among the runs, and --track is off: name a folder or a server"))
}

#[derive(Args)]
pub(crate) struct Rollback {
    /// Plan file whose model goes back to its former version.
    plan: PathBuf,
    /// Where runs are kept; by default where the plan says, else MLFLOW_TRACKING_URI, else mlruns.
    #[arg(long, value_name = "PLACE", env = "TRADEWIND_TRACK", hide_env = true)]
    track: Option<String>,
}

impl Rollback {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        let plan = Plan::read(self.plan)?;
        let plan = Plan { track: self.track.or(plan.track.clone()), ..plan }.tracked();
        let (name, version) = (plan.model_name(), runs_of(&plan)?.rollback(&plan.model_name())?);
        let said = format!("{name}: version {version} forecasts again.");
        out.result(&Block::Text(said.clone()), json!({"model": name, "version": version, "sentence": said}))
    }
}
