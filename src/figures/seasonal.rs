//! stub
use super::*;
#[allow(missing_docs)] pub struct Seasonal{pub title:String,pub value:String,pub positions:Vec<String>,pub cycles:Vec<(String,Vec<f64>)>,pub profile:Vec<f64>}
impl Drawing for Seasonal { fn title(&self)->String{self.title.clone()} fn alt(&self)->String{String::new()} fn size(&self)->(u32,u32){(600,300)} fn draw(&self,_:&mut Canvas){} }
impl Seasonal { /// f
pub fn figure(self)->Figure{Figure::new(self)} }
