//! Tables of one's own: read, filtered, sorted, grouped, drawn.

use std::any::TypeId;

use rhai::{Dynamic, FnPtr, Map, NativeCallContext};

use super::api::{Answer, Api, Verb, functions, methods, noun};
use super::values::{Argument, Names, Value as Given, argument, kind, refused};
use crate::error::{Error, Result};
use crate::figures::{Figure, Look};
use crate::panel::Reading;
use crate::show::{Table, Value};

pub(super) fn register(api: &mut Api) {
    functions! { api;
        "Table::read" read_table(path: String) -> Table { Table::read(path) }
        "Table::read_as" read_table(path: String, reading: Reading) -> Table { Table::read_as(path, &reading) }
    }
    methods! { api, Table;
        filter(table, column: String, comparison: String, value: Value) -> Table {
            table.filter(&column, &comparison, value)
        }
        sort(table, column: String) -> Table { table.sort(&column) }
        sort_descending(table, column: String) -> Table { table.sort_descending(&column) }
        head(table, count: usize) -> Table { table.head(count) }
        cut(table, count: usize) -> Table { table.cut(count) }
        to_csv(table) -> String { table.to_csv() }
        group(table, by: Names, how: How) -> Table { table.group(by.0, how.0) }
        line(table, x: String, y: Names) -> Figure { table.line(&x, y.0, &Look::default()) }
        line(table, x: String, y: Names, look: Look) -> Figure { table.line(&x, y.0, &look) }
        bar(table, x: String, y: Names) -> Figure { table.bar(&x, y.0, &Look::default()) }
        bar(table, x: String, y: Names, look: Look) -> Figure { table.bar(&x, y.0, &look) }
        scatter(table, x: String, y: String) -> Figure { table.scatter(&x, &y, &Look::default()) }
        scatter(table, x: String, y: String, look: Look) -> Figure { table.scatter(&x, &y, &look) }
    }
    // board.filter(|row| row.mase < 1.0)
    let filter = Verb {
        noun: Some("Table"),
        name: "filter",
        property: false,
        params: vec![("keep", <FnPtr as Argument>::TYPE)],
        returns: <Table as Given>::TYPE,
        item: "Table::filter_rows".into(),
    };
    api.add_calling(filter, Some(TypeId::of::<Table>()), |context, given| {
        let keep = argument::<FnPtr>(given[1].clone(), "filter", "keep")?;
        let table = noun::<Table>(given.first_mut())?;
        let kept = flags(context, &table, &keep)?;
        Ok(table.filter_rows(|row| kept[row])?.give())
    });
}

/// The result of a function for each row.
fn flags(context: &NativeCallContext, table: &Table, keep: &FnPtr) -> Answer<Vec<bool>> {
    let names = table.columns();
    // Column by column first: a timestamp is written as its whole column is.
    let columns: Result<Vec<_>> = names.iter().map(|name| Ok(table.column(name)?.into_iter())).collect();
    let mut columns = columns?;
    let flag = |_| -> Answer<bool> {
        let cells = names.iter().zip(&mut columns);
        let row: Map = cells.map(|(name, cells)| (name.as_str().into(), cells.next().give())).collect();
        let said = keep.call_within_context::<Dynamic>(context, (row,))?;
        let wrong =
            |_| Error::usage(format!("the function of filter returns true or false for a row, not {}", kind(&said)));
        Ok(said.as_bool().map_err(wrong)?)
    };
    (0..table.rows()).map(flag).collect()
}

impl Argument for FnPtr {
    const TYPE: &'static str = "FnPtr";
    const WANTED: &'static str = "a function such as |row| row.mase < 1.0";

    fn take(value: Dynamic) -> Result<Self> {
        value.clone().try_cast().ok_or_else(|| refused::<Self>(&value))
    }
}

impl Argument for Value {
    const TYPE: &'static str = "String | int | float | bool";
    const WANTED: &'static str = "a text, a number, true or false";

    fn take(value: Dynamic) -> Result<Self> {
        Ok(match value.type_name() {
            "()" => Value::Missing,
            "bool" => Value::Bool(value.as_bool().unwrap_or_default()),
            "i64" => Value::Whole(value.as_int().unwrap_or_default()),
            "f64" => Value::Number(value.as_float().unwrap_or_default()),
            "string" | "char" => Value::Text(value.to_string()),
            _ => return Err(refused::<Self>(&value)),
        })
    }
}

/// Aggregations: a map of column names to one aggregation or to several.
struct How(Vec<(String, String)>);

impl Argument for How {
    const TYPE: &'static str = "Map";
    const WANTED: &'static str = "a map such as #{Weekly_Sales: \"sum\"}";

    fn take(value: Dynamic) -> Result<Self> {
        let map = value.clone().try_cast::<Map>().ok_or_else(|| refused::<Self>(&value))?;
        let mut how = Vec::new();
        for (column, words) in map {
            let words = Names::take(words)?.0;
            how.extend(words.into_iter().map(|word| (column.to_string(), word)));
        }
        Ok(Self(how))
    }
}
