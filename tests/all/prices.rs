//! Prices, markdowns and promotions: simulated items of known elasticity and uplift, and what cannot be decided.

use std::fs;
use std::path::PathBuf;

use tradewind::polars::prelude::*;
use tradewind::prelude::*;

/// Numbers that look random, the same each time.
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

/// Weeks of the history, those of them at the last price, and of the forecast.
const WEEKS: usize = 130;
const STEADY: usize = 26;
const AHEAD: usize = 8;
const COST: f64 = 1.2;

/// An item as it is.
struct Truth {
    base: f64,
    elasticity: f64,
    noise: f64,
    uplift: f64,
    price: f64,
}

impl Truth {
    fn sold(&self, price: f64, promo: bool, random: &mut Random) -> f64 {
        let uplift = if promo { 1.0 + self.uplift } else { 1.0 };
        self.base * (price / 2.0).powf(self.elasticity) * uplift * (self.noise * random.normal()).exp()
    }
}

/// Items of known elasticity whose price changes about every fourth week, in the end not at all; a promotion now and then.
fn market(items: usize, seed: u64, elasticity: (f64, f64)) -> (Panel, Vec<Truth>) {
    let mut random = Random(seed);
    let (mut names, mut weeks, mut prices, mut promos, mut costs, mut sold) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut truths = Vec::new();
    for item in 0..items {
        let mut truth = Truth {
            base: 100.0 + 300.0 * random.uniform(),
            elasticity: elasticity.0 + elasticity.1 * random.normal(),
            noise: 0.10 + 0.06 * random.uniform(),
            uplift: 0.5 + 0.1 * random.normal(),
            price: 2.0,
        };
        for week in 0..WEEKS {
            if random.uniform() < 0.25 && week < WEEKS - STEADY {
                truth.price = 2.0 * (0.84 + 0.04 * (9.0 * random.uniform()).floor());
            }
            let promo = random.uniform() < 0.08 && week < WEEKS - 3;
            names.push(format!("i{item:03}"));
            weeks.push(week as i64 + 1);
            prices.push(truth.price);
            promos.push(f64::from(u8::from(promo)));
            costs.push(COST);
            sold.push(truth.sold(truth.price, promo, &mut random));
        }
        truths.push(truth);
    }
    let frame = df!(
        "item" => names, "week" => weeks, "price" => prices, "promo" => promos, "cost" => costs, "sold" => sold
    );
    let columns = Columns::new(["item"], "week", "sold").observed(["price", "promo", "cost"]);
    (Panel::from_frame(frame.unwrap(), columns).unwrap(), truths)
}

fn forecast(panel: &Panel) -> Forecast {
    panel.fit(["ets"]).unwrap().forecast(AHEAD).unwrap()
}

fn column(table: &Table, name: &str) -> Vec<f64> {
    let column = table.frame().column(name).unwrap().cast(&DataType::Float64).unwrap();
    column.f64().unwrap().iter().map(|v| v.unwrap_or(f64::NAN)).collect()
}

fn words(table: &Table, name: &str) -> Vec<String> {
    let column = table.frame().column(name).unwrap().cast(&DataType::String).unwrap();
    column.str().unwrap().iter().map(|v| v.unwrap_or_default().to_string()).collect()
}

fn file(folder: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
    // A file of its own for each text.
    let before = fs::read_dir(folder.path()).unwrap().count();
    let path = folder.path().join(format!("{before}-{name}"));
    fs::write(&path, text).unwrap();
    path
}

/// The share of intervals that hold a number.
fn share(held: &[bool]) -> f64 {
    held.iter().filter(|held| **held).count() as f64 / held.len() as f64
}

