#!/usr/bin/env python3
"""Uses a saved dashboard in a real browser as a person would, by mouse and by keyboard alone, and fails when it does not answer.

usage: drive_dashboard.py [--pictures FOLDER] [--axe AXE.MIN.JS] [--vnu VNU.JAR] [--only CHECK,...] PAGE.html ...

What is checked on each page, where it has the charts for it:

  filter      a value of a filter by mouse, another by keys; figures, ranking and link follow
  hover       the first chart shows its exact numbers under the mouse; arrow keys read them out
  zoom        a drag over the chart, over the strip, the ends of the strip by keys, + and -, the buttons
  toggle      models and intervals, on and off
  drill       a name of the ranking opens it, by mouse and by Enter; Undo takes it back
  map         a cell of the map of errors is read out and opens its row
  compare     the other period changes, chosen dates too
  table       each chart as a table and back
  download    the data of each chart as CSV, with as many rows as it has
  link        the address of a view restores it in a new window
  theme       light and dark, by the button
  axe         no finding of axe-core at 1280 and 390 pixels, light and dark
  html        vnu, the validator of the W3C, has nothing to say
  gap         a step between history and forecast has no value, and no sum, change or table takes one for it
  words       currency, unit, names and marks of numbers where the plan states them
  quiet       no error on the console, no request, nothing wider than the window, no NaN

Needs selenium, Chromium and chromedriver (Debian: chromium-driver). axe-core and vnu come from npm:
`npm pack axe-core vnu-jar`; without them these two checks are left out, and it says so.
"""
import argparse
import base64
import csv
import io
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

WAIT = 60  # seconds, on a busy machine

# Keeps the timers of the page that wait, so that one can tell when it has nothing left to do.
TIMERS = """
(() => {
  const waiting = window.waiting = new Set(), set = window.setTimeout, clear = window.clearTimeout;
  window.setTimeout = (run, after = 0, ...rest) => {
    const id = set(() => { waiting.delete(id); typeof run === "function" ? run(...rest) : set(run, 0); }, after);
    // What is far away tidies up and changes nothing that is seen.
    if (after < 2000) waiting.add(id);
    return id;
  };
  window.clearTimeout = (id) => { waiting.delete(id); clear(id); };
})();
"""
# Two frames in a row without a timer.
SETTLED = """
const done = arguments[0];
let quiet = 0;
const look = () => {
  quiet = window.waiting.size ? 0 : quiet + 1;
  quiet > 2 ? done() : requestAnimationFrame(look);
};
look();
"""


class Page:
    def __init__(self, path, width=1280, dark=False, hash=""):
        self.folder = tempfile.mkdtemp(prefix="dashboard-")
        options = Options()
        for argument in ["--headless=new", "--no-sandbox", "--hide-scrollbars", f"--window-size={width},1000", "--disable-background-networking",
                         "--disable-component-update", "--no-first-run"]:
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        options.add_experimental_option("prefs", {"download.default_directory": self.folder, "download.prompt_for_download": False})
        self.browser = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
        self.browser.set_script_timeout(WAIT)
        self.width = width
        self.size(1000)
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia",
                                     {"features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})
        self.browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": TIMERS})
        self.path = Path(path).resolve()
        self.browser.get(self.path.as_uri() + hash)
        self.until(lambda: self.js("return 'ready' in document.documentElement.dataset"), "the page is ready")

    def size(self, height):
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                     {"width": self.width, "height": height, "deviceScaleFactor": 1, "mobile": self.width < 500})

    def js(self, code, *arguments):
        return self.browser.execute_script(code, *arguments)

    def at(self, id):
        return self.browser.find_element(By.ID, id)

    def text(self, id):
        return self.js("return document.getElementById(arguments[0]).textContent", id)

    def until(self, true, what):
        end = time.time() + WAIT
        while time.time() < end:
            if value := true():
                return value
            time.sleep(0.05)
        raise AssertionError(f"not within {WAIT} s: {what}")

    def settle(self):
        """Until what was asked for is drawn and written into the address."""
        self.browser.execute_async_script(SETTLED)

    def figures(self):
        return self.text("figures")

    def hash(self):
        return self.js("return location.hash")

    def show(self, id):
        self.js("document.getElementById(arguments[0]).scrollIntoView({block: 'center'})", id)
        self.settle()

    def press(self, *keys):
        for key in keys:
            ActionChains(self.browser).send_keys(key).perform()

    def tab_to(self, right, most=160):
        """Presses Tab until what has the focus is right: it must be reachable without a mouse."""
        self.js("window.scrollTo(0, 0); document.activeElement.blur()")
        for _ in range(most):
            self.press(Keys.TAB)
            if self.js(f"const e = document.activeElement; return !!e && ({right})"):
                assert self.js("const s = getComputedStyle(document.activeElement); return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0"), \
                    f"the focus is not to be seen: {right}"
                return
        raise AssertionError(f"Tab does not lead to {right}")

    def spoken(self):
        return self.text("live")

    def close(self):
        self.browser.quit()


