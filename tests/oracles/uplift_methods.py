"""The effect of a flag matched before and after and against a structural counterfactual, written out from the formulas in
src/explore/matched.rs and counterfactual.rs. Matching is plain pandas and numpy; the level is that of statsmodels'
UnobservedComponents. Tolerance: 0.05 in per cent, what a table shows.

    v/bin/python tests/oracles/uplift_methods.py

from the folder of the repository, with the packages that tests/oracles/uplift.py names (it is run first, for its data and its
effects of other flags); writes tests/oracles/uplift_methods.csv (case, flag, method, estimate, low, high).
"""
import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.sandwich_covariance import S_hac_simple
from statsmodels.tsa.statespace.structural import UnobservedComponents
from uplift import effects, line, places, sales, series as daily

NEAREST, LEAST, ENOUGH = 3, 0.05, 0.7
RATIOS = [0.0, 0.001, 0.004, 0.016, 0.06, 0.25, 1.0, 4.0]


def index_of(ratio, use, phases):
    """The mean ratio of each phase, on the steps of its own that count; 1 where there are none."""
    means = pd.Series(np.where(use, ratio, np.nan)).groupby(phases).mean()
    return means.reindex(range(int(phases.max()) + 1)).fillna(1.0)


def clean(y, flag, factor, week, reach):
    """A series without other flags, its level from the steps without the flag, its index of the weekday."""
    counts = ~np.isnan(y) & (factor >= 0.3)
    free = counts & (flag == 0)
    bare = np.where(counts, y / factor, 0.0)
    level = line(bare, free, reach)
    use = free & (level > LEAST * bare[free].mean())
    index = np.ones(len(y))
    if week is not None:
        index = index_of(np.where(use, bare / level, np.nan), use, week).reindex(week).to_numpy()
        counts = counts & (index > LEAST)
    return np.where(counts, y, np.nan), index, bare / level / index, use


def outside(y, flag, guard):
    free = (flag == 0) & ~np.isnan(y)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], (flag > 0).astype(int), [0]])))
    for start, end in zip(edges[::2], edges[1::2]):
        free[max(start - guard[0], 0):start] = False
        free[end:end + guard[1]] = False
    return free


def matched(y, flag, factor, guard, phase, limit, nearest):
    free, expected = outside(y, flag, guard), np.full(len(y), np.nan)
    for t in np.flatnonzero((flag > 0) & ~np.isnan(y)):
        steps = np.arange(phase, limit + 1, phase)
        before = [s for s in steps if t - s >= 0 and free[t - s]][:nearest]
        after = [s for s in steps if t + s < len(y) and free[t + s]][:nearest]
        if before and after:
            a, b = (np.mean([y[t - s] / factor[t - s] for s in before]), np.mean([y[t + s] / factor[t + s] for s in after]))
            far, near = np.mean(before), np.mean(after)
            expected[t] = factor[t] * (a * near + b * far) / (near + far)
    return expected


def level_of(values):
    """The smoothed level of a local level model, the ratio of variances by maximum likelihood out of a few."""
    best, found = -np.inf, None
    for ratio in RATIOS:
        model = UnobservedComponents(values, "local level")
        model.ssm.initialize("diffuse")
        fit = model.smooth([1.0, ratio])
        start = int(np.flatnonzero(~np.isnan(values))[0]) + 1
        error, spread = fit.filter_results.forecasts_error[0, start:], fit.filter_results.forecasts_error_cov[0, 0, start:]
        known = ~np.isnan(values[start:])
        squares, logs, n = (error[known] ** 2 / spread[known]).sum(), np.log(spread[known]).sum(), known.sum()
        likelihood = -0.5 * (n * np.log(squares / n) + logs)
        if likelihood > best:
            best, found = likelihood, fit.smoothed_state[0]
    return found


