//! What stakeholders get: five answers on the first page, sources that lead somewhere, slides that are messages, templates and
//! wordings of the user's own; nothing unescaped, whatever the names.

use std::io::{Cursor, Read};
use std::path::Path;
use std::process::{Command, Output};

use quick_xml::Reader;
use quick_xml::events::Event;
use tradewind::plan::Audience;
use tradewind::polars::prelude::*;
use tradewind::prelude::*;

fn outcome() -> Outcome {
    Plan { models: "seasonal_naive; theta".parse().unwrap(), folds: 2, ..Plan::demo().unwrap() }.run().unwrap()
}

fn saved(report: &Report, name: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    report.save(folder.path().join(name)).unwrap();
    std::fs::read_to_string(folder.path().join(name)).unwrap()
}

fn tradewind(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tradewind")).args(args).current_dir(folder).output().unwrap()
}

/// A year and a half of two items, one of which has this name.
fn shop(name: &str) -> DataFrame {
    shop_of(&[name, "b"])
}

/// A year and a half of items of these names.
fn shop_of(names: &[&str]) -> DataFrame {
    let weeks = 90_i32;
    let rows = weeks * names.len() as i32;
    let items: Vec<&str> = names.iter().flat_map(|name| (0..weeks).map(move |_| *name)).collect();
    let days: Vec<i32> = (0..rows).map(|row| 19_000 + 7 * (row % weeks)).collect();
    let sold: Vec<f64> = (0..rows).map(|row| f64::from(50 + row % 13 + 7 * (row % 4))).collect();
    let mut frame = df!("item" => items, "sold" => sold).unwrap();
    let week = Column::new("week".into(), days).cast(&DataType::Date).unwrap();
    frame.with_column(week).unwrap();
    frame
}

/// The words of a text with these entities.
fn decoded(text: &str) -> String {
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&#x27;", "'"), ("&#x2f;", "/")];
    let text = entities.iter().fold(text.to_string(), |text, (entity, letter)| text.replace(entity, letter));
    text.replace("&amp;", "&")
}

/// The words of a page, each of whose elements is closed where it has to be. What scripts and styles hold is no markup.
fn html_words(page: &str) -> String {
    const VOID: [&str; 7] = ["br", "col", "hr", "img", "input", "link", "meta"];
    let (mut open, mut words, mut rest) = (Vec::<String>::new(), String::new(), page);
    while let Some(at) = rest.find('<') {
        words.push_str(&rest[..at]);
        words.push('\n');
        rest = &rest[at..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = comment.split_once("-->").expect("a comment without an end").1;
            continue;
        }
        // A bracket inside the quotes of an attribute ends no tag.
        let mut quote = None;
        let end = rest.char_indices().find(|(_, letter)| {
            match (quote, *letter) {
                (None, '"' | '\'') => quote = Some(*letter),
                (Some(mark), letter) if mark == letter => quote = None,
                _ => {}
            }
            quote.is_none() && *letter == '>'
        });
        let (end, _) =
            end.unwrap_or_else(|| panic!("a tag without an end: {}", rest.chars().take(200).collect::<String>()));
        let tag = &rest[1..end];
        rest = &rest[end + 1..];
        let name: String = tag
            .trim_start_matches('/')
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_lowercase();
        if tag.starts_with('!') || tag.ends_with('/') || VOID.contains(&name.as_str()) {
            continue;
        }
        assert!(!name.is_empty(), "no tag: <{tag}>");
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "{}", rest.chars().take(200).collect::<String>());
        } else if ["script", "style"].contains(&name.as_str()) {
            rest = rest.split_once(&format!("</{name}>")).expect("a script or style without an end").1;
        } else {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "not closed: {open:?}");
    words.push_str(rest);
    decoded(&words)
}

