//! What is tracked: sockets, close events, and values that are not exact.

use super::Families;
use crate::exposition::Type;
use crate::fold::Stats;

/// What the ledger has to say.
#[derive(Clone, Copy, Debug, Default)]
pub struct TrackerReport {
    /// Whether the kernel tells of closing sockets; `None` if it was not asked.
    pub events: Option<bool>,
    /// Events heard since the start.
    pub heard: u64,
    /// Those of namespaces that no collection has seen, or that nobody asks for.
    pub elsewhere: u64,
    /// Events that the kernel dropped because its buffer was full; `None` if it does not say.
    pub dropped: Option<u64>,
    /// The kernel's buffer for events, in bytes.
    pub buffer: usize,
    /// Collections that made up for dropped events.
    pub resyncs: u64,
    /// Sockets that are followed.
    pub tracked: usize,
    /// The most that can be.
    pub most: usize,
    /// Closes of which the kernel told nothing but that they happened.
    pub without_information: u64,
    /// Whether the counters of all sockets in the own namespace have been read that existed before what is shown.
    pub baseline: bool,
    /// What went differently from what one would wish.
    pub stats: Stats,
}

impl TrackerReport {
    pub(super) fn write(&self, out: &mut Families<'_>) {
        use Type::{Counter, Gauge};
        if let Some(events) = self.events {
            let help = "Whether the kernel tells of closing sockets; if not, what a connection did after its last collection is lost.";
            out.one("ss_exporter_destroy_events_subscribed", help, Gauge, u64::from(events));
            let rows = [
                (
                    "ss_exporter_destroy_events_total",
                    "Closing sockets that the kernel told of, of all kinds.",
                    Counter,
                    self.heard,
                ),
                (
                    "ss_exporter_destroy_events_ignored_total",
                    "Closing sockets in network namespaces that no collection has seen, or that collect.netns leaves out.",
                    Counter,
                    self.elsewhere,
                ),
                (
                    "ss_exporter_destroy_events_buffer_bytes",
                    "The kernel's buffer for events.",
                    Gauge,
                    self.buffer as u64,
                ),
                (
                    "ss_exporter_resyncs_total",
                    "Collections asked for because events were dropped.",
                    Counter,
                    self.resyncs,
                ),
            ];
            for (name, help, kind, value) in rows {
                out.one(name, help, kind, value);
            }
            if let Some(dropped) = self.dropped {
                let help = "Close events that the kernel dropped because collect.event_buffer was full (SK_MEMINFO_DROPS). Non-zero means that counters miss data.";
                out.one("ss_exporter_destroy_events_dropped_total", help, Counter, dropped);
            }
        }
        let help = "Whether the counters of all sockets that existed before the exporter, or before a view that a reload added, have been read.";
        out.one("ss_exporter_baseline_complete", help, Gauge, u64::from(self.baseline));
        let rows = [
            ("ss_exporter_sockets_tracked", "Sockets that the ledger follows.", Gauge, self.tracked as u64),
            (
                "ss_exporter_sockets_tracked_limit",
                "The most that it follows: collect.tracked_sockets.",
                Gauge,
                self.most as u64,
            ),
            (
                "ss_exporter_sockets_untracked",
                "Sockets of the last collection beyond that limit; they count when they close.",
                Gauge,
                self.stats.untracked,
            ),
            (
                "ss_exporter_closes_without_tcp_info_total",
                "Connections of whose end the kernel told nothing else: reset by SO_LINGER 0, dissolved by AF_UNSPEC, refused, or never accepted.",
                Counter,
                self.without_information,
            ),
            (
                "ss_exporter_closes_before_baseline_total",
                "Sockets that existed before the exporter, or before a view that a reload added, and closed before a dump read their counters: counted as closed, without their bytes.",
                Counter,
                self.stats.before_baseline,
            ),
            (
                "ss_exporter_closes_presumed_total",
                "Sockets that three collections missed before an event told of their end: it was dropped, or their process still holds a connection that was reset.",
                Counter,
                self.stats.unseen,
            ),
            (
                "ss_exporter_value_regressions_total",
                "Values of the kernel's counters that were less than before, and no overflow; they were left out.",
                Counter,
                self.stats.backwards,
            ),
        ];
        for (name, help, kind, value) in rows {
            out.one(name, help, kind, value);
        }
    }
}
