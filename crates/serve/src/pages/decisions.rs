//! How much to order, given what is in stock.

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, header};
use axum::response::IntoResponse;
use axum::routing::get;
use maud::{Markup, PreEscaped, html};
use serde_json::{Map, Value};

use super::fields::{Fields, Posted, csrf, parse, refusal, select};
use super::layout::{Sheet, Visitor};
use super::policy::{policy, policy_fields};
use super::words::{MISSING, capitalised, count, fixed, number, sentence, shared_decimals, steps};
use crate::access::{Person, Role};
use crate::app::App;
use crate::engine::{Answer, DecideAnswer, DecideRequest, ForecastRequest, ModelCard, Stock};
use crate::fault::{Fault, Kind};

/// Columns of orders, and what planners call them; others keep their names.
const COLUMNS: [(&str, &str); 7] = [
    ("series", "Item"),
    ("order", "Order"),
    ("position", "In stock and on the way"),
    ("level", "Would be enough"),
    ("mean", "Expected demand"),
    ("p_out", "Chance to run short"),
    ("reason", "Why"),
];

pub(super) fn router() -> Router<App> {
    Router::new().route("/decisions", get(look).post(decide))
}

async fn look(State(app): State<App>, person: Person, fields: Fields) -> Markup {
    page(&Visitor::of(&app, Some(&person)), &app.engine().models(), &fields, None)
}

async fn decide(State(app): State<App>, Posted(person, fields): Posted) -> Result<Response<Body>, Fault> {
    person.must_be(Role::Planner)?;
    let answer = match request(&fields) {
        Ok(request) => {
            let most = app.settings().limits.values;
            app.ask(move |engine| {
                let weight = engine.weight(&request.forecast())?;
                if weight > most {
                    return Err(Fault::new(
                        Kind::TooLarge,
                        "these are too many items for one answer; decide on fewer at once",
                    ));
                }
                engine.decide(&request)
            })
            .await
        }
        Err(fault) => Err(fault),
    };
    match answer {
        Err(fault) if fault.kind.status() >= 500 || fault.kind == Kind::Busy => Err(fault),
        Ok(answer) if fields.has("download") => Ok(download(answer.csv)),
        answer => {
            let page = page(&Visitor::of(&app, Some(&person)), &app.engine().models(), &fields, Some(&answer));
            Ok(page.into_response())
        }
    }
}

/// The orders, for whoever places them.
fn download(csv: String) -> Response<Body> {
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"orders.csv\""),
    ];
    (headers, csv).into_response()
}

fn request(fields: &Fields) -> Answer<DecideRequest> {
    let stock = stock(fields.text("stock"))?;
    Ok(DecideRequest {
        // No series: those of the stock, as far as the model has them.
        forecast: ForecastRequest { model: fields.given("model").map(String::from), ..ForecastRequest::default() },
        policy: policy(fields)?,
        stock,
    })
}

/// What is in stock, as it was pasted: from a spreadsheet (tabs), or separated by semicolons or commas. A name may have commas of its own:
/// the numbers are the last one or two fields of a line.
fn stock(text: &str) -> Answer<Vec<Stock>> {
    let mut stock = Vec::new();
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).peekable();
    if lines.peek().is_none() {
        return Err(Fault::new(Kind::Invalid, "Stock: enter a line for each item, its name and what is in stock"));
    }
    let mut is_first = true;
    for (at, line) in lines {
        let was_first = std::mem::replace(&mut is_first, false);
        let wrong = |why: &str| Fault::new(Kind::Invalid, format!("Stock, line {}: {why}", at + 1));
        let separator = if line.contains('\t') {
            '\t'
        } else if line.contains(';') {
            ';'
        } else {
            ','
        };
        let (name, rest) = match line.trim().strip_prefix('"').and_then(|quoted| end_of_quote(quoted)) {
            Some((name, rest)) => (Some(name), rest.trim_start_matches(separator)),
            None => (None, line),
        };
        let parts: Vec<&str> = rest.split(separator).map(str::trim).collect();
        let value =
            |text: &str| if separator == ',' { text.parse().ok().filter(|n: &f64| n.is_finite()) } else { parse(text) };
        let room = parts.len() - usize::from(name.is_none());
        let numbers: Vec<f64> = parts.iter().rev().take(room.min(2)).map_while(|text| value(text)).collect();
        let name = name
            .unwrap_or_else(|| parts[..parts.len() - numbers.len()].join(if separator == ',' { ", " } else { " " }));
        match (numbers.as_slice(), was_first) {
            // A header.
            ([], true) => {}
            ([], false) => return Err(wrong("it does not end with what is in stock")),
            ([on_hand], _) => stock.push(Stock { series: name, on_hand: *on_hand, on_order: 0.0 }),
            ([on_order, on_hand, ..], _) => stock.push(Stock { series: name, on_hand: *on_hand, on_order: *on_order }),
        }
    }
    if stock.is_empty() {
        return Err(Fault::new(Kind::Invalid, "Stock: no line ends with a number, which would be what is in stock"));
    }
    Ok(stock)
}

