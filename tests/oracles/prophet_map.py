# Writes prophet.csv, and prophet_daily.csv, the made-up series of days that some of it is about: forecasts by Python Prophet.
# Run as: python tests/oracles/prophet_map.py [FOLDER]   (needs prophet 1.5.0). FOLDER holds m3_monthly500_train.parquet with
# columns unique_id, ds, y; of this data only names and results are kept.
# Stan's optimiser does not always end where the density of the model is greatest: L-BFGS, the default from 100 rows on, ends
# early where a change of the trend is near zero, whose density has an edge there, and Newton's method now and then.
# `default` is what Prophet forecasts as it comes. `densest` is the forecast of the densest parameters that its optimisers find: as
# it comes, by Newton's method, and by Newton's method from where L-BFGS ended; `short` is how much the logarithm of the density
# of the default lacks.
import csv, logging, sys
import numpy as np
import pandas as pd
import prophet
from prophet import Prophet

logging.getLogger("cmdstanpy").disabled = True
logging.getLogger("prophet").setLevel(logging.ERROR)


def density(inputs, params, growth):
    """The logarithm of the density that prophet.stan states, but for constants."""
    k, m, sigma = (params[name][0, 0] for name in ("k", "m", "sigma_obs"))
    delta, beta = params["delta"][0], params["beta"][0]
    t, change, y, x = (np.asarray(part, float) for part in (inputs.t, inputs.t_change, inputs.y, inputs.X))
    ramps = np.maximum(t[:, None] - change, 0) @ delta
    trend = {"linear": m + k * t + ramps, "flat": m + 0 * t, "logistic": np.asarray(inputs.cap) / (1 + np.exp(-(k * (t - m) + ramps)))}[growth]
    mean = trend * (1 + x @ (beta * np.asarray(inputs.s_m))) + x @ (beta * np.asarray(inputs.s_a))
    return -(len(y) * np.log(sigma) + ((y - mean) ** 2).sum() / (2 * sigma**2) + (k * k + m * m) / 50 + np.abs(delta).sum() / inputs.tau
             + (beta**2 / (2 * np.asarray(inputs.sigmas) ** 2)).sum() + 2 * sigma**2)


def start(params):
    one = {name: params[name][0, 0] for name in ("k", "m", "sigma_obs")}
    return one | {name: params[name][0] for name in ("delta", "beta")}


def say(out, what, series, case, make, history, future):
    inputs = make().preprocess(history.copy())
    def run(**how):
        np.random.seed(1)
        model = make().fit(history, **how)
        return density(inputs, model.params, model.growth), model, model.predict(future)
    runs = [run(), run(algorithm="Newton")]
    try:
        runs.append(run(algorithm="Newton", init=start(run(algorithm="LBFGS")[1].params)))
    except RuntimeError:
        pass  # L-BFGS gave up, and Prophet went on with Newton's method by itself.
    best, first = max(runs, key=lambda run: run[0]), runs[0]
    for step in range(len(future)):
        low, high = (best[2][end].iloc[step] for end in ("yhat_lower", "yhat_upper"))
        out.write(f"{what},{series},{case},{best[0] - first[0]:.4g},{step + 1},{first[2].yhat.iloc[step]:.8g},{best[2].yhat.iloc[step]:.8g},{low:.6g},{high:.6g}\n")


def days():
    """Three years of days: a trend that bends twice, week, year, three holidays with the days around them, promotions, weather."""
    random = np.random.default_rng(20)
    frame = pd.DataFrame({"ds": pd.date_range("2021-01-01", periods=1095 + 42, freq="D")})
    t = np.arange(len(frame))
    day = frame.ds.dt.strftime("%m-%d")
    for name, offset in (("before", 1), ("holiday", 0), ("after", -1)):
        frame[name] = (frame.ds + pd.Timedelta(days=offset)).dt.strftime("%m-%d").isin(["01-01", "05-01", "12-25"]).astype(int)
    frame["promotion"] = (random.random(len(frame)) < 0.15).astype(int)
    frame["warmth"] = (12 - 10 * np.cos(2 * np.pi * (t - 20) / 365.25) + random.normal(0, 3, len(frame))).round(1)
    frame["summer"] = frame.ds.dt.month.isin([6, 7, 8]).astype(int)
    frame["rest"] = 1 - frame.summer
    trend = 120 + 0.08 * t - 0.14 * np.maximum(t - 400, 0) + 0.12 * np.maximum(t - 700, 0)
    week = np.array([4, -6, -8, -3, 2, 12, 9])[frame.ds.dt.dayofweek] * np.where(frame.summer, 1.8, 1)
    year = 9 * np.sin(2 * np.pi * t / 365.25) + 4 * np.cos(4 * np.pi * t / 365.25)
    known = 15 * frame.before - 40 * frame.holiday + 6 * frame.after + 18 * frame.promotion + 0.4 * frame.warmth
    frame["y"] = (trend + week + year + known + random.normal(0, 6, len(frame))).round(1)
    return frame[["ds", "y", "before", "holiday", "after", "promotion", "warmth", "summer", "rest"]]


