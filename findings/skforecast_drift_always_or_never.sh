#!/usr/bin/env bash
# Expected: a detector of drift that looks at its data as one chunk compares the new window with the reference and finds drift when the
# two differ by more than chance makes them.
#
# Seen with skforecast 0.26.0: `PopulationDriftDetector` without a chunk size has no such measure. Its threshold is learnt from the
# distances between chunks of the reference and the reference; with one chunk that is the distance from itself, so that the threshold is 0
# and everything is drift: 20 of 20 unchanged windows, and the reference without its last row. With `threshold_method="quantile"`
# the threshold is NaN, and nothing within the range of the reference is drift, not errors that have risen by a standard deviation,
# nor ones narrowed to a hundredth. It warns that thresholds "may not be reliable", not which way. With chunks of 70 days it finds 2 of
# 20 unchanged windows to have drifted, and all that have risen or narrowed.
#
# Run: findings/skforecast_drift_always_or_never.sh (needs python3; fails if the behaviour has changed)
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/v"
"$home/v/bin/pip" install --quiet --disable-pip-version-check skforecast==0.26.0 pandas==2.3.3 numpy==2.4.6 scipy==1.17.1
seen=$("$home/v/bin/python" -W ignore - <<'PY'
import numpy as np
import pandas as pd
from skforecast.drift_detection import PopulationDriftDetector

DAYS = pd.date_range("2024-01-01", periods=770)
rng = np.random.default_rng(7)
draws = [rng.normal(size=770) for _ in range(20)]


def told(chunk, **options):
    counts = dict.fromkeys(("unchanged", "reference less a row", "narrowed", "risen"), 0)
    for draw in draws:
        then = pd.DataFrame({"error": draw[:700]}, index=DAYS[:700])
        now = pd.DataFrame({"error": draw[700:]}, index=DAYS[700:])
        detector = PopulationDriftDetector(chunk_size=chunk, **options)
        detector.fit(then)
        windows = (now, then.iloc[:-1], now * 0.01, now + 1.0)
        for name, window in zip(counts, windows):
            counts[name] += bool(detector.predict(window)[0].drift_detected.any())
    print(f"chunk {chunk}, {options.get('threshold_method', 'std')}: " + ", ".join(f"{k} {v}" for k, v in counts.items()))


for chunk in (None, 70):
    told(chunk)
    told(chunk, threshold_method="quantile", threshold=0.95)
PY
)
printf '%s\n' "$seen"
expected='chunk None, std: unchanged 20, reference less a row 20, narrowed 20, risen 20
chunk None, quantile: unchanged 0, reference less a row 0, narrowed 0, risen 0
chunk 70, std: unchanged 2, reference less a row 0, narrowed 20, risen 20
chunk 70, quantile: unchanged 4, reference less a row 5, narrowed 20, risen 20'
if [ "$seen" = "$expected" ]; then
    echo "as stated"
else
    echo "the behaviour has changed" >&2
    exit 1
fi
