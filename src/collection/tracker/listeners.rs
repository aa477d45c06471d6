//! Listeners give connections their direction and owner, and announce rows before the first connection.

use super::Tracker;
use crate::attribute::{ListenerOwner, Netns};
use crate::collection::listeners::local_end;
use crate::facts::Facts;

impl Tracker {
    /// The listeners that are there have been noted: those that are long gone are no longer known.
    pub(in crate::collection) fn forget_listeners(&mut self, netns: &Netns) {
        self.namespaces.of(netns.number).listeners.get_or_insert_default().forget(self.clock.now);
    }

    /// Notes the text of `ip_local_port_range`.
    pub(in crate::collection) fn note_range(&mut self, netns: &Netns, range: &str) {
        self.namespaces.of(netns.number).listeners.get_or_insert_default().note_range(range);
    }

    /// A listener is there: connections to it are inbound, and if all of it is known, their rows may begin at 0 now.
    pub(in crate::collection) fn listener(&mut self, facts: &Facts<'_>, claim: &ListenerOwner, known: bool) {
        let (socket, netns) = (facts.socket, facts.netns().map_or(0, |netns| netns.number));
        let listeners = self.namespaces.of(netns).listeners.get_or_insert_default();
        listeners.note(local_end(socket), claim.clone(), self.clock.now);
        self.ledger.expect(|counter| counter.is_reported(socket));
        if !known {
            return;
        }
        let (dump, now) = (self.ledger.dump(), self.clock.seconds);
        let wanted = self.namespaces.program(netns, socket.protocol()).map(|program| &program.aggregated);
        for (view, wanted) in self.ledger.views.iter_mut().zip(wanted.into_iter().flatten()) {
            if view.spec.announced && wanted.announces(facts) {
                view.table.announce(self.key.of(&view.spec.by, facts), dump, now);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::attribute::{Direction, End};
    use crate::config::Config;
    use crate::plan::Plan;

    #[test]
    fn a_namespace_without_sockets_has_no_listeners_after_a_minute() {
        let config = Config::parse("a.yml", "views: {v: {by: [direction]}}").expect("a configuration");
        let mut tracker = Tracker::new(&Plan::new(config));
        let (netns, address) =
            (Netns { number: 7, ..Netns::default() }, "10.0.0.1:80".parse().expect("an address"));
        let end = End { address, interface: None };
        let client = "10.0.0.2:9".parse().expect("an address");
        let start = tracker.clock.now;
        tracker.namespaces.of(netns.number).listeners.get_or_insert_default().note(
            end,
            ListenerOwner::default(),
            start,
        );
        let direction = |tracker: &Tracker| {
            tracker.namespaces.listeners(netns.number).expect("known").direction(None, end, client)
        };
        tracker.at(start + Duration::from_secs(59));
        tracker.forget_listeners(&netns);
        assert_eq!(direction(&tracker), Direction::Inbound);
        tracker.at(start + Duration::from_secs(61));
        tracker.forget_listeners(&netns);
        assert_eq!(direction(&tracker), Direction::Outbound);
    }
}
