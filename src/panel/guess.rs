//! Which columns of a file are key, time and target, if none is stated?
//!
//! A role is only inferred if it has **one sensible candidate**, and it is reported; where two columns are as likely,
//! an error names both and the flag that decides. What is stated is never overridden.
//!
//! * **time**: the one column that reads as dates, timestamps or periods. A coarser one that follows from another (the
//!   month beside the day) is left aside. Without any, a column of whole numbers that is named like steps (`week`,
//!   `t`).
//! * **target**: a column of numbers with a telling name (`y`, `sales`, `quantity`, `Weekly_Sales`), or the only one
//!   left.
//! * **id**: the fewest columns of text or of few whole numbers that tell the rows of each date apart; none if each
//!   date stands there once. Of several such sets the one that makes the longest series. A column that spells others
//!   (`1_8` beside `Store` and `Dept`) stands for these.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use polars::prelude::*;

use super::availability::named;
use super::columns::available_column;
use super::covariates::is_number;
use super::{Reading, Role, meaning, source};
use crate::error::{Error, Result, suggestion};

/// Rows from which the keys are inferred.
const ROWS: usize = 1_000_000;
/// Rows that suffice to refuse a set of columns.
const GLANCE: usize = 5_000;
/// The most columns of an inferred key, and the most candidates from which they are chosen.
const KEYS: usize = 4;
const CHOICE: usize = 12;
/// The least mean length of series: below it, columns identify rows, not series.
const SHORTEST: usize = 3;
/// This share of rows may be duplicates; the audit reports them.
const COPIES: f64 = 0.02;
/// The share of cells that must read as dates or numbers for a column to be one of them; the others count as errors.
const MOST: f64 = 0.8;

/// Default names of time and target.
const TIME: &str = "ds";
const TARGET: &str = "y";
/// Names of columns whose whole numbers count steps.
const STEPS: &str = "ds t time date day week month quarter year period step timestamp";
/// Names of the target: a column of one of these names, or with one of them among its words …
const TARGETS: &str = "y target sales sale sold quantity quantities qty units demand volume revenue turnover amount \
                       value values orders consumption umsatz absatz menge verkauf ventas ventes vendite";
/// … unless it has one of these too.
const NO_TARGETS: &str = "price prices cost costs discount promo promotion lag mean avg average last previous margin \
                          tax id code rate share rank";
/// Words in the names of key columns of whole numbers.
const NAMES: &str = "id ids key code nr no number num store stores shop branch outlet site location warehouse plant \
                     item items sku product article dept department category cat family brand class group segment \
                     material region district market country state city channel customer client series ean upc gtin \
                     filiale artikel kunde";
/// Words in the names of columns that repeat the date and are not measures.
const CALENDAR: &str = "year month week day weekday dayofweek dow quarter hour minute holiday";

/// Words in the names of what is planned ahead.
const PROMOTIONS: &str = "promo markdown price discount deal feature display flyer campaign coupon advert";
/// Words in the names of prices that nobody here sets.
const ELSEWHERE: &str = "fuel oil gas petrol competitor competition index";
/// The most levels of a column of texts that is a covariate.
const LEVELS: usize = 8;

/// The stated columns of a source; [`guess`](Self::guess) infers the rest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stated {
    /// The key columns; none stated differs from no keys.
    pub id: Option<Vec<String>>,
    /// The time column.
    pub time: Option<String>,
    /// The target column.
    pub target: Option<String>,
    /// Columns that have another role.
    pub others: Vec<String>,
    /// The format of dates.
    pub time_format: Option<String>,
}

/// The columns of a source, stated or inferred.
#[derive(Clone, Debug, PartialEq)]
pub struct Guess {
    /// The key columns.
    pub id: Vec<String>,
    /// The time column.
    pub time: String,
    /// The target column.
    pub target: String,
    /// A role for each column that has none, as exploring reads them: what has one value per series is fixed, flags, levels
    /// and promotions are known, other numbers observed. Columns without variation, or that tell the series apart, have none.
    pub covariates: Vec<(String, Role)>,
    /// The columns without a role that seem to say when an item could be sold, as one states them: `Open`, `not Closed`.
    pub available: Vec<String>,
    /// What was inferred, in words: `id: Store, Dept`; without what was stated, or has the default name `ds` or `y`.
    pub found: Vec<String>,
    /// The flags that state it otherwise.
    pub flags: Vec<&'static str>,
}

