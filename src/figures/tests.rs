//! Every figure, with every kind of awkward data, in both forms.

use super::*;

const AWKWARD: [&[f64]; 8] = [
    &[],
    &[f64::NAN, f64::NAN],
    &[5.0, 5.0, 5.0],
    &[0.0],
    &[1e15, 2e15, f64::NAN, 1.5e15],
    &[1e-9, 3e-9, 2e-9],
    &[f64::MAX, f64::MIN, f64::INFINITY],
    &[-3.0, 4.0, -1.0],
];

const DAY: f64 = 86_400.0;

fn every(values: &[f64], axis: TimeAxis) -> Vec<Figure> {
    let name = |index: usize| format!("name {index} <b>").repeat(5);
    every_named(values, axis, &name)
}

/// Every figure, with these values and names.
fn every_named(values: &[f64], axis: TimeAxis, name: &dyn Fn(usize) -> String) -> Vec<Figure> {
    let mut figures = first(values, axis);
    figures.extend(second(values, axis, name));
    figures
}

fn second(values: &[f64], axis: TimeAxis, name: &dyn Fn(usize) -> String) -> Vec<Figure> {
    let line = |index: usize, from: f64| Line {
        name: name(index),
        x: (0..values.len()).map(|step| (from + step as f64) * 604_800.0).collect(),
        y: values.to_vec(),
    };
    let places = || line(0, 0.0).x.into_iter().zip(values.iter().copied());
    let rows = || values.iter().enumerate().map(|(index, value)| (name(index), *value));
    let matrix = |count: usize, own: bool| Correlations {
        title: name(0),
        value: name(1),
        columns: (0..if values.is_empty() { 0 } else { count }).map(|k| name(if own { k } else { k + 100 })).collect(),
        rows: (0..if values.is_empty() { 0 } else { count })
            .map(|row| (name(row), (0..count).map(|k| values[(row + k) % values.len()]).collect()))
            .collect(),
    };
    let marked = |many: usize| Marked {
        title: name(0),
        value: name(1),
        axis,
        line: line(2, 0.0),
        expected: Some(line(3, 1.0)),
        levels: values.iter().map(|value| (0.0, 604_800.0, *value)).collect(),
        marks: values.repeat(many).iter().enumerate().map(|(k, v)| (k as f64 * 3.0 * DAY, *v, name(k))).collect(),
    };
    let panels = |positions: usize, count: usize| Panels {
        title: name(0),
        value: name(1),
        axis,
        positions: (0..positions).map(name).collect(),
        panels: match values {
            [] => Vec::new(),
            _ => (0..count)
                .map(|panel| match positions {
                    0 => (name(panel), vec![line(1, 0.0); 50], line(2, 0.0)),
                    _ => {
                        let x: Vec<f64> = (0..values.len()).map(|place| place as f64).collect();
                        (name(panel), vec![Line { x: x.clone(), ..line(1, 0.0) }], Line { x, ..line(2, 0.0) })
                    }
                })
                .collect(),
        },
    };
    let glance = |many: usize| Glance {
        title: name(0),
        value: name(1),
        shows: Shows::Bars(
            values.iter().take(many).map(|value| (name(0), *value, crate::show::number(*value))).collect(),
        ),
    };
    let calendar = |weekly: bool, step: f64| CalendarHeat {
        title: name(0),
        value: name(1),
        weekly,
        cells: (0..300 * values.len().min(1))
            .map(|at| (1_265_328_000.0 + at as f64 * step, values[at % values.len()]))
            .collect(),
        marks: (0..9).map(|at| (1_265_328_000.0 + f64::from(at) * step, name(at as usize))).collect(),
    };
    vec![
        Around {
            title: name(0),
            value: name(1),
            foot: name(2),
            effects: values.iter().enumerate().map(|(k, v)| (k as i64 - 2, *v, v - 1.0, v + 1.0)).collect(),
            placebo: values.first().copied(),
        }
        .figure(),
        calendar(false, DAY).figure(),
        calendar(false, 9.0 * DAY).figure(),
        calendar(true, 7.0 * DAY).figure(),
        matrix(3, true).figure(),
        matrix(3, false).figure(),
        matrix(60, true).figure(),
        matrix(60, false).figure(),
        Distribution {
            title: name(0),
            value: name(1),
            groups: match values {
                [] => Vec::new(),
                _ => (0..8).map(|group| (name(group), values.repeat(group * 9))).collect(),
            },
        }
        .figure(),
        marked(1).figure(),
        marked(8).figure(),
        panels(0, 14).figure(),
        panels(0, 1).figure(),
        panels(12, 5).figure(),
        panels(53, 3).figure(),
        Pareto { title: name(0), value: name(1), rows: rows().collect(), thresholds: vec![0.8, 0.95, f64::NAN] }
            .figure(),
        Pareto {
            title: name(0),
            value: name(1),
            rows: (0..60 * values.len()).map(|k| (name(k), values[k % values.len()])).collect(),
            thresholds: vec![0.5, 0.8, 0.81, 2.0],
        }
        .figure(),
        Scatter {
            title: name(0),
            value: name(1),
            foot: name(2),
            groups: (0..9).map(|group| (name(group), places().collect())).collect(),
            curve: places().map(|(x, y)| (x, y, y - 1.0, y + 1.0)).collect(),
        }
        .figure(),
        CriticalDifference {
            title: name(0),
            value: name(1),
            ranks: rows().collect(),
            alike: vec![(0, 2), (1, 4)],
            difference: 1.5,
        }
        .figure(),
        Intervals {
            level: 0.95,
            title: name(0),
            value: name(1),
            rows: rows().map(|(name, value)| (name, value, value - 1.0, value + 1.0)).collect(),
            sides: (name(2), name(3)),
        }
        .figure(),
        Matrix {
            title: name(0),
            value: name(1),
            columns: (0..values.len()).map(name).collect(),
            rows: rows().map(|(name, _)| (name, values.to_vec())).collect(),
            best: 0.0,
        }
        .figure(),
        Bars {
            title: name(0),
            value: name(1),
            rows: rows().collect(),
            best: Some(0),
            reference: Some((name(2), values.first().copied().unwrap_or(f64::NAN))),
        }
        .figure(),
        Lines {
            title: name(0),
            value: name(1),
            axis,
            foot: name(2),
            lines: (0..7).map(|index| line(index, 0.0)).collect(),
            reference: None,
        }
        .figure(),
        Overview {
            title: name(0),
            value: name(1),
            axis,
            lines: (0..7).map(|index| line(index, 0.0)).collect(),
            marks: (0..4).map(|index| (604_800.0 * index as f64, name(index))).collect(),
        }
        .figure(),
        Seasonal {
            title: name(0),
            value: name(1),
            positions: (0..12).map(name).collect(),
            cycles: (0..7).map(|cycle| (name(cycle), values.to_vec())).collect(),
            profile: values.to_vec(),
        }
        .figure(),
        Chart {
            title: name(0),
            value: name(1),
            foot: name(2),
            places: Places::Words((0..values.len()).map(name).collect()),
            shape: Shape::Bars,
            lines: (0..2)
                .map(|index| Line { x: (0..values.len()).map(|x| x as f64).collect(), ..line(index, 0.0) })
                .collect(),
        }
        .figure(),
        Waterfall {
            title: name(0),
            value: name(1),
            start: (name(2), values.first().copied().unwrap_or(f64::NAN)),
            parts: rows().collect(),
            end: name(3),
        }
        .figure(),
        glance(1).figure(),
        glance(2).figure(),
        glance(4).figure(),
        glance(9).figure(),
        OptimisationHistory {
            title: name(0),
            value: name(1),
            trials: values.iter().copied().enumerate().collect(),
            perfect: 0.0,
        }
        .figure(),
    ]
}

