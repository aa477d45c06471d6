//! Counters as kernels write them, by hand.

use proptest::prelude::*;

use super::super::TCP;
use super::*;

/// What a kernel counts for one end.
#[derive(Clone, Copy, Debug, Default)]
struct End {
    state: Option<State>,
    send_queue: u32,
    options: u8,
    packets: u32,
    acked: u64,
    waiting: u32,
    segments: u32,
    delivered: u32,
    sent: u64,
    retransmitted: u64,
    sacked: u32,
    acknowledged_ago: u32,
}

impl End {
    fn in_state(state: State) -> Self {
        Self { state: Some(state), delivered: 1, ..Self::default() }
    }

    /// The reply of a kernel that read the state of the header before.
    fn after(self, header: State) -> Vec<u8> {
        let mut reply = self.reply(280);
        reply[1] = header as u8;
        reply
    }

    /// The reply of a kernel that sends so many bytes of `struct tcp_info`.
    fn reply(self, length: usize) -> Vec<u8> {
        let mut info = vec![0; 280];
        let state = self.state.expect("a state") as u8;
        (info[0], info[5]) = (state, self.options);
        let short = [
            (24, self.packets),
            (28, self.sacked),
            (56, self.acknowledged_ago),
            (144, self.waiting),
            (156, self.segments),
            (192, self.delivered),
        ];
        for (at, value) in short {
            info[at..at + 4].copy_from_slice(&value.to_ne_bytes());
        }
        let long = [(120, self.acked), (200, self.sent), (208, self.retransmitted)];
        for (at, value) in long {
            info[at..at + 8].copy_from_slice(&value.to_ne_bytes());
        }
        info.truncate(length);
        let mut reply = vec![0; 72];
        (reply[0], reply[1]) = (2, state);
        reply[60..64].copy_from_slice(&self.send_queue.to_ne_bytes());
        if length > 0 {
            let size = u16::try_from(4 + length).expect("short");
            reply.extend([size.to_ne_bytes(), 2_u16.to_ne_bytes()].concat());
            reply.extend(info);
        }
        reply
    }

    fn initiated(self) -> Option<bool> {
        let reply = self.reply(280);
        TCP.parse(&reply).expect("a socket").initiated()
    }
}

const CONNECTED: Option<bool> = Some(true);
const ACCEPTED: Option<bool> = Some(false);

#[test]
fn an_idle_connection_was_opened_by_the_end_whose_syn_was_acknowledged() {
    let accepted = End::in_state(State::Established);
    assert_eq!(accepted.initiated(), ACCEPTED);
    assert_eq!(End { acked: 1, ..accepted }.initiated(), CONNECTED);
}

#[test]
fn payload_on_its_way_and_retransmissions_change_nothing() {
    let accepted = End {
        send_queue: 3_866_624,
        packets: 1,
        acked: 65_541,
        waiting: 3_833_856,
        segments: 5,
        delivered: 5,
        sent: 98_309 + 65_483,
        retransmitted: 65_483,
        ..End::in_state(State::Established)
    };
    assert_eq!(accepted.initiated(), ACCEPTED);
    assert_eq!(End { acked: 65_542, ..accepted }.initiated(), CONNECTED);
    assert_eq!(End { acked: 65_544, ..accepted }.initiated(), None);
    assert_eq!(End { acked: 65_540, ..accepted }.initiated(), None);
}

#[test]
fn counters_may_wrap() {
    let accepted = End {
        acked: u64::MAX - 9,
        packets: 1,
        send_queue: u32::MAX,
        waiting: u32::MAX - 30,
        sent: 20,
        delivered: 0,
        segments: 0,
        ..End::in_state(State::Established)
    };
    assert_eq!(accepted.initiated(), ACCEPTED);
    assert_eq!(End { acked: u64::MAX - 8, ..accepted }.initiated(), CONNECTED);
}

#[test]
fn a_fin_is_no_syn() {
    for (state, waiting, fins) in [
        (State::CloseWait, 0, 0),
        (State::FinWait1, 0, 1),
        (State::FinWait1, 1, 0),
        (State::Closing, 0, 1),
        (State::Closing, 7, 0),
        (State::LastAck, 0, 1),
        (State::LastAck, 9, 0),
        (State::FinWait2, 0, 1),
    ] {
        let acknowledged = End { waiting, ..End::in_state(state) };
        let under_way = End {
            packets: 1 + fins,
            send_queue: waiting + 100 + fins,
            sent: 100,
            segments: 1,
            ..acknowledged
        };
        for syn in 0..=1 {
            let expected = Some(syn == 1);
            let fin = u64::from(fins);
            let end = End { acked: syn + fin, delivered: 1 + fins, ..acknowledged };
            assert_eq!(end.initiated(), expected, "{state:?} {waiting} acknowledged");
            if state != State::FinWait2 {
                let end = End { acked: syn, ..under_way };
                assert_eq!(end.initiated(), expected, "{state:?} {waiting} under way");
            }
        }
    }
}

