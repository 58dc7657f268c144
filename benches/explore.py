"""What `panel.tour()` does, as an analyst would write it in Python with pandas, statsmodels, scikit-learn and scipy.

    pip install pandas==3.1.1 pyarrow==26.0.1 numpy==2.4.6 scipy==1.17.1 statsmodels==0.15.0 scikit-learn==1.9.1
    TRADEWIND_DATA=FOLDER python benches/explore.py [FILE [SHARE]]

FILE is walmart.parquet or rossmann.parquet (both, one process each, if not stated), SHARE the share of the series (1). Prints
CPU seconds (getrusage) of each step and of all, and the peak memory, to be compared with `cargo bench --bench explore -- tour`
in one run on one machine. Matrices of dates × series are used wherever a step allows it; loops over series are left where the
libraries take one series at a time (STL, regressions with HAC errors).
"""
import os
import resource
import subprocess
import sys
import time
import warnings

# The processor time of threads that wait for one another would count.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import stats
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score
from statsmodels.stats.multitest import multipletests
from statsmodels.tsa.seasonal import STL

warnings.filterwarnings("ignore")

SETS = {
    "walmart.parquet": dict(
        keys=["store", "dept"], time="date", target="sales", freq="W-FRI", season=52, year=52, reach=13,
        flags=["IsHoliday", "MarkDown1", "MarkDown2", "MarkDown3", "MarkDown4", "MarkDown5"],
        numbers=["Temperature", "Fuel_Price", "CPI", "Unemployment"], open=None, names=None, groups=["Type"]),
    "rossmann.parquet": dict(
        keys=["Store"], time="ds", target="Sales", freq="D", season=7, year=364, reach=28,
        flags=["Promo", "SchoolHoliday"], numbers=["Mean_TemperatureC", "Precipitationmm", "CloudCover"],
        open="Open", names="HolidayName", groups=["StoreType", "Assortment", "State"]),
}
PLACEBOS = 20
P = []  # every hypothesis: (question, about, estimate, p, worth in a year)


def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def timed(name, work, *arguments):
    before, wall = cpu(), time.perf_counter()
    answer = work(*arguments)
    print(f"{name:>14}  {cpu() - before:7.2f} s CPU  {time.perf_counter() - wall:7.2f} s wall", flush=True)
    return answer


def read(path, s, share):
    columns = s["keys"] + [s["time"], s["target"]] + s["flags"] + s["numbers"] + s["groups"]
    columns += [name for name in (s["open"], s["names"]) if name]
    frame = pd.read_parquet(path, columns=columns)
    first, *others = [frame[key].astype(str) for key in s["keys"]]
    frame["series"] = first.str.cat(others, sep="·") if others else first
    if share < 1:
        ids = frame["series"].unique()
        frame = frame[frame["series"].isin(ids[:: round(1 / share)])]
    return frame


class Wide:
    """Dates × series matrices of sales and covariates."""

    def __init__(self, frame, s):
        self.s = s
        every = pd.date_range(frame[s["time"]].min(), frame[s["time"]].max(), freq=s["freq"])
        of = lambda c: frame.pivot(index=s["time"], columns="series", values=c).reindex(every).astype(float)
        self.y = of(s["target"])
        self.flags = {c: (of(c) > 0).astype(float).where(self.y.notna()) for c in s["flags"]}
        if s["names"]:
            names = frame[s["names"]].dropna().unique()
            text = frame.pivot(index=s["time"], columns="series", values=s["names"]).reindex(every)
            self.flags |= {n: (text == n).astype(float).where(self.y.notna()) for n in names}
        self.numbers = {c: of(c) for c in s["numbers"]}
        self.sales = self.y
        if s["open"]:
            self.sales = self.y.where(of(s["open"]) > 0)
            # A holiday on which nobody sells has no effect on sales that could be told.
            self.flags = {n: f for n, f in self.flags.items() if f.where(self.sales.notna()).sum().sum() >= 50}
        self.week = every.isocalendar().week.to_numpy() if s["season"] > 7 else every.dayofweek.to_numpy()
        self.day = None if s["season"] > 7 else every.day.to_numpy()

    def part(self, kept):
        other = object.__new__(Wide)
        other.__dict__ = dict(self.__dict__)
        cut = lambda m: m.loc[:, kept]
        other.y, other.sales = cut(self.y), cut(self.sales)
        other.flags = {k: cut(v) for k, v in self.flags.items()}
        other.numbers = {k: cut(v) for k, v in self.numbers.items()}
        return other


