//! A thousand files of sales as people write them: delimiters, marks, currencies, dates, calendars, lines above and below the
//! table. Each is read right, or refused with a question that names the option which settles it; none is read wrong in silence.

use std::fmt::Write as _;
use std::path::Path;

use chrono::{Datelike, Days, NaiveDate, Weekday};
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tradewind::polars::prelude::*;
use tradewind::prelude::*;

const FILES: u64 = 1_000;
/// What an error names when it asks.
const OPTIONS: [&str; 9] =
    ["decimal =", "time_format", "freq", "stray", "sheet =", "fill_down", "delimiter", "duplicates", "currenc"];

/// How a file is written.
#[derive(Debug)]
struct Dialect {
    delimiter: char,
    decimal: char,
    group: &'static str,
    lakh: bool,
    decimals: usize,
    before: &'static str,
    after: &'static str,
    negatives: Negatives,
    dates: Dates,
    calendar: Calendar,
    above: usize,
    below: Below,
    header_again: bool,
    by_date: bool,
    zero_as_dash: bool,
    workbook: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Negatives {
    None,
    Minus,
    Brackets,
    Trailing,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Dates {
    Format(&'static str),
    /// Names of months in another language: full or short.
    Named(&'static [&'static str; 12], &'static str),
    IsoWeek(&'static str),
    Clock(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Calendar {
    Days,
    Office,
    Shop,
    Weeks(Weekday),
    MonthStarts,
    MonthEnds,
    LastWorking,
    Halves,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Below {
    Nothing,
    Total,
    Note,
    TotalAndNote,
    Counted,
}

const GERMAN: [&str; 12] = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
];
const FRENCH: [&str; 12] = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
];
const SPANISH: [&str; 12] = ["ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic"];

impl Calendar {
    fn holds(self, day: NaiveDate) -> bool {
        let last = day + Days::new(1);
        let work = |day: NaiveDate| day.weekday().number_from_monday() < 6;
        let rest_of_month = || day.iter_days().skip(1).take_while(|next| next.month() == day.month());
        match self {
            Self::Days => true,
            Self::Office => work(day),
            Self::Shop => day.weekday() != Weekday::Sun,
            Self::Weeks(weekday) => day.weekday() == weekday,
            Self::MonthStarts => day.day() == 1,
            Self::MonthEnds => last.day() == 1,
            Self::LastWorking => work(day) && !rest_of_month().any(work),
            Self::Halves => day.day() == 15 || last.day() == 1,
        }
    }

    fn steps(self) -> usize {
        match self {
            Self::Days | Self::Office | Self::Shop => 45,
            _ => 30,
        }
    }

    /// The first dates from a day on, and the one that comes after them.
    fn dates(self, from: NaiveDate) -> (Vec<NaiveDate>, NaiveDate) {
        let mut dates: Vec<NaiveDate> =
            from.iter_days().filter(|day| self.holds(*day)).take(self.steps() + 1).collect();
        let next = dates.pop().unwrap();
        (dates, next)
    }
}

impl Dialect {
    fn any(random: &mut ChaCha8Rng) -> Self {
        let mut pick = |from: &[usize]| *from.choose(random).unwrap();
        let decimal = [',', '.'][pick(&[0, 1])];
        let groups: [&str; 6] = ["", if decimal == ',' { "." } else { "," }, " ", "\u{a0}", "\u{202f}", "’"];
        let lakh = decimal == '.' && pick(&[0, 0, 0, 0, 0, 1]) == 1;
        let money = [
            ("", ""),
            ("", ""),
            ("", ""),
            ("$", ""),
            ("", " €"),
            ("US$", ""),
            ("", " EUR"),
            ("CHF ", ""),
            ("R$ ", ""),
            ("", " kr"),
            ("", " zł"),
            ("₹", ""),
            ("£", ""),
        ];
        let (before, after) = money[pick(&(0..money.len()).collect::<Vec<_>>())];
        let calendar = [
            Calendar::Days,
            Calendar::Office,
            Calendar::Shop,
            Calendar::Weeks(Weekday::Sat),
            Calendar::Weeks(Weekday::Mon),
            Calendar::MonthStarts,
            Calendar::MonthEnds,
            Calendar::LastWorking,
            Calendar::Halves,
        ][pick(&[0, 0, 1, 2, 3, 4, 5, 6, 7, 8])];
        let dates = match calendar {
            Calendar::Weeks(Weekday::Mon) if pick(&[0, 1]) == 1 => {
                Dates::IsoWeek(["%G-W%V", "%G W%V", "W%V %G", "Week %V %G", "%G%V", "%GW%V"][pick(&[0, 1, 2, 3, 4, 5])])
            }
            Calendar::MonthStarts if pick(&[0, 1]) == 1 => Dates::Format(
                ["%Y-%m", "%b %Y", "%Y %b", "%YM%m", "%m/%Y", "%Y%m", "%B %Y"][pick(&[0, 1, 2, 3, 4, 5, 6])],
            ),
            _ => match pick(&[0, 0, 0, 0, 1, 2, 3]) {
                1 => Dates::Named(&GERMAN, "%d. {} %Y"),
                2 => [Dates::Named(&FRENCH, "%d {} %Y"), Dates::Named(&SPANISH, "%d-{}-%Y")][pick(&[0, 1])],
                3 => Dates::Clock(
                    [
                        "%-m/%-d/%Y %-I:%M:%S %p",
                        "%Y-%m-%d %H:%M:%S",
                        "%d.%m.%Y %H:%M",
                        "%Y-%m-%dT%H:%M:%S",
                        "%d/%m/%Y %I:%M %p",
                    ][pick(&[0, 1, 2, 3, 4])],
                ),
                _ => {
                    let formats = [
                        "%Y-%m-%d",
                        "%d.%m.%Y",
                        "%m/%d/%Y",
                        "%d/%m/%Y",
                        "%Y/%m/%d",
                        "%Y%m%d",
                        "%d-%b-%Y",
                        "%d-%b-%y",
                        "%B %-d, %Y",
                        "%d %b %Y",
                        "%d.%m.%y",
                        "%A, %B %-d, %Y",
                    ];
                    Dates::Format(formats[pick(&(0..formats.len()).collect::<Vec<_>>())])
                }
            },
        };
        Self {
            delimiter: [',', ';', '\t', '|'][pick(&[0, 0, 1, 1, 2, 3])],
            decimal,
            group: if lakh { "," } else { groups[pick(&[0, 0, 1, 1, 2, 3, 4, 5])] },
            lakh,
            decimals: pick(&[0, 0, 2, 2, 2, 1, 3]),
            before,
            after,
            negatives: [Negatives::None, Negatives::Minus, Negatives::Brackets, Negatives::Trailing]
                [pick(&[0, 0, 0, 1, 2, 3])],
            dates,
            calendar,
            above: pick(&[0, 0, 0, 1, 3]),
            below: [Below::Nothing, Below::Total, Below::Note, Below::TotalAndNote, Below::Counted]
                [pick(&[0, 0, 0, 1, 2, 3, 4])],
            header_again: pick(&[0, 0, 0, 0, 1]) == 1,
            by_date: pick(&[0, 1]) == 1,
            zero_as_dash: pick(&[0, 0, 0, 1]) == 1,
            workbook: pick(&[0, 0, 0, 0, 1]) == 1,
        }
    }

    fn number(&self, hundredths: i64) -> String {
        if hundredths == 0 && self.zero_as_dash {
            return format!("{}-{}", self.before, self.after).trim().to_string();
        }
        let scale = 10_i64.pow(self.decimals as u32);
        let (whole, rest) = (hundredths.abs() / scale, hundredths.abs() % scale);
        let digits = whole.to_string();
        let mut grouped = String::new();
        for (at, digit) in digits.chars().enumerate() {
            let left = digits.len() - at;
            let breaks = if self.lakh { left == 3 || (left > 3 && left % 2 == 1) } else { left % 3 == 0 };
            if at > 0 && breaks {
                grouped += self.group;
            }
            grouped.push(digit);
        }
        if self.decimals > 0 {
            let _ = write!(grouped, "{}{rest:0width$}", self.decimal, width = self.decimals);
        }
        let text = format!("{}{grouped}{}", self.before, self.after);
        match self.negatives {
            _ if hundredths >= 0 => text,
            Negatives::Brackets => format!("({text})"),
            Negatives::Trailing => format!("{}{grouped}-{}", self.before, self.after),
            Negatives::None | Negatives::Minus => format!("-{text}"),
        }
    }

    fn date(&self, day: NaiveDate) -> String {
        match self.dates {
            Dates::Format(format) | Dates::IsoWeek(format) => day.format(format).to_string(),
            Dates::Named(names, format) => day.format(&format.replace("{}", names[day.month0() as usize])).to_string(),
            Dates::Clock(format) => day.and_hms_opt(0, 0, 0).unwrap().format(format).to_string(),
        }
    }
}

/// A file and what is in it: series, date and value, row by row; and the date after the last.
struct File {
    rows: Vec<Vec<String>>,
    truth: Vec<(String, NaiveDate, f64)>,
    next: NaiveDate,
    /// The place of the header among the rows.
    header: usize,
}

fn file(dialect: &Dialect, random: &mut ChaCha8Rng) -> File {
    let from = NaiveDate::from_ymd_opt(2023, 1, 1).unwrap() + Days::new(random.random_range(0..300));
    let (dates, next) = dialect.calendar.dates(from);
    let keys: Vec<String> =
        (0..random.random_range(1..4)).map(|k| format!("{}{k}", ["S", "Shop ", "N-"][k % 3])).collect();
    let size: i64 = *[50, 2_000, 60_000, 3_000_000].choose(random).unwrap();
    let mut cells: Vec<(usize, usize, i64)> = Vec::new();
    for key in 0..keys.len() {
        for step in 0..dates.len() {
            let mut value = random.random_range(1..size) * if dialect.decimals == 0 { 1 } else { 7 };
            if random.random_range(0..20) == 0 {
                value = 0;
            } else if dialect.negatives != Negatives::None && random.random_range(0..15) == 0 {
                value = -value;
            }
            cells.push((key, step, value));
        }
    }
    if dialect.by_date {
        cells.sort_by_key(|(key, step, _)| (*step, *key));
    }
    let mut rows: Vec<Vec<String>> =
        (0..dialect.above).map(|line| vec![["Sales report", "Printed for the board", ""][line].to_string()]).collect();
    let header: Vec<String> = ["shop", "day", "sold"].map(String::from).to_vec();
    let place = rows.len();
    rows.push(header.clone());
    let scale = 10_f64.powi(dialect.decimals as i32);
    let mut truth = Vec::new();
    for (at, (key, step, value)) in cells.iter().enumerate() {
        if dialect.header_again && at == cells.len() / 2 {
            rows.push(header.clone());
        }
        rows.push(vec![keys[*key].clone(), dialect.date(dates[*step]), dialect.number(*value)]);
        truth.push((keys[*key].clone(), dates[*step], *value as f64 / scale));
    }
    let total = dialect.number(cells.iter().map(|(.., value)| value).sum());
    let blank = String::new;
    match dialect.below {
        Below::Nothing => {}
        Below::Total => rows.push(vec!["Total".into(), blank(), total]),
        Below::Note => rows.extend([vec![blank()], vec!["Generated by the till".into()]]),
        Below::TotalAndNote => {
            rows.extend([vec!["Grand Total".into(), blank(), total], vec![blank()], vec!["confidential".into()]]);
        }
        Below::Counted => rows.extend([vec![blank()], vec![format!("({} rows)", cells.len())]]),
    }
    File { rows, truth, next, header: place }
}

/// The file's text: cells that hold a delimiter are quoted; short rows of a table's own programs have their delimiters.
fn text(file: &File, dialect: &Dialect) -> String {
    let cell = |text: &String| match text.contains([dialect.delimiter, '"']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.clone(),
    };
    let line = |row: &Vec<String>| row.iter().map(cell).collect::<Vec<_>>().join(&dialect.delimiter.to_string());
    file.rows.iter().map(line).collect::<Vec<_>>().join("\n") + "\n"
}

fn workbook(file: &File, path: &Path) {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    for (at, row) in file.rows.iter().enumerate() {
        for (column, cell) in row.iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
            sheet.write_string(at as u32, column as u16, cell).unwrap();
        }
    }
    book.save(path).unwrap();
}

/// Series, date and value of each row of a panel.
fn read(panel: &Panel) -> Vec<(String, NaiveDate, f64)> {
    let frame = panel.to_frame();
    let text = |name: &str| frame.column(name).unwrap().cast(&DataType::String).unwrap();
    let (keys, dates) = (text("shop"), text("day"));
    let values = frame.column("sold").unwrap().cast(&DataType::Float64).unwrap();
    let (keys, dates, values) = (keys.str().unwrap(), dates.str().unwrap(), values.f64().unwrap());
    (0..frame.height())
        .map(|row| {
            let date = NaiveDate::parse_from_str(&dates.get(row).unwrap()[..10], "%Y-%m-%d").unwrap();
            (keys.get(row).unwrap().to_string(), date, values.get(row).unwrap_or(f64::NAN))
        })
        .collect()
}

/// The first date that is forecast.
fn next(panel: &Panel) -> NaiveDate {
    let future = panel.future(1).unwrap().to_frame().unwrap();
    let dates = future.column("day").unwrap().cast(&DataType::String).unwrap();
    NaiveDate::parse_from_str(&dates.str().unwrap().get(0).unwrap()[..10], "%Y-%m-%d").unwrap()
}

#[test]
fn a_thousand_files_are_read_right_or_asked_about() {
    let home = tempfile::tempdir().unwrap();
    let (mut right, mut asked, mut wrong) = (0, Vec::new(), Vec::new());
    for seed in 0..FILES {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let dialect = Dialect::any(&mut random);
        let mut file = file(&dialect, &mut random);
        let path = home.path().join(if dialect.workbook { "sales.xlsx" } else { "sales.csv" });
        if dialect.workbook {
            workbook(&file, &path);
        } else {
            std::fs::write(&path, text(&file, &dialect)).unwrap();
        }
        let columns = Columns::new(["shop"], "day", "sold");
        let panel = match Panel::read(&path, columns) {
            Ok(panel) => panel,
            Err(error) => {
                let error = error.to_string();
                match OPTIONS.iter().any(|option| error.contains(option)) {
                    true => asked.push((seed, error)),
                    false => wrong.push(format!("{seed}: names no option: {error}\n    {dialect:?}")),
                }
                continue;
            }
        };
        file.truth.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
        let mut seen = read(&panel);
        // A dash among plain numbers may be nothing sold or nothing known: it is said that it counts as missing.
        let said = panel.remarks().iter().any(|said| said.contains("`-` in") && said.contains("count as missing"));
        for row in seen.iter_mut().filter(|row| said && dialect.zero_as_dash && row.2.is_nan()) {
            row.2 = 0.0;
        }
        let differ =
            file.truth.iter().zip(&seen).find(|(a, b)| {
                a.0 != b.0 || a.1 != b.1 || (a.2 - b.2).abs() > 1e-9 * a.2.abs().max(1.0) || b.2.is_nan()
            });
        let first_row = &file.rows[file.header + 1];
        if seen.len() != file.truth.len() || differ.is_some() {
            let lengths = (file.truth.len(), seen.len());
            let said = panel.remarks();
            wrong.push(format!("{seed}: rows {lengths:?}, {differ:?}, {first_row:?}, said {said:?}\n    {dialect:?}"));
        } else if next(&panel) != file.next {
            let found = (panel.frequency().to_string(), next(&panel), file.next);
            wrong.push(format!("{seed}: goes on {found:?}\n    {dialect:?}"));
        } else {
            right += 1;
        }
    }
    for (seed, error) in asked.iter().take(if std::env::var_os("DIALECTS").is_some() { 1_000 } else { 0 }) {
        println!("{seed}: {error}");
    }
    println!("{right} read right, {} asked about, {} wrong", asked.len(), wrong.len());
    assert!(wrong.is_empty(), "{} of {FILES} files were read wrong in silence:\n{}", wrong.len(), wrong.join("\n"));
    // Who asks about everything is never wrong, and of no use.
    assert!(right >= FILES as usize * 3 / 4, "only {right} of {FILES} were read; asked: {:?}", asked.first());
}
