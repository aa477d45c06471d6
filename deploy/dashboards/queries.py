"""Pieces of PromQL that several dashboards ask, without selectors."""

RATE = "[$__rate_interval]"
SERVICE = "{{direction}} {{service_port}}"
NETWORK = "{{remote_network}}"
FLOW = "{{process}} {{local_address}}:{{local_port}} {{remote_address}}:{{remote_port}}"


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
    limited = " - ".join(
        rate_by(by, f"ss_tcp_{what}_limited_seconds_total") for what in ("receive_window", "send_buffer")
    )
    busy = rate_by(by, "ss_tcp_busy_seconds_total")
    return f"({busy} - {limited}) / ({busy} > 0.01)"


FILL = "ss_tcp_listener_accept_queue_connections / (ss_tcp_listener_accept_queue_limit + 1)"
UNIX_FILL = "ss_unix_listener_accept_queue_connections / (ss_unix_listener_accept_queue_limit + 1)"
UDP_FILL = "ss_udp_receive_memory_bytes / (ss_udp_receive_buffer_bytes > 0)"
BLOAT = (
    f"{quantile(0.95, 'ss_tcp_network_rtt_seconds', ['remote_network'])} -"
    f" {quantile(0.95, 'ss_tcp_network_min_rtt_seconds', ['remote_network'])}"
)
AGAIN = ("ss_tcp_retransmitted_bytes_total", "ss_tcp_sent_bytes_total", " > 10000")
