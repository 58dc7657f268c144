//! Where does what stand on a slide, and how does it look? One master and four layouts with places for title, words, source
//! and number, so that titles are in the outline, and a reader may change all slides at once (ECMA-376 part 1, 19.3).

use std::io;

use super::package::{Part, Relations};
use super::shapes::{Area, Holder, Look, WIDE, bar, held, line, paint, root, tree, units};
use super::write::kind;
use super::xml::{Tag, tag, val};

/// The theme: the colours of Okabe & Ito, which the figures have too.
const THEME: &str = include_str!("parts/theme.xml");

/// Where things are, in points.
pub(super) const LEFT: f64 = 48.0;
pub(super) const ACROSS: f64 = WIDE - 2.0 * LEFT;
const SECTION: Area = Area::new(LEFT, 20.0, ACROSS, 20.0);
pub(super) const TITLE: Area = Area::new(LEFT, 40.0, ACROSS, 70.0);
const BODY: Area = Area::new(LEFT, 120.0, ACROSS, 370.0);
pub(super) const SOURCE: Area = Area::new(LEFT, 502.0, ACROSS - 70.0, 22.0);
const NUMBER: Area = Area::new(WIDE - LEFT - 60.0, 502.0, 60.0, 22.0);

/// The layouts, by number.
pub(super) const FIRST: usize = 0;
pub(super) const WORDS: usize = 1;
pub(super) const THING: usize = 2;
pub(super) const NEW_SECTION: usize = 3;

const LAYOUTS: usize = 4;

/// Relations whose first is the layout of a slide.
pub(super) fn related(layout: usize) -> Relations {
    let mut relations = Relations::default();
    relations.to("slideLayout", format!("ppt/slideLayouts/slideLayout{}.xml", layout + 1));
    relations
}

pub(super) fn theme(number: usize) -> Part {
    let path = format!("ppt/theme/theme{number}.xml");
    Part::of(path, Some(kind("theme")), THEME.trim_end().as_bytes().to_vec())
}

/// The style of tables that a reader adds: that of Office.
pub(super) fn styles() -> Tag {
    tag("a:tblStyleLst")
        .at("xmlns:a", "http://schemas.openxmlformats.org/drawingml/2006/main")
        .at("def", "{5C22544A-7EE6-4342-B048-85BDC9FD1C3A}")
}

pub(super) fn colours() -> Tag {
    tag("p:clrMapOvr").with(tag("a:masterClrMapping"))
}

fn colour_map() -> Tag {
    let same = ["accent1", "accent2", "accent3", "accent4", "accent5", "accent6", "hlink", "folHlink"];
    let map = tag("p:clrMap").at("bg1", "lt1").at("tx1", "dk1").at("bg2", "lt2").at("tx2", "dk2");
    same.into_iter().fold(map, |map, name| map.at(name, name))
}

const LEVELS: [&str; 9] = [
    "a:lvl1pPr",
    "a:lvl2pPr",
    "a:lvl3pPr",
    "a:lvl4pPr",
    "a:lvl5pPr",
    "a:lvl6pPr",
    "a:lvl7pPr",
    "a:lvl8pPr",
    "a:lvl9pPr",
];

/// A style of a level of words.
fn level(name: &'static str, side: &str, size: f64, colour: &str, bold: bool, inset: f64, point: bool) -> Tag {
    let look = tag("a:defRPr")
        .at("sz", (size * 100.0) as i64)
        .at("b", u8::from(bold))
        .at("kern", 1200)
        .with(paint(colour))
        .with(tag("a:latin").at("typeface", "+mn-lt"))
        .with(tag("a:ea").at("typeface", "+mn-ea"))
        .with(tag("a:cs").at("typeface", "+mn-cs"));
    let set = tag(name)
        .at("marL", units(inset))
        .at("indent", if point { -units(18.0) } else { 0 })
        .at("algn", side)
        .at("defTabSz", units(72.0))
        .at("rtl", 0)
        .at("eaLnBrk", 1)
        .at("latinLnBrk", 0)
        .at("hangingPunct", 1);
    let set = set.with(tag("a:spcBef").with(val("a:spcPts", 0)));
    let set = if point {
        set.with(tag("a:buFont").at("typeface", "Arial")).with(tag("a:buChar").at("char", "•"))
    } else {
        set.with(tag("a:buNone"))
    };
    set.with(look)
}

