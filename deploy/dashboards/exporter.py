"""The exporter itself: whether its numbers are whole, and what they cost."""

from panels import lines, row, table
from queries import RATE

TITLE = "Exporter"
PANELS = [
    row("Can I trust the numbers?"),
    lines(
        "Collections",
        "1 if the stage of the last collection was complete; if not, connections and gauges are withheld.",
        "short",
        ("min by (instance, stage) (ss_exporter_collection_success)", "{{stage}} on {{instance}}"),
    ),
    lines(
        "Configuration",
        "1 if the last attempt to read it succeeded.",
        "short",
        ("ss_exporter_config_last_reload_successful", "{{instance}}"),
    ),
    lines(
        "Dropped events",
        "Closing sockets a second that the kernel could not tell of: their last bytes are missing.",
        "ops",
        (f"rate(ss_exporter_destroy_events_dropped_total{RATE})", "{{instance}}"),
    ),
    lines(
        "Without information",
        "Closes a second of which the kernel tells nothing else, and those that no collection and no event saw.",
        "ops",
        (f"rate(ss_exporter_closes_without_tcp_info_total{RATE})", "wiped, {{instance}}"),
        (f"rate(ss_exporter_closes_presumed_total{RATE})", "unseen, {{instance}}"),
        (f"rate(ss_exporter_value_regressions_total{RATE})", "backwards, {{instance}}"),
    ),
    lines(
        "Rows and their limit",
        "How much of a view's limit is in use; at 100 % sockets go to the row other, or flows are left out.",
        "percentunit",
        ("ss_exporter_rows / ss_exporter_rows_limit", "{{view}} on {{instance}}"),
    ),
    lines(
        "In other and dropped",
        "Sockets in the row other, and flows that are not shown.",
        "short",
        ("ss_exporter_sockets_in_other", "other, {{view}} on {{instance}}"),
        ("ss_exporter_rows_dropped", "left out, {{view}} on {{instance}}"),
    ),
    lines(
        "Owners",
        "Sockets whose process is not known, and processes that could not be looked at.",
        "short",
        ("ss_exporter_sockets_without_owner", "sockets, {{instance}}"),
        ("ss_exporter_processes_unreadable", "processes, {{instance}}"),
    ),
    lines(
        "Capabilities",
        "0 is missing: the feature works for a part of the host only.",
        "short",
        ("ss_exporter_capability_held", "{{capability}} for {{feature}}, {{instance}}"),
    ),
    lines(
        "Network namespaces",
        "Found, failed, and unobserved ones, of whose closing sockets the kernel does not tell. Needs collect.netns.",
        "short",
        ("ss_exporter_namespaces", "found, {{instance}}"),
        ("ss_exporter_namespaces_failed", "failed, {{instance}}"),
        ("ss_exporter_namespaces_unobserved", "unobserved, {{instance}}"),
    ),
    lines(
        "Refused scrapes",
        "A second, because as many as --web.max-requests waited already.",
        "reqps",
        (f"rate(ss_exporter_scrapes_refused_total{RATE})", "{{instance}}"),
    ),
    row("What does it cost?"),
    lines("CPU", "Of one CPU.", "percentunit", (f"rate(process_cpu_seconds_total{RATE})", "{{instance}}")),
    lines("Memory", "Resident.", "bytes", ("process_resident_memory_bytes", "{{instance}}")),
    lines("Scrape", "How long Prometheus waited for an answer.", "s", ("scrape_duration_seconds", "{{instance}}")),
    lines(
        "Stages of a collection",
        "How long the last one took.",
        "s",
        ("ss_exporter_collection_duration_seconds", "{{stage}} on {{instance}}"),
    ),
    lines("Samples", "Of a scrape, as Prometheus stores them.", "short", ("scrape_samples_scraped", "{{instance}}")),
    lines("Rows", "By view.", "short", ("sum by (view) (ss_exporter_rows)", "{{view}}"), stacked=True),
    lines(
        "Sockets",
        "In the last dump, and followed from one collection to the next.",
        "short",
        ("ss_exporter_sockets_seen", "seen, {{instance}}"),
        ("ss_exporter_sockets_tracked", "followed, {{instance}}"),
        ("ss_exporter_sockets_untracked", "beyond the limit, {{instance}}"),
    ),
    lines("Dump", "What the kernel told.", "bytes", ("ss_exporter_dump_bytes", "{{instance}}")),
    lines(
        "Events",
        "Closing sockets a second that the kernel told of.",
        "ops",
        (f"rate(ss_exporter_destroy_events_total{RATE})", "{{instance}}"),
    ),
    lines(
        "Collections a second",
        "Scrapes at the same time share one.",
        "ops",
        (f"rate(ss_exporter_collections_total{RATE})", "{{instance}}"),
        (f"rate(ss_exporter_resyncs_total{RATE})", "after dropped events, {{instance}}"),
    ),
    lines("Open files", "Of the exporter.", "short", ("process_open_fds", "{{instance}}")),
    table("Versions", "Which exporter runs where.", "short", "ss_exporter_build_info"),
]
