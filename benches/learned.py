"""Models that learn across series beside those of mlforecast, in one run: accuracy, intervals, CPU.

    TRADEWIND_DATA=FOLDER python benches/learned.py PEERS [ROW ...]

PEERS is as for benches/classical.py, whose functions this uses; the Python that runs this must have mlforecast, lightgbm and
xgboost. `+x` takes every covariate to be known ahead, as the peers do; `+h` is honest: weather and the economy are seen in the
past alone. `quantiles` is LightGBM with its quantile loss, one model per quantile, on the peers' features; `conformal` the peers'
LightGBM with the conformal intervals of mlforecast, from as many windows as ours. Prints a Markdown table.
"""
import os
import resource
import sys
import tempfile

os.environ["NIXTLA_ID_AS_COL"] = "1"

import numpy as np
import pandas as pd

from classical import DATA, SETS, ours, part, theirs

ROWS = [
    ("rossmann_daily100+x", "boost", "LightGBM"),
    ("rossmann_daily100+x", "xgboost", "XGBoost"),
    ("rossmann_daily100+x", "boost(num_rounds=40, learning_rate=0.2, num_leaves=15, block=42, difference=none, windows=0)", "LightGBM"),
    ("rossmann_daily100+x", "xgboost(num_boost_round=300, eta=0.05, max_bin=64, block=42, difference=none, max_rows=25000, windows=0)", "XGBoost"),
    ("rossmann_daily100+h", "boost", None),
    ("rossmann_daily100+h", "xgboost", None),
    ("walmart_dept300+x", "boost", "LightGBM"),
    ("walmart_dept300+x", "xgboost", "XGBoost"),
    ("walmart_dept300+h", "boost", None),
    ("walmart_dept300+h", "xgboost", None),
    ("walmart_dept300", "boost", None),
    ("rossmann_daily100+x", "lstm", None),
    ("rossmann_daily100+h", "lstm", None),
    ("walmart_dept300+x", "lstm", None),
    ("walmart_dept300+h", "lstm", None),
    ("rossmann_daily100+x", "stack", None),
    ("rossmann_daily100+h", "stack", None),
    ("walmart_dept300+x", "stack", None),
    ("walmart_dept300+h", "stack", None),
    ("walmart_dept300", "stack", None),
    ("rossmann_daily100+x", None, "quantiles"),
    ("walmart_dept300+x", None, "quantiles"),
    ("rossmann_daily100+x", None, "conformal"),
]
PARTS = {"D": ["dayofweek", "month", "day"], "W-FRI": ["week", "month"]}


def lightgbm(name, **objective):
    """The peers' LightGBM of a set, and the set's two parts."""
    import lightgbm as lgb
    from mlforecast import MLForecast
    from mlforecast.lag_transforms import RollingMean
    from mlforecast.target_transforms import LocalStandardScaler

    path, _, m, horizon, freq = SETS[name]
    train, test = part(path, "train", 0), part(path, "test", 0)
    test = test[test.groupby("unique_id").cumcount() < horizon]
    least = int(train.groupby("unique_id").size().min())
    lags = [lag for lag in sorted({1, 2, 3, 4, 6, m // 2, m - 1, m, m + 1, 2 * m}) if 0 < lag < least - 2]
    means = {1: [RollingMean(min(4, least // 3)), RollingMean(min(m, least // 3))]}
    model = lgb.LGBMRegressor(n_estimators=300, learning_rate=0.05, num_leaves=31, n_jobs=2, verbosity=-1, **objective)
    forecaster = MLForecast(models={"q": model}, freq=freq, lags=lags, lag_transforms=means, date_features=PARTS[freq],
                            target_transforms=[LocalStandardScaler()], num_threads=2)
    return forecaster, train, test, horizon


def conformal(name):
    """MAE, coverage and CPU of LightGBM with conformal intervals."""
    from mlforecast.utils import PredictionIntervals

    forecaster, train, test, horizon = lightgbm(name)
    before = resource.getrusage(resource.RUSAGE_SELF)
    forecaster.fit(train, static_features=[], prediction_intervals=PredictionIntervals(n_windows=3, h=horizon))
    said = forecaster.predict(horizon, X_df=test.drop(columns="y"), level=[80, 95])
    after = resource.getrusage(resource.RUSAGE_SELF)
    said = test.merge(said, on=["unique_id", "ds"])
    inside = [((said[f"q-lo-{level}"] <= said.y) & (said.y <= said[f"q-hi-{level}"])).mean() for level in (80, 95)]
    return (said.y - said.q).abs().mean(), inside, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def quantiles(name):
    """Pinball loss, coverage and CPU of LightGBM with its quantile loss."""
    before, losses, ends = resource.getrusage(resource.RUSAGE_SELF), [], {}
    for p in (0.025, 0.1, 0.5, 0.9, 0.975):
        forecaster, train, test, horizon = lightgbm(name, objective="quantile", alpha=p)
        forecaster.fit(train, static_features=[])
        said = test.merge(forecaster.predict(horizon, X_df=test.drop(columns="y")), on=["unique_id", "ds"])
        error = said.y - said.q
        losses.append(np.where(error >= 0, p * error, (p - 1) * error).mean())
        ends[p], actual = said.q.values, said.y.values
    after = resource.getrusage(resource.RUSAGE_SELF)
    inside = [((ends[low] <= actual) & (actual <= ends[high])).mean() for low, high in ((0.1, 0.9), (0.025, 0.975))]
    return np.mean(losses), inside, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    rows = [ROWS[int(row)] for row in sys.argv[2:]] or ROWS
    print("| data | model | s CPU | MAE | WAPE | MASE | pinball | inside 0.8 | inside 0.95 | failures |")
    print("|---|---|--:|--:|--:|--:|--:|--:|--:|--:|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, model, peer in rows:
            if model:
                cpu, failures, scores = ours(name, model, 0, folder)
                series = part(SETS[name][0], "train", 0).unique_id.nunique()
                shown = " | ".join(f"{scores[m]:.4f}" for m in ("MAE", "WAPE", "MASE", "pinball", "coverage80", "coverage95"))
                print(f"| {name} | {model} | {cpu * series / 1e3:.2f} | {shown} | {failures} |", flush=True)
            if peer == "quantiles":
                loss, (inside80, inside95), cpu = quantiles(name)
                print(f"| {name} | LightGBM, quantile loss | {cpu:.2f} | | | | {loss:.4f} | {inside80:.4f} | {inside95:.4f} | |", flush=True)
            elif peer == "conformal":
                mae, (inside80, inside95), cpu = conformal(name)
                print(f"| {name} | LightGBM, conformal intervals | {cpu:.2f} | {mae:.4f} | | | | {inside80:.4f} | {inside95:.4f} | |", flush=True)
            elif peer:
                cpu, series, answer = theirs(name, peer, 0, folder)
                print(f"| {name} | mlforecast {peer} | {cpu * series / 1e3:.2f} | {answer['MAE']:.4f} | {answer['WAPE']:.4f} | {answer['MASE']:.4f} | | | | |", flush=True)


if __name__ == "__main__":
    main()
