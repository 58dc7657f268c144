"""Writes data/marketing_weekly.csv: three years of weekly sales of a market that does not exist, with known truth.

    python3 setup/marketing_data.py      # numpy 2

| channel | spend | effect of spend kept up at x a week | retention | sales per unit of spend |
|---|---|---|---|---|
| tv | in flights, 0 to 16,000 a week | 36,000 x / (x + 9,000) | 0.55 | printed |
| radio | around 3,000 a week | 4,600 x / (x + 2,500) | 0.2 | printed |
| search | around 2,500 a week | 24,000 x / (x + 4,000) | 0 | printed |

Beside them: a trend, a season of two harmonics, promotion weeks (+9,000), and an autocorrelated error of deviation 2,000."""
import os
import numpy as np

rng = np.random.default_rng(2024)
weeks, earlier = 156, 52
n = weeks + earlier
t = np.arange(n) - earlier
on = (rng.random(n) < 0.22).cumsum() % 2 == 0
tv = np.where(on, rng.uniform(5000, 16000, n), 0).round(-2)


def around(level, spread):
    x = np.empty(n)
    x[0] = 0
    for i in range(1, n):
        x[i] = 0.5 * x[i - 1] + rng.standard_normal()
    return np.clip(level + spread * x, 0.1 * level, None).round(-1)


radio, search = around(3000, 1300), around(2500, 1100)
promotion = (rng.random(n) < 0.12).astype(int)


def effect(spend, top, half, retention):
    level, out = 0.0, np.empty(n)
    for i in range(n):
        level = (1 - retention) * spend[i] + retention * level
        out[i] = top * level / (level + half)
    return out


parts = dict(tv=effect(tv, 36000, 9000, 0.55), radio=effect(radio, 4600, 2500, 0.2), search=effect(search, 24000, 4000, 0.0))
error = np.zeros(n)
for i in range(1, n):
    error[i] = 0.3 * error[i - 1] + 2000 * np.sqrt(1 - 0.3 ** 2) * rng.standard_normal()
angle = 2 * np.pi * t / 52.1786
sales = 90000 + 60 * t + 6000 * np.sin(angle) + 3000 * np.cos(2 * angle) + 9000 * promotion + sum(parts.values()) + error
place = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data", "marketing_weekly.csv")
start = np.datetime64("2021-01-04")
with open(place, "w") as out:
    out.write("week,sales,tv,radio,search,promotion\n")
    for i in range(earlier, n):
        out.write(f"{start + 7 * (i - earlier)},{sales[i]:.0f},{tv[i]:.0f},{radio[i]:.0f},{search[i]:.0f},{promotion[i]}\n")
for name, spend in dict(tv=tv, radio=radio, search=search).items():
    print(name, round(parts[name][earlier:].sum() / spend[earlier:].sum(), 2))
