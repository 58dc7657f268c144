//! Why did it go wrong, probably?
//!
//! Nobody knows causes from errors alone. What happened at the same time is ranked by how often it explains such an error in
//! practice, most telling first: data that are missing or new come before inputs that moved, and those before a single
//! series that sells otherwise. The texts say what coincides and claim no more.

use serde::{Deserialize, Serialize};

/// What happened at the same time as an alert.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Coincidence {
    /// Inputs that drifted, by name.
    pub drifted: Vec<String>,
    /// Values that a column never had before: column, value.
    pub new_values: Vec<(String, String)>,
    /// Rows that are missing, of how many that were expected.
    pub missing: (usize, usize),
    /// Promotions, holidays and other events that were flagged, by name.
    pub events: Vec<String>,
    /// Series with the same alert, of how many that are watched.
    pub together: (usize, usize),
}

/// What may have caused an alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cause {
    pub text: String,
    /// How telling it is, between 0 and 1.
    pub weight: f64,
}

/// What coincides with an alert, most telling first.
///
/// ```
/// use tradewind_monitor::alerts::{Coincidence, causes};
/// let found = causes(&Coincidence {
///     events: vec!["Easter".into()],
///     missing: (900, 1000),
///     ..Coincidence::default()
/// });
/// assert_eq!(found[0].text, "900 of 1000 rows are missing");
/// assert_eq!(found[1].text, "it falls on Easter");
/// ```
pub fn causes(seen: &Coincidence) -> Vec<Cause> {
    let mut causes = Vec::new();
    let mut say = |weight: f64, text: String| causes.push(Cause { text, weight });
    let share = |(some, all): (usize, usize)| if all == 0 { 0.0 } else { (some as f64 / all as f64).min(1.0) };
    if seen.missing.0 > 0 {
        let (missing, expected) = seen.missing;
        say(0.5 + 0.5 * share(seen.missing), format!("{missing} of {expected} rows are missing"));
    }
    if !seen.new_values.is_empty() {
        let named: Vec<String> =
            seen.new_values.iter().take(3).map(|(column, value)| format!("{column} = {value}")).collect();
        say(0.7, format!("values that were never seen before: {}{}", named.join(", "), rest(seen.new_values.len(), 3)));
    }
    if !seen.drifted.is_empty() {
        let named = seen.drifted.iter().take(3).cloned().collect::<Vec<String>>().join(", ");
        say(0.65, format!("inputs drifted at the same time: {named}{}", rest(seen.drifted.len(), 3)));
    }
    if !seen.events.is_empty() {
        let named = seen.events.iter().take(3).cloned().collect::<Vec<String>>().join(", ");
        say(0.6, format!("it falls on {named}{}", rest(seen.events.len(), 3)));
    }
    match seen.together {
        (1, watched) if watched > 1 => {
            say(
                0.4,
                format!(
                    "it is this series alone of {watched}: something of its own, such as a price or a gap on the shelf"
                ),
            );
        }
        (many, watched) if many > 1 && share((many, watched)) >= 0.5 => {
            say(
                0.55,
                format!(
                    "{many} of {watched} series together: a common cause, such as the market, the calendar or the data"
                ),
            );
        }
        (many, watched) if many > 1 => say(0.3, format!("{many} of {watched} series at once")),
        _ => {}
    }
    // Equal weights keep the order above.
    causes.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    causes
}

fn rest(all: usize, named: usize) -> String {
    if all > named { format!(" and {} more", all - named) } else { String::new() }
}
