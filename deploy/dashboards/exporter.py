"""The exporter itself: whether its data is complete, and what it costs."""

from panels import lines, row, table
from queries import RATE

TITLE = "Exporter"
PANELS = [
    row("Can I trust the numbers?"),
    lines(
        "Collections",
        "1 if the stage of the last collection was complete. If not, gauges and per-connection series are withheld.",
        "short",
        ("min by (instance, stage) (ss_exporter_collection_success)", "{{stage}} on {{instance}}"),
    ),
    lines(
        "Configuration",
        "1 if the last reload succeeded.",
        "short",
        ("ss_exporter_config_last_reload_successful", "{{instance}}"),
    ),
    lines(
        "Dropped events",
        "Close events per second that the kernel dropped: the last bytes of these sockets are missing.",
        "ops",
        (f"rate(ss_exporter_destroy_events_dropped_total{RATE})", "{{instance}}"),
    ),
    lines(
        "Closes without final counters",
        "Closes per second without final counters, presumed closes without an event, and counters that decreased.",
        "ops",
        (f"rate(ss_exporter_closes_without_tcp_info_total{RATE})", "without counters, {{reason}}, {{instance}}"),
        (f"rate(ss_exporter_closes_presumed_total{RATE})", "presumed, {{instance}}"),
        (f"rate(ss_exporter_value_regressions_total{RATE})", "decreased value, {{instance}}"),
    ),
    lines(
        "Rows and their limit",
        "Used share of a view's limit. At 100 %, sockets go to the row other, or connections are dropped.",
        "percentunit",
        ("ss_exporter_rows / ss_exporter_rows_limit", "{{view}} on {{instance}}"),
    ),
    lines(
        "In other and dropped",
        "Sockets in the row other, and dropped connections.",
        "short",
        ("ss_exporter_sockets_in_other", "other, {{view}} on {{instance}}"),
        ("ss_exporter_rows_dropped", "dropped, {{view}} on {{instance}}"),
    ),
    lines(
        "Owners",
        "Sockets without a known process, and processes that could not be inspected.",
        "short",
        ("ss_exporter_sockets_without_owner", "sockets, {{instance}}"),
        ("ss_exporter_processes_unreadable", "processes, {{instance}}"),
    ),
    lines(
        "Capabilities",
        "0: the capability is missing, and the feature works for a part of the host only.",
        "short",
        ("ss_exporter_capability_held", "{{capability}} for {{feature}}, {{instance}}"),
    ),
    lines(
        "Network namespaces",
        "Namespaces that were found, that failed, and that send no close events. Needs collect.netns.",
        "short",
        ("ss_exporter_namespaces", "found, {{instance}}"),
        ("ss_exporter_namespaces_failed", "failed, {{instance}}"),
        ("ss_exporter_namespaces_unobserved", "unobserved, {{instance}}"),
    ),
    lines(
        "Refused scrapes",
        "Scrapes refused per second because --web.max-requests others already waited.",
        "reqps",
        (f"rate(ss_exporter_scrapes_refused_total{RATE})", "{{instance}}"),
    ),
    row("What does it cost?"),
    lines("CPU", "Share of one CPU.", "percentunit", (f"rate(process_cpu_seconds_total{RATE})", "{{instance}}")),
    lines("Memory", "Resident memory.", "bytes", ("process_resident_memory_bytes", "{{instance}}")),
    lines("Scrape", "Duration of a scrape, measured by Prometheus.", "s", ("scrape_duration_seconds", "{{instance}}")),
    lines(
        "Stages of a collection",
        "Duration of each stage in the last collection.",
        "s",
        ("ss_exporter_collection_duration_seconds", "{{stage}} on {{instance}}"),
    ),
    lines("Samples", "Samples per scrape that Prometheus stores.", "short", ("scrape_samples_scraped", "{{instance}}")),
    lines("Rows", "Rows of each view.", "short", ("sum by (view) (ss_exporter_rows)", "{{view}}"), stacked=True),
    lines(
        "Sockets",
        "Sockets in the last dump, and tracked sockets.",
        "short",
        ("ss_exporter_sockets_seen", "seen, {{instance}}"),
        ("ss_exporter_sockets_tracked", "tracked, {{instance}}"),
        ("ss_exporter_sockets_untracked", "beyond the limit, {{instance}}"),
    ),
    lines("Dump", "Bytes in the last dump of the kernel.", "bytes", ("ss_exporter_dump_bytes", "{{instance}}")),
    lines(
        "Events",
        "Close events per second.",
        "ops",
        (f"rate(ss_exporter_destroy_events_total{RATE})", "{{instance}}"),
    ),
    lines(
        "Collections per second",
        "Simultaneous scrapes share one collection.",
        "ops",
        (f"rate(ss_exporter_collections_total{RATE})", "{{instance}}"),
        (f"rate(ss_exporter_resyncs_total{RATE})", "after dropped events, {{instance}}"),
    ),
    lines("Open files", "Open files of the exporter.", "short", ("process_open_fds", "{{instance}}")),
    table("Versions", "Version of each exporter.", "short", "ss_exporter_build_info"),
]
