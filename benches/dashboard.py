#!/usr/bin/env python3
"""How fast is a dashboard, beside the same charts served by Plotly Dash, on the same machine, in one run?

usage: benches/dashboard.py [--dash PYTHON] [--rounds N] [--sales FILE.parquet] PAGE.html ...

For each page: bytes, first contentful paint, when the numbers and the charts are there, and the answer to a filter and to a
brush: from the event to the frame after it, 50th and 95th percentile over N rounds (default 60), and its processor time, which a
busy machine does not change; the memory of the page's JavaScript.

With --dash (a Python with dash and pandas) and --sales (store, dept, date, sales): the total of a filter with its ranking by
store, served by Plotly Dash on this machine: first paint, answer to a filter from the choice to the drawn chart, resident memory
of the server. Dash needs that server as long as the page is open.

Needs selenium, Chromium and chromedriver. Say in a report how busy the machine was: it prints the load.
"""
import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

APP = r'''
import sys
import pandas as pd
import plotly.graph_objects as go
from dash import Dash, Input, Output, dcc, html
sales = pd.read_parquet(sys.argv[1], columns=["store", "dept", "date", "sales"])
app = Dash(__name__, serve_locally=True)
stores = sorted(sales["store"].unique())
app.layout = html.Div([dcc.Dropdown([str(s) for s in stores], multi=True, id="store"), dcc.Graph(id="main"), dcc.Graph(id="rank")])
@app.callback(Output("main", "figure"), Output("rank", "figure"), Input("store", "value"))
def draw(chosen):
    part = sales[sales["store"].isin([int(s) for s in chosen])] if chosen else sales
    total = part.groupby("date")["sales"].sum()
    rank = part.groupby("dept")["sales"].sum().nlargest(12)
    main = go.Figure(go.Scatter(x=total.index, y=total.values, name=",".join(chosen or [])))
    return main, go.Figure(go.Bar(x=rank.values, y=rank.index.astype(str), orientation="h"))
app.run(port=int(sys.argv[2]), debug=False)
'''

# Rounds of a change: milliseconds from the event to the frame after it, and of the event itself.
ROUNDS = """
const done = arguments[arguments.length - 1], [kind, rounds] = arguments, all = [], own = [];
const frame = () => new Promise(next => requestAnimationFrame(() => { const c = new MessageChannel(); c.port1.onmessage = next; c.port2.postMessage(0); }));
const pause = ms => new Promise(next => setTimeout(next, ms));
(async () => {
  const strip = document.getElementById('strip'), box = strip.getBoundingClientRect();
  const pointer = (type, x) => strip.dispatchEvent(new PointerEvent(type, { clientX: box.left + box.width * x, clientY: box.top + 20, bubbles: true, pointerId: 1 }));
  strip.setPointerCapture = () => {};
  let boxes = [];
  if (kind === 'filter') { document.getElementById('filter0').click(); await pause(300); }
  for (let n = 0; n < rounds; n++) {
    if (kind === 'filter') {
      boxes = [...document.querySelectorAll('#pop0 li input')];
      if (!boxes.length) break;
      const start = performance.now();
      boxes[(n * 7) % boxes.length].click();
      own.push(performance.now() - start);
      await frame();
      all.push(performance.now() - start);
    } else {
      if (n % 20 === 0) { if (n) pointer('pointerup', .5); pointer('pointerdown', .02); await frame(); }
      const start = performance.now();
      pointer('pointermove', .3 + .03 * (n % 20));
      await frame();
      all.push(performance.now() - start);
    }
    await pause(350);
  }
  return [all, own];
})().then(done, error => done(String(error)));
"""


def browser():
    options = Options()
    for argument in ["--headless=new", "--no-sandbox", "--window-size=1280,1000", "--enable-precise-memory-info"]:
        options.add_argument(argument)
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    driver.set_script_timeout(600)
    return driver


def processor(driver):
    """Seconds that the processes of the browser's pages have worked, all threads."""
    parents, seconds = {driver.service.process.pid}, 0.0
    for _ in range(4):
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit():
                continue
            try:
                fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
                if int(fields[1]) in parents:
                    parents.add(int(folder.name))
            except (OSError, IndexError):
                continue
    for pid in parents:
        try:
            if b"--type=renderer" in Path(f"/proc/{pid}/cmdline").read_bytes():
                fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
                seconds += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        except OSError:
            continue
    return seconds


