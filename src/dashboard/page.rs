//! How do the numbers of a page become one HTML file? The shell and the few numbers of the first view stand first, so that a
//! browser paints them before it has unpacked the rest; the compressed matrices and the library of charts follow.
//!
//! Nothing in the file can make a request: its Content-Security-Policy allows styles, embedded fonts and pictures, and scripts
//! that bear the page's nonce. The nonce is a checksum of all that the page holds: a text in the data cannot know it, and equal
//! data give equal bytes.

use serde_json::{Value, json};

use super::data::{Data, UNIT, deviate};
use super::pack::{self, Block, Decimals};
use crate::show::base64::base64;
use crate::show::wording::said;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
/// The script, in the order in which it runs; its names are its own.
const SCRIPT: &str = concat!(
    "(() => {\n'use strict';\n",
    include_str!("page/head.js"),
    include_str!("page/numbers.js"),
    include_str!("page/unpack.js"),
    include_str!("page/state.js"),
    include_str!("page/selection.js"),
    include_str!("page/draw.js"),
    include_str!("page/history.js"),
    include_str!("page/figures.js"),
    include_str!("page/ranking.js"),
    include_str!("page/periods.js"),
    include_str!("page/errors.js"),
    include_str!("page/orders.js"),
    include_str!("page/list.js"),
    include_str!("page/changes.js"),
    include_str!("page/controls.js"),
    include_str!("page/download.js"),
    include_str!("page/keyboard.js"),
    include_str!("page/start.js"),
    "})();\n"
);
/// Plotly's cartesian bundle, compressed; see `vendor/README.md`.
const PLOTLY: &[u8] = include_bytes!("vendor/plotly-cartesian.min.js.gz");

/// Significant digits of forecasts, errors, and intervals of totals.
const DIGITS: i32 = 4;
/// Significant digits of sales that are not exact.
const SALES_DIGITS: i32 = 6;
/// Compressed bytes of all numbers of a page: with the library, base64 and the shell that stays below 15 MB.
const ROOM: usize = 10_300_000;
/// Sales get at least this much of it.
const LEAST_ROOM: usize = 2_000_000;

