//! `sockets`: what `ss -tinp` shows, as a table and as JSON.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;

use super::{enter, program, run, text};

/// Connections over both families with some bytes on them.
fn connections() -> Vec<(TcpListener, TcpStream, TcpStream)> {
    ["127.0.0.1:7001", "[::1]:7002"]
        .map(|address| {
            let listener = TcpListener::bind(address).expect("a listener");
            let mut client = TcpStream::connect(address).expect("a connection");
            let (mut server, _) = listener.accept().expect("its other end");
            client.write_all(b"12345").expect("room");
            server.read_exact(&mut [0; 5]).expect("the bytes");
            (listener, client, server)
        })
        .into()
}

fn json(arguments: &[&str]) -> Vec<serde_json::Value> {
    let output = run(&[&["sockets", "--json"], arguments].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    answer["sockets"].as_array().expect("a list").clone()
}

#[test]
fn a_socket_is_shown_with_its_ends_owner_and_bytes() {
    if enter() {
        return;
    }
    let held = connections();
    let sockets = json(&["dport", "=", ":7002"]);
    let [socket] = sockets.as_slice() else { panic!("{sockets:?}") };
    let local = held[1].1.local_addr().expect("bound").port();
    assert_eq!((&socket["local_address"], &socket["local_port"]), (&"::1".into(), &local.into()));
    assert_eq!((&socket["state"], &socket["remote_port"]), (&"established".into(), &7002.into()));
    assert_eq!((&socket["sent_bytes_total"], &socket["direction"]), (&5.into(), &"outbound".into()));
    assert_eq!(socket["pid"], std::process::id().to_string());
    assert!(socket["rtt_seconds"].as_f64().is_some_and(|rtt| rtt > 0.0 && rtt < 1.0), "{socket}");
    let inbound = json(&["direction = inbound"]);
    assert_eq!(inbound.len(), 2, "{inbound:?}");
}

#[test]
fn the_states_are_those_that_ss_shows_or_those_asked_for() {
    if enter() {
        return;
    }
    let _held = connections();
    assert_eq!((json(&[]).len(), json(&["--listening"]).len(), json(&["--all"]).len()), (4, 2, 6));
    assert_eq!(json(&["state listening and sport = :7001"]).len(), 1);
}

#[test]
fn the_table_has_the_ends_that_ss_prints() {
    if enter() {
        return;
    }
    let _held = connections();
    for (flag, of_ss) in [("--all", "-tnaH"), ("--listening", "-tnlH")] {
        let ours = text(&run(&["sockets", flag, "--columns=recv_q,send_q,local,remote"]).stdout);
        let ends = |line: &str, skip: usize| -> Vec<String> {
            line.split_whitespace().skip(skip).take(4).map(str::to_owned).collect()
        };
        let ours: BTreeSet<_> = ours.lines().skip(1).map(|line| ends(line, 0)).collect();
        let ss = Command::new("ss").arg(of_ss).output().expect("ss of the package iproute2");
        let theirs: BTreeSet<_> = text(&ss.stdout).lines().map(|line| ends(line, 1)).collect();
        assert_eq!(ours, theirs, "{flag}");
        assert!(!ours.is_empty());
    }
}

#[test]
fn a_wrong_filter_or_column_is_named_with_what_is_allowed() {
    if enter() {
        return;
    }
    for (arguments, said) in [
        (&["dport"][..], "at its end: found the end; expected: "),
        (&["bytes = 3"], "at \"bytes = 3\": found \"bytes\"; expected: (, not, state"),
        (&["--columns=rtts"], "there is no column \"rtts\", did you mean rtt"),
        (&["-x", "rtt = 3"], "found \"rtt\""),
    ] {
        let output = run(&[&["sockets"], arguments].concat());
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn nothing_is_coloured_without_a_terminal() {
    if enter() {
        return;
    }
    let _held = connections();
    let output = program().args(["sockets", "-l"]).output().expect("the program");
    let table = text(&output.stdout);
    assert!(table.starts_with("STATE") && !table.contains('\u{1b}'), "{table:?}");
    assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
}