fn first(values: &[f64], axis: TimeAxis) -> Vec<Figure> {
    let line = |name: &str, from: f64| Line {
        name: name.into(),
        x: (0..values.len()).map(|step| (from + step as f64) * 604_800.0).collect(),
        y: values.to_vec(),
    };
    let fan = Fan {
        title: "A <b>title</b> & more 🙂 مبيعات".into(),
        value: "Sales".into(),
        axis,
        history: line("", 0.0),
        actual: Some(line("", 10.0)),
        mean: line("", 10.0),
        bands: vec![Band {
            level: 0.8,
            lower: values.to_vec(),
            upper: values.iter().map(|value| value + 1.0).collect(),
        }],
    };
    vec![
        Correlogram {
            title: "Title ".repeat(60),
            value: "Sales".into(),
            acf: values.to_vec(),
            pacf: values.iter().map(|value| -value).collect(),
            band: 0.2,
            season: 2,
        }
        .figure(),
        Decomposed {
            title: "Title ".repeat(60),
            value: "Sales".into(),
            axis,
            x: line("", 0.0).x,
            data: values.to_vec(),
            trend: values.to_vec(),
            seasonal: (0..3).map(|index| (format!("season {index} {}", "long ".repeat(30)), values.to_vec())).collect(),
            remainder: values.to_vec(),
        }
        .figure(),
        Overview {
            title: "Title ".repeat(60),
            value: "Sales".into(),
            axis,
            lines: (0..14).map(|index| line(&format!("series {index}"), 0.0)).collect(),
            marks: (0..9).map(|index| (604_800.0 * index as f64, format!("event {index}"))).collect(),
        }
        .figure(),
        Overview { title: String::new(), value: String::new(), axis, lines: vec![line("", 0.0)], marks: vec![] }
            .figure(),
        Seasonal {
            title: "Seasons".into(),
            value: "Sales".into(),
            positions: (1..53).map(|week| week.to_string()).collect(),
            cycles: vec![("2010".into(), values.to_vec()), ("2011".into(), vec![f64::NAN])],
            profile: values.to_vec(),
        }
        .figure(),
        Fans { title: "Fans".into(), value: "Sales".into(), axis, panels: vec![fan.clone(), fan.clone(), fan.clone()] }
            .figure(),
        fan.figure(),
        Bars {
            title: "Bars".into(),
            value: "MASE".into(),
            rows: values.iter().map(|value| ("a|b".repeat(40), *value)).collect(),
            best: Some(99),
            reference: Some(("naive".into(), f64::NAN)),
        }
        .figure(),
        heat(values, axis, 1),
        heat(values, axis, 45),
        Lines {
            title: "Lines ".repeat(40),
            value: "MASE".into(),
            axis,
            foot: "steps ahead".into(),
            lines: (0..9).map(|index| line(&format!("model {index} <b>").repeat(5), 0.0)).collect(),
            reference: Some(("target".into(), 0.8)),
        }
        .figure(),
        chart(Shape::Lines, Places::Numbers, values),
        chart(Shape::Bars, Places::Dates, values),
        chart(Shape::Dots, Places::Numbers, values),
        chart(
            Shape::Bars,
            Places::Words((0..values.len()).map(|place| format!("<b>word {place}").repeat(9)).collect()),
            values,
        ),
        Matrix {
            title: "Matrix".into(),
            value: "MASE".into(),
            columns: (0..values.len() * 5).map(|index| format!("column <b>{index}</b> ").repeat(4)).collect(),
            rows: (0..45).map(|index| (format!("model {index} ").repeat(9), values.repeat(5))).collect(),
            best: 0.8,
        }
        .figure(),
        Intervals {
            level: 0.95,
            title: "Intervals".into(),
            value: "MASE".into(),
            rows: values.iter().map(|v| ("steps <b>1–2".repeat(9), *v, v - 1.0, v + 1.0)).collect(),
            sides: ("one better".repeat(20), "other <b> better".into()),
        }
        .figure(),
        CriticalDifference {
            title: "Critical".into(),
            value: "mean rank".into(),
            ranks: match values {
                [] => Vec::new(),
                _ => (0..45)
                    .map(|index| (format!("model <b>{index} ").repeat(9), values[index % values.len()]))
                    .collect(),
            },
            alike: vec![(0, 50), (3, 3), (50, 60)],
            difference: values.first().copied().unwrap_or(1.0),
        }
        .figure(),
        Calibration {
            title: "Calibration".into(),
            value: "shares".into(),
            curves: (0..9)
                .map(|index| (format!("model <b>{index}"), values.iter().map(|v| (0.5, *v)).collect()))
                .collect(),
            histogram: Some(("theta".into(), values.to_vec())),
        }
        .figure(),
        Repairs {
            title: "Repairs".into(),
            value: "Sales".into(),
            axis,
            panels: match values {
                [] => Vec::new(),
                _ => vec![
                    Repair {
                        kind: "a kind <b>of</b> change".repeat(9),
                        place: "4 of 1,283 · Store=1".repeat(9),
                        after: line("", 0.0),
                        before: values.iter().map(|value| (604_800.0, *value)).collect(),
                        added: vec![(0.0, f64::NAN), (604_800.0, 3.0)],
                    };
                    7
                ],
            },
        }
        .figure(),
    ]
}

