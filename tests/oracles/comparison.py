"""python comparison.py > studentized_range.csv   (scipy 1.17.1, numpy 2.4.6)

The studentised range with infinitely many degrees of freedom, which the critical difference of Nemenyi's test is made of:
Demšar (2006, Table 5a) prints q(0.95, k) / √2 as 1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164.

python comparison.py --size   how often two equally good models are told apart at the level 0.05 if errors grow as a random
walk over the horizon: once with the fold as the unit, once with the date and autocovariances up to the horizon."""
import sys
import numpy as np
from scipy import stats


def size():
    def dm(d, h):
        n, x = len(d), d - d.mean()
        g = [(x[k:] * x[:n - k]).sum() / n for k in range(h)]
        v, k = (g[0] + 2 * sum(g[1:])) / n, (n + 1 - 2 * h + h * (h - 1) / n) / n
        if v <= 0:
            return dm(d, 1)
        return 2 * stats.t.sf(abs(d.mean() / np.sqrt(v) * np.sqrt(k)), n - 1)

    random = np.random.default_rng(1)
    print("folds,horizon,unit is the fold,unit is the date")
    for folds, horizon in [(4, 8), (8, 8), (12, 4), (4, 28), (20, 1), (8, 4)]:
        hits = np.zeros(2)
        for _ in range(3000):
            one, other = np.cumsum(random.normal(size=(2, folds, horizon)), axis=2)
            common = np.cumsum(random.normal(size=(folds, horizon)), axis=1)
            d = np.abs(one + common) - np.abs(other + common)
            hits += dm(d.mean(1), 1) < 0.05, dm(d.ravel(), horizon) < 0.05
        print(folds, horizon, *(f"{share:.3f}" for share in hits / 3000), sep=",")


if "--size" in sys.argv:
    size()
else:
    print("# scipy 1.17.1: python tests/oracles/comparison.py; tolerance 1e-6")
    print("k,level,quantile,at,sf")
    for k in range(2, 31):
        for level in (0.9, 0.95, 0.99):
            q = stats.studentized_range.ppf(level, k, np.inf)
            at = 1.0 + 0.15 * k + level
            print(f"{k},{level},{q:.10f},{at:.6f},{stats.studentized_range.sf(at, k, np.inf):.10f}")
