# Writes theta_ces.csv: the dynamic and optimised Theta models and complex exponential smoothing by statsforecast.
# Run as: python tests/oracles/theta_ces.py [FOLDER]   (needs statsforecast 2.1.1). FOLDER holds m3_monthly.csv,
# m3_quarterly.csv, m3_yearly.csv and m3_other.csv with lines `id;y1,y2,...;...`; of these only names and results are kept.
import csv, sys
import numpy as np
import statsforecast
from statsforecast.ces import auto_ces, forecast_ces
from statsforecast.theta import auto_theta, forecast_theta

series = {}
with open("tests/oracles/series.csv") as file:
    for row in csv.DictReader(line for line in file if not line.startswith("#")):
        series.setdefault(("classic", row["series"], int(row["season"]), 18), []).append(float(row["y"]))
if len(sys.argv) > 1:
    for period, m, h, every, count in (("monthly", 12, 18, 7, 80), ("quarterly", 4, 8, 9, 60), ("yearly", 1, 6, 13, 40), ("other", 1, 8, 8, 20)):
        with open(f"{sys.argv[1]}/m3_{period}.csv") as file:
            for line in [line for i, line in enumerate(file) if i % every == 0][:count]:
                name, values, _ = line.split(";")
                series[(f"m3_{period}", name, m, h)] = [float(v) for v in values.split(",")]

with open("tests/oracles/theta_ces.csv", "w") as out:
    out.write(f"# statsforecast {statsforecast.__version__}: python tests/oracles/theta_ces.py; squares: the sum of squared errors, of theta\n"
              "# without season and from the fourth on; tolerances stand beside the test\n")
    out.write("set,series,season,model,squares,chosen,alpha,first,last\n")
    for (name, unit, m, h), values in series.items():
        y = np.array(values)
        def say(model, squares, chosen, alpha, mean):
            out.write(f"{name},{unit},{m},{model},{squares:.10g},{chosen},{alpha:.6g},{mean[0]:.10g},{mean[-1]:.10g}\n")
        for model in ("OTM", "DSTM", "DOTM", None):
            fit = auto_theta(y.copy(), m, model=model)
            # Their criterion is the sum over the mean absolute value; all values are positive.
            say(model or "AutoTheta", fit["mse"] * fit["mean_y"], fit["modeltype"], fit["par"]["alpha"], forecast_theta(fit, h)["mean"])
        for model in ("N", "S", "P", "F", "Z"):
            if model in "SPF" and (m == 1 or len(y) < 2 * m):
                continue
            fit = auto_ces(y.copy(), m, model=model)
            say("AutoCES" if model == "Z" else "CES" + model, np.sum(fit["residuals"] ** 2), fit["seasontype"], fit["par"]["alpha_0"], forecast_ces(fit, h)["mean"])
