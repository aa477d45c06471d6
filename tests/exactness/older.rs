//! Sockets that were there before the exporter: what they did before does not count.

use super::counted::{Counted, view};
use super::enter;
use super::open_connections::OpenConnections;
use testkit::exporter::Exporter;
use testkit::scrape::Scrapes;
use testkit::traffic::{End, Lanes};

#[test]
fn a_socket_older_than_the_exporter_causes_no_spike() {
    if enter() {
        return;
    }
    let lanes = Lanes::open(1).expect("listeners");
    let listeners: Vec<_> = lanes.listeners().collect();
    let mut open_connections = OpenConnections::open(&listeners, 500);
    open_connections.exchange(10_000, 20_000);
    let exporter = Exporter::configured(&view(&listeners));
    let mut scrapes = Scrapes::default();
    let none = Counted { sockets: 1_000, opened: 0, closed: 0, sent: 0, received: 0 };
    for _ in 0..3 {
        assert_eq!(Counted::of(scrapes.scrape(&exporter)), none);
    }

    let before = open_connections.truth.sent;
    open_connections.exchange(3_000, 500);
    let since = open_connections.truth.sent - before;
    let counted = Counted::of(scrapes.scrape(&exporter));
    assert_eq!(counted, Counted { sent: since, received: since, ..none }, "{:?}", open_connections.truth);

    // Bytes that only the close event has.
    open_connections.exchange(1, 2);
    let since = open_connections.close(&[End::ClientFirst, End::ServerFirst]).sent - before;
    scrapes.until(&exporter, |scrape| Counted::of(scrape).closed >= 1_000);
    let counted = Counted::of(scrapes.scrape(&exporter));
    // Each end has received the FIN of the other, but perhaps not before its own close.
    assert!((since..=since + 1_000).contains(&counted.received), "{since}, {counted:?}");
    let received = counted.received;
    assert_eq!(counted, Counted { sockets: 0, opened: 0, closed: 1_000, sent: since, received });
}
