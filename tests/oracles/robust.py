"""python robust.py SERIES.CSV > robust.csv   (statsmodels 0.15.0)

Robust decompositions come from statsmodels: R's `stl` sorts only partly for the median of the remainders, with its two
places in falling order, and finds another number than the median on some series of even length (seen on ldeaths,
round 9: 181.4 where the median is 35.4)."""
import sys
import numpy as np
from statsmodels.tsa.seasonal import STL
series = {}
for line in open(sys.argv[1]):
    if not line.startswith(("#", "series")):
        name, season, _, y = line.strip().split(",")
        series.setdefault((name, int(season)), []).append(float(y))
print("# statsmodels 0.15.0: python tests/oracles/robust.py; tolerance 1e-8 of the largest value")
print("series,t,trend,seasonal,remainder")
for (name, m), y in series.items():
    if m > 1:
        window = int(np.ceil(1.5 * m / (1 - 1.5 / 7)))
        window += window % 2 == 0
        low = m + (m % 2 == 0)
        fit = STL(np.array(y), period=m, seasonal=7, trend=window, low_pass=low, seasonal_deg=0, robust=True, seasonal_jump=1,
                  trend_jump=-(-window // 10), low_pass_jump=-(-low // 10)).fit(inner_iter=1, outer_iter=15)
        for t in range(len(y)):
            print(f"{name},{t + 1},{fit.trend[t]:.12g},{fit.seasonal[t]:.12g},{fit.resid[t]:.12g}")