def expect(true, what):
    if not true:
        raise AssertionError(what)


def check_filter(page):
    if not page.js("return document.querySelectorAll('.filter').length"):
        return "no filters"
    before = page.figures()
    page.at("filter0").click()
    page.settle()
    boxes = page.browser.find_elements(By.CSS_SELECTOR, "#pop0 li input")
    expect(boxes, "the list of values is empty")
    boxes[0].click()
    page.settle()
    expect("k0=" in page.hash() or len(boxes) == 1, "the filter is not in the address")
    expect(page.figures() != before or len(boxes) == 1, "the figures do not follow a filter")
    page.press(Keys.ESCAPE)
    expect(not page.js("return document.getElementById('pop0').matches(':popover-open')"), "Escape leaves the list open")
    page.at("reset").click()
    page.settle()
    expect(page.figures() == before, "Start over does not bring the first figures back")
    # By keys alone: to the button, open, type, choose the first hit, close.
    page.tab_to("e.id === 'filter0'")
    page.press(Keys.ENTER)
    page.settle()
    expect(page.js("return document.activeElement.type") == "search", "the search has no focus after opening")
    name = page.js("return document.querySelector('#pop0 li:last-child bdi').textContent")[:12]
    page.press(name, Keys.ENTER)
    page.settle()
    page.press(Keys.ESCAPE)
    page.settle()
    expect("k0=" in page.hash() or len(boxes) == 1, "a filter by keys is not in the address")
    expect(page.spoken(), "nothing is spoken after a filter")
    page.at("reset").click()
    page.settle()


def check_hover(page):
    page.show("main")
    box = page.at("main")
    ActionChains(page.browser).move_to_element_with_offset(box, 40, 10).perform()
    page.settle()
    text = page.until(lambda: page.js("return document.querySelector('#main .hoverlayer').textContent"), "the chart shows numbers under the mouse")
    expect(any(letter.isdigit() for letter in text) and "NaN" not in text, f"hover shows {text!r}")
    page.tab_to("e.id === 'main'")
    page.press(Keys.END)
    first = page.spoken()
    # At the last step of a forecast no line may show the value of another date.
    said = page.js("const h = JSON.parse(document.getElementById('head').textContent); return h.models.length && h.history < h.steps.length "
                   "? [document.querySelector('#main .hoverlayer').textContent, h.readers.target || h.target.replace(/_+/g, ' ')] : null")
    expect(not said or said[1] not in said[0], f"the history answers for a step of the forecast: {said}")
    page.press(Keys.ARROW_LEFT)
    second = page.spoken()
    steps = page.js("return JSON.parse(document.getElementById('head').textContent).steps.length")
    expect(first and (second != first or steps == 1), f"arrow keys do not read out: {first!r}, {second!r}")
    return second


