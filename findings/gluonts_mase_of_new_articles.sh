#!/usr/bin/env bash
# Expected: the scaled error MASE with a season of twelve divides by the error of the seasonal naive forecast; a history with no pair of
# values a season apart has none, so that MASE is missing, or an error is raised.
#
# Seen with gluonts 0.17.0: for a history shorter than a season both evaluations divide by the error of the plain naive forecast
# instead, and say nothing. On seasonal sales that is the larger one: the very same errors are 1.0 for an article of 13 months
# and 0.17 for one of 11. With exactly one season `evaluate_forecasts` gives NaN and `Evaluator` the plain one, 0.14. Averaged over
# a range of articles, the newest seem to be forecast best.
#
# Run: findings/gluonts_mase_of_new_articles.sh (needs python3; fails if the behaviour has changed)
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/v"
"$home/v/bin/pip" install --quiet --disable-pip-version-check gluonts==0.17.0 packaging==26.2 pandas==2.3.3 numpy==2.4.6
seen=$("$home/v/bin/python" -W ignore - 2>/dev/null <<'PY'
import numpy as np
import pandas as pd
from gluonts.dataset.common import ListDataset
from gluonts.dataset.split import split
from gluonts.ev.metrics import MASE
from gluonts.evaluation import Evaluator
from gluonts.model.evaluation import evaluate_forecasts
from gluonts.model.forecast import SampleForecast

YEAR = [100, 140, 90, 160, 80, 150, 100, 170, 90, 140, 100, 300]
START = pd.Period("2020-01", "M")


def told(months):
    """Each year sells 10 more than the one before; each forecast is 10 too high."""
    sales = np.array([YEAR[t % 12] + 10.0 * (t // 12) for t in range(months + 3)])
    forecasts = [SampleForecast(samples=(sales[months:] + 10.0)[None], start_date=START + months)]
    _, template = split(ListDataset([{"start": START, "target": sales}], freq="M"), offset=months)
    test = template.generate_instances(prediction_length=3)
    table = evaluate_forecasts(forecasts, test_data=test, metrics=[MASE()], seasonality=12)
    series = [pd.DataFrame(sales, index=pd.period_range(START, periods=months + 3, freq="M"))]
    totals, _ = Evaluator(seasonality=12, num_workers=0)(series, forecasts)
    print(f"{months} months: evaluate_forecasts {float(table['MASE[0.5]'].iloc[0]):.2f}, Evaluator {float(totals['MASE']):.2f}")


for months in (6, 11, 12, 13, 24, 36):
    told(months)
PY
)
printf '%s\n' "$seen"
expected='6 months: evaluate_forecasts 0.16, Evaluator 0.16
11 months: evaluate_forecasts 0.17, Evaluator 0.17
12 months: evaluate_forecasts nan, Evaluator 0.14
13 months: evaluate_forecasts 1.00, Evaluator 1.00
24 months: evaluate_forecasts 1.00, Evaluator 1.00
36 months: evaluate_forecasts 1.00, Evaluator 1.00'
if [ "$seen" = "$expected" ]; then
    echo "as stated"
else
    echo "the behaviour has changed" >&2
    exit 1
fi
