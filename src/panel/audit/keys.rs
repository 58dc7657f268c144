//! Which keys look alike? `Berlin`, `berlin` and ` Berlin ` are one shop to people and three series to a program.

use std::collections::HashMap;

use polars::prelude::*;

use super::Found;
use crate::error::Result;
use crate::panel::Panel;

/// Every series whose key differs from an earlier one only by case or blanks.
pub(super) fn check(panel: &Panel) -> Result<Vec<Found>> {
    let keys = &panel.inner().keys;
    let mut plain = vec![String::new(); panel.len()];
    for column in keys.columns() {
        let texts = column.cast(&DataType::String)?;
        for (plain, text) in plain.iter_mut().zip(texts.str()?.iter()) {
            let words = text.unwrap_or_default().split_whitespace().map(str::to_lowercase);
            plain.push_str(&words.collect::<Vec<_>>().join(" "));
            plain.push('\0');
        }
    }
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let mut found = Vec::new();
    for (i, plain) in plain.iter().enumerate() {
        match seen.get(plain.as_str()) {
            None => {
                seen.insert(plain, i);
            }
            Some(first) => {
                let stamp = panel.positions(i).first().map(|position| panel.inner().calendar.label(*position));
                let value = format!("like {}", panel.label(*first));
                found.push(Found::new("similar keys", i, stamp.unwrap_or_default(), Some(value), 1));
            }
        }
    }
    Ok(found)
}
