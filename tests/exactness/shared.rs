//! Several connections in one row of a per-connection view: its counters stay when one of them ends.

use std::io::{Read as _, Write as _};
use std::net::{Ipv6Addr, SocketAddrV6, TcpListener, TcpStream};
use std::process::Command;

use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, connect, socket_with};

use super::enter;
use testkit::exporter::Exporter;
use testkit::scrape::{Scrape, Scrapes};
use testkit::traffic::{End, Pair};

/// The two ends of a connection over a link, the client's first.
type Ends = (TcpStream, TcpStream);

/// Two links; the near ends have one address and the far ends another one.
const LINKS: [(&str, &str); 2] = [("near0", "far0"), ("near1", "far1")];

fn run(command: &str) {
    let mut words = command.split(' ');
    let status = Command::new(words.next().expect("a program")).args(words).status();
    assert!(status.is_ok_and(|status| status.success()), "{command}");
}

fn address(host: u16, port: u16, interface: &str) -> SocketAddrV6 {
    let any = socket_with(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None);
    let index = rustix::net::netdevice::name_to_index(any.expect("a socket"), interface);
    let index = index.unwrap_or_else(|error| panic!("{interface}: {error}"));
    SocketAddrV6::new(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, host), port, 0, index)
}

/// A connection over each link, both from port 7000 to port 9000 and between the same addresses.
fn same_four_labels() -> [Ends; 2] {
    LINKS.map(|(near, far)| {
        run(&format!("ip link add {near} type veth peer name {far}"));
        for (interface, host) in [(near, 1), (far, 2)] {
            run(&format!("ip link set {interface} up"));
            run(&format!("ip addr add fe80::{host}/64 dev {interface} nodad"));
        }
        let listener = TcpListener::bind(address(2, 9_000, far)).expect("a listener");
        over_link(near, &listener)
    })
}

fn over_link(near: &str, listener: &TcpListener) -> Ends {
    let client = socket_with(AddressFamily::INET6, SocketType::STREAM, SocketFlags::CLOEXEC, None);
    let client = client.expect("a socket");
    bind(&client, &address(1, 7_000, near)).expect("a free port");
    connect(&client, &address(2, 9_000, near)).expect("a link");
    (client.into(), listener.accept().expect("a connection").0)
}

fn send((client, server): &mut Ends, bytes: usize) {
    client.write_all(&vec![7; bytes]).expect("open");
    server.read_exact(&mut vec![0; bytes]).expect("open");
}

/// Ends a connection so that nothing of it is left at the near end.
fn end((mut client, server): Ends) {
    drop(server);
    assert_eq!(client.read(&mut [0]).expect("the end"), 0);
}

const ROW: &str =
    "local_address=\"fe80::1\",local_port=\"7000\",remote_address=\"fe80::2\",remote_port=\"9000\"";

fn value<'s>(scrape: &'s Scrape, family: &str, row: &str) -> Option<&'s str> {
    scrape.rows(family).get(row).map(String::as_str)
}

#[test]
fn a_row_of_two_connections_does_not_fall_when_one_of_them_ends() {
    if enter() {
        return;
    }
    let [mut first, mut second] = same_four_labels();
    send(&mut first, 200);
    send(&mut second, 100);
    let view = "views:\n  t:\n    by: [local_address, local_port, remote_address, remote_port]\n    limit: 10
    metrics: [sockets, sent_bytes_total]\n    select: \"sport = :7000\"\n";
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("config.yml");
    std::fs::write(&path, format!("{view}  other: {{by: [direction]}}\n")).expect("room");
    let exporter = Exporter::reading(&path, &["--web.enable-lifecycle"]);
    let mut scrapes = Scrapes::default();
    let sent = |scrape: &Scrape| value(scrape, "ss_t_sent_bytes_total", ROW).map(str::to_owned);
    assert_eq!(sent(scrapes.scrape(&exporter)).as_deref(), Some("300"));
    send(&mut second, 1);
    end(first);
    let one = |scrape: &Scrape| value(scrape, "ss_t_sockets", ROW) == Some("1");
    assert!(one(scrapes.until(&exporter, one)), "a gauge is the sum over the open connections");
    for _ in 0..6 {
        assert_eq!(sent(scrapes.scrape(&exporter)).as_deref(), Some("301"));
    }
    std::fs::write(&path, format!("{view}  other: {{by: [service_port]}}\n")).expect("room");
    let answer = exporter.ask("POST /-/reload HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    send(&mut second, 10);
    assert_eq!(sent(scrapes.scrape(&exporter)).as_deref(), Some("311"));
    // The same four labels again, before anything has scraped: the row was never away.
    end(second);
    let (near, far) = LINKS[0];
    let listener = TcpListener::bind(address(2, 9_000, far)).expect("a listener");
    let mut third = over_link(near, &listener);
    send(&mut third, 5);
    assert_eq!(sent(scrapes.scrape(&exporter)).as_deref(), Some("316"));
}

#[test]
fn the_legacy_counters_of_a_process_and_an_endpoint_never_fall() {
    if enter() {
        return;
    }
    let second = "label_folding: pid_condensed}, metrics: {counters: {data_segs_in: , data_segs_out: }}";
    let third = "labelFolding: pid_condensed}, metrics: {counters: {dataSegsIn: , dataSegsOut: }}";
    for (port, logic) in [(8_020, second), (8_021, third)] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
        let to = listener.local_addr().expect("bound").port();
        let open = || {
            let mut pair = Pair::open(&listener).expect("room");
            pair.exchange(1_000, 0).expect("open");
            pair
        };
        let mut pairs: Vec<_> = (0..3).map(|_| open()).collect();
        let exporter = Exporter::configured_at(port, &format!("logic: {{compression: {{{logic}}}\n"));
        let row = format!("flow=\"({})(DST#127.0.0.1|{to})\"", std::process::id());
        let sent = |scrape: &Scrape| value(scrape, "tcp_data_segs_out", &row).map(str::to_owned);
        let mut scrapes = Scrapes::default();
        assert_eq!(sent(scrapes.scrape(&exporter)).as_deref(), Some("3"));
        assert!(exporter.metrics().contains("\n# TYPE tcp_data_segs_out counter\n"));
        assert!(exporter.metrics().contains("\n# TYPE tcp_data_segs_in counter\n"));

        // What no dump sees of a connection that ends counts, too.
        let mut ending = pairs.remove(0);
        ending.exchange(10, 0).expect("open");
        ending.exchange(10, 0).expect("open");
        ending.end(End::ServerFirst).expect("open");
        let is = |wanted: &'static str| move |scrape: &Scrape| sent(scrape).as_deref() == Some(wanted);
        assert!(is("5")(scrapes.until(&exporter, is("5"))), "{:?}", scrapes.last());

        // The row is away for as long as no connection is open.
        for pair in pairs {
            pair.end(End::ServerFirst).expect("open");
        }
        let away = |scrape: &Scrape| sent(scrape).is_none();
        assert!(away(scrapes.until(&exporter, away)), "{:?}", scrapes.last());
        let again = open();
        assert!(is("6")(scrapes.until(&exporter, is("6"))), "{:?}", scrapes.last());
        again.end(End::ServerFirst).expect("open");
    }
}
