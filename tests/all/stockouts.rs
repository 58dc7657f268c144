//! Demand behind stock-outs: what is estimated, what is not, and how well hidden sales are found again.

use tradewind::polars::prelude::*;
use tradewind::prelude::*;

/// Counts by week of items in two kinds: what was demanded, the item and kind of each row.
struct Shop {
    items: Vec<String>,
    kinds: Vec<&'static str>,
    weeks: Vec<i32>,
    demand: Vec<f64>,
}

fn uniform(state: &mut u64) -> f64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 11) as f64 / (1_u64 << 53) as f64
}

fn poisson(state: &mut u64, mean: f64) -> f64 {
    let (mut count, mut product) = (0.0, uniform(state));
    while product > (-mean).exp() {
        count += 1.0;
        product *= uniform(state);
    }
    count
}

fn shop(items: usize, weeks: usize, state: &mut u64) -> Shop {
    let mut shop = Shop { items: vec![], kinds: vec![], weeks: vec![], demand: vec![] };
    for k in 0..items {
        let mut level = (0.5 + 0.1 * k as f64).ln();
        for t in 0..weeks {
            level += 0.1 * (uniform(state) - 0.5);
            let season = 0.5 * (std::f64::consts::TAU * t as f64 / 52.0).sin();
            shop.items.push(format!("i{k:03}"));
            shop.kinds.push(["a", "b"][k % 2]);
            shop.weeks.push(19_000 + 7 * t as i32);
            shop.demand.push(poisson(state, (level + season).exp()));
        }
    }
    shop
}

fn panel(shop: &Shop, sold: &[f64], available: &[f64]) -> Panel {
    let week = Column::new("week".into(), &shop.weeks).cast(&DataType::Date).unwrap();
    let mut frame = df!("item" => &shop.items, "kind" => &shop.kinds, "sold" => sold, "in_stock" => available).unwrap();
    frame.with_column(week).unwrap();
    Panel::from_frame(frame, Columns::new(["item"], "week", "sold").fixed(["kind"]).available("in_stock")).unwrap()
}

fn column(table: &Table, name: &str) -> Vec<f64> {
    let column = table.frame().column(name).unwrap().cast(&DataType::Float64).unwrap();
    column.f64().unwrap().iter().map(|v| v.unwrap_or(f64::NAN)).collect()
}

#[test]
fn hidden_sales_are_found_again() {
    let state = &mut 7_u64;
    let shop = shop(60, 120, state);
    for partly in [false, true] {
        let (mut sold, mut available) = (shop.demand.clone(), vec![1.0; shop.demand.len()]);
        for (at, demand) in shop.demand.iter().enumerate() {
            // Before the first and after the last known step nothing would be estimated.
            if uniform(state) < 0.1 && at % 120 != 0 && at % 120 != 119 {
                available[at] = if partly { 0.1 + 0.8 * uniform(state) } else { 0.0 };
                sold[at] = (0..*demand as usize).filter(|_| uniform(state) < available[at]).count() as f64;
            }
        }
        let finding = panel(&shop, &sold, &available).explore("lost_sales(top=100)").unwrap();
        let steps = &finding.also()[0];
        let truth: Vec<f64> = (0..sold.len()).filter(|at| available[*at] < 1.0).map(|at| shop.demand[at]).collect();
        let (demand, from, to) = (column(steps, "demand"), column(steps, "from"), column(steps, "to"));
        assert_eq!(truth.len(), demand.len());
        let inside = (0..truth.len()).filter(|k| (from[*k]..=to[*k]).contains(&truth[*k])).count();
        let share = inside as f64 / truth.len() as f64;
        assert!((0.87..0.98).contains(&share), "{share}");
        let (sum, known): (f64, f64) = (demand.iter().sum(), truth.iter().sum());
        assert!((sum / known - 1.0).abs() < 0.08, "{partly} {sum} {known}");
        let lost = column(&finding.table(), "lost").iter().sum::<f64>();
        assert!((lost - column(steps, "lost").iter().sum::<f64>()).abs() < 1e-6 * lost);
        assert!(finding.sentence().contains("90 % interval"), "{}", finding.sentence());
    }
}

