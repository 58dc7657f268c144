//! What can an office program draw by itself? A figure as a simple chart, whose numbers a reader can look up, edit and
//! recolour: lines, columns or bars over dates, steps or words, with an optional line of shares on an axis of its own.
//!
//! A picture whose meaning lies in more than that (a shaded band, two panels, a map of colours) is no simple chart; it
//! stays a picture.

/// More points than these make a file that no program opens at once.
const MOST: usize = 5_000;

/// Lines, columns or bars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChartKind {
    /// Joined points.
    Lines,
    /// Upright bars, side by side where there are several.
    Columns,
    /// Bars that lie, the first one on top.
    Bars,
}

/// What lies along the axis of categories.
#[derive(Clone, Debug, PartialEq)]
pub enum Categories {
    /// Seconds since 1970-01-01T00:00Z, in order.
    Dates(Vec<f64>),
    /// Numbers, such as steps ahead, in order.
    Steps(Vec<f64>),
    /// Words in the order given.
    Words(Vec<String>),
}

impl Categories {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Dates(places) | Self::Steps(places) => places.len(),
            Self::Words(words) => words.len(),
        }
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// One named row of values, a value for each category.
#[derive(Clone, Debug, PartialEq)]
pub struct ChartSeries {
    /// The name.
    pub name: String,
    /// The values; NaN is a gap.
    pub values: Vec<f64>,
    /// Red, green, blue.
    pub colour: [u8; 3],
    /// The width of a line, in points.
    pub width: f64,
    /// Is the line dashed?
    pub dashed: bool,
    /// A category whose bar has another colour, counted from 0.
    pub marked: Option<(usize, [u8; 3])>,
}

impl ChartSeries {
    /// Values under a name, as a line of 2 points.
    pub fn new(name: impl Into<String>, values: Vec<f64>, colour: [u8; 3]) -> Self {
        Self { name: name.into(), values, colour, width: 2.0, dashed: false, marked: None }
    }
}

/// A figure as a chart that presentations and spreadsheets know.
#[derive(Clone, Debug, PartialEq)]
pub struct SimpleChart {
    /// Lines, columns or bars.
    pub kind: ChartKind,
    /// What lies along the axis of categories.
    pub categories: Categories,
    /// The label of that axis; empty where it needs none.
    pub category_title: String,
    /// The quantity and its unit.
    pub value_title: String,
    /// The values, the most important first.
    pub series: Vec<ChartSeries>,
    /// Shares between 0 and 1, as a line over an axis of its own; for columns alone.
    pub shares: Option<ChartSeries>,
}

impl SimpleChart {
    /// The chart without the series that are empty, if it is one: it has a value, not too many of them, and as many for
    /// each series as there are categories.
    pub fn checked(mut self) -> Option<Self> {
        self.series.retain(|series| series.values.iter().any(|value| !value.is_nan()));
        let count = self.categories.len();
        let all = || self.series.iter().chain(&self.shares);
        let fits = all().all(|series| series.values.len() == count) && count.saturating_mul(all().count()) <= MOST;
        // A value that is infinite has no place on an axis, and no cell in a workbook.
        let finite = all().flat_map(|series| &series.values).all(|value| !value.is_infinite());
        (fits && finite && !self.series.is_empty()).then_some(self)
    }

    /// The places of several lines together, in order, and the values of each line there; none if a line would have a
    /// gap only because others have places in between, or steps are unequal: a chart of categories cannot show either.
    pub fn over(lines: &[(&[f64], &[f64])], equal_steps: bool) -> Option<(Vec<f64>, Vec<Vec<f64>>)> {
        let mut places: Vec<f64> = lines.iter().flat_map(|(x, _)| x.iter().copied()).collect();
        if !places.iter().all(|place| place.is_finite()) {
            return None;
        }
        places.sort_by(f64::total_cmp);
        places.dedup();
        let mut rows = Vec::with_capacity(lines.len());
        for (x, y) in lines {
            let mut row = vec![f64::NAN; places.len()];
            let mut before: Option<usize> = None;
            for (x, y) in x.iter().zip(*y) {
                let at = places.binary_search_by(|place| place.total_cmp(x)).ok()?;
                if before.is_some_and(|before| at != before + 1) {
                    return None;
                }
                row[at] = *y;
                before = Some(at);
            }
            rows.push(row);
        }
        let steps: Vec<f64> = places.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let equal = steps.iter().all(|step| (step - steps[0]).abs() <= steps[0].abs() * 1e-6);
        (!equal_steps || equal).then_some((places, rows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_share_their_places_or_are_no_chart() {
        let (history, mean) = ([1.0, 2.0, 3.0], [4.0, 5.0]);
        let lines: [(&[f64], &[f64]); 2] = [(&history, &[10.0, f64::NAN, 12.0]), (&mean, &[13.0, 14.0])];
        let (places, rows) = SimpleChart::over(&lines, true).unwrap();
        assert_eq!(places, [1.0, 2.0, 3.0, 4.0, 5.0]);
        assert!(rows[0][1].is_nan() && rows[0][3].is_nan() && rows[1][2].is_nan());
        assert_eq!((rows[0][2], rows[1][3]), (12.0, 13.0));
        // One line has a place between two of the other.
        let lines: [(&[f64], &[f64]); 2] = [(&[1.0, 3.0], &[1.0, 1.0]), (&[2.0], &[1.0])];
        assert!(SimpleChart::over(&lines, false).is_none());
        assert!(SimpleChart::over(&[(&[1.0, 2.0, 4.0], &[1.0, 1.0, 1.0])], true).is_none());
        assert!(SimpleChart::over(&[(&[f64::NAN], &[1.0])], false).is_none());
    }

    #[test]
    fn what_no_program_can_draw_is_no_chart() {
        let chart = |values: Vec<f64>| SimpleChart {
            kind: ChartKind::Bars,
            categories: Categories::Words(vec!["a".into(), "b".into()]),
            category_title: String::new(),
            value_title: "USD".into(),
            series: vec![ChartSeries::new("sales", values, [0, 114, 178])],
            shares: None,
        };
        assert!(chart(vec![1.0, f64::NAN]).checked().is_some());
        assert!(chart(vec![1.0]).checked().is_none());
        assert!(chart(vec![f64::NAN; 2]).checked().is_none());
        assert!(chart(vec![1.0, f64::INFINITY]).checked().is_none());
    }
}
