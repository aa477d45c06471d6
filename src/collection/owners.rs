//! The search for the owners of a collection's sockets, and what is missing from it.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use super::attribution::Attribution;
use super::problems::Problems;
use crate::plan::Plan;
use crate::self_metrics::{OwnerShortage, SelfReport, Stage};

/// The search of one collection.
pub(super) struct OwnerSearch {
    pub(super) attribution: Attribution,
    /// Whether the process table could be read.
    read: io::Result<()>,
    /// How long that took.
    took: Duration,
}

impl OwnerSearch {
    /// Reads the process table, if owners are needed, within that time of the collection. `known` is from the last
    /// collection.
    pub(super) fn begin(
        plan: &Plan,
        proc: &Path,
        known: Option<Attribution>,
        start: Instant,
        time: Duration,
    ) -> Self {
        // The first search takes longest, and what it does not find would be rows without a name.
        let time = if known.is_some() { plan.owner_time() } else { time / 2 };
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