/// A name in quotes, and what comes after it; two quotes within are one.
fn end_of_quote(text: &str) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut rest = text;
    loop {
        let (before, after) = rest.split_once('"')?;
        name.push_str(before);
        match after.strip_prefix('"') {
            Some(after) => {
                name.push('"');
                rest = after;
            }
            None => return Some((name, after)),
        }
    }
}

fn page(visitor: &Visitor, models: &[ModelCard], fields: &Fields, answer: Option<&Answer<DecideAnswer>>) -> Markup {
    let sheet = Sheet {
        title: "Decisions",
        place: "/decisions",
        lead: "How much to order of each item now, and why.",
        is_wide: true,
        ..Sheet::default()
    };
    let usable: Vec<&ModelCard> = models.iter().filter(|card| card.problem.is_none()).collect();
    let Some(first) = usable.first() else {
        let body = html! {
            div.empty { p { strong { "There is no model to decide with yet." } } p { "See " a href="/" { "how a model is served" } "." } }
        };
        return sheet.show(visitor, &body);
    };
    if !visitor.may_plan {
        let body = html! { div.note { p { "Your role, " (visitor.role) ", may look and may not decide. Ask for the role planner." } } };
        return sheet.show(visitor, &body);
    }
    let options: Vec<(String, String)> = usable.iter().map(|card| (card.name.clone(), card.name.clone())).collect();
    let chosen = fields.given("model").unwrap_or(&first.name);
    let (_, more) =
        usable.iter().find(|card| card.name == chosen).map_or(("step", "steps"), |card| steps(&card.frequency));
    let body = html! {
        @match answer {
            Some(Ok(answer)) => (result(answer)),
            Some(Err(fault)) => (refusal(fault)),
            None => {},
        }
        form.decide method="post" action="/decisions" {
            (csrf(visitor))
            section.card aria-labelledby="rules" {
                h2 #rules { "How you order" }
                (select("model", "Model", chosen, &options, ""))
                (policy_fields(fields, more))
            }
            section.card aria-labelledby="what" {
                h2 #what { "What is in stock" }
                div.field {
                    label for="stock" { "Stock of each item" }
                    textarea id="stock" name="stock" rows="10" required spellcheck="false" aria-describedby="stock-hint" { (fields.text("stock")) }
                    p.hint id="stock-hint" {
                        "A line for each item: its name, what is in stock and, if you like, what is on the way. Paste it from a spreadsheet, or type it as in "
                        code { "Store=1, Dept=1, 120, 40" } "."
                    }
                }
                div.buttons {
                    button.main type="submit" { "Decide" }
                    @if matches!(answer, Some(Ok(_))) { button type="submit" name="download" value="csv" { "Download the orders (CSV)" } }
                }
            }
        }
    };
    sheet.show(visitor, &body)
}

fn result(answer: &DecideAnswer) -> Markup {
    html! {
        section.card.result aria-labelledby="result" tabindex="-1" data-focus {
            h2 #result { "What to order" }
            p.figure.words { (answer.sentence) }
            @if let Some(caveat) = &answer.caveat { div.note role="note" { p { (caveat) } } }
            @if !answer.undecided.is_empty() {
                h3 { (count(answer.undecided.len(), "item", "items")) " without an order" }
                (table("Items without an order", &answer.undecided))
            }
            @if answer.html.is_empty() { (table("Orders", &answer.orders)) } @else { div.engine { (PreEscaped(&answer.html)) } }
        }
    }
}

