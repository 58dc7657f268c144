//! Data dirtied in known ways: the audit finds what was planted and little else, and cleaning mends it in the open.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tradewind::polars::prelude::*;
use tradewind::prelude::*;

const PANELS: u64 = 3000;

/// The bundled sales as rows, to be dirtied.
#[derive(Clone)]
struct Rows {
    store: Vec<String>,
    dept: Vec<i64>,
    date: Vec<NaiveDate>,
    sales: Vec<Option<f64>>,
    markdown: Vec<Option<f64>>,
    spare: Vec<f64>,
    size: Vec<f64>,
}

fn clean_rows() -> Rows {
    let frame = crate::sales().to_frame();
    let text = |name: &str| frame.column(name).unwrap().cast(&DataType::String).unwrap();
    let date = text("Date");
    let days: Vec<NaiveDate> = date.str().unwrap().iter().map(|d| d.unwrap().parse().unwrap()).collect();
    let dept: Vec<i64> = frame.column("Dept").unwrap().i64().unwrap().into_no_null_iter().collect();
    let sales: Vec<Option<f64>> = frame.column("Weekly_Sales").unwrap().f64().unwrap().iter().collect();
    let n = days.len();
    Rows {
        store: vec!["Berlin Mitte".into(); n],
        // A spare covariate that varies and has nothing to do with the sales.
        spare: (0..n).map(|i| ((i * 7919) % 101) as f64).collect(),
        markdown: (0..n).map(|i| Some(((i * 104_729) % 997) as f64)).collect(),
        size: dept.iter().map(|d| *d as f64 * 10.0).collect(),
        date: days,
        dept,
        sales,
    }
}

impl Rows {
    fn panel(&self) -> Panel {
        let day = |d: &NaiveDate| (*d - NaiveDate::default()).num_days() as i32;
        let mut frame = df!(
            "store" => &self.store,
            "dept" => &self.dept,
            "date" => self.date.iter().map(day).collect::<Vec<_>>(),
            "sales" => &self.sales,
            "markdown" => &self.markdown,
            "spare" => &self.spare,
            "size" => &self.size,
        )
        .unwrap();
        let date = frame.column("date").unwrap().cast(&DataType::Date).unwrap();
        frame.with_column(date).unwrap();
        let columns = Columns::new(["store", "dept"], "date", "sales")
            .known(["markdown", "spare"])
            .fixed(["size"])
            .freq("W-FRI")
            .unwrap();
        Panel::from_frame(frame, columns).unwrap()
    }

    fn of_dept(&self, dept: i64) -> Vec<usize> {
        (0..self.dept.len()).filter(|row| self.dept[*row] == dept).collect()
    }

    /// A row once more, behind itself.
    fn doubled(&mut self, row: usize) {
        let mut order: Vec<usize> = (0..self.dept.len()).collect();
        order.insert(row + 1, row);
        self.take(&order);
    }

    /// Does a row repeat the one before it?
    fn is_copy(&self, row: usize) -> bool {
        let of = |row: usize| (&self.store[row], self.dept[row], self.date[row], self.sales[row]);
        of(row) == of(row - 1)
    }

    fn remove(&mut self, gone: &BTreeSet<usize>) {
        let kept: Vec<usize> = (0..self.dept.len()).filter(|row| !gone.contains(row)).collect();
        self.take(&kept);
    }

    fn take(&mut self, rows: &[usize]) {
        self.store = rows.iter().map(|r| self.store[*r].clone()).collect();
        self.dept = rows.iter().map(|r| self.dept[*r]).collect();
        self.date = rows.iter().map(|r| self.date[*r]).collect();
        self.sales = rows.iter().map(|r| self.sales[*r]).collect();
        self.markdown = rows.iter().map(|r| self.markdown[*r]).collect();
        self.spare = rows.iter().map(|r| self.spare[*r]).collect();
        self.size = rows.iter().map(|r| self.size[*r]).collect();
    }
}

