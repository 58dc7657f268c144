//! Read right, or asked about: thousands with points, several sheets, periods as whole numbers, keys said once; and what
//! was found out and left out is a remark on stderr.

use std::path::Path;
use std::process::Command;

use tradewind::polars::prelude::*;

const FILES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/files");

struct Ran {
    code: i32,
    err: String,
    out: String,
}

fn tradewind(folder: &Path, args: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tradewind"));
    let output = command.args(args).current_dir(folder).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let ran = Ran { code: output.status.code().unwrap(), err: text(output.stderr), out: text(output.stdout) };
    assert!(!ran.err.contains("panicked"), "{}", ran.err);
    ran
}

/// A forecast by `model`, its rows as cells by name, and what was said.
fn forecast(
    folder: &Path,
    data: &str,
    columns: [&str; 3],
    model: &str,
    more: &[&str],
) -> (Ran, Vec<Vec<(String, String)>>) {
    let [id, time, target] = columns;
    let mut args = vec!["forecast", "--data", data, "--time", time, "--target", target, "--models", model];
    args.extend(["--out", "out.csv"]);
    if !more.contains(&"--horizon") {
        args.extend(["--horizon", "1"]);
    }
    if !id.is_empty() {
        args.extend(["--id", id]);
    }
    args.extend(more);
    let _ = std::fs::remove_file(folder.join("out.csv"));
    let ran = tradewind(folder, &args);
    let text = std::fs::read_to_string(folder.join("out.csv")).unwrap_or_default();
    let mut lines = text.lines().map(|line| line.split(',').map(String::from).collect::<Vec<_>>());
    let header = lines.next().unwrap_or_default();
    let rows = lines.map(|row| header.iter().cloned().zip(row).collect()).collect();
    (ran, rows)
}

fn cell<'a>(row: &'a [(String, String)], name: &str) -> &'a str {
    row.iter().find(|(known, _)| known == name).map_or("", |(_, cell)| cell)
}

fn mean(row: &[(String, String)]) -> f64 {
    cell(row, "mean").parse().unwrap()
}

/// `id;ds;y` with one row per cell, the dates written with points.
fn german(cells: &[&str]) -> String {
    let rows = cells.iter().enumerate().map(|(i, cell)| format!("a;{:02}.01.2024;{cell}\n", i + 1));
    format!("id;ds;y\n{}", rows.collect::<String>())
}

