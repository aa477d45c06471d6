//! Laws of expressions, on random ones and random sockets.

use std::net::IpAddr;

use proptest::prelude::*;

use super::*;
use crate::attribute::{Cgroup, ConfiguredNames, Direction, Netns, Owner, Ownership, Process};
use crate::facts::Names;
use sockdiag::bytecode::Filter;
use sockdiag::{MPTCP, Protocol, Socket, State, StateSet, TCP, UDP, UDPLITE};

/// A reply of the kernel about a socket.
#[derive(Clone, Debug)]
struct Reply {
    state: State,
    ports: [u16; 2],
    addresses: [Ipv6Addr; 2],
    interface: u32,
    uid: u32,
    mark: u32,
    cgroup: u64,
    congestion: &'static str,
}

impl Reply {
    fn bytes(&self) -> Vec<u8> {
        let [local, remote] = [0, 1].map(|end| (self.addresses[end], self.ports[end]).into());
        testkit::reply::Reply::new(self.state, local, remote)
            .interface(self.interface)
            .uid(self.uid)
            .attribute(4, self.congestion.as_bytes())
            .attribute(15, &self.mark.to_ne_bytes())
            .attribute(21, &self.cgroup.to_ne_bytes())
            .into_bytes()
    }
}

fn pick<T: Clone + std::fmt::Debug + 'static>(list: impl Into<Vec<T>>) -> impl Strategy<Value = T> + Clone {
    prop::sample::select(list.into())
}

fn address() -> impl Strategy<Value = Ipv6Addr> + Clone {
    pick([
        "::1",
        "::",
        "2001:db8::1",
        "2001:db8::2",
        "::ffff:10.0.0.1",
        "::ffff:10.0.0.2",
        "::ffff:192.0.2.1",
    ])
    .prop_map(|text| text.parse().expect("an address"))
}

fn reply() -> impl Strategy<Value = Reply> {
    let ends = (prop::array::uniform2(0_u16..5), prop::array::uniform2(address()));
    let rest = (0_u32..3, 0_u32..3, 0_u32..4, 0_u64..3, pick(["bbr", "cubic"]));
    // What the kernel reports of a socket that is only bound is another state.
    let reported = StateSet::OF_TCP.intersection(StateSet::ALL);
    let reported: Vec<_> = State::ALL.into_iter().filter(|state| reported.contains(*state)).collect();
    (pick(reported), ends, rest).prop_map(|(state, (ports, addresses), rest)| {
        let (interface, uid, mark, cgroup, congestion) = rest;
        Reply { state, ports, addresses, interface, uid, mark, cgroup, congestion }
    })
}

fn states() -> impl Strategy<Value = StateSet> {
    prop::collection::vec(pick(State::ALL), 0..12).prop_map(|states| StateSet::of(&states))
}

/// Names that are words of the language, hold signs or look like numbers.
fn name() -> impl Strategy<Value = String> {
    pick(["bbr", "cubic", "or", "a b", "a\"b\\", "7", "/x", "(", "é!"]).prop_map(str::to_owned)
}

/// Paths of cgroups that the tests of them tell apart, and names of namespaces.
fn path() -> impl Strategy<Value = String> {
    pick(["/", "/system.slice", "/system.slice/nginx.service", "/b.slice/a.scope", "7", "é!"])
        .prop_map(str::to_owned)
}

fn test() -> impl Strategy<Value = Test> {
    let range = || (0_u16..5, 0_u16..5).prop_map(|(one, other)| one.min(other)..=one.max(other));
    let network = || {
        (address(), 0_u8..=128)
            .prop_map(|(address, prefix)| canonical(IpNet::new(address.into(), prefix).expect("a prefix")))
    };
    prop_oneof![
        range().prop_map(|value| Test::Port(Property::LocalPort, value)),
        range().prop_map(|value| Test::Port(Property::RemotePort, value)),
        Just(Test::Port(Property::LocalPort, 3..=u16::MAX)),
        network().prop_map(|value| Test::Network(Property::LocalAddress, value)),
        network().prop_map(|value| Test::Network(Property::RemoteAddress, value)),
        pick(["db.example.org", "any"]).prop_map(|name| Test::RemoteHost(name.to_owned())),
        (1_u32..3).prop_map(|value| Test::Number(Property::Pid, value)),
        name().prop_map(|value| Test::Text(Property::Process, value)),
        name().prop_map(|value| Test::Text(Property::Executable, value)),
        name().prop_map(|value| Test::Text(Property::User, value)),
        path().prop_map(Test::CgroupTree),
        pick(["nginx.service", "a.scope"]).prop_map(|name| Test::Text(Property::Unit, name.to_owned())),
        pick(["system.slice", "b.slice"]).prop_map(|name| Test::Text(Property::Slice, name.to_owned())),
        pick(["0123456789ab", "fedcba9876543210"])
            .prop_map(|id| Test::Text(Property::ContainerId, id.to_owned())),
        pick(["0123456789abcdef0123456789abcdef", "01234567-89ab-cdef-0123-456789abcdef"])
            .prop_map(|uid| Test::Text(Property::PodUid, uid.to_owned())),
        path().prop_map(|value| Test::Text(Property::Netns, value)),
        states().prop_map(Test::State),
        pick([Direction::Inbound, Direction::Outbound]).prop_map(Test::Direction),
        name().prop_map(|value| Test::Text(Property::Congestion, value)),
        (0_u32..3).prop_map(|value| Test::Number(Property::Uid, value)),
        name().prop_map(|value| Test::Text(Property::Interface, value)),
        (0_u32..3).prop_map(Test::InterfaceIndex),
        (0_u32..4, 0_u32..4).prop_map(|(value, mask)| Test::Bits(Property::Mark, value, mask)),
        name().prop_map(|value| Test::Text(Property::Cgroup, value)),
        (0_u64..3).prop_map(Test::CgroupId),
    ]
}

