//! A file is read back: every part is XML, every relation leads somewhere, every part has a kind, and all words are there.

use std::collections::{BTreeMap, HashSet};
use std::io::{Cursor, Read};

use quick_xml::Reader;
use quick_xml::events::Event;

use super::presentation::{Grid, Mark, Paragraph, Presentation, Run, Slide, Thing};
use super::write::bytes;
use crate::show::{Categories, ChartKind, ChartSeries, SimpleChart};

const EVIL: &str = "<b> & \"x\" $y$ \u{1}مبيعات 🙂";
/// What is left of it where a control character has no place.
const LEFT: &str = "<b> & \"x\" $y$  مبيعات 🙂";

fn chart(kind: ChartKind, categories: Categories) -> SimpleChart {
    let series = |name: &str, values: [f64; 3]| ChartSeries::new(name, values.to_vec(), [0, 114, 178]);
    SimpleChart {
        kind,
        categories,
        category_title: String::new(),
        value_title: EVIL.into(),
        series: vec![series(EVIL, [1.5, f64::NAN, 3.0]), series("other", [4.0, 5.0, 6.0])],
        shares: (kind == ChartKind::Columns).then(|| series("share", [0.5, 0.8, 1.0])),
    }
}

fn sample() -> Presentation {
    let long = "x".repeat(200);
    let names = || Categories::Words(vec![EVIL.into(), long.clone(), "c".into()]);
    let days = Categories::Dates(vec![1_351_468_800.0, 1_352_073_600.0, 1_352_678_400.0]);
    let hours = Categories::Dates(vec![1_351_468_800.0, 1_351_472_400.0, 1_351_476_000.0]);
    let charts = [
        chart(ChartKind::Bars, names()),
        chart(ChartKind::Columns, names()),
        chart(ChartKind::Lines, days),
        chart(ChartKind::Lines, hours),
        chart(ChartKind::Lines, Categories::Steps(vec![1.0, 2.0, 3.0])),
    ];
    let link = Run { link: Some("https://example.org/?a=1&b=2".into()), bold: true, ..Run::plain(EVIL) };
    let words = vec![
        Paragraph::plain(EVIL),
        Paragraph { mark: Mark::Number(3), level: 1, runs: vec![Run::plain("numbered "), link] },
        Paragraph { mark: Mark::Note, ..Paragraph::plain("a caveat") },
    ];
    let grid = Grid {
        title: Some(EVIL.into()),
        header: vec![EVIL.into(), "n".into()],
        right: vec![false, true],
        rows: vec![vec![long.clone(), "1".into()], vec![EVIL.into(), "2".into()]],
        bold: Some(1),
        rest: Some("… 3 more rows".into()),
    };
    // A picture twice.
    let picture = || Thing::Picture { title: "P".into(), alt: EVIL.into(), png: b"\x89PNG\r\n\x1a\n".to_vec() };
    let charts = charts.map(|chart| Thing::Chart { title: EVIL.into(), alt: "bars".into(), chart });
    let things = [picture(), picture(), Thing::Table(grid), Thing::Code(format!("a\tb\n{EVIL}"))];
    let slide = |thing: Option<Thing>| Slide {
        section: Some(EVIL.into()),
        title: EVIL.into(),
        words: words.clone(),
        thing,
        source: Some(EVIL.into()),
        notes: Some(format!("{EVIL}\nsecond line")),
    };
    let mut slides: Vec<Slide> = charts.into_iter().chain(things).map(|thing| slide(Some(thing))).collect();
    slides.push(slide(None));
    slides.push(Slide { title: long, ..Slide::default() });
    Presentation { title: EVIL.into(), subtitle: Some(EVIL.into()), language: "en-US".into(), slides }
}

pub(in crate::report) fn parts(bytes: Vec<u8>) -> BTreeMap<String, Vec<u8>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    (0..archive.len())
        .map(|at| {
            let mut file = archive.by_index(at).unwrap();
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            (file.name().unwrap().to_string(), bytes)
        })
        .collect()
}

/// An element: its name, its attributes, and the words right in it.
pub(in crate::report) type Element = (String, BTreeMap<String, String>, String);

