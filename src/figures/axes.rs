//! Where do the ticks of an axis go, and what do they say?
//!
//! Ticks stand at 1, 2, 2.5 or 5 times a power of ten, labels share their decimals and never overlap: an axis that
//! is too narrow gets fewer. A range without width is widened, so constant data still draw.

use super::TimeAxis;
use super::canvas::{Anchor, Canvas, measure};
use super::dates;
use super::layout::{AXIS, GRID, SMALL};
use crate::format::tick_labels;

/// A range of values laid onto a range of pixels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Scale {
    /// `low` at pixel `from`, `high` at pixel `to`; a range without width is widened.
    pub(crate) fn new((low, high): (f64, f64), from: f64, to: f64) -> Self {
        let (low, high) = widened(low, high);
        Self { low, high, from, to }
    }

    /// The pixel of a value.
    pub(crate) fn at(&self, value: f64) -> f64 {
        let value = value.clamp(-1e300, 1e300);
        // Halves first: the width of the greatest range a float holds would overflow.
        let share = (value / 2.0 - self.low / 2.0) / (self.high / 2.0 - self.low / 2.0);
        // Far outside is far enough: nothing later on has to count its way there.
        self.from + (self.to - self.from) * share.clamp(-20.0, 20.0)
    }
}

fn widened(low: f64, high: f64) -> (f64, f64) {
    let (low, high) = (low.clamp(-1e300, 1e300), high.clamp(-1e300, 1e300));
    if high - low > low.abs().max(high.abs()) * 1e-12 && high - low > f64::MIN_POSITIVE {
        return (low, high);
    }
    let room = if high == 0.0 { 1.0 } else { high.abs() * 0.5 };
    (low - room, high + room)
}

/// The range to show for values between `low` and `high`: a little air, and from zero where zero is near.
pub(crate) fn value_range(low: f64, high: f64) -> (f64, f64) {
    if low == high {
        let (low, high) = widened(low, high);
        return if low > 0.0 {
            (0.0, high)
        } else if high < 0.0 {
            (low, 0.0)
        } else {
            (low, high)
        };
    }
    let air = (high / 2.0 - low / 2.0) * 0.12;
    let bottom = if low >= 0.0 && low <= high * 0.5 { 0.0 } else { low - air };
    let top = if high <= 0.0 && high >= low * 0.5 { 0.0 } else { high + air };
    (bottom, top)
}

/// Round values between `low` and `high`, about `count` of them.
pub(crate) fn ticks(low: f64, high: f64, count: usize) -> Vec<f64> {
    let (low, high) = widened(low, high);
    let rough = (high / 2.0 - low / 2.0) / count.max(1) as f64 * 2.0;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].iter().map(|times| times * power).find(|step| *step >= rough * 0.999);
    let step = step.unwrap_or(10.0 * power);
    if !step.is_finite() || step <= 0.0 {
        return vec![low, high];
    }
    let (first, last) = ((low / step - 1e-9).ceil(), (high / step + 1e-9).floor());
    // A whole number times the step, not a running sum: 0.30000000000000004 is no tick.
    let many = (last - first).clamp(0.0, 1000.0) as usize;
    (0..=many).map(|index| (first + index as f64) * step + 0.0).collect()
}

/// The plot's rectangle with its two scales.
pub(crate) struct Frame {
    pub(crate) x: Scale,
    pub(crate) y: Scale,
    pub(crate) left: f64,
    pub(crate) right: f64,
    pub(crate) top: f64,
    pub(crate) bottom: f64,
}

/// The room a frame may take, labels included.
#[derive(Clone, Copy)]
pub(crate) struct Room {
    pub(crate) left: f64,
    pub(crate) right: f64,
    pub(crate) top: f64,
    pub(crate) bottom: f64,
}

/// Room under a plot for tick labels of two lines, and of one.
pub(crate) const FOOT: f64 = 38.0;

impl Frame {
    /// Draw the value axis on the left of `room` and its grid; `labels` is the width kept for the tick labels.
    pub(crate) fn new(canvas: &mut Canvas, room: Room, x: (f64, f64), y: (f64, f64), labels: f64) -> Self {
        let (left, right) = (room.left + labels + 8.0, room.right);
        // The first and last point keep a little distance from the edges.
        let inset = ((right - left) * 0.012).clamp(2.0, 8.0);
        let frame = Self {
            x: Scale::new(x, left + inset, right - inset),
            y: Scale::new(y, room.bottom, room.top),
            left,
            right,
            top: room.top,
            bottom: room.bottom,
        };
        let ticks = value_ticks(y, room.bottom - room.top);
        for (tick, label) in ticks.iter().zip(tick_labels(&ticks)) {
            let height = frame.y.at(*tick);
            canvas.line(&[(left, height), (right, height)], if *tick == 0.0 { AXIS } else { GRID }, 1.0);
            canvas.text((left - 8.0, height + 4.0), Anchor::End, &label, SMALL);
        }
        frame
    }

    /// The x axis: base line, ticks and labels; `labels` false draws the base line and ticks only.
    pub(crate) fn time_axis(&self, canvas: &mut Canvas, axis: TimeAxis, range: (f64, f64), labels: bool) {
        let marks = match axis {
            TimeAxis::Dates => dates::marks(canvas, range, &self.x),
            TimeAxis::Steps => steps(canvas, range, &self.x),
        };
        self.axis(canvas, &marks, labels);
    }

