//! UDP: what a socket has dropped, and the ends of sockets that no scrape saw.

use std::net::{Ipv4Addr, UdpSocket};

use rustix::net::sockopt::set_socket_recv_buffer_size;
use testkit::exporter::Exporter;
use testkit::scrape::Scrapes;

use super::{enter, sysctl};

/// The drops of the socket at that port by `/proc/net/udp`.
fn drops(port: u16) -> u64 {
    let table = std::fs::read_to_string("/proc/thread-self/net/udp").expect("a table");
    let local = format!(":{port:04X} ");
    let line =
        table.lines().find(|line| line.split_once(": ").is_some_and(|(_, rest)| rest.contains(&local)));
    let column = line.expect("a socket").split_ascii_whitespace().last().expect("a column");
    column.parse().expect("a number")
}

#[test]
fn every_drop_up_to_the_last_dump_and_every_end_of_a_datagram_socket_is_counted() {
    if enter() {
        return;
    }
    let receiver = UdpSocket::bind((Ipv4Addr::LOCALHOST, 5353)).expect("a socket");
    set_socket_recv_buffer_size(&receiver, 4096).expect("a small buffer");
    let exporter = Exporter::configured(
        "views: {t: {protocol: udp, by: [service_port], metrics: [sockets, closed_total, dropped_packets_total]}}",
    );
    let mut scrapes = Scrapes::default();
    scrapes.scrape(&exporter);
    let sender = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
    let before = drops(5353);
    while drops(5353) < before + 793 {
        sender.send_to(b"x", receiver.local_addr().expect("bound")).expect("sent");
    }
    let scrape = scrapes.scrape(&exporter);
    assert_eq!(scrape.sum("ss_t_dropped_packets_total"), 793);
    drop(receiver);
    for _ in 0..50 {
        let client = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
        client.connect((Ipv4Addr::LOCALHOST, 53)).expect("a peer");
    }
    let scrape = scrapes.until(&exporter, |scrape| scrape.sum("ss_t_closed_total") >= 51);
    assert_eq!(scrape.sum("ss_t_dropped_packets_total"), 793, "what has closed stays counted");
    assert_eq!(scrape.sum("ss_t_closed_total"), 51);
    let of_dns = scrape.rows("ss_t_closed_total").iter().find(|(labels, _)| labels.contains("\"53\""));
    assert_eq!(of_dns.map(|(_, value)| value.as_str()), Some("50"));
}

#[test]
fn the_range_of_clients_ports_is_known_where_no_scrape_saw_a_socket() {
    if enter() {
        return;
    }
    // By the kernel's default range, the client's port would be the service's.
    sysctl("ip_local_port_range", "20000 30000");
    let exporter = Exporter::configured(
        "views: {t: {protocol: udp, by: [service_port], metrics: [sockets, closed_total]}}",
    );
    let mut scrapes = Scrapes::default();
    assert_eq!(scrapes.scrape(&exporter).sum("ss_t_sockets"), 0);
    let client = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
    client.connect((Ipv4Addr::LOCALHOST, 40_000)).expect("a peer");
    drop(client);
    let scrape = scrapes.until(&exporter, |scrape| scrape.sum("ss_t_closed_total") == 1);
    let ports: Vec<_> = scrape.rows("ss_t_closed_total").keys().map(String::as_str).collect();
    assert_eq!(ports, ["service_port=\"40000\""]);
}