/// As many lines as have a name and two more.
fn chart(shape: Shape, places: Places, values: &[f64]) -> Figure {
    let line = |index: usize| Line {
        name: format!("line {index} <b>").repeat(5),
        x: (0..values.len()).map(|place| place as f64).collect(),
        y: values.to_vec(),
    };
    let lines = (0..8).map(line).collect();
    Chart { title: "Chart".into(), value: "Sales".into(), foot: "a <b> foot".into(), places, shape, lines }.figure()
}

/// As many rows as asked for, every state in them, as many columns as there are values.
fn heat(values: &[f64], axis: TimeAxis, rows: usize) -> Figure {
    let cells: Vec<Cell> = (0..values.len()).map(|at| Cell::ALL[at % 8]).collect();
    Heat {
        title: "Heat".into(),
        value: "one cell is one week".into(),
        axis,
        edges: match values {
            [] => Vec::new(),
            _ => (0..=values.len()).map(|step| step as f64 * 604_800.0).collect(),
        },
        rows: (0..rows).map(|row| (format!("store=<b>{row}</b> & more").repeat(6), cells.clone())).collect(),
        all: (rows > 40).then(|| ("all 3,031 series".repeat(4), vec![[7, 0, 3, 0, 1, 0, 2, 5]; values.len()])),
    }
    .figure()
}