/// Rows as a table: numbers of a column share their decimals.
fn table(title: &str, rows: &[Map<String, Value>]) -> Markup {
    let Some(first) = rows.first() else { return html! {} };
    let names: Vec<&String> = first.keys().collect();
    let columns: Vec<(bool, usize)> = names
        .iter()
        .map(|name| {
            let numbers = || rows.iter().filter_map(|row| row.get(*name)?.as_f64());
            let is_number =
                rows.iter().all(|row| row.get(*name).is_none_or(|value| value.is_number() || value.is_null()));
            (is_number, shared_decimals(numbers()))
        })
        .collect();
    let cell = |name: &str, value: Option<&Value>, decimals: usize| match value {
        Some(Value::String(text)) if name == "reason" => sentence(text),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Bool(is)) => if *is { "yes" } else { "no" }.into(),
        Some(value) => match value.as_f64() {
            Some(share) if name == "p_out" => format!("{} %", number((share * 1000.0).round() / 10.0)),
            Some(value) => fixed(value, decimals),
            None => MISSING.into(),
        },
        None => MISSING.into(),
    };
    html! {
        div.scroll tabindex="0" role="group" aria-label=(title) {
            table {
                thead { tr { @for (name, (is_number, _)) in names.iter().zip(&columns) {
                    th scope="col" .n[*is_number] { (COLUMNS.iter().find(|(known, _)| known == name).map_or_else(|| capitalised(&name.replace('_', " ")), |(_, words)| (*words).into())) }
                } } }
                tbody { @for row in rows {
                    tr { @for (at, (name, (is_number, decimals))) in names.iter().zip(&columns).enumerate() {
                        @let text = cell(name, row.get(*name), *decimals);
                        @if at == 0 { th scope="row" dir="auto" { (text) } }
                        @else { td .n[*is_number] .long[!*is_number] dir="auto" { (text) } }
                    } }
                } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVIL: &str = r#"<b>"'&"#;

    fn item(series: &str, on_hand: f64, on_order: f64) -> (String, f64, f64) {
        (series.into(), on_hand, on_order)
    }

    fn read(text: &str) -> Vec<(String, f64, f64)> {
        stock(text).unwrap().into_iter().map(|item| (item.series, item.on_hand, item.on_order)).collect()
    }

    #[test]
    fn stock_is_read_as_it_is_pasted() {
        assert_eq!(
            read("Store=1, Dept=1, 120, 40\nStore=1, Dept=2, 7"),
            [item("Store=1, Dept=1", 120.0, 40.0), item("Store=1, Dept=2", 7.0, 0.0)]
        );
        assert_eq!(read("series\ton_hand\ton_order\nA b\t1,5\t2\n\n"), [item("A b", 1.5, 2.0)]);
        assert_eq!(read("series;on_hand\nA;1,5"), [item("A", 1.5, 0.0)]);
        assert_eq!(read("\"Store=1, Say \"\"x\"\"\",3,4"), [item("Store=1, Say \"x\"", 3.0, 4.0)]);
        assert_eq!(read("4711,10"), [item("4711", 10.0, 0.0)]);
        assert!(stock("series,on_hand\nA,x").unwrap_err().detail.contains("line 2"));
        assert!(stock(" \n").is_err() && stock("a,b").is_err());
    }

    #[test]
    fn orders_are_escaped_and_readable() {
        let row = serde_json::json!({"series": EVIL, "order": 1200.0, "mean": 1_234.123_456_789_012, "p_out": 0.047_619_04, "reason": EVIL});
        let row = row.as_object().cloned().unwrap();
        let answer = DecideAnswer {
            sentence: EVIL.into(),
            orders: vec![row.clone()],
            undecided: vec![row],
            caveat: Some(EVIL.into()),
            ..DecideAnswer::default()
        };
        let visitor = Visitor { name: "a".into(), may_plan: true, ..Visitor::default() };
        let models = [ModelCard { name: EVIL.into(), frequency: "weekly".into(), ..ModelCard::default() }];
        let fields = Fields(vec![("stock".into(), format!("</textarea>{EVIL}"))]);
        let page = page(&visitor, &models, &fields, Some(&Ok(answer))).into_string();
        assert!(!page.contains("<b>") && page.matches("</textarea>").count() == 1, "{page}");
        assert!(page.contains("1,200") && page.contains("4.8 %") && page.contains(">1,234<"), "{page}");
    }
}