#[test]
fn intervals_of_differences_in_profit_hold_the_truth() {
    let mut held = Vec::new();
    for seed in 0..4 {
        let (panel, truths) = market(50, 100 + seed, (-2.2, 0.4));
        let policy = PricePolicy { cost: Some(COST), ..PricePolicy::default() };
        let table = forecast(&panel).decide_price(&policy).unwrap().table().unwrap();
        let [proposed, low, high] = ["proposed", "low", "high"].map(|name| column(&table, name));
        let mut random = Random(900 + seed);
        for (i, truth) in truths.iter().enumerate() {
            if proposed[i].is_nan() || proposed[i] == truth.price {
                continue;
            }
            // The same weeks at either price.
            let difference: f64 = (0..AHEAD)
                .map(|_| {
                    let now = truth.sold(truth.price, false, &mut random);
                    let then = now * (proposed[i] / truth.price).powf(truth.elasticity);
                    (proposed[i] - COST) * then - (truth.price - COST) * now
                })
                .sum();
            held.push((low[i]..=high[i]).contains(&difference));
        }
    }
    println!("prices: {} of {} intervals hold the truth", share(&held), held.len());
    assert!(held.len() > 150 && (0.85..=0.95).contains(&share(&held)), "{} of {}", share(&held), held.len());
}

#[test]
fn a_price_stays_within_what_was_seen_and_on_the_ladder() {
    let (panel, _) = market(8, 7, (-2.2, 0.3));
    let forecast = forecast(&panel);
    let policy = PricePolicy { cost: Some(0.4), ..PricePolicy::default() };
    let decision = forecast.decide_price(&policy).unwrap();
    let table = decision.table().unwrap();
    // At such a low cost, low prices are best: the lowest that was seen stops them.
    let proposed = column(&table, "proposed");
    assert!(proposed.iter().all(|price| price.is_nan() || (1.68 - 1e-9..=2.32 + 1e-9).contains(price)), "{table}");
    assert!(words(&table, "limit").iter().any(|limit| limit.contains("lowest `price` seen so far")), "{table}");
    let laddered = PricePolicy { endings: vec![0.99, 0.79], change: Some(0.2), ..policy };
    let table = forecast.decide_price(&laddered).unwrap().table().unwrap();
    for (proposed, now) in column(&table, "proposed").into_iter().zip(column(&table, "price")) {
        let cents = (100.0 * proposed).round() as i64 % 100;
        assert!(proposed.is_nan() || proposed == now || [99, 79].contains(&cents), "{proposed}");
    }
    let finding = decision.explain("item=i000").unwrap();
    assert!(finding.table().rows() > 30 && finding.figure().is_ok() && finding.sentence().contains("i000"));
    assert!(decision.figures().is_ok_and(|figures| figures[0].svg().unwrap().contains("<svg")));
}

#[test]
fn a_small_stock_raises_the_price() {
    let (panel, _) = market(6, 11, (-2.5, 0.2));
    let folder = tempfile::tempdir().unwrap();
    let rows: String = (0..6).map(|i| format!("i{i:03},150\n")).collect();
    let stock = file(&folder, "stock.csv", &format!("item,on_hand\n{rows}"));
    let forecast = forecast(&panel);
    let free = PricePolicy { cost: Some(COST), ..PricePolicy::default() };
    let limited = PricePolicy { stock: Some(stock), ..free.clone() };
    let [free, limited] = [free, limited].map(|policy| forecast.decide_price(&policy).unwrap().table().unwrap());
    let pairs = column(&free, "proposed").into_iter().zip(column(&limited, "proposed"));
    assert!(pairs.clone().all(|(free, limited)| free.is_nan() || limited >= free) && pairs.clone().any(|(a, b)| b > a));
    assert!(column(&limited, "new_units").iter().all(|units| units.is_nan() || *units <= 150.0 + 1e-9));
    assert!(words(&limited, "reason").iter().any(|reason| reason.contains("The stock of 150 limits")));
}

/// Why each item has no decision.
fn why(table: &Table) -> Vec<String> {
    words(table, "reason")
}

