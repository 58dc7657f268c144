//! The effect of flags: none where there is none, whatever else goes on, the true one where there is one, and covariates of
//! texts in every surface that asks for it.

use std::process::Command;

use tradewind::polars::prelude::*;
use tradewind::prelude::*;

use crate::oracles::{number, rows};
use crate::random::Random;

/// What goes on besides the flyers.
#[derive(Clone, Copy, Debug, PartialEq)]
enum World {
    /// Flyers on half of all Fridays and Saturdays, which sell most.
    Weekdays,
    /// The same days, the same in every shop, and shocks that all shops share.
    Common,
    /// Flyers around the paydays, on which more is sold.
    Paydays,
    /// Flyers in the last days of the months, in which more is sold.
    MonthEnd,
    /// Flyers for whole weeks, in a year with a summer and a trend.
    Weeks,
    /// Weekly data with a yearly season and a trend; the same flyers in every shop.
    Weekly,
    /// Small counts with many days without a sale.
    Counts,
}

/// Four shops of a made-up world whose flyers sell that much more.
fn made_up(world: World, effect: f64, seed: u64) -> Panel {
    let mut random = Random(seed * 1_000_003 + world as u64);
    let weekly = world == World::Weekly;
    let n = if weekly { 156 } else { 330 };
    let start = chrono::NaiveDate::from_ymd_opt(2023, 1, 2).unwrap();
    let dates: Vec<chrono::NaiveDate> =
        (0..n).map(|t| start + chrono::Days::new(if weekly { 7 * t } else { t })).collect();
    let shocks: Vec<f64> = dates.iter().map(|_| 0.06 * random.normal()).collect();
    let (mut shop, mut ds, mut y, mut flyer) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut common: Vec<bool> = Vec::new();
    for s in 0..4 {
        let mut flags: Vec<bool> = Vec::new();
        for (t, date) in dates.iter().enumerate() {
            use chrono::Datelike;
            let (weekday, day) = (date.weekday().num_days_from_monday(), date.day());
            let left = u32::from(date.num_days_in_month()) - day;
            let luck = random.uniform();
            flags.push(match world {
                World::Weekdays | World::Common | World::Counts => (4..=5).contains(&weekday) && luck < 0.5,
                World::Paydays => ([1, 2, 14, 15, 16].contains(&day) || left < 2) && luck < 0.5,
                World::MonthEnd => left < 6 && luck < 0.5,
                World::Weeks if weekday == 0 => luck < 0.25,
                World::Weeks => weekday < 6 && flags[t - 1],
                World::Weekly => luck < 0.2,
            });
        }
        if s == 0 {
            common.clone_from(&flags);
        }
        if matches!(world, World::Common | World::Weekly) {
            flags.clone_from(&common);
        }
        let mut error = 0.0;
        for (t, date) in dates.iter().enumerate() {
            use chrono::Datelike;
            let (weekday, day) = (date.weekday().num_days_from_monday(), date.day());
            let left = u32::from(date.num_days_in_month()) - day;
            error = 0.6 * error + 0.1 * random.normal();
            let mut level = 100.0 * f64::from(s + 1);
            if !weekly {
                level *= [1.0, 0.9, 0.9, 1.0, 1.4, 1.7, 0.6][weekday as usize];
            }
            if matches!(world, World::Paydays | World::MonthEnd) && (day == 1 || day == 15 || left < 3) {
                level *= 1.25;
            }
            if matches!(world, World::Weeks | World::Weekly) {
                level *= (0.3 * (std::f64::consts::TAU * date.ordinal() as f64 / 365.0).sin()
                    + 0.6 * t as f64 / n as f64)
                    .exp();
            }
            if flags[t] {
                level *= 1.0 + effect;
            }
            let mean = level * (error + shocks[t]).exp();
            let sold = match world {
                // A sum of many small chances, with about half a sale a day.
                World::Counts => (0..20).filter(|_| random.uniform() < mean / 100.0 / 30.0).count() as f64,
                _ => mean,
            };
            shop.push(s);
            ds.push(date.to_string());
            y.push(sold);
            flyer.push(flags[t]);
        }
    }
    let frame = df!("shop" => shop, "ds" => ds, "y" => y, "flyer" => flyer).unwrap();
    Panel::from_frame(frame, Columns::new(["shop"], "ds", "y").known(["flyer"])).unwrap()
}

