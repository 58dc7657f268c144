"""fev-bench's retail tasks on Rossmann and Walmart: accuracy beside what is published for others, and CPU.

    TRADEWIND_DATA=FOLDER python benches/fev.py PROGRAM [TASK [MODEL ...]]

PROGRAM is a `tradewind` built in release mode; TASK one of rossmann_1D, rossmann_1W, walmart (all if none is named). The
folder has `rossmann.parquet` (915 of the 1,115 stores) and `walmart.parquet`. Needs pandas and pyarrow. Prints a Markdown
table.

WAPE is the mean absolute error over the mean absolute actual value of all series and steps of a window, then the mean over
windows; MASE and SQL (scaled quantile loss on the deciles) are scaled by the seasonal naive error in the training part,
means over series, then windows. Errors are those of the median, as absolute errors ask for; the WAPE of the mean, the
forecast that `tradewind forecast` puts first, stands beside.
"""
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

DECILES = [d / 10 for d in range(1, 10)]
#       horizon, windows, season of the MASE, known ahead, seen in the past, models
TASKS = {
    "rossmann_1D": (48, 10, 7, ["Open", "Promo", "SchoolHoliday", "StateHoliday", "DayOfWeek"], ["Customers"], ["boost", "auto"]),
    "rossmann_1W": (13, 8, 1, ["Open", "Promo", "SchoolHoliday", "StateHoliday"], ["Customers"], ["boost", "auto"]),
    "walmart": (39, 1, 1, ["IsHoliday", *(f"MarkDown{i}" for i in range(1, 6)), "Temperature", "Fuel_Price", "CPI",
                           "Unemployment"], [], ["boost", "seasonal_naive", "group_seasonal", "auto"]),
}


def table(task):
    """The task's data: id, ds, y and the covariates."""
    folder = Path(os.environ["TRADEWIND_DATA"])
    if task == "walmart":
        frame = pd.read_parquet(folder / "walmart.parquet")
        frame = frame.rename(columns={"date": "ds", "sales": "y"})
        frame["id"] = frame["store"].astype(str) + "-" + frame["dept"].astype(str)
        # Series that reach the last week; no price reduction is a reduction of nothing.
        frame = frame[frame.groupby("id")["ds"].transform("max") == frame["ds"].max()]
        frame = frame.fillna({f"MarkDown{i}": 0.0 for i in range(1, 6)})
        frame["IsHoliday"] = frame["IsHoliday"].astype(int)
    else:
        frame = pd.read_parquet(folder / "rossmann.parquet")
        frame = frame.rename(columns={"Store": "id", "Sales": "y", "Holiday": "StateHoliday"})
        frame["DayOfWeek"] = frame["ds"].dt.day_of_week + 1
        if task == "rossmann_1W":
            # Whole weeks, Monday to Sunday.
            frame["week"] = frame["ds"] - pd.to_timedelta(frame["ds"].dt.day_of_week, unit="D")
            whole = frame.groupby(["id", "week"])["ds"].transform("size") == 7
            names = ["y", "Open", "Promo", "SchoolHoliday", "StateHoliday", "Customers"]
            frame = frame[whole].groupby(["id", "week"], as_index=False)[names].sum().rename(columns={"week": "ds"})
    known, observed = TASKS[task][3:5]
    return frame[["id", "ds", "y", *known, *observed]].sort_values(["id", "ds"])


def scores(frame, forecasts, horizon, season):
    history = {key: series.set_index("ds")["y"] for key, series in frame.groupby("id")}
    wapes, of_means, mases, sqls = [], [], [], []
    for _, window in forecasts.groupby("fold"):
        errors, losses = [], []
        for key, series in window.groupby("id"):
            past = history[key][: series["ds"].min() - pd.Timedelta(1)].to_numpy()
            scale = np.abs(past[season:] - past[:-season]).mean() if len(past) > season else 0.0
            scale = scale or np.nan  # a constant history has no error to scale by
            actual = series["actual"].to_numpy()
            errors.append(np.abs(actual - series["q0.5"]).mean() / scale)
            pinball = [np.maximum(q * (actual - f), (q - 1) * (actual - f)).mean()
                       for q, f in ((q, series[f"q{q:g}"].to_numpy()) for q in DECILES)]
            losses.append(2 * np.mean(pinball) / scale)
        finite = lambda values: np.mean([v for v in values if np.isfinite(v)])
        wape = lambda point: (window["actual"] - window[point]).abs().mean() / window["actual"].abs().mean()
        wapes.append(wape("q0.5"))
        of_means.append(wape("mean"))
        mases.append(finite(errors))
        sqls.append(finite(losses))
    return [np.mean(values) for values in (wapes, of_means, mases, sqls)]


def main():
    program, chosen, models = sys.argv[1], sys.argv[2:3] or list(TASKS), sys.argv[3:]
    print("| task | model | WAPE | of the mean | MASE | SQL | inside 0.8 | CPU s a window | ms CPU a series |")
    print("|---|---|--:|--:|--:|--:|--:|--:|--:|", flush=True)
    for task in chosen:
        horizon, windows, season, known, observed, usual = TASKS[task]
        frame = table(task)
        for model in models or usual:
            with tempfile.TemporaryDirectory() as folder:
                frame.to_parquet(f"{folder}/data.parquet", index=False)
                command = [program, "backtest", "--data", f"{folder}/data.parquet", "--id", "id", "--time", "ds",
                           "--target", "y", "--known", ",".join(known), "--models", model, "--horizon", str(horizon),
                           "--folds", str(windows), "--levels", "0.8,0.6,0.4,0.2", "--out", f"{folder}/out", "--quiet"]
                command += ["--observed", ",".join(observed)] if observed else []
                before = resource.getrusage(resource.RUSAGE_CHILDREN)
                subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
                after = resource.getrusage(resource.RUSAGE_CHILDREN)
                cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
                forecasts = pd.read_parquet(f"{folder}/out/forecasts.parquet")
            forecasts["id"] = forecasts["id"].astype(frame["id"].dtype)
            wape, of_mean, mase, sql = scores(frame, forecasts, horizon, season)
            inside = forecasts["actual"].between(forecasts["q0.1"], forecasts["q0.9"]).mean()
            series = frame["id"].nunique()
            print(f"| {task} | {model} | {wape:.4f} | {of_mean:.4f} | {mase:.4f} | {sql:.4f} | {inside:.3f} | {cpu / windows:.1f} "
                  f"| {1000 * cpu / windows / series:.1f} |", flush=True)


if __name__ == "__main__":
    main()
