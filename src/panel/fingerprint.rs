//! Which data is this? One word that is the same for the same data and roles, on any machine.

use polars::prelude::*;

use super::{Columns, Panel};

impl Panel {
    /// The columns with frequency and season as they were found where they were not declared.
    pub(crate) fn settled_columns(&self) -> Columns {
        Columns { frequency: Some(self.frequency()), season: Some(self.season()), ..self.columns() }
    }

    /// A fingerprint of the data, 32 hexadecimal digits: a BLAKE3 hash of names, roles and values, in order. The same
    /// rows in another order, or from another kind of file, make the same panel and have the same fingerprint.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales");
    /// let sales = Panel::read("data/walmart_sales_weekly.csv", columns)?;
    /// assert_eq!(sales.fingerprint(), sales.clone().fingerprint());
    /// assert!(sales.fingerprint() != sales.before("2012-10-26")?.fingerprint());
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    pub fn fingerprint(&self) -> String {
        let mut hash = blake3::Hasher::new();
        let mut word = |bytes: &[u8]| {
            hash.update(&(bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        word(&serde_json::to_vec(&self.settled_columns()).unwrap_or_default());
        for column in self.to_frame().columns() {
            word(column.name().as_bytes());
            let values = column.as_materialized_series().to_physical_repr();
            let mut cells = Vec::with_capacity(9 * values.len());
            // What is missing is neither an empty text nor a number.
            if let Ok(texts) = values.str() {
                for text in texts.iter() {
                    cells.push(u8::from(text.is_some()));
                    cells.extend(text.unwrap_or_default().bytes().chain([0]));
                }
            } else if values.dtype().is_float() {
                let numbers = values.cast(&DataType::Float64).unwrap_or_default();
                let marked = |n: Option<f64>| n.map_or([255; 9], |n| with_mark(n.to_bits().to_le_bytes()));
                numbers.f64().iter().for_each(|numbers| numbers.iter().for_each(|n| cells.extend(marked(n))));
            } else {
                let numbers = values.cast(&DataType::Int64).unwrap_or_default();
                let marked = |n: Option<i64>| n.map_or([255; 9], |n| with_mark(n.to_le_bytes()));
                numbers.i64().iter().for_each(|numbers| numbers.iter().for_each(|n| cells.extend(marked(n))));
            }
            word(&cells);
        }
        hash.finalize().to_hex()[..32].to_string()
    }
}

/// Eight bytes of a value that is there.
fn with_mark(bytes: [u8; 8]) -> [u8; 9] {
    let mut marked = [0; 9];
    marked[1..].copy_from_slice(&bytes);
    marked
}
