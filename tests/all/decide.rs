//! Decisions: when items could be sold, what is ordered of them, and what cannot be decided on.

use std::path::Path;
use std::process::Command;

use tradewind::decide::stock::safety::{PeriodicReview, Shortages};
use tradewind::decide::stock::{Demand, Units};
use tradewind::polars::prelude::*;
use tradewind::prelude::*;

/// Counts of a few items by week, some weeks out of stock: `item`, `kind`, `week`, `sold`, `in_stock`.
fn frame() -> DataFrame {
    let mut state = 7_u64;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let (mut item, mut kind, mut week, mut sold, mut there) = (vec![], vec![], vec![], vec![], vec![]);
    for k in 0..8 {
        for t in 0..120_i64 {
            let season = 1.0 + 0.4 * (std::f64::consts::TAU * t as f64 / 52.0).sin();
            let stock = uniform() > 0.1;
            let demand = (2.0 * (1.0 + k as f64) * season * uniform()).round();
            item.push(format!("i{k}"));
            kind.push(["a", "b"][k % 2]);
            week.push(19_000 + 7 * t as i32);
            sold.push(if stock { demand } else { 0.0 });
            there.push(stock);
        }
    }
    let week = Column::new("week".into(), week).cast(&DataType::Date).unwrap();
    let mut frame = df!("item" => item, "kind" => kind, "sold" => sold, "in_stock" => there).unwrap();
    frame.with_column(week).unwrap();
    frame
}

fn columns() -> Columns {
    Columns::new(["item"], "week", "sold").fixed(["kind"]).available("in_stock")
}

fn panel() -> Panel {
    Panel::from_frame(frame(), columns()).unwrap()
}

/// Writes a state and decides on it by a forecast of `gamma_poisson`.
fn decided(folder: &Path, state: &str, policy: &str, model: &str) -> Result<Decision> {
    let file = folder.join("state.csv");
    std::fs::write(&file, state).unwrap();
    panel().fit([model])?.forecast(4)?.decide_stock(&file, &StockPolicy::parse(policy)?)
}

fn numbers(decision: &Decision, column: &str) -> Vec<Option<f64>> {
    let table = decision.table().unwrap();
    table.frame().column(column).unwrap().cast(&DataType::Float64).unwrap().f64().unwrap().iter().collect()
}

fn number(table: &Table, row: usize, name: &str) -> f64 {
    table.frame().column(name).unwrap().cast(&DataType::Float64).unwrap().f64().unwrap().get(row).unwrap()
}

const STATE: &str = "item,on_hand,in_transit_1,in_transit_2\ni0,1,0,2\ni1,3,1,0\ni2,4,0,0\ni3,9,2,5\ni4,0,0,0\ni5,30,0,0\ni6,7,7,7\ni7,12,0,3\n";

#[test]
fn availability_is_a_role_of_its_own() {
    let panel = panel();
    assert_eq!(panel.columns().names(), ["item", "week", "sold", "in_stock", "kind"]);
    let shares = panel.availability("item=i0").unwrap();
    assert!(shares.len() == 120 && shares.contains(&0.0) && shares.contains(&1.0));
    assert!(panel.audit().unwrap().count("censored") > 50);
    let role = panel.dictionary().unwrap().get(3, "role").unwrap().to_string();
    assert_eq!(role, "available");
    // It is no covariate: a model that reads covariates forecasts without it.
    assert!(panel.fit(["ridge"]).unwrap().forecast(2).is_ok());
    // What is not recorded counts as available; a share of a step is one too.
    let some = df!("t" => [1, 2, 3], "y" => [1.0, 2.0, 3.0], "a" => [Some(0.5), None, Some(1.0)]).unwrap();
    let of =
        |frame: &DataFrame| Panel::from_frame(frame, Columns::new([""; 0], "t", "y").available("a").freq("1").unwrap());
    assert_eq!(of(&some).unwrap().availability("all").unwrap(), [0.5, 1.0, 1.0]);
    let beyond = df!("t" => [1, 2, 3], "y" => [1.0, 2.0, 3.0], "a" => [1.0, 100.0, 1.0]).unwrap();
    let error = of(&beyond).err().unwrap().to_string();
    assert!(error.contains("series all on 2 is 100") && error.contains("between 0 and 1"), "{error}");
    let text = |a: &str| df!("t" => [1, 2], "y" => [1.0, 2.0], "a" => [a, "no"]).unwrap();
    assert_eq!(of(&text("yes")).unwrap().availability("all").unwrap(), [1.0, 0.0]);
    assert!(of(&text("now and then")).err().unwrap().to_string().contains("a flag"));
}

