//! Calendars that shops keep, read from files, aggregated and forecast.

use chrono::NaiveDate;
use tradewind::polars::prelude::*;
use tradewind::prelude::*;

fn date(text: &str) -> NaiveDate {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").unwrap()
}

/// One series of days from `from` to `to` that satisfy `is`.
fn days(from: &str, to: &str, is: impl Fn(NaiveDate) -> bool, sold: impl Fn(NaiveDate) -> f64) -> DataFrame {
    let days: Vec<NaiveDate> =
        date(from).iter_days().take_while(|day| *day <= date(to)).filter(|day| is(*day)).collect();
    let sold: Vec<f64> = days.iter().map(|day| sold(*day)).collect();
    df!("day" => days, "sold" => sold).unwrap()
}

fn panel(frame: DataFrame) -> Panel {
    Panel::from_frame(frame, Columns::new([""; 0], "day", "sold")).unwrap()
}

fn dates(forecast: &Forecast) -> Vec<String> {
    let table = forecast.to_frame().unwrap();
    let dates = table.column("day").unwrap().cast(&DataType::String).unwrap();
    dates.str().unwrap().iter().map(|date| date.unwrap().to_string()).collect()
}

#[test]
fn a_working_week_follows_a_working_week() {
    use chrono::Datelike;
    let open = |day: NaiveDate| day.weekday().number_from_monday() < 6;
    let level = |day: NaiveDate| 100.0 + 10.0 * f64::from(day.weekday().num_days_from_monday());
    let office = panel(days("2024-01-01", "2024-03-22", open, level));
    assert_eq!(office.frequency().to_string(), "daily (Monday to Friday)");
    assert!(office.remarks().iter().any(|said| said.contains("Saturday and Sunday")), "{:?}", office.remarks());
    for model in ["seasonal_naive", "ets", "theta", "prophet", "boost", "auto"] {
        let forecast = office.fit([model]).unwrap().forecast(office.future(5).unwrap()).unwrap();
        assert_eq!(dates(&forecast), ["2024-03-25", "2024-03-26", "2024-03-27", "2024-03-28", "2024-03-29"], "{model}");
        let total: f64 = forecast.mean(&forecast.models()[0], "all").unwrap().iter().sum();
        assert!((total - 600.0).abs() < 30.0, "{model}: {total}");
    }
    // A week that ends on a Wednesday is not over, and is left out.
    let before = office.before("2024-03-21").unwrap().aggregate(&Aggregate::parse("freq=W-FRI").unwrap()).unwrap();
    assert_eq!((before.rows(), before.span().1.as_str()), (11, "2024-03-15"));
    assert!(before.remarks().iter().any(|said| said.contains("2024-03-22")), "{:?}", before.remarks());
    // The week of five days is a week, and is whole.
    let weeks = office.aggregate(&Aggregate::parse("freq=W-FRI, partial=drop").unwrap()).unwrap();
    assert_eq!((weeks.rows(), weeks.to_frame().column("sold").unwrap().f64().unwrap().get(3)), (12, Some(600.0)));
}

#[test]
fn shops_of_one_panel_that_keep_other_days_are_named() {
    use chrono::Datelike;
    let mut both = days("2024-01-01", "2024-03-31", |day| day.weekday().number_from_monday() < 6, |_| 10.0);
    let other = days("2024-01-01", "2024-03-31", |day| day.weekday().number_from_monday() < 7, |_| 10.0);
    let keys: Vec<&str> =
        std::iter::repeat_n("a", both.height()).chain(std::iter::repeat_n("b", other.height())).collect();
    both.vstack_mut(&other).unwrap();
    both.with_column(Column::new("shop".into(), keys)).unwrap();
    let panel = Panel::from_frame(both, Columns::new(["shop"], "day", "sold")).unwrap();
    assert_eq!(panel.frequency().to_string(), "daily (Monday to Saturday)");
    assert!(panel.remarks().iter().any(|said| said.contains("shop=a, on Saturdays")), "{:?}", panel.remarks());
}

/// What the 53rd week of the federation's year 2023 does to a comparison with the year before, as docs/calendars.md says.
#[test]
fn the_53rd_week_shifts_the_year_before() {
    let daily = panel(days("2022-01-30", "2025-02-01", |_| true, |_| 100.0));
    let months = daily.aggregate(&Aggregate::parse("freq=4-5-4").unwrap()).unwrap();
    let sold = months.to_frame();
    let sold: Vec<f64> = sold.column("sold").unwrap().f64().unwrap().into_no_null_iter().collect();
    // January of 2022, 2023 and 2024: four, five and four weeks.
    assert_eq!([sold[11], sold[23], sold[35]], [2800.0, 3500.0, 2800.0]);
    let said = months.remarks().join("; ");
    assert!(said.contains("a year of 53 weeks: the month dated 2024-02-03"), "{said}");
    let featured = months.features("days; month(calendar=4-5-4, form=number)").unwrap().to_frame();
    let cell =
        |name: &str, row: usize| featured.column(name).unwrap().cast(&DataType::Int64).unwrap().i64().unwrap().get(row);
    assert_eq!([cell("days", 11), cell("days", 23)], [Some(28), Some(35)]);
    assert_eq!([cell("month", 0), cell("month", 11), cell("month", 12)], [Some(1), Some(12), Some(1)]);

    let weeks = daily.aggregate(&Aggregate::parse("freq=W-SAT").unwrap()).unwrap();
    let featured = weeks.features("week(calendar=4-5-4)").unwrap().to_frame();
    let ends = featured.column("day").unwrap().cast(&DataType::String).unwrap();
    let week = featured.column("week").unwrap().cast(&DataType::Int64).unwrap();
    let of = |end: &str| {
        let row = ends.str().unwrap().iter().position(|day| day == Some(end)).unwrap();
        week.i64().unwrap().get(row).unwrap()
    };
    // Black Friday was 24 November 2023 and 29 November 2024: the same week of the year, 53 weeks apart.
    assert_eq!([of("2023-11-25"), of("2024-11-30"), of("2023-12-02")], [43, 43, 44]);
    // Christmas stays 52 weeks apart.
    assert_eq!([of("2023-12-30"), of("2024-12-28"), of("2023-12-23")], [48, 47, 47]);
    assert_eq!([of("2024-02-03"), of("2024-02-10")], [53, 1]);
}
