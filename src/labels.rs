//! The second table: every label, where its text comes from and what it costs.
//!
//! Refuses to know how a label is escaped or which view shows it.

use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};

use crate::attribute::Process;
use crate::sockdiag::Socket;

/// A label that rows can be keyed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// The predecessor's `flow` with both endpoints: `(SRC#10.0.0.1|39366)(DST#10.0.0.2|443)`.
    Flow,
    /// The predecessor's `flow` with the owners in place of the source: `(20005)(DST#10.0.0.2|443)`.
    ///
    /// A socket without a known owner shows its source as [`Label::Flow`] does.
    FlowOfProcess,
}

impl Label {
    /// The name in the exposition.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Flow | Self::FlowOfProcess => "flow",
        }
    }

    /// Whether the text needs the owners of the socket.
    #[must_use]
    pub const fn needs_processes(self) -> bool {
        matches!(self, Self::FlowOfProcess)
    }

    /// Whether every socket has a text of its own, so that a row is one flow.
    #[must_use]
    pub const fn names_each_flow(self) -> bool {
        matches!(self, Self::Flow)
    }

    /// Appends the label's text for a socket, valid UTF-8.
    pub fn write(self, text: &mut Vec<u8>, socket: &Socket<'_>, owners: &[Process]) {
        match self {
            Self::FlowOfProcess if !owners.is_empty() => {
                text.push(b'(');
                for (index, owner) in owners.iter().enumerate() {
                    if index > 0 {
                        text.push(b',');
                    }
                    integer(text, owner.pid);
                }
                text.push(b')');
            }
            Self::Flow | Self::FlowOfProcess => endpoint(text, "SRC", socket.local()),
        }
        endpoint(text, "DST", socket.remote());
    }
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

    proptest! {
        #[test]
        fn an_address_is_printed_as_the_standard_library_prints_it(address: IpAddr) {
            let mut text = Vec::new();
            super::address(&mut text, address);
            prop_assert_eq!(String::from_utf8(text).expect("text"), address.to_string());
        }
    }
}
