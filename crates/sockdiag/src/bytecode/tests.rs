//! The compiler against an interpreter written after `inet_diag_bc_run` and its audit.

use proptest::prelude::*;

use super::super::{Extensions, Request, StateSet, TCP, UDP};
use super::*;

/// What a program can see of a socket.
#[derive(Clone, Copy, Debug)]
struct Entry {
    local: (IpAddr, u16),
    remote: (IpAddr, u16),
    interface: u32,
    cgroup: u64,
}

/// Runs a program as the kernel does; `None` if the kernel's audit would refuse it.
fn run(program: &Bytecode, entry: Entry) -> Option<bool> {
    let code = program.as_bytes();
    let end = i64::try_from(code.len()).ok()?;
    let boundaries = audit(code)?;
    let mut at = 0_i64;
    while at < end {
        if !boundaries.contains(&at) {
            return None;
        }
        let op = &code[usize::try_from(at).ok()?..];
        let no = i64::from(u16::from_ne_bytes([op[2], op[3]]));
        let port = || u16::from_ne_bytes([op[6], op[7]]);
        let passes = match op[0] {
            NOP => true,
            JMP => false,
            S_GE => entry.local.1 >= port(),
            S_LE => entry.local.1 <= port(),
            D_GE => entry.remote.1 >= port(),
            D_LE => entry.remote.1 <= port(),
            S_COND => condition(&op[4..], entry.local.0),
            D_COND => condition(&op[4..], entry.remote.0),
            DEV_COND => op[4..8] == entry.interface.to_ne_bytes(),
            CGROUP_COND => op[4..12] == entry.cgroup.to_ne_bytes(),
            _ => return None,
        };
        at += if passes { i64::from(op[1]) } else { no };
    }
    Some(at == end)
}

/// Where operations begin, if every length and jump is one the kernel allows.
fn audit(code: &[u8]) -> Option<Vec<i64>> {
    let mut boundaries = Vec::new();
    let mut at = 0;
    while at < code.len() {
        boundaries.push(i64::try_from(at).ok()?);
        let op = &code[at..];
        let (yes, no) = (usize::from(op[1]), usize::from(u16::from_ne_bytes([op[2], op[3]])));
        let left = code.len() - at;
        let fits =
            |offset: usize, least: usize| offset >= least && offset <= left + 4 && offset.is_multiple_of(4);
        let least = match op[0] {
            S_GE..=D_LE | DEV_COND => 8,
            CGROUP_COND => 12,
            S_COND | D_COND => 12 + if op[4] == 2 { 4 } else { 16 },
            _ => 4,
        };
        if !fits(yes, least) || (op[0] != NOP && !fits(no, if op[0] == JMP { 4 } else { least })) {
            return None;
        }
        at += yes;
    }
    (at == code.len()).then_some(boundaries)
}

fn condition(condition: &[u8], address: IpAddr) -> bool {
    let (family, prefix) = (condition[0], usize::from(condition[1]));
    let bits = |bytes: &[u8], other: &[u8]| {
        (0..prefix).all(|bit| (bytes[bit / 8] ^ other[bit / 8]) & (0x80 >> (bit % 8)) == 0)
    };
    match (family, address) {
        (2, IpAddr::V4(v4)) => bits(&v4.octets(), &condition[8..12]),
        (2, IpAddr::V6(v6)) => v6.to_ipv4_mapped().is_some_and(|v4| bits(&v4.octets(), &condition[8..12])),
        (10, IpAddr::V6(v6)) => bits(&v6.octets(), &condition[8..24]),
        _ => false,
    }
}

/// What a filter means.
fn judge(filter: &Filter, entry: Entry) -> bool {
    let inside = |network: IpAddr, prefix: u8, address: IpAddr| {
        let octets = |address: IpAddr| match address {
            IpAddr::V4(v4) => v4.octets().to_vec(),
            IpAddr::V6(v6) => v6.octets().to_vec(),
        };
        let family = if network.is_ipv4() { 2 } else { 10 };
        condition(&[vec![family, prefix, 0, 0, 0, 0, 0, 0], octets(network)].concat(), address)
    };
    match filter {
        Filter::Always => true,
        Filter::Never => false,
        Filter::All(all) => all.iter().all(|one| judge(one, entry)),
        Filter::Any(any) => any.iter().any(|one| judge(one, entry)),
        Filter::Not(inner) => !judge(inner, entry),
        Filter::LocalPort(range) => range.contains(&entry.local.1),
        Filter::RemotePort(range) => range.contains(&entry.remote.1),
        Filter::LocalAddress(network, prefix) => inside(*network, *prefix, entry.local.0),
        Filter::RemoteAddress(network, prefix) => inside(*network, *prefix, entry.remote.0),
        Filter::Interface(index) => *index == entry.interface,
        Filter::Cgroup(id) => *id == entry.cgroup,
    }
}

