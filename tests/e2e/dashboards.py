"""Judges dashboards, rules and alerts: by themselves, and by what a Prometheus says that scraped the exporter.

dashboards.py lint REPOSITORY                          what needs no server
dashboards.py shorten RULES                            prints them for a run of two minutes
dashboards.py panels SERVER DASHBOARD...               every query and variable has data
dashboards.py holds SERVER QUERY                       the query has a result
dashboards.py rules SERVER                             every rule was evaluated, and every recording rule has results
dashboards.py fire SERVER ALERTS [--without ALERT]     every alert fires for its symptom
dashboards.py silent SERVER ALERTS                     no alert has fired
"""

import json
import math
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

import yaml

PATIENCE = 100
WINDOW = "20s"
# Of symptoms.py, which makes them.
MADE_BY = {
    "SsTcpAcceptQueueFull": {"local_port": "7004"},
    "SsTcpListenerDrops": {"local_port": "7004", "process": "python3"},
    "SsTcpCloseWaitLeak": {"service_port": "7005", "process": "python3"},
    "SsTcpRetransmissions": {"service_port": "7002", "direction": "outbound"},
    "SsTcpRttRise": {"remote_network": "198.18.0.0/24"},
    "SsTcpBufferbloat": {"remote_network": "198.18.0.0/24"},
    "SsTcpReceiveWindowLimited": {"service_port": "7003", "direction": "outbound"},
    "SsTcpSendBufferLimited": {"service_port": "7008", "direction": "outbound"},
    "SsTcpPeerDoesNotRead": {"service_port": "7003", "direction": "outbound"},
    "SsTcpSendQueueStuck": {"service_port": "7003", "direction": "outbound"},
    "SsTcpProcessDoesNotRead": {"service_port": "7003", "direction": "inbound"},
    "SsTcpLocalPortsRunOut": {"remote_port": "7010"},
    "SsUnixAcceptQueueFull": {"path": "@symptoms", "process": "python3"},
    "SsUdpDrops": {"service_port": "7012", "process": "python3"},
    "SsNetlinkMessagesLost": {"netlink_protocol": "route", "process": "python3"},
    "SsExporterDown": {"job": "ss", "instance": "127.0.0.1:9"},
    "SsExporterCollectionFailing": {"job": "ss"},
    "SsExporterConfigReloadFailed": {"job": "sick"},
    "SsExporterEventsDropped": {"job": "sick"},
    "SsExporterSocketsInOther": {"job": "sick", "view": "tcp"},
    "SsExporterRowsDropped": {"job": "sick", "view": "tcp_flow"},
    "SsExporterSocketsUntracked": {"job": "sick"},
    "SsExporterCapabilityMissing": {"job": "poor"},
    "SsExporterNamespacesFailed": {"job": "sick"},
    "SsExporterNamespacesUnobserved": {"job": "sick"},
}
# Ports of symptoms.py with which nothing is wrong.
HEALTHY = {"7001", "7007", "7011"}


def ask(server, path, **parameters):
    query = urllib.parse.urlencode(parameters, doseq=True)
    try:
        with urllib.request.urlopen(f"http://{server}/api/v1/{path}?{query}", timeout=10) as reply:
            return json.load(reply)["data"]
    except urllib.error.HTTPError as error:
        sys.exit(f"{parameters}: {error.read().decode()}")


def shorten(text):
    text = re.sub(r"\bfor: \d+[mh]", "for: 2s", text)
    text = re.sub(r"\[\d+[mh]\]", f"[{WINDOW}]", text)
    return re.sub(r"offset \d+[mh]", "offset 40s", text)


def alerts_of(path):
    groups = yaml.safe_load(pathlib.Path(path).read_text())["groups"]
    return [rule for group in groups for rule in group["rules"] if "alert" in rule]


def finish(faults):
    sys.exit("\n".join(faults) if faults else 0)


# Without a server.


def boards(folder):
    return {path: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}


def faults_of_board(board):
    yield from (f"no {key}" for key in ("uid", "title", "description") if not board.get(key))
    if board["editable"] or board["id"] is not None:
        yield "editable, or has an id"
    variables = {variable["name"]: variable for variable in board["templating"]["list"]}
    if variables.get("datasource", {}).get("type") != "datasource" or not {"job", "instance"} <= variables.keys():
        yield "lacks one of the variables datasource, job and instance"
    for name, variable in variables.items():
        if name != "datasource" and not (
            variable["multi"]
            and variable["includeAll"]
            and variable["refresh"] == 2
            and variable["allValue"] == (".+" if name in ("job", "instance") else ".*")
        ):
            yield f"variable {name}: not multi, without All, or not refreshed"
    ids = [panel["id"] for panel in board["panels"]]
    titles = [panel["title"] for panel in board["panels"]]
    if len(set(ids)) != len(ids) or len(set(titles)) != len(titles):
        yield "ids or titles twice"
    taken = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        if taken & cells or place["x"] + place["w"] > 24:
            yield f"{panel['title']}: overlaps, or is too wide"
        taken |= cells
        if panel["type"] != "row":
            yield from (f"{panel['title']}: {fault}" for fault in faults_of_panel(panel))


