//! Texts, the trees they stand for, and what is said of those that stand for none.

use ipnet::IpNet;
use proptest::prelude::*;

use super::*;
use crate::attribute::{Direction, Networks, Paths};
use crate::properties::Property;
use sockdiag::{SCTP, SMC, State, TCP};

fn names() -> ConfiguredNames {
    let network = |text: &str, name: &str| (text.parse().expect("a network"), name.to_owned());
    let named = vec![
        network("192.0.2.0/24", "office"),
        network("2001:db8::/32", "office"),
        network("10.9.0.0/16", "data centre"),
    ];
    let php = vec!["/run/php/*".to_owned(), "@php*".to_owned()];
    let paths = Paths::new(vec![("php".to_owned(), php)]);
    ConfiguredNames { networks: Networks::new(named, None, None), paths }
}

fn tree(text: &str) -> Expression {
    parse(text, &names()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refusal(text: &str) -> String {
    match parse(text, &names()) {
        Err(error) => error.to_string(),
        Ok(tree) => panic!("{text} is {tree:?}"),
    }
}

const A: Expression = Expression::Is(Test::Number(Property::Uid, 1));
const B: Expression = Expression::Is(Test::Number(Property::Uid, 2));
const C: Expression = Expression::Is(Test::Number(Property::Uid, 3));

fn is(test: Test) -> Expression {
    Expression::Is(test)
}

fn all<const N: usize>(list: [Expression; N]) -> Expression {
    Expression::All(list.into())
}

fn either<const N: usize>(list: [Expression; N]) -> Expression {
    Expression::Any(list.into())
}

fn not(inner: Expression) -> Expression {
    Expression::Not(Box::new(inner))
}

fn states(states: &[State]) -> Expression {
    is(Test::State(StateSet::of(states)))
}

fn src(network: &str) -> Expression {
    is(Test::Network(Property::LocalAddress, network.parse().expect("a network")))
}

fn dst(network: &str) -> Expression {
    is(Test::Network(Property::RemoteAddress, network.parse::<IpNet>().expect("a network")))
}

fn sport(port: u16) -> Expression {
    is(Test::Port(Property::LocalPort, port..=port))
}

fn dport(port: u16) -> Expression {
    is(Test::Port(Property::RemotePort, port..=port))
}

fn each(table: impl IntoIterator<Item = (&'static str, Expression)>) {
    for (text, expected) in table {
        assert_eq!(tree(text), expected, "{text}");
    }
}

#[test]
fn conditions_are_joined_from_left_to_right_as_in_ss() {
    each([
        ("", Expression::Always),
        (" \t\n", Expression::Always),
        ("uid 1", A),
        ("uid 1 and uid 2 and uid 3", all([A, B, C])),
        ("uid 1 uid 2 & uid 3", all([A, B, C])),
        ("uid 1 && uid 2", all([A, B])),
        ("uid 1 or uid 2 | uid 3", either([A, B, C])),
        ("uid 1||uid 2", either([A, B])),
        ("uid 1 or uid 2 and uid 3", all([either([A, B]), C])),
        ("uid 1 or uid 2 uid 3", all([either([A, B]), C])),
        ("uid 1 and uid 2 or uid 3", either([all([A, B]), C])),
        ("uid 1 or ( uid 2 and uid 3 )", either([A, all([B, C])])),
        ("uid 1 or (uid 2 and uid 3)", either([A, all([B, C])])),
        ("((uid 1))", A),
        ("not uid 1 or uid 2", either([not(A), B])),
        ("! uid 1 uid 2", all([not(A), B])),
        ("!uid 1", not(A)),
        ("not not uid 1", not(not(A))),
        ("not (uid 1 or uid 2)", not(either([A, B]))),
    ]);
}

#[test]
fn filters_of_states_side_by_side_are_one_and_in_front_hold_for_everything() {
    use State::{Established, Listen, SynSent, TimeWait};
    let established = || states(&[Established]);
    each([
        ("state established", established()),
        ("state = ESTABLISHED", established()),
        ("state established state syn-sent", states(&[Established, SynSent])),
        ("state established state syn_sent exclude established", states(&[SynSent])),
        ("exclude listening", is(Test::State(StateSet::of(&[Listen]).complement()))),
        ("excl listening state listen", is(Test::State(StateSet::ALL))),
        ("exclude all", is(Test::State(StateSet::NONE))),
        ("state established uid 1 or uid 2", all([established(), either([A, B])])),
        ("state established and uid 1 or uid 2", either([all([established(), A]), B])),
        ("state established or uid 1", either([established(), A])),
        ("uid 1 or state time-wait", either([A, states(&[TimeWait])])),
        ("not state time_wait", not(states(&[TimeWait]))),
        ("(state time-wait state listen) uid 1", all([states(&[TimeWait, Listen]), A])),
    ]);
}

#[test]
fn every_state_has_the_names_of_ss_and_of_node_exporter() {
    for (name, set) in [
        ("syn-recv", StateSet::of(&[State::SynRecv])),
        ("syn-rcv", StateSet::of(&[State::SynRecv])),
        ("fin-wait-1", StateSet::of(&[State::FinWait1])),
        ("fin_wait1", StateSet::of(&[State::FinWait1])),
        ("fin-wait-2", StateSet::of(&[State::FinWait2])),
        ("closed", StateSet::of(&[State::Close])),
        ("ESTAB", StateSet::of(&[State::Established])),
        ("UNCONN", StateSet::of(&[State::Close])),
        ("NEW-SYN-RECV", StateSet::of(&[State::SynRecv])),
        ("close", StateSet::of(&[State::Close])),
        ("unconnected", StateSet::of(&[State::Close])),
        ("close-wait", StateSet::of(&[State::CloseWait])),
        ("last-ack", StateSet::of(&[State::LastAck])),
        ("listening", StateSet::of(&[State::Listen])),
        ("closing", StateSet::of(&[State::Closing])),
        ("bucket", StateSet::of(&[State::SynRecv, State::TimeWait])),
        ("big", StateSet::of(&[State::SynRecv, State::TimeWait]).complement()),
        ("all", StateSet::ALL),
        ("COOKIE_WAIT", StateSet::of(&[State::CookieWait])),
        ("ACK_SENT", StateSet::of(&[State::ShutdownAckSent])),
        ("peerclosewait1", StateSet::of(&[State::PeerCloseWait1])),
    ] {
        assert_eq!(tree(&format!("state {name}")), is(Test::State(set)), "{name}");
    }
    let of_tcp = |name| states::states_named(name).expect("a group").intersection(StateSet::OF_TCP);
    let connected = TCP.states.without(StateSet::of(&[State::Close, State::Listen, State::BoundInactive]));
    assert_eq!(of_tcp("connected"), connected);
    assert_eq!(of_tcp("synchronized"), connected.without(StateSet::of(&[State::SynSent])));
    let connected = states::states_named("connected").expect("a group");
    assert!(SCTP.connections.is_within(connected) && SMC.connections.is_within(connected));
    for state in State::ALL {
        assert_eq!(states::states_named(state.name()), Some(StateSet::of(&[state])));
    }
    assert!(states::state_names().all(|name| states::states_named(name).is_some()));
}

#[test]
fn addresses_are_written_as_in_ss() {
    each([
        ("src 10.0.0.0/8", src("10.0.0.0/8")),
        ("src = 10.0.0.0/8", src("10.0.0.0/8")),
        ("src == 10.1.2.3/8", src("10.0.0.0/8")),
        ("dst eq 10.0.0.1", dst("10.0.0.1/32")),
        ("dst 10.0.0.1:443", all([dst("10.0.0.1/32"), dport(443)])),
        ("dst 10.0.0.1:https", all([dst("10.0.0.1/32"), dport(443)])),
        ("dst 10.0.0.1:", dst("10.0.0.1/32")),
        ("dst 10.0.0.1:*", dst("10.0.0.1/32")),
        ("dst 10.0.0.0/8:443", all([dst("10.0.0.0/8"), dport(443)])),
        ("src [::1]", src("::1/128")),
        ("src [::1]:443", all([src("::1/128"), sport(443)])),
        ("src [fe80::/10]:443", all([src("fe80::/10"), sport(443)])),
        ("src fe80::/10", src("fe80::/10")),
        ("src fe80::/10:443", all([src("fe80::/10"), sport(443)])),
        ("src 2001:db8::1", src("2001:db8::1/128")),
        ("src 1:2:3:4:5:6:7:8:443", all([src("1:2:3:4:5:6:7:8/128"), sport(443)])),
        ("dst [::ffff:10.0.0.1]", dst("10.0.0.1/32")),
        ("dst :443", dport(443)),
        ("dst *:443", dport(443)),
        ("src *", Expression::Always),
        ("src any", Expression::Always),
        ("src inet:10.0.0.1", src("10.0.0.1/32")),
        ("src inet:*", src("0.0.0.0/0")),
        ("src inet6:[::1]:22", all([src("::1/128"), sport(22)])),
        ("src inet6:*:22", all([src("::/0"), sport(22)])),
        ("dst != 10.0.0.1", not(dst("10.0.0.1/32"))),
        ("dst!=10.0.0.1:443", not(all([dst("10.0.0.1/32"), dport(443)]))),
        ("dst db.example.org", is(Test::RemoteHost("db.example.org".into()))),
        ("dst \"any\"", is(Test::RemoteHost("any".into()))),
        ("dst db.example.org:5432", all([is(Test::RemoteHost("db.example.org".into())), dport(5432)])),
        ("dst inet6:db", all([dst("::/0"), is(Test::RemoteHost("db".into()))])),
    ]);
}

#[test]
fn ends_without_internet_addresses_are_written_as_in_ss() {
    let path = |pattern: &str| is(Test::Text(Property::Path, pattern.into()));
    let netlink = |name: &str| is(Test::Text(Property::NetlinkProtocol, name.into()));
    let ethertype = |number| is(Test::Bits(Property::Ethertype, number, u32::MAX));
    let number = |property, number| is(Test::Number(property, number));
    each([
        ("src unix:/run/php/*", path("/run/php/*")),
        ("src /run/php/*", path("/run/php/*")),
        ("src unix:@name*", path("@name*")),
        ("src @name*", path("@name*")),
        ("src unix:", path("*")),
        ("src \"unix:/run/a b\"", path("/run/a b")),
        ("src != unix:/run/php/*", not(path("/run/php/*"))),
        ("src netlink:route:*", netlink("route")),
        ("src netlink:route", netlink("route")),
        ("src netlink:16", netlink("16")),
        ("src netlink:*:*", Expression::Always),
        ("src link:*:eth0", is(Test::Text(Property::Interface, "eth0".into()))),
        ("src link:*:2", is(Test::InterfaceIndex(2))),
        ("src link:arp", ethertype(0x806)),
        (
            "src link:0x88cc:eth0",
            all([ethertype(0x88cc), is(Test::Text(Property::Interface, "eth0".into()))]),
        ),
        ("ethertype = ARP", ethertype(0x806)),
        ("src vsock:3:1024", all([number(Property::LocalCid, 3), number(Property::VsockPort, 1024)])),
        ("path_name = php", either([path("/run/php/*"), path("@php*")])),
        ("path_name != php", not(either([path("/run/php/*"), path("@php*")]))),
        ("src vsock:*:1024", number(Property::VsockPort, 1024)),
        ("dst vsock:2", number(Property::Cid, 2)),
        ("dst vsock:2:22", all([number(Property::Cid, 2), number(Property::RemoteVsockPort, 22)])),
    ]);
}

#[test]
fn ports_are_compared_as_in_ss() {
    let local = |range| is(Test::Port(Property::LocalPort, range));
    each([
        ("sport = 443", sport(443)),
        ("sport = :443", sport(443)),
        ("sport :443", sport(443)),
        ("sport=:https", sport(443)),
        ("dport https", dport(443)),
        ("dport 0x1bb", dport(443)),
        ("dport ne 443", not(dport(443))),
        ("dport neq :443", not(dport(443))),
        ("dport != 443", not(dport(443))),
        ("sport >= 443", local(443..=65_535)),
        ("sport ge 443", local(443..=65_535)),
        ("sport geq 443", local(443..=65_535)),
        ("sport <= :443", local(0..=443)),
        ("sport le 443", local(0..=443)),
        ("sport leq 443", local(0..=443)),
        ("sport > 443", not(local(0..=443))),
        ("sport gt 443", not(local(0..=443))),
        ("sport < 443", not(local(443..=65_535))),
        ("sport lt 443", not(local(443..=65_535))),
        ("sport *", Expression::Always),
        ("sport != *", Expression::Never),
    ]);
}

#[test]
fn every_other_predicate_has_a_value() {
    each([
        ("dev lo", is(Test::Text(Property::Interface, "lo".into()))),
        ("dev != lo", not(is(Test::Text(Property::Interface, "lo".into())))),
        ("dev = 0", is(Test::InterfaceIndex(0))),
        ("dev \"0\"", is(Test::Text(Property::Interface, "0".into()))),
        ("fwmark = 0x01/0x03", is(Test::Bits(Property::Mark, 1, 3))),
        ("fwmark 5", is(Test::Bits(Property::Mark, 5, u32::MAX))),
        ("cgroup = /a.slice", is(Test::Text(Property::Cgroup, "/a.slice".into()))),
        ("cgroup /sys/fs/cgroup/unified/a.slice", is(Test::Text(Property::Cgroup, "/a.slice".into()))),
        ("cgroup /sys/fs/cgroup", is(Test::Text(Property::Cgroup, "/".into()))),
        ("cgroup != 42", not(is(Test::CgroupId(42)))),
        ("direction = inbound", is(Test::Direction(Direction::Inbound))),
        ("direction outbound", is(Test::Direction(Direction::Outbound))),
        ("congestion = bbr", is(Test::Text(Property::Congestion, "bbr".into()))),
        ("network = \"data centre\"", dst("10.9.0.0/16")),
        ("network office", either([dst("2001:db8::/32"), dst("192.0.2.0/24")])),
        ("network != office", not(either([dst("2001:db8::/32"), dst("192.0.2.0/24")]))),
        ("process = nginx", is(Test::Text(Property::Process, "nginx".into()))),
        ("process != \"a \\\"b\\\" \\\\ c\"", not(is(Test::Text(Property::Process, "a \"b\" \\ c".into())))),
        ("pid = 1", is(Test::Number(Property::Pid, 1))),
        ("pid ne 4294967295", not(is(Test::Number(Property::Pid, u32::MAX)))),
        ("uid == 0", is(Test::Number(Property::Uid, 0))),
    ]);
}

#[test]
fn every_example_of_the_documentation_is_a_selection() {
    let text = include_str!("../../../docs/reference/selection.md");
    let (joined, rest) =
        text.split_once("```ss\n").and_then(|(_, rest)| rest.split_once("```")).expect("a block");
    let table = rest.lines().filter(|line| line.starts_with("| `")).filter_map(|line| line.split('|').nth(2));
    let examples: Vec<_> =
        joined.lines().chain(table.flat_map(|cell| cell.split('`').skip(1).step_by(2))).collect();
    assert!(examples.len() > 25, "{examples:?}");
    for example in examples {
        tree(example);
    }
    let same = |one: &str, other: &str| assert_eq!(tree(one), tree(other), "{one}");
    same("uid 1 or uid 2 and uid 3", "( uid 1 or uid 2 ) and uid 3");
    same("state established dport 80 or dport 443", "state established and ( dport 80 or dport 443 )");
}

#[test]
fn what_would_exhaust_the_stack_or_the_memory_is_refused() {
    for (text, message) in [
        (
            "(".repeat(65_000),
            "column 129: found more than 128 parentheses and not inside each other; expected: fewer",
        ),
        (
            "not ".repeat(16_000),
            "column 513: found more than 128 parentheses and not inside each other; expected: fewer",
        ),
        ("(".repeat(100_000), "column 1: found 100000 bytes; expected: at most 65536"),
        (
            format!("uid 1{}", " or uid 2 and uid 3".repeat(3000)),
            "column 596: found more than 64 levels; expected: fewer changes between and, or, not",
        ),
        (
            format!("{}uid 1", "not ".repeat(65)),
            "column 9: found more than 64 levels; expected: fewer changes between and, or, not",
        ),
    ] {
        assert_eq!(refusal(&text), message);
    }
    assert!(parse("dst 10.0.0.1 or ".repeat(4000).trim_end_matches(" or "), &names()).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn no_text_makes_the_parser_panic(text in ".*") {
        let error = parse(&text, &names()).err();
        let is_one_line = |error: &SelectionError| !error.to_string().contains('\n');
        prop_assert!(error.is_none_or(|error| error.at <= text.len() && is_one_line(&error)));
    }

    #[test]
    fn no_heap_of_words_makes_the_parser_panic(
        words in prop::collection::vec(
            prop::sample::select(vec![
                "(", ")", "not", "and", "or", "=", "!=", ">", "\"", "state", "exclude", "src", "dst", "sport", "dev",
                "fwmark", "cgroup", "network", "process", "in", "port", "host", "80-90", ",", "pid", "uid", ":443", "[::1]:", "[", "]", "10.0.0.0/8",
                "::1:2", "*", "inet:", "inet6:*", "/", ":", "é", "\\", "office", "established", "0", "lo",
            ]),
            0..12,
        ),
        blank in prop::sample::select(vec![" ", ""]),
    ) {
        let text = words.join(blank);
        let error = parse(&text, &names()).err();
        prop_assert!(error.is_none_or(|error| error.at <= text.len()));
    }
}

mod ends_and_lists;
mod errors;
