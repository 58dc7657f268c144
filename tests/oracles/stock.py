# Writes stock.csv: order quantities, stock policies and their costs by stockpyl, loss functions among them.
# Run as: python tests/oracles/stock.py   (needs stockpyl 1.0.2, scipy 1.17.1). Tolerance: 1e-6 relative.
# Left out, because stockpyl 1.0.2 is wrong there: Wagner-Whitin with holding costs that vary (it charges the holding cost of
# the order's period for all later ones), and (s, S) with a pmf that does not end in zero (it drops the largest demand).
import os
from importlib.metadata import version

import numpy as np
import scipy
from scipy import optimize, stats
from stockpyl import eoq, loss_functions as loss, newsvendor as nv, rq, ss
from stockpyl.wagner_whitin import wagner_whitin

rows = []


def text(value):
    return " ".join(repr(float(v)) for v in value) if isinstance(value, (list, tuple)) else repr(float(value))


def row(case, inputs, outputs):
    join = lambda named: ";".join(f"{name}={text(value)}" for name, value in named.items())
    rows.append(f"{case},{join(inputs)},{join(outputs)}")


# Loss functions: first and second order. For counts stockpyl's second order is E[(D - x)(D - x - 1)] / 2.
for mean, sd in [(50, 8), (120, 10), (3, 5), (1000, 1)]:
    for z in [-3, -1, 0, 0.7, 2, 4]:
        x = mean + z * sd
        row("loss_normal", dict(mean=mean, sd=sd, x=x),
            dict(shortage=loss.normal_loss(x, mean, sd)[0], overage=loss.normal_loss(x, mean, sd)[1],
                 second=loss.normal_second_loss(x, mean, sd)[0], cdf=stats.norm.cdf(x, mean, sd)))
for mean, sd in [(50, 8), (4, 6), (0.7, 0.5)]:
    a, b = (mean / sd) ** 2, sd**2 / mean
    for x in [0.1 * mean, mean, 1.5 * mean, 3 * mean]:
        row("loss_gamma", dict(mean=mean, sd=sd, x=x),
            dict(shortage=loss.gamma_loss(x, a, b)[0], overage=loss.gamma_loss(x, a, b)[1],
                 second=loss.gamma_second_loss(x, a, b)[0], cdf=stats.gamma.cdf(x, a, scale=b)))
for mean in [0.05, 1.5, 6, 50, 800]:
    for x in sorted({0, int(mean), int(mean + np.sqrt(mean)) + 1, int(mean + 3 * np.sqrt(mean))}):
        row("loss_poisson", dict(mean=mean, x=x),
            dict(shortage=loss.poisson_loss(x, mean)[0], overage=loss.poisson_loss(x, mean)[1],
                 second=loss.poisson_second_loss(x, mean)[0], cdf=stats.poisson.cdf(x, mean)))
for mean, sd in [(0.4, 1), (6, 4), (50, 20), (300, 400)]:
    for x in [0, int(mean), int(mean + sd) + 1, int(mean + 3 * sd)]:
        args = dict(mean=mean, sd=sd)
        r, p = mean**2 / (sd**2 - mean), mean / sd**2
        row("loss_negative_binomial", dict(mean=mean, sd=sd, x=x),
            dict(shortage=loss.negative_binomial_loss(x, **args)[0], overage=loss.negative_binomial_loss(x, **args)[1],
                 second=loss.negative_binomial_second_loss(x, **args)[0], cdf=stats.nbinom.cdf(x, r, p)))

# Economic order quantities.
for K, h, rate in [(8, 0.225, 1300), (100, 2, 50), (1, 9, 0.3), (2500, 0.01, 1e6)]:
    q, cost = eoq.economic_order_quantity(K, h, rate)
    row("eoq", dict(fixed=K, holding=h, rate=rate), dict(quantity=q, cost=cost))
    row("eoq_cost", dict(fixed=K, holding=h, rate=rate, quantity=1.7 * q),
        dict(cost=eoq.economic_order_quantity(K, h, rate, 1.7 * q)[1]))
    for p in [0.5 * h, 5, 40 * h]:
        q, x, cost = eoq.economic_order_quantity_with_backorders(K, h, p, rate)
        row("eoq_backorders", dict(fixed=K, holding=h, backorder=p, rate=rate), dict(quantity=q, fraction=x, cost=cost))
    for mu in [1.05 * rate, 1.7 * rate, 30 * rate]:
        q, cost = eoq.economic_production_quantity(K, h, rate, mu)
        row("epq", dict(fixed=K, holding=h, rate=rate, production=mu), dict(quantity=q, cost=cost))
row("epq", dict(fixed=8, holding=0.225, rate=1300, production=1700),
    dict(zip(["quantity", "cost"], eoq.economic_production_quantity(8, 0.225, 1300, 1700))))
