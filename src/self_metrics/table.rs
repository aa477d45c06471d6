//! The table of the exporter's own metrics, in the order in which they are exposed.

use std::time::Duration;

use super::{LegacyStatus, NetnsReport, SelfReport, TrackerReport, ViewReport};
use crate::exposition::{MetricType, Sample};

/// A metric of the exporter itself.
#[derive(Debug)]
pub struct SelfMetric {
    /// The exposed name.
    pub name: &'static str,
    /// The exposed type.
    pub kind: MetricType,
    /// The names of the labels.
    pub labels: &'static [&'static str],
    /// A noun phrase in one or two sentences.
    pub help: &'static str,
    /// The samples of a report. Without a sample, the family is absent.
    pub(super) read: Read,
}

/// Reads the samples of one metric from a report.
type Read = fn(&SelfReport) -> Samples<'_>;

/// Samples with the values of their labels.
type Samples<'a> = Vec<(Vec<&'a str>, Sample<'static>)>;

const fn counter(name: &'static str, help: &'static str, read: Read) -> SelfMetric {
    SelfMetric { name, kind: MetricType::Counter, labels: &[], help, read }
}

const fn gauge(name: &'static str, help: &'static str, read: Read) -> SelfMetric {
    SelfMetric { name, kind: MetricType::Gauge, labels: &[], help, read }
}

const fn gauge_by(
    labels: &'static [&'static str],
    name: &'static str,
    help: &'static str,
    read: Read,
) -> SelfMetric {
    SelfMetric { labels, ..gauge(name, help, read) }
}

