#!/usr/bin/env bash
# Expected: with exactly one season of history a seasonal method has no error to learn its intervals from, and so it has none, is
# as wide as it can be, or refuses; at the least it warns, as it does for a history shorter than the season.
#
# Seen with statsforecast 2.1.1: SeasonalNaive and MSTL forecast twelve months of history with season_length=12, and state a 99 %
# interval without any width: its ends are the forecast itself. No warning is given, even with all warnings turned into errors.
# With one more value the interval of SeasonalNaive comes from a single error. Naive and HistoricAverage after one value, and
# RandomWalkWithDrift after two, are as certain. Who averages widths, scores coverage or derives safety stock from such panels
# finds new articles to be the safest of all.
#
# Run: findings/statsforecast_certain_after_one_season.sh (needs Python 3; fails if the behaviour has changed)
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/env"
"$home/env/bin/pip" install --quiet --disable-pip-version-check statsforecast==2.1.1 numpy==2.4.6 pandas==2.3.3
"$home/env/bin/python" - <<'PYTHON'
import warnings

import numpy as np
import pandas as pd
from statsforecast import StatsForecast
from statsforecast.models import MSTL, HistoricAverage, Naive, RandomWalkWithDrift, SeasonalNaive

SALES = [112.0, 118, 132, 129, 121, 135, 148, 148, 136, 119, 104, 118, 115]
warnings.simplefilter("error")


def width(model, values):
    """The widest 99 % interval over six months ahead."""
    months = pd.date_range("2024-01-01", periods=len(values), freq="MS")
    history = pd.DataFrame({"unique_id": "shop", "ds": months, "y": values})
    table = StatsForecast(models=[model], freq="MS", n_jobs=1).forecast(df=history, h=6, level=[99])
    name = repr(model)
    return float((table[f"{name}-hi-99"] - table[f"{name}-lo-99"]).max())


for model, values in [
    (SeasonalNaive(season_length=12), 12),
    (MSTL(season_length=12), 12),
    (Naive(), 1),
    (HistoricAverage(), 1),
    (RandomWalkWithDrift(), 2),
    (SeasonalNaive(season_length=12), 13),
]:
    found = width(model, SALES[:values])
    print(f"{model!r:20} after {values:2} values: {found:.2f}")
    assert np.isfinite(found) and (found < 1e-6) == (values != 13), "the behaviour has changed"
PYTHON
