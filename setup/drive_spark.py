"""deploy/spark/forecast.py on a master and two workers of this machine, beside one machine: the same rows, also when an executor is killed.

    python setup/drive_spark.py PROGRAM [--series N] [--models MODELS] [--keep FOLDER]

Everything listens on 127.0.0.1. The last line says how many checks passed.
"""

import argparse
import glob
import hashlib
import io
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyspark

ROOT = pathlib.Path(__file__).resolve().parent.parent
HOME = pathlib.Path(pyspark.__file__).parent
FLAGS = ["--freq", "MS", "--horizon", "12"]
KEYS = ["shop", "item"]
passed = failed = 0


def check(name, good, said=""):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    print(f"{'ok' if good else 'FAILED'}: {name}{f': {said}' if said and not good else ''}", flush=True)


def sales(series, months=60):
    """Monthly sales, a season and a trend each; the last series has a single value, which no model but a naive one fits."""
    random = np.random.default_rng(29)
    size = random.gamma(2, 20, series)[:, None]
    step = np.arange(months)
    season = 1 + 0.3 * np.sin(2 * np.pi * (step + random.integers(0, 12, series)[:, None]) / 12)
    values = np.round(size * season * (1 + 0.005 * step) * random.gamma(20, 1 / 20, (series, months)), 2)
    month = np.datetime64("2019-01", "M") + step
    table = pa.table({
        "shop": np.repeat([f"shop {i % 97:02}" for i in range(series)], months),
        "item": np.repeat(np.arange(series), months),
        "month": np.tile(month.astype("datetime64[D]").astype("datetime64[us]"), series),
        "sold": values.ravel(),
    })
    keep = np.ones(series * months, bool)
    keep[(series - 1) * months + 1 :] = False
    return table.filter(pa.array(keep))


def stream(table, batch=10_000):
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        for one in table.to_batches(max_chunksize=batch):
            writer.write_batch(one)
    return sink.getvalue()


def piped(program, data, models, *more):
    command = [program, "forecast", "--arrow", "--id", "shop,item", "--time", "month", "--target", "sold", "--models", models, *FLAGS, *more]
    return subprocess.run(command, input=data, capture_output=True)


def rows(table):
    """What a table comes to, whatever the order of its rows."""
    table = table.combine_chunks()
    strings = [field.with_type(pa.string()) if pa.types.is_large_string(field.type) else field for field in table.schema]
    times = [field.with_type(pa.timestamp("us")) if pa.types.is_timestamp(field.type) else field for field in strings]
    table = table.select([field.name for field in times]).cast(pa.schema([field.remove_metadata().with_nullable(True) for field in times]))
    table = table.sort_by([("item", "ascending"), ("model", "ascending"), ("month", "ascending")]).combine_chunks()
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return table.num_rows, hashlib.sha256(sink.getvalue()).hexdigest()


def said(path, pattern, patience=90):
    """Waits until a log says something."""
    until, found = time.monotonic() + patience, None
    while not found:
        if time.monotonic() > until:
            raise TimeoutError(f"{path} does not say {pattern}: {path.read_text()[-2000:]}")
        threading.Event().wait(0.1)
        found = re.search(pattern, path.read_text()) if path.exists() else None
    return found


class Cluster:
    """A master and two workers, with a core each."""

    def __init__(self, folder):
        self.folder, self.processes = folder, []
        self.env = {**os.environ, "SPARK_HOME": str(HOME), "SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable,
                    "SPARK_WORKER_DIR": str(folder / "work"), "SPARK_LOCAL_DIRS": str(folder / "local"), "SPARK_DAEMON_MEMORY": "512m"}
        log = self.start("master", "org.apache.spark.deploy.master.Master", "--host", "127.0.0.1", "--port", "0", "--webui-port", "0")
        self.url = said(log, r"Starting Spark master at (spark://\S+)").group(1)
        for number in (1, 2):
            log = self.start(f"worker-{number}", "org.apache.spark.deploy.worker.Worker", self.url, "--host", "127.0.0.1",
                             "--cores", "1", "--memory", "2g", "--webui-port", "0")
            said(log, "Successfully registered with master")

    def start(self, name, *command):
        log = self.folder / f"{name}.log"
        with log.open("w") as out:
            self.processes.append(subprocess.Popen([str(HOME / "bin" / "spark-class"), *command], stdout=out, stderr=out, env=self.env))
        return log

    def submit(self, *arguments):
        conf = {"spark.ui.enabled": "false", "spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1",
                "spark.executor.memory": "1g", "spark.cores.max": "2", "spark.sql.session.timeZone": "UTC"}
        stated = [word for name, value in conf.items() for word in ("--conf", f"{name}={value}")]
        command = [str(HOME / "bin" / "spark-submit"), "--master", self.url, *stated, str(ROOT / "deploy/spark/forecast.py"), *arguments]
        log = self.folder / "submit.log"
        return log, subprocess.Popen(command, stdout=log.open("w"), stderr=subprocess.STDOUT, env=self.env)

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            process.wait(30)


def executors():
    """The processes of executors that have a child: their Python workers are at work."""
    found = []
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            if b"CoarseGrainedExecutorBackend" in pathlib.Path(path).read_bytes() and b"java" in pathlib.Path(path).read_bytes():
                pid = int(path.split("/")[2])
                if any(pathlib.Path(f"/proc/{pid}/task").glob("*/children")) and "".join(
                    child.read_text() for child in pathlib.Path(f"/proc/{pid}/task").glob("*/children")
                ).strip():
                    found.append(pid)
        except OSError:
            continue
    return found