def check_zoom(page):
    if page.js("return JSON.parse(document.getElementById('head').textContent).steps.length") < 6:
        return "too few steps"
    page.show("main")
    whole = page.text("main-say")
    plot = page.browser.find_element(By.CSS_SELECTOR, "#main .nsewdrag")
    width = plot.size["width"]
    ActionChains(page.browser).move_to_element_with_offset(plot, -width // 4, 0).click_and_hold().move_by_offset(width // 6, 0).move_by_offset(width // 6, 0).release().perform()
    page.settle()
    expect("from=" in page.hash() and "to=" in page.hash(), f"a drag over the chart does not zoom: {page.hash()!r}")
    page.at("reset").click()
    page.settle()
    strip = page.at("strip")
    page.show("strip")
    ActionChains(page.browser).move_to_element_with_offset(page.at("thumb-a"), 0, 0).click_and_hold().move_by_offset(strip.size["width"] // 3, 0).release().perform()
    page.settle()
    expect("from=" in page.hash(), "dragging an end of the strip does not move it")
    for id, key in [("thumb-a", Keys.ARROW_RIGHT), ("thumb-b", Keys.ARROW_LEFT)]:
        page.at("reset").click()
        page.settle()
        page.tab_to(f"e.id === '{id}'")
        before = page.js("return document.activeElement.getAttribute('aria-valuetext')")
        page.press(key)
        page.settle()
        expect(page.js("return document.activeElement.getAttribute('aria-valuetext')") != before, f"{id} does not move by keys")
    page.at("reset").click()
    page.settle()
    page.tab_to("e.id === 'main'")
    page.press("+")
    page.settle()
    expect(page.text("main-say") != whole, "+ does not zoom in")
    page.press("0")
    page.settle()
    page.tab_to("e.textContent === 'All' && e.closest('#spans')")
    page.press(Keys.TAB, Keys.ENTER)
    page.settle()
    page.tab_to("e.id === 'from'")
    page.press(Keys.ARROW_UP)
    page.settle()
    expect("from=" in page.hash(), "arrow keys in the date do not move it")
    page.at("reset").click()
    page.settle()


def check_toggle(page):
    models = page.browser.find_elements(By.CSS_SELECTOR, "#models .chip")
    if not models:
        return "no models"
    page.show("main")
    lines = lambda: page.js("return document.querySelectorAll('#main .scatterlayer .trace').length")
    before = lines()
    page.js("document.activeElement.blur()")
    off = next(m for m in models if m.get_attribute("aria-pressed") == "true")
    id = off.get_attribute("id")
    off.click()
    page.settle()
    expect(lines() < before, "a model that is off is still drawn")
    page.tab_to(f"e.id === '{id}'")
    page.press(Keys.SPACE)
    page.settle()
    expect(lines() == before, f"a model that is on again is not drawn: {lines()} lines, not {before}")
    if page.browser.find_elements(By.ID, "band0") and before > 2:
        page.tab_to("e.id === 'band0'")
        page.press(Keys.ENTER)
        page.settle()
        expect(lines() < before, "an interval that is off is still drawn")
        page.at("band0").click()
        page.settle()
        expect(lines() == before, "an interval that is on again is not drawn")


def check_drill(page):
    page.show("rank")
    names = page.browser.find_elements(By.CSS_SELECTOR, "#rank .open")
    if len(names) < 2 or not page.js("return document.querySelectorAll('.filter').length"):
        return "nothing to open"
    before = page.figures()
    names[0].click()
    page.settle()
    expect(page.figures() != before, "opening a name does not change the figures")
    expect(page.browser.find_elements(By.CSS_SELECTOR, "#crumbs b"), "there is no path back")
    page.at("undo").click()
    page.until(lambda: page.figures() == before, "Undo takes opening back")
    page.tab_to("e.closest('#rank') && e.className === 'open'")
    page.press(Keys.ENTER)
    page.settle()
    expect(page.figures() != before, "Enter on a name does not open it")
    page.tab_to("e.closest('#crumbs')")
    page.press(Keys.ENTER)
    page.settle()
    expect(page.figures() == before, "the path does not lead back")
    page.tab_to("e.closest('#list') && e.className === 'open'", 400)
    page.press(Keys.ENTER)
    page.settle()
    expect(page.figures() != before, "Enter on a series does not open it")
    page.at("reset").click()
    page.settle()


def check_map(page):
    if page.js("return document.getElementById('card-map').hidden"):
        return "no errors"
    page.show("map")
    page.until(lambda: page.js("return document.querySelectorAll('#map .hm image, #map .heatmaplayer image').length"), "the map is drawn")
    before = page.figures()
    page.tab_to("e.id === 'map'", 400)
    page.press(Keys.ARROW_DOWN)
    first = page.spoken()
    page.press(Keys.ARROW_RIGHT if page.js("return JSON.parse(document.getElementById('head').textContent).folds.length > 1") else Keys.ARROW_DOWN)
    second = page.spoken()
    expect("%" in first and first != second, f"cells are not read out: {first!r}, {second!r}")
    if not page.js("return document.querySelectorAll('.filter').length"):
        return "a single row, which is the selection"
    page.press(Keys.ENTER)
    page.settle()
    expect(page.figures() != before, "Enter on a row does not open it")
    page.at("reset").click()
    page.settle()
    page.show("map")
    plot = page.browser.find_element(By.CSS_SELECTOR, "#map .nsewdrag")
    ActionChains(page.browser).move_to_element_with_offset(plot, 5, -plot.size["height"] // 2 + 12).perform()
    page.settle()
    page.until(lambda: page.js("return document.querySelector('#map .hoverlayer').textContent"), "a cell shows its numbers under the mouse")
    ActionChains(page.browser).click().perform()
    page.settle()
    expect(page.figures() != before, "a click on a row does not open it")
    page.at("reset").click()
    page.settle()


def check_compare(page):
    page.show("compare")
    before = page.text("compare-say")
    choices = page.js("return [...document.getElementById('compare-with').options].map(o => o.value)")
    said = {before}
    for choice in choices:
        page.js("const e = document.getElementById('compare-with'); e.value = arguments[0]; e.dispatchEvent(new Event('change', {bubbles: true}))", choice)
        page.settle()
        said.add(page.text("compare-say"))
    page.tab_to("e.id === 'compare-with'", 400)
    page.press(Keys.HOME)
    page.settle()
    page.tab_to("e.id === 'compare'", 400)
    page.press(Keys.ARROW_RIGHT)
    page.at("reset").click()
    page.settle()
    if page.js("return JSON.parse(document.getElementById('head').textContent).steps.length") > 20:
        expect(len(said) > 1, f"all periods say the same: {said}")


def check_table(page):
    for id in ["main", "compare", "map", "orders"]:
        if page.js("return document.getElementById('card-' + arguments[0]).hidden", id):
            continue
        page.show("card-" + id)
        page.at("view-" + id).click()
        page.settle()
        rows = page.js("return document.querySelectorAll('#' + arguments[0] + '-plain tbody tr').length", id)
        expect(rows or "no other period" in page.text(id + "-say"), f"{id} has no table")
        shown = page.text(id + "-plain")
        expect(not any(word in shown for word in ("NaN", "undefined")), f"the table of {id} shows no number")
        page.tab_to(f"e.id === 'view-{id}'", 400)
        page.press(Keys.ENTER)
        page.settle()
        expect(page.js("return !document.getElementById(arguments[0]).hidden", id), f"{id} does not come back as a chart")


def check_download(page):
    got = []
    for id in ["main", "rank", "compare", "map", "orders", "list"]:
        if page.js("return document.getElementById('card-' + arguments[0]).hidden", id):
            continue
        before = set(Path(page.folder).iterdir())
        page.tab_to(f"e.id === 'csv-{id}'", 400)
        page.press(Keys.ENTER)

        # The browser makes the file under its name first, and writes what it holds beside that.
        def complete():
            new = set(Path(page.folder).iterdir()) - before
            is_whole = all(p.suffix == ".csv" and p.stat().st_size for p in new)
            return sorted(new) if is_whole else []

        new = page.until(complete, f"{id} is downloaded")[0]
        rows = list(csv.reader(io.StringIO(new.read_text(encoding="utf-8-sig"))))
        expect(rows and all(len(row) == len(rows[0]) for row in rows), f"{new.name} is not rectangular")
        expect(not any(cell in ("NaN", "undefined", "null", "Infinity") for row in rows for cell in row), f"{new.name} holds NaN")
        got.append(f"{new.name} {len(rows) - 1}")
    return ", ".join(got)


def check_link(page):
    names = page.browser.find_elements(By.CSS_SELECTOR, "#rank .open")
    if page.js("return document.querySelectorAll('.filter').length") and names:
        page.show("rank")
        names[-1].click()
        page.settle()
    page.js("const e = document.getElementById('rank-what'); e.value = 'change'; e.dispatchEvent(new Event('change'))")
    page.settle()
    other = Page(page.path, hash=page.hash())
    try:
        other.settle()
        for id in ["figures", "crumbs", "rank", "main-say"]:
            expect(page.text(id) == other.text(id), f"the link does not restore {id}: {page.text(id)[:200]!r}, {other.text(id)[:200]!r}")
        expect(page.hash() == other.hash(), "the link changes when it is opened")
    finally:
        other.close()
    page.at("reset").click()
    page.settle()
    # A link of somebody else's, or half of one, does no harm.
    page.js("location.hash = '#k0=%E0%A4%A&from=x&models=9.9&rankBy=77&table=nothing&k9=1&to=<b>'")
    page.settle()
    page.at("reset").click()
    page.settle()


def check_theme(page):
    colour = lambda: page.js("return getComputedStyle(document.body).backgroundColor")
    before = colour()
    page.tab_to("e.id === 'theme'")
    page.press(Keys.ENTER)
    page.settle()
    expect(colour() != before, "the theme does not change")
    page.at("theme").click()
    page.settle()
    expect(colour() == before, "the theme does not change back")
    page.press("?")
    page.settle()
    expect(page.js("return document.getElementById('keys').open"), "? does not open the list of keys")
    page.press(Keys.ESCAPE)


def check_gap(page):
    head = page.js("const h = JSON.parse(document.getElementById('head').textContent); return [h.models.length, h.history, h.ahead, h.season]")
    if not head[0] or head[2] <= head[1]:
        return "no gap"
    last = page.js("return JSON.parse(document.getElementById('head').textContent).steps.slice(-1)[0]")
    page.tab_to("e.id === 'main'")
    page.press(Keys.END)
    for _ in range(page.js("const h = JSON.parse(document.getElementById('head').textContent); return h.steps.length - h.ahead")):
        page.press(Keys.ARROW_LEFT)
    said = page.spoken()
    expect("no value" in said, f"a step of the gap is read out as {said!r}")
    # Every period that ends with the forecast compares across the gap.
    for choice in page.js("return [...document.getElementById('compare-with').options].map(o => o.value)"):
        page.js("const e = document.getElementById('compare-with'); e.value = arguments[0]; e.dispatchEvent(new Event('change', {bubbles: true}))", choice)
        page.settle()
        page.show("card-compare")
        page.at("view-compare").click()
        page.settle()
        for id in ["compare-say", "compare-plain", "figures", "rank"]:
            text = page.text(id)
            expect(not any(word in text for word in ("NaN", "undefined")), f"{id}, compared with {choice}, shows {text[:200]!r}")
        page.at("view-compare").click()
    # The ranking adds up to what is said of all: both leave out what was sold a period before the gap.
    page.at("reset").click()
    page.settle()
    page.js("const e = document.getElementById('rank-what'); e.value = 'change'; e.dispatchEvent(new Event('change'))")
    page.settle()
    page.show("rank")
    got = set(Path(page.folder).iterdir())
    page.at("csv-rank").click()
    file = page.until(lambda: [p for p in set(Path(page.folder).iterdir()) - got if p.suffix == ".csv"], "the ranking is downloaded")[0]
    rows = list(csv.reader(io.StringIO(file.read_text(encoding="utf-8-sig"))))[1:]
    change, base = (sum(float(row[place]) for row in rows) for place in (1, 2))
    said = page.text("compare-say")
    share = 100 * change / base
    shown = page.js("return [...arguments[0].matchAll(/([+−]?)([0-9.,]+) %/g)].map(m => m[0]).pop()", said)
    number = float(shown.replace("−", "-").replace("+", "").replace(" %", "").replace(",", "."))
    expect(abs(number - share) < 0.06 or abs(share) > 9.95 and abs(number - share) < 0.6, f"the ranking changes by {share:.2f} %, all by {shown}")
    page.at("reset").click()
    page.settle()
    return f"up to {last}"


def check_words(page):
    words = page.js("const h = JSON.parse(document.getElementById('head').textContent); "
                    "return {currency: h.currency, unit: h.unit, locale: h.locale, target: h.readers.target, keys: h.readers.keys}")
    if not (words["currency"] or words["unit"] or words["locale"] or words["target"]):
        return "none stated"
    for name in [words["target"], *words["keys"]]:
        expect(not name or name in page.js("return document.body.innerText"), f"the page does not say {name}")
    figure = page.js("return document.querySelector('.figure b').textContent")
    expect(not words["currency"] or words["currency"] in figure, f"no currency in {figure!r}")
    expect(not words["unit"] or figure.endswith(words["unit"]), f"no unit in {figure!r}")
    sample = page.js("return new Intl.NumberFormat(arguments[0] || 'en-US').format(1234567).replace(/[0-9]/g, '')[0] || ''", words["locale"])
    numbers = page.js("return document.getElementById('list').innerText")
    expect(not sample or sample in numbers or not any(len(part) > 3 for part in numbers.split()), f"no {sample!r} between thousands")
    page.show("main")
    title = page.js("const e = document.querySelector('#main .ytitle'); return e ? e.textContent : ''")
    for part in (words["currency"], words["unit"]):
        expect(not part or part in title, f"the axis is called {title!r}, without {part}")


def check_quiet(page):
    for entry in page.browser.get_log("browser"):
        expect(entry["level"] not in ("SEVERE", "WARNING"), f"console: {entry['message'][:300]}")
    import json
    for entry in page.browser.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            url = message["params"]["request"]["url"]
            expect(url.split("#")[0] == page.path.as_uri() or url.startswith(("data:", "blob:")), f"a request: {url[:200]}")
    for words in ("NaN", "undefined", "Infinity", "[object"):
        text = page.js("return document.body.innerText")
        expect(words not in text, f"the page shows {words}: …{text[max(0, text.find(words) - 60):text.find(words) + 40]!r}")
    expect(page.js("return document.documentElement.scrollWidth <= innerWidth"), "the page is wider than the window")


def check_axe(path, axe, pictures):
    said = []
    for width in (1280, 390):
        for dark in (False, True):
            page = Page(path, width, dark)
            try:
                for _ in range(2):
                    page.size(page.js("return Math.min(8000, document.documentElement.scrollHeight)"))
                    page.settle()
                # The page's own policy lets no other script in; the driver's scripts are above it.
                page.browser.execute_cdp_cmd("Runtime.evaluate", {"expression": Path(axe).read_text()})
                found = page.browser.execute_async_script("const d = arguments[0]; axe.run().then(r => d(r.violations.map(v => "
                                                          "[v.id, v.help, v.nodes.slice(0, 3).map(n => n.html.slice(0, 160) + ' ' + n.failureSummary.slice(0, 200))])), e => d(String(e)))")
                said.extend(f"{width} {'dark' if dark else 'light'}: {one}" for one in found)
                expect(page.js("return document.documentElement.scrollWidth <= innerWidth"), f"at {width} pixels the page is wider than the window")
                if pictures:
                    picture = page.browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})["data"]
                    (Path(pictures) / f"{Path(path).stem}-{width}-{'dark' if dark else 'light'}.png").write_bytes(base64.b64decode(picture))
            finally:
                page.close()
    expect(not said, "axe: " + "\n".join(map(str, said)))


CHECKS = {name[6:]: check for name, check in list(globals().items()) if name.startswith("check_") and name not in ("check_axe",)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="+")
    parser.add_argument("--pictures")
    parser.add_argument("--axe")
    parser.add_argument("--vnu")
    parser.add_argument("--only")
    options = parser.parse_args()
    wanted = options.only.split(",") if options.only else [*CHECKS, "axe", "html"]
    if options.pictures:
        Path(options.pictures).mkdir(parents=True, exist_ok=True)
    failed = passed = skipped = 0

    def report(path, name, work):
        nonlocal failed, passed
        start = time.time()
        try:
            said = work()
            passed += 1
            print(f"{Path(path).stem}: {name}: ok, {time.time() - start:.1f} s{f' ({said})' if said else ''}", flush=True)
        except Exception as error:  # a check that breaks is a check that fails
            failed += 1
            print(f"{Path(path).stem}: {name}: FAILED: {error if isinstance(error, AssertionError) else traceback.format_exc()[-1500:]}", flush=True)

    for path in options.pages:
        if "html" in wanted:
            if options.vnu:
                def validate(path=path):
                    done = subprocess.run(["java", "-Xss16m", "-jar", options.vnu, "--stdout", str(path)], capture_output=True, text=True)
                    expect(done.returncode == 0 and not done.stdout.strip(), done.stdout[:2000])
                report(path, "html", validate)
            else:
                skipped += 1
        if "axe" in wanted:
            if options.axe:
                report(path, "axe", lambda path=path: check_axe(path, options.axe, options.pictures))
            else:
                skipped += 1
        names = [name for name in CHECKS if name in wanted]
        if not names:
            continue
        try:
            page = Page(path)
        except Exception as error:
            failed += 1
            print(f"{Path(path).stem}: FAILED to open: {error}")
            continue
        try:
            for name in names:
                report(path, name, lambda name=name: CHECKS[name](page))
        finally:
            page.close()
    if skipped:
        print("left out: name the files of axe-core and vnu with --axe and --vnu to check them")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
