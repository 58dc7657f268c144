//! Which amount is in one cell? Digits in groups, a decimal mark, a sign, and the currency around them.
//!
//! `-$1,234.56`, `($1.50)`, `1.234,56 EUR`, `CHF 1’234.56`, `₹1,23,456.50`, `12,50- zł`. A dash in the place of the cents
//! (`12,-`, `1'234.-`) means that there are none; a dash behind the last digit is a minus.

use std::borrow::Cow;

/// How the numbers of a source are written.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Mark {
    Point,
    Comma,
}

impl Mark {
    fn decimal(self) -> char {
        match self {
            Self::Point => '.',
            Self::Comma => ',',
        }
    }

    /// May this stand between groups of digits?
    pub(super) fn groups(self, c: char) -> bool {
        let other = match self {
            Self::Point => ',',
            Self::Comma => '.',
        };
        c == other || c.is_whitespace() || APOSTROPHES.contains(&c)
    }
}

pub(super) const APOSTROPHES: [char; 4] = ['\'', '’', '‘', 'ʼ'];
const MINUS: [char; 2] = ['-', '−'];
/// Dashes that stand for cents or for a whole amount.
const DASHES: [char; 4] = ['-', '−', '–', '—'];
/// Marks of the direction of writing around Arabic and Hebrew currencies.
const DIRECTIONS: [char; 3] = ['\u{200e}', '\u{200f}', '\u{61c}'];

/// Currencies by what is written beside an amount; several currencies are called `$`, `£`, `¥`, `kr` and `Rs`.
const CURRENCIES: &[(&str, &str)] = &[
    ("$", "$"),
    ("US$", "USD"),
    ("$US", "USD"),
    ("CA$", "CAD"),
    ("C$", "CAD"),
    ("$CA", "CAD"),
    ("A$", "AUD"),
    ("AU$", "AUD"),
    ("$AU", "AUD"),
    ("NZ$", "NZD"),
    ("HK$", "HKD"),
    ("S$", "SGD"),
    ("SG$", "SGD"),
    ("NT$", "TWD"),
    ("MX$", "MXN"),
    ("CL$", "CLP"),
    ("AR$", "ARS"),
    ("COL$", "COP"),
    ("R$", "BRL"),
    ("€", "EUR"),
    ("eur", "EUR"),
    ("euro", "EUR"),
    ("euros", "EUR"),
    ("£", "£"),
    ("E£", "EGP"),
    ("¥", "¥"),
    ("￥", "¥"),
    ("円", "JPY"),
    ("元", "CNY"),
    ("CN¥", "CNY"),
    ("JP¥", "JPY"),
    ("RMB", "CNY"),
    ("₹", "INR"),
    ("Rs", "Rs"),
    ("Rs.", "Rs"),
    ("Re.", "Rs"),
    ("₩", "KRW"),
    ("￦", "KRW"),
    ("원", "KRW"),
    ("₽", "RUB"),
    ("руб", "RUB"),
    ("руб.", "RUB"),
    ("р.", "RUB"),
    ("₺", "TRY"),
    ("TL", "TRY"),
    ("₴", "UAH"),
    ("грн", "UAH"),
    ("грн.", "UAH"),
    ("₸", "KZT"),
    ("₪", "ILS"),
    ("ש\"ח", "ILS"),
    ("฿", "THB"),
    ("บาท", "THB"),
    ("₫", "VND"),
    ("đ", "VND"),
    ("₱", "PHP"),
    ("₦", "NGN"),
    ("₵", "GHS"),
    ("GH₵", "GHS"),
    ("₡", "CRC"),
    ("₲", "PYG"),
    ("₼", "AZN"),
    ("₾", "GEL"),
    ("৳", "BDT"),
    ("៛", "KHR"),
    ("zł", "PLN"),
    ("zl", "PLN"),
    ("Kč", "CZK"),
    ("Kc", "CZK"),
    ("Ft", "HUF"),
    ("lei", "lei"),
    ("leu", "lei"),
    ("лв", "BGN"),
    ("лв.", "BGN"),
    ("din.", "RSD"),
    ("дин", "RSD"),
    ("дин.", "RSD"),
    ("kr", "kr"),
    ("kr.", "kr"),
    ("Kr", "kr"),
    ("Kr.", "kr"),
    ("SFr.", "CHF"),
    ("Fr.", "CHF"),
    ("sFr.", "CHF"),
    ("RM", "MYR"),
    ("Rp", "IDR"),
    ("Rp.", "IDR"),
    ("S/", "PEN"),
    ("S/.", "PEN"),
    ("Bs", "BOB"),
    ("Bs.", "BOB"),
    ("R", "ZAR"),
    ("KSh", "KES"),
    ("Ksh", "KES"),
    ("د.إ", "AED"),
    ("د.إ.", "AED"),
    ("ر.س", "SAR"),
    ("ر.س.", "SAR"),
    ("ج.م", "EGP"),
    ("ج.م.", "EGP"),
    ("ر.ق", "QAR"),
    ("ر.ق.", "QAR"),
    ("د.ك", "KWD"),
    ("د.ك.", "KWD"),
    ("د.م.", "MAD"),
    ("﷼", "﷼"),
];

