//! The errors of a view and of what stands beside it.

use super::{cases, errors};
use crate::properties::Property;

/// Each view of a table is refused with the message below it, in which `FLOW`, `LABELS` and `PREDICATES` stand for words of
/// the table of properties.
fn are_refused(table: &str) {
    let flow = "by: [local_address, local_port, remote_address, remote_port]";
    for (text, expected) in cases(table) {
        assert_eq!(errors_of_view(&text.replace("FLOW", flow)), with_words(expected), "{text}");
    }
}

fn with_words(message: &str) -> String {
    let labels: Vec<_> = Property::all().map(Property::name).collect();
    let predicates: Vec<_> =
        Property::predicates().map(|(word, ..)| word).chain(["port", "host", "net"]).collect();
    message.replace("LABELS", &labels.join(", ")).replace("PREDICATES", &predicates.join(", "))
}

/// The error of a view with this text between its braces.
fn errors_of_view(text: &str) -> String {
    let all = errors(&format!("views:\n  v: {{{text}}}\n"));
    let (place, error) = all.split_once(": views.v.").unwrap_or_else(|| panic!("{all}"));
    assert!(place.starts_with("a.yml:2:"), "{place}");
    error.to_owned()
}

#[test]
fn a_key_or_word_that_was_renamed_is_refused_with_its_name_of_today() {
    assert_eq!(
        errors_of_view("folds: {rtt_seconds: max}"),
        "folds: found an unknown key; expected: protocol, by, metrics, aggregate, histograms, select, state, limit, idle; it is called \"aggregate\" now"
    );
    assert_eq!(
        errors_of_view("metrics: [rtt_seconds], aggregate: {rtt_seconds: snapshot}"),
        "aggregate.rtt_seconds: found \"snapshot\"; expected: histogram, current_histogram, mean, min, max or sum; it is called \"current_histogram\" now"
    );
}

#[test]
fn a_wrong_label_is_reported_with_the_known_ones() {
    are_refused(
        r#"
bye: []
    bye: found an unknown key; expected: protocol, by, metrics, aggregate, histograms, select, state, limit, idle; did you mean "by"?
by: uid
    by: found "uid"; expected: a list of labels, such as [direction, service_port]
by: {uid: 1}
    by: found a map; expected: a list of labels, such as [direction, service_port]
by: [direktion]
    by[0]: found "direktion"; expected: LABELS; did you mean "direction"?
by: [uid, mark, uid]
    by[2]: found uid again; expected: each label once
by: [[uid]]
    by[0]: found a list; expected: the name of a label
"#,
    );
}

#[test]
fn a_metric_that_a_view_cannot_show_is_reported_with_the_reason() {
    are_refused(
        r#"
metrics: sockets
    metrics: found "sockets"; expected: a list of metrics, such as [sockets, "*_bytes_total"]
metrics: []
    metrics: found an empty list; expected: a list of metrics, such as [sockets, "*_bytes_total"]
metrics: [socket]
    metrics[0]: found "socket"; expected: the name of a metric, or a pattern that fits one; did you mean "sockets"?
metrics: [cwnd]
    metrics[0]: found "cwnd"; expected: the name of a metric, or a pattern that fits one; did you mean "congestion_window"?
metrics: [tcpi_bytes_sent]
    metrics[0]: found "tcpi_bytes_sent"; expected: the name of a metric, or a pattern that fits one; did you mean "sent_bytes_total"?
metrics: ['zzz*']
    metrics[0]: found "zzz*"; expected: the name of a metric, or a pattern that fits one
metrics: [~]
    metrics[0]: found nothing; expected: the name of a metric, or a pattern with * and ?
metrics: [sockets, sockets]
    metrics[1]: found on line 2 what views.v.metrics[0] on line 2 says already; expected: once
FLOW, metrics: [opened_total]
    metrics[0]: found a count of opened or closed connections in a per-connection view; expected: in an aggregated view
FLOW, metrics: [sockets, 'clos*']
    metrics[1]: found nothing but a count of opened or closed connections in a per-connection view; expected: in an aggregated view
state: [listen, time_wait], metrics: [sent_bytes_total]
    metrics[0]: found a counter of connections in a view without them; expected: metrics that are no counters of connections
state: listen, metrics: ['*_bytes_total']
    metrics[0]: found nothing but a counter of connections in a view without them; expected: metrics that are no counters of connections
metrics: [sockets, refused_handshakes_total]
    metrics[1]: found a counter of listeners in a view without them; expected: metrics of connections, or state: listen
protocol: unix, state: listen, metrics: [refused_handshakes_total]
    metrics[0]: found refused_handshakes_total, which unix sockets do not have; expected: metrics that they have, or protocol: tcp
"#,
    );
}

