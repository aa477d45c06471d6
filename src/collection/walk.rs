//! One walk of the kernel's tables in all network namespaces: of each protocol there the listeners, then all sockets.
//!
//! A protocol that fails in a namespace fails alone. If it is the exporter's own one, the views of the protocol are withheld.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::halves::{Halves, dump_halved};
use super::host::Host;
use super::intake::{Counts, Intake, Place};
use super::namespaces::ListedNamespaces;
use super::netns::{DumpOf, NetnsError, NetnsTarget, Opened, listed};
use super::problems::Problems;
use super::sink::Sink;
use super::stuck::StuckDumps;
use super::time_wait;
use crate::plan::Plan;
use crate::select::Lookup;
use crate::self_metrics::{DUMP, SelfReport, Stage};
use crate::view::{PROTOCOL, View};
use sockdiag::{DumpStats, Ports, Protocol, Socket};

/// A walk that has ended.
#[derive(Debug, Default)]
pub(super) struct Walked {
    /// Why the dump of a protocol failed in the exporter's own namespace, and so as a whole.
    pub(super) errors: Vec<(&'static Protocol, NetnsError)>,
    /// Protocols whose sockets the kernel does not report, and its answers. They count as protocols without a socket.
    pub(super) missing: Vec<(&'static Protocol, NetnsError)>,
    pub(super) stats: DumpStats,
    pub(super) counts: Counts,
    /// Sockets that have neither a record nor a sample.
    pub(super) untracked: usize,
    /// Sockets in `TIME_WAIT` that the kernel counted, where no view needs more of them.
    pub(super) time_wait: Option<u64>,
    /// The numbers of the namespaces in which the dump of a protocol was complete.
    pub(super) dumped: Vec<DumpOf>,
    /// The numbers of those in which it failed.
    pub(super) missed: Vec<DumpOf>,
    /// Why each of the others failed.
    pub(super) failures: Vec<String>,
    /// Namespaces without a socket, in which nothing was dumped.
    pub(super) empty: usize,
    /// For how long the longest of the stuck dumps has been stuck.
    pub(super) stuck: Option<Duration>,
    /// How long owners were searched for after the dumps.
    pub(super) resolving: Duration,
}

/// Walks once, until that time. The time that the dumps of each protocol of the plan take is added to `took`.
pub(super) fn walk<W: Host, S: Sink>(
    plan: &Plan,
    host: &W,
    deadline: Instant,
    (stuck, halves): (&StuckDumps, &mut Halves),
    listed: &ListedNamespaces,
    mut intake: Intake<S>,
    took: &mut [Duration],
) -> (Walked, Intake<S>) {
    let missed =
        listed.missed.iter().flat_map(|number| plan.protocols.iter().map(|protocol| (*number, *protocol)));
    let mut walked = Walked { missed: missed.collect(), ..Walked::default() };
    let mut last_halves = std::mem::take(halves);
    let mut shared = None;
    for target in &listed.targets {
        let programs = if plan.depends_on_netns() {
            plan.programs(&Inside(host, target))
        } else {
            shared.get_or_insert_with(|| plan.programs(host)).clone()
        };
        // The first protocol's time is also that of entering.
        let mut began = Instant::now();
        let mut dumps = Vec::with_capacity(programs.len());
        let opened = enter(plan, host, &mut intake, target);
        for ((program, opened), took) in programs.into_iter().zip(opened).zip(&mut *took) {
            let protocol = program.protocol;
            // One that takes long leaves the others half of the time.
            let left = deadline.saturating_duration_since(began);
            let until = if target.namespace.own { deadline } else { began + left / 2 };
            let place = Place { target: target.clone(), program };
            let key = (target.netns.number, protocol.name);
            let mut at = last_halves.remove(&key);
            let opened = stuck.blocked(target, protocol, until).map_or(opened, Err);
            let dumped;
            (intake, dumped) = match opened {
                Ok(opened) => dump_one(plan, host, intake, place, opened, &mut at, until),
                Err(error) => (intake, Err(error)),
            };
            halves.extend(at.map(|at| (key, at)));
            dumps
                .push((protocol, dumped.map_err(|error| stuck.judge(target, protocol, began, until, error))));
            walked.stuck = walked.stuck.max(stuck.stuck(target, protocol));
            *took += began.elapsed();
            began = Instant::now();
        }
        walked.note(target, dumps);
    }
    let began = Instant::now();
    if intake.has_pending() {
        intake.resolve((began + plan.owner_time()).min(deadline));
    }
    (walked.resolving, walked.counts, walked.untracked) =
        (began.elapsed(), intake.counts, intake.untracked());
    (walked, intake)
}

impl Walked {
    /// Notes how the dumps of a namespace ended.
    fn note(&mut self, target: &NetnsTarget, dumps: Vec<(&'static Protocol, Result<Dumped, NetnsError>)>) {
        let (number, own) = (target.netns.number, target.namespace.own);
        let is_empty = |dumped: &Result<Dumped, _>| dumped.as_ref().is_ok_and(|dumped| dumped.empty);
        self.empty += usize::from(!dumps.is_empty() && dumps.iter().all(|(_, dumped)| is_empty(dumped)));
        let mut failure = None;
        for (protocol, dumped) in dumps {
            let complete = dumped.as_ref().map_or_else(NetnsError::is_of_missing_protocol, |_| true);
            if complete { &mut self.dumped } else { &mut self.missed }.push((number, protocol));
            match dumped {
                Ok(Dumped { stats, time_wait, .. }) => {
                    self.stats = self.stats.plus(stats);
                    self.time_wait = match (self.time_wait, time_wait) {
                        (Some(all), Some(more)) => Some(all + more),
                        (one, other) => one.or(other),
                    };
                }
                // It is gone with its sockets, or the process is through which it was to be entered: the next listing shows.
                Err(NetnsError::Enter(error)) if error.kind() == io::ErrorKind::NotFound && !own => {}
                Err(error) if error.is_of_missing_protocol() => {
                    if own {
                        self.missing.push((protocol, error));
                    }
                }
                Err(error) if own => self.errors.push((protocol, error)),
                Err(error) => failure = Some(format!("network namespace {}: {error}", target.netns.name)),
            }
        }
        self.failures.extend(failure);
    }

    /// Fails where the kernel knows none of the protocols.
    pub(super) fn demand_a_protocol(&mut self, plan: &Plan) {
        if self.missing.len() == plan.protocols.len() {
            self.errors = std::mem::take(&mut self.missing);
        }
    }

    /// Whether the kernel failed to report the sockets of a protocol.
    pub(super) fn lacks(&self, protocol: &Protocol) -> bool {
        self.errors.iter().any(|(of, _)| *of == protocol)
    }

    /// Whether the kernel has no answer about a protocol.
    pub(super) fn is_missing(&self, protocol: &Protocol) -> bool {
        self.missing.iter().any(|(of, _)| *of == protocol)
    }

    /// Whether the rows of a view are complete: of each of its protocols that the kernel knows, and it knows one.
    pub(super) fn shows(&self, view: &View) -> bool {
        !view.protocols().any(|protocol| self.lacks(protocol))
            && !view.protocols().all(|protocol| self.is_missing(protocol))
    }

    /// How long owners were searched for after the dumps, and how many sockets have none.
    pub(super) const fn owners(&self) -> (Duration, u64) {
        (self.resolving, self.counts.without_owner)
    }

    /// Reports the walk, whose dumps of each protocol took that long.
    pub(super) fn report(
        &self,
        plan: &Plan,
        took: &[Duration],
        report: &mut SelfReport,
        problems: &mut Problems,
    ) {
        report.protocols =
            plan.protocols.iter().map(|protocol| (protocol.name, !self.is_missing(protocol))).collect();
        for (protocol, duration) in plan.protocols.iter().zip(took) {
            if self.is_missing(protocol) {
                continue;
            }
            let success = !self.lacks(protocol);
            report.stages.push(Stage { name: stage(protocol), duration: *duration, success });
        }
        (report.dump.sockets, report.dump.stuck) = (self.counts.sockets, self.stuck);
        if self.errors.is_empty() {
            (report.dump.bytes, report.dump.malformed) = (self.stats.bytes, self.stats.malformed);
        }
        for (_, error) in &self.errors {
            problems.add(format!("{error}; rows are withheld"));
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

/// The name of a protocol's stage.
fn stage(protocol: &Protocol) -> Cow<'static, str> {
    if protocol == PROTOCOL { DUMP.into() } else { format!("{DUMP}_{}", protocol.name).into() }
}

/// The dump of a protocol in one namespace.
struct Dumped {
    stats: DumpStats,
    time_wait: Option<u64>,
    /// Whether it has no socket.
    empty: bool,
}

/// Enters a namespace for the protocols of the plan.
fn enter<W: Host>(
    plan: &Plan,
    host: &W,
    intake: &mut Intake<impl Sink>,
    target: &NetnsTarget,
) -> Vec<Result<Opened<W::Transport>, NetnsError>> {
    match host.enter(&target.namespace, &plan.protocols).map_err(Arc::new) {
        Ok(entered) => {
            // Also for the close events of sockets that no dump shows.
            intake.ports(&target.netns, &entered.ports);
            entered.protocols.into_iter().map(|opened| opened.map_err(NetnsError::entering)).collect()
        }
        Err(error) => plan.protocols.iter().map(|_| Err(NetnsError::Enter(Arc::clone(&error)))).collect(),
    }
}

/// Dumps the sockets of a protocol in one namespace.
fn dump_one<W: Host, S: Sink>(
    plan: &Plan,
    host: &W,
    mut intake: Intake<S>,
    mut place: Place,
    opened: Opened<W::Transport>,
    at: &mut Option<Ports>,
    until: Instant,
) -> (Intake<S>, Result<Dumped, NetnsError>) {
    let mut dumped = Dumped {
        stats: DumpStats::default(),
        time_wait: opened.time_wait.filter(|_| place.program.counts_time_wait),
        empty: opened.transport.is_none(),
    };
    if dumped.time_wait.is_some() && !dumped.empty {
        place.program = Arc::new(time_wait::without(&place.program));
    }
    intake.enter(&place);
    let Some(transport) = opened.transport else {
        if place.program.protocol.has_listeners() {
            intake.no_listeners(&place);
        }
        return (intake, Ok(dumped));
    };
    if let Some(for_listeners) = opened.for_listeners.filter(|_| plan.tracking.listeners)
        && let Err(error) = intake.listeners(&place, for_listeners, until)
    {
        return (intake, Err(NetnsError::Dump(error)));
    }
    let program = Arc::clone(&place.program);
    // Without a request, no view wants a socket.
    let Some(request) = &program.request else { return (intake, Ok(dumped)) };
    let request = &intake.request(request);
    let before = intake.counts.remnants;
    let each = move |intake: &mut Intake<S>, sockets: &[Socket<'_>]| intake.sockets(&place, sockets);
    let (transports, at_once) = ((transport, opened.for_half), || host.dumps_at_once());
    let (mut intake, stats) = dump_halved(transports, request, at, at_once, until, intake, each.clone());
    dumped.stats = match stats {
        Err(error) if error.is_of_missing_protocol() && !opened.tables.is_empty() => {
            listed(request, &opened.tables, |socket| each(&mut intake, std::slice::from_ref(socket)))
        }
        Err(error) => return (intake, Err(NetnsError::Dump(error))),
        Ok(stats) => stats,
    };
    // The kernel's count contains the remnants in FIN_WAIT2. Where it is used, the dump shows no others.
    let remnants = intake.counts.remnants - before;
    dumped.time_wait = dumped.time_wait.map(|number| number.saturating_sub(remnants));
    (intake, Ok(dumped))
}

/// The values of names in one namespace.
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
