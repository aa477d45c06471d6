//! The same 4-tuple again before a scrape: another socket.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use super::counted::{Counted, view};
use super::{connect_from, enter};
use testkit::exporter::Exporter;
use testkit::scrape::Scrapes;
use testkit::traffic::{End, Pair};

#[test]
fn a_flow_that_comes_again_between_two_scrapes_counts_again() {
    if enter() {
        return;
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
    let to = listener.local_addr().expect("bound");
    let exporter = Exporter::configured(&view(&[&listener]));
    let mut scrapes = Scrapes::default();
    scrapes.scrape(&exporter);
    let mut sent = 0;
    for (round, port) in (0..3).flat_map(|round| (20_000..20_050).map(move |port| (round, port))) {
        let client = connect_from(SocketAddr::from((Ipv4Addr::LOCALHOST, port)), to);
        let mut pair = Pair::accept(&listener, client).expect("accepted");
        let (up, down) = (100 + round, 2_000 + usize::from(port - 20_000));
        pair.exchange(up, down).expect("open");
        // The client's port is free at once.
        pair.end(End::ServerFirst).expect("open");
        sent += (up + down) as u64;
    }
    scrapes.until(&exporter, |scrape| Counted::of(scrape).closed >= 300);
    let counted = Counted::of(scrapes.scrape(&exporter));
    let received = counted.received;
    assert_eq!(counted, Counted { sockets: 0, opened: 300, closed: 300, sent, received }, "{sent} sent");
    assert!((sent..=sent + 300).contains(&received), "{sent} sent, {counted:?}");
}
