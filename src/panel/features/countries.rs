//! Which country or region does a name mean? `USA`, `England`, `Deutschland`, `Türkiye`, `Bayern`.
//!
//! The codes of ISO 3166-1, of two and of three letters, and the names that people write: in English, in the languages of the
//! country, in some others (`data/countries.tsv`, see `data/README.md`). Case, accents, blanks and signs do not matter.
//! A name that several have (`Korea`, `Congo`) is asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// One code (`DE`, `DE-BY`) a line, with the code of three letters and the names.
const TABLE: &str = include_str!("../../../data/countries.tsv");

/// The codes that each name may mean.
struct Names {
    countries: BTreeMap<String, BTreeSet<&'static str>>,
    /// Also by the code of the country.
    regions: BTreeMap<(&'static str, String), BTreeSet<&'static str>>,
    /// The first name of each country.
    first: BTreeMap<&'static str, &'static str>,
}

fn names() -> &'static Names {
    static NAMES: OnceLock<Names> = OnceLock::new();
    NAMES.get_or_init(|| {
        let mut all = Names { countries: BTreeMap::new(), regions: BTreeMap::new(), first: BTreeMap::new() };
        for line in TABLE.lines() {
            let mut cells = line.split('\t');
            let (Some(code), Some(three), Some(names)) = (cells.next(), cells.next(), cells.next()) else { continue };
            let words = || names.split('|').filter(|name| !name.is_empty());
            match code.split_once('-') {
                None => {
                    all.first.extend(words().next().map(|name| (code, name)));
                    for name in words().chain([code, three]).filter(|name| !name.is_empty()) {
                        all.countries.entry(plain(name)).or_default().insert(code);
                    }
                }
                Some((country, region)) => {
                    for name in words() {
                        all.regions.entry((country, plain(name))).or_default().insert(region);
                    }
                }
            }
        }
        all
    })
}

/// Without case, accents, blanks and signs.
fn plain(name: &str) -> String {
    let letters: String = name.nfkd().filter(|c| !is_combining_mark(*c)).collect();
    crate::error::folded(&letters)
}

/// The codes of the countries that have this name or code: a part of a country with its region, `GB-ENG`, if no country is
/// called so.
pub(super) fn countries_named(name: &str) -> Vec<String> {
    let names = names();
    let code = name.trim().to_uppercase();
    if names.first.contains_key(code.as_str()) {
        return vec![code];
    }
    let name = plain(name);
    if let Some(codes) = names.countries.get(&name) {
        return codes.iter().map(ToString::to_string).collect();
    }
    // The parts of the United Kingdom pass for countries; Georgia is one, and a state of another.
    let parts = names.regions.get(&("GB", name)).into_iter().flatten();
    parts.map(|region| format!("GB-{region}")).collect()
}

/// The codes of the regions of a country that have this name.
pub(super) fn regions_named(country: &str, name: &str) -> Vec<&'static str> {
    let regions = &names().regions;
    let found = regions.iter().find(|((of, known), _)| *of == country && *known == plain(name));
    found.map_or_else(Vec::new, |(_, regions)| regions.iter().copied().collect())
}

/// The first name of a country.
pub(super) fn name_of(code: &str) -> &'static str {
    names().first.get(code).copied().unwrap_or_default()
}

/// Every code and name that a country is found by.
pub(super) fn known() -> impl Iterator<Item = &'static str> {
    let cells = TABLE.lines().filter_map(|line| line.split_once('\t')).filter(|(code, _)| !code.contains('-'));
    cells.flat_map(|(code, rest)| [code].into_iter().chain(rest.split(['\t', '|']))).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_are_found_by_the_names_that_people_type() {
        for (name, codes) in [
            ("US", &["US"][..]),
            ("us", &["US"]),
            ("USA", &["US"]),
            ("U.S.A.", &["US"]),
            ("United States", &["US"]),
            ("united_states_of_america", &["US"]),
            ("UK", &["GB"]),
            ("GBR", &["GB"]),
            ("Great Britain", &["GB"]),
            ("England", &["GB-ENG"]),
            ("Scotland", &["GB-SCT"]),
            ("Germany", &["DE"]),
            ("DEU", &["DE"]),
            ("Deutschland", &["DE"]),
            ("österreich", &["AT"]),
            ("Osterreich", &["AT"]),
            ("Schweiz", &["CH"]),
            ("Suisse", &["CH"]),
            ("Brasil", &["BR"]),
            ("South Korea", &["KR"]),
            ("Korea", &["KP", "KR"]),
            ("대한민국", &["KR"]),
            ("Czech Republic", &["CZ"]),
            ("Česko", &["CZ"]),
            ("Türkiye", &["TR"]),
            ("Turkey", &["TR"]),
            ("Congo", &["CD", "CG"]),
            ("Ivory Coast", &["CI"]),
            ("España", &["ES"]),
            ("日本", &["JP"]),
            ("Россия", &["RU"]),
            ("Georgia", &["GE"]),
            ("Guinea", &["GN"]),
            ("Niger", &["NE"]),
            ("Atlantis", &[]),
            ("", &[]),
        ] {
            assert_eq!(countries_named(name), codes, "{name}");
        }
        assert_eq!(regions_named("DE", "bayern"), ["BY"]);
        assert_eq!(regions_named("DE", "Bavaria"), ["BY"]);
        assert_eq!(regions_named("US", "California"), ["CA"]);
        assert!(regions_named("FR", "Bavaria").is_empty());
        assert_eq!(name_of("DE"), "Germany");
    }

    /// What two countries have in common is what has to be asked for, and no more.
    #[test]
    fn few_names_are_those_of_several_countries() {
        let several: Vec<&str> =
            names().countries.iter().filter(|(_, codes)| codes.len() > 1).map(|(name, _)| name.as_str()).collect();
        assert_eq!(several, ["congo", "korea", "saintmartin", "virginislands"]);
    }
}