/// Intervals of series and of all together hold what was hidden as often as they say, also where few steps make most of the
/// sales of some series.
#[test]
fn totals_are_as_sure_as_they_say() {
    let state = &mut 11_u64;
    let mut shop = shop(40, 104, state);
    shop.demand.iter_mut().enumerate().filter(|(at, _)| at % 26 == 0).for_each(|(at, y)| *y *= (at / 104 % 4) as f64);
    let (mut all, mut inside, mut total, mut bias) = (0, 0, 0, 0.0);
    let draws = 30;
    for _ in 0..draws {
        let mut available = vec![1.0; shop.demand.len()];
        let inner = |at: &usize| at % 104 > 1 && at % 104 < 102;
        for at in (0..available.len()).filter(inner) {
            available[at] = f64::from(u8::from(uniform(state) > 0.1));
        }
        let sold: Vec<f64> = shop.demand.iter().zip(&available).map(|(y, there)| y * there).collect();
        let finding = panel(&shop, &sold, &available).explore("lost_sales(top=100)").unwrap();
        let (series, whole) = (finding.table(), &finding.also()[1]);
        let hidden = |item: usize| -> f64 {
            (item * 104..(item + 1) * 104).filter(|at| available[*at] < 1.0).map(|at| shop.demand[at]).sum()
        };
        let (from, to) = (column(&series, "from"), column(&series, "to"));
        for row in 0..series.rows() {
            let name = series.get(row, "item").unwrap().to_string();
            let truth = hidden(name.trim_start_matches('i').parse().unwrap());
            (all, inside) = (all + 1, inside + usize::from((from[row]..=to[row]).contains(&truth)));
        }
        let truth: f64 = (0..40).map(hidden).sum();
        total += usize::from((column(whole, "from")[0]..=column(whole, "to")[0]).contains(&truth));
        bias += (column(whole, "lost")[0] / truth - 1.0) / f64::from(draws);
    }
    let share = inside as f64 / all as f64;
    assert!((0.85..=0.95).contains(&share), "of series {share}");
    assert!((24..=30).contains(&total), "of all {total} of {draws}");
    assert!(bias.abs() < 0.01, "{bias}");
}

#[test]
fn estimates_take_the_place_of_sales_and_are_marked() {
    let state = &mut 3_u64;
    let shop = shop(8, 110, state);
    let (mut sold, mut available) = (shop.demand.clone(), vec![1.0; shop.demand.len()]);
    // The first and the last step of a series have no known step on one side: nothing is estimated there.
    for at in (5..sold.len()).step_by(9).filter(|at| ![0, 109].contains(&(at % 110))) {
        (sold[at], available[at]) = (0.0, 0.0);
    }
    let panel = panel(&shop, &sold, &available);
    let cleaned = panel.clean(&Clean::parse("stockouts=estimated").unwrap()).unwrap();
    let finding = panel.explore("lost_sales").unwrap();
    let estimated = column(&finding.also()[0], "demand");
    assert_eq!(cleaned.audit().unwrap().changes(), estimated.len());
    let frame = cleaned.to_frame();
    let target: Vec<f64> = frame.column("sold").unwrap().f64().unwrap().iter().map(|v| v.unwrap_or(f64::NAN)).collect();
    let filled: Vec<f64> = (0..sold.len()).filter(|at| available[*at] < 1.0).map(|at| target[at]).collect();
    assert_eq!(filled, estimated);
    // A part of a cleaned panel is cleaned by itself: nothing of later weeks is in it.
    assert!(cleaned.fit(["naive", "gamma_poisson"]).unwrap().forecast(4).is_ok());
    assert!(cleaned.backtest(["ets"], Folds::new(2, 4)).is_ok());
}

