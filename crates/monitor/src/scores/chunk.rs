//! How do the scores of a block of series at one date lie in a row?
//!
//! Column by column: the actual of each series, then for each series and step the error (forecast − actual), the absolute
//! error over the scale of the series, the mean pinball loss over the levels, and whether the actual lay in the outermost
//! interval. Errors are kept whole (64 bits), the two derived numbers with 7 digits (32 bits): a week of thirty thousand
//! series and 13 steps takes 7 MB instead of 12.

use crate::error::Result;
use crate::store::BLOCK;
use crate::store::blobs::broken;

/// Series of a block.
pub(super) const SERIES: usize = BLOCK as usize;
/// Bytes of a series and step.
const CELL: usize = 8 + 4 + 4 + 1;

/// Where an actual lay, seen from the outermost interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Place {
    /// There was no interval.
    Unknown = 0,
    Inside = 1,
    Below = 2,
    Above = 3,
}

/// There is no score.
const NONE: u8 = 255;

/// The error of one forecast of one series at one date.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    pub actual: f64,
    /// Forecast − actual.
    pub error: f64,
    /// The absolute error over the scale that was given with the issue; NaN where that was not above 0.
    pub scaled: f32,
    /// The mean pinball loss over the levels; NaN without levels.
    pub pinball: f32,
    /// Where the actual lay, seen from the outermost interval.
    pub place: Place,
}

impl Score {
    /// The score of `values`, a mean and its quantiles, against an actual; none where the mean is no number.
    pub(super) fn of(actual: f64, scale: f64, levels: &[f64], values: &[f64]) -> Option<Self> {
        let (mean, quantiles) = values.split_first()?;
        let error = mean - actual;
        if !error.is_finite() {
            return None;
        }
        let loss = |(level, quantile): (&f64, &f64)| {
            if actual >= *quantile { level * (actual - quantile) } else { (1.0 - level) * (quantile - actual) }
        };
        let pinball = levels.iter().zip(quantiles).map(loss).sum::<f64>() / levels.len() as f64;
        let outermost = match (levels.first(), levels.last(), quantiles.first(), quantiles.last()) {
            (Some(low), Some(high), Some(from), Some(to)) if *low < 0.5 && *high > 0.5 => Some((*from, *to)),
            _ => None,
        };
        let place = match outermost {
            Some((from, _)) if actual < from => Place::Below,
            Some((_, to)) if actual > to => Place::Above,
            Some((from, to)) if from <= actual && actual <= to => Place::Inside,
            _ => Place::Unknown,
        };
        let scaled = if scale > 0.0 { error.abs() / scale } else { f64::NAN };
        Some(Self { actual, error, scaled: scaled as f32, pinball: pinball as f32, place })
    }
}

/// The scores of a block at one date.
pub(super) struct Chunk {
    pub steps: usize,
    pub actuals: Vec<f64>,
    errors: Vec<f64>,
    scaled: Vec<f32>,
    pinball: Vec<f32>,
    places: Vec<u8>,
}

impl Chunk {
    pub fn new(steps: usize) -> Self {
        let cells = steps * SERIES;
        Self {
            steps,
            actuals: vec![f64::NAN; SERIES],
            errors: vec![0.0; cells],
            scaled: vec![0.0; cells],
            pinball: vec![0.0; cells],
            places: vec![NONE; cells],
        }
    }

    /// Keeps a score of the series at `place` in the block, in place of one that was there.
    pub fn put(&mut self, place: usize, step: usize, score: &Score) {
        let at = place * self.steps + step;
        if let (Some(error), Some(scaled), Some(pinball), Some(kept)) =
            (self.errors.get_mut(at), self.scaled.get_mut(at), self.pinball.get_mut(at), self.places.get_mut(at))
        {
            (*error, *scaled, *pinball, *kept) = (score.error, score.scaled, score.pinball, score.place as u8);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.places.iter().all(|place| *place == NONE)
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(8 * SERIES + CELL * self.places.len());
        bytes.extend(self.actuals.iter().flat_map(|value| value.to_le_bytes()));
        bytes.extend(self.errors.iter().flat_map(|value| value.to_le_bytes()));
        bytes.extend(self.scaled.iter().flat_map(|value| value.to_le_bytes()));
        bytes.extend(self.pinball.iter().flat_map(|value| value.to_le_bytes()));
        bytes.extend(&self.places);
        bytes
    }
}

/// The same, read where it lies.
pub(super) struct Read<'a> {
    steps: usize,
    actuals: &'a [[u8; 8]],
    errors: &'a [[u8; 8]],
    scaled: &'a [[u8; 4]],
    pinball: &'a [[u8; 4]],
    places: &'a [u8],
}

