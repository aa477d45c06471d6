"""A dashboard as Grafana reads it: variables, selectors, places, ids. Refuses to know what is asked.

Queries come without a selector: every metric gets the dashboard's.
"""

import re

WIDTH = 24
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
METRIC = re.compile(r"\b(ss_\w+|process_\w+|scrape_\w+|up\b(?!\())(\{)?")
TAGS = ["ss-exporter-mixin"]


def selected(query, labels):
    """The query with the dashboard's selector at every metric."""

    def put(match):
        name, opened = match.groups()
        of_metric = ['job=~"$job"', 'instance=~"$instance"']
        for label, prefixes in labels.items():
            of_metric += [f'{label}=~"${label}"'] if prefixes.fullmatch(name) else []
        return f"{name}{{{', '.join(of_metric)}" + (", " if opened else "}")

    return METRIC.sub(put, query)


def variable(name, label, metric, after, everything):
    matchers = ", ".join(f'{other}=~"${other}"' for other in after)
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": DATASOURCE,
        "query": {"query": f"label_values({metric}{{{matchers}}}, {name})", "refId": name},
        "refresh": 2,
        "sort": 3,
        "multi": True,
        "includeAll": True,
        "allValue": everything,
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
        "options": [],
    }


def variables(labels):
    source = {
        "name": "datasource",
        "label": "Data source",
        "type": "datasource",
        "query": "prometheus",
        "current": {},
        "options": [],
    }
    made = [
        source,
        variable("job", "Job", "ss_exporter_build_info", [], ".+"),
        variable("instance", "Instance", "ss_exporter_build_info", ["job"], ".+"),
    ]
    for name, metric in labels.items():
        # A label may be empty, or not be there.
        made.append(variable(name, name.replace("_", " ").capitalize(), metric, ["job", "instance"], ".*"))
    return {"list": made}


def placed(panels, labels):
    """Left to right, and a new line where there is no room."""
    across, down, tallest, made = 0, 0, 0, []
    for number, panel in enumerate(panels, start=1):
        panel = dict(panel)
        width, height = panel.pop("size")
        if across + width > WIDTH:
            across, down, tallest = 0, down + tallest, 0
        panel.update(id=number, gridPos={"x": across, "y": down, "w": width, "h": height})
        across, tallest = across + width, max(tallest, height)
        is_table, is_heatmap = panel.pop("is_table", False), panel.pop("is_heatmap", False)
        if panel["type"] != "row":
            panel["datasource"] = DATASOURCE
            panel["targets"] = [
                {
                    "refId": chr(ord("A") + place),
                    "datasource": DATASOURCE,
                    "expr": selected(query, labels),
                    "legendFormat": legend,
                    "instant": is_table,
                    "range": not is_table,
                    "format": "table" if is_table else "heatmap" if is_heatmap else "time_series",
                }
                for place, (query, legend) in enumerate(panel["targets"])
            ]
        made.append(panel)
    return made


def dashboard(uid, title, description, panels, labels):
    """`labels` are further variables: the label, the metric that has its values, the metrics that it selects."""
    link = {
        "type": "dashboards",
        "title": "TCP",
        "tags": TAGS,
        "asDropdown": True,
        "includeVars": True,
        "keepTime": True,
    }
    return {
        "uid": uid,
        "id": None,
        "title": f"TCP / {title}",
        "description": description,
        "tags": TAGS,
        "editable": False,
        "graphTooltip": 1,
        "timezone": "browser",
        "refresh": "1m",
        "time": {"from": "now-1h", "to": "now"},
        "schemaVersion": 36,
        "version": 1,
        "annotations": {"list": []},
        "links": [link],
        "templating": variables({label: metric for label, (metric, _) in labels.items()}),
        "panels": placed(panels, {label: re.compile(pattern) for label, (_, pattern) in labels.items()}),
    }
