//! Elasticities and correlations agree with statsmodels, find what was put in, and say what cannot be said.

use tradewind::polars::prelude::*;
use tradewind::prelude::*;

use crate::oracles::{number, rows};

/// What statsmodels and scipy say of the sales in `elasticity_sales.csv` (`tests/oracles/elasticity.py`).
fn oracle(key: &str, what: &str) -> f64 {
    let rows = rows("elasticity.csv");
    number(&rows.iter().find(|row| row[0] == key && row[1] == what).unwrap()[2])
}

fn column(table: &Table, name: &str) -> Vec<f64> {
    let column = table.frame().column(name).unwrap().cast(&DataType::Float64).unwrap();
    column.f64().unwrap().iter().map(|v| v.unwrap_or(f64::NAN)).collect()
}

fn words(table: &Table, name: &str) -> Vec<String> {
    let column = table.frame().column(name).unwrap().cast(&DataType::String).unwrap();
    column.str().unwrap().iter().map(|v| v.unwrap_or_default().to_string()).collect()
}

fn sold() -> Panel {
    let rows = rows("elasticity_sales.csv");
    let text = |c: usize| rows.iter().map(|row| row[c].clone()).collect::<Vec<_>>();
    let real = |c: usize| rows.iter().map(|row| number(&row[c])).collect::<Vec<_>>();
    let one: Vec<&str> = rows.iter().map(|_| "all").collect();
    let frame = df!(
        "key" => text(0), "date" => text(1), "y" => real(2), "price" => real(3), "deal" => real(4), "temp" => real(5),
        "chain" => one
    );
    let columns = Columns::new(["chain", "key"], "date", "y").known(["price", "deal"]).observed(["temp"]);
    Panel::from_frame(frame.unwrap(), columns).unwrap()
}

#[test]
fn elasticities_agree_with_statsmodels() {
    let finding = sold().explore("elasticity(by=chain)").unwrap();
    let table = finding.table();
    assert!((column(&table, "elasticity")[0] - oracle("all", "elasticity")).abs() < 1e-6, "{table}");
    assert!((column(&table, "spread")[0] - oracle("all", "spread")).abs() < 1e-6, "{table}");
    let series = &finding.also()[0];
    for (key, own) in words(series, "key").iter().zip(column(series, "by itself")) {
        let theirs = oracle(key, "elasticity");
        assert!((own - theirs).abs() < 1e-6, "{key}: {own}, not {theirs}");
    }
    // Shrunk to the mean.
    let mean = oracle("all", "elasticity");
    for (shrunk, own) in column(series, "elasticity").iter().zip(column(series, "by itself")) {
        assert!((shrunk - mean).abs() < (own - mean).abs() && (shrunk - mean) * (own - mean) > 0.0);
    }
    assert!(finding.sentence().contains("1 % higher sells") && finding.sentence().contains("turnover"));
}

#[test]
fn correlations_agree_with_scipy() {
    let one = sold().series("chain=all, key=s0").unwrap();
    for adjust in ["none", "difference", "season"] {
        let finding = one.explore(&format!("correlation(with=[temp], lags=[0], adjust={adjust})")).unwrap();
        let ours = column(&finding.table(), "adjusted r")[0];
        let theirs = oracle("s0", &format!("pearson {adjust}"));
        assert!((ours - theirs).abs() < 1e-6, "{adjust}: {ours}, not {theirs}");
        let ours = column(&finding.table(), "Spearman")[0];
        let theirs = oracle("s0", &format!("spearman {adjust}"));
        assert!((ours - theirs).abs() < 1e-6, "{adjust}: {ours}, not {theirs}");
        if adjust == "none" {
            assert!((column(&finding.table(), "raw r")[0] - oracle("s0", "pearson none")).abs() < 1e-6);
        }
    }
}

/// Four series with prices and a flag, step by step.
fn drawn(price: impl Fn(usize, usize) -> f64, deal: impl Fn(usize, usize) -> f64) -> Panel {
    let (mut key, mut t, mut y, mut p, mut d) = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for series in 0..4 {
        for step in 0..130 {
            key.push(format!("k{series}"));
            t.push(step as i64);
            let noise = ((series * 7919 + step * 104_729) % 1013) as f64 / 1013.0;
            y.push(20.0 * (1.0 + 0.2 * noise) / price(series, step).powi(2));
            p.push(price(series, step));
            d.push(deal(series, step));
        }
    }
    let frame = df!("key" => key, "t" => t, "y" => y, "price" => p, "deal" => d).unwrap();
    let columns = Columns::new(["key"], "t", "y").known(["price", "deal"]).season(12).freq("1").unwrap();
    Panel::from_frame(frame, columns).unwrap()
}

fn cut(series: usize, step: usize) -> f64 {
    if (series + step / 3).is_multiple_of(4) { 0.8 + 0.02 * ((step / 12 + series) % 5) as f64 } else { 1.0 }
}