#[test]
fn demand_of_an_empty_shelf_is_unknown() {
    let panel = panel();
    let cleaned = panel.clean(&Clean::parse("stockouts=censored").unwrap()).unwrap();
    let censored = panel.audit().unwrap().count("censored");
    assert_eq!(cleaned.audit().unwrap().changes(), censored);
    assert_eq!(cleaned.audit().unwrap().count("censored"), 0);
    let mean = |panel: &Panel| {
        panel.fit(["ets(model=ANN)"]).unwrap().forecast(1).unwrap().mean("ets(model=ANN)", "item=i7").unwrap()[0]
    };
    assert!(mean(&cleaned) > 0.0 && (mean(&cleaned) - mean(&panel)).abs() > 1e-3);
    let bare = Panel::from_frame(frame(), Columns::new(["item"], "week", "sold")).unwrap();
    let error = bare.clean(&Clean::parse("stockouts=censored").unwrap()).err().unwrap();
    assert!(error.is_usage() && error.to_string().contains("available"), "{error}");
    // The model that reads availability needs no cleaning.
    let own = |panel: &Panel| panel.fit(["gamma_poisson"]).unwrap().forecast(3).unwrap().to_frame().unwrap();
    assert_eq!(own(&panel), own(&cleaned));
    // An aggregated period was available for the mean of its parts.
    let whole = panel.aggregate(&Aggregate::parse("keys=[]").unwrap()).unwrap();
    assert!(whole.availability("all").unwrap().iter().all(|share| (0.0..=1.0).contains(share)));
}

/// With TRADEWIND_DATA: tests/oracles/gamma_poisson.py wrote means and orders of VN2's 599 series.
#[test]
fn means_and_orders_are_those_of_the_reference() {
    let Some(data) = crate::data_folder("vn2") else { return };
    let table = CsvReadOptions::default()
        .try_into_reader_with_file_path(Some("tests/oracles/gamma_poisson.csv".into()))
        .unwrap()
        .finish()
        .unwrap();
    let columns =
        Columns::new(["store", "product"], "week", "sales").fixed(["store_format", "department"]).available("in_stock");
    let sales = Panel::read(data.join("vn2_weekly.parquet"), columns).unwrap().before("2022-08-22").unwrap();
    let forecast = sales.fit(["pooled(dispersion=[-0.4, -0.2])"]).unwrap().forecast(3).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state.csv");
    CsvWriter::new(&mut std::fs::File::create(&state).unwrap()).finish(&mut table.clone()).unwrap();
    let policy = StockPolicy::parse("lead_time=2, cycle_service=0.8").unwrap();
    let decision = forecast.decide_stock(&state, &policy).unwrap();
    let (orders, keys) = (numbers(&decision, "order"), forecast.keys());
    let number = |name: &str, row: usize| {
        table.column(name).unwrap().cast(&DataType::Float64).unwrap().f64().unwrap().get(row).unwrap()
    };
    let mut wrong = 0;
    for row in 0..table.height() {
        let key = format!("store={}, product={}", number("store", row), number("product", row));
        let mean = forecast.mean(&forecast.models()[0], &key).unwrap();
        for (step, mean) in mean.iter().enumerate() {
            let theirs = number(&format!("mean_{}", step + 1), row);
            assert!((mean - theirs).abs() <= 1e-9 * theirs, "{key}, step {step}: {mean} is not {theirs}");
        }
        let place = keys.iter().position(|one| *one == key).unwrap();
        wrong += usize::from(orders[place].is_some_and(|order| order != number("order", row)));
    }
    // An item that was never in stock has a forecast, the typical level, and no decision.
    let undecided = decision.undecided().unwrap();
    let reasons: Vec<String> =
        (0..undecided.rows()).map(|row| undecided.get(row, "reason").unwrap().to_string()).collect();
    assert!(reasons.len() == 21 && reasons.iter().all(|reason| reason.contains("never in stock")), "{reasons:?}");
    assert_eq!(wrong, 0, "orders that are not those of the reference");
}

