"""Adstock, saturation, media-mix fits and budget splits by other means: convolution and `scipy.stats.weibull_min` for the
weights, `scipy.optimize.least_squares` with QR projections for the penalised fit of a market that this script draws
(`marketing_market.csv`), `scipy.optimize.minimize(method="SLSQP")` for the splits. Writes `marketing.csv`.

    python marketing.py             # numpy 2.4.6, pandas 3.1.1, scipy 1.17.1

Tolerance of the tests: 1e-9 for adstock and saturation, 1e-4 for the fits, 1e-4 for the splits (SLSQP stops there)."""
import os
import numpy as np, pandas as pd
from scipy import optimize, stats

here = os.path.dirname(os.path.abspath(__file__))
rows = []
row = lambda kind, inputs, outputs: rows.append((kind, fields(inputs), fields(outputs)))
text = lambda v: v if isinstance(v, str) else " ".join(repr(float(x)) for x in np.atleast_1d(v))
fields = lambda d: ";".join(f"{k}={text(v)}" for k, v in d.items())

LONG = 5000


def weights(kind, a, b):
    """Raw weights of a memory over a very long time; a: retention or shape, b: window (0: none) or scale."""
    lags = np.arange(LONG)
    if kind == "geometric":
        return np.where((b == 0) | (lags < b), a ** lags, 0.0)
    cdf = stats.weibull_min.cdf(np.arange(LONG + 1), a, scale=b)
    return np.diff(cdf)


def adstock(kind, a, b, spend, before, norm):
    w = weights(kind, a, b)
    w = w / (w.sum() if norm == "sum" else w.max())
    long = np.r_[np.full(LONG, before), spend]
    return np.convolve(long, w)[LONG:LONG + len(spend)]


rng = np.random.default_rng(24)
spend = np.round(rng.gamma(2, 30, 12), 2)
for kind, a, b in [("geometric", 0.0, 0), ("geometric", 0.6, 0), ("geometric", 0.9, 0), ("geometric", 0.6, 4), ("geometric", 0.8, 1),
                   ("weibull", 1.0, 3.0), ("weibull", 2.0, 3.0), ("weibull", 3.5, 6.0), ("weibull", 0.7, 1.5)]:
    for norm in ["sum", "peak"]:
        for before in [0.0, 25.0]:
            row("adstock", dict(memory=kind, a=a, b=b, norm=norm, before=before, spend=spend),
                dict(adstock=adstock(kind, a, b, spend, before, norm)))

at, half = np.array([0.0, 1.0, 40.0, 100.0, 1000.0, 1e6]), 80.0
for kind, n in [("hill", 1.0), ("hill", 1.7), ("hill", 3.0), ("exponential", 0), ("logistic", 0)]:
    f = {"hill": lambda x: x ** n / (x ** n + half ** n), "exponential": lambda x: 1 - 0.5 ** (x / half),
         # The logistic saturation of pymc-marketing, (1 - exp(-lam x)) / (1 + exp(-lam x)), half at lam x = ln 3.
         "logistic": lambda x: (1 - np.exp(-np.log(3) / half * x)) / (1 + np.exp(-np.log(3) / half * x))}[kind]
    slope = [(f(x + 1e-3) - f(max(x - 1e-3, 0))) / (2e-3 if x >= 1e-3 else 1e-3) for x in at]
    row("saturation", dict(kind=kind, exponent=n, half=half, at=at), dict(share=f(at), slope=slope))

# A market: trend, season, a price, television in flights, search around a level.
weeks = 120
t = np.arange(weeks)
price = 10 + 0.4 * rng.standard_normal(weeks)
on = rng.random(weeks).cumsum() % 2 < 1
tv = np.where(on, rng.uniform(60, 200, weeks), 0).round(1)
search = np.clip(60 + 25 * rng.standard_normal(weeks), 5, None).round(1)
truth = lambda x, lam, half: (lambda a: a / (a + half))(adstock("geometric", lam, 0, x, x[:13].mean(), "sum"))
noise = np.zeros(weeks)
for i in range(weeks):
    noise[i] = (0.4 * noise[i - 1] if i else 0) + 20 * rng.standard_normal()
sales = (1500 + 1.5 * t + 80 * np.sin(2 * np.pi * t / 52) - 30 * (price - 10) + 400 * truth(tv, 0.5, 120) + 300 * truth(search, 0.2, 60) + noise)
sales = sales.round(3)
sales[[17, 60]] = np.nan
pd.DataFrame(dict(week=t + 1, sales=sales, tv=tv, search=search, price=price.round(4))).to_csv(f"{here}/marketing_market.csv", index=False)
price = price.round(4)


