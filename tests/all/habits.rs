//! What whoever writes scripts does every day: read a table, pick and group its rows, draw it, put it into a report with a
//! sentence in bold, add up an array, name a model as it was typed, catch an error, pass an argument.

use std::path::Path;
use std::process::Command;

use tradewind::prelude::*;
use tradewind::script::{Session, Settings, Terminal};
use tradewind::show::Value;

/// A session that may write to a folder.
fn session(folder: &Path) -> Session {
    let settings = Settings { allow: vec![folder.to_path_buf()], ..Settings::default() };
    Session::new(&settings, Terminal::new()).unwrap()
}

/// What a text gives, as it is shown.
fn eval(text: &str) -> String {
    let ran = Session::new(&Settings::default(), Terminal::new()).unwrap().run("text", text);
    ran.unwrap_or_else(|failure| panic!("{text}: {failure}")).text()
}

/// What is said of a text that fails.
fn failure(text: &str) -> String {
    match Session::new(&Settings::default(), Terminal::new()).unwrap().run("text", text) {
        Ok(value) => panic!("{text} gave {}", value.text()),
        Err(failure) => failure.to_string(),
    }
}

const SALES: &str =
    r#"let sales = read_panel("data/walmart_sales_weekly.csv", columns(["Store", "Dept"], "Date", "Weekly_Sales"));"#;
const BOARD: &str = r#"let board = table([#{model: "naive", mase: 1.25, n: 2}, #{model: "theta", mase: 0.875, n: 3},
    #{model: "drift", mase: 1.5, n: 2}, #{model: "odd", n: 1}]);"#;

// ------------------------------------------------------------------------------------------------ figures

