#!/usr/bin/env bash
# Expected: the default test of drift allows for how few values there are: of windows of a month that come from the very distribution
# of the reference about one in twenty is said to have drifted, and more history in the reference does not make it worse.
#
# Seen with evidently 0.7.23: for numbers the rows of the reference alone pick the test. Up to 1,000 it is Kolmogorov and Smirnov's with
# p < 0.05, and 6 to 8 of 100 unchanged windows of 7, 30 or 90 days are said to have drifted. From 1,001 on it is the Wasserstein
# distance over the standard deviation against 0.1, which is less than chance alone makes of so few values: 100 of 100 windows
# of 7 and of 30 days have drifted, and 77 of 100 of 90. Who watches forecast errors week by week against three years of history
# is alarmed every week, from the row on that is one too many.
#
# Run: findings/evidently_short_window.sh (needs python3; fails if the behaviour has changed)
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/v"
"$home/v/bin/pip" install --quiet --disable-pip-version-check evidently==0.7.23 pandas==2.3.3 numpy==2.4.6 scipy==1.17.1
seen=$("$home/v/bin/python" -W ignore - <<'PY'
import numpy as np
import pandas as pd
from evidently import Report
from evidently.presets import DataDriftPreset

WINDOWS = 100
rng = np.random.default_rng(7)


def told(history, days):
    """How many windows of this many days are said to have drifted; nothing ever changes."""
    drifted = 0
    for _ in range(WINDOWS):
        error = rng.normal(size=history + days)
        then, now = (pd.DataFrame({"error": part}) for part in (error[:history], error[history:]))
        metrics = Report([DataDriftPreset()]).run(now, then).dict()["metrics"]
        drifted += int(metrics[0]["value"]["count"])
    print(f"reference of {history}, window of {days}: {drifted} of {WINDOWS} drifted")


for days in (7, 30, 90):
    for history in (1000, 1001):
        told(history, days)
PY
)
printf '%s\n' "$seen"
expected='reference of 1000, window of 7: 6 of 100 drifted
reference of 1001, window of 7: 100 of 100 drifted
reference of 1000, window of 30: 8 of 100 drifted
reference of 1001, window of 30: 100 of 100 drifted
reference of 1000, window of 90: 6 of 100 drifted
reference of 1001, window of 90: 77 of 100 drifted'
if [ "$seen" = "$expected" ]; then
    echo "as stated"
else
    echo "the behaviour has changed" >&2
    exit 1
fi
