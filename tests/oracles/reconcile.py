"""Expected values of reconciled forecasts, for src/reconcile/tests.rs.

    python3 -m venv peers && peers/bin/pip install hierarchicalforecast==1.5.3 forecopy==0.1.1
    peers/bin/python tests/oracles/reconcile.py > tests/oracles/reconcile.json

A small crossed hierarchy (total; Region; Store; Dept) and a nested one (total; Region; Store), with forecasts that do not add up and errors of
40 dates, more than series: hierarchicalforecast inverts the covariance for its non-negative version, and takes a pseudo-inverse where it is
singular, which is another problem. Definitions: every method of hierarchicalforecast; forecopy (the Python port of FoReco by its authors) for OLS and WLS, which agree
with them; its shrinkage takes covariances about zero, which is another definition. Tolerance: 1e-6, relative to the largest value.
"""
import json
import warnings

import numpy as np
import jax
import jax.numpy as jnp
from forecopy.lsrec import csrec
from forecopy.tools import cstools
from hierarchicalforecast.methods import BottomUp, MiddleOut, MinTrace, TopDown
from scipy.optimize import nnls

warnings.filterwarnings("ignore")
jax.config.update("jax_enable_x64", True)
rng = np.random.default_rng(29)
stores = [("north", "1"), ("north", "2"), ("south", "3"), ("south", "4"), ("south", "5")]
leaves = [(r, s, d) for r, s in stores for d in ("x", "y", "z")]
T, H = 40, 3


def label(level, leaf):
    names = {"Region": leaf[0], "Store": leaf[1], "Dept": leaf[2]}
    return ", ".join(f"{name}={names[name]}" for name in level) or "total"


def structure(levels):
    rows, tags, S = [], {}, []
    for level in levels + [["Store", "Dept", "Region"]]:
        labels = list(dict.fromkeys(label(level, leaf) for leaf in leaves))
        tags["/".join(level) or "total"] = np.arange(len(rows), len(rows) + len(labels))
        S += [[float(label(level, leaf) == one) for leaf in leaves] for one in labels]
        rows += labels
    return rows, tags, np.array(S)


size = rng.gamma(1.5, 20, len(leaves))
size[4] = 0.3
common = rng.normal(size=T)
history = np.maximum(0, size[:, None] * (1 + 0.3 * np.sin(np.arange(T) / 2) + 0.2 * common + 0.3 * rng.normal(size=(len(leaves), T))))
out = {"leaves": leaves, "history": history.tolist(), "cases": {}}
for name, levels in {"crossed": [[], ["Region"], ["Store"], ["Dept"]], "nested": [[], ["Region"], ["Store"]]}.items():
    rows, tags, S = structure(levels)
    y = S @ history
    # The leaves err most, so that what is missing in the sums is taken from them.
    errors = y * rng.normal(0.1, 0.2, y.shape) * np.where(np.arange(len(rows)) < len(rows) - len(leaves), 0.2, 2.0)[:, None]
    base = S @ (size[:, None] * rng.uniform(0.5, 1.5, (len(leaves), H)))
    base = base * rng.uniform(0.7, 1.3, base.shape)
    # Far from adding up, so that some leaves turn negative.
    base[0, 2] *= 0.35
    base[1, 2] *= 0.3
    kw = dict(S=S, y_hat=base, y_insample=y, y_hat_insample=y - errors, tags=tags)
    expected = {"bottom_up": BottomUp().fit_predict(S=S, y_hat=base)["mean"]}
    for ours, theirs in [("ols", "ols"), ("wls_struct", "wls_struct"), ("wls_var", "wls_var"), ("mint_shrink", "mint_shrink"), ("mint_sample", "mint_cov")]:
        for nonnegative in (False, True):
            peer = MinTrace(method=theirs, nonnegative=nonnegative)
            got = peer.fit_predict(**{**kw, "y_hat": base.copy()})["mean"]
            if nonnegative:
                # Its interior-point solver ends some 1e-6 from the least distance: scipy's active sets say where that is.
                root = np.linalg.inv(np.linalg.cholesky(W))
                exact = S @ np.array([nnls(root @ S, root @ column, maxiter=10_000)[0] for column in base.T]).T
                assert np.abs(exact - got).max() < 1e-5 * np.abs(exact).max(), (ours, np.abs(exact - got).max())
                got = exact
            else:
                W = peer.W
            expected[f"{ours}(nonnegative={str(nonnegative).lower()})"] = got
    if name == "nested":
        for ours, theirs in [("forecast", "forecast_proportions"), ("average", "average_proportions"), ("averages", "proportion_averages")]:
            expected[f"top_down(proportions={ours})"] = TopDown(theirs).fit_predict(**kw)["mean"]
            expected[f"middle_out(level=Region, proportions={ours})"] = MiddleOut("Region", theirs).fit_predict(**kw)["mean"]
    params = cstools(agg_mat=jnp.array(S[: len(rows) - len(leaves)]))
    foreco = {}
    for ours, comb in [("ols", "ols"), ("wls_struct", "str"), ("wls_var", "wls")]:
        foreco[ours] = np.asarray(csrec(base=jnp.array(base.T), params=params, comb=comb, res=jnp.array(errors.T))).T.tolist()
    out["cases"][name] = {
        "levels": "; ".join(", ".join(level) or "total" for level in levels),
        "labels": rows,
        "base": base.tolist(),
        "errors": errors.tolist(),
        "expected": {method: np.asarray(values).tolist() for method, values in expected.items()},
        "foreco": foreco,
    }
print(json.dumps(out))
