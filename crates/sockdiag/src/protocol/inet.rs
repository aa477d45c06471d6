//! Sockets of IPv4 and IPv6: the request `TCPDIAG_GETSOCK` with `struct inet_diag_req`, the reply `struct inet_diag_msg` and
//! its attributes (`include/uapi/linux/inet_diag.h`).

use zerocopy::byteorder::native_endian::U32;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::super::attribute::{Attribute, Attributes, Extensions, Numbered, Numbers};
use super::super::field::NoneValue::{Never, WhileZero};
use super::super::field::Width::{U8, U32 as Word};
use super::super::field::fields;
use super::super::frame::{AttributeHeader, dump_request};
use super::super::kernel;
use super::super::state::State;
use super::family::SOCK_DIAG_BY_FAMILY;
use super::socket::{Endpoints, Header, Socket, SocketId};
use super::{Protocol, Request};

/// `TCPDIAG_GETSOCK`: the request, and the type of each reply to it.
pub(crate) const TCPDIAG_GETSOCK: u16 = 18;
/// `INET_DIAG_REQ_BYTECODE`
const REQ_BYTECODE: u16 = 1;
/// `INET_DIAG_REQ_PROTOCOL`. A kernel before Linux 5.9 ignores it and answers with sockets of TCP.
const REQ_PROTOCOL: u16 = 3;

const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;

/// `idiag_timer` of a `struct inet_timewait_sock` (`net/ipv4/inet_diag.c: inet_twsk_diag_fill`); no socket has it.
const TIME_WAIT_TIMER: u8 = 3;

/// `INET_DIAG_*`. Bit n - 1 of `idiag_ext` asks for attribute n; `INET_DIAG_VEGASINFO` asks for every `union tcp_cc_info`.
const NUMBERED: &[Numbered] = &[
    numbered(Attribute::Info, 2, 1 << 1),
    numbered(Attribute::Vegas, 3, 1 << 2),
    numbered(Attribute::Congestion, 4, 1 << 3),
    numbered(Attribute::Tos, 5, 1 << 4),
    numbered(Attribute::TrafficClass, 6, 1 << 5),
    numbered(Attribute::Memory, 7, 1 << 6),
    numbered(Attribute::Dctcp, 9, 1 << 2),
    numbered(Attribute::Mark, 15, 0),
    numbered(Attribute::Bbr, 16, 1 << 2),
    numbered(Attribute::ClassId, 17, 1 << 5),
    numbered(Attribute::Ulp, 19, 1 << 1),
    numbered(Attribute::Cgroup, 21, 0),
    numbered(Attribute::Options, 22, 0),
];
const NUMBERS: Numbers = Numbers::of(NUMBERED);
/// What another protocol than TCP sends in the place of `struct tcp_info`. Its parser moves it to where it belongs.
const OF_OTHERS: &[Numbered] =
    &[numbered(Attribute::SctpInfo, 2, 1 << 1), numbered(Attribute::MptcpInfo, 2, 1 << 1)];
/// All of them.
pub(super) const ATTRIBUTES: Extensions = Extensions::of_table(NUMBERED);

const fn numbered(attribute: Attribute, number: u8, asked_by: u8) -> Numbered {
    Numbered { attribute, number, asked_by }
}

fields! {
    /// Fields of `struct inet_diag_msg`.
    ALL = Header;
    TIMER "idiag_timer" @ 2 U8, "", Never, "The timer that runs: 0 none, 1 retransmission, 2 keepalive, 3 `TIME_WAIT`, 4 zero-window probe, 5 delayed ACK.";
    RETRANS "idiag_retrans" @ 3 U8, "", WhileZero(2), "Retransmissions or probes without an answer so far.";
    EXPIRES "idiag_expires" @ 52 Word, "", WhileZero(2), "Milliseconds until the timer expires.";
}

/// `struct inet_diag_msg`.
#[derive(Debug, FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct InetDiagMsg {
    family: u8,
    state: u8,
    timer: u8,
    _retransmits: u8,
    id: SocketId,
    _expires: U32,
    queues: [U32; 2],
    uid: U32,
    inode: U32,
}

/// Reads a reply about an IPv4 or IPv6 socket; `None` if it is too short or its family or state has no name here.
#[inline]
pub(super) fn parse<'a>(protocol: &'static Protocol, payload: &'a [u8]) -> Option<Socket<'a>> {
    parse_with(protocol, payload, State::from_kernel)
}

