//! The answer of an SQL query: a SQLite file, or a PostgreSQL server named by a URL.

#[cfg(not(feature = "sql"))]
mod disabled;
#[cfg(feature = "sql")]
mod enabled;

#[cfg(not(feature = "sql"))]
pub(super) use disabled::read;
#[cfg(feature = "sql")]
pub(super) use enabled::read;

use std::path::Path;

/// Is it the URL of a database server?
pub(super) fn is_server(place: &Path) -> bool {
    let text = place.to_string_lossy();
    text.starts_with("postgres://") || text.starts_with("postgresql://")
}

/// The place as messages name it: a URL without its password.
pub(super) fn shown(place: &Path) -> String {
    let text = place.display().to_string();
    if !is_server(place) {
        return text;
    }
    // What stands between the scheme and the last @ of the authority are user and password.
    let Some((scheme, rest)) = text.split_once("://") else { return text };
    let authority = rest.find(['/', '?']).unwrap_or(rest.len());
    let (before, after) = rest.split_at(authority);
    let host = before.rsplit_once('@').map_or(before, |(_, host)| host);
    let path = after.split('?').next().unwrap_or_default();
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        let shown = |text: &str| shown(Path::new(text));
        assert_eq!(
            shown("postgres://me:s3cret@db.example:5432/shop?password=s3cret"), // tree-check: allow
            "postgres://db.example:5432/shop"
        );
        assert_eq!(shown("postgresql://db/shop"), "postgresql://db/shop");
        assert_eq!(shown("postgres://me:a@b@db"), "postgres://db"); // tree-check: allow
        assert_eq!(shown("sales.sqlite"), "sales.sqlite");
    }
}
