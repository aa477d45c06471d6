//! What holds for every line of the table.

use std::collections::HashSet;

use super::*;
use sockdiag::{Attribute, Extensions, MPTCP, PROTOCOLS, State, TCP, mptcp, skmem, sockopt, tcp_info};
use testkit::reply::Reply;

#[test]
fn names_are_unique_and_follow_the_conventions() {
    for protocol in PROTOCOLS {
        let mut seen = HashSet::new();
        for metric in METRICS.iter().filter(|metric| metric.source.is_of(protocol)) {
            assert!(seen.insert(metric.name), "{} of {protocol:?} stands twice", metric.name);
        }
    }
    for metric in METRICS {
        let name = metric.name;
        assert_eq!(name.ends_with("_total"), metric.kind == Kind::Counter, "{name}");
        let suffix = match metric.unit {
            Unit::None => "",
            Unit::Seconds => "_seconds",
            Unit::Bytes => "_bytes",
            Unit::BytesPerSecond => "_bytes_per_second",
        };
        assert!(name.trim_end_matches("_total").ends_with(suffix), "{name} hides its unit");
        assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{name}");
    }
}

#[test]
fn names_pass_the_rules_of_promtool() {
    let abbreviated = ["s", "ms", "us", "ns", "sec", "b", "kb", "mb", "gb", "tb", "pb", "m", "h", "d"];
    let types = ["counter", "gauge", "histogram", "summary"];
    for Metric { name, kind, .. } in METRICS {
        let parts: Vec<_> = name.split('_').collect();
        for part in &parts {
            assert!(!abbreviated.contains(part), "{name} abbreviates a unit");
            assert!(!types.contains(part), "{name} names a type");
        }
        let last = parts.last().expect("a part");
        assert!(!["count", "sum", "bucket", "info"].contains(last), "{name} ends as a part of a family");
        assert!(*kind == Kind::Counter || !parts.contains(&"total"), "{name} reads as a counter");
    }
}

#[test]
fn help_is_one_sentence_that_ends_with_the_kernels_fields() {
    for Metric { name, help, source, .. } in METRICS {
        assert!(help.ends_with('.') && help.matches(". ").count() == 0, "{name}: {help}");
        assert!(help.starts_with(|c: char| c.is_ascii_uppercase()), "{name}: {help}");
        assert!(!help.contains("](") && !help.contains('`'), "{name}: Prometheus shows this as it is");
        let fields: Vec<_> = source.fields().map(|field| field.name).collect();
        let named = help.strip_suffix(").").and_then(|help| help.rsplit_once(" (")).map(|(_, fields)| fields);
        let expected = Some(fields.join(", ")).filter(|fields| !fields.is_empty());
        assert_eq!(named, expected.as_deref(), "{name}");
    }
}

#[test]
fn every_field_has_a_metric_or_a_reason_why_not_and_not_both() {
    let read: HashSet<_> = METRICS.iter().flat_map(|metric| metric.source.fields()).map(|f| f.name).collect();
    for field in tcp_info::ALL.iter().chain(sockopt::ALL).chain(mptcp::ALL) {
        let reasons: Vec<_> = OMITTED.iter().filter(|(omitted, _)| omitted == field).collect();
        let read = read.contains(field.name);
        assert_eq!(reasons.len(), usize::from(!read), "{field:?} is read: {read}, is omitted: {reasons:?}");
        assert!(reasons.iter().all(|(_, reason)| reason.ends_with('.')), "{reasons:?}");
    }
    for field in skmem::ALL {
        assert!(read.contains(field.name), "{field:?}");
    }
}

#[test]
fn what_does_not_add_up_has_bounds_that_ascend_and_counters_have_none() {
    for Metric { name, kind, bounds, .. } in METRICS {
        let range = if *kind == Kind::Counter { 0..=0 } else { 10..=14 };
        assert!(range.contains(&bounds.len()), "{name} has {} bounds", bounds.len());
        assert!(bounds.is_sorted_by(|one, next| one < next), "{name}: {bounds:?}");
        assert!(bounds.iter().all(|bound| bound.is_finite() && *bound >= 0.0), "{name}: {bounds:?}");
    }
}

#[test]
fn what_views_show_unasked_needs_no_more_than_the_tcp_information() {
    let of_tcp = || METRICS.iter().filter(|metric| metric.source.is_of(&TCP));
    let shown = |wanted| of_tcp().filter(move |metric| metric.shown == wanted);
    assert_eq!(shown(Shown::OfConnections).count() + shown(Shown::Always).count(), 12);
    assert_eq!(shown(Shown::OfListeners).count(), 3);
    for metric in of_tcp().filter(|metric| metric.shown != Shown::IfNamed) {
        let needs = metric.source.extensions();
        // Of TCP the queues are in the fixed part, so that nothing asks for them.
        let free = Extensions::of(Attribute::Queues);
        // Listeners are few, and asked apart.
        let of_listeners = metric.source.quantity.is_of_listeners();
        let cheap = if of_listeners { Extensions::MEMORY } else { Extensions::INFO };
        assert!(needs.is_within(cheap.union(free)), "{}", metric.name);
    }
}

