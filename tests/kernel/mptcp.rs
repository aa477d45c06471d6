//! Connections of MPTCP: what a view shows, against what the test made and what `ss -M` says.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
#[cfg(feature = "root-tests")]
use std::os::fd::AsFd as _;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketType, bind, connect, ipproto, listen, socket};
#[cfg(feature = "root-tests")]
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::{Pair, enter, expose, samples};

const VIEWS: &str = "
  m:
    protocol: mptcp
    by: [local_address, local_port, remote_address, remote_port]
    metrics: ['*']
  both: {protocol: [tcp, mptcp], by: [protocol], state: established, metrics: [sockets]}
  t:
    by: [local_address, local_port, remote_address, remote_port]
    metrics: [sent_bytes_total, mptcp_sockets]
";

/// With enough time to search for the owner on a busy host.
const OWNER: &str = "collect: {deadline: 30s, owners: 10s}
views:
  owner: {protocol: mptcp, by: [process], metrics: [sockets, receive_buffer_bytes]}";

fn shell(commands: &str) {
    let status = Command::new("sh").args(["-ec", commands]).status().expect("a shell");
    assert!(status.success(), "{commands}");
}

pub fn listener(address: Ipv4Addr) -> TcpListener {
    let listener =
        socket(AddressFamily::INET, SocketType::STREAM, Some(ipproto::MPTCP)).expect("CONFIG_MPTCP");
    bind(&listener, &SocketAddr::from((address, 0))).expect("a free port");
    listen(&listener, 8).expect("a listener");
    listener.into()
}

pub fn client(to: SocketAddr) -> TcpStream {
    let client = socket(AddressFamily::INET, SocketType::STREAM, Some(ipproto::MPTCP)).expect("CONFIG_MPTCP");
    connect(&client, &to).expect("a connection");
    client.into()
}

/// Sends that many bytes while the other end reads them.
fn send(from: &mut TcpStream, to: &mut TcpStream, bytes: usize) {
    std::thread::scope(|scope| {
        scope.spawn(|| from.write_all(&vec![7; bytes]).expect("room"));
        to.read_exact(&mut vec![0; bytes]).expect("all of it");
    });
}

/// A sample that is a whole number.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "no metric here is negative or has a fraction"
)]
fn whole(sample: f64) -> u64 {
    sample as u64
}

/// The values of a family in the rows of sockets at that end, added up.
fn at(text: &str, family: &str, end: SocketAddr) -> Option<u64> {
    let label = format!("local_address=\"{}\",local_port=\"{}\"", end.ip(), end.port());
    let rows = samples(text, family).into_iter().filter(|(labels, _)| labels.starts_with(&label));
    rows.map(|(_, value)| whole(value)).reduce(|one, other| one + other)
}

#[test]
fn a_connection_is_one_socket_with_its_bytes_its_subflows_and_its_process() {
    if enter() {
        return;
    }
    shell(
        "ip mptcp limits set subflow 2 add_addr_accepted 0
         for address in 10.9.0.2 10.9.0.3; do
           ip address add $address/32 dev lo
           ip mptcp endpoint add $address dev lo subflow
         done",
    );
    let listener = listener(Ipv4Addr::LOCALHOST);
    let mut client = client(listener.local_addr().expect("bound"));
    let (mut server, _) = listener.accept().expect("the other end");
    send(&mut client, &mut server, 2_000_000);
    send(&mut server, &mut client, 12_345);
    let ends = [&client, &server].map(|end| end.local_addr().expect("connected"));
    let of = |text: &str, metric: &str| ends.map(|end| at(text, &format!("ss_m_{metric}"), end));
    // The subflows join, and the last acknowledgements pass.
    let passed = |text: &str| {
        of(text, "subflows") == [Some(3); 2]
            && of(text, "acked_bytes_total") == [Some(2_000_000), Some(12_345)]
    };
    let end = Instant::now() + Duration::from_secs(20);
    let mut text = expose(&format!("{OWNER}{VIEWS}"));
    while !passed(&text) && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(100));
        text = expose(&format!("{OWNER}{VIEWS}"));
    }
    let of = |metric: &str| of(&text, metric);
    assert_eq!(of("sockets"), [Some(1), Some(1)], "{text}");
    assert_eq!(of("sent_bytes_total"), [Some(2_000_000), Some(12_345)]);
    assert_eq!(of("received_bytes_total"), [Some(12_345), Some(2_000_000)]);
    assert_eq!(of("acked_bytes_total"), [Some(2_000_000), Some(12_345)]);
    assert_eq!((of("subflows"), of("joined_subflows")), ([Some(3); 2], [Some(2); 2]));
    assert_eq!(of("fallback_sockets"), [Some(0), Some(0)]);
    assert!(of("last_data_received_age_seconds").iter().all(Option::is_some), "{text}");
    assert_eq!(samples(&text, "ss_t_mptcp_sockets").iter().map(|(_, value)| whole(*value)).sum::<u64>(), 6);
    let owners = samples(&text, "ss_owner_sockets");
    assert!(matches!(owners.as_slice(), [(labels, 2.0)] if !labels.contains("unknown")), "{owners:?}");
    assert!(text.contains("ss_both_sockets{protocol=\"mptcp\"} 2"), "{text}");

    let output = Command::new("ss").args(["-ManiOH"]).output().expect("ss of iproute2");
    let printed = String::from_utf8(output.stdout).expect("text");
    let mut shown: Vec<_> = printed.lines().filter(|line| line.starts_with("ESTAB")).collect();
    for end in ends {
        let line = shown.iter().position(|line| line.split_whitespace().nth(3) == Some(&end.to_string()));
        let line = shown.swap_remove(line.unwrap_or_else(|| panic!("{end} is not in {printed}")));
        assert!(line.contains(" subflows:2 "), "{line}");
    }
    assert_eq!(shown, [""; 0], "ss shows others");
}

