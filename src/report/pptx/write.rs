//! How does a presentation become a file that PowerPoint, Keynote, Google Slides and LibreOffice open? A slide, and the
//! notes to it, per page, over a master and its layouts (ECMA-376 part 1, chapter 13).

use std::io;

use super::chart;
use super::layouts::{
    ACROSS, FIRST, LEFT, NEW_SECTION, SOURCE, THING, TITLE, WORDS, colours, counter, layouts, master, notes_master,
    others, related, styles, theme,
};
use super::package::{self, Part, Relations};
use super::presentation::{Grid, Presentation, Run, Slide, Thing, fitting, height, lines};
use super::shapes::{
    Area, HIGH, Holder, Layout, Look, WIDE, body, boxed, frame, held, line, picture, pixels, root, run, tree, units,
    words,
};
use super::xml::{Tag, tag};

/// Where content ends.
const BOTTOM: f64 = 492.0;
const GAP: f64 = 14.0;
/// The width of words beside a picture.
const BESIDE: f64 = 268.0;
/// Words up to this height stand above a thing, higher ones beside it.
const ABOVE: f64 = 84.0;
const SIZES: [f64; 7] = [22.0, 20.0, 18.0, 16.0, 14.0, 12.0, 10.0];

/// The bytes of a presentation; the same one gives the same bytes.
pub(super) fn bytes(presentation: &Presentation) -> io::Result<Vec<u8>> {
    let mut parts = Parts { all: Vec::new(), charts: 0, pictures: Vec::new(), language: &presentation.language };
    let mut relations = Relations::default();
    let leading = relations.to("slideMaster", "ppt/slideMasters/slideMaster1.xml");
    let notes = relations.to("notesMaster", "ppt/notesMasters/notesMaster1.xml");
    let mut slides = Vec::new();
    parts.slide(1, &first(presentation), Kept { relations: related(FIRST), ..Kept::default() })?;
    slides.push(relations.to("slide", slide_path(1)));
    for (number, slide) in (2..).zip(&presentation.slides) {
        parts.page(number, slide)?;
        slides.push(relations.to("slide", slide_path(number)));
    }
    // PowerPoint offers to repair a file that lacks these.
    let settings =
        [("presProps", root("p:presentationPr")), ("viewProps", root("p:viewPr")), ("tableStyles", styles())];
    let mut set = Vec::new();
    for (name, root) in settings {
        let path = format!("ppt/{name}.xml");
        relations.to(name, path.as_str());
        set.push(Part::new(path, kind(name), &root)?);
    }
    relations.to("theme", "ppt/theme/theme1.xml");
    let list = |(id, slide): (usize, &String)| tag("p:sldId").at("id", id).at("r:id", slide);
    let root = root("p:presentation")
        .at("saveSubsetFonts", 1)
        .with(tag("p:sldMasterIdLst").with(tag("p:sldMasterId").at("id", 2_147_483_648_u32).at("r:id", leading)))
        .with(tag("p:notesMasterIdLst").with(tag("p:notesMasterId").at("r:id", notes)))
        .with(tag("p:sldIdLst").all((256..).zip(&slides).map(list)))
        .with(tag("p:sldSz").at("cx", units(WIDE)).at("cy", units(HIGH)))
        .with(tag("p:notesSz").at("cx", units(HIGH)).at("cy", units(720.0)))
        .with(tag("p:defaultTextStyle").all(others()));
    let presentation_part = Part::new("ppt/presentation.xml", kind("presentation.main"), &root)?;
    let mut all = vec![presentation_part.related(relations), theme(1), theme(2), master()?];
    all.extend(set);
    all.extend(layouts()?);
    all.push(notes_master()?);
    all.extend(parts.all);
    let mut top = Relations::default();
    top.to("officeDocument", "ppt/presentation.xml");
    let core = "http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties";
    top.of_kind(core, "docProps/core.xml");
    top.to("extended-properties", "docProps/app.xml");
    all.push(properties(presentation)?);
    all.push(program()?);
    package::bytes(&all, &top)
}

