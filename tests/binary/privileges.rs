//! What works without which capability, and what is said of what does not.
//!
//! Needs root: to have none, some or all of them.

use std::collections::BTreeSet;

use super::enter;
use testkit::exporter::Exporter;
use testkit::public::{Public, root, unprivileged};

/// Starts the exporter as an unprivileged user, without any capability.
fn start_unprivileged(config: &str) -> (Exporter, Public) {
    let public = Public::new(config);
    (public.start(&unprivileged(&[])), public)
}

/// A connection whose ends are both held by this process.
pub fn held_by_root() -> (std::net::TcpListener, std::net::TcpStream, std::net::TcpStream) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a listener");
    let client = std::net::TcpStream::connect(listener.local_addr().expect("bound")).expect("connected");
    let server = listener.accept().expect("the other end").0;
    (listener, client, server)
}

#[test]
fn without_a_capability_every_flow_is_shown() {
    if enter() {
        return;
    }
    let (_listener, client, _server) = held_by_root();
    let (exporter, _folder) = start_unprivileged("logic:\n");
    let metrics = exporter.metrics();
    let port = client.local_addr().expect("bound").port();
    assert!(metrics.contains(&format!("tcp_rtt{{flow=\"(SRC#127.0.0.1|{port})(DST#")), "{metrics}");
    assert!(!metrics.contains("ss_exporter_capability_held"), "nothing needs one: {metrics}");
    assert!(!metrics.contains("ss_exporter_processes_unreadable"), "no view needs owners");
    let log = exporter.log();
    assert!(!log.contains("CAP_"), "{log}");
}

#[test]
fn marks_without_their_capability_are_unknown_and_that_is_said_once() {
    if enter() {
        return;
    }
    let _held = held_by_root();
    let views = "views: {v: {by: [mark], metrics: [sockets]}}\n";
    let (exporter, _folder) = start_unprivileged(views);
    let metrics = [exporter.metrics(), exporter.metrics()].concat();
    assert!(metrics.contains("ss_v_sockets{mark=\"unknown\"}"), "{metrics}");
    assert!(
        metrics.contains("ss_exporter_capability_held{feature=\"marks\",capability=\"CAP_NET_ADMIN\"} 0\n"),
        "{metrics}"
    );
    let log = exporter.log();
    assert_eq!(log.matches("the marks of sockets stay unknown").count(), 1, "{log}");
}

#[test]
fn a_missing_capability_is_said_once_and_its_flows_keep_their_endpoints() {
    if enter() {
        return;
    }
    let (_listener, client, _server) = held_by_root();
    let (exporter, _folder) = start_unprivileged("logic: {compression: {label_folding: pid_condensed}}\n");
    let metrics = [exporter.metrics(), exporter.metrics()].concat();
    let port = client.local_addr().expect("bound").port();
    assert!(metrics.contains(&format!("tcp_rtt{{flow=\"(SRC#127.0.0.1|{port})(DST#")), "{metrics}");
    for name in ["CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH"] {
        let sample =
            format!("ss_exporter_capability_held{{feature=\"processes\",capability=\"{name}\"}} 0\n");
        assert!(metrics.contains(&sample), "{metrics}");
    }
    let unreadable = metrics.lines().find_map(|line| line.strip_prefix("ss_exporter_processes_unreadable "));
    assert!(unreadable.is_some_and(|number| number != "0"), "{metrics}");
    let log = exporter.log();
    assert_eq!(log.matches("CAP_SYS_PTRACE").count(), 1, "{log}");
    assert!(log.contains("CAP_DAC_READ_SEARCH"), "{log}");
}

/// The capabilities whose combinations are tried.
const CAPABILITIES: [&str; 4] =
    ["CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH", "CAP_SYS_ADMIN", "CAP_NET_BROADCAST"];

// So small a buffer for events needs nothing.
const BY_PROCESS: &str =
    "{logic: {compression: {label_folding: pid_condensed}}, collect: {event_buffer: 64KiB}}";
const EVERYWHERE: &str = "{logic: , views: {v: {by: [netns]}}, collect: {netns: all, event_buffer: 64KiB}}";

/// What a configuration needs: the feature's word, the feature in the log, the capability.
fn needs(config: &str) -> Vec<(&'static str, &'static str, &'static str)> {
    let mut needs = Vec::new();
    if config.contains("pid_condensed") {
        needs.extend(
            ["CAP_DAC_READ_SEARCH", "CAP_SYS_PTRACE"].map(|name| ("processes", "owners by process", name)),
        );
    }
    if config.contains("netns: all") {
        needs.extend(
            ["CAP_SYS_ADMIN", "CAP_SYS_PTRACE"].map(|name| ("namespaces", "other network namespaces", name)),
        );
        let ends = "close events of other network namespaces";
        needs.push(("namespace_events", ends, "CAP_NET_BROADCAST"));
    }
    needs
}

