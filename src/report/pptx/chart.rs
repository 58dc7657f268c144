//! How does a chart become a part of a presentation? DrawingML's chart (ECMA-376 part 1, 21.2) with a workbook that holds
//! the same numbers, which opens when a reader asks to edit them. A value that is missing is a gap and an empty cell.

use std::io;

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, XlsxError};

use super::xml::{Tag, tag, val};
use crate::show::{Categories, ChartKind, ChartSeries, SimpleChart};

/// Points of a line that are marked one by one.
const MARKED: usize = 40;
/// Columns that have their value above them.
const LABELLED: usize = 14;
/// Identifiers of the axes.
const PLACES: u32 = 100_001;
const VALUES: u32 = 100_002;
const PLACES_OF_SHARES: u32 = 100_003;
const SHARES: u32 = 100_004;
const DAY: f64 = 86_400.0;
/// A title of an axis that is longer than this stands above the chart.
pub(super) const LONGEST: usize = 44;

/// The categories as a chart knows them.
enum Places {
    /// Days since 1899-12-30, as workbooks count them.
    Days(Vec<f64>),
    Numbers(Vec<f64>),
    Words(Vec<String>),
}

impl Places {
    /// An axis of dates knows days alone: times of day become words.
    fn of(chart: &SimpleChart) -> Self {
        match &chart.categories {
            Categories::Dates(places) if places.iter().all(|at| (at / DAY).fract() == 0.0 && *at > -2.2e9) => {
                Self::Days(places.iter().map(|at| at / DAY + 25_569.0).collect())
            }
            Categories::Dates(places) => Self::Words(places.iter().map(|at| stamp(*at)).collect()),
            Categories::Steps(places) => Self::Numbers(places.clone()),
            Categories::Words(words) => Self::Words(words.clone()),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Days(places) | Self::Numbers(places) => places.len(),
            Self::Words(words) => words.len(),
        }
    }
}

fn stamp(seconds: f64) -> String {
    let at = chrono::DateTime::from_timestamp(seconds as i64, 0);
    at.map_or_else(String::new, |at| at.format("%Y-%m-%d %H:%M").to_string())
}

/// The chart, for a frame of this height in points; its workbook is related as `workbook`.
pub(super) fn document(chart: &SimpleChart, workbook: &str, language: &str, height: f64) -> Tag {
    let places = Places::of(chart);
    let mut area = tag("c:plotArea").with(tag("c:layout")).with(group(chart, &places, height, language));
    if let Some(shares) = &chart.shares {
        let line = line_group(std::slice::from_ref(shares), chart.series.len(), &places, [PLACES_OF_SHARES, SHARES]);
        area = area.with(line);
    }
    area = area.with(category_axis(chart, &places, height, language)).with(value_axis(chart, language));
    if chart.shares.is_some() {
        area = area.with(value_axis_of_shares(language)).with(hidden_axis());
    }
    let legend = tag("c:legend").with(val("c:legendPos", "t")).with(val("c:overlay", 0)).with(letters(12.0, language));
    let many = chart.series.len() + usize::from(chart.shares.is_some()) > 1;
    let inner = tag("c:chart")
        .with(val("c:autoTitleDeleted", 1))
        .with(area)
        .all(many.then_some(legend))
        .with(val("c:plotVisOnly", 1))
        .with(val("c:dispBlanksAs", "gap"));
    tag("c:chartSpace")
        .at("xmlns:c", "http://schemas.openxmlformats.org/drawingml/2006/chart")
        .at("xmlns:a", "http://schemas.openxmlformats.org/drawingml/2006/main")
        .at("xmlns:r", "http://schemas.openxmlformats.org/officeDocument/2006/relationships")
        .with(val("c:date1904", 0))
        .with(val("c:lang", language))
        .with(val("c:roundedCorners", 0))
        .with(inner)
        .with(tag("c:spPr").with(tag("a:noFill")).with(tag("a:ln").with(tag("a:noFill"))))
        .with(letters(12.0, language))
        .with(tag("c:externalData").at("r:id", workbook).with(val("c:autoUpdate", 0)))
}