def hac(scores, freedom=None):
    """Newey and West's standard error of the sum of scores, Bartlett weights over 2.6 √T lags."""
    n = len(scores)
    lags = int(np.ceil(2.6 * np.sqrt(n)))
    total = scores @ scores
    for lag in range(1, min(lags, n)):
        total += 2 * (1 - lag / lags) * (scores[lag:] @ scores[:-lag])
    return np.sqrt(max(total, scores @ scores)), freedom or max(n / lags, 3)


def test(question, about, value, error, freedom, worth=np.nan):
    p = 2 * stats.t.sf(abs(value / error), freedom) if error > 0 else 1.0
    P.append((question, about, value, p, worth))
    return value, p


def growth(w):
    s, y = w.s, w.y
    before = y.shift(s["year"])
    both = y.notna() & before.notna()
    both.iloc[: -s["year"]] = False
    now, then = y.where(both).sum(axis=1).iloc[-s["year"]:].to_numpy(), before.where(both).sum(axis=1).iloc[-s["year"]:].to_numpy()
    ratio = now.sum() / then.sum()
    error, freedom = hac((now - ratio * then) / then.sum())
    each = y.where(both).sum() / before.where(both).sum() - 1
    return test("trend", s["target"], ratio - 1, error, freedom, now.sum() - then.sum()), each


def decompose(w):
    """STL of every series that has more than two seasons, gaps filled along the line."""
    rest, strength = {}, {}
    m = w.s["season"]
    for name, y in w.y.items():
        y = y.loc[y.first_valid_index(): y.last_valid_index()].interpolate()
        if len(y) < 2 * m + 2:
            continue
        parts = STL(y.to_numpy(), period=m).fit()
        rest[name] = pd.Series(parts.resid, y.index)
        adjusted = parts.seasonal + parts.resid
        strength[name] = max(0.0, 1 - parts.resid.var() / max(adjusted.var(), 1e-12))
        rest[name].attrs["trend"] = parts.trend
    trend = pd.DataFrame({k: pd.Series(v.attrs["trend"], v.index) for k, v in rest.items()})
    return pd.DataFrame({k: v for k, v in rest.items()}).reindex(w.y.index), trend.reindex(w.y.index), pd.Series(strength)


def season(w):
    """Does the season come again? Indices of every other cycle against the rest."""
    total = w.y.sum(axis=1)
    for m in {w.s["season"], w.s["year"]}:
        line = np.polyval(np.polyfit(np.arange(len(total)), total, 1), np.arange(len(total)))
        relative, cycle, phase = total.to_numpy() / line - 1, np.arange(len(total)) // m, np.arange(len(total)) % m
        if m > 60:
            phase = phase // 7
        seen = pd.Series(np.where(cycle % 2 == 0, relative, np.nan)).groupby(phase).transform("mean").to_numpy()
        rows = (cycle % 2 == 1) & ~np.isnan(seen)
        x, z = seen[rows], relative[rows]
        slope = (x @ z) / (x @ x)
        error, freedom = hac(x * (z - slope * x) / (x @ x))
        test("seasonality", f"season of {m}", slope, error, freedom)


def adjusted(w):
    """Relative sales: divided by the local level and the phase's index; and what removes the same from a covariate."""
    reach = 2 * w.s["reach"] + 1
    phases = [w.week] + ([w.day] if w.day is not None else [])

    def remove(x, cycles=True):
        x = x - x.rolling(reach, center=True, min_periods=3).mean()
        for _ in range(3 if cycles else 0):
            for phase in phases:
                x = x - x.groupby(phase).transform("mean")
        return x

    level = w.sales.rolling(reach, center=True, min_periods=3).mean()
    level = level.where(level > 0.05 * w.sales.mean())
    plain = w.sales / level.where(level > 0)
    for phase in phases:
        level = level * (w.sales / level).groupby(phase).transform("mean")
    relative = w.sales / level.where(level > 0)
    counts = relative.notna()
    return remove(relative), counts, remove, level, plain


def pooled(y, xs, counts, weights):
    """One coefficient each for the panel, and scores summed over series date by date (Driscoll and Kraay 1998)."""
    mask = counts.to_numpy()
    Y = np.where(mask, y.to_numpy(), 0.0)
    X = [np.where(mask, x.to_numpy(), 0.0) for x in xs]
    X = [np.nan_to_num(x) for x in X]
    A = np.array([[(a * b * weights).sum() for b in X] for a in X])
    b = np.array([(x * Y * weights).sum() for x in X])
    inverse = np.linalg.pinv(A)
    beta = inverse @ b
    left = np.nan_to_num(Y) - sum(k * x for k, x in zip(beta, X))
    scores = np.array([(x * left * weights).sum(axis=1) for x in X])
    return beta, inverse @ scores, inverse