#[test]
fn exact_and_simulated_orders_agree() {
    let folder = tempfile::tempdir().unwrap();
    // A quantile forecast read back from its file has paths, and no exact counts.
    let forecast = panel().fit(["gamma_poisson"]).unwrap().forecast(4).unwrap();
    let file = folder.path().join("forecast.parquet");
    forecast.levels((1..50).map(|k| 0.02 * f64::from(k))).unwrap().save(&file).unwrap();
    std::fs::write(folder.path().join("state.csv"), STATE).unwrap();
    for policy in ["cycle_service=0.9", "fill_rate=0.9", "holding=0.2, shortage=1"] {
        let policy = StockPolicy::parse(&format!("lead_time=2, paths=20000, {policy}")).unwrap();
        let of = |forecast: Forecast| forecast.decide_stock(folder.path().join("state.csv"), &policy).unwrap();
        let (exact, drawn) = (of(forecast.clone()), of(Forecast::open(&file).unwrap()));
        for (a, b) in numbers(&exact, "order").into_iter().zip(numbers(&drawn, "order")) {
            assert!((a.unwrap() - b.unwrap()).abs() <= 1.0, "{policy:?}: {a:?} and {b:?}");
        }
        for (a, b) in numbers(&exact, "p_out").into_iter().zip(numbers(&drawn, "p_out")) {
            assert!((a.unwrap() - b.unwrap()).abs() < 0.15, "{policy:?}: {a:?} and {b:?}");
        }
    }
}

/// Under backorders the level is that of the order-up-to formulas on the same paths.
#[test]
fn backorders_are_ordered_up_to_a_level() {
    let folder = tempfile::tempdir().unwrap();
    for (policy, fill) in [("cycle_service=0.95", false), ("fill_rate=0.95", true)] {
        let policy = format!("lead_time=2, review=2, unmet=backordered, {policy}");
        let decision = decided(folder.path(), STATE, &policy, "theta").unwrap();
        let paths = decision.forecast().unwrap().paths(2000, 1).unwrap().of("theta", "item=i3").unwrap();
        let sum = |steps: usize| paths.iter().map(|path| path[..steps].iter().map(|x| x.max(0.0)).sum()).collect();
        let (lead, all) = (Demand::samples(sum(2)).unwrap(), Demand::samples(sum(4)).unwrap());
        let review = PeriodicReview::new(&lead, &all, Shortages::Backordered).unwrap();
        let level = match fill {
            true => review.for_fill_rate(0.95, Units::Whole).unwrap().level,
            false => review.for_service_level(0.95, Units::Whole).unwrap().level,
        };
        assert_eq!(numbers(&decision, "level")[3], Some(level), "{policy}");
        let (order, position) = (numbers(&decision, "order")[3].unwrap(), numbers(&decision, "position")[3].unwrap());
        assert_eq!((position, order), (16.0, (level - 16.0).max(0.0)));
    }
}

#[test]
fn packs_and_limits_are_kept_and_conflicts_listed() {
    let folder = tempfile::tempdir().unwrap();
    let state = "item,on_hand,pack,minimum,maximum,lead_time\ni0,0,6,,,\ni1,0,,,2,\ni2,0,4,6,,1\ni3,0,,9,4,\ni4,0,100000,,,\nnew,4,,,,\n";
    let decision = decided(folder.path(), state, "lead_time=2, cycle_service=0.9", "gamma_poisson").unwrap();
    let orders = numbers(&decision, "order");
    assert_eq!(orders[0].unwrap() % 6.0, 0.0);
    assert!(orders[1].unwrap() <= 2.0);
    assert!(orders[2].unwrap() >= 8.0 && orders[2].unwrap() % 4.0 == 0.0);
    assert_eq!(orders[3..].iter().flatten().count(), 0, "{orders:?}");
    let undecided = decision.undecided().unwrap();
    let reasons: Vec<String> =
        (0..undecided.rows()).map(|row| undecided.get(row, "reason").unwrap().to_string()).collect();
    let all = reasons.join("\n");
    for words in [
        "maximum order, 4, is below the minimum order, 9",
        "pack of 100000",
        "its stock is not known",
        "the history has no series",
    ] {
        assert!(all.contains(words), "{words}: {all}");
    }
    let explained = decision.explain("item=i2").unwrap();
    assert!(
        explained.sentence().contains("enough with a probability of") && explained.table().rows() == 2,
        "{}",
        explained.sentence()
    );
    assert!(decision.explain("item=i22").unwrap_err().to_string().contains("did you mean"));
}

