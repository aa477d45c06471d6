//! Sockets between virtual machines and their host (`include/uapi/linux/vm_sockets_diag.h`). The kernel reports no memory, no
//! user and no counters of them.

use zerocopy::byteorder::native_endian::U32;
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

use super::super::attribute::{Attribute, Attributes, Extensions, Numbers};
use super::super::field::NoneValue::{AtLeast, Never};
use super::super::field::Width::U32 as Word;
use super::super::field::fields;
use super::super::state::{State, StateSet};
use super::socket::{Header, Socket, SocketType};
use super::{FixedPart, Protocol, Request, family};

const AF_VSOCK: u8 = 40;
/// `VMADDR_CID_ANY` and `VMADDR_PORT_ANY`
const ANY: u64 = 0xffff_ffff;

/// The states of a connection.
const CONNECTIONS: StateSet = StateSet::of(&[State::Established, State::SynSent, State::Closing]);

/// Virtual machines' sockets.
pub const VSOCK: Protocol = Protocol {
    name: "vsock",
    netids: &[(SocketType::Stream, "v_str"), (SocketType::Datagram, "v_dgr")],
    modules: "vsock_diag",
    states: CONNECTIONS.union(StateSet::of(&[State::Close, State::Listen])),
    connections: CONNECTIONS,
    listed: CONNECTIONS.union(StateSet::of(&[State::Close])),
    header: FixedPart::NONE,
    attributes: Extensions::of(Attribute::Type).with(Attribute::Vsock),
    lacks: &[],
    encode,
    parse,
    takes_filter: false,
    close_events: None,
    tables: None,
    sockstat: "",
};

fields! {
    /// Fields of `struct vsock_diag_msg`.
    ALL = Vsock;
    LOCAL_CID "vdiag_src_cid" @ 4 Word, "4.15", AtLeast(ANY), "The machine of this end; 2 is the host.";
    LOCAL_PORT "vdiag_src_port" @ 8 Word, "4.15", AtLeast(ANY), "The port of this end.";
    REMOTE_CID "vdiag_dst_cid" @ 12 Word, "4.15", AtLeast(ANY), "The machine of the other end.";
    REMOTE_PORT "vdiag_dst_port" @ 16 Word, "4.15", AtLeast(ANY), "The port of the other end.";
    INODE "vdiag_ino" @ 20 Word, "4.15", Never, "The inode that `/proc/PID/fd` shows.";
}

/// `struct vsock_diag_msg`.
#[derive(Debug, FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct VsockDiagMsg {
    family: u8,
    kind: [u8; 1],
    state: u8,
    _shutdown: u8,
    _ends: [U32; 4],
    inode: U32,
    cookie: [U32; 2],
}

fn encode(request: &Request, sequence: u32) -> Vec<u8> {
    family::encode_states(AF_VSOCK, request.states, 0, sequence)
}

fn parse<'a>(protocol: &'static Protocol, payload: &'a [u8]) -> Option<Socket<'a>> {
    let (message, rest) = VsockDiagMsg::ref_from_prefix(payload).ok()?;
    let header = Header {
        state: State::from_kernel(message.state)?,
        inode: message.inode.get(),
        cookie: family::cookie(message.cookie),
        ..Header::NONE
    };
    let mut attributes = Attributes::walk(payload, rest, &Numbers::NONE);
    attributes.set(Attribute::Type, &message.kind);
    attributes.set(Attribute::Vsock, payload);
    (message.family == AF_VSOCK).then_some(Socket { protocol, header, attributes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vsock_socket_has_its_ends_and_neither_user_nor_memory() {
        let reply = |state: u8, remote: [u32; 2]| {
            let mut bytes = vec![40, 1, state, 3];
            for word in [3, 1024, remote[0], remote[1], 4711, 9, 0] {
                bytes.extend(u32::to_ne_bytes(word));
            }
            bytes
        };
        let bytes = reply(1, [2, 5000]);
        let socket = VSOCK.parse(&bytes).expect("a socket");
        let ends = [&LOCAL_CID, &LOCAL_PORT, &REMOTE_CID, &REMOTE_PORT].map(|field| socket.get(field));
        assert_eq!(ends, [Some(3), Some(1024), Some(2), Some(5000)]);
        assert_eq!((socket.state(), socket.socket_type()), (State::Established, Some(SocketType::Stream)));
        assert_eq!((socket.inode(), socket.cookie()), (Some(4711), 9));
        let bytes = reply(10, [u32::MAX; 2]);
        let socket = VSOCK.parse(&bytes).expect("a socket");
        assert_eq!((socket.state(), socket.get(&REMOTE_CID)), (State::Listen, None));
    }

    #[test]
    fn a_request_is_24_bytes_with_its_states() {
        let states = StateSet::of(&[State::Listen]);
        let request = Request::new(&VSOCK, states, Extensions::MEMORY);
        let bytes = request.message(1);
        let mut expected = vec![0; 24];
        (expected[0], expected[5]) = (40, 4);
        assert_eq!(&bytes[16..], expected);
    }
}