fn group(chart: &SimpleChart, places: &Places, height: f64, language: &str) -> Tag {
    if chart.kind == ChartKind::Lines {
        return line_group(&chart.series, 0, places, [PLACES, VALUES]);
    }
    let (way, gap) = if chart.kind == ChartKind::Bars { ("bar", 45) } else { ("col", 40) };
    // A line over the columns would run through the numbers.
    let alone = chart.series.len() == 1 && chart.shares.is_none() && places.len() <= LABELLED;
    let labelled = chart.kind == ChartKind::Bars || alone;
    let size = if chart.kind == ChartKind::Bars { lying_letters(places, height) } else { 12.0 };
    let series = chart.series.iter().enumerate().map(|(index, series)| {
        let point = series.marked.filter(|(place, _)| *place < series.values.len()).map(|(place, colour)| {
            tag("c:dPt")
                .with(val("c:idx", place))
                .with(val("c:invertIfNegative", 0))
                .with(val("c:bubble3D", 0))
                .with(tag("c:spPr").with(fill(colour)))
        });
        head(index, series)
            .with(tag("c:spPr").with(fill(series.colour)))
            .with(val("c:invertIfNegative", 0))
            .all(point)
            .all(labelled.then(|| labels(series, size, language)))
            .all(numbers(index, series, places))
    });
    tag("c:barChart")
        .with(val("c:barDir", way))
        .with(val("c:grouping", "clustered"))
        .with(val("c:varyColors", 0))
        .all(series)
        .with(val("c:gapWidth", gap))
        .with(val("c:axId", PLACES))
        .with(val("c:axId", VALUES))
}

fn line_group(series: &[ChartSeries], first: usize, places: &Places, axes: [u32; 2]) -> Tag {
    let few = places.len() <= MARKED;
    let line = |(index, series): (usize, &ChartSeries)| {
        let symbol = if few { "circle" } else { "none" };
        let marker = tag("c:marker").with(val("c:symbol", symbol));
        let marker = if few {
            let look = tag("c:spPr").with(fill(series.colour)).with(tag("a:ln").with(tag("a:noFill")));
            marker.with(val("c:size", 5)).with(look)
        } else {
            marker
        };
        let dash = if series.dashed { "dash" } else { "solid" };
        let stroke = tag("a:ln")
            .at("w", (series.width * 12_700.0).round() as i64)
            .at("cap", "rnd")
            .with(fill(series.colour))
            .with(val("a:prstDash", dash))
            .with(tag("a:round"));
        head(index, series)
            .with(tag("c:spPr").with(stroke))
            .with(marker)
            .all(numbers(index, series, places))
            .with(val("c:smooth", 0))
    };
    tag("c:lineChart")
        .with(val("c:grouping", "standard"))
        .with(val("c:varyColors", 0))
        .all((first..).zip(series).map(line))
        .with(val("c:marker", 1))
        .all(axes.map(|axis| val("c:axId", axis)))
}

fn head(index: usize, series: &ChartSeries) -> Tag {
    let name = tag("c:strCache").with(val("c:ptCount", 1)).with(point(0, &series.name));
    tag("c:ser")
        .with(val("c:idx", index))
        .with(val("c:order", index))
        .with(tag("c:tx").with(tag("c:strRef").with(formula(&cell(index + 1, 0))).with(name)))
}