#[test]
fn bad_numbers_are_named_and_nothing_is_decided() {
    let folder = tempfile::tempdir().unwrap();
    let wrong =
        |state: &str, policy: &str| decided(folder.path(), state, policy, "gamma_poisson").err().unwrap().to_string();
    let good = "lead_time=2, cycle_service=0.9";
    for (policy, words) in [
        ("cycle_service=95", "did you mean 0.95?"),
        ("cycle_service=1.0", "infinite stock"),
        ("fill_rate=0", "between 0 and 1"),
        ("cover=0", "the cover must be a positive number, not 0"),
        ("cover=3, fill_rate=0.9", "a fill rate and a cover are two targets"),
        ("cycle_service=0.9, fill_rate=0.9", "state one of them"),
        ("lead_time=0, cycle_service=0.9", "lead time is at least 1 step"),
        ("review=0, cycle_service=0.9", "review period is at least 1 step"),
        ("lead_time=40, cycle_service=0.9", "need a forecast of 41 steps"),
        ("lead_time=400, cycle_service=0.9", "beyond what a history of 120 steps"),
        ("holding=0, shortage=1", "holding cost must be a positive number, not 0"),
        ("holding=0.2, shortage=-1", "shortage cost must be a positive number, not -1"),
        ("lead_time=2", "state a cycle service level"),
        ("leed_time=2", "did you mean `lead_time`?"),
    ] {
        assert!(wrong(STATE, policy).contains(words), "{policy}: {}", wrong(STATE, policy));
    }
    for (state, words) in [
        ("item,on_hand\ni0,-3\n", "`on_hand` must be zero or a positive number, not -3"),
        ("item,on_hand\ni0,2.5\n", "whole number of units, not 2.5"),
        ("item,on_hand\ni0,\n", "`on_hand` is empty"),
        ("item,on_hand\ni0,some\n", "`on_hand` is `some`, not a number"),
        ("item,on_hand\ni0,1\ni0,2\n", "item=i0 twice"),
        ("item,stock\ni0,1\n", "no column `on_hand`"),
        ("item,on_hand,in_transit1\ni0,1,2\n", "did you mean `in_transit_1`?"),
        ("item,on_hand,in_transit_2\ni0,1,2\n", "no `in_transit_1`"),
        ("item,on_hand,price,cost\ni0,1,2,3\n", "is not above `cost` 3"),
        ("item,on_hand,holding\ni0,1,0\n", "`holding` must be a positive number, not 0"),
        ("item,on_hand,lead_time\ni0,1,0\n", "lead time is at least 1 step"),
        ("item,on_hand\nx,1\n", "no item of"),
    ] {
        let error = wrong(state, good);
        assert!(error.contains(words) && error.contains("state.csv"), "{state}: {error}");
    }
}

#[test]
fn the_command_writes_what_the_verb_decides() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let mut history = frame();
    ParquetWriter::new(std::fs::File::create(at.join("history.parquet")).unwrap()).finish(&mut history).unwrap();
    std::fs::write(at.join("state.csv"), STATE).unwrap();
    let run = |model: &str, more: &[&str]| {
        let fixed = "decide stock --data history.parquet --id item --time week --target sold --available in_stock --fixed kind \
                     --stock state.csv --lead-time 2 --review 1";
        let mut command = Command::new(env!("CARGO_BIN_EXE_tradewind"));
        command.args(fixed.split_whitespace()).args(["--models", model]).args(more).current_dir(at).output().unwrap()
    };
    let done = run("gamma_poisson", &["--holding", "0.2", "--shortage", "1", "--lost-sales", "--out", "orders.csv"]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let text = std::fs::read_to_string(at.join("orders.csv")).unwrap();
    assert!(text.starts_with("item,order,position,level,mean,p_out,expected_cost,reason\ni0,"), "{text}");
    assert_eq!(text.lines().count(), 9);
    let decision = decided(at, STATE, "lead_time=2, holding=0.2, shortage=1", "gamma_poisson").unwrap();
    decision.save(at.join("verb.csv")).unwrap();
    assert_eq!(text, std::fs::read_to_string(at.join("verb.csv")).unwrap());
    for (model, flags, words) in [
        ("gamma_poisson", &["--lost-sales", "--backorders", "--fill-rate", "0.9"][..], "not both"),
        ("gamma_poisson", &["--cycle-service", "95"][..], "did you mean 0.95?"),
        ("naive; theta", &["--cycle-service", "0.9", "--reviews", "200"][..], "need more than"),
    ] {
        let refused = run(model, flags);
        let said = String::from_utf8_lossy(&refused.stderr).to_string();
        assert!(refused.status.code() == Some(2) && said.contains(words), "{flags:?}: {said}");
    }
    // Of several models the one is taken whose orders would have done best, and that is said.
    let chosen = run("naive; theta", &["--cycle-service", "0.9", "--reviews", "4"]);
    let said = String::from_utf8_lossy(&chosen.stdout).replace('\n', " ");
    assert!(chosen.status.success() && said.contains("is the one to take"), "{said}");
    let page = run("gamma_poisson", &["--cycle-service", "0.9", "--page", "page"]);
    assert!(page.status.success() && at.join("page/slides.html").exists(), "{}", String::from_utf8_lossy(&page.stderr));
    assert!(std::fs::read_to_string(at.join("page/report.md")).unwrap().contains("Order "));
}

