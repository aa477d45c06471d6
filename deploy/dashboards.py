"""Writes the Grafana dashboards from what they ask; `deploy/dashboards.py` and nothing else.

deploy/dashboards.py [--check] [FOLDER]: --check only compares, and names the files that are not current.

A panel is a title, a sentence on how to read it, a unit and queries. Queries are written without a selector: every
metric gets the dashboard's. What a panel looks like, where it stands and its id follow.
"""

import json
import pathlib
import re
import sys

WIDTH = 24
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
METRIC = re.compile(r"\b(ss_\w+|process_\w+|scrape_\w+|up\b(?!\())(\{)?")
TAGS = ["ss-exporter-mixin"]


# What panels there are.


def panel(kind, title, description, unit, *targets, width=12, height=8, defaults=None, **options):
    """A target is a query and a legend."""
    return {
        "type": kind,
        "title": title,
        "description": description,
        "targets": targets,
        "size": (width, height),
        "fieldConfig": {"defaults": {"unit": unit, **(defaults or {})}, "overrides": []},
        "options": options,
    }


def lines(title, description, unit, *targets, stacked=False, **sizes):
    custom = {"fillOpacity": 40 if stacked else 0, "lineWidth": 1, "showPoints": "never"}
    custom["stacking"] = {"mode": "normal" if stacked else "none", "group": "A"}
    legend = {"displayMode": "table", "placement": "bottom", "calcs": ["lastNotNull", "max"], "showLegend": True}
    tooltip = {"mode": "multi", "sort": "desc"}
    defaults = {"custom": custom, "min": 0}
    return panel("timeseries", title, description, unit, *targets, defaults=defaults, legend=legend, tooltip=tooltip, **sizes)


def number(title, description, unit, query, red=None):
    steps = [{"color": "green", "value": None}] + ([] if red is None else [{"color": "red", "value": red}])
    return panel(
        "stat", title, description, unit, (query, ""), width=3, height=4,
        defaults={"thresholds": {"mode": "absolute", "steps": steps}},
        reduceOptions={"calcs": ["lastNotNull"], "fields": "", "values": False}, graphMode="area",
        colorMode="none" if red is None else "value",
    )  # fmt: skip


def table(title, description, unit, query, **sizes):
    made = panel("table", title, description, unit, (query, ""), showHeader=True, **sizes)
    made["is_table"] = True
    hidden = {"Time": True, "job": True, "__name__": True}
    made["transformations"] = [{"id": "organize", "options": {"excludeByName": hidden, "renameByName": {"Value": title}}}]
    return made


def heatmap(title, description, unit, query, **sizes):
    made = panel("heatmap", title, description, unit, (query, "{{le}}"), calculate=False, yAxis={"unit": unit}, **sizes)
    made["is_heatmap"] = True
    return made


def row(title):
    return {"type": "row", "title": title, "collapsed": False, "panels": [], "size": (WIDTH, 1)}


# What they have in common.


def selected(query, labels):
    """The query with the dashboard's selector at every metric."""

    def put(match):
        name, opened = match.groups()
        of_metric = ['job=~"$job"', 'instance=~"$instance"']
        for label, prefixes in labels.items():
            of_metric += [f'{label}=~"${label}"'] if prefixes.fullmatch(name) else []
        return f"{name}{{{', '.join(of_metric)}" + (", " if opened else "}")

    return METRIC.sub(put, query)


def variable(name, label, metric, after):
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
        "allValue": ".+",
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
        "options": [],
    }


def variables(labels):
    source = {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "current": {}, "options": []}
    made = [source, variable("job", "Job", "ss_exporter_build_info", [])]
    made.append(variable("instance", "Instance", "ss_exporter_build_info", ["job"]))
    made += [variable(name, name.replace("_", " ").capitalize(), metric, ["job", "instance"]) for name, metric in labels.items()]
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


