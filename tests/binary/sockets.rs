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

/// The lines of a table without titles.
fn table(arguments: &[&str]) -> Vec<String> {
    let output = run(&[&["sockets", "-H"], arguments].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout).lines().map(str::to_owned).collect()
}

#[test]
fn lines_are_sorted_limited_and_grouped() {
    if enter() {
        return;
    }
    let held = connections();
    (&held[1].1).write_all(&[7; 2000]).expect("room");
    let first = table(&["--sort=-sent", "--limit=1", "--columns=sent,remote"]);
    assert_eq!(first, ["2005  [::1]:7002"]);
    let first = table(&["--sort=-sent", "--limit=1", "--columns=sent", "--human"]);
    assert_eq!(first, ["2.0k"]);
    let rising: Vec<u64> = table(&["--sort", "sent", "--columns=sent"])
        .iter()
        .map(|line| line.trim().parse().expect("a number"))
        .collect();
    assert_eq!(rising, [0, 0, 5, 2005]);
    let groups = table(&["--group-by", "direction"]);
    let words: Vec<Vec<&str>> = groups.iter().map(|line| line.split_whitespace().take(2).collect()).collect();
    assert_eq!(words.len(), 2, "{groups:?}");
    assert!(words.contains(&vec!["inbound", "2"]) && words.contains(&vec!["outbound", "2"]), "{groups:?}");
    let sorted = run(&["sockets", "--json", "--sort=-sent", "--limit=1"]);
    let answer: serde_json::Value = serde_json::from_slice(&sorted.stdout).expect("JSON");
    assert_eq!(answer["sockets"][0]["sent_bytes_total"], 2005, "{answer}");
}

#[test]
fn a_listener_shows_how_full_its_queue_is() {
    if enter() {
        return;
    }
    let held = connections();
    let _waiting = TcpStream::connect("127.0.0.1:7001").expect("room");
    let limit = std::fs::read_to_string("/proc/sys/net/core/somaxconn").expect("a limit");
    let shown = table(&["-l", "sport = 7001", "--columns=fill,state"]);
    // The library asks for 128 or for as many as there may be.
    let expected = [format!("1/{}  LISTEN", limit.trim()), "1/128  LISTEN".to_owned()];
    assert!(expected.contains(&shown[0]), "{shown:?} {expected:?}");
    drop(held);
}

#[test]
fn a_table_fits_the_terminal_and_a_pipe_gets_all_of_it() {
    if enter() {
        return;
    }
    let _held = connections();
    for (columns, fits) in [(80, true), (200, false)] {
        let command =
            format!("stty cols {columns}; {} sockets -a", env!("CARGO_BIN_EXE_prometheus_ss_exporter"));
        let mut script = Command::new("script");
        script.args(["-qec", &command, "/dev/null"]).env("NO_COLOR", "1").env_remove("CONFIG_FILE");
        let shown = text(&script.output().expect("script, of the package bsdutils").stdout);
        let table: Vec<_> = shown.lines().skip_while(|line| !line.starts_with("STATE")).collect();
        assert_eq!(table.len(), 7, "{shown}");
        assert!(table.iter().all(|line| line.trim_end().chars().count() <= columns), "{shown}");
        assert_eq!(table[0].contains("CWND"), !fits, "{shown}");
    }
    assert!(text(&run(&["sockets", "-a"]).stdout).contains("CWND"));
}

#[test]
fn a_watched_table_is_printed_until_no_process_reads_it() {
    if enter() {
        return;
    }
    let _held = connections();
    let mut command = program();
    let mut child = command
        .args(["sockets", "--watch=1", "--columns=remote"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("the program");
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().expect("a pipe")));
    let mut titles = 0;
    while titles < 2 {
        let line = lines.next().expect("another table").expect("text");
        titles += usize::from(line == "REMOTE");
    }
    drop(lines);
    assert!(child.wait().expect("its end").success());
}

#[test]
fn a_wrong_filter_or_column_is_named_with_what_is_allowed() {
    if enter() {
        return;
    }
    for (arguments, said) in [
        (&["dport"][..], "at its end: found the end; expected: "),
        (&["bytes = 3"], "at \"bytes = 3\": found \"bytes\"; expected: (, not, protocol, state"),
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
