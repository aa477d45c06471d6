//! Which metrics a view shows: those it names, or those that fit it.

use crate::metrics::{Kind, METRICS, Metric, Quantity, Shown, meant};
use crate::pattern;
use crate::properties::Needs;
use crate::strict_yaml::Entry;
use crate::view::{ProtocolStates, View};
use sockdiag::{Protocol, State, StateSet, protocols_with};

const LISTEN: StateSet = StateSet::of(&[State::Listen]);

/// The metrics of a list of names and patterns, in the order of the table.
pub(super) fn named(list: &Entry<'_>, view: &View) -> Vec<&'static Metric> {
    const SOME: &str = "a list of metrics, such as [sockets, \"*_bytes_total\"]";
    let items = list.list(SOME);
    if items.as_ref().is_some_and(Vec::is_empty) {
        list.error(&format!("found an empty list; expected: {SOME}"));
    }
    let mut words: Vec<(String, Entry<'_>)> = Vec::new();
    for item in items.into_iter().flatten() {
        let Some(word) = item.text("the name of a metric, or a pattern with * and ?") else { continue };
        if let Some((_, first)) = words.iter().find(|(known, _)| *known == word) {
            item.repeats(first);
        } else {
            check(&word, &item, view);
            words.push((word, item));
        }
    }
    let is_wanted = |metric: &Metric| {
        words.iter().any(|(word, _)| pattern::fits(word.as_bytes(), metric.name.as_bytes()))
    };
    wanted(view, is_wanted)
}

/// The metrics of a view that names none.
pub(super) fn unnamed(view: &View) -> Vec<&'static Metric> {
    let listens = !view.states().intersection(LISTEN).is_empty();
    let connects = !view.states().without(LISTEN).is_empty();
    let fits = |metric: &Metric| match metric.shown {
        Shown::Always => true,
        Shown::OfListeners => listens,
        Shown::OfConnections => connects,
        Shown::IfNamed => false,
    };
    // To count the ends of sockets whose close events have no values is costly, and so to be asked for.
    let is_cheap = |metric: &Metric| {
        !metric.source.quantity.is_of_past() || view.protocols().all(Protocol::ends_with_values)
    };
    wanted(view, |metric| fits(metric) && is_cheap(metric))
}

/// The wanted metrics that the view can show. A total that lacks the end of some connections has their number beside it.
fn wanted(view: &View, is_wanted: impl Fn(&Metric) -> bool) -> Vec<&'static Metric> {
    let is_offered = |metric: &Metric| obstacle(metric, view).is_none();
    let is_total = |metric: &Metric| {
        metric.kind == Kind::Counter
            && !metric.source.quantity.is_of_past()
            && view
                .protocols()
                .any(|protocol| protocol.ends_with_values() && metric.source.is_exact(protocol))
    };
    let has_totals = METRICS.iter().any(|metric| is_wanted(metric) && is_total(metric) && is_offered(metric));
    let is_count_of_lost = |metric: &Metric| metric.source.quantity == Quantity::ClosedWithoutTcpInfo;
    METRICS
        .iter()
        .filter(|metric| is_wanted(metric) || has_totals && is_count_of_lost(metric))
        .filter(|metric| is_offered(metric))
        .collect()
}

/// Notes a word that gives the view no metric.
fn check(word: &str, item: &Entry<'_>, view: &View) {
    let mut fitting =
        METRICS.iter().filter(|metric| pattern::fits(word.as_bytes(), metric.name.as_bytes())).peekable();
    if fitting.peek().is_none() {
        let expected = "the name of a metric, or a pattern that fits one";
        return match meant(word) {
            Some(metric) => {
                item.error(&format!(
                    "found \"{word}\"; expected: {expected}; did you mean \"{}\"?",
                    metric.name
                ));
            }
            None => item.unknown_word(word, expected, METRICS.iter().map(|metric| metric.name)),
        };
    }
    let obstacles: Option<Vec<_>> = fitting.map(|metric| obstacle(metric, view)).collect();
    if let Some(obstacle) = obstacles.as_ref().and_then(|obstacles| obstacles.first()) {
        let only = if pattern::is_pattern(word) { "nothing but " } else { "" };
        item.error(&format!("found {only}{obstacle}"));
    }
}