def uplift(w, placebo=True):
    y, counts, remove, level, plain = adjusted(w)
    spread = y.std()
    weights = (1 / np.maximum(spread, spread.median() / 2) ** 2).fillna(0.0).to_numpy()
    names = list(w.flags)
    flag_of = lambda name: w.flags[name].where(counts)
    xs = [remove(flag_of(name)) for name in names]
    beta, scores, _ = pooled(y.fillna(0), xs, counts, weights)
    years = len(w.y) / (52.18 if w.s["season"] > 7 else 365.25)
    found = {}
    for k, name in enumerate(names):
        flag = w.flags[name].max(axis=1).fillna(0).to_numpy()
        runs = max(int(((flag[1:] > 0) & (flag[:-1] == 0)).sum()) - 1, 1)
        bare = remove(flag_of(name), cycles=False)
        if (xs[k] ** 2).sum().sum() < 0.1 * (bare ** 2).sum().sum():
            # The calendar determines when it is on, and cannot be held fixed: it is compared with the steps around it.
            alone, scores[k] = (part[0] for part in pooled(remove(plain, cycles=False).fillna(0), [bare], counts, weights)[:2])
            beta[k] = alone
        error, freedom = hac(scores[k])
        worth = beta[k] * (level * w.flags[name]).sum().sum() / years
        found[name] = test("uplift", name, beta[k], error, min(freedom, runs), worth)
    if placebo:
        # The same where there is no event: each flag shifted around the calendar, the others held fixed.
        random = np.random.default_rng(1)
        for k, name in enumerate(names):
            sizes = []
            for shift in random.integers(w.s["reach"], len(w.y) - w.s["reach"], PLACEBOS):
                moved = pd.DataFrame(np.roll(w.flags[name].fillna(0).to_numpy(), shift, axis=0), w.y.index, w.y.columns)
                x = remove(moved.where(counts))
                sizes.append(abs(pooled(y.fillna(0), [x] + [o for j, o in enumerate(xs) if j != k], counts, weights)[0][0]))
            found[name] += (np.mean(np.array(sizes) >= abs(beta[k])),)
    return found, (y, counts, xs, names)


def uplift_by_series(prepared):
    """Each series by itself, HAC errors of statsmodels."""
    y, counts, xs, names = prepared
    lags = int(np.ceil(2.6 * np.sqrt(len(y))))
    all_flags = np.nan_to_num(np.dstack([x.to_numpy() for x in xs]))
    out = {}
    for i, name in enumerate(y.columns):
        rows = counts[name].to_numpy() & y[name].notna().to_numpy()
        X = all_flags[rows, i]
        keep = X.std(axis=0) > 1e-6
        if rows.sum() < 30 + keep.sum() or not keep.any():
            continue
        out[name] = sm.OLS(y[name].to_numpy()[rows], X[:, keep]).fit(cov_type="HAC", cov_kwds=dict(maxlags=min(lags, rows.sum() - 2))).params
    return out


def numbers(w):
    """Prices and weather: relative sales on each, level and season removed from both, HAC errors."""
    y, counts, remove, *_ = adjusted(w)
    spread = y.std()
    weights = (1 / np.maximum(spread, spread.median() / 2) ** 2).fillna(0.0).to_numpy()
    flags = [remove(f.where(counts)) for f in w.flags.values()]
    found = {}
    for name, x in w.numbers.items():
        beta, scores, _ = pooled(y.fillna(0), [remove(x.where(counts))] + flags, counts, weights)
        error, freedom = hac(scores[0])
        found[name] = test("weather", name, beta[0], error, freedom, np.nan)
    return found


def anomalies(rest):
    middle = rest.median()
    spread = 1.4826 * (rest - middle).abs().median()
    z = ((rest - middle) / spread.where(spread > 0)).stack()
    tails = 2 * stats.t.sf(z.abs(), 4)
    P.extend(("anomalies", at, value, p, np.nan) for at, value, p in zip(z.index, z.to_numpy(), tails))
    return int((z.abs() > 6).sum()), len(z)


def changes(rest, trend):
    """CUSUM with a long-run variance, its p-value from the Kolmogorov distribution."""
    found = {}
    for name in rest.columns:
        y = (rest[name] + trend[name]).dropna().to_numpy()
        n = len(y)
        if n < 30:
            continue
        e = y - y.mean()
        sums = np.cumsum(e)
        at = int(np.abs(sums).argmax())
        left = np.concatenate([y[: at + 1] - y[: at + 1].mean(), y[at + 1:] - y[at + 1:].mean()])
        error, _ = hac(left)
        p = stats.kstwobign.sf(np.abs(sums[at]) / error) if error > 0 else 1.0
        size = y[at + 1:].mean() / y[: at + 1].mean() - 1 if at + 1 < n else 0.0
        P.append(("changepoints", name, size, p, np.nan))
        found[name] = at
    return found


