#!/usr/bin/env bash
# Expected: a missing value, such as the error of a day whose sales are not known yet, is skipped by a detector of drift or refused; in
# either case the drift in the other values is found.
#
# Seen with river 0.26.1 and alibi-detect 0.13.0: neither skips nor refuses it. In river one NaN silences ADWIN and PageHinkley for good:
# a level that rises by twenty standard deviations is not found in 5,000 further values (KSWIN finds it, as its window forgets the
# NaN). In alibi-detect one NaN among 500 values, in the reference or in the new data, makes the p-value of its feature NaN,
# and NaN is less than no threshold: `is_drift` is 0 although the feature has moved by three standard deviations. Who watches errors
# or features with gaps drops the gaps first, or has a monitor that can only say that all is well.
#
# Run: findings/drift_one_missing_value.sh (needs python3; fails if the behaviour has changed)
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
for name in river alibi; do python3 -m venv "$home/$name"; done # their requirements exclude each other
"$home/river/bin/pip" install --quiet --disable-pip-version-check river==0.26.1 numpy==2.4.6 scipy==1.17.1
"$home/alibi/bin/pip" install --quiet --disable-pip-version-check alibi-detect==0.13.0 numpy==1.26.4 scipy==1.17.1
seen=$(
    "$home/river/bin/python" - <<'PY'
from math import nan
from random import Random

from river.drift import ADWIN, KSWIN, PageHinkley

noise = Random(7)
errors = [noise.gauss(10.0 if i < 600 else 30.0, 1.0) for i in range(5600)]
for missing in (False, True):
    values = errors[:100] + [nan if missing else errors[100]] + errors[101:]
    for detector in (ADWIN(), PageHinkley(), KSWIN(seed=1)):
        found = 0
        for i, value in enumerate(values):
            detector.update(value)
            found += i >= 600 and detector.drift_detected
        print(f"{type(detector).__name__}, {'one value missing' if missing else 'complete'}: {'found' if found else 'nothing'}")
PY
    "$home/alibi/bin/python" -W ignore - 2>/dev/null <<'PY'
import numpy as np
from alibi_detect.cd import CVMDrift, KSDrift, TabularDrift

rng = np.random.default_rng(7)
then, now = rng.normal(size=(500, 3)), rng.normal(size=(500, 3))
now[:, 1] += 3.0
for where in ("nowhere", "the reference", "the new data"):
    old, new = then.copy(), now.copy()
    if where != "nowhere":
        (old if where == "the reference" else new)[0, 1] = np.nan
    for kind in (KSDrift, CVMDrift, TabularDrift):
        told = kind(old, p_val=0.05).predict(new)["data"]
        case = "complete" if where == "nowhere" else f"missing in {where}"
        print(f"{kind.__name__}, {case}: drift {told['is_drift']}, p {told['p_val'][1]:.3f}")
PY
)
printf '%s\n' "$seen"
expected='ADWIN, complete: found
PageHinkley, complete: found
KSWIN, complete: found
ADWIN, one value missing: nothing
PageHinkley, one value missing: nothing
KSWIN, one value missing: found
KSDrift, complete: drift 1, p 0.000
CVMDrift, complete: drift 1, p 0.000
TabularDrift, complete: drift 1, p 0.000
KSDrift, missing in the reference: drift 0, p nan
CVMDrift, missing in the reference: drift 0, p nan
TabularDrift, missing in the reference: drift 0, p nan
KSDrift, missing in the new data: drift 0, p nan
CVMDrift, missing in the new data: drift 0, p nan
TabularDrift, missing in the new data: drift 0, p nan'
if [ "$seen" = "$expected" ]; then
    echo "as stated"
else
    echo "the behaviour has changed" >&2
    exit 1
fi
