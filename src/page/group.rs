//! The sockets of a listing in groups: those of a process, of a service, of a unit, of a container or of a network.

use hashbrown::HashMap;

use super::flows::FlowFigures;
use super::request::GroupBy;
use crate::attribute::Direction;
use crate::bottleneck::Bottleneck;
use crate::listing::{ListedSocket, Listing, Rate, percentile};
use crate::properties::{Property, UNKNOWN};
use crate::select::service_named;

/// What several sockets have together.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct PageGroup {
    /// What they have in common; empty if that is unknown.
    pub(super) name: String,
    /// The filter that only they pass; `None` if none can say it.
    pub(super) filter: Option<String>,
    /// Their figures.
    pub(super) figures: FlowFigures,
    /// The bottleneck that limits most of those that are limited at all, and how many.
    pub(super) bottleneck: Option<(Bottleneck, usize)>,
}

/// What sockets have in common.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    /// The text of the label.
    Label(Property, String),
    /// Which end opened the connection, and the port of the service.
    Service(Option<Direction>, u16),
}

/// A connection of a group: what limits it, and its figures.
type Member = (Option<Bottleneck>, FlowFigures);

/// The groups of the sockets at these places.
pub(super) fn groups(listing: &Listing, connections: &[usize], by: GroupBy) -> Vec<PageGroup> {
    let mut groups: HashMap<Key, Vec<Member>> = HashMap::new();
    for place in connections {
        let Some(socket) = listing.sockets.get(*place) else { continue };
        let Some(key) = Key::of(&socket, by) else { continue };
        groups.entry(key).or_default().push((socket.bottleneck(), FlowFigures::of(listing, *place)));
    }
    let group = |(key, members): (Key, Vec<Member>)| {
        let (name, filter) = key.name();
        PageGroup { name, filter, figures: together(&members), bottleneck: bottleneck(&members) }
    };
    groups.into_iter().map(group).collect()
}

impl Key {
    /// That of a socket; `None` where each is a line of its own.
    fn of(socket: &ListedSocket<'_>, by: GroupBy) -> Option<Self> {
        match by {
            GroupBy::Flow => None,
            GroupBy::Label(property) => Some(Self::Label(property, socket.text(property))),
            GroupBy::Service => {
                let (direction, reply) = (socket.direction(), socket.socket()?);
                let outbound = direction == Some(Direction::Outbound);
                Some(Self::Service(direction, if outbound { reply.remote() } else { reply.local() }.port()))
            }
        }
    }

    /// The name of the group, and the filter for it.
    fn name(self) -> (String, Option<String>) {
        match self {
            Self::Label(property, value) => {
                let filter = condition(property, &value);
                (value, filter)
            }
            Self::Service(direction, port) => {
                let filter = match direction {
                    Some(Direction::Outbound) => Some(format!("direction = outbound and dport = {port}")),
                    Some(Direction::Inbound) => Some(format!("direction = inbound and sport = {port}")),
                    None => None,
                };
                (service(direction.map_or(UNKNOWN, Direction::name), &port.to_string()), filter)
            }
        }
    }
}

/// A service as the page calls it: `out https 443`, `in 8443`.
pub(super) fn service(direction: &str, port: &str) -> String {
    let direction = match direction {
        "outbound" => "out ",
        "inbound" => "in ",
        _ => "",
    };
    match port.parse().ok().and_then(service_named) {
        Some(name) => format!("{direction}{name} {port}"),
        None => format!("{direction}{port}"),
    }
}

/// The filter that sockets with this value of a label pass; `None` if none can say it.
pub(super) fn condition(property: Property, value: &str) -> Option<String> {
    let word = match property {
        // Of several processes the first one.
        Property::Process => return quoted(value.split(',').next()?).map(|name| format!("process = {name}")),
        Property::Unit => "unit",
        Property::ContainerId => "container",
        Property::State => return Some(format!("state {value}")),
        Property::Bottleneck => "bottleneck",
        Property::RemoteNetwork if value.contains('/') => return Some(format!("dst {value}")),
        // These are no names of the configuration.
        Property::RemoteNetwork if !["public", "private", "loopback"].contains(&value) => "network",
        Property::RemoteAddress => return Some(format!("dst {}", bracketed(value))),
        _ => return None,
    };
    quoted(value).map(|value| format!("{word} = {value}"))
}

/// An address as it stands before a port.
pub(super) fn bracketed(address: &str) -> String {
    if address.contains(':') { format!("[{address}]") } else { address.to_owned() }
}

/// A name between quotation marks; `None` if it is unknown or has both kinds of them.
fn quoted(name: &str) -> Option<String> {
    let mark = ['"', '\''].into_iter().find(|mark| !name.contains(*mark))?;
    (!matches!(name, "" | "unknown")).then(|| format!("{mark}{name}{mark}"))
}

