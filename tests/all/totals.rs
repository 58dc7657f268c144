//! The total of series: as wide as they move together, and no wider.

use tradewind::polars::prelude::*;
use tradewind::prelude::*;

const SERIES: usize = 40;

/// Standard normal numbers (Box & Muller on a linear congruential generator).
struct Normal(u64);

impl Normal {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    fn next(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

/// Days of series that each go their own way around 100 (first-order autoregressive, coefficient 0.6, standard deviation 10), of
/// which the share `common` of the variance is the same in all of them.
fn sales(days: usize, common: f64) -> Panel {
    let mut normal = Normal(2_024);
    let mut way = |days: usize| -> Vec<f64> {
        let mut value = 10.0 * normal.next();
        let mut values = Vec::with_capacity(days);
        for _ in 0..days {
            value = 0.6 * value + 8.0 * normal.next();
            values.push(value);
        }
        values
    };
    let shared = way(days);
    let (mut keys, mut dates, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for series in 0..SERIES {
        for (day, (own, shared)) in way(days).iter().zip(&shared).enumerate() {
            keys.push(format!("s{series:02}"));
            dates.push(19_723 + day as i32);
            values.push(100.0 + (1.0 - common).sqrt() * own + common.sqrt() * shared);
        }
    }
    let dates = Column::new("date".into(), dates).cast(&DataType::Date).unwrap();
    let mut frame = df!("shop" => keys, "sold" => values).unwrap();
    frame.with_column(dates).unwrap();
    Panel::from_frame(frame, Columns::new(["shop"], "date", "sold")).unwrap()
}

/// Every model as it comes, and trees on differences from the recent mean, of which there is none at first; a small network, and
/// combinations of what knows each series and what learns from all.
fn models() -> Vec<&'static str> {
    let usual = |entry: &'static Entry| match entry.name {
        "lstm" => "lstm(hidden_size=8, epochs=4, batches_per_epoch=20, windows=1)",
        "select" => "select(models=[theta, ridge])",
        "stack" => "stack(models=[theta, boost])",
        name => name,
    };
    MODELS.iter().map(usual).chain(["boost(difference=recent)", "forest(difference=recent)"]).collect()
}

fn sd(values: impl Iterator<Item = f64>) -> f64 {
    let values: Vec<f64> = values.collect();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt()
}

/// How wide the total of the first step is, in what it would be if all series were independent.
fn width(fits: &Fits) -> f64 {
    let label = &fits.models()[0];
    let forecast = fits.forecast(8).unwrap();
    assert!(forecast.failures().is_empty(), "{label}: {:?}", forecast.failures());
    let paths = forecast.paths(2000, 1).unwrap();
    let first = |paths: Vec<Vec<f64>>| sd(paths.into_iter().map(|path| path[0]));
    let own = |key: &String| first(paths.of(label, key).unwrap()).powi(2);
    first(paths.total(label).unwrap()) / forecast.keys().iter().map(own).sum::<f64>().sqrt()
}

/// The mean correlation of the residuals of two series.
fn correlation(fits: &Fits) -> f64 {
    let label = &fits.models()[0];
    let residuals: Vec<Vec<f64>> = fits.panel().keys().iter().map(|key| fits.residuals(label, key).unwrap()).collect();
    let (mut sum, mut pairs) = (0.0, 0.0);
    for (i, a) in residuals.iter().enumerate() {
        for b in &residuals[..i] {
            let both: Vec<(f64, f64)> =
                a.iter().zip(b).filter(|(a, b)| !a.is_nan() && !b.is_nan()).map(|(a, b)| (*a, *b)).collect();
            let n = both.len() as f64;
            let (mean_a, mean_b) = both.iter().fold((0.0, 0.0), |(x, y), (a, b)| (x + a / n, y + b / n));
            let product: f64 = both.iter().map(|(a, b)| (a - mean_a) * (b - mean_b)).sum();
            let squares =
                |of: fn(&(f64, f64)) -> f64, mean: f64| both.iter().map(|p| (of(p) - mean).powi(2)).sum::<f64>();
            let size = (squares(|p| p.0, mean_a) * squares(|p| p.1, mean_b)).sqrt();
            if size > 0.0 {
                (sum, pairs) = (sum + product / size, pairs + 1.0);
            }
        }
    }
    sum / pairs
}

/// Independent series: the variance of the total is the sum of their variances. Sixty dates tell it up to a quarter.
#[test]
fn independent_series_have_a_total_as_wide_as_the_square_root_of_their_number_says() {
    let sales = sales(60, 0.0);
    let mut wrong = Vec::new();
    for label in models() {
        let fits = sales.fit_for([label], 8).unwrap();
        let (width, correlation) = (width(&fits), correlation(&fits));
        println!("{label}: total {width:.2}, correlation {correlation:.3}");
        if !(0.7..1.45).contains(&width) || correlation.abs() > 0.05 {
            wrong.push(format!("{label}: {width:.2} times as wide, correlation {correlation:.3}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("; "));
}

/// Series that share four fifths of their variance: that of the total is 40 (1 + 39 · 0.8) = 32 times as much, its width 5.7 times.
#[test]
fn series_with_a_common_shock_keep_a_wide_total() {
    let sales = sales(60, 0.8);
    let mut wrong = Vec::new();
    for label in models() {
        let width = width(&sales.fit_for([label], 8).unwrap());
        println!("{label}: total {width:.2}");
        if !(3.5..6.4).contains(&width) {
            wrong.push(format!("{label}: {width:.2} times as wide"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("; "));
}

/// Series of fewer steps than a season, or than a model looks back, tell nothing of how they move together: they draw residuals
/// each by itself, and are not without any.
#[test]
fn short_series_are_drawn_each_by_itself() {
    for days in [6, 10] {
        let sales = sales(days, 0.0);
        for label in ["ridge", "boost", "forest", "elastic_net", "stack(models=[naive, boost])"] {
            let width = width(&sales.fit_for([label], 8).unwrap());
            println!("{days} days, {label}: total {width:.2}");
            assert!((0.6..1.7).contains(&width), "{label}, {days} days: the total is {width} times as wide");
        }
    }
}
