#!/usr/bin/env python3
"""Runs notebooks through real Jupyter kernels and checks what every cell gave.

usage: run_notebooks.py [--save] [--fail-slow] [NOTEBOOK ...]
       default: every notebooks/*.ipynb and tests/notebooks/*.ipynb, and two kernels at once from other folders

Called by setup/notebook, which sets JUPYTER_PATH; the kernel is the one that the notebook names. The working
directory of a kernel is the repository root. Nothing is written unless --save is given: then outputs that
differ from those in the file replace them, without execution metadata or this machine's paths.

The exit status of a cell is not enough: evcxr answers "ok" to a panic and to a failed `?`, and says
what happened on standard error. So a cell passes when

  - its status is ok and no output of it is an error,
  - it wrote nothing to standard error but lines known to be harmless,
  - its text holds no compiler error, panic or backtrace,
  - each figure in its output is a figure: an <svg> with a shape in it, a PNG of more than one row,
  - it says what the file says: the same words, and numbers that differ by less than TOLERANCE of their size.
    Not compared: the strokes of figures, the look of tables, the columns of seconds, and cells tagged `varies`.
    With --save nothing is compared, and in a notebook that has no output at all nothing can be.

A cell tagged `raises-exception` must fail instead, and what follows goes on.

Times are wall times: from starting the kernel to the end of the first cell that gave output, which is
what a person waits for, and the median of the cells after it. --fail-slow makes more than LIMITS a failure.
"""
import argparse
import asyncio
import base64
import copy
import html
import os
import re
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError

ROOT = Path(__file__).resolve().parent.parent
CELL_LIMIT = 300  # seconds a cell may take at all
# Seconds to the first result and for the median of the later cells, by the kernel's name.
LIMITS = {"tradewind-rust": (10.0, 1.5), "tradewind-rhai": (1.0, 0.01)}
TOLERANCE = 1e-6

BAD_TEXT = re.compile(
    r"error\[E\d+\]|^\s*error:|panicked at|stack backtrace:|RUST_BACKTRACE|Segmentation fault|dlopen failed"
    r"|Child process terminated|Traceback \(most recent call last\)|The variable `\w+` .*lost|cannot be persisted",
    re.M)
HARMLESS_STDERR = re.compile(
    r"^\s*$|^\s*(Compiling|Finished|Updating|Locking|Blocking|Downloading|Downloaded) |^skipped: |^note: ")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