#[test]
fn a_wrapping_counter_is_followed_at_the_kernels_width() {
    let bits = |name| METRICS.iter().find(|metric| metric.name == name).expect("a metric").source.bits();
    assert_eq!(bits("sent_bytes_total"), 64);
    assert_eq!(bits("received_bytes_total"), 64);
    assert_eq!(bits("sent_segments_total"), 32);
    assert_eq!(bits("dropped_packets_total"), 32);
    assert_eq!(bits("timeouts_total"), 16);
}

/// A reply about a socket in that state, with these bytes of `struct tcp_info` set.
fn reply(state: State, set: &[(usize, u8)]) -> Vec<u8> {
    let mut info = [0; 280];
    for (offset, byte) in set {
        info[*offset] = *byte;
    }
    let end = ([0, 0, 0, 0], 0).into();
    let inet_diag_info = 2;
    Reply::new(state, end, end).queues(3, 16).attribute(inet_diag_info, &info).into_bytes()
}

/// The names of the metrics that have a value, with the value.
fn values(payload: &[u8]) -> Vec<(&'static str, u64)> {
    let socket = TCP.parse(payload).expect("a socket");
    METRICS.iter().filter_map(|metric| Some((metric.name, metric.source.read(&socket)?))).collect()
}

#[test]
fn a_listener_has_its_queue_and_no_value_of_a_connection() {
    // The queue stands in tcpi_unacked and tcpi_sacked too.
    let payload = reply(State::Listen, &[(24, 3), (28, 16)]);
    let expected = [("sockets", 1), ("accept_queue_connections", 3), ("accept_queue_limit", 16)];
    assert_eq!(values(&payload), expected);
}

#[test]
fn a_connection_has_its_queues_and_no_accept_queue() {
    let values = values(&reply(State::Established, &[(24, 2), (28, 1)]));
    for expected in [
        ("sockets", 1),
        ("receive_queue_bytes", 3),
        ("send_queue_bytes", 16),
        ("unacknowledged_segments", 2),
        ("sacked_segments", 1),
    ] {
        assert!(values.contains(&expected), "{expected:?} is not in {values:?}");
    }
    assert!(values.iter().all(|(name, _)| !name.starts_with("accept_")), "{values:?}");
}

#[test]
fn what_is_sent_and_sent_again_differ_by_what_arrived_and_never_below_zero() {
    let sent = |sent, again| {
        let payload = reply(State::Established, &[(200, sent), (208, again)]);
        values(&payload).into_iter().find(|(name, _)| *name == "sent_bytes_total").map(|(_, value)| value)
    };
    assert_eq!(sent(9, 4), Some(5));
    assert_eq!(sent(4, 9), Some(0));
}

#[test]
fn sockets_in_a_condition_are_counted_each_in_its_own() {
    // Fast recovery, two of the options, a failed fast open; the window is 0.
    let payload = reply(State::CloseWait, &[(1, 3), (5, 2 | 64), (7, 0b10)]);
    let values = values(&payload);
    let holds =
        |(name, value): &(&'static str, u64)| (name.ends_with("_sockets") && *value == 1).then_some(*name);
    let so: Vec<_> = values.iter().filter_map(holds).collect();
    let expected = [
        "recovering_sockets",
        "zero_window_sockets",
        "sack_sockets",
        "usec_timestamps_sockets",
        "fastopen_failed_sockets",
    ];
    assert_eq!(so, expected);
}

#[test]
fn before_the_handshake_there_is_neither_an_age_nor_a_window_to_speak_of() {
    let values = values(&reply(State::SynSent, &[(44, 1), (52, 1), (56, 1)]));
    let speaks = |(name, _): &&(&str, u64)| name.contains("_age_") || *name == "zero_window_sockets";
    assert_eq!(values.iter().find(speaks), None);
}

#[test]
fn subflows_are_the_total_of_the_kernel_or_one_more_than_have_joined() {
    let subflows = |length: usize| {
        let mut info = vec![0; length];
        info[0] = 2;
        if let Some(total) = info.get_mut(80) {
            *total = 7;
        }
        let end = ([0, 0, 0, 0], 0).into();
        let reply = Reply::new(State::Established, end, end).attribute(2, &info).into_bytes();
        let socket = MPTCP.parse(&reply).expect("a socket");
        let metric = METRICS.iter().find(|metric| metric.name == "subflows").expect("a metric");
        metric.source.read(&socket)
    };
    assert_eq!([40, 80, 96].map(subflows), [Some(3), Some(3), Some(7)]);
}

#[test]
fn the_queue_of_a_listener_of_mptcp_is_offered_and_that_of_a_connection_is_not() {
    let offered = |name: &str, protocol| {
        METRICS.iter().find(|metric| metric.name == name).expect("a metric").source.is_of(protocol)
    };
    for (name, is_of) in
        [("accept_queue_connections", true), ("accept_queue_limit", true), ("receive_queue_bytes", false)]
    {
        assert_eq!((offered(name, &MPTCP), offered(name, &TCP)), (is_of, true), "{name}");
    }
    assert!(!offered("refused_handshakes_total", &MPTCP));
}