#[test]
fn an_aggregation_that_means_nothing_is_reported_with_those_that_do() {
    are_refused(
        r#"
aggregate: [mean]
    aggregate: found a list; expected: a map such as {rtt_seconds: max}
metrics: [rtt_seconds], aggregate: {rtt_second: mean}
    aggregate.rtt_second: found "rtt_second"; expected: a metric that this view shows; did you mean "rtt_seconds"?
metrics: [sockets], aggregate: {rtt_seconds: mean}
    aggregate.rtt_seconds: found "rtt_seconds"; expected: a metric that this view shows
metrics: [sockets], aggregate: {sockets: mean}
    aggregate.sockets: found an aggregate for the number of sockets; expected: for other metrics
metrics: [sent_bytes_total], aggregate: {sent_bytes_total: sum}
    aggregate.sent_bytes_total: found an aggregate for a counter, which always adds up; expected: for other metrics
metrics: [send_queue_bytes], aggregate: {send_queue_bytes: histogram}
    aggregate.send_queue_bytes: found "histogram"; expected: sum, mean, min or max
metrics: [rtt_seconds], aggregate: {rtt_seconds: maen}
    aggregate.rtt_seconds: found "maen"; expected: histogram, current_histogram, mean, min, max or sum
metrics: [rtt_seconds], aggregate: {rtt_seconds: current_histograms}
    aggregate.rtt_seconds: found "current_histograms"; expected: histogram, current_histogram, mean, min, max or sum; did you mean "current_histogram"?
metrics: [rtt_seconds], aggregate: {rtt_seconds: }
    aggregate.rtt_seconds: found nothing; expected: histogram, current_histogram, mean, min, max or sum
FLOW, metrics: [rtt_seconds], aggregate: {rtt_seconds: histogram}
    aggregate.rtt_seconds: found "histogram"; expected: sum, mean, min or max
"#,
    );
}

#[test]
fn bounds_that_cannot_count_are_reported() {
    are_refused(
        r#"
histograms: [1]
    histograms: found a list; expected: a map of lists of bounds by metric
FLOW, metrics: [rtt_seconds], histograms: {rtt_seconds: [1]}
    histograms.rtt_seconds: found bounds for what is no histogram in this view; expected: for distributions in an aggregated view, unless their aggregate is another
metrics: [rtt_seconds], aggregate: {rtt_seconds: mean}, histograms: {rtt_seconds: [1]}
    histograms.rtt_seconds: found bounds for what is no histogram in this view; expected: for distributions in an aggregated view, unless their aggregate is another
metrics: [sockets], histograms: {rtt_seconds: [1]}
    histograms.rtt_seconds: found "rtt_seconds"; expected: a metric that this view shows
metrics: [rtt_seconds], histograms: {rtt_seconds: 1}
    histograms.rtt_seconds: found 1; expected: a list of 1 to 100 ascending upper bounds, such as [0.001, 0.01, 0.1]
metrics: [rtt_seconds], histograms: {rtt_seconds: []}
    histograms.rtt_seconds: found 0 bounds; expected: a list of 1 to 100 ascending upper bounds, such as [0.001, 0.01, 0.1]
metrics: [rtt_seconds], histograms: {rtt_seconds: [0.1, 0.1]}
    histograms.rtt_seconds[1]: found 0.1 after 0.1; expected: ascending bounds, each once
metrics: [rtt_seconds], histograms: {rtt_seconds: [-1]}
    histograms.rtt_seconds[0]: found -1; expected: 0 or more, finite
metrics: [rtt_seconds], histograms: {rtt_seconds: ['1']}
    histograms.rtt_seconds[0]: found "1"; expected: a number
"#,
    );
}