/// The effect and its interval in percent, as the sentence states them.
fn stated(sentence: &str) -> (f64, f64, f64) {
    let numbers = |text: &str| -> Vec<f64> {
        let text = text.replace('−', "-").replace('+', "");
        text.split(' ').filter_map(|word| word.trim_end_matches([',', ';']).parse().ok()).collect()
    };
    let (before, after) = sentence.split_once("(95 % interval ").unwrap_or_else(|| panic!("no interval: {sentence}"));
    let (inside, _) = after.split_once(')').unwrap();
    let bounds = numbers(inside);
    let effect = match before {
        _ if before.contains("at their baseline") => 0.0,
        _ if before.contains("below their baseline") => -numbers(before).pop().unwrap(),
        _ => numbers(before).pop().unwrap(),
    };
    (effect, bounds[0], bounds[1])
}

/// A hundred panels of a world: without an effect hardly one is found, and an effect of a fifth is stated and held.
fn a_hundred_panels(world: World) {
    let (mut found, mut held, mut sum) = (0, 0, 0.0);
    for seed in 0..100 {
        let none = made_up(world, 0.0, seed).explore("uplift(by=flyer)").unwrap().sentence();
        let (_, low, high) = stated(&none);
        let chance = low <= 0.0 && high >= 0.0;
        assert_eq!(chance, none.contains("no significant effect"), "{none}");
        found += usize::from(!chance);
        let fifth = made_up(world, 0.2, seed).explore("uplift(by=flyer)").unwrap().sentence();
        let (effect, low, high) = stated(&fifth);
        held += usize::from(low <= 20.0 && high >= 20.0);
        sum += effect;
    }
    let mean = sum / 100.0;
    println!("{world:?}: {found} of 100 without effect found, {held} of 100 intervals hold 20 %, mean {mean:.1}");
    assert!(found <= 5, "{world:?}: {found} of 100 flyers without effect have one");
    assert!(held >= 90, "{world:?}: {held} of 100 intervals hold the effect");
    assert!((mean - 20.0).abs() < 1.0, "{world:?}: {mean:.1} % on average");
}

#[test]
fn flyers_without_effect_on_weekdays_have_none() {
    a_hundred_panels(World::Weekdays);
}

#[test]
fn flyers_without_effect_in_all_shops_at_once_have_none() {
    a_hundred_panels(World::Common);
}

#[test]
fn flyers_without_effect_around_paydays_have_none() {
    a_hundred_panels(World::Paydays);
}

#[test]
fn flyers_without_effect_at_month_ends_have_none() {
    a_hundred_panels(World::MonthEnd);
}

#[test]
fn flyers_without_effect_for_whole_weeks_have_none() {
    a_hundred_panels(World::Weeks);
}

#[test]
fn flyers_without_effect_in_weekly_data_have_none() {
    a_hundred_panels(World::Weekly);
}

#[test]
fn flyers_without_effect_on_small_counts_have_none() {
    a_hundred_panels(World::Counts);
}

#[test]
fn effects_and_intervals_are_those_of_statsmodels() {
    let daily = Columns::new(["shop"], "day", "y").known(["flyer", "holiday"]);
    let weekly = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales");
    for row in rows("uplift.csv") {
        let panel = match row[0].as_str() {
            "daily" => Panel::read("tests/oracles/uplift_daily.csv", daily.clone()).unwrap(),
            _ => Panel::read("data/walmart_sales_weekly.csv", weekly.clone().known([row[1].as_str()])).unwrap(),
        };
        let (effect, low, high) = stated(&panel.explore(&format!("uplift(by={})", row[1])).unwrap().sentence());
        for (ours, theirs) in [effect, low, high].into_iter().zip(&row[2..]) {
            let theirs = 100.0 * number(theirs);
            assert!((ours - theirs).abs() <= 0.0501, "{} {}: {ours}, not {theirs}", row[0], row[1]);
        }
    }
}

