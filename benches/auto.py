"""`auto`, and two of its members, on public data, with nothing stated but columns and horizon: accuracy, intervals, CPU.

    TRADEWIND_DATA=FOLDER python benches/auto.py PROGRAM PEERS [ROW ...]

PROGRAM is a `tradewind` built in release mode, PEERS holds `metrics.py`, the one definition of every metric; rows are
numbers from the list below, all if none is named. CPU is that of the whole program, reading and writing included. Needs
pandas and pyarrow. Prints a Markdown table.
"""
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd

DATA = Path(os.environ["TRADEWIND_DATA"]).resolve()
ROSSMANN = "Open,Promo,Holiday,SchoolHoliday,Mean_TemperatureC,Precipitationmm"
WALMART = "IsHoliday,Temperature,Fuel_Price,CPI,Unemployment,MarkDown1,MarkDown2,MarkDown3,MarkDown4,MarkDown5"
# name, files, season of the metric, horizon, known ahead, further arguments, model
ROWS = [
    ("m3_monthly500", "samples/m3_monthly500", 12, 18, "", [], "auto"),
    ("m5_monthly500", "samples/m5_monthly500", 12, 6, "", [], "auto"),
    ("walmart_dept300", "samples/walmart_dept300", 52, 13, "", [], "auto"),
    ("walmart_dept300+x", "samples/walmart_dept300", 52, 13, WALMART, ["--fixed", "Size"], "auto"),
    ("m4_weekly", "m4/m4_weekly", 1, 13, "", [], "auto"),
    ("m4_hourly", "m4/m4_hourly", 24, 48, "", [], "auto"),
    ("m3_yearly", "m3/m3_yearly", 1, 6, "", [], "auto"),
    ("m3_quarterly", "m3/m3_quarterly", 4, 8, "", [], "auto"),
    ("m3_monthly", "m3/m3_monthly", 12, 18, "", [], "auto"),
    ("m3_other", "m3/m3_other", 1, 8, "", [], "auto"),
    ("rossmann_daily100", "samples/rossmann_daily100", 7, 42, "", [], "auto"),
    ("rossmann_daily100+x", "samples/rossmann_daily100", 7, 42, ROSSMANN, [], "auto"),
    ("m5_monthly500", "samples/m5_monthly500", 12, 6, "", [], "ensemble"),
    ("rossmann_daily100+x", "samples/rossmann_daily100", 7, 42, ROSSMANN, [], "boost"),
    ("walmart_dept300+x", "samples/walmart_dept300", 52, 13, WALMART, ["--fixed", "Size"], "boost"),
]


def forecast(program, train, test, horizon, known, further, model, folder):
    """What the program forecasts, by series and step, and its CPU seconds."""
    history, future, out = (folder / name for name in ("history.parquet", "future.parquet", "forecast.parquet"))
    named = known.split(",") if known else []
    fixed = [further[k + 1] for k, word in enumerate(further) if word == "--fixed"]
    train[["unique_id", "ds", "y", *named, *fixed]].to_parquet(history)
    command = [program, "forecast", "--data", history, "--id", "unique_id", "--time", "ds", "--target", "y",
               "--horizon", str(horizon), "--models", model, "--out", out, "--quiet", *further]
    if named:
        test[["unique_id", "ds", *named]].to_parquet(future)
        command += ["--known", known, "--future", future]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    rows = pd.read_parquet(out)
    rows["step"] = rows.groupby("unique_id").cumcount()
    return rows.drop(columns="ds"), after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    program, peers = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    sys.path.insert(0, str(peers))
    from metrics import evaluate
    rows = [ROWS[int(row)] for row in sys.argv[3:]] or ROWS
    print("| data | model | sMAPE | MASE | OWA | WAPE | WAPE of the median | MAE | pinball | inside 0.8 | inside 0.95 | ms CPU |")
    print("|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|", flush=True)
    for name, path, season, horizon, known, further, model in rows:
        train, test = (pd.read_parquet(DATA / f"{path}_{part}.parquet") for part in ("train", "test"))
        test["step"] = test.groupby("unique_id").cumcount()
        test = test[test.step < horizon]
        with tempfile.TemporaryDirectory() as folder:
            said, cpu = forecast(program, train, test, horizon, known, further, model, Path(folder))
        # Keys are text in some files and numbers in others.
        test["key"], said["key"] = test.unique_id.astype(str), said.unique_id.astype(str)
        both = test.merge(said.drop(columns="unique_id"), on=["key", "step"], how="left")
        assert both["mean"].notna().all(), f"{name}: {both['mean'].isna().sum()} steps without a forecast"
        scores = evaluate(train[["unique_id", "ds", "y"]], test[["unique_id", "ds", "y"]],
                          both[["unique_id", "ds"]].assign(yhat=both["mean"]), season, horizon)
        inside = [both.y.between(both[low], both[high]).mean() for low, high in (("q0.1", "q0.9"), ("q0.025", "q0.975"))]
        losses = [((both.y - both[f"q{q}"]) * q).clip(lower=0) + ((both[f"q{q}"] - both.y) * (1 - q)).clip(lower=0)
                  for q in (0.025, 0.1, 0.5, 0.9, 0.975)]
        pinball = sum(loss.mean() for loss in losses) / len(losses)
        median = 100 * (both.y - both["q0.5"]).abs().sum() / both.y.abs().sum()
        mae = (both.y - both["mean"]).abs().mean()
        shown = " | ".join(f"{scores[m]:.4f}" for m in ("sMAPE", "MASE", "OWA", "WAPE"))
        print(f"| {name} | {model} | {shown} | {median:.4f} | {mae:.2f} | {pinball:.4f} | {inside[0]:.4f} | {inside[1]:.4f} | "
              f"{1e3 * cpu / train.unique_id.nunique():.1f} |", flush=True)


if __name__ == "__main__":
    main()
