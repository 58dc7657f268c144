#!/usr/bin/env python3
"""Writes data/holidays.jsonl.gz: the public holidays of all countries and regions that the Python package `holidays`
(MIT licence) knows, 2000 to 2050, with their English names.

    python3 -m venv /tmp/holidays && /tmp/holidays/bin/pip install holidays==0.109
    /tmp/holidays/bin/python setup/holidays_data.py

One line per country: {"code", "names": [...], "regions": [...], "days": [[name, [region, ...], [day, ...]], ...]}.
`regions` holds the codes of ISO 3166-2 without the country; a name's regions are indices into it, an empty list means
the whole country; days count from 2000-01-01. The first line names the source.
"""
import datetime
import gzip
import json
import warnings

import holidays

warnings.filterwarnings("ignore")
FIRST, LAST = 2000, 2050
START = datetime.date(FIRST, 1, 1)


def days(country, region):
    try:
        calendar = holidays.country_holidays(country, subdiv=region, years=range(FIRST, LAST + 1), language="en_US")
        if not calendar:
            raise ValueError
    except Exception:
        calendar = holidays.country_holidays(country, subdiv=region, years=range(FIRST, LAST + 1))
    found = set()
    for day, names in calendar.items():
        for name in names.split("; "):
            found.add(((day - START).days, name))
    return found


def block(country, regions):
    everywhere = days(country, None)
    by_region = {region: days(country, region) for region in regions}
    # A holiday of the country that a region lacks belongs to the regions that have it.
    common = everywhere.intersection(*by_region.values()) if by_region else everywhere
    entries = {}
    for day, name in common:
        entries.setdefault((name, ()), []).append(day)
    owners = {}
    for at, region in enumerate(regions):
        for key in by_region[region] - common:
            owners.setdefault(key, []).append(at)
    # -1: in the calendar of the country as a whole, though not of every region.
    for key in everywhere - common:
        owners.setdefault(key, []).insert(0, -1)
    for (day, name), at in owners.items():
        entries.setdefault((name, tuple(at)), []).append(day)
    names = sorted({name for name, _ in entries})
    rows = [[names.index(name), list(at), sorted(found)] for (name, at), found in entries.items()]
    return {"code": country, "names": names, "regions": regions, "days": sorted(rows)}


def main():
    lines = [json.dumps({"source": f"PyPI holidays {holidays.__version__}, MIT licence", "first": FIRST, "last": LAST})]
    for country, regions in sorted(holidays.list_supported_countries(include_aliases=False).items()):
        lines.append(json.dumps(block(country, sorted(regions)), ensure_ascii=False, separators=(",", ":")))
    with open("data/holidays.jsonl.gz", "wb") as file:
        with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=9, mtime=0, filename="") as packed:
            packed.write("\n".join(lines).encode())


if __name__ == "__main__":
    main()
