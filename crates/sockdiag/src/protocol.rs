//! The protocols whose sockets the kernel reports, a file and a line each.

mod family;
pub mod inet;
pub mod mptcp;
pub mod netlink;
pub mod packet;
mod raw;
pub mod sctp;
mod smc;
mod socket;
mod tcp;
pub mod tipc;
mod udp;
pub mod unix;
pub mod vsock;
pub mod xdp;

use std::fmt;

use super::attribute::{Attribute, Extensions};
use super::bytecode::Bytecode;
use super::field::Field;
use super::skmem;
use super::state::{State, StateSet};

pub use mptcp::MPTCP;
pub use netlink::NETLINK;
pub use packet::PACKET;
pub use raw::RAW;
pub use sctp::SCTP;
pub use smc::SMC;
pub use socket::{Socket, SocketType};
pub use tcp::TCP;
pub use tipc::TIPC;
pub use udp::{UDP, UDPLITE};
pub use unix::UNIX;
pub use vsock::VSOCK;
pub use xdp::XDP;

/// Every protocol.
pub const PROTOCOLS: &[&Protocol] =
    &[&TCP, &MPTCP, &UDP, &UDPLITE, &RAW, &SCTP, &UNIX, &PACKET, &NETLINK, &VSOCK, &XDP, &TIPC, &SMC];

/// The words of `ss -A` for the sockets of one type of a protocol.
pub const TYPED_PROTOCOLS: &[(&str, &Protocol, SocketType)] = &[
    ("unix_stream", &UNIX, SocketType::Stream),
    ("unix_dgram", &UNIX, SocketType::Datagram),
    ("unix_seqpacket", &UNIX, SocketType::SeqPacket),
    ("packet_raw", &PACKET, SocketType::Raw),
    ("packet_dgram", &PACKET, SocketType::Datagram),
    ("vsock_stream", &VSOCK, SocketType::Stream),
    ("vsock_dgram", &VSOCK, SocketType::Datagram),
];

/// The names of the protocols of that kind, as words of a sentence.
#[must_use]
pub fn protocols_with(is: impl Fn(&Protocol) -> bool) -> String {
    let names: Vec<_> =
        PROTOCOLS.iter().filter(|protocol| is(protocol)).map(|protocol| protocol.name).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => names.concat(),
    }
}

/// How the kernel is asked for the sockets of a protocol, and what it reports of them.
pub struct Protocol {
    /// The name, as in `ss -A`.
    pub name: &'static str,
    /// The words of `ss` for its types of sockets, in the column Netid. All others have its name there.
    pub netids: &'static [(SocketType, &'static str)],
    /// The kernel modules that answer for it.
    pub modules: &'static str,
    /// The states that its sockets can have.
    pub states: StateSet,
    /// The states of a connection: a socket with two ends and counters.
    pub connections: StateSet,
    /// The states of the sockets that `ss` lists without `-a` and `-l`.
    pub listed: StateSet,
    /// What the fixed part of its replies says.
    pub header: FixedPart,
    /// The attributes of its replies.
    pub attributes: Extensions,
    /// Fields of these attributes that mean nothing of its sockets.
    pub lacks: &'static [&'static Field],
    /// The netlink messages of a request, with a sequence number, one behind the other. Each is sent when the one before is
    /// answered, and the messages that answer are of its type.
    pub encode: fn(&Request, u32) -> Vec<u8>,
    /// Reads the payload of such an answer or of a close event; `None` if it is no socket. See [`Protocol::parse`].
    pub parse: for<'a> fn(&'static Protocol, &'a [u8]) -> Option<Socket<'a>>,
    /// Whether the kernel runs the filter of a request on its sockets; else it ignores the filter.
    pub takes_filter: bool,
    /// What the kernel reports when a socket is destroyed, if it does.
    pub close_events: Option<CloseEvents>,
    /// The tables of its sockets in `/proc`, for where the kernel has no answer.
    pub tables: Option<ProcTables>,
    /// The name of its line in `/proc/net/sockstat`, and before a `6` in `sockstat6`; empty if it has none.
    pub sockstat: &'static str,
}

