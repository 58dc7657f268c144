//! What frames a report? Templates of minijinja. A folder of the user's takes the place of each that it holds, which may extend ours:
//! `{% extends "default/report.html" %}`.
//!
//! | template | what it gets |
//! |---|---|
//! | `report.md` | `title`, `subtitle`, `language`, `cover`, `contents`, `sections`, `sources` |
//! | `report.html` | the same, `style` |
//! | `report.typ` | for PDF, a document of typst: see `pdf/` |
//! | `slides.md` | `title`, `subtitle`, `language`, `slides` |
//! | `slides.html` | the same, `style`, `script`, `is_spoken` |
//!
//! What is called `html` or `markdown` is written and escaped already; all else is a text, which `.html` escapes by itself and `.md`
//! gets escaped.

use std::path::{Path, PathBuf};

use minijinja::{Environment, UndefinedBehavior, Value};

use super::pdf::OWN;
use crate::error::{Error, Result};
use crate::files;

/// The templates of ours.
const OURS: [(&str, &str); 4] = [
    ("report.html", include_str!("templates/report.html")),
    ("report.md", include_str!("templates/report.md.jinja")),
    ("slides.html", include_str!("templates/slides.html")),
    ("slides.md", include_str!("templates/slides.md.jinja")),
];
/// Before the name of ours, for templates that extend them.
const DEFAULT: &str = "default/";
/// Instructions that a template may take: far more than a page needs, and an end to a loop that has none.
const FUEL: u64 = 20_000_000;

/// Renders a template, the user's own where `folder` has one.
///
/// # Errors
/// When the user's template cannot be read or is broken: its file and line are named.
pub(super) fn render(folder: Option<&Path>, name: &str, context: Value) -> Result<String> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    let own = folder.map(Path::to_path_buf);
    environment.set_loader(move |name| match name.strip_prefix(DEFAULT) {
        Some(name) => Ok(ours(name)),
        None => match own.as_ref().and_then(|folder| inside(folder, name)) {
            Some(path) => match files::read_text(&path) {
                Ok(text) => Ok(Some(text)),
                Err(error) => Err(minijinja::Error::new(minijinja::ErrorKind::InvalidOperation, error.to_string())),
            },
            None => Ok(ours(name)),
        },
    });
    let rendered = environment.get_template(name).and_then(|template| template.render(context));
    rendered.map_err(|error| told(folder, name, &error))
}

/// Checks the templates of a folder, before hours of work end in a broken one.
///
/// # Errors
/// When there is no such folder, it has no template, or one does not parse.
pub(crate) fn check(folder: &Path) -> Result<()> {
    if !files::is_folder(folder) {
        return Err(Error::usage(format!("there is no folder {} with templates", folder.display())));
    }
    let own: Vec<&str> = OURS.iter().map(|(name, _)| *name).filter(|name| files::exists(&folder.join(name))).collect();
    // That for PDF is no template of minijinja.
    if own.is_empty() && !files::exists(&folder.join(OWN)) {
        let names: Vec<&str> = OURS.iter().map(|(name, _)| *name).chain([OWN]).collect();
        return Err(Error::usage(format!(
            "the folder {} has no template: one is called {}",
            folder.display(),
            names.join(", ")
        )));
    }
    let environment = Environment::new();
    own.iter().try_for_each(|name| {
        let text = files::read_text(&folder.join(name))?;
        let parsed = environment.template_from_named_str(name, &text).map(|_| ());
        parsed.map_err(|error| told(Some(folder), name, &error))
    })
}

fn ours(name: &str) -> Option<String> {
    OURS.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_string())
}

/// A file of the folder itself, or below it.
fn inside(folder: &Path, name: &str) -> Option<PathBuf> {
    let is_plain = name.split('/').all(|part| !part.is_empty() && part != "." && part != ".." && !part.contains('\\'));
    let path = folder.join(name);
    (is_plain && files::exists(&path)).then_some(path)
}

/// `templates/report.html, line 12: unknown statement fro`.
fn told(folder: Option<&Path>, name: &str, error: &minijinja::Error) -> Error {
    let name = error.name().unwrap_or(name);
    let file = match (folder, name.strip_prefix(DEFAULT)) {
        (Some(folder), None) => folder.join(name).display().to_string(),
        _ => name.to_string(),
    };
    let line = error.line().map_or(String::new(), |line| format!(", line {line}"));
    let what = error.detail().map_or_else(|| error.kind().to_string(), |detail| format!("{}: {detail}", error.kind()));
    Error::usage(format!("the template {file}{line}: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use minijinja::context;

    fn folder(name: &str, text: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(name), text).unwrap();
        folder
    }

    #[test]
    fn a_broken_template_names_file_and_line() {
        for (text, expected) in [
            ("a\n{% fro %}", "report.md, line 2: syntax error: unknown statement fro"),
            ("a\n\n{{ titel }}", "report.md, line 3: undefined value"),
            ("{% extends \"default/nothing.md\" %}", "template not found"),
            ("a\n{% for x in range(100000) %}{% for y in range(100000) %}{% endfor %}{% endfor %}", "fuel"),
        ] {
            let folder = folder("report.md", text);
            let error = render(Some(folder.path()), "report.md", context! { title => "T" }).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        let folder = folder("report.md", "{% fro %}");
        assert!(check(folder.path()).unwrap_err().to_string().contains("line 1"));
        assert!(check(&folder.path().join("none")).unwrap_err().to_string().contains("there is no folder"));
        assert!(check(tempfile::tempdir().unwrap().path()).unwrap_err().to_string().contains("has no template"));
    }

    #[test]
    fn a_template_stays_in_its_folder() {
        let home = folder("secret", "secret");
        std::fs::create_dir(home.path().join("templates")).unwrap();
        let own = home.path().join("templates");
        std::fs::write(own.join("report.md"), "{% include \"../secret\" %}").unwrap();
        let error = render(Some(&own), "report.md", context! {}).unwrap_err().to_string();
        assert!(error.contains("not found"), "{error}");
        // Ours can be extended, and html escapes.
        std::fs::write(own.join("report.html"), "{{ title }}").unwrap();
        assert_eq!(render(Some(&own), "report.html", context! { title => "<b>" }).unwrap(), "&lt;b&gt;");
    }
}