/// The look of words that stand in no place of a layout.
pub(super) fn others() -> impl Iterator<Item = Tag> {
    (0..9).map(|at| level(LEVELS[at], "l", 18.0, "tx1", false, 36.0 * at as f64, false))
}

/// A place of a layout with its own look.
fn place(id: usize, name: &str, holder: Holder, area: Area, anchor: &str, style: Option<Tag>, prompt: &str) -> Tag {
    let look = tag("a:bodyPr").at("vert", "horz").at("wrap", "square");
    let look = ["lIns", "tIns", "rIns", "bIns"].into_iter().fold(look, |look, side| look.at(side, 0));
    let look = look.at("anchor", anchor).with(tag("a:normAutofit"));
    let words = if name == "Slide number" {
        let field = tag("a:fld")
            .at("id", "{7D2C8E5A-3F4B-4C1D-9E6F-0A1B2C3D4E5F}")
            .at("type", "slidenum")
            .with(tag("a:rPr").at("lang", "en-US"))
            .with(tag("a:t").text("‹#›"));
        tag("a:p").with(field)
    } else {
        line(prompt, Look::plain("en-US"))
    };
    let body = tag("p:txBody").with(look).with(tag("a:lstStyle").all(style)).with(words);
    held(id, name, holder, Some(area), body)
}

/// The number of a slide, which the program counts itself.
pub(super) fn counter(number: usize, language: &str) -> Tag {
    let field = tag("a:fld")
        .at("id", "{7D2C8E5A-3F4B-4C1D-9E6F-0A1B2C3D4E5F}")
        .at("type", "slidenum")
        .with(tag("a:rPr").at("lang", language))
        .with(tag("a:t").text(&number.to_string()));
    tag("p:txBody").with(tag("a:bodyPr")).with(tag("a:lstStyle")).with(tag("a:p").with(field))
}

fn number_place(id: usize) -> Tag {
    let style = level("a:lvl1pPr", "r", 11.0, "tx2", false, 0.0, false);
    place(id, "Slide number", Holder::NUMBER, NUMBER, "t", Some(style), "")
}

pub(super) fn master() -> io::Result<Part> {
    let shapes = [
        place(2, "Title", Holder::TITLE, TITLE, "t", None, "Title"),
        place(3, "Words", Holder::BODY, BODY, "t", None, "Words"),
        number_place(4),
    ];
    let back = tag("p:bg").with(tag("p:bgPr").with(paint("bg1")).with(tag("a:effectLst")));
    let mut relations = Relations::default();
    let ids: Vec<String> = (1..=LAYOUTS)
        .map(|number| relations.to("slideLayout", format!("ppt/slideLayouts/slideLayout{number}.xml")))
        .collect();
    relations.to("theme", "ppt/theme/theme1.xml");
    let layouts =
        (2_147_483_649_u32..).zip(ids).map(|(id, layout)| tag("p:sldLayoutId").at("id", id).at("r:id", layout));
    let words = (0..9).map(|at| level(LEVELS[at], "l", 18.0, "tx1", false, 18.0 * (at as f64 + 1.0), true));
    let styles = tag("p:txStyles")
        .with(tag("p:titleStyle").with(level("a:lvl1pPr", "l", 26.0, "accent1", true, 0.0, false)))
        .with(tag("p:bodyStyle").all(words))
        .with(tag("p:otherStyle").all(others()));
    let root = root("p:sldMaster")
        .with(tag("p:cSld").with(back).with(tree(shapes)))
        .with(colour_map())
        .with(tag("p:sldLayoutIdLst").all(layouts))
        .with(styles);
    Ok(Part::new("ppt/slideMasters/slideMaster1.xml", kind("slideMaster"), &root)?.related(relations))
}

