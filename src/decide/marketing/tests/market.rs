//! Simulated markets with known truth: what is recovered, how often intervals hold it, and what is refused.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use statrs::distribution::{ContinuousCDF, Normal};

use crate::decide::marketing::*;

/// The truth of a channel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Truth {
    pub retention: f64,
    pub half: f64,
    pub average: f64,
}

pub(crate) fn normal(random: &mut ChaCha8Rng) -> f64 {
    Normal::standard().inverse_cdf(random.random::<f64>().clamp(1e-12, 1.0 - 1e-12))
}

/// Weekly sales of a market with trend, season, and channels of which some run in flights and some vary around a level.
/// The spend goes back 40 weeks before the data begin. The error is normal, or autocorrelated with coefficient `rho`.
pub(crate) fn simulate(weeks: usize, truths: &[Truth], noise: f64, rho: f64, seed: u64) -> Market {
    const EARLIER: usize = 40;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let all = EARLIER + weeks;
    let mut sales: Vec<f64> = Vec::new();
    let mut error = normal(&mut random);
    for t in 0..weeks {
        error = rho * error + (1.0 - rho * rho).sqrt() * normal(&mut random);
        let angle = std::f64::consts::TAU * t as f64 / 52.0;
        sales.push(1000.0 + t as f64 + 60.0 * angle.sin() + 40.0 * (2.0 * angle).cos() + noise * error);
    }
    let mut channels = Vec::new();
    for (c, truth) in truths.iter().enumerate() {
        let mut spend: Vec<f64> = Vec::new();
        let (mut level, mut on) = (1.0, true);
        for _ in 0..all {
            if c % 2 == 0 {
                // Flights of some weeks, and pauses.
                if random.random::<f64>() < 0.25 {
                    on = !on;
                }
                spend.push(if on { 100.0 * (0.4 + 1.2 * random.random::<f64>()) } else { 0.0 });
            } else {
                level = 0.6 * level + 0.4 + 0.5 * normal(&mut random);
                spend.push(60.0 * level.max(0.05));
            }
        }
        let memory = Memory::Geometric { retention: truth.retention, window: None };
        let adstock = memory.adstock(&spend, 0.0, Normalisation::Sum);
        let spend = spend.split_off(EARLIER);
        let channel = Channel { name: format!("c{c}"), spend };
        let half = truth.half * channel.typical();
        let shares: Vec<f64> = adstock[EARLIER..].iter().map(|a| a / (a + half)).collect();
        let effect = truth.average * channel.spend.iter().sum::<f64>() / shares.iter().sum::<f64>();
        sales.iter_mut().zip(&shares).for_each(|(y, share)| *y += effect * share);
        channels.push(channel);
    }
    Market { sales, channels, controls: vec![], seasons: vec![(52.0, 2)], tests: vec![] }
}

pub(crate) const MARKETS: [&[Truth]; 2] = [
    &[
        Truth { retention: 0.6, half: 1.0, average: 2.5 },
        Truth { retention: 0.2, half: 0.8, average: 1.8 },
        Truth { retention: 0.4, half: 1.5, average: 1.2 },
    ],
    &[
        Truth { retention: 0.3, half: 0.7, average: 1.5 },
        Truth { retention: 0.5, half: 1.2, average: 3.0 },
        Truth { retention: 0.1, half: 1.0, average: 2.0 },
        Truth { retention: 0.3, half: 1.0, average: 2.2 },
    ],
];

#[test]
fn returns_of_two_markets_are_recovered() {
    for (truths, (weeks, seed)) in MARKETS.into_iter().zip([(156, 1), (156, 2)]) {
        let market = simulate(weeks, truths, 15.0, 0.3, seed);
        assert_eq!(identify(&market, &Form::default()), []);
        let fit = fit(&market, &Form::default(), Resampling { draws: 100, seed: 1 }).unwrap();
        for (c, truth) in truths.iter().enumerate() {
            let found = fit.channels[c].average;
            assert!((found / truth.average - 1.0).abs() < 0.2, "channel {c}: {found} for {}", truth.average);
        }
        // What the parts sum to is what was sold, but for the errors.
        let parts = |t: usize| fit.baseline[t] + fit.contributions.iter().map(|part| part[t]).sum::<f64>();
        let errors: f64 = (0..weeks).map(|t| market.sales[t] - parts(t)).sum();
        assert!(errors.abs() < 1e-6 * market.sales.iter().sum::<f64>(), "{errors}");
        assert!(fit.r_squared > 0.8, "{}", fit.r_squared);
    }
}

/// How many of the 90 % intervals of average and marginal returns hold the truth, in so many markets of three channels
/// whose truth is drawn: retention from 0.1 to 0.7, half-saturation from half to twice the typical spend, returns from
/// 0.8 to 3.
pub(crate) fn coverage(markets: u64, weeks: usize, noise: f64, rho: f64, draws: usize) -> (f64, f64) {
    let (mut average, mut marginal, mut all) = (0.0, 0.0, 0.0);
    let form = Form::default();
    for seed in 0..markets {
        let mut random = ChaCha8Rng::seed_from_u64(10_000 + seed);
        let mut draw = || Truth {
            retention: 0.1 + 0.6 * random.random::<f64>(),
            half: 0.5 * 4_f64.powf(random.random::<f64>()),
            average: 0.8 + 2.2 * random.random::<f64>(),
        };
        let truths = [draw(), draw(), draw()];
        let market = simulate(weeks, &truths, noise, rho, seed);
        let fit = fit(&market, &form, Resampling { draws, seed: 1 }).unwrap();
        for (c, truth) in truths.iter().enumerate() {
            let spend = &market.channels[c].spend;
            let memory = Memory::Geometric { retention: truth.retention, window: None };
            let adstock = memory.adstock(spend, market.before(c, &form), Normalisation::Sum);
            let half = truth.half * market.channels[c].typical();
            let shares: f64 = adstock.iter().map(|a| a / (a + half)).sum();
            let slopes: f64 = adstock.iter().map(|a| a * half / (a + half) / (a + half)).sum();
            let holds = |(low, high): (f64, f64), value: f64| f64::from(u8::from(low <= value && value <= high));
            average += holds(fit.interval(c, 0.9, |effect| effect.average).unwrap(), truth.average);
            let expected = truth.average * slopes / shares;
            marginal += holds(fit.interval(c, 0.9, |effect| effect.marginal).unwrap(), expected);
            all += 1.0;
        }
    }
    (average / all, marginal / all)
}

#[test]
fn intervals_hold_the_truth_as_often_as_they_say() {
    // A quick variant; 200 markets with 200 draws each give 0.88 and 0.88.
    let (average, marginal) = coverage(60, 130, 30.0, 0.0, 80);
    assert!((0.83..=0.97).contains(&average) && (0.83..=0.97).contains(&marginal), "{average} {marginal}");
}

#[test]
fn the_same_seed_gives_the_same_draws() {
    let market = simulate(104, MARKETS[0], 25.0, 0.0, 1);
    let run = |seed: u64| fit(&market, &Form::default(), Resampling { draws: 10, seed }).unwrap().draws;
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
}
