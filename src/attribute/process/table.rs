//! The table of processes and their sockets, kept from one collection to the next and refreshed step by step.

mod listing;
mod renewal;
mod search;
mod threads;

use std::collections::BTreeMap;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::io::Errno;

use super::super::dir::open;
use super::Process;
use super::fds::{Changes, Fds};
use super::handle::{Handle, Links};
use super::owner::{Owner, OwnerId, Owners};
use super::refresh::{RefreshSchedule, TURN};
use super::running::Running;
use super::scan::{Scan, ScanCost};
use super::sockets::{OwnerLookup, Sockets};
use super::stat::Stat;
use sockdiag::sys::share_files;

/// What was seen longer ago is not believed, in seconds; ten are left for the collection itself.
const BELIEVED: u32 = 50;

/// The holders of every socket that the process table shows.
#[derive(Debug)]
pub struct Processes {
    proc: PathBuf,
    with_cgroups: bool,
    kernel: KernelAnswers,
    /// Whether the process table does not show the exporter itself: it is that of others.
    is_foreign: bool,
    /// By the id of the process, or of its thread that has a table of its own.
    running: BTreeMap<u32, Running>,
    sockets: Sockets,
    owners: Owners,
    refresh: RefreshSchedule,
    collection: u32,
    scans: u32,
    times: Times,
    cost: ScanCost,
    /// Processes whose descriptors could not be read, without permission.
    pub unreadable: u64,
    /// Whether this collection lacked the time for all that it had to read, or could not read for a reason of
    /// our own.
    pub incomplete: bool,
    /// The error of our own, if there was one; otherwise an incomplete collection lacked time.
    pub failed: Option<Errno>,
}

/// What no copy of a process table shows.
#[derive(Debug)]
struct KernelAnswers {
    /// Whether two tasks of that process table share one table of open files.
    share_files: fn(&Path, u32, u32) -> io::Result<bool>,
    /// How many descriptors are open there.
    count: fn(&Links) -> u64,
    /// How often a test lets a pass be asked for time.
    #[cfg(test)]
    asked_at_most: u32,
}

/// When parts of the table were last read.
#[derive(Debug, Default)]
struct Times {
    /// The start of the table's clock, which counts whole seconds.
    epoch: Option<Instant>,
    /// The last collection.
    begun: Option<Instant>,
    /// The last list of all processes.
    listed: Option<Instant>,
    /// The last list of which every process was counted.
    counted: Option<Instant>,
}

impl Processes {
    /// A table of the processes below `/proc`, or a test's copy of it, of which nothing is known yet.
    ///
    /// Cgroups of processes are read if the kernel reports none of sockets: on hosts with cgroup v1, and of families without
    /// internet addresses.
    #[must_use]
    pub fn new(proc: PathBuf, with_cgroups: bool) -> Self {
        Self {
            proc,
            with_cgroups,
            kernel: KernelAnswers {
                share_files: |_, one, other| share_files(one, other),
                count: Links::count,
                #[cfg(test)]
                asked_at_most: u32::MAX,
            },
            failed: None,
            is_foreign: false,
            running: BTreeMap::new(),
            sockets: Sockets::default(),
            owners: Owners::default(),
            refresh: RefreshSchedule::default(),
            collection: 0,
            scans: 0,
            times: Times::default(),
            cost: ScanCost::default(),
            unreadable: 0,
            incomplete: false,
        }
    }

    /// Reads the process table before the first collection, which then looks only at what is new. It stops at `until`.
    pub fn read_ahead(&mut self, now: Instant, until: Instant) {
        self.times.begun = Some(now);
        let mut scan = self.begin_scan(now, until);
        let listed = self.renew(&mut scan, now, Duration::ZERO);
        if listed.is_err() || scan.spent || scan.failed.is_some() {
            // The collection lists them again, and reports what fails.
            (self.times.listed, self.times.counted) = (None, None);
        }
    }

