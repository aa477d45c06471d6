//! Each bottleneck, by the evidence that the kernel gave for it between two namespaces.

use std::net::SocketAddr;
use std::time::Duration;

use sockdiag::{Field, State, TCP, queues, skmem, tcp_info};
use testkit::reply::Reply;

use super::Bottleneck::{
    AcceptQueue, Application, Connecting, Idle, Loss, NotReading, Path, PeerNotReading, PeerWindow, Queueing,
    Receiving, SendBuffer, Stalled,
};
use super::*;

/// `INET_DIAG_SKMEMINFO`
const MEMORY: u16 = 7;
const SECOND: Duration = Duration::from_secs(1);

/// A connection of a process, 20 ms away, with that state, those queues, that much queued memory of a buffer of 32 KiB, and
/// these fields beside the usual ones.
fn reply(state: State, waiting: (u32, u32), memory_queued: u32, fields: &[(&'static Field, u64)]) -> Vec<u8> {
    let end = |port| SocketAddr::from(([127, 0, 0, 1], port));
    let mut memory = [0_u32; 9];
    (memory[3], memory[5]) = (32 << 10, memory_queued);
    let usual = [
        (&tcp_info::SND_WND, 65_536),
        (&tcp_info::SND_MSS, 1448),
        (&tcp_info::SND_CWND, 40),
        (&tcp_info::MIN_RTT, 20_000),
        (&tcp_info::RTT, 21_000),
    ];
    let usual: Vec<_> =
        usual.into_iter().filter(|(field, _)| fields.iter().all(|(other, _)| other != field)).collect();
    Reply::new(state, end(1), end(2))
        .inode(7)
        .queues(waiting.0, waiting.1)
        .info(&usual)
        .info(fields)
        .attribute(MEMORY, &memory.map(u32::to_ne_bytes).concat())
        .into_bytes()
}

/// What limits a connection that was like the first and is like the second a second later.
fn between(before: &[u8], now: &[u8]) -> Option<Bottleneck> {
    let [before, now] = [before, now].map(|reply| TCP.parse(reply).expect("a socket"));
    Bottleneck::of(&now, Some((&ConnectionSample::of(&before), SECOND)))
}

/// What limits a connection in which nothing had happened before, and these counters have grown within the second.
fn after(waiting: (u32, u32), fields: &[(&'static Field, u64)]) -> Option<Bottleneck> {
    let before: Vec<_> = fields.iter().copied().filter(|(field, _)| is_level(field)).collect();
    between(&reply(State::Established, waiting, 0, &before), &reply(State::Established, waiting, 0, fields))
}

fn is_level(field: &Field) -> bool {
    [tcp_info::RTT.name, tcp_info::MIN_RTT.name, tcp_info::NOTSENT_BYTES.name, tcp_info::SND_WND.name]
        .contains(&field.name)
}

const BUSY: (&Field, u64) = (&tcp_info::BUSY_TIME, 1_000_000);
/// A megabyte in a second: 20 KB in a round trip of 20 ms.
const ACKED: (&Field, u64) = (&tcp_info::BYTES_ACKED, 1_000_000);
const SEGMENTS: (&Field, u64) = (&tcp_info::DATA_SEGS_OUT, 700);
const BACKLOG: (&Field, u64) = (&tcp_info::NOTSENT_BYTES, 300_000);

#[test]
fn a_connection_at_rest_is_idle() {
    assert_eq!(after((0, 0), &[]), Some(Idle));
}

#[test]
fn a_process_that_writes_little_is_the_limit_whether_or_not_data_is_always_in_flight() {
    let now_and_then =
        [(&tcp_info::BUSY_TIME, 170_000), (&tcp_info::BYTES_ACKED, 20_480), (&tcp_info::DATA_SEGS_OUT, 15)];
    assert_eq!(after((0, 0), &now_and_then), Some(Application));
    let chatty = [
        BUSY,
        (&tcp_info::BYTES_ACKED, 204_800),
        (&tcp_info::DATA_SEGS_OUT, 150),
        (&tcp_info::NOTSENT_BYTES, 1_100),
    ];
    assert_eq!(after((0, 4_000), &chatty), Some(Application));
}

#[test]
fn a_small_or_slow_receiver_is_the_peers_window_and_a_closed_window_one_that_does_not_read() {
    let window = |share: u64| (&tcp_info::RWND_LIMITED, share);
    assert_eq!(after((0, 230_000), &[BUSY, ACKED, SEGMENTS, BACKLOG, window(500_000)]), Some(PeerWindow));
    // Which is closed only at times.
    let closed = (&tcp_info::SND_WND, 0);
    assert_eq!(
        after((0, 230_000), &[BUSY, ACKED, SEGMENTS, BACKLOG, closed, window(700_000)]),
        Some(PeerWindow)
    );
    assert_eq!(after((0, 230_000), &[BUSY, BACKLOG, closed, window(1_000_000)]), Some(PeerNotReading));
}

#[test]
fn a_process_that_leaves_data_unread_does_not_read_and_one_that_reads_some_receives() {
    assert_eq!(after((90_000, 0), &[]), Some(NotReading));
    let received = (&tcp_info::BYTES_RECEIVED, 50_000);
    let before = reply(State::Established, (40_000, 0), 0, &[]);
    assert_eq!(between(&before, &reply(State::Established, (90_000, 0), 0, &[received])), Some(NotReading));
    assert_eq!(between(&before, &reply(State::Established, (80_000, 0), 0, &[received])), Some(Receiving));
    // The FIN is no data.
    assert_eq!(after((1, 0), &[]), Some(Idle));
}

#[test]
fn a_full_buffer_is_the_send_buffer_by_the_kernels_clock_or_by_its_memory() {
    let by_clock = [BUSY, ACKED, SEGMENTS, (&tcp_info::SNDBUF_LIMITED, 320_000)];
    assert_eq!(after((0, 16_000), &by_clock), Some(SendBuffer));
    assert_eq!(with_buffer(31_000, 20, ACKED.1), Some(SendBuffer));
    assert_eq!(
        with_buffer(31_000, 40, ACKED.1),
        Some(SendBuffer),
        "the kernel has let the window grow to twice of it"
    );
    assert_eq!(with_buffer(8_000, 20, ACKED.1), Some(Path), "the process did not wait for room");
}

#[test]
fn a_buffer_that_the_kernel_sizes_is_full_also_when_the_path_or_the_process_is_the_limit() {
    // Half of the rate needs half of the window, for which the buffer is large.
    assert_eq!(with_buffer(31_000, 10, ACKED.1 / 2), Some(Path));
    assert_eq!(with_buffer(31_000, 60, ACKED.1), Some(Application), "most of the window was not needed");
}

/// What limits a connection that has all but 2 KB in flight, by its queued memory, congestion window, and bytes per second.
fn with_buffer(queued: u32, window: u64, acked: u64) -> Option<Bottleneck> {
    let backlog = (&tcp_info::NOTSENT_BYTES, 2_000);
    let acked = (&tcp_info::BYTES_ACKED, acked);
    let fields = [BUSY, acked, SEGMENTS, backlog, (&tcp_info::SND_CWND, window)];
    let reply = |fields| reply(State::Established, (0, 16_000), queued, fields);
    between(&reply(&[backlog]), &reply(&fields))
}

#[test]
fn retransmissions_are_loss_but_not_a_single_one() {
    let lost =
        |count| after((0, 100_000), &[BUSY, ACKED, SEGMENTS, BACKLOG, (&tcp_info::TOTAL_RETRANS, count)]);
    assert_eq!((lost(30), lost(1), lost(5)), (Some(Loss), Some(Path), Some(Path)));
}

#[test]
fn a_round_trip_far_above_its_minimum_at_both_looks_is_a_queue() {
    let rtt = |before, now| {
        let (rtt, fields) = (&tcp_info::RTT, [BUSY, ACKED, SEGMENTS, BACKLOG]);
        between(
            &reply(State::Established, (0, 100_000), 0, &[(rtt, before), BACKLOG]),
            &reply(State::Established, (0, 100_000), 0, &[&fields[..], &[(rtt, now)]].concat()),
        )
    };
    assert_eq!(rtt(292_000, 304_000), Some(Queueing));
    assert_eq!((rtt(25_000, 304_000), rtt(39_000, 39_000)), (Some(Path), Some(Path)));
}

#[test]
fn a_peer_that_acknowledges_nothing_more_is_a_stalled_connection() {
    let waits = [BUSY, BACKLOG, (&tcp_info::UNACKED, 10)];
    let timed_out = [&waits[..], &[(&tcp_info::RETRANSMITS, 3)]].concat();
    assert_eq!(after((0, 100_000), &timed_out), Some(Stalled));
    let recovers = [&waits[..], &[ACKED, (&tcp_info::TOTAL_RTO_TIME, 600)]].concat();
    assert_eq!(after((0, 100_000), &recovers), Some(Stalled));
    // Progress since the timeout.
    assert_eq!(after((0, 100_000), &[&timed_out[..], &[ACKED, SEGMENTS]].concat()), Some(Path));
}

#[test]
fn a_handshake_and_an_accept_queue_show_in_one_sample_and_all_else_in_two() {
    let one_look = |state, inode: u32| {
        let mut reply = reply(state, (0, 0), 0, &[]);
        reply[68..72].copy_from_slice(&inode.to_ne_bytes());
        Bottleneck::of(&TCP.parse(&reply).expect("a socket"), None)
    };
    assert_eq!([one_look(State::SynSent, 1), one_look(State::SynRecv, 0)], [Some(Connecting); 2]);
    assert_eq!([one_look(State::Established, 0), one_look(State::CloseWait, 0)], [Some(AcceptQueue); 2]);
    assert_eq!([State::Established, State::Listen, State::Close].map(|state| one_look(state, 1)), [None; 3]);
    // No process holds it any more: it was accepted.
    assert_eq!(one_look(State::FinWait1, 0), None);
}

#[test]
fn a_kernel_without_busy_time_tells_what_needs_none() {
    let without = |fields| {
        let mut now = reply(State::Established, (0, 100_000), 0, fields);
        let whole = &tcp_info::BUSY_TIME;
        // The attribute ends before the field, as before Linux 4.10.
        let at = 72;
        let length = u16::try_from(4 + whole.offset).expect("short");
        let tail = now.split_off(at + 4 + 280);
        now.truncate(at + usize::from(length));
        now[at..at + 2].copy_from_slice(&length.to_ne_bytes());
        now.extend(tail);
        let before = reply(State::Established, (0, 100_000), 0, &[]);
        between(&before, &now)
    };
    assert_eq!(without(&[(&tcp_info::UNACKED, 1), (&tcp_info::RETRANSMITS, 2)]), Some(Stalled));
    assert_eq!(without(&[ACKED, SEGMENTS]), None);
}

#[test]
fn a_counter_that_fell_belongs_to_another_connection() {
    let before = reply(State::Established, (0, 0), 0, &[BUSY, ACKED]);
    assert_eq!(between(&before, &reply(State::Established, (0, 0), 0, &[])), None);
}

#[test]
fn every_bottleneck_has_a_name_of_its_own_and_sentences() {
    for (at, bottleneck) in Bottleneck::ALL.iter().enumerate() {
        assert!(Bottleneck::ALL[..at].iter().all(|other| other.name() != bottleneck.name()));
        assert!(bottleneck.meaning().ends_with('.') && bottleneck.advice().ends_with('.'));
    }
    assert_eq!(queues::RQUEUE.offset + 4, queues::WQUEUE.offset);
    assert_eq!(skmem::SNDBUF.offset, 12);
}

#[test]
fn only_a_busy_sender_that_uses_its_window_depends_on_memory_and_not_by_an_earlier_rule() {
    let depends = |acked, busy| {
        let fields = [(&tcp_info::BUSY_TIME, busy), (&tcp_info::BYTES_ACKED, acked), SEGMENTS, BACKLOG];
        let (before, now) =
            (reply(State::Established, (0, 0), 0, &[]), reply(State::Established, (0, 0), 0, &fields));
        let [before, now] = [&before, &now].map(|reply| TCP.parse(reply).expect("a socket"));
        let sample = ConnectionSample::of(&before);
        [Path, Application, PeerWindow, Idle].map(|one| one.depends_on_memory(&now, (&sample, SECOND)))
    };
    assert_eq!(depends(ACKED.1, 900_000), [true, true, false, false]);
    assert_eq!((depends(ACKED.1, 100_000), depends(100_000, 900_000)), ([false; 4], [false; 4]));
}
