//! Equal input, equal answer: what series and columns are called, in what order they come, in what unit sales are counted and
//! what else lies beside them is nothing that a forecast may depend on.

use tradewind::polars::prelude::*;
use tradewind::prelude::*;

const SHOPS: usize = 12;
const DAYS: usize = 126;
/// The methods that learn from all series together.
const ACROSS: [&str; 11] =
    ["boost", "xgboost", "forest", "lstm", "ridge", "lasso", "elastic_net", "stack", "select", "auto", "gamma_poisson"];

/// A shop's sales by day, with a promotion, a price, a weather and a size; none of the numbers is whole.
fn shops() -> DataFrame {
    let mut state = 77_u64;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let n = SHOPS * DAYS;
    let (mut shop, mut kind, mut date) = (Vec::with_capacity(n), Vec::with_capacity(n), Vec::with_capacity(n));
    let mut numbers = vec![Vec::new(); 5];
    for k in 0..SHOPS {
        let (level, size) = (20.0 + 90.0 * uniform(), (10.0 * uniform()).round());
        for day in 0..DAYS {
            let promotion = f64::from(u8::from(uniform() < 0.2));
            let price = 2.0 + (4.0 * uniform()).round() / 4.0;
            let weather = 15.0 + 10.0 * (day as f64 / 20.0).sin() + uniform();
            let week = 1.0 + 0.3 * (std::f64::consts::TAU * (day % 7) as f64 / 7.0).sin();
            let sold = level * week * (1.0 + 0.5 * promotion - 0.1 * price) * (0.8 + 0.4 * uniform()) + 0.01;
            shop.push(1 + k as i64);
            kind.push(["b", "c", "a"][k % 3]);
            date.push(19_723 + day as i32);
            for (column, value) in numbers.iter_mut().zip([sold, promotion, price, weather, size]) {
                column.push(value);
            }
        }
    }
    let date = Column::new("date".into(), date).cast(&DataType::Date).unwrap();
    let names = ["sold", "promotion", "price", "weather", "size"];
    let mut columns = vec![Column::new("shop".into(), shop), Column::new("kind".into(), kind), date];
    columns.extend(names.into_iter().zip(numbers).map(|(name, values)| Column::new(name.into(), values)));
    DataFrame::new(n, columns).unwrap()
}

fn columns() -> Columns {
    Columns::new(["shop", "kind"], "date", "sold").known(["promotion", "price"]).observed(["weather"]).fixed(["size"])
}

/// Every model as it comes; networks, stacks and their members small, so that a test is a matter of seconds.
fn models() -> Vec<String> {
    let usual = |entry: &Entry| match entry.name {
        "lstm" => "lstm(hidden_size=8, epochs=2, batches_per_epoch=10, windows=1)".to_string(),
        "stack" | "select" => format!("{}(models=[theta, \"boost(num_rounds=20)\"])", entry.name),
        "boost" => "boost(num_rounds=60)".into(),
        "xgboost" => "xgboost(num_boost_round=60)".into(),
        "forest" => "forest(num_trees=30)".into(),
        name => name.into(),
    };
    MODELS.iter().map(usual).chain(["boost(num_rounds=30, subsample=0.6, max_rows=400)".into()]).collect()
}

/// What is forecast, row by row: shop, mean and quantiles.
type Said = Vec<Row>;
/// Of one series and step: who and what for, and the numbers that are said.
type Row = (String, Vec<f64>);
/// A series by its steps.
type Shape = Box<dyn Fn(usize) -> f64>;

/// The forecast of the week after the first days, whose covariates are known.
fn said(frame: &DataFrame, columns: Columns, label: &str) -> Said {
    let whole = Panel::from_frame(frame.clone(), columns).unwrap();
    let known = whole.before("2024-04-29").unwrap();
    let future = known.future(7).unwrap().given(frame.clone()).unwrap();
    let forecast = known.fit_for([label], 7).unwrap().forecast(&future).unwrap();
    assert!(forecast.failures().is_empty(), "{label}: {:?}", forecast.failures());
    let frame = forecast.to_frame().unwrap();
    let texts = frame.column("shop").unwrap().cast(&DataType::String).unwrap();
    let numbers: Vec<Vec<f64>> = frame
        .columns()
        .iter()
        .filter(|column| column.name() == "mean" || column.name().starts_with('q'))
        .map(|column| column.f64().unwrap().iter().map(|value| value.unwrap_or(f64::NAN)).collect())
        .collect();
    let row = |(row, shop): (usize, Option<&str>)| {
        (shop.unwrap_or_default().to_string(), numbers.iter().map(|column| column[row]).collect())
    };
    texts.str().unwrap().iter().enumerate().map(row).collect()
}

