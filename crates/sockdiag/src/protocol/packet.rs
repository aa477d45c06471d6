//! Packet sockets, which capture or send frames (`include/uapi/linux/packet_diag.h`).

use zerocopy::byteorder::native_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

use super::super::attribute::{Attribute, Attributes, Extensions, Numbered, Numbers};
use super::super::field::NoneValue::Never;
use super::super::field::Width::U16 as Half;
use super::super::field::fields;
use super::super::frame::NetlinkAttributes;
use super::super::skmem;
use super::super::state::{State, StateSet};
use super::socket::{Header, Socket, SocketType};
use super::{FixedPart, Protocol, Request, family};

const AF_PACKET: u8 = 17;
/// `PACKET_SHOW_INFO`, which the interface and the user come with. Never `PACKET_SHOW_MCLIST`: it takes the lock of all network
/// configuration.
const SHOW_INFO: u32 = 1;
/// `PACKET_SHOW_MEMINFO` and `PACKET_SHOW_RING_CFG`: with a ring the kernel's drops are no drops.
const SHOW_MEMORY: u8 = 1 << 4 | 1 << 2;

/// `PACKET_DIAG_INFO`
const INFO: u16 = 0;
/// `PACKET_DIAG_RX_RING`
const RECEIVE_RING: u16 = 2;
/// `PACKET_DIAG_UID`
const UID: u16 = 5;

/// `PACKET_DIAG_*` and `PACKET_SHOW_*`.
const NUMBERED: &[Numbered] = &[Numbered { attribute: Attribute::Memory, number: 6, asked_by: SHOW_MEMORY }];
const NUMBERS: Numbers = Numbers::of(NUMBERED);

/// Packet sockets.
pub const PACKET: Protocol = Protocol {
    name: "packet",
    netids: &[(SocketType::Raw, "p_raw"), (SocketType::Datagram, "p_dgr")],
    modules: "af_packet_diag",
    states: StateSet::of(&[State::Close]),
    connections: StateSet::of(&[State::Close]),
    listed: StateSet::of(&[State::Close]),
    header: FixedPart { uid: true, interface: true, ..FixedPart::NONE },
    attributes: Extensions::of_table(NUMBERED).with(Attribute::Type).with(Attribute::Packet),
    lacks: &[],
    encode,
    parse,
    takes_filter: false,
    close_events: None,
    tables: None,
    sockstat: "",
};

fields! {
    /// Fields of `struct packet_diag_msg`.
    ALL = Packet;
    ETHERTYPE "pdiag_num" @ 2 Half, "3.7", Never, "The type of the frames that it receives, `ETH_P_*`; 0 receives none.";
}

/// Types of frames by the names of `ss` (`include/uapi/linux/if_ether.h`).
const NAMES: [(&str, u16); 15] = [
    ("all", 0x0003),
    ("802_2", 0x0004),
    ("ip", 0x0800),
    ("ipv4", 0x0800),
    ("arp", 0x0806),
    ("rarp", 0x8035),
    ("802.1Q", 0x8100),
    ("ipv6", 0x86dd),
    ("slow", 0x8809),
    ("mpls_uc", 0x8847),
    ("ppp_disc", 0x8863),
    ("ppp_ses", 0x8864),
    ("pae", 0x888e),
    ("802.1ad", 0x88a8),
    ("lldp", 0x88cc),
];

/// The type of a frame by its name in `ss`, or by its number, which is hexadecimal behind `0x`.
#[must_use]
pub fn ethertype(word: &str) -> Option<u16> {
    let named = NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map(|(_, number)| *number);
    named.or_else(|| match word.strip_prefix("0x") {
        Some(digits) => u16::from_str_radix(digits, 16).ok(),
        None => word.parse().ok(),
    })
}

/// `struct packet_diag_msg`.
#[derive(Debug, FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct PacketDiagMsg {
    family: u8,
    kind: [u8; 1],
    _ethertype: U16,
    inode: U32,
    cookie: [U32; 2],
}

