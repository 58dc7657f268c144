//! What is saved: one file that asks for nothing, whatever texts the data hold, the same bytes twice.

use std::io::Read as _;

use super::*;
use crate::prelude::{Columns, Folds};
use polars::prelude::*;

const EVIL: &str = "</script><script>alert(1)</script> {{data}} <!-- \"$1\" & 'x' مبيعات";

fn panel(keys: [&str; 2], steps: i64, value: impl Fn(i64) -> f64) -> Panel {
    let shops: Vec<&str> = keys.iter().flat_map(|key| std::iter::repeat_n(*key, steps as usize)).collect();
    let weeks: Vec<i64> = (0..steps).chain(0..steps).collect();
    let sold: Vec<f64> = weeks.iter().map(|week| value(*week)).collect();
    let frame = df!("shop" => shops, "week" => weeks, "sold" => sold).unwrap();
    // A single step tells no frequency.
    Panel::from_frame(frame, Columns::new(["shop"], "week", "sold").freq("1").unwrap()).unwrap()
}

#[test]
fn texts_of_the_data_stay_texts() {
    let page = panel([EVIL, "b"], 12, |week| week as f64).dashboard().unwrap().titled(EVIL).html();
    assert!(!page.contains("<script>alert"), "the title or a key became a script");
    assert_eq!(page.matches("<script nonce=").count(), 1, "one script runs, the others are data");
    assert!(page.contains("{{data}} &lt;!--"), "what is put in must not be filled again");
    assert!(!page.contains("http://") && !page.contains("src="));
}

#[test]
fn a_page_has_the_words_of_its_plan() {
    let plan = Plan {
        locale: Some("de-CH".into()),
        names: Some("sold=Turnover, shop=Branch".into()),
        currency: Some(" EUR ".into()),
        ..Plan::default()
    };
    let plain = panel(["a", "b"], 1_200, |week| week as f64).dashboard().unwrap();
    let page = plain.clone().worded(&plan).unwrap().html();
    for part in [r#""locale":"de-CH""#, r#""currency":"EUR""#, r#""target":"Turnover""#, r#""keys":["Branch"]"#] {
        assert!(page.contains(part), "{part}");
    }
    // What programs read keeps its names.
    assert!(page.contains(r#""target":"sold""#) && page.contains(r#""keys":["shop"]"#));
    let plain = plain.html();
    assert!(plain.contains(r#""locale":null"#) && plain.contains(r#""currency":"""#));
}

#[test]
fn equal_data_give_equal_bytes() {
    let page = || {
        let sales = panel(["a", "b"], 30, |week| (week % 7) as f64);
        let models = ["naive", "drift"];
        let trial = sales.backtest(models, Folds::new(2, 3)).unwrap();
        sales.fit(models).unwrap().forecast(3).unwrap().dashboard().unwrap().tested(&trial).unwrap().html()
    };
    assert!(page() == page());
}

#[test]
fn panels_of_all_kinds_become_pages() {
    for (steps, value) in [(1, 5.0), (2, 0.0), (9, f64::NAN), (9, -3.25), (9, 1e300)] {
        let sales = panel(["a", "b"], steps, |_| value);
        let Ok(page) = sales.dashboard() else { panic!("{steps} steps of {value}") };
        assert!(page.html().contains("id=\"data-sales\""));
    }
}

#[test]
fn only_pages_are_saved() {
    let page = panel(["a", "b"], 12, |week| week as f64).dashboard().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let error = page.save(folder.path().join("sales.pdf")).unwrap_err();
    assert!(error.is_usage() && error.to_string().contains("ends in .html"), "{error}");
    page.save(folder.path().join("sales.html")).unwrap();
    // It is known as ours, so that it can be written again.
    page.save(folder.path().join("sales.html")).unwrap();
}

#[test]
fn the_library_of_charts_is_the_one_that_is_recorded() {
    let recorded = include_str!("vendor/README.md");
    let mut text = Vec::new();
    let packed: &[u8] = include_bytes!("vendor/plotly-cartesian.min.js.gz");
    flate2::read::GzDecoder::new(packed).read_to_end(&mut text).unwrap();
    assert!(recorded.contains(blake3::hash(&text).to_hex().as_str()), "see setup/plotly");
}
