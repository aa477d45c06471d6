//! What the families without internet addresses share: a request by family with a `show` mask, and small readers.

use zerocopy::byteorder::native_endian::{U16, U32};
use zerocopy::{Immutable, IntoBytes, Unaligned};

use super::super::attribute::Numbered;
use super::super::frame::dump_request;
use super::super::state::StateSet;
use super::Request;

/// The request, and the type of each reply to it.
pub(super) const SOCK_DIAG_BY_FAMILY: u16 = 20;

/// `struct netlink_diag_req`, `struct packet_diag_req`, `struct xdp_diag_req`: no states.
#[derive(IntoBytes, Immutable, Unaligned)]
#[repr(C)]
struct ShowRequest {
    family: u8,
    protocol: u8,
    pad: U16,
    inode: U32,
    show: U32,
    cookie: [U32; 2],
}

/// `struct vsock_diag_req`, and the layout of `struct unix_diag_req`.
#[derive(IntoBytes, Immutable, Unaligned)]
#[repr(C)]
struct StatesRequest {
    family: u8,
    protocol: u8,
    pad: U16,
    states: U32,
    inode: U32,
    show: U32,
    cookie: [U32; 2],
}

/// The bits that ask for the wanted attributes of a family's table.
pub(super) fn show(table: &[Numbered], request: &Request) -> u32 {
    let wanted = table.iter().filter(|line| request.extensions.contains(line.attribute));
    wanted.fold(0, |bits, line| bits | u32::from(line.asked_by))
}

/// The message that asks for all sockets of a family, in whatever state.
pub(super) fn encode_show(family: u8, protocol: u8, show: u32, sequence: u32) -> Vec<u8> {
    let body = ShowRequest {
        family,
        protocol,
        pad: 0.into(),
        inode: 0.into(),
        show: show.into(),
        cookie: [0.into(); 2],
    };
    dump_request(SOCK_DIAG_BY_FAMILY, sequence, body.as_bytes())
}

/// The message that asks for the sockets of a family in these states.
pub(super) fn encode_states(family: u8, states: StateSet, show: u32, sequence: u32) -> Vec<u8> {
    let body = StatesRequest {
        family,
        protocol: 0,
        pad: 0.into(),
        states: states.bits().into(),
        inode: 0.into(),
        show: show.into(),
        cookie: [0.into(); 2],
    };
    dump_request(SOCK_DIAG_BY_FAMILY, sequence, body.as_bytes())
}

/// A cookie as the kernel sends it.
pub(super) fn cookie([low, high]: [U32; 2]) -> u64 {
    u64::from(low.get()) | u64::from(high.get()) << u32::BITS
}

/// The word that an attribute begins with.
pub(super) fn word(attribute: &[u8]) -> Option<u32> {
    attribute.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes))
}
