"""Draws dashboards from their definitions and the answers of a Prometheus, and stamps pictures with what they show.

pictures.py draw SERVER END SECONDS WINDOW DASHBOARD   prints a page of HTML: the SECONDS until END, with rates over WINDOW
pictures.py terminal FILE                               prints a page of HTML: a screen, as tmux captures it with its colours
pictures.py stamp VERSION REPOSITORY FOLDER            writes into each picture which version and which sources it shows
pictures.py check REPOSITORY                           every picture of docs/images is of this version and these sources
"""

import hashlib
import html
import json
import math
import pathlib
import re
import struct
import sys
import time
import urllib.parse
import urllib.request
import zlib

MOST_BYTES = 180_000
WIDTH, CELL, GAP = 1280, 30, 8
TITLE, LEGEND_ROW, AXIS = 26, 17, 16
LEGEND_ROWS = 5
COLORS = ["#5a9e4b", "#d9a520", "#3f83d6", "#e0752d", "#d1435b", "#9a63c4", "#2b9c9c", "#c2569b", "#8a8a2a", "#7687a8"]
NAMED = {"green": "#3a9a4a", "red": "#d83a4a"}
# Grafana's ids of what a legend shows of a series.
CALCS = {
    "lastNotNull": ("Last *", lambda points: points[-1][1]),
    "max": ("Max", lambda points: max(value for _, value in points)),
}
# Grafana's ids of units: the steps of the number, and what stands behind it.
SI = [(1e9, "G"), (1e6, "M"), (1e3, "k"), (1, "")]
UNITS = {
    "short": ([(1e9, " Bil"), (1e6, " Mil"), (1e3, " K"), (1, "")], ""),
    "Bps": ([(size, f" {prefix}") for size, prefix in SI], "B/s"),
    "bytes": ([(2**30, " Gi"), (2**20, " Mi"), (2**10, " Ki"), (1, " ")], "B"),
    "s": ([(60, " min"), (1, " s"), (1e-3, " ms"), (1e-6, " µs")], ""),
    "percentunit": ([(0.01, "%")], ""),
    "ops": (SI, " ops/s"),
    "cps": (SI, " c/s"),
    "reqps": (SI, " req/s"),
}
STYLE = """
:root { --back: #f4f5f5; --panel: #fff; --line: #dcdee1; --text: #24292e; --dim: #5d646c; --grid: #e9eaec; }
@media (prefers-color-scheme: dark) {
  :root { --back: #111217; --panel: #181b1f; --line: #2a2d33; --text: #ccccdc; --dim: #9a9aa8; --grid: #26292e; }
}
* { box-sizing: border-box; }
body { margin: 0; width: 1280px; background: var(--back); color: var(--text);
  font: 12px/1.3 "DejaVu Sans Condensed", "DejaVu Sans", sans-serif; }
header { padding: 12px 12px 8px; }
header b { font-size: 17px; margin-right: 18px; }
header span { display: inline-block; border: 1px solid var(--line); border-radius: 3px; background: var(--panel);
  padding: 3px 7px; margin-right: 6px; color: var(--dim); }
header i { float: right; font-style: normal; color: var(--dim); padding: 4px; }
main { position: relative; }
main > * { position: absolute; overflow: hidden; }
h2 { margin: 0; padding: 7px 4px; font-size: 14px; }
h2::before { content: "⌄ "; color: var(--dim); }
.panel { background: var(--panel); border: 1px solid var(--line); border-radius: 3px; }
h3 { margin: 0; padding: 5px 9px; height: 26px; font-size: 12.5px; white-space: nowrap; }
table { width: calc(100% - 18px); margin: 0 9px; border-collapse: collapse; table-layout: fixed; }
td, th { height: 17px; padding: 0 4px; text-align: right; white-space: nowrap; overflow: hidden; text-overflow: ellipsis;
  font-size: 11px; font-weight: normal; }
th { color: #4e87d8; width: 86px; }
td:first-child, th:first-child { text-align: left; width: auto; }
td i { display: inline-block; width: 12px; height: 3px; margin-right: 6px; vertical-align: middle; border-radius: 2px; }
.rows td, .rows th { height: 24px; font-size: 11.5px; text-align: left; border-bottom: 1px solid var(--grid); width: auto; }
.rows td:last-child, .rows th:last-child { text-align: right; }
.number { text-align: center; height: 42px; line-height: 42px; font-weight: bold; position: relative; z-index: 1; }
.none { color: var(--dim); text-align: center; padding-top: 60px; }
svg { display: block; position: absolute; bottom: 0; left: 0; }
svg text { font-size: 10.5px; fill: var(--dim); }
svg line { stroke: var(--grid); }
p { margin: 6px 0 0; color: var(--dim); }
"""


