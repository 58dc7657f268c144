//! One series, its forecast, and what to order of it, while the coming steps are changed.

use std::collections::{BTreeMap, BTreeSet};

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use maud::{Markup, PreEscaped, html};

use super::fields::{Fields, Input, refusal, select};
use super::layout::{Sheet, Visitor};
use super::overview::query;
use super::policy::{policy, policy_fields};
use super::words::{MISSING, capitalised, count, field, fixed, number, sentence, shared_decimals, steps};
use crate::access::Person;
use crate::app::App;
use crate::engine::{
    Answer, CovariatePath, Engine, ExploreRequest, Explored, ForecastRequest, ForecastStep, ModelCard, Row, SeriesPage,
};
use crate::fault::{Fault, Kind};

/// Steps that a form may ask for: a table of inputs has to fit on a page.
const LONGEST: usize = 104;
/// Series that are offered where a name is not quite one.
const OFFERED: usize = 20;
/// The ranges that can be chosen, in percent.
const RANGES: [&str; 5] = ["50", "80", "90", "95", "99"];

pub(super) fn router() -> Router<App> {
    Router::new().route("/explore", get(look)).route("/explore/figure", get(figure))
}

async fn look(State(app): State<App>, person: Person, fields: Fields) -> Result<Markup, Fault> {
    let view = app.ask(move |engine| view(engine, fields)).await?;
    Ok(page(&Visitor::of(&app, Some(&person)), view.as_ref()))
}

/// The parts of the page that follow the form.
async fn figure(State(app): State<App>, _person: Person, fields: Fields) -> Result<Markup, Fault> {
    match app.ask(move |engine| view(engine, fields)).await? {
        Some(view) => Ok(html! { (of_model(&view)) (outcome(&view)) (stock(&view)) (coming(&view)) }),
        None => Err(Fault::new(Kind::UnknownModel, "no model is served")),
    }
}

/// What is shown.
struct View {
    cards: Vec<ModelCard>,
    card: ModelCard,
    fields: Fields,
    series: String,
    horizon: usize,
    /// In percent.
    range: String,
    is_stocked: bool,
    shown: Shown,
}

enum Shown {
    Figure(Box<Explored>),
    /// No series has quite this name.
    Offer(SeriesPage),
    Refusal(Fault),
}

/// What a form asks for; none where there is no model.
fn view(engine: &dyn Engine, fields: Fields) -> Answer<Option<View>> {
    let cards = engine.models();
    let card = match fields.given("model") {
        Some(name) => cards
            .iter()
            .find(|card| card.name == name)
            .ok_or_else(|| Fault::new(Kind::UnknownModel, format!("no model is called “{name}”")))?,
        None => match cards.iter().find(|card| card.problem.is_none()) {
            Some(card) => card,
            None => return Ok(None),
        },
    }
    .clone();
    // What was chosen for another model need not be there.
    let is_other = fields.has("of_model") && fields.text("of_model") != card.name;
    let asked = fields.given("series").filter(|_| !is_other).map(String::from);
    let range = fields.given("range").filter(|range| RANGES.contains(range)).unwrap_or("80").to_string();
    let horizon = match is_other {
        true => Ok(None),
        false => fields.whole("horizon", "Look ahead", 1, LONGEST),
    };
    let is_stocked = fields.given("on_hand").is_some();
    let mut view = View {
        horizon: card.horizon.clamp(1, LONGEST),
        series: asked.clone().unwrap_or_default(),
        shown: Shown::Offer(SeriesPage::default()),
        cards,
        card,
        fields,
        range,
        is_stocked,
    };
    view.shown = match (&view.card.problem, horizon) {
        (Some(problem), _) => Shown::Refusal(Fault::new(Kind::DamagedModel, problem.clone())),
        (None, Err(fault)) => Shown::Refusal(fault),
        (None, Ok(horizon)) => {
            view.horizon = horizon.unwrap_or(view.horizon);
            explored(engine, &mut view, asked.is_some())?
        }
    };
    Ok(Some(view))
}

