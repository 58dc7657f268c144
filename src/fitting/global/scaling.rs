//! How are series of different size brought to one scale?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::panel::normalise::Scale;

/// How series are scaled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scaling {
    /// Divided by the mean of the series.
    #[default]
    Level,
    /// Standardised: less the mean of the series, divided by its standard deviation.
    Standard,
    /// Not at all.
    None,
}

/// The scale of a series: a value is `centre + size · scaled value`, after the panel's transformation.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct SeriesScale {
    pub transformation: Scale,
    pub centre: f64,
    pub size: f64,
}

impl Scaling {
    /// The scale of a series with these transformed values.
    pub(super) fn scale(self, transformation: Scale, values: &[f64]) -> SeriesScale {
        let there = || values.iter().copied().filter(|y| !y.is_nan());
        let n = there().count().max(1) as f64;
        // In units of the largest value, so that no sum overflows.
        let max = there().fold(0.0, |max: f64, y| max.max(y.abs())).max(f64::MIN_POSITIVE);
        let mean = max * (there().map(|y| y / max).sum::<f64>() / n);
        let size = max * (there().map(|y| (y / max).abs()).sum::<f64>() / n);
        let or_one = |size: f64| if size > 0.0 && size.is_finite() { size } else { 1.0 };
        match (self, transformation) {
            (Self::None, _) => SeriesScale { transformation, centre: 0.0, size: 1.0 },
            (Self::Level, Scale::Same) => SeriesScale { transformation, centre: 0.0, size: or_one(size) },
            (Self::Level, _) => SeriesScale { transformation, centre: mean, size: 1.0 },
            (Self::Standard, _) => {
                let sd = max * (there().map(|y| (y / max - mean / max).powi(2)).sum::<f64>() / n).sqrt();
                SeriesScale { transformation, centre: mean, size: or_one(sd) }
            }
        }
    }
}

impl SeriesScale {
    /// A value of the data, scaled.
    pub fn scaled(&self, y: f64) -> f64 {
        (self.transformation.forward(y) - self.centre) / self.size
    }

    /// A scaled value on the model's scale: transformed, not scaled.
    pub fn unscaled(&self, value: f64) -> f64 {
        self.centre + self.size * value
    }

    /// Is the model's scale the data scale?
    pub fn is_untransformed(&self) -> bool {
        self.transformation == Scale::Same
    }

    /// The logarithm of the level, which tells large series from small ones.
    pub fn log_level(&self) -> f64 {
        if self.is_untransformed() { self.size.max(1e-300).ln() } else { self.centre }
    }

    /// The level that fits report.
    pub fn level(&self) -> f64 {
        self.centre + if self.centre == 0.0 { self.size } else { 0.0 }
    }
}
