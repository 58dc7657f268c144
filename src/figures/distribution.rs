//! How are values spread? A histogram for each of a few groups.

use super::axes::{Frame, Room, label_width, numbers, ticks};
use super::canvas::{Anchor, Canvas};
use super::data::Data;
use super::layout::{self, BLUE, Key, MARGIN, ORANGE, PANEL, SMALL, quantile, short, sorted};
use super::{Drawing, Figure};
use crate::show::{Table, number};

const MOST: usize = 6;
const HEIGHT: f64 = 126.0;
const SHARE: &str = "% of the values in each bin";
/// So many times the inner 98 % away is too far to draw.
const FAR: f64 = 0.25;

/// Histograms, one below the other.
#[derive(Clone, Debug)]
pub struct Distribution {
    /// The title.
    pub title: String,
    /// The quantity and its unit.
    pub value: String,
    /// The name and the values of each group; the first six are drawn.
    pub groups: Vec<(String, Vec<f64>)>,
}

impl Distribution {
    /// The figure.
    pub fn figure(self) -> Figure {
        Figure::new(self)
    }

    fn shown(&self) -> &[(String, Vec<f64>)] {
        &self.groups[..self.groups.len().min(MOST)]
    }

    /// The values to draw: all of them, or the inner 98 % where a few lie far out.
    fn range(&self) -> Option<(f64, f64)> {
        let all = sorted(self.shown().iter().flat_map(|(_, values)| values));
        let (low, high) = (*all.first()?, *all.last()?);
        let (from, to) = (quantile(&all, 0.01), quantile(&all, 0.99));
        let inner = to / 2.0 - from / 2.0;
        let far = |distance: f64| all.len() >= 50 && distance / 2.0 > FAR * inner;
        Some((if far(from - low) { from } else { low }, if far(high - to) { to } else { high }))
    }

    /// The edges of the bins: round numbers, as many as the values allow.
    fn edges(&self) -> Vec<f64> {
        let Some((low, high)) = self.range() else { return Vec::new() };
        let most = self.shown().iter().map(|(_, values)| values.len()).max().unwrap_or(0);
        let wanted = (3.0 * (most as f64).cbrt()).round().clamp(8.0, 50.0) as usize;
        let places = ticks(low, high, wanted);
        let [first, .., last] = places.as_slice() else { return vec![low - 0.5, high + 0.5] };
        let step = places[1] - places[0];
        let mut edges = places.clone();
        if low < *first {
            edges.insert(0, first - step);
        }
        if high >= *last {
            edges.push(last + step);
        }
        edges
    }

    /// The share of a group's values in each bin, how many there are, and how many lie outside all bins.
    fn shares(edges: &[f64], values: &[f64]) -> (Vec<f64>, usize, usize) {
        let mut counts = vec![0_usize; edges.len().saturating_sub(1)];
        let (mut all, mut outside) = (0, 0);
        for value in values.iter().filter(|value| value.is_finite()) {
            all += 1;
            match edges.partition_point(|edge| edge <= value).checked_sub(1).and_then(|bin| counts.get_mut(bin)) {
                Some(count) => *count += 1,
                None => outside += 1,
            }
        }
        (counts.iter().map(|count| *count as f64 / all.max(1) as f64).collect(), all, outside)
    }

    fn legend(&self) -> Vec<(Key, String)> {
        let mut legend = vec![(Key::Upright(ORANGE), "median".to_string())];
        if self.groups.len() > MOST {
            legend.push((Key::Patch(layout::REST), format!("{} more groups not drawn", self.groups.len() - MOST)));
        }
        legend
    }
}

impl Drawing for Distribution {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn alt(&self) -> String {
        let group = |(name, values): &(String, Vec<f64>)| {
            let sorted = sorted(values);
            let (low, high) = (sorted.first()?, sorted.last()?);
            Some(format!(
                "{name}: {} values, median {}, half of them between {} and {}, all between {} and {}",
                number(sorted.len() as f64),
                short(quantile(&sorted, 0.5)),
                short(quantile(&sorted, 0.25)),
                short(quantile(&sorted, 0.75)),
                short(*low),
                short(*high)
            ))
        };
        let parts: Vec<String> = self.shown().iter().filter_map(group).collect();
        if parts.is_empty() {
            format!("{}: no data.", self.value)
        } else {
            format!("How {} is spread. {}.", self.value, parts.join("; "))
        }
    }

