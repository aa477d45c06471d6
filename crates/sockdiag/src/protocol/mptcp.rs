//! Connections of MPTCP over IPv4 and IPv6 (`net/mptcp/mptcp_diag.c`). Their subflows are sockets of TCP.

use super::super::attribute::Attribute;
use super::super::field::NoneValue::Never;
use super::super::field::Width::{U8, U32, U64};
use super::super::field::fields;
use super::super::queues;
use super::super::state::State;
use super::socket::Socket;
use super::{Extensions, FixedPart, Protocol, StateSet, inet, tcp};

const IPPROTO_MPTCP: u32 = 262;

/// MPTCP. For listeners (Linux 5.18) the kernel walks those of TCP, which takes a millisecond.
pub const MPTCP: Protocol = Protocol {
    name: "mptcp",
    netids: &[],
    modules: "inet_diag and mptcp_diag",
    states: tcp::CONNECTIONS.union(StateSet::of(&[State::Close, State::Listen])),
    connections: tcp::CONNECTIONS,
    listed: tcp::CONNECTIONS,
    // The timers are those of the subflows.
    header: FixedPart { fields: &[], internet: true, uid: true, interface: true },
    attributes: Extensions::MEMORY
        .union(Extensions::TOS)
        .union(Extensions::CLASS_ID)
        .with(Attribute::MptcpInfo)
        .with(Attribute::Queues)
        .with(Attribute::Mark)
        .with(Attribute::Cgroup)
        .with(Attribute::Options),
    // The queues of a connection are memory.
    lacks: &[&queues::RQUEUE, &queues::WQUEUE],
    encode: |request, sequence| inet::encode_other(request, IPPROTO_MPTCP, sequence),
    parse,
    takes_filter: true,
    close_events: None,
    tables: None,
    sockstat: "",
};

fields! {
    /// Fields of `struct mptcp_info` (`include/uapi/linux/mptcp.h`).
    ALL = MptcpInfo;
    SUBFLOWS "mptcpi_subflows" @ 0 U8, "5.9", Never, "Subflows that joined the first one.";
    ADD_ADDR_SIGNAL "mptcpi_add_addr_signal" @ 1 U8, "5.9", Never, "Addresses announced to the peer.";
    ADD_ADDR_ACCEPTED "mptcpi_add_addr_accepted" @ 2 U8, "5.9", Never, "Addresses of the peer that were accepted.";
    FLAGS "mptcpi_flags" @ 8 U32, "5.9", Never, "Bits: 1 fallback to TCP, 2 remote key received.";
    TOKEN "mptcpi_token" @ 12 U32, "5.9", Never, "The token, which all subflows have.";
    CSUM_ENABLED "mptcpi_csum_enabled" @ 42 U8, "5.14", Never, "1 if the data is checked by sums.";
    RETRANSMITS "mptcpi_retransmits" @ 44 U32, "6.5", Never, "Retransmissions by the connection, not by its subflows.";
    BYTES_RETRANS "mptcpi_bytes_retrans" @ 48 U64, "6.5", Never, "Bytes retransmitted on another subflow.";
    BYTES_SENT "mptcpi_bytes_sent" @ 56 U64, "6.5", Never, "Bytes sent, each once.";
    BYTES_RECEIVED "mptcpi_bytes_received" @ 64 U64, "6.5", Never, "Bytes received, each once.";
    BYTES_ACKED "mptcpi_bytes_acked" @ 72 U64, "6.5", Never, "Bytes acknowledged by the peer.";
    SUBFLOWS_TOTAL "mptcpi_subflows_total" @ 80 U8, "6.8", Never, "Subflows that live, the first one included.";
    LAST_DATA_SENT "mptcpi_last_data_sent" @ 84 U32, "6.10", Never, "Age of the last data sent, milliseconds.";
    LAST_DATA_RECV "mptcpi_last_data_recv" @ 88 U32, "6.10", Never, "Age of the last data received, milliseconds.";
    LAST_ACK_RECV "mptcpi_last_ack_recv" @ 92 U32, "6.10", Never, "Age of the last acknowledgement received, milliseconds.";
}

fn parse<'a>(protocol: &'static Protocol, payload: &'a [u8]) -> Option<Socket<'a>> {
    let mut socket = inet::parse(protocol, payload)?;
    if socket.state() == State::Listen {
        // All zeros.
        socket.attributes.remove(Attribute::Info);
    } else {
        socket.attributes.rename(Attribute::Info, Attribute::MptcpInfo);
        socket.attributes.remove(Attribute::Queues);
    }
    Some(socket)
}

