//! What is saved: files that exist, links that lead somewhere, nothing unescaped, the same bytes twice.

use std::collections::BTreeSet;

use super::pptx::tests::{Element, elements, parts};
use super::*;
use crate::figures::Bars;
use crate::show::{Answer, Figure, Table, one_line};
use polars::prelude::*;

const EVIL: &str = "<script>alert(1)</script> | *x* 🙂 مبيعات\nnext";

fn sample() -> Report {
    let rows = vec![(EVIL.to_string(), 0.8), ("naive".to_string(), 1.0)];
    let bars = Bars { title: EVIL.into(), value: "MASE".into(), rows, best: Some(0), reference: None }.figure();
    let frame = df!("key" => vec![EVIL; 12], "mase" => (0..12).map(f64::from).collect::<Vec<_>>()).unwrap();
    let table = Table::new(frame).titled("Scores").highlight(1);
    let mut report = Report::new(format!("Weekly sales {EVIL}")).subtitle(EVIL).text("Lead.");
    for heading in ["What we found", "What we found", EVIL, "Next"] {
        report = report.heading(heading).text(EVIL).add(&bars).add(table.clone()).note(EVIL);
    }
    report.add(Block::Code { language: "sh".into(), text: "tradewind run".into() }).add(bars)
}

/// Two bars under a title.
fn bars(title: &str) -> Figure {
    let rows = vec![("Dept 93".to_string(), 1234.5), ("Dept 8".to_string(), 80.0)];
    Bars { title: title.into(), value: "Weekly_Sales".into(), rows, best: None, reference: None }.figure()
}

/// A deck as it is written under this name; of a presentation, what its slides, notes and charts say as XML.
fn deck_text(report: &Report, name: &str) -> String {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join(name);
    report.save_slides(&path).unwrap();
    let bytes = std::fs::read(path).unwrap();
    if !name.ends_with(".pptx") {
        return String::from_utf8(bytes).unwrap();
    }
    let told = ["ppt/slides/slide", "ppt/notesSlides/notes", "ppt/charts/chart", "docProps/"];
    let parts = parts(bytes);
    let told = parts.iter().filter(|(path, _)| told.iter().any(|told| path.starts_with(told)));
    told.map(|(_, bytes)| String::from_utf8(bytes.clone()).unwrap()).collect()
}

#[test]
fn markdown_links_lead_to_files() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("deep/Weekly sales.md");
    for save in [Report::save, Report::save_slides] {
        let written = save(&sample(), &path).unwrap();
        assert_eq!(written.len(), 1 + 5);
        let page = std::fs::read_to_string(&path).unwrap();
        assert!(!page.contains("<script") && page.contains("مبيعات"), "{page}");
        let links: Vec<&str> = page.split("](assets/").skip(1).filter_map(|rest| rest.split(')').next()).collect();
        assert_eq!(links.len(), 5);
        for link in links {
            assert!(path.parent().unwrap().join("assets").join(link).is_file(), "{link}");
        }
    }
}

#[test]
fn contents_lead_to_headings() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("r.html");
    assert_eq!(sample().save(&path).unwrap(), std::slice::from_ref(&path));
    let page = std::fs::read_to_string(&path).unwrap();
    let links: Vec<&str> = page.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(links.len(), 4);
    for link in links {
        assert_eq!(page.matches(&format!("id=\"{link}\"")).count(), 1, "{link}");
    }
    assert_eq!(page.matches("<h1").count(), 1);
    assert!(!page.contains("<script") && !page.contains("http://") || !page.contains("src=\"http"));
    assert!(page.contains("aria-label=") && page.contains("scope=\"col\""));
}

#[test]
fn a_deck_stands_alone() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("deck.html");
    sample().save_slides(&path).unwrap();
    let page = std::fs::read_to_string(&path).unwrap();
    // Title, lead, and for each heading one slide with the figure and one with the table; code and last figure.
    assert_eq!(page.matches("<section").count(), 1 + 1 + 8 + 2);
    assert!(page.contains("4 more rows in the report"));
    assert_eq!(page.matches("<script>").count(), 1);
    for outside in ["src=\"http", "href=\"http", "@import", "url(http"] {
        assert!(!page.contains(outside));
    }
}

