//! Reports, plans, outcomes.

use rhai::{Array, Dynamic, Engine, Map};

use super::{Answer, noun, thrown};
use crate::evaluate::Backtest;
use crate::explore::Finding;
use crate::figures::Figure;
use crate::forecast::Forecast;
use crate::models::Fits;
use crate::options;
use crate::outcome::Outcome;
use crate::panel::{Audit, Panel};
use crate::plan::{Patch, Plan};
use crate::report::Report;
use crate::show::{Block, Table};

pub(super) fn register(engine: &mut Engine) {
    noun!(engine, Report);
    engine.register_fn("report", |title: &str| Report::new(title));
    engine.register_fn("subtitle", |report: Report, text: &str| report.subtitle(text));
    engine.register_fn("heading", |report: Report, text: &str| report.heading(text));
    engine.register_fn("text", |report: Report, text: &str| report.text(text));
    engine.register_fn("note", |report: Report, text: &str| report.note(text));
    macro_rules! add {
        ($($noun:ty),*) => { $( engine.register_fn("add", |report: Report, noun: $noun| report.add(&noun)); )* };
    }
    add!(Panel, Audit, Finding, Fits, Forecast, Backtest, Table);
    engine.register_fn("add", |report: Report, figure: Figure| report.add(Block::Figure(figure)));
    engine.register_fn("save", |report: &mut Report, path: &str| report.save(path).map(paths).map_err(thrown));
    engine.register_fn("save_slides", |report: &mut Report, path: &str| {
        report.save_slides(path).map(paths).map_err(thrown)
    });

    engine.register_type_with_name::<Plan>("Plan");
    engine.register_fn("read_plan", |path: &str| Plan::read(path).map_err(thrown));
    engine.register_fn("plan", |fields: Map| -> Answer<Plan> {
        let fields = super::models::options_of(fields)?;
        let patch: Patch = options::read("the plan", fields).map_err(thrown)?;
        Ok(patch.over(Plan::default()))
    });
    engine.register_fn("run", |plan: &mut Plan| plan.run().map_err(thrown));

    noun!(engine, Outcome);
    engine.register_get("panel", |outcome: &mut Outcome| outcome.panel());
    engine.register_get("audit", |outcome: &mut Outcome| outcome.audit());
    engine.register_get("findings", |outcome: &mut Outcome| {
        outcome.findings().into_iter().map(Dynamic::from).collect::<Array>()
    });
    engine.register_get("backtest", |outcome: &mut Outcome| outcome.backtest());
    engine.register_get("best", |outcome: &mut Outcome| outcome.best());
    engine.register_get("forecast", |outcome: &mut Outcome| outcome.forecast());
    engine.register_fn("report", |outcome: &mut Outcome| outcome.report().map_err(thrown));
}

fn paths(files: Vec<std::path::PathBuf>) -> Array {
    files.into_iter().map(|file| Dynamic::from(file.display().to_string())).collect()
}