/// The categories and the values of a series, with where they are in the workbook.
fn numbers(index: usize, series: &ChartSeries, places: &Places) -> [Tag; 2] {
    let count = places.len();
    let range = |column: usize| formula(&format!("{}:{}", cell(column, 1), absolute(column, count)));
    let cache = |format: &str, values: &[f64]| {
        // A value that is missing has no point, so that it is a gap.
        let there = values.iter().enumerate().filter(|(_, value)| value.is_finite());
        tag("c:numCache")
            .with(tag("c:formatCode").text(format))
            .with(val("c:ptCount", count))
            .all(there.map(|(at, value)| point(at, &value.to_string())))
    };
    let names = match places {
        Places::Days(days) => tag("c:numRef").with(range(0)).with(cache("yyyy-mm-dd", days)),
        Places::Numbers(numbers) => tag("c:numRef").with(range(0)).with(cache("General", numbers)),
        Places::Words(words) => {
            let points = words.iter().enumerate().map(|(at, word)| point(at, word));
            tag("c:strRef").with(range(0)).with(tag("c:strCache").with(val("c:ptCount", count)).all(points))
        }
    };
    let values = tag("c:numRef").with(range(index + 1)).with(cache("General", &series.values));
    [tag("c:cat").with(names), tag("c:val").with(values)]
}

fn point(at: usize, value: &str) -> Tag {
    tag("c:pt").at("idx", at).with(tag("c:v").text(value))
}

fn formula(text: &str) -> Tag {
    tag("c:f").text(text)
}

fn cell(column: usize, row: usize) -> String {
    format!("Sheet1!{}", absolute(column, row))
}

/// A cell as formulas write it: `$B$3`.
fn absolute(column: usize, row: usize) -> String {
    format!("${}${}", rust_xlsxwriter::utility::column_number_to_name(column as u16), row + 1)
}

fn fill([red, green, blue]: [u8; 3]) -> Tag {
    tag("a:solidFill").with(val("a:srgbClr", format!("{red:02X}{green:02X}{blue:02X}")))
}

/// Small grey letters of a size in points.
fn letters(size: f64, language: &str) -> Tag {
    let look = tag("a:defRPr")
        .at("sz", (size * 100.0).round() as i64)
        .with(tag("a:solidFill").with(val("a:schemeClr", "tx2")))
        .with(tag("a:latin").at("typeface", "+mn-lt"));
    let paragraph = tag("a:p").with(tag("a:pPr").with(look)).with(tag("a:endParaRPr").at("lang", language));
    tag("c:txPr").with(tag("a:bodyPr")).with(tag("a:lstStyle")).with(paragraph)
}

fn labels(series: &ChartSeries, size: f64, language: &str) -> Tag {
    tag("c:dLbls")
        .with(tag("c:numFmt").at("formatCode", label_format(&series.values)).at("sourceLinked", 0))
        .with(tag("c:spPr").with(tag("a:noFill")).with(tag("a:ln").with(tag("a:noFill"))))
        .with(letters(size, language))
        .with(val("c:dLblPos", "outEnd"))
        .with(val("c:showLegendKey", 0))
        .with(val("c:showVal", 1))
        .with(val("c:showCatName", 0))
        .with(val("c:showSerName", 0))
        .with(val("c:showPercent", 0))
        .with(val("c:showBubbleSize", 0))
}

fn largest(values: &[f64]) -> f64 {
    values.iter().filter(|value| value.is_finite()).fold(0.0, |most: f64, value| most.max(value.abs()))
}

/// How numbers beside bars are written: three digits or so.
fn label_format(values: &[f64]) -> &'static str {
    let whole = values.iter().filter(|value| value.is_finite()).all(|value| value.fract() == 0.0);
    match largest(values) {
        most if most >= 1e6 => "[>=1000000]#,##0.0,,\"M\";[>=1000]#,##0,\"k\";#,##0",
        most if most >= 100.0 || whole => "#,##0",
        most if most >= 10.0 => "0.0",
        most if most >= 1.0 => "0.00",
        most if most >= 1e-3 => "0.000",
        _ => "0.0E+00",
    }
}

/// How numbers along an axis are written. Millions are only where the ticks are far enough apart.
fn axis_format(values: &[f64]) -> &'static str {
    let there = || values.iter().copied().filter(|value| value.is_finite());
    let (low, high) = (there().fold(f64::INFINITY, f64::min), there().fold(f64::NEG_INFINITY, f64::max));
    match largest(values) {
        most if most >= 2e7 && low <= high / 2.0 => "#,##0,,\"M\"",
        most if most >= 1e6 && (high - low >= 1e6 || low <= high / 2.0) => "#,##0.0,,\"M\"",
        most if most >= 1e3 => "#,##0",
        _ => "General",
    }
}

