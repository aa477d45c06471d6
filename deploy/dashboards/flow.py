"""Single connections: which are stuck, slow or busy. All of it needs the view tcp_flow of deploy/questions.yml."""

from panels import lines, row, table
from queries import FLOW, RATE

LABELS = {
    label: ("ss_tcp_flow_sent_bytes_total", r"ss_tcp_flow_.*")
    for label in ("process", "local_port", "remote_address", "remote_port")
}

TITLE = "Flows"
PANELS = [
    row("Which connections are stuck?"),
    table(
        "Zero window",
        "Connections whose peer lets nothing through now: its process does not read.",
        "short",
        "topk(20, ss_tcp_flow_zero_window_sockets > 0)",
        width=24,
    ),
    table(
        "Send queue",
        "The 20 longest: bytes written and not acknowledged.",
        "bytes",
        "topk(20, ss_tcp_flow_send_queue_bytes > 0)",
        width=24,
    ),
    table(
        "Receive queue",
        "The 20 longest: bytes that this host's process has not read.",
        "bytes",
        "topk(20, ss_tcp_flow_receive_queue_bytes > 0)",
        width=24,
    ),
    table(
        "Silence with bytes to send",
        "How long ago the peer last acknowledged anything, where bytes wait for it.",
        "s",
        "topk(20, ss_tcp_flow_last_ack_received_age_seconds and ss_tcp_flow_send_queue_bytes > 0)",
        width=24,
    ),
    row("Which are slow?"),
    lines(
        "Round-trip time",
        "The 20 longest, as the kernel smooths them. A connection that received nothing keeps its last value.",
        "s",
        ("topk(20, ss_tcp_flow_rtt_seconds)", FLOW),
    ),
    lines(
        "Time in queues",
        "The round-trip time above the connection's shortest of the last minutes: full queues on the path, or a peer"
        " that acknowledges late.",
        "s",
        ("topk(20, ss_tcp_flow_rtt_seconds - ss_tcp_flow_min_rtt_seconds)", FLOW),
    ),
    lines(
        "Retransmitted bytes",
        "A second, the 20 most.",
        "Bps",
        (f"topk(20, rate(ss_tcp_flow_retransmitted_bytes_total{RATE}) > 0)", FLOW),
    ),
    lines(
        "Congestion window",
        "Segments that may be on their way; one that falls again and again sees losses. The 20 smallest.",
        "short",
        ("bottomk(20, ss_tcp_flow_congestion_window)", FLOW),
        smallest_first=True,
    ),
    lines(
        "Waiting for the peer to read",
        "The share of the time in which the peer's window was full.",
        "percentunit",
        (f"topk(20, rate(ss_tcp_flow_receive_window_limited_seconds_total{RATE}) > 0)", FLOW),
    ),
    lines(
        "Waiting for the send buffer",
        "The share of the time in which this end's buffer was full.",
        "percentunit",
        (f"topk(20, rate(ss_tcp_flow_send_buffer_limited_seconds_total{RATE}) > 0)", FLOW),
    ),
    row("Which are busy?"),
    lines(
        "Sent",
        "Payload, the 20 that send most.",
        "Bps",
        (f"topk(20, rate(ss_tcp_flow_sent_bytes_total{RATE}))", FLOW),
    ),
    lines(
        "Received",
        "Payload, the 20 that receive most.",
        "Bps",
        (f"topk(20, rate(ss_tcp_flow_received_bytes_total{RATE}))", FLOW),
    ),
    lines(
        "Delivery rate",
        "The latest rate at which data reached the peer; of a connection with little to say it is what the"
        " application wrote.",
        "Bps",
        ("topk(20, ss_tcp_flow_delivery_rate_bytes_per_second)", FLOW),
    ),
    lines(
        "Flows shown and left out",
        "Beyond the view's limit flows are left out, and these panels do not show them.",
        "short",
        ('sum by (instance) (ss_exporter_rows{view="tcp_flow"})', "shown on {{instance}}"),
        ('sum by (instance) (ss_exporter_rows_dropped{view="tcp_flow"})', "left out on {{instance}}"),
    ),
]
