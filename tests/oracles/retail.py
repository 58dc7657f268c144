# Writes retail.csv: retail years by two packages. Run as: python tests/oracles/retail.py   (pandas 3.1.1; npm retail-calendar
# 4.1.2 in ./node_modules, run by node). pandas gives the last day of each quarter, the npm package the first day of each month
# and the last day of the year; the latter counts a 53rd week to no month, so months are compared by their first days alone.
import subprocess

import pandas as pd
from pandas.tseries.offsets import FY5253, FY5253Quarter

CALENDARS = {
    "4-5-4 nearest Sat Jan": dict(weekday=5, startingMonth=1, variation="nearest"),
    "4-4-5 nearest Sun Dec": dict(weekday=6, startingMonth=12, variation="nearest"),
    "5-4-4 last Fri Jun": dict(weekday=4, startingMonth=6, variation="last"),
    "4-5-4 last Fri Jan": dict(weekday=4, startingMonth=1, variation="last"),
}
with open("tests/oracles/retail.csv", "w") as out:
    out.write(f"# pandas {pd.__version__}, npm retail-calendar 4.1.2: python tests/oracles/retail.py\n")
    out.write("package,calendar,weeks,first,last,parts\n")
    for name, how in CALENDARS.items():
        # The extra week of a year is in its last quarter.
        quarter = FY5253Quarter(qtr_with_extra_week=4, **how)
        ends = list(pd.date_range("1999-10-01", "2031-12-31", freq=quarter))
        first = next(at for at, end in enumerate(ends) if FY5253(**how).is_on_offset(end))
        for at in range(first, len(ends) - 4, 4):
            year = ends[at : at + 5]
            weeks = (year[4] - year[0]).days // 7
            parts = " ".join(str(end.date()) for end in year[1:])
            out.write(f"pandas,{name},{weeks},{(year[0] + pd.Timedelta(days=1)).date()},{year[4].date()},{parts}\n")
    for line in subprocess.run(["node", "tests/oracles/retail.js"], capture_output=True, text=True, check=True).stdout.split("\n"):
        if line:
            name, _, weeks, first, last, parts = line.split(",")
            out.write(f"npm,{name},{weeks},{first},{last},{parts}\n")
