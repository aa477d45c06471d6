//! Netlink sockets (`include/uapi/linux/netlink_diag.h`).
//!
//! The kernel reports a socket that has joined a group twice, with one cookie.

use zerocopy::byteorder::native_endian::U32;
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

use super::super::attribute::{Attribute, Attributes, Extensions, Numbered, Numbers};
use super::super::field::NoneValue::Never;
use super::super::field::Width::{U8, U32 as Word};
use super::super::field::fields;
use super::super::skmem;
use super::super::state::{State, StateSet};
use super::socket::{Header, Socket, SocketType};
use super::{FixedPart, Protocol, Request, family};

const AF_NETLINK: u8 = 16;
/// `NDIAG_PROTO_ALL`
const EVERY_PROTOCOL: u8 = 255;

/// `NETLINK_DIAG_*` and `NDIAG_SHOW_*`.
const MEMORY: Numbered = Numbered { attribute: Attribute::Memory, number: 0, asked_by: 1 };
const NUMBERS: Numbers = Numbers::of(&[MEMORY]);
/// What asks for memory or for drops, which are a part of it.
const ASKED: &[Numbered] = &[MEMORY, Numbered { attribute: Attribute::DroppedMessages, ..MEMORY }];

/// Netlink.
pub const NETLINK: Protocol = Protocol {
    name: "netlink",
    netids: &[(SocketType::Raw, "nl"), (SocketType::Datagram, "nl")],
    modules: "netlink_diag",
    states: StateSet::of(&[State::Established, State::Close]),
    connections: StateSet::of(&[State::Established, State::Close]),
    listed: StateSet::of(&[State::Established, State::Close]),
    header: FixedPart::NONE,
    attributes: Extensions::of_table(ASKED).with(Attribute::Type).with(Attribute::Netlink),
    lacks: &[],
    encode,
    parse,
    takes_filter: false,
    close_events: None,
    tables: None,
    sockstat: "",
};

fields! {
    /// Fields of `struct netlink_diag_msg`.
    ALL = Netlink;
    PROTOCOL "ndiag_protocol" @ 2 U8, "3.10", Never, "The part of the kernel that it speaks to, `NETLINK_*`.";
    PORT "ndiag_portid" @ 4 Word, "3.10", Never, "Its own port; 0 of the kernel's sockets.";
    REMOTE_PORT "ndiag_dst_portid" @ 8 Word, "3.10", Never, "The port that it is connected to; 0 is the kernel.";
    REMOTE_GROUP "ndiag_dst_group" @ 12 Word, "3.10", Never, "The group that it is connected to; 0 is none.";
}

/// Names of protocols (`include/uapi/linux/netlink.h`), by number.
const NAMES: [&str; 23] = [
    "route",
    "unused",
    "usersock",
    "firewall",
    "sock_diag",
    "nflog",
    "xfrm",
    "selinux",
    "iscsi",
    "audit",
    "fib_lookup",
    "connector",
    "netfilter",
    "ip6_fw",
    "dnrtmsg",
    "uevent",
    "generic",
    "dm",
    "scsitransport",
    "ecryptfs",
    "rdma",
    "crypto",
    "smc",
];

/// The name of a netlink protocol, e.g. `route`; `None` of a number without a name.
#[must_use]
pub fn name(protocol: u8) -> Option<&'static str> {
    NAMES.get(usize::from(protocol)).copied()
}

/// The number of a netlink protocol with that name.
#[must_use]
pub fn number(name: &str) -> Option<u8> {
    let at = NAMES.iter().position(|known| *known == name)?;
    u8::try_from(at).ok()
}

/// `struct netlink_diag_msg`.
#[derive(Debug, FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct NetlinkDiagMsg {
    family: u8,
    kind: [u8; 1],
    _protocol: u8,
    state: u8,
    port: U32,
    _remote_port: U32,
    _remote_group: U32,
    inode: U32,
    cookie: [U32; 2],
}

fn encode(request: &Request, sequence: u32) -> Vec<u8> {
    family::encode_show(AF_NETLINK, EVERY_PROTOCOL, family::show(ASKED, request), sequence)
}

