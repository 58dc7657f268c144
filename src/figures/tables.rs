//! Figures of a table of one's own: which columns lie on which axis, and what parts the rows into lines?

use std::collections::{HashMap, HashSet};

use chrono::{NaiveDate, NaiveDateTime};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::layout::NAMED;
use super::{Bars, Chart, Figure, Line, Places, Shape};
use crate::error::{Error, Result};
use crate::options;
use crate::show::{Table, Value, number};
use crate::statistics::summary;

/// Points that a figure holds: more of them are a blot, and a file that no page opens.
const MOST: usize = 100_000;

/// How a figure of a table is labelled, and what parts its rows into lines.
///
/// ```
/// use tradewind::figures::Look;
/// let look = Look::parse("title='Sales of shoes', unit=USD")?;
/// assert_eq!(look.unit.as_deref(), Some("USD"));
/// # Ok::<(), tradewind::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Look {
    /// The title; by default that of the table.
    pub title: Option<String>,
    /// The label of the x axis; by default its column, none for dates.
    pub x: Option<String>,
    /// The label of the y axis; by default the column.
    pub y: Option<String>,
    /// The unit of the values: USD, pieces, %.
    pub unit: Option<String>,
    /// A column whose every value gets a line, bars or dots of its own; of more than six, the largest have a name.
    pub by: Option<String>,
}

impl Look {
    /// Reads options as people write them: `title='Sales of shoes', unit=USD`.
    ///
    /// # Errors
    /// When an option is unknown; the nearest one is suggested.
    pub fn parse(text: &str) -> Result<Self> {
        options::read("the figure", options::parse(text)?)
    }
}

impl Table {
    /// Columns as lines over another: over dates (or texts that are dates in ISO form), numbers, or words in the order
    /// of the rows. A missing value is a gap.
    ///
    /// ```
    /// use tradewind::figures::Look;
    /// use tradewind::prelude::*;
    /// let week = Table::new(df!("day" => ["2024-03-01", "2024-03-02", "2024-03-03"], "sold" => [4, 7, 5])?);
    /// let figure = week.line("day", ["sold"], &Look { unit: Some("pieces".into()), ..Look::default() })?;
    /// assert_eq!(figure.alt(), "sold, pieces: from 4 at 2024-03-01 to 5 at 2024-03-03.");
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// A column is unknown or holds no numbers, or a line would have two values at one place.
    pub fn line(&self, x: &str, y: impl IntoIterator<Item = impl Into<String>>, look: &Look) -> Result<Figure> {
        self.chart(x, y.into_iter().map(Into::into).collect(), look, Shape::Lines)
    }

    /// Columns as bars over another: a bar for each row, from the left to the right over dates and numbers, one below
    /// the other for words, and for numbers that are names (1, 38, 95). Several columns stand side by side.
    ///
    /// ```
    /// use tradewind::figures::Look;
    /// use tradewind::prelude::*;
    /// let shops = Table::new(df!("shop" => ["north", "south"], "sold" => [40, 70])?);
    /// let figure = shops.bar("shop", ["sold"], &Look::default())?;
    /// assert_eq!((figure.title(), figure.alt()), ("sold by shop", "sold: north 40, south 70."));
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// A column is unknown or holds no numbers, or two bars would stand at one place.
    pub fn bar(&self, x: &str, y: impl IntoIterator<Item = impl Into<String>>, look: &Look) -> Result<Figure> {
        self.chart(x, y.into_iter().map(Into::into).collect(), look, Shape::Bars)
    }

    /// Rows as dots: one column across, another upwards.
    ///
    /// ```
    /// use tradewind::figures::Look;
    /// use tradewind::prelude::*;
    /// let days = Table::new(df!("price" => [1.5, 2.0, 2.5], "sold" => [70, 50, 40])?);
    /// let figure = days.scatter("price", "sold", &Look::parse("title='Dearer sells less', x='price in EUR'")?)?;
    /// assert!(figure.svg()?.contains("price in EUR"));
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// A column is unknown, or the upward one holds no numbers.
    pub fn scatter(&self, x: &str, y: &str, look: &Look) -> Result<Figure> {
        self.chart(x, vec![y.to_string()], look, Shape::Dots)
    }

