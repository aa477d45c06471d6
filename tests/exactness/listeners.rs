//! Listeners: the handshakes that each has refused, which the kernel otherwise sums up for a network namespace.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use socket2::{Domain, Socket, Type};
use testkit::exporter::Exporter;
use testkit::scrape::{Scrape, Scrapes};

use super::enter;

const VIEW: &str = "views: {t: {state: listen, by: [local_port], select: \"not sport = 8020\"}}";

/// `ListenOverflows` and `ListenDrops` of the network namespace.
fn refused() -> [u64; 2] {
    let table = std::fs::read_to_string("/proc/thread-self/net/netstat").expect("a table");
    let mut lines = table.lines().filter(|line| line.starts_with("TcpExt:")).map(str::split_ascii_whitespace);
    let (names, values) = (lines.next().expect("names"), lines.next().expect("values"));
    let all: Vec<_> = names.zip(values).collect();
    ["ListenOverflows", "ListenDrops"].map(|name| {
        let (_, value) = all.iter().find(|(known, _)| *known == name).expect("a total");
        value.parse().expect("a number")
    })
}

/// A listener whose accept queue takes two connections.
fn listen(port: u16) -> TcpListener {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into()).expect("a free port");
    socket.listen(1).expect("a listener");
    socket.into()
}

/// As many clients come at once, and leave.
fn knock(listener: &TcpListener, clients: usize) {
    let address = listener.local_addr().expect("bound").into();
    let clients: Vec<_> = (0..clients)
        .map(|_| {
            let client = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
            client.set_nonblocking(true).expect("a client that does not wait");
            let _ = client.connect(&address);
            client
        })
        .collect();
    drop(clients);
}

/// What the listener at a port has refused, by the exporter.
fn of_port(scrape: &Scrape, port: u16) -> Option<u64> {
    let label = format!("local_port=\"{port}\"");
    let mut rows = scrape.rows("ss_t_refused_handshakes_total").iter();
    rows.find(|(labels, _)| labels.contains(&label)).map(|(_, value)| value.parse().expect("a number"))
}

#[test]
fn every_handshake_that_a_listener_refused_counts_and_none_from_before_the_start() {
    if enter() {
        return;
    }
    let old = listen(7001);
    knock(&old, 12);
    let [before, _] = refused();
    assert!(before >= 10, "{before}");
    let exporter = Exporter::configured(VIEW);
    let mut scrapes = Scrapes::default();
    assert_eq!(of_port(scrapes.scrape(&exporter), 7001), Some(0));

    knock(&old, 12);
    let [by_old, _] = refused();
    let young = listen(7002);
    knock(&young, 20);
    let scrape = scrapes.scrape(&exporter);
    let [overflows, drops] = refused();
    assert_eq!(overflows, drops, "nothing else was refused");
    assert!(by_old - before >= 12 && overflows - by_old >= 18, "{before} {by_old} {overflows}");
    assert_eq!(of_port(scrape, 7001), Some(by_old - before));
    assert_eq!(of_port(scrape, 7002), Some(overflows - by_old), "a new one counts whole");

    // The same port has another listener, and its row goes on.
    drop(young);
    let young = listen(7002);
    knock(&young, 20);
    let scrape = scrapes.scrape(&exporter);
    let [all, _] = refused();
    assert!(all > overflows);
    assert_eq!(scrape.sum("ss_t_refused_handshakes_total"), all - before);
    drop((old, young));
    for _ in 0..3 {
        let scrape = scrapes.scrape(&exporter);
        assert_eq!(
            scrape.sum("ss_t_refused_handshakes_total"),
            all - before,
            "what has closed stays counted"
        );
    }
}
