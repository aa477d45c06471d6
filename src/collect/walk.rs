//! One walk of the kernel's tables in all namespaces: in each the listeners, then all sockets.
//!
//! A namespace that fails fails alone; if it is the own one, the walk has failed. Refuses to know what is folded.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::attribution::Attribution;
use super::folding::{Folded, Folding, Place};
use super::netns::{NetnsError, NetnsTarget};
use super::state::CollectorState;
use super::{World, owner_time, time_wait};
use crate::plan::{Plan, Program};
use crate::select::Lookup;
use crate::sockdiag::{DumpError, DumpStats, dump};

/// What a walk needs to know.
pub(super) struct Walk<'a, W> {
    pub(super) plan: &'a Plan,
    pub(super) world: &'a W,
    pub(super) deadline: Instant,
    /// Whether the process table could be read.
    pub(super) owners_known: bool,
    /// Whether the namespaces could be found out; if not, those that were known are missed.
    pub(super) listed: bool,
}

/// A walk that has ended.
pub(super) struct Walked {
    /// How it ended in the own namespace; the numbers are of all.
    pub(super) result: Result<DumpStats, NetnsError>,
    pub(super) folded: Folded,
    /// Sockets in `TIME_WAIT` that were counted and not shown.
    pub(super) time_wait: Option<u64>,
    /// The numbers of the namespaces whose dumps were complete.
    pub(super) dumped: Vec<u32>,
    /// The numbers of the namespaces that failed.
    pub(super) missed: Vec<u32>,
    /// Why each of the others failed.
    pub(super) failures: Vec<String>,
    /// Namespaces without a socket, in which nothing was dumped.
    pub(super) empty: usize,
    /// For how long the kernel has been holding the longest of its dumps.
    pub(super) held: Option<Duration>,
    /// How long owners were looked for after the dumps.
    pub(super) resolving: Duration,
}

/// What names stand for in one namespace.
struct Inside<'a, W>(&'a W, &'a NetnsTarget);

impl<W: World> Lookup for Inside<'_, W> {
    fn addresses(&self, host: &str) -> Vec<std::net::IpAddr> {
        self.0.addresses(host)
    }

    fn interface(&self, name: &str) -> Option<u32> {
        self.0.interface_index(&self.1.namespace, name)
    }

    fn cgroup(&self, path: &str) -> Option<u64> {
        self.0.cgroup(path)
    }

    fn user(&self, name: &str) -> Option<u32> {
        self.0.user(name)
    }

    fn judges_cgroups(&self) -> bool {
        self.0.judges_cgroups()
    }
}

/// Walks once.
pub(super) fn walk<W: World>(
    walk: &Walk<'_, W>,
    state: &mut CollectorState,
    attribution: &mut Attribution,
    targets: &[NetnsTarget],
) -> Walked {
    let Walk { plan, world, deadline, owners_known, listed } = *walk;
    let mut registry = std::mem::take(&mut state.registry);
    let mut folding = Folding::new(plan, world, state, attribution, owners_known);
    let (mut result, mut failures) = (Ok(DumpStats::default()), Vec::new());
    let mut missed = if listed { Vec::new() } else { registry.others(targets) };
    let (mut dumped, mut time_wait, mut empty, mut held) = (Vec::new(), None, 0, None);
    let mut shared = None;
    for target in targets {
        let program = if plan.depends_on_netns() {
            Arc::new(plan.program(&Inside(world, target)))
        } else {
            Arc::clone(shared.get_or_insert_with(|| Arc::new(plan.program(world))))
        };
        let now = Instant::now();
        // One that takes long leaves the others half of the time.
        let until =
            if target.namespace.own { deadline } else { now + deadline.saturating_duration_since(now) / 2 };
        let seen = match registry.blocked(target, until) {
            Some(missed) => Err(missed),
            None => look(plan, world, &mut folding, target, program, until),
        };
        match seen {
            Ok(Seen { stats, time_wait: counted, empty: nothing }) => {
                if let Ok(all) = &mut result {
                    *all = all.plus(stats);
                }
                time_wait = match (time_wait, counted) {
                    (Some(all), Some(more)) => Some(all + more),
                    (one, other) => one.or(other),
                };
                empty += usize::from(nothing);
                dumped.push(target.netns.number);
            }
            // It is gone with its sockets, or the process is by which it was to be entered, and the next listing tells.
            Err(NetnsError::Enter(error))
                if error.kind() == io::ErrorKind::NotFound && !target.namespace.own =>
            {
                missed.push(target.netns.number);
            }
            Err(error) => {
                missed.push(target.netns.number);
                let error = match error {
                    NetnsError::Dump(DumpError::Deadline(dump)) => {
                        registry.leave(target, now, dump);
                        registry.blocked(target, until).unwrap_or(NetnsError::Late)
                    }
                    error => error,
                };
                if target.namespace.own {
                    result = Err(error);
                } else {
                    failures.push(format!("network namespace {}: {error}", target.netns.name));
                }
            }
        }
        held = held.max(registry.held(target));
    }
    let before = Instant::now();
    if folding.has_aside() {
        folding.resolve(before, (before + owner_time(plan)).min(deadline));
        folding.fold_aside();
    }
    let resolving = before.elapsed();
    let folded = folding.into_folded();
    state.registry = registry;
    Walked { result, folded, time_wait, dumped, missed, failures, empty, held, resolving }
}

/// What was seen in one namespace.
struct Seen {
    stats: DumpStats,
    time_wait: Option<u64>,
    empty: bool,
}

/// Looks at one namespace.
fn look<W: World>(
    plan: &Plan,
    world: &W,
    folding: &mut Folding<'_, W>,
    target: &NetnsTarget,
    program: Arc<Program>,
    until: Instant,
) -> Result<Seen, NetnsError> {
    let entered = world.enter(&target.namespace).map_err(NetnsError::Enter)?;
    let counted = entered.time_wait.filter(|_| program.counts_time_wait);
    let Some((kernel, listening)) = entered.kernels else {
        folding.enter(Place { target: target.clone(), program });
        folding.forget_listeners();
        return Ok(Seen { stats: DumpStats::default(), time_wait: counted, empty: true });
    };
    let program = if counted.is_some() { Arc::new(time_wait::unasked(&program)) } else { program };
    let request = program.request.clone();
    folding.enter(Place { target: target.clone(), program });
    if plan.tracking.listeners {
        folding.learn(listening, &entered.ports, until).map_err(NetnsError::Dump)?;
    }
    // Without a request nothing is wanted.
    let Some(request) = request else {
        return Ok(Seen { stats: DumpStats::default(), time_wait: counted, empty: false });
    };
    let remnants = folding.remnants;
    let stats = dump(kernel, &request, until, |socket| folding.fold(socket)).map_err(NetnsError::Dump)?;
    // The kernel's count contains the remnants in FIN_WAIT2. Where it is used, the dump shows no others.
    let time_wait = counted.map(|number| number.saturating_sub(folding.remnants - remnants));
    Ok(Seen { stats, time_wait, empty: false })
}
