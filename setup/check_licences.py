#!/usr/bin/env python3
"""Fails when a dependency's licence is not a permissive one.

Reads the licence expression (SPDX) that each crate states, from `cargo metadata`, for every crate
that is compiled on this platform with the features given, development dependencies included. `A OR B` asks for one
permitted side, `A AND B` for both. A crate under another licence passes only if it is named in
EXCEPTIONS with that very licence and the reason; an exception nobody needs any more is an error, so
that the list stays true.
"""
import json
import re
import subprocess
import sys

PERMISSIVE = {
    "0BSD", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0",
    "CC0-1.0", "ISC", "MIT", "MIT-0", "OFL-1.1", "Unicode-3.0", "Unicode-DFS-2016", "Unlicense", "Zlib",
}
EXCEPTIONS = {
    # crate: (licence as stated, why it may stay)
    "colored": ("MPL-2.0", "colours of a terminal, inside the tensors of burn, used unchanged: this licence asks only that changes to "
                           "its own files be published; the default build is without it"),
    "option-ext": ("MPL-2.0", "inside the library by which the notebook kernel speaks to Jupyter, used unchanged; the default "
                              "build is without it"),
    "smartstring": ("MPL-2.0+", "string type inside rhai, used unchanged: this licence asks only that changes "
                                "to smartstring's own files be published, and makes no claim on ours"),
    "webpki-roots": ("CDLA-Permissive-2.0", "certificates, a list of data under a permissive licence for data, in the build "
                                            "script of XGBoost's crate, which downloads nothing here; in no program"),
}


def permitted(expression: str) -> bool:
    """Whether an SPDX expression can be met with permissive licences alone (AND binds tighter than OR)."""
    tokens = re.findall(r"\(|\)|[^\s()/]+", expression.replace("/", " OR "))
    at = 0

    def either() -> bool:
        nonlocal at
        answer = both()
        while at < len(tokens) and tokens[at] == "OR":
            at += 1
            answer = both() or answer
        return answer

    def both() -> bool:
        nonlocal at
        answer = one()
        while at < len(tokens) and tokens[at] == "AND":
            at += 1
            answer = one() and answer
        return answer

    def one() -> bool:
        nonlocal at
        token = tokens[at]
        at += 1
        if token == "(":
            answer = either()
            at += 1
            return answer
        if at < len(tokens) and tokens[at] == "WITH":
            token += " WITH " + tokens[at + 1]
            at += 2
        return token in PERMISSIVE

    try:
        return either() and at == len(tokens)
    except IndexError:
        return False


def self_check() -> None:
    for expression, expected in {
        "MIT": True, "MIT/Apache-2.0": True, "GPL-3.0": False, "MIT OR GPL-3.0": True, "MIT AND GPL-3.0": False,
        "(MIT OR GPL-3.0) AND Unicode-3.0": True, "Apache-2.0 WITH LLVM-exception": True, "MIT AND": False,
        "GPL-2.0 OR (MIT AND LGPL-2.1)": False, "": False,
    }.items():
        assert permitted(expression) == expected, expression


def in_default(name: str) -> bool:
    """Is a crate part of what people build first?"""
    tree = subprocess.check_output(["cargo", "tree", "--locked", "--edges", "normal", "--prefix", "none"], text=True)
    return any(line.startswith(f"{name} ") for line in tree.splitlines())


def main() -> int:
    self_check()
    host = next(line.split()[1] for line in subprocess.check_output(["rustc", "-vV"], text=True).splitlines()
                if line.startswith("host:"))
    command = ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", host, *sys.argv[1:]]
    packages = json.loads(subprocess.check_output(command))["packages"]
    # Metadata names what any feature of a dependency may ask for; the tree, what is compiled.
    tree = ["cargo", "tree", "--locked", "--edges", "normal,build,dev", "--prefix", "none", "--target", host, *sys.argv[1:]]
    compiled = {tuple(line.split()[:2]) for line in subprocess.check_output(tree, text=True).splitlines() if line}
    packages = [package for package in packages if (package["name"], "v" + package["version"]) in compiled]
    bad, used = [], set()
    for package in packages:
        licence = package["license"] or ""
        if permitted(licence):
            continue
        if EXCEPTIONS.get(package["name"], (None,))[0] == licence:
            used.add(package["name"])
            continue
        bad.append(f"{package['name']} {package['version']}: {licence or 'states no licence'}")
    for line in bad:
        print(f"not a permissive licence: {line}")
    for name in ("colored", "option-ext"):
        if name in used and in_default(name):
            bad.append(name)
            print(f"not a permissive licence in the default build: {name}")
    for name in sorted(used):
        print(f"permitted by name: {name} ({EXCEPTIONS[name][0]}): {EXCEPTIONS[name][1]}")
    for name in sorted(set(EXCEPTIONS) - used):
        print(f"exception for {name} is no longer needed: remove it from {sys.argv[0]}")
    print(f"{len(packages)} crates, {len(bad)} not permitted")
    return 1 if bad or set(EXCEPTIONS) - used else 0


if __name__ == "__main__":
    sys.exit(main())
