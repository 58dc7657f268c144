#!/usr/bin/env bash
# Expected: what one store of MLflow takes, its own migration takes to the other: a metric that was logged twice with the same value,
# step and time is kept, once or twice, and each run shows the same metrics afterwards as before.
#
# Seen with mlflow 3.17.2: one metric of one run logged twice, as a job that is run again with the time of its forecast does, ends
# `migrate-filestore` with exit code 1 and "UNIQUE constraint failed"; nothing of any run arrives, only a database that is empty.
# The database itself takes the repetition. And a run that shows a bias of -1 in the files shows NaN once migrated: where a value and a
# NaN share step and time the database counts NaN as 0 and shows the greater, so that NaN hides -1 and 3 hides NaN; the files show
# whichever came first. The migration counts all metrics as migrated.
#
# Run: findings/mlflow_migration_repeated_metric.sh (needs python3; fails if the behaviour has changed)
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/v"
"$home/v/bin/pip" install --quiet --disable-pip-version-check mlflow==3.17.2 protobuf==7.36.2 sqlalchemy==2.1.9 alembic==1.20.1
export MLFLOW_ALLOW_FILE_STORE=true
cat >"$home/runs.py" <<'PY'
import sys
from math import nan

from mlflow.tracking import MlflowClient

RUNS = {"-1, NaN": [-1.0, nan], "NaN, -1": [nan, -1.0], "3, NaN": [3.0, nan], "2": [2.0]}
client = MlflowClient(sys.argv[2], sys.argv[2])
if sys.argv[1] == "show":
    experiment = client.get_experiment_by_name("bias")
    runs = client.search_runs([experiment.experiment_id]) if experiment else []
    shown = {run.info.run_name: run.data.metrics["bias"] for run in runs}
    print("; ".join(f"{name}: {shown[name]:g}" for name in RUNS if name in shown) or "no runs")
else:
    experiment = client.create_experiment("bias")
    for name, values in RUNS.items():
        run = client.create_run(experiment, run_name=name).info.run_id
        for value in values * (2 if sys.argv[1] == "twice" and name == "2" else 1):
            client.log_metric(run, "bias", value, timestamp=1767225600000, step=0)
        client.set_terminated(run)
PY
runs() { "$home/v/bin/python" -W ignore "$home/runs.py" "$@" 2>>"$home/said"; }
seen=$(
    for how in once twice; do
        runs $how "file://$home/$how" && echo "files, $how: $(runs show "file://$home/$how")"
        runs $how "sqlite:///$home/$how.db" && echo "database, $how: $(runs show "sqlite:///$home/$how.db")"
        code=0
        "$home/v/bin/mlflow" migrate-filestore --source "$home/$how" --target "sqlite:///$home/$how-new.db" >"$home/out" 2>&1 || code=$?
        echo "migrated, $how: exit $code, $(runs show "sqlite:///$home/$how-new.db")"
        grep -oE "UNIQUE constraint failed|metrics +[0-9]+ +[0-9]+$" "$home/out" | head -1 | tr -s ' ' | sed 's/^/    /'
    done
)
printf '%s\n' "$seen"
expected='files, once: -1, NaN: -1; NaN, -1: nan; 3, NaN: 3; 2: 2
database, once: -1, NaN: nan; NaN, -1: nan; 3, NaN: 3; 2: 2
migrated, once: exit 0, -1, NaN: nan; NaN, -1: nan; 3, NaN: 3; 2: 2
    metrics 7 7
files, twice: -1, NaN: -1; NaN, -1: nan; 3, NaN: 3; 2: 2
database, twice: -1, NaN: nan; NaN, -1: nan; 3, NaN: 3; 2: 2
migrated, twice: exit 1, no runs
    UNIQUE constraint failed'
if [ "$seen" = "$expected" ]; then
    echo "as stated"
else
    echo "the behaviour has changed" >&2
    exit 1
fi
