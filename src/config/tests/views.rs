//! What a view becomes.

use super::*;
use crate::attribute::Networks;
use sockdiag::SMC;

const FLOW: &str = "by: [local_address, local_port, remote_address, remote_port]";

fn view(text: &str) -> View {
    let config = parsed(&format!("views:\n  v: {{{text}}}\n"));
    assert_eq!(config.warnings, [""; 0], "{text}");
    config.views.into_iter().next().unwrap_or_else(|| panic!("{text}"))
}

/// The columns, each as its name and its fold if that is not said by its kind.
fn columns(text: &str) -> String {
    let columns = view(text).columns.into_iter().map(|column| {
        assert_eq!(column.name, format!("ss_v_{}", column.metric.name));
        assert_eq!((column.kind, column.per_base), (column.metric.kind, 1.0));
        let list = |bounds: &[f64]| bounds.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let aggregation = match &column.aggregation {
            Aggregation::Histogram(bounds) => format!("histogram[{}]", list(bounds)),
            Aggregation::CurrentHistogram(bounds) => format!("current_histogram[{}]", list(bounds)),
            aggregation => format!("{aggregation:?}").to_lowercase(),
        };
        format!("{}:{aggregation}", column.metric.name)
    });
    columns.collect::<Vec<_>>().join(" ")
}

fn named(text: &str) -> Vec<&'static str> {
    view(text).columns.iter().map(|column| column.metric.name).collect()
}

#[test]
fn a_view_without_keys_is_one_row_over_all_connections() {
    let config = parsed("views: {tcp: }");
    let [view] = &config.views[..] else { panic!("{config:?}") };
    assert_eq!(
        (view.name.as_str(), view.by.len(), view.limit, view.aggregates),
        ("tcp", 0, Some(1000), true)
    );
    assert_eq!((view.selection.clone(), view.idle), (Expression::Always, Duration::from_hours(1)));
    assert_eq!(view.states(), PROTOCOL.connections);
    assert!(view.columns.iter().any(|column| column.name == "ss_tcp_sockets"));
    assert!(!config.legacy_meta);
}

#[test]
fn a_key_without_a_value_counts_as_absent() {
    let empty = "by: , metrics: , aggregate: , histograms: , select: , state: , limit: , idle: ";
    assert_eq!(view(empty), view(""));
    let config = parsed("views: {v: }\nnetworks:\nnetwork_prefix: {ipv4: , ipv6: }\ncollect: {events: }");
    assert_eq!((config.names, config.collect), (Arc::default(), Collect::DEFAULT));
}

#[test]
fn a_metric_is_aggregated_by_its_kind() {
    let metrics = "metrics: [sockets, closed_total, sent_bytes_total, rtt_seconds], histograms: {rtt_seconds: [0, 0.5]}";
    assert_eq!(
        columns(metrics),
        "sockets:sum closed_total:gain closed_without_tcp_info_total:gain sent_bytes_total:gain rtt_seconds:histogram[0 0.5]"
    );
    assert_eq!(
        columns(&format!("{FLOW}, metrics: [sockets, sent_bytes_total, rtt_seconds]")),
        "sockets:sum sent_bytes_total:sum rtt_seconds:latest"
    );
}

#[test]
fn a_view_may_aggregate_otherwise() {
    let aggregated = |aggregation: &str| {
        columns(&format!("metrics: [rtt_seconds], aggregate: {{rtt_seconds: {aggregation}}}"))
    };
    for (aggregation, expected) in [("mean", "mean"), ("min", "min"), ("max", "max"), ("sum", "sum")] {
        assert_eq!(aggregated(aggregation), format!("rtt_seconds:{expected}"));
        let amount = format!("metrics: [send_queue_bytes], aggregate: {{send_queue_bytes: {aggregation}}}");
        assert_eq!(columns(&amount), format!("send_queue_bytes:{expected}"));
        let flow = format!("{FLOW}, metrics: [rtt_seconds], aggregate: {{rtt_seconds: {aggregation}}}");
        assert_eq!(columns(&flow), format!("rtt_seconds:{expected}"));
    }
    assert_eq!(aggregated("histogram"), columns("metrics: [rtt_seconds]"));
    let current = "metrics: [rtt_seconds], aggregate: {rtt_seconds: current_histogram}, histograms: {rtt_seconds: [1e-3]}";
    assert_eq!(columns(current), "rtt_seconds:current_histogram[0.001]");
}

#[test]
fn an_aggregate_that_is_not_the_default_stands_in_the_help() {
    let help = |text: &str| {
        let column = view(&format!("metrics: [rtt_seconds], {text}")).columns.into_iter().next();
        column.map(|column| (column.help, column.metric.help)).unwrap_or_default()
    };
    let (usual, table) = help("aggregate: {rtt_seconds: histogram}");
    assert_eq!(usual, table);
    let (mean, table) = help("aggregate: {rtt_seconds: mean}");
    assert_eq!(mean, format!("{}, the mean over the open sockets.", table.trim_end_matches('.')));
}

