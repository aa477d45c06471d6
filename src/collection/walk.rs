//! One walk of the kernel's tables in all network namespaces: in each the listeners, then all sockets.
//!
//! A namespace that fails fails alone. If it is the exporter's own one, the walk has failed.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::host::Host;
use super::intake::{Counts, Intake, Place};
use super::namespaces::ListedNamespaces;
use super::netns::{NetnsError, NetnsTarget};
use super::problems::Problems;
use super::stuck::StuckDumps;
use super::time_wait;
use crate::plan::Plan;
use crate::select::Lookup;
use crate::self_metrics::{DUMP, SelfReport, Stage};
use sockdiag::{DumpStats, Socket, dump};

/// A walk that has ended.
#[derive(Debug, Default)]
pub(super) struct Walked {
    /// Why it failed in the exporter's own namespace, and so as a whole.
    pub(super) error: Option<NetnsError>,
    pub(super) stats: DumpStats,
    pub(super) counts: Counts,
    /// Sockets that have no record.
    pub(super) untracked: usize,
    /// Sockets in `TIME_WAIT` that the kernel counted, where no view needs more of them.
    pub(super) time_wait: Option<u64>,
    /// The numbers of the namespaces whose dumps were complete.
    pub(super) dumped: Vec<u32>,
    /// The numbers of the namespaces that failed.
    pub(super) missed: Vec<u32>,
    /// Why each of the others failed.
    pub(super) failures: Vec<String>,
    /// Namespaces without a socket, in which nothing was dumped.
    pub(super) empty: usize,
    /// For how long the longest of the stuck dumps has been stuck.
    pub(super) stuck: Option<Duration>,
    /// How long owners were searched for after the dumps.
    pub(super) resolving: Duration,
}

/// Walks once, until that time.
pub(super) fn walk<W: Host>(
    plan: &Plan,
    host: &W,
    deadline: Instant,
    stuck: &StuckDumps,
    listed: &ListedNamespaces,
    mut intake: Intake<'_, W>,
) -> Walked {
    let mut walked = Walked { missed: listed.missed.clone(), ..Walked::default() };
    let mut shared = None;
    for target in &listed.targets {
        let program = if plan.depends_on_netns() {
            Arc::new(plan.program(&Inside(host, target)))
        } else {
            Arc::clone(shared.get_or_insert_with(|| Arc::new(plan.program(host))))
        };
        let began = Instant::now();
        // One that takes long leaves the others half of the time.
        let left = deadline.saturating_duration_since(began);
        let until = if target.namespace.own { deadline } else { began + left / 2 };
        let dumped = match stuck.blocked(target, until) {
            Some(error) => Err(error),
            None => dump_one(plan, host, &mut intake, Place { target: target.clone(), program }, until),
        };
        let dumped = dumped.map_err(|error| stuck.judge(target, began, until, error));
        walked.stuck = walked.stuck.max(stuck.stuck(target));
        walked.note(target, dumped);
    }
    let began = Instant::now();
    if intake.has_pending() {
        intake.resolve((began + plan.owner_time()).min(deadline));
    }
    (walked.resolving, walked.counts, walked.untracked) =
        (began.elapsed(), intake.counts, intake.untracked());
    walked
}

impl Walked {
    /// Notes how the dump of a namespace ended.
    fn note(&mut self, target: &NetnsTarget, dumped: Result<Dumped, NetnsError>) {
        let (number, own) = (target.netns.number, target.namespace.own);
        match dumped {
            Ok(Dumped { stats, time_wait, empty }) => {
                self.stats = self.stats.plus(stats);
                self.time_wait = match (self.time_wait, time_wait) {
                    (Some(all), Some(more)) => Some(all + more),
                    (one, other) => one.or(other),
                };
                self.empty += usize::from(empty);
                self.dumped.push(number);
            }
            // It is gone with its sockets, or the process is through which it was to be entered: the next listing shows.
            Err(NetnsError::Enter(error)) if error.kind() == io::ErrorKind::NotFound && !own => {
                self.missed.push(number);
            }
            Err(error) => {
                self.missed.push(number);
                if own {
                    self.error = Some(error);
                } else {
                    self.failures.push(format!("network namespace {}: {error}", target.netns.name));
                }
            }
        }
    }

    /// How long owners were searched for after the dumps, and how many sockets have none.
    pub(super) const fn owners(&self) -> (Duration, u64) {
        (self.resolving, self.counts.without_owner)
    }

    /// Reports the walk, which took that long without the search for owners.
    pub(super) fn report(&self, took: Duration, report: &mut SelfReport, problems: &mut Problems) {
        report.stages.push(Stage { name: DUMP, duration: took, success: self.error.is_none() });
        (report.dump.sockets, report.dump.stuck) = (self.counts.sockets, self.stuck);
        match &self.error {
            None => (report.dump.bytes, report.dump.malformed) = (self.stats.bytes, self.stats.malformed),
            Some(error) => problems.add(format!("{error}; rows are withheld")),
        }
        match self.failures.as_slice() {
            [] => {}
            [only] => problems.add(only.clone()),
            [first, rest @ ..] => {
                problems.add(format!("{first}; and {} more network namespaces", rest.len()));
            }
        }
    }
}

/// The dump of one namespace.
struct Dumped {
    stats: DumpStats,
    time_wait: Option<u64>,
    /// Whether it has no socket.
    empty: bool,
}

/// Dumps one namespace.
fn dump_one<W: Host>(
    plan: &Plan,
    host: &W,
    intake: &mut Intake<'_, W>,
    mut place: Place,
    until: Instant,
) -> Result<Dumped, NetnsError> {
    let entered = host.enter(&place.target.namespace).map_err(NetnsError::Enter)?;
    let mut dumped = Dumped {
        stats: DumpStats::default(),
        time_wait: entered.time_wait.filter(|_| place.program.counts_time_wait),
        empty: entered.transports.is_none(),
    };
    if dumped.time_wait.is_some() && !dumped.empty {
        place.program = Arc::new(time_wait::without(&place.program));
    }
    intake.enter(&place);
    let Some((transport, for_listeners)) = entered.transports else {
        intake.no_listeners(&place);
        return Ok(dumped);
    };
    if plan.tracking.listeners {
        intake.listeners(&place, for_listeners, &entered.ports, until).map_err(NetnsError::Dump)?;
    }
    // Without a request, no view wants a socket.
    let Some(request) = &place.program.request else { return Ok(dumped) };
    let before = intake.counts.remnants;
    let each = |socket: &Socket<'_>| intake.socket(&place, socket);
    dumped.stats = dump(transport, request, until, each).map_err(NetnsError::Dump)?;
    // The kernel's count contains the remnants in FIN_WAIT2. Where it is used, the dump shows no others.
    let remnants = intake.counts.remnants - before;
    dumped.time_wait = dumped.time_wait.map(|number| number.saturating_sub(remnants));
    Ok(dumped)
}

/// What names stand for in one namespace.
struct Inside<'a, W>(&'a W, &'a NetnsTarget);

impl<W: Host> Lookup for Inside<'_, W> {
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