    fn chart(&self, x: &str, ys: Vec<String>, look: &Look, shape: Shape) -> Result<Figure> {
        if ys.is_empty() {
            return Err(Error::usage("name a column to draw"));
        }
        if self.rows().saturating_mul(ys.len()) > MOST {
            return Err(Error::usage(format!(
                "a figure of {} points is unreadable; draw fewer: filter the table, group it, or take its head",
                number((self.rows() * ys.len()) as f64)
            )));
        }
        let (places, at) = self.places(x, shape)?;
        let mut lines = self.lines_of(x, &at, &ys, look.by.as_deref(), shape)?;
        if lines.len() > NAMED {
            // The largest have a colour and a name.
            lines.sort_by(|a, b| b.size().total_cmp(&a.size()));
        }
        let names = ys.join(", ");
        let title = look.title.clone().or_else(|| self.title().map(String::from));
        let title = title.unwrap_or_else(|| match &look.by {
            Some(by) => format!("{names} by {x} and {by}"),
            None => format!("{names} by {x}"),
        });
        let what = look.y.clone().or_else(|| (ys.len() == 1).then(|| names.clone()));
        let value = [what, look.unit.clone()].into_iter().flatten().collect::<Vec<_>>().join(", ");
        // A single column of bars with words to them: words are read one below the other.
        if let (Places::Words(words), Shape::Bars, [line]) = (&places, shape, lines.as_slice()) {
            let rows = line.x.iter().zip(&line.y).map(|(x, y)| (words[*x as usize].clone(), *y)).collect();
            let value = look.x.as_ref().map_or_else(|| value.clone(), |x| format!("{value} by {x}"));
            return Ok(Bars { title, value, rows, best: None, reference: None }.figure());
        }
        let foot = look.x.clone().unwrap_or_else(|| if places == Places::Dates { String::new() } else { x.into() });
        Ok(Chart { title, value, foot, places, shape, lines }.figure())
    }

    /// Where each row lies on the x axis; NaN where it has no place.
    fn places(&self, x: &str, shape: Shape) -> Result<(Places, Vec<f64>)> {
        let cells = self.column(x)?;
        let dtype = self.frame().column(x)?.dtype();
        if dtype.is_primitive_numeric() {
            let numbers: Vec<f64> = cells.iter().map(as_number).collect();
            if shape != Shape::Bars || !is_scattered(&numbers) {
                return Ok((Places::Numbers, numbers));
            }
        }
        let texts = cells.iter().map(|cell| if *cell == Value::Missing { None } else { Some(name(cell)) });
        let texts: Vec<Option<String>> = texts.collect();
        let dated: Vec<Option<f64>> = texts.iter().map(|text| text.as_deref().and_then(seconds)).collect();
        if texts.iter().zip(&dated).all(|(text, date)| text.is_some() == date.is_some())
            && dated.iter().any(Option::is_some)
        {
            return Ok((Places::Dates, dated.into_iter().map(|at| at.unwrap_or(f64::NAN)).collect()));
        }
        let mut words: Vec<String> = Vec::new();
        let mut known = HashMap::<String, usize>::new();
        let mut place = |text: Option<String>| {
            let Some(text) = text else { return f64::NAN };
            let next = words.len();
            *known.entry(text).or_insert_with_key(|text| {
                words.push(text.clone());
                next
            }) as f64
        };
        let at = texts.into_iter().map(&mut place).collect();
        Ok((Places::Words(words), at))
    }

