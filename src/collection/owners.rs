//! The search for the owners of a collection's sockets, and what is missing from it.

use std::io;
use std::path::Path;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::attribution::Attribution;
use super::problems::Problems;
use crate::plan::Plan;
use crate::self_metrics::{OwnerShortage, SelfReport, Stage};
use sockdiag::sys;

/// What is known of owners before a collection.
#[derive(Debug, Default)]
pub(super) enum KnownOwners {
    /// Nothing: it is the first collection, or one is under way.
    #[default]
    None,
    /// What the first read will find.
    BeingRead(FirstRead),
    /// What the last collection left.
    Read(Box<Attribution>),
}

impl KnownOwners {
    /// What the last collection left.
    pub(super) fn read(&self) -> Option<&Attribution> {
        if let Self::Read(attribution) = self { Some(attribution) } else { None }
    }
}

/// The first read of the process table, which takes longest. It begins before the collection that needs it, and runs beside the
/// inventory.
#[derive(Debug)]
pub(super) struct FirstRead(JoinHandle<Attribution>);

impl FirstRead {
    /// Begins to read, within the time of a collection; `None` if owners are not needed, or if the host gives no thread.
    pub(super) fn begin(plan: &Plan, proc: &Path, time: Duration) -> Option<Self> {
        let start = Instant::now();
        let mut attribution = Attribution::of(plan, proc);
        attribution.processes()?;
        let read = move || {
            attribution.read_ahead(start, start + time / FIRST_SHARE);
            attribution
        };
        thread::Builder::new().name("owners".into()).spawn(read).ok().map(Self)
    }
}

/// The first search has this share of a collection's time, more than later ones: what it does not find would be rows without a
/// name.
const FIRST_SHARE: u32 = 2;

/// The search of one collection.
pub(super) struct OwnerSearch {
    pub(super) attribution: Attribution,
    /// Whether the process table could be read.
    read: io::Result<()>,
    /// How long that took.
    took: Duration,
}

impl OwnerSearch {
    /// Reads the process table, if owners are needed, within that time of the collection.
    pub(super) fn begin(
        plan: &Plan,
        proc: &Path,
        known: KnownOwners,
        start: Instant,
        time: Duration,
    ) -> Self {
        let (known, time) = match known {
            KnownOwners::Read(attribution) => (Some(*attribution), plan.owner_time()),
            KnownOwners::BeingRead(first) => {
                let read = first.0.join().ok();
                // What that thread has freed is used by no other.
                sys::release_freed_memory();
                (read, time / FIRST_SHARE)
            }
            KnownOwners::None => (None, time / FIRST_SHARE),
        };
        let mut attribution = known.unwrap_or_else(|| Attribution::of(plan, proc));
        let read = attribution.begin(start, start + time);
        Self { attribution, read, took: start.elapsed() }
    }

    /// Whether the process table could be read.
    pub(super) const fn has_read(&self) -> bool {
        self.read.is_ok()
    }

    /// Reports the search, with the time after the dumps and the sockets without an owner. `restrictions` can hide
    /// owners, and do so if the flag is set. Returns whether no owner is missing.
    pub(super) fn report(
        &self,
        restrictions: Vec<(&'static str, bool)>,
        (resolving, without_owner): (Duration, u64),
        proc: &Path,
        report: &mut SelfReport,
        problems: &mut Problems,
    ) -> bool {
        let hidden = restrictions.iter().any(|(_, hides)| *hides);
        report.owners.restrictions = restrictions;
        if let Err(error) = &self.read {
            problems.add(format!("cannot read the process table: {error}"));
        }
        let Some(processes) = self.attribution.processes() else { return true };
        if self.has_read() && processes.incomplete {
            let shortage = OwnerShortage::of(processes.failed, hidden);
            problems.add(shortage.to_string());
            report.owners.shortage = Some(shortage);
        }
        if self.has_read() && processes.is_elsewhere() {
            problems.add(format!(
                "{} does not show the exporter itself but other processes; some owners are unknown",
                proc.display()
            ));
        }
        let success = self.has_read() && !processes.incomplete && !processes.is_elsewhere();
        report.stages.push(Stage { name: "processes".into(), duration: self.took + resolving, success });
        report.owners.unreadable = Some(processes.unreadable);
        report.owners.unowned = Some(without_owner);
        success
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribute::{OwnerId, OwnerLookup};
    use crate::config::Config;
    use testkit::process_table::ProcessTable;

    const GENEROUS: Duration = Duration::from_mins(1);

    fn plan(by: &str) -> Plan {
        let config = format!("views: {{v: {{by: [{by}], metrics: [sockets]}}}}");
        Plan::new(Config::parse("a.yml", &config).expect("a configuration"))
    }

    #[test]
    fn the_first_collection_goes_on_with_what_was_read_before_it() {
        let (plan, table) = (plan("process"), ProcessTable::default());
        table.open(1, b"nginx", 3, 7);
        let first = FirstRead::begin(&plan, table.path(), GENEROUS).expect("a thread");
        while !first.0.is_finished() {
            std::thread::yield_now();
        }
        // What is known is not looked at again before its turn, so that it is still held.
        table.close(1, 3);
        table.open(2, b"postgres", 3, 8);
        let begin = |known| OwnerSearch::begin(&plan, table.path(), known, Instant::now(), GENEROUS);
        let mut search = begin(KnownOwners::BeingRead(first));
        assert!(search.has_read());
        let is_known = |search: &mut OwnerSearch, inode| matches!(search.attribution.whose(inode), OwnerLookup::Known(id) if id != OwnerId::NO_PROCESS);
        assert!(is_known(&mut search, 7) && !is_known(&mut search, 8));
        search.attribution.resolve(Instant::now(), Instant::now() + GENEROUS);
        assert!(is_known(&mut search, 8), "what a new process has opened since");
        let mut search = begin(KnownOwners::None);
        assert!(!is_known(&mut search, 7) && is_known(&mut search, 8));
    }

    #[test]
    fn where_no_owner_is_needed_nothing_is_read() {
        assert!(FirstRead::begin(&plan("service_port"), ProcessTable::default().path(), GENEROUS).is_none());
    }
}
