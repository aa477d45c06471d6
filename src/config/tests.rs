//! What a file may say.

use super::*;
use crate::metrics::{Aggregation, Kind};
use crate::properties::Property;
use crate::select::{Expression, Test};
use crate::view::PROTOCOL;
use sockdiag::{State, StateSet};

mod refusals;
mod strict;
mod views;
mod worst_case;

fn parsed(text: &str) -> Config {
    Config::parse("a.yml", text).unwrap_or_else(|error| panic!("{error}"))
}

fn errors(text: &str) -> String {
    Config::parse("a.yml", text).map_or_else(|error| error.to_string(), |config| panic!("{config:?}"))
}

/// The texts of a table, each with the line below it.
fn cases(table: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut lines = table.trim().lines();
    std::iter::from_fn(move || Some((lines.next()?, lines.next()?.trim_start())))
}

fn selection(text: &str) -> Expression {
    let config = parsed(&format!("logic:\n  selection: {text}"));
    config.views.into_iter().next().map_or(Expression::Never, |view| view.selection)
}

/// The names of all columns.
fn names(text: &str) -> String {
    let config = parsed(text);
    let names: Vec<_> = config.views.iter().flat_map(|view| &view.columns).map(|c| c.name.as_str()).collect();
    names.join(" ")
}

fn bounds(config: &Config) -> Option<Vec<f64>> {
    config.views.iter().flat_map(|view| &view.columns).find_map(|column| match &column.aggregation {
        Aggregation::CurrentHistogram(bounds) => Some(bounds.clone()),
        _ => None,
    })
}

fn remote(network: &str) -> Expression {
    Expression::Is(Test::Network(
        Property::RemoteAddress,
        network.parse().unwrap_or_else(|error| panic!("{network}: {error}")),
    ))
}

#[test]
fn the_built_in_file_shows_the_views_and_then_the_families_of_the_predecessor() {
    let config = parsed(DEFAULT_FILE);
    assert_eq!(config.warnings, [""; 0]);
    assert!(!config.legacy_meta);
    let [tcp, listener, state, udp, unix, flows, totals] = config.views.as_slice() else {
        panic!("{config:?}")
    };
    let by = [Property::Process, Property::Unit, Property::Direction, Property::ServicePort];
    assert_eq!((tcp.name.as_str(), &tcp.by[..]), ("tcp", &by[..]));
    assert_eq!((listener.name.as_str(), listener.states()), ("tcp_listener", StateSet::of(&[State::Listen])));
    assert_eq!(
        (state.name.as_str(), state.states(), state.columns.len()),
        ("tcp_state", StateSet::ALL.intersection(StateSet::OF_TCP), 1)
    );
    let protocols = |view: &View| view.protocols().map(|protocol| protocol.name).collect::<Vec<_>>();
    assert_eq!((udp.name.as_str(), protocols(udp), udp.limit), ("udp", vec!["udp"], Some(1000)));
    assert_eq!(
        (unix.name.as_str(), protocols(unix), unix.limit),
        ("unix_listener", vec!["unix"], Some(1000))
    );
    assert_eq!(unix.states(), StateSet::of(&[State::Listen]));
    assert_eq!((flows.name.as_str(), flows.limit, &flows.by), ("legacy", Some(1000), &vec![Property::Flow]));
    assert_eq!((totals.name.as_str(), totals.limit, &totals.by), ("legacy_totals", None, &vec![]));
    assert_eq!((&flows.selection, flows.states()), (&totals.selection, totals.states()));
    assert_eq!(bounds(&config), Some(vec![0.1, 0.5, 1.0, 5.0, 10.0, 50.0, 100.0, 200.0, 500.0]));
}

#[test]
fn one_line_leaves_out_the_families_of_the_predecessor() {
    let without = parsed(&default_file_without_legacy());
    let with = parsed(DEFAULT_FILE);
    assert!(with.shows_legacy() && !without.shows_legacy());
    assert_eq!(without.views, with.views[..5]);
    let named = "views: {v: }\nlogic: {max_flows: 3}\n";
    assert_eq!(parsed(&format!("{named}legacy: false\n")), parsed("views: {v: }"));
    assert_eq!(parsed(&format!("{named}legacy: true\n")), parsed(named));
    assert!(errors("legacy: false\nlogic:\n").contains("nothing to show"));
    assert!(errors("views: {v: }\nlegacy: false\nlogic: {max_flows: many}\n").contains("max_flows"));
}

