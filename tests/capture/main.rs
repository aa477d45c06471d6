//! Decoding what a real kernel sent, against what `ss` printed at the same moment.
//!
//! `linux-6.18.bin` and `linux-6.18.ss` were written by `crates/sockdiag/examples/capture.rs`.

#![expect(clippy::cast_precision_loss, reason = "small numbers")]

use std::collections::HashMap;
use std::time::{Duration, Instant};

use netlink_packet_core::Parseable as _;
use netlink_packet_sock_diag::inet::InetResponse;
use netlink_packet_sock_diag::inet::nlas::Nla;
use sockdiag::{Extensions, Field, Replies, Request, Socket, State, StateSet, TCP, tcp_info};
use ss_exporter::metrics::METRICS;

use testkit::recording::{CAPTURE, CAPTURE_BY_SS, Recording};

fn each(datagrams: &'static [u8], mut each: impl FnMut(&Socket<'_>)) {
    let request = Request::new(&TCP, StateSet::of(&[State::Established]), Extensions::INFO);
    let until = Instant::now() + Duration::from_mins(1);
    let (replies, dumped) = Replies::dump(Recording::of(datagrams), &request, until);
    dumped.expect("a complete dump");
    replies.sockets().for_each(|socket| each(&socket));
}

/// The lines of `ss` by socket cookie.
fn lines() -> HashMap<u64, Vec<&'static str>> {
    let words = CAPTURE_BY_SS.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let cookie = |words: &[&str]| {
        words.iter().find_map(|word| u64::from_str_radix(word.strip_prefix("sk:")?, 16).ok())
    };
    words.map(|words| (cookie(&words).expect("a cookie"), words)).collect()
}

/// The value behind `key:` in a line of `ss`.
fn value<'a>(words: &[&'a str], key: &str) -> Option<&'a str> {
    words.iter().find_map(|word| word.strip_prefix(key)?.strip_prefix(':'))
}

#[test]
fn a_captured_dump_reads_as_ss_printed_it() {
    let mut lines = lines();
    each(CAPTURE, |socket| {
        let words = lines.remove(&socket.cookie()).expect("ss printed each socket");
        let end = |address: std::net::SocketAddr| {
            let ip = address.ip();
            if ip.is_ipv6() { format!("[{ip}]:{}", address.port()) } else { address.to_string() }
        };
        let unmapped = |text: &str| text.replace("[::ffff:127.0.0.1]", "127.0.0.1");
        assert_eq!(end(socket.local()), unmapped(words[2]));
        assert_eq!(end(socket.remote()), unmapped(words[3]));
        assert_eq!(socket.inode().map(|inode| inode.to_string()).as_deref(), value(&words, "ino"));
        let millis = |field: &Field| socket.get(field).map(|micros| micros as f64 / 1000.0);
        let number = |text: &str| text.parse::<f64>().expect("a number");
        let (rtt, deviation) = value(&words, "rtt").expect("rtt").split_once('/').expect("rtt/variance");
        assert_eq!(millis(&tcp_info::RTT), Some(number(rtt)));
        assert_eq!(millis(&tcp_info::RTTVAR), Some(number(deviation)));
        assert_eq!(millis(&tcp_info::RTO), value(&words, "rto").map(number));
        assert_eq!(millis(&tcp_info::MIN_RTT), value(&words, "minrtt").map(number));
        // Ages are left out: they went on between the dump and `ss`.
        let plain = [
            ("mss", &tcp_info::SND_MSS),
            ("rcvmss", &tcp_info::RCV_MSS),
            ("advmss", &tcp_info::ADVMSS),
            ("pmtu", &tcp_info::PMTU),
            ("cwnd", &tcp_info::SND_CWND),
            ("bytes_sent", &tcp_info::BYTES_SENT),
            ("bytes_acked", &tcp_info::BYTES_ACKED),
            ("bytes_received", &tcp_info::BYTES_RECEIVED),
            ("segs_out", &tcp_info::SEGS_OUT),
            ("segs_in", &tcp_info::SEGS_IN),
            ("data_segs_out", &tcp_info::DATA_SEGS_OUT),
            ("data_segs_in", &tcp_info::DATA_SEGS_IN),
            ("delivered", &tcp_info::DELIVERED),
            ("rcv_space", &tcp_info::RCV_SPACE),
            ("rcv_ssthresh", &tcp_info::RCV_SSTHRESH),
            ("snd_wnd", &tcp_info::SND_WND),
        ];
        for (key, field) in plain {
            // What is zero, `ss` leaves out.
            let shown = value(&words, key).map_or(0.0, number);
            assert_eq!(socket.get(field).map(|v| v as f64), Some(shown), "{key} in {words:?}");
        }
    });
    assert!(lines.is_empty(), "sockets that only ss saw: {lines:?}");
}