#[test]
fn what_the_calendar_settles_is_no_effect() {
    let of = |flag: &dyn Fn(usize) -> bool| {
        let n = 200;
        let mut random = Random(5);
        let y: Vec<f64> =
            (0..n).map(|t| [1.0, 1.0, 1.0, 1.0, 1.5, 2.0, 0.5][t % 7] * (5.0 + 0.1 * random.normal()).exp()).collect();
        let start = chrono::NaiveDate::from_ymd_opt(2024, 1, 1).unwrap();
        let ds: Vec<String> = (0..n).map(|t| (start + chrono::Days::new(t as u64)).to_string()).collect();
        let frame = df!("ds" => ds, "y" => y, "flyer" => (0..n).map(flag).collect::<Vec<_>>()).unwrap();
        let panel = Panel::from_frame(frame, Columns::new([""; 0], "ds", "y").known(["flyer"])).unwrap();
        panel.explore("uplift(by=flyer)")
    };
    // On every Saturday: its effect and the Saturday's are one.
    let error = of(&|t| t % 7 == 5).unwrap_err();
    assert!(error.is_data() && error.to_string().contains("the same times of every week"), "{error}");
    let error = of(&|t| t >= 100).unwrap_err();
    assert!(error.is_data() && error.to_string().contains("for long stretches"), "{error}");
    assert!(of(&|_| false).unwrap_err().is_data());
    let said = of(&|t| t % 7 == 5 && t % 2 == 0).unwrap();
    assert!(said.caveats().concat().contains("the weekday, the day of the month held fixed"), "{:?}", said.caveats());
    // A holiday of the same weeks in every year is measured against the weeks around it.
    let sales = crate::sales().explore("uplift(by=IsHoliday)").unwrap();
    assert!(sales.sentence().contains("no significant effect"), "{}", sales.sentence());
    assert!(sales.caveats().concat().contains("6 weeks before and after"), "{:?}", sales.caveats());
}

#[test]
fn covariates_of_texts_are_served_by_report_and_run() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let start = chrono::NaiveDate::from_ymd_opt(2024, 1, 1).unwrap();
    let write = |name: &str, promo: &dyn Fn(usize) -> String| {
        let mut random = Random(3);
        let rows = (0..90).map(|t| {
            let promo = promo(t);
            let lift = if promo == "tv" { 1.5 } else { 1.0 };
            let y = lift * (10 + t % 7) as f64 * (0.01 * random.normal()).exp();
            format!("a,{},{y:.2},{promo}\n", start + chrono::Days::new(t as u64))
        });
        let text = format!("id,ds,y,promo\n{}", rows.collect::<String>());
        std::fs::write(at.join(name), text).unwrap();
    };
    write("two.csv", &|t| (if t % 9 == 0 { "tv" } else { "none" }).into());
    write("three.csv", &|t| (["tv", "", "radio, (local)", "", ""][t % 5]).replace(',', ""));
    write("many.csv", &|t| format!("p{}", t % 40));
    write("names.csv", &|t| format!("p{t}"));
    write("constant.csv", &|_| "none".into());
    write("empty.csv", &|_| String::new());
    std::fs::write(at.join("plan.toml"), "").unwrap();
    let report = std::path::Path::new("report.md");
    for name in ["two.csv", "three.csv", "many.csv", "names.csv", "constant.csv", "empty.csv"] {
        for role in ["--known", "--observed", "--fixed"] {
            for verb in ["report", "run"] {
                let out = at.join(verb);
                let mut command = Command::new(env!("CARGO_BIN_EXE_tradewind"));
                command.arg(verb).args((verb == "run").then_some("plan.toml"));
                command.args(["--data", name, "--id", "id", role, "promo", "--models", "naive", "--horizon", "3"]);
                command.args(["--folds", "2", "-q", "--out"]).arg(&out);
                if verb == "report" {
                    command.args(["--slides", "slides"]);
                }
                let output = command.current_dir(at).output().unwrap();
                let said = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{verb} {name} {role}: {said}");
                let text = std::fs::read_to_string(out.join(report)).unwrap();
                assert!(!text.contains("NaN"), "{verb} {name} {role}");
                if role == "--known" && name == "two.csv" {
                    assert!(text.contains("With promo tv instead of none, sales change by +4"), "{text}");
                }
            }
        }
    }
    let panel = |name: &str| Panel::read(at.join(name), Columns::new(["id"], "ds", "y").known(["promo"])).unwrap();
    let table = panel("two.csv").explore("uplift(by=promo)").unwrap().table();
    let cell = |column: &str| table.frame().column(column).unwrap().f64().unwrap().get(0).unwrap();
    assert!(cell("from %") < 50.0 && cell("to %") > 50.0 && (cell("uplift %") - 50.0).abs() < 1.5, "{table}");
    let finding = panel("three.csv").explore("uplift(by=promo)").unwrap();
    assert!(finding.sentence().contains("compared with (empty): tv +"), "{}", finding.sentence());
    assert!(finding.sentence().contains("no significant effect of radio (local)"), "{}", finding.sentence());
    let single = panel("two.csv").explore("uplift(by=\"promo=tv\")").unwrap();
    assert!(single.sentence().starts_with("With promo=tv, sales are"), "{}", single.sentence());
    let error = panel("constant.csv").explore("uplift(by=promo)").unwrap_err();
    assert!(error.is_data() && error.to_string().contains("is none on every step"), "{error}");
    let nearest = panel("two.csv").explore("uplift(by=prom)").unwrap_err().to_string();
    assert!(nearest.contains("did you mean `promo`?"), "{nearest}");
}

