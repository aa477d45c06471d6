//! Sockets of IPv4 and IPv6: the request `TCPDIAG_GETSOCK` with `struct inet_diag_req`, the reply `struct inet_diag_msg` and
//! its attributes (`include/uapi/linux/inet_diag.h`).

use zerocopy::byteorder::native_endian::U32;
use zerocopy::byteorder::network_endian::U16 as NetworkU16;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::attribute::{Attribute, Extensions, Numbered, Numbers};
use super::bytecode::Bytecode;
use super::field::NoneValue::Never;
use super::field::Width::U32 as Word;
use super::field::fields;
use super::frame::{AttributeHeader, MessageHeader};
use super::state::StateSet;

/// `TCPDIAG_GETSOCK`: the request, and the type of each reply to it.
pub(super) const TCPDIAG_GETSOCK: u16 = 18;
/// `NLM_F_REQUEST | NLM_F_DUMP`
const REQUEST_DUMP: u16 = 0x001 | 0x300;
/// `INET_DIAG_REQ_BYTECODE`
const REQ_BYTECODE: u16 = 1;

pub(super) const AF_INET: u8 = 2;
pub(super) const AF_INET6: u8 = 10;

/// `INET_DIAG_*`. Bit n - 1 of `idiag_ext` asks for attribute n; `INET_DIAG_VEGASINFO` asks for every `union tcp_cc_info`.
pub(super) const ATTRIBUTES: &[Numbered] = &[
    numbered(Attribute::Info, 2, 1 << 1),
    numbered(Attribute::Vegas, 3, 1 << 2),
    numbered(Attribute::Congestion, 4, 1 << 3),
    numbered(Attribute::Tos, 5, 1 << 4),
    numbered(Attribute::TrafficClass, 6, 1 << 5),
    numbered(Attribute::Memory, 7, 1 << 6),
    numbered(Attribute::Dctcp, 9, 1 << 2),
    numbered(Attribute::Mark, 15, 0),
    numbered(Attribute::Bbr, 16, 1 << 2),
    numbered(Attribute::Cgroup, 21, 0),
];
pub(super) const NUMBERS: Numbers = Numbers::of(ATTRIBUTES);

const fn numbered(attribute: Attribute, number: u8, asked_by: u8) -> Numbered {
    Numbered { attribute, number, asked_by }
}

fields! {
    /// Fields of `struct inet_diag_msg`.
    ALL = Header;
    RQUEUE "idiag_rqueue" @ 56 Word, "", Never, "Bytes received and not yet read; of a listener, connections not yet accepted.";
    WQUEUE "idiag_wqueue" @ 60 Word, "", Never, "Bytes written and not yet acknowledged; of a listener, the limit of the accept queue.";
}

/// `struct inet_diag_msg` with its `struct inet_diag_sockid`.
#[derive(Debug, FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct InetDiagMsg {
    pub(super) family: u8,
    pub(super) state: u8,
    pub(super) timer: u8,
    _retransmits: u8,
    pub(super) source_port: NetworkU16,
    pub(super) destination_port: NetworkU16,
    pub(super) source: [u8; 16],
    pub(super) destination: [u8; 16],
    pub(super) interface: U32,
    pub(super) cookie: [U32; 2],
    _expires: U32,
    pub(super) receive_queue: U32,
    pub(super) send_queue: U32,
    pub(super) uid: U32,
    pub(super) inode: U32,
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

/// The whole netlink message that asks for the sockets in these states which pass the filter, with these attributes.
pub(super) fn encode(
    states: StateSet,
    extensions: Extensions,
    filter: Option<&Bytecode>,
    sequence: u32,
) -> Vec<u8> {
    let asked = ATTRIBUTES.iter().filter(|line| extensions.contains(line.attribute));
    let body = InetDiagReq {
        // AF_UNSPEC: both families in one walk, which only this legacy message can ask for.
        family: 0,
        source_length: 0,
        destination_length: 0,
        extensions: asked.fold(0, |bits, line| bits | line.asked_by),
        socket_id: [0; 48],
        states: states.bits().into(),
        dbs: 0.into(),
    };
    let program = filter.map(Bytecode::as_bytes);
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

#[cfg(test)]
mod tests {
    use super::super::bytecode::{Filter, compile};
    use super::super::state::State;
    use super::*;

    #[test]
    fn a_request_is_the_header_the_fixed_part_and_the_program() {
        let filter = compile(&Filter::LocalPort(80..=80)).expect("short");
        let states = StateSet::of(&[State::Established]);
        let bytes = encode(states, Extensions::INFO, Some(&filter), 0x0102_0304);
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