#[test]
fn awkward_data_still_draw() {
    for values in AWKWARD {
        for axis in [TimeAxis::Dates, TimeAxis::Steps] {
            for figure in every(values, axis) {
                let svg = figure.svg().unwrap();
                assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"), "{values:?} {}", figure.title());
                assert!(!svg.contains("NaN") && !svg.contains("<b>") && !svg.contains(" id="), "{values:?} {svg}");
                assert!(figure.data().rows() > 0 || values.is_empty(), "{values:?} {}", figure.title());
                assert!(svg.contains("role=\"img\"") && svg.contains("<title>") && !figure.alt().is_empty());
                assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
            }
        }
    }
}

#[test]
fn empty_data_say_so() {
    for figure in every(&[], TimeAxis::Dates) {
        assert!(figure.svg().unwrap().contains("No data"), "{}", figure.title());
    }
}

#[test]
fn pixels_follow_the_size() {
    let figures = every(&[-3.0, 4.0, -1.0], TimeAxis::Dates);
    for figure in [&figures[2], &figures[5]] {
        let png = figure.png().unwrap();
        let reader = png::Decoder::new(std::io::Cursor::new(&png)).read_info().unwrap();
        assert_eq!(reader.info().width, 1640);
    }
}

#[test]
fn the_same_data_give_the_same_bytes() {
    let draw = || every(&[1.0, 3.0, 2.0], TimeAxis::Dates)[3].svg().unwrap();
    assert_eq!(draw(), draw());
}

#[test]
fn saves_by_extension() {
    let home = tempfile::tempdir().unwrap();
    let figure = &every(&[1.0, 2.0], TimeAxis::Steps)[4];
    figure.save(home.path().join("a/fan.svg")).unwrap();
    figure.save(home.path().join("fan.png")).unwrap();
    assert!(figure.save(home.path().join("fan.gif")).unwrap_err().is_usage());
    assert!(std::fs::read_to_string(home.path().join("a/fan.svg")).unwrap().starts_with("<svg"));
}

