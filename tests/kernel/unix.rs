//! Unix sockets of the test's network namespace, against `ss` and against what the test made.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener, UnixStream};
use std::process::Command;

use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, bind, listen, socket};
use sockdiag::{Request, State, StateSet, UNIX, queues};

use super::{dump_now, enter, expose, samples};

/// A listener with an abstract name and that backlog.
fn listener(name: &str, backlog: i32) -> OwnedFd {
    let listener = socket(AddressFamily::UNIX, SocketType::STREAM, None).expect("a socket");
    let address = SocketAddrUnix::new_abstract_name(name.as_bytes()).expect("a short name");
    bind(&listener, &address).expect("a free name");
    listen(&listener, backlog).expect("a listener");
    listener
}

fn connect(name: &str) -> UnixStream {
    let address = SocketAddr::from_abstract_name(name).expect("a short name");
    UnixStream::connect_addr(&address).expect("room in the accept queue")
}

/// The only row of a family that has the label, which may be a part of its block.
fn value(text: &str, family: &str, label: &str) -> Option<f64> {
    let rows = samples(text, family).into_iter();
    let of: Vec<_> = rows.filter(|(labels, _)| labels.contains(label)).map(|(_, value)| value).collect();
    assert!(of.len() < 2, "{family} of {label}: {text}");
    of.first().map(|value| value.round())
}

const LISTENERS: &str = "collect: {deadline: 60s, owners: 30s}
views:
  u:
    protocol: unix
    state: listen
    by: [path, process]
    metrics: [sockets, accept_queue_connections, accept_queue_limit]
";

#[test]
fn a_full_accept_queue_of_a_unix_listener_holds_one_more_than_its_limit() {
    if enter() {
        return;
    }
    let _listener = listener("full", 4);
    let _clients: Vec<_> = (0..5).map(|_| connect("full")).collect();
    let text = expose(LISTENERS);
    let of = |metric: &str| value(&text, &format!("ss_u_{metric}"), "path=\"@full\"");
    assert_eq!(of("accept_queue_connections"), Some(5.0), "{text}");
    assert_eq!(of("accept_queue_limit"), Some(4.0), "{text}");
}

#[test]
fn a_listener_with_nine_thousand_pending_connections_is_seen() {
    if enter() {
        return;
    }
    std::fs::write("/proc/sys/net/core/somaxconn", "10000").expect("a setting of the namespace");
    let _listener = listener("crowded", 10_000);
    let _clients: Vec<_> = (0..9_000).map(|_| connect("crowded")).collect();
    let _other = listener("other", 1);
    let text = expose(LISTENERS);
    let of = |path: &str| value(&text, "ss_u_accept_queue_connections", &format!("path=\"@{path}\""));
    assert_eq!((of("crowded"), of("other")), (Some(9_000.0), Some(0.0)), "{text}");
}

#[test]
fn peers_are_processes_and_a_client_waits_until_it_is_accepted() {
    if enter() {
        return;
    }
    let listener = UnixListener::from(listener("peers", 8));
    let accepted = connect("peers");
    let (_server, _) = listener.accept().expect("a connection");
    let _waiting = connect("peers");
    let (left, right) = UnixStream::pair().expect("a pair");
    drop(right);
    let comm = std::fs::read_to_string("/proc/self/comm").expect("comm");
    let comm = comm.trim_end();
    let text = expose(
        "collect: {deadline: 60s, owners: 30s}
views:
  u:
    protocol: unix
    state: established
    by: [path, type, peer_process, cgroup]
    metrics: [sockets, waiting_clients, orphaned_sockets]
  selected: {protocol: unix, select: \"src unix:@peers* and type = stream\", metrics: [sockets]}
",
    );
    let cgroup = std::fs::read_to_string("/proc/self/cgroup").expect("cgroups");
    let of = |metric: &str, path: &str, peer: &str| {
        let rows = samples(&text, &format!("ss_u_{metric}")).into_iter();
        let label = format!("path=\"{path}\",type=\"stream\",peer_process=\"{peer}\"");
        rows.filter(|(labels, _)| labels.contains(&label)).map(|(_, value)| value.round()).sum::<f64>()
    };
    // The client end of the connection, and its server end by the listener's name.
    assert!((of("sockets", "", comm) - 1.0).abs() < 0.1, "{text}");
    assert!((of("sockets", "@peers", comm) - 1.0).abs() < 0.1, "{text}");
    assert!((of("waiting_clients", "", "unknown") - 1.0).abs() < 0.1, "{text}");
    assert!((of("orphaned_sockets", "", "") - 1.0).abs() < 0.1, "{text}");
    assert_eq!(value(&text, "ss_selected_sockets", ""), Some(1.0), "{text}");
    let named = samples(&text, "ss_u_sockets").into_iter().all(|(labels, _)| {
        let path =
            labels.split("cgroup=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
        cgroup.lines().any(|line| line.ends_with(path)) && !path.is_empty()
    });
    assert!(named, "{cgroup} in {text}");
    drop((accepted, left));
}

/// State, receive queue and send queue by inode. Of datagram sockets the state alone, as the queue of `ss` is the next message.
type Shown = BTreeMap<u32, (String, Option<(u64, u64)>)>;

fn shown_by_ss() -> Shown {
    let output = Command::new("ss").args(["-xanpm"]).output().expect("ss of iproute2");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let row = |line: &str| {
        let words: Vec<_> = line.split_ascii_whitespace().collect();
        let [kind, state, received, sent, _, inode, ..] = words[..] else { return None };
        let queues = (kind != "u_dgr").then(|| (received.parse().ok(), sent.parse().ok()));
        let queues = queues.map(|(received, sent)| Some((received?, sent?)));
        Some((inode.parse().ok()?, (state.to_owned(), queues.flatten())))
    };
    text.lines().skip(1).filter_map(row).collect()
}

fn shown_by_dump() -> Shown {
    let mut shown = Shown::new();
    dump_now(&Request::new(&UNIX, StateSet::ALL, UNIX.attributes), |socket| {
        let state = match socket.state() {
            State::Established => "ESTAB",
            State::Listen => "LISTEN",
            _ => "UNCONN",
        };
        let queues = socket.get(&queues::RQUEUE).zip(socket.get(&queues::WQUEUE));
        shown.insert(socket.inode().expect("held by a process"), (state.to_owned(), queues));
    });
    shown
}

#[test]
fn every_unix_socket_has_the_state_and_the_queues_that_ss_shows() {
    if enter() {
        return;
    }
    let _listeners = [listener("a", 3), listener("b", 5)];
    let _waiting = [connect("a"), connect("a"), connect("b")];
    let (mut left, _right) = UnixStream::pair().expect("a pair");
    std::io::Write::write_all(&mut left, &[7; 1000]).expect("room");
    let (sender, _receiver) = UnixDatagram::pair().expect("a pair");
    for _ in 0..3 {
        sender.send(&[7; 100]).expect("room");
    }
    let _unbound = UnixDatagram::unbound().expect("a socket");
    let (ss, dump) = (shown_by_ss(), shown_by_dump());
    assert_eq!(dump.len(), 10, "{dump:?}");
    assert_eq!(ss, dump);
}
