#!/usr/bin/env python3
"""Means and orders of VN2's 599 series after the week of 2022-08-15: writes gamma_poisson.csv beside this file.

    gamma_poisson.py VN2_FOLDER

numpy and scipy alone, written apart from the library: the seasonal index of store formats and departments, discounted levels with
shrinkage, negative binomial demand, and the smallest order whose probability of meeting the demand of the third week is 0.8, with
the stock that is left under lost sales projected exactly. The state is that of a plain policy: three weeks of the mean of the last
13 weeks in stock on the shelf, one on the way in two weeks. Tolerances: means 1e-9, relative; orders exact.
"""
import os, sys
import numpy as np, pandas as pd
from scipy.special import gammaln
C = dict(half=13, centred=4.0, groups=('store_format', 'department'), kg=(500.0, 1000.0), iters=2,
         hl=8.0, k=5.0, hs=104.0, ks=5.0, add=0.05,
         power=0.8, side=0.5, year=52, c0=-0.4, c1=-0.2, tau=0.8)
def index(Y, M, G, c=C):
    "Y sales (0 where not in stock), M 1 in stock; (series, weeks). G: group codes per attribute. Index of each series' group and week."
    n = Y.shape[1]; win = [(max(0, j - c['half']), min(n, j + c['half'] + 1)) for j in range(n)]
    rel = lambda F: F / np.array([np.median(F[a:b]) for a, b in win])
    F = np.ones(n)
    for _ in range(4):
        a = (Y.sum(1) + 1) / (M @ F + 1); F = Y.sum(0) / np.maximum(a @ M, 1e-9); F = F / F.mean()
    I = np.tile(rel(F), (len(Y), 1))
    box = lambda z: (lambda s: np.stack([s[:, b] - s[:, a] for a, b in win], 1))(np.concatenate([np.zeros((len(z), 1)), np.cumsum(z, 1)], 1))
    for _ in range(c['iters']):
        mean = ((Y.sum(1) + 2) / ((M * I).sum(1) + 2))[:, None]
        E = (box(Y) + c['centred'] * mean) / (box(M * I) + c['centred']) * M          # expected without season
        P = np.tile(rel(Y.sum(0) / E.sum(0)), (len(Y), 1))
        for g, kg in zip(c['groups'], c['kg']):
            num = np.zeros((G[g].max() + 1, n)); den = num.copy(); np.add.at(num, G[g], Y); np.add.at(den, G[g], E)
            P = (num[G[g]] + kg * P) / (den[G[g]] + kg)
        I = P
    return I
def level(Y, M, I, c=C):
    n = Y.shape[1]; age = n - 1 - np.arange(n); E = M * I
    w = 0.5 ** (age / c['hs']); A, B = Y @ w, E @ w
    prior = np.exp(np.mean(np.log((A + 1) / (B + 1))))       # the typical series: geometric mean of the slow levels
    slow = (A + c['ks'] * prior) / (B + c['ks'])
    v = 0.5 ** (age / c['hl']); return (Y @ v + c['k'] * slow) / (E @ v + c['k']) + c['add'] * prior
def factor(I, h, c=C):
    n = I.shape[1]; num = np.zeros(len(I)); den = 0.0
    for y in (1, 2):
        for o, w in ((-1, c['side']), (0, 1.0), (1, c['side'])):
            j = n - 1 + h - y * c['year'] + o
            if 0 <= j < n: num += w * np.log(np.maximum(I[:, j], .05)); den += w
    return np.exp(c['power'] * num / den) if den else np.ones(len(I))
def pmf(m, a, K):
    r = 1 / a; k = np.arange(K + 1)
    return np.exp(gammaln(k + r) - gammaln(r) - gammaln(k + 1) + r * np.log(r / (r + m)) + k * np.log(m / (r + m)))
def top(m, a): return int(np.ceil(m + 12 * np.sqrt(m + a * m * m) + 15))
def order(mu, al, on, first, second, tau):
    "mu, al: three weeks; exact: smallest q with P(D3 <= X + q) >= tau, X the stock left after w+1 and w+2"
    a = int(on + first); p1 = pmf(mu[0], al[0], max(a, 1)); x = np.zeros(a + 1); x[1:] = p1[:a][::-1] if a else []; x[0] = max(0.0, 1 - x[1:].sum())
    b = a + int(second); y = np.zeros(b + 1); y[int(second):] = x; p2 = pmf(mu[1], al[1], max(b, 1))
    # z[j] = sum_i y[i] p2[i-j], j>0
    z = np.convolve(y[::-1], p2[:b + 1])[:b + 1][::-1]; z[0] = max(0.0, 1 - z[1:].sum())
    F = np.cumsum(pmf(mu[2], al[2], top(mu[2], al[2]))); last = len(F) - 1
    reach = lambda q: z @ F[np.minimum(np.arange(b + 1) + q, last)]
    lo, hi = -1, last                                   # reach is increasing in q
    while hi - lo > 1:
        mid = (lo + hi) // 2
        if reach(mid) >= tau: hi = mid
        else: lo = mid
    return hi
def means(Y, M, G, c=C):
    I = index(Y, M, G, c); L = level(Y, M, I, c); return np.maximum(np.stack([L * factor(I, h, c) for h in (1, 2, 3)], 1), .02)
def orders(mu, on, first, second, c=C):
    al = np.exp(c['c0'] + c['c1'] * np.log(mu)); return np.array([order(mu[i], al[i], on[i], first[i], second[i], c['tau']) for i in range(len(mu))])

if __name__ == '__main__':
    d = pd.read_parquet(f'{sys.argv[1]}/vn2_weekly.parquet'); d['week'] = pd.to_datetime(d.week); d = d[d.week <= '2022-08-15']
    key = ['store', 'product']; d = d.sort_values(key + ['week'])
    y = d.pivot(index=key, columns='week', values='sales'); m = d.pivot(index=key, columns='week', values='in_stock').fillna(False).astype(float).to_numpy()
    Y = np.where(m > 0, y.to_numpy(float), 0.0); at = d.drop_duplicates(key).set_index(key).loc[y.index].reset_index()
    G = {c: pd.factorize(at[c])[0] for c in C['groups']}
    mean13 = Y[:, -13:].sum(1) / np.maximum(m[:, -13:].sum(1), 1)
    s = y.index.to_frame(index=False).assign(on_hand=np.ceil(3 * mean13).astype(int), in_transit_1=0, in_transit_2=np.ceil(mean13).astype(int))
    mu = means(Y, m, G)
    for h in range(3): s[f'mean_{h + 1}'] = [f'{v:.12g}' for v in mu[:, h]]
    s['order'] = orders(mu, s.on_hand.to_numpy(), s.in_transit_1.to_numpy(), s.in_transit_2.to_numpy())
    s.to_csv(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'gamma_poisson.csv'), index=False)
