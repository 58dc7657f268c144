#!/usr/bin/env bash
# Expected: a plot whose `x` is a column of dates has an axis of time; if the dates were not understood, DVC would refuse the file or
# warn, or would at least place the values one after the other.
#
# Seen with dvc 3.67.1 (drawn by vl-convert-python 1.9.0): all built-in templates with lines or points call `x` quantitative. Dates as
# text are no numbers, so that nothing is drawn at all: an empty frame with the right scale for y. `dvc plots show` ends with 0, and
# says nothing. The same values numbered 0, 1, 2 … make the expected line, and so do the dates with a template of one's own that
# calls x temporal. Who follows a forecast, or errors by cut-off, in DVC needs such a template.
#
# Run: findings/dvc_plots_dates_draw_nothing.sh (needs python3; fails if the behaviour has changed)
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
export DVC_NO_ANALYTICS=1
python3 -m venv "$home/v"
"$home/v/bin/pip" install --quiet --disable-pip-version-check dvc==3.67.1 dvc-render==1.0.2 vl-convert-python==1.9.0.post1
mkdir "$home/project"
cd "$home/project"
"$home/v/bin/dvc" init --quiet --no-scm
"$home/v/bin/python" - <<'PY'
from datetime import date, timedelta

for name in ("dated", "numbered"):
    with open(f"{name}.csv", "w") as file:
        file.write("when,sales\n")
        for i in range(28):
            when = date(2026, 1, 1) + timedelta(i) if name == "dated" else i
            file.write(f"{when},{100 + 10 * (i % 7)}\n")
PY
mkdir .dvc/plots
"$home/v/bin/dvc" plots templates simple >simple.json
"$home/v/bin/python" - <<'PY'
import json

template = json.load(open("simple.json"))
template["encoding"]["x"]["type"] = "temporal"
json.dump(template, open(".dvc/plots/time.json", "w"))
PY
drawn() {
    "$home/v/bin/dvc" plots show --show-vega -x when -y sales -t "$2" "$1.csv" >plot.json 2>said
    printf '%s %s: exit %s, words %s, ' "$1" "$2" "$?" "$(wc -w <said)"
    "$home/v/bin/python" - <<'PY'
import json
import re

import vl_convert

svg = vl_convert.vegalite_to_svg(json.load(open("plot.json")))
lines = re.findall(r'<path [^>]*aria-roledescription="line mark"[^>]*>', svg)
corners = [len(re.findall("[ML]", path)) for line in lines for path in re.findall(r' d="([^"]*)"', line)]
dots = len(re.findall('aria-roledescription="point" transform', svg))
print("values drawn", max(corners + [dots]))
PY
}
seen=$(for template in linear simple smooth scatter; do drawn numbered $template; drawn dated $template; done; drawn dated time)
printf '%s\n' "$seen"
expected='numbered linear: exit 0, words 0, values drawn 28
dated linear: exit 0, words 0, values drawn 0
numbered simple: exit 0, words 0, values drawn 28
dated simple: exit 0, words 0, values drawn 0
numbered smooth: exit 0, words 0, values drawn 28
dated smooth: exit 0, words 0, values drawn 0
numbered scatter: exit 0, words 0, values drawn 28
dated scatter: exit 0, words 0, values drawn 0
dated time: exit 0, words 0, values drawn 28'
if [ "$seen" = "$expected" ]; then
    echo "as stated"
else
    echo "the behaviour has changed" >&2
    exit 1
fi