fn axis_title(text: &str, upright: bool, language: &str) -> Option<Tag> {
    if text.trim().is_empty() || text.chars().count() > LONGEST {
        return None;
    }
    let look = |name: &'static str| {
        tag(name)
            .at("lang", language)
            .at("sz", 1200)
            .at("b", 0)
            .with(tag("a:solidFill").with(val("a:schemeClr", "tx2")))
    };
    let look_of_paragraph = tag("a:defRPr").at("sz", 1200).at("b", 0);
    let body = tag("a:bodyPr");
    let body = if upright { body.at("rot", -5_400_000).at("vert", "horz") } else { body };
    let run = tag("a:r").with(look("a:rPr")).with(tag("a:t").text(text));
    let paragraph = tag("a:p").with(tag("a:pPr").with(look_of_paragraph)).with(run);
    let rich = tag("c:rich").with(body).with(tag("a:lstStyle")).with(paragraph);
    Some(tag("c:title").with(tag("c:tx").with(rich)).with(val("c:overlay", 0)))
}

fn stroke(colour: &str) -> Tag {
    let fill = tag("a:solidFill").with(val("a:srgbClr", colour));
    tag("c:spPr").with(tag("a:ln").at("w", 9_525).with(fill))
}

/// What all axes begin with.
fn axis(name: &'static str, identifier: u32, side: &str, order: &str, hidden: bool) -> Tag {
    tag(name)
        .with(val("c:axId", identifier))
        .with(tag("c:scaling").with(val("c:orientation", order)))
        .with(val("c:delete", u8::from(hidden)))
        .with(val("c:axPos", side))
}

/// The letters beside bars that lie: forty of them have less room than ten.
fn lying_letters(places: &Places, height: f64) -> f64 {
    (height / places.len().max(1) as f64 * 0.66).clamp(6.0, 12.0).floor()
}

fn category_axis(chart: &SimpleChart, places: &Places, height: f64, language: &str) -> Tag {
    let lying = chart.kind == ChartKind::Bars;
    let (side, order) = if lying { ("l", "maxMin") } else { ("b", "minMax") };
    let days = match places {
        Places::Days(days) if days.len() > 1 => Some(days),
        _ => None,
    };
    let name = if days.is_some() { "c:dateAx" } else { "c:catAx" };
    let (step, unit, format) = days.map_or((1, "days", "General"), |days| ticks(days));
    let format = if matches!(places, Places::Days(_)) && days.is_none() { "yyyy-mm-dd" } else { format };
    let size = if lying { lying_letters(places, height) } else { 12.0 };
    let first = axis(name, PLACES, side, order, false)
        .all(axis_title(&chart.category_title, lying, language))
        .with(tag("c:numFmt").at("formatCode", format).at("sourceLinked", 0))
        .with(val("c:majorTickMark", if days.is_some() { "out" } else { "none" }))
        .with(val("c:minorTickMark", "none"))
        .with(val("c:tickLblPos", "low"))
        .with(stroke("969CA3"))
        .with(letters(size, language))
        .with(val("c:crossAx", VALUES))
        .with(val("c:crosses", "autoZero"));
    if days.is_some() {
        return first
            .with(val("c:auto", 0))
            .with(val("c:lblOffset", 100))
            .with(val("c:baseTimeUnit", "days"))
            .with(val("c:majorUnit", step))
            .with(val("c:majorTimeUnit", unit));
    }
    // Each bar has its name; of many columns or steps, some have.
    let skip = if lying { 1 } else { places.len().div_ceil(24).max(1) };
    first
        .with(val("c:auto", 0))
        .with(val("c:lblAlgn", "ctr"))
        .with(val("c:lblOffset", 100))
        .with(val("c:tickLblSkip", skip))
        .with(val("c:tickMarkSkip", skip))
        .with(val("c:noMultiLvlLbl", 1))
}

