//! TIPC sockets: a reply is one nest of attributes without a fixed part (`include/uapi/linux/tipc_netlink.h`).

use zerocopy::byteorder::native_endian::{U16, U32};
use zerocopy::{Immutable, IntoBytes, Unaligned};

use super::super::attribute::{Attribute, Attributes, Extensions, Numbers};
use super::super::field::NoneValue::Never;
use super::super::field::Width::U32 as Word;
use super::super::field::fields;
use super::super::frame::{NetlinkAttributes, dump_request};
use super::super::state::{State, StateSet};
use super::socket::{Header, Socket, SocketType};
use super::{FixedPart, Protocol, Request, family};

const AF_TIPC: u8 = 30;

/// `TIPC_NLA_SOCK`
const SOCK: u16 = 2;
/// `TIPC_NLA_SOCK_STAT`
const STAT: u16 = 5;
/// `TIPC_NLA_SOCK_TYPE`
const TYPE: u16 = 6;
/// `TIPC_NLA_SOCK_INO`
const INODE: u16 = 7;
/// `TIPC_NLA_SOCK_UID`
const UID: u16 = 8;
/// `TIPC_NLA_SOCK_TIPC_STATE`
const STATE: u16 = 9;
/// `TIPC_NLA_SOCK_COOKIE`
const COOKIE: u16 = 10;

/// `TIPC_NLA_SOCK_STAT_RCVQ`, `_SENDQ` and `_DROP`: the first of the nest, in the order in which the kernel writes them. Unlike
/// in other nests, the first kind is 0.
const STATS: [u16; 3] = [0, 1, 4];

/// Where the number of the last of them stands.
const DROPS: usize = 20;

/// The states of a connection, and of a socket for datagrams, which is in `CLOSE` and loses messages. TIPC uses the numbers of
/// TCP's states (`net/tipc/socket.c`).
const CONNECTIONS: StateSet =
    StateSet::of(&[State::Established, State::SynSent, State::CloseWait, State::Close]);

/// TIPC.
pub const TIPC: Protocol = Protocol {
    name: "tipc",
    netids: &[
        (SocketType::Stream, "ti_st"),
        (SocketType::Datagram, "ti_rd"),
        (SocketType::SeqPacket, "ti_sq"),
    ],
    modules: "tipc_diag",
    states: CONNECTIONS.union(StateSet::of(&[State::Listen])),
    connections: CONNECTIONS,
    listed: CONNECTIONS.without(StateSet::of(&[State::Close])),
    header: FixedPart { uid: true, ..FixedPart::NONE },
    attributes: Extensions::of(Attribute::Type).with(Attribute::TipcStats).with(Attribute::DroppedMessages),
    lacks: &[],
    encode,
    parse,
    takes_filter: false,
    close_events: None,
    tables: None,
    sockstat: "",
};

fields! {
    /// The numbers in `TIPC_NLA_SOCK_STAT`, each behind the header of its attribute.
    ALL = TipcStats;
    RECEIVE_QUEUE "TIPC_NLA_SOCK_STAT_RCVQ" @ 4 Word, "4.17", Never, "Messages received and not yet read.";
    SEND_QUEUE "TIPC_NLA_SOCK_STAT_SENDQ" @ 12 Word, "4.17", Never, "Messages that wait to be sent.";
}

/// `struct tipc_sock_diag_req`.
#[derive(IntoBytes, Immutable, Unaligned)]
#[repr(C)]
struct TipcSockDiagReq {
    family: u8,
    protocol: u8,
    pad: U16,
    states: U32,
}

fn encode(request: &Request, sequence: u32) -> Vec<u8> {
    let states = request.states.bits().into();
    let body = TipcSockDiagReq { family: AF_TIPC, protocol: 0, pad: 0.into(), states };
    dump_request(family::SOCK_DIAG_BY_FAMILY, sequence, body.as_bytes())
}

fn find(attributes: &[u8], wanted: u16) -> Option<&[u8]> {
    NetlinkAttributes(attributes).find(|(kind, _)| *kind == wanted).map(|(_, payload)| payload)
}

fn parse<'a>(protocol: &'static Protocol, payload: &'a [u8]) -> Option<Socket<'a>> {
    let nest = find(payload, SOCK)?;
    let number = |wanted| find(nest, wanted).and_then(family::word);
    let header = Header {
        state: State::from_kernel(u8::try_from(number(STATE)?).ok()?)?,
        inode: number(INODE).unwrap_or_default(),
        uid: number(UID).unwrap_or_default(),
        cookie: find(nest, COOKIE)?.first_chunk().map(|bytes| u64::from_ne_bytes(*bytes))?,
        ..Header::NONE
    };
    let mut attributes = Attributes::walk(payload, &[], &Numbers::NONE);
    if let Some(kind) = find(nest, TYPE) {
        attributes.set(Attribute::Type, kind);
    }
    if let Some(stats) = find(nest, STAT).filter(|stats| are_in_order(stats)) {
        attributes.set(Attribute::TipcStats, stats);
        attributes.set(Attribute::DroppedMessages, stats.get(DROPS..).unwrap_or_default());
    }
    Some(Socket { protocol, header, attributes })
}

