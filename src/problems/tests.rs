//! Each problem, from a listing with its symptom.

use std::time::SystemTime;

use super::*;
use crate::listing::{Rate, SocketList};
use crate::properties::Property;
use crate::self_metrics::{Stage, TrackerReport};

type Texts<'a> = Vec<(Property, &'a str)>;

fn socket<'a>(state: &'a str, ports: (&'a str, &'a str), more: &[(Property, &'a str)]) -> Texts<'a> {
    let usual = [
        (Property::State, state),
        (Property::LocalAddress, "127.0.0.1"),
        (Property::LocalPort, ports.0),
        (Property::RemoteAddress, "::1"),
        (Property::RemotePort, ports.1),
    ];
    usual.into_iter().chain(more.iter().copied()).collect()
}

/// The titles, details and filters of what a listing of these sockets shows.
fn found(sockets: &[(Texts<'_>, Vec<(&str, u64)>)], sent: f64) -> Vec<Problem> {
    let made: Vec<_> = sockets.iter().map(|(texts, values)| (&texts[..], &values[..])).collect();
    let rate = Some(Rate { sent, ..Rate::default() });
    let listing =
        Listing { sockets: SocketList::made(&made), rates: vec![rate; made.len()], at: SystemTime::now() };
    problems(&Evidence { listing: Some(&listing), host: None, report: None })
}

const PYTHON: (Property, &str) = (Property::Process, "python3");

#[test]
fn a_queue_is_full_when_it_holds_one_more_than_its_limit() {
    let listener = |port, waiting| {
        let values = vec![("accept_queue_connections", waiting), ("accept_queue_limit", 4)];
        (socket("listen", (port, "0"), &[PYTHON]), values)
    };
    let found = found(&[listener("7001", 4), listener("7004", 5)], 0.0);
    let [problem] = &found[..] else { panic!("{found:?}") };
    assert_eq!(
        (problem.rule.alert, problem.rule.severity),
        (Some("SsTcpAcceptQueueFull"), Severity::Critical)
    );
    assert_eq!(problem.title, "The accept queue of 127.0.0.1:7004 is full");
    assert_eq!(problem.detail, "python3 does not accept 5 waiting connections; the limit is 4.");
    let filter = "state listening and process = \"python3\" and src 127.0.0.1:7004";
    assert_eq!(problem.filter, Some(("tcp", filter.to_owned())));
}

#[test]
fn refused_handshakes_lead_to_the_listener_that_has_refused_most() {
    let listener = |port, process, refused| {
        let values = vec![("refused_handshakes_total", refused)];
        (socket("listen", (port, "0"), &[(Property::Process, process)]), values)
    };
    let host = HostRates {
        active_opens: 0.0,
        attempt_fails: 0.0,
        listen_overflows: 2.0,
        udp_buffer_errors: 0.0,
        client_ports: host::DEFAULT_PORTS,
    };
    let found = |sockets: &[(Texts<'_>, Vec<(&str, u64)>)]| {
        let made: Vec<_> = sockets.iter().map(|(texts, values)| (&texts[..], &values[..])).collect();
        let listing = Listing {
            sockets: SocketList::made(&made),
            rates: vec![None; made.len()],
            at: SystemTime::now(),
        };
        problems(&Evidence { listing: Some(&listing), host: Some(&host), report: None }).remove(0)
    };
    let problem = found(&[listener("80", "a", 3), listener("81", "b", 36), listener("82", "c", 0)]);
    assert!(problem.detail.ends_with("Most so far were for b at port 81."), "{problem:?}");
    assert_eq!(problem.filter, Some(("tcp", "state listening and sport = :81".to_owned())));
    let unknown = found(&[listener("80", "a", 0)]);
    assert_eq!(unknown.filter, Some(("tcp", "state listening".to_owned())), "{unknown:?}");
}

#[test]
fn a_leak_has_ten_connections_of_a_process_that_have_waited_for_a_minute() {
    let leak = |count: u64, age: u64, process| {
        let ports: Vec<_> = (0..count).map(|number| (40_000 + number).to_string()).collect();
        let one = |port| {
            let values = vec![("last_ack_received_age_seconds", age * 1000)];
            (socket("close_wait", ("7005", port), &[(Property::Process, process)]), values)
        };
        found(&ports.iter().map(|port| one(port)).collect::<Vec<_>>(), 0.0)
    };
    assert_eq!(leak(9, 600, "a"), []);
    assert_eq!(leak(10, 60, "a"), []);
    let problem = leak(12, 600, "Web \"Content").remove(0);
    assert_eq!(problem.title, "Web \"Content leaks 12 connections in CLOSE_WAIT at port 7005");
    assert!(problem.detail.contains("the first one 10 min ago"), "{problem:?}");
    let filter = r#"state close-wait and process = "Web \"Content" and sport = :7005"#;
    assert_eq!(problem.filter, Some(("tcp", filter.to_owned())));
}

#[test]
fn connections_that_wait_for_something_else_than_the_process_are_added_up_by_service() {
    let limited = |bottleneck, queue, bytes: u64| {
        let port = if bytes > 1_000_000 { "50000" } else { "50001" };
        let texts = socket("established", (port, "443"), &[(Property::Bottleneck, bottleneck)]);
        (texts, vec![(queue, bytes)])
    };
    let sockets = [
        limited("stalled", "send_queue_bytes", 3_000_000),
        limited("stalled", "send_queue_bytes", 300_000),
        limited("peer_not_reading", "send_queue_bytes", 5_000),
        limited("not_reading", "receive_queue_bytes", 90_000),
        limited("loss", "send_queue_bytes", 1),
        limited("application", "send_queue_bytes", 1),
        limited("unknown", "send_queue_bytes", 1_000_000),
    ];
    let titles = |sent| {
        let problems = found(&sockets, sent).into_iter();
        problems.map(|problem| problem.title).collect::<Vec<_>>()
    };
    let usual = [
        "2 connections to port 443 stalled, and 3.3 MB wait",
        "1 connection to port 443 waits for a peer that does not read",
    ];
    assert_eq!(titles(0.0), usual, "90 kB are few to read, and a loss without bytes is none");
    assert_eq!(titles(20_000.0)[2..], ["1 connection to port 443 loses segments"]);
}

#[test]
fn every_filter_is_one_that_listings_take() {
    let sockets: Vec<_> = ["stalled", "peer_not_reading", "not_reading", "loss"]
        .into_iter()
        .map(|bottleneck| {
            let more = [(Property::Bottleneck, bottleneck), (Property::Process, "a\\\"b c")];
            let values = vec![("send_queue_bytes", 9), ("receive_queue_bytes", 200_000)];
            (socket("established", ("443", "50000"), &more), values)
        })
        .collect();
    let found = found(&sockets, 1e6);
    assert_eq!(found.len(), 4, "{found:?}");
    for problem in found {
        let (_, filter) = problem.filter.expect("sockets show it");
        let parsed = crate::select::parse(&filter, &crate::attribute::ConfiguredNames::default());
        assert!(parsed.is_ok(), "{filter}: {parsed:?}");
    }
}

#[test]
fn a_problem_is_the_same_behind_json_and_one_of_an_unknown_rule_is_none() {
    let texts = socket("established", ("50000", "443"), &[(Property::Bottleneck, "stalled")]);
    let mut all = found(&[(texts, vec![("send_queue_bytes", 9)])], 0.0);
    all.push(Problem { rule: &super::rules::CONNECTS_FAIL, filter: None, ..all[0].clone() });
    for problem in all {
        assert_eq!(Problem::from_json(&problem.to_json()), Some(problem));
    }
    for wrong in [r#"{"alert": "SsNone", "title": "a", "detail": "b"}"#, r#"{"alert": null}"#, "3"] {
        assert_eq!(Problem::from_json(&serde_json::from_str(wrong).expect("JSON")), None, "{wrong}");
    }
}

#[test]
fn ports_run_out_towards_one_endpoint_only() {
    let ports: Vec<_> = (32_768..=u16::MAX).map(|port| port.to_string()).collect();
    let sockets = |count: usize| {
        ports[..count]
            .iter()
            .map(|port| (socket("time_wait", (port, "443"), &[]), vec![]))
            .collect::<Vec<_>>()
    };
    assert_eq!(found(&sockets(11_000), 0.0), []);
    let found = found(&sockets(12_000), 0.0);
    let [problem] = &found[..] else { panic!("{}", found.len()) };
    assert_eq!(problem.title, "Local ports run out towards [::1]:443");
    assert!(problem.detail.starts_with("12000 sockets use 43 % of the ports"), "{}", problem.detail);
}

#[test]
fn what_the_exporter_loses_is_a_problem_and_a_collection_without_loss_is_none() {
    let stage = |success| Stage { name: "dump".into(), duration: std::time::Duration::ZERO, success };
    let of = |report: &SelfReport| {
        let found = problems(&Evidence { listing: None, host: None, report: Some(report) });
        found.into_iter().map(|problem| problem.rule.alert.expect("an alert")).collect::<Vec<_>>()
    };
    let fine = SelfReport {
        stages: vec![stage(true)],
        tracker: Some(TrackerReport::default()),
        ..SelfReport::default()
    };
    assert_eq!(of(&fine), [""; 0]);
    let dropped = |ago| {
        let tracker = TrackerReport { dropped: Some(7), last_drop: Some(ago), ..TrackerReport::default() };
        SelfReport { stages: vec![stage(false)], tracker: Some(tracker), ..SelfReport::default() }
    };
    let before = super::exporter::RECENT;
    let just = before.saturating_sub(std::time::Duration::from_secs(1));
    assert_eq!(of(&dropped(just)), ["SsExporterCollectionFailing", "SsExporterEventsDropped"]);
    assert_eq!(
        of(&dropped(before)),
        ["SsExporterCollectionFailing"],
        "as the alert, which looks back so far"
    );
    let alert = include_str!("../../deploy/alerts.yml").split("SsExporterEventsDropped").nth(1).expect("it");
    let range = format!("_total[{}m]", before.as_secs() / 60);
    assert!(alert.lines().nth(1).is_some_and(|expression| expression.contains(&range)), "{range}");
}
