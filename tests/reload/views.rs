//! The baseline of a view that joins.

use std::time::Duration;

use super::exporter::Exporter;
use testkit::host::FakeHost;

use super::sockets::{Changes as _, sock};

const A: &str = "  a: {by: [remote_port], metrics: [sockets, received_bytes_total]}\n";
const B: &str = "  b: {by: [local_port], metrics: [sockets, received_bytes_total]}\n";
const C: &str = "  c: {by: [remote_address], metrics: [sockets, received_bytes_total]}\n";

fn keeps_its_sockets_through_a_second_reload(dump_between: bool) {
    let host = FakeHost::new(&["own"]);
    host.set("own", &[sock(1, 80, 1000)]);
    let mut exporter = Exporter::new(host, &format!("views:\n{A}"));
    exporter.scrape();
    exporter.reload(&format!("views:\n{A}{B}"));
    if dump_between {
        exporter.scrape();
    }
    exporter.reload(&format!("views:\n{A}{B}{C}"));
    exporter.scrape();
    exporter.host.set("own", &[sock(1, 80, 1500)]);
    let answer = exporter.scrape();
    answer.has("ss_a_received_bytes_total{remote_port=\"5000\"} 500");
    answer.has("ss_b_received_bytes_total{local_port=\"80\"} 500");
    answer.has("ss_c_received_bytes_total{remote_address=\"10.0.0.2\"} 500");
    answer.has("ss_b_sockets{local_port=\"80\"} 1");
}

#[test]
fn a_view_that_joined_keeps_its_sockets_through_a_second_reload_before_any_dump() {
    keeps_its_sockets_through_a_second_reload(false);
}

#[test]
fn a_view_that_joined_keeps_its_sockets_through_a_second_reload_after_a_dump() {
    keeps_its_sockets_through_a_second_reload(true);
}

#[test]
fn a_baseline_for_whose_second_walk_there_is_no_time_withholds_no_row() {
    let limit = "collect: {deadline: 4s}\n";
    let host = FakeHost::new(&["own"]);
    host.set("own", &[sock(1, 80, 1000)]);
    let mut exporter = Exporter::new(host, &format!("{limit}views:\n{A}"));
    exporter.scrape();
    exporter.host.set_delay(Duration::from_millis(2200));
    exporter.scrape().has("ss_a_sockets{remote_port=\"5000\"} 1");
    exporter.reload(&format!("{limit}views:\n{A}{B}"));
    let answer = exporter.scrape();
    answer.has("ss_a_sockets{remote_port=\"5000\"} 1");
    answer.has("ss_b_sockets{local_port=\"80\"} 1");
}