#[test]
fn points_between_thousands_are_not_decimal_points() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let read = |name: &str, more: &[&str]| forecast(at, name, ["id", "ds", "y"], "naive", more);
    let dozen =
        |cell: &str| (0..9).map(|i| format!("{}.{}", i % 3 + 1, 100 + i)).chain([cell.into()]).collect::<Vec<String>>();
    let write = |name: &str, cells: &[String]| {
        std::fs::write(at.join(name), german(&cells.iter().map(String::as_str).collect::<Vec<_>>())).unwrap();
    };
    // Every cell above 999 has a point, the others none: both readings are possible, and the error has both.
    for (name, last, point, comma) in [("all.csv", "1.250", "1.25", "1250"), ("some.csv", "987", "1.1", "1100")] {
        write(name, &dozen(last));
        let (ran, rows) = read(name, &[]);
        assert!(ran.code == 1 && rows.is_empty(), "{}", ran.err);
        let asked = ["`1.100`", "line 2", point, comma, "--reading \"decimal=','\"", "decimal = \".\""];
        assert!(asked[..2].iter().chain(&asked[4..]).all(|part| ran.err.contains(part)), "{}", ran.err);
        let (_, rows) = read(name, &["--reading", "decimal=','"]);
        assert_eq!(mean(&rows[0]), if last == "987" { 987.0 } else { 1250.0 });
        let (_, rows) = read(name, &["--reading", "decimal='.'"]);
        assert_eq!(mean(&rows[0]), if last == "987" { 987.0 } else { 1.25 });
    }
    // A cell settles it, in whatever column it stands.
    for (settles, value) in
        [("0.750", 0.75), ("12.5", 12.5), ("1234.567", 1234.567), ("1.250.000", 1_250_000.0), ("1,5", 1.5)]
    {
        write("settled.csv", &dozen(settles));
        let (ran, rows) = read("settled.csv", &[]);
        assert_eq!((ran.code, mean(&rows[0])), (0, value), "{settles}: {}", ran.err);
    }
    let priced = |price: &str| {
        let rows: String = (1..=9).map(|i| format!("a;2024-01-0{i};1.25{i};{price}\n")).collect();
        format!("id;ds;y;price\n{rows}")
    };
    for (price, value) in [("2,50", 1259.0), ("2.5", 1.259)] {
        std::fs::write(at.join("priced.csv"), priced(price)).unwrap();
        let (ran, rows) = read("priced.csv", &["--observed", "price"]);
        assert_eq!((ran.code, mean(&rows[0])), (0, value), "{price}: {}", ran.err);
    }
    // What speaks of the future, or is joined, is written as the history is.
    std::fs::write(at.join("h.csv"), priced("2,50")).unwrap();
    std::fs::write(at.join("f.csv"), "id;ds;price\na;2024-01-10;1.250\n").unwrap();
    let (ran, _) = read("h.csv", &["--known", "price", "--future", "f.csv"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    // Numbers that are numbers in their source are what they are.
    let lines: String = (1..=9).map(|i| format!("{{\"id\":\"a\",\"ds\":\"2024-01-0{i}\",\"y\":1.25{i}}}\n")).collect();
    std::fs::write(at.join("typed.ndjson"), lines).unwrap();
    assert_eq!(mean(&read("typed.ndjson", &[]).1[0]), 1.259);
    assert_eq!(mean(&read("typed.ndjson", &["--reading", "decimal=','"]).1[0]), 1.259);
    let months: String = (1..=9).map(|i| format!("{{\"id\":\"a\",\"ds\":2024.0{i},\"y\":1.25{i}}}\n")).collect();
    std::fs::write(at.join("months.ndjson"), months).unwrap();
    let (ran, rows) = read("months.ndjson", &["--time-format", "%Y.%m", "--freq", "MS"]);
    assert_eq!((ran.code, mean(&rows[0])), (0, 1.259), "{}", ran.err);
    let book = format!("{FILES}/decimals.xlsx");
    let (ran, rows) = forecast(at, &book, ["Shop", "Day", "Sold"], "naive", &["--observed", "Weight"]);
    assert_eq!((ran.code, mean(&rows[0])), (0, 9.234), "{}", ran.err);
}

#[test]
fn sheets_with_the_same_table_are_read_together_or_asked_about() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let months = format!("{FILES}/months.xlsx");
    let (ran, rows) = forecast(at, &months, ["Shop", "Day", "Sold"], "naive", &[]);
    assert_eq!((ran.code, cell(&rows[0], "Day")), (0, "2024-03-08"), "{}", ran.err);
    for part in
        ["3 sheets read as one: Jan, Feb, Mar", "sheets not read: Cover, Apr, hidden copy", "the header is in row 3"]
    {
        assert!(ran.err.contains(part), "{}", ran.err);
    }
    assert!(ran.err.contains("21 rows"), "{}", ran.err);
    let (ran, rows) = forecast(at, &months, ["Shop", "Day", "Sold"], "naive", &["--reading", "sheet=Feb"]);
    assert_eq!((ran.code, cell(&rows[0], "Day")), (0, "2024-02-08"), "{}", ran.err);
    // Sheets that say the same days twice may be anything: copies, plans, shops without their names.
    let tabs = format!("{FILES}/tabs.xlsx");
    let (ran, _) = forecast(at, &tabs, ["", "Day", "Sold"], "naive", &[]);
    assert_eq!(ran.code, 1);
    for part in ["2 sheets", "sheet South, line 2", "2024-01-01", "--reading \"sheet='North'\""] {
        assert!(ran.err.contains(part), "{}", ran.err);
    }
    let (ran, rows) = forecast(at, &tabs, ["", "Day", "Sold"], "naive", &["--reading", "sheet='South'"]);
    assert_eq!((ran.code, mean(&rows[0])), (0, 107.0), "{}", ran.err);
    let (_, rows) =
        forecast(at, &tabs, ["", "Day", "Sold"], "naive", &["--reading", "sheet='*'", "--policy", "duplicates=sum"]);
    assert_eq!(mean(&rows[0]), 114.0);
}