/// What the engine says of it; a name that only one series contains is that of the series.
fn explored(engine: &dyn Engine, view: &mut View, is_named: bool) -> Answer<Shown> {
    if !is_named {
        let first = engine.series(&view.card.name, "", 0, 1)?;
        let Some(first) = first.series.into_iter().next() else { return Ok(Shown::Offer(SeriesPage::default())) };
        view.series = first;
    }
    for is_again in [false, true] {
        let request = match request(view) {
            Ok(request) => request,
            Err(fault) => return Ok(Shown::Refusal(fault)),
        };
        match engine.explore(&request) {
            Ok(explored) => return Ok(Shown::Figure(Box::new(explored))),
            Err(fault) if fault.kind == Kind::UnknownSeries && !is_again => {
                let mut found = engine.series(&view.card.name, &view.series, 0, OFFERED)?;
                match found.series.pop() {
                    Some(only) if found.series.is_empty() => view.series = only,
                    Some(last) => {
                        found.series.push(last);
                        return Ok(Shown::Offer(found));
                    }
                    None => return Ok(Shown::Offer(found)),
                }
            }
            Err(fault) if fault.kind.status() < 500 => return Ok(Shown::Refusal(fault)),
            Err(fault) => return Err(fault),
        }
    }
    Ok(Shown::Offer(SeriesPage::default()))
}

/// What the form asks of the engine.
fn request(view: &View) -> Answer<ExploreRequest> {
    let fields = &view.fields;
    let method = fields.given("method").filter(|method| view.card.methods.iter().any(|known| known == method));
    let level: f64 = view.range.parse::<f64>().unwrap_or(80.0) / 100.0;
    let on_hand = fields.number("on_hand", "In stock now")?;
    Ok(ExploreRequest {
        forecast: ForecastRequest {
            model: Some(view.card.name.clone()),
            method: method.map(String::from),
            series: vec![view.series.clone()],
            horizon: Some(view.horizon),
            levels: Some(vec![level]),
            future: changes(view)?,
            ..ForecastRequest::default()
        },
        policy: if on_hand.is_some() { policy(fields)? } else { serde_json::Map::new() },
        on_hand,
        on_order: fields.number("on_order", "On the way")?,
    })
}

/// The values of the coming steps that the form holds, if they are of this series.
fn changes(view: &View) -> Answer<Vec<Row>> {
    let fields = &view.fields;
    if fields.text("of_model") != view.card.name || fields.text("of_series") != view.series {
        return Ok(Vec::new());
    }
    let flags: BTreeSet<&str> = fields.all("flag").collect();
    let mut rows = Vec::new();
    for step in 0..view.horizon {
        let Some(date) = fields.given(&format!("d{step}")) else { continue };
        let mut values = BTreeMap::new();
        // A box that is not ticked is not sent.
        values.extend(flags.iter().map(|flag| ((*flag).to_string(), 0.0)));
        let start = format!("v{step}.");
        for (name, text) in &fields.0 {
            let Some(name) = name.strip_prefix(&start).filter(|_| !text.trim().is_empty()) else { continue };
            let value = super::fields::parse(text).ok_or_else(|| {
                Fault::new(Kind::Invalid, format!("{name} on {date}: “{}” is not a number", text.trim()))
            })?;
            values.insert(name.to_string(), value);
        }
        rows.push(Row { series: None, date: date.into(), values });
    }
    rows.retain(|row| !row.values.is_empty());
    Ok(rows)
}

fn page(visitor: &Visitor, view: Option<&View>) -> Markup {
    let sheet = Sheet {
        title: "Explore",
        place: "/explore",
        lead: "Change what is planned, and see what it does to the forecast and to the order.",
        is_wide: true,
        ..Sheet::default()
    };
    let Some(view) = view else {
        let body = html! {
            div.empty {
                p { strong { "There is no model to explore yet." } }
                p { @if visitor.may_plan { a href="/upload" { "Upload a file" } " to forecast from it, or see " } @else { "See " }
                    a href="/" { "how a model is served" } "." }
            }
        };
        return sheet.show(visitor, &body);
    };
    let models: Vec<(String, String)> = view
        .cards
        .iter()
        .filter(|card| card.problem.is_none())
        .map(|card| (card.name.clone(), card.name.clone()))
        .collect();
    let body = html! {
        form.explore method="get" action="/explore" data-live="/explore/figure" {
            section.card.pick aria-labelledby="pick" {
                h2 #pick { "What to look at" }
                (select("model", "Model", &view.card.name, &models, ""))
                (of_model(view))
                div.buttons { button.main type="submit" { "Show" } }
            }
            (outcome(view))
            (stock(view))
            (coming(view))
        }
        p.hidden #said role="status" aria-live="polite" {}
    };
    sheet.show(visitor, &body)
}

/// The box in which a series is looked for; a script offers names while one types.
fn series_box(view: &View) -> Markup {
    html! {
        div.field.search data-suggest=(format!("/v1/models/{}/series", segment(&view.card.name))) {
            label for="series" { "Series" }
            input id="series" name="series" type="search" value=(view.series) autocomplete="off" spellcheck="false" aria-describedby="series-hint";
            p.hint id="series-hint" { "Type a part of its name. There are " (count(view.card.series, "series", "series")) "." }
        }
    }
}

