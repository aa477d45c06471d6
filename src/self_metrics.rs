//! Metrics of the exporter itself: the result of a collection, what it dropped, and which capabilities it lacked.
//!
//! Refuses to know what a collection is for.

use std::borrow::Cow;
use std::time::Duration;

use crate::exposition::{Encoder, FamilyFilter, LabelBuffer, LabelSet, MetricFamily};
use crate::privileges::Privileges;

mod owners;
mod process;
mod table;

pub use owners::{OwnerReport, OwnerShortage};
pub use process::ProcessReport;
pub use table::{SELF_METRICS, SelfMetric};

/// What the exporter reports of itself: of its last collection, of what it tracks, of its files and process.
#[derive(Clone, Debug, Default)]
pub struct SelfReport {
    /// The steps of the collection that were needed.
    pub stages: Vec<Stage>,
    /// The protocols of the views, and whether the kernel reports their sockets.
    pub protocols: Vec<(&'static str, bool)>,
    /// One entry per view.
    pub views: Vec<ViewReport>,
    /// What the kernel sent.
    pub dump: DumpReport,
    /// What is missing from the owners of sockets.
    pub owners: OwnerReport,
    /// The network namespaces; `None` if only its own one is collected.
    pub netns: Option<NetnsReport>,
    /// Host names of the selection without an address; `None` if it has no host name.
    pub hosts_unresolved: Option<usize>,
    /// Scrapes and collections since the start.
    pub collector: CollectorReport,
    /// What is tracked; `None` if nothing is.
    pub tracker: Option<TrackerReport>,
    /// The 3.x meta metrics; `None` if the configuration does not ask for them.
    pub legacy: Option<LegacyStatus>,
    /// The capabilities that the configuration needs, as they were at the start.
    pub privileges: Privileges,
    /// How the configuration files were read.
    pub files: FilesReport,
    /// The state of this process.
    pub process: ProcessReport,
}

/// What the kernel sent in one collection.
#[derive(Clone, Copy, Debug, Default)]
pub struct DumpReport {
    /// Sockets.
    pub sockets: u64,
    /// Bytes; 0 if the dump was not complete.
    pub bytes: u64,
    /// Replies that could not be read.
    pub malformed: u64,
    /// How long the kernel has not answered: the dump of this collection or of an earlier one. `None` if it answers.
    pub stuck: Option<Duration>,
}

/// Scrapes and collections since the start.
#[derive(Clone, Copy, Debug, Default)]
pub struct CollectorReport {
    /// Collections started.
    pub collections: u64,
    /// Scrapes refused because too many others waited.
    pub refused: u64,
}

/// What the name of a stage begins with without which rows are withheld.
pub const DUMP: &str = "dump";

/// A step of a collection.
#[derive(Clone, Debug)]
pub struct Stage {
    /// [`DUMP`], `namespaces` or `processes`, or `collection` for a whole one that had not ended in time. The dumps of
    /// another protocol than the default have its name behind `dump_`.
    pub name: Cow<'static, str>,
    /// How long it took.
    pub duration: Duration,
    /// Whether it was complete.
    pub success: bool,
}

impl Stage {
    /// Whether rows are withheld without it.
    #[must_use]
    pub fn is_dump(&self) -> bool {
        self.name.starts_with(DUMP)
    }
}

/// The rows of a view.
#[derive(Clone, Debug)]
pub struct ViewReport {
    /// The view's name.
    pub name: String,
    /// Sockets that it selects.
    pub selected: u64,
    /// Its rows.
    pub rows: usize,
    /// Rows that its limit left out; `None` of an aggregated view, which has a row `other`.
    pub left_out: Option<usize>,
    /// Sockets of the collection in the row `other`; `None` of a per-connection view.
    pub in_other: Option<u64>,
    /// Sockets since the start without a row of their own; `None` of views without counters.
    pub over_limit: Option<u64>,
    /// The limit; `None` for none.
    pub limit: Option<usize>,
}

/// Network namespaces of the last collection.
#[derive(Clone, Copy, Debug, Default)]
pub struct NetnsReport {
    /// Network namespaces that were found, its own one included.
    pub seen: usize,
    /// Network namespaces without a socket, in which nothing was dumped.
    pub empty: usize,
    /// Network namespaces that could not be read, with those that the configuration names and that do not exist.
    pub failed: usize,
    /// Network namespaces that send no close events.
    pub unobserved: usize,
    /// Network namespaces with an nsid that no process, thread or file leads to.
    pub unreachable: usize,
    /// Processes whose network namespace could not be read without permission.
    pub hidden: u64,
}

/// What is tracked, and what is not exact.
#[derive(Clone, Copy, Debug, Default)]
pub struct TrackerReport {
    /// Whether the kernel reports close events; `None` if they are not needed.
    pub subscribed: Option<bool>,
    /// Close events since the start.
    pub received: u64,
    /// Close events of network namespaces that no collection has seen, or that the configuration leaves out.
    pub ignored: u64,
    /// Close events that the kernel dropped because its buffer was full; `None` if it does not say.
    pub dropped: Option<u64>,
    /// How long ago it was found that the kernel had dropped more; `None` if it never did.
    pub last_drop: Option<Duration>,
    /// The kernel's buffer for close events, in bytes.
    pub buffer: usize,
    /// Collections made because close events were dropped.
    pub resyncs: u64,
    /// Sockets that are tracked.
    pub tracked: usize,
    /// Max sockets that can be.
    pub limit: usize,
    /// Close events without `tcp_info`.
    pub without_tcp_info: ClosesWithoutTcpInfo,
    /// Whether the counters have been read of all sockets in its own network namespace that are older than the exporter, or
    /// than a view that a reload added.
    pub baseline: bool,
    /// What was not exact.
    pub stats: TrackerStats,
}

/// Close events without `tcp_info`, by the reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClosesWithoutTcpInfo {
    /// The process or the peer dissolved the connection, or there never was one.
    pub disconnected: u64,
    /// The peer closed first a connection of MPTCP, whose first subflow it was.
    pub mptcp: u64,
}