/// Every metric of the exporter itself.
pub const SELF_METRICS: &[SelfMetric] = &[
    counter(
        "collector_collection_runs_total",
        "Collections started, under the predecessor's name. Only with a configuration of its 3.x.",
        |report| maybe(report.legacy.map(|_| report.collector.collections)),
    ),
    gauge_by(
        &["status"],
        "collector_data_status",
        "Connections of the last collection if its status is success, else 1. Only with a configuration of the predecessor's 3.x.",
        |report| match report.legacy {
            Some(LegacyStatus::Success(flows)) => vec![(vec!["success"], Sample::Integer(flows))],
            // The predecessor ran a program, hence the name that dashboards know.
            Some(LegacyStatus::Failed) => vec![(vec!["ss2_command_failed"], Sample::Integer(1))],
            None => Vec::new(),
        },
    ),
    gauge_by(
        &["version", "arch"],
        "ss_exporter_build_info",
        "Version and architecture of the exporter. The value is always 1.",
        |_| vec![(vec![env!("CARGO_PKG_VERSION"), std::env::consts::ARCH], Sample::Integer(1))],
    ),
    gauge_by(
        &["feature", "capability"],
        "ss_exporter_capability_held",
        "Whether the exporter was started with a capability that a feature of its configuration needs.",
        |report| {
            let needs = report.privileges.needs();
            needs.map(|(feature, name, held)| (vec![feature.word(), name], flag(held))).collect()
        },
    ),
    gauge(
        "ss_exporter_config_last_reload_successful",
        "Whether the last reload of the configuration succeeded. If it failed, the previous configuration is active.",
        |report| maybe(report.files.reload.map(|reload| reload.successful)),
    ),
    gauge(
        "ss_exporter_config_last_reload_success_timestamp_seconds",
        "Unix time at which the active configuration was read.",
        |report| maybe(report.files.reload.map(|reload| reload.at)),
    ),
    gauge(
        "ss_exporter_web_config_last_reload_successful",
        "Whether the web configuration, its certificates and keys could be read when they last changed.",
        |report| maybe(report.files.web),
    ),
    counter("ss_exporter_collections_total", "Collections started.", |report| {
        one(report.collector.collections)
    }),
    counter(
        "ss_exporter_scrapes_refused_total",
        "Scrapes answered with 503 because too many others waited for a collection.",
        |report| one(report.collector.refused),
    ),
    gauge_by(
        &["stage"],
        "ss_exporter_collection_duration_seconds",
        "Duration of the stages of the last collection.",
        |report| {
            report.stages.iter().map(|stage| (vec![&*stage.name], stage.duration.into_sample())).collect()
        },
    ),
    gauge_by(
        &["stage"],
        "ss_exporter_collection_success",
        "Whether the stages of the last collection were complete. Rows are withheld if the dump was not.",
        |report| report.stages.iter().map(|stage| (vec![&*stage.name], flag(stage.success))).collect(),
    ),
    gauge_by(
        &["protocol"],
        "ss_exporter_protocol_available",
        "Whether the kernel reports the sockets of a protocol that a view shows, of raw sockets at least in /proc/net.",
        |report| report.protocols.iter().map(|(name, available)| (vec![*name], flag(*available))).collect(),
    ),
    gauge(
        "ss_exporter_dump_stuck_seconds",
        "Time for which the kernel has not answered a dump. Absent if it answers.",
        |report| maybe(report.dump.stuck),
    ),
    gauge("ss_exporter_sockets_seen", "Sockets in the last dump.", |report| one(report.dump.sockets)),
    gauge_by(&["view"], "ss_exporter_sockets_selected", "Sockets that a view selects.", |report| {
        views(report, |view| Some(view.selected))
    }),
    gauge_by(&["view"], "ss_exporter_rows", "Rows of a view.", |report| {
        views(report, |view| Some(view.rows))
    }),
    gauge_by(
        &["view"],
        "ss_exporter_rows_dropped",
        "Rows of the last collection that a view's limit left out.",
        |report| views(report, |view| view.left_out),
    ),
    gauge_by(
        &["view"],
        "ss_exporter_sockets_in_other",
        "Sockets of the last collection in the row \"other\", because a view's limit was reached.",
        |report| views(report, |view| view.in_other),
    ),
    SelfMetric {
        labels: &["view"],
        ..counter(
            "ss_exporter_sockets_over_limit_total",
            "Sockets that were counted in the row \"other\", because a view's limit was reached.",
            |report| views(report, |view| view.over_limit),
        )
    },
    gauge_by(&["view"], "ss_exporter_rows_limit", "Max rows of a view. Absent without a limit.", |report| {
        views(report, |view| view.limit)
    }),
    gauge(
        "ss_exporter_destroy_events_subscribed",
        "Whether the kernel reports close events. If not, what a connection does after its last collection is lost.",
        |report| tracker(report, |tracker| tracker.subscribed),
    ),
    counter(
        "ss_exporter_destroy_events_total",
        "Close events that the kernel reported, of all kinds of sockets.",
        |report| events(report, |tracker| Some(tracker.received)),
    ),
    counter(
        "ss_exporter_destroy_events_ignored_total",
        "Close events of network namespaces that no collection has seen, or that collect.netns leaves out.",
        |report| events(report, |tracker| Some(tracker.ignored)),
    ),
    gauge(
        "ss_exporter_destroy_events_buffer_bytes",
        "Size of the kernel's buffer for close events.",
        |report| events(report, |tracker| Some(tracker.buffer)),
    ),
    counter("ss_exporter_resyncs_total", "Collections made because close events were dropped.", |report| {
        events(report, |tracker| Some(tracker.resyncs))
    }),
    counter(
        "ss_exporter_destroy_events_dropped_total",
        "Close events that the kernel dropped because collect.event_buffer was full (SK_MEMINFO_DROPS). Non-zero means that counters miss data.",
        |report| events(report, |tracker| tracker.dropped),
    ),
    gauge(
        "ss_exporter_baseline_complete",
        "Whether the counters of all sockets that are older than the exporter, or than a view that a reload added, have been read.",
        |report| tracker(report, |tracker| Some(tracker.baseline)),
    ),
    gauge("ss_exporter_sockets_tracked", "Sockets that are tracked.", |report| {
        tracker(report, |tracker| Some(tracker.tracked))
    }),
    gauge(
        "ss_exporter_sockets_tracked_limit",
        "Max sockets that are tracked: collect.tracked_sockets.",
        |report| tracker(report, |tracker| Some(tracker.limit)),
    ),
    gauge(
        "ss_exporter_sockets_untracked",
        "Sockets of the last collection beyond collect.tracked_sockets. They are counted when they close.",
        |report| tracker(report, |tracker| Some(tracker.stats.untracked)),
    ),
    SelfMetric {
        labels: &["reason"],
        ..counter(
            "ss_exporter_closes_without_tcp_info_total",
            "Close events without tcp_info, by reason: disconnected (a reset by SO_LINGER 0, a disconnect by AF_UNSPEC, a refused or never accepted connection) or mptcp (the first subflow of an MPTCP connection that the peer closed first).",
            |report| {
                let closes = report.tracker.iter().map(|tracker| tracker.without_tcp_info);
                let by_reason = closes
                    .flat_map(|closes| [("disconnected", closes.disconnected), ("mptcp", closes.mptcp)]);
                by_reason.map(|(reason, number)| (vec![reason], Sample::Integer(number))).collect()
            },
        )
    },
    counter(
        "ss_exporter_closes_before_baseline_total",
        "Sockets older than the exporter, or than a view that a reload added, that closed before a dump read their counters. They are counted as closed, without their bytes.",
        |report| tracker(report, |tracker| Some(tracker.stats.before_baseline)),
    ),
    counter(
        "ss_exporter_closes_presumed_total",
        "Sockets that three collections missed before a close event came. The event was dropped, or a process still holds a connection that was reset.",
        |report| tracker(report, |tracker| Some(tracker.stats.unseen)),
    ),
    counter(
        "ss_exporter_value_regressions_total",
        "Values of the kernel's counters that fell without an overflow. They are left out.",
        |report| tracker(report, |tracker| Some(tracker.stats.backwards)),
    ),
    gauge("ss_exporter_dump_bytes", "Bytes in the last dump.", |report| one(report.dump.bytes)),
    gauge("ss_exporter_dump_malformed", "Replies in the last dump that could not be read.", |report| {
        one(report.dump.malformed)
    }),
    gauge(
        "ss_exporter_processes_unreadable",
        "Processes whose file descriptors could not be read without permission.",
        |report| maybe(report.owners.unreadable),
    ),
    gauge(
        "ss_exporter_sockets_without_owner",
        "Sockets of the last collection whose owner is unknown.",
        |report| maybe(report.owners.unowned),
    ),
    gauge_by(
        &["by"],
        "ss_exporter_owners_hidden",
        "Whether owners of sockets are hidden from the exporter, by what hides them.",
        |report| {
            let restrictions = report.owners.restrictions.iter();
            restrictions.map(|(by, hides)| (vec![*by], flag(*hides))).collect()
        },
    ),
    gauge(
        "ss_exporter_namespaces",
        "Network namespaces that the last collection found, including the exporter's own.",
        |report| netns(report, |netns| netns.seen),
    ),
    gauge(
        "ss_exporter_namespaces_empty",
        "Network namespaces without a TCP socket, in which nothing was dumped.",
        |report| netns(report, |netns| netns.empty),
    ),
    gauge(
        "ss_exporter_namespaces_failed",
        "Network namespaces that the last collection could not read.",
        |report| netns(report, |netns| netns.failed),
    ),
    gauge(
        "ss_exporter_namespaces_unobserved",
        "Network namespaces that send no close events. What a connection there does after its last collection is lost.",
        |report| netns(report, |netns| netns.unobserved),
    ),
    gauge(
        "ss_exporter_namespaces_unreachable",
        "Network namespaces with an nsid that no process, thread or file led to in two collections. Only sockets keep them alive, or their processes are hidden.",
        |report| netns(report, |netns| netns.unreachable),
    ),
    gauge(
        "ss_exporter_namespaces_hidden_processes",
        "Processes whose network namespace could not be read without permission.",
        |report| netns(report, |netns| netns.hidden),
    ),
    gauge("ss_exporter_hosts_unresolved", "Host names of the selection without an address.", |report| {
        maybe(report.hosts_unresolved)
    }),
    counter("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.", |report| {
        maybe(report.process.cpu_seconds)
    }),
    gauge("process_max_fds", "Maximum number of open file descriptors.", |report| {
        maybe(report.process.max_fds)
    }),
    gauge("process_open_fds", "Number of open file descriptors.", |report| maybe(report.process.open_fds)),
    gauge("process_resident_memory_bytes", "Resident memory size in bytes.", |report| {
        maybe(report.process.resident_bytes)
    }),
    gauge(
        "process_start_time_seconds",
        "Start time of the process since the Unix epoch in seconds.",
        |report| maybe(report.process.start_time_seconds),
    ),
    gauge("process_virtual_memory_bytes", "Virtual memory size in bytes.", |report| {
        maybe(report.process.virtual_bytes)
    }),
];

