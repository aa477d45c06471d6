"""One service that this host serves or uses."""

from panels import heatmap, lines, row
from queries import AGAIN, RATE, SERVICE, quantile, rate_by, share_by, waits

LABELS = {
    "direction": ("ss_tcp_sockets", r"ss_tcp_(?!listener|state|network).*"),
    "service_port": ("ss_tcp_sockets", r"ss_tcp_(?!listener|state|network).*"),
    "process": ("ss_tcp_sockets", r"ss_tcp_(?!listener|state|network|stuck|order).*"),
}
BY_INSTANCE = "instance, direction, service_port"
ON_INSTANCE = f"{SERVICE} on {{{{instance}}}}"

TITLE = "Service"
PANELS = [
    row("Traffic"),
    lines(
        "Sent",
        "Payload, retransmissions not counted.",
        "Bps",
        (rate_by(BY_INSTANCE, "ss_tcp_sent_bytes_total"), ON_INSTANCE),
    ),
    lines(
        "Received",
        "Payload; the kernel counts a FIN as one byte.",
        "Bps",
        (rate_by(BY_INSTANCE, "ss_tcp_received_bytes_total"), ON_INSTANCE),
    ),
    lines("Connections", "Current connections.", "short", (f"sum by ({BY_INSTANCE}) (ss_tcp_sockets)", ON_INSTANCE)),
    lines(
        "Opened",
        "Connections per second, including those that no scrape saw.",
        "cps",
        (rate_by(BY_INSTANCE, "ss_tcp_opened_total"), ON_INSTANCE),
    ),
    lines(
        "Lifetime",
        "Average lifetime of a connection, right while about as many open as close. Milliseconds mean a "
        "handshake for every request.",
        "s",
        (
            (
                f"sum by ({BY_INSTANCE}) (avg_over_time(ss_tcp_sockets{RATE})) /"
                f" ({rate_by(BY_INSTANCE, 'ss_tcp_closed_total')} > 0)"
            ),
            ON_INSTANCE,
        ),
    ),
    lines(
        "Sent, by process and unit",
        "Owners of the traffic.",
        "Bps",
        (f"topk(10, {rate_by('process, unit', 'ss_tcp_sent_bytes_total')})", "{{process}} {{unit}}"),
    ),
    row("Network"),
    lines(
        "Round-trip time",
        "Connections of the service that received data.",
        "s",
        *(
            (quantile(share, "ss_tcp_rtt_seconds", ["direction", "service_port"]), f"{SERVICE} {legend}")
            for share, legend in ((0.5, "p50"), (0.95, "p95"))
        ),
    ),
    heatmap(
        "Distribution of round-trip times",
        "Observations per second in each bucket. Two bands are two kinds of peers.",
        "s",
        f"sum by (le) (increase(ss_tcp_rtt_seconds_bucket{RATE}))",
    ),
    lines(
        "Retransmitted bytes",
        "Share of the bytes sent, while the service sends more than 10 kB/s.",
        "percentunit",
        (share_by(BY_INSTANCE, *AGAIN), ON_INSTANCE),
    ),
    lines(
        "Out of order",
        "Share of received segments that arrived before a missing one, which was lost or reordered. Needs"
        " the view tcp_order of deploy/questions.yml.",
        "percentunit",
        (
            share_by(
                BY_INSTANCE,
                "ss_tcp_order_out_of_order_segments_total",
                "ss_tcp_order_received_data_segments_total",
                " > 1",
            ),
            ON_INSTANCE,
        ),
    ),
    lines(
        "Reordering seen by senders",
        "Reordering events per second, and duplicates that the peer reported: spurious retransmissions. Needs the view tcp_order of deploy/questions.yml.",
        "ops",
        (rate_by("direction, service_port", "ss_tcp_order_reordering_events_total"), f"{SERVICE} reordered"),
        (rate_by("direction, service_port", "ss_tcp_order_dsack_duplicates_total"), f"{SERVICE} duplicates"),
    ),
    row("The peer and us"),
    lines(
        "Waiting for the peer to read",
        "Share of the busy time in which the peer's window was full. A high share is a slow or stuck reader.",
        "percentunit",
        (waits("receive_window", BY_INSTANCE), ON_INSTANCE),
    ),
    lines(
        "Waiting for the send buffer",
        "Share of the busy time in which the local send buffer was full: it is too small for the path.",
        "percentunit",
        (waits("send_buffer", BY_INSTANCE), ON_INSTANCE),
    ),
    lines(
        "Busy",
        "Share of the time in which the average connection has data to send. Close to 0, the application "
        "sends almost nothing.",
        "percentunit",
        (
            (
                f"{rate_by(BY_INSTANCE, 'ss_tcp_busy_seconds_total')} / (sum by ({BY_INSTANCE})"
                f" (avg_over_time(ss_tcp_sockets{RATE})) > 0)"
            ),
            ON_INSTANCE,
        ),
    ),
    lines(
        "Zero windows",
        "Connections with a zero window. Needs the view tcp_stuck of deploy/questions.yml.",
        "short",
        (f"sum by ({BY_INSTANCE}) (ss_tcp_stuck_zero_window_sockets)", ON_INSTANCE),
    ),
    lines(
        "Send queue",
        "Bytes written and not yet acknowledged.",
        "bytes",
        (f"sum by ({BY_INSTANCE}) (ss_tcp_send_queue_bytes)", ON_INSTANCE),
    ),
    lines(
        "Receive queue",
        "Bytes that the local process has not read. If they stay, it is stuck or has no CPU.",
        "bytes",
        (f"sum by ({BY_INSTANCE}) (ss_tcp_receive_queue_bytes)", ON_INSTANCE),
    ),
    lines(
        "CLOSE_WAIT",
        "Connections that the peer has closed and the process has not. Needs the view tcp_close_wait of"
        " deploy/questions.yml.",
        "short",
        (f"sum by (process, {BY_INSTANCE}) (ss_tcp_close_wait_sockets)", f"{{{{process}}}} {ON_INSTANCE}"),
    ),
    lines(
        "Silence in CLOSE_WAIT",
        "Longest time without data from the peer. Minutes are a leak, however few connections there are. Needs the"
        " view tcp_close_wait of deploy/questions.yml.",
        "s",
        (
            f"max by (process, {BY_INSTANCE}) (ss_tcp_close_wait_last_ack_received_age_seconds)",
            f"{{{{process}}}} {ON_INSTANCE}",
        ),
    ),
]