/// The samples about capabilities.
pub fn capabilities_reported(metrics: &str) -> BTreeSet<String> {
    metrics
        .lines()
        .filter(|line| line.starts_with("ss_exporter_capability_held{"))
        .map(str::to_owned)
        .collect()
}

/// Starts the exporter with each combination; `user` makes setpriv's arguments of one.
fn says_what_is_missing(config: &str, user: fn(&[&str]) -> Vec<String>) {
    let _held = held_by_root();
    let public = Public::new(config);
    for combination in 0..1 << CAPABILITIES.len() {
        let chosen = CAPABILITIES.iter().enumerate().filter(|(bit, _)| combination >> bit & 1 == 1);
        let held: Vec<_> = chosen.map(|(_, name)| *name).collect();
        let exporter = public.start(&user(&held));
        let metrics = exporter.metrics();
        assert!(metrics.contains("tcp_rtt{flow="), "{held:?}: {metrics}");
        let sample = |(word, _, name)| {
            let value = u8::from(held.contains(&name));
            format!("ss_exporter_capability_held{{feature=\"{word}\",capability=\"{name}\"}} {value}")
        };
        assert_eq!(
            capabilities_reported(&metrics),
            needs(config).into_iter().map(sample).collect(),
            "{held:?}"
        );
        let log = exporter.log();
        let missing: Vec<_> = needs(config).into_iter().filter(|(_, _, name)| !held.contains(name)).collect();
        assert_eq!(log.matches("a capability is missing").count(), missing.len(), "{held:?}: {log}");
        for (_, feature, name) in missing {
            let said = |line: &str| {
                let is_about = line.contains(&format!("capability={name} ")) && line.contains(feature);
                is_about && line.contains("lost=") && line.contains("hint=\"sudo setcap cap_")
            };
            assert_eq!(log.lines().filter(|line| said(line)).count(), 1, "{held:?}, {name}: {log}");
        }
    }
}

#[test]
fn the_log_says_what_root_lacks_with_any_combination() {
    if enter() {
        return;
    }
    says_what_is_missing(BY_PROCESS, root);
}

#[test]
fn the_log_says_what_a_user_lacks_with_any_combination() {
    if enter() {
        return;
    }
    says_what_is_missing(BY_PROCESS, unprivileged);
}

#[test]
fn the_log_says_what_root_lacks_for_all_namespaces_with_any_combination() {
    if enter() {
        return;
    }
    says_what_is_missing(EVERYWHERE, root);
}

#[test]
fn the_log_says_what_a_user_lacks_for_all_namespaces_with_any_combination() {
    if enter() {
        return;
    }
    says_what_is_missing(EVERYWHERE, unprivileged);
}

#[test]
fn both_capabilities_together_bring_the_owners_of_other_users_sockets() {
    if enter() {
        return;
    }
    let (_listener, client, _server) = held_by_root();
    let public = Public::new(BY_PROCESS);
    for user in [root, unprivileged] {
        let exporter = public.start(&user(&["CAP_DAC_READ_SEARCH", "CAP_SYS_PTRACE"]));
        let metrics = exporter.metrics();
        let peer = client.peer_addr().expect("connected").port();
        let flow = format!("tcp_rtt{{flow=\"({})(DST#127.0.0.1|{peer})", std::process::id());
        assert!(metrics.contains(&flow), "{flow}: {metrics}");
    }
}

#[test]
fn a_buffer_that_every_user_is_granted_needs_nothing() {
    if enter() {
        return;
    }
    let config = "{views: {v: {by: [direction]}}, collect: {event_buffer: 64KiB}}";
    let (exporter, _public) = start_unprivileged(config);
    let metrics = exporter.metrics();
    assert!(metrics.contains("ss_exporter_destroy_events_buffer_bytes 65536\n"), "{metrics}");
    assert_eq!(capabilities_reported(&metrics), BTreeSet::new());
    let log = exporter.log();
    assert!(!log.contains("a capability is missing"), "{log}");
}

#[test]
fn a_buffer_that_is_not_granted_is_said_once() {
    if enter() {
        return;
    }
    let (exporter, _public) =
        start_unprivileged("{views: {v: {by: [direction]}}, collect: {event_buffer: 1GiB}}");
    let missing = "ss_exporter_capability_held{feature=\"event_buffer\",capability=\"CAP_NET_ADMIN\"} 0";
    assert_eq!(capabilities_reported(&exporter.metrics()), [missing.to_owned()].into());
    let log = exporter.log();
    assert_eq!(log.matches("CAP_NET_ADMIN").count(), 1, "{log}");
    assert!(log.contains("the event buffer") && log.contains("net.core.rmem_max"), "{log}");
}
