//! Connections that are reset while their process holds on to them: in no dump any more, and not yet ended.

use std::time::Duration;

use super::counted::{Counted, view};
use super::enter;
use testkit::exporter::Exporter;
use testkit::scrape::Scrapes;
use testkit::traffic::{Lanes, Pair};

#[test]
fn a_connection_that_is_reset_and_held_on_to_counts_once() {
    if enter() {
        return;
    }
    let lanes = Lanes::open(1).expect("listeners");
    let listeners: Vec<_> = lanes.listeners().collect();
    // Reset before the exporter starts, and closed long after.
    let mut older = Pair::open(listeners[0]).expect("room");
    older.exchange(3_000, 0).expect("open");
    let older = older.reset().expect("open");
    std::thread::sleep(Duration::from_millis(100));
    let exporter = Exporter::configured(&view(&listeners));
    let mut scrapes = Scrapes::default();
    scrapes.scrape(&exporter);

    let mut pair = Pair::open(listeners[0]).expect("room");
    pair.exchange(1_000, 2_000).expect("open");
    let counted = Counted::of(scrapes.scrape(&exporter));
    let open = Counted { sockets: 2, opened: 2, closed: 0, sent: 3_000, received: 3_000 };
    assert_eq!(counted, open);
    // More than any dump has seen.
    pair.exchange(10, 0).expect("open");
    let held = pair.reset().expect("open");
    for _ in 0..6 {
        std::thread::sleep(Duration::from_millis(700));
        scrapes.scrape(&exporter);
    }
    // The server's end, disconnected before it was closed, has taken its last ten bytes with it.
    let given_up = Counted::of(scrapes.scrape(&exporter));
    assert_eq!(given_up, Counted { sockets: 0, closed: 2, ..open }, "three dumps have missed the other");

    drop(held);
    drop(older);
    let counted = Counted::of(scrapes.until(&exporter, |scrape| Counted::of(scrape).sent == 3_010));
    assert_eq!(counted, Counted { sockets: 0, closed: 2, sent: 3_010, ..open }, "{:?}", scrapes.last());
}