def classes(w):
    sums = w.y.sum().sort_values(ascending=False)
    share = sums.cumsum() / sums.sum()
    abc = pd.cut(share, [0, 0.8, 0.95, np.inf], labels=list("ABC"), include_lowest=True)
    xyz = pd.cut(w.y.std() / w.y.mean(), [-np.inf, 0.5, 1.0, np.inf], labels=list("XYZ"))
    return pd.crosstab(abc, xyz.reindex(abc.index))


def clusters(w, rest):
    profile = (w.y / w.y.mean()).groupby(w.week).mean().T.reindex(rest.columns).fillna(1.0).clip(0, 5)
    best = None
    for k in range(2, 9):
        labels = KMeans(k, n_init=10, random_state=1).fit_predict(profile)
        score = silhouette_score(profile, labels, sample_size=min(1000, len(profile)), random_state=1)
        if best is None or score > best[0]:
            best = score, k, labels
    return best


def comovement(rest):
    """Correlations of what level and season leave; p-values by Fisher's z, each series with its nearest."""
    z = rest.to_numpy()
    there = ~np.isnan(z)
    filled = np.where(there, (z - np.nanmean(z, axis=0)) / np.nanstd(z, axis=0), 0.0)
    counts = there.T.astype(float) @ there.astype(float)
    corr = (filled.T @ filled) / np.maximum(counts, 1)
    np.fill_diagonal(corr, 0)
    nearest = np.abs(corr).argmax(axis=1)
    at = np.arange(len(corr))
    value, n = np.clip(corr[at, nearest], -0.999, 0.999), counts[at, nearest]
    p = np.minimum(1, 2 * stats.norm.sf(np.abs(np.arctanh(value)) * np.sqrt(np.maximum(n - 3, 1))) * (len(corr) - 1))
    for i in at:
        P.append(("comovement", f"{rest.columns[i]} {rest.columns[nearest[i]]}", value[i], p[i], np.nan))
    return np.nanmean(corr)


def again(w):
    """Pooled findings in two halves of the series."""
    order = w.y.sum().sort_values(ascending=False).index
    halves = [order[[i for i in range(len(order)) if (i % 4 in (0, 3)) == half]] for half in (True, False)]
    answers = []
    keep = len(P)
    for half in halves:
        part = w.part(half)
        answers.append({"trend": growth(part)[0], **uplift(part, placebo=False)[0], **numbers(part)})
        season(part)
    del P[keep:]
    return [name for name in answers[0] if answers[0][name][0] * answers[1][name][0] > 0
            and min(answers[0][name][1], answers[1][name][1]) < 0.05]


def tour(file, share):
    s = SETS[file]
    start = cpu(), time.perf_counter()
    frame = timed("read", read, os.path.join(os.environ["TRADEWIND_DATA"], file), s, share)
    read_cpu = cpu() - start[0]
    w = timed("matrices", Wide, frame, s)
    assert abs(np.nansum(w.y.to_numpy()) / frame[s["target"]].sum() - 1) < 1e-9
    (value, p), each = timed("growth", growth, w)
    timed("season", season, w)
    rest, trend, strength = timed("STL", decompose, w)
    found, prepared = timed("uplift", uplift, w)
    timed("by series", uplift_by_series, prepared)
    weather = timed("numbers", numbers, w)
    unusual = timed("anomalies", anomalies, rest)
    timed("change points", changes, rest, trend)
    table = timed("classes", classes, w)
    best = timed("clusters", clusters, w, rest)
    mean = timed("comovement", comovement, rest)
    kept = timed("control", lambda: multipletests([p for *_, p, _ in P], 0.05, "fdr_by")[0])
    same = timed("again", again, w)
    used = cpu() - start[0]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{file}: {len(w.y.columns)} series, {len(frame)} rows: {used:.1f} s CPU ({used - read_cpu:.1f} s without reading), "
          f"{time.perf_counter() - start[1]:.1f} s wall, {peak:.0f} MB peak")
    print(f"  growth {100 * value:.1f} % (p = {p:.2g}), {int((each > 0).sum())} of {each.notna().sum()} series grew; "
          f"{len(P)} hypotheses, {int(kept.sum())} kept; {unusual[0]} anomalies of {unusual[1]}; {best[1]} clusters; "
          f"mean correlation {mean:.2f}")
    for name, result in list(found.items()) + list(weather.items()):
        print(f"  {name:<24} {100 * result[0]:+.1f} %  p = {result[1]:.2g}{'  again' if name in same else ''}")
    print(table.to_string())
    return used


def main():
    if len(sys.argv) == 1:
        for file in SETS:
            subprocess.run([sys.executable, __file__, file], check=True)
        return
    tour(sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 1.0)


if __name__ == "__main__":
    main()
