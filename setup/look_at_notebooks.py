#!/usr/bin/env python3
"""Runs notebooks in JupyterLab in a real browser, takes pictures, and fails when something is not to be seen.

usage: look_at_notebooks.py --lab PYTHON --out FOLDER [--only-light] [NOTEBOOK ...]       default: notebooks/*.ipynb

Called by `setup/notebook look`. It opens each notebook in JupyterLab (on a free port of this machine, with a token),
clears its outputs, runs all cells, and saves what a reader would scroll through as FOLDER/NAME-light-1.png, -2 ...,
and the same in the dark theme. Look at them after a change to a table, a figure or a notebook. It fails when

  - a cell shows an error, or writes to standard error, and is not tagged `raises-exception`,
  - a cell whose committed output has a table or a figure does not show one,
  - a table or figure is wider than the notebook and cannot be scrolled to.

No file of the repository is written: JupyterLab keeps its settings in a temporary folder and does not save.
"""
import argparse
import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

ROOT = Path(__file__).resolve().parent.parent
WIDTH, PAGE = 1280, 1500  # of a picture, in pixels
LIMIT = 300  # seconds a notebook may take

SETTINGS = {
    # All cells are in the page, also those that are not on the screen.
    "notebook-extension/tracker": {"windowingMode": "none", "scrollPastLastCell": False},
    "docmanager-extension/plugin": {"autosave": False},
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}

RUN_ALL = """
const [done] = [arguments[arguments.length - 1]];
(async () => {
  const app = window.jupyterapp;
  await app.restored;
  const panel = app.shell.currentWidget;
  await panel.context.ready;
  await panel.sessionContext.ready;
  app.shell.collapseLeft();
  app.shell.collapseRight();
  await app.commands.execute('notebook:clear-all-cell-outputs');
  await app.commands.execute('notebook:run-all-cells');
  return '';
})().then(done, error => done(String(error)));
"""

# For each code cell: what its output shows, as sizes on the screen.
SHOWN = """
const size = element => { const box = element.getBoundingClientRect(); return [box.width, box.height]; };
return [...document.querySelectorAll('.jp-NotebookPanel:not(.lm-mod-hidden) .jp-CodeCell')].map(cell => {
  const area = cell.querySelector('.jp-OutputArea'), room = area ? area.getBoundingClientRect().right : 0;
  const all = words => area ? [...area.querySelectorAll(words)] : [];
  const scrolls = element => {
    for (let at = element; at && at !== area; at = at.parentElement)
      if (['auto', 'scroll'].includes(getComputedStyle(at).overflowX)) return true;
    return false;
  };
  return {
    tables: all('table').map(size), figures: all('svg, img').map(size),
    cut: all('table, svg, img').filter(e => e.getBoundingClientRect().right > room + 1 && !scrolls(e)).length,
    errors: all('[data-mime-type="application/vnd.jupyter.stderr"], [data-mime-type="application/vnd.jupyter.error"]')
      .map(e => e.innerText.slice(0, 400)),
  };
});
"""

HEIGHT = """
const scrolled = document.querySelector('.jp-NotebookPanel:not(.lm-mod-hidden) .jp-WindowedPanel-outer');
scrolled.scrollTop = 0;
return Math.ceil(scrolled.scrollHeight + scrolled.getBoundingClientRect().top + 60);
"""

THEME = """
const done = arguments[arguments.length - 1];
window.jupyterapp.commands.execute('apputils:change-theme', {theme: arguments[0]}).then(() => setTimeout(done, 1500));
"""


def start_lab(python, home):
    """A JupyterLab with settings of its own: (process, address, token)."""
    for name, values in SETTINGS.items():
        path = home / "settings/@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))
    places = {"JUPYTERLAB_SETTINGS_DIR": "settings", "JUPYTERLAB_WORKSPACES_DIR": "workspaces", "JUPYTER_CONFIG_DIR": "config",
              "JUPYTER_DATA_DIR": "data", "JUPYTER_RUNTIME_DIR": "runtime"}
    options = ["--no-browser", "--ServerApp.ip=127.0.0.1", "--ServerApp.port=0", f"--ServerApp.root_dir={ROOT}",
               "--LabApp.expose_app_in_browser=True", "--LabApp.extension_manager=readonly",
               f"--FileCheckpoints.checkpoint_dir={home / 'checkpoints'}"]
    if os.geteuid() == 0:
        options.append("--allow-root")
    with open(home / "log", "w") as log:
        process = subprocess.Popen([python, "-m", "jupyterlab", *options], stdout=log, stderr=log, cwd=ROOT,
                                   env=os.environ | {name: str(home / folder) for name, folder in places.items()})
    for _ in range(600):
        for path in (home / "runtime").glob("jpserver-*.json"):
            try:
                server = json.loads(path.read_text())
                return process, server["url"], server["token"]
            except ValueError:
                pass  # half written
        if process.poll() is not None:
            break
        time.sleep(0.1)
    process.terminate()
    sys.exit("JupyterLab did not start:\n" + (home / "log").read_text()[-3000:])