/// The elements of a part.
pub(in crate::report) fn elements(bytes: &[u8]) -> Vec<Element> {
    let text = std::str::from_utf8(bytes).unwrap();
    assert!(!text.chars().any(|letter| letter.is_control() && letter != '\n'), "a control character");
    let mut reader = Reader::from_str(text);
    let (mut all, mut open): (Vec<Element>, Vec<usize>) = (Vec::new(), Vec::new());
    loop {
        match reader.read_event().unwrap() {
            Event::Eof => break,
            event @ (Event::Start(_) | Event::Empty(_)) => {
                let empty = matches!(event, Event::Empty(_));
                let (Event::Start(tag) | Event::Empty(tag)) = event else { continue };
                let attributes = tag.attributes().map(|attribute| {
                    let attribute = attribute.unwrap();
                    let value = quick_xml::escape::unescape(&attribute.value).unwrap().into_owned();
                    (attribute.key.as_ref().to_string(), value)
                });
                let name = tag.name().as_ref().to_string();
                all.push((name, attributes.collect(), String::new()));
                if !empty {
                    open.push(all.len() - 1);
                }
            }
            Event::End(_) => {
                open.pop();
            }
            Event::Text(words) => {
                if let Some(at) = open.last() {
                    all[*at].2.push_str(&words);
                }
            }
            Event::GeneralRef(reference) => {
                let name = format!("&{};", &*reference);
                if let Some(at) = open.last() {
                    all[*at].2.push_str(&quick_xml::escape::unescape(&name).unwrap());
                }
            }
            _ => {}
        }
    }
    assert!(open.is_empty());
    all
}

#[test]
fn the_same_presentation_gives_the_same_bytes() {
    let one = bytes(&sample()).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(2_100));
    assert!(one == bytes(&sample()).unwrap());
}

#[test]
fn every_relation_leads_somewhere_and_every_part_has_a_kind() {
    let parts = parts(bytes(&sample()).unwrap());
    let types = elements(&parts["[Content_Types].xml"]);
    let named = |name: &str, key: &str| -> HashSet<String> {
        types.iter().filter(|(tag, ..)| tag == name).map(|(_, of, _)| of[key].clone()).collect()
    };
    let (overrides, defaults) = (named("Override", "PartName"), named("Default", "Extension"));
    for path in &overrides {
        assert!(parts.contains_key(&path[1..]), "{path}");
    }
    let mut reached = HashSet::from(["[Content_Types].xml".to_string()]);
    for (path, bytes) in &parts {
        let end = path.rsplit('.').next().unwrap();
        assert!(defaults.contains(end), "{path}");
        if !path.ends_with(".rels") {
            let used = end != "xml" || path == "[Content_Types].xml" || overrides.contains(&format!("/{path}"));
            assert!(used, "{path} has no kind");
            continue;
        }
        reached.insert(path.clone());
        // `ppt/slides/_rels/slide1.xml.rels` is about `ppt/slides/slide1.xml`.
        let folder = path.split("_rels/").next().unwrap();
        let own = path.replace("_rels/", "").replace(".rels", "");
        let mut identifiers = HashSet::new();
        for (_, of, _) in elements(bytes).iter().filter(|(tag, ..)| tag == "Relationship") {
            assert!(identifiers.insert(of["Id"].clone()));
            if of.contains_key("TargetMode") {
                assert!(of["Target"].starts_with("https://"));
                continue;
            }
            let mut at: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
            for part in of["Target"].split('/') {
                match part {
                    ".." => {
                        at.pop();
                    }
                    part => at.push(part),
                }
            }
            let target = at.join("/");
            assert!(parts.contains_key(&target), "{path}: {target}");
            reached.insert(target);
        }
        if own.ends_with(".xml") {
            for (_, of, _) in elements(&parts[&own]) {
                for (key, value) in of.iter().filter(|(key, _)| key.starts_with("r:")) {
                    assert!(identifiers.contains(value), "{own}: {key}={value}");
                }
            }
        }
    }
    assert_eq!(reached.len(), parts.len(), "a part that nothing is related to");
}

