#!/usr/bin/env python3
"""Fails when a committed file holds what must not be published.

Looks at every file that git tracks or would track: paths of one person's machine, secrets, and
files over 1 MB that are neither data, a font nor a figure that a page needs. A line that must
show such a text on purpose carries the words `tree-check: allow`.
"""
import re
import subprocess
import sys

LIMIT = 1_000_000
LARGE_ALLOWED = re.compile(r"^data/|\.(ttf|otf|woff2)$|^Cargo\.lock$")
FORBIDDEN = {
    "path of one machine": rb"(?<![\w.~-])/(?:home|Users)/[a-z][\w.-]*/|(?<![\w.~-])/(?:root|work)/\w"
                           rb"|/tmp/(?:\.tmp|tmp\.?|wt-)\w|[A-Z]:\\Users\\",
    "private key": rb"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "access key": rb"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}\b|\bgithub_pat_\w{22,}"
                  rb"|\bxox[abprs]-[\w-]{10,}|\bsk-[A-Za-z0-9]{32,}|\bglpat-[\w-]{20}|\bAIza[\w-]{35}",
    "password in an address": rb"\b[a-z]+://[^\s/:@{}<$]+:[^\s/:@{}<$]+@",
}
PATTERNS = {name: re.compile(pattern) for name, pattern in FORBIDDEN.items()}


def problems(name: str, content: bytes):
    if len(content) > LIMIT and not LARGE_ALLOWED.search(name):
        yield f"{name}: {len(content) / 1e6:.1f} MB; over 1 MB only data/ and fonts are committed"
    if b"\0" in content[:8000]:
        return
    for number, line in enumerate(content.split(b"\n"), 1):
        # Long lines are embedded pictures and scripts: no place to look for words in.
        if b"tree-check: allow" in line or len(line) > 20_000:
            continue
        for what, pattern in PATTERNS.items():
            if found := pattern.search(line):
                yield f"{name}:{number}: {what}: {found.group().decode(errors='replace')[:60]}"


def main() -> int:
    try:
        listed = subprocess.check_output(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                                         stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        print("not a git checkout: nothing is committed from here, nothing to look at")
        return 0
    names = sorted({name for name in listed.decode().split("\0") if name})
    count, found = 0, []
    for name in names:
        try:
            with open(name, "rb") as file:
                content = file.read()
        except (FileNotFoundError, IsADirectoryError):
            continue
        count += 1
        found.extend(problems(name, content))
    print("\n".join([*found, f"{count} files, {len(found)} findings"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