#[cfg(test)]
mod tests {
    use super::super::super::frame::Messages;
    use super::super::Request;
    use super::*;

    /// A reply with `struct mptcp_info` of that length, whose bytes count from 0.
    fn reply(length: u8) -> Vec<u8> {
        let mut bytes = vec![2, State::Established as u8];
        bytes.resize(72, 0);
        bytes.extend([u16::from(length) + 4, 2].map(u16::to_ne_bytes).concat());
        bytes.extend(0..length);
        bytes
    }

    #[test]
    fn a_connection_is_asked_for_by_a_name_that_no_other_protocol_answers_to() {
        let request = Request::new(&MPTCP, MPTCP.states, MPTCP.attributes);
        let bytes = inet::in_one_walk(&request, IPPROTO_MPTCP, 1);
        let messages: Vec<_> = Messages(&bytes).map(|message| message.expect("whole")).collect();
        let [message] = messages.as_slice() else { panic!("{} messages", messages.len()) };
        assert_eq!(message.header.kind.get(), 18); // TCPDIAG_GETSOCK
        assert_eq!(message.payload[..4], [0, 0, 0, 0b0111_0010]); // AF_UNSPEC
        assert_eq!(message.payload[60..], [8, 0, 3, 0, 6, 1, 0, 0]); // INET_DIAG_REQ_PROTOCOL, u32
        let bytes = inet::in_two_walks_by_name(&request, IPPROTO_MPTCP, 1);
        let messages: Vec<_> = Messages(&bytes).map(|message| message.expect("whole")).collect();
        assert_eq!(messages.len(), 2);
        for (message, family) in messages.iter().zip([2, 10]) {
            assert_eq!(message.header.kind.get(), 20); // SOCK_DIAG_BY_FAMILY
            // INFO, TOS, TCLASS and SKMEMINFO of no protocol that has eight bits.
            assert_eq!(message.payload[..4], [family, 0, 0b0111_0010, 0]);
            assert_eq!(message.payload[4..8], 0x0fb6_u32.to_ne_bytes());
            assert_eq!(message.payload[56..], [8, 0, 3, 0, 6, 1, 0, 0]); // INET_DIAG_REQ_PROTOCOL, u32
        }
    }

    #[test]
    fn each_field_is_there_from_the_length_on_that_a_kernel_sends() {
        let values = |length: u8| {
            let reply = reply(length);
            let socket = MPTCP.parse(&reply).expect("a socket");
            let read = |field| socket.get(field);
            (
                read(&SUBFLOWS),
                read(&CSUM_ENABLED),
                read(&BYTES_SENT),
                read(&SUBFLOWS_TOTAL),
                read(&LAST_ACK_RECV),
            )
        };
        let sent = Some(u64::from_ne_bytes([56, 57, 58, 59, 60, 61, 62, 63]));
        let ago = Some(u64::from(u32::from_ne_bytes([92, 93, 94, 95])));
        assert_eq!(values(40), (Some(0), None, None, None, None), "Linux 5.9");
        assert_eq!(values(43), (Some(0), Some(42), None, None, None), "Linux 5.14");
        assert_eq!(values(80), (Some(0), Some(42), sent, None, None), "Linux 6.5");
        assert_eq!(values(96), (Some(0), Some(42), sent, Some(80), ago), "Linux 6.10");
        let reply = reply(96);
        let socket = MPTCP.parse(&reply).expect("a socket");
        assert_eq!(socket.get(&super::super::super::tcp_info::RTT), None, "no field of another structure");
        assert_eq!(socket.ulp(), None);
    }

    #[test]
    fn a_listener_has_its_queue_and_a_connection_memory_instead() {
        let queue = |state: State| {
            let mut bytes = reply(96);
            bytes[1] = state as u8;
            bytes[56..64].copy_from_slice(&[3, 0, 0, 0, 8, 0, 0, 0]);
            let socket = MPTCP.parse(&bytes).expect("a socket");
            let read = |field| socket.get(field);
            (read(&queues::RQUEUE), read(&queues::WQUEUE), read(&SUBFLOWS))
        };
        assert_eq!(queue(State::Listen), (Some(3), Some(8), None));
        assert_eq!(queue(State::Established), (None, None, Some(0)));
    }
}
