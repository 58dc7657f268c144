#!/usr/bin/env bash
# Expected: a Wagner-Whitin solver that takes a holding cost per period charges each period's cost on the stock at its end, and its
# plan is the cheapest.
#
# Seen with stockpyl 1.0.2: the units of an order pay, for every period that they wait, the holding cost of the period in which they
# were ordered. For demand 10, 10, 10, holding costs 1, 100, 1 and fixed costs 1000, 1, 1000 it orders everything at first and states a
# cost of 1030; counted period by period that plan costs 2020, and ordering before the second period costs 2001. With a constant
# holding cost the two are the same. Who checks a lot-sizing program with seasonal holding costs against it finds faults that are
# none.
#
# Run: findings/stockpyl_wagner_whitin_varying_holding.sh (needs python3; fails if the behaviour has changed)
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/v"
"$home/v/bin/pip" install --quiet stockpyl==1.0.2 numpy==2.2.6 scipy==1.15.3
seen=$("$home/v/bin/python" - <<'PY'
from itertools import product

from stockpyl.wagner_whitin import wagner_whitin

demand, fixed = [0, 10, 10, 10], [0, 1000, 1, 1000]


def counted(first, holding):
    """The cost of ordering in these periods, each period's holding cost on the stock at its end."""
    stock = total = 0.0
    for t in range(1, 4):
        if first[t - 1]:
            later = next((u for u in range(t + 1, 4) if first[u - 1]), 4)
            stock += sum(demand[t:later])
            total += fixed[t]
        stock -= demand[t]
        total += holding[t] * stock
    return round(total)


for holding in ([0, 1, 100, 1], [0, 7, 7, 7]):
    orders, cost, *_ = wagner_whitin(3, holding, fixed, demand)
    plan = tuple(order > 0 for order in orders[1:])
    best = min(counted(p, holding) for p in product([True, False], repeat=3) if p[0])
    print(f"{holding[1:]}: states {round(cost)}, its plan costs {counted(plan, holding)}, the cheapest {best}")
PY
)
printf '%s\n' "$seen"
expected='[1, 100, 1]: states 1030, its plan costs 2020, the cheapest 2001
[7, 7, 7]: states 1071, its plan costs 1071, the cheapest 1071'
if [ "$seen" = "$expected" ]; then
    echo "as stated"
else
    echo "the behaviour has changed" >&2
    exit 1
fi