    /// A collection begins: looks again at names and at a share of what is known, and for new processes.
    ///
    /// It stops at `until`. What it sees counts as seen at `now`. Processes that end meanwhile are skipped.
    ///
    /// # Errors
    /// If the process table itself cannot be read, or shows no process.
    pub fn begin(&mut self, now: Instant, until: Instant) -> io::Result<()> {
        let elapsed = self.times.begun.map_or(TURN, |begun| now.saturating_duration_since(begun));
        self.times.begun = Some(now);
        self.incomplete = false;
        self.failed = None;
        self.cost = ScanCost::default();
        self.collection = self.collection.saturating_add(1);
        self.sockets.begin(self.collection);
        self.running.values().for_each(|running| self.owners.keep(running.sole));
        self.sockets.shared().for_each(|owner| self.owners.keep(owner));
        self.owners.begin(self.collection);

        let mut scan = self.begin_scan(now, until);
        let renewed = self.renew(&mut scan, now, elapsed);
        self.expire(scan.now);
        self.end(&scan);
        self.incomplete |= scan.spent;
        self.sockets.asked_before(self.scans.saturating_add(1));
        renewed
    }

    /// Whose a socket of the dump is.
    #[inline]
    pub fn of(&mut self, inode: u32) -> OwnerLookup {
        match self.sockets.ask(inode) {
            OwnerLookup::Known(OwnerId::NO_PROCESS) => OwnerLookup::Known(self.name(inode)),
            whose => whose,
        }
    }

    /// After the dump: looks for the holders of what [`Processes::of`] called unknown in this collection.
    ///
    /// What it called known need not be asked for again: it may have been closed meanwhile.
    /// It stops at `until`. What it sees counts as seen at `now`.
    pub fn resolve(&mut self, now: Instant, until: Instant) {
        if self.sockets.missing() > 0 {
            let mut scan = self.begin_scan(now, until);
            // Without the table, all of them stay missing.
            let _ = self.search(&mut scan, now);
            self.end(&scan);
            self.sockets.asked_before(self.scans.saturating_add(1));
            self.incomplete |= scan.spent && self.sockets.missing() > 0;
        }
    }

    /// The owner of that id; the empty one for none and for one that is forgotten.
    #[must_use]
    pub fn owner(&self, id: OwnerId) -> &Arc<Owner> {
        self.owners.get(id)
    }

    /// Somebody still names this owner, so that it is not to be forgotten in this collection and the next three.
    pub(crate) fn keep(&mut self, id: OwnerId) {
        self.owners.keep(id);
    }

    /// What this collection has cost, and what it left open.
    #[must_use]
    pub fn cost(&self) -> ScanCost {
        ScanCost { unknown: self.sockets.missing(), ..self.cost }
    }

    /// Whether sockets have no known owner and the process table, which does not show the exporter itself, may be why.
    pub(crate) fn is_elsewhere(&self) -> bool {
        self.is_foreign && self.sockets.is_any_unowned()
    }

    /// Sockets that this collection found in no process, and the last one neither: none of them was only closed
    /// meanwhile. Where there is a single collection, those of that one.
    pub(crate) fn unowned(&self, alone: bool) -> u64 {
        let number = if alone { self.sockets.missing() } else { self.sockets.unowned() };
        number as u64
    }

    fn begin_scan(&mut self, now: Instant, until: Instant) -> Scan {
        let epoch = *self.times.epoch.get_or_insert(now);
        let seconds = now.saturating_duration_since(epoch).as_secs();
        self.scans = self.scans.saturating_add(1);
        Scan {
            #[cfg(test)]
            asked_at_most: self.kernel.asked_at_most,
            ..Scan::new(self.scans, u32::try_from(seconds).unwrap_or(u32::MAX), until)
        }
    }

    fn end(&mut self, scan: &Scan) {
        self.cost.descriptors += scan.descriptors;
        self.cost.processes += scan.processes;
        self.cost.threads += scan.threads;
        self.failed = self.failed.or(scan.failed);
        self.incomplete |= scan.failed.is_some();
        let unreadable = |(id, running): &(&u32, &Running)| running.is_of(**id) && !running.is_readable;
        self.unreadable = self.running.iter().filter(unreadable).count() as u64;
    }

    /// Makes the owner of a socket that is held.
    #[cold]
    fn name(&mut self, inode: u32) -> OwnerId {
        let mut sole = Vec::new();
        for id in self.sockets.holders(inode) {
            let Some(running) = self.running.get_mut(id) else { continue };
            running.is_asked = true;
            if running.sole == OwnerId::NO_PROCESS {
                running.sole = self.owners.sole(&running.process);
            }
            sole.push((running.process.pid, running.sole));
        }
        // A process that holds it in several tables holds it once.
        sole.sort_unstable();
        sole.dedup_by_key(|(pid, _)| *pid);
        let sole: Vec<OwnerId> = sole.into_iter().map(|(_, sole)| sole).collect();
        let owner = self.owners.shared(&sole);
        self.sockets.owned(inode, owner);
        owner
    }