def main():
    with open("tests/oracles/prophet.csv", "w") as out:
        out.write(f"# prophet {prophet.__version__}: python tests/oracles/prophet_map.py; densest, default and short: see there; tolerances\n"
                  "# stand beside the test\nset,series,case,short,step,default,densest,lower80,upper80\n")
        classic = {}
        with open("tests/oracles/series.csv") as file:
            for row in csv.DictReader(line for line in file if not line.startswith("#")):
                if row["season"] == "12":
                    classic.setdefault(row["series"], []).append(float(row["y"]))
        def months(what, name, y, case, make, limits={}):
            ds = pd.date_range("1990-01-01", periods=len(y) + 18, freq="MS")
            say(out, what, name, case, make, pd.DataFrame({"ds": ds[: len(y)], "y": y, **limits}), pd.DataFrame({"ds": ds[len(y) :], **limits}))
        for name, y in classic.items():
            months("classic", name, y, "months", Prophet)
        air = classic["AirPassengers"]
        months("classic", "AirPassengers", air, "multiplicative", lambda: Prophet(seasonality_mode="multiplicative", yearly_seasonality=5))
        months("classic", "AirPassengers", air, "flat", lambda: Prophet(growth="flat", yearly_seasonality=5))
        months("classic", "AirPassengers", air, "logistic", lambda: Prophet(growth="logistic", yearly_seasonality=5), {"cap": 800.0})
        months("classic", "AirPassengers", air, "floor", lambda: Prophet(growth="logistic", yearly_seasonality=5), {"cap": 800.0, "floor": 50.0})

        frame = days()
        with open("tests/oracles/prophet_daily.csv", "w") as file:
            file.write("# numpy: python tests/oracles/prophet_map.py; the last 42 rows are the future\n")
            frame.to_csv(file, index=False)
        frame[["summer", "rest"]] = frame[["summer", "rest"]].astype(bool)
        history, future = frame.iloc[:-42], frame.iloc[-42:].drop(columns="y")
        dates = frame.ds[frame.holiday == 1]
        holidays = pd.DataFrame({"holiday": "holiday", "ds": dates, "lower_window": -1, "upper_window": 1})
        def daily(regressors=("promotion", "warmth"), seasons=(), **options):
            def make():
                model = Prophet(holidays=holidays.copy(), **options)
                for name in regressors:
                    model.add_regressor(name)
                for season in seasons:
                    model.add_seasonality(**season)
                return model
            return make
        say(out, "daily", "days", "days", daily(), history, future)
        say(out, "daily", "days", "multiplying days", daily(seasonality_mode="multiplicative", holidays_prior_scale=0.5), history, future)
        conditional = [dict(name=name, period=7, fourier_order=3, condition_name=name) for name in ("summer", "rest")]
        say(out, "daily", "days", "conditional", daily(weekly_seasonality=False, seasons=conditional), history, future)
        extra = [dict(name="month", period=30.5, fourier_order=4, prior_scale=0.1, mode="multiplicative")]
        dated = ["2022-02-05", "2022-12-02", "2023-06-01"]
        say(out, "daily", "days", "dated", daily(seasons=extra, changepoints=dated, changepoint_prior_scale=0.5, yearly_seasonality=6), history, future)

        if len(sys.argv) > 1:
            m3 = pd.read_parquet(f"{sys.argv[1]}/m3_monthly500_train.parquet")
            for name in list(dict.fromkeys(m3.unique_id))[::10]:
                months("m3_monthly", name, m3.y[m3.unique_id == name].values, "months", Prophet)


main()