#[test]
fn a_marp_deck_has_its_front_matter() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("deck.md");
    sample().save_slides(&path).unwrap();
    let page = std::fs::read_to_string(&path).unwrap();
    assert!(page.starts_with("---\nmarp: true\n"));
    assert_eq!(page.matches("\n\n---\n\n").count(), 1 + 8 + 2);
}

#[test]
fn every_answer_is_a_slide_of_every_deck() {
    let questions = ["What happened?", "What comes?", "How sure is that?"];
    let report = questions.iter().fold(Report::new("For the meeting"), |report, question| {
        let answer = Answer::new(*question, "+4.8 %", "They rose in all shops.");
        report.add(&answer.drawn(bars(&format!("Figure of {question}")))).source("panel.tour()")
    });
    let (markdown, html) = (deck_text(&report, "deck.md"), deck_text(&report, "deck.html"));
    let slides: Vec<&str> = markdown.split("\n\n---\n\n").skip(1).collect();
    let sections: Vec<&str> = html.split("<section").skip(2).collect();
    assert_eq!((slides.len(), sections.len()), (3, 3));
    for ((slide, section), question) in slides.iter().zip(&sections).zip(questions) {
        let figure = format!("Figure of {question}");
        for said in ["**+4.8\u{a0}%**", "Source: panel.tour()", &format!("## {question}"), &format!("![{figure}")] {
            assert!(slide.contains(said), "{said}: {slide}");
        }
        for said in [question, "<strong>+4.8\u{a0}%</strong>", "<svg", &figure, "Source: panel.tour()"] {
            assert!(section.contains(said), "{said}: {section}");
        }
        assert!(slide.contains("They rose in all shops.") && section.contains("They rose in all shops."));
    }
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("deck.pptx");
    report.save_slides(&path).unwrap();
    let parts = parts(std::fs::read(path).unwrap());
    for (number, question) in (2..).zip(questions) {
        let elements = elements(&parts[&format!("ppt/slides/slide{number}.xml")]);
        let texts: Vec<&str> =
            elements.iter().filter(|(tag, ..)| tag == "a:t").map(|(.., text)| text.as_str()).collect();
        for said in [question, "+4.8\u{a0}%", "They rose in all shops.", &format!("Figure of {question}")] {
            assert!(texts.contains(&said), "{said}: {texts:?}");
        }
        assert!(parts.contains_key(&format!("ppt/charts/chart{}.xml", number - 1)));
    }
    assert!(!parts.contains_key("ppt/slides/slide5.xml"));
    #[cfg(feature = "pdf")]
    report.save_slides(home.path().join("deck.pdf")).unwrap();
}

#[test]
fn slides_are_in_the_readers_words() {
    let frame = df!("Dept" => [93_i64], "Weekly_Sales" => [1.5]).unwrap();
    let report = Report::new("Weekly_Sales by Dept")
        .heading("Weekly_Sales rose")
        .add(Block::Heading { level: 3, text: "Dept 93 rose to 1,234 units".into() })
        .add(bars("Weekly_Sales of each Dept"))
        .source("panel.plot(\"Weekly_Sales\")")
        .add(Block::Spoken("Weekly_Sales of Dept 93".into()))
        .heading("The table of Weekly_Sales")
        .add(Table::new(frame).titled("Weekly_Sales by Dept"))
        .worded(Some("de"), [("Weekly_Sales", "Sales"), ("Dept", "Department")])
        .unwrap();
    for name in ["deck.md", "deck.html", "deck.pptx"] {
        let text = deck_text(&report, name);
        // The source is a call, which a program reads.
        assert_eq!((text.matches("Weekly_Sales").count(), text.matches("Dept").count()), (1, 0), "{name}: {text}");
        for said in ["Sales rose", "Department 93 rose to 1.234 units", "Sales of Department 93", "The table of Sales"]
        {
            assert!(text.contains(said), "{name}: {said}");
        }
    }
    assert!(deck_text(&report, "deck.pptx").contains("<c:v>Department 93</c:v>"));
    // What was said is not said again: 1.234 is no decimal.
    let home = tempfile::tempdir().unwrap();
    for name in ["page.md", "page.html"] {
        report.save(home.path().join(name)).unwrap();
        let page = std::fs::read_to_string(home.path().join(name)).unwrap();
        assert!(page.contains("Department 93 rose to 1.234 units"), "{name}");
    }
}

