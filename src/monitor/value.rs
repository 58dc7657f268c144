//! What have planners added to the forecasts that were released? The tables and words of the crate `tradewind-monitor`'s answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use polars::prelude::{Column, DataFrame};
use tradewind_monitor::overrides::{Accuracy, Band, Direction, Gain, Ladder, Options};

use super::enabled::Monitor;
use super::planners::{Added, ValueAdded};
use crate::error::{Error, Result};
use crate::show::words::{counted, listed};
use crate::show::{Table, number};

/// Changes of a planner of whom it is said that they help or do harm.
const ENOUGH: usize = 10;

impl Monitor {
    /// What planners have added to the forecasts that were [released](Self::release), over the newest 52 dates with sales: the
    /// ladder naive → statistical → override → released, and by planner, class of products, direction and size.
    ///
    /// # Errors
    /// When nothing that was released has met its sales, or the store cannot be read.
    pub fn value_added(&self) -> Result<ValueAdded> {
        let history = self.held().history()?;
        if history.rows().is_empty() {
            return Err(Error::usage(
                "no forecast that was released with overrides has met its sales yet; release forecasts, and take in what was sold",
            ));
        }
        let options = Options::default();
        let value = history.value(&options)?;
        let has_money = history.rows().iter().any(|row| row.over > 0.0 || row.under > 0.0);
        let planned = |ladders: Vec<(String, Ladder)>, name| groups(name, ladders, has_money);
        let named = |ladders: &BTreeMap<String, Ladder>| ladders.clone().into_iter().collect();
        let sizes = value.sizes.iter().map(|((direction, band), ladder)| (size(*direction, *band), ladder.clone()));
        let added = Added {
            sentence: told(&value.all, &value.planners),
            ladder: ladder(&value.all, history.has_naive(), has_money)?,
            planners: planned(named(&value.planners), "planner")?,
            classes: planned(named(&value.classes), "class")?,
            sizes: planned(sizes.collect(), "override")?,
        };
        Ok(ValueAdded(Arc::new(added)))
    }
}

fn ladder(all: &Ladder, has_naive: bool, has_money: bool) -> Result<Table> {
    let none = (Gain::default(), Gain::default());
    let rungs = [
        ("naive", has_naive.then_some(all.naive), None),
        ("statistical", Some(all.statistical), has_naive.then_some((all.units.statistical, all.money.statistical))),
        ("override", Some(all.planned), Some((all.units.planned, all.money.planned))),
        ("released", Some(all.released), Some((all.units.released, all.money.released))),
    ];
    let score = |of: fn(&Accuracy) -> Option<f64>| {
        rungs.iter().map(|(_, accuracy, _)| accuracy.as_ref().and_then(of)).collect::<Vec<_>>()
    };
    let mut columns = vec![
        Column::new("forecast".into(), rungs.iter().map(|(name, ..)| *name).collect::<Vec<_>>()),
        Column::new("wape".into(), score(|accuracy| accuracy.wape)),
        Column::new("bias".into(), score(|accuracy| accuracy.bias)),
        Column::new("mase".into(), score(|accuracy| accuracy.mase)),
    ];
    if has_money {
        columns.push(Column::new("cost".into(), score(|accuracy| Some(accuracy.cost))));
    }
    let gains: Vec<(Gain, Gain)> = rungs.iter().map(|(_, _, gains)| gains.unwrap_or(none)).collect();
    columns.extend(gained("", gains.iter().map(|(units, _)| units)));
    if has_money {
        columns.extend(gained("money ", gains.iter().map(|(_, money)| money)));
    }
    Ok(Table::new(DataFrame::new(rungs.len(), columns)?))
}

/// What was added, with its interval; nothing where nothing was changed.
fn gained<'a>(name: &str, gains: impl Iterator<Item = &'a Gain>) -> [Column; 3] {
    let gains: Vec<&Gain> = gains.collect();
    let real = |of: &dyn Fn(&Gain) -> Option<f64>| {
        gains.iter().map(|gain| (gain.changed > 0).then(|| of(gain)).flatten()).collect::<Vec<_>>()
    };
    [
        Column::new(format!("{name}added").into(), real(&|gain| Some(gain.total))),
        Column::new(format!("{name}low").into(), real(&|gain| gain.interval.map(|interval| interval.0))),
        Column::new(format!("{name}high").into(), real(&|gain| gain.interval.map(|interval| interval.1))),
    ]
}

fn groups(name: &str, ladders: Vec<(String, Ladder)>, has_money: bool) -> Result<Table> {
    let of = |value: &dyn Fn(&Ladder) -> Option<f64>| ladders.iter().map(|(_, one)| value(one)).collect::<Vec<_>>();
    let count = |value: &dyn Fn(&Ladder) -> usize| ladders.iter().map(|(_, one)| value(one) as u64).collect::<Vec<_>>();
    let mut columns = vec![
        Column::new(name.into(), ladders.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>()),
        Column::new("forecasts".into(), count(&|one| one.rows)),
        Column::new("changed".into(), count(&|one| one.units.planned.changed)),
        Column::new("wape before".into(), of(&|one| one.statistical.wape)),
        Column::new("wape after".into(), of(&|one| one.planned.wape)),
    ];
    columns.extend(gained("", ladders.iter().map(|(_, one)| &one.units.planned)));
    if has_money {
        columns.extend(gained("money ", ladders.iter().map(|(_, one)| &one.money.planned)));
    }
    Ok(Table::new(DataFrame::new(ladders.len(), columns)?))
}

fn size(direction: Direction, band: Band) -> String {
    let direction = match direction {
        Direction::Down => "down",
        Direction::Up => "up",
    };
    let band = match band {
        Band::Small => "small",
        Band::Medium => "medium",
        Band::Large => "large",
    };
    format!("{direction}, {band}")
}

fn told(all: &Ladder, planners: &BTreeMap<String, Ladder>) -> String {
    let gain = all.units.planned;
    let changed = format!("Planners changed {} of {}", gain.changed, counted(all.rows, "forecast", "forecasts"));
    if gain.changed == 0 {
        return format!("{changed}.");
    }
    let interval = gain.interval.map_or_else(
        || "no interval with a single date".to_string(),
        |(low, high)| format!("90 % interval {} to {}", number(low), number(high)),
    );
    let mut sentence = format!("{changed}: value added {} units, {interval}.", number(gain.total));
    let surely = |better: bool| {
        let sure = planners
            .iter()
            .map(|(name, one)| (name, one.units.planned))
            .filter(|(_, gain)| gain.changed >= ENOUGH && gain.is_sure() && (gain.total > 0.0) == better);
        sure.map(|(name, _)| name.as_str()).collect::<Vec<_>>()
    };
    for (better, words) in [(true, "makes it surely better"), (false, "makes it surely worse")] {
        let names = surely(better);
        if !names.is_empty() {
            let words = if names.len() == 1 { words.to_string() } else { words.replace("makes", "make") };
            sentence.push_str(&format!(" {} {words}.", listed(&names, 5)));
        }
    }
    sentence
}
