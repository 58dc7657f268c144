//! stub
use crate::error::Result; use crate::show::{Block, Show}; use std::path::{Path,PathBuf};
/// r
#[derive(Clone)] pub struct Report(Vec<Block>);
#[allow(missing_docs)] impl Report { pub fn new(_:impl Into<String>)->Self{Self(vec![])} pub fn subtitle(self,_:impl Into<String>)->Self{self} pub fn add(mut self,b:impl Into<Block>)->Self{self.0.push(b.into());self} pub fn heading(self,_:impl Into<String>)->Self{self} pub fn text(self,_:impl Into<String>)->Self{self} pub fn note(self,_:impl Into<String>)->Self{self}
pub fn save(&self,_:impl AsRef<Path>)->Result<Vec<PathBuf>>{Ok(vec!["a.html".into()])} pub fn save_slides(&self,_:impl AsRef<Path>)->Result<Vec<PathBuf>>{Ok(vec![])} }
impl Show for Report { fn block(&self)->Block{Block::Group(self.0.clone())} }
crate::show::noun!(Report);
