"""One service, as this host serves or uses it."""

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
        "Payload; the kernel counts the end of a connection as one byte.",
        "Bps",
        (rate_by(BY_INSTANCE, "ss_tcp_received_bytes_total"), ON_INSTANCE),
    ),
    lines("Connections", "Open now.", "short", (f"sum by ({BY_INSTANCE}) (ss_tcp_sockets)", ON_INSTANCE)),
    lines(
        "Opened",
        "Connections a second, those that no scrape saw included.",
        "cps",
        (rate_by(BY_INSTANCE, "ss_tcp_opened_total"), ON_INSTANCE),
    ),
    lines(
        "Lifetime",
        "How long a connection lives on average: right while about as many open as close. Milliseconds are a"
        " handshake for every request.",
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
        "Whose traffic it is.",
        "Bps",
        (f"topk(10, {rate_by('process, unit', 'ss_tcp_sent_bytes_total')})", "{{process}} {{unit}}"),
    ),
    row("Network"),
    lines(
        "Round-trip time",
        "Of the service's connections that received something.",
        "s",
        *(
            (quantile(share, "ss_tcp_rtt_seconds", ["direction", "service_port"]), f"{SERVICE} {legend}")
            for share, legend in ((0.5, "half"), (0.95, "95 %"))
        ),
    ),
    heatmap(
        "Distribution of round-trip times",
        "How many observations a second fell into each bucket. Two bands are two kinds of peers.",
        "s",
        f"sum by (le) (increase(ss_tcp_rtt_seconds_bucket{RATE}))",
    ),
    lines(
        "Retransmitted bytes",
        "As a share of the bytes sent, while more than 10 kB/s are sent.",
        "percentunit",
        (share_by(BY_INSTANCE, *AGAIN), ON_INSTANCE),
    ),
    lines(
        "Out of order",
        "The share of received segments that came ahead of one that was missing: lost on its way, or overtaken. Needs"
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
        "Times a second that a segment was overtaken and not lost, and duplicates that the peer reported: needless"
        " retransmissions. Needs the view tcp_order of deploy/questions.yml.",
        "ops",
        (rate_by("direction, service_port", "ss_tcp_order_reordering_events_total"), f"{SERVICE} overtaken"),
        (rate_by("direction, service_port", "ss_tcp_order_dsack_duplicates_total"), f"{SERVICE} twice"),
    ),
    row("The peer and us"),
    lines(
        "Waiting for the peer to read",
        "The share of the busy time in which the peer's window was full. High is a slow or stuck reader.",
        "percentunit",
        (waits("receive_window", BY_INSTANCE), ON_INSTANCE),
    ),
    lines(
        "Waiting for the send buffer",
        "The share of the busy time in which this end's buffer was full: too small for the path.",
        "percentunit",
        (waits("send_buffer", BY_INSTANCE), ON_INSTANCE),
    ),
    lines(
        "Busy",
        "How much of the time the average connection has something to send. Close to 0 the application has nothing to"
        " say.",
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
        "Connections whose peer lets nothing through. Needs the view tcp_stuck of deploy/questions.yml.",
        "short",
        (f"sum by ({BY_INSTANCE}) (ss_tcp_stuck_zero_window_sockets)", ON_INSTANCE),
    ),
    lines(
        "Send queue",
        "Bytes written and not acknowledged.",
        "bytes",
        (f"sum by ({BY_INSTANCE}) (ss_tcp_send_queue_bytes)", ON_INSTANCE),
    ),
    lines(
        "Receive queue",
        "Bytes that this host's process has not read: if they stay, it is stuck or out of CPU.",
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
        "For how long the quietest of them has heard nothing: minutes are a leak, however few there are. Needs the"
        " view tcp_close_wait of deploy/questions.yml.",
        "s",
        (
            f"max by (process, {BY_INSTANCE}) (ss_tcp_close_wait_last_ack_received_age_seconds)",
            f"{{{{process}}}} {ON_INSTANCE}",
        ),
    ),
]