def quantile(values, p):
    values = sorted(values)
    return values[min(len(values) - 1, int(p * len(values)))] if values else float("nan")


def paint(driver):
    return driver.execute_script("return Object.fromEntries(performance.getEntries().filter(e => ['paint', 'mark'].includes(e.entryType))"
                                 ".map(e => [e.name, Math.round(e.startTime)]))")


def until(true, seconds=120):
    end = time.time() + seconds
    while time.time() < end:
        if value := true():
            return value
        time.sleep(0.01)
    raise SystemExit("the page did not answer")


def page(path, rounds):
    print(f"\n{path}: {Path(path).stat().st_size / 1e6:.2f} MB, load {os.getloadavg()[0]:.1f}")
    paints = []
    for _ in range(3):
        driver = browser()
        driver.get(Path(path).resolve().as_uri())
        until(lambda: driver.execute_script("return 'ready' in document.documentElement.dataset"))
        paints.append(paint(driver))
        if len(paints) < 3:
            driver.quit()
    for name in ["first-contentful-paint", "numbers", "charts", "ready"]:
        print(f"  {name:24s} {sorted(p.get(name, -1) for p in paints)[1]:6d} ms (median of 3)")
    print(f"  JavaScript memory        {driver.execute_script('return performance.memory.usedJSHeapSize') / 1e6:6.0f} MB")
    for kind in ("brush", "filter"):
        if kind == "filter" and not driver.execute_script("return !!document.getElementById('filter0')"):
            continue
        before = processor(driver)
        answer = driver.execute_async_script(ROUNDS, kind, rounds)
        if isinstance(answer, str):
            raise SystemExit(answer)
        work = 1000 * (processor(driver) - before) / max(1, len(answer[0]))
        print(f"  {kind:8s} least {min(answer[0]):6.1f} ms   p50 {quantile(answer[0], .5):6.1f} ms   p95 {quantile(answer[0], .95):6.1f} ms   processor time {work:5.1f} ms a change, with the charts that are drawn after it")
    driver.quit()


def dash(python, sales, rounds):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        app = Path(folder) / "app.py"
        app.write_text(APP)
        server = subprocess.Popen([python, app, sales, str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            def up():
                with socket.socket() as probe:
                    return probe.connect_ex(("127.0.0.1", port)) == 0
            start = time.time()
            until(up)
            print(f"\nPlotly Dash, {sales}: server up after {time.time() - start:.1f} s, load {os.getloadavg()[0]:.1f}")
            driver = browser()
            start = time.time()
            driver.get(f"http://127.0.0.1:{port}/")
            until(lambda: driver.execute_script("return document.querySelectorAll('#main .scatterlayer .trace, #main .scatterlayer path').length"))
            print(f"  first-contentful-paint   {paint(driver).get('first-contentful-paint', -1):6d} ms   charts {1000 * (time.time() - start):6.0f} ms")
            answers = driver.execute_async_script("""
const done = arguments[arguments.length - 1], rounds = arguments[0], all = [];
(async () => {
  for (let n = 0; n < rounds; n++) {
    const start = performance.now(), value = [String(1 + n % 45)];
    const drawn = new Promise(next => document.querySelector('#main .js-plotly-plot').once('plotly_afterplot', next));
    window.dash_clientside.set_props('store', { value });
    await drawn;
    await new Promise(next => requestAnimationFrame(() => setTimeout(next)));
    all.push(performance.now() - start);
    await new Promise(next => setTimeout(next, 100));
  }
  return all;
})().then(done, error => done(String(error)));""", rounds)
            if isinstance(answers, str):
                raise SystemExit(answers)
            memory = next(line for line in Path(f"/proc/{server.pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
            print(f"  filter   p50 {quantile(answers, .5):6.1f} ms   p95 {quantile(answers, .95):6.1f} ms   server memory {int(memory.split()[1]) / 1e3:.0f} MB")
            driver.quit()
        finally:
            server.terminate()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="+")
    parser.add_argument("--dash")
    parser.add_argument("--sales")
    parser.add_argument("--rounds", type=int, default=60)
    options = parser.parse_args()
    for path in options.pages:
        page(path, options.rounds)
    if options.dash and options.sales:
        dash(options.dash, options.sales, options.rounds)


if __name__ == "__main__":
    sys.exit(main())
