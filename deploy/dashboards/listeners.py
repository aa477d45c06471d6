"""Who waits for connections, and who lets them wait."""

from panels import lines, row, table
from queries import FILL, RATE

LISTENER = "{{process}} {{local_address}}:{{local_port}} on {{instance}}"
LABELS = {label: ("ss_tcp_listener_sockets", r"ss_tcp_listener_.*") for label in ("process", "local_port")}
# A service port is the local port of a listener.
LISTENER_SERVICES = 'sum by (instance, service_port) (rate({}{{direction="inbound"}}[$__rate_interval]))'

TITLE = "Listeners"
PANELS = [
    row("Is an accept queue full?"),
    table(
        "Fill of the accept queue",
        "The fullest first. At 100 % the kernel ignores new connections, which try again after a second.",
        "percentunit",
        f"sort_desc({FILL})",
        width=24,
    ),
    lines(
        "Fill over time",
        "A healthy process keeps it close to 0. A queue that is full between two scrapes only is not seen.",
        "percentunit",
        (f"topk(20, {FILL})", LISTENER),
    ),
    lines(
        "Connections that wait",
        "To be accepted by the process.",
        "short",
        ("topk(20, ss_tcp_listener_accept_queue_connections)", LISTENER),
    ),
    lines(
        "Limits",
        "The backlog that the process asked for, capped by net.core.somaxconn. The smallest first.",
        "short",
        ("bottomk(20, ss_tcp_listener_accept_queue_limit)", LISTENER),
        smallest_first=True,
    ),
    lines(
        "Listening sockets",
        "Of one address and port; more than one with SO_REUSEPORT.",
        "short",
        ("topk(20, ss_tcp_listener_sockets)", LISTENER),
    ),
    row("What do they serve?"),
    lines(
        "Accepted",
        "Inbound connections a second, by service port.",
        "cps",
        (f"topk(20, {LISTENER_SERVICES.format('ss_tcp_opened_total')})", "{{service_port}} on {{instance}}"),
    ),
    lines(
        "Inbound connections",
        "Open now, by service port.",
        "short",
        (
            'topk(20, sum by (instance, service_port) (ss_tcp_sockets{direction="inbound"}))',
            "{{service_port}} on {{instance}}",
        ),
    ),
    lines(
        "Half-open",
        "Handshakes that the peer has not finished, or that a full queue does not let finish.",
        "short",
        ('sum by (instance) (ss_tcp_state_sockets{state="syn_recv"})', "syn_recv on {{instance}}"),
        ('sum by (instance) (ss_tcp_state_sockets{state="syn_sent"})', "syn_sent on {{instance}}"),
    ),
    lines(
        "Ended without information",
        "Connections a second that were reset at once, refused or never accepted.",
        "cps",
        (f"sum by (instance) (rate(ss_exporter_closes_without_tcp_info_total{RATE}))", "{{instance}}"),
    ),
]
