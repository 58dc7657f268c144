#!/usr/bin/env python3
"""Reads what `cargo build --message-format=json` says it made.

usage: artifacts.py MESSAGES key           a name for this build of the library
       artifacts.py MESSAGES library       path of the library's rlib
       artifacts.py MESSAGES folder        the folder with the rlibs of its dependencies
       artifacts.py MESSAGES link FOLDER   hard-links (or copies) the metadata of every crate into FOLDER

The files of a library crate are an .rlib (code and metadata) and an .rmeta (metadata). The metadata is
all that rustc needs to compile against a crate whose code is inside a shared object.
"""
import hashlib
import json
import os
import shutil
import sys


def main():
    messages, command = sys.argv[1], sys.argv[2]
    crates = {}
    with open(messages, encoding="utf-8") as file:
        for line in file:
            if not line.startswith("{"):
                continue
            message = json.loads(line)
            if message["reason"] == "compiler-artifact" and not {"bin", "test", "custom-build"} & set(message["target"]["kind"]):
                for name in message["filenames"]:
                    crates.setdefault(message["target"]["name"], []).append(name)
    if command == "library":
        print(next(name for name in crates["tradewind"] if name.endswith(".rlib")))
    elif command == "folder":
        print(next(os.path.dirname(name) for names in crates.values() for name in names if name.endswith(".rmeta")))
    elif command == "key":
        lines = []
        for names in crates.values():
            for name in names:
                status = os.stat(name)
                lines.append(f"{name} {status.st_size} {status.st_mtime_ns}")
        print(hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:16])
    elif command == "link":
        for names in crates.values():
            for name in names:
                if name.endswith((".rmeta", ".so", ".dylib")):
                    target = os.path.join(sys.argv[3], os.path.basename(name))
                    try:
                        os.link(name, target)
                    except OSError:
                        shutil.copy2(name, target)


if __name__ == "__main__":
    main()