MACHINE_PATH = re.compile(re.escape(str(ROOT)) + r"/?")
NUMBER = re.compile(r"[-\u2212]?(?:\d[\d,]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
TIME = re.compile(r"(?<![\w.])\d[\d.,]*(?: ?(?:s|ms|µs)| seconds?)\b")
FIGURE = re.compile(r"<svg\b.*?</svg>", re.S)


def text_of(output):
    """Every piece of text in one output, with its kind."""
    if output.output_type == "stream":
        yield output.name, output.text
    elif output.output_type == "error":
        # evcxr repeats the text in the value and puts the marked source in the traceback.
        yield "error", "\n".join(output.traceback) or f"{output.ename}: {output.evalue}"
    else:
        for mime, data in output.data.items():
            if isinstance(data, str):
                yield mime, data


def empty_figure(mime, data):
    """Why a figure is empty, or None."""
    if mime == "image/svg+xml" or (mime == "text/html" and "<svg" in data):
        if not re.search(r"<(path|polyline|polygon|rect|circle|line|image|text)\b", data):
            return "an <svg> without a shape"
    if mime == "image/png":
        png = base64.b64decode(data)
        if png[:8] != b"\x89PNG\r\n\x1a\n":
            return "not a PNG"
        if min(struct.unpack(">II", png[16:24])) < 2:
            return "a PNG without an area"
    return None


def is_progress(output):
    """Is it the line that a long verb leaves of its progress, which it shows where it takes long? The kernel marks it."""
    return output.output_type == "display_data" and output.metadata.get("tradewind") == "progress"


def untimed(table):
    """An HTML table with the cells under a heading of seconds emptied."""
    rows = re.findall(r"<tr\b.*?</tr>", table, re.S)
    cells = [re.findall(r"<t[hd]\b[^>]*>.*?</t[hd]>", row, re.S) for row in rows]
    timed = [at for at, cell in enumerate(cells[0] if cells else []) if re.search(r">[\w ]*seconds<", cell)]
    for row, old in zip(rows, cells):
        for at in timed:
            if at < len(old) and old[at].startswith("<td"):
                table = table.replace(row, row := row.replace(old[at], "<td></td>", 1), 1)
    return table


def words(mime, text):
    """What a reader reads in one output: no markup, strokes, colours, paths or times."""
    text = COLOUR.sub("", MACHINE_PATH.sub("", text))
    if mime == "text/html":
        text = re.sub(r"<style\b.*?</style>", "", FIGURE.sub(" [figure] ", text), flags=re.S)
        text = re.sub(r"<table\b.*?</table>", lambda found: untimed(found.group()), text, flags=re.S)
        text = html.unescape(re.sub(r"<[^>]*>", " ", text))
    elif mime == "image/svg+xml" or mime.startswith("image/"):
        return "[figure]"
    return re.sub(r"[\s─]+", " ", TIME.sub("…", text)).strip()


def readings(outputs, fails=False):
    """What each output says, in order; the pieces of one stream are one. Standard error is for cells that fail."""
    said = []
    for output in outputs:
        if is_progress(output):
            continue
        if output.output_type == "stream":
            if output.name == "stderr" and not fails:
                continue
            if said and said[-1][0] == output.name:
                said[-1] = (output.name, said[-1][1] + output.text)
            else:
                said.append((output.name, output.text))
        elif output.output_type == "error":
            said.append(("error", f"{output.ename}: {output.evalue}"))
        else:
            # The richest one is what a reader sees; the plain text of a table is cut to a width, by chance of a digit.
            kinds = [mime for mime in ("text/html", "image/svg+xml", "image/png", "text/plain") if mime in output.data]
            kinds = kinds or sorted(output.data)
            said.extend((mime, output.data[mime]) for mime in kinds[:1] if isinstance(output.data[mime], str))
    return [(kind, words(kind, text)) for kind, text in said]


def number(text):
    try:
        return float(text.replace(",", "").replace("\u2212", "-"))
    except ValueError:
        return None


def difference(old, new):
    """Where two texts differ beyond the tolerance of their numbers: (old, new) with some words around, or None."""
    pairs = [(NUMBER.split(text), NUMBER.findall(text)) for text in (old, new)]
    (old_words, old_numbers), (new_words, new_numbers) = pairs
    for at in range(max(len(old_words), len(new_words))):
        before = old_words[at] if at < len(old_words) else "(nothing)"
        after = new_words[at] if at < len(new_words) else "(nothing)"
        if before != after:
            start = next((i for i, (a, b) in enumerate(zip(before, after)) if a != b), min(len(before), len(after)))
            start = max(0, start - 30)
            return before[start:start + 90].strip() or "(end)", after[start:start + 90].strip() or "(end)"
        if at < min(len(old_numbers), len(new_numbers)):
            a, b = old_numbers[at], new_numbers[at]
            x, y = number(a), number(b)
            if a != b and (x is None or y is None or abs(x - y) > TOLERANCE * max(abs(x), abs(y))):
                around = before[-40:].strip()
                return f"{around} {a}".strip(), f"{around} {b}".strip()
    return None


def changes(committed, outputs, fails):
    """How the outputs of a cell differ from the committed ones."""
    old, new = readings(committed, fails), readings(outputs, fails)
    for at in range(max(len(old), len(new))):
        if at >= len(old):
            yield f"new output ({new[at][0]}): {new[at][1][:160]}"
        elif at >= len(new):
            yield f"missing output ({old[at][0]}), committed: {old[at][1][:160]}"
        elif old[at][0] != new[at][0]:
            yield f"committed {old[at][0]}: {old[at][1][:90]}\nnew       {new[at][0]}: {new[at][1][:90]}"
        elif found := difference(old[at][1], new[at][1]):
            yield f"committed: {found[0]}\nnew:       {found[1]}"


def complaints(cell, committed=None):
    """What is wrong with a cell that was run; `committed` are its outputs in the file, None to compare with nothing."""
    found, failed, stderr = [], False, ""
    for output in cell.outputs:
        for kind, text in text_of(output):
            if kind == "error":
                failed = True
                found.append(COLOUR.sub("", text))
            elif kind == "stderr":
                stderr += text
            elif not kind.startswith("image/") and (bad := BAD_TEXT.search(re.sub(r"<[^>]*>", "", text))):
                failed = True
                found.append(f"{kind}: {bad.group().strip()}")
            if reason := empty_figure(kind, text):
                found.append(f"empty figure: {reason}")
    lines = [line for line in COLOUR.sub("", stderr).splitlines() if not HARMLESS_STDERR.search(line)]
    if lines:
        failed = True
        found.append("standard error: " + "\n".join(lines[:12]))
    tags = cell.metadata.get("tags", [])
    if "raises-exception" in tags:
        found = [] if failed else ["tagged raises-exception, and it did not fail"]
    if committed is not None and "varies" not in tags:
        found.extend(changes(committed, cell.outputs, "raises-exception" in tags))
    return found


def shown(outputs):
    """Whether anything in the outputs is for the reader."""
    return any(text.strip() for output in outputs for kind, text in text_of(output) if kind != "stderr")


def tidy(notebook, committed):
    """Leaves in a saved notebook what a reader wants: no times, ids of runs, or paths of this machine.

    Outputs that differ from the committed ones in times alone stay as they are: a diff shows what has changed.
    """
    for index, cell in enumerate(notebook.cells):
        cell.metadata.pop("execution", None)
        if cell.cell_type != "code":
            continue
        if "raises-exception" not in cell.metadata.get("tags", []):
            cell.outputs = [output for output in cell.outputs
                            if not (output.output_type == "stream" and output.name == "stderr")]
        cell.outputs = [output for output in cell.outputs if not is_progress(output)]
        for output in cell.outputs:
            if output.output_type == "stream":
                output.text = MACHINE_PATH.sub("", output.text)
            elif output.output_type == "error":
                output.traceback = [MACHINE_PATH.sub("", line) for line in output.traceback]
            else:
                for mime, data in output.data.items():
                    if isinstance(data, str) and not mime.startswith("image/png"):
                        output.data[mime] = MACHINE_PATH.sub("", data)
        if still(cell.outputs) == still(committed.get(index, [])):
            cell.outputs = committed.get(index, [])


def still(outputs):
    """Outputs as text, strokes and all, with the columns of seconds emptied."""
    kept = []
    for output in outputs:
        data = {kind: text for kind, text in text_of(output)}
        if "text/html" in data:
            data.pop("text/plain", None)
            data["text/html"] = re.sub(r"<table\b.*?</table>", lambda found: untimed(found.group()), data["text/html"], flags=re.S)
        kept.append(data)
    return kept


def run(path, save, fail_slow):
    """Runs one notebook; returns its failures, each a line of text."""
    notebook = nbformat.read(path, as_version=4)
    code = [(index, cell) for index, cell in enumerate(notebook.cells) if cell.cell_type == "code" and cell.source.strip()]
    committed = {index: copy.deepcopy(cell.outputs) for index, cell in code}
    compared = not save and any(committed.values())
    kernel_name = notebook.metadata.get("kernelspec", {}).get("name", "")
    first_limit, later_limit = LIMITS.get(kernel_name, LIMITS["tradewind-rust"])
    started, failures, later, first = time.monotonic(), [], [], None
    client = NotebookClient(notebook, timeout=CELL_LIMIT, startup_timeout=120, allow_errors=True,
                            resources={"metadata": {"path": str(ROOT)}})
    said = tempfile.TemporaryFile()  # what the kernel's own process says, shown when it does not start
    try:
        with client.setup_kernel(stdout=said, stderr=said):
            kernel = time.monotonic() - started
            for number, (index, cell) in enumerate(code, 1):
                began = time.monotonic()
                cell.outputs = []
                client.execute_cell(cell, index, execution_count=number)
                took = time.monotonic() - began
                if first is not None:
                    later.append(took)
                elif shown(cell.outputs):
                    first = time.monotonic() - started
                for complaint in complaints(cell, committed[index] if compared else None):
                    failures.append(f"cell {number} `{cell.source.strip().splitlines()[0][:60]}`\n      "
                                    + complaint.replace("\n", "\n      "))
    except (CellTimeoutError, DeadKernelError, NoSuchKernel, RuntimeError) as error:
        said.seek(0)
        failures.append(f"{type(error).__name__}: {error}\n" + said.read().decode(errors="replace")[-3000:])
        kernel = None
    if kernel is not None:
        times = f"kernel {kernel:.1f} s"
        if first is not None:
            times += f", first result {first:.1f} s"
            if fail_slow and first > first_limit:
                failures.append(f"first result after {first:.1f} s, the limit is {first_limit} s")
        if later:
            median = statistics.median(later)
            times += f", later cells {median:.3f} s (median of {len(later)}, slowest {max(later):.3f} s)"
            if fail_slow and median > later_limit:
                failures.append(f"median of later cells {median:.3f} s, the limit is {later_limit} s")
    else:
        times = "the kernel did not answer"
    print(f"{'FAIL' if failures else 'PASS'} {path.relative_to(ROOT) if path.is_relative_to(ROOT) else path}: {times}, "
          f"{len(code)} cells, {time.monotonic() - started:.1f} s", flush=True)
    for failure in failures:
        print(f"    {failure}", flush=True)
    if save and not failures:
        tidy(notebook, committed)
        nbformat.write(notebook, path)
    return failures


def self_check():
    """The rules above, on made-up cells: a runner that lets a panic through is worse than none."""
    from nbformat.v4 import new_code_cell, new_output

    def verdict(outputs, committed=None, tags=()):
        return bool(complaints(new_code_cell("x", outputs=outputs, metadata={"tags": list(tags)}), committed))

    def stream(name, text):
        return new_output("stream", name=name, text=text)

    def data(mime, text):
        return new_output("execute_result", data={mime: text}, execution_count=1)

    def table(seconds, mase):
        return data("text/html", "<style>p{}</style><table><tr><th>model</th><th>cpu_seconds</th><th>mase</th></tr>"
                                 f"<tr><td>theta</td><td>{seconds}</td><td>{mase}</td></tr></table><svg><path d='M{mase}'/></svg>")

    assert not verdict([stream("stdout", "3 rows\n"), stream("stderr", "   Compiling tradewind v0.0.0\n")])
    assert verdict([stream("stderr", "thread 'main' panicked at src/lib.rs:1:1:\n")])
    assert verdict([stream("stderr", "no column `Shop`\n")])
    assert verdict([new_output("error", ename="Error", evalue="mismatched types", traceback=[])])
    assert verdict([data("text/html", "<pre>error[E0308]: mismatched types</pre>")])
    assert verdict([data("image/svg+xml", "<svg></svg>")])
    assert not verdict([data("image/svg+xml", "<svg><path d='M0 0'/></svg>")])
    assert verdict([stream("stdout", "fine")], tags=["raises-exception"])
    assert not verdict([stream("stderr", "no column `Shop`\n")], tags=["raises-exception"])

    # What the file says: words, numbers within the tolerance, not times, strokes or styles.
    three = [stream("stdout", "3 rows, 1,234.5678 sold\n")]
    assert not verdict(three, three) and not verdict([], [])
    assert verdict([], three) and verdict(three, [])
    assert not verdict([stream("stdout", "3 rows, "), stream("stdout", "1,234.5679 sold")], three)
    assert verdict([stream("stdout", "3 rows, 1,234.6 sold")], three)
    assert verdict([stream("stdout", "3 rows, -1,234.5678 sold")], three)
    assert verdict([stream("stdout", "3 lines, 1,234.5678 sold")], three)
    assert verdict([stream("stdout", "3 rows, 1,234.5678 sold, 1")], three)
    assert not verdict([stream("stdout", "4 rows, 1,234.5678 sold\n")], three, tags=["varies"])
    assert not verdict([stream("stdout", "done in 0.35 s")], [stream("stdout", "done in 12 s")])
    assert not verdict([table("0.001", "1.25")], [table("0.4", "1.25")])
    assert verdict([table("0.001", "1.26")], [table("0.001", "1.25")])
    assert verdict([data("text/plain", "theta 1.25")], [table("0.001", "1.25")])
    assert still([table("0.001", "1.25")]) == still([table("0.4", "1.25")]) != still([table("0.4", "1.26")])
    progress = {"data": {"text/plain": "fitting 7 of 7; 1.2 s in all"}}
    marked = new_output("display_data", metadata={"tradewind": "progress"}, **progress)
    assert not verdict([marked, *three], three) and verdict([new_output("display_data", **progress), *three], three)
    failed = new_output("error", ename="Error", evalue="no column `Shop`", traceback=["line 1"])
    assert not verdict([failed], [failed], tags=["raises-exception"])
    assert verdict([failed], [new_output("error", ename="Error", evalue="other", traceback=[])], tags=["raises-exception"])


# A kernel from a folder of the repository works in its root; one from elsewhere stays where it is.
KERNEL_WORKS = {
    "tradewind-rust": """use tradewind::prelude::*;
let sales = Panel::read("DATA", Columns::new(["Store", "Dept"], "Date", "Weekly_Sales"))?;
println!("{} rows", sales.rows());""",
    "tradewind-rhai": """let sales = read_panel("DATA", columns(["Store", "Dept"], "Date", "Weekly_Sales"));
print(sales.rows() + " rows");""",
}


def heard(content):
    """What a message of a running cell says, errors included."""
    return content.get("text") or content.get("evalue") or ""


async def one_kernel(name, folder, data):
    """Starts a kernel in `folder` and has it read `data`; what it said."""
    manager = AsyncKernelManager(kernel_name=name)
    await manager.start_kernel(cwd=str(folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    client, said = manager.client(), []
    client.start_channels()
    try:
        await client.wait_for_ready(timeout=120)
        await client.execute_interactive(KERNEL_WORKS[name].replace("DATA", str(data)), timeout=CELL_LIMIT,
                                         output_hook=lambda message: said.append(heard(message["content"])))
    finally:
        client.stop_channels()
        await manager.shutdown_kernel(now=True)
    return "".join(said)


def two_at_once(name):
    """Two kernels started in the same moment, neither in the repository root, must not stand in each other's way."""
    data, started = Path("data/walmart_sales_weekly.csv"), time.monotonic()

    async def both(elsewhere):
        return await asyncio.gather(one_kernel(name, ROOT / "notebooks", data), one_kernel(name, elsewhere, data.name),
                                    return_exceptions=True)

    with tempfile.TemporaryDirectory() as elsewhere:
        # Notebooks in Rhai read below their own folder only.
        shutil.copy(ROOT / data, elsewhere)
        said = asyncio.run(both(elsewhere))
    failures = [f"{where}: {text if isinstance(text, str) else repr(text)}"
                for where, text in zip(("in a folder of the repository", "in another folder"), said)
                if not (isinstance(text, str) and "1001 rows" in text)]
    print(f"{'FAIL' if failures else 'PASS'} two kernels {name} at once, from other folders: {time.monotonic() - started:.1f} s", flush=True)
    for failure in failures:
        print(f"    {failure}", flush=True)
    return failures


def main():
    self_check()
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--save", action="store_true", help="write the new outputs into the files")
    parser.add_argument("--fail-slow", action="store_true", help="being slower than the limits is a failure")
    parser.add_argument("notebooks", nargs="*", type=Path)
    options = parser.parse_args()
    paths = [path.resolve() for path in options.notebooks] or [
        path for folder in ("notebooks", "tests/notebooks") for path in sorted((ROOT / folder).glob("*.ipynb"))
    ]
    if missing := [str(path) for path in paths if not path.exists()]:
        parser.error("no such notebook: " + ", ".join(missing))
    os.chdir(ROOT)
    results = [run(path, options.save, options.fail_slow) for path in paths]
    if not options.notebooks and not options.save:
        results += [two_at_once(name) for name in KERNEL_WORKS if name in KernelSpecManager().find_kernel_specs()]
    failed = sum(map(bool, results))
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
