//! Which components a model has, and which models a pattern such as `ZZZ` or `MAdM` stands for.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// How a component enters the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Kind {
    None,
    Additive,
    Multiplicative,
}

use Kind::{Additive, Multiplicative, None as Absent};

impl Kind {
    fn letter(self) -> char {
        match self {
            Absent => 'N',
            Additive => 'A',
            Multiplicative => 'M',
        }
    }

    fn of(letter: char) -> Option<Self> {
        [Absent, Additive, Multiplicative].into_iter().find(|kind| kind.letter() == letter)
    }
}

/// The components of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Form {
    /// Are errors relative to the forecast?
    pub relative: bool,
    pub trend: Kind,
    pub damped: bool,
    pub seasonal: Kind,
}

impl Form {
    /// Simple exponential smoothing.
    pub const SIMPLE: Self = Self { relative: false, trend: Absent, damped: false, seasonal: Absent };
    /// Holt's linear trend.
    pub const HOLT: Self = Self { trend: Additive, ..Self::SIMPLE };

    /// As the field writes it: `ETS(M,Ad,M)`.
    pub fn name(self) -> String {
        let error = if self.relative { 'M' } else { 'A' };
        let damped = if self.damped { "d" } else { "" };
        format!("ETS({error},{}{damped},{})", self.trend.letter(), self.seasonal.letter())
    }

    pub fn has_trend(self) -> bool {
        self.trend != Absent
    }

    pub fn is_seasonal(self) -> bool {
        self.seasonal != Absent
    }

    /// Does it make sense for positive values only?
    pub fn needs_positive(self) -> bool {
        self.relative || self.trend == Multiplicative || self.seasonal == Multiplicative
    }

    /// Is it among those that a choice may fall on? An additive error beside a multiplicative component divides by
    /// states that may come close to zero, and ETS(M,M,A) mixes scales.
    fn stable(self) -> bool {
        match self.relative {
            false => self.trend != Multiplicative && self.seasonal != Multiplicative,
            true => !(self.trend == Multiplicative && self.seasonal == Additive),
        }
    }

    /// Smoothing parameters and free initial states: what R counts, less the variance.
    pub fn parameters(self, season: usize) -> usize {
        let trend = if self.has_trend() { 2 + usize::from(self.damped) } else { 0 };
        let seasonal = if self.is_seasonal() { season } else { 0 };
        2 + trend + seasonal
    }
}

/// What is asked of each component; none where it is to be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    relative: Option<bool>,
    trend: Option<(Kind, bool)>,
    seasonal: Option<Kind>,
}

