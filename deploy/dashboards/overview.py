"""All hosts: what is slow, and whether the network, the peer or this end is the cause."""

from panels import lines, number, row
from queries import AGAIN, BLOAT, FILL, UDP_FILL, UNIX_FILL, NETWORK, RATE, SERVICE, network_waits, quantile, rate_by, share_by, waits

# Of docs/concepts/bottlenecks.md, without idle.
BOTTLENECKS = (
    "connecting",
    "accept_queue",
    "stalled",
    "peer_not_reading",
    "not_reading",
    "peer_window",
    "send_buffer",
    "receiving",
    "application",
    "loss",
    "queueing",
    "path",
)
UDP_SERVICE = "{{process}} {{service_port}} on {{instance}}"

TITLE = "Overview"
PANELS = [
    row("Now"),
    number(
        "Hosts", "Exporters that answer.", "short", "sum(up * on (job, instance) group_left ss_exporter_build_info)"
    ),
    number(
        "Connections",
        "Open connections of all hosts. A connection between two of them counts twice.",
        "short",
        "sum(ss_tcp_sockets)",
    ),
    number("Sent", "Payload sent, without retransmissions.", "Bps", f"sum(rate(ss_tcp_sent_bytes_total{RATE}))"),
    number("Received", "Payload received.", "Bps", f"sum(rate(ss_tcp_received_bytes_total{RATE}))"),
    number(
        "Retransmitted",
        "Retransmitted bytes as a share of the bytes sent. 0.1 % is common on the internet, 1 % slows every large"
        " transfer down.",
        "percentunit",
        f"sum(rate(ss_tcp_retransmitted_bytes_total{RATE})) / sum(rate(ss_tcp_sent_bytes_total{RATE}))",
        red=0.01,
    ),
    number(
        "Fullest accept queue", "At 100 % the kernel ignores new connections.", "percentunit", f"max({FILL})", red=1
    ),
    number(
        "In CLOSE_WAIT",
        "Connections that the peer has closed and the process has not.",
        "short",
        'sum(ss_tcp_state_sockets{state="close_wait"})',
    ),
    number(
        "Incomplete hosts",
        "Hosts with an incomplete last collection: their gauges and per-connection series are missing.",
        "short",
        "sum(1 - min by (job, instance) (ss_exporter_collection_success))",
        red=1,
    ),
    row("Is it the network, the peer or us?"),
    lines(
        "What senders wait for",
        "Shares of the time with data to send: waiting for the peer to read, waiting for room in the send "
        "buffer of this end, and the rest, which is the network.",
        "percentunit",
        (network_waits("job"), "network"),
        (waits("receive_window", "job"), "peer reads"),
        (waits("send_buffer", "job"), "send buffer"),
        stacked=True,
    ),
    lines(
        "Why: connections by bottleneck",
        "Open connections by what limits them, idle ones left out. application: the local process has nothing to send;"
        " the other classes are in docs/concepts/bottlenecks.md. Needs the view tcp_bottleneck of deploy/questions.yml.",
        "short",
        ('sum by (bottleneck) (ss_tcp_bottleneck_sockets{bottleneck!~"idle|unknown"})', "{{bottleneck}}"),
        stacked=True,
    ),
    lines(
        "Why: time by bottleneck",
        "Connections that each class limited on average, by samples, idle ones left out. Needs the view tcp_why of"
        " deploy/questions.yml.",
        "short",
        *((f"sum(rate(ss_tcp_why_bottleneck_{name}_seconds_total{RATE}))", name) for name in BOTTLENECKS),
        stacked=True,
    ),
    lines(
        "Retransmitted bytes, by service",
        "Share of the bytes sent, for services that send more than 10 kB/s. If all services rise, suspect "
        "this host or its link; if one does, its path.",
        "percentunit",
        (f"topk(10, {share_by('direction, service_port', *AGAIN)})", SERVICE),
    ),
    lines(
        "Round-trip time",
        "All connections that received data. If only the upper lines rise, some peers are slow: see the next "
        "panel.",
        "s",
        *(
            (quantile(share, "ss_tcp_rtt_seconds", []), legend)
            for share, legend in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))
        ),
    ),
    lines(
        "Round-trip time by remote network, p95",
        "p95 of the round-trip time for each network. Needs the view tcp_network of deploy/questions.yml.",
        "s",
        (f"topk(10, {quantile(0.95, 'ss_tcp_network_rtt_seconds', ['remote_network'])})", NETWORK),
    ),
    lines(
        "Time in queues by remote network",
        "p95 of the round-trip time minus that of its minimum in the last minutes. More than 0.1 s during a "
        "transfer is bufferbloat. Needs the view tcp_network of deploy/questions.yml.",
        "s",
        (f"topk(10, {BLOAT})", NETWORK),
    ),
    lines(
        "Retransmitted bytes, by remote network",
        "Share of the bytes sent, for networks that receive more than 10 kB/s. If one network is affected, suspect the "
        "path to it. Needs the view tcp_network of deploy/questions.yml.",
        "percentunit",
        (
            (
                "topk(10,"
                f" {share_by('remote_network', *(part.replace('ss_tcp_', 'ss_tcp_network_') for part in AGAIN))})"
            ),
            NETWORK,
        ),
    ),
    row("Who sends how much to whom?"),
    lines(
        "Sent, by remote network",
        "The ten networks that receive most. Needs the view tcp_network of deploy/questions.yml.",
        "Bps",
        (f"topk(10, {rate_by('remote_network', 'ss_tcp_network_sent_bytes_total')})", NETWORK),
    ),
    lines(
        "Received, by remote network",
        "The ten networks that send most. Needs the view tcp_network of deploy/questions.yml.",
        "Bps",
        (f"topk(10, {rate_by('remote_network', 'ss_tcp_network_received_bytes_total')})", NETWORK),
    ),
    lines(
        "Sent, by process",
        "The ten processes that send most; unknown: no known owner.",
        "Bps",
        (f"topk(10, {rate_by('process', 'ss_tcp_sent_bytes_total')})", "{{process}}"),
    ),
    lines(
        "Received, by process",
        "The ten processes that receive most.",
        "Bps",
        (f"topk(10, {rate_by('process', 'ss_tcp_received_bytes_total')})", "{{process}}"),
    ),
    lines(
        "Connections by service",
        "Inbound: services of the hosts. Outbound: services that the hosts use.",
        "short",
        ("topk(10, sum by (direction, service_port) (ss_tcp_sockets))", SERVICE),
    ),
    lines(
        "Opened and closed",
        "Connections per second, short ones included. More opened than closed is growth.",
        "cps",
        (f"sum(rate(ss_tcp_opened_total{RATE}))", "opened"),
        (f"sum(rate(ss_tcp_closed_total{RATE}))", "closed"),
    ),
    lines(
        "Congestion control",
        "Connections that use each algorithm. The sender chooses it. Needs the view tcp_algorithm of"
        " deploy/questions.yml.",
        "short",
        ("sum by (congestion) (ss_tcp_algorithm_sockets)", "{{congestion}}"),
        stacked=True,
    ),
    lines(
        "Sent by container",
        "The ten containers that send most, and all traffic outside containers. Needs the view tcp_container of "
        "deploy/questions.yml.",
        "Bps",
        (
            f"topk(10, label_replace({rate_by('container_id, pod_uid', 'ss_tcp_container_sent_bytes_total')},"
            ' "container_id", "no container", "container_id", ""))',
            "{{pod_uid}} {{container_id}}",
        ),
    ),
    row("What is stuck?"),
    lines(
        "Sockets by state",
        "With the names of node_exporter.",
        "short",
        ("sum by (state) (ss_tcp_state_sockets)", "{{state}}"),
        stacked=True,
    ),
    lines(
        "Accept queues",
        "Fill of the ten fullest queues. At 100 %, the kernel ignores new connections, and clients retry after a second.",
        "percentunit",
        (f"topk(10, {FILL})", "{{process}} {{local_address}}:{{local_port}} on {{instance}}"),
    ),
    lines(
        "CLOSE_WAIT by process",
        "Connections that the process has not closed; a line that only rises is a leak. Needs the view tcp_close_wait of"
        " deploy/questions.yml.",
        "short",
        ("topk(10, sum by (instance, process) (ss_tcp_close_wait_sockets))", "{{process}} on {{instance}}"),
    ),
    lines(
        "Local ports in use, by remote endpoint",
        "Used share of 28,232 ports towards one remote address and port. Above 50 %, connect becomes slow; at "
        "100 %, it fails. Needs the view tcp_outbound of deploy/questions.yml.",
        "percentunit",
        (
            'topk(10, ss_tcp_outbound_sockets{remote_port!="other"} / 28232)',
            "{{remote_address}}:{{remote_port}} from {{instance}}",
        ),
    ),
    lines(
        "Zero windows, by service",
        "Connections with a zero window, because the process of the peer does not read. Needs the view tcp_stuck of"
        " deploy/questions.yml.",
        "short",
        ("topk(10, sum by (direction, service_port) (ss_tcp_stuck_zero_window_sockets))", SERVICE),
    ),
    lines(
        "Queues",
        "Bytes written and not acknowledged, and bytes received and not read.",
        "bytes",
        ("sum(ss_tcp_send_queue_bytes)", "to send"),
        ("sum(ss_tcp_receive_queue_bytes)", "to read"),
    ),
    row("What of UDP, unix and netlink?"),
    lines(
        "Dropped packets of UDP",
        "Packets per second that a full receive buffer drops: the process reads too slowly, or the buffer is too small.",
        "pps",
        (f"topk(10, {rate_by('instance, process, service_port', 'ss_udp_dropped_packets_total')})", UDP_SERVICE),
    ),
    lines(
        "Fill of receive buffers, UDP",
        "Memory of packets that wait to be read, as a share of the buffers. Bursts between two scrapes are missed.",
        "percentunit",
        (f"topk(10, {UDP_FILL})", UDP_SERVICE),
    ),
    lines(
        "Accept queues of unix sockets",
        "Fill of the ten fullest queues. At 100 %, clients wait or get EAGAIN.",
        "percentunit",
        (f"topk(10, {UNIX_FILL})", "{{process}} {{path}} on {{instance}}"),
    ),
    lines(
        "Lost messages of netlink",
        "Messages of the kernel that a process lost per second, because it read too slowly. Needs the view netlink of"
        " deploy/questions.yml.",
        "short",
        (
            f"topk(10, {rate_by('instance, process, netlink_protocol', 'ss_netlink_dropped_messages_total')})",
            "{{process}} {{netlink_protocol}} on {{instance}}",
        ),
    ),
    lines(
        "Subflows of MPTCP",
        "Paths that the average connection uses, and connections that fell back to TCP. Needs the view mptcp of"
        " deploy/questions.yml.",
        "short",
        (
            "sum by (instance) (ss_mptcp_subflows) / sum by (instance) (ss_mptcp_sockets)",
            "subflows per connection on {{instance}}",
        ),
        ("sum by (instance) (ss_mptcp_fallback_sockets)", "fallbacks on {{instance}}"),
    ),
]
