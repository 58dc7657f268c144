//! What the data-quality page says to type does what the page promises: commands are taken from pages of dirty files and
//! run in a shell.

use std::path::Path;
use std::process::Command;

use tradewind::polars::prelude::*;
use tradewind::prelude::*;

/// A folder with files, and the program in reach of its shell.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Self(folder)
    }

    fn run(&self, program: &str, args: &[&str]) -> (bool, String) {
        let home = Path::new(env!("CARGO_BIN_EXE_tradewind")).parent().unwrap();
        let path = format!("{}:{}", home.display(), std::env::var("PATH").unwrap());
        let output = Command::new(program).args(args).env("PATH", path).current_dir(self.0.path()).output().unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        (output.status.success(), said)
    }

    /// The command on the page of an audit.
    fn proposed(&self, args: &[&str]) -> String {
        let (done, said) = self.run("tradewind", &[&["audit"], args, &["--page", "page"]].concat());
        assert!(done, "{said}");
        let page = std::fs::read_to_string(self.0.path().join("page/report.md")).unwrap();
        let block = page.split("```sh\n").nth(1).unwrap_or_else(|| panic!("no command: {page}"));
        block.split("```").next().unwrap().to_string()
    }

    /// The data after the proposed command was run: rows and sum of the target.
    fn mended(&self, args: &[&str]) -> (Panel, usize, f64) {
        let command = self.proposed(args);
        let (done, said) = self.run("sh", &["-c", &command]);
        assert!(done, "{command}\n{said}");
        let panel = Panel::open(self.0.path().join("cleaned.parquet")).unwrap();
        let audit = panel.audit().unwrap();
        assert!(audit.is_usable() && audit.advice().is_empty(), "{command}\n{audit}");
        let target = panel.to_frame().column(panel.columns().target()).unwrap().cast(&DataType::Float64).unwrap();
        let sum = target.f64().unwrap().sum().unwrap();
        let rows = panel.rows();
        (panel, rows, sum)
    }
}

/// `shop,day,sold` for some days of January 2024, each selling what `sold` says.
fn days(shop: &str, days: impl Iterator<Item = u32>, sold: impl Fn(u32) -> f64) -> String {
    days.map(|day| format!("{shop},2024-01-{day:02},{}\n", sold(day))).collect()
}

const COLUMNS: [&str; 6] = ["--id", "shop", "--time", "day", "--target", "sold"];

fn with<'a>(first: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&[first], &COLUMNS[..], more].concat()
}

#[test]
fn overlapping_exports_are_not_doubled() {
    let early = format!("shop,day,sold\n{}", days("a", 1..21, f64::from));
    let late = format!("shop,day,sold\n{}", days("a", 11..31, f64::from));
    let desk = Desk::new(&[("exports/early.csv", &early), ("exports/late.csv", &late)]);
    let (_, said) = desk.run("tradewind", &[&["audit"], &with("exports", &[])[..]].concat());
    assert!(said.contains("10 rows of early.csv again in late.csv"), "{said}");
    let (_, rows, sum) = desk.mended(&with("exports", &[]));
    assert_eq!((rows, sum), (30, 465.0));
}

#[test]
fn a_forgotten_key_is_named_not_summed() {
    let line = |dept: &str, day: u32| format!("a,2024-01-{day:02},{},{dept},{}\n", 3, 100 * day + dept.len() as u32);
    let lines: String = (1..31).flat_map(|day| [line("toys", day), line("it's food", day)]).collect();
    let desk = Desk::new(&[("sales.csv", &format!("shop,day,sold,The Dept,receipt\n{lines}"))]);
    let (_, said) = desk.run("tradewind", &[&["forecast"], &with("sales.csv", &[])[..]].concat());
    assert!(said.contains("with `The Dept` as a key too the rows are unique"), "{said}");
    let (panel, rows, sum) = desk.mended(&with("sales.csv", &["--freq", "D"]));
    assert_eq!((panel.len(), rows, sum), (2, 60, 180.0));
}

/// Two receipts of one day that sold the same are two sales, though all that was read of them is equal.
#[test]
fn rows_that_differ_in_what_was_not_read_are_no_copies() {
    let lines: String = (1..41).map(|n| format!("a,2024-01-{:02},2,r{n}\n", 1 + n / 2)).collect();
    let desk = Desk::new(&[("sales.csv", &format!("shop,day,sold,receipt\n{lines}"))]);
    let (_, said) = desk.run("tradewind", &[&["audit"], &with("sales.csv", &["--freq", "D"])[..]].concat());
    assert!(said.contains("no copies: they differ in `receipt`") && said.contains("duplicates=sum"), "{said}");
}

