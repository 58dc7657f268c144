"""Uses a server as those who run it do, and as those who wish it ill. Called by setup/server.

    drive_server.py PROGRAM [--only CHECK,...] [--kills N] [--axe axe.min.js] [--pictures FOLDER]

Checks: kills (SIGKILL while jobs go on; each ends once), hostile (a 2 GB upload, a slow client, 500 idle connections, names that are
HTML or SQL, a model that is damaged, a full disk), loop (drift, a rule of Prometheus, Alertmanager, the webhook, a new champion: the real
programs, with deploy/alerts.yml), pages (an upload to its download, the explorer, an override, a decision in Chromium, 1280 and 390 pixels
wide, by keyboard and by mouse, each page with axe). Ends with 'N passed, N failed, N skipped'.
"""

import argparse
import base64
import contextlib
import csv
import datetime
import hashlib
import http.client
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).resolve().parent.parent
SALES = ROOT / "data/walmart_sales_weekly.csv"
SEED = int(os.environ.get("SEED", time.time_ns() % 1_000_000))
WAIT = 120


class Skipped(Exception):
    """What cannot be tried here, and why."""


def expect(true, why):
    if not true:
        raise AssertionError(why)


def until(what, true, seconds=WAIT):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := true():
            return value
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """The program, serving from a folder."""

    def __init__(self, program, home, *arguments, models=True):
        self.program, self.home, self.arguments = program, home, list(arguments)
        if models:
            self.arguments += ["--models", home / "models"]
        self.token = None
        self.start()

    def start(self):
        command = [self.program, "serve", *self.arguments, "--listen", "127.0.0.1:0", "--state", self.home / "state"]
        self.log = open(self.home / "log", "a", encoding="utf-8")
        self.process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, stderr=self.log, text=True, cwd=self.home)
        line = self.process.stdout.readline()
        found = re.search(r"http://([\d.]+):(\d+)", line)
        expect(found, f"the server does not begin: {line} {(self.home / 'log').read_text()[-500:]}")
        self.host, self.port = found[1], int(found[2])
        return self

    def kill(self, how=signal.SIGKILL):
        self.process.send_signal(how)
        code = self.process.wait(60)
        self.process.stdout.close()
        self.log.close()
        return code

    def ask(self, method, path, body=None, headers=None, timeout=60):
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        headers = dict(headers or {})
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def json(self, method, path, body=None, headers=None):
        status, text = self.ask(method, path, body, headers)
        try:
            return status, json.loads(text)
        except ValueError:
            return status, text

    def job(self, request, key=None):
        return self.json("POST", "/v1/jobs", request, {"Idempotency-Key": key} if key else None)

    def memory(self):
        """MB that the process has in memory."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", text)[1]) / 1024

    def is_well(self):
        return self.ask("GET", "/readyz")[0] == 200


@contextlib.contextmanager
def serving(program, home, *arguments, **options):
    server = Server(program, home, *arguments, **options)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.kill()


def run(program, *arguments, cwd=ROOT):
    done = subprocess.run([str(program), *map(str, arguments)], cwd=cwd, capture_output=True, text=True)
    expect(done.returncode == 0, f"{arguments}: {done.stderr}")
    return done.stdout


def with_models(program, home):
    (home / "models").mkdir(parents=True)
    run(program, "-q", "fit", SALES, "--models", "ets(season=52); theta", "--horizon", "8", "--save", home / "models/weekly.fits")


# ---------------------------------------------------------------------------------------------------------------------- kills

PLAN = {"id": ["Store", "Dept"], "time": "Date", "target": "Weekly_Sales", "models": "naive; theta; ets(season=52)", "horizon": 8, "folds": 4}


def check_kills(program, home, arguments):
    """Jobs of three kinds are started while the server is killed at random moments: each ends once, with the same table as ever."""
    draw, kills = random.Random(SEED), arguments.kills
    with_models(program, home)
    server = Server(program, home, "--workers", "2")
    status, upload = server.json("POST", "/v1/uploads?name=sales.csv", SALES.read_bytes(), {"Content-Type": "application/octet-stream"})
    expect(status == 201, upload)
    requests = [
        {"kind": "forecast", "model": "weekly"},
        {"kind": "forecast", "upload": upload["id"], "plan": PLAN},
        {"kind": "forecast", "model": "weekly", "plan": {"models": "theta", "horizon": 4}},
    ]
    ids = {}
    for kill in range(kills):
        for number, request in enumerate(requests):
            key = f"{kill}-{number}"
            # Once more with the same key, as a client does that has lost the answer.
            for _ in range(2):
                status, job = server.job(request, key)
                expect(status in (202, 429), job)
                if status == 202:
                    expect(ids.setdefault(key, job["id"]) == job["id"], "the same key is another job")
        time.sleep(draw.uniform(0.0, 1.0))
        server.kill()
        server.start()

    def all_over():
        jobs = [server.json("GET", f"/v1/jobs/{id}")[1] for id in ids.values()]
        return jobs if all(job["state"] in ("done", "failed", "cancelled") for job in jobs) else None

    jobs = until("every job is over", all_over, 600)
    tables = {}
    for key, job in zip(ids, jobs):
        expect(job["state"] == "done", job)
        status, table = server.ask("GET", f"/v1/jobs/{job['id']}/result?format=csv")
        expect(status == 200, table)
        expect(len(table.splitlines()) == job["rows"] + 1, f"{job['rows']} rows, not {len(table.splitlines()) - 1}")
        tables.setdefault(key.split("-")[1], set()).add(hashlib.sha256(table).hexdigest())
    expect(all(len(of) == 1 for of in tables.values()), "jobs of one kind have different tables")
    expect(server.kill(signal.SIGTERM) == 0, "it does not end well")
    begun = (home / "log").read_text().count('"a job begins"')
    return f"{kills} kills, {len(jobs)} jobs, each done once; {begun} times one was begun"


# -------------------------------------------------------------------------------------------------------------------- hostile


def raw_upload(server, size, name="big.csv"):
    """Sends a file of `size` bytes without ever holding it; the answer, and the most memory that the server took meanwhile."""
    stream = socket.create_connection((server.host, server.port), timeout=60)
    head = f"POST /v1/uploads?name={name} HTTP/1.1\r\nHost: {server.host}:{server.port}\r\nContent-Type: application/octet-stream\r\n" \
           f"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    stream.sendall(head.encode())
    piece = b"1,2010-02-05,24924.5\n" * 50_000
    chunk = f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
    sent, most = 0, server.memory()
    with contextlib.suppress(OSError):
        while sent < size:
            stream.sendall(chunk)
            sent += len(piece)
            most = max(most, server.memory())
        stream.sendall(b"0\r\n\r\n")
    answer = b""
    with contextlib.suppress(OSError):
        while part := stream.recv(65536):
            answer += part
    stream.close()
    return answer, sent, most


def check_hostile(program, home, _):
    with_models(program, home)
    evil = "<script>alert(1)</script>'; DROP TABLE jobs;--"
    with open(home / "evil.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["Store", "Date", "Sales"])
        for day in range(60):
            writer.writerow([evil, datetime.date(2024, 1, 1) + datetime.timedelta(days=day), 100 + day % 7])
    run(program, "-q", "fit", home / "evil.csv", "--id", "Store", "--time", "Date", "--target", "Sales", "--models", "naive", "--save",
        home / "models/evil.fits")
    (home / "models/spoilt.fits").write_bytes((home / "models/weekly.fits").read_bytes()[:4000])
    said = []
    with serving(program, home) as server:
        status, models = server.json("GET", "/v1/models")
        spoilt = [model for model in models["models"] if model["name"] == "spoilt"]
        expect(spoilt and spoilt[0]["problem"], "a damaged model is not named")
        status, refused = server.json("POST", "/v1/forecast", {"model": "spoilt"})
        expect((status, refused["type"]) == (503, "urn:tradewind:damaged-model"), refused)

        name = f"Store={evil}"
        status, answer = server.json("POST", "/v1/forecast", {"model": "evil", "series": [name]})
        expect(status == 200 and answer["forecasts"][0]["series"] == name, answer)
        status, page = server.ask("GET", f"/explore?model=evil&series={quote(name)}")
        expect(status == 200 and b"<script>alert" not in page, "a name is not escaped")
        many = [f"Store={number}" for number in range(10_000)]
        status, refused = server.json("POST", "/v1/forecast", {"model": "weekly", "series": many, "horizon": 8})
        expect(status == 413, refused)
        for body, kind, wanted in [(b"{", "application/json", 400), (b"{}", "text/plain", 415), (b"[]", "application/json", 422),
                                   (b'{"model": "no"}', "application/json", 404), (b'{"horizon": -1}', "application/json", 422)]:
            status, refused = server.json("POST", "/v1/forecast", body, {"Content-Type": kind})
            expect(status == wanted and refused["type"].startswith("urn:tradewind:"), (body, status, refused))

        before = server.memory()
        answer, sent, most = raw_upload(server, 2 << 30)
        expect(b" 413 " in answer.split(b"\r\n")[0] and b"200 MB" in answer, answer[:300])
        expect(most < before + 64, f"{most:.0f} MB after {before:.0f}")
        expect(not list((home / "state/uploads").rglob("*.part")) and server.is_well(), "something is left of it")
        said.append(f"2 GB refused after {sent >> 20} MB, memory {before:.0f} to {most:.0f} MB")

        idle = [socket.create_connection((server.host, server.port)) for _ in range(500)]
        slow = socket.create_connection((server.host, server.port))
        slow.sendall(b"POST /v1/forecast HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
        begun = time.monotonic()
        for _ in range(20):
            expect(server.json("POST", "/v1/forecast", {"model": "weekly", "horizon": 2})[0] == 200, "idle connections hold it up")
        said.append(f"20 answers beside 500 idle connections in {time.monotonic() - begun:.1f} s")
        for stream in [*idle, slow]:
            stream.close()

        status, job = server.job({"kind": "forecast", "model": "weekly", "plan": {"data": "/etc/passwd"}})
        expect(status == 422, job)
        expect(server.kill(signal.SIGTERM) == 0, "it does not end well")
    said.append(full_disk(program, home))
    return "; ".join(said)


def full_disk(program, home):
    """A disk of 40 MB for all that the server keeps."""
    disk = home / "disk"
    disk.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m", "none", disk], capture_output=True).returncode:
        return "no full disk (a file system cannot be mounted here)"
    try:
        (disk / "models").symlink_to(home / "models")
        with serving(program, disk) as server:
            answer, _, _ = raw_upload(server, 100 << 20)
            expect(b" 507 " in answer.split(b"\r\n")[0], answer[:300])
            expect(server.is_well(), "it is not well after a refused upload")
            with open(disk / "filler", "wb") as filler, contextlib.suppress(OSError):
                while True:
                    filler.write(bytes(1 << 16))
                    filler.flush()
            statuses = set()
            for number in range(40):
                status, answer = server.job({"kind": "forecast", "model": "weekly"}, f"full-{number}")
                statuses.add(status)
                expect(status in (202, 507, 503), answer)
            expect(server.json("POST", "/v1/forecast", {"model": "weekly", "horizon": 2})[0] == 200, "no forecast while the disk is full")
            (disk / "filler").unlink()
            status, job = server.job({"kind": "forecast", "model": "weekly"}, "after")
            expect(status == 202, job)
            until("a job ends after room was made", lambda: server.json("GET", f"/v1/jobs/{job['id']}")[1]["state"] == "done")
            expect(server.kill(signal.SIGTERM) == 0, "it does not end well")
        return f"a full disk is answered {sorted(statuses)}, and forecasts go on"
    finally:
        subprocess.run(["umount", disk], check=False)


# ----------------------------------------------------------------------------------------------------------------------- loop


def check_loop(program, home, _):
    """Sales drift; a rule fires; Alertmanager tells the server, which lets a challenger against the champion."""
    for tool in ["prometheus", "prometheus-alertmanager"]:
        if not shutil.which(tool):
            raise Skipped(f"{tool} is not installed")
    first = datetime.date(2023, 1, 2)

    def sold(series, day):
        noise = random.Random(f"{series} {day}").gauss(0, 2)
        # From day 400 on a new level and a new pattern of the week: what the champion has learnt no longer holds.
        return 100 + 10 * series + 20 * (day % 7 < 2) + noise if day < 400 else 300 + 10 * series + 90 * (day % 7 > 4) + noise

    def write(days):
        with open(home / "sales.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["shop", "date", "sales"])
            for series in range(4):
                writer.writerows([f"s{series}", first + datetime.timedelta(days=day), f"{sold(series, day):.2f}"] for day in range(days))

    write(400)
    store = home / "monitor.db"
    (home / "plan.toml").write_text(
        'data = "sales.csv"\nid = ["shop"]\ntime = "date"\ntarget = "sales"\nmodels = "seasonal_naive(season=7); ets(season=7)"\n'
        'horizon = 7\nfolds = 4\nexperiment = "shops"\ntrack = "runs"\nstore = "monitor.db"\n')
    run(program, "-q", "retrain", "plan.toml", cwd=home)
    rules = (ROOT / "deploy/alerts.yml").read_text()
    # The rule as it is shipped, without the patience of those who run it.
    rules = rules.replace("for: 15m", "for: 2s")
    (home / "alerts.yml").write_text(rules)
    ports = {name: free_port() for name in ["prometheus", "alertmanager"]}
    with serving(program, home, "plan.toml", "--store", store, models=False) as server:
        served = lambda: server.json("GET", "/v1/models")[1]["models"][0]["version"]
        before = served()
        status, issued = server.json("POST", "/v1/forecast", {"issue": "first week"})
        expect(status == 200, issued)
        server.token = run(program, "token", "new", "machines", "--role", "operator", "--store", store, cwd=home).strip()
        (home / "token").write_text(server.token)
        until("the token is known", lambda: server.ask("GET", "/metrics")[0] == 200)
        (home / "alertmanager.yml").write_text(json.dumps({
            "route": {"receiver": "tradewind", "group_wait": "0s", "group_interval": "1s"},
            "receivers": [{"name": "tradewind", "webhook_configs": [{
                "url": f"http://127.0.0.1:{server.port}/v1/alerts", "send_resolved": False,
                "http_config": {"authorization": {"credentials_file": str(home / "token")}}}]}]}))
        (home / "prometheus.yml").write_text(json.dumps({
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"}, "rule_files": [str(home / "alerts.yml")],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{ports['alertmanager']}"]}]}]},
            "scrape_configs": [{"job_name": "tradewind", "authorization": {"credentials_file": str(home / "token")},
                                "static_configs": [{"targets": [f"127.0.0.1:{server.port}"]}]}]}))
        commands = [
            ["prometheus-alertmanager", f"--config.file={home}/alertmanager.yml", f"--storage.path={home}/am",
             f"--web.listen-address=127.0.0.1:{ports['alertmanager']}", "--cluster.listen-address="],
            ["prometheus", f"--config.file={home}/prometheus.yml", f"--storage.tsdb.path={home}/tsdb",
             f"--web.listen-address=127.0.0.1:{ports['prometheus']}"]]
        with open(home / "tools.log", "w", encoding="utf-8") as log:
            tools = [subprocess.Popen(command, stdout=log, stderr=log) for command in commands]
            try:
                jobs = lambda: [job for job in server.json("GET", "/v1/jobs")[1]["jobs"] if job["kind"] == "retrain"]
                expect(not jobs(), "it retrains before anything drifts")
                begun = time.monotonic()
                write(500)
                run(program, "-q", "monitor", "actuals", "plan.toml", "--store", store, cwd=home)
                until("the alert starts a retraining", jobs)
                job = until("it ends", lambda: [job for job in jobs() if job["state"] in ("done", "failed")])[0]
                expect(job["state"] == "done", job)
                after = until("the new champion is served", lambda: (version := served()) != before and version)
                took = time.monotonic() - begun
                # Told again and again, the same alert starts nothing more.
                alerts = [{"status": "firing", "labels": {"action": "retrain"}, "fingerprint": "f", "startsAt": "2026-01-01T00:00:00Z"}]
                ids = {json.dumps(server.json("POST", "/v1/alerts", {"alerts": alerts})[1]) for _ in range(3)}
                expect(len(ids) == 1, ids)
                return f"from sales to version {after} after {before} in {took:.1f} s: {job['note']}"
            finally:
                for tool in tools:
                    tool.terminate()
                    tool.wait()


# ---------------------------------------------------------------------------------------------------------------------- pages


class Browser:
    """A window in which a person works at the pages, with the keyboard or with the mouse."""

    def __init__(self, server, width, by_keyboard, axe, pictures):
        from selenium import webdriver
        from selenium.webdriver.common.by import By
        from selenium.webdriver.common.keys import Keys

        self.by, self.keys, self.by_keyboard = By, Keys, by_keyboard
        self.url, self.width, self.axe, self.pictures = f"http://{server.host}:{server.port}", width, axe, pictures
        self.folder = Path(tempfile.mkdtemp(prefix="pages-"))
        options = webdriver.ChromeOptions()
        for argument in ["--headless=new", "--no-sandbox", "--hide-scrollbars", f"--window-size={width},900", "--disable-background-networking",
                         "--disable-component-update", "--no-first-run"]:
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        options.add_experimental_option("prefs", {"download.default_directory": str(self.folder), "download.prompt_for_download": False})
        self.driver = webdriver.Chrome(options=options, service=webdriver.ChromeService("/usr/bin/chromedriver"))
        self.driver.set_script_timeout(60)
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                    {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500})
        self.looked = 0

    def close(self):
        errors = [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]
        self.driver.quit()
        shutil.rmtree(self.folder, ignore_errors=True)
        expect(not errors, f"the browser complains: {errors}")

    def js(self, code, *arguments):
        return self.driver.execute_script(code, *arguments)

    def open(self, path):
        self.driver.get(self.url + path)

    def find(self, selector):
        return until(f"{selector} on {self.driver.current_url}", lambda: self.driver.find_elements(self.by.CSS_SELECTOR, selector), 30)[0]

    def text(self, selector="main"):
        return self.find(selector).text

    def go_to(self, selector):
        """Puts the focus on it: by Tab alone, or by a click."""
        wanted = self.find(selector)
        if not self.by_keyboard:
            self.js("arguments[0].scrollIntoView({block: 'center'})", wanted)
            return wanted
        self.js("document.activeElement.blur()")
        for _ in range(200):
            self.type(self.keys.TAB)
            if self.driver.switch_to.active_element == wanted:
                seen = self.js("const s = getComputedStyle(arguments[0]); return s.outlineStyle !== 'none' || s.boxShadow !== 'none'", wanted)
                expect(seen, f"the focus is not to be seen on {selector}")
                return wanted
        raise AssertionError(f"{selector} is not reached by the keyboard")

    def type(self, *keys):
        from selenium.webdriver.common.action_chains import ActionChains

        ActionChains(self.driver).send_keys(*keys).perform()

    def press(self, selector):
        wanted = self.go_to(selector)
        wanted.send_keys(self.keys.SPACE if wanted.get_attribute("type") == "checkbox" else self.keys.ENTER) if self.by_keyboard else wanted.click()

    def fill(self, selector, text):
        wanted = self.go_to(selector)
        wanted.send_keys(self.keys.CONTROL, "a")
        wanted.send_keys(text)

    def choose(self, selector, value):
        from selenium.webdriver.support.ui import Select

        wanted = self.go_to(selector)
        if not self.by_keyboard:
            return Select(wanted).select_by_value(value)
        for _ in range(20):
            if wanted.get_attribute("value") == value:
                return None
            wanted.send_keys(self.keys.ARROW_DOWN)
        raise AssertionError(f"{selector} has no {value}")

    def leave(self, act):
        """Does what leads to another page, and waits for it."""
        self.js("window.here = true")
        act()
        until("another page", lambda: self.js("return !window.here && document.readyState === 'complete'"), 60)

    def look(self, name):
        """The page as it is: nothing wider than the window, no number that is none, nothing that axe finds."""
        self.looked += 1
        # A phone widens its window for what does not fit: that has to be none.
        wide = self.js("return Math.max(innerWidth, document.documentElement.scrollWidth)")
        expect(wide <= self.width, f"{name} is {wide} pixels wide, not {self.width}")
        words = re.findall(r"\b(NaN|undefined|null|Infinity)\b|\d\.\d{7,}", self.text("body"))
        expect(not words, f"{name} shows {words}")
        if self.pictures:
            height = min(8000, self.js("return document.documentElement.scrollHeight"))
            shot = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png", "captureBeyondViewport": True, "clip": {
                "x": 0, "y": 0, "width": self.width, "height": height, "scale": 1}})
            way = "keys" if self.by_keyboard else "mouse"
            (self.pictures / f"{name}-{self.width}-{way}.png").write_bytes(base64.b64decode(shot["data"]))
        if self.axe:
            # The pages let no script in that is not theirs; the driver's are above that.
            self.driver.execute_cdp_cmd("Runtime.evaluate", {"expression": self.axe})
            found = self.driver.execute_async_script(
                "const d = arguments[0]; axe.run().then(r => d(r.violations.map(v => v.id + ': ' + v.nodes.slice(0, 2).map(n => n.html.slice(0, 160)))))")
            expect(not found, f"{name}: {found}")

    def downloaded(self, end):
        def whole():
            files = list(self.folder.iterdir())
            return files if files and all(file.suffix == end and file.stat().st_size for file in files) else None

        file = until(f"a file {end}", whole, 30)[0]
        content = file.read_bytes()
        file.unlink()
        return content


def use(page):
    """From the first page to orders, as a planner would."""
    page.open("/")
    page.look("overview")
    for path in ["/dashboard", "/monitoring", "/runs", "/jobs", "/api"]:
        page.open(path)
        page.look(path[1:])

    page.open("/explore?model=holidays")
    figure = lambda: page.js("return document.querySelector('main figure, main .plot, main .wide').outerHTML.length + document.querySelector('main').innerText")
    page.choose("#method", "ridge")
    until("the method is shown", lambda: "ridge" in page.text())
    page.fill("#on_hand", "20000")
    page.js("document.activeElement.blur()")
    until("an order", lambda: "To order now" in page.text(), 30)
    before, order = figure(), page.text(".order")
    page.press("[name='v1.IsHoliday']")
    until("the figure moves", lambda: figure() != before, 30)
    until("the order moves", lambda: page.text(".order") != order, 30)
    page.look("explore")

    page.open("/upload")
    page.look("upload")
    # What a person chooses in a window of the system.
    page.find("#file").send_keys(str(SALES))
    page.leave(lambda: page.press("form[data-upload] button.main"))
    page.look("columns")
    page.leave(lambda: page.press("[formaction$='/audit']"))
    page.look("audit")
    page.leave(lambda: page.press("main p a.button"))
    page.leave(lambda: page.press("form[method=get] button.main"))
    for name in ["ets", "auto"]:
        ticks = page.driver.find_elements(page.by.CSS_SELECTOR, f"input[name=method][value='{name}']")
        if ticks and ticks[0].is_selected():
            page.press(f"input[name=method][value='{name}']")
    page.leave(lambda: page.press("form[action$='/forecast'] button.main"))
    until("the job is done", lambda: page.driver.find_elements(page.by.CSS_SELECTOR, "a[href$='format=csv']"), 120)
    page.look("result")
    page.press("a[href$='format=csv']")
    table = page.downloaded(".csv").decode()
    expect(len(table.splitlines()) > 7 and table.startswith("Store,Dept,"), table[:200])
    page.press("a[href$='format=xlsx']")
    expect(page.downloaded(".xlsx")[:2] == b"PK", "no workbook")

    page.open("/overrides")
    page.fill("[name='key.Store']", "1")
    page.choose("#how", "percent")
    page.fill("#amount", "20")
    page.fill("#reason", "The new car park opens")
    page.leave(lambda: page.press("form[aria-labelledby=new] button.main"))
    expect("The new car park opens" in page.text(), page.text())
    page.look("overrides")
    page.leave(lambda: page.press("form[action$='/withdraw'] button"))
    page.look("withdrawn")

    page.open("/decisions")
    page.choose("#model", "holidays")
    page.fill("#stock", "Store=1, Dept=1, 12000\nStore=1, Dept=3, 500, 200\nStore=9, Dept=9, 4")
    page.leave(lambda: page.press("form.decide button.main"))
    expect("What to order" in page.text() and "1 item without an order" in page.text(), page.text())
    page.look("decisions")
    page.press("button[name=download]")
    orders = page.downloaded(".csv").decode()
    expect(len(orders.splitlines()) == 3 and "order" in orders.splitlines()[0], orders)
    return page.looked


def check_pages(program, home, arguments):
    try:
        import selenium  # noqa: F401
    except ImportError:
        raise Skipped("selenium is not installed (setup/look.txt)") from None
    if not (shutil.which("chromium") and shutil.which("chromedriver")):
        raise Skipped("there is no Chromium with its driver")
    (home / "models").mkdir()
    columns = ["--known", "IsHoliday", "--horizon", "8"]
    run(program, "-q", "fit", SALES, *columns, "--models", "ets(season=52); ridge", "--save", home / "models/holidays.fits")
    (home / "plan.toml").write_text(
        f'title = "Weekly sales"\ndata = "{SALES}"\nid = ["Store", "Dept"]\ntime = "Date"\ntarget = "Weekly_Sales"\n'
        'models = "seasonal_naive; theta"\nhorizon = 8\nfolds = 4\nexperiment = "departments"\ntrack = "runs"\nstore = "monitor.db"\n')
    run(program, "-q", "retrain", "plan.toml", cwd=home)
    axe = arguments.axe.read_text() if arguments.axe else ""
    if arguments.pictures:
        arguments.pictures.mkdir(parents=True, exist_ok=True)
    looked = 0
    with serving(program, home, "plan.toml", "--store", home / "monitor.db") as server:
        for width in (1280, 390):
            for by_keyboard in (True, False):
                page = Browser(server, width, by_keyboard, axe, arguments.pictures)
                try:
                    looked += use(page)
                except Exception as why:
                    raise AssertionError(f"{width} pixels by {'keyboard' if by_keyboard else 'mouse'}: {why}") from why
                finally:
                    page.close()
    return f"{looked} pages looked at{'' if axe else ', without axe'}"


CHECKS = {"pages": check_pages, "kills": check_kills, "hostile": check_hostile, "loop": check_loop}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", type=Path)
    parser.add_argument("--only", default=",".join(CHECKS))
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--axe", type=Path)
    parser.add_argument("--pictures", type=Path)
    arguments = parser.parse_args()
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    print(f"seed {SEED}", flush=True)
    for name in arguments.only.split(","):
        begun = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="server-") as folder:
            try:
                said, what = CHECKS[name](arguments.program.resolve(), Path(folder), arguments), "passed"
            except Skipped as why:
                said, what = str(why), "skipped"
            except Exception as why:
                said, what = f"{type(why).__name__}: {why}", "failed"
                if keep := os.environ.get("KEEP"):
                    shutil.copytree(folder, Path(keep) / name, dirs_exist_ok=True, symlinks=True)
        counts[what] += 1
        print(f"{name}: {what}, {time.monotonic() - begun:.1f} s: {said}", flush=True)
    print(", ".join(f"{count} {what}" for what, count in counts.items()))
    sys.exit(counts["failed"] > 0)


if __name__ == "__main__":
    main()
