//! Features: right values, the same in the future, nothing from beyond the cut-off.

use std::collections::BTreeMap;

use tradewind::polars::prelude::*;
use tradewind::prelude::*;

use crate::sales;

/// Rows of an oracle file after its header comment, and its column names.
fn oracle(file: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let text = std::fs::read_to_string(format!("{}/tests/oracles/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    let split = |line: &str| line.split(',').map(String::from).collect::<Vec<_>>();
    let header = split(lines.next().unwrap());
    (header, lines.map(split).collect())
}

pub(crate) fn column(frame: &DataFrame, name: &str) -> Vec<Option<f64>> {
    frame.column(name).unwrap().cast(&DataType::Float64).unwrap().f64().unwrap().to_vec()
}

pub(crate) fn texts(frame: &DataFrame, name: &str) -> Vec<String> {
    let texts = frame.column(name).unwrap().cast(&DataType::String).unwrap();
    texts.str().unwrap().iter().map(|text| text.unwrap_or("").to_string()).collect()
}

/// One daily series from a date on.
pub(crate) fn daily(first: &str, values: Vec<Option<f64>>) -> Panel {
    let start = Series::new("ds".into(), [first]).cast(&DataType::Date).unwrap();
    let start = start.cast(&DataType::Int32).unwrap().i32().unwrap().get(0).unwrap();
    let days: Vec<i32> = (0..values.len() as i32).map(|day| start + day).collect();
    let ds = Column::new("ds".into(), days).cast(&DataType::Date).unwrap();
    let frame = DataFrame::new(values.len(), vec![ds, Column::new("y".into(), values)]).unwrap();
    Panel::from_frame(frame, Columns::new([""; 0], "ds", "y").freq("D").unwrap()).unwrap()
}

fn numbers(length: usize) -> Vec<Option<f64>> {
    (0..length).map(|i| Some(100.0 + ((i * 37) % 17) as f64)).collect()
}

#[test]
fn windows_and_waves_are_those_of_pandas_and_numpy() {
    let (header, rows) = oracle("features.csv");
    let cell = |text: &String| text.parse::<f64>().ok();
    let panel = daily(&rows[0][0], rows.iter().map(|row| cell(&row[1])).collect())
        .features(
            "lags(steps=[1, 14]); rolling; rolling(window=28, lag=8, stat=median); rolling(stat=std); \
             rolling(window=5, stat=min); rolling(window=5, stat=max); rolling(window=3, stat=sum); expanding; \
             expanding(stat=median); expanding(stat=std); fourier(order=1); fourier(period=7); week; \
             quarter(form=number); month_end; month_start",
        )
        .unwrap();
    let frame = panel.to_frame();
    let mut compared = 0;
    for (at, name) in header.iter().enumerate().skip(2) {
        for (row, ours) in rows.iter().zip(column(&frame, name)) {
            match (cell(&row[at]), ours) {
                (None, None) => {}
                (Some(theirs), Some(ours)) if (theirs - ours).abs() <= 1e-9 * theirs.abs().max(1.0) => compared += 1,
                (theirs, ours) => panic!("{name} on {}: {ours:?} is not pandas' {theirs:?}", row[0]),
            }
        }
    }
    assert!(compared > 2100, "{compared}");
}

#[test]
fn public_holidays_are_those_of_pypi() {
    let (_, rows) = oracle("holidays.csv");
    let panel = daily("2010-01-01", vec![Some(1.0); 7_670]);
    let days = texts(&panel.to_frame(), "ds");
    assert_eq!(days.last().unwrap(), "2030-12-31");
    let mut by_region: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for row in rows {
        let dates = row[3].split_whitespace().map(|day| format!("{}-{}-{}", row[2], &day[..2], &day[2..]));
        by_region.entry((row[0].clone(), row[1].clone())).or_default().extend(dates);
    }
    assert_eq!(by_region.len(), 148);
    for ((country, region), theirs) in by_region {
        let region = if region.is_empty() { String::new() } else { format!(", region=\"{region}\"") };
        let label = format!("holidays(country={country}{region})");
        let on = column(&panel.features(label.as_str()).unwrap().to_frame(), "holiday");
        let ours: Vec<&String> = days.iter().zip(on).filter(|(_, on)| *on == Some(1.0)).map(|(day, _)| day).collect();
        assert_eq!(ours, theirs.iter().collect::<Vec<_>>(), "{label}");
    }
}

#[test]
fn a_week_holds_the_days_that_it_ends_with() {
    let sales = sales().features("feasts(names=[super_bowl, labor_day_us, thanksgiving_us]); month_end").unwrap();
    let frame = sales.to_frame();
    let dates = texts(&frame, "Date");
    let weeks = |name: &str| {
        let on = column(&frame, name);
        (0..143).filter(|row| on[*row] == Some(1.0)).map(|row| dates[row].clone()).collect::<Vec<_>>()
    };
    assert_eq!(weeks("super_bowl"), ["2010-02-12", "2011-02-11", "2012-02-10"]);
    // Walmart's own holiday weeks, which are also the weeks with the year's end.
    let theirs = weeks("IsHoliday");
    let mut ours: Vec<String> = ["super_bowl", "labor_day_us", "thanksgiving_us"].into_iter().flat_map(weeks).collect();
    ours.sort_unstable();
    assert_eq!(ours, theirs.into_iter().filter(|week| !week.contains("-12-")).collect::<Vec<_>>());
    assert_eq!(weeks("month_end")[..3], ["2010-02-05".to_string(), "2010-03-05".into(), "2010-04-02".into()]);
    // The same Fridays as the first days of their weeks.
    let from = Panel::read(
        "data/walmart_sales_weekly.csv",
        crate::columns().stamps(serde_json::from_str("\"start\"").unwrap()),
    );
    let frame = from.unwrap().features("feasts(names=[super_bowl])").unwrap().to_frame();
    let on = column(&frame, "super_bowl");
    assert_eq!(dates[on.iter().position(|on| *on == Some(1.0)).unwrap()], "2010-02-05");
}

#[test]
fn paydays_months_and_marks_fall_on_their_days() {
    let panel = daily("2024-02-01", vec![Some(1.0); 60]).features("payday; payday_fridays").err().unwrap();
    assert!(panel.to_string().contains("there is no feature `payday_fridays`"), "{panel}");
    let panel = daily("2024-02-01", vec![Some(1.0); 60])
        .features([
            "payday(days=[31], workday=true)",
            "weekday",
            "holidays(country=DE, region=BY, before=2, after=1)",
            "season",
        ])
        .unwrap();
    let frame = panel.to_frame();
    let days = texts(&frame, "ds");
    let on = |name: &str| {
        let cells = column(&frame, name);
        days.iter()
            .zip(cells)
            .filter(|(_, on)| *on == Some(1.0))
            .map(|(day, _)| day[5..].to_string())
            .collect::<Vec<_>>()
    };
    // The 31st of February is the 29th; 31 March 2024 is a Sunday.
    assert_eq!(on("payday"), ["02-29", "03-29"]);
    assert_eq!(on("weekday_mon")[..2], ["02-05".to_string(), "02-12".into()]);
    // Good Friday is 29 March, Easter Monday 1 April; Easter Saturday and Sunday are no public holidays in Bavaria.
    assert_eq!(on("holiday"), ["03-29"]);
    assert_eq!(on("holiday_before"), ["03-27", "03-28", "03-30", "03-31"]);
    assert_eq!(on("holiday_after"), ["03-30"]);
    assert_eq!((on("season_winter").len(), on("season_spring").len()), (29, 31));
}

#[test]
fn holidays_have_names_and_regions() {
    let frame = df!(
        "State" => ["BY", "BY", "BY", "DE-HH", "DE-HH", "DE-HH"],
        "ds" => ["2015-01-05", "2015-01-06", "2015-01-07", "2015-01-05", "2015-01-06", "2015-01-07"],
        "y" => [1.0, 2.0, 3.0, 1.0, 2.0, 3.0],
    );
    let panel = Panel::from_frame(frame.unwrap(), Columns::new(["State"], "ds", "y")).unwrap();
    let named = panel.features("holidays(country=DE, by=State, names=true, after=1)").unwrap();
    assert_eq!(named.columns().names()[3..], ["holiday_epiphany", "holiday_after"]);
    assert_eq!(column(&named.to_frame(), "holiday_epiphany"), [0.0, 1.0, 0.0, 0.0, 0.0, 0.0].map(Some));
    assert_eq!(column(&named.to_frame(), "holiday_after"), [0.0, 0.0, 1.0, 0.0, 0.0, 0.0].map(Some));
    // A holiday that the history did not have has no column, in the future either.
    let future = named.future(360).unwrap().to_frame().unwrap();
    assert_eq!(column(&future, "holiday_epiphany").iter().flatten().sum::<f64>(), 0.0);
    assert!(column(&future, "holiday_after").iter().flatten().sum::<f64>() > 10.0);
    let error = panel.features("holidays(country=AT, by=State)").err().unwrap().to_string();
    assert!(error.contains("`BY`, `DE-HH`, which are no region of AT"), "{error}");
}

#[test]
fn what_a_feature_cannot_do_is_said() {
    let whole = Panel::from_frame(
        df!("t" => (1..40_i64).collect::<Vec<_>>(), "y" => (1..40).map(f64::from).collect::<Vec<_>>()).unwrap(),
        Columns::new([""; 0], "t", "y"),
    )
    .unwrap();
    assert!(
        whole.features("fourier(period=12, order=2); lags; rolling; expanding; interaction(a=lags, b=rolling)").is_ok()
    );
    let sales = sales();
    let early = daily("1999-12-30", numbers(30));
    let late = daily("2050-12-01", numbers(20)).features("holidays(country=FR)").unwrap();
    for (panel, label, part) in [
        (&sales, "holydays(country=US)", "did you mean `holidays`?"),
        (&sales, "holidays(contry=US)", "did you mean `country`?"),
        (&sales, "holidays", "needs a country"),
        (&sales, "holidays(country=UX)", "no country"),
        (&sales, "holidays(country=US, region=CB)", "did you mean"),
        (&sales, "holidays(country=US, by=Nothing)", "neither a key nor a declared column"),
        (&sales, "holidays(country=US, by=Temperature)", "one value per series"),
        (&sales, "weekday", "says nothing about data that are weekly (Fridays)"),
        (&sales, "lags(steps=[0])", "at least 1"),
        (&sales, "rolling(window=0)", "at least 1"),
        (&sales, "rolling(stat=mode)", "cannot be \"mode\""),
        (&sales, "lags(of=Temprature)", "did you mean `Temperature`?"),
        (&sales, "fourier(period=365.25, order=30)", "order of 26 at most"),
        (&sales, "feasts(names=[eastr])", "did you mean `easter`?"),
        (&sales, "payday(days=[32])", "no day of a month"),
        (&sales, "interaction(a=IsHoliday, b=promo)", "neither a covariate nor a feature"),
        (&sales, "month_end; month_end", "there is one already, made by month_end"),
        (&sales, "events(file=\"nowhere.csv\")", "does not exist"),
        (&whole, "month_end", "counts integer steps"),
        (&early, "holidays(country=FR)", "known from 2000 to 2050, not for 1999-12-30"),
    ] {
        let error = panel.features(label).err().unwrap();
        assert!(error.to_string().contains(part), "{label}: {error}");
    }
    let error = late.future(14).err().unwrap().to_string();
    assert!(error.contains("not for 2051-01-01"), "{error}");
}

/// Changes every target from a date on.
fn changed(panel: &Panel, from: &str) -> Panel {
    let mut frame = panel.to_frame();
    let late: Vec<bool> = texts(&frame, "Date").iter().map(|date| date.as_str() >= from).collect();
    for name in ["Weekly_Sales", "Temperature"] {
        let cells = frame.column(name).unwrap().f64().unwrap().iter().zip(&late);
        let cells: Vec<Option<f64>> = cells.map(|(v, late)| if *late { v.map(|v| 1e6 - 7.0 * v) } else { v }).collect();
        frame.with_column(Column::new(name.into(), cells)).unwrap();
    }
    Panel::from_frame(frame, panel.columns()).unwrap()
}

const PAST: &str = "lags(steps=[1, 8, 52]); rolling(window=13); rolling(window=5, lag=8, stat=median); expanding(lag=2, stat=std); \
                    lags(steps=[9], of=Temperature); interaction(a=IsHoliday, b=lags); month_end; holidays(country=US)";

#[test]
fn features_see_nothing_after_the_cut_off() {
    let sales = sales();
    let other = changed(&sales, "2012-08-31");
    let made = |panel: &Panel| panel.features(PAST).unwrap().before("2012-08-31").unwrap().to_frame();
    let (a, b) = (made(&sales), made(&other));
    assert_eq!(a.height(), 7 * 134);
    assert!(a.equals_missing(&b));
    // Features made of a cut history are those of the whole, and so are the forecasts.
    let first = sales.before("2012-08-31").unwrap().features(PAST).unwrap();
    assert!(first.to_frame().equals_missing(&a));
    let seen = "lags(steps=[8, 52]); rolling(window=5, lag=8, stat=median); lags(steps=[9], of=Temperature); month_end";
    let forecast = |panel: &Panel| {
        let cut = panel.features(seen).unwrap().before("2012-08-31").unwrap();
        let mut frame = cut.future(8).unwrap().to_frame().unwrap();
        frame.with_column(Column::new("IsHoliday".into(), vec![false; frame.height()])).unwrap();
        let future = cut.future(8).unwrap().given(frame).unwrap();
        cut.fit(["regression"]).unwrap().forecast(future).unwrap().to_frame().unwrap()
    };
    assert_eq!(forecast(&sales), forecast(&other));
    // In a backtest, the window's own targets must not matter either.
    let other = changed(&sales, "2012-09-07");
    let means = |panel: &Panel| {
        let trial = panel.features(seen).unwrap().backtest(["regression"], Folds::new(1, 8)).unwrap();
        assert!(trial.failures().is_empty());
        trial.forecasts().unwrap().frame().column("mean").unwrap().f64().unwrap().to_vec()
    };
    assert_eq!(means(&sales), means(&other));
}

#[test]
fn a_lag_reaches_as_far_as_it_looks_back() {
    let sales = sales().features("lags(steps=[1, 3])").unwrap();
    let future = sales.future(4).unwrap();
    let frame = future.to_frame().unwrap();
    let last: Vec<f64> = column(&sales.to_frame(), "Weekly_Sales")[140..143].iter().map(|y| y.unwrap()).collect();
    assert_eq!(column(&frame, "lag_1")[..4], [Some(last[2]), None, None, None]);
    assert_eq!(column(&frame, "lag_3")[..4], [Some(last[0]), Some(last[1]), Some(last[2]), None]);
    let mut given = frame;
    given.with_column(Column::new("IsHoliday".into(), vec![false; given.height()])).unwrap();
    let error = sales.fit(["regression"]).unwrap().forecast(future.given(given).unwrap()).err().unwrap().to_string();
    assert!(
        error.contains(
            "`lag_1` of series Store=1, Dept=1 reaches only 1 step ahead, 2012-11-09 is step 2: use lags of at least the horizon"
        ),
        "{error}"
    );
    // A backtest counts it as the series' failure.
    let trial = sales.backtest(["regression", "naive"], Folds::new(2, 4)).unwrap();
    assert_eq!(trial.failures().len(), 2 * 7);
    assert!(trial.failures()[0].reason.contains("use lags of at least the horizon"));
}

#[test]
fn the_future_makes_the_calendar_and_demands_the_rest() {
    let labels =
        "month; holidays(country=US, before=3); feasts(names=[black_friday]); interaction(a=IsHoliday, b=Type)";
    let sales = sales().features(labels).unwrap();
    let future = sales.future(8).unwrap();
    let frame = future.to_frame().unwrap();
    assert_eq!(column(&frame, "black_friday")[..5], [0.0, 0.0, 0.0, 1.0, 0.0].map(Some));
    // December was in no cut history of eight months, and is there all the same.
    let short = sales.before("2010-11-01").unwrap();
    assert_eq!(column(&short.future(10).unwrap().to_frame().unwrap(), "month_dec")[8], Some(1.0));
    let fits = sales.fit(["regression"]).unwrap();
    let error = fits.forecast(8).err().unwrap().to_string();
    assert!(error.contains("known covariate `IsHoliday`") && error.contains("2012-11-02"), "{error}");
    // Only what cannot be made is asked for.
    let mut given = frame.select(["Store", "Dept", "Date"]).unwrap();
    let holidays: Vec<bool> = (0..given.height()).map(|row| row % 8 == 3).collect();
    given.with_column(Column::new("IsHoliday".into(), holidays)).unwrap();
    let told = future.given(given).unwrap();
    let frame = told.to_frame().unwrap();
    assert_eq!(column(&frame, "IsHoliday_x_Type_A"), column(&frame, "IsHoliday"));
    assert_eq!(column(&frame, "black_friday"), column(&future.to_frame().unwrap(), "black_friday"));
    assert!(fits.forecast(told).is_ok());
}

#[test]
fn events_are_intervals_for_all_or_for_some() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("events.csv");
    std::fs::write(
        &file,
        "name,start,end,Dept\nFair,2012-10-20,2012-10-24,\nClear-out,2012-11-05,2012-11-06,3\nFair,2012-11-10,,\n",
    )
    .unwrap();
    let label = |more: &str| format!("events(file={:?}{more})", file.display().to_string());
    let sales =
        Panel::read("data/walmart_sales_weekly.csv", Columns::new(["Store", "Dept"], "Date", "Weekly_Sales")).unwrap();
    let panel = sales.features(label(", before=7")).unwrap();
    assert_eq!(panel.columns().names()[4..], ["clear_out", "clear_out_before", "fair", "fair_before"]);
    let frame = panel.to_frame();
    assert_eq!(column(&frame, "fair")[140..143], [0.0, 0.0, 5.0].map(Some));
    assert_eq!(column(&frame, "fair_before")[140..143], [0.0, 7.0, 0.0].map(Some));
    let one = sales.features(label(", name=special")).unwrap();
    assert_eq!(one.columns().names()[4..], ["special"]);
    // The file is needed once: kept fits know the events.
    let fits = panel.fit(["regression"]).unwrap();
    let kept = folder.path().join("x.fits");
    fits.save(&kept).unwrap();
    std::fs::remove_file(&file).unwrap();
    let loaded = Fits::load(&kept).unwrap();
    let future = loaded.panel().future(3).unwrap().to_frame().unwrap();
    assert_eq!(column(&future, "fair")[..3], [0.0, 0.0, 1.0].map(Some));
    assert_eq!(column(&future, "clear_out")[..6], [0.0, 0.0, 0.0, 0.0, 2.0, 0.0].map(Some));
    assert_eq!(fits.forecast(3).unwrap().to_frame().unwrap(), loaded.forecast(3).unwrap().to_frame().unwrap());
    for (text, part) in [
        ("name,start,end\nFair,2012-10-24,2012-10-20\n", "line 2: Fair ends on 2012-10-20, before it starts"),
        ("name,start,end\n,2012-10-24,2012-10-20\n", "line 2, has no name"),
        ("name,start,Deptt\nFair,2012-10-24,3\n", "did you mean `Dept`?"),
        ("name,begin\nFair,2012-10-24\n", "column `begin`"),
        ("name,start\nFair,tomorrow\n", "is not a date"),
    ] {
        std::fs::write(&file, text).unwrap();
        let error = sales.features(label("")).err().unwrap().to_string();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn the_same_features_for_any_number_of_threads_and_on_every_surface() {
    let make = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| sales().features(PAST).unwrap().to_frame())
    };
    assert!(make(1).equals_missing(&make(5)));
    let label = "month_end; lags(steps=[8, 52]); feasts(names=[easter, super_bowl], before=7)";
    let rust = sales().features(label).unwrap().fit(["regression"]).unwrap();
    let known: Vec<String> = rust.panel().columns().names().iter().skip(7).map(|name| (*name).to_string()).collect();
    assert_eq!(known, ["month_end", "lag_8", "lag_52", "easter", "easter_before", "super_bowl", "super_bowl_before"]);
    let folder = tempfile::tempdir().unwrap();
    let (script, command) = (folder.path().join("script.parquet"), folder.path().join("command.parquet"));
    tradewind::script::engine()
        .run(&format!(
            r#"let sales = read_panel("data/walmart_sales_weekly.csv", columns(["Store", "Dept"], "Date", "Weekly_Sales"));
               sales.features(["month_end", "lags(steps=[8, 52])", "feasts(names=[easter, super_bowl], before=7)"])
                    .fit("regression").forecast(8).save({script:?});"#
        ))
        .unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_tradewind"))
        .args(["forecast", "--data", "data/walmart_sales_weekly.csv", "--id", "Store,Dept", "--time", "Date"])
        .args(["--target", "Weekly_Sales", "--models", "regression", "--features", label, "--out"])
        .arg(&command)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read = |path| ParquetReader::new(std::fs::File::open(path).unwrap()).finish().unwrap();
    assert_eq!(read(script), read(command));
}

#[test]
fn every_feature_is_described_and_its_example_works() {
    for feature in FEATURES {
        let options = feature.options().unwrap();
        for row in 0..options.rows() {
            assert_ne!(
                options.get(row, "meaning").unwrap().to_string(),
                "",
                "{} has an undocumented option",
                feature.name
            );
        }
        let hours =
            df!("t" => (0..400_i64).map(|hour| hour * 3_600_000_000).collect::<Vec<_>>(), "y" => vec![1.0; 400]);
        let mut hours = hours.unwrap();
        let stamps = hours.column("t").unwrap().cast(&DataType::Datetime(TimeUnit::Microseconds, None)).unwrap();
        hours.with_column(stamps).unwrap();
        let hourly = Panel::from_frame(hours, Columns::new([""; 0], "t", "y")).unwrap();
        let panel = if ["weekday", "hour"].contains(&feature.name) { hourly } else { sales() };
        assert!(panel.features(feature.example).unwrap().columns().names().len() > panel.columns().names().len());
    }
    let output =
        std::process::Command::new(env!("CARGO_BIN_EXE_tradewind")).args(["features", "fourier"]).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains("365.25"));
}

#[test]
fn countries_go_by_their_names() {
    let sales = sales();
    let made = |label: &str| sales.features(label).unwrap().to_frame().column("holiday").unwrap().clone();
    let us = made("holidays(country=US)");
    for name in ["USA", "'united states'", "\"U.S.A.\""] {
        assert_eq!(made(&format!("holidays(country={name})")), us, "{name}");
    }
    let bavaria = made("holidays(country=DE, region=BY)");
    assert_eq!(made("holidays(country=Deutschland, region=Bayern)"), bavaria);
    assert_eq!(made("holidays(country=England)"), made("holidays(country=GB, region=ENG)"));
    let error = sales.features("holidays(country=Korea)").unwrap_err().to_string();
    assert!(error.contains("North Korea (KP)") && error.contains("South Korea (KR)"), "{error}");
}