/// What was planted or found: the kind, the department (0 for the panel as a whole), the stamp.
type Place = (&'static str, i64, String);

fn found(panel: &Panel) -> BTreeSet<(String, i64, String)> {
    let table = panel.audit().unwrap().table().unwrap();
    (0..table.rows())
        .map(|row| {
            let text = |column: &str| table.get(row, column).unwrap().to_string();
            (text("finding"), text("dept").parse().unwrap_or(0), text("stamp"))
        })
        .collect()
}

/// Every kind of defect, planted one or several to a panel, each in a department of its own.
fn dirty(rows: &mut Rows, random: &mut ChaCha8Rng) -> Vec<Place> {
    let depts = [1, 3, 8, 13, 38, 93, 95];
    let mut planted = Vec::new();
    let mut kinds: Vec<usize> = (0..21).collect();
    // Three kinds a panel, so that one does not hide the other.
    for k in 0..3 {
        let other = random.random_range(k..kinds.len());
        kinds.swap(k, other);
    }
    // What leaks the target is made from it as it is in the end.
    kinds[..3].sort_by_key(|kind| *kind == 17);
    let mut free: Vec<i64> = depts.to_vec();
    for kind in &kinds[..3] {
        let dept = free.swap_remove(random.random_range(0..free.len()));
        let of = rows.of_dept(dept);
        let n = of.len();
        let stamp = |rows: &Rows, row: usize| rows.date[row].to_string();
        let middle = random.random_range(30..n - 30);
        let at = of[middle];
        match kind {
            0 => {
                planted.push(("duplicates", dept, stamp(rows, at)));
                rows.doubled(at);
                rows.sales[at + 1] = rows.sales[at].map(|y| 1.2 * y + 1.0);
            }
            1 => {
                planted.push(("gaps", dept, stamp(rows, at)));
                let long = random.random_range(1..5);
                rows.remove(&(0..long).map(|step| of[middle + step]).collect());
            }
            2 => {
                planted.push(("missing", dept, stamp(rows, at)));
                rows.sales[at] = None;
            }
            3 => {
                planted.push(("negative", dept, stamp(rows, at)));
                rows.sales[at] = Some(-random.random_range(1.0..5000.0));
            }
            4 => {
                planted.push(("infinite", dept, stamp(rows, at)));
                rows.sales[at] = Some(if random.random::<bool>() { f64::INFINITY } else { f64::NEG_INFINITY });
            }
            5 => {
                let slip = random.random_range(1..4_u64);
                rows.date[at] = match random.random::<bool>() {
                    true => rows.date[at] + Days::new(slip),
                    false => rows.date[at] - Days::new(slip),
                };
                planted.push(("off calendar", dept, stamp(rows, at)));
            }
            6 => {
                planted.push(("unsorted", dept, stamp(rows, at)));
                let mut order: Vec<usize> = (0..rows.dept.len()).collect();
                order.swap(at - 1, at);
                rows.take(&order);
            }
            7 => {
                planted.push(("changed frequency", dept, stamp(rows, at)));
                // Every other week for a while.
                let long = random.random_range(8..14);
                rows.remove(&(0..long).map(|step| of[middle + 2 * step + 1]).filter(|r| *r < of[n - 1]).collect());
            }
            8 => {
                planted.push(("constant", dept, stamp(rows, of[0])));
                of.iter().for_each(|row| rows.sales[*row] = Some(250.0));
            }
            9 => {
                planted.push(("all zero", dept, stamp(rows, of[0])));
                of.iter().for_each(|row| rows.sales[*row] = Some(0.0));
            }
            10 => {
                let kept = random.random_range(10..60);
                let from = random.random_range(1..n - kept - 1);
                planted.push(("short", dept, stamp(rows, of[from])));
                planted.push(("starts late", dept, stamp(rows, of[from])));
                planted.push(("ends early", dept, stamp(rows, of[from + kept - 1])));
                rows.remove(
                    &of.iter().enumerate().filter(|(i, _)| !(from..from + kept).contains(i)).map(|(_, r)| *r).collect(),
                );
            }
            11 => {
                let cut = random.random_range(2..20);
                planted.push(("starts late", dept, stamp(rows, of[cut])));
                rows.remove(&of[..cut].iter().copied().collect());
            }
            12 => {
                let cut = random.random_range(2..20);
                planted.push(("ends early", dept, stamp(rows, of[n - cut - 1])));
                rows.remove(&of[n - cut..].iter().copied().collect());
            }
            13 => {
                planted.push(("stock-outs", dept, stamp(rows, at)));
                let long = random.random_range(2..6);
                (0..long).for_each(|step| rows.sales[of[middle + step]] = Some(0.0));
            }
            14 => {
                planted.push(("outliers", dept, stamp(rows, at)));
                // A figure too many.
                rows.sales[at] = rows.sales[at].map(|y| 10.0 * y);
            }
            15 => {
                planted.push(("level shifts", dept, stamp(rows, at)));
                let factor = if random.random::<bool>() { 4.0 } else { 0.25 };
                of[middle..].iter().for_each(|row| rows.sales[*row] = rows.sales[*row].map(|y| factor * y));
            }
            16 => {
                planted.push(("missing covariates", dept, stamp(rows, at)));
                let long = random.random_range(1..5);
                (0..long).for_each(|step| rows.markdown[of[middle + step]] = None);
            }
            17 => match random.random_range(0..3) {
                0 => {
                    planted.push(("never varies", 0, "–".into()));
                    rows.spare.fill(3.0);
                }
                1 => {
                    planted.push(("leak", 0, "–".into()));
                    for row in 0..rows.dept.len() {
                        let noise = random.random_range(0.99..1.01);
                        let is_copy = row > 0 && rows.is_copy(row);
                        rows.spare[row] = match is_copy {
                            true => rows.spare[row - 1],
                            false => 0.2 * noise * rows.sales[row].filter(|y| y.is_finite()).unwrap_or(0.0),
                        };
                    }
                }
                _ => {
                    planted.push(("fixed varies", dept, stamp(rows, at)));
                    of[middle..].iter().for_each(|row| rows.size[*row] += 1.0);
                }
            },
            18 => {
                planted.push(("copies", dept, stamp(rows, at)));
                rows.doubled(at);
            }
            19 => {
                let long = random.random_range(5..20);
                planted.push(("launch", dept, stamp(rows, of[0])));
                of[..long].iter().for_each(|row| rows.sales[*row] = Some(0.0));
            }
            _ => {
                // The rest of a series under a key that people would take for the same: the rarer spelling is like the
                // commoner one.
                let others = [
                    " Berlin Mitte",
                    "berlin mitte",
                    "BERLIN MITTE",
                    "Berlin  Mitte",
                    "Berlin\u{a0}Mitte",
                    "Berlin\u{2009}Mitte",
                    "Berlin Mitte\u{200b}",
                    "Ber\u{ad}lin Mitte",
                    "Berlin \u{ff2d}itte",
                    "B\u{e9}rlin Mitte",
                ];
                let other = others[random.random_range(0..others.len())];
                of[middle..].iter().for_each(|row| rows.store[*row] = other.into());
                let (first, second) = (stamp(rows, of[middle]), stamp(rows, of[middle - 1]));
                planted.push(("similar keys", dept, first.clone()));
                planted.push(("starts late", dept, first.clone()));
                planted.push(("ends early", dept, second));
                for (start, long) in [(stamp(rows, of[0]), middle), (first, n - middle)] {
                    if long < 104 {
                        planted.push(("short", dept, start));
                    }
                }
            }
        }
    }
    planted
}

#[test]
fn planted_defects_are_found_and_little_else() {
    let clean = clean_rows();
    let base = found(&clean.panel());
    let mut scores: BTreeMap<String, (usize, usize, usize)> = BTreeMap::new();
    let mut misses: Vec<String> = Vec::new();
    for seed in 0..PANELS {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut rows = clean.clone();
        let planted: BTreeSet<(String, i64, String)> = dirty(&mut rows, &mut random)
            .into_iter()
            .map(|(kind, dept, stamp)| (kind.to_string(), dept, stamp))
            .collect();
        let seen = found(&rows.panel());
        // Where a season of a year was seen less than three times, a level shift can be placed within a month.
        let near = |a: &(String, i64, String), b: &(String, i64, String)| {
            let day = |place: &(String, i64, String)| place.2.parse::<NaiveDate>().ok();
            let close = || Some((day(a)? - day(b)?).num_days().abs() <= 35);
            a == b || ((&a.0, a.1) == (&b.0, b.1) && a.0 == "level shifts" && close() == Some(true))
        };
        for place in &planted {
            let hit = seen.iter().any(|found| near(found, place));
            let score = scores.entry(place.0.clone()).or_default();
            if hit {
                score.0 += 1
            } else {
                score.1 += 1
            }
            if !hit {
                misses.push(format!("seed {seed} missed {place:?}"));
            }
        }
        // What the bundled data themselves hold is no invention.
        for place in
            seen.iter().filter(|found| !base.contains(*found) && !planted.iter().any(|place| near(found, place)))
        {
            scores.entry(place.0.clone()).or_default().2 += 1;
            misses.push(format!("seed {seed} invented {place:?} (planted {planted:?})"));
        }
    }
    let mut failed = Vec::new();
    println!("{:<18} {:>7} {:>7} {:>9}", "kind", "planted", "recall", "precision");
    for (kind, (hits, missed, invented)) in &scores {
        let recall = *hits as f64 / (hits + missed).max(1) as f64;
        let precision = *hits as f64 / (hits + invented).max(1) as f64;
        println!("{kind:<18} {:>7} {recall:>7.4} {precision:>9.4}", hits + missed);
        if recall < 0.99 || precision < 0.95 {
            failed.push(kind.clone());
        }
    }
    misses.truncate(40);
    misses.iter().for_each(|miss| println!("{miss}"));
    assert!(failed.is_empty(), "{failed:?}");
}

fn table(rows: &[(&str, &str, Option<f64>)]) -> Panel {
    let frame = df!(
        "id" => rows.iter().map(|row| row.0).collect::<Vec<_>>(),
        "ds" => rows.iter().map(|row| row.1).collect::<Vec<_>>(),
        "y" => rows.iter().map(|row| row.2).collect::<Vec<_>>(),
    )
    .unwrap();
    Panel::from_frame(frame, Columns::new(["id"], "ds", "y")).unwrap()
}

#[test]
fn hours_of_daylight_saving_are_no_gaps_and_no_duplicates() {
    // Berlin: 02:00 is skipped on 2024-03-31 and shown twice on 2024-10-27.
    let hours = |day: &str, skip: &[usize], twice: &[usize]| -> Vec<String> {
        (0..24)
            .filter(|hour| !skip.contains(hour))
            .flat_map(|hour| std::iter::repeat_n(hour, if twice.contains(&hour) { 2 } else { 1 }))
            .map(|hour| format!("{day} {hour:02}:00"))
            .collect()
    };
    let stamps: Vec<String> = [hours("2024-03-31", &[2, 15], &[]), hours("2024-04-01", &[], &[5])].concat();
    let rows: Vec<_> = stamps.iter().map(|stamp| ("a", stamp.as_str(), Some(1.0))).collect();
    let audit = table(&rows).audit().unwrap();
    assert_eq!((audit.count("daylight saving"), audit.count("gaps"), audit.count("copies")), (1, 1, 1));
    let stamps = hours("2024-10-27", &[], &[2]);
    let rows: Vec<_> = stamps.iter().map(|stamp| ("a", stamp.as_str(), Some(1.0))).collect();
    let audit = table(&rows).audit().unwrap();
    assert_eq!((audit.count("daylight saving"), audit.count("duplicates")), (1, 0));
    assert!(!audit.is_usable(), "two rows for one stamp still wait for a decision");
}

#[test]
fn every_policy_does_what_it_says_and_lists_it() {
    let day = |i: u64| (NaiveDate::default() + Days::new(i)).to_string();
    let days: Vec<String> = (0..70).map(day).collect();
    let value = |i: usize| match i {
        10 => Some(-5.0),
        20 => None,
        30 => Some(2000.0),
        40..45 => Some(0.0),
        i => Some(100.0 + 10.0 * (i % 7) as f64),
    };
    let rows: Vec<_> =
        days.iter().enumerate().filter(|(i, _)| *i != 25).map(|(i, d)| ("a", d.as_str(), value(i))).collect();
    let panel = table(&rows);
    let clean = |policy: &str| panel.clean(&Clean::parse(policy).unwrap()).unwrap();
    let at = |panel: &Panel, i: u64| -> f64 {
        let frame = panel.to_frame();
        let row = frame.column("ds").unwrap().cast(&DataType::String).unwrap();
        let row = row.str().unwrap().iter().position(|text| text == Some(&day(i))).unwrap();
        frame.column("y").unwrap().f64().unwrap().get(row).unwrap_or(f64::NAN)
    };
    assert_eq!(clean("").audit().unwrap().changes(), 0);
    assert!(clean("").to_frame().equals_missing(&panel.to_frame()), "nothing is changed unasked");
    assert_eq!(at(&clean("negatives=clip"), 10), 0.0);
    let apart = clean("negatives=apart");
    assert_eq!(at(&apart, 10), 0.0);
    assert_eq!(apart.to_frame().column("returns").unwrap().f64().unwrap().sum(), Some(5.0));
    assert_eq!(apart.columns().names().last(), Some(&"returns"));
    assert!((at(&clean("missing=seasonal"), 20) - (100.0 + 10.0 * (20 % 7) as f64)).abs() < 15.0);
    assert_eq!(at(&clean("missing=linear"), 20), (value(19).unwrap() + value(21).unwrap()) / 2.0);
    let filled = clean("gaps=fill, missing=seasonal");
    assert!((at(&filled, 25) - (100.0 + 10.0 * (25 % 7) as f64)).abs() < 15.0);
    assert_eq!(filled.audit().unwrap().count("gaps"), 0);
    let clipped = at(&clean("outliers=clip"), 30);
    assert!((130.0..500.0).contains(&clipped), "{clipped}");
    let between = at(&clean("outliers=interpolate"), 30);
    assert!((between - 120.0).abs() < 15.0, "{between}");
    let without = clean("stockouts=missing");
    assert!((40..45).all(|i| at(&without, i).is_nan()));
    assert_eq!(without.audit().unwrap().changes(), 5);
    // A return that becomes a zero is no empty shelf.
    assert_eq!(at(&clean("negatives=clip, stockouts=missing"), 10), 0.0);
    let every =
        clean("gaps=fill, missing=seasonal, negatives=apart, stockouts=missing, outliers=interpolate, normalise=log1p");
    let audit = every.audit().unwrap();
    assert_eq!(
        (audit.count("missing"), audit.count("gaps"), audit.count("stock-outs"), audit.count("outliers")),
        (0, 0, 0, 0)
    );
    let again = every.clean(&Clean::parse("missing=seasonal, outliers=interpolate, normalise=log1p").unwrap()).unwrap();
    assert_eq!(again.audit().unwrap().changes(), audit.changes(), "cleaning twice changes nothing more");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clean.parquet");
    every.save(&path).unwrap();
    let back = Panel::open(&path).unwrap();
    assert!(back.to_frame().equals_missing(&every.to_frame()));
    assert_eq!(back.columns().names(), every.columns().names());
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() })]

    /// Whatever the series and wherever the dirt, rows are counted exactly, and cleaning leaves none of it.
    #[test]
    fn what_is_planted_in_any_panel_is_counted_exactly(
        lengths in proptest::collection::vec(30_u64..90, 1..4),
        level in 1.0_f64..1e6,
        dirt in proptest::collection::btree_map(2_usize..28, 0_usize..4, 0..8),
    ) {
        let (mut rows, mut counts) = (Vec::new(), [0; 4]);
        for (series, length) in lengths.iter().enumerate() {
            for i in 0..*length {
                let day = (NaiveDate::default() + Days::new(i)).to_string();
                let y = level * (1.0 + 0.1 * ((i * 37 + series as u64 * 11) % 13) as f64);
                // Dirt lies two days apart, so that it does not make one of its kind with its neighbour.
                let kind = (i % 2 == 0).then(|| dirt.get(&(i as usize))).flatten();
                match kind {
                    Some(0) => counts[0] += 1,
                    Some(1) => {
                        counts[1] += 1;
                        rows.push((series, day.clone(), Some(y)));
                        rows.push((series, day, Some(1.01 * y)));
                    }
                    Some(2) => {
                        counts[2] += 1;
                        rows.push((series, day, None));
                    }
                    Some(_) => {
                        counts[3] += 1;
                        rows.push((series, day, Some(-y)));
                    }
                    None => rows.push((series, day, Some(y))),
                }
            }
        }
        let names: Vec<String> = rows.iter().map(|row| format!("s{}", row.0)).collect();
        let given: Vec<_> = rows.iter().zip(&names).map(|(row, name)| (name.as_str(), row.1.as_str(), row.2)).collect();
        let panel = table(&given);
        let audit = panel.audit().unwrap();
        let count = |audit: &Audit| ["gaps", "duplicates", "missing", "negative"].map(|kind| audit.count(kind));
        proptest::prop_assert_eq!(count(&audit), counts);
        let policy = Clean::parse("duplicates=last, gaps=fill, missing=seasonal, negatives=clip").unwrap();
        let cleaned = panel.clean(&policy).unwrap().audit().unwrap();
        proptest::prop_assert_eq!(count(&cleaned), [0; 4]);
        let changes = counts[0] * 2 + counts[1] + counts[2] + counts[3];
        proptest::prop_assert_eq!(cleaned.changes(), changes);
    }
}