#[test]
fn whole_numbers_that_say_periods_are_dates() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let months: Vec<i32> = (0..24).map(|m| (2023 + m / 12) * 100 + m % 12 + 1).collect();
    let weeks: Vec<i32> = (1..=52).map(|week| 202_200 + week).chain((1..=8).map(|week| 202_300 + week)).collect();
    let days: Vec<i32> = (17..=30).map(|day| 20_240_600 + day).collect();
    let quarters: Vec<i32> = (0..10).map(|q| (2022 + q / 4) * 10 + q % 4 + 1).collect();
    let kinds = [
        ("months", &months, "2025-01-01", 0.0),
        ("weeks", &weeks, "2023-02-27", 8.0),
        ("days", &days, "2024-07-01", 7.0),
        ("quarters", &quarters, "2024-07-01", 6.0),
    ];
    for (kind, stamps, next, value) in kinds {
        let n = stamps.len() as i32;
        let y: Vec<f64> = (0..n).map(|i| f64::from(if kind == "months" { i % 12 } else { i })).collect();
        let mut frame = df!("id" => vec!["a"; stamps.len()], "t" => stamps.clone(), "y" => y).unwrap();
        CsvWriter::new(std::fs::File::create(at.join("p.csv")).unwrap()).finish(&mut frame).unwrap();
        ParquetWriter::new(std::fs::File::create(at.join("p.parquet")).unwrap()).finish(&mut frame).unwrap();
        for name in ["p.csv", "p.parquet"] {
            let (ran, rows) = forecast(at, name, ["id", "t", "y"], "seasonal_naive", &[]);
            assert_eq!(
                (ran.code, cell(&rows[0], "t"), mean(&rows[0])),
                (0, next, value),
                "{kind}, {name}: {}",
                ran.err
            );
            assert!(ran.err.contains("dates read as %"), "{kind}, {name}: {}", ran.err);
            // Who means numbers says so.
            let (ran, rows) = forecast(at, name, ["id", "t", "y"], "naive", &["--freq", "1"]);
            assert_eq!(
                (ran.code, cell(&rows[0], "t")),
                (0, (stamps[stamps.len() - 1] + 1).to_string().as_str()),
                "{kind}, {name}"
            );
        }
        let streamed = ["--data", "p.parquet", "--id", "id", "--time", "t", "--target", "y", "--models", "naive"];
        let more = ["--horizon", "1", "--stream", "--out", "s.parquet"];
        let ran = tradewind(at, &[&["forecast"], &streamed[..], &more].concat());
        assert!(ran.code == 0 && ran.err.contains("dates read as %"), "{kind}: {}", ran.err);
    }
    // One year of numbers up to 12 can be months or weeks.
    let rows: String = (1..=12).map(|i| format!("a,2024{i:02},{i}\n")).collect();
    std::fs::write(at.join("year.csv"), format!("id,t,y\n{rows}")).unwrap();
    let year = |more: &[&str]| forecast(at, "year.csv", ["id", "t", "y"], "naive", more);
    let (ran, _) = year(&[]);
    assert!(ran.code == 1 && ran.err.contains("months, weeks") && ran.err.contains("time_format"), "{}", ran.err);
    for (format, next) in [("%Y%m", "2025-01-01"), ("%G%V", "2024-03-25")] {
        let (ran, rows) = year(&["--time-format", format]);
        assert_eq!((ran.code, cell(&rows[0], "t")), (0, next), "{}", ran.err);
    }
    // The calendar of the history tells what a short future means.
    let rows: String = months.iter().map(|month| format!("a,{month},{},{}\n", month % 7, month % 2)).collect();
    std::fs::write(at.join("h.csv"), format!("id,t,y,promo\n{rows}")).unwrap();
    std::fs::write(at.join("f.csv"), "id,t,promo\na,202501,1\na,202502,0\n").unwrap();
    let more = ["--known", "promo", "--future", "f.csv", "--horizon", "2"];
    let (ran, rows) = forecast(at, "h.csv", ["id", "t", "y"], "regression", &more);
    assert_eq!((ran.code, rows.len()), (0, 2), "{}", ran.err);
}

