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

fn every(values: &[f64], axis: TimeAxis) -> Vec<Figure> {
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