#[test]
fn what_the_data_cannot_say_is_an_error() {
    let why = |panel: &Panel, question: &str| {
        let error = panel.explore(question).unwrap_err();
        assert!(error.is_data(), "{error}");
        error.to_string()
    };
    let still = drawn(|_, _| 2.0, |_, _| 0.0);
    assert!(why(&still, "elasticity").contains("does not change within any series"));
    let on = |series, step| f64::from(u8::from((series + step / 3) % 4 == 0));
    let flagged = drawn(|series, step| if on(series, step) > 0.0 { 0.8 } else { 1.0 }, on);
    assert!(why(&flagged, "elasticity").contains("cannot be separated from that of `deal`"));
    let once = drawn(|_, step| if step < 60 { 1.0 } else { 1.5 }, |_, _| 0.0);
    assert!(why(&once, "elasticity").contains("at least 3 price changes"));
    let unnamed = crate::sales().explore("elasticity").unwrap_err().to_string();
    assert!(unnamed.contains("price=NAME") && unnamed.contains("`Temperature`"), "{unnamed}");
    let moved = drawn(cut, |_, _| 0.0);
    let finding = moved.explore("elasticity(cross=key)").unwrap();
    let found = column(&finding.table(), "elasticity");
    assert!(found.iter().all(|e| (e + 2.0).abs() < 0.2), "{found:?}");
    assert!(moved.explore("elasticity(by=nothing)").unwrap_err().to_string().contains("`key`"));
    assert!(moved.explore("elasticity(level=95)").unwrap_err().to_string().contains("0.95"));
    assert!(moved.explore("correlation(lags=[-1])").unwrap_err().to_string().contains("not caused"));
    let constant = moved.explore("correlation").unwrap();
    assert!(constant.caveats().concat().contains("`deal` is constant"), "{:?}", constant.caveats());
}

/// The sales of each of three brands in six stores go down with their own price, and those of the first up with the second's.
#[test]
fn rivals_are_told_from_strangers() {
    let (mut store, mut brand, mut t, mut y, mut p) = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let draw = |a: usize, b: usize, c: usize| ((a * 7919 + b * 104_729 + c * 1_299_709) % 1013) as f64 / 1013.0;
    let price = |s: usize, b: usize, step: usize| {
        let run = (step + 2 * s) / (3 + b);
        if draw(run, 3 * s + b, b) < 0.4 { 0.7 + 0.2 * draw(run, b, 7) } else { 1.0_f64 }
    };
    for s in 0..6 {
        for b in 0..3 {
            for step in 0..120 {
                store.push(s as i64);
                brand.push(["a", "b", "c"][b]);
                t.push(step as i64);
                let cross = if b == 0 { price(s, 1, step).powf(0.6) } else { 1.0 };
                y.push(50.0 * (0.2 * draw(step, s, b)).exp() * price(s, b, step).powi(-2) * cross);
                p.push(price(s, b, step));
            }
        }
    }
    let frame = df!("store" => store, "brand" => brand, "t" => t, "y" => y, "price" => p).unwrap();
    let columns = Columns::new(["store", "brand"], "t", "y").known(["price"]).season(12).freq("1").unwrap();
    let panel = Panel::from_frame(frame, columns).unwrap();
    let finding = panel.explore("elasticity(cross=auto, top=10)").unwrap();
    let tables = finding.also();
    let table = tables.last().unwrap();
    let pairs: Vec<(String, String)> =
        words(table, "sales of brand").into_iter().zip(words(table, "price of brand")).collect();
    assert_eq!((pairs.len(), &pairs[0]), (6, &("a".to_string(), "b".to_string())), "{table}");
    let own = column(table, "by itself");
    assert!((own[0] - 0.6).abs() < 0.1 && own[1..].iter().all(|other| other.abs() < 0.15), "{table}");
}

/// Dominick's orange juice: each brand has its own price among eleven columns, so the price of a row is picked by its brand.
#[test]
fn orange_juice_sells_less_when_it_costs_more() {
    let Some(folder) = crate::data_folder("dominicks_oj") else { return };
    let file = std::fs::File::open(folder.join("oj_weekly.parquet")).unwrap();
    let mut frame = ParquetReader::new(file).finish().unwrap();
    let whole = |name: &str| -> Vec<i64> {
        let column = frame.column(name).unwrap().cast(&DataType::Int64).unwrap();
        column.i64().unwrap().into_no_null_iter().collect()
    };
    let (brands, weeks) = (whole("brand"), whole("week"));
    let prices: Vec<Vec<f64>> = (1..=11)
        .map(|brand| frame.column(&format!("price{brand}")).unwrap().f64().unwrap().into_no_null_iter().collect())
        .collect();
    let own: Vec<f64> = brands.iter().enumerate().map(|(row, brand)| prices[*brand as usize - 1][row]).collect();
    // Week 1 ended on 20 September 1989.
    let dates: Vec<i32> = weeks.iter().map(|week| (7_202 + 7 * (week - 1)) as i32).collect();
    let dates = Column::new("date".into(), dates).cast(&DataType::Date).unwrap();
    frame.with_column(Column::new("price".into(), own)).unwrap();
    frame.with_column(dates).unwrap();
    let columns = Columns::new(["store", "brand"], "date", "logmove").known(["price", "deal", "feat"]);
    let panel = Panel::from_frame(frame, columns).unwrap();
    let finding = panel.explore("elasticity(by=brand, log_target=true, top=11)").unwrap();
    let table = finding.table();
    assert_eq!(table.rows(), 11);
    for (value, (low, high)) in
        column(&table, "elasticity").iter().zip(column(&table, "from").iter().zip(column(&table, "to")))
    {
        assert!((-5.0..=-1.5).contains(value) && high < 0.0 && *low > -7.0, "{table}");
    }
    let flags = &finding.also()[1];
    let feature = words(flags, "held fixed").iter().position(|name| name == "feat").unwrap();
    assert!(column(flags, "from %")[feature] > 20.0, "{flags}");
}