/// What a view cannot show about a metric, and why.
fn obstacle(metric: &Metric, view: &View) -> Option<String> {
    if let Some(protocol) = view.protocols().find(|protocol| !metric.source.is_of(protocol)) {
        let name = protocol.name;
        let others = protocols_with(|protocol| metric.source.is_of(protocol));
        return Some(format!(
            "{}, which {name} sockets do not have; expected: metrics that they have, or protocol: {others}",
            metric.name
        ));
    }
    if metric.kind == Kind::Counter && view.needs_of_rows().has(Needs::BOTTLENECK) {
        return Some(
            "a counter in a view by bottleneck, which changes while a connection lives; expected: metrics that are no counters".to_owned(),
        );
    }
    if view.is_per_connection() {
        let past = "a count of opened or closed connections in a per-connection view; expected: in an aggregated view";
        return metric.source.quantity.is_of_past().then(|| past.to_owned());
    }
    let of_listeners = metric.source.quantity.is_of_listeners();
    let counting = |of: &ProtocolStates| if of_listeners { LISTEN } else { of.protocol.connections };
    let counts_nothing = |of: &ProtocolStates| of.states.intersection(counting(of)).is_empty();
    let nothing = metric.kind == Kind::Counter && view.protocols.iter().any(counts_nothing);
    nothing.then(|| {
        let found = if of_listeners {
            "a counter of listeners in a view without them; expected: metrics of connections, or state: listen"
        } else {
            "a counter of connections in a view without them; expected: metrics that are no counters of connections"
        };
        found.to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, DEFAULT_FILE};
    use sockdiag::{Extensions, TCP, UDP};

    #[test]
    fn a_view_is_offered_the_metrics_that_the_kernel_reports_of_its_protocol() {
        const BARE: Protocol = Protocol { name: "bare", attributes: Extensions::MEMORY, ..TCP };
        let tcp = Config::parse("built-in", DEFAULT_FILE).expect("valid").views.swap_remove(0);
        let view = |protocol| View { protocols: vec![ProtocolStates::connections(protocol)], ..tcp.clone() };
        let bare = view(&BARE);
        let offered = |view: &View, name: &str| {
            let metric = METRICS.iter().find(|metric| metric.name == name).expect("a metric");
            obstacle(metric, view).is_none()
        };
        assert!(offered(&tcp, "sent_bytes_total") && !offered(&bare, "sent_bytes_total"));
        assert!(offered(&bare, "sockets") && offered(&bare, "dropped_packets_total"));
        let udp = view(&UDP);
        assert!(offered(&udp, "closed_total") && !offered(&udp, "closed_without_tcp_info_total"));
        assert!(!offered(&udp, "receive_queue_bytes") && offered(&tcp, "receive_queue_bytes"));
        assert!(unnamed(&udp).iter().all(|metric| !metric.source.quantity.is_of_past()));
        assert!(unnamed(&tcp).len() > unnamed(&bare).len() && !unnamed(&bare).is_empty());
    }

    #[test]
    fn a_total_that_lacks_the_end_of_some_connections_has_their_number_beside_it() {
        let shown = |view: &str| {
            let view = Config::parse("a.yml", &format!("views: {{v: {{{view}}}}}"))
                .expect("valid")
                .views
                .swap_remove(0);
            view.columns.iter().map(|column| column.metric.name).collect::<Vec<_>>()
        };
        let lost = "closed_without_tcp_info_total";
        assert!(shown("by: [direction]").contains(&lost), "the metrics of a view that names none");
        assert_eq!(shown("by: [direction], metrics: [sent_bytes_total]"), [lost, "sent_bytes_total"]);
        assert_eq!(shown("by: [direction], metrics: [sockets, opened_total]"), ["sockets", "opened_total"]);
        let per_connection = "by: [local_address, local_port, remote_address, remote_port]";
        assert_eq!(shown(&format!("{per_connection}, metrics: [sent_bytes_total]")), ["sent_bytes_total"]);
        assert_eq!(
            shown("protocol: mptcp, by: [local_port], metrics: [sent_bytes_total]"),
            ["sent_bytes_total"]
        );
    }
}
