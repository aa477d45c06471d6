//! The table of properties: what rows can be keyed by, where the text comes from and what it costs.
//!
//! Refuses to know how a label is escaped or which view shows it.

use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};

use crate::attribute::{Cgroup, Direction, Owner};
use crate::facts::Facts;
use crate::sockdiag::{Extensions, State};

/// How long a property of a socket, or the answer of a condition, stays the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stability {
    /// As long as the socket lives, or as it was at first sight.
    Fixed,
    /// As long as the socket has the same owner.
    WithOwner,
    /// Until the next collection.
    Changing,
}

/// The text of what is not known.
pub const UNKNOWN: &str = "unknown";

/// A label that rows can be keyed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Property {
    /// The predecessor's `flow` with both endpoints: `(SRC#10.0.0.1|39366)(DST#10.0.0.2|443)`.
    Flow,
    /// The predecessor's `flow` with the owners in place of the source: `(20005)(DST#10.0.0.2|443)`.
    ///
    /// A socket without a known owner shows its source as [`Property::Flow`] does.
    FlowOfProcess,
    /// This end's address.
    LocalAddress,
    /// This end's port.
    LocalPort,
    /// The other end's address.
    RemoteAddress,
    /// The other end's port.
    RemotePort,
    /// The other end's network.
    RemoteNetwork,
    /// Which end opened the connection.
    Direction,
    /// The port of the end that was asked for the connection.
    ServicePort,
    /// The TCP state.
    State,
    /// 4 or 6.
    IpVersion,
    /// The congestion control algorithm.
    Congestion,
    /// The names of the processes that hold the socket.
    Process,
    /// Their ids.
    Pid,
    /// Their executables.
    Executable,
    /// The user id of the socket's owner.
    Uid,
    /// The user of that id.
    User,
    /// The socket's cgroup.
    Cgroup,
    /// The unit of systemd that the cgroup is of.
    Unit,
    /// The slice of systemd that the cgroup is in.
    Slice,
    /// The container that the cgroup is of.
    ContainerId,
    /// The Kubernetes pod that the cgroup is of.
    PodUid,
    /// The socket's network namespace.
    Netns,
    /// The interface that the socket is bound to.
    Interface,
    /// The socket's mark.
    Mark,
}

/// What people need to know of a label.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// The label.
    pub label: Property,
    /// The name in the exposition and in `by:`.
    pub name: &'static str,
    /// How long it stays the same.
    pub stability: Stability,
    /// One sentence on what it says and where that comes from.
    pub help: &'static str,
}

/// The labels that `by:` knows.
pub const PROPERTIES: &[Line] = &[
    fixed(
        Property::LocalAddress,
        "local_address",
        "This end's address, IPv4-mapped IPv6 as IPv4 (`idiag_src`).",
    ),
    fixed(Property::LocalPort, "local_port", "This end's port (`idiag_sport`)."),
    fixed(
        Property::RemoteAddress,
        "remote_address",
        "The other end's address, IPv4-mapped IPv6 as IPv4 (`idiag_dst`).",
    ),
    fixed(Property::RemotePort, "remote_port", "The other end's port (`idiag_dport`)."),
    fixed(
        Property::RemoteNetwork,
        "remote_network",
        "The other end's network: its name under `networks`, else its prefix of `network_prefix`, else `public`, `private` or `loopback`.",
    ),
    fixed(
        Property::Direction,
        "direction",
        "`outbound` if this end opened the connection, else `inbound`, by the SYN that `tcpi_bytes_acked` contains; as it was when the socket was first seen.",
    ),
    fixed(
        Property::ServicePort,
        "service_port",
        "The local port of an inbound connection, the remote port of an outbound one.",
    ),
    changing(Property::State, "state", "The TCP state as node_exporter spells it (`idiag_state`)."),
    fixed(Property::IpVersion, "ip_version", "`4` or `6`; IPv4 over an IPv6 socket is `4`."),
    changing(
        Property::Congestion,
        "congestion",
        "The congestion control algorithm (`INET_DIAG_CONG`); `unknown` for a connection that was seen at its end alone.",
    ),
    of_owner(
        Property::Process,
        "process",
        "The names of the processes that hold the socket (`comm`, which the kernel cuts to 15 bytes; `executable` is whole): each once, in alphabetical order, `+N` for those beyond four.",
    ),
    of_owner(
        Property::Pid,
        "pid",
        "The ids of the processes that hold the socket, ascending, `+N` for those beyond four.",
    ),
    of_owner(
        Property::Executable,
        "executable",
        "The base names of the executables of the processes that hold the socket, as `process` lists their names.",
    ),
    fixed(
        Property::Uid,
        "uid",
        "The user id that owns the socket (`idiag_uid`), as it was when the socket was first seen; `unknown` for one that was seen at its end alone and for what is left of a socket in TIME_WAIT.",
    ),
    fixed(
        Property::User,
        "user",
        "The name of that user by `/etc/passwd` of where the exporter runs, or its number if it has none there.",
    ),
    of_owner(
        Property::Cgroup,
        "cgroup",
        "The path of the cgroup in which the socket was made, for an accepted connection that of its listener (`INET_DIAG_CGROUP_ID`, Linux 5.8).",
    ),
    of_owner(
        Property::Unit,
        "unit",
        "The service or scope of systemd that the cgroup is of; empty if of none.",
    ),
    of_owner(Property::Slice, "slice", "The slice of systemd that the cgroup is in; empty if in none."),
    of_owner(
        Property::ContainerId,
        "container_id",
        "The id of the container that the cgroup is of, 64 hexadecimal digits; empty if of none.",
    ),
    of_owner(
        Property::PodUid,
        "pod_uid",
        "The uid of the Kubernetes pod that the cgroup is of; empty if of none.",
    ),
    fixed(
        Property::Netns,
        "netns",
        "The network namespace: its name in `/run/netns` or of Docker, else its inode as `lsns -t net` prints it.",
    ),
    changing(
        Property::Interface,
        "interface",
        "The interface that the socket is bound to (`idiag_if`), `unbound` if to none.",
    ),
    changing(
        Property::Mark,
        "mark",
        "The socket's mark in hexadecimal (`INET_DIAG_MARK`); `unknown` without CAP_NET_ADMIN.",
    ),
];

