#!/usr/bin/env python3
"""Fails when a committed file holds what must not be published.

Looks at every file that git tracks or would track: paths of one person's machine, secrets, and
files over 1 MB that are neither data, a font nor a figure that a page needs. A line that must
show such a text on purpose carries the words `tree-check: allow`.

And at the sources of the program: only the room `src/files/` asks the file system, and only `src/job/`
starts threads, so that nothing gets round the fence around scripts. What must all the same is named in
ASKS with the reason; an exception nobody needs any more is an error.

And at the rooms, the top-level files and folders of src/: a room imports only rooms below it, in the order of the table in
DESIGN.md. Every path of the code is read, in a `use` or not, that starts at `crate`, `self`, `super` or `tradewind`. Tests
(`#[cfg(test)]`, tests.rs), comments and their examples may name any room. What no path shows is not seen: a method that a
later room adds to an earlier room's noun can be called from below.
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

# What only the named files of src/ may use, and what is meant by it.
ASKERS = {
    "the file system": (
        ("src/files/",),
        rb"\bfs::|\bFile::|\bOpenOptions\b|\bglob::glob|\btempfile::|\.read_dir\(|\.read_link\(|\.canonicalize\(|\.try_exists\("
        rb"|\.symlink_metadata\(|\.(?:exists|is_dir|is_file|is_symlink)\(\)|\bset_current_dir\b|\bopen_workbook_auto\("
        rb"|\bLazyFrame::scan|\bLazyCsvReader\b|\bConnection::open|Path::(?:exists|is_dir|is_file|metadata)\b"),
    "threads": (("src/job/",), rb"\bthread::(?:spawn|Builder)\b|\.spawn(?:_scoped)?\(|\brayon::(?:spawn|ThreadPoolBuilder)\b"),
    "programs and the network": ((), rb"\bCommand::new\b|\b(?:Tcp|Udp|Unix)(?:Stream|Socket|Listener|Datagram)\b|\bClient::connect\b"
                                     rb"|\bconfig\.connect\("),
}
ASKS = {
    ("the file system", "src/panel/source/sql/enabled.rs"): "SQLite opens its file itself, which was judged before",
    ("the file system", "src/script/kernel/enabled/mod.rs"): "the kernel's own folder, before any cell runs",
    ("the file system", "src/script/kernel/enabled/install.rs"): "folders that whoever installs the kernel names",
    ("threads", "src/bin/tradewind/main.rs"): "the threads of the process, before any script runs",
    ("programs and the network", "src/panel/source/sql/enabled.rs"): "servers that a script was allowed by name",
}


def product(content: bytes) -> bytes:
    """A Rust source without its tests, comments and their examples, line by line."""
    lines, depth, inside = [], 0, False
    for line in content.split(b"\n"):
        if line.strip() == b"#[cfg(test)]":
            inside, depth = True, 0
        if inside:
            depth += line.count(b"{") - line.count(b"}")
            inside = not (depth <= 0 and line.rstrip().endswith((b"}", b";")))
            lines.append(b"")
        else:
            lines.append(b"" if line.lstrip().startswith(b"//") else line)
    return b"\n".join(lines)


def askers(sources: dict):
    """Lines of the program that ask what only one room may ask."""
    used = set()
    for name, content in sources.items():
        if not re.match(r"src/.*\.rs$", name) or name.endswith("/tests.rs"):
            continue
        for number, line in enumerate(product(content).split(b"\n"), 1):
            for what, (rooms, pattern) in ASKERS.items():
                found = re.search(pattern, line)
                if not found or name.startswith(rooms):
                    continue
                if (what, name) in ASKS:
                    used.add((what, name))
                else:
                    yield f"{name}:{number}: asks for {what} by `{found.group().decode()}`; go through src/files/ or src/job/"
    for what, name in ASKS.keys() - used:
        yield f"setup/check_tree.py: {name} no longer asks for {what}: take it off the list"


# Where DESIGN.md holds the order of the rooms, from top to bottom.
ORDER = re.compile(r"^## The order of the rooms\n(.*?)(?=^## |\Z)", re.M | re.S)
ROW = re.compile(r"^\| `(\w+)` \|", re.M)
# Comments, texts and characters: what stands in them is no code.
WORDS = re.compile(r'//[^\n]*|/\*.*?\*/|(?<!\w)b?r(#*)".*?"\1|b?"(?:\\.|[^"\\])*"|\'(?:\\.|[^\\\'])\'', re.S)
ROOTS = re.compile(r"(?<![\w:])(?:crate|self|super|tradewind)(?=\s*::)")


def paths(text: str, at: int, before=()):
    """The paths of the tree that begins at a place, `a::b` or `a::{b, c::d}`, each with the place of its last name, and the end."""
    part = re.compile(r"[\s,]*(\w+|[*{])").match(text, at)
    if not part:
        return [], at
    if part[1] != "{":
        path, end = (*before, part[1]), part.end()
        if more := re.compile(r"\s*::\s*(?=[\w*{])").match(text, end):
            return paths(text, more.end(), path)
        renamed = re.compile(r"\s+as\s+\w+").match(text, end)
        return [(path, part.start(1))], renamed.end() if renamed else end
    found, at = [], part.end()
    while not (end := re.compile(r"[\s,]*\}").match(text, at)):
        branch, at = paths(text, at, before)
        if not branch:
            return found, at
        found += branch
    return found, end.end()


def code(content: bytes) -> str:
    """A Rust source without its tests, comments and texts, line by line."""
    plain = WORDS.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), content.decode(errors="replace"))
    return product(plain.encode()).decode()


def upward(sources: dict, design: str):
    """Where a room imports one that stands above it, and rooms that are not in the order."""
    section = ORDER.search(design)
    order = ROW.findall(section[1]) if section else []
    sources = {name: content for name, content in sources.items() if re.match(r"src/.*\.rs$", name)}
    room_of = {name: re.match(r"src/(\w+)", name)[1] for name in sources if name != "src/lib.rs"}
    for room in sorted(set(room_of.values()) ^ set(order)):
        where = "has no place in the order of the rooms" if room not in order else "is in the order of the rooms, but not in src/"
        yield f"DESIGN.md: `{room}` {where}"
    # What lib.rs offers under its own name belongs to the room that it comes from.
    front = code(sources.get("src/lib.rs", b""))
    offers = [path for use in re.finditer(r"\bpub use ", front) for path, _ in paths(front, use.end())[0]]
    home = {path[-1]: path[0] for path in offers}
    for name, room in sorted(room_of.items()):
        if name.endswith("/tests.rs") or room not in order:
            continue
        text, seen = code(sources[name]), set()
        module = [part for part in name[len("src/"):-len(".rs")].split("/") if part != "mod"]
        for root in ROOTS.finditer(text):
            # The program is a crate of its own, to which the library is another.
            if room == "bin" and root.group() != "tradewind":
                continue
            for path, at in paths(text, root.start())[0]:
                ups = sum(1 for part in path if part == "super")
                inside = module[:max(0, len(module) - ups)] if path[0] in ("self", "super") else []
                full = [*inside, *(part for part in path if part not in ("crate", "self", "super", "tradewind"))]
                target = home.get(full[0], full[0]) if full else room
                above = target == "*" or target in order and order.index(target) < order.index(room)
                line = text.count("\n", 0, at) + 1
                if above and (line, target) not in seen:
                    seen.add((line, target))
                    what = "every room" if target == "*" else f"`{target}`, which stands above it in DESIGN.md"
                    yield f"{name}:{line}: the room `{room}` imports {what}: {'::'.join(path)}"


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
    count, found, sources, design = 0, [], {}, ""
    for name in names:
        try:
            with open(name, "rb") as file:
                content = file.read()
        except (FileNotFoundError, IsADirectoryError):
            continue
        count += 1
        found.extend(problems(name, content))
        if name.endswith(".rs"):
            sources[name] = content
        elif name == "DESIGN.md":
            design = content.decode(errors="replace")
    found.extend(askers(sources))
    found.extend(upward(sources, design))
    print("\n".join([*found, f"{count} files, {len(found)} findings"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