#[test]
fn keys_said_once_per_block_are_those_of_the_rows_below() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let outline = |scattered: bool| {
        let mut text = String::from("store,ds,y\n");
        for (s, store) in ["N1", "N2", "S1"].iter().enumerate() {
            for m in 1..=9 {
                let said = m == 1 || (scattered && m % 4 == 2);
                text.push_str(&format!("{},2024-0{m}-01,{}\n", if said { store } else { "" }, 100 * s + m));
            }
        }
        text
    };
    let keys = |rows: &[Vec<(String, String)>], names: &[&str]| {
        rows.iter()
            .map(|row| names.iter().map(|name| cell(row, name)).collect::<Vec<_>>().join("/"))
            .collect::<Vec<_>>()
    };
    std::fs::write(at.join("outline.csv"), outline(false)).unwrap();
    let read = |name: &str, more: &[&str]| forecast(at, name, ["store", "ds", "y"], "naive", more);
    let (ran, rows) = read("outline.csv", &[]);
    assert_eq!((ran.code, keys(&rows, &["store"])), (0, vec!["N1".into(), "N2".into(), "S1".into()]), "{}", ran.err);
    assert_eq!(rows.iter().map(|row| mean(row)).collect::<Vec<_>>(), [9.0, 109.0, 209.0]);
    assert!(ran.err.contains("empty cells of `store` filled with the key above them: 24 rows"), "{}", ran.err);
    // Where it is not clear, it is asked about.
    std::fs::write(at.join("odd.csv"), outline(true).replace("N1,2024-02", "N1,2024-01")).unwrap();
    let (ran, _) = read("odd.csv", &["--policy", "duplicates=sum"]);
    assert!(ran.code == 1 && ran.err.contains("empty `store`") && ran.err.contains("fill_down"), "{}", ran.err);
    let (ran, rows) =
        read("odd.csv", &["--policy", "duplicates=sum, gaps=fill, missing=zero", "--reading", "fill_down=true"]);
    assert_eq!((ran.code, rows.len()), (0, 3), "{}", ran.err);
    // A key that is empty of its own right stays a series.
    let own: String = (1..=5).flat_map(|d| [format!("a,2024-01-0{d},1\n"), format!(",2024-01-0{d},2\n")]).collect();
    std::fs::write(at.join("own.csv"), format!("store,ds,y\n{own}")).unwrap();
    let (ran, rows) = read("own.csv", &[]);
    assert_eq!((ran.code, rows.len()), (0, 2), "{}", ran.err);
    assert!(ran.err.contains("rows with an empty `store`, treated as a key of its own: 5"), "{}", ran.err);
    for (book, said) in
        [("merged", "merged cells repeated for each of their rows: Region, Store"), ("blank", "`Region` and `Store`")]
    {
        let (ran, rows) =
            forecast(at, &format!("{FILES}/{book}.xlsx"), ["Region,Store", "Month", "Revenue"], "naive", &[]);
        assert_eq!(keys(&rows, &["Region", "Store"]), ["North/N1", "North/N2", "South/S1"], "{book}: {}", ran.err);
        assert!(ran.err.contains(said), "{book}: {}", ran.err);
    }
    // One column per date.
    let wide = "region,store,2024-01-01,2024-02-01,2024-03-01\nN,1,1,2,3\n,2,4,5,6\nS,3,7,8,9\n,4,1,1,1\n";
    std::fs::write(at.join("wide.csv"), wide).unwrap();
    let (ran, rows) = forecast(at, "wide.csv", ["region,store", "ds", "y"], "naive", &[]);
    assert_eq!(keys(&rows, &["region", "store"]), ["N/1", "N/2", "S/3", "S/4"], "{}", ran.err);
}