const fn fixed(label: Property, name: &'static str, help: &'static str) -> Line {
    Line { label, name, stability: Stability::Fixed, help }
}

const fn changing(label: Property, name: &'static str, help: &'static str) -> Line {
    Line { label, name, stability: Stability::Changing, help }
}

const fn of_owner(label: Property, name: &'static str, help: &'static str) -> Line {
    Line { label, name, stability: Stability::WithOwner, help }
}

impl Property {
    /// The label that `by:` calls so.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        PROPERTIES.iter().find(|line| line.name == name).map(|line| line.label)
    }

    /// The name in the exposition.
    #[must_use]
    pub fn name(self) -> &'static str {
        PROPERTIES.iter().find(|line| line.label == self).map_or("flow", |line| line.name)
    }

    /// How long a socket keeps its text, so that it need not be made again.
    #[must_use]
    pub fn stability(self) -> Stability {
        PROPERTIES.iter().find(|line| line.label == self).map_or(Stability::Changing, |line| line.stability)
    }

    /// Whether the text needs the owners of the socket.
    #[must_use]
    pub const fn needs_processes(self) -> bool {
        matches!(self, Self::FlowOfProcess | Self::Process | Self::Pid | Self::Executable)
    }

    /// Whether the text needs the path of the socket's cgroup.
    #[must_use]
    pub const fn needs_cgroups(self) -> bool {
        matches!(self, Self::Cgroup | Self::Unit | Self::Slice | Self::ContainerId | Self::PodUid)
    }

    /// Whether the text needs the listeners of the host.
    #[must_use]
    pub const fn needs_listeners(self) -> bool {
        matches!(self, Self::Direction | Self::ServicePort)
    }

    /// The extensions that a dump must ask for.
    #[must_use]
    pub const fn extensions(self) -> Extensions {
        match self {
            Self::Congestion => Extensions::CONG,
            _ => Extensions::NONE,
        }
    }

    /// Whether the text is the same for every connection of one listener: what a row can be named
    /// after before there is any connection.
    #[must_use]
    pub const fn is_of_listener(self) -> bool {
        matches!(self, Self::LocalPort | Self::Direction | Self::ServicePort | Self::State | Self::Netns)
            || matches!(self, Self::Process | Self::Pid | Self::Executable)
            || self.needs_cgroups()
    }

    /// Every text that the label can have, if they are few and known.
    #[must_use]
    pub fn values(self) -> Option<Vec<&'static str>> {
        match self {
            Self::State => Some(State::ALL.into_iter().map(State::name).collect()),
            _ => None,
        }
    }

    /// Appends the label's text for a socket, valid UTF-8.
    pub fn write(self, text: &mut Vec<u8>, facts: &Facts<'_>) {
        let Facts { socket, state, direction, names, .. } = *facts;
        let owner = |what: fn(&Owner) -> &str| {
            facts.owner().map(what).filter(|text| !text.is_empty()).unwrap_or(UNKNOWN)
        };
        let cgroup = |what: fn(&Cgroup) -> Option<&str>| {
            facts.cgroup().map_or(UNKNOWN, |known| what(known).unwrap_or_default())
        };
        match self {
            Self::FlowOfProcess if facts.owner().is_some() => {
                text.push(b'(');
                let owners = facts.owner().into_iter().flat_map(Owner::processes);
                for (index, owner) in owners.enumerate() {
                    if index > 0 {
                        text.push(b',');
                    }
                    integer(text, owner.pid);
                }
                text.push(b')');
                endpoint(text, "DST", socket.remote());
            }
            Self::Flow | Self::FlowOfProcess => {
                endpoint(text, "SRC", socket.local());
                endpoint(text, "DST", socket.remote());
            }
            Self::LocalAddress => address(text, socket.local().ip()),
            Self::LocalPort => integer(text, socket.local().port()),
            Self::RemoteAddress => address(text, socket.remote().ip()),
            Self::RemotePort => integer(text, socket.remote().port()),
            Self::RemoteNetwork => names.networks.write(text, socket.remote().ip()),
            Self::Direction => put(text, direction.map_or(UNKNOWN, Direction::name)),
            Self::ServicePort => match direction {
                Some(Direction::Inbound) => integer(text, socket.local().port()),
                Some(Direction::Outbound) => integer(text, socket.remote().port()),
                None => put(text, UNKNOWN),
            },
            Self::State => put(text, state.name()),
            Self::IpVersion => text.push(if socket.local().is_ipv4() { b'4' } else { b'6' }),
            Self::Congestion => match socket.congestion() {
                Some(name) => put(text, &String::from_utf8_lossy(name)),
                None => put(text, UNKNOWN),
            },
            Self::Process => put(text, owner(Owner::names)),
            Self::Pid => put(text, owner(Owner::pids)),
            Self::Executable => put(text, owner(Owner::executables)),
            Self::Uid => match facts.uid() {
                Some(uid) => integer(text, uid),
                None => put(text, UNKNOWN),
            },
            Self::User => match facts.uid().map(|uid| (uid, names.users.and_then(|users| users.name(uid)))) {
                Some((_, Some(name))) => put(text, name),
                Some((uid, None)) => integer(text, uid),
                None => put(text, UNKNOWN),
            },
            Self::Cgroup => put(text, cgroup(|known| Some(known.path()))),
            Self::Unit => put(text, cgroup(Cgroup::unit)),
            Self::Slice => put(text, cgroup(Cgroup::slice)),
            Self::ContainerId => put(text, cgroup(Cgroup::container_id)),
            Self::PodUid => put(text, cgroup(Cgroup::pod_uid)),
            Self::Netns => put(text, facts.netns().map_or(UNKNOWN, |netns| netns.name.as_str())),
            Self::Interface => match socket.interface() {
                None => put(text, "unbound"),
                Some(index) => put(text, (names.interface)(index).as_deref().unwrap_or(UNKNOWN)),
            },
            Self::Mark => match socket.mark() {
                // Writing to a Vec cannot fail.
                Some(mark) => drop(write!(text, "{mark:#x}")),
                None => put(text, UNKNOWN),
            },
        }
    }
}

