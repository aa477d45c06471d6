//! The sockets of a listing in groups: those of a process, of a service, of a unit, of a container or of a network.

use hashbrown::HashMap;

use super::flows::FlowFigures;
use super::request::GroupBy;
use crate::bottleneck::Bottleneck;
use crate::listing::{Rate, SocketList, percentile};
use crate::properties::Property;
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

/// The value that sockets have in common, as a listing has it.
type Key<'a> = (&'a [u8], &'a [u8]);

/// The groups of the sockets with these figures.
pub(super) fn groups(sockets: &SocketList, figures: &[(usize, FlowFigures)], by: GroupBy) -> Vec<PageGroup> {
    let mut members: HashMap<Key<'_>, Vec<&(usize, FlowFigures)>> = HashMap::new();
    for member in figures {
        members.entry(key(sockets, member.0, by)).or_default().push(member);
    }
    let group = |(key, members): (Key<'_>, Vec<&(usize, FlowFigures)>)| {
        let (name, filter) = name(key, by);
        let bottleneck = bottleneck(sockets, &members);
        PageGroup { name, filter, figures: together(&members), bottleneck }
    };
    members.into_iter().map(group).collect()
}

fn key(sockets: &SocketList, index: usize, by: GroupBy) -> Key<'_> {
    let label = |label| sockets.label(index, label).map_or(&[][..], |value| value.bytes);
    match by {
        GroupBy::Flow => (&[], &[]),
        GroupBy::Label(property) => (label(property), &[]),
        GroupBy::Service => {
            let direction = label(Property::Direction);
            let outbound = direction == b"outbound";
            (direction, label(if outbound { Property::RemotePort } else { Property::LocalPort }))
        }
    }
}

/// The name of a group, and the filter for it.
fn name((first, second): Key<'_>, by: GroupBy) -> (String, Option<String>) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match by {
        GroupBy::Flow => (String::new(), None),
        GroupBy::Service => {
            let (direction, port) = (text(first), text(second));
            let filter = match &*direction {
                "outbound" => Some(format!("direction = outbound and dport = {port}")),
                "inbound" => Some(format!("direction = inbound and sport = {port}")),
                _ => None,
            };
            (service(&direction, &port), filter)
        }
        GroupBy::Label(property) => {
            let value = text(first);
            let filter = condition(property, &value);
            (value, filter)
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

fn together(members: &[&(usize, FlowFigures)]) -> FlowFigures {
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
fn bottleneck(sockets: &SocketList, members: &[&(usize, FlowFigures)]) -> Option<(Bottleneck, usize)> {
    let of = |index: usize| {
        let value = sockets.label(index, Property::Bottleneck)?;
        Bottleneck::named(std::str::from_utf8(value.bytes).ok()?)
    };
    let mut counts = vec![0; Bottleneck::ALL.len()];
    for (index, _) in members {
        let place = of(*index).and_then(|found| Bottleneck::ALL.iter().position(|one| *one == found));
        if let Some(count) = place.and_then(|place| counts.get_mut(place)) {
            *count += 1;
        }
    }
    let limited = Bottleneck::ALL.iter().copied().zip(counts).filter(|(one, _)| *one != Bottleneck::Idle);
    limited.filter(|(_, count)| *count > 0).max_by_key(|(_, count)| *count)
}

#[cfg(test)]
mod tests {
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
        let figures = FlowFigures::reader(&listing);
        let all: Vec<_> = (0..4).filter_map(|index| Some((index, figures(index)?))).collect();
        let by = |by| {
            let mut groups = groups(&listing.sockets, &all, by);
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