#[test]
fn what_is_not_identified_is_refused_item_by_item() {
    let (panel, _) = market(12, 3, (-2.2, 0.2));
    let mut frame = panel.to_frame();
    // The first never changes its price, the second sells more at higher prices.
    let names = words(&Table::new(frame.clone()), "item");
    let (mut price, mut sold) =
        (column(&Table::new(frame.clone()), "price"), column(&Table::new(frame.clone()), "sold"));
    let mut random = Random(5);
    for row in 0..names.len() {
        match names[row].as_str() {
            "i000" => price[row] = 2.0,
            "i001" => sold[row] = 100.0 * price[row].powf(6.0) * (0.02 * random.normal()).exp(),
            _ => {}
        }
    }
    frame.with_column(Column::new("price".into(), price)).unwrap();
    frame.with_column(Column::new("sold".into(), sold)).unwrap();
    let columns = Columns::new(["item"], "week", "sold").observed(["price"]);
    let panel = Panel::from_frame(frame, columns).unwrap();
    let policy = PricePolicy { cost: Some(COST), ..PricePolicy::default() };
    let decision = forecast(&panel).decide_price(&policy).unwrap();
    let undecided = decision.undecided().unwrap();
    let of = |item: &str| {
        let at = words(&undecided, "series").iter().position(|series| series == item);
        at.map(|at| why(&undecided)[at].clone()).unwrap_or_default()
    };
    assert!(of("item=i000").contains("`price` never changed"), "{undecided}");
    assert!(of("item=i001").contains("rise with `price`") || of("item=i001").contains("includes zero"), "{undecided}");
    assert!(why(&undecided).iter().all(|reason| !reason.contains('\n')));
    assert!(decision.sentence().contains("without a decision"));
    let dear = PricePolicy { cost: Some(2.5), ..policy };
    let none = forecast(&panel).decide_price(&dear).unwrap();
    assert!(why(&none.undecided().unwrap()).iter().any(|reason| reason.contains("not below the present price")));
}

#[test]
fn bad_numbers_of_a_price_are_named() {
    let (panel, _) = market(6, 13, (-2.2, 0.2));
    let forecast = forecast(&panel);
    let folder = tempfile::tempdir().unwrap();
    let stock =
        |text: &str| PricePolicy { stock: Some(file(&folder, "s.csv", text)), cost: Some(1.0), ..Default::default() };
    let of = |text: &str| PricePolicy::parse(text).unwrap();
    let cases: Vec<(PricePolicy, &str)> = vec![
        (of("cost=0"), "the cost of a unit must be a positive number, not 0"),
        (of("cost=-1"), "positive number, not -1"),
        (of("change=0.1"), "state cost"),
        (of("cost=1, cost_column=cost"), "not both"),
        (of("cost_column=csot"), "did you mean `cost`?"),
        (of("cost=1, level=90"), "0.9"),
        (of("cost=1, change=10"), "did you mean 0.1?"),
        (of("cost=1, lowest=3, highest=2"), "is above the highest"),
        (of("cost=1, endings=[99]"), "did you mean 0.99?"),
        (of("cost=1, endings=[0.99], prices=[1]"), "not both"),
        (of("cost=1, price_column=prize"), "did you mean `price`?"),
        (of("cost=1, draws=5"), "at least 100 draws"),
        (stock("item,on_hand\ni000,-5\n"), "`on_hand` must be zero or a positive number"),
        (stock("item,on_hand\ni000,2.5\n"), "whole number"),
        (stock("item,on_hand\ni000,1\ni000,2\n"), "twice"),
        (stock("item,onhand\ni000,1\n"), "no column `on_hand`"),
        (stock("item,on_hand,cost\ni000,1,0\n"), "`cost` must be a positive number"),
        (stock("item,on_hand\nother,1\n"), "no item of"),
    ];
    for (policy, part) in cases {
        let error = forecast.decide_price(&policy).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains(part) && !error.contains('\n'), "{policy:?}: {error}");
    }
    assert!(PricePolicy::parse("csot=1").unwrap_err().to_string().contains("did you mean `cost`?"));
    let conflict = of("cost=1, prices=[9]");
    let table = forecast.decide_price(&conflict).unwrap().undecided().unwrap();
    assert!(
        why(&table).iter().all(|reason| reason.contains("no price of the ladder lies between the limits")),
        "{table}"
    );
    let bare = Panel::from_frame(
        df!("item" => ["a"; 20], "week" => (1..=20).collect::<Vec<i64>>(), "sold" => vec![3.0; 20]).unwrap(),
        Columns::new(["item"], "week", "sold"),
    );
    let bare = bare.unwrap().fit(["naive"]).unwrap().forecast(2).unwrap();
    let error = bare.decide_price(&of("cost=1")).unwrap_err().to_string();
    assert!(error.contains("named like a price"), "{error}");
}

