//! Reloads while another network namespace cannot be entered.

use super::exporter::Exporter;
use super::world::{Fake, sock};

#[test]
fn a_namespace_that_is_missed_at_the_baseline_of_a_view_does_not_look_new_in_it() {
    let before = "collect: {netns: all}\nviews:\n  o: {by: [netns], select: 'sport = 1'}\n";
    let joins = "  n: {by: [netns], metrics: [sockets, received_bytes_total, opened_total]}\n";
    let world = Fake::new(&["own", "x"]);
    world.set("own", &[sock(1, 80, 1000)]);
    world.set("x", &[sock(2, 81, 1_000_000_000)]);
    let mut exporter = Exporter::new(world, before);
    exporter.scrape();
    exporter.scrape();
    exporter.world.shut("x", true);
    exporter.reload(&format!("{before}{joins}"));
    exporter.scrape();
    exporter.world.shut("x", false);
    let answer = exporter.scrape();
    answer.has("ss_n_sockets{netns=\"x\"} 1");
    answer.has("ss_n_received_bytes_total{netns=\"x\"} 0");
    answer.has("ss_n_opened_total{netns=\"x\"} 0");
    // What comes after its baseline is counted.
    exporter.world.set("x", &[sock(2, 81, 1_000_000_700)]);
    exporter.scrape().has("ss_n_received_bytes_total{netns=\"x\"} 700");
}