def estimate(actual, expected, runs, reach):
    """Sums by date, their ratio, and its interval."""
    b, dates = expected.sum(), len(actual)
    value = actual.sum() / b - 1
    scores = np.sqrt(runs / (runs - 1)) * (actual - (1 + value) * expected) / b
    lags = int(np.ceil(min(2.6 * np.sqrt(dates), 2 * reach)))
    error = np.sqrt(max(S_hac_simple(scores[:, None], nlags=lags - 1)[0, 0], (scores**2).sum()))
    share = lags / dates
    fixed_b = 1.9600 + 2.9694 * share + 0.4160 * share**2 - 0.5324 * share**3
    margin = error * max(fixed_b, stats.t.ppf(0.975, runs - 1))
    return value, max(value - margin, -1.0), value + margin


def methods(series, others, windows, week, month, reach):
    dates = len(series[0][0])
    cleaned = []
    for y, flags in series:
        factor = np.prod([np.where(f > 0, max(1 + e, 0.1), 1.0) for f, e in zip(flags[1:], others)], axis=0) * np.ones(dates)
        cleaned.append((y, flags[0], factor, *clean(y, flags[0], factor, week, reach)))
    if month is not None:
        ratio = np.concatenate([c[5] for c in cleaned])
        use = np.concatenate([c[6] & ~np.isnan(c[3]) for c in cleaned])
        shared = index_of(ratio, use, np.tile(month, len(series))).clip(lower=LEAST).reindex(month).to_numpy()
    else:
        shared = np.ones(dates)
    cleaned = [(c[3], c[1], c[2] * shared, c[4]) for c in cleaned]
    phase = 1 if week is None else int(week.max()) + 1
    limit, nearest = (6 * phase, NEAREST) if phase > 1 else (2 * reach, 2 * NEAREST)
    for guard in [windows, tuple(-(-w // 2) for w in windows), (0, 0)]:
        compared = [matched(y, flag, factor, guard, phase, limit, nearest) for y, flag, factor, _ in cleaned]
        on = sum(((flag > 0) & ~np.isnan(y)).sum() for y, flag, _, _ in cleaned)
        if sum((~np.isnan(e)).sum() for e in compared) >= ENOUGH * on:
            break
    runs = set()
    for _, flag, _, _ in cleaned:
        edges = np.flatnonzero(np.diff(np.concatenate([[0], (flag > 0).astype(int), [0]])))
        runs |= set(zip(edges[::2], edges[1::2]))
    actual = sum(np.where(np.isnan(e), 0.0, c[0]) for c, e in zip(cleaned, compared))
    # Where fewer than half of the steps have comparisons, the method is left out.
    if sum((~np.isnan(e)).sum() for e in compared) >= 0.5 * on:
        yield "matched before and after", *estimate(actual, sum(np.nan_to_num(e) for e in compared), len(runs), reach)
    actual, expected = np.zeros(dates), np.zeros(dates)
    for y, flag, factor, index in cleaned:
        level = level_of(np.where(outside(y, flag, guard), y / factor / index, np.nan)) * index * factor
        with_flag = (flag > 0) & ~np.isnan(y)
        actual[with_flag] += y[with_flag]
        expected[with_flag] += level[with_flag]
    yield "structural counterfactual", *estimate(actual, expected, len(runs), reach)


rows = []
weeks = {name: sales[name].fillna(0).astype(float) > 0 for name in ["MarkDown2"]}
for name, on in weeks.items():
    groups = sales.assign(on=on.astype(float), held=sales.IsHoliday.astype(float)).groupby(["Store", "Dept"])
    series = [(d.Weekly_Sales.to_numpy(float), [d.on.to_numpy()]) for _, d in groups]
    rows += [("walmart", name, *row) for row in methods(series, [], (1, 2), None, None, 6)]
holiday = list(effects(daily, places, 28, 300, 2))[1][0]
rows += [("daily", "flyer", *row) for row in methods(daily, [holiday], (3, 7), places[0], places[1], 28)]
pd.DataFrame(rows, columns=["case", "flag", "method", "estimate", "low", "high"]).to_csv("tests/oracles/uplift_methods.csv", index=False)