/// The words of a document of XML.
fn xml_words(document: &str) -> String {
    let mut reader = Reader::from_str(document);
    let (mut words, mut depth) = (String::new(), 0_i32);
    let place = || document.chars().take(300).collect::<String>();
    loop {
        match reader.read_event().unwrap_or_else(|error| panic!("{error}: {}", place())) {
            Event::Eof => break,
            event @ (Event::Start(_) | Event::Empty(_)) => {
                depth += i32::from(matches!(event, Event::Start(_)));
                let (Event::Start(tag) | Event::Empty(tag)) = event else { continue };
                tag.attributes().for_each(|attribute| assert!(attribute.is_ok(), "{attribute:?}: {}", place()));
            }
            Event::End(_) => {
                depth -= 1;
                words.push('\n');
            }
            Event::Text(text) => words.push_str(&text),
            Event::GeneralRef(name) => {
                words.push_str(&quick_xml::escape::unescape(&format!("&{};", &*name)).unwrap());
            }
            _ => {}
        }
    }
    assert_eq!(depth, 0, "{}", place());
    words
}

/// The pictures inside a page.
fn pictures(page: &str) -> Vec<&str> {
    let ends = |rest: &str| rest.find("</svg>").expect("a picture without an end") + "</svg>".len();
    page.match_indices("<svg").map(|(at, _)| &page[at..at + ends(&page[at..])]).collect()
}

/// The parts of an archive that are XML.
fn xml_parts(path: &Path) -> Vec<(String, String)> {
    let mut archive = ::zip::ZipArchive::new(Cursor::new(std::fs::read(path).unwrap())).unwrap();
    let mut parts = Vec::new();
    for at in 0..archive.len() {
        let mut file = archive.by_index(at).unwrap();
        let name = file.name().unwrap().to_string();
        if name.ends_with(".xml") || name.ends_with(".rels") {
            let mut text = String::new();
            file.read_to_string(&mut text).unwrap();
            parts.push((name, text));
        }
    }
    parts
}

/// The words of a Markdown page, each of whose tables has as many cells in every row.
fn markdown_words(page: &str) -> String {
    let mut columns = None;
    for line in page.lines() {
        if !line.starts_with("| ") {
            columns = None;
            continue;
        }
        let mut is_escaped = false;
        let is_border = |letter: char| {
            let border = letter == '|' && !is_escaped;
            is_escaped = letter == '\\' && !is_escaped;
            border
        };
        let borders = line.chars().map(is_border).filter(|border| *border).count();
        assert_eq!(*columns.get_or_insert(borders), borders, "{line}");
    }
    let mut words = String::new();
    let mut letters = page.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter != '\\' || !letters.peek().is_some_and(char::is_ascii_punctuation) {
            words.push(letter);
        } else if let Some(escaped) = letters.next() {
            words.push(escaped);
        }
    }
    decoded(&words)
}

#[test]
fn the_first_page_answers_five_questions_in_plain_words() {
    let page = saved(&outcome().report().unwrap(), "report.md");
    let first = page.split("- [What happened](").next().unwrap();
    for question in ["What happened?", "What drives it?", "What comes next?", "What should we do?", "How sure are we?"]
    {
        assert_eq!(first.matches(question).count(), 1, "{question}");
    }
    assert_eq!(first.matches("![").count(), 5, "a small figure each");
    // The demonstration has a currency, and names for its columns.
    assert!(first.contains("\\$3.") && !first.contains("Weekly_Sales") && !first.contains("IsHoliday"), "{first}");
    for jargon in ["MASE", "WAPE", "p =", "fold", "quantile", "auto(", "theta", "backtest"] {
        assert!(!first.contains(jargon), "{jargon}: {first}");
    }
    assert!(page.find("## What drives sales").unwrap() < page.find("## Appendix").unwrap());
    assert!(page.find("## Appendix").unwrap() < page.find("## Which model to trust").unwrap());
}