/// Reads a reply of a protocol with states of its own, by their numbers.
#[inline]
pub(super) fn parse_with<'a>(
    protocol: &'static Protocol,
    payload: &'a [u8],
    state: impl Fn(u8) -> Option<State>,
) -> Option<Socket<'a>> {
    let (message, attributes) = InetDiagMsg::ref_from_prefix(payload).ok()?;
    let ipv4 = match message.family {
        AF_INET => true,
        AF_INET6 => false,
        _ => return None,
    };
    let [low, high] = message.id.cookie;
    let header = Header {
        state: state(message.state)?,
        is_remnant: message.timer == TIME_WAIT_TIMER,
        cookie: u64::from(low.get()) | u64::from(high.get()) << u32::BITS,
        inode: message.inode.get(),
        uid: message.uid.get(),
        interface: message.id.interface.get(),
        ends: Some(Endpoints { ipv4, id: &message.id }),
    };
    let mut attributes = Attributes::walk(payload, attributes, &NUMBERS);
    attributes.set(Attribute::Queues, message.queues.as_bytes());
    Some(Socket { protocol, header, attributes })
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

/// `struct inet_diag_req_v2` with a `struct inet_diag_sockid` that asks for any address.
#[derive(IntoBytes, Immutable, Unaligned)]
#[repr(C)]
struct InetDiagReqV2 {
    family: u8,
    protocol: u8,
    extensions: u8,
    pad: u8,
    states: U32,
    socket_id: [u8; 48],
}

/// The message of a request for sockets of TCP.
pub(super) fn encode(request: &Request, sequence: u32) -> Vec<u8> {
    message(TCPDIAG_GETSOCK, any_family(request).as_bytes(), &[program(request)], sequence)
}

/// The messages of a request for sockets of another protocol: one for both families, or one for each on a kernel that does
/// not know the attribute which names the protocol.
pub(super) fn encode_other(request: &Request, ip_protocol: u32, sequence: u32) -> Vec<u8> {
    if kernel::is_at_least(5, 9) {
        return in_one_walk(request, ip_protocol, sequence);
    }
    match u8::try_from(ip_protocol) {
        Ok(narrow) => in_two_walks(request, narrow, sequence),
        Err(_) => in_two_walks_by_name(request, ip_protocol, sequence),
    }
}

pub(super) fn in_one_walk(request: &Request, ip_protocol: u32, sequence: u32) -> Vec<u8> {
    let named = attribute(REQ_PROTOCOL, &ip_protocol.to_ne_bytes());
    message(TCPDIAG_GETSOCK, any_family(request).as_bytes(), &[program(request), named], sequence)
}

pub(super) fn in_two_walks(request: &Request, ip_protocol: u8, sequence: u32) -> Vec<u8> {
    by_family(request, ip_protocol, &[], sequence)
}

/// The same for a protocol whose number has more than eight bits. A kernel that does not know the attribute which names the protocol finds no protocol 0, and does not answer with TCP.
pub(super) fn in_two_walks_by_name(request: &Request, ip_protocol: u32, sequence: u32) -> Vec<u8> {
    by_family(request, 0, &attribute(REQ_PROTOCOL, &ip_protocol.to_ne_bytes()), sequence)
}

fn by_family(request: &Request, ip_protocol: u8, named: &[u8], sequence: u32) -> Vec<u8> {
    let of_family = |family| {
        let body = InetDiagReqV2 {
            family,
            protocol: ip_protocol,
            extensions: extensions(request),
            pad: 0,
            states: request.states.bits().into(),
            socket_id: [0; 48],
        };
        message(SOCK_DIAG_BY_FAMILY, body.as_bytes(), &[program(request), named.to_vec()], sequence)
    };
    [of_family(AF_INET), of_family(AF_INET6)].concat()
}

/// Both families in one walk, which only this legacy message can ask for.
fn any_family(request: &Request) -> InetDiagReq {
    InetDiagReq {
        family: 0, // AF_UNSPEC
        source_length: 0,
        destination_length: 0,
        extensions: extensions(request),
        socket_id: [0; 48],
        states: request.states.bits().into(),
        dbs: 0.into(),
    }
}

/// The bits that ask for the attributes of a request, as far as the protocol has them.
fn extensions(request: &Request) -> u8 {
    let Request { protocol, extensions, .. } = request;
    let has = |line: &&Numbered| protocol.has(line.attribute) && extensions.contains(line.attribute);
    NUMBERED.iter().chain(OF_OTHERS).filter(has).fold(0, |bits, line| bits | line.asked_by)
}