/// What a sample can be made of.
trait IntoSample {
    fn into_sample(self) -> Sample<'static>;
}

impl IntoSample for u64 {
    fn into_sample(self) -> Sample<'static> {
        Sample::Integer(self)
    }
}

impl IntoSample for usize {
    fn into_sample(self) -> Sample<'static> {
        Sample::Integer(self as u64)
    }
}

impl IntoSample for bool {
    fn into_sample(self) -> Sample<'static> {
        flag(self)
    }
}

impl IntoSample for f64 {
    fn into_sample(self) -> Sample<'static> {
        Sample::Float(self)
    }
}

/// In seconds.
impl IntoSample for Duration {
    fn into_sample(self) -> Sample<'static> {
        Sample::Float(self.as_secs_f64())
    }
}

fn flag(flag: bool) -> Sample<'static> {
    Sample::Integer(flag.into())
}

fn one<'a>(value: impl IntoSample) -> Samples<'a> {
    maybe(Some(value))
}

fn maybe<'a>(value: Option<impl IntoSample>) -> Samples<'a> {
    value.into_iter().map(|value| (Vec::new(), value.into_sample())).collect()
}

fn views<V: IntoSample>(report: &SelfReport, value: fn(&ViewReport) -> Option<V>) -> Samples<'_> {
    let values = report.views.iter().filter_map(|view| Some((view, value(view)?)));
    values.map(|(view, value)| (vec![view.name.as_str()], value.into_sample())).collect()
}

fn tracker<V: IntoSample>(report: &SelfReport, value: fn(&TrackerReport) -> Option<V>) -> Samples<'_> {
    maybe(report.tracker.as_ref().and_then(value))
}

/// What is known only of a tracker that asks for close events.
fn events<V: IntoSample>(report: &SelfReport, value: fn(&TrackerReport) -> Option<V>) -> Samples<'_> {
    maybe(report.tracker.as_ref().filter(|tracker| tracker.subscribed.is_some()).and_then(value))
}

fn netns<V: IntoSample>(report: &SelfReport, value: fn(&NetnsReport) -> V) -> Samples<'_> {
    maybe(report.netns.as_ref().map(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_stands_once_and_its_name_says_its_type() {
        let mut names: Vec<_> = SELF_METRICS.iter().map(|metric| metric.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), SELF_METRICS.len());
        for metric in SELF_METRICS {
            let counts = metric.kind == MetricType::Counter;
            assert_eq!(metric.name.ends_with("_total"), counts, "{}", metric.name);
            assert!(metric.help.ends_with('.'), "{}", metric.name);
        }
    }
}