for K, i, rate, breaks, costs in [
    (8, 0.3, 1300, [0, 400, 800], [0.75, 0.72, 0.68]),
    (8, 0.3, 1300, [0, 400, 2000], [0.75, 0.74, 0.73]),
    (50, 0.2, 4000, [0, 100, 500, 5000], [12, 11.5, 11, 10.8]),
    (5, 0.2, 100, [0, 1000], [3, 1]),
    (40, 0.25, 900, [0, 60, 90], [4, 3.5, 3.4]),
]:
    for case, solve in [("all_units", eoq.economic_order_quantity_with_all_units_discounts),
                        ("incremental", eoq.economic_order_quantity_with_incremental_discounts)]:
        q, region, cost = solve(K, i, rate, breaks, costs)
        row(case, dict(fixed=K, rate_of_holding=i, rate=rate, breaks=breaks, costs=costs),
            dict(quantity=q, bracket=region, cost=cost))
# Silver's heuristic: an upper bound where its multiples are powers of two.
for K, k, h, rate in [
    (20, [5, 1, 8], [0.5, 0.2, 1], [60, 900, 12]),
    (100, [10, 10, 10, 10], [1, 1, 1, 1], [1000, 100, 10, 1]),
    (600, [120, 840, 300], [160, 20, 50], [1, 1, 1]),
    (5, [40, 3], [2, 2], [30, 500]),
    (30, [1, 60, 2], [1, 1, 1], [400, 20, 90]),
]:
    _, cycle, multiples, cost = eoq.joint_replenishment_problem_silver_heuristic(K, k, h, rate)
    row("joint", dict(major=K, minor=k, holding=h, rate=rate), dict(cycle=cycle, multiples=multiples, cost=cost))

# The newsvendor.
for h, p, mean, sd in [(0.18, 0.7, 50, 8), (2, 18, 120, 10), (1, 1, 10, 3), (3, 1, 40, 12), (0.01, 9.99, 500, 80)]:
    level, cost = nv.newsvendor_normal(h, p, mean, sd)
    row("newsvendor_normal", dict(holding=h, shortage=p, mean=mean, sd=sd), dict(level=level, cost=cost))
    for level in [mean - sd, mean + 0.3 * sd]:
        row("newsvendor_normal_cost", dict(holding=h, shortage=p, mean=mean, sd=sd, level=level),
            dict(cost=nv.newsvendor_normal_cost(level, h, p, mean, sd)))
    level, cost = nv.newsvendor_continuous(h, p, stats.gamma((mean / sd) ** 2, scale=sd**2 / mean))
    row("newsvendor_gamma", dict(holding=h, shortage=p, mean=mean, sd=sd), dict(level=level, cost=cost))
for h, p, mean in [(0.18, 0.7, 50), (1, 4, 6), (1, 4, 0.3), (5, 1, 6), (0.02, 2, 900), (1, 99, 2.5)]:
    level, cost = nv.newsvendor_poisson(h, p, mean)
    row("newsvendor_poisson", dict(holding=h, shortage=p, mean=mean), dict(level=level, cost=cost))
for h, p, mean, sd in [(1, 4, 6, 4), (0.18, 0.7, 50, 20), (1, 30, 0.8, 1.3)]:
    demand = stats.nbinom(mean**2 / (sd**2 - mean), mean / sd**2)
    level, cost = nv.newsvendor_discrete(h, p, demand_distrib=demand)
    row("newsvendor_negative_binomial", dict(holding=h, shortage=p, mean=mean, sd=sd), dict(level=level, cost=cost))
draws = [0, 0, 1, 2, 2, 2, 3, 5, 8, 21]
pmf = {d: draws.count(d) / len(draws) for d in sorted(set(draws))}
for h, p in [(1, 4.2), (1, 0.5), (1, 30), (2, 2.2)]:
    level, cost = nv.newsvendor_discrete(h, p, demand_pmf=pmf)
    row("newsvendor_samples", dict(holding=h, shortage=p, draws=draws), dict(level=level, cost=cost))
for price, cost, salvage, mean, sd, h, g in [(1, 0.3, 0.12, 50, 8, 0, 0), (20, 12, 5, 300, 90, 0, 4), (9, 8, 1, 25, 6, 0, 0)]:
    level, profit = nv.newsvendor_normal_explicit(price, cost, salvage, mean, sd, h, g)
    row("newsvendor_prices_normal", dict(price=price, cost=cost, salvage=salvage, goodwill=g, mean=mean, sd=sd),
        dict(level=level, profit=profit))
    level, profit = nv.newsvendor_poisson_explicit(price, cost, salvage, mean, h, g)
    row("newsvendor_prices_poisson", dict(price=price, cost=cost, salvage=salvage, goodwill=g, mean=mean),
        dict(level=level, profit=profit))

