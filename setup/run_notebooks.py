#!/usr/bin/env python3
"""Runs notebooks through real Jupyter kernels and checks what every cell gave.

usage: run_notebooks.py [--save] [--fail-slow] [NOTEBOOK ...]      default: every notebooks/*.ipynb and tests/notebooks/*.ipynb

Called by setup/notebook, which sets JUPYTER_PATH. The working directory of a kernel is the repository
root. Nothing is written unless --save is given: then the outputs in the files are replaced by the new
ones, without times, execution metadata or this machine's paths.

The exit status of a cell is not enough: evcxr answers "ok" to a panic and to a failed `?`, and says
what happened on standard error. So a cell passes when

  - its status is ok and no output of it is an error,
  - it wrote nothing to standard error but lines known to be harmless,
  - its text holds no compiler error, panic or backtrace,
  - it has output if it has output in the file,
  - each figure in its output is a figure: an <svg> with a shape in it, a PNG of more than one row.

A cell tagged `raises-exception` must fail instead, and what follows goes on.

Times are wall times: from starting the kernel to the end of the first cell that gave output, which is
what a person waits for, and the median of the cells after it. --fail-slow makes more than
FIRST_LIMIT and LATER_LIMIT seconds a failure.
"""
import argparse
import base64
import os
import re
import statistics
import struct
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from jupyter_client.kernelspec import NoSuchKernel
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError

ROOT = Path(__file__).resolve().parent.parent
CELL_LIMIT = 300  # seconds a cell may take at all
FIRST_LIMIT, LATER_LIMIT = 10.0, 1.5

BAD_TEXT = re.compile(
    r"error\[E\d+\]|^\s*error:|panicked at|stack backtrace:|RUST_BACKTRACE|Segmentation fault|dlopen failed"
    r"|Child process terminated|Traceback \(most recent call last\)|The variable `\w+` .*lost|cannot be persisted",
    re.M)
HARMLESS_STDERR = re.compile(
    r"^\s*$|^\s*(Compiling|Finished|Updating|Locking|Blocking|Downloading|Downloaded) |^skipped: |^note: ")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
MACHINE_PATH = re.compile(re.escape(str(ROOT)) + r"/?")


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


def complaints(cell, committed):
    """What is wrong with a cell that was run."""
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
    if "raises-exception" in cell.metadata.get("tags", []):
        return [] if failed else ["tagged raises-exception, and it did not fail"]
    if committed and not shown(cell.outputs):
        found.append("no output, where the file has some")
    return found


def shown(outputs):
    """Whether anything in the outputs is for the reader."""
    return any(text.strip() for output in outputs for kind, text in text_of(output) if kind != "stderr")


def tidy(notebook):
    """Leaves in a saved notebook what a reader wants: no times, ids of runs, or paths of this machine."""
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type != "code":
            continue
        cell.outputs = [output for output in cell.outputs
                        if not (output.output_type == "stream" and output.name == "stderr")]
        for output in cell.outputs:
            if output.output_type == "stream":
                output.text = MACHINE_PATH.sub("", output.text)
            elif output.output_type != "error":
                for mime, data in output.data.items():
                    if isinstance(data, str) and not mime.startswith("image/png"):
                        output.data[mime] = MACHINE_PATH.sub("", data)


def run(path, save, fail_slow):
    """Runs one notebook; returns its failures, each a line of text."""
    notebook = nbformat.read(path, as_version=4)
    code = [(index, cell) for index, cell in enumerate(notebook.cells) if cell.cell_type == "code" and cell.source.strip()]
    committed = {index: shown(cell.outputs) for index, cell in code}
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
                for complaint in complaints(cell, committed[index]):
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
            if fail_slow and first > FIRST_LIMIT:
                failures.append(f"first result after {first:.1f} s, the limit is {FIRST_LIMIT} s")
        if later:
            median = statistics.median(later)
            times += f", later cells {median:.2f} s (median of {len(later)}, slowest {max(later):.2f} s)"
            if fail_slow and median > LATER_LIMIT:
                failures.append(f"median of later cells {median:.2f} s, the limit is {LATER_LIMIT} s")
    else:
        times = "the kernel did not answer"
    print(f"{'FAIL' if failures else 'PASS'} {path.relative_to(ROOT) if path.is_relative_to(ROOT) else path}: {times}, "
          f"{len(code)} cells, {time.monotonic() - started:.1f} s", flush=True)
    for failure in failures:
        print(f"    {failure}", flush=True)
    if save and not failures:
        tidy(notebook)
        nbformat.write(notebook, path)
    return failures


def self_check():
    """The rules above, on made-up cells: a runner that lets a panic through is worse than none."""
    from nbformat.v4 import new_code_cell, new_output

    def verdict(outputs, committed=False, tags=()):
        return bool(complaints(new_code_cell("x", outputs=outputs, metadata={"tags": list(tags)}), committed))

    def stream(name, text):
        return new_output("stream", name=name, text=text)

    def data(mime, text):
        return new_output("execute_result", data={mime: text}, execution_count=1)

    assert not verdict([stream("stdout", "3 rows\n"), stream("stderr", "   Compiling tradewind v0.0.0\n")], True)
    assert verdict([stream("stderr", "thread 'main' panicked at src/lib.rs:1:1:\n")])
    assert verdict([stream("stderr", "no column `Shop`\n")])
    assert verdict([new_output("error", ename="Error", evalue="mismatched types", traceback=[])])
    assert verdict([data("text/html", "<pre>error[E0308]: mismatched types</pre>")])
    assert verdict([], committed=True) and not verdict([], committed=False)
    assert verdict([data("image/svg+xml", "<svg></svg>")])
    assert not verdict([data("image/svg+xml", "<svg><path d='M0 0'/></svg>")], True)
    assert verdict([stream("stdout", "fine")], tags=["raises-exception"])
    assert not verdict([stream("stderr", "no column `Shop`\n")], tags=["raises-exception"])


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
    failed = sum(bool(run(path, options.save, options.fail_slow)) for path in paths)
    print(f"{len(paths) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