#[test]
fn a_stock_is_cleared_by_a_falling_path() {
    let (panel, _) = market(6, 17, (-2.4, 0.2));
    let forecast = forecast(&panel);
    let folder = tempfile::tempdir().unwrap();
    let rows: String = (0..6).map(|i| format!("i{i:03},{}\n", 3000 + 500 * i)).collect();
    let stock = file(&folder, "stock.csv", &format!("item,on_hand\n{rows}"));
    let policy = MarkdownPolicy { changes: 2, lowest: Some(0.5), ..MarkdownPolicy::default() };
    let decision = forecast.decide_markdown(&stock, &policy).unwrap();
    let table = decision.table().unwrap();
    let [value, hold, cut] = ["value", "hold", "one_cut"].map(|name| column(&table, name));
    for i in (0..6).filter(|i| !value[*i].is_nan()) {
        assert!(value[i] >= cut[i] - 1e-9 && cut[i] >= hold[i] - 1e-9, "{table}");
    }
    let steps = column(&decision.explain("item=i000").unwrap().table(), "price");
    assert!(steps.len() == AHEAD && steps.windows(2).all(|pair| pair[1] <= pair[0]), "{steps:?}");
    assert!(words(&table, "path").iter().all(|path| path.matches("from").count() <= 2));
    for (policy, part) in [
        ("salvage=-1", "salvage value"),
        ("until=\"1\"", "the history ends on 130"),
        ("until=\"500\"", "the forecast has 8"),
        ("holding=-1", "holding cost"),
    ] {
        let policy = MarkdownPolicy::parse(policy).unwrap();
        let error = forecast.decide_markdown(&stock, &policy).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    let dear = MarkdownPolicy { salvage: 5.0, ..MarkdownPolicy::default() };
    let table = forecast.decide_markdown(&stock, &dear).unwrap().undecided().unwrap();
    assert!(why(&table).iter().all(|reason| reason.contains("not below the present price")), "{table}");
}

#[test]
fn gains_of_promotions_hold_the_truth() {
    let mut held = Vec::new();
    let folder = tempfile::tempdir().unwrap();
    for seed in 0..4 {
        let (panel, truths) = market(50, 300 + seed, (-2.2, 0.4));
        let rows: String = (0..50).map(|i| format!("i{i:03},{},1\n", WEEKS + 2 + i % 6)).collect();
        let policy = PromotionPolicy {
            promotion: "promo".into(),
            calendar: Some(file(&folder, "promos.csv", &format!("item,start,length\n{rows}"))),
            cost: Some(COST),
            discount: 0.1,
            ..PromotionPolicy::default()
        };
        let table = forecast(&panel).decide_promotion(&policy).unwrap().table().unwrap();
        let [low, high] = ["low", "high"].map(|name| column(&table, name));
        let mut random = Random(70 + seed);
        let names = words(&table, "item");
        for (row, name) in names.iter().enumerate() {
            let truth = &truths[name[1..].parse::<usize>().unwrap()];
            let base = truth.sold(truth.price, false, &mut random);
            let gain = base * ((1.0 + truth.uplift) * (0.9 * truth.price - COST) - (truth.price - COST));
            if !low[row].is_nan() {
                held.push((low[row]..=high[row]).contains(&gain));
            }
        }
    }
    println!("promotions: {} of {} intervals hold the truth", share(&held), held.len());
    assert!(held.len() == 200 && (0.85..=0.95).contains(&share(&held)), "{} of {}", share(&held), held.len());
}

#[test]
fn the_best_calendar_keeps_to_its_rules() {
    let (panel, _) = market(10, 23, (-2.2, 0.2));
    let policy = PromotionPolicy {
        promotion: "promo".into(),
        cost: Some(1.0),
        discount: 0.05,
        length: 2,
        spend: 10.0,
        budget: Some(50.0),
        most: 1,
        at_once: 2,
        blocked: vec!["132".into()],
        ..PromotionPolicy::default()
    };
    let forecast = forecast(&panel);
    let decision = forecast.decide_promotion(&policy).unwrap();
    let table = decision.table().unwrap();
    let starts: Vec<i64> = words(&table, "start").iter().map(|start| start.parse().unwrap()).collect();
    assert!((1..=5).contains(&table.rows()), "{table}");
    assert!(starts.iter().all(|start| !(131..=132).contains(start)), "{starts:?}");
    assert!((131..=138).all(|week| starts.iter().filter(|start| (**start..**start + 2).contains(&week)).count() <= 2));
    let mut items = words(&table, "item");
    items.dedup();
    assert_eq!(items.len(), table.rows());
    assert!(
        decision.figures().is_ok() && decision.sentence().starts_with("The best calendar has"),
        "{}",
        decision.sentence()
    );
    assert!(decision.explain(&format!("item={}", items[0])).unwrap().figure().is_ok());
    let folder = tempfile::tempdir().unwrap();
    let calendar = |text: &str| PromotionPolicy {
        promotion: "promo".into(),
        calendar: Some(file(&folder, "p.csv", text)),
        cost: Some(1.0),
        ..PromotionPolicy::default()
    };
    let cases = [
        (PromotionPolicy::parse("cost=1").unwrap(), "when items were promoted"),
        (PromotionPolicy::parse("promotion=promo").unwrap(), "state cost"),
        (PromotionPolicy::parse("promotion=promo, cost=1, discount=20").unwrap(), "did you mean 0.2?"),
        (PromotionPolicy::parse("promotion=promo, cost=1, budget=0").unwrap(), "the budget must be a positive number"),
        (PromotionPolicy::parse("promotion=promo, cost=0").unwrap(), "positive number, not 0"),
        (PromotionPolicy::parse("promotion=prmo, cost=1").unwrap(), "did you mean `promo`?"),
        (calendar("item,start\ni000,132\ni000,132\n"), "overlaps"),
        (calendar("item,start,discount\ni000,132,1.2\n"), "share of the price"),
        (calendar("item,start,length\ni000,132,0\n"), "whole number of steps"),
        (calendar("item,begin\ni000,132\n"), "no column `start`"),
        (calendar("item,start,cost\ni000,132,-3\n"), "`cost` must be zero or a positive number"),
        (calendar("item,start\nother,132\n"), "no item of"),
    ];
    for (policy, part) in cases {
        let error = forecast.decide_promotion(&policy).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains(part) && !error.contains('\n'), "{policy:?}: {error}");
    }
    let late = forecast.decide_promotion(&calendar("item,start\ni000,132\ni001,200\nother,132\n")).unwrap();
    let undecided = late.undecided().unwrap();
    assert!(undecided.rows() == 2 && late.table().unwrap().rows() == 3, "{undecided}");
    assert!(why(&undecided)[0].contains("does not lie within the forecast, 131 to 138"), "{undecided}");
}
