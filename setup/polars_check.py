#!/usr/bin/env python3
"""Writes a crate that calls every function of setup/polars_types.rs in the real polars.

usage: polars_check.py OUT.rs

For `pub fn column(&self, name: &str) -> PolarsResult<&Column>;` under `impl DataFrame` it writes

    fn line_54_column(this: &DataFrame, name: &str) -> PolarsResult<&Column> { this.column(name) }

so a name, an argument or a result that polars does not have is a compile error that names the line. setup/notebook
compiles the crate against the notebook library; nothing is run. An enum's variants are checked in the same way.
"""
import re
import sys
from pathlib import Path

OPENING = re.compile(r"\s*(?:pub )?(?P<kind>impl|trait|mod)(?P<what>\b.*) \{$")
ENUM = re.compile(r"\s*pub enum (?P<name>\w+) \{ (?P<variants>.*) \}$")
RECEIVERS = {"self": "{}", "&self": "&{}", "&mut self": "&mut {}"}


def split(arguments: str):
    """The arguments between the commas that are not inside brackets."""
    depth, start = 0, 0
    for at, letter in enumerate(arguments):
        depth += (letter in "<([") - (letter in ">)]" and arguments[at - 1] != "-")
        if letter == "," and depth == 0:
            yield arguments[start:at].strip()
            start = at + 1
    if arguments[start:].strip():
        yield arguments[start:].strip()


def bracketed(text: str) -> str:
    """The leading `<...>` or `(...)` of a text, brackets inside it included; empty if it starts otherwise."""
    depth = 0
    for at, letter in enumerate(text):
        depth += (letter in "<([") - (letter in ">)]" and text[at - 1] != "-")
        if depth == 0:
            return text[:at + 1] if at else ""
    return ""


def call(number: int, line: str, owner: str, of_trait: str) -> str:
    name, tail = re.match(r"\s*(?:pub )?fn (\w+)(.*)$", line).groups()
    generics = bracketed(tail) if tail.startswith("<") else ""
    arguments = bracketed(tail[len(generics):])
    result = re.match(r"(?: -> (.*?))?( where .*)?;$", tail[len(generics + arguments):])
    if not arguments or not result:
        sys.exit(f"setup/polars_types.rs:{number}: a function must stand on one line and end with `;`: {line.strip()}")
    declared, names, receiver = [], [], None
    for argument in split(arguments[1:-1]):
        if argument in RECEIVERS:
            receiver = "this"
            declared.append("this: " + RECEIVERS[argument].format(owner))
        else:
            names.append(argument.split(":")[0])
            declared.append(argument)
    returned = result[1] or "()"
    if receiver and declared[0].startswith("this: &") and re.search(r"&|<'_>", returned):
        # In a method what is returned borrows from self; here that must be said.
        declared[0] = declared[0].replace("&", "&'this ", 1)
        returned = returned.replace("&", "&'this ").replace("<'_>", "<'this>")
        generics = "<'this, " + generics[1:] if generics else "<'this>"
    if of_trait:
        made = f"<{owner} as {of_trait}>::{name}({', '.join([receiver] * bool(receiver) + names)})"
    elif receiver:
        made = f"this.{name}({', '.join(names)})"
    else:
        made = f"{owner + '::' if owner else ''}{name}({', '.join(names)})"
    return f"fn line_{number}_{name}{generics}({', '.join(declared)}) -> {returned}{result[2] or ''} {{ {made} }}"


def main() -> None:
    lines = (Path(__file__).resolve().parent / "polars_types.rs").read_text().splitlines()
    # The names are polars', the traits whose methods a cell can call are those of the library's prelude.
    names = sorted({found[1] for line in lines if (found := re.match(r"    pub (?:struct|enum|trait|fn) (\w+)", line))})
    names += ["dt", "dt::DateLikeNameSpace"]
    out = ["//! Made by setup/polars_check.py.", "#![allow(unused_imports, dead_code)]",
           "use std::ops::{Add, Div, Mul, Neg, Rem, Sub};", "use std::sync::Arc;", "use tradewind_core::prelude::*;",
           "use tradewind_core::polars::error::{PolarsError, PolarsResult};",
           f"use tradewind_core::polars::prelude::{{{', '.join(name for name in names if not name.startswith('Polars'))}}};"]
    blocks, count = [], 0
    for number, line in enumerate(lines, 1):
        opening = OPENING.match(line)
        if line.strip() == "}":
            if blocks:
                blocks.pop()
        elif line.rstrip().endswith("{"):
            blocks.append((opening["kind"], opening["what"].strip()) if opening else ("", ""))
        elif enum := ENUM.match(line):
            for variant in enum["variants"].split(", "):
                out.append(f"fn line_{number}_{variant.lower()}() -> {enum['name']} {{ {enum['name']}::{variant} }}")
        elif re.match(r"\s*(pub )?fn ", line):
            kind, what = blocks[-1] if blocks else ("", "")
            # What a trait promises is checked where a type keeps it; an impl for every T only helps rust-analyzer.
            if kind == "trait" or what.startswith("<"):
                continue
            of_trait, _, owner = what.rpartition(" for ") if kind == "impl" else ("", "", "")
            out.append(call(number, line, owner, of_trait))
            count += 1
    Path(sys.argv[1]).write_text("\n".join(out) + "\n")
    print(count)


if __name__ == "__main__":
    main()
