#!/usr/bin/env python3
"""Writes the crate that a Rust notebook knows as `tradewind`.

usage: facade.py SOURCE OUT        SOURCE: the library's package folder; OUT: where the crate goes

A notebook cell is read twice. The compiler sees the library as it was built, through one shared
object that is given to it by `--extern tradewind_core=...`. The kernel's type inference, which must
name the type of every variable that a cell keeps, is rust-analyzer: it sees sources only. So this
crate shows each of them what it needs:

    rustc           pub use tradewind_core::*;
    rust-analyzer   the library's own source files, copied, every item of lib.rs marked
                    #[cfg(rust_analyzer)], so that rustc passes over them

The copies are the real sources: a signature in them cannot differ from the library's. The crates that
the library depends on are not loaded (they would cost 15 s at each kernel start), so a variable whose
type comes from one of them needs an explicit type in the cell, but for polars: setup/polars_types.rs
says as much of its signatures as notebooks use.

Files are written only when their content changes: cargo compares times.
"""
import os
import re
import sys
from pathlib import Path

ITEM = re.compile(r"(pub\b|mod |use |extern |fn |struct |enum |union |trait |impl\b|const |static |type |unsafe |async "
                  r"|macro_rules!|[a-z_:]+! ?[({])")


def gated(source: str) -> str:
    """lib.rs with every top-level item under cfg(rust_analyzer) and no inner attributes.

    The sources are formatted by rustfmt, so an item's first line is the one that starts in column 0.
    """
    out, inner, comment = [], False, False
    for line in source.splitlines():
        if inner or line.startswith("#!["):
            inner = not line.rstrip().endswith("]")
            continue
        if line.startswith("//!"):
            continue
        if line.startswith("/*"):
            comment = True
        if comment:
            comment = "*/" not in line
            continue
        if ITEM.match(line):
            out.append("#[cfg(rust_analyzer)]")
        out.append(line)
    return "\n".join(["//! Made by setup/facade.py.", *out, "#[cfg(not(rust_analyzer))]", "pub use tradewind_core::*;", ""])


def write(path: Path, text: str, wanted: set) -> None:
    wanted.add(path)
    if path.exists() and path.read_text() == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def main() -> None:
    source, out = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    here = Path(__file__).resolve().parent
    package = (source / "Cargo.toml").read_text()
    edition = re.search(r'^edition = "(\d+)"', package, re.M).group(1)
    wanted = set()
    write(out / "Cargo.toml", f"""[package]
name = "tradewind"
version = "0.0.0"
edition = "{edition}"
publish = false
autobins = false

[features]
# What a notebook's library is built with, as far as the sources ask for it.
default = ["frames"]
frames = []

[dependencies]
polars = {{ path = "polars" }}

[lib]
doctest = false

[lints.rust]
warnings = "allow"

[workspace]
""", wanted)
    write(out / "polars" / "Cargo.toml", f'[package]\nname = "polars"\nversion = "0.0.0"\nedition = "{edition}"\npublish = false\n\n[lints.rust]\nwarnings = "allow"\n', wanted)
    write(out / "polars" / "src" / "lib.rs", (here / "polars_types.rs").read_text(), wanted)
    for folder, folders, names in os.walk(source / "src"):
        folders[:] = sorted(name for name in folders if name != "bin")
        for name in names:
            path = Path(folder, name)
            if path.suffix != ".rs" or path == source / "src" / "main.rs":
                continue
            text = path.read_text()
            if path == source / "src" / "lib.rs":
                text = gated(text)
            write(out / path.relative_to(source), text, wanted)
    for path in out.rglob("*.rs"):
        if path not in wanted and "target" not in path.relative_to(out).parts:
            path.unlink()


if __name__ == "__main__":
    main()
