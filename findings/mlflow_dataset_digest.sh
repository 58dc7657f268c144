#!/usr/bin/env bash
# Expected: the digest of a data set, which a run records so that one can tell later what a model was trained on, changes with any
# value in it. At the most a large table is sampled, from its beginning to its end.
#
# Seen with mlflow-skinny 3.17.2 (pandas 3.1.1): the digest of a pandas table is made of its first 10,000 rows, of columns of numbers and
# of text without a missing value, and of the number of rows and the names. Sales of the last years replaced, all dates moved by a
# year, promotions turned around: the same digest. One shop without a name, and the column of shops no longer counts at all. The
# digest of a numpy array is that of its first 10,000 numbers, which for three columns are 3,333 rows. Panels begin with their oldest
# values or their first series, so that what changes from week to week is just what is not looked at.
#
# Run: findings/mlflow_dataset_digest.sh (needs python3; fails if the behaviour has changed)
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/v"
"$home/v/bin/pip" install --quiet --disable-pip-version-check mlflow-skinny==3.17.2 pandas==3.1.1 numpy==2.4.6
seen=$("$home/v/bin/python" -W ignore - 2>/dev/null <<'PY'
import mlflow.data
import numpy as np
import pandas as pd

ROWS = 12_000
sales = pd.DataFrame(
    {
        "date": pd.date_range("1993-01-01", periods=ROWS),
        "shop": ["north"] * ROWS,
        "promotion": [i % 7 == 0 for i in range(ROWS)],
        "sales": np.arange(ROWS, dtype=float),
    }
)


def digest(table):
    return mlflow.data.from_pandas(table).digest


def told(what, before, after):
    print(f"{what}: {'the same' if before == after else 'another'}")


def changed(column, first, values, table=sales):
    other = table.copy()
    other.loc[first:, column] = values
    return other


told("sales from row 10,000 on", digest(sales), digest(changed("sales", 9_999, -1.0)))
told("sales from row 10,001 on", digest(sales), digest(changed("sales", 10_000, -1.0)))
told("dates a year later", digest(sales), digest(sales.assign(date=sales.date + pd.Timedelta(days=365))))
told("promotions turned around", digest(sales), digest(sales.assign(promotion=~sales.promotion)))
told("another shop", digest(sales), digest(changed("shop", 1, "south")))
nameless = sales.copy()
nameless.loc[0, "shop"] = None
told("another shop, one without a name", digest(nameless), digest(changed("shop", 1, "south", nameless)))
array = np.zeros((ROWS, 3))
for row in (3_332, 3_334):
    other = array.copy()
    other[row:] = 1.0
    told(f"array of three columns from row {row + 1} on", *(mlflow.data.from_numpy(a).digest for a in (array, other)))
PY
)
printf '%s\n' "$seen"
expected='sales from row 10,000 on: another
sales from row 10,001 on: the same
dates a year later: the same
promotions turned around: the same
another shop: another
another shop, one without a name: the same
array of three columns from row 3333 on: another
array of three columns from row 3335 on: the same'
if [ "$seen" = "$expected" ]; then
    echo "as stated"
else
    echo "the behaviour has changed" >&2
    exit 1
fi
