//! One collection, read top to bottom: owners, listeners, dump, fold.
//!
//! Refuses to know who asked, and when the next one comes.

mod conclude;
mod folding;
mod follower;
mod key;
mod listen;
mod memory;
mod time_wait;
mod watch;

use std::io;
use std::path::Path;
use std::time::Instant;

use crate::attribute::Processes;
use crate::health::{Health, Own, SeedStatus, Stage};
use crate::plan::Plan;
use crate::select::Lookup;
use crate::snapshot::Snapshot;
use crate::sockdiag::Kernel;
use conclude::{Ending, conclude, ledger_health};
use folding::{Dumped, Folding, Owners};

pub use key::Key;
pub use memory::{Memory, Remembered};
pub(crate) use watch::BETWEEN_LOOKS;
pub use watch::watch;

/// What a collection looks at.
pub trait World: Lookup + Send + Sync {
    /// Who answers dump requests.
    type Kernel: Kernel;

    /// Opens a connection to the kernel, for one dump.
    ///
    /// # Errors
    /// What `socket(2)` says.
    fn open(&self) -> io::Result<Self::Kernel>;

    /// Where the process table is.
    fn proc(&self) -> &Path;

    /// The name of the interface with that index.
    fn interface_name(&self, index: u32) -> Option<String>;
}

/// Collects once.
///
/// It never fails as a whole: what could not be done is missing from the snapshot and marked in its
/// health.
pub fn collect(plan: &Plan, world: &impl World, memory: &mut Memory) -> Snapshot {
    let start = Instant::now();
    let deadline = start + plan.collect.deadline;
    let mut health = Health { collections: 1, ..Health::default() };
    memory.remembered.follower().at(start);

    let mut trouble = String::new();
    let mut processes = owners(plan, world, start, &mut health, &mut trouble);

    let before = Instant::now();
    let known = health.success();
    let owners = Owners { processes: &mut processes, known };
    let mut dumped = walk(plan, world, memory, owners, deadline);
    let first = dumped.result.is_ok() && memory.remembered.follower().wants_another_walk();
    if first && !memory.alone {
        // What one walk of the kernel's tables misses must not look new in the next.
        memory.remembered.follower().end(true, true);
        let owners = Owners { processes: &mut processes, known };
        dumped = walk(plan, world, memory, owners, deadline);
    }
    health.stages.push(Stage { name: "dump", duration: before.elapsed(), success: dumped.result.is_ok() });
    match &dumped.result {
        Ok(stats) => {
            health.sockets_seen = dumped.sockets;
            health.dump_bytes = stats.bytes;
            health.malformed = stats.malformed;
        }
        Err(error) => trouble = format!("{error}; rows are withheld"),
    }
    let complete = dumped.result.is_ok();
    let usable = complete && (!plan.selects_by_process || health.success());
    if complete && !usable {
        // Sockets whose owner is not known for want of time are missing from the selection.
        trouble.push_str("; what is selected by owner is withheld");
    }
    let flows = dumped.selected.iter().copied().max().unwrap_or(0);
    let tables = conclude(plan, memory, dumped, Ending { complete, usable }, &mut health);

    health.ledger = ledger_health(plan, &memory.remembered, world.proc());
    memory.said.full(health.ledger.as_ref());
    memory.said.trouble(trouble);
    let unresolved = plan.hosts.iter().filter(|host| world.addresses(host).is_empty()).count();
    health.hosts_unresolved = (!plan.hosts.is_empty()).then_some(unresolved);
    let status = if usable { SeedStatus::Success(flows) } else { SeedStatus::Failed };
    health.seed = plan.seed_meta.then_some(status);
    health.own = Own::read();
    Snapshot { views: plan.views.clone(), tables, health }
}

/// One walk of the kernel's tables: the listeners, then all sockets.
fn walk(plan: &Plan, world: &impl World, memory: &Memory, owners: Owners<'_>, deadline: Instant) -> Dumped {
    let program = plan.program(world);
    let time_wait = program.counts_time_wait.then(|| time_wait::count(world.proc())).flatten();
    let program = if time_wait.is_some() { time_wait::unasked(program) } else { program };
    let mut folding = Folding::new(plan, world, memory, &program, owners);
    let listened = listen::learn(plan, world, &memory.remembered, deadline);
    let result = listened.and_then(|()| folding.dump(program.request.as_ref(), deadline));
    folding.into_dumped(result, time_wait)
}

/// What can be shown without a dump: that which only ever grows.
#[must_use]
pub fn standing(plan: &Plan, remembered: &Remembered, proc: &Path) -> Snapshot {
    let mut snapshot = Snapshot::blank(plan);
    snapshot.tables = conclude::standing(plan, remembered);
    snapshot.health.ledger = ledger_health(plan, remembered, proc);
    snapshot
}

/// The process table, if an owner is asked for and it can be read.
fn owners(
    plan: &Plan,
    world: &impl World,
    start: Instant,
    health: &mut Health,
    trouble: &mut String,
) -> Processes {
    if !plan.needs_processes {
        return Processes::default();
    }
    // The dump must have time left, whatever the process table is like.
    let mut processes = Processes::new(world.proc().to_owned(), false);
    let success = match processes.begin(start, start + plan.collect.deadline / 2) {
        Ok(()) if !processes.incomplete => true,
        Ok(()) => {
            "the process table could not be read to its end in time; some owners are unknown"
                .clone_into(trouble);
            false
        }
        Err(error) => {
            *trouble = format!("cannot read the process table {}: {error}", world.proc().display());
            false
        }
    };
    health.stages.push(Stage { name: "processes", duration: start.elapsed(), success });
    health.processes_unreadable = Some(processes.unreadable);
    processes
}