#[test]
fn a_presentation_is_in_its_language() {
    let languages = |report: &Report| -> BTreeSet<String> {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("deck.pptx");
        report.save_slides(&path).unwrap();
        let parts = parts(std::fs::read(path).unwrap());
        let told = |path: &str| path.starts_with("ppt/slides/slide") || path.starts_with("ppt/charts/chart");
        let elements = parts.iter().filter(|(path, _)| told(path)).flat_map(|(_, bytes)| elements(bytes));
        let of = |(tag, of, _): &Element| match tag.as_str() {
            "c:lang" => of.get("val").cloned(),
            _ => of.get("lang").cloned(),
        };
        elements.filter_map(|element| of(&element)).collect()
    };
    assert_eq!(languages(&sample()), BTreeSet::from(["en-US".to_string()]));
    assert_eq!(languages(&sample().language("de")), BTreeSet::from(["de".to_string()]));
}

#[test]
fn every_anchor_is_there_once() {
    let report = ["A", "A", "A 1", "Source 1"]
        .iter()
        .fold(Report::new("R"), |report, heading| report.heading(*heading).text("Words.").source("a()"));
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("page.html");
    report.save(&path).unwrap();
    let page = std::fs::read_to_string(path).unwrap();
    let values = |mark: &str| -> Vec<String> {
        page.split(mark).skip(1).filter_map(|rest| rest.split('"').next()).map(String::from).collect()
    };
    let (places, links) = (values(" id=\""), values(" href=\"#"));
    let distinct: BTreeSet<&String> = places.iter().collect();
    assert_eq!((distinct.len(), places.len()), (6, 6), "{places:?}");
    assert!(links.len() > 5 && links.iter().all(|link| distinct.contains(link)), "{links:?}");
    // Two labels of one name are an error of typst.
    #[cfg(feature = "pdf")]
    report.save(home.path().join("page.pdf")).unwrap();
}

#[test]
fn pages_side_by_side_keep_their_pictures() {
    let home = tempfile::tempdir().unwrap();
    let report = |count: usize| (0..count).fold(Report::new("R"), |report, at| report.add(bars(&format!("Bars {at}"))));
    let pictures = || std::fs::read_dir(home.path().join("assets")).unwrap().count();
    for name in ["销售.md", "库存.md", "Weekly sales.md", "weekly-sales.md"] {
        report(2).save(home.path().join(name)).unwrap();
    }
    assert_eq!(pictures(), 8);
    // A shorter version has fewer pictures; those of others stay, and one that somebody has edited.
    report(1).save(home.path().join("销售.md")).unwrap();
    assert_eq!(pictures(), 7);
    let edited = home.path().join("assets/weekly-sales-01-bars-0.svg");
    std::fs::write(&edited, "<svg/>").unwrap();
    report(0).save(home.path().join("weekly-sales.md")).unwrap();
    assert!(pictures() == 6 && edited.is_file());
}

#[test]
fn a_page_that_cannot_be_written_leaves_no_folder() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("page.md");
    std::fs::write(&path, "my own words").unwrap();
    assert!(Report::new("R").add(bars("Bars")).add(bars("Bars")).save(&path).is_err());
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 1);
}

#[test]
fn a_template_of_slides_knows_their_sections() {
    let home = tempfile::tempdir().unwrap();
    let template = "{% for slide in slides %}{{ slide.section }} / {{ slide.title }}. {% endfor %}";
    std::fs::write(home.path().join("slides.md"), template).unwrap();
    let part = Block::Heading { level: 3, text: "Toys".into() };
    let report = Report::new("R").heading("What rose").add(part).text("Words.").templates(home.path());
    assert!(deck_text(&report, "deck.md").contains("What rose / Toys."));
}

