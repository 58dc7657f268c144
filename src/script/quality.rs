//! The data's quality as a page and as pictures, and the target normalised.

use rhai::{Dynamic, Engine};

use super::{Answer, thrown};
use crate::panel::{Audit, Columns, Normalise, Panel};

pub(super) fn register(engine: &mut Engine) {
    engine.register_fn("normalise", |columns: Columns, kind: &str| -> Answer<Columns> {
        Ok(columns.normalise(Normalise::named(kind).map_err(thrown)?))
    });
    engine.register_fn("normalised", |panel: &mut Panel, kind: &str| {
        Normalise::named(kind).and_then(|kind| panel.normalised(kind)).map_err(thrown)
    });
    engine.register_fn("scales", |panel: &mut Panel| panel.scales().map_err(thrown));
    engine.register_fn("plot_quality", |panel: &mut Panel| panel.plot_quality().map_err(thrown));
    engine.register_fn("plot_repairs", |panel: &mut Panel| -> Answer<Dynamic> {
        Ok(panel.plot_repairs().map_err(thrown)?.map_or(Dynamic::UNIT, Dynamic::from))
    });
    engine.register_fn("report", |audit: &mut Audit| audit.report().map_err(thrown));
}