    /// A line for each column, or for each column and value of `by`, from the left to the right.
    fn lines_of(&self, x: &str, at: &[f64], ys: &[String], by: Option<&str>, shape: Shape) -> Result<Vec<Line>> {
        let parts: Vec<String> = match by {
            Some(by) => self.column(by)?.iter().map(name).collect(),
            None => vec![String::new(); self.rows()],
        };
        let mut lines: Vec<Line> = Vec::new();
        for y in ys {
            let values = self.column(y)?;
            if !self.frame().column(y)?.dtype().is_primitive_numeric() {
                return Err(Error::usage(format!("column `{y}` holds no numbers that could be drawn")));
            }
            let mut own = HashMap::<&str, usize>::new();
            for (row, value) in values.iter().enumerate().filter(|(row, _)| at[*row].is_finite()) {
                let part = parts[row].as_str();
                let line = *own.entry(part).or_insert_with(|| {
                    let name = match (by.is_some(), ys.len()) {
                        (true, 1) => part.to_string(),
                        (true, _) => format!("{y}, {part}"),
                        (false, _) => y.clone(),
                    };
                    lines.push(Line { name, ..Line::default() });
                    lines.len() - 1
                });
                lines[line].x.push(at[row]);
                lines[line].y.push(as_number(value));
            }
        }
        if shape != Shape::Dots {
            for line in &mut lines {
                line.order();
                if let Some(place) = line.x.windows(2).position(|pair| pair[0] == pair[1]) {
                    return Err(twice(x, by, &self.column(x)?, at, line.x[place]));
                }
            }
        }
        Ok(lines)
    }
}

impl Line {
    /// How large its values are, whatever their sign.
    fn size(&self) -> f64 {
        summary::mean(&self.y).map_or(0.0, f64::abs)
    }

    /// From the left to the right.
    fn order(&mut self) {
        let mut order: Vec<usize> = (0..self.x.len()).collect();
        order.sort_by(|a, b| self.x[*a].total_cmp(&self.x[*b]));
        self.x = order.iter().map(|place| self.x[*place]).collect();
        self.y = order.iter().map(|place| self.y[*place]).collect();
    }
}

/// Several values at one place: what a person forgets who draws a table of several series.
fn twice(x: &str, by: Option<&str>, cells: &[Value], at: &[f64], place: f64) -> Error {
    let shown = at.iter().position(|at| *at == place).map_or_else(String::new, |row| name(&cells[row]));
    let distinct: HashSet<u64> = at.iter().map(|at| at.to_bits()).collect();
    let rest = match by {
        Some(by) => format!(", also within one `{by}`"),
        None => format!(" ({} rows for {} of them)", number(at.len() as f64), number(distinct.len() as f64)),
    };
    Error::usage(format!(
        "several rows have `{shown}` in column `{x}`{rest}; part them into lines by a column (by = …), or group the table first"
    ))
}

/// Do numbers lie so far apart that bars between them would be thin? They are names then, of shops or departments.
fn is_scattered(numbers: &[f64]) -> bool {
    let mut sorted: Vec<f64> = numbers.iter().copied().filter(|number| number.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    sorted.dedup();
    let least = sorted.windows(2).map(|pair| pair[1] - pair[0]).fold(f64::INFINITY, f64::min);
    match (sorted.first(), sorted.last()) {
        (Some(low), Some(high)) => (high - low) / least > 2.0 * sorted.len() as f64,
        _ => false,
    }
}

fn as_number(value: &Value) -> f64 {
    match value {
        Value::Whole(count) => *count as f64,
        Value::Number(number) if number.is_finite() => *number,
        _ => f64::NAN,
    }
}

/// A value as a name: a year has no comma.
fn name(value: &Value) -> String {
    match value {
        Value::Whole(whole) => whole.to_string(),
        other => other.to_string(),
    }
}

/// The seconds since 1970 of a date or time in ISO form.
fn seconds(text: &str) -> Option<f64> {
    let day = |text: &str| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0);
    let time = |format: &&str| NaiveDateTime::parse_from_str(text, format).ok();
    // A number is no date: chrono reads `12-1-1` as the year 12.
    let likely = text.len() >= 10 && text.as_bytes()[4] == b'-';
    let formats = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M"];
    let at = if likely { day(text).or_else(|| formats.iter().find_map(time)) } else { None };
    at.map(|at| at.and_utc().timestamp() as f64)
}
