//! `tradewind models`, `questions`, `metrics`, `features`: what can be asked for by name.

use clap::Args;
use serde_json::json;
use tradewind::prelude::*;

use crate::out::Out;

#[derive(Args)]
pub(crate) struct Command {
    /// Describe this one; without a name, all are listed.
    name: Option<String>,
}

impl Command {
    pub(crate) fn run<T>(self, out: &Out, registry: Registry<T>) -> Result<()> {
        let Some(label) = self.name else {
            let list = registry.list()?;
            return out.result(&list, list.to_json()?);
        };
        describe(out, registry, &label)
    }
}

/// Describes what a label names.
pub(crate) fn describe<T>(out: &Out, registry: Registry<T>, label: &str) -> Result<()> {
    // A name alone may need options that its description tells of.
    let label = if label.contains('(') { registry.check(label)? } else { registry.named(label)?.name.to_string() };
    let row = registry.named(label.split('(').next().unwrap_or_default())?;
    let options = row.options()?.to_json()?;
    out.result(row, json!({(registry.kind()): label, "also": row.also, "similar": row.similar, "options": options}))
}
