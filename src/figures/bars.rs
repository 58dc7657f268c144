//! stub
use super::*;
#[allow(missing_docs)] pub struct Bars{pub title:String,pub value:String,pub rows:Vec<(String,f64)>,pub best:Option<usize>,pub reference:Option<(String,f64)>}
impl Drawing for Bars { fn title(&self)->String{self.title.clone()} fn alt(&self)->String{String::new()} fn size(&self)->(u32,u32){(600,300)} fn draw(&self,_:&mut Canvas){} }
impl Bars { /// f
pub fn figure(self)->Figure{Figure::new(self)} }
