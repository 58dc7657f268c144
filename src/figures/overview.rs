//! stub
use super::*;
#[allow(missing_docs)] pub struct Overview{pub title:String,pub value:String,pub axis:TimeAxis,pub lines:Vec<Line>,pub marks:Vec<(f64,String)>}
impl Drawing for Overview { fn title(&self)->String{self.title.clone()} fn alt(&self)->String{String::new()} fn size(&self)->(u32,u32){(600,300)} fn draw(&self,_:&mut Canvas){} }
impl Overview { /// f
pub fn figure(self)->Figure{Figure::new(self)} }