/// The codes of ISO 4217 that are no English words.
const CODES: &str = "AED AFN AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF \
                     CHF CLP CNH CNY COP CRC CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GHS GIP GMD GNF GTQ GYD \
                     HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KRW KWD KYD KZT LAK LBP LKR \
                     LRD LSL LYD MAD MDL MGA MKD MMK MNT MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN \
                     PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SLE SOS SRD STN SVC SYP SZL THB TJS \
                     TMT TND TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW";

/// Signs of several currencies, and which these are.
const SHARED: &[(&str, &str)] = &[
    ("$", "USD CAD AUD NZD HKD SGD TWD MXN ARS CLP COP UYU DOP JMD TTD FJD BBD BSD BZD XCD NAD LRD"),
    ("£", "GBP EGP FKP GIP LBP SYP"),
    ("¥", "JPY CNY CNH"),
    ("kr", "SEK NOK DKK ISK"),
    ("Rs", "INR PKR LKR NPR MUR"),
    ("lei", "RON MDL"),
    ("﷼", "IRR SAR QAR OMR YER"),
];

fn currency(word: &str) -> Option<&'static str> {
    let written = |word: &str| CURRENCIES.iter().find(|(sign, _)| *sign == word).map(|(_, code)| *code);
    let code = |word: &str| CODES.split(' ').find(|code| *code == word);
    // Nobody writes these in capitals alone: `eur`, `Usd`.
    let spelled = || ["EUR", "USD", "GBP", "CHF"].into_iter().find(|code| code.eq_ignore_ascii_case(word));
    written(word).or_else(|| code(word)).or_else(spelled)
}

/// Can two currencies be the same? `$` can be `USD`; `USD` cannot be `CAD`.
pub(super) fn is_same(a: &str, b: &str) -> bool {
    let shares = |sign: &str, code: &str| {
        SHARED.iter().any(|(shared, codes)| *shared == sign && codes.split(' ').any(|known| known == code))
    };
    a == b || shares(a, b) || shares(b, a)
}

/// A number in Rust's own notation, and its currency.
pub(super) struct Amount<'a> {
    pub(super) number: Cow<'a, str>,
    pub(super) currency: Option<&'static str>,
    /// Is it written as accountants do: with a currency, in brackets, or in groups?
    pub(super) is_money: bool,
}

