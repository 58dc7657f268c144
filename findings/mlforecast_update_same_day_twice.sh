#!/usr/bin/env bash
# Expected: `update` takes new days as strictly as `fit`, which refuses a series with a day missing or given twice; or it replaces a day
# that it has already, so that a nightly job can be run again.
#
# Seen with mlforecast 1.1.0: a value is appended as the next one, whatever its date, and its date becomes the last day known. With
# Monday given twice every forecast is from then on that of the next weekday; with a day left out it is that of the weekday before.
# A row of nine days before makes forecasts for days that are over. No warning is given, also with all warnings turned into errors.
# `validate_new_data=True` refuses all three; it is off unless asked for. In brackets below is what that weekday sells.
#
# Run: findings/mlforecast_update_same_day_twice.sh (needs python3; fails if the behaviour has changed)
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/v"
"$home/v/bin/pip" install --quiet --disable-pip-version-check mlforecast==1.1.0 utilsforecast==0.2.17 coreforecast==0.0.20 \
    scikit-learn==1.9.1 pandas==2.3.3 numpy==2.4.6
seen=$("$home/v/bin/python" - <<'PY'
import warnings

import pandas as pd
from mlforecast import MLForecast
from sklearn.linear_model import LinearRegression

warnings.simplefilter("error")


def sales(days):
    """10 on a Monday, 20 on a Tuesday, …, 70 on a Sunday."""
    days = pd.DatetimeIndex(days)
    return pd.DataFrame({"unique_id": "shop", "ds": days, "y": [10.0 * (day.dayofweek + 1) for day in days]})


history = sales(pd.date_range("2026-01-05", "2026-03-01"))


def fitted(table=history):
    return MLForecast(models=[LinearRegression()], freq="D", lags=[7]).fit(table)


def told(what, *batches):
    model = fitted()
    for days in batches:
        model.update(sales(days))
    ahead = model.predict(3)
    right = sales(ahead.ds).y
    line = ", ".join(f"{day:%a %m-%d} {value:.0f} ({true:.0f})" for day, value, true in zip(ahead.ds, ahead.LinearRegression, right))
    try:
        model = fitted()
        for days in batches:
            model.update(sales(days), validate_new_data=True)
        asked = "taken"
    except ValueError:
        asked = "refused"
    print(f"{what}: {line}; validated: {asked}")


told("Monday", ["2026-03-02"])
told("Monday twice", ["2026-03-02"], ["2026-03-02"])
told("no Tuesday", ["2026-03-02", "2026-03-04"])
told("an old day", ["2026-02-20"])
try:
    fitted(history.drop(index=50))
    print("fit without a day: taken")
except ValueError:
    print("fit without a day: refused")
PY
)
printf '%s\n' "$seen"
expected='Monday: Tue 03-03 20 (20), Wed 03-04 30 (30), Thu 03-05 40 (40); validated: taken
Monday twice: Tue 03-03 30 (20), Wed 03-04 40 (30), Thu 03-05 50 (40); validated: refused
no Tuesday: Thu 03-05 30 (40), Fri 03-06 40 (50), Sat 03-07 50 (60); validated: refused
an old day: Sat 02-21 20 (60), Sun 02-22 30 (70), Mon 02-23 40 (10); validated: refused
fit without a day: refused'
if [ "$seen" = "$expected" ]; then
    echo "as stated"
else
    echo "the behaviour has changed" >&2
    exit 1
fi