impl Pattern {
    /// Reads three letters for error, trend and season, `Z` for what is to be chosen, the second perhaps followed by
    /// `d`.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = || {
            Error::usage(format!(
                "`{text}` is no model of ets: give error (A, M or Z), trend (N, A, Ad, M, Md or Z) and season (N, A, M \
                 or Z), as in MAdM; Z stands for what is to be chosen"
            ))
        };
        let letters: Vec<char> = text.chars().collect();
        let (error, trend, damped, seasonal) = match letters[..] {
            [error, trend, seasonal] => (error, trend, false, seasonal),
            [error, trend, 'd', seasonal] if trend == 'A' || trend == 'M' => (error, trend, true, seasonal),
            _ => return Err(wrong()),
        };
        let part = |letter: char| match letter {
            'Z' => Ok(None),
            letter => Kind::of(letter).map(Some).ok_or_else(wrong),
        };
        let relative = match part(error)? {
            Some(Absent) => return Err(wrong()),
            kind => kind.map(|kind| kind == Multiplicative),
        };
        Ok(Self { relative, trend: part(trend)?.map(|kind| (kind, damped)), seasonal: part(seasonal)? })
    }

    /// The one model that is left, if nothing is to be chosen.
    pub fn fixed(self) -> Option<Form> {
        let (trend, damped) = self.trend?;
        Some(Form { relative: self.relative?, trend, damped, seasonal: self.seasonal? })
    }

    /// Is a season asked for by name?
    pub fn demands_season(self) -> bool {
        matches!(self.seasonal, Some(Additive | Multiplicative))
    }

    /// Is the trend to be chosen?
    pub fn chooses_trend(self) -> bool {
        self.trend.is_none()
    }

    /// Is anything multiplicative asked for by name?
    pub fn demands_positive(self) -> bool {
        self.relative == Some(true)
            || matches!(self.trend, Some((Multiplicative, _)))
            || self.seasonal == Some(Multiplicative)
    }

    /// Smoothing parameters and first states of what is asked for by name; what is to be chosen counts for nothing.
    pub fn least_parameters(self, season: usize) -> usize {
        let (trend, damped) = self.trend.unwrap_or((Absent, false));
        Form { relative: false, trend, damped, seasonal: self.seasonal.unwrap_or(Absent) }.parameters(season)
    }

    /// The models to choose among, each after those that it extends.
    pub fn forms(self, choice: Choice) -> Vec<Form> {
        let all = |given: Option<Kind>| match given {
            Some(kind) => vec![kind],
            None => vec![Absent, Additive, Multiplicative],
        };
        let mut trends = self.trend.map_or_else(
            || {
                vec![
                    (Absent, false),
                    (Additive, false),
                    (Additive, true),
                    (Multiplicative, false),
                    (Multiplicative, true),
                ]
            },
            |trend| vec![trend],
        );
        if self.trend.is_none() {
            trends.retain(|(kind, damped)| {
                (choice.multiplicative_trend || *kind != Multiplicative)
                    && choice.damped.is_none_or(|asked| asked == *damped)
            });
        }
        let mut forms = Vec::new();
        for seasonal in all(self.seasonal) {
            for relative in self.relative.map_or_else(|| vec![false, true], |relative| vec![relative]) {
                for &(trend, damped) in &trends {
                    forms.push(Form { relative, trend, damped, seasonal });
                }
            }
        }
        let fixed = self.fixed();
        forms.retain(|form| {
            (fixed.is_some() || form.stable())
                && (choice.seasonal || !form.is_seasonal())
                && (choice.multiplicative || !form.needs_positive())
        });
        forms
    }
}

/// What limits a choice.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice {
    /// Must trends be damped (or undamped)?
    pub damped: Option<bool>,
    pub multiplicative_trend: bool,
    /// May there be anything multiplicative?
    pub multiplicative: bool,
    /// May there be a season?
    pub seasonal: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: Choice = Choice { damped: None, multiplicative_trend: false, multiplicative: true, seasonal: true };

    fn names(pattern: &str, choice: Choice) -> Vec<String> {
        Pattern::parse(pattern).unwrap().forms(choice).into_iter().map(Form::name).collect()
    }

    #[test]
    fn patterns_stand_for_the_models_that_r_tries() {
        assert_eq!(names("ZZZ", ANY).len(), 15);
        assert_eq!(names("ZZZ", Choice { multiplicative_trend: true, ..ANY }).len(), 19);
        assert_eq!(names("ZZZ", Choice { multiplicative: false, ..ANY }).len(), 6);
        assert_eq!(names("ZZZ", Choice { seasonal: false, ..ANY }).len(), 6);
        assert_eq!(names("ZZZ", Choice { damped: Some(true), ..ANY }).len(), 5);
        assert_eq!(names("MAdM", ANY), ["ETS(M,Ad,M)"]);
        assert_eq!(names("AAM", ANY), ["ETS(A,A,M)"]);
        assert_eq!(names("ZNN", ANY), ["ETS(A,N,N)", "ETS(M,N,N)"]);
        assert_eq!(names("AZA", ANY), ["ETS(A,N,A)", "ETS(A,A,A)", "ETS(A,Ad,A)"]);
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "AA", "NNN", "AZdN", "ANdN", "AAAN", "aan", "AAdX", "ÄÄÄ"] {
            assert!(Pattern::parse(text).unwrap_err().is_usage(), "{text}");
        }
    }
}