/// The content type of a part of a presentation.
pub(super) fn kind(part: &str) -> &'static str {
    match part {
        "presentation.main" => "officedocument.presentationml.presentation.main+xml",
        "slideMaster" => "officedocument.presentationml.slideMaster+xml",
        "slideLayout" => "officedocument.presentationml.slideLayout+xml",
        "notesMaster" => "officedocument.presentationml.notesMaster+xml",
        "notesSlide" => "officedocument.presentationml.notesSlide+xml",
        "slide" => "officedocument.presentationml.slide+xml",
        "theme" => "officedocument.theme+xml",
        "presProps" => "officedocument.presentationml.presProps+xml",
        "viewProps" => "officedocument.presentationml.viewProps+xml",
        "tableStyles" => "officedocument.presentationml.tableStyles+xml",
        "chart" => "officedocument.drawingml.chart+xml",
        "core" => "package.core-properties+xml",
        _ => "officedocument.extended-properties+xml",
    }
}

fn slide_path(number: usize) -> String {
    format!("ppt/slides/slide{number}.xml")
}

/// What a slide is related to, and what its speaker says.
#[derive(Default)]
struct Kept {
    relations: Relations,
    notes: Option<String>,
}

/// The title slide.
fn first(presentation: &Presentation) -> Tag {
    let look = Look::plain(&presentation.language);
    let size = shrunk(&presentation.title, &[40.0, 34.0, 28.0, 22.0, 18.0], 4, WIDE - 140.0);
    let title = held(2, "Title", Holder::FIRST_TITLE, None, body_of(&presentation.title, look.sized(size)));
    let under = presentation.subtitle.as_ref().map(|text| {
        let size = shrunk(text, &[20.0, 18.0, 16.0, 14.0, 12.0], 4, WIDE - 140.0);
        held(3, "Subtitle", Holder::SUBTITLE, None, body_of(text, look.sized(size)))
    });
    root("p:sld").with(tag("p:cSld").with(tree([title].into_iter().chain(under)))).with(colours())
}

/// Words of one line in a place of the layout.
fn body_of(text: &str, look: Look) -> Tag {
    tag("p:txBody").with(tag("a:bodyPr").with(tag("a:normAutofit"))).with(tag("a:lstStyle")).with(line(text, look))
}

/// The largest of some sizes at which a text takes no more than some lines.
fn shrunk(text: &str, sizes: &[f64], most: usize, width: f64) -> f64 {
    sizes.iter().find(|size| lines(text, **size * 1.05, width) <= most).or(sizes.last()).copied().unwrap_or(12.0)
}

/// The parts of slides so far.
struct Parts<'a> {
    all: Vec<Part>,
    charts: usize,
    /// A picture that is there twice is stored once.
    pictures: Vec<Vec<u8>>,
    language: &'a str,
}

