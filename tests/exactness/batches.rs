//! Close events are read in batches, and a scrape has them nevertheless.

use sockdiag::{Events, TCP};

use super::counted::{Counted, view};
use super::enter;
use testkit::exporter::Exporter;
use testkit::scrape::Scrapes;
use testkit::traffic::{End, Lanes};

const ROUNDS: usize = 20;
/// A busy kernel may queue an event to the exporter later than to the test.
const MANY_OF_THEM: usize = 15;

#[test]
fn a_scrape_has_the_closes_before_it_also_while_they_gather() {
    if enter() {
        return;
    }
    let lanes = Lanes::open(1).expect("listeners");
    let listeners: Vec<_> = lanes.listeners().collect();
    let ports: Vec<_> = listeners.iter().map(|one| one.local_addr().expect("bound").port()).collect();
    let mut events = Events::subscribe(&[&TCP], 4 << 20, false).expect("a subscription");
    let exporter = Exporter::configured(&view(&listeners));
    let mut scrapes = Scrapes::default();
    scrapes.scrape(&exporter);
    let mut closed = 0;
    let mut exact = 0;
    for _ in 0..ROUNDS {
        let truth = lanes.run(0..60, f64::INFINITY, &[End::ClientAborts]).expect("connections");
        closed += truth.connections;
        // Of an end that aborts there is one without ports.
        let mut queued = 0;
        while queued < truth.connections {
            events.wait(None).expect("events");
            assert!(!events.read().expect("events"), "there is room for all");
            let ends = events.sockets().filter(|(_, socket)| ports.contains(&socket.local().port()));
            queued += ends.count() as u64;
        }
        exact += usize::from(Counted::of(scrapes.scrape(&exporter)).closed == closed);
    }
    assert!(exact >= MANY_OF_THEM, "{exact} of {ROUNDS} scrapes had every close before them");
}
