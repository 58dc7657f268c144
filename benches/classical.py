"""benches/classical.rs beside the same models of another program, in one run: CPU and accuracy of each.

    TRADEWIND_DATA=FOLDER python benches/classical.py PEERS [ROW ...]

PEERS is a folder with `peers.py`, which fits one model of statsforecast or Prophet and prints one line of JSON, and with `metrics.py`, the
one definition of every metric for both sides. The Python that runs this must have what peers.py needs. Ours runs before
and after each peer, both times are printed, and the factor is that of the slower one. Rows are numbers from the
list below; without any, all are run. Prints a Markdown table.
"""
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ["TRADEWIND_DATA"]).resolve()
PEERS = Path(sys.argv[1]).resolve()
sys.path.insert(0, str(PEERS))
from metrics import evaluate  # noqa: E402

# our data set, its files, season, season of the metric, horizon, frequency for the peer
SETS = {
    "m3_monthly500": ("samples/m3_monthly500", 12, 12, 18, "int"),
    "m4_weekly": ("m4/m4_weekly", 1, 1, 13, "int"),
    "m4_weekly_52": ("m4/m4_weekly", 52, 1, 13, "int"),
    "rossmann_daily100": ("samples/rossmann_daily100", 7, 7, 42, "D"),
    "rossmann_daily100+x": ("samples/rossmann_daily100", 7, 7, 42, "D"),
    "m3_yearly": ("m3/m3_yearly", 1, 1, 6, "int"),
    "m3_quarterly": ("m3/m3_quarterly", 4, 4, 8, "int"),
    "m3_monthly": ("m3/m3_monthly", 12, 12, 18, "int"),
    "m3_other": ("m3/m3_other", 1, 1, 8, "int"),
    "m4_hourly": ("m4/m4_hourly", 24, 24, 48, "int"),
    "rossmann_daily100+h": ("samples/rossmann_daily100", 7, 7, 42, "D"),
    "walmart_dept300": ("samples/walmart_dept300", 52, 52, 13, "W-FRI"),
    "walmart_dept300+x": ("samples/walmart_dept300", 52, 52, 13, "W-FRI"),
    "walmart_dept300+h": ("samples/walmart_dept300", 52, 52, 13, "W-FRI"),
    "m5_monthly500": ("samples/m5_monthly500", 12, 12, 6, "MS"),
}
# the dates that a peer who needs dates is given for integer steps, by season
DATES = {12: "M", 52: "W", 24: "h"}
# our set, our model, the peer's model, number of series (0: all)
ROWS = [
    ("m3_monthly500", "arima", "AutoARIMA", 100),
    ("m3_monthly500", "ets", "AutoETS", 0),
    ("m3_monthly500", "theta(kind=dynamic-optimised)", "DynamicOptimizedTheta", 0),
    ("m3_monthly500", "ces", "AutoCES", 0),
    ("m3_monthly500", "mstl", "MSTL", 0),
    ("m4_weekly", "arima", "AutoARIMA", 60),
    ("m4_weekly", "ets", "AutoETS", 0),
    ("m4_weekly", "theta(kind=dynamic-optimised)", "DynamicOptimizedTheta", 60),
    ("m4_weekly", "ces", "AutoCES", 0),
    ("m4_weekly_52", "mstl", "MSTL", 0),
    ("rossmann_daily100+x", "arima", "AutoARIMA", 5),
    ("rossmann_daily100", "arima(regressors=false)", "AutoARIMA", 10),
    ("rossmann_daily100", "ets", "AutoETS", 50),
    ("rossmann_daily100", "theta(kind=dynamic-optimised)", "DynamicOptimizedTheta", 0),
    ("rossmann_daily100", "ces", "AutoCES", 0),
    ("rossmann_daily100", "mstl", "MSTL", 0),
    ("m3_monthly500", "prophet", "Prophet", 100),
    ("rossmann_daily100+x", "prophet", "Prophet", 50),
]


def part(path, which, series):
    frame = pd.read_parquet(DATA / f"{path}_{which}.parquet")
    ids = list(dict.fromkeys(frame.unique_id))[: series or None]
    return frame[frame.unique_id.isin(ids)].reset_index(drop=True)


def ours(name, model, series, folder):
    path, _, season, horizon, _ = SETS[name]
    out = Path(folder) / "ours.csv"
    said = subprocess.run(["cargo", "bench", "--quiet", "--locked", "--features", "full", "--bench", "classical", "--", name, model, str(series), out],
                          cwd=ROOT, check=True, capture_output=True, text=True).stdout
    cpu = float(re.search(r"([\d.]+) ms CPU", said)[1])
    failures = int(re.search(r"(\d+) failures", said)[1])
    intervals = {name: float(value) for name, value in re.findall(r"(pinball|msis95|coverage80|coverage95) ([\d.]+)", said)}
    forecast, test = pd.read_csv(out), part(path, "test", series)
    test["step"] = test.groupby("unique_id").cumcount()
    test = test[test.step < horizon]
    forecast = test[["unique_id", "ds", "step"]].merge(forecast, on=["unique_id", "step"])[["unique_id", "ds", "yhat"]]
    train = part(path, "train", series)[["unique_id", "ds", "y"]]
    return cpu, failures, evaluate(train, test[["unique_id", "ds", "y"]], forecast, season, horizon) | intervals


def theirs(name, model, series, folder):
    path, fit, season, horizon, freq = SETS[name]
    command = [sys.executable, str(PEERS / "peers.py"), "--train", f"{DATA / path}_train.parquet", "--test", f"{DATA / path}_test.parquet",
               "--name", name, "--model", model, "--m", str(fit), "--mm", str(season), "--h", str(horizon), "--freq", freq,
               "--sub", str(series), "--base", str(folder)]
    said = subprocess.run(command + (["--exog"] if name.endswith("+x") else []), check=True, capture_output=True, text=True,
                          env=dict(os.environ, OMP_WAIT_POLICY="PASSIVE", PYTHONPATH=str(PEERS), FAKE=DATES.get(season, "D")))
    answer = json.loads(said.stdout.strip().splitlines()[-1])
    return 1e3 * answer["cpu_s"] / answer["n_series"], answer["n_series"], answer


def main():
    rows = [ROWS[int(row)] for row in sys.argv[2:]] or ROWS
    print("| data | series | model | ms CPU | beside | ms CPU | factor | MASE | | OWA | | sMAPE | | WAPE | | failures |")
    print("|---|--:|---|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, model, peer, series in rows:
            first, failures, scores = ours(name, model, series, folder)
            other, count, peer_scores = theirs(name, peer, series, folder)
            second, _, _ = ours(name, model, series, folder)
            pairs = " | ".join(f"{scores[m]:.4f} | {peer_scores[m]:.4f}" for m in ("MASE", "OWA", "sMAPE", "WAPE"))
            print(f"| {name} | {count} | {model} | {first:.3f}, {second:.3f} | {peer} | {other:.2f} | {other / max(first, second):.1f} | {pairs} | {failures} |",
                  flush=True)


if __name__ == "__main__":
    main()
