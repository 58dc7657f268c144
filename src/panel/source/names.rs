//! What are months and weekdays called, in which language?

/// Months by language, full and short, without accents and in small letters; a bar between months, a blank between names.
const MONTHS: &[(&str, &str)] = &[
    (
        "en",
        "january jan|february feb|march mar|april apr|may|june jun|july jul|august aug|september sept sep|october oct|november nov|december dec",
    ),
    (
        "de",
        "januar janner jan jan|februar feber feb|marz maerz mar mrz|april apr|mai|juni jun|juli jul|august aug|september sept sep|oktober okt|november nov|dezember dez",
    ),
    (
        "fr",
        "janvier janv jan|fevrier fevr fev|mars mar|avril avr|mai|juin|juillet juil|aout|septembre sept sep|octobre oct|novembre nov|decembre dec",
    ),
    (
        "es",
        "enero ene|febrero feb|marzo mar|abril abr|mayo may|junio jun|julio jul|agosto ago|septiembre setiembre sept sep set|octubre oct|noviembre nov|diciembre dic",
    ),
    (
        "it",
        "gennaio gen|febbraio feb|marzo mar|aprile apr|maggio mag|giugno giu|luglio lug|agosto ago|settembre set sett|ottobre ott|novembre nov|dicembre dic",
    ),
    (
        "pt",
        "janeiro jan|fevereiro fev|marco mar|abril abr|maio mai|junho jun|julho jul|agosto ago|setembro set|outubro out|novembro nov|dezembro dez",
    ),
    (
        "nl",
        "januari jan|februari feb|maart mrt maa|april apr|mei|juni jun|juli jul|augustus aug|september sept sep|oktober okt|november nov|december dec",
    ),
    (
        "sv",
        "januari jan|februari feb|mars mar|april apr|maj|juni jun|juli jul|augusti aug|september sept sep|oktober okt|november nov|december dec",
    ),
    (
        "da",
        "januar jan|februar feb|marts mar|april apr|maj|juni jun|juli jul|august aug|september sept sep|oktober okt|november nov|december dec",
    ),
    (
        "nb",
        "januar jan|februar feb|mars mar|april apr|mai|juni jun|juli jul|august aug|september sept sep|oktober okt|november nov|desember des",
    ),
    (
        "fi",
        "tammikuu tammikuuta tammi|helmikuu helmikuuta helmi|maaliskuu maaliskuuta maalis|huhtikuu huhtikuuta huhti|toukokuu toukokuuta touko|kesakuu kesakuuta kesa|heinakuu heinakuuta heina|elokuu elokuuta elo|syyskuu syyskuuta syys|lokakuu lokakuuta loka|marraskuu marraskuuta marras|joulukuu joulukuuta joulu",
    ),
    (
        "pl",
        "styczen stycznia sty|luty lutego lut|marzec marca mar|kwiecien kwietnia kwi|maj maja|czerwiec czerwca cze|lipiec lipca lip|sierpien sierpnia sie|wrzesien wrzesnia wrz|pazdziernik pazdziernika paz|listopad listopada lis|grudzien grudnia gru",
    ),
    (
        "cs",
        "leden ledna led|unor unora uno|brezen brezna bre|duben dubna dub|kveten kvetna kve|cerven cervna cvn|cervenec cervence cvc|srpen srpna srp|zari zar|rijen rijna rij|listopad listopadu lis|prosinec prosince pro",
    ),
    (
        "sk",
        "januar januara jan|februar februara feb|marec marca mar|april aprila apr|maj maja|jun juna|jul jula|august augusta aug|september septembra sep|oktober oktobra okt|november novembra nov|december decembra dec",
    ),
    (
        "hr",
        "sijecanj sijecnja sij|veljaca veljace velj|ozujak ozujka ozu|travanj travnja tra|svibanj svibnja svi|lipanj lipnja lip|srpanj srpnja srp|kolovoz kolovoza kol|rujan rujna ruj|listopad listopada lis|studeni studenoga stu|prosinac prosinca pro",
    ),
    (
        "hu",
        "januar jan|februar febr feb|marcius marc mar|aprilis apr|majus maj|junius jun|julius jul|augusztus aug|szeptember szept sze|oktober okt|november nov|december dec",
    ),
    (
        "ro",
        "ianuarie ian|februarie feb|martie mar|aprilie apr|mai|iunie iun|iulie iul|august aug|septembrie sept sep|octombrie oct|noiembrie nov noi|decembrie dec",
    ),
    (
        "tr",
        "ocak oca|subat sub|mart mar|nisan nis|mayis may|haziran haz|temmuz tem|agustos agu|eylul eyl|ekim eki|kasim kas|aralik ara",
    ),
    (
        "ru",
        "январь января янв|февраль февраля февр фев|март марта мар|апрель апреля апр|май мая|июнь июня июн|июль июля июл|август августа авг|сентябрь сентября сент сен|октябрь октября окт|ноябрь ноября нояб ноя|декабрь декабря дек",
    ),
    (
        "uk",
        "січень січня січ|лютий лютого лют|березень березня бер|квітень квітня кві|травень травня тра|червень червня чер|липень липня лип|серпень серпня сер|вересень вересня вер|жовтень жовтня жов|листопад листопада лис|грудень грудня гру",
    ),
    (
        "el",
        "ιανουαριος ιανουαριου ιαν|φεβρουαριος φεβρουαριου φεβ|μαρτιος μαρτιου μαρ|απριλιος απριλιου απρ|μαιος μαιου μαι|ιουνιος ιουνιου ιουν|ιουλιος ιουλιου ιουλ|αυγουστος αυγουστου αυγ|σεπτεμβριος σεπτεμβριου σεπ|οκτωβριος οκτωβριου οκτ|νοεμβριος νοεμβριου νοε|δεκεμβριος δεκεμβριου δεκ",
    ),
];

