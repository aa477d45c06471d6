//! The predecessor's `selection:` as one expression.
//!
//! Sections narrow, the entries of a section widen, and an empty one says nothing.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use ipnet::IpNet;

use super::names::{
    ADDRESSES, CMDS, EXCLUDE, HOSTS, INCLUDE, LOWER, NETWORKS, NODES, PEERING, PIDS, PORT_RANGES, PROCESS,
    STACK, UPPER,
};
use crate::properties::Property;
use crate::select::{Expression, Test, canonical, is_host_name};
use crate::strict_yaml::{Entry, Name, Section};

/// The expression that a selection stands for.
pub(super) fn read(selection: &Entry<'_>) -> Expression {
    let mut wanted = Wanted::default();
    let section = selection.section(&[PROCESS, PEERING, PORT_RANGES, STACK, NODES, PIDS, CMDS]);
    wanted.add_ports(&section);
    wanted.add_owners(&section);
    if let Some(process) = section.get(PROCESS) {
        wanted.add_owners(&process.section(&[PIDS, CMDS]));
    }
    for peers in [STACK, PEERING].iter().filter_map(|name| section.get(name)) {
        let peers = peers.section(&[ADDRESSES, NETWORKS, HOSTS, PORT_RANGES, NODES]);
        wanted.add_ports(&peers);
        wanted.add_peers(&peers);
        wanted.add_nodes(&peers);
    }
    wanted.add_nodes(&section);
    wanted.expression()
}

/// The lists of a selection, wherever they stood.
#[derive(Default)]
struct Wanted {
    ports: Vec<Test>,
    peers: Vec<Test>,
    banned: Vec<Test>,
    owners: Vec<Test>,
}

impl Wanted {
    fn expression(self) -> Expression {
        let banned = match any(self.banned) {
            Expression::Always => Expression::Always,
            banned => Expression::Not(Box::new(banned)),
        };
        any(self.ports).and(any(self.peers)).and(banned).and(any(self.owners))
    }

    fn add_ports(&mut self, section: &Section<'_>) {
        for range in items(section, PORT_RANGES).iter().filter_map(ports) {
            let local = Test::Port(Property::LocalPort, range.clone());
            self.ports.extend([local, Test::Port(Property::RemotePort, range)]);
        }
    }

    fn add_owners(&mut self, section: &Section<'_>) {
        let pids = items(section, PIDS);
        self.owners.extend(pids.iter().filter_map(pid).map(|value| Test::Number(Property::Pid, value)));
        let cmds = items(section, CMDS);
        self.owners.extend(cmds.iter().filter_map(command).map(|value| Test::Text(Property::Process, value)));
    }

    fn add_nodes(&mut self, section: &Section<'_>) {
        if let Some(nodes) = section.get(NODES) {
            self.add_peers(&nodes.section(&[ADDRESSES, NETWORKS, HOSTS]));
        }
    }

    fn add_peers(&mut self, section: &Section<'_>) {
        self.peers.extend(items(section, ADDRESSES).iter().filter_map(address).map(remote));
        if let Some(networks) = section.get(NETWORKS) {
            if networks.is_map() {
                let sides = networks.section(&[INCLUDE, EXCLUDE]);
                self.peers.extend(sides.get(INCLUDE).into_iter().flat_map(all_networks));
                self.banned.extend(sides.get(EXCLUDE).into_iter().flat_map(all_networks));
            } else {
                self.peers.extend(all_networks(networks));
            }
        }
        self.peers.extend(items(section, HOSTS).iter().filter_map(host));
    }
}

/// The entries of a list, if there is one.
fn items<'a>(section: &Section<'a>, name: Name) -> Vec<Entry<'a>> {
    section.get(name).map(Entry::items).unwrap_or_default()
}

fn any(mut tests: Vec<Test>) -> Expression {
    match tests.pop() {
        None => Expression::Always,
        Some(only) if tests.is_empty() => Expression::Is(only),
        Some(last) => Expression::Any(tests.into_iter().chain([last]).map(Expression::Is).collect()),
    }
}

/// A comm may hold any byte, blanks around it too.
fn command(entry: &Entry<'_>) -> Option<String> {
    let name = entry.verbatim("the name of a command")?;
    match name.rsplit_once('/') {
        Some((_, last)) if name.starts_with('/') && !last.is_empty() => {
            entry.warn(&format!("a command has no path; this matches every {last}"));
            Some(last.to_owned())
        }
        _ => Some(name),
    }
}

fn pid(entry: &Entry<'_>) -> Option<u32> {
    const ALLOWED: &str = "a process id from 1 to 4294967295";
    let pid = entry.integer(ALLOWED)?;
    entry.or_refuse((pid > 0).then_some(pid), ALLOWED)
}

fn ports(entry: &Entry<'_>) -> Option<RangeInclusive<u16>> {
    const ALLOWED: &str = "a port from 0 to 65535";
    let section = entry.section(&[LOWER, UPPER]);
    let (lower, upper) = (section.get(LOWER), section.get(UPPER));
    if entry.is_null() || entry.is_map() && (lower.is_none() || upper.is_none()) {
        entry.error("found a range without both ends; expected: {lower: PORT, upper: PORT}");
    }
    let (first, last) = (lower.map(|end| end.integer(ALLOWED)), upper.map(|end| end.integer(ALLOWED)));
    let (first, last) = (first??, last??);
    if first > last {
        entry.error(&format!("found lower {first} above upper {last}; expected: lower <= upper"));
        return None;
    }
    Some(first..=last)
}

fn address(entry: &Entry<'_>) -> Option<IpNet> {
    const ALLOWED: &str = "an IPv4 or IPv6 address such as 192.0.2.1 (a network belongs under networks)";
    entry.parsed(ALLOWED, |text| Some(canonical(text.parse::<IpAddr>().ok()?.into())))
}

fn all_networks(list: &Entry<'_>) -> Vec<Test> {
    list.items().iter().filter_map(network).map(remote).collect()
}

const fn remote(network: IpNet) -> Test {
    Test::Network(Property::RemoteAddress, network)
}

fn network(entry: &Entry<'_>) -> Option<IpNet> {
    let network = entry.network()?;
    if network != network.trunc() {
        entry.warn(&format!("found {network}, an address inside a network; matched: {}", canonical(network)));
    }
    Some(canonical(network))
}

fn host(entry: &Entry<'_>) -> Option<Test> {
    const ALLOWED: &str = "a host name such as db.example.org, or an address";
    entry.parsed(ALLOWED, |text| match text.parse::<IpAddr>() {
        Ok(address) => Some(remote(canonical(address.into()))),
        Err(_) => is_host_name(text).then(|| Test::RemoteHost(text.to_owned())),
    })
}
