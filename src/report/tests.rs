//! What is saved: files that exist, links that lead somewhere, nothing unescaped, the same bytes twice.

use super::*;
use crate::figures::Bars;
use crate::show::Table;
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