#[test]
fn every_source_leads_to_a_call_that_runs() {
    let outcome = outcome();
    let page = saved(&outcome.report().unwrap(), "report.html");
    let links: Vec<&str> = page.split("href=\"#source.").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(links.len() > 12, "{links:?}");
    for link in &links {
        assert_eq!(page.matches(&format!("id=\"source.{link}\"")).count(), 1, "{link}");
    }
    for fact in ["fingerprint of the data", "seed", env!("CARGO_PKG_VERSION")] {
        assert!(page.contains(fact), "{fact}");
    }
    // Those that are calls of a script run in one; the others leave out an argument.
    let markdown = saved(&outcome.report().unwrap(), "report.md");
    let listed = markdown.split("## Where the numbers come from").nth(1).unwrap();
    let queries: Vec<&str> = listed.lines().filter_map(|line| line.split_once(". `")?.1.strip_suffix('`')).collect();
    assert!(queries.len() > 8, "{listed}");
    let session = tradewind::script::engine();
    let plan = "let plan = demo_plan(); let outcome = plan.run(); let panel = outcome.panel;";
    for query in queries.iter().filter(|query| !query.contains('…') && !query.contains("auto(")) {
        session.run(&format!("{plan} {query};")).unwrap_or_else(|error| panic!("{query}: {error}"));
    }
}

#[test]
fn slides_are_messages_and_the_rest_is_backup() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("slides.md");
    outcome().deck().unwrap().save_slides(&path).unwrap();
    let deck = std::fs::read_to_string(&path).unwrap();
    let slides: Vec<&str> = deck.split("\n\n---\n\n").collect();
    let backup = slides.iter().position(|slide| slide.starts_with("## Backup")).unwrap();
    assert!((8..=12).contains(&backup), "{backup} slides before the backup");
    assert!(slides.len() > backup + 5);
    let titles: Vec<&str> =
        slides[1..backup].iter().filter_map(|slide| slide.lines().find(|line| line.starts_with("## "))).collect();
    for title in &titles {
        assert!(title.chars().count() <= 95, "{title}");
    }
    for slide in &slides[2..backup - 1] {
        assert!(slide.contains("<small>Source: ") && (slide.contains("![") || slide.contains("| ---")), "{slide}");
    }
    let spoken = slides[..backup].iter().filter(|slide| slide.contains("<!-- ")).count();
    assert!(spoken > 5);
}

#[test]
fn numbers_and_columns_are_in_the_readers_words() {
    let plan = Plan {
        models: "seasonal_naive; theta".parse().unwrap(),
        folds: 2,
        locale: Some("de".into()),
        currency: Some("EUR".into()),
        names: Some("Weekly_Sales=Umsatz, Dept=Abteilung".into()),
        ..Plan::demo().unwrap()
    };
    let outcome = plan.run().unwrap();
    for name in ["report.md", "report.html"] {
        let page = saved(&outcome.report().unwrap(), name);
        assert!(page.contains("Umsatz") && page.contains("EUR 3,") && page.contains("Abteilung"), "{name}");
        // What a program reads keeps its names: the settings, the sources.
        assert!(page.contains("Weekly_Sales=Umsatz"), "{name}");
    }
    // The slides before the backup as well, in every format; behind it are the settings.
    let folder = tempfile::tempdir().unwrap();
    let deck = outcome.deck().unwrap();
    let saved = |end: &str| {
        let path = folder.path().join(format!("slides.{end}"));
        deck.save_slides(&path).unwrap();
        path
    };
    let read = |end: &str| std::fs::read_to_string(saved(end)).unwrap();
    let (markdown, html) = (read("md"), read("html"));
    let mut slides = vec![
        ("md", markdown.split("\n\n## Backup").next().unwrap().to_string()),
        ("html", html.split("<section class=\"slide backup\"").next().unwrap().to_string()),
    ];
    let parts = xml_parts(&saved("pptx"));
    let number = |name: &str| name.strip_prefix("ppt/slides/slide")?.strip_suffix(".xml")?.parse::<usize>().ok();
    let mut pages: Vec<(usize, String)> =
        parts.iter().filter_map(|(name, text)| Some((number(name)?, xml_words(text)))).collect();
    pages.sort();
    let divider = pages.iter().position(|(_, words)| words.lines().any(|line| line == "Backup")).unwrap();
    slides.push(("pptx", pages[..divider].iter().map(|(_, words)| words.as_str()).collect()));
    for (end, slides) in &slides {
        assert!(slides.contains("Umsatz") && slides.contains("Abteilung") && slides.contains("EUR 3,"), "{end}");
        for column in ["Weekly_Sales", "Dept"] {
            assert!(!slides.contains(column), "{end}: {column}");
        }
    }
    let charts = parts.iter().filter(|(name, _)| name.starts_with("ppt/charts/chart"));
    for (name, words) in charts.map(|(name, text)| (name, xml_words(text))) {
        assert!(!words.contains("Weekly_Sales") && !words.contains("Dept"), "{name}: {words}");
    }
    let error = Plan { locale: Some("no locale".into()), ..plan.clone() }.check().unwrap_err();
    assert!(error.is_usage() && error.to_string().contains("`no locale`"), "{error}");
    let error = Plan { names: Some("Weekly_Sales".into()), ..plan }.check().unwrap_err();
    assert!(error.to_string().contains("Weekly_Sales=Sales"), "{error}");
}