#[test]
fn a_fallback_is_counted_at_the_end_that_has_a_connection_of_mptcp() {
    if enter() {
        return;
    }
    let plain = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
    let mut fallen = client(plain.local_addr().expect("bound"));
    let (mut server, _) = plain.accept().expect("the other end");
    send(&mut fallen, &mut server, 1000);
    let both = listener(Ipv4Addr::LOCALHOST);
    let _of_tcp = Pair::through(&both, both.local_addr().expect("bound"));
    let text = expose(&format!("views:{VIEWS}"));
    let end = fallen.local_addr().expect("connected");
    assert_eq!(at(&text, "ss_m_fallback_sockets", end), Some(1), "{text}");
    assert_eq!(samples(&text, "ss_m_sockets").len(), 1, "a client of TCP has no connection of MPTCP: {text}");
    let subflows = samples(&text, "ss_t_mptcp_sockets");
    assert_eq!((subflows.len(), at(&text, "ss_t_mptcp_sockets", end)), (4, Some(1)), "{text}");
    assert_eq!(subflows.iter().map(|(_, value)| whole(*value)).sum::<u64>(), 1, "{text}");
}

#[cfg(feature = "root-tests")]
#[test]
fn bytes_are_counted_once_although_a_link_is_cut() {
    const BYTES: usize = 15_000_000;
    if enter() {
        return;
    }
    shell(
        "mkdir -p /run/netns; mount -t tmpfs none /run/netns; ip netns add peer
         ip mptcp limits set subflow 2 add_addr_accepted 2
         ip -n peer mptcp limits set subflow 2 add_addr_accepted 2
         for link in 1 2; do
           ip link add here$link type veth peer name there$link netns peer
           ip address add 10.$link.0.1/24 dev here$link; ip link set here$link up
           ip -n peer address add 10.$link.0.2/24 dev there$link; ip -n peer link set there$link up
         done
         ip -n peer mptcp endpoint add 10.2.0.2 dev there2 signal",
    );
    let peer = std::thread::spawn(|| {
        let namespace = std::fs::File::open("/run/netns/peer").expect("the namespace");
        move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network)).expect("root");
        listener(Ipv4Addr::UNSPECIFIED)
    });
    let listener = peer.join().expect("a listener");
    let port = listener.local_addr().expect("bound").port();
    let mut client = client((Ipv4Addr::new(10, 1, 0, 2), port).into());
    let (mut server, _) = listener.accept().expect("the other end");
    send(&mut client, &mut server, BYTES / 3);
    std::thread::scope(|scope| {
        scope.spawn(|| client.write_all(&vec![7; BYTES * 2 / 3]).expect("room"));
        server.read_exact(&mut vec![0; BYTES / 3]).expect("all of it");
        shell("ip link set here1 down");
        server.read_exact(&mut vec![0; BYTES / 3]).expect("all of it, over the other link");
    });
    std::thread::sleep(std::time::Duration::from_millis(500));
    let text = expose(&format!("views:{VIEWS}"));
    let end = client.local_addr().expect("connected");
    assert_eq!(at(&text, "ss_m_sent_bytes_total", end), Some(BYTES as u64), "{text}");
    assert_eq!(at(&text, "ss_m_addresses_accepted", end), Some(1), "{text}");
    let wire: u64 = samples(&text, "ss_t_sent_bytes_total").iter().map(|(_, value)| whole(*value)).sum();
    assert!(wire >= BYTES as u64, "subflows sent {wire}: {text}");
}
