//! Either end of a socket, and several values behind `in`.

use super::*;

#[test]
fn either_end_is_compared_by_port_host_and_net() {
    let port = |range: std::ops::RangeInclusive<u16>| {
        either([Property::LocalPort, Property::RemotePort].map(|end| is(Test::Port(end, range.clone()))))
    };
    each([
        ("port 80", either([sport(80), dport(80)])),
        ("port = https", either([sport(443), dport(443)])),
        ("port != 80", not(either([sport(80), dport(80)]))),
        ("port >= 1024", port(1024..=u16::MAX)),
        ("port in 8000-8999", port(8000..=8999)),
        ("host 10.0.0.1", either([src("10.0.0.1/32"), dst("10.0.0.1/32")])),
        ("host != [::1]", not(either([src("::1/128"), dst("::1/128")]))),
        ("net 10.0.0.0/8", either([src("10.0.0.0/8"), dst("10.0.0.0/8")])),
        ("host 10.0.0.1 port 80", all([tree("host 10.0.0.1"), tree("port 80")])),
    ]);
    assert_eq!(tree("host db.example.org").hosts().next(), Some("db.example.org"));
}

#[test]
fn several_values_stand_behind_in() {
    let process = |name: &str| is(Test::Text(Property::Process, name.into()));
    let local = |range| is(Test::Port(Property::LocalPort, range));
    let numbers = either([dport(80), dport(443), is(Test::Port(Property::RemotePort, 8000..=8999))]);
    for text in
        ["dport in (80, 443, 8000-8999)", "dport in ( 80 443,8000-8999 )", "dport in 80,443,8000-8999"]
    {
        assert_eq!(tree(text), numbers, "{text}");
    }
    each([
        ("sport in 8000-8999", local(8000..=8999)),
        ("sport = 8000-8999", local(8000..=8999)),
        ("sport != :8000-8999", not(local(8000..=8999))),
        ("sport in (ftp-data, 443)", either([sport(20), sport(443)])),
        (
            "dst 10.0.0.1:8000-8999",
            all([dst("10.0.0.1/32"), is(Test::Port(Property::RemotePort, 8000..=8999))]),
        ),
        ("not dport in (80, 443)", not(either([dport(80), dport(443)]))),
        ("dst in (10.0.0.0/8, [::1]:22)", either([dst("10.0.0.0/8"), all([dst("::1/128"), dport(22)])])),
        ("process in (nginx, php*)", either([process("nginx"), process("php*")])),
        ("process in (\"a, b\", c)", either([process("a, b"), process("c")])),
        ("process = in", process("in")),
        ("uid in (1, 2) uid 3", all([either([A, B]), C])),
        ("state in (estab, syn-sent)", states(&[State::Established, State::SynSent])),
        (
            "exclude in (listen, close)",
            is(Test::State(StateSet::of(&[State::Listen, State::Close]).complement())),
        ),
        ("path in (/run/a, @b*)", either([tree("path = /run/a"), tree("path = @b*")])),
    ]);
}