#[test]
fn metrics_are_named_or_fit_a_pattern_and_come_in_the_order_of_the_table() {
    let of_tcp = || crate::metrics::METRICS.iter().filter(|metric| metric.source.is_of(PROTOCOL));
    assert_eq!(named("metrics: [rtt_seconds, sockets]"), ["sockets", "rtt_seconds"]);
    assert_eq!(named("metrics: ['sent_*_total', '*_bytes_total', sent_bytes_total]"), {
        let mut names: Vec<_> = of_tcp().map(|metric| metric.name).collect();
        names.retain(|name| {
            // Beside a total.
            *name == "closed_without_tcp_info_total"
                || name.ends_with("_bytes_total")
                || name.starts_with("sent_") && name.ends_with("_total")
        });
        names
    });
    assert_eq!(named("metrics: ['s?ckets']"), ["sockets"]);
    let of_connections = of_tcp().filter(|metric| !metric.source.quantity.is_of_listeners());
    assert_eq!(named("metrics: ['*']").len(), of_connections.count());
    assert_eq!(named("state: all, metrics: ['*']").len(), of_tcp().count());
}

#[test]
fn a_view_that_names_no_metrics_shows_those_that_fit_it() {
    let (connections, listeners) = (named(""), named("state: listen"));
    assert!(connections.contains(&"closed_total") && !connections.contains(&"accept_queue_connections"));
    assert!(listeners.contains(&"accept_queue_connections") && !listeners.contains(&"send_queue_bytes"));
    assert!(connections.contains(&"sockets") && listeners.contains(&"sockets"));
    let both = named("state: all");
    assert!(connections.iter().chain(&listeners).all(|name| both.contains(name)), "{both:?}");
}

#[test]
fn a_view_of_flows_has_no_count_of_what_comes_and_goes() {
    for text in [FLOW.to_owned(), format!("{FLOW}, metrics: ['*']")] {
        let names = named(&text);
        assert!(!names.contains(&"opened_total") && !names.contains(&"closed_total"), "{names:?}");
        assert!(names.contains(&"sent_bytes_total"), "{names:?}");
    }
    let flow = view(FLOW);
    assert!(!flow.aggregates && flow.is_per_connection() && !flow.is_cumulative());
    let more = view("by: [local_address, local_port, remote_address, remote_port, state]");
    assert!(more.is_per_connection());
}

#[test]
fn an_aggregated_view_of_listeners_and_minisocks_has_no_counters_of_connections() {
    for state in ["listen", "time_wait", "bucket", "[listening, closed]"] {
        for metrics in ["", ", metrics: ['*']"] {
            let view = view(&format!("state: {state}{metrics}"));
            let mut counters = view.columns.iter().filter(|column| column.kind == Kind::Counter);
            assert!(
                counters.all(|column| column.metric.source.quantity.is_of_listeners()),
                "{state}{metrics}"
            );
        }
    }
    assert!(named("state: listen").contains(&"refused_handshakes_total"));
    assert!(named("state: [listen, established]").contains(&"sent_bytes_total"));
}

#[test]
fn states_are_words_of_either_tool() {
    for (text, states) in [
        ("listen", vec![State::Listen]),
        ("[fin-wait-1, fin_wait2]", vec![State::FinWait1, State::FinWait2]),
        ("bucket", vec![State::TimeWait, State::SynRecv]),
        ("[fin-wait-2, bound_inactive]", vec![State::FinWait2, State::BoundInactive]),
    ] {
        assert_eq!(view(&format!("state: {text}")).states(), StateSet::of(&states), "{text}");
    }
    let of_sctp = view("protocol: sctp, state: [cookie_wait, shutdown_ack_sent]").states();
    assert_eq!(of_sctp, StateSet::of(&[State::CookieWait, State::ShutdownAckSent]));
    let of_smc = view("protocol: smc, state: [active, connected]").states();
    assert_eq!(of_smc, SMC.states.without(StateSet::of(&[State::Close, State::Listen, State::Init])));
}

#[test]
fn a_selection_that_mentions_states_decides_them_unless_the_view_does() {
    let states = |text: &str| view(text).states();
    assert_eq!(states("select: 'dport = 443'"), PROTOCOL.connections);
    assert_eq!(states("select: 'state listening'"), StateSet::of(&[State::Listen]));
    let all = StateSet::ALL.intersection(StateSet::OF_TCP);
    assert_eq!(states("select: 'dport = 443 or state time-wait'"), all);
    assert_eq!(
        states("state: connected, select: 'state listening or state syn-recv'"),
        StateSet::of(&[State::SynRecv])
    );
}