/// A segment of a path.
fn segment(text: &str) -> String {
    query("", text).split_off(1)
}

/// What depends on the model: its series, methods and horizon.
fn of_model(view: &View) -> Markup {
    let (_, more) = steps(&view.card.frequency);
    let methods: Vec<(String, String)> =
        view.card.methods.iter().map(|method| (method.clone(), method.clone())).collect();
    let ranges: Vec<(String, String)> =
        RANGES.iter().map(|range| ((*range).into(), format!("{range} % of cases"))).collect();
    let (horizon, longest) = (view.horizon.to_string(), LONGEST.to_string());
    html! {
        div #of-model data-part data-shape=(view.card.name) {
            input type="hidden" name="of_model" value=(view.card.name);
            (series_box(view))
            (select("method", "Method", view.fields.text("method"), &methods, ""))
            div.pair {
                (Input { name: "horizon", label: "Look ahead", kind: "number", value: &horizon, least: Some("1"), most: Some(&longest),
                    unit: more, is_required: true, ..Input::default() }.show())
                (select("range", "Range that holds", &view.range, &ranges, ""))
            }
        }
    }
}

/// What is in stock and how it is replenished.
fn stock(view: &View) -> Markup {
    let (_, more) = steps(&view.card.frequency);
    let number = |name: &'static str, label: &'static str| Input {
        name,
        label,
        kind: "number",
        value: view.fields.text(name),
        ..Input::default()
    };
    html! {
        section.card.stock #stock data-part data-shape=(more) aria-labelledby="stock-title" {
            h2 #stock-title { "Stock" }
            div.pair {
                (number("on_hand", "In stock now").show())
                (Input { least: Some("0"), ..number("on_order", "On the way") }.show())
            }
            (policy_fields(&view.fields, more))
            div.buttons { button type="submit" { "Update" } }
        }
    }
}

/// The figure, the order and the numbers.
fn outcome(view: &View) -> Markup {
    html! {
        section.card.outcome #outcome data-part data-say=(said(view)) aria-labelledby="outcome-title" {
            @match &view.shown {
                Shown::Figure(explored) => (figure_part(view, explored)),
                Shown::Offer(found) => (offer(view, found)),
                Shown::Refusal(fault) => {
                    h2 #outcome-title { "No forecast" }
                    (refusal(fault))
                    @if view.fields.has("of_model") { p { a href=(format!("/explore?{}", query("model", &view.card.name))) { "Begin again" } } }
                },
            }
        }
    }
}

fn figure_part(view: &View, explored: &Explored) -> Markup {
    let changed = has_changes(view);
    let again = format!("/explore?{}&{}", query("model", &view.card.name), query("series", &view.series));
    html! {
        header {
            h2 #outcome-title dir="auto" { (view.series) }
            @if changed { a href=(again) { "Back to the usual values" } }
        }
        @if let Some(caveat) = &explored.answer.caveat { div.note role="note" { p { (caveat) } } }
        @match (&explored.order, explored.quantity) {
            (Some(order), quantity) => div.order {
                @if let Some(quantity) = quantity { h3 { "To order now" } p.figure { (number(quantity)) } }
                p { (order) }
            },
            (None, _) if view.is_stocked => p.hint { "The engine gives no order for this series." },
            (None, _) => p.hint { "Enter what is " a href="#on_hand" { "in stock" } " to see what to order." },
        }
        figure tabindex="0" role="group" aria-label="Figure of history and forecast" { (PreEscaped(&explored.svg)) }
        details.numbers {
            summary { "The numbers" }
            (numbers(explored))
        }
    }
}

/// Does the form hold values of the coming steps?
fn has_changes(view: &View) -> bool {
    view.fields.has("d0")
        && view.fields.text("of_series") == view.series
        && view.fields.text("of_model") == view.card.name
}

/// Series whose names contain what was typed.
fn offer(view: &View, found: &SeriesPage) -> Markup {
    let link = |series: &str| format!("/explore?{}&{}", query("model", &view.card.name), query("series", series));
    html! {
        @if found.series.is_empty() {
            h2 #outcome-title { "No such series" }
            p { "No series of " (view.card.name) " contains “" (view.series) "”. Try a shorter part of its name." }
        } @else {
            h2 #outcome-title { (count(found.total, "series contains", "series contain")) " “" (view.series) "”" }
            ul.offer { @for series in &found.series { li { a href=(link(series)) dir="auto" { (series) } } } }
            @if found.total > found.series.len() { p.hint { "These are the first " (found.series.len()) ". Type more of the name." } }
        }
    }
}