/// How far the labels of a date axis are apart, and how they are written: ten of them or fewer.
fn ticks(days: &[f64]) -> (u32, &'static str, &'static str) {
    let span = days.last().copied().unwrap_or(0.0) - days.first().copied().unwrap_or(0.0);
    let most = 10.0;
    if let Some(step) = [1, 2, 7, 14].into_iter().find(|step| span / f64::from(*step) <= most) {
        return (step, "days", "d mmm yyyy");
    }
    let months = span / 30.44;
    let step = [1, 2, 3, 6].into_iter().find(|step| months / f64::from(*step) <= most);
    if let Some(step) = step {
        return (step, "months", "mmm yyyy");
    }
    let step = [1, 2, 5, 10, 20, 50].into_iter().find(|step| months / 12.0 / f64::from(*step) <= most);
    (step.unwrap_or(100), "years", "mmm yyyy")
}

fn value_axis(chart: &SimpleChart, language: &str) -> Tag {
    let lying = chart.kind == ChartKind::Bars;
    let side = if lying { "b" } else { "l" };
    let values: Vec<f64> = chart.series.iter().flat_map(|series| &series.values).copied().collect();
    let between = if chart.kind == ChartKind::Lines { "midCat" } else { "between" };
    // Lying bars have their values beside them.
    let grid = (!lying).then(|| tag("c:majorGridlines").with(stroke("E4E7EB")));
    let title = if lying { None } else { axis_title(&chart.value_title, true, language) };
    let first = if chart.kind == ChartKind::Lines { floor(&values) } else { None };
    let scaling = tag("c:scaling").with(val("c:orientation", "minMax")).all(first.map(|first| val("c:min", first)));
    tag("c:valAx")
        .with(val("c:axId", VALUES))
        .with(scaling)
        .with(val("c:delete", u8::from(lying)))
        .with(val("c:axPos", side))
        .all(grid)
        .all(title)
        .with(tag("c:numFmt").at("formatCode", axis_format(&values)).at("sourceLinked", 0))
        .with(val("c:majorTickMark", "none"))
        .with(val("c:minorTickMark", "none"))
        .with(val("c:tickLblPos", "nextTo"))
        .with(tag("c:spPr").with(tag("a:ln").with(tag("a:noFill"))))
        .with(letters(12.0, language))
        .with(val("c:crossAx", PLACES))
        .with(val("c:crosses", "autoZero"))
        .with(val("c:crossBetween", between))
}

/// Where the axis of lines begins that lie far above zero: below them, at a round number. Lines are read by their slope,
/// which would be flat.
fn floor(values: &[f64]) -> Option<f64> {
    let there = || values.iter().copied().filter(|value| value.is_finite());
    let (low, high) = (there().fold(f64::INFINITY, f64::min), there().fold(f64::NEG_INFINITY, f64::max));
    if !(low > 0.0 && high > low && low > high * 0.3) {
        return None;
    }
    let tens = 10_f64.powf((high - low).log10().floor());
    let step = if (high - low) / tens < 5.0 { tens / 2.0 } else { tens };
    let first = ((low - 0.1 * (high - low)) / step).floor() * step;
    // Without the tail of a binary fraction.
    format!("{first:.6e}").parse().ok().filter(|first| *first > 0.0)
}

fn value_axis_of_shares(language: &str) -> Tag {
    tag("c:valAx")
        .with(val("c:axId", SHARES))
        .with(tag("c:scaling").with(val("c:orientation", "minMax")).with(val("c:max", 1)).with(val("c:min", 0)))
        .with(val("c:delete", 0))
        .with(val("c:axPos", "r"))
        .with(tag("c:numFmt").at("formatCode", "0%").at("sourceLinked", 0))
        .with(val("c:majorTickMark", "none"))
        .with(val("c:minorTickMark", "none"))
        .with(val("c:tickLblPos", "nextTo"))
        .with(tag("c:spPr").with(tag("a:ln").with(tag("a:noFill"))))
        .with(letters(12.0, language))
        .with(val("c:crossAx", PLACES_OF_SHARES))
        .with(val("c:crosses", "max"))
        .with(val("c:crossBetween", "between"))
        .with(val("c:majorUnit", 0.2))
}