/// How far two forecasts are apart at most, in the size of what is said of a step.
fn apart(a: &Said, b: &Said) -> f64 {
    assert_eq!(a.len(), b.len());
    let row = |((_, a), (_, b)): (&Row, &Row)| {
        let size = a.iter().chain(b).fold(f64::MIN_POSITIVE, |most, value| most.max(value.abs()));
        a.iter().zip(b).map(|(a, b)| (a - b).abs() / size).fold(0.0, worst)
    };
    a.iter().zip(b).map(row).fold(0.0, worst)
}

/// The larger of two; what is no number is larger than any.
fn worst(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) }
}

/// Compares every model's forecast of two frames, the second brought back to the first by `back`; collects who differs.
fn equal(
    frame: &DataFrame,
    (other, columns_of_other): (&DataFrame, Columns),
    back: impl Fn(Said) -> Said,
    allowed: impl Fn(&str) -> f64,
) {
    let mut differ = Vec::new();
    for label in models() {
        let off = apart(&said(frame, columns(), &label), &back(said(other, columns_of_other.clone(), &label)));
        if off.is_nan() || off > allowed(&label) {
            differ.push(format!("{label}: {off:.1e}"));
        }
    }
    assert!(differ.is_empty(), "differ by so much of what is said of a step: {}", differ.join("; "));
}

fn with(frame: &DataFrame, column: Column) -> DataFrame {
    let mut frame = frame.clone();
    frame.with_column(column).unwrap();
    frame
}

/// What series are called says nothing: neither the order of their names, nor whether they are numbers.
#[test]
fn series_may_be_called_anything() {
    let frame = shops();
    let shops: Vec<i64> = frame.column("shop").unwrap().i64().unwrap().iter().flatten().collect();
    let kinds: Vec<&str> = frame.column("kind").unwrap().str().unwrap().iter().flatten().collect();
    let reversed = |shop: i64| format!("{}", SHOPS as i64 + 1 - shop);
    let padded = |shop: i64| format!("{shop:03}");
    let worded = |shop: i64| format!("{} road {shop}", ["z", "y", "m", "b"][(shop % 4) as usize]);
    for (name, called) in [("reversed", &reversed as &dyn Fn(i64) -> String), ("padded", &padded), ("words", &worded)] {
        let keys: Vec<String> = shops.iter().map(|shop| called(*shop)).collect();
        let other = with(&frame, Column::new("shop".into(), keys));
        let kinds: Vec<&str> =
            kinds.iter().map(|kind| ["u", "t", "v"][usize::from(kind.as_bytes()[0] - b'a')]).collect();
        let other = with(&other, Column::new("kind".into(), kinds));
        println!("{name}");
        let back = |said: Said| {
            let mut said: Vec<(i64, Said)> = (1..=SHOPS as i64)
                .map(|shop| (shop, said.iter().filter(|(key, _)| *key == called(shop)).cloned().collect()))
                .collect();
            said.sort_by_key(|(shop, _)| *shop);
            said.into_iter().flat_map(|(_, rows)| rows).collect()
        };
        equal(&frame, (&other, columns()), back, |_| 1e-9);
    }
}

/// A covariate that says the same everywhere says nothing.
#[test]
fn a_constant_covariate_changes_nothing() {
    let frame = shops();
    let one = |name: &str, value: f64| Column::new(name.into(), vec![value; SHOPS * DAYS]);
    let other = with(&with(&with(&frame, one("a", 1.0)), one("m", 7.0)), one("z", 0.0));
    let other = with(&other, Column::new("land".into(), vec!["here"; SHOPS * DAYS]));
    let columns = Columns::new(["shop", "kind"], "date", "sold")
        .known(["a", "promotion", "price"])
        .observed(["m", "weather", "z"])
        .fixed(["land", "size"]);
    // A column without a slope takes its place in the sums of a regression all the same.
    equal(&frame, (&other, columns), |said| said, |label| if label.starts_with("harmonic") { 1e-15 } else { 0.0 });
}

/// Covariates may be declared in any order.
#[test]
fn the_order_of_columns_changes_nothing() {
    let frame = shops();
    let columns = Columns::new(["shop", "kind"], "date", "sold")
        .fixed(["size"])
        .observed(["weather"])
        .known(["price", "promotion"]);
    let order = ["size", "weather", "date", "price", "sold", "kind", "promotion", "shop"];
    equal(&frame, (&frame.select(order).unwrap(), columns), |said| said, |_| 0.0);
}