#[test]
fn how_a_file_was_read_is_repeated() {
    let lines: String = (1..31)
        .flat_map(|day| {
            let line = format!("Nord;{day:02}/01/2024;1.00{},5\n", day % 10);
            std::iter::repeat_n(line, if day > 25 { 2 } else { 1 })
        })
        .collect();
    let desk = Desk::new(&[("my file's.csv", &format!("Laden;Tag;Umsatz\n{lines}"))]);
    let reading = ["--reading", "delimiter=';', decimal=','", "--time-format", "%d/%m/%Y", "--season", "14"];
    let args = [&["my file's.csv", "--id", "Laden", "--time", "Tag", "--target", "Umsatz"], &reading[..]].concat();
    let (panel, rows, sum) = desk.mended(&args);
    let expected: f64 = (1..31).map(|day| 1000.5 + f64::from(day % 10)).sum();
    assert_eq!((rows, panel.season()), (30, 14));
    assert!((sum - expected).abs() < 1e-9, "{sum}");
}

#[test]
fn the_hour_that_comes_twice_is_summed() {
    let hour = |day: u32, hour: u32, sold: u32| format!("a,2024-10-{day:02} {hour:02}:00,{sold}\n");
    let all = (26..29).flat_map(|day| (0..24).map(move |hour| (day, hour)));
    let lines: String = all
        .map(|(day, h)| if (day, h) == (27, 2) { [hour(day, h, 3), hour(day, h, 4)].concat() } else { hour(day, h, 1) })
        .collect();
    let desk = Desk::new(&[("hours.csv", &format!("shop,day,sold\n{lines}"))]);
    let (_, said) = desk.run("tradewind", &[&["audit"], &with("hours.csv", &[])[..]].concat());
    assert!(said.contains("the clock shows twice") && said.contains("duplicates=sum"), "{said}");
    let (_, rows, sum) = desk.mended(&with("hours.csv", &[]));
    assert_eq!((rows, sum), (72, 78.0));
}

#[test]
fn tills_that_contradict_are_summed_and_the_page_says_so() {
    let lines =
        format!("shop,day,sold\n{}{}", days("a", 1..31, |_| 5.0), days("a", 1..31, |day| 6.0 + f64::from(day % 3)));
    let desk = Desk::new(&[("tills.csv", &lines)]);
    let (_, rows, sum) = desk.mended(&with("tills.csv", &[]));
    assert_eq!((rows, sum), (30, 30.0 * 11.0 + 30.0));
    let page = std::fs::read_to_string(desk.0.path().join("page/report.md")).unwrap();
    assert!(page.contains("duplicates=sum adds them up") && !page.contains("Safe repairs"), "{page}");
}

/// Both at once: the copies of an export, and the parts of a day.
#[test]
fn copies_go_before_the_rest_is_summed() {
    let early = format!("shop,day,sold\n{}{}", days("a", 1..21, |_| 5.0), days("a", 1..21, |_| 6.0));
    let late = format!("shop,day,sold\n{}{}", days("a", 16..31, |_| 5.0), days("a", 16..31, |_| 6.0));
    let desk = Desk::new(&[("e/1.csv", &early), ("e/2.csv", &late)]);
    let (_, rows, sum) = desk.mended(&with("e", &[]));
    assert_eq!((rows, sum), (30, 330.0));
}

#[test]
fn gaps_and_empty_cells_are_filled_and_counted() {
    let lines = format!("shop,day,sold\n{}a,2024-01-31,\n", days("a", (1..31).filter(|day| day % 10 != 5), |_| 4.0));
    let desk = Desk::new(&[("gaps.csv", &lines)]);
    let (_, rows, sum) = desk.mended(&with("gaps.csv", &[]));
    // Nothing lies behind the last day, so its value stays open.
    assert_eq!((rows, sum), (31, 120.0));
}