#[test]
fn sections_are_chosen_and_unknown_ones_refused() {
    let plan = Plan { models: "naive".parse().unwrap(), folds: 1, ..Plan::demo().unwrap() };
    let page = |plan: Plan| saved(&plan.run().unwrap().report().unwrap(), "report.md");
    let short = page(Plan { audience: tradewind::plan::Audience::Director, ..plan.clone() });
    assert!(short.contains("## What comes") && !short.contains("Appendix") && !short.contains("Which model to trust"));
    let own = page(Plan { sections: "limits; outlook".parse().unwrap(), ..plan.clone() });
    assert!(own.find("## Limits").unwrap() < own.find("## What comes").unwrap() && !own.contains("What happened?"));
    let error = Plan { sections: "outlok".parse().unwrap(), ..plan.clone() }.run().err().unwrap();
    assert!(error.is_usage() && error.to_string().contains("did you mean `outlook`"), "{error}");
    let error = Plan { format: "docx".parse().unwrap(), ..plan }.check().unwrap_err();
    assert!(error.is_usage() && error.to_string().contains("not written as `docx`"), "{error}");
}

#[test]
fn each_audience_has_its_order_and_one_appendix_at_most() {
    const FIRST: [&str; 5] = ["What happened", "What drives sales", "What comes next", "What to do", "How sure we are"];
    const APPENDED: [&str; 5] =
        ["Which model to trust", "The data", "Challenges, and how they were met", "Method and settings", "Limits"];
    let [history, drivers, outlook, actions, accuracy] = FIRST;
    let [evidence, data, challenges, method, limits] = APPENDED;
    for (audience, expected) in [
        (Audience::All, [FIRST, APPENDED].concat()),
        (Audience::Director, vec![outlook, actions, limits]),
        (Audience::Planner, vec![outlook, actions, accuracy, data, limits]),
        (
            Audience::Analyst,
            vec![evidence, accuracy, history, drivers, outlook, actions, data, challenges, method, limits],
        ),
    ] {
        let plan = Plan { models: "seasonal_naive; theta".parse().unwrap(), folds: 2, ..Plan::demo().unwrap() };
        let page = saved(&Plan { audience, ..plan }.run().unwrap().report().unwrap(), "report.md");
        let headings: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        let of_sections: Vec<&str> =
            headings.iter().copied().filter(|heading| [FIRST, APPENDED].concat().contains(heading)).collect();
        assert_eq!(of_sections, expected, "{audience:?}");
        // What stands in the appendix stands there to the end.
        let appendix: Vec<usize> = (0..headings.len()).filter(|at| headings[*at] == "Appendix").collect();
        assert!(appendix.len() <= 1, "{audience:?}: {headings:?}");
        let behind = appendix.first().map_or(&[][..], |at| &headings[at + 1..]);
        assert!(behind.iter().all(|heading| !FIRST.contains(heading)), "{audience:?}: {headings:?}");
        assert!(!page.contains("This section is missing"), "{audience:?}");
    }
}

