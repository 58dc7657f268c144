//! How does a piece of a slide look? Frames for words, tables, charts and pictures (ECMA-376 part 1, chapters 19 to 21).
//! All places are points from the upper left corner.

use super::package::Relations;
use super::presentation::{AFTER, Grid, Mark, Paragraph, Run, from_the_right, height, lines, wide};
use super::xml::{Tag, tag, val};

/// The size of a slide: 16 to 9.
pub(super) const WIDE: f64 = 960.0;
pub(super) const HIGH: f64 = 540.0;
/// The letters of code.
const CODE: &str = "Consolas";

/// The units of Office in a point.
pub(super) fn units(points: f64) -> i64 {
    (points * 12_700.0).round() as i64
}

/// A place on a slide.
#[derive(Clone, Copy, Debug)]
pub(super) struct Area {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) wide: f64,
    pub(super) high: f64,
}

impl Area {
    pub(super) const fn new(left: f64, top: f64, wide: f64, high: f64) -> Self {
        Self { left, top, wide, high }
    }

    pub(super) fn tag(self, name: &'static str) -> Tag {
        let place = tag("a:off").at("x", units(self.left)).at("y", units(self.top));
        let size = tag("a:ext").at("cx", units(self.wide).max(0)).at("cy", units(self.high).max(0));
        tag(name).with(place).with(size)
    }
}

/// A root with the names of Office's languages.
pub(super) fn root(name: &'static str) -> Tag {
    tag(name)
        .at("xmlns:a", "http://schemas.openxmlformats.org/drawingml/2006/main")
        .at("xmlns:r", "http://schemas.openxmlformats.org/officeDocument/2006/relationships")
        .at("xmlns:p", "http://schemas.openxmlformats.org/presentationml/2006/main")
}

/// The tree of shapes of a slide, in the order in which they are read out.
pub(super) fn tree(shapes: impl IntoIterator<Item = Tag>) -> Tag {
    let group = tag("p:nvGrpSpPr")
        .with(tag("p:cNvPr").at("id", 1).at("name", ""))
        .with(tag("p:cNvGrpSpPr"))
        .with(tag("p:nvPr"));
    tag("p:spTree").with(group).with(tag("p:grpSpPr")).all(shapes)
}

/// What a shape stands in for in its layout.
#[derive(Clone, Copy)]
pub(super) struct Holder {
    kind: &'static str,
    number: Option<u32>,
    small: bool,
}

impl Holder {
    pub(super) const TITLE: Self = Self { kind: "title", number: None, small: false };
    pub(super) const FIRST_TITLE: Self = Self { kind: "ctrTitle", number: None, small: false };
    pub(super) const SUBTITLE: Self = Self { kind: "subTitle", number: Some(1), small: false };
    pub(super) const BODY: Self = Self { kind: "body", number: Some(1), small: false };
    pub(super) const SECTION: Self = Self { kind: "body", number: Some(13), small: true };
    pub(super) const SOURCE: Self = Self { kind: "body", number: Some(14), small: true };
    pub(super) const NUMBER: Self = Self { kind: "sldNum", number: Some(12), small: true };
    pub(super) const SLIDE: Self = Self { kind: "sldImg", number: Some(2), small: false };

    fn tag(self) -> Tag {
        let mut holder = tag("p:ph").at("type", self.kind);
        if self.small {
            holder = holder.at("sz", "quarter");
        }
        match self.number {
            Some(number) => holder.at("idx", number),
            None => holder,
        }
    }
}

/// The identifier and the name of a shape, and the words for those who cannot see it.
pub(super) fn named(id: usize, name: &str, alt: &str) -> Tag {
    let named = tag("p:cNvPr").at("id", id).at("name", name);
    if alt.is_empty() { named } else { named.at("descr", alt) }
}

/// A shape with words in a place of the layout, or at a place of its own.
pub(super) fn held(id: usize, name: &str, holder: Holder, area: Option<Area>, body: Tag) -> Tag {
    let locks = tag("a:spLocks").at("noGrp", 1);
    let locks = if holder.kind == "sldImg" { locks.at("noRot", 1).at("noChangeAspect", 1) } else { locks };
    let properties = tag("p:nvSpPr")
        .with(named(id, name, ""))
        .with(tag("p:cNvSpPr").with(locks))
        .with(tag("p:nvPr").with(holder.tag()));
    let look = tag("p:spPr").all(area.map(|area| area.tag("a:xfrm")));
    let look = if area.is_some() { look.with(rectangle()) } else { look };
    let shape = tag("p:sp").with(properties).with(look);
    if holder.kind == "sldImg" { shape } else { shape.with(body) }
}