impl<'a> Amount<'a> {
    /// The amount in a cell; none if it is not written by this mark.
    pub(super) fn read(text: &'a str, mark: Mark) -> Option<Self> {
        let trimmed = text.trim();
        let plain = |number| Some(Self { number: Cow::Borrowed(number), currency: None, is_money: false });
        if (mark == Mark::Point && trimmed.parse::<f64>().is_ok()) || is_digits(trimmed) {
            return plain(trimmed);
        }
        let first = trimmed.find(|c: char| c.is_ascii_digit())?;
        let last = trimmed.rfind(|c: char| c.is_ascii_digit())? + 1;
        let mut around = Around::default();
        let mut from = first;
        if around.take(&trimmed[..first]).is_none() {
            // `$.50`
            from = first - trimmed[..first].ends_with(mark.decimal()).then_some(1)?;
            around = Around::default();
            around.take(&trimmed[..from])?;
        }
        let (core, mut behind) = (&trimmed[from..last], &trimmed[last..]);
        let mut no_cents = false;
        if let Some(rest) = behind.strip_prefix(mark.decimal()) {
            let after = rest.trim_start_matches(DASHES);
            no_cents = after.len() < rest.len();
            behind = after;
        }
        around.is_behind = true;
        around.take(behind)?;
        let negative = around.is_negative()?;
        let (mantissa, exponent) = match core.find(['e', 'E']) {
            Some(at) => core.split_at(at),
            None => (core, ""),
        };
        let (whole, fraction) = match mantissa.split_once(mark.decimal()) {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (mantissa, None),
        };
        if (no_cents && (fraction.is_some() || !exponent.is_empty())) || !fraction.is_none_or(is_digits) {
            return None;
        }
        let grouped = !is_digits(whole) && !whole.is_empty();
        let whole = if grouped { Cow::Owned(ungrouped(whole, mark)?) } else { Cow::Borrowed(whole) };
        // `R12` is a name; `R 12.50` is an amount.
        if around.currency == Some("ZAR") && around.is_letter && !grouped && fraction.is_none() {
            return None;
        }
        let exponent = match exponent.strip_prefix(['e', 'E']) {
            Some(power) => format!("e{power}"),
            None => String::new(),
        };
        let whole = if whole.is_empty() { "0" } else { &whole };
        let number = format!("{}{whole}.{}{exponent}", if negative { "-" } else { "" }, fraction.unwrap_or("0"));
        number.parse::<f64>().ok()?;
        let is_money = around.currency.is_some() || around.brackets > 0 || grouped || no_cents;
        Some(Self { number: Cow::Owned(number), currency: around.currency, is_money })
    }
}

/// Does a cell begin like an amount, whatever it is written in?
pub(super) fn begins(text: &str) -> bool {
    let Some(first) = text.find(|c: char| c.is_ascii_digit()) else { return false };
    let before = &text[..first];
    let takes = |before: &str| Around::default().take(before).is_some();
    takes(before) || before.strip_suffix(['.', ',']).is_some_and(takes)
}

/// What stands before and behind the digits.
#[derive(Default)]
struct Around {
    currency: Option<&'static str>,
    is_letter: bool,
    signs: usize,
    minus: bool,
    brackets: usize,
    closed: usize,
    percents: usize,
    is_behind: bool,
}

impl Around {
    /// Adds what stands on one side; none if it is nothing that belongs to an amount.
    fn take(&mut self, mut text: &str) -> Option<()> {
        while let Some(c) = text.chars().next() {
            let mut length = c.len_utf8();
            match c {
                _ if c.is_whitespace() || DIRECTIONS.contains(&c) => {}
                _ if MINUS.contains(&c) || (c == '–' && !self.is_behind) => {
                    self.signs += 1;
                    self.minus = true;
                }
                '+' if !self.is_behind => self.signs += 1,
                '(' if !self.is_behind => self.brackets += 1,
                ')' if self.is_behind => self.closed += 1,
                '%' => self.percents += 1,
                _ => {
                    let ends = |c: char| {
                        c.is_whitespace() || MINUS.contains(&c) || "+–()%".contains(c) || DIRECTIONS.contains(&c)
                    };
                    length = text.find(ends).unwrap_or(text.len());
                    let word = &text[..length];
                    let more = currency(word)?;
                    self.currency = match self.currency {
                        None => Some(more),
                        // `$12.50 USD`
                        Some(known) if is_same(known, more) => {
                            Some(if SHARED.iter().any(|(sign, _)| *sign == known) { more } else { known })
                        }
                        Some(_) => return None,
                    };
                    self.is_letter = word == "R";
                }
            }
            text = &text[length..];
        }
        Some(())
    }

