//! What must hold whatever the numbers: limits, identities, optimality, refusals.

use proptest::prelude::*;

use super::market::{Truth, simulate};
use crate::decide::marketing::*;

fn memories() -> impl Strategy<Value = Memory> {
    prop_oneof![
        (0.0..0.98, prop::option::of(1_usize..30))
            .prop_map(|(retention, window)| Memory::Geometric { retention, window }),
        (0.3..5.0, 0.3..20.0).prop_map(|(shape, scale)| Memory::Weibull { shape, scale }),
    ]
}

fn curves() -> impl Strategy<Value = Saturation> {
    prop_oneof![
        (1.0..4.0).prop_map(|exponent| Saturation::Hill { exponent }),
        Just(Saturation::Exponential),
        Just(Saturation::Logistic),
    ]
}

proptest! {
    #[test]
    fn spend_that_is_kept_up_has_the_gain_as_adstock(memory in memories(), level in 0.1..1e4) {
        for normalisation in [Normalisation::Sum, Normalisation::Peak] {
            let gain = memory.gain(normalisation);
            for adstock in memory.adstock(&[level; 50], level, normalisation) {
                prop_assert!((adstock - gain * level).abs() <= 1e-9 * gain * level);
            }
        }
        prop_assert!((memory.gain(Normalisation::Sum) - 1.0).abs() < 1e-12);
        let weights = memory.weights(3000, Normalisation::Peak);
        prop_assert!((weights.iter().copied().fold(0.0, f64::max) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn no_spend_is_lost_and_none_comes_early(memory in memories(), spend in prop::collection::vec(0.0..100.0, 1..40)) {
        let mut longer = spend.clone();
        longer.extend([0.0; 3000]);
        let adstock = memory.adstock(&longer, 0.0, Normalisation::Sum);
        let (all, total) = (adstock.iter().sum::<f64>(), spend.iter().sum::<f64>());
        // A Weibull with a shape of 0.3 has a very long tail.
        prop_assert!(all <= total * (1.0 + 1e-9) && all >= total * 0.95 - 1e-9);
        // What is spent later changes nothing before.
        let short = memory.adstock(&spend, 0.0, Normalisation::Sum);
        prop_assert!(short.iter().zip(&adstock).all(|(short, long)| (short - long).abs() <= 1e-9 * (1.0 + total)));
    }

    #[test]
    fn saturation_rises_from_zero_to_one_through_its_half(curve in curves(), half in 0.1..1e5, x in 0.0..20.0) {
        let at = x * half;
        prop_assert_eq!(curve.share(0.0, half), 0.0);
        prop_assert!((curve.share(half, half) - 0.5).abs() < 1e-12);
        prop_assert!((0.0..=1.0).contains(&curve.share(at, half)) && curve.slope(at, half) >= 0.0);
        let step = 1e-5 * half;
        let quotient = (curve.share(at + step, half) - curve.share(at, half)) / step;
        let slope = curve.slope(at + step / 2.0, half);
        prop_assert!((quotient - slope).abs() <= 1e-4 * (slope + 1.0 / half), "{} {}", quotient, slope);
    }

    #[test]
    fn splits_satisfy_budget_bounds_and_optimality(
        parts in prop::collection::vec((10.0..500.0, 5.0..300.0, curves(), 0.0..50.0, 60.0..400.0), 1..6),
        share in 0.02..0.98,
    ) {
        let of = |(effect, half, saturation, low, high): &(f64, f64, Saturation, f64, f64)| {
            let response = |by: f64| Response { effect: *effect * by, half: *half / by, gain: 1.0, saturation: *saturation };
            Candidate { name: "channel", responses: [0.7, 1.0, 1.6].map(response).to_vec(), low: *low, high: *high }
        };
        let candidates: Vec<Candidate> = parts.iter().map(of).collect();
        let sum = |of: fn(&Candidate) -> f64| candidates.iter().map(of).sum::<f64>();
        let (low, high) = (sum(|one| one.low), sum(|one| one.high));
        let budget = low + share * (high - low);
        let split = allocate(&candidates, budget).unwrap();
        prop_assert!((split.spend.iter().sum::<f64>() - budget).abs() <= 1e-9 * budget);
        prop_assert!(candidates.iter().zip(&split.spend).all(|(one, x)| *x >= one.low && *x <= one.high));
        let concave = candidates.iter().all(|one| one.responses[0].saturation.is_concave());
        if concave {
            prop_assert!(split.violation <= 1e-6 && split.gap == 0.0, "{split:?}");
        }
        // No shift of money between two channels, small or large, is worth more than the stated gap.
        for (from, one) in candidates.iter().enumerate() {
            for (to, other) in candidates.iter().enumerate().filter(|(to, _)| *to != from) {
                let most = (split.spend[from] - one.low).min(other.high - split.spend[to]);
                for part in [1e-3, 0.1, 0.5, 1.0] {
                    let by = part * most;
                    let gain = one.value(split.spend[from] - by) + other.value(split.spend[to] + by)
                        - one.value(split.spend[from]) - other.value(split.spend[to]);
                    prop_assert!(gain <= split.gap + 1e-6 * split.value, "{gain} {split:?}");
                }
            }
        }
    }
}

#[test]
fn adstock_by_hand() {
    let spend = [100.0, 0.0, 0.0, 50.0];
    let infinite = Memory::Geometric { retention: 0.5, window: None };
    assert_eq!(infinite.adstock(&spend, 0.0, Normalisation::Peak), [100.0, 50.0, 25.0, 62.5]);
    assert_eq!(infinite.adstock(&spend, 0.0, Normalisation::Sum), [50.0, 25.0, 12.5, 31.25]);
    let finite = Memory::Geometric { retention: 0.5, window: Some(2) };
    assert_eq!(finite.adstock(&spend, 0.0, Normalisation::Peak), [100.0, 50.0, 0.0, 50.0]);
    // 1 / (1 + 0.5) of it at once, half as much a period later.
    let sum = finite.adstock(&spend, 0.0, Normalisation::Sum);
    assert!(sum.iter().zip([200.0 / 3.0, 100.0 / 3.0, 0.0, 100.0 / 3.0]).all(|(a, b)| (a - b).abs() < 1e-12));
    // A Weibull memory of shape 1 is geometric with a retention of exp(−1 / scale).
    let weibull = Memory::Weibull { shape: 1.0, scale: 1.0 / std::f64::consts::LN_2 };
    let same = weibull.adstock(&spend, 10.0, Normalisation::Sum);
    let geometric = infinite.adstock(&spend, 10.0, Normalisation::Sum);
    assert!(same.iter().zip(&geometric).all(|(a, b)| (a - b).abs() < 1e-12), "{same:?} {geometric:?}");
    assert_eq!(infinite.half_life(), 1.0);
    assert_eq!(Memory::Geometric { retention: 0.0, window: None }.half_life(), 0.5);
}

/// Two channels, of which the second is what `of` makes of the first.
fn pair(of: impl Fn(usize, f64) -> f64) -> Market {
    let truth = Truth { retention: 0.4, half: 1.0, average: 2.0 };
    let mut market = simulate(104, &[truth, truth], 20.0, 0.0, 5);
    let first = market.channels[0].spend.clone();
    market.channels[1].spend = first.iter().enumerate().map(|(t, x)| of(t, *x)).collect();
    market
}

#[track_caller]
fn refused(market: &Market, channels: &[usize], words: &str) {
    let found = identify(market, &Form::default());
    let hit = found.iter().any(|one| one.channels == channels && one.reason.contains(words));
    assert!(hit, "{found:?}");
}

#[test]
fn what_cannot_be_told_apart_is_refused_before_the_fit() {
    refused(&pair(|_, x| 0.3 * x), &[0, 1], "`c0` and `c1` are spent together");
    refused(&pair(|t, x| 0.3 * x + (2 * ((t * 7) % 5)) as f64), &[0, 1], "correlation 0.9");
    refused(&pair(|_, _| 0.0), &[1], "nothing was ever spent on `c1`");
    refused(&pair(|_, _| 5.0), &[1], "the spend on `c1` never changes (5 in each period)");
    refused(&pair(|t, _| if t == 9 { 7.0 } else { 5.0 }), &[1], "in all but 1 periods");
    refused(&pair(|t, _| 100.0 + t as f64), &[1], "moves with trend, season");
    let year = |t: usize| if (40..48).contains(&(t % 52)) { 90.0 } else { 20.0 };
    refused(&pair(|t, _| year(t)), &[1], "the same at the same time of every year");
    // Independent channels are not.
    let free = pair(|t, _| ((t * 37) % 23) as f64);
    assert_eq!(identify(&free, &Form::default()), []);
    let truth = Truth { retention: 0.5, half: 1.0, average: 2.0 };
    for seed in 0..20 {
        let market = simulate(104, &[truth; 4], 20.0, 0.0, seed);
        assert_eq!(identify(&market, &Form::default()), [], "seed {seed}");
    }
    // Ten weeks, and a control that is the channel.
    let cut = |n: usize| {
        let mut market = simulate(n, &[truth; 2], 20.0, 0.0, 3);
        market.seasons.clear();
        market
    };
    let found = identify(&cut(10), &Form::default());
    assert!(found[0].channels.is_empty() && found[0].reason.contains("10 periods are too few: 8 numbers"), "{found:?}");
    let mut market = cut(104);
    market.controls = vec![("promotion".into(), market.channels[0].spend.clone())];
    refused(&market, &[0], "moves with trend, season and controls");
}

#[test]
fn a_lift_test_tells_a_collinear_pair_apart() {
    let truths = [Truth { retention: 0.3, half: 1.0, average: 2.5 }, Truth { retention: 0.3, half: 1.0, average: 1.0 }];
    let mut market = simulate(130, &truths, 20.0, 0.0, 8);
    // The second channel is always a third of the first; its sales are those of its truth.
    let (spend, old) = (market.channels[0].spend.clone(), market.channels[1].spend.clone());
    let memory = Memory::Geometric { retention: 0.3, window: None };
    let before = |spend: &[f64]| spend[..13].iter().sum::<f64>() / 13.0;
    let brought = |spend: &[f64], average: f64| {
        let typical = spend.iter().sum::<f64>() / spend.iter().filter(|x| **x > 0.0).count() as f64;
        let shares: Vec<f64> =
            memory.adstock(spend, before(spend), Normalisation::Sum).iter().map(|a| a / (a + typical)).collect();
        let effect = average * spend.iter().sum::<f64>() / shares.iter().sum::<f64>();
        shares.into_iter().map(|share| effect * share).collect::<Vec<f64>>()
    };
    let third: Vec<f64> = spend.iter().map(|x| x / 3.0).collect();
    let (less, more) = (brought(&old, 1.0), brought(&third, 1.0));
    market.sales.iter_mut().zip(less.iter().zip(&more)).for_each(|(y, (less, more))| *y += more - less);
    market.channels[1].spend = third;
    assert!(!identify(&market, &Form::default()).is_empty());
    market.tests = vec![LiftTest { channel: 0, spend: 1000.0, sales: 2550.0, error: 100.0, periods: None, base: 0.0 }];
    assert_eq!(identify(&market, &Form::default()), []);
    let fit = fit(&market, &Form::default(), Resampling { draws: 100, seed: 1 }).unwrap();
    for (c, truth) in truths.iter().enumerate() {
        let (low, high) = fit.interval(c, 0.9, |effect| effect.average).unwrap();
        assert!(low < truth.average && truth.average < high && high - low < 2.0, "{c} {low} {high}");
    }
}

#[test]
fn impossible_numbers_are_named() {
    let truth = Truth { retention: 0.4, half: 1.0, average: 2.0 };
    let market = simulate(60, &[truth; 2], 20.0, 0.0, 1);
    let with = |change: &dyn Fn(&mut Market)| {
        let mut market = market.clone();
        change(&mut market);
        fit(&market, &Form::default(), Resampling { draws: 1, seed: 1 }).unwrap_err().to_string()
    };
    assert!(with(&|m| m.channels[1].spend[7] = -3.0).contains("spend `c1` is negative in period 8: -3"));
    assert!(with(&|m| m.channels[0].spend[2] = f64::NAN).contains("spend `c0` has no value in period 3: write 0"));
    assert!(with(&|m| m.channels.clear()).contains("no channel is named"));
    assert!(with(&|m| m.sales.iter_mut().for_each(|y| *y = -1.0)).contains("mean sales are -1"));
    let test = LiftTest { channel: 0, spend: 10.0, sales: 5.0, error: 0.0, periods: None, base: 0.0 };
    assert!(with(&|m| m.tests = vec![test.clone()]).contains("lift test of `c0` needs a positive standard error"));

    let saturation = Saturation::Exponential;
    let responses = vec![Response { effect: 10.0, half: 5.0, gain: 1.0, saturation }];
    let candidate = |name, low, high| Candidate { name, responses: responses.clone(), low, high };
    let error = |list: &[Candidate], budget: f64| allocate(list, budget).unwrap_err().to_string();
    let both = [candidate("tv", 30.0, 50.0), candidate("search", 20.0, 40.0)];
    assert!(error(&both, 0.0).contains("a budget is a positive amount"));
    assert!(error(&both, -5.0).contains("not -5"));
    assert!(
        error(&both, 40.0)
            .contains("least spends take 50 per period, more than the budget of 40: `tv` 30, `search` 20")
    );
    assert!(error(&both, 100.0).contains("may take 90 per period at most, less than the budget of 100"));
    assert!(error(&[candidate("tv", 9.0, 3.0)], 5.0).contains("bounds of `tv` conflict: at least 9 and at most 3"));
    // One channel takes it all; so do bounds without room.
    assert_eq!(allocate(&both[..1], 40.0).unwrap().spend, [40.0]);
    let split = allocate(&both, 50.0).unwrap().spend;
    assert!((split[0] - 30.0).abs() < 1e-9 && (split[1] - 20.0).abs() < 1e-9, "{split:?}");
}
