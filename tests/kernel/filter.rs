//! Selections judged by the kernel and by us, on the same sockets.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;

use ipnet::IpNet;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use sockdiag::bytecode::compile;
use sockdiag::{Extensions, Request, Socket, State, StateSet, TCP};
use ss_exporter::attribute::{Direction, Ownership};
use ss_exporter::facts::{Facts, Names};
use ss_exporter::properties::Property;
use ss_exporter::select::{Expression, Judge, Test, canonical, split};

use super::{Pair, dump_now, enter};

/// Cookies of the sockets that pass the kernel's filter, and of those that pass ours.
fn judged(selection: &Expression, in_kernel: bool) -> (BTreeSet<u64>, BTreeSet<u64>) {
    let halves = split(selection, Judge::Everything);
    let filter = in_kernel.then(|| compile(&halves.filter).expect("short"));
    let request = Request { filter, ..Request::new(&TCP, StateSet::ALL, Extensions::CONG) };
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
    let states = prop::collection::vec(prop::sample::select(State::ALL.to_vec()), 0..4);
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
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) };
    TestRunner::new(config)
        .run(&selection(ports), |selection| {
            let (_, meant) = judged(&selection, false);
            let (passed, selected) = judged(&selection, true);
            prop_assert!(passed.is_superset(&meant), "the kernel's filter rejects a wanted socket");
            prop_assert_eq!(selected, meant);
            Ok(())
        })
        .expect("the law");
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