#[test]
fn before_the_handshake_ends_the_state_says_it() {
    assert_eq!(End { send_queue: 1, packets: 1, ..End::in_state(State::SynSent) }.initiated(), CONNECTED);
    assert_eq!(End::in_state(State::Listen).initiated(), ACCEPTED);
    // Fast Open, and a simultaneous open.
    let half = End { delivered: 0, ..End::in_state(State::SynRecv) };
    assert_eq!(half.initiated(), ACCEPTED);
    assert_eq!(End { send_queue: 1, packets: 1, ..half }.initiated(), CONNECTED);
    let request = half.reply(0);
    assert_eq!(TCP.parse(&request).expect("a request").initiated(), ACCEPTED);
    let remains = End::in_state(State::TimeWait).reply(0);
    assert_eq!(TCP.parse(&remains).expect("remains").initiated(), None);
}

#[test]
fn both_ends_of_a_simultaneous_open_opened_it() {
    let open = End { acked: 1, delivered: 2, acknowledged_ago: 11, ..End::in_state(State::Established) };
    assert_eq!(open.initiated(), CONNECTED);
    // A retransmitted SYN was acknowledged once more.
    assert_eq!(End { acked: 2, delivered: 4, state: Some(State::Close), ..open }.initiated(), CONNECTED);
}

#[test]
fn a_fin_that_was_sent_after_the_state_was_read_is_no_syn() {
    for state in [State::Established, State::CloseWait] {
        let accepted = End { sent: 500, segments: 2, acked: 500, delivered: 3, ..End::in_state(state) };
        let in_flight = End { packets: 1, send_queue: 1, acknowledged_ago: 5_000, ..accepted };
        assert_eq!(in_flight.initiated(), None);
        assert_eq!(End { acked: 501, ..in_flight }.initiated(), CONNECTED);
        let acknowledged = End { acked: 501, delivered: 4, ..accepted };
        assert_eq!(acknowledged.initiated(), None);
        assert_eq!(End { acked: 502, ..acknowledged }.initiated(), CONNECTED);
        let byte = End { sent: 501, segments: 3, packets: 1, send_queue: 1, ..accepted };
        assert_eq!(byte.initiated(), ACCEPTED, "a byte in flight is no FIN");
        assert_eq!(End { acked: 501, ..byte }.initiated(), CONNECTED);
        let sacked = End { packets: 2, sacked: 1, sent: 700, segments: 4, send_queue: 200, ..byte };
        assert_eq!(End { delivered: 4, ..sacked }.initiated(), ACCEPTED);
        assert_eq!(End { delivered: 4, acked: 501, ..sacked }.initiated(), CONNECTED);
    }
}

#[test]
fn a_syn_with_data_is_one_packet_and_payload() {
    let client = End { options: 32, acked: 6, sent: 5, segments: 1, ..End::in_state(State::Established) };
    assert_eq!(client.initiated(), CONNECTED);
    let server = End { options: 32, ..End::in_state(State::Established) };
    assert_eq!(server.initiated(), ACCEPTED);
    let end = |end| End { state: Some(State::Close), ..end };
    assert_eq!(end(client).initiated(), None, "a client that was reset");
    assert_eq!(End { acked: 7, delivered: 2, ..end(client) }.initiated(), CONNECTED);
    assert_eq!(End { acked: 1, delivered: 2, ..end(server) }.initiated(), ACCEPTED);
}

#[test]
fn a_restored_connection_has_had_no_handshake() {
    let restored = End { delivered: 0, ..End::in_state(State::Established) };
    assert_eq!(restored.initiated(), None);
    let later = End { acked: 900, sent: 900, segments: 3, delivered: 3, ..restored };
    assert_eq!(later.initiated(), None);
    // What it had sent before is in flight again, and was never counted as sent.
    assert_eq!(End { send_queue: 500, packets: 1, ..restored }.initiated(), None);
}

#[test]
fn a_queue_that_is_older_than_the_rest_is_not_believed() {
    // One byte was written between.
    let end = End { acked: 1, packets: 1, segments: 1, sent: 1, ..End::in_state(State::Established) };
    assert_eq!(End { send_queue: 1, ..end }.initiated(), CONNECTED);
    assert_eq!(end.initiated(), None);
    // An acknowledgement came between: nothing is in flight, whatever the queue was.
    assert_eq!(End { acked: 2, packets: 0, send_queue: 1, delivered: 2, ..end }.initiated(), CONNECTED);
}

