//! The protocols whose sockets the kernel reports, a file and a line each.

mod tcp;

use std::fmt;

use super::attribute::{Attribute, Extensions, Numbered};
use super::bytecode::Bytecode;
use super::socket::Socket;
use super::state::StateSet;

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
    /// The whole netlink message that asks for sockets by states, attributes and filter, with a sequence number.
    pub encode: fn(StateSet, Extensions, Option<&Bytecode>, u32) -> Vec<u8>,
    /// The type of the messages that answer.
    pub reply: u16,
    /// Reads the payload of such a message; `None` if it is no socket.
    pub parse: for<'a> fn(&'a [u8]) -> Option<Socket<'a>>,
    /// The attributes of a reply.
    pub attributes: &'static [Numbered],
    /// Whether the kernel runs the filter of a request on its sockets; else it ignores the filter.
    pub takes_filter: bool,
    /// What the kernel reports when a socket is destroyed, if it does.
    pub close_events: Option<CloseEvents>,
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
        (self.protocol.encode)(self.states, self.extensions, self.filter.as_ref(), sequence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_protocol_and_each_of_its_attributes_stand_in_the_table_once() {
        for (at, protocol) in PROTOCOLS.iter().enumerate() {
            assert!(!PROTOCOLS[..at].contains(protocol), "{protocol:?}");
            for (at, line) in protocol.attributes.iter().enumerate() {
                let twice =
                    |other: &Numbered| other.number == line.number || other.attribute == line.attribute;
                assert!(!protocol.attributes[..at].iter().any(twice), "{protocol:?}: {line:?}");
            }
        }
    }
}