def browser(home):
    options = Options()
    options.binary_location = shutil.which("chromium")
    # Nothing but the page is asked for: no updates, no reports, no translations.
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
                     "--disable-component-update", "--disable-sync", "--no-first-run",
                     f"--user-data-dir={tempfile.mkdtemp(dir=home)}", f"--window-size={WIDTH},{PAGE}"):
        options.add_argument(argument)
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    # JupyterLab knows no current notebook in a page without focus, and headless Chromium 148 gives it none.
    driver.execute_cdp_cmd("Emulation.setFocusEmulationEnabled", {"enabled": True})
    driver.set_script_timeout(LIMIT)
    return driver


def complaints(path, cells):
    """What cannot be seen, cell by cell."""
    committed = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
    if len(committed) != len(cells):
        yield f"{len(cells)} code cells are shown, the file has {len(committed)}"
        return
    for number, (cell, seen) in enumerate(zip(committed, cells), 1):
        outputs = json.dumps(cell.get("outputs", []))
        name = f"cell {number} `{(''.join(cell['source']).splitlines() or [''])[0][:60]}`"
        if "raises-exception" not in cell.get("metadata", {}).get("tags", []):
            for error in seen["errors"]:
                yield f"{name} shows an error: {error}"
        for what, key in (("table", "<table"), ("figure", "<svg")):
            if key in outputs and not any(width > 20 and height > 10 for width, height in seen[what + "s"]):
                yield f"{name} shows no {what}, and there is one in the file"
        if seen["cut"]:
            yield f"{name}: {seen['cut']} tables or figures are wider than the notebook, and cannot be scrolled"


def pictures(driver, stem):
    """Saves the whole notebook, page after page; how many pages."""
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": WIDTH, "height": PAGE, "deviceScaleFactor": 1, "mobile": False})
    height = driver.execute_script(HEIGHT)
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": WIDTH, "height": height, "deviceScaleFactor": 1, "mobile": False})
    time.sleep(1.0)
    driver.execute_script(HEIGHT)  # to the top again, after the change of size
    time.sleep(0.3)
    pages = 0
    for top in range(0, height, PAGE):
        clip = {"x": 0, "y": top, "width": WIDTH, "height": min(PAGE, height - top), "scale": 1}
        taken = driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png", "clip": clip})
        pages += 1
        Path(f"{stem}-{pages}.png").write_bytes(base64.b64decode(taken["data"]))
    driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    return pages


def look(driver, address, token, path, out, themes):
    started = time.monotonic()
    place = urllib.parse.quote(str(path.relative_to(ROOT)))
    driver.get(f"{address}lab/tree/{place}?token={token}&reset")
    while not driver.execute_script("return !!(window.jupyterapp && window.jupyterapp.shell.currentWidget && window.jupyterapp.shell.currentWidget.context)"):
        if time.monotonic() - started > 60:
            driver.save_screenshot(str(out / f"{path.stem}-not-opened.png"))
            print(f"FAIL {path.relative_to(ROOT)}", flush=True)
            return [f"JupyterLab did not open the notebook within a minute: {out / path.stem}-not-opened.png"]
        time.sleep(0.2)
    if error := driver.execute_async_script(RUN_ALL):
        print(f"FAIL {path.relative_to(ROOT)}", flush=True)
        return [f"the cells could not be run: {error}"]
    time.sleep(1.0)
    failures = list(complaints(path, driver.execute_script(SHOWN)))
    pages = 0
    for theme, name in themes:
        driver.execute_async_script(THEME, name)
        pages += pictures(driver, out / f"{path.stem}-{theme}")
    print(f"{'FAIL' if failures else 'PASS'} {path.relative_to(ROOT)}: {pages} pictures in {out}, {time.monotonic() - started:.1f} s", flush=True)
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--lab", required=True, help="a Python that has JupyterLab")
    parser.add_argument("--out", required=True, type=Path, help="where the pictures go")
    parser.add_argument("--only-light", action="store_true", help="no pictures in the dark theme")
    parser.add_argument("notebooks", nargs="*", type=Path)
    options = parser.parse_args()
    paths = [path.resolve() for path in options.notebooks] or sorted((ROOT / "notebooks").glob("*.ipynb"))
    if missing := [str(path) for path in paths if not path.is_file() or not path.is_relative_to(ROOT)]:
        parser.error("no such notebook in this repository: " + ", ".join(missing))
    themes = [("light", "JupyterLab Light"), ("dark", "JupyterLab Dark")][:1 if options.only_light else 2]
    out = options.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    for path in paths:
        for old in out.glob(f"{path.stem}-*.png"):
            old.unlink()
    failed = 0
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        lab, address, token = start_lab(options.lab, Path(home))
        try:
            for path in paths:
                # A browser of its own: a page with a notebook that is not saved asks before it is left.
                driver = browser(Path(home))
                try:
                    failures = look(driver, address, token, path, out, themes)
                finally:
                    driver.quit()
                failed += bool(failures)
                for failure in failures:
                    print("    " + failure.replace("\n", "\n      "), flush=True)
        finally:
            # A terminate ends the kernels too, and waits for them.
            lab.terminate()
            lab.wait(timeout=60)
    print(f"{len(paths) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