#[test]
fn what_cannot_be_estimated_is_told() {
    let weeks: Vec<i64> = (0..12).collect();
    let of = |sold: &[f64], there: &[f64]| {
        let frame = df!("t" => &weeks[..sold.len()], "y" => sold, "a" => there).unwrap();
        Panel::from_frame(frame, Columns::new([""; 0], "t", "y").available("a").freq("1").unwrap()).unwrap()
    };
    let ask = |sold: &[f64], there: &[f64]| of(sold, there).explore("lost_sales");
    let many = [3.0, 4.0, 2.0, 5.0, 0.0, 3.0, 4.0, 4.0, 0.0, 2.0, 3.0, 4.0];
    let whole = [1.0; 12];
    let error = ask(&many, &whole).unwrap_err();
    assert!(error.is_data() && error.to_string().contains("nothing to estimate"), "{error}");
    let plain = df!("t" => &weeks, "y" => many).unwrap();
    let plain = Panel::from_frame(plain, Columns::new([""; 0], "t", "y").freq("1").unwrap()).unwrap();
    assert!(plain.explore("lost_sales").unwrap_err().to_string().contains("`available`"));
    assert!(plain.clean(&Clean::parse("stockouts=estimated").unwrap()).is_err());
    // Never in stock and never sold: no number.
    let never = ask(&[0.0; 12], &[0.0; 12]).unwrap();
    assert!(never.caveats().iter().any(|caveat| caveat.contains("never in stock")), "{:?}", never.caveats());
    assert_eq!(never.also()[0].rows(), 0);
    // Before the launch and after the end nothing is estimated.
    let mut short = [0.0; 12];
    short[3] = 1.0;
    short[5..8].fill(1.0);
    let launched = ask(&many, &short.map(|share| if share == 1.0 { 1.0 } else { 0.0 })).unwrap();
    assert!(launched.also()[0].rows() > 0);
    let alternating: Vec<f64> = (0..12).map(|t| f64::from(t % 2)).collect();
    let sold: Vec<f64> = many.iter().zip(&alternating).map(|(y, a)| y * a).collect();
    for (sold, there) in [
        (sold, alternating.clone()),
        (vec![2.0; 12], alternating.clone()),
        (vec![0.0; 12], alternating),
        (vec![-3.0, 4.0, -2.0, 5.0], vec![1.0, 0.0, 1.0, 1.0]),
        (vec![2.0], vec![0.5]),
        (vec![2.0, 0.0, 1.0], vec![1.0, 0.0, 1.0]),
        (vec![1e12, 0.0, 1e12, 3.5], vec![1.0, 0.0, 0.3, 1.0]),
        (vec![1e-9, 0.0, 2e-9], vec![1.0, 0.0, 1.0]),
    ] {
        let finding = ask(&sold, &there).unwrap();
        for name in ["sold", "demand", "from", "to", "lost"] {
            assert!(column(&finding.also()[0], name).iter().all(|v| v.is_finite() && *v >= 0.0), "{sold:?} {name}");
        }
    }
    assert!(of(&many, &short).explore("lost_sales(level=90)").unwrap_err().to_string().contains("0.9"));
}

/// Tests with large data find them through `TRADEWIND_DATA`.
#[test]
fn hidden_weeks_of_a_shop_are_found_again() {
    let Some(folder) = crate::data_folder("vn2") else { return };
    let columns = Columns::new(["store", "product"], "week", "sales")
        .fixed(["product_group", "department", "store_format"])
        .available("in_stock");
    let panel = Panel::read(folder.join("vn2_weekly.parquet").to_str().unwrap(), columns).unwrap();
    let mut frame = panel.to_frame();
    let numbers = |name: &str| -> Vec<f64> {
        let column = frame.column(name).unwrap().cast(&DataType::Float64).unwrap();
        column.f64().unwrap().iter().map(|v| v.unwrap_or(1.0)).collect()
    };
    let (mut sold, mut there) = (numbers("sales"), numbers("in_stock"));
    let (state, mut truth, mut rows) = (&mut 11_u64, Vec::new(), Vec::new());
    for at in 0..sold.len() {
        if there[at] == 1.0 && uniform(state) < 0.1 {
            truth.push(sold[at]);
            rows.push(at);
            (sold[at], there[at]) = (0.0, 0.0);
        }
    }
    frame.with_column(Column::new("sales".into(), sold)).unwrap();
    frame.with_column(Column::new("in_stock".into(), there)).unwrap();
    let hidden = Panel::from_frame(frame, panel.columns().clone()).unwrap();
    let cleaned = hidden.clean(&Clean::parse("stockouts=estimated").unwrap()).unwrap().to_frame();
    let target: Vec<f64> = cleaned.column("sales").unwrap().f64().unwrap().iter().map(|v| v.unwrap_or(0.0)).collect();
    let (sum, known): (f64, f64) = (rows.iter().map(|at| target[*at]).sum(), truth.iter().sum());
    // One draw has a standard error of two per cent.
    assert!((sum / known - 1.0).abs() < 0.05, "{sum} {known}");
}