#[test]
fn a_connection_that_ended_while_it_was_read_has_nothing_in_flight() {
    // The queue still holds the payload that has been acknowledged since, and the FIN with it.
    let end = End { send_queue: 1, sent: 1, segments: 1, delivered: 3, ..End::in_state(State::Close) };
    for (acked, initiated) in [(2, ACCEPTED), (3, CONNECTED)] {
        let reply = End { acked, ..end }.after(State::Established);
        assert_eq!(TCP.parse(&reply).expect("a socket").initiated(), initiated);
    }
}

#[test]
fn an_end_says_who_opened_the_connection_unless_syn_and_fin_look_alike() {
    let end = End { acked: 500, sent: 500, segments: 2, delivered: 3, ..End::in_state(State::Close) };
    let of = |change: &dyn Fn(&mut End)| {
        let mut end = end;
        change(&mut end);
        end.initiated()
    };
    assert_eq!(of(&|_| ()), ACCEPTED, "it was reset");
    assert_eq!(of(&|end| (end.acked, end.delivered) = (501, 4)), ACCEPTED, "it sent a FIN alone");
    assert_eq!(of(&|end| (end.acked, end.delivered) = (502, 4)), CONNECTED, "it sent a SYN and a FIN");
    assert_eq!(of(&|end| end.acked = 501), None, "a FIN with the last payload, or a SYN and a reset");
    let unsent = |end: &mut End| (end.acked, end.waiting, end.send_queue) = (501, 70, 70);
    assert_eq!(of(&unsent), CONNECTED, "a FIN would wait behind the payload");
    let retransmitted = |end: &mut End| (end.acked, end.sent, end.retransmitted) = (501, 600, 100);
    assert_eq!(of(&retransmitted), None, "retransmissions blur the packets");

    let silent = End { segments: 0, sent: 0, ..end };
    assert_eq!(End { acked: 0, delivered: 1, ..silent }.initiated(), ACCEPTED, "accepted and reset");
    assert_eq!(
        End { acked: 1, delivered: 1, ..silent }.initiated(),
        None,
        "connected and reset, or restored"
    );
    assert_eq!(End { acked: 1, delivered: 2, ..silent }.initiated(), ACCEPTED, "accepted and closed");
    assert_eq!(End { acked: 2, delivered: 2, ..silent }.initiated(), CONNECTED, "connected and closed");
    let refused = End { acked: 0, delivered: 0, send_queue: 1, ..silent };
    assert_eq!(refused.initiated(), CONNECTED, "refused");
    let lost = End { acked: 0, delivered: 1, send_queue: 1, ..silent };
    assert_eq!(lost.initiated(), ACCEPTED, "accepted, and nothing answered its FIN");
}

#[test]
fn a_kernel_without_the_fields_reports_nothing() {
    let end = End { acked: 1, ..End::in_state(State::Established) };
    for length in 0..=280 {
        let reply = end.reply(length);
        let initiated = TCP.parse(&reply).expect("a socket").initiated();
        assert_eq!(initiated.is_some(), length >= 216, "{length} bytes");
    }
}

proptest! {
    /// A connection of any length in any state, of which the peer has acknowledged any part.
    #[test]
    fn first_sight_and_end_agree(
        connected: bool,
        written in 0..3_000_000_u32,
        percent_sent in 0..=100_u32,
        percent_acknowledged in 0..=100_u32,
        closes: bool,
    ) {
        let part = |whole: u32, percent: u32| whole / 100 * percent + whole % 100 * percent / 100;
        let sent = part(written, percent_sent);
        let acked = part(sent, percent_acknowledged);
        let in_flight = sent - acked;
        let fin_sent = closes && sent == written;
        let syn = u64::from(connected);
        let packets = in_flight.div_ceil(1000) + u32::from(fin_sent);
        let segments = sent.div_ceil(1000);
        let state = if closes { State::FinWait1 } else { State::Established };
        let end = End {
            send_queue: written - acked + u32::from(closes),
            packets,
            acked: syn + u64::from(acked),
            waiting: written - sent + u32::from(closes && !fin_sent),
            segments,
            delivered: 1 + segments - in_flight.div_ceil(1000),
            sent: u64::from(sent),
            ..End::in_state(state)
        };
        prop_assert_eq!(end.initiated(), Some(connected));
        // It is reset: its queues stay, its packets are purged.
        let ended = End { state: Some(State::Close), packets: 0, ..end };
        prop_assert!(ended.initiated().is_none_or(|at_end| at_end == connected));
        if fin_sent {
            let acked = syn + u64::from(sent) + 1;
            let delivered = 2 + segments;
            let closed = End { send_queue: 0, packets: 0, acked, delivered, ..ended };
            prop_assert_eq!(closed.initiated(), Some(connected));
        }
    }
}