/// Sales counted in another unit: twice as many are twice as many but for the last bits; ten times, up to rounding, which an optimiser and
/// single precision enlarge.
#[test]
fn sales_may_be_counted_in_any_unit() {
    let frame = shops();
    let sold: Vec<f64> = frame.column("sold").unwrap().f64().unwrap().iter().flatten().collect();
    for unit in [2.0, 10.0, 1000.0] {
        let other = with(&frame, Column::new("sold".into(), sold.iter().map(|y| y * unit).collect::<Vec<_>>()));
        let back = |said: Said| -> Said {
            let each = |(key, values): (String, Vec<f64>)| (key, values.iter().map(|value| value / unit).collect());
            said.into_iter().map(each).collect()
        };
        println!("times {unit}");
        let allowed = |label: &str| if unit == 2.0 && !label.starts_with("lstm") { 1e-14 } else { 1e-5 };
        equal(&frame, (&other, columns()), back, allowed);
    }
}

/// The same of whole numbers, of which many are equal and many means of them are, whatever rounding does to them in another unit:
/// models that learn across series part their rows at the same places.
#[test]
fn whole_numbers_may_be_counted_in_any_unit() {
    let frame = shops();
    let sold: Vec<f64> =
        frame.column("sold").unwrap().f64().unwrap().iter().flatten().map(|y| (y / 8.0).round()).collect();
    let in_units =
        |unit: f64| with(&frame, Column::new("sold".into(), sold.iter().map(|y| y * unit).collect::<Vec<_>>()));
    let mut differ = Vec::new();
    for label in models().iter().filter(|label| ACROSS.contains(&label.split('(').next().unwrap_or_default())) {
        if ["stack", "select", "auto", "gamma_poisson"].contains(&label.split('(').next().unwrap_or_default()) {
            continue;
        }
        let own = said(&in_units(1.0), columns(), label);
        for unit in [3.0, 10.0, 1000.0] {
            let mut other = said(&in_units(unit), columns(), label);
            other.iter_mut().flat_map(|(_, values)| values).for_each(|value| *value /= unit);
            let off = apart(&own, &other);
            if off.is_nan() || off > 1e-5 {
                differ.push(format!("{label} times {unit}: {off:.1e}"));
            }
        }
    }
    assert!(differ.is_empty(), "differ by so much of what is said of a step: {}", differ.join("; "));
}

/// The order of rows and the kind of file are not even that: the same bytes.
#[test]
fn rows_in_another_order_give_the_same_bytes() {
    let frame = shops();
    let n = SHOPS * DAYS;
    let places = IdxCa::from_vec("row".into(), (0..n).map(|k| ((k * 1_009 + 17) % n) as IdxSize).collect());
    let shuffled = frame.take(&places).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shops.parquet");
    let mut written = shuffled.clone();
    ParquetWriter::new(std::fs::File::create(&file).unwrap()).finish(&mut written).unwrap();
    let read = ParquetReader::new(std::fs::File::open(&file).unwrap()).finish().unwrap();
    for label in models() {
        let first = said(&frame, columns(), &label);
        assert_eq!(first, said(&shuffled, columns(), &label), "{label}: rows shuffled");
        assert_eq!(first, said(&read, columns(), &label), "{label}: from Parquet");
    }
}

/// A model of each series by itself says the same of a series whatever series stand beside it, to the bit; what `ensemble` and
/// `conformal` say of its intervals is learned from all, and their means are not. `group_seasonal` is made of what others show.
#[test]
fn unrelated_series_change_no_local_forecast() {
    let frame = shops();
    let sizes = frame.column("shop").unwrap().i64().unwrap();
    let some = frame.filter(&sizes.iter().map(|shop| shop < Some(8)).collect()).unwrap();
    let is_local = |label: &&String| {
        let name = label.split('(').next().unwrap_or_default();
        !ACROSS.contains(&name) && name != "group_seasonal"
    };
    for label in models().iter().filter(is_local) {
        let (all, few) = (said(&frame, columns(), label), said(&some, columns(), label));
        let shared = ["ensemble", "conformal"].contains(&label.as_str());
        let kept = |said: &Said| -> Said {
            let values = |values: &Vec<f64>| if shared { values[..1].to_vec() } else { values.clone() };
            said.iter().map(|(key, all)| (key.clone(), values(all))).collect()
        };
        let (all, few) = (kept(&all), kept(&few));
        let here: Said = all.into_iter().filter(|(key, _)| few.iter().any(|(known, _)| known == key)).collect();
        assert_eq!(here, few, "{label}");
    }
}

