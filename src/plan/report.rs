//! How a plan's report is written: for whom, in which currency or unit.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Plan;
use crate::error::{Error, Result, suggestion};
use crate::report::{Report, pdf_ready};
use crate::show::wording::Wording;

/// Whom a report is for: which sections it has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum Audience {
    /// All of them: the first page, sections, and an appendix with the evidence.
    #[default]
    All,
    /// The first page, what comes, what to do, limits.
    Director,
    /// The same with accuracy and the data.
    Planner,
    /// All, the evidence before the forecast.
    Analyst,
}

/// What a report is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Markdown, with its pictures beside it.
    Md,
    /// One self-contained page.
    Html,
    /// PDF.
    Pdf,
    /// Slides as Markdown for Marp and as one self-contained page, and as PDF where that is asked for too.
    Slides,
    /// Slides for office programs.
    Pptx,
    /// One self-contained page to explore.
    Dashboard,
}

const FORMATS: [(&str, Format); 6] = [
    ("md", Format::Md),
    ("html", Format::Html),
    ("pdf", Format::Pdf),
    ("slides", Format::Slides),
    ("pptx", Format::Pptx),
    ("dashboard", Format::Dashboard),
];

impl Plan {
    /// What the report is written as.
    ///
    /// # Errors
    /// When a format is unknown; the nearest is suggested; when PDF is asked for and the program was built without it.
    pub fn formats(&self) -> Result<Vec<Format>> {
        let named = |name: &&str| {
            let found = FORMATS.iter().find(|(known, _)| known == name).map(|(_, format)| *format);
            found.ok_or_else(|| {
                let near = suggestion(name, FORMATS.iter().map(|(known, _)| *known));
                Error::usage(format!("a report is not written as `{name}`{near}"))
            })
        };
        let formats: Vec<Format> = self.format.names().iter().map(named).collect::<Result<_>>()?;
        // Hours of work should not end in a page that cannot be written.
        if formats.contains(&Format::Pdf) {
            pdf_ready()?;
        }
        Ok(formats)
    }

    /// An empty report, framed and worded as the plan says.
    ///
    /// # Errors
    /// When the plan's locale or names are none.
    pub(crate) fn blank_report(&self) -> Result<Report> {
        let report = Report::new(&self.title).paper(self.paper).worded(self.locale.as_deref(), self.names()?)?;
        Ok(match &self.templates {
            Some(folder) => report.templates(folder),
            None => report,
        })
    }

    /// How a page for the plan's readers writes numbers and columns.
    ///
    /// # Errors
    /// When the plan's locale or names are none.
    pub(crate) fn wording(&self) -> Result<Wording> {
        Wording::new(self.locale.as_deref(), self.names()?)
    }

    /// The names that readers see for columns.
    fn names(&self) -> Result<Vec<(String, String)>> {
        let stated = self.names.as_deref().unwrap_or_default();
        let pairs = stated.split([',', ';']).map(str::trim).filter(|pair| !pair.is_empty());
        pairs
            .map(|pair| match pair.split_once('=') {
                Some((column, name)) => Ok((column.trim().to_string(), name.trim().to_string())),
                None => Err(Error::usage(format!(
                    "`{pair}` names no column for readers: a column, `=` and a name, such as Weekly_Sales=Sales"
                ))),
            })
            .collect()
    }

    /// What is measured, with its currency or unit: `Sales, $`.
    pub(crate) fn measured(&self, target: &str) -> String {
        let stated = [&self.currency, &self.unit].into_iter().flatten().map(|text| text.trim());
        stated.filter(|text| !text.is_empty()).fold(target.to_string(), |all, text| format!("{all}, {text}"))
    }

    /// An amount with the plan's currency before it, or its unit behind.
    pub(crate) fn quantity(&self, amount: &str) -> String {
        let currency = self.currency.as_deref().unwrap_or_default().trim();
        let (sign, size) = amount.strip_prefix('−').map_or(("", amount), |size| ("−", size));
        // A code or a word stands apart, a sign does not.
        let gap = if currency.ends_with(char::is_alphabetic) { " " } else { "" };
        let amount = format!("{sign}{currency}{gap}{size}");
        match self.unit.as_deref().unwrap_or_default().trim() {
            "" => amount,
            unit => format!("{amount} {unit}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_a_currency_or_a_unit() {
        let plan = |currency: &str, unit: &str| Plan {
            currency: Some(currency.into()),
            unit: Some(unit.into()),
            ..Plan::default()
        };
        let cases = [
            ("$", "", "−$5"),
            ("EUR", "", "−EUR 5"),
            ("", "pieces", "−5 pieces"),
            ("US$", "", "−US$5"),
            ("", "", "−5"),
        ];
        for (currency, unit, expected) in cases {
            assert_eq!(plan(currency, unit).quantity("−5"), expected);
        }
    }
}
