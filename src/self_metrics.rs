//! Metrics of the exporter itself: how the collection went, what it left out, what it was not allowed.
//!
//! Refuses to know what a collection is for.

use std::time::Duration;

use crate::exposition::{Encoder, Family, Type, Value, Wanted, label};
use crate::privileges::Privileges;

mod files;
mod netns;
mod owners;
mod process;
mod tracker;

pub use files::{FilesReport, Reload};
pub use netns::NetnsReport;
pub use owners::{OwnerReport, OwnerShortage};
pub use process::ProcessReport;
pub use tracker::TrackerReport;

/// What the exporter reports of itself: of its last collection, of what it tracks, of its files and process.
#[derive(Clone, Debug, Default)]
pub struct SelfReport {
    /// The steps of the collection that were needed.
    pub stages: Vec<Stage>,
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

/// The name of the stage without which rows are withheld.
pub const DUMP: &str = "dump";

/// A step of a collection.
#[derive(Clone, Debug)]
pub struct Stage {
    /// [`DUMP`], `namespaces` or `processes`, or `collection` for a whole one that had not ended in time.
    pub name: &'static str,
    /// How long it took.
    pub duration: Duration,
    /// Whether it was complete.
    pub success: bool,
}

/// What a view made of the sockets.
#[derive(Clone, Debug)]
pub struct ViewReport {
    /// The view's name.
    pub name: String,
    /// Sockets that it selected.
    pub selected: u64,
    /// Rows that it shows.
    pub rows: usize,
    /// Rows that its limit left out; `None` where none is left out but folded.
    pub left_out: Option<usize>,
    /// Sockets of the collection that are in the row `other`; `None` where rows are left out.
    pub in_other: Option<u64>,
    /// Sockets since the start that found no row of their own; `None` of views without a past.
    pub folded: Option<u64>,
    /// The limit; `None` for none.
    pub limit: Option<usize>,
}

/// What `collector_data_status` of the predecessor's 3.x says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LegacyStatus {
    /// With the number of flows.
    Success(u64),
    /// The kernel gave no complete dump.
    Failed,
}

impl SelfReport {
    /// Whether every stage was complete.
    #[must_use]
    pub fn success(&self) -> bool {
        self.stages.iter().all(|stage| stage.success)
    }

    /// Writes every family that is wanted.
    pub fn write(&self, encoder: &mut Encoder, wanted: &Wanted) {
        let out = &mut Families { encoder, wanted, silent: false };
        self.write_legacy(out);
        let version = [("version", env!("CARGO_PKG_VERSION")), ("arch", std::env::consts::ARCH)];
        out.gauge("ss_exporter_build_info", "What is running; the value is always 1.", [(&version[..], 1)]);
        out.gauge(
            "ss_exporter_capability_held",
            "Whether the exporter was started with a capability that a feature of its configuration needs.",
            self.privileges.needs().map(|(feature, name, held)| {
                ([("feature", feature.word()), ("capability", name)], u64::from(held))
            }),
        );
        self.files.write(out);
        out.one(
            "ss_exporter_collections_total",
            "Collections started.",
            Type::Counter,
            self.collector.collections,
        );
        let help = "Scrapes answered with 503 because too many others waited for a collection.";
        out.one("ss_exporter_scrapes_refused_total", help, Type::Counter, self.collector.refused);
        self.write_stages(out);
        if let Some(held) = self.dump.stuck {
            out.seconds(
                "ss_exporter_dump_stuck_seconds",
                "How long the kernel has been holding a dump.",
                held,
            );
        }
        let gauge = Type::Gauge;
        out.one("ss_exporter_sockets_seen", "Sockets in the last dump.", gauge, self.dump.sockets);
        self.write_views(out);
        self.tracker.iter().for_each(|ledger| ledger.write(out));
        out.one("ss_exporter_dump_bytes", "Bytes in the last dump.", gauge, self.dump.bytes);
        out.one(
            "ss_exporter_dump_malformed",
            "Replies in the last dump that could not be read.",
            gauge,
            self.dump.malformed,
        );
        if let Some(number) = self.owners.unreadable {
            let help = "Processes whose file descriptors could not be read for want of permission.";
            out.one("ss_exporter_processes_unreadable", help, gauge, number);
        }
        if let Some(number) = self.owners.unowned {
            let help = "Sockets of the last collection that processes hold, and nobody knows which.";
            out.one("ss_exporter_sockets_without_owner", help, gauge, number);
        }
        let help = "Whether owners of sockets are hidden from the exporter, by what hides them.";
        let hidden = self.owners.restrictions.iter().map(|(by, hides)| ([("by", *by)], u64::from(*hides)));
        out.gauge("ss_exporter_owners_hidden", help, hidden);
        self.netns.iter().for_each(|namespaces| namespaces.write(out));
        if let Some(number) = self.hosts_unresolved {
            let help = "Host names of the selection that have no address.";
            out.one("ss_exporter_hosts_unresolved", help, gauge, number as u64);
        }
        self.process.write(out);
    }

