//! Directions and service ports in two namespaces that have the same ports with other meanings.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, connect, socket_with};

use super::enter;
use testkit::exporter::Exporter;
use testkit::inner::Inner;
use testkit::scrape::Scrapes;

/// A connection from one port of 127.0.0.1 to another: its listener and its ends.
fn connection(inner: &Inner, from: u16, to: u16) -> (TcpListener, TcpStream, TcpStream) {
    let listener = inner.listen(to);
    inner.within(|| {
        let client = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None);
        let client = client.expect("a socket");
        let at = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        bind(&client, &at(from)).expect("a free port");
        connect(&client, &at(to)).expect("the listener");
        let (server, _) = listener.accept().expect("the other end");
        (listener, client.into(), server)
    })
}

#[test]
fn a_port_that_listens_in_one_namespace_and_asks_in_another_is_each_in_its_own() {
    if enter() {
        return;
    }
    let (blue, red) = (Inner::connected("blue"), Inner::apart("red"));
    let _blue = connection(&blue, 7_001, 7_000);
    let _red = connection(&red, 7_000, 7_001);
    let view = "
collect: {netns: [blue, red]}
views: {t: {by: [netns, direction, service_port], metrics: [sockets], select: netns = blue or netns = red}}
";
    let exporter = Exporter::configured(view);
    let mut scrapes = Scrapes::default();
    let rows = scrapes.scrape(&exporter).rows("ss_t_sockets");
    let row = |netns, direction, port| {
        format!("netns=\"{netns}\",direction=\"{direction}\",service_port=\"{port}\"")
    };
    let expected = [("blue", 7_000), ("red", 7_001)].map(|(netns, port)| {
        ["inbound", "outbound"].map(|direction| (row(netns, direction, port), "1".to_owned()))
    });
    assert_eq!(*rows, expected.into_iter().flatten().collect());
}