impl Parts<'_> {
    fn slide(&mut self, number: usize, root: &Tag, kept: Kept) -> io::Result<()> {
        let Kept { mut relations, notes } = kept;
        if let Some(notes) = notes {
            let path = format!("ppt/notesSlides/notesSlide{number}.xml");
            relations.to("notesSlide", path.as_str());
            let mut own = Relations::default();
            own.to("notesMaster", "ppt/notesMasters/notesMaster1.xml");
            own.to("slide", slide_path(number));
            self.all.push(Part::new(path, kind("notesSlide"), &self.notes(&notes))?.related(own));
        }
        self.all.push(Part::new(slide_path(number), kind("slide"), root)?.related(relations));
        Ok(())
    }

    fn notes(&self, notes: &str) -> Tag {
        let look = Look::plain(self.language);
        let paragraphs = notes.lines().map(|text| line(text, look));
        let words = tag("p:txBody").with(tag("a:bodyPr")).with(tag("a:lstStyle")).all(paragraphs);
        let shapes =
            [held(2, "Slide", Holder::SLIDE, None, tag("p:txBody")), held(3, "Notes", Holder::BODY, None, words)];
        root("p:notes").with(tag("p:cSld").with(tree(shapes))).with(colours())
    }

    fn page(&mut self, number: usize, slide: &Slide) -> io::Result<()> {
        let layout = if slide.is_bare() {
            NEW_SECTION
        } else if slide.words.is_empty() {
            THING
        } else {
            WORDS
        };
        let mut relations = related(layout);
        let look = Look::plain(self.language);
        let mut shapes = Vec::new();
        let (sizes, most): (&[f64], usize) =
            if slide.is_bare() { (&[36.0, 30.0, 24.0, 18.0], 3) } else { (&[26.0, 24.0, 22.0], 2) };
        let mut size = shrunk(&slide.title, sizes, most, ACROSS);
        if lines(&slide.title, size * 1.05, ACROSS) > most {
            size = shrunk(&slide.title, &[18.0, 16.0, 14.0, 12.0, 10.0], 4, ACROSS);
        }
        // As the layout has it, where it fits: a new layout then changes all slides.
        let usual = size == sizes[0];
        let look_of_title = if usual { look } else { look.sized(size) };
        shapes.push(held(2, "Title", Holder::TITLE, None, body_of(&slide.title, look_of_title)));
        if let Some(section) = &slide.section {
            shapes.push(held(3, "Section", Holder::SECTION, None, body_of(section, look)));
        }
        let top = TITLE.top + lines(&slide.title, size * 1.05, ACROSS) as f64 * size * 1.3 + GAP;
        let mut room = Area::new(LEFT, top, ACROSS, BOTTOM - top);
        if !slide.words.is_empty() {
            let (area, size, rest) = self.place(slide, room);
            let (words, _) = words(&slide.words, size, area.wide, self.language, &mut relations);
            shapes.push(held(4, "Words", Holder::BODY, Some(area), words));
            room = rest;
        }
        if let Some(thing) = &slide.thing {
            shapes.extend(self.thing(thing, slide, room, &mut relations)?);
        }
        if let Some(source) = &slide.source {
            let size = shrunk(source, &[11.0, 10.0, 9.0, 8.0, 7.0], 1, SOURCE.wide);
            shapes.push(held(90, "Source", Holder::SOURCE, None, body_of(source, look.sized(size))));
        }
        shapes.push(held(91, "Slide number", Holder::NUMBER, None, counter(number, self.language)));
        let root = root("p:sld").with(tag("p:cSld").with(tree(shapes))).with(colours());
        self.slide(number, &root, Kept { relations, notes: slide.notes.clone() })
    }

    /// Where the words stand, how large they are, and what room is left.
    fn place(&self, slide: &Slide, room: Area) -> (Area, f64, Area) {
        let words = &slide.words;
        let Some(thing) = &slide.thing else {
            let size = fitting(words, &SIZES, room.wide, room.high);
            return (room, size, room);
        };
        let usual = height(words, 16.0, room.wide);
        let most = match thing {
            Thing::Picture { png, .. } => {
                let (wide, high) = pixels(png);
                if wide / high > 1.7 { 1.3 * ABOVE } else { ABOVE }
            }
            Thing::Chart { .. } => ABOVE,
            Thing::Table(_) | Thing::Code(_) => f64::INFINITY,
        };
        if usual > most {
            let area = Area { wide: BESIDE, ..room };
            let left = room.left + BESIDE + 2.0 * GAP;
            let rest = Area { left, wide: room.wide - BESIDE - 2.0 * GAP, ..room };
            return (area, fitting(words, &SIZES[3..], BESIDE, room.high), rest);
        }
        // A table needs most of the slide.
        let share = if most.is_infinite() { 0.42 * room.high } else { most };
        let size = fitting(words, &SIZES[3..], room.wide, share);
        let high = height(words, size, room.wide);
        let below = high + GAP * 0.5;
        let rest = Area { top: room.top + below, high: (room.high - below).max(120.0), ..room };
        (Area { high, ..room }, size, rest)
    }

    fn thing(&mut self, thing: &Thing, slide: &Slide, room: Area, relations: &mut Relations) -> io::Result<Vec<Tag>> {
        match thing {
            Thing::Chart { title, alt, chart } => {
                let caption = Caption::of(title, &slide.title, chart);
                let high = caption.as_ref().map_or(0.0, |caption| caption.high);
                let area = Area { top: room.top + high, high: room.high - high, ..room };
                self.charts += 1;
                let number = self.charts;
                let book = format!("ppt/embeddings/Microsoft_Excel_Sheet{number}.xlsx");
                let path = format!("ppt/charts/chart{number}.xml");
                let mut own = Relations::default();
                let workbook = own.to("package", book.as_str());
                let root = chart::document(chart, &workbook, self.language, area.high);
                self.all.push(Part::new(path.as_str(), kind("chart"), &root)?.related(own));
                self.all.push(Part::of(book, None, chart::workbook(chart)?));
                let inside = tag("c:chart")
                    .at("xmlns:c", "http://schemas.openxmlformats.org/drawingml/2006/chart")
                    .at("r:id", relations.to("chart", path));
                let chart = frame(11, "Chart", &told(title, alt), area, "chart", inside);
                Ok(caption.map(|caption| caption.tag(10, room, self.language)).into_iter().chain([chart]).collect())
            }
            Thing::Picture { title, alt, png } => {
                let number = self.picture(png);
                let relation = relations.to("image", format!("ppt/media/image{number}.png"));
                let (wide, high) = pixels(png);
                let scale = (room.wide / wide).min(room.high / high);
                let (wide, high) = (wide * scale, high * scale);
                // Set to the middle where it is higher than wide.
                let area = Area { left: room.left + (room.wide - wide) / 2.0, wide, high, ..room };
                Ok(vec![picture(11, "Picture", &told(title, alt), area, &relation)])
            }
            Thing::Table(grid) => Ok(self.table(grid, slide, room)),
            Thing::Code(text) => Ok(vec![self.code(text, room)]),
        }
    }

    /// The number of a picture among those that are stored.
    fn picture(&mut self, png: &[u8]) -> usize {
        if let Some(place) = self.pictures.iter().position(|known| known == png) {
            return place + 1;
        }
        self.pictures.push(png.to_vec());
        let number = self.pictures.len();
        self.all.push(Part::of(format!("ppt/media/image{number}.png"), None, png.to_vec()));
        number
    }

    fn table(&self, grid: &Grid, slide: &Slide, room: Area) -> Vec<Tag> {
        let caption = grid.title.as_ref().filter(|title| !same(title, &slide.title));
        let caption = caption.map(|title| Caption::new(title, None, room.wide));
        let above = caption.as_ref().map_or(0.0, |caption| caption.high);
        let below = if grid.rest.is_some() { 20.0 } else { 0.0 };
        let area = Area { top: room.top + above, high: room.high - above - below, ..room };
        let layout = Layout::of(grid, area);
        let area = Area { wide: layout.width(), high: layout.height(), ..area };
        let title = grid.title.as_deref().unwrap_or(&slide.title);
        let alt = format!("Table: {}, {} rows; columns: {}.", title, grid.rows.len(), grid.header.join(", "));
        let mut shapes: Vec<Tag> = caption.map(|caption| caption.tag(10, room, self.language)).into_iter().collect();
        shapes.push(frame(11, "Table", &alt, area, "table", layout.tag(grid, self.language)));
        if let Some(rest) = &grid.rest {
            let place = Area::new(room.left, area.top + area.high + 4.0, room.wide, 18.0);
            let look = Look::plain(self.language).sized(11.0).coloured("tx2");
            shapes.push(boxed(12, "Rest of the table", place, None, body("t", 0.0, [line(rest, look)])));
        }
        shapes
    }

    fn code(&self, text: &str, room: Area) -> Tag {
        let rows: Vec<String> = text.lines().map(|row| row.replace('\t', "    ")).collect();
        let longest = rows.iter().map(|row| row.chars().count()).max().unwrap_or(1).max(1) as f64;
        let count = rows.len().max(1) as f64;
        let inset = 10.0;
        // A letter of Consolas is 0.55 of its size wide, and those of other such fonts 0.6.
        let across = (room.wide - 2.0 * inset) / (longest * 0.6);
        let down = (room.high - 2.0 * inset) / (count * 1.25);
        let size = across.min(down).clamp(7.0, 16.0).floor();
        let look = Look::plain(self.language).sized(size);
        let row = |row: &String| {
            let words = Run { code: true, ..Run::plain(row.as_str()) };
            tag("a:p").with(run(&words, look, &mut Relations::default()))
        };
        let high = (size * 1.25 * count + 2.0 * inset).min(room.high);
        boxed(11, "Code", Area { high, ..room }, Some("bg2"), body("t", inset, rows.iter().map(row)))
    }
}