/// A box with words, and what it is filled with.
pub(super) fn boxed(id: usize, name: &str, area: Area, filled: Option<&str>, body: Tag) -> Tag {
    let properties =
        tag("p:nvSpPr").with(named(id, name, "")).with(tag("p:cNvSpPr").at("txBox", 1)).with(tag("p:nvPr"));
    let fill = filled.map_or_else(|| tag("a:noFill"), paint);
    let look = tag("p:spPr").with(area.tag("a:xfrm")).with(rectangle()).with(fill);
    tag("p:sp").with(properties).with(look).with(body)
}

/// A filled rectangle without words, for the eye alone.
pub(super) fn bar(id: usize, area: Area, colour: &str) -> Tag {
    let properties =
        tag("p:nvSpPr").with(named(id, "Bar", "")).with(tag("p:cNvSpPr")).with(tag("p:nvPr").at("userDrawn", 1));
    let look = tag("p:spPr")
        .with(area.tag("a:xfrm"))
        .with(rectangle())
        .with(paint(colour))
        .with(tag("a:ln").with(tag("a:noFill")));
    let empty = tag("p:txBody").with(tag("a:bodyPr")).with(tag("a:lstStyle")).with(tag("a:p"));
    tag("p:sp").with(properties).with(look).with(empty)
}

fn rectangle() -> Tag {
    tag("a:prstGeom").at("prst", "rect").with(tag("a:avLst"))
}

/// A colour of the theme.
pub(super) fn paint(colour: &str) -> Tag {
    tag("a:solidFill").with(val("a:schemeClr", colour))
}

/// The words of a shape. They shrink with the shape when someone edits them.
pub(super) fn body(anchor: &str, inset: f64, paragraphs: impl IntoIterator<Item = Tag>) -> Tag {
    let look = tag("a:bodyPr").at("wrap", "square");
    let sides = ["lIns", "tIns", "rIns", "bIns"];
    let look = sides.into_iter().fold(look, |look, side| look.at(side, units(inset)));
    let look = look.at("anchor", anchor).with(tag("a:normAutofit"));
    tag("p:txBody").with(look).with(tag("a:lstStyle")).all(paragraphs)
}

/// How words look that no layout says more of.
#[derive(Clone, Copy)]
pub(super) struct Look<'a> {
    pub(super) language: &'a str,
    /// In points; none as the layout has it.
    pub(super) size: Option<f64>,
    pub(super) colour: Option<&'a str>,
    pub(super) bold: bool,
}

impl<'a> Look<'a> {
    pub(super) fn plain(language: &'a str) -> Self {
        Self { language, size: None, colour: None, bold: false }
    }

    pub(super) fn sized(self, size: f64) -> Self {
        Self { size: Some(size), ..self }
    }

    pub(super) fn coloured(self, colour: &'a str) -> Self {
        Self { colour: Some(colour), ..self }
    }

    fn tag(self, name: &'static str, run: &Run) -> Tag {
        let mut look = tag(name).at("lang", self.language);
        if let Some(size) = self.size {
            look = look.at("sz", (size * 100.0).round() as i64);
        }
        if self.bold || run.bold {
            look = look.at("b", 1);
        }
        if run.italic {
            look = look.at("i", 1);
        }
        look = look.at("dirty", 0).all(self.colour.map(paint));
        if run.code {
            look = look.all(["a:latin", "a:cs"].map(|script| tag(script).at("typeface", CODE)));
        }
        look
    }
}

/// One line of words.
pub(super) fn line(text: &str, look: Look) -> Tag {
    let set = tag("a:pPr");
    let set = if from_the_right(text) { set.at("algn", "r").at("rtl", 1) } else { set };
    tag("a:p").with(set).with(run(&Run::plain(text), look, &mut Relations::default()))
}

