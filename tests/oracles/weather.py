"""Effects of the weather on a small made-up panel, written out from the formulas in src/explore/weather.rs and within.rs; quantiles,
least squares, the long-run covariance and the distributions are numpy's, statsmodels' and scipy's. Tolerance 0.006 in percent (a
table shows two decimals), 1e-6 in p.

    python3 -m venv v && v/bin/pip install statsmodels pandas numpy scipy python-dateutil && v/bin/python tests/oracles/weather.py

from the folder of the repository; writes tests/oracles/weather.csv (part of the year, low, high, effect, from, to, p, p of the curve) and the panel,
tests/oracles/weather_sales.csv.
"""
import datetime as dt
import os

import numpy as np
import pandas as pd
from dateutil.easter import easter
from scipy import optimize, stats
from statsmodels.stats.sandwich_covariance import S_hac_simple

HERE = os.path.dirname(os.path.abspath(__file__))
N, REACH, WIDE, LAGS, LEVEL = 120, 6, 48, 2.6, 0.95
YEAR = 365.2425


def made_up():
    random = np.random.default_rng(5)
    dates = [dt.date(2021, 1, 8) + dt.timedelta(7 * t) for t in range(N)]
    t, rows = np.arange(N), []
    shared = 0.02 * random.normal(size=N)
    for store in range(3):
        anomaly = np.zeros(N)
        for k in range(1, N):
            anomaly[k] = 0.4 * anomaly[k - 1] + random.normal(0, 2.5)
        temperature = 12 - 9 * np.cos(2 * np.pi * (t - 3) / 52.18) + anomaly
        effect = 1 + 0.008 * anomaly + shared + 0.02 * random.normal(size=N)
        sales = (500 + 200 * store) * (1 + 0.1 * np.sin(2 * np.pi * t / 52.18)) * effect
        rows += [(store, str(d), round(y, 2), round(x, 2)) for d, y, x in zip(dates, sales, temperature)]
    return pd.DataFrame(rows, columns=["Store", "Date", "Sales", "Temperature"])