#[test]
fn states_limits_and_times_are_reported_with_their_range() {
    are_refused(
        r#"
state: lisen
    state: found "lisen"; expected: established, syn_sent, syn_recv, fin_wait1, fin_wait2, time_wait, close, close_wait, last_ack, listen, closing, bound_inactive, all, connected, synchronized, bucket or big; did you mean "listen"?
select: 'state cookie_wait'
    select: found a state that tcp sockets do not have; expected: one that they have
protocol: sctp, state: [fin_wait1]
    state[0]: found "fin_wait1"; expected: established, close, listen, cookie_wait, cookie_echoed, shutdown_pending, shutdown_sent, shutdown_received, shutdown_ack_sent, all, connected, synchronized or big
state: []
    state: found an empty list; expected: a state or a list of states
select: 'dst 10.0.0.0/33'
    select: at "10.0.0.0/33": found "10.0.0.0/33"; expected: ADDRESS, ADDRESS/PREFIX, [IPV6ADDRESS], * or nothing, with or without :PORT
state: listen, select: 'state established'
    state: found states that select leaves out; expected: a state that it lets through
select: 'dst 10.0.0.0/8 and'
    select: at its end: found the end; expected: (, not, PREDICATES
select: [a]
    select: found a list; expected: a selection such as "dst 10.0.0.0/8 and not dport = 22"
limit: 0
    limit: found 0; expected: a number of rows from 1 to 1000000, or a map such as {top: 20, by: sent_bytes_total}
limit: 1000001
    limit: found 1000001; expected: a number of rows from 1 to 1000000, or a map such as {top: 20, by: sent_bytes_total}
limit: '5'
    limit: found "5"; expected: a number of rows from 1 to 1000000, or a map such as {top: 20, by: sent_bytes_total}
limit: -1
    limit: found -1; expected: a number of rows from 1 to 1000000, or a map such as {top: 20, by: sent_bytes_total}
idle: 59s
    idle: found "59s"; expected: a duration from 1m to 30d, such as 10m, 1h or 7d
idle: 31d
    idle: found "31d"; expected: a duration from 1m to 30d, such as 10m, 1h or 7d
FLOW, idle: 1h
    idle: found in a per-connection view, whose rows end with their sockets; expected: in other views
"#,
    );
}

#[test]
fn every_error_beside_the_views_says_what_was_found_and_what_is_allowed() {
    let table = r#"
views: [tcp]
    1:1: views: found a list; expected: a map of views by their names
views: {v: 5}
    1:9: views.v: found 5; expected: a map with the keys protocol, by, metrics, aggregate, histograms, select, state, limit, idle
views: {Tcp: }
    1:9: views.Tcp: found the name "Tcp"; expected: a-z, then a-z, 0-9 and _
views: {1a: }
    1:9: views.1a: found the name "1a"; expected: a-z, then a-z, 0-9 and _
views: {a-b: }
    1:9: views.a-b: found the name "a-b"; expected: a-z, then a-z, 0-9 and _
views: {exporter: }
    1:9: views.exporter: found a name that begins with exporter, as the exporter's own do; expected: any other
views: {legacy_totals: }
    1:9: views.legacy_totals: found a name that begins with legacy, as the exporter's own do; expected: any other
networks: [a]
    1:1: networks: found a list; expected: a map of networks by their names
networks: {a: 10.0.0.0/8}
    1:12: networks.a: found "10.0.0.0/8"; expected: a list of networks such as [192.0.2.0/24, "2001:db8::/32"]
networks: {a: [10.0.0.0/33]}
    1:16: networks.a[0]: found "10.0.0.0/33"; expected: a network such as 192.0.2.0/24 or 2001:db8::/32
networks: {a: [10.1.2.3/8]}
    1:16: networks.a[0]: found 10.1.2.3/8, an address inside a network; expected: the network, 10.0.0.0/8
networks: {a: [10.0.0.0/8], b: [10.0.0.0/8]}
    1:33: networks.b[0]: found 10.0.0.0/8 under a already; expected: each network once
networks: {private: []}
    1:12: networks.private: found the name "private"; expected: a letter, then letters, digits, _, - and .; but not loopback, other, private, public, unknown
networks: {"a b": []}
    1:12: networks.a b: found the name "a b"; expected: a letter, then letters, digits, _, - and .; but not loopback, other, private, public, unknown
network_prefix: 24
    1:1: network_prefix: found 24; expected: a map with the keys ipv4, ipv6
network_prefix: {ipv4: 33}
    1:18: network_prefix.ipv4: found 33; expected: a prefix length from 1 to 32
network_prefix: {ipv6: 0}
    1:18: network_prefix.ipv6: found 0; expected: a prefix length from 1 to 128
paths: [/run/*]
    1:1: paths: found a list; expected: a map of patterns by their names
paths: {php: [run/php]}
    1:15: paths.php[0]: found "run/php"; expected: a pattern that begins with /, @ or *, such as /run/php/*
paths: {php: 7}
    1:9: paths.php: found "7"; expected: a pattern that begins with /, @ or *, such as /run/php/*
paths: {run: /run/*, php: /run/php/*}
    1:22: paths.php: found /run/php/*, all of which is run by /run/* already; expected: the narrower pattern first, and each once
paths: {php: [/run/a, /run/a]}
    1:23: paths.php[1]: found /run/a, all of which is php by /run/a already; expected: the narrower pattern first, and each once
paths: {unknown: /run/*}
    1:9: paths.unknown: found the name "unknown"; expected: a letter, then letters, digits, _, - and .; but not other, unknown
collect: {observe: 500ms}
    1:11: collect.observe: found "500ms"; expected: a duration from 1s to 1h, such as 15s, 1m30s or 5m
collect: {events: 'true'}
    1:11: collect.events: found "true"; expected: true or false
collect: {event_buffer: 1KiB}
    1:11: collect.event_buffer: found "1KiB"; expected: a size from 64KiB to 1GiB, such as 65536 or 32MiB
collect: {event_buffer: 32MB}
    1:11: collect.event_buffer: found "32MB"; expected: a size from 64KiB to 1GiB, such as 65536 or 32MiB
collect: {tracked_sockets: 0}
    1:11: collect.tracked_sockets: found 0; expected: a number of sockets from 1 to 100000000
selection: {process: {pids: [1]}}
    1:1: selection: found a selection without logic; expected: beside logic, and select in each view
"#;
    for (text, expected) in cases(table) {
        let shows = if text.starts_with("views") { "" } else { "\nviews: {shows: }" };
        assert_eq!(errors(&format!("{text}{shows}")), format!("a.yml:{expected}"));
    }
}

#[test]
fn two_views_of_one_name_are_reported_with_their_lines() {
    assert_eq!(
        errors("views:\n  a: \n  b:\n  a: "),
        "a.yml:4:3: views.a: found on line 4 what views.a on line 2 says already; expected: once"
    );
}

#[test]
fn two_views_with_one_exposed_name_are_reported_both() {
    assert_eq!(
        errors("views: {a: {metrics: [min_rtt_seconds]}, a_min: {metrics: [rtt_seconds]}}"),
        "a.yml:1:42: views.a_min: found the exposed name ss_a_min_rtt_seconds in view a and in view a_min; \
         expected: names of views and metrics that make each exposed name once"
    );
}

#[test]
fn all_errors_of_a_view_are_reported_in_its_order() {
    let reported = errors(
        "networks: {a: [x]}\nviews:\n  v:\n    by: [x, uid, y]\n    metrics: [z]\n    limit: 0\n  W:\n    idle: 1\ncollect: {events: 7}\n",
    );
    let places: Vec<_> =
        reported.lines().map(|line| line.split(": ").take(2).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(
        places,
        [
            "a.yml:1:16 networks.a[0]",
            "a.yml:4:10 views.v.by[0]",
            "a.yml:4:18 views.v.by[2]",
            "a.yml:5:15 views.v.metrics[0]",
            "a.yml:6:5 views.v.limit",
            "a.yml:7:3 views.W",
            "a.yml:8:5 views.W.idle",
            "a.yml:9:11 collect.events",
        ]
    );
}