/// A paragraph in a list or by itself.
pub(super) fn paragraph(words: &Paragraph, look: Look, relations: &mut Relations) -> Tag {
    let size = look.size.unwrap_or(16.0);
    let text: String = words.runs.iter().map(|run| run.text.as_str()).collect();
    let inset = units(words.inset(size));
    // The left of words that are read from the right is the right: Office counts from where they begin.
    let set = tag("a:pPr").at("marL", inset);
    let hang = if words.mark == Mark::None { 0 } else { -units(size * 1.1) };
    let set = set.at("lvl", words.level.min(8)).at("indent", hang);
    let set = if from_the_right(&text) { set.at("algn", "r").at("rtl", 1) } else { set };
    let set = set.with(tag("a:spcBef").with(val("a:spcPts", 0)));
    let set = set.with(tag("a:spcAft").with(val("a:spcPts", (size * AFTER * 100.0).round() as i64)));
    let colour = if words.mark == Mark::Note { "accent5" } else { "accent1" };
    let marked = |set: Tag| set.with(tag("a:buClr").with(val("a:schemeClr", colour)));
    let font = || tag("a:buFont").at("typeface", "Arial");
    let set = match words.mark {
        Mark::None => set.with(tag("a:buNone")),
        Mark::Point => marked(set).with(font()).with(tag("a:buChar").at("char", "•")),
        Mark::Note => marked(set).with(font()).with(tag("a:buChar").at("char", "▌")),
        Mark::Number(first) => {
            // Office counts to 32,767.
            let number = tag("a:buAutoNum").at("type", "arabicPeriod").at("startAt", first.clamp(1, 32_767));
            marked(set).with(tag("a:buFont").at("typeface", "+mj-lt")).with(number)
        }
    };
    let look = if words.mark == Mark::Note { look.coloured("tx2") } else { look };
    let end = look.tag("a:endParaRPr", &Run::default());
    tag("a:p").with(set).all(words.runs.iter().map(|words| run(words, look, relations))).with(end)
}

pub(super) fn run(words: &Run, look: Look, relations: &mut Relations) -> Tag {
    let link = words.link.as_deref().and_then(address).map(|to| tag("a:hlinkClick").at("r:id", relations.link(to)));
    tag("a:r").with(look.tag("a:rPr", words).all(link)).with(tag("a:t").text(&words.text))
}

/// The address of a page or of a mailbox, in letters that Office takes: it refuses a whole file for one link that it
/// cannot read. Places beside the page are none of a presentation's.
fn address(to: &str) -> Option<String> {
    let (scheme, rest) = to.split_once(':')?;
    let scheme = scheme.to_ascii_lowercase();
    let host = match scheme.as_str() {
        "http" | "https" => rest.strip_prefix("//")?.split(['/', '?', '#']).next()?,
        "mailto" => rest.split('?').next()?.split_once('@')?.1,
        _ => return None,
    };
    let sound = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | ':' | ',' | '@');
    if host.is_empty() || !host.chars().all(sound) {
        return None;
    }
    let bytes = rest.as_bytes();
    let plain = |at: usize| {
        let hex = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
        match bytes[at] {
            b'%' => hex(at + 1) && hex(at + 2),
            letter => letter.is_ascii_alphanumeric() || b"-._~:/?#@!$&'()*+,;=".contains(&letter),
        }
    };
    let letter = |at| if plain(at) { char::from(bytes[at]).to_string() } else { format!("%{:02X}", bytes[at]) };
    Some(format!("{scheme}:{}", (0..bytes.len()).map(letter).collect::<String>()))
}

/// The frame of a chart or a table.
pub(super) fn frame(id: usize, name: &str, alt: &str, area: Area, kind: &str, inside: Tag) -> Tag {
    let locks = tag("p:cNvGraphicFramePr").with(tag("a:graphicFrameLocks").at("noGrp", 1));
    let properties = tag("p:nvGraphicFramePr").with(named(id, name, alt)).with(locks).with(tag("p:nvPr"));
    let uri = format!("http://schemas.openxmlformats.org/drawingml/2006/{kind}");
    let graphic = tag("a:graphic").with(tag("a:graphicData").at("uri", uri).with(inside));
    tag("p:graphicFrame").with(properties).with(area.tag("p:xfrm")).with(graphic)
}

/// A picture as large as an area allows.
pub(super) fn picture(id: usize, name: &str, alt: &str, area: Area, relation: &str) -> Tag {
    let properties = tag("p:nvPicPr")
        .with(named(id, name, alt))
        .with(tag("p:cNvPicPr").with(tag("a:picLocks").at("noChangeAspect", 1)))
        .with(tag("p:nvPr"));
    let fill =
        tag("p:blipFill").with(tag("a:blip").at("r:embed", relation)).with(tag("a:stretch").with(tag("a:fillRect")));
    let look = tag("p:spPr").with(area.tag("a:xfrm")).with(rectangle());
    tag("p:pic").with(properties).with(fill).with(look)
}

