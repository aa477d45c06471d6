//! What other protocols than TCP cost: a view of many sockets beside the bare walk with the same attributes, and protocols
//! that have none.

use std::net::{Ipv4Addr, UdpSocket};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use super::compare::{Way, compare, heading, ms};
use super::exporter::{Exporter, value};
use super::readers::bare_walk;
use sockdiag::{Attribute, Extensions, Protocol, Request, UDP, UNIX};

/// The default view, and the same without owners.
const UDP_BY_OWNER: &str = "views:
  udp:
    protocol: udp
    by: [process, unit, service_port]
    metrics: [sockets, dropped_packets_total, receive_memory_bytes, receive_buffer_bytes]
";
const UDP_BY_SERVICE: &str = "views:
  udp:
    protocol: udp
    by: [service_port]
    metrics: [sockets, dropped_packets_total, receive_memory_bytes, receive_buffer_bytes]
";
const UNIX_BY_PATH: &str = "views:
  unix: {protocol: unix, state: all, by: [path, type], metrics: [sockets]}
";
/// A view of TCP, and views of protocols without a socket.
const EMPTY: &str = "views:
  tcp: {by: [direction, service_port]}
  udp: {protocol: udp, by: [service_port], metrics: [sockets]}
  udplite: {protocol: udplite, by: [service_port], metrics: [sockets]}
  mptcp: {protocol: mptcp, metrics: [sockets]}
  packet: {protocol: packet, metrics: [sockets]}
";

/// This process holds the sockets, and may have so many descriptors.
pub const MOST: usize = 10_000;

/// Prints a table for each protocol, and one for protocols without sockets.
pub fn run(sockets: usize, rounds: u32) {
    empty(rounds);
    let udp: Vec<_> =
        (0..sockets).map(|_| UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket")).collect();
    let configs = [("UDP by service", UDP_BY_SERVICE), ("UDP, the default view", UDP_BY_OWNER)];
    beside_bare_walk(&UDP, Extensions::MEMORY, &configs, (sockets, rounds));
    drop(udp);
    let name = |number| SocketAddr::from_abstract_name(format!("bench {number}"));
    let bound = |number| UnixDatagram::bind_addr(&name(number).expect("a short name")).expect("a free name");
    let unix: Vec<_> = (0..sockets).map(bound).collect();
    let configs = [("unix by path", UNIX_BY_PATH)];
    beside_bare_walk(&UNIX, Extensions::of(Attribute::Name), &configs, (sockets, rounds));
    drop(unix);
}

/// Scrapes beside the walk that asks for the same attributes.
fn beside_bare_walk(
    protocol: &'static Protocol,
    attributes: Extensions,
    configs: &[(&str, &str)],
    size: (usize, u32),
) {
    let (sockets, rounds) = size;
    let request = Request::new(protocol, protocol.states, attributes);
    let exporters: Vec<_> =
        configs.iter().map(|(what, config)| (what, Exporter::configured(config))).collect();
    let mut ways = vec![Way::compared(format!("bare walk of {}", protocol.name), || bare_walk(&request))];
    ways.extend(
        exporters
            .iter()
            .map(|(what, exporter)| Way::scrape(format!("exporter, {what}"), exporter, "identity")),
    );
    heading(&["bare walk"]);
    compare(sockets, rounds, &ways, || {});
}

/// What protocols without a socket add to a collection.
fn empty(rounds: u32) {
    let exporter = Exporter::configured(EMPTY);
    println!("\n| protocol without sockets | median of its stage (ms) |\n|---|---|");
    let texts: Vec<_> = (0..=rounds).map(|_| exporter.text()).collect();
    for protocol in ["udp", "udplite", "mptcp", "packet"] {
        let series = format!("ss_exporter_collection_duration_seconds{{stage=\"dump_{protocol}\"}}");
        let took: Vec<_> =
            texts.iter().map(|text| std::time::Duration::from_secs_f64(value(text, &series))).collect();
        println!("| {protocol} | {:.3} |", ms(super::compare::median(&took)));
    }
}
