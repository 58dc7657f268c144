#!/usr/bin/env bash
# Expected: a distribution function of large, balanced parameters is as good as one of small ones: the F distribution with n and
# n degrees of freedom has its median at 1, the regularised incomplete beta function I(1/2; n, n) is 1/2 by symmetry, and the
# 0.975 quantile of Student's t is that of the normal distribution to six digits from 10,000 degrees of freedom on.
#
# Seen with statrs 0.19.1 (and no error): digits are lost from n = 10^5 on; at 10^7 the F distribution puts 0.36 below its median,
# the beta function says 0.21, and at 10^9 it says -5.7, which is no probability. The quantile of t falls to 1.83 at 10^7 degrees
# of freedom, although the distribution function itself is right there; that quantile function was also seen not to come back.
# Poisson's distribution function is off in the sixth digit at a mean of 10^9.
# Who computes a p value or a negative binomial probability over millions of rows gets a number that looks like one.
#
# Run: findings/statrs_large_parameters.sh (needs cargo; fails if the behaviour has changed)
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
mkdir "$home/src"
cat >"$home/Cargo.toml" <<'TOML'
[package]
name = "large_parameters"
version = "0.1.0"
edition = "2021"

[dependencies]
statrs = { version = "=0.19.1", default-features = false }
TOML
cat >"$home/src/main.rs" <<'RUST'
use statrs::distribution::{ContinuousCDF, DiscreteCDF, FisherSnedecor, Poisson, StudentsT};
use statrs::function::beta::beta_reg;

fn main() {
    for n in [1e3, 1e5, 1e7] {
        let f = FisherSnedecor::new(n, n).unwrap();
        println!("F {n:e} {:.6}", f.cdf(1.0));
    }
    for n in [1e3, 1e7, 1e9] {
        println!("beta {n:e} {:.6}", beta_reg(n, n, 0.5));
    }
    for n in [1e4, 1e6, 1e7] {
        let t = StudentsT::new(0.0, 1.0, n).unwrap();
        println!("t {n:e} {:.6} {:.6}", t.inverse_cdf(0.975), t.cdf(1.959964));
    }
    println!("poisson 1e9 {:.7}", Poisson::new(1e9).unwrap().cdf(1_000_000_000));
}
RUST
seen=$(CARGO_TARGET_DIR="$home/target" cargo run --release --quiet --manifest-path "$home/Cargo.toml")
printf '%s\n' "$seen"
expected='F 1e3 0.500000
F 1e5 0.500000
F 1e7 0.363840
beta 1e3 0.500000
beta 1e7 0.212850
beta 1e9 -5.678305
t 1e4 1.960201
t 1e6 1.959848
t 1e7 1.826556
poisson 1e9 0.5000097'
if [ "$(printf '%s\n' "$seen" | sed -E 's/^(t [^ ]+ [^ ]+) .*/\1/')" = "$expected" ]; then
    echo "as stated"
else
    echo "the behaviour has changed" >&2
    exit 1
fi
