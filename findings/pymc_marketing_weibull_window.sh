#!/usr/bin/env bash
# Expected: `l_max`, "maximum duration of carryover effect", is the number of periods in which a spend works, for each kind of adstock;
# a larger one adds periods and leaves the weights of the first as they are, where they are not normalised.
#
# Seen with pymc-marketing 0.19.2 (pytensor 2.38.3): with l_max = 4 geometric, delayed and binomial adstock work in 4 periods,
# Weibull adstock of type PDF in 3 and of type CDF in 5. The PDF's weights are moved and scaled so that the smallest is 0 and the
# greatest 1: the last period never has an effect (with a peak late in the window the first has none instead), and the weight of a
# period depends on how many there are: that of the third is 0.27 with l_max = 4 and 0.39 with l_max = 12. The CDF's weights
# are those of periods 1 to l_max behind a weight of 1 for the period itself. Who compares memories between the kinds, or with
# another program, at the same l_max compares different windows.
#
# Run: findings/pymc_marketing_weibull_window.sh (needs python3 and a C compiler; fails if the behaviour has changed)
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/v"
"$home/v/bin/pip" install --quiet --disable-pip-version-check pymc-marketing==0.19.2 pymc==5.28.5 pytensor==2.38.3 \
    pymc-extras==0.10.0 arviz==0.23.4 preliz==0.24.0 numpy==2.4.6 scipy==1.17.1 xarray==2026.9.0
seen=$(PYTENSOR_FLAGS="base_compiledir=$home/compiled" "$home/v/bin/python" -W ignore - 2>/dev/null <<'PY'
import numpy as np
import pytensor.xtensor as px
from pymc_marketing.mmm import transformers

spend = px.as_xtensor(np.array([1.0] + [0.0] * 15), dims=("date",))


def weights(kind, periods, **options):
    effect = getattr(transformers, kind)(spend, l_max=periods, dim="date", **options)
    return np.round(effect.eval(), 2)


def told(name, periods, found):
    print(f"{name} l_max={periods}: {' '.join(f'{w:.2f}' for w in found[:6])}")


told("geometric", 4, weights("geometric_adstock", 4, alpha=0.5))
told("binomial", 4, weights("binomial_adstock", 4, alpha=0.5))
for periods in (4, 12):
    told("weibull PDF", periods, weights("weibull_adstock", periods, lam=2.0, k=1.5, type="PDF"))
told("weibull CDF", 4, weights("weibull_adstock", 4, lam=3.0, k=1.5, type="CDF"))
told("weibull PDF, late peak", 4, weights("weibull_adstock", 4, lam=5.0, k=4.0, type="PDF"))
PY
)
printf '%s\n' "$seen"
expected='geometric l_max=4: 1.00 0.50 0.25 0.12 0.00 0.00
binomial l_max=4: 1.00 0.80 0.60 0.40 0.00 0.00
weibull PDF l_max=4: 1.00 0.69 0.27 0.00 0.00 0.00
weibull PDF l_max=12: 1.00 0.74 0.39 0.17 0.06 0.02
weibull CDF l_max=4: 1.00 0.82 0.48 0.18 0.04 0.00
weibull PDF, late peak l_max=4: 0.00 0.16 0.55 1.00 0.00 0.00'
if [ "$seen" = "$expected" ]; then
    echo "as stated"
else
    echo "the behaviour has changed" >&2
    exit 1
fi
