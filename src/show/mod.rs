//! stub
mod table;
pub use table::{Table, Value};
#[derive(Clone)]
/// b
pub enum Block { /// t
 Text(String), /// t
 Table(Table), /// g
 Group(Vec<Block>) }
/// s
pub trait Show { /// b
 fn block(&self) -> Block; }
impl Block { /// t
 pub fn to_text(&self) -> String { match self { Block::Text(t) => format!("{t}\n"), Block::Table(t) => format!("{}\n", t.frame()), Block::Group(g) => g.iter().map(|b| b.to_text()).collect() } } }
/// n
pub fn number(x: f64) -> String { format!("{x}") }
macro_rules! noun { ($t:ty) => { impl std::fmt::Display for $t { fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(&$crate::show::Show::block(self).to_text()) } } } }
pub(crate) use noun;