def faults_of_panel(panel):
    yield from (f"no {key}" for key in ("title", "description", "targets") if not panel.get(key))
    if not panel["fieldConfig"]["defaults"].get("unit"):
        yield "no unit"
    for part in (panel, *panel["targets"]):
        if part.get("datasource") != {"type": "prometheus", "uid": "${datasource}"}:
            yield "another data source than the variable"
    references = [target["refId"] for target in panel["targets"]]
    if len(set(references)) != len(references):
        yield "refIds twice"
    for target in panel["targets"]:
        yield from faults_of_query(target["expr"])


def faults_of_query(query):
    for metric, selector, window in re.findall(r"\b([a-z_:]+)\{([^}]*)\}(\[[^]]*\])?", query):
        if 'job=~"$job", instance=~"$instance"' not in selector:
            yield f"{metric}: not of $job and $instance"
        if metric.endswith(("_total", "_bucket")) and not window:
            yield f"{metric}: a counter without a rate"
        if window and window != "[$__rate_interval]":
            yield f"{metric}: a window that is not $__rate_interval"
    rates = re.findall(r"\b(?:rate|increase|avg_over_time)\(", query)
    if len(rates) != query.count("[$__rate_interval]"):
        yield "a window without a rate, or a rate without one"
    if re.search(r"\b(ss|process|scrape)_\w+(?![\w{])", re.sub(r"\{[^}]*\}", "{}", query)) or re.search(
        r"\bup(?!\w|\{)", query
    ):
        yield "a metric without a selector"


def faults_of_syntax(all_boards):
    """promtool decides. It reads queries as rules."""
    queries = {
        target["expr"] for board in all_boards for panel in board["panels"] for target in panel.get("targets", [])
    }
    rules = [{"record": f"query:{number}", "expr": filled(query)} for number, query in enumerate(sorted(queries))]
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        json.dump({"groups": [{"name": "queries", "rules": rules}]}, file)
        file.flush()
        checked = subprocess.run(
            ["promtool", "check", "rules", file.name], capture_output=True, text=True, check=False
        )
    if checked.returncode:
        yield checked.stderr
    print(f"{len(queries)} queries of dashboards are PromQL")


def faults_of_alerts(repository):
    runbooks = (repository / "docs/operations/runbooks.md").read_text()
    headings = re.findall(r"^## (Ss\w+)$", runbooks, re.MULTILINE)
    alerts = alerts_of(repository / "deploy/alerts.yml")
    names = [alert["alert"] for alert in alerts]
    if sorted(names) != sorted(headings):
        yield f"alerts and headings of docs/operations/runbooks.md differ: {sorted(set(names) ^ set(headings))}"
    if sorted(names) != sorted(MADE_BY):
        yield f"alerts and their symptoms differ: {sorted(set(names) ^ set(MADE_BY))}"
    tests = yaml.safe_load((repository / "deploy/alerts_test.yml").read_text())["tests"]
    tested = [
        (test["alertname"], bool(test.get("exp_alerts"))) for group in tests for test in group["alert_rule_test"]
    ]
    for alert in alerts:
        name, labels, notes = alert["alert"], alert["labels"], alert["annotations"]
        if labels.get("severity") not in ("critical", "warning", "info"):
            yield f"{name}: no severity"
        if (
            not notes.get("summary", "").endswith(".")
            or "{{" in notes["summary"]
            or "{{" not in notes.get("description", "")
        ):
            yield f"{name}: the summary is one sentence and the same for all, the description is not"
        if not notes.get("runbook_url", "").endswith(f"docs/operations/runbooks.md#{name.lower()}"):
            yield f"{name}: runbook_url"
        yield from (
            f"{name}: no test in which it {'fires' if fires else 'is silent'}"
            for fires in (True, False)
            if (name, fires) not in tested
        )


def faults_of_questions(repository, all_boards):
    titles = {
        f"{board['title'].removeprefix('TCP / ')} / {panel['title']}"
        for board in all_boards
        for panel in board["panels"]
    }
    for section in re.split(r"^## ", (repository / "docs/operations/questions.md").read_text(), flags=re.MULTILINE)[1:]:
        question = section.split("\n", 1)[0]
        named = re.findall(r"^Panels?: (.*(?:\n.+)*)", section, re.MULTILINE)
        panels = [" ".join(panel.split()) for line in named for panel in re.findall(r"\*([^*]+)\*", line)]
        if not panels:
            yield f"{question}: no panel"
        yield from (f"{question}: there is no panel {panel}" for panel in panels if panel not in titles)


