//! stub
use super::*;
#[allow(missing_docs)] pub struct Band{pub level:f64,pub lower:Vec<f64>,pub upper:Vec<f64>}
#[allow(missing_docs)] pub struct Fan{pub title:String,pub value:String,pub axis:TimeAxis,pub history:Line,pub actual:Option<Line>,pub mean:Line,pub bands:Vec<Band>}
#[allow(missing_docs)] pub struct Fans{pub title:String,pub value:String,pub axis:TimeAxis,pub panels:Vec<Fan>}
impl Drawing for Fan { fn title(&self)->String{self.title.clone()} fn alt(&self)->String{String::new()} fn size(&self)->(u32,u32){(600,300)} fn draw(&self,_:&mut Canvas){} }
impl Fan { /// f
pub fn figure(self)->Figure{Figure::new(self)} }
impl Drawing for Fans { fn title(&self)->String{self.title.clone()} fn alt(&self)->String{String::new()} fn size(&self)->(u32,u32){(600,300)} fn draw(&self,_:&mut Canvas){} }
impl Fans { /// f
pub fn figure(self)->Figure{Figure::new(self)} }
