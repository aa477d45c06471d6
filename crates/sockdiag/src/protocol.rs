//! The protocols whose sockets the kernel reports, a file and a line each.

pub mod inet;
mod socket;
mod tcp;

use std::fmt;

use super::attribute::{Attribute, Extensions};
use super::bytecode::Bytecode;
use super::state::StateSet;

pub use socket::Socket;
pub use tcp::TCP;

/// Every protocol.
pub const PROTOCOLS: &[&Protocol] = &[&TCP];

/// How the kernel is asked for the sockets of a protocol, and what it reports of them.
pub struct Protocol {
    /// The name, as in `ss -A`.
    pub name: &'static str,
    /// The kernel modules that answer for it.
    pub modules: &'static str,
    /// The states that its sockets can have.
    pub states: StateSet,
    /// The states of a connection: a socket with two ends and counters.
    pub connections: StateSet,
    /// The attributes of its replies.
    pub attributes: Extensions,
    /// The whole netlink message of a request, with a sequence number.
    pub encode: fn(&Request, u32) -> Vec<u8>,
    /// The type of the messages that answer.
    pub reply: u16,
    /// Reads the payload of such a message or of a close event; `None` if it is no socket. See [`Protocol::parse`].
    pub parse: for<'a> fn(&'static Protocol, &'a [u8]) -> Option<Socket<'a>>,
    /// Whether the kernel runs the filter of a request on its sockets; else it ignores the filter.
    pub takes_filter: bool,
    /// What the kernel reports when a socket is destroyed, if it does.
    pub close_events: Option<CloseEvents>,
    /// The name of its line in `/proc/net/sockstat`, and before a `6` in `sockstat6`.
    pub sockstat: &'static str,
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
        self.name == other.name
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
    /// That pass this program.
    pub filter: Option<Bytecode>,
}

impl Request {
    /// The netlink message, to be answered with the sequence number.
    #[must_use]
    pub fn message(&self, sequence: u32) -> Vec<u8> {
        (self.protocol.encode)(self, sequence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_protocol_stands_in_the_table_once() {
        for (at, protocol) in PROTOCOLS.iter().enumerate() {
            assert!(!PROTOCOLS[..at].contains(protocol), "{protocol:?}");
        }
    }
}