def lint(repository):
    repository = pathlib.Path(repository)
    all_boards = boards(repository / "deploy/grafana")
    faults = [f"{path.name}: {fault}" for path, board in all_boards.items() for fault in faults_of_board(board)]
    uids = {board["uid"] for board in all_boards.values()}
    faults += ["a uid twice"] * (len(uids) < len(all_boards))
    faults += faults_of_syntax(all_boards.values())
    faults += faults_of_alerts(repository)
    faults += faults_of_questions(repository, all_boards.values())
    print(
        f"{len(all_boards)} dashboards, {sum(len(board['panels']) for board in all_boards.values())} panels and rows"
    )
    finish(faults)


# With one.


def filled(query):
    return re.sub(r"\$(?!_)\w+", ".+", query.replace("$__rate_interval", WINDOW))


def finite(server, query):
    values = [float(sample["value"][1]) for sample in ask(server, "query", query=query)["result"]]
    return [value for value in values if math.isfinite(value)]


def eventually(seconds, what):
    """The first result that is true, else the last."""
    until = time.monotonic() + seconds
    while not (result := what()) and time.monotonic() < until:
        time.sleep(1)
    return result


def panels(server, *paths):
    faults, asked = [], 0
    for path in paths:
        board = json.loads(pathlib.Path(path).read_text())
        for variable in board["templating"]["list"][1:]:
            selector, label = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"]).groups()
            if not ask(server, f"label/{label}/values", **{"match[]": filled(selector)}):
                faults.append(f"{board['title']}: no value for ${variable['name']}")
        for panel in board["panels"]:
            for target in panel.get("targets", []):
                asked += 1
                query = filled(target["expr"])
                if not eventually(20, lambda: finite(server, query)):
                    faults.append(f"{board['title']}: {panel['title']}: no data: {query}")
    print(f"{asked} queries of {len(paths)} dashboards asked, {asked - len(faults)} have data")
    finish(faults)


def holds(server, query):
    finish([] if eventually(20, lambda: finite(server, query)) else [f"does not hold: {query}"])


def rules(server):
    def faults():
        found = []
        all_rules = [rule for group in ask(server, "rules")["groups"] for rule in group["rules"]]
        found += [
            f"{rule['name']}: {rule['health']}: {rule.get('lastError')}"
            for rule in all_rules
            if rule["health"] != "ok"
        ]
        records = {
            (rule["name"], tuple(sorted(rule.get("labels", {}).items())))
            for rule in all_rules
            if rule["type"] == "recording"
        }
        for name, labels in sorted(records):
            selector = ", ".join(f'{label}="{value}"' for label, value in labels)
            # Some have a result only while collections fail.
            if not finite(server, f"last_over_time({name}{{{selector}}}[10m])"):
                found.append(f"{name}{{{selector}}} has no result")
        return found, f"{len(all_rules)} rules evaluated, {len(records)} of them recorded"

    eventually(20, lambda: not faults()[0])
    found, summary = faults()
    print(summary)
    finish(found)


def fired(server):
    found = {}
    for sample in ask(server, "query", query='max_over_time(ALERTS{alertstate="firing"}[10m])')["result"]:
        found.setdefault(sample["metric"]["alertname"], []).append(sample["metric"])
    return found


def fire(server, path, without=None):
    names = [alert["alert"] for alert in alerts_of(path) if alert["alert"] != without]

    def missing():
        found = fired(server)
        return [
            name
            for name in names
            if not any(MADE_BY[name].items() <= labels.items() for labels in found.get(name, []))
        ]

    eventually(PATIENCE, lambda: not missing())
    found = fired(server)
    faults = [f"{name} does not fire for {MADE_BY[name]}, but for {found.get(name)}" for name in missing()]
    # Where collections fail, a window may hold a single sample, of which a minimum says little.
    judged = found.items() if without else ()
    for name, all_labels in judged:
        for labels in all_labels:
            if labels.get("service_port") in HEALTHY or labels.get("local_port") in HEALTHY:
                faults.append(f"{name} fires for what is healthy: {labels}")
    print(f"{len(names) - len(missing())} of {len(names)} alerts have fired for their symptom")
    finish(faults)


def silent(server, path):
    names = {alert["alert"] for alert in alerts_of(path)}
    found = fired(server)
    evaluated = {rule["name"] for group in ask(server, "rules")["groups"] for rule in group["rules"]}
    assert names <= evaluated, f"not evaluated: {names - evaluated}"
    print(f"{len(names - found.keys())} of {len(names)} alerts are silent")
    finish([f"{name} has fired: {labels}" for name, labels in found.items()])


def main():
    command, *arguments = sys.argv[1:]
    arguments = [argument for argument in arguments if argument != "--without"]
    if command == "shorten":
        print(shorten(pathlib.Path(arguments[0]).read_text()), end="")
    else:
        {"lint": lint, "panels": panels, "holds": holds, "rules": rules, "fire": fire, "silent": silent}[command](*arguments)


main()
