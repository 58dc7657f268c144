//! stub
use polars::prelude::*;
use crate::error::*;
/// t
#[derive(Clone)] pub struct Table(DataFrame);
/// v
#[derive(Debug,Clone,PartialEq)] pub enum Value { /// m
Missing, /// m
Text(String), /// m
Number(f64) }
impl std::fmt::Display for Value { fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { match self { Value::Text(t) => f.write_str(t), Value::Number(n) => write!(f, "{n}"), _ => Ok(()) } } }
impl Table { 
 /// n
 pub fn new(f: DataFrame) -> Self { Self(f) } 
 /// n
 pub fn frame(&self) -> &DataFrame { &self.0 }
 /// n
 pub fn rows(&self) -> usize { self.0.height() }
 /// n
 pub fn highlight(self, _: usize) -> Self { self }
 /// n
 pub fn get(&self, row: usize, c: &str) -> Result<Value> { let v = self.0.column(c)?.get(row)?; Ok(match v { AnyValue::String(s) => Value::Text(s.into()), AnyValue::Float64(f)=>Value::Number(f), AnyValue::Null => Value::Missing, o => Value::Text(o.to_string()) }) }
 /// n
 pub fn save(&self, path: impl AsRef<std::path::Path>) -> Result<()> { let mut f = std::fs::File::create(path.as_ref()).map_err(|e| Error::io("x").because(e))?; let mut d = self.0.clone(); if path.as_ref().extension().is_some_and(|e| e == "csv") { CsvWriter::new(&mut f).finish(&mut d)?; } else { ParquetWriter::new(f).finish(&mut d)?; } Ok(()) }
}
