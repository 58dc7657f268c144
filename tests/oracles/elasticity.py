"""Elasticities and correlations with statsmodels and scipy, on sales that this script draws: `elasticity_sales.csv` and what is
expected of them, `elasticity.csv`. Beside them, where TRADEWIND_DATA is set, regressions of Dominick's orange juice with store
(and week) effects for comparison.

    python elasticity.py            # numpy 2, pandas 2, scipy 1, statsmodels 0.14

Tolerance of the test: 1e-6."""
import os
import numpy as np, pandas as pd, statsmodels.api as sm
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects
from statsmodels.stats.sandwich_covariance import S_hac_simple

here = os.path.dirname(os.path.abspath(__file__))
REACH, WEEKS = 6, 120  # a weekly panel with less than three years: level of 52 / 8 weeks, no season


def level(values):
    """Local linear regression; weight one half at the ends of the window."""
    n, out = len(values), np.empty(len(values))
    for t in range(n):
        at = np.arange(max(0, t - REACH), min(n, t + REACH + 1))
        weight = np.where(np.abs(at - t) == REACH, 0.5, 1.0)
        fit = sm.WLS(values[at], sm.add_constant(at - t, has_constant="add"), weights=weight).fit()
        out[t] = fit.params[0]
    return out


def rest(values):
    return values - level(np.asarray(values, float))


rng = np.random.default_rng(20)
rows = []
for s, truth in enumerate([-1.2, -1.8, -2.5, -3.0]):
    price, t = np.ones(WEEKS), 0
    deal = np.zeros(WEEKS)
    while t < WEEKS:
        t += rng.integers(3, 10)
        run = rng.integers(1, 5)
        cut = rng.uniform(-0.25, 0.15)
        price[t:t + run] = 1 + cut
        deal[t:t + run] = float(cut < 0 and rng.random() < 0.6)
        t += run
    price = np.round(2 * price, 2)
    noise = np.zeros(WEEKS)
    for t in range(1, WEEKS):
        noise[t] = 0.5 * noise[t - 1] + rng.normal(0, 0.1)
    y = np.exp(4 + 0.2 * np.sin(np.arange(WEEKS) / 8.3) + truth * np.log(price) + 0.15 * deal + noise)
    temp = 10 + 8 * np.sin(np.arange(WEEKS) / 8.3 + 1) + rng.normal(0, 2, WEEKS)
    for t in range(WEEKS):
        date = (pd.Timestamp("2021-01-08") + pd.Timedelta(weeks=t)).date()
        rows.append((f"s{s}", date, round(y[t], 4), price[t], int(deal[t]), round(temp[t], 3)))
sales = pd.DataFrame(rows, columns=["key", "date", "y", "price", "deal", "temp"])
sales.to_csv(os.path.join(here, "elasticity_sales.csv"), index=False)

out, naive, ratio, values = [], [], [], []
for key, one in sales.groupby("key"):
    x = np.column_stack([rest(one.deal.to_numpy()), rest(np.log(one.price.to_numpy()))])
    y = rest(np.log(one.y.to_numpy()))
    fit = sm.OLS(y, x).fit()
    out += [(key, "elasticity", fit.params[1]), (key, "deal", fit.params[0])]
    spare = WEEKS - WEEKS / REACH - 2
    apart = sm.OLS(x[:, 1], x[:, 0]).fit().resid
    square = apart @ apart
    naive.append((fit.ssr / spare, square))
    scores = (apart * fit.resid)[:, None]
    # Bartlett weights 1 - j / (lags + 1) of statsmodels for 12 lags in all.
    ratio.append(S_hac_simple(scores, nlags=2 * REACH - 1)[0, 0] * WEEKS / spare / square**2)
    values.append(fit.params[1])
variance = np.array([v for v, _ in naive])
deviation = np.sqrt(variance)
variance = np.maximum(deviation, np.median(deviation) / 2) ** 2 / np.array([s for _, s in naive])
added = max(1.0, np.mean(np.array(ratio) / variance))
meta = combine_effects(np.array(values), variance * added, method_re="dl")
out += [("all", "elasticity", meta.mean_effect_re), ("all", "spread", np.sqrt(meta.tau2))]

one = sales[sales.key == "s0"]
for adjust, f in [("none", lambda v: v - v.mean()), ("difference", lambda v: np.round(np.diff(v), 9)), ("season", rest)]:
    y, x = f(one.y.to_numpy()), f(one.temp.to_numpy())
    pearson = stats.pearsonr(y, x)[0] if adjust != "season" else y @ x / np.sqrt((y @ y) * (x @ x))
    out += [("s0", f"pearson {adjust}", pearson), ("s0", f"spearman {adjust}", stats.spearmanr(y, x)[0])]
pd.DataFrame(out, columns=["key", "what", "value"]).to_csv(os.path.join(here, "elasticity.csv"), index=False)

if "TRADEWIND_DATA" in os.environ:
    d = pd.read_parquet(os.path.join(os.environ["TRADEWIND_DATA"], "dominicks_oj", "oj_weekly.parquet"))
    prices = d[[f"price{i}" for i in range(1, 12)]].to_numpy()
    d["lp"] = np.log(prices[np.arange(len(d)), d.brand.to_numpy() - 1])
    d["feat"] = d.feat.astype(float)
    names = ["logmove", "lp", "deal", "feat"]
    for brand, x in d.groupby("brand"):
        store = x[names + ["store", "week"]].copy()
        store[names] = store[names] - store.groupby("store")[names].transform("mean")
        a = sm.OLS(store.logmove, store[names[1:]]).fit(cov_type="cluster", cov_kwds={"groups": store.week})
        week = store.copy()
        for _ in range(30):
            for by in ["week", "store"]:
                week[names] = week[names] - week.groupby(by)[names].transform("mean")
        b = sm.OLS(week.logmove, week[["lp", "deal"]]).fit(cov_type="cluster", cov_kwds={"groups": week.store})
        print(f"brand {brand}: store effects {a.params.lp:.2f} ± {a.bse.lp:.2f}, deal {a.params.deal:.2f}, feature "
              f"{a.params.feat:.2f}; store and week effects {b.params.lp:.2f} ± {b.bse.lp:.2f}")