impl Guess {
    /// One line: what was inferred, and the flags that state others; which column seems to say when an item could be sold. None
    /// if all was stated.
    pub fn sentence(&self) -> Option<String> {
        let others = if self.flags.len() == 1 { "states another" } else { "state others" };
        let found =
            (!self.found.is_empty()).then(|| format!("{}; {} {others}", self.found.join("; "), self.flags.join(", ")));
        let proposed = self.available.iter().map(|stated| {
            let (column, _) = available_column(stated);
            format!("`{column}` seems to say when it could be sold: --available \"{stated}\"")
        });
        let parts: Vec<String> = found.into_iter().chain(proposed).collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

impl Stated {
    /// The columns of a file, a folder, a pattern of files or a query's answer, whatever is not stated found out.
    ///
    /// ```
    /// use tradewind::panel::{Reading, Stated};
    /// let guess = Stated::default().guess("data/walmart_sales_weekly.csv", &Reading::default())?;
    /// assert_eq!((guess.id.join(", ").as_str(), guess.time.as_str()), ("Store, Dept", "Date"));
    /// let said = "id: Store, Dept; time: Date; target: Weekly_Sales; --id, --time, --target state others";
    /// assert_eq!(guess.sentence().as_deref(), Some(said));
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the source cannot be read, lacks a column that is stated, or has no column, or several, that could be what
    /// is not stated.
    pub fn guess(&self, place: impl AsRef<Path>, reading: &Reading) -> Result<Guess> {
        let place = place.as_ref();
        let keys = self.id.clone().unwrap_or_default();
        let (time, target) = (self.time.clone().unwrap_or_default(), self.target.clone().unwrap_or_default());
        let columns = super::Columns::new(keys, time, target);
        let (frame, source) = source::read_unasked(place, &columns, reading)?;
        Table::of(&frame, &source, self)?.guess(self, reading.per.is_some())
    }
}

/// A source, each column with its cells as codes: equal cells have equal codes.
struct Table {
    source: String,
    rows: usize,
    columns: Vec<Cells>,
    /// How many columns are named by dates: where there are several, each holds the values of one.
    dated: usize,
}

struct Cells {
    name: String,
    /// The words of its name, in lower case.
    words: Vec<String>,
    texts: Vec<String>,
    codes: Vec<u32>,
    distinct: usize,
    kind: Kind,
    /// Is it named by a date?
    dated: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// Dates, times or periods, in all cells or with slips.
    Time {
        slips: bool,
    },
    /// Whole numbers; flags if they are 0 and 1 alone.
    Whole {
        flag: bool,
    },
    /// Numbers, in all cells or with slips.
    Number,
    /// Yes and no.
    Flag,
    Text,
}

impl Cells {
    fn of(column: &Column, time_format: Option<&str>, dated: bool) -> Result<Self> {
        let name = column.name().to_string();
        let mut known: HashMap<String, u32> = HashMap::new();
        let mut texts = Vec::new();
        let mut codes = Vec::with_capacity(column.len());
        let whole =
            column.dtype().is_float() && column.f64().is_ok_and(|numbers| numbers.iter().flatten().all(is_whole));
        let plain = if whole { column.cast(&DataType::Int64)? } else { column.clone() };
        for text in plain.cast(&DataType::String)?.str()?.iter() {
            let text = text.unwrap_or_default();
            let code = match known.get(text) {
                Some(code) => *code,
                None => {
                    known.insert(text.to_string(), texts.len() as u32);
                    texts.push(text.to_string());
                    texts.len() as u32 - 1
                }
            };
            codes.push(code);
        }
        let kind = kind(column, &texts, whole, time_format);
        if kind == Kind::Text {
            filled_down(&mut codes, &texts);
        }
        Ok(Self { words: words(&name), name, distinct: texts.len(), texts, codes, kind, dated })
    }

    fn text(&self, row: usize) -> &str {
        &self.texts[self.codes[row] as usize]
    }

    /// Is one of the words of its name among these?
    fn named(&self, list: &str) -> bool {
        list.split_whitespace().any(|word| self.words.iter().any(|own| own == word))
    }

    /// Is it named like what is planned ahead?
    fn is_planned(&self) -> bool {
        let name = crate::error::folded(&self.name);
        PROMOTIONS.split_whitespace().any(|word| name.contains(word)) && !self.named(ELSEWHERE)
    }

    /// Is its whole name among these?
    fn called(&self, list: &str) -> bool {
        let name = crate::error::folded(&self.name);
        list.split_whitespace().any(|word| word == name)
    }
}

/// A name that is written once per block, with empty cells below, is that of all its rows.
fn filled_down(codes: &mut [u32], texts: &[String]) {
    let Some(empty) = texts.iter().position(String::is_empty).map(|at| at as u32) else { return };
    let holes = codes.iter().filter(|code| **code == empty).count();
    if codes.first() == Some(&empty) || holes * 2 < codes.len() {
        return;
    }
    let mut above = empty;
    for code in codes {
        if *code == empty {
            *code = above;
        }
        above = *code;
    }
}

fn is_whole(number: f64) -> bool {
    number.fract() == 0.0 && number.abs() < 9e15
}

/// `Weekly_Sales` and `weeklySales` have the words weekly and sales.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut lower = false;
    for letter in name.chars() {
        if !letter.is_alphanumeric() || (letter.is_uppercase() && lower) {
            words.push(String::new());
        }
        lower = letter.is_lowercase();
        if let Some(word) = words.last_mut().filter(|_| letter.is_alphanumeric()) {
            word.extend(letter.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn kind(column: &Column, texts: &[String], whole: bool, time_format: Option<&str>) -> Kind {
    let cells: Vec<&str> = texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty()).take(2_000).collect();
    let share = |reads: &dyn Fn(&str) -> bool| {
        cells.iter().filter(|text| reads(text)).count() as f64 / (cells.len() as f64).max(1.0)
    };
    match column.dtype() {
        DataType::Date | DataType::Datetime(..) => Kind::Time { slips: column.null_count() > 0 },
        DataType::Boolean => Kind::Flag,
        dtype if is_number(dtype) => {
            let numbers: Vec<i64> = if whole || dtype.is_integer() {
                cells.iter().filter_map(|text| text.parse().ok()).collect()
            } else {
                Vec::new()
            };
            match numbers.is_empty() {
                true => Kind::Number,
                false if source::reads_as_periods(column.name(), &numbers) => {
                    Kind::Time { slips: column.null_count() > 0 }
                }
                false => Kind::Whole { flag: numbers.iter().all(|number| [0, 1].contains(number)) },
            }
        }
        _ if cells.is_empty() => Kind::Text,
        _ => match source::share_of_dates(&cells, time_format) {
            share if share >= MOST => {
                Kind::Time { slips: share < 1.0 || texts.iter().any(|text| text.trim().is_empty()) }
            }
            _ if share(&|text| text.parse::<f64>().is_ok()) >= MOST => Kind::Number,
            _ => Kind::Text,
        },
    }
}

impl Table {
    fn of(frame: &DataFrame, source: &str, stated: &Stated) -> Result<Self> {
        let frame = frame.head(Some(ROWS));
        let names: Vec<&str> = frame.get_column_names().into_iter().map(PlSmallStr::as_str).collect();
        let dated: HashSet<&str> = source::dated(&names, stated.time_format.as_deref()).into_iter().collect();
        let format = stated.time_format.as_deref();
        let cells = |column: &Column| Cells::of(column, format, dated.contains(column.name().as_str()));
        let columns = frame.columns().iter().map(cells).collect::<Result<_>>()?;
        Ok(Self { source: source.into(), rows: frame.height(), columns, dated: dated.len() })
    }

    fn guess(&self, stated: &Stated, summed: bool) -> Result<Guess> {
        self.check(stated)?;
        if self.rows == 0 {
            return Err(Error::data(format!("{} has no rows", self.source)));
        }
        let mut guess = Guess {
            id: Vec::new(),
            time: String::new(),
            target: String::new(),
            covariates: Vec::new(),
            available: Vec::new(),
            found: Vec::new(),
            flags: Vec::new(),
        };
        let wide = self.dated > 1 && stated.time.is_none() && stated.target.is_none();
        let time = if wide { None } else { Some(self.time(stated)?) };
        let target = if wide { None } else { Some(self.target(stated, time)?) };
        let (id, why) = match &stated.id {
            Some(id) => (id.clone(), ""),
            None => self.id(stated, time, target, summed)?,
        };
        if stated.id.is_none() {
            let shown = if id.is_empty() { format!("none{why}") } else { id.join(", ") };
            guess.found.push(format!("id: {shown}"));
            guess.flags.push("--id");
        }
        guess.id = id;
        match (time, target) {
            (Some(time), Some(target)) => {
                guess.time = self.columns[time].name.clone();
                guess.target = self.columns[target].name.clone();
                if stated.time.is_none() && guess.time != TIME {
                    guess.found.push(format!("time: {}", guess.time));
                    guess.flags.push("--time");
                }
                if stated.target.is_none() && guess.target != TARGET {
                    guess.found.push(format!("target: {}", guess.target));
                    guess.flags.push("--target");
                }
            }
            // What the dates and the values are called is for nobody to say.
            _ => {
                (guess.time, guess.target) = (TIME.into(), TARGET.into());
                guess.found.push(format!("time: the names of {} columns; target: what they hold", self.dated));
            }
        }
        if time.is_some() {
            guess.covariates = self.covariates(stated, &guess);
            guess.available = self.available(stated, &guess);
        }
        Ok(guess)
    }

    /// The columns of flags that are named like what says when an item could be sold.
    fn available(&self, stated: &Stated, guess: &Guess) -> Vec<String> {
        let is_flag = |column: &Cells| match column.kind {
            Kind::Flag | Kind::Whole { flag: true } => true,
            Kind::Text => column.texts.iter().all(|text| text.is_empty() || meaning::flag(text).is_some()),
            _ => false,
        };
        let taken = |name: &String| [&guess.time, &guess.target].contains(&name) || guess.id.contains(name);
        let says = |column: &Cells| match named(&column.name)? {
            _ if column.distinct < 2 || !is_flag(column) || taken(&column.name) => None,
            true => Some(column.name.clone()),
            false => Some(format!("not {}", column.name)),
        };
        self.free(stated).into_iter().filter_map(|at| says(&self.columns[at])).collect()
    }

    fn covariates(&self, stated: &Stated, guess: &Guess) -> Vec<(String, Role)> {
        let keys: Vec<&[u32]> =
            guess.id.iter().filter_map(|name| self.place(name)).map(|at| self.columns[at].codes.as_slice()).collect();
        let mut series: HashMap<Vec<u32>, u32> = HashMap::new();
        let of: Vec<u32> = (0..self.rows)
            .map(|row| {
                let next = series.len() as u32;
                *series.entry(keys.iter().map(|codes| codes[row]).collect()).or_insert(next)
            })
            .collect();
        let role = |column: &Cells| {
            let mut first = vec![None; series.len()];
            let one = (0..self.rows)
                .all(|row| *first[of[row] as usize].get_or_insert(column.codes[row]) == column.codes[row]);
            match column.kind {
                _ if column.distinct < 2 || column.dated => None,
                _ if one && series.len() > 1 => (column.distinct < series.len()).then_some(Role::Fixed),
                Kind::Time { .. } => None,
                Kind::Flag | Kind::Whole { flag: true } => Some(Role::Known),
                Kind::Text => (column.distinct <= LEVELS).then_some(Role::Known),
                _ if column.is_planned() => Some(Role::Known),
                _ => Some(Role::Observed),
            }
        };
        let taken = [&guess.time, &guess.target];
        let free = self.free(stated).into_iter().map(|at| &self.columns[at]);
        let free = free.filter(|column| !taken.contains(&&column.name) && !guess.id.contains(&column.name));
        free.filter_map(|column| Some((column.name.clone(), role(column)?))).collect()
    }

    /// Every column that is stated is there.
    fn check(&self, stated: &Stated) -> Result<()> {
        let names: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
        let of = |flag, list: Vec<&String>| list.into_iter().map(move |name| (flag, name.clone())).collect::<Vec<_>>();
        let all = [
            of("--id", stated.id.iter().flatten().collect()),
            of("--time", stated.time.iter().collect()),
            of("--target", stated.target.iter().collect()),
        ];
        match all.into_iter().flatten().find(|(_, name)| !names.contains(&name.as_str())) {
            // A wide file has no column of time or target.
            Some((flag, _)) if flag != "--id" && self.dated > 1 => Ok(()),
            Some((flag, name)) => Err(Error::data(format!(
                "{} has no column `{name}` ({flag}){}",
                self.source,
                suggestion(&name, names.iter().copied())
            ))),
            None => Ok(()),
        }
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// The columns for which no role is stated.
    fn free(&self, stated: &Stated) -> Vec<usize> {
        let id = stated.id.iter().flatten();
        let taken: Vec<&String> = id.chain(&stated.time).chain(&stated.target).chain(&stated.others).collect();
        let free = |at: &usize| {
            let column = &self.columns[*at];
            !column.name.is_empty() && !taken.contains(&&column.name)
        };
        (0..self.columns.len()).filter(free).collect()
    }

    fn listed(&self, places: &[usize]) -> String {
        places.iter().map(|at| self.columns[*at].name.as_str()).collect::<Vec<_>>().join(", ")
    }

    fn time(&self, stated: &Stated) -> Result<usize> {
        if let Some(time) = stated.time.as_ref().and_then(|name| self.place(name)) {
            return Ok(time);
        }
        let free = self.free(stated);
        let is = |at: usize| self.columns[at].kind;
        let whole: Vec<usize> = free.iter().copied().filter(|at| is(*at) == Kind::Time { slips: false }).collect();
        let slips = || free.iter().copied().filter(|at| is(*at) == Kind::Time { slips: true }).collect::<Vec<_>>();
        let dates = if whole.is_empty() { slips() } else { whole };
        let finest = self.finest(&dates);
        let own: Vec<usize> = finest.iter().copied().filter(|at| self.columns[*at].called(TIME)).collect();
        match (own.as_slice(), finest.as_slice()) {
            ([time], _) | (_, [time]) => return Ok(*time),
            (_, []) => {}
            (_, several) => {
                return Err(Error::usage(format!(
                    "{} columns of {} hold dates: {}; --time says which",
                    count(several.len()),
                    self.source,
                    self.listed(several)
                )));
            }
        }
        let steps = |at: &usize| {
            let column = &self.columns[*at];
            matches!(column.kind, Kind::Whole { flag: false }) && column.distinct > 2 && column.called(STEPS)
        };
        match free.iter().copied().filter(steps).collect::<Vec<_>>().as_slice() {
            [time] => Ok(*time),
            [] => Err(Error::usage(format!(
                "no column of {} holds dates; --time says which column holds the time, and --time-format how dates are \
                 written if not in a usual way (the columns: {})",
                self.source,
                self.listed(&(0..self.columns.len()).collect::<Vec<_>>())
            ))),
            several => Err(Error::usage(format!(
                "no column of {} holds dates, and {} may count steps: {}; --time says which",
                self.source,
                count(several.len()),
                self.listed(several)
            ))),
        }
    }

    /// The columns of dates that do not follow from another one that tells more.
    fn finest(&self, dates: &[usize]) -> Vec<usize> {
        let follows = |coarse: &usize, fine: &usize| {
            let (a, b) = (&self.columns[*coarse], &self.columns[*fine]);
            a.distinct < b.distinct && distinct(&[&a.codes, &b.codes], self.rows) == b.distinct
        };
        let mut finest = dates.to_vec();
        finest.retain(|date| !dates.iter().any(|other| other != date && follows(date, other)));
        finest
    }

    fn target(&self, stated: &Stated, time: Option<usize>) -> Result<usize> {
        if let Some(target) = stated.target.as_ref().and_then(|name| self.place(name)) {
            return Ok(target);
        }
        let measured = |at: &usize| {
            let kind = self.columns[*at].kind;
            Some(*at) != time && (kind == Kind::Number || matches!(kind, Kind::Whole { .. }))
        };
        let numbers: Vec<usize> = self.free(stated).into_iter().filter(measured).collect();
        let pick = |is: &dyn Fn(&Cells) -> bool| {
            numbers.iter().copied().filter(|at| is(&self.columns[*at])).collect::<Vec<_>>()
        };
        let ways = [
            pick(&|column| column.called(TARGET)),
            pick(&|column| column.called(TARGETS)),
            pick(&|column| column.named(TARGETS) && !column.named(NO_TARGETS)),
            pick(&|column| {
                let name = matches!(column.kind, Kind::Whole { .. }) && column.named(NAMES);
                column.kind != Kind::Whole { flag: true } && !name && !column.named(CALENDAR)
            }),
        ];
        match ways.iter().find(|way| !way.is_empty()).map_or(numbers.as_slice(), Vec::as_slice) {
            [target] => Ok(*target),
            [] => Err(Error::usage(format!(
                "no column of {} is left that holds numbers; --target says which holds the sales",
                self.source
            ))),
            several => Err(Error::usage(format!(
                "{} columns of {} could be the target: {}; --target says which",
                count(several.len()),
                self.source,
                self.listed(several)
            ))),
        }
    }

    /// The key columns, and what is to be said where there are none.
    fn id(
        &self,
        stated: &Stated,
        time: Option<usize>,
        target: Option<usize>,
        summed: bool,
    ) -> Result<(Vec<String>, &'static str)> {
        let names = |places: &[usize]| places.iter().map(|at| self.columns[*at].name.clone()).collect::<Vec<_>>();
        let all: Vec<usize> = (0..self.columns.len()).collect();
        let free = |at: &usize| Some(*at) != time && Some(*at) != target && !self.columns[*at].dated;
        let free: Vec<usize> = self.free(stated).into_iter().filter(free).collect();
        let name = |at: &usize| {
            let column = &self.columns[*at];
            let few = (2..=self.rows / SHORTEST.min(self.rows)).contains(&column.distinct);
            few && (column.kind == Kind::Text || (matches!(column.kind, Kind::Whole { .. }) && column.named(NAMES)))
        };
        let mut choice: Vec<usize> = free.iter().copied().filter(name).collect();
        if summed {
            let why = if choice.is_empty() { "" } else { " (all rows of a period are summed)" };
            return Ok((Vec::new(), why));
        }
        if self.tells_apart(&[], time, self.rows) {
            return Ok((Vec::new(), ""));
        }
        // Copies of a whole row are no reason to doubt a key.
        let rows = distinct(&all.iter().map(|at| self.columns[*at].codes.as_slice()).collect::<Vec<_>>(), self.rows);
        let enough = (rows as f64 * (1.0 - COPIES)).ceil() as usize;
        for spelled in choice.clone() {
            let Some(parts) = self.parts(spelled, &free) else { continue };
            if self.tells_apart(&parts, time, enough) {
                return Ok((names(&parts), ""));
            }
        }
        choice.truncate(CHOICE);
        match self.keys(&choice, time, enough).as_slice() {
            [] => {}
            [key] => return Ok((names(key), "")),
            several => {
                let sets: Vec<String> = several.iter().map(|key| self.listed(key)).collect();
                return Err(Error::usage(format!(
                    "several sets of columns of {} could name its series: {}; --id says which",
                    self.source,
                    sets.join("; or ")
                )));
            }
        }
        // Who states time and target has always got one series.
        if stated.time.is_some() && stated.target.is_some() {
            return Ok((Vec::new(), " (several rows have one date)"));
        }
        // Numbers that are not named like keys may be measures: they are proposed, not taken.
        let few = |at: &usize| {
            let column = &self.columns[*at];
            let numbers = column.kind == Kind::Whole { flag: false } && !column.named(CALENDAR);
            numbers && !choice.contains(at) && (2..=(self.rows / SHORTEST).min(1_000)).contains(&column.distinct)
        };
        let more: Vec<usize> = choice.iter().copied().chain(free.iter().copied().filter(few)).take(CHOICE).collect();
        let would = match self.keys(&more, time, enough).first() {
            Some(key) => format!(", such as {}", names(key).join(",")),
            None => String::new(),
        };
        let of_time = time.map_or_else(String::new, |time| format!(" of one `{}`", self.columns[time].name));
        Err(Error::usage(format!(
            "{} has several rows{of_time}, and no columns of names tell them apart; --id says which columns name a \
             series{would} (--id \"\" for a single one), --reading \"per=D\" sums transactions by day",
            self.source
        )))
    }

    /// Do these columns and the time have so many different rows?
    fn tells_apart(&self, key: &[usize], time: Option<usize>, enough: usize) -> bool {
        let mut columns: Vec<&[u32]> = time.iter().map(|at| self.columns[*at].codes.as_slice()).collect();
        columns.extend(key.iter().map(|at| self.columns[*at].codes.as_slice()));
        if columns.is_empty() {
            return self.rows < 2;
        }
        let glance = self.rows.min(GLANCE);
        let copies = self.rows - enough;
        distinct(&columns, glance) + copies >= glance && distinct(&columns, self.rows) >= enough
    }

    /// The smallest sets of columns that tell the rows of each date apart, those that make the longest series; of sets
    /// that make the same series the first.
    fn keys(&self, choice: &[usize], time: Option<usize>, enough: usize) -> Vec<Vec<usize>> {
        let codes = |key: &[usize]| key.iter().map(|at| self.columns[*at].codes.as_slice()).collect::<Vec<_>>();
        for size in 1..=KEYS.min(choice.len()) {
            let mut found: Vec<(usize, Vec<usize>)> = Vec::new();
            for key in subsets(choice, size) {
                if self.tells_apart(&key, time, enough) {
                    found.push((distinct(&codes(&key), self.rows), key));
                }
            }
            found.retain(|(series, _)| series * SHORTEST <= self.rows);
            let Some(fewest) = found.iter().map(|(series, _)| *series).min() else { continue };
            let mut keys: Vec<Vec<usize>> = Vec::new();
            for (_, key) in found.into_iter().filter(|(series, _)| *series == fewest) {
                let same = |other: &Vec<usize>| {
                    let both = [codes(&key), codes(other)].concat();
                    distinct(&both, self.rows) == fewest
                };
                if !keys.iter().any(same) {
                    keys.push(key);
                }
            }
            return keys;
        }
        Vec::new()
    }

    /// The columns that a column spells, in its order: `Store` and `Dept` for `1_8`.
    fn parts(&self, spelled: usize, free: &[usize]) -> Option<Vec<usize>> {
        let rows = self.rows.min(1_000);
        let pieces =
            |row: usize| self.columns[spelled].text(row).split(['_', '-', '/', '|', '.', ' ', ':']).map(str::trim);
        let count = pieces(0).count();
        if !(2..=KEYS).contains(&count) {
            return None;
        }
        let mut parts: Vec<usize> = Vec::new();
        for piece in 0..count {
            let same = |at: &&usize| {
                **at != spelled
                    && !parts.contains(at)
                    && (0..rows).all(|row| pieces(row).nth(piece) == Some(self.columns[**at].text(row)))
            };
            parts.push(*free.iter().find(same)?);
        }
        Some(parts)
    }
}

/// How many different rows columns of codes have among the first so many.
fn distinct(columns: &[&[u32]], rows: usize) -> usize {
    let Some((first, rest)) = columns.split_first() else { return rows.min(1) };
    let mut codes: Vec<u32> = first[..rows].to_vec();
    let mut count = codes.iter().collect::<HashSet<_>>().len();
    for column in rest {
        if count == rows {
            return rows;
        }
        let mut known: HashMap<(u32, u32), u32> = HashMap::with_capacity(count);
        for (code, other) in codes.iter_mut().zip(*column) {
            let next = known.len() as u32;
            *code = *known.entry((*code, *other)).or_insert(next);
        }
        count = known.len();
    }
    count
}

/// All subsets of a size, in the order of their members.
fn subsets(of: &[usize], size: usize) -> Vec<Vec<usize>> {
    if size == 0 {
        return vec![Vec::new()];
    }
    let with = |(at, first): (usize, &usize)| {
        let rest = subsets(&of[at + 1..], size - 1).into_iter();
        rest.map(|rest| std::iter::once(*first).chain(rest).collect()).collect::<Vec<_>>()
    };
    of.iter().enumerate().flat_map(with).collect()
}

fn count(number: usize) -> String {
    match number {
        2 => "two".into(),
        3 => "three".into(),
        4 => "four".into(),
        more => more.to_string(),
    }
}
