"""Writes features.csv: windows by pandas, waves by numpy, for tests/all/features.rs.

    python3 -m venv /tmp/v && /tmp/v/bin/pip install pandas==3.1.1 && /tmp/v/bin/python tests/oracles/features.py

One row per step: a series with holes, and what each feature makes of it (empty for a missing value).
"""
import numpy as np
import pandas as pd

rng = np.random.default_rng(7)
days = pd.date_range("2012-01-15", periods=120, freq="D")
y = pd.Series(np.round(100 + 30 * np.sin(np.arange(120) / 9) + rng.normal(0, 10, 120), 2), index=days)
y.iloc[[3, 20, 21, 22, 77]] = np.nan
back, far = y.shift(1), y.shift(8)
t = (days - pd.Timestamp("1970-01-01")) / pd.Timedelta(days=1)
frame = pd.DataFrame({
    "y": y,
    "lag_1": y.shift(1),
    "lag_14": y.shift(14),
    "rolling_mean_7": back.rolling(7, min_periods=1).mean(),
    "rolling_median_28_lag_8": far.rolling(28, min_periods=1).median(),
    "rolling_std_7": back.rolling(7, min_periods=1).std(),
    "rolling_min_5": back.rolling(5, min_periods=1).min(),
    "rolling_max_5": back.rolling(5, min_periods=1).max(),
    "rolling_sum_3": back.rolling(3, min_periods=1).sum(),
    "expanding_mean": back.expanding().mean(),
    "expanding_median": back.expanding().median(),
    "expanding_std": back.expanding().std(),
    "sin1_365.25": np.sin(2 * np.pi * t / 365.25),
    "cos1_365.25": np.cos(2 * np.pi * t / 365.25),
    "sin2_7": np.sin(2 * np.pi * 2 * t / 7),
    "cos3_7": np.cos(2 * np.pi * 3 * t / 7),
    "week": days.isocalendar().week.to_numpy(),
    "quarter": days.quarter,
    "month_end": days.is_month_end.astype(int),
    "month_start": days.is_month_start.astype(int),
}, index=days)
# pandas computes an expanding sum over a stretch without values as 0 where we say missing; min_periods=1 agrees.
with open("tests/oracles/features.csv", "w") as file:
    file.write(f"# pandas {pd.__version__}, numpy {np.__version__}; tests/oracles/features.py\n")
    frame.to_csv(file, index_label="date", float_format="%.12g")
