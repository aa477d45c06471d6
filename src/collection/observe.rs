//! Close events and listener scans between two collections, for an observer without the tracker's records.

use std::time::{Duration, Instant};

use super::attribution::Attribution;
use super::host::Host;
use super::listeners::dump_listeners;
use super::netns::Opened;
use super::owners::KnownOwners;
use super::shared::SharedTracker;
use super::state::CollectorState;
use crate::attribute::Namespace;
use crate::facts::{Facts, Names};
use crate::plan::{Plan, Program};
use crate::properties::Needs;
use sockdiag::{Protocol, Socket, Transport};

impl CollectorState {
    /// How many namespaces beside the exporter's own have close events that name them.
    pub(crate) fn observable(&self) -> usize {
        self.tracker.lock().observable()
    }

    /// Hands on what is known of a connection by its close event alone, and what the views want in its namespace,
    /// unless no collection has seen that namespace.
    pub(crate) fn with_close_event(
        &self,
        host: &impl Host,
        nsid: Option<i32>,
        socket: &Socket<'_>,
        then: impl FnOnce(&Facts<'_>, &Program),
    ) {
        let mut tracker = self.tracker.lock();
        let Some((namespace, netns)) = tracker.netns_of(nsid) else { return };
        let plan = tracker.plan();
        let interface_names = host.interface_names();
        let interface = |index| interface_names(&namespace, index);
        let users = self.owners.read().map(|attribution| &attribution.users);
        let names = Names { configured: &plan.names, interface: &interface, users };
        tracker.with_facts_at_close(&netns, socket, names, None, |_, facts, program| then(facts, program));
    }

    /// Reads the listeners of the exporter's own namespace. `each` gets what is known of their connections.
    pub(crate) fn scan_listeners(
        &mut self,
        plan: &Plan,
        host: &impl Host,
        each: impl FnMut(&Facts<'_>, &Program),
    ) {
        let mut nothing = Attribution::default();
        let attribution = match &mut self.owners {
            KnownOwners::Read(attribution) => attribution,
            KnownOwners::None | KnownOwners::BeingRead(_) => &mut nothing,
        };
        scan(plan, host, &self.tracker, attribution, each);
    }
}

/// The longest that a scan between two collections takes.
const SCAN_TIME: Duration = Duration::from_secs(1);

/// Scans the listeners of the exporter's own namespace between two collections. `each` gets what is known of the
/// connections that they will accept. What fails is known to the next scan.
pub(crate) fn scan(
    plan: &Plan,
    host: &impl Host,
    tracker: &SharedTracker,
    attribution: &mut Attribution,
    mut each: impl FnMut(&Facts<'_>, &Program),
) {
    let protocols: Vec<_> =
        plan.protocols.iter().copied().filter(|protocol| protocol.has_listeners()).collect();
    let Ok(entered) = host.enter(&Namespace::own(), &protocols) else { return };
    {
        let mut tracker = tracker.lock();
        let netns = tracker.own();
        tracker.note_range(&netns, &entered.ports);
    }
    for (protocol, opened) in protocols.into_iter().zip(entered.protocols) {
        let Ok(Opened { for_listeners: Some(transport), .. }) = opened else { continue };
        scan_protocol((protocol, transport), plan, tracker, attribution, &mut each);
    }
}

fn scan_protocol(
    (protocol, transport): (&'static Protocol, impl Transport),
    plan: &Plan,
    tracker: &SharedTracker,
    attribution: &mut Attribution,
    each: &mut impl FnMut(&Facts<'_>, &Program),
) {
    let netns = tracker.lock().own();
    let (listeners, dumped) = dump_listeners(protocol, transport, Instant::now() + SCAN_TIME);
    for socket in listeners.sockets() {
        let (claim, unsure) = attribution.claim(&socket, &netns);
        let (configured, users) = (&plan.names, Some(&attribution.users));
        let facts =
            Facts::of_listener(&socket, &claim, &netns, Names { configured, interface: &|_| None, users });
        let mut tracker = tracker.lock();
        // A row that is named after an owner must not be unknown for a moment. Another plan may ask for what was not
        // searched for.
        let complete = !unsure && !plan.needs.has(Needs::PROCESSES) && tracker.follows(plan);
        tracker.listener(&facts, &claim, complete);
        if let Some(program) = tracker.program_in(netns.number, protocol) {
            each(&facts, &program);
        }
    }
    if dumped.is_ok() {
        tracker.lock().forget_listeners(&netns);
    }
}
