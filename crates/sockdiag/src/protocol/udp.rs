//! UDP and UDP-Lite over IPv4 and IPv6 (`net/ipv4/udp_diag.c`).
//!
//! The kernel counts neither bytes nor packets of their sockets, only the packets that a socket has dropped.

use super::super::attribute::Attribute;
use super::super::state::State;
use super::{CloseEvents, Extensions, FixedPart, Protocol, StateSet, inet};

const IPPROTO_UDP: u32 = 17;
const IPPROTO_UDPLITE: u32 = 136;

/// `SKNLGRP_INET_UDP_DESTROY` (2) and `SKNLGRP_INET6_UDP_DESTROY` (4) as a mask.
const DESTROY: u32 = 1 << 1 | 1 << 3;

/// Connected to one peer, and not.
const STATES: StateSet = StateSet::of(&[State::Established, State::Close]);

/// No queues: the kernel sends memory in their place.
const ATTRIBUTES: Extensions = Extensions::MEMORY
    .union(Extensions::TOS)
    .union(Extensions::CLASS_ID)
    .with(Attribute::Mark)
    .with(Attribute::Cgroup)
    .with(Attribute::Options);

/// UDP.
pub const UDP: Protocol = Protocol {
    name: "udp",
    netids: &[],
    modules: "inet_diag and udp_diag",
    states: STATES,
    connections: STATES,
    listed: StateSet::of(&[State::Established]),
    // No timer runs.
    header: FixedPart { fields: &[], internet: true, uid: true, interface: true },
    attributes: ATTRIBUTES,
    lacks: &[],
    encode: |request, sequence| inet::encode_other(request, IPPROTO_UDP, sequence),
    parse: inet::parse,
    takes_filter: true,
    close_events: Some(CloseEvents { groups: DESTROY, carry: Extensions::NONE }),
    tables: None,
    sockstat: "UDP",
};

/// UDP-Lite, which Linux 7.1 no longer has. Its sockets have no close events.
pub const UDPLITE: Protocol = Protocol {
    name: "udplite",
    netids: &[],
    encode: |request, sequence| inet::encode_other(request, IPPROTO_UDPLITE, sequence),
    close_events: None,
    sockstat: "UDPLITE",
    ..UDP
};
