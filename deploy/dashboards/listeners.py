"""Listeners, and whether they accept connections in time."""

from panels import lines, row, table
from queries import FILL, RATE, UNIX_FILL, rate_by

LISTENER = "{{process}} {{local_address}}:{{local_port}} on {{instance}}"
LABELS = {label: ("ss_tcp_listener_sockets", r"ss_tcp_listener_.*") for label in ("process", "local_port")}
# A service port is the local port of a listener.
LISTENER_SERVICES = 'sum by (instance, service_port) (rate({}{{direction="inbound"}}[$__rate_interval]))'

TITLE = "Listeners"
PANELS = [
    row("Is an accept queue full?"),
    table(
        "Fill of the accept queue",
        "The fullest first. At 100 %, the kernel ignores new connections, and clients retry after a second.",
        "percentunit",
        f"sort_desc({FILL})",
        width=24,
    ),
    lines(
        "Fill over time",
        "A healthy process keeps it close to 0. A queue that is full only between two scrapes is missed.",
        "percentunit",
        (f"topk(20, {FILL})", LISTENER),
    ),
    lines(
        "Connections that wait",
        "Connections in the accept queue.",
        "short",
        ("topk(20, ss_tcp_listener_accept_queue_connections)", LISTENER),
    ),
    lines(
        "Refused handshakes",
        "SYNs and handshakes per second that a listener refused, also between two scrapes. Their clients retry after a"
        " second.",
        "cps",
        (
            f"topk(20, {rate_by('instance, process, local_address, local_port', 'ss_tcp_listener_refused_handshakes_total')})",
            LISTENER,
        ),
    ),
    lines(
        "Limits",
        "The backlog of the process, at most net.core.somaxconn. The smallest first.",
        "short",
        ("bottomk(20, ss_tcp_listener_accept_queue_limit)", LISTENER),
        smallest_first=True,
    ),
    lines(
        "Listening sockets",
        "Listening sockets per address and port; more than one with SO_REUSEPORT.",
        "short",
        ("topk(20, ss_tcp_listener_sockets)", LISTENER),
    ),
    table(
        "Fill of the accept queue, unix",
        "The fullest first. At 100 %, clients wait or get EAGAIN.",
        "percentunit",
        f"sort_desc({UNIX_FILL})",
        width=24,
    ),
    row("What do they serve?"),
    lines(
        "Accepted",
        "Inbound connections per second, by service port.",
        "cps",
        (f"topk(20, {LISTENER_SERVICES.format('ss_tcp_opened_total')})", "{{service_port}} on {{instance}}"),
    ),
    lines(
        "Inbound connections",
        "Current connections, by service port.",
        "short",
        (
            'topk(20, sum by (instance, service_port) (ss_tcp_sockets{direction="inbound"}))',
            "{{service_port}} on {{instance}}",
        ),
    ),
    lines(
        "Half-open",
        "Unfinished handshakes: the peer has not answered, or the accept queue is full.",
        "short",
        ('sum by (instance) (ss_tcp_state_sockets{state="syn_recv"})', "syn_recv on {{instance}}"),
        ('sum by (instance) (ss_tcp_state_sockets{state="syn_sent"})', "syn_sent on {{instance}}"),
    ),
    lines(
        "Reset, refused or not accepted",
        "Connections per second that were reset at once, refused or never accepted.",
        "cps",
        (
            f'sum by (instance) (rate(ss_exporter_closes_without_tcp_info_total{{reason="disconnected"}}{RATE}))',
            "{{instance}}",
        ),
    ),
]
