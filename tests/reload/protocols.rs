//! Protocols beside each other.

use std::sync::Arc;

use sockdiag::{Protocol, TCP};
use ss_exporter::config::Config;
use ss_exporter::plan::Plan;
use testkit::host::FakeHost;
use testkit::recording::missing;

use super::exporter::Exporter;
use super::sockets::{Changes as _, sock};

const OTHER: Protocol = Protocol { name: "other", close_events: None, ..TCP };

/// An exporter with a view of TCP and one of another protocol, of which there is a socket each.
fn exporter() -> Exporter {
    let text = "views:\n  a: {by: [local_port], metrics: [sockets, received_bytes_total]}\n  \
                b: {by: [local_port], metrics: [sockets, received_bytes_total]}\n";
    let mut config = Config::parse("protocols.yml", text).expect("a configuration");
    config.views[1].protocols[0].protocol = &OTHER;
    let host = FakeHost::new(&["own"]);
    host.set("own", &[sock(1, 80, 1000)]);
    host.set("other", &[sock(2, 90, 1000)]);
    Exporter::of(host, Arc::new(Plan::new(config)))
}

#[test]
fn a_view_shows_the_sockets_of_its_protocol() {
    let mut exporter = exporter();
    exporter.scrape();
    exporter.host.set("own", &[sock(1, 80, 1500)]);
    exporter.host.set("other", &[sock(2, 90, 1700)]);
    let answer = exporter.scrape();
    answer.has("ss_a_received_bytes_total{local_port=\"80\"} 500");
    answer.has("ss_b_received_bytes_total{local_port=\"90\"} 700");
    assert_eq!((answer.total("ss_a_sockets"), answer.total("ss_b_sockets")), (1, 1));
    answer.has("ss_exporter_collection_success{stage=\"dump\"} 1");
    answer.has("ss_exporter_collection_success{stage=\"dump_other\"} 1");
}

#[test]
fn a_protocol_that_cannot_be_dumped_withholds_its_own_views_alone() {
    for (closed, shown, stages) in [("other", (1, 0), (1, 0)), ("tcp", (0, 1), (0, 1))] {
        let mut exporter = exporter();
        exporter.scrape();
        exporter.host.set_closed(closed, true);
        exporter.host.set("own", &[sock(1, 80, 1500)]);
        let answer = exporter.scrape();
        assert_eq!((answer.total("ss_a_sockets"), answer.total("ss_b_sockets")), shown, "{closed}");
        answer.has(&format!("ss_exporter_collection_success{{stage=\"dump\"}} {}", stages.0));
        answer.has(&format!("ss_exporter_collection_success{{stage=\"dump_other\"}} {}", stages.1));
        // What stays is shown all the same.
        answer.has("ss_b_received_bytes_total{local_port=\"90\"} 0");
    }
}

#[test]
fn a_protocol_that_the_kernel_does_not_know_is_reported_and_fails_nothing() {
    let mut exporter = exporter();
    exporter.host.set_connections("other", missing());
    exporter.host.set("own", &[sock(1, 80, 1000)]);
    exporter.scrape();
    let answer = exporter.scrape();
    assert_eq!((answer.total("ss_a_sockets"), answer.total("ss_b_sockets")), (1, 0));
    answer.has("ss_exporter_protocol_available{protocol=\"tcp\"} 1");
    answer.has("ss_exporter_protocol_available{protocol=\"other\"} 0");
    answer.has("ss_exporter_collection_success{stage=\"dump\"} 1");
    answer.lacks("ss_exporter_collection_success{stage=\"dump_other\"}");
    answer.lacks("ss_b_sockets");
}

#[test]
fn a_view_of_several_protocols_shows_the_sockets_of_each_that_the_kernel_knows() {
    let text = "views: {v: {protocol: [tcp, udp], by: [protocol], metrics: [sockets]}}";
    let host = FakeHost::new(&["own"]);
    host.set("own", &[sock(1, 80, 1000)]);
    host.set("udp", &[sock(2, 53, 0), sock(3, 123, 0)]);
    let config = Config::parse("protocols.yml", text).expect("a configuration");
    let mut exporter = Exporter::of(host, Arc::new(Plan::new(config)));
    let answer = exporter.scrape();
    answer.has("ss_v_sockets{protocol=\"tcp\"} 1");
    answer.has("ss_v_sockets{protocol=\"udp\"} 2");
    exporter.host.set_connections("udp", missing());
    let answer = exporter.scrape();
    answer.has("ss_v_sockets{protocol=\"tcp\"} 1");
    answer.has("ss_exporter_collection_success{stage=\"dump\"} 1");
}

#[test]
fn a_protocol_that_cannot_be_dumped_keeps_its_sockets_and_spares_no_other() {
    let text = "views:\n  a: {by: [local_port], metrics: [sockets, closed_total]}\n  \
                b: {protocol: udp, by: [local_port], metrics: [sockets, closed_total]}\n";
    let host = FakeHost::new(&["own"]);
    host.set("own", &[sock(1, 80, 0), sock(3, 80, 0)]);
    host.set("udp", &[sock(2, 53, 0)]);
    let mut exporter = Exporter::of(host, Arc::new(Plan::new(Config::parse("p.yml", text).expect("valid"))));
    exporter.scrape();
    exporter.host.set_closed("udp", true);
    exporter.host.set("own", &[sock(1, 80, 0)]);
    for _ in 0..4 {
        exporter.scrape();
        // Dumps of one second are one.
        std::thread::sleep(std::time::Duration::from_millis(1010));
    }
    let answer = exporter.scrape();
    assert_eq!((answer.total("ss_a_closed_total"), answer.total("ss_b_closed_total")), (1, 0));
    exporter.host.set_closed("udp", false);
    assert_eq!(exporter.scrape().total("ss_b_sockets"), 1);
}

#[test]
fn the_service_of_a_datagram_socket_is_the_port_that_is_no_clients() {
    let text = "views: {v: {protocol: udp, by: [service_port], metrics: [sockets]}}";
    let host = FakeHost::new(&["own"]);
    // Each has the peer 5000.
    host.set("udp", &[sock(1, 53, 0), sock(2, 40_000, 0)]);
    let mut exporter = Exporter::of(host, Arc::new(Plan::new(Config::parse("p.yml", text).expect("valid"))));
    let answer = exporter.scrape();
    answer.has("ss_v_sockets{service_port=\"53\"} 1");
    answer.has("ss_v_sockets{service_port=\"5000\"} 1");
}

#[test]
fn the_close_event_of_a_socket_counts_in_the_views_of_its_protocol() {
    let mut exporter = exporter();
    exporter.scrape();
    exporter.close(&sock(7, 80, 300));
    let answer = exporter.scrape();
    answer.has("ss_a_received_bytes_total{local_port=\"80\"} 300");
    assert_eq!(answer.total("ss_b_received_bytes_total"), 0);
}
