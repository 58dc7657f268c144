"""What benches/features.rs does, in pandas: read, audit, holidays by state, weather by date and state, lags, rolling.

    pip install pandas==2.3.3 pyarrow==26.0.1 numpy==2.4.6 holidays==0.109
    TRADEWIND_DATA=FOLDER python benches/features.py

Prints CPU and wall seconds of each step and the peak memory, to be compared with `cargo bench --bench features` in one
run on one machine. The audit does the same work as ours, in the plain way: rows, and by the logarithms of the sales
trend, season and residuals for outliers, medians on both sides for level shifts, runs of zeros for stock-outs.
"""
import os
import resource
import time

import holidays
import numpy as np
import pandas as pd

WEATHER = ["Max_TemperatureC", "Mean_TemperatureC", "Min_TemperatureC", "Mean_Humidity", "Precipitationmm",
           "Mean_Wind_SpeedKm_h", "CloudCover"]


def timed(name, work):
    cpu, wall = time.process_time(), time.perf_counter()
    answer = work()
    print(f"{name:>10}  {time.process_time() - cpu:.2f} s CPU  {time.perf_counter() - wall:.2f} s wall")
    return answer


def audit(frame):
    keyed = frame.sort_values(["Store", "ds"])
    step = keyed.groupby("Store")["ds"].diff().dt.days
    sales = keyed["Sales"]
    return {
        "duplicates": int((step == 0).sum()),
        "gaps": int((step[step > 1] - 1).sum()),
        "missing": int(sales.isna().sum()),
        "negative": int((sales < 0).sum()),
        "infinite": int(np.isinf(sales).sum()),
        "constant": int((keyed.groupby("Store")["Sales"].nunique() == 1).sum()),
        "starts late": int((keyed.groupby("Store")["ds"].min() > keyed["ds"].min()).sum()),
        "ends early": int((keyed.groupby("Store")["ds"].max() < keyed["ds"].max()).sum()),
        "holes": keyed[["Promo", "Open", "Holiday", "State"]].isna().sum().to_dict(),
    }


def unusual(frame):
    keyed = frame.sort_values(["Store", "ds"]).reset_index(drop=True)
    keyed["log"] = np.log(keyed["Sales"].where(keyed["Sales"] > 0))
    by = keyed.groupby("Store")

    def running(column, window, **how):
        return by[column].rolling(window, min_periods=1, **how).median().reset_index(level=0, drop=True)

    place = keyed["ds"].dt.dayofweek
    keyed["left"] = keyed["log"] - running("log", 15, center=True)
    keyed["adjusted"] = keyed["log"] - keyed.groupby(["Store", place])["left"].transform("median")
    residual = keyed["adjusted"] - running("adjusted", 15, center=True)
    spread = 1.4826 * residual.abs().groupby(keyed["Store"]).transform("median")
    outliers = residual.abs() > np.maximum(8 * spread, np.log(4))
    before = running("adjusted", 8)
    step = by["adjusted"].transform(lambda y: y[::-1].rolling(8, min_periods=1).median()[::-1]) - before.shift(1)
    shifts = step.abs() > np.maximum(np.log(1.8), 5 * spread)
    zero = keyed["Sales"] == 0
    rate = zero.groupby([keyed["Store"], place]).transform("mean")
    run = (zero != zero.shift()).cumsum()
    improbable = np.log(rate.where(zero)).groupby(run).transform("sum") < np.log(0.02 / 942)
    return {"outliers": int(outliers.sum()), "level shifts": int(shifts.sum()), "stock-outs": int((zero & improbable).sum())}


def with_holidays(frame):
    years = range(frame["ds"].dt.year.min(), frame["ds"].dt.year.max() + 1)
    days = {state: {pd.Timestamp(day) for part in state.split(",")
                    for day in holidays.country_holidays("DE", subdiv=part, years=years)}
            for state in frame["State"].unique()}
    pairs = frame[["State", "ds"]].drop_duplicates()
    pairs["holiday"] = [float(day in days[state]) for state, day in zip(pairs["State"], pairs["ds"])]
    return frame.merge(pairs, on=["State", "ds"], how="left")


def main():
    path = os.path.join(os.environ["TRADEWIND_DATA"], "rossmann.parquet")
    weather = pd.read_parquet(path, columns=["ds", "State", *WEATHER]).drop_duplicates(["ds", "State"])
    start = time.process_time(), time.perf_counter()
    columns = ["Store", "ds", "Sales", "Promo", "Open", "Holiday", "State"]
    frame = timed("read", lambda: pd.read_parquet(path, columns=columns))
    found = timed("audit", lambda: audit(frame))
    timed("unusual", lambda: unusual(frame))
    assert (found["gaps"], found["duplicates"]) == (33_479, 0), found
    frame = timed("holidays", lambda: with_holidays(frame))
    frame = timed("weather", lambda: frame.merge(weather, on=["ds", "State"], how="left"))
    frame = frame.sort_values(["Store", "ds"])

    def lags():
        # By date, not by row: a gap must not shift the past.
        days = frame[["Store", "ds", "Sales"]]
        out = frame
        for lag in (1, 7, 14):
            past = days.assign(ds=days["ds"] + pd.Timedelta(days=lag)).rename(columns={"Sales": f"lag_{lag}"})
            out = out.merge(past, on=["Store", "ds"], how="left")
        return out

    frame = timed("lags", lags)

    def rolling():
        sales = frame.set_index("ds").groupby("Store")["Sales"]
        means = sales.rolling("28D", closed="left").mean().rename("rolling_mean_28").reset_index()
        return frame.merge(means, on=["Store", "ds"], how="left")

    frame = timed("rolling", rolling)
    assert len(frame) == 827_980
    print(f"{'all':>10}  {time.process_time() - start[0]:.2f} s CPU  {time.perf_counter() - start[1]:.2f} s wall")
    print(f"{'peak':>10}  {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")


if __name__ == "__main__":
    main()