fn together(members: &[Member]) -> FlowFigures {
    let figures = || members.iter().map(|(_, figures)| figures);
    let sum = |of: fn(&FlowFigures) -> Option<f64>| figures().filter_map(of).reduce(|one, other| one + other);
    let mut times: Vec<f64> = figures().filter_map(|figures| figures.rtt).collect();
    let rate = figures().filter_map(|figures| figures.rate).reduce(|mut sum: Rate, rate| {
        sum += rate;
        sum
    });
    FlowFigures {
        sockets: members.len(),
        rate,
        rtt: percentile(&mut times, 50),
        min_rtt: figures().filter_map(|figures| figures.min_rtt).reduce(f64::min),
        max_rtt: times.into_iter().reduce(f64::max),
        receive_queue: sum(|figures| figures.receive_queue),
        send_queue: sum(|figures| figures.send_queue),
    }
}

/// The most frequent bottleneck of those that wait for something.
fn bottleneck(members: &[Member]) -> Option<(Bottleneck, usize)> {
    let mut counts = vec![0; Bottleneck::ALL.len()];
    for found in members.iter().filter_map(|(bottleneck, _)| *bottleneck) {
        let place = Bottleneck::ALL.iter().position(|one| *one == found);
        if let Some(count) = place.and_then(|place| counts.get_mut(place)) {
            *count += 1;
        }
    }
    let limited = Bottleneck::ALL.iter().copied().zip(counts).filter(|(one, _)| *one != Bottleneck::Idle);
    limited.filter(|(_, count)| *count > 0).max_by_key(|(_, count)| *count)
}

#[cfg(test)]
mod tests {
    use super::super::flows::connections;
    use super::super::flows::tests::listing;
    use super::*;

    #[test]
    fn a_group_has_the_sums_and_the_median_of_its_sockets_and_a_filter_for_them() {
        let rate = Rate { sent: 10.0, received: 1.0, retransmitted: 2.0 };
        let values =
            |rtt, queue| [("sent_bytes_total", 1), ("rtt_seconds", rtt), ("send_queue_bytes", queue)];
        let (one, two, three) = (values(1_000, 5), values(9_000, 6), values(4_000, 0));
        let listing = listing(&[
            (("a", "outbound", "1", "443"), &one, rate),
            (("a", "outbound", "2", "443"), &two, rate),
            (("a", "outbound", "3", "443"), &three, rate),
            (("b", "inbound", "443", "1"), &one, rate),
        ]);
        let all = connections(&listing.sockets);
        let by = |by| {
            let mut groups = groups(&listing, &all, by);
            groups.sort_by(|one, other| one.name.cmp(&other.name));
            groups
        };
        let processes = by(GroupBy::Label(Property::Process));
        let (a, b) = (&processes[0], &processes[1]);
        assert_eq!((a.name.as_str(), a.filter.as_deref()), ("a", Some("process = \"a\"")));
        assert_eq!((a.figures.sockets, a.figures.rtt, a.figures.max_rtt), (3, Some(0.004), Some(0.009)));
        assert_eq!((a.figures.send_queue, a.figures.retransmission_ratio()), (Some(11.0), Some(6.0 / 36.0)));
        assert_eq!((b.figures.sockets, processes.len()), (1, 2));
        let services = by(GroupBy::Service);
        assert_eq!(
            services.iter().map(|group| &*group.name).collect::<Vec<_>>(),
            ["in https 443", "out https 443"]
        );
        assert_eq!(services[1].filter.as_deref(), Some("direction = outbound and dport = 443"));
    }

    #[test]
    fn a_filter_is_valid_whatever_the_value_is_and_absent_if_no_filter_can_say_it() {
        for (property, value) in [
            (Property::Process, "Web Content,x"),
            (Property::Process, "it's"),
            (Property::Unit, "<img src=x>.service"),
            (Property::State, "close_wait"),
            (Property::Bottleneck, "peer_window"),
            (Property::RemoteNetwork, "10.0.0.0/8"),
            (Property::RemoteNetwork, "2001:db8::/48"),
            (Property::RemoteAddress, "fe80::1"),
            (Property::RemoteAddress, "10.0.0.1"),
        ] {
            let filter = condition(property, value).unwrap_or_else(|| panic!("{value}"));
            #[expect(clippy::default_trait_access, reason = "networks are no matter of the page")]
            let read = crate::select::parse(&filter, &Default::default());
            assert!(read.is_ok(), "{filter}: {read:?}");
        }
        for (property, value) in [
            (Property::Process, "unknown"),
            (Property::Unit, ""),
            (Property::Process, "\"'"),
            (Property::RemoteNetwork, "private"),
            (Property::Netns, "host"),
        ] {
            assert_eq!(condition(property, value), None, "{value}");
        }
    }
}
