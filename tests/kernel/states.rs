//! Sockets counted by state, in views with and without a past, against what the test made.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use rustix::net::{AddressFamily, SocketType, bind, socket};

use super::{Pair, enter, expose, samples};

/// A listener, connections, their remains in `TIME_WAIT`, and orphans in `FIN_WAIT2`.
fn sockets() -> (Vec<TcpListener>, Vec<Pair>, Vec<std::net::TcpStream>) {
    let listeners = (0..5).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener"));
    let open = (0..3).map(|_| Pair::at(Ipv4Addr::LOCALHOST)).collect();
    for _ in 0..7 {
        let Pair { client, server, .. } = Pair::at(Ipv4Addr::LOCALHOST);
        drop(client);
        drop(server);
    }
    let half_closed = (0..4).map(|_| {
        let Pair { client, server, .. } = Pair::at(Ipv4Addr::LOCALHOST);
        drop(client);
        server
    });
    let made = (listeners.collect(), open, half_closed.collect());
    // The last acknowledgements pass.
    std::thread::sleep(std::time::Duration::from_millis(300));
    made
}

#[test]
fn a_state_has_as_many_sockets_in_a_view_with_counters_as_in_one_without() {
    if enter() {
        return;
    }
    let _held = sockets();
    let text = expose(
        "views:
  plain: {by: [state], state: all, metrics: [sockets]}
  counting: {by: [state], state: all, metrics: [sockets, opened_total]}
  waiting: {by: [state], state: time_wait, metrics: [sockets]}
  connections: {by: [ip_version], metrics: [sockets]}
  counted: {by: [ip_version], metrics: [sockets, closed_total]}
  flow: {by: [local_address, local_port, remote_address, remote_port], metrics: [sockets]}
",
    );
    let of = |view: &str, state: &str| {
        let label = format!("state=\"{state}\"");
        let family = format!("ss_{view}_sockets");
        samples(&text, &family).iter().find(|(labels, _)| *labels == label).map(|(_, value)| *value)
    };
    for (state, number) in
        [("listen", 5.0), ("established", 6.0), ("time_wait", 7.0), ("close_wait", 4.0), ("syn_sent", 0.0)]
    {
        assert_eq!(of("plain", state), Some(number), "{state}: {text}");
        assert_eq!(of("counting", state), Some(number), "{state}: {text}");
    }
    assert_eq!(of("plain", "fin_wait2"), Some(4.0));
    for view in ["connections", "counted", "flow"] {
        let rows = samples(&text, &format!("ss_{view}_sockets"));
        let all: f64 = rows.iter().map(|(_, value)| value).sum();
        assert!((all - 10.0).abs() < 0.5, "{view} leaves out what was closed: {text}");
    }
    assert_eq!(of("waiting", "time_wait"), Some(7.0), "orphans in FIN_WAIT2 do not wait");
}

#[test]
fn a_socket_that_is_only_bound_is_shown_where_its_state_is_named() {
    if enter() {
        return;
    }
    let bound = socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
    bind(&bound, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a free port");
    let _listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
    let text = expose(
        "views:
  bound: {by: [state], select: state bound-inactive, metrics: [sockets]}
  both: {by: [state], state: [listen, bound_inactive], metrics: [sockets]}
  all: {by: [state], state: all, metrics: [sockets]}
",
    );
    let of = |view: &str, state: &str| {
        let label = format!("state=\"{state}\"");
        let rows = samples(&text, &format!("ss_{view}_sockets"));
        rows.iter().find(|(labels, _)| *labels == label).map(|(_, value)| value.round())
    };
    for (view, bound, listening) in
        [("bound", Some(1.0), None), ("both", Some(1.0), Some(1.0)), ("all", None, Some(1.0))]
    {
        assert_eq!((of(view, "bound_inactive"), of(view, "listen")), (bound, listening), "{view}: {text}");
    }
    assert_eq!(of("all", "close"), Some(0.0), "{text}");
}
