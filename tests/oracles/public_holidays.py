"""Writes holidays.csv: the public holidays of six countries and all their regions, 2010 to 2030, by PyPI `holidays`.

    python3 -m venv /tmp/v && /tmp/v/bin/pip install holidays==0.109 && /tmp/v/bin/python tests/oracles/public_holidays.py

One row per country, region (empty for the country as a whole) and year: the days as month and day (0101), in order. Unlike
setup/holidays_data.py, this asks for one year and region at a time and keeps the days only, so that the packing of our
data and the reading of it are checked together.
"""
import warnings

import holidays

warnings.filterwarnings("ignore")
with open("tests/oracles/holidays.csv", "w") as file:
    file.write(f"# PyPI holidays {holidays.__version__}; tests/oracles/public_holidays.py\ncountry,region,year,days\n")
    for country in ["BR", "CN", "DE", "GB", "IN", "US"]:
        for region in [None, *sorted(holidays.country_holidays(country).subdivisions)]:
            for year in range(2010, 2031):
                days = holidays.country_holidays(country, subdiv=region, years=year)
                text = " ".join(sorted(day.strftime("%m%d") for day in days if day.year == year))
                file.write(f"{country},{region or ''},{year},{text}\n")
