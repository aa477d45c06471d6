//! What happens between two collections, for an observer that counts it without the tracker's records.

use super::attribution::Attribution;
use super::state::CollectorState;
use super::{World, listeners};
use crate::facts::{Facts, Names};
use crate::plan::{Plan, Program};
use crate::sockdiag::Socket;

impl CollectorState {
    /// How many namespaces beside the exporter's own have close events that name them.
    pub(crate) fn observable(&self) -> usize {
        self.tracker.lock().observable()
    }

    /// Hands on what is known of a connection by its close event alone, and what the views want in its namespace,
    /// unless no collection has seen that namespace.
    pub(crate) fn with_close_event(
        &self,
        world: &impl World,
        nsid: Option<i32>,
        socket: &Socket<'_>,
        then: impl FnOnce(&Facts<'_>, &Program),
    ) {
        let mut tracker = self.tracker.lock();
        let Some((namespace, netns)) = tracker.netns_of(nsid) else { return };
        let plan = tracker.plan();
        let interface = |index| world.interface_name(&namespace, index);
        let users = self.attribution.as_ref().map(|attribution| &attribution.users);
        let names = Names { networks: &plan.networks, interface: &interface, users };
        tracker.with_facts_at_close(&netns, socket, names, None, |_, facts, program| then(facts, &program));
    }

    /// Reads the listeners of the exporter's own namespace. `each` gets what is known of their connections.
    pub(crate) fn scan_listeners(
        &mut self,
        plan: &Plan,
        world: &impl World,
        each: impl FnMut(&Facts<'_>, &Program),
    ) {
        let attribution = self.attribution.get_or_insert_with(Attribution::default);
        listeners::scan(plan, world, &self.tracker, attribution, each);
    }
}