#[test]
fn a_selection_knows_the_networks_of_the_file() {
    let config = parsed("views: {v: {select: 'network = office'}}\nnetworks: {office: [192.0.2.0/24]}");
    assert_eq!(config.views.first().map(|view| view.selection.clone()), Some(remote("192.0.2.0/24")));
}

#[test]
fn a_limit_and_an_idle_time_are_taken_at_their_ends() {
    for (text, limit) in [("1", 1), ("1000000", 1_000_000), ("5.0", 5)] {
        assert_eq!(view(&format!("limit: {text}")).limit, Some(limit));
    }
    for (text, minutes) in [("1m", 1), ("30d", 30 * 24 * 60), ("1h30m", 90)] {
        assert_eq!(view(&format!("idle: {text}")).idle, Duration::from_mins(minutes));
    }
}

#[test]
fn a_ranking_has_a_number_of_rows_and_a_metric_and_no_row_for_the_others() {
    let ranked = |text: &str| {
        let view = view(text);
        (view.limit, view.ranked_by.map(|metric| metric.name), view.aggregates)
    };
    let flow = "by: [local_address, local_port, remote_address, remote_port]";
    assert_eq!(
        ranked(&format!("{flow}, limit: {{top: 20, by: sent_bytes_total}}")),
        (Some(20), Some("sent_bytes_total"), false)
    );
    let process = "by: [process], metrics: [sockets, rtt_seconds], aggregate: {rtt_seconds: max}";
    assert_eq!(
        ranked(&format!("{process}, limit: {{top: 3, by: rtt_seconds}}")),
        (Some(3), Some("rtt_seconds"), false)
    );
    assert_eq!(ranked(&format!("{process}, limit: 3")), (Some(3), None, true));
}

#[test]
fn views_come_in_the_order_of_the_file_and_the_predecessors_families_last() {
    let config = parsed("views: {z: , a: }\nlogic:\n");
    let names: Vec<_> = config.views.iter().map(|view| view.name.as_str()).collect();
    assert_eq!(names, ["z", "a", "legacy", "legacy_totals"]);
}

#[test]
fn networks_have_names_and_the_rest_a_prefix() {
    let config = parsed(
        "views: {v: }\nnetworks: {office: [192.0.2.0/24, '2001:db8::/32'], lab-1: ['::ffff:10.1.2.3']}\n\
         network_prefix: {ipv4: 24, ipv6: 128}\n",
    );
    let net = |text: &str, name: &str| {
        (text.parse().unwrap_or_else(|error| panic!("{text}: {error}")), name.to_owned())
    };
    let named =
        vec![net("192.0.2.0/24", "office"), net("2001:db8::/32", "office"), net("10.1.2.3/32", "lab-1")];
    assert_eq!(config.names.networks, Networks::new(named, Some(24), Some(128)));
}

#[test]
fn every_key_of_collect_sets_its_field() {
    let text = "{deadline: 1s, observe: 1m, events: false, event_buffer: 64KiB, tracked_sockets: 7, \
         owners: 200ms, netns: [blue, green]}"
        .to_owned();
    assert_eq!(
        parsed(&format!("views: {{v: }}\ncollect: {text}")).collect,
        Collect {
            owners: Duration::from_millis(200),
            netns: Which::Named(vec!["blue".to_owned(), "green".to_owned()]),
            deadline: Duration::from_secs(1),
            observe: Duration::from_mins(1),
            events: false,
            event_buffer: 65_536,
            tracked: 7,
        }
    );
    for (text, bytes) in [("65536", 1 << 16), ("1GiB", 1 << 30), ("1024MiB", 1 << 30)] {
        let config = parsed(&format!("views: {{v: }}\ncollect: {{event_buffer: {text}}}"));
        assert_eq!(config.collect.event_buffer, bytes, "{text}");
    }
}

#[test]
fn a_word_for_one_type_is_its_protocol_and_a_selection() {
    let selection = |text: &str| {
        let view = view(text);
        let names: Vec<_> = view.protocols().map(|protocol| protocol.name).collect();
        (names.join(" "), view.selection.to_string())
    };
    let is = |names: &str, text: &str| (names.to_owned(), text.to_owned());
    assert_eq!(selection("protocol: unix_stream"), is("unix", "type = stream"));
    assert_eq!(
        selection("protocol: [unix_dgram, unix_seqpacket]"),
        is("unix", "type = dgram or type = seqpacket")
    );
    let mixed = view("protocol: [tcp, packet_raw], select: uid = 0");
    let of = |name: &str| {
        let protocol = mixed.protocols().find(|protocol| protocol.name == name).expect("a protocol of it");
        mixed.selection_of(protocol).to_string()
    };
    assert_eq!((of("tcp"), of("packet")), ("uid = 0".to_owned(), "uid = 0 and type = raw".to_owned()));
}
