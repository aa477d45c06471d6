//! Closes without `tcp_info`: counted apart, and what was seen before stays.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;

use super::counted::{Counted, view};
use super::enter;
use super::open_connections::OpenConnections;
use testkit::exporter::Exporter;
use testkit::scrape::Scrapes;
use testkit::traffic::{End, Lanes};

const ENDS: [End; 3] = [End::ClientAborts, End::ServerAborts, End::ClientDisconnects];

#[test]
fn closes_without_information_are_counted_apart() {
    if enter() {
        return;
    }
    let lanes = Lanes::open(1).expect("listeners");
    let never_accepts = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
    let mut listeners: Vec<_> = lanes.listeners().collect();
    listeners.push(&never_accepts);
    let exporter = Exporter::configured(&view(&listeners));
    listeners.pop();
    let mut scrapes = Scrapes::default();
    scrapes.scrape(&exporter);
    let mut silent = 0;
    let mut expect = |phase: &str, scrapes: &mut Scrapes, more: u64| {
        silent += more;
        let silent_closes = "ss_exporter_closes_without_tcp_info_total";
        scrapes.until(&exporter, |scrape| scrape.sum(silent_closes) >= silent);
        std::thread::sleep(Duration::from_millis(300));
        let counted = scrapes.scrape(&exporter).sum(silent_closes);
        assert_eq!(counted, silent, "{phase}: {:?}", Counted::of(scrapes.last()));
    };

    // Seen by a scrape before they end.
    let mut open_connections = OpenConnections::open(&listeners, 90);
    open_connections.exchange(5_000, 7_000);
    let truth = open_connections.truth;
    let before = Counted::of(scrapes.until(&exporter, |scrape| Counted::of(scrape).sent == truth.sent));
    assert_eq!(
        (before.sent, before.received, before.sockets),
        (truth.sent, truth.received, 180),
        "{truth:?}"
    );
    open_connections.abort(&ENDS);
    expect("seen before", &mut scrapes, 90);
    let after = Counted::of(scrapes.last());
    assert_eq!((after.sent, after.received), (truth.sent, truth.received), "{truth:?}, {after:?}");
    assert_eq!((after.sockets, after.closed), (0, after.opened), "{after:?}");

    // Never seen.
    let truth = lanes.run(0..600, f64::INFINITY, &ENDS).expect("phase unseen");
    expect("unseen", &mut scrapes, truth.silent);
    let unseen = Counted::of(scrapes.last());
    assert_eq!(unseen.sent, after.sent + truth.sent, "{truth:?}, {unseen:?}");

    // Never accepted; their listener's own end is no close of a connection.
    let address = never_accepts.local_addr().expect("bound");
    let clients: Vec<_> = (0..100).map(|_| TcpStream::connect(address).expect("room")).collect();
    drop(never_accepts);
    drop(clients);
    expect("never accepted", &mut scrapes, 100);
    // Closes with `tcp_info` are not counted here.
    lanes
        .run(0..600, f64::INFINITY, &[End::ClientFirst, End::ServerFirst, End::Unread])
        .expect("phase plain");
    expect("plain", &mut scrapes, 0);
}