    /// None if the signs contradict each other.
    fn is_negative(&self) -> Option<bool> {
        let fits = self.signs + self.brackets <= 1 && self.brackets == self.closed && self.percents <= 1;
        fits.then_some(self.minus || self.brackets > 0)
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `1,234,567` and `12,34,567` without what stands between the groups.
fn ungrouped(whole: &str, mark: Mark) -> Option<String> {
    let separator = whole.chars().find(|c| mark.groups(*c))?;
    let groups: Vec<&str> = whole.split(separator).collect();
    let (first, rest) = groups.split_first()?;
    let (last, between) = rest.split_last()?;
    // Nothing counts 0 thousand and 750.
    let begins = |most: usize| (1..=most).contains(&first.len()) && !first.starts_with('0');
    let thousands = begins(3) && between.iter().all(|group| group.len() == 3);
    let lakhs = separator == ',' && begins(2) && between.iter().all(|group| group.len() == 2);
    let fits = last.len() == 3 && (thousands || lakhs) && groups.iter().all(|group| is_digits(group));
    fits.then(|| groups.concat())
}

/// A dash in the place of an amount.
pub(super) struct Dash {
    pub(super) currency: Option<&'static str>,
    /// Is it set as accounting formats set a zero: with a currency or a margin?
    pub(super) is_zero: bool,
}

/// `-`, `$ -`, `-   `: none if there is more or less than a dash.
pub(super) fn dash(text: &str) -> Option<Dash> {
    let mut around = Around::default();
    let at = text.find(DASHES)?;
    around.take(&text[..at])?;
    let behind = text[at..].trim_start_matches(DASHES);
    around.is_behind = true;
    around.take(behind)?;
    let bare = around.signs == 0 && around.brackets == around.closed && around.brackets <= 1 && around.percents == 0;
    let margin = text.trim().len() < text.len();
    bare.then_some(Dash { currency: around.currency, is_zero: around.currency.is_some() || margin })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str, mark: Mark) -> Option<f64> {
        Amount::read(text, mark).and_then(|amount| amount.number.parse().ok())
    }

    #[test]
    fn numbers_as_people_write_them() {
        for (text, value) in [
            ("1234.5", 1234.5),
            ("1,234.5", 1234.5),
            ("$1,234,567.89", 1_234_567.89),
            (" - 12 ", -12.0),
            ("(1,200)", -1200.0),
            ("12-", -12.0),
            ("12.50-", -12.5),
            ("1 234.5", 1234.5),
            ("45 %", 45.0),
            ("1e3", 1000.0),
            (".5", 0.5),
            ("US$1,234.56", 1234.56),
            ("CA$ 1,234.56", 1234.56),
            ("12.50 USD", 12.5),
            ("$12.50 USD", 12.5),
            ("Rs. 1,200", 1200.0),
            ("Rs.50", 50.0),
            ("$.50", 0.5),
            ("₹12,34,567.50", 1_234_567.5),
            ("₩12,000.5", 12_000.5),
            ("CHF 1’234.56", 1234.56),
            ("1'234.-", 1234.0),
            ("12.-", 12.0),
            ("CHF 12.–", 12.0),
            ("-$12.00", -12.0),
            ("$-12.00", -12.0),
            ("$ (1.50)", -1.5),
            ("($1.50)", -1.5),
            ("12.50- €", -12.5),
            ("−3", -3.0),
            ("–3", -3.0),
            ("د.إ 12.50", 12.5),
            ("S/.12.50", 12.5),
            ("R1,234.56", 1234.56),
            ("1\u{202f}234.5", 1234.5),
            ("1\u{2009}234 zł", 1234.0),
        ] {
            assert_eq!(read(text, Mark::Point), Some(value), "{text}");
        }
        for (text, value) in [
            ("1234,5", 1234.5),
            ("1.234,5", 1234.5),
            ("1.234.567,89 €", 1_234_567.89),
            ("1\u{a0}234,5", 1234.5),
            ("-0,25", -0.25),
            ("1,5e2", 150.0),
            ("7", 7.0),
            ("R$ 1.234,56", 1234.56),
            ("1.234,56 EUR", 1234.56),
            ("12,50 zł", 12.5),
            ("1 234,56 kr", 1234.56),
            ("1 234,56 Kč", 1234.56),
            ("12,-", 12.0),
            ("12,- €", 12.0),
            ("12,—", 12.0),
            ("12,--", 12.0),
            ("1.234,-", 1234.0),
            ("-12,-", -12.0),
            ("1.234,50-", -1234.5),
            ("12,34 лв.", 12.34),
        ] {
            assert_eq!(read(text, Mark::Comma), Some(value), "{text}");
        }
        for text in [
            "12 apples",
            "1,23,4",
            "1.2.3",
            "",
            "-",
            "(",
            "1,2345.6",
            "--3",
            "(-3)",
            "0,750",
            "12,-",
            "1.5.-",
            "R12",
            "CA$12 USD",
            "3)",
            "-3-",
            "1,23,456,789",
            "12 34 567",
        ] {
            assert_eq!(read(text, Mark::Point), None, "{text}");
        }
        for text in ["0.750", "012.500", "1.5", "12.-", "1.23.456"] {
            assert_eq!(read(text, Mark::Comma), None, "{text}");
        }
    }

    #[test]
    fn currencies_beside_amounts() {
        let of = |text| Amount::read(text, Mark::Point).unwrap().currency;
        assert_eq!((of("12"), of("$12"), of("US$12"), of("12 usd")), (None, Some("$"), Some("USD"), Some("USD")));
        assert!(is_same("$", "USD") && is_same("CAD", "$") && !is_same("USD", "CAD") && !is_same("$", "EUR"));
        // What stands for a currency has no digit and no decimal mark of its own.
        for (sign, code) in CURRENCIES {
            assert!(!sign.contains(|c: char| c.is_ascii_digit() || c.is_whitespace() || c == '-'), "{sign}");
            assert_eq!(read(&format!("{sign} 1,234.5"), Mark::Point), Some(1234.5), "{sign} ({code})");
            assert_eq!(read(&format!("1.234,5 {sign}"), Mark::Comma), Some(1234.5), "{sign} ({code})");
        }
    }

    #[test]
    fn dashes_for_nothing() {
        for (text, zero) in [("-", false), ("–", false), ("$ -", true), ("- €", true), (" -   ", true), ("--", false)]
        {
            assert_eq!(dash(text).map(|dash| dash.is_zero), Some(zero), "{text}");
        }
        for text in ["", "- 3", "a-b", "$", "n/a", "- - x"] {
            assert!(dash(text).is_none(), "{text}");
        }
    }

    proptest! {
        /// An amount written in any of these ways is read as what it is, or, by the other mark, as nothing or in doubt.
        #[test]
        fn written_and_read(cents in 0_i64..100_000_000_000, way in 0_usize..8, sign in 0_usize..6, money in 0_usize..7) {
            let (whole, rest) = (cents / 100, cents % 100);
            let grouped = |separator: &str, first: usize| {
                let digits = whole.to_string();
                let mut groups = Vec::new();
                let mut end = digits.len();
                let mut size = 3;
                while end > 0 {
                    let start = end.saturating_sub(size);
                    groups.insert(0, &digits[start..end]);
                    end = start;
                    size = first;
                }
                groups.join(separator)
            };
            let (digits, mark) = match way {
                0 => (format!("{whole}.{rest:02}"), Mark::Point),
                1 => (format!("{whole},{rest:02}"), Mark::Comma),
                2 => (format!("{}.{rest:02}", grouped(",", 3)), Mark::Point),
                3 => (format!("{},{rest:02}", grouped(".", 3)), Mark::Comma),
                4 => (format!("{}.{rest:02}", grouped(",", 2)), Mark::Point),
                5 => (format!("{},{rest:02}", grouped("\u{202f}", 3)), Mark::Comma),
                6 => (format!("{}.{rest:02}", grouped("’", 3)), Mark::Point),
                _ => (format!("{},-", grouped(".", 3)), Mark::Comma),
            };
            let value = if way == 7 { whole as f64 } else { format!("{whole}.{rest:02}").parse().unwrap() };
            let written = match money {
                0 => digits,
                1 => format!("${digits}"),
                2 => format!("{digits} €"),
                3 => format!("USD {digits}"),
                4 => format!("{digits}\u{a0}kr."),
                5 => format!("R$ {digits}"),
                _ => format!("₹{digits}"),
            };
            let (written, value) = match sign {
                0 => (format!("-{written}"), -value),
                1 => (format!("({written})"), -value),
                2 if way != 7 => (format!("{written}-"), -value),
                3 => (format!("  {written} "), value),
                _ => (written, value),
            };
            prop_assert_eq!(read(&written, mark), Some(value), "{}", written);
        }

        #[test]
        fn arbitrary_cells(text in "[-−–0-9.,'’ ()%$€eERrkKszł+]{0,12}") {
            for mark in [Mark::Point, Mark::Comma] {
                if let Some(amount) = Amount::read(&text, mark) {
                    prop_assert!(amount.number.parse::<f64>().is_ok());
                }
            }
            let _ = dash(&text);
        }
    }
}
