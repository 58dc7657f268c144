"""Real sales for `portfolio.rs`: what is left of Walmart's departments once season, trend and level are taken off.

    python benches/prepare.py ../shared/data/walmart.parquet monitor.bin      (pandas, pyarrow)

Series: store x department with at least 120 of the 143 weeks, 100 of them with sales. On the scale ln(sales + a tenth
of the mean), three things are taken off so that blocks of weeks can be put together in any order without a jump: a linear
trend of each series; the season of each department (the median over its stores and years by week of the year, n / (n +
6) of it); and the running median over 27 weeks, which is the level. What is left keeps its holidays that fall
differently in each store, its promotions, its dependence over weeks and across series, and real shifts that last less
than 13 weeks: an alarm about one of those counts as false in the benchmark.

The file: four-byte integers `series, weeks`; for each series `department, store`; then eight-byte floats, series by
series (NaN: no row). Little endian.
"""

import sys

import numpy as np
import pandas as pd

source, target = sys.argv[1:3]
window = int(sys.argv[3]) if len(sys.argv) > 3 else 27
table = pd.read_parquet(source, columns=["store", "dept", "date", "sales"])
wide = table.pivot_table(index=["store", "dept"], columns="date", values="sales")
wide = wide[(wide.notna().sum(axis=1) >= 120) & (wide.median(axis=1) > 0) & ((wide > 0).sum(axis=1) >= 100)]
sales = wide.to_numpy()
dept, store = (wide.index.get_level_values(k).to_numpy() for k in (1, 0))
weeks = sales.shape[1]
mean = np.nanmean(np.abs(sales), axis=1, keepdims=True)
log = np.log(np.maximum(sales, 0) + 0.1 * mean)
rest = log - np.nanmedian(log, axis=1, keepdims=True)
time = np.arange(weeks) - (weeks - 1) / 2
week = np.array([pd.Timestamp(d).isocalendar()[1] for d in wide.columns])
season = np.zeros_like(rest)
for _ in range(3):
    x = np.clip(rest - season, -1, 1)
    slope = np.nansum(x * time, axis=1) / np.nansum(np.where(np.isnan(x), np.nan, time * time), axis=1)
    trend = slope[:, None] * time
    for d in np.unique(dept):
        for w in np.unique(week):
            cells = np.ix_(dept == d, week == w)
            values = (rest - trend)[cells]
            values = values[~np.isnan(values)]
            season[cells] = np.median(values) * len(values) / (len(values) + 6) if len(values) else 0
rest = rest - trend - season
half = window // 2
level = np.array([np.nanmedian(rest[:, max(0, t - half) : t + half + 1], axis=1) for t in range(weeks)]).T
stationary = mean * np.exp(rest - level)
with open(target, "wb") as file:
    np.array([len(sales), weeks], "<i4").tofile(file)
    np.stack([dept, store], axis=1).astype("<i4").tofile(file)
    stationary.astype("<f8").tofile(file)
print(f"{len(sales)} series x {weeks} weeks")