/// The attribute with the program of a request; empty without one.
fn program(request: &Request) -> Vec<u8> {
    request.filter.as_ref().map_or_else(Vec::new, |program| attribute(REQ_BYTECODE, program.as_bytes()))
}

/// An attribute whose payload is shorter than 64 KiB, and a multiple of four bytes.
fn attribute(kind: u16, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(size_of::<AttributeHeader>() + payload.len()).unwrap_or(u16::MAX);
    let header = AttributeHeader { length: length.into(), kind: kind.into() };
    [header.as_bytes(), payload].concat()
}

fn message(kind: u16, body: &[u8], attributes: &[Vec<u8>], sequence: u32) -> Vec<u8> {
    dump_request(kind, sequence, &[body, &attributes.concat()].concat())
}

#[cfg(test)]
mod tests {
    use super::super::super::bytecode::{Filter, compile};
    use super::super::super::frame::Messages;
    use super::super::super::{StateSet, TCP, UDP};
    use super::*;

    #[test]
    fn a_family_numbers_each_attribute_once() {
        for (at, line) in NUMBERED.iter().enumerate() {
            let twice = |other: &Numbered| other.number == line.number || other.attribute == line.attribute;
            assert!(!NUMBERED[..at].iter().any(twice), "{line:?}");
        }
    }

    #[test]
    fn a_request_is_the_header_the_fixed_part_and_the_program() {
        let filter = compile(&Filter::LocalPort(80..=80)).expect("short");
        let request = Request {
            filter: Some(filter.clone()),
            ..Request::new(&TCP, StateSet::of(&[State::Established]), Extensions::INFO)
        };
        let bytes = encode(&request, 0x0102_0304);
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

    #[test]
    fn a_request_for_another_protocol_names_it_behind_the_program() {
        let filter = compile(&Filter::LocalPort(80..=80)).expect("short");
        let request = Request {
            filter: Some(filter.clone()),
            ..Request::new(&UDP, StateSet::ALL, Extensions::INFO.union(Extensions::MEMORY))
        };
        let bytes = in_one_walk(&request, 17, 1);
        let mut of_tcp = encode(&request, 1);
        assert_eq!(of_tcp[19], 1 << 6, "UDP has no INFO");
        of_tcp.extend([8, 0, 3, 0, 17, 0, 0, 0]); // INET_DIAG_REQ_PROTOCOL, u32
        let length = u32::try_from(of_tcp.len()).expect("short");
        of_tcp[..4].copy_from_slice(&length.to_ne_bytes());
        assert_eq!(bytes, of_tcp);
    }

    #[test]
    fn a_kernel_that_ignores_the_name_of_a_protocol_is_asked_by_family() {
        let filter = compile(&Filter::LocalPort(80..=80)).expect("short");
        let request = Request {
            filter: Some(filter.clone()),
            ..Request::new(&UDP, StateSet::of(&[State::Close]), Extensions::MEMORY)
        };
        let bytes = in_two_walks(&request, 17, 1);
        let messages: Vec<_> = Messages(&bytes).map(|message| message.expect("whole")).collect();
        assert_eq!(messages.len(), 2);
        for (message, family) in messages.iter().zip([AF_INET, AF_INET6]) {
            assert_eq!(message.header.kind.get(), 20); // SOCK_DIAG_BY_FAMILY
            assert_eq!(message.payload[..4], [family, 17, 1 << 6, 0]);
            assert_eq!(message.payload[4..8], (1_u32 << 7).to_ne_bytes());
            assert_eq!(message.payload[8..56], [0; 48]);
            assert_eq!(message.payload[60..], *filter.as_bytes());
        }
    }

    #[test]
    fn a_request_asks_for_no_attribute_that_the_protocol_lacks() {
        const BARE: Protocol = Protocol { attributes: Extensions::MEMORY, ..TCP };
        let asked = |protocol: &'static Protocol| {
            let extensions = Extensions::INFO.union(Extensions::MEMORY);
            let request = Request::new(protocol, StateSet::ALL, extensions);
            encode(&request, 1)[19]
        };
        assert_eq!((asked(&TCP), asked(&BARE)), (1 << 1 | 1 << 6, 1 << 6));
    }
}