/// What a policy would have cost, step by step by hand: orders up to the point forecast of a constant demand.
#[test]
fn simulated_costs_are_those_by_hand() {
    let sold = [[5.0; 20].as_slice(), &[5.0, 5.0, 5.0, 9.0, 2.0, 5.0]].concat();
    let frame = df!("t" => (0..26).collect::<Vec<i64>>(), "y" => &sold).unwrap();
    let panel = Panel::from_frame(frame, Columns::new([""; 0], "t", "y").freq("1").unwrap()).unwrap();
    // One window: every order rests on the forecast of 5, and brings the position up to 15.
    let trial = panel.backtest(["naive"], Folds::new(1, 6)).unwrap();
    for (unmet, holding, shortage) in [("lost", 0.2 * 6.0, 4.0), ("backordered", 0.0, 6.0)] {
        let policy = format!("lead_time=2, belief=point, holding=0.2, shortage=1, cycle_service=0.9, unmet={unmet}");
        let simulated = trial.simulate(&StockPolicy::parse(&policy).unwrap()).unwrap();
        let table = simulated.table().unwrap();
        let row = (0..3).find(|row| table.get(*row, "belief").unwrap().to_string() == "point").unwrap();
        let number = |name: &str| number(&table, row, name);
        // Counted are the steps from the first that an order can serve: 5, 9, 2, 5. Of the 9, 4 are not there: lost, they leave 3 too
        // many on the shelf in the two steps that follow; owed, they leave one unit owed in each of them.
        assert!((number("holding") - holding).abs() < 1e-9, "{unmet}: {}", number("holding"));
        assert!((number("shortage") - shortage).abs() < 1e-9, "{unmet}: {}", number("shortage"));
        assert!((number("fill_rate") - 17.0 / 21.0).abs() < 1e-9 || unmet == "backordered");
        assert_eq!(number("cost"), number("holding") + number("shortage"));
        let steps = simulated.explain("all").unwrap();
        assert_eq!(steps.table().rows(), 6);
    }
}

#[test]
fn the_cheapest_model_is_chosen_by_its_cost() {
    let panel = panel();
    let trial = panel.backtest(["gamma_poisson", "naive", "seasonal_naive"], Folds::new(10, 3).step(1)).unwrap();
    let best = trial.best("cost(lead_time=2, holding=0.2, shortage=1)").unwrap();
    let policy = StockPolicy::parse("lead_time=2, holding=0.2, shortage=1").unwrap();
    let simulated = trial.simulate(&policy).unwrap();
    let table = simulated.table().unwrap();
    let cost = |row: usize| number(&table, row, "cost");
    let own = (0..9).find(|row| table.get(*row, "belief").unwrap().to_string() == "forecast").unwrap();
    assert_eq!(table.get(own, "model").unwrap().to_string(), best);
    assert!((1..9).all(|row| cost(row - 1) <= cost(row)));
    assert!(simulated.sentence().contains("over 10 steps costs"), "{}", simulated.sentence());
    let choice = trial.choose_policy(&policy).unwrap();
    let chosen = choice.table().unwrap();
    assert_eq!(choice.figures().unwrap().len(), 2, "cost and stock against service");
    assert!(chosen.rows() == 81 && number(&chosen, 0, "cost") <= cost(own));
    let filled = trial.choose_policy(&StockPolicy::parse("lead_time=2, fill_rate=0.9").unwrap()).unwrap();
    let rate = number(&filled.table().unwrap(), 0, "fill_rate");
    assert!(rate >= 0.9 || filled.sentence().contains("No level reached"), "{}", filled.sentence());
    for (metric, words) in [
        ("cost(lead_time=2)", "needs what holding and shortage cost"),
        ("cost(holdng=1)", "did you mean `holding`?"),
        ("cost(lead_time=5, holding=0.2, shortage=1)", "needs forecasts of 6 steps, not 3"),
        ("cost(lead_time=2, holding=0.2, shortage=1, budget=4)", "needs the file with the stock"),
    ] {
        let error = trial.best(metric).unwrap_err();
        assert!(error.is_usage() && error.to_string().contains(words), "{metric}: {error}");
    }
}