/// The texts of an SVG with their boxes in CSS pixels: left, top, right, bottom.
fn boxes(svg: &str) -> Vec<(String, [f64; 4])> {
    let of = |text: &str, name: &str| {
        let from = text.find(&format!(" {name}=\""))? + name.len() + 3;
        Some(text[from..].split('"').next()?.to_string())
    };
    let number = |text: &str, name: &str| of(text, name).and_then(|value| value.parse::<f64>().ok()).unwrap() / 6.0;
    let texts = svg.split("<text ").skip(1).map(|text| {
        let text = format!(" {text}");
        let (x, y, size) = (number(&text, "x"), number(&text, "y"), number(&text, "font-size"));
        let long = number(&text, "textLength");
        let left = match of(&text, "text-anchor").as_deref() {
            Some("start") => x,
            Some("middle") => x - long / 2.0,
            _ => x - long,
        };
        let words = text.split_once('>').unwrap().1.split("</text>").next().unwrap().to_string();
        // What the letters of the font take above and below the line.
        (words, [left, y - 0.76 * size, left + long, y + 0.22 * size])
    });
    texts.collect()
}

/// What is wrong with the places of the words of an SVG: outside the canvas, or over one another.
fn collisions(svg: &str) -> Vec<String> {
    let size = |name: &str| -> f64 {
        let from = svg.find(&format!(" {name}=\"")).unwrap() + name.len() + 3;
        svg[from..].split('"').next().unwrap().parse().unwrap()
    };
    let (width, height) = (size("width"), size("height"));
    let boxes = boxes(svg);
    let mut found = Vec::new();
    for (index, (words, [left, top, right, bottom])) in boxes.iter().enumerate() {
        if *left < -0.5 || *top < -0.5 || *right > width + 0.5 || *bottom > height + 0.5 {
            found.push(format!("`{words}` leaves {width} × {height}: {left:.0}–{right:.0}, {top:.0}–{bottom:.0}"));
        }
        for (other, [from, above, to, below]) in &boxes[index + 1..] {
            // Half a pixel is no overlap.
            if right.min(*to) - left.max(*from) > 0.5 && bottom.min(*below) - top.max(*above) > 0.5 {
                found.push(format!("`{words}` over `{other}` at {left:.0}, {top:.0} and {from:.0}, {above:.0}"));
            }
        }
    }
    found
}

/// Values, their axis, and names.
type Case<'a> = (&'a [f64], TimeAxis, &'a dyn Fn(usize) -> String);

#[test]
fn no_words_overlap_or_leave_the_canvas() {
    let short = |index: usize| format!("Name {index}");
    let long = |index: usize| format!("a long name {index} <script> مبيعات ").repeat(6);
    let solid = |index: usize| format!("{index}W").repeat(100);
    let ordinary: Vec<f64> = (0..90).map(|step| 900.0 + 40.0 * f64::from(step * 37 % 11)).collect();
    let changes: Vec<f64> = (0..24).map(|step| f64::from(step * 5 % 13) - 6.3).collect();
    let plain = [&ordinary[..], &ordinary[..7], &changes[..]];
    let names = [&short as &dyn Fn(usize) -> String, &long, &solid];
    let mut cases: Vec<Case> = Vec::new();
    cases.extend(AWKWARD.map(|values| (values, TimeAxis::Dates, names[1])));
    cases.extend(plain.map(|values| (values, TimeAxis::Steps, names[0])));
    cases.extend(plain.iter().flat_map(|values| names.map(|name| (*values, TimeAxis::Dates, name))));
    let mut found = Vec::new();
    for (values, axis, name) in cases {
        for figure in every_named(values, axis, name) {
            for width in [820, 390, 358] {
                let svg = figure.svg_within(width).unwrap();
                let wrong = collisions(&svg);
                if let Some(first) = wrong.first() {
                    let head: String = figure.alt().chars().take(60).collect();
                    found.push(format!("{width}: {head}: {} such, {first}", wrong.len()));
                }
            }
        }
    }
    found.sort();
    found.dedup();
    assert!(found.is_empty(), "{}\n{}", found.len(), found.join("\n"));
}
