//! The errors of a file: what was found, what was expected, and where.

use proptest::prelude::*;

use super::{bounds, cases, errors, parsed};
use crate::config::{Config, DEFAULT_FILE};

#[test]
fn an_empty_list_of_bounds_is_replaced_and_logged() {
    let config = parsed("logic:\n  metrics:\n    histograms:\n      bucket_bounds: []\n");
    assert_eq!(bounds(&config).map(|bounds| bounds.len()), Some(9));
    assert_eq!(
        config.warnings,
        [
            "a.yml:4:7: logic.metrics.histograms.bucket_bounds: found an empty list for a histogram that is active; \
          used: the built-in bounds"
        ]
    );
}

#[test]
fn an_unknown_key_under_logic_is_a_warning_that_names_the_nearest_known_one() {
    let config = parsed("logic:\n  metrics:\n    gagues:\n      active: true\n    counters:\n");
    assert_eq!(
        config.warnings,
        ["a.yml:3:5: logic.metrics.gagues: found an unknown key; expected: gauges, counters, histograms; \
          did you mean \"gauges\"?"]
    );
}

#[test]
fn an_unknown_key_at_the_top_is_an_error_that_names_the_nearest_known_one() {
    assert_eq!(
        errors("logic:\nlogics:\nzzzzzz: 1\ncollect:\n  dead_line: 5s\n"),
        "a.yml:2:1: logics: found an unknown key; expected: views, networks, network_prefix, paths, collect, legacy, logic, selection, cnfg; did you mean \"logic\"?\n\
         a.yml:3:1: zzzzzz: found an unknown key; expected: views, networks, network_prefix, paths, collect, legacy, logic, selection, cnfg\n\
         a.yml:5:3: collect.dead_line: found an unknown key; \
         expected: deadline, observe, events, event_buffer, tracked_sockets, owners, netns; did you mean \"deadline\"?"
    );
}

#[test]
fn what_a_protocol_lacks_is_an_error_where_it_is_asked_for() {
    let of = |view: &str| errors(&format!("views:\n  v:\n    protocol: {view}\n"));
    for (view, error) in [
        ("udq", "3:5: views.v.protocol: found \"udq\"; expected: PROTOCOLS; did you mean \"udp\"?"),
        (
            "[unix, unix_stream]",
            "3:22: views.v.protocol[1]: found unix_stream again; expected: each protocol once",
        ),
        (
            "[packet_raw, packet_raw]",
            "3:28: views.v.protocol[1]: found packet_raw again; expected: each protocol once",
        ),
        ("[tcp, tcp]", "3:21: views.v.protocol[1]: found tcp again; expected: each protocol once"),
        (
            "udp\n    by: [process, direction]",
            "4:19: views.v.by[1]: found direction, which udp sockets do not have; expected: labels that they have, or protocol: tcp",
        ),
        (
            "[tcp, udp]\n    metrics: [sockets, rtt_seconds]",
            "4:24: views.v.metrics[1]: found rtt_seconds, which udp sockets do not have; \
             expected: metrics that they have, or protocol: tcp",
        ),
        (
            "udp\n    metrics: [receive_queue_bytes]",
            "4:15: views.v.metrics[0]: found receive_queue_bytes, which udp sockets do not have; \
             expected: metrics that they have, or protocol: tcp or unix",
        ),
        (
            "udp\n    select: sport = 53 and congestion = bbr",
            "4:5: views.v.select: found congestion, which udp sockets do not have; \
             expected: predicates that they have, or protocol: tcp",
        ),
        (
            "tcp\n    select: src unix:/run/php/*",
            "4:5: views.v.select: found path, which tcp sockets do not have; \
             expected: predicates that they have, or protocol: unix",
        ),
        (
            "[unix, packet]\n    select: sport = 53",
            "4:5: views.v.select: found sport, which unix sockets do not have; \
             expected: predicates that they have, or protocol: tcp, mptcp, udp, udplite, raw, sctp or smc",
        ),
        (
            "udp\n    select: state listening",
            "4:5: views.v.select: found a state that udp sockets do not have; expected: one that they have",
        ),
        (
            "udp\n    state: listen",
            "4:5: views.v.state: found \"listen\"; \
             expected: established, close, all, connected, synchronized or big",
        ),
        (
            "[tcp, udp]\n    state: listen",
            "4:5: views.v.state: found no state of udp sockets; \
             expected: established, close, all, connected, synchronized or big",
        ),
    ] {
        let typed = sockdiag::TYPED_PROTOCOLS.iter().map(|(word, ..)| *word);
        let names: Vec<_> = sockdiag::PROTOCOLS.iter().map(|protocol| protocol.name).chain(typed).collect();
        assert_eq!(of(view), format!("a.yml:{}", error.replace("PROTOCOLS", &names.join(", "))), "{view}");
    }
}