#[test]
fn lead_times_that_vary_take_more_stock() {
    let folder = tempfile::tempdir().unwrap();
    let level = |policy: &str| {
        let file = folder.path().join("state.csv");
        std::fs::write(&file, STATE).unwrap();
        let forecast = panel().fit(["gamma_poisson"]).unwrap().forecast(12).unwrap();
        let policy = StockPolicy::parse(&format!("lead_time=2, cycle_service=0.95, paths=5000, {policy}")).unwrap();
        numbers(&forecast.decide_stock(&file, &policy).unwrap(), "level").into_iter().flatten().sum::<f64>()
    };
    let (certain, little, much) = (level("seed=1"), level("lead_time_sd=0.4"), level("lead_time_sd=1"));
    assert!(certain <= little && little < much, "{certain}, {little}, {much}");
}

#[test]
fn lots_shelf_lives_and_classes() {
    let folder = tempfile::tempdir().unwrap();
    let of = |policy: &str, state: &str| decided(folder.path(), state, policy, "gamma_poisson").unwrap();
    let plain = of("lead_time=2, cycle_service=0.9", STATE);
    let lots = of("lead_time=2, cycle_service=0.9, lots=fixed, lot=7", STATE);
    let topped = of("lead_time=2, cycle_service=0.9, lots=minmax, holding=0.2, shortage=1, order_cost=10", STATE);
    for place in 0..8 {
        let [order, lot, top] = [&plain, &lots, &topped].map(|decision| numbers(decision, "order")[place].unwrap());
        assert!(lot >= order && lot % 7.0 == 0.0 && lot < order + 7.0, "{order}: {lot}");
        assert!((order == 0.0) == (top == 0.0) && (order == 0.0 || top >= order), "{order}: {top}");
    }
    // What spoils in the step in which it arrives is not worth as much of a stock as what lasts.
    let costs = "lead_time=1, holding=0.01, shortage=1";
    let lasting = of(costs, "item,on_hand,cost,price\ni7,0,1,2\n");
    let spoiling = of(costs, "item,on_hand,cost,price,shelf_life\ni7,0,1,2,1\n");
    assert!(numbers(&spoiling, "order")[7] < numbers(&lasting, "order")[7]);
    assert!(spoiling.explain("item=i7").unwrap().sentence().contains("expected to spoil"));
    let classes = of("lead_time=2, cycle_service=0.9, classes=\"A=0.99, C=0.6\"", STATE);
    let (more, less) = (numbers(&classes, "level"), numbers(&plain, "level"));
    assert!(more[7] > less[7], "the largest item is an A");
    assert!(more.iter().zip(&less).any(|(a, b)| a < b), "a small item is a C");
}

#[test]
fn a_cover_is_so_many_steps_of_expected_demand() {
    let folder = tempfile::tempdir().unwrap();
    let covered = decided(folder.path(), STATE, "lead_time=2, cover=4.5", "gamma_poisson").unwrap();
    let (levels, means) = (numbers(&covered, "level"), numbers(&covered, "mean"));
    for (level, mean) in levels.into_iter().zip(means).filter_map(|(level, mean)| level.zip(mean)) {
        // The mean is that of three steps: lead time and review.
        assert_eq!(level, (4.5 * mean / 3.0).ceil(), "{mean}");
    }
    let panel = panel();
    let trial = panel.backtest(["gamma_poisson"], Folds::new(6, 3).step(1)).unwrap();
    let choose = |policy: &str| trial.choose_policy(&StockPolicy::parse(policy).unwrap());
    let best = choose("lead_time=2, holding=0.2, shortage=1, cover=3").unwrap();
    assert!(best.sentence().contains("is the one to take"), "{}", best.sentence());
    assert!(choose("lead_time=2, cover=3").err().unwrap().to_string().contains("what holding and shortage cost"));
}