#[test]
fn other_flags_are_held_fixed() {
    // Flyers come with holidays: half of the flyers' days are holidays, which sell twice as much; the flyer does nothing.
    let mut random = Random(9);
    let n = 300;
    let start = chrono::NaiveDate::from_ymd_opt(2024, 1, 1).unwrap();
    let holiday: Vec<bool> = (0..n).map(|_| random.uniform() < 0.05).collect();
    let flyer: Vec<bool> = holiday.iter().map(|holiday| *holiday || random.uniform() < 0.08).collect();
    let y: Vec<f64> =
        holiday.iter().map(|on| if *on { 2.0 } else { 1.0 } * (4.0 + 0.1 * random.normal()).exp()).collect();
    let ds: Vec<String> = (0..n).map(|t| (start + chrono::Days::new(t)).to_string()).collect();
    let off: Vec<bool> = holiday.iter().map(|on| !on).collect();
    let same = holiday.clone();
    let frame =
        df!("ds" => ds, "y" => y, "flyer" => flyer, "holiday" => holiday, "same" => same, "off" => off).unwrap();
    let panel = |known: &[&str]| {
        Panel::from_frame(&frame, Columns::new([""; 0], "ds", "y").known(known.iter().copied())).unwrap()
    };
    let alone = panel(&["flyer"]).explore("uplift(by=flyer)").unwrap();
    assert!(stated(&alone.sentence()).1 > 0.0, "{}", alone.sentence());
    let beside = panel(&["flyer", "holiday"]).explore("uplift(by=flyer)").unwrap();
    let (_, low, high) = stated(&beside.sentence());
    assert!(low <= 0.0 && (0.0..20.0).contains(&high), "{}", beside.sentence());
    assert!(beside.caveats().concat().contains("`holiday` held fixed"), "{:?}", beside.caveats());
    // The same by another name, and its opposite, add nothing to what is held fixed.
    let twice = panel(&["flyer", "holiday", "same", "off"]).explore("uplift(by=flyer)").unwrap();
    assert_eq!(stated(&twice.sentence()), stated(&beside.sentence()));
    let (effect, low, _) = stated(&panel(&["flyer", "holiday"]).explore("uplift(by=holiday)").unwrap().sentence());
    assert!(low > 0.0 && (effect - 100.0).abs() < 25.0);
}