def near(dates):
    """Weeks (that end on their date) in which a holiday that shops notice begins, and the weeks beside them."""
    marked = np.zeros(len(dates), bool)
    for year in range(dates[0].year - 1, dates[-1].year + 2):
        first = dt.date(year, 11, 1)
        thanksgiving = first + dt.timedelta((3 - first.weekday()) % 7 + 21)
        for day in [easter(year) - dt.timedelta(2), thanksgiving, dt.date(year, 12, 24), dt.date(year, 12, 31)]:
            # The week that holds the day, counted from the first.
            week = -((dates[0] - day).days // 7)
            for at in (week - 1, week, week + 1):
                if 0 <= at < len(dates):
                    marked[at] = True
    return marked


def line(values, counts, reach):
    n, level, at = len(values), np.full(len(values), np.nan), np.flatnonzero(counts)
    for t in range(n):
        distance = np.abs(at - t)
        weight = np.where(distance < reach, 1.0, np.where(distance == reach, 0.5, 0.0))
        keep = weight > 0
        x, y, w = (at[keep] - t).astype(float), values[at[keep]], weight[keep]
        level[t] = np.polyfit(x, y, 1, w=np.sqrt(w))[1] if w.sum() >= 3 and len(x) > 1 else np.average(y, weights=w)
    return level


def freedom(b):
    critical = 1.96 + 2.9694 * b + 0.4160 * b**2 - 0.5324 * b**3
    return np.exp(optimize.brentq(lambda v: stats.t.ppf(0.975, np.exp(v)) - critical, 0, 12)) if critical < 12.7 else 1.0


def terms(x, knots):
    cube = lambda at: np.maximum(x - at, 0.0) ** 3
    a, b, c = knots
    d = lambda k: (cube(k) - cube(c)) / (c - k)
    return np.column_stack([x, (d(a) - d(b)) / (c - a) ** 2])


def regression(parts):
    """Pooled, weighted by the inverse of the residual variance; coefficients and their scores by date."""
    adjusted = []
    for y, x in parts:
        counts = np.isfinite(y) & np.isfinite(x).all(axis=1)
        zeroed = lambda v: np.where(counts, v, 0.0)
        clean = lambda v: np.where(counts, zeroed(v) - line(zeroed(v), counts, REACH), 0.0)
        adjusted.append((clean(y), np.column_stack([clean(c) for c in x.T]), counts.sum()))
    deviations = [np.sqrt(y @ y / n) for y, _, n in adjusted]
    for turn in range(2):
        if turn:
            deviations = [np.sqrt(((y - x @ beta) @ (y - x @ beta)) / n) for y, x, n in adjusted]
        weights = np.maximum(deviations, np.median(deviations) / 2) ** -2.0
        inverse = np.linalg.inv(sum(w * x.T @ x for w, (_, x, _) in zip(weights, adjusted)))
        beta = inverse @ sum(w * x.T @ y for w, (y, x, _) in zip(weights, adjusted))
    scores = sum(w * (x * (y - x @ beta)[:, None]) @ inverse for w, (y, x, _) in zip(weights, adjusted))
    return beta, scores


def main():
    data = made_up()
    data.to_csv(os.path.join(HERE, "weather_sales.csv"), index=False)
    dates = [dt.date.fromisoformat(d) for d in data[data.Store == 0].Date]
    ordinary = ~near(dates)
    days = np.array([(d - dt.date(1970, 1, 1)).days for d in dates], float)
    half = np.array([0 if 4 <= d.month <= 9 else 1 for d in dates])
    angle = 2 * np.pi * days / YEAR
    cycle = np.column_stack([np.ones(N), np.cos(angle), np.sin(angle), np.cos(2 * angle), np.sin(2 * angle)])
    ys, anomalies = [], []
    for _, store in data.groupby("Store"):
        y, x = store.Sales.to_numpy(), store.Temperature.to_numpy()
        ys.append(np.where(ordinary, y / line(np.where(ordinary, y, 0.0), ordinary, WIDE) - 1, np.nan))
        anomalies.append(x - cycle @ np.linalg.lstsq(cycle, x, rcond=None)[0])
    pooled = [np.concatenate([a[ordinary & (half == h)] for a in anomalies]) for h in (0, 1)]
    knots = [np.quantile(p, [0.1, 0.5, 0.9]) for p in pooled]

    def fitted(moved):
        parts = []
        for y, a in zip(ys, anomalies):
            a = np.roll(a, -moved)
            x = np.column_stack([np.where((half == h)[:, None], terms(a, knots[h]), 0.0) for h in (0, 1)])
            parts.append((y, x))
        return regression(parts)

    beta, scores = fitted(0)
    moves = [N * j // 10 for j in range(1, 10)]
    placebos = [fitted(m)[0] for m in moves if 7 * m >= 28 and 7 * (N - m) >= 28]
    lags = int(np.ceil(min(LAGS * np.sqrt(N), 2 * REACH)))
    with open(os.path.join(HERE, "weather.csv"), "w") as file:
        file.write("part,low,high,effect,from,to,p,joint\n")
        halves = []
        for h in (0, 1, 2):
            if h < 2:
                low, high = np.quantile(pooled[h], [0.1, 0.9])
                weights = np.zeros(4)
                weights[2 * h : 2 * h + 2] = (terms(np.array([high]), knots[h]) - terms(np.array([low]), knots[h]))[0]
                halves.append((low, high, weights))
            else:
                low, high, weights = (sum(half[k] for half in halves) / 2 for k in range(3))
            value, score = weights @ beta, scores @ weights
            error = np.sqrt(max(S_hac_simple(score[:, None], nlags=lags - 1)[0, 0], score @ score))
            wider = max(np.sqrt(np.mean([(weights @ p) ** 2 for p in placebos])) / error, 1.0)
            nu = max(freedom(lags / N), 1.0)
            margin = stats.t.ppf(0.5 + LEVEL / 2, nu) * error * wider
            alone_p = 2 * stats.t.cdf(-abs(value / (error * wider)), nu)
            name = ["April to September", "October to March", "all year"][h]
            row = [low, high, 100 * value, 100 * (value - margin), 100 * (value + margin), alone_p]
            if h == 2:
                file.write(name + "," + ",".join(f"{x:.8f}" for x in row) + ",\n")
                continue
            mine, b = scores[:, 2 * h : 2 * h + 2], beta[2 * h : 2 * h + 2]
            root = np.linalg.cholesky(mine.T @ mine)
            whitened, v = np.linalg.solve(root, mine.T).T, np.linalg.solve(root, b)
            variance, axes = np.linalg.eigh(S_hac_simple(whitened, nlags=lags - 1))
            wald = ((axes.T @ v) ** 2 / np.maximum(variance, 1.0)).sum() / wider**2
            nu2 = max(nu, 2.0)
            joint = stats.f.sf(wald * (nu2 - 1) / (nu2 * 2), 2, nu2 - 1)
            row.append(joint)
            file.write(name + "," + ",".join(f"{x:.8f}" for x in row) + "\n")


main()