#[test]
fn what_was_found_and_left_out_is_said_by_every_verb() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let rows: String = (0..40)
        .map(|i| format!("Köln;{:02}.{:02}.2024;{},5;x;{}\n", i % 28 + 1, i / 28 + 1, 10 + i % 7, i % 2))
        .collect();
    let text = format!("Report\nid;ds;y;note;promo\n{rows}");
    std::fs::write(at.join("g.csv"), text.chars().map(|c| c as u8).collect::<Vec<u8>>()).unwrap();
    let columns = ["--data", "g.csv", "--id", "id", "--time", "ds", "--target", "y"];
    let wanted = [
        "g.csv: encoding windows-1252",
        "g.csv: cells separated by semicolons",
        "g.csv: the header is on line 2",
        "g.csv: numbers with decimal commas",
        "g.csv: dates read as %d.%m.%Y",
        "g.csv: columns not read: note, promo",
    ];
    std::fs::write(at.join("plan.toml"), "").unwrap();
    std::fs::write(at.join("read.rhai"), "read_panel(\"g.csv\", columns([\"id\"], \"ds\", \"y\"));").unwrap();
    let verbs: [(&[&str], bool); 9] = [
        (&["audit"], true),
        (&["clean", "--dry-run"], true),
        (&["backtest", "--models", "naive", "--horizon", "2", "--folds", "2"], false),
        (&["tune", "--models", "ridge", "--horizon", "2", "--folds", "3", "--search", "trials=2"], false),
        (&["fit", "--models", "naive", "--horizon", "2", "--save", "f.fits"], false),
        (&["forecast", "--models", "naive", "--horizon", "2", "--out", "f.csv"], true),
        (&["report", "--models", "naive", "--horizon", "2", "--folds", "2", "--out", "r", "--slides", "s"], true),
        (&["run", "plan.toml", "--models", "naive", "--horizon", "2", "--folds", "2", "--out", "run"], true),
        (&["script", "read.rhai"], false),
    ];
    for (verb, json) in verbs {
        let columns: &[&str] = if verb[0] == "script" { &[] } else { &columns };
        let ran = tradewind(at, &[verb, columns].concat());
        assert_eq!(ran.code, 0, "{verb:?}: {}", ran.err);
        for part in wanted {
            assert_eq!(ran.err.matches(part).count(), 1, "{verb:?} says {part} once: {}", ran.err);
        }
        if verb[0] == "script" {
            continue;
        }
        let ran = tradewind(at, &[verb, columns, &["-q", "--json"]].concat());
        assert!(ran.code == 0 && ran.err.is_empty(), "{verb:?}: {}", ran.err);
        if json {
            let value: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
            let read = value["read"].to_string();
            assert!(wanted.iter().all(|part| read.contains(part.trim_start_matches("g.csv: "))), "{verb:?}: {read}");
        }
    }
    // The plainest file, read whole: nothing beyond the calendar is said.
    let plain: String = (1..=9).map(|i| format!("a,2024-01-0{i},{i}\n")).collect();
    std::fs::write(at.join("plain.csv"), format!("id,ds,y\n{plain}")).unwrap();
    let ran = tradewind(at, &["audit", "--data", "plain.csv", "--id", "id"]);
    assert_eq!((ran.code, ran.err.lines().count()), (0, 1), "{}", ran.err);
    // A joined file says how it was read, too.
    std::fs::write(at.join("w.csv"), "ds;rain\n2024-01-01;1,5\n2024-01-02;2,5\n").unwrap();
    let ran = tradewind(
        at,
        &["clean", "--data", "plain.csv", "--id", "id", "--join", "w.csv(on=[ds], observed=[rain])", "--dry-run"],
    );
    assert!(ran.code == 0 && ran.err.contains("w.csv: cells separated by semicolons"), "{}", ran.err);
}