/// The payload of each socket's message, found without our own framing.
fn payloads() -> Vec<&'static [u8]> {
    let mut rest = CAPTURE;
    let mut payloads = Vec::new();
    while let Some((length, datagrams)) = rest.split_first_chunk() {
        let (datagram, others) = datagrams.split_at(u32::from_le_bytes(*length) as usize);
        rest = others;
        let mut messages = datagram;
        while messages.len() > 16 {
            let length = u32::from_ne_bytes(messages[..4].try_into().expect("four bytes")) as usize;
            if u16::from_ne_bytes([messages[4], messages[5]]) == 18 {
                payloads.push(&messages[16..length]);
            }
            messages = &messages[length.next_multiple_of(4).min(messages.len())..];
        }
    }
    payloads
}

#[test]
fn a_captured_dump_reads_as_another_library_reads_it() {
    let theirs: Vec<_> = payloads().into_iter().map(library).collect();
    let mut ours = Vec::new();
    each(CAPTURE, |socket| {
        let get = |field: &Field| socket.get(field).expect("a field of Linux 5.4");
        let numbers =
            [&tcp_info::SND_CWND, &tcp_info::BYTES_SENT, &tcp_info::DATA_SEGS_OUT, &tcp_info::SND_WND]
                .map(get);
        ours.push((socket.local().port(), socket.remote().port(), socket.inode(), numbers));
    });
    assert_eq!(ours, theirs);
}

/// The same numbers by the library.
fn library(payload: &[u8]) -> (u16, u16, Option<u32>, [u64; 4]) {
    let response = InetResponse::parse(payload).expect("a reply that the library can read");
    let info = response.nlas.iter().find_map(|nla| match nla {
        Nla::TcpInfo(info) => Some(info),
        _ => None,
    });
    let info = info.expect("INFO was asked for");
    let header = &response.header;
    let id = &header.socket_id;
    let numbers = [info.snd_cwnd.into(), info.bytes_sent, info.data_segs_out.into(), info.snd_wnd.into()];
    (id.source_port, id.destination_port, Some(header.inode), numbers)
}

#[test]
fn reading_a_socket_allocates_nothing() {
    let payloads = payloads();
    let mut sum = 0;
    let counted = allocation_counter::measure(|| {
        for payload in &payloads {
            let socket = TCP.parse(payload).expect("a socket");
            sum += u64::from(socket.local().port()) + u64::from(socket.remote().port()) + socket.cookie();
            sum += tcp_info::ALL.iter().filter_map(|field| socket.get(field)).fold(0, u64::wrapping_add);
            sum += METRICS.iter().filter_map(|metric| metric.source.read(&socket)).fold(0, u64::wrapping_add);
        }
    });
    assert_eq!((payloads.len(), counted.count_total), (12, 0), "{sum}");
}

/// Every length that `struct tcp_info` has had, with the kernel that brought it.
const VINTAGES: [(usize, &str, &Field); 12] = [
    (104, "2.6.12", &tcp_info::TOTAL_RETRANS),
    (120, "3.15", &tcp_info::MAX_PACING_RATE),
    (136, "4.1", &tcp_info::BYTES_RECEIVED),
    (144, "4.2", &tcp_info::SEGS_IN),
    (160, "4.6", &tcp_info::DATA_SEGS_OUT),
    (168, "4.9", &tcp_info::DELIVERY_RATE),
    (192, "4.10", &tcp_info::SNDBUF_LIMITED),
    (200, "4.18", &tcp_info::DELIVERED_CE),
    (224, "4.19", &tcp_info::REORD_SEEN),
    (232, "5.4", &tcp_info::SND_WND),
    (240, "6.2", &tcp_info::REHASH),
    (248, "6.7", &tcp_info::TOTAL_RTO_TIME),
];

#[test]
fn a_kernel_of_any_vintage_has_the_fields_up_to_its_own_and_none_behind() {
    let payload = [1; 280];
    for (length, since, last) in VINTAGES {
        assert_eq!(last.since, since, "{last:?}");
        let payload = &payload[..length];
        let present: Vec<_> = tcp_info::ALL.iter().filter(|field| field.read(payload).is_some()).collect();
        assert_eq!(present.last(), Some(&&last), "{length} bytes");
        let behind = tcp_info::ALL.iter().skip_while(|field| **field != last).skip(1);
        assert!(behind.clone().all(|field| field.read(payload).is_none()), "{length} bytes");
        assert!(behind.clone().next().is_none_or(|field| field.since != since), "{length} bytes");
    }
}
