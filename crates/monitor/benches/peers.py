"""Detectors of river and evidently on the portfolio of `portfolio.rs` (seed 101, joint blocks), with the same question.

    TRADEWIND_MONITOR_DATA=monitor.bin TRADEWIND_MONITOR_EXPORT=sales.bin cargo bench -p tradewind-monitor
    pip install river==0.26.1 evidently==0.7.23 "pandas<3"
    python benches/peers.py sales.bin

Each sees the same one-step error on the logarithmic scale, standardised with the median and the robust deviation of the
series' own 52 weeks of reference; river's have seen the reference before. False alarms: all alarms in 104 weeks of
3,000 series, a quarter. Found: a shift of 30 % in one of 300 series in week 10 or 54, alarm within 4 weeks in which the
same detector gives none without the shift. `at one a quarter`: the threshold is set on the watched weeks themselves, as
no user could, so that there is one false alarm a quarter. evidently compares the last 13 errors with the reference,
weekly, on 150 series that stand for all.
"""

import sys
import time
import warnings

import numpy as np
import pandas as pd
from river import drift

warnings.simplefilter("ignore")
N, LAG, FIRST, REFERENCE = 3000, 13, 65, 52
sales = np.fromfile(sys.argv[1], "<f8").reshape(N, -1)
weeks = sales.shape[1]
offset = 0.1 * np.nanmean(np.abs(sales[:, FIRST : FIRST + REFERENCE]), axis=1, keepdims=True)


def errors(sales, offset):
    forecast = np.stack([np.nanmedian(sales[:, t - LAG : t], axis=1) for t in range(FIRST, weeks)], axis=1)
    log = lambda x: np.log(np.maximum(x, 0) + offset)
    return log(sales[:, FIRST:]) - log(forecast)


raw = errors(sales, offset)
centre = np.nanmedian(raw[:, :REFERENCE], axis=1, keepdims=True)
scale = 1.4826 * np.nanmedian(np.abs(raw[:, :REFERENCE] - centre), axis=1, keepdims=True)
clean = (raw - centre) / scale
chosen = np.random.default_rng(101).choice(N, 300, replace=False)
shifted = {}
for start in (10, 54):
    for factor in (1.3, 0.7):
        x = sales[chosen].copy()
        x[:, FIRST + REFERENCE + start :] *= factor
        shifted[start, factor] = (errors(x, offset[chosen]) - centre[chosen]) / scale[chosen]
quarters = (weeks - FIRST - REFERENCE) / 13


def table(name, alarms, rows=range(N)):
    """`alarms(series of errors)` gives the weeks, counted from the reference, with an alarm."""
    begun = time.process_time()
    found = {s: set(alarms(clean[s])) for s in rows}
    took = (time.process_time() - begun) * 1e3 / (weeks - FIRST) * 30_000 / len(rows)
    false = sum(len(f) for f in found.values()) / quarters * N / len(rows)
    hits = {1.3: [], 0.7: []}
    for (start, factor), z in shifted.items():
        for s, own in zip(chosen, z):
            window = set(range(start, start + 4))
            if not found[s] & window:
                hits[factor].append(bool(set(alarms(own)) & window))
    up, down = (np.mean(hits[f]) if hits[f] else float("nan") for f in (1.3, 0.7))
    print(f"{name:34} {false:10.1f} {up:8.2f} {down:8.2f} {took:12.0f}", flush=True)


def river(make):
    def alarms(z):
        detector = make()
        for t, x in enumerate(z):
            if np.isfinite(x):
                detector.update(float(x))
                if detector.drift_detected and t >= REFERENCE:
                    yield t - REFERENCE

    return alarms


def evidently(test, threshold):
    def alarms(z):
        before = pd.Series(z[:REFERENCE]).dropna()
        on = False
        for t in range(REFERENCE, len(z)):
            now = pd.Series(z[t - 12 : t + 1]).dropna()
            if len(now) < 5:
                continue
            drifted = bool(test(before, now, threshold))
            # One alarm for as long as it lasts.
            if drifted and not on:
                yield t - REFERENCE
            on = drifted

    return alarms


print(f"{'':34} {'false/q':>10} {'up 4':>8} {'down 4':>8} {'ms/wk 30,000':>12}")
table("river PageHinkley, default", river(drift.PageHinkley))
table("river ADWIN, default", river(drift.ADWIN))
low, high = 1.0, 200.0
for _ in range(7):
    middle = (low * high) ** 0.5
    make = river(lambda: drift.PageHinkley(min_instances=30, delta=0.5, threshold=middle, alpha=1.0))
    count = sum(len(list(make(z))) for z in clean) / quarters
    low, high = (middle, high) if count > 1 else (low, middle)
table("river PageHinkley, at one a quarter", river(lambda: drift.PageHinkley(30, 0.5, high, 1.0)))

from evidently.legacy.calculations.stattests import ks_stat_test, wasserstein_stat_test  # noqa: E402
from evidently.legacy.calculations.stattests.psi import psi_stat_test  # noqa: E402
from evidently.legacy.core import ColumnType  # noqa: E402

# Half of the chosen series stand for all: evidently needs milliseconds a comparison.
chosen = chosen[:150]
shifted = {k: z[:150] for k, z in shifted.items()}
for name, test, threshold in (
    ("evidently KS (default), p < 0.05", ks_stat_test, 0.05),
    ("evidently Wasserstein, 0.1", wasserstein_stat_test, 0.1),
    ("evidently PSI, 0.1", psi_stat_test, 0.1),
):
    of = lambda a, b, threshold, test=test: test(a, b, ColumnType.Numerical, threshold).drifted
    table(name, evidently(of, threshold), chosen)

print("\nevidently: drift of a normal column by 0, 0.1, 0.4, 0.8 standard deviations, by rows (its default test)")
from evidently import DataDefinition, Dataset, Report  # noqa: E402
from evidently.metrics import ValueDrift  # noqa: E402

for n in (1_000, 100_000, 10_000_000):
    random = np.random.default_rng(1)
    before, now = random.normal(size=n), random.normal(size=n)
    for moved in (0.0, 0.1, 0.4, 0.8):
        as_set = lambda x: Dataset.from_pandas(pd.DataFrame({"x": x}), DataDefinition(numerical_columns=["x"]))
        begun = time.process_time()
        result = Report([ValueDrift(column="x")]).run(as_set(now + moved), as_set(before)).dict()["metrics"][0]
        print(n, moved, result["metric_name"], result["value"], f"{time.process_time() - begun:.1f} s CPU", flush=True)