/// Six weeks of days whose sales repeat every week from 10 on Monday to 70 on Sunday, dates written by `write`.
fn six_weeks(write: impl Fn(chrono::NaiveDate) -> String) -> String {
    let monday = chrono::NaiveDate::from_ymd_opt(2024, 1, 1).unwrap();
    let row = |i: i64| format!("a;{};{}\n", write(monday + chrono::TimeDelta::days(i)), (i % 7 + 1) * 10);
    format!("shop;day;y\n{}", (0..42).map(row).collect::<String>())
}

#[test]
fn dates_as_people_write_them() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let days = |date: chrono::NaiveDate| (date - chrono::NaiveDate::from_ymd_opt(1970, 1, 1).unwrap()).num_days();
    let files: [(&str, String); 9] = [
        ("twelve.csv", six_weeks(|date| date.format("%-m/%-d/%Y 12:00:00 AM").to_string())),
        ("utc.csv", six_weeks(|date| date.format("%Y-%m-%d 00:00:00 UTC").to_string())),
        ("named.csv", six_weeks(|date| date.format("%d-%b-%y").to_string())),
        ("long.csv", six_weeks(|date| date.format("%A, %B %d, %Y").to_string())),
        (
            "german.csv",
            six_weeks(|date| {
                date.format("%-d. %m %Y").to_string().replace(" 01 ", " Jänner ").replace(" 02 ", " Februar ")
            }),
        ),
        ("sheet.csv", six_weeks(|date| (days(date) + 25_569).to_string())),
        ("unix.csv", six_weeks(|date| (days(date) * 86_400).to_string())),
        ("millis.csv", six_weeks(|date| (days(date) * 86_400_000).to_string())),
        (
            "halves.csv",
            six_weeks(|date| date.format("%Y-%m-%d;12:00:00 AM").to_string()).replacen("day", "day;clock", 1),
        ),
    ];
    for (name, text) in files {
        std::fs::write(at.join(name), text).unwrap();
        let time = if name == "halves.csv" { "day+clock" } else { "day" };
        let (ran, rows) = forecast(at, name, ["shop", time, "y"], "seasonal_naive", &["--horizon", "7"]);
        assert_eq!(ran.code, 0, "{name}: {}", ran.err);
        assert!(cell(&rows[0], time).starts_with("2024-02-12"), "{name}: {rows:?}");
        assert_eq!((mean(&rows[0]), mean(&rows[6])), (10.0, 70.0), "{name}");
    }
    let ran = tradewind(at, &["audit", "--data", "halves.csv", "--id", "shop", "--time", "day,clock", "--target", "y"]);
    assert!(ran.code == 1 && ran.err.contains("day+clock"), "{}", ran.err);
}

#[test]
fn amounts_as_people_write_them() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let last = |cells: &[&str]| {
        let rows: String =
            cells.iter().enumerate().map(|(i, cell)| format!("a;2024-01-{:02};{cell}\n", i + 1)).collect();
        std::fs::write(at.join("m.csv"), format!("shop;day;y\n{rows}")).unwrap();
        let (ran, rows) = forecast(at, "m.csv", ["shop", "day", "y"], "naive", &[]);
        (rows.first().map(|row| mean(row)), ran.err)
    };
    for (cells, value) in [
        (["US$12.00", "US$999.00", "US$1,234.56"], 1234.56),
        (["12,00 EUR", "999,00 EUR", "1.234,56 EUR"], 1234.56),
        (["CHF 12.00", "12.-", "CHF 1’234.-"], 1234.0),
        (["12,-", "-12,-", "1.234,-"], 1234.0),
        (["₹12.50", "₹999", "₹12,34,567.50"], 1_234_567.5),
        (["$12.00", "$5.00", "-$1,234.50"], -1234.5),
        (["12.50", "5.25", "1234.50-"], -1234.5),
        (["$12.00", "$1,005.00", "$ -"], 0.0),
    ] {
        let (seen, said) = last(&cells);
        assert_eq!(seen, Some(value), "{cells:?}: {said}");
    }
    let (seen, said) = last(&["$12.00", "13.00", "€14.00"]);
    assert!(
        seen.is_none() && ["`$12.00` in line 2", "`€14.00` in line 4"].iter().all(|part| said.contains(part)),
        "{said}"
    );
}