def ask(server, path, **parameters):
    query = urllib.parse.urlencode(parameters)
    with urllib.request.urlopen(f"http://{server}/api/v1/{path}?{query}", timeout=30) as reply:
        return json.load(reply)["data"]["result"]


def shown(value, unit):
    """A number as Grafana writes it: at most three digits, or whole."""
    steps, suffix = UNITS[unit]
    size, prefix = next((step for step in steps if abs(value) >= step[0] * 0.9995), steps[-1])
    number = value / size if value else 0
    prefix = prefix if value or unit in ("percentunit", "bytes", "Bps") else " s" if unit == "s" else ""
    digits = max(0, 2 - math.floor(math.log10(abs(number)))) if number else 0
    text = f"{number:.{min(digits, 3)}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) + prefix + suffix


class Span:
    """The time that a picture shows."""

    def __init__(self, server, end, seconds, window, variables):
        self.server, self.window = server, window
        self.end = end
        self.start, self.step = end - seconds, max(1, seconds // 200)
        self.variables = variables

    def filled(self, query):
        query = query.replace("$__rate_interval", self.window)
        return re.sub(r"\$(\w+)", lambda name: self.variables[name[1]], query)

    def series(self, target):
        """Legend and points of each series, in the order of Prometheus."""
        query, start, end, step = self.filled(target["expr"]), self.start, self.end, self.step
        for one in ask(self.server, "query_range", query=query, start=start, end=end, step=step):
            label = re.sub(r"\{\{(\w+)\}\}", lambda name: one["metric"].get(name[1], ""), target["legendFormat"])
            points = [(at, float(value)) for at, value in one["values"] if math.isfinite(float(value))]
            if points:
                yield " ".join(label.split()), points

    def across(self, at, left, right):
        """Where a time is between these two."""
        return left + (right - left) * (at - self.start) / (self.end - self.start)

    def now(self, target):
        return ask(self.server, "query", query=self.filled(target["expr"]), time=self.end)


def ticks(most, unit):
    """From 0 to above `most`, in steps of 1, 2 or 5."""
    base = 60 if unit == "s" and most >= 60 else 1
    if unit == "bytes":
        base = 1024 ** int(math.log(max(1, 2 * most), 1024))
    rough = most / base / 4
    power = 10 ** math.floor(math.log10(rough))
    step = next(factor for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999) * power * base
    return [step * number for number in range(math.ceil(most / step - 0.02) + 1)]


def polygons(points, step):
    """The points in pieces: a line ends where a value is missing."""
    piece = []
    for at, value in points:
        if piece and at - piece[-1][0] > step * 1.5:
            yield piece
            piece = []
        piece.append((at, value))
    yield piece


def axes(span, width, height, left, labels):
    """Labels of the vertical axis, and of the time below it."""
    drawn = []
    for y, label in labels:
        drawn.append(f'<line x1="{left}" x2="{width - 10}" y1="{y:.1f}" y2="{y:.1f}"/>')
        drawn.append(f'<text x="{left - 5}" y="{y + 3.5:.1f}" text-anchor="end">{label}</text>')
    every = next(every for every in (5, 10, 15, 30, 60, 120, 300, 600, 3600) if (span.end - span.start) / every <= 7)
    for at in range(span.start + -span.start % every, span.end + 1, every):
        x = span.across(at, left, width - 10)
        drawn.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="4" y2="{height - AXIS}"/>')
        if left < x - 20 and x + 20 < width:
            clock = time.strftime("%H:%M:%S", time.gmtime(at))
            drawn.append(f'<text x="{x:.1f}" y="{height - 4}" text-anchor="middle">{clock}</text>')
    return "".join(drawn)


def stacked(all_series):
    """Each series on top of those before it: the lower and the upper line."""
    below = {}
    for label, points in all_series:
        lower = [(at, below.get(at, 0)) for at, _ in points]
        below.update({at: below.get(at, 0) + value for at, value in points})
        yield label, lower, [(at, below[at]) for at, _ in points]


def legend(options, all_series, unit):
    """Rows of its table: the head, and as many series as there is room for."""
    chosen = [CALCS[calc] for calc in options["calcs"]]
    (order,) = (calculate for name, calculate in chosen if name == options["sortBy"])
    numbered = sorted(enumerate(all_series), key=lambda one: order(one[1][1]), reverse=options["sortDesc"])
    yield "<tr><th>Name</th>" + "".join(f"<th>{name}</th>" for name, _ in chosen) + "</tr>"
    for number, (label, points) in numbered[:LEGEND_ROWS]:
        cells = "".join(f"<td>{shown(calculate(points), unit)}</td>" for _, calculate in chosen)
        yield f'<tr><td><i style="background:{COLORS[number % len(COLORS)]}"></i>{html.escape(label)}</td>{cells}</tr>'


def timeseries(panel, span, width, height):
    defaults = panel["fieldConfig"]["defaults"]
    unit, custom = defaults["unit"], defaults["custom"]
    all_series = [one for target in panel["targets"] for one in span.series(target)]
    if not all_series:
        return '<div class="none">No data</div>'
    rows = list(legend(panel["options"]["legend"], all_series, unit))
    table = f'<table style="position:absolute;bottom:4px">{"".join(rows)}</table>'
    bottom = len(rows) * LEGEND_ROW + 8
    height -= bottom + TITLE
    is_stacked = custom["stacking"]["mode"] == "normal"
    lines = list(stacked(all_series)) if is_stacked else [(label, None, points) for label, points in all_series]
    most = max(value for _, _, points in lines for _, value in points) or 1
    labels = ticks(most, unit)
    left = 14 + max(len(shown(value, unit)) for value in labels) * 6.6
    scale = (height - AXIS - 6) / labels[-1]

    def place(point):
        return f"{span.across(point[0], left, width - 10):.1f},{height - AXIS - point[1] * scale:.1f}"

    drawn = []
    for number, (_, lower, points) in reversed(list(enumerate(lines))):
        color = COLORS[number % len(COLORS)]
        if is_stacked:
            around = " ".join(map(place, [*points, *reversed(lower)]))
            drawn.append(f'<polygon points="{around}" fill="{color}" fill-opacity="{custom["fillOpacity"] / 100}"/>')
        for piece in polygons(points, span.step):
            line = " ".join(map(place, piece))
            drawn.append(f'<polyline points="{line}" fill="none" stroke="{color}" stroke-width="1.3"/>')
    grid = axes(span, width, height, left, [(height - AXIS - value * scale, shown(value, unit)) for value in labels])
    return f'<svg width="{width}" height="{height}" style="bottom:{bottom}px">{grid}{"".join(drawn)}</svg>{table}'


def stat(panel, span, width, height):
    defaults = panel["fieldConfig"]["defaults"]
    all_series = list(span.series(panel["targets"][0]))
    if not all_series:
        return '<div class="none">No data</div>'
    points = all_series[0][1]
    steps = defaults["thresholds"]["steps"]
    color = NAMED[[step["color"] for step in steps if step["value"] is None or points[-1][1] >= step["value"]][-1]]
    text = "var(--text)" if panel["options"]["colorMode"] == "none" else color
    most, room = max(value for _, value in points) or 1, height - TITLE - 46
    line = [f"{span.across(at, 0, width):.1f},{room - 1 - value / most * (room - 4):.1f}" for at, value in points]
    first, last = line[0].split(",")[0], line[-1].split(",")[0]
    area = f'<polygon points="{first},{room} {" ".join(line)} {last},{room}" fill="{color}" fill-opacity="0.15"/>'
    edge = f'<polyline points="{" ".join(line)}" fill="none" stroke="{color}"/>'
    figure = shown(points[-1][1], defaults["unit"])
    size = min(27, 230 // len(figure))
    graph = f'<svg width="{width}" height="{room}">{area}{edge}</svg>'
    return f'<div class="number" style="color:{text};font-size:{size}px">{figure}</div>{graph}'


def table(panel, span, _width, height):
    organize = panel["transformations"][0]["options"]
    hidden, names = organize["excludeByName"], organize["renameByName"]
    answer = span.now(panel["targets"][0])
    if not answer:
        return '<div class="none">No data</div>'
    labels = sorted({label for one in answer for label in one["metric"]} - hidden.keys())
    unit = panel["fieldConfig"]["defaults"]["unit"]
    heads = "".join(f"<th>{html.escape(name)}</th>" for name in [*labels, names.get("Value", "Value")])
    rows = []
    for one in answer[: (height - TITLE) // 24 - 1]:
        cells = [*(html.escape(one["metric"].get(label, "")) for label in labels), shown(float(one["value"][1]), unit)]
        rows.append(f'<tr>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>')
    return f'<table class="rows"><tr>{heads}</tr>{"".join(rows)}</table>'


def heatmap(panel, span, width, height):
    """Buckets of Prometheus contain those below them; a row is what a bucket has more than the one below."""
    buckets = sorted((float(label), dict(points)) for label, points in span.series(panel["targets"][0]))
    if not buckets:
        return '<div class="none">No data</div>'
    rows, below = [], {}
    for bound, points in buckets:
        rows.append((bound, {at: max(0, value - below.get(at, 0)) for at, value in points.items()}))
        below = points
    used = [number for number, (_, points) in enumerate(rows) if max(points.values()) > 0]
    rows = rows[max(0, min(used) - 1) : max(used) + 2]
    most = max(value for _, points in rows for value in points.values())
    height -= TITLE
    left, tall = 62, (height - AXIS - 6) / len(rows)
    unit = panel["options"]["yAxis"]["unit"]
    columns = list(range(span.start, span.end, span.step * 3))
    wide = (width - 10 - left) / len(columns)
    drawn, labels = [], []
    for number, (bound, points) in enumerate(rows):
        y = height - AXIS - tall * (number + 1)
        labels.append((y, "+Inf" if math.isinf(bound) else shown(bound, unit)))
        for column, at in enumerate(columns):
            if points.get(at):
                place = f'x="{left + column * wide:.1f}" y="{y + 0.5:.1f}" width="{wide - 0.5:.1f}" height="{tall - 1:.1f}"'
                strength = 0.12 + 0.88 * (points[at] / most) ** 0.5
                drawn.append(f'<rect {place} fill="#e06a10" fill-opacity="{strength:.2f}"/>')
    return f'<svg width="{width}" height="{height}">{axes(span, width, height, left, labels)}{"".join(drawn)}</svg>'


def draw(server, end, seconds, window, path):
    board = json.loads(pathlib.Path(path).read_text())
    variables = board["templating"]["list"]
    chosen = {variable["name"]: variable.get("allValue", "") for variable in variables}
    span = Span(server, int(end), int(seconds), window, chosen)
    across = (WIDTH - GAP) / 24
    parts, bottom = [], 0
    for panel in board["panels"]:
        place, title = panel["gridPos"], html.escape(panel["title"])
        left, top = GAP + place["x"] * across, place["y"] * CELL
        width, height = int(place["w"] * across - GAP), place["h"] * CELL - GAP
        bottom = max(bottom, top + height + GAP)
        if panel["type"] == "row":
            parts.append(f'<h2 style="left:{GAP}px;top:{top - 6}px">{title}</h2>')
        else:
            body = {"timeseries": timeseries, "stat": stat, "table": table, "heatmap": heatmap}[panel["type"]]
            style = f"left:{left:.0f}px;top:{top}px;width:{width}px;height:{height}px"
            drawn = body(panel, span, width - 2, height - 2)
            parts.append(f'<div class="panel" style="{style}"><h3>{title}</h3>{drawn}</div>')
    heads = [f"<i>Last {shown(int(seconds), 's')}, UTC</i><b>{html.escape(board['title'])}</b>"]
    heads += [f"<span>{one['label']} {'All' if 'allValue' in one else 'Prometheus'}</span>" for one in variables]
    name = pathlib.Path(path).name
    heads.append(f"<p>Drawn from deploy/grafana/{name} and the answers of a Prometheus; not a screenshot of Grafana.</p>")
    print(
        f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>{board["title"]}</title><style>{STYLE}</style>'
        f'<header>{"".join(heads)}</header><main style="height:{bottom}px">{"".join(parts)}</main></html>'
    )


def without_descriptions(value):
    """They are not in the picture: Grafana shows them where the mouse is."""
    if isinstance(value, dict):
        return {key: without_descriptions(part) for key, part in value.items() if key != "description"}
    return [without_descriptions(part) for part in value] if isinstance(value, list) else value


TERMINAL = """
:root { --back: #fff; --text: #24292e; --dim: #6a737d; --red: #c4232f; --yellow: #9a6700; }
@media (prefers-color-scheme: dark) {
  :root { --back: #16181c; --text: #d7dae0; --dim: #8b919c; --red: #ff6b6b; --yellow: #e5b567; }
}
body { margin: 0; padding: 12px; background: var(--back); color: var(--text); width: max-content; }
pre { margin: 0; font: 14px/1.25 "DejaVu Sans Mono", monospace; }
.b { font-weight: bold; } .d { color: var(--dim); } .r { color: var(--red); } .y { color: var(--yellow); }
.i { background: var(--text); color: var(--back); }
"""
# Of ECMA-48 what top uses, by the parameters of SGR: a class to add, or those to take away.
SGR = {"1": "b", "2": "d", "7": "i", "31": "r", "33": "y"}
SGR_ENDS = {"0": "bdiry", "": "bdiry", "22": "bd", "27": "i", "39": "ry"}


def terminal(path):
    classes, parts = set(), []
    for text in re.split(r"(\x1b\[[0-9;]*m)", pathlib.Path(path).read_text()):
        if text.startswith("\x1b"):
            # The colours of the terminal's own palette, in the form for 256 of them.
            for number in re.sub(r"38;5;([0-7])\b", r"3\1", text[2:-1]).split(";"):
                classes -= set(SGR_ENDS.get(number, ""))
                classes |= {SGR[number]} if number in SGR else set()
        elif text:
            parts.append(f'<span class="{" ".join(sorted(classes))}">{html.escape(text)}</span>')
    print(
        f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>top</title><style>{TERMINAL}</style>'
        f'<pre>{"".join(parts)}</pre></html>'
    )


def sources(repository, name):
    """What a picture is made from: the part of it that can be seen."""
    name = name.rsplit("-", 1)[0]
    if name.startswith("page") or name == "top":
        folder = repository / "src" / name.split("-")[0]
        for path in sorted(path for path in folder.iterdir() if path.is_file() and path.name != "tests.rs"):
            yield re.sub(r"^\s*//.*\n", "", path.read_text(), flags=re.MULTILINE)
    else:
        yield pathlib.Path(__file__).read_text()
        board = json.loads((repository / f"deploy/grafana/{name.removesuffix('-top')}.json").read_text())
        yield json.dumps(without_descriptions(board))


def stamp_of(repository, version, name):
    """The texts in a PNG of it."""
    digest = hashlib.sha256("\0".join(sources(repository, name)).encode()).hexdigest()
    return {"Software": f"prometheus_ss_exporter {version}", "Source": f"sha256 {digest}"}


def chunks(png):
    at = 8
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        at += length + 12


def stamp(version, repository, folder):
    for path in pathlib.Path(folder).glob("*.png"):
        (head, *rest) = chunks(path.read_bytes())
        texts = stamp_of(pathlib.Path(repository), version, path.stem)
        png = b"\x89PNG\r\n\x1a\n"
        for kind, data in (head, *((b"tEXt", "\0".join(text).encode("latin-1")) for text in texts.items()), *rest):
            png += struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        path.write_bytes(png)


def check(repository):
    repository = pathlib.Path(repository)
    (version,) = re.findall(r'^version = "(.*)"', (repository / "Cargo.toml").read_text(), re.MULTILINE)[:1]
    wrong = []
    for path in sorted((repository / "docs/images").glob("*.png")):
        texts = dict(data.decode("latin-1").split("\0") for kind, data in chunks(path.read_bytes()) if kind == b"tEXt")
        for key, text in stamp_of(repository, version, path.stem).items():
            if texts.get(key) != text:
                wrong.append(f"{path.relative_to(repository)}: {key} is {texts.get(key)}, {text} expected")
        if (size := path.stat().st_size) > MOST_BYTES:
            wrong.append(f"{path.relative_to(repository)}: {size} bytes, at most {MOST_BYTES} expected")
    if wrong:
        sys.exit("\n".join([*wrong, "tests/e2e/pictures.sh BINARY makes the pictures again"]))


def main():
    command, *arguments = sys.argv[1:]
    {"draw": draw, "terminal": terminal, "stamp": stamp, "check": check}[command](*arguments)


main()
