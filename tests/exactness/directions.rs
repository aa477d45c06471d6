//! Directions by the kernel's own counters: a listener that is gone, on another port, or on the port that dials.

use std::cell::Cell;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
#[cfg(feature = "root-tests")]
use std::process::{Command, Stdio};

use socket2::{Domain, Socket, Type};

use super::{enter, sysctl};
use testkit::exporter::Exporter;
use testkit::scrape::{Scrape, Scrapes};

const SERVICE: u16 = 20_443;

/// Connections of the exporter's own excepted.
const VIEW: &str = "
views:
  t:
    by: [direction, service_port]
    metrics: [sockets, opened_total, closed_total, sent_bytes_total]
    select: 'not sport = 8020 and not dport = 8020'
";

fn here(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// The rows of a family that are not 0, with their values.
fn rows(scrape: &Scrape, family: &str) -> Vec<(String, u64)> {
    let rows = scrape.rows(family).iter();
    let numbers = rows.map(|(labels, value)| (labels.clone(), value.parse().expect("a number")));
    numbers.filter(|(_, value)| *value > 0).collect()
}

/// Both ends of `count` connections to one service.
fn expected(port: u16, count: u64) -> Vec<(String, u64)> {
    let row = |direction| (format!("direction=\"{direction}\",service_port=\"{port}\""), count);
    vec![row("inbound"), row("outbound")]
}

/// A connection that exchanges a byte.
fn used((mut client, mut server): (TcpStream, TcpStream)) -> (TcpStream, TcpStream) {
    client.write_all(b"x").expect("room");
    server.read_exact(&mut [0]).expect("the byte");
    (client, server)
}

/// Closes both ends without a reset; the client's port is free at once.
fn close((mut client, server): (TcpStream, TcpStream)) {
    drop(server);
    assert_eq!(client.read(&mut [0]).expect("no reset"), 0);
}

/// Three connections that no scrape shows, and five that scrapes show, are in the same rows while they live and after.
fn first_sight_and_end_agree(exporter: &Exporter, connect: &dyn Fn() -> (TcpStream, TcpStream)) {
    let mut scrapes = Scrapes::default();
    scrapes.scrape(exporter);
    (0..3).for_each(|_| close(used(connect())));
    let held: Vec<_> = (0..5).map(|_| used(connect())).collect();
    let scrape = scrapes.until(exporter, |scrape| scrape.sum("ss_t_closed_total") >= 6);
    assert_eq!(rows(scrape, "ss_t_opened_total"), expected(SERVICE, 8));
    assert_eq!(rows(scrape, "ss_t_sockets"), expected(SERVICE, 5));
    held.into_iter().for_each(close);
    let scrape = scrapes.until(exporter, |scrape| scrape.sum("ss_t_closed_total") >= 16);
    assert_eq!(rows(scrape, "ss_t_closed_total"), expected(SERVICE, 8));
    assert_eq!(rows(scrape, "ss_t_sockets"), []);
}

/// Every port may be a client's, so that ports say nothing about directions. No client gets those of servers.
fn every_port_is_a_clients() {
    sysctl("ip_local_reserved_ports", "3129,7600,8020,20443");
    sysctl("ip_local_port_range", "1024 65535");
}

#[test]
fn connections_whose_listener_is_gone_stay_in_the_row_of_their_service() {
    if enter() {
        return;
    }
    every_port_is_a_clients();
    let listener = TcpListener::bind(here(SERVICE)).expect("a listener");
    let connect = || {
        let client = TcpStream::connect(here(SERVICE)).expect("connected");
        (client, listener.accept().expect("accepted").0)
    };
    let held: Vec<_> = (0..50).map(|_| connect()).collect();
    drop(listener);
    let exporter = Exporter::configured(VIEW);
    let mut scrapes = Scrapes::default();
    assert_eq!(rows(scrapes.scrape(&exporter), "ss_t_sockets"), expected(SERVICE, 50));
    held.into_iter().for_each(close);
    let scrape = scrapes.until(&exporter, |scrape| scrape.sum("ss_t_closed_total") >= 100);
    assert_eq!(rows(scrape, "ss_t_closed_total"), expected(SERVICE, 50));
    assert_eq!(scrape.rows("ss_t_sockets").len(), 2, "no row by a client's port");
}

/// A socket on port 7600 of the n-th address of this host.
fn on_the_shared_port(number: u8) -> Socket {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.set_reuse_port(true).expect("the option");
    socket.set_reuse_address(true).expect("the option");
    let at = SocketAddr::from((Ipv4Addr::new(127, 0, 0, number), 7_600));
    socket.bind(&at.into()).expect("the port");
    socket
}

#[test]
fn a_connection_that_is_dialled_from_a_listening_port_is_outbound() {
    if enter() {
        return;
    }
    // One port of one address dials one service once.
    let listening: Vec<_> = (1..=8).map(on_the_shared_port).collect();
    for socket in &listening {
        socket.listen(10).expect("it listens");
    }
    let service = TcpListener::bind(here(SERVICE)).expect("a listener");
    let exporter = Exporter::configured(VIEW);
    let number = Cell::new(0);
    first_sight_and_end_agree(&exporter, &|| {
        number.set(number.get() + 1);
        let client = on_the_shared_port(number.get());
        client.connect(&here(SERVICE).into()).expect("connected");
        (client.into(), service.accept().expect("accepted").0)
    });
}

/// A transparent proxy: what goes to a port of another address arrives at its listener on yet another port.
#[cfg(feature = "root-tests")]
fn proxied(service: SocketAddr, listener: SocketAddr) -> TcpListener {
    let route = ["route", "add", "local", "198.51.100.0/24", "dev", "lo"];
    assert!(Command::new("ip").args(route).status().expect("iproute2").success());
    // sudo may keep the PATH of a user, in which Debian has no /usr/sbin.
    let mut nft =
        Command::new("/usr/sbin/nft").args(["-f", "-"]).stdin(Stdio::piped()).spawn().expect("nftables");
    let (ip, port) = (service.ip(), service.port());
    let rules = format!(
        "table ip t {{\nchain c {{\ntype filter hook prerouting priority mangle\n\
         ip daddr {ip} tcp dport {port} tproxy to {listener} accept\n}}\n}}\n"
    );
    nft.stdin.take().expect("its input").write_all(rules.as_bytes()).expect("rules");
    assert!(nft.wait().expect("its end").success());
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.set_ip_transparent_v4(true).expect("the option");
    socket.bind(&listener.into()).expect("the port");
    socket.listen(10).expect("it listens");
    socket.into()
}

#[cfg(feature = "root-tests")]
#[test]
fn what_a_transparent_proxy_accepts_is_inbound_at_the_port_that_was_asked_for() {
    if enter() {
        return;
    }
    every_port_is_a_clients();
    let service = SocketAddr::from(([198, 51, 100, 9], SERVICE));
    let proxy = proxied(service, here(3_129));
    let exporter = Exporter::configured(VIEW);
    first_sight_and_end_agree(&exporter, &|| {
        let client = TcpStream::connect(service).expect("connected");
        (client, proxy.accept().expect("accepted").0)
    });
}