    /// The same with these ticks.
    pub(crate) fn axis(&self, canvas: &mut Canvas, marks: &[Mark], labels: bool) {
        canvas.line(&[(self.left, self.bottom), (self.right, self.bottom)], AXIS, 1.0);
        for mark in marks {
            let x = self.x.at(mark.at);
            if x < self.left - 0.5 || x > self.right + 0.5 {
                continue;
            }
            canvas.line(&[(x, self.bottom), (x, self.bottom + 4.0)], AXIS, 1.0);
            if !labels {
                continue;
            }
            for (row, text) in [&mark.label, &mark.below].into_iter().enumerate() {
                let half = canvas.measure(text, SMALL) / 2.0;
                let centre = x.clamp(half + 2.0, (canvas.width() - half - 2.0).max(half + 2.0));
                canvas.text((centre, self.bottom + 17.0 + 15.0 * row as f64), Anchor::Middle, text, SMALL);
            }
        }
    }

    /// The points of a line in pixels, gaps kept.
    pub(crate) fn points(&self, x: &[f64], y: &[f64]) -> Vec<(f64, f64)> {
        x.iter()
            .zip(y)
            .map(
                |(&x, &y)| {
                    if x.is_finite() && y.is_finite() { (self.x.at(x), self.y.at(y)) } else { (f64::NAN, f64::NAN) }
                },
            )
            .collect()
    }

    /// An upright line over the whole height.
    pub(crate) fn upright(&self, at: f64) -> [(f64, f64); 2] {
        let x = self.x.at(at);
        [(x, self.top), (x, self.bottom)]
    }
}

/// The width that the labels of a value axis need.
pub(crate) fn label_width(_: &Canvas, y: (f64, f64), height: f64) -> f64 {
    widest_label(y, height)
}

/// The same before there is a canvas.
pub(crate) fn widest_label(y: (f64, f64), height: f64) -> f64 {
    let labels = tick_labels(&value_ticks(y, height));
    labels.iter().map(|label| measure(label, SMALL)).fold(0.0, f64::max)
}

fn value_ticks((low, high): (f64, f64), height: f64) -> Vec<f64> {
    let wanted = ((height / 48.0).round() as usize).clamp(2, 7);
    // One tick gives no scale.
    let enough = |count: usize| Some(ticks(low, high, count)).filter(|ticks| ticks.len() > 1);
    (wanted..wanted + 4).find_map(enough).unwrap_or_else(|| ticks(low, high, wanted))
}

/// A tick of the x axis with up to two lines of words.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mark {
    pub(crate) at: f64,
    pub(crate) label: String,
    pub(crate) below: String,
}

/// Do the labels of neighbouring marks keep a distance?
pub(crate) fn apart(canvas: &Canvas, marks: &[Mark], scale: &Scale) -> bool {
    let clear = |text: fn(&Mark) -> &String| {
        let mut end = f64::NEG_INFINITY;
        marks.iter().filter(|mark| !text(mark).is_empty()).all(|mark| {
            let (centre, half) = (scale.at(mark.at), canvas.measure(text(mark), SMALL) / 2.0);
            let free = centre - half >= end + 10.0;
            end = centre + half;
            free
        })
    };
    clear(|mark| &mark.label) && clear(|mark| &mark.below)
}

/// Ticks of an x axis of any numbers.
pub(crate) fn numbers(canvas: &Canvas, (low, high): (f64, f64), scale: &Scale) -> Vec<Mark> {
    for count in (1..=10).rev() {
        let places = ticks(low, high, count);
        let labels = tick_labels(&places);
        let marks = places.into_iter().zip(labels).map(|(at, label)| Mark { at, label, below: String::new() });
        let marks: Vec<Mark> = marks.filter(|mark| (low..=high).contains(&mark.at)).collect();
        if !marks.is_empty() && apart(canvas, &marks, scale) {
            return marks;
        }
    }
    Vec::new()
}

fn steps(canvas: &Canvas, (low, high): (f64, f64), scale: &Scale) -> Vec<Mark> {
    for count in (1..=10).rev() {
        let whole: Vec<f64> = ticks(low, high, count).into_iter().filter(|tick| tick.fract() == 0.0).collect();
        let places = whole.iter().zip(tick_labels(&whole));
        let marks: Vec<Mark> = places.map(|(&at, label)| Mark { at, label, below: String::new() }).collect();
        if !marks.is_empty() && apart(canvas, &marks, scale) {
            return marks;
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round() {
        assert_eq!(ticks(0.0, 1.0, 4), [0.0, 0.25, 0.5, 0.75, 1.0]);
        assert_eq!(ticks(0.0, 97_000.0, 5), [0.0, 20_000.0, 40_000.0, 60_000.0, 80_000.0]);
        assert_eq!(ticks(-3.0, 3.0, 3), [-2.0, 0.0, 2.0]);
    }

    #[test]
    fn odd_ranges_have_ticks() {
        for (low, high) in [
            (0.0, 0.0),
            (5.0, 5.0),
            (1e15, 1e15 + 1.0),
            (1e-9, 2e-9),
            (-1e300, 1e300),
            (f64::MIN, f64::MAX),
            (0.0, f64::MIN_POSITIVE),
        ] {
            let marks = ticks(low, high, 5);
            assert!(!marks.is_empty() && marks.len() < 20 && marks.iter().all(|tick| tick.is_finite()), "{low} {high}");
            assert!(Scale::new((low, high), 0.0, 100.0).at(low).is_finite());
        }
    }

    #[test]
    fn a_range_starts_at_zero_when_zero_is_near() {
        assert_eq!(value_range(10.0, 100.0).0, 0.0);
        assert!(value_range(95.0, 100.0).0 > 90.0);
        assert_eq!(value_range(7.0, 7.0).0, 3.5_f64.min(0.0));
        assert_eq!(value_range(-9.0, -1.0).1, 0.0);
    }
}
