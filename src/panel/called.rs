//! What is a sum of others called? A total among the series, a total below a table.

/// Words that stand in the place of a key or a date where a row is a sum of others.
const TOTALS: [&str; 40] = [
    "total",
    "totals",
    "grand total",
    "sub total",
    "sub-total",
    "subtotal",
    "sum",
    "overall",
    "overall total",
    "summe",
    "gesamt",
    "gesamtsumme",
    "gesamtergebnis",
    "zwischensumme",
    "insgesamt",
    "total general",
    "total général",
    "somme",
    "sous-total",
    "suma",
    "suma total",
    "totale",
    "totale complessivo",
    "totaal",
    "eindtotaal",
    "razem",
    "suma końcowa",
    "celkem",
    "yhteensä",
    "totalt",
    "toplam",
    "genel toplam",
    "итого",
    "всего",
    "общий итог",
    "合計",
    "総計",
    "总计",
    "總計",
    "합계",
];

/// Is this what a sum of others is called: `Total`, `Gesamtergebnis`, `All stores`?
pub(super) fn is_total(text: &str) -> bool {
    let text = text.trim().trim_end_matches(':').to_lowercase();
    let all = text.strip_prefix("all ").is_some_and(|rest| rest.ends_with('s') && !rest.contains(' '));
    all || text == "all" || TOTALS.contains(&text.as_str())
}

/// As [`is_total`], also of a part: `Total North`, `North Total`, `Total:`.
pub(super) fn names_total(text: &str) -> bool {
    let text = text.trim().to_lowercase();
    let apart = |rest: &str, side: char| rest.is_empty() || side == ' ' || side == ':';
    let begins =
        |word: &str| text.strip_prefix(word).is_some_and(|rest| apart(rest, rest.chars().next().unwrap_or(' ')));
    let ends = |word: &str| text.strip_suffix(word).is_some_and(|rest| apart(rest, rest.chars().last().unwrap_or(' ')));
    is_total(&text) || TOTALS.iter().any(|word| begins(word) || ends(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_totals() {
        for name in ["Total", "grand total", "Gesamtergebnis", "All stores", "Итого", " Total: "] {
            assert!(is_total(name), "{name}");
        }
        for name in ["North Total", "Total Nord", "Summe: Nord"] {
            assert!(!is_total(name) && names_total(name), "{name}");
        }
        for name in ["Totally", "Allerlei", "Summertime", "all good things", "Sumatra"] {
            assert!(!names_total(name), "{name}");
        }
    }
}
