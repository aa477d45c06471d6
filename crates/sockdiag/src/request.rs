//! The dump request `TCPDIAG_GETSOCK` with `struct inet_diag_req` (`include/uapi/linux/inet_diag.h`).
//!
//! Refuses to know where it is sent.

use zerocopy::byteorder::native_endian::U32;
use zerocopy::{Immutable, IntoBytes, Unaligned};

use super::bytecode::Bytecode;
use super::frame::{AttributeHeader, MessageHeader};
use super::state::StateSet;

/// `TCPDIAG_GETSOCK`: the request, and the type of each reply to it.
pub(super) const TCPDIAG_GETSOCK: u16 = 18;
/// `NLM_F_REQUEST | NLM_F_DUMP`
const REQUEST_DUMP: u16 = 0x001 | 0x300;
/// `INET_DIAG_REQ_BYTECODE`
const REQ_BYTECODE: u16 = 1;

/// Which optional attributes the kernel adds to each socket (`idiag_ext`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extensions(u8);

impl Extensions {
    /// Only what every reply carries.
    pub const NONE: Self = Self(0);
    /// `INET_DIAG_INFO`: `struct tcp_info`.
    pub const INFO: Self = Self(1 << 1);
    /// `INET_DIAG_VEGASINFO`: what the congestion control algorithm tells of itself.
    pub const ALGORITHM: Self = Self(1 << 2);
    /// `INET_DIAG_CONG`: the name of the congestion control algorithm.
    pub const CONG: Self = Self(1 << 3);
    /// `INET_DIAG_SKMEMINFO`: the socket's memory.
    pub const MEMORY: Self = Self(1 << 6);

    /// The extensions in either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// What a dump asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Sockets in these states.
    pub states: StateSet,
    /// With these attributes.
    pub extensions: Extensions,
    /// That pass this program.
    pub filter: Option<Bytecode>,
}

/// `struct inet_diag_req` with a `struct inet_diag_sockid` that asks for any address.
#[derive(IntoBytes, Immutable, Unaligned)]
#[repr(C)]
struct InetDiagReq {
    family: u8,
    source_length: u8,
    destination_length: u8,
    extensions: u8,
    socket_id: [u8; 48],
    states: U32,
    dbs: U32,
}

impl Request {
    /// The whole netlink message, to be answered with the sequence number.
    #[must_use]
    pub fn encode(&self, sequence: u32) -> Vec<u8> {
        let body = InetDiagReq {
            // AF_UNSPEC: both families in one walk, which only this legacy message can ask for.
            family: 0,
            source_length: 0,
            destination_length: 0,
            extensions: self.extensions.0,
            socket_id: [0; 48],
            states: self.states.bits().into(),
            dbs: 0.into(),
        };
        let program = self.filter.as_ref().map(Bytecode::as_bytes);
        let attribute = program.map_or(0, |bytes| size_of::<AttributeHeader>() + bytes.len());
        let length = size_of::<MessageHeader>() + size_of::<InetDiagReq>() + attribute;
        let header = MessageHeader {
            // A program is shorter than 64 KiB, so no length here saturates.
            length: u32::try_from(length).unwrap_or(u32::MAX).into(),
            kind: TCPDIAG_GETSOCK.into(),
            flags: REQUEST_DUMP.into(),
            sequence: sequence.into(),
            port: 0.into(),
        };
        let mut message = Vec::with_capacity(length);
        message.extend_from_slice(header.as_bytes());
        message.extend_from_slice(body.as_bytes());
        if let Some(bytes) = program {
            let length = u16::try_from(attribute).unwrap_or(u16::MAX).into();
            message.extend_from_slice(AttributeHeader { length, kind: REQ_BYTECODE.into() }.as_bytes());
            message.extend_from_slice(bytes);
        }
        message
    }
}

#[cfg(test)]
mod tests {
    use super::super::bytecode::{Filter, compile};
    use super::super::state::State;
    use super::*;

    #[test]
    fn a_request_is_the_header_the_fixed_part_and_the_program() {
        let filter = compile(&Filter::LocalPort(80..=80)).expect("short");
        let request = Request {
            states: StateSet::of(&[State::Established]),
            extensions: Extensions::INFO,
            filter: Some(filter.clone()),
        };
        let bytes = request.encode(0x0102_0304);
        let length = 16 + 60 + 4 + filter.as_bytes().len();
        let mut expected = u32::try_from(length).expect("short").to_ne_bytes().to_vec();
        expected.extend(18_u16.to_ne_bytes()); // TCPDIAG_GETSOCK
        expected.extend(0x301_u16.to_ne_bytes()); // NLM_F_REQUEST | NLM_F_DUMP
        expected.extend(0x0102_0304_u32.to_ne_bytes()); // sequence
        expected.extend([0; 4]); // port: the kernel's
        expected.extend([0, 0, 0, 2]); // AF_UNSPEC, no prefixes, 1 << (INET_DIAG_INFO - 1)
        expected.extend([0; 48]); // any socket id
        expected.extend(2_u32.to_ne_bytes()); // 1 << TCP_ESTABLISHED
        expected.extend([0; 4]); // tables, unused
        expected.extend(u16::try_from(4 + filter.as_bytes().len()).expect("short").to_ne_bytes());
        expected.extend(1_u16.to_ne_bytes()); // INET_DIAG_REQ_BYTECODE
        expected.extend(filter.as_bytes());
        assert_eq!(bytes, expected);
    }
}