fn put(text: &mut Vec<u8>, what: &str) {
    text.extend_from_slice(what.as_bytes());
}

fn endpoint(text: &mut Vec<u8>, side: &str, end: SocketAddr) {
    text.push(b'(');
    text.extend_from_slice(side.as_bytes());
    text.push(b'#');
    address(text, end.ip());
    text.push(b'|');
    integer(text, end.port());
    text.push(b')');
}

/// As the standard library prints it, but without its formatter: every flow needs two of them.
fn address(text: &mut Vec<u8>, address: IpAddr) {
    match address {
        IpAddr::V4(v4) => {
            for (index, octet) in v4.octets().into_iter().enumerate() {
                if index > 0 {
                    text.push(b'.');
                }
                integer(text, octet);
            }
        }
        // Writing to a Vec cannot fail.
        IpAddr::V6(v6) => drop(write!(text, "{v6}")),
    }
}

fn integer(text: &mut Vec<u8>, number: impl itoa::Integer) {
    text.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_label_stands_once_and_help_is_one_sentence() {
        let mut names: Vec<_> = PROPERTIES.iter().map(|line| line.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), PROPERTIES.len());
        for Line { label, name, help, .. } in PROPERTIES {
            assert_eq!(Property::named(name), Some(*label));
            assert!(help.ends_with('.') && !help.contains(". "), "{name}: {help}");
        }
    }

    proptest! {
        #[test]
        fn an_address_is_printed_as_the_standard_library_prints_it(address: IpAddr) {
            let mut text = Vec::new();
            super::address(&mut text, address);
            prop_assert_eq!(String::from_utf8(text).expect("text"), address.to_string());
        }
    }
}
