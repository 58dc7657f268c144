#!/usr/bin/env bash
# Expected: a date is a value of YAML and of TOML, so that `cutoff: 2026-01-05` is a parameter like any other: shown, compared, written
# to dvc.lock. If not, a stage that asks for the parameter is refused; one that asks for another parameter of the file runs.
#
# Seen with dvc 3.67.1: one bare date anywhere in params.yaml, read by a stage or not, stops `repro` and `status` for the whole
# project (exit 255, "Unsupported value of type 'date'"). In a file of another name a stage that asks for the date is run to its end,
# and only then fails as "Object of type date is not JSON serializable": no dvc.lock is written, so that every `repro` trains anew and
# fails anew. Within quotes all is well. Who writes parameters from another program quotes cut-off dates.
#
# Run: findings/dvc_date_parameter.sh (needs python3; fails if the behaviour has changed)
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
export DVC_NO_ANALYTICS=1
python3 -m venv "$home/v"
"$home/v/bin/pip" install --quiet --disable-pip-version-check dvc==3.67.1
tried() { # what, the file of parameters, its text, the parameters that the stage asks for
    rm -rf "$home/project"
    mkdir "$home/project"
    cd "$home/project"
    "$home/v/bin/dvc" init --quiet --no-scm
    printf "$3" >"$2"
    printf 'stages:\n  fit:\n    cmd: echo trained >>log\n    params: [{%s: [%s]}]\n' "$2" "$4" >dvc.yaml
    : >log
    local ended="" command
    for command in repro repro status; do
        local code=0
        "$home/v/bin/dvc" "$command" >>out 2>>said || code=$?
        ended="$ended $command $code,"
    done
    printf '%s:%s trained %s times, locked: %s\n' "$1" "$ended" "$(grep -c trained log)" \
        "$([ -e dvc.lock ] && echo yes || echo no)"
    grep -ohE "Unsupported value of type|Object of type date is not JSON serializable" said | sort -u | sed 's/^/    /'
}
seen=$(
    set +e
    tried "date, asked for" params.yaml 'cutoff: 2026-01-05\nhorizon: 28\n' cutoff
    tried "date, not asked for" params.yaml 'cutoff: 2026-01-05\nhorizon: 28\n' horizon
    tried "date in quotes" params.yaml 'cutoff: "2026-01-05"\nhorizon: 28\n' cutoff
    tried "own file, asked for" plan.yaml 'cutoff: 2026-01-05\nhorizon: 28\n' cutoff
    tried "own file, not asked for" plan.yaml 'cutoff: 2026-01-05\nhorizon: 28\n' horizon
    tried "TOML, asked for" plan.toml 'cutoff = 2026-01-05\nhorizon = 28\n' cutoff
)
printf '%s\n' "$seen"
expected='date, asked for: repro 255, repro 255, status 255, trained 0 times, locked: no
    Unsupported value of type
date, not asked for: repro 255, repro 255, status 255, trained 0 times, locked: no
    Unsupported value of type
date in quotes: repro 0, repro 0, status 0, trained 1 times, locked: yes
own file, asked for: repro 255, repro 255, status 0, trained 2 times, locked: no
    Object of type date is not JSON serializable
own file, not asked for: repro 0, repro 0, status 0, trained 1 times, locked: yes
TOML, asked for: repro 255, repro 255, status 0, trained 2 times, locked: no
    Object of type date is not JSON serializable'
if [ "$seen" = "$expected" ]; then
    echo "as stated"
else
    echo "the behaviour has changed" >&2
    exit 1
fi