impl<'a> Read<'a> {
    pub fn new(bytes: &'a [u8], steps: i64) -> Result<Self> {
        let steps = usize::try_from(steps).map_err(|_| broken())?;
        // Eight bytes are the most that a cell has.
        let cells = SERIES.checked_mul(steps).filter(|cells| cells.checked_mul(8).is_some()).ok_or_else(broken)?;
        let mut rest = bytes;
        let mut take = |bytes: usize| -> Result<&'a [u8]> {
            let (head, tail) = rest.split_at_checked(bytes).ok_or_else(broken)?;
            rest = tail;
            Ok(head)
        };
        Ok(Self {
            steps,
            actuals: take(8 * SERIES)?.as_chunks().0,
            errors: take(8 * cells)?.as_chunks().0,
            scaled: take(4 * cells)?.as_chunks().0,
            pinball: take(4 * cells)?.as_chunks().0,
            places: take(cells)?,
        })
    }

    /// Each score that is there: place in the block, step, score.
    pub fn each(&self, mut each: impl FnMut(usize, usize, Score)) {
        let cells = self.places.iter().zip(self.errors).zip(self.scaled.iter().zip(self.pinball));
        let mut cells = cells;
        for (place, actual) in self.actuals.iter().enumerate() {
            let actual = f64::from_le_bytes(*actual);
            for (step, ((kept, error), (scaled, pinball))) in cells.by_ref().take(self.steps).enumerate() {
                let kept = match kept {
                    0 => Place::Unknown,
                    1 => Place::Inside,
                    2 => Place::Below,
                    3 => Place::Above,
                    _ => continue,
                };
                let score = Score {
                    actual,
                    error: f64::from_le_bytes(*error),
                    scaled: f32::from_le_bytes(*scaled),
                    pinball: f32::from_le_bytes(*pinball),
                    place: kept,
                };
                each(place, step, score);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Pinball losses: 0.1 × (12 − 7) of the lower quantile, 0.1 × (15 − 12) of the upper.
    #[test]
    fn a_score_by_hand() {
        let score = Score::of(12.0, 2.0, &[0.1, 0.9], &[10.0, 7.0, 15.0]).unwrap();
        assert_eq!((score.error, score.scaled, score.place), (-2.0, 1.0, Place::Inside));
        assert!((score.pinball - 0.4).abs() < 1e-6);
        let above = Score::of(16.0, 0.0, &[0.1, 0.9], &[10.0, 7.0, 15.0]).unwrap();
        assert!(above.scaled.is_nan() && above.place == Place::Above);
        let bare = Score::of(16.0, 1.0, &[], &[10.0]).unwrap();
        assert!(bare.pinball.is_nan() && bare.place == Place::Unknown);
        assert_eq!(Score::of(16.0, 1.0, &[], &[f64::NAN]), None);
        assert_eq!(Score::of(16.0, 1.0, &[], &[]), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            steps in 1_usize..6,
            cells in prop::collection::vec((0_usize..SERIES, 0_usize..6, -1e9_f64..1e9, 0_f32..10.0, 0_u8..4), 0..50),
        ) {
            let mut chunk = Chunk::new(steps);
            let mut expected = std::collections::BTreeMap::new();
            for (place, step, error, scaled, kept) in cells.into_iter().filter(|cell| cell.1 < steps) {
                let kept = [Place::Unknown, Place::Inside, Place::Below, Place::Above][kept as usize];
                chunk.actuals[place] = place as f64;
                let score = Score { actual: place as f64, error, scaled, pinball: scaled + 1.0, place: kept };
                chunk.put(place, step, &score);
                expected.insert((place, step), score);
            }
            prop_assert_eq!(chunk.is_empty(), expected.is_empty());
            let bytes = chunk.bytes();
            let mut found = std::collections::BTreeMap::new();
            Read::new(&bytes, steps as i64).unwrap().each(|place, step, score| { found.insert((place, step), score); });
            prop_assert_eq!(found, expected);
            prop_assert!(Read::new(&bytes[1..], steps as i64).is_err());
        }

        #[test]
        fn nothing_is_read_beyond_the_end(bytes in prop::collection::vec(any::<u8>(), 0..9000), steps in any::<i64>()) {
            if let Ok(read) = Read::new(&bytes, steps) {
                read.each(|place, step, _| assert!(place < SERIES && (step as i64) < steps));
            }
        }
    }
}