/// Two hundred and ten days: closed on every seventh and for a week, and out of stock for six days, one of them a closed one.
#[test]
fn closed_days_are_no_stock_outs() {
    let closed: Vec<bool> = (0..210).map(|t| t % 7 == 6 || (100..107).contains(&t)).collect();
    let out = |t: usize| (150..156).contains(&t);
    let sold: Vec<f64> = (0..210).map(|t| if closed[t] || out(t) { 0.0 } else { 12.0 + (t % 5) as f64 }).collect();
    let days = Column::new("day".into(), (19_000..19_210).collect::<Vec<i32>>()).cast(&DataType::Date).unwrap();
    let words: Vec<&str> = closed.iter().map(|closed| if *closed { "yes" } else { "no" }).collect();
    let frame = DataFrame::new(
        210,
        vec![
            days,
            Column::new("sold".into(), sold),
            Column::new("Closed".into(), closed.clone()),
            Column::new("Shut".into(), words),
        ],
    )
    .unwrap();
    let columns = || Columns::new([""; 0], "day", "sold");
    let panel = |columns: Columns| Panel::from_frame(frame.clone(), columns).unwrap();
    let count = |panel: &Panel, kind: &str| panel.audit().unwrap().count(kind);
    assert!(count(&panel(columns()), "stock-outs") >= 13);
    // A known column that is named so is heeded where nothing was sold without it, and suggested.
    let known = panel(columns().known(["Closed"]));
    assert_eq!(count(&known, "stock-outs"), 5);
    assert_eq!(count(&known, "availability"), closed.iter().filter(|closed| **closed).count());
    let table = known.audit().unwrap().table().unwrap();
    let at = (0..table.rows()).find(|row| table.get(*row, "finding").unwrap().to_string() == "availability").unwrap();
    assert_eq!(table.get(at, "value").unwrap().to_string(), "available = \"not Closed\"");
    for stated in ["not Closed", "!Shut"] {
        let panel = panel(columns().available(stated));
        assert_eq!((count(&panel, "stock-outs"), count(&panel, "availability")), (5, 0), "{stated}");
        assert_eq!(count(&panel, "outliers") + count(&panel, "level shifts"), 0);
        let cleaned = panel.clean(&Clean::parse("stockouts=missing").unwrap()).unwrap();
        assert_eq!(cleaned.audit().unwrap().changes(), 5);
    }
}

#[test]
fn one_category_typed_in_several_ways_is_told() {
    let words: Vec<&str> = (0..60).map(|t| ["No", "Yes", "No", "YES", "no ", "Yes"][t % 6]).collect();
    let frame =
        df!("t" => (0..60_i64).collect::<Vec<_>>(), "sold" => (0..60).map(|t| f64::from(t % 7)).collect::<Vec<_>>(),
        "promo" => words)
        .unwrap();
    let panel = Panel::from_frame(frame, Columns::new([""; 0], "t", "sold").known(["promo"])).unwrap();
    // Ten rows of `no ` beside twenty of `No`, ten of `YES` beside twenty of `Yes`.
    assert_eq!(panel.audit().unwrap().count("similar categories"), 20);
}
