//! Which names and values does MLflow take, and what becomes of the others?
//!
//! Keys of params, metrics and tags hold letters, digits, `_ - . / :` and spaces, at most 250 characters, and must not
//! read as another path (`a//b`, `../a`). Any other key is mended: what is not allowed becomes `_`, and eight digits of
//! a hash of the whole key make it unique, so that `theta(season=52)` and `theta(season,52)` stay two keys. Reference:
//! `mlflow/utils/validation.py` of MLflow 3.17.

use std::borrow::Cow;

use crate::error::{Error, Result};

/// As many bytes of a key are kept: a file name has 255 at most, and MLflow takes 250 characters.
const KEY: usize = 250;
/// Characters of a param's value that MLflow keeps.
pub(crate) const PARAM: usize = 6_000;
/// Characters of a tag's value that MLflow keeps.
pub(crate) const TAG: usize = 8_000;

/// The key as MLflow takes it; one that it takes already stays as it is.
///
/// ```
/// use tradewind_track::mended_key;
/// assert_eq!(mended_key("rmse/fold 1"), "rmse/fold 1");
/// assert!(mended_key("theta(season=52)").starts_with("theta_season_52-"));
/// ```
pub fn mended_key(key: &str) -> Cow<'_, str> {
    if is_fine(key) {
        return Cow::Borrowed(key);
    }
    let mut mended = String::new();
    for part in key.split('/') {
        let mut clean = String::new();
        for letter in part.chars().map(|letter| if is_allowed(letter) { letter } else { '_' }) {
            if !(letter == '_' && clean.ends_with('_')) {
                clean.push(letter);
            }
        }
        let clean = clean.trim_matches(['_', '.', ' ']);
        if !clean.is_empty() {
            if !mended.is_empty() {
                mended.push('/');
            }
            mended.push_str(clean);
        }
    }
    if mended.is_empty() {
        mended.push_str("key");
    }
    Cow::Owned(marked(mended, key))
}

/// The key with a mark of its own, where the plain one is taken.
pub(crate) fn marked(mut name: String, key: &str) -> String {
    let mark = blake3::hash(key.as_bytes()).to_hex();
    let mut end = name.len().min(KEY - 9);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name.truncate(end);
    name.push('-');
    name.extend(mark.chars().take(8));
    name
}

/// The key on one level, for when its first part is a key already and so a file.
pub(crate) fn flat(key: &str) -> String {
    marked(key.replace('/', "_"), key)
}

/// What Python's `\w` holds as well, of the scripts most used: Rust's own classes count some marks that Python's do not.
fn is_letter(letter: char) -> bool {
    letter.is_ascii_alphanumeric()
        || matches!(letter,
            'À'..='Ö' | 'Ø'..='ö' | 'ø'..='ɏ' | 'Α'..='Ρ' | 'Σ'..='Ω' | 'α'..='ω' | 'А'..='я' | 'ぁ'..='ゖ'
            | 'ァ'..='ヺ' | '一'..='鿿' | '가'..='힣')
}

fn is_allowed(letter: char) -> bool {
    is_letter(letter) || matches!(letter, '_' | '-' | '.' | ' ' | ':')
}

fn is_fine(key: &str) -> bool {
    key.len() <= KEY
        && key.split('/').all(|part| {
            !part.is_empty()
                && part != "."
                && part != ".."
                // The disk of some systems drops them.
                && !part.ends_with([' ', '.'])
                && part.chars().all(is_allowed)
        })
}

/// The value as MLflow keeps it, with a note where the whole of it is; `None` if it fits.
pub(crate) fn cut(value: &str, limit: usize, artifact: &str) -> Option<String> {
    let length = value.chars().count();
    if length <= limit {
        return None;
    }
    let note = format!("… (cut: all {length} characters are in the artifact {artifact})");
    let kept = limit.saturating_sub(note.chars().count());
    Some(value.chars().take(kept).chain(note.chars()).collect())
}