fn parse<'a>(protocol: &'static Protocol, payload: &'a [u8]) -> Option<Socket<'a>> {
    let (message, rest) = NetlinkDiagMsg::ref_from_prefix(payload).ok()?;
    let header = Header {
        // NETLINK_CONNECTED; what was never connected has 7, what was disconnected 0.
        state: if message.state == 1 { State::Established } else { State::Close },
        // No process holds the kernel's own sockets, which have no port.
        inode: if message.port.get() == 0 { 0 } else { message.inode.get() },
        cookie: family::cookie(message.cookie),
        ..Header::NONE
    };
    let mut attributes = Attributes::walk(payload, rest, &NUMBERS);
    attributes.set(Attribute::Type, &message.kind);
    attributes.set(Attribute::Netlink, payload);
    if let Some((memory, drops)) =
        attributes.get(Attribute::Memory).and_then(|all| all.split_at_checked(skmem::DROPS.offset))
    {
        attributes.set(Attribute::Memory, memory);
        attributes.set(Attribute::DroppedMessages, drops);
    }
    (message.family == AF_NETLINK).then_some(Socket { protocol, header, attributes })
}

impl Socket<'_> {
    /// The port of a netlink socket, which is often the id of the process that made it; `None` of the kernel's own sockets.
    #[must_use]
    pub fn netlink_port(&self) -> Option<u32> {
        self.get(&PORT).filter(|port| *port != 0).and_then(|port| u32::try_from(port).ok())
    }

    /// The netlink protocol, `NETLINK_*`.
    #[must_use]
    pub fn netlink_protocol(&self) -> Option<u8> {
        self.get(&PROTOCOL).and_then(|number| u8::try_from(number).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Linux 6.18 sent of a `NETLINK_ROUTE` socket that lost 18 messages.
    fn reply(protocol: u8, port: u32) -> Vec<u8> {
        let mut bytes = vec![16, 3, protocol, 7];
        for word in [port, 0, 0, 4711, 9, 1] {
            bytes.extend(word.to_ne_bytes());
        }
        bytes.extend([40_u16, 0].map(u16::to_ne_bytes).concat());
        bytes.extend([4352_u32, 212_992, 0, 212_992, 0, 0, 0, 0, 18].map(u32::to_ne_bytes).concat());
        bytes
    }

    #[test]
    fn a_netlink_socket_has_its_protocol_port_memory_and_drops() {
        let bytes = reply(0, 1234);
        let socket = NETLINK.parse(&bytes).expect("a socket");
        assert_eq!((socket.netlink_protocol(), socket.netlink_port()), (Some(0), Some(1234)));
        assert_eq!((socket.inode(), socket.cookie()), (Some(4711), 9 | 1 << 32));
        assert_eq!(
            (socket.get(&skmem::RMEM_ALLOC), socket.get(&skmem::DROPPED_MESSAGES)),
            (Some(4352), Some(18))
        );
        assert_eq!((socket.state(), socket.socket_type()), (State::Close, Some(SocketType::Raw)));
        let of_kernel = reply(15, 0);
        let of_kernel = NETLINK.parse(&of_kernel).expect("a socket");
        assert_eq!((of_kernel.netlink_port(), of_kernel.inode()), (None, None));
    }

    #[test]
    fn every_name_of_a_protocol_has_its_number() {
        assert_eq!(
            (name(0), name(9), name(16), name(22)),
            (Some("route"), Some("audit"), Some("generic"), Some("smc"))
        );
        assert_eq!((name(23), number("none")), (None, None));
        for at in 0..23 {
            assert_eq!(name(at).and_then(number), Some(at));
        }
    }

    #[test]
    fn a_request_asks_every_protocol_and_for_no_groups() {
        let extensions = Extensions::MEMORY.union(Extensions::INFO);
        let request = Request::new(&NETLINK, StateSet::ALL, extensions);
        let bytes = request.message(1);
        assert_eq!((bytes.len(), bytes[4], &bytes[16..20], bytes[24]), (36, 20, &[16, 255, 0, 0][..], 1));
    }
}