def fit(kind, shape, n, tests):
    """Rounds of penalised least squares: variance, then autocorrelation and variance, then variance twice, as the model says."""
    known = np.flatnonzero(~np.isnan(sales))
    unit = sales[known].mean()
    spends = [tv, search]
    typical = [x[x > 0].mean() for x in spends]
    time = t / (weeks - 1)
    base = [np.ones(weeks), time - 0.5]
    for k in (1, 2):
        base += [np.sin(2 * np.pi * k * t / 52), np.cos(2 * np.pi * k * t / 52)]
    base = np.column_stack(base + [price])[known]
    prior = np.repeat([0.05, -0.4 if kind == "geometric" else 0.7, 0.0], 2)
    deviation = np.repeat([0.25, 1.0 if kind == "geometric" else 0.8, 0.8], 2)
    lower = np.r_[[0, 0], np.repeat(-4.6 if kind == "geometric" else -1.2, 2), [-3, -3]]
    upper = np.r_[[10, 10], np.repeat(2.94 if kind == "geometric" else 3.26, 2), [3, 3]]

    def share(p, c):
        a, b = (1 / (1 + np.exp(-p[2 + c])), 0) if kind == "geometric" else (shape, np.exp(p[2 + c]))
        level = adstock(kind, a, b, spends[c], spends[c][:13].mean(), "sum")
        half = typical[c] * np.exp(p[4 + c])
        return level, half, level ** n / (level ** n + half ** n)

    def whiten(v, rho):
        out = v.astype(float).copy()
        for i in range(len(known)):
            out[i] = v[i] - rho * v[i - 1] if i and known[i] == known[i - 1] + 1 else v[i] * np.sqrt(1 - rho ** 2)
        return out

    def model(p, rho):
        Q = np.linalg.qr(whiten(base, rho))[0]
        left = lambda v: whiten(v, rho) - Q @ (Q.T @ whiten(v, rho))
        e = left(sales[known] / unit)
        for c in (0, 1):
            s = share(p, c)[2]
            e = e - p[c] * left((s / s.mean())[known])
        return e

    def predicted(p):
        return [p[c] * unit * weeks / spends[c].sum() * x for c, x, _, _ in tests]

    def minimise(p, sigma, rho):
        f = lambda p: np.r_[model(p, rho) / sigma, (p - prior) / deviation, [(m - y) / s for m, (_, _, y, s) in zip(predicted(p), tests)]]
        return optimize.least_squares(f, np.clip(p, lower + 1e-6, upper - 1e-6), bounds=(lower, upper), xtol=1e-14, ftol=1e-14, gtol=1e-14)

    freedom = len(known) - base.shape[1] - 4
    scale = lambda p, rho: np.sqrt(np.sum(model(p, rho) ** 2) / freedom)
    none = np.zeros(6)
    sigma, rho = 0.5 * np.sqrt(np.mean(model(none, 0.0) ** 2)), 0.0
    p = None
    for turn in range(4):
        starts = [p] if p is not None else [np.r_[[0.05, 0.05], [u, u], [v, v]] for u in ((-0.85, 0.4, 1.4) if kind == "geometric" else (0.2, 0.9, 1.8)) for v in (-0.5, 0.7)]
        p = min((minimise(s, sigma, rho) for s in starts), key=lambda r: r.cost).x
        if turn == 1:
            e = sales[known] / unit - sum(p[c] * (share(p, c)[2] / share(p, c)[2].mean())[known] for c in (0, 1))
            e = e - base @ np.linalg.lstsq(base, e, rcond=None)[0]
            pairs = np.flatnonzero(np.diff(known) == 1)
            rho = np.clip(np.sum(e[pairs + 1] * e[pairs]) / np.sum(e ** 2) + base.shape[1] / len(known), 0, 0.9)
        sigma = scale(p, rho)
    out = dict(contribution=p[:2] * unit, place=p[2:4], half=[share(p, c)[1] for c in (0, 1)], sigma=sigma * unit, rho=rho)
    out["average"] = [p[c] * unit * weeks / spends[c].sum() for c in (0, 1)]
    marginal = []
    for c in (0, 1):
        level, half, s = share(p, c)
        slope = n * level ** (n - 1) * half ** n / (level ** n + half ** n) ** 2
        marginal.append(p[c] * unit / s.mean() * np.sum(level * slope) / spends[c].sum())
    return out | dict(marginal=marginal)


for kind, shape, n, tests in [("geometric", 0, 1.0, []), ("geometric", 0, 2.0, []), ("weibull", 2.0, 1.0, []),
                              ("geometric", 0, 1.0, [(0, 2000.0, 5000.0, 300.0)])]:
    row("fit", dict(kind=kind, shape=shape, exponent=n, tests=" ".join(" ".join(map(repr, x)) for x in tests)), fit(kind, shape, n, tests))

# Splits of a budget over channels whose responses are averages of Hill curves.
for case in range(6):
    channels, draws = [2, 3, 4, 3, 4, 5][case], [1, 1, 20, 40, 20, 30][case]
    effect = rng.uniform(100, 900, (channels, draws))
    half = rng.uniform(50, 400, (channels, draws))
    low = np.zeros(channels) if case < 3 else rng.uniform(0, 40, channels).round()
    high = np.full(channels, 1000.0) if case < 3 else rng.uniform(100, 300, channels).round()
    budget = [300.0, 500.0, 800.0, 400.0, 450.0, 500.0][case]
    value = lambda x: (effect * x[:, None] / (x[:, None] + half)).mean(axis=1).sum()
    gradient = lambda x: (effect * half / (x[:, None] + half) ** 2).mean(axis=1)
    best = optimize.minimize(lambda x: -value(x) / 100, low + (high - low) * (budget - low.sum()) / (high - low).sum(), jac=lambda x: -gradient(x) / 100,
                             bounds=list(zip(low, high)), constraints=dict(type="eq", fun=lambda x: x.sum() - budget, jac=lambda x: np.ones(len(x))),
                             method="SLSQP", options=dict(ftol=1e-15, maxiter=1000))
    assert best.success or abs(best.x.sum() - budget) < 1e-6, best
    row("split", dict(effect=effect.ravel(), half=half.ravel(), draws=draws, low=low, high=high, budget=budget), dict(spend=best.x, value=value(best.x)))

with open(f"{here}/marketing.csv", "w") as out:
    out.write("kind,inputs,outputs\n")
    out.writelines(",".join(r) + "\n" for r in rows)
