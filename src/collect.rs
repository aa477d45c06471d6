//! One collection, read top to bottom: owners, dump, fold.
//!
//! Refuses to know who asked, and when the next one comes.

mod memory;

use std::io;
use std::path::Path;
use std::time::Instant;

use hashbrown::HashSet;

use crate::attribute::{Process, Processes};
use crate::exposition;
use crate::fold::Table;
use crate::health::{Health, Own, SeedStatus, Stage, ViewHealth};
use crate::labels::Names;
use crate::metrics::Fold;
use crate::plan::{Plan, Program, Route};
use crate::select::{Lookup, Subject};
use crate::snapshot::Snapshot;
use crate::sockdiag::{DumpError, DumpStats, Kernel, Socket, dump};

pub use memory::Memory;

/// What a collection looks at.
pub trait World: Lookup + Send {
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
    let program = plan.program(world);
    let mut health = Health { collections: 1, ..Health::default() };

    let mut trouble = String::new();
    let processes = owners(plan, world, start, &mut health, &mut trouble);

    let before = Instant::now();
    let mut folding = Folding::new(plan, memory, &program, &processes);
    let dumped = folding.dump(world, &program, deadline);
    health.stages.push(Stage { name: "dump", duration: before.elapsed(), success: dumped.is_ok() });
    match dumped {
        Ok(stats) => {
            health.sockets_seen = folding.seen.len() as u64;
            health.dump_bytes = stats.bytes;
            health.malformed = stats.malformed;
        }
        Err(error) => {
            trouble = format!("{error}; rows are withheld");
            folding.tables.clear();
        }
    }
    if plan.selects_by_process && !health.success() {
        // Sockets whose owner is not known for want of time are missing from the selection.
        folding.tables.clear();
        trouble.push_str("; what is selected by owner is withheld");
    }
    memory.said.trouble(trouble);
    folding.finish(memory, health, world)
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
    let scanned = Processes::scan(world.proc(), start + plan.collect.deadline / 2);
    let success = match &scanned {
        Ok(processes) if !processes.incomplete => true,
        Ok(_) => {
            "the process table could not be read to its end in time; some owners are unknown"
                .clone_into(trouble);
            false
        }
        Err(error) => {
            *trouble = format!("cannot read the process table {}: {error}", world.proc().display());
            false
        }
    };
    let processes = scanned.unwrap_or_default();
    health.stages.push(Stage { name: "processes", duration: start.elapsed(), success });
    health.processes_unreadable = Some(processes.unreadable);
    processes
}

/// A collection whose dump is under way.
struct Folding<'a> {
    plan: &'a Plan,
    routes: &'a [Route],
    processes: &'a Processes,
    tables: Vec<Table>,
    selected: Vec<u64>,
    /// A dump can repeat a socket: the kernel walks tables that change under it.
    seen: HashSet<u64>,
    key: Vec<u8>,
    text: Vec<u8>,
}

impl<'a> Folding<'a> {
    fn new(plan: &'a Plan, memory: &Memory, program: &'a Program, processes: &'a Processes) -> Self {
        let views = plan.views.iter().zip(&memory.limits).zip(&memory.sizes);
        let tables = views.map(|((view, limit), size)| {
            let mut table = view.table(limit.clone(), memory.seed.clone()).sized(*size);
            if view.by.is_empty() {
                // The row over all sockets is there without any: their sum is then zero.
                let row = table.row(b"");
                let sums = view.columns.iter().enumerate().filter(|(_, column)| column.fold == Fold::Sum);
                sums.for_each(|(column, _)| row.into_iter().for_each(|row| table.add(row, column, 0, 0)));
            }
            table
        });
        Self {
            plan,
            routes: &program.routes,
            processes,
            tables: tables.collect(),
            selected: vec![0; plan.views.len()],
            seen: HashSet::with_capacity(memory.sockets),
            key: Vec::new(),
            text: Vec::new(),
        }
    }

    fn dump(
        &mut self,
        world: &impl World,
        program: &Program,
        deadline: Instant,
    ) -> Result<DumpStats, DumpError> {
        let Some(request) = &program.request else { return Ok(DumpStats::default()) };
        let mut kernel = world.open().map_err(DumpError::Open)?;
        dump(&mut kernel, request, deadline, |socket| self.fold(socket))
    }

    #[inline]
    fn fold(&mut self, socket: &Socket<'_>) {
        if !self.seen.insert(socket.cookie()) {
            return;
        }
        let owners = self.processes.of(socket.inode());
        for route in self.routes {
            let wanted =
                |test: &crate::select::Expression| test.accepts(Subject::alive(socket, None, owners));
            if route.states.contains(socket.state()) && route.test.as_ref().is_none_or(wanted) {
                for view in &route.views {
                    self.fold_into(*view, socket, owners);
                }
            }
        }
    }

    fn fold_into(&mut self, number: usize, socket: &Socket<'_>, owners: &[Process]) {
        let Self { plan, tables, selected, key, text, .. } = self;
        let names = Names { networks: &plan.networks, interface: &|_| None };
        let (Some(view), Some(table)) = (plan.views.get(number), tables.get_mut(number)) else { return };
        if let Some(count) = selected.get_mut(number) {
            *count += 1;
        }
        // A view without labels has one row, made before the dump.
        let mut row = view.by.is_empty().then_some(0);
        for (number, column) in view.columns.iter().enumerate() {
            let Some(value) = column.metric.source.read(socket) else { continue };
            // A socket without any value makes no row.
            if row.is_none() {
                key.clear();
                for label in &view.by {
                    text.clear();
                    label.write(text, Subject::alive(socket, None, owners), names);
                    exposition::label(key, label.name(), text);
                }
                row = table.row(key);
            }
            let Some(row) = row else { return };
            table.add(row, number, value, 0);
        }
    }

    fn finish(self, memory: &mut Memory, mut health: Health, world: &impl World) -> Snapshot {
        let mut tables = Vec::with_capacity(self.tables.len());
        memory.sockets = self.seen.len();
        for ((table, limit), size) in self.tables.into_iter().zip(&mut memory.limits).zip(&mut memory.sizes) {
            let (sealed, next) = table.seal();
            *limit = next;
            *size = sealed.size();
            tables.push(sealed);
        }
        health.views = self
            .plan
            .views
            .iter()
            .enumerate()
            .filter_map(|(number, view)| {
                let table = tables.get(number)?;
                memory.said.left_out(view, table.left_out);
                Some(ViewHealth {
                    name: view.name.clone(),
                    selected: *self.selected.get(number)?,
                    rows: table.rows(),
                    left_out: table.left_out,
                    limit: view.limit,
                })
            })
            .collect();
        let unresolved = self.plan.hosts.iter().filter(|host| world.addresses(host).is_empty()).count();
        health.hosts_unresolved = (!self.plan.hosts.is_empty()).then_some(unresolved);
        let complete = tables.len() == self.plan.views.len();
        let flows = self.selected.iter().copied().max().unwrap_or(0);
        health.seed = self.plan.seed_meta.then_some(if complete {
            SeedStatus::Success(flows)
        } else {
            SeedStatus::Failed
        });
        health.own = Own::read();
        Snapshot { views: self.plan.views.clone(), tables, health }
    }
}
