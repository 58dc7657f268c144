//! Is the value added by planners within its interval, and does the rule tell good overrides from bad ones?
//!
//! `cargo bench -p tradewind-monitor --bench overrides [-- FIRST [WORLDS [RUNS]]]`: WORLDS worlds (10) of thirty
//! planners from the seed FIRST (1000), each run RUNS times (100) with other luck. A planner's true value added is the
//! mean over those runs; coverage is the share of planners and runs whose 90 % interval holds it. The rule is learnt on
//! the first year of a run and judges the second. *By outcome*, an override is good where it took error away; *by
//! kind*, where overrides of that planner and motive do on the mean of all runs. Seeds below 1000 were looked at when
//! choices were made.

#[path = "../tests/planners/mod.rs"]
mod planners;

use std::collections::BTreeMap;

use cpu_time::ProcessTime;
use planners::{Dice, Motive, PLANNERS, Seen, Sieve, WEEKS, World, date};
use tradewind_monitor::overrides::{Options, Past, Rule, value};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// What planners of one kind gained over the runs of a world: overrides, and units in all.
type Truth = BTreeMap<(usize, Option<Motive>), (f64, f64)>;

fn whole(seen: &Seen) -> f64 {
    let made = &seen.past.made;
    (seen.past.actual - made.statistical).abs() - (seen.past.actual - made.planned).abs()
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let number = |at: usize, usual: u64| arguments.get(at).map_or(Ok(usual), |text| text.parse());
    let (first, worlds, runs) = (number(0, 1000)?, number(1, 10)?, number(2, 100)?);
    let options = Options::default();
    let (mut valued, mut learnt, mut overrides) = (0.0, 0.0, 0usize);
    let mut covered = vec![(0usize, 0usize); PLANNERS];
    let mut few = (0usize, 0usize);
    let (mut outcome, mut kind, mut bound) = (Sieve::default(), Sieve::default(), Sieve::default());
    let mut worst = (f64::INFINITY, f64::INFINITY);
    let (mut harm, mut total, mut after) = ((0.0, 0.0, 0.0), 0.0, 0.0);
    for seed in first..first + worlds {
        let world = World::new(&mut Dice::new(seed));
        let mut truth = Truth::new();
        let mut intervals = Vec::new();
        let mut histories = Vec::new();
        for run in 0..runs {
            let seen = world.run(&mut Dice::new(1_000_000 * (seed + 1) + run));
            overrides += seen.len();
            for one in &seen {
                for motive in [None, Some(one.motive)] {
                    let sum = truth.entry((one.planner, motive)).or_default();
                    sum.0 += 1.0;
                    sum.1 += whole(one);
                }
            }
            let rows: Vec<_> = seen.iter().map(|one| one.row.clone()).collect();
            let started = ProcessTime::now();
            let value = value(&rows, &options)?;
            valued += started.elapsed().as_secs_f64();
            for (planner, (_, ladder)) in value.planners.iter().enumerate() {
                intervals.push((planner, ladder.units.planned));
            }
            // A quarter: planners with few overrides.
            let short: Vec<_> = rows.iter().filter(|row| row.date < date(13)).cloned().collect();
            for (planner, ladder) in tradewind_monitor::overrides::value(&short, &options)?.planners {
                let planner: usize = planner.trim_start_matches('p').parse()?;
                intervals.push((planner + PLANNERS, ladder.units.planned));
            }
            // The rule of every tenth run.
            if run % 10 == 0 {
                histories.push(seen);
            }
        }
        for (planner, gain) in intervals {
            let Some(&(count, sum)) = truth.get(&(planner % PLANNERS, None)) else { continue };
            let true_total = sum / count * gain.changed as f64;
            let inside = gain.interval.is_some_and(|(low, high)| low <= true_total && true_total <= high);
            let place = if planner < PLANNERS { &mut covered[planner] } else { &mut few };
            place.0 += usize::from(inside);
            place.1 += 1;
        }
        for seen in histories {
            let half = date(WEEKS / 2);
            let past: Vec<Past> = seen.iter().map(|one| one.past.clone()).collect();
            let started = ProcessTime::now();
            let rule = Rule::learn(&past, half)?;
            learnt += started.elapsed().as_secs_f64();
            let mut here = Sieve::default();
            for one in seen.iter().filter(|one| one.past.made.date >= half) {
                let doubt = rule.judge(&one.past.made)?;
                let gain = whole(one);
                let released =
                    (one.past.actual - one.past.made.statistical).abs() - (one.past.actual - doubt.released).abs();
                here.add(gain >= 0.0, gain, released);
                let true_gain = truth.get(&(one.planner, Some(one.motive))).map_or(0.0, |sum| sum.1);
                kind.add(true_gain >= 0.0, gain, released);
                bound.add(gain >= 0.0, gain, if true_gain >= 0.0 { gain } else { 0.0 });
                total += gain;
                after += released;
                harm.0 += doubt.probability_of_harm;
                harm.1 += f64::from(u8::from(gain < 0.0));
                harm.2 += 1.0;
            }
            worst = (worst.0.min(here.keeps()), worst.1.min(here.removes()));
            outcome.merge(&here);
        }
    }
    let judged = (worlds * runs) as f64;
    println!("{:.0} overrides a run, {} runs", overrides as f64 / judged, worlds * runs);
    let inside: usize = covered.iter().map(|one| one.0).sum();
    let all: usize = covered.iter().map(|one| one.1).sum();
    let shares: Vec<f64> = covered.iter().map(|one| one.0 as f64 / one.1 as f64).collect();
    let least = shares.iter().copied().fold(1.0, f64::min);
    let most = shares.iter().copied().fold(0.0, f64::max);
    println!(
        "coverage of 90 % intervals, two years: {:.3} of {all} (by planner {least:.3} … {most:.3})",
        inside as f64 / all as f64
    );
    println!("coverage of 90 % intervals, one quarter: {:.3} of {}", few.0 as f64 / few.1 as f64, few.1);
    println!(
        "by outcome: keeps {:.3} of the gain of good ones, removes {:.3} of the harm of bad ones; at worst {:.3}, {:.3}",
        outcome.keeps(),
        outcome.removes(),
        worst.0,
        worst.1
    );
    println!("            a rule that knew motives would keep {:.3} and remove {:.3}", bound.keeps(), bound.removes());
    println!(
        "by kind:    keeps {:.3} of the gain of good ones, removes {:.3} of the harm of bad ones",
        kind.keeps(),
        kind.removes()
    );
    println!("total gain of all overrides {total:.0}, of those released {after:.0}");
    println!("probability of harm {:.3}, harm done {:.3}", harm.0 / harm.2, harm.1 / harm.2);
    println!(
        "value: {:.1} ms a run; rule: {:.0} ms to learn",
        1e3 * valued / judged,
        1e3 * learnt / (worlds * runs.div_ceil(10)) as f64
    );
    Ok(())
}
