//! What stakeholders get: five answers on the first page, sources that lead somewhere, slides that are messages, templates and
//! wordings of the user's own; nothing unescaped, whatever the names.

use std::path::Path;
use std::process::{Command, Output};

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
    let weeks = 90_i32;
    let items: Vec<&str> = (0..weeks).map(|_| name).chain((0..weeks).map(|_| "b")).collect();
    let days: Vec<i32> = (0..2 * weeks).map(|row| 19_000 + 7 * (row % weeks)).collect();
    let sold: Vec<f64> = (0..2 * weeks).map(|row| f64::from(50 + row % 13 + 7 * (row % 4))).collect();
    let mut frame = df!("item" => items, "sold" => sold).unwrap();
    let week = Column::new("week".into(), days).cast(&DataType::Date).unwrap();
    frame.with_column(week).unwrap();
    frame
}

#[test]
fn the_first_page_answers_five_questions_in_plain_words() {
    let page = saved(&outcome().report().unwrap(), "report.md");
    let first = page.split("- [What happened](").next().unwrap();
    for question in ["What happened?", "What drives it?", "What comes?", "What to do?", "How sure is that?"] {
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
    let links: Vec<&str> = page.split("href=\"#source-").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(links.len() > 12, "{links:?}");
    for link in &links {
        assert_eq!(page.matches(&format!("id=\"source-{link}\"")).count(), 1, "{link}");
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
        let query = query.replace("panel.tour()", "panel.explore()");
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
fn whatever_the_names_pages_are_well_formed() {
    let evil = "<b>$x^2$</b> \"&' | `*_ --> ]]> \u{5d0} {{ title }} {% x %} #set";
    for name in [evil.to_string(), "x".repeat(200), "$5 to 10 US$".to_string()] {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("shop.parquet");
        ParquetWriter::new(std::fs::File::create(&data).unwrap()).finish(&mut shop(&name)).unwrap();
        let plan = Plan {
            data,
            id: "item".parse().unwrap(),
            time: "week".into(),
            target: "sold".into(),
            models: "seasonal_naive; theta".parse().unwrap(),
            horizon: 4,
            folds: 2,
            ..Plan::default()
        };
        let outcome = plan.run().unwrap();
        let (report, deck) = (outcome.report().unwrap(), outcome.deck().unwrap());
        let html = saved(&report, "report.html");
        assert!(!html.contains("<b>$x") && !html.contains("titled %}"), "{name}");
        let markdown = saved(&report, "report.md");
        // A dollar sign begins a formula in Marp and on code hosts: it is escaped outside code.
        for line in markdown.lines().filter(|line| line.contains("$5 to 10") && !line.contains('`')) {
            assert!(line.contains("\\$5 to 10 US\\$"), "{line}");
        }
        for end in ["md", "html", "pptx"] {
            deck.save_slides(folder.path().join(format!("deck.{end}"))).unwrap();
        }
        outcome.dashboard().unwrap().save(folder.path().join("dashboard.html")).unwrap();
        let dashboard = std::fs::read_to_string(folder.path().join("dashboard.html")).unwrap();
        assert!(!dashboard.contains("<b>$x"), "{name}");
        if cfg!(feature = "pdf") {
            report.save(folder.path().join("report.pdf")).unwrap();
            deck.save_slides(folder.path().join("deck.pdf")).unwrap();
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
