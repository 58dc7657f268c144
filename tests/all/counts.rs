//! Distributions of counts at any size: quantiles that hold what they say, of sales in pieces, packs or currency.

use tradewind::polars::prelude::*;
use tradewind::prelude::*;

const METHODS: [&str; 5] = ["croston", "sba", "tsb", "adida", "imapa"];

fn panel(series: &[Vec<f64>]) -> Panel {
    let (mut id, mut t, mut y) = (Vec::new(), Vec::new(), Vec::new());
    for (name, values) in series.iter().enumerate() {
        for (step, value) in values.iter().enumerate() {
            id.push(name as u32);
            t.push(step as i64 + 1);
            y.push(*value);
        }
    }
    let frame = df!("id" => id, "t" => t, "y" => y).unwrap();
    Panel::from_frame(frame, Columns::new(["id"], "t", "y").season(1).freq("1").unwrap()).unwrap()
}

/// Numbers that are the same on every machine.
struct Draws(u64);

impl Draws {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// A gamma number with this mean and coefficient of variation 1/√2: the mean of two exponential ones.
    fn gamma(&mut self, mean: f64) -> f64 {
        -mean / 2.0 * (self.uniform().ln() + self.uniform().ln())
    }

    fn many(&mut self, series: usize, steps: usize, one: impl Fn(&mut Self) -> f64) -> Panel {
        panel(&(0..series).map(|_| (0..steps).map(|_| one(self)).collect()).collect::<Vec<Vec<f64>>>())
    }
}

/// Sales of every day around 2,000 with a coefficient of variation of 0.7, in pieces and in cents.
#[test]
fn intervals_of_large_regular_sales_cover_as_they_say() {
    for cents in [1.0, 100.0] {
        let sales = Draws(5).many(300, 61, |draws| (draws.gamma(2000.0) * cents).round() / cents);
        let trial = sales.backtest(METHODS, Folds::new(1, 1)).unwrap();
        for method in METHODS {
            let coverage = trial.score(method, "coverage80").unwrap();
            assert!((0.73..=0.88).contains(&coverage), "{method}, {cents}: {coverage}");
        }
    }
}

/// Sales of about ten packs of ten a day, one more or less: no count is as unsure as Poisson's, in pieces or in packs.
#[test]
fn regular_sales_are_as_sure_as_they_were() {
    for unit in [1.0, 10.0] {
        let sales = Draws(3).many(20, 200, |draws| (10.0 + (3.0 * draws.uniform()).floor() - 1.0) * unit);
        let methods = ["croston", "tsb", "croston(distribution=negative-binomial)"];
        let forecast = sales.fit(methods).unwrap().forecast(1).unwrap();
        for method in methods {
            for series in 0..20 {
                let of = |p: f64| forecast.quantile(method, &format!("id={series}"), p).unwrap()[0] / unit;
                let (inner, outer) = (of(0.9) - of(0.1), of(0.975) - of(0.025));
                assert!(
                    of(0.5) == 10.0 && inner <= 3.0 && outer <= 5.0,
                    "{method} of {series} by {unit}: {inner} {outer}"
                );
            }
        }
    }
    // A few steps without any change are no certainty.
    let same = panel(&[vec![100.0; 6]]);
    let forecast = same.fit(["croston(distribution=negative-binomial)"]).unwrap().forecast(1).unwrap();
    let of = |p: f64| forecast.quantile("croston(distribution=negative-binomial)", "id=0", p).unwrap()[0];
    assert!(of(0.1) < 100.0 && of(0.9) > 100.0, "{} {}", of(0.1), of(0.9));
}

/// One day in three or so sells around 2,000; the true 0.9 quantile is 2,301.
#[test]
fn quantiles_of_large_lumpy_sales_are_near_the_true_ones() {
    let lumpy = |draws: &mut Draws| match draws.uniform() < 0.3 {
        true => (2000.0 + 700.0 * draws.normal()).max(1.0).round(),
        false => 0.0,
    };
    let sales = Draws(7).many(100, 120, lumpy);
    let labels: Vec<String> = METHODS
        .iter()
        .flat_map(|method| [method.to_string(), format!("{method}(distribution=negative-binomial)")])
        .collect();
    let forecast = sales.fit(labels.iter().map(String::as_str)).unwrap().forecast(1).unwrap();
    for label in &labels {
        let of = |p: f64| -> Vec<f64> {
            (0..100).map(|series: u32| forecast.quantile(label, &format!("id={series}"), p).unwrap()[0]).collect()
        };
        let (mut high, low, highest) = (of(0.9), of(0.1), of(0.975));
        assert!(high.iter().zip(&highest).all(|(high, highest)| high < highest), "{label}: {high:?} {highest:?}");
        assert!(low.iter().all(|low| *low < 100.0), "{label}: {low:?}");
        high.sort_by(f64::total_cmp);
        // scipy 1.17.1: nbinom of the same mean and variance has it at 1,722, with more below and a longer tail.
        let right = if label.contains("negative") { 1722.0 } else { 2301.0 };
        assert!((high[50] - right).abs() < 200.0, "{label}: {}", high[50]);
    }
}