/// No number that is none: near the largest and the smallest numbers there are, a model says what is a number, or why it cannot.
#[test]
fn what_leaves_the_range_of_numbers_is_a_failure_with_a_reason() {
    let shapes: Vec<(&str, Shape)> = vec![
        ("the largest", Box::new(|_| 1.7e308)),
        ("the least", Box::new(|_| -1.7e308)),
        ("large", Box::new(|t| 1e308 * (1.0 + 0.1 * (t % 7) as f64))),
        ("large and small", Box::new(|t| if t % 5 == 0 { 1.7e308 } else { 1e-308 })),
        ("up and down", Box::new(|t| if t % 3 == 0 { 1.7e308 } else { -1.7e308 })),
        ("growing", Box::new(|t| 1e300 * 1.2_f64.powi(t as i32))),
        ("the smallest", Box::new(|_| 1e-308)),
        ("small", Box::new(|t| 1e-308 * (1.0 + (t % 7) as f64))),
        ("seldom", Box::new(|t| if t % 6 == 0 { 1.7e308 } else { 0.0 })),
    ];
    for (name, value) in &shapes {
        let (mut keys, mut steps, mut values) = (Vec::new(), Vec::new(), Vec::new());
        for series in 0..2 {
            for t in 0..84_usize {
                keys.push(["a", "b"][series]);
                steps.push(t as i64);
                values.push(value(t + series));
            }
        }
        let frame = df!("k" => keys, "t" => steps, "y" => values).unwrap();
        let columns = Columns::new(["k"], "t", "y").season(7).freq("1").unwrap();
        let panel = Panel::from_frame(frame, columns).unwrap();
        for label in models() {
            let forecast = panel.fit_for([label.as_str()], 7).unwrap().forecast(7).unwrap();
            let table = forecast.levels([0.5, 0.8, 0.95, 0.999]).unwrap().to_frame().unwrap();
            assert_eq!(forecast.failures().len() + table.height() / 7, 2, "{label} on {name}");
            assert!(forecast.failures().iter().all(|failure| !failure.reason.is_empty()), "{label} on {name}");
            for column in table.columns().iter().filter(|column| column.dtype() == &DataType::Float64) {
                let finite = column.f64().unwrap().iter().all(|value| value.is_some_and(f64::is_finite));
                assert!(finite, "{label} on {name}: {column:?}");
            }
            let paths = forecast.paths(20, 1).unwrap();
            for key in table.column("k").unwrap().str().unwrap().iter().flatten() {
                let paths = paths.of(&label, &format!("k={key}")).unwrap();
                assert!(paths.iter().flatten().all(|value| value.is_finite()), "{label} on {name}: paths");
            }
            if table.height() > 0 {
                let total = paths.total(&label);
                assert!(total.map_or(true, |total| total.iter().flatten().all(|v| v.is_finite())), "{label} on {name}");
            }
        }
    }
}

/// What is known of a later day changes no earlier one, the price of the sixth day none of the first five; the features of global
/// models look two days ahead.
#[test]
fn a_later_covariate_changes_no_earlier_step() {
    const CHANGED: usize = 5;
    let frame = shops();
    let whole = Panel::from_frame(frame.clone(), columns()).unwrap();
    let known = whole.before("2024-04-29").unwrap();
    let dates = frame.column("date").unwrap().cast(&DataType::Int32).unwrap();
    let price = frame.column("price").unwrap().f64().unwrap();
    let turned = |(price, day): (Option<f64>, Option<i32>)| {
        price.map(|price| if day == Some(19_842 + CHANGED as i32) { 8.0 - price } else { price })
    };
    let turned: Vec<Option<f64>> = price.iter().zip(dates.i32().unwrap().iter()).map(turned).collect();
    let mut other = frame.clone();
    other.with_column(Column::new("price".into(), turned)).unwrap();
    let (mut felt, mut early) = (0, Vec::new());
    for label in models() {
        let fits = known.fit_for([label.as_str()], 7).unwrap();
        let means = |frame: &DataFrame| {
            let forecast = fits.forecast(known.future(7).unwrap().given(frame.clone()).unwrap()).unwrap();
            let model = forecast.models().remove(0);
            known.keys().iter().map(|key| forecast.mean(&model, key).unwrap()).collect::<Vec<_>>()
        };
        let looks = if ACROSS.contains(&label.split('(').next().unwrap_or_default()) { 2 } else { 0 };
        let (before, after) = (means(&frame), means(&other));
        let same = CHANGED - looks;
        if before.iter().zip(&after).any(|(before, after)| before[..same] != after[..same]) {
            early.push(label);
        }
        felt += usize::from(before != after);
    }
    assert!(early.is_empty(), "{early:?}");
    assert!(felt > 8, "{felt} models read the price");
}