pub(super) fn layouts() -> io::Result<Vec<Part>> {
    let small = || Some(level("a:lvl1pPr", "l", 12.0, "tx2", false, 0.0, false));
    let section = || place(5, "Section", Holder::SECTION, SECTION, "t", small(), "Section");
    let source = || {
        place(
            6,
            "Source",
            Holder::SOURCE,
            SOURCE,
            "t",
            Some(level("a:lvl1pPr", "l", 11.0, "tx2", false, 0.0, false)),
            "Source",
        )
    };
    let title = || place(2, "Title", Holder::TITLE, TITLE, "t", None, "Title");
    let large = |size: f64, colour: &str, bold| Some(level("a:lvl1pPr", "l", size, colour, bold, 0.0, false));
    let wide = WIDE - 140.0;
    let first = vec![
        bar(9, Area::new(LEFT, 150.0, 8.0, 240.0), "accent1"),
        place(
            2,
            "Title",
            Holder::FIRST_TITLE,
            Area::new(76.0, 150.0, wide, 150.0),
            "b",
            large(40.0, "tx1", true),
            "Title",
        ),
        place(
            3,
            "Subtitle",
            Holder::SUBTITLE,
            Area::new(76.0, 312.0, wide, 78.0),
            "t",
            large(20.0, "tx2", false),
            "Subtitle",
        ),
    ];
    let words =
        vec![title(), section(), place(3, "Words", Holder::BODY, BODY, "t", None, "Words"), source(), number_place(7)];
    let thing = vec![title(), section(), source(), number_place(7)];
    let new = vec![
        bar(9, Area::new(LEFT, 200.0, 8.0, 140.0), "accent1"),
        place(
            2,
            "Title",
            Holder::TITLE,
            Area::new(76.0, 200.0, ACROSS - 28.0, 140.0),
            "ctr",
            large(36.0, "accent1", true),
            "Title",
        ),
        place(5, "Section", Holder::SECTION, Area::new(76.0, 174.0, ACROSS - 28.0, 20.0), "t", small(), "Section"),
        source(),
        number_place(7),
    ];
    let layouts = [
        (FIRST, "title", "Title slide", first),
        (WORDS, "obj", "Title and words", words),
        (THING, "titleOnly", "Title and one thing", thing),
        (NEW_SECTION, "secHead", "Section", new),
    ];
    let part = |(number, kind_of, name, shapes): (usize, &str, &str, Vec<Tag>)| {
        let mut relations = Relations::default();
        relations.to("slideMaster", "ppt/slideMasters/slideMaster1.xml");
        let root = root("p:sldLayout")
            .at("type", kind_of)
            .at("preserve", 1)
            .with(tag("p:cSld").at("name", name).with(tree(shapes)))
            .with(colours());
        let path = format!("ppt/slideLayouts/slideLayout{}.xml", number + 1);
        Ok(Part::new(path, kind("slideLayout"), &root)?.related(relations))
    };
    layouts.into_iter().map(part).collect()
}

pub(super) fn notes_master() -> io::Result<Part> {
    let mut relations = Relations::default();
    relations.to("theme", "ppt/theme/theme2.xml");
    let shapes = [
        place(2, "Slide", Holder::SLIDE, Area::new(54.0, 54.0, 432.0, 243.0), "t", None, ""),
        place(3, "Notes", Holder::BODY, Area::new(54.0, 330.0, 432.0, 340.0), "t", None, "Notes"),
    ];
    let back = tag("p:bg").with(tag("p:bgPr").with(paint("bg1")).with(tag("a:effectLst")));
    let style =
        tag("p:notesStyle").all((0..9).map(|at| level(LEVELS[at], "l", 12.0, "tx1", false, 18.0 * at as f64, false)));
    let root = root("p:notesMaster").with(tag("p:cSld").with(back).with(tree(shapes))).with(colour_map()).with(style);
    Ok(Part::new("ppt/notesMasters/notesMaster1.xml", kind("notesMaster"), &root)?.related(relations))
}
