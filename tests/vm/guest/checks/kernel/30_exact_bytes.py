"""1,000 short connections, ended in every way: exact closes and bytes"""

import re

import lib

# All connections but those of scrapes: both ends of each are here.
CONFIG = """
views:
  all: {select: "not sport = :8020 and not dport = :8020", by: [direction],
        metrics: [sockets, opened_total, closed_total, sent_bytes_total, received_bytes_total]}
"""
CONNECTIONS = 1000


def check():
    if not lib.has_ipv6():
        raise lib.Absent("no IPv6")
    with lib.exporter(CONFIG) as exporter:
        exporter.metrics()
        said = lib.run(lib.TRAFFIC, "churn", CONNECTIONS // 10, 10)
        truth = {name: int(value) for name, value in re.findall(r"^(\D+?) +(\d+)$", said, re.M)}
        assert truth["connections"] == CONNECTIONS, said

        def settled():
            metrics = exporter.metrics()
            # An end that the kernel wipes, and that no scrape saw, is in no row.
            metrics.expect(truth["closes without information"], "ss_exporter_closes_without_tcp_info_total")
            metrics.expect(2 * CONNECTIONS - truth["closes without information"], "ss_all_closed_total")
            return metrics
        metrics = lib.eventually(settled)
        metrics.expect(metrics.value("ss_all_closed_total"), "ss_all_opened_total")
        metrics.expect(truth["bytes sent"], "ss_all_sent_bytes_total")
        metrics.expect(0, "ss_exporter_destroy_events_dropped_total")
        metrics.expect(0, "ss_exporter_value_regressions_total")
        received = metrics.value("ss_all_received_bytes_total")
        # A FIN counts as a byte, at most one an end.
        assert 0 <= received - truth["bytes received"] <= 2 * CONNECTIONS, f"received {received}: {said}"
