//! What all pages share: head, way around, who is signed in, foot.

use maud::{DOCTYPE, Markup, html};

use super::fields::csrf;
use crate::access::{Person, Role};
use crate::app::App;

/// Who looks at a page, and what they may do.
#[derive(Clone, Debug, Default)]
pub(crate) struct Visitor {
    /// Their name; empty where nobody is signed in.
    pub name: String,
    /// Their role in a word.
    pub role: String,
    /// What their forms carry.
    pub csrf: String,
    /// May they change forecasts and start work?
    pub may_plan: bool,
    /// May they change which model is in use?
    pub may_manage: bool,
    /// Can they sign out? Not where the server asks nobody who they are.
    pub may_leave: bool,
    /// The version of the program, for the foot.
    pub version: String,
}

impl Visitor {
    /// Whoever asks, as the pages call them.
    pub fn of(app: &App, person: Option<&Person>) -> Self {
        let version = app.settings().version.clone();
        let Some(person) = person else { return Self { version, ..Self::default() } };
        let is_local = app.is_open() && !person.is_signed_in;
        Self {
            name: if is_local { "This machine".into() } else { person.name.clone() },
            role: if is_local { "nobody signs in".into() } else { person.role.name().into() },
            csrf: person.csrf.clone().unwrap_or_default(),
            may_plan: person.role >= Role::Planner,
            may_manage: person.role >= Role::Operator,
            may_leave: person.is_signed_in,
            version,
        }
    }
}

/// The pages in the order of the menu.
const MENU: &[(&str, &str)] = &[
    ("/", "Overview"),
    ("/explore", "Explore"),
    ("/upload", "Upload"),
    ("/jobs", "Jobs"),
    ("/dashboard", "Dashboard"),
    ("/decisions", "Decisions"),
    ("/overrides", "Overrides"),
    ("/runs", "Runs"),
    ("/monitoring", "Monitoring"),
    ("/api", "API"),
];

/// A page as it is about to be laid out.
#[derive(Debug, Default)]
pub(crate) struct Sheet<'a> {
    /// The title of the page and its first heading.
    pub title: &'a str,
    /// The entry of the menu that it belongs to, by its path.
    pub place: &'a str,
    /// One sentence below the heading.
    pub lead: &'a str,
    /// Seconds after which a browser without scripts loads it again.
    pub reload: Option<u32>,
    /// Does it take the whole width?
    pub is_wide: bool,
}

impl Sheet<'_> {
    /// The whole document.
    pub fn show(&self, visitor: &Visitor, body: &Markup) -> Markup {
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    @if !visitor.csrf.is_empty() { meta name="csrf-token" content=(visitor.csrf); }
                    title { (self.title) " · Tradewind" }
                    link rel="stylesheet" href=(super::assets::STYLE.path());
                    link rel="icon" type="image/svg+xml" href=(super::assets::ICON.path());
                    script src=(super::assets::SCRIPT.path()) defer {}
                    @if let Some(seconds) = self.reload {
                        noscript { meta http-equiv="refresh" content=(seconds); }
                    }
                }
                body {
                    a.skip href="#main" { "Skip to the content" }
                    (self.header(visitor))
                    main #main tabindex="-1" .wide[self.is_wide] {
                        h1 dir="auto" { (self.title) }
                        @if !self.lead.is_empty() { p.lead dir="auto" { (self.lead) } }
                        (body)
                    }
                    footer { p { "Tradewind " (visitor.version) } }
                }
            }
        }
    }

    fn header(&self, visitor: &Visitor) -> Markup {
        let is_known = !visitor.name.is_empty();
        html! {
            header.top {
                a.brand href="/" { (mark()) "Tradewind" }
                @if is_known {
                    nav.menu aria-label="Main" { (self.menu()) }
                    details.burger {
                        summary { "Menu" }
                        nav aria-label="Main" { (self.menu()) }
                    }
                }
                div.person {
                    @if is_known {
                        span.who { span.name dir="auto" { (visitor.name) } span.role { (visitor.role) } }
                        @if visitor.may_leave {
                            form method="post" action="/logout" { (csrf(visitor)) button.quiet type="submit" { "Log out" } }
                        }
                    } @else if self.place != "/login" {
                        a.button href="/login" { "Log in" }
                    }
                }
            }
        }
    }

    fn menu(&self) -> Markup {
        html! {
            ul {
                @for (path, name) in MENU {
                    li { a href=(path) aria-current=[(*path == self.place).then_some("page")] { (name) } }
                }
            }
        }
    }
}

/// The mark beside the name: a sail before the wind.
fn mark() -> Markup {
    html! {
        svg.mark viewBox="0 0 24 24" width="22" height="22" aria-hidden="true" {
            path d="M11 2v15H3z" {}
            path d="M13 6v11h8z" opacity=".55" {}
            path d="M2 19h20l-3 3H5z" {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_whole_and_escaped() {
        let evil = r#"<b>"'&"#;
        let visitor =
            Visitor { name: evil.into(), role: evil.into(), csrf: evil.into(), may_leave: true, ..Visitor::default() };
        let page = Sheet { title: evil, place: "/explore", lead: evil, reload: Some(3), is_wide: false }
            .show(&visitor, &html! {})
            .into_string();
        assert!(!page.contains("<b>"), "{page}");
        assert!(page.starts_with("<!DOCTYPE html>") && page.contains("lang=\"en\""));
        assert_eq!(page.matches("aria-current=\"page\"").count(), 2);
        assert!(page.contains("<noscript><meta http-equiv=\"refresh\" content=\"3\"></noscript>"));
        // The server's policy blocks both.
        assert!(!page.contains(" style=") && !page.contains("<style"));
        assert_eq!(page.matches("<script").count(), 1);
    }

    #[test]
    fn strangers_see_no_menu() {
        let page = Sheet { title: "x", ..Sheet::default() }.show(&Visitor::default(), &html! {}).into_string();
        assert!(!page.contains("<nav") && page.contains("href=\"/login\""));
    }
}
