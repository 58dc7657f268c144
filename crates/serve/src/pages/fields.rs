//! What a form or a query says, and the pieces that forms are made of.

use axum::extract::{Form, FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use maud::{Markup, html};

use super::layout::Visitor;
use crate::access::Person;
use crate::app::App;
use crate::engine::Answer;
use crate::fault::{Fault, Kind};

/// The fields of a form or a query, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields(pub Vec<(String, String)>);

/// The fields of a form that one of these pages sent, and who sent it: it carried what their pages carry.
pub(crate) struct Posted(pub Person, pub Fields);

impl FromRequestParts<App> for Fields {
    type Rejection = Fault;

    /// Those of the query.
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Fault> {
        let read = Query::<Vec<(String, String)>>::from_request_parts(parts, app).await;
        read.map(|Query(fields)| Self(fields)).map_err(|cause| Fault::new(Kind::BadRequest, cause.body_text()))
    }
}

impl Fields {
    /// Those of a form in the body.
    pub async fn posted(request: Request, app: &App) -> Result<Self, Fault> {
        match Form::<Vec<(String, String)>>::from_request(request, app).await {
            Ok(Form(fields)) => Ok(Self(fields)),
            Err(cause) if cause.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE => {
                Err(Fault::new(Kind::TooLarge, "the form holds more than is read; upload a file instead"))
            }
            Err(cause) => Err(Fault::new(Kind::Malformed, cause.body_text())),
        }
    }
}

impl FromRequest<App> for Posted {
    type Rejection = Fault;

    async fn from_request(request: Request, app: &App) -> Result<Self, Fault> {
        let (mut parts, body) = request.into_parts();
        let person = Person::from_request_parts(&mut parts, app).await?;
        let fields = Fields::posted(Request::from_parts(parts, body), app).await?;
        person.check_form(fields.text("csrf"))?;
        Ok(Self(person, fields))
    }
}

impl Fields {
    /// What a field holds, without blanks around it; empty where it is absent.
    pub fn text(&self, name: &str) -> &str {
        self.0.iter().rev().find(|(field, _)| field == name).map_or("", |(_, value)| value.trim())
    }

    /// The same; none where it is empty.
    pub fn given(&self, name: &str) -> Option<&str> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    /// Is the field there, even if it is empty?
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(field, _)| field == name)
    }

    /// All values of a field that occurs more than once.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(field, value)| field == name && !value.trim().is_empty())
            .map(|(_, value)| value.trim())
    }

    /// A number; a decimal comma is taken for a point. `label` is what the page calls the field.
    pub fn number(&self, name: &str, label: &str) -> Answer<Option<f64>> {
        self.given(name).map(|text| parse(text).ok_or_else(|| wrong(label, text, "a number"))).transpose()
    }

    /// A whole number from `least` to `most`.
    pub fn whole(&self, name: &str, label: &str, least: usize, most: usize) -> Answer<Option<usize>> {
        let read = |text: &str| match text.parse() {
            Ok(number) if (least..=most).contains(&number) => Ok(number),
            _ => Err(wrong(label, text, &format!("a whole number from {least} to {most}"))),
        };
        self.given(name).map(read).transpose()
    }
}

/// A finite number, as people write it.
pub(crate) fn parse(text: &str) -> Option<f64> {
    text.trim().replace(',', ".").replace('−', "-").parse().ok().filter(|number: &f64| number.is_finite())
}

fn wrong(label: &str, text: &str, wanted: &str) -> Fault {
    Fault::new(Kind::Invalid, format!("{label}: “{text}” is not {wanted}"))
}

/// The field that shows that a form comes from one of these pages.
pub(crate) fn csrf(visitor: &Visitor) -> Markup {
    html! { input type="hidden" name="csrf" value=(visitor.csrf); }
}

