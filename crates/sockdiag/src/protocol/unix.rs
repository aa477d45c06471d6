//! Unix sockets (`include/uapi/linux/unix_diag.h`).
//!
//! Never asks for the inodes of pending connections (`UDIAG_SHOW_ICONS`): where they do not fit in a reply, the kernel ends the
//! dump early, and as complete.

use zerocopy::byteorder::native_endian::U32;
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

use super::super::attribute::{Attribute, Attributes, Extensions, Numbered, Numbers};
use super::super::field::NoneValue::Never;
use super::super::field::Width::{U8, U32 as Word};
use super::super::field::fields;
use super::super::frame::NetlinkAttributes;
use super::super::skmem;
use super::super::state::{State, StateSet};
use super::socket::{Header, Socket, SocketType};
use super::{FixedPart, Protocol, Request, family};

const AF_UNIX: u8 = 1;
/// `UDIAG_SHOW_UID`: the user that the fixed part of other families has.
const SHOW_UID: u32 = 0x40;
/// `UNIX_DIAG_UID`
const UID: u16 = 7;
/// `sizeof(sun_path)`
const LONGEST_NAME: usize = 108;
/// Digits of a name that the kernel has chosen.
const AUTOBIND_DIGITS: usize = 5;

/// `UNIX_DIAG_*` and `UDIAG_SHOW_*`.
const NUMBERED: &[Numbered] = &[
    Numbered { attribute: Attribute::Name, number: 0, asked_by: 0x01 },
    Numbered { attribute: Attribute::Peer, number: 2, asked_by: 0x04 },
    Numbered { attribute: Attribute::Queues, number: 4, asked_by: 0x10 },
    Numbered { attribute: Attribute::Memory, number: 5, asked_by: 0x20 },
    Numbered { attribute: Attribute::Shutdown, number: 6, asked_by: 0 },
];
const NUMBERS: Numbers = Numbers::of(NUMBERED);

/// Connected, and unconnected or unbound.
const CONNECTIONS: StateSet = StateSet::of(&[State::Established, State::Close]);

/// Unix sockets of every type. The kernel reports neither their cgroup nor when they close.
pub const UNIX: Protocol = Protocol {
    name: "unix",
    netids: &[
        (SocketType::Stream, "u_str"),
        (SocketType::Datagram, "u_dgr"),
        (SocketType::SeqPacket, "u_seq"),
    ],
    modules: "unix_diag",
    states: CONNECTIONS.union(StateSet::of(&[State::Listen])),
    connections: CONNECTIONS,
    listed: StateSet::of(&[State::Established]),
    header: FixedPart { fields: &[], internet: false, uid: true, interface: false },
    attributes: Extensions::of_table(NUMBERED).with(Attribute::Type),
    // Memory is charged to the sender, who waits or fails instead of losing a message.
    lacks: &[&skmem::RMEM_ALLOC, &skmem::RCVBUF, &skmem::BACKLOG, &skmem::DROPS],
    encode,
    parse,
    takes_filter: false,
    close_events: None,
    tables: None,
    sockstat: "",
};

fields! {
    /// The peer.
    PEERS = Peer;
    PEER "UNIX_DIAG_PEER" @ 0 Word, "3.3", Never, "The inode of the peer; 0 if it is not accepted yet or closed.";
}

fields! {
    /// The directions that are shut down.
    SHUTDOWNS = Shutdown;
    SHUTDOWN "UNIX_DIAG_SHUTDOWN" @ 0 U8, "3.7", Never, "Directions shut down: 1 receive, 2 send.";
}

/// `struct unix_diag_msg`.
#[derive(Debug, FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct UnixDiagMsg {
    family: u8,
    kind: [u8; 1],
    state: u8,
    _pad: u8,
    inode: U32,
    cookie: [U32; 2],
}

fn encode(request: &Request, sequence: u32) -> Vec<u8> {
    let show = SHOW_UID | family::show(NUMBERED, request);
    family::encode_states(AF_UNIX, request.states, show, sequence)
}

fn parse<'a>(protocol: &'static Protocol, payload: &'a [u8]) -> Option<Socket<'a>> {
    let (message, rest) = UnixDiagMsg::ref_from_prefix(payload).ok()?;
    let uid = NetlinkAttributes(rest).find(|(kind, _)| *kind == UID).and_then(|(_, uid)| family::word(uid));
    let header = Header {
        state: State::from_kernel(message.state)?,
        cookie: family::cookie(message.cookie),
        inode: message.inode.get(),
        uid: uid.unwrap_or_default(),
        ..Header::NONE
    };
    let mut attributes = Attributes::walk(payload, rest, &NUMBERS);
    attributes.set(Attribute::Type, &message.kind);
    let mut socket = Socket { protocol, header, attributes };
    // Its receive queue is the size of the next message, not of all.
    if socket.socket_type() == Some(SocketType::Datagram) {
        socket.attributes.remove(Attribute::Queues);
    }
    (message.family == AF_UNIX && protocol.states.contains(header.state)).then_some(socket)
}

/// The name of a unix socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnixName<'a> {
    /// The path of a file, as the process wrote it.
    Path(&'a [u8]),
    /// A name without a file, without the NUL before it.
    Abstract(&'a [u8]),
    /// A name without a file that the kernel has chosen.
    Autobound,
}

/// How a unix socket that was connected stands to its peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peering {
    /// The peer has this inode.
    Connected(u32),
    /// The listener has not accepted the connection yet.
    Waiting,
    /// The peer has closed its end.
    Orphaned,
}

impl<'a> Socket<'a> {
    /// The name of a unix socket, if it was asked for and the socket has one. What a listener has accepted has its name.
    #[must_use]
    pub fn unix_name(&self) -> Option<UnixName<'a>> {
        let bytes = self.attributes.get(Attribute::Name)?;
        let bytes = bytes.get(..LONGEST_NAME).unwrap_or(bytes);
        let is_chosen = |name: &[u8]| {
            let digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            name.len() == AUTOBIND_DIGITS && name.iter().all(digit)
        };
        match bytes {
            [] => None,
            [0, name @ ..] if is_chosen(name) => Some(UnixName::Autobound),
            [0, name @ ..] => Some(UnixName::Abstract(name)),
            // The kernel ends a path with a NUL, where there is room for it.
            _ => bytes.split(|byte| *byte == 0).next().map(UnixName::Path),
        }
    }

    /// The peer of a unix socket; `None` if it was not asked for or the socket was never connected.
    #[must_use]
    pub fn peering(&self) -> Option<Peering> {
        match (u32::try_from(self.get(&PEER)?).ok()?, self.get(&SHUTDOWN)?, self.state()) {
            (0, 0, State::Established) => Some(Peering::Waiting),
            (0, 3, _) => Some(Peering::Orphaned),
            (0, ..) => None,
            (inode, ..) => Some(Peering::Connected(inode)),
        }
    }
}

#[cfg(test)]
mod tests;
