//! Timers, options, classes and upper layer protocols of TCP sockets, against what the test made.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

use rustix::net::{AddressFamily, SocketType, bind, connect, ipproto, listen, socket};
use socket2::SockRef;

use super::{Pair, enter, expose, samples};

/// The only row of a family that has the label, which may be a part of its block.
fn value(text: &str, family: &str, label: &str) -> Option<f64> {
    let rows = samples(text, family).into_iter();
    let of: Vec<_> = rows.filter(|(labels, _)| labels.contains(label)).map(|(_, value)| value).collect();
    assert!(of.len() < 2, "{family} of {label}: {text}");
    of.first().copied()
}

#[test]
fn a_timer_is_shown_while_it_runs() {
    if enter() {
        return;
    }
    let pair = Pair::at(Ipv4Addr::LOCALHOST);
    SockRef::from(&pair.client).set_keepalive(true).expect("an option of every socket");
    let text = expose(
        "views:
  t:
    by: [timer]
    metrics: [sockets, keepalive_timer_sockets, timer_remaining_seconds]
    aggregate: {timer_remaining_seconds: max}
",
    );
    let of = |metric: &str, timer: &str| {
        value(&text, &format!("ss_t_{metric}"), &format!("timer=\"{timer}\"")).map(f64::round)
    };
    assert_eq!((of("sockets", "keepalive"), of("sockets", "off")), (Some(1.0), Some(1.0)), "{text}");
    assert_eq!(of("keepalive_timer_sockets", "keepalive"), Some(1.0), "{text}");
    let left = of("timer_remaining_seconds", "keepalive").expect("a timer that runs");
    assert!((7_000.0..=7_200.0).contains(&left), "two hours by default: {left}");
    assert_eq!(of("timer_remaining_seconds", "off"), None, "{text}");
}

#[test]
fn options_and_priorities_are_those_that_the_process_has_set() {
    if enter() {
        return;
    }
    let pair = Pair::at(Ipv4Addr::LOCALHOST);
    let (client, server) = (SockRef::from(&pair.client), SockRef::from(&pair.server));
    client.set_freebind_v4(true).expect("an option of every socket");
    client.set_tos_v4(0x10).expect("an option of every socket");
    server.set_ip_transparent_v4(true).expect("the right to the namespace");
    let text =
        expose("views: {t: {by: [class_id], metrics: [sockets, freebind_sockets, transparent_sockets]}}\n");
    // The priority that the type of service 0x10 sets.
    let of = |metric: &str, class: &str| {
        value(&text, &format!("ss_t_{metric}"), &format!("class_id=\"{class}\"")).map(f64::round)
    };
    assert_eq!(
        (of("freebind_sockets", "0x6"), of("transparent_sockets", "0x6")),
        (Some(1.0), Some(0.0)),
        "{text}"
    );
    assert_eq!(
        (of("freebind_sockets", "0x0"), of("transparent_sockets", "0x0")),
        (Some(0.0), Some(1.0)),
        "{text}"
    );
}

/// Both ends of an MPTCP connection.
fn mptcp() -> (TcpListener, TcpStream, TcpStream) {
    let new = || socket(AddressFamily::INET, SocketType::STREAM, Some(ipproto::MPTCP)).expect("CONFIG_MPTCP");
    let listener = new();
    bind(&listener, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a free port");
    listen(&listener, 8).expect("a listener");
    let listener = TcpListener::from(listener);
    let client = new();
    connect(&client, &listener.local_addr().expect("bound")).expect("a connection");
    let (server, _) = listener.accept().expect("the other end");
    (listener, client.into(), server)
}

#[test]
fn a_subflow_of_mptcp_is_told_from_a_connection_of_tcp() {
    if enter() {
        return;
    }
    let (_listener, _client, _server) = mptcp();
    let _pair = Pair::at(Ipv4Addr::LOCALHOST);
    let text = expose(
        "views:
  t: {by: [ulp, mptcp_path, tls_version, tls_offload], metrics: [sockets, mptcp_sockets, tls_sockets]}
  plain: {select: \"not ulp = mptcp\", metrics: [sockets]}
  subflow: {select: \"ulp = mptcp and mptcp_path = first\", metrics: [sockets]}
",
    );
    for (label, subflows) in [("ulp=\"mptcp\",mptcp_path=\"first\"", 2.0), ("ulp=\"\",mptcp_path=\"\"", 0.0)]
    {
        let label = format!("{label},tls_version=\"\",tls_offload=\"\"");
        assert_eq!(value(&text, "ss_t_sockets", &label), Some(2.0), "{text}");
        assert_eq!(value(&text, "ss_t_mptcp_sockets", &label), Some(subflows), "{text}");
        assert_eq!(value(&text, "ss_t_tls_sockets", &label), Some(0.0), "{text}");
    }
    assert_eq!(value(&text, "ss_plain_sockets", ""), Some(2.0), "{text}");
    assert_eq!(value(&text, "ss_subflow_sockets", ""), Some(2.0), "{text}");
}