#[test]
fn a_key_said_twice_names_both_lines() {
    assert_eq!(
        errors("logic:\n  metrics:\n    gauges:\n      delivery_rate:\n      deliveryRate:\n"),
        "a.yml:5:7: logic.metrics.gauges.deliveryRate: found on line 5 what logic.metrics.gauges.delivery_rate on \
         line 4 says already; expected: once"
    );
    for (text, line) in [
        ("logic:\nlogic:\n", 2),
        ("logic:\ncnfg:\n  logic:\n", 3),
        ("logic:\n  max_flows: 1\n  compression:\n    max_flows: 1\n", 4),
        (
            "logic:\n  flow_label: {origin_folding: raw_endpoint}\n  compression:\n    label_folding: raw_endpoint\n",
            4,
        ),
        ("logic:\n  gauges:\n  metrics:\n    gauges:\n", 4),
        (
            "logic:\n  metrics:\n    histograms:\n      bucket_bounds: [1]\n      rtt: {bucket_bounds: [1]}\n",
            5,
        ),
    ] {
        let reported = errors(text);
        assert!(reported.starts_with(&format!("a.yml:{line}:")), "{reported}");
        assert_eq!(reported.matches(" line ").count(), 2, "{reported}");
        assert_eq!(reported.lines().count(), 1, "{reported}");
    }
}

#[test]
fn every_error_says_what_was_found_and_what_is_allowed() {
    let table = r#"
metrics: 5
    metrics: found 5; expected: a map with the keys gauges, counters, histograms
metrics: {gauges: [rtt]}
    metrics.gauges: found a list; expected: a map with the keys active, rtt, cwnd, delivery_rate
metrics: {gauges: {active: maybe}}
    metrics.gauges.active: found "maybe"; expected: true or false
metrics: {gauges: {active: 1}}
    metrics.gauges.active: found 1; expected: true or false
metrics: {histograms: {bucket_bounds: [0]}}
    metrics.histograms.bucket_bounds[0]: found 0; expected: milliseconds above 0, finite
metrics: {histograms: {bucket_bounds: [.inf]}}
    metrics.histograms.bucket_bounds[0]: found inf; expected: milliseconds above 0, finite
metrics: {histograms: {bucket_bounds: [1, x]}}
    metrics.histograms.bucket_bounds[1]: found "x"; expected: a number
metrics: {histograms: {bucket_bounds: [1, 1]}}
    metrics.histograms.bucket_bounds[1]: found 1 after 1; expected: ascending bounds, each once
compression: {label_folding: raw}
    compression.label_folding: found "raw"; expected: raw_endpoint or pid_condensed
compression: {label_folding: {origin: [a]}}
    compression.label_folding.origin: found a list; expected: raw_endpoint or pid_condensed
max_flows: -1
    max_flows: found -1; expected: a number of flows, or 0 for no limit
max_flows: 1.5
    max_flows: found 1.5; expected: a number of flows, or 0 for no limit
selection: {process: {pids: [0]}}
    selection.process.pids[0]: found 0; expected: a process id from 1 to 4294967295
selection: {process: {pids: 4294967296}}
    selection.process.pids: found 4294967296; expected: a process id from 1 to 4294967295
selection: {process: {cmds: ['']}}
    selection.process.cmds[0]: found ""; expected: the name of a command
selection: {peering: {addresses: [10.0.0.0/8]}}
    selection.peering.addresses[0]: found "10.0.0.0/8"; expected: an IPv4 or IPv6 address such as 192.0.2.1 (a network belongs under networks)
selection: {peering: {networks: [10.0.0.0/33]}}
    selection.peering.networks[0]: found "10.0.0.0/33"; expected: a network such as 192.0.2.0/24 or 2001:db8::/32
selection: {peering: {networks: {exclude: [10]}}}
    selection.peering.networks.exclude[0]: found 10; expected: a network such as 192.0.2.0/24 or 2001:db8::/32
selection: {peering: {hosts: [a b]}}
    selection.peering.hosts[0]: found "a b"; expected: a host name such as db.example.org, or an address
selection: {peering: {hosts: [10.0.0.256]}}
    selection.peering.hosts[0]: found "10.0.0.256"; expected: a host name such as db.example.org, or an address
selection: {portranges: [{lower: 1}]}
    selection.portranges[0]: found a range without both ends; expected: {lower: PORT, upper: PORT}
selection: {portranges: [~]}
    selection.portranges[0]: found a range without both ends; expected: {lower: PORT, upper: PORT}
selection: {portranges: [80-443]}
    selection.portranges[0]: found "80-443"; expected: a map with the keys lower, upper
selection: {portranges: {lower: 1, upper: 65536}}
    selection.portranges.upper: found 65536; expected: a port from 0 to 65535
selection: {portranges: {lower: , upper: 1}}
    selection.portranges.lower: found nothing; expected: a port from 0 to 65535
selection: {portranges: {lower: 2, upper: 1}}
    selection.portranges: found lower 2 above upper 1; expected: lower <= upper
"#;
    for (text, expected) in cases(table) {
        let all = errors(&format!("logic: {{{text}}}"));
        let (place, reported) = all.split_once(": logic.").unwrap_or_else(|| panic!("{all}"));
        assert_eq!(reported, expected, "{text}");
        assert!(place.starts_with("a.yml:1:"), "{place}");
    }
}

