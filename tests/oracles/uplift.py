"""Effects of flags with level and calendar held fixed, written out from the formulas in src/explore/effect.rs; the regression
and the long-run covariance of its scores are statsmodels'. Tolerance 1e-6 (in percent: 0.05, what a table shows).

    python3 -m venv v && v/bin/pip install statsmodels==0.15.0 pandas==3.1.1 numpy==2.2.6 && v/bin/python tests/oracles/uplift.py

from the folder of the repository; writes tests/oracles/uplift.csv (case, flag, estimate, low, high) and, for the made-up
panel, tests/oracles/uplift_daily.csv.
"""
import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.sandwich_covariance import S_hac_simple

PASSES, LEAST = 3, 0.05


def line(values, counts, reach):
    """Local straight lines by weighted least squares, one fit per step."""
    n, level = len(values), np.full(len(values), np.nan)
    at = np.flatnonzero(counts)
    for t in range(n):
        distance = np.abs(at - t)
        weight = np.where(distance < reach, 1.0, np.where(distance == reach, 0.5, 0.0))
        near = weight > 0
        if not near.any():
            continue
        x, y, w = (at[near] - t).astype(float), values[at[near]], weight[near]
        if w.sum() >= 3 and len(x) > 1:
            level[t] = np.polyfit(x, y, 1, w=np.sqrt(w))[1]
        else:
            level[t] = np.average(y, weights=w)
    return level


def dummies(places, counts):
    return pd.get_dummies(pd.Series(places[counts])).to_numpy(float)


def without(values, counts, places, reach):
    rest = np.where(counts, values - line(np.where(counts, values, 0.0), counts, reach), 0.0)
    if places:
        design = np.column_stack([dummies(p, counts) for p in places])
        coefficients = np.linalg.lstsq(design, rest[counts], rcond=None)[0]
        rest[counts] -= design @ coefficients
    return rest


def adjusted(y, flags, effects, places, reach):
    usual = y / np.prod([np.where(f > 0, max(1 + e, 0.1), 1.0) for f, e in zip(flags, effects)], axis=0)
    bare, counts = usual.copy(), ~np.isnan(y)
    level = line(np.where(counts, bare, 0.0), counts, reach)
    counts &= level > LEAST * bare[counts].mean()
    usual = np.where(counts, level, 1.0)
    for p in places + places:
        ratio = pd.Series(np.where(counts, bare / usual, np.nan)).groupby(p).transform("mean").to_numpy()
        counts = counts & (np.nan_to_num(ratio) > LEAST)
        usual = np.where(counts, usual * ratio, 1.0)
    relative = np.where(counts, np.nan_to_num(y) / usual, 0.0)
    used = counts.sum() / reach + sum(len(set(p[counts])) for p in places) + len(flags)
    return without(relative, counts, places, reach), np.column_stack([without(f, counts, places, reach) for f in flags]), counts.sum(), used


