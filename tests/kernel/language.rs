//! Selections as `ss` reads them and as we do, on the same sockets.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use sockdiag::{Extensions, Request, State, StateSet, TCP};
use ss_exporter::attribute::{ConfiguredNames, Ownership};
use ss_exporter::facts::{Facts, Names};
use ss_exporter::select::parse;

use super::{Pair, ThisNetns, dump_now, enter, one_of_each};

/// The local and the remote ends of sockets.
type Ends = BTreeSet<(SocketAddr, SocketAddr)>;

/// What `ss` shows, or what it complains of.
fn shown_by_ss(selection: &str) -> Result<Ends, String> {
    let mut command = Command::new("ss");
    let output = command.arg("-tanHO").args(selection.split_whitespace()).output().expect("ss of iproute2");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    if !output.status.success() || !output.stderr.is_empty() {
        return Err(text(output.stderr));
    }
    let line = |line: &str| {
        // The column of states is not there if only one state is asked for.
        let mut columns = line.split_whitespace().rev();
        let (remote, local) = (columns.next().expect("an end"), columns.next().expect("an end"));
        (end(local), end(remote))
    };
    Ok(text(output.stdout).lines().map(line).collect())
}

/// An end such as `127.0.0.1%lo:22`, `[::1]:22` or `*:*`.
fn end(text: &str) -> SocketAddr {
    let (address, port) = text.rsplit_once(':').expect("a port");
    let address = address.split('%').next().unwrap_or_default().trim_matches(['[', ']']);
    let address =
        if address == "*" { Ipv6Addr::UNSPECIFIED.into() } else { address.parse().expect("an address") };
    let port = if port == "*" { 0 } else { port.parse().expect("a number") };
    SocketAddr::new(IpAddr::to_canonical(&address), port)
}

/// What we select.
fn selected(selection: &str) -> Ends {
    let selection = parse(selection, &ConfiguredNames::default()).expect("a selection").resolve(&ThisNetns);
    let request = Request::new(&TCP, StateSet::ALL, Extensions::NONE);
    let mut ends = Ends::new();
    dump_now(&request, |socket| {
        if selection.accepts(&Facts::of_dump(socket, Ownership::default(), Names::NONE)) {
            ends.insert((socket.local(), socket.remote()));
        }
    });
    ends
}

/// Sockets of every kind that stays as it is, listeners among them.
fn sockets() -> (Vec<Pair>, Vec<TcpListener>) {
    let mut pairs = one_of_each();
    pairs.push(Pair::at(Ipv4Addr::new(127, 0, 0, 9)));
    pairs.push(Pair::special(Ipv4Addr::LOCALHOST, 5));
    pairs.push(Pair::special(Ipv6Addr::LOCALHOST, 1));
    // One end in CLOSE_WAIT, the other in FIN_WAIT2.
    let half = Pair::at(Ipv4Addr::LOCALHOST);
    half.client.shutdown(Shutdown::Write).expect("an open connection");
    pairs.push(half);
    let places: [IpAddr; 4] = [
        Ipv4Addr::LOCALHOST.into(),
        Ipv4Addr::UNSPECIFIED.into(),
        Ipv6Addr::LOCALHOST.into(),
        Ipv6Addr::UNSPECIFIED.into(),
    ];
    let listeners = places.map(|place| TcpListener::bind((place, 0)).expect("a listener"));
    let until = Instant::now() + Duration::from_secs(5);
    while selected("state fin-wait-2").is_empty() {
        assert!(Instant::now() < until, "no socket in FIN_WAIT2");
        std::thread::yield_now();
    }
    (pairs, listeners.into())
}