/// What the fixed part of a reply says beside state, cookie and inode.
#[derive(Clone, Copy, Debug)]
pub struct FixedPart {
    /// Its fields that have a meaning: of UDP, a timer is none of them.
    pub fields: &'static [&'static Field],
    /// Whether both ends are internet addresses and ports.
    pub internet: bool,
    /// Whether it has the user id.
    pub uid: bool,
    /// Whether it has the interface to which the socket is bound.
    pub interface: bool,
}

impl FixedPart {
    /// Nothing more.
    pub const NONE: Self = Self { fields: &[], internet: false, uid: false, interface: false };
}

/// Tables of sockets in `/proc/net`, IPv4 and IPv6.
#[derive(Clone, Copy, Debug)]
pub struct ProcTables {
    /// The names of the files.
    pub files: [&'static str; 2],
    /// A line as the reply that the kernel would give, but for what the line lacks; `None` if it is no socket's. The inode
    /// takes the place of the cookie.
    pub reply: fn(&str) -> Option<Vec<u8>>,
}

/// The kernel's messages about destroyed sockets.
#[derive(Clone, Copy, Debug)]
pub struct CloseEvents {
    /// The multicast groups (`SKNLGRP_*`) as a mask: group n is bit n - 1.
    pub groups: u32,
    /// The attributes that the kernel sends with them.
    pub carry: Extensions,
}

impl Protocol {
    /// Reads the payload of a reply or of a close event; `None` if it is no socket.
    ///
    /// A malformed attribute hides itself and those behind it, never the socket.
    #[must_use]
    #[inline]
    pub fn parse<'a>(&'static self, payload: &'a [u8]) -> Option<Socket<'a>> {
        (self.parse)(self, payload)
    }

    /// Whether its replies can have the attribute. The header is in each.
    #[must_use]
    pub const fn has(&self, attribute: Attribute) -> bool {
        self.attributes.contains(attribute)
    }

    /// Whether its replies can have the field.
    #[must_use]
    pub fn has_field(&self, field: &Field) -> bool {
        match field.attribute {
            // Its drops are messages.
            Attribute::Memory if *field == skmem::DROPS && self.has(Attribute::DroppedMessages) => false,
            Attribute::Header => self.header.fields.contains(&field),
            attribute => self.has(attribute) && !self.lacks.contains(&field),
        }
    }

    /// Whether a socket's close event has the last values of its counters, so that it is of use to each of them.
    #[must_use]
    pub fn ends_with_values(&self) -> bool {
        self.close_events.is_some_and(|events| events.carry != Extensions::NONE)
    }

    /// Whether listeners accept its connections, and give them what their close events lack: an owner and the direction.
    #[must_use]
    pub fn has_listeners(&self) -> bool {
        self.states.contains(State::Listen) && self.ends_with_values()
    }

    /// Whether its sockets connect to one peer after another, or to none: their states and ends change as long as they live.
    #[must_use]
    pub fn reconnects(&self) -> bool {
        self.connections.contains(State::Close)
    }

    /// The multicast groups of its close events, as a mask.
    pub(super) fn groups(&self) -> u32 {
        self.close_events.map_or(0, |events| events.groups)
    }

    /// Whether the last value before a socket's end is known: a counter of such an attribute is exact. Any other lacks what
    /// came after the last dump.
    #[must_use]
    pub fn is_exact(&self, attribute: Attribute) -> bool {
        self.close_events.is_some_and(|events| events.carry.contains(attribute))
    }
}

impl PartialEq for Protocol {
    fn eq(&self, other: &Self) -> bool {
        // Mostly the same line of the table.
        std::ptr::eq(self, other) || self.name == other.name
    }
}

impl Eq for Protocol {}

impl fmt::Debug for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// What a dump asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Sockets of this protocol.
    pub protocol: &'static Protocol,
    /// In these states.
    pub states: StateSet,
    /// With these attributes.
    pub extensions: Extensions,
    /// Listeners also with these.
    pub of_listeners: Extensions,
    /// That pass this program.
    pub filter: Option<Bytecode>,
}