fn encode(request: &Request, sequence: u32) -> Vec<u8> {
    // The protocol must be 0.
    family::encode_show(AF_PACKET, 0, SHOW_INFO | family::show(NUMBERED, request), sequence)
}

fn parse<'a>(protocol: &'static Protocol, payload: &'a [u8]) -> Option<Socket<'a>> {
    let (message, rest) = PacketDiagMsg::ref_from_prefix(payload).ok()?;
    let find = |wanted| NetlinkAttributes(rest).find(|(kind, _)| *kind == wanted).map(|(_, bytes)| bytes);
    let header = Header {
        inode: message.inode.get(),
        cookie: family::cookie(message.cookie),
        uid: find(UID).and_then(family::word).unwrap_or_default(),
        interface: find(INFO).and_then(family::word).unwrap_or_default(),
        ..Header::NONE
    };
    let mut attributes = Attributes::walk(payload, rest, &NUMBERS);
    attributes.set(Attribute::Type, &message.kind);
    attributes.set(Attribute::Packet, payload);
    // A socket with a ring drops frames without a count in its memory: absent, not 0.
    if let (Some(_), Some(memory)) = (find(RECEIVE_RING), attributes.get(Attribute::Memory)) {
        attributes.set(Attribute::Memory, memory.get(..skmem::DROPS.offset).unwrap_or(memory));
    }
    (message.family == AF_PACKET).then_some(Socket { protocol, header, attributes })
}

impl Socket<'_> {
    /// The type of the frames that a packet socket receives, `ETH_P_*`.
    #[must_use]
    pub fn ethertype(&self) -> Option<u16> {
        self.get(&ETHERTYPE).and_then(|number| u16::try_from(number).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(attributes: &[(u16, Vec<u8>)]) -> Vec<u8> {
        let mut bytes = vec![17, 2];
        bytes.extend(0x88cc_u16.to_ne_bytes());
        bytes.extend([4711_u32, 9, 0].map(u32::to_ne_bytes).concat());
        for (kind, payload) in attributes {
            bytes.extend(u16::try_from(4 + payload.len()).expect("short").to_ne_bytes());
            bytes.extend(kind.to_ne_bytes());
            bytes.extend_from_slice(payload);
        }
        bytes
    }

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_ne_bytes()).collect()
    }

    #[test]
    fn a_packet_socket_has_its_interface_type_user_and_drops() {
        let memory = words(&[1, 2, 3, 4, 5, 6, 7, 8, 793]);
        let bytes = reply(&[(0, words(&[2, 0, 0, 0, 0, 1])), (5, words(&[1000])), (6, memory)]);
        let socket = PACKET.parse(&bytes).expect("a socket");
        assert_eq!((socket.interface(), socket.uid(), socket.ethertype()), (Some(2), 1000, Some(0x88cc)));
        assert_eq!((socket.inode(), socket.cookie(), socket.get(&skmem::DROPS)), (Some(4711), 9, Some(793)));
        assert_eq!((socket.state(), socket.socket_type()), (State::Close, Some(SocketType::Datagram)));
        assert_eq!(socket.local().port(), 0);
    }

    #[test]
    fn the_drops_of_a_socket_with_a_ring_are_unknown() {
        let memory = words(&[1, 2, 3, 4, 5, 6, 7, 8, 0]);
        let bytes = reply(&[(2, words(&[4096, 4, 2048, 8, 0, 0, 0])), (6, memory)]);
        let socket = PACKET.parse(&bytes).expect("a socket");
        assert_eq!((socket.get(&skmem::BACKLOG), socket.get(&skmem::DROPS)), (Some(8), None));
    }

    #[test]
    fn a_request_for_memory_asks_for_rings_too_and_never_for_multicast_lists() {
        let request = |extensions| Request::new(&PACKET, StateSet::ALL, extensions);
        let show = |extensions| request(extensions).message(1)[24];
        assert_eq!((show(Extensions::NONE), show(Extensions::MEMORY)), (1, 1 | 4 | 16));
        let everything = PACKET.attributes.union(Extensions::INFO);
        assert_eq!(show(everything) & 2, 0);
    }
}
