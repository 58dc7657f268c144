//! What happens before and after an event? A dot with its interval for each step around it, and the size of what happens without one.

use super::axes::{Frame, Room, label_width, value_range};
use super::canvas::{Anchor, Canvas, Colour, Words};
use super::data::Data;
use super::layout::{self, AXIS, BLUE, GREY, INK, Key, MARGIN, SMALL, short, signed};
use super::{Drawing, Figure, TimeAxis};
use crate::show::Table;

/// An effect whose interval holds zero.
const OPEN: Colour = Colour(140, 177, 204);
const BAND: Colour = Colour(226, 229, 233);

/// The effect by step around an event.
#[derive(Clone, Debug)]
pub struct Around {
    /// The title.
    pub title: String,
    /// The quantity and its unit.
    pub value: String,
    /// The unit of the steps: `days from Christmas`.
    pub foot: String,
    /// Steps from the event, effect, lower and upper end of its interval.
    pub effects: Vec<(i64, f64, f64, f64)>,
    /// The typical size of the same estimate where there is no event: a grey band around zero.
    pub placebo: Option<f64>,
}

impl Around {
    /// The figure.
    pub fn figure(self) -> Figure {
        Figure::new(self)
    }

    fn placebo(&self) -> Option<f64> {
        self.placebo.map(f64::abs).filter(|size| size.is_finite() && *size > 0.0)
    }

    fn legend(&self) -> Vec<(Key, String)> {
        let (mut clear, mut open) = (false, false);
        for (_, at, low, high) in self.effects.iter().filter(|effect| effect.1.is_finite()) {
            *if apart(*at, *low, *high) { &mut clear } else { &mut open } = true;
        }
        let mut legend = Vec::new();
        if clear {
            legend.push((Key::Dots(BLUE), "interval excludes 0".to_string()));
        }
        if open {
            legend.push((Key::Dots(OPEN), "interval includes 0".to_string()));
        }
        if self.placebo().is_some() {
            legend.push((Key::Patch(BAND), "usual size without an event".to_string()));
        }
        legend
    }

    /// The effect farthest from zero whose interval leaves zero out.
    fn peak(&self) -> Option<&(i64, f64, f64, f64)> {
        let clear = self.effects.iter().filter(|(_, at, low, high)| apart(*at, *low, *high));
        clear.max_by(|one, other| one.1.abs().total_cmp(&other.1.abs()))
    }
}

/// Does the interval leave zero out?
fn apart(at: f64, low: f64, high: f64) -> bool {
    at.is_finite() && (low > 0.0 || high < 0.0)
}

impl Drawing for Around {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn alt(&self) -> String {
        let there: Vec<_> = self.effects.iter().filter(|effect| effect.1.is_finite()).collect();
        let (Some(first), Some(last)) = (there.first(), there.last()) else {
            return format!("{}: no data.", self.value);
        };
        let clear = there.iter().filter(|(_, at, low, high)| apart(*at, *low, *high)).count();
        let peak = self.peak().map_or(String::new(), |(step, at, low, high)| {
            format!("; the largest is {} ({} to {}) at {}", signed(*at), signed(*low), signed(*high), step_words(*step))
        });
        let placebo = self
            .placebo()
            .map_or(String::new(), |size| format!(". Without an event its usual size is {}", short(size)));
        format!(
            "{} from {} to {}, {}: the interval excludes 0 at {clear} of {} steps{peak}{placebo}.",
            self.value,
            step_words(first.0),
            step_words(last.0),
            self.foot,
            there.len(),
        )
    }

    fn height(&self, width: f64) -> f64 {
        layout::head(width, &self.title, &self.value, &self.legend()) + 290.0
    }

