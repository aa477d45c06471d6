//! The exporter's inside against the real kernel, each test in a network namespace of its own.

mod bottlenecks;
#[cfg(feature = "root-tests")]
mod cgroups;
mod close_events;
mod families;
mod filter;
#[cfg(feature = "root-tests")]
mod held;
#[cfg(feature = "root-tests")]
mod initiators;
mod language;
mod mptcp;
#[cfg(feature = "root-tests")]
mod netns;
mod numbers;
mod options;
mod owners;
mod states;
mod table;
mod unix;

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use sockdiag::{DumpStats, Netlink, Replies, Request, Socket};
use ss_exporter::privileges::Privileges;
use testkit::host::{ThisNetns, exposition};
use testkit::netns::enter;

/// An open connection: the client's end and the server's.
struct Pair {
    client: TcpStream,
    server: TcpStream,
}

impl Pair {
    /// Connects to a listener of its own at the address.
    fn at(address: impl Into<IpAddr>) -> Self {
        let listener = TcpListener::bind((address.into(), 0)).expect("a listener");
        Self::through(&listener, listener.local_addr().expect("its address"))
    }

    /// Connects to the listener by an address of it.
    fn through(listener: &TcpListener, address: SocketAddr) -> Self {
        let client = TcpStream::connect(address).expect("a connection");
        let (server, _) = listener.accept().expect("the other end");
        Self { client, server }
    }

    /// Connects, to a listener of its own at the address, a socket that is bound to `lo` and has the mark.
    fn special(address: impl Into<IpAddr>, mark: u32) -> Self {
        use socket2::{Domain, Socket, Type};
        let listener = TcpListener::bind((address.into(), 0)).expect("a listener");
        let address = listener.local_addr().expect("its address");
        let client = Socket::new(Domain::for_address(address), Type::STREAM, None).expect("a socket");
        client.bind_device(Some(b"lo")).expect("the interface");
        client.set_mark(mark).expect("the right to set a mark");
        client.connect(&address.into()).expect("a connection");
        let (server, _) = listener.accept().expect("the other end");
        Self { client: client.into(), server }
    }

    /// Sends bytes from the client to the server.
    fn send(&mut self, bytes: usize) {
        self.client.write_all(&vec![7; bytes]).expect("room");
        self.server.read_exact(&mut vec![0; bytes]).expect("all of it");
    }
}

/// Connections over IPv4, IPv6, and IPv4 accepted by an IPv6 socket.
fn one_of_each() -> Vec<Pair> {
    let mapped = TcpListener::bind((Ipv6Addr::UNSPECIFIED, 0)).expect("a listener");
    let port = mapped.local_addr().expect("its address").port();
    vec![
        Pair::at(Ipv4Addr::LOCALHOST),
        Pair::at(Ipv6Addr::LOCALHOST),
        Pair::through(&mapped, (Ipv4Addr::LOCALHOST, port).into()),
    ]
}

fn dump_now(request: &Request, mut each: impl FnMut(&Socket<'_>)) -> DumpStats {
    let kernel = Netlink::open().expect("sock_diag");
    let (replies, dumped) = Replies::dump(kernel, request, Instant::now() + Duration::from_secs(10));
    replies.sockets().for_each(|socket| each(&socket));
    dumped.expect("a complete dump")
}

/// What one collection with the configuration shows.
fn expose(config: &str) -> String {
    use ss_exporter::{collection, config::Config, exposition::Format, plan::Plan};
    let plan = Plan::new(Config::parse("test.yml", config).expect("a valid configuration"));
    let mut state = collection::CollectorState::new(&plan, Privileges::default());
    let snapshot = collection::collect(&plan, &ThisNetns, &mut state);
    assert!(snapshot.report.success(), "{:?}", snapshot.report);
    exposition(&snapshot, Format::Text)
}

/// The label block and value of each sample of a family.
fn samples<'a>(text: &'a str, name: &str) -> Vec<(&'a str, f64)> {
    let rests = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(['{', ' ']));
    rests
        .map(|rest| rest.rsplit_once("} ").unwrap_or(("", rest)))
        .map(|(labels, value)| (labels, value.parse().expect("a number")))
        .collect()
}

/// The predecessor's label for one end of a connection.
fn flow(stream: &TcpStream) -> String {
    let end = |address: SocketAddr| format!("{}|{}", address.ip().to_canonical(), address.port());
    let (local, remote) = (stream.local_addr().expect("bound"), stream.peer_addr().expect("connected"));
    format!("flow=\"(SRC#{})(DST#{})\"", end(local), end(remote))
}
