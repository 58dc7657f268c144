//! Any sales file: what is not stated is found out, what is found out is said, and what cannot be read is said in one
//! sentence.

use std::io::Write;
use std::path::{Path, PathBuf};

use tradewind::prelude::*;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }
}

fn simple() -> Columns {
    Columns::new(["id"], "ds", "y")
}

fn refused(path: impl AsRef<Path>, columns: Columns, reading: &str, parts: &[&str]) {
    let error = Panel::read_as(path, columns, &Reading::parse(reading).unwrap()).expect_err("it must be refused");
    let text = error.to_string();
    assert!(parts.iter().all(|part| text.contains(part)), "`{text}` lacks one of {parts:?}");
    assert!(text.lines().count() == 1, "one sentence, not a page: {text}");
}

/// The targets of a panel in order, NaN where missing.
fn targets(panel: &Panel) -> Vec<f64> {
    let frame = panel.to_frame();
    let column = frame.column("y").unwrap().f64().unwrap().clone();
    column.iter().map(|y| y.unwrap_or(f64::NAN)).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

const PLAIN: &str = "id,ds,y\na,2024-01-01,1.5\na,2024-01-02,1234.5\nb,2024-01-01,-3\nb,2024-01-02,\n";

#[test]
fn one_table_in_any_dress_is_one_panel() {
    let folder = Folder::new();
    let plain = Panel::read(folder.file("plain.csv", PLAIN), simple()).unwrap();
    let german = "id;ds;y\na;01.01.2024;1,5\na;02.01.2024;1.234,5\nb;01.01.2024;-3\nb;02.01.2024;\n";
    let sixteen: Vec<u8> = std::iter::once(0xfeff_u16).chain(PLAIN.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let lines: String = PLAIN
        .lines()
        .skip(1)
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            let y = if cells[2].is_empty() { "null" } else { cells[2] };
            format!("{{\"id\": \"{}\", \"ds\": \"{}\", \"y\": {y}, \"more\": [1, 2]}}\n", cells[0], cells[1])
        })
        .collect();
    let array = format!("[{}]", lines.trim_end().replace('\n', ","));
    let dresses: Vec<(&str, Vec<u8>)> = vec![
        ("semicolons.csv", german.into()),
        ("tabs.tsv", PLAIN.replace(',', "\t").into()),
        ("bars.txt", PLAIN.replace(',', "|").into()),
        ("quoted.csv", PLAIN.replace("2024-01-01", "\"2024-01-01\"").into()),
        ("apostrophes.csv", PLAIN.replace("2024-01-01", "'2024-01-01'").into()),
        ("crlf.csv", PLAIN.replace('\n', "\r\n").into()),
        ("mark.csv", [b"\xef\xbb\xbf", PLAIN.as_bytes()].concat()),
        ("sixteen.csv", sixteen),
        ("excel.csv", format!("sep=;\n{german}").into()),
        ("title.csv", format!("Sales by shop,,\nof 2024,,\n\n{PLAIN}").into()),
        ("blanks.csv", PLAIN.replace("id,ds,y", " id , ds,y ").into()),
        ("money.csv", PLAIN.replace("1234.5", "\"$1,234.50\"").replace("-3", "(3.00)").into()),
        ("packed.csv.gz", gzip(PLAIN.as_bytes())),
        ("misnamed.csv", gzip(PLAIN.as_bytes())),
        ("packed.csv.zst", zstd::encode_all(PLAIN.as_bytes(), 3).unwrap()),
        ("lines.ndjson", lines.clone().into()),
        ("lines.jsonl.gz", gzip(lines.as_bytes())),
        ("list.json", array.into()),
        ("wide.csv", "id,2024-01-01,2024-01-02\na,1.5,1234.5\nb,-3,\n".into()),
    ];
    for (name, bytes) in dresses {
        let panel = Panel::read(folder.file(name, bytes), simple()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(panel.keys(), plain.keys(), "{name}");
        // A wide file says nothing of a day after the last one it has a value for.
        let rows = if name == "wide.csv" { 3 } else { 4 };
        assert_eq!(panel.rows(), rows, "{name}");
        assert_eq!(targets(&panel)[..3], [1.5, 1234.5, -3.0], "{name}");
        assert_eq!(panel.span(), ("2024-01-01".into(), "2024-01-02".into()), "{name}");
    }
}

#[test]
fn what_was_found_out_is_said() {
    let folder = Folder::new();
    let path = folder.file("g.csv", "id;ds;y\nä;01.02.2024;1,5\nä;13.02.2024;2,5\nä;25.02.2024;2,5\n");
    let said = Panel::read(path, simple()).unwrap().to_string();
    for part in ["semicolons", "decimal commas", "dates read as %d.%m.%Y"] {
        assert!(said.contains(part), "{said}");
    }
    let latin: Vec<u8> = "id,ds,y\nKöln,2024-01-01,1\nKöln,2024-01-02,2\n".chars().map(|c| c as u8).collect();
    let panel = Panel::read(folder.file("latin.csv", &latin), simple()).unwrap();
    assert_eq!(panel.keys(), ["id=Köln"]);
    assert!(panel.to_string().contains("encoding windows-1252"), "{panel}");
    // The first byte that is no UTF-8 stands far below what is looked at first.
    let mut long = String::from("id,ds,y\n");
    for day in 0..20_000 {
        long.push_str(&format!("Essen,{},{day}\n", chrono::NaiveDate::default() + chrono::Days::new(day)));
    }
    let mut bytes = long.into_bytes();
    bytes.extend(latin[8..].iter());
    let panel = Panel::read(folder.file("late.csv", bytes), simple()).unwrap();
    assert_eq!(panel.keys(), ["id=Essen", "id=Köln"]);
    let stated = Panel::read_as(folder.path("latin.csv"), simple(), &Reading::parse("encoding=latin1").unwrap());
    assert_eq!(stated.unwrap().keys(), ["id=Köln"]);
}

#[test]
fn numbers_that_can_be_read_two_ways_are_asked_about() {
    let folder = Folder::new();
    let path = folder.file("n.csv", "id;ds;y\na;2024-01-01;1,234\na;2024-01-02;2,345\n");
    refused(&path, simple(), "", &["`1,234`", "line 2", "decimal = \".\" or decimal = \",\""]);
    let read = |reading: &str| targets(&Panel::read_as(&path, simple(), &Reading::parse(reading).unwrap()).unwrap());
    assert_eq!(read("decimal=','"), [1.234, 2.345]);
    assert_eq!(read("decimal='.'"), [1234.0, 2345.0]);
}

#[test]
fn workbooks_are_read_from_the_sheet_and_row_that_fit() {
    let columns = || Columns::new(["Shop"], "Day", "Sold").known(["Promo"]);
    let panel = Panel::read("tests/files/shops.xlsx", columns()).unwrap();
    assert_eq!((panel.rows(), panel.keys()), (20, vec!["Shop=7".to_string(), "Shop=12".into()]));
    let said = panel.to_string().replace('\n', " ");
    assert!(said.contains("sheet 2024; the header is in row 3"), "{said}");
    let audit = panel.audit().unwrap();
    assert_eq!((audit.count("missing"), audit.count("gaps")), (2, 0));
    let reading = |sheet: &str| Reading { sheet: Some(sheet.into()), ..Reading::default() };
    let error = Panel::read_as("tests/files/shops.xlsx", columns(), &reading("2025")).unwrap_err();
    assert!(error.to_string().contains("no sheet `2025`, did you mean `2024`?"), "{error}");
    let wide = Panel::read("tests/files/wide.xlsx", Columns::new(["Shop"], "ds", "y")).unwrap();
    assert_eq!((wide.rows(), wide.audit().unwrap().count("missing")), (8, 1));
}

#[test]
fn a_folder_or_a_pattern_is_one_panel() {
    let folder = Folder::new();
    folder.file("2023.csv", "id,ds,y\n007,2023-12-30,1\n007,2023-12-31,2\n");
    folder.file("2024.csv.gz", gzip(b"ds;id;y\n2024-01-01;007;3\n2024-01-02;007;x\n2024-01-03;007;5\n"));
    folder.file(".hidden.csv", "no table");
    folder.file("README.md", "no table");
    for place in [folder.0.path().to_path_buf(), folder.path("20*")] {
        let panel = Panel::read(&place, simple()).unwrap();
        assert_eq!((panel.rows(), panel.keys()), (5, vec!["id=007".to_string()]), "{}", place.display());
        assert!(panel.to_string().contains("2 files read as one"), "{panel}");
        let error = panel.fit(["naive"]).unwrap_err().to_string();
        assert!(error.contains("`x` (line 3 of ") && error.contains("2024.csv.gz"), "{error}");
    }
    refused(folder.path("19*"), simple(), "", &["names no file"]);
    std::fs::create_dir(folder.path("empty")).unwrap();
    refused(folder.path("empty"), simple(), "", &["is a directory without a file that can be read"]);
    folder.file("2025.csv", "id,ds,sold\n007,2025-01-01,1\n");
    refused(folder.0.path(), simple(), "", &["2025.csv has no column `y`"]);
}

#[test]
fn partitioned_folders_give_their_columns() {
    let folder = Folder::new();
    let put = |name: &str, content: &str| {
        let path = folder.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    };
    put("sales/shop=1%2F2/year=2024/part-0.csv", "ds,y\n2024-01-01,1\n2024-01-02,2\n");
    put("sales/shop=1%2F2/year=2025/part-0.csv", "ds,y\n2025-01-01,3\n");
    put("sales/shop=b/year=2024/part-0.csv", "ds,y,shop\n2024-01-01,5,b\n2024-01-02,6,b\n");
    put("sales/shop=__HIVE_DEFAULT_PARTITION__/year=2024/part-0.csv", "ds,y\n2024-01-01,7\n2024-01-02,8\n");
    put("sales/_SUCCESS", "");
    put("sales/shop=b/year=2024/.part-0.csv.crc", "crc");
    put("sales/_temporary/0/shop=b/part-0.csv", "ds,y\n2024-01-01,5\n");
    let columns = || Columns::new(["shop"], "ds", "y");
    for place in ["sales", "sales/*/*/*.csv", "sales/shop=*", "sales/**/*.csv"] {
        let panel = Panel::read(folder.path(place), columns()).unwrap_or_else(|error| panic!("{place}: {error}"));
        assert_eq!(panel.keys(), ["shop=(missing)", "shop=1/2", "shop=b"], "{place}");
        assert_eq!(targets(&panel), [7.0, 8.0, 1.0, 2.0, 3.0, 5.0, 6.0], "{place}");
        let said = panel.remarks().join("; ");
        assert!(said.contains("columns from the names of folders: shop"), "{said}");
        assert!(said.contains("columns not read: year"), "{said}");
    }
    // Years are numbers, as a key of a file would be.
    let years = Panel::read(folder.path("sales/shop=1%2F2"), Columns::new(["year"], "ds", "y")).unwrap();
    let year = years.to_frame().column("year").unwrap().dtype().clone();
    assert_eq!((years.len(), year), (2, tradewind::polars::prelude::DataType::Int64));
    put("sales/shop=b/year=2025/part-0.csv", "ds,y,shop\n2025-01-01,5,c\n");
    refused(folder.path("sales"), columns(), "", &["in a folder shop=b", "`shop` says `c`"]);
    let table = Table::new(Panel::read("tests/files/wide.xlsx", Columns::new(["Shop"], "ds", "y")).unwrap().to_frame());
    let _read = Panel::read(folder.path("sales/shop=1%2F2"), Columns::new([""; 0], "ds", "y"));
    let error = table.save(folder.path("sales/shop=1%2F2/year=2024/new.csv")).unwrap_err().to_string();
    assert!(error.contains("among the data"), "{error}");
}

#[test]
fn rows_that_are_no_sales_are_left_out_and_named() {
    let folder = Folder::new();
    let table = "id,ds,y\na,2024-01-01,1\na,2024-01-02,2\n";
    let said = |name: &str, body: &str| {
        let panel = Panel::read(folder.file(name, body), simple()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(targets(&panel), [1.0, 2.0], "{name}");
        panel.remarks().join("; ")
    };
    for (name, below, remark) in [
        ("total.csv", "Total,,3\n", "line 4 left out, below the table: Total"),
        ("empty.csv", ",,3\n", "line 4 left out, below the table"),
        ("note.csv", "\nGenerated on 2024-01-03 08:00\n", "line 5 left out, below the table: Generated on"),
        ("psql.csv", "(2 rows)\n", "line 4 left out, below the table: (2 rows)"),
        ("short.csv", "Grand Total,3\n", "line 4 left out, below the table: Grand Total"),
        ("header.csv", "id,ds,y\n", "line 4 left out, the header again"),
    ] {
        let remarks = said(name, &format!("{table}{below}"));
        assert!(remarks.contains(remark), "{name}: {remarks}");
    }
    assert!(
        said("dashes.csv", &table.replacen('\n', "\n--,----------,---\n", 1)).contains("line 2 left out, empty or of")
    );
    for (name, row, parts) in [
        ("middle.csv", "Total,,1\n", ["line 3", "stray=drop"]),
        ("long.csv", "a,2024-01-05,1,5\n", ["line 3", "stray=drop"]),
    ] {
        let path = folder.file(name, table.replace("a,2024-01-02", &format!("{row}a,2024-01-02")));
        refused(&path, simple(), "", &parts);
        let panel = Panel::read_as(&path, simple(), &Reading::parse("stray=drop").unwrap()).unwrap();
        assert_eq!(targets(&panel), [1.0, 2.0]);
        assert!(panel.remarks().join("; ").contains("line 3 left out, no sales"), "{:?}", panel.remarks());
    }
    // A file that was cut off, a date that is none: each may be a sale.
    refused(folder.file("cut.csv", format!("{table}a,2024-01-0")), simple(), "", &["line 4", "2 cells"]);
    refused(folder.file("leap.csv", format!("{table}a,2024-02-30,5\n")), simple(), "", &["`2024-02-30`", "line 4"]);
    let swallowed = "id,ds,y\n\"a,2024-01-01,1\na,2024-01-02,2\na\",2024-01-03,3\na,2024-01-04,4\n";
    refused(folder.file("quote.csv", swallowed), simple(), "", &["line 2", "opened by mistake"]);
}

#[test]
fn formulas_that_nobody_has_calculated_are_no_zeros() {
    use rust_xlsxwriter::{Formula, Workbook};
    let folder = Folder::new();
    let book = |name: &str, result: Option<&str>, from: u32| {
        let mut book = Workbook::new();
        let sheet = book.add_worksheet();
        for (column, title) in ["id", "ds", "y"].iter().enumerate() {
            sheet.write(0, column as u16, *title).unwrap();
        }
        for row in 1..9 {
            sheet.write(row, 0, "a").unwrap();
            sheet.write(row, 1, format!("2024-01-0{row}")).unwrap();
            if row < from {
                sheet.write(row, 2, f64::from(row)).unwrap();
            } else {
                let formula = Formula::new(format!("={row}*2"));
                let formula = result.map_or(formula.clone(), |result| formula.clone().set_result(result));
                sheet.write_formula(row, 2, formula).unwrap();
            }
        }
        book.save(folder.path(name)).unwrap();
        folder.path(name)
    };
    refused(book("zeros.xlsx", None, 1), simple(), "", &["column `y`", "8 formulas", "never calculated", "row 2"]);
    refused(book("empty.xlsx", Some(""), 1), simple(), "", &["8 formulas", "save it"]);
    refused(book("partly.xlsx", None, 6), simple(), "", &["3 formulas", "row 7"]);
    let panel = Panel::read(book("done.xlsx", Some("12"), 6), simple()).unwrap();
    assert_eq!(targets(&panel), [1.0, 2.0, 3.0, 4.0, 5.0, 12.0, 12.0, 12.0]);
}

#[test]
fn transactions_become_days() {
    let folder = Folder::new();
    let path = folder.file(
        "t.csv",
        "id,ds,y,price\na,2024-01-01 09:12:03,1,10\na,2024-01-01 17:40:00,2,20\na,2024-01-03 08:00:00,4,5\n\
         b,2024-01-02 12:00:00,,7\nb,2024-01-03 12:00:00,8,7\n",
    );
    let columns = simple().known(["price"]);
    let panel = Panel::read_as(&path, columns.clone(), &Reading::parse("per=D").unwrap()).unwrap();
    assert_eq!(panel.frequency().to_string(), "daily");
    assert_eq!(panel.rows(), 4);
    let frame = panel.to_frame();
    assert_eq!(frame.column("price").unwrap().f64().unwrap().get(0), Some(15.0));
    assert_eq!(targets(&panel)[..2], [3.0, 4.0]);
    assert!(targets(&panel)[2].is_nan());
    assert!(panel.to_string().contains("5 transactions summed by D"), "{panel}");
    refused(&path, columns, "per=W-SUN", &["by the day or a part of it", "aggregate"]);
}

#[test]
fn stamps_with_offsets_are_told_by_one_clock() {
    let folder = Folder::new();
    let path = folder.file(
        "z.csv",
        "id,ds,y\na,2024-03-30T23:00:00+00:00,1\na,2024-03-31T00:00:00+01:00,2\na,2024-03-31T04:00:00+02:00,3\n",
    );
    refused(&path, simple(), "", &["another offset from UTC", "line 3", "time_zone"]);
    let panel =
        Panel::read_as(&path, simple().freq("h").unwrap(), &Reading::parse("time_zone='Europe/Berlin'").unwrap());
    let panel = panel.unwrap();
    assert_eq!(panel.span(), ("2024-03-31".into(), "2024-03-31 04:00".into()));
    assert!(panel.to_string().contains("time zone Europe/Berlin"), "{panel}");
    refused(&path, simple(), "time_zone='Europe/Berln'", &["did you mean `Europe/Berlin`?"]);
    let utc = folder.file("utc.csv", "id,ds,y\na,2024-03-30T22:00:00Z,1\na,2024-03-30T23:00:00Z,2\n");
    assert_eq!(Panel::read(utc, simple()).unwrap().span().1, "2024-03-30 23:00");
}

#[test]
fn months_weeks_and_quarters_are_dates() {
    let folder = Folder::new();
    for (name, stamps, span, frequency) in [
        ("m.csv", ["2024-01", "2024-02", "2024-03"], ("2024-01-01", "2024-03-01"), "monthly (first day)"),
        ("b.csv", ["Jan 2024", "Feb 2024", "Mar 2024"], ("2024-01-01", "2024-03-01"), "monthly (first day)"),
        ("w.csv", ["2020-W52", "2020-W53", "2021-W01"], ("2020-12-21", "2021-01-04"), "weekly (Mondays)"),
        ("q.csv", ["2023Q3", "2023Q4", "2024Q1"], ("2023-07-01", "2024-01-01"), "quarterly (first day)"),
        ("y.csv", ["03/25/24", "03/26/24", "03/27/24"], ("2024-03-25", "2024-03-27"), "daily"),
    ] {
        let rows: String = stamps.iter().map(|stamp| format!("a,{stamp},1\n")).collect();
        let panel = Panel::read(folder.file(name, format!("id,ds,y\n{rows}")), simple()).unwrap();
        assert_eq!(panel.span(), (span.0.to_string(), span.1.to_string()), "{name}");
        assert_eq!(panel.frequency().to_string(), frequency, "{name}");
    }
}

#[test]
fn broken_text_is_refused_with_its_line() {
    let folder = Folder::new();
    let of = |name: &str, body: &str| folder.file(name, body);
    refused(
        of("mixed.csv", "id,ds,y\na,2024-01-01,1\na,13.01.2024,2\n"),
        simple(),
        "",
        &["`13.01.2024`", "line 3", "%Y-%m-%d"],
    );
    refused(
        of("leap.csv", "id,ds,y\na,2023-02-28,1\na,2023-02-29,2\n"),
        simple(),
        "",
        &["`2023-02-29`", "line 3", "not a date"],
    );
    refused(
        of("ragged.csv", "id,ds,y\na,2024-01-01,1\na,2024-01-02\n"),
        simple(),
        "",
        &["line 3", "2 cells", "header has 3"],
    );
    refused(of("more.csv", "id,ds,y\na,2024-01-01,1\n\na,2024-01-02,1,5\n"), simple(), "", &["line 4", "4 cells"]);
    refused(
        of("quote.csv", "id,ds,y\na,2024-01-01,1\n\"b,2024-01-02,2\nc,2024-01-03,3\n"),
        simple(),
        "",
        &["a quote that opens on line 3", "never closed"],
    );
    refused(
        of("last.csv", "id,ds,y\na,2024-01-01,1\nb,2024-01-02,\"2\nc,2024-01-03,3\n"),
        simple(),
        "",
        &["a quote that opens on line 3", "never closed"],
    );
    refused(of("twice.csv", "id,ds,y,y\na,2024-01-01,1,2\n"), simple(), "", &["2 columns named `y`"]);
    refused(
        of("text.csv", "id,ds,y\na,2024-01-01,red\na,2024-01-02,blue\n"),
        simple(),
        "",
        &["`red`", "line 2", "not a number", "1 more of 2 cells"],
    );
    refused(of("nothing.json", "{}"), simple(), "", &["nothing.json"]);
    refused(
        of("half.ndjson", "{\"id\":\"a\",\"ds\":\"2024-01-01\",\"y\":1}\n{\"id\":\"a\","),
        simple(),
        "",
        &["line 2", "not a JSON object"],
    );
    refused(
        of("nested.ndjson", "{\"id\":\"a\",\"ds\":\"2024-01-01\",\"y\":[1]}\n"),
        simple(),
        "",
        &["`y` on line 1", "a list or an object"],
    );
    refused(of("cut.csv.gz", ""), simple(), "", &["is empty"]);
    folder.file("cut.csv.gz", &gzip(PLAIN.as_bytes())[..30]);
    refused(folder.path("cut.csv.gz"), simple(), "", &["does not unpack as gzip"]);
    refused(of("no.xlsx", "not a workbook"), simple(), "", &["not a readable workbook"]);
    let two: Vec<u8> = "id,ds,y\n\u{e4},2024-01-01,1\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    refused(folder.file("unmarked.csv", two), simple(), "", &["bytes that are not text"]);
}

#[test]
fn what_would_fill_the_memory_is_refused() {
    let folder = Folder::new();
    // 700 MB of one line, packed to less than a megabyte.
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(b"id,ds,y\n").unwrap();
    let block = vec![b'7'; 1 << 20];
    for _ in 0..100 {
        encoder.write_all(&block).unwrap();
    }
    let line = folder.file("line.csv.gz", encoder.finish().unwrap());
    refused(line, simple(), "", &["a row of more than 64 MB"]);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(b"id,ds,y,note\n").unwrap();
    let rows = "a,2024-01-01,1,\n".repeat(1 << 16);
    for _ in 0..300 {
        encoder.write_all(rows.as_bytes()).unwrap();
    }
    let bomb = folder.file("bomb.csv.gz", encoder.finish().unwrap());
    refused(bomb, simple(), "", &["unpacks to more than 200 times its size"]);
    let wide: String = (0..10_000).map(|i| format!(",c{i}")).collect();
    let row: String = (0..10_000).map(|_| ",1").collect();
    let path = folder.file("wide.csv", format!("id,ds,y{wide}\na,2024-01-01,1{row}\na,2024-01-02,1{row}\n"));
    assert_eq!(Panel::read(path, simple()).unwrap().rows(), 2);
}

#[test]
fn any_text_may_be_a_key() {
    let folder = Folder::new();
    let keys = ["🛒 shop", "with \"\"quotes\"\"", "two\nlines", "متجر", "a;b|c", " blank ", "NA", "=1+1", "<b>&</b>"];
    let rows: String = keys.iter().map(|key| format!("\"{key}\",2024-01-01,1\n\"{key}\",2024-01-02,2\n")).collect();
    let panel = Panel::read(folder.file("k.csv", format!("id,ds,y\n{rows}")), simple()).unwrap();
    let mut wanted: Vec<String> = keys.iter().map(|key| format!("id={}", key.replace("\"\"", "\""))).collect();
    wanted.sort();
    assert_eq!(panel.keys(), wanted);
    let back = folder.path("k.parquet");
    panel.save(&back).unwrap();
    assert_eq!(Panel::open(&back).unwrap().keys(), wanted);
    let html = panel.block().to_html();
    assert!(!html.contains("<b>&") && html.contains("&lt;b&gt;"), "keys are escaped");
}

#[test]
fn a_saved_panel_comes_back_with_its_roles() {
    let folder = Folder::new();
    let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales")
        .known(["IsHoliday", "MarkDown1"])
        .observed(["Temperature"])
        .fixed(["Type", "Size"])
        .season(26);
    let panel = Panel::read("data/walmart_sales_weekly.csv", columns).unwrap();
    let path = folder.path("kept.parquet");
    panel.save(&path).unwrap();
    let back = Panel::open(&path).unwrap();
    assert!(back.to_frame().equals_missing(&panel.to_frame()));
    assert_eq!((back.season(), back.frequency()), (26, panel.frequency()));
    assert_eq!(back.columns().names(), panel.columns().names());
    let twice = folder.path("twice.parquet");
    back.save(&twice).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), std::fs::read(&twice).unwrap());
    let plan = Plan::read_text(&format!("data = {:?}", path.display().to_string())).unwrap();
    assert_eq!(plan.read_panel().unwrap().season(), 26);
    let error = Panel::open("data/walmart_sales_weekly.csv").unwrap_err();
    assert!(error.to_string().contains("does not say which columns"), "{error}");
}