def dashboard(uid, title, description, panels, labels=None):
    """`labels` are further variables: the label, the metric that has its values, the metrics that it selects."""
    labels = labels or {}
    link = {"type": "dashboards", "title": "TCP", "tags": TAGS, "asDropdown": True, "includeVars": True, "keepTime": True}
    return {
        "uid": f"ss-exporter-{uid}",
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


# What is asked.

RATE = "[$__rate_interval]"
SERVICE = "{{direction}} {{service_port}}"
NETWORK = "{{remote_network}}"
FLOW = "{{process}} {{local_address}}:{{local_port}} {{remote_address}}:{{remote_port}}"
OWN_VIEW = " Needs the view {} of deploy/questions.yml."


def quantile(share, metric, by):
    labels = ", ".join([*by, "le"])
    return f"histogram_quantile({share}, sum by ({labels}) (rate({metric}_bucket{RATE})))"


def rate_by(by, metric):
    return f"sum by ({by}) (rate({metric}{RATE}))"


def share_by(by, part, whole, least=""):
    return f"{rate_by(by, part)} / ({rate_by(by, whole)}{least})"


def waits(what, by):
    """A share of the busy time; `what` is receive_window or send_buffer."""
    return share_by(by, f"ss_tcp_{what}_limited_seconds_total", "ss_tcp_busy_seconds_total", " > 0.01")


def network_waits(by):
    limited = " - ".join(rate_by(by, f"ss_tcp_{what}_limited_seconds_total") for what in ("receive_window", "send_buffer"))
    busy = rate_by(by, "ss_tcp_busy_seconds_total")
    return f"({busy} - {limited}) / ({busy} > 0.01)"


FILL = "ss_tcp_listener_accept_queue_connections / (ss_tcp_listener_accept_queue_limit + 1)"
BLOAT = f"{quantile(0.95, 'ss_tcp_network_rtt_seconds', ['remote_network'])} - {quantile(0.95, 'ss_tcp_network_min_rtt_seconds', ['remote_network'])}"
AGAIN = ("ss_tcp_retransmitted_bytes_total", "ss_tcp_sent_bytes_total", " > 10000")

OVERVIEW = [
    row("Now"),
    number("Hosts", "Exporters that answer.", "short", "sum(up * on (job, instance) group_left ss_exporter_build_info)"),
    number("Connections", "Open connections of all hosts; one between two of them counts twice.", "short", "sum(ss_tcp_sockets)"),
    number("Sent", "Payload sent, retransmissions not counted.", "Bps", f"sum(rate(ss_tcp_sent_bytes_total{RATE}))"),
    number("Received", "Payload received.", "Bps", f"sum(rate(ss_tcp_received_bytes_total{RATE}))"),
    number(
        "Sent again", "Bytes sent again as a share of the bytes sent. 0.1 % is common on the internet, 1 % slows every large transfer down.",
        "percentunit", f"sum(rate(ss_tcp_retransmitted_bytes_total{RATE})) / sum(rate(ss_tcp_sent_bytes_total{RATE}))", red=0.01,
    ),
    number("Fullest accept queue", "At 100 % the kernel ignores new connections.", "percentunit", f"max({FILL})", red=1),
    number("In CLOSE_WAIT", "Connections that the peer has closed and the process has not.", "short", 'sum(ss_tcp_state_sockets{state="close_wait"})'),
    number(
        "Incomplete hosts", "Hosts whose last collection was not complete: flows and amounts are missing there.",
        "short", "sum(1 - min by (job, instance) (ss_exporter_collection_success))", red=1,
    ),
    row("Is it the network, the peer or us?"),
    lines(
        "What senders wait for", "Of the time in which there was something to send: waiting for the peer to read is the peer, waiting for room in the send buffer is this end, the rest is the network.",
        "percentunit", (network_waits("job"), "network"), (waits("receive_window", "job"), "peer reads"), (waits("send_buffer", "job"), "send buffer"), stacked=True,
    ),
    lines("Bytes sent again, by service", "The share of the bytes sent, of services that send more than 10 kB/s. All at once is this host or its link, one is its path.", "percentunit", (f"topk(10, {share_by('direction, service_port', *AGAIN)})", SERVICE)),
    lines(
        "Round-trip time", "Of all connections that received something. If only the upper lines rise, some peers are slow: see the next panel.",
        "s", *((quantile(share, "ss_tcp_rtt_seconds", []), legend) for share, legend in ((0.5, "half"), (0.95, "95 %"), (0.99, "99 %"))),
    ),
    lines("Round-trip time by remote network, 95 %", "Which peer's round-trip time rose." + OWN_VIEW.format("tcp_network"), "s", (f"topk(10, {quantile(0.95, 'ss_tcp_network_rtt_seconds', ['remote_network'])})", NETWORK)),
    lines(
        "Time in queues by remote network", "How much of the round-trip time is above the shortest of the last minutes, at 95 %. More than 0.1 s while something is sent is bufferbloat." + OWN_VIEW.format("tcp_network"),
        "s", (f"topk(10, {BLOAT})", NETWORK),
    ),
    lines(
        "Bytes sent again, by remote network", "The share of the bytes sent, of networks that get more than 10 kB/s: one bad network is a bad path." + OWN_VIEW.format("tcp_network"),
        "percentunit", (f"topk(10, {share_by('remote_network', *(part.replace('ss_tcp_', 'ss_tcp_network_') for part in AGAIN))})", NETWORK),
    ),
    row("Who sends how much to whom?"),
    lines("Sent, by remote network", "The ten networks that get most." + OWN_VIEW.format("tcp_network"), "Bps", (f"topk(10, {rate_by('remote_network', 'ss_tcp_network_sent_bytes_total')})", NETWORK)),
    lines("Received, by remote network", "The ten networks that send most." + OWN_VIEW.format("tcp_network"), "Bps", (f"topk(10, {rate_by('remote_network', 'ss_tcp_network_received_bytes_total')})", NETWORK)),
    lines("Sent, by process", "The ten processes that send most; unknown is what nobody could name.", "Bps", (f"topk(10, {rate_by('process', 'ss_tcp_sent_bytes_total')})", "{{process}}")),
    lines("Received, by process", "The ten processes that receive most.", "Bps", (f"topk(10, {rate_by('process', 'ss_tcp_received_bytes_total')})", "{{process}}")),
    lines("Connections by service", "Inbound is what hosts serve, outbound what they use.", "short", ("topk(10, sum by (direction, service_port) (ss_tcp_sockets))", SERVICE)),
    lines("Opened and closed", "Connections a second, short ones included. More opened than closed is growth.", "cps", (f"sum(rate(ss_tcp_opened_total{RATE}))", "opened"), (f"sum(rate(ss_tcp_closed_total{RATE}))", "closed")),
    lines("Congestion control", "Connections that use each algorithm; it is the sender's choice." + OWN_VIEW.format("tcp_algorithm"), "short", ("sum by (congestion) (ss_tcp_algorithm_sockets)", "{{congestion}}"), stacked=True),
    lines("Sent by container", "The ten containers that send most; empty is in none." + OWN_VIEW.format("tcp_container"), "Bps", (f"topk(10, {rate_by('container_id, pod_uid', 'ss_tcp_container_sent_bytes_total')})", "{{pod_uid}} {{container_id}}")),
    row("What stands still?"),
    lines("Sockets by state", "As ss names them.", "short", ("sum by (state) (ss_tcp_state_sockets)", "{{state}}"), stacked=True),
    lines("Accept queues", "How full the ten fullest are. At 100 % new connections are ignored, and try again after a second.", "percentunit", (f"topk(10, {FILL})", "{{process}} {{local_address}}:{{local_port}} on {{instance}}")),
    lines("CLOSE_WAIT by process", "Whose connections wait to be closed; a line that only rises is a leak." + OWN_VIEW.format("tcp_close_wait"), "short", ("topk(10, sum by (instance, process) (ss_tcp_close_wait_sockets))", "{{process}} on {{instance}}")),
    lines("Local ports in use, by remote endpoint", "The share of 28,232 ports that are in use towards one remote address and port. Above 50 % connecting becomes slow, at 100 % it fails." + OWN_VIEW.format("tcp_outbound"), "percentunit", ('topk(10, ss_tcp_outbound_sockets{remote_port!="other"} / 28232)', "{{remote_address}}:{{remote_port}} from {{instance}}")),
    lines("Zero windows, by service", "Connections whose peer lets nothing through, because its process does not read." + OWN_VIEW.format("tcp_stuck"), "short", ("topk(10, sum by (direction, service_port) (ss_tcp_stuck_zero_window_sockets))", SERVICE)),
    lines("Queues", "Bytes written and not acknowledged, and received and not read.", "bytes", ("sum(ss_tcp_send_queue_bytes)", "to send"), ("sum(ss_tcp_receive_queue_bytes)", "to read")),
]  # fmt: skip

SERVICE_LABELS = {
    "direction": ("ss_tcp_sockets", r"ss_tcp_(?!listener|state|network).*"),
    "service_port": ("ss_tcp_sockets", r"ss_tcp_(?!listener|state|network).*"),
    "process": ("ss_tcp_sockets", r"ss_tcp_(?!listener|state|network|stuck|order).*"),
}
BY_INSTANCE = "instance, direction, service_port"
ON_INSTANCE = f"{SERVICE} on {{{{instance}}}}"

SERVICES = [
    row("Traffic"),
    lines("Sent", "Payload, retransmissions not counted.", "Bps", (rate_by(BY_INSTANCE, "ss_tcp_sent_bytes_total"), ON_INSTANCE)),
    lines("Received", "Payload; the kernel counts the end of a connection as one byte.", "Bps", (rate_by(BY_INSTANCE, "ss_tcp_received_bytes_total"), ON_INSTANCE)),
    lines("Connections", "Open now.", "short", (f"sum by ({BY_INSTANCE}) (ss_tcp_sockets)", ON_INSTANCE)),
    lines("Opened", "Connections a second, those that no scrape saw included.", "cps", (rate_by(BY_INSTANCE, "ss_tcp_opened_total"), ON_INSTANCE)),
    lines("Lifetime", "How long a connection lives on average: right while about as many open as close. Milliseconds are a handshake for every request.", "s", (f"sum by ({BY_INSTANCE}) (avg_over_time(ss_tcp_sockets{RATE})) / ({rate_by(BY_INSTANCE, 'ss_tcp_closed_total')} > 0)", ON_INSTANCE)),
    lines("Sent, by process and unit", "Whose traffic it is.", "Bps", (f"topk(10, {rate_by('process, unit', 'ss_tcp_sent_bytes_total')})", "{{process}} {{unit}}")),
    row("Network"),
    lines("Round-trip time", "Of the service's connections that received something.", "s", *((quantile(share, "ss_tcp_rtt_seconds", ["direction", "service_port"]), f"{SERVICE} {legend}") for share, legend in ((0.5, "half"), (0.95, "95 %")))),
    heatmap("Distribution of round-trip times", "How many observations a second fell into each bucket. Two bands are two kinds of peers.", "s", f"sum by (le) (increase(ss_tcp_rtt_seconds_bucket{RATE}))"),
    lines("Bytes sent again", "As a share of the bytes sent, while more than 10 kB/s are sent.", "percentunit", (share_by(BY_INSTANCE, *AGAIN), ON_INSTANCE)),
    lines("Out of order", "The share of received segments that came ahead of one that was missing: lost on its way, or overtaken." + OWN_VIEW.format("tcp_order"), "percentunit", (share_by(BY_INSTANCE, "ss_tcp_order_out_of_order_segments_total", "ss_tcp_order_received_data_segments_total", " > 1"), ON_INSTANCE)),
    lines("Reordering seen by senders", "Times a second that a segment was overtaken and not lost, and duplicates that the peer reported: needless retransmissions." + OWN_VIEW.format("tcp_order"), "ops", (rate_by("direction, service_port", "ss_tcp_order_reordering_events_total"), f"{SERVICE} overtaken"), (rate_by("direction, service_port", "ss_tcp_order_dsack_duplicates_total"), f"{SERVICE} twice")),
    row("The peer and us"),
    lines("Waiting for the peer to read", "The share of the busy time in which the peer's window was full. High is a slow or stuck reader.", "percentunit", (waits("receive_window", BY_INSTANCE), ON_INSTANCE)),
    lines("Waiting for the send buffer", "The share of the busy time in which this end's buffer was full: too small for the path.", "percentunit", (waits("send_buffer", BY_INSTANCE), ON_INSTANCE)),
    lines("Busy", "How much of the time the average connection has something to send. Close to 0 the application has nothing to say.", "percentunit", (f"{rate_by(BY_INSTANCE, 'ss_tcp_busy_seconds_total')} / (sum by ({BY_INSTANCE}) (avg_over_time(ss_tcp_sockets{RATE})) > 0)", ON_INSTANCE)),
    lines("Zero windows", "Connections whose peer lets nothing through." + OWN_VIEW.format("tcp_stuck"), "short", (f"sum by ({BY_INSTANCE}) (ss_tcp_stuck_zero_window_sockets)", ON_INSTANCE)),
    lines("Send queue", "Bytes written and not acknowledged.", "bytes", (f"sum by ({BY_INSTANCE}) (ss_tcp_send_queue_bytes)", ON_INSTANCE)),
    lines("Receive queue", "Bytes that this host's process has not read: if they stay, it is stuck or out of CPU.", "bytes", (f"sum by ({BY_INSTANCE}) (ss_tcp_receive_queue_bytes)", ON_INSTANCE)),
    lines("CLOSE_WAIT", "Connections that the peer has closed and the process has not." + OWN_VIEW.format("tcp_close_wait"), "short", (f"sum by (process, {BY_INSTANCE}) (ss_tcp_close_wait_sockets)", f"{{{{process}}}} {ON_INSTANCE}")),
    lines("Silence in CLOSE_WAIT", "For how long the quietest of them has heard nothing: minutes are a leak, however few there are." + OWN_VIEW.format("tcp_close_wait"), "s", (f"max by (process, {BY_INSTANCE}) (ss_tcp_close_wait_last_ack_received_age_seconds)", f"{{{{process}}}} {ON_INSTANCE}")),
]  # fmt: skip

FLOW_LABELS = {
    label: ("ss_tcp_flow_sent_bytes_total", r"ss_tcp_flow_.*")
    for label in ("process", "local_port", "remote_address", "remote_port")
}

FLOWS = [
    row("Which connections are stuck?"),
    table("Zero window", "Connections whose peer lets nothing through now: its process does not read.", "short", "topk(20, ss_tcp_flow_zero_window_sockets > 0)"),
    table("Send queue", "The 20 longest: bytes written and not acknowledged.", "bytes", "topk(20, ss_tcp_flow_send_queue_bytes > 0)"),
    table("Receive queue", "The 20 longest: bytes that this host's process has not read.", "bytes", "topk(20, ss_tcp_flow_receive_queue_bytes > 0)"),
    table("Silence with bytes to send", "How long ago the peer last acknowledged anything, where bytes wait for it.", "s", "topk(20, ss_tcp_flow_last_ack_received_age_seconds and ss_tcp_flow_send_queue_bytes > 0)"),
    row("Which are slow?"),
    lines("Round-trip time", "The 20 longest, as the kernel smooths them. A connection that received nothing keeps its last value.", "s", ("topk(20, ss_tcp_flow_rtt_seconds)", FLOW)),
    lines("Time in queues", "The round-trip time above the connection's shortest of the last minutes: full queues on the path, or a peer that acknowledges late.", "s", ("topk(20, ss_tcp_flow_rtt_seconds - ss_tcp_flow_min_rtt_seconds)", FLOW)),
    lines("Bytes sent again", "A second, the 20 most.", "Bps", (f"topk(20, rate(ss_tcp_flow_retransmitted_bytes_total{RATE}) > 0)", FLOW)),
    lines("Congestion window", "Segments that may be on their way; one that falls again and again sees losses. The 20 smallest.", "short", ("bottomk(20, ss_tcp_flow_congestion_window)", FLOW)),
    lines("Waiting for the peer to read", "The share of the time in which the peer's window was full.", "percentunit", (f"topk(20, rate(ss_tcp_flow_receive_window_limited_seconds_total{RATE}) > 0)", FLOW)),
    lines("Waiting for the send buffer", "The share of the time in which this end's buffer was full.", "percentunit", (f"topk(20, rate(ss_tcp_flow_send_buffer_limited_seconds_total{RATE}) > 0)", FLOW)),
    row("Which are busy?"),
    lines("Sent", "Payload, the 20 that send most.", "Bps", (f"topk(20, rate(ss_tcp_flow_sent_bytes_total{RATE}))", FLOW)),
    lines("Received", "Payload, the 20 that receive most.", "Bps", (f"topk(20, rate(ss_tcp_flow_received_bytes_total{RATE}))", FLOW)),
    lines("Delivery rate", "The latest rate at which data reached the peer; of a connection with little to say it is what the application wrote.", "Bps", ("topk(20, ss_tcp_flow_delivery_rate_bytes_per_second)", FLOW)),
    lines("Flows shown and left out", "Beyond the view's limit flows are left out, and these panels do not show them.", "short", ('sum by (instance) (ss_exporter_rows{view="tcp_flow"})', "shown on {{instance}}"), ('sum by (instance) (ss_exporter_rows_left_out{view="tcp_flow"})', "left out on {{instance}}")),
]  # fmt: skip
for made in FLOWS:
    made["description"] = made.get("description", "") + OWN_VIEW.format("tcp_flow") if made["type"] != "row" else ""

LISTENER = "{{process}} {{local_address}}:{{local_port}} on {{instance}}"
LISTENER_LABELS = {
    label: ("ss_tcp_listener_sockets", r"ss_tcp_listener_.*") for label in ("process", "local_port")
}
# A service port is the local port of a listener.
LISTENER_SERVICES = "sum by (instance, service_port) (rate({}{{direction=\"inbound\"}}[$__rate_interval]))"

LISTENERS = [
    row("Is an accept queue full?"),
    table("Fill of the accept queue", "The fullest first. At 100 % the kernel ignores new connections, which try again after a second.", "percentunit", f"sort_desc({FILL})", width=24),
    lines("Fill over time", "A healthy process keeps it close to 0. A queue that is full between two scrapes only is not seen.", "percentunit", (f"topk(20, {FILL})", LISTENER)),
    lines("Connections that wait", "To be accepted by the process.", "short", ("topk(20, ss_tcp_listener_accept_queue_connections)", LISTENER)),
    lines("Limits", "The backlog that the process asked for, capped by net.core.somaxconn. The smallest first.", "short", ("bottomk(20, ss_tcp_listener_accept_queue_limit)", LISTENER)),
    lines("Listening sockets", "Of one address and port; more than one with SO_REUSEPORT.", "short", ("topk(20, ss_tcp_listener_sockets)", LISTENER)),
    row("What do they serve?"),
    lines("Accepted", "Inbound connections a second, by service port.", "cps", (f"topk(20, {LISTENER_SERVICES.format('ss_tcp_opened_total')})", "{{service_port}} on {{instance}}")),
    lines("Inbound connections", "Open now, by service port.", "short", ('topk(20, sum by (instance, service_port) (ss_tcp_sockets{direction="inbound"}))', "{{service_port}} on {{instance}}")),
    lines("Half-open", "Handshakes that the peer has not finished, or that a full queue does not let finish.", "short", ('sum by (instance) (ss_tcp_state_sockets{state="syn_recv"})', "syn_recv on {{instance}}"), ('sum by (instance) (ss_tcp_state_sockets{state="syn_sent"})', "syn_sent on {{instance}}")),
    lines("Ended without information", "Connections a second that were reset at once, refused or never accepted.", "cps", (f"sum by (instance) (rate(ss_exporter_closes_without_information_total{RATE}))", "{{instance}}")),
]  # fmt: skip

EXPORTER = [
    row("Can I trust the numbers?"),
    lines("Collections", "1 if the stage of the last collection was complete; if not, flows and amounts are withheld.", "short", ("min by (instance, stage) (ss_exporter_collection_success)", "{{stage}} on {{instance}}")),
    lines("Configuration", "1 if the last attempt to read it succeeded.", "short", ("ss_exporter_config_last_reload_successful", "{{instance}}")),
    lines("Dropped events", "Closing sockets a second that the kernel could not tell of: their last bytes are missing.", "ops", (f"rate(ss_exporter_events_dropped_total{RATE})", "{{instance}}")),
    lines("Without information", "Closes a second of which the kernel tells nothing else, and those that no collection and no event saw.", "ops", (f"rate(ss_exporter_closes_without_information_total{RATE})", "wiped, {{instance}}"), (f"rate(ss_exporter_closes_unseen_total{RATE})", "unseen, {{instance}}"), (f"rate(ss_exporter_values_backwards_total{RATE})", "backwards, {{instance}}")),
    lines("Rows and their limit", "How much of a view's limit is in use; at 100 % sockets go to the row other, or flows are left out.", "percentunit", ("ss_exporter_rows / ss_exporter_rows_limit", "{{view}} on {{instance}}")),
    lines("Folded and left out", "Sockets in the row other, and flows that are not shown.", "short", ("ss_exporter_sockets_in_other", "other, {{view}} on {{instance}}"), ("ss_exporter_rows_left_out", "left out, {{view}} on {{instance}}")),
    lines("Owners", "Sockets whose process is not known, and processes that could not be looked at.", "short", ("ss_exporter_sockets_unowned", "sockets, {{instance}}"), ("ss_exporter_processes_unreadable", "processes, {{instance}}")),
    lines("Capabilities", "0 is missing: the feature works for a part of the host only.", "short", ("ss_exporter_capability", "{{name}} for {{feature}}, {{instance}}")),
    lines("Network namespaces", "Found, failed, and unobserved ones, of whose closing sockets the kernel does not tell. Needs collect.netns.", "short", ("ss_exporter_namespaces", "found, {{instance}}"), ("ss_exporter_namespaces_failed", "failed, {{instance}}"), ("ss_exporter_namespaces_unobserved", "unobserved, {{instance}}")),
    lines("Refused scrapes", "A second, because as many as --web.max-requests waited already.", "reqps", (f"rate(ss_exporter_scrapes_refused_total{RATE})", "{{instance}}")),
    row("What does it cost?"),
    lines("CPU", "Of one CPU.", "percentunit", (f"rate(process_cpu_seconds_total{RATE})", "{{instance}}")),
    lines("Memory", "Resident.", "bytes", ("process_resident_memory_bytes", "{{instance}}")),
    lines("Scrape", "How long Prometheus waited for an answer.", "s", ("scrape_duration_seconds", "{{instance}}")),
    lines("Stages of a collection", "How long the last one took.", "s", ("ss_exporter_collection_duration_seconds", "{{stage}} on {{instance}}")),
    lines("Samples", "Of a scrape, as Prometheus stores them.", "short", ("scrape_samples_scraped", "{{instance}}")),
    lines("Rows", "By view.", "short", ("sum by (view) (ss_exporter_rows)", "{{view}}"), stacked=True),
    lines("Sockets", "In the last dump, and followed from one collection to the next.", "short", ("ss_exporter_sockets_seen", "seen, {{instance}}"), ("ss_exporter_sockets_tracked", "followed, {{instance}}"), ("ss_exporter_sockets_untracked", "beyond the limit, {{instance}}")),
    lines("Dump", "What the kernel told.", "bytes", ("ss_exporter_dump_bytes", "{{instance}}")),
    lines("Events", "Closing sockets a second that the kernel told of.", "ops", (f"rate(ss_exporter_events_total{RATE})", "{{instance}}")),
    lines("Collections a second", "Scrapes at the same time share one.", "ops", (f"rate(ss_exporter_collections_total{RATE})", "{{instance}}"), (f"rate(ss_exporter_resyncs_total{RATE})", "after dropped events, {{instance}}")),
    lines("Open files", "Of the exporter.", "short", ("process_open_fds", "{{instance}}")),
    table("Versions", "Which exporter runs where.", "short", "ss_exporter_build_info"),
]  # fmt: skip

DASHBOARDS = {
    "overview": dashboard("overview", "Overview", "All hosts: what is slow, and whether it is the network, the peer or us.", OVERVIEW),
    "service": dashboard("service", "Service", "One service, as this host serves or uses it.", SERVICES, SERVICE_LABELS),
    "flow": dashboard("flow", "Flows", "Single connections: which are stuck, slow or busy.", FLOWS, FLOW_LABELS),
    "listeners": dashboard("listeners", "Listeners", "Who waits for connections, and who lets them wait.", LISTENERS, LISTENER_LABELS),
    "exporter": dashboard("exporter", "Exporter", "The exporter itself: whether its numbers are whole, and what they cost.", EXPORTER),
}  # fmt: skip


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--check"]
    folder = pathlib.Path(arguments[0]) if arguments else pathlib.Path(__file__).parent / "grafana"
    stale = []
    for name, made in DASHBOARDS.items():
        path, text = folder / f"{name}.json", json.dumps(made, indent=1) + "\n"
        if "--check" not in sys.argv:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            stale.append(str(path))
    if stale:
        sys.exit(f"not what deploy/dashboards.py writes: {', '.join(stale)}")


main()
