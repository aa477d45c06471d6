//! Close events are read in batches, and a scrape has them nevertheless.

use std::time::Duration;

use super::counted::{Counted, view};
use super::enter;
use testkit::exporter::Exporter;
use testkit::scrape::Scrapes;
use testkit::traffic::{End, Lanes};

const ROUNDS: usize = 20;
/// A busy kernel may queue an event later.
const MANY_OF_THEM: usize = 15;
/// In which the kernel queues the last event: a part of the time in which events gather.
const QUEUED: Duration = Duration::from_millis(4);

#[test]
fn a_scrape_has_the_closes_before_it_also_while_they_gather() {
    if enter() {
        return;
    }
    let lanes = Lanes::open(1).expect("listeners");
    let listeners: Vec<_> = lanes.listeners().collect();
    let exporter = Exporter::configured(&view(&listeners));
    let mut scrapes = Scrapes::default();
    scrapes.scrape(&exporter);
    let mut closed = 0;
    let mut exact = 0;
    for _ in 0..ROUNDS {
        let truth = lanes.run(0..60, f64::INFINITY, &[End::ClientAborts]).expect("connections");
        closed += truth.connections;
        std::thread::sleep(QUEUED);
        exact += usize::from(Counted::of(scrapes.scrape(&exporter)).closed == closed);
    }
    assert!(exact >= MANY_OF_THEM, "{exact} of {ROUNDS} scrapes had every close before them");
}
