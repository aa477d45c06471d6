//! SCTP over IPv4 and IPv6 (`net/sctp/diag.c`): a reply for each association, and one for each endpoint.
//!
//! The replies of a one-to-many socket share the cookie of the socket, so an association's identity is the cookie and its ends.

use super::super::attribute::Attribute;
use super::super::field::NoneValue::{Never, Zero};
use super::super::field::Width::{U16, U32, U64};
use super::super::field::fields;
use super::super::frame::NetlinkAttributes;
use super::super::state::{State, StateSet};
use super::socket::{Endpoints, Socket};
use super::{Extensions, FixedPart, Protocol, Request, inet};

const IPPROTO_SCTP: u8 = 132;
/// `INET_DIAG_PEERS`, which only an association has.
const PEERS: u16 = 13;
/// The state of an endpoint that listens, `SCTP_SS_LISTENING`.
const LISTEN: u8 = State::Listen as u8;
/// The length of `struct inet_diag_msg`.
const FIXED: usize = 72;

/// `enum sctp_state` (`include/net/sctp/constants.h`), from 0 on.
const STATES: [State; 8] = [
    State::Close,
    State::CookieWait,
    State::CookieEchoed,
    State::Established,
    State::ShutdownPending,
    State::ShutdownSent,
    State::ShutdownReceived,
    State::ShutdownAckSent,
];

/// The states of an association that is not closed.
const ASSOCIATIONS: StateSet = StateSet::of(&STATES).without(StateSet::of(&[State::Close]));

/// The states of an endpoint.
const ENDPOINTS: StateSet = StateSet::of(&[State::Close, State::Listen]);

const ATTRIBUTES: Extensions = Extensions::MEMORY
    .union(Extensions::TOS)
    .union(Extensions::CLASS_ID)
    .with(Attribute::SctpInfo)
    .with(Attribute::Mark)
    .with(Attribute::Cgroup)
    .with(Attribute::Options);

/// SCTP.
pub const SCTP: Protocol = Protocol {
    name: "sctp",
    netids: &[],
    modules: "inet_diag and sctp_diag",
    states: StateSet::of(&STATES).union(ENDPOINTS),
    connections: ASSOCIATIONS,
    listed: ASSOCIATIONS,
    // The queues of an association are memory, and its timer is another than those of TCP.
    header: FixedPart { fields: &[], internet: true, uid: true, interface: true },
    attributes: ATTRIBUTES,
    lacks: &[],
    encode,
    parse,
    takes_filter: false,
    close_events: None,
    tables: None,
    sockstat: "",
};

fields! {
    /// Fields of `struct sctp_info`.
    ALL = SctpInfo;
    UNACKED "sctpi_unackdata" @ 12 U16, "4.7", Never, "Chunks sent and not yet acknowledged.";
    MISSING "sctpi_penddata" @ 14 U16, "4.7", Never, "Chunks that are missing before others that were received.";
    SENT_PACKETS "sctpi_opackets" @ 72 U64, "4.7", Never, "Packets sent.";
    RECEIVED_PACKETS "sctpi_ipackets" @ 80 U64, "4.7", Never, "Packets received.";
    RETRANSMITTED_CHUNKS "sctpi_rtxchunks" @ 88 U64, "4.7", Never, "Chunks retransmitted.";
    OUT_OF_SEQUENCE "sctpi_outofseqtsns" @ 96 U64, "4.7", Never, "Chunks received out of sequence.";
    DUPLICATE_CHUNKS "sctpi_idupchunks" @ 104 U64, "4.7", Never, "Chunks received twice.";
    CWND "sctpi_p_cwnd" @ 300 U32, "4.7", Never, "Congestion window of the primary path, bytes.";
    SRTT "sctpi_p_srtt" @ 304 U32, "4.7", Zero, "Smoothed RTT of the primary path, ms.";
    RTO "sctpi_p_rto" @ 308 U32, "4.7", Zero, "Retransmission timeout of the primary path, ms.";
}

/// A dump of SCTP knows two sets of states: `LISTEN` brings the endpoints, any but `LISTEN` and `CLOSE` the associations.
fn encode(request: &Request, sequence: u32) -> Vec<u8> {
    let asked = request.states;
    let any_association: &[State] =
        if asked.intersection(ASSOCIATIONS).is_empty() { &[] } else { &[State::Established] };
    let states = asked.intersection(ENDPOINTS).union(StateSet::of(any_association));
    inet::encode_other(&Request { states, ..request.clone() }, IPPROTO_SCTP.into(), sequence)
}

