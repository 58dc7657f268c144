"""Oracle of src/statistics/censored: what is beyond a bound, and the maximum of the censored, penalised likelihood of a level.

    python tests/oracles/stockouts.py >tests/oracles/stockouts.csv
"""
import numpy as np
import scipy
from scipy import integrate, optimize, special, stats

print(f"# python tests/oracles/stockouts.py >tests/oracles/stockouts.csv; numpy {np.__version__}, scipy {scipy.__version__}")
print("# beyond,kind,mean,a,sold,slope,mean beyond,variance beyond,0.95 quantile beyond")


def log_tail(kind, m, a, s):
    """log P(D >= s), by sums of probabilities or scipy's incomplete gamma function."""
    if kind == "counts":
        r = 1 / a
        k = np.arange(s, s + 200_000)
        return special.logsumexp(stats.nbinom.logpmf(k, r, r / (r + m)))
    return np.log(special.gammaincc(1 / a, s / (m * a)))


def beyond(kind, m, a, s):
    if kind == "counts":
        r = 1 / a
        k = np.arange(s, s + 200_000)
        p = np.exp(stats.nbinom.logpmf(k, r, r / (r + m)) - log_tail(kind, m, a, s))
        mean = (k * p).sum()
        var = ((k - mean) ** 2 * p).sum()
        slope = s * p[0]
        q = k[np.searchsorted(np.cumsum(p), 0.95 * (1 - 1e-12))]
    else:
        k, th = 1 / a, m * a
        d = stats.gamma(k, scale=th)
        tail = d.sf(s)
        top = d.isf(tail * 1e-16)
        at = lambda f: integrate.quad(lambda x: f(x) * d.pdf(x) / tail, s, top, epsabs=0, epsrel=1e-11, limit=500)[0]
        mean = at(lambda x: x)
        var = at(lambda x: (x - mean) ** 2)
        slope = (s / th) * th * d.pdf(s) / tail
        q = d.isf(0.05 * tail)
    return slope, mean, var, q


for kind in ("counts", "others"):
    for m in (0.3, 2.0, 40.0, 700.0):
        for a in (0.02, 0.4, 2.0):
            for f in (0.3, 1.0, 3.0):
                s = max(1, round(m * f)) if kind == "counts" else m * f
                if kind == "others" and stats.gamma(1 / a, scale=m * a).sf(s) < 1e-6:
                    continue
                if kind == "counts" and m > 300 and np.exp(log_tail(kind, m, a, s)) < 1e-3:
                    continue
                if kind == "counts" and np.exp(log_tail(kind, m, a, s)) < 1e-5:
                    continue
                print("beyond", kind, m, a, s, *(repr(float(v)) for v in beyond(kind, m, a, s)), sep=",")

print("# path,case,kind,a,unit,drift,start,precision,sold,share,cell,log factor,log level,variance")
for case in range(6):
    rng = np.random.default_rng(case)
    kind = "counts" if case % 2 == 0 else "others"
    n = 20
    a, drift, start, precision = 0.3, 0.02, (1.0 if kind == "counts" else 4.0), 0.5
    unit = 1.0 if kind == "counts" else 7.5
    r = 1 / a if kind == "counts" else 2 / a
    f = 0.3 * np.sin(np.arange(n))
    mu = np.exp(start + 0.3 + f)
    d = rng.poisson(mu * rng.gamma(1 / a, a, n)) if kind == "counts" else np.round(mu * rng.gamma(1 / a, a, n), 2)
    cells, sold, share = [], [], []
    for t in range(n):
        u = rng.random()
        if u < 0.2 and case >= 0:
            cells.append("hidden"), sold.append(0), share.append(0)
        elif u < 0.4:
            e = round(float(rng.uniform(0.2, 0.9)), 2)
            cells.append("part"), share.append(e)
            sold.append(rng.binomial(int(d[t]), e) if kind == "counts" else round(float(d[t] * e), 2))
        elif u < 0.6 and case >= 2 and d[t] > 0:
            cells.append("least"), share.append(0)
            sold.append(max(1, int(d[t] * 0.7)) if kind == "counts" else round(float(d[t] * 0.7), 2))
        else:
            cells.append("sold"), sold.append(d[t]), share.append(1)

    def objective(eta):
        m = np.exp(eta + f)
        value = -0.5 * np.sum(np.diff(eta) ** 2) / drift - 0.5 * precision * (eta[0] - start) ** 2
        for t in range(n):
            if cells[t] in ("sold", "part"):
                e = share[t] if cells[t] == "part" else 1.0
                s, u = sold[t] / unit, m[t] / unit
                value += s * np.log(u) - (r + s) * np.log(r + e * u)
            elif cells[t] == "least":
                k = np.arange(sold[t], sold[t] + 3000) if kind == "counts" else None
                value += (
                    special.logsumexp(stats.nbinom.logpmf(k, 1 / a, 1 / (1 + a * m[t])))
                    if kind == "counts"
                    else np.log(special.gammaincc(1 / a, sold[t] / (m[t] * a)))
                )
        return -value

    eta = np.full(n, start)
    for _ in range(6):
        eta = optimize.minimize(objective, eta, method="BFGS", options={"gtol": 1e-10, "maxiter": 5000}).x
    # Newton's method with numerical derivatives polishes it.
    from scipy.optimize import approx_fprime

    def gradient(x, h=1e-4):
        g = np.zeros(n)
        for i in range(n):
            for w, k in ((1 / 12, -2), (-2 / 3, -1), (2 / 3, 1), (-1 / 12, 2)):
                y = x.copy()
                y[i] += k * h
                g[i] += w * objective(y) / h
        return g

    for _ in range(3):
        hessian = np.array([(gradient(eta + 1e-3 * e) - gradient(eta - 1e-3 * e)) / 2e-3 for e in np.eye(n)])
        eta = eta - np.linalg.solve(hessian, gradient(eta))
    # The inverse of the expected information, without bounds.
    m = np.exp(eta + f) / unit
    e = np.array([1.0 if c == "sold" else s if c == "part" else 0.0 for c, s in zip(cells, share)])
    q = np.diag(e * m / (1 + e * m / r))
    for t in range(n - 1):
        q[t, t] += 1 / drift
        q[t + 1, t + 1] += 1 / drift
        q[t, t + 1] -= 1 / drift
        q[t + 1, t] -= 1 / drift
    q[0, 0] += precision
    variance = np.diag(np.linalg.inv(q))
    for t in range(n):
        row = [a, unit, drift, start, precision, sold[t], share[t], cells[t], f[t], eta[t], variance[t]]
        print("path", case, kind, *(v if isinstance(v, str) else repr(float(v)) for v in row), sep=",")