/// The forecast as a table.
fn numbers(explored: &Explored) -> Markup {
    let Some(of) = explored.answer.forecasts.first() else { return html! {} };
    let bounds: Vec<(f64, f64)> = of.steps.iter().map(bounds).collect();
    let decimals = shared_decimals(
        of.steps.iter().map(|step| step.mean).chain(bounds.iter().flat_map(|(low, high)| [*low, *high])),
    );
    let digits = |value: f64| if value.is_finite() { fixed(value, decimals) } else { MISSING.into() };
    html! {
        div.scroll tabindex="0" role="group" aria-label="Forecast by date" {
            table {
                thead { tr { th scope="col" { "Date" } th.n scope="col" { "Expected" } th.n scope="col" { "Range from" } th.n scope="col" { "to" } } }
                tbody { @for (step, (low, high)) in of.steps.iter().zip(&bounds) {
                    tr { th scope="row" { (step.date) } td.n { (digits(step.mean)) } td.n { (digits(*low)) } td.n { (digits(*high)) } }
                } }
            }
        }
        p.hint { "Method: " (explored.answer.method) }
    }
}

/// The outermost quantiles of a step.
fn bounds(step: &ForecastStep) -> (f64, f64) {
    let place = |name: &str| name.strip_prefix('q').and_then(|text| text.parse::<f64>().ok());
    let mut sorted: Vec<(f64, f64)> =
        step.quantiles.iter().filter_map(|(name, value)| Some((place(name)?, *value))).collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    (sorted.first().map_or(f64::NAN, |first| first.1), sorted.last().map_or(f64::NAN, |last| last.1))
}

/// What a screen reader hears once the figure has changed.
fn said(view: &View) -> String {
    match &view.shown {
        Shown::Figure(explored) => {
            let steps: &[ForecastStep] = explored.answer.forecasts.first().map_or(&[], |of| &of.steps);
            let mean = steps.iter().map(|step| step.mean).sum::<f64>() / steps.len().max(1) as f64;
            let (one, more) = self::steps(&view.card.frequency);
            let order = explored.order.as_deref().unwrap_or_default();
            format!("{}: {} on average over {}. {order}", view.series, number(mean), count(steps.len(), one, more))
        }
        Shown::Offer(found) => count(found.total, "series found", "series found"),
        Shown::Refusal(fault) => sentence(&fault.detail),
    }
}

/// The coming steps, to be changed.
fn coming(view: &View) -> Markup {
    let shape = format!("{}\n{}\n{}", view.card.name, view.series, view.horizon);
    let explored = match &view.shown {
        Shown::Figure(explored) => Some(explored),
        Shown::Offer(_) | Shown::Refusal(_) => None,
    };
    html! {
        section.card.coming #coming data-part data-shape=[explored.is_some().then_some(shape)] data-keep[explored.is_none()] aria-labelledby="coming-title" {
            @if let Some(explored) = explored {
                (coming_table(view, explored))
                input type="hidden" name="of_series" value=(view.series);
            }
        }
    }
}

fn coming_table(view: &View, explored: &Explored) -> Markup {
    let (one, more) = steps(&view.card.frequency);
    let steps: &[ForecastStep] = explored.answer.forecasts.first().map_or(&[], |of| &of.steps);
    html! {
        h2 #coming-title { "The coming " (more) }
        @if explored.covariates.is_empty() {
            p.hint { "This model takes no account of promotions, prices or weather, so there is nothing to change." }
        } @else {
            p.hint { "What is planned or expected. Change a value and the forecast follows." }
            @for covariate in explored.covariates.iter().filter(|covariate| covariate.is_flag) { input type="hidden" name="flag" value=(covariate.name); }
            div.scroll tabindex="0" role="group" aria-label="Values of the coming steps" {
                table.inputs {
                    thead { tr {
                        th scope="col" { (capitalised(one)) }
                        @for covariate in &explored.covariates {
                            th scope="col" {
                                span dir="auto" { (covariate.name.replace('_', " ")) }
                                @if !covariate.is_known { span.unit { " (assumed)" } }
                                button.fill type="button" data-fill=(covariate.name) hidden { "Copy first down" span.hidden { ": " (covariate.name) } }
                            }
                        }
                    } }
                    tbody { @for (at, step) in steps.iter().enumerate() {
                        tr {
                            th scope="row" { (step.date) input type="hidden" name=(format!("d{at}")) value=(step.date); }
                            @for covariate in &explored.covariates { td { (cell(covariate, at, &step.date)) } }
                        }
                    } }
                }
            }
            div.buttons { button type="submit" { "Update" } }
        }
    }
}