    /// The ids of tables with sockets which were asked for.
    fn asked(&self) -> Vec<u32> {
        let asked = self.running.iter().filter(|(_, running)| running.is_asked);
        asked.map(|(id, _)| *id).collect()
    }

    /// Looks at the descriptors of a process or thread whose numbers are new, or at all.
    fn scan(&mut self, table: &OwnedFd, scan: &mut Scan, id: u32, all: bool) {
        let (failed, mut is_listed) = (scan.failed.take(), false);
        self.visit(table, scan, id, |fds, links, scan| {
            is_listed = true;
            fds.scan(links, scan, all)
        });
        // What may not be listed has nothing to read.
        if !is_listed
            && scan.failed.is_none()
            && let Some(running) = self.running.get_mut(&id)
        {
            running.fds.read_since = scan.number;
        }
        scan.failed = failed.or(scan.failed);
    }

    /// Looks at a process or thread: its name first, and then as `look` does. One that ended is dropped.
    fn visit(
        &mut self,
        table: &OwnedFd,
        scan: &mut Scan,
        id: u32,
        look: impl FnOnce(&mut Fds, &Links, &mut Scan) -> Changes,
    ) {
        scan.processes += 1;
        match self.read_descriptors(table, scan, id, look) {
            Ok(()) | Err(Errno::ACCESS | Errno::PERM) => {}
            Err(Errno::NOENT | Errno::SRCH) => self.forget(id),
            // Such as EMFILE, which is about us and not about the process.
            Err(error) => scan.failed = Some(error),
        }
    }

    fn read_descriptors(
        &mut self,
        table: &OwnedFd,
        scan: &mut Scan,
        id: u32,
        look: impl FnOnce(&mut Fds, &Links, &mut Scan) -> Changes,
    ) -> Result<(), Errno> {
        let pid = self.running.get(&id).map_or(id, |running| running.process.pid);
        let handle = Handle::open(table, pid)?;
        let stat = match handle.stat() {
            Err(Errno::ACCESS | Errno::PERM) => Stat::default(),
            stat => stat?,
        };
        if self.running.get(&id).is_some_and(|running| running.start != stat.start) {
            // Another process with the same id.
            self.forget(id);
        }
        let handle = if id == pid { handle.with_files(pid, &stat)?.1 } else { handle.thread(id)? };
        let cgroup = self.with_cgroups.then(|| handle.cgroup()).flatten();
        let process = Process { pid, comm: stat.comm, executable: handle.executable(), cgroup };
        let running = self.running.entry(id).or_insert_with(|| Running::new(stat.start, process.clone()));
        running.note_threads(stat.threads);
        if running.process != process {
            running.process = process;
            running.sole = OwnerId::NO_PROCESS;
            self.sockets.renamed(id);
        }
        let changes = match handle.links() {
            Ok(links) => look(&mut running.fds, &links, scan),
            Err(error) => Changes::failed(error),
        };
        running.note_access(&changes);
        changes.gone.iter().for_each(|inode| self.sockets.release(*inode, id));
        for inode in changes.come {
            running.is_asked |= self.sockets.hold(inode, id);
        }
        changes.trouble.map_or(Ok(()), Err)
    }

    /// Stops believing what was seen too long ago.
    fn expire(&mut self, now: u32) {
        for (id, running) in &mut self.running {
            let changes = running.fds.expire(now, BELIEVED);
            changes.gone.into_iter().for_each(|inode| self.sockets.release(inode, *id));
        }
    }

    /// Drops a process or thread.
    fn forget(&mut self, id: u32) {
        let Some(gone) = self.running.remove(&id) else { return };
        gone.fds.sockets().for_each(|inode| self.sockets.release(inode, id));
        // Another thread may go on with the table of this one.
        if let Some(process) = self.running.get_mut(&gone.process.pid) {
            process.compared = None;
        }
    }
}

#[cfg(test)]
mod tests;