/// A size in pixels, of a PNG; a square where it cannot be told.
pub(super) fn pixels(png: &[u8]) -> (f64, f64) {
    let side =
        |at: usize| png.get(at..at + 4).and_then(|bytes| <[u8; 4]>::try_from(bytes).ok()).map(u32::from_be_bytes);
    match (side(16), side(20)) {
        (Some(wide), Some(high)) if png.starts_with(b"\x89PNG") && wide > 0 && high > 0 => (wide.into(), high.into()),
        _ => (1.0, 1.0),
    }
}

/// How a table is laid out: the size of its letters, the widths of its columns and the heights of its rows.
pub(super) struct Layout {
    size: f64,
    widths: Vec<f64>,
    heights: Vec<f64>,
}

/// Space beside and above the words of a cell, in sizes of letters.
const BESIDE: f64 = 0.55;
const ABOVE: f64 = 0.28;
/// The letters of the longest word that is kept in one piece.
const USUAL: usize = 40;

impl Layout {
    /// The largest letters with which a table fits.
    pub(super) fn of(grid: &Grid, area: Area) -> Self {
        let sizes = [15.0, 14.0, 13.0, 12.0, 11.0, 10.0, 9.0, 8.0, 7.0];
        let mut last = Self::sized(grid, area.wide, sizes[0]);
        for size in sizes {
            last = Self::sized(grid, area.wide, size);
            // Numbers and single words are not broken while there are smaller letters.
            let whole = last.breaks(grid) == 0;
            if last.height() <= area.high && (whole || size <= 10.0) {
                break;
            }
        }
        last
    }

    fn sized(grid: &Grid, room: f64, size: f64) -> Self {
        let count = grid.header.len().max(1);
        let cells = |column: usize| {
            grid.rows.iter().filter_map(move |row| row.get(column)).chain(grid.header.get(column)).map(String::as_str)
        };
        // Bold letters of the header are wider.
        let wanted: Vec<f64> = (0..count)
            .map(|column| cells(column).map(|cell| wide(cell, size) * 1.06).fold(size * 2.0, f64::max))
            .map(|wide| wide + 2.0 * size * BESIDE + 1.0)
            .collect();
        let all: f64 = wanted.iter().sum();
        let widths = if all <= room {
            wanted
        } else {
            // Every column has what it wants up to a limit, which is as high as the room allows.
            let fits = |limit: &f64| wanted.iter().map(|wide| wide.min(*limit)).sum::<f64>() <= room;
            let (mut low, mut high) = (0.0, room);
            for _ in 0..40 {
                let middle = f64::midpoint(low, high);
                if fits(&middle) { low = middle } else { high = middle }
            }
            wanted.iter().map(|wide| wide.min(low)).collect()
        };
        let high = |row: &Vec<String>| {
            let most = row.iter().zip(&widths).map(|(cell, wide)| lines(cell, size * 1.04, wide - 2.0 * size * BESIDE));
            size * (1.36 * most.max().unwrap_or(1) as f64 + 2.0 * ABOVE)
        };
        let heights = std::iter::once(&grid.header).chain(&grid.rows).map(high).collect();
        Self { size, widths, heights }
    }

    /// Cells with a number or a usual word that takes more than a line.
    fn breaks(&self, grid: &Grid) -> usize {
        let broken = |row: &Vec<String>| {
            let cells = row.iter().zip(&self.widths);
            cells
                .filter(|(cell, room)| {
                    let words = cell.split(' ').filter(|word| word.chars().count() <= USUAL);
                    let longest = words.map(|word| wide(word, self.size)).fold(0.0, f64::max);
                    longest > **room - 2.0 * self.size * BESIDE
                })
                .count()
        };
        std::iter::once(&grid.header).chain(&grid.rows).map(broken).sum()
    }

    pub(super) fn height(&self) -> f64 {
        self.heights.iter().sum()
    }

    pub(super) fn width(&self) -> f64 {
        self.widths.iter().sum()
    }