#[test]
fn whatever_the_names_pages_are_well_formed() {
    let evil = "<b>$x^2$</b> \"&' | `*_ --> ]]> \u{5d0} {{ title }} {% x %} #set";
    let long = "x".repeat(200);
    let items = [evil, &long, "$5 to 10 US$", "مبيعات الفرع الأول", "a (b", "c; d", "e. f: (g). h"];
    let columns = ["<i>item</i> \"|&' {{ title }} #set _x_", "$sold; (of) <u>&</u> \"x\" | ]]> מכר. end"];
    for (items, [key, target]) in [(&items[..], ["item", "sold"]), (&[evil, "b"], columns)] {
        let mut frame = shop_of(items);
        frame.rename("item", key.into()).unwrap();
        frame.rename("sold", target.into()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("shop.parquet");
        ParquetWriter::new(std::fs::File::create(&data).unwrap()).finish(&mut frame).unwrap();
        let plan = Plan {
            data,
            id: key.parse().unwrap(),
            time: "week".into(),
            target: target.into(),
            models: "seasonal_naive; theta".parse().unwrap(),
            horizon: 4,
            folds: 2,
            ..Plan::default()
        };
        let outcome = plan.run().unwrap();
        let (report, deck) = (outcome.report().unwrap(), outcome.deck().unwrap());
        let path = |name: &str| folder.path().join(name);
        let read = |name: &str| std::fs::read_to_string(path(name)).unwrap();
        for name in ["report.md", "report.html"] {
            report.save(path(name)).unwrap();
        }
        for name in ["deck.md", "deck.html", "deck.pptx"] {
            deck.save_slides(path(name)).unwrap();
        }
        // Each name is there as it is, somewhere on a page that is well-formed.
        let said = [markdown_words(&read("report.md")), html_words(&read("report.html"))];
        for name in items.iter().chain([&key, &target]) {
            assert!(said.iter().all(|said| said.contains(name)), "{name}");
        }
        for name in ["report.html", "deck.html"] {
            let page = read(name);
            html_words(&page);
            let pictures = pictures(&page);
            assert!(pictures.len() > 5, "{name}");
            pictures.iter().for_each(|picture| drop(xml_words(picture)));
        }
        for picture in std::fs::read_dir(path("assets")).unwrap() {
            xml_words(&std::fs::read_to_string(picture.unwrap().path()).unwrap());
        }
        let parts = xml_parts(&path("deck.pptx"));
        assert!(parts.len() > 20);
        parts.iter().for_each(|(_, part)| drop(xml_words(part)));
        // A dollar sign begins a formula in Marp and on code hosts: it is escaped outside code.
        let (page, slides) = (read("report.md"), read("deck.md"));
        for line in page.lines().chain(slides.lines()).filter(|line| line.contains("5 to 10 US") && !line.contains('`'))
        {
            assert!(line.starts_with("<!-- ") || line.contains("\\$5 to 10 US\\$"), "{line}");
        }
        markdown_words(&slides);
        let backup = slides.split("\n\n---\n\n").position(|slide| slide.starts_with("## Backup")).unwrap();
        assert!(backup <= 12, "{backup} slides before the backup");
        outcome.dashboard().unwrap().save(path("dashboard.html")).unwrap();
        assert!(!read("dashboard.html").contains("<b>$x"));
        if cfg!(feature = "pdf") {
            report.save(path("report.pdf")).unwrap();
            deck.save_slides(path("deck.pdf")).unwrap();
        }
    }
}

#[test]
fn a_single_series_and_a_short_history_have_a_report() {
    let all = shop("a");
    for weeks in [30_usize, 90] {
        let frame = all.slice(0, weeks);
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("shop.parquet");
        ParquetWriter::new(std::fs::File::create(&data).unwrap()).finish(&mut frame.clone()).unwrap();
        let plan = Plan {
            data,
            id: "item".parse().unwrap(),
            time: "week".into(),
            target: "sold".into(),
            models: "naive; theta".parse().unwrap(),
            horizon: 4,
            folds: 2,
            ..Plan::default()
        };
        let outcome = plan.run().unwrap();
        let page = saved(&outcome.report().unwrap(), "report.md");
        assert!(page.contains("What happened?") && !page.contains("NaN") && !page.contains(" inf "), "{page}");
        assert_eq!(weeks < 60, page.contains("too short to compare"), "{page}");
        outcome.deck().unwrap().save_slides(folder.path().join("slides.html")).unwrap();
    }
}

#[test]
fn a_broken_template_is_named_before_the_work() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("house")).unwrap();
    std::fs::write(folder.path().join("house/report.html"), "<h1>{{ title }}</h1>\n{% fro x in sections %}\n").unwrap();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/walmart_sales_weekly.csv").display().to_string();
    let args = ["report", &data, "--models", "naive", "--folds", "1", "--templates", "house"];
    let output = tradewind(folder.path(), &args);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("house/report.html, line 2"), "{said}");
    std::fs::write(
        folder.path().join("house/report.html"),
        "{% extends \"default/report.html\" %}\n\n{% block footer %}{{ foot }}{% endblock %}",
    )
    .unwrap();
    let said = String::from_utf8_lossy(&tradewind(folder.path(), &args).stderr).into_owned();
    assert!(said.contains("house/report.html, line 3: undefined value"), "{said}");
    let reports = folder.path().join("reports/sales");
    let is_file = |entry: &std::io::Result<std::fs::DirEntry>| entry.as_ref().unwrap().path().is_file();
    let left = std::fs::read_dir(&reports).map_or(0, |entries| entries.filter(is_file).count());
    assert_eq!(left, 0, "nothing is written if a page cannot be");
    std::fs::write(
        folder.path().join("house/report.html"),
        "{% extends \"default/report.html\" %}{% block footer %}The house{% endblock %}",
    )
    .unwrap();
    let output = tradewind(folder.path(), &args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let page = std::fs::read_to_string(folder.path().join("reports/sales/report.html")).unwrap();
    assert!(page.contains("The house") && page.contains("What happened?"));
}

#[test]
fn a_plan_file_is_reported_as_data_are() {
    let folder = tempfile::tempdir().unwrap();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/walmart_sales_weekly.csv").display().to_string();
    let plan = format!(
        "data = {data:?}\nid = [\"Store\", \"Dept\"]\ntime = \"Date\"\ntarget = \"Weekly_Sales\"\nmodels = \"naive\"\nfolds = 1\nformat = \"html; dashboard\"\naudience = \"director\"\n"
    );
    std::fs::write(folder.path().join("plan.toml"), plan).unwrap();
    let output = tradewind(folder.path(), &["report", "plan.toml", "--title", "Own title", "--out", "out"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let names = |folder: &Path| {
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names(&folder.path().join("out")), ["dashboard.html", "report.html"]);
    let page = std::fs::read_to_string(folder.path().join("out/report.html")).unwrap();
    assert!(page.contains("<h1 dir=\"auto\">Own title</h1>"));
    let output = tradewind(folder.path(), &["dashboard", "plan.toml", "--out", "own.html"]);
    assert!(output.status.success() && folder.path().join("own.html").exists());
}