/// The page, with the rules that embed its font; its texts pass through the wording that is at work.
pub(super) fn html(data: &Data, font: &str) -> String {
    let mut blocks: Vec<(String, Block)> = Vec::new();
    let keys: Vec<Value> = data.keys.iter().map(|key| json!(key.levels)).collect();
    blocks.push(("keys".into(), pack::text(&json!(keys))));
    let codes: Vec<Option<i64>> =
        data.keys.iter().flat_map(|key| key.codes.iter().map(|code| Some(i64::from(*code)))).collect();
    blocks.push(("codes".into(), whole(codes, data.series)));
    let horizon = data.horizon();
    let mut means = Vec::new();
    for (m, model) in data.models.iter().enumerate() {
        let mean = Decimals::rounded(&model.mean, horizon, DIGITS);
        blocks.push((format!("mean{m}"), mean.pack(true)));
        let ends = model.bounds.iter().flatten();
        let offsets =
            ends.flat_map(|end| Decimals::at(end, horizon, mean.exponents.clone()).less(&mean).cells).collect();
        if !data.levels.is_empty() {
            blocks.push((format!("bounds{m}"), whole(offsets, horizon)));
        }
        means.push(sums(&mean, horizon));
    }
    let mut paths = 0;
    if let Some(joint) = &data.joint {
        let bounds: Vec<f64> = joint.iter().flat_map(|one| one.bounds.iter().copied()).collect();
        let whole: Vec<f64> = joint.iter().flat_map(|one| one.sums.iter().copied()).collect();
        blocks.push(("groups".into(), Decimals::rounded(&bounds, horizon, DIGITS + 1).pack(true)));
        blocks.push(("sums".into(), Decimals::rounded(&whole, 1, DIGITS + 1).pack(true)));
        paths = joint.first().map_or(0, |one| one.stored);
        for (m, one) in joint.iter().enumerate().filter(|_| paths > 0) {
            blocks.push((format!("paths{m}"), one.codes.pack(false)));
        }
    }
    if let Some(errors) = &data.errors {
        let folds = errors.folds.len();
        let rounded = |values: &[f64]| Decimals::rounded(values, folds, DIGITS).pack(true);
        blocks.push(("actual".into(), rounded(&errors.actual)));
        for (m, [absolute, signed]) in errors.models.iter().enumerate() {
            blocks.push((format!("absolute{m}"), rounded(absolute)));
            blocks.push((format!("signed{m}"), rounded(signed)));
        }
    }
    if let Some(orders) = &data.orders {
        let number = |values: &[f64]| values.iter().map(|value| json!(value)).collect::<Vec<_>>();
        blocks.push((
            "orders".into(),
            pack::text(&json!({
                "series": orders.series, "items": orders.items, "order": number(&orders.order),
                "position": number(&orders.position), "level": number(&orders.level), "mean": number(&orders.mean),
                "risk": number(&orders.risk), "reason": orders.reason.iter().map(|reason| said(reason)).collect::<Vec<_>>(),
            })),
        ));
    }
    let used: usize = blocks.iter().map(|(_, block)| block.bytes.len()).sum();
    let budget = ROOM.saturating_sub(used).max(LEAST_ROOM);
    let (sales, packed, digits) = pack::exact_or_rounded(&data.sales, data.history, SALES_DIGITS, budget);
    let total = sums(&sales, data.history);
    blocks.push(("sales".into(), packed));

    let heads: serde_json::Map<String, Value> =
        blocks.iter().map(|(name, block)| (name.clone(), block.head.clone())).collect();
    let head = json!({
        "title": data.title, "target": data.target, "currency": data.currency, "unit": data.unit,
        "locale": data.wording.locale(), "readers": { "target": data.wording.name_of(&data.target),
            "keys": data.keys.iter().map(|key| data.wording.name_of(&key.name)).collect::<Vec<_>>() },
        "noun": data.noun, "season": data.season.max(1), "before": data.before,
        "steps": data.steps, "dated": data.dated, "history": data.history, "ahead": data.ahead, "series": data.series,
        "keys": data.keys.iter().map(|key| &key.name).collect::<Vec<_>>(), "identifying": data.identifying,
        "sizes": data.keys.iter().map(|key| key.levels.len()).collect::<Vec<_>>(),
        "models": data.models.iter().map(|model| &model.name).collect::<Vec<_>>(), "main": data.main,
        "levels": data.levels, "grouped": if data.joint.is_some() { data.grouped() } else { Vec::new() },
        "joint": data.joint.is_some(),
        "paths": { "count": paths, "unit": UNIT, "deviate": data.levels.first().map(|level| deviate((1.0 + level) / 2.0)) },
        "folds": data.errors.as_ref().map(|errors| &errors.folds), "orders": data.orders.as_ref().map(|orders| said(&orders.sentence)),
        "digits": digits, "notes": data.notes.iter().map(|note| said(note)).collect::<Vec<_>>(),
        "total": { "sales": total, "means": means }, "blocks": heads,
    });
    let head = in_script(&head.to_string());
    let mut sum = blake3::Hasher::new();
    sum.update(head.as_bytes());
    blocks.iter().for_each(|(_, block)| {
        sum.update(&block.bytes);
    });
    let nonce = sum.finalize().to_hex()[..32].to_string();
    let mut parts = String::new();
    for (name, block) in &blocks {
        parts.push_str(&script(&format!("data-{name}"), &nonce, &base64(&block.bytes)));
    }
    parts.push_str(&script("data-plotly", &nonce, &base64(PLOTLY)));
    filled(PAGE, &|name| match name {
        "title" => escaped(&data.title),
        "subtitle" => escaped(&said(&data.subtitle)),
        "nonce" => nonce.clone(),
        "font" => font.to_string(),
        "style" => STYLE.to_string(),
        "head" => head.clone(),
        "script" => SCRIPT.to_string(),
        "data" => parts.clone(),
        _ => String::new(),
    })
}

/// Integers without a scale.
fn whole(cells: Vec<Option<i64>>, columns: usize) -> Block {
    Decimals { cells, exponents: vec![0], columns }.pack(false)
}

/// The sums over all rows of what is there, as the page shows them; none where nothing is.
fn sums(decimals: &Decimals, columns: usize) -> Vec<Option<f64>> {
    let mut sums = vec![None; columns];
    for cell in 0..decimals.cells.len() {
        let value = decimals.value(cell);
        if !value.is_nan() {
            *sums[cell % columns.max(1)].get_or_insert(0.0) += value;
        }
    }
    sums
}

/// A block of data: scripts of a type that browsers do not run.
fn script(id: &str, nonce: &str, text: &str) -> String {
    format!("<script type=\"text/plain\" nonce=\"{nonce}\" id=\"{id}\">{text}</script>\n")
}

/// A template with its places filled in one pass: what is put in is not looked at again.
fn filled(template: &str, value: &dyn Fn(&str) -> String) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((name, after)) = after.split_once("}}") else { break };
        out.push_str(before);
        out.push_str(&value(name));
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Text between tags or in an attribute.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            letter if letter.is_control() => out.push(' '),
            letter => out.push(letter),
        }
    }
    out
}

/// JSON inside a script element: `<` ends it, begins a comment in it, or neither; as an escape it does neither.
fn in_script(json: &str) -> String {
    json.replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}