    fn write_stages(&self, out: &mut Families<'_>) {
        let name = "ss_exporter_collection_duration_seconds";
        out.family(name, "How long the stages of the last collection took.", Type::Gauge);
        for stage in &self.stages {
            out.sample(name, &[("stage", stage.name)], Value::Float(stage.duration.as_secs_f64()));
        }
        out.gauge(
            "ss_exporter_collection_success",
            "Whether the stages of the last collection were complete; rows are withheld if the dump was not.",
            self.stages.iter().map(|stage| ([("stage", stage.name)], u64::from(stage.success))),
        );
    }

    fn write_views(&self, out: &mut Families<'_>) {
        let each = |value: fn(&ViewReport) -> Option<u64>| {
            self.views.iter().filter_map(move |view| Some(([("view", view.name.as_str())], value(view)?)))
        };
        let help = "Sockets that a view selected.";
        out.gauge("ss_exporter_sockets_selected", help, each(|view| Some(view.selected)));
        out.gauge("ss_exporter_rows", "Rows that a view shows.", each(|view| Some(view.rows as u64)));
        let help = "Rows that a view's limit left out of the last collection.";
        out.gauge("ss_exporter_rows_dropped", help, each(|view| view.left_out.map(|rows| rows as u64)));
        let help = "Sockets of the last collection in the row \"other\", because a view's limit was reached.";
        out.gauge("ss_exporter_sockets_in_other", help, each(|view| view.in_other));
        let help = "Sockets that were put into the row \"other\", because a view's limit was reached.";
        out.each("ss_exporter_sockets_over_limit_total", help, Type::Counter, each(|view| view.folded));
        let help = "The most rows that a view shows; absent where there is no limit.";
        out.gauge("ss_exporter_rows_limit", help, each(|view| view.limit.map(|limit| limit as u64)));
    }

    fn write_legacy(&self, out: &mut Families<'_>) {
        let Some(status) = self.legacy else { return };
        let help = "Collections started, as the predecessor named them.";
        out.one("collector_collection_runs_total", help, Type::Counter, self.collector.collections);
        let sample = match status {
            LegacyStatus::Success(flows) => ([("status", "success")], flows),
            // The predecessor ran a program, hence the name that dashboards know.
            LegacyStatus::Failed => ([("status", "ss2_command_failed")], 1),
        };
        let help = "Flows in the last collection if its status is success, else 1.";
        out.gauge("collector_data_status", help, [sample]);
    }
}

/// Writes whole families with one call each.
pub(crate) struct Families<'a> {
    encoder: &'a mut Encoder,
    wanted: &'a Wanted,
    /// Whether the current family is not wanted.
    silent: bool,
}

impl Families<'_> {
    fn family(&mut self, name: &str, help: &str, kind: Type) {
        self.silent = !self.wanted.wants(name);
        if !self.silent {
            self.encoder.family(&Family { name, help, kind });
        }
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: Value) {
        let mut block = Vec::new();
        for (name, value) in labels {
            label(&mut block, name, value.as_bytes());
        }
        if !self.silent {
            self.encoder.sample(name, &block, value);
        }
    }

    fn one(&mut self, name: &str, help: &str, kind: Type, value: u64) {
        self.family(name, help, kind);
        self.sample(name, &[], Value::Integer(value));
    }

    fn seconds(&mut self, name: &str, help: &str, value: Duration) {
        self.family(name, help, Type::Gauge);
        self.sample(name, &[], Value::Float(value.as_secs_f64()));
    }

    fn gauge<'l, L: AsRef<[(&'l str, &'l str)]>>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (L, u64)>,
    ) {
        self.each(name, help, Type::Gauge, samples);
    }

    /// A family without a sample says that nothing has it, and is left out.
    fn each<'l, L: AsRef<[(&'l str, &'l str)]>>(
        &mut self,
        name: &str,
        help: &str,
        kind: Type,
        samples: impl IntoIterator<Item = (L, u64)>,
    ) {
        let mut samples = samples.into_iter().peekable();
        if samples.peek().is_some() {
            self.family(name, help, kind);
        }
        for (labels, value) in samples {
            self.sample(name, labels.as_ref(), Value::Integer(value));
        }
    }
}