/// A value that can be changed.
fn cell(covariate: &CovariatePath, at: usize, date: &str) -> Markup {
    let value = covariate.values.get(at).copied().flatten();
    let name = format!("v{at}.{}", covariate.name);
    let label = format!("{}, {date}", covariate.name.replace('_', " "));
    html! {
        @if covariate.is_flag {
            label.tick { input type="checkbox" name=(name) value="1" checked[value.is_some_and(|value| value != 0.0)] aria-label=(label) data-of=(covariate.name); }
        } @else {
            input type="number" step="any" name=(name) value=(value.map(field).unwrap_or_default()) aria-label=(label) data-of=(covariate.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{ForecastAnswer, SeriesForecast};

    const EVIL: &str = r#"<b>"'&"#;

    fn shown() -> View {
        let step = |date: &str| ForecastStep {
            date: date.into(),
            mean: 18_003.123_456_789_012,
            quantiles: BTreeMap::from([("q0.9".into(), 20_000.0), ("q0.1".into(), 16_000.5)]),
        };
        let explored = Explored {
            answer: ForecastAnswer {
                method: EVIL.into(),
                forecasts: vec![SeriesForecast {
                    series: EVIL.into(),
                    steps: vec![step("2012-11-02"), step("2012-11-09")],
                }],
                caveat: Some(EVIL.into()),
                ..ForecastAnswer::default()
            },
            covariates: vec![
                CovariatePath { name: EVIL.into(), is_known: true, is_flag: true, values: vec![Some(1.0), Some(0.0)] },
                CovariatePath {
                    name: "Price".into(),
                    is_known: true,
                    is_flag: false,
                    values: vec![Some(9.990_000_000_001), None],
                },
            ],
            svg: "<svg></svg>".into(),
            order: Some(EVIL.into()),
            quantity: Some(1_200.0),
            ..Explored::default()
        };
        let card = ModelCard {
            name: EVIL.into(),
            methods: vec![EVIL.into()],
            frequency: "weekly (Fridays)".into(),
            ..ModelCard::default()
        };
        View {
            cards: vec![card.clone()],
            card,
            fields: Fields(vec![("on_hand".into(), EVIL.into())]),
            series: EVIL.into(),
            horizon: 2,
            range: "80".into(),
            is_stocked: true,
            shown: Shown::Figure(Box::new(explored)),
        }
    }

    #[test]
    fn everything_is_escaped_and_readable() {
        let page = page(&Visitor::default(), Some(&shown())).into_string();
        assert!(!page.contains("<b>"), "{page}");
        assert!(page.contains("18,003") && !page.contains("18003.123"), "{page}");
        assert!(page.contains(">1,200<") && page.contains("value=\"9.99\"") && page.contains("The coming weeks"));
        assert!(!page.contains(" style="));
    }

    #[test]
    fn names_that_are_not_found_are_offered() {
        let found = SeriesPage { total: 31, series: vec![EVIL.into(), "b".into()] };
        let page = page(&Visitor::default(), Some(&View { shown: Shown::Offer(found), ..shown() })).into_string();
        assert!(
            !page.contains("<b>") && page.contains("31 series contain") && page.contains("series=%3Cb%3E"),
            "{page}"
        );
    }

    #[test]
    fn changes_are_read_if_they_are_of_this_series() {
        let view = |of: &str| View {
            fields: Fields(
                [
                    ("of_model", EVIL),
                    ("of_series", of),
                    ("flag", "Promo"),
                    ("d0", "2012-11-02"),
                    ("d1", "2012-11-09"),
                    ("d2", "2012-11-16"),
                    ("v0.Price", "8,5"),
                    ("v1.Promo", "1"),
                    ("v2.Price", "1"),
                ]
                .map(|(name, value)| (name.to_string(), value.to_string()))
                .to_vec(),
            ),
            ..shown()
        };
        assert!(changes(&view("other")).unwrap().is_empty());
        let rows = changes(&view(EVIL)).unwrap();
        // The third is beyond the horizon.
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0].values, BTreeMap::from([("Price".into(), 8.5), ("Promo".into(), 0.0)]));
        assert_eq!(rows[1].values, BTreeMap::from([("Promo".into(), 1.0)]));
    }
}
