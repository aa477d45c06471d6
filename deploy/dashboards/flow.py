"""Single connections: which are stuck, slow or busy. All panels need the view tcp_flow of deploy/questions.yml."""

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
        "Connections with a zero window: the process of the peer does not read.",
        "short",
        "topk(20, ss_tcp_flow_zero_window_sockets > 0)",
        width=24,
    ),
    table(
        "Send queue",
        "Bytes written and not yet acknowledged; the 20 longest queues.",
        "bytes",
        "topk(20, ss_tcp_flow_send_queue_bytes > 0)",
        width=24,
    ),
    table(
        "Receive queue",
        "Bytes that the local process has not read; the 20 longest queues.",
        "bytes",
        "topk(20, ss_tcp_flow_receive_queue_bytes > 0)",
        width=24,
    ),
    table(
        "Silence with bytes to send",
        "Time since the last acknowledgement, for connections with bytes to send.",
        "s",
        "topk(20, ss_tcp_flow_last_ack_received_age_seconds and ss_tcp_flow_send_queue_bytes > 0)",
        width=24,
    ),
    row("Which are slow?"),
    lines(
        "Round-trip time",
        "Smoothed round-trip time; the 20 longest. A connection that receives nothing keeps its last value.",
        "s",
        ("topk(20, ss_tcp_flow_rtt_seconds)", FLOW),
    ),
    lines(
        "Time in queues",
        "Round-trip time minus its minimum of the last minutes: full queues on the path, or a peer that "
        "acknowledges late.",
        "s",
        ("topk(20, ss_tcp_flow_rtt_seconds - ss_tcp_flow_min_rtt_seconds)", FLOW),
    ),
    lines(
        "Retransmitted bytes",
        "Retransmitted bytes per second; the 20 highest.",
        "Bps",
        (f"topk(20, rate(ss_tcp_flow_retransmitted_bytes_total{RATE}) > 0)", FLOW),
    ),
    lines(
        "Congestion window",
        "Segments that may be in flight; the 20 smallest. A window that falls repeatedly means losses.",
        "short",
        ("bottomk(20, ss_tcp_flow_congestion_window)", FLOW),
        smallest_first=True,
    ),
    lines(
        "Waiting for the peer to read",
        "Share of the time in which the peer's window was full.",
        "percentunit",
        (f"topk(20, rate(ss_tcp_flow_receive_window_limited_seconds_total{RATE}) > 0)", FLOW),
    ),
    lines(
        "Waiting for the send buffer",
        "Share of the time in which the local send buffer was full.",
        "percentunit",
        (f"topk(20, rate(ss_tcp_flow_send_buffer_limited_seconds_total{RATE}) > 0)", FLOW),
    ),
    row("Which are busy?"),
    lines(
        "Sent",
        "Payload; the 20 connections that send most.",
        "Bps",
        (f"topk(20, rate(ss_tcp_flow_sent_bytes_total{RATE}))", FLOW),
    ),
    lines(
        "Received",
        "Payload; the 20 connections that receive most.",
        "Bps",
        (f"topk(20, rate(ss_tcp_flow_received_bytes_total{RATE}))", FLOW),
    ),
    lines(
        "Delivery rate",
        "Latest rate at which data reached the peer. If the application sends little, it is the rate of the "
        "application.",
        "Bps",
        ("topk(20, ss_tcp_flow_delivery_rate_bytes_per_second)", FLOW),
    ),
    lines(
        "Connections shown and dropped",
        "Connections beyond the limit of the view are dropped: these panels miss them.",
        "short",
        ('sum by (instance) (ss_exporter_rows{view="tcp_flow"})', "shown on {{instance}}"),
        ('sum by (instance) (ss_exporter_rows_dropped{view="tcp_flow"})', "dropped on {{instance}}"),
    ),
]
