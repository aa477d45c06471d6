//! Selections judged by the kernel and by us, on the same sockets.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;

use ipnet::IpNet;
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use sockdiag::bytecode::compile;
use sockdiag::{Extensions, MPTCP, Protocol, Request, Socket, State, StateSet, TCP, UDP};
use ss_exporter::attribute::{Direction, Ownership};
use ss_exporter::facts::{Facts, Names};
use ss_exporter::properties::Property;
use ss_exporter::select::{Expression, Judge, Test, canonical, split};

use super::{Pair, dump_now, enter};

/// Cookies of the TCP sockets that pass the kernel's filter, and of those that pass ours.
fn judged(selection: &Expression, in_kernel: bool) -> (BTreeSet<u64>, BTreeSet<u64>) {
    judged_of(&TCP, selection, in_kernel)
}

/// The same of another protocol.
fn judged_of(
    protocol: &'static Protocol,
    selection: &Expression,
    in_kernel: bool,
) -> (BTreeSet<u64>, BTreeSet<u64>) {
    let halves = split(selection, Judge::Everything);
    let filter = in_kernel.then(|| compile(&halves.filter).expect("short"));
    let request = Request { filter, ..Request::new(protocol, StateSet::ALL, Extensions::CONG) };
    let test = if in_kernel { halves.residual.as_ref() } else { Some(selection) };
    let (mut passed, mut wanted) = (BTreeSet::new(), BTreeSet::new());
    dump_now(&request, |socket| {
        passed.insert(socket.cookie());
        if test.is_none_or(|test| test.accepts(&facts(socket))) {
            wanted.insert(socket.cookie());
        }
    });
    (passed, wanted)
}

/// The socket, inbound if its local port is the smaller one: any direction will do here.
fn facts<'a>(socket: &'a Socket<'a>) -> Facts<'a> {
    let inbound = socket.local().port() < socket.remote().port();
    let direction = if inbound { Direction::Inbound } else { Direction::Outbound };
    Facts { direction: Some(direction), ..Facts::of_dump(socket, Ownership::default(), Names::NONE) }
}

fn addresses() -> Vec<IpAddr> {
    vec![
        Ipv4Addr::LOCALHOST.into(),
        Ipv4Addr::new(127, 0, 0, 9).into(),
        Ipv4Addr::new(10, 0, 0, 1).into(),
        Ipv4Addr::UNSPECIFIED.into(),
        Ipv6Addr::LOCALHOST.into(),
        Ipv6Addr::UNSPECIFIED.into(),
        Ipv4Addr::LOCALHOST.to_ipv6_mapped().into(),
        Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(),
    ]
}

fn selection(ports: Vec<u16>) -> impl Strategy<Value = Expression> {
    let port = prop::sample::select(ports);
    let range = (port.clone(), port).prop_map(|(a, b)| RangeInclusive::new(a.min(b), a.max(b)));
    let network = (prop::sample::select(addresses()), 0_u8..=128).prop_map(|(address, prefix)| {
        let most = if address.is_ipv4() { 32 } else { 128 };
        canonical(IpNet::new(address, prefix.min(most)).expect("a prefix that fits"))
    });
    let of_tcp: Vec<_> = State::ALL.into_iter().filter(|state| StateSet::OF_TCP.contains(*state)).collect();
    let states = prop::collection::vec(prop::sample::select(of_tcp), 0..4);
    let others = prop_oneof![
        states.prop_map(|states| Test::State(StateSet::of(&states))),
        prop::sample::select(vec![Direction::Inbound, Direction::Outbound]).prop_map(Test::Direction),
        prop::sample::select(vec!["cubic", "reno", "bbr"])
            .prop_map(|name| Test::Text(Property::Congestion, name.into())),
        (0_u32..2).prop_map(|value| Test::Number(Property::Uid, value)),
        (0_u32..3).prop_map(Test::InterfaceIndex),
        (0_u32..6, 0_u32..6).prop_map(|(value, mask)| Test::Bits(Property::Mark, value, mask)),
        Just(Test::Text(Property::Interface, "lo".into())),
        Just(Test::Text(Property::Cgroup, "/".into())),
        Just(Test::CgroupId(1)),
    ];
    let leaf = prop_oneof![
        1 => Just(Expression::Always),
        1 => Just(Expression::Never),
        4 => range.clone().prop_map(|range| Expression::Is(Test::Port(Property::LocalPort, range))),
        4 => range.prop_map(|range| Expression::Is(Test::Port(Property::RemotePort, range))),
        4 => network.clone().prop_map(|network| Expression::Is(Test::Network(Property::LocalAddress, network))),
        4 => network.prop_map(|network| Expression::Is(Test::Network(Property::RemoteAddress, network))),
        1 => Just(Expression::Is(Test::Number(Property::Pid, 1))),
        1 => Just(Expression::Is(Test::Text(Property::Process, "nobody".into()))),
        1 => Just(Expression::Is(Test::RemoteHost("nowhere".into()))),
        4 => others.prop_map(Expression::Is),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Expression::All),
            prop::collection::vec(inner.clone(), 0..4).prop_map(Expression::Any),
            inner.prop_map(|one| Expression::Not(Box::new(one))),
        ]
    })
}

