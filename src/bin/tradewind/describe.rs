//! `tradewind describe`: what are the data? Series, dates, frequency, columns and their roles, demand classes, first
//! rows.

use clap::Args;
use serde_json::json;
use tradewind::plan::Group;
use tradewind::prelude::*;

use crate::flags::{Flags, Heeds};
use crate::out::{Out, finding_as_json, told};

#[derive(Args)]
pub(crate) struct Command {
    #[command(flatten)]
    flags: Flags<Self>,
    /// Rows of the data to show.
    #[arg(long, value_name = "N", default_value_t = 5, help_heading = "Results")]
    rows: usize,
}

impl Heeds for Command {
    const GROUPS: &'static [Group] = &[Group::Data, Group::Policy, Group::Shape];
}

impl Command {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        let plan = self.flags.plan(out)?;
        let panel = plan.panel()?;
        let columns = panel.described_columns()?;
        let (series, rows) = (panel.summary()?, Table::new(panel.to_frame()).cut(self.rows));
        let demand = panel.explore("demand").ok();
        let (first, last) = panel.span();
        let value = json!({
            "series": panel.len(),
            "rows": panel.rows(),
            "first": first,
            "last": last,
            "frequency": panel.frequency().to_string(),
            "season": panel.season(),
            "columns": columns.to_json()?,
            "summary": series.to_json()?,
            "demand": demand.as_ref().map(finding_as_json).transpose()?,
            "head": rows.to_json()?,
            "read": panel.remarks(),
        });
        let mut blocks = vec![panel.block(), Block::Table(columns)];
        blocks.extend(demand.iter().flat_map(told));
        blocks.push(Block::Table(rows.titled("The first rows")));
        out.result(&Block::Group(blocks), value)
    }
}