def effects(series, places, reach, dates, asked):
    """`series` holds (y, flags) on the same dates; estimates and intervals of the first `asked` flags."""
    p = len(series[0][1])
    effect = np.zeros(p)
    for _ in range(PASSES):
        parts = [adjusted(y, flags, effect, places, reach) for y, flags in series]
        deviation = np.array([np.sqrt(((z - x @ effect) ** 2).sum() / (n - used)) for z, x, n, used in parts])
        weight = np.maximum(deviation, np.median(deviation) / 2) ** -2.0
        root = np.repeat(np.sqrt(weight), dates)
        z, x = np.concatenate([a[0] for a in parts]), np.vstack([a[1] for a in parts])
        fit = sm.OLS(z * root, x * root[:, None]).fit()
        effect = fit.params
    inverse = np.linalg.inv((x * root[:, None] ** 2).T @ x)
    by_date = lambda values: values.reshape(len(series), dates, -1).sum(axis=0)
    leverage = by_date(((x @ inverse) * x).sum(axis=1)[:, None] * root[:, None] ** 2)
    scores = by_date(x * (root**2 * (z - x @ effect))[:, None])
    steps, used = sum(a[2] for a in parts), sum(a[3] for a in parts)
    lags = int(np.ceil(min(2.6 * np.sqrt(dates), 2 * reach)))
    # Without the small-sample factors it is statsmodels' own estimator for panels.
    plain = fit.get_robustcov_results("hac-groupsum", time=np.tile(np.arange(dates), len(series)), maxlags=lags - 1, use_correction=False)
    own = inverse @ S_hac_simple(scores, nlags=lags - 1) @ inverse
    assert np.allclose(plain.cov_params(), own, rtol=1e-8), (plain.cov_params(), own)
    # Each flag's own scores tell how many steps are independent.
    own = scores @ inverse
    shared = np.clip((own[1:] * own[:-1]).sum(axis=0) / (own**2).sum(axis=0), 0, 0.9)
    independent = steps * (1 - shared) / (1 + shared)
    scores = own * (independent / np.maximum(independent - used, independent / 4)) / (1 - np.minimum(leverage, 0.9))
    inverse = np.eye(p)
    # Negative autocorrelation does not narrow an interval.
    error = np.sqrt(np.maximum(np.diag(inverse @ S_hac_simple(scores, nlags=lags - 1) @ inverse), (scores**2).sum(axis=0)))
    b = lags / dates
    fixed_b = 1.9600 + 2.9694 * b + 0.4160 * b**2 - 0.5324 * b**3
    for k in range(asked):
        runs = set()
        for _, flags in series:
            edges = np.flatnonzero(np.diff(np.concatenate([[0], (flags[k] > 0).astype(int), [0]])))
            runs |= set(zip(edges[::2], edges[1::2]))
        margin = error[k] * max(fixed_b, stats.t.ppf(0.975, max(len(runs) - 1, 1)))
        yield effect[k], max(effect[k] - margin, -1.0), effect[k] + margin


rows = []
sales = pd.read_csv("data/walmart_sales_weekly.csv")
flags = {"IsHoliday": lambda d: d.IsHoliday, "MarkDown2": lambda d: d.MarkDown2.fillna(0) > 0}
for name, flag in flags.items():
    series = [(d.Weekly_Sales.to_numpy(float), [flag(d).to_numpy(float)]) for _, d in sales.groupby(["Store", "Dept"])]
    assert len({len(y) for y, _ in series}) == 1
    rows += [("walmart", name, *effect) for effect in effects(series, [], 6, len(series[0][0]), 1)]

# A made-up panel of days: flyers on Fridays and Saturdays, television, and a holiday flag, with holes.
random = np.random.default_rng(11)
dates = pd.date_range("2023-01-02", periods=300)
day, left = dates.day.to_numpy(), dates.days_in_month.to_numpy() - dates.day.to_numpy()
places = [dates.day_of_week.to_numpy(), np.where(left < 4, 30 - left, day - 1)]
weekly = np.array([1, 0.9, 0.9, 1, 1.4, 1.7, 0.6])[places[0]]
holiday = (random.random(300) < 0.04).astype(float)
made, series = [], []
for shop in range(3):
    flyer = ((places[0] >= 4) & (places[0] <= 5) & (random.random(300) < 0.5)).astype(float)
    noise = np.exp(random.normal(0, 0.1, 300))
    y = np.round(100 * (shop + 1) * weekly * (1 + 0.2 * flyer) * (1 - 0.3 * holiday) * noise, 2)
    y[random.random(300) < 0.03] = np.nan
    y[0], y[-1] = 100.0, 100.0
    series.append((y, [flyer, holiday]))
    made.append(pd.DataFrame({"shop": shop, "day": dates.strftime("%Y-%m-%d"), "y": y, "flyer": flyer.astype(int), "holiday": holiday.astype(int)}))
pd.concat(made).to_csv("tests/oracles/uplift_daily.csv", index=False)
rows += [("daily", "flyer", *effect) for effect in effects(series, places, 28, 300, 1)]
pd.DataFrame(rows, columns=["case", "flag", "estimate", "low", "high"]).to_csv("tests/oracles/uplift.csv", index=False)