#[test]
fn the_examples_in_the_built_in_file_are_valid() {
    // An example is a key, or stands below one.
    let is_example = |text: &str| {
        let word = text.split(':').next().unwrap_or_default();
        text.starts_with(' ') || word != text && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
    };
    let text: String = DEFAULT_FILE
        .lines()
        .map(|line| match (line.strip_prefix("  # "), line.strip_prefix("# ")) {
            (Some(example), _) if is_example(example) => format!("  {example}\n"),
            (_, Some(example)) if is_example(example) => format!("{example}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let config = parsed(&text);
    assert_eq!(config.warnings, [""; 0]);
    let tests = config.views.last().map_or(0, |view| view.selection.tests().count());
    assert_eq!(tests, 12, "{text}");
    assert_eq!(config.views.len(), 12, "{text}");
    assert_eq!(config.names.networks.names(), ["office"]);
    assert_eq!(config.collect, Collect::DEFAULT);
}

#[test]
fn a_flow_has_the_unit_and_the_type_of_the_predecessor() {
    let told = |text: &str| {
        let columns = parsed(text).views.into_iter().flat_map(|view| view.columns);
        columns.map(|c| (c.name, c.metric.name, c.kind, c.per_base, c.aggregation)).collect::<Vec<_>>()
    };
    let expected = vec![
        ("tcp_rtt".to_owned(), "rtt_seconds", Kind::Distribution, 1000.0, Aggregation::Mean),
        ("tcp_cwnd".to_owned(), "congestion_window", Kind::Distribution, 1.0, Aggregation::Sum),
        ("tcp_data_segs_in".to_owned(), "received_data_segments_total", Kind::Counter, 1.0, Aggregation::Sum),
        ("tcp_data_segs_out".to_owned(), "sent_data_segments_total", Kind::Counter, 1.0, Aggregation::Sum),
    ];
    let metrics = "metrics: {gauges: {rtt: , cwnd: }, counters: }";
    assert_eq!(told(&format!("logic: {{{metrics}}}")), expected);
    let folded = format!("logic: {{{metrics}, compression: {{label_folding: pid_condensed}}}}");
    assert_eq!(told(&folded), expected);
    for view in parsed(&folded).views {
        for column in view.columns {
            let included = column.help.ends_with("connections that have closed included.");
            assert_eq!(column.kind == Kind::Counter, included, "{column:?}");
            assert!(column.help.ends_with('.'), "{column:?}");
        }
    }
}

#[test]
fn only_sockets_with_a_peer_are_flows() {
    for view in parsed("logic:").views {
        assert_eq!(view.states().bits(), 0xffe & !(1 << 10 | 1 << 7 | 1 << 6 | 1 << 3));
    }
}

#[test]
fn a_file_without_metrics_shows_everything() {
    let all = "tcp_rtt tcp_cwnd tcp_delivery_rate_bytes tcp_data_segs_in tcp_data_segs_out tcp_rtt_hist_ms";
    assert!(names(DEFAULT_FILE).ends_with(all));
    for text in
        ["logic:", "logic: {}", "logic: {metrics: }", "logic: {metrics: ~, selection: ~, compression: ~}"]
    {
        assert_eq!(names(text), all, "{text}");
        assert_eq!(parsed(text).views.first().and_then(|view| view.limit), Some(10_000), "{text}");
    }
}

#[test]
fn a_group_shows_what_it_names_or_else_all() {
    for (metrics, shown) in [
        ("{}", ""),
        ("{gauges: {active: false, rtt: {active: true}}}", ""),
        ("{gauges: {rtt: {active: no}}}", ""),
        ("{gauges: {rtt: {active: }, cwnd: {active: 'False'}}}", "tcp_rtt"),
        ("{gauges: {active: true}}", "tcp_rtt tcp_cwnd tcp_delivery_rate_bytes"),
        ("{counters: {data_segs_out: }}", "tcp_data_segs_out"),
        ("{histograms: }", "tcp_rtt_hist_ms"),
        ("{histograms: {rtt: {active: off}}}", ""),
        ("{histograms: {active: true, bucketBounds: [1]}}", "tcp_rtt_hist_ms tcp_flows_total"),
        ("{gauges: {deliveryRate: {active: true}}}", "tcp_delivery_rate tcp_flows_total"),
    ] {
        assert_eq!(names(&format!("logic: {{metrics: {metrics}}}")), shown, "{metrics}");
    }
}

#[test]
fn bounds_may_stand_beside_the_histogram_and_default_by_generation() {
    let told =
        |histograms: &str| bounds(&parsed(&format!("logic: {{metrics: {{histograms: {histograms}}}}}")));
    assert_eq!(told("{bucket_bounds: ['0.1', 1, 2.5]}"), Some(vec![0.1, 1.0, 2.5]));
    assert_eq!(told("{bucket_bounds: 7}"), Some(vec![7.0]));
    assert_eq!(told("{latency: {bucket_bounds: }}").map(|bounds| bounds.len()), Some(9));
    assert_eq!(told("{latency: {bucketBounds: }}").map(|bounds| bounds.len()), Some(18));
}

#[test]
fn the_limit_of_flows_stands_in_either_place_and_spelling() {
    for (text, limit) in [
        ("max_flows: 7", Some(7)),
        ("maxFlows: '7'", Some(7)),
        ("compression: {max_flows: 7.0}", Some(7)),
        ("max_flows: 0", None),
        ("max_flows: ", Some(10_000)),
    ] {
        let limits: Vec<_> =
            parsed(&format!("logic: {{{text}}}")).views.iter().map(|view| view.limit).collect();
        assert_eq!(limits, [limit, None], "{text}");
    }
}

#[test]
fn an_empty_selection_is_no_condition() {
    for text in ["", "{}", "{process: , peering: {addresses: [], networks: {exclude: }}, portRanges: []}"] {
        assert_eq!(selection(text), Expression::Always, "{text}");
    }
}

#[test]
fn a_scalar_is_a_list_of_one() {
    assert_eq!(selection("{process: {pids: 200}}"), Expression::Is(Test::Number(Property::Pid, 200)));
    assert_eq!(
        selection("{process: {cmds: 200}}"),
        Expression::Is(Test::Text(Property::Process, "200".to_owned()))
    );
    assert_eq!(selection("{peering: {networks: 10.0.0.0/8}}"), remote("10.0.0.0/8"));
    let ports = Expression::Any(vec![
        Expression::Is(Test::Port(Property::LocalPort, 0..=65535)),
        Expression::Is(Test::Port(Property::RemotePort, 0..=65535)),
    ]);
    assert_eq!(selection("{port_ranges: {lower: 0, upper: '65535'}}"), ports);
}

#[test]
fn addresses_have_one_spelling() {
    assert_eq!(selection("{peering: {addresses: ['::ffff:192.0.2.1']}}"), remote("192.0.2.1/32"));
    assert_eq!(selection("{peering: {addresses: ['2001:DB8::1']}}"), remote("2001:db8::1/128"));
    assert_eq!(selection("{peering: {hosts: [192.0.2.1]}}"), remote("192.0.2.1/32"));
    assert_eq!(selection("{peering: {networks: [192.0.2.1]}}"), remote("192.0.2.1/32"));
    assert_eq!(selection("{peering: {networks: ['2001:db8::/32']}}"), remote("2001:db8::/32"));
}

#[test]
fn a_network_with_host_bits_matches_the_whole_and_says_so() {
    let config =
        parsed("logic:\n  selection:\n    peering:\n      networks: [10.0.0.0/8,\n        10.1.2.3/16]\n");
    assert_eq!(
        config.warnings,
        ["a.yml:5:9: logic.selection.peering.networks[1]: found 10.1.2.3/16, an address inside a network; \
          matched: 10.1.0.0/16"]
    );
    assert_eq!(
        config.views.first().map(|view| view.selection.clone()),
        Some(Expression::Any(vec![remote("10.0.0.0/8"), remote("10.1.0.0/16")]))
    );
}

#[test]
fn networks_include_and_exclude() {
    assert_eq!(
        selection("{peering: {networks: {include: 10.0.0.0/8, exclude: [10.9.0.0/16]}}}"),
        Expression::All(vec![remote("10.0.0.0/8"), Expression::Not(Box::new(remote("10.9.0.0/16")))])
    );
}

#[test]
fn a_selection_beside_logic_counts_unless_logic_has_one() {
    let beside = parsed("logic: {selection: }\nselection: {process: {pids: [1]}}");
    assert_eq!(
        beside.views.first().map(|view| &view.selection),
        Some(&Expression::Is(Test::Number(Property::Pid, 1)))
    );
    let both = parsed("logic: {selection: {process: {pids: [2]}}}\nselection: {process: {pids: [1]}}");
    assert_eq!(
        both.views.first().map(|view| &view.selection),
        Some(&Expression::Is(Test::Number(Property::Pid, 2)))
    );
    assert_eq!(both.warnings, ["a.yml:2:1: selection: found a second selection; used: the one under logic"]);
}

#[test]
fn the_deadline_is_a_duration() {
    assert_eq!(parsed("logic:\ncollect: {deadline: 1m}").collect.deadline, Duration::from_mins(1));
    assert_eq!(parsed("logic:\ncollect: {deadline: 100ms}").collect.deadline, Duration::from_millis(100));
    for text in ["logic:\ncollect:", "logic:\ncollect: {}", "logic:\ncollect: {deadline: }"] {
        assert_eq!(parsed(text).collect.deadline, Duration::from_secs(5), "{text}");
    }
}

#[test]
fn anchors_and_merged_keys_are_read() {
    let text =
        "logic:\n  metrics:\n    gauges:\n      rtt: &on {active: true}\n      cwnd:\n        <<: *on\n";
    assert_eq!(names(text), "tcp_rtt tcp_cwnd");
}

#[test]
fn a_byte_order_mark_is_skipped() {
    assert_eq!(names("\u{feff}logic: {metrics: {gauges: {rtt: }}}"), "tcp_rtt");
}