#[test]
fn a_nested_column_is_refused_and_a_decimal_one_read() {
    use tradewind::polars::prelude::*;
    let folder = Folder::new();
    let path = folder.path("n.parquet");
    let lists = Series::new("y".into(), [Series::new("".into(), [1.0, 2.0]), Series::new("".into(), [3.0])]);
    let mut frame = df!("id" => ["a", "a"], "ds" => ["2024-01-01", "2024-01-02"], "z" => ["1.50", "2.25"]).unwrap();
    frame.with_column(lists.into_column()).unwrap();
    let decimal = frame.column("z").unwrap().cast(&DataType::Decimal(10, 2)).unwrap();
    frame.with_column(decimal).unwrap();
    let category = frame.column("id").unwrap().cast(&DataType::from_categories(Categories::global())).unwrap();
    frame.with_column(category).unwrap();
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes).finish(&mut frame).unwrap();
    std::fs::write(&path, bytes).unwrap();
    refused(&path, simple(), "", &["column `y`", "nested"]);
    let panel = Panel::read(&path, Columns::new(["id"], "ds", "z")).unwrap();
    assert_eq!(panel.rows(), 2);
}

#[cfg(feature = "sql")]
mod sql {
    use super::*;

    #[test]
    fn a_query_of_a_sqlite_file() {
        let folder = Folder::new();
        let path = folder.path("shop.sqlite");
        let database = rusqlite::Connection::open(&path).unwrap();
        database
            .execute_batch(
                "create table sales (id integer, ds text, y real, note blob);
                 insert into sales values (1, '2024-01-01', 2.5, null), (1, '2024-01-02', null, x'00ff'), (2, '2024-01-02', 4, null);",
            )
            .unwrap();
        drop(database);
        let ask = |query: &str| Reading { query: Some(query.into()), ..Reading::default() };
        let panel = Panel::read_as(&path, simple(), &ask("select id, ds, y from sales order by y desc;")).unwrap();
        assert_eq!((panel.rows(), panel.keys()), (3, vec!["id=1".to_string(), "id=2".into()]));
        refused(&path, simple(), "", &["is a database", "query"]);
        let error = |query: &str| Panel::read_as(&path, simple(), &ask(query)).unwrap_err().to_string();
        assert!(error("select id, ds, note as y from sales").contains("bytes that are not text"));
        assert!(error("selct").contains("does not answer the query"));
        assert!(error("delete from sales").contains("sales") || !error("delete from sales").is_empty());
        let after = Panel::read_as(&path, simple(), &ask("select * from sales")).unwrap();
        assert_eq!(after.rows(), 3, "nothing was deleted");
        assert!(error("select id, ds from sales").contains("no column `y`"));
    }