/// Addresses close enough to each other for networks to hold some and not others.
fn address() -> impl Strategy<Value = IpAddr> {
    let last = 0_u8..4;
    prop_oneof![
        last.clone().prop_map(|d| IpAddr::from([10, 0, 0, d])),
        last.clone().prop_map(|d| IpAddr::from([0, 0, 0, 0, 0, 0xffff, 0x0a00, u16::from(d)])),
        last.prop_map(|d| IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, u16::from(d)])),
    ]
}

fn port() -> impl Strategy<Value = u16> {
    prop_oneof![0_u16..10, 32_760_u16..32_775]
}

fn filter() -> impl Strategy<Value = Filter> {
    // Those of clients are compared the other way round.
    let range =
        || (prop_oneof![0_u16..5, 32_760_u16..32_770], 0_u16..5).prop_map(|(low, more)| low..=low + more);
    let network = || {
        (address(), 0_u8..=128).prop_map(|(a, prefix)| (a, prefix.min(if a.is_ipv4() { 32 } else { 128 })))
    };
    let leaf = prop_oneof![
        Just(Filter::Always),
        Just(Filter::Never),
        range().prop_map(Filter::LocalPort),
        range().prop_map(Filter::RemotePort),
        network().prop_map(|(a, p)| Filter::LocalAddress(a, p)),
        network().prop_map(|(a, p)| Filter::RemoteAddress(a, p)),
        (0_u32..3).prop_map(Filter::Interface),
        (0_u64..3).prop_map(Filter::Cgroup),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Filter::All),
            prop::collection::vec(inner.clone(), 0..4).prop_map(Filter::Any),
            inner.prop_map(|filter| Filter::Not(Box::new(filter))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn a_program_passes_the_audit_and_means_its_filter(
        filter in filter(), local in (address(), port()), remote in (address(), port()),
        interface in 0_u32..3, cgroup in 0_u64..3
    ) {
        let entry = Entry { local, remote, interface, cgroup };
        let program = compile(&filter).expect("short");
        prop_assert_eq!(run(&program, entry), Some(judge(&filter, entry)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]
    #[test]
    fn what_passes_a_request_passes_exactly_one_of_its_halves(
        filter in prop::option::of(filter()), at in (port(), port()),
        local in (address(), port()), remote in (address(), port())
    ) {
        let entry = Entry { local, remote, interface: 1, cgroup: 1 };
        let passes = filter.as_ref().is_none_or(|filter| judge(filter, entry));
        let program = filter.map(|filter| compile(&filter).expect("short"));
        let whole = Request { filter: program, ..Request::new(&TCP, StateSet::ALL, Extensions::INFO) };
        let halves = whole.halves(at).expect("short");
        let run = |half: &Request| run(half.filter.as_ref().expect("a program"), entry);
        let is_lower = (local.1, remote.1) < at;
        prop_assert_eq!(halves.each_ref().map(run), [Some(passes && is_lower), Some(passes && !is_lower)]);
        let [lower, upper] = halves.map(|half| Request { filter: whole.filter.clone(), ..half });
        prop_assert!(lower == whole && upper == whole);
    }
}

#[test]
fn a_request_has_no_halves_if_ports_change_or_the_program_is_too_long() {
    let request =
        |protocol, filter| Request { filter, ..Request::new(protocol, StateSet::ALL, Extensions::NONE) };
    assert_eq!(request(&UDP, None).halves((1, 1)), None);
    // As long as a program may be.
    let longest = Bytecode(program(&Filter::Always).expect("short").repeat(MAX_BYTES / OP));
    assert_eq!(request(&TCP, Some(longest)).halves((1, 1)), None);
}

#[test]
fn a_port_is_two_comparisons_written_out() {
    let program = compile(&Filter::RemotePort(443..=443)).expect("short");
    let port = 443_u16.to_ne_bytes();
    let expected = [
        [D_LE, 8, 20, 0, 0, 0, port[0], port[1]], // reject is past the end of both
        [D_GE, 8, 12, 0, 0, 0, port[0], port[1]],
    ];
    assert_eq!(program.as_bytes(), expected.concat());
}

#[test]
fn a_filter_beyond_the_kernels_limit_is_refused() {
    let ports = |count: u16| Filter::Any((0..count).map(|port| Filter::LocalPort(port..=port)).collect());
    let program = compile(&ports(3000)).expect("fits");
    let here = [127, 0, 0, 1].into();
    let entry = |port| Entry { local: (here, port), remote: (here, 1), interface: 0, cgroup: 0 };
    assert_eq!(run(&program, entry(2999)), Some(true));
    assert_eq!(run(&program, entry(3000)), Some(false));
    assert_eq!(compile(&ports(4000)), Err(TooLong));
}