/// Weekdays from Monday on, in all of these languages: none means different days in two of them.
const WEEKDAYS: &str = "monday mon montag mo lundi lun lunes lunedi segunda maandag ma mandag man maanantai poniedzialek pon pondeli pazartesi pzt понедельник пн\
    |tuesday tue tues dienstag di mardi martes martedi terca dinsdag tisdag tis tirsdag tiistai wtorek wt utery ut sali вторник вт\
    |wednesday wed mittwoch mi mercredi mer miercoles mie mercoledi quarta woensdag wo onsdag ons keskiviikko sroda sr streda st carsamba car среда ср\
    |thursday thu thur thurs donnerstag do jeudi jeu jueves jue giovedi gio quinta donderdag torsdag tor tors torstai czwartek czw ctvrtek ct persembe per четверг чт\
    |friday fri freitag fr vendredi ven viernes vie venerdi sexta vrijdag vr fredag fre perjantai piatek pt patek pa cuma cum пятница пт\
    |saturday sat samstag sa sonnabend samedi sam sabado sab sabato zaterdag za lordag lor lauantai sobota sob cumartesi cmt суббота сб\
    |sunday sun sonntag so dimanche dim domingo dom domenica zondag zo sondag son sunnuntai niedziela ndz nedele pazar paz воскресенье вс";

/// In small letters and without accents: `Mär` and `MÄR` are `mar`, `Ağustos` is `agustos`.
pub(super) fn folded(word: &str) -> String {
    let mut plain = String::with_capacity(word.len());
    for c in word.chars().flat_map(char::to_lowercase) {
        plain.push(match c {
            'á' | 'à' | 'â' | 'ä' | 'ã' | 'å' | 'ă' | 'ą' => 'a',
            'ç' | 'č' | 'ć' => 'c',
            'é' | 'è' | 'ê' | 'ë' | 'ě' | 'ę' => 'e',
            'í' | 'ì' | 'î' | 'ï' | 'ı' => 'i',
            'ñ' | 'ň' | 'ń' => 'n',
            'ó' | 'ò' | 'ô' | 'ö' | 'õ' | 'ø' | 'ő' => 'o',
            'ś' | 'š' | 'ş' | 'ș' => 's',
            'ú' | 'ù' | 'û' | 'ü' | 'ů' | 'ű' => 'u',
            'ý' => 'y',
            'ź' | 'ż' | 'ž' => 'z',
            'ğ' => 'g',
            'ř' => 'r',
            'ł' => 'l',
            'ď' | 'đ' => 'd',
            'ť' | 'ț' | 'ţ' => 't',
            'ά' => 'α',
            'έ' => 'ε',
            'ή' => 'η',
            'ί' | 'ϊ' | 'ΐ' => 'ι',
            'ό' => 'ο',
            'ύ' | 'ϋ' => 'υ',
            'ώ' => 'ω',
            // What is left of letters that were written in two parts.
            '\u{300}'..='\u{36f}' => continue,
            c => c,
        });
    }
    plain
}

/// The languages, by their codes, that months are known in.
pub(super) fn languages() -> impl Iterator<Item = &'static str> {
    MONTHS.iter().map(|(language, _)| *language)
}

/// The languages that have a month of a name that stands in a text.
pub(super) fn of(text: &str) -> Vec<&'static str> {
    let words = folded(text);
    let words: Vec<&str> = words.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).collect();
    languages().filter(|language| words.iter().any(|word| month(word, language).is_some())).collect()
}

/// The month that a folded name means in a language.
pub(super) fn month(name: &str, language: &str) -> Option<u32> {
    let (_, months) = MONTHS.iter().find(|(known, _)| *known == language)?;
    place(name, months)
}

/// The weekday, from Monday at 0, that a folded name means.
pub(super) fn weekday(name: &str) -> Option<u32> {
    place(name, WEEKDAYS).map(|day| day - 1)
}

fn place(name: &str, lists: &str) -> Option<u32> {
    let at = lists.split('|').position(|names| names.split(' ').any(|known| known == name))?;
    u32::try_from(at + 1).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_in_many_languages() {
        for (name, language, month) in [
            ("Februar", "de", 2),
            ("März", "de", 3),
            ("août", "fr", 8),
            ("AOÛT", "fr", 8),
            ("fe\u{301}vrier", "fr", 2),
            ("Ağustos", "tr", 8),
            ("września", "pl", 9),
            ("října", "cs", 10),
            ("янв", "ru", 1),
            ("Μαΐου", "el", 5),
            ("listopad", "pl", 11),
            ("listopad", "hr", 10),
        ] {
            assert_eq!(super::month(&folded(name), language), Some(month), "{name}");
        }
        assert_eq!(super::month("sommer", "de"), None);
    }

    #[test]
    fn every_language_has_twelve_months_and_every_name_one() {
        for (language, months) in MONTHS {
            assert_eq!(months.split('|').count(), 12, "{language}");
            for name in months.split(['|', ' ']) {
                assert_eq!(folded(name), name, "{language}");
                let of = |names: &&str| names.split(' ').any(|known| known == name);
                assert_eq!(months.split('|').filter(of).count(), 1, "{language}: {name}");
            }
        }
        for name in WEEKDAYS.split(['|', ' ']) {
            let of = |names: &&str| names.split(' ').any(|known| known == name);
            assert_eq!(WEEKDAYS.split('|').filter(of).count(), 1, "{name}");
        }
    }
}