/// Twelve items over three years whose prices move with an elasticity of −2, each at times of its own. Their offers add an
/// effect of their own and lower the price by that share; from year to year sales grow.
fn priced(effect: f64, discount: f64, growth: f64, known: &[&str]) -> Panel {
    let mut random = Random(7);
    let start = chrono::NaiveDate::from_ymd_opt(2022, 1, 3).unwrap();
    let (mut item, mut ds, mut y, mut price, mut offer) = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for i in 0..12 {
        let (mut now, mut left) = (10.0, 0);
        for t in 0..156 {
            if left == 0 {
                (now, left) = (10.0 * (0.75 + 0.35 * random.uniform()), 3 + (4.0 * random.uniform()) as i32);
            }
            left -= 1;
            let on = random.uniform() < 0.15;
            let paid = if on { now * (1.0 - discount) } else { now };
            let mean = 200.0 * (paid / 10.0_f64).powf(-2.0) * (growth * t as f64 / 52.0).exp();
            item.push(format!("item {i}"));
            ds.push((start + chrono::Days::new(7 * t)).to_string());
            y.push(mean * if on { 1.0 + effect } else { 1.0 } * (0.08 * random.normal()).exp());
            price.push(paid);
            offer.push(on);
        }
    }
    let frame = df!("item" => item, "ds" => ds, "y" => y, "Price" => price, "offer" => offer).unwrap();
    Panel::from_frame(frame, Columns::new(["item"], "ds", "y").known(known.iter().copied())).unwrap()
}

/// The price moves sales more than the offers do: taken out, it makes the effect much surer.
#[test]
fn prices_that_move_by_themselves_are_taken_out() {
    let asked = |known: &[&str]| priced(0.15, 0.0, 0.0, known).explore("uplift(by=offer)").unwrap();
    let finding = asked(&["Price", "offer"]);
    let (estimate, low, high) = stated(&finding.sentence());
    assert!((low..high).contains(&15.0) && (estimate - 15.0).abs() < 2.0, "{}", finding.sentence());
    let said = finding.caveats().join(" ");
    let (_, rest) = said.split_once("changes of `Price` are taken out with an elasticity of −").expect(&said);
    let elasticity: f64 = rest.split(". ").next().unwrap().parse().unwrap();
    assert!((elasticity - 2.0).abs() < 0.05, "{said}");
    let holidays = priced(0.15, 0.0, 0.0, &["Price", "offer"]).explore("holidays").unwrap().caveats().join(" ");
    assert!(holidays.contains("Compared at a steady price"), "{holidays}");
    let (_, lower, higher) = stated(&asked(&["offer"]).sentence());
    assert!(high - low < 0.5 * (higher - lower), "{low} to {high}, {lower} to {higher}");
}

#[test]
fn the_discount_of_an_offer_is_part_of_its_effect() {
    let finding = priced(0.1, 0.2, 0.0, &["Price", "offer"]).explore("uplift(by=offer)").unwrap();
    // 1.1 / 0.8² − 1
    let (estimate, low, high) = stated(&finding.sentence());
    assert!((low..high).contains(&71.9) && (estimate - 71.9).abs() < 5.0, "{}", finding.sentence());
    let said = finding.caveats().join(" ");
    assert!(said.contains("The price is 20 % lower with `offer`: that is part of the effect."), "{said}");
}

#[test]
fn growth_is_as_sure_as_at_steady_prices() {
    let claim = |growth: f64| {
        let finding = priced(0.1, 0.2, growth, &["Price", "offer"]).explore("trend").unwrap();
        assert!(finding.caveats().join(" ").contains("as wide as at a steady price"));
        let table = finding.effects(0.9).unwrap();
        let cell = |name: &str| table.frame().column(name).unwrap().f64().unwrap().get(0).unwrap();
        (cell("estimate"), cell("p"))
    };
    let (grown, p) = claim(0.08);
    let (flat, _) = claim(0.0);
    assert!(p < 0.01, "{grown} {p}");
    assert!((grown - flat - 8.3).abs() < 1.5, "{grown} and {flat}");
}
