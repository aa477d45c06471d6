//! Sockets in groups: sums of what they do, and the filter for the sockets of one group.

use hashbrown::HashMap;

use super::ObservedSockets;
use crate::attribute::Direction;
use crate::listing::Rate;
use crate::properties::{Property, Test, UNKNOWN};
use crate::select::Expression;

/// What sockets are grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grouping {
    /// Each socket for itself.
    Flow,
    Process,
    Unit,
    Container,
    /// The port that was connected to, at either end.
    Service,
    /// The remote address.
    Remote,
    /// The remote network.
    Network,
}

impl Grouping {
    pub(super) const ALL: [Self; 7] =
        [Self::Flow, Self::Process, Self::Unit, Self::Container, Self::Service, Self::Remote, Self::Network];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Flow => "Flow",
            Self::Process => "Process",
            Self::Unit => "Unit",
            Self::Container => "Container",
            Self::Service => "Service",
            Self::Remote => "Remote address",
            Self::Network => "Remote network",
        }
    }

    /// The label whose text the sockets of a group share.
    const fn label(self) -> Option<Property> {
        match self {
            Self::Flow | Self::Service => None,
            Self::Process => Some(Property::Process),
            Self::Unit => Some(Property::Unit),
            Self::Container => Some(Property::ContainerId),
            Self::Remote => Some(Property::RemoteAddress),
            Self::Network => Some(Property::RemoteNetwork),
        }
    }

    /// The name of a socket's group.
    fn of(self, sockets: &dyn ObservedSockets, index: usize) -> String {
        let text = |label| sockets.text(index, label);
        let Some(label) = self.label() else {
            let direction = text(Property::Direction);
            let outbound = direction == Direction::Outbound.name();
            let port = if outbound { Property::RemotePort } else { Property::LocalPort };
            return format!("{} {direction}", text(port));
        };
        match text(label) {
            none if none.is_empty() => "-".to_owned(),
            name => name,
        }
    }

    /// The groups of some sockets.
    pub(super) fn groups(self, sockets: &dyn ObservedSockets) -> Vec<Group> {
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut groups: Vec<Group> = Vec::new();
        // Queues of listeners count connections, which are no bytes.
        let [received, unsent, rtt] =
            ["receive_queue_bytes", "send_queue_bytes", "rtt_seconds"].map(|name| sockets.values(name));
        for index in 0..sockets.count() {
            let name = self.of(sockets, index);
            let place = *places.entry(name).or_insert_with_key(|name| {
                groups.push(Group { name: name.clone(), ..Group::default() });
                groups.len() - 1
            });
            let Some(group) = groups.get_mut(place) else { continue };
            let rate = sockets.rate(index).unwrap_or_default();
            group.count += 1.0;
            group.rate += rate;
            group.receive_queue += received(index).unwrap_or_default();
            group.send_queue += unsent(index).unwrap_or_default();
            group.rtt = match (group.rtt, rtt(index)) {
                (Some(most), Some(time)) => Some(most.max(time)),
                (most, time) => most.or(time),
            };
        }
        groups
    }

    /// The filter for the sockets of a group, if the language has one.
    pub(super) fn filter(self, name: &str) -> Option<String> {
        if let Some((port, direction)) = name.split_once(' ').filter(|_| self == Self::Service) {
            let end = if direction == Direction::Outbound.name() { "dport" } else { "sport" };
            return Some(format!("direction = {direction} and {end} = {port}"));
        }
        let label = self.label().filter(|_| !["-", UNKNOWN].contains(&name))?;
        if label == Property::RemoteAddress {
            return Some(format!("dst = {}", bracketed(name)));
        }
        // Of several processes that hold a socket, each selects it.
        let first = if label == Property::Process { name.split(',').next()? } else { name };
        Some(Expression::Is(Test::Text(label, first.to_owned())).to_string())
    }
}

/// An address as the language of selections has it.
pub(super) fn bracketed(address: &str) -> String {
    if address.contains(':') { format!("[{address}]") } else { address.to_owned() }
}

/// Some sockets together.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) count: f64,
    /// The sums.
    pub(super) rate: Rate,
    pub(super) receive_queue: f64,
    pub(super) send_queue: f64,
    /// The maximum, in seconds.
    pub(super) rtt: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filter_of_a_group_is_read_by_the_language() {
        let names = crate::attribute::ConfiguredNames::default();
        for (grouping, name, filter) in [
            (Grouping::Process, "web content", Some("process = \"web content\"")),
            (Grouping::Process, "nginx,php", Some("process = nginx")),
            (Grouping::Process, UNKNOWN, None),
            (Grouping::Unit, "-", None),
            (Grouping::Unit, "nginx.service", Some("unit = nginx.service")),
            (Grouping::Remote, "::1", Some("dst = [::1]")),
            (Grouping::Remote, "10.0.0.1", Some("dst = 10.0.0.1")),
            (Grouping::Service, "443 inbound", Some("direction = inbound and sport = 443")),
            (Grouping::Service, "5432 outbound", Some("direction = outbound and dport = 5432")),
            (Grouping::Flow, "x", None),
        ] {
            assert_eq!(grouping.filter(name).as_deref(), filter, "{name}");
            if let Some(filter) = filter {
                assert!(crate::select::parse(filter, &names).is_ok(), "{filter}");
            }
        }
    }
}
