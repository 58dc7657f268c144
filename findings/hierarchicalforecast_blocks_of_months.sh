#!/usr/bin/env bash
# Expected: when months are added up to quarters or years for a temporal hierarchy, each sum is one of months that follow each other.
# The blocks end with the last month, an incomplete one at the beginning is left out, or they are those of the calendar; with
# `aggregation_type="global"` they are the same months for all series.
#
# Seen with hierarchicalforecast 1.5.3: `aggregate_temporal` counts blocks from the first row. What is left at the end is a block like
# the others: 26 months of 100 are years of 1200, 1200 and 200. "global" numbers the months in the order in which they first occur when
# the series are sorted by name. If the first by name opened in March, January and February come behind December: the last "quarter" of
# the older shop is December, January and February of one year, 12 + 1 + 2 = 15, and the sums of both shops change when they
# swap their names. No warning is given. Who forecasts the levels cuts the series to the same whole blocks first.
#
# Run: findings/hierarchicalforecast_blocks_of_months.sh (needs python3; fails if the behaviour has changed)
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/v"
"$home/v/bin/pip" install --quiet --disable-pip-version-check hierarchicalforecast==1.5.3 pandas==2.3.3 numpy==2.4.6
seen=$("$home/v/bin/python" -W error::UserWarning - <<'PY'
import pandas as pd
from hierarchicalforecast.utils import aggregate_temporal


def sales(name, first, last, value):
    months = pd.date_range(first, last, freq="MS")
    return pd.DataFrame({"unique_id": name, "ds": months, "y": [float(value(month)) for month in months]})


def told(what, table, name, kind):
    found = table[(table.unique_id == name) & ~table.temporal_id.str.startswith("month")].sort_values("ds")
    print(f"{what}, {kind}: " + ", ".join(f"{r.temporal_id} until {r.ds:%Y-%m} {r.y:.0f}" for r in found.itertuples()))


years, _, _ = aggregate_temporal(sales("a", "2024-01-01", "2026-02-01", lambda _: 100), spec={"year": 12, "month": 1})
told("26 months", years, "a", "local")
for kind in ("local", "global"):
    for old, new in (("a", "b"), ("b", "a")):
        both = [sales(old, "2024-01-01", "2024-12-01", lambda m: m.month), sales(new, "2024-03-01", "2024-12-01", lambda m: m.month)]
        quarters, _, _ = aggregate_temporal(pd.concat(both), spec={"quarter": 3, "month": 1}, aggregation_type=kind)
        told(f"old shop named {old}", quarters, old, kind)
        told(f"new shop named {new}", quarters, new, kind)
PY
)
printf '%s\n' "$seen"
expected='26 months, local: year-1 until 2024-12 1200, year-2 until 2025-12 1200, year-3 until 2026-02 200
old shop named a, local: quarter-1 until 2024-03 6, quarter-2 until 2024-06 15, quarter-3 until 2024-09 24, quarter-4 until 2024-12 33
new shop named b, local: quarter-1 until 2024-05 12, quarter-2 until 2024-08 21, quarter-3 until 2024-11 30, quarter-4 until 2024-12 12
old shop named b, local: quarter-1 until 2024-03 6, quarter-2 until 2024-06 15, quarter-3 until 2024-09 24, quarter-4 until 2024-12 33
new shop named a, local: quarter-1 until 2024-05 12, quarter-2 until 2024-08 21, quarter-3 until 2024-11 30, quarter-4 until 2024-12 12
old shop named a, global: quarter-1 until 2024-03 6, quarter-2 until 2024-06 15, quarter-3 until 2024-09 24, quarter-4 until 2024-12 33
new shop named b, global: quarter-1 until 2024-03 3, quarter-2 until 2024-06 15, quarter-3 until 2024-09 24, quarter-4 until 2024-12 33
old shop named b, global: quarter-1 until 2024-05 12, quarter-2 until 2024-08 21, quarter-3 until 2024-11 30, quarter-4 until 2024-12 15
new shop named a, global: quarter-1 until 2024-05 12, quarter-2 until 2024-08 21, quarter-3 until 2024-11 30, quarter-4 until 2024-12 12'
if [ "$seen" = "$expected" ]; then
    echo "as stated"
else
    echo "the behaviour has changed" >&2
    exit 1
fi