fn parse<'a>(protocol: &'static Protocol, payload: &'a [u8]) -> Option<Socket<'a>> {
    let is_association = NetlinkAttributes(payload.get(FIXED..)?).any(|(kind, _)| kind == PEERS);
    let state = |number: u8| match number {
        number if is_association => STATES.get(usize::from(number)).copied(),
        LISTEN => Some(State::Listen),
        // Its associations, if it has any, are replies of their own.
        _ => Some(State::Close),
    };
    let Socket { mut header, mut attributes, .. } = inet::parse_with(protocol, payload, state)?;
    if is_association {
        header.cookie ^= header.ends.map_or(0, |ends| u64::from(digest(&ends)) << u32::BITS);
        attributes.rename(Attribute::Info, Attribute::SctpInfo);
    } else {
        attributes.remove(Attribute::Info);
    }
    Some(Socket { protocol, header, attributes })
}

/// A number of both ports and the peer's address (FNV-1a).
fn digest(Endpoints { id, .. }: &Endpoints<'_>) -> u32 {
    let ports = [id.source_port.get(), id.destination_port.get()].map(u16::to_be_bytes);
    let bytes = ports.iter().flatten().chain(&id.destination);
    bytes.fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reply about an association if there are peers, else about an endpoint.
    fn reply(state: u8, remote_port: u16, peers: bool) -> Vec<u8> {
        let mut bytes = vec![2, state, 0, 0];
        bytes.extend([5000, remote_port].map(u16::to_be_bytes).concat());
        bytes.resize(FIXED, 0);
        (bytes[44], bytes[68]) = (9, 7); // cookie, inode
        let mut info = vec![0; 344];
        info[72] = 3;
        info[304] = 40;
        let mut attribute = |kind: u16, payload: &[u8]| {
            let length = u16::try_from(4 + payload.len()).expect("short");
            bytes.extend([length.to_ne_bytes(), kind.to_ne_bytes()].concat());
            bytes.extend_from_slice(payload);
        };
        attribute(2, &info);
        if peers {
            attribute(PEERS, &[0; 128]);
        }
        bytes
    }

    #[test]
    fn associations_of_one_socket_differ_by_their_peers() {
        let [one, other] = [6000, 6001].map(|port| reply(3, port, true));
        let [first, second] = [&one, &other].map(|bytes| SCTP.parse(bytes).expect("a socket"));
        assert_eq!((first.state(), first.inode()), (State::Established, Some(7)));
        assert_ne!(first.cookie(), second.cookie());
        assert_eq!(SCTP.parse(&one).expect("a socket").cookie(), first.cookie());
        assert_eq!((first.get(&SENT_PACKETS), first.get(&SRTT), first.get(&RTO)), (Some(3), Some(40), None));
        assert_eq!(first.get(&super::super::super::tcp_info::STATE), None, "it is no tcp_info");
    }

    #[test]
    fn an_endpoint_listens_or_is_closed_and_has_no_counters() {
        for (number, state) in [(10, State::Listen), (7, State::Close), (1, State::Close)] {
            let bytes = reply(number, 0, false);
            let socket = SCTP.parse(&bytes).expect("a socket");
            assert_eq!((socket.state(), socket.cookie(), socket.get(&SENT_PACKETS)), (state, 9, None));
        }
    }

    #[test]
    fn each_state_of_an_association_has_the_name_of_the_kernel() {
        for (number, name) in [
            (0, "close"),
            (1, "cookie_wait"),
            (2, "cookie_echoed"),
            (3, "established"),
            (4, "shutdown_pending"),
            (5, "shutdown_sent"),
            (6, "shutdown_received"),
            (7, "shutdown_ack_sent"),
        ] {
            let bytes = reply(number, 6000, true);
            let state = SCTP.parse(&bytes).expect("a socket").state();
            assert_eq!(state.name(), name);
            assert!(SCTP.states.contains(state));
        }
        assert!(SCTP.parse(&reply(8, 6000, true)).is_none());
    }

    #[test]
    fn a_request_asks_for_the_information_of_sctp() {
        let extensions = SCTP.attributes;
        let request = Request::new(&SCTP, StateSet::ALL, extensions);
        let message = request.message(1);
        assert_eq!(message[19] & 2, 2);
    }

    #[test]
    fn a_request_for_any_state_of_associations_asks_for_associations() {
        let asked = |states: &[State]| {
            let request = Request::new(&SCTP, StateSet::of(states), Extensions::NONE);
            let one_walk = inet::in_two_walks(&request, IPPROTO_SCTP, 1).len() / 2;
            // The states stand at the end of `struct inet_diag_req`, and behind the first word of `struct inet_diag_req_v2`.
            let (message, version_2) = (request.message(1), one_walk + 16);
            let at = if message.len() > version_2 { 16 + 4 } else { 16 + 52 };
            u32::from_ne_bytes(message[at..at + 4].try_into().expect("a word"))
        };
        let (established, listen, close) = (1 << 1, 1 << 10, 1 << 7);
        assert_eq!(asked(&[State::CookieWait]), established);
        assert_eq!(asked(&[State::ShutdownSent, State::Listen]), established | listen);
        assert_eq!(asked(&[State::Close, State::Listen]), listen | close);
    }
}
