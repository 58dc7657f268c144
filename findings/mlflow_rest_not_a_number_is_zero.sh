#!/usr/bin/env bash
# Expected: a tracking server that is sent a metric it cannot read as a number answers 400 and stores nothing, as it does for null; or
# it takes further spellings of NaN for NaN.
#
# Seen with mlflow 3.17.2: `NaN` without quotes, which is what Python's json writes, and "nan", which is what Python's str and C print,
# are stored as 0.0 at step 0 in the year 1970, and the answer is 200. In `runs/log-batch` so is any text, and whatever stands behind
# it in the request, further metrics and all parameters, is lost. A parameter that is a number rather than text is stored as empty
# text, a moment with a fraction of a millisecond as 1970, each with the same loss and a 200. A scaled error of a constant series
# thus becomes 0, the best of all models. Who writes to this interface sends "NaN" in quotes, whole milliseconds and parameters as
# text, and reads back what arrived.
#
# Run: findings/mlflow_rest_not_a_number_is_zero.sh (needs python3; fails if the behaviour has changed)
set -euo pipefail
home=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" && wait "$server" 2>/dev/null || true; rm -rf "$home"' EXIT
python3 -m venv "$home/v"
"$home/v/bin/pip" install --quiet --disable-pip-version-check mlflow==3.17.2 protobuf==7.36.2 sqlalchemy==2.1.9 alembic==1.20.1
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cd "$home"
"$home/v/bin/mlflow" server --backend-store-uri "sqlite:///$home/runs.db" --artifacts-destination "$home/artifacts" \
    --host 127.0.0.1 --port "$port" --workers 1 >log 2>&1 &
server=$!
seen=$(python3 - "http://127.0.0.1:$port/api/2.0/mlflow/" <<'PY'
import json
import sys
import time
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

MOMENT = 1767225600000


def ask(path, text=None):
    """The status and the answer; `text` is what is posted, as it is."""
    request = Request(sys.argv[1] + path, text and text.encode(), {"Content-Type": "application/json"})
    try:
        with urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read())
    except HTTPError as error:
        return error.code, {}


for _ in range(300):
    try:
        experiment = ask("experiments/create", '{"name": "scores"}')[1]["experiment_id"]
        break
    except URLError:
        time.sleep(1)


def metric(name, value, moment=MOMENT):
    return f'{{"key": "{name}", "value": {value}, "timestamp": {moment}, "step": 7}}'


def told(what, path, body):
    run = ask("runs/create", f'{{"experiment_id": "{experiment}"}}')[1]["run"]["info"]["run_id"]
    status, _ = ask(path, f'{{"run_id": "{run}", {body}}}')
    data = ask(f"runs/get?run_id={run}")[1]["run"]["data"]
    kept = [f"{m['key']} {m['value']} at step {m['step']}{'' if m['timestamp'] else ' in 1970'}" for m in data.get("metrics", [])]
    kept += [f"{p['key']}={p['value'] or '(empty)'}" for p in data.get("params", [])]
    print(f"{what}: {status}; {', '.join(kept) or 'nothing'}")


for value in ("0.8", '"NaN"', "NaN", '"nan"', '"n/a"', "null"):
    told(f"alone, {value}", "runs/log-metric", metric("mase", value)[1:-1])
PARAMETER = '"params": [{"key": "season", "value": "7"}]'
for value in ("0.8", '"NaN"', "NaN", '"nan"', '"n/a"', "null"):
    told(f"among others, {value}", "runs/log-batch", f'"metrics": [{metric("mase", value)}, {metric("wape", 0.2)}], {PARAMETER}')
told("a moment of …000.5", "runs/log-batch", f'"metrics": [{metric("mase", 0.8, MOMENT + 0.5)}, {metric("wape", 0.2)}], {PARAMETER}')
told("a parameter of 28", "runs/log-batch", f'"params": [{{"key": "horizon", "value": 28}}], "metrics": [{metric("mase", 0.8)}]')
PY
)
printf '%s\n' "$seen"
expected='alone, 0.8: 200; mase 0.8 at step 7
alone, "NaN": 200; mase NaN at step 7
alone, NaN: 200; mase 0.0 at step 0 in 1970
alone, "nan": 200; mase 0.0 at step 0 in 1970
alone, "n/a": 400; nothing
alone, null: 400; nothing
among others, 0.8: 200; mase 0.8 at step 7, wape 0.2 at step 7, season=7
among others, "NaN": 200; mase NaN at step 7, wape 0.2 at step 7, season=7
among others, NaN: 200; mase 0.0 at step 0 in 1970
among others, "nan": 200; mase 0.0 at step 0 in 1970
among others, "n/a": 200; mase 0.0 at step 0 in 1970
among others, null: 400; nothing
a moment of …000.5: 200; mase 0.8 at step 0 in 1970
a parameter of 28: 200; horizon=(empty)'
if [ "$seen" = "$expected" ]; then
    echo "as stated"
else
    echo "the behaviour has changed" >&2
    exit 1
fi