    /// The table: a header with a line below, and a thin one below each row.
    pub(super) fn tag(&self, grid: &Grid, language: &str) -> Tag {
        let columns = self.widths.iter().map(|wide| tag("a:gridCol").at("w", units(*wide)));
        let rows = std::iter::once(&grid.header).chain(&grid.rows).enumerate().map(|(index, row)| {
            let header = index == 0;
            let bold = header || grid.bold.is_some_and(|bold| bold + 1 == index);
            let look = Look { bold, ..Look::plain(language).sized(self.size).coloured("tx1") };
            let cells = (0..self.widths.len()).map(|column| {
                let text = row.get(column).map_or("", String::as_str);
                let right = grid.right.get(column).copied().unwrap_or(false);
                self.cell(text, right, header, look)
            });
            tag("a:tr").at("h", units(self.heights[index])).all(cells)
        });
        // The style without lines and colours, which every office program knows; the header is one for screen readers.
        let style = tag("a:tableStyleId").text("{2D5ABB26-0587-4C30-8999-92F81FD0307C}");
        tag("a:tbl").with(tag("a:tblPr").at("firstRow", 1).with(style)).with(tag("a:tblGrid").all(columns)).all(rows)
    }

    fn cell(&self, text: &str, right: bool, header: bool, look: Look) -> Tag {
        let words = if right {
            let words = run(&Run::plain(text), look, &mut Relations::default());
            tag("a:p").with(tag("a:pPr").at("algn", "r")).with(words)
        } else {
            line(text, look)
        };
        let body = tag("a:txBody").with(tag("a:bodyPr")).with(tag("a:lstStyle")).with(words);
        let none = |side| tag(side).at("w", 0).with(tag("a:noFill"));
        let below = match header {
            true => tag("a:lnB").at("w", units(1.5)).with(paint("tx2")),
            false => tag("a:lnB").at("w", units(0.75)).with(tag("a:solidFill").with(val("a:srgbClr", "DFE3E8"))),
        };
        let space = [("marL", BESIDE), ("marR", BESIDE), ("marT", ABOVE), ("marB", ABOVE)];
        let properties =
            space.into_iter().fold(tag("a:tcPr"), |cell, (side, share)| cell.at(side, units(self.size * share)));
        let properties = properties
            .at("anchor", if header { "b" } else { "ctr" })
            .all(["a:lnL", "a:lnR", "a:lnT"].map(none))
            .with(below)
            .with(tag("a:noFill"));
        tag("a:tc").with(body).with(properties)
    }
}

/// Words in a list at a size, and how high they are.
pub(super) fn words(
    paragraphs: &[Paragraph],
    size: f64,
    width: f64,
    language: &str,
    relations: &mut Relations,
) -> (Tag, f64) {
    let look = Look::plain(language).sized(size);
    let tags: Vec<Tag> = paragraphs.iter().map(|words| paragraph(words, look, relations)).collect();
    (body("t", 0.0, tags), height(paragraphs, size, width))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_what_office_can_read() {
        let cases = [
            ("https://example.org/a b?c=ü&d=[1]#e", Some("https://example.org/a%20b?c=%C3%BC&d=%5B1%5D#e")),
            ("HTTP://example.org", Some("http://example.org")),
            ("https://example.org/50%/%41", Some("https://example.org/50%25/%41")),
            ("mailto:a@example.org?subject=x", Some("mailto:a@example.org?subject=x")),
            ("https://[::1", None),
            ("https://ex ample.org", None),
            ("more.html", None),
            ("#top", None),
            ("javascript:x", None),
        ];
        for (from, to) in cases {
            assert_eq!(address(from).as_deref(), to, "{from}");
        }
    }

    #[test]
    fn a_table_fits_its_area() {
        let name = "A name of two hundred letters ".repeat(7);
        let grid = Grid {
            header: ["item", "week", "order"].map(String::from).to_vec(),
            right: vec![false, false, true],
            rows: (0..12).map(|row| vec![name.clone(), "2012-11-02".into(), format!("{row},000")]).collect(),
            ..Grid::default()
        };
        let area = Area::new(48.0, 100.0, 864.0, 380.0);
        let layout = Layout::of(&grid, area);
        assert!(
            layout.height() <= area.high && layout.width() <= area.wide + 0.5,
            "{} {}",
            layout.height(),
            layout.size
        );
        assert_eq!(layout.breaks(&grid), 0);
    }

    #[test]
    fn pictures_tell_their_size() {
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        png.extend([0, 0, 6, 104, 0, 0, 3, 32]);
        assert_eq!(pixels(&png), (1640.0, 800.0));
        assert_eq!(pixels(b"GIF"), (1.0, 1.0));
    }
}