/// Sixty days with a sale of 300 to 6,300 on every third: no quantile of 0.9 far above the largest sale.
#[test]
fn quantiles_do_not_leave_what_was_sold() {
    let values = (0..60).map(|i| if i % 3 == 0 { 300.0 + f64::from(i * i * 37 % 7000) } else { 0.0 }).collect();
    let fits = panel(&[values]).fit(["croston", "croston(distribution=negative-binomial)"]).unwrap();
    let forecast = fits.forecast(1).unwrap();
    for model in forecast.models() {
        let of = |p: f64| forecast.quantile(&model, "id=0", p).unwrap()[0];
        assert!(of(0.9) < 6273.0 && of(0.1) == 0.0, "{model}: {} {}", of(0.1), of(0.9));
        assert!(of(0.9) < of(0.975) && of(0.5) < of(0.9), "{model}: {} {} {}", of(0.5), of(0.9), of(0.975));
    }
}

/// Ten times the values have ten times the forecast, be they pieces, packs or currency, and whole or not.
#[test]
fn forecasts_follow_the_scale_of_the_values() {
    let mut draws = Draws(11);
    let mut seldom = |of: &dyn Fn(&mut Draws) -> f64| -> Vec<f64> {
        (0..80).map(|_| if draws.uniform() < 0.4 { of(&mut draws) } else { 0.0 }).collect()
    };
    let pieces = seldom(&|draws| 1.0 + (draws.uniform() * 4.0).floor());
    let packs = seldom(&|draws| 6.0 * (1.0 + (draws.uniform() * 3.0).floor()));
    let cents = seldom(&|draws| 0.01 + (draws.uniform() * 5_000.0).floor() / 100.0);
    let thousands = seldom(&|draws| 1.0 + (draws.uniform() * 9_000.0).floor());
    let numbers = seldom(&|draws| draws.gamma(3.0));
    let series = [pieces, packs, cents, thousands, numbers];
    let labels: Vec<String> = METHODS
        .iter()
        .flat_map(|method| {
            ["auto", "negative-binomial", "zero-inflated", "bootstrap"]
                .map(|distribution| format!("{method}(distribution={distribution})"))
        })
        .collect();
    let forecast = |by: f64| {
        let scaled: Vec<Vec<f64>> =
            series.iter().map(|values| values.iter().map(|value| value * by).collect()).collect();
        panel(&scaled).fit(labels.iter().map(String::as_str)).unwrap().forecast(2).unwrap()
    };
    let plain = forecast(1.0);
    for by in [2.0, 10.0, 1000.0, 0.01] {
        let scaled = forecast(by);
        for model in plain.models() {
            for name in ["id=0", "id=1", "id=2", "id=3", "id=4"] {
                let near = |a: f64, b: f64| (by * a - b).abs() <= 1e-6 * b.abs().max(by * 1e-3);
                let (a, b) = (plain.mean(&model, name).unwrap()[0], scaled.mean(&model, name).unwrap()[0]);
                assert!(near(a, b), "{model} × {by} on series {name}: mean {a}, {b}");
                for p in [0.05, 0.5, 0.8, 0.9, 0.975] {
                    let (a, b) =
                        (plain.quantile(&model, name, p).unwrap()[0], scaled.quantile(&model, name, p).unwrap()[0]);
                    assert!(near(a, b), "{model} × {by} on series {name}: {p} quantile {a}, {b}");
                }
            }
        }
    }
}

/// Whether values are whole does not change what they are like.
#[test]
fn whole_numbers_and_others_beside_them_have_like_quantiles() {
    let whole: Vec<f64> = {
        let mut draws = Draws(13);
        (0..90).map(|_| if draws.uniform() < 0.5 { draws.gamma(2000.0).round() } else { 0.0 }).collect()
    };
    let moved = |by: f64| whole.iter().map(|y| if *y > 0.0 { y + by } else { 0.0 }).collect::<Vec<f64>>();
    let forecast = panel(&[whole.clone(), moved(0.25), moved(0.123_456_789_123)]).fit(METHODS).unwrap().forecast(1);
    let forecast = forecast.unwrap();
    for method in METHODS {
        for p in [0.1, 0.5, 0.8, 0.9, 0.975] {
            let of = |name: &str| forecast.quantile(method, name, p).unwrap()[0];
            for other in ["id=1", "id=2"] {
                assert!(
                    (of("id=0") - of(other)).abs() <= 0.01 * of("id=0") + 2.0,
                    "{method} {p}: {} {}",
                    of("id=0"),
                    of(other)
                );
            }
        }
    }
}

/// The distribution that was asked for is the one that is used.
#[test]
fn currency_gets_the_distribution_that_was_asked_for() {
    let values = (0..60).map(|i| if i % 4 == 0 { 19.99 + f64::from(i % 7) } else { 0.0 }).collect();
    let fits =
        panel(&[values]).fit(["tsb(distribution=zero-inflated)", "sba(distribution=negative-binomial)"]).unwrap();
    let form = |row: usize| fits.diagnostics().unwrap().get(row, "specification").unwrap().to_string();
    assert!(form(0).contains("zero-inflated") && form(1).contains("negative binomial"), "{} {}", form(0), form(1));
}
