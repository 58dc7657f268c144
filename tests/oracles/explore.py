"""python tests/oracles/explore.py data/walmart_sales_weekly.csv >> tests/oracles/explore.csv   (statsmodels 0.15.0, scipy 1.17)

ADF p-values with a constant and floor((n-1)^(1/3)) lags; breaks by Bayesian online changepoint detection (Adams & MacKay
2007) written out over all run lengths, prior NormalGamma(0, 1, 1, 1), expected length 100, of the standardised seasonally
adjusted values (STL as R's mstl sets it), walked back from the end along the most likely run lengths."""
import sys
import numpy as np, pandas as pd
from scipy.stats import t as student
from statsmodels.tsa.seasonal import STL
from statsmodels.tsa.stattools import adfuller

def bocpd(y, expected):
    h, r, runs = 1 / expected, np.array([1.0]), [np.array([1.0])]
    m, k, a, b = (np.array([v]) for v in (0.0, 1.0, 1.0, 1.0))
    def observe(x, m, k, a, b):
        return (k * m + x) / (k + 1), k + 1, a + 0.5, b + 0.5 * k * (x - m) ** 2 / (k + 1)
    m, k, a, b = observe(y[0], m, k, a, b)
    m, k, a, b = (np.concatenate([[p], v]) for p, v in zip((0.0, 1.0, 1.0, 1.0), (m, k, a, b)))
    m, k, a, b = (v[1:] for v in (m, k, a, b))
    for x in y[1:]:
        # The run length at 0 has seen nothing; the others what came since their break.
        p = student.pdf(x, 2 * a, m, np.sqrt(b * (k + 1) / (a * k)))
        r = np.concatenate([[(r * p * h).sum()], r * p * (1 - h)])
        r /= r.sum()
        m, k, a, b = (np.concatenate([[q], v]) for q, v in zip((0.0, 1.0, 1.0, 1.0), (m, k, a, b)))
        m, k, a, b = observe(x, m, k, a, b)
        runs.append(r)
    s, found = len(y) - 1, []
    while s:
        best = int(np.argmax(runs[s]))
        if best:
            s = max(s - best, 0)
            found.append(s)
        else:
            if found and found[-1] != s:
                found.append(s)
            s -= 1
    return sorted(s for s in found if s)

d = pd.read_csv(sys.argv[1]).sort_values(["Dept", "Date"])
for dept, rows in d.groupby("Dept"):
    y = rows.Weekly_Sales.to_numpy()
    print(f"{dept},adf,0,{adfuller(y, maxlag=int(np.cbrt(len(y) - 1)), autolag=None)[1]:.12g}")
    m, window = 52, int(np.ceil(1.5 * 52 / (1 - 1.5 / 11)))
    window += window % 2 == 0
    fit = STL(y, period=m, seasonal=11, trend=window, low_pass=53, seasonal_deg=0, seasonal_jump=2, trend_jump=-(-window // 10),
              low_pass_jump=6).fit(inner_iter=2, outer_iter=0)
    adjusted = fit.trend + fit.resid
    for at in bocpd((adjusted - adjusted.mean()) / adjusted.std(), 100.0):
        print(f"{dept},break,{at},0")
