//! TCP over IPv4 and IPv6, subflows of MPTCP included.

use super::super::attribute::Attribute;
use super::super::state::State;
use super::{CloseEvents, Extensions, FixedPart, Protocol, StateSet, inet};

/// `SKNLGRP_INET_TCP_DESTROY` (1) and `SKNLGRP_INET6_TCP_DESTROY` (3) as a mask.
const DESTROY: u32 = 1 | 1 << 2;

/// From the first SYN to the last FIN.
pub(super) const CONNECTIONS: StateSet = StateSet::of(&[
    State::Established,
    State::SynSent,
    State::FinWait1,
    State::FinWait2,
    State::CloseWait,
    State::LastAck,
    State::Closing,
]);

/// TCP.
pub const TCP: Protocol = Protocol {
    name: "tcp",
    netids: &[],
    modules: "inet_diag and tcp_diag",
    states: StateSet::OF_TCP,
    connections: CONNECTIONS,
    listed: CONNECTIONS,
    header: FixedPart { fields: inet::ALL, internet: true, uid: true, interface: true },
    attributes: inet::ATTRIBUTES.with(Attribute::Queues),
    lacks: &[],
    encode: inet::encode,
    parse: inet::parse,
    takes_filter: true,
    close_events: Some(CloseEvents { groups: DESTROY, carry: Extensions::INFO.with(Attribute::Queues) }),
    tables: None,
    sockstat: "TCP",
};
