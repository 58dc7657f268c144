#!/usr/bin/env python3
"""Writes data/countries.tsv: the names by which people call the countries and regions of data/holidays.jsonl.gz.

    python3 -m venv /tmp/names && /tmp/names/bin/pip install holidays==0.109 babel==2.18.0
    /tmp/names/bin/python setup/countries_data.py

Names are those of the Unicode CLDR as Babel has them (BSD and Unicode licences): in English, in each country's official
languages, and in German, French, Spanish, Italian, Portuguese and Dutch; and what else people write (MORE). Names of regions
are those of the Python package `holidays` (MIT licence).

Lines: the code (`DE`, `DE-BY`), the code of three letters (countries only), the names with bars between them.
"""
import holidays
from babel import Locale
from babel.core import get_global
from babel.languages import get_official_languages

WORLD = ["en", "de", "fr", "es", "it", "pt", "nl"]
# What CLDR does not have as a name of its own; one under several codes is asked for.
MORE = {
    "AE": ["UAE", "Emirates"], "BN": ["Brunei Darussalam"], "BO": ["Plurinational State of Bolivia"], "CD": [
        "Congo", "DR Congo", "DRC", "Democratic Republic of the Congo", "Democratic Republic of Congo", "Congo (Kinshasa)"],
    "CG": ["Congo", "Republic of the Congo", "Republic of Congo", "Congo (Brazzaville)"], "CI": ["Ivory Coast", "Cote d'Ivoire"],
    "DE-BY": ["Bavaria"], "DE-HE": ["Hesse"],
    "DE-MV": ["Mecklenburg-Western Pomerania"], "DE-NI": ["Lower Saxony"], "DE-NW": ["North Rhine-Westphalia"], "DE-RP": [
        "Rhineland-Palatinate"], "DE-SN": ["Saxony"], "DE-ST": ["Saxony-Anhalt"], "DE-TH": ["Thuringia"], "CV": ["Cape Verde", "Cabo Verde"], "CZ": ["Czech Republic", "Czechia"], "GB": ["UK", "Great Britain", "Britain"],
    "GB-ENG": ["England"], "GB-NIR": ["Northern Ireland"], "GB-SCT": ["Scotland"], "GB-WLS": ["Wales"], "GR": ["EL", "Hellas"],
    "IE": ["Republic of Ireland"], "IR": ["Islamic Republic of Iran"], "KP": ["Korea", "North Korea", "DPRK"],
    "KR": ["Korea", "South Korea", "Republic of Korea", "Korea, Republic of", "Korea (South)"],
    "LA": ["Lao PDR"], "MD": ["Republic of Moldova"], "MF": ["Saint Martin"], "MK": ["Macedonia"], "MM": ["Burma"],
    "NL": ["Holland", "The Netherlands"], "PS": ["Palestine"], "RU": ["Russian Federation"], "SX": ["Saint Martin"], "SY": [
        "Syrian Arab Republic"], "SZ": ["Swaziland"], "TL": ["East Timor"], "TR": ["Turkey", "Türkiye", "Turkiye"],
    "TW": ["Republic of China"], "TZ": ["United Republic of Tanzania"],
    "US": ["USA", "U.S.", "U.S.A.", "America", "United States of America"], "VA": ["Holy See"], "VE": [
        "Bolivarian Republic of Venezuela"], "VG": ["Virgin Islands"], "VI": ["Virgin Islands"], "VN": ["Viet Nam"],
}


def main():
    three = {alias: codes[0] for alias, codes in get_global("territory_aliases").items()
             if len(alias) == 3 and alias.isalpha() and len(codes) == 1}
    # Of two codes, the one in use; the other is of a country that is no more.
    former = {"BUR", "ZAR", "DDR", "FXX", "TMP", "YMD"}
    three = {code: alias for alias, code in three.items() if alias not in former}
    lines = []
    for code, regions in sorted(holidays.list_supported_countries(include_aliases=False).items()):
        names = []
        for language in WORLD + [spoken.split("_")[0] for spoken in get_official_languages(code, regional=True, de_facto=True)]:
            try:
                locale = Locale.parse(language)
            except Exception:
                continue
            names.append(locale.territories.get(code))
        names += MORE.get(code, [])
        names = [name for name in dict.fromkeys(names) if name and name != code and "|" not in name]
        lines.append(f"{code}\t{three.get(code, '')}\t{'|'.join(names)}")
        aliases = getattr(holidays.country_holidays(code), "subdivisions_aliases", None) or {}
        by_region = {}
        for name, region in aliases.items():
            by_region.setdefault(region, []).append(name)
        for region in sorted(regions):
            own = f"{code}-{region}"
            named = [name for name in dict.fromkeys(by_region.get(region, []) + MORE.get(own, [])) if name != region]
            if named:
                lines.append(f"{own}\t\t{'|'.join(named)}")
    with open("data/countries.tsv", "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