/// The shares lie over the same categories, on an axis that is not drawn again.
fn hidden_axis() -> Tag {
    axis("c:catAx", PLACES_OF_SHARES, "b", "minMax", true)
        .with(val("c:majorTickMark", "none"))
        .with(val("c:minorTickMark", "none"))
        .with(val("c:tickLblPos", "nextTo"))
        .with(val("c:crossAx", SHARES))
        .with(val("c:crosses", "autoZero"))
        .with(val("c:auto", 0))
        .with(val("c:lblAlgn", "ctr"))
        .with(val("c:lblOffset", 100))
        .with(val("c:noMultiLvlLbl", 1))
}

/// The workbook with the same numbers: a column for the categories, and one for each series.
pub(super) fn workbook(chart: &SimpleChart) -> io::Result<Vec<u8>> {
    filled(chart).map_err(io::Error::other)
}

fn filled(chart: &SimpleChart) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    // No time of day: what is written again is the same.
    let made = ExcelDateTime::from_ymd(2000, 1, 1)?;
    book.set_properties(&DocProperties::new().set_creation_datetime(&made));
    let (bold, dates) = (Format::new().set_bold(), Format::new().set_num_format("yyyy-mm-dd"));
    let sheet = book.add_worksheet();
    sheet.set_column_width(0, 24)?;
    let places = Places::of(chart);
    let title = match &chart.categories {
        Categories::Dates(_) => "date",
        _ => chart.category_title.as_str(),
    };
    sheet.write_string_with_format(0, 0, title, &bold)?;
    for at in 0..places.len() {
        let row = at as u32 + 1;
        match &places {
            Places::Days(days) => sheet.write_number_with_format(row, 0, days[at], &dates)?,
            Places::Numbers(numbers) => sheet.write_number(row, 0, numbers[at])?,
            Places::Words(words) => sheet.write_string(row, 0, &words[at])?,
        };
    }
    for (column, series) in (1..).zip(chart.series.iter().chain(&chart.shares)) {
        sheet.write_string_with_format(0, column, &series.name, &bold)?;
        for (row, value) in (1..).zip(&series.values).filter(|(_, value)| value.is_finite()) {
            sheet.write_number(row, column, *value)?;
        }
    }
    book.save_to_buffer()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_far_above_zero_begin_at_a_round_number() {
        assert_eq!(floor(&[314_000.0, 481_000.0, f64::NAN]), Some(250_000.0));
        assert_eq!(floor(&[0.54, 1.1]), Some(0.4));
        for values in [&[1.0, 100.0][..], &[-1.0, 5.0], &[5.0, 5.0], &[]] {
            assert_eq!(floor(values), None, "{values:?}");
        }
    }

    #[test]
    fn dates_have_ten_labels_at_most() {
        let days = |count: u32| -> Vec<f64> { (0..=count).map(f64::from).collect() };
        let shown = [7, 60, 143 * 7, 3650].map(|count| ticks(&days(count)));
        let expected = [(1, "days"), (7, "days"), (6, "months"), (1, "years")];
        assert_eq!(shown.map(|(step, unit, _)| (step, unit)), expected);
    }

    #[test]
    fn numbers_are_as_short_as_they_can_be_told_apart() {
        assert_eq!(label_format(&[17e6, 120_000.0]), "[>=1000000]#,##0.0,,\"M\";[>=1000]#,##0,\"k\";#,##0");
        assert_eq!([label_format(&[0.81, 1.02]), label_format(&[3.0, 1.0])], ["0.00", "#,##0"]);
        assert_eq!([axis_format(&[0.0, 3e6]), axis_format(&[5e6, 5.1e6])], ["#,##0.0,,\"M\"", "#,##0"]);
    }
}