/// Whether each number stands where its field reads it.
fn are_in_order(stats: &[u8]) -> bool {
    let first = NetlinkAttributes(stats).take(STATS.len());
    first.map(|(kind, payload)| (kind, payload.len())).eq(STATS.map(|kind| (kind, 4)))
}

#[cfg(test)]
mod tests {
    use super::super::super::{Class, skmem};
    use super::*;

    fn attribute(kind: u16, payload: &[u8]) -> Vec<u8> {
        let length = u16::try_from(4 + payload.len()).expect("short");
        let mut bytes = [length.to_ne_bytes(), kind.to_ne_bytes()].concat();
        bytes.extend_from_slice(payload);
        bytes
    }

    fn reply(kind: u32, now: u32, stats: &[(u16, u32)]) -> Vec<u8> {
        let stats = stats.iter().map(|(kind, value)| attribute(*kind, &value.to_ne_bytes()));
        let stats = stats.collect::<Vec<_>>().concat();
        let numbers = [(2, 77), (TYPE, kind), (STATE, now), (INODE, 4711), (UID, 1000)];
        let mut nest =
            numbers.map(|(kind, value): (u16, u32)| attribute(kind, &value.to_ne_bytes())).concat();
        nest.extend(attribute(COOKIE, &(9_u64 | 1 << 40).to_ne_bytes()));
        nest.extend(attribute(STAT, &stats));
        attribute(SOCK, &nest)
    }

    #[test]
    fn a_tipc_socket_is_read_from_its_nest() {
        let bytes = reply(5, 10, &[(0, 3), (1, 4), (4, 6), (2, 0)]);
        let socket = TIPC.parse(&bytes).expect("a socket");
        assert_eq!((socket.inode(), socket.uid(), socket.cookie()), (Some(4711), 1000, 9 | 1 << 40));
        assert_eq!((socket.state(), socket.socket_type()), (State::Listen, Some(SocketType::SeqPacket)));
        let numbers: Vec<_> = ALL.iter().map(|field| socket.get(field)).collect();
        assert_eq!((numbers, socket.get(&skmem::DROPPED_MESSAGES)), (vec![Some(3), Some(4)], Some(6)));
    }

    /// What Linux 6.12 said of a socket with 12 unread messages, after 188 that did not fit.
    const RECORDED: &[u8] = b"\x60\0\x02\0\x08\0\x02\0\x26\x4f\x2e\x01\x08\0\x01\0\0\0\0\0\x04\0\x04\0\
        \x08\0\x06\0\x02\0\0\0\x08\0\x09\0\x07\0\0\0\x08\0\x07\0\x8f\x11\0\0\x08\0\x08\0\xfe\xff\0\0\
        \x0c\0\x0a\0\x09\0\0\0\0\0\0\0\x1c\0\x05\0\x08\0\0\0\x0c\0\0\0\x08\0\x01\0\0\0\0\0\
        \x08\0\x04\0\xbc\0\0\0";

    #[test]
    #[cfg(target_endian = "little")]
    fn a_recorded_reply_has_its_messages() {
        let socket = TIPC.parse(RECORDED).expect("a socket");
        assert_eq!((socket.inode(), socket.uid(), socket.cookie()), (Some(4495), 65534, 9));
        assert_eq!((socket.state(), socket.socket_type()), (State::Close, Some(SocketType::Datagram)));
        let numbers: Vec<_> = ALL.iter().map(|field| socket.get(field)).collect();
        assert_eq!((numbers, socket.get(&skmem::DROPPED_MESSAGES)), (vec![Some(12), Some(0)], Some(188)));
    }

    #[test]
    fn numbers_in_another_order_are_unknown() {
        for stats in [&[(1, 4), (0, 3), (4, 6)][..], &[(0, 3), (1, 4)], &[]] {
            let bytes = reply(4, 7, stats);
            let socket = TIPC.parse(&bytes).expect("a socket");
            assert_eq!(socket.get(&RECEIVE_QUEUE), None, "{stats:?}");
            assert_eq!(socket.socket_type().map(SocketType::name), Some("rdm"));
            assert_eq!(socket.class(), Class::Connection, "it has counters");
        }
    }

    #[test]
    fn a_request_has_eight_bytes() {
        let states = StateSet::of(&[State::Established]);
        let request = Request::new(&TIPC, states, Extensions::NONE);
        assert_eq!(request.message(1)[16..], [30, 0, 0, 0, 2, 0, 0, 0]);
    }
}
