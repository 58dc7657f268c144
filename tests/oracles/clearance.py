"""Paths of prices that clear a stock, by trying every price for every history: an expectation-maximisation tree without a
table of stocks. Run: python tests/oracles/clearance.py > tests/oracles/clearance.csv
"""

import random
import sys

import numpy as np

random.seed(20)
print(f"# python tests/oracles/clearance.py, Python {sys.version.split()[0]}; exact to rounding. prices and outcomes (units:probability)")
print("# are separated by blanks, the outcomes of prices by |, those of steps by /; changes −1 is any number")
print("case,stock,salvage,holding,changes,rises,present,prices,demand,value,first")
for case in range(40):
    steps, count, stock = random.choice([2, 3, 4]), random.choice([2, 3]), random.choice([1, 2, 3, 5])
    prices = sorted((round(random.uniform(0.5, 4.0), 2) for _ in range(count)), reverse=True)
    salvage, holding = round(random.uniform(0, 0.8), 2), round(random.uniform(0, 0.2), 2)
    changes, rises = random.choice([0, 1, 2, -1]), random.random() < 0.3
    present = 0 if not rises else random.randrange(count)
    demand = []
    for _ in range(steps):
        row = []
        for place, price in enumerate(prices):
            mean = random.uniform(0.5, 1.5) * (place + 1)
            weights = np.array([mean**k / np.prod(range(1, k + 1), initial=1.0) for k in range(4)])
            weights = np.round(weights / weights.sum(), 4)
            weights[0] += 1 - weights.sum()
            row.append([(k, round(float(w), 4)) for k, w in enumerate(weights)])
        demand.append(row)

    def value(t, s, at, left):
        if t == steps:
            return salvage * s, None
        best, first = -1e18, None
        for j in range(count):
            if j != at and (left == 0 or (j < at and not rises)):
                continue
            now = 0.0
            for units, weight in demand[t][j]:
                sold = min(units, s)
                later = value(t + 1, s - sold, j, left - (j != at) if left > 0 else left)[0]
                now += weight * (prices[j] * sold - holding * (s - sold) + later)
            if now > best + 1e-12:
                best, first = now, j
        return best, first

    found, first = value(0, stock, present, changes)
    text = "/".join("|".join(" ".join(f"{k}:{w}" for k, w in p) for p in row) for row in demand)
    print(f"{case},{stock},{salvage},{holding},{changes},{int(rises)},{present},{' '.join(map(str, prices))},{text},{found:.12f},{first}")