/// Counts of what is not exact, by those who track sockets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrackerStats {
    /// Sockets of the last dump for which there was no record left.
    pub untracked: u64,
    /// Values that were less than the last ones, and no overflow of the kernel's counter.
    pub backwards: u64,
    /// Sockets that the kernel's tables had no longer, before an event reported their end.
    pub unseen: u64,
    /// Closed sockets without a record that were older than a view, or may have been.
    pub before_baseline: u64,
}

/// How the files were read that may change while the exporter runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FilesReport {
    /// How the last attempt to read the configuration went; `None` if it is read only once.
    pub reload: Option<Reload>,
    /// Whether the web configuration could be read when it last changed; `None` if there is none.
    pub web: Option<bool>,
}

/// How the last attempt to read the configuration went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reload {
    /// Whether it succeeded.
    pub successful: bool,
    /// When the active configuration was read, since 1970.
    pub at: Duration,
}

/// What `collector_data_status` of the predecessor's 3.x says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LegacyStatus {
    /// With the number of connections.
    Success(u64),
    /// The dump was not complete.
    Failed,
}

impl SelfReport {
    /// Whether every stage was complete.
    #[must_use]
    pub fn success(&self) -> bool {
        self.stages.iter().all(|stage| stage.success)
    }

    /// Writes every family that is wanted and has a sample.
    pub(crate) fn write(&self, encoder: &mut Encoder, filter: &FamilyFilter) {
        for &SelfMetric { name, kind, labels, help, read } in SELF_METRICS {
            let samples = if filter.wants(name) { read(self) } else { continue };
            if samples.is_empty() {
                continue;
            }
            encoder.begin_family(&MetricFamily { name, help, kind, labels, bounds: &[] });
            for (values, sample) in samples {
                encoder.sample(LabelSet::unpack(LabelBuffer::of(values).packed()), sample);
            }
            encoder.end_family();
        }
    }
}