#[test]
fn orders_share_a_limit() {
    let folder = tempfile::tempdir().unwrap();
    let state: String =
        (0..8).fold("item,on_hand,cost,volume\n".into(), |text, i| format!("{text}i{i},0,{},1\n", i + 1));
    let of = |policy: &str| decided(folder.path(), &state, policy, "gamma_poisson");
    let spent = |decision: &Decision| -> f64 {
        numbers(decision, "order").iter().enumerate().map(|(i, order)| (i + 1) as f64 * order.unwrap()).sum()
    };
    let free = of("lead_time=1, holding=0.2, shortage=2").unwrap();
    let bound = of("lead_time=1, holding=0.2, shortage=2, budget=60").unwrap();
    assert!(spent(&free) > 60.0 && spent(&bound) <= 60.0 && spent(&bound) > 50.0, "{}", spent(&bound));
    assert!(bound.sentence().contains("The budget of 60 is less than"), "{}", bound.sentence());
    let kept = of("lead_time=1, holding=0.2, shortage=2, space=10000").unwrap();
    assert_eq!(numbers(&kept, "order"), numbers(&free, "order"));
    std::fs::write(folder.path().join("state.csv"), STATE).unwrap();
    let error =
        decided(folder.path(), STATE, "lead_time=2, cycle_service=0.9, budget=5", "gamma_poisson").err().unwrap();
    assert!(error.to_string().contains("needs `cost` of every item"), "{error}");
}

/// Of past orders too: without one that binds nothing changes, and in no review more is spent than there is.
#[test]
fn past_orders_share_a_limit() {
    let folder = tempfile::tempdir().unwrap();
    let (history, stock) = (folder.path().join("history.parquet"), folder.path().join("state.csv"));
    ParquetWriter::new(std::fs::File::create(&history).unwrap()).finish(&mut frame()).unwrap();
    let state: String = (0..8).fold("item,on_hand,cost\n".into(), |text, i| format!("{text}i{i},0,{}\n", i + 1));
    std::fs::write(&stock, state).unwrap();
    let plan = |budget: Option<f64>| Plan {
        data: history.clone(),
        id: "item".parse().unwrap(),
        time: "week".into(),
        target: "sold".into(),
        available: Some("in_stock".into()),
        models: "gamma_poisson".parse().unwrap(),
        stock: Some(stock.clone()),
        lead_time: 1,
        holding: Some(0.2),
        shortage: Some(2.0),
        reviews: 9,
        budget,
        ..Plan::default()
    };
    let simulated = |budget: Option<f64>| plan(budget).simulate_stock().unwrap();
    let all = |decision: &Decision| decision.table().unwrap().frame().clone();
    let (free, wide) = (simulated(None), simulated(Some(1e6)));
    assert!(all(&free).equals_missing(&all(&wide)), "{:?}\n{:?}", all(&free), all(&wide));
    let (tight, none) = (simulated(Some(40.0)), simulated(Some(1e-9)));
    let of = |decision: &Decision, name: &str| {
        let table = decision.table().unwrap();
        let own = (0..3).find(|row| table.get(*row, "belief").unwrap().to_string() == "forecast").unwrap();
        number(&table, own, name)
    };
    assert_eq!(of(&none, "units"), 0.0);
    assert!(of(&tight, "fill_rate") < of(&free, "fill_rate") && of(&tight, "fill_rate") > of(&none, "fill_rate"));
    // What an item costs is its number: what was delivered to all, review by review, costs at most the budget.
    let mut spent = [0.0; 12];
    for item in 0..8 {
        let told = tight.explain(&format!("item=i{item}")).unwrap();
        for (step, sum) in spent.iter_mut().enumerate().take(told.table().rows()).skip(1) {
            *sum += (item + 1) as f64 * number(&told.table(), step, "arrives");
        }
    }
    assert!(spent.iter().all(|sum| *sum <= 40.0) && spent.iter().any(|sum| *sum > 35.0), "{spent:?}");
    let error = Plan { space: Some(3.0), ..plan(None) }.simulate_stock().err().unwrap();
    assert!(error.to_string().contains("needs `volume` of every item"), "{error}");
    // An item without a row takes an unknown share of the budget: it is not played, and the others are.
    let state = std::fs::read_to_string(&stock).unwrap();
    std::fs::write(&stock, state.replace("i7,0,8\n", "")).unwrap();
    let some = simulated(Some(40.0));
    let left = some.undecided().unwrap();
    assert_eq!(left.rows(), 1);
    assert_eq!(left.get(0, "series").unwrap().to_string(), "item=i7");
    assert!(left.get(0, "reason").unwrap().to_string().contains("has no row of it"), "{left:?}");
    assert!(some.explain("item=i6").unwrap().table().rows() > 1 && some.explain("item=i7").is_err());
}