/// A field of a form with its label and a hint.
pub(crate) struct Input<'a> {
    /// The name, and the id within the page.
    pub name: &'a str,
    /// What it is called.
    pub label: &'a str,
    /// `text`, `number`, `date`, `password`.
    pub kind: &'a str,
    /// What it holds.
    pub value: &'a str,
    /// What helps to fill it in.
    pub hint: &'a str,
    /// Must it be filled in?
    pub is_required: bool,
    /// The least number.
    pub least: Option<&'a str>,
    /// The largest number.
    pub most: Option<&'a str>,
    /// What follows it: a unit.
    pub unit: &'a str,
}

impl Default for Input<'_> {
    fn default() -> Self {
        Self {
            name: "",
            label: "",
            kind: "text",
            value: "",
            hint: "",
            is_required: false,
            least: None,
            most: None,
            unit: "",
        }
    }
}

impl Input<'_> {
    /// As HTML.
    pub fn show(&self) -> Markup {
        let hint = format!("{}-hint", self.name);
        let step = (self.kind == "number").then_some("any");
        html! {
            div.field {
                label for=(self.name) { (self.label) @if !self.unit.is_empty() { span.unit { " (" (self.unit) ")" } } }
                input id=(self.name) name=(self.name) type=(self.kind) value=(self.value) step=[step] min=[self.least] max=[self.most]
                    required[self.is_required] autocomplete="off" aria-describedby=[(!self.hint.is_empty()).then_some(&hint)];
                @if !self.hint.is_empty() { p.hint id=(hint) { (self.hint) } }
            }
        }
    }
}

/// A list to choose one from: values with their words.
pub(crate) fn select(name: &str, label: &str, chosen: &str, options: &[(String, String)], hint: &str) -> Markup {
    let described = format!("{name}-hint");
    html! {
        div.field {
            label for=(name) { (label) }
            select id=(name) name=(name) aria-describedby=[(!hint.is_empty()).then_some(&described)] {
                @for (value, words) in options { option value=(value) selected[value == chosen] { (words) } }
            }
            @if !hint.is_empty() { p.hint id=(described) { (hint) } }
        }
    }
}

/// Why something that was asked for was not done, above the form; announced at once.
pub(crate) fn refusal(fault: &Fault) -> Markup {
    html! {
        div.note.bad role="alert" tabindex="-1" data-focus {
            p { strong { (fault.kind.title()) "." } " " (super::words::sentence(&fault.detail)) }
        }
    }
}

/// What was done, above the page.
pub(crate) fn done(sentence: &str) -> Markup {
    html! { @if !sentence.is_empty() { div.note.good role="status" { p { (sentence) } } } }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &[(&str, &str)]) -> Fields {
        Fields(text.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect())
    }

    #[test]
    fn fields_are_read_as_people_write_them() {
        let fields = fields(&[("a", " 1,5 "), ("b", ""), ("c", "x"), ("d", "9"), ("a2", "−3"), ("e", "inf")]);
        assert_eq!(fields.number("a", "A").unwrap(), Some(1.5));
        assert_eq!(fields.number("a2", "A").unwrap(), Some(-3.0));
        assert_eq!(fields.number("b", "B").unwrap(), None);
        assert_eq!(fields.number("c", "Cost").unwrap_err().detail, "Cost: “x” is not a number");
        assert!(fields.number("e", "E").is_err());
        assert_eq!(fields.whole("d", "D", 1, 9).unwrap(), Some(9));
        assert!(fields.whole("d", "D", 1, 8).is_err());
    }

    #[test]
    fn fields_escape_what_they_hold() {
        let evil = r#"<b>"'&"#;
        let text = Input { name: "x", label: evil, value: evil, hint: evil, ..Input::default() }.show().into_string();
        let list = select("y", evil, evil, &[(evil.into(), evil.into())], evil).into_string();
        assert!(!text.contains("<b>") && !list.contains("<b>"));
        assert!(text.contains(r#"value="&lt;b&gt;&quot;'&amp;""#), "{text}");
    }
}