    fn data(&self) -> Table {
        let data = Data::default()
            .numbers("step", self.effects.iter().map(|effect| effect.0 as f64))
            .numbers("effect", self.effects.iter().map(|effect| effect.1))
            .numbers("lower", self.effects.iter().map(|effect| effect.2))
            .numbers("upper", self.effects.iter().map(|effect| effect.3));
        let data = match self.placebo {
            Some(size) => data.numbers("usual size without an event", self.effects.iter().map(|_| size)),
            None => data,
        };
        data.table(&self.title)
    }

    fn draw(&self, canvas: &mut Canvas) {
        let top = layout::title(canvas, &self.title);
        let top = layout::subtitle(canvas, top, &self.value, &self.legend());
        let there: Vec<_> = self.effects.iter().filter(|effect| effect.1.is_finite()).collect();
        let ends: Vec<f64> = there.iter().flat_map(|effect| [effect.1, effect.2, effect.3]).collect();
        let steps: Vec<f64> = there.iter().map(|effect| effect.0 as f64).collect();
        let (Some((first, last)), Some((low, high))) = (layout::span(&steps), layout::span(&ends)) else {
            return layout::no_data(canvas, (canvas.width() / 2.0, (top + canvas.height()) / 2.0));
        };
        let band = self.placebo().unwrap_or(0.0);
        let (low, high) = (low.min(-band), high.max(band));
        let y = value_range(low.min(0.0), high.max(0.0));
        let range = (first - 0.5, last + 0.5);
        let (right, bottom) = (canvas.width() - MARGIN, canvas.height() - 46.0);
        let room = Room { left: MARGIN, right, top: top + 16.0, bottom };
        let labels = label_width(canvas, y, room.bottom - room.top);
        let frame = Frame::new(canvas, room, range, y, labels);
        if band > 0.0 {
            canvas.rect((frame.left, frame.y.at(band)), (frame.right, frame.y.at(-band)), BAND);
        }
        let zero = frame.y.at(0.0);
        canvas.line(&[(frame.left, zero), (frame.right, zero)], AXIS, 1.5);
        if (first..=last).contains(&0.0) {
            canvas.dashed(&frame.upright(0.0), GREY, 1.0, 3.0, 3.0);
        }
        let slot = (frame.right - frame.left) / (last - first + 1.0);
        let (radius, width) = ((slot * 0.3).clamp(1.25, 4.0), (slot * 0.25).clamp(0.75, 2.5));
        for (step, at, low, high) in &there {
            let (x, colour) = (frame.x.at(*step as f64), if apart(*at, *low, *high) { BLUE } else { OPEN });
            if low.is_finite() && high.is_finite() {
                canvas.line(&[(x, frame.y.at(*low)), (x, frame.y.at(*high))], colour, width);
            }
            canvas.dot((x, frame.y.at(*at)), radius, colour);
        }
        if let Some((step, at, low, high)) = self.peak() {
            // Beyond the end of the interval, where no dot is.
            let end = if *at > 0.0 { at.max(*high) } else { at.min(*low) };
            let words = Words { size: 12.0, bold: true, colour: INK };
            let text = signed(*at);
            let half = canvas.measure(&text, words) / 2.0;
            let x = frame.x.at(*step as f64).clamp(frame.left + half, frame.right - half);
            let y = frame.y.at(end) + if *at > 0.0 { -6.0 } else { 15.0 };
            let y = y.clamp(frame.top - 4.0, frame.bottom - 6.0);
            layout::tag(canvas, (x, y), Anchor::Middle, &text, words);
        }
        frame.time_axis(canvas, TimeAxis::Steps, range, true);
        let foot = canvas.fit(&self.foot, SMALL, frame.right - MARGIN);
        let half = canvas.measure(&foot, SMALL) / 2.0;
        let middle = f64::midpoint(frame.left, frame.right).min(frame.right - half);
        canvas.text((middle, frame.bottom + 36.0), Anchor::Middle, &foot, SMALL);
    }
}

fn step_words(step: i64) -> String {
    match step {
        0 => "0".into(),
        step => signed(step as f64),
    }
}