/// Title and alternative text in one.
fn told(title: &str, alt: &str) -> String {
    let title = title.trim_end_matches('.');
    if title.is_empty() {
        return alt.to_string();
    }
    let stop = if title.ends_with(['?', '!']) { "" } else { "." };
    format!("{title}{stop} {alt}")
}

/// Do two titles say the same?
fn same(one: &str, other: &str) -> bool {
    let plain = |text: &str| text.trim().trim_end_matches('.').to_lowercase();
    plain(one) == plain(other)
}

/// What stands above a chart or a table: its title, and the quantity where no axis names it.
struct Caption {
    title: Option<String>,
    value: Option<String>,
    high: f64,
}

impl Caption {
    const TITLE: f64 = 14.0;
    const VALUE: f64 = 12.0;

    fn of(title: &str, slide: &str, chart: &crate::show::SimpleChart) -> Option<Self> {
        let lying = chart.kind == crate::show::ChartKind::Bars;
        let value = lying || chart.value_title.chars().count() > chart::LONGEST;
        let value = value.then(|| chart.value_title.clone()).filter(|value| !value.trim().is_empty());
        let title = (!same(title, slide) && !title.trim().is_empty()).then_some(title);
        match (title, value) {
            (None, None) => None,
            (title, value) => Some(Self::new(title.unwrap_or_default(), value, ACROSS)),
        }
    }