/// A place below a run's artifacts, as MLflow takes it.
pub(crate) fn artifact_path(path: &str) -> Result<String> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    // MLflow's server refuses the first three, or takes them for something else on the way.
    let is_wrong = |letter: char| matches!(letter, '#' | '%' | '?' | '\\') || letter.is_control();
    let is_odd = |part: &&str| *part == ".." || part.contains(is_wrong) || part.len() > 255;
    if parts.is_empty() || path.starts_with('/') || parts.iter().any(is_odd) {
        return Err(Error::usage(format!(
            "`{path}` is no place for an artifact: give one like `figures/errors.png`, without `# % ? \\`"
        )));
    }
    Ok(parts.join("/"))
}

/// Is it the name of a model?
pub(crate) fn check_model(name: &str) -> Result<()> {
    let odd = name.trim().is_empty()
        || name.len() > 250
        || name == "."
        || name == ".."
        || name.contains(['/', ':', '%', '\\'])
        || name.chars().any(char::is_control);
    if odd {
        return Err(Error::usage(format!("`{name}` cannot name a model: use a name without `/`, `:` and `%`")));
    }
    Ok(())
}

/// May it be an alias of a version?
pub(crate) fn check_alias(alias: &str) -> Result<()> {
    let letters = |letter: char| is_letter(letter) || letter == '_' || letter == '-';
    if alias.is_empty() || alias.len() > 250 || !alias.chars().all(letters) {
        return Err(Error::usage(format!("`{alias}` cannot be an alias: use letters, digits, `_` and `-`")));
    }
    let is_number = alias.strip_prefix(['v', 'V']).is_some_and(|rest| {
        // As Python's `\d+`, which takes the digits of every script.
        !rest.is_empty() && rest.chars().all(char::is_numeric)
    });
    if alias.eq_ignore_ascii_case("latest") || is_number {
        return Err(Error::usage(format!("the alias `{alias}` is reserved by MLflow: choose one such as `champion`")));
    }
    Ok(())
}

/// Is it the name of an experiment?
pub(crate) fn check_experiment(name: &str) -> Result<()> {
    if name.trim().is_empty() || name.chars().count() > 500 {
        return Err(Error::usage("an experiment needs a name of 1 to 500 characters"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keys_stay_or_are_mended() {
        for fine in ["a", "rmse/fold 1", "mlflow.parentRunId", "a:b-c_d.e", "größe"] {
            assert_eq!(mended_key(fine), fine);
        }
        assert_eq!(mended_key("theta(season=52)"), mended_key("theta(season=52)"));
        assert_ne!(mended_key("theta(season=52)"), mended_key("theta(season,52)"));
        assert_ne!(mended_key("../../etc"), mended_key("etc"));
    }

    #[test]
    fn long_values_end_in_a_note() {
        let value = "ä".repeat(10_000);
        let short = cut(&value, PARAM, "long/params/x.txt").unwrap();
        assert_eq!(short.chars().count(), PARAM);
        assert!(short.ends_with("all 10000 characters are in the artifact long/params/x.txt)"));
        assert_eq!(cut("x", PARAM, ""), None);
    }

    #[test]
    fn aliases_that_mlflow_reserves_are_refused() {
        for bad in ["latest", "LATEST", "v1", "V2", "", "a b"] {
            assert!(check_alias(bad).unwrap_err().is_usage());
        }
        for good in ["champion", "v", "v1a", "Best-1"] {
            check_alias(good).unwrap();
        }
    }

    proptest! {
        #[test]
        fn every_mended_key_is_fine(key in "\\PC{0,300}") {
            let mended = mended_key(&key);
            prop_assert!(is_fine(&mended), "{mended}");
            prop_assert_eq!(mended_key(&mended), mended.clone());
        }

        #[test]
        fn artifacts_stay_below_their_run(path in "[a./\\\\]{0,12}") {
            if let Ok(path) = artifact_path(&path) {
                prop_assert!(!path.split('/').any(|part| part == ".." || part.is_empty()));
            }
        }
    }
}