#[test]
fn roles_are_repeated() {
    let line = |day: u32| format!("a,2024-01-{day:02},3,{},{},north,1\n", day % 2, day % 7);
    let lines: String = (1..31).flat_map(|day| std::iter::repeat_n(line(day), 1 + usize::from(day == 9))).collect();
    let desk = Desk::new(&[("roles.csv", &format!("shop,day,sold,promo,rain fall,region,in_stock\n{lines}"))]);
    let roles = ["--known", "promo", "--observed", "rain fall", "--fixed", "region", "--available", "in_stock"];
    let (panel, rows, _) = desk.mended(&with("roles.csv", &roles));
    assert_eq!(panel.columns().names(), ["shop", "day", "sold", "in_stock", "promo", "rain fall", "region"]);
    assert_eq!(rows, 30);
}

/// What was stated stays, what is proposed is added to it.
#[test]
fn stated_policies_and_shapes_are_repeated() {
    let lines = format!(
        "shop,day,sold\n{}",
        days("a", (1..31).filter(|day| *day != 12), |day| if day == 3 { -4.0 } else { 4.0 })
    );
    let desk = Desk::new(&[("stated.csv", &lines), ("rain.csv", "day,rain\n2024-01-01,1\n2024-01-31,2\n")]);
    let stated =
        ["--policy", "negatives=clip", "--features", "month_end", "--join", "rain.csv(on=[day], known=[rain])"];
    let command = desk.proposed(&with("stated.csv", &stated));
    assert!(command.contains("--policy 'negatives=clip, gaps=fill, missing=seasonal'"), "{command}");
    let (panel, rows, sum) = desk.mended(&with("stated.csv", &stated));
    assert_eq!((rows, sum), (30, 29.0 * 4.0));
    assert!(panel.columns().names().contains(&"month_end") && panel.columns().names().contains(&"rain"));
}

#[test]
fn a_single_series_and_usual_names_are_repeated() {
    let lines: String = (1..31)
        .flat_map(|day| std::iter::repeat_n(format!("2024-01-{day:02},7\n"), 1 + usize::from(day == 2)))
        .collect();
    let desk = Desk::new(&[("one.csv", &format!("ds,y\n{lines}"))]);
    let (panel, rows, sum) = desk.mended(&["one.csv", "--id", "", "--time", "ds", "--target", "y"]);
    assert_eq!((panel.len(), rows, sum), (1, 30, 210.0));
}

/// The library's page, where no command line has stated anything, states what the columns and the reading say.
#[test]
fn a_page_from_code_states_the_columns() {
    let lines: String = (1..31)
        .flat_map(|day| std::iter::repeat_n(format!("a;2024-01-{day:02};7,5\n"), 1 + usize::from(day == 2)))
        .collect();
    let desk = Desk::new(&[("code.csv", &format!("shop;day;sold\n{lines}"))]);
    let columns = Columns::new(["shop"], "day", "sold").freq("D").unwrap().season(14).stamps(Stamps::End);
    let reading = Reading::parse("decimal=','").unwrap();
    let panel = Panel::read_as(desk.0.path().join("code.csv"), columns, &reading).unwrap();
    let page = panel.audit().unwrap().report().unwrap().block().to_markdown();
    let command = page.split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
    let (done, said) = desk.run("sh", &["-c", command]);
    assert!(done, "{command}\n{said}");
    let mended = Panel::open(desk.0.path().join("cleaned.parquet")).unwrap();
    assert_eq!((mended.rows(), mended.season()), (30, 14));
    assert!(
        ["--freq D", "--season 14", "--stamps end", "--reading"].iter().all(|flag| command.contains(flag)),
        "{command}"
    );
}

/// What an audit is told is heeded, and nonsense is refused.
#[test]
fn an_audit_heeds_all_of_its_flags() {
    let lines = format!("shop,day,sold\n{}", days("a", (1..31).filter(|day| *day != 12), |_| 4.0));
    let desk = Desk::new(&[("a.csv", &lines)]);
    let audit = |more: &[&str]| desk.run("tradewind", &[&["audit"], &with("a.csv", more)[..]].concat());
    let (_, said) = audit(&["--policy", "gaps=fill"]);
    assert!(said.contains("cleaning changed 1 value") && !said.contains("gaps (1)"), "{said}");
    let (_, said) = audit(&["--aggregate", "freq=W-SUN"]);
    assert!(said.contains("weekly (Sundays)") && said.contains("partial"), "{said}");
    for nonsense in [
        ["--policy", "gaps=foo"],
        ["--aggregate", "foo=1"],
        ["--features", "nonsense"],
        ["--join", "nothing.csv(known=[x])"],
        ["--models", "naive"],
    ] {
        assert!(!audit(&nonsense).0, "{nonsense:?}");
    }
}
