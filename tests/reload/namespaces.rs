//! Reloads while another network namespace cannot be entered.

use super::exporter::Exporter;
use testkit::host::FakeHost;

use super::sockets::{Changes as _, sock};

#[test]
fn a_namespace_that_is_missed_at_the_baseline_of_a_view_does_not_look_new_in_it() {
    let before = "collect: {netns: all}\nviews:\n  o: {by: [netns], select: 'sport = 1'}\n";
    let joins = "  n: {by: [netns], metrics: [sockets, received_bytes_total, opened_total]}\n";
    let host = FakeHost::new(&["own", "x"]);
    host.set("own", &[sock(1, 80, 1000)]);
    host.set("x", &[sock(2, 81, 1_000_000_000)]);
    let mut exporter = Exporter::new(host, before);
    exporter.scrape();
    exporter.scrape();
    exporter.host.set_closed("x", true);
    exporter.reload(&format!("{before}{joins}"));
    exporter.scrape();
    exporter.host.set_closed("x", false);
    let answer = exporter.scrape();
    answer.has("ss_n_sockets{netns=\"x\"} 1");
    answer.has("ss_n_received_bytes_total{netns=\"x\"} 0");
    answer.has("ss_n_opened_total{netns=\"x\"} 0");
    // What comes after its baseline is counted.
    exporter.host.set("x", &[sock(2, 81, 1_000_000_700)]);
    exporter.scrape().has("ss_n_received_bytes_total{netns=\"x\"} 700");
}