#[test]
fn the_same_report_gives_the_same_bytes() {
    let home = tempfile::tempdir().unwrap();
    for name in ["a.html", "b.html"] {
        sample().save(home.path().join(name)).unwrap();
    }
    let read = |name: &str| std::fs::read(home.path().join(name)).unwrap();
    assert_eq!(read("a.html"), read("b.html"));
}

#[test]
fn a_presentation_has_charts_tables_and_our_mark() {
    let home = tempfile::tempdir().unwrap();
    let read = |name: &str| {
        let path = home.path().join(name);
        assert_eq!(sample().save_slides(&path).unwrap(), std::slice::from_ref(&path));
        std::fs::read(path).unwrap()
    };
    let bytes = read("a.pptx");
    assert!(bytes == read("b.pptx"));
    assert!(bytes.ends_with(b"Written by Tradewind"));
    let text = String::from_utf8_lossy(&bytes);
    for part in ["ppt/slides/slide12.xml", "ppt/charts/chart5.xml", "ppt/embeddings/Microsoft_Excel_Sheet5.xlsx"] {
        assert!(text.contains(part), "{part}");
    }
    assert!(!text.contains("ppt/slides/slide13.xml") && !text.contains("ppt/media/"));
    let texts =
        |path: &str| elements(&parts(bytes.clone())[path]).into_iter().map(|(.., text)| text).collect::<Vec<_>>();
    let (whole, first) = (one_line(EVIL), texts("ppt/slides/slide1.xml"));
    assert!(first.contains(&whole) && first.contains(&format!("Weekly sales {whole}")), "{first:?}");
    let chart = texts("ppt/charts/chart1.xml");
    assert!(chart.contains(&whole) || chart.contains(&EVIL.replace('\n', " ")), "{chart:?}");
}

#[test]
fn other_extensions_are_refused() {
    assert!(sample().save("report.docx").unwrap_err().is_usage());
    assert!(sample().save_slides("deck").unwrap_err().to_string().contains(".md, .html, .pdf or .pptx"));
}

#[test]
fn an_empty_report_is_still_a_page() {
    let home = tempfile::tempdir().unwrap();
    let empty = Report::new("");
    for name in ["a.md", "a.html"] {
        empty.save(home.path().join(name)).unwrap();
        empty.save_slides(home.path().join(name)).unwrap();
    }
    empty.save_slides(home.path().join("a.pptx")).unwrap();
    assert!(!empty.to_string().contains("None"));
}

#[cfg(feature = "pdf")]
#[test]
fn a_pdf_is_ours_and_the_same_twice() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("r.pdf");
    let read = || std::fs::read(&path).unwrap();
    for save in [Report::save, Report::save_slides] {
        // The embedded font has no Arabic and no emoji.
        save(&sample(), &path).unwrap();
        let first = read();
        assert!(first.starts_with(b"%PDF-1.7"));
        // A file of ours may be replaced by another.
        save(&sample().paper(Paper::Letter), &path).unwrap();
        save(&sample(), &path).unwrap();
        assert_eq!(first, read());
        save(&Report::new(""), &path).unwrap();
    }
}

#[cfg(feature = "pdf")]
#[test]
fn a_template_of_ones_own_is_named_with_its_line() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("templates");
    std::fs::create_dir(&folder).unwrap();
    let template = folder.join("report.typ");
    std::fs::write(&template, "#import \"blocks.typ\": *\n#let it = json(\"report.json\")\n#it.nothing\n").unwrap();
    let error = sample().templates(&folder).save(home.path().join("r.pdf")).unwrap_err();
    assert!(error.is_usage() && error.to_string().contains("report.typ, line 3"), "{error}");
    std::fs::write(&template, "#let it = json(\"report.json\")\n#set document(title: it.title)\n#it.title").unwrap();
    Report::new("R").templates(&folder).save(home.path().join("r.pdf")).unwrap();
    assert!(sample().language("english").save(home.path().join("r.pdf")).unwrap_err().is_usage());
}

#[cfg(not(feature = "pdf"))]
#[test]
fn without_typst_the_message_says_how_to_get_it() {
    let error = sample().save("report.pdf").unwrap_err();
    assert!(error.is_usage() && error.to_string().contains("--features pdf"));
}