#[test]
fn a_file_that_shows_nothing_says_what_is_expected() {
    let expected = "found nothing to show; expected: the key views or logic, with what to show under it";
    for text in ["", "# nothing\n", "{}", "collect: {deadline: 5s}", "selection: ", "cnfg: ", "views: "] {
        let reported = errors(text);
        assert!(reported.ends_with(expected) && reported.starts_with("a.yml:"), "{text}: {reported}");
    }
    assert_eq!(errors("- logic"), "a.yml:1:1: found a list; expected: a map with the key views or logic");
    assert_eq!(errors("logic"), "a.yml:1:1: found \"logic\"; expected: a map with the key views or logic");
}

#[test]
fn what_is_no_yaml_is_one_error_with_its_place() {
    assert_eq!(
        errors("logic:\n\tmetrics:\n"),
        "a.yml:2:2: found invalid YAML: tabs disallowed within this context (block indentation); \
         expected: one YAML map"
    );
}

#[test]
fn all_errors_of_a_file_are_reported_in_its_order() {
    let reported = errors(
        "collect: {deadline: 0s}\nlogic:\n  selection:\n    process:\n      pids: [x, 1, y]\n  max_flows: z\nlogik: 1\n",
    );
    let places: Vec<_> =
        reported.lines().map(|line| line.split(": ").take(2).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(
        places,
        [
            "a.yml:1:11 collect.deadline",
            "a.yml:5:14 logic.selection.process.pids[0]",
            "a.yml:5:20 logic.selection.process.pids[2]",
            "a.yml:6:3 logic.max_flows",
            "a.yml:7:1 logik",
        ]
    );
}

#[test]
fn a_ranking_that_cannot_be_is_an_error_that_says_what_can() {
    let process = "by: [process]\n    metrics: [sockets, rtt_seconds]";
    for (view, error) in [
        (
            format!("{process}\n    limit: {{top: 5}}"),
            "5:5: views.v.limit: found no by; expected: a map such as {top: 20, by: sent_bytes_total}",
        ),
        (
            format!("{process}\n    limit: {{topp: 5, by: sockets}}"),
            "5:13: views.v.limit.topp: found an unknown key; expected: top, by; did you mean \"top\"?",
        ),
        (
            "by: [process]\n    metrics: [sockets]\n    limit: {top: 5, by: sokets}".to_owned(),
            "5:21: views.v.limit.by: found \"sokets\"; expected: a metric that this view shows; did you mean \"sockets\"?",
        ),
        (
            format!("{process}\n    limit: {{top: 5, by: sockets}}"),
            "5:5: views.v.limit: found in an aggregated view that counts rtt_seconds; expected: in a view of gauges alone, such as metrics: [sockets, send_queue_bytes], or of single connections, because a row that comes and goes loses counts",
        ),
        (
            format!(
                "{process}\n    aggregate: {{rtt_seconds: current_histogram}}\n    limit: {{top: 5, by: rtt_seconds}}"
            ),
            "6:21: views.v.limit.by: found rtt_seconds, a histogram; expected: a metric with one value for each row",
        ),
    ] {
        let found = errors(&format!("views:\n  v:\n    {view}\n"));
        assert!(found.contains(&format!("a.yml:{error}")), "{view}:\n{found}");
    }
}

#[test]
fn a_text_from_the_file_cannot_break_a_line() {
    let long = "x".repeat(1000);
    let reported = errors(&format!("logic: {{max_flows: \"a\\nb\\e[31m{long}\"}}\n\"k\\n1\": 2\n"));
    assert_eq!(reported.lines().count(), 2, "{reported}");
    assert!(
        reported.contains("a\\nb\\u{1b}[31mxxx") && reported.contains("k\\n1") && reported.len() < 400,
        "{reported}"
    );
}

#[test]
fn a_deadline_outside_the_limits_is_refused() {
    for (deadline, found) in [("99ms", "\"99ms\""), ("61s", "\"61s\""), ("5", "5"), ("soon", "\"soon\"")] {
        assert_eq!(
            errors(&format!("logic:\ncollect: {{deadline: {deadline}}}")),
            format!(
                "a.yml:2:11: collect.deadline: found {found}; \
                 expected: a duration from 100ms to 60s, such as 500ms, 5s or 1m"
            )
        );
    }
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC*|[\\-a-z:\\[\\]{}&*!#|> \n\t\"']{0,80}") {
        let _ = Config::parse("a.yml", &text);
    }

    #[test]
    fn no_change_of_the_built_in_file_panics(
        cuts in proptest::collection::vec((any::<prop::sample::Index>(), 0_usize..9, "[-a-z0-9:\\[\\]{}&*~.,/ \n]{0,4}"), 1..6)
    ) {
        let mut letters: Vec<char> = DEFAULT_FILE.replace("  # ", "  ").chars().collect();
        for (at, removed, added) in cuts {
            let at = at.index(letters.len());
            let end = letters.len().min(at + removed);
            letters.splice(at..end, added.chars());
        }
        let text: String = letters.into_iter().collect();
        if let Err(error) = Config::parse("a.yml", &text) {
            prop_assert!(error.errors().iter().all(|line| line.starts_with("a.yml:") && !line.contains('\n')));
        }
    }
}
