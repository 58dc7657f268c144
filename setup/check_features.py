#!/usr/bin/env python3
"""Fails when a development dependency or a feature of ours makes a dependency be compiled twice.

cargo compiles a crate once for each set of features it is asked for with. If a crate that only tests use, or
that only the full build uses, turns on one more feature of a crate that the library uses, then `cargo build` and
`cargo test` each compile that crate, and everything on it, polars perhaps: minutes for nothing. The remedy is to
ask for the same feature in [dependencies], or to do without. The arguments are those of the full build.
"""
import subprocess
import sys


def sets(edges: str, *features: str) -> set:
    """(crate, features) for every crate reached by these edges, ours left out."""
    command = ["cargo", "tree", "--locked", "--edges", edges, "--prefix", "none", "--format", "{p}|{f}", *features]
    lines = subprocess.check_output(command, text=True).splitlines()
    found = {tuple(line.removesuffix(" (*)").rsplit("|", 1)) for line in lines if "|" in line}
    return {(crate, features) for crate, features in found if not crate.startswith("tradewind ")}


def main() -> int:
    # What build scripts use is compiled apart in any case.
    without, everything = sets("normal"), sets("normal,dev", *sys.argv[1:])
    # The library without the program.
    bare = sets("normal", "--no-default-features")
    # The facade of polars, which re-exports the query engine or does not, takes a second.
    known = {crate for crate, _ in without if not crate.startswith("polars v")}
    twice = sorted((crate, features) for crate, features in (everything | bare) - without if crate in known)
    for crate, features in twice:
        before = set(next(f for c, f in without if c == crate).split(","))
        more = ", ".join(sorted(set(features.split(",")) - before)) or "another set"
        print(f"{crate} is compiled a second time, with the feature: {more} "
              f"(who asks: cargo tree -e features -i {crate.split()[0]})")
    print(f"{len(known)} crates, {len(twice)} compiled twice")
    return 1 if twice else 0


if __name__ == "__main__":
    sys.exit(main())