    fn new(title: &str, value: Option<String>, width: f64) -> Self {
        let title = Some(title.to_string()).filter(|title| !title.is_empty());
        let rows = |text: &Option<String>, size: f64| {
            text.as_ref().map_or(0.0, |text| lines(text, size * 1.05, width) as f64 * size * 1.36)
        };
        let high = rows(&title, Self::TITLE) + rows(&value, Self::VALUE) + 4.0;
        Self { title, value, high }
    }

    fn tag(&self, id: usize, room: Area, language: &str) -> Tag {
        let look = Look::plain(language);
        let bold = Look { bold: true, ..look.sized(Self::TITLE).coloured("tx1") };
        let title = self.title.as_ref().map(|title| line(title, bold));
        let value = self.value.as_ref().map(|value| line(value, look.sized(Self::VALUE).coloured("tx2")));
        let area = Area { high: self.high, ..room };
        boxed(id, "Caption", area, None, body("t", 0.0, title.into_iter().chain(value)))
    }
}

/// Who made it and when: no day is told, so that the same report gives the same bytes.
fn properties(presentation: &Presentation) -> io::Result<Part> {
    let stamp = |name| tag(name).at("xsi:type", "dcterms:W3CDTF").text("2000-01-01T00:00:00Z");
    let root = tag("cp:coreProperties")
        .at("xmlns:cp", "http://schemas.openxmlformats.org/package/2006/metadata/core-properties")
        .at("xmlns:dc", "http://purl.org/dc/elements/1.1/")
        .at("xmlns:dcterms", "http://purl.org/dc/terms/")
        .at("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance")
        .with(tag("dc:title").text(&presentation.title))
        .with(tag("dc:creator").text("Tradewind"))
        .with(tag("cp:lastModifiedBy").text("Tradewind"))
        .with(stamp("dcterms:created"))
        .with(stamp("dcterms:modified"))
        .with(tag("dc:language").text(&presentation.language));
    Part::new("docProps/core.xml", kind("core"), &root)
}

fn program() -> io::Result<Part> {
    let root = tag("Properties")
        .at("xmlns", "http://schemas.openxmlformats.org/officeDocument/2006/extended-properties")
        .with(tag("Application").text("Tradewind"));
    Part::new("docProps/app.xml", kind("app"), &root)
}
