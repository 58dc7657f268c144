"""python pooled.py   (numpy 2.4.6) writes pooled_sales.csv and pooled.csv

WAPE and bias as the documentation has them: numerators and denominators are summed over all windows, steps and series before
dividing; what was forecast where nothing was sold counts. Five series of 56 days: one alive, one that dies seven days before
the end, one that never sells, one with returns and days without a value in the last window, one that sells seldom. Three
folds of seven days, the naive and the seasonal naive method (both written out here)."""
import numpy as np

DAYS, HORIZON, FOLDS, SEASON = 56, 7, 3, 7
day = np.arange(DAYS)
SALES = {
    "alive": 1.0 + day % 2,
    "dead": np.where(day < DAYS - HORIZON, 10.0 + day % 3, 0.0),
    "never": np.zeros(DAYS),
    "returns": np.where(day % 9 == 4, -2.0, 3.0 + day % 5),
    "seldom": np.where(day % 11 == 3, 6.0, 0.0),
}
SALES["returns"][[50, 53]] = np.nan


def naive(y, h):
    return np.full(h, y[~np.isnan(y)][-1])


def seasonal_naive(y, h):
    return np.array([y[len(y) - SEASON + step % SEASON] for step in range(h)])


MODELS = {"naive": naive, "seasonal_naive": seasonal_naive}


def share(errors, actual):
    return 100 * errors / actual if actual > 0 else np.nan


def scores(cells):
    """WAPE and bias of cells (actual, forecast)."""
    y, f = np.concatenate([c[0] for c in cells]), np.concatenate([c[1] for c in cells])
    there = ~np.isnan(y)
    y, f = y[there], f[there]
    size = np.abs(y).sum()
    return share(np.abs(f - y).sum(), size), share((f - y).sum(), size)


def main():
    with open("pooled_sales.csv", "w") as out:
        out.write("# " + __doc__.splitlines()[0] + "\nid,ds,y\n")
        for name, y in SALES.items():
            for t, value in enumerate(y):
                stamp = np.datetime64("2024-01-01") + t
                out.write(f"{name},{stamp},{'' if np.isnan(value) else int(value)}\n")
    cases = {}
    for model, forecast in MODELS.items():
        for name, y in SALES.items():
            for fold in range(FOLDS):
                start = DAYS - (FOLDS - fold) * HORIZON
                cases[model, name, fold] = (y[start:start + HORIZON], forecast(y[:start], HORIZON))
    rows = []

    def row(dimension, value, pick):
        for model in MODELS:
            wape, bias = scores([pick(case) for key, case in cases.items() if key[0] == model and chosen(key)])
            rows.append((dimension, value, model, wape, bias))

    chosen = lambda key: True
    row("all", "all", lambda case: case)
    for fold in range(FOLDS):
        chosen = lambda key: key[2] == fold
        row("fold", fold + 1, lambda case: case)
    for name in SALES:
        chosen = lambda key: key[1] == name
        row("id", name, lambda case: case)
    chosen = lambda key: True
    for step in range(HORIZON):
        row("step", step + 1, lambda case: (case[0][step:step + 1], case[1][step:step + 1]))
    for name in SALES:
        for fold in range(FOLDS):
            chosen = lambda key: key[1:] == (name, fold)
            row(f"case {fold + 1}", name, lambda case: case)
    with open("pooled.csv", "w") as out:
        out.write("# " + __doc__.splitlines()[0] + "; tolerance 1e-12 relative, empty where undefined\n")
        out.write("dimension,value,model,wape,bias\n")
        for dimension, value, model, wape, bias in rows:
            text = ["" if np.isnan(x) else repr(float(x)) for x in (wape, bias)]
            out.write(f"{dimension},{value},{model},{text[0]},{text[1]}\n")


main()