fn pick(list: &[&'static str]) -> impl Strategy<Value = String> + Clone + use<> {
    prop::sample::select(list.to_vec()).prop_map(str::to_owned)
}

/// A predicate that `ss` has too.
///
/// Left out are forms by which it cannot be judged:
///
/// - Networks that begin with zero bits: `ss` compares the first bits of addresses of either family with them, so
///   that `not src 0.0.0.0/8` leaves `::1` out; and of a network without any bits it denies everything.
/// - Networks written as mapped, and IPv6 networks that hold mapped addresses: ours are different on purpose.
/// - `inet:` and `inet6:`, which narrow the whole list in `ss`.
/// - `src` and `dst` with `!=`, which are a syntax error, and ports beyond 65535, which it takes.
fn predicate(ports: &[u16]) -> impl Strategy<Value = String> + use<> {
    let port = prop::sample::select(ports.to_vec());
    let sign = pick(&[
        "=", "==", "eq", "!=", "ne", "neq", ">", "gt", "<", "lt", ">=", "ge", "geq", "<=", "le", "leq", "",
    ]);
    let number = (pick(&["", ":"]), port.clone()).prop_map(|(colon, port)| format!("{colon}{port}"));
    let by_port =
        (pick(&["sport", "dport"]), sign, prop_oneof![9 => number, 1 => pick(&["http", ":ssh", "0x50"])]);
    let address = pick(&[
        "127.0.0.1",
        "127.0.0.9",
        "127.0.0.0/8",
        "127.0.0.0/29",
        "127.0.0.8/30",
        "127.0.0.1/31",
        "10.0.0.0/8",
        "[::1]",
        "2001:db8::/32",
        "fe80::/10",
        "[2001:db8::/32]",
        "*",
        "",
    ]);
    let suffix = prop_oneof![
        2 => Just(String::new()),
        2 => port.prop_map(|port| format!(":{port}")),
        1 => pick(&[":*", ":http"]),
    ];
    let place = (address, suffix).prop_map(|(address, port)| match (address.as_str(), port.as_str()) {
        ("", "") => "*".to_owned(),
        _ => format!("{address}{port}"),
    });
    let by_address = (pick(&["src", "dst"]), pick(&["=", "==", "eq", ""]), place);
    let equality = || pick(&["=", "==", "eq", "!=", "ne", "neq", ""]);
    let by_device = (Just("dev".to_owned()), equality(), pick(&["lo", "0", "1"]));
    let by_mark =
        (Just("fwmark".to_owned()), equality(), pick(&["5", "0x1/0x3", "0", "0x4/4", "0x01/0x05", "1/0"]));
    prop_oneof![4 => by_port, 5 => by_address, 1 => by_device, 1 => by_mark]
        .prop_map(|(name, sign, value)| format!("{name} {sign} {value}"))
}

/// Predicates joined in every way, with and without parentheses.
fn joined(ports: &[u16]) -> impl Strategy<Value = String> + use<> {
    predicate(ports).prop_recursive(3, 12, 4, |inner| {
        let negated = (pick(&["not", "!"]), inner.clone(), any::<bool>());
        let link = pick(&["and", "&", "&&", "or", "|", "||", ""]);
        let chain = (inner.clone(), prop::collection::vec((link, inner.clone()), 1..4));
        prop_oneof![
            1 => negated.prop_map(|(not, one, all)| if all { format!("{not} ( {one} )") } else { format!("{not} {one}") }),
            1 => inner.prop_map(|one| format!("( {one} )")),
            3 => chain.prop_map(|(first, rest)| {
                rest.into_iter().fold(first, |text, (link, next)| format!("{text} {link} {next}"))
            }),
        ]
    })
}

/// What `ss` wants in front of everything else.
fn states() -> impl Strategy<Value = String> {
    let name = pick(&[
        "all",
        "connected",
        "synchronized",
        "bucket",
        "big",
        "established",
        "syn-sent",
        "syn-recv",
        "syn-rcv",
        "fin-wait-1",
        "fin-wait-2",
        "time-wait",
        "closed",
        "close",
        "unconnected",
        "close-wait",
        "last-ack",
        "listening",
        "closing",
        "ESTABLISHED",
    ]);
    let filter = (pick(&["state", "state", "exclude", "excl"]), name);
    let filter = filter.prop_map(|(word, name)| format!("{word} {name} "));
    prop::collection::vec(filter, 0..4).prop_map(|filters| filters.concat())
}

#[test]
fn a_selection_means_what_it_means_to_ss() {
    if enter() {
        return;
    }
    let (pairs, listeners) = sockets();
    let ends = pairs.iter().flat_map(|pair| [&pair.client, &pair.server]).map(TcpStream::local_addr);
    let ends = ends.chain(listeners.iter().map(TcpListener::local_addr));
    let ports: Vec<u16> = ends.map(|end| end.expect("bound").port()).chain([0, 1, 80, 65_535]).collect();
    let everything = selected("");
    let known: BTreeSet<_> = [State::Established, State::FinWait2, State::CloseWait, State::Listen]
        .map(|state| selected(&format!("state {}", state.name())).len())
        .into();
    assert!(!known.contains(&0), "a state is missing");
    assert_eq!(shown_by_ss(""), Ok(everything.clone()));

    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1000) };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let telling = std::cell::Cell::new(0);
    let expression = prop_oneof![1 => Just(String::new()), 9 => joined(&ports)];
    runner
        .run(&(states(), expression), |(states, expression)| {
            let text = states.clone() + &expression;
            let ours = selected(&text);
            if parse(&states, &ConfiguredNames::default()).expect("a selection").states().bits() == 0 {
                // It then shows what it shows when no state is named, as if nothing had been asked.
                prop_assert_eq!(ours, Ends::new(), "{}", text);
                return Ok(());
            }
            telling.set(telling.get() + u32::from(!ours.is_empty() && ours != everything));
            prop_assert_eq!(Ok(ours), shown_by_ss(&text), "{}", text);
            Ok(())
        })
        .expect("the same sockets");
    assert!(telling.get() > 300, "only {} selections told sockets apart", telling.get());
}
