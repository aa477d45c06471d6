//! SMC sockets, which carry TCP's streams over RDMA or shared memory (`include/uapi/linux/smc_diag.h`). The TCP connection that
//! set one up is a socket of TCP.

use zerocopy::byteorder::native_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::super::attribute::{Attributes, Extensions, Numbers};
use super::super::frame::dump_request;
use super::super::state::{State, StateSet};
use super::socket::{Endpoints, Header, Socket, SocketId};
use super::{FixedPart, Protocol, Request, family};

const AF_SMC: u8 = 43;

/// `enum smc_state` of `net/smc/smc.h`.
const STATES: &[(u8, State)] = &[
    (1, State::Active),
    (2, State::Init),
    (7, State::Close),
    (10, State::Listen),
    (20, State::PeerCloseWait1),
    (21, State::PeerCloseWait2),
    (22, State::AppFinCloseWait),
    (23, State::AppCloseWait1),
    (24, State::AppCloseWait2),
    (25, State::PeerFinCloseWait),
    (26, State::PeerAbortWait),
    (27, State::ProcessAbort),
];

/// The states of a connection.
const CONNECTIONS: StateSet = StateSet::of(&[
    State::Active,
    State::PeerCloseWait1,
    State::PeerCloseWait2,
    State::AppFinCloseWait,
    State::AppCloseWait1,
    State::AppCloseWait2,
    State::PeerFinCloseWait,
]);

/// The states of all others.
const OTHERS: StateSet =
    StateSet::of(&[State::Init, State::Close, State::Listen, State::PeerAbortWait, State::ProcessAbort]);

/// SMC.
pub const SMC: Protocol = Protocol {
    name: "smc",
    netids: &[],
    modules: "smc_diag",
    states: CONNECTIONS.union(OTHERS),
    connections: CONNECTIONS,
    listed: CONNECTIONS,
    header: FixedPart { internet: true, uid: true, interface: true, ..FixedPart::NONE },
    attributes: Extensions::NONE,
    lacks: &[],
    encode,
    parse,
    takes_filter: false,
    close_events: None,
    tables: None,
    sockstat: "",
};

/// `struct smc_diag_req`.
#[derive(IntoBytes, Immutable, Unaligned)]
#[repr(C)]
struct SmcDiagReq {
    family: u8,
    pad: [u8; 2],
    extensions: u8,
    socket_id: [u8; 48],
}

/// `struct smc_diag_msg`.
#[derive(Debug, FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct SmcDiagMsg {
    family: u8,
    state: u8,
    _mode: u8,
    _shutdown: u8,
    id: SocketId,
    uid: U32,
    inode: U64,
}

fn encode(_: &Request, sequence: u32) -> Vec<u8> {
    let body = SmcDiagReq { family: AF_SMC, pad: [0; 2], extensions: 0, socket_id: [0; 48] };
    dump_request(family::SOCK_DIAG_BY_FAMILY, sequence, body.as_bytes())
}

fn parse<'a>(protocol: &'static Protocol, payload: &'a [u8]) -> Option<Socket<'a>> {
    let (message, _) = SmcDiagMsg::ref_from_prefix(payload).ok()?;
    let (_, state) = STATES.iter().find(|(number, _)| *number == message.state)?;
    // The family is AF_SMC for both: an IPv4 address takes four of the sixteen bytes.
    let ipv4 =
        [message.id.source, message.id.destination].iter().all(|[_, _, _, _, rest @ ..]| *rest == [0; 12]);
    let header = Header {
        state: *state,
        inode: u32::try_from(message.inode.get()).unwrap_or_default(),
        uid: message.uid.get(),
        cookie: family::cookie(message.id.cookie),
        interface: message.id.interface.get(),
        ends: Some(Endpoints { ipv4, id: &message.id }),
        ..Header::NONE
    };
    let attributes = Attributes::walk(payload, &[], &Numbers::NONE);
    (message.family == AF_SMC).then_some(Socket { protocol, header, attributes })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(state: u8, remote: [u8; 16]) -> Vec<u8> {
        let mut bytes = vec![43, state, 1, 0];
        bytes.extend([80_u16, 4242].map(u16::to_be_bytes).concat());
        bytes.extend([[127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], remote].concat());
        bytes.extend([0_u32, 9, 0, 1000].map(u32::to_ne_bytes).concat());
        bytes.extend(4711_u64.to_ne_bytes());
        bytes
    }

    #[test]
    fn an_smc_socket_has_its_ends_its_user_and_its_state() {
        let remote = [10, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let bytes = reply(20, remote);
        let socket = SMC.parse(&bytes).expect("a socket");
        assert_eq!(socket.local().to_string(), "127.0.0.1:80");
        assert_eq!(socket.remote().to_string(), "10.0.0.7:4242");
        assert_eq!((socket.inode(), socket.uid(), socket.cookie()), (Some(4711), 1000, 9));
        assert_eq!(socket.state().name(), "peerclosewait1");
        for (number, state) in STATES {
            let bytes = reply(*number, remote);
            assert_eq!(SMC.parse(&bytes).expect("a socket").state(), *state);
            assert!(SMC.states.contains(*state), "{state:?}");
        }
        let bytes = reply(1, [1; 16]);
        assert!(SMC.parse(&bytes).expect("a socket").remote().is_ipv6());
        assert!(SMC.parse(&reply(3, remote)).is_none(), "a state without a name");
    }

    #[test]
    fn a_request_has_52_bytes_and_asks_for_nothing_more() {
        let request = Request::new(&SMC, StateSet::ALL, Extensions::NONE);
        let mut expected = vec![0; 52];
        expected[0] = 43;
        assert_eq!(request.message(1)[16..], expected);
    }
}