#[test]
fn all_words_are_there() {
    let parts = parts(bytes(&sample()).unwrap());
    let words = |path: &str, tag: &str| -> Vec<String> {
        elements(&parts[path]).into_iter().filter(|(name, ..)| name == tag).map(|(.., text)| text).collect()
    };
    for number in 2..=11 {
        let slide = words(&format!("ppt/slides/slide{number}.xml"), "a:t");
        assert!(slide.iter().filter(|text| *text == LEFT).count() >= 4, "{number}: {slide:?}");
        let notes = words(&format!("ppt/notesSlides/notesSlide{number}.xml"), "a:t");
        assert_eq!(notes, [LEFT, "second line"]);
    }
    let table = words("ppt/slides/slide9.xml", "a:t");
    assert!(table.contains(&"x".repeat(200)) && table.contains(&"… 3 more rows".to_string()));
    let code = words("ppt/slides/slide10.xml", "a:t");
    assert!(code.contains(&"a    b".to_string()));
    assert_eq!(words("docProps/core.xml", "dc:title"), [LEFT]);
    assert_eq!(words("docProps/core.xml", "dcterms:created"), ["2000-01-01T00:00:00Z"]);
    // One picture, though it is shown twice.
    assert_eq!(parts.keys().filter(|path| path.starts_with("ppt/media/")).count(), 1);
}

#[test]
fn every_slide_has_a_title_and_no_identifier_twice() {
    let parts = parts(bytes(&sample()).unwrap());
    for (path, bytes) in parts.iter().filter(|(path, _)| path.starts_with("ppt/slides/slide")) {
        let elements = elements(bytes);
        let titles = elements.iter().filter(|(tag, of, _)| {
            tag == "p:ph" && matches!(of.get("type").map(String::as_str), Some("title" | "ctrTitle"))
        });
        assert_eq!(titles.count(), 1, "{path}");
        let mut identifiers = HashSet::new();
        for (_, of, _) in elements.iter().filter(|(tag, ..)| tag == "p:cNvPr") {
            assert!(identifiers.insert(of["id"].clone()), "{path}");
            let seen = matches!(of["name"].as_str(), "Chart" | "Picture" | "Table");
            assert_eq!(seen, of.contains_key("descr"), "{path}");
        }
        let languages: HashSet<&String> = elements.iter().filter_map(|(_, of, _)| of.get("lang")).collect();
        assert_eq!(languages.len(), 1, "{path}");
    }
}

#[test]
fn a_missing_value_is_a_gap() {
    let parts = parts(bytes(&sample()).unwrap());
    for number in 1..=5 {
        let elements = elements(&parts[&format!("ppt/charts/chart{number}.xml")]);
        let first = elements.iter().position(|(tag, ..)| tag == "c:val").unwrap();
        let rest = elements[first..].iter().skip(1).take_while(|(tag, ..)| tag != "c:ser");
        let points: Vec<String> = rest.filter(|(tag, ..)| tag == "c:pt").map(|(_, of, _)| of["idx"].clone()).collect();
        assert_eq!(points, ["0", "2"], "{number}");
        assert!(elements.iter().any(|(tag, of, _)| tag == "c:dispBlanksAs" && of["val"] == "gap"));
        let book = &parts[&format!("ppt/embeddings/Microsoft_Excel_Sheet{number}.xlsx")];
        let sheet = self::parts(book.clone());
        let sheet = elements_of_cells(&sheet["xl/worksheets/sheet1.xml"]);
        assert!(sheet.contains(&"B2".to_string()) && !sheet.contains(&"B3".to_string()), "{sheet:?}");
    }
}

fn elements_of_cells(bytes: &[u8]) -> Vec<String> {
    elements(bytes).into_iter().filter(|(tag, ..)| tag == "c").map(|(_, of, _)| of["r"].clone()).collect()
}

#[test]
fn an_empty_presentation_is_still_a_file() {
    let parts = parts(bytes(&Presentation::default()).unwrap());
    assert!(parts.contains_key("ppt/slides/slide1.xml"));
}
