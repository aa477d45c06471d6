"""Writes deploy/grafana from what the files beside this one ask; `python3 deploy/dashboards` and nothing else.

python3 deploy/dashboards [--check]: --check only compares, and names the files that are not current.
"""

import json
import pathlib
import sys

import exporter
import flow
import grafana
import listeners
import overview
import service

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "grafana"
DASHBOARDS = {"overview": overview, "service": service, "flow": flow, "listeners": listeners, "exporter": exporter}


def main():
    stale = []
    for name, module in DASHBOARDS.items():
        labels = getattr(module, "LABELS", {})
        made = grafana.dashboard(f"ss-exporter-{name}", module.TITLE, module.__doc__, module.PANELS, labels)
        path, text = FOLDER / f"{name}.json", json.dumps(made, indent=1) + "\n"
        if "--check" not in sys.argv:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            stale.append(path.name)
    sys.exit(f"not what deploy/dashboards writes: {', '.join(stale)}" if stale else 0)


main()
