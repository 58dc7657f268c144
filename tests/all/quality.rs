//! The data-quality page and its pictures: they say what is there, for any panel.

use std::process::Command;

use tradewind::polars::prelude::*;
use tradewind::prelude::*;

/// Three daily series with a run of gaps, Thursdays left out, duplicates, negatives, missing and infinite targets.
fn dirty() -> Panel {
    let (mut keys, mut days, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for (key, level) in [("a", 50.0), ("b", 20.0), ("c", 5.0)] {
        for day in 0..120_i32 {
            let closed = day % 7 == 3;
            if (closed && key != "c") || (key == "a" && (60..80).contains(&day)) {
                continue;
            }
            keys.push(key);
            days.push(19_723 + day);
            values.push(match (key, day) {
                ("b", 10..=12) => None,
                ("b", 30) => Some(-4.0),
                ("c", 40) => Some(f64::INFINITY),
                ("c", 50) => Some(0.0),
                _ => Some(level + f64::from(day % 5)),
            });
            if key == "a" && day == 100 {
                keys.push(key);
                days.push(19_723 + day);
                values.push(Some(7.0));
            }
        }
    }
    let frame = df!("store" => keys, "day" => days, "sold" => values).unwrap();
    let frame = frame.lazy().with_column(col("day").cast(DataType::Date)).collect().unwrap();
    Panel::from_frame(frame, Columns::new(["store"], "day", "sold")).unwrap()
}

fn cleaned() -> Panel {
    dirty().clean(&Clean::parse("duplicates=sum, gaps=fill, missing=linear, negatives=clip").unwrap()).unwrap()
}

fn text(panel: &Panel) -> String {
    panel.audit().unwrap().report().unwrap().block().to_markdown()
}

#[test]
fn the_page_says_what_to_do() {
    let page = text(&dirty());
    assert!(
        page.contains("Models cannot be fitted until this is resolved: duplicates (1 in 1 series), infinite"),
        "{page}"
    );
    assert!(page.contains("duplicates=sum, gaps=fill, missing=seasonal"), "{page}");
    assert!(page.contains("If values below zero are errors, use negatives=clip."), "{page}");
    assert!(page.contains("lie on Thursdays"), "{page}");
    assert!(page.contains("The series with the most problems") && page.contains("Data quality over time"), "{page}");
    assert!(!page.contains("What cleaning changed") && !page.contains("NaN"), "{page}");
    // What the page says to type does what it says.
    let policy = page.split("Clean::parse(\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let mended = dirty().clean(&Clean::parse(policy).unwrap()).unwrap();
    assert!(mended.audit().unwrap().is_usable());
}

#[test]
fn after_cleaning_the_page_shows_what_changed() {
    let page = text(&cleaned());
    assert!(page.contains("Models can be fitted to these data as they are."), "{page}");
    assert!(page.contains("What cleaning changed") && page.contains("Before and after cleaning"), "{page}");
    let alt = cleaned().plot_repairs().unwrap().unwrap();
    assert!(
        ["gaps: 35 of 52 · store=a", "missing: ", "negative: 1 · store=b", "duplicates: 1 · store=a"]
            .iter()
            .all(|part| alt.alt().contains(part)),
        "{}",
        alt.alt()
    );
    assert!(cleaned().plot_quality().unwrap().alt().contains("repaired"));
    assert!(dirty().plot_repairs().unwrap().is_none());
}

#[test]
fn the_picture_has_every_state_that_is_there() {
    let figure = dirty().plot_quality().unwrap();
    for state in ["zero", "value", "no row (gap)", "target missing", "negative", "several rows"] {
        assert!(figure.alt().contains(state), "{state}: {}", figure.alt());
    }
    assert!(!figure.alt().contains("repaired"));
    let svg = figure.svg().unwrap();
    assert!(!svg.contains("NaN") && svg == dirty().plot_quality().unwrap().svg().unwrap());
}

/// The worst series are first, whatever their place in the panel.
#[test]
fn of_many_series_the_worst_are_shown() {
    let mut keys = Vec::new();
    let mut weeks = Vec::new();
    for key in 0..500_i64 {
        for week in 0..30_i64 {
            if key != 317 || !(5..25).contains(&week) {
                keys.push(key);
                weeks.push(week);
            }
        }
    }
    let frame = df!("k" => &keys, "t" => &weeks, "y" => vec![1.5; keys.len()]).unwrap();
    let panel = Panel::from_frame(frame, Columns::new(["k"], "t", "y")).unwrap();
    let figure = panel.plot_quality().unwrap();
    assert_eq!(figure.title(), "Data quality over time: the 40 of 500 series with the most problems");
    assert!(
        figure.alt().contains("from step 0 to step 30") && figure.alt().contains(": k=317; k=0; "),
        "{}",
        figure.alt()
    );
    assert!(figure.svg().unwrap().contains("all 500 series"));
    let page = text(&panel);
    assert!(
        page.contains("Of 20 gaps, all lie between 5 and 24, 20 of 30 steps")
            || page.contains("all lie in 1 of 500 series"),
        "{page}"
    );
}

/// One value, one series, no keys, steps for dates, a calendar of thousands of years: the page and its pictures stand.
#[test]
fn awkward_panels_have_a_page() {
    let one = df!("t" => [5_i64], "y" => [1.0]).unwrap();
    let wide = df!("t" => [1_i64, 2, 4_000_000_000], "y" => [Some(1.0), None, Some(-3.0)]).unwrap();
    let nothing = df!("t" => [1_i64, 2], "y" => [None::<f64>, None]).unwrap();
    for frame in [one, wide, nothing] {
        let panel = Panel::from_frame(frame, Columns::new([""; 0], "t", "y").freq("1").unwrap()).unwrap();
        let page = text(&panel);
        assert!(!page.contains("NaN") && page.contains("How the data were read"), "{page}");
        assert!(panel.plot_quality().unwrap().svg().unwrap().starts_with("<svg"));
        assert!(panel.before("0").unwrap().plot_quality().unwrap().svg().unwrap().contains("No data"));
    }
}

#[test]
fn the_command_line_and_scripts_write_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_tradewind"))
        .args(["audit", "--data", "data/walmart_sales_weekly.csv", "--id", "Store,Dept", "--time", "Date"])
        .args(["--target", "Weekly_Sales", "--known", "MarkDown1", "--page"])
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let html = std::fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert!(html.contains("<svg") && html.contains("If an empty cell of a covariate means none"));
    assert!(folder.path().join("report.md").exists());
    let page = folder.path().join("script.html");
    let script = format!(
        r#"let sales = read_panel("data/walmart_sales_weekly.csv", columns(["Store", "Dept"], "Date", "Weekly_Sales").normalise("log1p"));
           sales.audit().report().save({page:?}); sales.plot_quality(); sales.normalised("box-cox").scales();
           if sales.plot_repairs() != () {{ throw "nothing was cleaned"; }}"#
    );
    tradewind::script::engine().run(&script).unwrap();
    assert!(page.exists());
}

/// The run's report has the pictures where there is something to see.
#[test]
fn a_runs_report_shows_marks_only_where_there_are_some() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dirty.csv");
    CsvWriter::new(std::fs::File::create(&file).unwrap()).finish(&mut dirty().to_frame()).unwrap();
    let mut plan = Plan::read_text(&format!(
        "data = {file:?}\nid = [\"store\"]\ntime = \"day\"\ntarget = \"sold\"\nmodels = \"naive\"\n\
         policy = \"duplicates=sum, gaps=fill, missing=linear, negatives=clip\""
    ))
    .unwrap();
    let page = plan.run().unwrap().report().unwrap().block().to_markdown();
    assert!(page.contains("Data quality over time") && page.contains("Before and after cleaning"), "{page}");
    plan = Plan::demo().unwrap();
    let page = plan.run().unwrap().report().unwrap().block().to_markdown();
    assert!(!page.contains("Data quality over time"), "{page}");
}
