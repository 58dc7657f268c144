#!/usr/bin/env python3
"""What no tool checks of the files in deploy/. setup/deploy calls it.

files          every alert has a section in docs/deploy.md and a test in which it fires and one in which it is silent; every secret
               of compose.yaml is one that secrets.sh makes; the parts of the manifests that name each other agree
panels FOLDER  every query of the dashboard is one that promtool can read
server URL     every rule and every query of the dashboard is answered by the Prometheus at URL; those without an answer are named
"""
import json
import re
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import yaml

DEPLOY = Path("deploy")


def read(name):
    return yaml.safe_load((DEPLOY / name).read_text(encoding="utf-8"))


def alerts():
    return [rule for group in read("alerts.yml")["groups"] for rule in group["rules"] if "alert" in rule]


def queries():
    """The queries of all panels, by title, with the variables of the dashboard filled in."""
    dashboard = json.loads((DEPLOY / "grafana/dashboards/tradewind.json").read_text(encoding="utf-8"))
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            query = target["expr"]
            for name, value in {"$instance": ".+", "$window": "13", "$__rate_interval": "30s"}.items():
                query = query.replace(name, value)
            yield panel["title"], query


def files():
    page = Path("docs/deploy.md").read_text(encoding="utf-8")
    anchors = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in re.findall(r"^#+ (.+)$", page, re.M)}
    cases = [case for test in read("alerts.test.yml")["tests"] for case in test["alert_rule_test"]]
    for alert in alerts():
        name = alert["alert"]
        runbook = alert["annotations"].get("runbook", "")
        if runbook != f"docs/deploy.md#{name.lower()}" or name.lower() not in anchors:
            yield f"{name} has no section in docs/deploy.md"
        for what, fires in (("fires", True), ("is silent", False)):
            if not any(case["alertname"] == name and bool(case["exp_alerts"]) == fires for case in cases):
                yield f"alerts.test.yml has no case in which {name} {what}"
    compose = read("compose.yaml")
    script = (DEPLOY / "secrets.sh").read_text(encoding="utf-8")
    made = set(re.findall(r"keep (\w+)$", script, re.M)) | {f"{name}_token" for name in re.findall(r"^    token (\w+)", script, re.M)}
    if made != set(compose["secrets"]):
        yield f"compose.yaml has the secrets {sorted(compose['secrets'])}, and secrets.sh makes {sorted(made)}"
    for name, service in compose["services"].items():
        image = service["image"]
        if ":" not in image or image.endswith(":latest"):
            yield f"compose.yaml: the image of {name} is not pinned"
        if not (service.get("read_only") and service.get("cap_drop") == ["ALL"] and service.get("security_opt")):
            yield f"compose.yaml: {name} is not hardened"
        if "healthcheck" not in service and name != "tradewind":
            yield f"compose.yaml: {name} has no health check"
    documents = {}
    for file in sorted((DEPLOY / "kubernetes").glob("*.yaml")):
        for document in yaml.safe_load_all(file.read_text(encoding="utf-8")):
            documents[(document["kind"], document.get("metadata", {}).get("name"))] = document
    pod = documents[("Deployment", "tradewind")]["spec"]["template"]
    for volume in pod["spec"]["volumes"]:
        for kind, name in (("ConfigMap", volume.get("configMap", {}).get("name")), ("Secret", volume.get("secret", {}).get("secretName")),
                           ("PersistentVolumeClaim", volume.get("persistentVolumeClaim", {}).get("claimName"))):
            if name and (kind, name) not in documents:
                yield f"deploy/kubernetes: there is no {kind} {name}"
    for kind, path in (("Service", ("selector",)), ("NetworkPolicy", ("podSelector", "matchLabels")),
                       ("PodDisruptionBudget", ("selector", "matchLabels"))):
        labels = documents[(kind, "tradewind")]["spec"]
        for key in path:
            labels = labels[key]
        if not labels.items() <= pod["metadata"]["labels"].items():
            yield f"deploy/kubernetes: the {kind} selects no pod"
    import botocore.session
    from botocore.validate import ParamValidator
    shape = botocore.session.get_session().get_service_model("apprunner").operation_model("CreateService").input_shape
    report = ParamValidator().validate(read("apprunner.yaml"), shape).generate_report()
    if report:
        yield f"apprunner.yaml: {report}"


def panels(folder):
    rules = [{"record": "panel", "labels": {"title": title, "place": str(place)}, "expr": query}
             for place, (title, query) in enumerate(queries())]
    file = Path(folder) / "panels.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}), encoding="utf-8")
    told = subprocess.run(["promtool", "check", "rules", str(file)], capture_output=True, text=True, check=False)
    if told.returncode or not rules:
        yield told.stdout + told.stderr


def get(url, **asked):
    try:
        with urllib.request.urlopen(f"{url}?{urllib.parse.urlencode(asked)}", timeout=20) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as refusal:
        return json.load(refusal)


def server(url):
    for _ in range(30):
        targets = [target for target in get(f"{url}/api/v1/targets")["data"]["activeTargets"] if target["labels"]["job"] == "tradewind"]
        if targets and targets[0]["health"] == "up":
            break
        time.sleep(1)
    else:
        yield f"the server is not scraped: {targets[0]['lastError'] if targets else 'there is no target'}"
        return
    for group in get(f"{url}/api/v1/rules")["data"]["groups"]:
        for rule in group["rules"]:
            if rule["health"] != "ok":
                yield f"the rule {rule['name']} is {rule['health']}: {rule.get('lastError')}"
    for title, query in queries():
        answer = get(f"{url}/api/v1/query", query=query)
        if answer["status"] != "success":
            yield f"{title}: {answer['error']}"
        elif not answer["data"]["result"]:
            print(f"empty: {title}: {query}")


if __name__ == "__main__":
    problems = list({"files": files, "panels": panels, "server": server}[sys.argv[1]](*sys.argv[2:]))
    print("\n".join(problems))
    sys.exit(bool(problems))