    #[test]
    fn a_query_of_a_postgresql_server() {
        let Ok(server) = std::env::var("TRADEWIND_TEST_POSTGRES") else {
            return crate::skipped("a_query_of_a_postgresql_server", "no PostgreSQL server (TRADEWIND_TEST_POSTGRES)");
        };
        let ask = |query: &str| Reading { query: Some(query.into()), ..Reading::default() };
        let query =
            "select i % 3 as id, date '2024-01-01' + i / 3 as ds, (i * 1.5)::numeric(10, 2) as y, i % 2 = 0 as promo
                     from generate_series(0, 299) i";
        let panel = Panel::read_as(&server, simple().known(["promo"]), &ask(query)).unwrap();
        assert_eq!((panel.rows(), panel.len(), panel.frequency().to_string().as_str()), (300, 3, "daily"));
        assert_eq!(panel.audit().unwrap().count("gaps"), 0);
        let error = |place: &str, query: &str| Panel::read_as(place, simple(), &ask(query)).unwrap_err().to_string();
        let refused = error(&server, "select nothing from nowhere");
        assert!(refused.contains("relation \"nowhere\" does not exist"), "{refused}");
        assert!(error(&server, "create table t (i int)").contains("does not answer"));
        let away = error("postgres://me:s3cret@127.0.0.1:1/shop", "select 1"); // tree-check: allow
        assert!(away.contains("postgres://127.0.0.1:1/shop does not answer") && !away.contains("s3cret"), "{away}");
    }
}
