//! Which keys look alike? `Berlin`, `berlin` and ` Berlin ` are one shop to people and three series to a program.

use polars::prelude::*;

use super::Found;
use crate::error::Result;
use crate::panel::Panel;

/// Every series whose key is like a commoner one, with what differs: `like StockCode=85123A: letters of another case`.
pub(super) fn check(panel: &Panel) -> Result<Vec<Found>> {
    let keys = &panel.inner().keys;
    let mut likes: Vec<Vec<String>> = vec![Vec::new(); panel.len()];
    for (column, alike) in keys.columns().iter().zip(panel.alike_keys()?) {
        if alike.is_empty() {
            continue;
        }
        let texts = column.cast(&DataType::String)?;
        for (likes, text) in likes.iter_mut().zip(texts.str()?.iter()) {
            if let Some(like) = text.and_then(|text| alike.get(text)) {
                likes.push(format!("{}={}: {}", column.name(), like.kept, like.differs));
            }
        }
    }
    let found = likes.into_iter().enumerate().filter(|(_, likes)| !likes.is_empty()).map(|(i, likes)| {
        let stamp = panel.positions(i).first().map(|position| panel.inner().calendar.label(*position));
        Found::new("similar keys", i, stamp.unwrap_or_default(), Some(format!("like {}", likes.join("; like "))), 1)
    });
    Ok(found.collect())
}
