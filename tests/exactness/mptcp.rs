//! Connections of MPTCP: what the kernel wipes when the peer closes first is counted apart, and what was seen stays.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::process::Command;

use rustix::net::{AddressFamily, SocketType, bind, connect, ipproto, listen, socket};

use super::counted::{Counted, view};
use super::enter;
use testkit::exporter::Exporter;
use testkit::scrape::{Scrape, Scrapes};

const SEEN: usize = 2_000_000;
const UNSEEN: usize = 500_000;
const ANSWER: usize = 12_345;

/// Lets each connection to this host have two more subflows.
fn join() {
    let commands = [
        "ip mptcp limits set subflow 2 add_addr_accepted 0",
        "ip address add 10.9.0.2/32 dev lo",
        "ip address add 10.9.0.3/32 dev lo",
        "ip mptcp endpoint add 10.9.0.2 dev lo subflow",
        "ip mptcp endpoint add 10.9.0.3 dev lo subflow",
    ];
    for command in commands {
        let status = Command::new("sh").args(["-ec", command]).status().expect("a shell");
        assert!(status.success(), "{command}");
    }
}

fn mptcp() -> OwnedFd {
    socket(AddressFamily::INET, SocketType::STREAM, Some(ipproto::MPTCP)).expect("CONFIG_MPTCP")
}

fn listener() -> TcpListener {
    let listener = mptcp();
    bind(&listener, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a free port");
    listen(&listener, 8).expect("a listener");
    listener.into()
}

/// Both ends of a connection to the listener.
fn open(listener: &TcpListener) -> (TcpStream, TcpStream) {
    let client = mptcp();
    connect(&client, &listener.local_addr().expect("bound")).expect("a connection");
    let (server, _) = listener.accept().expect("the other end");
    (client.into(), server)
}

/// Sends that many bytes while the other end reads them.
fn send(from: &mut TcpStream, to: &mut TcpStream, bytes: usize) {
    std::thread::scope(|scope| {
        scope.spawn(|| from.write_all(&vec![7; bytes]).expect("room"));
        to.read_exact(&mut vec![0; bytes]).expect("all of it");
    });
}

/// The value of a family in the row of one direction.
fn of(scrape: &Scrape, metric: &str, direction: &str) -> u64 {
    let rows = scrape.rows(&format!("ss_t_{metric}"));
    let label = format!("direction=\"{direction}\"");
    rows.get(&label).unwrap_or_else(|| panic!("{metric}: {rows:?}")).parse().expect("a number")
}

/// How many closes had no `tcp_info`, by these reasons.
fn closes(scrape: &Scrape) -> [u64; 2] {
    let rows = scrape.rows("ss_exporter_closes_without_tcp_info_total");
    ["mptcp", "disconnected"].map(|reason| rows[&format!("reason=\"{reason}\"")].parse().expect("a number"))
}

#[test]
fn a_first_subflow_that_its_peer_closed_is_counted_apart_and_all_others_are_exact() {
    if enter() {
        return;
    }
    join();
    let listener = listener();
    let port = listener.local_addr().expect("bound").port();
    let exporter = Exporter::configured(&format!(
        "views:
  t:
    by: [direction]
    metrics: [sockets, opened_total, \"closed_*\", sent_bytes_total, received_bytes_total]
    select: \"sport = :{port} or dport = :{port}\"
"
    ));
    let mut scrapes = Scrapes::default();
    scrapes.scrape(&exporter);
    let (mut client, mut server) = open(&listener);
    send(&mut client, &mut server, SEEN);
    send(&mut server, &mut client, ANSWER);
    // All three subflows are seen, with all that was sent.
    let seen = |scrape: &Scrape| {
        let Counted { sockets, received, .. } = Counted::of(scrape);
        sockets == 6 && received >= (SEEN + ANSWER) as u64
    };
    assert!(seen(scrapes.until(&exporter, seen)), "{:?}", Counted::of(scrapes.last()));
    send(&mut client, &mut server, UNSEEN);
    drop(client);
    drop(server);
    let scrape = scrapes.until(&exporter, |scrape| Counted::of(scrape).closed == 6);
    assert_eq!(Counted::of(scrape).closed, 6);
    assert_eq!(closes(scrape), [1, 0]);
    for (direction, wiped) in [("outbound", 0), ("inbound", 1)] {
        let of = |metric| of(scrape, metric, direction);
        assert_eq!((of("opened_total"), of("closed_total")), (3, 3), "{direction}");
        assert_eq!(of("closed_without_tcp_info_total"), wiped, "{direction}");
    }
    // The end that closed first has everything. A subflow may retransmit what another one lost, and a FIN counts as a byte.
    let sent = SEEN + UNSEEN;
    let exact = |bytes: usize, truth: usize| (truth..truth + 100_000).contains(&bytes);
    let bytes = |metric, direction| usize::try_from(of(scrape, metric, direction)).expect("64 bits");
    assert!(exact(bytes("sent_bytes_total", "outbound"), sent), "{:?}", Counted::of(scrape));
    assert!(exact(bytes("received_bytes_total", "outbound"), ANSWER), "{:?}", Counted::of(scrape));
    assert!(exact(bytes("sent_bytes_total", "inbound"), ANSWER), "{:?}", Counted::of(scrape));
    // The other end lacks only what the first subflow received after the last dump.
    assert!(
        (SEEN..sent + 100_000).contains(&bytes("received_bytes_total", "inbound")),
        "{:?}",
        Counted::of(scrape)
    );
}

#[test]
fn a_connection_that_fell_back_to_tcp_keeps_the_bytes_of_its_last_dump_and_its_wiped_end_is_counted_apart() {
    if enter() {
        return;
    }
    let (plain, both) = (TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener"), listener());
    let exporter = Exporter::configured(&view(&[&plain, &both]));
    let mut scrapes = Scrapes::default();
    scrapes.scrape(&exporter);
    let of_tcp = || {
        let client = TcpStream::connect(both.local_addr().expect("bound")).expect("a connection");
        (client, both.accept().expect("the other end").0)
    };
    for (client_knows, client_first) in [(true, true), (true, false), (false, true), (false, false)] {
        let (mut client, mut server) = if client_knows { open(&plain) } else { of_tcp() };
        send(&mut client, &mut server, UNSEEN);
        send(&mut server, &mut client, ANSWER);
        scrapes.scrape(&exporter);
        let (first, second) = if client_first { (client, server) } else { (server, client) };
        drop(first);
        drop(second);
    }
    let scrape = scrapes.until(&exporter, |scrape| Counted::of(scrape).closed == 8);
    let bytes = 4 * (UNSEEN + ANSWER) as u64;
    let Counted { opened, closed, sent, received, .. } = Counted::of(scrape);
    // The kernel wipes the last event of the client of MPTCP whose peer closes first, and of no other end.
    assert_eq!((opened, closed, sent, closes(scrape)), (8, 8, bytes, [1, 0]));
    // A FIN counts as a byte.
    assert!((bytes..=bytes + 8).contains(&received), "{received}");
}