fn expression() -> impl Strategy<Value = Expression> {
    let leaf = prop_oneof![
        1 => Just(Expression::Always),
        1 => Just(Expression::Never),
        3 => states().prop_map(|states| Expression::Is(Test::State(states))),
        15 => test().prop_map(Expression::Is),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Expression::All),
            prop::collection::vec(inner.clone(), 0..4).prop_map(Expression::Any),
            inner.prop_map(|one| Expression::Not(Box::new(one))),
        ]
    })
}

/// Whether the filter lets a socket through, judged by the tests that it is made of.
fn lets_through(filter: &Filter, socket: &Socket<'_>) -> bool {
    let within =
        |address: IpAddr, prefix, of: IpAddr| IpNet::new(address, prefix).expect("a prefix").contains(&of);
    match filter {
        Filter::Always => true,
        Filter::Never => false,
        Filter::All(all) => all.iter().all(|one| lets_through(one, socket)),
        Filter::Any(any) => any.iter().any(|one| lets_through(one, socket)),
        Filter::Not(inner) => !lets_through(inner, socket),
        Filter::LocalPort(range) => range.contains(&socket.local().port()),
        Filter::RemotePort(range) => range.contains(&socket.remote().port()),
        Filter::LocalAddress(address, prefix) => within(*address, *prefix, socket.local().ip()),
        Filter::RemoteAddress(address, prefix) => within(*address, *prefix, socket.remote().ip()),
        Filter::Interface(index) => socket.interface().unwrap_or(0) == *index,
        Filter::Cgroup(id) => socket.cgroup() == Some(*id),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn an_expression_read_back_from_its_text_accepts_the_same_sockets(
        expression in expression(), reply in reply(), inbound in any::<bool>(), pid in 1_u32..3, comm in name(), path in path()
    ) {
        let text = expression.to_string();
        let again = parse(&text, &ConfiguredNames::default());
        prop_assert!(again.is_ok(), "{}: {:?}", text, again);
        let again = again.expect("checked");
        let bytes = reply.bytes();
        let socket = TCP.parse(&bytes).expect("a socket");
        let direction = if inbound { Direction::Inbound } else { Direction::Outbound };
        let owner = std::sync::Arc::new(Owner::of(vec![Process::new(pid, comm, "bbr".to_owned())]));
        let (cgroup, netns) = (Cgroup::of_path(&path), Netns { name: path.clone(), ..Netns::default() });
        let of = Ownership { owner: Some(&owner), cgroup: Some(&cgroup), netns: Some(&netns), ..Ownership::default() };
        let facts = Facts { direction: Some(direction), ..Facts::of_dump(&socket, of, Names::NONE) };
        prop_assert_eq!(again.accepts(&facts), expression.accepts(&facts), "{}", text);
        // Names that stand for nothing here are compared as names.
        let named = |tree: &Expression| {
            let mut names: Vec<_> = tree.tests().filter(|test| {
                matches!(test, Test::RemoteHost(_) | Test::Text(Property::Interface | Property::User, _))
            }).cloned().collect();
            names.sort_by_key(|test| format!("{test:?}"));
            names
        };
        prop_assert_eq!(named(&again), named(&expression), "{}", text);
    }

    #[test]
    fn no_socket_is_accepted_outside_the_states_of_the_expression(
        expression in expression(), reply in reply()
    ) {
        let bytes = reply.bytes();
        let socket = TCP.parse(&bytes).expect("a socket");
        if expression.accepts(&Facts::of_dump(&socket, Ownership::default(), Names::NONE)) {
            prop_assert!(expression.states().contains(reply.state), "{}", expression);
        }
    }

    #[test]
    fn the_kernels_filter_lets_through_what_is_selected_and_the_rest_is_tested(
        expression in expression(), reply in reply(),
        protocol in pick([&TCP, &UDP, &UDPLITE, &MPTCP] as [&'static Protocol; 4]), cgroups in any::<bool>()
    ) {
        let judge = if cgroups { Judge::Everything } else { Judge::EverythingButCgroups };
        let Split { filter, residual } = split(&expression, judge);
        let bytes = reply.bytes();
        let socket = protocol.parse(&bytes).expect("a socket");
        let facts = Facts::of_dump(&socket, Ownership::default(), Names::NONE);
        let passes = lets_through(&filter, &socket);
        let kept = passes && residual.is_none_or(|residual| residual.accepts(&facts));
        prop_assert_eq!(kept, expression.accepts(&facts), "{}", expression);
    }

    #[test]
    fn what_changes_never_decides_whether_the_kernel_lets_a_socket_through(
        expression in expression(), reply in reply(), later in reply()
    ) {
        let filter = split(&expression, Judge::WhatNeverChanges).filter;
        let Reply { ports, addresses, uid, cgroup, .. } = reply;
        let later = Reply { ports, addresses, uid, cgroup, ..later };
        let (now, later) = (reply.bytes(), later.bytes());
        let (now, later) = (TCP.parse(&now).expect("a socket"), TCP.parse(&later).expect("a socket"));
        prop_assert_eq!(lets_through(&filter, &now), lets_through(&filter, &later));
        for socket in [now, later] {
            // Whatever the names may come to stand for.
            for changing in [&expression, &expression.at_any_time()] {
                if changing.accepts(&Facts::of_dump(&socket, Ownership::default(), Names::NONE)) {
                    prop_assert!(lets_through(&filter, &socket), "{}", expression);
                }
            }
        }
    }
}

#[test]
fn only_states_alone_are_turned_into_their_opposite() {
    let of = |text: &str| parse(text, &ConfiguredNames::default()).expect("a selection").states();
    let listen = StateSet::of(&[State::Listen]);
    for (text, states) in [
        ("dport 443", StateSet::ANY),
        ("not state listen", StateSet::ANY.without(listen)),
        (
            "not (state listen or state close)",
            StateSet::ANY.without(StateSet::of(&[State::Listen, State::Close])),
        ),
        ("not (state listen and dport 443)", StateSet::ANY),
        ("state listen and dport 443", listen),
        ("state listen or dport 443", StateSet::ANY),
        ("dport 443 and not not state listen", listen),
        ("exclude all", StateSet::NONE),
    ] {
        assert_eq!(of(text), states, "{text}");
    }
    let named = |text: &str| parse(text, &ConfiguredNames::default()).expect("a selection").named_states();
    assert_eq!(named("not (pid 1 or state listen)"), Some(StateSet::ALL));
    assert_eq!(named("dport 443"), None);
    let bound = StateSet::of(&[State::BoundInactive]);
    for (text, states) in [
        ("state bound-inactive and sport = 80", bound),
        ("state listen state bound_inactive", listen.union(bound)),
        ("state all state bound-inactive", StateSet::ANY),
        ("exclude bound-inactive", StateSet::ALL),
        ("state listen or sport = 80", StateSet::ALL),
        ("not state listen", listen.complement()),
    ] {
        assert_eq!(named(text), Some(states), "{text}");
    }
}

#[test]
fn an_unresolved_name_is_let_through_by_the_kernel_and_its_opposite_too() {
    for name in ["dst db.example.org", "dev lo", "cgroup /a", "fwmark 1", "state listen"] {
        for text in [name.to_owned(), format!("not {name}"), format!("{name} or dport 443")] {
            let expression = parse(&text, &ConfiguredNames::default()).expect("a selection");
            let halves = split(&expression, Judge::WhatNeverChanges);
            assert_eq!(halves.filter, Filter::Always, "{text}");
            assert_eq!(halves.residual, Some(expression), "{text}");
        }
    }
    let both = parse("dst db.example.org and dport 443", &ConfiguredNames::default()).expect("a selection");
    assert_eq!(split(&both, Judge::WhatNeverChanges).filter, Filter::RemotePort(443..=443));
}

#[test]
fn an_interface_is_the_kernels_to_judge_only_in_what_may_change() {
    let bound = Expression::Is(Test::InterfaceIndex(7));
    let now = split(&bound, Judge::Everything);
    assert_eq!((now.filter, now.residual), (Filter::Interface(7), None));
    let ever = split(&bound, Judge::WhatNeverChanges);
    assert_eq!((ever.filter, ever.residual), (Filter::Always, Some(bound)));
}