#[test]
fn scenarios_change_the_forecast_and_the_orders() {
    let columns =
        Columns::new(["Store", "Dept"], "Date", "Weekly_Sales").known(["IsHoliday"]).observed(["Temperature"]);
    let sales = Panel::read("data/walmart_sales_weekly.csv", columns).unwrap();
    let fits = sales.fit_for(["ridge"], 4).unwrap();
    let future = sales.future(4).unwrap().what_if("IsHoliday", &[0.0]).unwrap();
    let forecast = fits.forecast(&future).unwrap();
    let label = "ridge";
    let policy = StockPolicy::parse("lead_time=2, cycle_service=0.9").unwrap();
    let orders = forecast.decide_stock("data/stock.csv", &policy).unwrap();
    let scenarios = orders
        .what_if([
            "holiday(column=IsHoliday, to=1, from=2012-11-16, until=2012-11-16)",
            "closed(closed=true, from=2012-11-02, until=2012-11-09, only=\"Dept=3\")",
            "late(lead_time=1)",
        ])
        .unwrap();
    let table = scenarios.table().unwrap();
    let number = |row: usize, name: &str| number(&table, row, name);
    assert_eq!(table.rows(), 4);
    // The first is what the model forecasts as it is, and what is ordered as it is.
    let total: f64 = forecast.keys().iter().map(|key| forecast.mean(label, key).unwrap().iter().sum::<f64>()).sum();
    assert!((number(0, "forecast") - total).abs() < 1e-6 * total);
    let ordered: f64 = numbers(&orders, "order").into_iter().flatten().sum();
    assert_eq!(number(0, "order"), ordered);
    let with = fits.forecast(future.what_if("IsHoliday", &[0.0, 0.0, 1.0, 0.0]).unwrap()).unwrap();
    let total: f64 = with.keys().iter().map(|key| with.mean(label, key).unwrap().iter().sum::<f64>()).sum();
    assert!((number(1, "forecast") - total).abs() < 1e-6 * total);
    // Two weeks of a department are gone, and what it would have sold is still on the shelf.
    let closed: f64 = forecast.mean(label, "Store=1, Dept=3").unwrap()[..2].iter().sum();
    assert!((number(0, "forecast") - number(2, "forecast") - closed).abs() < 1e-6);
    assert!(number(2, "order") < number(0, "order"), "{}", scenarios.sentence());
    assert_eq!(number(3, "forecast"), number(0, "forecast"));
    assert!(number(3, "order") != number(0, "order"));
    assert!(scenarios.explain("Store=1, Dept=3").unwrap().table().rows() == 4);
    for (scenario, words) in [
        ("cheaper(column=IsHolidy, times=0.9)", "did you mean `IsHoliday`?"),
        ("cheaper(column=IsHoliday)", "state times, plus or to"),
        ("cheaper(column=IsHoliday, times=0.9, to=1)", "in two ways"),
        ("cheaper(times=0.9)", "names no column"),
        ("nothing()", "changes nothing"),
        ("late(column=IsHoliday, to=1, from=2013-11-16)", "the forecast covers 2012-11-02 to 2012-11-23"),
        ("one(column=IsHoliday, to=1, only=\"Shop=1\")", "`only` names a key"),
        ("one(column=IsHoliday, to=1, only=\"Store=7\")", "no series has"),
        ("early(lead_time=-2)", "lead time is at least 1 step"),
        ("late(lead_time=2)", "need a forecast of 5 steps; it has 4"),
        ("odd(colum=1)", "did you mean `column`?"),
    ] {
        let error = orders.what_if([scenario]).err().unwrap().to_string();
        assert!(error.contains(words), "{scenario}: {error}");
    }
    let unknown = fits.forecast(&future).unwrap().what_if(["cheaper(column=Temperature, times=0.9)"]).unwrap();
    assert!(unknown.caveat().unwrap().contains("as far as they have occurred"));
}
