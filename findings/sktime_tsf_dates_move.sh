#!/usr/bin/env bash
# Expected: the first value of a series in a .tsf file lies on the start that the file states for it, and the others follow at the
# frequency that it states: weeks from a Wednesday are Wednesdays, months from the 15th keep their month.
#
# Seen with sktime 1.2.0 (pandas 2.3.3): `load_tsf_to_dataframe` moves each series to the next Sunday, first of a month, first of
# a quarter or first of January. Sales of January, stated as of 2026-01-15 or as of 2026-01-31, become those of February, a year stated
# by its last day becomes the next one, and a week that begins on a Monday is dated by its end. Two series that started at different
# days of a week are thereby aligned. No warning is given. Days keep their dates, and `return_type="default_tsf"` has the stated start.
# Who joins such a table with holidays, prices or actual sales is late by up to a year.
#
# Run: findings/sktime_tsf_dates_move.sh (needs python3; fails if the behaviour has changed)
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/v"
"$home/v/bin/pip" install --quiet --disable-pip-version-check sktime==1.2.0 pandas==2.3.3 numpy==2.4.6
seen=$("$home/v/bin/python" -W error::UserWarning - "$home" <<'PY'
import sys

from sktime.datasets import load_tsf_to_dataframe


def told(frequency, start):
    path = f"{sys.argv[1]}/sales.tsf"
    with open(path, "w") as file:
        file.write(
            "@relation sales\n@attribute series_name string\n@attribute start_timestamp date\n"
            f"@frequency {frequency}\n@horizon 2\n@missing false\n@equallength true\n@data\n"
            f"shop:{start} 00-00-00:10,20,30\n"
        )
    plain, _ = load_tsf_to_dataframe(path, return_type="default_tsf")
    table, _ = load_tsf_to_dataframe(path)
    dates = [f"{when:%Y-%m-%d}" for when in table.index.get_level_values("timestamp")]
    print(f"{frequency} from {start}: plain {plain.start_timestamp.iloc[0]:%Y-%m-%d}, table {' '.join(dates)}")


told("daily", "2026-01-07")
told("weekly", "2026-01-05")
told("weekly", "2026-01-07")
told("monthly", "2026-01-01")
told("monthly", "2026-01-15")
told("monthly", "2026-01-31")
told("quarterly", "2026-03-31")
told("yearly", "2026-12-31")
told("yearly", "2026-02-01")
PY
)
printf '%s\n' "$seen"
expected='daily from 2026-01-07: plain 2026-01-07, table 2026-01-07 2026-01-08 2026-01-09
weekly from 2026-01-05: plain 2026-01-05, table 2026-01-11 2026-01-18 2026-01-25
weekly from 2026-01-07: plain 2026-01-07, table 2026-01-11 2026-01-18 2026-01-25
monthly from 2026-01-01: plain 2026-01-01, table 2026-01-01 2026-02-01 2026-03-01
monthly from 2026-01-15: plain 2026-01-15, table 2026-02-01 2026-03-01 2026-04-01
monthly from 2026-01-31: plain 2026-01-31, table 2026-02-01 2026-03-01 2026-04-01
quarterly from 2026-03-31: plain 2026-03-31, table 2026-04-01 2026-07-01 2026-10-01
yearly from 2026-12-31: plain 2026-12-31, table 2027-01-01 2028-01-01 2029-01-01
yearly from 2026-02-01: plain 2026-02-01, table 2027-01-01 2028-01-01 2029-01-01'
if [ "$seen" = "$expected" ]; then
    echo "as stated"
else
    echo "the behaviour has changed" >&2
    exit 1
fi
