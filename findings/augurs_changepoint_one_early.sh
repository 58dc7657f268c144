#!/usr/bin/env bash
# Expected: the index that a change point detector returns is that of the first value of the new level, and for data that shout a
# change the probability that a segment has just begun is high at the change and low elsewhere.
#
# Seen with augurs-changepoint 0.10.3 (changepoint 0.14.2): for a level that jumps at index k the detector returns k - 1, the last
# value of the old level, wherever the jump is and however large; index 0 is always among the results. The probability of run
# length 0 is the hazard itself after every value, whatever the data: a value is weighed by the predictive density of the old
# segment and counted in the sufficient statistics of the new one as well, so that a new segment begins with a value of the old.
# Who starts a training set at the returned index, or dates an event by it, is one step early.
#
# Run: findings/augurs_changepoint_one_early.sh (needs cargo; fails if the behaviour has changed)
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
mkdir "$home/src"
cat >"$home/Cargo.toml" <<'TOML'
[package]
name = "one_early"
version = "0.1.0"
edition = "2021"

[dependencies]
augurs-changepoint = "=0.10.3"
changepoint = "=0.14.2"
TOML
cat >"$home/src/main.rs" <<'RUST'
use augurs_changepoint::{Detector, NormalGammaDetector};
use changepoint::rv::prelude::NormalGamma;
use changepoint::{Bocpd, BocpdLike};

fn main() {
    let noise = [0.3, -0.5, 0.1, 0.6, -0.2, -0.4, 0.5, -0.1];
    for (at, jump) in [(10, 3.0), (20, 50.0), (30, 10.0), (45, 10.0)] {
        let level = |t: usize| if t >= at { jump } else { 0.0 };
        let values: Vec<f64> = (0..60).map(|t| noise[t % 8] + level(t)).collect();
        let found = NormalGammaDetector::default().detect_changepoints(&values);
        println!("jump of {jump} at {at}: {found:?}");
    }
    let mut detector = Bocpd::new(4.0, NormalGamma::new_unchecked(0.0, 1.0, 1.0, 1.0));
    let begun: Vec<String> = [0.1, -0.1, 0.0, 90.0, 0.1]
        .iter()
        .map(|value| format!("{:.2}", detector.step(value)[0]))
        .collect();
    println!("begun just now, hazard 1/4: {}", begun.join(" "));
}
RUST
seen=$(CARGO_TARGET_DIR="$home/target" cargo run --release --quiet --manifest-path "$home/Cargo.toml")
printf '%s\n' "$seen"
expected='jump of 3 at 10: [0, 9]
jump of 50 at 20: [0, 19]
jump of 10 at 30: [0, 29]
jump of 10 at 45: [0, 44]
begun just now, hazard 1/4: 1.00 0.25 0.25 0.25 0.25'
if [ "$seen" = "$expected" ]; then
    echo "as stated"
else
    echo "the behaviour has changed" >&2
    exit 1
fi