#[test]
fn the_kernel_and_the_residual_together_select_what_was_meant() {
    if enter() {
        return;
    }
    let mut pairs = super::one_of_each();
    pairs.push(Pair::at(Ipv4Addr::new(127, 0, 0, 9)));
    pairs.push(Pair::special(Ipv4Addr::LOCALHOST, 5));
    let ports = pairs.iter().flat_map(|pair| [&pair.client, &pair.server]);
    let ports: Vec<u16> =
        ports.map(|end| end.local_addr().expect("bound").port()).chain([0, 1, 65_535]).collect();
    let whole = judged(&Expression::Always, true).0;
    assert!(whole.len() >= 2 * pairs.len(), "{} sockets", whole.len());
    both_select_the_same(&TCP, ports, 2000);
}

/// Judges so many selections by the kernel and the residual, and by user space alone.
fn both_select_the_same(protocol: &'static Protocol, ports: Vec<u16>, cases: u32) {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases) };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
        .run(&selection(ports), |selection| {
            let (_, meant) = judged_of(protocol, &selection, false);
            let (passed, selected) = judged_of(protocol, &selection, true);
            prop_assert!(passed.is_superset(&meant), "the kernel's filter rejects a wanted socket");
            prop_assert_eq!(selected, meant);
            Ok(())
        })
        .expect("the law");
}

/// A UDP socket with this address, connected to that one.
fn udp(local: impl Into<IpAddr>, remote: Option<SocketAddr>) -> UdpSocket {
    let socket = UdpSocket::bind((local.into(), 0)).expect("a free port");
    if let Some(remote) = remote {
        socket.connect(remote).expect("a route");
    }
    socket
}

#[test]
fn the_same_holds_of_udp() {
    if enter() {
        return;
    }
    let servers = [udp(Ipv4Addr::LOCALHOST, None), udp(Ipv6Addr::LOCALHOST, None)];
    let address = |socket: &UdpSocket| socket.local_addr().expect("bound");
    let [v4, v6] = servers.each_ref().map(address);
    let mapped = SocketAddr::from((Ipv4Addr::LOCALHOST.to_ipv6_mapped(), v4.port()));
    let bound = udp(Ipv4Addr::UNSPECIFIED, Some(v4));
    socket2::SockRef::from(&bound).bind_device(Some(b"lo")).expect("the interface");
    socket2::SockRef::from(&bound).set_mark(5).expect("the right to set a mark");
    let clients = [
        udp(Ipv4Addr::UNSPECIFIED, None),
        udp(Ipv4Addr::new(127, 0, 0, 9), Some(v4)),
        udp(Ipv6Addr::UNSPECIFIED, None),
        udp(Ipv6Addr::UNSPECIFIED, Some(v6)),
        udp(Ipv6Addr::UNSPECIFIED, Some(mapped)),
        bound,
    ];
    let ports = servers.iter().chain(&clients).map(|socket| address(socket).port());
    let ports: Vec<_> = ports.chain([0, 1, 65_535]).collect();
    assert_eq!(judged_of(&UDP, &Expression::Always, true).0.len(), servers.len() + clients.len());
    both_select_the_same(&UDP, ports, 2000);
}

#[test]
fn the_same_holds_of_mptcp() {
    if enter() {
        return;
    }
    let listeners = [Ipv4Addr::LOCALHOST, Ipv4Addr::new(127, 0, 0, 9)].map(super::mptcp::listener);
    let mut ends = Vec::new();
    for listener in &listeners {
        ends.push(super::mptcp::client(listener.local_addr().expect("bound")));
        ends.push(listener.accept().expect("a connection").0);
    }
    let ports = ends.iter().map(|end| end.local_addr().expect("bound").port());
    let ports: Vec<_> = ports.chain([0, 1, 65_535]).collect();
    assert!(judged_of(&MPTCP, &Expression::Always, true).0.len() >= ends.len());
    both_select_the_same(&MPTCP, ports, 500);
}

#[test]
fn a_selection_by_port_or_network_leaves_nothing_for_user_space() {
    if enter() {
        return;
    }
    let pairs = super::one_of_each();
    let port = pairs[0].client.local_addr().expect("bound").port();
    let local = Expression::Is(Test::Port(Property::LocalPort, port..=port));
    assert_eq!(split(&local, Judge::Everything).residual, None);
    assert_eq!(judged(&local, true).0.len(), 1);
    let mapped =
        Expression::Is(Test::Network(Property::RemoteAddress, "127.0.0.0/8".parse().expect("a network")));
    assert_eq!(
        judged(&mapped, true).0.len(),
        4,
        "both ends over IPv4 and both ends of the mapped connection"
    );
}

#[test]
fn the_kernel_judges_to_which_interface_a_socket_is_bound() {
    if enter() {
        return;
    }
    let special = Pair::special(Ipv4Addr::LOCALHOST, 5);
    let plain = Pair::at(Ipv4Addr::LOCALHOST);
    let of = |index| judged(&Expression::Is(Test::InterfaceIndex(index)), true).0.len();
    // The first interface of a new namespace is lo. The other end of the bound one is not bound.
    assert_eq!((of(0), of(1), of(2)), (3, 1, 0));
    drop((special, plain));
}