# (r, Q).
for h, p, K, rate, sd, L in [(0.225, 7.5, 8, 1300, 150, 1 / 12), (1, 20, 50, 400, 60, 0.1), (2, 9, 30, 1000, 200, 0.25)]:
    inputs = dict(holding=h, shortage=p, fixed=K, rate=rate, sd=sd, lead=L)
    row("rq_expected_inventory_level", inputs, dict(zip(["point", "quantity", "cost"], rq.r_q_eil_approximation(h, p, K, rate, sd, L, tol=1e-10))))
    # stockpyl's bisection stops at a difference of costs of 1e-6: here its own function to 1e-13.
    q, _, _ = eoq.economic_order_quantity_with_backorders(K, h, p, rate)
    row("rq_eoq_backorders", inputs, dict(point=rq.r_q_optimal_r_for_q(q, h, p, rate, sd, L, tol=1e-11), quantity=q))
    row("rq_eoq_safety_stock", inputs, dict(zip(["point", "quantity"], rq.r_q_eoqss_approximation(h, p, K, rate, sd, L))))
    for r, q in [(126.8, 328.5), (40, 90), (400, 20)]:
        row("rq_cost", inputs | dict(point=r, quantity=q), dict(cost=rq.r_q_cost(r, q, h, p, K, rate, sd, L)))
    # The optimum of stockpyl's cost by scipy: the cost agrees to 1e-6, the policy less closely, for the minimum is flat.
    best = optimize.minimize(lambda x: rq.r_q_cost(x[0], x[1], h, p, K, rate, sd, L),
                             [rate * L, q], method="Nelder-Mead", options=dict(xatol=1e-7, fatol=1e-12, maxiter=4000))
    row("rq_optimal", inputs, dict(cost=best.fun))
for h, p, K, rate, L in [(20, 150, 100, 1.5, 2), (1, 4, 5, 6, 1), (0.5, 30, 80, 12, 0.5), (3, 3, 1, 0.2, 4), (1, 9, 400, 30, 2)]:
    r, q, cost = rq.r_q_poisson_exact(h, p, K, rate, L)
    inputs = dict(holding=h, shortage=p, fixed=K, rate=rate, lead=L)
    row("rq_poisson", inputs, dict(point=r, quantity=q, cost=cost))
    row("rq_poisson_cost", inputs | dict(point=r + 2, quantity=q + 3), dict(cost=rq.r_q_cost_poisson(r + 2, q + 3, h, p, K, rate, L)))

# (s, S).
for h, p, K, mean in [(1, 4, 5, 6), (1, 9, 64, 21), (0.2, 3, 40, 0.9), (1, 1, 1, 3), (2, 50, 300, 40), (1, 4, 64, 10)]:
    s, S, cost = ss.s_s_discrete_exact(h, p, K, True, mean)
    row("ss_poisson", dict(holding=h, shortage=p, fixed=K, mean=mean), dict(min=s, max=S, cost=cost))
    row("ss_poisson_cost", dict(holding=h, shortage=p, fixed=K, mean=mean, min=s - 1, max=S + 4),
        dict(cost=ss.s_s_cost_discrete(s - 1, S + 4, h, p, K, True, mean)))
padded = [draws.count(d) / len(draws) for d in range(22)] + [0.0] * 300
for h, p, K in [(1, 4, 5), (1, 30, 40), (0.3, 6, 2)]:
    s, S, cost = ss.s_s_discrete_exact(h, p, K, False, None, len(padded) - 1, padded)
    row("ss_samples", dict(holding=h, shortage=p, fixed=K, draws=draws), dict(min=s, max=S, cost=cost))
for h, p, K, mean, sd in [(0.18, 0.7, 2.5, 50, 8), (1, 9, 64, 21, 5), (1, 20, 500, 10, 7)]:
    row("ss_power", dict(holding=h, shortage=p, fixed=K, mean=mean, sd=sd),
        dict(zip(["min", "max"], ss.s_s_power_approximation(h, p, K, mean, sd))))

# Wagner-Whitin.
for h, K, demand, c in [
    (2, 500, [90, 120, 80, 70], 0),
    (1, 54, [10, 62, 12, 130, 154, 129, 88, 52, 124, 160, 238, 41], 0),
    (0.4, [85, 102, 102, 101, 98, 114, 105, 86, 119, 110, 98, 114], [69, 29, 36, 61, 61, 26, 34, 67, 45, 67, 79, 56], 0),
    (1, [50, 60, 10, 90, 30], [20, 0, 35, 5, 60], [3, 4, 2, 5, 4]),
    (0.5, 30, [0, 0, 40, 10, 0, 25], 1),
]:
    _, cost, _, _ = wagner_whitin(len(demand), h, K, demand, c)
    many = lambda value: value if isinstance(value, list) else [value] * len(demand)
    row("wagner_whitin", dict(demand=demand, fixed=many(K), holding=many(h), unit=many(c)), dict(cost=cost))

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "stock.csv"), "w") as out:
    out.write(f"# stockpyl {version('stockpyl')}, scipy {scipy.__version__}: python tests/oracles/stock.py; tolerance 1e-6 relative\n")
    out.write("case,inputs,outputs\n")
    out.write("\n".join(rows) + "\n")