def clusters(given, folder, table, alone):
    data = folder / "sales"
    data.mkdir()
    # In the order of the months, so that every series is scattered over the files.
    table = table.sort_by([("month", "ascending"), ("item", "descending")])
    for part in range(4):
        pq.write_table(table.slice(part * table.num_rows // 4, (part + 1) * table.num_rows // 4 - part * table.num_rows // 4),
                       data / f"part-{part}.parquet")
    cluster = Cluster(folder)
    try:
        for name, parts, kill in [("two workers", 4, False), ("one executor killed", 8, True)]:
            out = folder / name.replace(" ", "-")
            began = time.monotonic()
            log, job = cluster.submit("--input", str(data), "--output", str(out), "--id", ",".join(KEYS), "--time", "month", "--target", "sold",
                                      "--partitions", str(parts), "--program", given.program, "--", "--models", given.models, *FLAGS)
            killed = None
            while job.poll() is None:
                threading.Event().wait(0.1)
                if kill and killed is None and (found := executors()):
                    killed = found[0]
                    os.kill(killed, signal.SIGKILL)
            check(f"{name}: the job ends well", job.returncode == 0, log.read_text()[-3000:])
            if kill:
                check(f"{name}: it was", killed is not None)
            if job.returncode == 0:
                check(f"{name}: the same rows as on one machine", rows(pq.read_table(out)) == alone)
            print(f"{name}: {time.monotonic() - began:.1f} s", flush=True)
    finally:
        cluster.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--series", type=int, default=2_000)
    parser.add_argument("--models", default="theta; naive")
    given = parser.parse_args()
    given.program = str(pathlib.Path(given.program).resolve())
    table = sales(given.series)

    began = time.monotonic()
    whole = piped(given.program, stream(table), given.models)
    print(f"one machine: {time.monotonic() - began:.1f} s", flush=True)
    check("one machine forecasts", whole.returncode == 0, whole.stderr.decode())
    result = pa.ipc.open_stream(whole.stdout).read_all()
    alone = rows(result)
    lost = result.filter(pa.compute.is_valid(result["failure"]))
    check("a series that cannot be forecast is a row with a reason", lost.num_rows >= 1 and lost["mean"].null_count == lost.num_rows)

    small = table.slice(0, 60 * 40)
    wanted = rows(pa.ipc.open_stream(piped(given.program, stream(small), "theta").stdout).read_all())
    shuffled = small.take(np.random.default_rng(1).permutation(small.num_rows))
    text = {"dictionaries": lambda column: column.dictionary_encode(), "views": lambda column: column.cast(pa.string_view()),
            "large strings": lambda column: column.cast(pa.large_string())}
    inputs = {"shuffled rows": shuffled, "batches of 7 rows": small}
    inputs.update({name: small.set_column(0, "shop", change(small["shop"])) for name, change in text.items()})
    inputs["nanoseconds"] = small.set_column(2, "month", small["month"].cast(pa.timestamp("ns")))
    for name, data in inputs.items():
        done = piped(given.program, stream(data, 7 if "7" in name else 1000), "theta")
        good = done.returncode == 0 and rows(pa.ipc.open_stream(done.stdout).read_all()) == wanted
        check(f"{name}: the same rows", good, done.stderr.decode()[-500:])
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, small.schema) as writer:
        for batch in [small.slice(0, 0).to_batches() or [pa.RecordBatch.from_pylist([], small.schema)], small.to_batches()]:
            for one in batch:
                writer.write_batch(one)
    done = piped(given.program, sink.getvalue(), "theta")
    check("a batch without rows: the same rows", done.returncode == 0 and rows(pa.ipc.open_stream(done.stdout).read_all()) == wanted)
    done = piped(given.program, stream(small.slice(0, 0)), "theta")
    check("no rows at all: an empty forecast of the same columns",
          done.returncode == 0 and pa.ipc.open_stream(done.stdout).read_all().schema.names == result.schema.names, done.stderr.decode())
    done = piped(given.program, stream(small)[:-8], "theta")
    check("a stream without its end is refused", done.returncode != 0 and b"end" in done.stderr, done.stderr.decode())
    done = piped(given.program, stream(small)[:-5000], "theta")
    check("a stream that is torn is refused", done.returncode != 0 and not done.stdout[-8:] == b"\xff\xff\xff\xff\0\0\0\0", done.stderr.decode())
    done = piped(given.program, b"shop,item\na,1\n", "theta")
    check("what is no stream is refused", done.returncode != 0 and b"Arrow" in done.stderr, done.stderr.decode())
    done = piped(given.program, stream(small.rename_columns(["shop", "item", "month", "sales"])), "theta")
    check("a column that is not there is named", done.returncode != 0 and b"`sold`" in done.stderr, done.stderr.decode())
    process = subprocess.Popen([given.program, "forecast", "--arrow", "--id", "shop,item", "--time", "month", "--target", "sold", "--models", "theta", *FLAGS],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    process.stdin.write(stream(small))
    process.stdin.close()
    complaint = process.stderr.read().decode()
    check("a reader that stops is no failure", process.wait(60) == 0 and "panic" not in complaint, complaint)

    with tempfile.TemporaryDirectory(prefix="tradewind-spark-") as home:
        clusters(given, pathlib.Path(home), table, alone)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
