//! The inventory: which sockets exist, so that those that are opened later are known to be new.
//!
//! It asks for no `tcp_info`: it costs less than a dump of values, and no process can make the kernel hold it.

use std::time::{Duration, Instant};

use super::halves::dump_halved;
use super::host::Host;
use super::namespaces::ListedNamespaces;
use super::netns::{NetnsError, NetnsTarget, Opened, listed};
use super::shared::SharedTracker;
use super::state::CollectorState;
use super::tracker::{Inventory, InventorySockets};
use crate::plan::Plan;
use sockdiag::{Class, DumpError, Extensions, Ports, Protocol, Request, Socket, State, StateSet};

/// The longest that an inventory takes. A million sockets take two seconds on an idle host.
const MAX_TIME: Duration = Duration::from_secs(20);

/// Lists the sockets without a record in all namespaces, and when it began.
pub(super) fn inventory(plan: &Plan, host: &impl Host, state: &mut CollectorState) -> (Inventory, Instant) {
    let begun = Instant::now();
    let mut inventory = Inventory::new();
    if plan.tracking.track_if.is_empty() && !plan.tracking.counts_listeners() {
        return (inventory, begun);
    }
    let listed = ListedNamespaces::for_tracker(plan, host, state);
    for target in &listed.targets {
        for protocol in &plan.protocols {
            let (listed, until) = ((*protocol, listed_states(plan, protocol)), begun + MAX_TIME);
            let key = (target.netns.number, protocol.name);
            let mut at = state.halves.remove(&key);
            let listed = match state.stuck.blocked(target, protocol, until) {
                Some(missed) => Err(missed),
                None => of_namespace(host, &state.tracker, target, listed, &mut at, until),
            };
            state.halves.extend(at.map(|at| (key, at)));
            match listed {
                Ok(sockets) => inventory.push(((target.netns.number, *protocol), sockets)),
                Err(error) => not_listed(state, target, protocol, begun, error),
            }
        }
    }
    let (sockets, limit) =
        (inventory.iter().map(|(_, sockets)| sockets.len()).sum::<usize>(), plan.collect.tracked);
    if sockets > limit {
        tracing::warn!(
            sockets,
            limit,
            lost = "bytes of sockets that close before the first collection",
            metric = "ss_exporter_closes_before_baseline_total",
            hint = "raise collect.tracked_sockets",
            "more sockets exist than collect.tracked_sockets"
        );
    }
    (inventory, begun)
}

/// Notes why the sockets of a protocol in a namespace could not be listed.
fn not_listed(
    state: &CollectorState,
    target: &NetnsTarget,
    protocol: &Protocol,
    begun: Instant,
    error: NetnsError,
) {
    tracing::warn!(
        namespace = target.netns.name,
        %error,
        lost = "bytes of sockets that close before the first collection",
        metric = "ss_exporter_closes_before_baseline_total",
        "cannot list the sockets that exist"
    );
    if let NetnsError::Dump(DumpError::Deadline(dump)) = error {
        state.stuck.leave(target, protocol, begun, dump);
    }
}

/// The states of the sockets of a protocol that have counters.
fn listed_states(plan: &Plan, protocol: &Protocol) -> StateSet {
    let counts = plan.tracking.counts_listeners() && protocol.has_listeners();
    protocol.connections.union(if counts { StateSet::of(&[State::Listen]) } else { StateSet::NONE })
}

/// Lists the sockets of a protocol in these states of a namespace in two walks, because one can miss a socket.
fn of_namespace(
    host: &impl Host,
    tracker: &SharedTracker,
    target: &NetnsTarget,
    (protocol, states): (&'static Protocol, StateSet),
    at: &mut Option<Ports>,
    until: Instant,
) -> Result<InventorySockets, NetnsError> {
    let mut sockets = InventorySockets::default();
    let (tracker, netns) = (tracker.clone(), target.netns.clone());
    let each = move |listed: &mut InventorySockets, sockets: &[Socket<'_>]| {
        let tracker = tracker.lock();
        for socket in sockets.iter().filter(|socket| socket.class() != Class::Remnant) {
            let identity = netns.identity(socket.cookie());
            if !tracker.knows(identity) {
                listed.insert(identity);
            }
        }
    };
    let request = Request::new(protocol, states, Extensions::NONE);
    let enter = || host.enter(&target.namespace, &[protocol, protocol]);
    for opened in enter().map_err(NetnsError::entering)?.protocols {
        let Opened { transport, for_half, tables, .. } = opened.map_err(NetnsError::entering)?;
        let Some(transport) = transport else { continue };
        let transports = (transport, for_half);
        let dumped;
        (sockets, dumped) =
            dump_halved(transports, &request, at, || host.dumps_at_once(), until, sockets, each.clone());
        match dumped {
            Err(error) if error.is_of_missing_protocol() => {
                listed(&request, &tables, |socket| each(&mut sockets, std::slice::from_ref(socket)));
                break;
            }
            dumped => dumped.map_err(NetnsError::Dump)?,
        };
    }
    Ok(sockets)
}