#[test]
fn a_table_is_drawn_over_dates_numbers_and_words() {
    let home = tempfile::tempdir().unwrap();
    let (svg, png, page) = (home.path().join("own.svg"), home.path().join("own.png"), home.path().join("own.html"));
    let text = format!(
        r#"{SALES}
        let weeks = sales.table().group("Date", #{{Weekly_Sales: "sum"}});
        let own = weeks.line("Date", "Weekly_Sales", #{{title: "All shops", unit: "USD"}});
        own.save({svg:?}); own.save({png:?});
        report("Own").add(own).add(weeks.bar("Date", "Weekly_Sales")).save({page:?});
        own.alt"#
    );
    let alt = session(home.path()).run("text", &text).unwrap_or_else(|failure| panic!("{failure}")).text();
    assert!(alt.starts_with("Weekly_Sales, USD: from ") && alt.ends_with("at 2012-10-26."), "{alt}");
    let drawn = std::fs::read_to_string(svg).unwrap();
    assert!(drawn.contains("All shops") && drawn.contains(">2011<") && drawn.contains("Weekly_Sales, USD"), "{drawn}");
    assert!(std::fs::read(png).unwrap().starts_with(b"\x89PNG"));
    assert_eq!(std::fs::read_to_string(page).unwrap().matches("class=\"wide\"").count(), 2);

    let words = eval(&format!(r#"{BOARD} board.bar("model", "mase", #{{title: "Errors"}}).alt"#));
    assert_eq!(words, "mase: naive 1.250, theta 0.875, drift 1.500, odd –.");
    let several = eval(&format!(r#"{BOARD} let f = board.bar("model", ["mase", "n"]); `${{f.title}}: ${{f.alt}}`"#));
    assert!(several.starts_with("mase, n by model: ") && several.contains("n: naive 2, theta 3"), "{several}");
    let dots = eval(&format!(r#"{BOARD} board.scatter("n", "mase", #{{x: "runs", by: "model"}}).svg()"#));
    assert!(dots.contains("runs") && dots.contains(">theta<") && dots.contains("<circle"), "{dots}");
}

#[test]
fn lines_are_parted_by_a_column() {
    let forecast = crate::sales().fit(["naive", "drift"]).unwrap().forecast(3).unwrap().table().unwrap();
    let one = forecast.filter("Store", "==", 1_i64).unwrap().filter("Dept", "==", 1_i64).unwrap();
    let look = Look { by: Some("model".into()), ..Look::default() };
    let figure = one.line("Date", ["mean"], &look).unwrap();
    assert_eq!(figure.title(), "mean by Date and model");
    assert!(figure.alt().contains("naive: from") && figure.alt().contains("drift: from"), "{}", figure.alt());
    // Two rows of a week are no line.
    let said = one.line("Date", ["mean"], &Look::default()).unwrap_err();
    assert!(said.is_usage() && said.to_string().contains("several rows have `2012-11-02`"), "{said}");
    assert!(forecast.line("Date", ["mean"], &look).unwrap_err().to_string().contains("also within one `model`"));
}

#[test]
fn what_cannot_be_drawn_is_said() {
    for (text, expected) in [
        (r#"board.line("model", "modle")"#, "did you mean `model`?"),
        (r#"board.scatter("n", "model")"#, "column `model` holds no numbers that could be drawn"),
        (r#"board.bar("n", "mase")"#, "several rows have `2` in column `n` (4 rows for 3 of them)"),
        (r#"board.line("model", "mase", #{titel: "x"})"#, "unknown option `titel`"),
        (r#"board.line("model", [])"#, "name a column to draw"),
        (r#"board.line("model", "mase").save("x.gif")"#, "ends in .svg or .png"),
    ] {
        let said = failure(&format!("{BOARD} {text}"));
        assert!(said.contains(expected), "{text}: {said}");
    }
    // What is empty is still a figure.
    assert!(eval(&format!(r#"{BOARD} board.head(0).scatter("n", "mase").svg()"#)).contains("No data"));
}

// ------------------------------------------------------------------------------------------------ text in reports

#[test]
fn marks_of_a_text_reach_every_output() {
    let home = tempfile::tempdir().unwrap();
    let text = format!(
        r#"report("R").heading("Section").text(`Sales **rose** <b>again</b>, see [the page](more.html) and [no](javascript:x):
            1. in ``all`` shops
            2. by *3 %*

            ## Below
            More.`).save({0:?});
        let same = report("R").text("Plain words, 3 < 4 & season_length.");
        same.save({1:?});"#,
        home.path().join("r.md"),
        home.path().join("plain.md"),
    );
    let mut session = session(home.path());
    session.run("text", &text).unwrap_or_else(|failure| panic!("{failure}"));
    let read = |name: &str| std::fs::read_to_string(home.path().join(name)).unwrap();
    let page = read("r.md");
    assert!(
        page.contains(
            "Sales **rose** &lt;b&gt;again&lt;/b&gt;, see [the page](more.html) and no:\n\n1. in `all` shops\n2. by *3\u{a0}%*\n\n#### Below\n\nMore.\n"
        ),
        "{page}"
    );
    assert!(read("plain.md").contains("\n\nPlain words, 3 &lt; 4 &amp; season_length.\n"));
    for (verb, name) in [("save", "r.html"), ("save_slides", "s.html")] {
        let again = text
            .replace(").save(", &format!(").{verb}("))
            .replace("r.md", name)
            .replace("plain.md", &format!("p{name}"));
        session.run("text", &again.replace("same.save(", &format!("same.{verb}("))).unwrap();
        let page = read(name);
        for part in [
            "Sales <strong>rose</strong> &lt;b&gt;again&lt;/b&gt;, see <a href=\"more.html\"",
            "<ol><li dir=\"auto\">in <code>all</code> shops</li>",
            "<em>3\u{a0}%</em>",
            "Below",
        ] {
            assert!(page.contains(part), "{name} lacks {part}: {page}");
        }
        assert!(!page.contains("javascript:"));
        // What no mark asks for is not there.
        let plain = read(&format!("p{name}"));
        assert!(plain.contains("Plain words, 3 &lt; 4 &amp; season_length.") && !plain.contains("ol{"), "{plain}");
    }
}

#[test]
fn long_texts_with_marks_go_on_to_the_next_slide() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("s.html");
    let sentence = "This is **one** of the many sentences of a long text. ";
    let points: String = (1..=30).map(|point| format!("{point}. point *{point}*\n")).collect();
    Report::new("R").heading("A").text(sentence.repeat(40)).heading("B").text(points).save_slides(&path).unwrap();
    let page = std::fs::read_to_string(&path).unwrap();
    assert!(page.matches(">A</h2>").count() >= 3 && page.matches(">B</h2>").count() >= 4, "{page}");
    assert_eq!(page.matches("<strong>one</strong>").count(), 40);
    assert!(page.contains("<ol start=\"8\">"));
}

// ------------------------------------------------------------------------------------------------ files

#[test]
fn a_table_is_read_as_sales_are() {
    let home = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(home.path().join(name), text).unwrap();
    write("preise.csv", "Artikel;Tag;Preis;Menge;Aktiv\n007;01.02.2024;1.234,50;3;true\n012;14.02.2024;0,75;;false\n");
    let prices = Table::read(home.path().join("preise.csv")).unwrap();
    assert_eq!(prices.columns(), ["Artikel", "Tag", "Preis", "Menge", "Aktiv"]);
    assert_eq!(prices.column("Artikel").unwrap(), [Value::Text("007".into()), Value::Text("012".into())]);
    assert_eq!(prices.get(1, "Tag").unwrap(), Value::Text("2024-02-14".into()));
    assert_eq!(prices.column("Preis").unwrap(), [Value::Number(1234.5), Value::Number(0.75)]);
    assert_eq!(prices.column("Menge").unwrap(), [Value::Whole(3), Value::Missing]);
    assert_eq!(prices.get(0, "Aktiv").unwrap(), Value::Bool(true));
    // Two ways to read a number are asked about, two ways to read a date leave a text.
    write("two.csv", "a;b\n1.250;x\n2.500;y\n");
    let said = Table::read(home.path().join("two.csv")).unwrap_err().to_string();
    assert!(said.contains("can be read two ways") && said.contains("decimal = "), "{said}");
    let reading = Reading::parse("decimal=','").unwrap();
    assert_eq!(
        Table::read_as(home.path().join("two.csv"), &reading).unwrap().get(0, "a").unwrap(),
        Value::Number(1250.0)
    );
    write("dates.csv", "day,x\n01/02/2024,1\n03/04/2024,2\n");
    assert_eq!(
        Table::read(home.path().join("dates.csv")).unwrap().get(0, "day").unwrap(),
        Value::Text("01/02/2024".into())
    );
    assert!(Table::read(home.path().join("dats.csv")).unwrap_err().to_string().contains("did you mean"));
}

#[test]
fn what_is_saved_is_read_back() {
    let home = tempfile::tempdir().unwrap();
    let frame = df!("shop" => ["north", "söuth|<x>"], "sold" => [3_i64, 4], "price" => [1.5, f64::NAN], "open" => [true, false]);
    let mut frame = frame.unwrap();
    let day = Series::new("day".into(), [19_000_i32, 19_001]).cast(&DataType::Date).unwrap();
    frame.with_column(day.into()).unwrap();
    let table = Table::new(&frame);
    for name in ["t.csv", "t.parquet", "t.xlsx"] {
        let path = home.path().join(name);
        table.save(&path).unwrap();
        let again = Table::read(&path).unwrap();
        assert_eq!(again.columns(), table.columns(), "{name}");
        for column in ["shop", "sold", "open", "day"] {
            assert_eq!(again.column(column).unwrap(), table.column(column).unwrap(), "{name}: {column}");
        }
        assert_eq!(again.get(0, "price").unwrap(), Value::Number(1.5), "{name}");
    }
    // The same table gives the same bytes, and what we have written is written over.
    let bytes = |name: &str| std::fs::read(home.path().join(name)).unwrap();
    table.save(home.path().join("u.xlsx")).unwrap();
    assert_eq!(bytes("t.xlsx"), bytes("u.xlsx"));
    let path = home.path().join("t.xlsx");
    let save = format!("read_table({path:?}); table([#{{a: 1}}]).save({path:?});");
    assert!(session(home.path()).run("text", &save).is_err(), "what was read in this job is not replaced");
    let path = home.path().join("u.xlsx");
    let save = format!("table([#{{a: 1}}]).save({path:?}); read_table({path:?})[0].a");
    assert_eq!(session(home.path()).run("text", &save).unwrap_or_else(|failure| panic!("{failure}")).text(), "1");
    // A workbook of somebody else is not.
    let theirs = home.path().join("theirs.xlsx");
    std::fs::write(&theirs, &bytes("u.xlsx")[..100]).unwrap();
    let said =
        session(home.path()).run("text", &format!("table([#{{a: 1}}]).save({theirs:?})")).unwrap_err().to_string();
    assert!(said.contains("has not written it"), "{said}");
}

#[test]
fn tables_stay_behind_the_fence() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("out.xlsx");
    std::fs::write(home.path().join("in.csv"), "a\n1\n").unwrap();
    for text in [
        format!("read_table({:?})", home.path().join("in.csv")),
        "read_table(\"/etc/passwd\")".into(),
        format!("table([#{{a: 1}}]).save({path:?})"),
        format!("table([#{{a: 1, b: 2}}]).line(\"a\", \"b\").save({:?})", home.path().join("x.svg")),
    ] {
        assert!(failure(&text).contains("lies outside the working folder"), "{text}");
    }
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 1);
}

// ------------------------------------------------------------------------------------------------ panels and tables

#[test]
fn before_that_day_and_after_are_all() {
    let sales = crate::sales();
    let (before, after) = (sales.before("2012-06-01").unwrap(), sales.after("2012-06-01").unwrap());
    assert_eq!(before.rows() + after.rows() + sales.len(), sales.rows());
    assert_eq!((before.span().1, after.span().0), ("2012-05-25".into(), "2012-06-08".into()));
    // Within a week, the week that has begun lies before.
    assert_eq!(sales.after("2012-06-04").unwrap().span().0, "2012-06-08");
    assert!(
        sales
            .after("2012-10-26")
            .unwrap_err()
            .to_string()
            .contains("there are no rows after 2012-10-26: the last is 2012-10-26")
    );
    assert!(sales.after("soon").unwrap_err().is_usage());
    // What was cleaned stays as it is.
    let clean = sales.clean(&Clean::parse("negatives=clip").unwrap()).unwrap().after("2012-06-01").unwrap();
    assert_eq!(clean.rows(), after.rows());
    assert_eq!(eval(&format!("{SALES} sales.after(\"2012-10-12\").rows")), "14");
}

#[test]
fn rows_are_picked_sorted_and_grouped() {
    let of = |text: &str| eval(&format!("{BOARD} {text}"));
    assert_eq!(of(r#"board.filter("mase", "<", 1.5)["model"]"#), r#"["naive", "theta"]"#);
    assert_eq!(of(r#"board.filter("mase", "==", ())["model"]"#), r#"["odd"]"#);
    assert_eq!(of(r#"board.filter("model", "!=", "theta").rows"#), "3");
    assert_eq!(of(r#"board.filter(|row| row.mase < 1 || row.n == 1)["model"]"#), r#"["theta", "odd"]"#);
    assert_eq!(of(r#"let most = 2; board.filter(|row| row.n <= most).rows"#), "3");
    assert_eq!(of(r#"board.sort("mase")["model"]"#), r#"["theta", "naive", "drift", "odd"]"#);
    assert_eq!(of(r#"board.sort_descending("mase").head(2)["model"]"#), r#"["drift", "naive"]"#);
    assert_eq!(of("board.head(99).rows"), "4");
    assert_eq!(of(r#"board.group("n", #{mase: "count"})["mase"]"#), "[2, 1, 0]");
    assert_eq!(of(r#"board.group("n", #{mase: ["mean", "max"]}).columns"#), r#"["n", "mase mean", "mase max"]"#);
    assert_eq!(
        of(r#"board.group([], #{mase: "median", model: "first"})[0]"#).replace(['\n', ' '], ""),
        of(r#"#{mase: 1.25, model: "naive"}"#).replace(['\n', ' '], "")
    );
    // The row that is set apart stays so.
    let table = Table::new(df!("x" => [3, 1, 2]).unwrap()).highlight(0).sort("x").unwrap();
    assert!(table.block().to_markdown().contains("| **3** |"));
    // Dates compare with a part of their text.
    assert_eq!(
        eval(&format!(
            r#"{SALES} sales.table().filter("Date", ">=", "2012-10").group("Date", #{{Weekly_Sales: "sum"}}).rows"#
        )),
        "4"
    );
    for (text, expected) in [
        (r#"board.filter("mase", "<", "low")"#, "column `mase` holds numbers, not the text `low`"),
        (r#"board.filter("mase", "=", 1)"#, "`=` is not a comparison; there is `==`"),
        (r#"board.filter("mese", "<", 1)"#, "did you mean `mase`?"),
        (r#"board.filter(|row| row.mase)"#, "returns true or false for a row, not the number 1.25"),
        (r#"board.filter(1)"#, "a function such as |row| row.mase < 1.0 is needed, not the number 1"),
        (r#"board.group("n", #{mase: "avg"})"#, "a group has no `avg`"),
        (r#"board.group("n", #{model: "sum"})"#, "column `model` holds no numbers"),
        (r#"board.group("n", #{n: "sum"})"#, "defines the groups"),
        (r#"board.group("n", #{})"#, "state what to compute for each group"),
        (r#"board.sort("modle")"#, "did you mean `model`?"),
    ] {
        let said = failure(&format!("{BOARD} {text}"));
        assert!(said.contains(expected), "{text}: {said}");
    }
}

#[test]
fn arrays_of_numbers_are_added_up() {
    assert_eq!(eval("[1, 2, 3].sum() + [1, 5].max() + [4, 2].min()"), "13");
    assert_eq!(
        eval("let a = [1.0, 2.0, 3.0, 4.0]; `${a.mean()} ${a.median()} ${a.quantile(0.9)} ${a.quantile(0)}`"),
        "2.5 2.5 3.7 1"
    );
    assert_eq!(eval("[1, 2.5].sum()"), "3.5");
    assert_eq!(eval("[10, 20][[1, 0].max()]"), "20");
    assert_eq!(eval("[].sum()"), "0");
    // A script may still say what a mean is.
    assert_eq!(eval("fn mean(a) { 42 } mean([1])"), "42");
    for (text, expected) in [
        ("[].mean()", "no values have no mean"),
        ("[].quantile(0.5)", "no values have no quantile"),
        ("[1, 2].quantile(95)", "a probability lies between 0 and 1, not 95; did you mean 0.95?"),
        ("[1, 2].quantile(-0.1)", "between 0 and 1, not -0.1"),
        ("[1, \"2\"].mean()", "its place 1 holds the text \"2\""),
        ("[1, ()].sum()", "holds nothing; leave such values out"),
        ("[1].quantile()", "`quantile` is called as `array.quantile(probability)`"),
        ("[1].meen()", "did you mean `mean`?"),
    ] {
        let said = failure(text);
        assert!(said.contains(expected), "{text}: {said}");
    }
    assert!(eval("help(\"quantile\")").contains("interpolated between"));
}

// ------------------------------------------------------------------------------------------------ labels

#[test]
fn a_model_is_found_as_it_was_typed() {
    let text = format!(
        r#"{SALES}
        let label = "regression( penalty = 0.10 , trend=false)";
        let fits = sales.fit([label, "naive"]);
        let key = sales.keys[0];
        let forecast = fits.forecast(3);
        let same = forecast.mean(label, key) == forecast.mean(fits.models[0], key)
            && forecast.quantile(label, key, 0.9) == forecast.quantile(fits.models[0], key, 0.9)
            && forecast.interval(label, key, 0.8).len() == 2
            && forecast.paths(3, 1).of(label, key).len() == 3
            && fits.residuals(label, key).len() > 100
            && forecast.plot(label).title == forecast.plot(fits.models[0]).title;
        let trial = sales.backtest([label, "naive"], folds(2, 3));
        let scored = trial.score(label, "mase") == trial.score(fits.models[0], "mase")
            && trial.compare(label, "naive", "mae").sentence == trial.compare(fits.models[0], "naive", "mae").sentence
            && trial.calibration(label).sentence == trial.calibration(fits.models[0]).sentence
            && trial.errors(label)[0].title == trial.errors(fits.models[0])[0].title
            && trial.plot_last(label).title == trial.plot_last(fits.models[0]).title;
        `${{same}} ${{scored}}`"#
    );
    let text = match Model::named("regression(penalty=0.1, trend=false)") {
        Ok(_) => text,
        Err(_) => text.replace(" , trend=false", ""),
    };
    assert_eq!(eval(&text), "true true");
    let said = failure(&format!("{SALES} sales.fit(\"theta\").forecast(3).mean(\"thetta\", sales.keys[0])"));
    assert!(said.contains("there is no model `thetta`, did you mean `theta`?"), "{said}");
    let said = failure(&format!("{SALES} sales.fit(\"theta\").forecast(3).mean(\"theta(season=13)\", sales.keys[0])"));
    assert!(said.contains("there is no model `theta(season=13)`"), "{said}");
}

// ------------------------------------------------------------------------------------------------ errors and arguments

#[test]
fn what_is_caught_keeps_its_line_and_its_suggestion() {
    let functions = "fn wrong(x) { thetta(x) } fn option(x) { theta(#{seson: x}) }";
    let caught =
        |text: &str| eval(&format!("{functions} let m = ();\ntry {{\n{text}\n}} catch (err) {{ m = `${{err}}`; }} m"));
    for (text, expected) in [
        ("theta(#{seson: 1});", "text, line 3: unknown option `seson` of theta, did you mean `season`?"),
        ("thetta();", "text, line 3: there is no function `thetta`, did you mean `theta`?"),
        ("\nlet f = folds(2, 4); f.stp(1);", "text, line 4: a Folds has no verb `stp`, did you mean `step`?"),
        ("let f = folds(2, 4); f.horizn;", "text, line 3: a Folds has no `horizn`, did you mean `horizon`?"),
        ("wrong(1);", "text, line 1: there is no function `thetta` for (int), did you mean `theta`?"),
        ("option(1);", "text, line 1: unknown option `seson` of theta"),
        ("table([#{a: 1}])[\"b\"];", "text, line 3: unknown column `b`"),
        ("[1].mean(1, 2);", "text, line 3: `mean` is called as"),
        ("[1, 2][7];", "text, line 3: array index 7 out of bounds"),
        ("throw \"too bad\";", "too bad"),
    ] {
        let said = caught(text);
        assert!(said.starts_with(expected), "{text}: {said}");
    }
    assert_eq!(eval("let n = 0; try {\n theta(#{seson: 1}) } catch (err) { n = err.line } n"), "2");
    // Thrown once more, it says where it came from.
    let said = failure("try {\n theta(#{seson: 1}) } catch (err) {\n\n throw err; }");
    assert!(said.starts_with("text, line 4") && said.contains("text, line 2: unknown option `seson`"), "{said}");
}

#[test]
fn an_argument_that_nobody_asks_for_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(home.path().join(name), text).unwrap();
    write(
        "tools.rhai",
        "fn whole(args, name, otherwise) { if name in args { parse_int(args[name]) } else { otherwise } }\nfn data(args) { args.data }",
    );
    write(
        "own.rhai",
        "import \"tools\" as tools;\nprint(`begun ${tools::whole(args, \"horizon\", 8)} ${args.out ?? \"x\"}`);",
    );
    let run = |args: &[&str]| {
        let output =
            Command::new(env!("CARGO_BIN_EXE_tradewind")).args(args).current_dir(home.path()).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
    };
    assert_eq!(run(&["script", "own.rhai", "--arg", "horizon=4", "--arg", "out=y"]).1, "begun 4 y\n");
    assert_eq!(run(&["script", "own.rhai", "--arg", "data=z"]).0, 0, "what a module asks for");
    let (code, out, said) = run(&["script", "own.rhai", "--arg", "out=y", "--arg", "horizn=4"]);
    assert_eq!((code, out.as_str()), (2, ""), "{said}");
    assert!(said.contains("own.rhai asks for no argument `horizn`, did you mean `horizon`?"), "{said}");
    write("all.rhai", "for name in args.keys() { print(`${name}: ${args[name]}`); }");
    assert_eq!(run(&["script", "all.rhai", "--arg", "horizn=4"]).1, "horizn: 4\n");
    write("none.rhai", "print(1);");
    assert!(run(&["script", "none.rhai", "--arg", "x=4"]).2.contains("asks for none"));
}

#[test]
fn the_tables_of_the_manual_are_saved_as_it_says() {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join("data")).unwrap();
    let data = "data/walmart_sales_weekly.csv";
    std::fs::copy(data, home.path().join(data)).unwrap();
    let page = std::fs::read_to_string("docs/scripts.md").unwrap();
    let script = page.split("```js\n").skip(1).filter_map(|rest| rest.split("```").next());
    let script = script.filter(|script| script.contains("read_table")).collect::<String>();
    std::fs::write(home.path().join("own.rhai"), script).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_tradewind"))
        .args(["script", "own.rhai"])
        .current_dir(home.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let page = std::fs::read_to_string(home.path().join("reports/departments.html")).unwrap();
    assert!(page.contains("<strong>three largest</strong>") && page.matches("class=\"wide\"").count() == 2, "{page}");
    assert_eq!(Table::read(home.path().join("reports/departments.xlsx")).unwrap().rows(), 3);
}