    fn height(&self, width: f64) -> f64 {
        let head = layout::head(width, &self.title, SHARE, &self.legend());
        head + self.shown().len().max(1) as f64 * HEIGHT + 50.0
    }

    fn data(&self) -> Table {
        let values = || self.groups.iter().flat_map(|(name, values)| values.iter().map(move |value| (name, *value)));
        Data::default()
            .names("group", values().map(|(name, _)| name.as_str()))
            .numbers("value", values().map(|(_, value)| value))
            .table(&self.title)
    }

    fn draw(&self, canvas: &mut Canvas) {
        let top = layout::title(canvas, &self.title);
        let top = layout::subtitle(canvas, top, SHARE, &self.legend());
        let edges = self.edges();
        let (Some(first), Some(last)) = (edges.first(), edges.last()) else {
            return layout::no_data(canvas, (canvas.width() / 2.0, (top + canvas.height()) / 2.0));
        };
        let range = (*first, *last);
        let binned: Vec<_> = self.shown().iter().map(|(_, values)| Self::shares(&edges, values)).collect();
        // One scale for all, so that they can be compared.
        let most = binned.iter().flat_map(|(shares, ..)| shares).fold(0.01_f64, |most, share| most.max(*share));
        let y = (0.0, 100.0 * most * 1.05);
        let plot = HEIGHT - 46.0;
        let labels = label_width(canvas, y, plot);
        let groups = self.shown();
        for (index, ((name, values), (shares, all, outside))) in groups.iter().zip(&binned).enumerate() {
            let top = top + index as f64 * HEIGHT;
            let right = canvas.width() - MARGIN;
            let sorted = sorted(values);
            let median = quantile(&sorted, 0.5);
            let mut said = match *all {
                0 => "no values".to_string(),
                1 => format!("1 value: {}", short(median)),
                count => format!("{} values, median {}", number(count as f64), short(median)),
            };
            if *outside > 0 {
                said += &format!(", {} beyond the axis", number(*outside as f64));
            }
            let said = canvas.fit(&said, SMALL, right - MARGIN);
            let from = canvas.measure(&said, SMALL);
            let name = canvas.fit(name, PANEL, (right - MARGIN - from - 12.0).max(60.0));
            let name_width = canvas.measure(&name, PANEL);
            canvas.text((MARGIN, top + 18.0), Anchor::Start, &name, PANEL);
            let room = right - MARGIN - name_width - 12.0;
            let said = canvas.fit(&said, SMALL, room);
            canvas.text(
                (MARGIN + name_width + if name.is_empty() { 0.0 } else { 12.0 }, top + 18.0),
                Anchor::Start,
                &said,
                SMALL,
            );
            let room = Room { left: MARGIN, right, top: top + 36.0, bottom: top + 36.0 + plot };
            let frame = Frame::new(canvas, room, range, y, labels);
            for (bin, share) in shares.iter().enumerate().filter(|(_, share)| **share > 0.0) {
                let (from, to) = (frame.x.at(edges[bin]), frame.x.at(edges[bin + 1]));
                let gap = ((to - from) * 0.06).min(0.75);
                canvas.rect(
                    (from + gap, frame.bottom),
                    (to - gap, frame.y.at(100.0 * share).min(frame.bottom - 1.0)),
                    BLUE.tint(0.55),
                );
            }
            if median.is_finite() && (range.0..=range.1).contains(&median) {
                canvas.line(&frame.upright(median), ORANGE, 2.0);
            }
            let marks = numbers(canvas, range, &frame.x);
            let lowest = index + 1 == groups.len();
            frame.axis(canvas, &marks, lowest);
            if lowest {
                let foot = canvas.fit(&self.value, SMALL, frame.right - frame.left);
                let middle = f64::midpoint(frame.left, frame.right);
                canvas.text((middle, frame.bottom + 36.0), Anchor::Middle, &foot, SMALL);
            }
        }
    }
}