impl Request {
    /// A request for all sockets in these states, with these attributes.
    #[must_use]
    pub const fn new(protocol: &'static Protocol, states: StateSet, extensions: Extensions) -> Self {
        Self { protocol, states, extensions, of_listeners: Extensions::NONE, filter: None }
    }

    /// Its parts that are asked for one after the other: the listeners alone if they are to have more attributes, and the
    /// sockets that are only bound, because the kernel does not report this state.
    #[must_use]
    pub fn parts(&self) -> Vec<Self> {
        let bound = StateSet::of(&[State::BoundInactive]);
        let more = self.extensions.union(self.of_listeners);
        let listeners = StateSet::of(if more == self.extensions { &[] } else { &[State::Listen] });
        let parts = [
            (self.states.without(listeners).without(bound), self.extensions),
            (self.states.intersection(listeners), more),
            (self.states.intersection(bound), self.extensions),
        ];
        let part = |(states, extensions)| Self { states, extensions, ..self.clone() };
        parts.into_iter().filter(|(states, _)| !states.is_empty()).map(part).collect()
    }

    /// The state of all its sockets, if the kernel reports another.
    pub(super) fn state(&self) -> Option<State> {
        (self.states == StateSet::of(&[State::BoundInactive])).then_some(State::BoundInactive)
    }

    /// The netlink messages, to be answered with the sequence number. See [`Protocol::encode`].
    #[must_use]
    pub fn message(&self, sequence: u32) -> Vec<u8> {
        (self.protocol.encode)(self, sequence)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_bytes_make_a_parser_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..400), family in 0..64_u8) {
            if let Some(first) = bytes.first_mut() {
                *first = family;
            }
            for protocol in PROTOCOLS {
                if let Some(socket) = protocol.parse(&bytes) {
                    prop_assert_eq!(socket.reply(), &bytes[..]);
                    let _ = (socket.class(), socket.local(), socket.remote(), socket.socket_type(), socket.ulp());
                }
            }
        }
    }

    #[test]
    fn a_protocol_stands_in_the_table_once() {
        for (at, protocol) in PROTOCOLS.iter().enumerate() {
            assert!(!PROTOCOLS[..at].contains(protocol), "{protocol:?}");
        }
    }

    #[test]
    fn listeners_with_more_attributes_and_what_is_bound_are_parts_of_their_own() {
        let split = |states: StateSet, of_listeners: Extensions| -> Vec<_> {
            let request = Request { of_listeners, ..Request::new(&TCP, states, Extensions::INFO) };
            let parts = request.parts().into_iter();
            parts.map(|part| (part.states.bits(), part.extensions, part.state())).collect()
        };
        let (info, more) = (Extensions::INFO, Extensions::INFO.union(Extensions::MEMORY));
        let bound = (1 << 13, info, Some(State::BoundInactive));
        assert_eq!(split(StateSet::ALL, Extensions::NONE), [(0xffe, info, None)]);
        assert_eq!(split(StateSet::ALL, Extensions::INFO), [(0xffe, info, None)]);
        assert_eq!(split(StateSet::ANY, Extensions::NONE), [(0xffe, info, None), bound]);
        let listeners = (1 << 10, more, None);
        assert_eq!(split(StateSet::ANY, Extensions::MEMORY), [(0xbfe, info, None), listeners, bound]);
        assert_eq!(split(StateSet::of(&[State::Listen]), Extensions::MEMORY), [listeners]);
        assert_eq!(split(StateSet::NONE, Extensions::MEMORY), []);
    }

    #[test]
    fn every_connection_is_in_a_state_of_its_protocol() {
        for protocol in PROTOCOLS {
            let Protocol { connections, states, .. } = protocol;
            assert!(!connections.is_empty() && connections.is_within(*states), "{protocol:?}");
        }
    }
}
