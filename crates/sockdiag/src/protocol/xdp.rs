//! XDP sockets, which take frames from a queue of a device past the kernel's network stack (`include/uapi/linux/xdp_diag.h`).
//!
//! The kernel ends a dump early, and as complete, at a socket that is bound to no queue.

use zerocopy::byteorder::native_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

use super::super::attribute::{Attribute, Attributes, Extensions, Numbered, Numbers};
use super::super::field::NoneValue::Never;
use super::super::field::Width::{U32 as Word, U64};
use super::super::field::{Field, fields};
use super::super::frame::NetlinkAttributes;
use super::super::state::{State, StateSet};
use super::socket::{Header, Socket};
use super::{FixedPart, Protocol, Request, family};

const AF_XDP: u8 = 44;
/// `XDP_SHOW_INFO`, which the interface, the queue and the user come with.
const SHOW_INFO: u8 = 1;
/// `XDP_DIAG_UID`
const UID: u16 = 2;

/// `XDP_DIAG_*` and `XDP_SHOW_*`.
const NUMBERED: &[Numbered] = &[
    Numbered { attribute: Attribute::XdpInfo, number: 1, asked_by: SHOW_INFO },
    Numbered { attribute: Attribute::Memory, number: 8, asked_by: 1 << 3 },
    Numbered { attribute: Attribute::XdpStats, number: 9, asked_by: 1 << 4 },
];
const NUMBERS: Numbers = Numbers::of(NUMBERED);

/// XDP.
pub const XDP: Protocol = Protocol {
    name: "xdp",
    netids: &[],
    modules: "xsk_diag",
    states: StateSet::of(&[State::Close]),
    connections: StateSet::of(&[State::Close]),
    listed: StateSet::of(&[State::Close]),
    header: FixedPart { uid: true, interface: true, ..FixedPart::NONE },
    attributes: Extensions::of_table(NUMBERED),
    lacks: &[],
    encode,
    parse,
    takes_filter: false,
    close_events: None,
    tables: None,
    sockstat: "",
};

/// The queue of the device, of `struct xdp_diag_info`.
pub const QUEUE: Field = Field {
    attribute: Attribute::XdpInfo,
    name: "queue_id",
    offset: 4,
    width: Word,
    since: "5.1",
    none: Never,
};

fields! {
    /// Every field of `struct xdp_diag_stats`.
    ALL = XdpStats;
    RX_DROPPED "n_rx_dropped" @ 0 U64, "5.9", Never, "Frames dropped for another reason than a full ring.";
    RX_INVALID "n_rx_invalid" @ 8 U64, "5.9", Never, "Descriptors of the fill ring that are not valid.";
    RX_FULL "n_rx_full" @ 16 U64, "5.9", Never, "Frames dropped because the receive ring was full.";
    FILL_RING_EMPTY "n_fill_ring_empty" @ 24 U64, "5.9", Never, "Times that the fill ring was empty.";
    TX_INVALID "n_tx_invalid" @ 32 U64, "5.9", Never, "Descriptors of the transmit ring that are not valid.";
    TX_RING_EMPTY "n_tx_ring_empty" @ 40 U64, "5.9", Never, "Times that the transmit ring was empty.";
}

/// `struct xdp_diag_msg`.
#[derive(Debug, FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct XdpDiagMsg {
    family: u8,
    _kind: u8,
    _pad: U16,
    inode: U32,
    cookie: [U32; 2],
}

fn encode(request: &Request, sequence: u32) -> Vec<u8> {
    let show = u32::from(SHOW_INFO) | family::show(NUMBERED, request);
    family::encode_show(AF_XDP, 0, show, sequence)
}

fn parse<'a>(protocol: &'static Protocol, payload: &'a [u8]) -> Option<Socket<'a>> {
    let (message, rest) = XdpDiagMsg::ref_from_prefix(payload).ok()?;
    let attributes = Attributes::walk(payload, rest, &NUMBERS);
    let uid = NetlinkAttributes(rest).find(|(kind, _)| *kind == UID).and_then(|(_, uid)| family::word(uid));
    let header = Header {
        inode: message.inode.get(),
        cookie: family::cookie(message.cookie),
        uid: uid.unwrap_or_default(),
        interface: attributes.get(Attribute::XdpInfo).and_then(family::word).unwrap_or_default(),
        ..Header::NONE
    };
    (message.family == AF_XDP).then_some(Socket { protocol, header, attributes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_xdp_socket_has_its_queue_interface_user_and_counters() {
        let mut bytes = vec![44, 3, 0, 0];
        bytes.extend([4711_u32, 9, 0].map(u32::to_ne_bytes).concat());
        bytes.extend([12_u16, 1].map(u16::to_ne_bytes).concat());
        bytes.extend([2_u32, 5].map(u32::to_ne_bytes).concat());
        bytes.extend([8_u16, 2].map(u16::to_ne_bytes).concat());
        bytes.extend(1000_u32.to_ne_bytes());
        bytes.extend([52_u16, 9].map(u16::to_ne_bytes).concat());
        bytes.extend([1_u64, 2, 3, 4, 5, u64::MAX].map(u64::to_ne_bytes).concat());
        let socket = XDP.parse(&bytes).expect("a socket");
        assert_eq!((socket.interface(), socket.get(&QUEUE), socket.uid()), (Some(2), Some(5), 1000));
        let counters: Vec<_> = ALL.iter().map(|field| socket.get(field)).collect();
        assert_eq!(counters, [1, 2, 3, 4, 5, u64::MAX].map(Some));
        assert_eq!((socket.inode(), socket.cookie(), socket.state()), (Some(4711), 9, State::Close));
    }

    #[test]
    fn a_request_asks_for_no_rings_and_no_memory_of_frames() {
        let request = |extensions| Request::new(&XDP, StateSet::ALL, extensions);
        let show = |extensions| request(extensions).message(1)[24];
        assert_eq!((show(Extensions::NONE), show(XDP.attributes)), (1, 1 | 8 | 16));
    }
}
