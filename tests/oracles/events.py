"""Oracle of the sup-Wald test behind `changepoints`: series by numpy alone.

Run: python oracles/events.py > oracles/events.csv
numpy only; GLS with the random-walk-plus-noise and AR(1) covariances written out in full (no Kalman filter), the restricted
likelihood as in Harville (1974), Estrella's (2003) tail of the sup-Wald statistic. The case has no season: y = level + step
+ AR(1); white noise (ratio 0), AR(1) 0.5 and random walk + noise (0.05) are the errors tried at a given place.
Columns: series, what, place, value.
"""
import math
import numpy as np

def lcg(n, seed):
    out, x = [], seed
    for _ in range(n):
        x = (1103515245 * x + 12345) % 2147483648
        out.append(x / 2147483648 - 0.5)
    return np.array(out)

def covariance(walk, ratio, n):
    t = np.arange(n)
    if math.isinf(ratio):
        return walk ** np.abs(t[:, None] - t) / (1 - walk**2)
    if walk == 1.0:
        return np.eye(n) + ratio * (np.minimum(t[:, None], t) + 1)
    return np.eye(n) + ratio * walk ** np.abs(t[:, None] - t) / (1 - walk**2)

def gls(y, x, v):
    i = np.linalg.inv(v)
    a = x.T @ i @ x
    b = np.linalg.solve(a, x.T @ i @ y)
    r = y - x @ b
    s = r @ i @ r
    n, p = x.shape
    reml = -0.5 * ((n - p) * math.log(s / (n - p)) + np.linalg.slogdet(v)[1] + np.linalg.slogdet(a)[1])
    return b, s, np.linalg.inv(a), reml

print("series,what,place,value")
for k in range(3):
    n = 120
    e = lcg(n, 7 + k)
    for t in range(1, n):
        e[t] += 0.4 * e[t - 1]
    y = 100 + 10 * e
    if k:
        y[60 + 10 * k:] += 12 * k
    for t, v in enumerate(y):
        print(f"{k},y,{t},{float(v)!r}")
    best = max(range(8, n - 7), key=lambda at: -gls(y, np.c_[np.ones(n), np.arange(n) >= at], np.eye(n))[1])
    print(f"{k},best,{best},0")
    for walk, ratio in [(0.0, 0.0), (0.5, math.inf), (1.0, 0.05)]:
        b, s, inv, reml = gls(y, np.c_[np.ones(n), np.arange(n) >= best], covariance(walk, ratio, n))
        t = b[1] / math.sqrt(s / (n - 4) * inv[1, 1])
        print(f"{k},step {walk} {ratio},{best},{float(b[1])!r}")
        print(f"{k},t {walk} {ratio},{best},{float(t)!r}")
        print(f"{k},reml {walk} {ratio},{best},{float(reml)!r}")
